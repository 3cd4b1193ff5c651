/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps of packets in JSON and text (see trace.h). */
#include "out/trace.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "out/drop.h"
#include "out/event.h"

#define put_literal(b, s) buf_put(b, s, sizeof(s) - 1)

const char *step_name(uint32_t step)
{
	static const char *const names[NP_STEP_MAX] = {
		[NP_STEP_QUEUE] = "queue",
		[NP_STEP_TRANSMIT] = "transmit",
		[NP_STEP_BACKLOG] = "backlog",
		[NP_STEP_GRO] = "gro",
		[NP_STEP_RECEIVE] = "receive",
		[NP_STEP_IP_RECEIVE] = "ip_receive",
		[NP_STEP_IP_DELIVER] = "ip_deliver",
		[NP_STEP_IP_OUTPUT] = "ip_output",
		[NP_STEP_TRANSPORT] = "transport",
		[NP_STEP_SOCKET] = "socket",
		[NP_STEP_NETFILTER] = "netfilter",
		[NP_STEP_DROP] = "drop",
		[NP_STEP_DONE] = "done",
	};

	return step < NP_STEP_MAX ? names[step] : NULL;
}

static const char *hook_name(uint8_t hook)
{
	static const char *const names[] = { "PREROUTING", "INPUT",	  "FORWARD",
					     "OUTPUT",	   "POSTROUTING", "INGRESS" };

	return hook < sizeof(names) / sizeof(names[0]) ? names[hook] : NULL;
}

static const char *verdict_name(const struct np_ev_trace *ev)
{
	if (ev->step != NP_STEP_NETFILTER)
		return NULL;
	return ev->verdict == 1 ? "accept" : ev->verdict < 0 ? "drop" : "stolen";
}

static const char *mac_str(const uint8_t mac[6], char buf[18])
{
	(void)snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
	return buf;
}

static void put_conntrack(struct buf *b, const struct np_trace_addr *a)
{
	char addr[INET6_ADDRSTRLEN];

	json_key(b, "conntrack_other");
	if (!a->valid) {
		put_literal(b, "null");
		return;
	}
	put_literal(b, "{");
	json_kv_str(b, "src", addr_str(a->src, addr));
	json_kv_u64(b, "sport", a->sport);
	json_kv_str(b, "dst", addr_str(a->dst, addr));
	json_kv_u64(b, "dport", a->dport);
	put_literal(b, "}");
}

void trace_put_json(struct buf *b, const struct event_trace *t)
{
	const struct np_ev_trace *ev = t->ev;
	char mac[18];

	json_kv_u64(b, "packet", ev->packet_id);
	json_kv_u64(b, "nth", ev->nth);
	json_kv_str(b, "step", step_name(ev->step));
	json_kv_double(b, "since_us", (double)ev->since_ns / 1e3);
	json_kv_str(b, "mac_src", ev->has_mac ? mac_str(ev->mac_src, mac) : NULL);
	json_kv_str(b, "mac_dst", ev->has_mac ? mac_str(ev->mac_dst, mac) : NULL);
	packet_put_json(b, &ev->packet, &ev->tuple);
	json_kv_u64_or_null(b, "ip_id", ev->packet.ip_id);
	json_kv_u64(b, "payload_bytes", ev->packet.payload);
	json_kv_str(b, "hook", hook_name(ev->hook));
	json_kv_str(b, "verdict", verdict_name(ev));
	json_kv_str(b, "reason", t->reason);
	json_kv_str(b, "location", t->location);
	put_conntrack(b, &ev->other);
}

void trace_put_text(struct buf *b, const struct event_trace *t)
{
	const struct np_ev_trace *ev = t->ev;
	char flags[40], src[18], dst[18];

	buf_printf(b, "#%llu.%u +%.1f us ", (unsigned long long)ev->packet_id, ev->nth,
		   (double)ev->since_ns / 1e3);
	if (ev->packet.has_l4 && ev->tuple.proto == 6)
		buf_printf(b, "[%s] seq %u ack %u ", tcp_flags_str(ev->packet.tcp_flags, flags),
			   ev->packet.seq, ev->packet.ack);
	buf_printf(b, "%u bytes ttl %u ", ev->packet.len, ev->packet.ttl);
	if (ev->packet.has_vlan)
		buf_printf(b, "vlan %u ", ev->packet.vlan_tci & 0xfff);
	if (ev->has_mac)
		buf_printf(b, "%s > %s ", mac_str(ev->mac_src, src), mac_str(ev->mac_dst, dst));
	if (verdict_name(ev))
		buf_printf(b, "%s %s ", hook_name(ev->hook) ? hook_name(ev->hook) : "?",
			   verdict_name(ev));
	if (t->reason)
		buf_printf(b, "%s ", t->reason);
	if (t->location)
		buf_printf(b, "in %s ", t->location);
}
