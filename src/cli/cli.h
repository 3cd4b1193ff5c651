/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share: the table of them, the common options, the loop. */
#ifndef NETPROBE_CLI_CLI_H
#define NETPROBE_CLI_CLI_H

#include <netprobe/netprobe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/args.h"
#include "base/error.h"
#include "cli/sink.h"

struct netprobe_expr;
struct netprobe_manager;
struct settings; /* cli/settings.h */

/* A command as a row: its options, their defaults, how large they are. struct common_opts comes first in them. */
struct command_row {
	const struct args_spec *spec;
	size_t size;
	void (*defaults)(void *command); /* beside common_defaults; NULL: none */
	/* Exit code; s is zero, and given back after done. */
	int (*run)(void *command, struct settings *s);
	void (*done)(void *command); /* what run left; always called */
};

struct command {
	const char *name;
	const char *summary;
	const struct command_row *row;
	int (*run)(int argc, char **argv); /* those without a row parse for themselves */
};

/* Parse, run, give back: exit code. */
int command_run(const struct command_row *row, int argc, char **argv);

extern const struct command command_table[]; /* ends with a NULL name */

/* Options that every capturing command has. */
struct common_opts {
	bool help, version;
	int capture_mode; /* NETPROBE_CAPTURE_* */
	int hook;	  /* NETPROBE_HOOK_* */
	int fail_at;	  /* netprobe_config.fail_at */
	int event_buffer; /* 0 auto, 1 ringbuf, 2 perf */
	const char *btf;
	struct args_list filter[NETPROBE_FILTER_MAX]; /* by NETPROBE_FILTER_* */
	bool v4, v6;
	double interval, duration;
	uint32_t count;
	int format; /* FORMAT_*; -1 not given */
	const char *output;
	unsigned int verbose, quiet;
	bool no_sandbox;
	uint32_t ready_fd;
	uint32_t ring_size, parts_size, queue_size;
	uint32_t packet_ring, packet_block, packet_timeout, fanout;
	/* top */
	bool once, no_color, idle;
	int view, sort;
	uint32_t limit;
	const char *match;
	/* names.h */
	const char *names, *pcap;
	bool resolve;
	struct args_list dns_port;
	double dns_timeout;
	/* why */
	uint64_t sock;
	/* changed by ctl and the config file while it runs */
	bool enabled, latency;
	uint32_t sample_rate, max_events, stall_ms;
	const char *config;
	struct opts_source *source; /* see source.h */
};

extern const struct option_row common_rows[];
extern const struct option_row filter_rows[];

void common_defaults(struct common_opts *o);
void common_done(struct common_opts *o);

/*
 * Parse argv into o with spec's tables. Negative: go on. Else the exit code to end with: --help was
 * printed, or an error was told.
 */
int common_parse(const struct args_spec *spec, int argc, char **argv, struct common_opts *o);

int cli_usage_failed(const struct netprobe_error *err);
/* Tell an error that begins with an option, with its place in the config: exit, which is returned. */
int cli_option_failed(int exit, const char *msg);
/* --match: NULL is none; about: NETPROBE_VIEW_*, NETPROBE_ABOUT_*. -EINVAL, -ENOMEM, err names the option. */
int expr_check(const char *match, uint32_t about, struct netprobe_error *err);
int expr_take(const char *match, uint32_t about, struct netprobe_expr **ret,
	      struct netprobe_error *err);
/* Say on stderr what a regular expression gave up on, where it did; rows or records. */
void expr_tell(uint64_t undecided, const char *what);
/* Is this one to be shown? NULL: all are. Losses always. */
bool expr_wants(struct netprobe_expr *x, const struct netprobe_event *ev);
/* Formats that events need: x reads their JSON. */
uint32_t expr_formats(const struct netprobe_expr *x, uint32_t formats);
/* A manager of these settings: EXIT_OK, or the exit code after telling what is wrong with them. */
int cli_manager(const struct common_opts *o, struct settings *s, struct netprobe_manager **ret);
/* Capture from here on: EXIT_OK, or the exit code after telling why not. Signals wait for the loop. */
int cli_load(struct netprobe_manager *m);
/* Tell whoever waits (--ready-fd) that capture runs. */
void cli_ready(struct common_opts *o);
/* Losses in one line on stderr, when there were any. */
void cli_tell_losses(struct netprobe_manager *m);

/*
 * The loop of every capturing command: ticks each interval, drains the ring in between, ends on
 * SIGINT, SIGTERM, --duration or -n. Each callback returns 0, 1 to end, or -errno. SIGHUP ends it
 * too, unless there is a --config to be read again or a file (-o) to be opened anew, and no keyboard.
 * Signals that were ignored when the command started stay so. With opts it answers `ctl`, which
 * may change opts and, with opts->interval, the interval.
 */
struct loop {
	struct netprobe_manager *manager;
	double interval, duration; /* seconds; duration 0: no end */
	uint32_t count;		   /* ticks; 0: no end */
	int (*on_tick)(void *arg); /* after netprobe_manager_tick */
	int (*on_poll)(void *arg); /* after events were drained; NULL */
	int input_fd;		   /* -1 none */
	int (*on_input)(void *arg);
	int (*on_resize)(void *arg); /* SIGWINCH; NULL */
	/* SIGTSTP and, with over, SIGCONT: who has the terminal gives it back; NULL: nobody has */
	int (*on_stop)(void *arg, bool over);
	void *arg;
	struct common_opts *opts; /* of common_parse; NULL: nobody can ask */
	struct sink *sink;	  /* of what sink_put() takes: SIGHUP opens it anew; NULL */
	/* before they are: -EINVAL, err filled, and nothing is; NULL */
	int (*on_check)(const struct common_opts *next, void *arg, struct netprobe_error *err);
	/* more that next means, before s is in force: -ENOMEM; NULL */
	int (*on_settings)(struct settings *s, const struct common_opts *next, void *arg);
	void (*on_change)(void *arg); /* opts were changed, the manager knows; NULL */
};
int loop_run(struct loop *l);
/* From here on signals wait for the loop: to be called before the kernel half is loaded. */
void loop_hold_signals(void);

int cmd_ctl(int argc, char **argv);
int cmd_guard(int argc, char **argv);

extern const struct command_row top_command, events_command, flows_command, dns_command,
	drops_command, why_command, doctor_command;

#endif
