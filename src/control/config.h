/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The config file: one flat YAML mapping of long option names to a value or a list of values. Read
 * as a whole first; an error is one line with file, line and column, and changes nothing.
 */
#ifndef NETPROBE_CONTROL_CONFIG_H
#define NETPROBE_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/args.h"
#include "base/error.h"
#include "control/keys.h"

#define CONFIG_MAX_BYTES 65536
#define CONFIG_MAX_PAIRS 1024

struct config_pair {
	char *key, *value;
	unsigned int line, column; /* of the value, from 1 */
	unsigned int key_line, key_column;
	bool item; /* of a list: not to be divided at commas */
};

struct config {
	char *path;
	struct config_pair *pairs;
	unsigned int n;
	struct key_strings strings; /* what opts point to after config_apply */
};

/* Text of a file that path names in messages. -EINVAL, -ENOMEM; ret_config untouched then. */
int config_parse(const char *text, size_t len, const char *path, struct config *ret_config,
		 struct netprobe_error *err);
/* Also -EINVAL for a file that cannot be read; a path that is no plain file is none. */
int config_read(const char *path, struct config *ret_config, struct netprobe_error *err);
void config_done(struct config *c);

/*
 * Set what it says in opts, which point to strings of c from then on. -EINVAL: an unknown key, a
 * wrong value; opts may be half changed then.
 */
int config_apply(struct config *c, const struct option_row *const *tables, const void *defaults,
		 void *opts, struct netprobe_error *err);
/* The pair that sets a row; NULL. */
const struct config_pair *config_find(const struct config *c, const struct option_row *row);
/* Put "file:line:column: " in front of err; pair NULL: only the file. */
void config_blame(const struct config *c, const struct config_pair *pair,
		  struct netprobe_error *err);

#endif
