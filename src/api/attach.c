/* SPDX-License-Identifier: BSD-2-Clause */
/* Where guard is: attach, detach, what it counts there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "balance/route.h"
#include "base/error.h"

#define FLOWS_AUTO 0
#define FLOWS_ON 1

/* Nothing is translated between the header and the kernel half. */
_Static_assert(NETPROBE_MODE_MONITOR == NP_GUARD_MONITOR &&
		       NETPROBE_MODE_FILTER == NP_GUARD_FILTER &&
		       NETPROBE_MODE_BALANCE == NP_GUARD_BALANCE,
	       "modes");
_Static_assert(NETPROBE_XDP_NATIVE == NP_GUARD_XDP_NATIVE &&
		       NETPROBE_XDP_GENERIC == NP_GUARD_XDP_GENERIC,
	       "ways of XDP");
_Static_assert(NETPROBE_TC_NONE == NP_GUARD_TC_NONE && NETPROBE_TC_TCX == NP_GUARD_TC_TCX &&
		       NETPROBE_TC_CLSACT == NP_GUARD_TC_CLSACT,
	       "ways of tc");

void api_sweep(void)
{
	guard_sweep_folders();
	pins_sweep();
}

int api_guard(unsigned int flags, struct guard **ret_guard, struct netprobe_error *err)
{
	int r = api_check_listing(err);

	return r ? r : guard_open(flags, ret_guard, err);
}

int api_guard_to_change(struct netprobe_manager *m, struct guard **ret_guard,
			struct netprobe_error *err)
{
	int r = api_check_listing(err);

	if (!r)
		security_begin(m);
	return r ? r : guard_open(0, ret_guard, err);
}

/* Balancing sends what it gets on: the host must be a router there. */
static void note_forwarding(const char *ifname, struct netprobe_error *err)
{
	bool v4 = route_forwards(ifname, false), v6 = route_forwards(ifname, true);

	if (v4 && v6)
		return;
	(void)error_recode(err, NETPROBE_NOTE);
	error_hint(err,
		   "%s forwarding is off, so nothing can be balanced there; sysctl -w "
		   "net.%s.conf.%s.forwarding=1%s",
		   v4 ? "IPv6" : "IPv4", v4 ? "ipv6" : "ipv4", ifname,
		   v4 || v6 ? "" : "; the same of IPv6");
}

static int chain_balancer(struct guard *g, const char *ifname, uint32_t flows,
			  struct netprobe_error *err)
{
	struct pins_opts opts = { .conns = flows };
	struct balance b = {};
	int r = balance_open(true, &opts, &b, err);

	if (!r)
		r = guard_set_next(g, ifname, balance_prog_fd(&b), err);
	balance_close(&b);
	return r;
}

/* Before an interface is given to it: what fails here leaves the interface as it was. */
static int make_balancer(uint32_t flows, struct netprobe_error *err)
{
	struct pins_opts opts = { .conns = flows };
	struct balance b = {};
	int r = balance_open(true, &opts, &b, err);

	balance_close(&b);
	return r;
}

/* Without VIPs, and no interface balances. */
static void drop_balancer(void)
{
	struct balance b = {};

	if (api_balances() || balance_open(false, NULL, &b, NULL))
		return;
	if (!model_vips(b.model))
		(void)balance_remove(&b, NULL);
	balance_close(&b);
}

uint32_t *api_ways(size_t *ret_n)
{
	struct balance b = {};
	uint32_t *ways = NULL;

	*ret_n = 0;
	if (balance_open(false, NULL, &b, NULL))
		return NULL;
	(void)balance_ways(&b, &ways, ret_n);
	balance_close(&b);
	return ways;
}

/* What is on that interface; false: nothing. */
static bool is_on(struct guard *g, const char *ifname, struct np_guard_if *ret_at)
{
	struct guard_if *ifs = NULL;
	int n = guard_ifs(g, &ifs);
	bool found = false;

	for (int i = 0; i < n && !found; i++) {
		found = !ifs[i].gone && !strcmp(ifs[i].name, ifname);
		if (found)
			*ret_at = ifs[i].at;
	}
	free(ifs);
	return found;
}

/* Attach as wished, with the balancer behind it where that is the wish. Where that fails all is as it was. */
static int attach_as(struct guard *g, const char *ifname, const struct guard_attach_opts *how,
		     uint32_t flows, char *note, size_t size, struct netprobe_error *err)
{
	struct netprobe_error ignored = {};
	struct guard_attach_opts was = *how;
	struct np_guard_if before;
	bool on = is_on(g, ifname, &before);
	int r = guard_attach(g, ifname, how, note, size, err);

	if (r || how->mode != NP_GUARD_BALANCE)
		return r;
	r = chain_balancer(g, ifname, flows, err);
	if (!r)
		return 0;
	if (!on) {
		(void)guard_detach(g, ifname, &ignored);
		return r;
	}
	was.mode = before.mode;
	was.flows = before.flags & NP_GUARD_IF_FLOWS;
	(void)guard_attach(g, ifname, &was, note, size, &ignored);
	return r;
}

API_PUBLIC int netprobe_manager_attach(struct netprobe_manager *m, const char *ifname,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_attach_opts how = {};
	struct guard *g = NULL;
	uint32_t flows, *ways = NULL;
	char note[256] = "";
	/* Before the manager's lock: whoever looks may wait for the list with it. */
	int r = api_check_listing(err);

	if (r)
		return r;
	if (!ifname)
		return error_set(err, -EINVAL, "no interface");
	api_sweep();
	api_lock(m);
	how.mode = m->config.enable_xdp_events ? (uint8_t)m->config.mode : NP_GUARD_MONITOR;
	how.xdp = (uint8_t)m->config.xdp_mode;
	how.flows = m->config.count_flows == FLOWS_AUTO ? how.mode == NP_GUARD_MONITOR
							: m->config.count_flows == FLOWS_ON;
	how.clsact = m->config.use_clsact;
	how.no_cookies = m->config.no_syn_cookies;
	flows = m->config.balancer_flows;
	api_unlock(m);
	/* Asked before: the balancer's lock is taken within guard's (chain_balancer), never the other way. */
	if (how.mode == NP_GUARD_BALANCE) {
		how.ways = ways = api_ways(&how.ways_n);
		r = make_balancer(flows, err);
	}
	if (!r)
		r = api_guard(GUARD_CREATE, &g, err);
	if (!r)
		r = attach_as(g, ifname, &how, flows, note, sizeof(note), err);
	guard_close(g);
	free(ways);
	if (r && how.mode == NP_GUARD_BALANCE)
		drop_balancer();
	if (r)
		return r;
	security_begin(m);
	(void)error_set(err, note[0] ? NETPROBE_NOTE : 0, "%s", note);
	if (how.mode == NP_GUARD_BALANCE)
		note_forwarding(ifname, err);
	return 0;
}

static bool balances(struct guard *g)
{
	struct guard_if *ifs = NULL;
	int n = guard_ifs(g, &ifs);
	bool found = false;

	for (int i = 0; i < n && !found; i++)
		found = ifs[i].at.mode == NP_GUARD_BALANCE;
	free(ifs);
	return found;
}

bool api_balances(void)
{
	struct guard *g = NULL;
	bool found;

	if (api_guard(GUARD_SHARED, &g, NULL))
		return false;
	found = balances(g);
	guard_close(g);
	return found;
}

API_PUBLIC int netprobe_manager_detach(struct netprobe_manager *m, const char *ifname,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct balance b = {};
	struct guard *g = NULL;
	bool last = false;
	int r;

	if (!ifname)
		return error_set(err, -EINVAL, "no interface");
	r = api_guard(0, &g, err);
	if (!r)
		r = guard_detach(g, ifname, err);
	if (!r)
		last = !balances(g);
	guard_close(g);
	if (r || !last)
		return r;
	r = balance_open(false, NULL, &b, err);
	if (r == -ENOENT)
		return 0;
	if (!r)
		r = balance_remove(&b, err);
	if (r)
		error_prefix(err, "detached, but the balancer is still there");
	balance_close(&b);
	return r;
}

/* All interfaces into *ret_ifs, the lock let go: who is called back may take its time. */
static int all_ifs(struct guard_if **ret_ifs, struct netprobe_error *err)
{
	struct guard *g = NULL;
	int n = api_guard(GUARD_SHARED, &g, err);

	if (n)
		return n;
	n = guard_ifs(g, ret_ifs);
	guard_close(g);
	return n < 0 ? error_set(err, n, "guard's counters cannot be read: %s", strerror(-n)) : n;
}

API_PUBLIC int netprobe_manager_interfaces(struct netprobe_manager *m, netprobe_interface_fn fn,
					   void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_if *ifs = NULL;
	int n, told = 0;

	if (!fn)
		return error_set(err, -EINVAL, "no function to call");
	api_sweep();
	n = all_ifs(&ifs, err);
	for (int i = 0; i < n; i++) {
		const struct guard_if *f = &ifs[i];
		struct netprobe_device_stats rx, tx;
		struct netprobe_interface x = { .size = sizeof(x),
						.ifindex = f->at.ifindex,
						.mode = f->at.mode,
						.xdp = f->at.xdp,
						.tc = f->at.tc,
						.program_id = f->at.xdp_id,
						.state = f->moved      ? NETPROBE_STATE_MOVED
							 : f->gone     ? NETPROBE_STATE_GONE
							 : f->lost_xdp ? NETPROBE_STATE_LOST
							 : f->mute ? NETPROBE_STATE_NOT_DELIVERING
								   : NETPROBE_STATE_ON,
						.rx = &rx,
						.tx = &tx };

		memcpy(x.name, f->name, sizeof(x.name));
		api_fill_device(&rx, f, false);
		api_fill_device(&tx, f, true);
		told++;
		if (fn(&x, arg))
			break;
	}
	free(ifs);
	return n < 0 ? n : told;
}

struct flow_list {
	netprobe_guard_flow_fn fn;
	void *arg;
	int n;
};

static int on_flow(const struct np_guard_flow_key *k, const struct np_guard_flow *f, void *arg)
{
	struct flow_list *l = arg;
	struct netprobe_guard_flow x = { .size = sizeof(x),
					 .lport = k->lport,
					 .rport = k->rport,
					 .proto = k->proto,
					 .tcp_flags = (uint8_t)f->flags,
					 .ifindex = k->ifindex,
					 .rx_pkts = f->rx_packets,
					 .rx_bytes = f->rx_bytes,
					 .tx_pkts = f->tx_packets,
					 .tx_bytes = f->tx_bytes };

	memcpy(x.laddr, k->laddr, sizeof(x.laddr));
	memcpy(x.raddr, k->raddr, sizeof(x.raddr));
	l->n++;
	return l->fn ? l->fn(&x, l->arg) : 0;
}

API_PUBLIC int netprobe_manager_guard_flows(struct netprobe_manager *m, netprobe_guard_flow_fn fn,
					    void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct flow_list l = { .fn = fn, .arg = arg };
	struct guard *g = NULL;
	int r = api_guard(GUARD_SHARED, &g, err);

	if (r)
		return r;
	api_listing++;
	r = guard_flows(g, on_flow, &l);
	api_listing--;
	guard_close(g);
	return r < 0 && !l.n ? error_set(err, r, "guard's flows cannot be read: %s", strerror(-r))
			     : l.n;
}
