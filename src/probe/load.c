/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the chosen programs as one object and attaches them. When one is refused, the ladder takes
 * that hook's next alternative and the whole object is loaded again: a start that finds what it
 * expects loads once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup2.h"
#include "base/log.h"
#include "probe/internal.h"
#include "probe/pids.h"
#include "probe/selftest.h"

#define HASH_MIN 32768
#define HASH_MAX 262144
#define QUIET_RING (256 * 1024)
#define BORN_HOST (1U << 20)
#define BORN_USERS (64U << 10)
#define CLOSED_FEW 64
#define KEEP_NS \
	60000000000ULL /* a hook on demand stays so long after what it was last needed for */

/* libbpf names the failing program only in its log; set while a load is under way in this thread. */
static __thread struct {
	char program[64];
	int err;
	int btf; /* why the kernel's BTF could not be loaded: libbpf says "No such process" of all of that */
} load_failure;

static int on_libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[512], name[64];
	int e;

	(void)vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "libbpf: prog '%63[^']': failed to load: %d", name, &e) == 2) {
		(void)snprintf(load_failure.program, sizeof(load_failure.program), "%s", name);
		load_failure.err = -e;
	}
	if (sscanf(line, "libbpf: loading kernel BTF '%63[^']': %d", name, &e) == 2 && e)
		load_failure.btf = e;
	/* One level down: what libbpf calls a warning is a step of the ladder here. */
	log_debug("%s", line);
	(void)level;
	return 0;
}

struct bpf_program *probe_program(struct probe *p, const char *name)
{
	return p->skel ? bpf_object__find_program_by_name(p->skel->obj, name) : NULL;
}

static int set_map(struct bpf_map *map, uint32_t entries)
{
	return entries ? bpf_map__set_max_entries(map, entries) : 0;
}

/*
 * Entries of the hash of sockets (kprobe family). Each sweep and each look for stalls walks all its
 * buckets, so a host with few sockets gets a smaller one: eight times what is there now.
 */
static uint32_t hash_entries(void)
{
	uint64_t used = 0, alloc = 0, entries = HASH_MIN;
	FILE *f = fopen("/proc/net/sockstat", "re");
	char line[128], *at;

	while (f && fgets(line, sizeof(line), f)) {
		(void)sscanf(line, "sockets: used %" SCNu64, &used); /* of this network namespace */
		at = strncmp(line, "TCP:", 4) ? NULL : strstr(line, "alloc ");
		if (at)
			(void)sscanf(at, "alloc %" SCNu64, &alloc); /* of all */
	}
	if (f)
		(void)fclose(f);
	else
		return HASH_MAX;
	while (entries < (used + alloc) * 8 && entries < HASH_MAX)
		entries *= 2;
	return (uint32_t)entries;
}

static int size_maps(struct probe *p)
{
	struct netprobe_bpf *s = p->skel;
	int r;

	/* Where nothing goes there, there may be no such map on this kernel. */
	if (p->opts.perf_buffer)
		r = bpf_map__set_autocreate(s->maps.np_events, false);
	else
		r = set_map(s->maps.np_events,
			    p->opts.ring_bytes || !p->opts.quiet ? p->opts.ring_bytes : QUIET_RING);
	if (!r)
		r = set_map(s->maps.np_closed, p->opts.closed);
	if (!r)
		r = set_map(s->maps.np_parts_a, p->opts.parts);
	if (!r)
		r = set_map(s->maps.np_parts_b, p->opts.parts);
	if (p->opts.fail_at == FAIL_FULL) {
		if (!r)
			r = set_map(s->maps.np_sums_a, p->opts.parts);
		if (!r)
			r = set_map(s->maps.np_sums_b, p->opts.parts);
		if (!r)
			r = set_map(s->maps.np_closed, CLOSED_FEW);
	}
	/* What is not used must not cost memory. */
	if (!r)
		r = set_map(s->maps.np_socks_h, p->store_hash ? hash_entries() : 1);
	if (!r)
		r = set_map(s->maps.np_rares_h,
			    p->store_hash && p->opts.fail_at != FAIL_RARE ? hash_entries() : 1);
	if (!r && !p->store_hash)
		r = set_map(s->maps.np_calls, 64);
	return r;
}

struct netprobe_bpf *probe_skel_open(const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);
	struct netprobe_bpf *skel = netprobe_bpf__open_opts(&opts);
	struct bpf_program *prog;

	if (skel)
		bpf_object__for_each_program (prog, skel->obj)
			(void)bpf_program__set_autoload(prog, false);
	return skel;
}

static int open_skel(struct probe *p)
{
	p->cgroup_fd = p->facts.cgroup ? p->facts.cgroup->fd : -1;
	p->skel = probe_skel_open(p->opts.btf_path);
	return p->skel ? 0 : -errno;
}

static int select_alt(struct probe *p, const struct hook_alt *alt)
{
	const char *names[HOOK_MAX_PROGS];
	int n = ladder_programs(p, alt, names);

	for (int i = 0; i < n; i++) {
		struct bpf_program *prog = probe_program(p, names[i]);
		int r = prog ? bpf_program__set_autoload(prog, true) : -ENOENT;

		if (r)
			return r;
	}
	return 0;
}

/* Mark for loading what the ladder chose. */
static int select_programs(struct probe *p)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		int r = p->hooks[id].used < 0
				? 0
				: select_alt(p, &hook_table[id].alts[p->hooks[id].used]);

		if (r)
			return r;
	}
	return 0;
}

void filter_copy(struct np_filter *to, const struct np_filter *from)
{
	size_t begin = offsetof(struct np_filter, enabled);

	struct np_filter host;

	/* programs may be reading it: it is never there with other numbers than theirs */
	filter_host(&host, from);
	memcpy((char *)to + begin, (const char *)&host + begin, sizeof(*to) - begin);
}

/* The verifier cannot accept these: what they are attached to may not sleep. */
static void spoil(struct probe *p)
{
	for (int i = 0; i < hook_table[NP_PROG_SEND].n_alts; i++) {
		const struct hook_alt *alt = &hook_table[NP_PROG_SEND].alts[i];

		for (int k = 0; k < HOOK_PROGS && alt->progs[k]; k++) {
			struct bpf_program *prog = probe_program(p, alt->progs[k]);

			if (prog)
				(void)bpf_program__set_flags(prog, BPF_F_SLEEPABLE);
		}
	}
}

static void spoil_second(struct probe *p)
{
	const struct hook_alt *alt = &hook_table[NP_PROG_SEND].alts[0];
	struct bpf_program *prog = alt->second ? probe_program(p, alt->second) : NULL;

	if (prog)
		(void)bpf_program__set_flags(prog, BPF_F_SLEEPABLE);
}

/* Jiffies a second, which the kernel's chrono counters are in: its coarse clocks move once a jiffy. */
static uint32_t jiffies_per_s(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) < 0 || res.tv_sec || res.tv_nsec <= 0)
		return 0;
	return (uint32_t)((1000000000 + res.tv_nsec / 2) / res.tv_nsec);
}

bool probe_misses_ends(const struct probe *p)
{
	int8_t used = p->hooks[NP_PROG_RELEASE].used;

	return used >= 0 && hook_table[NP_PROG_RELEASE].alts[used].kind == KIND_NONE;
}

bool probe_tells_births(const struct probe *p)
{
	int8_t used = p->hooks[NP_PROG_BORN].used;

	return used >= 0 && hook_table[NP_PROG_BORN].alts[used].kind != KIND_NONE;
}

/* Of this process or of now, not of the hook: another one would fail as well. */
static bool is_shortage(int e)
{
	return e == EMFILE || e == ENFILE;
}

/* Is a second program at sends or receives among what is to be loaded? */
static bool has_second(const struct probe *p)
{
	const struct bpf_program *const progs[] = {
		p->skel->progs.np_send2_tp, p->skel->progs.np_recv2_tp, p->skel->progs.np_send2_fx,
		p->skel->progs.np_recv2_fx, p->skel->progs.np_send2_kp, p->skel->progs.np_recv2_kp,
	};

	for (unsigned int i = 0; i < sizeof(progs) / sizeof(progs[0]); i++)
		if (bpf_program__autoload(progs[i]))
			return true;
	return false;
}

/* What those at tracepoints call, see second.h in src/bpf. */
static int name_first(struct probe *p)
{
	struct netprobe_bpf *s = p->skel;
	int send = bpf_program__fd(s->progs.np_send_tp),
	    recv = bpf_program__fd(s->progs.np_recv_tp);
	__u32 slot = 0;

	if (bpf_program__fd(s->progs.np_send2_tp) >= 0 &&
	    bpf_map_update_elem(bpf_map__fd(s->maps.np_first_send), &slot, &send, BPF_ANY))
		return -errno;
	if (bpf_program__fd(s->progs.np_recv2_tp) >= 0 &&
	    bpf_map_update_elem(bpf_map__fd(s->maps.np_first_recv), &slot, &recv, BPF_ANY))
		return -errno;
	return 0;
}

/*
 * What of the ring records of cgroups that are made may take. A user who makes them without end has a part, all users
 * together a quarter; for what a host's runtimes make in a tenth of a second the most is enough for thousands.
 */
static void share_ring(struct probe *p, uint32_t ring)
{
	uint32_t host = ring / 2 < BORN_HOST ? ring / 2 : BORN_HOST;
	uint32_t users = ring / 4 < BORN_USERS ? ring / 4 : BORN_USERS;

	p->skel->rodata->cfg_born_host = host;
	p->skel->rodata->cfg_born_users = users;
	p->skel->rodata->cfg_born_user = users / 4;
}

static int load_skel(struct probe *p)
{
	uint32_t ring = bpf_map__max_entries(p->skel->maps.np_events);
	int r;

	p->skel->rodata->cfg_store_hash = p->store_hash;
	p->skel->rodata->cfg_exec_seen = p->hooks[NP_PROG_EXEC].used >= 0;
	p->skel->rodata->cfg_cgroup_v1 = p->facts.cgroup_v1;
	p->skel->rodata->cfg_no_ends = probe_misses_ends(p);
	p->skel->rodata->cfg_keep_dead = p->opts.fail_at == FAIL_DEATH;
	p->skel->rodata->cfg_use_perf = p->opts.perf_buffer;
	p->skel->rodata->cfg_ring_wakeup = ring / 4;
	share_ring(p, ring);
	p->skel->rodata->cfg_quiet = p->opts.quiet;
	p->skel->rodata->cfg_hz = jiffies_per_s();
	p->skel->rodata->cfg_second = has_second(p);
	p->skel->rodata->cfg_settle_tx = p->facts.tp_preempted ||
					 probe_family(p) != NETPROBE_HOOK_TRACEPOINT;
	if (p->opts.filter)
		filter_copy(&p->skel->data->np_filter, p->opts.filter);
	p->skel->bss->st_ignore_tgid = kernel_own_tgid();
	if (p->opts.fail_at == FAIL_VERIFIER)
		spoil(p);
	if (p->opts.fail_at == FAIL_REFUSE)
		spoil_second(p);
	load_failure.program[0] = '\0';
	load_failure.err = load_failure.btf = 0;
	r = p->skel->rodata->cfg_second ? bpf_map__set_value_size(p->skel->maps.np_marks, NP_MARKS)
					: 0;
	if (!r)
		r = netprobe_bpf__load(p->skel);
	if (!r)
		return name_first(p);
	if (r == -ESRCH && load_failure.btf)
		return load_failure.btf;
	if (is_shortage(load_failure.err))
		return -load_failure.err;
	if (load_failure.program[0]) {
		unsigned int hook, alt;

		log_debug("program %s refused: %s", load_failure.program,
			  strerror(load_failure.err));
		if (ladder_second_fails(p, load_failure.program))
			return -EAGAIN;
		if (!ladder_owner(load_failure.program, &hook, &alt)) {
			ladder_fail(p, hook, NETPROBE_TRIAL_FAILS, load_failure.err);
			return -EAGAIN;
		}
	}
	return r;
}

static struct bpf_link *attach_one(struct probe *p, struct bpf_program *prog,
				   const struct hook_alt *alt)
{
	if (ladder_is_cgroup(prog))
		return bpf_program__attach_cgroup(prog, p->cgroup_fd);
	if (alt->kind == KIND_ITER) {
		union bpf_iter_link_info info = {};
		LIBBPF_OPTS(bpf_iter_attach_opts, opts);
		bool seed = !strcmp(bpf_program__name(prog), "np_seed");

		if (seed)
			return bpf_program__attach_iter(prog, NULL);
		info.map.map_fd = (__u32)bpf_map__fd(p->store_hash ? p->skel->maps.np_socks_h
								   : p->skel->maps.np_socks);
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
		return bpf_program__attach_iter(prog, &opts);
	}
	return bpf_program__attach(prog);
}

/* For tests: as if the kernel left out each run of it. */
static bool is_left_out(const struct probe *p, unsigned int id, bool second)
{
	if (p->opts.fail_at == FAIL_SENDS)
		return id == NP_PROG_SEND;
	if (p->opts.fail_at == FAIL_ENDS || p->opts.fail_at == FAIL_PAUSE)
		return id == NP_PROG_DESTROY;
	return (p->opts.fail_at == FAIL_FIRST || p->opts.fail_at == FAIL_SILENT) && !second &&
	       (id == NP_PROG_SEND || id == NP_PROG_RECV);
}

/* And it is known to be: no reason to look for another way. */
static bool is_left_out_known(const struct probe *p, unsigned int id)
{
	return p->opts.fail_at != FAIL_SILENT && is_left_out(p, id, false);
}

#ifndef BPF_F_PREORDER
#define BPF_F_PREORDER (1U << 6)
#endif

/*
 * Before all other programs of the tree: who translates the address of a service gives its clients that as the sender, and
 * netprobe would see it where what they send was seen translated. 6.18 takes the flag, 6.12 does not.
 */
static int attach_first(struct probe *p, const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BPF_F_PREORDER);
	int fd;

	if (p->n_first == sizeof(p->first) / sizeof(p->first[0]))
		return -E2BIG;
	fd = bpf_link_create(bpf_program__fd(prog), p->cgroup_fd,
			     bpf_program__expected_attach_type(prog), &opts);
	if (fd < 0)
		return fd;
	p->first[p->n_first++] = fd;
	return 0;
}

static int attach_hook(struct probe *p, unsigned int id)
{
	const struct hook_alt *alt = &hook_table[id].alts[p->hooks[id].used];
	const char *names[HOOK_MAX_PROGS];
	int n = ladder_programs(p, alt, names);

	for (int i = 0; i < n; i++) {
		bool second = alt->second && !strcmp(names[i], alt->second);
		struct bpf_link *link;

		if ((alt->on_demand && !p->trial) || is_left_out(p, id, second))
			continue;
		if (alt->kind == KIND_RUN) {
			*(id == NP_PROG_SWEEP ? &p->sweep_run : &p->stall_run) =
				bpf_program__fd(probe_program(p, names[i]));
			continue;
		}
		if (id == NP_PROG_UDP_RECV_PEER && alt->kind == KIND_CGROUP &&
		    !attach_first(p, probe_program(p, names[i])))
			continue;
		if (p->n_links == PROBE_MAX_LINKS)
			return -E2BIG;
		if (p->opts.fail_at == FAIL_ATTACH && id == NP_PROG_RETRANSMIT)
			return -EBUSY;
		link = attach_one(p, probe_program(p, names[i]), alt);
		if (!link && second && !is_shortage(errno))
			continue; /* the first one has all but what it is left out of */
		if (!link)
			return -errno;
		if (second)
			p->hooks[id].alts[p->hooks[id].used].second = true;
		p->link_hooks[p->n_links] = id;
		p->links[p->n_links++] = link;
		if (id == NP_PROG_SEED)
			p->seed_link = link;
		if (id == NP_PROG_SWEEP)
			p->sweep_link = link;
		if (id == NP_PROG_STALL)
			p->stall_link = link;
	}
	return 0;
}

/*
 * Ends come first, then the others as they are numbered: a socket that is met and ends before its end is seen would
 * be told as missed, and what it moved is lost.
 */
static unsigned int nth_hook(unsigned int i)
{
	if (i < 2)
		return i ? NP_PROG_RELEASE : NP_PROG_DESTROY;
	return i - 2 < NP_PROG_DESTROY ? i - 2 : i;
}

_Static_assert(NP_PROG_RELEASE == NP_PROG_DESTROY + 1, "nth_hook");

static int attach_all(struct probe *p)
{
	for (unsigned int i = 0; i < NP_PROG_MAX; i++) {
		unsigned int id = nth_hook(i);
		int r;

		if (p->hooks[id].used < 0)
			continue;
		r = attach_hook(p, id);
		if (is_shortage(-r))
			return r;
		if (r) {
			ladder_fail(p, id, NETPROBE_TRIAL_FAILS, -r);
			return -EAGAIN;
		}
		p->hooks[id].alts[p->hooks[id].used].status = NETPROBE_TRIAL_IN_USE;
	}
	return 0;
}

static void detach_all(struct probe *p)
{
	for (unsigned int i = 0; i < p->n_links; i++)
		(void)bpf_link__destroy(p->links[i]);
	p->n_links = 0;
	while (p->n_first)
		(void)close(p->first[--p->n_first]);
	p->sweep_link = p->seed_link = p->stall_link = NULL;
	p->sweep_run = p->stall_run = 0;
}

void probe_unload(struct probe *p)
{
	(void)bpf_link__destroy(p->reads_link);
	p->reads_link = NULL;
	(void)bpf_link__destroy(p->arrive_link);
	p->arrive_link = NULL;
	detach_all(p);
	netprobe_bpf__destroy(p->skel);
	p->skel = NULL;
}

/* A hook that is on demand: on or off. *link: NULL while it is off. */
static int watch(struct probe *p, unsigned int id, struct bpf_link **link, bool on)
{
	int8_t used = p->hooks[id].used;
	const struct hook_alt *alt = used < 0 ? NULL : &hook_table[id].alts[used];

	if (!alt || !alt->on_demand || on == (*link != NULL))
		return 0;
	if (!on) {
		(void)bpf_link__destroy(*link);
		*link = NULL;
		return 0;
	}
	*link = attach_one(p, probe_program(p, alt->progs[0]), alt);
	return *link ? 0 : -errno;
}

int probe_watch_reads(struct probe *p, bool on)
{
	return watch(p, NP_PROG_SPLICE, &p->reads_link, on);
}

void probe_watch_arrivals(struct probe *p)
{
	struct timespec ts = { 0 };
	uint64_t now;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (p->skel->bss->st_need_arrive) {
		p->skel->bss->st_need_arrive = 0;
		p->arrive_needed_ns = now;
	}
	if (p->arrive_failed || !p->arrive_needed_ns)
		return;
	if (watch(p, NP_PROG_ARRIVE, &p->arrive_link, now - p->arrive_needed_ns < KEEP_NS)) {
		log_debug("interfaces of datagrams that come in: %s, ignoring", strerror(errno));
		p->arrive_failed = true;
	}
}

/* Attached is not delivering: make every hook that can be made fire do so, and look. Second programs prove nothing (first_hit). */
static int prove(struct probe *p)
{
	int r = selftest_run();

	if (r) {
		probe_note_add(
			p, "hooks are attached but not proven: loopback carries no traffic (%s)",
			strerror(-r));
		return 0;
	}
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		const struct hook *hook = &hook_table[id];

		if (p->hooks[id].used < 0 || hook->alts[p->hooks[id].used].kind == KIND_NONE)
			continue;
		p->hooks[id].proven = p->skel->bss->st_hit[id];
		if (id == NP_PROG_SEND && (p->opts.fail_at == FAIL_PROVE ||
					   (p->opts.fail_at == FAIL_REFUSE && !p->hooks[id].used)))
			p->hooks[id].proven = false;
		if (is_left_out_known(p, id))
			p->hooks[id].proven = true;
		if (!hook->proven || p->hooks[id].proven)
			continue;
		log_debug("hook %s is attached but silent", hook->name);
		ladder_fail(p, id, NETPROBE_TRIAL_SILENT, 0);
		return -EAGAIN;
	}
	return 0;
}

static int try_once(struct probe *p, unsigned int hook, unsigned int alt)
{
	int r = open_skel(p);

	p->hooks[hook].used = (int8_t)alt;
	if (!r) {
		int e = ladder_precheck(p, &hook_table[hook].alts[alt]);

		r = e ? -e : size_maps(p);
	}
	if (!r)
		r = select_programs(p);
	if (!r)
		r = load_skel(p);
	return r ?: attach_all(p);
}

void ladder_try(struct probe *p, unsigned int hook, unsigned int alt)
{
	uint8_t no_second = p->no_second[hook];
	int r;

	libbpf_set_print(on_libbpf_print);
	p->trial = true;
	r = try_once(p, hook, alt);
	if (r == -EAGAIN &&
	    p->no_second[hook] != no_second) { /* without the second one it may work */
		probe_unload(p);
		r = try_once(p, hook, alt);
	}
	if (r && r != -EAGAIN) /* -EAGAIN: its status is set already */
		ladder_fail(p, hook, NETPROBE_TRIAL_FAILS, -r);
}

/* Out of p->wanted, with the status that says why, if it cannot work. */
static int want(struct probe *p, unsigned int id, unsigned int i)
{
	const struct hook_alt *alt = &hook_table[id].alts[i];
	int e = ladder_precheck(p, alt);

	if (!e)
		return select_alt(p, alt);
	p->wanted[id] &= (uint8_t) ~(1U << i);
	p->hooks[id].used = (int8_t)i;
	ladder_fail(p, id, NETPROBE_TRIAL_FAILS, e);
	return 0;
}

bool ladder_load_wanted(struct probe *p)
{
	bool any = false;
	int r;

	libbpf_set_print(on_libbpf_print);
	p->trial = true;
	r = open_skel(p);
	for (unsigned int id = 0; !r && id < NP_PROG_MAX; id++) {
		for (unsigned int i = 0; !r && i < hook_table[id].n_alts; i++)
			if (p->wanted[id] & 1U << i)
				r = want(p, id, i);
		any = any || p->wanted[id];
	}
	if (!r)
		r = size_maps(p);
	/* its failure is told of no alternative: what is refused here is tried by itself */
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		p->hooks[id].used = -1;
	return !r && any && !load_skel(p);
}

void ladder_attach_alone(struct probe *p, unsigned int hook, unsigned int alt)
{
	int r;

	p->hooks[hook].used = (int8_t)alt;
	r = attach_hook(p, hook);
	if (r)
		ladder_fail(p, hook, NETPROBE_TRIAL_FAILS, -r);
	else
		p->hooks[hook].alts[alt].status = NETPROBE_TRIAL_IN_USE;
	p->hooks[hook].used = -1;
	detach_all(p);
}

static int load_once(struct probe *p, struct netprobe_error *err)
{
	int r;

	r = open_skel(p);
	if (r)
		return error_set(err, r, "cannot open the BPF object: %s", strerror(-r));
	r = ladder_choose(p, err);
	if (r)
		return r;
	r = size_maps(p);
	if (!r)
		r = select_programs(p);
	if (!r)
		r = load_skel(p);
	if (!r)
		r = attach_all(p);
	if (!r)
		r = prove(p);
	if (r && r != -EAGAIN)
		/* not this process's memory: what the kernel would need */
		r = error_set(err, r == -ENOMEM ? -ENOBUFS : r, "cannot load the BPF programs: %s",
			      strerror(-r));
	return r;
}

int probe_load(struct probe *p, struct netprobe_error *err)
{
	int r;

	libbpf_set_print(on_libbpf_print);
	/* Each round ends or rules one alternative out. */
	for (int round = 0; round < NP_PROG_MAX * HOOK_ALTS; round++) {
		r = load_once(p, err);
		if (!r)
			break;
		probe_unload(p);
		if (r != -EAGAIN)
			return r;
	}
	if (!r)
		p->skel->bss->st_ignore_tgid = 0;
	return r;
}
