/* SPDX-License-Identifier: BSD-2-Clause */
/* See loss.h. */
#include "loss.h"

#include <string.h>

#include "maker.h"

uint64_t loss_sum(const json_t *records, const char *key)
{
	uint64_t last[64] = { 0 }, sum = 0;
	const char *names[64] = { 0 };
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		const char *program = record_str(r, "program");
		size_t k = 0;

		if (strcmp(record_str(r, "event_type"), "probe.loss") != 0)
			continue;
		while (k < 63 && names[k] && strcmp(names[k], program) != 0)
			k++;
		names[k] = program;
		last[k] = record_u64(r, key);
	}
	for (size_t k = 0; k < 64; k++)
		sum += last[k];
	return sum;
}
