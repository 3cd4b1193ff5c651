// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * guard at an interface: XDP counts, filters and limits what comes in; tc counts what goes out, and
 * what comes in where XDP is not the driver's. Every interface has programs of its own, all those of
 * a network namespace share the maps, which are pinned: nothing here needs a process to be alive.
 *
 * XDP sees single frames before anything is merged, but only in the driver's own (native) mode;
 * generic XDP runs behind GRO. tc sees merged segments and tells how many they were.
 */
#include "lib/cookie.h"
#include "lib/plain.h"
#include "lib/whole.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u8 cfg_mode = NP_GUARD_MONITOR;
const volatile __u8 cfg_frags = 0;
const volatile __u8 cfg_coarse = 0;
const volatile __u8 cfg_rx_at_xdp = 0;
const volatile __u8 cfg_rt = 0;
const volatile __u8 cfg_flows = 0;
const volatile __u8 cfg_cookies = 0;
const volatile __u8 cfg_plain = 1;
const volatile __u32 cfg_slot = 0;

/* Written by user space, before the programs are put on. */
volatile __u32 st_ifindex SEC(".data.here") = 0;

/* Written by user space, under its lock. */
struct np_guard_conf_map np_guard_conf SEC(".maps");
struct np_bits4_map np_bits4 SEC(".maps");
struct np_bits6_map np_bits6 SEC(".maps");

/* Written by user space, which swaps whole sets; the kernel half counts hits. Entries die at a sweep. */
struct np_sets_hosts4 np_hosts4 SEC(".maps");
struct np_sets_hosts6 np_hosts6 SEC(".maps");
struct np_sets_nets4 np_nets4 SEC(".maps"), np_allow4 SEC(".maps");
struct np_sets_nets6 np_nets6 SEC(".maps"), np_allow6 SEC(".maps");
struct np_rules_map np_rules SEC(".maps");
struct np_hot_map np_hot SEC(".maps");

/* Written here; the least recently used entry makes room. */
struct np_flow_map np_guard_flows SEC(".maps");
/* Written here, read by user space. */
struct np_sources_map np_sources SEC(".maps");
/* Written here; a slot goes to another address when its own was silent for 8 s. */
struct np_dests_map np_dests SEC(".maps");
/* Written here, read by all who listen; the oldest event makes room. */
struct np_guard_log_map np_guard_log SEC(".maps");
/* Written and read here. */
struct np_query_map np_query SEC(".maps");
/* By service: written by user space, counted here. */
struct np_cookies_map np_cookies SEC(".maps");

/* Written and read here, by programs of one interface: the clock as it was in that jiffy. */
__u64 st_jiffies = 0, st_now_ns = 0;

/* By interface slot: written here, cleared when a slot gets a new owner. */
struct np_guard_devs_map np_guard_devs SEC(".maps");

/* By interface slot: written by user space, not read here. */
struct np_guard_ifs_map np_guard_ifs SEC(".maps");

/*
 * By interface slot: an XDP program that gets what the filter lets through, in mode balance; behind
 * those np_guard_syn of each. Written by user space.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NP_GUARD_NEXT_MAX);
	__type(key, __u32);
	__type(value, __u32);
} np_next SEC(".maps");

static __always_inline void bad_count(struct np_guard_dev *dev, const struct frame *f)
{
	__u32 bad = f->bad;

	if (likely(!bad))
		return;
	/* In the code as it stands here: the compiler would bound one register and use another. */
	asm volatile("%0 &= %1" : "+r"(bad) : "i"(NP_FRAME_BAD_SLOTS - 1));
	dev->bad[bad]++;
}

/* Whether np_guard_syn has a look at it. */
static __always_inline bool wants_cookie(const struct frame *f)
{
	volatile struct np_guard_conf *conf;

	if (!cfg_cookies || f->proto != IPPROTO_TCP)
		return false;
	conf = guard_conf();
	return conf && (conf->cookie_ports & NP_GUARD_PORT_BIT(bpf_ntohs(f->dport))) && !conf->off;
}

/* XDP_PASS, XDP_DROP or GO_COOKIE, of any packet. A call: so the plain ones pay for nothing that only it needs. */
__noinline int guard_whole(struct xdp_md *ctx)
{
	struct np_guard_dev *dev = guard_dev();
	int verdict = XDP_PASS;
	struct frame f;
	__u32 len;

	if (!dev)
		return XDP_PASS;
	frame_parse_xdp(ctx, &f, cfg_frags);
	len = f.len;
	if (cfg_rx_at_xdp || cfg_mode != NP_GUARD_MONITOR)
		bad_count(dev, &f);
	if (cfg_rx_at_xdp)
		way_count(&dev->rx, &f, len);
	if (cfg_mode != NP_GUARD_MONITOR && f.family)
		verdict = filter(dev, &f, len);
	if (verdict == XDP_DROP) {
		/* tc will not see it. */
		if (!cfg_rx_at_xdp)
			way_count(&dev->rx, &f, len);
		return verdict;
	}
	if (cfg_flows && cfg_rx_at_xdp)
		flow_count(dev, &f, len, false);
	if (cfg_mode != NP_GUARD_MONITOR && wants_cookie(&f))
		return GO_COOKIE;
	return verdict;
}

/*
 * In the driver's receive path (softirq), or behind GRO in generic mode. XDP since 4.8, bpf_link for
 * it since 5.9; frames in several buffers since 5.18.
 */
SEC("xdp")
int np_guard_xdp(struct xdp_md *ctx)
{
	int go = cfg_plain ? plain(ctx) : GO_WHOLE;

	if (unlikely(go == GO_WHOLE))
		go = guard_whole(ctx);
	if (unlikely(go != XDP_PASS)) {
		if (go == XDP_DROP)
			return XDP_DROP;
		if (cfg_mode != NP_GUARD_MONITOR)
			bpf_tail_call(ctx, &np_next, NP_GUARD_NEXT_COOKIE + cfg_slot);
	}
	if (cfg_mode == NP_GUARD_BALANCE)
		bpf_tail_call(ctx, &np_next, cfg_slot);
	return XDP_PASS;
}

/*
 * SYN cookies: what the filter let through to a port that may be protected. Called instead of being
 * part of the filter: it has a stack of its own, is loaded only where the kernel has what it needs
 * (6.0), and the packets of other ports do not pay for it.
 */
SEC("xdp")
int np_guard_syn(struct xdp_md *ctx)
{
	struct np_guard_dev *dev = guard_dev();
	int verdict = XDP_PASS;
	struct frame f;
	__u32 len;

	if (!dev)
		return XDP_PASS;
	frame_parse_xdp(ctx, &f, cfg_frags);
	len = f.len;
	if (f.proto == IPPROTO_TCP && f.l4 && !f.bad && !f.pppoe && f.frag == FRAME_WHOLE &&
	    f.l4_off <= 0xff && len == (__u32)(f.end - (void *)(long)ctx->data))
		verdict = cookie_check(ctx,
				       COOKIE_AT((__u32)sizeof(struct ethhdr) +
							 f.tags * (__u32)sizeof(struct frame_tag),
						 f.l4_off, (__u32)(f.family == FRAME_AF_INET6)),
				       len);
	if (verdict == XDP_PASS) {
		if (cfg_mode == NP_GUARD_BALANCE)
			bpf_tail_call(ctx, &np_next, cfg_slot);
		return verdict;
	}
	if (verdict == XDP_TX) {
		dev->cookies_sent++;
	} else {
		dev->drops[NP_DROP_COOKIE]++;
		dev->drop_bytes += len;
	}
	if (!cfg_rx_at_xdp)
		way_count(&dev->rx, &f, len);
	return verdict;
}

/* Bytes of headers that are in the packet once, and on the wire in each segment. */
static __always_inline __u32 header_bytes(const struct frame *f)
{
	struct tcphdr *tcp = f->l4;
	__u32 n = f->len - f->ip_len + f->l4_off;

	if (!tcp)
		return 0;
	if (f->proto == IPPROTO_UDP)
		n += sizeof(struct udphdr);
	else if (f->proto == IPPROTO_TCP && (void *)(tcp + 1) <= f->end)
		n += (((__u8 *)tcp)[12] >> 4) * 4;
	return n;
}

static __always_inline void tc_count(struct __sk_buff *skb, struct np_guard_dev *dev,
				     struct np_guard_way *w, const struct frame *f, bool tx)
{
	__u32 more = skb->gso_segs > 1 ? skb->gso_segs - 1 : 0;

	way_count(w, f, f->len);
	if (more) {
		w->more_segments += more;
		w->more_bytes += (__u64)more * header_bytes(f);
	}
	if (cfg_flows)
		flow_count(dev, f, f->len, tx);
}

/* Behind GRO, before the stack (softirq). clsact since 4.5, TCX since 6.6. */
SEC("tc")
int np_guard_in(struct __sk_buff *skb)
{
	struct np_guard_dev *dev = guard_dev();
	struct frame f;

	if (!dev)
		return -1;
	/* Where the filter is not the driver's it is generic. */
	frame_parse_tc(skb, &f, cfg_mode != NP_GUARD_MONITOR && !cfg_rx_at_xdp);
	if (cfg_mode == NP_GUARD_MONITOR)
		bad_count(dev, &f);
	tc_count(skb, dev, &dev->rx, &f, false);
	return -1; /* as if we were not there: the next program, or the stack */
}

/* Behind the stack, before the queue of the device and before GSO cuts (process or softirq). */
SEC("tc")
int np_guard_out(struct __sk_buff *skb)
{
	struct np_guard_dev *dev = guard_dev();
	struct frame f;

	if (!dev)
		return -1;
	frame_parse_tc(skb, &f, false);
	tc_count(skb, dev, &dev->tx, &f, true);
	if (cfg_mode != NP_GUARD_MONITOR && f.proto == IPPROTO_UDP &&
	    is_amplifier(bpf_ntohs(f.dport))) {
		struct np_addr16 ours, theirs;

		/* An answer to this will be no attack. */
		if (frame_addrs(&f, &ours, &theirs))
			(void)guard_asked(&theirs);
	}
	return -1;
}
