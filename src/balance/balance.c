/* SPDX-License-Identifier: BSD-2-Clause */
/* See balance.h. */
#include "balance/balance.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "balance/health.h"
#include "balance/links.h"
#include "balance/route.h"
#include "base/log.h"

#define LINKS_NS 1000000000ull /* between two looks for VLAN devices */

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static int write_row(const struct balance *b, unsigned int pin, uint32_t slot, const void *value)
{
	return bpf_map_update_elem(b->pins.fds[pin], &slot, value, BPF_ANY) ? -errno : 0;
}

static int failed(int r, const char *what, struct netprobe_error *err)
{
	return r ? error_set(err, r, "%s could not be written: %s", what, strerror(-r)) : 0;
}

/* All n values of an array, in order. */
static int read_array(int fd, void *values, uint32_t n)
{
	uint32_t at = 0, count = n;
	uint32_t *keys = calloc(n, sizeof(*keys));
	int r;

	if (!keys)
		return -ENOMEM;
	r = bpf_map_lookup_batch(fd, NULL, &at, keys, values, &count, NULL) ? -errno : 0;
	free(keys);
	/* The end of the map is told as an error. */
	if (r == -ENOENT)
		r = 0;
	return !r && count != n ? -EPROTO : r;
}

static int read_config(const struct balance *b, struct lb_config *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(b->pins.fds[PIN_CONFIG], &zero, ret) ? -errno : 0;
}

static int read_model(struct balance *b, struct netprobe_error *err)
{
	struct lb_config config;
	int r = read_config(b, &config);

	if (!r)
		r = read_array(b->pins.fds[PIN_VIP_CONF], b->model->vips, LB_VIPS);
	if (!r)
		r = read_array(b->pins.fds[PIN_BACKENDS], b->model->backends, LB_BACKENDS);
	if (!r)
		r = read_array(b->pins.fds[PIN_BE_CONF], b->model->confs, LB_BACKENDS);
	if (r)
		return error_set(err, r, "%s cannot be read: %s", b->pins.dir, strerror(-r));
	b->gen = config.gen;
	return 0;
}

static int mend(struct balance *b, struct netprobe_error *err);

/* What was there before stays when the kernel does not tell: nothing else is harmed by it. */
static void look_at_links(struct balance *b)
{
	uint64_t now = now_ns();
	int r;

	if (b->links_ns && now - b->links_ns < LINKS_NS)
		return;
	b->links_ns = now;
	r = links_refresh(b->pins.fds[PIN_LINKS]);
	if (r)
		log_debug("VLAN devices are not known: %s", strerror(-r));
}

int balance_open(bool create, const struct pins_opts *opts, struct balance *ret,
		 struct netprobe_error *err)
{
	struct balance b = {};
	int r = pins_open(create, opts, &b.pins, err);

	if (r)
		return r;
	b.model = calloc(1, sizeof(*b.model));
	r = b.model ? read_model(&b, err) : -ENOMEM;
	if (!r)
		r = mend(&b, err);
	if (r) {
		balance_close(&b);
		return r;
	}
	look_at_links(&b);
	*ret = b;
	return 0;
}

void balance_close(struct balance *b)
{
	if (b->model)
		pins_close(&b->pins);
	free(b->model);
	b->model = NULL;
}

int balance_ways(const struct balance *b, uint32_t **ret, size_t *ret_n)
{
	uint32_t *ways = calloc(LB_BACKENDS, sizeof(*ways));
	size_t n = 0, k;

	if (!ways)
		return -ENOMEM;
	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		struct route route = {};

		if (!b->model->confs[i].used ||
		    route_find(b->model->backends[i].addr, &route, NULL))
			continue;
		for (k = 0; k < n && ways[k] != route.ifindex; k++)
			;
		if (k == n)
			ways[n++] = route.ifindex;
	}
	*ret = ways;
	*ret_n = n;
	return 0;
}

int balance_prog_fd(const struct balance *b)
{
	return b->pins.fds[PIN_PROG];
}

void balance_share(struct balance *b)
{
	pins_unlock(&b->pins);
}

int balance_take(struct balance *b, struct netprobe_error *err)
{
	struct lb_config config;
	int r = pins_lock(&b->pins);

	if (!r)
		r = read_config(b, &config);
	if (r)
		return error_set(err, r, "%s cannot be locked: %s", b->pins.dir, strerror(-r));
	look_at_links(b);
	if (config.gen == b->gen && !(config.gen & 1))
		return 0;
	r = read_model(b, err);
	return r ? r : mend(b, err);
}

/* Before the first write of a change: who finds it unfinished ends it. */
static int begin_change(struct balance *b)
{
	struct lb_config config;
	int r = read_config(b, &config);

	config.gen |= 1;
	return r ? r : write_row(b, PIN_CONFIG, 0, &config);
}

/* The last thing of each change: others read again, the program looks for VIPs with all ports or not. */
static int write_config(struct balance *b)
{
	struct lb_config config;
	int r = read_config(b, &config);

	if (r)
		return r;
	config.any_all_ports = 0;
	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (b->model->vips[i].key.proto && (b->model->vips[i].flags & LB_VIP_ALL_PORTS))
			config.any_all_ports = 1;
	config.gen = (config.gen | 1) + 1;
	r = write_row(b, PIN_CONFIG, 0, &config);
	if (!r)
		b->gen = config.gen;
	return r;
}

static int write_ring(struct balance *b, unsigned int vip)
{
	struct lb_ring *ring = malloc(sizeof(*ring));
	uint32_t zero = 0;
	int fd = -1, r = ring ? 0 : -ENOMEM;

	if (!r)
		r = model_ring(b->model, vip, now_ns(), ring);
	if (!r) {
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_ring", sizeof(zero), sizeof(*ring), 1,
				    NULL);
		r = fd < 0 ? -errno : 0;
	}
	if (!r)
		r = bpf_map_update_elem(fd, &zero, ring, BPF_ANY) ? -errno : 0;
	if (!r)
		r = write_row(b, PIN_RINGS, vip, &fd);
	if (!r)
		b->model->vips[vip].ring_empty = !ring->slot[0];
	if (fd >= 0)
		close(fd);
	free(ring);
	return r;
}

static int write_backends(struct balance *b, unsigned int vip, bool up)
{
	int r = 0;

	for (unsigned int i = 0; !r && (i = model_next(b->model, vip, i));)
		if ((b->model->backends[i].state == LB_STATE_UP) == up)
			r = write_row(b, PIN_BACKENDS, i, &b->model->backends[i]);
	return r;
}

int balance_save(struct balance *b, unsigned int slot)
{
	return write_row(b, PIN_BE_CONF, slot, &b->model->confs[slot]);
}

/*
 * A backend is there before the ring names it, and the ring names it no more before it goes: no packet
 * meets a place that leads nowhere.
 */
static int write_vip(struct balance *b, unsigned int vip)
{
	int r;

	(void)model_refresh(b->model, vip);
	r = write_backends(b, vip, true);
	if (!r)
		r = write_ring(b, vip);
	if (!r)
		r = write_backends(b, vip, false);
	if (!r)
		r = write_row(b, PIN_VIP_CONF, vip, &b->model->vips[vip]);
	return r;
}

int balance_update(struct balance *b, unsigned int vip, struct netprobe_error *err)
{
	int r = begin_change(b);

	if (!r)
		r = write_vip(b, vip);
	if (!r)
		r = write_config(b);
	return failed(r, "the ring", err);
}

static int clear_count(const struct balance *b, unsigned int pin, uint32_t slot)
{
	size_t bytes = (size_t)libbpf_num_possible_cpus() * sizeof(struct lb_count);
	void *zeros = calloc(1, bytes);
	int r = zeros ? write_row(b, pin, slot, zeros) : -ENOMEM;

	free(zeros);
	return r;
}

int balance_vip_add(struct balance *b, const struct lb_vip_key *key, uint32_t flags,
		    struct netprobe_error *err)
{
	int slot = model_vip_add(b->model, key, flags, err), r;
	struct lb_vip_conf *conf;
	struct lb_vip vip;

	if (slot < 0)
		return slot;
	conf = &b->model->vips[slot];
	vip = (struct lb_vip){ .slot = (uint32_t)slot, .uid = conf->uid, .flags = conf->flags };
	r = clear_count(b, PIN_VIP_COUNT, vip.slot);
	if (!r)
		r = begin_change(b);
	if (!r)
		r = write_vip(b, vip.slot);
	if (!r)
		r = bpf_map_update_elem(b->pins.fds[PIN_VIPS], key, &vip, BPF_NOEXIST) ? -errno : 0;
	if (!r)
		r = write_config(b);
	return failed(r, "the VIP", err);
}

/* That it is none comes first: one without an address would be the first VIP's. */
static int write_freed(struct balance *b, unsigned int slot)
{
	int r = balance_save(b, slot);

	return r ? r : write_row(b, PIN_BACKENDS, slot, &b->model->backends[slot]);
}

/*
 * A command that was killed in the middle of a change: the change is made as far as the lists of VIPs and
 * backends say so, and what packets meet becomes what they say.
 */
static int mend(struct balance *b, struct netprobe_error *err)
{
	int r = 0;

	if (!(b->gen & 1))
		return 0;
	for (unsigned int i = 0; i < LB_VIPS && !r; i++) {
		const struct lb_vip_conf *conf = &b->model->vips[i];
		struct lb_vip vip = { .slot = i, .uid = conf->uid, .flags = conf->flags };

		if (!conf->key.proto)
			continue;
		r = write_vip(b, i);
		if (!r)
			r = bpf_map_update_elem(b->pins.fds[PIN_VIPS], &conf->key, &vip, BPF_ANY)
				    ? -errno
				    : 0;
	}
	for (unsigned int i = 1; i < LB_BACKENDS && !r; i++) {
		if (!b->model->confs[i].used ||
		    b->model->vips[b->model->backends[i].vip_slot].key.proto)
			continue;
		model_backend_remove(b->model, i);
		r = write_freed(b, i);
	}
	if (!r)
		r = write_config(b);
	return failed(r, "what a killed command left half done", err);
}

/* Nobody else's packets go over that hop any more: let the kernel forget it. */
static void drop_hop(struct balance *b, unsigned int slot)
{
	struct lb_backend_conf conf = b->model->confs[slot];

	if (!conf.ifindex)
		return;
	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		const struct lb_backend_conf *c = &b->model->confs[i];

		if (i != slot && c->used && c->ifindex == conf.ifindex &&
		    !memcmp(c->hop, conf.hop, sizeof(conf.hop)))
			return;
	}
	route_forget(conf.hop, conf.ifindex);
}

int balance_vip_remove(struct balance *b, const struct lb_vip_key *key, struct netprobe_error *err)
{
	uint16_t freed[LB_BACKENDS];
	unsigned int n = 0;
	int slot = model_vip(b->model, key, err), r;
	uint32_t at;

	if (slot < 0)
		return slot;
	at = (uint32_t)slot;
	r = begin_change(b);
	if (!r)
		r = bpf_map_delete_elem(b->pins.fds[PIN_VIPS], key) && errno != ENOENT ? -errno : 0;
	if (r)
		return failed(r, "the VIP", err);
	(void)bpf_map_delete_elem(b->pins.fds[PIN_RINGS], &at);
	for (unsigned int i = 0; (i = model_next(b->model, at, i));) {
		drop_hop(b, i);
		b->model->confs[i].ifindex = 0;
		freed[n++] = (uint16_t)i;
	}
	model_vip_remove(b->model, at);
	/* From here on it is no VIP any more, and its backends are nobody's. */
	r = write_row(b, PIN_VIP_CONF, at, &b->model->vips[at]);
	for (unsigned int i = 0; !r && i < n; i++)
		r = write_freed(b, freed[i]);
	if (!r)
		r = write_config(b);
	return failed(r, "the VIP", err);
}

/* Have a backend's next hop kept resolved, unless somebody cares for it already. */
static void keep_hop(const struct balance *b, struct lb_backend_conf *conf,
		     const struct route *route)
{
	bool kept = false;

	for (unsigned int i = 1; !kept && i < LB_BACKENDS; i++)
		kept = b->model->confs[i].used && b->model->confs[i].ifindex == route->ifindex &&
		       !memcmp(b->model->confs[i].hop, route->hop, sizeof(route->hop));
	/* Not resolved now is counted as "no neighbour" later, and is no reason to refuse. */
	if (!kept && route_keep(route->hop, route->ifindex) == -EEXIST)
		return;
	memcpy(conf->hop, route->hop, sizeof(route->hop));
	conf->ifindex = route->ifindex;
}

int balance_backend_add(struct balance *b, const struct lb_vip_key *vip, struct backend_spec *spec,
			struct netprobe_error *err)
{
	static const uint8_t none[16];
	int at = model_vip(b->model, vip, err), slot, r;
	struct route route = {};

	if (at < 0)
		return at;
	if (!memcmp(spec->src, none, sizeof(none))) {
		r = route_find(spec->addr, &route, err);
		if (r)
			return r;
		memcpy(spec->src, route.src, sizeof(route.src));
	}
	slot = model_backend_add(b->model, (unsigned int)at, spec, now_ns(), err);
	if (slot < 0)
		return slot;
	if (route.ifindex)
		keep_hop(b, &b->model->confs[slot], &route);
	r = clear_count(b, PIN_BE_COUNT, (uint32_t)slot);
	if (!r)
		r = begin_change(b);
	/* Where it is, then that it is one. */
	if (!r)
		r = write_row(b, PIN_BACKENDS, (uint32_t)slot, &b->model->backends[slot]);
	if (!r)
		r = balance_save(b, (unsigned int)slot);
	if (r)
		return failed(r, "the backend", err);
	return balance_update(b, (unsigned int)at, err);
}

/* Slot of a backend; its VIP's too. */
static int find_backend(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			unsigned int *ret_vip, struct netprobe_error *err)
{
	int at = model_vip(b->model, vip, err);

	if (at < 0)
		return at;
	*ret_vip = (unsigned int)at;
	return model_backend(b->model, *ret_vip, addr, err);
}

int balance_backend_remove(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			   struct netprobe_error *err)
{
	unsigned int at = 0;
	int slot = find_backend(b, vip, addr, &at, err), r;

	if (slot < 0)
		return slot;
	drop_hop(b, (unsigned int)slot);
	model_backend_remove(b->model, (unsigned int)slot);
	r = begin_change(b);
	if (!r)
		r = write_vip(b, at);
	if (!r)
		r = write_freed(b, (unsigned int)slot);
	if (!r)
		r = write_config(b);
	return failed(r, "the backend", err);
}

int balance_backend_drain(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			  bool drain, struct netprobe_error *err)
{
	unsigned int at = 0;
	int slot = find_backend(b, vip, addr, &at, err), r;

	if (slot < 0)
		return slot;
	b->model->confs[slot].drain = drain;
	r = begin_change(b);
	if (!r)
		r = balance_save(b, (unsigned int)slot);
	r = failed(r, "the backend", err);
	return r ? r : balance_update(b, at, err);
}

int balance_backend_weight(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			   uint32_t weight, struct netprobe_error *err)
{
	unsigned int at = 0;
	int slot = find_backend(b, vip, addr, &at, err), r;

	if (slot < 0)
		return slot;
	b->model->confs[slot].weight = weight;
	r = begin_change(b);
	if (!r)
		r = balance_save(b, (unsigned int)slot);
	r = failed(r, "the backend", err);
	return r ? r : balance_update(b, at, err);
}

int balance_remove(struct balance *b, struct netprobe_error *err)
{
	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		if (!b->model->confs[i].used)
			continue;
		drop_hop(b, i);
		b->model->confs[i].used = 0;
	}
	return pins_remove(&b->pins, err);
}
