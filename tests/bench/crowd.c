/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds --sockets N established TCP sockets (both ends of N/2 connections), spread over processes as
 * RLIMIT_NOFILE demands and over 127.0.0.0/8 as ports do. Prints {"open":N}. For each line "K" on
 * stdin it sends a byte over every K-th connection, takes it out at the other end, and prints
 * {"moved":N}. Ends with stdin. Unlike tests/traffic/idle its sockets can be made busy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define SPARE_FDS 64
#define MAX_CONNS 10000 /* a process: well inside the 28,000 ephemeral ports of one address */
#define PROCS_MAX 64

static struct gate orders[PROCS_MAX], done;

static void open_all(int (*ends)[2], unsigned int conns, unsigned int nth)
{
	char text[32];
	struct addr a;
	int listener;

	snprintf(text, sizeof(text), "127.1.%u.1", nth + 1);
	a = addr_parse(text, 0);
	listener = tcp_listen(&a, 16);
	a = addr_of(listener);
	for (unsigned int i = 0; i < conns; i++) {
		ends[i][0] = sock_new(AF_INET, SOCK_STREAM);
		sock_connect(ends[i][0], &a);
		ends[i][1] = tcp_accept(listener);
	}
}

static _Noreturn void work(unsigned int conns, unsigned int nth)
{
	int(*ends)[2] = calloc(conns, sizeof(*ends));
	char byte = 0;

	if (!ends)
		die("calloc");
	tm_comm("crowd");
	open_all(ends, conns, nth);
	for (;;) {
		unsigned int every;

		gate_open(&done, 1);
		every = gate_wait(&orders[nth]);
		for (unsigned int i = 0; i < conns; i += every)
			if (write(ends[i][0], &byte, 1) != 1 || read(ends[i][1], &byte, 1) != 1)
				die("moving a byte");
	}
}

static unsigned int spread(unsigned int conns)
{
	struct rlimit files;
	unsigned int procs = 0, each;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die("getrlimit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");
	each = files.rlim_cur > 2 * MAX_CONNS + SPARE_FDS
		       ? MAX_CONNS
		       : (unsigned int)(files.rlim_cur - SPARE_FDS) / 2;
	while (conns) {
		unsigned int mine = conns < each ? conns : each;

		if (procs == PROCS_MAX)
			bench_die("RLIMIT_NOFILE of %lu is too low", (unsigned long)files.rlim_max);
		orders[procs] = gate_new();
		if (tm_fork() == 0)
			work(mine, procs);
		procs++;
		conns -= mine;
	}
	return procs;
}

int main(int argc, char **argv)
{
	unsigned int conns, procs, every;
	char line[32];

	tm_init(argc, argv);
	conns = (unsigned int)tm_num("sockets", 100000) / 2;
	done = gate_new();
	procs = spread(conns);
	for (unsigned int i = 0; i < procs; i++)
		gate_wait(&done);
	printf("{\"open\":%u}\n", conns * 2);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		every = (unsigned int)strtoul(line, NULL, 10);
		if (!every || every > UINT16_MAX)
			bench_die("1 to %d", UINT16_MAX);
		for (unsigned int i = 0; i < procs; i++)
			gate_open(&orders[i], (uint16_t)every);
		for (unsigned int i = 0; i < procs; i++)
			gate_wait(&done);
		printf("{\"moved\":%u}\n", (conns + every - 1) / every);
		fflush(stdout);
	}
	return 0; /* the children die with this process */
}
