/* SPDX-License-Identifier: BSD-2-Clause */
/* VIPs and backends as people write them. Pure. */
#ifndef NETPROBE_BALANCE_NAME_H
#define NETPROBE_BALANCE_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/lb.h"

#define VIP_TEXT_SIZE 64  /* "[...]:65535/tcp" with the longest address */
#define ADDR_TEXT_SIZE 48 /* the longest address */

/*
 * "192.0.2.1:80/tcp", "[2001:db8::1]:443/udp", and * as the port for all of them. -EINVAL with one line
 * that says what is taken; ret untouched then.
 */
int vip_parse(const char *text, struct lb_vip_key *ret, struct netprobe_error *err);
void vip_format(const struct lb_vip_key *key, char ret[VIP_TEXT_SIZE]);
/* One address, a unicast one that is not this host's loopback; with or without brackets. */
int backend_parse(const char *text, uint8_t ret_addr[16], struct netprobe_error *err);
/* Without brackets. */
void addr_format(const uint8_t addr[16], char ret[ADDR_TEXT_SIZE]);
bool addr_is_v4(const uint8_t addr[16]);

#endif
