/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard is doing: interfaces, their counters, flows, the switch. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <stdio.h>

#include "guard/attach.h"
#include "guard/device.h"

static void count_add(struct np_guard_dev *sum, const struct np_guard_dev *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	_Static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "all of it is counters");
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void sum_way(struct np_guard_way *w)
{
	for (unsigned int k = 0; k < NP_KIND_MAX; k++) {
		w->packets += w->kind[k].packets;
		w->bytes += w->kind[k].bytes;
	}
	w->segments = w->packets + w->more_segments;
	w->wire_bytes = w->bytes + w->more_bytes;
}

static uint64_t since(uint64_t now, uint64_t base)
{
	return now >= base ? now - base : now; /* the driver set them back */
}

static void fill(struct guard *g, struct guard_if *f)
{
	struct device_count c = {};
	uint64_t may_send;

	f->gone = !if_indextoname(f->at.ifindex, f->name);
	if (f->gone)
		memcpy(f->name, f->at.name, sizeof(f->name));
	f->moved = f->gone && f->at.xdp && link_lives(g, "xdp", f->at.ifindex);
	f->tx_errors_known = sent_watched(g);
	f->lost_xdp = !f->gone && f->at.xdp && !link_is_on(g, "xdp", f->at.ifindex);
	if (f->gone)
		return;
	/* By facts, and by what became of what was sent; of what is balanced that is no more than came in. */
	may_send = f->at.mode == NP_GUARD_BALANCE ? f->count.rx.packets : f->count.cookies_sent;
	f->mute = attach_has_to_send(g, f->at.mode) &&
		  ((f->at.xdp == NP_GUARD_XDP_NATIVE && !device_sends(f->at.ifindex)) ||
		   f->count.tx_errors > may_send / 2);
	if (device_count(f->name, &c))
		return;
	f->rx_packets = since(c.rx_packets, f->at.base_rx_packets);
	f->rx_bytes = since(c.rx_bytes, f->at.base_rx_bytes);
	f->tx_packets = since(c.tx_packets, f->at.base_tx_packets);
	f->tx_bytes = since(c.tx_bytes, f->at.base_tx_bytes);
	f->rx_dropped = since(c.rx_dropped, f->at.base_rx_dropped);
	f->tx_dropped = since(c.tx_dropped, f->at.base_tx_dropped);
	f->rx_errors = since(c.rx_errors, f->at.base_rx_errors);
	f->tx_errors = since(c.tx_errors, f->at.base_tx_errors);
}

int guard_ifs(struct guard *g, struct guard_if **ret_ifs)
{
	int n = 0, cpus = libbpf_num_possible_cpus();
	struct np_guard_dev *per_cpu = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*per_cpu));
	struct guard_if *ifs = calloc(NP_GUARD_IFS, sizeof(*ifs));

	if (!per_cpu || !ifs) {
		free(per_cpu);
		free(ifs);
		return -ENOMEM;
	}
	for (uint32_t slot = 0; slot < NP_GUARD_IFS; slot++) {
		struct guard_if *f = &ifs[n];

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &f->at) || !f->at.ifindex)
			continue;
		if (!bpf_map_lookup_elem(g->map[MAP_DEVS], &slot, per_cpu))
			for (int c = 0; c < cpus; c++)
				count_add(&f->count, &per_cpu[c]);
		sum_way(&f->count.rx);
		sum_way(&f->count.tx);
		fill(g, f);
		n++;
	}
	free(per_cpu);
	*ret_ifs = ifs;
	return n;
}

int guard_flows(struct guard *g,
		int (*fn)(const struct np_guard_flow_key *k, const struct np_guard_flow *f,
			  void *arg),
		void *arg)
{
	struct np_guard_flow_key key, next;
	struct np_guard_flow f;
	unsigned int seen = 0;
	bool first = true;
	int r = 0;

	/* Entries come and go meanwhile, and a walk may start over: no more steps than there is room. */
	while (!r && seen++ < NP_GUARD_FLOWS &&
	       !bpf_map_get_next_key(g->map[MAP_FLOWS], first ? NULL : &key, &next)) {
		first = false;
		key = next;
		if (!bpf_map_lookup_elem(g->map[MAP_FLOWS], &key, &f))
			r = fn(&key, &f, arg);
	}
	return r;
}

void guard_switch(struct guard *g, bool on)
{
	g->conf->off = !on;
}

/* From /proc, where the kernel tells what a map costs. */
static uint32_t map_kib(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		(void)fclose(f);
	return (uint32_t)(bytes / 1024);
}

void guard_state(struct guard *g, struct guard_state *ret)
{
	uint32_t set = set_current(g), until = (uint32_t)(g->conf->state >> 32);

	*ret = (struct guard_state){ .off = g->conf->off, .room = NP_GUARD_ENTRIES };
	memcpy(&ret->policy, (void *)&g->conf->policy[set], sizeof(ret->policy));
	for (unsigned int k = 0; k < NP_SET_MAX; k++)
		*(k < NP_SET_ALLOW4 ? &ret->bans : &ret->allows) += ret->policy.n[k];
	ret->cookies = cookie_support(g);
	ret->cookie_setting = guard_cookie_setting();
	ret->cookie_services = cookie_count(g);
	if (set_waits(g))
		ret->confirm_s = (uint32_t)((until - guard_tick_now()) / TICKS_PER_S + 0.9) ?: 1;
	for (unsigned int i = 0; i < MAP_MAX; i++)
		ret->memory_kib += map_kib(g->map[i]);
	for (unsigned int k = 0; k < NP_SET_MAX; k++) {
		for (uint32_t s = 0; s < 2; s++) {
			int fd = set_fd(g, s, k);

			if (fd < 0)
				continue;
			ret->memory_kib += map_kib(fd);
			(void)close(fd);
		}
	}
}

int guard_confirm(struct guard *g, struct netprobe_error *err)
{
	uint32_t set = g->conf->state & 1;

	if (!set_waits(g))
		return error_set(err, -ENOENT, "nothing waits to be confirmed");
	g->conf->state = NP_GUARD_STATE(set, 0);
	set_drop(g, set ^ 1);
	return 0;
}
