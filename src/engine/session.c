/* SPDX-License-Identifier: BSD-2-Clause */
/* The session: one interval after the other (see session.h). */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/emit.h"
#include "engine/fit.h"
#include "engine/netns.h"
#include "engine/session_parts.h"
#include "flow/plausible.h"
#include "owner/cgroup_watch.h"
#include "owner/memory.h"

/* For so long after the last spliced bytes their reader is watched for: it costs every receive call. */
#define WATCH_READS_NS 60000000000ULL
#define SEED_AGAIN_NS 1000000000ULL /* least time between two walks over all open files */
/* Looks that cost more the more there is on the machine take one part in so many of a processor, at most. */
#define LOOK_SHARE 200
#define SCAN_LEAST 64	      /* processes looked up in /proc at each tick, whatever that costs */
#define STALL_NS 100000000ULL /* default of --stall-threshold */
#define FULL_SWEEP_NS 30000000000ULL
#define LOAD_NS 60000000000ULL /* counting may have begun so long before the session's start */
/* The same where sockets were lost for want of room, which nothing but a full sweep finds gone. */
#define FULL_AGAIN_NS 5000000000ULL

uint64_t clock_monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

uint64_t clock_wall_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* A process that was gone before /proc was looked at: the kernel half may know what it ran. */
static void learn_exe(struct session *s, const struct process *p)
{
	struct np_exec exec;

	/* Once for all records of a look: a system call for each would be half of what they cost. */
	if (!s->rung.ops->exec || !p || !p->tgid || p->exe || p->asked_ns == s->now_ns)
		return;
	((struct process *)p)->asked_ns = s->now_ns;
	if (!s->rung.ops->exec(s->rung.arg, p->tgid, &exec) && exec.start_ns == p->start_ns &&
	    exec.path[0])
		process_set_exe((struct process *)p, exec.path);
}

static const struct process *owner_of(struct session *s, const struct np_owner *owner)
{
	const struct process *p = process_table_get(s->procs, owner, s->now_ns);

	learn_exe(s, p);
	return p;
}

/* -i for what the kernel half could not tell: see match_iface there. */
static bool iface_wanted(const struct np_filter *f, const struct np_tuple *t)
{
	if (!f->n_iface)
		return true;
	for (unsigned int i = 0; i < f->n_iface; i++)
		if (!strcmp(f->iface[i], t->ifname))
			return true;
	return false;
}

/* A sampled socket's record, scaled into copy; else rec itself. */
static const struct np_sock_rec *scaled(struct session *s, const struct np_sock_rec *rec,
					struct np_sock_rec *copy)
{
	if (sampler_is_idle(s->sampler, rec))
		return rec;
	*copy = *rec;
	sampler_scale(s->sampler, copy, flow_table_find(s->flows, rec->sock_id) != NULL);
	return copy;
}

/* moved: it has no socket, and counts what came since its last record. */
static void take(struct session *s, const struct np_sock_rec *kernel_rec, bool moved)
{
	struct np_sock_rec copy, *rec = (struct np_sock_rec *)kernel_rec;
	struct latency_before before;
	const struct flow *f;
	int r;

	if (rec->tuple.proto != IPPROTO_TCP || s->asks_routes) {
		copy = *kernel_rec;
		rec = &copy;
		session_learn_iface(s, &rec->tuple, rec->last.tgid);
		if (!iface_wanted(&s->opts.filter, &rec->tuple) && !session_keep(s, rec))
			return;
	}
	if (rec->tcp.synack_retrans && !rec->tuple.ifname[0] && rec == kernel_rec) {
		copy = *kernel_rec;
		rec = &copy;
		session_synack_iface(s, rec);
	}
	latency_before(&before, flow_table_find(s->flows, rec->sock_id));
	r = moved ? flow_table_moved(s->flows, rec, s->now_ns)
		  : flow_table_sock(s->flows, rec, s->now_ns);
	if (r == -ENOMEM)
		log_debug("out of memory for socket %llu", (unsigned long long)rec->sock_id);
	if (rec->last.match == NP_MATCH_LISTENER && !(rec->tuple.flags & NP_F_DEAD))
		s->has_listener_owned = true;
	if (s->events)
		engine_events_seen(s->events, rec);
	f = flow_table_find(s->flows, rec->sock_id);
	if (!f)
		return;
	if (flow_rare(f)->rx_unseen)
		s->spliced_ns = s->now_ns;
	learn_exe(s, f->owner);
	if (f->tcp)
		latencies_flow(engine_latency_all(s->latency), &before, rec, f->last);
}

static bool is_believed(struct session *s, const char *fault, uint64_t sock_id)
{
	if (!fault)
		return true;
	s->implausible++;
	log_info("socket %llu: %s: not counted", (unsigned long long)sock_id, fault);
	return false;
}

static bool is_plausible(struct session *s, const struct np_sock_rec *rec)
{
	uint64_t since_ns = s->now_ns - s->start_ns + LOAD_NS;
	struct np_sock_rec wrong;

	if (s->opts.probe.fail_at == FAIL_FIGURES && rec->counts.rx_bytes) {
		wrong = *rec;
		wrong.counts.rx_bytes += (uint32_t)-EAGAIN;
		rec = &wrong;
	}
	return is_believed(s, implausible_sock(rec, !s->asks_routes, since_ns, s->now_ns),
			   rec->sock_id);
}

/* Its end is one all the same. */
static void end_only(struct session *s, const struct np_sock_rec *rec)
{
	struct np_sock_rec copy = *rec;

	if (!(rec->tuple.flags & NP_F_DEAD))
		return;
	copy.counts = (struct np_counts){ 0 };
	copy.tcp = (struct np_tcp){ 0 };
	take(s, &copy, false);
}

static void on_sock(const struct np_sock_rec *rec, void *arg)
{
	struct np_sock_rec copy;
	struct session *s = arg;

	if (is_plausible(s, rec))
		take(s, scaled(s, rec, &copy), false);
	else
		end_only(s, rec);
}

static void on_moved(const struct np_sock_rec *rec, void *arg)
{
	if (is_plausible(arg, rec))
		take(arg, rec, true);
	else
		end_only(arg, rec);
}

/* What an event's record says of the socket, beside the event. */
static void take_event(struct session *s, const struct np_sock_rec *rec)
{
	struct np_sock_rec state;
	bool moved = rec->tuple.flags & NP_F_OWNID && rec->tuple.proto != NP_IPPROTO_MPTCP;

	if (!s->rung.ops->watch_moved || !moved) {
		take(s, rec, false);
		return;
	}
	state = *rec; /* what it moved was handed over as that */
	state.counts = (struct np_counts){ 0 };
	state.tcp.segs_out = state.tcp.segs_in = 0;
	memset(state.tcp.rtx_cause, 0, sizeof(state.tcp.rtx_cause));
	take(s, &state, true);
}

static void on_part(const struct np_part_key *key, const struct np_part *part, void *arg)
{
	struct session *s = arg;
	struct np_part copy = *part;

	if (!is_believed(s, implausible_part(part, s->now_ns - s->start_ns + LOAD_NS),
			 key->sock_id))
		return;
	if (key->sock_id & NP_SUM_ID)
		s->has_sums = true;
	sampler_scale_part(&copy, s->parts_filter.sample_rate);
	session_learn_iface(s, &copy.tuple, copy.owner.tgid);
	if (!iface_wanted(&s->parts_filter, &copy.tuple))
		return;
	if (flow_table_part(s->flows, key, &copy, s->now_ns) == -ENOMEM)
		log_debug("out of memory for a part of socket %llu",
			  (unsigned long long)key->sock_id);
}

static void take_born(struct session *s, const struct np_ev_hdr *ev)
{
	const struct np_ev_born *born = (const struct np_ev_born *)ev;

	if (ev->len > offsetof(struct np_ev_born, path) && ev->len <= sizeof(*born) &&
	    memchr(born->path, '\0', ev->len - offsetof(struct np_ev_born, path)))
		cgroup_table_born(s->cgroups, born->id, born->path, born->hierarchy != 0,
				  s->now_ns);
}

static void on_event(const struct np_ev_hdr *ev, void *arg)
{
	const struct np_ev_sock *sock = (const struct np_ev_sock *)ev;
	struct session *s = arg;
	struct np_ev_sock copy;

	/* An answer comes before the connection it names; both may have come since names were read. */
	if (s->sight.names && ev->ts_ns > s->sight_ns) {
		s->sight_ns = clock_monotonic_ns();
		(void)sight_poll(&s->sight, s->sight_ns);
	}
	if (ev->type == NP_EV_ANSWER && s->sight.names)
		names_answer(s->sight.names, (const struct np_ev_answer *)ev);
	if (ev->type == NP_EV_BORN)
		take_born(s, ev);
	if (ev->type == 0 || ev->type >= NP_EV_MAX)
		return;
	if (!is_plausible(s, &sock->rec)) {
		end_only(s, &sock->rec);
		return;
	}
	if (scaled(s, &sock->rec, &copy.rec) == &copy.rec) {
		memcpy(&copy, sock, offsetof(struct np_ev_sock, rec));
		sock = &copy;
	}
	if (s->asks_routes && !sock->rec.tuple.ifname[0]) {
		if (sock != &copy)
			copy = *sock;
		session_learn_iface(s, &copy.rec.tuple, copy.rec.last.tgid);
		sock = &copy;
	}
	if (s->events || ev->type == NP_EV_STALL) {
		struct process *owner = (struct process *)owner_of(s, &sock->rec.last);

		if (s->events)
			engine_events_sock(s->events, sock, owner,
					   ev->type == NP_EV_CONN_CLOSE
						   ? flow_table_find(s->flows, sock->rec.sock_id)
						   : NULL);
		if (ev->type == NP_EV_STALL && sock->ended && owner &&
		    sock->rec.tuple.proto != IPPROTO_TCP) /* those of TCP are in their records */
			engine_latency_stall(s->latency, owner, ev->ts_ns - sock->since_ns);
		process_unref(s->procs, owner);
	}
	/* Of the first the state is not written yet, the second may be of another peer than the counts: the sweep brings both. */
	if (ev->type != NP_EV_CONN_OPEN && ev->type != NP_EV_ERROR)
		take_event(s, &sock->rec);
}

static void on_delta(const struct flow *f, const struct flow_delta *d, void *arg)
{
	struct session *s = arg;

	engine_events_flow(s->events, f, d);
}

void session_watch_drops(struct session *s, struct flow_watch *w, bool tells)
{
	flow_table_watch(s->flows, w);
	if (s->events && tells)
		engine_events_no_drops(s->events);
}

/* Every event on its way out: the remote end by its name. */
static void on_out(const struct event *ev, void *arg)
{
	struct session *s = arg;
	struct event named;

	if (s->sight.names && ev->tuple && !ev->rname) {
		named = *ev;
		named.rname = names_of_sock(s->sight.names, ev->sock_id)
				      ?: names_find(s->sight.names, ev->tuple->raddr, 0);
		ev = &named;
	}
	s->opts.event_fn(ev, s->opts.event_arg);
}

bool session_whose(struct session *s, const struct np_tuple *t, struct np_owner *ret_owner,
		   uint64_t *ret_sock_id, bool *ret_wanted)
{
	struct rung_whose w;

	if (!s->rung.ops->whose || s->rung.ops->whose(s->rung.arg, t, &w))
		return false;
	*ret_owner = w.owner;
	*ret_sock_id = w.sock_id;
	*ret_wanted = w.wanted;
	return w.local;
}

static int make_tables(struct session *s)
{
	s->cgroups = cgroup_table_name_by(cgroup_table_new(NULL, 0), "");
	s->procs = s->cgroups ? process_table_new("/proc", s->cgroups) : NULL;
	s->flows = s->procs ? flow_table_new(&s->opts.flows, s->procs) : NULL;
	s->viewer = s->flows ? viewer_new(s->flows) : NULL;
	s->routes = route_cache_new();
	s->sampler = sampler_new();
	if (!s->viewer || !s->routes || !s->sampler)
		return -ENOMEM;
	s->latency = engine_latency_new(
		s->procs, s->opts.flows.keep_closed ? UINT64_MAX : flow_table_grace(s->flows));
	if (!s->latency)
		return -ENOMEM;
	viewer_set_latencies(s->viewer, engine_latency_all(s->latency));
	return 0;
}

static int make_events(struct session *s, struct netprobe_error *err)
{
	s->events = engine_events_new(on_out, s, s->rung.ops->mode, s->procs);
	if (!s->events)
		return error_set(err, -ENOMEM, "out of memory");
	engine_events_ask(s->events, s->opts.room_fn, s->opts.event_arg);
	engine_events_rate(s->events, s->opts.filter.sample_rate);
	s->watch = (struct flow_watch){ .fn = on_delta, .arg = s };
	flow_table_watch(s->flows, &s->watch);
	return 0;
}

static void fit(struct session *s)
{
	uint64_t limit = memory_limit("/proc", "/sys/fs/cgroup");

	fit_to_memory(&s->opts, limit);
	if (limit && limit < FIT_PLENTY)
		log_debug(
			"%llu MiB is this cgroup's memory limit: at most %u sockets are kept, the event ring has %u KiB",
			(unsigned long long)limit >> 20, s->opts.flows.max_flows,
			s->opts.probe.ring_bytes >> 10);
}

int session_open(const struct session_opts *opts, struct session **ret_session,
		 struct netprobe_error *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct netprobe_error why = {};
	uint32_t netns;
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->opts.filter.gen = 1;
	s->opts.probe.filter = &s->opts.filter;
	s->opts.probe.quiet = !s->opts.event_fn;
	fit(s);
	s->parts_filter = s->opts.filter;
	s->sight = (struct sight){ .session = s,
				   .opts = &s->opts,
				   .rung = &s->rung,
				   .fn = s->opts.event_fn ? on_out : NULL,
				   .arg = s };
	(void)gethostname(s->host, sizeof(s->host) - 1);
	r = make_tables(s);
	if (!r)
		r = sight_prepare(&s->sight, &s->opts);
	if (r)
		error_set(err, r, "out of memory");
	else
		r = rungs_open(&s->opts, &s->rung, s->note, sizeof(s->note), err);
	if (!r && s->opts.event_fn && !s->opts.names.only)
		r = make_events(s, err);
	if (!r && opts->latency)
		r = session_set_latency(s, true, err);
	else if (!r && opts->latency_try && session_set_latency(s, true, &why))
		log_notice("no waits in queues of sockets: %s", why.msg);
	if (!r)
		r = sight_open(&s->sight, ebpf_probe(&s->rung), err);
	if (r) {
		(void)session_close(s);
		return r;
	}
	ebpf_owners(&s->rung, s->procs);
	s->asks_routes = !ebpf_probe(&s->rung);
	s->misses_ends = !s->asks_routes && probe_misses_ends(ebpf_probe(&s->rung));
	if (s->rung.ops->watch_moved)
		s->rung.ops->watch_moved(s->rung.arg, on_moved, s);
	if (s->asks_routes || !probe_tells_births(ebpf_probe(&s->rung)))
		s->births = cgroup_watch_new(s->cgroups);
	s->ifwatch = ifwatch_new();
	s->netdevs = netdevs_new();
	netns = netns_inode("/proc/thread-self/ns/net");
	s->nics = nic_reader_new(s->netdevs, netns, s->ifwatch, s->viewer);
	if (!s->asks_routes)
		s->unowned = unowned_new(s->netdevs, netns, s->ifwatch, s->flows, s->viewer);
	else if (s->events)
		s->ifrates = ifrates_new(s->netdevs, netns, s->ifwatch);
	s->scan_max = SCAN_LEAST;
	s->start_ns = s->now_ns = s->tick_ns = s->full_ns = clock_monotonic_ns();
	flow_table_tick(s->flows, s->now_ns);
	*ret_session = s;
	return 0;
}

struct session *session_close(struct session *s)
{
	if (!s)
		return NULL;
	sight_close(&s->sight);
	(void)engine_latency_free(s->latency);
	(void)ifrates_free(s->ifrates);
	(void)unowned_free(s->unowned);
	(void)nic_reader_free(s->nics);
	(void)netdevs_free(s->netdevs);
	(void)ifwatch_free(s->ifwatch);
	if (s->rung.ops)
		s->rung.ops->close(s->rung.arg);
	sight_done(&s->sight);
	if (s->events)
		flow_table_unwatch(s->flows, &s->watch);
	(void)engine_events_free(s->events);
	(void)route_cache_free(s->routes);
	(void)sampler_free(s->sampler);
	(void)viewer_free(s->viewer);
	(void)flow_table_free(s->flows);
	(void)process_table_free(s->procs);
	(void)cgroup_watch_free(s->births);
	(void)cgroup_table_free(s->cgroups);
	free(s);
	return NULL;
}

/* Are bytes taken by other calls than those that receive? */
static bool is_spliced(const struct session *s)
{
	return s->spliced_ns && s->now_ns - s->spliced_ns < WATCH_READS_NS;
}

/* Of this thread: what others took from it meanwhile is not its cost. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Several looks within the threshold, but never more than half a percent of a processor. */
static void look_for_stalls(struct session *s)
{
	uint64_t threshold = s->opts.stall_ns ? s->opts.stall_ns : STALL_NS, took;

	if (!s->rung.ops->stalls || s->now_ns < s->stall_next_ns)
		return;
	took = cpu_ns();
	if (s->rung.ops->stalls(s->rung.arg, threshold))
		return;
	took = (cpu_ns() - took) * LOOK_SHARE;
	s->stall_next_ns = s->now_ns + (took > threshold / 2 ? took : threshold / 2);
}

int session_poll(struct session *s)
{
	int r;

	s->now_ns = clock_monotonic_ns();
	route_cache_tick(s->routes, s->now_ns);
	cgroup_watch_poll(s->births, s->now_ns);
	cgroup_table_poll(s->cgroups, s->now_ns);
	look_for_stalls(s);
	engine_latency_poll(s->latency, s->now_ns, is_spliced(s));
	/* First: connections that follow an answer have its name. */
	s->sight_ns = s->now_ns;
	r = sight_poll(&s->sight, s->now_ns);
	if (r >= 0)
		r = s->rung.ops->events(s->rung.arg, on_event, s);
	/* Now: owners of what is new were looked for. */
	sight_drain(&s->sight);
	return r;
}

int session_fd(const struct session *s)
{
	return s->rung.ops->fd(s->rung.arg);
}

/*
 * Accepted connections that nobody used yet still carry their listener's owner: find who holds them,
 * and take what that changed before it is told.
 */
static int seed_again(struct session *s)
{
	int (*seed)(void *) = s->rung.ops->seed;
	uint64_t took;

	if (!seed || !s->has_listener_owned || s->now_ns < s->seed_next_ns)
		return 0;
	took = cpu_ns();
	(void)seed(s->rung.arg);
	took = (cpu_ns() - took) * LOOK_SHARE;
	s->seed_next_ns = s->now_ns + (took > SEED_AGAIN_NS ? took : SEED_AGAIN_NS);
	s->has_listener_owned = false;
	return s->rung.ops->sweep(s->rung.arg, false, on_sock, s);
}

/* Who is gone: as many of them as the share of the interval allows, in turn. */
static void scan_processes(struct session *s)
{
	uint64_t took = cpu_ns(), share = (s->now_ns - s->tick_ns) / LOOK_SHARE, max;
	uint32_t n = process_table_scan(s->procs, s->now_ns, s->scan_max);

	took = cpu_ns() - took;
	max = n && took ? share * n / took : SCAN_LEAST;
	s->scan_max = max < SCAN_LEAST ? SCAN_LEAST : max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
}

static void watch_reads(struct session *s)
{
	int r = s->rung.ops->watch_reads ? s->rung.ops->watch_reads(s->rung.arg, is_spliced(s)) : 0;

	if (r < 0)
		log_debug("who splices is not watched for: %s", strerror(-r));
}

static void take_parts(struct session *s)
{
	bool more;
	int r;

	if (!s->rung.ops->parts)
		return;
	do {
		more = s->parts_wait;
		r = s->rung.ops->parts(s->rung.arg, on_part, s);
		if (r < 0)
			log_warn("parts of shared sockets could not be read: %s, ignoring",
				 strerror(-r));
		s->parts_filter = s->opts.filter;
		s->parts_wait = false;
	} while (more);
}

static bool is_open(uint64_t sock_id, void *arg)
{
	const struct flow *f = flow_table_find(((struct session *)arg)->flows, sock_id);

	return f && !f->closed;
}

static int tick(struct session *s, bool full)
{
	int r = session_poll(s);

	if (r < 0)
		return r;
	full |= s->opts.full_sweeps ||
		s->now_ns - s->full_ns >=
			(s->has_sums || s->misses_ends ? FULL_AGAIN_NS : FULL_SWEEP_NS);
	if (full) {
		s->has_sums = false;
		s->full_ns = s->now_ns;
		flow_table_expect_all(s->flows);
	}
	if (s->ifwatch)
		ifwatch_read(s->ifwatch, &s->opts.filter, s->asks_routes);
	unowned_begin(s->unowned);
	flow_table_turn(s->flows);
	r = s->rung.ops->sweep(s->rung.arg, full, on_sock, s);
	if (r < 0)
		return r;
	if (full) {
		uint32_t n = flow_table_close_missing(s->flows, s->now_ns);

		if (n)
			log_debug("%u sockets ended without a last record", n);
		sampler_purge(s->sampler, is_open, s);
	}
	r = seed_again(s);
	if (r < 0)
		return r;
	/* Of the counts just swept: the wait for the parts is none of theirs. */
	s->now_ns = clock_monotonic_ns();
	netdevs_read(s->netdevs);
	unowned_read(s->unowned);
	nic_reader_tick(s->nics, s->now_ns);
	take_parts(s);
	flow_table_tick(s->flows, s->now_ns);
	session_unowned(s);
	engine_latency_tick(s->latency, s->now_ns);
	viewer_tick(s->viewer, s->now_ns);
	cgroup_table_tick(s->cgroups, s->now_ns);
	if (s->events) {
		double seconds = (double)(s->now_ns - s->tick_ns) / 1e9;

		engine_events_tick(s->events, seconds);
		if (s->ifrates)
			ifrates_tick(s->ifrates, &s->opts.filter, s->events, seconds);
	}
	scan_processes(s); /* after the events: it frees who is gone */
	s->tick_ns = s->now_ns;
	watch_reads(s);
	return 0;
}

int session_tick(struct session *s)
{
	return tick(s, false);
}

/* All sockets once more: what a paused sweep left out has no next one to come with. */
int session_finish(struct session *s)
{
	int r;

	if (s->rung.ops->finish)
		s->rung.ops->finish(s->rung.arg);
	s->seed_next_ns = 0; /* the last chance to find who holds what */
	r = tick(s, true);
	/* ends that the last sweep found */
	if (r >= 0)
		r = session_poll(s);
	r = r > 0 ? 0 : r;
	if (s->events) { /* and what those moved */
		engine_events_tick(s->events, (double)(s->now_ns - s->tick_ns) / 1e9);
		engine_events_end(s->events);
	}
	sight_finish(&s->sight);
	return r;
}

/*
 * Parts go on being counted into entries that are there, whatever the filters say: those are put
 * aside, to be drained later under the filters that they were made under. What was sampled at
 * another rate is taken while that rate is known.
 */
void session_set_filter(struct session *s, const struct np_filter *filter)
{
	uint32_t gen;

	if (s->parts_wait)
		take_parts(s);
	if (filter->sample_rate != s->opts.filter.sample_rate) {
		(void)session_poll(s);
		(void)s->rung.ops->sweep(s->rung.arg, false, on_sock, s);
	}
	gen = s->rung.ops->set_filter(s->rung.arg, filter);
	if (s->rung.ops->parts_turn)
		s->rung.ops->parts_turn(s->rung.arg);
	s->parts_wait = true;
	s->opts.filter = *filter;
	s->opts.filter.gen = gen;
	if (s->events)
		engine_events_rate(s->events, filter->sample_rate);
	sight_set_filter(&s->sight, &s->opts.filter);
	/* Whose cgroup was compared with other ones is asked anew. */
	if (filter->n_cgroup && s->rung.ops->seed)
		(void)s->rung.ops->seed(s->rung.arg);
}

int session_refresh(struct session *s)
{
	return s->rung.ops->sweep(s->rung.arg, false, on_sock, s);
}

const struct process *session_owner(struct session *s, const struct np_owner *owner)
{
	return owner_of(s, owner);
}
