/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of interfaces that are not wanted (see session_parts.h). */
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
