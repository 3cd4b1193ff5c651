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

/* A verb as a row: its options, their defaults, how large they are. */
struct guard_row {
	const struct args_spec *spec; /* "help" is one of its options */
	size_t size;
	void (*defaults)(void *opts); /* beside zeros; NULL: none */
	guard_work_fn work;	      /* with a manager that captures nothing */
	void (*done)(void *opts);     /* what work left; NULL: nothing */
};

/* The manager's settings, with those of its fields that change set. */
int guard_configure(struct guard_call *call, const struct netprobe_config *c);
void guard_config(struct netprobe_config *ret); /* what each verb begins with */
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

extern const struct guard_row guard_verb_attach, guard_verb_detach, guard_verb_status,
	guard_verb_stats, guard_verb_ban, guard_verb_allow, guard_verb_unban, guard_verb_list,
	guard_verb_import, guard_verb_export, guard_verb_limit, guard_verb_detect,
	guard_verb_syncookie, guard_verb_events, guard_verb_confirm, guard_verb_off, guard_verb_on,
	guard_verb_vip, guard_verb_backend, guard_verb_watch;

/* Where rows of a table go, and what all begin with. */
struct guard_rows {
	struct table *t;
	struct row_stamp stamp;
};

#endif
