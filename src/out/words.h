/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for numbers that everybody knows: states, protocols, families, errno, addresses. NULL where there is none. */
#ifndef NETPROBE_OUT_WORDS_H
#define NETPROBE_OUT_WORDS_H

#include <stdint.h>

#define TCP_STATES 12
extern const char *const tcp_states[TCP_STATES + 1]; /* all names, NULL behind them */
const char *tcp_state_name(uint8_t state);	     /* "ESTABLISHED"; NULL for 0 */
const char *transport_name(uint8_t proto);	     /* "tcp", "udp", "icmp"; NULL others */
const char *family_name(uint8_t family);	     /* "ipv4", "ipv6"; NULL */
const char *owner_match_name(uint8_t match);	     /* "exact", "listener", "procfs", "none" */
const char *link_state_name(uint32_t state);	     /* "up", of NETPROBE_LINK_*; NULL unknown */
const char *
link_duplex_name(uint32_t duplex); /* "half", "full" of NETPROBE_DUPLEX_*; NULL unknown */
const char *errno_name(int err);   /* "ECONNREFUSED"; NULL unknown */
/* Of the address itself: v4-mapped is "ipv4"; an all-zero one goes by family (AF_*). */
const char *addr_family_name(const uint8_t addr[16], uint8_t family);
/* "10.0.0.1", "2001:db8::1"; v4-mapped as IPv4; all zero gives NULL. buf: INET6_ADDRSTRLEN. */
const char *addr_str(const uint8_t addr[16], char *buf);

#endif
