/* SPDX-License-Identifier: BSD-2-Clause */
/* See unowned.h. */
#include "engine/unowned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/filter.h"
#include "flow/unowned.h"

/* A datagram that its socket had no room for was on the wire, as large as any. */
#define REFUSED 68000
/* So is what a program did not count. */
#define LOST_CALL REFUSED

/* What its subflows carry, and by which interface, is in no record. */
#define MPTCP_NS 30000000000ULL

struct iface {
	struct netdev last;
	uint32_t ifindex;
	bool seen;  /* in this tick */
	bool fresh; /* ... for the first time, or its counters went back: they tell nothing yet */
	bool stacked; /* part of another one, or another one is on it: sockets of both move its bytes */
	struct wire_side side[2];
	struct wire_carry carry[2];
	uint64_t was
		[2]; /* bytes of the interval before: what is found of them is told in this one */
};

/* Of /proc/net: since the namespace is there. */
struct counts {
	uint64_t forwarded; /* packets */
	uint64_t refused;   /* datagrams */
};

struct unowned {
	const struct netdevs *devs;
	FILE *snmp, *snmp6;
	uint32_t netns, gen;
	const struct ifwatch *watch;
	struct flow_table *flows;
	struct viewer *viewer;
	struct flow_watch fed;
	struct iface *all;
	size_t n, cap, hit;
	struct wire_load nowhere[2]; /* of this namespace, by an interface that is not known */
	struct wire_load others[2];  /* of other namespaces */
	struct counts counts;
	struct counts now;		     /* as counts, of the interval that ends */
	uint64_t lost;			     /* bytes, by the kernel half */
	uint64_t begin_ns, look_ns, tick_ns; /* of the sweep, the counters, the last counters */
	uint64_t mptcp_ns;		     /* an MPTCP connection moved something then; 0 never */
	bool read;			     /* the counters are of the interval that ends */
	bool ready; /* a tick was before: what is read now is of one interval */
};

static struct iface *find(struct unowned *u, const char *name)
{
	if (u->hit < u->n && !strncmp(u->all[u->hit].last.name, name, sizeof(u->all->last.name)))
		return &u->all[u->hit];
	for (size_t i = 0; i < u->n; i++)
		if (!strncmp(u->all[i].last.name, name, sizeof(u->all[i].last.name))) {
			u->hit = i;
			return &u->all[i];
		}
	return NULL;
}

static void on_flow(const struct flow *f, const struct flow_delta *d, void *arg)
{
	struct unowned *u = arg;
	bool opened = f->closed || f->opened_ns >= u->tick_ns;
	struct iface *i = NULL;

	if (f->tuple.proto == NP_IPPROTO_MPTCP)
		u->mptcp_ns = u->look_ns;
	if (f->tuple.netns && f->tuple.netns != u->netns) {
		if (strcmp(f->tuple.ifname, "lo") != 0) /* that one's stays there */
			wire_add(&u->others[NETPROBE_TX], &u->others[NETPROBE_RX], f, d, opened);
		return;
	}
	if (f->tuple.netns && f->tuple.ifname[0])
		i = find(u, f->tuple.ifname);
	if (i)
		wire_add(&i->side[NETPROBE_TX].own, &i->side[NETPROBE_RX].own, f, d, opened);
	else
		wire_add(&u->nowhere[NETPROBE_TX], &u->nowhere[NETPROBE_RX], f, d, opened);
}

/* "Ip: Forwarding DefaultTTL ...\nIp: 1 64 ...": the number below that name. 0: there is none. */
static uint64_t column(const char *names, const char *values, const char *name)
{
	size_t len = strlen(name);

	for (; *names && *values; names += strcspn(names, " "), values += strcspn(values, " ")) {
		names += strspn(names, " ");
		values += strspn(values, " ");
		if (!strncmp(names, name, len) && strchr(" \n", names[len]))
			return strtoull(values, NULL, 10);
	}
	return 0;
}

static void read_counts(struct unowned *u, struct counts *ret)
{
	char names[1024], values[1024];

	*ret = (struct counts){ 0 };
	if (u->snmp && !fseek(u->snmp, 0, SEEK_SET))
		while (fgets(names, sizeof(names), u->snmp) &&
		       fgets(values, sizeof(values), u->snmp)) {
			if (!strncmp(names, "Ip: ", 4))
				ret->forwarded += column(names, values, "ForwDatagrams");
			if (!strncmp(names, "Udp: ", 5))
				ret->refused += column(names, values, "InErrors");
		}
	if (u->snmp6 && !fseek(u->snmp6, 0, SEEK_SET))
		while (fgets(values, sizeof(values), u->snmp6)) {
			uint64_t n = strtoull(values + strcspn(values, " \t"), NULL, 10);

			if (!strncmp(values, "Ip6OutForwDatagrams ", 20))
				ret->forwarded += n;
			if (!strncmp(values, "Udp6InErrors ", 13))
				ret->refused += n;
		}
}

static struct iface *add(struct unowned *u, const struct netdev *d)
{
	if (u->n == u->cap) {
		size_t cap = u->cap ? u->cap * 2 : 16;
		void *p = reallocarray(u->all, cap, sizeof(*u->all));

		if (!p)
			return NULL;
		u->all = p;
		u->cap = cap;
	}
	u->all[u->n] = (struct iface){ .last = *d, .fresh = true };
	return &u->all[u->n++];
}

static void on_dev(const struct netdev *d, void *arg)
{
	struct unowned *u = arg;
	uint32_t ifindex = ifwatch_index(u->watch, d->name);
	struct iface *i = find(u, d->name);

	i = i ?: add(u, d);
	if (!i)
		return;
	i->fresh |= !ifindex || i->ifindex != ifindex || d->tx_bytes < i->last.tx_bytes ||
		    d->rx_bytes < i->last.rx_bytes;
	i->seen = true;
	i->ifindex = ifindex;
	i->stacked = ifwatch_is_stacked(u->watch, ifindex);
	i->side[NETPROBE_TX].bytes = d->tx_bytes - i->last.tx_bytes;
	i->side[NETPROBE_RX].bytes = d->rx_bytes - i->last.rx_bytes;
	i->side[NETPROBE_TX].packets = d->tx_packets - i->last.tx_packets;
	i->side[NETPROBE_RX].packets = d->rx_packets - i->last.rx_packets;
	i->last = *d;
}

/* Rows are for as long as the interface is. */
static void forget(struct unowned *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		if (u->all[i].seen)
			u->all[n++] = u->all[i];
	u->n = n;
}

struct unowned *unowned_new(const struct netdevs *devs, uint32_t netns, const struct ifwatch *watch,
			    struct flow_table *flows, struct viewer *viewer)
{
	struct unowned *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	*u = (struct unowned){ .netns = netns,
			       .watch = watch,
			       .flows = flows,
			       .viewer = viewer,
			       .devs = devs,
			       .snmp = fopen("/proc/thread-self/net/snmp", "re"),
			       .snmp6 = fopen("/proc/thread-self/net/snmp6", "re"),
			       .begin_ns = clock_monotonic_ns(),
			       .tick_ns = clock_monotonic_ns() };
	if (!devs || !u->snmp || !watch || !netns) {
		unowned_free(u);
		return NULL;
	}
	(void)netdevs_each(devs, on_dev, u);
	read_counts(u, &u->counts);
	u->fed = (struct flow_watch){ .fn = on_flow, .arg = u };
	flow_table_watch(flows, &u->fed);
	return u;
}

struct unowned *unowned_free(struct unowned *u)
{
	if (!u)
		return NULL;
	if (u->fed.fn)
		flow_table_unwatch(u->flows, &u->fed);
	if (u->snmp)
		(void)fclose(u->snmp);
	if (u->snmp6)
		(void)fclose(u->snmp6);
	free(u->all);
	free(u);
	return NULL;
}

void unowned_begin(struct unowned *u)
{
	if (!u)
		return;
	u->begin_ns = clock_monotonic_ns();
}

void unowned_read(struct unowned *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++)
		u->all[i].seen = false;
	u->look_ns = clock_monotonic_ns();
	u->read = netdevs_each(u->devs, on_dev, u) >= 0;
	if (u->read)
		forget(u);
	read_counts(u, &u->now);
}

/* What the kernel half may have left out: bytes that it knows of, and calls that it does not know more of. */
static uint64_t lost(const struct probe_loss losses[LOSS_MAX])
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LOSS_MAX; i++) {
		const struct np_loss *l = &losses[i].loss;

		sum += 2 * (l->lost_tx_bytes + l->lost_rx_bytes);
		sum += (l->helper_err + losses[i].missed + losses[i].implausible) * LOST_CALL;
	}
	return sum;
}

static uint64_t most(const struct wire_load *l)
{
	return l->bytes + l->slack;
}

static void tell(struct unowned *u, const struct iface *i, uint32_t what, const uint64_t bytes[2],
		 double seconds, struct engine_events *e)
{
	struct np_tuple where = { .netns = u->netns, .ifindex = i->ifindex };
	struct event ev = {
		.kind = EVENT_BW,
		.tuple = &where,
		.unit = "Mbit/s",
		.has_owner_field = true,
		.owner_match = NP_MATCH_NONE,
		.what = what == UNOWNED_FORWARD ? "forwarded" : "unowned",
		.tx_bytes = bytes[NETPROBE_TX],
		.rx_bytes = bytes[NETPROBE_RX],
		.tx_mbit = (double)bytes[NETPROBE_TX] * 8 / 1e6 / seconds,
		.rx_mbit = (double)bytes[NETPROBE_RX] * 8 / 1e6 / seconds,
		.interval_s = seconds,
	};

	memcpy(where.ifname, i->last.name, sizeof(where.ifname));
	viewer_unowned(u->viewer, &where, what, bytes[NETPROBE_TX], bytes[NETPROBE_RX]);
	if (!e)
		return;
	ev.num = ev.tx_mbit + ev.rx_mbit;
	(void)fmt_milli(ev.value, sizeof(ev.value), ev.num);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", where.ifname);
	engine_events_tell(e, &ev);
}

/* What came in by one and went out by another is nobody's: it was forwarded, by whatever layer. */
static void split(struct unowned *u, bool forwards)
{
	uint64_t less = most(&u->others[NETPROBE_TX]) + most(&u->others[NETPROBE_RX]);
	uint64_t over[2] = {};

	for (size_t i = 0; i < u->n; i++)
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++)
			if (u->all[i].side[d].over > 0)
				over[d] += (uint64_t)u->all[i].side[d].over;
	for (size_t i = 0; i < u->n; i++) {
		struct wire_side *s = u->all[i].side;
		uint64_t other[2];

		/* by the interface it came from only where the kernel says that it forwards */
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++)
			other[d] =
				over[!d] - (!forwards && s[!d].over > 0 ? (uint64_t)s[!d].over : 0);
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++)
			wire_split(&s[d], other[d], less);
	}
}

static void tell_iface(struct unowned *u, struct iface *i, uint64_t forwarded, double seconds,
		       struct engine_events *e)
{
	uint64_t bytes[2], through[2];
	double share[2];

	for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++) {
		struct wire_side *s = &i->side[d];

		bytes[d] = wire_settle(&i->carry[d], s, seconds);
		share[d] = !i->was[d]		  ? -1
			   : bytes[d] < i->was[d] ? (double)bytes[d] / (double)i->was[d]
						  : 1;
		through[d] = wire_forwarded(s, forwarded) && wire_tells(s, s->forward, seconds)
				     ? s->forward
				     : 0;
	}
	viewer_nic_unowned(u->viewer, i->ifindex, share[NETPROBE_TX], share[NETPROBE_RX]);
	if (through[NETPROBE_RX] | through[NETPROBE_TX])
		tell(u, i, UNOWNED_FORWARD, through, seconds, e);
	if (bytes[NETPROBE_RX] | bytes[NETPROBE_TX])
		tell(u, i, UNOWNED_ANY, bytes, seconds, e);
}

static void look(struct unowned *u, uint64_t missing, double seconds, struct engine_events *e)
{
	uint64_t forwarded = u->now.forwarded - u->counts.forwarded;
	uint64_t refused = u->now.refused - u->counts.refused;
	/* Of the time between the sweep's beginning and the counters it is not known which has it. */
	double blurred = (double)(u->look_ns - u->begin_ns) / 1e9 / seconds;

	for (size_t i = 0; i < u->n; i++)
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++) {
			struct wire_side *s = &u->all[i].side[d];

			s->blurred = (uint64_t)((double)s->bytes * blurred);
			wire_over(s, most(&u->nowhere[d]) + missing +
					     (d == NETPROBE_RX ? refused * REFUSED : 0));
		}
	split(u, forwarded > 0);
	for (size_t i = 0; i < u->n; i++) {
		struct iface *f = &u->all[i];

		if (f->fresh || f->stacked) {
			memset(f->carry, 0, sizeof(f->carry));
			viewer_nic_unowned(u->viewer, f->ifindex, -1, -1);
		} else {
			tell_iface(u, f, forwarded, seconds, e);
		}
	}
}

void unowned_tick(struct unowned *u, const struct np_filter *filter,
		  const struct probe_loss losses[LOSS_MAX], struct engine_events *e)
{
	uint64_t missing = lost(losses);
	double seconds = (double)(u->look_ns - u->tick_ns) / 1e9;
	bool sure = u->ready && u->read && filter_takes_all(filter) && filter->gen == u->gen &&
		    seconds > 0;

	if (u->mptcp_ns && u->look_ns - u->mptcp_ns < MPTCP_NS)
		sure = false;
	viewer_unowned_begin(u->viewer, (float)seconds);
	if (sure)
		look(u, missing - u->lost, seconds, e);
	for (size_t i = 0; i < u->n; i++) {
		struct iface *f = &u->all[i];

		f->fresh = false;
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++)
			f->was[d] = sure ? f->side[d].bytes : 0;
		memset(f->side, 0, sizeof(f->side));
		if (sure)
			continue;
		memset(f->carry, 0, sizeof(f->carry));
		viewer_nic_unowned(u->viewer, f->ifindex, -1, -1);
	}
	memset(u->nowhere, 0, sizeof(u->nowhere));
	memset(u->others, 0, sizeof(u->others));
	u->counts = u->now;
	u->lost = missing;
	u->gen = filter->gen;
	u->tick_ns = u->look_ns;
	u->ready = true;
}
