/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe top`: the live view on a terminal, plain tables elsewhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/netns.h"
#include "cli/hand.h"
#include "cli/names.h"
#include "cli/row.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "out/table.h"
#include "tui/tui.h"

struct top {
	struct common_opts o; /* first: rows of options count from here */
	bool health;
	struct sink sink;
	struct netprobe_manager *manager;
	struct tui *tui; /* NULL: tables */
	struct table *table;
	struct table_column *columns; /* of the table */
	struct row_stamp stamp;	      /* when the rows of the table were asked for */
	int err;
	bool unwritten;
	struct netprobe_capture capture; /* its host and mode */
	int hand;			 /* does what the user asks for; -1: none */
	bool untaken; /* settings are there that could not be taken: they stay as they are */
	bool seen;    /* causes of retransmits and stalls; the lower rungs do not see them */
};

_Static_assert(offsetof(struct top, o) == 0, "common_parse() fills both");

static uint32_t kind_of(const struct top *x)
{
	return x->o.view < 0 ? NETPROBE_VIEW_PROCESS : (uint32_t)x->o.view;
}

static uint32_t sort_of(const struct top *x)
{
	return x->o.sort < 0 ? NETPROBE_SORT_RATE : (uint32_t)x->o.sort;
}

static const char *const format_names[] = { "text", "json", "csv", "tsv", NULL };
/* By NETPROBE_VIEW_*. */
static const char *const view_names[] = { "process",   "connection", "container", "remote",
					  "interface", "program",    "user",	  "unit",
					  "pod",       "namespace",  "listen",	  "image",
					  NULL };
static const char *const sort_names[] = { "tx",	 "rx",		"rate", "total", "connections",
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
	ROW("match", 0, OPTION_STRING, match, "EXPR",
	    "only rows that match: 'port:443 rtt>50ms', nginx; see netprobe-expressions(5)"),
	ROW("limit", 0, OPTION_U32, limit, "ROWS", "show at most ROWS rows (default all)"),
	ROW("idle", 0, OPTION_BOOL, idle, NULL, "also rows without any traffic"),
	ROW("interval", 0, OPTION_SECONDS, interval, "SEC", "time between two updates (default 1)",
	    .flags = OPTION_LIVE, .min = 50, .max = 3600000),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "exit after this time", .min = 1),
	ROW("once", 0, OPTION_BOOL, once, NULL, "print one plain table, then exit"),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "print COUNT plain tables, then exit", .min = 1),
	ROW("format", 0, OPTION_ENUM, format, NULL, "of plain tables (default text)",
	    .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write tables there instead of stdout"),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL, "no colours (or set NO_COLOR)"),
	OPTIONS_END,
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ "group", "NAME", UNIT_NONE, false, 0, 10, true },
	{ "rname", NULL, UNIT_NONE, false, 0 },
	{ "pid", "PID", UNIT_NONE, true, 4 },
	{ "comm", "COMM", UNIT_NONE, false, 4, 8 },
	CONTAINER_COLUMNS,
	{ "cgroup", NULL, UNIT_NONE, false, 0 },
	{ "tx_bytes_per_s", "TX/s", UNIT_RATE, true, 1 },
	{ "rx_bytes_per_s", "RX/s", UNIT_RATE, true, 1 },
	{ "tx_bytes", "TX", UNIT_BYTES, true, 6 },
	{ "rx_bytes", "RX", UNIT_BYTES, true, 6 },
	{ "connections", "CONNS", UNIT_NONE, true, 7 },
	{ "srtt_us", "RTT", UNIT_USEC, true, 5 },
	{ "retransmits", "RETR", UNIT_NONE, true, 4 },
	{ "exited", NULL, UNIT_NONE, false, 0 },
	{ "sample_rate", NULL, UNIT_NONE, true, 0 },
	{ "netns", NULL, UNIT_NONE, true, 0 }, /* of interfaces */
	{ "what", NULL, UNIT_NONE, false,
	  0 }, /* of interfaces: "unowned", "forwarded"; sockets' null */
	LINK_COLUMNS,
	/* text has them with --health; why names verdicts the same */
	{ "retransmits_timeout", "TMO", UNIT_NONE, true, 9 },
	{ "retransmits_fast", "FAST", UNIT_NONE, true, 9 },
	{ "retransmits_tail_loss_probe", "TLP", UNIT_NONE, true, 9 },
	{ "retransmits_synack", "SYNACK", UNIT_NONE, true, 9 },
	{ "retransmits_spurious", "SPUR", UNIT_NONE, true, 9 },
	{ "stall_ms", "STALL", UNIT_MSEC, true, 3 },
	{ "drops", "DROPS", UNIT_NONE, true, 3 },
	{ "verdict", "VERDICT", UNIT_NONE, false, 2 },
	/* of the row's process; null in a slot without an end, waits without --latency */
	{ "rtt_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "rtt_p99_us", NULL, UNIT_NONE, true, 0 },
	{ "connect_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "connect_p99_us", NULL, UNIT_NONE, true, 0 },
	{ "receive_wait_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "receive_wait_p99_us", "RXWAIT99", UNIT_USEC, true, 8 },
	{ "send_wait_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "send_wait_p99_us", "TXWAIT99", UNIT_USEC, true, 8 },
	{ "stall_p50_us", NULL, UNIT_NONE, true, 0 },
	{ "stall_p99_us", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define N_PLAIN (N_COLUMNS - 8 - 2 * NETPROBE_LATENCY_MAX) /* of text without --health */

/* What the view cuts at its front, for programs: "...6db8f.scope" is "/kubepods.slice/...6db8f.scope". */
static const char *whole_name(const struct netprobe_row *row)
{
	size_t n = strlen(row->group), all = row->cgroup ? strlen(row->cgroup) : 0;

	if (row->netns && !strcmp(row->group, "?"))
		return NULL; /* an interface that is not known */
	return !row->pid && all > n && !strcmp(row->cgroup + all - n, row->group) ? row->cgroup
										  : row->group;
}

/* Of text, where names have no column of their own. */
static const char *full_name(const struct netprobe_row *row, bool text, char *buf, size_t size)
{
	const char *where = text && !*row->rname && row->netns ? netns_name(row->netns) : "";

	if (text && *row->rname)
		(void)snprintf(buf, size, "%s (%s)", row->group, row->rname);
	else if (*where)
		(void)snprintf(buf, size, "%s (netns %s)", row->group, where);
	else if (text && row->netns) /* each has its lo */
		(void)snprintf(buf, size, "%s (netns %u)", row->group, row->netns);
	else
		return text ? row->group : whole_name(row);
	return buf;
}

static bool is_text(const struct top *x)
{
	return x->o.format < 0 || x->o.format == FORMAT_TEXT;
}

static void latency_cells(struct cell *c, const struct netprobe_latency *l)
{
	for (unsigned int i = 0; i < NETPROBE_LATENCY_MAX; i++) {
		const uint64_t *slots = l ? l->counts[i] : NULL;

		*c++ = row_latency_cell(netprobe_latency_quantile(slots, 0.5));
		*c++ = row_latency_cell(netprobe_latency_quantile(slots, 0.99));
	}
}

static struct cell cell_if(bool known, uint64_t n)
{
	return known ? cell_u64(n) : (struct cell){ .type = CELL_NULL };
}

static struct cell cell_rate(double rate)
{
	return rate < 0 ? (struct cell){ .type = CELL_NULL }
			: (struct cell){ .type = CELL_DOUBLE, .dbl = rate };
}

static unsigned int health_cells(struct cell *c, const struct top *x,
				 const struct netprobe_row *row)
{
	unsigned int i = 0;

	c[i++] = cell_if(x->seen, row->retransmits_timeout);
	c[i++] = cell_if(x->seen, row->retransmits_fast);
	c[i++] = cell_if(x->seen, row->retransmits_tail_loss_probe);
	c[i++] = cell_if(x->seen, row->retransmits_synack);
	c[i++] = cell_if(x->seen, row->retransmits_spurious);
	c[i++] = x->seen ? cell_double((double)row->stall_ns / 1e6) : (struct cell){ 0 };
	c[i++] = cell_if(row->has_drops, row->drops);
	c[i++] = cell_str(netprobe_verdict_name(row->verdict));
	return i;
}

static int add_row(const struct netprobe_row *row, void *arg)
{
	struct top *x = arg;
	char name[256];
	struct cell c[N_COLUMNS];
	unsigned int i = row_cells(c, &x->stamp);

	c[i++] = cell_str(full_name(row, is_text(x), name, sizeof(name)));
	c[i++] = cell_str(row->rname);
	c[i++] = cell_u64_or_null(row->pid);
	c[i++] = cell_str(row->comm);
	i += row_container_cells(c + i, &row->container);
	c[i++] = cell_str(row->cgroup);
	c[i++] = cell_rate(row->tx_bytes_per_s);
	c[i++] = cell_rate(row->rx_bytes_per_s);
	c[i++] = cell_if(row->tx_bytes != NETPROBE_UNKNOWN, row->tx_bytes);
	c[i++] = cell_if(row->rx_bytes != NETPROBE_UNKNOWN, row->rx_bytes);
	c[i++] = cell_u64(row->connections);
	c[i++] = cell_u64_or_null(row->srtt_us);
	c[i++] = cell_u64(row->retransmits);
	c[i++] = cell_bool(row->exited);
	c[i++] = cell_u64(x->o.sample_rate > 1 ? x->o.sample_rate : 1);
	c[i++] = cell_u64_or_null(row->netns);
	c[i++] = cell_str(row->what);
	i += row_link_cells(c + i, row->link);
	i += health_cells(c + i, x, row);
	latency_cells(c + i, row->latency);
	x->err = table_add(x->table, c);
	return x->err;
}

/* Of tables that come again. */
static void put_time(struct buf *out, time_t now)
{
	struct tm tm = {};
	char text[32] = "";

	if (localtime_r(&now, &tm))
		(void)strftime(text, sizeof(text), "%F %T\n", &tm);
	buf_puts(out, text);
}

static int print_table(struct top *x)
{
	const struct netprobe_view_query q = {
		.size = sizeof(q),
		.kind = kind_of(x),
		.sort = sort_of(x),
		.match = x->o.match,
		.limit = x->o.limit,
		.idle = x->o.idle,
	};
	struct netprobe_view v = { .size = sizeof(v) };
	struct buf out = {};
	int r;

	row_stamp_take(&x->stamp, x->manager);
	table_clear(x->table);
	table_fit(x->table, sink_columns(x->sink.fd));
	r = netprobe_manager_view(x->manager, &q, add_row, x, &v, NULL);
	expr_tell(v.undecided, "rows");
	r = x->err ? x->err : r < 0 ? r : 0;
	if (!r && is_text(x) && !x->sink.once)
		put_time(&out, time(NULL));
	if (!r)
		/* a file that goes on has its heading */
		r = (sink_heading(&x->sink) ? table_write : table_write_on)(
			x->table, &out, is_text(x) ? FORMAT_TEXT : x->o.format, x->sink.color);
	if (!r && is_text(x))
		buf_putc(&out, '\n');
	if (!r) {
		r = sink_put(&x->sink, &out, NULL);
		x->unwritten = r != 0;
	}
	buf_done(&out);
	return r;
}

static int add_loss(const struct netprobe_loss *l, void *arg)
{
	struct tui_status *st = arg;

	st->lost_bytes += l->lost_tx_bytes + l->lost_rx_bytes;
	if (l->lost + l->helper_errors && st->n_losses < TUI_LOSSES) {
		st->losses[st->n_losses].program = l->program;
		st->losses[st->n_losses++].n = l->lost + l->helper_errors;
	}
	return 0;
}

static void show_status(struct top *x)
{
	struct netprobe_capture now = { .size = sizeof(now) };
	struct tui_status st = {
		.sample_rate = x->o.sample_rate,
		.interval_s = x->o.interval,
	};

	if (netprobe_manager_get_capture(x->manager, &now, NULL) ||
	    netprobe_manager_losses(x->manager, add_loss, &st, NULL) < 0)
		return;
	st.uptime_s = now.uptime_s;
	st.hook = now.family[0] ? now.family : NULL;
	st.note = !x->o.enabled ? "paused; 'netprobe ctl set enabled=true' goes on"
		  : now.note[0] ? now.note
				: NULL;
	st.programs = now.programs;
	st.programs_off = now.programs_off;
	tui_status(x->tui, &st);
}

static int on_tick(void *arg)
{
	struct top *x = arg;

	if (!x->tui)
		return print_table(x);
	show_status(x);
	return tui_draw(x->tui);
}

static int on_key(void *arg)
{
	struct top *x = arg;

	return tui_key(x->tui);
}

static int on_resize(void *arg)
{
	struct top *x = arg;

	return x->tui ? tui_resize(x->tui) : 0;
}

static int on_stop(void *arg, bool over)
{
	struct top *x = arg;

	return over ? tui_retake(x->tui) : tui_stop(x->tui);
}

static int finish(struct top *x, int r)
{
	bool live = x->tui != NULL;

	x->tui = tui_free(x->tui);
	log_hold(false);
	/* The reader or the terminal is gone: there is nobody to tell. */
	if (r == -EPIPE || (live && r == -EIO))
		return EXIT_OK;
	cli_tell_losses(x->manager);
	sink_rests(&x->sink);
	x->manager =
		netprobe_manager_free(x->manager); /* nothing runs while a reader is waited for */
	if (!r) {
		r = sink_finish(&x->sink);
		x->unwritten = r != 0;
	}
	if (!r || r == -EPIPE)
		return EXIT_OK;
	if (x->unwritten)
		return stream_failed("tables", x->o.output, r);
	log_err("cannot go on: %s", strerror(-r));
	return EXIT_INTERNAL;
}

/*
 * Verdicts are of the time between two looks, and a single table has but one interval: the first look
 * is now.
 */
static int watch_health(struct top *x)
{
	int r = netprobe_manager_watch_health(x->manager, true, NULL);

	if (!r)
		r = netprobe_manager_tick(x->manager);
	return r < 0 ? r : 0;
}

/* Where the name is the process's, a second column with it is the first that a narrow terminal goes without. */
static struct table_column *own_columns(const struct top *x)
{
	struct table_column *own = calloc(N_COLUMNS, sizeof(*own));

	if (!own)
		return NULL;
	memcpy(own, columns, sizeof(columns));
	for (size_t i = 0; i < N_COLUMNS; i++) {
		const char *name = own[i].name;
		bool link = !strncmp(name, "link.", 5), owner = !strcmp(name, "pid");

		if (kind_of(x) == NETPROBE_VIEW_PROCESS && !strcmp(name, "comm"))
			own[i].rank = UINT8_MAX;
		/* columns of a kind of row stand where there are such rows */
		owner |= !strcmp(name, "comm");
		if (kind_of(x) == NETPROBE_VIEW_INTERFACE ? owner : link)
			own[i].title = NULL;
	}
	return own;
}

static bool is_live(const struct top *x)
{
	return !x->o.once && !x->o.count && x->o.format < 0 && !x->o.output &&
	       isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
}

static int on_act(const struct tui_act *act, void *arg)
{
	struct top *x = arg;

	if (act->what == TUI_ACT_KEEP && x->untaken)
		return -EEXIST;
	return hand_ask(x->hand, act);
}

/* "": none, or none that can be taken, which is told behind the view. */
static void settings_of(struct top *x, char *text, size_t size)
{
	char err[128];
	int r = hand_settings(x->hand, text, size);
	bool wrong = !r && tui_settings_check(text, err, sizeof(err));

	x->untaken = wrong || (r && r != -EOPNOTSUPP);
	if (r == -EPERM)
		log_warn(
			"settings of the view are not read: their file, or its folder, is not yours");
	else if (wrong)
		log_warn("netprobe/top.yaml: %s; the rest holds", err);
}

/* The view on a terminal has sums of all traffic above its rows, and another expression with the next key. */
static int leave_out(const struct top *x, const struct common_opts *o, struct settings *s)
{
	struct netprobe_expr *match = NULL;
	struct netprobe_error err;
	int r;

	if (is_live(x) || expr_take(x->o.match, kind_of(x), &match, &err))
		return 0;
	r = settings_match(s, o, match);
	(void)netprobe_expr_free(match);
	return r;
}

static int on_settings(struct settings *s, const struct common_opts *next, void *arg)
{
	return leave_out(arg, next, s);
}

static int go(struct top *x, struct netprobe_error *err)
{
	struct loop loop = {
		.manager = x->manager,
		.interval = x->o.interval,
		.duration = x->o.duration,
		.count = x->o.count,
		.on_tick = on_tick,
		.input_fd = -1,
		.opts = &x->o,
		.sink = &x->sink,
		.on_resize = on_resize,
		.on_settings = on_settings,
		.arg = x,
	};
	const char *no_color = getenv("NO_COLOR");
	struct netprobe_capture now = { .size = sizeof(now) };
	char settings[TUI_TEXT_MAX] = "";
	int r;
	struct tui_opts to = {
		.interval_s = x->o.interval,
		.no_color = x->o.no_color || (no_color && *no_color),
		.kind = (uint8_t)kind_of(x),
		.sort = (uint8_t)sort_of(x),
		.health = x->health,
		.idle = x->o.idle,
		.limit = x->o.limit,
		.match = x->o.match,
		.mode = now.mode,
		.host = now.host,
		.kind_given = x->o.view >= 0,
		.sort_given = x->o.sort >= 0,
		.settings = settings,
		.act = on_act,
		.act_arg = x,
	};

	(void)netprobe_manager_get_capture(x->manager, &now, NULL);
	x->capture = now;
	x->seen = now.capture == NETPROBE_CAPTURE_EBPF;
	if (x->o.once)
		loop.count = 1;
	if (is_live(x)) {
		settings_of(x, settings, sizeof(settings));
		x->tui = tui_new(&to, x->manager, err);
		/* a line on the screen's terminal would tear it */
		log_hold(x->tui && isatty(STDERR_FILENO));
		if (!x->tui) {
			log_err("%s%s%s", err->msg, err->hint[0] ? ": " : "", err->hint);
			return err->code == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
		}
		loop.input_fd = tui_fd(x->tui);
		loop.on_input = on_key;
		loop.on_stop = on_stop;
		show_status(x);
		(void)tui_draw(x->tui);
	} else {
		x->columns = own_columns(x);
		x->table = x->columns ? table_new(x->columns,
						  x->health || !is_text(x) ? N_COLUMNS : N_PLAIN)
				      : NULL;
		r = x->table ? 0 : -ENOMEM;
		if (!r)
			table_nothing(x->table, "nothing moved");
		if (!r && x->health)
			r = watch_health(x);
		if (r)
			return finish(x, r);
	}
	return finish(x, loop_run(&loop));
}

static int run(void *command, struct settings *s)
{
	struct top *x = command;
	struct netprobe_error err = {};
	int r;

	if (expr_check(x->o.match, kind_of(x), &err) || settings_fill(s, &x->o, &err) ||
	    names_fill(&x->o, &s->c, &err))
		return cli_usage_failed(&err);
	if (leave_out(x, &x->o, s))
		return EXIT_INTERNAL;
	s->c.no_flow_events = true;
	x->hand = is_live(x) ? hand_start() : -1;
	r = cli_manager(&x->o, s, &x->manager);
	if (r)
		return r;
	x->sink.once = x->o.once || x->o.count == 1;
	if (sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	r = cli_load(x->manager);
	if (r)
		return r;
	return go(x, &err);
}

static const struct option_row *const tables[] = { rows, filter_rows, names_rows, common_rows,
						   NULL };
static const char *const most_used[] = { "by",	"health",    "match", "interval", "once", "format",
					 "pid", "container", "host",  "port",	  NULL };
static const struct args_spec spec = {
	.prog = "netprobe top",
	.summary = "Who sends and receives what, live. Press ? in the view for its keys.",
	.most_used = most_used,
	.examples =
		"  netprobe                                    live; ? shows the keys\n"
		"  netprobe --once                             one plain table\n"
		"  netprobe top --by remote --port 443         who is talked to on a port\n"
		"  netprobe top --once --health --format json  causes of trouble, for a script\n",
	.tables = tables,
};

static void set_defaults(void *command)
{
	struct top *x = command;

	x->o.sort = x->o.view = -1; /* not given: settings of the view may say it */
	x->hand = -1;
}

static void done(void *command)
{
	struct top *x = command;

	(void)table_free(x->table);
	free(x->columns);
	(void)netprobe_manager_free(x->manager);
	sink_close(&x->sink);
	if (x->hand >= 0)
		(void)close(x->hand);
}

const struct command_row top_command = {
	.spec = &spec,
	.size = sizeof(struct top),
	.defaults = set_defaults,
	.run = run,
	.done = done,
};
