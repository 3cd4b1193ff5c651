/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that writes, so that nobody else waits for a reader, a terminal or a disk. What waits is
 * bounded: lines that find no room are lost, and counted. Only whole lines are handed over.
 */
#ifndef NETPROBE_CLI_WRITER_H
#define NETPROBE_CLI_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct writer;

/*
 * name: of the file, for the log, borrowed; NULL: standard output. quiet: says nothing of a full disk.
 * most: bytes of memory for what waits; 0: 8 MiB. NULL: out of memory or threads.
 */
struct writer *writer_new(int fd, const char *name, bool quiet, size_t most);
/* What lines are: those of counts may fill all of the queue, others half of it. */
enum writer_kind {
	WRITER_LINES,
	WRITER_COUNTS,
	WRITER_FIRST, /* counts, before whatever waits and is not such */
};
/* What is put is the smaller part of what follows at once: the thread is woken where it is much, or by writer_go(). */
#define WRITER_MORE 0x10
/*
 * The lines of b, which is empty afterwards, and what each is about (packets: a uint64_t for each line; NULL or empty:
 * nothing to be counted), which is empty then as well. Lines that find no room are lost: how many, in *ret_lost. 0, or
 * the negative errno that ended it: -EPIPE where the reader went away.
 */
int writer_put(struct writer *w, struct buf *b, struct buf *packets, unsigned int kind,
	       uint64_t *ret_lost);
/* All that is to be written at once was put (WRITER_MORE). */
void writer_go(struct writer *w);
/* Whether so many bytes of counts find room now. */
bool writer_has_room(struct writer *w, size_t bytes);
/* The youngest lines that are not of counts are lost, until there is that room. Whether there is. */
bool writer_make_room(struct writer *w, size_t bytes);
/* What comes from here on goes where fn(arg) says: a new descriptor, or a negative errno (the old one stays). */
int writer_turn(struct writer *w, int (*fn)(void *arg), void *arg);
/* Wait for at most ms until all is written. *ret_left: bytes that are not, less each time it goes on. */
bool writer_wait(struct writer *w, int ms, uint64_t *ret_left);
/*
 * The end: what is not written is lost. *ret_lost: all lines that were. 0, or what ended it, or
 * what the disk said last if something was left over because of that.
 */
int writer_end(struct writer *w, uint64_t *ret_lost);
/* The disk takes nothing now. */
bool writer_is_full(struct writer *w);
/* Lines handed over so far, the lost ones included, and those. */
void writer_counts(struct writer *w, uint64_t *ret_lines, uint64_t *ret_lost);
/* The packets of those lines. */
void writer_packets(struct writer *w, uint64_t *ret_packets, uint64_t *ret_lost);
/* After writer_end(); NULL. Its thread may be left in the kernel, and the memory with it. */
struct writer *writer_free(struct writer *w);

#endif
