/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual services and their backends. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "balance/health.h"

/* Nothing is translated between the header and the kernel half. */
_Static_assert(NETPROBE_BACKEND_UP == LB_STATE_UP && NETPROBE_BACKEND_DRAINING == LB_STATE_DRAIN &&
		       NETPROBE_BACKEND_DOWN == LB_STATE_DOWN,
	       "states");
_Static_assert(NETPROBE_FORWARD_ENCAP == LB_FORWARD_ENCAP && NETPROBE_FORWARD_MAC == LB_FORWARD_MAC,
	       "ways to a backend");
_Static_assert(NETPROBE_CHECK_NONE == LB_CHECK_NONE && NETPROBE_CHECK_TCP == LB_CHECK_TCP &&
		       NETPROBE_CHECK_HTTP == LB_CHECK_HTTP,
	       "checks");
_Static_assert(NETPROBE_VIP_BY_SOURCE == LB_VIP_SOURCE && NETPROBE_VIP_FORCE != LB_VIP_ALL_PORTS,
	       "flags of a VIP");

/* -ENOENT in words, where there is no balancer at all. */
static int open_balance(bool create, uint32_t flows, struct balance *ret,
			struct netprobe_error *err)
{
	struct pins_opts opts = { .conns = flows };
	struct netprobe_error e = {};
	int r = api_check_listing(err);

	if (r)
		return r;
	if (create)
		api_sweep();
	r = balance_open(create, &opts, ret, &e);
	if (r == -ENOENT) {
		error_set(err, r, "there is no VIP in this network namespace");
		error_hint(err, "netprobe_manager_vip_add makes one");
		return r;
	}
	if (r)
		error_take(err, &e);
	return r;
}

/* The last VIP takes all pins, where no interface uses them: asked before the balancer's lock is taken. */
static void leave(struct balance *b, bool in_use)
{
	if (b->model && !model_vips(b->model) && !in_use)
		(void)balance_remove(b, NULL);
	balance_close(b);
}

static int check_vip(const struct lb_vip_key *key, const char *vip, struct netprobe_error *err)
{
	struct guard_safety *s = NULL;
	int r = guard_safety_new(&s, err);

	if (!r)
		r = guard_safety_service(s, key->addr, ntohs(key->port_be), key->proto, err);
	if (r)
		error_prefix(err, "%.80s", vip);
	guard_safety_free(s);
	return r;
}

API_PUBLIC int netprobe_manager_vip_add(struct netprobe_manager *m, const char *vip, uint32_t flags,
					struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	struct lb_vip_key key;
	uint32_t conns;
	bool in_use;
	/* Before the manager's lock: whoever looks may wait for the list with it. */
	int r = api_check_listing(err);

	if (r)
		return r;
	if (!vip)
		return error_set(err, -EINVAL, "no VIP");
	if (flags & ~(uint32_t)(NETPROBE_VIP_BY_SOURCE | NETPROBE_VIP_FORCE))
		return error_set(err, -EINVAL,
				 "flags: %#x has some that are none of NETPROBE_VIP_*", flags);
	r = vip_parse(vip, &key, err);
	if (!r && !(flags & NETPROBE_VIP_FORCE))
		r = check_vip(&key, vip, err);
	in_use = !r && api_balances();
	api_lock(m);
	conns = m->config.balancer_flows;
	api_unlock(m);
	if (!r)
		r = open_balance(true, conns, &b, err);
	if (!r)
		r = balance_vip_add(&b, &key, flags & NETPROBE_VIP_BY_SOURCE, err);
	leave(&b, in_use);
	return r;
}

API_PUBLIC int netprobe_manager_vip_remove(struct netprobe_manager *m, const char *vip,
					   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	struct lb_vip_key key;
	bool in_use;
	int r;

	if (!vip)
		return error_set(err, -EINVAL, "no VIP");
	r = vip_parse(vip, &key, err);
	in_use = !r && api_balances();
	if (!r)
		r = open_balance(false, 0, &b, err);
	if (!r)
		r = balance_vip_remove(&b, &key, err);
	leave(&b, in_use);
	return r;
}

/* Of an HTTP request: into ret, empty where there is none. */
static int take_text(const char *name, const char *text, char *ret, size_t size,
		     struct netprobe_error *err)
{
	int r = api_check_text(name, text, size - 1, err);

	if (r)
		return r;
	for (const char *s = text; s && *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 127)
			return error_set(err, -EINVAL, "%s: has a blank in it", name);
	(void)snprintf(ret, size, "%s", text ? text : "");
	return 0;
}

static int spec_of(const struct netprobe_backend *from, const struct lb_vip_key *vip,
		   struct backend_spec *ret, struct netprobe_error *err)
{
	struct netprobe_backend x;
	struct backend_spec s = {};
	int r = api_take(from, from->size, offsetof(struct netprobe_backend, host) + sizeof(char *),
			 &x, sizeof(x), err);

	if (r)
		return r;
	if (!x.addr)
		return error_set(err, -EINVAL, "no address of the backend");
	r = backend_parse(x.addr, s.addr, err);
	if (r)
		return r;
	if (x.path && x.path[0] && x.path[0] != '/')
		return error_set(err, -EINVAL, "path: '%.40s' does not begin with /", x.path);
	if (x.weight > LB_WEIGHT_MAX || x.forward > NETPROBE_FORWARD_MAC ||
	    x.check > NETPROBE_CHECK_HTTP || x.rise > 100 || x.fall > 100)
		return error_set(
			err, -EINVAL,
			"backend %s: weight takes up to %d, rise and fall up to 100, forward and check "
			"NETPROBE_FORWARD_* and NETPROBE_CHECK_*",
			x.addr, LB_WEIGHT_MAX);
	s.forward = (uint8_t)x.forward;
	s.conf = (struct lb_backend_conf){
		.weight = x.weight ? x.weight : 1,
		.check = (uint8_t)x.check,
		.port = x.check_port ? x.check_port : ntohs(vip->port_be),
		.interval_ms = x.interval_ms ? x.interval_ms : 2000,
		.timeout_ms = x.timeout_ms ? x.timeout_ms : 1000,
		.rise = (uint8_t)(x.rise ? x.rise : 2),
		.fall = (uint8_t)(x.fall ? x.fall : 3),
		.slow_start_ms = x.slow_start_ms,
	};
	if (x.check != NETPROBE_CHECK_NONE && !s.conf.port)
		return error_set(err, -EINVAL,
				 "check_port: the VIP takes all ports; takes one to check");
	r = take_text("path", x.path, s.conf.path, sizeof(s.conf.path), err);
	if (!r)
		r = take_text("host", x.host, s.conf.host, sizeof(s.conf.host), err);
	if (!r)
		*ret = s;
	return r;
}

/* A new backend may be reached by a device that takes nothing of what native XDP sends. */
static void deliver(struct netprobe_error *err)
{
	struct guard *g = NULL;
	char note[256] = "";
	size_t n = 0;
	uint32_t *ways = api_ways(&n);
	int r = 0;

	if (!api_guard(0, &g, NULL))
		r = guard_deliver(g, ways, n, note, sizeof(note), err);
	guard_close(g);
	free(ways);
	/* It is a backend all the same. */
	if (r < 0)
		(void)error_recode(err, NETPROBE_NOTE);
	else
		(void)error_set(err, note[0] ? NETPROBE_NOTE : 0, "%s", note);
}

API_PUBLIC int netprobe_manager_backend_add(struct netprobe_manager *m, const char *vip,
					    const struct netprobe_backend *backend,
					    struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	struct backend_spec s;
	struct lb_vip_key key;
	int r;

	if (!vip || !backend)
		return error_set(err, -EINVAL, "no VIP or no backend");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = spec_of(backend, &key, &s, err);
	if (!r)
		r = open_balance(false, 0, &b, err);
	if (!r)
		r = balance_backend_add(&b, &key, &s, err);
	balance_close(&b);
	if (!r)
		deliver(err);
	return r;
}

#define REMOVE 0
#define DRAIN 1
#define UNDRAIN 2
#define WEIGHT 3

static int change(struct netprobe_manager *m, const char *vip, const char *addr, int what,
		  uint32_t weight, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	struct lb_vip_key key;
	uint8_t at[16];
	int r;

	if (!vip || !addr)
		return error_set(err, -EINVAL, "no VIP or no backend");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = backend_parse(addr, at, err);
	if (!r && what == WEIGHT && (!weight || weight > LB_WEIGHT_MAX))
		r = error_set(err, -EINVAL, "weight: %u is out of range; takes 1 to %d", weight,
			      LB_WEIGHT_MAX);
	if (!r)
		r = open_balance(false, 0, &b, err);
	if (!r)
		r = what == REMOVE   ? balance_backend_remove(&b, &key, at, err)
		    : what == WEIGHT ? balance_backend_weight(&b, &key, at, weight, err)
				     : balance_backend_drain(&b, &key, at, what == DRAIN, err);
	balance_close(&b);
	return r;
}

API_PUBLIC int netprobe_manager_backend_remove(struct netprobe_manager *m, const char *vip,
					       const char *addr, struct netprobe_error *err)
{
	return change(m, vip, addr, REMOVE, 0, err);
}

API_PUBLIC int netprobe_manager_backend_drain(struct netprobe_manager *m, const char *vip,
					      const char *addr, bool drain,
					      struct netprobe_error *err)
{
	return change(m, vip, addr, drain ? DRAIN : UNDRAIN, 0, err);
}

API_PUBLIC int netprobe_manager_backend_weight(struct netprobe_manager *m, const char *vip,
					       const char *addr, uint32_t weight,
					       struct netprobe_error *err)
{
	return change(m, vip, addr, WEIGHT, weight, err);
}

static void counters(struct netprobe_backend_stats *s, const struct lb_count *n)
{
	s->packets = n->packets;
	s->bytes = n->bytes;
	s->new_flows = n->new_flows;
	s->table_hits = n->table_hits;
	s->errors = n->errors;
}

/* A VIP and its backends: calls so far in *n; 1: fn wants no more. */
static int tell_vip(const struct balance *b, unsigned int vip, netprobe_backend_fn fn, void *arg,
		    int *n)
{
	struct netprobe_backend_stats s = { .size = sizeof(s), .why = "" };
	char name[VIP_TEXT_SIZE], addr[ADDR_TEXT_SIZE];
	struct lb_count count;
	int r = balance_vip_count(b, vip, &count);

	if (r)
		return r;
	vip_format(&b->model->vips[vip].key, name);
	s.vip = name;
	counters(&s, &count);
	++*n;
	r = fn(&s, arg);
	for (unsigned int i = 0; !r && (i = model_next(b->model, vip, i));) {
		const struct lb_backend_conf *c = &b->model->confs[i];

		r = balance_backend_count(b, i, &count);
		if (r)
			return r;
		addr_format(b->model->backends[i].addr, addr);
		s.addr = addr;
		s.state = health_state(c);
		s.weight = c->weight;
		s.forward = b->model->backends[i].forward;
		s.check = c->check;
		s.why = c->why;
		counters(&s, &count);
		++*n;
		r = fn(&s, arg);
	}
	return r ? 1 : 0;
}

API_PUBLIC int netprobe_manager_backends(struct netprobe_manager *m, netprobe_backend_fn fn,
					 void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	int r, n = 0;

	if (!fn)
		return error_set(err, -EINVAL, "no function to call");
	r = open_balance(false, 0, &b, err);
	if (r)
		return r == -ENOENT ? 0 : r;
	api_listing++;
	for (unsigned int i = 0; !r && i < LB_VIPS; i++)
		if (b.model->vips[i].key.proto)
			r = tell_vip(&b, i, fn, arg, &n);
	api_listing--;
	balance_close(&b);
	return r < 0 ? error_set(err, r, "the balancer's counters cannot be read: %s", strerror(-r))
		     : n;
}
