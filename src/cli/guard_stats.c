/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard stats`: counters of interfaces by direction, or flows. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"
#include "engine/device.h"
#include "out/table.h"

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

struct printing {
	struct buf *out;
	char host[256];
	int err;
};

static void print_event(const struct event *ev, void *arg)
{
	struct printing *p = arg;

	if (!p->err)
		p->err = event_write_json(p->out, ev, p->host);
}

static const struct table_column columns[] = {
	{ .name = "interface", .title = "INTERFACE" },
	{ .name = "dir", .title = "DIR" },
	{ .name = "packets", .title = "PACKETS", .right = true },
	{ .name = "segments", .title = "ON WIRE", .right = true },
	{ .name = "bytes", .title = "BYTES", .unit = UNIT_BYTES, .right = true },
	{ .name = "tcp", .title = "TCP", .right = true },
	{ .name = "udp", .title = "UDP", .right = true },
	{ .name = "icmp", .title = "ICMP", .right = true },
	{ .name = "other", .title = "OTHER", .right = true },
	{ .name = "dropped", .title = "DROPPED", .right = true },
	{ .name = "malformed", .title = "MALFORMED", .right = true },
	{ .name = "device", .title = "DEVICE", .right = true },
	{ .name = "errors", .title = "ERRORS", .right = true },
};

static void text_way(struct table *t, const struct guard_if *f, bool rx)
{
	const struct np_guard_way *w = rx ? &f->count.rx : &f->count.tx;
	uint64_t drops = 0, bad = 0;

	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		drops += f->count.drops[i];
	for (unsigned int i = 1; i < NP_FRAME_BAD_MAX; i++)
		bad += f->count.bad[i];
	(void)table_add(t, (struct cell[]){
				   { CELL_STR, .str = f->name },
				   { CELL_STR, .str = rx ? "rx" : "tx" },
				   { CELL_U64, .u64 = w->packets },
				   { CELL_U64, .u64 = w->segments },
				   { CELL_U64, .u64 = w->bytes },
				   { CELL_U64, .u64 = w->kind[NP_KIND_TCP].packets },
				   { CELL_U64, .u64 = w->kind[NP_KIND_UDP].packets },
				   { CELL_U64, .u64 = w->kind[NP_KIND_ICMP].packets },
				   { CELL_U64, .u64 = w->kind[NP_KIND_OTHER].packets +
						      w->kind[NP_KIND_NONIP].packets },
				   { rx ? CELL_U64 : CELL_NULL, .u64 = drops },
				   { rx ? CELL_U64 : CELL_NULL, .u64 = bad },
				   { CELL_U64, .u64 = rx ? f->rx_packets : f->tx_packets },
				   { CELL_U64, .u64 = rx ? f->rx_errors : f->tx_errors },
			   });
}

static void tell_losses(const struct guard_if *f)
{
	const struct np_guard_dev *d = &f->count;

	if (d->flows_lost | d->sources_lost | d->nest_lost)
		log_notice("%s: losses: %llu packets in no flow, %llu sources forgotten, %llu "
			   "networks nested too deep",
			   f->name, (unsigned long long)d->flows_lost,
			   (unsigned long long)d->sources_lost, (unsigned long long)d->nest_lost);
}

static int print_ifs(struct guard *g, int format)
{
	struct guard_if *ifs = NULL;
	struct buf out = {};
	struct printing p = { .out = &out };
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int r, n = t ? guard_ifs(g, &ifs) : -ENOMEM;

	for (int i = 0; i < n && format != FORMAT_JSON; i++) {
		text_way(t, &ifs[i], true);
		text_way(t, &ifs[i], false);
		tell_losses(&ifs[i]);
	}
	if (n >= 0 && format == FORMAT_JSON) {
		(void)gethostname(p.host, sizeof(p.host) - 1);
		device_events(ifs, n, print_event, &p);
	} else if (n >= 0) {
		(void)table_write(t, &out, format, false);
	}
	r = n < 0 ? EXIT_INTERNAL : guard_print(&out);
	if (n < 0)
		log_err("cannot read the counters: %s", strerror(-n));
	buf_done(&out);
	table_free(t);
	free(ifs);
	return r;
}

struct flow_row {
	struct np_guard_flow_key key;
	struct np_guard_flow flow;
};
struct flow_rows {
	struct flow_row *rows;
	size_t n, room;
};

static int add_flow(const struct np_guard_flow_key *k, const struct np_guard_flow *f, void *arg)
{
	struct flow_rows *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 256;
		struct flow_row *p = realloc(l->rows, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->rows = p;
		l->room = room;
	}
	l->rows[l->n++] = (struct flow_row){ *k, *f };
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct flow_row *x = a, *y = b;
	uint64_t bx = x->flow.rx_bytes + x->flow.tx_bytes, by = y->flow.rx_bytes + y->flow.tx_bytes;

	return bx < by ? 1 : bx > by ? -1 : 0;
}

static const struct table_column flow_columns[] = {
	{ .name = "proto", .title = "PROTO" },
	{ .name = "laddr", .title = "LOCAL" },
	{ .name = "lport", .title = "PORT", .right = true },
	{ .name = "raddr", .title = "REMOTE" },
	{ .name = "rport", .title = "PORT", .right = true },
	{ .name = "ifindex", .title = "IF", .right = true },
	{ .name = "rx_packets", .title = "RX", .right = true },
	{ .name = "rx_bytes", .title = "RX BYTES", .unit = UNIT_BYTES, .right = true },
	{ .name = "tx_packets", .title = "TX", .right = true },
	{ .name = "tx_bytes", .title = "TX BYTES", .unit = UNIT_BYTES, .right = true },
};

static void addr_text(const uint8_t *a, char ret[INET6_ADDRSTRLEN])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, ret, INET6_ADDRSTRLEN);
}

static void flow_cells(struct table *t, const struct flow_row *f)
{
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN], proto[8];
	uint8_t p = f->key.proto;

	addr_text(f->key.laddr, l);
	addr_text(f->key.raddr, r);
	(void)snprintf(proto, sizeof(proto), "%u", p);
	(void)table_add(t, (struct cell[]){
				   { CELL_STR, .str = p == IPPROTO_TCP	    ? "tcp"
						      : p == IPPROTO_UDP    ? "udp"
						      : p == IPPROTO_ICMP   ? "icmp"
						      : p == IPPROTO_ICMPV6 ? "icmpv6"
									    : proto },
				   { CELL_STR, .str = l },
				   { CELL_U64, .u64 = f->key.lport },
				   { CELL_STR, .str = r },
				   { CELL_U64, .u64 = f->key.rport },
				   { CELL_U64, .u64 = f->key.ifindex },
				   { CELL_U64, .u64 = f->flow.rx_packets },
				   { CELL_U64, .u64 = f->flow.rx_bytes },
				   { CELL_U64, .u64 = f->flow.tx_packets },
				   { CELL_U64, .u64 = f->flow.tx_bytes },
			   });
}

static int print_flows(struct guard *g, int format, uint32_t count)
{
	struct flow_rows l = {};
	struct buf out = {};
	struct table *t = table_new(flow_columns, sizeof(flow_columns) / sizeof(flow_columns[0]));
	int r = t ? guard_flows(g, add_flow, &l) : -ENOMEM;

	if (!r) {
		if (l.n)
			qsort(l.rows, l.n, sizeof(*l.rows), by_bytes);
		for (size_t i = 0; i < l.n && i < count; i++)
			flow_cells(t, &l.rows[i]);
		r = table_write(t, &out, format, false);
	}
	if (r)
		log_err("cannot read the flows: %s", strerror(-r));
	r = r ? EXIT_INTERNAL : guard_print(&out);
	buf_done(&out);
	table_free(t);
	free(l.rows);
	return r;
}

int guard_cmd_stats(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard stats",
		.summary =
			"Counters of every interface that guard is on, since it was attached; DEVICE "
			"is what the kernel counted there.",
		.tables = tables,
	};
	struct stats_opts o = { .count = 20 };
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard *g = NULL;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r < 0) {
		r = guard_open(GUARD_SHARED, &g, &err);
		r = r	      ? guard_failed(&err)
		    : o.flows ? print_flows(g, o.format, o.count)
			      : print_ifs(g, o.format);
	}
	guard_close(g);
	if (r == EXIT_OK && !o.flows)
		r = guard_lb_list(o.format);
	args_list_done(&operands);
	return r;
}
