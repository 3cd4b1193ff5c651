/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is made from the table of fields and kept in the tree: the JSON Schema that is installed, and the tables of
 * docs/ between "<!-- fields: NAME -->" and "<!-- end -->". With --update they are written anew. The root of the tree
 * is $NETPROBE_SOURCE or the current folder.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/schema.h"

static char *read_file(const char *path)
{
	struct buf b = { 0 };
	char piece[4096];
	size_t n;
	FILE *f = fopen(path, "r");

	while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&b, piece, n);
	if (f)
		(void)fclose(f);
	buf_putc(&b, '\0');
	return b.data;
}

/* Says the first line that differs. */
static int settle(const char *path, const char *have, struct buf *want, int rewrite)
{
	const char *w = buf_str(want);
	unsigned int line = 1;
	size_t i = 0;
	FILE *f;

	if (!w || !have || !*have) {
		printf("%s: cannot be read\n", path);
		return 1;
	}
	if (!strcmp(w, have))
		return 0;
	if (!rewrite) {
		for (; w[i] == have[i]; i++)
			line += w[i] == '\n';
		printf("%s:%u is not what the table of fields gives: tests/golden/fields_golden --update\n",
		       path, line);
		return 1;
	}
	f = fopen(path, "w");
	if (!f || fwrite(w, 1, want->len, f) != want->len || fclose(f)) {
		perror(path);
		return 1;
	}
	return 0;
}

static int schema(const char *root, int rewrite)
{
	struct buf b = { 0 };
	char path[512], *have;
	int bad;

	(void)snprintf(path, sizeof(path), "%s/dist/events.schema.json", root);
	schema_write(&b);
	have = read_file(path);
	bad = settle(path, rewrite && have && !*have ? "-" : have, &b, rewrite);
	printf("%s the installed JSON Schema\n", bad ? "not ok" : "ok");
	free(have);
	buf_done(&b);
	return bad;
}

#define BEGIN "<!-- fields: "
#define END "<!-- end -->\n"

/* The page with its tables made anew; -1: a table that there is not, or without an end. */
static int page(const char *text, struct buf *b)
{
	char name[64];

	while (*text) {
		const char *end = strchr(text, '\n'), *close;

		end = end ? end + 1 : text + strlen(text);
		buf_put(b, text, (size_t)(end - text));
		if (strncmp(text, BEGIN, strlen(BEGIN)) != 0) {
			text = end;
			continue;
		}
		(void)snprintf(name, sizeof(name), "%s", text + strlen(BEGIN));
		close = strstr(name, " -->") ? strstr(end, END) : NULL;
		if (close)
			*strstr(name, " -->") = '\0';
		buf_putc(b, '\n');
		if (!close || !schema_put_docs(b, name)) {
			printf("%s: no such table, or it has no end\n", name);
			return -1;
		}
		buf_putc(b, '\n');
		text = close;
	}
	return 0;
}

static int docs(const char *root, const char *name, int rewrite)
{
	struct buf b = { 0 };
	char path[512], *have;
	int bad;

	(void)snprintf(path, sizeof(path), "%s/docs/%s", root, name);
	have = read_file(path);
	bad = !have || page(have, &b) || settle(path, have, &b, rewrite);
	printf("%s tables of docs/%s\n", bad ? "not ok" : "ok", name);
	free(have);
	buf_done(&b);
	return bad;
}

/* Each field of each type of events is in a table of the page. */
static int all_told(const char *root)
{
	const struct record_type *t;
	const struct field *f;
	char path[512], mark[80], *have;
	int bad = 0;

	(void)snprintf(path, sizeof(path), "%s/docs/events.md", root);
	have = read_file(path);
	for (unsigned int i = 0; have && (t = record_type_at(i)) && !t->row; i++) {
		for (unsigned int n = 0; (f = record_field_at(t, n)); n++) {
			(void)snprintf(mark, sizeof(mark), "\n| `%s` |", f->name);
			if (strstr(have, mark))
				continue;
			printf("docs/events.md has no %s of %s\n", f->name, t->name);
			bad = 1;
		}
	}
	printf("%s docs/events.md has every field\n", bad ? "not ok" : "ok");
	free(have);
	return bad;
}

int main(int argc, char **argv)
{
	static const char *const pages[] = { "events.md", "flows.md" };
	int rewrite = argc > 1 && !strcmp(argv[1], "--update"), bad;
	const char *root = getenv("NETPROBE_SOURCE") ?: ".";

	bad = schema(root, rewrite);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		bad |= docs(root, pages[i], rewrite);
	return bad | all_told(root);
}
