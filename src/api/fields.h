/* SPDX-License-Identifier: BSD-2-Clause */
/* What expressions find in rows, sockets and records. */
#ifndef NETPROBE_API_FIELDS_H
#define NETPROBE_API_FIELDS_H

#include <netprobe/netprobe.h>

#include "api/json_find.h"
#include "expr/expr.h"

/* about: NETPROBE_VIEW_*, NETPROBE_ABOUT_*; NULL: there is none. */
const struct expr_schema *fields_about(uint32_t about);
/* The record of NETPROBE_VIEW_*, and of NETPROBE_ABOUT_FLOW with row NULL. */
struct fields_record {
	const struct netprobe_row *row;
	const struct netprobe_flow *flow; /* NULL: none */
};

/* The record of NETPROBE_ABOUT_EVENT. */
struct fields_event {
	const char *json;
	struct json_index index; /* of json */
	struct buf text;	 /* room */
};
const struct expr_schema *fields_about_event(void);

#endif
