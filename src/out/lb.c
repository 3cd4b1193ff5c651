/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer's counters in JSON and text (see lb.h). */
#include "out/lb.h"

const char *lb_total_name(unsigned int what)
{
	static const char *const names[LB_TOTALS] = {
		[LB_FORWARDED] = "handed_to_driver",
		[LB_NO_VIP] = "no_vip",
		[LB_VLAN] = "vlan",
		[LB_FRAGMENT] = "fragment",
		[LB_MALFORMED] = "malformed_pkts",
		[LB_NO_BACKEND] = "no_backend",
		[LB_NO_ROUTE] = "no_route",
		[LB_NO_NEIGHBOUR] = "no_neighbour",
		[LB_NO_FORWARDING] = "no_forwarding",
		[LB_TOO_BIG] = "too_big",
		[LB_TOO_BIG_TOLD] = "too_big_told",
		[LB_NO_ROOM] = "no_room",
		[LB_TABLE_FULL] = "table_full",
		[LB_TABLE_SKIPPED] = "table_skipped",
		[LB_FLOW_MOVED] = "flow_moved",
		[LB_FRAGMENT_SENT] = "fragment_sent",
	};

	return what < LB_TOTALS ? names[what] : NULL;
}

static void put_count(struct buf *b, const struct lb_count *n)
{
	json_kv_u64(b, "packets", n->packets);
	json_kv_u64(b, "bytes", n->bytes);
	json_kv_u64(b, "new_flows", n->new_flows);
	json_kv_u64(b, "table_hits", n->table_hits);
	json_kv_u64(b, "icmp", n->icmp);
	json_kv_u64(b, "errors", n->errors);
}

static void put_backend(struct buf *b, const struct event_lb_backend *x)
{
	buf_putc(b, '{');
	json_kv_str(b, "backend", x->addr);
	json_kv_str(b, "state", x->state);
	json_kv_u64(b, "weight", x->weight);
	json_kv_str(b, "forward", x->forward);
	json_kv_str(b, "check", x->check);
	json_kv_u64_or_null(b, "checked_ktime_ns", x->checked_ns);
	json_kv_str(b, "why", x->why[0] ? x->why : NULL);
	put_count(b, &x->n);
	buf_putc(b, '}');
}

void lb_put_json(struct buf *b, const struct event_lb *e)
{
	if (!e->vip) {
		buf_puts(b, ",\"vip\":null,\"packets\":null,\"bytes\":null,\"new_flows\":null,"
			    "\"table_hits\":null,\"icmp\":null,\"errors\":null,\"backends\":null");
		for (unsigned int i = 0; i < LB_TOTALS; i++)
			json_kv_u64(b, lb_total_name(i), e->totals[i]);
		return;
	}
	json_kv_str(b, "vip", e->vip);
	put_count(b, &e->n);
	json_key(b, "backends");
	buf_putc(b, '[');
	for (unsigned int i = 0; i < e->n_backends; i++) {
		if (i)
			buf_putc(b, ',');
		put_backend(b, &e->backends[i]);
	}
	buf_putc(b, ']');
	for (unsigned int i = 0; i < LB_TOTALS; i++)
		json_kv_null(b, lb_total_name(i));
}

void lb_put_text(struct buf *b, const struct event_lb *e)
{
	unsigned int up = 0;

	if (!e->vip) {
		for (unsigned int i = 0; i < LB_TOTALS; i++)
			if (e->totals[i])
				buf_printf(b, "%s %llu ", lb_total_name(i),
					   (unsigned long long)e->totals[i]);
		return;
	}
	for (unsigned int i = 0; i < e->n_backends; i++)
		up += e->backends[i].state[0] == 'u';
	buf_printf(b, "%s: %u of %u backends up, %llu new flows, %llu table hits, %llu errors ",
		   e->vip, up, e->n_backends, (unsigned long long)e->n.new_flows,
		   (unsigned long long)e->n.table_hits, (unsigned long long)e->n.errors);
}
