/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard attach, detach, status, confirm, off, on`. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/guard.h"
#include "cli/words.h"
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

/* How guard is on it now: the caller may have asked for "auto". */
static int tell_attached(const struct netprobe_interface *i, void *arg)
{
	static const char *const xdp[] = { "no", "native", "generic" };

	if (strcmp(i->name, arg) != 0)
		return 0;
	log_notice("%s: mode %s, %s XDP", i->name, mode_names[i->mode % 3], xdp[i->xdp % 3]);
	return 1;
}

static int attach(struct guard_call *call)
{
	const char *ifname = call->operands.items[0];
	const struct attach_opts *o = call->opts;
	char words[CLI_WORDS];
	struct netprobe_config c;
	int r;

	guard_config(&c);
	c.mode = (uint32_t)o->mode;
	c.xdp_mode = (uint32_t)o->xdp;
	c.count_flows = (uint32_t)o->flows;
	c.use_clsact = o->clsact;
	c.no_syn_cookies = o->no_cookies;
	r = guard_configure(call, &c);
	if (!r)
		r = netprobe_manager_attach(call->m, ifname, &call->err);
	if (r)
		return r;
	if (call->err.msg[0])
		log_notice("%s: %s", ifname, cli_words(call->err.msg, words));
	if (call->err.hint[0])
		log_warn("%s: %s", ifname, cli_words(call->err.hint, words));
	(void)netprobe_manager_interfaces(call->m, tell_attached, (void *)ifname, NULL);
	return EXIT_OK;
}

static const struct args_spec attach_spec = {
	.prog = "netprobe guard attach",
	.operands = "IF",
	.summary = "Put guard on an interface. It stays after the command ends, until `detach`.",
	.tables = attach_tables,
	.min_operands = 1,
	.max_operands = 1,
};

static void attach_defaults(void *opts)
{
	*(struct attach_opts *)opts = (struct attach_opts){ .mode = NETPROBE_MODE_FILTER };
}

const struct guard_row guard_verb_attach = {
	.spec = &attach_spec,
	.size = sizeof(struct attach_opts),
	.defaults = attach_defaults,
	.work = attach,
};

static int detach(struct guard_call *call)
{
	return netprobe_manager_detach(call->m, call->operands.items[0], &call->err);
}

static const struct args_spec detach_spec = {
	.prog = "netprobe guard detach",
	.operands = "IF",
	.summary = "Take guard off an interface. With the last one go lists, counters and pins.",
	.tables = plain_tables,
	.min_operands = 1,
	.max_operands = 1,
};

const struct guard_row guard_verb_detach = {
	.spec = &detach_spec,
	.size = sizeof(struct attach_opts),
	.work = detach,
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ .name = "iface", .title = "INTERFACE" },
	{ .name = "ifindex" },
	{ .name = "guard", .title = "MODE" },
	{ .name = "xdp", .title = "XDP", .rank = 3 },
	{ .name = "tc", .title = "TC", .rank = 4 },
	{ .name = "program_id", .title = "PROGRAM", .right = true, .rank = 6 },
	{ .name = "state", .title = "STATE", .rank = 1 },
	{ .name = "rx_pkts", .title = "RX", .right = true, .rank = 2 },
	{ .name = "tx_pkts", .title = "TX", .right = true, .rank = 5 },
	{ .name = "dropped_pkts", .title = "DROPPED", .right = true, .rank = 1 },
};

static int add_if(const struct netprobe_interface *i, void *arg)
{
	static const char *const xdp[] = { "none", "native", "generic" };
	static const char *const tc[] = { "none", "tcx", "clsact" };
	static const char *const states[] = { "on", "gone", "lost", "not delivering", "moved" };
	struct cell c[sizeof(columns) / sizeof(columns[0])];
	struct guard_rows *x = arg;
	unsigned int n;

	if (i->state == NETPROBE_STATE_GONE)
		log_warn(
			"%s is gone: `netprobe guard detach %s`, or attach it again when it is back",
			i->name, i->name);
	else if (i->state == NETPROBE_STATE_MOVED)
		log_warn("%s is in another network namespace, where guard goes on with this "
			 "list: attach it there, or `netprobe guard detach %s` here",
			 i->name, i->name);
	else if (i->state == NETPROBE_STATE_LOST)
		log_warn("%s: guard's XDP program is off: somebody took it, or a `detach` was "
			 "killed; attach it again, or detach it",
			 i->name);
	else if (i->state == NETPROBE_STATE_NOT_DELIVERING)
		log_warn("%s: what guard sends (SYN cookies, what is balanced) is lost at the "
			 "driver: `netprobe guard attach %s --xdp generic` works with any",
			 i->name, i->name);
	n = row_cells(c, &x->stamp);
	c[n++] = cell_str(i->name);
	c[n++] = cell_u64(i->ifindex);
	c[n++] = cell_str(mode_names[i->mode % 3]);
	c[n++] = cell_str(xdp[i->xdp % 3]);
	c[n++] = cell_str(tc[i->tc % 3]);
	c[n++] = cell_u64_or_null(i->program_id);
	c[n++] = cell_str(states[i->state % 5]);
	c[n++] = cell_u64(i->rx->packets);
	c[n++] = cell_u64(i->tx->packets);
	c[n++] = cell_u64(i->rx->dropped);
	return table_add(x->t, c);
}

static void tell_cookies(struct buf *out, const struct netprobe_security_stats *s)
{
	buf_puts(out, "SYN cookies: ");
	if (s->syn_cookies == NETPROBE_COOKIES_NO_FILTER)
		buf_puts(out, "none, guard only counts here (attach IF --mode filter)\n");
	else if (s->syn_cookies == NETPROBE_COOKIES_NO_KERNEL || s->tcp_syncookies < 0)
		buf_printf(out, "none, this kernel has %s\n",
			   s->tcp_syncookies < 0 ? "no net.ipv4.tcp_syncookies (CONFIG_SYN_COOKIES)"
						 : "no helpers for them at XDP (since 6.0)");
	else if (s->syn_cookies == NETPROBE_COOKIES_LEFT_OUT)
		buf_puts(out, "none, attached without them, or the kernel refused the program\n");
	else
		buf_printf(out, "%u services protected; net.ipv4.tcp_syncookies is %d%s\n",
			   s->syn_cookie_services, s->tcp_syncookies,
			   s->tcp_syncookies == 0
				   ? ": the kernel takes none (syncookie add --sysctl sets it)"
			   : s->tcp_syncookies == 1 ? ": only while a listener's queue is full"
						    : "");
	if (s->syn_cookie_services && s->tracked)
		buf_printf(out,
			   "connections are tracked here: those that come by a cookie %s; "
			   "docs/guard.md tells the rules that let them pass\n",
			   s->tracked == NETPROBE_TRACKED_STRICT
				   ? "are invalid there (nf_conntrack_tcp_loose is 0)"
				   : "begin there with an acknowledgement");
}

static void tell_state(struct buf *out, const struct netprobe_security_stats *s, int format,
		       const struct row_stamp *stamp)
{
	static const char *const detect[] = { "off", "dry_run", "alert", "ban" };
	static const char *const words[] = { "off", "dry run", "alert", "ban" };
	static const char *const tracked[] = { "no", "yes", "strict" };
	static const char *const cookies[] = { "no_filter", "no_kernel", "left_out", "ready" };

	if (format == FORMAT_JSON) {
		row_begin_json(out, stamp);
		json_kv_bool(out, "off", s->off);
		json_kv_u64(out, "bans", s->bans);
		json_kv_u64(out, "allows", s->allows);
		json_kv_u64(out, "bans_max", s->bans_max);
		json_kv_u64_or_null(out, "confirm_s", s->confirm_s);
		json_kv_str(out, "detect", detect[s->detection % 4]);
		json_kv_u64(out, "kernel_memory_kib", s->memory_kib);
		json_kv_str(out, "syn_cookies_can", cookies[s->syn_cookies % 4]);
		if (s->tcp_syncookies < 0)
			json_kv_null(out, "tcp_syncookies");
		else
			json_kv_u64(out, "tcp_syncookies", (uint64_t)s->tcp_syncookies);
		json_kv_u64(out, "syn_cookie_services", s->syn_cookie_services);
		json_kv_str(out, "connections_tracked", tracked[s->tracked % 3]);
		buf_puts(out, "}\n");
		return;
	}
	if (s->off)
		buf_puts(out, "guard is OFF: everything passes (netprobe guard on)\n");
	if (s->confirm_s)
		buf_printf(out, "a change is undone in %u s unless: netprobe guard confirm\n",
			   s->confirm_s);
	buf_printf(out, "%u bans of %u, %u allowed, detection %s, %u MiB of kernel memory\n",
		   s->bans, s->bans_max, s->allows, words[s->detection % 4], s->memory_kib / 1024);
	tell_cookies(out, s);
	if (s->entries > s->bans_max / 10 * 9)
		buf_puts(out,
			 "the ban list is nearly full: beyond the maximum, new bans are refused\n");
}

static int status(struct guard_call *call)
{
	struct guard_rows x = { .t = table_new(columns, sizeof(columns) / sizeof(columns[0])) };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	const struct attach_opts *o = call->opts;
	struct buf out = {};
	int r;

	row_stamp_take(&x.stamp, NULL);
	r = x.t ? netprobe_manager_interfaces(call->m, add_if, &x, &call->err) : -ENOMEM;

	if (r > 0)
		r = netprobe_manager_get_security_stats(call->m, &s, &call->err);
	if (r == -ENOENT) {
		log_notice("%s", call->err.msg);
		r = EXIT_OK;
	} else if (r >= 0) {
		table_nothing(x.t, "guard is on no interface");
		(void)guard_put_table(x.t, &out, o->format);
		tell_state(&out, &s, o->format, &x.stamp);
		r = guard_print(&out);
	}
	buf_done(&out);
	table_free(x.t);
	return r;
}

static const struct args_spec status_spec = {
	.prog = "netprobe guard status",
	.summary = "Where guard is, how it is attached, and what waits to be confirmed.",
	.tables = status_tables,
};

const struct guard_row guard_verb_status = {
	.spec = &status_spec,
	.size = sizeof(struct attach_opts),
	.work = status,
};

static int confirm(struct guard_call *call)
{
	return netprobe_manager_confirm(call->m, &call->err);
}

static int switch_off(struct guard_call *call)
{
	int r = netprobe_manager_set_filtering(call->m, false, &call->err);

	if (!r)
		log_notice("everything passes now; `netprobe guard on` filters again");
	return r;
}

static int switch_on(struct guard_call *call)
{
	int r = netprobe_manager_set_filtering(call->m, true, &call->err);

	if (!r)
		guard_tell_effect(call);
	return r;
}

static const struct args_spec confirm_spec = {
	.prog = "netprobe guard confirm",
	.summary = "Keep the change that was made with --confirm.",
	.tables = plain_tables,
};

const struct guard_row guard_verb_confirm = {
	.spec = &confirm_spec,
	.size = sizeof(struct attach_opts),
	.work = confirm,
};

static const struct args_spec off_spec = {
	.prog = "netprobe guard off",
	.summary = "Let everything pass, at once, on all interfaces of this network namespace.",
	.tables = plain_tables,
};

const struct guard_row guard_verb_off = {
	.spec = &off_spec,
	.size = sizeof(struct attach_opts),
	.work = switch_off,
};

static const struct args_spec on_spec = {
	.prog = "netprobe guard on",
	.summary = "Filter again after `guard off`.",
	.tables = plain_tables,
};

const struct guard_row guard_verb_on = {
	.spec = &on_spec,
	.size = sizeof(struct attach_opts),
	.work = switch_on,
};
