/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer counts, as events and as a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"
#include "engine/lb.h"
#include "out/event.h"
#include "out/table.h"

struct printing {
	struct buf *out;
	int format, err;
	bool color;
	char host[65];
};

static void print_event(const struct event *ev, void *arg)
{
	struct printing *p = arg;

	if (!p->err)
		p->err = p->format == FORMAT_TEXT   ? event_write_text(p->out, ev, p->color)
			 : p->format == FORMAT_JSON ? event_write_json(p->out, ev, p->host)
						    : event_write_xctl(p->out, ev, p->host);
}

int guard_lb_events(struct balance *b, struct buf *out, int format, bool color)
{
	struct printing p = { .out = out, .format = format, .color = color };
	int r;

	(void)gethostname(p.host, sizeof(p.host) - 1);
	r = lb_events(b, print_event, &p);
	return r ? r : p.err;
}

static const struct table_column columns[] = {
	{ .name = "vip", .title = "VIP" },
	{ .name = "backend", .title = "BACKEND" },
	{ .name = "state", .title = "STATE" },
	{ .name = "weight", .title = "WEIGHT", .right = true },
	{ .name = "forward", .title = "FORWARD" },
	{ .name = "check", .title = "CHECK" },
	{ .name = "packets", .title = "PACKETS", .right = true },
	{ .name = "bytes", .title = "BYTES", .unit = UNIT_BYTES, .right = true },
	{ .name = "new_flows", .title = "NEW", .right = true },
	{ .name = "table_hits", .title = "HITS", .right = true },
	{ .name = "errors", .title = "ERRORS", .right = true },
	{ .name = "why", .title = "WHY DOWN" },
};

static int add_row(struct table *t, const char *vip, const struct event_lb_backend *x,
		   const struct lb_count *n)
{
	uint8_t text = x ? CELL_STR : CELL_NULL;

	return table_add(
		t, (struct cell[]){
			   { CELL_STR, .str = vip },
			   { text, .str = x ? x->addr : NULL },
			   { text, .str = x ? x->state : NULL },
			   { x ? CELL_U64 : CELL_NULL, .u64 = x ? x->weight : 0 },
			   { text, .str = x ? x->forward : NULL },
			   { text, .str = x ? x->check : NULL },
			   { CELL_U64, .u64 = n->packets },
			   { CELL_U64, .u64 = n->bytes },
			   { CELL_U64, .u64 = n->new_flows },
			   { CELL_U64, .u64 = n->table_hits },
			   { CELL_U64, .u64 = n->errors },
			   { x && x->why[0] ? CELL_STR : CELL_NULL, .str = x ? x->why : NULL },
		   });
}

static int add_vip(struct balance *b, unsigned int vip, struct table *t)
{
	struct event_lb_backend *backends = NULL;
	char text[VIP_TEXT_SIZE];
	struct lb_count n;
	int r = balance_vip_count(b, vip, &n), found;

	vip_format(&b->model->vips[vip].key, text);
	if (!r)
		r = add_row(t, text, NULL, &n);
	found = r ? r : lb_backends(b, vip, &backends);
	r = found < 0 ? found : 0;
	for (int i = 0; !r && i < found; i++)
		r = add_row(t, text, &backends[i], &backends[i].n);
	free(backends);
	return r;
}

int guard_lb_table(struct balance *b, struct buf *out)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int r = t ? 0 : -ENOMEM;

	for (unsigned int i = 0; !r && i < LB_VIPS; i++)
		if (b->model->vips[i].key.proto)
			r = add_vip(b, i, t);
	if (!r)
		r = table_write(t, out, FORMAT_TEXT, false);
	table_free(t);
	return r;
}

int guard_lb_list(int format)
{
	struct netprobe_error err = {};
	struct balance b = {};
	struct buf out = {};
	int r = balance_open(false, NULL, &b, &err);

	if (r == -ENOENT)
		return EXIT_OK; /* nothing to list */
	if (r)
		return guard_failed(&err);
	r = format == FORMAT_JSON ? guard_lb_events(&b, &out, FORMAT_JSON, false)
				  : guard_lb_table(&b, &out);
	balance_close(&b);
	if (r) {
		log_err("the balancer's counters cannot be read: %s", strerror(-r));
		r = EXIT_INTERNAL;
	} else {
		r = guard_print(&out);
	}
	buf_done(&out);
	return r;
}
