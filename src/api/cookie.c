/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN cookies for services. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"

#define RATE 1000
#define RATE_MAX 100000000

_Static_assert(NETPROBE_COOKIE_AUTO == NP_COOKIE_AUTO && NETPROBE_COOKIE_ALWAYS == NP_COOKIE_ALWAYS,
	       "when cookies are sent");

static int take_how(const struct netprobe_syncookies *from, struct guard_cookie_opts *ret,
		    struct netprobe_error *err)
{
	struct netprobe_syncookies h = {};
	int r = 0;

	if (from)
		r = api_take(from, from->size, offsetof(struct netprobe_syncookies, mode), &h,
			     sizeof(h), err);
	if (!r && h.mode > NETPROBE_COOKIE_ALWAYS)
		r = error_set(err, -EINVAL, "mode: %u is none; takes NETPROBE_COOKIE_*", h.mode);
	if (!r && h.rate > RATE_MAX)
		r = error_set(err, -EINVAL, "rate: %u is out of range; takes up to %u", h.rate,
			      RATE_MAX);
	if (!r)
		*ret = (struct guard_cookie_opts){ .mode = (uint8_t)h.mode,
						   .dry_run = h.dry_run,
						   .sysctl = h.sysctl,
						   .rate = h.rate ? h.rate : RATE };
	return r;
}

/* how NULL: no more. */
static int change(const char *service, const struct guard_cookie_opts *how,
		  struct netprobe_error *err)
{
	struct np_guard_service *services = NULL;
	struct guard *g = NULL;
	char note[256] = "", generic[256] = "";
	struct netprobe_error e = {};
	size_t n = 0;
	int r = service ? api_guard(0, &g, err) : error_set(err, -EINVAL, "no service");

	if (!r)
		r = guard_parse_service(service, &services, &n, err);
	if (!r)
		r = how ? guard_cookie_add(g, services, n, how, note, sizeof(note), err)
			: guard_cookie_remove(g, services, n, err);
	/* They are protected all the same. */
	if (!r && how && guard_deliver(g, NULL, 0, generic, sizeof(generic), &e) < 0)
		(void)snprintf(generic, sizeof(generic), "%s", e.msg);
	guard_close(g);
	free(services);
	if (r < 0)
		return r;
	(void)error_set(err, note[0] || generic[0] ? NETPROBE_NOTE : 0, "%s%s%s", note,
			note[0] && generic[0] ? "; " : "", generic);
	return 0;
}

API_PUBLIC int netprobe_manager_syncookies_add(struct netprobe_manager *m, const char *service,
					       const struct netprobe_syncookies *how,
					       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_cookie_opts opts;
	int r = take_how(how, &opts, err);

	return r ? r : change(service, &opts, err);
}

API_PUBLIC int netprobe_manager_syncookies_remove(struct netprobe_manager *m, const char *service,
						  struct netprobe_error *err)
{
	API_ENTER(m, err);

	return change(service, NULL, err);
}

struct listing {
	netprobe_syncookies_fn fn;
	void *arg;
	int n;
};

static int on_service(const struct np_guard_service *s, const struct np_guard_cookie *c,
		      bool active, void *arg)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)s->addr);
	char addr[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];
	struct listing *l = arg;
	struct netprobe_syncookies_stats x = { .size = sizeof(x),
					       .service = text,
					       .mode = c->mode,
					       .rate = c->rate,
					       .dry_run = c->dry_run,
					       .active = active,
					       .sent = c->sent,
					       .accepted = c->accepted,
					       .refused = c->refused,
					       .passed = c->passed,
					       .dry = c->dry };

	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? s->addr + 12 : s->addr, addr, sizeof(addr));
	(void)snprintf(text, sizeof(text), v4 ? "%s:%u" : "[%s]:%u", addr, s->port);
	l->n++;
	return l->fn ? l->fn(&x, l->arg) : 0;
}

API_PUBLIC int netprobe_manager_syncookies(struct netprobe_manager *m, netprobe_syncookies_fn fn,
					   void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct listing l = { .fn = fn, .arg = arg };
	struct guard *g = NULL;
	int r = api_guard(0, &g, err);

	if (r)
		return r;
	api_listing++;
	r = guard_cookies(g, on_service, &l);
	api_listing--;
	guard_close(g);
	return r < 0 && !l.n ? error_set(err, r, "the services cannot be read: %s", strerror(-r))
			     : l.n;
}
