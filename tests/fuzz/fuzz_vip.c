/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as a VIP and as a backend: what is taken is written back to what reads the same. */
#include <stdlib.h>
#include <string.h>

#include "balance/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key, again;
	uint8_t addr[16], addr2[16];
	char text[256], out[VIP_TEXT_SIZE], out2[ADDR_TEXT_SIZE];

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!vip_parse(text, &key, &err)) {
		vip_format(&key, out);
		if (vip_parse(out, &again, &err) || memcmp(&key, &again, sizeof(key)) != 0)
			abort();
	} else if (!strstr(err.msg, "; takes ")) {
		abort();
	}
	if (!backend_parse(text, addr, &err)) {
		addr_format(addr, out2);
		if (backend_parse(out2, addr2, &err) || memcmp(addr, addr2, sizeof(addr)) != 0)
			abort();
	}
	return 0;
}
