/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All VIPs and backends, as the pinned maps hold them, and what may be done to them. Arithmetic and
 * tables only: pins.c reads and writes the maps.
 */
#ifndef NETPROBE_BALANCE_MODEL_H
#define NETPROBE_BALANCE_MODEL_H

#include "balance/name.h"
#include "wire/lb.h"

struct model {
	struct lb_vip_conf vips[LB_VIPS];
	struct lb_backend backends[LB_BACKENDS];
	struct lb_backend_conf confs[LB_BACKENDS];
};

/* What `backend add` asks for; the rest of a backend is the model's own. */
struct backend_spec {
	uint8_t addr[16];
	uint8_t src[16];
	uint8_t forward;	     /* LB_FORWARD_* */
	struct lb_backend_conf conf; /* weight, check and its numbers, path, host, slow start */
};

/* Slot; -ENOENT with "no such VIP". */
int model_vip(const struct model *m, const struct lb_vip_key *key, struct netprobe_error *err);
/* Slot of a new one; -EEXIST; -ENOSPC. */
int model_vip_add(struct model *m, const struct lb_vip_key *key, uint32_t flags,
		  struct netprobe_error *err);
void model_vip_remove(struct model *m, unsigned int slot); /* its backends too */
unsigned int model_vips(const struct model *m);
/* Next backend slot of a VIP after that one (0: the first); 0: no more. */
unsigned int model_next(const struct model *m, unsigned int vip, unsigned int after);
/* Slot; -ENOENT. */
int model_backend(const struct model *m, unsigned int vip, const uint8_t addr[16],
		  struct netprobe_error *err);
/* Slot of a new one; -EEXIST, -ENOSPC, -EINVAL (families that forwarding by MAC cannot join). */
int model_backend_add(struct model *m, unsigned int vip, const struct backend_spec *spec,
		      uint64_t now_ns, struct netprobe_error *err);
void model_backend_remove(struct model *m, unsigned int slot);
/* Bring the states of a VIP's backends up to date with their health; true when one changed. */
bool model_refresh(struct model *m, unsigned int vip);
/* The Maglev table of a VIP as it should be now. -ENOMEM. */
int model_ring(const struct model *m, unsigned int vip, uint64_t now_ns, struct lb_ring *ret);

#endif
