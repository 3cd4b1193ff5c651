/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people type them, from the command line, the config file and the control socket alike.
 * Each returns 0, or -EINVAL with a message "'given' is not an X; takes Y" that lacks only the name of
 * the option in front (error_prefix); ret values stay untouched then. The whole string must fit.
 */
#ifndef NETPROBE_BASE_PARSE_H
#define NETPROBE_BASE_PARSE_H

#include <stdint.h>

#include "base/error.h"
#include "wire/config.h"

/* Decimal, no sign, no blanks; min..max both included. */
int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret, struct netprobe_error *err);
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct netprobe_error *err);
/* The same, of bytes: 64K, 8M, 1GiB are multiples of 1024. */
int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret,
	       struct netprobe_error *err);
/* "1", "0.5", "10s", "500ms", "2m", "1h"; up to a year. A number alone is seconds. */
int parse_seconds(const char *s, double *ret, struct netprobe_error *err);
/* The same in milliseconds, and a number alone is milliseconds. Fractions of one are refused. */
int parse_msec(const char *s, uint32_t *ret, struct netprobe_error *err);
/*
 * An address or a network, IPv4 (also as ::ffff:a.b.c.d) or IPv6; ret->len counts of 128 bits. Bits
 * beyond the prefix are refused with the network that was probably meant. ::/0 takes IPv4 in too.
 */
int parse_cidr(const char *s, struct np_cidr *ret, struct netprobe_error *err);
/* "80", "8000-8100". */
int parse_port_range(const char *s, struct np_port_range *ret, struct netprobe_error *err);
/* "tcp", "udp", "icmp": one NP_PROTO_*. */
int parse_proto(const char *s, uint8_t *ret, struct netprobe_error *err);
/* Any protocol of IP, by name or number: IPPROTO_*, 1 to 255. */
int parse_ip_proto(const char *s, uint8_t *ret, struct netprobe_error *err);
/* Its name; of one without, its number. */
const char *ip_proto_name(uint8_t proto, char room[4]);

#endif
