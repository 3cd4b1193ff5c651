/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trials for doctor (see trial.h). The ladder stops at what works; here everything is tried, each
 * alternative in an object of its own, so that one refusal says nothing about the others.
 */
#include "probe/trial.h"

#include <pthread.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/internal.h"

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
	bool hash = alt->family == FAMILY_KPROBE;
	struct probe *p = trial_new(facts, hash);

	if (!p)
		return;
	*ret_status = (struct hook_alt_status){};
	ladder_try(p, id, i);
	*ret_status = p->hooks[id].alts[i];
	if (ret_status->status == HOOK_IN_USE)
		ret_status->status = HOOK_WORKS;
	probe_unload(p);
	free(p);
}

void probe_trial_all(const struct kernel_facts *facts, struct hook_status *hooks)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		hooks[id] = (struct hook_status){ .used = -1 };
		for (unsigned int i = 0; i < hook_table[id].n_alts; i++)
			if (hook_table[id].alts[i].kind != KIND_NONE)
				trial_one(facts, id, i, &hooks[id].alts[i]);
	}
}

void probe_trial_merge(struct hook_status *trial, const struct hook_status *real,
		       unsigned int n_alts)
{
	trial->used = real->used;
	trial->proven = real->proven;
	for (unsigned int i = 0; i < n_alts; i++)
		if (real->used == (int8_t)i || real->alts[i].status == HOOK_SILENT)
			trial->alts[i] = real->alts[i];
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
