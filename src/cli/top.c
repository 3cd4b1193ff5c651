/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe top`: the live view on a terminal, plain tables elsewhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "engine/drops.h"
#include "cli/names.h"
#include "engine/session.h"
#include "out/table.h"
#include "tui/tui.h"

struct top {
	struct common_opts o; /* first: rows of options count from here */
	bool health;
	struct sink sink;
	struct session *session;
	struct tui *tui; /* NULL: tables */
	struct table *table;
	struct drop_watch *drops; /* while health is shown; NULL: they cannot be watched here */
	struct dropped *dropped;
	bool asked; /* for drops, once */
};

_Static_assert(offsetof(struct top, o) == 0, "common_parse() fills both");

static const char *const format_names[] = { "text", "json", "csv", "tsv", NULL };
static const char *const view_names[] = { "process", "connection", "container",
					  "remote",  "interface",  NULL };
static const char *const sort_names[] = { "tx",	 "rx",		"rate", "total", "conns",
					  "rtt", "retransmits", "name", "stall", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Top"),
	ROW("by", 0, OPTION_ENUM, view, NULL, "what a row is (default process)",
	    .names = view_names),
	ROW("sort", 0, OPTION_ENUM, sort, NULL, "order of the rows (default rate)",
	    .names = sort_names),
	OPTION("health", 0, OPTION_BOOL, struct top, health, NULL,
	       "causes of retransmits, stalls, drops and what limits each row"),
	ROW("match", 0, OPTION_STRING, match, "TEXT", "only rows that contain it"),
	ROW("limit", 0, OPTION_U32, limit, "ROWS", "most rows of a table (default all)"),
	ROW("idle", 0, OPTION_BOOL, idle, NULL, "rows without any traffic as well"),
	ROW("interval", 0, OPTION_SECONDS, interval, "SEC", "between two updates (default 1)",
	    .flags = OPTION_LIVE, .min = 50, .max = 3600000),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "end after this time", .min = 1),
	ROW("once", 0, OPTION_BOOL, once, NULL, "one plain table, then end"),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "so many plain tables, then end", .min = 1),
	ROW("format", 0, OPTION_ENUM, format, NULL, "of plain tables (default text)",
	    .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write tables there instead of stdout"),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL, "no colours (or set NO_COLOR)"),
	OPTIONS_END,
};

static const struct table_column columns[] = {
	{ "time", NULL, UNIT_NONE, false, 0 },
	{ "name", "NAME", UNIT_NONE, false, 60 },
	{ "rname", NULL, UNIT_NONE, false, 0 },
	{ "pid", "PID", UNIT_NONE, true, 0 },
	{ "comm", "COMM", UNIT_NONE, false, 16 },
	{ "container", NULL, UNIT_NONE, false, 0 },
	{ "cgroup", NULL, UNIT_NONE, false, 0 },
	{ "tx_rate", "TX/s", UNIT_RATE, true, 0 },
	{ "rx_rate", "RX/s", UNIT_RATE, true, 0 },
	{ "tx_bytes", "TX", UNIT_BYTES, true, 0 },
	{ "rx_bytes", "RX", UNIT_BYTES, true, 0 },
	{ "conns", "CONNS", UNIT_NONE, true, 0 },
	{ "rtt_us", "RTT", UNIT_USEC, true, 0 },
	{ "retransmits", "RETR", UNIT_NONE, true, 0 },
	{ "exited", NULL, UNIT_NONE, false, 0 },
	{ "sample_rate", NULL, UNIT_NONE, true, 0 },
	/* --health; why names verdicts the same */
	{ "retr_timeout", "TMO", UNIT_NONE, true, 0 },
	{ "retr_fast", "FAST", UNIT_NONE, true, 0 },
	{ "retr_tlp", "TLP", UNIT_NONE, true, 0 },
	{ "retr_synack", "SYNACK", UNIT_NONE, true, 0 },
	{ "retr_spurious", "SPUR", UNIT_NONE, true, 0 },
	{ "stall_ms", "STALL", UNIT_MSEC, true, 0 },
	{ "drops", "DROPS", UNIT_NONE, true, 0 },
	{ "verdict", "VERDICT", UNIT_NONE, false, 0 },
	/* of the row's process; waits null without --latency */
	{ "rtt_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "rtt_p99_us", NULL, UNIT_NONE, true, 0 },
	{ "connect_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "connect_p99_us", NULL, UNIT_NONE, true, 0 },
	{ "receive_wait_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "receive_wait_p99_us", "RXWAIT99", UNIT_USEC, true, 0 },
	{ "send_wait_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "send_wait_p99_us", "TXWAIT99", UNIT_USEC, true, 0 },
	{ "stall_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "stall_p99_us", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define N_PLAIN (N_COLUMNS - 8 - 2 * LATENCY_MAX) /* without --health */

/* Of text, where names have no column of their own. */
static const char *full_name(const struct view_row *row, bool text, char *buf, size_t size)
{
	if (!text || !row->rname)
		return row->name;
	(void)snprintf(buf, size, "%s (%s)", row->name, row->rname);
	return buf;
}

static struct cell cell_if(bool known, uint64_t n)
{
	return known ? cell_u64(n) : (struct cell){ .type = CELL_NULL };
}

/* seen: there is somebody who sees causes of retransmits and stalls; the lower rungs do not. */
static int add_row(struct table *t, const struct view_row *row, const char *time, bool text,
		   bool seen, uint32_t sample_rate)
{
	char name[256];
	const struct process *p = row->proc;
	const struct cgroup *cg = row->cgroup ? row->cgroup : p ? p->cgroup : NULL;
	bool known = p && p->tgid;
	struct cell c[N_COLUMNS] = {
		cell_str(time),
		cell_str(full_name(row, text, name, sizeof(name))),
		cell_str(row->rname),
		cell_u64_or_null(known ? p->tgid : 0),
		cell_str(known ? p->comm : NULL),
		cell_str(cg ? cg->container_id : NULL),
		cell_str(cg ? cg->path : NULL),
		{ .type = CELL_DOUBLE, .dbl = (double)row->tx_rate },
		{ .type = CELL_DOUBLE, .dbl = (double)row->rx_rate },
		cell_u64(row->tx_bytes),
		cell_u64(row->rx_bytes),
		cell_u64(row->conns),
		cell_u64_or_null(row->rtt_us),
		cell_u64(row->retrans),
		{ .type = CELL_BOOL, .b = row->exited },
		cell_u64_or_null(sample_rate > 1 ? sample_rate : 0),
		cell_if(seen, row->trouble.rtx[NP_RTX_TIMEOUT]),
		cell_if(seen, row->trouble.rtx[NP_RTX_FAST]),
		cell_if(seen, row->trouble.rtx[NP_RTX_TLP]),
		cell_if(seen, row->trouble.synack),
		cell_if(seen, row->trouble.spurious),
		seen ? cell_double((double)row->trouble.stall_ns / 1e6) : (struct cell){ 0 },
		row->has_drops ? cell_u64(row->drops) : (struct cell){ .type = CELL_NULL },
		cell_str(verdict_name(row->verdict)),
	};

	for (unsigned int i = 0; i < LATENCY_MAX; i++) {
		struct cell *at = c + N_COLUMNS - 2 * (LATENCY_MAX - i);
		const struct histogram *h = row->latency ? &row->latency->h[i] : NULL;

		at[0] = cell_u64_or_null(h ? histogram_quantile(h, 0.5) : 0);
		at[1] = cell_u64_or_null(h ? histogram_quantile(h, 0.99) : 0);
	}
	return table_add(t, c);
}

static int print_table(struct top *x)
{
	const struct view_query q = {
		.kind = (uint8_t)x->o.view,
		.sort = (uint8_t)x->o.sort,
		.match = x->o.match,
		.limit = x->o.limit,
		.idle = x->o.idle,
	};
	struct view view = {};
	struct buf out = {}, now = {};
	int format = x->o.format < 0 ? FORMAT_TEXT : x->o.format;
	int r = viewer_query(session_viewer(x->session), &q, &view);

	if (r)
		return r;
	buf_time_ns(&now, clock_wall_ns());
	buf_putc(&now, '\0');
	table_clear(x->table);
	for (size_t i = 0; i < view.n_rows && !r; i++)
		r = add_row(x->table, &view.rows[i], now.data, format == FORMAT_TEXT,
			    session_probe(x->session) != NULL, x->o.sample_rate);
	if (!r)
		r = table_write(x->table, &out, format, x->sink.color);
	if (!r && format == FORMAT_TEXT)
		buf_putc(&out, '\n');
	if (!r)
		r = sink_write(&x->sink, &out);
	view_done(&view);
	buf_done(&out);
	buf_done(&now);
	return r;
}

static void show_status(struct top *x)
{
	const struct probe *p = session_probe(x->session);
	const struct hook_status *hooks = p ? probe_hooks(p) : NULL;
	const char *note = session_note(x->session);
	struct session_losses l;
	struct tui_status st = {
		.uptime_s = session_uptime(x->session),
		.hook = p ? family_label(probe_family(p)) : NULL,
		.note = !x->o.enabled ? "paused; 'netprobe ctl set enabled=true' goes on"
			: note[0]     ? note
				      : NULL,
		.sample_rate = x->o.sample_rate,
		.interval_s = x->o.interval,
	};

	session_losses(x->session, &l);
	st.events_lost = l.ring_full + l.missed;
	st.map_full = l.map_full;
	st.lost_bytes = l.lost_bytes;
	st.flows_dropped = l.flows_dropped;
	st.helper_err = l.helper_err;
	for (unsigned int i = 0; i < NP_PROG_MAX && hooks; i++) {
		if (hooks[i].used >= 0)
			st.programs++;
		else
			st.programs_off++;
	}
	tui_status(x->tui, &st);
}

static void on_drops(const struct drop_total *t, void *arg)
{
	struct top *x = arg;

	if (!t->benign && !t->counter)
		(void)dropped_add(x->dropped, t->owner, t->netns, t->iface, t->packets);
}

/* From the first time that health is shown; where drops cannot be seen their column is empty. */
static void watch_drops(struct top *x)
{
	struct drop_watch_opts wo = { .filter = *session_filter(x->session) };
	struct netprobe_error err = {};

	if (x->asked || !session_probe(x->session))
		return;
	x->asked = true;
	x->dropped = dropped_new();
	if (!x->dropped || drop_watch_open(x->session, &wo, &x->drops, &err)) {
		log_info("no drops: %s", err.msg);
		return;
	}
	viewer_set_dropped(session_viewer(x->session), x->dropped);
}

static void take_drops(struct top *x)
{
	if (!x->drops)
		return;
	(void)drop_watch_poll(x->drops);
	dropped_clear(x->dropped);
	(void)drop_watch_totals(x->drops, on_drops, x);
}

static int on_tick(void *arg)
{
	struct top *x = arg;

	take_drops(x);
	if (!x->tui)
		return print_table(x);
	show_status(x);
	return tui_draw(x->tui);
}

/* What stands still is only swept while somebody looks: see tui_shows_health(). */
static int on_key(void *arg)
{
	struct top *x = arg;
	int r = tui_key(x->tui);

	session_set_full_sweeps(x->session, tui_shows_health(x->tui));
	if (tui_shows_health(x->tui))
		watch_drops(x);
	return r;
}

static int on_resize(void *arg)
{
	struct top *x = arg;

	return x->tui ? tui_resize(x->tui) : 0;
}

static void on_change(void *arg)
{
	struct top *x = arg;

	if (x->drops)
		drop_watch_set_filter(x->drops, session_filter(x->session));
}

static int finish(struct top *x, int r)
{
	bool live = x->tui != NULL;

	x->tui = tui_free(x->tui);
	log_hold(false);
	/* The reader or the terminal is gone: there is nobody to tell. */
	if (r == -EPIPE || (live && r == -EIO))
		return EXIT_OK;
	cli_tell_losses(x->session);
	if (!r)
		return EXIT_OK;
	log_err("cannot go on: %s", strerror(-r));
	return EXIT_INTERNAL;
}

/*
 * Verdicts are of the time between two looks, and a single table has but one interval: the first look
 * is now.
 */
static int watch_health(struct top *x)
{
	session_set_full_sweeps(x->session, true);
	watch_drops(x);
	viewer_watch_health(session_viewer(x->session), true);
	return session_tick(x->session);
}

static int go(struct top *x, struct netprobe_error *err)
{
	struct loop loop = {
		.session = x->session,
		.interval = x->o.interval,
		.duration = x->o.duration,
		.count = x->o.count,
		.on_tick = on_tick,
		.input_fd = -1,
		.opts = &x->o,
		.on_change = on_change,
		.on_resize = on_resize,
		.arg = x,
	};
	const char *no_color = getenv("NO_COLOR");
	int r;
	struct tui_opts to = {
		.interval_s = x->o.interval,
		.no_color = x->o.no_color || (no_color && *no_color),
		.kind = (uint8_t)x->o.view,
		.sort = (uint8_t)x->o.sort,
		.health = x->health,
		.match = x->o.match,
		.mode = session_mode(x->session),
		.host = session_host(x->session),
	};

	if (x->o.once)
		loop.count = 1;
	if (!x->o.once && !x->o.count && x->o.format < 0 && !x->o.output && x->sink.tty &&
	    isatty(STDIN_FILENO)) {
		x->tui = tui_new(&to, session_viewer(x->session), err);
		/* a line on the screen's terminal would tear it */
		log_hold(x->tui && isatty(STDERR_FILENO));
		if (!x->tui) {
			log_err("%s%s%s", err->msg, err->hint[0] ? ": " : "", err->hint);
			return err->code == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
		}
		session_set_full_sweeps(x->session, x->health);
		if (x->health)
			watch_drops(x);
		loop.input_fd = tui_fd(x->tui);
		loop.on_input = on_key;
		show_status(x);
		(void)tui_draw(x->tui);
	} else {
		x->table = table_new(columns, x->health ? N_COLUMNS : N_PLAIN);
		r = x->table ? 0 : -ENOMEM;
		if (!r && x->health)
			r = watch_health(x);
		if (r)
			return finish(x, r);
	}
	return finish(x, loop_run(&loop));
}

static int run(struct top *x)
{
	struct session_opts so = {};
	struct netprobe_error err = {};
	int r;

	if (filter_build(&x->o, &so.filter, &err) || names_build(&x->o, &so.names, &err) ||
	    sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	cli_session_opts(&x->o, &so);
	r = session_open(&so, &x->session, &err);
	if (r)
		return cli_session_failed(&err);
	return go(x, &err);
}

int cmd_top(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, names_rows,
							   common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe top",
		.summary = "Who sends and receives what, live. Press ? in the view for its keys.",
		.tables = tables,
	};
	struct top x = {};
	int r;

	common_defaults(&x.o);
	x.o.sort = SORT_RATE;
	r = common_parse(&spec, argc, argv, &x.o);
	if (r < 0)
		r = run(&x);
	(void)table_free(x.table);
	(void)drop_watch_close(x.drops);
	(void)session_close(x.session);
	(void)dropped_free(x.dropped);
	sink_close(&x.sink);
	common_done(&x.o);
	return r;
}
