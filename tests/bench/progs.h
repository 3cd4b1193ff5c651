/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs a process has loaded into the kernel cost: run_time_ns and run_cnt as the
 * kernel counts them while statistics are on. Other instances of the same program are told apart,
 * because the list comes from the process's own descriptors.
 */
#ifndef BENCH_PROGS_H
#define BENCH_PROGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROGS_MAX 96

struct prog {
	uint32_t id;
	char name[17];
	uint64_t ns, runs;
};

struct progs {
	unsigned int n;
	struct prog prog[PROGS_MAX];
};

/* Statistics are on until the descriptor is closed, at the latest by the end of the process. */
int progs_stats_on(void);
void progs_of(pid_t pid, struct progs *ret_progs);
/* What happened from before to after. */
struct progs progs_delta(const struct progs *before, const struct progs *after);
uint64_t progs_ns(const struct progs *d);
/* Runs and time of programs whose name begins so. */
uint64_t progs_runs(const struct progs *d, const char *name);
uint64_t progs_ns_of(const struct progs *d, const char *name);
/* "np_send_tp 120 ns x 1.00, ..." for those that took part; x: runs a call. Static buffer. */
const char *progs_list(const struct progs *d, uint64_t calls);

#endif
