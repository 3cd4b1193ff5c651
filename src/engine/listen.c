/* SPDX-License-Identifier: BSD-2-Clause */
/* See listen.h. */
#include "engine/listen.h"

#include <stdio.h>

#include "flow/reason.h"

const char *listen_reason(uint32_t limits)
{
	/* With both full it is the accept queue: connections wait half open until there is room in it. */
	if (limits & NP_TCP_ACCEPT_FULL)
		return "LISTEN_OVERFLOW";
	return limits & NP_TCP_SYN_FULL ? "SYN_QUEUE_FULL" : "LISTEN_DROP";
}

void listen_event(struct event *ev, struct event_drop *d, struct np_tuple *where,
		  const struct flow *f, const struct flow_delta *delta)
{
	*where = f->tuple;
	*d = (struct event_drop){ .reason = listen_reason(delta->listen_limits),
				  .kind = drop_kind_name(NETPROBE_DROP_LOSS),
				  .packets = delta->listen_drops,
				  .suppressed = delta->listen_drops - 1 };
	*ev = (struct event){ .kind = EVENT_DROP,
			      .num = (double)delta->listen_drops,
			      .unit = "packets",
			      .has_owner_field = true,
			      .owner = f->last,
			      .owner_match = f->last->tgid ? f->last_match : NP_MATCH_NONE,
			      .tid = f->last_tid,
			      .tuple = where,
			      .sock_id = f->sock_id,
			      .direction = "rx",
			      .drop = d };
	(void)snprintf(ev->value, sizeof(ev->value), "DROP:%s", d->reason);
	if (f->tuple.flags & NP_F_OWNID)
		(void)snprintf(ev->entity_id, sizeof(ev->entity_id), "socket-x%llx",
			       (unsigned long long)(f->sock_id & ~(1ULL << 62)));
	else
		(void)snprintf(ev->entity_id, sizeof(ev->entity_id), "socket-%llu",
			       (unsigned long long)f->sock_id);
}
