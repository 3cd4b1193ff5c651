/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer counts, as records and as a table. */
#include <errno.h>

#include "cli/guard.h"
#include "out/table.h"

static const struct table_column columns[] = {
	{ .name = "vip", .title = "VIP", .rank = 1, .least = 18, .middle = true },
	{ .name = "backend", .title = "BACKEND", .least = 15, .middle = true },
	{ .name = "state", .title = "STATE" },
	{ .name = "weight", .title = "WEIGHT", .right = true, .rank = 5 },
	{ .name = "forward", .title = "FORWARD", .rank = 8 },
	{ .name = "check", .title = "CHECK", .rank = 7 },
	{ .name = "packets", .title = "PACKETS", .right = true, .rank = 3 },
	{ .name = "bytes", .title = "BYTES", .unit = UNIT_BYTES, .right = true, .rank = 4 },
	{ .name = "new_flows", .title = "NEW", .right = true, .rank = 6 },
	{ .name = "table_hits", .title = "HITS", .right = true, .rank = 6 },
	{ .name = "errors", .title = "ERRORS", .right = true, .rank = 2 },
	{ .name = "why", .title = "WHY DOWN", .rank = 3 },
};

static int add_row(const struct netprobe_backend_stats *s, void *arg)
{
	static const char *const states[] = { "free", "up", "draining", "down" };
	static const char *const forwards[] = { "encap", "mac" };
	static const char *const checks[] = { "none", "tcp", "http", "?" };
	uint8_t text = s->addr ? CELL_STR : CELL_NULL;

	return table_add(arg, (struct cell[]){
				      { CELL_STR, .str = s->vip },
				      { text, .str = s->addr },
				      { text, .str = states[s->state & 3] },
				      { s->addr ? CELL_U64 : CELL_NULL, .u64 = s->weight },
				      { text, .str = forwards[s->forward & 1] },
				      { text, .str = checks[s->check & 3] },
				      { CELL_U64, .u64 = s->packets },
				      { CELL_U64, .u64 = s->bytes },
				      { CELL_U64, .u64 = s->new_flows },
				      { CELL_U64, .u64 = s->table_hits },
				      { CELL_U64, .u64 = s->errors },
				      { s->why[0] ? CELL_STR : CELL_NULL, .str = s->why },
			      });
}

int guard_print_balancer(struct guard_call *call, int format, const char *nothing)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct buf out = {};
	int r = t ? netprobe_manager_backends(call->m, add_row, t, &call->err) : -ENOMEM;

	if (r > 0 && format == FORMAT_JSON)
		r = guard_put_records(call, NETPROBE_EVENT_BALANCING, &out);
	else if (r > 0 || (!r && nothing && format != FORMAT_JSON)) {
		table_nothing(t, nothing);
		r = guard_put_table(t, &out, FORMAT_TEXT);
	}
	if (r >= 0)
		r = guard_print(&out);
	buf_done(&out);
	table_free(t);
	return r;
}
