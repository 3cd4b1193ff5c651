/* SPDX-License-Identifier: BSD-2-Clause */
/* struct tcp_info, of whatever length this kernel fills, as the records carry it. Pure. */
#ifndef NETPROBE_CAPTURE_INFO_H
#define NETPROBE_CAPTURE_INFO_H

#include "capture/diag.h"

/*
 * Payload bytes the process has sent (first transmissions) and received in order. Handshake and FIN
 * take sequence numbers too and are left out.
 */
uint64_t info_tx_bytes(const struct diag_sock *s);
uint64_t info_rx_bytes(const struct diag_sock *s);
uint32_t info_retrans(const struct diag_sock *s); /* segments */
/* Fills what the kernel reported; segments and causes are left as they are. */
void info_tcp(const struct diag_sock *s, struct np_tcp *t);

#endif
