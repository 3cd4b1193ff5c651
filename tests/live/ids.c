/* SPDX-License-Identifier: BSD-2-Clause */
/* See ids.h. */
#include "ids.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "tap.h"

#define END_MS 15000

static void take_id(struct ids *ids, const char *line)
{
	uint32_t id;
	int command;

	if (ids->n == MAX_IDS)
		return;
	if (sscanf(line, "prog_id: %u", &id) == 1) {
		command = BPF_PROG_GET_NEXT_ID;
		ids->progs++;
	} else if (sscanf(line, "map_id: %u", &id) == 1) {
		command = BPF_MAP_GET_NEXT_ID;
		ids->maps++;
	} else if (sscanf(line, "link_id: %u", &id) == 1) {
		command = BPF_LINK_GET_NEXT_ID;
		ids->links++;
	} else {
		return;
	}
	ids->row[ids->n].command = command;
	ids->row[ids->n++].id = id;
}

struct ids ids_of(pid_t pid)
{
	struct ids ids = { .n = 0 };

	for (int fd = 0; fd < 1024; fd++) {
		char path[64], line[256];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			take_id(&ids, line);
		if (f)
			fclose(f);
	}
	return ids;
}

/*
 * Only listed, never opened: a program array whose last user is gone and which is opened before the kernel has emptied
 * it stays for ever (prog_array_map_clear takes a reference for work that is queued already, 6.18).
 */
static bool exists(int command, uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.start_id = id - 1;
	return !syscall(SYS_bpf, command, &attr, sizeof(attr)) ? attr.next_id == id
							       : errno != ENOENT;
}

static unsigned int count_left(const struct ids *ids)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < ids->n; i++)
		left += exists(ids->row[i].command, ids->row[i].id);
	return left;
}

static bool all_gone(void *arg)
{
	return count_left(arg) == 0;
}

void ids_gone(struct ids *ids)
{
	wait_until(all_gone, ids, END_MS);
	for (unsigned int i = 0; i < ids->n; i++)
		CHECK(!exists(ids->row[i].command, ids->row[i].id), "left behind: %s id %u",
		      ids->row[i].command == BPF_PROG_GET_NEXT_ID  ? "program"
		      : ids->row[i].command == BPF_MAP_GET_NEXT_ID ? "map"
								   : "link",
		      ids->row[i].id);
}
