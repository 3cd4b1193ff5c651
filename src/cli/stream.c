/* SPDX-License-Identifier: BSD-2-Clause */
/* See stream.h. */
#include "cli/stream.h"

#include <string.h>

#include "base/log.h"
#include "out/table.h"

#define FLUSH_BYTES 65536

int stream_flush(struct stream *s)
{
	int r;

	if (!s->out.len || s->failed)
		return s->failed;
	r = sink_write(&s->sink, &s->out);
	if (r)
		s->failed = r;
	return r;
}

void stream_event(struct stream *s, const struct event *ev, const char *host)
{
	int r;

	if (s->failed)
		return;
	r = s->format == FORMAT_TEXT   ? event_write_text(&s->out, ev, s->sink.color)
	    : s->format == FORMAT_JSON ? event_write_json(&s->out, ev, host)
				       : event_write_xctl(&s->out, ev, host);
	if (r) {
		s->failed = r;
		return;
	}
	s->written++;
	if (s->out.len >= FLUSH_BYTES)
		(void)stream_flush(s);
}

int stream_failed(const char *what, const char *output, int r)
{
	log_err("cannot write %s%s%s: %s", what, output ? " to " : "", output ? output : "",
		strerror(-r));
	return EXIT_INTERNAL;
}

void stream_done(struct stream *s)
{
	sink_close(&s->sink);
	buf_done(&s->out);
}
