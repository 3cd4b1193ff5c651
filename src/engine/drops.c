/* SPDX-License-Identifier: BSD-2-Clause */
/* See drops.h. */
#include "engine/drops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/filter.h"
#include "engine/ifdrops.h"
#include "engine/listen.h"
#include "flow/drop_sums.h"
#include "flow/reason.h"
#include "out/drop.h"
#include "probe/ksyms.h"

#define FRAME_CHARS 160
#define LOOK_NS 100000000ULL /* least time between two looks at interfaces' counters */
#define REFRESH_NS \
	50000000ULL /* least time between two sweeps for listeners that are not known yet */

/*
 * The kernel half's table of kinds is emptied when a quarter of it is taken, but not before a second is over (its limits
 * of events begin anew), and once a minute.
 */
#define TURN_KINDS (NP_DROP_KEYS / 4)
#define TURN_LEAST_NS 1000000000ULL
#define TURN_MOST_NS 60000000000ULL

struct drop_watch {
	struct drop_watch_opts opts;
	struct session *session;
	struct probe_drops *drops;
	struct ksyms *ksyms; /* NULL: no stacks are taken */
	struct ifdrops *interfaces;
	struct flow_watch listens;
	bool watching;
	struct drop_sums *sums;
	uint64_t sums_lost,
		look_lost; /* packets in no sum: no memory. The second: at the last look */
	bool draining;	   /* a turn was begun whose map is not empty yet */
	uint64_t refresh_ns, look_ns, turn_ns;
	char note[320];
	char frames[NP_DROP_STACK_DEPTH][FRAME_CHARS]; /* of the event under way */
	const char *stack[NP_DROP_STACK_DEPTH];
};

static void stamp(struct event *ev, uint64_t ktime_ns)
{
	ev->ktime_ns = ktime_ns;
	ev->wall_ns = clock_wall_ns() - (clock_monotonic_ns() - ktime_ns);
	ev->mode = "ebpf";
}

static void note_add(struct drop_watch *w, const char *text)
{
	size_t n = strlen(w->note);

	if (text && *text)
		(void)snprintf(w->note + n, sizeof(w->note) - n, "%s%s", n ? "; " : "", text);
}

static int want_stacks(struct drop_watch *w)
{
	char why[200];

	if (w->ksyms)
		return 0;
	w->ksyms = ksyms_new("/proc/kallsyms");
	if (!w->ksyms)
		return -ENOMEM;
	if (ksyms_missing(w->ksyms)) {
		(void)snprintf(why, sizeof(why),
			       "stacks are offsets from the dropping function: %s",
			       ksyms_missing(w->ksyms));
		note_add(w, why);
	}
	return 0;
}

static void owner_of_process(struct np_owner *o, const struct process *p, uint8_t match)
{
	*o = (struct np_owner){ .tgid = p->tgid,
				.start_ns = p->start_ns,
				.uid = p->uid,
				.ppid = p->ppid,
				.exec_id = p->exec_id,
				.cgroup_id = p->cgroup ? p->cgroup->id : 0,
				.match = match };
	memcpy(o->comm, p->comm, sizeof(o->comm));
}

static void listen_add(struct drop_watch *w, const struct flow *f, const struct flow_delta *d)
{
	static const char nowhere[sizeof(((struct drop_row *)0)->function)];
	struct drop_kind_key key = { .kernel = { .listener = f->sock_id,
						 .owner_start_ns = f->last->start_ns,
						 .tgid = f->last->tgid,
						 .netns = f->tuple.netns,
						 .ifindex = f->tuple.ifindex,
						 .lport = f->tuple.lport,
						 .proto = f->tuple.proto,
						 .family = f->tuple.family },
				     .name = listen_reason(d->listen_limits) };
	struct drop_row *row;
	struct np_owner owner;

	(void)snprintf(key.ifname, sizeof(key.ifname), "%.15s", f->tuple.ifname);
	row = drop_sums_row(w->sums, &key, nowhere);
	if (!row) {
		w->sums_lost += d->listen_drops;
		return;
	}
	row->packets += d->listen_drops;
	row->last_ns = clock_monotonic_ns();
	if (row->owner || row->key.rest || !f->last->tgid)
		return;
	owner_of_process(&owner, f->last, f->last_match);
	row->owner = session_owner(w->session, &owner);
	row->owner_match = f->last_match;
}

/* A listener counted SYNs it had no room for: no packet is seen dropped. */
static void on_listen(const struct flow *f, const struct flow_delta *d, void *arg)
{
	struct drop_watch *w = arg;
	struct event_drop drop;
	struct np_tuple where;
	struct event ev;

	if (!d->listen_drops)
		return;
	listen_add(w, f, d);
	if (!w->opts.event_fn)
		return;
	listen_event(&ev, &drop, &where, f, d);
	stamp(&ev, clock_monotonic_ns());
	w->opts.event_fn(&ev, w->opts.event_arg);
}

static void owner_done(const struct process *owner, void *arg)
{
	struct drop_watch *w = arg;

	session_owner_done(w->session, owner);
}

int drop_watch_open(struct session *s, const struct drop_watch_opts *opts,
		    struct drop_watch **ret_watch, struct netprobe_error *err)
{
	struct probe_drops_opts po = { .filter = &opts->filter,
				       .stack = opts->stack,
				       .quiet = opts->quiet,
				       .is_quiet = drop_is_quiet,
				       .functions = drop_quiet_functions() };
	struct drop_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->opts = *opts;
	w->session = s;
	w->turn_ns = clock_monotonic_ns();
	w->sums = drop_sums_new(DROP_SUMS_MAX, owner_done, w);
	r = !w->sums ? -ENOMEM : opts->stack ? want_stacks(w) : 0;
	if (r)
		error_set(err, r, "out of memory");
	else
		r = probe_drops_open(session_probe(s), &po, &w->drops, err);
	if (r) {
		(void)drop_watch_close(w);
		return r;
	}
	note_add(w, probe_drops_note(w->drops));
	w->listens = (struct flow_watch){ .fn = on_listen, .arg = w };
	session_watch_drops(s, &w->listens, opts->event_fn != NULL);
	w->watching = true;
	if (opts->interfaces)
		w->interfaces = ifdrops_new();
	*ret_watch = w;
	return 0;
}

struct drop_watch *drop_watch_close(struct drop_watch *w)
{
	if (!w)
		return NULL;
	if (w->watching)
		flow_table_unwatch(session_flows(w->session), &w->listens);
	w->sums = drop_sums_free(w->sums);
	(void)probe_drops_close(w->drops);
	(void)ksyms_free(w->ksyms);
	(void)ifdrops_free(w->interfaces);
	free(w);
	return NULL;
}

void drop_watch_set_filter(struct drop_watch *w, const struct np_filter *filter)
{
	w->opts.filter = *filter;
	probe_drops_set_filter(w->drops, filter);
}

void drop_watch_set_stack(struct drop_watch *w, bool on)
{
	if (on && want_stacks(w))
		return;
	probe_drops_set_stack(w->drops, on);
}

/* One frame as text: a name where names are to be had, else how far it is from the dropping function. */
static void frame_text(struct drop_watch *w, char *s, uint64_t addr, uint64_t location,
		       const char *function)
{
	uint64_t offset = 0;
	const char *name = ksyms_find(w->ksyms, addr, &offset);
	size_t n = 0;

	if (w->opts.kernel_addresses)
		n = (size_t)snprintf(s, FRAME_CHARS, "%016llx ", (unsigned long long)addr);
	if (name)
		(void)snprintf(s + n, FRAME_CHARS - n, "%s+0x%llx", name,
			       (unsigned long long)offset);
	else if (ksyms_missing(w->ksyms))
		(void)snprintf(
			s + n, FRAME_CHARS - n, "%s%c0x%llx", function, addr < location ? '-' : '+',
			(unsigned long long)(addr < location ? location - addr : addr - location));
	else
		(void)snprintf(s + n, FRAME_CHARS - n, "?");
}

/* Frames from the dropping function on: those above it are the tracepoint's and ours. */
static unsigned int stack_text(struct drop_watch *w, const struct np_ev_drop *ev)
{
	uint64_t frames[NP_DROP_STACK_DEPTH];
	unsigned int n = w->ksyms ? probe_drops_stack(w->drops, ev->stack_id, frames) : 0, from = 0;

	for (unsigned int i = 0; i < n && !from; i++)
		if (frames[i] == ev->location)
			from = i;
	for (unsigned int i = from; i < n; i++) {
		char *s = w->frames[i - from];

		frame_text(w, s, frames[i], ev->location, ev->function);
		w->stack[i - from] = s;
	}
	return n - from;
}

/* "nf_hook_slow", "do_chain [nf_tables]": the name alone. */
static const char *function_name(char buf[48], const char function[48])
{
	memcpy(buf, function, 48);
	buf[47] = '\0';
	buf[strcspn(buf, " ")] = '\0';
	/* Without CONFIG_KALLSYMS the kernel prints a number, which is an address. */
	return buf[0] && strncmp(buf, "0x", 2) ? buf : NULL;
}

/* A connection half open is its listener's; the kernel half could tell only which socket that is. */
static void owner_of_listener(struct drop_watch *w, struct np_owner *o, uint64_t sock_id)
{
	const struct flow *f = sock_id ? flow_table_find(session_flows(w->session), sock_id) : NULL;
	uint64_t now_ns = clock_monotonic_ns();

	if (sock_id && !f && now_ns - w->refresh_ns >= REFRESH_NS) {
		w->refresh_ns = now_ns;
		(void)session_refresh(w->session); /* it is younger than the last sweep */
		f = flow_table_find(session_flows(w->session), sock_id);
	}
	if (!f || !f->last->tgid)
		return;
	owner_of_process(o, f->last, NP_MATCH_LISTENER);
}

static const char *direction_name(uint8_t dir)
{
	return dir == NP_DIR_RX ? "rx" : dir == NP_DIR_TX ? "tx" : NULL;
}

static void on_drop(const struct np_ev_drop *kev, void *arg)
{
	struct drop_watch *w = arg;
	struct np_owner owner = kev->owner;
	char number[48], function[48];
	struct event_drop d = {
		.reason = probe_drops_reason(w->drops, kev->reason, number, sizeof(number)),
		.location = function_name(function, kev->function),
		.stack = w->stack,
		.packet = &kev->packet,
		.packets = kev->packets,
		.suppressed = kev->packets - 1,
	};
	struct event ev = { .kind = EVENT_DROP,
			    .num = (double)kev->packets,
			    .unit = "packets",
			    .has_owner_field = true,
			    .tuple = &kev->tuple,
			    .sock_id = kev->sock_id,
			    .has_cpu = true,
			    .cpu_tgid = kev->cpu_tgid,
			    .cpu_comm = kev->cpu_comm,
			    .direction = direction_name(kev->packet.dir),
			    .drop = &d };

	if (!w->opts.event_fn)
		return;
	d.kind = drop_kind_name(drop_kind(d.reason, d.location));
	d.quiet = drop_is_quiet(d.reason, d.location);
	d.n_stack = kev->stack_id >= 0 ? stack_text(w, kev) : 0;
	if (!owner.tgid && (kev->tuple.flags & NP_F_LISTEN))
		owner_of_listener(w, &owner, kev->sock_id);
	ev.owner = session_owner(w->session, &owner);
	ev.owner_match = owner.tgid ? owner.match : NP_MATCH_NONE;
	ev.tid = owner.tid;
	stamp(&ev, kev->hdr.ts_ns);
	(void)snprintf(ev.value, sizeof(ev.value), "DROP:%s", d.reason);
	if (kev->sock_id)
		(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "socket-%llu",
			       (unsigned long long)kev->sock_id);
	else
		(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%.15s", kev->tuple.ifname);
	w->opts.event_fn(&ev, w->opts.event_arg);
	session_owner_done(w->session, ev.owner);
}

static bool iface_wanted(const struct drop_watch *w, const char *iface)
{
	const struct np_filter *f = &w->opts.filter;

	/* The kernel's counters know interfaces and nothing finer. */
	if (filter_has_owners(f) || filter_has_ends(f) || f->proto_mask || f->family)
		return false;
	for (unsigned int i = 0; i < f->n_iface; i++)
		if (!strcmp(f->iface[i], iface))
			return true;
	return !f->n_iface;
}

static void on_counter(const struct ifdrops_count *n, void *arg)
{
	struct drop_watch *w = arg;
	struct event_drop d = { .reason = n->reason,
				.kind = drop_kind_name(NETPROBE_DROP_LOSS),
				.packets = n->packets };
	struct np_tuple where = { .ifindex = n->ifindex, .netns = n->netns };
	struct event ev = { .kind = EVENT_DROP,
			    .num = (double)n->packets,
			    .unit = "packets",
			    .tuple = &where,
			    .drop = &d };

	if (!w->opts.event_fn || !iface_wanted(w, n->iface))
		return;
	(void)snprintf(where.ifname, sizeof(where.ifname), "%s", n->iface);
	(void)snprintf(ev.value, sizeof(ev.value), "DROP:%s", n->reason);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", n->iface);
	stamp(&ev, clock_monotonic_ns());
	w->opts.event_fn(&ev, w->opts.event_arg);
}

void drop_watch_tick(struct drop_watch *w)
{
	uint64_t now_ns = clock_monotonic_ns();

	/* Every namespace is visited for it, however short the interval. */
	if (w->interfaces && now_ns - w->look_ns >= LOOK_NS) {
		w->look_ns = now_ns;
		ifdrops_poll(w->interfaces, on_counter, w);
	}
}

/* Packets of a kind that came after its last event: one event for them all, without a packet. */
static void tell_rest(struct drop_watch *w, const struct np_drop_key *key,
		      const struct np_drop_sum *sum)
{
	char number[48], function[48];
	struct event_drop d = {
		.reason = probe_drops_reason(w->drops, key->reason, number, sizeof(number)),
		.location = function_name(function, sum->function),
		.packets = sum->pending,
		.suppressed = sum->pending,
	};
	struct np_owner owner = sum->owner;
	struct np_tuple where = { .netns = key->netns,
				  .ifindex = key->ifindex,
				  .proto = key->proto,
				  .family = key->family,
				  .lport = key->lport };
	struct event ev = { .kind = EVENT_DROP,
			    .num = (double)sum->pending,
			    .unit = "packets",
			    .has_owner_field = true,
			    .tuple = &where,
			    .drop = &d,
			    .direction = direction_name(sum->dir) };

	if (!w->opts.event_fn || !sum->pending || (sum->quiet && !w->opts.quiet))
		return;
	d.kind = drop_kind_name(drop_kind(d.reason, d.location));
	d.quiet = drop_is_quiet(d.reason, d.location);
	memcpy(where.ifname, sum->ifname, sizeof(where.ifname));
	if (!owner.tgid)
		owner_of_listener(w, &owner, key->listener);
	ev.owner = session_owner(w->session, &owner);
	ev.owner_match = owner.tgid ? owner.match : NP_MATCH_NONE;
	stamp(&ev, clock_monotonic_ns());
	(void)snprintf(ev.value, sizeof(ev.value), "DROP:%s", d.reason);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%.15s", sum->ifname);
	w->opts.event_fn(&ev, w->opts.event_arg);
	session_owner_done(w->session, ev.owner);
}

/* The row for what the kernel half counted. NULL: no memory. */
static struct drop_row *row_of(struct drop_watch *w, const struct np_drop_key *kernel,
			       const struct np_drop_sum *sum)
{
	struct drop_kind_key key = { .kernel = *kernel };
	struct np_owner owner = sum->owner;
	struct drop_row *row;

	if (!owner.tgid && kernel->listener) {
		owner_of_listener(w, &owner, kernel->listener);
		key.kernel.tgid = owner.tgid;
		key.kernel.owner_start_ns = owner.start_ns;
	}
	(void)snprintf(key.ifname, sizeof(key.ifname), "%.15s", sum->ifname);
	row = drop_sums_row(w->sums, &key, sum->function);
	if (row)
		row->quiet = sum->quiet;
	if (row && !row->owner && !row->key.rest && owner.tgid) {
		row->owner = session_owner(w->session, &owner);
		row->owner_match = owner.match;
	}
	return row;
}

static void on_drained(const struct np_drop_key *key, const struct np_drop_sum *sum, void *arg)
{
	struct drop_watch *w = arg;
	struct drop_row *row = row_of(w, key, sum);

	if (row) {
		row->packets += sum->packets;
		row->bytes += sum->bytes;
		row->last_ns = w->turn_ns;
	} else {
		w->sums_lost += sum->packets;
	}
	tell_rest(w, key, sum);
}

/* What the kernel half counted goes into the sums, and its table is empty. 0 or -errno: the next call goes on. */
static int turn(struct drop_watch *w)
{
	int r;

	w->turn_ns = clock_monotonic_ns();
	w->draining = true;
	probe_drops_turn(w->drops);
	r = probe_drops_poll(w->drops, on_drop, w); /* before what no record has told of */
	if (r >= 0)
		r = probe_drops_drain(w->drops, on_drained, w);
	if (r < 0)
		return r;
	w->draining = false;
	return 0;
}

int drop_watch_poll(struct drop_watch *w)
{
	uint32_t kinds = probe_drops_kinds(w->drops);
	uint64_t since_ns = clock_monotonic_ns() - w->turn_ns;

	if (since_ns >= TURN_LEAST_NS &&
	    (w->draining || kinds >= TURN_KINDS || (kinds && since_ns >= TURN_MOST_NS)))
		if (!turn(w)) { /* if it failed, the next one or the last tells */
			drop_sums_look(w->sums);
			drop_sums_trim(w->sums);
		}
	return probe_drops_poll(w->drops, on_drop, w);
}

int drop_watch_finish(struct drop_watch *w)
{
	int r, q;

	probe_drops_stop(w->drops);
	w->look_ns = 0;
	r = probe_drops_poll(w->drops, on_drop, w);
	drop_watch_tick(w);
	q = w->draining ? turn(w)
			: 0; /* the map of a turn that failed, before the one that is written */
	if (!q)
		q = turn(w);
	return r < 0 ? r : q;
}

struct totals_call {
	struct drop_watch *w;
	void (*fn)(const struct drop_total *t, void *arg);
	void *arg;
};

/* What is not drained yet, beside what is. */
static void on_now(const struct np_drop_key *key, const struct np_drop_sum *sum, void *arg)
{
	struct drop_watch *w = arg;
	struct drop_row *row = row_of(w, key, sum);

	if (!row) {
		w->look_lost += sum->packets;
		return;
	}
	row->now_packets += sum->packets;
	row->now_bytes += sum->bytes;
}

static void on_row(const struct drop_row *row, void *arg)
{
	const struct totals_call *c = arg;
	const struct np_drop_key *key = &row->key.kernel;
	char number[48], function[48];
	struct drop_total t = {
		.reason = row->key.name ? row->key.name
					: probe_drops_reason(c->w->drops, key->reason, number,
							     sizeof(number)),
		.location = function_name(function, row->function),
		.iface = row->key.ifname[0] ? row->key.ifname : NULL,
		.owner = row->owner,
		.owner_match = row->owner ? row->owner_match : NP_MATCH_NONE,
		.proto = key->proto,
		.lport = key->lport,
		.netns = key->netns,
		.packets = row->packets + row->now_packets,
		.bytes = row->bytes + row->now_bytes,
		.rest = row->key.rest != 0,
	};

	t.kind = row->key.name ? NETPROBE_DROP_LOSS : drop_kind(t.reason, t.location);
	if (t.packets)
		c->fn(&t, c->arg);
}

/* What interfaces count, since the start. */
static void on_count(const struct ifdrops_count *n, void *arg)
{
	const struct totals_call *c = arg;
	const struct drop_total t = {
		.reason = n->reason,
		.iface = n->iface[0] ? n->iface : NULL,
		.netns = n->netns,
		.packets = n->packets,
		.counter = true,
	};

	if (iface_wanted(c->w, n->iface))
		c->fn(&t, c->arg);
}

int drop_watch_totals(struct drop_watch *w, void (*fn)(const struct drop_total *t, void *arg),
		      void *arg)
{
	struct totals_call c = { .w = w, .fn = fn, .arg = arg };
	int r;

	if (w->interfaces)
		ifdrops_totals(w->interfaces, on_count, &c);
	drop_sums_look(w->sums);
	w->look_lost = 0;
	r = probe_drops_sums(w->drops, on_now, w);
	drop_sums_each(w->sums, on_row, &c);
	return r;
}

int drop_watch_losses(const struct drop_watch *w, struct np_drop_loss *ret_loss,
		      uint64_t *ret_missed)
{
	int r = probe_drops_losses(w->drops, ret_loss, ret_missed);

	ret_loss->map_full += w->sums_lost + w->look_lost;
	return r;
}

void drop_watch_account(const struct drop_watch *w, struct losses *to)
{
	struct loss x = { .program = "drop", .unit = "packets" };
	struct np_drop_loss l;

	if (drop_watch_losses(w, &l, &x.missed))
		return;
	x.count = (struct np_loss){ .submitted = l.submitted,
				    .ring_full = l.ring_full,
				    .rate_limited = l.limited,
				    .map_full = l.map_full };
	/* Left out by the filters, or because they are no loss. Read while they are written: never below 0. */
	x.count.filtered = l.seen > loss_seen(&x.count) ? l.seen - loss_seen(&x.count) : 0;
	losses_add(to, &x);
	if (w->interfaces)
		losses_add(to, &(struct loss){ .program = "drop.counters",
					       .unit = "namespaces",
					       .count = { .map_full = drop_watch_left_out(w) } });
}

unsigned int drop_watch_left_out(const struct drop_watch *w)
{
	return w->interfaces ? ifdrops_left_out(w->interfaces) : 0;
}

const char *drop_watch_note(const struct drop_watch *w)
{
	return w->note;
}
