/* SPDX-License-Identifier: BSD-2-Clause */
/* libnetprobe, linked as its users link it, and the example programs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netprobe/netprobe.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

TEST(wrong_configurations_name_the_field_and_change_nothing)
{
	static const struct netprobe_filter filters[] = { { NETPROBE_FILTER_PORT, "0" }, {} };
	static const struct netprobe_filter unknown[] = { { NETPROBE_FILTER_MAX, "red" }, {} };
	static const struct netprobe_filter nobody[] = { { NETPROBE_FILTER_CONTAINER, "nope" },
							 {} };
	struct netprobe_manager *m = NULL, *good;
	struct netprobe_config c, got = { .size = sizeof(got) };

	netprobe_config_default(&c);
	c.batch_size = 0;
	CHECK(netprobe_manager_new_with_config(&c, &m, &err) == -EINVAL && !m,
	      "batch_size 0 was taken");
	CHECK(!strncmp(err.msg, "batch_size: ", 12), "said: %s", err.msg);
	netprobe_config_default(&c);
	c.filters = filters;
	CHECK(netprobe_manager_new_with_config(&c, &m, &err) == -EINVAL && !m, "port 0 was taken");
	CHECK(!strncmp(err.msg, "filters: port: ", 15), "said: %s", err.msg);
	/* nobody has to ask for the reason */
	CHECK(netprobe_manager_new_with_config(&c, &m, NULL) == -EINVAL && !m, "port 0 was taken");
	c.filters = nobody;
	CHECK(netprobe_manager_new_with_config(&c, &m, NULL) < 0 && !m,
	      "a container that is not there was taken");
	good = manager(NULL);
	c.filters = unknown;
	CHECK(netprobe_manager_update_config(good, &c, &err) == -EINVAL, "color was taken");
	CHECK(netprobe_manager_get_config(good, &got) == 0 && !got.filters && got.batch_size == 64,
	      "a refused configuration is in force");
	netprobe_config_default(&c);
	c.batch_size = 7;
	OK(netprobe_manager_update_config(good, &c, &err));
	CHECK(netprobe_manager_get_config(good, &got) == 0 && got.batch_size == 7, "batch_size %u",
	      got.batch_size);
	CHECK(netprobe_manager_set_event_handler(good, 64, NULL, NULL) == -EINVAL,
	      "family 64 was taken");
	netprobe_manager_free(good);
	netprobe_manager_free(NULL);
}

TEST(older_and_newer_callers_sizes_are_kept_to)
{
	struct netprobe_manager *m = manager(NULL);
	struct {
		struct netprobe_config c;
		char beyond[16];
	} x;

	memset(&x, 0x55, sizeof(x));
	x.c.size = offsetof(struct netprobe_config, batch_size);
	OK(netprobe_manager_get_config(m, &x.c));
	CHECK(x.c.batch_size == 0x55555555, "more was written than there is room for");
	CHECK(x.c.size == offsetof(struct netprobe_config, batch_size), "size was written");
	x.c.size = sizeof(x);
	OK(netprobe_manager_get_config(m, &x.c));
	CHECK(x.beyond[0] == 0x55, "what a newer caller has was written");
	netprobe_manager_free(m);
}

/* What a handler got. */
struct got {
	unsigned int calls, events, largest, closes;
	uint32_t pid;
	pthread_t thread;
};

static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	struct got *g = arg;

	g->calls++;
	g->events += (unsigned int)n;
	g->largest = n > g->largest ? (unsigned int)n : g->largest;
	g->thread = pthread_self();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_loads(events[i].json, 0, NULL);

		CHECK(o && !strcmp(record_str(o, "event_type"), events[i].type),
		      "type %s, and json %s", events[i].type, events[i].json);
		CHECK(!o || !json_object_get(o, "pid") || record_u64(o, "pid") == events[i].pid,
		      "pid %u, and json %s", events[i].pid, events[i].json);
		json_decref(o);
		if (!strcmp(events[i].type, "conn.close") && events[i].pid == g->pid)
			__atomic_fetch_add(&g->closes, 1, __ATOMIC_SEQ_CST);
	}
}

static void connections_are_told(uint32_t workers)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct got got = { 0 };
	struct maker maker;
	int64_t deadline;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	c.batch_size = 3;
	c.workers = workers;
	c.stats_report_interval = 200;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW, on_events, &got));
	OK(netprobe_manager_load(m, &err));
	CHECK(netprobe_manager_load(m, &err) == -EALREADY, "loaded twice");
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 10000");
	got.pid = (uint32_t)maker_wait_hold(&maker);
	maker_go(&maker);
	maker_finish(&maker);
	deadline = deadline_in(20000);
	while (!__atomic_load_n(&got.closes, __ATOMIC_SEQ_CST) && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 100));
	CHECK(got.closes > 0, "no conn.close of process %u", got.pid);
	CHECK(got.largest <= 3, "a batch of %u, where 3 were asked for", got.largest);
	CHECK(!pthread_equal(got.thread, pthread_self()) == !!workers,
	      "the handler's thread is wrong");
	netprobe_manager_free(m);
}

TEST(handlers_run_in_the_callers_thread)
{
	connections_are_told(0);
}

TEST(handlers_run_in_a_worker_where_asked_for)
{
	connections_are_told(1);
}

TEST(bans_drop_are_listed_and_told)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_ban ban = {
		.size = sizeof(ban), .cidr = "10.77.0.2", .ttl_s = NETPROBE_NO_END, .reason = "test"
	};
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_device_stats d = { .size = sizeof(d) };
	struct got got = { 0 };
	struct netprobe_manager *m;

	enter(&p.a);
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, on_events, &got));
	CHECK(netprobe_manager_ban(m, &ban, &err) == -ENOENT, "banned without anything attached");
	CHECK(netprobe_manager_attach(m, "nosuch0", &err) == -ENODEV, "attached to nothing");
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_load(m, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 20), 20, "datagrams before");
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 1, "bans");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 20), 0, "datagrams of a banned source");
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK(s.dropped_banned >= 20 && s.bans == 1, "dropped %" PRIu64 ", bans %u",
	      s.dropped_banned, s.bans);
	OK(netprobe_manager_get_device_stats(m, p.if_a, NETPROBE_RX, &d, &err));
	CHECK(d.udp_packets >= 40 && d.dropped == s.dropped_banned,
	      "udp %" PRIu64 ", dropped %" PRIu64, d.udp_packets, d.dropped);
	ban.cidr = "0.0.0.0/0";
	CHECK(netprobe_manager_ban(m, &ban, &err) == -ECANCELED, "everything was banned");
	ban.cidr = "10.77.0.300";
	CHECK(netprobe_manager_ban(m, &ban, &err) == -EINVAL, "10.77.0.300 was banned");
	OK(netprobe_manager_unban(m, "10.77.0.2", &err));
	CHECK(netprobe_manager_unban(m, "10.77.0.2", &err) == -ENOENT, "unbanned twice");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7003, 20), 20, "datagrams after");
	for (int i = 0; i < 10 && got.events < 2; i++)
		OK(netprobe_manager_poll(m, 200));
	CHECK_EQ(got.events, 2, "events of ban and unban");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	CHECK(netprobe_manager_get_device_stats(m, p.if_a, NETPROBE_RX, &d, &err) == -ENOENT,
	      "counters of what is detached");
	netprobe_manager_free(m);
}

/* Which attack was told, and whose. */
struct attack {
	unsigned int floods, bans;
};

static void on_attack(const struct netprobe_event *events, size_t n, void *arg)
{
	struct attack *a = arg;

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_loads(events[i].json, 0, NULL);

		REQUIRE(o, "not JSON: %s", events[i].json);
		CHECK(!strcmp(record_str(o, "raddr"), "10.77.0.2"), "%s", events[i].json);
		a->floods += !strcmp(events[i].type, "security.syn_flood") && events[i].num >= 1000;
		a->bans += !strcmp(events[i].type, "security.ban");
		json_decref(o);
	}
}

TEST(attacks_are_told_as_detection_finds_them)
{
	const struct forged syn = { .proto = IPPROTO_TCP, .flags = 0x02 };
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct attack a = { 0 };
	struct netprobe_manager *m;
	int64_t deadline;

	enter(&p.a);
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, on_attack, &a));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	guard_must(&p.a, "detect on --ban-time 2s");
	OK(netprobe_manager_load(m, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	forge_second(&p.b, &syn, 6000);
	deadline = deadline_in(20000);
	while (!(a.floods && a.bans) && now_ms() < deadline) {
		/* The second is over with the next packet. */
		forge(&p.b, &syn, 1, 1);
		OK(netprobe_manager_poll(m, 100));
	}
	CHECK(a.floods && a.bans, "%u floods, %u bans told", a.floods, a.bans);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(statistics_of_interfaces_and_balancer_are_told)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_BALANCE);
	struct netprobe_balancer_stats b = { .size = sizeof(b) };
	struct netprobe_backend backend = { .size = sizeof(backend), .addr = "10.77.0.2" };
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct netprobe_network_stats n = { .size = sizeof(n) };
	struct got stats = { 0 }, lb = { 0 };
	struct netprobe_manager *m;
	int64_t deadline = deadline_in(10000);

	c.stats_report_interval = 50;
	enter(&p.a);
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_events, &stats));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_BALANCING, on_events, &lb));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_vip_add(m, "192.0.2.1:80/tcp", false, &err));
	CHECK(netprobe_manager_vip_add(m, "192.0.2.1:80/tcp", false, &err) == -EEXIST,
	      "added twice");
	CHECK(netprobe_manager_vip_add(m, "192.0.2.1:80", false, &err) == -EINVAL, "no protocol");
	OK(netprobe_manager_backend_add(m, "192.0.2.1:80/tcp", &backend, &err));
	OK(netprobe_manager_backend_drain(m, "192.0.2.1:80/tcp", "10.77.0.2", true, &err));
	OK(netprobe_manager_get_balancer_stats(m, &b, &err));
	CHECK(b.backends == 1 && b.backends_draining == 1, "backends %u, draining %u", b.backends,
	      b.backends_draining);
	OK(netprobe_manager_backend_drain(m, "192.0.2.1:80/tcp", "10.77.0.2", false, &err));
	backend.addr = "10.77.0.1";
	CHECK(netprobe_manager_backend_add(m, "192.0.2.1:80/tcp", &backend, &err) == -EADDRINUSE,
	      "this host is its own backend");
	CHECK(netprobe_manager_backend_remove(m, "192.0.2.1:80/tcp", "10.77.0.3", &err) == -ENOENT,
	      "a backend that is not there was removed");
	OK(netprobe_manager_vip_add(m, "[2001:db8::1]:*/udp", true, &err));
	OK(netprobe_manager_vip_remove(m, "[2001:db8::1]:*/udp", &err));
	OK(netprobe_manager_load(m, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 20), 20, "datagrams");
	while ((stats.events < 4 || lb.events < 4) && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 50));
	CHECK(stats.events >= 4 && lb.events >= 4, "%u of statistics, %u of the balancer",
	      stats.events, lb.events);
	OK(netprobe_manager_get_balancer_stats(m, &b, &err));
	CHECK(b.vips == 1 && b.backends == 1 && b.backends_up == 1, "VIPs %u, backends %u, up %u",
	      b.vips, b.backends, b.backends_up);
	OK(netprobe_manager_get_global_stats(m, &g, &err));
	CHECK(g.interfaces == 1 && g.rx_pkts >= 20 &&
		      g.events_delivered == stats.events + lb.events,
	      "interfaces %u, packets %" PRIu64 ", events %" PRIu64, g.interfaces, g.rx_pkts,
	      g.events_delivered);
	OK(netprobe_manager_get_network_stats(m, &n, &err));
	CHECK(n.udp_packets >= 20, "udp %" PRIu64, n.udp_packets);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	OK(netprobe_manager_get_balancer_stats(m, &b, &err));
	CHECK_EQ(b.vips, 0, "VIPs after detach");
	netprobe_manager_free(m);
}

/* An example as a child: ready when it says so; ended by the end of its input. */
struct example {
	pid_t pid;
	int in, said;
	char out[PATH_MAX];
};

static struct example example_start(const char *name, const char *a, const char *b)
{
	char path[PATH_MAX], byte[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	struct example e;
	int in[2], said[2];

	REQUIRE(n > 0, "/proc/self/exe: %s", strerror(errno));
	path[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	snprintf(path + strlen(path), 64, "/docs/examples/example_%s", name);
	snprintf(e.out, sizeof(e.out), "%s/%s", test_dir(), name);
	REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(said, O_CLOEXEC) == 0, "pipe: %s",
		strerror(errno));
	fflush(NULL);
	e.pid = fork();
	REQUIRE(e.pid >= 0, "fork: %s", strerror(errno));
	if (e.pid == 0) {
		int out = open(e.out, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(said[1], STDERR_FILENO);
		execl(path, path, a, b, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(said[1]);
	e.in = in[1];
	e.said = said[0];
	n = read(e.said, byte, sizeof(byte) - 1);
	byte[n > 0 ? n : 0] = '\0';
	REQUIRE(!strncmp(byte, "ready", 5), "%s: %s", name, byte);
	return e;
}

static char *example_end(struct example *e)
{
	int status;

	close(e->in);
	REQUIRE(waitpid(e->pid, &status, 0) == e->pid, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the example ended with %d", status);
	return file_text(e->out);
}

TEST(example_counters_counts_what_the_kernel_counts)
{
	struct netns_pair p = netns_pair_new();
	unsigned long long packets = 0, bytes = 0, device = 0;
	struct example e;
	char *text;

	/* Nothing of their own: it reads the device's counters after guard's. */
	netns_must(&p.a, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	netns_must(&p.b, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	enter(&p.a);
	e = example_start("counters", p.if_a, NULL);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 50), 50, "datagrams");
	text = example_end(&e);
	REQUIRE(sscanf(text, "rx packets %llu bytes %llu device %llu", &packets, &bytes, &device) ==
			3,
		"said: %s", text);
	CHECK(packets >= 50 && packets == device, "packets %llu, the kernel says %llu", packets,
	      device);
}

TEST(example_ban_drops)
{
	struct netns_pair p = netns_pair_new();
	struct example e;
	char *text;

	enter(&p.a);
	e = example_start("ban", p.if_a, "10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 30), 0, "datagrams of a banned source");
	text = example_end(&e);
	CHECK(!strncmp(text, "10.77.0.2 hits ", 15) && strstr(text, "reason example"), "said: %s",
	      text);
}

TEST(example_events_tells_connections)
{
	struct example e = example_start("events", "2", NULL);
	struct maker maker = maker_start(NULL, -1, "stream --hold connected --bytes 10000");
	pid_t pid = maker_wait_hold(&maker);
	bool found = false;
	char *text;

	maker_go(&maker);
	maker_finish(&maker);
	text = example_end(&e);
	for (char *line = strtok(text, "\n"); line && !found; line = strtok(NULL, "\n")) {
		json_t *o = json_loads(line, 0, NULL);

		REQUIRE(o, "not JSON: %s", line);
		found = !strcmp(record_str(o, "event_type"), "conn.close") &&
			record_u64(o, "pid") == (uint64_t)pid;
		json_decref(o);
	}
	CHECK(found, "no conn.close of process %d", pid);
}
