/* SPDX-License-Identifier: BSD-2-Clause */
/* See netns.h. */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define QUIET_MS 30000

#define NAMESPACES 256 /* of a test; those beyond are not known to netns_carried */

static struct netns all[NAMESPACES];
static unsigned int n_all;

static _Noreturn void hold(pid_t parent, int up)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || unshare(CLONE_NEWNET) < 0)
		_exit(1);
	if (write(up, "", 1) != 1)
		_exit(1);
	close(up);
	for (;;)
		pause();
}

struct netns netns_new(void)
{
	struct netns ns;
	struct stat st;
	pid_t parent = getpid();
	int up[2];
	char byte;

	REQUIRE(pipe2(up, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	fflush(NULL);
	ns.holder = fork();
	REQUIRE(ns.holder >= 0, "fork: %s", strerror(errno));
	if (ns.holder == 0)
		hold(parent, up[1]);
	close(up[1]);
	if (read(up[0], &byte, 1) != 1)
		test_skip("no new network namespace: root is needed");
	close(up[0]);
	snprintf(ns.path, sizeof(ns.path), "/proc/%d/ns/net", ns.holder);
	REQUIRE(stat(ns.path, &st) == 0, "%s: %s", ns.path, strerror(errno));
	ns.inode = st.st_ino;
	netns_must(&ns, "ip link set lo up");
	if (n_all < NAMESPACES)
		all[n_all++] = ns;
	return ns;
}

bool netns_carried(uint64_t inode, double *ret_tx, double *ret_rx)
{
	const struct netns *ns = NULL;
	char path[48], line[512];
	struct stat st;
	double rx, tx;
	FILE *f;

	for (unsigned int i = 0; i < n_all; i++)
		if (all[i].inode == inode)
			ns = &all[i]; /* the newest: a number is used again */
	if (!ns || stat(ns->path, &st) || st.st_ino != inode)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", ns->holder);
	f = fopen(path, "re");
	if (!f)
		return false;
	*ret_tx = *ret_rx = 0;
	while (fgets(line, sizeof(line), f)) {
		const char *at = strchr(line, ':');

		if (!at || sscanf(at + 1, "%lf %*s %*s %*s %*s %*s %*s %*s %lf", &rx, &tx) != 2)
			continue;
		*ret_tx += tx;
		*ret_rx += rx;
	}
	fclose(f);
	return true;
}

uint64_t netns_cookie_of(const char *path)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(path, O_RDONLY | O_CLOEXEC), s;
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	REQUIRE(own >= 0 && there >= 0 && !setns(there, CLONE_NEWNET), "%s: %s", path,
		strerror(errno));
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	REQUIRE(s >= 0 && !setns(own, CLONE_NEWNET), "back: %s", strerror(errno));
	if (getsockopt(s, SOL_SOCKET, 71 /* SO_NETNS_COOKIE, 5.14 */, &cookie, &len))
		cookie = 0;
	close(s);
	close(own);
	close(there);
	return cookie;
}

struct netns_pins netns_pins_of(const char *path)
{
	struct netns_pins pins;
	uint64_t cookie = netns_cookie_of(path);
	struct stat st;

	REQUIRE(!stat(path, &st), "%s: %s", path, strerror(errno));
	snprintf(pins.guard, sizeof(pins.guard), "/sys/fs/bpf/netprobe/guard-%" PRIu64,
		 (uint64_t)st.st_ino);
	snprintf(pins.lb, sizeof(pins.lb), "/sys/fs/bpf/netprobe/lb-%" PRIx64,
		 cookie ? cookie : (uint64_t)st.st_ino);
	return pins;
}

/* A pin outlives test and namespace: somebody has to take it away who outlives the test, too. */
static _Noreturn void unpin(const struct netns_pins *pins, int alive)
{
	char byte;

	setsid(); /* the test's process group is killed at its end */
	close(STDOUT_FILENO);
	(void)!read(alive, &byte, 1);
	execlp("rm", "rm", "-rf", pins->guard, pins->lb, (char *)NULL);
	_exit(1);
}

void netns_unpin_later(const char *path)
{
	static uint64_t known[8];
	static unsigned int n;
	struct netns_pins pins;
	struct stat st;
	int alive[2];

	REQUIRE(!stat(path, &st), "%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < n; i++)
		if (known[i] == st.st_ino)
			return;
	REQUIRE(n < 8 && !pipe2(alive, O_CLOEXEC), "more than 8 namespaces with pins, or no pipe");
	known[n++] = st.st_ino;
	pins = netns_pins_of(path);
	fflush(NULL);
	if (fork() == 0) {
		close(alive[1]);
		unpin(&pins, alive[0]);
	}
	close(alive[0]); /* the other end stays open as long as the test lives */
}

static _Noreturn void run_in(const char *path, const char *command)
{
	char log[4200];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(126);
	snprintf(log, sizeof(log), "%s/commands.log", test_dir());
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		_exit(126);
	dprintf(fd, "+ %s\n", command);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int netns_run(const struct netns *ns, const char *command)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		run_in(ns->path, command);
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void netns_must(const struct netns *ns, const char *command)
{
	int status = netns_run(ns, command);

	REQUIRE(status == 0, "`%s` in a namespace ended with %d", command, status);
}

static void set_up(const struct netns_pair *p)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "ip addr add 10.77.0.1/24 dev %s && ip -6 addr add fd77::1/64 dev %s nodad &&"
		 "ip link set %s up",
		 p->if_a, p->if_a, p->if_a);
	netns_must(&p->a, command);
	snprintf(command, sizeof(command),
		 "ip addr add 10.77.0.2/24 dev %s && ip -6 addr add fd77::2/64 dev %s nodad &&"
		 "ip link set %s up",
		 p->if_b, p->if_b, p->if_b);
	netns_must(&p->b, command);
}

void netns_pair_remake(const struct netns_pair *p, unsigned int ifindex)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "ip link del %s && ip link add %s index %u type veth peer name %s netns %d",
		 p->if_a, p->if_a, ifindex, p->if_b, p->b.holder);
	netns_must(&p->a, command);
	set_up(p);
}

struct netns_pair netns_pair_new(void)
{
	struct netns_pair p;
	char command[400];

	p.a = netns_new();
	p.b = netns_new();
	/* named after the run, so that records of two runs at once cannot be mixed up */
	snprintf(p.if_a, sizeof(p.if_a), "npa%d", p.a.holder);
	snprintf(p.if_b, sizeof(p.if_b), "npb%d", p.b.holder);
	snprintf(command, sizeof(command), "ip link add %s type veth peer name %s netns %d", p.if_a,
		 p.if_b, p.b.holder);
	if (netns_run(&p.a, command))
		test_skip("no veth device on this kernel");
	set_up(&p);
	return p;
}

void netns_drop(const struct netns *ns, const char *match, int percent)
{
	char command[600], chance[64] = "";

	if (percent < 100)
		snprintf(chance, sizeof(chance), "numgen random mod 1000 \\< %d", percent * 10);
	snprintf(command, sizeof(command),
		 "nft add table inet np && "
		 "nft add chain inet np in '{ type filter hook input priority 0; }' && "
		 "nft add rule inet np in %s %s drop",
		 match, chance);
	if (netns_run(ns, command))
		test_skip("nftables cannot drop packets on this kernel");
}

void netns_drop_end(const struct netns *ns)
{
	netns_must(ns, "nft delete table inet np");
}

/* Both files are pairs of lines: "Group: name name ...", "Group: value value ...". */
static bool find_counter(const char *path, const char *group, const char *name, uint64_t *ret)
{
	static char names[8192], values[8192];
	FILE *f = fopen(path, "re");
	size_t len = strlen(group);
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *sn, *sv, *n = strtok_r(names, " \n", &sn), *v = strtok_r(values, " \n", &sv);

		if (!n || strncmp(n, group, len) || n[len] != ':')
			continue;
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &sn);
			v = strtok_r(NULL, " \n", &sv);
		}
		if (n && v) {
			*ret = strtoull(v, NULL, 10);
			found = true;
		}
	}
	fclose(f);
	return found;
}

uint64_t netns_counter(const struct netns *ns, const char *group, const char *name)
{
	static const char *const files[] = { "snmp", "netstat" };
	uint64_t value = 0;

	for (unsigned int i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/net/%s", ns->holder, files[i]);
		if (find_counter(path, group, name, &value))
			return value;
	}
	REQUIRE(false, "the kernel has no counter %s %s", group, name);
	return 0;
}

struct counter {
	const struct netns *ns;
	const char *group, *name;
	uint64_t least;
};

static bool counter_reached(void *arg)
{
	const struct counter *c = arg;

	return netns_counter(c->ns, c->group, c->name) >= c->least;
}

void netns_wait_counter(const struct netns *ns, const char *group, const char *name, uint64_t least)
{
	struct counter c = { ns, group, name, least };

	REQUIRE(wait_until(counter_reached, &c, QUIET_MS),
		"%s %s: expected at least %" PRIu64 ", got %" PRIu64, group, name, least,
		netns_counter(ns, group, name));
}

/* A line of /proc/net/tcp. An inode of 0: nobody has accepted it, or it is nobody's any more. */
struct tcp_line {
	unsigned int port, state, unsent, unread; /* bytes in its queues; of a listener others */
	unsigned long inode;
};

/* Calls fn for each line of /proc/net/tcp and tcp6 until it returns true. */
static bool any_socket(const struct netns *ns, bool (*fn)(const struct tcp_line *, unsigned int),
		       unsigned int arg)
{
	static const char *const files[] = { "tcp", "tcp6" };
	bool found = false;

	for (unsigned int i = 0; i < 2; i++) {
		char path[64], line[512];
		struct tcp_line l;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/net/%s", ns->holder, files[i]);
		f = fopen(path, "re");
		while (f && !found && fgets(line, sizeof(line), f))
			if (sscanf(line, "%*s %*[^:]:%x %*s %x %x:%x %*s %*s %*s %*s %lu", &l.port,
				   &l.state, &l.unsent, &l.unread, &l.inode) == 5)
				found = fn(&l, arg);
		if (f)
			fclose(f);
	}
	return found;
}

static bool is_alive(const struct tcp_line *l, unsigned int arg)
{
	(void)arg;
	return l->state != TCP_TIME_WAIT;
}

static bool is_listener(const struct tcp_line *l, unsigned int arg)
{
	return l->state == TCP_LISTEN && l->port == arg;
}

static bool is_connected(const struct tcp_line *l, unsigned int arg)
{
	(void)arg;
	return l->state == TCP_ESTABLISHED;
}

static bool is_under_way(const struct tcp_line *l, unsigned int arg)
{
	return is_connected(l, arg) && (!l->inode || l->unsent || l->unread);
}

static bool is_unacked(const struct tcp_line *l, unsigned int arg)
{
	return is_connected(l, arg) && l->unsent;
}

bool netns_unacked(const struct netns *ns)
{
	return any_socket(ns, is_unacked, 0);
}

static bool is_quiet(void *arg)
{
	return !any_socket(arg, is_alive, 0);
}

void netns_wait_quiet(const struct netns *ns)
{
	struct netns copy = *ns;

	REQUIRE(wait_until(is_quiet, &copy, QUIET_MS), "expected connections to end, some did not");
}

static bool is_taken(void *arg)
{
	return any_socket(arg, is_connected, 0) && !any_socket(arg, is_under_way, 0);
}

void netns_wait_taken(const struct netns *ns)
{
	struct netns copy = *ns;

	REQUIRE(wait_until(is_taken, &copy, QUIET_MS),
		"expected each connection to be accepted and all its bytes to be taken");
}

struct listener {
	const struct netns *ns;
	uint16_t port;
};

static bool has_listener(void *arg)
{
	const struct listener *l = arg;

	return any_socket(l->ns, is_listener, l->port);
}

void netns_wait_listener(const struct netns *ns, uint16_t port)
{
	struct listener l = { ns, port };

	REQUIRE(wait_until(has_listener, &l, QUIET_MS), "expected a listener at port %u, got none",
		port);
}

void netns_python(const struct netns *ns, const char *script)
{
	char command[4000];

	snprintf(command, sizeof(command), "python3 -c \"import socket, struct, time, os\n%s\"",
		 script);
	netns_must(ns, command);
}
