/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parser of frames says of one, from tests/bpf/frame.bpf.c to frame.c. */
#ifndef TESTS_BPF_FRAME_SAID_H
#define TESTS_BPF_FRAME_SAID_H

#include <linux/types.h>

struct frame_said {
	__u32 bad, family, proto, frag, tags, tag[2], eth_type; /* as struct frame's */
	__u32 sport, dport;					/* host order */
	__u32 tcp_flags, icmp_type, ip_len;
	__u32 l3, l4; /* from the frame's begin; 0 none */
};

#endif
