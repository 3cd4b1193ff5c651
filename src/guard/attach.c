/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on and off an interface, and its slot in the maps. What is there already is exchanged in its
 * place where that can be (attach_swap.c); only another kind of XDP has to be taken off first.
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

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

void attach_note(struct attach *a, const char *text)
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
	if (attach_is_own(id)) {
		r = attach_take_own((uint32_t)a->ifindex, id);
		if (!r) {
			attach_note(a, "it came with guard's programs of another network "
				       "namespace, which went");
			return 0;
		}
		error_set(a->err, -EBUSY,
			  "%s has guard's programs of another network namespace, which cannot be "
			  "taken off: %s",
			  a->ifname, strerror(-r));
		error_hint(a->err, "netprobe_manager_detach there, or run as root here");
		return -EBUSY;
	}
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

uint32_t attach_prog_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int link_xdp(struct attach *a, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, o,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int r, fd = a->prog[PROG_XDP];

	r = link_pin(a, bpf_link_create(fd, a->ifindex, BPF_XDP, &o), "xdp");
	if (r)
		return r;
	attach_filters_again(a);
	a->at.xdp = native ? NP_GUARD_XDP_NATIVE : NP_GUARD_XDP_GENERIC;
	a->at.xdp_id = attach_prog_id(fd);
	return 0;
}

int attach_syn(struct attach *a)
{
	uint32_t slot = NP_GUARD_NEXT_COOKIE + a->slot;

	if (a->cookies)
		return bpf_map_update_elem(a->g->map[MAP_NEXT], &slot, &a->prog[PROG_SYN], BPF_ANY);
	(void)bpf_map_delete_elem(a->g->map[MAP_NEXT], &slot);
	return 0;
}

int attach_record(struct attach *a)
{
	return bpf_map_update_elem(a->g->map[MAP_IFS], &a->slot, &a->at, BPF_ANY);
}

void attach_mode(struct attach *a)
{
	a->at.mode = a->opts->mode;
	a->at.flags &= (__u8) ~(NP_GUARD_IF_FLOWS | NP_GUARD_IF_COOKIES | NP_GUARD_IF_NATIVE);
	if (a->opts->xdp == NETPROBE_XDP_NATIVE)
		a->at.flags |= NP_GUARD_IF_NATIVE;
	if (a->cookies)
		a->at.flags |= NP_GUARD_IF_COOKIES;
	if (a->opts->flows)
		a->at.flags |= NP_GUARD_IF_FLOWS;
}

/*
 * What is there goes when what comes is loaded, which takes longest. The slot is taken before the first
 * program is on: whoever dies between here and the end leaves nothing that the next command does not find.
 */
static int begin(struct attach *a)
{
	int r = a->g->there ? 0 : maps_first(a->g, a->skel, a->err);

	if (!r && a->old) {
		attach_take_off(a);
		r = refuse_foreign(a);
	}
	if (!r)
		r = attach_syn(a); /* of each load */
	if (r || a->begun)
		return r;
	a->begun = true;
	a->at.ifindex = (uint32_t)a->ifindex;
	a->at.added = guard_tick_now();
	(void)strncpy(a->at.name, a->ifname, sizeof(a->at.name) - 1);
	attach_mode(a);
	r = attach_record(a);
	return r ? error_set(a->err, r, "%s: cannot be written down: %s", a->ifname, strerror(-r))
		 : 0;
}

bool attach_has_to_send(struct guard *g, uint8_t mode)
{
	return mode == NP_GUARD_BALANCE || (mode == NP_GUARD_FILTER && g->there && cookie_count(g));
}

bool attach_loses(const struct attach *a, char *why, size_t size)
{
	char name[IF_NAMESIZE];

	if (!attach_has_to_send(a->g, a->opts->mode))
		return false;
	if (!device_sends((uint32_t)a->ifindex)) {
		(void)snprintf(why, size,
			       "it is a veth, which loses what native XDP sends while its peer "
			       "runs no XDP program");
		return true;
	}
	for (size_t i = 0; a->opts->mode == NP_GUARD_BALANCE && i < a->opts->ways_n; i++) {
		uint32_t way = a->opts->ways[i];

		if (way == (uint32_t)a->ifindex || device_takes_sent(way))
			continue;
		(void)snprintf(why, size,
			       "%s, by which backends are reached, takes nothing that "
			       "native XDP sends",
			       if_indextoname(way, name) ? name : "a device");
		return true;
	}
	return false;
}

static bool is_gone(const struct attach *a)
{
	return if_nametoindex(a->ifname) != (unsigned int)a->ifindex;
}

/* Native, else generic where that may be; with the programs that fit it loaded. */
static int attach_xdp(struct attach *a)
{
	bool loses;
	char why[256];
	int r;

	if (!attach_wants_xdp(a))
		return attach_load(a, false);
	loses = a->opts->xdp != NETPROBE_XDP_GENERIC && attach_loses(a, why, sizeof(why));
	if (loses) {
		attach_note(a, a->opts->xdp == NETPROBE_XDP_NATIVE ? "nothing it sends arrives: "
								   : "XDP is generic: ");
		(void)strncat(a->note, why, a->note_size - strlen(a->note) - 1);
	}
	if (a->opts->xdp == NETPROBE_XDP_NATIVE || (a->opts->xdp == NETPROBE_XDP_AUTO && !loses)) {
		r = attach_load(a, true);
		if (r)
			return r;
		r = begin(a);
		if (r)
			return r;
		r = link_xdp(a, true);
		if (!r)
			return 0;
		if (is_gone(a))
			return r;
		device_why_no_xdp(a->ifname, r, why, sizeof(why));
		if (a->opts->xdp == NETPROBE_XDP_NATIVE || r == -EBUSY || r == -EPERM) {
			r = r == -EPERM ? r : -EOPNOTSUPP;
			error_set(a->err, r, "%s takes no XDP program in its driver (native): %s",
				  a->ifname, why);
			error_hint(
				a->err,
				"or netprobe_config.xdp_mode NETPROBE_XDP_GENERIC, which costs more for each packet");
			return r;
		}
		attach_unload(a);
		if (a->opts->mode == NP_GUARD_MONITOR) {
			attach_note(
				a, "no XDP in the driver, which would only count: tc counts alone");
			return attach_load(a, false);
		}
		attach_note(a, "XDP is generic, slower than in the driver: ");
		(void)strncat(a->note, why, a->note_size - strlen(a->note) - 1);
	}
	r = attach_load(a, false);
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

int attach_put_on(struct attach *a)
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

void attach_forget(struct guard *g, uint32_t slot, const struct np_guard_if *at)
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

static int attach_at(struct attach *a)
{
	struct guard *g = a->g;
	struct np_guard_if old = {};
	int r;

	a->ifindex = (int)if_nametoindex(a->ifname);
	if (!a->ifindex)
		return error_set(a->err, -ENODEV,
				 "'%.40s' is not an interface here; takes one of %s", a->ifname,
				 device_names((char[160]){}, 160));
	if (!device_has_ethernet(a->ifname)) {
		error_set(
			a->err, -EOPNOTSUPP,
			"%s: its packets have no Ethernet header (a tunnel, tun, WireGuard or ppp), "
			"which guard takes for granted",
			a->ifname);
		error_hint(a->err, "attach guard to the interface that its packets come in by");
		return -EOPNOTSUPP;
	}
	if (g->there && !find_slot(g, (uint32_t)a->ifindex, NULL, &a->slot, &old)) {
		if (attach_can_exchange(a, &old)) {
			r = attach_exchange(a, &old);
			attach_unload(a);
			return r;
		}
		a->old = &old;
	} else if (g->there && free_slot(g, &a->slot))
		return error_set(a->err, -ENOSPC,
				 "guard is attached to %d interfaces, which is all it can",
				 NP_GUARD_IFS);
	r = a->old ? 0 : refuse_foreign(a);
	if (!r)
		r = attach_put_on(a);
	attach_unload(a);
	/* Whatever the kernel says of it then: mostly that the number is not valid. */
	if (r && is_gone(a))
		r = error_set(a->err, -ENODEV, "%s went while guard was attached to it", a->ifname);
	if (r)
		return attach_undo(a, &old, r);
	if (a->gap_ns) {
		char text[96];

		(void)snprintf(text, sizeof(text), ATTACH_GAP, (double)a->gap_ns / 1e6);
		attach_note(a, text);
	}
	return 0;
}

int guard_deliver(struct guard *g, const uint32_t *ways, size_t ways_n, char *ret_note,
		  size_t note_size, struct netprobe_error *err)
{
	int n = 0, r = 0;

	ret_note[0] = '\0';
	for (uint32_t slot = 0; slot < NP_GUARD_IFS && !r; slot++) {
		struct guard_attach_opts opts;
		struct attach a = { .g = g, .opts = &opts };
		char name[IF_NAMESIZE], why[256], note[256];
		struct np_guard_if at;

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) || !at.ifindex ||
		    at.xdp != NP_GUARD_XDP_NATIVE || (at.flags & NP_GUARD_IF_NATIVE) ||
		    !if_indextoname(at.ifindex, name))
			continue;
		attach_opts_of(&at, &opts);
		opts.ways = ways;
		opts.ways_n = ways_n;
		a.ifindex = (int)at.ifindex;
		if (!attach_loses(&a, why, sizeof(why)))
			continue;
		opts.xdp = NETPROBE_XDP_GENERIC;
		r = guard_attach(g, name, &opts, note, sizeof(note), err);
		if (!r && !n++)
			(void)snprintf(ret_note, note_size, "XDP of %s is generic now: %s%s%s",
				       name, why, note[0] ? "; " : "", note);
	}
	return r ? r : n;
}

static int attach_named(struct guard *g, const char *ifname, const struct guard_attach_opts *opts,
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
	if (!r)
		attach_replaces(g, ifname);
	else if (!in_use(g))
		folder_remove(g);
	return r;
}

/* What became of what was sent: of a kernel without type information or these tracepoints it is not known. */
int guard_attach(struct guard *g, const char *ifname, const struct guard_attach_opts *opts,
		 char *ret_note, size_t note_size, struct netprobe_error *err)
{
	int r = attach_named(g, ifname, opts, ret_note, note_size, err);

	if (!r && opts->mode != NP_GUARD_MONITOR)
		(void)sent_watch(g);
	return r;
}

int attach_again(struct guard *g, const struct np_guard_if *at, struct netprobe_error *err)
{
	struct guard_attach_opts opts;
	char note[256];
	int r;

	attach_opts_of(at, &opts);
	r = attach_named(g, at->name, &opts, note, sizeof(note), err);
	if (!r && at->mode != NP_GUARD_MONITOR && !sent_watched(g))
		(void)sent_watch(g);
	return r;
}

/*
 * The slot of a device that had this name and is no more here: names move on, so one that is still here is
 * another interface by now, whose name is told.
 */
static int find_gone(struct guard *g, const char *ifname, uint32_t *ret_slot,
		     struct np_guard_if *ret, char now[IF_NAMESIZE])
{
	int r = find_slot(g, 0, ifname, ret_slot, ret);

	return r ? r : if_indextoname(ret->ifindex, now) ? -ENOENT : 0;
}

int guard_detach(struct guard *g, const char *ifname, struct netprobe_error *err)
{
	struct np_guard_if at;
	uint32_t slot, ifindex = if_nametoindex(ifname);
	char now[IF_NAMESIZE] = "";

	libbpf_set_print(quiet);
	if (!g->there || ((!ifindex || find_slot(g, ifindex, NULL, &slot, &at)) &&
			  find_gone(g, ifname, &slot, &at, now))) {
		if (!in_use(g))
			folder_remove(g); /* of an attach that died before it had a slot */
		error_set(err, -ENOENT, "guard is not attached to '%.40s'", ifname);
		if (now[0])
			error_hint(err, "the interface that had this name is %s now", now);
		return -ENOENT;
	}
	attach_forget(g, slot, &at);
	if (in_use(g)) {
		kept_tidy(g);
	} else {
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
