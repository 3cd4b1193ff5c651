/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces that go and come back under their name: guard goes on them again as it was, by whoever runs
 * this. The programs went with the interface; lists are in the maps and stay.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/attach.h"

/* Who comes behind the filter moves with it. */
static void move_next(struct guard *g, uint32_t slot, const char *ifname)
{
	__u32 id;
	int fd = bpf_map_lookup_elem(g->map[MAP_NEXT], &slot, &id) ? -1 : bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return;
	(void)guard_set_next(g, ifname, fd, NULL);
	(void)close(fd);
}

void attach_replaces(struct guard *g, const char *ifname)
{
	for (uint32_t slot = 0; slot < NP_GUARD_IFS; slot++) {
		char name[IF_NAMESIZE];
		struct np_guard_if at;

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) || !at.ifindex ||
		    strncmp(at.name, ifname, sizeof(at.name)) || if_indextoname(at.ifindex, name) ||
		    (at.xdp && link_lives(g, "xdp", at.ifindex)))
			continue;
		move_next(g, slot, ifname);
		attach_forget(g, slot, &at);
	}
}

/* 0: it is on the new one. The old slot goes only then. */
static int again(struct guard *g, uint32_t slot, const struct np_guard_if *at,
		 struct netprobe_error *err)
{
	struct np_guard_if none = {};
	int r = attach_again(g, at, err);

	if (r)
		return r;
	move_next(g, slot, at->name);
	(void)bpf_map_delete_elem(g->map[MAP_NEXT], &slot);
	(void)bpf_map_delete_elem(g->map[MAP_NEXT], &(uint32_t){ slot + NP_GUARD_NEXT_COOKIE });
	link_remove(g, "xdp", at->ifindex);
	link_remove(g, "in", at->ifindex);
	link_remove(g, "out", at->ifindex);
	return bpf_map_update_elem(g->map[MAP_IFS], &slot, &none, BPF_ANY);
}

static void note_name(struct guard *g, uint32_t slot, struct np_guard_if *at, const char *name)
{
	if (!strncmp(name, at->name, sizeof(at->name)))
		return;
	memset(at->name, 0, sizeof(at->name));
	memcpy(at->name, name, strnlen(name, sizeof(at->name) - 1));
	(void)bpf_map_update_elem(g->map[MAP_IFS], &slot, at, BPF_ANY);
}

void guard_renamed(struct guard *g, uint32_t ifindex, const char *name)
{
	for (uint32_t slot = 0; slot < NP_GUARD_IFS; slot++) {
		struct np_guard_if at;

		if (!bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) && ifindex &&
		    at.ifindex == ifindex)
			note_name(g, slot, &at, name);
	}
}

int guard_follow(struct guard *g,
		 void (*fn)(const char *ifname, int r, const struct netprobe_error *err, void *arg),
		 void *arg)
{
	int n = 0;

	for (uint32_t slot = 0; slot < NP_GUARD_IFS; slot++) {
		struct netprobe_error err = {};
		struct np_guard_if at;
		char name[IF_NAMESIZE];
		int r;

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) || !at.ifindex)
			continue;
		at.name[sizeof(at.name) - 1] = '\0';
		if (if_indextoname(at.ifindex, name)) {
			/* Renamed: that is the name it may come back under. */
			note_name(g, slot, &at, name);
			continue;
		}
		/* it did not go: it is in another namespace, and who has its name now is another one */
		if (!if_nametoindex(at.name) || (at.xdp && link_lives(g, "xdp", at.ifindex)))
			continue;
		r = again(g, slot, &at, &err);
		if (r == -ENODEV)
			continue; /* it went again meanwhile */
		n += !r;
		fn(at.name, r, &err, arg);
	}
	return n;
}
