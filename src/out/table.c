/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables: rows are collected, then written in one of the formats, because text must know its widest
 * cell before its first line. Cells are copied, so a table outlives what it shows. Sorting and
 * choosing rows is the caller's.
 */
#include "out/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "out/fit.h"

#define SGR_BOLD "\033[1m"
#define SGR_RESET "\033[0m"
#define SHORT 12 /* columns that a string is shortened to, where its column says nothing else */

/* A cell whose string is an offset: the arena moves when it grows. */
struct stored_cell {
	uint8_t type;
	union {
		size_t at;
		uint64_t u64;
		double dbl;
		bool b;
	};
};

struct table {
	const struct table_column *columns;
	unsigned int n_columns;
	struct stored_cell *cells; /* row by row */
	size_t n_rows, cap_rows;
	struct buf strings;  /* NUL after each */
	const char *nothing; /* what text says of no rows; NULL: the heading alone */
	unsigned int *
		widths; /* of the columns of text, measured before; NULL: of the rows that are there */
	unsigned int fit; /* columns of the terminal; 0: text is whole */
};

struct table *table_new(const struct table_column *columns, unsigned int n_columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->n_columns = n_columns;
	return t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	buf_done(&t->strings);
	free(t->widths);
	free(t->cells);
	free(t);
	return NULL;
}

void table_nothing(struct table *t, const char *words)
{
	t->nothing = words;
}

void table_clear(struct table *t)
{
	t->n_rows = 0;
	buf_reset(&t->strings);
}

static int grow_rows(struct table *t)
{
	size_t cap = t->cap_rows ? 2 * t->cap_rows : 32;
	struct stored_cell *cells;

	cells = reallocarray(t->cells, cap * t->n_columns, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->cap_rows = cap;
	return 0;
}

/* What has no value to show becomes null here, once for all formats. */
static void store_cell(struct table *t, struct stored_cell *to, const struct cell *from)
{
	to->type = from->type;
	switch (from->type) {
	case CELL_STR:
		to->at = t->strings.len;
		if (!from->str) {
			to->type = CELL_NULL;
			break;
		}
		utf8_put_valid(&t->strings, from->str, strlen(from->str));
		buf_putc(&t->strings, '\0');
		break;
	case CELL_U64:
		to->u64 = from->u64;
		break;
	case CELL_DOUBLE:
		to->dbl = from->dbl;
		to->type = isfinite(from->dbl) ? CELL_DOUBLE : CELL_NULL;
		break;
	case CELL_BOOL:
		to->b = from->b;
		break;
	default:
		to->type = CELL_NULL;
	}
}

int table_add(struct table *t, const struct cell *cells)
{
	size_t strings_len = t->strings.len;
	struct stored_cell *to;
	unsigned int i;

	if (t->n_rows == t->cap_rows && grow_rows(t) < 0)
		return -ENOMEM;
	to = t->cells + t->n_rows * t->n_columns;
	for (i = 0; i < t->n_columns; i++)
		store_cell(t, &to[i], &cells[i]);
	if (t->strings.err) {
		/* The row is not there; the table goes on without it. */
		t->strings.err = 0;
		t->strings.len = strings_len;
		return -ENOMEM;
	}
	t->n_rows++;
	return 0;
}

static const struct stored_cell *cell_at(const struct table *t, size_t row, unsigned int col)
{
	return t->cells + row * t->n_columns + col;
}

static const char *stored_str(const struct table *t, const struct stored_cell *c)
{
	return t->strings.data + c->at;
}

/* The cell as a person reads it, a string in at most max columns (0: whole), appended to out; returns its columns. */
static unsigned int put_text_cell(const struct table *t, struct buf *out,
				  const struct table_column *col, const struct stored_cell *c,
				  unsigned int max)
{
	size_t start = out->len;
	char text[32];

	switch (c->type) {
	case CELL_STR:
		return fit_cell(out, stored_str(t, c), strlen(stored_str(t, c)), max, col->middle);
	case CELL_BOOL:
		buf_puts(out, c->b ? "yes" : "no");
		break;
	case CELL_U64:
		if (col->unit == UNIT_NONE) {
			buf_u64(out, c->u64);
			break;
		}
		unit_format(col->unit, (double)c->u64, text, sizeof(text));
		buf_puts(out, text);
		break;
	case CELL_DOUBLE:
		unit_format(col->unit, c->dbl, text, sizeof(text));
		buf_puts(out, text);
		break;
	default:
		buf_putc(out, '-');
	}
	return (unsigned int)(out->len - start);
}

static void pad(struct buf *out, unsigned int n)
{
	while (n--)
		buf_putc(out, ' ');
}

/* Where the text output stands. */
struct text_layout {
	unsigned int *widths;	/* of each column */
	struct fit_column *fit; /* what of them a terminal has room for; NULL: all */
	/* Blanks owed from the columns before: written when something follows, never at the end. */
	unsigned int gap;
	struct buf cell; /* the one being set, before its place is known */
};

/* One cell in its column. row == n_rows: the heading. */
static void put_padded(const struct table *t, struct buf *out, size_t row, unsigned int col,
		       struct text_layout *l)
{
	const struct table_column *c = &t->columns[col];
	unsigned int w, width = l->fit ? l->fit[col].width : l->widths[col];
	unsigned int max = width < l->widths[col] ? width : 0;

	buf_reset(&l->cell);
	if (row == t->n_rows)
		w = utf8_put_printable(&l->cell, c->title, strlen(c->title), max);
	else
		w = put_text_cell(t, &l->cell, c, cell_at(t, row, col), max);
	if (l->cell.err) {
		out->err = l->cell.err;
		return;
	}
	pad(out, l->gap + (c->right && w < width ? width - w : 0));
	buf_put(out, l->cell.data, l->cell.len);
	l->gap = FIT_GAP + (c->right || w > width ? 0 : width - w);
}

static int measure(const struct table *t, struct text_layout *l)
{
	unsigned int col, w;
	size_t row;

	for (col = 0; col < t->n_columns; col++) {
		const struct table_column *c = &t->columns[col];

		if (!c->title)
			continue;
		w = utf8_width(c->title, strlen(c->title));
		l->widths[col] = w > l->widths[col] ? w : l->widths[col];
		for (row = 0; row < t->n_rows; row++) {
			buf_reset(&l->cell);
			w = put_text_cell(t, &l->cell, c, cell_at(t, row, col), 0);
			if (l->cell.err)
				return l->cell.err;
			l->widths[col] = w > l->widths[col] ? w : l->widths[col];
		}
	}
	return 0;
}

/* What there is room for: a string may be shortened to SHORT, what is a figure is whole or not there. */
static int make_fit(const struct table *t, struct text_layout *l)
{
	l->fit = calloc(t->n_columns + 1, sizeof(*l->fit));
	if (!l->fit)
		return -ENOMEM;
	for (unsigned int col = 0; col < t->n_columns; col++) {
		const struct table_column *c = &t->columns[col];
		unsigned int least = c->least ? c->least : SHORT;

		l->fit[col] = (struct fit_column){ .width = l->widths[col],
						   .least = l->widths[col],
						   .rank = c->rank,
						   .shown = c->title };
		if (c->title && !c->right)
			l->fit[col].least =
				least > strlen(c->title) ? least : (unsigned int)strlen(c->title);
	}
	fit_columns(l->fit, t->n_columns, t->fit);
	return 0;
}

static void write_text_line(const struct table *t, struct buf *out, size_t row,
			    struct text_layout *l)
{
	size_t start = out->len;
	unsigned int col;
	struct buf cut = { 0 };

	l->gap = 0;
	for (col = 0; col < t->n_columns; col++) {
		if (l->fit ? l->fit[col].shown : t->columns[col].title != NULL)
			put_padded(t, out, row, col, l);
	}
	if (!l->fit || out->err)
		return;
	/* one column that is wider than the terminal */
	fit_line(&cut, out->data + start, out->len - start, t->fit);
	out->len = start;
	buf_put(out, cut.data, cut.len);
	out->err = out->err ?: cut.err;
	buf_done(&cut);
}

static void write_text_lines(const struct table *t, struct buf *out, struct text_layout *l,
			     bool color, bool head)
{
	size_t row;

	if (color && head)
		buf_puts(out, SGR_BOLD);
	if (head) {
		write_text_line(t, out, t->n_rows, l);
		buf_puts(out, color ? SGR_RESET "\n" : "\n");
	}
	for (row = 0; row < t->n_rows; row++) {
		write_text_line(t, out, row, l);
		buf_putc(out, '\n');
	}
}

static int write_text(const struct table *t, struct buf *out, bool color, bool head)
{
	struct text_locale locale;
	struct text_layout l = { .widths = t->widths };

	if (!t->n_rows && t->nothing && head) {
		buf_puts(out, t->nothing);
		buf_putc(out, '\n');
		return out->err;
	}
	locale = text_locale_take();
	if (!l.widths) {
		l.widths = calloc(t->n_columns + 1, sizeof(*l.widths));
		out->err = out->err ?: l.widths ? measure(t, &l) : -ENOMEM;
	}
	if (!out->err && t->fit)
		out->err = make_fit(t, &l);
	if (!out->err)
		write_text_lines(t, out, &l, color, head);
	free(l.fit);
	buf_done(&l.cell);
	if (l.widths != t->widths)
		free(l.widths);
	text_locale_give(&locale);
	return out->err;
}

void table_fit(struct table *t, unsigned int columns)
{
	t->fit = columns;
}

int table_measure(struct table *t)
{
	struct text_locale locale = text_locale_take();
	struct text_layout l = { .widths = t->widths };
	int r;

	if (!l.widths)
		l.widths = t->widths = calloc(t->n_columns + 1, sizeof(*l.widths));
	r = l.widths ? measure(t, &l) : -ENOMEM;
	buf_done(&l.cell);
	text_locale_give(&locale);
	return r;
}

static void put_json_cell(const struct table *t, struct buf *out, const struct stored_cell *c)
{
	switch (c->type) {
	case CELL_STR:
		json_str(out, stored_str(t, c));
		break;
	case CELL_U64:
		buf_u64(out, c->u64);
		break;
	case CELL_DOUBLE:
		buf_double(out, c->dbl);
		break;
	case CELL_BOOL:
		buf_puts(out, c->b ? "true" : "false");
		break;
	default:
		buf_puts(out, "null");
	}
}

/* How many columns from there on are of the same object: "container.id", "container.name"; 0: it is of none. */
static unsigned int object_columns(const struct table *t, unsigned int col)
{
	const char *name = t->columns[col].name, *point = strchr(name, '.');
	unsigned int n = 0;

	while (point && col + n < t->n_columns &&
	       !strncmp(t->columns[col + n].name, name, (size_t)(point - name) + 1))
		n++;
	return n;
}

/* null where all of it is. */
static void put_json_object(const struct table *t, struct buf *out, size_t row, unsigned int col,
			    unsigned int n)
{
	const char *name = t->columns[col].name;
	size_t len = (size_t)(strchr(name, '.') - name);
	bool known = false;
	char key[64];

	(void)fmt(key, sizeof(key), "%.*s", (int)len, name);
	json_key(out, key);
	for (unsigned int i = 0; i < n; i++)
		known |= cell_at(t, row, col + i)->type != CELL_NULL;
	if (!known) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '{');
	for (unsigned int i = 0; i < n; i++) {
		json_key(out, t->columns[col + i].name + len + 1);
		put_json_cell(t, out, cell_at(t, row, col + i));
	}
	buf_putc(out, '}');
}

static int write_json(const struct table *t, struct buf *out)
{
	unsigned int col, n;
	size_t row;

	for (row = 0; row < t->n_rows; row++) {
		buf_putc(out, '{');
		for (col = 0; col < t->n_columns; col += n ?: 1) {
			n = object_columns(t, col);
			if (n) {
				put_json_object(t, out, row, col, n);
				continue;
			}
			json_key(out, t->columns[col].name);
			put_json_cell(t, out, cell_at(t, row, col));
		}
		buf_puts(out, "}\n");
	}
	return out->err;
}

/* RFC 4180: quoted where needed, quotes doubled, lines end in CR LF. It has no escapes: controls are U+FFFD. */
static void put_csv_str(struct buf *out, const char *s)
{
	bool quoted = s[strcspn(s, ",\"\r\n")];

	if (quoted)
		buf_putc(out, '"');
	while (*s) {
		size_t n = strcspn(s, "\"");

		(void)utf8_put_printable(out, s, n, 0);
		s += n;
		if (*s == '"') {
			buf_puts(out, "\"\"");
			s++;
		}
	}
	if (quoted)
		buf_putc(out, '"');
}

/* The PostgreSQL and mysql way: one line a row whatever a cell holds, and it can be undone. */
static void put_tsv_str(struct buf *out, const char *s)
{
	size_t len = strlen(s), n;

	for (; len > 0; s += n, len -= n) {
		const char *name = *s == '\\' || *s < ' ' ? strchr("\tt\nn\rr\\\\", *s) : NULL;
		uint32_t cp = 0;

		n = (size_t)utf8_decode(s, len, &cp); /* what is stored is valid */
		if (name)
			buf_printf(out, "\\%c", name[1]);
		else if (!utf8_is_control(cp))
			buf_put(out, s, n);
		else
			for (size_t i = 0; i < n; i++)
				buf_printf(out, "\\x%02x", (unsigned char)s[i]);
	}
}

static int write_separated(const struct table *t, struct buf *out, int format, bool head)
{
	void (*put_str)(struct buf *, const char *) = format == FORMAT_CSV ? put_csv_str
									   : put_tsv_str;
	char separator = format == FORMAT_CSV ? ',' : '\t';
	unsigned int col;
	size_t row;

	for (row = head ? 0 : 1; row <= t->n_rows; row++) {
		for (col = 0; col < t->n_columns; col++) {
			const struct stored_cell *c = row ? cell_at(t, row - 1, col) : NULL;

			if (col)
				buf_putc(out, separator);
			if (!c)
				put_str(out, t->columns[col].name);
			else if (c->type == CELL_STR)
				put_str(out, stored_str(t, c));
			else if (c->type != CELL_NULL)
				put_json_cell(t, out, c);
		}
		buf_puts(out, format == FORMAT_CSV ? "\r\n" : "\n");
	}
	return out->err;
}

/* A failed write leaves out->err set, as every writer into a buffer does. */
int table_write(const struct table *t, struct buf *out, int format, bool color)
{
	switch (format) {
	case FORMAT_TEXT:
		return write_text(t, out, color, true);
	case FORMAT_JSON:
		return write_json(t, out);
	case FORMAT_CSV:
	case FORMAT_TSV:
		return write_separated(t, out, format, true);
	default:
		return -EINVAL;
	}
}

int table_write_on(const struct table *t, struct buf *out, int format, bool color)
{
	if (format == FORMAT_CSV || format == FORMAT_TSV)
		return write_separated(t, out, format, false);
	if (format == FORMAT_TEXT && t->widths)
		return write_text(t, out, color, false);
	return table_write(t, out, format, color);
}
