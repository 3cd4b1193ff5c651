/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets by sock_diag (see socks.h): listed, owned, counted, ended. Opening is socks_open.c's. */
#include "base/log.h"
#include "capture/socks_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/info.h"
#include "capture/mains.h"
#include "capture/match.h"

#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_SYN_RECV 3
#define STATE_FIN_WAIT2 5
#define STATE_TIME_WAIT 6
#define STATE_CLOSE 7
#define STATE_LISTEN 10
#define STATE_NEW_SYN_RECV 12
#define CA_RECOVERY 3
/* Walks over /proc that nothing new asks for take no more than this share of the time. */
#define SCAN_SHARE 50
/* Looks at single new sockets: a fifth of the time in the long run, a burst of them at once. */
#define LOOK_SHARE 5
#define LOOK_BURST_NS 100000000ULL
#define LINGER_MOST_NS 10000000000ULL /* a reader that reads nothing for so long will not */

/* What a walk costs is processor time: on a crowded machine most of the rest is waiting. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

uint64_t socks_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void socks_drop(struct socks *s, struct sock *k)
{
	index_remove(&s->by_cookie, &k->by_cookie);
	index_remove(&s->by_tuple, &k->by_tuple);
	if (k->inode)
		procfs_forget(s->procfs, k->inode);
	free(k->wire);
	free(k);
}

bool socks_pass(struct socks *s, const struct np_sock_rec *rec)
{
	return match_sample(&s->filter, rec->sock_id) && match_tuple(&s->filter, &rec->tuple) &&
	       match_owner(&s->filter, &rec->last, s->cgroups, s->now_ns);
}

/* What the filters say of it as it is now; of a subflow, of its connection: that has other ends than a second path. */
static bool passes(struct socks *s, const struct sock *k)
{
	return k->main ? mains_pass(s, k) : socks_pass(s, &k->rec);
}

static bool rate_limited(struct socks *s)
{
	if (!s->filter.max_events)
		return false;
	if (s->now_ns - s->second_ns >= 1000000000ULL) {
		s->second_ns = s->now_ns;
		s->second_events = 0;
	}
	if (s->second_events++ < s->filter.max_events)
		return false;
	s->loss.rate_limited++;
	return true;
}

void socks_tell(struct socks *s, const struct np_ev_sock *from)
{
	uint16_t type = from->hdr.type;
	struct np_ev_sock *ev;

	if (type != NP_EV_SOCK_CLOSE && rate_limited(s))
		type = NP_EV_SOCK_CLOSE; /* the counts come all the same */
	if (type == NP_EV_SOCK_CLOSE && !(from->rec.tuple.flags & NP_F_DEAD))
		return;
	if (s->n_events == s->cap_events) {
		uint32_t cap = s->cap_events ? s->cap_events * 2 : 64;

		ev = reallocarray(s->events, cap, sizeof(*ev));
		if (!ev) {
			s->loss.map_full++;
			return;
		}
		s->events = ev;
		s->cap_events = cap;
	}
	ev = &s->events[s->n_events++];
	*ev = *from;
	ev->hdr.type = type;
	ev->hdr.len = sizeof(*ev);
	s->loss.submitted++;
}

static void tell(struct socks *s, uint16_t type, const struct sock *k)
{
	struct np_ev_sock ev = { .hdr = { .type = type, .ts_ns = s->now_ns }, .rec = k->rec };

	socks_tell(s, &ev);
}

static bool is_listening(const struct socks *s, uint16_t port)
{
	return s->listening[port / 8] & (1U << (port % 8));
}

/* The counts of a socket nobody holds yet, or whose holder is not settled, wait. */
static bool may_count(const struct sock *k, bool dead)
{
	return dead || k->inode || k->rec.owner.tgid;
}

static void count_tcp(struct socks *s, struct sock *k, const struct diag_sock *d, bool dead)
{
	uint64_t tx = info_tx_bytes(d), rx = info_rx_bytes(d);
	uint32_t retrans = info_retrans(d);
	bool pass;

	if (!d->info_len || !may_count(k, dead))
		return;
	if (k->raw_tx == tx && k->raw_rx == rx && k->raw_retrans == retrans &&
	    k->raw_segs_out == d->info.tcpi_segs_out && k->raw_segs_in == d->info.tcpi_segs_in)
		return;
	k->dirty = true;
	pass = !s->opts.by_packets && passes(s, k);
	if (pass) {
		k->rec.counts.tx_bytes += tx > k->raw_tx ? tx - k->raw_tx : 0;
		k->rec.counts.rx_bytes += rx > k->raw_rx ? rx - k->raw_rx : 0;
		k->rec.counts.retrans += retrans - k->raw_retrans;
		k->rec.tcp.segs_out += d->info.tcpi_segs_out - k->raw_segs_out;
		k->rec.tcp.segs_in += d->info.tcpi_segs_in - k->raw_segs_in;
		k->rec.tcp.rtx_cause[NP_RTX_UNKNOWN] = (uint32_t)k->rec.counts.retrans;
		mains_count(k, tx > k->raw_tx ? tx - k->raw_tx : 0,
			    rx > k->raw_rx ? rx - k->raw_rx : 0, retrans - k->raw_retrans);
	}
	/* A FIN that turns out to be one makes the figure fall by it. */
	k->raw_tx = tx;
	k->raw_rx = rx > k->raw_rx ? rx : k->raw_rx;
	k->raw_retrans = retrans;
	k->raw_segs_out = d->info.tcpi_segs_out;
	k->raw_segs_in = d->info.tcpi_segs_in;
}

/* SYNs that it had no room for. How many are half open is not told. */
static void count_listen(struct socks *s, struct sock *k, const struct diag_sock *d)
{
	if (d->tuple.state != STATE_LISTEN)
		return;
	/* of a listener: to be accepted, and how many may be */
	k->dirty |= k->rec.tcp.unread_bytes != d->unread_bytes ||
		    k->rec.tcp.sndbuf_bytes != d->unsent_bytes;
	k->rec.tcp.unread_bytes = d->unread_bytes;
	k->rec.tcp.sndbuf_bytes = d->unsent_bytes;
	if (!d->has_drops)
		return;
	if (d->unread_bytes > d->unsent_bytes)
		k->rec.tcp.limits |= NP_TCP_ACCEPT_FULL;
	else
		k->rec.tcp.limits &= ~(uint32_t)NP_TCP_ACCEPT_FULL;
	if (d->drops == k->raw_drops)
		return;
	if (passes(s, k)) {
		k->rec.tcp.listen_drops += d->drops - k->raw_drops;
		k->dirty = true;
	}
	k->raw_drops = d->drops;
}

/* Time in recovery is not in tcp_info: an interval that ends in it counts as spent there. */
static void count_recovery(struct socks *s, struct sock *k, const struct diag_sock *d)
{
	uint64_t was = k->rec.tcp.busy_us;

	info_tcp(d, &k->rec.tcp);
	if (d->info_len && d->info.tcpi_ca_state >= CA_RECOVERY && k->look_ns &&
	    k->rec.tcp.busy_us > was)
		k->rec.tcp.recovery_us += k->rec.tcp.busy_us - was;
	k->look_ns = s->now_ns;
}

static void want_owner(struct socks *s, struct sock *k, uint32_t inode)
{
	if (!inode || k->inode == inode)
		return;
	if (k->inode)
		procfs_forget(s->procfs, k->inode);
	k->inode = inode;
	k->dirty = true;
	if (!procfs_want(s->procfs, inode))
		s->wanted++;
}

static struct sock *add(struct socks *s, const struct diag_sock *d)
{
	struct sock *k = calloc(1, sizeof(*k));

	if (!k) {
		s->loss.map_full++;
		return NULL;
	}
	k->rec.sock_id = d->cookie;
	k->rec.tuple = d->tuple;
	k->rec.tuple.netns = s->netns;
	k->met_ns = socks_clock();
	if (d->tuple.proto == IPPROTO_TCP && d->tuple.rport && is_listening(s, d->tuple.lport))
		k->rec.tuple.flags |= NP_F_PASSIVE;
	if (s->seeding) {
		k->rec.tuple.flags |= NP_F_SEEDED;
		k->raw_tx = info_tx_bytes(d);
		k->raw_rx = info_rx_bytes(d);
		k->raw_retrans = info_retrans(d);
		k->raw_segs_out = d->info.tcpi_segs_out;
		k->raw_segs_in = d->info.tcpi_segs_in;
		k->raw_drops = d->drops;
		k->opened_told = true;
	}
	k->dirty = true;
	index_add(&s->by_cookie, &k->by_cookie);
	index_add(&s->by_tuple, &k->by_tuple);
	return k;
}

/* Ends may become known later: connect(), bind(). */
static void update_tuple(struct socks *s, struct sock *k, const struct diag_sock *d)
{
	struct np_tuple *t = &k->rec.tuple;
	uint8_t flags = t->flags & (NP_F_SEEDED | NP_F_PASSIVE);

	if (t->state != d->tuple.state)
		k->dirty = true;
	if (!socks_same_ends(t, &d->tuple) && d->tuple.lport) {
		index_remove(&s->by_tuple, &k->by_tuple);
		*t = d->tuple;
		t->netns = s->netns;
		index_add(&s->by_tuple, &k->by_tuple);
		k->dirty = true;
	}
	t->state = d->tuple.state;
	t->flags = flags | d->tuple.flags;
}

/*
 * What the kernel keeps of a closed connection has its cookie still, a request that no socket was made
 * for yet has one of its own. Neither is a socket.
 */
static bool is_remnant(const struct diag_sock *d)
{
	return d->tuple.proto == IPPROTO_TCP &&
	       (d->tuple.state == STATE_TIME_WAIT || d->tuple.state == STATE_NEW_SYN_RECV ||
		((d->tuple.state == STATE_FIN_WAIT2 || d->tuple.state == STATE_SYN_RECV) &&
		 !d->inode));
}

/* What is not as with eBPF, once there is any. */
static void note_mptcp(struct socks *s)
{
	if (!s->mptcp_noted)
		log_notice(
			"MPTCP is used here: without eBPF a connection is the sum of its subflows, with all that MPTCP sends again; its listeners are listed as tcp");
	s->mptcp_noted = true;
}

static void on_listed(const struct diag_sock *d, void *arg)
{
	struct socks *s = arg;
	struct sock *k = socks_by_id(s, d->cookie);

	if (d->tuple.state == STATE_CLOSE && d->tuple.proto == IPPROTO_TCP)
		return; /* made and not used */
	if (is_remnant(d))
		return; /* that its socket has ended is told, or was */
	if (d->tuple.state == STATE_LISTEN)
		s->listening[d->tuple.lport / 8] |= (uint8_t)(1U << (d->tuple.lport % 8));
	if (!k)
		k = add(s, d);
	if (!k)
		return;
	k->gen = s->gen;
	update_tuple(s, k, d);
	want_owner(s, k, d->inode);
	if (d->subflow)
		note_mptcp(s);
	if (d->subflow && d->tuple.state != STATE_LISTEN)
		mains_join(s, k, d->token ? d->token : d->inode, d->joined);
	if (d->tuple.proto == IPPROTO_TCP) {
		count_recovery(s, k, d);
		count_listen(s, k, d);
		if (d->tuple.state != STATE_LISTEN)
			count_tcp(s, k, d, false);
		if (d->tuple.state != STATE_LISTEN && d->tuple.state != STATE_SYN_SENT)
			k->established = true;
	} else {
		k->rec.tcp.unread_bytes = 0;
	}
}

void socks_set_owner(struct socks *s, struct sock *k)
{
	const struct np_owner *o = procfs_owner(s->procfs, k->inode);

	if (!o)
		return;
	if (o->tgid != k->rec.owner.tgid || o->start_ns != k->rec.owner.start_ns) {
		k->rec.owner = k->rec.last = *o;
		k->dirty = true;
	}
}

static void find_owners(struct socks *s)
{
	uint64_t start = socks_clock(), took;

	if (!procfs_missing(s->procfs) || (!s->wanted && start < s->scan_at_ns))
		return;
	(void)procfs_scan(s->procfs, s->now_ns);
	took = socks_clock() - start;
	s->scan_at_ns = start + took * SCAN_SHARE;
	s->wanted = 0;
}

static void tell_open(struct socks *s, struct sock *k)
{
	if (k->main || k->opened_told || !k->established || k->rec.tuple.proto != IPPROTO_TCP)
		return;
	k->opened_told = true;
	if (passes(s, k))
		tell(s, NP_EV_CONN_OPEN, k);
	else
		s->loss.filtered++;
}

static void hand_over(struct socks *s, struct sock *k, bool full, probe_sock_fn fn, void *arg)
{
	/* once told, it goes on being told: its state and figures change whoever owns it */
	bool pass = !k->main && (k->told || passes(s, k));

	if (!pass || !(k->dirty || full))
		return;
	k->dirty = false;
	k->told = true;
	k->rec.sample_rate = s->filter.sample_rate;
	fn(&k->rec, arg);
}

static void end(struct socks *s, struct sock *k)
{
	bool tcp = k->rec.tuple.proto == IPPROTO_TCP && !(k->rec.tuple.flags & NP_F_LISTEN);

	k->rec.tuple.flags |= NP_F_DEAD;
	k->rec.tuple.state = k->rec.tuple.proto == IPPROTO_TCP ? STATE_CLOSE : 0;
	k->rec.closed_ns = s->now_ns;
	k->rec.sample_rate = s->filter.sample_rate;
	if (k->main) {
		mains_leave(s, k);
	} else if (k->told || passes(s, k)) {
		if (tcp)
			tell_open(s, k);
		tell(s, tcp && k->established ? NP_EV_CONN_CLOSE : NP_EV_SOCK_CLOSE, k);
	}
	if (k->untold)
		gone_add(&s->gone, k->rec.sock_id);
	socks_drop(s, k);
}

static void end_soon(struct socks *s, struct sock *k)
{
	if (!s->opts.by_packets) {
		end(s, k);
		return;
	}
	k->ended_ns = s->now_ns;
	k->ended_next = NULL;
	*s->ended_tail = k;
	s->ended_tail = &k->ended_next;
}

/* Those whose last packets have come by now. */
static void reap(struct socks *s)
{
	uint64_t read_ns = s->ended && !s->final ? s->opts.read_ns(s->opts.arg) : UINT64_MAX;

	while (s->ended &&
	       (s->ended->ended_ns <= read_ns || s->now_ns - s->ended->ended_ns > LINGER_MOST_NS)) {
		struct sock *k = s->ended;

		s->ended = k->ended_next;
		if (!s->ended)
			s->ended_tail = &s->ended;
		s->opts.last(k, s->opts.arg);
		end(s, k);
	}
}

/* Every socket of an index; fn may drop the one it is given. */
void socks_each(struct socks *s, void (*fn)(struct socks *s, struct sock *k, void *arg), void *arg)
{
	for (uint32_t i = 0; i <= s->by_cookie.mask; i++) {
		struct index_node *n = s->by_cookie.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			fn(s, index_entry(n, struct sock, by_cookie), arg);
		}
	}
}

static void check_one(struct socks *s, struct sock *k, void *arg)
{
	(void)arg;
	if (k->gen != s->gen)
		return;
	/* Who moved bytes may have handed the socket on. */
	if (k->dirty && k->rec.owner.tgid && k->inode && !procfs_check(s->procfs, k->inode))
		s->wanted++;
}

static void owner_one(struct socks *s, struct sock *k, void *arg)
{
	(void)arg;
	if (k->gen == s->gen)
		socks_set_owner(s, k);
}

struct hand {
	bool full;
	probe_sock_fn fn;
	void *arg;
};

static void finish_one(struct socks *s, struct sock *k, void *arg)
{
	const struct hand *h = arg;

	if (k->ended_ns)
		return;
	if (k->gen !=
	    s->gen) { /* its end was told of in a notice that was lost, or that comes later */
		k->untold = true;
		end_soon(s, k);
		return;
	}
	if (s->seeding)
		return;
	tell_open(s, k);
	hand_over(s, k, h->full, h->fn, h->arg);
}

/* A connection that was met while it was being made, and ended before the next listing. */
static bool was_established(const struct sock *k, const struct diag_sock *d)
{
	return k->established || k->rec.tuple.flags & NP_F_PASSIVE ||
	       (d->info_len && (d->info.tcpi_bytes_acked || d->info.tcpi_data_segs_in));
}

static void on_ended(const struct diag_sock *d, void *arg)
{
	struct socks *s = arg;
	struct sock *k = socks_by_id(s, d->cookie);
	struct diag_sock last = *d;

	if (k && k->ended_ns) {
		k->untold = false;
		return;
	}
	if (!k && gone_take(s->gone, d->cookie))
		return; /* told when the listing had it no more */
	if (!k) {
		/* Opened and ended between two listings: only TCP's figures tell that it was there. */
		if (d->tuple.proto != IPPROTO_TCP || !d->info_len || !d->info.tcpi_segs_in ||
		    !d->tuple.rport)
			return;
		k = add(s, d);
		if (!k)
			return;
		k->by_end = true;
		k->established = was_established(k, d);
		k->opened_told = k->opened_told || !k->established;
		if (!d->info.tcpi_data_segs_in)
			last.info.tcpi_bytes_received = 0;
	} else {
		last.tuple.state = k->rec.tuple.state;
	}
	if (k->rec.tuple.proto == IPPROTO_TCP && !(k->rec.tuple.flags & NP_F_LISTEN)) {
		k->established = was_established(k, d);
		count_recovery(s, k, &last);
		socks_set_owner(s, k);
		count_tcp(s, k, &last, true);
	}
	end_soon(s, k);
}

int socks_events(struct socks *s, probe_event_fn fn, void *arg)
{
	uint64_t lost = 0;
	int n;

	s->now_ns = socks_clock();
	if (s->watch_fd >= 0)
		(void)diag_watch_read(s->watch_fd, on_ended, s, &lost);
	s->loss.ring_full += lost;
	reap(s);
	n = (int)s->n_events;
	for (uint32_t i = 0; i < s->n_events; i++)
		fn(&s->events[i].hdr, arg);
	s->n_events = 0;
	return n;
}

int socks_list(struct socks *s)
{
	int r;

	s->now_ns = socks_clock();
	s->gen++;
	r = diag_dump(s->ask_fd, on_listed, s);
	if (r)
		return r;
	socks_each(s, check_one, NULL);
	find_owners(s);
	socks_each(s, owner_one, NULL);
	return 0;
}

int socks_hand(struct socks *s, bool full, probe_sock_fn fn, void *arg)
{
	struct hand h = { full, fn, arg };

	socks_each(s, finish_one, &h);
	if (!s->seeding)
		mains_hand(s, full, fn, arg);
	return (int)s->by_cookie.count;
}

int socks_sweep(struct socks *s, bool full, probe_sock_fn fn, void *arg)
{
	int r = socks_list(s);

	return r ? r : socks_hand(s, full, fn, arg);
}

static void on_listed_bound(const struct diag_sock *d, void *arg)
{
	if (d->tuple.flags & NP_F_UNCONN)
		on_listed(d, arg);
}

struct sock *socks_meet(struct socks *s, const struct np_tuple *t)
{
	struct diag_sock d;

	s->now_ns = socks_clock();
	if (diag_find(s->ask_fd, t, &d))
		return NULL;
	d.info_len = 0; /* what it counts so far is the next listing's */
	on_listed(&d, s);
	/* One of those bound there: which of them gets or sends a packet the kernel does not tell. */
	if (d.tuple.flags & NP_F_UNCONN)
		(void)diag_dump_port(s->ask_fd, d.tuple.lport, on_listed_bound, s);
	return socks_by_id(s, d.cookie);
}

bool socks_look(struct socks *s)
{
	uint64_t start = socks_clock(), cpu, took;

	if (!procfs_missing(s->procfs))
		return true;
	s->look_left_ns += (start - s->look_ns) / LOOK_SHARE;
	s->look_ns = start;
	if (s->look_left_ns > LOOK_BURST_NS)
		s->look_left_ns = LOOK_BURST_NS;
	if (!s->look_left_ns)
		return false;
	cpu = cpu_ns();
	procfs_look(s->procfs, start);
	took = cpu_ns() - cpu;
	s->look_left_ns -= took < s->look_left_ns ? took : s->look_left_ns;
	return true;
}

bool socks_count(struct socks *s, struct sock *k, const struct np_counts *more, uint32_t segs_out,
		 uint32_t segs_in)
{
	if (!passes(s, k))
		return false;
	k->rec.counts.tx_bytes += more->tx_bytes;
	k->rec.counts.rx_bytes += more->rx_bytes;
	k->rec.counts.tx_calls += more->tx_calls;
	k->rec.counts.rx_calls += more->rx_calls;
	k->rec.counts.retrans += more->retrans;
	mains_count(k, more->tx_bytes, more->rx_bytes, more->retrans);
	k->rec.tcp.rtx_cause[NP_RTX_UNKNOWN] = (uint32_t)k->rec.counts.retrans;
	k->rec.tcp.segs_out += segs_out;
	k->rec.tcp.segs_in += segs_in;
	k->dirty = true;
	return true;
}

uint32_t socks_netns(const struct socks *s)
{
	return s->netns;
}

uint32_t socks_sample_rate(const struct socks *s)
{
	return s->filter.sample_rate;
}

void socks_finish(struct socks *s)
{
	s->final = true;
}

int socks_fd(const struct socks *s)
{
	return s->watch_fd;
}

uint32_t socks_set_filter(struct socks *s, const struct np_filter *filter)
{
	uint32_t gen = s->filter.gen + 1;

	s->filter = *filter;
	s->filter.gen = gen ? gen : 1;
	return s->filter.gen;
}

void socks_loss(const struct socks *s, struct np_loss *ret)
{
	*ret = s->loss;
}

const char *socks_note(const struct socks *s)
{
	return s->note;
}
