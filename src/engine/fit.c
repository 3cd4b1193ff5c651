/* SPDX-License-Identifier: BSD-2-Clause */
/* See fit.h. Sizes of flow_main_tcp and np_ev_sock with what an allocator and a hash add. */
#include "engine/fit.h"

#define FLOW_BYTES 1024 /* with its owner, its deltas and its places in tables */
#define CLOSED_BYTES 704
#define PART_BYTES 256
#define RING_LEAST (256U << 10)
#define RING_MOST (8U << 20)

static uint32_t within(uint64_t n, uint32_t least, uint32_t most)
{
	if (n < least)
		return least;
	return n > most ? most : (uint32_t)n;
}

void fit_to_memory(struct session_opts *o, uint64_t limit)
{
	uint32_t ring = RING_LEAST;

	if (!limit || limit >= FIT_PLENTY)
		return;
	/* a quarter of it for the flows, an eighth for ends that find the ring full, half as much for the ring */
	if (!o->flows.max_flows)
		o->flows.max_flows = within(limit / 4 / FLOW_BYTES, 2048, 262144);
	while (ring < RING_MOST && ring * 2ULL <= limit / 16)
		ring *= 2;
	if (!o->probe.ring_bytes && !o->probe.quiet)
		o->probe.ring_bytes = ring;
	if (!o->probe.closed)
		o->probe.closed = within(limit / 8 / CLOSED_BYTES, 1024, 32768);
	if (!o->probe.parts)
		o->probe.parts = within(limit / 16 / PART_BYTES, 1024, 65536);
}
