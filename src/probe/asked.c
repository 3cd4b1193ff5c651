/* SPDX-License-Identifier: BSD-2-Clause */
/* See asked.h. */
#include "probe/asked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/thread.h"
#include "probe/internal.h"
#include "probe/percpu.h"
#include "asked.skel.h"

#define UPROBE_TYPE "/sys/bus/event_source/devices/uprobe/type"
#define MAX_LINKS (64 * 2 * 8)
#define CLOSERS 32
#define CLOSER_STACK (128U << 10)

struct probe_asked {
	struct netprobe_asked *skel;
	struct bpf_link *links[MAX_LINKS];
	unsigned int n_links, n_closed;
	struct ring_buffer *ring;
	probe_asked_fn fn; /* of the poll under way */
	void *arg;
	int n;
};

/*
 * What a caller waits in; the name is the first argument of each. gethostbyname and gethostbyname2 wait in these too
 * (glibc 2.36, musl 1.2): probes of their own would tell nothing more, and each costs 0.1 s to take off.
 */
static const char *const functions[] = { "getaddrinfo", "gethostbyname_r", "gethostbyname2_r" };

/*
 * From 6.11 to 6.13 a uretprobe on x86-64 is a system call, and a process whose seccomp filter does
 * not know it is killed for it; 6.14 lets it pass ("seccomp: passthrough uretprobe systemcall
 * without filtering"), and the stable 6.12.14 and 6.13.3 do so as well.
 */
static bool return_probes_are_safe(const char *release)
{
#ifdef __x86_64__
	unsigned int major = 0, minor = 0, patch = 0;

	(void)sscanf(release, "%u.%u.%u", &major, &minor, &patch);
	if (major != 6 || minor < 11 || minor > 13)
		return true;
	return (minor == 12 && patch >= 14) || (minor == 13 && patch >= 3);
#else
	(void)release;
	return true;
#endif
}

const char *probe_asked_missing(char *buf, unsigned int size)
{
	struct utsname u;

	if (access(UPROBE_TYPE, F_OK)) {
		(void)snprintf(buf, size, "this kernel has no uprobes (CONFIG_UPROBE_EVENTS)");
		return buf;
	}
	if (!uname(&u) && !return_probes_are_safe(u.release)) {
		(void)snprintf(
			buf, size,
			"return probes of kernel %.60s end processes under seccomp; 6.12.14, "
			"6.13.3 and 6.14 mend that",
			u.release);
		return buf;
	}
	return NULL;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct probe_asked *a = ctx;
	const struct np_ev_asked *ev = data;

	if (size < sizeof(*ev) || ev->hdr.len < sizeof(*ev) || ev->name[NP_ASKED_NAME - 1])
		return 0;
	a->n++;
	if (a->fn)
		a->fn(ev, a->arg);
	return 0;
}

int probe_asked_open(struct probe *p, struct probe_asked **ret_asked, struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	struct probe_asked *a;
	char why[160];
	int r;

	if (probe_asked_missing(why, sizeof(why)))
		return error_set(err, -EOPNOTSUPP, "who asked a resolver is not told: %s", why);
	a = calloc(1, sizeof(*a));
	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	a->skel = netprobe_asked__open_opts(&open_opts);
	r = a->skel ? netprobe_asked__load(a->skel) : -errno;
	if (!r) {
		a->ring = ring_buffer__new(bpf_map__fd(a->skel->maps.np_asked_ring), on_ring, a,
					   NULL);
		r = a->ring ? 0 : -errno;
	}
	if (r) {
		(void)probe_asked_close(a);
		return error_set(err, r, "cannot load the BPF programs for libc's resolver: %s",
				 strerror(-r));
	}
	*ret_asked = a;
	return 0;
}

static void *closer(void *arg)
{
	struct probe_asked *a = arg;
	unsigned int i;

	while ((i = __atomic_fetch_add(&a->n_closed, 1, __ATOMIC_RELAXED)) < a->n_links)
		(void)bpf_link__destroy(a->links[i]);
	return NULL;
}

/*
 * Whoever closes a uprobe waits in the kernel for callers that are inside, under a lock (0.1 s on 6.18): at least what
 * comes after the lock is waited for by all at the same time.
 */
static void close_links(struct probe_asked *a)
{
	pthread_t threads[CLOSERS];
	pthread_attr_t attr;
	unsigned int n = 0;

	if (!pthread_attr_init(&attr)) {
		(void)pthread_attr_setstacksize(&attr, CLOSER_STACK);
		while (n < CLOSERS && n + 1 < a->n_links &&
		       !thread_start(&threads[n], &attr, closer, a))
			n++;
		(void)pthread_attr_destroy(&attr);
	}
	(void)closer(a);
	while (n)
		(void)pthread_join(threads[--n], NULL);
}

struct probe_asked *probe_asked_close(struct probe_asked *a)
{
	if (!a)
		return NULL;
	close_links(a);
	ring_buffer__free(a->ring);
	netprobe_asked__destroy(a->skel);
	free(a);
	return NULL;
}

static int attach_one(struct probe_asked *a, const char *path, const char *function, bool at_return)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = function, .retprobe = at_return);
	struct bpf_program *prog = at_return ? a->skel->progs.np_asked_out
					     : a->skel->progs.np_asked_in;
	struct bpf_link *link;

	if (a->n_links == MAX_LINKS)
		return -ENOSPC;
	link = bpf_program__attach_uprobe_opts(prog, -1, path, 0, &opts);
	if (!link)
		return -errno;
	a->links[a->n_links++] = link;
	return 0;
}

int probe_asked_attach(struct probe_asked *a, const char *path)
{
	int n = 0, failed = 0;

	/* The return first: a call that began must not stay without its end. */
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		int r = attach_one(a, path, functions[i], true);

		if (!r)
			r = attach_one(a, path, functions[i], false);
		if (!r)
			n++;
		else if (r != -ENOENT)
			failed = r;
	}
	return n ? n : failed;
}

int probe_asked_poll(struct probe_asked *a, probe_asked_fn fn, void *arg)
{
	int r;

	a->fn = fn;
	a->arg = arg;
	a->n = 0;
	r = ring_buffer__consume(a->ring);
	a->fn = NULL;
	return r < 0 ? r : a->n;
}

int probe_asked_losses(const struct probe_asked *a, struct np_asked_loss *ret_loss)
{
	return percpu_sum(a->skel->maps.np_asked_loss, ret_loss, sizeof(*ret_loss));
}
