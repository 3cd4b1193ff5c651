/* SPDX-License-Identifier: BSD-2-Clause */
/* See track.h. */
#include "name/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define QUESTIONS 16	      /* of one mDNS message that are followed */
#define AGAIN_NS 400000000ULL /* the same from another port sooner than this is asked in parallel */

/* A transaction under way: in a chain of its hash, and in the queue by its latest query. */
struct open {
	uint32_t chain, prev, next;
	uint32_t hash;
	uint64_t asked_ns, sent_ns, sock_id;
	uint32_t retries;
	bool wanted;
	uint16_t id, qtype;
	struct np_tuple tuple;
	struct np_owner owner;
	char *qname;
};

struct dns_track {
	uint64_t timeout_ns;
	dns_result_fn fn;
	void *arg;
	uint32_t max, mask;
	uint32_t *heads; /* of the chains */
	struct open *open;
	uint32_t free; /* chain of entries not in use */
	uint32_t first, last;
	struct dns_track_stats stats;
	struct dns_reader reader;
	struct dns_question question;
	struct dns_record record;
	struct dns_answer answers[DNS_ANSWERS];
};

struct dns_track *dns_track_new(uint32_t max, uint64_t timeout_ns, dns_result_fn fn, void *arg)
{
	struct dns_track *t = calloc(1, sizeof(*t));
	uint32_t heads = 64;

	while (heads < max)
		heads *= 2;
	if (!t)
		return NULL;
	*t = (struct dns_track){ .timeout_ns = timeout_ns,
				 .fn = fn,
				 .arg = arg,
				 .max = max,
				 .mask = heads - 1,
				 .heads = malloc(heads * sizeof(*t->heads)),
				 .open = calloc(max, sizeof(*t->open)),
				 .first = NONE,
				 .last = NONE };
	if (!t->heads || !t->open)
		return dns_track_free(t);
	memset(t->heads, 0xff, heads * sizeof(*t->heads));
	for (uint32_t i = 0; i < max; i++)
		t->open[i].chain = i + 1 < max ? i + 1 : NONE;
	return t;
}

struct dns_track *dns_track_free(struct dns_track *t)
{
	if (!t)
		return NULL;
	for (uint32_t i = t->open ? t->first : NONE; i != NONE; i = t->open[i].next)
		free(t->open[i].qname);
	free(t->heads);
	free(t->open);
	free(t);
	return NULL;
}

static uint32_t mix(uint32_t h, uint32_t v)
{
	h = (h ^ v) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static bool is_mdns(const struct np_tuple *t)
{
	return t->rport == DNS_PORT_MDNS;
}

/* The answers of mDNS carry no id and go to everybody: only the name is common. */
static uint32_t hash_of(const struct np_tuple *t, uint16_t id, const char *qname)
{
	uint32_t h = mix(t->netns, t->rport);

	if (!is_mdns(t))
		return mix(mix(h, t->lport), id);
	for (; *qname; qname++)
		h = mix(h, (uint8_t)*qname);
	return h;
}

/* A server that answers for a group does so from its own address. */
static bool same_ends(const struct np_tuple *a, const struct np_tuple *b)
{
	if (a->netns != b->netns || a->rport != b->rport)
		return false;
	if (is_mdns(a))
		return true;
	return a->lport == b->lport && a->proto == b->proto &&
	       (a->rport == DNS_PORT_LLMNR || !memcmp(a->raddr, b->raddr, sizeof(a->raddr)));
}

/* qname NULL: an answer that repeats no question. */
static uint32_t find(const struct dns_track *t, const struct np_tuple *tuple, uint16_t id,
		     const char *qname, uint16_t qtype)
{
	uint32_t h = hash_of(tuple, id, qname ? qname : "");

	for (uint32_t i = t->heads[h & t->mask]; i != NONE; i = t->open[i].chain) {
		const struct open *o = &t->open[i];

		if (o->hash != h || !same_ends(&o->tuple, tuple))
			continue;
		if (!is_mdns(tuple) && o->id != id)
			continue;
		if (qname ? o->qtype == qtype && !strcmp(o->qname, qname) : !is_mdns(tuple))
			return i;
	}
	return NONE;
}

static void queue_out(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];

	*(o->prev == NONE ? &t->first : &t->open[o->prev].next) = o->next;
	*(o->next == NONE ? &t->last : &t->open[o->next].prev) = o->prev;
}

static void queue_in(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];

	o->prev = t->last;
	o->next = NONE;
	*(t->last == NONE ? &t->first : &t->open[t->last].next) = i;
	t->last = i;
}

static void forget(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];
	uint32_t *at = &t->heads[o->hash & t->mask];

	while (*at != i)
		at = &t->open[*at].chain;
	*at = o->chain;
	queue_out(t, i);
	free(o->qname);
	o->qname = NULL;
	o->chain = t->free;
	t->free = i;
}

static struct dns_result result_of(const struct open *o)
{
	return (struct dns_result){ .tuple = o->tuple,
				    .owner = o->owner,
				    .sock_id = o->sock_id,
				    .wanted = o->wanted,
				    .qname = o->qname,
				    .qtype = o->qtype,
				    .id = o->id,
				    .asked_ns = o->asked_ns,
				    .retries = o->retries };
}

/*
 * The same process asks the same server the same, from another port or with another number, while
 * the first waits: it has given that one up. Only those old enough, which stand in front.
 */
static uint32_t given_up(const struct dns_track *t, const struct dns_packet *p, const char *qname,
			 uint16_t qtype)
{
	if (!p->owner || !p->owner->tgid || is_mdns(p->tuple))
		return NONE;
	for (uint32_t i = t->first; i != NONE; i = t->open[i].next) {
		const struct open *o = &t->open[i];

		if (p->ts_ns - o->sent_ns < AGAIN_NS || o->sent_ns > p->ts_ns)
			return NONE;
		if (o->qtype == qtype && o->owner.tgid == p->owner->tgid &&
		    o->owner.start_ns == p->owner->start_ns && o->tuple.netns == p->tuple->netns &&
		    o->tuple.rport == p->tuple->rport && o->tuple.proto == p->tuple->proto &&
		    !memcmp(o->tuple.raddr, p->tuple->raddr, 16) && !strcmp(o->qname, qname))
			return i;
	}
	return NONE;
}

static void on_query(struct dns_track *t, const struct dns_packet *p, uint16_t id)
{
	const struct dns_question *q = &t->question;
	uint32_t i = find(t, p->tuple, id, q->name, q->type), old, retries = 0;
	uint64_t asked_ns = p->ts_ns;
	struct open *o;
	char *name;

	if (i != NONE) {
		o = &t->open[i];
		/* Of a capture of several interfaces the same packet comes by more than one. */
		if (o->tuple.ifindex != p->tuple->ifindex && p->ts_ns - o->sent_ns < AGAIN_NS)
			return;
		o->retries++;
		o->sent_ns = p->ts_ns;
		queue_out(t, i);
		queue_in(t, i);
		return;
	}
	name = strdup(q->name);
	if (!name) {
		t->stats.table_full++;
		return;
	}
	old = given_up(t, p, q->name, q->type);
	if (old != NONE) {
		asked_ns = t->open[old].asked_ns;
		retries = t->open[old].retries + 1;
		forget(t, old);
	}
	if (t->free == NONE) {
		t->stats.table_full++;
		forget(t, t->first);
	}
	i = t->free;
	o = &t->open[i];
	t->free = o->chain;
	*o = (struct open){ .hash = hash_of(p->tuple, id, q->name),
			    .asked_ns = asked_ns,
			    .sent_ns = p->ts_ns,
			    .sock_id = p->sock_id,
			    .wanted = p->wanted,
			    .retries = retries,
			    .id = id,
			    .qtype = q->type,
			    .tuple = *p->tuple,
			    .qname = name };
	if (p->owner)
		o->owner = *p->owner;
	o->chain = t->heads[o->hash & t->mask];
	t->heads[o->hash & t->mask] = i;
	queue_in(t, i);
}

static void take_answer(struct dns_track *t, struct dns_result *res)
{
	struct dns_record *rec = &t->record;
	struct dns_answer *a;

	if (rec->type == DNS_TYPE_OPT && rec->section == 3)
		res->rcode |= (uint16_t)((rec->ttl >> 24) << 4);
	if (rec->section != 1 || res->n == DNS_ANSWERS)
		return;
	a = &t->answers[res->n];
	a->type = rec->type;
	a->ttl = rec->ttl;
	a->has_addr = dns_data_addr(&t->reader, rec, a->addr);
	if (dns_data_text(&t->reader, rec, a->text, sizeof(a->text)))
		res->malformed = true;
	else
		res->n++;
}

/* Reads all records of the message into res. */
static void take_answers(struct dns_track *t, struct dns_result *res)
{
	const struct dns_header *h = &t->reader.header;
	int r;

	res->rcode = h->rcode;
	res->truncated = h->truncated;
	res->authoritative = h->authoritative;
	res->n_answers = h->count[1];
	res->answers = t->answers;
	while ((r = dns_record(&t->reader, &t->record)) > 0)
		take_answer(t, res);
	/* A truncated answer may stop anywhere. */
	if (r == -EBADMSG && !h->truncated)
		res->malformed = true;
}

static void end(struct dns_track *t, uint32_t i, struct dns_result *res)
{
	if (t->fn)
		t->fn(res, t->arg);
	forget(t, i);
}

static void on_answer(struct dns_track *t, const struct dns_packet *p, bool has_question)
{
	const struct dns_question *q = &t->question;
	uint32_t i = find(t, p->tuple, t->reader.header.id, has_question ? q->name : NULL, q->type);
	struct dns_result res;

	if (i == NONE) {
		t->stats.unmatched++;
		return;
	}
	res = result_of(&t->open[i]);
	res.end_ns = p->ts_ns;
	memcpy(res.tuple.raddr, p->tuple->raddr, sizeof(res.tuple.raddr));
	take_answers(t, &res);
	end(t, i, &res);
}

/* mDNS: each record answers whoever asked for its name. The other records of the message go with it. */
static void on_mdns(struct dns_track *t, const struct dns_packet *p)
{
	struct dns_reader at = t->reader;
	struct dns_record rec;

	while (dns_record(&at, &rec) > 0) {
		uint32_t i;

		while ((i = find(t, p->tuple, 0, rec.name, rec.type)) != NONE ||
		       (i = find(t, p->tuple, 0, rec.name, DNS_TYPE_ANY)) != NONE) {
			struct dns_result res = result_of(&t->open[i]);
			struct dns_reader start = t->reader;

			res.end_ns = p->ts_ns;
			memcpy(res.tuple.raddr, p->tuple->raddr, sizeof(res.tuple.raddr));
			take_answers(t, &res);
			t->reader = start;
			end(t, i, &res);
		}
	}
}

static void count_bad(struct dns_track *t, int r)
{
	*(r == -ENODATA ? &t->stats.cut : &t->stats.malformed) += 1;
}

void dns_track_message(struct dns_track *t, const struct dns_packet *p)
{
	unsigned int n = 0;
	int r = dns_open(&t->reader, p->msg, p->len, p->full);

	t->stats.messages++;
	if (r) {
		count_bad(t, r);
		return;
	}
	/* Queries come in at a server, answers leave it: here is who asks. */
	if (t->reader.header.response == p->out)
		return;
	if (!p->out && is_mdns(p->tuple) && !t->reader.header.count[0]) {
		on_mdns(t, p);
		return;
	}
	while (n < QUESTIONS && (r = dns_question(&t->reader, &t->question)) > 0) {
		n++;
		if (!p->out)
			break;
		on_query(t, p, is_mdns(p->tuple) ? 0 : t->reader.header.id);
		if (!is_mdns(p->tuple))
			break;
	}
	if (r < 0)
		count_bad(t, r);
	else if (!p->out)
		on_answer(t, p, n > 0);
}

void dns_track_tick(struct dns_track *t, uint64_t now_ns)
{
	while (t->first != NONE) {
		const struct open *o = &t->open[t->first];
		struct dns_result res = result_of(o);

		if (o->sent_ns > now_ns || now_ns - o->sent_ns < t->timeout_ns)
			return;
		res.timed_out = true;
		res.end_ns = o->sent_ns + t->timeout_ns;
		end(t, t->first, &res);
	}
}

void dns_track_pending(const struct dns_track *t,
		       bool (*fn)(const struct dns_result *res, void *arg), void *arg)
{
	for (uint32_t i = t->first; i != NONE; i = t->open[i].next) {
		struct dns_result res = result_of(&t->open[i]);

		if (fn(&res, arg))
			return;
	}
}

const struct dns_track_stats *dns_track_stats(const struct dns_track *t)
{
	return &t->stats;
}
