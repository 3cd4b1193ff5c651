/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long it takes from the command to its first table where there is much to look through: as root,
 * who may read every descriptor. `flows --capture-mode proc`, with its default second of watching in it.
 *
 * --procs N --conns N: of each
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS 3

static _Noreturn void hold(const struct gate *up, unsigned int conns)
{
	struct addr a = addr_parse("127.0.0.1", 0);
	int listener = tcp_listen(&a, 16);

	a = addr_of(listener);
	for (unsigned int i = 0; i < conns; i++) {
		sock_connect(sock_new(AF_INET, SOCK_STREAM), &a);
		(void)tcp_accept(listener);
	}
	gate_open(up, 1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	static const char *const args[] = { "flows", "--capture-mode", "proc", "-q", NULL };
	unsigned int procs, conns;
	double took[ROUNDS];
	struct gate up;

	tm_init(argc, argv);
	procs = (unsigned int)tm_num("procs", 500);
	conns = (unsigned int)tm_num("conns", 5);
	bench_init();
	ns_enter_new();
	up = gate_new();
	for (unsigned int i = 0; i < procs; i++)
		if (tm_fork() == 0)
			hold(&up, conns);
	for (unsigned int i = 0; i < procs; i++)
		(void)gate_wait(&up);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t begun = tm_now_ns();
		struct child c = netprobe_start_here(scratch_path("first.txt"), -1, args);

		if (child_wait(&c))
			bench_die("netprobe failed");
		took[i] = (double)(tm_now_ns() - begun) / 1e9;
	}
	figure("k.first", "First table of sock_diag and /proc", median(took, ROUNDS), "s", AT_MOST,
	       2, "flows, %u processes with %u sockets, one second of it watching", procs,
	       procs * (2 * conns + 1));
	return 0;
}
