/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer as its user has it: by commands, which end. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb_net.h"
#include "maker.h"
#include "probe.h"
#include "tap.h"
#include "wire/lb.h"

#define VIP NET_VIP4 ":8080/tcp"

struct answer {
	int status;
	char *out, *log;
};

/* netprobe guard with these words. */
static struct answer guard(const char *word, ...)
{
	const char *args[PROBE_MAX_ARGS] = { "guard", word };
	struct answer a;
	struct probe p;
	va_list ap;

	va_start(ap, word);
	for (size_t n = 2; n < PROBE_MAX_ARGS - 1 && (args[n] = va_arg(ap, const char *)); n++)
		;
	va_end(ap);
	a.status = probe_run(&p, args);
	a.out = file_text(p.out);
	a.log = file_text(p.log);
	return a;
}

#define MUST(...)                                                                                  \
	do {                                                                                       \
		struct answer a_ = guard(__VA_ARGS__, NULL);                                       \
		REQUIRE(a_.status == 0, "guard " #__VA_ARGS__ ": exit %d: %s", a_.status, a_.log); \
	} while (0)

/* Exit 3, one line that has what. */
#define REFUSED(what, ...)                                                                        \
	do {                                                                                      \
		struct answer a_ = guard(__VA_ARGS__, NULL);                                      \
		CHECK(a_.status == 3, "guard " #__VA_ARGS__ ": exit %d", a_.status);              \
		CHECK(strstr(a_.log, what) && strchr(a_.log, '\n') == strrchr(a_.log, '\n'),      \
		      "guard " #__VA_ARGS__ ": expected '%s' in one line, got %s", what, a_.log); \
	} while (0)

/* The stats.lb record of that entity in what was printed last. */
static json_t *stats_of(const char *entity)
{
	struct answer a = guard("vip", "list", "--format", "json", NULL);
	json_t *found = NULL;

	for (char *line = strtok(a.out, "\n"); line && !found; line = strtok(NULL, "\n")) {
		json_t *o = json_loads(line, 0, NULL);

		REQUIRE(o, "not JSON: %s", line);
		CHECK(!strcmp(record_str(o, "event_type"), "stats.lb"), "event_type: %s",
		      record_str(o, "event_type"));
		if (!strcmp(record_str(o, "entity_id"), entity))
			found = o;
		else
			json_decref(o);
	}
	REQUIRE(found, "no stats.lb of %s", entity);
	return found;
}

/* The VIP's record when no packet comes any more: what connections send at their end is behind it. */
static json_t *settled_stats_of(const char *entity)
{
	int64_t deadline = deadline_in(10000);
	json_t *last = stats_of(entity), *now;

	for (;;) {
		pause_ms(200);
		now = stats_of(entity);
		if (record_u64(now, "packets") == record_u64(last, "packets"))
			return now;
		REQUIRE(now_ms() < deadline, "packets do not end");
		json_decref(last);
		last = now;
	}
}

static const json_t *backend_of_stats(const json_t *vip, const char *addr)
{
	const json_t *all = json_object_get(vip, "backends");

	for (size_t i = 0; i < json_array_size(all); i++)
		if (!strcmp(record_str(json_array_get(all, i), "backend"), addr))
			return json_array_get(all, i);
	return NULL;
}

static bool is_attached(void)
{
	return system("ip link show eth0 | grep -q xdp") == 0;
}

static void ready(struct net *n, const char *check)
{
	*n = net_new();
	MUST("vip", "add", VIP);
	for (unsigned int i = 0; i < NET_BACKENDS; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.99.0.%u", 10 + i);
		MUST("backend", "add", VIP, addr, "--check", check, "--interval", "50ms", "--rise",
		     "1", "--fall", "1");
	}
	MUST("attach", "eth0", "--mode", "balance", "--xdp", "native");
}

static void gone(void)
{
	MUST("detach", "eth0");
	CHECK(!is_attached(), "a program is still at eth0");
	CHECK(guard("vip", "list", "--format", "json", NULL).out[0] == '\0',
	      "a VIP is still there");
}

static bool all_resolved(void *arg)
{
	(void)arg;
	return system("test $(ip neigh show dev eth0 | grep -c '^10.99.0.1[012].*lladdr') -eq 3") ==
	       0;
}

TEST(balancer_goes_on_after_its_commands_end)
{
	struct net n;
	struct clients c;
	json_t *vip, *all;
	uint64_t packets = 0;

	ready(&n, "none");
	REQUIRE(wait_until(all_resolved, NULL, 10000), "backends were not resolved");
	c = clients_new(&n, NET_VIP4);
	clients_open(&c, 0, 30);
	MUST("backend", "drain", VIP, "10.99.0.11");
	CHECK_EQ(clients_echo(&c, 0, 30, 10000), 30, "connections that go on");
	clients_open(&c, 30, 50);
	for (unsigned int i = 30; i < 50; i++)
		CHECK(c.backend[i] == 0 || c.backend[i] == 2, "connection %u: backend %d", i,
		      c.backend[i]);
	MUST("backend", "drain", VIP, "10.99.0.11", "--undo");
	REFUSED("--weight: nothing given", "backend", "weight", VIP, "10.99.0.12");
	MUST("backend", "weight", VIP, "10.99.0.12", "--weight", "5");
	CHECK_EQ(clients_echo(&c, 0, 50, 10000), 50, "connections that go on");
	clients_end(&c);
	vip = settled_stats_of(VIP);
	all = stats_of("balancer");
	CHECK_EQ(record_u64(vip, "new_flows"), 50, "new flows");
	CHECK_EQ(record_u64(backend_of_stats(vip, "10.99.0.12"), "weight"), 5, "weight");
	for (unsigned int i = 0; i < NET_BACKENDS; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.99.0.%u", 10 + i);
		packets += record_u64(backend_of_stats(vip, addr), "packets");
	}
	CHECK_EQ(packets, record_u64(vip, "packets"), "packets of all backends");
	CHECK_EQ(record_u64(all, "handed_to_driver"), record_u64(vip, "packets"),
		 "packets forwarded");
	gone();
}

TEST(watch_finds_the_dead_and_may_be_killed)
{
	const char *const args[] = { "guard", "watch", "--interval", "0.1", NULL };
	const struct probe_opts opts = { .args = args, .no_ready = true, .plain = true };
	struct probe watch;
	struct clients c;
	struct net n;
	int64_t deadline;
	bool down = false;

	ready(&n, "tcp");
	REQUIRE(wait_until(all_resolved, NULL, 10000), "backends were not resolved");
	watch = probe_spawn(&opts);
	net_stop_server(&n, 1);
	deadline = deadline_in(20000);
	while (!down) {
		json_t *vip = stats_of(VIP);

		REQUIRE(now_ms() < deadline, "the dead backend was not found");
		down = !strcmp(record_str(backend_of_stats(vip, "10.99.0.11"), "state"), "down");
		json_decref(vip);
		pause_ms(50);
	}
	c = clients_new(&n, NET_VIP4);
	clients_open(&c, 0, 20);
	kill(watch.pid, SIGKILL);
	clients_open(&c, 20, 40);
	for (unsigned int i = 0; i < 40; i++)
		CHECK(c.backend[i] == 0 || c.backend[i] == 2, "connection %u: backend %d", i,
		      c.backend[i]);
	CHECK_EQ(clients_echo(&c, 0, 40, 1000), 40, "connections that go on");
	clients_end(&c);
	gone();
}

TEST(wrong_vips_and_backends_change_nothing)
{
	struct net n = net_new();

	(void)n;
	REFUSED("'10.0.0.1:80' is not a VIP; takes ADDR:PORT/PROTO", "vip", "add", "10.0.0.1:80");
	REFUSED("expected one of add, remove, list", "vip", "change", VIP);
	REFUSED("takes one VIP", "vip", "add");
	REFUSED("there is no VIP", "vip", "remove", VIP);
	REFUSED("there is no VIP", "backend", "add", VIP, "10.99.0.10");
	/* letters beyond ASCII are no blanks: it is the VIP that is missing */
	REFUSED("there is no VIP", "backend", "add", VIP, "10.99.0.10", "--check", "http", "--path",
		"/g\xc3\xa4rten");
	MUST("vip", "add", VIP);
	REFUSED("is there already", "vip", "add", VIP);
	REFUSED("is not there", "backend", "add", "192.0.2.9:1/udp", "10.99.0.10");
	REFUSED("'10.99.0.0/24' is not a backend", "backend", "add", VIP, "10.99.0.0/24");
	REFUSED("is this host itself", "backend", "add", VIP, "10.99.0.1");
	REFUSED("no route to it", "backend", "add", VIP, "203.0.113.1");
	REFUSED("--weight", "backend", "add", VIP, "10.99.0.10", "--weight", "0");
	REFUSED("--check", "backend", "add", VIP, "10.99.0.10", "--check", "ping");
	REFUSED("--path", "backend", "add", VIP, "10.99.0.10", "--path", "health");
	REFUSED("takes --check http as well", "backend", "add", VIP, "10.99.0.10", "--path", "/x");
	REFUSED("takes --check http as well", "backend", "add", VIP, "10.99.0.10", "--check", "tcp",
		"--http-host", "shop");
	REFUSED("--check-port", "backend", "add", VIP, "10.99.0.10", "--check-port", "81");
	REQUIRE(system("ip route add " NET_VIP4 " via 10.99.0.10") == 0, "no route");
	REFUSED("is a VIP's address", "backend", "add", VIP, NET_VIP4);
	REFUSED("'all' is one too many", "vip", "list", "all");
	REFUSED("is not a backend of", "backend", "drain", VIP, "10.99.0.10");
	REFUSED("expected one of add, remove, drain, weight", "backend", "kill", VIP, "10.99.0.10");
	CHECK(json_array_size(json_object_get(stats_of(VIP), "backends")) == 0,
	      "a refused backend is there");
	MUST("vip", "remove", VIP);
	CHECK(guard("vip", "list", "--format", "json", NULL).out[0] == '\0',
	      "a VIP is still there");
}

static int served(int type, uint16_t port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && !bind(fd, (void *)&any, sizeof(any)), "port %u: %s", port,
		strerror(errno));
	REQUIRE(type != SOCK_STREAM || !listen(fd, 1), "listen: %s", strerror(errno));
	return fd;
}

TEST(vip_that_cuts_off_a_server_of_this_machine_needs_force)
{
	struct net n = net_new();
	int tcp = served(SOCK_STREAM, 8022), udp = served(SOCK_DGRAM, 8053);

	(void)n;
	REFUSED("all ports of an address of this machine", "vip", "add", "10.99.0.1:*/tcp");
	REFUSED("listens there", "vip", "add", "10.99.0.1:8022/tcp");
	REFUSED("listens there", "vip", "add", "10.99.0.1:8053/udp");
	CHECK(guard("vip", "list", "--format", "json", NULL).out[0] == '\0',
	      "a refused VIP is there");
	MUST("vip", "add", "10.99.0.1:8053/tcp");
	MUST("vip", "add", NET_VIP4 ":*/tcp");
	MUST("vip", "add", "10.99.0.1:8022/tcp", "--force");
	MUST("vip", "add", "10.99.0.1:*/udp", "--force");
	MUST("vip", "remove", "10.99.0.1:8053/tcp");
	MUST("vip", "remove", NET_VIP4 ":*/tcp");
	MUST("vip", "remove", "10.99.0.1:8022/tcp");
	MUST("vip", "remove", "10.99.0.1:*/udp");
	close(tcp);
	close(udp);
}

static void serves(struct net *n)
{
	struct clients c = clients_new(n, NET_VIP4);

	clients_open(&c, 0, 20);
	CHECK_EQ(clients_echo(&c, 0, 20, 10000), 20, "connections through the balancer");
	clients_end(&c);
}

/* A veth whose peer runs no program takes nothing from native XDP: then generic is taken, and said. */
TEST(balancer_serves_where_a_veths_peer_runs_no_program)
{
	struct net n = net_new();
	struct answer a;
	json_t *all;

	close(n.pass_link);
	MUST("vip", "add", VIP);
	MUST("backend", "add", VIP, "10.99.0.10");
	MUST("backend", "add", VIP, "10.99.0.11");
	a = guard("attach", "eth0", "--mode", "balance", NULL);
	CHECK(a.status == 0 && strstr(a.log, "XDP is generic: it is a veth"), "%s", a.log);
	serves(&n);
	a = guard("status", NULL);
	CHECK(strstr(a.out, "generic") && !strstr(a.out, "not delivering"), "%s", a.out);
	MUST("attach", "eth0", "--mode", "balance", "--xdp", "native");
	a = guard("status", NULL);
	CHECK(strstr(a.out, "not delivering"), "%s", a.out);
	MUST("attach", "eth0", "--mode", "balance", "--xdp", "generic");
	serves(&n);
	all = stats_of("balancer");
	CHECK(record_u64(all, "handed_to_driver") >= 40, "packets handed to the driver");
	gone();
}

/* Of guard and of the balancer of a namespace, as many folders as there are. */
static unsigned int folders_of(uint64_t inode, uint64_t cookie)
{
	char guards[80], lbs[80];

	(void)snprintf(guards, sizeof(guards), "/sys/fs/bpf/netprobe/guard-%llu",
		       (unsigned long long)inode);
	(void)snprintf(lbs, sizeof(lbs), "/sys/fs/bpf/netprobe/lb-%llx",
		       (unsigned long long)cookie);
	return !access(guards, F_OK) + !access(lbs, F_OK);
}

static uint64_t cookie_of(const struct netns *ns)
{
	uint64_t cookie = netns_cookie_of(ns->path);

	if (!cookie)
		test_skip("no SO_NETNS_COOKIE before 5.14");
	return cookie;
}

static void end_of(const struct netns *ns)
{
	REQUIRE(kill(ns->holder, SIGKILL) == 0, "the namespace's process");
	(void)waitpid(ns->holder, NULL, 0);
}

static bool nothing_left(void *arg)
{
	const struct netns_pins *pins = arg;

	return access(pins->guard, F_OK) && access(pins->lb, F_OK);
}

/* Of these tests themselves: the namespace is still there, so no command of guard would take them away. */
TEST(what_a_test_pinned_goes_with_the_test)
{
	struct netns ns = netns_new();
	struct netns_pins pins = netns_pins_of(ns.path);
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		netns_unpin_later(ns.path);
		netns_must(&ns, "ip link add d0 type veth peer name d1 && "
				"${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp && "
				"${NETPROBE:-build/netprobe} guard attach d0 --mode balance");
		_exit(access(pins.guard, F_OK) || access(pins.lb, F_OK));
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	CHECK_EQ(status, 0, "both folders while it ran");
	CHECK(wait_until(nothing_left, &pins, 10000), "%s or %s is left", pins.guard, pins.lb);
}

struct left {
	const struct netns *here;
	uint64_t inode, cookie;
};

static bool gone_after_status(void *arg)
{
	const struct left *l = arg;

	(void)netns_run(l->here, "${NETPROBE:-build/netprobe} guard status");
	return !folders_of(l->inode, l->cookie);
}

TEST(pins_of_network_namespaces_that_are_gone_go_with_the_next_command)
{
	struct netns gone = netns_new(), kept = netns_new(), here = netns_new();
	uint64_t cookies[2] = { cookie_of(&gone), cookie_of(&kept) };
	const struct netns *both[2] = { &gone, &kept };
	char command[256];
	struct stat st;

	if (stat("/proc/1/ns/net", &st))
		test_skip(
			"the first process may not be looked at here, so no namespace is known to be gone");
	for (int i = 0; i < 2; i++) {
		netns_must(both[i], "ip link add d0 type veth peer name d1 && ip link set d0 up && "
				    "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp && "
				    "${NETPROBE:-build/netprobe} guard attach d0 --mode balance");
		CHECK_EQ(folders_of(both[i]->inode, cookies[i]), 2, "folders");
	}
	/* One that no process is in any more, but a mount. */
	(void)snprintf(command, sizeof(command),
		       "touch /tmp/netprobe-live-ns && mount --bind %s /tmp/netprobe-live-ns",
		       kept.path);
	REQUIRE(system(command) == 0, "%s", command);
	end_of(&gone);
	end_of(&kept);
	/* The kernel takes a namespace down a while after its last user. */
	CHECK(wait_until(gone_after_status, &(struct left){ &here, gone.inode, cookies[0] }, 10000),
	      "folders of one that is gone");
	CHECK_EQ(folders_of(kept.inode, cookies[1]), 2, "folders of one that is mounted");
	REQUIRE(system("umount /tmp/netprobe-live-ns && rm /tmp/netprobe-live-ns") == 0, "umount");
	CHECK(wait_until(gone_after_status, &(struct left){ &here, kept.inode, cookies[1] }, 10000),
	      "folders once it is gone");
}

/* The configuration says another version. */
static void other_version(const char *dir)
{
	struct lb_config config;
	uint32_t zero = 0;
	char path[96];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/lb_config", dir);
	fd = bpf_obj_get(path);
	REQUIRE(fd >= 0 && !bpf_map_lookup_elem(fd, &zero, &config), "%s: %s", path,
		strerror(errno));
	config.version++;
	REQUIRE(!bpf_map_update_elem(fd, &zero, &config, 0), "%s: %s", path, strerror(errno));
	close(fd);
}

TEST(pins_of_another_version_and_of_a_killed_command_are_told_apart)
{
	struct netns here = netns_new();
	uint64_t cookie = cookie_of(&here);
	char dir[64], command[320];

	netns_unpin_later(here.path);
	(void)snprintf(dir, sizeof(dir), "/sys/fs/bpf/netprobe/lb-%llx",
		       (unsigned long long)cookie);
	netns_must(&here, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp");
	/* Killed between two pins: what it had made so far is nobody's, and made anew. */
	(void)snprintf(command, sizeof(command), "rm %s/lb_links %s/lb_be_conf", dir, dir);
	netns_must(&here, command);
	netns_must(&here, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp && "
			  "${NETPROBE:-build/netprobe} guard vip remove 192.0.2.1:80/tcp");
	netns_must(&here, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp");
	other_version(dir);
	(void)snprintf(
		command, sizeof(command),
		"${NETPROBE:-build/netprobe} guard vip list 2>&1 | grep -q '%s was made by another version of "
		"netprobe; take it off with that version, or rm -r %s'",
		dir, dir);
	CHECK_EQ(netns_run(&here, command), 0, "words");
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	netns_must(&here, command);
	netns_must(&here, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp && "
			  "${NETPROBE:-build/netprobe} guard vip remove 192.0.2.1:80/tcp");
}
