// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What processes are called in the initial pid namespace: netprobe may be in another one, whose numbers its user types and
 * its /proc shows. Loaded, read once and let go.
 */
#include "kernel/iter.h"
#include "lib/np.h"
#include "wire/config.h"

const volatile __u32 cfg_up = 0; /* namespaces from ours up to that of the numbers asked for */
const volatile __u32 cfg_n = 0;
const volatile __u32 cfg_inside[NP_FILTER_SLOTS] = {};
__u32 st_host[NP_FILTER_SLOTS] = {}; /* 0: there is none */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A task's number at that depth; 0: it is not that deep. */
static __always_inline __u32 number_at(struct task_struct *task, __u32 level)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	int nr = 0;

	if (BPF_CORE_READ(pid, level) < level)
		return 0;
	(void)bpf_probe_read_kernel(&nr, sizeof(nr),
				    (char *)pid + bpf_core_field_offset(struct pid, numbers) +
					    level * bpf_core_type_size(struct upid));
	return nr;
}

/* Each task of our pid namespace and of those below. Context: process. Since 5.8. */
SEC("iter/task")
int np_pids(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *own = (void *)bpf_get_current_task();
	__u32 level = BPF_CORE_READ(own, thread_pid, level) - cfg_up, nr;

	if (!task || task->pid != task->tgid)
		return 0;
	nr = number_at(task, level);
	for (__u32 i = 0; i < NP_FILTER_SLOTS; i++)
		if (i < cfg_n && nr && cfg_inside[i] == nr)
			st_host[i] = task->tgid;
	return 0;
}
