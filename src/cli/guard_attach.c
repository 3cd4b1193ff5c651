/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard attach, detach, status, confirm, off, on`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"
#include "out/table.h"

struct attach_opts {
	bool help, clsact, no_cookies;
	int mode, xdp, flows;
	int format;
};

static const char *const mode_names[] = { "monitor", "filter", "balance", NULL };
static const char *const xdp_names[] = { "auto", "native", "generic", NULL };
static const char *const flow_names[] = { "auto", "on", "off", NULL };
static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct attach_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row attach_rows[] = {
	OPTIONS_HEADING("How"),
	ROW("mode", 0, OPTION_ENUM, mode, NULL,
	    "only count; count and filter; filter and balance (default filter)",
	    .names = mode_names),
	ROW("xdp", 0, OPTION_ENUM, xdp, NULL,
	    "in the driver, or behind it (default: in the driver where it can)",
	    .names = xdp_names),
	ROW("flows", 0, OPTION_ENUM, flows, NULL, "count flows (default auto: in mode monitor)",
	    .names = flow_names),
	ROW("clsact", 0, OPTION_BOOL, clsact, NULL, "tc by a clsact qdisc, also where TCX is",
	    .flags = OPTION_HIDDEN),
	ROW("no-syn-cookies", 0, OPTION_BOOL, no_cookies, NULL,
	    "as where the kernel has no SYN cookies for XDP", .flags = OPTION_HIDDEN),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row plain_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row status_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row *const attach_tables[] = { attach_rows, NULL };
static const struct option_row *const plain_tables[] = { plain_rows, NULL };
static const struct option_row *const status_tables[] = { status_rows, NULL };

int guard_cmd_attach(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard attach",
		.operands = "IF",
		.summary =
			"Put guard on an interface. It stays after the command ends, until `detach`.",
		.tables = attach_tables,
		.min_operands = 1,
		.max_operands = 1,
	};
	struct attach_opts o = { .mode = NP_GUARD_FILTER };
	struct guard_attach_opts how;
	struct netprobe_error err = {};
	struct args_list operands = {};
	struct guard *g = NULL;
	char note[256];
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	how = (struct guard_attach_opts){ .mode = (uint8_t)o.mode,
					  .xdp = (uint8_t)o.xdp,
					  .clsact = o.clsact,
					  .no_cookies = o.no_cookies,
					  .flows = o.flows ? o.flows == 1
							   : o.mode == NP_GUARD_MONITOR };
	r = guard_open(GUARD_CREATE, &g, &err);
	if (!r)
		r = guard_attach(g, operands.items[0], &how, note, sizeof(note), &err);
	if (!r && o.mode == NP_GUARD_BALANCE)
		r = guard_lb_chain(g, operands.items[0], &err);
	if (r) {
		r = guard_failed(&err);
		goto out;
	}
	if (note[0])
		log_notice("%s: %s", operands.items[0], note);
	r = EXIT_OK;
out:
	guard_close(g);
	args_list_done(&operands);
	return r;
}

int guard_cmd_detach(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard detach",
		.operands = "IF",
		.summary =
			"Take guard off an interface. With the last one go lists, counters and pins.",
		.tables = plain_tables,
		.min_operands = 1,
		.max_operands = 1,
	};
	struct attach_opts o = {};
	struct netprobe_error err = {};
	struct args_list operands = {};
	struct guard *g = NULL;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r < 0) {
		r = guard_open(0, &g, &err);
		if (!r)
			r = guard_detach(g, operands.items[0], &err);
		r = r ? guard_failed(&err) : EXIT_OK;
	}
	g = guard_close(g);
	if (r == EXIT_OK)
		guard_lb_detached();
	args_list_done(&operands);
	return r;
}

static const struct table_column columns[] = {
	{ .name = "interface", .title = "INTERFACE" },
	{ .name = "ifindex" },
	{ .name = "mode", .title = "MODE" },
	{ .name = "xdp", .title = "XDP" },
	{ .name = "tc", .title = "TC" },
	{ .name = "program", .title = "PROGRAM", .right = true },
	{ .name = "state", .title = "STATE" },
	{ .name = "rx_packets", .title = "RX", .right = true },
	{ .name = "tx_packets", .title = "TX", .right = true },
	{ .name = "dropped", .title = "DROPPED", .right = true },
};

static void add_if(struct table *t, const struct guard_if *f)
{
	static const char *const xdp[] = { "none", "native", "generic" };
	static const char *const tc[] = { "none", "tcx", "clsact" };
	uint64_t drops = 0;

	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		drops += f->count.drops[i];
	(void)table_add(t, (struct cell[]){
				   { CELL_STR, .str = f->name },
				   { CELL_U64, .u64 = f->at.ifindex },
				   { CELL_STR, .str = mode_names[f->at.mode % 3] },
				   { CELL_STR, .str = xdp[f->at.xdp % 3] },
				   { CELL_STR, .str = tc[f->at.tc % 3] },
				   { f->at.xdp_id ? CELL_U64 : CELL_NULL, .u64 = f->at.xdp_id },
				   { CELL_STR, .str = f->gone	    ? "gone"
						      : f->lost_xdp ? "lost"
								    : "on" },
				   { CELL_U64, .u64 = f->count.rx.packets },
				   { CELL_U64, .u64 = f->count.tx.packets },
				   { CELL_U64, .u64 = drops },
			   });
}

static void tell_state(struct buf *out, const struct guard_state *s, int format)
{
	static const char *const detect[] = { "off", "dry-run", "alert", "ban" };

	if (format == FORMAT_JSON) {
		buf_putc(out, '{');
		json_kv_bool(out, "off", s->off);
		json_kv_u64(out, "bans", s->bans);
		json_kv_u64(out, "allows", s->allows);
		json_kv_u64(out, "bans_max", s->room);
		json_kv_u64_or_null(out, "confirm_seconds", s->confirm_s);
		json_kv_str(out, "detect", detect[s->policy.detect % 4]);
		json_kv_u64(out, "kernel_memory_kib", s->memory_kib);
		buf_puts(out, "}\n");
		return;
	}
	if (s->off)
		buf_puts(out, "guard is OFF: everything passes (netprobe guard on)\n");
	if (s->confirm_s)
		buf_printf(out, "a change is undone in %u s unless: netprobe guard confirm\n",
			   s->confirm_s);
	buf_printf(out, "%u bans of %u, %u allowed, detection %s, %u MiB of kernel memory\n",
		   s->bans, s->room, s->allows, detect[s->policy.detect % 4], s->memory_kib / 1024);
	if (s->bans > s->room / 10 * 9)
		buf_puts(out,
			 "the ban list is nearly full: beyond the maximum, new bans are refused\n");
}

static int print_status(struct guard *g, int format)
{
	struct guard_if *ifs = NULL;
	struct guard_state state;
	struct buf out = {};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int r, n = t ? guard_ifs(g, &ifs) : -ENOMEM;

	if (n < 0) {
		table_free(t);
		log_err("cannot read the interfaces: %s", strerror(-n));
		return EXIT_INTERNAL;
	}
	for (int i = 0; i < n; i++)
		add_if(t, &ifs[i]);
	guard_state(g, &state);
	(void)table_write(t, &out, format, false);
	tell_state(&out, &state, format);
	r = guard_print(&out);
	for (int i = 0; i < n; i++) {
		if (ifs[i].gone)
			log_warn(
				"%s is gone: `netprobe guard detach %s`, or attach it again when it is back",
				ifs[i].name, ifs[i].name);
		else if (ifs[i].lost_xdp)
			log_warn("%s: somebody took guard's XDP program off; attach it again",
				 ifs[i].name);
	}
	buf_done(&out);
	table_free(t);
	free(ifs);
	return r;
}

int guard_cmd_status(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard status",
		.summary = "Where guard is, how it is attached, and what waits to be confirmed.",
		.tables = status_tables,
	};
	struct attach_opts o = {};
	struct netprobe_error err = {};
	struct args_list operands = {};
	struct guard *g = NULL;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r < 0) {
		r = guard_open(0, &g, &err);
		if (r == -ENOENT) {
			log_notice("%s", err.msg);
			r = EXIT_OK;
		} else {
			r = r ? guard_failed(&err) : print_status(g, o.format);
		}
	}
	guard_close(g);
	args_list_done(&operands);
	return r;
}

#define DO_CONFIRM 0
#define DO_OFF 1
#define DO_ON 2

static int plain(const struct args_spec *spec, int argc, char **argv, int what)
{
	struct attach_opts o = {};
	struct netprobe_error err = {};
	struct args_list operands = {};
	struct guard *g = NULL;
	int r = guard_parse(spec, argc, argv, &o, &o.help, &operands);

	if (r < 0) {
		r = guard_open(0, &g, &err);
		if (!r && what == DO_CONFIRM)
			r = guard_confirm(g, &err);
		else if (!r)
			guard_switch(g, what == DO_ON);
		r = r ? guard_failed(&err) : EXIT_OK;
	}
	guard_close(g);
	args_list_done(&operands);
	return r;
}

int guard_cmd_confirm(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard confirm",
		.summary = "Keep the change that was made with --confirm.",
		.tables = plain_tables,
	};

	return plain(&spec, argc, argv, DO_CONFIRM);
}

int guard_cmd_off(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard off",
		.summary =
			"Let everything pass, at once, on all interfaces of this network namespace.",
		.tables = plain_tables,
	};

	return plain(&spec, argc, argv, DO_OFF);
}

int guard_cmd_on(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard on",
		.summary = "Filter again after `guard off`.",
		.tables = plain_tables,
	};

	return plain(&spec, argc, argv, DO_ON);
}
