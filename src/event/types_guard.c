/* SPDX-License-Identifier: BSD-2-Clause */
/* Event types of interfaces, guard and the balancer, field by field (see field.h). */
#include "event/macros.h"

#define OF_VIP "the record is of the whole balancer"
#define OF_ALL "the record is of a VIP"

#define VIP_COUNT(key, u, meaning) F(key, FIELD_INT, u, OF_VIP, meaning)
#define ALL_COUNT(key, meaning) F(key, FIELD_INT, FIELD_NO_UNIT, OF_ALL, meaning)

static const struct field backend[] = {
	WORD("backend", NULL, "its address"),
	WORD("state", NULL, "`up`, `draining`, `down`"),
	COUNT("weight", "as asked for"),
	WORD("forward", NULL, "`encap`, `mac`"),
	WORD("check", NULL, "`none`, `tcp`, `http`"),
	F("checked_ktime_ns", FIELD_INT, FIELD_NS, "never", "when it was checked last"),
	WORD("why", "none failed", "of the last failed check"),
	COUNT("packets", "forwarded to it"),
	BYTES("bytes", "of them"),
	COUNT("new_flows", "as of the VIP"),
	COUNT("table_hits", "as of the VIP"),
	COUNT("icmp", "as of the VIP"),
	COUNT("errors", "as of the VIP"),
	{},
};

static const struct field lb[] = {
	WORD("vip", OF_VIP, "as `guard vip add` takes it"),
	VIP_COUNT("packets", FIELD_NO_UNIT, "forwarded, frames as they came in"),
	VIP_COUNT("bytes", FIELD_BYTES, "of them"),
	VIP_COUNT("new_flows", FIELD_NO_UNIT, "given a backend by the Maglev table"),
	VIP_COUNT("table_hits", FIELD_NO_UNIT,
		  "packets whose flow had one in the connection table"),
	VIP_COUNT("icmp", FIELD_NO_UNIT, "of `packets`: ICMP errors about one of its flows"),
	VIP_COUNT("errors", FIELD_NO_UNIT,
		  "not forwarded; the reasons are in the record of the whole"),
	F("backends", FIELD_OBJECTS, FIELD_NO_UNIT, OF_VIP, "each with its counters",
	  .of = backend),
	ALL_COUNT("handed_to_driver", "forwarded"),
	ALL_COUNT("no_vip", "passed to the stack: of no VIP"),
	ALL_COUNT("vlan", "passed to the stack"),
	ALL_COUNT("fragment", "passed to the stack"),
	ALL_COUNT("malformed_pkts", "passed to the stack"),
	ALL_COUNT("no_backend", "dropped"),
	ALL_COUNT("no_route", "dropped"),
	ALL_COUNT("no_neighbour", "dropped"),
	ALL_COUNT("no_forwarding", "dropped"),
	ALL_COUNT("too_big", "dropped"),
	ALL_COUNT("too_big_told", "dropped, and the sender told"),
	ALL_COUNT("no_room", "dropped"),
	ALL_COUNT("table_full", "flows that the connection table had no room for"),
	ALL_COUNT("table_skipped", "flows left out of it ([balance](balance.md))"),
	ALL_COUNT("flow_moved", "flows that went to another backend"),
	ALL_COUNT("fragment_sent", "later fragments that were forwarded"),
	{},
};

static const struct field iface[] = {
	F("tx_bytes", FIELD_INT, FIELD_BYTES, NULL,
	  "the device's own counter: headers included, large segments as one packet. Since the start of netprobe, or "
	  "since the interface came; with guard since it was attached"),
	F("rx_bytes", FIELD_INT, FIELD_BYTES, NULL, "the same, received"),
	F("tx_pkts", FIELD_INT, FIELD_NO_UNIT, NULL, "the same, packets"),
	F("rx_pkts", FIELD_INT, FIELD_NO_UNIT, NULL, "the same, packets received"),
	INTERVAL("with guard", "length of the interval that the rates are of"),
	F("tx_mbit_per_s", FIELD_NUMBER, FIELD_MBIT_S, "with guard", "rate of the interval"),
	F("rx_mbit_per_s", FIELD_NUMBER, FIELD_MBIT_S, "with guard", "rate of the interval"),
	F("ifindex", FIELD_INT, FIELD_NO_UNIT, "without guard", "number of the interface",
	  .ipfix = 10),
	FLAG("gone", "without guard", "the interface is no more"),
	WORD("guard", "without guard", "`monitor`, `filter`, `balance`"),
	WORD("xdp", "without guard", "`none`, `native`, `generic`: how it is attached"),
	WORD("tc", "without guard", "`none`, `tcx`, `clsact`"),
	{},
};

static const struct field global[] = {
	COUNT("interfaces", "that guard is on"),
	{},
};

#define OF_LIST "of a list"

#define FOUND(key, type, meaning) F(key, type, FIELD_NO_UNIT, OF_LIST, meaning)

const struct field record_fields_finding[] = {
	WORD("source", "of an anomaly", "address or network, as the lists take it"),
	WORD("by", NULL, "`detection`, `list`"),
	FOUND("rule", FIELD_STRING,
	      "`syn_flood`, `udp_flood`, `amplification`, `icmp_flood`, `port_scan`, `host_scan`, `anomaly`"),
	FOUND("action", FIELD_STRING, "`alert`, `dry_run`, `ban`"),
	FOUND("seen", FIELD_INT, "the figure that fired"),
	FOUND("limit", FIELD_INT, "what it was compared with"),
	FOUND("strikes", FIELD_INT, "bans of this source so far"),
	{},
};

static const struct field anomaly[] = {
	COUNT("mean", "packets a second learned"),
	F("sigmas", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "standard deviations above it"),
	{},
};

static const struct field lasts[] = {
	F("ttl_s", FIELD_NUMBER, FIELD_S, "no end", "how long it holds"),
	{},
};

static const struct field entry[] = {
	WORD("ports", "any; by detection", "`80`, `80-90`"),
	FLAG("dry_run", NULL, "it is counted, and drops nothing"),
	WORD("who", "not told; by detection", "who did it"),
	WORD("reason", "not told; by detection", "why"),
	{},
};

static const struct field list[] = {
	WORD("list", NULL, "`bans`, `allowed`, `both`"),
	COUNT("entries", "how many the change had"),
	FLAG("replaced", NULL, "others may be gone: the list is to be read anew"),
	{},
};

static const struct field health[] = {
	WORD("vip", NULL, "as `guard vip add` takes it"),
	WORD("backend", NULL, "its address"),
	WORD("why", "it is up", "what the check met"),
	{},
};

static const struct field again[] = {
	WORD("iface", NULL, "the interface", .otel = "network.interface.name"),
	WORD("why", "it is attached", "why it could not be attached"),
	{},
};

#define SECURITY record_fields_common, record_fields_ends, record_fields_finding

const struct record_type record_types_guard[] = {
	{ "stats.lb",
	  false,
	  "Each interval, one for each VIP and one for the whole balancer, since they were added.",
	  { record_fields_common, lb } },
	{ "stats.iface",
	  false,
	  "Counters of an interface since the start.",
	  { record_fields_common, record_fields_place, iface, record_fields_guard } },
	{ "stats.global",
	  false,
	  "The sums of all interfaces that guard is on.",
	  { record_fields_common, record_fields_place, global, record_fields_guard } },
	{ "security.syn_flood", false, "Detection fires.", { SECURITY } },
	{ "security.udp_flood", false, "Detection fires.", { SECURITY } },
	{ "security.icmp_flood", false, "Detection fires.", { SECURITY } },
	{ "security.port_scan", false, "Detection fires.", { SECURITY } },
	{ "security.anomaly", false, "Detection fires.", { SECURITY, anomaly } },
	{ "security.ban", false, "A ban begins.", { SECURITY, lasts, entry } },
	{ "security.unban", false, "A ban ends, or is taken back.", { SECURITY, entry } },
	{ "security.allow", false, "An allowance begins.", { SECURITY, lasts, entry } },
	{ "security.unallow", false, "An allowance ends, or is taken back.", { SECURITY, entry } },
	{ "security.list",
	  false,
	  "A list changed in many entries.",
	  { record_fields_common, record_fields_ends, list } },
	{ "balance.health",
	  false,
	  "A backend came up or went down.",
	  { record_fields_common, health } },
	{ "guard.again",
	  false,
	  "An interface that guard was on came back.",
	  { record_fields_common, again } },
	{},
};
