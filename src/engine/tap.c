/* SPDX-License-Identifier: BSD-2-Clause */
/* See tap.h. Two buffers: one is written by the readers while the other is read. */
#include "engine/tap.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (16U << 20) /* of each; taken from the machine as far as it is used */

struct tap_record {
	struct np_ev_packet ev;
	uint16_t hatype;
	uint16_t pad[3];
};

struct tap {
	pthread_mutex_t lock; /* over what follows */
	uint8_t *buf[2];
	size_t len[2];
	unsigned int writes; /* buffer that is written */
	uint64_t lost;
	bool all, first;
	uint64_t ports[NP_PORT_WORDS];
};

struct tap *tap_new(const struct tap_opts *opts)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->all = opts->all;
	t->first = opts->first;
	for (unsigned int i = 0; i < opts->n_ports; i++)
		t->ports[opts->ports[i] / 64] |= 1ULL << (opts->ports[i] % 64);
	t->buf[0] = malloc(BUFFER_BYTES);
	t->buf[1] = malloc(BUFFER_BYTES);
	return t->buf[0] && t->buf[1] ? t : tap_free(t);
}

struct tap *tap_free(struct tap *t)
{
	if (!t)
		return NULL;
	(void)pthread_mutex_destroy(&t->lock);
	free(t->buf[0]);
	free(t->buf[1]);
	free(t);
	return NULL;
}

static bool has_port(const struct tap *t, uint16_t port)
{
	return t->ports[port / 64] & (1ULL << (port % 64));
}

static void push(struct tap *t, const struct tap_record *rec, const uint8_t *bytes)
{
	size_t n = sizeof(*rec) + (rec->ev.captured + 7u) / 8 * 8;
	uint8_t *to;

	(void)pthread_mutex_lock(&t->lock);
	if (n > BUFFER_BYTES - t->len[t->writes]) {
		t->lost++;
	} else {
		to = t->buf[t->writes] + t->len[t->writes];
		memcpy(to, rec, sizeof(*rec));
		memcpy(to + sizeof(*rec), bytes, rec->ev.captured);
		t->len[t->writes] += n;
	}
	(void)pthread_mutex_unlock(&t->lock);
}

/* tx: the sender is the local end. */
static void fill(struct tap_record *rec, const struct packet *p, bool tx)
{
	struct np_tuple *tuple = &rec->ev.tuple;

	memset(rec, 0, sizeof(*rec));
	rec->hatype = p->hatype;
	rec->ev.hdr.ts_ns = p->ktime_ns;
	rec->ev.hdr.len = sizeof(rec->ev);
	rec->ev.dir = tx ? NP_DIR_TX : NP_DIR_RX;
	tuple->ifindex = p->ifindex;
	tuple->family = p->family;
	tuple->proto = p->proto;
	tuple->lport = tx ? p->sport : p->dport;
	tuple->rport = tx ? p->dport : p->sport;
	memcpy(tuple->laddr, tx ? p->src : p->dst, 16);
	memcpy(tuple->raddr, tx ? p->dst : p->src, 16);
}

static void push_payload(struct tap *t, const struct packet *p, uint16_t type, bool tx)
{
	struct tap_record rec;

	fill(&rec, p, tx);
	rec.ev.hdr.type = type;
	rec.ev.seq = p->seq;
	rec.ev.full = p->payload_len;
	rec.ev.captured = p->caplen - p->payload_off;
	if (rec.ev.captured > rec.ev.full)
		rec.ev.captured = rec.ev.full; /* padding of short frames */
	push(t, &rec, p->data + p->payload_off);
}

/* A packet between two ports of DNS (mDNS) is a query or an answer: its own flag says. */
static void take_dns(struct tap *t, const struct packet *p)
{
	bool to = has_port(t, p->dport), from = has_port(t, p->sport);
	const uint8_t *bytes = p->data + p->payload_off;

	if (!to && !from)
		return;
	if (to && from)
		to = p->caplen - p->payload_off < 3 || !(bytes[2] & 0x80);
	push_payload(t, p, NP_PACKET_DNS, to);
}

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

/* A first guess by two bytes, a handshake's or a method's: who reads it knows better. */
static void take_first(struct tap *t, const struct packet *p)
{
	const uint8_t *b = p->data + p->payload_off;

	if (p->caplen - p->payload_off < 2)
		return;
	if ((b[0] == 22 && b[1] == 3) || (is_upper(b[0]) && is_upper(b[1])))
		push_payload(t, p, NP_PACKET_FIRST, true);
}

static bool has_payload(const struct packet *p)
{
	return (p->proto == IPPROTO_UDP || p->proto == IPPROTO_TCP) && !p->fragment &&
	       p->payload_len && p->payload_off < p->caplen;
}

void tap_packet(const struct packet *p, bool parsed, void *arg)
{
	struct tap *t = arg;
	struct tap_record rec;

	if (parsed && has_payload(p)) {
		take_dns(t, p);
		if (t->first && p->proto == IPPROTO_TCP)
			take_first(t, p);
	}
	if (!t->all)
		return;
	fill(&rec, p, p->pkttype == PACKET_OUTGOING);
	if (!parsed)
		memset(&rec.ev.tuple, 0, sizeof(rec.ev.tuple));
	rec.ev.tuple.ifindex = p->ifindex;
	rec.ev.hdr.type = NP_PACKET_PCAP;
	rec.ev.full = p->len;
	rec.ev.captured = p->caplen < p->len ? p->caplen : p->len;
	push(t, &rec, p->data);
}

void tap_drain(struct tap *t, tap_fn fn, void *arg)
{
	unsigned int reads;

	(void)pthread_mutex_lock(&t->lock);
	reads = t->writes;
	t->writes = !reads;
	(void)pthread_mutex_unlock(&t->lock);
	for (size_t at = 0; at < t->len[reads];) {
		struct tap_record rec;

		memcpy(&rec, t->buf[reads] + at, sizeof(rec));
		fn(&rec.ev, rec.hatype, t->buf[reads] + at + sizeof(rec), arg);
		at += sizeof(rec) + (rec.ev.captured + 7u) / 8 * 8;
	}
	/* The readers do not look at it before the next exchange. */
	t->len[reads] = 0;
}

uint64_t tap_lost(const struct tap *t)
{
	return t->lost;
}
