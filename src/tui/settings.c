/* SPDX-License-Identifier: BSD-2-Clause */
/* See settings.h. */
#include "tui/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/column.h"
#include "tui/kinds.h"
#include "tui/theme.h"

#define WORD 40

static const char *const sorts[NETPROBE_SORT_MAX + 1] = {
	"tx", "rx", "rate", "total", "connections", "rtt", "retransmits", "name", "stall", NULL
};

/* A flag of the model, and whether the file has the opposite. */
static const struct {
	const char *key;
	uint16_t at;
	bool opposite;
} flags[] = {
	{ "reverse", offsetof(struct tui_model, reverse), false },
	{ "health", offsetof(struct tui_model, health), false },
	{ "idle", offsetof(struct tui_model, idle), false },
	{ "ended", offsetof(struct tui_model, live), true },
	{ "joined", offsetof(struct tui_model, apart), true },
	{ "tree", offsetof(struct tui_model, tree), false },
	{ "bits", offsetof(struct tui_model, bits), false },
	{ "mouse", offsetof(struct tui_model, no_mouse), true },
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* Names that settings had before. */
static const struct {
	const char *was;
	uint8_t sort;
} old_sorts[] = { { "conns", NETPROBE_SORT_CONNECTIONS } };

static bool *flag_of(const struct tui_model *m, size_t i)
{
	return (bool *)((char *)m + flags[i].at);
}

static int name_at(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static int kind_named(const char *name)
{
	for (int i = 0; i < NETPROBE_VIEW_MAX; i++)
		if (!strcmp(view_kinds[i].by, name))
			return i;
	return -1;
}

static int column_named(const char *name)
{
	for (int i = 1; i < n_columns; i++)
		if (!strcmp(column_table[i].title, name))
			return i;
	return -1;
}

/* Columns of one title are one to the user. */
static bool hide(struct tui_model *m, const char *name)
{
	bool found = false;

	for (int i = 1; i < n_columns; i++)
		if (!strcmp(column_table[i].title, name)) {
			m->hidden |= 1ull << i;
			found = true;
		}
	return found;
}

/* "[PID, RETR%]" */
static bool take_hidden(struct tui_model *m, char *value)
{
	uint64_t was = m->hidden;
	size_t len = strlen(value);
	char *save, *s;

	if (len < 2 || value[0] != '[' || value[len - 1] != ']')
		return false;
	value[len - 1] = '\0';
	m->hidden = 0;
	for (s = strtok_r(value + 1, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		s += strspn(s, " \"");
		s[strcspn(s, "\"")] = '\0';
		for (len = strlen(s); len && s[len - 1] == ' ';)
			s[--len] = '\0';
		if (*s && !hide(m, s)) {
			m->hidden = was;
			return false;
		}
	}
	return true;
}

static bool take_sort(struct tui_model *m, const char *value)
{
	int i = name_at(sorts, value);

	for (size_t k = 0; i < 0 && k < sizeof(old_sorts) / sizeof(old_sorts[0]); k++)
		if (!strcmp(old_sorts[k].was, value))
			i = old_sorts[k].sort;
	if (i < 0) {
		i = column_named(value);
		if (i < 0 || column_sort(&column_table[i]) == NO_SORT)
			return false;
		i = column_sort(&column_table[i]);
	}
	m->sort = (uint8_t)i;
	return true;
}

/* 1: there is no such key; -1: it does not take that. */
static int take(struct tui_model *m, const char *key, char *value)
{
	int i;

	for (size_t f = 0; f < N_FLAGS; f++) {
		if (strcmp(flags[f].key, key) != 0)
			continue;
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return -1;
		*flag_of(m, f) = (*value == 't') != flags[f].opposite;
		return 0;
	}
	if (!strcmp(key, "view")) {
		i = kind_named(value);
		if (i >= 0)
			m->level[0].kind = (uint8_t)i;
		return i < 0 ? -1 : 0;
	}
	if (!strcmp(key, "theme")) {
		i = name_at(theme_names, value);
		if (i >= 0)
			m->theme = (uint8_t)i;
		return i < 0 ? -1 : 0;
	}
	if (!strcmp(key, "sort"))
		return take_sort(m, value) ? 0 : -1;
	if (!strcmp(key, "hidden_columns"))
		return take_hidden(m, value) ? 0 : -1;
	return 1;
}

static int take_line(struct tui_model *m, char *line, int n, char *err, size_t size)
{
	char *colon, *value, *end;
	int r;

	line[strcspn(line, "\r")] = '\0';
	line += strspn(line, " \t");
	if (!*line || *line == '#' || !strcmp(line, "---"))
		return 0;
	colon = strchr(line, ':');
	if (!colon) {
		(void)snprintf(err, size, "line %d: takes KEY: VALUE", n);
		return -EINVAL;
	}
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	r = take(m, line, value);
	if (r)
		(void)snprintf(err, size,
			       r > 0 ? "line %d: there is no setting '%.*s'"
				     : "line %d: %.*s: does not take that value",
			       n, WORD, line);
	return r ? -EINVAL : 0;
}

int settings_take(struct tui_model *m, const char *text, bool keep_kind, bool keep_sort, char *err,
		  size_t size)
{
	struct tui_model was = *m;
	char line[512], why[128] = "";
	int n = 0, r = 0, bad;

	while (*text) {
		size_t len = strcspn(text, "\n");

		n++;
		bad = len < sizeof(line) ? 0 : -EINVAL;
		if (bad) {
			(void)snprintf(why, sizeof(why), "line %d: too long", n);
		} else {
			memcpy(line, text, len);
			line[len] = '\0';
			bad = take_line(m, line, n, why, sizeof(why));
		}
		if (bad && !r)
			(void)snprintf(err, size, "%s", why);
		r = r ?: bad;
		text += len;
		text += *text == '\n';
	}
	if (keep_kind)
		m->level[0].kind = was.level[0].kind;
	if (keep_sort) {
		m->sort = was.sort;
		m->reverse = was.reverse;
	}
	return r;
}

void settings_text(const struct tui_model *m, char *s, size_t size)
{
	const char *sort = m->sort < NETPROBE_SORT_MAX ? sorts[m->sort]
			   : m->sort - SORT_COLUMN < n_columns && m->sort >= SORT_COLUMN
				   ? column_table[m->sort - SORT_COLUMN].title
				   : "rate";
	size_t n = (size_t)snprintf(s, size,
				    "# Settings of netprobe top, which writes them when it ends.\n"
				    "view: %s\nsort: %s\ntheme: %s\n",
				    view_kinds[m->level[0].kind].by, sort, theme_names[m->theme]);
	bool first = true;

	for (size_t i = 0; i < N_FLAGS && n < size; i++)
		n += (size_t)snprintf(s + n, size - n, "%s: %s\n", flags[i].key,
				      *flag_of(m, i) != flags[i].opposite ? "true" : "false");
	if (n < size)
		n += (size_t)snprintf(s + n, size - n, "hidden_columns: [");
	for (int i = 1; i < n_columns && n < size; i++)
		if (m->hidden >> i & 1) {
			n += (size_t)snprintf(s + n, size - n, "%s\"%s\"", first ? "" : ", ",
					      column_table[i].title);
			first = false;
		}
	if (n < size)
		(void)snprintf(s + n, size - n, "]\n");
}
