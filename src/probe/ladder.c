/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses one alternative per hook: the first of the table that this kernel, these rights and the
 * forced family allow and that has not failed before. Attaches nothing: load.c does and reports back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe/internal.h"

static bool hash_only(const struct hook_alt *alt)
{
	return alt->kind == KIND_KPROBE;
}

/* Kprobe programs get untyped pointers: they need the hash, and what needs the hash excludes the others. */
static bool fits_store(const struct probe *p, const struct hook_alt *alt)
{
	if (p->store_hash)
		return alt->family == NETPROBE_HOOK_KPROBE || alt->family == NETPROBE_HOOK_AUTO ||
		       alt->kind == KIND_NONE;
	return !hash_only(alt);
}

bool ladder_is_cgroup(const struct bpf_program *prog)
{
	return !strncmp(bpf_program__section_name(prog), "cgroup/", 7);
}

static unsigned int hook_of(const struct hook_alt *alt)
{
	unsigned int id = 0;

	while (alt < hook_table[id].alts || alt >= hook_table[id].alts + HOOK_ALTS)
		id++;
	return id;
}

static bool wants_second(struct probe *p, const struct hook_alt *alt)
{
	struct bpf_program *prog = alt->second ? probe_program(p, alt->second) : NULL;

	if (!prog || (p->no_second[hook_of(alt)] >> (alt - hook_table[hook_of(alt)].alts) & 1))
		return false;
	if (alt->kind == KIND_TP_BTF && !p->facts.tp_preempted)
		return false;
	if (ladder_is_cgroup(prog) && !p->facts.cgroup)
		return false;
	return kernel_has_target(&p->facts, bpf_program__section_name(prog), 0);
}

int ladder_programs(struct probe *p, const struct hook_alt *alt,
		    const char *ret_names[HOOK_MAX_PROGS])
{
	int n = 0;

	for (int i = 0; i < HOOK_PROGS && alt->progs[i]; i++) {
		struct bpf_program *prog = probe_program(p, alt->progs[i]);

		if (!prog ||
		    !kernel_has_target(&p->facts, bpf_program__section_name(prog), alt->nargs))
			return -ENOENT;
		ret_names[n++] = alt->progs[i];
	}
	for (int i = 0; i < HOOK_PROGS && alt->optional[i]; i++) {
		struct bpf_program *prog = probe_program(p, alt->optional[i]);

		if (prog &&
		    kernel_has_target(&p->facts, bpf_program__section_name(prog), alt->nargs))
			ret_names[n++] = alt->optional[i];
	}
	if (wants_second(p, alt))
		ret_names[n++] = alt->second;
	return n;
}

static const char *alt_section(struct probe *p, const struct hook_alt *alt)
{
	struct bpf_program *prog = alt->progs[0] ? probe_program(p, alt->progs[0]) : NULL;

	return prog ? bpf_program__section_name(prog) : "";
}

/* A file tells where fields are; what programs are attached to is a number in the kernel's own BTF. */
static bool by_own_btf(const struct hook_alt *alt)
{
	return alt->kind == KIND_TP_BTF || alt->kind == KIND_FENTRY || alt->kind == KIND_ITER;
}

/* Can it work as far as one can tell without loading it? Positive errno if not. */
int ladder_precheck(struct probe *p, const struct hook_alt *alt)
{
	const char *names[HOOK_MAX_PROGS];

	if (alt->kind == KIND_NONE)
		return 0;
	if (kernel_missing_cap(&p->facts))
		return EPERM;
	if (!p->facts.btf)
		return p->facts.btf_err ? p->facts.btf_err : ENOENT;
	if (!p->facts.btf_own && by_own_btf(alt))
		return ENOTSUP;
	if (ladder_programs(p, alt, names) < 0)
		return ENOENT;
	if (alt->kind == KIND_FENTRY && p->facts.trampoline_err > 0)
		return p->facts.trampoline_err;
	if (alt->kind == KIND_KPROBE && !p->facts.kprobe_pmu)
		return ENOENT;
	if (alt->kind == KIND_CGROUP && !p->facts.cgroup)
		return ENODEV;
	return 0;
}

static void alt_failed(struct probe *p, const struct hook_alt *alt, struct hook_alt_status *st,
		       uint8_t status, int err)
{
	st->status = status;
	st->err = err;
	if (status == NETPROBE_TRIAL_SILENT) {
		(void)snprintf(st->reason, sizeof(st->reason),
			       "attached, but did not fire in the self-test");
		return;
	}
	if (alt->kind == KIND_CGROUP && err == ENODEV) {
		(void)snprintf(st->reason, sizeof(st->reason), "%s", p->facts.cgroup_missing);
		(void)snprintf(
			st->remedy, sizeof(st->remedy), "%s",
			access("/proc/self/mountinfo", R_OK)
				? "mount -t proc none /proc"
				: "start it in the host's cgroup namespace, or with CAP_SYS_ADMIN and CAP_SYS_PTRACE in the host's pid namespace");
		return;
	}
	if (err == ENOTSUP && !p->facts.btf_own && by_own_btf(alt)) {
		(void)snprintf(
			st->reason, sizeof(st->reason),
			"it is attached by the kernel's own BTF, which this kernel does not have (a file does not replace it)");
		(void)snprintf(
			st->remedy, sizeof(st->remedy),
			"kprobes do without: CONFIG_KPROBES; or a kernel with CONFIG_DEBUG_INFO_BTF");
		return;
	}
	if (err == ENOENT && alt->nargs && p->facts.btf &&
	    kernel_has_target(&p->facts, alt_section(p, alt), 0)) {
		(void)snprintf(st->reason, sizeof(st->reason),
			       "this kernel's function does not take %u arguments", alt->nargs);
		return;
	}
	kernel_reason(&p->facts, alt_section(p, alt), err, st->reason, sizeof(st->reason),
		      st->remedy, sizeof(st->remedy));
}

void ladder_fail(struct probe *p, unsigned int hook, uint8_t status, int err)
{
	struct hook_status *hs = &p->hooks[hook];

	if (hs->used < 0)
		return;
	alt_failed(p, &hook_table[hook].alts[hs->used], &hs->alts[hs->used], status, err);
	hs->used = -1;
}

static bool family_allows(const struct probe *p, const struct hook *hook,
			  const struct hook_alt *alt)
{
	uint8_t want = p->opts.family;

	if (hook->follows >= 0 && p->hooks[hook->follows].used >= 0)
		want = hook_table[hook->follows].alts[p->hooks[hook->follows].used].family;
	else if (want != NETPROBE_HOOK_AUTO && alt->kind == KIND_NONE)
		/* "nothing covers it, and here is what that means" is allowed in every family */
		return true;
	return want == NETPROBE_HOOK_AUTO || alt->family == want ||
	       alt->family == NETPROBE_HOOK_AUTO;
}

static void choose_one(struct probe *p, unsigned int id)
{
	const struct hook *hook = &hook_table[id];
	struct hook_status *hs = &p->hooks[id];

	hs->used = -1;
	for (int i = 0; i < hook->n_alts; i++) {
		const struct hook_alt *alt = &hook->alts[i];
		struct hook_alt_status *st = &hs->alts[i];
		int e;

		if (st->status == NETPROBE_TRIAL_FAILS || st->status == NETPROBE_TRIAL_SILENT ||
		    (alt->last_resort && !p->last_resort))
			continue;
		e = ladder_precheck(p, alt);
		if (e) {
			alt_failed(p, alt, st, NETPROBE_TRIAL_FAILS, e);
			continue;
		}
		if (hs->used >= 0 || !fits_store(p, alt) || !family_allows(p, hook, alt))
			continue;
		hs->used = (int8_t)i;
	}
}

/* Why the first alternative of that family failed; empty: it did not, or there is none. */
static const char *why_not(const struct probe *p, unsigned int id, uint8_t family)
{
	const struct hook *hook = &hook_table[id];

	for (int i = 0; i < hook->n_alts; i++)
		if (family == NETPROBE_HOOK_AUTO || hook->alts[i].family == family)
			return p->hooks[id].alts[i].reason;
	return "";
}

static int report_missing(struct probe *p, unsigned int id, struct netprobe_error *err)
{
	const char *why = why_not(p, id, p->opts.family), *also = "";

	/* Then kprobes were the only way. */
	if (p->opts.family == NETPROBE_HOOK_AUTO && !p->facts.btf_own)
		also = why_not(p, id, NETPROBE_HOOK_KPROBE);
	error_set(err, -EOPNOTSUPP, "hook family %s has no way to see %s here%s%s%s%s",
		  p->opts.family == NETPROBE_HOOK_AUTO ? "auto" : family_label(p->opts.family),
		  hook_table[id].what, why[0] ? ": " : "", why, also[0] ? "; by kprobe: " : "",
		  also);
	error_hint(err, "netprobe_examine shows every hook and its alternatives");
	return -EOPNOTSUPP;
}

static int choose_all(struct probe *p, unsigned int *ret_missing)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		if (hook_table[id].follows < 0)
			choose_one(p, id);
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		if (hook_table[id].follows >= 0)
			choose_one(p, id);
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		if (hook_table[id].required && p->hooks[id].used < 0) {
			*ret_missing = id;
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int ladder_choose(struct probe *p, struct netprobe_error *err)
{
	unsigned int missing = 0, still = 0;

	for (int last = 0; last < 2; last++) {
		p->last_resort = last;
		p->store_hash = p->opts.family == NETPROBE_HOOK_KPROBE;
		if (!choose_all(p, &missing))
			return 0;
		/* What no typed hook can see, kprobes may: then the whole set goes by the hash. */
		p->store_hash = p->store_hash || p->opts.family == NETPROBE_HOOK_AUTO;
		if (p->opts.family == NETPROBE_HOOK_AUTO && !choose_all(p, &still))
			return 0;
	}
	return report_missing(p, missing, err);
}

bool ladder_second_fails(struct probe *p, const char *program)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		int8_t used = p->hooks[id].used;
		const char *second = used < 0 ? NULL : hook_table[id].alts[used].second;

		if (!second || strcmp(second, program) != 0)
			continue;
		p->no_second[id] |= (uint8_t)(1U << used);
		return true;
	}
	return false;
}

int ladder_owner(const char *program, unsigned int *ret_hook, unsigned int *ret_alt)
{
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		for (unsigned int a = 0; a < hook_table[id].n_alts; a++) {
			const struct hook_alt *alt = &hook_table[id].alts[a];

			for (int i = 0; i < HOOK_PROGS; i++) {
				if ((alt->second && !strcmp(alt->second, program)) ||
				    (alt->progs[i] && !strcmp(alt->progs[i], program)) ||
				    (alt->optional[i] && !strcmp(alt->optional[i], program))) {
					*ret_hook = id;
					*ret_alt = a;
					return 0;
				}
			}
		}
	}
	return -ENOENT;
}
