/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See container_list.h. A file is the same by its inode, its size and the time it changed, which nobody can set. What
 * is changed twice within one step of the kernel's clock has one such time: a list that was read within it is not kept.
 */
#include "owner/container_list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "owner/cgroup.h"
#include "owner/container_file.h"

/* The first is the host's, the others the users' that were asked about last. */
#define LISTS 8

struct list {
	bool is_kept;
	uint32_t owner;
	struct stat of;
	struct container_item *items;
	size_t n;
	uint64_t used;
};

struct container_lists {
	struct list lists[LISTS];
	uint64_t calls, parsed;
};

struct container_lists *lists_new(void)
{
	return calloc(1, sizeof(struct container_lists));
}

static void empty(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].id);
		free(l->items[i].name);
		free(l->items[i].metadata);
	}
	free(l->items);
	*l = (struct list){ 0 };
}

struct container_lists *lists_free(struct container_lists *l)
{
	for (int i = 0; l && i < LISTS; i++)
		empty(&l->lists[i]);
	free(l);
	return NULL;
}

uint64_t lists_parsed(const struct container_lists *l)
{
	return l->parsed;
}

static struct list *list_of(struct container_lists *l, uint32_t owner)
{
	struct list *oldest = &l->lists[1];

	if (owner == CONTAINER_OF_HOST)
		return &l->lists[0];
	for (int i = 1; i < LISTS; i++) {
		if (l->lists[i].is_kept && l->lists[i].owner == owner)
			return &l->lists[i];
		if (l->lists[i].used < oldest->used)
			oldest = &l->lists[i];
	}
	return oldest;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool copy(char **to, const json_t *from)
{
	const char *text = json_string_value(from);

	*to = text ? strdup(text) : NULL;
	return !text || *to;
}

static bool fill(struct list *l, const json_t *all)
{
	const json_t *of;
	size_t i;

	if (!json_array_size(all))
		return true;
	l->items = calloc(json_array_size(all), sizeof(*l->items));
	if (!l->items)
		return false;
	json_array_foreach (all, i, of) {
		struct container_item *item = &l->items[l->n];

		if (!json_is_string(json_object_get(of, "id")))
			continue;
		l->n++;
		if (!copy(&item->id, json_object_get(of, "id")) ||
		    !copy(&item->name, json_array_get(json_object_get(of, "names"), 0)) ||
		    !copy(&item->metadata, json_object_get(of, "metadata")))
			return false;
	}
	return true;
}

static void parse(struct container_lists *l, struct list *list, int fd, const struct stat *st,
		  uint32_t owner)
{
	json_t *all = container_file_json(fd);

	l->parsed++;
	empty(list);
	list->of = *st;
	list->owner = owner;
	list->is_kept = fill(list, all);
	if (!list->is_kept)
		empty(list);
	json_decref(all);
}

const struct container_item *lists_find(struct container_lists *l, int fd, uint32_t owner,
					const char *id)
{
	struct list *list = list_of(l, owner);
	struct timespec now;
	struct stat st;

	/* the clock that files have their times from */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) || fstat(fd, &st))
		return NULL;
	if (!list->is_kept || list->owner != owner || !is_same(&list->of, &st))
		parse(l, list, fd, &st, owner);
	list->is_kept = list->is_kept && is_before(&st.st_ctim, &now);
	list->used = ++l->calls;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].id && !strcmp(list->items[i].id, id))
			return &list->items[i];
	return NULL;
}
