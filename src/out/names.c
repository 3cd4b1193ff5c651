/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words the outputs use for the wire's numbers: states, protocols, families, errno, addresses.
 * NULL where there is no word. Not here: names of hosts and services, which are looked up (name/).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <netprobe/view.h>

#include "out/event.h"
#include "out/table.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t any_addr[16];
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* Kernel's enum in include/net/tcp_states.h, from 1; the numbers are ABI through TCP_INFO. */
const char *const tcp_states[TCP_STATES + 1] = {
	"ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
	"CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",    "CLOSING",   "NEW_SYN_RECV",
};

const char *tcp_state_name(uint8_t state)
{
	return state && state <= TCP_STATES ? tcp_states[state - 1] : NULL;
}

const char *transport_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case NP_IPPROTO_MPTCP:
		return "mptcp";
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return NULL;
	}
}

const char *family_name(uint8_t family)
{
	return family == AF_INET ? "ipv4" : family == AF_INET6 ? "ipv6" : NULL;
}

const char *addr_family_name(const uint8_t addr[16], uint8_t family)
{
	if (memcmp(addr, any_addr, 16) == 0)
		return family_name(family);
	return memcmp(addr, mapped_prefix, 12) == 0 ? "ipv4" : "ipv6";
}

const char *link_state_name(uint32_t state)
{
	static const char *const names[] = { [NETPROBE_LINK_OFF] = "off",
					     [NETPROBE_LINK_DOWN] = "down",
					     [NETPROBE_LINK_UP] = "up" };

	return state < COUNT_OF(names) ? names[state] : NULL;
}

const char *link_duplex_name(uint32_t duplex)
{
	static const char *const names[] = {
		[NETPROBE_DUPLEX_HALF] = "half", [NETPROBE_DUPLEX_FULL] = "full"
	};

	return duplex < COUNT_OF(names) ? names[duplex] : NULL;
}

const char *owner_match_name(uint8_t match)
{
	switch (match) {
	case NP_MATCH_EXACT:
		return "exact";
	case NP_MATCH_LISTENER:
		return "listener";
	case NP_MATCH_PROCFS:
		return "procfs";
	default:
		return "none";
	}
}

const char *errno_name(int err)
{
	return err > 0 ? strerrorname_np(err) : NULL;
}

const char *prog_name(unsigned int prog)
{
	static const char *const names[] = {
		[NP_PROG_SEND] = "send",
		[NP_PROG_RECV] = "recv",
		[NP_PROG_SPLICE] = "splice",
		[NP_PROG_UDP_SEND_PEER] = "udp_send_peer",
		[NP_PROG_UDP_RECV_PEER] = "udp_recv_peer",
		[NP_PROG_STATE] = "state",
		[NP_PROG_CLONE] = "clone",
		[NP_PROG_DESTROY] = "destroy",
		[NP_PROG_RELEASE] = "release",
		[NP_PROG_CREATE] = "create",
		[NP_PROG_BIND] = "bind",
		[NP_PROG_CONNECT] = "connect",
		[NP_PROG_ACCEPT] = "accept",
		[NP_PROG_RETRANSMIT] = "retransmit",
		[NP_PROG_SYNACK] = "synack",
		[NP_PROG_RESET_TX] = "reset_tx",
		[NP_PROG_RESET_RX] = "reset_rx",
		[NP_PROG_EXEC] = "exec",
		[NP_PROG_FORK] = "fork",
		[NP_PROG_EXIT] = "exit",
		[NP_PROG_SEED] = "seed",
		[NP_PROG_SWEEP] = "sweep",
		[NP_PROG_CA_STATE] = "ca_state",
		[NP_PROG_TLP] = "loss_probe",
		[NP_PROG_STALL] = "stall",
		[NP_PROG_CONNECT_END] = "connect_end",
		[NP_PROG_RENAME] = "rename",
		[NP_PROG_MOVE] = "cgroup_move",
		[NP_PROG_CRED] = "user_id",
		[NP_PROG_ERROR] = "error",
		[NP_PROG_ARRIVE] = "arrive",
		[NP_PROG_BORN] = "cgroup_made",
		[LOSS_AFPACKET] = "afpacket",
		[LOSS_DIAG] = "sock_diag",
		[LOSS_FIGURES] = "figures",
		[LOSS_SUMS] = "sums",
	};

	_Static_assert(COUNT_OF(names) == LOSS_MAX, "a program has no name");
	return prog < COUNT_OF(names) ? names[prog] : NULL;
}

static char *put_octet(char *p, uint8_t v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

const char *addr_str(const uint8_t addr[16], char *buf)
{
	char *p = buf;
	int i;

	if (memcmp(addr, any_addr, 16) == 0)
		return NULL;
	if (memcmp(addr, mapped_prefix, 12) != 0)
		return inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
	for (i = 12; i < 16; i++) {
		p = put_octet(p, addr[i]);
		*p++ = i < 15 ? '.' : '\0';
	}
	return buf;
}

int format_parse(const char *name)
{
	static const char *const names[] = {
		[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv",
		[FORMAT_TSV] = "tsv",	[FORMAT_XCTL] = "xctl",
	};
	int i;

	for (i = 0; i < (int)COUNT_OF(names); i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -EINVAL;
}
