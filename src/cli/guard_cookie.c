/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard syncookie`. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/guard.h"
#include "cli/words.h"
#include "out/table.h"

struct cookie_opts {
	bool help, dry_run, sysctl;
	int mode, format;
	uint32_t rate;
};

static const char *const mode_names[] = { "auto", "always", NULL };
static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct cookie_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Of add"),
	ROW("mode", 0, OPTION_ENUM, mode, NULL,
	    "answer while more SYNs come than --rate, or always (default auto)",
	    .names = mode_names),
	ROW("rate", 0, OPTION_U32, rate, "N", "SYNs a second (default 1000)", .min = 1,
	    .max = 100000000),
	ROW("dry-run", 0, OPTION_BOOL, dry_run, NULL, "count what would be answered"),
	ROW("sysctl", 0, OPTION_BOOL, sysctl, NULL,
	    "set net.ipv4.tcp_syncookies to 2, and back when the last service goes"),
	OPTIONS_HEADING("Of list"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	OPTIONS_HEADING("Of all"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ .name = "service", .title = "SERVICE", .least = 18, .middle = true },
	{ .name = "when", .title = "MODE", .rank = 1 },
	{ .name = "syns_per_s", .title = "RATE", .right = true, .rank = 3 },
	{ .name = "state", .title = "STATE" },
	{ .name = "sent", .title = "SENT", .right = true, .rank = 2 },
	{ .name = "accepted", .title = "ACCEPTED", .right = true, .rank = 2 },
	{ .name = "refused", .title = "REFUSED", .right = true, .rank = 3 },
	{ .name = "passed", .title = "PASSED", .right = true, .rank = 4 },
	{ .name = "would_answer", .title = "DRY RUN", .right = true, .rank = 5 },
};

static int add_row(const struct netprobe_syncookies_stats *s, void *arg)
{
	bool always = s->mode == NETPROBE_COOKIE_ALWAYS;

	struct cell c[sizeof(columns) / sizeof(columns[0])];
	struct guard_rows *x = arg;
	unsigned int i = row_cells(c, &x->stamp);

	c[i++] = cell_str(s->service);
	c[i++] = cell_str(mode_names[always]);
	c[i++] = always ? (struct cell){ .type = CELL_NULL } : cell_u64(s->rate);
	c[i++] = cell_str(!s->active ? "waits" : s->dry_run ? "dry_run" : "answers");
	c[i++] = cell_u64(s->sent);
	c[i++] = cell_u64(s->accepted);
	c[i++] = cell_u64(s->refused);
	c[i++] = cell_u64(s->passed);
	c[i++] = cell_u64(s->dry);
	return table_add(x->t, c);
}

static int list(struct guard_call *call, int format)
{
	struct guard_rows x = { .t = table_new(columns, sizeof(columns) / sizeof(columns[0])) };
	struct buf out = {};
	int r;

	row_stamp_take(&x.stamp, NULL);
	r = x.t ? netprobe_manager_syncookies(call->m, add_row, &x, &call->err) : -ENOMEM;
	if (r >= 0) {
		table_nothing(x.t, "no service is protected");
		r = guard_put_table(x.t, &out, format);
	}
	if (!r)
		r = guard_print(&out);
	buf_done(&out);
	table_free(x.t);
	return r;
}

static int add(struct guard_call *call, const char *service)
{
	const struct cookie_opts *o = call->opts;
	struct netprobe_syncookies how = { .size = sizeof(how),
					   .mode = (uint32_t)o->mode,
					   .rate = o->rate,
					   .dry_run = o->dry_run,
					   .sysctl = o->sysctl };
	char words[CLI_WORDS];
	int r = netprobe_manager_syncookies_add(call->m, service, &how, &call->err);

	if (!r && call->err.msg[0])
		log_notice("%s", cli_words(call->err.msg, words));
	return r;
}

static int syncookie(struct guard_call *call)
{
	static const char *const verbs[] = { "add", "remove", "list", NULL };
	const struct args_list *l = &call->operands;
	const char *verb = l->n ? l->items[0] : "list";
	const struct cookie_opts *o = call->opts;
	bool lists = !strcmp(verb, "list"), adds = !strcmp(verb, "add");

	if (!lists && !adds && strcmp(verb, "remove") != 0)
		return args_unknown_word("syncookie verb", verb, verbs, sizeof(verbs[0]),
					 &call->err);
	if (lists ? l->n > 1 : l->n != 2)
		return error_set(&call->err, -EINVAL, "%s takes %s", verb,
				 lists ? "no service" : "one service, like 192.0.2.1:443");
	if (lists)
		return list(call, o->format);
	return adds ? add(call, l->items[1])
		    : netprobe_manager_syncookies_remove(call->m, l->items[1], &call->err);
}

static const struct option_row *const syncookie_tables[] = { rows, NULL };
static const struct args_spec syncookie_spec = {
	.prog = "netprobe guard syncookie",
	.operands = "add|remove SERVICE | list",
	.summary = "Answer SYNs to a server with cookies, before they cost it memory. SERVICE: "
		   "ADDR:PORT, or PORT at every address this machine has now.",
	.tables = syncookie_tables,
	.max_operands = 2,
};

static void syncookie_defaults(void *opts)
{
	*(struct cookie_opts *)opts = (struct cookie_opts){ .rate = 1000 };
}

const struct guard_row guard_verb_syncookie = {
	.spec = &syncookie_spec,
	.size = sizeof(struct cookie_opts),
	.defaults = syncookie_defaults,
	.work = syncookie,
};
