/* SPDX-License-Identifier: BSD-2-Clause */
/* See reason.h. */
#include "flow/reason.h"

#include <stddef.h>
#include <string.h>

/* Reasons of 5.17 to 6.19 that are no loss. What is not here is one. */
static const char *const policy[] = {
	"NETFILTER_DROP",
	"SOCKET_FILTER",
	"BPF_CGROUP_EGRESS",
	"SECURITY_HOOK",
	"XFRM_POLICY",
	"IP_RPFILTER",
	"IP_LOCALNET",
	"IP_LOCAL_SOURCE",
	"IP_INVALID_SOURCE",
	"IPV6DISABLED",
	"TC_INGRESS",
	"TC_EGRESS",
	"XDP",
	"TAP_FILTER",
	"ARP_PVLAN_DISABLE",
	"BRIDGE_INGRESS_STP_STATE",
	"TCP_MINTTL",
	"TCP_AUTH_HDR",
	"TCP_MD5NOTFOUND",
	"TCP_MD5UNEXPECTED",
	"TCP_MD5FAILURE",
	"TCP_AONOTFOUND",
	"TCP_AOUNEXPECTED",
	"TCP_AOKEYNOTFOUND",
	"TCP_AOFAILURE",
	"PSP_INPUT",
	"PSP_OUTPUT",
	"UNIX_INFLIGHT_FD_LIMIT",
	NULL,
};

/* The data is there already (retransmits that crossed their acknowledgement), or was taken. */
static const char *const benign[] = {
	"NOT_DROPPED_YET",
	"CONSUMED",
	"UNIX_SKIP_OOB",
	"QUEUE_PURGE",
	"DUP_FRAG",
	"TCP_OLD_DATA",
	"TCP_OFOMERGE",
	"TCP_OLD_SEQUENCE",
	"TCP_OLD_ACK",
	"TCP_TOO_OLD_ACK",
	"TCP_RFC7323_PAWS",
	"TCP_RFC7323_PAWS_ACK",
	"TCP_RFC7323_TW_PAWS",
	"TCP_RESET", /* a reset that belongs to no connection: carries nothing */
	NULL,
};

static const char *const others[] = {
	"OTHERHOST",
	"UNHANDLED_PROTO",
	"PTYPE_ABSENT",
	"UNICAST_IN_L2_MULTICAST",
	"IPV6_NDISC_NS_OTHERHOST",
	"TAP_TXFILTER",
	"MAC_IEEE_MAC_CONTROL",
	NULL,
};

/*
 * Without a reason of their own (5.17 to 6.18): multicast for groups nobody here joined, which on IPv6
 * comes with every neighbour (MLD, NDP).
 */
static const char *const others_in[] = { "ip6_mc_input", NULL };

static bool is_in(const char *const *list, const char *name)
{
	for (; name && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

int drop_kind(const char *reason, const char *function)
{
	if (!reason)
		return NETPROBE_DROP_LOSS;
	if (is_in(policy, reason))
		return NETPROBE_DROP_POLICY;
	if (is_in(benign, reason))
		return NETPROBE_DROP_BENIGN;
	if (is_in(others, reason))
		return NETPROBE_DROP_OTHERS;
	/* UNKNOWN: a kernel that has no reasons at all */
	if ((!strcmp(reason, "NOT_SPECIFIED") || !strcmp(reason, "UNKNOWN")) &&
	    is_in(others_in, function))
		return NETPROBE_DROP_OTHERS;
	return NETPROBE_DROP_LOSS;
}

bool drop_is_quiet(const char *reason, const char *function)
{
	int kind = drop_kind(reason, function);

	return kind == NETPROBE_DROP_BENIGN || kind == NETPROBE_DROP_OTHERS;
}

const char *const *drop_quiet_functions(void)
{
	return others_in;
}

const char *drop_kind_name(int kind)
{
	static const char *const names[DROP_KINDS] = { "loss", "policy", "benign", "others" };

	return kind >= 0 && kind < DROP_KINDS ? names[kind] : NULL;
}
