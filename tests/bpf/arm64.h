/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the programs take of arm64's own headers, for tests/check-core on another processor: as linux/bpf.h has it there. */
#ifndef TESTS_BPF_ARM64_H
#define TESTS_BPF_ARM64_H

#include <linux/types.h>

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

#endif
