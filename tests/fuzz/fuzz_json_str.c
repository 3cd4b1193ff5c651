/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a string: the writer's output must be one line that jansson takes, and equal the
 * input where the input was valid.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const struct buf *b, const char *in, size_t len)
{
	json_t *root = json_loadb(b->data, b->len, JSON_DECODE_ANY, NULL);
	struct buf valid = { 0 };

	if (!root || !json_is_string(root) || memchr(b->data, '\n', b->len))
		abort();
	utf8_put_valid(&valid, in, len);
	if (json_string_length(root) != valid.len ||
	    (valid.len && memcmp(json_string_value(root), valid.data, valid.len) != 0))
		abort();
	buf_done(&valid);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	size_t len = strnlen(s, size);
	struct buf b = { 0 }, text = { 0 };

	json_strn(&b, s, size);
	check_string(&b, s, len);
	/* The terminal's way must be as wide as it says, and free of controls. */
	if (utf8_put_printable(&text, s, len, 20) > 20 ||
	    (text.len && memchr(text.data, '\033', text.len)))
		abort();
	buf_done(&text);
	buf_done(&b);
	return 0;
}
