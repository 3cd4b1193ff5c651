/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balancer's program without traffic: a packet in, a packet out, by BPF_PROG_TEST_RUN. One
 * namespace of the test's own, in which every backend of 10.99.0.0/24 and fd99::/64 is known by its
 * hardware address.
 */
#ifndef LIVE_LB_PACKET_H
#define LIVE_LB_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "balance/balance.h"

#define FRAME_MAX 8192

/* As in the kernel: two bytes in front of an Ethernet header put the IP header on a boundary. */
struct frame {
	uint8_t shift[2] __attribute__((aligned(8)));
	uint8_t data[FRAME_MAX];
	uint32_t bytes;
};

/* What a run gave back. */
struct outcome {
	uint32_t action; /* XDP_* */
	struct frame frame;
};

struct flow {
	const char *client, *service;
	uint16_t client_port, service_port;
	uint8_t proto;
	bool syn;
	unsigned int payload; /* bytes */
};

/* The namespace, with lb0 at mtu; the test's process is in it afterwards. */
void lb_namespace(unsigned int mtu);
/* The balancer in it; REQUIREs to be there. Closed and removed by lb_end. */
struct balance *lb_begin(void);
void lb_end(struct balance *b);
struct lb_vip_key lb_vip(struct balance *b, const char *vip, uint32_t flags);
void lb_backend(struct balance *b, const struct lb_vip_key *vip, const char *addr, uint8_t forward);
void lb_address(const char *addr, uint8_t ret[16]);

struct frame frame_of(const struct flow *f);
/* The ICMP error that a router sends to the service about a packet the service sent to the client. */
struct frame icmp_about(const struct flow *f, uint8_t type, uint8_t code);
struct outcome lb_run(struct balance *b, const struct frame *in);
/* Of the balancer's totals, one: what is one of LB_*. */
uint64_t lb_total(struct balance *b, unsigned int what);
/* Last byte of the address of the backend it went to, by the outer header or by hardware address. */
unsigned int backend_of(const struct outcome *o);
/* Sum over the words, for a header whose checksum is right: 0. */
uint16_t sum16(const void *data, size_t bytes, uint32_t start);

#endif
