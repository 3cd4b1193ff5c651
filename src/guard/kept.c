/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are pinned for who attaches the same ones again: an interface that comes back, an attach that is
 * repeated. Their names tell the slot and a sum over the object and everything that was set in it.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/attach.h"

#define PREFIX "kept-"

static const char *const names[PROG_MAX] = {
	[PROG_XDP] = "xdp",
	[PROG_SYN] = "syn",
	[PROG_IN] = "in",
	[PROG_OUT] = "out",
};

/* FNV-1a. */
static uint64_t sum(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static uint64_t sum_of(const struct attach *a, const struct netprobe_guard *skel)
{
	bool xdp = attach_wants_xdp(a);
	uint64_t h = sum(0xcbf29ce484222325ULL, skel->skeleton->data, skel->skeleton->data_sz);

	h = sum(h, skel->rodata, sizeof(*skel->rodata));
	return sum(h, &xdp, sizeof(xdp));
}

static void pin_path(const struct attach *a, uint64_t h, const char *what, char *ret, size_t size)
{
	char name[64];

	(void)snprintf(name, sizeof(name), PREFIX "%u-%016" PRIx64 "-%s", a->slot, h, what);
	folder_path(a->g, name, ret, size);
}

static bool is_wanted(const struct attach *a, unsigned int which)
{
	return which == PROG_XDP ? attach_wants_xdp(a) : which == PROG_SYN ? a->cookies : true;
}

int kept_open(struct attach *a, const struct netprobe_guard *skel, int *ret_here)
{
	uint64_t h = sum_of(a, skel);
	char path[512];
	bool all;

	pin_path(a, h, "here", path, sizeof(path));
	*ret_here = bpf_obj_get(path);
	all = *ret_here >= 0;
	for (unsigned int i = 0; i < PROG_MAX && all; i++) {
		if (!is_wanted(a, i))
			continue;
		pin_path(a, h, names[i], path, sizeof(path));
		a->prog[i] = bpf_obj_get(path);
		all = a->prog[i] >= 0;
	}
	if (all)
		return 0;
	for (unsigned int i = 0; i < PROG_MAX; i++) {
		if (a->prog[i] >= 0)
			(void)close(a->prog[i]);
		a->prog[i] = -1;
	}
	if (*ret_here >= 0)
		(void)close(*ret_here);
	*ret_here = -1;
	return -ENOENT;
}

/* Of a slot, or, with SLOT_NONE, of all that no interface has. */
#define SLOT_NONE UINT32_MAX
static void drop(struct guard *g, uint32_t of)
{
	DIR *d = opendir(g->dir);
	const struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		struct np_guard_if at;
		uint32_t slot;

		if (strncmp(e->d_name, PREFIX, sizeof(PREFIX) - 1) != 0)
			continue;
		slot = (uint32_t)strtoul(e->d_name + sizeof(PREFIX) - 1, NULL, 10);
		if (of == SLOT_NONE
			    ? !bpf_map_lookup_elem(g->map[MAP_IFS], &slot, &at) && at.ifindex
			    : slot != of)
			continue;
		folder_path(g, e->d_name, path, sizeof(path));
		(void)unlink(path);
	}
	if (d)
		(void)closedir(d);
}

/* What cannot be pinned is loaded anew the next time. */
void kept_put(struct attach *a, const struct netprobe_guard *skel, int here)
{
	uint64_t h = sum_of(a, skel);
	char path[512];
	int r;

	drop(a->g, a->slot);
	pin_path(a, h, "here", path, sizeof(path));
	r = bpf_obj_pin(here, path);
	for (unsigned int i = 0; i < PROG_MAX && !r; i++) {
		if (a->prog[i] < 0)
			continue;
		pin_path(a, h, names[i], path, sizeof(path));
		r = bpf_obj_pin(a->prog[i], path);
	}
	if (r)
		drop(a->g, a->slot);
}

void kept_tidy(struct guard *g)
{
	drop(g, SLOT_NONE);
}
