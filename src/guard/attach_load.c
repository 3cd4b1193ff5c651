/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guard's programs for one interface and way of attaching, loaded into the maps that are there; attached
 * they are elsewhere.
 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/attach.h"

#define XDP_HAS_FRAGS (1U << 5)

bool attach_wants_xdp(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR || a->opts->xdp != GUARD_XDP_GENERIC;
}

static bool can_cookies(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR && !a->opts->no_cookies &&
	       guard_cookie_helpers() == 1;
}

static int load_skel(struct attach *a, bool native, bool frags, bool cookies,
		     struct netprobe_guard **ret)
{
	struct netprobe_guard *s = netprobe_guard__open();
	struct utsname kernel;
	bool coarse =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) == 1;
	int r = s ? 0 : -errno;

	if (r)
		return r;
	s->rodata->cfg_mode = a->opts->mode;
	s->rodata->cfg_frags = frags;
	s->rodata->cfg_coarse = coarse;
	s->rodata->cfg_rx_at_xdp = native;
	s->rodata->cfg_rt = !uname(&kernel) && strstr(kernel.version, "PREEMPT_RT");
	s->rodata->cfg_flows = a->opts->flows;
	s->rodata->cfg_cookies = cookies;
	s->rodata->cfg_slot = a->slot;
	s->rodata->cfg_ifindex = (__u32)a->ifindex;
	if (frags)
		r = bpf_program__set_flags(s->progs.np_guard_xdp, XDP_HAS_FRAGS);
	if (frags && !r) /* as who calls it */
		r = bpf_program__set_flags(s->progs.np_guard_syn, XDP_HAS_FRAGS);
	(void)bpf_program__set_autoload(s->progs.np_guard_syn, cookies);
	(void)bpf_program__set_autoload(s->progs.np_guard_xdp, attach_wants_xdp(a));
	(void)bpf_program__set_expected_attach_type(s->progs.np_guard_in, TCX_INGRESS);
	(void)bpf_program__set_expected_attach_type(s->progs.np_guard_out, TCX_EGRESS);
	for (unsigned int i = 0; i < MAP_MAX && a->g->there && !r; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(s->obj, guard_map_names[i]);

		r = map ? bpf_map__reuse_fd(map, a->g->map[i]) : -ENOENT;
	}
	if (!r)
		r = netprobe_guard__load(s);
	if (r) {
		netprobe_guard__destroy(s);
		return r;
	}
	*ret = s;
	return 0;
}

int attach_load(struct attach *a, bool native)
{
	bool frags = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) ==
		     1;
	bool cookies = can_cookies(a);
	int r = load_skel(a, native, frags, cookies, &a->skel);

	if (r && r != -EPERM && cookies)
		r = load_skel(a, native, frags, false, &a->skel);
	if (r == -EPERM || r == -EACCES) {
		error_set(a->err, -EPERM, "the kernel does not let us load programs for %s",
			  a->ifname);
		error_hint(a->err,
			   "run as root: guard needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
		return -EPERM;
	}
	if (r)
		return error_set(a->err, r, "cannot load guard's programs for %s: %s", a->ifname,
				 strerror(-r));
	return 0;
}
