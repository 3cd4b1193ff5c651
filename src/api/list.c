/* SPDX-License-Identifier: BSD-2-Clause */
/* The ban list and the allow list. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/error.h"

API_PUBLIC int netprobe_check_cidr(const char *cidr, struct netprobe_error *err)
{
	struct guard_item item = {};

	return cidr ? guard_parse_cidr(cidr, &item, err) : error_set(err, -EINVAL, "no address");
}

static int take_ban(const struct netprobe_ban *from, size_t size, struct netprobe_ban *ret,
		    struct netprobe_error *err)
{
	struct netprobe_ban b;
	int r = api_take(from, size, offsetof(struct netprobe_ban, ttl_s), &b, sizeof(b), err);

	if (r)
		return r;
	if (!memchr(b.cidr, 0, sizeof(b.cidr)) || !memchr(b.reason, 0, sizeof(b.reason)) ||
	    !memchr(b.who, 0, sizeof(b.who)))
		return error_set(err, -EINVAL, "a text of the ban has no end");
	if (b.port_from > b.port_to)
		return error_set(err, -EINVAL, "ports %u to %u run backwards", b.port_from,
				 b.port_to);
	*ret = b;
	return 0;
}

/* All but the address. */
static void model_of(const struct netprobe_ban *b, bool allow, struct guard_item *ret)
{
	const struct passwd *pw;
	struct guard_item item = {
		.allow = allow,
		.proto = b->proto,
		.dry_run = b->dry_run,
		.ttl_s = b->ttl_s,
		.port_from = b->port_from,
		.port_to = b->port_to ? b->port_to : 65535,
	};

	memcpy(item.reason, b->reason, sizeof(item.reason));
	memcpy(item.who, b->who, sizeof(item.who));
	pw = item.who[0] ? NULL : getpwuid(getuid());
	if (pw)
		(void)snprintf(item.who, sizeof(item.who), "%s", pw->pw_name);
	else if (!item.who[0])
		(void)snprintf(item.who, sizeof(item.who), "%u", getuid());
	*ret = item;
}

static int item_of(const struct netprobe_ban *b, bool allow, struct guard_item *ret,
		   struct netprobe_error *err)
{
	struct guard_item item;
	int r;

	model_of(b, allow, &item);
	r = guard_parse_cidr(b->cidr, &item, err);
	if (!r)
		*ret = item;
	return r;
}

/* Dry runs drop nothing, and what is allowed cuts nobody off: guard_safety_check knows. */
static int check_safety(const struct guard_item *items, size_t n, struct netprobe_error *err)
{
	struct guard_safety *s = NULL;
	int r = guard_safety_new(&s, err);

	for (size_t i = 0; !r && i < n; i++) {
		r = guard_safety_check(s, &items[i], err);
		if (r && items[i].line)
			error_prefix(err, "line %u", items[i].line);
	}
	guard_safety_free(s);
	return r;
}

static int add_items(const struct guard_item *items, size_t n, const struct netprobe_change *how,
		     struct netprobe_error *err)
{
	unsigned int flags = !how->replace			  ? 0
			     : how->list == NETPROBE_LIST_ALLOWED ? GUARD_REPLACE_ALLOWED
								  : GUARD_REPLACE_BANS;
	struct guard *g = NULL;
	int r = how->force ? 0 : check_safety(items, n, err);

	if (!r)
		r = api_guard(0, &g, err);
	if (!r)
		r = guard_add(g, items, n, flags, how->confirm_s, err);
	guard_close(g);
	return r < 0 ? r : n > INT_MAX ? INT_MAX : (int)n;
}

static void tell(struct netprobe_manager *m, const char *type, const char *cidr,
		 const struct netprobe_ban *b)
{
	struct buf json = {};

	api_lock(m);
	buf_puts(&json, " ");
	json_kv_str(&json, "source", cidr);
	if (b) {
		json_kv_u64_or_null(&json, "ttl_s", b->ttl_s);
		json_kv_str(&json, "reason", b->reason[0] ? b->reason : NULL);
	}
	if (m->config.enable_security_alerts && buf_str(&json))
		queue_own_event(m, NETPROBE_EVENT_SECURITY, type, "", cidr, 1, "count",
				buf_str(&json), cidr);
	buf_done(&json);
	api_unlock(m);
}

static int add_one(const struct netprobe_ban *ban, bool allow, struct netprobe_ban *ret,
		   struct netprobe_error *err)
{
	struct netprobe_change how = {};
	struct guard_item item;
	int r = ban ? take_ban(ban, ban->size, ret, err) : error_set(err, -EINVAL, "no entry");

	if (!r)
		r = item_of(ret, allow, &item, err);
	if (!r) {
		how.force = ret->force;
		r = add_items(&item, 1, &how, err);
	}
	return r < 0 ? r : 0;
}

API_PUBLIC int netprobe_manager_ban(struct netprobe_manager *m, const struct netprobe_ban *ban,
				    struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_ban b;
	int r = add_one(ban, false, &b, err);

	if (!r)
		tell(m, "security.ban", b.cidr, &b);
	return r;
}

API_PUBLIC int netprobe_manager_allow(struct netprobe_manager *m, const struct netprobe_ban *entry,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_ban b;

	return add_one(entry, true, &b, err);
}

/* All, or none. */
static int remove_items(const struct guard_item *items, size_t n, size_t *ret_wrong,
			struct netprobe_error *err)
{
	struct guard *g = NULL;
	int r = api_guard(0, &g, err);

	if (!r)
		r = guard_remove(g, items, n, ret_wrong, err);
	guard_close(g);
	return r;
}

static int remove_one(const char *cidr, bool allow, struct netprobe_error *err)
{
	struct guard_item item = { .allow = allow };
	size_t wrong;
	int r = cidr ? guard_parse_cidr(cidr, &item, err) : error_set(err, -EINVAL, "no address");

	return r ? r : remove_items(&item, 1, &wrong, err);
}

API_PUBLIC int netprobe_manager_unban(struct netprobe_manager *m, const char *cidr,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = remove_one(cidr, false, err);

	if (!r)
		tell(m, "security.unban", cidr, NULL);
	return r;
}

API_PUBLIC int netprobe_manager_unallow(struct netprobe_manager *m, const char *cidr,
					struct netprobe_error *err)
{
	API_ENTER(m, err);

	return remove_one(cidr, true, err);
}

static int take_change(const struct netprobe_change *from, struct netprobe_change *ret,
		       struct netprobe_error *err)
{
	int r = 0;

	*ret = (struct netprobe_change){};
	if (from)
		r = api_take(from, from->size, offsetof(struct netprobe_change, list), ret,
			     sizeof(*ret), err);
	if (!r && ret->list > NETPROBE_LIST_ALLOWED)
		r = error_set(err, -EINVAL, "list: %u is none; takes NETPROBE_LIST_*", ret->list);
	return r;
}

API_PUBLIC int netprobe_manager_change_list(struct netprobe_manager *m,
					    const struct netprobe_change *how,
					    const struct netprobe_ban *entries, size_t n,
					    struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_item *items = NULL;
	struct netprobe_change c;
	struct netprobe_ban b;
	size_t size = entries && n ? entries->size : 0;
	int r = take_change(how, &c, err);

	if (!r && n && !entries)
		r = error_set(err, -EINVAL, "no entries");
	if (!r && n) {
		items = calloc(n, sizeof(*items));
		r = items ? 0 : error_set(err, -ENOMEM, "no memory");
	}
	for (size_t i = 0; !r && i < n; i++) {
		r = take_ban((const struct netprobe_ban *)((const char *)entries + i * size), size,
			     &b, err);
		if (!r)
			r = item_of(&b, c.list == NETPROBE_LIST_ALLOWED, &items[i], err);
	}
	if (!r)
		r = add_items(items, n, &c, err);
	free(items);
	return r;
}

API_PUBLIC int netprobe_manager_remove_list(struct netprobe_manager *m, uint32_t list,
					    const struct netprobe_ban *entries, size_t n,
					    struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_item *items = n ? calloc(n, sizeof(*items)) : NULL;
	size_t size = entries && n ? entries->size : 0, i = 0;
	struct netprobe_ban b;
	int r = 0;

	if (list > NETPROBE_LIST_ALLOWED)
		r = error_set(err, -EINVAL, "list: %u is none; takes NETPROBE_LIST_*", list);
	else if (n && !entries)
		r = error_set(err, -EINVAL, "no entries");
	else if (n && !items)
		r = error_set(err, -ENOMEM, "no memory");
	for (i = 0; i < n && !r; i++) {
		r = take_ban((const void *)((const char *)entries + i * size), size, &b, err);
		if (!r)
			r = item_of(&b, list == NETPROBE_LIST_ALLOWED, &items[i], err);
	}
	if (!r && n) {
		r = remove_items(items, n, &i, err);
		if (r == -ENOENT && err && i < n) {
			(void)take_ban((const void *)((const char *)entries + i * size), size, &b,
				       NULL);
			error_prefix(err, "%s", b.cidr);
		}
	}
	for (i = 0; i < n && !r && list == NETPROBE_LIST_BANS; i++) {
		(void)take_ban((const void *)((const char *)entries + i * size), size, &b, NULL);
		tell(m, "security.unban", b.cidr, NULL);
	}
	free(items);
	return r ? r : n > INT_MAX ? INT_MAX : (int)n;
}

API_PUBLIC int netprobe_manager_import_list(struct netprobe_manager *m,
					    const struct netprobe_change *how,
					    const struct netprobe_ban *entry, const char *text,
					    size_t bytes, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_item *items = NULL, model;
	struct netprobe_ban b = {};
	struct netprobe_change c;
	size_t n = 0;
	int r = take_change(how, &c, err);

	if (!r && bytes && !text)
		r = error_set(err, -EINVAL, "no text");
	if (!r && entry)
		r = take_ban(entry, entry->size, &b, err);
	if (r)
		return r;
	model_of(&b, c.list == NETPROBE_LIST_ALLOWED, &model);
	r = guard_parse_list(bytes ? text : "", bytes, &model, &items, &n, err);
	if (!r)
		r = add_items(items, n, &c, err);
	free(items);
	return r;
}

struct listing {
	netprobe_ban_fn fn;
	void *arg;
	bool allow;
	int n;
};

static void put_cidr(const struct guard_item *item, char *ret, size_t size)
{
	char addr[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(item->v6 ? AF_INET6 : AF_INET, item->addr, addr, sizeof(addr));
	if (item->len < (item->v6 ? 128 : 32))
		(void)snprintf(ret, size, "%s/%u", addr, item->len);
	else
		(void)snprintf(ret, size, "%s", addr);
}

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

	if (item->allow != l->allow)
		return 0;
	put_cidr(item, b.cidr, sizeof(b.cidr));
	if (b.port_from == 0 && b.port_to == 65535)
		b.port_to = 0;
	memcpy(b.reason, item->reason, sizeof(b.reason));
	memcpy(b.who, item->who, sizeof(b.who));
	l->n++;
	return l->fn ? l->fn(&b, l->arg) : 0;
}

static int list(bool allow, netprobe_ban_fn fn, void *arg, struct netprobe_error *err)
{
	struct listing l = { .fn = fn, .arg = arg, .allow = allow };
	struct guard *g = NULL;
	int r = api_guard(0, &g, err);

	if (r)
		return r;
	(void)guard_sweep(g);
	api_listing++;
	r = guard_list(g, on_item, &l, err);
	api_listing--;
	guard_close(g);
	return r < 0 ? r : l.n;
}

API_PUBLIC int netprobe_manager_banned(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);

	return list(false, fn, arg, err);
}

API_PUBLIC int netprobe_manager_allowed(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
					struct netprobe_error *err)
{
	API_ENTER(m, err);

	return list(true, fn, arg, err);
}

static int on_detected(const uint8_t addr[16], uint32_t left_s, uint32_t strikes, uint64_t drops,
		       void *arg)
{
	struct netprobe_ban b = { .size = sizeof(b), .ttl_s = left_s, .hits = drops };
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
	struct listing *l = arg;

	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, b.cidr, sizeof(b.cidr));
	(void)snprintf(b.reason, sizeof(b.reason), "detection, %u. time", strikes);
	l->n++;
	return l->fn ? l->fn(&b, l->arg) : 0;
}

API_PUBLIC int netprobe_manager_detected(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
					 struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct listing l = { .fn = fn, .arg = arg };
	struct guard *g = NULL;
	int r = api_guard(GUARD_SHARED, &g, err);

	if (r)
		return r;
	api_listing++;
	(void)guard_detected(g, on_detected, &l);
	api_listing--;
	guard_close(g);
	return l.n;
}
