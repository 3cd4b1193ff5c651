/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other programs in the place of guard's own: link by link where what is there can stay, so that the
 * filter never pauses; and back to what was, where another kind did not go on.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard/attach.h"

/* Whether what is there can stay, with other programs in it; else it is taken off first. */
bool attach_can_exchange(const struct attach *a, const struct np_guard_if *old)
{
	const struct guard_attach_opts *o = a->opts;
	bool counts = old->xdp != NP_GUARD_XDP_NATIVE;
	char why[256];

	if (o->mode == NP_GUARD_MONITOR && old->xdp != NP_GUARD_XDP_NATIVE) {
		if (o->xdp != NETPROBE_XDP_GENERIC || old->xdp != NP_GUARD_XDP_NONE)
			return false;
	} else if (old->xdp == NP_GUARD_XDP_NONE ||
		   (o->xdp == NETPROBE_XDP_NATIVE && old->xdp != NP_GUARD_XDP_NATIVE) ||
		   (o->xdp == NETPROBE_XDP_GENERIC && old->xdp != NP_GUARD_XDP_GENERIC)) {
		return false;
	}
	if (old->xdp == NP_GUARD_XDP_NATIVE && o->xdp == NETPROBE_XDP_AUTO &&
	    attach_loses(a, why, sizeof(why)))
		return false;
	if (old->xdp != NP_GUARD_XDP_NONE && !link_is_on(a->g, "xdp", old->ifindex))
		return false;
	if (old->tc == NP_GUARD_TC_CLSACT)
		return true;
	return !o->clsact && old->tc == NP_GUARD_TC_TCX && link_is_on(a->g, "out", old->ifindex) &&
	       (!counts || link_is_on(a->g, "in", old->ifindex));
}

/* Link by link; each packet meets the old program or the new one. Counters go on. */
int attach_exchange(struct attach *a, const struct np_guard_if *old)
{
	int r = attach_load(a, old->xdp == NP_GUARD_XDP_NATIVE), was = -1;

	if (r)
		return r;
	a->at = *old;
	/* It may have another name by now. */
	memset(a->at.name, 0, sizeof(a->at.name));
	(void)strncpy(a->at.name, a->ifname, sizeof(a->at.name) - 1);
	attach_mode(a);
	r = attach_syn(a);
	if (r)
		return error_set(a->err, r, "%s: cannot chain a program: %s", a->ifname,
				 strerror(-r));
	if (old->xdp != NP_GUARD_XDP_NONE) {
		int fd = a->prog[PROG_XDP];

		r = link_exchange(a, fd, "xdp", &was);
		if (r)
			return error_set(a->err, r, "%s takes no other XDP program: %s", a->ifname,
					 strerror(-r));
		a->at.xdp_id = attach_prog_id(fd);
	}
	r = tc_exchange(a);
	if (!r)
		r = attach_record(a);
	if (r && was >= 0) {
		int ours = -1;

		/* The maps are the same: tc of the new load beside XDP of the old one is no harm. */
		if (!link_exchange(a, was, "xdp", &ours))
			(void)close(ours);
	}
	if (was >= 0)
		(void)close(was);
	if (!r && old->xdp == NP_GUARD_XDP_GENERIC && a->opts->xdp == NETPROBE_XDP_AUTO)
		attach_note(
			a, "XDP stays generic, so that the filter does not pause; detach first, or "
			   "netprobe_config.xdp_mode NETPROBE_XDP_NATIVE, to try the driver's");
	return r;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void attach_take_off(struct attach *a)
{
	const struct np_guard_if *old = a->old;

	if (old->xdp != NP_GUARD_XDP_NONE && old->mode != NP_GUARD_MONITOR &&
	    a->opts->mode != NP_GUARD_MONITOR && link_is_on(a->g, "xdp", old->ifindex))
		a->off_ns = now_ns();
	link_remove(a->g, "xdp", old->ifindex);
	tc_take(a->g, old);
	a->old = NULL;
}

void attach_filters_again(struct attach *a)
{
	if (a->off_ns)
		a->gap_ns = now_ns() - a->off_ns;
}

void attach_opts_of(const struct np_guard_if *at, struct guard_attach_opts *ret)
{
	*ret = (struct guard_attach_opts){
		.mode = at->mode,
		.xdp = at->flags & NP_GUARD_IF_NATIVE	? NETPROBE_XDP_NATIVE
		       : at->xdp == NP_GUARD_XDP_NATIVE ? NETPROBE_XDP_AUTO
							: NETPROBE_XDP_GENERIC,
		.flows = at->flags & NP_GUARD_IF_FLOWS,
		.no_cookies = !(at->flags & NP_GUARD_IF_COOKIES),
		.clsact = at->tc == NP_GUARD_TC_CLSACT,
	};
}

/* As it was, after a change that did not work: the filter is off for that moment, not for good. */
static void put_back(struct attach *a, const struct np_guard_if *old)
{
	struct guard_attach_opts opts;
	struct attach again = { .g = a->g,
				.opts = &opts,
				.ifname = a->ifname,
				.ifindex = a->ifindex,
				.slot = a->slot,
				.off_ns = a->off_ns,
				.note = (char[256]){},
				.note_size = 256 };

	attach_opts_of(old, &opts);
	if (attach_put_on(&again))
		attach_forget(a->g, a->slot, old);
	a->gap_ns = again.gap_ns;
	attach_unload(&again);
}

int attach_undo(struct attach *a, const struct np_guard_if *old, int r)
{
	if (!a->g->there || a->old)
		return r;
	a->at.ifindex = (uint32_t)a->ifindex;
	if (!old->ifindex) {
		attach_forget(a->g, a->slot, &a->at);
		return r;
	}
	link_remove(a->g, "xdp", a->at.ifindex);
	tc_take(a->g, &a->at);
	put_back(a, old);
	if (a->gap_ns)
		error_prefix(a->err, "nothing was filtered for %.1f ms", (double)a->gap_ns / 1e6);
	return r;
}
