// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Nothing at the four hooks that calls on an unconnected datagram socket pass: what is measured of any
 * two programs there, whatever they do.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tp_btf/sock_send_length")
int floor_send(void *ctx)
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int floor_recv(void *ctx)
{
	return 0;
}

SEC("cgroup/sendmsg4")
int floor_to(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("cgroup/recvmsg4")
int floor_from(struct bpf_sock_addr *ctx)
{
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
