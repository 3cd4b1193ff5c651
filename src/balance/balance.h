/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balancer of this network namespace: what it should do, told to the kernel half, and what that
 * counts. Lives in pinned maps; an object of this type is one command's hold on them, locked against
 * others from balance_open to balance_close unless balance_share lets go in between.
 */
#ifndef NETPROBE_BALANCE_BALANCE_H
#define NETPROBE_BALANCE_BALANCE_H

#include "balance/model.h"
#include "balance/pins.h"

struct balance {
	struct pins pins;
	struct model *model;
	uint32_t gen;	   /* of the maps when the model was read */
	uint64_t links_ns; /* CLOCK_MONOTONIC: when VLAN devices were looked for */
};

/* -ENOENT: there is no balancer here and create is false. */
int balance_open(bool create, const struct pins_opts *opts, struct balance *ret,
		 struct netprobe_error *err);
void balance_close(struct balance *b);
/* Interfaces that the routes to its backends lead out at, each once; free() it. */
int balance_ways(const struct balance *b, uint32_t **ret, size_t *ret_n);
/* The program, to be attached to an interface. */
int balance_prog_fd(const struct balance *b);
/* Take all of it out of bpffs, the neighbour entries too. What is attached goes on until detached. */
int balance_remove(struct balance *b, struct netprobe_error *err);

/* Let others change things; to be followed by balance_take before the next change of one's own. */
void balance_share(struct balance *b);
/* Lock again, and read again what others changed. */
int balance_take(struct balance *b, struct netprobe_error *err);

int balance_vip_add(struct balance *b, const struct lb_vip_key *key, uint32_t flags,
		    struct netprobe_error *err);
int balance_vip_remove(struct balance *b, const struct lb_vip_key *key, struct netprobe_error *err);
/* spec->src is found by the route where it is all zero. */
int balance_backend_add(struct balance *b, const struct lb_vip_key *vip, struct backend_spec *spec,
			struct netprobe_error *err);
int balance_backend_remove(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			   struct netprobe_error *err);
/* drain false: take new flows again. */
int balance_backend_drain(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			  bool drain, struct netprobe_error *err);
/* weight 1..LB_WEIGHT_MAX. */
int balance_backend_weight(struct balance *b, const struct lb_vip_key *vip, const uint8_t addr[16],
			   uint32_t weight, struct netprobe_error *err);
/* Write what health changed in the model: states, and the ring of that VIP. */
int balance_update(struct balance *b, unsigned int vip, struct netprobe_error *err);
/* Write one backend's conf alone. */
int balance_save(struct balance *b, unsigned int slot);

int balance_vip_count(const struct balance *b, unsigned int vip, struct lb_count *ret);
int balance_backend_count(const struct balance *b, unsigned int slot, struct lb_count *ret);
int balance_totals(const struct balance *b, uint64_t ret[LB_TOTALS]);

#endif
