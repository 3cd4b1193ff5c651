/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of fields itself: a key is one thing wherever it stands, and says the unit it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "event/field.h"

#define PATHS 2048

struct place {
	char path[96];
	const struct field *f;
	const char *type;
};

static struct place places[PATHS];
static unsigned int n_places;
static bool bad;

static void note(const char *path, const struct field *f, const char *type)
{
	for (unsigned int i = 0; i < n_places; i++) {
		const struct place *p = &places[i];

		if (strcmp(p->path, path) != 0)
			continue;
		if (p->f->type == f->type && p->f->unit == f->unit)
			return;
		print_error("%s is %s %s in %s, and %s %s in %s\n", path, field_type_name(f->type),
			    field_unit_name(f->unit), type, field_type_name(p->f->type),
			    field_unit_name(p->f->unit), p->type);
		bad = true;
		return;
	}
	assert_true(n_places < PATHS);
	(void)snprintf(places[n_places].path, sizeof(places[0].path), "%s", path);
	places[n_places].f = f;
	places[n_places++].type = type;
}

static void each(const struct field *list, const char *before, const char *type,
		 void (*fn)(const char *path, const struct field *f, const char *type))
{
	for (const struct field *f = list; f && f->name; f++) {
		char path[96];

		(void)snprintf(path, sizeof(path), "%s%s%s", before, *before ? "." : "", f->name);
		fn(path, f, type);
		if (f->of)
			each(f->of, path, type, fn);
	}
}

static void all(void (*fn)(const char *path, const struct field *f, const char *type))
{
	const struct record_type *t;

	bad = false;
	for (unsigned int i = 0; (t = record_type_at(i)); i++)
		for (unsigned int g = 0; g < RECORD_GROUPS && t->groups[g]; g++)
			each(t->groups[g], "", t->name, fn);
	assert_false(bad);
}

static void a_key_has_one_type_and_one_unit_in_all_records(void **state)
{
	(void)state;
	n_places = 0;
	all(note);
	assert_true(n_places > 300);
}

/* "a" between two underscores, or at an end. */
static bool has_word(const char *name, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
		if ((at == name || at[-1] == '_') && (!at[n] || at[n] == '_'))
			return true;
	return false;
}

static void check_unit(const char *path, const struct field *f, const char *type)
{
	static const char *const words[FIELD_UNIT_MAX] = {
		[FIELD_BYTES] = "bytes",
		[FIELD_BYTES_S] = "bytes_per_s",
		[FIELD_MBIT_S] = "mbit_per_s",
		[FIELD_NS] = "ns",
		[FIELD_US] = "us",
		[FIELD_MS] = "ms",
		[FIELD_S] = "s",
		[FIELD_KIB] = "kib",
		[FIELD_PER_S] = "per_s",
	};
	const char *last = strrchr(f->name, '_');

	if (f->unit != FIELD_NO_UNIT && !has_word(f->name, words[f->unit])) {
		print_error("%s of %s is in %s and does not say so\n", path, type,
			    field_unit_name(f->unit));
		bad = true;
	}
	for (unsigned int u = 1; last && f->unit == FIELD_NO_UNIT && u < FIELD_UNIT_MAX; u++)
		if (!strcmp(last + 1, words[u])) {
			print_error("%s of %s has no unit and looks as if\n", path, type);
			bad = true;
		}
}

static void a_key_says_its_unit(void **state)
{
	(void)state;
	all(check_unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_has_one_type_and_one_unit_in_all_records),
		cmocka_unit_test(a_key_says_its_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
