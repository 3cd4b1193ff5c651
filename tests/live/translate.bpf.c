// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What balances services at the socket does: 127.0.0.77 is a service, whose backend 127.0.0.1 is. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SERVICE 0x7f00004d
#define BACKEND 0x7f000001
#define PORT 7500

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("cgroup/sendmsg4")
int np_to_backend(struct bpf_sock_addr *ctx)
{
	if (ctx->user_ip4 == bpf_htonl(SERVICE))
		ctx->user_ip4 = bpf_htonl(BACKEND);
	return 1;
}

SEC("cgroup/recvmsg4")
int np_from_service(struct bpf_sock_addr *ctx)
{
	if (ctx->user_ip4 == bpf_htonl(BACKEND) && ctx->user_port == bpf_htons(PORT))
		ctx->user_ip4 = bpf_htonl(SERVICE);
	return 1;
}
