/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer counts, as events and as a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "balance/health.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"
#include "out/event.h"
#include "out/lb.h"
#include "out/table.h"

static const char *const state_names[] = { "free", "up", "draining", "down" };
static const char *const forward_names[] = { "encap", "mac" };
static const char *const check_names[] = { "none", "tcp", "http" };

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* A VIP's backends into *ret (free() it). Number or -errno. */
static int backends_of(struct balance *b, unsigned int vip, struct event_lb_backend **ret)
{
	struct event_lb_backend *all = NULL, *more;
	unsigned int n = 0;
	int r = 0;

	for (unsigned int i = 0; !r && (i = model_next(b->model, vip, i));) {
		const struct lb_backend_conf *c = &b->model->confs[i];

		more = reallocarray(all, n + 1, sizeof(*all));
		if (!more) {
			r = -ENOMEM;
			break;
		}
		all = more;
		all[n] = (struct event_lb_backend){
			.state = state_names[health_state(c) & 3],
			.forward = forward_names[b->model->backends[i].forward & 1],
			.check = check_names[c->check % 3],
			.why = c->why,
			.weight = c->weight,
			.checked_ns = c->checked_ns,
		};
		addr_format(b->model->backends[i].addr, all[n].addr);
		r = balance_backend_count(b, i, &all[n++].n);
	}
	if (r) {
		free(all);
		return r;
	}
	*ret = all;
	return (int)n;
}

static int put_event(struct buf *out, const struct event_lb *lb, int format, bool color)
{
	struct event ev = { .kind = EVENT_LB,
			    .wall_ns = clock_ns(CLOCK_REALTIME),
			    .ktime_ns = clock_ns(CLOCK_MONOTONIC),
			    .num = (double)(lb->vip ? lb->n.packets : lb->totals[LB_FORWARDED]),
			    .unit = "packets",
			    .mode = "ebpf",
			    .lb = lb };
	char host[65] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", lb->vip ? lb->vip : "balancer");
	(void)snprintf(ev.value, sizeof(ev.value), "%llu",
		       (unsigned long long)(lb->vip ? lb->n.packets : lb->totals[LB_FORWARDED]));
	return format == FORMAT_TEXT   ? event_write_text(out, &ev, color)
	       : format == FORMAT_JSON ? event_write_json(out, &ev, host)
				       : event_write_xctl(out, &ev, host);
}

int guard_lb_events(struct balance *b, struct buf *out, int format, bool color)
{
	uint64_t totals[LB_TOTALS];
	int r = 0;

	for (unsigned int i = 0; !r && i < LB_VIPS; i++) {
		struct event_lb_backend *backends = NULL;
		char text[VIP_TEXT_SIZE];
		struct event_lb lb;

		if (!b->model->vips[i].key.proto)
			continue;
		vip_format(&b->model->vips[i].key, text);
		lb = (struct event_lb){ .vip = text };
		r = balance_vip_count(b, i, &lb.n);
		if (!r)
			r = backends_of(b, i, &backends);
		if (r >= 0) {
			lb.backends = backends;
			lb.n_backends = (unsigned int)r;
			r = put_event(out, &lb, format, color);
		}
		free(backends);
	}
	if (!r)
		r = balance_totals(b, totals);
	return r ? r : put_event(out, &(struct event_lb){ .totals = totals }, format, color);
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
	found = r ? r : backends_of(b, vip, &backends);
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
