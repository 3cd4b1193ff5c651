/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of guard's verbs against the table of fields; lists that are empty say so. */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "guard_run.h"
#include "netns.h"
#include "tap.h"

/* of: the types of its lines, the last one for all that follow. */
static void check_rows(const struct netns *ns, const char *command, const char *const *of)
{
	char *text, *save = NULL, why[256] = "";
	unsigned int n = 0;

	guard_must(ns, "%s --format json", command);
	text = strdup(guard_out());
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *r = json_loads(line, 0, NULL);

		CHECK(fields_hold(r, record_type_find(*of), why, sizeof(why)), "%s: %s: %s: %s",
		      command, *of, why, line);
		json_decref(r);
		of += of[1] != NULL;
		n++;
	}
	CHECK(n, "%s: expected rows, got none", command);
	free(text);
}

#define ROWS(ns, command, ...) check_rows(ns, command, (const char *const[]){ __VA_ARGS__, NULL })

static void check_empty(const struct netns *ns, const char *command, const char *says)
{
	guard_must(ns, "%s", command);
	CHECK(strstr(guard_out(), says), "%s: expected '%s', got '%s'", command, says, guard_out());
}

TEST(rows_of_guard_are_as_the_table_of_fields_says)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	check_empty(&p.a, "list", "nothing is banned or allowed");
	check_empty(&p.a, "syncookie list", "no service is protected");
	check_empty(&p.a, "vip list", "no service is balanced");
	guard_must(&p.a, "ban 198.51.100.0/24 --for 10m --reason test");
	guard_must(&p.a, "allow 203.0.113.7");
	guard_must(&p.a, "syncookie add 10.77.0.1:443");
	ROWS(&p.a, "list", "guard list");
	ROWS(&p.a, "status", "guard status", "guard status all");
	ROWS(&p.a, "syncookie list", "guard syncookie");
	ROWS(&p.a, "stats", "stats.iface", "stats.global");
	guard_must(&p.a, "detach %s", p.if_a);
	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	netns_must(&p.b, "busybox ping -c 3 -W 5 10.77.0.1");
	ROWS(&p.a, "stats --flows", "guard stats flows");
	guard_must(&p.a, "detach %s", p.if_a);
}
