/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on and off an interface. What is there already is exchanged in its place, link by link, so
 * that the filter never pauses; only another kind of XDP has to be taken off first.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "guard/attach.h"
#include "guard/device.h"

#define XDP_HAS_FRAGS (1U << 5)

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static void add_note(struct attach *a, const char *text)
{
	size_t n = strlen(a->note);

	(void)snprintf(a->note + n, a->note_size - n, "%s%s", n ? "; " : "", text);
}

static int find_slot(struct guard *g, uint32_t ifindex, const char *name, uint32_t *ret_slot,
		     struct np_guard_if *ret_at)
{
	for (uint32_t i = 0; i < NP_GUARD_IFS; i++) {
		struct np_guard_if at;

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &i, &at) || !at.ifindex)
			continue;
		if (ifindex ? at.ifindex != ifindex : strncmp(at.name, name, sizeof(at.name)) != 0)
			continue;
		*ret_slot = i;
		*ret_at = at;
		return 0;
	}
	return -ENOENT;
}

static int free_slot(struct guard *g, uint32_t *ret_slot)
{
	for (uint32_t i = 0; i < NP_GUARD_IFS; i++) {
		struct np_guard_if at;

		if (!bpf_map_lookup_elem(g->map[MAP_IFS], &i, &at) && !at.ifindex) {
			*ret_slot = i;
			return 0;
		}
	}
	return -ENOSPC;
}

static bool wants_xdp(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR || a->opts->xdp != GUARD_XDP_GENERIC;
}

/* A program of somebody else: never replaced, but named. */
static int refuse_foreign(struct attach *a)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info), id;
	int fd, r = bpf_xdp_query(a->ifindex, 0, &q);

	if (r)
		return error_set(a->err, r, "%s: cannot ask for its XDP program: %s", a->ifname,
				 strerror(-r));
	id = q.drv_prog_id ?: q.skb_prog_id ?: q.hw_prog_id ?: q.prog_id;
	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		error_set(a->err, -EBUSY,
			  "%s has the XDP program %u (%s, tag %02x%02x%02x%02x%02x%02x%02x%02x), "
			  "which is not guard's",
			  a->ifname, id, info.name[0] ? info.name : "no name", info.tag[0],
			  info.tag[1], info.tag[2], info.tag[3], info.tag[4], info.tag[5],
			  info.tag[6], info.tag[7]);
	else
		error_set(a->err, -EBUSY, "%s has the XDP program %u, which is not guard's",
			  a->ifname, id);
	error_hint(a->err, "take it off first (ip link set dev %s xdp off, or its own tool)",
		   a->ifname);
	if (fd >= 0)
		(void)close(fd);
	return -EBUSY;
}

/* The helper that checks cookies is the last one of what is needed. */
static bool can_cookies(const struct attach *a)
{
	return a->opts->mode != NP_GUARD_MONITOR && !a->opts->no_cookies &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_raw_check_syncookie_ipv4,
				       NULL) == 1;
}

static int load_skel(struct attach *a, bool native, bool frags, bool in_place, bool cookies,
		     struct netprobe_guard **ret)
{
	struct netprobe_guard *s = netprobe_guard__open();
	bool coarse =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) == 1;
	int r = s ? 0 : -errno;

	if (r)
		return r;
	s->rodata->cfg_mode = a->opts->mode;
	s->rodata->cfg_frags = frags;
	s->rodata->cfg_inline = in_place;
	s->rodata->cfg_coarse = coarse;
	s->rodata->cfg_rx_at_xdp = native;
	s->rodata->cfg_flows = a->opts->flows;
	s->rodata->cfg_cookies = cookies;
	s->rodata->cfg_mtu = device_mtu(a->ifname);
	s->rodata->cfg_slot = a->slot;
	s->rodata->cfg_ifindex = (__u32)a->ifindex;
	if (frags)
		r = bpf_program__set_flags(s->progs.np_guard_xdp, XDP_HAS_FRAGS);
	if (frags && !r) /* as who calls it */
		r = bpf_program__set_flags(s->progs.np_guard_syn, XDP_HAS_FRAGS);
	(void)bpf_program__set_autoload(s->progs.np_guard_syn, cookies);
	(void)bpf_program__set_autoload(s->progs.np_guard_xdp, wants_xdp(a));
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

static int load(struct attach *a, bool native)
{
	bool frags = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) ==
		     1;
	bool cookies = can_cookies(a);
	int r = load_skel(a, native, frags, true, cookies, &a->skel);

	/* An older verifier may find it too long. */
	if (r && r != -EPERM)
		r = load_skel(a, native, frags, false, cookies, &a->skel);
	if (r && r != -EPERM && cookies)
		r = load_skel(a, native, frags, false, false, &a->skel);
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

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int link_xdp(struct attach *a, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, o,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int r, fd = bpf_program__fd(a->skel->progs.np_guard_xdp);

	r = link_pin(a, bpf_link_create(fd, a->ifindex, BPF_XDP, &o), "xdp");
	if (r)
		return r;
	a->at.xdp = native ? NP_GUARD_XDP_NATIVE : NP_GUARD_XDP_GENERIC;
	a->at.xdp_id = program_id(fd);
	return 0;
}

/* Who answers SYNs behind the filter that was loaded with it. */
static int put_syn(struct attach *a)
{
	uint32_t slot = NP_GUARD_NEXT_COOKIE + a->slot;
	int fd = bpf_program__fd(a->skel->progs.np_guard_syn);

	if (a->skel->rodata->cfg_cookies)
		return bpf_map_update_elem(a->g->map[MAP_NEXT], &slot, &fd, BPF_ANY);
	(void)bpf_map_delete_elem(a->g->map[MAP_NEXT], &slot);
	return 0;
}

int attach_record(struct attach *a)
{
	return bpf_map_update_elem(a->g->map[MAP_IFS], &a->slot, &a->at, BPF_ANY);
}

static void set_mode(struct attach *a)
{
	a->at.mode = a->opts->mode;
	a->at.flags &= (__u8) ~(NP_GUARD_IF_FLOWS | NP_GUARD_IF_COOKIES);
	if (a->skel->rodata->cfg_cookies)
		a->at.flags |= NP_GUARD_IF_COOKIES;
	if (a->opts->flows)
		a->at.flags |= NP_GUARD_IF_FLOWS;
}

/*
 * The slot is taken before the first program is on: whoever dies between here and the end leaves nothing
 * that the next command does not find.
 */
static int begin(struct attach *a)
{
	int r = a->g->there ? 0 : maps_first(a->g, a->skel, a->err);

	if (!r)
		r = put_syn(a); /* of each load */
	if (r || a->begun)
		return r;
	a->begun = true;
	a->at.ifindex = (uint32_t)a->ifindex;
	a->at.added = guard_tick_now();
	(void)strncpy(a->at.name, a->ifname, sizeof(a->at.name) - 1);
	set_mode(a);
	r = attach_record(a);
	return r ? error_set(a->err, r, "%s: cannot be written down: %s", a->ifname, strerror(-r))
		 : 0;
}

static void unload(struct attach *a)
{
	netprobe_guard__destroy(a->skel);
	a->skel = NULL;
}

/* Native, else generic where that may be; with the programs that fit it loaded. */
static int attach_xdp(struct attach *a)
{
	char why[256];
	int r;

	if (!wants_xdp(a))
		return load(a, false);
	if (a->opts->xdp != GUARD_XDP_GENERIC) {
		r = load(a, true);
		if (r)
			return r;
		r = begin(a);
		if (r)
			return r;
		r = link_xdp(a, true);
		if (!r)
			return 0;
		device_why_no_xdp(a->ifname, r, why, sizeof(why));
		if (a->opts->xdp == GUARD_XDP_NATIVE || r == -EBUSY || r == -EPERM) {
			error_set(a->err, r == -EPERM ? r : -EOPNOTSUPP,
				  "%s takes no XDP program in its driver (native): %s", a->ifname,
				  why);
			error_hint(a->err, "or --xdp generic, which costs more for each packet");
			return a->err->code;
		}
		unload(a);
		if (a->opts->mode == NP_GUARD_MONITOR) {
			add_note(a,
				 "no XDP in the driver, which would only count: tc counts alone");
			return load(a, false);
		}
		add_note(a, "XDP is generic, slower than in the driver: ");
		(void)strncat(a->note, why, a->note_size - strlen(a->note) - 1);
	}
	r = load(a, false);
	if (!r)
		r = begin(a);
	if (r)
		return r;
	r = link_xdp(a, false);
	if (r) {
		device_why_no_xdp(a->ifname, r, why, sizeof(why));
		return error_set(a->err, r, "%s takes no XDP program, not even generic: %s",
				 a->ifname, why);
	}
	return 0;
}

/*
 * Our counters and the device's begin together: cleared at a moment when the device counted nothing.
 * One that is never silent begins with what came between its reading and the clearing.
 */
static int begin_counts(struct attach *a)
{
	const struct timespec poll = { .tv_nsec =
					       200000 }; /* a driver's round, counted at its end */
	int r = 0, cpus = libbpf_num_possible_cpus();
	struct np_guard_dev *zero = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*zero));
	struct np_guard_if after = {};

	if (!zero)
		return -ENOMEM;
	for (int i = 0; i < 10 && !r; i++) {
		device_base(a->ifname, &a->at);
		r = bpf_map_update_elem(a->g->map[MAP_DEVS], &a->slot, zero, BPF_ANY);
		(void)nanosleep(&poll, NULL);
		device_base(a->ifname, &after);
		if (after.base_rx_packets == a->at.base_rx_packets &&
		    after.base_tx_packets == a->at.base_tx_packets)
			break;
	}
	free(zero);
	return r;
}

static int put_on(struct attach *a)
{
	int r = attach_xdp(a);

	if (!r)
		r = begin(a);
	if (r)
		return r;
	r = tc_put(a);
	if (!r)
		r = begin_counts(a);
	if (!r)
		r = attach_record(a);
	return r;
}

static bool in_use(struct guard *g)
{
	uint32_t slot;
	struct np_guard_if at;

	for (slot = 0; g->there && slot < NP_GUARD_IFS; slot++)
		if (!bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) && at.ifindex)
			return true;
	return false;
}

static void forget(struct guard *g, uint32_t slot, const struct np_guard_if *at)
{
	struct np_guard_if none = {};

	link_remove(g, "xdp", at->ifindex);
	tc_take(g, at);
	(void)bpf_map_delete_elem(g->map[MAP_NEXT], &slot);
	slot += NP_GUARD_NEXT_COOKIE;
	(void)bpf_map_delete_elem(g->map[MAP_NEXT], &slot);
	slot -= NP_GUARD_NEXT_COOKIE;
	(void)bpf_map_update_elem(g->map[MAP_IFS], &slot, &none, BPF_ANY);
}

/* Programs off the interface; its slot, and who comes behind the filter, stay. */
static void take_off(struct guard *g, const struct np_guard_if *at)
{
	link_remove(g, "xdp", at->ifindex);
	tc_take(g, at);
}

/* Whether what is there can stay, with other programs in it; else it is taken off first. */
static bool can_exchange(const struct attach *a, const struct np_guard_if *old)
{
	const struct guard_attach_opts *o = a->opts;
	bool counts = old->xdp != NP_GUARD_XDP_NATIVE;

	if (o->mode == NP_GUARD_MONITOR && old->xdp != NP_GUARD_XDP_NATIVE) {
		if (o->xdp != GUARD_XDP_GENERIC || old->xdp != NP_GUARD_XDP_NONE)
			return false;
	} else if (old->xdp == NP_GUARD_XDP_NONE ||
		   (o->xdp == GUARD_XDP_NATIVE && old->xdp != NP_GUARD_XDP_NATIVE) ||
		   (o->xdp == GUARD_XDP_GENERIC && old->xdp != NP_GUARD_XDP_GENERIC)) {
		return false;
	}
	if (old->xdp != NP_GUARD_XDP_NONE && !link_is_on(a->g, "xdp", old->ifindex))
		return false;
	if (old->tc == NP_GUARD_TC_CLSACT)
		return true;
	return !o->clsact && old->tc == NP_GUARD_TC_TCX && link_is_on(a->g, "out", old->ifindex) &&
	       (!counts || link_is_on(a->g, "in", old->ifindex));
}

/* Link by link; each packet meets the old program or the new one. Counters go on. */
static int exchange(struct attach *a, const struct np_guard_if *old)
{
	int r = load(a, old->xdp == NP_GUARD_XDP_NATIVE), was = -1;

	if (r)
		return r;
	a->at = *old;
	set_mode(a);
	r = put_syn(a);
	if (r)
		return error_set(a->err, r, "%s: cannot chain a program: %s", a->ifname,
				 strerror(-r));
	if (old->xdp != NP_GUARD_XDP_NONE) {
		int fd = bpf_program__fd(a->skel->progs.np_guard_xdp);

		r = link_exchange(a, fd, "xdp", &was);
		if (r)
			return error_set(a->err, r, "%s takes no other XDP program: %s", a->ifname,
					 strerror(-r));
		a->at.xdp_id = program_id(fd);
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
	if (!r && old->xdp == NP_GUARD_XDP_GENERIC && a->opts->xdp == GUARD_XDP_AUTO)
		add_note(a,
			 "XDP stays generic, so that the filter does not pause; detach first, or "
			 "--xdp native, to try the driver's");
	return r;
}

void attach_opts_of(const struct np_guard_if *at, struct guard_attach_opts *ret)
{
	*ret = (struct guard_attach_opts){
		.mode = at->mode,
		.xdp = at->xdp == NP_GUARD_XDP_NATIVE ? GUARD_XDP_NATIVE : GUARD_XDP_GENERIC,
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
				.note = (char[256]){},
				.note_size = 256 };

	attach_opts_of(old, &opts);
	if (put_on(&again))
		forget(a->g, a->slot, old);
	unload(&again);
}

static int attach_at(struct attach *a)
{
	struct guard *g = a->g;
	struct np_guard_if old = {};
	int r;

	a->ifindex = (int)if_nametoindex(a->ifname);
	if (!a->ifindex)
		return error_set(a->err, -ENODEV, "'%.40s' is no interface here; takes one of %s",
				 a->ifname, device_names((char[160]){}, 160));
	if (g->there && !find_slot(g, (uint32_t)a->ifindex, NULL, &a->slot, &old)) {
		if (can_exchange(a, &old)) {
			r = exchange(a, &old);
			unload(a);
			return r;
		}
		take_off(g, &old);
	} else if (g->there && free_slot(g, &a->slot))
		return error_set(a->err, -ENOSPC,
				 "guard is attached to %d interfaces, which is all it can",
				 NP_GUARD_IFS);
	r = refuse_foreign(a);
	if (!r)
		r = put_on(a);
	unload(a);
	if (!r || !g->there)
		return r;
	a->at.ifindex = (uint32_t)a->ifindex;
	if (old.ifindex) {
		take_off(g, &a->at);
		put_back(a, &old);
	} else {
		forget(g, a->slot, &a->at);
	}
	return r;
}

int guard_attach(struct guard *g, const char *ifname, const struct guard_attach_opts *opts,
		 char *ret_note, size_t note_size, struct netprobe_error *err)
{
	struct attach a = { .g = g,
			    .opts = opts,
			    .ifname = ifname,
			    .err = err,
			    .note = ret_note,
			    .note_size = note_size };
	int r;

	ret_note[0] = '\0';
	libbpf_set_print(quiet);
	r = attach_at(&a);
	if (r && !in_use(g))
		folder_remove(g);
	return r;
}

int guard_detach(struct guard *g, const char *ifname, struct netprobe_error *err)
{
	struct np_guard_if at;
	uint32_t slot, ifindex = if_nametoindex(ifname);

	libbpf_set_print(quiet);
	if (!g->there || ((!ifindex || find_slot(g, ifindex, NULL, &slot, &at)) &&
			  find_slot(g, 0, ifname, &slot, &at))) {
		if (!in_use(g))
			folder_remove(g); /* of an attach that died before it had a slot */
		return error_set(err, -ENOENT, "guard is not attached to '%.40s'", ifname);
	}
	forget(g, slot, &at);
	if (!in_use(g)) {
		cookie_settings_back(g);
		folder_remove(g);
	}
	return 0;
}

int guard_set_next(struct guard *g, const char *ifname, int prog_fd, struct netprobe_error *err)
{
	uint32_t slot, ifindex = if_nametoindex(ifname);
	struct np_guard_if at;
	int r;

	if (!g->there || !ifindex || find_slot(g, ifindex, NULL, &slot, &at))
		return error_set(err, -ENOENT, "guard is not attached to '%.40s'", ifname);
	r = bpf_map_update_elem(g->map[MAP_NEXT], &slot, &prog_fd, BPF_ANY);
	return r ? error_set(err, r, "%s: cannot chain a program: %s", ifname, strerror(-r)) : 0;
}
