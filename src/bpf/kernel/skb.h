/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's packet buffer and what hangs on it, for the programs that look at packets (see
 * net.h). Flavours, since those of the data path need, and declare, much less of the same types.
 */
#ifndef NETPROBE_BPF_KERNEL_SKB_H
#define NETPROBE_BPF_KERNEL_SKB_H

#include "net.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct net___pkt {
	struct ns_common ns;
	struct hlist_head *dev_index_head; /* 256 buckets by ifindex */
};

struct net_device___pkt {
	char name[16];
	int ifindex;
	possible_net_t nd_net;
	struct hlist_node index_hlist;
};

struct dst_entry___pkt {
	struct net_device___pkt *dev;
};

struct sk_buff___pkt {
	struct net_device___pkt *dev; /* in UDP's receive queue the same bytes hold lengths */
	struct sock *sk;
	unsigned long _skb_refdst; /* low bits are flags */
	unsigned long _nfct;	   /* low three bits are the conntrack state */
	unsigned int len;
	unsigned int data_len;
	int skb_iif; /* interface it came in by; 0: it did not */
	__be16 protocol;
	__be16 vlan_proto;
	__u16 vlan_tci;
	__u16 transport_header;
	__u16 network_header;
	__u16 mac_header;
	unsigned int tail; /* offset from head on 64-bit machines */
	unsigned char *head;
	unsigned char *data;
};

/* until 6.1: vlan_tci counts only where this bit is set; later (354259fa73e2) where vlan_proto is not 0 */
struct sk_buff___6_1 {
	__u8 vlan_present : 1;
};

struct sock_common___req {
	struct sock *skc_listener; /* of a request socket; shares its place with skc_flags */
};

struct request_sock___pkt {
	struct sock_common___req __req_common;
};

struct sk_buff_head {
	struct sk_buff *next; /* the first one; itself where it is empty */
	__u32 qlen;
};

struct sock___queue {
	struct sk_buff_head sk_receive_queue;
};

/* a reader moves all of the receive queue here at once, and then takes from this one */
struct udp_sock___queue {
	struct sk_buff_head reader_queue;
};

#pragma clang attribute pop

#endif
