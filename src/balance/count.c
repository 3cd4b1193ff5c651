/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel half's counters, summed over processors (balance.h). */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "balance/balance.h"

/* The per-CPU value of one slot as n numbers, added up. */
static int sum(int fd, uint32_t slot, uint64_t *ret, unsigned int n)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values;
	int r;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, n * sizeof(*values));
	if (!values)
		return -ENOMEM;
	r = bpf_map_lookup_elem(fd, &slot, values) ? -errno : 0;
	for (unsigned int i = 0; !r && i < n; i++) {
		ret[i] = 0;
		for (int c = 0; c < cpus; c++)
			ret[i] += values[(unsigned int)c * n + i];
	}
	free(values);
	return r;
}

static int sum_count(int fd, uint32_t slot, struct lb_count *ret)
{
	uint64_t n[sizeof(*ret) / sizeof(uint64_t)];
	int r = sum(fd, slot, n, sizeof(n) / sizeof(n[0]));

	if (!r)
		*ret = (struct lb_count){ .packets = n[0],
					  .bytes = n[1],
					  .new_flows = n[2],
					  .table_hits = n[3],
					  .icmp = n[4],
					  .errors = n[5] };
	return r;
}

int balance_vip_count(const struct balance *b, unsigned int vip, struct lb_count *ret)
{
	return sum_count(b->pins.fds[PIN_VIP_COUNT], vip, ret);
}

int balance_backend_count(const struct balance *b, unsigned int slot, struct lb_count *ret)
{
	return sum_count(b->pins.fds[PIN_BE_COUNT], slot, ret);
}

int balance_totals(const struct balance *b, uint64_t ret[LB_TOTALS])
{
	int r = 0;

	for (uint32_t i = 0; !r && i < LB_TOTALS; i++)
		r = sum(b->pins.fds[PIN_TOTALS], i, &ret[i], 1);
	return r;
}
