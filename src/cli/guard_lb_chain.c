/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the balancer meets guard's program: chained behind it in mode balance, gone with the last one. */
#include <errno.h>
#include <stdlib.h>

#include "balance/route.h"
#include "base/log.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"

int guard_lb_chain(struct guard *g, const char *ifname, struct netprobe_error *err)
{
	struct balance b = {};
	int r = balance_open(true, NULL, &b, err);

	if (r)
		return r;
	r = guard_set_next(g, ifname, balance_prog_fd(&b), err);
	balance_close(&b);
	for (int v6 = 0; !r && v6 < 2; v6++)
		if (!route_forwards(ifname, v6))
			log_warn("%s: %s forwarding is off, so nothing can be balanced there; "
				 "sysctl -w net.%s.conf.%s.forwarding=1",
				 ifname, v6 ? "IPv6" : "IPv4", v6 ? "ipv6" : "ipv4", ifname);
	return r;
}

bool guard_lb_in_use(void)
{
	struct guard_if *ifs = NULL;
	struct guard *g = NULL;
	bool found = false;
	int n;

	if (guard_open(GUARD_SHARED, &g, NULL))
		return false;
	n = guard_ifs(g, &ifs);
	for (int i = 0; i < n && !found; i++)
		found = ifs[i].at.mode == NP_GUARD_BALANCE;
	free(ifs);
	guard_close(g);
	return found;
}

void guard_lb_detached(void)
{
	struct netprobe_error err = {};
	struct balance b = {};
	int r;

	if (guard_lb_in_use())
		return;
	r = balance_open(false, NULL, &b, &err);
	if (r == -ENOENT)
		return;
	if (!r)
		r = balance_remove(&b, &err);
	if (r)
		log_warn("the balancer is still there: %s", err.msg);
	balance_close(&b);
}
