/* SPDX-License-Identifier: BSD-2-Clause */
/* See device.h. By netlink and ioctl: /sys may be another namespace's. */
#include "base/netlink.h"
#include "guard/device.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define XDP_LARGE_MTU 3400 /* above it a frame may not fit one page with room for headers */

static int nl_open(void)
{
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

int device_count(const char *ifname, struct device_count *ret)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg m;
	} req = { .h = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST },
		  .m = { .ifi_index = (int)if_nametoindex(ifname) } };
	char buf[16384] __attribute__((aligned(8)));
	struct nlmsghdr *h = (void *)buf;
	struct rtnl_link_stats64 s;
	ssize_t n = -1;
	int fd;

	if (!req.m.ifi_index)
		return -ENODEV;
	fd = nl_open();
	if (fd < 0)
		return fd;
	if (send(fd, &req, sizeof(req), 0) == sizeof(req))
		n = netlink_recv(fd, buf, sizeof(buf), 0);
	(void)close(fd);
	if (n < 0 || !NLMSG_OK(h, n) || h->nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	n = (ssize_t)h->nlmsg_len - (ssize_t)NLMSG_SPACE(sizeof(struct ifinfomsg));
	for (struct rtattr *a = IFLA_RTA(NLMSG_DATA(h)); RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		if (a->rta_type != IFLA_STATS64)
			continue;
		memset(&s, 0, sizeof(s));
		memcpy(&s, RTA_DATA(a), RTA_PAYLOAD(a) < sizeof(s) ? RTA_PAYLOAD(a) : sizeof(s));
		*ret = (struct device_count){
			.rx_packets = s.rx_packets,
			.rx_bytes = s.rx_bytes,
			.tx_packets = s.tx_packets,
			.tx_bytes = s.tx_bytes,
			.rx_dropped = s.rx_dropped,
			.tx_dropped = s.tx_dropped,
			.rx_errors = s.rx_errors,
			.tx_errors = s.tx_errors,
		};
		return 0;
	}
	return -ENODEV;
}

void device_base(const char *ifname, struct np_guard_if *at)
{
	struct device_count c = {};

	(void)device_count(ifname, &c);
	at->base_rx_packets = c.rx_packets;
	at->base_rx_bytes = c.rx_bytes;
	at->base_tx_packets = c.tx_packets;
	at->base_tx_bytes = c.tx_bytes;
	at->base_rx_dropped = c.rx_dropped;
	at->base_tx_dropped = c.tx_dropped;
	at->base_rx_errors = c.rx_errors;
	at->base_tx_errors = c.tx_errors;
}

static int mtu_and_lro(const char *ifname, bool *ret_lro)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	int mtu = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {};

	*ret_lro = false;
	if (fd < 0)
		return 0;
	(void)strncpy(r.ifr_name, ifname, sizeof(r.ifr_name) - 1);
	if (!ioctl(fd, SIOCGIFMTU, &r))
		mtu = r.ifr_mtu;
	r.ifr_data = (void *)&flags;
	if (!ioctl(fd, SIOCETHTOOL, &r))
		*ret_lro = flags.data & ETH_FLAG_LRO;
	(void)close(fd);
	return mtu;
}

bool device_has_ethernet(const char *ifname)
{
	struct ifreq ifr = {};
	int r, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true;
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	r = ioctl(fd, SIOCGIFHWADDR, &ifr);
	(void)close(fd);
	return r || ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
	       ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
}

void device_why_no_xdp(const char *ifname, int r, char *ret, size_t size)
{
	bool lro;
	int mtu = mtu_and_lro(ifname, &lro);

	device_why(ifname, mtu, lro, r, ret, size);
}

void device_why(const char *ifname, int mtu, bool lro, int r, char *ret, size_t size)
{
	if (lro)
		(void)snprintf(ret, size,
			       "LRO merges frames before XDP sees them: `ethtool -K %s lro off`",
			       ifname);
	else if (mtu > XDP_LARGE_MTU && r == -EOPNOTSUPP)
		(void)snprintf(
			ret, size,
			"its driver has no XDP, or none for an MTU of %d: try `ip link set %s "
			"mtu %d`",
			mtu, ifname, XDP_LARGE_MTU);
	else if (mtu > XDP_LARGE_MTU && r != -EPERM && r != -EBUSY)
		(void)snprintf(
			ret, size,
			"its MTU of %d needs frames in several buffers, which this driver or "
			"kernel does not give XDP: `ip link set %s mtu %d`",
			mtu, ifname, XDP_LARGE_MTU);
	else if (r == -EOPNOTSUPP)
		(void)snprintf(ret, size, "its driver has no XDP");
	else if (r == -EBUSY || r == -EEXIST)
		(void)snprintf(ret, size, "another XDP program is there");
	else if (r == -ENOSPC || r == -ENOMEM)
		(void)snprintf(ret, size,
			       "%s: often too few queues, one for each processor more are "
			       "needed (`ethtool -L %s`)",
			       strerror(-r), ifname);
	else
		(void)snprintf(ret, size, "%s", strerror(-r));
}

/* One dump of what hangs below a parent at an interface: whether it is anything. */
static bool tc_has(int fd, struct tcmsg m, __u16 ask, __u16 answer)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg m;
	} req = { .h = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = ask,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		  .m = m };
	char buf[16384] __attribute__((aligned(8)));
	bool found = false;

	if (send(fd, &req, sizeof(req), 0) != sizeof(req))
		return true;
	for (;;) {
		ssize_t n = netlink_recv(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			return true;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct tcmsg *t = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return found;
			/* Qdiscs are told for all interfaces. */
			found |= h->nlmsg_type == answer && t->tcm_ifindex == m.tcm_ifindex &&
				 (ask != RTM_GETQDISC || t->tcm_parent == m.tcm_parent);
		}
	}
}

bool device_has_clsact(int ifindex)
{
	struct tcmsg m = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_CLSACT };
	int fd = nl_open();
	bool found;

	if (fd < 0)
		return true;
	found = tc_has(fd, m, RTM_GETQDISC, RTM_NEWQDISC);
	(void)close(fd);
	return found;
}

bool device_has_filters(int ifindex)
{
	struct tcmsg m = { .tcm_ifindex = ifindex };
	int fd = nl_open();
	bool found;

	if (fd < 0)
		return true;
	m.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	found = tc_has(fd, m, RTM_GETTFILTER, RTM_NEWTFILTER);
	m.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	found = found || tc_has(fd, m, RTM_GETTFILTER, RTM_NEWTFILTER);
	(void)close(fd);
	return found;
}

const char *device_names(char *ret, size_t size)
{
	struct if_nameindex *list = if_nameindex();
	size_t n = 0;

	ret[0] = '\0';
	for (struct if_nameindex *i = list; i && i->if_index && n < size; i++) {
		int more = snprintf(ret + n, size - n, "%s%s", n ? ", " : "", i->if_name);

		if (more > 0)
			n += (size_t)more;
	}
	if (list)
		if_freenameindex(list);
	return ret;
}
