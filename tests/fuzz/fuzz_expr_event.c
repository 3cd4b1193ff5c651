/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as an expression over any text as an event's JSON: an answer and its opposite. */
#include <stdlib.h>
#include <string.h>

#include "api/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool match(struct expr *x, const char *json)
{
	struct fields_event r = { .json = json };
	bool yes = expr_match(x, &r);

	buf_done(&r.text);
	return yes;
}

/* "EXPR\nJSON" */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *json, *opposite = calloc(1, size + 8);
	struct netprobe_error err = { 0 };
	struct expr *x = NULL, *y = NULL;

	if (!text || !opposite)
		abort();
	memcpy(text, data, size);
	json = strchr(text, '\n');
	if (json) {
		*json++ = '\0';
		(void)strcpy(opposite, "not (");
		(void)strcat(opposite, text);
		(void)strcat(opposite, ")");
		if (!expr_new(text, fields_about_event(), &x, &err) &&
		    !expr_new(opposite, fields_about_event(), &y, &err)) {
			bool a = match(x, json), b = match(y, json);

			if (a == b && !expr_gave_up(x) && !expr_gave_up(y))
				abort();
		}
	}
	(void)expr_free(x);
	(void)expr_free(y);
	free(opposite);
	free(text);
	return 0;
}
