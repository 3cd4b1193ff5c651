/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fill the maps of a new set. For a million entries that is nearly all of the time an import takes, most of it
 * spent waiting for memory, so hashes are filled by several threads. A trie has one lock: it is one task.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

#define BATCH 16384U
#define TASK 65536U   /* entries of a hash that one thread takes at a time */
#define HELPERS_MAX 3 /* threads beside the one that asked */
#define TASKS_MAX (2 * (NP_GUARD_ENTRIES / TASK + 1) + NP_SET_MAX)

struct task {
	int fd;
	size_t key_size, n;
	const struct raw_item *items;
};

struct work {
	struct task task[TASKS_MAX];
	unsigned int n, next; /* next: shared by the threads */
	int r;		      /* the first failure */
};

static int one_by_one(const struct task *t)
{
	int r = 0;

	for (size_t i = 0; i < t->n && !r; i++)
		r = bpf_map_update_elem(t->fd, t->items[i].key, &t->items[i].entry, BPF_ANY);
	return r;
}

static int in_batches(const struct task *t)
{
	LIBBPF_OPTS(bpf_map_batch_opts, o);
	size_t most = t->n < BATCH ? t->n : BATCH;
	uint8_t *keys = malloc(most * t->key_size);
	struct np_guard_entry *values = malloc(most * sizeof(*values));
	int r = keys && values ? 0 : -ENOMEM;

	for (size_t done = 0; done < t->n && !r;) {
		__u32 count = t->n - done < most ? (__u32)(t->n - done) : (__u32)most;
		__u32 wanted = count;

		for (__u32 i = 0; i < count; i++) {
			memcpy(keys + i * t->key_size, t->items[done + i].key, t->key_size);
			values[i] = t->items[done + i].entry;
		}
		r = bpf_map_update_batch(t->fd, keys, values, &count, &o);
		done += wanted;
	}
	free(keys);
	free(values);
	return r;
}

static int do_task(const struct task *t)
{
	int r = in_batches(t);

	/* Kernels have no batches for some maps. */
	return r == -EOPNOTSUPP || r == -NP_ENOTSUPP || r == -EINVAL ? one_by_one(t) : r;
}

static void *worker(void *arg)
{
	struct work *w = arg;
	unsigned int i;

	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->n) {
		int none = 0, r = __atomic_load_n(&w->r, __ATOMIC_RELAXED);

		if (r)
			break;
		r = do_task(&w->task[i]);
		if (r)
			(void)__atomic_compare_exchange_n(&w->r, &none, r, false, __ATOMIC_RELAXED,
							  __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Without threads, where none may be made, it only takes longer. */
static void run(struct work *w)
{
	pthread_t helper[HELPERS_MAX];
	unsigned int n = 0, wanted = 0;
	sigset_t all, before;
	cpu_set_t cpus;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		wanted = (unsigned int)CPU_COUNT(&cpus) - 1;
	if (wanted > w->n - 1)
		wanted = w->n - 1;
	if (wanted > HELPERS_MAX)
		wanted = HELPERS_MAX;
	/* Signals are for the caller's threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (n < wanted && !pthread_create(&helper[n], NULL, worker, w))
		n++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)worker(w);
	while (n)
		(void)pthread_join(helper[--n], NULL);
}

/* The tries first: they are the longest tasks. */
static int plan(struct guard *g, uint32_t set, const struct raw_list lists[NP_SET_MAX],
		int fds[NP_SET_MAX], struct work *w)
{
	for (uint32_t i = 0; i < NP_SET_MAX; i++) {
		uint32_t k = NP_SET_MAX - 1 - i;
		const struct raw_list *l = &lists[k];
		size_t step = k > NP_SET_HOSTS6 ? l->n : TASK;

		if (!l->n)
			continue;
		fds[k] = set_fd(g, set, k);
		if (fds[k] < 0)
			return fds[k];
		for (size_t at = 0; at < l->n; at += step) {
			if (w->n == TASKS_MAX)
				return -E2BIG;
			w->task[w->n++] = (struct task){
				.fd = fds[k],
				.key_size = set_key_size(k),
				.n = l->n - at < step ? l->n - at : step,
				.items = l->items + at,
			};
		}
	}
	return 0;
}

int set_fill(struct guard *g, uint32_t set, const struct raw_list lists[NP_SET_MAX])
{
	int fds[NP_SET_MAX] = { -1, -1, -1, -1, -1, -1 }, r;
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	r = plan(g, set, lists, fds, w);
	if (!r && w->n)
		run(w);
	if (!r)
		r = w->r;
	for (uint32_t k = 0; k < NP_SET_MAX; k++)
		if (fds[k] >= 0)
			(void)close(fds[k]);
	free(w);
	return r;
}
