/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds --sockets N established TCP sockets (both ends of N/2 connections) that do nothing, spread
 * over processes as RLIMIT_NOFILE demands and over 127.0.0.0/8 as ports do. When all are open it
 * prints its {"hold":"open"} line, and ends when stdin does or says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib.h"

#define SPARE_FDS 64
#define MAX_CONNS 10000 /* a process: well inside the 28,000 ephemeral ports of one address */

static _Noreturn void hold_open(uint64_t conns, unsigned int nth, const struct gate *up)
{
	char text[32];
	struct addr a;
	int listener;

	snprintf(text, sizeof(text), "127.1.%u.1", nth + 1);
	a = addr_parse(text, 0);
	listener = tcp_listen(&a, 16);
	a = addr_of(listener);
	tm_comm("idle");
	for (uint64_t i = 0; i < conns; i++) {
		sock_connect(sock_new(AF_INET, SOCK_STREAM), &a);
		tcp_accept(listener);
	}
	gate_open(up, 1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct report r = { .role = "idle" };
	struct rlimit files;
	struct gate up;
	uint64_t conns, each;
	unsigned int procs = 0;

	tm_init(argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die("getrlimit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");
	each = (files.rlim_cur - SPARE_FDS) / 2;
	if (each > MAX_CONNS)
		each = MAX_CONNS;
	up = gate_new();
	for (conns = tm_num("sockets", 100000) / 2; conns; procs++) {
		uint64_t mine = conns < each ? conns : each;

		if (tm_fork() == 0)
			hold_open(mine, procs, &up);
		conns -= mine;
	}
	for (unsigned int i = 0; i < procs; i++)
		gate_wait(&up);
	r.tx_pkts = procs;
	report_print(&r);
	if (dprintf(STDOUT_FILENO, "{\"hold\":\"open\",\"pid\":%d}\n", getpid()) < 0)
		die("write");
	getchar();
	return 0; /* the children die with this process */
}
