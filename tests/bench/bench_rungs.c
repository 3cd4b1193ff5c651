/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each rung takes of memory where there are many TCP sockets, and of a processor while they are idle: as many as a
 * server with so many connections has. In a network namespace of its own, because the lower rungs see no other; ebpf sees all of them.
 *
 * --sockets N
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define IDLE_S 5

/* The crowd, once it is open; it goes with its stdin. */
static struct child crowd_start(unsigned int sockets)
{
	char n[16], line[100] = "";
	const char *const argv[] = { bin_path("crowd"), "--sockets", n, NULL };
	struct child c;
	size_t len = 0;

	snprintf(n, sizeof(n), "%u", sockets);
	c = child_start(CHILD_OUT | CHILD_IN, argv);
	while (len < sizeof(line) - 1 && !strchr(line, '\n') && read(c.out, line + len, 1) == 1)
		len++;
	if (!strstr(line, "open"))
		bench_die("crowd: %s", line);
	return c;
}

static void measure(const char *mode, const char *command, unsigned int sockets)
{
	const char *const args[] = { command, "--capture-mode", mode, NULL };
	struct child c = netprobe_start_here("/dev/null", -1, args);
	uint64_t used, kib;
	char id[32], what[80];

	tm_sleep_ms(2500); /* the first intervals learn what is there */
	used = cpu_time_ns(c.pid);
	tm_sleep_ms(IDLE_S * 1000);
	used = cpu_time_ns(c.pid) - used;
	kib = status_kib(c.pid, "VmHWM");
	child_stop(&c, SIGTERM);
	snprintf(id, sizeof(id), "l.rss.%s.%s", mode, command);
	snprintf(what, sizeof(what), "Most memory of `%s` in %s", command, mode);
	figure(id, what, (double)kib / 1024, "MiB", AT_MOST, 190, "%u sockets", sockets);
	snprintf(id, sizeof(id), "l.idle.%s.%s", mode, command);
	figure(id, "of a processor there, while nothing moves", (double)used / IDLE_S / 1e7, "%",
	       AT_MOST, 2, "utime + stime over %d s", IDLE_S);
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "proc", "afpacket", "ebpf" };
	unsigned int sockets;
	struct child crowd;

	tm_init(argc, argv);
	sockets = (unsigned int)atoi(tm_str("sockets", "5000"));
	bench_init();
	ns_enter_new();
	crowd = crowd_start(sockets);
	for (unsigned int i = 0; i < 3; i++) {
		measure(modes[i], "top", sockets);
		measure(modes[i], "events", sockets);
	}
	close(crowd.in);
	return child_wait(&crowd) ? 1 : 0;
}
