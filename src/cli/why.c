/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netprobe why`: what limits a connection, a process or a container now. Samples the kernel's own
 * accounting of each connection ten times a second; no hook on the data path is needed for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "engine/session.h"
#include "flow/verdict.h"
#include "out/table.h"

#define SAMPLE_SECONDS 0.1
#define MAX_SHOWN 20
#define SECONDS_DEFAULT 3

/* One connection under examination. */
struct subject {
	uint32_t serial; /* of the flow; 0 free */
	bool primed;	 /* last is a sample, not zeroes */
	const struct flow *flow;
	struct verdict_sample last;
	uint64_t last_ns;  /* when it was looked at */
	uint32_t taken_us; /* when the kernel half read it, see struct flow_tcp */
	struct verdict_times times;
	uint64_t tx_bytes, rx_bytes; /* when it was first seen */
	uint32_t looks, full;	     /* at the receive queue, and how often it was full */
};

struct why {
	struct common_opts o;
	struct sink sink;
	struct session *session;
	struct subject *subjects; /* open addressing by serial */
	size_t n, size;		  /* size is a power of two */
	struct buf out;
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Why"),
	ROW("sock", 0, OPTION_U64, sock, "COOKIE", "only the connection with this socket cookie",
	    .min = 1),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "look so long (default 3)", .min = 200),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write there instead of stdout"),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static int grow(struct why *x)
{
	size_t size = x->size ? x->size * 2 : 256;
	struct subject *old = x->subjects, *now = calloc(size, sizeof(*now));

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < x->size; i++) {
		size_t slot = old[i].serial & (size - 1);

		if (!old[i].serial)
			continue;
		while (now[slot].serial)
			slot = (slot + 1) & (size - 1);
		now[slot] = old[i];
	}
	free(old);
	x->subjects = now;
	x->size = size;
	return 0;
}

static struct subject *subject_of(struct why *x, uint32_t serial)
{
	size_t slot;

	if (x->n * 2 >= x->size && grow(x))
		return NULL;
	slot = serial & (x->size - 1);
	while (x->subjects[slot].serial && x->subjects[slot].serial != serial)
		slot = (slot + 1) & (x->size - 1);
	if (!x->subjects[slot].serial) {
		x->subjects[slot].serial = serial;
		x->n++;
	}
	return &x->subjects[slot];
}

/* By a clock that wraps; a record that came late was read before. */
static uint32_t since(uint32_t now, uint32_t was)
{
	return (int32_t)(now - was) > 0 ? now - was : 0;
}

static int sample(struct flow *f, void *arg)
{
	struct why *x = arg;
	struct verdict_sample now;
	struct subject *s;
	uint64_t t = clock_monotonic_ns();

	if (!f->tcp || f->part || f->frozen || f->tuple.flags & NP_F_LISTEN || !f->tuple.rport ||
	    (x->o.sock && f->sock_id != x->o.sock))
		return 0;
	s = subject_of(x, f->serial);
	if (!s)
		return -ENOMEM;
	s->flow = f;
	verdict_sample_flow(&now, f->tcp);
	s->looks++;
	s->full += verdict_queue_full(f->tcp);
	if (s->primed) {
		uint64_t until = f->closed && f->closed_ns ? f->closed_ns : t;

		/* This process may have waited for a processor after the reading; the counters did not. */
		if (s->taken_us && f->tcp->taken_us)
			verdict_add(&s->times, &s->last, &now,
				    since(f->tcp->taken_us, s->taken_us));
		else if (until > s->last_ns)
			verdict_add(&s->times, &s->last, &now, (until - s->last_ns) / 1000);
	} else {
		s->tx_bytes = f->counts.tx_bytes;
		s->rx_bytes = flow_rx_bytes(f);
	}
	s->primed = true;
	s->last = now;
	s->last_ns = t;
	s->taken_us = f->tcp->taken_us;
	return 0;
}

static int on_tick(void *arg)
{
	struct why *x = arg;

	return flow_table_each(session_flows(x->session), sample, x);
}

static uint64_t moved(const struct subject *s)
{
	return s->flow->counts.tx_bytes - s->tx_bytes + flow_rx_bytes(s->flow) - s->rx_bytes;
}

/* An end that sends little of what it moves is not to be judged by its sending. */
static bool receives(const struct subject *s)
{
	uint64_t tx = s->flow->counts.tx_bytes - s->tx_bytes;
	uint64_t rx = flow_rx_bytes(s->flow) - s->rx_bytes;

	return rx > 10 * tx && rx > 10000;
}

static double full_share(const struct subject *s)
{
	return s->looks ? (double)s->full / s->looks : 0;
}

static const char *advice_of(const struct subject *s)
{
	int verdict = verdict_first(&s->times);
	bool slow = full_share(s) >= 0.5;

	if (verdict == VERDICT_APPLICATION && (slow || receives(s)))
		return verdict_advice_receiver(slow);
	return verdict_advice(verdict);
}

/* Of all: that of the one that works hardest, where it came to the same. */
static const char *advice_of_all(const struct why *x, const struct verdict_times *all)
{
	int verdict = verdict_first(all);

	if (verdict == VERDICT_APPLICATION && x->n &&
	    verdict_first(&x->subjects[0].times) == verdict)
		return advice_of(&x->subjects[0]);
	return verdict_advice(verdict);
}

/* Those that work hardest first: what is idle tells nothing about a slow process. */
static int by_work(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;
	uint64_t bx = x->last.busy_us, by = y->last.busy_us;

	if (moved(x) != moved(y))
		return moved(x) < moved(y) ? 1 : -1;
	return bx < by ? 1 : bx > by ? -1 : 0;
}

/* Drop the free slots and sort; afterwards subjects[0..n) are the connections. */
static void pack(struct why *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->size; i++)
		if (x->subjects[i].serial && x->subjects[i].primed)
			x->subjects[n++] = x->subjects[i];
	x->n = n;
	if (n)
		qsort(x->subjects, n, sizeof(*x->subjects), by_work);
}

/* Of several connections those that did something count; if none did, all of them. */
static void sum_up(const struct why *x, struct verdict_times *ret)
{
	bool busy = false;

	*ret = (struct verdict_times){ 0 };
	for (size_t i = 0; i < x->n; i++)
		busy |= verdict_first(&x->subjects[i].times) >= 0 && /* was looked at */
			verdict_share(&x->subjects[i].times, VERDICT_APPLICATION) < 1;
	for (size_t i = 0; i < x->n; i++) {
		const struct subject *s = &x->subjects[i];

		if (busy && verdict_share(&s->times, VERDICT_APPLICATION) >= 1)
			continue;
		for (unsigned int v = 0; v < VERDICT_MAX; v++)
			ret->us[v] += s->times.us[v];
	}
}

static void put_shares(struct buf *b, const struct verdict_times *t)
{
	json_key(b, "shares");
	buf_putc(b, '{');
	for (int v = 0; v < VERDICT_MAX; v++)
		json_kv_double(b, verdict_name(v), verdict_share(t, (unsigned int)v));
	buf_putc(b, '}');
}

static void put_figures(struct buf *b, const struct flow_tcp *t)
{
	json_kv_u64_or_null(b, "srtt_us", t->srtt_us);
	json_kv_u64(b, "rttvar_us", t->rttvar_us);
	json_kv_u64_or_null(b, "min_rtt_us", t->min_rtt_us == UINT32_MAX ? 0 : t->min_rtt_us);
	json_kv_u64(b, "cwnd", t->snd_cwnd);
	if (t->snd_ssthresh == 0x7fffffff)
		json_kv_null(b, "ssthresh");
	else
		json_kv_u64(b, "ssthresh", t->snd_ssthresh);
	json_kv_u64(b, "in_flight", t->in_flight);
	json_kv_u64(b, "mss", t->mss);
	json_kv_u64(b, "rwnd_bytes", t->snd_wnd);
	json_kv_u64(b, "rcv_wnd_bytes", t->rcv_wnd);
	json_kv_u64(b, "unsent_bytes", t->unsent_bytes);
	json_kv_u64(b, "unread_bytes", t->unread_bytes);
	json_kv_u64(b, "sndbuf_bytes", t->sndbuf_bytes);
	json_kv_u64(b, "sndbuf_used_bytes", t->wmem_bytes);
	if (t->pacing_rate == UINT64_MAX)
		json_kv_null(b, "pacing_rate");
	else
		json_kv_u64(b, "pacing_rate", t->pacing_rate);
	json_kv_u64_or_null(b, "delivery_rate", t->delivery_rate);
	json_kv_u64(b, "bytes_sent", t->bytes_sent);
	json_kv_u64(b, "bytes_retrans", t->bytes_retrans);
	json_kv_double(b, "retransmit_share",
		       t->bytes_sent ? (double)t->bytes_retrans / (double)t->bytes_sent : 0);
	json_kv_u64(b, "busy_us", t->busy_us);
	json_kv_u64(b, "rwnd_limited_us", t->rwnd_limited_us);
	json_kv_u64(b, "sndbuf_limited_us", t->sndbuf_limited_us);
	json_kv_u64(b, "recovery_us", t->recovery_us);
}

static void put_connection(struct buf *b, const struct subject *s)
{
	const struct flow *f = s->flow;
	char addr[INET6_ADDRSTRLEN];
	int verdict = verdict_first(&s->times);

	buf_putc(b, '{');
	json_kv_u64_or_null(b, "pid", f->last->tgid);
	json_kv_str(b, "comm", f->last->tgid ? f->last->comm : NULL);
	json_kv_str(b, "laddr", addr_str(f->tuple.laddr, addr));
	json_kv_u64_or_null(b, "lport", f->tuple.lport);
	json_kv_str(b, "raddr", addr_str(f->tuple.raddr, addr));
	json_kv_u64_or_null(b, "rport", f->tuple.rport);
	json_kv_str(b, "iface", f->tuple.ifname[0] ? f->tuple.ifname : NULL);
	json_kv_u64_or_null(b, "sock", f->tuple.flags & NP_F_OWNID ? 0 : f->sock_id);
	json_kv_str(b, "state", f->closed ? "CLOSE" : tcp_state_name(f->tuple.state));
	json_kv_str(b, "verdict", verdict_name(verdict));
	put_shares(b, &s->times);
	json_kv_str(b, "advice", advice_of(s));
	json_kv_double(b, "receive_queue_full", full_share(s));
	json_kv_u64(b, "tx_bytes", f->counts.tx_bytes - s->tx_bytes);
	json_kv_u64(b, "rx_bytes", flow_rx_bytes(f) - s->rx_bytes);
	put_figures(b, f->tcp);
	buf_putc(b, '}');
}

static void json(struct why *x, const struct verdict_times *all)
{
	int verdict = verdict_first(all);
	struct buf *b = &x->out;

	buf_putc(b, '{');
	json_kv_str(b, "verdict", verdict_name(verdict));
	put_shares(b, all);
	json_kv_str(b, "advice", advice_of_all(x, all));
	json_kv_u64(b, "n_connections", x->n);
	json_key(b, "connections");
	buf_putc(b, '[');
	for (size_t i = 0; i < x->n; i++) {
		if (i)
			buf_putc(b, ',');
		put_connection(b, &x->subjects[i]);
	}
	buf_puts(b, "]}\n");
}

static void text_shares(struct buf *b, const struct verdict_times *t)
{
	for (int v = 0; v < VERDICT_MAX; v++)
		buf_printf(b, "%s%s %.0f%%", v ? ", " : "", verdict_name(v),
			   100 * verdict_share(t, (unsigned int)v));
	buf_putc(b, '\n');
}

static void put_unit(struct buf *b, const char *name, uint8_t unit, double v)
{
	char s[16];

	unit_format(unit, v, s, sizeof(s));
	buf_printf(b, " %s %s", name, s);
}

static void text_connection(struct buf *b, const struct subject *s)
{
	const struct flow *f = s->flow;
	const struct flow_tcp *t = f->tcp;
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN];
	const char *name = verdict_name(verdict_first(&s->times));

	buf_printf(b,
		   "\n%s:%u > %s:%u  %.16s[%u]  %s\n  shares:", addr_str(f->tuple.laddr, l) ?: "*",
		   f->tuple.lport, addr_str(f->tuple.raddr, r) ?: "*", f->tuple.rport,
		   f->last->tgid ? f->last->comm : "?", f->last->tgid,
		   name ? name : "not seen long enough");
	buf_putc(b, ' ');
	text_shares(b, &s->times);
	if (s->full)
		buf_printf(b, "  receive queue full %.0f%% of the time\n", 100 * full_share(s));
	buf_printf(b, "  cwnd %u", t->snd_cwnd);
	if (t->snd_ssthresh != 0x7fffffff)
		buf_printf(b, " ssthresh %u", t->snd_ssthresh);
	buf_printf(b, " in flight %u mss %u;", t->in_flight, t->mss);
	put_unit(b, "peer's window", UNIT_BYTES, t->snd_wnd);
	put_unit(b, "unsent", UNIT_BYTES, t->unsent_bytes);
	put_unit(b, "unread", UNIT_BYTES, t->unread_bytes);
	put_unit(b, "send buffer", UNIT_BYTES, t->sndbuf_bytes);
	buf_puts(b, "\n ");
	put_unit(b, "rtt", UNIT_USEC, t->srtt_us);
	put_unit(b, "±", UNIT_USEC, t->rttvar_us);
	if (t->min_rtt_us && t->min_rtt_us != UINT32_MAX)
		put_unit(b, "least", UNIT_USEC, t->min_rtt_us);
	if (t->delivery_rate)
		put_unit(b, "delivers", UNIT_RATE, (double)t->delivery_rate);
	if (t->pacing_rate != UINT64_MAX)
		put_unit(b, "paced at", UNIT_RATE, (double)t->pacing_rate);
	buf_printf(b, " retransmitted %.2f%% of bytes\n",
		   t->bytes_sent ? 100 * (double)t->bytes_retrans / (double)t->bytes_sent : 0);
}

static double duration(const struct why *x)
{
	return x->o.duration > 0 ? x->o.duration : SECONDS_DEFAULT;
}

static void text(struct why *x, const struct verdict_times *all)
{
	int verdict = verdict_first(all);
	struct buf *b = &x->out;

	if (!x->n) {
		buf_puts(b,
			 "no TCP connection matched: netprobe flows lists those that are open\n");
		return;
	}
	if (verdict < 0) {
		buf_printf(
			b,
			"%zu TCP connection%s matched, not long enough to tell: try --duration %g\n",
			x->n, x->n == 1 ? "" : "s", 2 * duration(x));
		return;
	}
	if (x->sink.color)
		buf_printf(b, "\033[1m%s\033[0m: %s\n", verdict_name(verdict),
			   advice_of_all(x, all));
	else
		buf_printf(b, "%s: %s\n", verdict_name(verdict), advice_of_all(x, all));
	buf_printf(b, "%zu connection%s: ", x->n, x->n == 1 ? "" : "s");
	text_shares(b, all);
	for (size_t i = 0; i < x->n && i < MAX_SHOWN; i++)
		text_connection(b, &x->subjects[i]);
	if (x->n > MAX_SHOWN)
		buf_printf(b, "\n... and %zu more (--format json lists all)\n", x->n - MAX_SHOWN);
}

static int print(struct why *x)
{
	struct verdict_times all;

	pack(x);
	if (x->o.sock && !x->n) {
		log_err("--sock: there is no TCP connection with socket cookie %llu; netprobe flows lists them",
			(unsigned long long)x->o.sock);
		return -ESRCH;
	}
	sum_up(x, &all);
	if (x->o.format == 1)
		json(x, &all);
	else
		text(x, &all);
	return sink_write(&x->sink, &x->out);
}

static int run(struct why *x)
{
	struct session_opts so = { .full_sweeps = true, .flows = { .keep_closed = true } };
	struct netprobe_error err = {};
	struct loop loop;
	int r;

	if (filter_build(&x->o, &so.filter, &err) || sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	so.filter.proto_mask = NP_PROTO_TCP;
	cli_session_opts(&x->o, &so);
	r = session_open(&so, &x->session, &err);
	if (r)
		return cli_session_failed(&err);
	loop = (struct loop){
		.session = x->session,
		.interval = SAMPLE_SECONDS,
		.duration = duration(x),
		.on_tick = on_tick,
		.input_fd = -1,
		.opts = &x->o,
		.arg = x,
	};
	r = loop_run(&loop) ?: print(x);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	if (r == -ESRCH)
		return EXIT_USAGE;
	log_err("cannot tell: %s", strerror(-r));
	return EXIT_INTERNAL;
}

int cmd_why(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe why",
		.summary =
			"What limits the TCP connections that match the filters: application, receive window, "
			"send buffer, congestion window or loss, with the figures behind the verdict.",
		.tables = tables,
	};
	struct why x = {};
	int r;

	common_defaults(&x.o);
	r = common_parse(&spec, argc, argv, &x.o);
	if (r < 0)
		r = run(&x);
	free(x.subjects);
	(void)session_close(x.session);
	sink_close(&x.sink);
	buf_done(&x.out);
	common_done(&x.o);
	return r;
}
