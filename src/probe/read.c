/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads what the kernel half counted: parts, events, losses. The sweep is sweep.c's. */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "probe/internal.h"

#define PARTS_BATCH 512
#define CLOSED_BATCH 256
#define BORN_NS 100000000ULL
#define READ_TRIES 8 /* a record may be being written for longer */

/* Any record: checked for its length before anybody looks at its type. */
static void deliver(struct probe *p, const void *data, size_t size)
{
	const struct np_ev_hdr *ev = data;

	if (size < sizeof(*ev) || ev->len < sizeof(*ev) || ev->len > size)
		return;
	if (ev->type != 0 && ev->type < NP_EV_MAX && ev->len < sizeof(struct np_ev_sock))
		return;
	p->n_events++;
	if (p->event_fn)
		p->event_fn(ev, p->event_arg);
}

#define PERF_BYTES (8U << 20) /* as the ring */
#define PERF_PAGES 64	      /* a processor */
#define PERF_RECORD_MAX 1024

_Static_assert(sizeof(struct np_ev_sock) + 8 <= PERF_RECORD_MAX, "a record and what perf pads");

static void on_ring(void *ctx, const void *data, size_t size)
{
	deliver(ctx, data, size);
}

/* A sample lies behind its size of four bytes: records want eight, so they are moved. */
static void on_perf(void *ctx, int cpu, void *data, __u32 size)
{
	uint64_t aligned[PERF_RECORD_MAX / sizeof(uint64_t)];

	(void)cpu;
	if (size > sizeof(aligned))
		return; /* of no program of ours */
	memcpy(aligned, data, size);
	deliver(ctx, aligned, size);
}

/* Pages of each processor's buffer, a power of two: together as large as the ring, but no smaller than PERF_PAGES. */
static size_t perf_pages(const struct probe *p, long page)
{
	size_t bytes = p->opts.ring_bytes ? p->opts.ring_bytes : PERF_BYTES, pages, n = 1;
	int cpus = libbpf_num_possible_cpus();

	pages = bytes / (size_t)page / (size_t)(cpus > 0 ? cpus : 1);
	if (!p->opts.ring_bytes && (p->opts.quiet || pages < PERF_PAGES))
		return PERF_PAGES;
	while (2 * n <= pages)
		n *= 2;
	return n;
}

static struct perf_buffer *perf_open(struct probe *p, long page)
{
	int fd = bpf_map__fd(p->skel->maps.np_events_perf);
	size_t pages = perf_pages(p, page);
	struct perf_buffer *b = perf_buffer__new(fd, pages, on_perf, NULL, p, NULL);

	/* What may be locked is limited where CAP_IPC_LOCK is not held. */
	if (!b && pages > PERF_PAGES)
		b = perf_buffer__new(fd, PERF_PAGES, on_perf, NULL, p, NULL);
	return b;
}

int probe_readers_init(struct probe *p)
{
	int fd = bpf_map__fd(p->skel->maps.np_sweep);
	long page = sysconf(_SC_PAGESIZE);
	size_t size = sizeof(struct np_sock_rec) * NP_SWEEP_SLOTS;
	void *map;

	if (p->opts.perf_buffer) {
		p->perf = perf_open(p, page);
		if (!p->perf)
			return -errno;
	} else {
		const struct bpf_map *ring = p->skel->maps.np_events;
		int r = event_ring_open(bpf_map__fd(ring), bpf_map__max_entries(ring),
					sizeof(struct np_ev_answer) + NP_ANSWER_BYTES, &p->ring);

		if (r)
			return r;
	}
	size = (size + (size_t)page - 1) / (size_t)page * (size_t)page;
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	p->slots = map;
	p->slots_size = size;
	return 0;
}

void probe_readers_done(struct probe *p)
{
	p->ring = event_ring_close(p->ring);
	perf_buffer__free(p->perf);
	p->perf = NULL;
	if (p->slots)
		(void)munmap((void *)p->slots, p->slots_size);
	p->slots = NULL;
}

void probe_wait_for_programs(void)
{
	/* GLOBAL is synchronize_rcu(); programs run inside RCU read sections. Absent on nohz_full kernels. */
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		(void)usleep(100000); /* far longer than any program runs */
}

typedef void (*drain_fn)(const void *key, const struct np_part *part, probe_part_fn fn, void *arg);

/* Every entry of a map that nobody writes, out of it. Keys are of that size. */
static int drain(int fd, size_t key_size, drain_fn one, probe_part_fn fn, void *arg)
{
	uint8_t *keys = calloc(PARTS_BATCH, key_size);
	struct np_part *parts = calloc(PARTS_BATCH, sizeof(*parts));
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 in = 0, out = 0, count;
	bool first = true;
	int total = 0, r = keys && parts ? 0 : -ENOMEM;

	while (!r) {
		count = PARTS_BATCH;
		r = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &in, &out, keys, parts,
						    &count, &opts);
		if (r && r != -ENOENT)
			break; /* -ENOSPC: a bucket larger than the batch; the next round has it */
		for (__u32 i = 0; i < count; i++)
			one(keys + i * key_size, &parts[i], fn, arg);
		total += (int)count;
		in = out;
		first = false;
	}
	free(keys);
	free(parts);
	return r && r != -ENOENT ? r : total;
}

/* Of a sum: a number that is another one for what differs beside the process. */
static uint64_t sum_id(const struct np_sum_key *key)
{
	uint64_t h = key->cgroup_id;

	h = (h ^ key->netns) * 0x9e3779b97f4a7c15ULL;
	h = (h ^ h >> 29 ^ key->ifindex) * 0xff51afd7ed558ccdULL;
	h = (h ^ h >> 32 ^ key->proto ^ (uint64_t)key->family << 8) * 0xc4ceb9fe1a85ec53ULL;
	return h | NP_SUM_ID;
}

static void on_sum(const void *data, const struct np_part *sum, probe_part_fn fn, void *arg)
{
	const struct np_sum_key *key = data;
	const struct np_part_key as = { .sock_id = sum_id(key), .tgid = key->tgid };

	fn(&as, sum, arg);
}

static void on_part(const void *data, const struct np_part *part, probe_part_fn fn, void *arg)
{
	fn(data, part, arg);
}

void probe_parts_turn(struct probe *p)
{
	struct netprobe_bpf__bss *st = p->skel->bss;
	uint64_t made = st->st_parts_made;

	/* With nothing inserted since the last turn the written map is empty. */
	if (p->parts_turned || made == p->parts_made)
		return;
	p->parts_made = made;
	p->parts_turned = true;
	__atomic_store_n(&st->st_parts_gen, !st->st_parts_gen, __ATOMIC_RELEASE);
}

struct left_reader {
	probe_part_fn fn;
	void *arg;
};

static void on_left(const struct np_left *left, void *arg)
{
	const struct left_reader *to = arg;
	const struct np_tuple *t = &left->part.tuple;
	const struct np_sum_key key = { .cgroup_id = left->part.owner.cgroup_id,
					.tgid = left->part.owner.tgid,
					.netns = t->netns,
					.ifindex = t->ifindex,
					.proto = t->proto,
					.family = t->family };

	on_sum(&key, &left->part, to->fn, to->arg);
}

int probe_parts(struct probe *p, probe_part_fn fn, void *arg)
{
	struct netprobe_bpf *s = p->skel;
	struct left_reader left = { fn, arg };
	bool a;
	int r, sums;

	r = p->store_hash ? 0 : probe_lefts(p, on_left, &left);
	if (r < 0)
		return r;
	probe_parts_turn(p);
	if (!p->parts_turned)
		return r;
	p->parts_turned = false;
	a = s->bss->st_parts_gen;
	probe_wait_for_programs();
	r = drain(bpf_map__fd(a ? s->maps.np_parts_a : s->maps.np_parts_b),
		  sizeof(struct np_part_key), on_part, fn, arg);
	sums = drain(bpf_map__fd(a ? s->maps.np_sums_a : s->maps.np_sums_b),
		     sizeof(struct np_sum_key), on_sum, fn, arg);
	return r < 0 || sums < 0 ? (r < 0 ? r : sums) : r + sums;
}

/*
 * By batches: one after the other would look for the first that is left from the beginning each time.
 * made: what st_closed_made was before.
 */
static int drain_closed(struct probe *p, uint64_t made)
{
	struct np_ev_sock *evs = calloc(CLOSED_BATCH, sizeof(*evs));
	__u64 *keys = calloc(CLOSED_BATCH, sizeof(*keys));
	int fd = bpf_map__fd(p->skel->maps.np_closed), r = evs && keys ? 0 : -ENOMEM;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 in = 0, out = 0;
	bool first = true;

	while (!r) {
		__u32 count = CLOSED_BATCH;

		r = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &in, &out, keys, evs, &count,
						    &opts);
		if (r && r != -ENOENT)
			break; /* -ENOSPC: a bucket larger than the batch; the next round has it */
		for (__u32 i = 0; i < count; i++)
			deliver(p, &evs[i], sizeof(evs[i]));
		in = out;
		first = false;
	}
	free(evs);
	free(keys);
	if (r == -ENOENT)
		p->closed_made = made;
	return r == -ENOMEM ? r : 0;
}

/* There is room for more records of cgroups that are made. */
static void admit_births(struct probe *p)
{
	struct np_born *born = (struct np_born *)&p->skel->bss->st_born;
	uint64_t now = probe_clock_ns();

	if (now - p->born_ns < BORN_NS)
		return;
	p->born_ns = now;
	*born = (struct np_born){ 0 };
}

/* Who makes a cgroup wakes us where nobody did since the ring was last found empty: so it is looked into once more. */
static int read_ring(struct probe *p)
{
	int r, tries = 0;

	do {
		r = event_ring_read(p->ring, on_ring, p);
		__atomic_store_n(&p->skel->bss->st_born_woken, 0, __ATOMIC_SEQ_CST);
	} while (r >= 0 && !event_ring_is_empty(p->ring) && ++tries < READ_TRIES);
	return r;
}

int probe_events(struct probe *p, probe_event_fn fn, void *arg)
{
	uint64_t made = p->skel->bss->st_closed_made;
	int r;

	probe_watch_arrivals(p);
	p->event_fn = fn;
	p->event_arg = arg;
	p->n_events = 0;
	admit_births(p);
	r = p->ring ? read_ring(p) : perf_buffer__consume(p->perf);
	if (r >= 0 && made != p->closed_made)
		r = drain_closed(p, made);
	p->event_fn = NULL;
	return r < 0 ? r : p->n_events;
}

int probe_event_fd(const struct probe *p)
{
	return p->ring ? event_ring_fd(p->ring) : perf_buffer__epoll_fd(p->perf);
}

int probe_exec(const struct probe *p, uint32_t tgid, struct np_exec *ret_exec)
{
	return bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.np_execs), &tgid, ret_exec) ? -errno
											 : 0;
}

int probe_v1(struct probe *p, uint64_t key, struct np_v1 *ret_v1)
{
	int fd = bpf_map__fd(p->skel->maps.np_v1s), r;
	uint64_t old;

	r = bpf_map_lookup_elem(fd, &key, ret_v1) ? -errno : 0;
	/* Those that are still in use come back with the next look at their processes. */
	if (p->skel->bss->st_v1_full) {
		while (!bpf_map_get_next_key(fd, NULL, &old) && !bpf_map_delete_elem(fd, &old))
			;
		p->skel->bss->st_v1_full = 0;
	}
	return r;
}

static void loss_add(struct np_loss *sum, const struct np_loss *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

/* struct bpf_link_info of a kprobe, as of 6.7, which tells the last of it; the headers may be older. */
struct kprobe_link_info {
	__u32 type, id, prog_id, reserved;
	__u32 probe, reserved2; /* enum bpf_perf_event_type */
	__u64 name;
	__u32 name_len, offset;
	__u64 addr;
	__u64 missed;
};

#define PROBE_IS_KPROBE 3 /* BPF_PERF_EVENT_KPROBE, and the next is KRETPROBE; since 6.6 */

/* Hits that never came to a program: a return probe has few slots for calls under way (10 where processors are few). */
static uint64_t missed_hits(const struct probe *p, unsigned int id)
{
	uint64_t missed = 0;

	for (unsigned int i = 0; i < p->n_links; i++) {
		struct kprobe_link_info info = {};
		__u32 len = sizeof(info);

		if (p->link_hooks[i] != id)
			continue;
		if (!bpf_obj_get_info_by_fd(bpf_link__fd(p->links[i]), &info, &len) &&
		    info.type == BPF_LINK_TYPE_PERF_EVENT &&
		    (info.probe == PROBE_IS_KPROBE || info.probe == PROBE_IS_KPROBE + 1))
			missed += info.missed;
	}
	return missed;
}

/* Runs left out, of one hook: of its programs, and of the second ones; UINT64_MAX: it has none. */
struct misses {
	uint64_t first, second;
};

/* One pass over the programs: whose each of them is takes some hundred comparisons of names. */
static void take_misses(const struct probe *p, struct misses ret[NP_PROG_MAX])
{
	struct bpf_program *prog;

	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		ret[id] = (struct misses){ .second = UINT64_MAX };
	bpf_object__for_each_program (prog, p->skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		unsigned int id, alt;
		int8_t used;

		if (bpf_program__fd(prog) < 0 || ladder_owner(bpf_program__name(prog), &id, &alt) ||
		    p->hooks[id].used < 0)
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		used = (int8_t)p->hooks[id].used;
		if (strchr(bpf_program__name(prog), '2') && /* np_state2_tp */
		    (!hook_table[id].alts[used].second || p->hooks[id].alts[used].second))
			ret[id].second = (ret[id].second == UINT64_MAX ? 0 : ret[id].second) +
					 info.recursion_misses;
		else
			ret[id].first += info.recursion_misses;
	}
}

/*
 * Runs that the kernel left out because the program was active there. Where a hook has a second program, what that one
 * saw is not lost, and no more is than it was left out of itself (src/bpf/lib/second.h).
 */
static uint64_t missed_runs(const struct probe *p, unsigned int id, const struct misses *of)
{
	uint64_t missed, seen;

	if (p->hooks[id].used < 0)
		return 0;
	missed = of->first + missed_hits(p, id);
	seen = p->skel->bss
		       ->st_second[id]; /* after the others: what happens meanwhile is no loss */
	missed = missed > seen ? missed - seen : 0;
	return missed < of->second ? missed : of->second;
}

int probe_losses(const struct probe *p, struct probe_loss ret_losses[NP_PROG_MAX])
{
	int cpus = libbpf_num_possible_cpus();
	struct misses misses[NP_PROG_MAX];
	struct np_loss *per_cpu;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc((size_t)cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	take_misses(p, misses);
	for (__u32 id = 0; id < NP_PROG_MAX; id++) {
		ret_losses[id] = (struct probe_loss){};
		if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.np_losses), &id, per_cpu))
			continue;
		for (int c = 0; c < cpus; c++)
			loss_add(&ret_losses[id].loss, &per_cpu[c]);
		ret_losses[id].missed = missed_runs(p, id, &misses[id]);
	}
	ret_losses[NP_PROG_DESTROY].missed += p->ends_unseen;
	free(per_cpu);
	return 0;
}
