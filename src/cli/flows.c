/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe flows`: one snapshot of every socket that is or was open during the run. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netprobe/netprobe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/histograms.h"
#include "cli/names.h"
#include "cli/row.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "cli/strings.h"
#include "out/table.h"
#include "out/words.h"

#define ROWS 128
#define PIECE 65536

struct flows {
	struct common_opts o; /* first: rows of options count from here */
	bool histograms, text;
	struct sink sink;
	struct netprobe_manager *manager;
	struct table *table;
	bool causes; /* of retransmits are seen */
	struct netprobe_flow *list;
	struct strings strings; /* of the list */
	size_t n, room;
	bool failed; /* no memory for one of them */
	struct netprobe_capture capture;
	struct row_stamp stamp;	     /* of the snapshot */
	struct netprobe_expr *match; /* NULL: all */
	double seconds; /* watched: rates are averages over them, as the byte counts are sums */
};

static const char *const format_names[] = { "text", "json", "csv", "tsv", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Flows"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write there instead of stdout"),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC",
	    "watch so long before the snapshot (default 1)", .min = 1),
	OPTION("histograms", 0, OPTION_BOOL, struct flows, histograms, NULL,
	       "latencies of each process instead, by powers of two (means --latency)"),
	ROW("match", 0, OPTION_STRING, match, "EXPR",
	    "only those that match: 'port:443 rtt>50ms', nginx; see netprobe-expressions(5)"),
	ROW("interval", 0, OPTION_SECONDS, interval, "SEC", "between two sweeps (default 1)",
	    .flags = OPTION_LIVE, .min = 10, .max = 3600000),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "only the COUNT flows that moved most",
	    .min = 1),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

/* Columns of every format; text shows those with a title. */
static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ "pid", "PID", UNIT_NONE, true, 3 },
	{ "ns_pid", NULL, UNIT_NONE, true, 0 },
	{ "tid", NULL, UNIT_NONE, true, 0 },
	{ "ppid", NULL, UNIT_NONE, true, 0 },
	{ "comm", "COMM", UNIT_NONE, false, 0, 8 },
	{ "exe", NULL, UNIT_NONE, false, 0 },
	{ "uid", NULL, UNIT_NONE, true, 0 },
	{ "owner_match", "OWNER", UNIT_NONE, false, 10 },
	{ "last_pid", NULL, UNIT_NONE, true, 0 },
	{ "last_comm", NULL, UNIT_NONE, false, 0 },
	{ "cgroup_id", NULL, UNIT_NONE, true, 0 },
	{ "cgroup", NULL, UNIT_NONE, false, 0 },
	CONTAINER_COLUMNS,
	{ "netns", NULL, UNIT_NONE, true, 0 },
	{ "transport", "PROTO", UNIT_NONE, false, 7 },
	{ "family", NULL, UNIT_NONE, false, 0 },
	{ "laddr", "LOCAL", UNIT_NONE, false, 6, 15, true },
	{ "lport", "LPORT", UNIT_NONE, true, 5 },
	{ "raddr", "REMOTE", UNIT_NONE, false, 0, 12, true },
	{ "rport", "RPORT", UNIT_NONE, true, 1 },
	{ "rname", "NAME", UNIT_NONE, false, 8, 12, true },
	{ "iface", "IF", UNIT_NONE, false, 9 },
	{ "state", "STATE", UNIT_NONE, false, 4 },
	{ "sock", NULL, UNIT_NONE, true, 0 },
	{ "tx_bytes", "TX", UNIT_BYTES, true, 6 },
	{ "rx_bytes", "RX", UNIT_BYTES, true, 6 },
	{ "tx_bytes_per_s", "TX/s", UNIT_RATE, true, 1 },
	{ "rx_bytes_per_s", "RX/s", UNIT_RATE, true, 1 },
	{ "rx_unseen_bytes", NULL, UNIT_NONE, true, 0 },
	{ "tx_unseen_bytes", NULL, UNIT_NONE, true, 0 },
	{ "tx_pkts", NULL, UNIT_NONE, true, 0 },
	{ "rx_pkts", NULL, UNIT_NONE, true, 0 },
	{ "srtt_us", "RTT", UNIT_USEC, true, 2 },
	{ "min_rtt_us", NULL, UNIT_NONE, true, 0 },
	{ "retransmits", "RETR", UNIT_NONE, true, 3 },
	{ "retransmits_timeout", NULL, UNIT_NONE, true, 0 },
	{ "retransmits_fast", NULL, UNIT_NONE, true, 0 },
	{ "retransmits_tail_loss_probe", NULL, UNIT_NONE, true, 0 },
	{ "retransmits_synack", NULL, UNIT_NONE, true, 0 },
	{ "retransmits_spurious", NULL, UNIT_NONE, true, 0 },
	{ "bytes_acked", NULL, UNIT_NONE, true, 0 },
	{ "bytes_received", NULL, UNIT_NONE, true, 0 },
	{ "bytes_retrans", NULL, UNIT_NONE, true, 0 },
	{ "connect_ms", NULL, UNIT_NONE, true, 0 },
	{ "duration_ms", NULL, UNIT_NONE, true, 0 },
	{ "errno", NULL, UNIT_NONE, true, 0 },
	{ "verdict", NULL, UNIT_NONE, false, 0 },
	{ "closed", NULL, UNIT_NONE, false, 0 },
	{ "sample_rate", NULL, UNIT_NONE, true, 0 },
	{ "subflows", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct cell null = { .type = CELL_NULL };

static double duration_ms(const struct netprobe_flow *f)
{
	uint64_t end = f->closed_ns ? f->closed_ns : f->told_ns;

	return f->opened_ns && end >= f->opened_ns ? (double)(end - f->opened_ns) / 1e6 : -1;
}

static struct cell count(uint64_t n)
{
	return n == NETPROBE_UNKNOWN ? null : cell_u64(n);
}

static unsigned int owner_cells(struct cell *c, const struct netprobe_flow *f)
{
	unsigned int i = 0;

	c[i++] = cell_u64_or_null(f->pid);
	c[i++] = cell_u64_or_null(f->ns_pid);
	c[i++] = cell_u64_or_null(f->tid);
	c[i++] = cell_u64_or_null(f->ppid);
	c[i++] = cell_str(f->comm);
	c[i++] = cell_str(f->exe);
	c[i++] = f->pid ? cell_u64(f->uid) : null;
	c[i++] = cell_str(owner_match_name((uint8_t)f->owner_match));
	c[i++] = cell_u64_or_null(f->last_pid);
	c[i++] = cell_str(f->last_comm);
	c[i++] = cell_u64_or_null(f->cgroup_id);
	c[i++] = cell_str(f->cgroup);
	return i + row_container_cells(c + i, &f->container);
}

static unsigned int where_cells(struct cell *c, const struct netprobe_flow *f, char *l, char *r)
{
	unsigned int i = 0;

	c[i++] = cell_u64_or_null(f->netns);
	c[i++] = cell_str(transport_name(f->proto));
	c[i++] = cell_str(f->family == 4 ? "ipv4" : f->family == 6 ? "ipv6" : NULL);
	c[i++] = cell_str(addr_str(f->laddr, l));
	c[i++] = cell_u64_or_null(f->lport);
	c[i++] = cell_str(addr_str(f->raddr, r));
	c[i++] = cell_u64_or_null(f->rport);
	c[i++] = cell_str(f->rname);
	c[i++] = cell_str(f->iface);
	c[i++] = cell_str(f->state);
	c[i++] = cell_u64_or_null(f->sock);
	return i;
}

static unsigned int count_cells(struct cell *c, const struct netprobe_flow *f, double seconds)
{
	bool known = f->tx_bytes != NETPROBE_UNKNOWN;
	unsigned int i = 0;

	c[i++] = count(f->tx_bytes);
	c[i++] = count(f->rx_bytes);
	c[i++] = known ? cell_double((double)f->tx_bytes / seconds) : null;
	c[i++] = known ? cell_double((double)f->rx_bytes / seconds) : null;
	c[i++] = known && f->has_tcp ? cell_u64(f->rx_unseen_bytes) : null;
	c[i++] = known && f->has_tcp ? cell_u64(f->tx_unseen_bytes) : null;
	c[i++] = count(f->tx_pkts);
	c[i++] = count(f->rx_pkts);
	return i;
}

/* Of the socket; causes are null where nobody sees them. */
static unsigned int retransmit_cells(struct cell *c, const struct netprobe_flow *f, bool causes)
{
	unsigned int i = 0;

	causes &= f->has_tcp || f->proto == NETPROBE_IPPROTO_MPTCP;
	c[i++] = count(f->retransmits);
	c[i++] = causes ? cell_u64(f->retransmits_timeout) : null;
	c[i++] = causes ? cell_u64(f->retransmits_fast) : null;
	c[i++] = causes ? cell_u64(f->retransmits_tail_loss_probe) : null;
	c[i++] = causes ? cell_u64(f->retransmits_synack) : null;
	c[i++] = causes ? cell_u64(f->retransmits_spurious) : null;
	return i;
}

static int add_flow(struct flows *x, const struct netprobe_flow *f)
{
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN];
	struct cell c[N_COLUMNS];
	unsigned int i = 0;

	i += row_cells(c + i, &x->stamp);
	i += owner_cells(c + i, f);
	i += where_cells(c + i, f, l, r);
	i += count_cells(c + i, f, x->seconds);
	c[i++] = cell_u64_or_null(f->srtt_us);
	c[i++] = cell_u64_or_null(f->min_rtt_us);
	i += retransmit_cells(c + i, f, x->causes);
	c[i++] = f->has_tcp ? cell_u64(f->bytes_acked) : null;
	c[i++] = f->has_tcp ? cell_u64(f->bytes_received) : null;
	c[i++] = f->has_tcp ? cell_u64(f->bytes_retrans) : null;
	c[i++] = f->connect_us ? cell_double(f->connect_us / 1e3) : null;
	c[i++] = cell_double(duration_ms(f));
	c[i++] = cell_u64_or_null(f->error);
	c[i++] = cell_str(netprobe_verdict_name(f->verdict));
	c[i++] = cell_bool(f->closed);
	c[i++] = cell_u64(x->o.sample_rate > 1 ? x->o.sample_rate : 1);
	c[i++] = cell_u64_or_null(f->subflows);
	for (i = 0; i < N_COLUMNS && x->text; i++)
		if (!columns[i].title) /* not shown: not copied either */
			c[i] = null;
	return table_add(x->table, c);
}

/* They are printed when nothing runs any more, nor is any of it there: a reader may take long. */
static int keep_strings(struct flows *x, struct netprobe_flow *f)
{
	const char **texts[] = { &f->comm,  &f->exe,   &f->last_comm, &f->cgroup,
				 &f->rname, &f->iface, &f->state };
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !r; i++)
		r = strings_keep(&x->strings, texts[i]);
	return r ?: row_container_keep(&x->strings, &f->container);
}

/* Rates are those that are shown. */
static bool is_wanted(const struct flows *x, const struct netprobe_flow *f)
{
	struct netprobe_flow shown = *f;

	if (f->tx_bytes != NETPROBE_UNKNOWN) {
		shown.tx_bytes_per_s = (uint64_t)((double)f->tx_bytes / x->seconds);
		shown.rx_bytes_per_s = (uint64_t)((double)f->rx_bytes / x->seconds);
	}
	return netprobe_expr_flow(x->match, &shown) > 0;
}

static int collect(const struct netprobe_flow *f, void *arg)
{
	struct flows *x = arg;

	if (x->match && !is_wanted(x, f))
		return 0;
	if (x->n == x->room) {
		size_t room = x->room ? 2 * x->room : 256;
		void *more = reallocarray(x->list, room, sizeof(*x->list));

		x->failed = !more;
		if (x->failed)
			return -ENOMEM;
		x->list = more;
		x->room = room;
	}
	x->list[x->n] = *f;
	x->failed = keep_strings(x, &x->list[x->n]) != 0;
	if (x->failed)
		return -ENOMEM;
	x->n++;
	return 0;
}

static uint64_t moved(const struct netprobe_flow *f)
{
	return f->tx_bytes == NETPROBE_UNKNOWN ? 0 : f->tx_bytes + f->rx_bytes;
}

static int by_moved(const void *a, const void *b)
{
	const struct netprobe_flow *x = a, *y = b;

	if (moved(x) != moved(y))
		return moved(x) < moved(y) ? 1 : -1;
	return x->sock < y->sock ? -1 : x->sock > y->sock;
}

/* All that is to be printed. */
static int gather(struct flows *x)
{
	struct netprobe_capture now = { .size = sizeof(now) };
	int r = netprobe_manager_get_capture(x->manager, &now, NULL);

	x->seconds = now.uptime_s;
	if (r >= 0)
		r = netprobe_manager_flows(x->manager, collect, x, NULL);
	expr_tell(netprobe_expr_undecided(x->match), "sockets");
	if (x->failed)
		r = -ENOMEM;
	if (r < 0)
		return r;
	row_stamp_take(&x->stamp, x->manager);
	x->capture = now;
	x->causes = now.capture == NETPROBE_CAPTURE_EBPF;
	if (x->n)
		qsort(x->list, x->n, sizeof(*x->list), by_moved);
	if (x->o.count && x->n > x->o.count)
		x->n = x->o.count;
	return 0;
}

/* The table has the rows from there on, a few of them: a quarter of a million at once would be 600 MiB. */
static int fill_table(struct flows *x, size_t *at)
{
	size_t end = *at + ROWS < x->n ? *at + ROWS : x->n;
	int r = 0;

	table_clear(x->table);
	for (; *at < end && !r; ++*at)
		r = add_flow(x, &x->list[*at]);
	return r;
}

static int measure(struct flows *x)
{
	size_t at = 0;
	int r = 0;

	while (!r && at < x->n)
		r = fill_table(x, &at) ?: table_measure(x->table);
	return r;
}

static int print(struct flows *x)
{
	int format = x->o.format < 0 ? FORMAT_TEXT : x->o.format, r;
	size_t at = 0, put = 0;
	struct buf b = {};
	bool heading;

	x->table = table_new(columns, N_COLUMNS);
	x->text = format == FORMAT_TEXT;
	if (x->table) {
		table_fit(x->table, sink_columns(x->sink.fd));
		table_nothing(x->table, "no flow matched");
	}
	r = !x->table ? -ENOMEM : x->text ? measure(x) : 0;
	/* text has its heading in each snapshot, as the others in each file */
	heading = sink_heading(&x->sink) || x->text;
	while (!r && (heading || at < x->n)) {
		r = fill_table(x, &at);
		r = r
			    ?: (heading ? table_write : table_write_on)(x->table, &b, format,
									x->sink.color);
		heading = false;
		if (r || (b.len < PIECE && at < x->n))
			continue;
		if (!sink_wait_room(&x->sink, b.cap)) {
			sink_lose(&x->sink, x->n - put);
			break;
		}
		r = sink_put(&x->sink, &b, NULL);
		put = at;
	}
	buf_done(&b);
	return r;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Histograms are of processes, whatever of theirs is listed. */
static int on_settings(struct settings *s, const struct common_opts *next, void *arg)
{
	struct flows *x = arg;

	return x->histograms ? 0 : settings_match(s, next, x->match);
}

static int watch(struct flows *x)
{
	struct netprobe_capture now = { .size = sizeof(now) };
	struct loop loop = {
		.manager = x->manager,
		.interval = x->o.interval,
		.duration = x->o.duration > 0 ? x->o.duration : 1,
		.on_tick = nothing,
		.input_fd = -1,
		.sink = &x->sink,
		.opts = &x->o,
		.on_settings = on_settings,
		.arg = x,
	};
	int w = 0, r = netprobe_manager_get_capture(x->manager, &now, NULL);

	/* on from the start: ctl shows it so, and can switch it off */
	x->o.latency = !r && now.latency;
	r = loop_run(&loop);
	if (!r)
		r = netprobe_manager_finish(x->manager);
	if (r >= 0)
		w = x->histograms ? histograms_write(x->manager, &x->sink, &x->o) : gather(x);
	cli_tell_losses(x->manager);
	x->manager =
		netprobe_manager_free(x->manager); /* nothing runs while a reader is waited for */
	if (r >= 0 && !w && !x->histograms)
		w = print(x);
	w = sink_finish(&x->sink) ?: w;
	if (w == -EPIPE)
		return EXIT_OK;
	if (w)
		return stream_failed("flows", x->o.output, w);
	if (r < 0) {
		log_err("cannot list flows: %s", strerror(-r));
		return EXIT_INTERNAL;
	}
	return EXIT_OK;
}

static int run(void *command, struct settings *s)
{
	struct flows *x = command;
	struct netprobe_error err = {};
	int r;

	if (expr_take(x->o.match, NETPROBE_ABOUT_FLOW, &x->match, &err) ||
	    settings_fill(s, &x->o, &err) || names_fill(&x->o, &s->c, &err))
		return cli_usage_failed(&err);
	if (on_settings(s, &x->o, x))
		return EXIT_INTERNAL;
	s->c.keep_closed = true;
	s->c.no_flow_events = true;
	if (x->histograms && !x->o.latency) {
		s->c.enable_latency = true;
		s->c.optional = NETPROBE_OPTIONAL_LATENCY;
	}
	r = cli_manager(&x->o, s, &x->manager);
	if (r)
		return r;
	x->sink.once = true;
	if (sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	return cli_load(x->manager) ?: watch(x);
}

static const struct option_row *const tables[] = { rows, filter_rows, names_rows, common_rows,
						   NULL };
static const char *const most_used[] = { "duration", "format",	  "output",    "histograms",
					 "pid",	     "comm",	  "container", "host",
					 "port",     "interface", NULL };
static const struct args_spec spec = {
	.prog = "netprobe flows",
	.summary =
		"Every socket that is or was open during the run, with its owner, bytes, state and health.",
	.most_used = most_used,
	.examples =
		"  netprobe flows --port 5432               every socket of a port, with its owner\n"
		"  netprobe flows --format csv -o FILE      one row a socket, for a spreadsheet\n"
		"  netprobe flows --histograms              how long data waits in sockets\n",
	.tables = tables,
};

static void done(void *command)
{
	struct flows *x = command;

	(void)table_free(x->table);
	free(x->list);
	(void)netprobe_expr_free(x->match);
	strings_done(&x->strings);
	(void)netprobe_manager_free(x->manager);
	sink_close(&x->sink);
}

const struct command_row flows_command = {
	.spec = &spec,
	.size = sizeof(struct flows),
	.run = run,
	.done = done,
};
