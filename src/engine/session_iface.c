/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface of a record that has none or one that is not wanted (see session_parts.h). */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "engine/session_parts.h"

bool session_keep(const struct session *s, struct np_sock_rec *rec)
{
	if (s->asks_routes || !flow_table_find(s->flows, rec->sock_id))
		return false;
	rec->tuple.ifindex = 0;
	memset(rec->tuple.ifname, 0, sizeof(rec->tuple.ifname));
	return true;
}

void session_learn_iface(struct session *s, struct np_tuple *t, uint32_t tgid)
{
	static const uint8_t none[16];
	const char *name;

	if (t->ifname[0] || (t->proto == IPPROTO_TCP && !s->asks_routes) ||
	    !memcmp(t->raddr, none, sizeof(none)))
		return;
	name = route_iface(s->routes, t->netns, tgid, t->raddr, s->now_ns, &t->ifindex);
	if (name)
		(void)snprintf(t->ifname, sizeof(t->ifname), "%s", name);
}

void session_synack_iface(struct session *s, struct np_sock_rec *rec)
{
	const char *name = route_iface(s->routes, rec->tuple.netns, rec->last.tgid,
				       rec->synack_raddr, s->now_ns, &rec->tuple.ifindex);

	if (name)
		(void)snprintf(rec->tuple.ifname, sizeof(rec->tuple.ifname), "%s", name);
}
