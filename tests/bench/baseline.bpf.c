// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The cheapest program that is of any use at the hooks netprobe counts at: bytes by process, one
 * per-CPU hash entry each, and nothing more. No sockets, no addresses, no filters, no interfaces.
 * What netprobe costs is stated as a ratio to this.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct bytes {
	__u64 tx, rx;
};

/* Written here, read by nobody: it is the writing that is measured. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct bytes);
} base_bytes SEC(".maps");

static __always_inline int count(int ret, int tx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct bytes *b, fresh = {};

	if (ret <= 0)
		return 0;
	b = bpf_map_lookup_elem(&base_bytes, &tgid);
	if (!b) {
		if (tx)
			fresh.tx = ret;
		else
			fresh.rx = ret;
		bpf_map_update_elem(&base_bytes, &tgid, &fresh, BPF_NOEXIST);
		return 0;
	}
	if (tx)
		b->tx += ret;
	else
		b->rx += ret;
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(base_send, struct sock *sk, int ret, int flags)
{
	return count(ret, 1);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(base_recv, struct sock *sk, int ret, int flags)
{
	return count(ret, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
