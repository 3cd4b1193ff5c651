/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netprobe why`: what limits a connection, a process or a container now. Samples the kernel's own
 * accounting of each connection ten times a second; no hook on the data path is needed for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/utf8.h"
#include "cli/row.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "out/fit.h"
#include "out/table.h"
#include "out/words.h"

#define SAMPLE_SECONDS 0.1
#define MAX_SHOWN 20
#define SECONDS_DEFAULT 3

/* One connection under examination. */
struct subject {
	struct netprobe_flow last; /* its strings are not good any more but for these */
	char comm[17], iface[17], state[16];
	struct netprobe_container
		container; /* of the process that used it last; its strings are kept */
	struct netprobe_verdict_sum sum;
	struct netprobe_verdict_sum now; /* the same, what is older weighing less and less */
	uint64_t tx_bytes, rx_bytes;	 /* when it was first seen */
	uint32_t looks, full;		 /* at the receive queue, and how often it was full */
	bool wanted;			 /* it matched at one of them */
};

struct why {
	struct common_opts o;
	struct sink sink;
	struct netprobe_expr *match; /* NULL: all */
	struct netprobe_manager *manager;
	struct subject *subjects;
	size_t n, room;
	size_t mptcp;	 /* connections of MPTCP in the last look */
	uint32_t *slots; /* by the flow's id, open addressing: index + 1; 0 free */
	size_t n_slots;	 /* a power of two */
	struct buf out;
	struct row_stamp stamp;
	struct strings strings;
	int err;
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Why"),
	ROW("sock", 0, OPTION_U64, sock, "COOKIE", "only the connection with this socket cookie",
	    .min = 1),
	ROW("match", 0, OPTION_STRING, match, "EXPR",
	    "only connections that match: 'port:443 rtt>50ms', nginx; see netprobe-expressions(5)"),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "look so long (default 3)", .min = 200),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write there instead of stdout"),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static size_t slot_of(const struct why *x, uint32_t id)
{
	size_t slot = id & (x->n_slots - 1);

	while (x->slots[slot] && x->subjects[x->slots[slot] - 1].last.id != id)
		slot = (slot + 1) & (x->n_slots - 1);
	return slot;
}

/* Room for one more. -ENOMEM. */
static int grow(struct why *x)
{
	size_t room = x->room ? x->room * 2 : 128;
	uint32_t *slots = calloc(room * 2, sizeof(*slots));
	struct subject *more;

	if (!slots)
		return -ENOMEM;
	more = reallocarray(x->subjects, room, sizeof(*more));
	if (!more) {
		free(slots);
		return -ENOMEM;
	}
	x->subjects = more;
	x->room = room;
	free(x->slots);
	x->slots = slots;
	x->n_slots = room * 2;
	for (size_t i = 0; i < x->n; i++)
		x->slots[slot_of(x, x->subjects[i].last.id)] = (uint32_t)i + 1;
	return 0;
}

/* NULL: it is new, and is given room; or there is none (x->err). */
static struct subject *subject_of(struct why *x, const struct netprobe_flow *f, bool *ret_new)
{
	size_t slot;

	if (x->n == x->room && grow(x)) {
		x->err = -ENOMEM;
		return NULL;
	}
	slot = slot_of(x, f->id);
	*ret_new = !x->slots[slot];
	if (*ret_new) {
		x->subjects[x->n] = (struct subject){ .sum.size = sizeof(x->subjects->sum),
						      .now.size = sizeof(x->subjects->now),
						      .last.id = f->id,
						      .tx_bytes = f->tx_bytes,
						      .rx_bytes = f->rx_bytes };
		x->slots[slot] = (uint32_t)++x->n;
	}
	return &x->subjects[x->slots[slot] - 1];
}

/* Looks come ten times a second: after half a second a quarter of the weight is left. */
static void fade(struct netprobe_verdict_sum *t)
{
	for (uint32_t v = 0; v < NETPROBE_VERDICT_MAX; v++)
		t->us[v] -= t->us[v] / 4;
	t->nagle_us -= t->nagle_us / 4;
	t->cork_us -= t->cork_us / 4;
}

static int sample(const struct netprobe_flow *f, void *arg)
{
	struct why *x = arg;
	struct subject *s;
	bool is_new, wanted = !x->match || netprobe_expr_flow(x->match, f) > 0;

	x->mptcp += wanted && f->proto == NETPROBE_IPPROTO_MPTCP && f->rport && !f->closed &&
		    !f->part;
	if (!f->has_tcp || f->part || f->former || f->listens || !f->rport ||
	    (x->o.sock && f->sock != x->o.sock))
		return 0;
	s = subject_of(x, f, &is_new);
	if (!s)
		return x->err;
	s->wanted = s->wanted || wanted;
	s->looks++;
	s->full += f->queue_full;
	if (!is_new) {
		fade(&s->now);
		(void)netprobe_verdict_add(&s->sum, &s->last, f);
		(void)netprobe_verdict_add(&s->now, &s->last, f);
	}
	s->last = *f;
	(void)snprintf(s->comm, sizeof(s->comm), "%s", f->last_comm);
	(void)snprintf(s->iface, sizeof(s->iface), "%s", f->iface);
	(void)snprintf(s->state, sizeof(s->state), "%s", f->state);
	/* the owner's is told */
	s->container = f->last_pid == f->pid ? f->container : (struct netprobe_container){};
	x->err = row_container_keep(&x->strings, &s->container);
	return x->err;
}

static int on_tick(void *arg)
{
	struct why *x = arg;
	int r;

	x->mptcp = 0;
	r = netprobe_manager_flows(x->manager, sample, x, NULL);

	return x->err ? x->err : r < 0 ? r : 0;
}

static uint64_t tx_moved(const struct subject *s)
{
	return s->last.tx_bytes - s->tx_bytes;
}

static uint64_t rx_moved(const struct subject *s)
{
	return s->last.rx_bytes - s->rx_bytes;
}

static uint64_t moved(const struct subject *s)
{
	return tx_moved(s) + rx_moved(s);
}

/* An end that sends little of what it moves is not to be judged by its sending. */
static bool receives(const struct subject *s)
{
	return rx_moved(s) > 10 * tx_moved(s) && rx_moved(s) > 10000;
}

static double full_share(const struct subject *s)
{
	return s->looks ? (double)s->full / s->looks : 0;
}

/* The largest share; NETPROBE_VERDICT_NONE where no time was looked at. */
static uint32_t first_of(const struct netprobe_verdict_sum *t)
{
	uint32_t first = NETPROBE_VERDICT_NONE;

	for (uint32_t i = 0; i < NETPROBE_VERDICT_MAX; i++)
		if (t->us[i] && (first == NETPROBE_VERDICT_NONE || t->us[i] > t->us[first]))
			first = i;
	return first;
}

static double share_of(const struct netprobe_verdict_sum *t, uint32_t verdict)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < NETPROBE_VERDICT_MAX; i++)
		all += t->us[i];
	return all ? (double)t->us[verdict] / (double)all : 0;
}

/* Where its own stack holds the bytes back, what to do about that; else NULL. */
static const char *advice_held(const struct netprobe_verdict_sum *t)
{
	const char *held = netprobe_verdict_detail(t);

	if (!held)
		return NULL;
	return !strcmp(held, "cork")
		       ? "TCP_CORK holds back less than a segment: the process should take it off when a "
			 "message is whole."
		       : "Small writes wait until the one before is acknowledged, which the peer delays "
			 "(Nagle's algorithm): set TCP_NODELAY, or write a message in one go.";
}

static const char *advice_of(const struct subject *s)
{
	uint32_t verdict = first_of(&s->sum);
	bool slow = full_share(s) >= 0.5;

	if (netprobe_verdict_detail(&s->sum))
		return advice_held(&s->sum);
	if (verdict == NETPROBE_VERDICT_APPLICATION && (slow || receives(s)))
		return netprobe_verdict_advice_receiver(slow);
	return netprobe_verdict_advice(verdict);
}

/* Of all: that of the one that works hardest, where it came to the same. */
static const char *advice_of_all(const struct why *x, const struct netprobe_verdict_sum *all)
{
	uint32_t verdict = first_of(all);

	if (netprobe_verdict_detail(all))
		return advice_held(all);
	if (verdict == NETPROBE_VERDICT_APPLICATION && x->n &&
	    first_of(&x->subjects[0].sum) == verdict)
		return advice_of(&x->subjects[0]);
	return netprobe_verdict_advice(verdict);
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

/* Of several connections those that did something count; if none did, all of them. */
static void sum_up(const struct why *x, struct netprobe_verdict_sum *ret)
{
	bool busy = false;

	*ret = (struct netprobe_verdict_sum){ .size = sizeof(*ret) };
	for (size_t i = 0; i < x->n; i++)
		busy |= first_of(&x->subjects[i].sum) != NETPROBE_VERDICT_NONE &&
			share_of(&x->subjects[i].sum, NETPROBE_VERDICT_APPLICATION) < 1;
	for (size_t i = 0; i < x->n; i++) {
		const struct subject *s = &x->subjects[i];

		if (busy && share_of(&s->sum, NETPROBE_VERDICT_APPLICATION) >= 1)
			continue;
		for (unsigned int v = 0; v < NETPROBE_VERDICT_MAX; v++)
			ret->us[v] += s->sum.us[v];
		ret->nagle_us += s->sum.nagle_us;
		ret->cork_us += s->sum.cork_us;
	}
}

static void put_shares(struct buf *b, const struct netprobe_verdict_sum *t)
{
	json_key(b, "shares");
	buf_putc(b, '{');
	for (uint32_t v = 0; v < NETPROBE_VERDICT_MAX; v++)
		json_kv_double(b, netprobe_verdict_name(v), share_of(t, v));
	buf_putc(b, '}');
}

#define SSTHRESH_NONE 0x7fffffff

static void put_figures(struct buf *b, const struct netprobe_flow *t)
{
	json_kv_u64_or_null(b, "srtt_us", t->srtt_us);
	if (t->srtt_us)
		json_kv_u64(b, "rttvar_us", t->rttvar_us);
	else
		json_kv_null(b, "rttvar_us"); /* what the kernel begins with */
	json_kv_u64_or_null(b, "min_rtt_us", t->min_rtt_us);
	json_kv_u64(b, "cwnd", t->cwnd);
	if (t->ssthresh == SSTHRESH_NONE)
		json_kv_null(b, "ssthresh");
	else
		json_kv_u64(b, "ssthresh", t->ssthresh);
	json_kv_u64(b, "in_flight", t->in_flight);
	json_kv_u64(b, "mss_bytes", t->mss);
	json_kv_u64(b, "rwnd_bytes", t->peer_window);
	json_kv_u64(b, "rcv_wnd_bytes", t->receive_window);
	json_kv_u64(b, "unsent_bytes", t->unsent_bytes);
	json_kv_u64(b, "unread_bytes", t->unread_bytes);
	json_kv_u64(b, "sndbuf_bytes", t->sndbuf_bytes);
	json_kv_u64(b, "sndbuf_used_bytes", t->sndbuf_used_bytes);
	if (t->pacing_bytes_per_s == UINT64_MAX)
		json_kv_null(b, "pacing_bytes_per_s");
	else
		json_kv_u64(b, "pacing_bytes_per_s", t->pacing_bytes_per_s);
	json_kv_u64_or_null(b, "delivery_bytes_per_s", t->delivery_bytes_per_s);
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
	const struct netprobe_flow *f = &s->last;
	char addr[INET6_ADDRSTRLEN];

	buf_putc(b, '{');
	json_kv_u64_or_null(b, "pid", f->last_pid);
	json_kv_str(b, "comm", f->last_pid ? s->comm : NULL);
	row_container_json(b, &s->container);
	json_kv_str(b, "laddr", addr_str(f->laddr, addr));
	json_kv_u64_or_null(b, "lport", f->lport);
	json_kv_str(b, "raddr", addr_str(f->raddr, addr));
	json_kv_u64_or_null(b, "rport", f->rport);
	json_kv_str(b, "iface", s->iface[0] ? s->iface : NULL);
	json_kv_u64_or_null(b, "sock", f->sock);
	json_kv_str(b, "state", s->state[0] ? s->state : NULL);
	json_kv_str(b, "verdict", netprobe_verdict_name(first_of(&s->sum)));
	json_kv_str(b, "detail", netprobe_verdict_detail(&s->sum));
	json_kv_str(b, "now", netprobe_verdict_name(first_of(&s->now)));
	put_shares(b, &s->sum);
	json_kv_str(b, "advice", advice_of(s));
	json_kv_double(b, "receive_queue_full", full_share(s));
	json_kv_u64(b, "tx_bytes", tx_moved(s));
	json_kv_u64(b, "rx_bytes", rx_moved(s));
	put_figures(b, f);
	buf_putc(b, '}');
}

static void json(struct why *x, const struct netprobe_verdict_sum *all)
{
	uint32_t verdict = first_of(all);
	struct buf *b = &x->out;

	row_begin_json(b, &x->stamp);
	json_kv_str(b, "verdict", netprobe_verdict_name(verdict));
	json_kv_str(b, "detail", netprobe_verdict_detail(all));
	put_shares(b, all);
	json_kv_str(b, "advice", advice_of_all(x, all));
	json_kv_u64(b, "connections", x->n);
	json_kv_u64(b, "mptcp_connections", x->mptcp);
	json_key(b, "flows");
	buf_putc(b, '[');
	for (size_t i = 0; i < x->n; i++) {
		if (i)
			buf_putc(b, ',');
		put_connection(b, &x->subjects[i]);
	}
	buf_puts(b, "]}\n");
}

static void text_shares(struct buf *b, const struct netprobe_verdict_sum *t)
{
	for (uint32_t v = 0; v < NETPROBE_VERDICT_MAX; v++)
		buf_printf(b, "%s%s %.0f%%", v ? ", " : "", netprobe_verdict_name(v),
			   100 * share_of(t, v));
	buf_putc(b, '\n');
}

static void put_unit(struct buf *b, const char *name, uint8_t unit, double v)
{
	char s[16];

	unit_format(unit, v, s, sizeof(s));
	buf_printf(b, " %s %s", name, s);
}

/* Processes choose their names. */
static void put_name(struct buf *b, const char *name)
{
	(void)utf8_put_field(b, name, strlen(name));
}

static void text_connection(struct buf *b, const struct subject *s)
{
	const struct netprobe_flow *t = &s->last;
	char l[INET6_ADDRSTRLEN], r[INET6_ADDRSTRLEN];
	const char *name = netprobe_verdict_name(first_of(&s->sum));
	const char *now = netprobe_verdict_name(first_of(&s->now));

	buf_printf(b, "\n%s:%u > %s:%u  ", addr_str(t->laddr, l) ?: "*", t->lport,
		   addr_str(t->raddr, r) ?: "*", t->rport);
	if (t->last_pid) {
		put_name(b, s->comm);
		buf_printf(b, "[%u]", t->last_pid);
	} else {
		buf_puts(b, "process not known");
	}
	buf_printf(b, "  %s\n  shares:", name ? name : "not seen long enough");
	buf_putc(b, ' ');
	text_shares(b, &s->sum);
	if (netprobe_verdict_detail(&s->sum))
		buf_printf(b, "  held back by: %s\n", netprobe_verdict_detail(&s->sum));
	if (now)
		buf_printf(b, "  now: %s\n", now);
	if (s->full)
		buf_printf(b, "  receive queue full %.0f%% of the time\n", 100 * full_share(s));
	buf_printf(b, "  cwnd %u", t->cwnd);
	if (t->ssthresh != SSTHRESH_NONE)
		buf_printf(b, " ssthresh %u", t->ssthresh);
	buf_printf(b, " in flight %u mss %u;", t->in_flight, t->mss);
	put_unit(b, "peer's window", UNIT_BYTES, t->peer_window);
	put_unit(b, "unsent", UNIT_BYTES, t->unsent_bytes);
	put_unit(b, "unread", UNIT_BYTES, t->unread_bytes);
	put_unit(b, "send buffer", UNIT_BYTES, t->sndbuf_bytes);
	buf_puts(b, "\n ");
	if (t->srtt_us) {
		put_unit(b, "rtt", UNIT_USEC, t->srtt_us);
		put_unit(b, "±", UNIT_USEC, t->rttvar_us);
	} else {
		buf_puts(b, " rtt not measured,");
	}
	if (t->min_rtt_us)
		put_unit(b, "least", UNIT_USEC, t->min_rtt_us);
	if (t->delivery_bytes_per_s)
		put_unit(b, "delivers", UNIT_RATE, (double)t->delivery_bytes_per_s);
	if (t->pacing_bytes_per_s != UINT64_MAX)
		put_unit(b, "paced at", UNIT_RATE, (double)t->pacing_bytes_per_s);
	buf_printf(b, " retransmitted %.2f%% of bytes\n",
		   t->bytes_sent ? 100 * (double)t->bytes_retrans / (double)t->bytes_sent : 0);
	buf_puts(b, "  since it began:");
	put_unit(b, "busy", UNIT_MSEC, (double)t->busy_us / 1e3);
	put_unit(b, "receive window", UNIT_MSEC, (double)t->rwnd_limited_us / 1e3);
	put_unit(b, "send buffer", UNIT_MSEC, (double)t->sndbuf_limited_us / 1e3);
	put_unit(b, "recovery", UNIT_MSEC, (double)t->recovery_us / 1e3);
	buf_putc(b, '\n');
	if (advice_of(s))
		buf_printf(b, "  %s\n", advice_of(s));
}

static double duration(const struct why *x)
{
	return x->o.duration > 0 ? x->o.duration : SECONDS_DEFAULT;
}

static void text(struct why *x, const struct netprobe_verdict_sum *all)
{
	uint32_t verdict = first_of(all);
	struct buf *b = &x->out;

	if (x->mptcp)
		buf_printf(
			b,
			"%zu MPTCP connection%s matched: what limits one is decided on each of its subflows, "
			"and not judged here\n",
			x->mptcp, x->mptcp == 1 ? "" : "s");
	if (!x->n) {
		buf_puts(b,
			 "no TCP connection matched: netprobe flows lists those that are open\n");
		return;
	}
	if (verdict == NETPROBE_VERDICT_NONE) {
		buf_printf(
			b,
			"%zu TCP connection%s matched, not long enough to tell: try --duration %g\n",
			x->n, x->n == 1 ? "" : "s", 2 * duration(x));
		return;
	}
	if (x->sink.color)
		buf_printf(b, "\033[1m%s\033[0m: %s\n", netprobe_verdict_name(verdict),
			   advice_of_all(x, all));
	else
		buf_printf(b, "%s: %s\n", netprobe_verdict_name(verdict), advice_of_all(x, all));
	buf_printf(b, "%zu connection%s: ", x->n, x->n == 1 ? "" : "s");
	text_shares(b, all);
	for (size_t i = 0; i < x->n && i < MAX_SHOWN; i++)
		text_connection(b, &x->subjects[i]);
	if (x->n > MAX_SHOWN)
		buf_printf(b, "\n... and %zu more (--format json lists all)\n", x->n - MAX_SHOWN);
}

/* Lines that are too wide for the terminal are broken between words. */
static int fit(struct why *x, unsigned int columns)
{
	struct text_locale locale;
	struct buf broken = {};

	if (!columns || x->out.err)
		return x->out.err;
	locale = text_locale_take();
	fit_words(&broken, x->out.data, x->out.len, columns);
	text_locale_give(&locale);
	buf_done(&x->out);
	x->out = broken;
	return broken.err;
}

static void leave_out(struct why *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		if (x->subjects[i].wanted)
			x->subjects[n++] = x->subjects[i];
	x->n = n;
}

static int print(struct why *x)
{
	struct netprobe_verdict_sum all;
	int r;

	leave_out(x);
	expr_tell(netprobe_expr_undecided(x->match), "connections");
	if (x->n)
		qsort(x->subjects, x->n, sizeof(*x->subjects), by_work);
	if (x->o.sock && !x->n) {
		struct netprobe_error err = {};

		(void)error_set(&err, -ESRCH,
				"--sock: there is no TCP connection with socket cookie %llu; "
				"netprobe flows lists them",
				(unsigned long long)x->o.sock);
		(void)cli_usage_failed(&err);
		return -ESRCH;
	}
	sum_up(x, &all);
	if (x->o.format == 1)
		json(x, &all);
	else
		text(x, &all);
	r = x->o.format == 1 ? 0 : fit(x, sink_columns(x->sink.fd));
	return r ?: sink_put(&x->sink, &x->out, NULL);
}

/* Nothing but TCP has a verdict: the rest need not be looked at. */
static int on_settings(struct settings *s, const struct common_opts *next, void *arg)
{
	int r = settings_match(s, next, ((struct why *)arg)->match);

	return r || next->filter[NETPROBE_FILTER_PROTO].n
		       ? r
		       : settings_filter(s, NETPROBE_FILTER_PROTO, "tcp");
}

static int run(void *command, struct settings *s)
{
	struct why *x = command;
	struct netprobe_error err = {};
	struct loop loop;
	int r;

	if (expr_take(x->o.match, NETPROBE_ABOUT_FLOW, &x->match, &err) ||
	    settings_fill(s, &x->o, &err))
		return cli_usage_failed(&err);
	s->c.read_idle = true;
	s->c.keep_closed = true;
	s->c.no_flow_events = true;
	if (on_settings(s, &x->o, x))
		return EXIT_INTERNAL;
	r = cli_manager(&x->o, s, &x->manager);
	if (r)
		return r;
	x->sink.once = true;
	if (sink_open(&x->sink, &x->o, &err))
		return cli_usage_failed(&err);
	r = cli_load(x->manager);
	if (r)
		return r;
	loop = (struct loop){
		.manager = x->manager,
		.interval = SAMPLE_SECONDS,
		.duration = duration(x),
		.on_tick = on_tick,
		.input_fd = -1,
		.sink = &x->sink,
		.opts = &x->o,
		.on_settings = on_settings,
		.arg = x,
	};
	r = loop_run(&loop);
	row_stamp_take(&x->stamp, x->manager);
	r = r ?: print(x);
	sink_rests(&x->sink);
	x->manager =
		netprobe_manager_free(x->manager); /* nothing runs while a reader is waited for */
	r = r ?: sink_finish(&x->sink);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	if (r == -ESRCH)
		return EXIT_USAGE;
	return stream_failed("the verdict", x->o.output, r);
}

static const struct option_row *const tables[] = { rows, filter_rows, common_rows, NULL };
static const char *const most_used[] = { "duration", "format",	  "sock", "pid",
					 "comm",     "container", "host", "dst-host",
					 "port",     "interface", NULL };
static const struct args_spec spec = {
	.prog = "netprobe why",
	.summary =
		"What limits the TCP connections that match the filters: application, receive window, "
		"send buffer, congestion window or loss, with the figures behind the verdict.",
	.most_used = most_used,
	.examples =
		"  netprobe why --port 443                  what limits the connections of a port\n"
		"  netprobe why --comm rsync --duration 10  a look of ten seconds\n",
	.tables = tables,
};

static void done(void *command)
{
	struct why *x = command;

	free(x->subjects);
	free(x->slots);
	(void)netprobe_manager_free(x->manager);
	(void)netprobe_expr_free(x->match);
	sink_close(&x->sink);
	buf_done(&x->out);
	strings_done(&x->strings);
}

const struct command_row why_command = {
	.spec = &spec,
	.size = sizeof(struct why),
	.run = run,
	.done = done,
};
