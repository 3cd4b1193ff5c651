/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe flows`: one snapshot of every socket that is or was open during the run. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/histograms.h"
#include "engine/session.h"
#include "flow/verdict.h"
#include "out/table.h"

struct flows {
	struct common_opts o; /* first: rows of options count from here */
	bool histograms;
	struct sink sink;
	struct session *session;
	struct table *table;
	struct flow **list;
	size_t n;
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
	{ "pid", "PID", UNIT_NONE, true, 0 },
	{ "tid", NULL, UNIT_NONE, true, 0 },
	{ "ppid", NULL, UNIT_NONE, true, 0 },
	{ "comm", "COMM", UNIT_NONE, false, 16 },
	{ "exe", NULL, UNIT_NONE, false, 0 },
	{ "uid", NULL, UNIT_NONE, true, 0 },
	{ "owner_match", "OWNER", UNIT_NONE, false, 0 },
	{ "last_pid", NULL, UNIT_NONE, true, 0 },
	{ "last_comm", NULL, UNIT_NONE, false, 0 },
	{ "cgroup_id", NULL, UNIT_NONE, true, 0 },
	{ "cgroup", NULL, UNIT_NONE, false, 0 },
	{ "container", NULL, UNIT_NONE, false, 0 },
	{ "netns", NULL, UNIT_NONE, true, 0 },
	{ "transport", "PROTO", UNIT_NONE, false, 0 },
	{ "family", NULL, UNIT_NONE, false, 0 },
	{ "laddr", "LOCAL", UNIT_NONE, false, 0 },
	{ "lport", "LPORT", UNIT_NONE, true, 0 },
	{ "raddr", "REMOTE", UNIT_NONE, false, 0 },
	{ "rport", "RPORT", UNIT_NONE, true, 0 },
	{ "rname", "NAME", UNIT_NONE, false, 40 },
	{ "iface", "IF", UNIT_NONE, false, 0 },
	{ "state", "STATE", UNIT_NONE, false, 0 },
	{ "sock", NULL, UNIT_NONE, true, 0 },
	{ "tx_bytes", "TX", UNIT_BYTES, true, 0 },
	{ "rx_bytes", "RX", UNIT_BYTES, true, 0 },
	{ "tx_rate", "TX/s", UNIT_RATE, true, 0 },
	{ "rx_rate", "RX/s", UNIT_RATE, true, 0 },
	{ "rx_unseen_bytes", NULL, UNIT_NONE, true, 0 },
	{ "tx_unseen_bytes", NULL, UNIT_NONE, true, 0 },
	{ "tx_pkts", NULL, UNIT_NONE, true, 0 },
	{ "rx_pkts", NULL, UNIT_NONE, true, 0 },
	{ "srtt_us", "RTT", UNIT_USEC, true, 0 },
	{ "min_rtt_us", NULL, UNIT_NONE, true, 0 },
	{ "retransmits", "RETR", UNIT_NONE, true, 0 },
	{ "retr_timeout", NULL, UNIT_NONE, true, 0 },
	{ "retr_fast", NULL, UNIT_NONE, true, 0 },
	{ "retr_tlp", NULL, UNIT_NONE, true, 0 },
	{ "retr_synack", NULL, UNIT_NONE, true, 0 },
	{ "retr_spurious", NULL, UNIT_NONE, true, 0 },
	{ "bytes_acked", NULL, UNIT_NONE, true, 0 },
	{ "bytes_received", NULL, UNIT_NONE, true, 0 },
	{ "bytes_retrans", NULL, UNIT_NONE, true, 0 },
	{ "connect_ms", NULL, UNIT_NONE, true, 0 },
	{ "duration_ms", NULL, UNIT_NONE, true, 0 },
	{ "errno", NULL, UNIT_NONE, true, 0 },
	{ "verdict", NULL, UNIT_NONE, false, 0 },
	{ "closed", NULL, UNIT_NONE, false, 0 },
	{ "sample_rate", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static double duration_ms(const struct flow *f, uint64_t now_ns)
{
	uint64_t end = f->closed_ns ? f->closed_ns : now_ns;

	return f->opened_ns && end >= f->opened_ns ? (double)(end - f->opened_ns) / 1e6 : -1;
}

/* Over the connection's life so far; NULL for what is older than the probe. */
static const char *verdict(const struct flow *f)
{
	uint64_t end = f->closed_ns ? f->closed_ns : clock_monotonic_ns();
	struct verdict_times t;

	if (!f->tcp || !f->established_ns || end <= f->established_ns)
		return NULL;
	verdict_life(&t, f->tcp, (end - f->established_ns) / 1000);
	return verdict_name(verdict_first(&t));
}

static unsigned int owner_cells(struct cell *c, const struct flow *f)
{
	const struct process *p = f->owner;
	const struct cgroup *cg = p->cgroup;
	bool known = p->tgid != 0;
	unsigned int i = 0;

	c[i++] = cell_u64_or_null(p->tgid);
	c[i++] = cell_u64_or_null(known && f->last == p ? f->last_tid : 0);
	c[i++] = cell_u64_or_null(known ? p->ppid : 0);
	c[i++] = cell_str(known ? p->comm : NULL);
	c[i++] = cell_str(known ? p->exe : NULL);
	c[i++] = known ? cell_u64(p->uid) : (struct cell){ .type = CELL_NULL };
	c[i++] = cell_str(owner_match_name(known ? f->owner_match : NP_MATCH_NONE));
	c[i++] = cell_u64_or_null(f->last->tgid);
	c[i++] = cell_str(f->last->tgid ? f->last->comm : NULL);
	c[i++] = cell_u64_or_null(known && cg ? cg->id : 0);
	c[i++] = cell_str(known && cg ? cg->path : NULL);
	c[i++] = cell_str(known && cg ? cg->container_id : NULL);
	return i;
}

static unsigned int where_cells(struct cell *c, const struct flow *f, const char *rname, char *l,
				char *r)
{
	const struct np_tuple *t = &f->tuple;
	unsigned int i = 0;

	c[i++] = cell_u64_or_null(t->netns);
	c[i++] = cell_str(transport_name(t->proto));
	c[i++] = cell_str(family_name(t->family));
	c[i++] = cell_str(addr_str(t->laddr, l));
	c[i++] = cell_u64_or_null(t->lport);
	c[i++] = cell_str(addr_str(t->raddr, r));
	c[i++] = cell_u64_or_null(t->rport);
	c[i++] = cell_str(rname);
	c[i++] = cell_str(t->ifname);
	c[i++] =
		cell_str(f->closed && t->proto == IPPROTO_TCP ? "CLOSE" : tcp_state_name(t->state));
	c[i++] = cell_u64_or_null(t->flags & NP_F_OWNID ? 0 : f->sock_id);
	return i;
}

/* Of the socket; causes are null where nobody sees them. */
static unsigned int retransmit_cells(struct cell *c, const struct flow *f, bool causes)
{
	const struct flow_tcp *tcp = f->tcp;
	const struct cell none = { .type = CELL_NULL };
	unsigned int i = 0;

	c[i++] = f->tuple.proto == IPPROTO_TCP
			 ? cell_u64(f->counts.retrans + (tcp ? tcp->synack_retrans : 0))
			 : none;
	causes &= tcp != NULL;
	c[i++] = causes ? cell_u64(tcp->rtx_cause[NP_RTX_TIMEOUT]) : none;
	c[i++] = causes ? cell_u64(tcp->rtx_cause[NP_RTX_FAST]) : none;
	c[i++] = causes ? cell_u64(tcp->rtx_cause[NP_RTX_TLP]) : none;
	c[i++] = causes ? cell_u64(tcp->synack_retrans) : none;
	c[i++] = causes ? cell_u64(tcp->rtx_spurious) : none;
	return i;
}

static int add_flow(struct flows *x, const struct flow *f)
{
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN];
	const struct flow_tcp *tcp = f->tcp;
	struct cell c[N_COLUMNS];
	unsigned int i = owner_cells(c, f), counts;

	i += where_cells(c + i, f, session_rname(x->session, f), l, r);
	counts = i;
	c[i++] = cell_u64(f->counts.tx_bytes);
	c[i++] = cell_u64(flow_rx_bytes(f));
	c[i++] = cell_double((double)f->counts.tx_bytes / x->seconds);
	c[i++] = cell_double((double)flow_rx_bytes(f) / x->seconds);
	c[i++] = tcp ? cell_u64(f->rx_unseen) : (struct cell){ .type = CELL_NULL };
	c[i++] = tcp ? cell_u64(f->tx_unseen) : (struct cell){ .type = CELL_NULL };
	c[i++] = cell_u64(f->tx_pkts);
	c[i++] = cell_u64(f->rx_pkts);
	if (!session_counts(x->session, f->tuple.proto))
		memset(c + counts, 0, (i - counts) * sizeof(*c)); /* CELL_NULL */
	c[i++] = cell_u64_or_null(tcp ? tcp->srtt_us : 0);
	c[i++] = cell_u64_or_null(tcp && tcp->min_rtt_us != UINT32_MAX ? tcp->min_rtt_us : 0);
	i += retransmit_cells(c + i, f, session_probe(x->session) != NULL);
	c[i++] = tcp ? cell_u64(tcp->bytes_acked) : (struct cell){ .type = CELL_NULL };
	c[i++] = tcp ? cell_u64(tcp->bytes_received) : (struct cell){ .type = CELL_NULL };
	c[i++] = tcp ? cell_u64(tcp->bytes_retrans) : (struct cell){ .type = CELL_NULL };
	c[i++] = f->connect_us ? cell_double(f->connect_us / 1e3)
			       : (struct cell){ .type = CELL_NULL };
	c[i++] = cell_double(duration_ms(f, clock_monotonic_ns()));
	c[i++] = cell_u64_or_null(f->err);
	c[i++] = cell_str(verdict(f));
	c[i++] = cell_bool(f->closed);
	c[i++] = cell_u64_or_null(x->o.sample_rate > 1 ? x->o.sample_rate : 0);
	return table_add(x->table, c);
}

static int collect(struct flow *f, void *arg)
{
	struct flows *x = arg;

	if (!f->frozen || f->counts.tx_bytes || flow_rx_bytes(f))
		x->list[x->n++] = f;
	return 0;
}

static uint64_t moved(const struct flow *f)
{
	return f->counts.tx_bytes + flow_rx_bytes(f);
}

static int by_moved(const void *a, const void *b)
{
	const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;

	if (moved(x) != moved(y))
		return moved(x) < moved(y) ? 1 : -1;
	return x->sock_id < y->sock_id ? -1 : x->sock_id > y->sock_id;
}

static int print(struct flows *x)
{
	struct flow_table *t = session_flows(x->session);
	struct buf b = {};
	int r = 0;

	x->list = calloc(flow_table_count(t) + 1, sizeof(struct flow *));
	x->table = table_new(columns, N_COLUMNS);
	if (!x->list || !x->table)
		return -ENOMEM;
	(void)flow_table_each(t, collect, x);
	x->seconds = session_uptime(x->session);
	qsort(x->list, x->n, sizeof(struct flow *), by_moved);
	if (x->o.count && x->n > x->o.count)
		x->n = x->o.count;
	for (size_t i = 0; i < x->n && !r; i++)
		r = add_flow(x, x->list[i]);
	if (!r)
		r = table_write(x->table, &b, x->o.format < 0 ? FORMAT_TEXT : x->o.format,
				x->sink.color);
	if (!r)
		r = sink_write(&x->sink, &b);
	buf_done(&b);
	return r;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int run(struct flows *x)
{
	struct session_opts so = { .flows = { .keep_closed = true } };
	struct netprobe_error err = {};
	struct loop loop;
	int r;

	if (filter_build(&x->o, &so.filter, &err) || names_build(&x->o, &so.names, &err) ||
	    sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	cli_session_opts(&x->o, &so);
	so.latency_try = x->histograms;
	r = session_open(&so, &x->session, &err);
	/* on from the start: ctl shows it so, and can switch it off */
	x->o.latency = !r && session_latency_watched(x->session);
	if (r)
		return cli_session_failed(&err);
	loop = (struct loop){
		.session = x->session,
		.interval = x->o.interval,
		.duration = x->o.duration > 0 ? x->o.duration : 1,
		.on_tick = nothing,
		.input_fd = -1,
		.opts = &x->o,
		.arg = x,
	};
	r = loop_run(&loop) ?: session_finish(x->session) ?:
	    x->histograms ? histograms_write(x->session, &x->sink, &x->o) : print(x);
	if (r == -EPIPE)
		return EXIT_OK;
	cli_tell_losses(x->session);
	if (r) {
		log_err("cannot list flows: %s", strerror(-r));
		return EXIT_INTERNAL;
	}
	return EXIT_OK;
}

int cmd_flows(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, names_rows,
							   common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe flows",
		.summary =
			"Every socket that is or was open during the run, with its owner, bytes, state and health.",
		.tables = tables,
	};
	struct flows x = {};
	int r;

	common_defaults(&x.o);
	r = common_parse(&spec, argc, argv, &x.o);
	if (r < 0)
		r = run(&x);
	(void)table_free(x.table);
	free(x.list);
	(void)session_close(x.session);
	sink_close(&x.sink);
	common_done(&x.o);
	return r;
}
