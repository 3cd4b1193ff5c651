/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard unban`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli/guard.h"

struct unban_opts {
	bool help, allow;
};

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct unban_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("allow", 0, OPTION_BOOL, allow, NULL, "an allowance instead of a ban"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

/* Several that are to go: which of them are there. */
struct wanted {
	const struct args_list *operands;
	struct np_cidr *cidr;
	bool *there;
};

static int mark(const struct netprobe_ban *b, void *arg)
{
	struct wanted *w = arg;
	struct np_cidr c;

	if (parse_cidr(b->cidr, &c, NULL))
		return 0;
	for (unsigned int i = 0; i < w->operands->n; i++)
		w->there[i] |= c.len == w->cidr[i].len &&
			       !memcmp(c.addr, w->cidr[i].addr, sizeof(c.addr));
	return 0;
}

/* All of them, or none goes. */
static int all_there(struct guard_call *call)
{
	const struct unban_opts *o = call->opts;
	unsigned int n = call->operands.n;
	struct wanted w = { &call->operands, calloc(n, sizeof(*w.cidr)), calloc(n, 1) };
	int r = w.cidr && w.there ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < n && !r; i++)
		r = parse_cidr(call->operands.items[i], &w.cidr[i], &call->err);
	if (!r)
		r = o->allow ? netprobe_manager_allowed(call->m, mark, &w, &call->err)
			     : netprobe_manager_banned(call->m, mark, &w, &call->err);
	if (r >= 0 && !o->allow)
		r = netprobe_manager_detected(call->m, mark, &w, &call->err);
	for (unsigned int i = 0; i < n && r >= 0; i++)
		if (!w.there[i])
			r = error_set(&call->err, -ENOENT, "%s: there is no such entry",
				      call->operands.items[i]);
	free(w.cidr);
	free(w.there);
	return r < 0 ? r : 0;
}

/* All are looked at before the first one goes. */
static int unban(struct guard_call *call)
{
	const struct unban_opts *o = call->opts;
	int r = 0;

	for (unsigned int i = 0; i < call->operands.n && !r; i++)
		r = netprobe_check_cidr(call->operands.items[i], &call->err);
	if (!r && call->operands.n > 1)
		r = all_there(call);
	for (unsigned int i = 0; i < call->operands.n && !r; i++) {
		r = o->allow
			    ? netprobe_manager_unallow(call->m, call->operands.items[i], &call->err)
			    : netprobe_manager_unban(call->m, call->operands.items[i], &call->err);
		if (r)
			error_prefix(&call->err, "%s", call->operands.items[i]);
	}
	return r;
}

int guard_cmd_unban(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard unban",
		.operands = "CIDR...",
		.summary = "Forget a ban, by detection too, or with --allow an allowance.",
		.tables = tables,
		.min_operands = 1,
	};
	struct unban_opts o = {};

	return guard_run_verb(&spec, argc, argv, &o, &o.help, unban);
}
