/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists as a program keeps them: what it is told of, what it may ask, what it may not say. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api_run.h"
#include "guard_run.h"

#define TOLD_MAX 64

/* What was told, a line an event: type source ttl by who, and whether its JSON says the same. */
struct told {
	unsigned int n;
	char lines[TOLD_MAX][160];
};

/* The typed fields and the JSON of one event are the same. */
static void compare(const struct netprobe_event *ev)
{
	const struct netprobe_security *s = ev->security;
	json_t *o = json_loads(ev->json, 0, NULL), *v;

	REQUIRE(o && s, "no JSON or no typed fields: %s", ev->json);
	CHECK(s->size == sizeof(*s), "size %zu", s->size);
	v = json_object_get(o, "source");
	CHECK(s->source ? !strcmp(s->source, json_string_value(v)) : !json_string_value(v),
	      "source %s, %s", s->source, ev->json);
	if (!strcmp(ev->type, "security.list"))
		CHECK(!strcmp(json_string_value(json_object_get(o, "list")),
			      s->list == NETPROBE_LIST_BANS	 ? "bans"
			      : s->list == NETPROBE_LIST_ALLOWED ? "allowed"
			      : s->list == NETPROBE_LIST_BOTH	 ? "both"
								 : "none"),
		      "list %u, %s", s->list, ev->json);
	/* Of detection it is so many ticks. */
	if (!strcmp(ev->type, "security.ban")) {
		bool ends = s->ttl_s != NETPROBE_NO_END;

		v = json_object_get(o, "ttl_s");
		CHECK(ends ? fabs(json_number_value(v) - s->ttl_s) < 0.5 : json_is_null(v),
		      "ttl_s %u, %s", s->ttl_s, ev->json);
		CHECK(ends ? fabs(ev->num - s->ttl_s) < 0.5 : isinf(ev->num), "num %f", ev->num);
		CHECK(!strcmp(ev->unit, "s"), "unit: %s", ev->json);
		CHECK(!strcmp(ev->entity_id, s->iface ? s->iface : "all"), "%s", ev->json);
	}
	json_decref(o);
}

static void keep(const struct netprobe_event *events, size_t n, void *arg)
{
	struct told *t = arg;

	for (size_t i = 0; i < n; i++) {
		const struct netprobe_security *s = events[i].security;

		compare(&events[i]);
		if (t->n == TOLD_MAX)
			continue;
		(void)snprintf(t->lines[t->n++], sizeof(t->lines[0]), "%s %s %d %u %s",
			       events[i].type, s->source ? s->source : "-", (int)s->ttl_s,
			       s->port_to, s->reason ? s->reason : "-");
	}
}

static bool has(const struct told *t, const char *line)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (!strcmp(t->lines[i], line))
			return true;
	return false;
}

/* Until n are there; more than that are waited for no longer. */
static void wait_for(struct netprobe_manager *m, struct told *t, unsigned int n)
{
	int64_t end = deadline_in(20000);

	while (t->n < n && now_ms() < end)
		(void)netprobe_manager_poll(m, 50);
	CHECK_EQ(t->n, n, "events");
	for (unsigned int i = 0; t->n != n && i < t->n; i++)
		CHECK(false, "%s", t->lines[i]);
}

static struct netprobe_manager *watching(const char *ifname, struct told *t)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m;

	c.batch_timeout = 0;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, keep, t));
	OK(netprobe_manager_attach(m, ifname, &err));
	return m;
}

TEST(bans_are_told_in_one_shape_whichever_way_they_come)
{
	static const char text[] = "198.51.100.0/24 port=25 for=1h reason=mail\n2001:db8::/32\n";
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = {
		.size = sizeof(ban), .cidr = "192.0.2.1", .ttl_s = 600, .reason = "one"
	};
	struct netprobe_ban two[2] = {
		{ .size = sizeof(ban), .cidr = "192.0.2.2", .ttl_s = NETPROBE_NO_END },
		{ .size = sizeof(ban), .cidr = "::ffff:192.0.2.3", .ttl_s = 1, .reason = "soon" },
	};
	struct netprobe_change how = { .size = sizeof(how) };
	struct netprobe_manager *m, *other;
	struct told t = {}, t2 = {};

	enter(&p.a);
	m = watching(p.if_a, &t);
	other = watching(p.if_a, &t2);
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(netprobe_manager_change_list(m, &how, two, 2, &err), 2, "changed");
	CHECK_EQ(netprobe_manager_import_list(m, &how, NULL, text, sizeof(text) - 1, &err), 2,
		 "imported");
	OK(netprobe_manager_allow(m, &ban, &err));
	OK(netprobe_manager_unban(m, "192.0.2.1", &err));
	OK(netprobe_manager_unallow(m, "192.0.2.1", &err));
	guard_must(&p.a, "ban 192.0.2.4 --reason theirs");
	wait_for(m, &t, 10);
	CHECK(has(&t, "security.ban 192.0.2.1 600 0 one"), "a single ban");
	CHECK(has(&t, "security.ban 192.0.2.2 -1 0 -"), "one of change_list");
	CHECK(has(&t, "security.ban 192.0.2.3 1 0 soon"), "one that ends");
	CHECK(has(&t, "security.ban 198.51.100.0/24 3600 25 mail"), "one of import_list");
	CHECK(has(&t, "security.ban 2001:db8::/32 -1 0 -"), "another one of import_list");
	CHECK(has(&t, "security.allow 192.0.2.1 600 0 one"), "an allowance");
	CHECK(has(&t, "security.unban 192.0.2.1 0 0 -"), "a ban that was taken back");
	CHECK(has(&t, "security.unallow 192.0.2.1 0 0 -"), "an allowance that was taken back");
	CHECK(has(&t, "security.ban 192.0.2.4 -1 0 theirs"), "a ban by another process");
	CHECK(has(&t, "security.unban 192.0.2.3 0 0 soon"), "a ban that ended");
	how.replace = true;
	CHECK_EQ(netprobe_manager_change_list(m, &how, two, 1, &err), 1, "replaced");
	wait_for(m, &t, 11);
	CHECK(!strcmp(t.lines[10], "security.list - 0 0 -"), "told: %s", t.lines[10]);
	/* A ban ends when it does, whatever becomes of what is allowed. */
	two[1].cidr = "192.0.2.5";
	OK(netprobe_manager_ban(m, &two[1], &err));
	how.list = NETPROBE_LIST_ALLOWED;
	CHECK_EQ(netprobe_manager_change_list(m, &how, two, 1, &err), 1, "replaced");
	wait_for(m, &t, 14);
	CHECK(has(&t, "security.unban 192.0.2.5 0 0 soon"), "a ban that ended later");
	/* Another manager has made none of these changes, and is told of them all the same. */
	wait_for(other, &t2, 14);
	for (unsigned int i = 0; i < t.n; i++)
		CHECK(has(&t2, t.lines[i]), "the other manager was not told: %s", t.lines[i]);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
	netprobe_manager_free(other);
}

static int keep_list(const struct netprobe_ban *b, void *arg)
{
	char *to = arg;
	size_t n = strlen(to);

	(void)snprintf(to + n, 256 - n, "%s%s:%u:%d", n ? " " : "", b->cidr, b->list,
		       b->ttl_s == NETPROBE_NO_END ? -1 : (int)b->ttl_s / 100);
	return 0;
}

static bool is_detected(void *arg)
{
	return netprobe_manager_detected(arg, NULL, NULL, NULL) > 0;
}

TEST(one_address_is_looked_up_and_a_ban_by_detection_lifted)
{
	static const char text[] = "10.77.0.0/24 dry-run=1\n10.77.0.2 port=80\n10.77.0.2 port=81\n"
				   "10.77.0.2/31 for=1000\n10.0.0.0/8 dry-run=1\n192.0.2.0/24\n";
	struct netns_pair p = netns_pair_new();
	struct netprobe_detection d = {
		.size = sizeof(d), .mode = NETPROBE_DETECT_BAN, .ban_s = 600, .icmp_flood = 100
	};
	struct netprobe_ban friend = { .size = sizeof(friend),
				       .cidr = "10.77.0.2",
				       .ttl_s = NETPROBE_NO_END,
				       .proto = IPPROTO_TCP };
	struct netprobe_change how = { .size = sizeof(how), .force = true };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_manager *m;
	struct told t = {};
	char got[256] = "";

	enter(&p.a);
	m = watching(p.if_a, &t);
	OK(netprobe_manager_import_list(m, &how, NULL, text, sizeof(text) - 1, &err));
	CHECK_EQ(netprobe_manager_lookup(m, "10.77.0.9", keep_list, got, &err), 2, "rules");
	CHECK(!strcmp(got, "10.77.0.0/24:0:-1 10.0.0.0/8:0:-1"), "got %s", got);
	CHECK_EQ(netprobe_manager_lookup(m, "10.77.1.9", NULL, NULL, &err), 1, "rules");
	CHECK_EQ(netprobe_manager_lookup(m, "10.0.0.0/7", NULL, NULL, &err), 0, "rules");
	CHECK_EQ(netprobe_manager_lookup(m, "2001:db8::1", NULL, NULL, &err), 0, "rules");
	FAILS(EINVAL, netprobe_manager_lookup(m, "10.77.1", NULL, NULL, &err));
	FAILS(ENOENT, netprobe_manager_lift(m, "0.0.0.0/0", &err));
	/* Six rules of five addresses and networks: counts of one list are the same. */
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK_EQ(s.bans, 6, "bans in the counters");
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 6, "bans of the list");
	CHECK_EQ(s.entries, 5, "entries");
	OK(netprobe_manager_unban(m, "10.77.0.2/31", &err));
	OK(netprobe_manager_set_detection(m, &d, &err));
	forge_second(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 2000);
	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 1, 1);
	REQUIRE(wait_until(is_detected, m, 20000), "nothing is detected");
	OK(netprobe_manager_allow(m, &friend, &err));
	got[0] = '\0';
	CHECK_EQ(netprobe_manager_lookup(m, "10.77.0.2", keep_list, got, &err), 6, "rules");
	CHECK(!strncmp(got,
		       "10.77.0.2:1:-1 10.77.0.2:0:-1 10.77.0.2:0:-1 10.77.0.0/24:0:-1 "
		       "10.0.0.0/8:0:-1 10.77.0.2:2:",
		       88),
	      "got %s", got);
	/* Its first four bytes are the other one's. */
	CHECK_EQ(netprobe_manager_lookup(m, "a4d:2::1", NULL, NULL, &err), 0, "rules of IPv6");
	CHECK_EQ(netprobe_manager_lift(m, "10.77.0.0/24", &err), 1, "lifted");
	CHECK_EQ(netprobe_manager_lookup(m, "10.77.0.2", NULL, NULL, &err), 5, "rules");
	CHECK_EQ(netprobe_manager_detected(m, NULL, NULL, &err), 0, "banned by detection");
	for (int64_t end = deadline_in(20000);
	     now_ms() < end && !has(&t, "security.unban 10.77.0.2 0 0 -");)
		(void)netprobe_manager_poll(m, 50);
	CHECK(has(&t, "security.ban 10.77.0.2 600 0 -"), "a ban by detection");
	CHECK(has(&t, "security.unban 10.77.0.2 0 0 -"), "a ban that was lifted");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(what_is_refused_for_safety_or_too_long_is_told_apart_from_typos)
{
	char reason[NETPROBE_REASON_MAX + 2], who[NETPROBE_WHO_MAX + 2];
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "10.77.0.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_change how = { .size = sizeof(how), .confirm_s = NETPROBE_TTL_MAX + 1 };
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	FAILS(ECANCELED, netprobe_manager_ban(m, &ban, &err));
	CHECK(strstr(err.msg, "10.77.0.1") && strstr(err.hint, "netprobe_ban.force") &&
		      !strstr(err.hint, "--"),
	      "said: %s; %s", err.msg, err.hint);
	FAILS(ECANCELED, netprobe_manager_change_list(m, NULL, &ban, 1, NULL));
	FAILS(ECANCELED,
	      netprobe_manager_import_list(m, NULL, NULL, "192.0.2.1\n0.0.0.0/0\n", 20, &err));
	CHECK(strstr(err.msg, "line 2"), "said: %s", err.msg);
	ban.cidr = "10.77.0.300";
	FAILS(EINVAL, netprobe_manager_ban(m, &ban, &err));
	ban.cidr = "192.0.2.1";
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	memset(who, 'w', sizeof(who));
	who[sizeof(who) - 1] = '\0';
	ban.reason = reason;
	FAILS(EINVAL, netprobe_manager_ban(m, &ban, &err));
	CHECK(strstr(err.msg, "reason") && strstr(err.msg, "48 bytes"), "said: %s", err.msg);
	ban.reason = NULL;
	ban.who = who;
	FAILS(EINVAL, netprobe_manager_change_list(m, NULL, &ban, 1, &err));
	ban.who = NULL;
	ban.ttl_s = 0;
	FAILS(EINVAL, netprobe_manager_ban(m, &ban, &err));
	CHECK(strstr(err.msg, "NETPROBE_NO_END"), "said: %s", err.msg);
	FAILS(EINVAL, netprobe_manager_change_list(m, NULL, &ban, 1, &err));
	FAILS(EINVAL, netprobe_manager_import_list(m, NULL, &ban, "192.0.2.1", 9, &err));
	ban.ttl_s = NETPROBE_TTL_MAX + 1;
	FAILS(EINVAL, netprobe_manager_allow(m, &ban, &err));
	FAILS(EINVAL, netprobe_manager_import_list(m, &how, NULL, "192.0.2.1", 9, &err));
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 0, "bans after refusals");
	reason[NETPROBE_REASON_MAX] = '\0';
	ban.reason = reason;
	ban.ttl_s = NETPROBE_TTL_MAX;
	OK(netprobe_manager_ban(m, &ban, &err));
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}
