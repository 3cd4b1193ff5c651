/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hosts in filters (see resolve.h). */
#include "cli/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

static struct resolved *known;

bool resolve_is_name(const char *text)
{
	bool letter = false;

	for (const char *p = text; *p; p++) {
		bool is_letter = (*p | 32) >= 'a' && (*p | 32) <= 'z';

		letter |= is_letter;
		if (!is_letter && (*p < '0' || *p > '9') && *p != '-' && *p != '.' && *p != '_')
			return false;
	}
	return letter && *text != '-' && *text != '.';
}

static int add_address(struct resolved *to, const struct sockaddr *sa)
{
	const void *from = sa->sa_family == AF_INET
				   ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
				   : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
	char text[INET6_ADDRSTRLEN];
	char **more;

	if (!inet_ntop(sa->sa_family, from, text, sizeof(text)))
		return -EINVAL;
	for (size_t i = 0; i < to->n; i++)
		if (!strcmp(to->addr[i], text))
			return 0;
	more = reallocarray(to->addr, to->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	to->addr = more;
	more[to->n] = strdup(text);
	return more[to->n] ? (int)(to->n++, 0) : -ENOMEM;
}

static void say(const struct resolved *r)
{
	struct buf b = {};
	const char *text;

	for (size_t i = 0; i < r->n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", r->addr[i]);
	text = buf_str(&b);
	log_notice("%s was resolved to %s, once, at the start", r->name, text ? text : "?");
	buf_done(&b);
}

static void forget(struct resolved *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->addr[i]);
	free(r->addr);
	free(r);
}

static int ask_for(const char *name, struct resolved **ret, struct netprobe_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct resolved *to = calloc(1, sizeof(*to) + strlen(name) + 1);
	struct addrinfo *found = NULL;
	int r = 0, why;

	if (!to)
		return -ENOMEM;
	memcpy(to->name, name, strlen(name) + 1);
	why = getaddrinfo(name, NULL, &hints, &found);
	for (struct addrinfo *a = found; !why && !r && a; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			r = add_address(to, a->ai_addr);
	if (found)
		freeaddrinfo(found);
	if (!r && !to->n)
		r = error_set(
			err, -EINVAL,
			"'%.100s' has no address (%s); takes an IPv4 or IPv6 address or network, "
			"or the name of a host",
			name, why ? gai_strerror(why) : "none is told");
	if (r)
		forget(to);
	else
		*ret = to;
	return r;
}

int resolve_name(const char *name, bool ask, const struct resolved **ret,
		 struct netprobe_error *err)
{
	struct resolved *r = known;
	int status;

	while (r && strcmp(r->name, name) != 0)
		r = r->next;
	if (!r && !ask)
		return error_set(
			err, -EINVAL,
			"'%.100s' cannot be resolved while it runs; takes an address or network",
			name);
	if (!r) {
		status = ask_for(name, &r, err);
		if (status)
			return status == -ENOMEM ? error_set(err, status, "out of memory") : status;
		r->next = known;
		known = r;
		say(r);
	}
	*ret = r;
	return 0;
}
