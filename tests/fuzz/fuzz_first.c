/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as the first of a connection: a host name, or none. */
#include <stdlib.h>
#include <string.h>

#include "name/first.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > 253 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") != n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[FIRST_NAME_TEXT];

	if (!first_tls(data, size, name))
		check_name(name);
	if (!first_http(data, size, name))
		check_name(name);
	return 0;
}
