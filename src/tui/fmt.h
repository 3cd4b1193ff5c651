/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers, times and addresses as short as a column needs them. Three significant digits, so that
 * a width holds whatever the number. Not here: the tables of other commands (out/table.h), which
 * have room for "1.5 MiB".
 */
#ifndef NETPROBE_TUI_FMT_H
#define NETPROBE_TUI_FMT_H

#include <stddef.h>
#include <stdint.h>

#define FMT_MAX 32	    /* enough for every number here */
#define FMT_ENDPOINT_MAX 64 /* "[" + IPv6 + "]:65535" */

/* 1000-based: "0", "<1", "999", "1.50k", "12.3M"; at most 5 characters. Negative, NaN: "?". */
void fmt_si(double v, char *s, size_t size);
/* 1024-based: "0", "1023", "1.50Ki", "12.3Mi"; at most 6 characters. */
void fmt_bytes(uint64_t v, char *s, size_t size);
/* Plain up to 99999, then as fmt_si: at most 5 characters. */
void fmt_count(uint64_t v, char *s, size_t size);
/* "-" for 0 (unknown), "999us", "1.50ms", "12.3s", "71m": at most 6 characters. */
void fmt_usec(uint32_t us, char *s, size_t size);
/* "0", "340ms", "1.50s", "12.3m", "71.0h": at most 6 characters. */
void fmt_msec(uint64_t ms, char *s, size_t size);
/* A round figure needs no zeros behind its point: "2.00G" becomes "2G". */
void fmt_trim(char *s);
/* "00:01:23", "3d 00:01:23". */
void fmt_uptime(double seconds, char *s, size_t size);
/* Address in the wire form of 16 bytes (v4-mapped: dotted); all zero: "*". */
void fmt_addr(const uint8_t addr[16], char *s, size_t size);
/* The same with its port: "10.0.0.1:443", "[::1]:443", port 0: ":*". */
void fmt_endpoint(const uint8_t addr[16], uint16_t port, char *s, size_t size);
/* Name of a TCP_* state as ss prints it, in short; "" for 0. */
const char *fmt_tcp_state(uint8_t state);
const char *fmt_proto(uint8_t proto);

#endif
