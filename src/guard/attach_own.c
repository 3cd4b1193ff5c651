/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guard's programs at an interface that came here from another network namespace: they go on there with the lists of
 * the old one, whose pins are none of ours. Attach knows them by their names and maps, and puts its own there.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/attach.h"

#define MAPS_MAX 64
#define TCX_MAX 32
#define LINK_XDP 6  /* BPF_LINK_TYPE_XDP */
#define LINK_TCX 11 /* since 6.6 */

/* The map that only guard's programs have. */
static bool has_conf(const __u32 *ids, unsigned int n)
{
	bool found = false;

	for (unsigned int i = 0; i < n && !found; i++) {
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		found = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
			!strcmp(info.name, "np_guard_conf");
		if (fd >= 0)
			(void)close(fd);
	}
	return found;
}

bool attach_is_own(uint32_t prog_id)
{
	static const char name[] = "np_guard_";
	__u32 maps[MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)maps };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);
	bool own;

	own = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	      !strncmp(info.name, name, sizeof(name) - 1) &&
	      has_conf(maps, info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX);
	if (fd >= 0)
		(void)close(fd);
	return own;
}

/* The link of that program at that interface is taken off. -ENOENT: it has none. */
static int detach_link(uint32_t type, uint32_t ifindex, uint32_t prog_id)
{
	__u32 id = 0;
	int r = -ENOENT;

	while (r == -ENOENT && !bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd == -EPERM)
			return fd;
		/* libbpf 1.1 has no name for what TCX links tell: the number is in the same place as XDP's. */
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == type &&
		    info.prog_id == prog_id && info.xdp.ifindex == ifindex)
			r = bpf_link_detach(fd);
		if (fd >= 0)
			(void)close(fd);
	}
	return r;
}

/* The kernel before 6.6 knows no TCX: what is there by clsact is exchanged by its handle. */
static void take_tcx(uint32_t ifindex, int type)
{
	__u32 ids[TCX_MAX], n = TCX_MAX, flags = 0;

	if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)type, 0, &flags, ids, &n))
		return;
	for (__u32 i = 0; i < n && i < TCX_MAX; i++)
		if (attach_is_own(ids[i]))
			(void)detach_link(LINK_TCX, ifindex, ids[i]);
}

int attach_take_own(uint32_t ifindex, uint32_t xdp_id)
{
	int r = detach_link(LINK_XDP, ifindex, xdp_id);

	if (r)
		return r;
	take_tcx(ifindex, TCX_INGRESS);
	take_tcx(ifindex, TCX_EGRESS);
	return 0;
}
