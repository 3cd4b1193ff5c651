/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name a client gives in the first bytes it sends on a connection: TLS server_name (RFC 6066),
 * Host of HTTP/1. Every length is checked, nothing is allocated, a name is a host name or none.
 */
#ifndef NETPROBE_NAME_FIRST_H
#define NETPROBE_NAME_FIRST_H

#include <stddef.h>
#include <stdint.h>

#define FIRST_NAME_TEXT 256

/*
 * 0 and the name in lower case, without a port. -ENOENT: there is none; -EBADMSG: these are no such
 * bytes, or they lie; -ENODATA: they end too soon. name stays untouched then.
 */
int first_tls(const uint8_t *data, size_t len, char name[FIRST_NAME_TEXT]);
int first_http(const uint8_t *data, size_t len, char name[FIRST_NAME_TEXT]);

#endif
