/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures as one table: reads the lines the measuring programs printed, writes them as one JSON
 * document to the file named, the table to stdout. Exit 1 when a figure missed its target.
 *
 * table RESULTS.jsonl OUT.json
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define WHAT_WIDTH 66

static json_t *load(const char *path)
{
	FILE *f = fopen(path, "re");
	json_t *all = json_array();
	char *line = NULL;
	size_t size = 0;

	if (!f) {
		perror(path);
		exit(2);
	}
	while (getline(&line, &size, f) > 0) {
		json_error_t e;
		json_t *one = json_loads(line, 0, &e);

		if (one)
			json_array_append_new(all, one);
		else
			fprintf(stderr, "table: %s: %s", e.text, line);
	}
	free(line);
	fclose(f);
	return all;
}

static const char *text(const json_t *r, const char *key)
{
	const char *s = json_string_value(json_object_get(r, key));

	return s ? s : "";
}

static void number(char *buf, size_t size, const json_t *v, const char *before, const char *unit)
{
	double d = json_number_value(v);

	if (!json_is_number(v))
		snprintf(buf, size, "%s", "-");
	else
		snprintf(buf, size,
			 d && d < 0.01 ? "%s%.1e%s%s"
			 : d < 1000    ? "%s%.4g%s%s"
				       : "%s%.0f%s%s",
			 before, d, *unit && *unit != '%' && *unit != 'x' ? " " : "", unit);
}

static void row(const json_t *r, unsigned int *passed, unsigned int *failed)
{
	const json_t *pass = json_object_get(r, "pass");
	const char *verdict = "";
	char measured[32], target[32], ratio[32];

	if (json_is_true(pass)) {
		verdict = "pass";
		++*passed;
	} else if (json_is_false(pass)) {
		verdict = "FAIL";
		++*failed;
	}
	number(measured, sizeof(measured), json_object_get(r, "measured"), "", text(r, "unit"));
	number(target, sizeof(target), json_object_get(r, "target"), text(r, "op"), "");
	number(ratio, sizeof(ratio), json_object_get(r, "ratio"), "", "");
	printf("%-*.*s %14s %10s %8s  %s\n", WHAT_WIDTH, WHAT_WIDTH, text(r, "what"), measured,
	       target, ratio, verdict);
}

/* As the kernel names it. */
static const char *processor(void)
{
	static char line[256];
	FILE *f = fopen("/proc/cpuinfo", "re");
	const char *name = "";

	while (f && !*name && fgets(line, sizeof(line), f))
		if (!strncmp(line, "model name", 10) && strstr(line, ": ")) {
			line[strcspn(line, "\n")] = '\0';
			name = strstr(line, ": ") + 2;
		}
	if (f)
		fclose(f);
	return *name ? name : "unknown";
}

static void head(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		u.release[0] = '\0';
	printf("%s, %d processors, kernel %s\n\n", processor(), (int)sysconf(_SC_NPROCESSORS_ONLN),
	       u.release);
}

static void save(const char *path, json_t *all)
{
	struct utsname u;
	json_t *doc;

	if (uname(&u) < 0)
		u.release[0] = '\0';
	doc = json_pack("{s:s, s:s, s:i, s:O}", "processor", processor(), "kernel", u.release,
			"cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "figures", all);
	if (!doc || json_dump_file(doc, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) < 0) {
		fprintf(stderr, "table: cannot write %s\n", path);
		exit(2);
	}
	json_decref(doc);
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;
	json_t *all, *r;
	size_t i;

	if (argc != 3) {
		fprintf(stderr, "usage: table RESULTS.jsonl OUT.json\n");
		return 2;
	}
	all = load(argv[1]);
	head();
	printf("%-*s %14s %10s %8s\n", WHAT_WIDTH, "figure", "measured", "target", "ratio");
	json_array_foreach (all, i, r)
		row(r, &passed, &failed);
	printf("\nNotes\n");
	json_array_foreach (all, i, r)
		if (*text(r, "detail"))
			printf("  %s: %s\n", text(r, "id"), text(r, "detail"));
	printf("\n%u figures within their target, %u not; in full: %s\n", passed, failed, argv[2]);
	save(argv[2], all);
	json_decref(all);
	return failed ? 1 : 0;
}
