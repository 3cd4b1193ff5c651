/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Podman's lists of all containers of a user, each kept as long as its file is the same: one of 1 MiB takes tens of
 * milliseconds to parse.
 */
#ifndef NETPROBE_OWNER_CONTAINER_LIST_H
#define NETPROBE_OWNER_CONTAINER_LIST_H

#include <stdint.h>

struct container_lists;

struct container_item {
	char *id, *name;
	char *metadata; /* JSON */
};

struct container_lists *lists_new(void);
struct container_lists *lists_free(struct container_lists *l);
/* In the file that is open as fd, which is owner's. NULL: it is not there. Valid until the next call. */
const struct container_item *lists_find(struct container_lists *l, int fd, uint32_t owner,
					const char *id);
/* Files that were parsed, ever. */
uint64_t lists_parsed(const struct container_lists *l);

#endif
