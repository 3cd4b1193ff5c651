/* SPDX-License-Identifier: BSD-2-Clause */
/* See percpu.h. */
#include "probe/percpu.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int percpu_sum(const struct bpf_map *map, void *ret, size_t size)
{
	int cpus = libbpf_num_possible_cpus(), r = 0;
	size_t n = size / sizeof(__u64);
	__u64 *each = calloc(cpus > 0 ? (size_t)cpus : 1, size), *sum = ret;
	__u32 zero = 0;

	assert(size % sizeof(__u64) == 0);
	memset(ret, 0, size);
	if (!each || cpus < 0)
		r = -ENOMEM;
	else if (bpf_map_lookup_elem(bpf_map__fd(map), &zero, each))
		r = -errno;
	for (size_t i = 0; !r && i < n * (size_t)cpus; i++)
		sum[i % n] += each[i];
	free(each);
	return r;
}
