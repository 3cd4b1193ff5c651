/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folders of pins whose network namespace is gone: nobody who could ask for them is left, and pins do not end by
 * themselves.
 */
#ifndef NETPROBE_SWEEP_H
#define NETPROBE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

struct sweep_kind {
	const char *prefix;		    /* of the folders' names */
	uint64_t (*inode)(const char *dir); /* of the namespace; 0: not known, left alone */
	bool (*is_held)(const char *dir);   /* something in it is in use all the same */
};

/*
 * Remove those of one kind. Nothing is said: where it cannot be known that a namespace is gone, or somebody has the
 * folder locked, it stays.
 */
void sweep_folders(const struct sweep_kind *kind);

#endif
