/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a line of /etc/passwd: a name is one that a terminal and a table can take, or there is none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "owner/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[1024], name[33];
	uint32_t uid = UINT32_MAX;

	if (size >= sizeof(line))
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (user_parse(line, name, sizeof(name), &uid))
		return 0;
	if (!name[0] || strlen(name) >= sizeof(name) || uid == UINT32_MAX)
		abort();
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == ':')
			abort();
	return 0;
}
