/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and closing of the table of sockets (see socks.h). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/self.h"
#include "capture/mains.h"
#include "capture/refused.h"
#include "capture/socks_internal.h"

/* Whose descriptors can be read is asked of init's, which are somebody else's. */
static void note_owners(struct socks *s)
{
	DIR *d = opendir("/proc/1/fd");

	if (!d && (errno == EACCES || errno == EPERM))
		(void)snprintf(
			s->note, sizeof(s->note),
			"owners are known of the caller's own processes only; others need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
	else if (access("/proc/self/fd", R_OK))
		(void)snprintf(s->note, sizeof(s->note), "no owners: there is no /proc here");
	else if (self_in_pid_namespace())
		(void)snprintf(
			s->note, sizeof(s->note),
			"owners are known of processes of this pid namespace only, by their numbers here");
	if (d)
		(void)closedir(d);
}

static void ignore(const struct np_sock_rec *rec, void *arg)
{
	(void)rec;
	(void)arg;
}

int socks_open(const struct socks_opts *opts, struct socks **ret, struct netprobe_error *err)
{
	struct socks *s = calloc(1, sizeof(*s));
	struct refused_facts facts;
	struct stat st;
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->ended_tail = &s->ended;
	s->filter = *opts->filter;
	s->ask_fd = s->watch_fd = -1;
	s->cgroups = cgroup_table_new(NULL, 0);
	s->procfs = s->cgroups ? procfs_new("/proc", s->cgroups) : NULL;
	if (!s->procfs || index_init(&s->by_cookie, 1024, socks_cookie_hash) ||
	    index_init(&s->by_tuple, 1024, socks_tuple_hash) || mains_init(s)) {
		(void)socks_close(s);
		return error_set(err, -ENOMEM, "out of memory");
	}
	if (!stat("/proc/thread-self/ns/net", &st))
		s->netns = (uint32_t)st.st_ino;
	note_owners(s);
	s->watch_fd = diag_watch_open();
	r = s->ask_fd = diag_open();
	s->seeding = true;
	if (r >= 0)
		r = socks_sweep(s, false, ignore, NULL);
	s->seeding = false;
	if (r < 0) {
		(void)socks_close(s);
		refused_facts_init(&facts);
		return refused_diag(r, &facts, err);
	}
	if (s->watch_fd < 0)
		(void)snprintf(s->note, sizeof(s->note),
			       "connections shorter than an interval are not seen: %s",
			       strerror(-s->watch_fd));
	*ret = s;
	return 0;
}

static void free_one(struct socks *s, struct sock *k, void *arg)
{
	(void)arg;
	socks_drop(s, k);
}

struct socks *socks_close(struct socks *s)
{
	if (!s)
		return NULL;
	mains_done(s);
	if (s->by_cookie.slots && s->by_tuple.slots)
		socks_each(s, free_one, NULL);
	index_done(&s->by_cookie);
	index_done(&s->by_tuple);
	if (s->ask_fd >= 0)
		(void)close(s->ask_fd);
	if (s->watch_fd >= 0)
		(void)close(s->watch_fd);
	(void)procfs_free(s->procfs);
	(void)gone_free(s->gone);
	(void)cgroup_table_free(s->cgroups);
	free(s->events);
	free(s);
	return NULL;
}
