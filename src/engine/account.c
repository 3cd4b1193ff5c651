/* SPDX-License-Identifier: BSD-2-Clause */
/* A session's part of the account of losses (event/loss.h): each of its sources adds its own rows. */
#include <string.h>

#include "engine/emit.h"
#include "engine/names.h"
#include "engine/pcap.h"
#include "engine/session_parts.h"
#include "owner/cgroup_watch.h"

/* Programs that run here, and what counts as they do where none runs. */
static bool is_there(struct session *s, unsigned int id, const struct probe_loss *l)
{
	static const struct probe_loss none;
	const struct probe *p = session_probe(s);
	const struct hook_status *hooks = p ? probe_hooks(p) : NULL;

	if (memcmp(l, &none, sizeof(none)) != 0 || id == LOSS_FIGURES)
		return true;
	if (id < NP_PROG_MAX)
		return hooks && hooks[id].used >= 0;
	if (id == LOSS_SUMS)
		return s->events != NULL;
	return s->rung.ops->whose != NULL; /* afpacket */
}

static void add_programs(struct session *s, struct losses *to)
{
	struct probe_loss all[LOSS_MAX] = {};

	if (session_rung_losses(s, all))
		return;
	for (unsigned int id = 0; id < LOSS_MAX; id++)
		if (is_there(s, id, &all[id]))
			losses_add(to, &(struct loss){ .program = prog_name(id),
						       .unit = "events",
						       .count = all[id].loss,
						       .missed = all[id].missed,
						       .implausible = all[id].implausible });
}

static void add_flows(struct session *s, struct losses *to)
{
	uint64_t unread, remote;
	struct flow_left left;

	flow_table_left(s->flows, &left);
	losses_add(to, &(struct loss){ .program = "flows",
				       .unit = "sockets",
				       .count = { .submitted = flow_table_count(s->flows),
						  .map_full = flow_table_no_room(s->flows),
						  .lost_tx_bytes = left.lost_tx_bytes,
						  .lost_rx_bytes = left.lost_rx_bytes } });
	losses_add(to, &(struct loss){ .program = "cgroups",
				       .unit = "owners",
				       .count = { .map_full = cgroup_table_full(s->cgroups) },
				       .missed = cgroup_watch_overflows(s->births) });
	cgroup_table_unread(s->cgroups, &unread, &remote);
	losses_add(to, &(struct loss){ .program = "containers",
				       .unit = "names",
				       .count = { .map_full = unread },
				       .missed = remote });
}

static void add_latency(struct session *s, struct losses *to)
{
	struct np_wait_loss w = {};
	uint64_t dropped = latencies_dropped(engine_latency_all(s->latency));

	engine_latency_losses(s->latency, &w);
	if (session_latency_watched(s) || w.map_full || w.unowned || w.passed || w.untimed)
		losses_add(to, &(struct loss){ .program = "wait",
					       .unit = "waits",
					       .count = { .map_full = w.map_full },
					       .missed = w.unowned + w.passed + w.untimed });
	losses_add(to, &(struct loss){ .program = "latency",
				       .unit = "latencies",
				       .count = { .map_full = dropped } });
}

void session_account(struct session *s, struct losses *to)
{
	add_programs(s, to);
	add_flows(s, to);
	add_latency(s, to);
	sight_account(&s->sight, to);
}
