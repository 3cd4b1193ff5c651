/* SPDX-License-Identifier: BSD-2-Clause */
/* tc at both sides of an interface: pinned TCX links, or, before 6.6, filters in a clsact qdisc. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/attach.h"
#include "guard/device.h"

#define CLSACT_HANDLE 0x6e70 /* "np" */
#define CLSACT_PRIORITY 0x6e70

static int attach_clsact_one(struct attach *a, int prog, int point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = a->ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = prog, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &o);
}

/* XDP in the driver counts what comes in; behind it tc does. */
static bool counts_at_tc(const struct attach *a)
{
	return a->at.xdp != NP_GUARD_XDP_NATIVE;
}

static int attach_clsact(struct attach *a)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = a->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int r;

	/* Written down before it is done: who dies here leaves a qdisc that the next detach takes. */
	if (!(a->at.flags & NP_GUARD_IF_OWN_CLSACT) && !device_has_clsact(a->ifindex))
		a->at.flags |= NP_GUARD_IF_OWN_CLSACT;
	a->at.tc = NP_GUARD_TC_CLSACT;
	r = attach_record(a);
	if (!r)
		r = bpf_tc_hook_create(&hook);
	if (r && r != -EEXIST)
		return r;
	if (counts_at_tc(a))
		r = attach_clsact_one(a, a->prog[PROG_IN], BPF_TC_INGRESS);
	else
		r = 0;
	if (!r)
		r = attach_clsact_one(a, a->prog[PROG_OUT], BPF_TC_EGRESS);
	return r;
}

void tc_take(struct guard *g, const struct np_guard_if *at)
{
	static const enum bpf_tc_attach_point points[] = { BPF_TC_INGRESS, BPF_TC_EGRESS };

	link_remove(g, "in", at->ifindex);
	link_remove(g, "out", at->ifindex);
	if (at->tc != NP_GUARD_TC_CLSACT)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)at->ifindex,
			    .attach_point = points[i]);
		LIBBPF_OPTS(bpf_tc_opts, o, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

		(void)bpf_tc_detach(&hook, &o);
	}
	/* Others may have put filters of their own into it. */
	if ((at->flags & NP_GUARD_IF_OWN_CLSACT) && !device_has_filters((int)at->ifindex)) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)at->ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		(void)bpf_tc_hook_destroy(&hook);
	}
}

/* TCX at one side, pinned. -EINVAL: not on this kernel. */
static int attach_tcx(struct attach *a, int prog, int type, const char *what)
{
	int fd = bpf_link_create(prog, a->ifindex, (enum bpf_attach_type)type, NULL);

	return link_pin(a, fd, what);
}

int tc_put(struct attach *a)
{
	int r = a->opts->clsact ? -EOPNOTSUPP : attach_tcx(a, a->prog[PROG_OUT], TCX_EGRESS, "out");

	if (r) {
		r = attach_clsact(a);
	} else {
		a->at.tc = NP_GUARD_TC_TCX;
		if (counts_at_tc(a))
			r = attach_tcx(a, a->prog[PROG_IN], TCX_INGRESS, "in");
	}
	if (r)
		return error_set(a->err, r, "%s takes no tc program: %s", a->ifname, strerror(-r));
	return 0;
}

/* Programs of another load in the place of those that are there: no packet goes uncounted. */
int tc_exchange(struct attach *a)
{
	int r, old = -1;

	if (a->at.tc == NP_GUARD_TC_CLSACT) {
		r = attach_clsact(a);
	} else {
		r = link_exchange(a, a->prog[PROG_OUT], "out", &old);
		if (old >= 0)
			(void)close(old);
		if (!r && counts_at_tc(a)) {
			r = link_exchange(a, a->prog[PROG_IN], "in", &old);
			if (!r)
				(void)close(old);
		}
	}
	if (r)
		return error_set(a->err, r, "%s takes no other tc program: %s", a->ifname,
				 strerror(-r));
	return 0;
}
