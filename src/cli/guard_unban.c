/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard unban`. */
#include <errno.h>
#include <stdlib.h>

#include "cli/guard.h"

struct unban_opts {
	bool help, allow;
	const char *proto, *port;
};

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct unban_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("allow", 0, OPTION_BOOL, allow, NULL, "an allowance instead of a ban"),
	ROW("proto", 0, OPTION_STRING, proto, "PROTO",
	    "only the rule made with this protocol; others stay"),
	ROW("port", 0, OPTION_STRING, port, "PORT[-PORT]", "only the one made with these ports"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

/* All are looked at before the first one goes. */
static int unban(struct guard_call *call)
{
	const struct unban_opts *o = call->opts;
	unsigned int n = call->operands.n;
	struct netprobe_ban model, *entries = calloc(n, sizeof(*entries));
	int r = entries ? guard_match(o->proto, o->port, &model, &call->err) : -ENOMEM;

	for (unsigned int i = 0; i < n && !r; i++) {
		r = netprobe_check_cidr(call->operands.items[i], &call->err);
		entries[i] = model;
		entries[i].cidr = call->operands.items[i];
	}
	if (!r)
		r = netprobe_manager_remove_list(
			call->m, o->allow ? NETPROBE_LIST_ALLOWED : NETPROBE_LIST_BANS, entries, n,
			&call->err);
	free(entries);
	return r < 0 ? r : EXIT_OK;
}

static const struct option_row *const unban_tables[] = { rows, NULL };
static const struct args_spec unban_spec = {
	.prog = "netprobe guard unban",
	.operands = "CIDR...",
	.summary = "Forget a ban, by detection too, or with --allow an allowance; with "
		   "--proto and --port one rule of it.",
	.tables = unban_tables,
	.min_operands = 1,
};

const struct guard_row guard_verb_unban = {
	.spec = &unban_spec,
	.size = sizeof(struct unban_opts),
	.work = unban,
};
