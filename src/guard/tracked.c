/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network namespace says of itself: in each build, with guard or without. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "guard/sysctl.h"

int64_t sysctl_read(const char *name)
{
	char path[96], text[96] = "", *last;
	int64_t r = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (!fgets(text, sizeof(text), f))
		r = -EIO;
	(void)fclose(f);
	if (r)
		return r;
	text[strcspn(text, "\n")] = '\0';
	last = strrchr(text, '\t');
	return strtoll(last ? last + 1 : text, NULL, 10);
}

uint8_t guard_tracked(void)
{
	if (sysctl_read("netfilter/nf_conntrack_count") <= 0)
		return NETPROBE_TRACKED_NO;
	return sysctl_read("netfilter/nf_conntrack_tcp_loose") == 0 ? NETPROBE_TRACKED_STRICT
								    : NETPROBE_TRACKED_YES;
}
