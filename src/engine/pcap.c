/* SPDX-License-Identifier: BSD-2-Clause */
/* See pcap.h. */
#include "engine/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "engine/session.h"
#include "engine/tap.h"

#define END_MS 300		  /* for the reader of a pipe that takes nothing, at the end */
#define WAIT_NS 300000000ULL	  /* a packet waits so long for its owner to be found */
#define WAITING_BYTES (64U << 20) /* and so many may wait */

/* In the queue, in front of its bytes. */
struct waiting {
	struct np_ev_packet ev;
	uint16_t linktype;
};

struct pcap {
	struct session *session;
	struct probe_packets *packets; /* NULL: none from the kernel half */
	const struct tap *tap;	       /* they come from there */
	uint64_t filtered;	       /* of the tap's */
	uint64_t tapped, no_memory;
	struct buf queue; /* of the tap's, until their owners can be known */
	size_t queue_at;
	struct buf comment; /* of the packet that is written */
	struct pcapng *file;
	char *path;
	bool ended;	   /* nothing comes any more */
	int64_t offset_ns; /* from CLOCK_MONOTONIC to CLOCK_REALTIME */
	int said;	   /* errno that was said */
};

static int open_file(struct pcap *p, const char *path, struct netprobe_error *err)
{
	/* Whoever may read it sees what others send: for the owner alone. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(err, -EBADFD,
				 "netprobe_config.pcap: '%s': %s; takes a file that can be written",
				 path, strerror(errno));
	p->path = strdup(path);
	p->file = pcapng_new(fd, session_host(p->session), version_text);
	if (!p->file)
		(void)close(fd);
	return p->file && p->path ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int pcap_open(struct session *s, struct probe *probe, const struct tap *tap, const char *path,
	      const struct np_filter *filter, struct pcap **ret_pcap, struct netprobe_error *err)
{
	struct pcap *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->session = s;
	p->tap = probe ? NULL : tap;
	if (!probe && !tap)
		r = error_set(err, -EOPNOTSUPP, "netprobe_config.pcap: mode %s sees no packets",
			      session_mode(s));
	else
		r = open_file(p, path, err);
	if (!r && probe)
		r = probe_pcap_open(probe, filter, &p->packets, err);
	if (r) {
		(void)pcap_close(p);
		return r;
	}
	*ret_pcap = p;
	return 0;
}

/* "pid=4242 comm=nginx ...": words as JSON has them, so that one search finds both. A name with a blank is in quotes. */
static void describe(struct pcap *p, const struct np_ev_packet *ev, struct buf *b)
{
	const struct process *proc = session_owner(p->session, &ev->owner);
	const struct cgroup *cg = proc ? proc->cgroup : NULL;
	const char *rname = names_find(session_names(p->session), ev->tuple.raddr, 0);

	if (ev->owner.tgid && proc) {
		buf_printf(b, "pid=%u comm=", proc->tgid);
		(void)utf8_put_field(b, proc->comm, strnlen(proc->comm, sizeof(proc->comm)));
		buf_printf(b, " uid=%u owner_match=%s", proc->uid,
			   owner_match_name(ev->owner.match));
	} else {
		buf_puts(b, "owner_match=none");
	}
	if (ev->owner.tgid && cg && cg->container_id) {
		buf_puts(b, " container=");
		(void)utf8_put_field(b, cg->container_id, strlen(cg->container_id));
	}
	if (ev->sock_id)
		buf_printf(b, " sock=%llu", (unsigned long long)ev->sock_id);
	if (rname) {
		buf_puts(b, " rname=");
		(void)utf8_put_field(b, rname, strlen(rname));
	}
	session_owner_done(p->session, proc);
}

static void put(struct pcap *p, const struct np_ev_packet *ev, uint16_t linktype,
		const uint8_t *bytes)
{
	char ifname[17];
	struct pcapng_packet pkt = {
		.wall_ns = ev->hdr.ts_ns + (uint64_t)p->offset_ns,
		.netns = ev->tuple.netns,
		.ifindex = ev->tuple.ifindex,
		.ifname = ifname,
		.linktype = linktype,
		.dir = ev->dir == NP_DIR_TX ? PCAPNG_OUT : PCAPNG_IN,
		.bytes = bytes,
		.captured = ev->captured,
		.full = ev->full,
	};

	(void)snprintf(ifname, sizeof(ifname), "%.15s", ev->tuple.ifname);
	buf_reset(&p->comment);
	describe(p, ev, &p->comment);
	pkt.comment = buf_str(&p->comment);
	pcapng_put(p->file, &pkt);
}

static void on_packet(const struct np_ev_packet *ev, const uint8_t *bytes, void *arg)
{
	put(arg, ev, PCAPNG_RAW, bytes);
}

static void look_again(struct pcap *p, struct np_ev_packet *ev)
{
	uint64_t sock_id = 0;
	bool wanted = false;
	struct np_owner owner;

	if (!session_whose(p->session, &ev->tuple, &owner, &sock_id, &wanted))
		return;
	ev->owner = owner;
	ev->sock_id = sock_id;
	ev->wanted = wanted;
}

/* Those of before until_ns. Whoever was not known when they came may be by now. */
static void write_waiting(struct pcap *p, uint64_t until_ns)
{
	while (p->queue_at < p->queue.len) {
		const char *at = p->queue.data + p->queue_at;
		struct waiting w;

		memcpy(&w, at, sizeof(w));
		if (w.ev.hdr.ts_ns > until_ns)
			break;
		p->queue_at += sizeof(w) + w.ev.captured;
		if (!w.ev.owner.tgid)
			look_again(p, &w.ev);
		if (w.ev.wanted)
			put(p, &w.ev, w.linktype, (const uint8_t *)at + sizeof(w));
		else
			p->filtered++;
	}
	/* What was written makes room, now and then. */
	if (p->queue_at == p->queue.len) {
		buf_reset(&p->queue);
		p->queue_at = 0;
	} else if (p->queue_at > WAITING_BYTES / 4) {
		p->queue.len -= p->queue_at;
		memmove(p->queue.data, p->queue.data + p->queue_at, p->queue.len);
		p->queue_at = 0;
	}
}

void pcap_packet(struct pcap *p, const struct np_ev_packet *ev, uint16_t hatype,
		 const uint8_t *bytes)
{
	bool ethernet = hatype == ARPHRD_ETHER || hatype == ARPHRD_LOOPBACK;
	struct waiting w = { .ev = *ev, .linktype = ethernet ? PCAPNG_ETHERNET : PCAPNG_RAW };

	p->tapped++;
	if (p->queue.len - p->queue_at > WAITING_BYTES)
		write_waiting(p, UINT64_MAX);
	buf_put(&p->queue, &w, sizeof(w));
	buf_put(&p->queue, bytes, ev->captured);
	if (p->queue.err) {
		p->no_memory++;
		buf_reset(&p->queue);
		p->queue_at = 0;
	}
}

static void say_lost(struct pcap *p)
{
	struct pcapng_stats st;

	pcapng_stats(p->file, &st);
	if (!st.err || st.err == p->said)
		return;
	p->said = st.err;
	log_warn("pcap: '%s': %s; packets are lost from here on, and counted", p->path,
		 strerror(st.err));
}

int pcap_poll(struct pcap *p)
{
	int r;

	p->offset_ns = (int64_t)(clock_wall_ns() - clock_monotonic_ns());
	r = p->packets ? probe_packets_poll(p->packets, on_packet, p) : 0;
	write_waiting(p, clock_monotonic_ns() - WAIT_NS);
	(void)pcapng_flush(p->file);
	say_lost(p);
	return r < 0 ? r : 0;
}

void pcap_set_filter(struct pcap *p, const struct np_filter *filter)
{
	if (p->packets) /* else packets come with a verdict */
		probe_packets_set_filter(p->packets, filter);
}

/* What came, whichever way; the tap's own losses are those of a ring that is full. */
static int losses(const struct pcap *p, struct np_packet_loss *l, uint64_t *ret_missed)
{
	*ret_missed = 0;
	*l = (struct np_packet_loss){};
	if (p->packets)
		return probe_packets_losses(p->packets, l, ret_missed);
	if (p->tap) {
		l->filtered = p->filtered;
		l->ring_full = tap_lost(p->tap) + p->no_memory;
		l->submitted = p->tapped - p->filtered - p->no_memory;
	}
	return 0;
}

void pcap_account(const struct pcap *p, struct losses *to)
{
	struct loss x = { .program = "pcap", .unit = "packets" };
	struct np_packet_loss l;
	struct pcapng_stats st;

	pcapng_stats(p->file, &st);
	if (losses(p, &l, &x.missed))
		return;
	/* What the disk did not take was handed up and is in no file: as if a map had been full. */
	x.count = (struct np_loss){ .submitted = l.submitted - st.lost,
				    .ring_full = l.ring_full,
				    .filtered = l.filtered,
				    .map_full = st.lost,
				    .helper_err = l.helper_err };
	losses_add(to, &x);
}

/* At the end: how much of what was there is not in the file. */
static void say_sums(struct pcap *p)
{
	struct np_packet_loss l = {};
	struct pcapng_stats st;
	uint64_t missed = 0;

	(void)losses(p, &l, &missed);
	pcapng_stats(p->file, &st);
	if (l.ring_full | l.helper_err | missed | st.lost)
		log_notice(
			"losses of pcap: %llu packets written; %llu found the ring full, %llu could "
			"not be written, %llu could not be read, %llu were not shown by the kernel",
			(unsigned long long)st.packets, (unsigned long long)l.ring_full,
			(unsigned long long)st.lost, (unsigned long long)l.helper_err,
			(unsigned long long)missed);
}

void pcap_finish(struct pcap *p)
{
	if (p->ended || !p->file)
		return;
	p->ended = true;
	if (p->packets)
		probe_packets_stop(p->packets);
	p->offset_ns = (int64_t)(clock_wall_ns() - clock_monotonic_ns());
	write_waiting(p, UINT64_MAX);
	(void)pcap_poll(p);
	pcapng_end(p->file, END_MS);
}

struct pcap *pcap_close(struct pcap *p)
{
	if (!p)
		return NULL;
	pcap_finish(p); /* while sockets are still known */
	if (p->file)
		say_sums(p);
	(void)probe_packets_close(p->packets);
	(void)pcapng_free(p->file);
	buf_done(&p->queue);
	buf_done(&p->comment);
	free(p->path);
	free(p);
	return NULL;
}
