/* SPDX-License-Identifier: BSD-2-Clause */
/* struct socks, shared by the two files that make it up. */
#ifndef NETPROBE_CAPTURE_SOCKS_INTERNAL_H
#define NETPROBE_CAPTURE_SOCKS_INTERNAL_H

#include "capture/gone.h"
#include "capture/socks.h"

struct socks {
	struct socks_opts opts;
	struct np_filter filter;
	struct cgroup_table *cgroups;
	struct procfs *procfs;
	struct gone *gone;
	struct index mains; /* MPTCP connections, by token */
	uint64_t main_ids;
	struct index by_cookie, by_tuple;
	int ask_fd, watch_fd;
	uint32_t netns, gen;
	bool seeding, mptcp_noted;
	bool final; /* nothing is waited for any more */
	uint64_t now_ns, scan_at_ns;
	uint64_t look_ns, look_left_ns; /* last look; processor time that looks may take */
	struct sock *ended, **ended_tail;
	uint32_t wanted; /* inodes asked for since the last walk over /proc */
	uint8_t listening[65536 / 8];
	struct np_ev_sock *events;
	uint32_t n_events, cap_events;
	struct np_loss loss;
	uint64_t second_ns;
	uint32_t second_events;
	char note[192];
};

uint64_t socks_clock(void); /* CLOCK_MONOTONIC */
uint64_t socks_cookie_hash(const struct index_node *node);
uint64_t socks_tuple_hash(const struct index_node *node);
bool socks_same_ends(const struct np_tuple *a, const struct np_tuple *b);
void socks_drop(struct socks *s, struct sock *k);
/* Every socket of an index; fn may drop the one it is given. */
void socks_each(struct socks *s, void (*fn)(struct socks *s, struct sock *k, void *arg), void *arg);

#endif
