/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams in fragments (see fragments.h). */
#include "capture/fragments.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAM_MAX 65535 /* bytes */
#define UNIT 8		   /* of offsets */
#define UNITS ((DATAGRAM_MAX + UNIT) / UNIT)

/* How long the kernel waits for the rest (net.ipv4.ipfrag_time, IPV6_FRAG_TIMEOUT). */
static const uint64_t wait_ns[2] = { 30000000000ULL, 60000000000ULL };

struct key {
	uint8_t src[16], dst[16];
	uint32_t id, ifindex, proto;
};

/* The first one's headers are all that will be counted by. */
struct fragments_one {
	struct index_node node;
	struct fragments_one *next, **link; /* link: what points at it */
	struct key key;
	struct packet first; /* its data is gone */
	uint64_t since_ns;
	uint32_t got, whole; /* bytes; whole: 0 the last one has not come */
	uint16_t pieces;
	bool has_first;
	uint8_t seen[(UNITS + 7) / 8]; /* bits of units that have come */
};

static uint64_t hash_of(const struct index_node *node)
{
	const struct fragments_one *d = index_entry(node, struct fragments_one, node);

	return index_hash(&d->key, sizeof(d->key));
}

int fragments_init(struct fragments *f)
{
	*f = (struct fragments){ 0 };
	f->tail[0] = &f->first[0];
	f->tail[1] = &f->first[1];
	return index_init(&f->all, 64, hash_of);
}

static void drop(struct fragments *f, struct fragments_one *d)
{
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	else
		f->tail[d->first.family == AF_INET6] = d->link;
	index_remove(&f->all, &d->node);
	free(d);
}

void fragments_done(struct fragments *f)
{
	for (unsigned int v6 = 0; v6 < 2; v6++)
		while (f->first[v6])
			drop(f, f->first[v6]);
	index_done(&f->all);
}

/* Those that nobody waits for any more: the kernel has dropped them too, so nothing is lost. */
static void age(struct fragments *f, uint64_t now_ns)
{
	for (unsigned int v6 = 0; v6 < 2; v6++)
		while (f->first[v6] && now_ns > f->first[v6]->since_ns &&
		       now_ns - f->first[v6]->since_ns > wait_ns[v6])
			drop(f, f->first[v6]);
}

static void make_room(struct fragments *f)
{
	struct fragments_one *d = f->first[0];

	if (!d || (f->first[1] && f->first[1]->since_ns < d->since_ns))
		d = f->first[1];
	f->lost_packets += d->pieces;
	f->lost_bytes += d->got;
	drop(f, d);
}

static struct fragments_one *get(struct fragments *f, const struct packet *p)
{
	bool v6 = p->family == AF_INET6;
	/* IPv6's later fragments tell the header that follows the first one's, which may be an option's: not part of the key. */
	struct key key = { .id = p->frag_id, .ifindex = p->ifindex, .proto = v6 ? 0 : p->proto };
	struct fragments_one *d;
	struct index_node *n;

	memcpy(key.src, p->src, 16);
	memcpy(key.dst, p->dst, 16);
	age(f, p->ktime_ns);
	for (n = index_chain(&f->all, index_hash(&key, sizeof(key))); n; n = n->next) {
		d = index_entry(n, struct fragments_one, node);
		if (!memcmp(&d->key, &key, sizeof(key)) && (d->first.family == AF_INET6) == v6)
			return d;
	}
	if (f->all.count >= FRAGMENTS_MAX)
		make_room(f);
	d = calloc(1, sizeof(*d));
	if (!d) {
		f->lost_packets++;
		f->lost_bytes += p->frag_len;
		return NULL;
	}
	d->key = key;
	d->first.family = p->family;
	d->since_ns = p->ktime_ns;
	d->link = f->tail[v6];
	*d->link = d;
	f->tail[v6] = &d->next;
	index_add(&f->all, &d->node);
	return d;
}

/* Marks its units. How many of them had come before. */
static uint32_t mark(struct fragments_one *d, uint32_t from, uint32_t to)
{
	uint32_t before = 0;

	for (uint32_t i = from; i < to; i++) {
		before += d->seen[i / 8] >> i % 8 & 1;
		d->seen[i / 8] |= (uint8_t)(1U << i % 8);
	}
	return before;
}

/* The datagram as one packet, if its length is what its header says. */
static bool take_whole(const struct fragments_one *d, uint64_t now_ns, struct packet *ret)
{
	uint8_t proto = d->first.proto;
	bool is_udp = proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE;
	uint32_t above = d->whole - d->first.frag_skip; /* bytes of the transport */

	if (is_udp && d->first.udp_len > above)
		return false;
	*ret = d->first;
	ret->ktime_ns = now_ns;
	/* A length of UDP-Lite is that of what its checksum covers. */
	ret->payload_len = proto == IPPROTO_UDP ? d->first.udp_len - 8 : is_udp ? above - 8 : above;
	return true;
}

bool fragments_add(struct fragments *f, const struct packet *p, struct packet *ret_whole)
{
	uint32_t from = p->frag_off / UNIT, to = (p->frag_off + p->frag_len + UNIT - 1) / UNIT;
	struct fragments_one *d;
	uint32_t before;
	bool whole;

	if ((p->more && p->frag_len % UNIT) || p->frag_off + p->frag_len > DATAGRAM_MAX)
		return false;
	d = get(f, p);
	if (!d)
		return false;
	before = mark(d, from, to);
	if (before && before == to - from)
		return false; /* the same one again, which the kernel passes over */
	d->got += p->frag_len;
	d->pieces++;
	if (!p->fragment) {
		d->first = *p;
		d->first.data = NULL;
		d->has_first = true;
	}
	if (!p->more)
		d->whole = p->frag_off + p->frag_len;
	if (before || (d->whole && d->got > d->whole)) {
		drop(f, d); /* they overlap: nobody takes it */
		return false;
	}
	if (!d->has_first || d->got != d->whole)
		return false;
	whole = take_whole(d, p->ktime_ns, ret_whole);
	drop(f, d);
	return whole;
}
