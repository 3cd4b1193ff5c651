/* SPDX-License-Identifier: BSD-2-Clause */
/* What attaching to an interface hands from step to step. */
#ifndef NETPROBE_GUARD_ATTACH_H
#define NETPROBE_GUARD_ATTACH_H

#include "guard/internal.h"
#include "guard.skel.h"

/* libbpf 1.1 knows no TCX (kernel 6.6). */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

struct attach {
	struct guard *g;
	const struct guard_attach_opts *opts;
	const char *ifname;
	int ifindex;
	uint32_t slot;
	struct np_guard_if at;
	bool begun; /* its slot is taken */
	struct netprobe_guard *skel;
	char *note;
	size_t note_size;
	struct netprobe_error *err;
};

/* link.c: bpf_links, by what they are for ("xdp", "in", "out") and interface. */
int link_pin(struct attach *a, int fd, const char *what);
/* Another program in the place of the pinned link's, in one step. *ret_old: the one of before. */
int link_exchange(struct attach *a, int prog_fd, const char *what, int *ret_old);
bool link_is_on(struct guard *g, const char *what, uint32_t ifindex);
void link_remove(struct guard *g, const char *what, uint32_t ifindex);

/* attach_tc.c: both directions by TCX or clsact. */
int tc_put(struct attach *a);
int tc_exchange(struct attach *a);
void tc_take(struct guard *g, const struct np_guard_if *at);

/* How an interface was attached. */
void attach_opts_of(const struct np_guard_if *at, struct guard_attach_opts *ret);
/* What is known of the interface so far, for who comes after a crash. */
int attach_record(struct attach *a);

#endif
