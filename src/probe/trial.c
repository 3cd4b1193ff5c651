/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trials for doctor (see trial.h). The ladder stops at what works; here everything else is tried: in one object for
 * those that keep sockets in the same store, since opening and loading one takes a tenth of a second however few its
 * programs are, and each in an object of its own where that one is refused, so that one refusal says nothing about
 * the others.
 */
#include "probe/trial.h"

#include <pthread.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/internal.h"

/* Which of the two stores it takes. */
static bool by_hash(const struct hook_alt *alt)
{
	return alt->family == NETPROBE_HOOK_KPROBE;
}

/* A probe with the facts of the caller and nothing loaded. */
static struct probe *trial_new(const struct kernel_facts *facts, bool hash)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->facts = *facts;
	p->cgroup_fd = -1;
	p->store_hash = hash;
	p->opts.btf_path = p->facts.btf_path[0] ? p->facts.btf_path : NULL;
	p->opts.ring_bytes = 4096;
	for (unsigned int i = 0; i < NP_PROG_MAX; i++)
		p->hooks[i].used = -1;
	return p;
}

static void trial_one(const struct kernel_facts *facts, unsigned int id, unsigned int i,
		      struct hook_alt_status *ret_status)
{
	const struct hook_alt *alt = &hook_table[id].alts[i];
	struct probe *p = trial_new(facts, by_hash(alt));

	if (!p)
		return;
	*ret_status = (struct hook_alt_status){};
	ladder_try(p, id, i);
	*ret_status = p->hooks[id].alts[i];
	if (ret_status->status == NETPROBE_TRIAL_IN_USE)
		ret_status->status = NETPROBE_TRIAL_WORKS;
	probe_unload(p);
	free(p);
}

/* Still to be tried? What a real start uses, or found silent, needs no trial. */
static bool is_open(const struct hook_status *hooks, unsigned int id, unsigned int i)
{
	return hook_table[id].alts[i].kind != KIND_NONE &&
	       hooks[id].alts[i].status == NETPROBE_TRIAL_NONE;
}

/* All that are left for that store, in one object. What is refused with it is left for trials of their own. */
static void trial_group(const struct kernel_facts *facts, bool hash, struct hook_status *hooks)
{
	struct probe *p = trial_new(facts, hash);
	bool loaded;

	if (!p)
		return;
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		for (unsigned int i = 0; i < hook_table[id].n_alts; i++)
			p->wanted[id] |= is_open(hooks, id, i) &&
							 by_hash(&hook_table[id].alts[i]) == hash
						 ? 1U << i
						 : 0;
	loaded = ladder_load_wanted(p);
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		for (unsigned int i = 0; i < hook_table[id].n_alts; i++) {
			struct hook_alt_status *st = &p->hooks[id].alts[i];

			if (loaded && (p->wanted[id] & 1U << i))
				ladder_attach_alone(p, id, i);
			if (st->status == NETPROBE_TRIAL_IN_USE)
				st->status = NETPROBE_TRIAL_WORKS;
			if (st->status != NETPROBE_TRIAL_NONE)
				hooks[id].alts[i] = *st;
		}
	}
	probe_unload(p);
	free(p);
}

void probe_trial_all(const struct kernel_facts *facts, struct hook_status *hooks)
{
	trial_group(facts, false, hooks);
	trial_group(facts, true, hooks);
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		for (unsigned int i = 0; i < hook_table[id].n_alts; i++)
			if (is_open(hooks, id, i))
				trial_one(facts, id, i, &hooks[id].alts[i]);
}

void probe_trial_begin(struct hook_status *hooks, const struct hook_status *real)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		hooks[id] = (struct hook_status){ .used = -1 };
		if (!real)
			continue;
		hooks[id].used = real[id].used;
		hooks[id].proven = real[id].proven;
		for (unsigned int i = 0; i < hook_table[id].n_alts; i++)
			if (real[id].used == (int8_t)i ||
			    real[id].alts[i].status == NETPROBE_TRIAL_SILENT)
				hooks[id].alts[i] = real[id].alts[i];
	}
}

/* Opened once, never loaded: only its section names are read. */
static struct netprobe_bpf *target_skel;

static void target_open(void)
{
	target_skel = probe_skel_open(NULL);
}

const char *probe_trial_target(const char *program)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct netprobe_bpf *skel;
	struct bpf_program *prog;

	(void)pthread_once(&once, target_open);
	skel = target_skel;
	prog = skel ? bpf_object__find_program_by_name(skel->obj, program) : NULL;
	return prog ? bpf_program__section_name(prog) : NULL;
}
