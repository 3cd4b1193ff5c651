/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verbs of `netprobe guard`: a row in guard.c's table each, a file for those that belong together.
 * They know guard by the library's header alone (tests/check-layers), so that whatever they do other
 * programs can do.
 */
#ifndef NETPROBE_CLI_GUARD_H
#define NETPROBE_CLI_GUARD_H

#include <netprobe/netprobe.h>

#include "base/args.h"
#include "base/buf.h"
#include "cli/row.h"
#include "cli/sink.h"

struct guard_verb {
	const char *name;
	/* argv[0] is the verb; returns an exit code */
	int (*run)(int argc, char **argv);
	const char *summary;
};

/* What is asked for, and the manager to do it with. */
struct guard_call {
	struct netprobe_manager *m;
	struct args_list operands;
	void *opts;
	bool bare; /* nothing but the verb was given */
	struct netprobe_error err;
	struct netprobe_security_stats stats; /* guard_stats_once() */
};

/* 0 or more: an exit code; negative: -errno, call->err says why. */
typedef int (*guard_work_fn)(struct guard_call *call);

/*
 * What every verb does: its options into opts, a manager that captures nothing, the work. Returns an exit
 * code; --help was printed or errors told. help: bool in opts.
 */
int guard_run_verb(const struct args_spec *spec, int argc, char **argv, void *opts,
		   const bool *help, guard_work_fn work);
/* The manager's settings, with those of its fields that change set. */
int guard_configure(struct guard_call *call, const struct netprobe_config *c);
void guard_config(struct netprobe_config *ret); /* what guard_run_verb begins with */
/* --proto and --port of an entry, all else zero; NULL: none. */
int guard_match(const char *proto, const char *port, struct netprobe_ban *ret,
		struct netprobe_error *err);
/* Asked for once: to count a long list takes time. NULL: they cannot be had. */
const struct netprobe_security_stats *guard_stats_once(struct guard_call *call);
/* A notice where what was changed has no effect now: no interface filters, or filtering is off. */
void guard_tell_effect(struct guard_call *call);
struct table;
/* As table_write; text fits the terminal of stdout. */
int guard_put_table(struct table *t, struct buf *out, int format);
/* Write out to stdout: exit code. */
int guard_print(struct buf *out);
/* Seconds, rounded up. */
uint32_t guard_seconds(double s);
/* All VIPs and their backends on stdout, FORMAT_TEXT or FORMAT_JSON; where there are none, text has those words, or NULL. */
int guard_print_balancer(struct guard_call *call, int format, const char *nothing);
/* The JSON of the records of these families, made now, a line each into out. */
int guard_put_records(struct guard_call *call, uint32_t families, struct buf *out);

int guard_cmd_attach(int argc, char **argv);
int guard_cmd_detach(int argc, char **argv);
int guard_cmd_status(int argc, char **argv);
int guard_cmd_stats(int argc, char **argv);
int guard_cmd_ban(int argc, char **argv);
int guard_cmd_allow(int argc, char **argv);
int guard_cmd_unban(int argc, char **argv);
int guard_cmd_list(int argc, char **argv);
int guard_cmd_import(int argc, char **argv);
int guard_cmd_export(int argc, char **argv);
int guard_cmd_limit(int argc, char **argv);
int guard_cmd_detect(int argc, char **argv);
int guard_cmd_syncookie(int argc, char **argv);
int guard_cmd_events(int argc, char **argv);
int guard_cmd_confirm(int argc, char **argv);
int guard_cmd_off(int argc, char **argv);
int guard_cmd_on(int argc, char **argv);
int guard_cmd_vip(int argc, char **argv);
int guard_cmd_backend(int argc, char **argv);
/* Health checks and, each interval, stats.lb, until it is told to end. */
int guard_cmd_watch(int argc, char **argv);

/* Where rows of a table go, and what all begin with. */
struct guard_rows {
	struct table *t;
	struct row_stamp stamp;
};

#endif
