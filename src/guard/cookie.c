/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYN cookies: which services are protected, and the kernel's settings they depend on. The listener
 * takes a cookie only while net.ipv4.tcp_syncookies is not 0; that is changed where asked for, and put
 * back with the last service.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/parse.h"
#include "guard/internal.h"
#include "guard/sysctl.h"

#define SYSCTL_COOKIES "ipv4/tcp_syncookies"
#define SYSCTL_TS "ipv4/tcp_timestamps"
#define ALWAYS 2
#define NO_OFFSET 2 /* of tcp_timestamps: without the kernel's secret in them */
#define WSCALE_MAX 14
#define WINDOW_BITS 15

static int sysctl_write(const char *name, int value)
{
	char path[96], text[16];
	int fd, r = 0, n = snprintf(text, sizeof(text), "%d\n", value);

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)n) != n)
		r = -errno;
	(void)close(fd);
	return r;
}

/* As the kernel chooses it when it takes a cookie, unless the listener has a buffer of its own. */
static uint8_t window_scale(void)
{
	int64_t space = sysctl_read("ipv4/tcp_rmem"), most = sysctl_read("core/rmem_max");
	unsigned int bits = 0;

	if (sysctl_read("ipv4/tcp_window_scaling") == 0)
		return 0;
	if (most > space)
		space = most;
	while (space >> (bits + 1) > 0)
		bits++;
	if (bits <= WINDOW_BITS)
		return 0;
	return bits - WINDOW_BITS > WSCALE_MAX ? WSCALE_MAX : (uint8_t)(bits - WINDOW_BITS);
}

static int no_service(const char *text, struct netprobe_error *err)
{
	return error_set(err, -EINVAL,
			 "'%.60s' is not a service; takes ADDR:PORT, like 192.0.2.1:443 or "
			 "[2001:db8::1]:443, or PORT for every address of this machine",
			 text);
}

static int add_service(struct np_guard_service **list, size_t *n, const uint8_t addr[16],
		       uint16_t port)
{
	struct np_guard_service *p = realloc(*list, (*n + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	*list = p;
	p += (*n)++;
	*p = (struct np_guard_service){ .port = port };
	memcpy(p->addr, addr, 16);
	return 0;
}

/* A port alone: at every address there is now, but those of the loopback interface. */
static int every_address(uint16_t port, struct np_guard_service **list, size_t *n)
{
	struct ifaddrs *ifs;
	int r = 0;

	if (getifaddrs(&ifs))
		return -errno;
	for (struct ifaddrs *i = ifs; i && !r; i = i->ifa_next) {
		uint8_t addr[16] = { [10] = 0xff, 0xff };

		if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK))
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			memcpy(addr + 12, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(addr, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
		else
			continue;
		r = add_service(list, n, addr, port);
	}
	freeifaddrs(ifs);
	return r;
}

int guard_parse_service(const char *text, struct np_guard_service **ret, size_t *ret_n,
			struct netprobe_error *err)
{
	const char *colon = strrchr(text, ':'), *addr = text;
	struct np_guard_service *list = NULL;
	struct np_cidr cidr = {};
	char copy[64];
	uint32_t port;
	size_t len, n = 0;
	int r;

	if (parse_u32(colon ? colon + 1 : text, 1, 65535, &port, NULL))
		return no_service(text, err);
	if (!colon) {
		r = every_address((uint16_t)port, &list, &n);
		if (!r && !n)
			r = error_set(err, -EINVAL, "no interface here has an address");
	} else {
		len = (size_t)(colon - text);
		if (*text == '[' && len > 2 && text[len - 1] == ']') {
			addr++;
			len -= 2;
		} else if (memchr(text, ':', len)) {
			return no_service(text, err);
		}
		if (!len || len >= sizeof(copy) || memchr(addr, '/', len))
			return no_service(text, err);
		memcpy(copy, addr, len);
		copy[len] = '\0';
		if (parse_cidr(copy, &cidr, NULL) || cidr.len != 128)
			return no_service(text, err);
		r = add_service(&list, &n, cidr.addr, (uint16_t)port);
	}
	if (r) {
		free(list);
		return r == -EINVAL ? r : error_set(err, r, "%s: %s", text, strerror(-r));
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

int guard_cookie_helpers(void)
{
	/* The helper that checks them is the last one of what is needed. */
	return guard_helper(BPF_FUNC_tcp_raw_check_syncookie_ipv4);
}

int32_t guard_cookie_setting(void)
{
	int64_t v = sysctl_read(SYSCTL_COOKIES);

	return v < 0 ? -1 : (int32_t)v;
}

uint8_t cookie_support(struct guard *g)
{
	bool filters = false;

	for (uint32_t i = 0; i < NP_GUARD_IFS; i++) {
		struct np_guard_if at;

		if (bpf_map_lookup_elem(g->map[MAP_IFS], &i, &at) || !at.ifindex ||
		    at.mode == NP_GUARD_MONITOR)
			continue;
		if (at.flags & NP_GUARD_IF_COOKIES)
			return NETPROBE_COOKIES_READY;
		filters = true;
	}
	if (!filters)
		return NETPROBE_COOKIES_NO_FILTER;
	return guard_cookie_helpers() > 0 ? NETPROBE_COOKIES_LEFT_OUT : NETPROBE_COOKIES_NO_KERNEL;
}

/* 0; -EOPNOTSUPP says what is missing. */
static int can_protect(struct guard *g, struct netprobe_error *err)
{
	switch (cookie_support(g)) {
	case NETPROBE_COOKIES_READY:
		return 0;
	case NETPROBE_COOKIES_NO_FILTER:
		error_set(err, -EINVAL, "guard only counts here");
		error_hint(err, "netprobe_manager_attach first");
		return -EINVAL;
	case NETPROBE_COOKIES_LEFT_OUT:
		error_set(err, -EOPNOTSUPP,
			  "guard has no SYN cookies for XDP here: it was attached without, or the "
			  "kernel refused the program");
		error_hint(err, "netprobe_manager_attach first");
		return -EOPNOTSUPP;
	}
	return error_set(err, -EOPNOTSUPP,
			 "this kernel has no SYN cookies for XDP (since 6.0, with "
			 "CONFIG_SYN_COOKIES)");
}

/* Its SYN was answered before the tracking saw it: a connection begins there with an acknowledgement. */
static void note_tracked(char *note, size_t size)
{
	size_t n = strlen(note);
	uint8_t tracked = guard_tracked();

	if (tracked == NETPROBE_TRACKED_NO)
		return;
	(void)snprintf(note + n, size - n,
		       "%sconnections are tracked here (nf_conntrack), and those that come by a "
		       "cookie %s: notrack the port, see docs/guard.md",
		       n ? "; " : "",
		       tracked == NETPROBE_TRACKED_STRICT
			       ? "are invalid to it, because nf_conntrack_tcp_loose is 0"
			       : "are new to it with their acknowledgement");
}

/* What the kernel's settings make of it, in words; empty: all is well. */
static int settings(struct guard *g, bool set, char *note, size_t size, struct netprobe_error *err)
{
	int64_t cookies = sysctl_read(SYSCTL_COOKIES), ts = sysctl_read(SYSCTL_TS);
	int r;

	note[0] = '\0';
	if (cookies < 0)
		return error_set(err, -EOPNOTSUPP,
				 "this kernel has no net.ipv4.tcp_syncookies (CONFIG_SYN_COOKIES)");
	if (set && cookies != ALWAYS) {
		r = sysctl_write(SYSCTL_COOKIES, ALWAYS);
		if (r)
			return error_set(err, r, "cannot set net.ipv4.tcp_syncookies: %s",
					 strerror(-r));
		if (!g->conf->sysctl_was)
			g->conf->sysctl_was = (uint8_t)(1 + cookies);
		cookies = ALWAYS;
	}
	if (cookies == 0)
		(void)snprintf(
			note, size,
			"net.ipv4.tcp_syncookies is 0: the kernel takes no cookies, so every "
			"SYN is left to it; netprobe_syncookies.sysctl sets it to 2");
	else if (cookies == 1)
		(void)snprintf(note, size,
			       "net.ipv4.tcp_syncookies is 1: SYNs are answered here only while a "
			       "listener's queue is full; netprobe_syncookies.sysctl sets it to 2");
	note_tracked(note, size);
	g->conf->cookie_wscale = window_scale();
	g->conf->cookie_ts = ts == NO_OFFSET && sysctl_read("ipv4/tcp_sack") == 1 &&
			     sysctl_read("ipv4/tcp_window_scaling") == 1;
	return 0;
}

void cookie_settings_back(struct guard *g)
{
	/* Not where somebody else changed it since. */
	if (g->conf->sysctl_was && sysctl_read(SYSCTL_COOKIES) == ALWAYS)
		(void)sysctl_write(SYSCTL_COOKIES, g->conf->sysctl_was - 1);
	g->conf->sysctl_was = 0;
}

/* How many there are; their ports' bits. */
static uint32_t count(struct guard *g, uint64_t *ret_ports)
{
	struct np_guard_service key, next;
	uint32_t n = 0;

	*ret_ports = 0;
	for (int r = bpf_map_get_next_key(g->map[MAP_COOKIES], NULL, &next); !r;
	     r = bpf_map_get_next_key(g->map[MAP_COOKIES], &key, &next)) {
		key = next;
		*ret_ports |= NP_GUARD_PORT_BIT(key.port);
		n++;
	}
	return n;
}

uint32_t cookie_count(struct guard *g)
{
	uint64_t ports;

	return count(g, &ports);
}

static void publish(struct guard *g)
{
	uint64_t ports;

	(void)count(g, &ports);
	g->conf->cookie_ports = ports;
}

int guard_cookie_add(struct guard *g, const struct np_guard_service *s, size_t n,
		     const struct guard_cookie_opts *o, char *ret_note, size_t note_size,
		     struct netprobe_error *err)
{
	struct np_guard_cookie v = { .mode = o->mode, .dry_run = o->dry_run, .rate = o->rate };
	uint32_t fresh = 0;
	uint64_t ports;
	int r = can_protect(g, err);

	for (size_t i = 0; i < n; i++) {
		struct np_guard_cookie old;

		fresh += bpf_map_lookup_elem(g->map[MAP_COOKIES], &s[i], &old) != 0;
	}
	if (!r && count(g, &ports) + fresh > NP_GUARD_SERVICES)
		r = error_set(err, -ENOSPC, "more than %d protected services", NP_GUARD_SERVICES);
	if (!r)
		r = settings(g, o->sysctl, ret_note, note_size, err);
	for (size_t i = 0; i < n && !r; i++) {
		r = bpf_map_update_elem(g->map[MAP_COOKIES], &s[i], &v, BPF_ANY);
		if (r)
			error_set(err, r, "cannot protect it: %s", strerror(-r));
	}
	publish(g);
	return r;
}

int guard_cookie_remove(struct guard *g, const struct np_guard_service *s, size_t n,
			struct netprobe_error *err)
{
	size_t gone = 0;

	for (size_t i = 0; i < n; i++)
		gone += bpf_map_delete_elem(g->map[MAP_COOKIES], &s[i]) == 0;
	publish(g);
	if (!g->conf->cookie_ports)
		cookie_settings_back(g);
	return gone ? 0 : error_set(err, -ENOENT, "that service is not protected");
}

int guard_cookies(struct guard *g,
		  int (*fn)(const struct np_guard_service *s, const struct np_guard_cookie *c,
			    bool active, void *arg),
		  void *arg)
{
	struct np_guard_service key, next;
	struct np_guard_cookie c;
	uint32_t now = guard_tick_now();
	int r = 0;

	for (int e = bpf_map_get_next_key(g->map[MAP_COOKIES], NULL, &next); !e && !r;
	     e = bpf_map_get_next_key(g->map[MAP_COOKIES], &key, &next)) {
		key = next;
		if (!bpf_map_lookup_elem(g->map[MAP_COOKIES], &key, &c))
			r = fn(&key, &c, c.mode == NP_COOKIE_ALWAYS || c.active_until > now, arg);
	}
	return r;
}
