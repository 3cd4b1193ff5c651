/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as a list of bans: entries in their range, or one line that says which line and what it takes. */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_item defaults = { .port_to = 0xffff }, *items = NULL;
	struct netprobe_error err = { 0 };
	size_t n = 0, lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (guard_parse_list((const char *)data, size, &defaults, &items, &n, &err)) {
		if (items || strncmp(err.msg, "line ", 5) != 0 || strchr(err.msg, '\n') ||
		    !strstr(err.msg, "takes"))
			abort();
		return 0;
	}
	/* A range is at most two networks for each bit of an address. */
	if (n > lines * 2 * 128)
		abort();
	for (size_t i = 0; i < n; i++)
		if (items[i].len > (items[i].v6 ? 128 : 32) ||
		    items[i].port_from > items[i].port_to ||
		    memchr(items[i].reason, '\0', sizeof(items[i].reason)) == NULL ||
		    memchr(items[i].who, '\0', sizeof(items[i].who)) == NULL || items[i].line < 1 ||
		    items[i].line > lines)
			abort();
	free(items);
	return 0;
}
