/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up traffic, and what views say of it. Behind cmocka.h. */
#ifndef UNIT_VIEW_MAKE_H
#define UNIT_VIEW_MAKE_H

#include "flow_make.h"

/* Three connections of two processes to two hosts over two interfaces. */
static inline void make_traffic(struct world *w)
{
	struct np_sock_rec rec = tcp_rec(1);

	rec.counts.tx_bytes = 1000;
	rec.tcp.srtt_us = 100;
	feed(w, &rec);
	rec = tcp_rec(2);
	rec.counts.tx_bytes = 200;
	rec.counts.rx_bytes = 50;
	rec.tcp.srtt_us = 300;
	rec.counts.retrans = 2;
	ipv4(rec.tuple.raddr, 3);
	feed(w, &rec);
	rec = tcp_rec(3);
	rec.counts.rx_bytes = 9000;
	rec.tcp.srtt_us = 200;
	rec.owner = rec.last = owner(101, "nginx");
	(void)strcpy(rec.tuple.ifname, "lo");
	rec.tuple.ifindex = 1;
	feed(w, &rec);
	world_tick(w, SECOND);
}

static inline struct view ask(struct world *w, struct view_query q)
{
	struct view view;

	assert_int_equal(viewer_query(w->viewer, &q, &view), 0);
	return view;
}

static inline const struct view_row *row_called(const struct view *view, const char *name)
{
	size_t i;

	for (i = 0; i < view->n_rows; i++)
		if (strcmp(view->rows[i].name, name) == 0)
			return &view->rows[i];
	return NULL;
}

#endif
