/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections between the same ends, one after the other, of which ends and beginnings may have been missed: when does the
 * later one begin? Its SYN has another number than the one before, and so has what anybody forges: it is kept until an
 * end answers. Pure.
 */
#ifndef NETPROBE_CAPTURE_AGAIN_H
#define NETPROBE_CAPTURE_AGAIN_H

#include "capture/wire.h"

/* p, which end from sends, is a SYN of another connection than f. */
bool again_is_of(const struct wire_flow *f, unsigned int from, const struct packet *p);
/* It is: until it is answered it counts for nothing. */
void again_keep(struct wire_flow *f, unsigned int from, const struct packet *p);
/* Does p say that the SYN that was kept has begun a connection? */
bool again_is_answer(const struct wire_flow *f, unsigned int from, const struct packet *p);
/* Would p go on from the SYN that was kept, and not from what this end sent before? */
bool again_may_be(const struct wire_flow *f, unsigned int from, const struct packet *p);
/* Of f nothing was seen but one end that asks. */
bool again_only_asks(const struct wire_flow *f);
/* The new flow f begins with the SYN s, whose sender was before; p answers. */
void again_begin(struct wire_flow *f, const struct wire_syn *s, const struct wire_dir *before,
		 const struct packet *p);
/* The same for one that only asked: its packets and retransmits are the same end's. */
void again_restart(struct wire_flow *f, const struct packet *p);

#endif
