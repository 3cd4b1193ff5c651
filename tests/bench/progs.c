/* SPDX-License-Identifier: BSD-2-Clause */
/* See progs.h. */
#include "progs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

int progs_stats_on(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		die("BPF_ENABLE_STATS");
	return fd;
}

static void add_id(struct progs *p, uint32_t id)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->prog[i].id == id)
			return;
	if (p->n == PROGS_MAX)
		bench_die("more than %d programs", PROGS_MAX);
	p->prog[p->n++] = (struct prog){ .id = id };
}

static void read_one(struct prog *g)
{
	struct bpf_prog_info info = { .type = 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(g->id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("program information");
	close(fd);
	snprintf(g->name, sizeof(g->name), "%s", info.name);
	g->ns = info.run_time_ns;
	g->runs = info.run_cnt;
}

void progs_of(pid_t pid, struct progs *ret_progs)
{
	char path[320], line[256];
	struct dirent *e;
	unsigned int id;
	DIR *d;

	memset(ret_progs, 0, sizeof(*ret_progs));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	if (!d)
		die(path);
	while ((e = readdir(d)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, e->d_name);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "prog_id: %u", &id) == 1)
				add_id(ret_progs, id);
		if (f)
			fclose(f);
	}
	closedir(d);
	for (unsigned int i = 0; i < ret_progs->n; i++)
		read_one(&ret_progs->prog[i]);
}

struct progs progs_delta(const struct progs *before, const struct progs *after)
{
	struct progs d = *after;

	for (unsigned int i = 0; i < d.n; i++)
		for (unsigned int k = 0; k < before->n; k++)
			if (before->prog[k].id == d.prog[i].id) {
				d.prog[i].ns -= before->prog[k].ns;
				d.prog[i].runs -= before->prog[k].runs;
			}
	return d;
}

uint64_t progs_ns_of(const struct progs *d, const char *name)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->n; i++)
		if (!strncmp(d->prog[i].name, name, strlen(name)))
			sum += d->prog[i].ns;
	return sum;
}

uint64_t progs_runs(const struct progs *d, const char *name)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->n; i++)
		if (!strncmp(d->prog[i].name, name, strlen(name)))
			sum += d->prog[i].runs;
	return sum;
}

uint64_t progs_ns(const struct progs *d)
{
	return progs_ns_of(d, "");
}

const char *progs_list(const struct progs *d, uint64_t calls)
{
	static char text[900];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < d->n && len < sizeof(text) - 80; i++) {
		const struct prog *g = &d->prog[i];

		/* what ran less than once in a thousand calls was not part of the path */
		if (!g->runs || g->runs * 1000 < calls)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %.0f ns x %.2f",
					len ? ", " : "", g->name, (double)g->ns / (double)g->runs,
					(double)g->runs / (double)calls);
	}
	return text;
}
