/* SPDX-License-Identifier: BSD-2-Clause */
/* See track.h. */
#include "name/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define QUESTIONS 16	      /* of one mDNS message that are followed */
#define AGAIN_NS 400000000ULL /* the same from another port sooner than this is asked in parallel */

#define MOST_WAITS 4 /* timeouts that a question may be open, however often it is asked again */

#define LOOKS 64 /* at those of one name, or of one socket and number: anybody may open many */

/* What transactions are found by. */
#define BY_ENDS 0     /* socket and number: an answer that repeats no question */
#define BY_QUESTION 1 /* the same, and the question */
#define BY_ASKER 2    /* process, server and question: who asks again from elsewhere */
#define BY_NAME 3     /* question alone */
#define BY_MAX 4

struct link {
	uint32_t hash, prev, next;
};

struct chain {
	uint32_t first, last;
};

/* A transaction under way: in four chains, and in the queue, each by the time of its latest query. */
struct open {
	uint32_t prev, next;
	struct link by[BY_MAX];
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
	uint32_t seed;	      /* nobody outside may choose what lies in one chain */
	struct chain *chains; /* BY_MAX for each value of a hash below mask */
	struct open *open;
	uint32_t free; /* chain of entries not in use, by next */
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
				 .seed = (uint32_t)((uintptr_t)t >> 4),
				 .chains = malloc(heads * BY_MAX * sizeof(*t->chains)),
				 .open = calloc(max, sizeof(*t->open)),
				 .first = NONE,
				 .last = NONE };
	if (!t->chains || !t->open)
		return dns_track_free(t);
	memset(t->chains, 0xff, heads * BY_MAX * sizeof(*t->chains));
	for (uint32_t i = 0; i < max; i++)
		t->open[i].next = i + 1 < max ? i + 1 : NONE;
	return t;
}

struct dns_track *dns_track_free(struct dns_track *t)
{
	if (!t)
		return NULL;
	for (uint32_t i = t->open ? t->first : NONE; i != NONE; i = t->open[i].next)
		free(t->open[i].qname);
	free(t->chains);
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

static uint32_t mix_question(uint32_t h, const char *qname, uint16_t qtype)
{
	for (h = mix(h, qtype); *qname; qname++)
		h = mix(h, (uint8_t)*qname);
	return h;
}

/* The answers of mDNS carry no id and go to everybody: only the name is common. */
static uint32_t hash_ends(const struct dns_track *t, const struct np_tuple *tuple, uint16_t id)
{
	uint32_t h = mix(mix(t->seed, tuple->netns), tuple->rport);

	return is_mdns(tuple) ? h : mix(mix(h, tuple->lport), id);
}

static uint32_t hash_asker(const struct dns_track *t, const struct np_owner *owner,
			   const struct np_tuple *tuple, const char *qname, uint16_t qtype)
{
	uint32_t h = mix(mix(t->seed, owner->tgid), tuple->netns), word;

	for (unsigned int i = 0; i < sizeof(tuple->raddr); i += sizeof(word)) {
		memcpy(&word, tuple->raddr + i, sizeof(word));
		h = mix(h, word);
	}
	return mix_question(mix(h, tuple->rport), qname, qtype);
}

static uint32_t hash_name(const struct dns_track *t, const char *qname, uint16_t qtype)
{
	return mix_question(t->seed, qname, qtype);
}

static struct chain *chain_of(const struct dns_track *t, unsigned int by, uint32_t hash)
{
	return &t->chains[(size_t)(hash & t->mask) * BY_MAX + by];
}

static void chain_out(struct dns_track *t, unsigned int by, uint32_t i)
{
	const struct link *l = &t->open[i].by[by];
	struct chain *c = chain_of(t, by, l->hash);

	*(l->prev == NONE ? &c->first : &t->open[l->prev].by[by].next) = l->next;
	*(l->next == NONE ? &c->last : &t->open[l->next].by[by].prev) = l->prev;
}

static void chain_in(struct dns_track *t, unsigned int by, uint32_t i)
{
	struct link *l = &t->open[i].by[by];
	struct chain *c = chain_of(t, by, l->hash);

	l->prev = c->last;
	l->next = NONE;
	*(c->last == NONE ? &c->first : &t->open[c->last].by[by].next) = i;
	c->last = i;
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

/* Of several sockets that share a port an answer to one is none to another; which it is may not be known. */
static bool same_socket(const struct open *o, uint64_t sock_id)
{
	return !o->sock_id || !sock_id || o->sock_id == sock_id;
}

static uint32_t find(const struct dns_track *t, const struct dns_packet *p, uint16_t id,
		     const char *qname, uint16_t qtype)
{
	const struct np_tuple *tuple = p->tuple;
	uint32_t h = mix_question(hash_ends(t, tuple, id), qname, qtype);
	uint32_t i = chain_of(t, BY_QUESTION, h)->first;

	for (; i != NONE; i = t->open[i].by[BY_QUESTION].next) {
		const struct open *o = &t->open[i];

		if (o->by[BY_QUESTION].hash == h && same_ends(&o->tuple, tuple) &&
		    same_socket(o, p->sock_id) && (is_mdns(tuple) || o->id == id) &&
		    o->qtype == qtype && !strcmp(o->qname, qname))
			return i;
	}
	return NONE;
}

/* Of an answer that repeats no question. */
static uint32_t find_unasked(const struct dns_track *t, const struct dns_packet *p, uint16_t id)
{
	const struct np_tuple *tuple = p->tuple;
	uint32_t h = hash_ends(t, tuple, id), i = chain_of(t, BY_ENDS, h)->first;

	if (is_mdns(tuple))
		return NONE;
	for (unsigned int n = 0; i != NONE && n < LOOKS; i = t->open[i].by[BY_ENDS].next, n++) {
		const struct open *o = &t->open[i];

		if (o->by[BY_ENDS].hash == h && same_ends(&o->tuple, tuple) && o->id == id &&
		    same_socket(o, p->sock_id))
			return i;
	}
	return NONE;
}

static void queue_out(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];

	*(o->prev == NONE ? &t->first : &t->open[o->prev].next) = o->next;
	*(o->next == NONE ? &t->last : &t->open[o->next].prev) = o->prev;
	for (unsigned int by = 0; by < BY_MAX; by++)
		chain_out(t, by, i);
}

static void queue_in(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];

	o->prev = t->last;
	o->next = NONE;
	*(t->last == NONE ? &t->first : &t->open[t->last].next) = i;
	t->last = i;
	for (unsigned int by = 0; by < BY_MAX; by++)
		chain_in(t, by, i);
}

static void forget(struct dns_track *t, uint32_t i)
{
	struct open *o = &t->open[i];

	queue_out(t, i);
	free(o->qname);
	o->qname = NULL;
	o->next = t->free;
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
 * the first waits: it has given that one up. The oldest of these, if that is old enough.
 */
static uint32_t given_up(const struct dns_track *t, const struct dns_packet *p, const char *qname,
			 uint16_t qtype)
{
	uint32_t h, i;

	if (!p->owner || !p->owner->tgid || is_mdns(p->tuple))
		return NONE;
	h = hash_asker(t, p->owner, p->tuple, qname, qtype);
	i = chain_of(t, BY_ASKER, h)->first;
	for (; i != NONE; i = t->open[i].by[BY_ASKER].next) {
		const struct open *o = &t->open[i];

		if (o->by[BY_ASKER].hash == h && o->qtype == qtype &&
		    o->owner.tgid == p->owner->tgid && o->owner.start_ns == p->owner->start_ns &&
		    o->tuple.netns == p->tuple->netns && o->tuple.rport == p->tuple->rport &&
		    o->tuple.proto == p->tuple->proto &&
		    !memcmp(o->tuple.raddr, p->tuple->raddr, 16) && !strcmp(o->qname, qname))
			return o->sent_ns <= p->ts_ns && p->ts_ns - o->sent_ns >= AGAIN_NS ? i
											   : NONE;
	}
	return NONE;
}

static void end(struct dns_track *t, uint32_t i, struct dns_result *res)
{
	if (t->fn)
		t->fn(res, t->arg);
	forget(t, i);
}

/* Asked again, and open for too long: nobody answered those before, and this one begins anew. */
static bool gives_out(struct dns_track *t, uint32_t i, uint64_t now_ns)
{
	const struct open *o = &t->open[i];
	struct dns_result res = result_of(o);

	if (now_ns < o->asked_ns || now_ns - o->asked_ns < MOST_WAITS * t->timeout_ns)
		return false;
	res.timed_out = true;
	res.end_ns = now_ns;
	end(t, i, &res);
	return true;
}

static void open_query(struct dns_track *t, const struct dns_packet *p, uint16_t id,
		       uint64_t asked_ns, uint32_t retries)
{
	const struct dns_question *q = &t->question;
	char *name = strdup(q->name);
	struct open *o;
	uint32_t i;

	if (!name) {
		t->stats.table_full++;
		return;
	}
	if (t->free == NONE) {
		t->stats.table_full++;
		forget(t, t->first);
	}
	i = t->free;
	o = &t->open[i];
	t->free = o->next;
	*o = (struct open){ .asked_ns = asked_ns,
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
	o->by[BY_ENDS].hash = hash_ends(t, p->tuple, id);
	o->by[BY_QUESTION].hash = mix_question(o->by[BY_ENDS].hash, name, q->type);
	o->by[BY_ASKER].hash = hash_asker(t, &o->owner, p->tuple, name, q->type);
	o->by[BY_NAME].hash = hash_name(t, name, q->type);
	queue_in(t, i);
}

static void on_query(struct dns_track *t, const struct dns_packet *p, uint16_t id)
{
	const struct dns_question *q = &t->question;
	uint32_t i = find(t, p, id, q->name, q->type), old, retries = 0;
	uint64_t asked_ns = p->ts_ns;

	if (i != NONE) {
		struct open *o = &t->open[i];

		/* Of a capture of several interfaces the same packet comes by more than one. */
		if (o->tuple.ifindex != p->tuple->ifindex && p->ts_ns - o->sent_ns < AGAIN_NS)
			return;
	}
	if (i != NONE && !gives_out(t, i, p->ts_ns)) {
		struct open *o = &t->open[i];

		o->retries++;
		o->sent_ns = p->ts_ns;
		queue_out(t, i);
		queue_in(t, i);
		return;
	}
	old = given_up(t, p, q->name, q->type);
	if (old != NONE && !gives_out(t, old, p->ts_ns)) {
		asked_ns = t->open[old].asked_ns;
		retries = t->open[old].retries + 1;
		forget(t, old);
	}
	open_query(t, p, id, asked_ns, retries);
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

static void on_answer(struct dns_track *t, const struct dns_packet *p, bool has_question)
{
	const struct dns_question *q = &t->question;
	uint16_t id = t->reader.header.id;
	uint32_t i = has_question ? find(t, p, id, q->name, q->type) : find_unasked(t, p, id);
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

		while ((i = find(t, p, 0, rec.name, rec.type)) != NONE ||
		       (i = find(t, p, 0, rec.name, DNS_TYPE_ANY)) != NONE) {
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

void dns_track_asked(const struct dns_track *t, const char *qname, uint16_t qtype,
		     bool (*fn)(const struct dns_result *res, void *arg), void *arg)
{
	uint32_t h = hash_name(t, qname, qtype), i = chain_of(t, BY_NAME, h)->first;

	for (unsigned int n = 0; i != NONE && n < LOOKS; i = t->open[i].by[BY_NAME].next, n++) {
		const struct open *o = &t->open[i];
		struct dns_result res;

		if (o->by[BY_NAME].hash != h || o->qtype != qtype || strcmp(o->qname, qname) != 0)
			continue;
		res = result_of(o);
		if (fn(&res, arg))
			return;
	}
}

const struct dns_track_stats *dns_track_stats(const struct dns_track *t)
{
	return &t->stats;
}
