/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream of events on its way out: spelled as asked for, written in larger pieces. */
#ifndef NETPROBE_CLI_STREAM_H
#define NETPROBE_CLI_STREAM_H

#include <netprobe/netprobe.h>

#include "cli/sink.h"

struct stream {
	struct sink sink;
	struct buf out;
	size_t lines;	    /* in out */
	struct buf packets; /* dropped, by line of out from its first on; empty: none */
	int format;	    /* FORMAT_TEXT, FORMAT_JSON, FORMAT_XCTL */
	uint64_t written;   /* events; without those that found no room */
	bool counts;	    /* out is lines of counts */
	int failed;	    /* negative errno of the first that could not be written */
};

/* netprobe_config.formats that the stream needs: its own and no other. */
uint32_t stream_formats(const struct stream *s);
/* Text from here on is as wide as the terminal is now: after SIGWINCH, and before the first event. */
int stream_resize(const struct stream *s, struct netprobe_manager *m);
/* One event into the buffer, which is written when it is large. Nothing once something failed. */
void stream_event(struct stream *s, const struct netprobe_event *ev);
/* For netprobe_manager_set_room; arg: the stream. */
bool stream_has_room(void *stream);
/* What comes from here on is the last: counts are written first. */
void stream_ends(struct stream *s);
/* What waits, handed to the sink. 0, or what failed first. */
int stream_flush(struct stream *s);
/* At the end, after m has told its last: also what the sink lost, and wait for the reader. */
int stream_finish(struct stream *s, struct netprobe_manager *m);
/* After r went wrong: the exit code, told as "cannot write WHAT to OUTPUT" (NULL: stdout). */
int stream_failed(const char *what, const char *output, int r);
void stream_done(struct stream *s);

#endif
