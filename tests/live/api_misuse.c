/* SPDX-License-Identifier: BSD-2-Clause */
/* The library in wrong hands: each mistake is an error that is documented, and none is a crash. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"
#include "maker.h"

/* Every function that takes a manager, with one that is none. */
static void all_fail(struct netprobe_manager *m, int code)
{
	struct netprobe_config c;
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct netprobe_network_stats n = { .size = sizeof(n) };
	struct netprobe_device_stats d = { .size = sizeof(d) };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_balancer_stats b = { .size = sizeof(b) };
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_limits l = { .size = sizeof(l) };
	struct netprobe_detection x = { .size = sizeof(x) };
	struct netprobe_backend back = { .size = sizeof(back), .addr = "192.0.2.1" };
	struct netprobe_error *e = &err;
	const char *vip = "192.0.2.1:80/tcp";
	struct netprobe_loss_stats losses = { .size = sizeof(losses) };
	struct netprobe_capture capture = { .size = sizeof(capture) };
	char note[16];

	netprobe_config_default(&c);
	const int got[] = {
		netprobe_manager_load(m, e),
		netprobe_manager_attach(m, "lo", e),
		netprobe_manager_detach(m, "lo", e),
		netprobe_manager_get_global_stats(m, &g, e),
		netprobe_manager_get_network_stats(m, &n, e),
		netprobe_manager_get_device_stats(m, "lo", NETPROBE_RX, &d, e),
		netprobe_manager_get_security_stats(m, &s, e),
		netprobe_manager_get_balancer_stats(m, &b, e),
		netprobe_manager_ban(m, &ban, e),
		netprobe_manager_allow(m, &ban, e),
		netprobe_manager_unban(m, "192.0.2.1", e),
		netprobe_manager_unallow(m, "192.0.2.1", e),
		netprobe_manager_banned(m, NULL, NULL, e),
		netprobe_manager_allowed(m, NULL, NULL, e),
		netprobe_manager_detected(m, NULL, NULL, e),
		netprobe_manager_change_list(m, NULL, &ban, 1, e),
		netprobe_manager_import_list(m, NULL, NULL, "", 0, e),
		netprobe_manager_remove_list(m, NETPROBE_LIST_BANS, &ban, 1, e),
		netprobe_manager_confirm(m, e),
		netprobe_manager_set_filtering(m, true, e),
		netprobe_manager_set_limits(m, &l, e),
		netprobe_manager_get_limits(m, &l, e),
		netprobe_manager_limits(m, NULL, NULL, e),
		netprobe_manager_syncookies_add(m, "80", NULL, e),
		netprobe_manager_syncookies_remove(m, "80", e),
		netprobe_manager_syncookies(m, NULL, NULL, e),
		netprobe_manager_set_detection(m, &x, e),
		netprobe_manager_get_detection(m, &x, e),
		netprobe_manager_interfaces(m, NULL, NULL, e),
		netprobe_manager_guard_flows(m, NULL, NULL, e),
		netprobe_manager_vip_add(m, vip, 0, e),
		netprobe_manager_vip_remove(m, vip, e),
		netprobe_manager_backend_add(m, vip, &back, e),
		netprobe_manager_backend_remove(m, vip, "192.0.2.1", e),
		netprobe_manager_backend_drain(m, vip, "192.0.2.1", true, e),
		netprobe_manager_backend_weight(m, vip, "192.0.2.1", 1, e),
		netprobe_manager_backends(m, NULL, NULL, e),
		netprobe_manager_flows(m, NULL, NULL, e),
		netprobe_manager_drops(m, NULL, NULL, e),
		netprobe_manager_latencies(m, NULL, NULL, e),
		netprobe_manager_losses(m, NULL, NULL, e),
		netprobe_manager_note(m, note, sizeof(note)),
		netprobe_manager_update_config(m, &c, e),
		netprobe_manager_get_config(m, &c),
		netprobe_manager_report(m, NETPROBE_EVENT_STATISTICS, e),
		netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, NULL, NULL),
		netprobe_manager_poll(m, 0),
		netprobe_manager_fd(m),
		netprobe_manager_tick(m),
		netprobe_manager_finish(m),
		netprobe_manager_get_loss_stats(m, &losses, e),
		netprobe_manager_get_capture(m, &capture, e),
	};

	for (size_t i = 0; i < sizeof(got) / sizeof(got[0]); i++)
		CHECK(got[i] == -code, "call %zu: %d, not %d", i, got[i], -code);
}

TEST(no_manager_is_einval_everywhere)
{
	all_fail(NULL, EINVAL);
	CHECK(netprobe_manager_free(NULL) == NULL, "freeing NULL gave something");
}

TEST(freed_managers_are_ebadf_everywhere)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m = manager(&c), *gone = m;

	CHECK(netprobe_manager_free(m) == NULL, "free gave something");
	CHECK(netprobe_manager_free(gone) == NULL, "the second free gave something");
	all_fail(gone, EBADF);
	all_fail((struct netprobe_manager *)&c, EBADF);
}

#define WRONG_SIZES(type, call)                                            \
	do {                                                               \
		static const size_t sizes[] = { 0, 4, 1 << 20, SIZE_MAX }; \
		for (unsigned int i_ = 0; i_ < 4; i_++) {                  \
			struct type x = { .size = sizes[i_] };             \
			FAILS(EINVAL, call);                               \
		}                                                          \
	} while (0)

TEST(wrong_sizes_are_einval)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_manager *m, *none = NULL;

	enter(&p.a);
	m = guarded(p.if_a);
	WRONG_SIZES(netprobe_config, netprobe_manager_new_with_config(&x, &none, &err));
	WRONG_SIZES(netprobe_config, netprobe_manager_update_config(m, &x, &err));
	WRONG_SIZES(netprobe_config, netprobe_manager_get_config(m, &x));
	WRONG_SIZES(netprobe_global_stats, netprobe_manager_get_global_stats(m, &x, &err));
	WRONG_SIZES(netprobe_network_stats, netprobe_manager_get_network_stats(m, &x, &err));
	WRONG_SIZES(netprobe_device_stats,
		    netprobe_manager_get_device_stats(m, p.if_a, NETPROBE_RX, &x, &err));
	WRONG_SIZES(netprobe_security_stats, netprobe_manager_get_security_stats(m, &x, &err));
	WRONG_SIZES(netprobe_balancer_stats, netprobe_manager_get_balancer_stats(m, &x, &err));
	WRONG_SIZES(netprobe_ban, netprobe_manager_ban(m, &x, &err));
	WRONG_SIZES(netprobe_ban, netprobe_manager_allow(m, &x, &err));
	WRONG_SIZES(netprobe_ban, netprobe_manager_change_list(m, NULL, &x, 1, &err));
	WRONG_SIZES(netprobe_change, netprobe_manager_change_list(m, &x, NULL, 0, &err));
	WRONG_SIZES(netprobe_limits, netprobe_manager_set_limits(m, &x, &err));
	WRONG_SIZES(netprobe_limits, netprobe_manager_get_limits(m, &x, &err));
	WRONG_SIZES(netprobe_detection, netprobe_manager_set_detection(m, &x, &err));
	WRONG_SIZES(netprobe_detection, netprobe_manager_get_detection(m, &x, &err));
	WRONG_SIZES(netprobe_backend,
		    netprobe_manager_backend_add(m, "192.0.2.1:80/tcp", &x, &err));
	WRONG_SIZES(netprobe_syncookies, netprobe_manager_syncookies_add(m, "80", &x, &err));
	FAILS(EINVAL, netprobe_manager_syncookies_add(m, NULL, NULL, &err));
	FAILS(EINVAL, netprobe_check_cidr(NULL, &err));
	FAILS(EINVAL, netprobe_manager_get_config(m, NULL));
	FAILS(EINVAL, netprobe_manager_get_global_stats(m, NULL, &err));
	FAILS(EINVAL, netprobe_manager_ban(m, NULL, &err));
	FAILS(EINVAL, netprobe_manager_unban(m, NULL, &err));
	FAILS(EINVAL, netprobe_manager_attach(m, NULL, &err));
	FAILS(EINVAL, netprobe_manager_attach(m, NULL, NULL));
	FAILS(EINVAL, netprobe_manager_vip_add(m, NULL, 0, &err));
	FAILS(EINVAL, netprobe_manager_new(NULL, &err));
	netprobe_config_default(NULL);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static int from_a_list(const struct netprobe_ban *b, void *arg)
{
	struct netprobe_manager *m = arg;

	FAILS(EDEADLK, netprobe_manager_unban(m, b->cidr, &err));
	FAILS(EDEADLK, netprobe_manager_banned(m, NULL, NULL, &err));
	FAILS(EDEADLK, netprobe_manager_poll(m, 0));
	FAILS(EDEADLK, netprobe_manager_report(m, NETPROBE_EVENT_STATISTICS, &err));
	CHECK(netprobe_manager_free(m) == m, "freed from within a list");
	return 0;
}

TEST(calls_from_within_a_list_are_edeadlk)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(netprobe_manager_banned(m, from_a_list, m, &err), 1, "bans");
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 1, "bans after");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	CHECK(netprobe_manager_free(m) == NULL, "not freed after the list's end");
}

struct handler {
	struct netprobe_manager *m;
	unsigned int calls;
};

static void on_event(const struct netprobe_event *events, size_t n, void *arg)
{
	struct netprobe_config got = { .size = sizeof(got) };
	struct handler *h = arg;

	(void)events;
	(void)n;
	CHECK(netprobe_manager_poll(h->m, 0) == -EBUSY || netprobe_manager_get_config(h->m, &got) ||
		      got.workers,
	      "a handler polls");
	CHECK(netprobe_manager_free(h->m) == h->m, "freed by its own handler");
	CHECK(netprobe_manager_get_config(h->m, &got) == 0, "a handler may not ask");
	__atomic_fetch_add(&h->calls, 1, __ATOMIC_SEQ_CST);
}

static void handlers_may_not_free(uint32_t workers)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_MONITOR);
	int64_t deadline = deadline_in(10000);
	struct handler h = { 0 };

	c.workers = workers;
	c.stats_report_interval = 10;
	c.batch_size = 1;
	enter(&p.a);
	h.m = manager(&c);
	OK(netprobe_manager_attach(h.m, p.if_a, &err));
	OK(netprobe_manager_set_event_handler(h.m, NETPROBE_EVENT_STATISTICS, on_event, &h));
	OK(netprobe_manager_load(h.m, &err));
	while (__atomic_load_n(&h.calls, __ATOMIC_SEQ_CST) < 3 && now_ms() < deadline)
		OK(netprobe_manager_poll(h.m, 20));
	CHECK(__atomic_load_n(&h.calls, __ATOMIC_SEQ_CST) >= 3, "the handler was not called");
	OK(netprobe_manager_detach(h.m, p.if_a, &err));
	CHECK(netprobe_manager_free(h.m) == NULL, "not freed");
}

TEST(handlers_may_neither_free_nor_poll)
{
	handlers_may_not_free(0);
}

TEST(handlers_in_a_worker_may_not_free_either)
{
	handlers_may_not_free(1);
}

TEST(handlers_in_several_workers_may_not_free_either)
{
	handlers_may_not_free(3);
}

struct crowd {
	struct netprobe_manager *m;
	volatile bool stop;
	unsigned long calls, gone;
};

static void *crowd_in(void *arg)
{
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct crowd *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
		int r = netprobe_manager_get_global_stats(c->m, &g, NULL);

		__atomic_fetch_add(r ? &c->gone : &c->calls, 1, __ATOMIC_SEQ_CST);
		if (r && r != -EBADF)
			return (void *)1;
		(void)netprobe_manager_poll(c->m, 0);
	}
	return NULL;
}

TEST(freeing_waits_for_calls_of_other_threads)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_MONITOR);
	struct netns ns = netns_new();
	struct crowd x = { 0 };
	pthread_t threads[4];
	int64_t deadline = deadline_in(10000);
	void *bad;

	enter(&ns);
	x.m = manager(&c);
	for (unsigned int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, crowd_in, &x) == 0, "pthread_create");
	while (__atomic_load_n(&x.calls, __ATOMIC_SEQ_CST) < 100 && now_ms() < deadline)
		pause_ms(1);
	CHECK(netprobe_manager_free(x.m) == NULL, "not freed");
	while (!__atomic_load_n(&x.gone, __ATOMIC_SEQ_CST) && now_ms() < deadline)
		pause_ms(1);
	__atomic_store_n(&x.stop, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(threads[i], &bad);
		CHECK(!bad, "a call failed with something else than EBADF");
	}
	CHECK(x.calls >= 100 && x.gone > 0, "%lu calls, %lu after the end", x.calls, x.gone);
}

/* A child without any rights: its exit status is what failed. */
static int without_rights(void)
{
	struct netprobe_config c;
	struct netprobe_manager *m = NULL;

	if (setgid(65534) || setuid(65534))
		return 1;
	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	if (netprobe_manager_new_with_config(&c, &m, &err))
		return 2;
	if (netprobe_manager_load(m, &err) != -EPERM || !err.msg[0])
		return 3;
	if (netprobe_is_supported(NETPROBE_CAPTURE_EBPF, &err) != -EPERM)
		return 4;
	if (netprobe_manager_attach(m, "lo", &err) != -EPERM || !err.msg[0])
		return 5;
	if (netprobe_is_supported(NETPROBE_CAPTURE_PROC, &err) != NETPROBE_CAPTURE_PROC)
		return 6;
	if (netprobe_manager_flows(m, NULL, NULL, &err) != -ENODEV)
		return 7;
	return netprobe_manager_free(m) ? 8 : 0;
}

TEST(without_rights_it_is_eperm_with_the_reason)
{
	struct netns ns = netns_new();
	int status = 0;
	pid_t pid;

	enter(&ns);
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		_exit(without_rights());
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "step %d failed (status %#x)",
	      WEXITSTATUS(status), status);
}
