/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters, from guard, the balancer and the capture, in the caller's structures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "balance/health.h"

static int no_size(struct netprobe_error *err)
{
	return error_set(err, -EINVAL, "size is too small; takes the sizeof of the structure");
}

/* Of the lists, as they are called for one by one. */
struct rules {
	uint32_t bans, allows;
};

/* All interfaces; 0 of them where guard is nowhere. Number or -errno. */
static int all_ifs(struct guard_if **ret_ifs, struct guard_state *ret_state,
		   struct rules *ret_rules, struct netprobe_error *err)
{
	struct guard *g = NULL;
	int n = api_guard(GUARD_SHARED, &g, err), r;

	*ret_ifs = NULL;
	if (n == -ENOENT)
		return 0;
	if (n)
		return n;
	n = guard_ifs(g, ret_ifs);
	if (n >= 0 && ret_state)
		guard_state(g, ret_state);
	r = n >= 0 && ret_rules ? guard_count(g, &ret_rules->bans, &ret_rules->allows) : 0;
	guard_close(g);
	if (r) {
		free(*ret_ifs);
		return error_set(err, r, "guard's lists cannot be read: %s", strerror(-r));
	}
	return n < 0 ? error_set(err, n, "guard's counters cannot be read: %s", strerror(-n)) : n;
}

static uint64_t drops_of(const struct np_guard_dev *d)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		n += d->drops[i];
	return n;
}

static uint64_t bad_of(const struct np_guard_dev *d)
{
	uint64_t n = 0;

	for (unsigned int i = 1; i < NP_FRAME_BAD_MAX; i++)
		n += d->bad[i];
	return n;
}

int stats_guard_losses(struct account_guard ret[NP_GUARD_IFS])
{
	struct guard_if *ifs;
	int n = all_ifs(&ifs, NULL, NULL, NULL);

	for (int i = 0; i < n; i++) {
		const struct np_guard_dev *d = &ifs[i].count;

		ret[i].ifindex = ifs[i].at.ifindex;
		ret[i].since.last = (struct np_loss){
			.submitted = d->rx.packets + d->tx.packets,
			.map_full = d->flows_lost + d->sources_lost + d->nest_lost,
		};
	}
	free(ifs);
	return n;
}

API_PUBLIC int netprobe_manager_get_global_stats(struct netprobe_manager *m,
						 struct netprobe_global_stats *ret,
						 struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_global_stats s = { .size = sizeof(s) };
	struct session_losses losses = {};
	struct guard_if *ifs;
	int n;

	if (!ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return no_size(err);
	n = all_ifs(&ifs, NULL, NULL, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		s.rx_pkts += ifs[i].count.rx.packets;
		s.rx_bytes += ifs[i].count.rx.bytes;
		s.tx_pkts += ifs[i].count.tx.packets;
		s.tx_bytes += ifs[i].count.tx.bytes;
		s.dropped += drops_of(&ifs[i].count);
		s.malformed += bad_of(&ifs[i].count);
	}
	free(ifs);
	api_lock(m);
	if (m->session) {
		session_losses(m->session, &losses);
		s.flows = flow_table_count(session_flows(m->session));
	}
	s.interfaces = (uint32_t)n;
	s.events_delivered = api_delivered(m);
	s.events_lost = m->lost + losses.ring_full;
	s.events_lost += security_lost(m);
	s.capture = api_capture(m->session);
	api_unlock(m);
	return GIVE(ret, s);
}

static void add_network(struct netprobe_network_stats *s, const struct np_guard_way *w)
{
	s->tcp_packets += w->kind[NP_KIND_TCP].packets;
	s->tcp_bytes += w->kind[NP_KIND_TCP].bytes;
	s->udp_packets += w->kind[NP_KIND_UDP].packets;
	s->udp_bytes += w->kind[NP_KIND_UDP].bytes;
	s->icmp_packets += w->kind[NP_KIND_ICMP].packets;
	s->icmp_bytes += w->kind[NP_KIND_ICMP].bytes;
	s->other_packets += w->kind[NP_KIND_OTHER].packets + w->kind[NP_KIND_NONIP].packets;
	s->other_bytes += w->kind[NP_KIND_OTHER].bytes + w->kind[NP_KIND_NONIP].bytes;
	s->ipv6_packets += w->v6_packets;
}

API_PUBLIC int netprobe_manager_get_network_stats(struct netprobe_manager *m,
						  struct netprobe_network_stats *ret,
						  struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_network_stats s = { .size = sizeof(s) };
	struct guard_if *ifs;
	int n;

	if (!ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return no_size(err);
	n = all_ifs(&ifs, NULL, NULL, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		add_network(&s, &ifs[i].count.rx);
		add_network(&s, &ifs[i].count.tx);
	}
	free(ifs);
	return GIVE(ret, s);
}

void api_fill_device(struct netprobe_device_stats *s, const struct guard_if *f, bool tx)
{
	const struct np_guard_way *w = tx ? &f->count.tx : &f->count.rx;

	*s = (struct netprobe_device_stats){
		.size = sizeof(*s),
		.packets = w->packets,
		.bytes = w->bytes,
		.segments = w->segments,
		.wire_bytes = w->wire_bytes,
		.tcp_packets = w->kind[NP_KIND_TCP].packets,
		.udp_packets = w->kind[NP_KIND_UDP].packets,
		.icmp_packets = w->kind[NP_KIND_ICMP].packets,
		.other_packets = w->kind[NP_KIND_OTHER].packets + w->kind[NP_KIND_NONIP].packets,
		.ipv6_packets = w->v6_packets,
		.dropped = tx ? 0 : drops_of(&f->count),
		.device_packets = tx ? f->tx_packets : f->rx_packets,
		.device_bytes = tx ? f->tx_bytes : f->rx_bytes,
		.device_dropped = tx ? f->tx_dropped : f->rx_dropped,
		.device_errors = tx ? f->tx_errors : f->rx_errors,
		.tcp_bytes = w->kind[NP_KIND_TCP].bytes,
		.udp_bytes = w->kind[NP_KIND_UDP].bytes,
		.icmp_bytes = w->kind[NP_KIND_ICMP].bytes,
		.other_bytes = w->kind[NP_KIND_OTHER].bytes + w->kind[NP_KIND_NONIP].bytes,
	};
	if (tx)
		return;
	s->dropped_banned = f->count.drops[NP_DROP_BAN];
	s->dropped_limited = f->count.drops[NP_DROP_LIMIT];
	s->dropped_detected = f->count.drops[NP_DROP_DETECT];
	s->dropped_cookies = f->count.drops[NP_DROP_COOKIE];
	s->dropped_bytes = f->count.drop_bytes;
	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		s->would_drop += f->count.dry_drops[i];
	s->allowed = f->count.allowed;
	s->malformed = bad_of(&f->count);
	s->lost_flows = f->count.flows_lost;
	s->lost_sources = f->count.sources_lost;
	s->lost_nested = f->count.nest_lost;
}

API_PUBLIC int netprobe_manager_get_device_stats(struct netprobe_manager *m, const char *ifname,
						 uint32_t direction,
						 struct netprobe_device_stats *ret,
						 struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_device_stats s = {};
	struct guard_if *ifs;
	bool found = false;
	int n;

	if (!ifname || !ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return no_size(err);
	if (direction > NETPROBE_TX)
		return error_set(err, -EINVAL,
				 "direction: %u is none; takes NETPROBE_RX or NETPROBE_TX",
				 direction);
	n = all_ifs(&ifs, NULL, NULL, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n && !found; i++) {
		found = !strcmp(ifs[i].name, ifname);
		if (found)
			api_fill_device(&s, &ifs[i], direction == NETPROBE_TX);
	}
	free(ifs);
	if (!found)
		return error_set(err, -ENOENT, "guard is not attached to '%.40s'", ifname);
	return GIVE(ret, s);
}

API_PUBLIC int netprobe_manager_get_security_stats(struct netprobe_manager *m,
						   struct netprobe_security_stats *ret,
						   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct guard_state state = {};
	struct rules rules = {};
	struct guard_if *ifs;
	int n;

	if (!ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return no_size(err);
	n = all_ifs(&ifs, &state, &rules, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		const struct np_guard_dev *d = &ifs[i].count;

		s.dropped_banned += d->drops[NP_DROP_BAN];
		s.dropped_limited += d->drops[NP_DROP_LIMIT];
		s.dropped_detected += d->drops[NP_DROP_DETECT];
		for (unsigned int k = 0; k < NP_DROP_MAX; k++)
			s.would_drop += d->dry_drops[k];
		s.allowed += d->allowed;
		s.malformed += bad_of(d);
	}
	free(ifs);
	s.bans = rules.bans;
	s.allows = rules.allows;
	s.entries = state.bans;
	s.bans_max = state.room;
	s.off = state.off;
	s.detection = state.policy.detect;
	s.confirm_s = state.confirm_s;
	s.memory_kib = state.memory_kib;
	s.syn_cookies = state.cookies;
	s.tcp_syncookies = state.cookie_setting;
	s.syn_cookie_services = state.cookie_services;
	s.tracked = guard_tracked();
	return GIVE(ret, s);
}

static int add_vip(const struct balance *b, unsigned int vip, struct netprobe_balancer_stats *s)
{
	struct lb_count n;
	int r = balance_vip_count(b, vip, &n);

	if (r)
		return r;
	s->vips++;
	s->packets += n.packets;
	s->bytes += n.bytes;
	s->new_flows += n.new_flows;
	s->table_hits += n.table_hits;
	s->errors += n.errors;
	for (unsigned int i = 0; (i = model_next(b->model, vip, i));) {
		uint8_t state = health_state(&b->model->confs[i]);

		s->backends++;
		s->backends_up += state == LB_STATE_UP;
		s->backends_draining += state == LB_STATE_DRAIN;
		s->backends_down += state == LB_STATE_DOWN;
	}
	return 0;
}

API_PUBLIC int netprobe_manager_get_balancer_stats(struct netprobe_manager *m,
						   struct netprobe_balancer_stats *ret,
						   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_balancer_stats s = { .size = sizeof(s) };
	struct balance b = {};
	int r;

	if (!ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return no_size(err);
	r = api_check_listing(err);
	if (!r)
		r = balance_open(false, NULL, &b, err);
	if (r == -ENOENT)
		return GIVE(ret, s);
	for (unsigned int i = 0; !r && i < LB_VIPS; i++)
		if (b.model->vips[i].key.proto)
			r = add_vip(&b, i, &s);
	balance_close(&b);
	return r ? r : GIVE(ret, s);
}
