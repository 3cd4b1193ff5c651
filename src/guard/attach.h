/* SPDX-License-Identifier: BSD-2-Clause */
/* What attaching to an interface hands from step to step. */
#ifndef NETPROBE_GUARD_ATTACH_H
#define NETPROBE_GUARD_ATTACH_H

#include "guard/internal.h"
#include "guard.skel.h"

/* Programs of an interface. */
#define PROG_XDP 0
#define PROG_SYN 1
#define PROG_IN 2
#define PROG_OUT 3
#define PROG_MAX 4

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
	/* On it still, and to be taken off before other programs go on. */
	const struct np_guard_if *old;
	uint64_t off_ns, gap_ns;     /* since when nothing is filtered; how long that was */
	struct netprobe_guard *skel; /* loaded only where the programs are none that were kept */
	int prog[PROG_MAX];	     /* -1 none */
	bool cookies;		     /* PROG_SYN answers */
	char *note;
	size_t note_size;
	struct netprobe_error *err;
};

/* link.c: bpf_links, by what they are for ("xdp", "in", "out") and interface. */
int link_pin(struct attach *a, int fd, const char *what);
/* Another program in the place of the pinned link's, in one step. *ret_old: the one of before. */
int link_exchange(struct attach *a, int prog_fd, const char *what, int *ret_old);
/* Whether the link is at a device still, of whatever namespace and number. */
bool link_lives(struct guard *g, const char *what, uint32_t ifindex);
bool link_is_on(struct guard *g, const char *what, uint32_t ifindex);
void link_remove(struct guard *g, const char *what, uint32_t ifindex);

/* attach_tc.c: both directions by TCX or clsact. */
int tc_put(struct attach *a);
int tc_exchange(struct attach *a);
void tc_take(struct guard *g, const struct np_guard_if *at);

/* attach_load.c: the programs as the options and the kernel want them, into a->prog. */
bool attach_wants_xdp(const struct attach *a);
int attach_load(struct attach *a, bool native);
void attach_unload(struct attach *a);

/*
 * kept.c: the verifier's time is nearly all that an attach takes, so programs stay pinned for the next one that wants the
 * same in that slot. skel: open, with all that its programs depend on. *ret_here: the map of st_ifindex; 0 or -ENOENT.
 */
int kept_open(struct attach *a, const struct netprobe_guard *skel, int *ret_here);
void kept_put(struct attach *a, const struct netprobe_guard *skel, int here);
/* Of slots that no interface has. */
void kept_tidy(struct guard *g);

/* attach_swap.c: what is on is changed. Whether it can stay, with other programs in it. */
bool attach_can_exchange(const struct attach *a, const struct np_guard_if *old);
int attach_exchange(struct attach *a, const struct np_guard_if *old);
/* How an interface was attached. */
void attach_opts_of(const struct np_guard_if *at, struct guard_attach_opts *ret);
/* After a change that did not work, which is returned: as before. */
int attach_undo(struct attach *a, const struct np_guard_if *old, int r);
/*
 * Programs off the interface; its slot, and who comes behind the filter, stay. The kernel takes native and generic XDP
 * only one after the other: how long nothing is filtered then is measured and said.
 */
#define ATTACH_GAP "nothing was filtered for %.1f ms, between the old programs and the new ones"
void attach_take_off(struct attach *a);
void attach_filters_again(struct attach *a);

/* attach_own.c: whether it is a program of guard's; those at an interface that came from another namespace go. */
bool attach_is_own(uint32_t prog_id);
int attach_take_own(uint32_t ifindex, uint32_t xdp_id);

/* follow.c: guard is on ifname now; what was kept for one of that name that went (not elsewhere) goes, who came behind it moves. */
void attach_replaces(struct guard *g, const char *ifname);

/* attach.c; attach_again: as it was attached before it went. */
int attach_again(struct guard *g, const struct np_guard_if *at, struct netprobe_error *err);
void attach_note(struct attach *a, const char *text);
uint32_t attach_prog_id(int fd);
/* Whether guard sends anything at an interface of that mode; and whether native XDP there loses it, and why. */
bool attach_has_to_send(struct guard *g, uint8_t mode);
bool attach_loses(const struct attach *a, char *why, size_t size);
void attach_mode(struct attach *a);
/* Who answers SYNs behind the filter that was loaded with it. */
int attach_syn(struct attach *a);
int attach_put_on(struct attach *a);
void attach_forget(struct guard *g, uint32_t slot, const struct np_guard_if *at);
/* What is known of the interface so far, for who comes after a crash. */
int attach_record(struct attach *a);

#endif
