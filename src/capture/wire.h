/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows as packets show them: bytes, packets, retransmits, round trips and closed windows, by
 * direction. No system calls; time comes with the packets. One thread.
 */
#ifndef NETPROBE_CAPTURE_WIRE_H
#define NETPROBE_CAPTURE_WIRE_H

#include "capture/fragments.h"
#include "capture/packet.h"
#include "owner/index.h"
#include "wire/record.h"

#define WIRE_OUTGOING 4 /* PACKET_OUTGOING */

/* What one end sends. */
struct wire_dir {
	uint64_t bytes; /* payload; TCP: by sequence numbers, so that a packet we missed is in it */
	uint64_t packets; /* on the wire */
	uint64_t retrans; /* TCP segments that went out again */
	uint32_t ifindex; /* where it is counted; the same packet elsewhere (bridge, VLAN) is not */
	bool valid, syn, fin;
	bool out; /* this host sends it, as far as that interface tells */
	bool scales, has_edge, has_far, far_fin;
	uint8_t scale;
	uint32_t edge; /* what the other end let it send up to, of all it said */
	uint32_t
		far; /* where what lies beyond that ended: forged, or acknowledgements were missed */
	uint32_t isn, next; /* sequence numbers: first, and after the highest seen */
	uint64_t moved_ns;  /* when next moved last */
	bool hole;	    /* something below next was not seen yet */
	bool rtt_wait;
	uint32_t rtt_seq; /* an acknowledgement of this ends the sample */
	uint64_t rtt_ns;
	uint32_t srtt_us, min_rtt_us; /* what it sent until it was acknowledged; 0 unknown */
	uint64_t zero_ns;	/* since when the other end's window is closed; 0: it is open */
	uint64_t zero_total_ns; /* how long it was, without the time since then */
	uint64_t last_ns;
};

/*
 * What an end of no socket moved, as far as the filters let it: scaled by the sample rate it was counted
 * under. Calls are packets.
 */
struct wire_own {
	struct np_counts all;	/* since it began */
	struct np_counts waits; /* not yet handed on */
};

/* How far an end's figures were handed on; the rung's own. */
struct wire_end {
	/* its socket's ends, where those on the wire are others (nat.h); NULL: the same, or not known. Freed with the flow */
	struct np_tuple *nat;
	uint8_t nat_asked;
	bool nat_later;	  /* it was to be asked about, and there were too many */
	uint64_t sock_id; /* socket or number of its own; 0 none yet */
	bool own_id, told, ended, local;
	struct wire_own *own; /* NULL: it has a socket, or is not known yet; freed with the flow */
	uint64_t tx_bytes, rx_bytes, tx_packets, rx_packets, retrans;
	uint64_t zero_told_ns; /* zero_ns of the stall that was told */
	uint64_t look_ns;
};

/* A SYN of numbers that are none of the flow's: forged, or the ends of the connection before were missed. */
struct wire_syn {
	uint64_t ns;
	uint32_t isn, ack, payload, ifindex;
	uint16_t packets, again; /* seen, and how many of them went out again */
	uint8_t scale, from;
	bool used, has_ack;
};

struct wire_flow {
	struct index_node node;
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t family, proto;
	uint8_t first; /* end that sent the first packet seen */
	bool reset, dirty;
	bool over;		 /* a later connection has the same ends */
	uint64_t opened_ns;	 /* CLOCK_MONOTONIC of its SYN; 0: it was there before */
	uint64_t established_ns; /* of the answer's acknowledgement; 0 not seen */
	uint64_t closed_ns;	 /* both FINs or a RST; 0 open */
	uint64_t over_ns;	 /* a later connection between the same ends began then; 0 none */
	uint64_t first_ns, last_ns;
	struct wire_syn another;
	struct wire_dir dir[2]; /* what end 0 and end 1 send */
	struct wire_end end[2];
};

struct wire {
	struct index flows;
	uint32_t max;
	struct fragments fragments;
	uint64_t full_packets, full_bytes; /* of flows there was no room for */
};

int wire_init(struct wire *w, uint32_t max);
void wire_done(struct wire *w);
/*
 * A parsed packet. The flow, made where it is new (*ret_new); NULL: no room, or no transport to count. A datagram in
 * fragments is counted with the last of them, TCP by each first one.
 */
struct wire_flow *wire_packet(struct wire *w, const struct packet *p, bool *ret_new);
/* Flows between the ends of t, the newest first: the one after f, NULL the first. *ret_end: which of them is the local one. */
struct wire_flow *wire_between(const struct wire *w, const struct np_tuple *t,
			       const struct wire_flow *f, unsigned int *ret_end);
void wire_drop(struct wire *w, struct wire_flow *f);
/* Every flow; fn may drop the one it gets. */
void wire_each(struct wire *w, void (*fn)(struct wire *w, struct wire_flow *f, void *arg),
	       void *arg);

#endif
