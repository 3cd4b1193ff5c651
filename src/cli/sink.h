/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ends, and where its data goes. */
#ifndef NETPROBE_CLI_SINK_H
#define NETPROBE_CLI_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define EXIT_OK 0
#define EXIT_PERM 1    /* a capability is missing */
#define EXIT_CAPTURE 2 /* capture or BPF could not start */
#define EXIT_USAGE 3   /* bad arguments or config */
#define EXIT_INTERNAL 4

struct common_opts;
struct netprobe_manager;
struct writer;

/*
 * Where a command's data goes: stdout or -o FILE. What captures hands it to a thread (sink_put), so
 * that collecting waits for nobody; what has nothing else to do writes by itself (sink_write).
 */
struct sink {
	int fd;
	bool tty, color;
	bool once; /* one snapshot: it is waited for, and it counts as a failure if it is not written */
	bool empty;	  /* nothing is in the file yet: a heading is due */
	const char *name; /* -o; NULL: stdout */
	struct writer *writer;
	size_t queue;	  /* of the writer, in bytes; 0: as it is by itself */
	int opener;	  /* opens the file anew; -1: cannot be */
	bool more;	  /* of what is to be written at once comes */
	bool ending;	  /* counts go before whatever waits; the reader is waited for */
	bool gave_up;	  /* waiting for it */
	uint64_t unput;	  /* lines that were not even put then */
	int64_t rests_ms; /* sink_rests: since when, and what was left then */
	uint64_t rests_left;
};
/*
 * How wide text for it is: the columns of the terminal (COLUMNS, else what the terminal says now); 0, as wide as it is, where
 * it is none.
 */
unsigned int sink_columns(int fd);
int sink_open(struct sink *k, const struct common_opts *o, struct netprobe_error *err);
void sink_close(struct sink *k);
/* All of b, then b is empty. -EPIPE when the reader is gone, -errno when the disk is full or the like. */
int sink_write(struct sink *k, struct buf *b);
/*
 * The whole lines of b, to be written when there is room; then b is empty. Those that find the queue
 * full are lost, and counted: *ret_lost, where not NULL. -EPIPE when the reader is gone, or -errno.
 */
int sink_put(struct sink *k, struct buf *b, uint64_t *ret_lost);
/*
 * The same of lines that only half of the queue is for: those that tell no counts of an interval. packets: that each
 * is about, as of writer_put.
 */
int sink_put_lines(struct sink *k, struct buf *b, struct buf *packets, uint64_t *ret_lost);
/* Between these pieces are put that belong together: they may wait for each other, until there are many. */
void sink_more(struct sink *k);
void sink_go(struct sink *k);
/* Whether so many bytes of counts find room; at the end (sink_ends) the reader gets time to make some. */
bool sink_has_room(struct sink *k, size_t bytes);
/*
 * For one snapshot that is put in pieces: wait until so many bytes find room. False: the reader takes nothing and a
 * signal came, or the disk stays full; what is not put is lost (sink_lose).
 */
bool sink_wait_room(struct sink *k, size_t bytes);
void sink_lose(struct sink *k, uint64_t lines);
/* What is put from here on is the last. */
void sink_ends(struct sink *k);
/* All is put: a reader that takes nothing from here on is waited for, whatever is done meanwhile. */
void sink_rests(struct sink *k);
/* What is put from here on goes into a file that is opened anew. False: it is none. */
bool sink_turn(struct sink *k);
/* Whether a heading is due: nothing is in the file yet. True once for each file. */
bool sink_heading(struct sink *k);
/* What was written and lost so far goes into the account of m. */
void sink_tell(struct sink *k, struct netprobe_manager *m);
/*
 * Wait for what was put: as long as it goes on, and where it is once as long as nobody sends a signal.
 * Tells what was lost. 0, -EPIPE, or -errno of what could not be written.
 */
int sink_finish(struct sink *k);
/* A signal asked for the end: the reader has half a second from here on. Safe in a handler. */
void sink_hurry(void);

#endif
