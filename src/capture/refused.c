/* SPDX-License-Identifier: BSD-2-Clause */
/* See refused.h. */
#include "capture/refused.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "base/self.h"

/* Loaded modules alone are listed: that it is not says nothing. */
static bool is_listed(const char *protocol)
{
	FILE *f = fopen("/proc/net/protocols", "re");
	char line[256], name[32];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%31s", name) == 1 && !strcmp(name, protocol);
	if (f)
		(void)fclose(f);
	return found;
}

void refused_facts_init(struct refused_facts *ret)
{
	*ret = (struct refused_facts){ .cap_net_raw = self_has_cap(CAP_NET_RAW),
				       .foreign_netns = self_in_foreign_netns(),
				       .seccomp = self_seccomp() == 2,
				       .has_packet = is_listed("PACKET") };
}

static int by_seccomp(const char *what, int e, struct netprobe_error *err)
{
	error_set(err, -EOPNOTSUPP, "a seccomp filter on this process refuses %s (%s)", what,
		  strerrorname_np(-e));
	error_hint(
		err,
		"let the container runtime or service manager allow it (systemd: RestrictAddressFamilies=)");
	return -EOPNOTSUPP;
}

int refused_packet(int e, const struct refused_facts *facts, struct netprobe_error *err)
{
	bool not_permitted = e == -EPERM || e == -EACCES;

	if (not_permitted && !facts->cap_net_raw) {
		error_set(err, -EPERM,
			  "packet capture needs CAP_NET_RAW, which this process does not have");
		error_hint(
			err,
			"run it as root, or give a file of your own the right: setcap cap_net_raw+ep FILE");
		return -EPERM;
	}
	if (not_permitted && facts->foreign_netns) {
		error_set(
			err, -EPERM,
			"packet capture needs CAP_NET_RAW in the user namespace this network namespace belongs to; this process has it in one below");
		error_hint(err, "run it outside, or in a network namespace of its own");
		return -EPERM;
	}
	if (facts->seccomp && (not_permitted || facts->has_packet))
		return by_seccomp("packet sockets", e, err);
	if (not_permitted)
		return error_set(
			err, -EOPNOTSUPP,
			"packet sockets are refused (%s) although CAP_NET_RAW is there: a security module",
			strerrorname_np(-e));
	if (e == -EAFNOSUPPORT)
		return error_set(err, -EOPNOTSUPP,
				 "this kernel has no packet sockets (CONFIG_PACKET)%s",
				 facts->seccomp ? ", or a seccomp filter refuses them" : "");
	return error_set(err, e, "cannot open a packet socket: %s", strerror(-e));
}

int refused_diag(int e, const struct refused_facts *facts, struct netprobe_error *err)
{
	if (facts->seccomp && (e == -EPERM || e == -EACCES || e == -EAFNOSUPPORT))
		return by_seccomp("netlink sockets, by which sockets are listed", e, err);
	if (e == -ENOENT || e == -EOPNOTSUPP || e == -EPROTONOSUPPORT)
		return error_set(
			err, -EOPNOTSUPP,
			"this kernel does not list its sockets (sock_diag; CONFIG_INET_DIAG): %s",
			strerror(-e));
	if (e == -EMFILE || e == -ENFILE || e == -ENOMEM || e == -ENOBUFS)
		return error_set(err, e, "sockets cannot be listed (sock_diag): %s", strerror(-e));
	return error_set(err, e, "this kernel does not list its sockets (sock_diag): %s",
			 strerror(-e));
}
