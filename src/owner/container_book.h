/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of containers, by their ids: read once from the runtimes' files, and kept for as long as somebody
 * refers to it, else ten minutes. A container may be gone, with its files, before its traffic is told.
 */
#ifndef NETPROBE_OWNER_CONTAINER_BOOK_H
#define NETPROBE_OWNER_CONTAINER_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "owner/container_name.h"

#define BOOK_IDLE_NS 600000000000ULL /* so long nobody refers to it, and it goes */
#define BOOK_IDLE_MAX 50000	     /* of which nobody refers to */

struct container_book;
struct container_page; /* of one container */

/* root: of the files, "" but in tests. */
struct container_book *book_new(const char *root);
struct container_book *book_free(struct container_book *b);
/* The page of the container of c, for whoever gives it back. NULL: no memory, or no container. */
struct container_page *book_take(struct container_book *b, const struct cgroup *c, uint64_t now_ns);
/* NULL may be given. */
void book_give(struct container_book *b, struct container_page *p, uint64_t now_ns);
/*
 * What it says; looked for in the files, at most once a second, until there is a name or it was looked for often enough.
 * What is not looked for now, for want of time, waits for its turn (book_work).
 */
const struct container_info *book_read(struct container_book *b, struct container_page *p,
				       uint64_t now_ns);
/* Another look would change nothing. */
bool book_is_done(const struct container_page *p);
/* Look for those that wait, as far as there is time. */
void book_work(struct container_book *b, uint64_t now_ns);
/* Containers that were not looked for when they were first met: too many wait; and such as a file system that may never answer has. */
struct book_losses {
	uint64_t unread, remote;
};
void book_lost(const struct container_book *b, struct book_losses *ret);
/* Times that files were looked for, and lists that were parsed. */
uint64_t book_looks(const struct container_book *b);
uint64_t book_parsed(const struct container_book *b);
/* What is idle for too long, or too much, goes. */
void book_tick(struct container_book *b, uint64_t now_ns);
uint32_t book_pages(const struct container_book *b);

#endif
