/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `netprobe dns` share: the summary, which adds up transactions. */
#ifndef NETPROBE_CLI_DNS_H
#define NETPROBE_CLI_DNS_H

#include <netprobe/netprobe.h>

#include "base/buf.h"

#define DNS_TOP 10 /* rows of each list unless asked otherwise */

struct dns_summary;

struct dns_summary *dns_summary_new(void);
struct dns_summary *dns_summary_free(struct dns_summary *s);
/* One transaction: ev->dns is there. -ENOMEM. */
int dns_summary_add(struct dns_summary *s, const struct netprobe_event *ev);
/* Most asked, slowest, failing, by process: so many rows of each; and all together. fit: columns of the terminal, or 0. */
int dns_summary_write(struct dns_summary *s, struct netprobe_manager *m, uint32_t rows, int format,
		      bool color, unsigned int fit, struct buf *out);

#endif
