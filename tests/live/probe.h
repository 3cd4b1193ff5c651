/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netprobe as a child: started, known to be ready, stopped, and what it printed. The binary is
 * NETPROBE (else build/netprobe); NETPROBE_HOOK adds --hook, NETPROBE_ARGS more options.
 */
#ifndef LIVE_PROBE_H
#define LIVE_PROBE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROBE_MAX_ARGS 32

struct probe {
	pid_t pid;
	char out[PATH_MAX]; /* its stdout */
	char log[PATH_MAX]; /* its stderr */
	int status;	    /* exit code once stopped, 128 + signal; -1 running */
	json_t *records;    /* array of what it printed, once stopped */
	int64_t started_ms;
};

/* How a child is started; zero means: as netprobe is usually run. */
struct probe_opts {
	const char *const *args; /* ends with NULL */
	int out_fd;		 /* its stdout instead of a file; 0 none */
	uid_t uid;		 /* run as that user; 0 as we are */
	uint64_t caps;		 /* with uid: the capabilities it keeps, bits by number */
	bool no_ready;		 /* do not ask for the ready signal */
	bool plain;		 /* leave NETPROBE_HOOK and NETPROBE_ARGS out */
	bool no_bpf;		 /* a seccomp filter refuses bpf(2) with EPERM */
	int no_packet;		 /* a seccomp filter refuses socket(AF_PACKET) with that errno */
	int no_perf;		 /* one refuses perf_event_open(2) with that errno */
	int no_netlink;		 /* one refuses socket(AF_NETLINK) with that errno */
	bool user_ns;		 /* root in a user namespace of its own */
	bool (*enter)(
		void); /* called in it before it is netprobe: to enter namespaces; NULL none */
	uint64_t address_space; /* RLIMIT_AS in bytes; 0: as it is */
	uint64_t file_size;	/* RLIMIT_FSIZE in bytes; 0: as it is */
	uint64_t files;		/* RLIMIT_NOFILE; 0: as it is */
	uint64_t files_hard;	/* the hard limit with it; 0: the same */
	int ignored;		/* a signal that is ignored, as by nohup; 0 none */
	int closed;		/* a descriptor that is not open, 1 or 2; 0 none */
	const char *term;	/* with terminal: its TERM; NULL xterm */
	bool terminal; /* out_fd is a terminal: make it the controlling one, all of 0, 1, 2 */
};

/* NULL-terminated arguments. Comes back when every hook is attached and proven. */
struct probe probe_start(const char *command, ...) __attribute__((sentinel));
struct probe probe_start_args(const char *const *args);
/* Only starts; nothing is waited for but the ready signal where asked for. */
struct probe probe_spawn(const struct probe_opts *opts);

/* Signal it, wait for its end, read its records. Returns its exit code. */
int probe_signal(struct probe *p, int sig);
/* Wait for its end by itself; -1 when it does not come within ms (stretched). */
int probe_wait(struct probe *p, int ms);
/* SIGTERM, and a failed check unless it ends with 0. */
void probe_stop(struct probe *p);
/* Run to its end with those arguments: exit code. out and log may be read afterwards. */
int probe_run(struct probe *p, const char *const *args);

/* The whole of a file, NUL-terminated; free() it. Empty when there is none. */
char *file_text(const char *path);
/* A figure of its /proc/PID/status ("VmHWM:"); 0: not there. */
uint64_t status_kib(pid_t pid, const char *key);
/* What was printed so far (whole lines only), parsed. json_decref() it. */
json_t *probe_records(const struct probe *p);
/* Wait until a record satisfies fn; a new reference, NULL when none came within ms (stretched). */
json_t *probe_wait_record(const struct probe *p, bool (*fn)(const json_t *, const void *),
			  const void *arg, int ms);
/* Wait until a program of it is at that tracepoint: some are only while they have something to tell. */
void probe_wait_tracepoint(const struct probe *p, const char *name);
/* Where build products are: path of the binary. */
const char *probe_binary(void);

/* Can programs of the kprobe family be attached here? */
bool has_kprobes(void);

#endif
