/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs at the kernel's tracepoints that tell what became of frames guard sent: one set for the namespace. */
#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/internal.h"
#include "sent.skel.h"

static const char *const pins[] = { "sent-exception", "sent-redirect", "sent-bulk", "sent-devmap" };

static int put(const struct guard *g, const struct bpf_program *prog, const char *pin)
{
	char path[512];
	int r, fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(prog));

	if (fd < 0)
		return fd;
	folder_path(g, pin, path, sizeof(path));
	(void)unlink(path); /* of an older version */
	r = bpf_obj_pin(fd, path);
	(void)close(fd);
	return r;
}

int sent_watch(struct guard *g)
{
	struct netprobe_sent *s = netprobe_sent__open();
	int r = s ? 0 : -errno;

	if (r)
		return r;
	s->rodata->cfg_netns_cookie = g->cookie;
	r = bpf_map__reuse_fd(s->maps.np_guard_devs, g->map[MAP_DEVS]);
	if (!r)
		r = bpf_map__reuse_fd(s->maps.np_guard_ifs, g->map[MAP_IFS]);
	if (!r)
		r = netprobe_sent__load(s);
	if (!r)
		r = put(g, s->progs.np_sent_exception, pins[0]);
	if (!r)
		r = put(g, s->progs.np_sent_redirect, pins[1]);
	if (!r)
		r = put(g, s->progs.np_sent_bulk, pins[2]);
	if (!r)
		r = put(g, s->progs.np_sent_devmap, pins[3]);
	netprobe_sent__destroy(s);
	return r;
}

bool sent_watched(const struct guard *g)
{
	char path[512];
	bool all = true;

	for (unsigned int i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		folder_path(g, pins[i], path, sizeof(path));
		all = all && !access(path, F_OK);
	}
	return all;
}
