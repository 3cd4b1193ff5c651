/* SPDX-License-Identifier: BSD-2-Clause */
/* TPACKET_V3 (see ring.h). */
#include "capture/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture/refused.h"

#define BLOCK_BYTES (256U << 10)
#define BLOCKS_MIN 4
#define FRAME_BYTES 2048 /* the kernel checks it; V3 packs packets regardless */

struct ring {
	int fd;
	uint32_t snaplen, block, n_blocks, next;
	uint8_t *map;
	size_t size;
	uint64_t packets, dropped;
	uint64_t wall_minus_mono;
	uint16_t wide[RING_PORTS];
	unsigned int n_wide;
	bool wide_tls, wide_http;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

#define LOOKS 4

/* Both clocks at one moment: of a few looks the one that took least, since a task may be kept waiting in between. */
static void learn_clock(struct ring *r)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < LOOKS; i++) {
		uint64_t before = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME);
		uint64_t took = clock_ns(CLOCK_MONOTONIC) - before;

		if (took >= least)
			continue;
		least = took;
		r->wall_minus_mono = wall - before - took / 2;
	}
}

int ring_filter(struct ring *r, const uint32_t *ifindexes, int n)
{
	struct ring_want want = { .ifs = ifindexes,
				  .n_if = n > RING_IFS ? 0 : n,
				  .snap = r->snaplen,
				  .wide = r->snaplen > RING_WIDE ? r->snaplen : RING_WIDE,
				  .ports = r->wide,
				  .n_ports = r->n_wide,
				  .tls = r->wide_tls,
				  .http = r->wide_http };
	struct sock_filter code[RING_INSNS];
	struct sock_fprog prog = { .filter = code };

	prog.len = ring_filter_make(&want, code);
	if (setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return -errno;
	return 0;
}

static uint32_t round_up(uint32_t v, uint32_t to)
{
	return (v + to - 1) / to * to;
}

static uint32_t power_below(uint32_t v)
{
	uint32_t p = 1;

	while (p <= v / 2)
		p *= 2;
	return p;
}

static int map_ring(struct ring *r, const struct ring_opts *opts)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t bytes = round_up(opts->bytes ? opts->bytes : RING_BYTES, page);
	struct tpacket_req3 req = { .tp_frame_size = FRAME_BYTES };

	r->block = opts->block ? opts->block : BLOCK_BYTES;
	if (!opts->block && r->block > bytes / BLOCKS_MIN)
		r->block = power_below(bytes / BLOCKS_MIN);
	if (r->block < page)
		r->block = page;
	r->block = power_below(r->block);
	if (bytes < r->block)
		r->block = power_below(bytes);
	r->n_blocks = bytes / r->block;
	req.tp_block_size = r->block;
	req.tp_block_nr = r->n_blocks;
	req.tp_frame_nr = req.tp_block_size / req.tp_frame_size * req.tp_block_nr;
	req.tp_retire_blk_tov = opts->timeout_ms ? opts->timeout_ms : RING_TIMEOUT_MS;
	if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	r->size = (size_t)r->block * r->n_blocks;
	r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	return 0;
}

static int setup(struct ring *r, const struct ring_opts *opts)
{
	int version = TPACKET_V3, on = 1, e;

	if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0)
		return -errno;
	/* tells of how many packets a large one is made */
	if (setsockopt(r->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return -errno;
	e = ring_filter(r, NULL, -1);
	return e ? e : map_ring(r, opts);
}

int ring_open(const struct ring_opts *opts, struct ring **ret, struct netprobe_error *err)
{
	struct refused_facts facts;
	struct ring *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->snaplen = opts->snaplen ? opts->snaplen : RING_SNAP;
	for (unsigned int i = 0; i < opts->n_wide && i < RING_PORTS; i++)
		r->wide[r->n_wide++] = opts->wide_ports[i];
	r->wide_tls = opts->wide_tls;
	r->wide_http = opts->wide_http;
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0) {
		e = -errno;
		free(r);
		refused_facts_init(&facts);
		return refused_packet(e, &facts, err);
	}
	e = setup(r, opts);
	if (e) {
		(void)ring_close(r);
		return error_set(err, e == -ENOMEM ? -ENOBUFS : e,
				 "the kernel gives no packet ring of %u bytes: %s",
				 opts->bytes ? opts->bytes : RING_BYTES, strerror(-e));
	}
	learn_clock(r);
	*ret = r;
	return 0;
}

struct ring *ring_close(struct ring *r)
{
	if (!r)
		return NULL;
	if (r->map)
		(void)munmap(r->map, r->size);
	(void)close(r->fd);
	free(r);
	return NULL;
}

int ring_start(struct ring *r, bool share, uint16_t group)
{
	struct sockaddr_ll any = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	uint32_t fanout = (uint32_t)group | PACKET_FANOUT_HASH << 16;

	if (bind(r->fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	if (share && setsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout)) < 0)
		return -errno;
	return 0;
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

static void take(struct ring *r, uint8_t *at, ring_fn fn, void *arg)
{
	const struct tpacket3_hdr *h = (const void *)at;
	const struct sockaddr_ll *from =
		(const void *)(at + TPACKET_ALIGN(sizeof(struct tpacket3_hdr)));
	struct virtio_net_hdr gso;
	struct packet p = {
		.data = at + h->tp_mac,
		.caplen = h->tp_snaplen,
		.len = h->tp_len,
		.net_off = (uint32_t)h->tp_net - h->tp_mac,
		.ifindex = (uint32_t)from->sll_ifindex,
		.hatype = from->sll_hatype,
		.protocol = ntohs(from->sll_protocol),
		.pkttype = from->sll_pkttype,
		.has_vlan = h->tp_status & TP_STATUS_VLAN_VALID,
		.vlan_tci = (uint16_t)h->hv1.tp_vlan_tci,
		.wall_ns = (uint64_t)h->tp_sec * 1000000000ULL + h->tp_nsec,
	};

	memcpy(&gso, at + h->tp_mac - sizeof(gso), sizeof(gso));
	if (gso.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		p.gso_size = gso.gso_size;
	p.ktime_ns = p.wall_ns - r->wall_minus_mono;
	fn(&p, arg);
}

static struct tpacket_block_desc *next_block(const struct ring *r)
{
	return (void *)(r->map + (size_t)r->next * r->block);
}

bool ring_is_ready(const struct ring *r)
{
	return __atomic_load_n(&next_block(r)->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
	       TP_STATUS_USER;
}

int ring_read(struct ring *r, ring_fn fn, void *arg)
{
	struct tpacket_block_desc *b = next_block(r);
	uint32_t n, off;

	if (!ring_is_ready(r))
		return 0;
	learn_clock(r);
	n = b->hdr.bh1.num_pkts;
	off = b->hdr.bh1.offset_to_first_pkt;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = (uint8_t *)b + off;

		take(r, at, fn, arg);
		off += ((struct tpacket3_hdr *)(void *)at)->tp_next_offset;
	}
	__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->next = (r->next + 1) % r->n_blocks;
	return n ? (int)n : ring_read(r, fn, arg); /* an empty block: its time was up */
}

void ring_stats(struct ring *r, uint64_t *ret_packets, uint64_t *ret_dropped)
{
	struct tpacket_stats_v3 st;
	socklen_t len = sizeof(st);

	/* reading sets them back */
	if (!getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len)) {
		r->packets += st.tp_packets;
		r->dropped += st.tp_drops;
	}
	*ret_packets = r->packets;
	*ret_dropped = r->dropped;
}

int herald_open(void)
{
	/* Cooked: offsets are from the network header. IPv6 without extensions, as SYNs have none. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_HATYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 18, 0),
		/* 4 */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 6, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		/* 8: IPv4; X is where the transport begins */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 8, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		/* 13: IPv6 */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_STMT(BPF_LDX | BPF_IMM, 40),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 3, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		/* 18: TCP, UDP */
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PACKET_SYN, 3, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 53, 1, 0),
		/* 22 */
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, RING_SNAP),
	};
	struct sock_fprog prog = { .filter = code, .len = sizeof(code) / sizeof(code[0]) };
	struct sockaddr_ll any = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), e;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0) {
		e = -errno;
		(void)close(fd);
		return e;
	}
	return fd;
}

bool herald_read(int fd, uint8_t *buf, struct packet *ret)
{
	struct sockaddr_ll from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, RING_SNAP, MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&from, &len);

		if (n < 0)
			return false;
		*ret = (struct packet){ .data = buf,
					.caplen = n < RING_SNAP ? (uint32_t)n : RING_SNAP,
					.len = (uint32_t)n,
					.ifindex = (uint32_t)from.sll_ifindex,
					.hatype = from.sll_hatype,
					.protocol = ntohs(from.sll_protocol),
					.pkttype = from.sll_pkttype,
					.ktime_ns = clock_ns(CLOCK_MONOTONIC) };
		if (!packet_parse(ret))
			return true;
	}
}
