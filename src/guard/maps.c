/* SPDX-License-Identifier: BSD-2-Clause */
/* The pinned maps: adopted where they are, pinned by the first who attaches. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/internal.h"
#include "guard.skel.h"

const char *const guard_map_names[MAP_MAX] = {
	[MAP_CONF] = "np_guard_conf",
	[MAP_BITS4] = "np_bits4",
	[MAP_BITS6] = "np_bits6",
	[MAP_SETS + NP_SET_HOSTS4] = "np_hosts4",
	[MAP_SETS + NP_SET_HOSTS6] = "np_hosts6",
	[MAP_SETS + NP_SET_NETS4] = "np_nets4",
	[MAP_SETS + NP_SET_NETS6] = "np_nets6",
	[MAP_SETS + NP_SET_ALLOW4] = "np_allow4",
	[MAP_SETS + NP_SET_ALLOW6] = "np_allow6",
	[MAP_RULES] = "np_rules",
	[MAP_FLOWS] = "np_guard_flows",
	[MAP_SOURCES] = "np_sources",
	[MAP_DESTS] = "np_dests",
	[MAP_LOG] = "np_guard_log",
	[MAP_DEVS] = "np_guard_devs",
	[MAP_IFS] = "np_guard_ifs",
	[MAP_NEXT] = "np_next",
	[MAP_COOKIES] = "np_cookies",
	[MAP_HOT] = "np_hot",
};

/* Entries that the maps of a new set have room for; they grow with what is put into them. */
#define FIRST_ROOM 4096

uint32_t guard_tick_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return NP_GUARD_TICK((uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec);
}

uint32_t guard_ticks(double seconds)
{
	double ticks = seconds * TICKS_PER_S + 0.5;

	return ticks < 1 ? 1 : ticks > 4e9 ? 4000000000U : (uint32_t)ticks;
}

void *map_view(int fd, size_t size, bool write)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, (size + page - 1) / page * page, PROT_READ | (write ? PROT_WRITE : 0),
		       MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

void map_unview(const volatile void *p, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (p)
		(void)munmap((void *)p, (size + page - 1) / page * page);
}

int maps_view(struct guard *g, struct netprobe_error *err)
{
	g->conf = map_view(g->map[MAP_CONF], sizeof(*g->conf), true);
	g->bits4 = map_view(g->map[MAP_BITS4], NP_GUARD_BITS4_MAX * sizeof(uint64_t), true);
	g->bits6 = map_view(g->map[MAP_BITS6], NP_GUARD_BITS6_MAX * sizeof(uint64_t), true);
	g->rules = map_view(g->map[MAP_RULES], NP_GUARD_RULES * sizeof(struct np_guard_rule), true);
	g->sources = map_view(g->map[MAP_SOURCES], NP_GUARD_SOURCES * sizeof(*g->sources), true);
	if (g->conf && g->bits4 && g->bits6 && g->rules && g->sources)
		return 0;
	return error_set(err, -errno, "cannot map guard's memory: %s", strerror(errno));
}

void maps_close(struct guard *g)
{
	map_unview(g->conf, sizeof(*g->conf));
	map_unview(g->bits4, NP_GUARD_BITS4_MAX * sizeof(uint64_t));
	map_unview(g->bits6, NP_GUARD_BITS6_MAX * sizeof(uint64_t));
	map_unview(g->rules, NP_GUARD_RULES * sizeof(struct np_guard_rule));
	map_unview(g->sources, NP_GUARD_SOURCES * sizeof(*g->sources));
	g->sources = NULL;
	g->conf = NULL;
	g->bits4 = g->bits6 = NULL;
	g->rules = NULL;
	for (unsigned int i = 0; i < MAP_MAX; i++) {
		if (g->map[i] >= 0)
			(void)close(g->map[i]);
		g->map[i] = -1;
	}
	g->there = false;
}

/* How struct np_guard_conf begins in every version. */
struct conf_head {
	uint64_t state, netns_cookie;
	uint32_t version;
};

/* *ret_size: of all of it; 0: it cannot be read. */
static struct conf_head read_head(int fd, uint32_t *ret_size)
{
	struct bpf_map_info info = {};
	struct conf_head head = {};
	__u32 len = sizeof(info), zero = 0;
	void *value = NULL;

	*ret_size = 0;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.value_size >= sizeof(head))
		value = calloc(1, info.value_size);
	if (value && !bpf_map_lookup_elem(fd, &zero, value)) {
		memcpy(&head, value, sizeof(head));
		*ret_size = info.value_size;
	}
	free(value);
	return head;
}

/* Before anything else is believed of the pins: whose they are, and of which version. */
static int check_conf(struct guard *g, struct netprobe_error *err)
{
	uint32_t size;
	struct conf_head head = read_head(g->map[MAP_CONF], &size);
	bool same = size == sizeof(struct np_guard_conf);

	/* An inode number is used again, a cookie never: those were another namespace's, of whichever version. */
	if (g->cookie && head.netns_cookie && head.netns_cookie != g->cookie)
		return -ENOENT;
	/* The version is written last: an attach died before it had put anything on an interface. */
	if (same && !head.version)
		return -ENOENT;
	if (!same || head.version != NP_GUARD_VERSION) {
		error_set(err, -EPROTO, "%s was made by another version of netprobe", g->dir);
		error_hint(err, "take it off with that version, or rm -r %s", g->dir);
		return -EPROTO;
	}
	return 0;
}

/* 0 adopted, -ENOENT not all are there, or another namespace's; -EPROTO another version. */
int maps_adopt(struct guard *g, struct netprobe_error *err)
{
	char path[512];
	int r;

	for (unsigned int i = 0; i < MAP_MAX; i++) {
		folder_path(g, guard_map_names[i], path, sizeof(path));
		g->map[i] = bpf_obj_get(path);
		r = g->map[i] < 0 ? -errno : i == MAP_CONF ? check_conf(g, err) : 0;
		if (!r)
			continue;
		maps_close(g);
		if (r == -EPERM || r == -EACCES) {
			error_set(err, -EPERM, "%s: not permitted", path);
			error_hint(err, "run as root: guard needs CAP_BPF and CAP_NET_ADMIN");
			return -EPERM;
		}
		return r == -EPROTO ? r : error_set(err, r, "%s: %s", path, strerror(-r));
	}
	r = maps_view(g, err);
	if (r)
		maps_close(g);
	else
		g->there = true;
	return r;
}

/* After the first load: pin what was made and give it its first, empty set. */
int maps_first(struct guard *g, struct netprobe_guard *skel, struct netprobe_error *err)
{
	uint32_t room[NP_SET_MAX];
	char path[512];
	int r = 0;

	for (unsigned int i = 0; i < MAP_MAX && !r; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, guard_map_names[i]);

		folder_path(g, guard_map_names[i], path, sizeof(path));
		g->map[i] = map ? fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3) : -1;
		r = g->map[i] < 0 ? -ENOENT : bpf_obj_pin(g->map[i], path);
		if (r)
			r = error_set(err, r, "cannot pin %s: %s", path, strerror(-r));
	}
	if (!r)
		r = maps_view(g, err);
	for (unsigned int i = 0; i < NP_SET_MAX; i++)
		room[i] = FIRST_ROOM;
	if (!r)
		r = set_make(g, 0, room, err);
	if (r)
		return r;
	g->conf->netns_cookie = g->cookie;
	g->conf->n_rules = 1;
	if (getrandom((void *)&g->conf->seed, sizeof(g->conf->seed), 0) < 0)
		return error_set(err, -errno, "no random numbers: %s", strerror(errno));
	g->conf->version = NP_GUARD_VERSION;
	g->there = true;
	return 0;
}

int guard_open(unsigned int flags, struct guard **ret_guard, struct netprobe_error *err)
{
	struct guard *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return error_set(err, -ENOMEM, "out of memory");
	g->dir_fd = -1;
	for (unsigned int i = 0; i < MAP_MAX; i++)
		g->map[i] = -1;
	r = folder_open(g, flags, err);
	if (!r) {
		r = maps_adopt(g, err);
		/* An inode number is used again, a cookie never: those were another namespace's. */
		if (!r && g->cookie && g->conf->netns_cookie &&
		    g->conf->netns_cookie != g->cookie) {
			maps_close(g);
			r = -ENOENT;
		}
		if (r == -ENOENT && (flags & GUARD_CREATE)) {
			folder_remove(g);
			folder_close(g);
			r = folder_open(g, flags, err);
		} else if (r == -ENOENT) {
			/* Half of it: of an attach that died. Whoever attaches holds the lock meanwhile. */
			if (!(flags & GUARD_SHARED))
				folder_remove(g);
			error_set(err, r,
				  "guard is not attached to any interface of this network "
				  "namespace");
			error_hint(err, "netprobe_manager_attach first");
		}
	}
	if (r)
		return guard_close(g), r;
	if (g->there && !(flags & GUARD_SHARED))
		set_settle(g);
	*ret_guard = g;
	return 0;
}

struct guard *guard_close(struct guard *g)
{
	if (!g)
		return NULL;
	maps_close(g);
	folder_close(g);
	free(g);
	return NULL;
}
