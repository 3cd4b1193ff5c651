/* SPDX-License-Identifier: BSD-2-Clause */
/* The pinned links: made, found again, given another program. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/attach.h"

static void link_path(const struct guard *g, const char *what, uint32_t ifindex, char *ret,
		      size_t size)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-%u", what, ifindex);
	folder_path(g, name, ret, size);
}

static int link_open(const struct guard *g, const char *what, uint32_t ifindex)
{
	char path[512];

	link_path(g, what, ifindex, path, sizeof(path));
	return bpf_obj_get(path);
}

int link_pin(struct attach *a, int fd, const char *what)
{
	char path[512];
	int r;

	if (fd < 0)
		return fd;
	link_path(a->g, what, (uint32_t)a->ifindex, path, sizeof(path));
	(void)unlink(path); /* of an interface that had this number before */
	r = bpf_obj_pin(fd, path);
	(void)close(fd);
	return r;
}

int link_exchange(struct attach *a, int prog_fd, const char *what, int *ret_old)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int r, old, fd = link_open(a->g, what, (uint32_t)a->ifindex);

	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	old = r ? r : bpf_prog_get_fd_by_id(info.prog_id);
	r = old < 0 ? old : bpf_link_update(fd, prog_fd, NULL);
	(void)close(fd);
	if (r && old >= 0)
		(void)close(old);
	if (!r)
		*ret_old = old;
	return r;
}

/* The number of the device it is at, in the device's own namespace; 0 none. */
static uint32_t link_device(struct guard *g, const char *what, uint32_t ifindex)
{
	/* libbpf 1.1 has no name for what TCX links tell: the number is in the same place as XDP's. */
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int r, fd = link_open(g, what, ifindex);

	if (fd < 0)
		return 0;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	(void)close(fd);
	return r ? 0 : info.xdp.ifindex;
}

bool link_lives(struct guard *g, const char *what, uint32_t ifindex)
{
	return link_device(g, what, ifindex) != 0;
}

bool link_is_on(struct guard *g, const char *what, uint32_t ifindex)
{
	return link_device(g, what, ifindex) == ifindex;
}

void link_remove(struct guard *g, const char *what, uint32_t ifindex)
{
	int fd = link_open(g, what, ifindex);
	char path[512];

	/* Now: a link whose last name goes is taken off by a worker of the kernel, some time later. */
	if (fd >= 0) {
		(void)bpf_link_detach(fd);
		(void)close(fd);
	}
	link_path(g, what, ifindex, path, sizeof(path));
	(void)unlink(path);
}
