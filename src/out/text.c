/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as one line for a person at a terminal: local time, what, how much, who, between whom.
 * Columns are padded, never cut, so that an odd long name costs alignment and not information; but for a terminal, which
 * has only so many columns, the less important parts of a line are shortened or left out.
 * Scripts read JSON (json.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "out/device.h"
#include "out/dns.h"
#include "out/drop.h"
#include "out/event.h"
#include "out/fit.h"
#include "out/lb.h"
#include "out/table.h"
#include "out/trace.h"

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define WHOLE 120 /* columns from which on nothing but the end of a line is cut */
#define ENDS 100  /* from which on both ends of a connection are shown, not the remote alone */
#define CLOCK 60  /* from which on the time is shown */

/* How wide the parts of a line are; in a narrow one they are cut to that, with one blank between them. */
struct layout {
	unsigned int columns; /* of the terminal; 0: nothing is cut */
	unsigned int type, value, who;
	bool cut;
};

static struct layout layout_for(unsigned int columns, bool name)
{
	if (!columns || columns >= WHOLE)
		return (struct layout){ columns, 15, 20, 24, false };
	if (columns >= ENDS)
		return (struct layout){ columns, 14, name ? 24 : 15, 18, true };
	if (columns >= CLOCK)
		return (struct layout){ columns, 14, name ? 20 : 15, 16, true };
	return (struct layout){ columns, 10, name ? 14 : 12, 14, true };
}

#define SGR_DIM "\033[2m"
#define SGR_RED "\033[31m"
#define SGR_GREEN "\033[32m"
#define SGR_YELLOW "\033[33m"
#define SGR_CYAN "\033[36m"
#define SGR_RESET "\033[0m"

static void pad(struct buf *b, unsigned int width, unsigned int columns, const struct layout *l)
{
	for (; width < columns; width++)
		buf_putc(b, ' ');
	buf_puts(b, l->cut ? " " : "  ");
}

static void put_time(struct buf *b, uint64_t wall_ns, bool color, const struct layout *l)
{
	time_t secs = (time_t)(wall_ns / NSEC_PER_SEC);
	struct tm tm = { 0 };

	if (l->columns && l->columns < CLOCK)
		return;
	(void)localtime_r(&secs, &tm);
	buf_printf(b, "%s%02d:%02d:%02d.%03u%s ", color ? SGR_DIM : "", tm.tm_hour, tm.tm_min,
		   tm.tm_sec, (unsigned int)(wall_ns % NSEC_PER_SEC / NSEC_PER_MSEC),
		   color ? SGR_RESET : "");
}

static const char *type_color(uint8_t kind)
{
	switch (kind) {
	case EVENT_BW:
	case EVENT_IFACE:
	case EVENT_GLOBAL:
	case EVENT_DNS:
	case EVENT_LB:
		return SGR_CYAN;
	case EVENT_CONN_OPEN:
		return SGR_GREEN;
	case EVENT_PROBE_LOSS:
		return SGR_YELLOW;
	case EVENT_CONN_CLOSE:
		return SGR_DIM;
	default:
		return SGR_RED;
	}
}

static void put_type(struct buf *b, const struct event *ev, bool color, const struct layout *l)
{
	const char *name = event_type_name(ev->kind);
	unsigned int width;

	if (color)
		buf_puts(b, type_color(ev->kind));
	width = utf8_put_printable(b, name, strlen(name), l->cut ? l->type : 0);
	if (color)
		buf_puts(b, SGR_RESET);
	pad(b, width, l->type, l);
}

/* A figure needs its unit; RETRANSMIT:5 says by itself what it counts. */
static void put_value(struct buf *b, const struct event *ev, const struct layout *l)
{
	size_t len;
	const char *value = event_value(ev, &len);
	unsigned int width = utf8_put_printable(b, value, len, l->cut ? l->value : 0);

	if (len && ev->unit && !ev->long_value && value[0] >= '0' && value[0] <= '9') {
		buf_putc(b, ' ');
		width += 1 + utf8_put_printable(b, ev->unit, strlen(ev->unit), 0);
	}
	pad(b, width, l->value, l);
}

/* Of a name that is too long its number stays. */
static unsigned int put_comm(struct buf *b, const char *name, size_t len, unsigned int room)
{
	struct buf field = {};
	unsigned int width = utf8_put_field(&field, name, len);

	if (room && width > room)
		width = utf8_put_printable(b, field.data, field.len, room);
	else
		buf_put(b, field.data, field.len);
	b->err = b->err ?: field.err;
	buf_done(&field);
	return width;
}

static void put_who(struct buf *b, const struct event *ev, const struct layout *l)
{
	const struct process *p = event_owner(ev);
	unsigned int width;
	char pid[16];

	if (!p) {
		buf_putc(b, '-');
		pad(b, 1, l->who, l);
		return;
	}
	(void)snprintf(pid, sizeof(pid), "[%u]", p->tgid);
	width = put_comm(b, p->comm[0] ? p->comm : "?",
			 p->comm[0] ? strnlen(p->comm, sizeof(p->comm)) : 1,
			 l->cut ? l->who - (unsigned int)strlen(pid) : 0);
	buf_puts(b, pid);
	pad(b, width + (unsigned int)strlen(pid), l->who, l);
}

/* A name stands beside its address, which alone is sure. */
static void put_name(struct buf *b, const char *name)
{
	if (!name)
		return;
	buf_putc(b, '(');
	(void)utf8_put_field(b, name, strlen(name));
	buf_puts(b, ") ");
}

static void put_end(struct buf *b, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	const char *s = addr_str(addr, text);

	if (!s)
		s = "*";
	buf_printf(b, strchr(s, ':') ? "[%s]" : "%s", s);
	if (port)
		buf_printf(b, ":%u", port);
}

static void put_where(struct buf *b, const struct event *ev, const struct layout *l)
{
	const struct np_tuple *t = ev->tuple;
	char ifname[17];
	const char *iface = event_iface(ev, ifname);

	if (t && t->family) {
		if (!l->columns || l->columns >= ENDS) {
			put_end(b, t->laddr, t->lport);
			buf_puts(b, " > ");
		}
		put_end(b, t->raddr, t->rport);
		buf_putc(b, ' ');
		put_name(b, ev->rname);
	}
	if (iface) {
		(void)utf8_put_field(b, iface, strlen(iface));
		buf_putc(b, ' ');
	}
}

static void put_unit(struct buf *b, const char *name, uint8_t unit, double v)
{
	char text[16];

	unit_format(unit, v, text, sizeof(text));
	buf_printf(b, "%s %s ", name, text);
}

static void put_nonzero(struct buf *b, const char *name, uint64_t v)
{
	if (v)
		buf_printf(b, "%s %llu ", name, (unsigned long long)v);
}

static void put_loss(struct buf *b, const struct event *ev)
{
	const struct np_loss *l = ev->loss ? &ev->loss->count : NULL;

	buf_putc(b, ' ');
	(void)utf8_put_field(b, ev->entity_id, strnlen(ev->entity_id, sizeof(ev->entity_id)));
	buf_putc(b, ' ');
	if (!l)
		return;
	put_nonzero(b, "seen", loss_seen(l));
	put_nonzero(b, "submitted", l->submitted);
	put_nonzero(b, "ring_full", l->ring_full);
	put_nonzero(b, "filtered", l->filtered);
	put_nonzero(b, "sampled_out", l->sampled_out);
	put_nonzero(b, "rate_limited", l->rate_limited);
	put_nonzero(b, "map_full", l->map_full);
	put_nonzero(b, "lost_tx_bytes", l->lost_tx_bytes);
	put_nonzero(b, "lost_rx_bytes", l->lost_rx_bytes);
	put_nonzero(b, "missed", ev->loss->missed);
	put_nonzero(b, "implausible", ev->loss->implausible);
	put_nonzero(b, "helper_errors", l->helper_err);
}

static void put_close(struct buf *b, const struct event *ev)
{
	if (ev->counts) {
		put_unit(b, "tx", UNIT_BYTES, (double)ev->counts->tx_bytes);
		put_unit(b, "rx", UNIT_BYTES, (double)ev->counts->rx_bytes);
		put_nonzero(b, "retransmits", ev->counts->retrans);
	}
	if (ev->tcp && ev->tcp->srtt_us)
		put_unit(b, "rtt", UNIT_USEC, ev->tcp->srtt_us);
}

static void put_extra(struct buf *b, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_BW:
	case EVENT_IFACE:
	case EVENT_GLOBAL:
		if (ev->device) {
			device_put_text(b, ev->device);
			break;
		}
		put_unit(b, "tx", UNIT_BYTES, (double)ev->tx_bytes);
		put_unit(b, "rx", UNIT_BYTES, (double)ev->rx_bytes);
		break;
	case EVENT_CONN_OPEN:
		if (ev->connect_us)
			put_unit(b, "connect", UNIT_USEC, ev->connect_us);
		break;
	case EVENT_CONN_CLOSE:
		put_close(b, ev);
		break;
	case EVENT_PROBE_LOSS:
		put_loss(b, ev);
		break;
	case EVENT_STALL:
		buf_puts(b, ev->ended ? "over " : "goes on ");
		break;
	case EVENT_DROP:
		drop_put_text(b, ev->drop, ev->tuple);
		break;
	case EVENT_DNS:
		dns_put_text(b, ev->dns);
		break;
	case EVENT_TRACE:
		trace_put_text(b, ev->trace);
		break;
	case EVENT_LB:
		lb_put_text(b, ev->lb);
		break;
	case EVENT_HEALTH:
	case EVENT_AGAIN:
		news_put_text(b, ev->kind, ev->news);
		break;
	default:
		if (ev->attack)
			attack_put_text(b, ev->kind, ev->attack);
	}
	if (ev->cause)
		buf_printf(b, "%s ", ev->cause);
	if (errno_name(ev->err))
		buf_printf(b, "%s ", errno_name(ev->err));
}

/* Cut at the right margin, which only what is long by its nature reaches. */
static void cut(struct buf *out, size_t start, const struct layout *l)
{
	struct buf line = {};

	if (!l->columns || out->err)
		return;
	fit_line(&line, out->data + start, out->len - start, l->columns);
	out->len = start;
	buf_put(out, line.data, line.len);
	out->err = out->err ?: line.err;
	buf_done(&line);
}

static void put_line(struct buf *out, const struct event *ev, bool color, const struct layout *l)
{
	size_t start = out->len;
	bool extra_first = l->cut && ev->kind == EVENT_DNS; /* an answer before who gave it */

	put_time(out, ev->wall_ns, color, l);
	put_type(out, ev, color, l);
	put_value(out, ev, l);
	/* probe.loss is about a program of the probe, not about anybody's traffic. */
	if (event_has_place(ev)) {
		if (event_has_owner(ev))
			put_who(out, ev, l);
		if (extra_first)
			put_extra(out, ev);
		put_where(out, ev, l);
	}
	if (!extra_first)
		put_extra(out, ev);
	if (ev->sample_rate > 1)
		buf_printf(out, " (1 in %u)", ev->sample_rate);
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->len--;
	if (!ev->drop || !ev->drop->n_stack) /* which somebody asked for */
		cut(out, start, l);
}

int event_write_text(struct buf *out, const struct event *ev, bool color, unsigned int columns)
{
	const struct layout l = layout_for(columns, ev->kind == EVENT_DNS);
	size_t start = out->len;
	struct text_locale locale;

	if (ev->kind >= EVENT_MAX)
		return -EINVAL;
	if (columns)
		locale = text_locale_take();
	put_line(out, ev, color, &l);
	if (columns)
		text_locale_give(&locale);
	buf_putc(out, '\n');
	if (out->err)
		out->len = start;
	return out->err;
}
