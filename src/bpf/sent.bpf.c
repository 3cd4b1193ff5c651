// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What became of frames that guard's programs handed to a driver. A verdict is only a wish: the driver may drop the
 * frame, and no counter of the program's sees that. The kernel tells by tracepoints, of all interfaces of the
 * machine: those of others are told from ours by namespace and number.
 *
 * Two of them fire once for each bulk of up to 16 frames, whatever becomes of it; the others only for what failed.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel/net.h"
#include "lib/guard_maps.h"
#include "wire/guard.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 cfg_netns_cookie = 0; /* 0: unknown, any namespace */

#define ACT_TX 3

/* Guard's own: by interface slot, and written by user space and its programs (guard.bpf.c). */
struct np_guard_devs_map np_guard_devs SEC(".maps");

struct np_guard_ifs_map np_guard_ifs SEC(".maps");

static __noinline int lost(const struct net_device *dev, __u32 frames)
{
	__u32 ifindex = BPF_CORE_READ(dev, ifindex);

	if (cfg_netns_cookie && bpf_core_field_exists(((struct net *)0)->net_cookie) &&
	    BPF_CORE_READ(dev, nd_net.net, net_cookie) != cfg_netns_cookie)
		return 0;
	for (__u32 i = 0; i < NP_GUARD_IFS; i++) {
		__u32 slot = i;
		struct np_guard_if *at = bpf_map_lookup_elem(&np_guard_ifs, &slot);
		struct np_guard_dev *d;

		if (!at || at->ifindex != ifindex)
			continue;
		d = bpf_map_lookup_elem(&np_guard_devs, &slot);
		if (d)
			__sync_fetch_and_add(&d->tx_errors, frames);
		break;
	}
	return 0;
}

/* Since 4.18; context: softirq. Of what is redirected some drivers tell here too: np_sent_redirect has it already. */
SEC("tp_btf/xdp_exception")
int BPF_PROG(np_sent_exception, const struct net_device *dev, const void *prog, __u32 act)
{
	return act == ACT_TX ? lost(dev, 1) : 0;
}

/* Since 4.14. */
SEC("tp_btf/xdp_redirect_err")
int BPF_PROG(np_sent_redirect, const struct net_device *dev)
{
	return lost(dev, 1);
}

/* Since 5.3: of drivers that send their own in bulk, as veth. */
SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(np_sent_bulk, const struct net_device *dev, int sent, int drops)
{
	return drops > 0 ? lost(dev, (__u32)drops) : 0;
}

/* Since 4.18, with these arguments since 5.6: what goes out at another one. */
SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(np_sent_devmap, const struct net_device *from, const struct net_device *to, int sent,
	     int drops)
{
	return from && drops > 0 ? lost(from, (__u32)drops) : 0;
}
