/* SPDX-License-Identifier: BSD-2-Clause */
/* See drop_make.h. */
#include "drop_make.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maker.h"
#include "tap.h"

void need_tracepoint(void)
{
	const char *hook = getenv("NETPROBE_HOOK");

	if (hook && *hook && strcmp(hook, "auto") && strcmp(hook, "tracepoint"))
		test_skip("drops are seen by a tracepoint, not by %s", hook);
}

struct probe start_drops(const char *a, const char *b, const char *c)
{
	need_tracepoint();
	return probe_start("drops", "--format", "json", a, b, c, NULL);
}

pid_t start_in(const struct netns *ns, void (*fn)(void *), void *arg)
{
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(126);
	fn(arg);
	_exit(0);
}

void finish(pid_t pid)
{
	int status = -1;

	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	CHECK(status == 0, "a child: expected end 0, got %d", status);
}

socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (family == AF_INET) {
		*v4 = (struct sockaddr_in){ AF_INET, htons(port), { htonl(INADDR_LOOPBACK) }, {} };
		return sizeof(*v4);
	}
	*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = in6addr_loopback };
	return sizeof(*v6);
}

void send_dgrams(void *arg)
{
	const struct dgrams *d = arg;
	struct sockaddr_storage to;
	socklen_t len = loopback(d->family, d->port, &to);
	int fd = socket(d->family, SOCK_DGRAM, 0);
	char data[2000] = {};

	for (unsigned int i = 0; i < d->count; i++)
		if (sendto(fd, data, d->size, 0, (struct sockaddr *)&to, len) < 0 && !d->may_fail)
			_exit(1);
}

bool is_drop(const json_t *r, const struct netns *ns, const char *reason)
{
	return !strcmp(record_str(r, "event_type"), "transport.drop") &&
	       record_u64(r, "netns") == ns->inode && !strcmp(record_str(r, "reason"), reason);
}

struct drops count_drops(const json_t *records, const struct netns *ns, const char *reason,
			 pid_t pid)
{
	struct drops d = {};
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		if (!is_drop(r, ns, reason))
			continue;
		if (!d.first)
			d.first = r;
		d.events++;
		d.rests += json_is_null(json_object_get(r, "cpu_comm"));
		d.packets += record_u64(r, "packets");
		d.suppressed += record_u64(r, "suppressed");
		if (pid && record_u64(r, "pid") == (uint64_t)pid)
			d.owned += record_u64(r, "packets");
	}
	return d;
}

static int bound_socket(int family, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(family, port, &at);
	int fd = socket(family, SOCK_DGRAM, 0), size = 4096;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, len) < 0)
		_exit(1);
	return fd;
}

int up[2], down[2];

/* Holds a socket that it does not read from, until told to end. */
void hold_socket(void *arg)
{
	char byte;

	bound_socket(*(int *)arg, OPEN);
	close(down[1]);
	if (write(up[1], "", 1) != 1 || read(down[0], &byte, 1) < 0)
		_exit(1);
	/* Without closing the socket: what is still queued would be dropped as well. */
	kill(getpid(), SIGKILL);
}

/* IPv6 has a file and a form of its own. */
uint64_t rcvbuf_errors(const struct netns *ns, int family)
{
	unsigned long long value = 0;
	char path[64], line[256];
	FILE *f;

	if (family == AF_INET)
		return netns_counter(ns, "Udp", "RcvbufErrors");
	snprintf(path, sizeof(path), "/proc/%d/net/snmp6", ns->holder);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Udp6RcvbufErrors %llu", &value) == 1)
			break;
	if (f)
		fclose(f);
	return value;
}

void drop_output(const struct netns *ns, const char *match)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "nft add table inet np && "
		 "nft add chain inet np out '{ type filter hook output priority 0; }' && "
		 "nft add rule inet np out %s drop",
		 match);
	if (netns_run(ns, command))
		test_skip("nftables cannot drop packets on this kernel");
}
