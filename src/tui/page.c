/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of one connection: lines of figures, what limits it as a bar, and below them as much of
 * its last minute as there is room for. Lines come in the order in which they are missed when the
 * terminal is low.
 */
#include <stdio.h>
#include <string.h>

#include "tui/cells.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/render.h"

#define LABEL 10 /* columns of the names at the left */
#define NO_SSTHRESH 0x7fffffff

struct pen {
	struct grid *g;
	int y, x, end; /* lines up to end */
};

/* The next line; false: there is none. */
static bool line(struct pen *p, const char *label)
{
	p->y++;
	p->x = LABEL;
	if (p->y >= p->end)
		return false;
	(void)grid_put(p->g, p->y, 0, LABEL - 1, STYLE_DIM, label);
	return true;
}

/* "name value" where the pen is; a field that has no room is left out, and so are those behind it. */
static void field(struct pen *p, const char *name, enum style style, const char *value)
{
	int need = (int)(strlen(name) + (*name ? 1 : 0) + strlen(value));

	if (p->y >= p->end || p->x + need > p->g->cols) {
		p->x = p->g->cols;
		return;
	}
	if (*name)
		p->x = grid_put(p->g, p->y, p->x, p->g->cols, STYLE_DIM, name) + 1;
	p->x = grid_put(p->g, p->y, p->x, p->g->cols, style, value) + 2;
}

static void bytes_field(struct pen *p, const char *name, uint64_t v)
{
	char s[FMT_MAX];

	fmt_bytes(v, s, sizeof(s) - 1);
	(void)strcat(s, "B");
	field(p, name, STYLE_NORMAL, s);
}

static void count_field(struct pen *p, const char *name, uint64_t v, enum style style)
{
	char s[FMT_MAX];

	fmt_count(v, s, sizeof(s));
	field(p, name, v ? style : STYLE_DIM, s);
}

static void rate_field(struct pen *p, const struct tui_model *m, const char *name, double v,
		       enum style style)
{
	char s[FMT_MAX];

	fmt_si(m->bits ? 8 * v : v, s, sizeof(s) - 4);
	(void)strcat(s, m->bits ? "b/s" : "B/s");
	field(p, name, style, s);
}

static void title(struct pen *p, const struct detail *d)
{
	struct grid *g = p->g;
	const char *state = d->gone ? "GONE" : d->closed ? "CLOSED" : d->state;
	char right[96], left[sizeof(d->local) + sizeof(d->remote) + 8];
	int width;

	(void)snprintf(right, sizeof(right), "%s %s", d->proto, state);
	if (d->iface[0])
		(void)snprintf(right + strlen(right), sizeof(right) - strlen(right), " on %s",
			       d->iface);
	width = (int)strlen(right);
	(void)snprintf(left, sizeof(left), "%s %s %s", d->local, g->glyphs->arrow, d->remote);
	(void)grid_put_middle(g, p->y, 0, g->cols - width - 2, STYLE_BOLD, left);
	grid_put_right(g, p->y, g->cols - width, width,
		       d->closed || d->gone ? STYLE_LOSS : STYLE_NORMAL, right);
}

static void owner_lines(struct pen *p, const struct detail *d)
{
	if (!line(p, "owner"))
		return;
	field(p, "", d->owner[0] ? STYLE_BOLD : STYLE_DIM,
	      d->owner[0] ? d->owner : "nobody seen yet");
	if (d->user[0])
		field(p, "last used by", STYLE_NORMAL, d->user);
	if (d->exe[0] && p->x < p->g->cols)
		p->x = grid_put_middle(p->g, p->y, p->x, p->g->cols - p->x, STYLE_NORMAL, d->exe) +
		       2;
	/* Its container or cgroup beside it where both fit, else in a line of its own. */
	if (d->place[0] && p->x + (int)strlen(d->place) <= p->g->cols)
		field(p, "", STYLE_DIM, d->place);
	else if (d->place[0] && line(p, ""))
		(void)grid_put_middle(p->g, p->y, p->x, p->g->cols - p->x, STYLE_DIM, d->place);
}

/* "687MiB in 512k segs": short, so that both directions fit 80 columns whatever the figures. */
static void sum_field(struct pen *p, const struct detail *d, uint64_t bytes, uint64_t pkts)
{
	char b[FMT_MAX], n[FMT_MAX], s[3 * FMT_MAX];

	fmt_bytes(bytes, b, sizeof(b));
	fmt_count(pkts, n, sizeof(n));
	(void)snprintf(s, sizeof(s), "%sB in %s %s", b, n, d->tcp ? "segs" : "calls");
	field(p, "", bytes ? STYLE_NORMAL : STYLE_DIM, s);
}

static void traffic_line(struct pen *p, const struct tui_model *m)
{
	const struct detail *d = &m->detail;

	if (!line(p, "traffic"))
		return;
	rate_field(p, m, "tx", (double)d->tx_rate, d->tx_rate > 0 ? STYLE_TX : STYLE_DIM);
	sum_field(p, d, d->tx_bytes, d->tx_pkts);
	rate_field(p, m, "rx", (double)d->rx_rate, d->rx_rate > 0 ? STYLE_RX : STYLE_DIM);
	sum_field(p, d, d->rx_bytes, d->rx_pkts);
}

static void age_line(struct pen *p, const struct detail *d)
{
	char s[FMT_MAX];

	if (!line(p, "age"))
		return;
	if (d->age_s > 0)
		fmt_uptime(d->age_s, s, sizeof(s));
	/* of datagram sockets nobody tells when they were made */
	field(p, "", STYLE_NORMAL,
	      d->age_s > 0 ? s
	      : d->tcp	   ? "older than netprobe's start"
			   : "unknown");
	if (d->connect_us) {
		fmt_usec(d->connect_us, s, sizeof(s));
		field(p, "connected in", STYLE_NORMAL, s);
	}
	if (d->netns) {
		(void)snprintf(s, sizeof(s), "%u", d->netns);
		field(p, "network namespace", STYLE_NORMAL, s);
	}
}

/* The widths of the shares, which add up to width; what is there has at least one column. */
static void share_widths(const struct detail *d, int width, int w[NETPROBE_VERDICT_MAX])
{
	int first = detail_first(d), used = 0;
	unsigned int i;

	for (i = 0; i < NETPROBE_VERDICT_MAX; i++) {
		double share = detail_share(d, i);

		w[i] = (int)(share * width + 0.5);
		if (!w[i] && share > 0.001)
			w[i] = 1;
		used += w[i];
	}
	if (first >= 0)
		w[first] += width - used;
}

static void bar_line(struct pen *p, const struct detail *d)
{
	int w[NETPROBE_VERDICT_MAX], width = p->g->cols - LABEL, i;

	if (!line(p, "sending"))
		return;
	/* The kernel accounts for the sender only. */
	if (!d->tx_bytes) {
		field(p, "", STYLE_DIM, "this end only receives; run why on the sending host");
		return;
	}
	if (d->verdict < 0) {
		field(p, "", STYLE_DIM,
		      d->closed ? "closed before it could be told"
				: "shown after the next interval");
		return;
	}
	share_widths(d, width, w);
	for (i = 0; i < NETPROBE_VERDICT_MAX; i++) {
		while (w[i]-- > 0)
			p->x = grid_put(p->g, p->y, p->x, 1, verdict_style(i),
					p->g->glyphs->share[i]);
	}
}

static void legend_line(struct pen *p, const struct detail *d)
{
	char s[48];
	int i;

	if (d->verdict < 0 || !d->tx_bytes || !line(p, ""))
		return;
	for (i = 0; i < NETPROBE_VERDICT_MAX; i++) {
		enum style style = i == d->verdict ? STYLE_BOLD : verdict_style(i);

		/* few processes ask for a rate: told where one did */
		if (i == NETPROBE_VERDICT_PACING && detail_share(d, (unsigned int)i) <= 0)
			continue;
		(void)snprintf(s, sizeof(s), "%s %s %.0f%%", p->g->glyphs->share[i],
			       verdict_short(i), 100 * detail_share(d, (unsigned int)i));
		/* bytes are not columns here: no field() */
		p->x = grid_put(p->g, p->y, p->x, p->g->cols - p->x,
				detail_share(d, (unsigned int)i) < 0.005 ? STYLE_DIM : style, s) +
		       2;
	}
}

/* The sentence behind the verdict, broken at blanks. */
static void advice_lines(struct pen *p, const struct detail *d)
{
	const char *s = d->tx_bytes && d->verdict >= 0
				? netprobe_verdict_advice((uint32_t)d->verdict)
				: NULL;
	int width = p->g->cols - LABEL;

	while (s && *s) {
		size_t len = strlen(s), take = len;

		if (len > (size_t)width) {
			for (take = (size_t)width; take > 0 && s[take] != ' '; take--)
				;
			take = take ? take : (size_t)width;
		}
		if (!line(p, ""))
			return;
		(void)grid_printf(p->g, p->y, p->x, width, STYLE_NORMAL, "%.*s", (int)take, s);
		s += take;
		s += strspn(s, " ");
	}
}

static void usec_field(struct pen *p, const char *name, uint32_t us)
{
	char s[FMT_MAX];

	fmt_usec(us, s, sizeof(s));
	field(p, name, us ? STYLE_NORMAL : STYLE_DIM, s);
}

static void path_lines(struct pen *p, const struct tui_model *m)
{
	static const char *const phase[] = { "open", "disorder", "reduced", "recovery", "loss" };
	const struct netprobe_flow *t = &m->detail.figures;

	if (line(p, "rtt")) {
		usec_field(p, "smoothed", t->srtt_us);
		usec_field(p, "deviation", t->srtt_us ? t->rttvar_us : 0);
		if (t->min_rtt_us)
			usec_field(p, "least", t->min_rtt_us);
		if (t->delivery_bytes_per_s)
			rate_field(p, m, "delivers", (double)t->delivery_bytes_per_s, STYLE_NORMAL);
		if (t->pacing_bytes_per_s != UINT64_MAX)
			rate_field(p, m, "paced", (double)t->pacing_bytes_per_s, STYLE_NORMAL);
	}
	if (line(p, "cwnd")) {
		count_field(p, "segments", t->cwnd, STYLE_NORMAL);
		if (t->ssthresh != NO_SSTHRESH)
			count_field(p, "ssthresh", t->ssthresh, STYLE_NORMAL);
		count_field(p, "in flight", t->in_flight, STYLE_NORMAL);
		count_field(p, "mss", t->mss, STYLE_NORMAL);
		if (t->ca_state < sizeof(phase) / sizeof(phase[0]))
			field(p, "state", t->ca_state > 2 ? STYLE_WARN : STYLE_NORMAL,
			      phase[t->ca_state]);
	}
}

static void buffer_lines(struct pen *p, const struct detail *d)
{
	const struct netprobe_flow *t = &d->figures;
	char s[FMT_MAX];

	if (line(p, "windows")) {
		bytes_field(p, "peer's", t->peer_window);
		bytes_field(p, "ours", t->receive_window);
	}
	/* beside the windows where there is room for all */
	if (p->g->cols < 110 && !line(p, "buffers"))
		return;
	bytes_field(p, "unsent", t->unsent_bytes);
	bytes_field(p, "of send buffer", t->sndbuf_bytes);
	bytes_field(p, "unread", t->unread_bytes);
	fmt_msec(d->trouble.stall_ns / 1000000, s, sizeof(s));
	field(p, "stalled", d->trouble.stall_ns ? STYLE_WARN : STYLE_DIM, s);
}

static void resent_line(struct pen *p, const struct detail *d)
{
	const struct tui_trouble *t = &d->trouble;

	if (!line(p, "resent"))
		return;
	count_field(p, "segments", d->retrans, STYLE_WARN);
	count_field(p, "timeout", t->timeout, STYLE_WARN);
	count_field(p, "fast", t->fast, STYLE_WARN);
	count_field(p, "probe", t->probe, STYLE_WARN);
	if (t->synack)
		count_field(p, "SYN-ACK", t->synack, STYLE_WARN);
	count_field(p, "spurious", t->spurious, STYLE_WARN);
}

static void below_field(struct pen *p, const char *name, uint64_t us)
{
	char s[FMT_MAX + 1] = "<";

	if (us == UINT64_MAX) /* the slot has no end */
		(void)snprintf(s, sizeof(s), "-");
	else
		fmt_usec(us < UINT32_MAX ? (uint32_t)us : UINT32_MAX, s + 1, FMT_MAX);
	field(p, name, STYLE_NORMAL, s);
}

/* Of all sockets of the owner, with --latency. */
static void waits_line(struct pen *p, const struct detail *d)
{
	if (!(d->rx_wait[0] || d->tx_wait[0]) || !line(p, "waits"))
		return;
	if (d->rx_wait[0]) {
		below_field(p, "read half", d->rx_wait[0]);
		below_field(p, "99%", d->rx_wait[1]);
	}
	if (d->tx_wait[0]) {
		below_field(p, "sent half", d->tx_wait[0]);
		below_field(p, "99%", d->tx_wait[1]);
	}
}

void page_draw(struct grid *g, const struct tui_model *m, int y, int end)
{
	const struct detail *d = &m->detail;
	struct pen p = { g, y, 0, end };

	if (!d->local[0]) {
		(void)grid_put(g, y, 0, g->cols, STYLE_DIM,
			       "the connection is gone: Esc goes back");
		return;
	}
	title(&p, d);
	owner_lines(&p, d);
	traffic_line(&p, m);
	if (d->tcp) {
		bar_line(&p, d);
		legend_line(&p, d);
		advice_lines(&p, d);
		path_lines(&p, m);
		buffer_lines(&p, d);
		resent_line(&p, d);
	}
	waits_line(&p, d);
	age_line(&p, d);
	plots_draw(g, m, p.y + 1, end);
}
