/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual services and their backends. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api/internal.h"

/* -ENOENT in words, where there is no balancer at all. */
static int open_balance(bool create, struct balance *ret, struct netprobe_error *err)
{
	struct netprobe_error e = {};
	int r = balance_open(create, NULL, ret, &e);

	if (r == -ENOENT)
		return error_set(err, r, "there is no VIP in this network namespace");
	if (r && err)
		*err = e;
	return r;
}

API_PUBLIC int netprobe_manager_vip_add(struct netprobe_manager *m, const char *vip, bool by_source,
					struct netprobe_error *err)
{
	struct balance b = {};
	struct lb_vip_key key;
	int r;

	if (!m || !vip)
		return error_set(err, -EINVAL, "no manager or no VIP");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = open_balance(true, &b, err);
	if (!r)
		r = balance_vip_add(&b, &key, by_source ? LB_VIP_SOURCE : 0, err);
	balance_close(&b);
	return r;
}

API_PUBLIC int netprobe_manager_vip_remove(struct netprobe_manager *m, const char *vip,
					   struct netprobe_error *err)
{
	struct balance b = {};
	struct lb_vip_key key;
	int r;

	if (!m || !vip)
		return error_set(err, -EINVAL, "no manager or no VIP");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = open_balance(false, &b, err);
	if (!r)
		r = balance_vip_remove(&b, &key, err);
	balance_close(&b);
	return r;
}

static int no_text(const char *name, struct netprobe_error *err)
{
	return error_set(err, -EINVAL, "%s: has a blank in it, or no end", name);
}

static bool is_text(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!s[i])
			return true;
		if (s[i] <= ' ' || s[i] == 127)
			return false;
	}
	return false;
}

static int spec_of(const struct netprobe_backend *from, const struct lb_vip_key *vip,
		   struct backend_spec *ret, struct netprobe_error *err)
{
	struct netprobe_backend x = {};
	struct backend_spec s = {};
	int r;

	if (from->size < offsetof(struct netprobe_backend, weight) || from->size > 65536)
		return error_set(err, -EINVAL, "size: %zu is no size of a backend", from->size);
	memcpy(&x, from, from->size < sizeof(x) ? from->size : sizeof(x));
	if (!memchr(x.addr, 0, sizeof(x.addr)))
		return no_text("addr", err);
	r = backend_parse(x.addr, s.addr, err);
	if (r)
		return r;
	if (!is_text(x.path, sizeof(x.path)) || (x.path[0] && x.path[0] != '/'))
		return no_text("path", err);
	if (!is_text(x.host, sizeof(x.host)))
		return no_text("host", err);
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
	memcpy(s.conf.path, x.path, sizeof(x.path));
	memcpy(s.conf.host, x.host, sizeof(x.host));
	*ret = s;
	return 0;
}

API_PUBLIC int netprobe_manager_backend_add(struct netprobe_manager *m, const char *vip,
					    const struct netprobe_backend *backend,
					    struct netprobe_error *err)
{
	struct balance b = {};
	struct backend_spec s;
	struct lb_vip_key key;
	int r;

	if (!m || !vip || !backend)
		return error_set(err, -EINVAL, "no manager, no VIP or no backend");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = spec_of(backend, &key, &s, err);
	if (!r)
		r = open_balance(false, &b, err);
	if (!r)
		r = balance_backend_add(&b, &key, &s, err);
	balance_close(&b);
	return r;
}

#define REMOVE 0
#define DRAIN 1
#define UNDRAIN 2

static int change(struct netprobe_manager *m, const char *vip, const char *addr, int what,
		  struct netprobe_error *err)
{
	struct balance b = {};
	struct lb_vip_key key;
	uint8_t at[16];
	int r;

	if (!m || !vip || !addr)
		return error_set(err, -EINVAL, "no manager, no VIP or no backend");
	r = vip_parse(vip, &key, err);
	if (!r)
		r = backend_parse(addr, at, err);
	if (!r)
		r = open_balance(false, &b, err);
	if (!r)
		r = what == REMOVE ? balance_backend_remove(&b, &key, at, err)
				   : balance_backend_drain(&b, &key, at, what == DRAIN, err);
	balance_close(&b);
	return r;
}

API_PUBLIC int netprobe_manager_backend_remove(struct netprobe_manager *m, const char *vip,
					       const char *addr, struct netprobe_error *err)
{
	return change(m, vip, addr, REMOVE, err);
}

API_PUBLIC int netprobe_manager_backend_drain(struct netprobe_manager *m, const char *vip,
					      const char *addr, bool drain,
					      struct netprobe_error *err)
{
	return change(m, vip, addr, drain ? DRAIN : UNDRAIN, err);
}
