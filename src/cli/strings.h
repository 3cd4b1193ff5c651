/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings that outlive whoever told them, each kept once. */
#ifndef NETPROBE_CLI_STRINGS_H
#define NETPROBE_CLI_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct strings {
	char **blocks;
	size_t n_blocks;
	size_t used;	    /* of the last block */
	const char **slots; /* by their words; at most half full */
	size_t n, size;
};

/* A copy of *text, or the one that is there, takes its place; NULL stays. -ENOMEM: *text is as before. */
int strings_keep(struct strings *s, const char **text);
void strings_done(struct strings *s);

#endif
