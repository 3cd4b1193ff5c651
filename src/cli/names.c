/* SPDX-License-Identifier: BSD-2-Clause */
/* See names.h. */
#include "cli/names.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define PORTS (sizeof(((struct netprobe_config *)0)->dns_ports) / sizeof(uint16_t))

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

const struct option_row names_rows[] = {
	OPTIONS_HEADING("Names"),
	ROW("names", 0, OPTION_STRING, names, "LIST",
	    "where names of remote hosts come from: dns (what processes are answered; default), asked (like dns, and also shows which process asked a local resolver; default for netprobe dns), sni, http (what clients call their server), none"),
	ROW("resolve", 0, OPTION_BOOL, resolve, NULL,
	    "look up what has no name: netprobe asks your name servers itself"),
	ROW("dns-port", 0, OPTION_STRINGS, dns_port, "PORT",
	    "where DNS servers listen (default 53; repeat for more)", .flags = OPTION_REPEAT),
	ROW("dns-timeout", 0, OPTION_SECONDS, dns_timeout, "SEC",
	    "without an answer for so long a query has timed out (default 5)", .min = 10,
	    .max = 300000),
	OPTIONS_END,
};

/* One word of the list; false: there is no such. */
static bool take_word(const char *word, size_t n, uint32_t *from)
{
	if (n == 3 && !memcmp(word, "dns", 3))
		*from |= NETPROBE_NAMES_DNS;
	else if (n == 5 && !memcmp(word, "asked", 5))
		*from |= NETPROBE_NAMES_DNS | NETPROBE_NAMES_ASKED;
	else if (n == 3 && !memcmp(word, "sni", 3))
		*from |= NETPROBE_NAMES_SNI;
	else if (n == 4 && !memcmp(word, "http", 4))
		*from |= NETPROBE_NAMES_HTTP;
	else
		return n == 4 && !memcmp(word, "none", 4);
	return true;
}

static int take_list(const char *list, uint32_t *from, struct netprobe_error *err)
{
	for (const char *p = list; p;) {
		size_t n = strcspn(p, ",");

		if (!take_word(p, n, from))
			return error_set(
				err, -EINVAL,
				"--names: '%s' is not a list of sources; takes dns, asked, sni, http or none",
				list);
		p = p[n] ? p + n + 1 : NULL;
	}
	return 0;
}

int names_fill(const struct common_opts *o, struct netprobe_config *c, struct netprobe_error *err)
{
	int r = take_list(o->names ? o->names : "dns", &c->names, err);

	if (!r && o->dns_port.n > PORTS)
		r = error_set(err, -EINVAL, "--dns-port: given %u times; takes at most %zu",
			      (unsigned int)o->dns_port.n, PORTS);
	if (o->resolve)
		c->names |= NETPROBE_NAMES_RESOLVE;
	c->dns_timeout_ms = (uint32_t)(o->dns_timeout * 1000 + 0.5);
	for (size_t i = 0; i < o->dns_port.n && !r; i++) {
		uint32_t port = 0;

		r = parse_u32(o->dns_port.items[i], 1, 65535, &port, NULL);
		if (r)
			error_set(err, r,
				  "--dns-port: '%s' is not a port; takes a number from 1 to 65535",
				  o->dns_port.items[i]);
		c->dns_ports[i] = (uint16_t)port;
	}
	return r;
}
