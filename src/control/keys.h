/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of `ctl` and of the config file: the long names of option rows, so that there is no second
 * table of them. Those marked OPTION_LIVE may be changed while netprobe runs. Here a row's field is
 * set from a key's value, copied, compared and written; what a change means is the command's.
 */
#ifndef NETPROBE_CONTROL_KEYS_H
#define NETPROBE_CONTROL_KEYS_H

#include <stdbool.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/error.h"

/* Strings that fields point to. */
struct key_strings {
	char **items;
	unsigned int n;
};
/* Overwritten, then freed: a secret is not left behind. NULL is allowed. */
void key_string_wipe(char *text);
void key_strings_done(struct key_strings *s); /* wiped as well */
/* A copy that lives as long as s; NULL: no memory. */
const char *key_strings_add(struct key_strings *s, const char *text);

/* Rows in all tables, one after the other: start with *at zeroed. NULL at the end. */
struct key_iter {
	unsigned int table, row;
};
const struct option_row *keys_next(const struct option_row *const *tables, struct key_iter *at);

/* The row of a key that may be changed now. -EINVAL: none, or not while it runs; err names those. */
int keys_find(const struct option_row *const *tables, const char *key,
	      const struct option_row **ret_row, struct netprobe_error *err);

/*
 * Set a row's field in opts: "a,b" gives a list (which replaces the old one), "" what defaults has.
 * -EINVAL, -ENOMEM with err filled; opts may be half changed then, so give a copy.
 */
int keys_set(const struct option_row *row, const char *value, const void *defaults, void *opts,
	     struct key_strings *strings, struct netprobe_error *err);
/* Bytes from the begin of opts that the rows' fields reach. */
size_t keys_size(const struct option_row *const *tables);
/*
 * Copy the rows' fields; *to gets lists of its own, and copies of live rows' strings in strings.
 * -ENOMEM: call keys_done all the same. What to had is not freed.
 */
int keys_copy(const struct option_row *const *tables, const void *from, void *to,
	      struct key_strings *strings);
/* Hand the rows' fields over, lists and all; those that to had are freed. from is empty then. */
void keys_move(const struct option_row *const *tables, void *from, void *to);
/* Free the lists of opts. */
void keys_done(const struct option_row *const *tables, void *opts);
/* Give the field a value that it never has; not to be read. Lists and counts stay as they are. */
void keys_spoil(const struct option_row *row, void *opts);
bool keys_equal(const struct option_row *row, const void *a, const void *b);

/* The value as JSON; of OPTION_SECRET only that there is one. A list, a number, a string, true, false; null where nothing is set. */
void keys_write_json(struct buf *b, const struct option_row *row, const void *opts);

#endif
