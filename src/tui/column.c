/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns there are (see column.h), and what each of them means. */
#include "tui/column.h"

#include "tui/cells.h"

#define NOT_CONNECTION (IN_ALL & ~IN(NETPROBE_VIEW_CONNECTION))
#define PLACED (IN_ALL & ~IN(NETPROBE_VIEW_REMOTE) & ~IN(NETPROBE_VIEW_INTERFACE))
#define HAS_DROPS (IN_ALL & ~IN(NETPROBE_VIEW_CONNECTION) & ~IN(NETPROBE_VIEW_REMOTE))

/*
 * Steps: 0 always; 1 to 9 while the name keeps its least width; 10 to 19 once it has a good one;
 * the rest goes to sparkline and name. From left to right as on the screen.
 */
/* clang-format off */
const struct column column_table[] = {
	{ "NAME", NULL, 0, NETPROBE_SORT_NAME, IN_ALL, { 0, 0 }, true, NULL, NULL },
	{ "PID", NULL, 7, NO_SORT, IN(NETPROBE_VIEW_PROCESS), { 3, 4 }, false, cell_pid,
	  "Number of the process." },
	{ "OWNER", NULL, 15, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 3, 10 }, true, cell_owner,
	  "The process that uses the socket, and its number." },
	{ "CONTAINER", NULL, 24, NO_SORT, PLACED, { 15, 15 }, true, cell_place,
	  "The container it runs in, or else its cgroup; / is the host itself." },
	{ "PROTO", NULL, 5, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 11, NEVER }, true, cell_proto,
	  "Protocol: tcp, udp, mptcp, icmp ..." },
	{ "STATE", NULL, 10, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 10, 12 }, true, cell_state,
	  "State of the TCP connection." },
	{ "IFACE", NULL, 8, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 12, 14 }, true, cell_iface,
	  "The interface its packets take." },
	{ "NETNS", NULL, 10, NO_SORT, IN(NETPROBE_VIEW_INTERFACE), { 10, 4 }, false, cell_netns,
	  "Number of the network namespace the interface is in." },
	{ "TX/s", "TXb/s", 6, NETPROBE_SORT_TX, IN_ALL, { 1, 11 }, false, cell_tx,
	  "Sent per second in the last interval: payload of sockets, without headers." },
	{ "RX/s", "RXb/s", 6, NETPROBE_SORT_RX, IN_ALL, { 1, 11 }, false, cell_rx,
	  "Received per second in the last interval, as TX/s." },
	{ "TX SUM", NULL, 7, NO_SORT, IN_ALL, { 13, NEVER }, false, cell_tx_total,
	  "Sent since netprobe began to count." },
	{ "RX SUM", NULL, 7, NO_SORT, IN_ALL, { 13, NEVER }, false, cell_rx_total,
	  "Received since netprobe began to count." },
	{ "TOTAL", NULL, 6, NETPROBE_SORT_TOTAL, IN_ALL, { 7, NEVER }, false, cell_total,
	  "Sent and received since netprobe began to count." },
	{ "CONN", NULL, 5, NETPROBE_SORT_CONNS, NOT_CONNECTION, { 6, 13 }, false, cell_conns,
	  "Open sockets now, UDP and idle ones too, without those that only listen." },
	{ "RTT", NULL, 6, NETPROBE_SORT_RTT, IN_ALL, { 4, 1 }, false, cell_rtt,
	  "Time to the other end and back: smoothed by TCP, of several connections the middle one." },
	{ "RETR", NULL, 5, NETPROBE_SORT_RETRANS, IN_ALL, { 5, 1 }, false, cell_retrans,
	  "Segments TCP sent again, since netprobe began to count." },
	{ "TMO", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_timeout,
	  "Of those, sent again because no answer came in time: the worst kind, each one a pause." },
	{ "FAST", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_fast,
	  "Of those, sent again at once because the receiver reported a gap." },
	{ "TLP", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_tlp,
	  "Of those, probes of the last segment (tail loss probes) to find out whether it was lost." },
	{ "SYNACK", NULL, 6, NO_SORT, IN_ALL, { NEVER, 6 }, false, cell_synack,
	  "Answers to connection requests, sent again by a listening socket." },
	{ "SPUR", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_spurious,
	  "Spurious: of those, sent again though nothing was lost, as the kernel found out later." },
	{ "STALL", NULL, 6, NETPROBE_SORT_STALL, IN_ALL, { NEVER, 2 }, false, cell_stall,
	  "Time in which data waited and nothing moved; of a group, summed over its connections." },
	{ "DROPS", NULL, 5, NO_SORT, HAS_DROPS, { NEVER, 5 }, false, cell_drops,
	  "Packets of it that this kernel dropped (netprobe drops says why)." },
	{ "VERDICT", NULL, 7, NO_SORT, IN_ALL, { NEVER, 1 }, true, cell_verdict,
	  "What held sending back in the last few intervals." },
	{ "RATE", NULL, 8, NETPROBE_SORT_RATE, IN_ALL, { 2, 16 }, true, NULL,
	  "TX/s and RX/s together over the last minute; the highest bar is the row's own highest." },
};
/* clang-format on */

const int n_columns = sizeof(column_table) / sizeof(column_table[0]);

const char *column_name_title(uint8_t kind)
{
	static const char *const title[NETPROBE_VIEW_MAX] = { "PROCESS", "CONNECTION", "CONTAINER",
							      "REMOTE HOST", "INTERFACE" };

	return title[kind];
}

const char *column_name_help(uint8_t kind)
{
	static const char *const help[NETPROBE_VIEW_MAX] = {
		[NETPROBE_VIEW_PROCESS] = "A process with sockets, by the name it gives itself.",
		[NETPROBE_VIEW_CONNECTION] =
			"A socket: its own address and port, and those of the other end; * is none yet.",
		[NETPROBE_VIEW_CONTAINER] = "A container, or a cgroup that is none.",
		[NETPROBE_VIEW_REMOTE] = "The other end's address; 'no peer' is of sockets that "
					 "send to nobody in particular.",
		[NETPROBE_VIEW_INTERFACE] =
			"An interface; ? is of sockets whose packets left by none that is known. "
			"'unowned' and 'forwarded' are bytes on the wire that no socket here moved.",
	};

	return help[kind];
}

const struct column *column_of(uint8_t kind, bool health, int i)
{
	for (int c = 0; c < n_columns; c++)
		if ((column_table[c].kinds & IN(kind)) && column_table[c].step[health] != NEVER &&
		    i-- == 0)
			return &column_table[c];
	return NULL;
}
