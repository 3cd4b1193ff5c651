// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Nothing at the two hooks that netprobe counts at: what the kernel takes for calling any program
 * there, which none can stay below.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tp_btf/sock_send_length")
int empty_send(void *ctx)
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int empty_recv(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
