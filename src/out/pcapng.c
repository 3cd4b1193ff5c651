/* SPDX-License-Identifier: BSD-2-Clause */
/* See pcapng.h. Blocks and options as draft-ietf-opsawg-pcapng has them; in this machine's byte order. */
#include "out/pcapng.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"

#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define OPTION_COMMENT 1
#define OPTION_SECTION_OS 3
#define OPTION_SECTION_APP 4
#define OPTION_IF_NAME 2
#define OPTION_IF_DESCRIPTION 3
#define OPTION_IF_TSRESOL 9
#define OPTION_PACKET_FLAGS 2
#define TEXT_COLUMNS 8192 /* far less than an option can have */
#define FLUSH_BYTES (256 * 1024)
#define INTERFACES 4096
#define WAITING_BYTES (8U << 20) /* for the reader of a pipe */
#define COMPACT_BYTES (1U << 20)

struct interface {
	uint32_t netns, ifindex;
	uint16_t linktype;
	char name[16];
};

struct pcapng {
	int fd;
	struct buf out;	       /* whole blocks that wait */
	bool pipe;	       /* or the like: it is written what it takes, and out is kept */
	size_t at, edge;       /* of out: so much is written; the last end of a block up to there */
	off_t good;	       /* bytes in the file that are whole blocks */
	bool dead;	       /* it ends within a block: nothing more can be written */
	uint32_t waiting;      /* packets in out */
	uint32_t n, n_written; /* interfaces; of which are in the file */
	struct pcapng_stats stats;
	struct interface interfaces[INTERFACES];
};

static void put16(struct buf *b, uint16_t v)
{
	buf_put(b, &v, sizeof(v));
}

static void put32(struct buf *b, uint32_t v)
{
	buf_put(b, &v, sizeof(v));
}

static void put_padded(struct buf *b, const void *data, size_t n)
{
	static const char zero[4];

	buf_put(b, data, n);
	buf_put(b, zero, (4 - n % 4) % 4);
}

static void put_option(struct buf *b, uint16_t code, const void *data, size_t n)
{
	put16(b, code);
	put16(b, (uint16_t)n);
	put_padded(b, data, n);
}

/* UTF-8 by the format; readers show it on terminals. */
static void put_text(struct buf *b, uint16_t code, const char *s)
{
	static const char zero[4];
	size_t at = b->len + 4;
	uint16_t n;

	if (!s || !*s)
		return;
	put16(b, code);
	put16(b, 0);
	(void)utf8_put_printable(b, s, strlen(s), TEXT_COLUMNS);
	if (b->err)
		return;
	n = (uint16_t)(b->len - at);
	memcpy(b->data + at - sizeof(n), &n, sizeof(n));
	buf_put(b, zero, (4 - n % 4U) % 4);
}

/* A block's length stands in front and behind. */
static size_t block_begin(struct buf *b, uint32_t type)
{
	size_t at = b->len;

	put32(b, type);
	put32(b, 0);
	return at;
}

static void block_end(struct buf *b, size_t at)
{
	uint32_t len = (uint32_t)(b->len - at) + 8;

	put32(b, 0); /* end of options */
	put32(b, len);
	if (!b->err)
		memcpy(b->data + at + 4, &len, sizeof(len));
}

static void put_section(struct pcapng *p, const char *host, const char *version)
{
	size_t at = block_begin(&p->out, BLOCK_SECTION);
	const int64_t unknown = -1;
	char app[64], text[128];

	put32(&p->out, BYTE_ORDER_MAGIC);
	put16(&p->out, 1);
	put16(&p->out, 0);
	buf_put(&p->out, &unknown, sizeof(unknown));
	(void)snprintf(app, sizeof(app), "netprobe %s", version);
	(void)snprintf(text, sizeof(text), "host %s", host);
	put_text(&p->out, OPTION_COMMENT, text);
	put_text(&p->out, OPTION_SECTION_OS, "Linux");
	put_text(&p->out, OPTION_SECTION_APP, app);
	block_end(&p->out, at);
}

struct pcapng *pcapng_new(int fd, const char *host, const char *version)
{
	struct pcapng *p = calloc(1, sizeof(*p));
	struct stat st;

	if (!p)
		return NULL;
	p->fd = fd;
	p->pipe = !fstat(fd, &st) && !S_ISREG(st.st_mode);
	put_section(p, host, version);
	return p;
}

struct pcapng *pcapng_free(struct pcapng *p)
{
	if (!p)
		return NULL;
	(void)pcapng_flush(p);
	buf_done(&p->out);
	(void)close(p->fd);
	free(p);
	return NULL;
}

static bool is_interface(const struct interface *i, const struct pcapng_packet *pkt)
{
	return i->ifindex == pkt->ifindex && i->netns == pkt->netns &&
	       i->linktype == pkt->linktype &&
	       !strncmp(i->name, pkt->ifname ? pkt->ifname : "", sizeof(i->name) - 1);
}

static void put_interface(struct pcapng *p, const struct interface *i)
{
	size_t at = block_begin(&p->out, BLOCK_INTERFACE);
	const uint8_t nanoseconds = 9;
	char text[64];

	put16(&p->out, i->linktype);
	put16(&p->out, 0);
	put32(&p->out, 0); /* no limit of ours on lengths */
	put_text(&p->out, OPTION_IF_NAME, i->name);
	(void)snprintf(text, sizeof(text), "netns %u, index %u", i->netns, i->ifindex);
	put_text(&p->out, OPTION_IF_DESCRIPTION, text);
	put_option(&p->out, OPTION_IF_TSRESOL, &nanoseconds, 1);
	block_end(&p->out, at);
}

/* Number of the packet's interface in the file; -1: there are too many. */
static int interface_of(struct pcapng *p, const struct pcapng_packet *pkt)
{
	struct interface *i;

	for (uint32_t k = p->n; k-- > 0;) /* the youngest first: containers come and go */
		if (is_interface(&p->interfaces[k], pkt))
			return (int)k;
	if (p->n == INTERFACES)
		return -1;
	i = &p->interfaces[p->n];
	*i = (struct interface){ .netns = pkt->netns,
				 .ifindex = pkt->ifindex,
				 .linktype = pkt->linktype };
	(void)snprintf(i->name, sizeof(i->name), "%s", pkt->ifname ? pkt->ifname : "");
	put_interface(p, i);
	return (int)p->n++;
}

void pcapng_put(struct pcapng *p, const struct pcapng_packet *pkt)
{
	uint32_t flags = pkt->dir;
	int interface;
	size_t at;

	if (p->dead || p->out.len - p->at > WAITING_BYTES ||
	    (interface = interface_of(p, pkt)) < 0) {
		p->stats.lost++;
		return;
	}
	at = block_begin(&p->out, BLOCK_PACKET);
	put32(&p->out, (uint32_t)interface);
	put32(&p->out, (uint32_t)(pkt->wall_ns >> 32));
	put32(&p->out, (uint32_t)pkt->wall_ns);
	put32(&p->out, pkt->captured);
	put32(&p->out, pkt->full);
	put_padded(&p->out, pkt->bytes, pkt->captured);
	put_text(&p->out, OPTION_COMMENT, pkt->comment);
	if (flags)
		put_option(&p->out, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	block_end(&p->out, at);
	p->waiting++;
	p->stats.packets++;
	if (p->out.len >= FLUSH_BYTES)
		(void)pcapng_flush(p);
}

/* What was not written is gone, half a block among it is taken back. */
static int give_up(struct pcapng *p, int r, bool half)
{
	p->stats.err = -r;
	p->stats.lost += p->waiting;
	p->stats.packets -= p->waiting;
	p->n = p->n_written;
	if (half && (ftruncate(p->fd, p->good) || lseek(p->fd, p->good, SEEK_SET) < 0))
		p->dead = true;
	/* Without the section's header nobody can read the rest. */
	if (!p->good)
		p->dead = true;
	return r;
}

/* From the block at from: the end of the last one that ends by limit. *ret_packets: packets among them. */
static size_t block_end_before(const struct pcapng *p, size_t from, size_t limit,
			       uint32_t *ret_packets)
{
	*ret_packets = 0;
	while (from + 12 <= p->out.len) {
		uint32_t type, len;

		memcpy(&type, p->out.data + from, sizeof(type));
		memcpy(&len, p->out.data + from + 4, sizeof(len));
		if (from + len > limit)
			break;
		from += len;
		*ret_packets += type == BLOCK_PACKET;
	}
	return from;
}

/* What is written goes from the front, so that a reader that is slow and steady does not make it grow. */
static void compact(struct pcapng *p)
{
	memmove(p->out.data, p->out.data + p->edge, p->out.len - p->edge);
	p->out.len -= p->edge;
	p->at -= p->edge;
	p->edge = 0;
}

static bool takes_now(const struct pcapng *p, int ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLOUT };

	return poll(&pfd, 1, ms) == 1;
}

/* Of a pipe: a write of PIPE_BUF bytes does not wait where poll() says so; whole blocks if they fit. */
static int flush_pipe(struct pcapng *p)
{
	int r = p->out.err;

	while (!r && p->at < p->out.len && takes_now(p, 0)) {
		size_t to = p->at + PIPE_BUF < p->out.len ? p->at + PIPE_BUF : p->out.len, end;
		uint32_t packets;
		ssize_t n;

		end = block_end_before(p, p->edge, to, &packets);
		n = write(p->fd, p->out.data + p->at, (end > p->at ? end : to) - p->at);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			r = -errno;
		if (n < 0)
			continue;
		p->at += (size_t)n;
		p->edge = block_end_before(p, p->edge, p->at, &packets);
		p->waiting -= packets;
		if (p->edge > COMPACT_BYTES)
			compact(p);
	}
	if (r) {
		p->stats.err = -r;
		p->stats.lost += p->waiting;
		p->stats.packets -= p->waiting;
		p->dead = true; /* it goes on behind half a block, or its reader is gone */
		p->at = p->out.len;
	}
	if (p->at == p->out.len) {
		p->at = p->edge = 0;
		p->waiting = 0;
		buf_reset(&p->out);
	}
	return r;
}

void pcapng_end(struct pcapng *p, int ms)
{
	(void)pcapng_flush(p);
	while (p->pipe && p->out.len && takes_now(p, ms))
		(void)pcapng_flush(p);
	if (!p->pipe || !p->out.len)
		return;
	p->stats.lost += p->waiting;
	p->stats.packets -= p->waiting;
	p->dead = true;
	p->waiting = 0;
	p->at = p->edge = 0;
	buf_reset(&p->out);
}

int pcapng_flush(struct pcapng *p)
{
	size_t done = 0;
	int r = p->out.err;

	if (p->pipe)
		return flush_pipe(p);
	while (!r && done < p->out.len) {
		ssize_t n = write(p->fd, p->out.data + done, p->out.len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	if (r) {
		r = give_up(p, r, done > 0);
	} else {
		p->good += (off_t)done;
		p->n_written = p->n;
	}
	p->waiting = 0;
	buf_reset(&p->out);
	return r;
}

void pcapng_stats(const struct pcapng *p, struct pcapng_stats *ret_stats)
{
	*ret_stats = p->stats;
}
