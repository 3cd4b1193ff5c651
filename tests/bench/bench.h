/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the measuring programs: children, namespaces, processor time, medians, and the one JSON
 * line a figure is reported as. Arguments and traffic come from tests/traffic. Nothing here knows a
 * figure.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib.h"

/* How a figure is compared with its target; NULL op: for information. */
#define AT_MOST "<="
#define AT_LEAST ">="

/*
 * One line on stdout: id, what it is, what was measured, the target. The detail is one sentence for
 * the table's notes; may be empty.
 */
void figure(const char *id, const char *what, double measured, const char *unit, const char *op,
	    double target, const char *detail, ...) __attribute__((format(printf, 7, 8)));
/* A figure that could not be measured, and why: it counts as a failure. */
void figure_failed(const char *id, const char *what, const char *why);

_Noreturn void bench_die(const char *what, ...) __attribute__((format(printf, 1, 2)));
/* A line on stderr. */
void note(const char *text, ...) __attribute__((format(printf, 1, 2)));

double median(double *values, size_t n);	    /* sorts them */
double relative(double measured, double reference); /* |measured - reference| / reference */

/* Before the first child and the first namespace: remembers the one the program was started in. */
void bench_init(void);

/* Where things are, by the environment that run sets; in one of a few static buffers. */
const char *bin_path(const char *name);	    /* BENCH_BIN */
const char *maker_path(const char *name);   /* BENCH_TRAFFIC: tests/traffic */
const char *scratch_path(const char *name); /* BENCH_TMP */

/* A child that dies with this process. */
struct child {
	pid_t pid;
	int out; /* its stdout, when asked for; -1 */
	int in;	 /* its stdin, when asked for; -1 */
};

#define CHILD_HOST 1   /* runs in the namespace the program was started in */
#define CHILD_OUT 2    /* stdout comes back through out */
#define CHILD_IN 4     /* stdin is fed through in */
#define CHILD_SILENT 8 /* stdout and stderr are thrown away */

/* argv ends with NULL; argv[0] is looked up in PATH. */
struct child child_start(unsigned int flags, const char *const *argv);
/* The same with a file as stdout. */
struct child child_start_to(unsigned int flags, const char *path, const char *const *argv);
/* Wait for its end: exit status, 128 + signal. */
int child_wait(struct child *c);
int child_stop(struct child *c, int sig);
/* Its whole output until its end, NUL-terminated; free() it. */
char *child_text(struct child *c);
bool command_exists(const char *name);
/* Run by /bin/sh in this namespace; dies unless it succeeds. */
void must(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * netprobe with these arguments (command first, ends with NULL), its stdout in a file; comes back
 * when every hook is attached. cpu: pinned there; -1 anywhere.
 */
struct child netprobe_start(const char *out_path, int cpu, const char *const *args);

/* The same in the namespace this process is in. */
struct child netprobe_start_here(const char *out_path, int cpu, const char *const *args);

/* A new network namespace with lo up for this process and its children. */
void ns_enter_new(void);
/* The namespace this process is in, as a path any process may open while this one lives. */
void ns_path(char path[64]);
void ns_enter(const char *path);
/* Two namespaces with a veth pair, 10.77.0.1 and 10.77.0.2: this process is in the first. */
struct ns_pair {
	char a[64], b[64];
	uint64_t inode_a, inode_b;
};
struct ns_pair ns_pair_new(void);
/* Wait until no TCP connection of this namespace but TIME_WAIT is left. */
void ns_wait_quiet(void);
/* Wait until somebody listens on that TCP port in this namespace. */
void ns_wait_listen(unsigned int port);
uint64_t ns_inode(void);
/* A counter of /proc/net/snmp of this namespace, as Tcp RetransSegs. */
uint64_t ns_counter(const char *group, const char *name);

void pin_cpu(int cpu);
uint64_t cpu_time_ns(pid_t pid);		 /* utime + stime */
uint64_t status_kib(pid_t pid, const char *key); /* of /proc/PID/status, as VmHWM */

#endif
