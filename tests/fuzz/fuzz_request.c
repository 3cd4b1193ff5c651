/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a line of a control socket: a request, or one line of error. */
#include <stdlib.h>
#include <string.h>

#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netprobe_error err = { 0 };
	struct control_request q = { 0 };

	if (size > CONTROL_MAX_BYTES)
		return 0;
	if (request_parse((const char *)data, size, &q, &err)) {
		if (!strstr(err.msg, "; takes ") || strchr(err.msg, '\n'))
			abort();
		return 0;
	}
	for (unsigned int i = 0; i < q.n; i++)
		if (!q.pairs[i].key || !q.pairs[i].value)
			abort();
	request_done(&q);
	return 0;
}
