/* SPDX-License-Identifier: BSD-2-Clause */
/* Any JSON as the answer of an instance: what `netprobe ctl` prints of it is clean, and JSON where asked for. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "../nasty.h"
#include "cli/ctl_print.h"
#include "out/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct buf *b, int format, int r)
{
	json_t *again;

	if (!r && !nasty_free(b->data, b->len, "\n"))
		abort();
	if (!r && format == FORMAT_JSON && b->len) {
		again = json_loadb(b->data, b->len, JSON_DISABLE_EOF_CHECK, NULL);
		if (!again)
			abort();
		json_decref(again);
	}
	buf_done(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *reply = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	const pid_t pids[2] = { 1, 2 };
	json_t *const replies[2] = { reply, NULL };

	if (!json_is_object(reply)) {
		json_decref(reply);
		return 0;
	}
	for (int format = FORMAT_TEXT; format <= FORMAT_JSON; format++) {
		struct buf values = { 0 }, list = { 0 }, stats = { 0 };

		check(&values, format, ctl_print_values(&values, format, reply));
		check(&list, format, ctl_print_list(&list, format, pids, replies, 2));
		check(&stats, format, ctl_print_stats(&stats, format, reply));
	}
	json_decref(reply);
	return 0;
}
