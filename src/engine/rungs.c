/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing a rung (see rungs.h). */
#include "engine/rungs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "base/files.h"
#include "base/log.h"
#include "capture/afpacket.h"
#include "capture/proc.h"
#include "owner/memory.h"

#define EBPF_LEAST_MIB 56

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
	unsigned int files;
	unsigned int least_mib; /* of a cgroup's memory limit */
	int (*open)(const struct session_opts *opts, struct rung *ret_rung,
		    struct netprobe_error *err);
} ladder[] = {
	/* 45 on a quiet host; what the kernel keeps of each socket counts as well, and where that is all it kills */
	{ "ebpf", NETPROBE_CAPTURE_EBPF, FILES_EBPF, EBPF_LEAST_MIB, ebpf_open },
	{ "afpacket", NETPROBE_CAPTURE_AFPACKET, FILES_OTHER, 0, open_afpacket },
	{ "proc", NETPROBE_CAPTURE_PROC, FILES_OTHER, 0, open_proc },
};

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

static bool has_files(const struct session_opts *opts, unsigned int rung)
{
	unsigned int n = ladder[rung].files;

	if (ladder[rung].mode == NETPROBE_CAPTURE_EBPF && opts->probe.perf_buffer)
		n += (unsigned int)get_nprocs_conf();
	return files_are_free(n);
}

static int too_few(struct netprobe_error *err)
{
	struct rlimit l = {};

	(void)getrlimit(RLIMIT_NOFILE, &l);
	return error_set(
		err, -EMFILE,
		"capture cannot start: only %llu descriptors may be open here (ulimit -n); ebpf "
		"takes up to %u, the other modes %u",
		(unsigned long long)l.rlim_cur, FILES_EBPF, FILES_OTHER);
}

/* Its memory limit, where that is too little; else 0. */
static uint64_t too_little(unsigned int rung)
{
	uint64_t limit = ladder[rung].least_mib ? memory_limit("/proc", "/sys/fs/cgroup") : 0;

	return limit < (uint64_t)ladder[rung].least_mib << 20 ? limit : 0;
}

static int say_too_little(unsigned int rung, uint64_t limit, struct netprobe_error *err)
{
	error_set(err, -ENOSPC, "this cgroup's memory limit is %llu MiB, %s takes %u or more",
		  (unsigned long long)limit >> 20, ladder[rung].name, ladder[rung].least_mib);
	error_hint(err, "raise it (memory.max; systemd: MemoryMax=)");
	return -ENOSPC;
}

static int open_rung(const struct session_opts *opts, unsigned int rung, struct rung *ret_rung,
		     struct netprobe_error *err)
{
	uint64_t limit;

	if (!has_files(opts, rung))
		return too_few(err);
	limit = too_little(rung);
	if (limit)
		return say_too_little(rung, limit, err);
	return ladder[rung].open(opts, ret_rung, err);
}

static int open_explicit(const struct session_opts *opts, struct rung *ret_rung,
			 struct netprobe_error *err)
{
	for (unsigned int i = 0; i < RUNGS; i++)
		if (ladder[i].mode == opts->mode)
			return open_rung(opts, i, ret_rung, err);
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

		r = open_rung(opts, i, ret_rung, &last);
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
	int r;

	note[0] = '\0';
	if (opts->mode == NETPROBE_CAPTURE_AUTO)
		r = open_highest(opts, ret_rung, note, note_size, err);
	else
		r = open_explicit(opts, ret_rung, err);
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
