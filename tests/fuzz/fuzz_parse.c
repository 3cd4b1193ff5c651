/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text to each value parser: a result in its range, or one line that says what is taken. */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int r, const struct netprobe_error *err, int in_range)
{
	if (r == 0 ? !in_range : !strstr(err->msg, "; takes ") || strchr(err->msg, '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netprobe_error err = { 0 };
	struct np_port_range range = { 0 };
	struct np_cidr cidr = { 0 };
	char text[512];
	uint32_t u32 = 0;
	uint64_t u64 = 0;
	uint8_t proto = 0;
	double sec = 0;
	int r;

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	r = parse_u32(text, 5, 500, &u32, &err);
	check(r, &err, u32 >= 5 && u32 <= 500);
	r = parse_u64(text, 1, UINT64_MAX, &u64, &err);
	check(r, &err, u64 >= 1);
	r = parse_seconds(text, &sec, &err);
	check(r, &err, sec >= 0 && sec <= 367.0 * 86400);
	r = parse_msec(text, &u32, &err);
	check(r, &err, 1);
	r = parse_cidr(text, &cidr, &err);
	check(r, &err, cidr.len <= 128);
	r = parse_port_range(text, &range, &err);
	check(r, &err, range.from >= 1 && range.from <= range.to);
	r = parse_proto(text, &proto, &err);
	check(r, &err, proto != 0);
	return 0;
}
