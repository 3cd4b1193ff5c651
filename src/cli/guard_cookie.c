/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard syncookie`. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
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
	{ .name = "service", .title = "SERVICE" },
	{ .name = "mode", .title = "MODE" },
	{ .name = "rate", .title = "RATE", .right = true },
	{ .name = "state", .title = "STATE" },
	{ .name = "sent", .title = "SENT", .right = true },
	{ .name = "accepted", .title = "ACCEPTED", .right = true },
	{ .name = "refused", .title = "REFUSED", .right = true },
	{ .name = "passed", .title = "PASSED", .right = true },
	{ .name = "dry_run", .title = "DRY RUN", .right = true },
};

static int add_row(const struct np_guard_service *s, const struct np_guard_cookie *c, bool active,
		   void *arg)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)s->addr);
	char addr[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? s->addr + 12 : s->addr, addr, sizeof(addr));
	(void)snprintf(text, sizeof(text), v4 ? "%s:%u" : "[%s]:%u", addr, s->port);
	return table_add(arg, (struct cell[]){
				      { CELL_STR, .str = text },
				      { CELL_STR, .str = mode_names[c->mode & 1] },
				      { c->mode ? CELL_NULL : CELL_U64, .u64 = c->rate },
				      { CELL_STR, .str = !active      ? "waits"
							 : c->dry_run ? "dry run"
								      : "answers" },
				      { CELL_U64, .u64 = c->sent },
				      { CELL_U64, .u64 = c->accepted },
				      { CELL_U64, .u64 = c->refused },
				      { CELL_U64, .u64 = c->passed },
				      { CELL_U64, .u64 = c->dry },
			      });
}

static int list(struct guard *g, int format)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct buf out = {};
	int r = t ? guard_cookies(g, add_row, t) : -ENOMEM;

	if (!r)
		r = table_write(t, &out, format, false);
	if (r)
		log_err("cannot read the services: %s", strerror(-r));
	r = r ? EXIT_INTERNAL : guard_print(&out);
	buf_done(&out);
	table_free(t);
	return r;
}

static int change(struct guard *g, bool add, const struct cookie_opts *o, const char *text,
		  struct netprobe_error *err)
{
	struct guard_cookie_opts how = { .mode = (uint8_t)o->mode,
					 .dry_run = o->dry_run,
					 .sysctl = o->sysctl,
					 .rate = o->rate };
	struct np_guard_service *services = NULL;
	char note[256] = "";
	size_t n = 0;
	int r = guard_parse_service(text, &services, &n, err);

	if (!r && add)
		r = guard_cookie_add(g, services, n, &how, note, sizeof(note), err);
	else if (!r)
		r = guard_cookie_remove(g, services, n, err);
	if (!r && note[0])
		log_notice("%s", note);
	free(services);
	return r;
}

int guard_cmd_syncookie(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard syncookie",
		.operands = "add|remove SERVICE | list",
		.summary =
			"Answer SYNs to a server with cookies, before they cost it memory. SERVICE: "
			"ADDR:PORT, or PORT at every address this machine has now.",
		.tables = tables,
		.max_operands = 2,
	};
	struct cookie_opts o = { .rate = 1000 };
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard *g = NULL;
	const char *verb;
	bool add;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	verb = operands.n ? operands.items[0] : "list";
	add = !strcmp(verb, "add");
	if (!add && strcmp(verb, "remove") != 0 && strcmp(verb, "list") != 0)
		r = error_set(&err, -EINVAL,
			      "'%.40s' is nothing syncookie does; takes add, remove, list", verb);
	else if (!strcmp(verb, "list") ? operands.n > 1 : operands.n != 2)
		r = error_set(&err, -EINVAL, "%s takes %s", verb,
			      strcmp(verb, "list") != 0 ? "one service, like 192.0.2.1:443"
							: "no service");
	else
		r = guard_open(0, &g, &err);
	if (!r && strcmp(verb, "list") != 0)
		r = change(g, add, &o, operands.items[1], &err);
	r = r ? guard_failed(&err) : strcmp(verb, "list") != 0 ? EXIT_OK : list(g, o.format);
out:
	guard_close(g);
	args_list_done(&operands);
	return r;
}
