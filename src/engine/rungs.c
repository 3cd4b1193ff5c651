/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing a rung (see rungs.h). */
#include "engine/rungs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/afpacket.h"
#include "capture/proc.h"

static int open_afpacket(const struct session_opts *opts, struct rung *ret_rung,
			 struct netprobe_error *err)
{
	return afpacket_open(&opts->packets, &opts->filter, ret_rung, err);
}

static int open_proc(const struct session_opts *opts, struct rung *ret_rung,
		     struct netprobe_error *err)
{
	return proc_open(&opts->filter, ret_rung, err);
}

static const struct {
	const char *name;
	int mode;
	int (*open)(const struct session_opts *opts, struct rung *ret_rung,
		    struct netprobe_error *err);
} ladder[] = {
	{ "ebpf", MODE_EBPF, ebpf_open },
	{ "afpacket", MODE_AFPACKET, open_afpacket },
	{ "proc", MODE_PROC, open_proc },
};

#define SPARE 12
#define RUNGS (sizeof(ladder) / sizeof(ladder[0]))

static void note_add(char *note, size_t size, const char *text)
{
	size_t n = strlen(note);

	if (*text && n < size)
		(void)snprintf(note + n, size - n, "%s%s", n ? "; " : "", text);
}

/* One line: the rung and why not those above, and last its own words about what it lacks. */
static void note_rung(char *note, size_t size, const struct rung *rung)
{
	const char *own = rung->ops->note ? rung->ops->note(rung->arg) : "";

	if (*note)
		log_notice("capture %s%s%s", note, *own ? "; " : "", own);
	else if (*own)
		log_notice("%s: %s", rung->ops->mode, own);
	note_add(note, size, own);
}

/* What runs needs descriptors of its own: loops, /proc, netlink. A rung that leaves none is none. */
struct spare {
	int fds[SPARE];
	unsigned int n;
};

static bool spare_take(struct spare *s)
{
	for (s->n = 0; s->n < SPARE; s->n++) {
		s->fds[s->n] = eventfd(0, EFD_CLOEXEC);
		if (s->fds[s->n] < 0)
			return false;
	}
	return true;
}

static void spare_give(struct spare *s)
{
	while (s->n)
		(void)close(s->fds[--s->n]);
}

static int too_few(struct netprobe_error *err)
{
	struct rlimit l = {};

	(void)getrlimit(RLIMIT_NOFILE, &l);
	return error_set(
		err, -EMFILE,
		"capture cannot start: only %llu descriptors may be open here (ulimit -n); ebpf "
		"takes about 120, the other modes about 40",
		(unsigned long long)l.rlim_cur);
}

static int open_explicit(const struct session_opts *opts, struct rung *ret_rung,
			 struct netprobe_error *err)
{
	for (unsigned int i = 0; i < RUNGS; i++)
		if (ladder[i].mode == opts->mode)
			return ladder[i].open(opts, ret_rung, err);
	return error_set(err, -EOPNOTSUPP, "this build has no such capture mode");
}

static int open_highest(const struct session_opts *opts, struct rung *ret_rung, char *note,
			size_t note_size, struct netprobe_error *err)
{
	char why[640] = ""; /* two messages of base/error.h and their heads */
	int r = -EOPNOTSUPP;

	for (unsigned int i = 0; i < RUNGS; i++) {
		char not [300];
		struct netprobe_error last = {};

		r = ladder[i].open(opts, ret_rung, &last);
		error_take(err, &last);
		if (!r) {
			if (i)
				(void)snprintf(note, note_size,
					       "mode %s, which sees this network namespace alone%s",
					       ladder[i].name, why);
			return 0;
		}
		if (r == -ENOMEM)
			log_debug("%s: out of memory", ladder[i].name);
		(void)snprintf(not, sizeof(not ), "; not %s: %s", ladder[i].name, last.msg);
		(void)snprintf(why + strlen(why), sizeof(why) - strlen(why), "%s", not );
	}
	return r;
}

int rungs_open(const struct session_opts *opts, struct rung *ret_rung, char *note, size_t note_size,
	       struct netprobe_error *err)
{
	struct spare spare;
	int r;

	note[0] = '\0';
	if (!spare_take(&spare))
		r = -EMFILE;
	else if (opts->mode == MODE_AUTO)
		r = open_highest(opts, ret_rung, note, note_size, err);
	else
		r = open_explicit(opts, ret_rung, err);
	spare_give(&spare);
	if (r == -EMFILE)
		return too_few(err);
	if (!r)
		note_rung(note, note_size, ret_rung);
	return r;
}

int session_try_mode(const struct session_opts *opts, int mode, struct netprobe_error *err)
{
	struct session_opts so = *opts;
	struct rung rung;
	int r;

	so.mode = mode;
	so.filter.gen = 1;
	r = open_explicit(&so, &rung, err);
	if (!r)
		rung.ops->close(rung.arg);
	return r;
}

const char *session_mode_name(int mode)
{
	for (unsigned int i = 0; i < RUNGS; i++)
		if (ladder[i].mode == mode)
			return ladder[i].name;
	return NULL;
}
