/* SPDX-License-Identifier: BSD-2-Clause */
/* See drops.h. */
#include "probe/drops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "base/log.h"
#include "probe/internal.h"
#include "probe/percpu.h"
#include "probe/pids.h"
#include "probe/reasons.h"
#include "drops.skel.h"

#define DROP_LINKS 4
#define SUMS_BATCH 256

struct probe_drops {
	struct probe *probe;
	struct netprobe_drops *skel;
	struct bpf_link *links[DROP_LINKS];
	unsigned int n_links;
	struct ring_buffer *ring;
	struct reasons reasons;
	char note[256];
	bool turned;	  /* the map that was written before is not drained yet */
	probe_drop_fn fn; /* of the probe_drops_poll call under way */
	void *arg;
	int n;
};

static bool can_hint(const struct probe *p)
{
	return !p->facts.trampoline_err && !p->store_hash;
}

static int choose(struct probe_drops *d, int args)
{
	struct probe *p = d->probe;
	struct bpf_program *prog;
	int r = 0;

	bpf_object__for_each_program (prog, d->skel->obj)
		(void)bpf_program__set_autoload(prog, false);
	prog = args >= 4   ? d->skel->progs.np_drop_sk
	       : args == 3 ? d->skel->progs.np_drop_reason
			   : d->skel->progs.np_drop_plain;
	r = bpf_program__set_autoload(prog, true);
	if (args < 3)
		(void)snprintf(d->note, sizeof(d->note),
			       "kernel %s gives no reasons for drops: only their location",
			       p->facts.release);
	if (r || args >= 4)
		return r;
	if (can_hint(p)) {
		struct bpf_program *hints[] = { d->skel->progs.np_hint_udp,
						d->skel->progs.np_hint_tcp4,
						d->skel->progs.np_hint_tcp6 };

		for (unsigned int i = 0; i < 3 && !r; i++)
			if (kernel_has_target(&p->facts, bpf_program__section_name(hints[i]), 0))
				r = bpf_program__set_autoload(hints[i], true);
	} else {
		size_t n = strlen(d->note);

		(void)snprintf(
			d->note + n, sizeof(d->note) - n,
			"%skernel %s does not say whose socket a received packet was for: their owner "
			"is unknown",
			n ? "; " : "", p->facts.release);
	}
	return r;
}

static int share_owners(struct probe_drops *d)
{
	struct netprobe_bpf *main_skel = d->probe->skel;
	int r;

	r = bpf_map__reuse_fd(d->skel->maps.np_socks, bpf_map__fd(main_skel->maps.np_socks));
	if (!r)
		r = bpf_map__reuse_fd(d->skel->maps.np_socks_h,
				      bpf_map__fd(main_skel->maps.np_socks_h));
	if (!r)
		r = bpf_map__reuse_fd(d->skel->maps.np_mains,
				      bpf_map__fd(main_skel->maps.np_mains));
	return r;
}

static int attach(struct probe_drops *d)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, d->skel->obj) {
		struct bpf_link *link;

		if (bpf_program__fd(prog) < 0 || d->n_links == DROP_LINKS)
			continue;
		link = bpf_program__attach(prog);
		if (!link)
			return -errno;
		d->links[d->n_links++] = link;
	}
	return 0;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct probe_drops *d = ctx;
	const struct np_ev_drop *ev = data;

	if (size < sizeof(*ev) || ev->hdr.len < sizeof(*ev) || ev->hdr.type != NP_EV_DROP)
		return 0;
	d->n++;
	if (d->fn)
		d->fn(ev, d->arg);
	return 0;
}

static void set_quiet(struct probe_drops *d, const struct probe_drops_opts *opts)
{
	struct netprobe_drops__rodata *ro = d->skel->rodata;
	const char *const *fn = opts->functions;

	for (uint32_t i = 0; i < NP_DROP_REASONS; i++)
		if (d->reasons.names[i] && opts->is_quiet &&
		    opts->is_quiet(d->reasons.names[i], NULL))
			ro->cfg_drop_quiet[i / 64] |= 1ULL << (i % 64);
	ro->cfg_unspecified = d->reasons.unspecified;
	ro->cfg_listen_overflow = d->reasons.listen_overflow;
	for (unsigned int i = 0; i < NP_DROP_QUIET && fn && fn[i]; i++)
		(void)snprintf((char *)ro->cfg_drop_quiet_in[i], sizeof(ro->cfg_drop_quiet_in[i]),
			       "%s", fn[i]);
}

/* Other namespaces may have another range: they nearly never do. */
static void set_ports(struct netprobe_drops__rodata *ro)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low, high;

	if (f && fscanf(f, "%u %u", &low, &high) == 2 && low && low <= high && high < 65536) {
		ro->cfg_port_low = (uint16_t)low;
		ro->cfg_port_high = (uint16_t)high;
	}
	if (f)
		(void)fclose(f);
}

static int load(struct probe_drops *d, const struct probe_drops_opts *opts)
{
	struct netprobe_drops *s = d->skel;
	int r;

	s->rodata->cfg_store_hash = d->probe->store_hash;
	set_quiet(d, opts);
	set_ports(s->rodata);
	if (opts->filter)
		filter_host(&s->data->np_filter, opts->filter);
	s->bss->st_stack = opts->stack;
	s->bss->st_show_quiet = opts->quiet;
	if (opts->key_events)
		s->data->st_key_events = opts->key_events;
	r = opts->ring_bytes ? bpf_map__set_max_entries(s->maps.np_drop_ring, opts->ring_bytes) : 0;
	if (!r)
		r = share_owners(d);
	if (!r)
		r = netprobe_drops__load(s);
	if (!r)
		r = attach(d);
	if (r)
		return r;
	d->ring = ring_buffer__new(bpf_map__fd(s->maps.np_drop_ring), on_ring, d, NULL);
	return d->ring ? 0 : -errno;
}

int probe_drops_open(struct probe *p, const struct probe_drops_opts *opts,
		     struct probe_drops **ret_drops, struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	struct probe_drops *d;
	int r, args;

	if (p->opts.family == NETPROBE_HOOK_FENTRY || p->opts.family == NETPROBE_HOOK_KPROBE) {
		error_set(err, -EOPNOTSUPP,
			  "drops are seen by a tracepoint (kfree_skb) only, not by %s",
			  family_label(p->opts.family));
		error_hint(
			err,
			"netprobe_config.hook takes NETPROBE_HOOK_AUTO or NETPROBE_HOOK_TRACEPOINT for that");
		return -EOPNOTSUPP;
	}
	if (!p->facts.btf_own)
		return error_set(
			err, -EOPNOTSUPP,
			"drops are seen by a BTF tracepoint, and this kernel has no BTF of its own");
	d = calloc(1, sizeof(*d));
	if (!d)
		return error_set(err, -ENOMEM, "out of memory");
	d->probe = p;
	kernel_btf_hold(&p->facts);
	args = kernel_drop_args(&p->facts);
	if (args < 2) {
		(void)probe_drops_close(d);
		return error_set(err, -EOPNOTSUPP,
				 "kernel %s has no tracepoint kfree_skb, which tells of drops",
				 p->facts.release);
	}
	reasons_init(&d->reasons, p->facts.btf);
	d->skel = netprobe_drops__open_opts(&open_opts);
	r = d->skel ? choose(d, args) : -errno;
	if (!r)
		r = load(d, opts);
	if (r) {
		(void)probe_drops_close(d);
		return error_set(err, r, "cannot load the BPF programs for drops: %s",
				 strerror(-r));
	}
	*ret_drops = d;
	return 0;
}

void probe_drops_stop(struct probe_drops *d)
{
	for (unsigned int i = 0; i < d->n_links; i++)
		(void)bpf_link__destroy(d->links[i]);
	d->n_links = 0;
}

struct probe_drops *probe_drops_close(struct probe_drops *d)
{
	if (!d)
		return NULL;
	probe_drops_stop(d);
	ring_buffer__free(d->ring);
	netprobe_drops__destroy(d->skel);
	kernel_btf_release(&d->probe->facts); /* its names of reasons were in there */
	free(d);
	return NULL;
}

void probe_drops_set_filter(struct probe_drops *d, const struct np_filter *filter)
{
	d->skel->data->np_filter =
		*filter; /* asked anew for each packet: there is no generation to raise */
}

void probe_drops_set_stack(struct probe_drops *d, bool on)
{
	d->skel->bss->st_stack = on;
}

int probe_drops_poll(struct probe_drops *d, probe_drop_fn fn, void *arg)
{
	int r;

	d->fn = fn;
	d->arg = arg;
	d->n = 0;
	r = ring_buffer__consume(d->ring);
	d->fn = NULL;
	return r < 0 ? r : d->n;
}

static int sums_fd(const struct probe_drops *d, bool b)
{
	return bpf_map__fd(b ? d->skel->maps.np_drop_sums_b : d->skel->maps.np_drop_sums_a);
}

int probe_drops_sums(struct probe_drops *d, probe_drop_sum_fn fn, void *arg)
{
	int fd = sums_fd(d, d->skel->bss->st_sums_gen);
	struct np_drop_key key, next;
	struct np_drop_sum sum;
	bool first = true;

	/* Entries are not deleted while the map is written, so the walk meets each exactly once. */
	while (!bpf_map_get_next_key(fd, first ? NULL : &key, &next)) {
		first = false;
		key = next;
		if (!bpf_map_lookup_elem(fd, &key, &sum))
			fn(&key, &sum, arg);
	}
	return errno == ENOENT ? 0 : -errno;
}

uint32_t probe_drops_kinds(const struct probe_drops *d)
{
	const struct netprobe_drops__bss *st = d->skel->bss;

	return st->st_keys[st->st_sums_gen & 1];
}

void probe_drops_turn(struct probe_drops *d)
{
	struct netprobe_drops__bss *st = d->skel->bss;

	if (d->turned) /* what is not drained must not be written again */
		return;
	d->turned = true;
	__atomic_store_n(&st->st_sums_gen, !st->st_sums_gen, __ATOMIC_SEQ_CST);
	probe_wait_for_programs();
}

int probe_drops_drain(struct probe_drops *d, probe_drop_sum_fn fn, void *arg)
{
	struct netprobe_drops__bss *st = d->skel->bss;
	bool b = !st->st_sums_gen;
	struct np_drop_key *keys = calloc(SUMS_BATCH, sizeof(*keys));
	struct np_drop_sum *sums = calloc(SUMS_BATCH, sizeof(*sums));
	int r = !d->turned ? -ENOENT : keys && sums ? 0 : -ENOMEM;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 in = 0, out = 0, count;

	for (bool first = true; !r; first = false) {
		count = SUMS_BATCH;
		r = bpf_map_lookup_and_delete_batch(sums_fd(d, b), first ? NULL : &in, &out, keys,
						    sums, &count, &opts);
		if (r && r != -ENOENT)
			break; /* what is left waits for the next call */
		for (__u32 i = 0; i < count; i++)
			fn(&keys[i], &sums[i], arg);
		st->st_keys[b] -= count;
		in = out;
	}
	free(keys);
	free(sums);
	if (r != -ENOENT)
		return r;
	d->turned = false;
	return 0;
}

int probe_drops_losses(const struct probe_drops *d, struct np_drop_loss *ret_loss,
		       uint64_t *ret_missed)
{
	int r = percpu_sum(d->skel->maps.np_drop_loss, ret_loss, sizeof(*ret_loss));
	struct bpf_program *prog;

	*ret_missed = 0;
	bpf_object__for_each_program (prog, d->skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (bpf_program__fd(prog) >= 0 && !strncmp(bpf_program__name(prog), "np_drop", 7) &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			*ret_missed += info.recursion_misses;
	}
	return r;
}

unsigned int probe_drops_stack(const struct probe_drops *d, int32_t id,
			       uint64_t ret_frames[NP_DROP_STACK_DEPTH])
{
	unsigned int n = 0;

	memset(ret_frames, 0, NP_DROP_STACK_DEPTH * sizeof(*ret_frames));
	if (id < 0 ||
	    bpf_map_lookup_elem(bpf_map__fd(d->skel->maps.np_drop_stacks), &id, ret_frames))
		return 0;
	while (n < NP_DROP_STACK_DEPTH && ret_frames[n])
		n++;
	return n;
}

const char *probe_drops_reason(const struct probe_drops *d, uint32_t reason, char *buf, size_t size)
{
	return reasons_name(&d->reasons, reason, buf, size);
}

bool probe_drops_has_reasons(const struct probe_drops *d)
{
	return d->reasons.n != 0;
}

const char *probe_drops_note(const struct probe_drops *d)
{
	return d->note;
}
