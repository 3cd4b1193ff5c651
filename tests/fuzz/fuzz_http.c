/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as what a backend answers a check with: a status, more is to come, or none. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "balance/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t n = 0; n <= size && n <= 16; n++) {
		char *copy = malloc(n ? n : 1); /* exact, so that one byte too far is seen */
		int r;

		if (!copy)
			return 0;
		if (n)
			memcpy(copy, data, n);
		r = check_http_status(copy, n);
		if (r > 999 || (r < 0 && r != -EAGAIN))
			abort();
		free(copy);
	}
	return 0;
}
