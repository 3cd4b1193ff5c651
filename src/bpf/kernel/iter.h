/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contexts of BPF iterators (see net.h). */
#ifndef NETPROBE_BPF_KERNEL_ITER_H
#define NETPROBE_BPF_KERNEL_ITER_H

#include <linux/types.h>

#include "net.h"
#include "task.h"

struct bpf_map;
struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

/* since 5.8 */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* since 5.9 */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

/* since 5.9 */
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

/* since 5.9 */
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif
