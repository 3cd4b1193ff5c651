/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection between the ends of another one (see again.h). */
#include "capture/again.h"

#include <netinet/in.h>

/* Bytes: what a connection may have sent until its first acknowledgement is seen. */
#define NEAR (1 << 20)

/* Sent from where that end's segments come from: what others send in its name comes from elsewhere. */
static bool is_from_there(const struct wire_dir *d, const struct packet *p)
{
	return !d->valid || d->ifindex != p->ifindex || d->out == (p->pkttype == WIRE_OUTGOING);
}

/* A connection that is open has one number that it begins with: nobody takes a SYN with another one. */
bool again_is_of(const struct wire_flow *f, unsigned int from, const struct packet *p)
{
	const struct wire_dir *d = &f->dir[from], *other = &f->dir[!from];

	if (p->proto != IPPROTO_TCP || (p->tcp_flags & (PACKET_SYN | PACKET_RST)) != PACKET_SYN)
		return false;
	return d->valid ? !d->syn || p->seq != d->isn : other->valid && !other->syn;
}

/* Nothing was seen but one end that asks. */
bool again_only_asks(const struct wire_flow *f)
{
	return !f->dir[0].bytes && !f->dir[1].bytes && f->dir[0].valid != f->dir[1].valid;
}

/* It waits for an answer: its receiver takes it where the connection before is gone, and else says what it waits for. */
void again_keep(struct wire_flow *f, unsigned int from, const struct packet *p)
{
	struct wire_syn *s = &f->another;
	struct wire_dir *d = &f->dir[from];
	bool again = s->used && s->from == from && s->isn == p->seq;

	if (!is_from_there(d, p) || (again && s->ifindex != p->ifindex))
		return;
	if (!again)
		*s = (struct wire_syn){ .used = true,
					.has_ack = p->tcp_flags & PACKET_ACK,
					.from = (uint8_t)from,
					.ns = p->ktime_ns,
					.isn = p->seq,
					.ack = p->ack,
					.payload = p->payload_len,
					.ifindex = p->ifindex,
					.scale = p->scale };
	if (again_only_asks(f)) {
		d->packets += p->segments;
		d->retrans += again ? p->segments : 0;
		d->last_ns = f->last_ns = p->ktime_ns;
		f->dirty = true;
	} else if (s->packets < UINT16_MAX) {
		s->packets++;
		s->again += again;
	}
}

/* Is this what no end of the connection before would send? */
static bool is_beyond(const struct wire_dir *d, uint32_t seq)
{
	return !d->valid || !d->has_edge || (int32_t)(seq - d->edge) > 0 ||
	       (int32_t)(seq - d->next) < -NEAR;
}

/*
 * Does p say that the SYN that was kept has begun a connection? Its receiver acknowledges it; where all that one sends is
 * missed, its sender goes on from it.
 */
bool again_is_answer(const struct wire_flow *f, unsigned int from, const struct packet *p)
{
	const struct wire_syn *s = &f->another;
	const struct wire_dir *d = &f->dir[s->from];
	bool syn = p->tcp_flags & PACKET_SYN;
	uint32_t off = p->ack - s->isn;

	if (!s->used || !(p->tcp_flags & PACKET_ACK) || (p->tcp_flags & PACKET_RST) ||
	    !is_from_there(&f->dir[from], p))
		return false;
	if (from == s->from)
		return !s->has_ack && !f->dir[!from].valid && !syn && p->seq == s->isn + 1;
	if (s->has_ack)
		return !syn && off == 1 && p->seq == s->ack;
	if (syn)
		return off >= 1 && off - 1 <= s->payload;
	if (off >= 1 && off <= NEAR && is_beyond(&f->dir[from], p->seq))
		return true; /* the answer itself was missed */
	return d->has_far && (int32_t)(s->isn - d->next) >= 0 && (int32_t)(p->ack - s->isn) > 0 &&
	       (int32_t)(p->ack - d->far) <= 0;
}

/* Would it go on from the SYN that was kept, and not from what this end sent before? Which of them is it, the answer tells. */
bool again_may_be(const struct wire_flow *f, unsigned int from, const struct packet *p)
{
	const struct wire_syn *s = &f->another;

	return s->used && s->from == from && p->seq - s->isn <= NEAR &&
	       (int32_t)(p->seq - f->dir[from].next) < -NEAR;
}

/* The flow f begins with the SYN that was kept; ack: how much of it was taken. */
void again_begin(struct wire_flow *f, const struct wire_syn *s, const struct wire_dir *before,
		 const struct packet *p)
{
	uint32_t off = p->ack - s->isn;
	uint32_t taken = p->tcp_flags & PACKET_SYN && !s->has_ack ? off - 1 : 0;
	struct wire_dir d = { .ifindex = s->ifindex,
			      .valid = true,
			      .syn = true,
			      .out = before->out,
			      .isn = s->isn,
			      .next = s->isn + 1 + taken,
			      .bytes = taken,
			      .packets = s->packets,
			      .retrans = s->again,
			      .scales = s->scale != PACKET_NO_SCALE,
			      .scale = s->scale,
			      .moved_ns = s->ns,
			      .last_ns = s->ns,
			      .rtt_wait = !s->again,
			      .rtt_seq = s->isn + 1,
			      .rtt_ns = s->ns };

	if (before->has_far && (int32_t)(before->far - d.next) > 0) {
		d.has_far = true;
		d.far = before->far;
		d.far_fin = before->far_fin;
	}
	f->first = s->has_ack ? !s->from : s->from;
	f->opened_ns = s->has_ack ? 0 : s->ns;
	f->first_ns = s->ns;
	f->dir[s->from] = d;
}

/* The same, where all that was there was an end that asked: its packets and retransmits are the same end's. */
void again_restart(struct wire_flow *f, const struct packet *p)
{
	struct wire_syn s = f->another;
	struct wire_dir before = f->dir[s.from];

	s.packets = 0;
	f->another.used = false;
	f->established_ns = 0;
	again_begin(f, &s, &before, p);
	f->dir[s.from].packets += before.packets;
	f->dir[s.from].retrans += before.retrans;
}
