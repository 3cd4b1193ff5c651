/* SPDX-License-Identifier: BSD-2-Clause */
/* One sock_diag message: no reading past its end, whatever its attributes claim. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = malloc(size ? size : 1); /* exact, so that one byte too far is seen */
	struct diag_sock s;
	struct np_tcp tcp = {};

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!diag_parse(copy, size, 6, &s)) {
		info_tcp(&s, &tcp);
		if (s.info_len > sizeof(s.info))
			abort();
		(void)info_tx_bytes(&s);
		(void)info_rx_bytes(&s);
	}
	free(copy);
	return 0;
}
