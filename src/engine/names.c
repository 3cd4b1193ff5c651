/* SPDX-License-Identifier: BSD-2-Clause */
/* See names.h. */
#include "engine/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/resolve.h"
#include "engine/session.h"
#include "name/cache.h"
#include "name/first.h"
#include "name/stream.h"
#include "out/dns.h"

#define OPEN_MAX 8192	/* transactions under way */
#define CACHE_MAX 16384 /* addresses with a name */
#define TIMEOUT_NS 5000000000ULL
#define SECOND_NS 1000000000ULL
#define SOCK_TTL 86400	     /* of a name that a connection's client gave; seconds */
#define FIRST_TTL 300	     /* and of its address */
#define LOOKUP_TTL 600	     /* seconds; libc does not tell how long a name holds */
#define HOLD_NS 500000000ULL /* a resolver that has its answer hands it on at once */

/* Who a query was made for. */
struct asker {
	struct np_owner owner;	       /* tgid 0: nobody known */
	uint64_t begin_ns, end_ns;     /* of its call; 0 unknown */
	const struct asked_call *call; /* NULL: known by its own query */
};

/* A transaction that is over and whose asker still waits: told with the time that it waited. */
struct held {
	struct held *next;
	uint64_t since_ns;
	struct asker asker;
	struct dns_result res;
};

struct names {
	struct names_opts opts;
	struct session *session;
	struct probe_packets *packets; /* NULL: none from the kernel half */
	bool quiet; /* nobody wants events: what processes send and read will do */
	struct dns_track *track;
	struct dns_streams *streams;
	struct name_cache *cache;
	struct asked *asked; /* NULL: nobody asks, or no uprobes here */
	struct held *held, **held_last;
	struct resolver *resolver; /* NULL unless --resolve */
	void (*fn)(const struct event *ev, void *arg);
	void *arg;
	const struct np_ev_packet *packet; /* whose stream is being cut */
	uint64_t now_ns, second_ns;
	uint32_t in_second, max_events;
	uint64_t rate_limited;
	char note[320];
};

static void learn(struct names *n, const struct dns_result *res)
{
	uint8_t addr[16];

	for (unsigned int i = 0; i < res->n; i++) {
		const struct dns_answer *a = &res->answers[i];

		if (a->has_addr)
			(void)name_cache_add(n->cache, a->addr, res->qname, NAME_FROM_DNS, a->ttl,
					     res->end_ns);
		else if (a->type == DNS_TYPE_PTR && dns_reverse_addr(res->qname, addr))
			(void)name_cache_add(n->cache, addr, a->text, NAME_FROM_PTR, a->ttl,
					     res->end_ns);
	}
}

/* One more in this second? */
static bool has_room(struct names *n, uint64_t now_ns)
{
	if (!n->max_events)
		return true;
	if (now_ns - n->second_ns >= SECOND_NS) {
		n->second_ns = now_ns;
		n->in_second = 0;
	}
	if (n->in_second++ < n->max_events)
		return true;
	n->rate_limited++;
	return false;
}

static void emit(struct names *n, const struct dns_result *res, const struct asker *asker)
{
	const char *answers[DNS_ANSWERS];
	uint32_t ttls[DNS_ANSWERS];
	char type[12], rcode[12], addr[INET6_ADDRSTRLEN];
	const char *server = addr_str(res->tuple.raddr, addr);
	double ms = (double)(res->end_ns - res->asked_ns) / 1e6;
	struct event_dns d = {
		.qname = res->qname,
		.qtype = dns_type_name(res->qtype, type),
		.rcode = res->timed_out ? NULL : dns_rcode_name(res->rcode, rcode),
		.id = res->id,
		.timed_out = res->timed_out,
		.truncated = res->truncated,
		.authoritative = res->authoritative,
		.malformed = res->malformed,
		.latency_ms = res->timed_out ? -1 : ms,
		.retries = res->retries,
		.n_answers = res->n_answers,
		.n = res->n,
		.answers = answers,
		.ttls = ttls,
		.waited_ms = asker->end_ns ? (double)(asker->end_ns - asker->begin_ns) / 1e6 : -1,
	};
	struct event ev = { .kind = EVENT_DNS,
			    .ktime_ns = res->end_ns,
			    .long_value = res->qname,
			    .num = ms,
			    .unit = "ms",
			    .mode = session_mode(n->session),
			    .has_owner_field = true,
			    .owner_match = res->owner.tgid ? res->owner.match : NP_MATCH_NONE,
			    .tid = res->owner.tid,
			    .tuple = &res->tuple,
			    .sock_id = res->sock_id,
			    .direction = "tx",
			    .dns = &d };

	for (unsigned int i = 0; i < res->n; i++) {
		answers[i] = res->answers[i].text;
		ttls[i] = res->answers[i].ttl;
	}
	ev.wall_ns = clock_wall_ns() - (clock_monotonic_ns() - res->end_ns);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", server ? server : "");
	ev.owner = session_owner(n->session, &res->owner);
	if (asker->owner.tgid)
		d.asked_by = session_owner(n->session, &asker->owner);
	n->fn(&ev, n->arg);
	if (d.asked_by)
		session_owner_done(n->session, d.asked_by);
	session_owner_done(n->session, ev.owner);
}

struct search {
	const struct dns_result *res;
	struct asker *asker;
};

/* A query of another process about the same name, older and not answered yet. */
static bool is_asker(const struct dns_result *open, void *arg)
{
	const struct search *s = arg;

	if (open->asked_ns > s->res->asked_ns || !open->owner.tgid ||
	    open->owner.tgid == s->res->owner.tgid)
		return false;
	s->asker->owner = open->owner;
	return true;
}

/* What libc was asked for comes first; else it may have been a query of some process's own. */
static void find_asker(struct names *n, const struct dns_result *res, struct asker *asker)
{
	struct search s = { .res = res, .asker = asker };

	if (!res->owner.tgid)
		return;
	if (n->asked)
		asker->call = asked_find(n->asked, res->qname, res->asked_ns, &res->owner);
	if (asker->call) {
		asker->owner = asker->call->owner;
		asker->begin_ns = asker->call->begin_ns;
		asker->end_ns = asker->call->end_ns;
		return;
	}
	dns_track_asked(n->track, res->qname, res->qtype, is_asker, &s);
}

static struct held *held_free(struct held *h)
{
	free((char *)h->res.qname);
	free((struct dns_answer *)h->res.answers);
	free(h);
	return NULL;
}

/* -ENOMEM: not kept. */
static int hold(struct names *n, const struct dns_result *res, const struct asker *asker)
{
	struct held *h = calloc(1, sizeof(*h));
	struct dns_answer *answers;

	if (!h)
		return -ENOMEM;
	h->since_ns = n->now_ns;
	h->asker = *asker;
	h->res = *res;
	h->res.qname = strdup(res->qname);
	h->res.answers = answers = calloc(res->n + 1, sizeof(*answers));
	if (!h->res.qname || !answers) {
		(void)held_free(h);
		return -ENOMEM;
	}
	if (res->n)
		memcpy(answers, res->answers, res->n * sizeof(*answers));
	*n->held_last = h;
	n->held_last = &h->next;
	return 0;
}

/* Its place may have been given to another call meanwhile. */
static bool is_over(struct held *h)
{
	const struct asked_call *c = h->asker.call;

	if (c->begin_ns != h->asker.begin_ns || c->owner.tid != h->asker.owner.tid)
		return true;
	h->asker.end_ns = c->end_ns;
	return c->end_ns != 0;
}

/* In their order: whoever stands in front is told first. */
static void tell_held(struct names *n, bool all)
{
	struct held *h;

	while ((h = n->held) && (is_over(h) || all || n->now_ns - h->since_ns >= HOLD_NS)) {
		emit(n, &h->res, &h->asker);
		n->held = h->next;
		if (!n->held)
			n->held_last = &n->held;
		(void)held_free(h);
	}
}

static void on_result(const struct dns_result *over, void *arg)
{
	struct dns_result copy = *over, *res = &copy;
	struct names *n = arg;
	struct asker asker = {};

	learn(n, res);
	/* Where owners are looked for they are often found after the query was seen. */
	if (n->opts.tapped && !res->owner.tgid)
		session_whose(n->session, &res->tuple, &res->owner, &res->sock_id, &res->wanted);
	if (!n->fn || !res->wanted || !has_room(n, res->end_ns))
		return;
	find_asker(n, res, &asker);
	if (!asker.call || asker.end_ns || hold(n, res, &asker))
		emit(n, res, &asker);
}

static void on_message(const uint8_t *msg, size_t len, size_t full, void *arg)
{
	struct names *n = arg;
	const struct np_ev_packet *ev = n->packet;

	dns_track_message(n->track, &(struct dns_packet){ .ts_ns = ev->hdr.ts_ns,
							  .sock_id = ev->sock_id,
							  .tuple = &ev->tuple,
							  .owner = &ev->owner,
							  .out = ev->dir == NP_DIR_TX,
							  .wanted = ev->wanted,
							  .msg = msg,
							  .len = len,
							  .full = full });
}

/* A stream is a socket and a direction; where its cookie may be learnt late its port has to do. */
static uint64_t stream_key(const struct np_ev_packet *ev, bool tapped)
{
	uint64_t key = ev->sock_id && !tapped
			       ? ev->sock_id
			       : 1ULL << 62 | (uint64_t)ev->tuple.netns << 16 | ev->tuple.lport;

	return key << 1 | (ev->dir == NP_DIR_TX);
}

static void on_dns(struct names *n, const struct np_ev_packet *ev, const uint8_t *bytes)
{
	struct dns_segment seg = { .ts_ns = ev->hdr.ts_ns,
				   .seq = ev->seq,
				   .data = bytes,
				   .len = ev->captured,
				   .full = ev->full };

	n->packet = ev;
	if (ev->tuple.proto != IPPROTO_TCP) {
		on_message(bytes, ev->captured, ev->full, n);
		return;
	}
	seg.key = stream_key(ev, n->opts.tapped);
	dns_streams_segment(n->streams, &seg, on_message, n);
}

void names_answer(struct names *n, const struct np_ev_answer *ev)
{
	if (ev->hdr.len < sizeof(*ev) || ev->captured > ev->hdr.len - sizeof(*ev))
		return;
	dns_track_message(n->track, &(struct dns_packet){ .ts_ns = ev->hdr.ts_ns,
							  .sock_id = ev->sock_id,
							  .tuple = &ev->tuple,
							  .out = ev->dir == NP_DIR_TX,
							  .msg = (const uint8_t *)(ev + 1),
							  .len = ev->captured,
							  .full = ev->full });
}

/* A connection by its number, where a name cache has addresses: a form that no host has. */
static void sock_key(uint64_t sock_id, uint8_t ret_key[16])
{
	memcpy(ret_key, "\xff\x5fsocket", 8);
	memcpy(ret_key + 8, &sock_id, sizeof(sock_id));
}

/* For the connection itself, and for its address where nobody was seen to ask for that. */
static void on_first(struct names *n, const struct np_ev_packet *ev, const uint8_t *bytes)
{
	char name[FIRST_NAME_TEXT];
	uint8_t key[16];
	int r = -ENOENT;

	if (n->opts.from & NETPROBE_NAMES_SNI)
		r = first_tls(bytes, ev->captured, name);
	if (r && (n->opts.from & NETPROBE_NAMES_HTTP))
		r = first_http(bytes, ev->captured, name);
	if (r)
		return;
	if (ev->sock_id) {
		sock_key(ev->sock_id, key);
		(void)name_cache_add(n->cache, key, name, NAME_FROM_DNS, SOCK_TTL, ev->hdr.ts_ns);
	}
	(void)name_cache_add(n->cache, ev->tuple.raddr, name, NAME_FROM_LOOKUP, FIRST_TTL,
			     ev->hdr.ts_ns);
}

const char *names_of_sock(const struct names *n, uint64_t sock_id)
{
	uint8_t key[16];

	if (!n || !sock_id || !(n->opts.from & (NETPROBE_NAMES_SNI | NETPROBE_NAMES_HTTP)))
		return NULL;
	sock_key(sock_id, key);
	return name_cache_find(n->cache, key, n->now_ns);
}

void names_packet(struct names *n, const struct np_ev_packet *ev, const uint8_t *bytes)
{
	if (ev->hdr.type == NP_PACKET_FIRST)
		on_first(n, ev, bytes);
	if (ev->hdr.type == NP_PACKET_DNS)
		on_dns(n, ev, bytes);
}

static void on_packet(const struct np_ev_packet *ev, const uint8_t *bytes, void *arg)
{
	names_packet(arg, ev, bytes);
}

unsigned int names_ports(const struct names_opts *opts, uint16_t ret_ports[NAMES_PORTS + 3])
{
	unsigned int n = 0;

	ret_ports[n++] = DNS_PORT_MDNS;
	ret_ports[n++] = DNS_PORT_LLMNR;
	for (unsigned int i = 0; i < opts->n_ports; i++)
		ret_ports[n++] = opts->ports[i];
	if (!opts->n_ports)
		ret_ports[n++] = 53;
	return n;
}

static int open_dns(struct names *n, struct probe *probe, const struct np_filter *filter,
		    struct netprobe_error *err)
{
	uint16_t ports[NAMES_PORTS + 3];
	unsigned int n_ports = names_ports(&n->opts, ports);
	uint32_t what = 0;
	struct netprobe_error why = {};
	int r;

	if (!probe) {
		if (!n->opts.required || n->opts.tapped)
			return 0;
		error_set(err, -EOPNOTSUPP, "DNS is not seen in mode %s", session_mode(n->session));
		error_hint(
			err,
			"netprobe_config.capture takes NETPROBE_CAPTURE_EBPF or NETPROBE_CAPTURE_AFPACKET for that");
		return -EOPNOTSUPP;
	}
	if (n->opts.from & NETPROBE_NAMES_DNS)
		what |= PACKETS_ANSWERS | PACKETS_QUERIES;
	if (n->opts.from & (NETPROBE_NAMES_SNI | NETPROBE_NAMES_HTTP))
		what |= PACKETS_FIRST;
	/* What processes read costs nobody else anything; packets cost a program each. */
	if ((n->opts.from & NETPROBE_NAMES_DNS) && n->quiet && !n->opts.required &&
	    !probe_answers(probe, ports, n_ports))
		what &= ~(uint32_t)(PACKETS_ANSWERS | PACKETS_QUERIES);
	if (!what)
		return 0;
	if (n->opts.required)
		return probe_dns_open(probe, ports, n_ports, filter, what, &n->packets, err);
	r = probe_dns_open(probe, ports, n_ports, filter, what, &n->packets, &why);
	if (r)
		(void)snprintf(n->note, sizeof(n->note), "no names from DNS: %s", why.msg);
	return 0;
}

int names_open(struct session *s, struct probe *probe, const struct names_opts *opts,
	       const struct np_filter *filter, void (*fn)(const struct event *ev, void *arg),
	       void *arg, struct names **ret_names, struct netprobe_error *err)
{
	struct names *n = calloc(1, sizeof(*n));
	struct netprobe_error why = {};
	int r;

	if (!n)
		return error_set(err, -ENOMEM, "out of memory");
	n->opts = *opts;
	n->session = s;
	n->fn = fn;
	n->arg = arg;
	n->max_events = filter->max_events;
	n->quiet = !fn;
	n->held_last = &n->held;
	n->track = dns_track_new(OPEN_MAX, opts->timeout_ns ? opts->timeout_ns : TIMEOUT_NS,
				 on_result, n);
	n->streams = dns_streams_new();
	n->cache = name_cache_new(CACHE_MAX);
	if (!n->track || !n->streams || !n->cache)
		r = error_set(err, -ENOMEM, "out of memory");
	else
		r = opts->from & (NETPROBE_NAMES_DNS | NETPROBE_NAMES_SNI | NETPROBE_NAMES_HTTP)
			    ? open_dns(n, probe, filter, err)
			    : 0;
	if (!r && (opts->from & NETPROBE_NAMES_RESOLVE)) {
		n->resolver = resolver_new();
		if (!n->resolver)
			r = error_set(err, -ENOMEM,
				      "netprobe_config.names: no thread for look-ups");
	}
	if (!r && probe && fn && (opts->from & NETPROBE_NAMES_ASKED) &&
	    asked_open(probe, &n->asked, &why))
		/* Never needed: what is told then has no asker. */
		(void)snprintf(n->note, sizeof(n->note), "%s", why.msg);
	if (r) {
		(void)names_close(n);
		return r;
	}
	*ret_names = n;
	return 0;
}

struct names *names_close(struct names *n)
{
	if (!n)
		return NULL;
	while (n->held) {
		struct held *h = n->held;

		n->held = h->next;
		(void)held_free(h);
	}
	(void)resolver_free(n->resolver);
	(void)asked_close(n->asked);
	(void)probe_packets_close(n->packets);
	(void)dns_track_free(n->track);
	(void)dns_streams_free(n->streams);
	(void)name_cache_free(n->cache);
	free(n);
	return NULL;
}

static void on_looked_up(const uint8_t addr[16], const char *name, void *arg)
{
	struct names *n = arg;

	(void)name_cache_add(n->cache, addr, name, NAME_FROM_LOOKUP, LOOKUP_TTL, n->now_ns);
}

int names_poll(struct names *n, uint64_t now_ns)
{
	int r = 0;

	n->now_ns = now_ns;
	if (n->resolver)
		resolver_take(n->resolver, on_looked_up, n);
	/* Calls first: a query is found by its asker only while that is known. */
	if (n->asked)
		r = asked_poll(n->asked, now_ns);
	if (r >= 0 && n->packets)
		r = probe_packets_poll(n->packets, on_packet, n);
	dns_track_tick(n->track, now_ns);
	tell_held(n, false);
	return r < 0 ? r : 0;
}

void names_finish(struct names *n)
{
	tell_held(n, true);
}

void names_set_filter(struct names *n, const struct np_filter *filter)
{
	n->max_events = filter->max_events;
	if (n->packets)
		probe_packets_set_filter(n->packets, filter);
}

const char *names_find(const struct names *n, const uint8_t addr[16], uint64_t at_ns)
{
	const char *name;

	if (!n)
		return NULL;
	/* A look-up of our own is always of later than what it is for. */
	name = name_cache_find(n->cache, addr, at_ns ? at_ns : n->now_ns);
	if (!name && n->resolver)
		resolver_want(n->resolver, addr, n->now_ns);
	return name;
}

int names_losses(const struct names *n, struct names_losses *ret_losses)
{
	struct names_losses l = { .track = *dns_track_stats(n->track),
				  .streams_lost = dns_streams_lost(n->streams),
				  .rate_limited = n->rate_limited };
	int r = n->packets ? probe_packets_losses(n->packets, &l.kernel, &l.missed) : 0;

	if (!r && n->asked)
		r = asked_losses(n->asked, &l.asked);
	if (!r)
		*ret_losses = l;
	return r;
}

void names_account(const struct names *n, struct losses *to)
{
	struct names_losses l;
	struct np_loss *c;
	struct loss x = { .program = "dns", .unit = "messages" };

	if (names_losses(n, &l))
		return;
	/* What was handed up and came to nothing is a full map's, the rest was told or is no loss. */
	x.missed = l.missed;
	c = &x.count;
	*c = (struct np_loss){ .submitted = l.kernel.submitted,
			       .ring_full = l.kernel.ring_full,
			       .map_full = l.track.table_full + l.streams_lost,
			       .rate_limited = l.rate_limited,
			       .helper_err = l.kernel.helper_err };
	c->submitted -= c->submitted > c->map_full + c->rate_limited ? c->map_full + c->rate_limited
								     : c->submitted;
	losses_add(to, &x);
	if (n->asked)
		losses_add(to, &(struct loss){ .program = "asked",
					       .unit = "calls",
					       .count = { .submitted = l.asked.submitted,
							  .ring_full = l.asked.ring_full,
							  .map_full = l.asked.map_full,
							  .helper_err = l.asked.helper_err } });
}

const char *names_note(const struct names *n)
{
	return n->note;
}
