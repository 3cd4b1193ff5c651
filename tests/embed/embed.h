/* SPDX-License-Identifier: BSD-2-Clause */
/* What the four programs share: nothing of this tree but the installed header. */
#ifndef EMBED_H
#define EMBED_H

#include <netprobe/netprobe.h>
#include <stdio.h>
#include <stdlib.h>

/* Both are the same number, or the program ends. */
#define SAME(got, want)                                                                        \
	do {                                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);                  \
		if (got_ != want_) {                                                           \
			fprintf(stderr, "%s:%d: %s: got %lld, not %lld\n", __FILE__, __LINE__, \
				#got, got_, want_);                                            \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

#define TRUE(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

#endif
