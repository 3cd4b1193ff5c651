/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A viewer made of rows a test wrote down: stands in for the library's manager, so that the live view is
 * tested without a capture. Links instead of it, never beside it.
 */
#ifndef NETPROBE_TESTS_TUI_FAKE_H
#define NETPROBE_TESTS_TUI_FAKE_H

#include <netprobe/netprobe.h>

#include "flow/view.h"

#define FAKE_ROWS 200
#define FAKE_THINGS 200

struct viewer {
	struct view_row rows[NETPROBE_VIEW_MAX][FAKE_ROWS];
	size_t n[NETPROBE_VIEW_MAX];
	struct history total;
	float tx_rate, rx_rate, inside_rate;
	uint64_t tx_bytes, rx_bytes, retrans;
	uint32_t conns, processes;
	/* what rows point at */
	struct process proc[FAKE_THINGS];
	struct flow flow[FAKE_THINGS];
	struct flow_tcp tcp[FAKE_THINGS];
	struct cgroup cgroup[FAKE_THINGS];
	struct history history[FAKE_THINGS];
	size_t n_proc, n_flow, n_cgroup, n_history;
	unsigned int queries;
	bool watched;	/* netprobe_manager_watch_health() */
	size_t n_total; /* said instead of the real figure when not 0 */
	int fail;	/* returned by the next queries when not 0 */
};

/* The same as the view takes it. */
static inline struct netprobe_manager *fake_manager(struct viewer *v)
{
	return (struct netprobe_manager *)v;
}

struct viewer *fake_new(void);
void fake_free(struct viewer *v);
/* Each returns the row made, to be filled further. */
struct view_row *fake_row(struct viewer *v, uint8_t kind, const char *name, float tx, float rx);
struct view_row *fake_process(struct viewer *v, const char *comm, uint32_t tgid, float tx,
			      float rx);
struct view_row *fake_container(struct viewer *v, const char *path, const char *id, float tx,
				float rx);
/* IPv4 as "10.0.0.1", else IPv6. proc is the row of a process or NULL. */
struct view_row *fake_connection(struct viewer *v, const struct view_row *proc, const char *laddr,
				 uint16_t lport, const char *raddr, uint16_t rport, float tx,
				 float rx);
/* The kernel's figures of a connection's row, to be filled. */
struct flow_tcp *fake_tcp(struct viewer *v, struct view_row *row);
/* Those of a connection that moves, over a way of 20 ms. */
void fake_figures(struct flow_tcp *t);
struct view_row *fake_remote(struct viewer *v, const char *addr, float tx, float rx);
/* n samples: peak times a fixed shape, newest last. */
struct history *fake_history(struct viewer *v, uint32_t n, float peak);
void fake_shape(struct history *h, uint32_t n, float peak);

#endif
