/* SPDX-License-Identifier: BSD-2-Clause */
/* See waits.h. */
#include "probe/waits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/internal.h"
#include "probe/percpu.h"
#include "waits.skel.h"

#define WAIT_LINKS 8

struct probe_waits {
	struct probe *probe;
	struct netprobe_waits *skel;
	struct bpf_link *links[WAIT_LINKS];
	unsigned int n_links;
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
		link = bpf_program__attach(prog);
		if (!link)
			return -errno;
		w->links[w->n_links++] = link;
	}
	return 0;
}

int probe_waits_open(struct probe *p, struct probe_waits **ret_waits, struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	struct probe_waits *w = calloc(1, sizeof(*w));
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
	if (r == -EOPNOTSUPP)
		error_set(err, r,
			  "--latency: kernel %s has not the tracepoints tcp_probe, "
			  "tcp_rcv_space_adjust and net_dev_queue",
			  p->facts.release);
	else if (!r)
		r = load(w);
	if (r) {
		(void)probe_waits_close(w);
		return err->code
			       ? r
			       : error_set(err, r, "cannot load the BPF programs for --latency: %s",
					   strerror(-r));
	}
	*ret_waits = w;
	return 0;
}

struct probe_waits *probe_waits_close(struct probe_waits *w)
{
	if (!w)
		return NULL;
	for (unsigned int i = 0; i < w->n_links; i++)
		(void)bpf_link__destroy(w->links[i]);
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
