/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iterators: sweep, seed, stalls. Their programs write to maps, so nothing is read from them; a read()
 * walks everything there is.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "probe/internal.h"

/* Neither end waits long for the other: the slots hold some milliseconds. */
#define WAIT_NS 100000
/* Records taken before the walker is told: its number lies beside the one that it writes for each. */
#define TELL_AFTER 256
#define WALKER_STACK (256 * 1024)

uint64_t probe_clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* -EAGAIN: it paused, and goes on from there when called again. */
static int walk(int fd)
{
	char sink[256];
	ssize_t n;

	do {
		n = read(fd, sink, sizeof(sink));
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int iterator_open(const struct bpf_link *link)
{
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	if (fd < 0)
		return link ? -errno : -ENOENT;
	return fd;
}

static int run_iterator(const struct bpf_link *link)
{
	int fd = iterator_open(link), r;

	if (fd < 0)
		return fd;
	do {
		r = walk(fd); /* the kernel pauses after a million */
	} while (r == -EAGAIN);
	(void)close(fd);
	return r;
}

/* The same by a program that is attached to nothing: what it returns, or a negative errno. */
static int run_program(int prog)
{
	__u64 none = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &none, .ctx_size_in = sizeof(none));
	int r = bpf_prog_test_run_opts(prog, &opts);

	return r ? r : (int)opts.retval;
}

/* One walk over all sockets. taken is this thread's; the rest the walker may write. */
struct sweep {
	struct probe *p;
	probe_sock_fn fn;
	void *arg;
	int fd, r;
	uint32_t taken;
	uint32_t pauses;
	bool over;
};

static uint32_t written(const struct sweep *s)
{
	return __atomic_load_n(&s->p->skel->bss->st_sweep_n, __ATOMIC_ACQUIRE);
}

/* How many records were there. */
static uint32_t take(struct sweep *s)
{
	uint32_t n = written(s), from = s->taken;

	while (s->taken != n) {
		s->fn(&s->p->slots[s->taken++ & (NP_SWEEP_SLOTS - 1)], s->arg);
		if (s->taken == n || s->taken % TELL_AFTER == 0)
			__atomic_store_n(&s->p->skel->bss->st_sweep_taken, s->taken,
					 __ATOMIC_RELEASE);
	}
	return n - from;
}

static void wait_a_little(void)
{
	const struct timespec ts = { .tv_nsec = WAIT_NS };

	(void)nanosleep(&ts, NULL);
}

/* A pause costs the kernel a way back to where it was: better to wait until all is taken. */
static void *walker(void *arg)
{
	struct sweep *s = arg;

	do {
		while (written(s) !=
		       __atomic_load_n(&s->p->skel->bss->st_sweep_taken, __ATOMIC_ACQUIRE))
			wait_a_little();
		s->r = walk(s->fd);
		s->pauses++;
	} while (s->r == -EAGAIN);
	__atomic_store_n(&s->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The rest of the walk in a thread of its own, beside which its records are taken. */
static int walk_beside(struct sweep *s)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool over;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	(void)pthread_attr_setstacksize(&attr, WALKER_STACK);
	r = thread_start(&thread, &attr, walker, s);
	(void)pthread_attr_destroy(&attr);
	if (r)
		return r;
	do {
		over = __atomic_load_n(&s->over, __ATOMIC_ACQUIRE);
		if (!take(s) && !over)
			wait_a_little();
	} while (!over);
	(void)pthread_join(thread, NULL);
	return s->r;
}

/* 1: all slots are full. What was told already it passes over. */
static int sweep_runs(struct sweep *s)
{
	int r;

	do {
		r = run_program(s->p->sweep_run);
		(void)take(s);
	} while (r > 0);
	return r;
}

static int sweep_pass(struct sweep *s)
{
	if (s->p->sweep_run)
		return sweep_runs(s);
	s->fd = iterator_open(s->p->sweep_link);
	if (s->fd < 0)
		return s->fd;
	s->over = false;
	s->r = walk(s->fd);
	if (s->r == -EAGAIN && !walk_beside(s))
		s->r = 0;
	while (s->r == -EAGAIN) { /* there is no thread to be had */
		(void)take(s);
		s->r = walk(s->fd);
		s->pauses++;
	}
	(void)take(s);
	(void)close(s->fd);
	return s->r;
}

/* What the kernel half counts of TCP sockets, summed over processors. */
static struct np_lives lives(const struct probe *p)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(p->skel->maps.np_lives);
	struct np_lives *per_cpu = cpus > 0 ? calloc((size_t)cpus, sizeof(*per_cpu)) : NULL;
	struct np_lives sum = {};
	__u32 zero = 0;

	if (per_cpu && !bpf_map_lookup_elem(fd, &zero, per_cpu)) {
		for (int c = 0; c < cpus; c++) {
			sum.made += per_cpu[c].made;
			sum.ended += per_cpu[c].ended;
		}
	}
	free(per_cpu);
	return sum;
}

/*
 * Sockets that were met before the walk, were not met by it, and have not ended: their ends were not seen. What came
 * or went meanwhile makes it less, so it is never too much; a paused walk may leave some out.
 */
static void find_unseen_ends(struct probe *p, const struct np_lives *before)
{
	struct np_lives after = lives(p);
	uint64_t known = after.ended + p->skel->bss->st_sweep_alive;

	if (!after.made || before->made <= known || before->made - known <= p->ends_unseen)
		return;
	p->ends_unseen = before->made - known;
	p->lefts_wait = true;
}

/*
 * Where slots are short, and wherever all sockets are looked at, it is not waited for a walk that tells the number: while
 * thousands come and go in one, it tells none.
 */
static void look_for_lefts(struct probe *p, bool full)
{
	uint64_t refused = p->skel->bss->st_left_refused;

	p->lefts_wait |= full || refused != p->left_refused;
	p->left_refused = refused;
}

/* Walks once. 1: the kernel paused after a million, and where sockets went meanwhile others were left out. */
static int run_iterator_whole(const struct bpf_link *link)
{
	int fd = iterator_open(link), r, paused = 0;

	if (fd < 0)
		return fd;
	while ((r = walk(fd)) == -EAGAIN)
		paused = 1;
	(void)close(fd);
	return r ? r : paused;
}

/* For tests: as after a million sockets, while others close theirs. */
static bool pauses(struct probe *p)
{
	if (p->opts.fail_at != FAIL_PAUSE)
		return false;
	(void)usleep(50000);
	p->left_out = !p->left_out;
	return p->left_out;
}

/*
 * What sockets left whose ends were not seen. Of those that are there still a walk notes it in their slots; what was
 * put there under another number is older than the walk. After one that may have left some out nobody knows: nothing is
 * taken, and the next sweep looks again.
 */
int probe_lefts(struct probe *p, void (*fn)(const struct np_left *left, void *arg), void *arg)
{
	struct netprobe_bpf__bss *bss = p->skel->bss;
	size_t size = NP_LEFT_SLOTS * sizeof(struct np_left);
	struct np_left *slots, left;
	bool left_out;
	int r, n = 0;

	if (!p->lefts_wait)
		return 0;
	p->lefts_wait = false;
	left_out = pauses(p);
	slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_map__fd(p->skel->maps.np_lefts), 0);
	if (slots == MAP_FAILED)
		return -errno;
	p->skel->data->st_left_gen++;
	probe_wait_for_programs();
	bss->st_sweep_mark = 1;
	r = left_out ? 1 : run_iterator_whole(p->sweep_link);
	bss->st_sweep_mark = 0;
	if (r == 1)
		p->lefts_wait = true;
	for (size_t i = 0; !r && i < NP_LEFT_SLOTS; i++) {
		left = slots[i];
		if (!left.sock_id || left.sock_id == UINT64_MAX ||
		    left.gen == p->skel->data->st_left_gen)
			continue;
		if (__sync_bool_compare_and_swap(&slots[i].sock_id, left.sock_id, 0)) {
			fn(&left, arg);
			n++;
		}
	}
	(void)munmap(slots, size);
	return r < 0 ? r : n;
}

int probe_sweep(struct probe *p, bool full, probe_sock_fn fn, void *arg)
{
	struct netprobe_bpf__bss *st = p->skel->bss;
	struct sweep s = { .p = p, .fn = fn, .arg = arg };
	struct np_lives before;
	uint64_t start = probe_clock_ns();
	uint32_t pauses;
	int r;

	p->sweep_stats = (struct probe_sweep_stats){};
	st->st_sweep_gen++;
	if (!st->st_sweep_gen)
		st->st_sweep_gen = 1; /* 0 is what new sockets carry */
	st->st_sweep_full = full;
	st->st_sweep_seen = 0;
	st->st_sweep_n = st->st_sweep_taken = 0;
	do {
		pauses = s.pauses;
		before = lives(p);
		st->st_sweep_alive = 0;
		r = sweep_pass(&s);
		if (r < 0)
			return r;
		/* A paused walk goes on by number: where sockets went meanwhile it leaves others out. */
	} while (full && s.pauses != pauses);
	if (s.pauses == pauses)
		find_unseen_ends(p, &before);
	if (!p->store_hash)
		look_for_lefts(p, full);
	p->sweep_stats.passes = s.pauses + 1;
	p->sweep_stats.sockets = st->st_sweep_seen;
	p->sweep_stats.records = s.taken;
	p->sweep_stats.ns = probe_clock_ns() - start;
	return (int)s.taken;
}

void probe_last_sweep(const struct probe *p, struct probe_sweep_stats *ret_stats)
{
	*ret_stats = p->sweep_stats;
}

int probe_seed(struct probe *p)
{
	return run_iterator(p->seed_link);
}

int probe_stalls(struct probe *p, uint64_t threshold_ns)
{
	p->skel->bss->st_now_ns = probe_clock_ns();
	p->skel->data->st_stall_ns = threshold_ns;
	return p->stall_run ? run_program(p->stall_run) : run_iterator(p->stall_link);
}
