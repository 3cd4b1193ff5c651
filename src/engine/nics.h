/* SPDX-License-Identifier: BSD-2-Clause */
/* What the interfaces of the own network namespace tell of themselves, for the rows of `top --by interface`. Internal to engine/. */
#ifndef NETPROBE_ENGINE_NICS_H
#define NETPROBE_ENGINE_NICS_H

#include "capture/netdev.h"
#include "engine/ifwatch.h"
#include "flow/view.h"

struct nic_reader;

/* Counting begins now. devs outlives it. netns: the own one. NULL: no memory, or no counters to be read. */
struct nic_reader *nic_reader_new(const struct netdevs *devs, uint32_t netns,
				  const struct ifwatch *watch, struct viewer *viewer);
struct nic_reader *nic_reader_free(struct nic_reader *r);
/* End of an interval: devs were read for it. NULL does nothing. */
void nic_reader_tick(struct nic_reader *r, uint64_t now_ns);

#endif
