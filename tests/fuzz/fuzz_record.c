/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as records of the kernel half: a flow table takes or refuses each, and its sums stay sums. The first byte of
 * each chooses what it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/plausible.h"
#include "flow/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As much of it as there is, the rest 0. */
static size_t take(void *to, size_t n, const uint8_t *data, size_t size)
{
	size_t there = n < size ? n : size;

	memset(to, 0, n);
	memcpy(to, data, there);
	return there;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct flow_table_opts opts = { .max_flows = 8, .grace_ns = 1000 };
	struct process_table *procs;
	struct flow_table *t;
	uint64_t now_ns = 1;

	if (size > 16384)
		return 0;
	procs = process_table_new("/nonexistent", NULL);
	t = procs ? flow_table_new(&opts, procs) : NULL;
	for (size_t at = 0; t && at < size;) {
		struct np_sock_rec rec;
		struct np_part_key key;
		struct np_part part;
		uint8_t what = data[at++];

		now_ns += what * 100U;
		if (what % 4 == 0) {
			at += take(&rec, sizeof(rec), data + at, size - at);
			if (!implausible_sock(&rec, what & 4, now_ns, now_ns))
				(void)flow_table_sock(t, &rec, now_ns);
		} else if (what % 4 == 1) {
			at += take(&key, sizeof(key), data + at, size - at);
			at += take(&part, sizeof(part), data + at, size - at);
			if (!implausible_part(&part, now_ns))
				(void)flow_table_part(t, &key, &part, now_ns);
		} else if (what % 4 == 2) {
			at += take(&rec, sizeof(rec), data + at, size - at);
			(void)flow_table_moved(t, &rec, now_ns);
		} else {
			flow_table_turn(t);
			flow_table_tick(t, now_ns);
		}
	}
	if (t)
		(void)flow_table_free(t);
	(void)process_table_free(procs);
	return 0;
}
