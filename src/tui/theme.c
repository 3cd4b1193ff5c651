/* SPDX-License-Identifier: BSD-2-Clause */
/* See theme.h. Numbers of colours from 16 on are of xterm's 256, which terminals with more have as well. */
#include "tui/theme.h"

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

const char *const theme_names[THEME_MAX + 1] = { "auto", "dark", "light", "ansi", "none", NULL };

static const struct look dark[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, 0 },	       [STYLE_BOLD] = { -1, -1, MARK_BOLD },
	[STYLE_DIM] = { 245, -1, 0 },	       [STYLE_HEADING] = { 252, 237, 0 },
	[STYLE_SORT] = { 16, 80, 0 },	       [STYLE_SELECTED] = { 231, 24, 0 },
	[STYLE_EXITED] = { 242, -1, 0 },       [STYLE_TX] = { 221, -1, 0 },
	[STYLE_RX] = { 114, -1, 0 },	       [STYLE_SPARK] = { 73, -1, 0 },
	[STYLE_WARN] = { 213, -1, MARK_BOLD }, [STYLE_LOSS] = { 231, 160, MARK_BOLD },
	[STYLE_TAB] = { 16, 252, 0 },	       [STYLE_KEY] = { 117, -1, MARK_BOLD },
	[STYLE_INSIDE] = { 67, -1, 0 },
};

static const struct look light[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, 0 },
	[STYLE_BOLD] = { -1, -1, MARK_BOLD },
	[STYLE_DIM] = { 242, -1, 0 },
	[STYLE_HEADING] = { 16, 252, 0 },
	[STYLE_SORT] = { 231, 30, 0 },
	[STYLE_SELECTED] = { 16, 153, 0 },
	[STYLE_EXITED] = { 245, -1, 0 },
	[STYLE_TX] = { 130, -1, 0 },
	[STYLE_RX] = { 22, -1, 0 },
	[STYLE_SPARK] = { 25, -1, 0 },
	[STYLE_WARN] = { 127, -1, MARK_BOLD },
	[STYLE_LOSS] = { 231, 160, MARK_BOLD },
	[STYLE_TAB] = { 231, 238, 0 },
	[STYLE_KEY] = { 25, -1, MARK_BOLD },
	[STYLE_INSIDE] = { 67, -1, 0 },
};

/* Those of 8 that can be read on both grounds, but for a light one yellow. */
static const struct look ansi[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, 0 },
	[STYLE_BOLD] = { -1, -1, MARK_BOLD },
	[STYLE_DIM] = { -1, -1, MARK_DIM },
	[STYLE_HEADING] = { BLACK, CYAN, 0 },
	[STYLE_SORT] = { BLACK, GREEN, 0 },
	[STYLE_SELECTED] = { -1, -1, MARK_REVERSE },
	[STYLE_EXITED] = { -1, -1, MARK_DIM },
	[STYLE_TX] = { YELLOW, -1, 0 },
	[STYLE_RX] = { GREEN, -1, 0 },
	[STYLE_SPARK] = { CYAN, -1, 0 },
	[STYLE_WARN] = { MAGENTA, -1, MARK_BOLD },
	[STYLE_LOSS] = { WHITE, RED, MARK_BOLD },
	[STYLE_TAB] = { -1, -1, MARK_REVERSE },
	[STYLE_KEY] = { -1, -1, MARK_BOLD },
	[STYLE_UP] = { YELLOW, -1, 0 },
	[STYLE_DOWN] = { GREEN, -1, 0 },
	[STYLE_INSIDE] = { BLUE, -1, 0 },
};

static const struct look none[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, 0 },
	[STYLE_BOLD] = { -1, -1, MARK_BOLD },
	[STYLE_DIM] = { -1, -1, MARK_DIM },
	[STYLE_HEADING] = { -1, -1, MARK_REVERSE },
	[STYLE_SORT] = { -1, -1, MARK_REVERSE | MARK_BOLD },
	[STYLE_SELECTED] = { -1, -1, MARK_REVERSE },
	[STYLE_EXITED] = { -1, -1, MARK_DIM },
	[STYLE_TX] = { -1, -1, 0 },
	[STYLE_RX] = { -1, -1, 0 },
	[STYLE_SPARK] = { -1, -1, 0 },
	[STYLE_WARN] = { -1, -1, MARK_BOLD },
	[STYLE_LOSS] = { -1, -1, MARK_BOLD | MARK_REVERSE },
	[STYLE_TAB] = { -1, -1, MARK_REVERSE },
	[STYLE_KEY] = { -1, -1, MARK_BOLD },
	[STYLE_UP] = { -1, -1, 0 },
	[STYLE_DOWN] = { -1, -1, 0 },
	[STYLE_INSIDE] = { -1, -1, MARK_DIM },
};

/* From the floor to the top. */
static const unsigned char shades[2][2][SHADES] = {
	{ { 94, 136, 172, 178, 214, 220, 221, 228 }, { 23, 29, 35, 41, 77, 83, 120, 157 } },
	{ { 180, 179, 173, 172, 166, 130, 130, 94 }, { 108, 71, 65, 35, 29, 28, 22, 22 } },
};

struct look theme_look(int theme, int ground, int colors, enum style style, int shade)
{
	bool is_light = theme == THEME_LIGHT || (theme == THEME_AUTO && ground == GROUND_LIGHT);
	struct look look;

	if (theme == THEME_NONE || colors < 8)
		return none[style];
	if (theme == THEME_ANSI || colors < 256 ||
	    (theme == THEME_AUTO && ground == GROUND_UNKNOWN)) {
		look = ansi[style];
		if (is_light && look.fg == YELLOW)
			look.fg = BLUE;
		return look;
	}
	if (style == STYLE_UP || style == STYLE_DOWN)
		return (struct look){ shades[is_light][style == STYLE_DOWN][shade & (SHADES - 1)],
				      -1, 0 };
	return is_light ? light[style] : dark[style];
}
