/* SPDX-License-Identifier: BSD-2-Clause */
/* See waits.h. */
#include "probe/waits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe/internal.h"
#include "probe/percpu.h"
#include "waits.skel.h"

#define WAIT_LINKS 8
#define KEEP_NS 60000000000ULL /* a hook that has nothing to tell any more */

/* A hook that is attached while it is needed. */
struct lazy {
	struct bpf_program *prog;
	struct bpf_link *link;
	uint32_t need; /* when it was last looked at */
	uint64_t needed_ns;
	bool failed;
};

struct probe_waits {
	struct probe *probe;
	struct netprobe_waits *skel;
	struct bpf_link *links[WAIT_LINKS];
	unsigned int n_links;
	struct lazy read, left;
	char note[200];
};

static bool want(struct probe_waits *w, struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	bool function = strncmp(section, "tp_btf/", 7) != 0;

	if ((function && w->probe->facts.trampoline_err) ||
	    !kernel_has_target(&w->probe->facts, section, 0))
		return false;
	return !bpf_program__set_autoload(prog, true);
}

/* Tracepoints of 6.3 see all of it; before, what stands in for them. */
static int choose(struct probe_waits *w)
{
	struct netprobe_waits *s = w->skel;
	struct bpf_program *prog;
	bool tcp, udp, sent;

	bpf_object__for_each_program (prog, s->obj)
		(void)bpf_program__set_autoload(prog, false);
	if (!want(w, s->progs.np_wait_read) || !want(w, s->progs.np_wait_left))
		return -EOPNOTSUPP;
	if (want(w, s->progs.np_wait_ready)) {
		tcp = udp = want(w, s->progs.np_wait_recv);
		sent = want(w, s->progs.np_wait_send);
	} else {
		tcp = want(w, s->progs.np_wait_probe);
		udp = want(w, s->progs.np_wait_udp) && want(w, s->progs.np_wait_consume);
		sent = want(w, s->progs.np_wait_sendmsg);
	}
	if (!tcp)
		return -EOPNOTSUPP;
	if (!udp || !sent)
		(void)snprintf(w->note, sizeof(w->note),
			       "kernel %s shows no waits%s%s%s: it takes no BPF trampolines",
			       w->probe->facts.release, udp ? "" : " of datagrams",
			       !udp && !sent ? " and" : "", sent ? "" : " in send queues");
	return 0;
}

/*
 * Not attached, but called by the program of the probe at the same hook, where that is there: 1. Else 0,
 * or a negative errno.
 */
static int follow(struct probe_waits *w, struct bpf_program *prog)
{
	struct netprobe_bpf *main_skel = w->probe->skel;
	int fd = bpf_program__fd(prog);
	struct bpf_program *first;
	struct bpf_map *after;
	__u32 slot = 0;

	if (prog == w->skel->progs.np_wait_send) {
		first = main_skel->progs.np_send_tp;
		after = main_skel->maps.np_after_send;
	} else if (prog == w->skel->progs.np_wait_recv) {
		first = main_skel->progs.np_recv_tp;
		after = main_skel->maps.np_after_recv;
	} else {
		return 0;
	}
	if (bpf_program__fd(first) < 0)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(after), &slot, &fd, BPF_ANY) ? -errno : 1;
}

static void unfollow(struct probe_waits *w)
{
	struct netprobe_bpf *main_skel = w->probe->skel;
	__u32 slot = 0;

	(void)bpf_map_delete_elem(bpf_map__fd(main_skel->maps.np_after_send), &slot);
	(void)bpf_map_delete_elem(bpf_map__fd(main_skel->maps.np_after_recv), &slot);
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* 1: it has just been attached. */
static int lazy_poll(struct lazy *l, uint32_t need, bool always, uint64_t now_ns)
{
	bool want;

	if (need != l->need)
		l->needed_ns = now_ns;
	l->need = need;
	want = always || (l->needed_ns && now_ns - l->needed_ns < KEEP_NS);
	if (!l->prog || l->failed || want == (l->link != NULL))
		return 0;
	if (!want) {
		(void)bpf_link__destroy(l->link);
		l->link = NULL;
		return 0;
	}
	l->link = bpf_program__attach(l->prog);
	if (!l->link) {
		l->failed = true;
		return -errno;
	}
	return 1;
}

int probe_waits_poll(struct probe_waits *w, uint64_t now_ns, bool reads)
{
	struct netprobe_waits__bss *st = w->skel->bss;
	/* before 6.3 receive calls do not tell by themselves what they took */
	bool always = reads || bpf_program__fd(w->skel->progs.np_wait_recv) < 0;
	int r, s;

	if (!w->read.link)
		st->st_read_ns = UINT64_MAX;
	r = lazy_poll(&w->read, st->st_need_read, always, now_ns);
	if (r > 0)
		st->st_read_ns = monotonic_ns();
	s = lazy_poll(&w->left, st->st_need_left, false, now_ns);
	return r < 0 ? r : s < 0 ? s : 0;
}

static int load(struct probe_waits *w)
{
	struct netprobe_bpf *main_skel = w->probe->skel;
	struct netprobe_waits *s = w->skel;
	struct bpf_program *prog;
	int r;

	s->rodata->cfg_store_hash = w->probe->store_hash;
	r = bpf_map__reuse_fd(s->maps.np_socks, bpf_map__fd(main_skel->maps.np_socks));
	if (!r)
		r = bpf_map__reuse_fd(s->maps.np_socks_h, bpf_map__fd(main_skel->maps.np_socks_h));
	if (!r)
		r = netprobe_waits__load(s);
	if (r)
		return r;
	bpf_object__for_each_program (prog, s->obj) {
		struct bpf_link *link;

		if (bpf_program__fd(prog) < 0 || w->n_links == WAIT_LINKS)
			continue;
		if (prog == s->progs.np_wait_read || prog == s->progs.np_wait_left)
			continue;
		r = follow(w, prog);
		if (r < 0)
			return r;
		if (r)
			continue;
		link = bpf_program__attach(prog);
		if (!link)
			return -errno;
		w->links[w->n_links++] = link;
	}
	w->read.prog = s->progs.np_wait_read;
	w->left.prog = s->progs.np_wait_left;
	return probe_waits_poll(w, 0, false);
}

int probe_waits_open(struct probe *p, struct probe_waits **ret_waits, struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	struct probe_waits *w = calloc(1, sizeof(*w));
	bool lacks;
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->probe = p;
	w->skel = netprobe_waits__open_opts(&open_opts);
	r = w->skel ? 0 : -errno;
	kernel_btf_hold(&p->facts);
	if (!r)
		r = choose(w);
	kernel_btf_release(&p->facts);
	lacks = r == -EOPNOTSUPP;
	if (!r)
		r = load(w);
	if (r) {
		(void)probe_waits_close(w);
		if (!lacks)
			return error_set(
				err, r,
				"cannot load the BPF programs for netprobe_config.enable_latency: %s",
				strerror(-r));
		return error_set(
			err, r,
			"netprobe_config.enable_latency: kernel %s has not the tracepoints tcp_probe, "
			"tcp_rcv_space_adjust and net_dev_queue",
			p->facts.release);
	}
	*ret_waits = w;
	return 0;
}

struct probe_waits *probe_waits_close(struct probe_waits *w)
{
	if (!w)
		return NULL;
	unfollow(w);
	for (unsigned int i = 0; i < w->n_links; i++)
		(void)bpf_link__destroy(w->links[i]);
	(void)bpf_link__destroy(w->read.link);
	(void)bpf_link__destroy(w->left.link);
	netprobe_waits__destroy(w->skel);
	free(w);
	return NULL;
}

int probe_waits_each(struct probe_waits *w,
		     void (*fn)(const struct np_wait_key *key, const struct np_wait_hist *h,
				void *arg),
		     void *arg)
{
	int fd = bpf_map__fd(w->skel->maps.np_waits);
	struct np_wait_key key, next;
	struct np_wait_hist h;
	bool first = true;

	/* Only user space deletes, and not during the walk: no entry is met twice. */
	while (!bpf_map_get_next_key(fd, first ? NULL : &key, &next)) {
		first = false;
		key = next;
		if (!bpf_map_lookup_elem(fd, &key, &h))
			fn(&key, &h, arg);
	}
	return errno == ENOENT ? 0 : -errno;
}

void probe_waits_forget(struct probe_waits *w, const struct np_wait_key *key)
{
	(void)bpf_map_delete_elem(bpf_map__fd(w->skel->maps.np_waits), key);
}

int probe_waits_losses(const struct probe_waits *w, struct np_wait_loss *ret_loss)
{
	return percpu_sum(w->skel->maps.np_wait_loss, ret_loss, sizeof(*ret_loss));
}

const char *probe_waits_note(const struct probe_waits *w)
{
	return w->note;
}
