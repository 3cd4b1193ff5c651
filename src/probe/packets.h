/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single packets from the kernel half: DNS with its payload (dns.bpf.c), headers for --pcap
 * (pcap.bpf.c). Objects beside the main one, whose socket owners they share.
 */
#ifndef NETPROBE_PROBE_PACKETS_H
#define NETPROBE_PROBE_PACKETS_H

#include <stddef.h>

#include "probe/probe.h"
#include "wire/packets.h"

struct probe_packets;

#define PACKETS_QUERIES 1 /* to those ports */
#define PACKETS_ANSWERS 2 /* from those ports */
#define PACKETS_FIRST 4	  /* how TLS and HTTP clients begin, whatever the port */

/*
 * n ports to look at, as remote ports. what: PACKETS_*. -EOPNOTSUPP where no cgroup v2 tree is mounted.
 */
int probe_dns_open(struct probe *p, const uint16_t *ports, size_t n, const struct np_filter *filter,
		   uint32_t what, struct probe_packets **ret_packets, struct netprobe_error *err);
/* Headers of all packets that pass the filter. */
int probe_pcap_open(struct probe *p, const struct np_filter *filter,
		    struct probe_packets **ret_packets, struct netprobe_error *err);
/* Detach: from here on only what waits comes. */
void probe_packets_stop(struct probe_packets *k);
struct probe_packets *probe_packets_close(struct probe_packets *k);

void probe_packets_set_filter(struct probe_packets *k, const struct np_filter *filter);

typedef void (*probe_packet_fn)(const struct np_ev_packet *ev, const uint8_t *bytes, void *arg);
/* Drain the ring. Number of packets or -errno. */
int probe_packets_poll(struct probe_packets *k, probe_packet_fn fn, void *arg);
int probe_packets_losses(const struct probe_packets *k, struct np_packet_loss *ret_loss,
			 uint64_t *ret_missed);

#endif
