/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --help from the rows of args.h. Only text into a buffer; who prints it, and where, is not decided
 * here.
 */
#include <string.h>

#include "base/args.h"
#include "base/utf8.h"

#define HELP_COLUMNS 80
#define LEFT_MAX 30 /* a longer left side gets a line of its own */

/* "  -p, --pid PID" into b, which is empty. */
static void put_left(struct buf *b, const struct option_row *row)
{
	unsigned int i;

	if (row->short_name)
		buf_printf(b, "  -%c%s", row->short_name, row->name ? ", " : "");
	else
		buf_puts(b, "      ");
	if (row->name)
		buf_printf(b, "--%s", row->name);
	if (!option_takes_value(row))
		return;
	buf_putc(b, ' ');
	if (row->arg || row->type != OPTION_ENUM) {
		buf_puts(b, row->arg ? row->arg : "VALUE");
		return;
	}
	for (i = 0; row->names[i]; i++)
		buf_printf(b, "%s%s", i ? "|" : "", row->names[i]);
}

static void pad(struct buf *b, unsigned int n)
{
	while (n--)
		buf_putc(b, ' ');
}

/* Words of text, broken between them at the margin; at: columns already on the line. */
static void put_wrapped(struct buf *b, const char *text, unsigned int indent, unsigned int at)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		unsigned int width = utf8_width(text, len);

		if (at > indent && at + 1 + width > HELP_COLUMNS) {
			buf_putc(b, '\n');
			pad(b, indent);
			at = indent;
		} else if (at > indent) {
			buf_putc(b, ' ');
			at++;
		}
		buf_put(b, text, len);
		at += width;
		text += len;
		text += strspn(text, " ");
	}
	buf_putc(b, '\n');
}

/* Puts the left side into left; its lack of memory is told to out, which the caller checks. */
static unsigned int left_width(const struct option_row *row, struct buf *left, struct buf *out)
{
	buf_reset(left);
	put_left(left, row);
	if (!left->err)
		return utf8_width(left->data, left->len);
	out->err = left->err;
	return 0;
}

/* Where the right side begins: behind the widest left side that is not too wide. */
static unsigned int help_indent(const struct option_row *const *tables, struct buf *left,
				struct buf *out)
{
	const struct option_row *row;
	unsigned int widest = 0, w;

	for (; *tables; tables++) {
		for (row = *tables; row->type != OPTION_END; row++) {
			if (row->type == OPTION_HEADING || (row->flags & OPTION_HIDDEN))
				continue;
			w = left_width(row, left, out);
			if (w > widest && w <= LEFT_MAX)
				widest = w;
		}
	}
	return widest + 2;
}

static void put_row(struct buf *b, const struct option_row *row, struct buf *left,
		    unsigned int indent)
{
	unsigned int w = left_width(row, left, b);

	buf_put(b, left->data, left->len);
	if (w + 2 > indent) {
		buf_putc(b, '\n');
		w = 0;
	}
	pad(b, indent - w);
	put_wrapped(b, row->help ? row->help : "", indent, indent);
}

bool args_asks_all(int argc, char *const *argv)
{
	const char *last = argc > 1 ? argv[argc - 1] : "", *before = argc > 2 ? argv[argc - 2] : "";

	return !strcmp(last, "--help=all") ||
	       (!strcmp(last, "all") && (!strcmp(before, "--help") || !strcmp(before, "-h")));
}

static unsigned int options_of(const struct option_row *const *tables)
{
	unsigned int n = 0;

	for (; *tables; tables++)
		for (const struct option_row *row = *tables; row->type != OPTION_END; row++)
			n += row->type != OPTION_HEADING && !(row->flags & OPTION_HIDDEN);
	return n;
}

static void put_most_used(const struct args_spec *spec, struct buf *left, unsigned int indent,
			  struct buf *out)
{
	buf_puts(out, "\nMost used options:\n");
	for (const char *const *name = spec->most_used; *name; name++) {
		const struct option_row *row = args_find(spec->tables, *name);

		if (row)
			put_row(out, row, left, indent);
	}
	buf_printf(out, "\n%s --help all shows all %u options.\n", spec->prog,
		   options_of(spec->tables));
}

void args_help(const struct args_spec *spec, bool all, struct buf *out)
{
	const struct option_row *const *table;
	const struct option_row *row;
	struct buf left = { 0 };
	unsigned int indent = help_indent(spec->tables, &left, out);
	bool heading = false;

	buf_printf(out, "Usage: %s [OPTIONS]%s%s\n", spec->prog, spec->operands ? " " : "",
		   spec->operands ? spec->operands : "");
	if (spec->summary) {
		buf_putc(out, '\n');
		put_wrapped(out, spec->summary, 0, 0);
	}
	if (spec->examples)
		buf_printf(out, "\nExamples:\n%s", spec->examples);
	if (spec->most_used && !all)
		put_most_used(spec, &left, indent, out);
	for (table = spec->tables; *table && (all || !spec->most_used); table++) {
		for (row = *table; row->type != OPTION_END; row++) {
			if (row->flags & OPTION_HIDDEN)
				continue;
			if (row->type == OPTION_HEADING)
				buf_printf(out, "\n%s:\n", row->help);
			else if (!heading)
				buf_puts(out, "\nOptions:\n");
			heading = true;
			if (row->type != OPTION_HEADING)
				put_row(out, row, &left, indent);
		}
	}
	buf_done(&left);
}
