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
/* Bytes above Ethernet's header, at most 65535; 1500 where it cannot be told. */
uint16_t device_mtu(const char *ifname);
/*
 * Whether its frames begin with an Ethernet header; those of tunnels, tun, WireGuard and ppp begin with IP's. true
 * where it cannot be told.
 */
bool device_has_ethernet(const char *ifname);
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
