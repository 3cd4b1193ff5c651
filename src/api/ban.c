/* SPDX-License-Identifier: BSD-2-Clause */
/* The ban list. */
#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "guard/guard.h"

/* What the caller's size has of it, zeros for the rest. */
static int take_ban(const struct netprobe_ban *from, struct netprobe_ban *ret,
		    struct netprobe_error *err)
{
	struct netprobe_ban b = {};

	if (from->size < offsetof(struct netprobe_ban, ttl_s) || from->size > 65536)
		return error_set(err, -EINVAL, "size: %zu is no size of a ban", from->size);
	memcpy(&b, from, from->size < sizeof(b) ? from->size : sizeof(b));
	if (!memchr(b.cidr, 0, sizeof(b.cidr)) || !memchr(b.reason, 0, sizeof(b.reason)) ||
	    !memchr(b.who, 0, sizeof(b.who)))
		return error_set(err, -EINVAL, "a text of the ban has no end");
	if (b.port_from > b.port_to)
		return error_set(err, -EINVAL, "ports %u to %u run backwards", b.port_from,
				 b.port_to);
	*ret = b;
	return 0;
}

static int item_of(const struct netprobe_ban *b, struct guard_item *ret, struct netprobe_error *err)
{
	const struct passwd *pw;
	struct guard_item item = {};
	int r = guard_parse_cidr(b->cidr, &item, err);

	if (r)
		return r;
	item.proto = b->proto;
	item.dry_run = b->dry_run;
	item.ttl_s = b->ttl_s;
	item.port_from = b->port_from;
	item.port_to = b->port_to ? b->port_to : 65535;
	memcpy(item.reason, b->reason, sizeof(item.reason));
	memcpy(item.who, b->who, sizeof(item.who));
	pw = item.who[0] ? NULL : getpwuid(getuid());
	if (pw)
		(void)snprintf(item.who, sizeof(item.who), "%s", pw->pw_name);
	*ret = item;
	return 0;
}

static int check_safety(const struct guard_item *item, struct netprobe_error *err)
{
	struct guard_safety *s = NULL;
	int r = guard_safety_new(&s, err);

	if (!r)
		r = guard_safety_check(s, item, err);
	guard_safety_free(s);
	return r;
}

static void tell(struct netprobe_manager *m, const char *type, const char *cidr,
		 const struct netprobe_ban *b)
{
	struct buf json = {};

	if (!m->config.enable_security_alerts)
		return;
	buf_puts(&json, " ");
	json_kv_str(&json, "source", cidr);
	if (b) {
		json_kv_u64_or_null(&json, "ttl_s", b->ttl_s);
		json_kv_str(&json, "reason", b->reason[0] ? b->reason : NULL);
	}
	if (buf_str(&json))
		queue_own_event(m, NETPROBE_EVENT_SECURITY, type, "", cidr, 1, "count",
				buf_str(&json));
	buf_done(&json);
}

API_PUBLIC int netprobe_manager_ban(struct netprobe_manager *m, const struct netprobe_ban *ban,
				    struct netprobe_error *err)
{
	struct netprobe_ban b;
	struct guard_item item;
	struct guard *g = NULL;
	int r;

	if (!m || !ban)
		return error_set(err, -EINVAL, "no manager or no ban");
	r = take_ban(ban, &b, err);
	if (!r)
		r = item_of(&b, &item, err);
	if (!r && !b.force && !b.dry_run)
		r = check_safety(&item, err);
	if (!r)
		r = guard_open(0, &g, err);
	if (!r)
		r = guard_add(g, &item, 1, 0, 0, err);
	guard_close(g);
	if (r)
		return r;
	api_lock(m);
	tell(m, "security.ban", b.cidr, &b);
	api_unlock(m);
	return 0;
}

API_PUBLIC int netprobe_manager_unban(struct netprobe_manager *m, const char *cidr,
				      struct netprobe_error *err)
{
	struct guard_item item = {};
	struct guard *g = NULL;
	int r;

	if (!m || !cidr)
		return error_set(err, -EINVAL, "no manager or no address");
	r = guard_parse_cidr(cidr, &item, err);
	if (!r)
		r = guard_open(0, &g, err);
	if (!r)
		r = guard_remove(g, &item, err);
	guard_close(g);
	if (r)
		return r;
	api_lock(m);
	tell(m, "security.unban", cidr, NULL);
	api_unlock(m);
	return 0;
}

struct listing {
	netprobe_ban_fn fn;
	void *arg;
	int n;
};

static int on_item(const struct guard_item *item, void *arg)
{
	struct netprobe_ban b = { .size = sizeof(b),
				  .ttl_s = item->ttl_s,
				  .age_s = item->age_s,
				  .hits = item->hits,
				  .proto = item->proto,
				  .dry_run = item->dry_run,
				  .port_from = item->port_from,
				  .port_to = item->port_to };
	struct listing *l = arg;
	size_t n;

	if (item->allow)
		return 0;
	if (!inet_ntop(item->v6 ? AF_INET6 : AF_INET, item->addr, b.cidr, sizeof(b.cidr)))
		return 0;
	n = strlen(b.cidr);
	if (item->len < (item->v6 ? 128 : 32))
		(void)snprintf(b.cidr + n, sizeof(b.cidr) - n, "/%u", item->len);
	if (b.port_from == 0 && b.port_to == 65535)
		b.port_to = 0;
	memcpy(b.reason, item->reason, sizeof(b.reason));
	memcpy(b.who, item->who, sizeof(b.who));
	l->n++;
	return l->fn ? l->fn(&b, l->arg) : 0;
}

API_PUBLIC int netprobe_manager_banned(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
				       struct netprobe_error *err)
{
	struct listing l = { .fn = fn, .arg = arg };
	struct guard *g = NULL;
	int r;

	if (!m)
		return error_set(err, -EINVAL, "no manager");
	r = guard_open(GUARD_SHARED, &g, err);
	if (!r)
		r = guard_list(g, on_item, &l, err);
	guard_close(g);
	return r < 0 ? r : l.n;
}
