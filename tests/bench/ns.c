/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces of a measuring program: nameless, gone with the process (see bench.h). */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define QUIET_MS 60000

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = sock_new(AF_INET, SOCK_DGRAM);

	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		die("SIOCGIFFLAGS");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		die("SIOCSIFFLAGS");
	close(fd);
}

/* Descriptors of namespaces stay open as long as the program: they are what ns_path() names. */
void ns_path(char path[64])
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/ns/net");
	snprintf(path, 64, "/proc/%d/fd/%d", getpid(), fd);
}

void ns_enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

void ns_enter_new(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		die("no network namespace (root is needed)");
	lo_up();
}

uint64_t ns_inode(void)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0)
		die("/proc/self/ns/net");
	return st.st_ino;
}

struct ns_pair ns_pair_new(void)
{
	struct ns_pair p;

	ns_enter_new();
	ns_path(p.b);
	p.inode_b = ns_inode();
	ns_enter_new();
	ns_path(p.a);
	p.inode_a = ns_inode();
	/* a namespace is given to ip by descriptor: it has no name */
	must("nsenter --net=%s ip link add npb type veth peer name npa", p.b);
	must("nsenter --net=%s ip link set npa netns %d", p.b, getpid());
	must("ip addr add 10.77.0.1/24 dev npa && ip link set npa up");
	must("nsenter --net=%s sh -c 'ip addr add 10.77.0.2/24 dev npb && ip link set npb up'",
	     p.b);
	return p;
}

static bool is_quiet(void)
{
	static const char *const files[] = { "/proc/thread-self/net/tcp",
					     "/proc/thread-self/net/tcp6" };
	bool quiet = true;

	for (unsigned int i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "re");
		unsigned int state;
		char line[512];

		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "%*s %*s %*s %x", &state) == 1 && state != TCP_TIME_WAIT)
				quiet = false;
		if (f)
			fclose(f);
	}
	return quiet;
}

void ns_wait_quiet(void)
{
	for (unsigned int ms = 0; !is_quiet(); ms += 50) {
		if (ms > QUIET_MS)
			bench_die("connections did not end");
		tm_sleep_ms(50);
	}
}

static bool is_listening(unsigned int port)
{
	static const char *const files[] = { "/proc/thread-self/net/tcp",
					     "/proc/thread-self/net/tcp6" };
	bool found = false;

	for (unsigned int i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "re");
		unsigned int local, state;
		char line[512];

		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "%*s %*[0-9A-Fa-f]:%x %*s %x", &local, &state) == 2 &&
			    local == port && state == TCP_LISTEN)
				found = true;
		if (f)
			fclose(f);
	}
	return found;
}

void ns_wait_listen(unsigned int port)
{
	for (unsigned int ms = 0; !is_listening(port); ms += 20) {
		if (ms > QUIET_MS)
			bench_die("nothing listens on port %u", port);
		tm_sleep_ms(20);
	}
}

/* The file is pairs of lines: "Group: name name ...", "Group: value value ...". */
uint64_t ns_counter(const char *group, const char *name)
{
	static char names[8192], values[8192];
	FILE *f = fopen("/proc/thread-self/net/snmp", "re");
	size_t len = strlen(group);

	if (!f)
		die("/proc/net/snmp");
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *sn, *sv, *n = strtok_r(names, " \n", &sn), *v = strtok_r(values, " \n", &sv);

		if (!n || strncmp(n, group, len) || n[len] != ':')
			continue;
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &sn);
			v = strtok_r(NULL, " \n", &sv);
		}
		fclose(f);
		return v ? strtoull(v, NULL, 10) : 0;
	}
	bench_die("the kernel has no counter %s %s", group, name);
}
