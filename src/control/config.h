/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The config file: a YAML mapping of long option names to a value or a list of values, and of sections to mappings of
 * the same kind. A list of mappings is a section several times over; one in a section is called "outer.inner". A value
 * may be {file: PATH}: what that file holds. Read as a whole first; an error is one line with file, line and column, and
 * changes nothing. What a secret is (OPTION_SECRET), and what a file holds, stands in no error.
 */
#ifndef NETPROBE_CONTROL_CONFIG_H
#define NETPROBE_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/args.h"
#include "base/error.h"
#include "control/keys.h"

#define CONFIG_MAX_BYTES 65536 /* of the config, and of a file that it names */
#define CONFIG_MAX_PAIRS 1024
#define CONFIG_MAX_SECTIONS 128
#define CONFIG_MAX_DEPTH 3

struct config_pair {
	char *key, *value;
	unsigned int line, column; /* of the value, from 1 */
	unsigned int key_line, key_column;
	unsigned int section; /* 0: of none */
	bool item;	      /* of a list: not to be divided at commas */
	bool file;	      /* value is the path of a file that holds it */
	bool nothing;	      /* no value, or an empty list */
	bool elsewhere;	      /* config_check: what others may take */
};

struct config_section {
	char *name; /* "export.kafka"; "" for the first, which is all that is in no section */
	unsigned int line, column;
	unsigned int parent; /* the one that it is in */
	bool item;	     /* one of a list of them */
};

struct config {
	char *path;
	bool from_file;	  /* paths in it are of files to be read */
	bool others_read; /* anybody may read it */
	struct config_pair *pairs;
	unsigned int n;
	struct config_section *sections;
	unsigned int n_sections;
	struct key_strings strings; /* what opts point to after config_apply */
};

/* Text of a file that path names in messages. -EINVAL, -ENOMEM; ret_config untouched then. */
int config_parse(const char *text, size_t len, const char *path, struct config *ret_config,
		 struct netprobe_error *err);
/* Also -EINVAL for a file that cannot be read; a path that is no plain file is none. */
int config_read(const char *path, struct config *ret_config, struct netprobe_error *err);
void config_done(struct config *c);

/* A section that there may be, and its options. */
struct config_known {
	const char *name; /* NULL ends a list of them */
	const struct option_row *const *tables;
	bool repeated; /* any number of times */
	bool shared; /* keys in no section may be its, so whoever does not have them passes over them */
};
/* -EINVAL: a section that is not known, or one too many of it. Before config_apply. */
int config_check(struct config *c, const struct config_known *known, struct netprobe_error *err);
/* The next section of that name behind at (0: the first); 0: no more. */
unsigned int config_section(const struct config *c, const char *name, unsigned int at);

/*
 * Set what a section (0: what is in none) says in opts, which point to strings of c from then on; a list takes the place
 * of the one that opts have. -EINVAL: an unknown
 * key, a wrong value, a secret that anybody may read; opts may be half changed then.
 */
int config_apply(struct config *c, unsigned int section, const struct option_row *const *tables,
		 const void *defaults, void *opts, struct netprobe_error *err);
/* The pair that sets a row, of the section or else of none; NULL. */
const struct config_pair *config_find(const struct config *c, unsigned int section,
				      const struct option_row *row);
/* Put "file:line:column: " in front of err; pair NULL: only the file. */
void config_blame(const struct config *c, const struct config_pair *pair,
		  struct netprobe_error *err);

/*
 * An error that a row's value turned out to be: its place in front, of several values that of the one that err quotes.
 * What a file holds, or a secret, is taken out. false: no pair sets the row, and err is as it was.
 */
bool config_blame_row(const struct config *c, unsigned int section, const struct option_row *row,
		      struct netprobe_error *err);

/* All of a plain file into text, of max bytes: its size, -EFBIG, -EISDIR, -EINVAL or what open(2) and read(2) say. */
struct stat;
long config_slurp(const char *path, char *text, size_t max, struct stat *ret);

#endif
