/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting, flushing and finishing: by a descriptor, by workers. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"
#include "maker.h"

#define SOURCES 40

static void count(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)events;
	(void)__atomic_add_fetch((unsigned int *)arg, (unsigned int)n, __ATOMIC_SEQ_CST);
}

static unsigned int seen(const unsigned int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

TEST(descriptor_alone_wakes_a_program_that_has_guard_alone)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct pollfd fd = { .events = POLLIN };
	struct netprobe_manager *m;
	int64_t end = deadline_in(20000);
	unsigned int told = 0, wakes = 0;

	enter(&p.a);
	c.enable_health_checks = c.follow_interfaces = false;
	m = manager(&c);
	OK(netprobe_manager_attach(m, p.if_a, &err));
	fd.fd = netprobe_manager_fd(m);
	REQUIRE(fd.fd >= 0, "no descriptor: %d", fd.fd);
	/* The first look, then nobody wants anything. */
	CHECK_EQ(poll(&fd, 1, 20000), 1, "readable at first");
	OK(netprobe_manager_poll(m, 0));
	CHECK_EQ(poll(&fd, 1, 700), 0, "readable for nothing");
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, count, &told));
	guard_must(&p.a, "ban 192.0.2.1");
	while (!told && now_ms() < end) {
		CHECK_EQ(poll(&fd, 1, 20000), 1, "readable");
		OK(netprobe_manager_poll(m, 0));
		wakes++;
	}
	CHECK_EQ(told, 1, "events of another process's ban");
	CHECK(wakes < 100, "%u wakes for one event", wakes);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, NULL, NULL));
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

struct threads {
	pthread_mutex_t lock;
	pthread_t ids[16];
	unsigned int n, events;
};

static void note_thread(const struct netprobe_event *events, size_t n, void *arg)
{
	struct threads *t = arg;
	unsigned int i;

	(void)events;
	(void)pthread_mutex_lock(&t->lock);
	t->events += (unsigned int)n;
	for (i = 0; i < t->n && !pthread_equal(t->ids[i], pthread_self()); i++)
		;
	if (i == t->n && i < 16)
		t->ids[t->n++] = pthread_self();
	(void)pthread_mutex_unlock(&t->lock);
}

static void flushed(unsigned int workers)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_ban bans[SOURCES] = {};
	struct threads t = { .lock = PTHREAD_MUTEX_INITIALIZER };
	char cidrs[SOURCES][32];
	struct netprobe_manager *m;

	enter(&p.a);
	c.workers = workers;
	c.batch_size = 65536;
	c.batch_timeout = 60000;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, note_thread, &t));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_load(m, &err));
	for (unsigned int i = 0; i < SOURCES; i++) {
		(void)snprintf(cidrs[i], sizeof(cidrs[i]), "198.51.100.%u", i);
		bans[i] = (struct netprobe_ban){ .size = sizeof(bans[i]),
						 .cidr = cidrs[i],
						 .ttl_s = NETPROBE_NO_END };
	}
	CHECK_EQ(netprobe_manager_change_list(m, NULL, bans, SOURCES, &err), SOURCES, "bans");
	CHECK_EQ(netprobe_manager_flush(m), SOURCES, "events flushed");
	CHECK_EQ(t.events, SOURCES, "events when it returned");
	CHECK_EQ(netprobe_manager_flush(m), 0, "events flushed again");
	CHECK(workers < 2 ? t.n == 1 : t.n > 1, "%u threads for %u workers", t.n, workers);
	CHECK(workers || pthread_equal(t.ids[0], pthread_self()), "another thread without workers");
	if (workers)
		FAILS(EBUSY, netprobe_manager_fd(m));
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(flush_hands_out_what_waits)
{
	flushed(0);
}

TEST(flush_hands_out_what_waits_by_a_worker)
{
	flushed(1);
}

TEST(flush_hands_out_what_waits_by_several_workers_which_share_sources)
{
	flushed(4);
}

TEST(descriptor_is_silent_about_links_that_nobody_follows)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct pollfd fd = { .events = POLLIN };
	struct netprobe_manager *m;

	enter(&p.a);
	c.enable_health_checks = false;
	c.follow_interfaces = true;
	c.stats_report_interval = 3600000;
	m = manager(&c);
	fd.fd = netprobe_manager_fd(m);
	REQUIRE(fd.fd >= 0, "no descriptor: %d", fd.fd);
	OK(netprobe_manager_poll(m, 0));
	netns_must(&p.a, "ip link add v7 type veth peer name v8");
	CHECK_EQ(poll(&fd, 1, 20000), 1, "readable by a link");
	OK(netprobe_manager_poll(m, 0));
	c.enable_health_checks = true;
	c.follow_interfaces = false;
	OK(netprobe_manager_update_config(m, &c, &err));
	netns_must(&p.a, "ip link del v7");
	CHECK_EQ(poll(&fd, 1, 300), 0, "readable by a link that nobody looks at");
	c.follow_interfaces = true;
	OK(netprobe_manager_update_config(m, &c, &err));
	CHECK_EQ(poll(&fd, 1, 20000), 1, "readable by the link, then");
	netprobe_manager_free(m);
}

static void count_slowly(const struct netprobe_event *events, size_t n, void *arg)
{
	count(events, n, arg);
	(void)usleep(5000);
}

struct pusher {
	struct netprobe_manager *m;
	bool stop;
};

static void *push_on(void *arg)
{
	struct pusher *p = arg;

	for (uint64_t i = 0; !__atomic_load_n(&p->stop, __ATOMIC_SEQ_CST); i++) {
		(void)netprobe_manager_tell_loss(p->m, "pusher", i, i + 1, NULL);
		(void)usleep(100);
	}
	return NULL;
}

/* More come than a worker can hand out. */
TEST(flush_and_a_new_handler_wait_for_no_events_that_come_later)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct pusher p = {};
	unsigned int before = 0, after = 0;
	pthread_t thread;

	c.capture = NETPROBE_CAPTURE_PROC;
	c.workers = 2;
	c.batch_size = 16;
	c.batch_timeout = 0;
	p.m = manager(&c);
	OK(netprobe_manager_set_event_handler(p.m, NETPROBE_EVENT_STATISTICS, count_slowly,
					      &before));
	OK(netprobe_manager_load(p.m, &err));
	REQUIRE(!pthread_create(&thread, NULL, push_on, &p), "no thread");
	for (unsigned int i = 0; i < 2; i++)
		OK(netprobe_manager_flush(p.m));
	OK(netprobe_manager_set_event_handler(p.m, NETPROBE_EVENT_STATISTICS, count_slowly,
					      &after));
	OK(netprobe_manager_flush(p.m));
	__atomic_store_n(&p.stop, true, __ATOMIC_SEQ_CST);
	(void)pthread_join(thread, NULL);
	CHECK(seen(&before) && seen(&after), "%u and %u events", before, after);
	netprobe_manager_free(p.m);
}

TEST(finish_ends_workers_and_all_is_told_before_it_returns)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m;
	struct maker maker;
	unsigned int told = 0, then;

	/* What the maker did is told at the end at the latest. */
	c.capture = NETPROBE_CAPTURE_AUTO;
	c.workers = 3;
	c.batch_size = 65536;
	c.batch_timeout = 60000;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, count, &told));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(NULL, -1, "stream --bytes 20000");
	maker_finish(&maker);
	CHECK(netprobe_manager_finish(m) > 0, "nothing is told at the end");
	then = seen(&told);
	CHECK(then > 0, "events when it returned");
	FAILS(EALREADY, netprobe_manager_finish(m));
	FAILS(EALREADY, netprobe_manager_poll(m, 0));
	CHECK_EQ(netprobe_manager_flush(m), 0, "events after the end");
	CHECK(!netprobe_manager_free(m), "not freed");
	CHECK_EQ(seen(&told), then, "events while it is freed");
}

struct finals {
	unsigned int before, submitted;
};

/* Of one run: records that came before the last account, and how many that says were handed out. */
static void take_final(const struct netprobe_event *events, size_t n, void *arg)
{
	struct finals *f = arg;

	for (size_t i = 0; i < n; i++) {
		const char *at = strstr(events[i].json, "\"submitted\":");

		if (strcmp(events[i].type, "probe.loss") != 0 ||
		    !strstr(events[i].json, "\"final\":true"))
			(void)__atomic_add_fetch(&f->before, 1, __ATOMIC_SEQ_CST);
		else if (!strcmp(events[i].entity_id, "queue") && at)
			(void)sscanf(at, "\"submitted\":%u", &f->submitted);
	}
}

static void check_final(uint32_t workers)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m;
	struct finals f = {};
	struct maker maker;

	/* All of it waits for the end. */
	c.capture = NETPROBE_CAPTURE_AUTO;
	c.workers = workers;
	c.batch_size = 65536;
	c.batch_timeout = 60000;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, take_final, &f));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(NULL, -1, "stream --bytes 20000");
	maker_finish(&maker);
	CHECK(netprobe_manager_finish(m) > 0, "nothing is told at the end");
	CHECK(f.before > 0, "no event but the account");
	CHECK(f.submitted == f.before, "%u handed out, %u told, with %u workers", f.before,
	      f.submitted, workers);
	netprobe_manager_free(m);
}

TEST(final_account_has_every_event_that_was_handed_out)
{
	check_final(0);
	check_final(1);
	check_final(3);
}
