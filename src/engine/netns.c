/* SPDX-License-Identifier: BSD-2-Clause */
/* See netns.h. */
#include "engine/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED "/run/netns"

uint32_t netns_inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

static int rtnetlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct timeval timeout = { .tv_usec = 200000 };

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

int netns_rtnetlink(const char *path, int own_fd)
{
	int ns, fd;

	if (!path)
		return rtnetlink();
	if (own_fd < 0)
		return -EBADF;
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return -errno;
	if (setns(ns, CLONE_NEWNET)) {
		fd = -errno;
	} else {
		fd = rtnetlink();
		if (setns(own_fd, CLONE_NEWNET))
			abort(); /* never go on in a namespace that is not ours */
	}
	(void)close(ns);
	return fd;
}

static int each_in(const char *folder, const char *suffix,
		   int (*fn)(uint32_t inode, const char *path, void *arg), void *arg)
{
	DIR *d = opendir(folder);
	const struct dirent *de;
	int r = 0;

	while (d && !r && (de = readdir(d))) {
		char path[300];
		uint32_t inode;

		if (de->d_name[0] == '.' || (*suffix && !isdigit((unsigned char)de->d_name[0])))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s%s", folder, de->d_name, suffix);
		inode = netns_inode(path);
		if (inode)
			r = fn(inode, path, arg);
	}
	if (d)
		(void)closedir(d);
	return r;
}

int netns_each(int (*fn)(uint32_t inode, const char *path, void *arg), void *arg)
{
	int r = each_in(NAMED, "", fn, arg);

	return r ? r : each_in("/proc", "/ns/net", fn, arg);
}

#define SEEN 1024

struct search {
	const char *name;
	int own; /* our namespace */
	uint32_t seen[SEEN];
	unsigned int n;
};

static int look_in(uint32_t inode, const char *path, void *arg)
{
	struct ifreq ifr = { .ifr_name = "" };
	struct search *s = arg;
	int fd, found;

	for (unsigned int i = 0; i < s->n; i++)
		if (s->seen[i] == inode)
			return 0;
	if (s->n < SEEN)
		s->seen[s->n++] = inode;
	fd = netns_rtnetlink(path, s->own);
	if (fd < 0)
		return 0;
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", s->name);
	found = !ioctl(fd, SIOCGIFINDEX, &ifr);
	(void)close(fd);
	return found;
}

bool netns_has_interface(const char *name)
{
	struct search s = { .name = name };
	int found = 0;

	if (strlen(name) >= IFNAMSIZ)
		return false;
	if (if_nametoindex(name))
		return true;
	s.own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (s.own >= 0) {
		found = netns_each(look_in, &s);
		(void)close(s.own);
	}
	return found;
}
