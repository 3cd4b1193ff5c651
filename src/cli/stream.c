/* SPDX-License-Identifier: BSD-2-Clause */
/* See stream.h. */
#include "cli/stream.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "out/table.h"

#define FLUSH_BYTES 65536

uint32_t stream_formats(const struct stream *s)
{
	switch (s->format) {
	case FORMAT_JSON:
		return 0;
	case FORMAT_TEXT:
		return NETPROBE_FORMAT_NO_JSON | NETPROBE_FORMAT_TEXT |
		       (s->sink.color ? NETPROBE_FORMAT_COLOR : 0);
	case FORMAT_XCTL:
		return NETPROBE_FORMAT_NO_JSON | NETPROBE_FORMAT_XCTL;
	default:
		return NETPROBE_FORMAT_NO_JSON;
	}
}

int stream_resize(const struct stream *s, struct netprobe_manager *m)
{
	struct netprobe_config c = { .size = sizeof(c) };
	unsigned int columns = s->format == FORMAT_TEXT ? sink_columns(s->sink.fd) : 0;
	int r = netprobe_manager_get_config(m, &c);

	if (r || c.text_columns == columns)
		return r;
	c.text_columns = columns;
	/* a filter may name what is gone by now: lines keep their width then */
	(void)netprobe_manager_update_config(m, &c, NULL);
	return 0;
}

static int put(struct stream *s)
{
	uint64_t lost = 0;
	int r;

	if (!s->out.len || s->failed)
		return s->failed;
	r = s->counts ? sink_put(&s->sink, &s->out, &lost)
		      : sink_put_lines(&s->sink, &s->out, &s->packets, &lost);
	s->written -= lost < s->written ? lost : s->written;
	s->lines = 0;
	if (r)
		s->failed = r;
	return r;
}

int stream_flush(struct stream *s)
{
	int r = put(s);

	sink_go(&s->sink);
	return r;
}

int stream_finish(struct stream *s, struct netprobe_manager *m)
{
	int r = stream_flush(s);

	if (!r)
		sink_tell(&s->sink, m);
	return r ?: stream_flush(s);
}

bool stream_has_room(void *stream)
{
	struct stream *s = stream;
	size_t most = s->out.cap > 2 * FLUSH_BYTES ? s->out.cap : 2 * FLUSH_BYTES;

	return s->failed || sink_has_room(&s->sink, 2 * most);
}

void stream_ends(struct stream *s)
{
	(void)stream_flush(s);
	sink_ends(&s->sink);
}

/* Each tells what came since the one before, or all that was lost: one that is lost is missing for good. */
static bool is_count(const struct netprobe_event *ev)
{
	switch (*ev->type) { /* most are conn.*, and there are many */
	case 't':
		return !strcmp(ev->type, "transport.bw");
	case 'p':
		return !strcmp(ev->type, "probe.loss");
	case 'e':
		return !strcmp(ev->type, "error.net") && !strncmp(ev->value, "RETRANSMIT", 10);
	default:
		return false;
	}
}

/* Of each line that is no count: where one is lost it is known how much it told of. */
static void note_packets(struct stream *s, const struct netprobe_event *ev)
{
	static const uint64_t none;
	uint64_t n = 0;

	if (*ev->type == 't' && !strcmp(ev->type, "transport.drop") && ev->unit &&
	    !strcmp(ev->unit, "packets"))
		n = (uint64_t)ev->num;
	if (!n && !s->packets.len)
		return;
	while (s->packets.len < s->lines * sizeof(none) && !s->packets.err)
		buf_put(&s->packets, &none, sizeof(none));
	buf_put(&s->packets, &n, sizeof(n));
}

void stream_event(struct stream *s, const struct netprobe_event *ev)
{
	const char *line = s->format == FORMAT_TEXT   ? ev->text
			   : s->format == FORMAT_JSON ? ev->json
						      : ev->xctl;
	size_t len;

	/* Text has nothing to say of some. */
	if (s->failed || !line)
		return;
	len = strlen(line);
	sink_more(&s->sink);
	/* The memory of a piece is a power of two: one byte more would take twice as much. */
	if (s->counts != is_count(ev) || s->out.len + len >= FLUSH_BYTES)
		(void)put(s);
	s->counts = is_count(ev);
	buf_put(&s->out, line, len);
	buf_putc(&s->out, '\n');
	if (!s->counts)
		note_packets(s, ev);
	if (s->out.err) {
		s->failed = s->out.err;
		return;
	}
	s->written++;
	s->lines++;
}

int stream_failed(const char *what, const char *output, int r)
{
	if (r == -EMFILE) { /* it was not the writing */
		log_err("cannot go on: too few descriptors may be open here (ulimit -n)");
		return EXIT_CAPTURE;
	}
	if (r == -ENOMEM || r == -EAGAIN) {
		log_err("cannot go on with %s: out of memory or threads", what);
		return EXIT_INTERNAL;
	}
	log_err("cannot write %s%s%s: %s", what, output ? " to " : "", output ? output : "",
		r == -ETIMEDOUT ? "the reader did not take it in time" : strerror(-r));
	return EXIT_INTERNAL;
}

void stream_done(struct stream *s)
{
	sink_close(&s->sink);
	buf_done(&s->out);
	buf_done(&s->packets);
}
