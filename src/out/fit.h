/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that fits a terminal: which columns of a table are shown and how wide, lines cut or broken between words.
 * Widths are those of wcwidth() in a UTF-8 locale, which callers take (text_locale_take).
 */
#ifndef NETPROBE_OUT_FIT_H
#define NETPROBE_OUT_FIT_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define FIT_GAP 2 /* blanks between two columns */

struct fit_column {
	unsigned int width; /* as wide as its widest cell; of what fits: as wide as it is shown */
	unsigned int least; /* it may be made as narrow as that */
	unsigned int rank;  /* the highest is left out first, of equal ones the last */
	bool shown;
};

/*
 * Leave out and make narrow until all that is shown fits into so many columns of a terminal. One column is always
 * left, whatever its width.
 */
void fit_columns(struct fit_column *c, unsigned int n, unsigned int columns);

/*
 * A cell of a table: two blanks are between columns, so that a cell has one at a time and none at its ends, what is more shows
 * as U+FFFD. At most max columns (0: no limit): an ellipsis is where it was cut, at the end or in the middle. Returns the columns.
 */
unsigned int fit_cell(struct buf *out, const char *s, size_t len, unsigned int max, bool middle);

/*
 * A line (no newline in it) that others made harmless, cut to so many columns with an ellipsis. Our own colours count
 * nothing, and are ended where they are cut.
 */
void fit_line(struct buf *out, const char *s, size_t len, unsigned int columns);

/* Lines of words, broken at blanks; what goes on stands two columns further in than its line. */
void fit_words(struct buf *out, const char *s, size_t len, unsigned int columns);

/* A UTF-8 locale whatever the process runs in; this thread only. */
struct text_locale {
	locale_t utf8, before;
};
struct text_locale text_locale_take(void);
void text_locale_give(const struct text_locale *l);

#endif
