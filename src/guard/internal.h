/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of guard/ know of each other. */
#ifndef NETPROBE_GUARD_INTERNAL_H
#define NETPROBE_GUARD_INTERNAL_H

#include "guard/guard.h"

/* Pinned maps, by the names they have in the BPF object. */
#define MAP_CONF 0
#define MAP_BITS4 1
#define MAP_BITS6 2
#define MAP_SETS 3 /* + NP_SET_* */
#define MAP_RULES (MAP_SETS + NP_SET_MAX)
#define MAP_FLOWS (MAP_RULES + 1)
#define MAP_SOURCES (MAP_RULES + 2)
#define MAP_DESTS (MAP_RULES + 3)
#define MAP_LOG (MAP_RULES + 4)
#define MAP_DEVS (MAP_RULES + 5)
#define MAP_IFS (MAP_RULES + 6)
#define MAP_NEXT (MAP_RULES + 7)
#define MAP_COOKIES (MAP_RULES + 8)
#define MAP_HOT (MAP_RULES + 9)
#define MAP_MAX (MAP_RULES + 10)

extern const char *const guard_map_names[MAP_MAX];

struct guard {
	char dir[96];
	int dir_fd;	  /* locked */
	bool there;	  /* the maps are: else only attach makes sense */
	int map[MAP_MAX]; /* -1 not open */
	volatile struct np_guard_conf *conf;
	uint64_t *bits4, *bits6;
	struct np_guard_rule *rules;
	struct np_guard_source *sources;
	uint64_t cookie; /* of this network namespace; 0 unknown */
};

#define TICKS_PER_S (1e9 / (1ULL << NP_GUARD_TICK_SHIFT))

uint32_t guard_tick_now(void);
uint32_t guard_ticks(double seconds); /* at least 1 */

/* folder.c: the pins' folder and its lock. */
int folder_open(struct guard *g, unsigned int flags, struct netprobe_error *err);
void folder_close(struct guard *g);
void folder_remove(struct guard *g); /* every pin, and the folder */
void folder_path(const struct guard *g, const char *name, char *ret, size_t size);
uint64_t netns_cookie(void);

/* maps.c: open, make, map into memory. */
int maps_adopt(struct guard *g, struct netprobe_error *err);
int maps_view(struct guard *g, struct netprobe_error *err);
void maps_close(struct guard *g);
/* Memory of an array that may be mapped; NULL and errno. */
void *map_view(int fd, size_t size, bool write);
void map_unview(const volatile void *p, size_t size);
struct netprobe_guard;
int maps_first(struct guard *g, struct netprobe_guard *skel, struct netprobe_error *err);

/* set.c: the two sets. */
uint32_t set_current(const struct guard *g);
bool set_waits(const struct guard *g);
int set_make(struct guard *g, uint32_t set, const uint32_t room[NP_SET_MAX],
	     struct netprobe_error *err);
void set_drop(struct guard *g, uint32_t set);
int set_fd(struct guard *g, uint32_t set, uint32_t kind); /* close() it */
void set_settle(struct guard *g);			  /* undo what was not confirmed in time */
/* The other set's policy to be filled, as a copy of the current one, its maps empty. */
int set_begin(struct guard *g, uint32_t *ret_set, struct netprobe_error *err);
/* A change of the policy in use, or, with confirm_s, of a copy that is put in use until confirmed. */
int set_change(struct guard *g, void (*change)(struct np_guard_policy *p, const void *arg),
	       const void *arg, uint32_t confirm_s, struct netprobe_error *err);
void set_commit(struct guard *g, uint32_t set, uint32_t confirm_s);

/* sent.c: count what drivers drop of what is sent, from now on; -errno: this kernel cannot. Whether it is counted. */
int sent_watch(struct guard *g);
bool sent_watched(const struct guard *g);

/* cookie.c: the kernel's setting as it was before we changed it. */
void cookie_settings_back(struct guard *g);
uint8_t cookie_support(struct guard *g); /* NETPROBE_COOKIES_* */
uint32_t cookie_count(struct guard *g);	 /* services */

/* ask.c: whether XDP programs have that helper here, asked once: 1, 0 or negative. */
int guard_helper(int which);

#define NP_ENOTSUPP 524 /* the kernel's own, for maps without batches */

/* ban.c: rounded up; whether one of its rules holds for all packets. */
uint32_t guard_seconds_left(uint32_t ticks);
bool guard_entry_is_any(const struct guard *g, const struct np_guard_entry *e, uint32_t now);

/*
 * limit.c: the sources that detection has banned, looked for once and not for each of many entries; free() at.
 * Whether some of them are in that network still; lift the bans of those, NULL of all: how many there were.
 */
struct banned {
	uint32_t *at; /* in g->sources */
	uint32_t n;
};
int banned_find(struct guard *g, struct banned *ret);
bool banned_within(const struct guard *g, const struct banned *b, const struct guard_item *net);
int banned_lift(struct guard *g, const struct banned *b, const struct guard_item *net);

/* ban.c: guard_add, and nobody is told. */
int list_add(struct guard *g, const struct guard_item *items, size_t n, unsigned int flags,
	     uint32_t confirm_s, struct netprobe_error *err);

/* told.c: a change of lists that is done, into the log; kind: NP_GUARD_EV_*. Many at once are one event. */
void told_items(struct guard *g, uint32_t kind, const struct guard_item *items, size_t n);
void told_change(struct guard *g, bool bans, bool allows, bool replaced, size_t n);

/* An entry as the maps have it. */
struct raw_item {
	uint8_t key[20]; /* of its map */
	struct np_guard_entry entry;
};
struct raw_list {
	struct raw_item *items;
	size_t n, room;
};
/* Each rule of an entry that has not ended. */
int list_one(struct guard *g, uint32_t kind, const struct raw_item *raw, uint32_t now,
	     int (*fn)(const struct guard_item *item, void *arg), void *arg);
int raw_add(struct raw_list *l, const void *key, size_t key_size, const struct np_guard_entry *e);
/* sort.c: by key, those of one key in the order they came. */
int raw_sort(struct raw_list *l);
int raw_compare(const void *a, const void *b);
size_t set_key_size(uint32_t kind);
/* Each entry, as it lies in its map; again: what was told so far is told anew. */
typedef int (*set_entry_fn)(const uint8_t *key, size_t key_size, const struct np_guard_entry *e,
			    void *arg);
int set_each(struct guard *g, uint32_t set, uint32_t kind, set_entry_fn fn,
	     void (*again)(void *arg), void *arg);
int set_read(struct guard *g, uint32_t set, uint32_t kind, struct raw_list *to);
/* fill.c: all maps of a set that is not in use. */
int set_fill(struct guard *g, uint32_t set, const struct raw_list lists[NP_SET_MAX]);
/* hot.c: to each entry the hits that wait for it; what is remembered of those that were removed goes, of all at once. */
void hot_add(struct guard *g, uint32_t set, uint32_t kind, struct raw_list *sorted);
void hot_forget(struct guard *g, struct raw_list lists[NP_SET_ALLOW4]);
void set_bits(struct guard *g, uint32_t set, uint32_t kind, const uint8_t *addr, unsigned int len);
void set_bits_clear(struct guard *g, uint32_t set);

#endif
