/* SPDX-License-Identifier: BSD-2-Clause */
/* See pins.h. */
#include "balance/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bpffs.h"
#include "base/log.h"
#include "base/sweep.h"
#include "wire/lb.h"

#include "lb.skel.h"

#define XDP_HAS_FRAGS (1u << 5) /* BPF_F_XDP_HAS_FRAGS; not in every header */
#define PIN_PATH (PATH_MAX + 32)
#define COOKIE_OPTION 71 /* SO_NETNS_COOKIE, 5.14; not in every header */

static const struct {
	const char *name;
	uint32_t value_bytes; /* 0: not looked at */
} pin_table[PINS] = {
	[PIN_PROG] = { "np_lb", 0 },
	[PIN_VIPS] = { "lb_vips", sizeof(struct lb_vip) },
	[PIN_BACKENDS] = { "lb_backends", sizeof(struct lb_backend) },
	[PIN_RINGS] = { "lb_rings", sizeof(uint32_t) },
	[PIN_CONNS] = { "lb_conns", sizeof(struct lb_set) },
	[PIN_VIP_COUNT] = { "lb_vip_count", sizeof(struct lb_count) },
	[PIN_BE_COUNT] = { "lb_be_count", sizeof(struct lb_count) },
	[PIN_TOTALS] = { "lb_totals", sizeof(uint64_t) },
	[PIN_CONFIG] = { "lb_config", sizeof(struct lb_config) },
	[PIN_VIP_CONF] = { "lb_vip_conf", sizeof(struct lb_vip_conf) },
	[PIN_BE_CONF] = { "lb_be_conf", sizeof(struct lb_backend_conf) },
	[PIN_LINKS] = { "lb_links", sizeof(struct lb_link) },
};

static int on_libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[512];

	(void)level;
	(void)vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

static uint64_t namespace_inode(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* A number of this namespace that no other one ever gets; before 5.14 its inode, which may come again. */
static uint64_t namespace_id(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd >= 0) {
		if (getsockopt(fd, SOL_SOCKET, COOKIE_OPTION, &cookie, &len))
			cookie = 0;
		close(fd);
	}
	return cookie ?: namespace_inode();
}

static int find_dir(struct pins *p, bool create, struct netprobe_error *err)
{
	int r = create ? bpffs_ready(err) : 0;

	if (r)
		return r;
	(void)snprintf(p->dir, sizeof(p->dir), "%s/netprobe", bpffs_root());
	if (create && mkdir(p->dir, 0700) && errno != EEXIST)
		return error_set(err, -errno, "%s cannot be made: %s", p->dir, strerror(errno));
	(void)snprintf(p->dir, sizeof(p->dir), "%s/netprobe/lb-%llx", bpffs_root(),
		       (unsigned long long)namespace_id());
	if (create && mkdir(p->dir, 0700) && errno != EEXIST)
		return error_set(err, -errno, "%s cannot be made: %s", p->dir, strerror(errno));
	return 0;
}

static void pin_path(const struct pins *p, unsigned int i, char path[PIN_PATH])
{
	(void)snprintf(path, PIN_PATH, "%s/%s", p->dir, pin_table[i].name);
}

int pins_lock(struct pins *p)
{
	int r;

	do {
		r = flock(p->lock, LOCK_EX) ? -errno : 0;
	} while (r == -EINTR);
	return r;
}

void pins_unlock(struct pins *p)
{
	(void)flock(p->lock, LOCK_UN);
}

static void close_fds(struct pins *p)
{
	for (unsigned int i = 0; i < PINS; i++) {
		if (p->fds[i] >= 0)
			close(p->fds[i]);
		p->fds[i] = -1;
	}
}

void pins_close(struct pins *p)
{
	close_fds(p);
	/* Not by closing alone: a process that was forked meanwhile has the descriptor too, and the lock would stay. */
	if (p->lock >= 0) {
		pins_unlock(p);
		close(p->lock);
	}
	p->lock = -1;
}

static void unlink_all(const struct pins *p)
{
	char path[PIN_PATH];

	for (unsigned int i = 0; i < PINS; i++) {
		pin_path(p, i, path);
		(void)unlink(path);
	}
}

int pins_remove(struct pins *p, struct netprobe_error *err)
{
	char parent[PATH_MAX];

	unlink_all(p);
	if (rmdir(p->dir) && errno != ENOENT)
		return error_set(err, -errno, "%s cannot be removed: %s", p->dir, strerror(errno));
	(void)snprintf(parent, sizeof(parent), "%s/netprobe", bpffs_root());
	(void)rmdir(parent); /* others may have theirs in there */
	return 0;
}

static int other_version(const struct pins *p, struct netprobe_error *err)
{
	error_set(err, -EPROTO, "%s was made by another version of netprobe", p->dir);
	error_hint(err, "take it off with that version, or rm -r %s", p->dir);
	return -EPROTO;
}

static int adopt_one(struct pins *p, unsigned int i, struct netprobe_error *err)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	struct lb_config config;
	char path[PIN_PATH];

	pin_path(p, i, path);
	p->fds[i] = bpf_obj_get(path);
	if (p->fds[i] < 0)
		return -errno;
	if (!pin_table[i].value_bytes)
		return 0;
	if (bpf_obj_get_info_by_fd(p->fds[i], &info, &len))
		return -errno;
	if (info.value_size != pin_table[i].value_bytes)
		return other_version(p, err);
	if (i != PIN_CONFIG)
		return 0;
	if (bpf_map_lookup_elem(p->fds[i], &zero, &config))
		return -errno;
	return config.version == LB_VERSION ? 0 : other_version(p, err);
}

/* -ENOENT: not all of them are there, so whoever made them was killed before anything used them. */
static int adopt(struct pins *p, struct netprobe_error *err)
{
	/* First whose they are: another version may have others. */
	int r = adopt_one(p, PIN_CONFIG, err);

	for (unsigned int i = 0; !r && i < PINS; i++)
		r = i == PIN_CONFIG ? 0 : adopt_one(p, i, err);
	if (r && r != -EPROTO && r != -ENOENT)
		error_set(err, r, "%s cannot be opened: %s", p->dir, strerror(-r));
	if (r)
		close_fds(p);
	return r;
}

static int pin_one(struct pins *p, unsigned int i, int fd)
{
	char path[PIN_PATH];

	pin_path(p, i, path);
	p->fds[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (p->fds[i] < 0)
		return fd < 0 ? -ENOENT : -errno;
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

/* Before the first pin: who finds them all finds this, too, whenever the one who made them was killed. */
static int first_config(const struct netprobe_lb *skel)
{
	struct lb_config config = {
		.udp_idle = 60,
		.new_flows_cpu = 100000,
		.gen = 1,
		.too_big_cpu = 1000,
		.version = LB_VERSION,
		.netns_inode = namespace_inode(),
	};
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.lb_config), &zero, &config, BPF_ANY)
		       ? -errno
		       : 0;
}

/* Room for at least so many flows. */
static int size_table(struct netprobe_lb *skel, uint32_t conns)
{
	uint32_t sets = 1;

	while (sets * LB_WAYS < conns && sets < 1u << 24)
		sets *= 2;
	skel->rodata->cfg_set_mask = sets - 1;
	return bpf_map__set_max_entries(skel->maps.lb_conns, sets);
}

/*
 * Frames in several buffers where the kernel has them: also because guard's own program takes them
 * there, and a program goes on only into one of the same kind.
 */
static int take_frags(struct netprobe_lb *skel)
{
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) != 1)
		return 0;
	skel->rodata->cfg_frags = 1;
	return bpf_program__set_flags(skel->progs.np_lb, XDP_HAS_FRAGS);
}

static int load(struct pins *p, const struct pins_opts *opts, struct netprobe_error *err)
{
	libbpf_print_fn_t was = libbpf_set_print(on_libbpf_print);
	struct netprobe_lb *skel = netprobe_lb__open();
	int r = skel ? 0 : -errno;

	if (!r && opts && opts->conns)
		r = size_table(skel, opts->conns);
	if (!r)
		r = take_frags(skel);
	if (!r)
		r = netprobe_lb__load(skel);
	if (!r)
		r = first_config(skel);
	/* Left over from one that died half way: nothing adopts half a set. */
	unlink_all(p);
	for (unsigned int i = 0; !r && i < PINS; i++)
		r = pin_one(p, i,
			    i == PIN_PROG ? bpf_program__fd(skel->progs.np_lb)
					  : bpf_object__find_map_fd_by_name(skel->obj,
									    pin_table[i].name));
	netprobe_lb__destroy(skel);
	(void)libbpf_set_print(was);
	if (!r)
		return 0;
	close_fds(p);
	(void)pins_remove(p, NULL);
	error_set(err, r, "the balancer's program could not be loaded: %s", strerror(-r));
	if (r == -EPERM || r == -EACCES)
		error_hint(err, "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are needed");
	return r;
}

/* -ESTALE: whoever had the lock removed the folder. */
static int open_locked(struct pins *p)
{
	struct stat mine, there;
	int r;

	p->lock = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->lock < 0)
		return -errno;
	r = pins_lock(p);
	if (!r && (fstat(p->lock, &mine) || stat(p->dir, &there) || mine.st_ino != there.st_ino))
		r = -ESTALE;
	if (r)
		pins_close(p);
	return r;
}

int pins_open(bool create, const struct pins_opts *opts, struct pins *ret,
	      struct netprobe_error *err)
{
	struct pins p = { .lock = -1 };
	int r;

	memset(p.fds, 0xff, sizeof(p.fds));
	r = find_dir(&p, create, err);
	if (r)
		return r;
	r = open_locked(&p);
	if (r == -ESTALE && create)
		return pins_open(create, opts, ret, err);
	if (r == -ESTALE || r == -ENOENT)
		return -ENOENT;
	if (r)
		return error_set(err, r, "%s: %s", p.dir, strerror(-r));
	r = bpffs_check_owner(p.lock, p.dir, err);
	if (!r)
		r = adopt(&p, err);
	if (r == -ENOENT && create)
		r = load(&p, opts, err);
	if (r) {
		pins_close(&p);
		return r;
	}
	*ret = p;
	return 0;
}

/* Of the namespace that a folder's pins are for; 0: those of an older version do not tell. */
static uint64_t inode_of(const char *dir)
{
	struct lb_config config = {};
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	char path[PIN_PATH];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, pin_table[PIN_CONFIG].name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != sizeof(config) ||
	    bpf_map_lookup_elem(fd, &zero, &config) || config.version != LB_VERSION)
		config.netns_inode = 0;
	(void)close(fd);
	return config.netns_inode;
}

static bool is_held(const char *dir)
{
	char path[PIN_PATH];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/netprobe/guard-%llu", bpffs_root(),
		       (unsigned long long)inode_of(dir));
	return !stat(path, &st);
}

void pins_sweep(void)
{
	static const struct sweep_kind kind = { "lb-", inode_of, is_held };

	sweep_folders(&kind);
}
