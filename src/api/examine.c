/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine allows: every way to see everything, tried. */
#include <errno.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/error.h"
#include "probe/kernel.h"
#include "probe/trial.h"

_Static_assert(NETPROBE_TRIAL_SILENT == HOOK_SILENT && NETPROBE_TRIAL_IN_USE == HOOK_IN_USE,
	       "statuses");

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static int tell(unsigned int id, unsigned int i, const struct hook_status *hs, netprobe_hook_fn fn,
		void *arg)
{
	const struct hook *hook = &hook_table[id];
	const struct hook_alt *alt = &hook->alts[i];
	const struct hook_alt_status *st = &hs->alts[i];
	struct netprobe_hook x = {
		.size = sizeof(x),
		.name = hook->name,
		.what = hook->what,
		.family = family_label(alt->family),
		.kind = kind_label(alt->kind),
		.target = alt->progs[0] ? probe_trial_target(alt->progs[0]) : NULL,
		.since = alt->since,
		.until = alt->until,
		.lacks = alt->lacks,
		.reason = or_null(st->reason),
		.remedy = or_null(st->remedy),
		.status = st->status,
		.error = st->err > 0 ? (uint32_t)st->err : 0,
		.required = hook->required,
		.proven = hs->proven,
	};

	return fn ? fn(&x, arg) : 0;
}

API_PUBLIC int netprobe_examine(netprobe_hook_fn fn, void *arg, struct netprobe_error *err)
{
	struct hook_status *hooks = calloc(NP_PROG_MAX, sizeof(*hooks));
	struct np_filter filter = { .enabled = 1, .gen = 1, .sample_rate = 1 };
	struct probe_opts opts = { .filter = &filter };
	struct kernel_facts facts;
	struct probe *p = NULL;
	int n = 0, r = 0;

	if (!hooks)
		return error_set(err, -ENOMEM, "no memory");
	kernel_facts_init(&facts, NULL);
	probe_trial_all(&facts, hooks);
	/* Without rights nothing is in use; each way says itself why. */
	if (!probe_open(&opts, &p, NULL))
		for (unsigned int id = 0; id < NP_PROG_MAX; id++)
			probe_trial_merge(&hooks[id], &probe_hooks(p)[id], hook_table[id].n_alts);
	(void)probe_close(p);
	for (unsigned int id = 0; !r && id < NP_PROG_MAX; id++) {
		for (unsigned int i = 0; !r && i < hook_table[id].n_alts; i++, n++)
			r = tell(id, i, &hooks[id], fn, arg);
	}
	kernel_facts_done(&facts);
	free(hooks);
	return n;
}
