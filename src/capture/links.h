/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces and addresses of the own network namespace, followed while they come and go (rtnetlink). */
#ifndef NETPROBE_CAPTURE_LINKS_H
#define NETPROBE_CAPTURE_LINKS_H

#include <netprobe/view.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture/netdev.h"

struct links;

/* came: it was not there before; else it has gone. One that is renamed goes under its old name and comes under the new one. */
typedef void (*link_fn)(uint32_t ifindex, const char *name, bool came, void *arg);

/* NULL with *ret_err a negative errno. */
struct links *links_open(int *ret_err);
struct links *links_close(struct links *l);
int links_fd(const struct links *l);
/* Take what has changed; fn is told of interfaces. */
void links_read(struct links *l, link_fn fn, void *arg);
const char *links_name(const struct links *l, uint32_t ifindex); /* NULL unknown */
uint32_t links_index(const struct links *l, const char *name);	 /* 0: not there */
/* What it had counted when it was met. false: it is not there. */
bool links_began(const struct links *l, uint32_t ifindex, struct netdev *ret);
/* Is it part of another one, or is one of this namespace on it? */
bool links_is_stacked(const struct links *l, uint32_t ifindex);
/* NETPROBE_LINK_*. ret_mbit: its speed; ret_duplex: NETPROBE_DUPLEX_*; 0: it has none, or does not tell. */
uint32_t links_state(struct links *l, uint32_t ifindex, uint32_t *ret_mbit, uint32_t *ret_duplex);
bool links_is_local(const struct links *l, const uint8_t addr[16]);

#endif
