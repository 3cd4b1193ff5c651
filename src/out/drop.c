/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in JSON and text (see drop.h): the part of a line that only drops have. */
#include "out/drop.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define put_literal(b, s) buf_put(b, s, sizeof(s) - 1)

const char *tcp_flags_str(uint8_t flags, char *buf)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	char *p = buf;

	*p = '\0';
	for (unsigned int i = 0; i < 8; i++) {
		if (!(flags & (1U << i)))
			continue;
		if (p != buf)
			*p++ = ',';
		p = stpcpy(p, names[i]);
	}
	return buf;
}

static bool is_icmp(const struct np_tuple *t)
{
	return t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6;
}

static void put_l4(struct buf *b, const struct np_packet *p, const struct np_tuple *t)
{
	char flags[40];

	if (p->has_l4 && t->proto == IPPROTO_TCP) {
		json_kv_str(b, "tcp_flags", tcp_flags_str(p->tcp_flags, flags));
		json_kv_u64(b, "seq", p->seq);
		json_kv_u64(b, "ack", p->ack);
	} else {
		put_literal(b, ",\"tcp_flags\":null,\"seq\":null,\"ack\":null");
	}
	if (p->has_l4 && is_icmp(t)) {
		json_kv_u64(b, "icmp_type", p->icmp_type);
		json_kv_u64(b, "icmp_code", p->icmp_code);
	} else {
		put_literal(b, ",\"icmp_type\":null,\"icmp_code\":null");
	}
}

void packet_put_json(struct buf *b, const struct np_packet *p, const struct np_tuple *t)
{
	static const struct np_packet none;
	static const struct np_tuple nowhere;

	if (!p)
		p = &none;
	if (!t)
		t = &nowhere;
	json_kv_u64_or_null(b, "len_bytes", p->len);
	json_kv_u64_or_null(b, "ip_proto", t->proto);
	json_kv_u64_or_null(b, "eth_proto", p->eth_proto);
	if (p->has_vlan)
		json_kv_u64(b, "vlan", p->vlan_tci & 0xfff);
	else
		json_kv_null(b, "vlan");
	/* a family alone is that of a sum of packets */
	if (t->family && p->len)
		json_kv_u64(b, "ttl", p->ttl);
	else
		json_kv_null(b, "ttl");
	put_l4(b, p, t);
}

void drop_put_json(struct buf *b, const struct event_drop *d, const struct np_tuple *t)
{
	json_kv_str(b, "reason", d->reason);
	json_kv_str(b, "location", d->location);
	json_key(b, "stack");
	if (!d->n_stack)
		put_literal(b, "null");
	for (unsigned int i = 0; i < d->n_stack; i++) {
		buf_putc(b, i ? ',' : '[');
		json_str(b, d->stack[i]);
	}
	if (d->n_stack)
		buf_putc(b, ']');
	json_kv_u64(b, "packets", d->packets);
	json_kv_u64(b, "suppressed", d->suppressed);
	json_kv_str(b, "kind", d->kind);
	json_kv_bool(b, "benign", d->quiet);
	packet_put_json(b, d->packet, t);
}

void drop_put_text(struct buf *b, const struct event_drop *d, const struct np_tuple *t)
{
	char flags[40];

	if (d->kind)
		buf_printf(b, "%s ", d->kind);
	if (d->location)
		buf_printf(b, "in %s ", d->location);
	if (d->packet && t && d->packet->has_l4 && t->proto == IPPROTO_TCP)
		buf_printf(b, "[%s] ", tcp_flags_str(d->packet->tcp_flags, flags));
	if (d->packet && t && d->packet->has_l4 && is_icmp(t))
		buf_printf(b, "icmp %u/%u ", d->packet->icmp_type, d->packet->icmp_code);
	if (d->packet)
		buf_printf(b, "%u bytes ", d->packet->len);
	if (d->packets > 1)
		buf_printf(b, d->packet ? "and %llu more " : "%llu packets ",
			   (unsigned long long)(d->packet ? d->packets - 1 : d->packets));
	for (unsigned int i = 0; i < d->n_stack; i++)
		buf_printf(b, "%s%s ", i ? "< " : "stack: ", d->stack[i]);
}
