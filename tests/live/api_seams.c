/* SPDX-License-Identifier: BSD-2-Clause */
/* The library where threads, namespaces, handlers and lists meet. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"

static int bans(struct netprobe_manager *m)
{
	return netprobe_manager_banned(m, NULL, NULL, &err);
}

struct elsewhere {
	const struct netns *ns;
	struct netprobe_manager *m;
	int listed, polled;
};

static void *look_from_there(void *arg)
{
	struct elsewhere *e = arg;
	struct netprobe_error words = {};
	int fd = open(e->ns->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return NULL;
	e->listed = netprobe_manager_banned(e->m, NULL, NULL, &words);
	e->polled = netprobe_manager_poll(e->m, 10);
	(void)close(fd);
	return e;
}

TEST(thread_in_another_namespace_leaves_guard_of_the_first_one_alone)
{
	struct netns_pair p = netns_pair_new();
	struct netns other = netns_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "10.77.0.2",
				    .ttl_s = NETPROBE_NO_END };
	struct elsewhere e = { .ns = &other, .listed = 1 };
	struct netprobe_manager *m;
	pthread_t thread;
	void *done;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(bans(m), 1, "bans before");
	e.m = m;
	REQUIRE(!pthread_create(&thread, NULL, look_from_there, &e), "no thread");
	REQUIRE(!pthread_join(thread, &done) && done, "the thread could not go there");
	CHECK_EQ(-e.listed, ENOENT, "guard of the other namespace");
	CHECK(e.polled >= 0, "poll there: %d", e.polled);
	CHECK_EQ(bans(m), 1, "bans after");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 5), 0, "datagrams of the banned source");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

/* Maps that hold AT_ONCE have room for 4,096. */
#define AT_ONCE 3600
#define MANY 4200

static void address_of(int i, char *ret, size_t size)
{
	(void)snprintf(ret, size, "198.18.%d.%d", i / 256, i % 256);
}

TEST(more_single_bans_than_the_first_map_holds_are_taken_whatever_err_is)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_error stale = { .msg = "words of an earlier call" };
	struct netprobe_ban ban = { .size = sizeof(ban), .ttl_s = NETPROBE_NO_END }, *first;
	char cidr[32], (*names)[32];
	struct netprobe_manager *m;
	int r = 0, i;

	enter(&p.a);
	m = guarded(p.if_a);
	first = calloc(AT_ONCE, sizeof(*first));
	names = calloc(AT_ONCE, sizeof(*names));
	for (i = 0; i < AT_ONCE; i++) {
		first[i] = ban;
		first[i].cidr = names[i];
		address_of(i, names[i], sizeof(names[i]));
	}
	OK(netprobe_manager_change_list(m, NULL, first, AT_ONCE, &err));
	free(first);
	free(names);
	ban.cidr = cidr;
	for (; i < MANY && r >= 0; i++) {
		address_of(i, cidr, sizeof(cidr));
		r = netprobe_manager_ban(m, &ban, i % 2 ? NULL : &stale);
	}
	CHECK(r >= 0, "ban %d of %d: %d", i, MANY, r);
	CHECK_EQ(bans(m), MANY, "bans");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(rules_of_one_address_in_one_list_all_hold)
{
	static const char three[] =
		"10.77.0.2 proto=udp port=7001 reason=\"#1\\n10.0.0.0/8\"\n"
		"10.77.0.2 proto=udp port=7002 who=ops\n"
		"10.77.0.2 proto=tcp dry-run=1\n10.77.0.2 proto=udp port=7001\n";
	static const char five[] = "192.0.2.1 port=1\n192.0.2.1 port=2\n192.0.2.1 port=3\n"
				   "192.0.2.1 port=4\n192.0.2.1 port=5\n";
	struct netns_pair p = netns_pair_new();
	struct netprobe_change how = { .size = sizeof(how), .replace = true };
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_import_list(m, &how, NULL, three, sizeof(three) - 1, &err));
	CHECK_EQ(bans(m), 3, "rules");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 5), 0, "datagrams to port 7001");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 5), 0, "datagrams to port 7002");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7003, 5), 5, "datagrams to port 7003");
	FAILS(EINVAL, netprobe_manager_import_list(m, NULL, NULL, five, sizeof(five) - 1, &err));
	CHECK(strstr(err.msg, "more than 4 rules"), "%s", err.msg);
	CHECK_EQ(bans(m), 3, "rules after a refusal");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(exported_list_comes_back_as_it_was)
{
	struct netns_pair p = netns_pair_new();
	char path[128], *first;
	FILE *f;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 192.0.2.1 --proto tcp --port 22 --reason 'ticket #4711; \"x\" \\'");
	guard_must(&p.a, "ban 192.0.2.1 --proto udp --port 53 --for 1h --dry-run");
	guard_must(&p.a, "ban 2001:db8::1 --proto icmp --reason \"$(printf 'bad\\n0.0.0.0/1')\"");
	guard_must(&p.a, "ban 192.0.2.2 --proto sctp");
	guard_must(&p.a, "export");
	first = strdup(guard_out());
	(void)snprintf(path, sizeof(path), "%s/list", test_dir());
	f = fopen(path, "we");
	REQUIRE(f && fputs(first, f) >= 0 && !fclose(f), "cannot write %s", path);
	guard_must(&p.a, "ban 203.0.113.1");
	guard_must(&p.a, "import --replace %s", path);
	guard_must(&p.a, "export");
	/* An hour may have lost a second meanwhile. */
	for (char *s = strstr(first, "for="); s; s = strstr(s + 1, "for="))
		memset(s + 6, '_', 2);
	for (char *s = strstr(guard_out(), "for="); s; s = strstr(s + 1, "for="))
		memset(s + 6, '_', 2);
	CHECK(!strcmp(first, guard_out()), "before:\n%safter:\n%s", first, guard_out());
	CHECK(strstr(first, "\\n0.0.0.0/1\""), "the newline is not kept: %s", first);
	CHECK(strstr(first, "reason=\"ticket #4711; \\\"x\\\" \\\\\""), "reason: %s", first);
	free(first);
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(attach_from_a_mount_namespace_of_its_own_outlives_it)
{
	struct netns_pair p = netns_pair_new();
	char line[256];

	/* As `ip netns exec` does it. */
	(void)snprintf(line, sizeof(line),
		       "unshare -m sh -c 'umount -l /sys; mount -t sysfs none /sys && "
		       "\"${NETPROBE:-build/netprobe}\" guard attach %s --mode filter && "
		       "\"${NETPROBE:-build/netprobe}\" guard ban 10.77.0.2'",
		       p.if_a);
	netns_must(&p.a, line);
	guard_must(&p.a, "export");
	CHECK(!strcmp(guard_out(), "10.77.0.2\n"), "bans: %s", guard_out());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 5), 0, "datagrams of the banned source");
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(device_without_ethernet_headers_is_refused)
{
	struct netns ns = netns_new();

	netns_must(&ns, "ip tuntap add dev tun0 mode tun && ip link set tun0 up");
	CHECK(guard_run(&ns, "attach tun0 --mode filter") != 0, "attached to a tun device");
	CHECK(strstr(guard_log(), "tun0") && strstr(guard_log(), "Ethernet"), "log: %s",
	      guard_log());
}

TEST(verbs_without_effect_say_so)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	CHECK(strstr(guard_log(), "mode monitor"), "attach: %s", guard_log());
	guard_must(&p.a, "ban 192.0.2.1");
	CHECK(strstr(guard_log(), "no interface filters"), "ban: %s", guard_log());
	guard_must(&p.a, "limit --pps 5");
	CHECK(strstr(guard_log(), "no interface filters"), "limit: %s", guard_log());
	guard_must(&p.a, "detect on");
	CHECK(strstr(guard_log(), "no interface filters"), "detect: %s", guard_log());
	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	CHECK(strstr(guard_log(), "mode filter, generic XDP"), "attach: %s", guard_log());
	guard_must(&p.a, "ban 192.0.2.2");
	CHECK(!guard_log()[0], "ban where it holds: %s", guard_log());
	guard_must(&p.a, "off");
	CHECK(strstr(guard_log(), "everything passes"), "off: %s", guard_log());
	guard_must(&p.a, "ban 192.0.2.3");
	CHECK(strstr(guard_log(), "filtering is off"), "ban while it is off: %s", guard_log());
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(icmp_of_an_ipv6_source_is_icmpv6)
{
	struct netns_pair p = netns_pair_new();
	char line[256];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	netns_must(&p.a, "busybox ping -6 -c 1 -W 5 fd77::2");
	/* The neighbour stays known: to ask for it is ICMPv6, too. */
	(void)snprintf(
		line, sizeof(line),
		"ip neigh replace fd77::2 dev %s nud permanent lladdr $(ip neigh show fd77::2 "
		"| sed 's/.*lladdr //; s/ .*//')",
		p.if_a);
	netns_must(&p.a, line);
	guard_must(&p.a, "ban fd77::2 --proto icmp");
	CHECK(netns_run(&p.a, "busybox ping -6 -c 2 -W 1 fd77::2"), "an answer came through");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 7001, 5), 5, "datagrams of UDP");
	guard_must(&p.a, "detach %s", p.if_a);
}

static int keep_ttl(const struct netprobe_ban *b, void *arg)
{
	*(uint32_t *)arg = b->ttl_s;
	return 0;
}

TEST(list_that_replaces_leaves_the_other_list_alone)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_change how = { .size = sizeof(how), .replace = true };
	struct netprobe_ban friend = { .size = sizeof(friend),
				       .cidr = "192.0.2.10",
				       .ttl_s = NETPROBE_NO_END };
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "198.51.100.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_allow(m, &friend, &err));
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(netprobe_manager_import_list(m, &how, NULL, "203.0.113.1\n203.0.113.2\n", 24,
					      &err),
		 2, "bans imported");
	CHECK_EQ(bans(m), 2, "bans");
	CHECK_EQ(netprobe_manager_allowed(m, NULL, NULL, &err), 1, "allowances kept");
	how.list = NETPROBE_LIST_ALLOWED;
	CHECK_EQ(netprobe_manager_import_list(m, &how, NULL, "", 0, &err), 0, "none allowed");
	CHECK_EQ(netprobe_manager_allowed(m, NULL, NULL, &err), 0, "allowances");
	CHECK_EQ(bans(m), 2, "bans kept");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(ban_that_is_about_to_end_is_never_told_as_one_for_ever)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban), .cidr = "192.0.2.1", .ttl_s = 1 };
	struct netprobe_manager *m;
	int64_t end = deadline_in(20000);
	uint32_t ttl = 1;
	int n, looks = 0;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &ban, &err));
	do {
		n = netprobe_manager_banned(m, keep_ttl, &ttl, &err);
		CHECK(n <= 0 || ttl > 0, "look %d: one ban, for ever", looks);
		looks++;
		pause_ms(10);
	} while (n > 0 && now_ms() < end);
	CHECK_EQ(n, 0, "bans at the end");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(detach_by_a_name_that_went_to_another_device_is_refused)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;
	char line[256];

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &ban, &err));
	(void)snprintf(line, sizeof(line),
		       "ip link set %s down && ip link set %s name wan0 && "
		       "ip link set wan0 up",
		       p.if_a, p.if_a);
	netns_must(&p.a, line);
	FAILS(ENOENT, netprobe_manager_detach(m, p.if_a, &err));
	CHECK(strstr(err.hint, "wan0"), "hint: %s", err.hint);
	(void)snprintf(line, sizeof(line), "ip link add %s type veth peer name other0", p.if_a);
	netns_must(&p.a, line);
	FAILS(ENOENT, netprobe_manager_detach(m, p.if_a, &err));
	CHECK_EQ(bans(m), 1, "bans after two refusals");
	OK(netprobe_manager_detach(m, "wan0", &err));
	netprobe_manager_free(m);
}

static void *poll_on(void *arg)
{
	int *ret = malloc(sizeof(*ret));

	do
		*ret = netprobe_manager_poll(arg, -1);
	while (*ret >= 0);
	return ret;
}

TEST(freeing_a_manager_ends_a_poll_without_end)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	pthread_t thread;
	struct netprobe_manager *m;
	void *got;

	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	REQUIRE(!pthread_create(&thread, NULL, poll_on, m), "no thread");
	pause_ms(100);
	netprobe_manager_free(m);
	REQUIRE(!pthread_join(thread, &got), "the thread does not end");
	CHECK_EQ(-*(int *)got, EBADF, "poll");
	free(got);
}

TEST(polling_a_finished_manager_says_so_and_burns_nothing)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m;
	int r, n = 0;

	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_finish(m));
	while ((r = netprobe_manager_poll(m, 1000)) > 0)
		n++;
	CHECK_EQ(-r, EALREADY, "poll");
	CHECK(n < 2, "%d batches after the end", n);
	netprobe_manager_free(m);
}

struct once {
	struct netprobe_manager *m;
	int calls;
};

static void take_off(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct once *o = arg;

	o->calls++;
	(void)netprobe_manager_set_event_handler(o->m, NETPROBE_EVENT_ALL, NULL, NULL);
}

static void taken_off_at_once(unsigned int workers)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct once o = {};

	enter(&p.a);
	c.workers = workers;
	c.batch_size = 1;
	c.enable_security_alerts = true;
	o.m = manager(&c);
	OK(netprobe_manager_set_event_handler(o.m, NETPROBE_EVENT_ALL, take_off, &o));
	OK(netprobe_manager_attach(o.m, p.if_a, &err));
	/* Before load nobody takes them: they wait in one queue. */
	for (int i = 0; i < 20; i++) {
		OK(netprobe_manager_ban(o.m, &ban, &err));
		OK(netprobe_manager_unban(o.m, ban.cidr, &err));
	}
	OK(netprobe_manager_load(o.m, &err));
	for (int64_t end = deadline_in(5000);
	     !__atomic_load_n(&o.calls, __ATOMIC_SEQ_CST) && now_ms() < end;)
		(void)netprobe_manager_poll(o.m, 20);
	(void)netprobe_manager_poll(o.m, 100);
	CHECK_EQ(__atomic_load_n(&o.calls, __ATOMIC_SEQ_CST), 1, "calls of the handler");
	OK(netprobe_manager_detach(o.m, p.if_a, &err));
	netprobe_manager_free(o.m);
}

TEST(handler_that_takes_itself_off_is_not_called_again)
{
	taken_off_at_once(0);
}

TEST(handler_that_takes_itself_off_is_not_called_again_by_a_worker)
{
	taken_off_at_once(1);
}

struct within {
	struct netprobe_manager *m;
	int got;
};

static int set_within(const struct netprobe_ban *b, void *arg)
{
	struct within *w = arg;

	w->got = netprobe_manager_set_event_handler(w->m, NETPROBE_EVENT_ALL, NULL, NULL);
	return 0;
}

TEST(setting_a_handler_from_within_a_list_is_an_error_and_no_deadlock)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct within w = {};

	enter(&p.a);
	w.m = guarded(p.if_a);
	OK(netprobe_manager_ban(w.m, &ban, &err));
	CHECK_EQ(netprobe_manager_banned(w.m, set_within, &w, &err), 1, "bans");
	CHECK_EQ(-w.got, EDEADLK, "set_event_handler");
	OK(netprobe_manager_detach(w.m, p.if_a, &err));
	netprobe_manager_free(w.m);
}

/* What SigBlk of every other thread of this process says of a signal. */
static unsigned int threads_that_take(int sig)
{
	char line[256], path[64];
	unsigned int n = 0;

	for (pid_t tid = gettid() + 1; tid < gettid() + 200; tid++) {
		unsigned long long blocked = ~0ULL;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			(void)sscanf(line, "SigBlk: %llx", &blocked);
		if (f)
			(void)fclose(f);
		n += !(blocked >> (sig - 1) & 1);
	}
	return n;
}

TEST(threads_of_the_library_take_no_signal_of_the_program)
{
	for (unsigned int workers = 1; workers <= 3; workers += 2) {
		struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
		struct netprobe_manager *m;

		c.workers = workers;
		m = manager(&c);
		OK(netprobe_manager_load(m, &err));
		CHECK_EQ(threads_that_take(SIGTERM), 0, "threads that take SIGTERM");
		netprobe_manager_free(m);
	}
}
