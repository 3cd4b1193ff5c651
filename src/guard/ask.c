/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helpers the kernel has: a program is loaded for each answer, so each is remembered. */
#include <stdatomic.h>

#include <bpf/libbpf.h>

#include "guard/internal.h"

int guard_helper(int which)
{
	static _Atomic signed char known[__BPF_FUNC_MAX_ID]; /* 1 + the answer; 0: not asked yet */
	int r = known[which] - 1;

	if (r >= 0)
		return r;
	r = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, (enum bpf_func_id)which, NULL);
	if (r >= 0)
		known[which] = (signed char)(1 + r);
	return r;
}
