/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balancer's program has a short way for the plain packet and a long one for all. Random frames of every length,
 * whole, cut and with wrong bytes, go through it and through one that has only the long way, with tables and
 * counters of its own: verdict, frame and every counter are the same.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb.skel.h"
#include "lb_packet.h"
#include "tap.h"

#define FRAMES 30000
#define BACKENDS 6
#define ETH_MIN 14 /* no shorter frame is taken by BPF_PROG_TEST_RUN */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* The program with the long way only: VIPs, backends and rings of b, all that it writes its own. */
static struct netprobe_lb *long_way(const struct balance *b)
{
	struct netprobe_lb *skel = netprobe_lb__open();
	static const struct {
		const char *name;
		unsigned int pin;
	} shared[] = {
		{ "lb_vips", PIN_VIPS },   { "lb_backends", PIN_BACKENDS },
		{ "lb_rings", PIN_RINGS }, { "lb_config", PIN_CONFIG },
		{ "lb_links", PIN_LINKS },
	};

	REQUIRE(skel != NULL, "skeleton: %s", strerror(errno));
	for (unsigned int i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		REQUIRE(bpf_map__reuse_fd(bpf_object__find_map_by_name(skel->obj, shared[i].name),
					  b->pins.fds[shared[i].pin]) == 0,
			"%s cannot be shared", shared[i].name);
	skel->rodata->cfg_plain = 0;
	REQUIRE(netprobe_lb__load(skel) == 0, "load: %s", strerror(errno));
	return skel;
}

static struct outcome run(int prog, const struct frame *in)
{
	struct xdp_md ctx = { .data_end = in->bytes, .ingress_ifindex = if_nametoindex("lb0") };
	struct outcome o = { .frame = { .bytes = 0 } };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = in->bytes,
		    .data_out = o.frame.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);

	REQUIRE(bpf_prog_test_run_opts(prog, &opts) == 0, "BPF_PROG_TEST_RUN: %s", strerror(errno));
	o.action = opts.retval;
	o.frame.bytes = opts.data_size_out;
	return o;
}

/* A few hundred flows of all VIPs and of none, some of whose frames are cut short or have wrong bytes. */
static struct frame random_frame(void)
{
	static const uint16_t ports[] = { 80, 81, 53, 54, 9 };
	bool v6 = below(3) == 0;
	char client[40];
	struct flow f = { .client = client,
			  .service = v6		? "2001:db8::1"
				     : below(8) ? "192.0.2.1"
						: "192.0.2.2",
			  .client_port = (uint16_t)(1000 + below(8)),
			  .service_port = ports[below(5)],
			  .proto = below(2) ? IPPROTO_TCP : IPPROTO_UDP,
			  .syn = below(4) == 0,
			  .payload = below(16) ? below(60) : 1400 + below(60) };
	struct frame ret;

	(void)snprintf(client, sizeof(client), v6 ? "2001:db8:5::%u" : "198.51.100.%u",
		       1 + below(30));
	ret = frame_of(&f);
	if (below(4) == 0)
		ret.bytes = ETH_MIN + below(ret.bytes - ETH_MIN + 1);
	for (unsigned int n = below(3) ? 0 : 1 + below(3); n; n--)
		ret.data[below(ret.bytes < 80 ? ret.bytes : 80)] = (uint8_t)below(256);
	return ret;
}

/* All of one array by processor, summed. */
static void check_sums(int fd, int other, unsigned int slots, unsigned int words, const char *what)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *v = calloc((size_t)cpus * words, 8), *w = calloc((size_t)cpus * words, 8);

	REQUIRE(v && w, "memory");
	for (uint32_t slot = 0; slot < slots; slot++) {
		REQUIRE(!bpf_map_lookup_elem(fd, &slot, v) && !bpf_map_lookup_elem(other, &slot, w),
			"%s %u", what, slot);
		for (unsigned int i = 0; i < words; i++) {
			uint64_t a = 0, b = 0;

			for (int c = 0; c < cpus; c++) {
				a += v[(unsigned int)c * words + i];
				b += w[(unsigned int)c * words + i];
			}
			CHECK(a == b, "%s %u, number %u: %llu, the long way %llu", what, slot, i,
			      (unsigned long long)a, (unsigned long long)b);
		}
	}
	free(v);
	free(w);
}

TEST(short_way_and_long_way_of_the_balancer_are_the_same)
{
	static const struct {
		const char *vip;
		uint32_t flags;
		bool v6;
	} vips[] = {
		{ "192.0.2.1:80/tcp", 0, false },
		{ "192.0.2.1:81/tcp", LB_VIP_SOURCE, false },
		{ "192.0.2.1:53/udp", 0, false },
		{ "192.0.2.1:54/udp", LB_VIP_SOURCE, false },
		{ "192.0.2.1:*/udp", 0, true },
		{ "[2001:db8::1]:80/tcp", 0, true },
		{ "[2001:db8::1]:81/tcp", LB_VIP_SOURCE, true },
		{ "[2001:db8::1]:*/udp", 0, false },
	};
	struct netprobe_error err = { 0 };
	struct lb_vip_key keys[8];
	struct netprobe_lb *other;
	struct balance *b;
	uint8_t addr[16];
	char text[32];

	seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15ULL | 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	lb_namespace(1500);
	b = lb_begin();
	for (unsigned int v = 0; v < 8; v++) {
		keys[v] = lb_vip(b, vips[v].vip, vips[v].flags);
		for (unsigned int i = 0; i < BACKENDS; i++) {
			(void)snprintf(text, sizeof(text), vips[v].v6 ? "fd99::%u" : "10.99.0.%u",
				       10 + i);
			lb_backend(b, &keys[v], text,
				   i == 5 && vips[v].v6 == (vips[v].vip[0] == '[')
					   ? LB_FORWARD_MAC
					   : LB_FORWARD_ENCAP);
		}
	}
	other = long_way(b);
	for (unsigned int n = 0; n < FRAMES; n++) {
		struct frame in = random_frame();
		struct outcome o = run(balance_prog_fd(b), &in);
		struct outcome l = run(bpf_program__fd(other->progs.np_lb), &in);

		REQUIRE(o.action == l.action && o.frame.bytes == l.frame.bytes &&
				!memcmp(o.frame.data, l.frame.data, o.frame.bytes),
			"frame %u of %u bytes: verdict %u, %u bytes; the long way %u, %u", n,
			in.bytes, o.action, o.frame.bytes, l.action, l.frame.bytes);
		if (n % 500 == 499) {
			unsigned int v = below(8), i = below(BACKENDS);

			(void)snprintf(text, sizeof(text), vips[v].v6 ? "fd99::%u" : "10.99.0.%u",
				       10 + i);
			lb_address(text, addr);
			REQUIRE(balance_backend_drain(b, &keys[v], addr, below(2), &err) == 0, "%s",
				err.msg);
		}
	}
	check_sums(b->pins.fds[PIN_TOTALS], bpf_map__fd(other->maps.lb_totals), LB_TOTALS, 1,
		   "total");
	check_sums(b->pins.fds[PIN_VIP_COUNT], bpf_map__fd(other->maps.lb_vip_count), 10,
		   sizeof(struct lb_count) / 8, "VIP");
	check_sums(b->pins.fds[PIN_BE_COUNT], bpf_map__fd(other->maps.lb_be_count), 60,
		   sizeof(struct lb_count) / 8, "backend");
	CHECK(lb_total(b, LB_FORWARDED) > FRAMES / 4, "%llu forwarded",
	      (unsigned long long)lb_total(b, LB_FORWARDED));
	netprobe_lb__destroy(other);
	lb_end(b);
}
