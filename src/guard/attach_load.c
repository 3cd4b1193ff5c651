/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guard's programs for one interface and way of attaching, loaded into the maps that are there; attached
 * they are elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/attach.h"

#define XDP_HAS_FRAGS (1U << 5)

bool attach_wants_xdp(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR || a->opts->xdp != NETPROBE_XDP_GENERIC;
}

static bool can_cookies(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR && !a->opts->no_cookies &&
	       guard_cookie_helpers() == 1;
}

static struct bpf_program *program(const struct netprobe_guard *s, unsigned int which)
{
	struct bpf_program *const programs[PROG_MAX] = {
		[PROG_XDP] = s->progs.np_guard_xdp,
		[PROG_SYN] = s->progs.np_guard_syn,
		[PROG_IN] = s->progs.np_guard_in,
		[PROG_OUT] = s->progs.np_guard_out,
	};

	return programs[which];
}

static void configure(const struct attach *a, struct netprobe_guard *s, bool native, bool cookies)
{
	struct utsname kernel;

	s->rodata->cfg_mode = a->opts->mode;
	s->rodata->cfg_frags = guard_helper(BPF_FUNC_xdp_get_buff_len) == 1;
	s->rodata->cfg_coarse = guard_helper(BPF_FUNC_ktime_get_coarse_ns) == 1;
	s->rodata->cfg_rx_at_xdp = native;
	s->rodata->cfg_rt = !uname(&kernel) && strstr(kernel.version, "PREEMPT_RT");
	s->rodata->cfg_flows = a->opts->flows;
	s->rodata->cfg_cookies = cookies;
	s->rodata->cfg_slot = a->slot;
	(void)bpf_program__set_autoload(s->progs.np_guard_syn, cookies);
	(void)bpf_program__set_autoload(s->progs.np_guard_xdp, attach_wants_xdp(a));
	(void)bpf_program__set_expected_attach_type(s->progs.np_guard_in, TCX_INGRESS);
	(void)bpf_program__set_expected_attach_type(s->progs.np_guard_out, TCX_EGRESS);
}

static int load_new(struct attach *a, struct netprobe_guard *s, int *ret_here)
{
	int r = 0;

	if (s->rodata->cfg_frags)
		r = bpf_program__set_flags(s->progs.np_guard_xdp, XDP_HAS_FRAGS);
	if (s->rodata->cfg_frags && !r) /* as who calls it */
		r = bpf_program__set_flags(s->progs.np_guard_syn, XDP_HAS_FRAGS);
	for (unsigned int i = 0; i < MAP_MAX && a->g->there && !r; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(s->obj, guard_map_names[i]);

		r = map ? bpf_map__reuse_fd(map, a->g->map[i]) : -ENOENT;
	}
	if (!r)
		r = netprobe_guard__load(s);
	for (unsigned int i = 0; i < PROG_MAX && !r; i++) {
		int fd = bpf_program__fd(program(s, i));

		a->prog[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd >= 0 && a->prog[i] < 0)
			r = -errno;
	}
	if (r)
		return r;
	*ret_here = fcntl(bpf_map__fd(s->maps.data_here), F_DUPFD_CLOEXEC, 3);
	return *ret_here < 0 ? -errno : 0;
}

/* Those that were kept, else new ones: what the verifier takes is nearly all of an attach. */
static int load_skel(struct attach *a, bool native, bool cookies)
{
	struct netprobe_guard *s = netprobe_guard__open();
	uint32_t ifindex = (uint32_t)a->ifindex;
	int here = -1, r = s ? 0 : -errno;

	attach_unload(a);
	if (r)
		return r;
	a->skel = s;
	for (unsigned int i = 0; i < PROG_MAX; i++)
		a->prog[i] = -1;
	a->cookies = cookies;
	configure(a, s, native, cookies);
	r = a->g->there ? kept_open(a, s, &here) : -ENOENT;
	if (r) {
		r = load_new(a, s, &here);
		if (!r)
			kept_put(a, s, here);
	}
	if (!r)
		r = bpf_map_update_elem(here, &(uint32_t){ 0 }, &ifindex, BPF_ANY);
	if (here >= 0)
		(void)close(here);
	if (r)
		attach_unload(a);
	return r;
}

void attach_unload(struct attach *a)
{
	if (a->skel)
		for (unsigned int i = 0; i < PROG_MAX; i++)
			if (a->prog[i] >= 0)
				(void)close(a->prog[i]);
	netprobe_guard__destroy(a->skel);
	a->skel = NULL;
}

int attach_load(struct attach *a, bool native)
{
	bool cookies = can_cookies(a);
	int r = load_skel(a, native, cookies);

	if (r && r != -EPERM && cookies)
		r = load_skel(a, native, false);
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
