/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers (see packet.h). Lengths are believed as far as the packet that carries them goes; wire.c puts fragments together. */
#include "capture/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define P_IP 0x0800
#define P_VLAN 0x8100
#define P_QINQ 0x88a8
#define P_IPV6 0x86dd
#define HATYPE_ETHER 1
#define ETHER_BYTES 14
#define VLAN_BYTES 4
#define VLANS_MAX 2
#define EXTENSIONS_MAX 8
#define PKTTYPE_OUTGOING 4 /* linux/if_packet.h */

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

static const uint8_t *need(const struct packet *p, uint32_t off, uint32_t n)
{
	return off <= p->caplen && p->caplen - off >= n ? p->data + off : NULL;
}

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_SCALE 3
#define SCALE_MAX 14

static uint8_t scale_of(const struct packet *p, uint32_t off, uint32_t end)
{
	while (off < end) {
		const uint8_t *o = need(p, off, 2);
		uint32_t len;

		if (!o || o[0] == OPTION_END)
			break;
		len = o[0] == OPTION_NOP ? 1 : o[1];
		if (!len || len > end - off)
			break;
		if (o[0] == OPTION_SCALE && len == 3 && need(p, off, 3))
			return o[2] < SCALE_MAX ? o[2] : SCALE_MAX;
		off += len;
	}
	return PACKET_NO_SCALE;
}

/* end: offset at which the transport's bytes end by the network header, or by the packet's length. */
static int parse_tcp(struct packet *p, uint32_t off, uint32_t end)
{
	const uint8_t *h = need(p, off, 20);
	uint32_t header;

	if (!h)
		return -EINVAL;
	header = (uint32_t)(h[12] >> 4) * 4;
	if (header < 20 || off + header > end)
		return -EINVAL;
	p->sport = be16(h);
	p->dport = be16(h + 2);
	p->seq = be32(h + 4);
	p->ack = be32(h + 8);
	p->tcp_flags = h[13];
	p->window = be16(h + 14);
	if (p->tcp_flags & PACKET_SYN)
		p->scale = scale_of(p, off + 20, off + header);
	p->payload_off = off + header;
	p->payload_len = end - p->payload_off;
	return 0;
}

static int parse_udp(struct packet *p, uint32_t off, uint32_t end)
{
	const uint8_t *h = need(p, off, 8);
	uint32_t len;

	/* What is captured may be longer than the packet: a link's padding, or a lie about the length. */
	if (!h || end - off < 8)
		return -EINVAL;
	p->sport = be16(h);
	p->dport = be16(h + 2);
	len = be16(h + 4);
	if (p->proto == IPPROTO_UDPLITE || p->gso_size || (!len && p->family == AF_INET6))
		len = end - off; /* coverage, or of one segment, or a jumbogram */
	/* A first fragment has less than its datagram; the rest comes without a header. Nothing else has. */
	if (len < 8 || (len > end - off && !p->more))
		return -EINVAL;
	p->udp_len = len;
	p->payload_off = off + 8;
	p->payload_len = (len < end - off ? len : end - off) - 8;
	return 0;
}

static int parse_transport(struct packet *p, uint32_t off, uint32_t end)
{
	int r = 0;

	if (off > end)
		return -EINVAL;
	p->payload_off = off;
	if (!p->frag_start)
		p->frag_start = off;
	p->frag_len = end - p->frag_start;
	p->frag_skip = off - p->frag_start;
	if (p->fragment)
		return 0;
	if (p->proto == IPPROTO_TCP)
		r = parse_tcp(p, off, end);
	else if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE)
		r = parse_udp(p, off, end);
	else
		p->payload_len = end - off;
	if (r)
		return r;
	p->segments = 1;
	if (p->gso_size && p->payload_len > p->gso_size)
		p->segments = (p->payload_len + p->gso_size - 1) / p->gso_size;
	return 0;
}

/* The kernel drops a header whose checksum is wrong. */
static bool is_summed(const struct packet *p, uint32_t off, uint32_t header)
{
	const uint8_t *h = need(p, off, header);
	uint32_t sum = 0;

	for (uint32_t i = 0; h && i < header; i += 2)
		sum += be16(h + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return !h || sum % 0xffff == 0;
}

static int parse_ipv4(struct packet *p, uint32_t off)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *h = need(p, off, 20);
	uint32_t header, total, there = p->len > off ? p->len - off : 0;

	if (!h || h[0] >> 4 != 4)
		return -EINVAL;
	header = (uint32_t)(h[0] & 15) * 4;
	total = be16(h + 2);
	if (!total && p->gso_size)
		total = there; /* longer than the field can tell (BIG TCP) */
	if (header < 20 || total < header || total > there)
		return -EINVAL;
	/* what goes out is summed by some devices */
	if (p->pkttype != PKTTYPE_OUTGOING && !p->gso_size && !is_summed(p, off, header))
		return -EINVAL;
	p->family = AF_INET;
	p->proto = h[9];
	p->frag_id = be16(h + 4);
	p->frag_off = (be16(h + 6) & 0x1fffU) * 8;
	p->fragment = p->frag_off;
	p->more = be16(h + 6) & 0x2000;
	memcpy(p->src, mapped, 12);
	memcpy(p->src + 12, h + 12, 4);
	memcpy(p->dst, mapped, 12);
	memcpy(p->dst + 12, h + 16, 4);
	return parse_transport(p, off + header, off + total);
}

static int parse_ipv6(struct packet *p, uint32_t off)
{
	const uint8_t *h = need(p, off, 40), *x;
	uint32_t end, there = p->len > off ? p->len - off : 0;
	uint8_t next;

	if (!h || h[0] >> 4 != 6 || there < 40)
		return -EINVAL;
	end = off + 40 + be16(h + 4);
	/* A jumbogram says its length in an option, what stands for several segments nowhere. */
	if (!be16(h + 4) && (h[6] == IPPROTO_HOPOPTS || p->gso_size))
		end = off + there;
	if (end > off + there)
		return -EINVAL;
	p->family = AF_INET6;
	memcpy(p->src, h + 8, 16);
	memcpy(p->dst, h + 24, 16);
	next = h[6];
	off += 40;
	for (unsigned int i = 0; i < EXTENSIONS_MAX; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			x = need(p, off, 2);
			if (!x)
				return -EINVAL;
			next = x[0];
			off += (uint32_t)(x[1] + 1) * 8;
			continue;
		case IPPROTO_FRAGMENT:
			x = need(p, off, 8);
			if (!x || p->more) /* fragments of a fragment: none sends them */
				return -EINVAL;
			next = x[0];
			p->frag_id = be32(x + 4);
			p->frag_off = be16(x + 2) & 0xfff8U;
			p->fragment = p->frag_off;
			p->more = x[3] & 1;
			off += 8;
			p->frag_start = off;
			if (!p->fragment)
				continue;
			/* what follows is the middle of something, whatever header the datagram begins with */
			p->proto = next;
			return parse_transport(p, off, end);
		default:
			p->proto = next;
			return parse_transport(p, off, end);
		}
	}
	return -EINVAL;
}

/*
 * Where a tag is in the packet itself, the kernel's network header is before it (received: the inner one
 * of two) or behind it (sent), while the protocol names the tag. The link header tells.
 */
static void find_tag(const struct packet *p, uint32_t *off, uint16_t *protocol)
{
	const uint8_t *type = need(p, ETHER_BYTES - 2, 2);

	if ((*protocol != P_VLAN && *protocol != P_QINQ) || p->hatype != HATYPE_ETHER ||
	    p->net_off < ETHER_BYTES || !type)
		return;
	*off = ETHER_BYTES;
	*protocol = be16(type);
}

int packet_parse(struct packet *p)
{
	uint32_t off = p->net_off;
	uint16_t protocol = p->protocol;

	p->fragment = p->more = false;
	p->tcp_flags = 0;
	p->sport = p->dport = p->window = 0;
	p->scale = PACKET_NO_SCALE;
	p->seq = p->ack = p->payload_len = 0;
	p->frag_id = p->frag_off = p->frag_len = p->udp_len = 0;
	p->frag_start = p->frag_skip = 0;
	p->segments = 1;
	find_tag(p, &off, &protocol);
	for (unsigned int i = 0; i < VLANS_MAX && (protocol == P_VLAN || protocol == P_QINQ); i++) {
		const uint8_t *tag = need(p, off, VLAN_BYTES);

		if (!tag)
			return -EINVAL;
		protocol = be16(tag + 2);
		off += VLAN_BYTES;
	}
	if (protocol == P_IP)
		return parse_ipv4(p, off);
	return protocol == P_IPV6 ? parse_ipv6(p, off) : -EINVAL;
}
