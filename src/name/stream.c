/* SPDX-License-Identifier: BSD-2-Clause */
/* See stream.h. */
#include "name/stream.h"

#include <stdlib.h>
#include <string.h>

struct stream {
	uint64_t key; /* 0 not in use */
	uint64_t used_ns;
	uint32_t next; /* sequence number that is to come */
	bool lost;     /* nobody knows where messages begin */
	size_t got;    /* bytes of the message that have passed, prefix included */
	size_t kept;   /* of which are in buf, from its front without a hole */
	uint8_t buf[2 + DNS_STREAM_BYTES];
};

struct dns_streams {
	uint64_t lost;
	struct stream streams[DNS_STREAMS];
};

struct dns_streams *dns_streams_new(void)
{
	return calloc(1, sizeof(struct dns_streams));
}

struct dns_streams *dns_streams_free(struct dns_streams *s)
{
	free(s);
	return NULL;
}

uint64_t dns_streams_lost(const struct dns_streams *s)
{
	return s->lost;
}

/* Its stream; a new one takes the place of the one unused for longest. */
static struct stream *stream_of(struct dns_streams *s, const struct dns_segment *seg)
{
	struct stream *oldest = &s->streams[0];

	for (unsigned int i = 0; i < DNS_STREAMS; i++) {
		struct stream *st = &s->streams[i];

		if (st->key == seg->key)
			return st;
		if (st->used_ns < oldest->used_ns)
			oldest = st;
	}
	if (oldest->key && oldest->got)
		s->lost++;
	oldest->key = seg->key;
	oldest->next = seg->seq;
	oldest->lost = false;
	oldest->got = oldest->kept = 0;
	return oldest;
}

/* Bytes still to come of the message, or of its prefix; at least 1. */
static size_t wanted(const struct stream *st)
{
	if (st->got < 2)
		return 2 - st->got;
	return 2u + (size_t)(st->buf[0] << 8 | st->buf[1]) - st->got;
}

/* n bytes of the message, of which the first have are at hand. */
static void take(struct stream *st, const uint8_t *data, size_t n, size_t have)
{
	if (st->kept == st->got) { /* no hole so far */
		size_t room = sizeof(st->buf) - st->kept;

		have = have < n ? have : n;
		have = have < room ? have : room;
		if (have)
			memcpy(st->buf + st->kept, data, have);
		st->kept += have;
	}
	st->got += n;
}

static bool is_over(const struct stream *st)
{
	return st->got >= 2 && st->got == 2u + (size_t)(st->buf[0] << 8 | st->buf[1]);
}

/* What was there before is left out, what is missing makes the stream lost. */
static size_t in_order(struct dns_streams *s, struct stream *st, const struct dns_segment *seg)
{
	int32_t ahead = (int32_t)(seg->seq - st->next);

	if (ahead > 0) {
		s->lost += !st->lost;
		st->lost = true;
		return seg->full;
	}
	return (size_t) - (int64_t)ahead;
}

void dns_streams_segment(struct dns_streams *s, const struct dns_segment *seg, dns_stream_fn fn,
			 void *arg)
{
	struct stream *st;
	size_t at;

	if (!seg->full)
		return;
	st = stream_of(s, seg);
	st->used_ns = seg->ts_ns;
	at = in_order(s, st, seg);
	if (at >= seg->full && !st->lost)
		return;
	/* A stream that lost its way starts anew with a segment: most messages begin one. */
	if (st->lost) {
		st->lost = false;
		st->got = st->kept = 0;
		at = 0;
	}
	st->next = seg->seq + (uint32_t)seg->full;
	while (at < seg->full) {
		size_t n = wanted(st), have = at < seg->len ? seg->len - at : 0;

		if (st->got < 2 && have < n && at + have < seg->full) {
			s->lost++; /* the capture has cut the prefix of the next message */
			st->lost = true;
			return;
		}
		n = n < seg->full - at ? n : seg->full - at;
		take(st, have ? seg->data + at : NULL, n, have);
		at += n;
		if (!is_over(st))
			continue;
		if (st->kept > 2)
			fn(st->buf + 2, st->kept - 2, st->got - 2, arg);
		st->got = st->kept = 0;
	}
}
