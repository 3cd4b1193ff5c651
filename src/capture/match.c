/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters in user space (see match.h). */
#include "capture/match.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static bool host_in(const struct np_filter *f, unsigned int list, const uint8_t addr[16])
{
	for (unsigned int i = 0; i < f->n_host[list]; i++) {
		const struct np_cidr *c = &f->host[list][i];
		unsigned int diff = 0;

		for (unsigned int k = 0; k < 16; k++)
			diff |= (unsigned int)(addr[k] ^ c->addr[k]) & c->mask[k];
		if (!diff)
			return true;
	}
	return false;
}

static bool port_in(const struct np_filter *f, unsigned int list, uint16_t port)
{
	for (unsigned int i = 0; i < f->n_port[list]; i++)
		if (port >= f->port[list][i].from && port <= f->port[list][i].to)
			return true;
	return false;
}

static bool iface_in(const struct np_filter *f, const char *name)
{
	/* What has no interface yet is settled where its route is asked for. */
	if (!*name)
		return true;
	for (unsigned int i = 0; i < f->n_iface; i++)
		if (!strncmp(f->iface[i], name, sizeof(f->iface[i])))
			return true;
	return false;
}

static uint8_t proto_bit(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case NP_IPPROTO_MPTCP:
		return NP_PROTO_TCP;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return NP_PROTO_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return NP_PROTO_ICMP;
	default:
		return 0;
	}
}

bool match_tuple(const struct np_filter *f, const struct np_tuple *t)
{
	if (!f->enabled || (f->family && f->family != t->family))
		return false;
	if (f->proto_mask && !(f->proto_mask & proto_bit(t->proto)))
		return false;
	if (f->n_host[NP_END_LOCAL] && !host_in(f, NP_END_LOCAL, t->laddr))
		return false;
	if (f->n_host[NP_END_REMOTE] && !host_in(f, NP_END_REMOTE, t->raddr))
		return false;
	if (f->n_host[NP_END_ANY] && !host_in(f, NP_END_ANY, t->laddr) &&
	    !host_in(f, NP_END_ANY, t->raddr))
		return false;
	if (f->n_port[NP_END_LOCAL] && !port_in(f, NP_END_LOCAL, t->lport))
		return false;
	if (f->n_port[NP_END_REMOTE] && !port_in(f, NP_END_REMOTE, t->rport))
		return false;
	if (f->n_port[NP_END_ANY] && !port_in(f, NP_END_ANY, t->lport) &&
	    !port_in(f, NP_END_ANY, t->rport))
		return false;
	return !f->n_iface || iface_in(f, t->ifname);
}

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (!strcmp(top, "/"))
		return true;
	return !strncmp(path, top, n) && (path[n] == '\0' || path[n] == '/');
}

static bool cgroup_in(const struct np_filter *f, uint64_t id, struct cgroup_table *cgroups,
		      uint64_t now_ns)
{
	const struct cgroup *own = id ? cgroup_table_get(cgroups, id, now_ns) : NULL;
	bool in = false;

	cgroup_ref(own); /* asking for another one may make room */
	for (unsigned int i = 0; i < f->n_cgroup && id && !in; i++) {
		const struct cgroup *top;

		in = f->cgroup[i].id == id;
		if (in)
			break;
		top = cgroup_table_get(cgroups, f->cgroup[i].id, now_ns);
		in = own && own->path && top && top->path && is_below(own->path, top->path);
	}
	cgroup_unref(own);
	return in;
}

bool match_owner(const struct np_filter *f, const struct np_owner *o, struct cgroup_table *cgroups,
		 uint64_t now_ns)
{
	bool in = !f->n_tgid;

	for (unsigned int i = 0; i < f->n_tgid && !in; i++)
		in = o->tgid == f->tgid[i];
	if (!in)
		return false;
	in = !f->n_user;
	for (unsigned int i = 0; i < f->n_user && !in; i++)
		in = o->tgid && o->uid == f->user[i];
	if (!in)
		return false;
	in = !f->n_comm;
	for (unsigned int i = 0; i < f->n_comm && !in; i++)
		in = o->tgid && !strncmp(o->comm, f->comm[i], sizeof(f->comm[i]));
	return in && (!f->n_cgroup || cgroup_in(f, o->cgroup_id, cgroups, now_ns));
}

bool match_sample(const struct np_filter *f, uint64_t flow)
{
	/* As the kernel half does, so that both choose the same sockets. */
	return f->sample_rate <= 1 ||
	       (uint32_t)((flow * 0x9e3779b97f4a7c15ULL) >> 32) % f->sample_rate == 0;
}

int match_check_ifaces(const struct np_filter *f, const char *mode, struct netprobe_error *err)
{
	for (unsigned int i = 0; i < f->n_iface; i++)
		if (!if_nametoindex(f->iface[i]))
			return error_set(
				err, -ENODEV,
				"interface '%s' is in another network namespace, and %s sees this one alone",
				f->iface[i], mode);
	return 0;
}
