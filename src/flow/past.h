/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What flows had moved when the sums of views began anew. Counters of sockets are the kernel's and go on; what they had
 * by then is taken off wherever a flow is shown, or summed up for a drill. What they met with is health.c's.
 */
#ifndef NETPROBE_FLOW_PAST_H
#define NETPROBE_FLOW_PAST_H

#include "flow/group.h"

struct pasts {
	struct index by_serial; /* no slots: sums never began anew */
};

void pasts_done(struct pasts *p);
/* Of all flows that moved anything, as of now. -ENOMEM: nothing was changed. */
int pasts_take(struct pasts *p, struct flow_table *flows);
/* Take off what f had moved: bytes, retransmits and segments (tx_pkts) of sums. */
void past_off_sums(const struct pasts *p, const struct flow *f, struct flow_delta *sums);

#endif
