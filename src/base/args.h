/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command line options as rows of a table: parsing, --help and completion read the same rows, so
 * that nothing is said twice. A row writes into a struct of the caller's at an offset. Nothing here
 * prints; an error is one line that names the option, what was given and what it takes.
 */
#ifndef NETPROBE_BASE_ARGS_H
#define NETPROBE_BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* What a row writes at its offset. */
#define OPTION_END 0	  /* ends a table */
#define OPTION_HEADING 1  /* no option: help is the heading of the rows that follow */
#define OPTION_BOOL 2	  /* bool, set to true; no value */
#define OPTION_HELP 3	  /* the same, and what follows is not looked at any more; no value */
#define OPTION_COUNT 4	  /* unsigned int, one more each time (-vv); no value */
#define OPTION_U32 5	  /* uint32_t */
#define OPTION_U64 6	  /* uint64_t */
#define OPTION_SECONDS 7  /* double: parse_seconds */
#define OPTION_MSEC 8	  /* uint32_t: parse_msec */
#define OPTION_STRING 9	  /* const char *, points into argv; never empty */
#define OPTION_ENUM 10	  /* int: index into names */
#define OPTION_STRINGS 11 /* struct args_list */
#define OPTION_CUSTOM 12  /* parse() */

#define OPTION_HIDDEN 0x1  /* not in --help, not suggested */
#define OPTION_REPEAT 0x2  /* each use adds; without it the last wins (parse() sees all) */
#define OPTION_EMPTY 0x4   /* OPTION_STRING: "" is allowed */
#define OPTION_SECRET 0x10 /* what it is set to is never shown, in no error either */
#define OPTION_LIVE 0x8 /* may be changed while it runs: by ctl, or by reading the config again */

/* A growing list of strings of argv; the strings are not copied. */
struct args_list {
	const char **items;
	unsigned int n;
};

/*
 * dest: where the row's offset points. 0, or negative errno with err set to "'value' is no ..."
 * (the option's name is put in front); dest untouched then.
 */
typedef int (*option_parse_fn)(const char *value, void *dest, struct netprobe_error *err);

struct option_row {
	const char *name; /* long name without dashes; NULL: short only */
	char short_name;  /* 0: none */
	uint8_t type;	  /* OPTION_* */
	uint8_t flags;	  /* OPTION_HIDDEN, ... */
	size_t offset;
	const char *arg; /* placeholder in --help: "SEC"; OPTION_ENUM: NULL gives its names */
	const char *help;
	const char *const *names; /* OPTION_ENUM: NULL-terminated */
	/* Both included; max 0: no upper limit. OPTION_SECONDS, OPTION_MSEC: in milliseconds. */
	uint64_t min, max;
	option_parse_fn parse; /* OPTION_CUSTOM */
};

/*
 * A row: OPTION("pid", 'p', OPTION_U32, struct opts, pid, "PID", "only this process", .min = 1).
 * Whatever else the row needs follows by name.
 */
#define OPTION(long_name, letter, kind, opts_type, field, placeholder, text, ...)           \
	{                                                                                   \
		.name = (long_name), .short_name = (letter), .type = (kind),                \
		.offset = offsetof(opts_type, field), .arg = (placeholder), .help = (text), \
		__VA_ARGS__                                                                 \
	}
#define OPTIONS_HEADING(text)                          \
	{                                              \
		.type = OPTION_HEADING, .help = (text) \
	}
#define OPTIONS_END                \
	{                          \
		.type = OPTION_END \
	}

struct args_spec {
	const char *prog;     /* "netprobe events" */
	const char *operands; /* for the usage line: "KEY=VALUE ..."; NULL: none are taken */
	const char *summary;  /* one sentence under the usage line; NULL */
	/* Long names, NULL-terminated: the options that args_help shows unless all are asked for; NULL: all. */
	const char *const *most_used;
	const char *examples; /* lines of "  COMMAND  what it does"; NULL */
	/* NULL-terminated list of tables (each ends in OPTION_END), all for the same struct. */
	const struct option_row *const *tables;
	unsigned int min_operands, max_operands; /* max 0 with operands set: no limit */
	/* Leave all from the first operand on to the caller: "netprobe [OPTIONS] COMMAND ...". */
	bool stop_at_operand;
};

/*
 * Fill the struct at opts from argv[1..argc). Understands --opt=value, --opt value, -p 1, -p1,
 * bundled -qv, and "--", after which all is operand; options and operands may mix. Operands are
 * added to ret_operands (zeroed before, args_list_done after, also on failure). opts keeps the
 * options in front of the faulty one: start from fresh defaults again.
 * -EINVAL: bad arguments, err says it in one line; -ENOMEM; what an option's parse() returned.
 */
int args_parse(const struct args_spec *spec, int argc, char *const *argv, void *opts,
	       struct args_list *ret_operands, struct netprobe_error *err);
/*
 * One value for one row, for config files and `ctl set`: the same checks, the same words. Rows that
 * take no value on the command line take true or false (OPTION_BOOL) or a number (OPTION_COUNT).
 */
int args_set(const struct option_row *row, const char *value, void *opts,
	     struct netprobe_error *err);
/* The row of a long name; NULL. Hidden ones are found too. */
const struct option_row *args_find(const struct option_row *const *tables, const char *name);
bool option_takes_value(const struct option_row *row);
/* Usage, summary, examples and options, 80 columns: the most used ones, or with all each by its heading. */
void args_help(const struct args_spec *spec, bool all, struct buf *out);
/* Was it "--help all", "-h all" or "--help=all"? */
bool args_asks_all(int argc, char *const *argv);

/* Changes that turn len bytes of typed into word, 0 where it begins so; from args_too_far(len) on nobody meant it. */
unsigned int args_distance(const char *typed, size_t len, const char *word);
unsigned int args_too_far(size_t len);
/*
 * -EINVAL, with err "unknown WHAT 'typed'; did you mean X?", or with all the words where none is near. table: rows of
 * size bytes that begin with a const char *, the word; NULL ends it.
 */
int args_unknown_word(const char *what, const char *typed, const void *table, size_t size,
		      struct netprobe_error *err);

int args_list_add(struct args_list *l, const char *s); /* -ENOMEM */
void args_list_done(struct args_list *l);

#endif
