/* SPDX-License-Identifier: BSD-2-Clause */
/* The library between things: namespaces, processes, two managers, guard and balancer. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* since 5.14 */
#endif

struct told {
	unsigned int n;
	char words[16][128]; /* "security.ban 192.0.2.1 4026532000" */
};

static void keep_words(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct told *t = arg;

	for (size_t i = 0; i < n; i++) {
		const char *netns = strstr(ev[i].json, "\"netns\":");

		(void)snprintf(t->words[t->n++ % 16], sizeof(t->words[0]), "%s %s %.10s",
			       ev[i].type, ev[i].security->source ? ev[i].security->source : "-",
			       netns ? netns + 8 : "?");
	}
}

static unsigned int times_told(const struct told *t, const char *type, const char *source,
			       uint64_t netns)
{
	unsigned int times = 0;
	char want[128];

	(void)snprintf(want, sizeof(want), "%s %s %" PRIu64, type, source, netns);
	for (unsigned int i = 0; i < t->n && i < 16; i++)
		times += !strcmp(t->words[i], want);
	return times;
}

struct other_place {
	struct netns_pair p;
	struct netprobe_manager *m;
	int done;
};

static void *ban_there(void *arg)
{
	struct other_place *o = arg;
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.2",
				    .ttl_s = NETPROBE_NO_END };

	enter(&o->p.a);
	o->done = netprobe_manager_attach(o->m, o->p.if_a, NULL);
	if (!o->done)
		o->done = netprobe_manager_ban(o->m, &ban, NULL);
	pause_ms(20);
	(void)netprobe_manager_poll(o->m, 0);
	return NULL;
}

TEST(events_are_of_the_namespace_they_happened_in_and_told_once)
{
	struct netns_pair p = netns_pair_new();
	struct other_place o = { .p = netns_pair_new() };
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct told t = { 0 };
	pthread_t thread;

	c.stats_report_interval = 10;
	enter(&p.a);
	o.m = manager(&c);
	OK(netprobe_manager_attach(o.m, p.if_a, &err));
	OK(netprobe_manager_set_event_handler(o.m, NETPROBE_EVENT_SECURITY, keep_words, &t));
	OK(netprobe_manager_ban(o.m, &ban, &err));
	REQUIRE(!pthread_create(&thread, NULL, ban_there, &o) && !pthread_join(thread, NULL),
		"no thread");
	OK(o.done);
	ban.cidr = "192.0.2.3";
	OK(netprobe_manager_ban(o.m, &ban, &err));
	/* Each look at an interval's end may find another guard. */
	for (unsigned int i = 0; i < 3; i++) {
		pause_ms(20);
		OK(netprobe_manager_poll(o.m, 0));
	}
	OK(netprobe_manager_flush(o.m));
	for (unsigned int i = 0; i < t.n && i < 16; i++)
		test_note("%s", t.words[i]);
	CHECK_EQ(t.n, 3, "events");
	CHECK_EQ(times_told(&t, "security.ban", "192.0.2.1", p.a.inode), 1, "of the first ban");
	CHECK_EQ(times_told(&t, "security.ban", "192.0.2.2", o.p.a.inode), 1,
		 "of the one in the other namespace");
	CHECK_EQ(times_told(&t, "security.ban", "192.0.2.3", p.a.inode), 1, "of the last ban");
	OK(netprobe_manager_detach(o.m, p.if_a, &err));
	guard_must(&o.p.a, "detach %s", o.p.if_a);
	netprobe_manager_free(o.m);
}

static void keep_lists(const struct netprobe_event *ev, size_t n, void *arg)
{
	int *list = arg;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(ev[i].type, "security.list") && ev[i].security->replaced)
			*list = ev[i].security->list;
}

#define UNTOLD -1

/* What nobody confirms is undone by itself; the next call tells it. */
static int list_told_of(struct netprobe_manager *m, int *list)
{
	struct netprobe_security_stats s = { .size = sizeof(s) };
	int64_t end = deadline_in(20000);

	OK(netprobe_manager_flush(m));
	*list = UNTOLD;
	do {
		pause_ms(20);
		OK(netprobe_manager_get_security_stats(m, &s, &err));
	} while (s.confirm_s && now_ms() < end);
	OK(netprobe_manager_set_filtering(m, true, &err));
	OK(netprobe_manager_flush(m));
	return *list;
}

TEST(change_that_is_undone_is_told_of_the_lists_that_it_had_changed)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_limits l = { .size = sizeof(l), .packets = 1000, .confirm_s = 1 };
	struct netprobe_change how = { .size = sizeof(how),
				       .confirm_s = 1,
				       .list = NETPROBE_LIST_ALLOWED };
	struct netprobe_ban friend = { .size = sizeof(friend),
				       .cidr = "192.0.2.1",
				       .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;
	int list;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, keep_lists, &list));
	OK(netprobe_manager_set_limits(m, &l, &err));
	CHECK_EQ(list_told_of(m, &list), UNTOLD, "list, of limits");
	OK(netprobe_manager_change_list(m, &how, &friend, 1, &err));
	CHECK_EQ(list_told_of(m, &list), NETPROBE_LIST_ALLOWED, "list, of an allowance");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static int fork_at_ban(const struct netprobe_ban *b, void *arg)
{
	pid_t *child = arg;

	(void)b;
	*child = fork();
	if (!*child)
		(void)pause();
	return 1;
}

static int fork_at_backend(const struct netprobe_backend_stats *b, void *arg)
{
	(void)b;
	return fork_at_ban(NULL, arg);
}

/* As a program does that forks while another thread of it is in the library; who waits for ever is ended by SIGALRM. */
TEST(process_that_was_forked_within_a_call_keeps_no_lock)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;
	pid_t children[2] = { 0 };

	(void)alarm(60);
	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &ban, &err));
	OK(netprobe_manager_vip_add(m, "192.0.2.1:80/tcp", 0, &err));
	OK(netprobe_manager_banned(m, fork_at_ban, &children[0], &err));
	OK(netprobe_manager_unban(m, "192.0.2.1", &err));
	OK(netprobe_manager_backends(m, fork_at_backend, &children[1], &err));
	OK(netprobe_manager_vip_remove(m, "192.0.2.1:80/tcp", &err));
	CHECK(children[0] > 0 && children[1] > 0, "nothing was forked");
	for (unsigned int i = 0; i < 2; i++)
		(void)kill(children[i], SIGKILL);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static uint32_t keep_mode_of;

static int keep_mode(const struct netprobe_interface *i, void *arg)
{
	(void)arg;
	keep_mode_of = i->mode;
	return 0;
}

/* A folder of somebody else's is where the balancer's pins would be. */
TEST(attach_that_finds_no_balancer_leaves_the_interface_as_it_was)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_BALANCE);
	struct netprobe_manager *m;
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	char path[128];
	int fd;

	enter(&p.a);
	m = manager(&c);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		test_skip("network namespaces have no cookies here (before 5.14)");
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/lb-%" PRIx64, cookie);
	(void)mkdir("/sys/fs/bpf/netprobe", 0700);
	REQUIRE(!mkdir(path, 0700) && !chown(path, 65534, 0), "%s: %s", path, strerror(errno));
	CHECK(netprobe_manager_attach(m, p.if_a, &err) < 0, "attached without a balancer");
	FAILS(ENOENT, netprobe_manager_interfaces(m, keep_mode, NULL, &err));
	c.mode = NETPROBE_MODE_FILTER;
	OK(netprobe_manager_update_config(m, &c, &err));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	c.mode = NETPROBE_MODE_BALANCE;
	OK(netprobe_manager_update_config(m, &c, &err));
	CHECK(netprobe_manager_attach(m, p.if_a, &err) < 0, "balances without a balancer");
	OK(netprobe_manager_interfaces(m, keep_mode, NULL, &err));
	CHECK_EQ(keep_mode_of, NETPROBE_MODE_FILTER, "mode after an attach that failed");
	CHECK(!rmdir(path), "%s: %s", path, strerror(errno));
	/* And the other way round: what fails at the interface leaves no balancer. */
	CHECK(netprobe_manager_attach(m, "npt_none", &err) < 0, "attached to nothing");
	CHECK(access(path, F_OK), "%s is left", path);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

/* Two managers, each with a handler that asks the other one. */
struct side {
	struct netprobe_manager *m, *other;
	struct side *peer;
	unsigned int calls, refused, met;
	bool in; /* its handler runs */
};

static void on_side(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct netprobe_config c = { .size = sizeof(c) };
	struct side *s = arg;
	int64_t end = deadline_in(50);
	int r;

	(void)ev;
	(void)n;
	__atomic_store_n(&s->in, true, __ATOMIC_SEQ_CST);
	/* Both at once, as often as that comes about. */
	while (!__atomic_load_n(&s->peer->in, __ATOMIC_SEQ_CST) && now_ms() < end)
		pause_ms(1);
	s->met += __atomic_load_n(&s->peer->in, __ATOMIC_SEQ_CST);
	r = s->calls % 2 ? netprobe_manager_get_config(s->other, &c)
			 : netprobe_manager_flush(s->other);
	CHECK(r >= 0 || r == -EDEADLK, "from the other's handler: %d", r);
	__atomic_fetch_add(&s->refused, r == -EDEADLK, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&s->calls, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->in, false, __ATOMIC_SEQ_CST);
}

static void *poll_side(void *arg)
{
	struct side *s = arg;

	while (netprobe_manager_poll(s->m, 10) >= 0)
		if (__atomic_load_n(&s->calls, __ATOMIC_SEQ_CST) >= 20)
			break;
	return NULL;
}

static void asks_each_other(uint32_t workers)
{
	struct netns ns = netns_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_MONITOR);
	struct side s[2] = { { .peer = &s[1] }, { .peer = &s[0] } };
	int64_t end = deadline_in(30000);
	pthread_t threads[2];

	(void)alarm(60);
	enter(&ns);
	netns_must(&ns, "ip link add npt0 type veth peer name npt1");
	c.stats_report_interval = 10;
	c.batch_timeout = 0;
	s[0].m = manager(&c);
	OK(netprobe_manager_attach(s[0].m, "npt0", &err));
	c.workers = workers;
	s[1].m = manager(&c);
	for (unsigned int i = 0; i < 2; i++) {
		s[i].other = s[!i].m;
		OK(netprobe_manager_set_event_handler(s[i].m, NETPROBE_EVENT_STATISTICS, on_side,
						      &s[i]));
		OK(netprobe_manager_load(s[i].m, &err));
	}
	for (unsigned int i = 0; i < 2; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, poll_side, &s[i]), "no thread");
	for (unsigned int i = 0; i < 2; i++)
		while (__atomic_load_n(&s[i].calls, __ATOMIC_SEQ_CST) < 20 && now_ms() < end)
			pause_ms(5);
	test_note("%u workers: met %u and %u times, refused %u and %u", workers, s[0].met, s[1].met,
		  s[0].refused, s[1].refused);
	CHECK(s[0].calls >= 20 && s[1].calls >= 20, "%u and %u calls", s[0].calls, s[1].calls);
	for (unsigned int i = 0; i < 2; i++) {
		REQUIRE(!pthread_join(threads[i], NULL), "join");
		(void)netprobe_manager_set_event_handler(s[i].m, NETPROBE_EVENT_ALL, NULL, NULL);
	}
	OK(netprobe_manager_detach(s[0].m, "npt0", &err));
	CHECK(!netprobe_manager_free(s[1].m) && !netprobe_manager_free(s[0].m), "not freed");
}

TEST(handlers_of_two_managers_that_call_each_others_are_told_and_do_not_wait_for_ever)
{
	asks_each_other(0);
	asks_each_other(1);
	asks_each_other(3);
}
