/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers that lie, beside what the kernel made of them: each kind is sent from a port of its own to one socket, and
 * what netprobe says came from there is what the socket's reader got.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rung.h"
#include "tap.h"

#define PORT 9009
#define FIRST 1000 /* source port of the first kind */
#define PAYLOAD 104
#define KINDS 64

/* A frame that is made: where its parts begin, and how long it is. */
struct frame {
	uint8_t b[2048];
	size_t len;
	uint8_t *ip, *udp;
};

static const char *a_mac, *b_mac;
static int out_fd, out_ifindex;
static unsigned int kind;

static void put16(uint8_t *at, unsigned int v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint32_t add(uint32_t sum, const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)at[i] << (i & 1 ? 0 : 8);
	return sum;
}

static unsigned int folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Right in all, with n bytes of payload. */
static void udp4(struct frame *f, size_t n)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->b, b_mac, 6);
	memcpy(f->b + 6, a_mac, 6);
	put16(f->b + 12, 0x0800);
	f->ip = f->b + 14;
	f->ip[0] = 0x45;
	put16(f->ip + 2, (unsigned int)(28 + n));
	put16(f->ip + 4, FIRST + kind);
	f->ip[8] = 64;
	f->ip[9] = IPPROTO_UDP;
	memcpy(f->ip + 12, "\x0a\x4d\0\1\x0a\x4d\0\2", 8);
	f->udp = f->ip + 20;
	put16(f->udp, FIRST + kind);
	put16(f->udp + 2, PORT);
	put16(f->udp + 4, (unsigned int)(8 + n));
	f->len = 14 + 28 + n;
}

/* The same with so many bytes of extension headers, which are yet to be made. */
static void udp6(struct frame *f, uint8_t next, size_t ext)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->b, b_mac, 6);
	memcpy(f->b + 6, a_mac, 6);
	put16(f->b + 12, 0x86dd);
	f->ip = f->b + 14;
	f->ip[0] = 0x60;
	put16(f->ip + 4, (unsigned int)(ext + 8 + PAYLOAD));
	f->ip[6] = next;
	f->ip[7] = 64;
	(void)inet_pton(AF_INET6, "fd77::1", f->ip + 8);
	(void)inet_pton(AF_INET6, "fd77::2", f->ip + 24);
	f->udp = f->ip + 40 + ext;
	put16(f->udp, FIRST + kind);
	put16(f->udp + 2, PORT);
	put16(f->udp + 4, 8 + PAYLOAD);
	f->len = 14 + 40 + ext + 8 + PAYLOAD;
	f->ip[40] = IPPROTO_UDP; /* of the one extension header there may be */
	if (!ext)
		put16(f->udp, FIRST + kind);
}

/* Its checksum, as the pseudo header and so many bytes of UDP make it. */
static void sum6(struct frame *f, unsigned int udp_len)
{
	uint32_t sum = add(0, f->ip + 8, 32) + udp_len + IPPROTO_UDP;

	put16(f->udp + 6, 0);
	put16(f->udp + 6, folded(add(sum, f->udp, udp_len)));
}

static void send_raw(const struct frame *f)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = out_ifindex };

	REQUIRE(sendto(out_fd, f->b, f->len, 0, (struct sockaddr *)&to, sizeof(to)) ==
			(ssize_t)f->len,
		"cannot send a frame: %m");
}

static void send_frame(struct frame *f)
{
	if (f->ip[0] >> 4 != 6) {
		size_t header = (size_t)(f->ip[0] & 15) * 4;

		put16(f->ip + 10, 0);
		put16(f->ip + 10, folded(add(0, f->ip, header)));
	}
	send_raw(f);
}

/* One of IPv4 whose field at that place of the IP header is v. */
static void field4(unsigned int at, unsigned int v)
{
	struct frame f;

	udp4(&f, PAYLOAD);
	put16(f.ip + at, v);
	send_frame(&f);
	kind++;
}

static void udp_len4(unsigned int v)
{
	field4(24, v);
}

/* A piece of a datagram: bytes from to of what follows the IP header. */
static void piece4(unsigned int from, unsigned int to, bool more, unsigned int udp_len)
{
	struct frame f;

	udp4(&f, PAYLOAD);
	put16(f.udp + 4, udp_len);
	memmove(f.udp, f.udp + from, to - from);
	put16(f.ip + 2, 20 + to - from);
	put16(f.ip + 6, (more ? 0x2000 : 0) | from / 8);
	f.len = 14 + 20 + to - from;
	send_frame(&f);
}

static void ipv4(void)
{
	unsigned int all = 28 + PAYLOAD;
	struct frame f;

	udp_len4(8 + PAYLOAD);
	udp_len4(65535);
	udp_len4(8 + PAYLOAD + 1);
	udp_len4(8);
	udp_len4(8 + 40);
	udp_len4(7);
	udp_len4(0);
	field4(2, all + 1);
	field4(2, 65535);
	field4(2, all - 8);
	field4(2, 27);
	field4(2, 20);
	field4(2, 19);
	field4(2, 0);
	field4(0, 0x4400); /* a header of 16 bytes */
	field4(0, 0x4600); /* of 24: what it has for options is UDP's */
	field4(0, 0x4f00);
	field4(0, 0x5500);
	field4(6, 0x8000); /* the bit that is never set */
	field4(6, 0x4000);
	field4(6, 0x2000);	/* first of a datagram that has no more */
	field4(6, 1);		/* second of one */
	field4(6, 0x1fff);	/* beyond 65,535 bytes */
	field4(8, IPPROTO_UDP); /* it has lived too long */
	/* without a checksum */
	udp4(&f, PAYLOAD);
	send_raw(&f);
	kind++;
	/* shorter, and UDP with it */
	udp4(&f, PAYLOAD);
	put16(f.ip + 2, all - 10);
	put16(f.udp + 4, 8 + PAYLOAD - 10);
	send_frame(&f);
	kind++;
	/* in two pieces: right, long, short, late, over each other, with a hole, first alone and huge */
	piece4(0, 56, true, 8 + PAYLOAD);
	piece4(56, 8 + PAYLOAD, false, 0);
	kind++;
	piece4(0, 56, true, 8 + PAYLOAD + 1);
	piece4(56, 8 + PAYLOAD, false, 0);
	kind++;
	piece4(0, 56, true, 8 + 30);
	piece4(56, 8 + PAYLOAD, false, 0);
	kind++;
	piece4(56, 8 + PAYLOAD, false, 0);
	piece4(0, 56, true, 8 + PAYLOAD);
	kind++;
	piece4(0, 56, true, 8 + PAYLOAD);
	piece4(48, 8 + PAYLOAD, false, 0);
	kind++;
	piece4(0, 56, true, 8 + PAYLOAD);
	piece4(64, 8 + PAYLOAD, false, 0);
	kind++;
	piece4(0, 8, true, 65535);
	kind++;
	piece4(0, 57, true, 8 + PAYLOAD);
	kind++;
}

/* One extension header of eight bytes, its second byte v. */
static void extension(uint8_t type, uint8_t v, unsigned int offset_field, bool whole)
{
	struct frame f;

	udp6(&f, type, 8);
	f.ip[41] = v;
	put16(f.ip + 42, offset_field);
	if (type == IPPROTO_DSTOPTS || type == IPPROTO_HOPOPTS)
		memcpy(f.ip + 42, "\1\4\0\0\0\0", 6); /* PadN */
	sum6(&f, 8 + PAYLOAD);
	send_frame(&f);
	if (whole)
		kind++;
}

static void ipv6(void)
{
	static const unsigned int udp_lens[] = {
		8 + PAYLOAD, 65535, 8 + PAYLOAD + 1, 8 + 40, 7, 0
	};
	struct frame f;

	for (size_t i = 0; i < sizeof(udp_lens) / sizeof(udp_lens[0]); i++) {
		udp6(&f, IPPROTO_UDP, 0);
		put16(f.udp, FIRST + kind);
		put16(f.udp + 4, udp_lens[i]);
		sum6(&f, udp_lens[i] == 8 + 40 ? 8 + 40 : 8 + PAYLOAD);
		send_frame(&f);
		kind++;
	}
	for (int i = -1; i <= 1; i++) { /* one too few, none, one too many */
		udp6(&f, IPPROTO_UDP, 0);
		put16(f.udp, FIRST + kind);
		put16(f.ip + 4, i ? (unsigned int)(8 + PAYLOAD + i) : 0);
		sum6(&f, 8 + PAYLOAD);
		send_frame(&f);
		kind++;
	}
	extension(IPPROTO_DSTOPTS, 0, 0, true);
	extension(IPPROTO_DSTOPTS, 255, 0, true);
	extension(IPPROTO_HOPOPTS, 0, 0, true);
	extension(IPPROTO_HOPOPTS, 255, 0, true);
	extension(IPPROTO_FRAGMENT, 0, 0, true);      /* all there is */
	extension(IPPROTO_FRAGMENT, 0, 1, true);      /* the first */
	extension(IPPROTO_FRAGMENT, 0, 8, true);      /* the second */
	extension(IPPROTO_FRAGMENT, 0, 0xfff8, true); /* beyond 65,535 bytes */
	extension(IPPROTO_NONE, 0, 0, true);
}

/* A segment of the connection from port of a, n bytes at seq; header: of TCP, as it claims, in words. */
static void segment(uint16_t port, uint32_t seq, uint32_t ack, size_t n, unsigned int header,
		    unsigned int flags)
{
	uint32_t sum, be = htonl(seq);
	struct frame f;

	udp4(&f, 12 + n);
	f.ip[9] = IPPROTO_TCP;
	put16(f.udp, port);
	put16(f.udp + 2, PORT);
	memcpy(f.udp + 4, &be, 4);
	be = htonl(ack);
	memcpy(f.udp + 8, &be, 4);
	put16(f.udp + 12, header << 12 | flags);
	put16(f.udp + 14, 500);
	sum = add(0, f.ip + 12, 8) + IPPROTO_TCP + (uint32_t)(20 + n);
	put16(f.udp + 16, folded(add(sum, f.udp, 20 + n)));
	send_frame(&f);
}

#define ACK 16
#define PSH 8
#define RST 4
#define SYN 2
#define FIN 1

/* Numbers the socket goes on with. */
static void numbers_of(int fd, uint32_t *ret_seq, uint32_t *ret_ack)
{
	int on = 1, off = -1, queue[2] = { 2, 1 }; /* send, receive */
	socklen_t len = sizeof(on);

	REQUIRE(!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), "TCP_REPAIR: %m");
	for (unsigned int i = 0; i < 2; i++) {
		REQUIRE(!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue[i],
				    sizeof(queue[i])) &&
				!getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, i ? ret_ack : ret_seq,
					    &len),
			"TCP_QUEUE_SEQ: %m");
	}
	REQUIRE(!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), "TCP_REPAIR: %m");
}

/* Bytes the reader of that connection got; its port. */
static uint64_t tcp(const struct netns_pair *pair, uint16_t *ret_port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) }, me;
	socklen_t len = sizeof(me);
	uint64_t sum = 0;
	uint32_t seq, ack;
	char buf[4096];
	int l, c, s;
	ssize_t n;

	l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)inet_pton(AF_INET, "10.77.0.2", &to.sin_addr);
	REQUIRE(!bind(l, (struct sockaddr *)&to, sizeof(to)) && !listen(l, 1), "listen: %m");
	rung_go(&pair->a);
	c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(!connect(c, (struct sockaddr *)&to, sizeof(to)) &&
			!getsockname(c, (struct sockaddr *)&me, &len),
		"connect: %m");
	rung_go(&pair->b);
	s = accept(l, NULL, NULL);
	REQUIRE(s >= 0 && send(c, buf, 1000, 0) == 1000, "send: %m");
	while (sum < 1000 && (n = recv(s, buf, sizeof(buf), 0)) > 0)
		sum += (uint64_t)n;
	numbers_of(c, &seq, &ack);
	*ret_port = ntohs(me.sin_port);
	/* beyond any window, before it, with headers that are none, and what should end it and does not */
	segment(*ret_port, seq + 0x10000000, ack, 100, 5, ACK | PSH);
	segment(*ret_port, seq + 0x7fff0000, ack, 100, 5, ACK | PSH);
	segment(*ret_port, seq + 0x80000001, ack, 100, 5, ACK | PSH);
	segment(*ret_port, seq - 500, ack, 100, 5, ACK | PSH);
	segment(*ret_port, seq, ack, 100, 4, ACK | PSH);
	segment(*ret_port, seq, ack, 8, 15, ACK | PSH);
	segment(*ret_port, seq, ack + 0x10000000, 100, 5, ACK | PSH);
	segment(*ret_port, seq + 0x10000000, ack, 0, 5, ACK | FIN);
	segment(*ret_port, seq + 0x20000000, ack, 0, 5, RST);
	segment(*ret_port, seq + 0x10000000, ack, 0, 5, SYN | ACK);
	REQUIRE(send(c, buf, 1000, 0) == 1000, "send: %m");
	while (sum < 2000 && (n = recv(s, buf, sizeof(buf), 0)) > 0)
		sum += (uint64_t)n;
	close(c);
	n = recv(s, buf, sizeof(buf), 0);
	close(s);
	close(l);
	return sum + (uint64_t)(n > 0 ? n : 0);
}

static uint64_t got[2 * KINDS]; /* by the reader, from each kind's port */

static int receiver(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(any)), "cannot bind: %m");
	return fd;
}

static void receive(int fd)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len)) >=
	       0) {
		unsigned int k = ntohs(from.sin6_port) - FIRST;

		if (k < 2 * KINDS)
			got[k] += (uint64_t)n;
		len = sizeof(from);
	}
}

static void address_of(const char *name, char mac[6], int *ret_ifindex)
{
	struct ifreq r = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	REQUIRE(!ioctl(fd, SIOCGIFHWADDR, &r), "%s: %m", name);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (ret_ifindex)
		*ret_ifindex = (int)if_nametoindex(name);
	close(fd);
}

TEST(forged_headers_move_what_the_kernel_takes_of_them)
{
	static const char *const args[] = { "flows",	  "--format",	    "json",
					    "-q",	  "--capture-mode", "afpacket",
					    "--duration", "36000",	    NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns_pair pair = netns_pair_new();
	uint64_t said[2 * KINDS] = {};
	char macs[2][6];
	uint64_t bytes, tcp_said = 0;
	unsigned int delivered = 0;
	uint16_t port = 0;
	const json_t *r;
	struct probe p;
	size_t i;
	int fd;

	rung_go(&pair.a);
	address_of(pair.if_a, macs[0], &out_ifindex);
	a_mac = macs[0];
	out_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	rung_go(&pair.b);
	address_of(pair.if_b, macs[1], NULL);
	b_mac = macs[1];
	fd = receiver();
	p = probe_spawn(&opts);
	kind = 0;
	ipv4();
	ipv6();
	bytes = tcp(&pair, &port);
	REQUIRE(kind <= 2 * KINDS, "too many kinds");
	receive(fd);
	/* Frames of another processor than this may wait in its backlog. */
	usleep(200000);
	receive(fd);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		uint64_t k = record_u64(r, "rport") - FIRST;

		if (record_u64(r, "lport") == PORT && record_u64(r, "rport") == port &&
		    !strcmp(record_str(r, "transport"), "tcp")) {
			tcp_said += record_u64(r, "rx_bytes");
			continue;
		}
		if (record_u64(r, "lport") == PORT && k < 2 * KINDS)
			said[k] += record_u64(r, "rx_bytes");
	}
	for (unsigned int k = 0; k < kind; k++) {
		delivered += got[k] > 0;
		CHECK(said[k] == got[k],
		      "kind %u: expected the %" PRIu64 " bytes of the reader, got %" PRIu64, k,
		      got[k], said[k]);
	}
	CHECK_EQ(tcp_said, bytes, "bytes of the connection");
	CHECK(delivered >= 12, "expected some to be taken, got %u", delivered);
}
