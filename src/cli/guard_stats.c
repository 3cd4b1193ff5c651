/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard stats`: counters of interfaces by direction, or flows. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/guard.h"
#include "out/table.h"
#include "out/words.h"

struct stats_opts {
	bool help, flows;
	uint32_t count;
	int format;
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct stats_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("flows", 0, OPTION_BOOL, flows, NULL, "flows, the largest first"),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "so many flows (default 20)", .min = 1),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct table_column columns[] = {
	{ .name = "iface", .title = "INTERFACE" },
	{ .name = "direction", .title = "DIR" },
	{ .name = "packets", .title = "PACKETS", .right = true, .rank = 1 },
	{ .name = "segments", .title = "ON WIRE", .right = true, .rank = 5 },
	{ .name = "bytes", .title = "BYTES", .unit = UNIT_BYTES, .right = true, .rank = 2 },
	{ .name = "tcp", .title = "TCP", .right = true, .rank = 6 },
	{ .name = "udp", .title = "UDP", .right = true, .rank = 6 },
	{ .name = "icmp", .title = "ICMP", .right = true, .rank = 6 },
	{ .name = "other", .title = "OTHER", .right = true, .rank = 6 },
	{ .name = "dropped", .title = "DROPPED", .right = true, .rank = 1 },
	{ .name = "malformed", .title = "MALFORMED", .right = true, .rank = 4 },
	{ .name = "device", .title = "DEVICE", .right = true, .rank = 7 },
	{ .name = "errors", .title = "ERRORS", .right = true, .rank = 3 },
};

static int text_way(struct table *t, const char *name, const struct netprobe_device_stats *d,
		    bool rx)
{
	return table_add(t, (struct cell[]){
				    { CELL_STR, .str = name },
				    { CELL_STR, .str = rx ? "rx" : "tx" },
				    { CELL_U64, .u64 = d->packets },
				    { CELL_U64, .u64 = d->segments },
				    { CELL_U64, .u64 = d->bytes },
				    { CELL_U64, .u64 = d->tcp_packets },
				    { CELL_U64, .u64 = d->udp_packets },
				    { CELL_U64, .u64 = d->icmp_packets },
				    { CELL_U64, .u64 = d->other_packets },
				    { rx ? CELL_U64 : CELL_NULL, .u64 = d->dropped },
				    { rx ? CELL_U64 : CELL_NULL, .u64 = d->malformed },
				    { CELL_U64, .u64 = d->device_packets },
				    { CELL_U64, .u64 = d->device_errors },
			    });
}

static int add_if(const struct netprobe_interface *i, void *arg)
{
	const struct netprobe_device_stats *d = i->rx;

	if (d->lost_flows | d->lost_sources | d->lost_nested)
		log_notice("%s: losses: %llu packets in no flow, %llu sources forgotten, %llu "
			   "networks nested too deep",
			   i->name, (unsigned long long)d->lost_flows,
			   (unsigned long long)d->lost_sources, (unsigned long long)d->lost_nested);
	return text_way(arg, i->name, i->rx, true) || text_way(arg, i->name, i->tx, false);
}

static int nothing(const struct netprobe_interface *i, void *arg)
{
	(void)i;
	(void)arg;
	return 0;
}

static int print_ifs(struct guard_call *call, int format)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct buf out = {};
	int r = !t ? -ENOMEM
		   : netprobe_manager_interfaces(call->m, format == FORMAT_JSON ? nothing : add_if,
						 t, &call->err);

	if (r >= 0 && format == FORMAT_JSON)
		r = guard_put_records(call, NETPROBE_EVENT_STATISTICS, &out);
	else if (r >= 0)
		r = guard_put_table(t, &out, format);
	if (r >= 0)
		r = guard_print(&out);
	buf_done(&out);
	table_free(t);
	return r;
}

struct flow_rows {
	struct netprobe_guard_flow *rows;
	size_t n, room;
	bool full; /* of memory */
};

static int add_flow(const struct netprobe_guard_flow *f, void *arg)
{
	struct flow_rows *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 256;
		struct netprobe_guard_flow *p = realloc(l->rows, room * sizeof(*p));

		if (!p) {
			l->full = true;
			return 1;
		}
		l->rows = p;
		l->room = room;
	}
	l->rows[l->n++] = *f;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct netprobe_guard_flow *x = a, *y = b;
	uint64_t bx = x->rx_bytes + x->tx_bytes, by = y->rx_bytes + y->tx_bytes;

	return bx < by ? 1 : bx > by ? -1 : 0;
}

static const struct table_column flow_columns[] = {
	ROW_COLUMNS,
	{ .name = "transport", .title = "PROTO", .rank = 3 },
	{ .name = "laddr", .title = "LOCAL", .rank = 4, .least = 15, .middle = true },
	{ .name = "lport", .title = "PORT", .right = true, .rank = 2 },
	{ .name = "raddr", .title = "REMOTE", .least = 15, .middle = true },
	{ .name = "rport", .title = "PORT", .right = true, .rank = 1 },
	{ .name = "ifindex", .title = "IF", .right = true, .rank = 6 },
	{ .name = "rx_pkts", .title = "RX", .right = true, .rank = 5 },
	{ .name = "rx_bytes", .title = "RX BYTES", .unit = UNIT_BYTES, .right = true, .rank = 1 },
	{ .name = "tx_pkts", .title = "TX", .right = true, .rank = 5 },
	{ .name = "tx_bytes", .title = "TX BYTES", .unit = UNIT_BYTES, .right = true, .rank = 1 },
};

static void addr_text(const uint8_t *a, char ret[INET6_ADDRSTRLEN])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, ret, INET6_ADDRSTRLEN);
}

static void flow_cells(struct table *t, const struct row_stamp *stamp,
		       const struct netprobe_guard_flow *f)
{
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN], proto[8];
	struct cell c[sizeof(flow_columns) / sizeof(flow_columns[0])];
	unsigned int i = row_cells(c, stamp);

	addr_text(f->laddr, l);
	addr_text(f->raddr, r);
	(void)snprintf(proto, sizeof(proto), "%u", f->proto);
	c[i++] = cell_str(transport_name(f->proto) ?: proto);
	c[i++] = cell_str(l);
	c[i++] = cell_u64_or_null(f->lport);
	c[i++] = cell_str(r);
	c[i++] = cell_u64_or_null(f->rport);
	c[i++] = cell_u64(f->ifindex);
	c[i++] = cell_u64(f->rx_pkts);
	c[i++] = cell_u64(f->rx_bytes);
	c[i++] = cell_u64(f->tx_pkts);
	c[i++] = cell_u64(f->tx_bytes);
	(void)table_add(t, c);
}

static int print_flows(struct guard_call *call, int format, uint32_t count)
{
	struct table *t = table_new(flow_columns, sizeof(flow_columns) / sizeof(flow_columns[0]));
	struct flow_rows l = {};
	struct row_stamp stamp;
	struct buf out = {};
	int r = t ? netprobe_manager_guard_flows(call->m, add_flow, &l, &call->err) : -ENOMEM;

	row_stamp_take(&stamp, NULL);
	r = l.full ? -ENOMEM : r;
	if (r >= 0) {
		if (l.n)
			qsort(l.rows, l.n, sizeof(*l.rows), by_bytes);
		for (size_t i = 0; i < l.n && i < count; i++)
			flow_cells(t, &stamp, &l.rows[i]);
		table_nothing(t, "no flow was seen");
		r = guard_put_table(t, &out, format);
	}
	if (!r)
		r = guard_print(&out);
	buf_done(&out);
	table_free(t);
	free(l.rows);
	return r;
}

static int stats(struct guard_call *call)
{
	const struct stats_opts *o = call->opts;
	int r = o->flows ? print_flows(call, o->format, o->count) : print_ifs(call, o->format);

	return r == EXIT_OK && !o->flows ? guard_print_balancer(call, o->format, NULL) : r;
}

static const struct option_row *const stats_tables[] = { rows, NULL };
static const struct args_spec stats_spec = {
	.prog = "netprobe guard stats",
	.summary = "Counters of every interface that guard is on, since it was attached; DEVICE "
		   "is what the kernel counted there.",
	.tables = stats_tables,
};

static void stats_defaults(void *opts)
{
	*(struct stats_opts *)opts = (struct stats_opts){ .count = 20 };
}

const struct guard_row guard_verb_stats = {
	.spec = &stats_spec,
	.size = sizeof(struct stats_opts),
	.defaults = stats_defaults,
	.work = stats,
};
