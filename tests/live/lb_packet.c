/* SPDX-License-Identifier: BSD-2-Clause */
/* See lb_packet.h. */
#include "lb_packet.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "tap.h"

static const uint8_t client_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t our_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };
static unsigned int ifindex;

static void shell(const char *command)
{
	REQUIRE(system(command) == 0, "`%s` failed", command);
}

void lb_namespace(unsigned int mtu)
{
	char command[400];

	if (unshare(CLONE_NEWNET))
		test_skip("no new network namespace: root is needed");
	netns_unpin_later("/proc/self/ns/net");
	snprintf(command, sizeof(command),
		 "ip link set lo up && ip link add lb0 mtu %u type veth peer name lb1 mtu %u && "
		 "ip link set lb0 up && ip link set lb1 up && ip addr add 10.99.0.1/24 dev lb0 && "
		 "ip -6 addr add fd99::1/64 dev lb0 nodad",
		 mtu, mtu);
	if (system(command))
		test_skip("no veth device on this kernel");
	shell("echo 1 >/proc/sys/net/ipv4/conf/all/forwarding && "
	      "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
	for (int i = 10; i < 20; i++) {
		snprintf(command, sizeof(command),
			 "ip neigh add 10.99.0.%d lladdr 02:00:00:00:01:%02x dev lb0 && "
			 "ip neigh add fd99::%x lladdr 02:00:00:00:01:%02x dev lb0",
			 i, i, i, i);
		shell(command);
	}
	ifindex = if_nametoindex("lb0");
}

struct balance *lb_begin(void)
{
	static struct balance b;
	struct netprobe_error err = { 0 };
	int r = balance_open(true, NULL, &b, &err);

	REQUIRE(r == 0, "balance_open: %d %s", r, err.msg);
	return &b;
}

void lb_end(struct balance *b)
{
	struct netprobe_error err = { 0 };

	CHECK(balance_remove(b, &err) == 0, "%s", err.msg);
	CHECK(access(b->pins.dir, F_OK) != 0, "%s is still there", b->pins.dir);
	balance_close(b);
}

struct lb_vip_key lb_vip(struct balance *b, const char *vip, uint32_t flags)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;

	REQUIRE(vip_parse(vip, &key, &err) == 0, "%s", err.msg);
	REQUIRE(balance_vip_add(b, &key, flags, &err) == 0, "%s", err.msg);
	return key;
}

void lb_address(const char *addr, uint8_t ret[16])
{
	struct netprobe_error err = { 0 };

	REQUIRE(backend_parse(addr, ret, &err) == 0, "%s", err.msg);
}

void lb_backend(struct balance *b, const struct lb_vip_key *vip, const char *addr, uint8_t forward)
{
	struct backend_spec spec = { .forward = forward, .conf = { .weight = 1 } };
	struct netprobe_error err = { 0 };

	lb_address(addr, spec.addr);
	REQUIRE(balance_backend_add(b, vip, &spec, &err) == 0, "%s", err.msg);
}

uint16_t sum16(const void *data, size_t bytes, uint32_t start)
{
	const uint8_t *p = data;
	uint32_t sum = start;

	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (bytes & 1)
		sum += (uint32_t)p[bytes - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put(struct frame *f, const void *data, size_t bytes)
{
	memcpy(f->data + f->bytes, data, bytes);
	f->bytes += (uint32_t)bytes;
}

static void put_ether(struct frame *f, bool v6)
{
	struct ethhdr eth = { .h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP) };

	memcpy(eth.h_dest, our_mac, ETH_ALEN);
	memcpy(eth.h_source, client_mac, ETH_ALEN);
	put(f, &eth, sizeof(eth));
}

static void put_ip(struct frame *f, bool v6, const char *from, const char *to, uint8_t proto,
		   size_t payload)
{
	struct iphdr ip4 = { .version = 4, .ihl = 5, .tos = 0x12, .ttl = 60, .protocol = proto };
	struct ipv6hdr ip6 = { .version = 6, .nexthdr = proto, .hop_limit = 60 };

	if (v6) {
		ip6.payload_len = htons((uint16_t)payload);
		inet_pton(AF_INET6, from, &ip6.saddr);
		inet_pton(AF_INET6, to, &ip6.daddr);
		put(f, &ip6, sizeof(ip6));
		return;
	}
	ip4.tot_len = htons((uint16_t)(payload + sizeof(ip4)));
	ip4.frag_off = htons(0x4000);
	inet_pton(AF_INET, from, &ip4.saddr);
	inet_pton(AF_INET, to, &ip4.daddr);
	ip4.check = htons(sum16(&ip4, sizeof(ip4), 0));
	put(f, &ip4, sizeof(ip4));
}

static void put_l4(struct frame *f, uint8_t proto, uint16_t from, uint16_t to, bool syn)
{
	struct tcphdr tcp = {
		.source = htons(from), .dest = htons(to), .doff = 5, .syn = syn, .ack = !syn
	};
	struct udphdr udp = { .source = htons(from), .dest = htons(to) };

	if (proto == IPPROTO_TCP)
		put(f, &tcp, sizeof(tcp));
	else
		put(f, &udp, sizeof(udp));
}

static size_t l4_bytes(uint8_t proto)
{
	return proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

struct frame frame_of(const struct flow *f)
{
	bool v6 = strchr(f->service, ':');
	struct frame out = { .bytes = 0 };

	put_ether(&out, v6);
	put_ip(&out, v6, f->client, f->service, f->proto, l4_bytes(f->proto) + f->payload);
	put_l4(&out, f->proto, f->client_port, f->service_port, f->syn);
	memset(out.data + out.bytes, 'x', f->payload);
	out.bytes += f->payload;
	return out;
}

struct frame icmp_about(const struct flow *f, uint8_t type, uint8_t code)
{
	bool v6 = strchr(f->service, ':');
	uint8_t icmp[8] = { type, code };
	size_t quoted = (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + l4_bytes(f->proto);
	struct frame out = { .bytes = 0 };

	put_ether(&out, v6);
	put_ip(&out, v6, v6 ? "2001:db8:99::1" : "203.0.113.254", f->service,
	       v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, sizeof(icmp) + quoted);
	put(&out, icmp, sizeof(icmp));
	put_ip(&out, v6, f->service, f->client, f->proto, 1400);
	put_l4(&out, f->proto, f->service_port, f->client_port, false);
	return out;
}

uint64_t lb_total(struct balance *b, unsigned int what)
{
	uint64_t n[LB_TOTALS] = { 0 };

	REQUIRE(balance_totals(b, n) == 0, "totals cannot be read");
	return n[what];
}

struct outcome lb_run(struct balance *b, const struct frame *in)
{
	struct xdp_md ctx = { .data_end = in->bytes, .ingress_ifindex = ifindex };
	struct outcome o = { .frame = { .bytes = 0 } };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = in->bytes,
		    .data_out = o.frame.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);

	REQUIRE(bpf_prog_test_run_opts(balance_prog_fd(b), &opts) == 0, "BPF_PROG_TEST_RUN: %s",
		strerror(errno));
	o.action = opts.retval;
	o.frame.bytes = opts.data_size_out;
	return o;
}

unsigned int backend_of(const struct outcome *o)
{
	const struct ethhdr *eth = (const struct ethhdr *)o->frame.data;

	return eth->h_dest[4] == 1 ? eth->h_dest[5] : 0;
}
