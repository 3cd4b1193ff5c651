/* SPDX-License-Identifier: BSD-2-Clause */
/* See pids.h. */
#include "probe/pids.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "probe/kernel.h"
#include "pids.skel.h"

#define NOBODY UINT32_MAX

/* What /proc calls this process, and how many namespaces further down it is (0: /proc is its own). */
static uint32_t number_in_proc(uint32_t *ret_down)
{
	char line[256], *save = NULL, *word;
	FILE *f = fopen("/proc/self/status", "re");
	uint32_t nr = 0, n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		for (word = strtok_r(line + 6, " \t\n", &save); word;
		     word = strtok_r(NULL, " \t\n", &save))
			if (!n++)
				nr = (uint32_t)strtoul(word, NULL, 10);
		break;
	}
	if (f)
		(void)fclose(f);
	*ret_down = n ? n - 1 : 0;
	return nr;
}

bool pids_inside(void)
{
	return kernel_own_tgid() != (uint32_t)getpid();
}

bool pids_differ(void)
{
	uint32_t down, nr = number_in_proc(&down);

	return nr && nr != kernel_own_tgid();
}

static int run(const struct netprobe_pids *s)
{
	struct bpf_link *link = bpf_program__attach_iter(s->progs.np_pids, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int r = fd < 0 ? -1 : 0;
	char c;

	while (fd >= 0 && read(fd, &c, 1) > 0)
		;
	if (fd >= 0)
		(void)close(fd);
	(void)bpf_link__destroy(link);
	return r;
}

void pids_to_host(struct np_filter *f)
{
	struct netprobe_pids *s;
	uint32_t down;

	if (!f->n_tgid || !pids_differ())
		return;
	(void)number_in_proc(&down);
	s = netprobe_pids__open();
	if (s) {
		s->rodata->cfg_up = down;
		s->rodata->cfg_n = f->n_tgid;
		memcpy((void *)s->rodata->cfg_inside, f->tgid, sizeof(f->tgid));
	}
	if (s && (netprobe_pids__load(s) || run(s)))
		log_debug("processes cannot be listed by the kernel");
	for (unsigned int i = 0; i < f->n_tgid && i < NP_FILTER_SLOTS; i++) {
		f->tgid[i] = s && s->bss ? s->bss->st_host[i] : 0;
		if (!f->tgid[i])
			f->tgid[i] = NOBODY;
	}
	netprobe_pids__destroy(s);
}

void filter_host(struct np_filter *to, const struct np_filter *from)
{
	*to = *from;
	pids_to_host(to);
}
