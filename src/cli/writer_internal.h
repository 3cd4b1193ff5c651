/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the writer share: the queue (writer.c), and the thread that empties it (writer_thread.c). */
#ifndef NETPROBE_CLI_WRITER_INTERNAL_H
#define NETPROBE_CLI_WRITER_INTERNAL_H

#include <pthread.h>

#include "cli/writer.h"

#define JOIN_BYTES (64U << 10)	/* smaller pieces are put together */
#define WAKE_BYTES (256U << 10) /* much: woken for each piece it costs more than its writes */
#define SPARE (WAKE_BYTES / JOIN_BYTES)

struct chunk {
	struct chunk *next;
	struct buf b;
	struct buf packets; /* a uint64_t for each line; empty: 0 each */
	enum writer_kind kind;
	int (*turn)(void *arg); /* no lines: a new descriptor */
	void *arg;
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, less; /* for the thread; for who waits for it */
	struct chunk *first, *last, *spare[SPARE];
	struct chunk *front; /* the last that went before the others; NULL none */
	size_t at;	     /* of first, so much is written */
	size_t room, most;   /* memory of the chunks */
	uint64_t left, lines, lost, packets, packets_lost;
	bool ending, ended;
	int fd, err; /* err: the end of it */
	int full;    /* errno of a disk that takes nothing; 0: it does */
	bool said, regular;
	size_t pipe; /* what an empty one takes; 0: it is none */
	const char *name;
};

/* Of that descriptor: what writing to it means. */
void writer_knows(struct writer *w, int fd);
/* 0, or a negative errno. */
int writer_thread_start(struct writer *w);
/* A thread in a write that blocks is taken out of it, so that what it wrote is known. */
void writer_thread_stop(struct writer *w);
/* The first chunk goes; its memory may be kept for another one. With the lock. */
void writer_drop_first(struct writer *w);

#endif
