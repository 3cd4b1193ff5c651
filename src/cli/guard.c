/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard`: the table of its verbs, and what they share. */
#include "cli/guard.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard_lb.h"

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
	{ "limit", guard_cmd_limit, "so much of each source or prefix, and no more" },
	{ "detect", guard_cmd_detect, "find floods and scans; tell, or ban" },
	{ "syncookie", guard_cmd_syncookie, "answer SYNs to a server with cookies" },
	{ "events", guard_cmd_events, "what detection finds, as it finds it" },
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
		"Monitor, filter and balance at XDP on an interface; it goes on after the command "
		"ends.\n\nVerbs:\n",
		f);
	for (const struct guard_verb *v = verbs; v->name; v++)
		(void)fprintf(f, "  %-10s %s\n", v->name, v->summary);
	(void)fputs("\nnetprobe guard VERB --help tells a verb's options.\n", f);
}

int guard_failed(const struct netprobe_error *err)
{
	log_err("%s%s%s", err->msg, err->hint[0] ? "; " : "", err->hint);
	switch (err->code) {
	case -EPERM:
	case -EACCES:
		return EXIT_PERM;
	case -EINVAL:
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

int guard_parse(const struct args_spec *spec, int argc, char **argv, void *opts, const bool *help,
		struct args_list *ret_operands)
{
	struct netprobe_error err = {};
	struct buf text = {};
	int r = args_parse(spec, argc, argv, opts, ret_operands, &err);

	log_set_ident(spec->prog);
	if (r < 0) {
		log_err("%s", err.msg);
		return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
	}
	if (!*help)
		return -1;
	args_help(spec, &text);
	r = guard_print(&text);
	buf_done(&text);
	return r;
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

void guard_who(char ret[32])
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = sudo && *sudo ? NULL : getpwuid(getuid());

	if (sudo && *sudo)
		(void)snprintf(ret, 32, "%s", sudo);
	else if (pw)
		(void)snprintf(ret, 32, "%s", pw->pw_name);
	else
		(void)snprintf(ret, 32, "%u", getuid());
}

int cmd_guard(int argc, char **argv)
{
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
	for (const struct guard_verb *v = verbs; v->name; v++)
		buf_printf(&known, "%s%s", v == verbs ? "" : ", ", v->name);
	if (argc > 1)
		log_err("'%s' is no verb of guard; takes %s", argv[1], buf_str(&known));
	else
		log_err("a verb is missing; takes %s", buf_str(&known));
	buf_done(&known);
	return EXIT_USAGE;
}
