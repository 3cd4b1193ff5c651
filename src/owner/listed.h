/* SPDX-License-Identifier: BSD-2-Clause */
/* Which numbers /proc lists: who is in none of it is gone, at a small part of what a look at each would cost. */
#ifndef NETPROBE_OWNER_LISTED_H
#define NETPROBE_OWNER_LISTED_H

#include <stdbool.h>
#include <stdint.h>

struct listed {
	uint64_t *bits;
	uint32_t words, n; /* n: so many are there */
};

/* Anew. 0 or -errno, after which it has none. */
int listed_read(struct listed *l, const char *proc_root);
bool listed_has(const struct listed *l, uint32_t tgid);
void listed_done(struct listed *l);

#endif
