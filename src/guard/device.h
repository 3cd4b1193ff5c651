/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of an interface: its counters, and why it takes no XDP program. */
#ifndef NETPROBE_GUARD_DEVICE_H
#define NETPROBE_GUARD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/guard.h"

struct device_count {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
};
/* -ENODEV: no such interface. */
int device_count(const char *ifname, struct device_count *ret);
/* The counters of now, as the base of later ones. */
void device_base(const char *ifname, struct np_guard_if *at);
/*
 * Whether its frames begin with an Ethernet header; those of tunnels, tun, WireGuard and ppp begin with IP's. true
 * where it cannot be told.
 */
bool device_has_ethernet(const char *ifname);
/*
 * Whether a frame that native XDP sends back out of it (XDP_TX) arrives, and whether one that is sent to it from
 * another one (redirect) does: of a veth where its peer runs an XDP program in its driver, of others as the driver
 * says (since 6.3). true where it cannot be told.
 */
bool device_sends(uint32_t ifindex);
bool device_takes_sent(uint32_t ifindex);
/* In words, with the remedy. r: what attaching returned. */
void device_why_no_xdp(const char *ifname, int r, char *ret, size_t size);
/* The same of what is known already. */
void device_why(const char *ifname, int mtu, bool lro, int r, char *ret, size_t size);
/* Whether it has a clsact or ingress qdisc; true when in doubt. */
bool device_has_clsact(int ifindex);
/* Whether its clsact qdisc has filters; true when in doubt. */
bool device_has_filters(int ifindex);
/* Names of the interfaces here, into ret, which is returned. */
const char *device_names(char *ret, size_t size);

#endif
