/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard`: the table of its verbs, and what they share. */
#include "cli/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/words.h"
#include "out/table.h"

int cmd_guard(int argc, char **argv); /* cli.h, which knows more than this may */

struct guard_verb {
	const char *name;
	const char *summary;
	const struct guard_row *row;
};

static const struct guard_verb verbs[] = {
	{ "attach", "put guard on an interface, or change its mode", &guard_verb_attach },
	{ "detach", "take it off, without a trace", &guard_verb_detach },
	{ "status", "where it is, how, and what waits", &guard_verb_status },
	{ "stats", "counters of interfaces, or flows", &guard_verb_stats },
	{ "ban", "drop what comes from an address or network", &guard_verb_ban },
	{ "unban", "forget a ban or an allowance", &guard_verb_unban },
	{ "allow", "let an address or network in whatever is banned", &guard_verb_allow },
	{ "list", "bans and allowances", &guard_verb_list },
	{ "import", "add or replace by a list, all of it or nothing", &guard_verb_import },
	{ "export", "write the list, for import", &guard_verb_export },
	{ "limit", "rate-limit each source address or prefix", &guard_verb_limit },
	{ "detect", "find floods and scans; tell, or ban", &guard_verb_detect },
	{ "syncookie", "answer SYNs to a server with cookies", &guard_verb_syncookie },
	{ "events", "what is found, banned and allowed, as it happens", &guard_verb_events },
	{ "vip", "virtual services of the balancer", &guard_verb_vip },
	{ "backend", "who serves them", &guard_verb_backend },
	{ "watch", "run the backends' health checks, print what is balanced", &guard_verb_watch },
	{ "confirm", "keep a change made with --confirm", &guard_verb_confirm },
	{ "off", "panic: let everything pass until `guard on`", &guard_verb_off },
	{ "on", "filter again", &guard_verb_on },
	{},
};

static void usage(FILE *f)
{
	(void)fputs(
		"Usage: netprobe guard VERB [OPTIONS] [ARGUMENTS]\n"
		"\n"
		"Monitor, filter and balance at XDP on an interface; it goes on after the command "
		"ends.\n\nVerbs:\n",
		f);
	for (const struct guard_verb *v = verbs; v->name; v++)
		(void)fprintf(f, "  %-10s %s\n", v->name, v->summary);
	(void)fputs("\nnetprobe guard VERB --help tells a verb's options.\n", f);
}

static int failed(const struct netprobe_error *err)
{
	char words[CLI_WORDS];

	log_err("%s", cli_error(err, words));
	switch (err->code) {
	case -EPERM:
	case -EACCES:
		return EXIT_PERM;
	case -EINVAL:
	case -ECANCELED: /* for safety */
	case -ENOENT:
	case -ENODEV:
	case -ENOSPC:
	case -EEXIST:
	case -EADDRINUSE:
	case -ENETUNREACH:
		return EXIT_USAGE;
	case -ENOMEM:
		return EXIT_INTERNAL;
	default:
		return EXIT_CAPTURE;
	}
}

void guard_config(struct netprobe_config *ret)
{
	netprobe_config_default(ret);
	ret->capture = NETPROBE_CAPTURE_NONE;
	/* `guard watch` does both all the time. */
	ret->enable_health_checks = ret->follow_interfaces = false;
}

int guard_configure(struct guard_call *call, const struct netprobe_config *c)
{
	return netprobe_manager_update_config(call->m, c, &call->err);
}

static int work_with(guard_work_fn work, struct guard_call *call)
{
	struct netprobe_config c;
	int r;

	guard_config(&c);
	r = netprobe_manager_new_with_config(&c, &call->m, &call->err);
	if (!r)
		r = work(call);
	call->m = netprobe_manager_free(call->m);
	if (r >= 0)
		return r;
	call->err.code = r;
	return failed(&call->err);
}

/* Parse, work: exit code. */
static int run_with(const struct guard_row *row, int argc, char **argv, struct guard_call *call)
{
	const struct option_row *help = args_find(row->spec->tables, "help");
	struct buf text = {};
	int r = args_parse(row->spec, argc, argv, call->opts, &call->operands, &call->err);

	if (r < 0) {
		log_err("%s", call->err.msg);
		return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
	}
	if (!*(const bool *)((const char *)call->opts + help->offset))
		return work_with(row->work, call);
	args_help(row->spec, true, &text);
	r = guard_print(&text);
	buf_done(&text);
	return r;
}

static int run_row(const struct guard_row *row, int argc, char **argv)
{
	struct guard_call call = { .opts = calloc(1, row->size), .bare = argc == 1 };
	int r;

	log_set_ident(row->spec->prog);
	if (!call.opts) {
		log_err("out of memory");
		return EXIT_INTERNAL;
	}
	if (row->defaults)
		row->defaults(call.opts);
	r = run_with(row, argc, argv, &call);
	if (row->done)
		row->done(call.opts);
	args_list_done(&call.operands);
	free(call.opts);
	return r;
}

struct filtering {
	unsigned int on; /* interfaces that filter */
	char monitors[128];
};

static int add_mode(const struct netprobe_interface *i, void *arg)
{
	struct filtering *f = arg;
	size_t n = strlen(f->monitors);

	if (i->mode == NETPROBE_MODE_MONITOR)
		(void)snprintf(f->monitors + n, sizeof(f->monitors) - n, "%s%s", n ? ", " : "",
			       i->name);
	else if (i->state == NETPROBE_STATE_ON)
		f->on++;
	return 0;
}

const struct netprobe_security_stats *guard_stats_once(struct guard_call *call)
{
	if (call->stats.size)
		return &call->stats;
	call->stats.size = sizeof(call->stats);
	if (!netprobe_manager_get_security_stats(call->m, &call->stats, NULL))
		return &call->stats;
	call->stats.size = 0;
	return NULL;
}

void guard_tell_effect(struct guard_call *call)
{
	const struct netprobe_security_stats *s = guard_stats_once(call);
	struct filtering f = {};

	if (netprobe_manager_interfaces(call->m, add_mode, &f, NULL) >= 0 && !f.on)
		log_notice("no effect yet: no interface filters%s%s; netprobe guard attach IF "
			   "--mode filter",
			   f.monitors[0] ? ", guard only counts on " : "", f.monitors);
	else if (s && s->off)
		log_notice("no effect yet: filtering is off; netprobe guard on");
}

uint32_t guard_seconds(double s)
{
	return s > 0 ? (uint32_t)(s + 0.999) : 0;
}

int guard_put_table(struct table *t, struct buf *out, int format)
{
	table_fit(t, sink_columns(STDOUT_FILENO));
	return table_write(t, out, format, false);
}

int guard_print(struct buf *out)
{
	struct sink k = { .fd = STDOUT_FILENO };
	int r = sink_write(&k, out);

	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write: %s", strerror(-r));
	return EXIT_INTERNAL;
}

static void put_record(const struct netprobe_event *events, size_t n, void *arg)
{
	struct buf *out = arg;

	for (size_t i = 0; i < n; i++) {
		buf_puts(out, events[i].json);
		buf_putc(out, '\n');
	}
}

int guard_put_records(struct guard_call *call, uint32_t families, struct buf *out)
{
	int r = netprobe_manager_set_event_handler(call->m, families, put_record, out);

	if (!r)
		r = netprobe_manager_report(call->m, families, &call->err);
	(void)netprobe_manager_set_event_handler(call->m, families, NULL, NULL);
	return r < 0 ? r : out->err;
}

int cmd_guard(int argc, char **argv)
{
	struct netprobe_error err = {};
	struct buf known = {};

	log_set_ident("netprobe guard");
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		usage(stdout);
		return EXIT_OK;
	}
	for (const struct guard_verb *v = verbs; argc > 1 && v->name; v++)
		if (!strcmp(v->name, argv[1]))
			return run_row(v->row, argc - 1, argv + 1);
	if (argc > 1) {
		(void)args_unknown_word("guard verb", argv[1], verbs, sizeof(verbs[0]), &err);
		log_err("%s", err.msg);
		return EXIT_USAGE;
	}
	for (const struct guard_verb *v = verbs; v->name; v++)
		buf_printf(&known, "%s%s", v == verbs ? "" : ", ", v->name);
	log_err("a verb is missing; expected one of %s", buf_str(&known));
	buf_done(&known);
	return EXIT_USAGE;
}
