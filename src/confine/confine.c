/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up rights (see confine.h). */
#include "confine/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine/internal.h"

/* Still used while it runs, and by what. */
static const struct {
	unsigned int cap;
	const char *name;
	bool bpf_only;
} kept[] = {
	{ CAP_BPF, "CAP_BPF", true },	      /* iterators, maps; programs that ctl switches on */
	{ CAP_PERFMON, "CAP_PERFMON", true }, /* the same, and uprobes on libraries that appear */
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", true },    /* cgroup programs; connection tracking */
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true },    /* routes inside other network namespaces */
	{ CAP_SYSLOG, "CAP_SYSLOG", true },	     /* names of kernel addresses in stacks */
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false }, /* exe and descriptors of others in /proc */
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
	  false }, /* the same; a config that is read again */
};

#define KEPT (sizeof(kept) / sizeof(kept[0]))

/* The kernel has it where it tracks connections in this network namespace (nf_conntrack). */
static bool is_tracked(void)
{
	return !access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK);
}

static bool stays(const struct confine_opts *opts, unsigned int i)
{
	bool used = opts->bpf || !kept[i].bpf_only ||
		    (opts->nat && kept[i].cap == CAP_NET_ADMIN && is_tracked());

	return used && capng_have_capability(CAPNG_PERMITTED, kept[i].cap);
}

void confine_caps(const struct confine_opts *opts, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	if (capng_get_caps_process())
		return;
	for (unsigned int i = 0; i < KEPT && n < size; i++)
		if (stays(opts, i))
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "",
					      kept[i].name);
	if (!n)
		(void)snprintf(buf, size, "none");
}

/* The bounding set too, where that may be done: nothing comes back by an exec that gets through. */
static int drop_caps(const struct confine_opts *opts)
{
	bool keep[KEPT], bounds;

	if (capng_get_caps_process())
		return EPERM;
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (unsigned int i = 0; i < KEPT; i++)
		keep[i] = stays(opts, i);
	capng_clear(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
	for (unsigned int i = 0; i < KEPT; i++)
		if (keep[i])
			(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
					   kept[i].cap);
	return capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ? EPERM : 0;
}

void confine_opener(void)
{
	bool keep, search, bounds;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!capng_get_caps_process()) {
		bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
		keep = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
		search = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
		capng_clear(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
		if (keep)
			(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
					   CAP_DAC_OVERRIDE);
		if (search)
			(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
					   CAP_DAC_READ_SEARCH);
		(void)capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
	}
	(void)seccomp_install_opener();
}

void confine(const struct confine_opts *opts, struct confined *ret)
{
	*ret = (struct confined){ .landlock_err = -1 };
	confine_caps(opts, ret->caps, sizeof(ret->caps));
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	ret->no_new_privs = !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (opts->landlock)
		ret->landlock_err = landlock_install();
	ret->caps_err = drop_caps(opts);
	ret->seccomp_err = seccomp_install(opts);
}
