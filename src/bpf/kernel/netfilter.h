/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Netfilter's and conntrack's types, only the fields netprobe reads (see net.h). */
#ifndef NETPROBE_BPF_KERNEL_NETFILTER_H
#define NETPROBE_BPF_KERNEL_NETFILTER_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union nf_inet_addr {
	__be32 all[4];
};

union nf_conntrack_man_proto {
	__be16 all;
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
	__u16 l3num; /* AF_* */
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash
		tuplehash[2]; /* of the original direction, and of the reply */
};

struct nf_hook_state {
	__u8 hook : 8; /* NF_INET_*; 32 bits before 5.15 (6802db48fc27): read as a bit field, which asks */
};

#pragma clang attribute pop

#endif
