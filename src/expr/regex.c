/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regular expressions of users, bounded in length, memory and steps: PCRE2 without its compiler, which would need memory
 * that may be executed. What needs more steps than there are for one text did not match there.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "expr/internal.h"

#define PATTERN_MAX 256
#define STEPS_MAX 4000	 /* for one text: some tens of microseconds */
#define DEPTH_MAX 1000	 /* of backtracking */
#define MEMORY_KIB 256	 /* for what is gone back to */
#define NESTED_MAX 32	 /* parentheses */
#define GIVE_UPS_MAX 100 /* texts; then it is not tried any more */

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	unsigned int gave_up;
};

static pcre2_code *compile(const char *pattern, uint32_t options, int *ret_error,
			   PCRE2_SIZE *ret_at)
{
	pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
	pcre2_code *code;

	if (!ctx) {
		*ret_error = PCRE2_ERROR_HEAP_FAILED;
		return NULL;
	}
	(void)pcre2_set_parens_nest_limit(ctx, NESTED_MAX);
	(void)pcre2_set_max_pattern_length(ctx, PATTERN_MAX);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | options, ret_error, ret_at, ctx);
	pcre2_compile_context_free(ctx);
	return code;
}

static int refuse(const char *pattern, int error, PCRE2_SIZE at, struct netprobe_error *err)
{
	PCRE2_UCHAR why[96] = "";

	if (error == PCRE2_ERROR_HEAP_FAILED)
		return error_set(err, -ENOMEM, "out of memory");
	(void)pcre2_get_error_message(error, why, sizeof(why));
	return error_set(
		err, -EINVAL,
		"'%.60s' is not a regular expression: %s at %zu; takes one of up to %d bytes",
		pattern, (const char *)why, at + 1, PATTERN_MAX);
}

static int make(pcre2_code *code, struct regex **ret, struct netprobe_error *err)
{
	struct regex *x = calloc(1, sizeof(*x));

	if (!x) {
		pcre2_code_free(code);
		return error_set(err, -ENOMEM, "out of memory");
	}
	x->code = code;
	x->data = pcre2_match_data_create(1, NULL);
	x->limits = pcre2_match_context_create(NULL);
	if (!x->data || !x->limits) {
		(void)regex_free(x);
		return error_set(err, -ENOMEM, "out of memory");
	}
	(void)pcre2_set_match_limit(x->limits, STEPS_MAX);
	(void)pcre2_set_depth_limit(x->limits, DEPTH_MAX);
	(void)pcre2_set_heap_limit(x->limits, MEMORY_KIB);
	*ret = x;
	return 0;
}

int regex_new(const char *pattern, struct regex **ret, struct netprobe_error *err)
{
	PCRE2_SIZE at = 0;
	int error = 0;
	pcre2_code *code =
		compile(pattern, PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE, &error, &at);

	return code ? make(code, ret, err) : refuse(pattern, error, at, err);
}

int regex_of_word(const char *word, struct regex **ret, struct netprobe_error *err)
{
	PCRE2_SIZE at = 0;
	int error = 0;
	pcre2_code *code = compile(word, PCRE2_LITERAL | PCRE2_CASELESS, &error, &at);

	if (!code && error == PCRE2_ERROR_HEAP_FAILED)
		return error_set(err, -ENOMEM, "out of memory");
	return code ? make(code, ret, err) : 0;
}

struct regex *regex_free(struct regex *x)
{
	if (!x)
		return NULL;
	pcre2_match_context_free(x->limits);
	pcre2_match_data_free(x->data);
	pcre2_code_free(x->code);
	free(x);
	return NULL;
}

int regex_match(struct regex *x, const char *text)
{
	int r;

	if (x->gave_up >= GIVE_UPS_MAX)
		return -ERANGE;
	r = pcre2_match(x->code, (PCRE2_SPTR)text, strlen(text), 0, 0, x->data, x->limits);
	if (r >= 0)
		return 1;
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	x->gave_up++;
	return -ERANGE;
}
