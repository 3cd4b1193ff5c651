/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that guard put on an interface, for runs without traffic. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "guard_run.h"
#include "tap.h"

int guard_program(const struct netns *ns)
{
	json_t *first;
	char *end;
	int fd;

	guard_must(ns, "status --format json");
	end = strchr(guard_out(), '\n');
	REQUIRE(end, "status: %s", guard_out());
	first = json_loadb(guard_out(), (size_t)(end - guard_out()), 0, NULL);
	fd = bpf_prog_get_fd_by_id((__u32)json_at(first, "program_id"));
	REQUIRE(fd >= 0, "program: %s", strerror(errno));
	json_decref(first);
	return fd;
}
