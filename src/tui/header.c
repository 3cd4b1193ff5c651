/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two lines at the top, what is missing from the figures among them, 
 * Pieces are put from the left while there is room; losses and PAUSED have their place
 * first, at the right, since hiding them would make the rest untrue.
 */
#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"
#include "tui/render.h"
#include "tui/cells.h"
#include "tui/text.h"

/* Where the next piece goes, and the column it must stay before. */
struct line {
	int y, x, end;
};

static void piece(struct grid *g, struct line *l, enum style style, const char *s)
{
	struct text t;

	text_set(&t, s, g->utf8);
	if (l->x + t.columns > l->end) {
		l->x = l->end; /* nor any after it: a hole in the line would mislead */
		return;
	}
	l->x = grid_put(g, l->y, l->x, t.columns, style, s) + 2;
}

/* A piece at the right end; the line then ends before it. */
static void piece_right(struct grid *g, struct line *l, enum style style, const char *s)
{
	struct text t;

	text_set(&t, s, g->utf8);
	text_cut_end(&t, (unsigned int)(l->end - l->x), g->glyphs->ellipsis);
	(void)grid_put(g, l->y, l->end - t.columns, t.columns, style, s);
	l->end -= t.columns + 2;
}

static void draw_top(struct grid *g, const struct tui_model *m)
{
	struct line l = { 0, 0, g->cols };
	char s[96], number[FMT_MAX];

	(void)snprintf(s, sizeof(s), "%s%02d:%02d:%02d", m->paused ? "PAUSED at " : "",
		       m->taken.tm_hour, m->taken.tm_min, m->taken.tm_sec);
	piece_right(g, &l, m->paused ? STYLE_LOSS : STYLE_NORMAL, s);
	piece(g, &l, STYLE_BOLD, "netprobe");
	if (m->status.sample_rate > 1) {
		(void)snprintf(s, sizeof(s), "sampled 1:%u", m->status.sample_rate);
		piece(g, &l, STYLE_WARN, s);
	}
	if (m->is_since) {
		(void)snprintf(s, sizeof(s), "sums since %02d:%02d:%02d", m->since.tm_hour,
			       m->since.tm_min, m->since.tm_sec);
		if (m->since.tm_yday != m->taken.tm_yday)
			(void)snprintf(s, sizeof(s), "sums since %02d-%02d %02d:%02d",
				       m->since.tm_mon + 1, m->since.tm_mday, m->since.tm_hour,
				       m->since.tm_min);
		piece(g, &l, STYLE_BOLD, s);
	}
	if (m->host[0])
		piece(g, &l, STYLE_NORMAL, m->host);
	(void)snprintf(s, sizeof(s), "%s%s%s", m->mode, m->hook[0] ? "/" : "", m->hook);
	piece(g, &l, STYLE_NORMAL, s);
	(void)snprintf(s, sizeof(s), "every %.3gs", m->interval_s);
	piece(g, &l, STYLE_DIM, s);
	fmt_uptime(m->status.uptime_s, number, sizeof(number));
	(void)snprintf(s, sizeof(s), "up %s", number);
	piece(g, &l, STYLE_DIM, s);
	if (m->status.programs) {
		(void)snprintf(s, sizeof(s), "%u programs", m->status.programs);
		piece(g, &l, STYLE_DIM, s);
	}
}

static void add_loss(char *s, size_t size, uint64_t n, const char *what)
{
	char number[FMT_MAX];
	size_t len = strlen(s);

	if (n == 0)
		return;
	fmt_count(n, number, sizeof(number));
	(void)snprintf(s + len, size - len, "%s%s %s", len ? ", " : "LOST ", what, number);
}

/* One line of what is not in the figures; false: nothing is missing. */
static bool losses(const struct tui_status *st, char *s, size_t size)
{
	char number[FMT_MAX];

	s[0] = '\0';
	if (st->lost_bytes) {
		fmt_bytes(st->lost_bytes, number, sizeof(number));
		(void)snprintf(s + strlen(s), size - strlen(s), "%s%sB", s[0] ? ", " : "LOST ",
			       number);
	}
	for (unsigned int i = 0; i < st->n_losses; i++)
		add_loss(s, size, st->losses[i].n, st->losses[i].program);
	if (st->programs_off)
		(void)snprintf(s + strlen(s), size - strlen(s), "%s%u program%s off",
			       s[0] ? ", " : "", st->programs_off,
			       st->programs_off == 1 ? "" : "s");
	if (s[0])
		return true;
	(void)snprintf(s, size, "lost 0");
	return false;
}

static void rate_piece(struct grid *g, struct line *l, const struct tui_model *m, enum style style,
		       const char *name, float rate)
{
	char s[48], number[FMT_MAX];

	fmt_si(m->bits ? 8.0 * (double)rate : (double)rate, number, sizeof(number));
	(void)snprintf(s, sizeof(s), "%s %5s%s", name, number, m->bits ? "b/s" : "B/s");
	piece(g, l, style, s);
}

/* Since the start; while it goes on, how fast, and of how many segments. */
static void retransmits_piece(struct grid *g, struct line *l, const struct tui_totals *t)
{
	char s[96], n[FMT_MAX], rate[FMT_MAX];
	double share = t->segs_rate > 0 ? 100 * (double)t->retrans_rate / (double)t->segs_rate : 0;

	fmt_count(t->retrans, n, sizeof(n));
	(void)snprintf(s, sizeof(s), "%s retransmits", n);
	if (t->retrans_rate > 0) {
		fmt_si((double)t->retrans_rate, rate, sizeof(rate));
		(void)snprintf(s, sizeof(s), "%s retransmits, %s/s %.*f%%", n, rate,
			       share < 10 ? 1 : 0, share > 100 ? 100 : share);
	}
	piece(g, l,
	      share >= RETRANS_BAD  ? STYLE_WARN
	      : t->retrans_rate > 0 ? STYLE_NORMAL
				    : STYLE_DIM,
	      s);
}

static void draw_totals(struct grid *g, const struct tui_model *m)
{
	const struct tui_totals *t = &m->totals;
	struct line l = { 1, 0, g->cols };
	char s[160], a[FMT_MAX], b[FMT_MAX];
	bool lost = losses(&m->status, s, sizeof(s));

	/* The rates (2 x 13 columns) stay whatever was lost. */
	l.x = 26;
	piece_right(g, &l, lost ? STYLE_LOSS : STYLE_DIM, s);
	l.x = 0;
	rate_piece(g, &l, m, STYLE_TX, "tx", t->tx_rate);
	rate_piece(g, &l, m, STYLE_RX, "rx", t->rx_rate);
	fmt_bytes(t->tx_bytes, a, sizeof(a));
	fmt_bytes(t->rx_bytes, b, sizeof(b));
	fmt_count(t->processes, s, 16);
	(void)snprintf(s + strlen(s), 32, " processes");
	piece(g, &l, STYLE_NORMAL, s);
	fmt_count(t->conns, s, 16);
	(void)snprintf(s + strlen(s), 32, " connections");
	piece(g, &l, STYLE_NORMAL, s);
	retransmits_piece(g, &l, t);
	if (t->inside_rate > 0)
		rate_piece(g, &l, m, STYLE_INSIDE, "inside", t->inside_rate);
	(void)snprintf(s, sizeof(s), "sum tx %sB rx %sB", a, b);
	piece(g, &l, STYLE_DIM, s);
}

void header_draw(struct grid *g, const struct tui_model *m)
{
	draw_top(g, m);
	draw_totals(g, m);
}
