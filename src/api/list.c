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

#define BAN_LEAST (offsetof(struct netprobe_ban, who) + sizeof(char *))

_Static_assert(NETPROBE_LIST_BANS == NP_GUARD_LIST_BANS &&
		       NETPROBE_LIST_ALLOWED == NP_GUARD_LIST_ALLOWED &&
		       NETPROBE_LIST_BOTH == NP_GUARD_LIST_BOTH,
	       "lists");
_Static_assert(NETPROBE_REASON_MAX + 1 == sizeof(((struct guard_item *)0)->reason), "its room");
_Static_assert(NETPROBE_WHO_MAX + 1 == sizeof(((struct guard_item *)0)->who), "its room");

/* Never cut: what is stored is what was given. */
int api_check_text(const char *name, const char *text, size_t most, struct netprobe_error *err)
{
	if (!text || strlen(text) <= most)
		return 0;
	return error_set(err, -EINVAL, "%s: '%.40s...' has %zu bytes; takes up to %zu", name, text,
			 strlen(text), most);
}

static int take_ban(const struct netprobe_ban *from, size_t size, struct netprobe_ban *ret,
		    struct netprobe_error *err)
{
	struct netprobe_ban b;
	int r = api_take(from, size, BAN_LEAST, &b, sizeof(b), err);

	if (!r)
		r = api_check_text("reason", b.reason, NETPROBE_REASON_MAX, err);
	if (!r)
		r = api_check_text("who", b.who, NETPROBE_WHO_MAX, err);
	if (r)
		return r;
	if (b.port_from > b.port_to)
		return error_set(err, -EINVAL, "ports %u to %u run backwards", b.port_from,
				 b.port_to);
	*ret = b;
	return 0;
}

/* Of what is added: "no end" is a wish of its own, never what a program forgot to say or counted down to. */
static int check_time(const struct netprobe_ban *b, struct netprobe_error *err)
{
	if (b->ttl_s == NETPROBE_NO_END || (b->ttl_s && b->ttl_s <= NETPROBE_TTL_MAX))
		return 0;
	return error_set(err, -EINVAL, "ttl_s: %u is not a time; takes 1 to %u, or NETPROBE_NO_END",
			 b->ttl_s, NETPROBE_TTL_MAX);
}

/* Whose program this is: looked up once a call, without what threads would share. */
struct self {
	char name[NETPROBE_WHO_MAX + 1]; /* empty: not looked up */
};

static const char *name_of(struct self *s)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (s->name[0])
		return s->name;
	if (!getpwuid_r(getuid(), &pw, buf, sizeof(buf), &found) && found)
		(void)snprintf(s->name, sizeof(s->name), "%s", pw.pw_name);
	if (!s->name[0])
		(void)snprintf(s->name, sizeof(s->name), "%u", getuid());
	return s->name;
}

/* All but the address. */
static void model_of(const struct netprobe_ban *b, bool allow, struct self *self,
		     struct guard_item *ret)
{
	struct guard_item item = {
		.allow = allow,
		.proto = b->proto,
		.dry_run = b->dry_run,
		.ttl_s = b->ttl_s == NETPROBE_NO_END ? 0 : b->ttl_s,
		.port_from = b->port_from,
		.port_to = b->port_to ? b->port_to : 65535,
	};

	(void)snprintf(item.reason, sizeof(item.reason), "%s", b->reason ? b->reason : "");
	(void)snprintf(item.who, sizeof(item.who), "%s",
		       b->who && *b->who ? b->who : name_of(self));
	*ret = item;
}

static int item_of(const struct netprobe_ban *b, bool allow, struct self *self,
		   struct guard_item *ret, struct netprobe_error *err)
{
	struct guard_item item;
	int r;

	model_of(b, allow, self, &item);
	r = netprobe_check_cidr(b->cidr, err);
	if (!r)
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

static int add_items(struct netprobe_manager *m, const struct guard_item *items, size_t n,
		     const struct netprobe_change *how, struct netprobe_error *err)
{
	unsigned int flags = !how->replace			  ? 0
			     : how->list == NETPROBE_LIST_ALLOWED ? GUARD_REPLACE_ALLOWED
								  : GUARD_REPLACE_BANS;
	struct guard *g = NULL;
	int r = how->force ? 0 : check_safety(items, n, err);

	if (!r)
		r = api_guard_to_change(m, &g, err);
	if (!r)
		r = guard_add(g, items, n, flags, how->confirm_s, err);
	guard_close(g);
	return r < 0 ? r : n > INT_MAX ? INT_MAX : (int)n;
}

static int add_one(struct netprobe_manager *m, const struct netprobe_ban *ban, bool allow,
		   struct netprobe_error *err)
{
	struct netprobe_change how = {};
	struct guard_item item;
	struct netprobe_ban b;
	struct self self = {};
	int r = ban ? take_ban(ban, ban->size, &b, err) : error_set(err, -EINVAL, "no entry");

	if (!r)
		r = check_time(&b, err);
	if (!r)
		r = item_of(&b, allow, &self, &item, err);
	if (!r) {
		how.force = b.force;
		r = add_items(m, &item, 1, &how, err);
	}
	return r < 0 ? r : 0;
}

API_PUBLIC int netprobe_manager_ban(struct netprobe_manager *m, const struct netprobe_ban *ban,
				    struct netprobe_error *err)
{
	API_ENTER(m, err);

	return add_one(m, ban, false, err);
}

API_PUBLIC int netprobe_manager_allow(struct netprobe_manager *m, const struct netprobe_ban *entry,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);

	return add_one(m, entry, true, err);
}

/* All, or none. */
static int remove_items(struct netprobe_manager *m, const struct guard_item *items, size_t n,
			size_t *ret_wrong, struct netprobe_error *err)
{
	struct guard *g = NULL;
	int r = api_guard_to_change(m, &g, err);

	if (!r)
		r = guard_remove(g, items, n, ret_wrong, err);
	guard_close(g);
	return r;
}

static int remove_one(struct netprobe_manager *m, const char *cidr, bool allow,
		      struct netprobe_error *err)
{
	struct guard_item item = { .allow = allow };
	size_t wrong;
	int r = cidr ? guard_parse_cidr(cidr, &item, err) : error_set(err, -EINVAL, "no address");

	return r ? r : remove_items(m, &item, 1, &wrong, err);
}

API_PUBLIC int netprobe_manager_unban(struct netprobe_manager *m, const char *cidr,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);

	return remove_one(m, cidr, false, err);
}

API_PUBLIC int netprobe_manager_unallow(struct netprobe_manager *m, const char *cidr,
					struct netprobe_error *err)
{
	API_ENTER(m, err);

	return remove_one(m, cidr, true, err);
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
		r = error_set(err, -EINVAL,
			      "list: %u is none; takes NETPROBE_LIST_BANS or _ALLOWED", ret->list);
	if (!r && ret->confirm_s > NETPROBE_TTL_MAX)
		r = error_set(err, -EINVAL, "confirm_s: %u is too long; takes up to %u",
			      ret->confirm_s, NETPROBE_TTL_MAX);
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
	struct self self = {};
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
			r = check_time(&b, err);
		if (!r)
			r = item_of(&b, c.list == NETPROBE_LIST_ALLOWED, &self, &items[i], err);
	}
	if (!r)
		r = add_items(m, items, n, &c, err);
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
	struct self self = {};
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
			r = item_of(&b, list == NETPROBE_LIST_ALLOWED, &self, &items[i], err);
	}
	if (!r && n) {
		r = remove_items(m, items, n, &i, err);
		if (r == -ENOENT && err && i < n) {
			(void)take_ban((const void *)((const char *)entries + i * size), size, &b,
				       NULL);
			error_prefix(err, "%s", b.cidr);
		}
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
	struct self self = {};
	struct netprobe_ban b = { .ttl_s = NETPROBE_NO_END };
	struct netprobe_change c;
	size_t n = 0;
	int r = take_change(how, &c, err);

	if (!r && bytes && !text)
		r = error_set(err, -EINVAL, "no text");
	if (!r && entry)
		r = take_ban(entry, entry->size, &b, err);
	if (!r)
		r = check_time(&b, err);
	if (r)
		return r;
	model_of(&b, c.list == NETPROBE_LIST_ALLOWED, &self, &model);
	r = guard_parse_list(bytes ? text : "", bytes, &model, &items, &n, err);
	if (!r)
		r = add_items(m, items, n, &c, err);
	free(items);
	return r;
}

struct listing {
	netprobe_ban_fn fn;
	void *arg;
	bool both, allow;
	const struct guard_item *within; /* NULL: of any source */
	int n;
	bool stop;
};

/* How many rules, and whether that one was the last that is wanted. */
static int give(struct listing *l, const struct netprobe_ban *b)
{
	l->n++;
	l->stop = l->fn && l->fn(b, l->arg);
	return l->stop;
}

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
	char cidr[INET6_ADDRSTRLEN + 4];
	struct netprobe_ban b = { .size = sizeof(b),
				  .cidr = cidr,
				  .ttl_s = item->ttl_s ? item->ttl_s : NETPROBE_NO_END,
				  .list = item->allow ? NETPROBE_LIST_ALLOWED : NETPROBE_LIST_BANS,
				  .reason = item->reason[0] ? item->reason : NULL,
				  .who = item->who[0] ? item->who : NULL,
				  .age_s = item->age_s,
				  .hits = item->hits,
				  .proto = item->proto,
				  .dry_run = item->dry_run,
				  .port_from = item->port_from,
				  .port_to = item->port_to };
	struct listing *l = arg;

	if (!l->both && item->allow != l->allow)
		return 0;
	put_cidr(item, cidr, sizeof(cidr));
	if (b.port_from == 0 && b.port_to == 65535)
		b.port_to = 0;
	return give(l, &b);
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
	char cidr[INET6_ADDRSTRLEN] = "", reason[NETPROBE_REASON_MAX + 1];
	struct netprobe_ban b = { .size = sizeof(b),
				  .cidr = cidr,
				  .ttl_s = left_s,
				  .hits = drops,
				  .list = NETPROBE_LIST_DETECTED,
				  .reason = reason };
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
	struct listing *l = arg;

	if (l->within && (l->within->v6 == v4 ||
			  memcmp(l->within->addr, v4 ? addr + 12 : addr, v4 ? 4 : 16) != 0))
		return 0;
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, cidr, sizeof(cidr));
	(void)snprintf(reason, sizeof(reason), "detection, %u. time", strikes);
	return give(l, &b);
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

/* A single address: what detection banned is one. */
static bool is_address(const struct guard_item *item)
{
	return item->len == (item->v6 ? 128 : 32);
}

static int look_up(struct guard *g, const struct guard_item *at, struct listing *l,
		   struct netprobe_error *err)
{
	int r;

	api_listing++;
	r = guard_find(g, at, on_item, l, err);
	if (r >= 0 && !l->stop && is_address(at))
		(void)guard_detected(g, on_detected, l);
	api_listing--;
	return r < 0 ? r : l->n;
}

API_PUBLIC int netprobe_manager_lookup(struct netprobe_manager *m, const char *cidr,
				       netprobe_ban_fn fn, void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_item at = {};
	struct listing l = { .fn = fn, .arg = arg, .both = true, .within = &at };
	struct guard *g = NULL;
	int r = cidr ? guard_parse_cidr(cidr, &at, err) : error_set(err, -EINVAL, "no address");

	if (!r)
		r = api_guard(GUARD_SHARED, &g, err);
	if (!r)
		r = look_up(g, &at, &l, err);
	guard_close(g);
	return r;
}

API_PUBLIC int netprobe_manager_lift(struct netprobe_manager *m, const char *cidr,
				     struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_item net = {};
	struct guard *g = NULL;
	int r = cidr ? guard_parse_cidr(cidr, &net, err) : error_set(err, -EINVAL, "no address");

	if (!r)
		r = api_guard_to_change(m, &g, err);
	if (!r) {
		r = guard_lift(g, &net);
		if (r < 0)
			error_set(err, r, "no memory");
	}
	guard_close(g);
	return r ? r : error_set(err, -ENOENT, "detection has banned no source there");
}
