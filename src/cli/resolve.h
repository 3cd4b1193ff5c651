/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hosts in filters, asked for once, before a command gives up its rights. */
#ifndef NETPROBE_CLI_RESOLVE_H
#define NETPROBE_CLI_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct resolved {
	struct resolved *next;
	char **addr; /* as inet_ntop spells them */
	size_t n;
	char name[];
};

/* Has a letter, and nothing that no host's name has. */
bool resolve_is_name(const char *text);
/*
 * The addresses of a name, kept as long as the program runs, and said when they are first known. -EINVAL: it has
 * none, or ask is false and it was not asked for before; -ENOMEM; err says it.
 */
int resolve_name(const char *name, bool ask, const struct resolved **ret,
		 struct netprobe_error *err);

#endif
