/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard`: the table of its verbs, and what they share. */
#include "cli/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/words.h"
#include "out/table.h"

int cmd_guard(int argc, char **argv); /* cli.h, which knows more than this may */

static const struct guard_verb verbs[] = {
	{ "attach", guard_cmd_attach, "put guard on an interface, or change its mode" },
	{ "detach", guard_cmd_detach, "take it off, without a trace" },
	{ "status", guard_cmd_status, "where it is, how, and what waits" },
	{ "stats", guard_cmd_stats, "counters of interfaces, or flows" },
	{ "ban", guard_cmd_ban, "drop what comes from an address or network" },
	{ "unban", guard_cmd_unban, "forget a ban or an allowance" },
	{ "allow", guard_cmd_allow, "let an address or network in whatever is banned" },
	{ "list", guard_cmd_list, "bans and allowances" },
	{ "import", guard_cmd_import, "add or replace by a list, all of it or nothing" },
	{ "export", guard_cmd_export, "write the list, for import" },
	{ "limit", guard_cmd_limit, "rate-limit each source address or prefix" },
	{ "detect", guard_cmd_detect, "find floods and scans; tell, or ban" },
	{ "syncookie", guard_cmd_syncookie, "answer SYNs to a server with cookies" },
	{ "events", guard_cmd_events, "what is found, banned and allowed, as it happens" },
	{ "vip", guard_cmd_vip, "virtual services of the balancer" },
	{ "backend", guard_cmd_backend, "who serves them" },
	{ "watch", guard_cmd_watch, "run the backends' health checks, print what is balanced" },
	{ "confirm", guard_cmd_confirm, "keep a change made with --confirm" },
	{ "off", guard_cmd_off, "panic: let everything pass until `guard on`" },
	{ "on", guard_cmd_on, "filter again" },
	{ NULL, NULL, NULL },
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

int guard_run_verb(const struct args_spec *spec, int argc, char **argv, void *opts,
		   const bool *help, guard_work_fn work)
{
	struct guard_call call = { .opts = opts, .bare = argc == 1 };
	struct buf text = {};
	int r = args_parse(spec, argc, argv, opts, &call.operands, &call.err);

	log_set_ident(spec->prog);
	if (r < 0) {
		log_err("%s", call.err.msg);
		r = r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
	} else if (*help) {
		args_help(spec, true, &text);
		r = guard_print(&text);
		buf_done(&text);
	} else {
		r = work_with(work, &call);
	}
	args_list_done(&call.operands);
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
			return v->run(argc - 1, argv + 1);
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
