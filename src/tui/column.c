/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns there are (see column.h), and what each of them means. */
#include "tui/column.h"

#include <string.h>

#include "tui/cells.h"

#define GROUPS (IN_ALL & ~IN_FLOWS)
#define MOVING (IN_ALL & ~IN(NETPROBE_VIEW_LISTEN))
/* Interfaces have more of their own, and what the other views show first comes behind it. */
#define NIC IN(NETPROBE_VIEW_INTERFACE)
#define HAS_OWNER (IN_FLOWS | IN(NETPROBE_VIEW_PROCESS))
#define HAS_PLACE (HAS_OWNER | IN(NETPROBE_VIEW_CONTAINER))
#define HAS_PEER (GROUPS & ~IN(NETPROBE_VIEW_REMOTE) & ~IN(NETPROBE_VIEW_INTERFACE))
#define HAS_DROPS \
	(IN(NETPROBE_VIEW_PROCESS) | IN(NETPROBE_VIEW_CONTAINER) | IN(NETPROBE_VIEW_INTERFACE))

#define AT(type, field) FIELD_##type, offsetof(struct tui_row, field)
#define UNSORTED FIELD_NONE, 0

/*
 * Steps: 0 always; 1 to 9 while the name keeps its least width; 10 to 19 once it has a good one;
 * the rest goes to sparkline and name. From left to right as on the screen.
 */
/* clang-format off */
const struct column column_table[] = {
	{ "NAME", NULL, 0, NETPROBE_SORT_NAME, IN_ALL, { 0, 0 }, true, NULL, NULL, UNSORTED },
	{ "PID", NULL, 7, NO_SORT, IN(NETPROBE_VIEW_PROCESS), { 3, 4 }, false, cell_pid,
	  "Number of the process.", AT(U32, pid) },
	{ "OWNER", NULL, 15, NO_SORT, IN_FLOWS, { 3, 3 }, true, cell_owner,
	  "The process that uses the socket, and its number.", AT(TEXT, owner) },
	{ "USER", NULL, 10, NO_SORT, HAS_OWNER, { 14, 15 }, true, cell_user,
	  "The user the process runs as.", AT(TEXT, user) },
	{ "CONTAINER", NULL, 24, NO_SORT, HAS_PLACE, { 15, 16 }, true, cell_place,
	  "The container it runs in, or else its cgroup; host is the machine itself.", AT(TEXT, place) },
	{ "PROTO", NULL, 5, NO_SORT, IN_FLOWS, { 11, NEVER }, true, cell_proto,
	  "Protocol: tcp, udp, mptcp, icmp ...", AT(WORD, proto) },
	{ "SERVICE", NULL, 10, NO_SORT, IN_FLOWS, { 13, NEVER }, true, cell_service,
	  "What its port is known for (/etc/services); what runs there may be something else.", AT(TEXT, service) },
	{ "STATE", NULL, 10, NO_SORT, IN_FLOWS, { 10, 12 }, true, cell_state,
	  "State of the TCP connection.", AT(WORD, state) },
	{ "IFACE", NULL, 8, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 12, 14 }, true, cell_iface,
	  "The interface its packets take.", AT(TEXT, iface) },
	{ "NETNS", NULL, 10, NO_SORT, IN(NETPROBE_VIEW_INTERFACE) | IN(NETPROBE_VIEW_LISTEN), { 10, 4 }, false,
	  cell_netns, "Network namespace it is in: its name (ip netns), or else its number.", AT(U32, netns) },
	{ "QUEUE", NULL, 6, NO_SORT, IN(NETPROBE_VIEW_LISTEN), { 1, 1 }, false, cell_queue,
	  "TCP: connections that wait to be accepted. UDP: not known here.", AT(U32, queue) },
	{ "ROOM", NULL, 6, NO_SORT, IN(NETPROBE_VIEW_LISTEN), { 1, 1 }, false, cell_backlog,
	  "TCP: as many may wait; one more and the kernel drops it.", AT(U32, backlog) },
	{ "SYNACK", NULL, 6, NO_SORT, IN(NETPROBE_VIEW_LISTEN), { 2, 2 }, false, cell_synack,
	  "Answers to connection requests that were sent again: the client did not confirm in time.", AT(U64, trouble.synack) },
	{ "TX/s", "TXb/s", 6, NETPROBE_SORT_TX, MOVING, { 1, 11 }, false, cell_tx,
	  "Sent per second in the last interval: payload of sockets, without headers.", UNSORTED },
	{ "RX/s", "RXb/s", 6, NETPROBE_SORT_RX, MOVING, { 1, 11 }, false, cell_rx,
	  "Received per second in the last interval, as TX/s.", UNSORTED },
	{ "LINK", NULL, 5, NO_SORT, NIC, { 1, NEVER }, false, cell_link,
	  "Up, and its speed where it tells (1G is 1 Gbit/s, h: half duplex, one end sends at a time); down: no signal; off: not switched on. Of other network namespaces nothing is known.", AT(U32, link.mbit) },
	{ "TXP/s", NULL, 5, NO_SORT, NIC, { 2, NEVER }, false, cell_tx_packets,
	  "Packets it sent per second in the last interval, whoever's they were.", AT(FLOAT, link.packets_s[TUI_TX]) },
	{ "RXP/s", NULL, 5, NO_SORT, NIC, { 2, NEVER }, false, cell_rx_packets,
	  "Packets it received per second in the last interval.", AT(FLOAT, link.packets_s[TUI_RX]) },
	{ "TXERR", NULL, 5, NO_SORT, NIC, { 3, 6 }, false, cell_tx_errors,
	  "Packets it could not send, by its driver: a bad cable, or a peer of another speed.", AT(U64, link.errors[TUI_TX]) },
	{ "RXERR", NULL, 5, NO_SORT, NIC, { 3, 6 }, false, cell_rx_errors,
	  "Packets that came in damaged, by its driver.", AT(U64, link.errors[TUI_RX]) },
	{ "TXDRP", NULL, 5, NO_SORT, NIC, { 4, 6 }, false, cell_tx_dropped,
	  "Packets it dropped before they were sent, by its driver.", AT(U64, link.dropped[TUI_TX]) },
	{ "RXDRP", NULL, 5, NO_SORT, NIC, { 4, 6 }, false, cell_rx_dropped,
	  "Packets it received and dropped: no room, or nobody wants that protocol.", AT(U64, link.dropped[TUI_RX]) },
	{ "TXOWN", NULL, 5, NO_SORT, NIC, { 5, NEVER }, false, cell_tx_owned,
	  "Coverage: of the bytes it sent, the share whose owner is in these rows, or that was forwarded. The rest is 'unowned'.", AT(FLOAT, link.owned[TUI_TX]) },
	{ "RXOWN", NULL, 5, NO_SORT, NIC, { 5, NEVER }, false, cell_rx_owned,
	  "Coverage of what it received.", AT(FLOAT, link.owned[TUI_RX]) },
	{ "TX SUM", NULL, 7, NO_SORT, MOVING, { 13, NEVER }, false, cell_tx_total,
	  "Sent since netprobe began to count, or since z was pressed.", AT(U64, tx_bytes) },
	{ "RX SUM", NULL, 7, NO_SORT, MOVING, { 13, NEVER }, false, cell_rx_total,
	  "Received since netprobe began to count, or since z was pressed.", AT(U64, rx_bytes) },
	{ "TOTAL", NULL, 6, NETPROBE_SORT_TOTAL, MOVING & ~NIC, { 7, NEVER }, false, cell_total,
	  "Sent and received since netprobe began to count, or since z was pressed.", UNSORTED },
	{ "TOTAL", NULL, 6, NETPROBE_SORT_TOTAL, NIC, { 13, NEVER }, false, cell_total,
	  "Sent and received since netprobe began to count, or since z was pressed.", UNSORTED },
	{ "CONN", NULL, 5, NETPROBE_SORT_CONNECTIONS, GROUPS & ~NIC, { 6, 13 }, false, cell_conns,
	  "Open sockets now, UDP and idle ones too, without those that only listen.", UNSORTED },
	{ "CONN", NULL, 5, NETPROBE_SORT_CONNECTIONS, NIC, { 6, 13 }, false, cell_conns,
	  "Open sockets now, UDP and idle ones too, without those that only listen.", UNSORTED },
	{ "RTT", NULL, 6, NETPROBE_SORT_RTT, MOVING & ~NIC, { 4, 1 }, false, cell_rtt,
	  "Time to the other end and back: smoothed by TCP, of several connections the middle one.", UNSORTED },
	{ "RTT", NULL, 6, NETPROBE_SORT_RTT, NIC, { 11, 1 }, false, cell_rtt,
	  "Time to the other end and back: smoothed by TCP, of several connections the middle one.", UNSORTED },
	{ "RETR", NULL, 5, NETPROBE_SORT_RETRANS, MOVING & ~NIC, { 5, 1 }, false, cell_retrans,
	  "Segments TCP sent again since netprobe began to count, or since z was pressed. In colour while it goes on.", UNSORTED },
	{ "RETR", NULL, 5, NETPROBE_SORT_RETRANS, NIC, { 11, 1 }, false, cell_retrans,
	  "Segments TCP sent again since netprobe began to count, or since z was pressed. In colour while it goes on.", UNSORTED },
	{ "RETR/s", NULL, 6, NO_SORT, MOVING, { 14, 7 }, false, cell_retrans_rate,
	  "Segments sent again per second in the last interval.", AT(FLOAT, retrans_rate) },
	{ "RETR%", NULL, 5, NO_SORT, MOVING, { 14, 7 }, false, cell_retrans_share,
	  "Share of the segments sent in the last interval that were sent again: more than 1% is felt.", AT(FLOAT, retrans_share) },
	{ "TMO", NULL, 5, NO_SORT, MOVING, { NEVER, 4 }, false, cell_timeout,
	  "Of RETR, sent again because no answer came in time: the worst kind, each one a pause.", AT(U64, trouble.timeout) },
	{ "FAST", NULL, 5, NO_SORT, MOVING, { NEVER, 4 }, false, cell_fast,
	  "Of RETR, sent again at once because the receiver reported a gap.", AT(U64, trouble.fast) },
	{ "TLP", NULL, 5, NO_SORT, MOVING, { NEVER, 4 }, false, cell_tlp,
	  "Of RETR, probes of the last segment (tail loss probes) to find out whether it was lost.", AT(U64, trouble.probe) },
	{ "SYNACK", NULL, 6, NO_SORT, MOVING, { NEVER, 6 }, false, cell_synack,
	  "Answers to connection requests, sent again by a listening socket.", AT(U64, trouble.synack) },
	{ "SPUR", NULL, 5, NO_SORT, MOVING, { NEVER, 4 }, false, cell_spurious,
	  "Spurious: of RETR, sent again though nothing was lost, as the kernel found out later.", AT(U64, trouble.spurious) },
	{ "STALL", NULL, 6, NETPROBE_SORT_STALL, MOVING, { NEVER, 2 }, false, cell_stall,
	  "Time in which data waited and nothing moved; of a group, summed over its connections.", UNSORTED },
	{ "DROPS", NULL, 5, NO_SORT, HAS_DROPS, { NEVER, 5 }, false, cell_drops,
	  "Packets of it that this kernel dropped (netprobe drops says why).", AT(U64, drops) },
	{ "VERDICT", NULL, 7, NO_SORT, MOVING, { NEVER, 1 }, true, cell_verdict,
	  "What held sending back in the last few intervals.", UNSORTED },
	{ "PEER", NULL, 24, NO_SORT, HAS_PEER, { 18, NEVER }, true, cell_peer,
	  "The other end of its busiest connection.", AT(TEXT, peer) },
	{ "COMMAND", NULL, 30, NO_SORT, IN(NETPROBE_VIEW_PROCESS) | IN(NETPROBE_VIEW_PROGRAM), { 17, NEVER }, true,
	  cell_command, "The command line, or the path of the program.", UNSORTED },
	{ "RATE", NULL, 8, NETPROBE_SORT_RATE, MOVING, { 2, 16 }, true, NULL,
	  "TX/s and RX/s together over the last minute; the highest bar is the row's own highest.", UNSORTED },
};
/* clang-format on */

const int n_columns = sizeof(column_table) / sizeof(column_table[0]);

const struct column *column_of(uint8_t kind, bool health, int i)
{
	for (int c = 0; c < n_columns; c++)
		if ((column_table[c].kinds & IN(kind)) && column_table[c].step[health] != NEVER &&
		    i-- == 0)
			return &column_table[c];
	return NULL;
}

uint8_t column_sort(const struct column *c)
{
	if (c->sort != NO_SORT)
		return c->sort;
	return c->type == FIELD_NONE ? NO_SORT : (uint8_t)(SORT_COLUMN + (c - column_table));
}

static double number_at(const struct column *c, const struct tui_row *row)
{
	const char *p = (const char *)row + c->at;

	switch (c->type) {
	case FIELD_U32:
		return *(const uint32_t *)(const void *)p;
	case FIELD_U64:
		return (double)*(const uint64_t *)(const void *)p;
	default:
		return (double)*(const float *)(const void *)p;
	}
}

static const char *text_at(const struct column *c, const struct tui_row *row)
{
	const char *p = (const char *)row + c->at;
	const char *s = c->type == FIELD_TEXT ? p : *(const char *const *)(const void *)p;

	return s ? s : "";
}

int column_compare(uint8_t sort, const struct tui_row *a, const struct tui_row *b)
{
	const struct column *c;

	if (sort < SORT_COLUMN || sort - SORT_COLUMN >= n_columns)
		return 0;
	c = &column_table[sort - SORT_COLUMN];
	if (c->type == FIELD_TEXT || c->type == FIELD_WORD) {
		const char *x = text_at(c, a), *y = text_at(c, b);

		/* what is not known comes last */
		return !*x || !*y ? !*x - !*y : strcasecmp(x, y);
	}
	return (number_at(c, a) < number_at(c, b)) - (number_at(c, a) > number_at(c, b));
}
