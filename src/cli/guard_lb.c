/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard vip`, `netprobe guard backend`: what the balancer should do. */
#include "cli/guard.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "out/table.h"

#define WEIGHT_MAX 1000

struct lb_opts {
	bool help, undo, force;
	int hash, forward, check, format;
	uint32_t weight, port, rise, fall;
	uint32_t interval_ms, timeout_ms, slow_start_ms, conns;
	const char *path, *host;
};

static const char *const hash_names[] = { "tuple", "source", NULL };
static const char *const forward_names[] = { "encap", "mac", NULL };
static const char *const check_names[] = { "none", "tcp", "http", NULL };
static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct lb_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row vip_rows[] = {
	OPTIONS_HEADING("Virtual service"),
	ROW("hash", 0, OPTION_ENUM, hash, NULL,
	    "what a flow is told by: addresses and ports, or the client's address (default tuple)",
	    .names = hash_names),
	ROW("flows", 0, OPTION_U32, conns, "N",
	    "size of the connection table for all VIPs; can be set only with the first VIP (default 1048576)",
	    .min = 8, .max = 1u << 27),
	ROW("force", 0, OPTION_BOOL, force, NULL,
	    "also where a server of this machine listens, or all ports of an own address"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "of list (default text)",
	    .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row backend_rows[] = {
	OPTIONS_HEADING("Backend"),
	ROW("weight", 'w', OPTION_U32, weight, "N", "its share of new flows (default 1)", .min = 1,
	    .max = WEIGHT_MAX),
	ROW("forward", 0, OPTION_ENUM, forward, NULL,
	    "by another IP header, or by hardware address alone (default encap)",
	    .names = forward_names),
	ROW("undo", 0, OPTION_BOOL, undo, NULL, "of drain: let it take new flows again"),
	OPTIONS_HEADING("Health"),
	ROW("check", 0, OPTION_ENUM, check, NULL,
	    "how to ask whether it serves (default none: it is up)", .names = check_names),
	ROW("check-port", 0, OPTION_U32, port, "PORT", "where to ask (default: the VIP's)",
	    .min = 1, .max = 65535),
	ROW("path", 0, OPTION_STRING, path, "PATH", "what to ask for by HTTP (default /)"),
	ROW("http-host", 0, OPTION_STRING, host, "NAME", "the Host to name (default: its address)"),
	ROW("interval", 0, OPTION_MSEC, interval_ms, "MS", "between two checks (default 2s)",
	    .min = 10, .max = 3600000),
	ROW("timeout", 0, OPTION_MSEC, timeout_ms, "MS", "of one check (default 1s)", .min = 10,
	    .max = 60000),
	ROW("rise", 0, OPTION_U32, rise, "N", "good checks in a row that bring it up (default 2)",
	    .min = 1, .max = 100),
	ROW("fall", 0, OPTION_U32, fall, "N", "failed ones that take it down (default 3)", .min = 1,
	    .max = 100),
	ROW("slow-start", 0, OPTION_MSEC, slow_start_ms, "MS",
	    "time to reach its weight after coming up (default 0)", .max = 3600000),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row *const vip_tables[] = { vip_rows, NULL };
static const struct option_row *const backend_tables[] = { backend_rows, NULL };

static const struct lb_opts defaults = {
	.interval_ms = 2000, .timeout_ms = 1000, .rise = 2, .fall = 3
};

static int prefixed(struct guard_call *call, int r)
{
	if (r < 0)
		error_prefix(&call->err, "%s", call->operands.items[0]);
	return r;
}

static int check_operands(struct guard_call *call, unsigned int n, const char *what)
{
	const struct args_list *l = &call->operands;

	if (l->n > n)
		return error_set(&call->err, -EINVAL, "'%.100s' is one too many; takes %s",
				 l->items[n], what);
	if (l->n < n)
		return error_set(&call->err, -EINVAL, "something is missing; takes %s", what);
	return 0;
}

static int vip(struct guard_call *call)
{
	static const char *const verbs[] = { "add", "remove", "list", NULL };
	const char *verb = call->operands.items[0];
	const struct lb_opts *o = call->opts;
	uint32_t flags = (o->hash ? NETPROBE_VIP_BY_SOURCE : 0) |
			 (o->force ? NETPROBE_VIP_FORCE : 0);
	bool add = !strcmp(verb, "add");
	struct netprobe_config c;
	int r;

	if (!strcmp(verb, "list")) {
		r = check_operands(call, 1, "list alone");
		return r ? r : guard_print_balancer(call, o->format, "no service is balanced");
	}
	if (!add && strcmp(verb, "remove") != 0)
		return args_unknown_word("vip verb", verb, verbs, sizeof(verbs[0]), &call->err);
	guard_config(&c);
	c.balancer_flows = o->conns;
	r = check_operands(call, 2, "one VIP, like 192.0.2.1:80/tcp");
	if (!r)
		r = guard_configure(call, &c);
	if (r)
		return r;
	return prefixed(
		call,
		add ? netprobe_manager_vip_add(call->m, call->operands.items[1], flags, &call->err)
		    : netprobe_manager_vip_remove(call->m, call->operands.items[1], &call->err));
}

static const struct args_spec vip_spec = {
	.prog = "netprobe guard vip",
	.operands = "add|remove VIP | list",
	.summary = "Virtual services of the balancer: ADDR:PORT/PROTO, like 192.0.2.1:80/tcp, "
		   "[2001:db8::1]:443/udp, * as PORT for all ports.",
	.tables = vip_tables,
	.min_operands = 1,
	.max_operands = 2,
};

static void vip_defaults(void *opts)
{
	*(struct lb_opts *)opts = defaults;
}

const struct guard_row guard_verb_vip = {
	.spec = &vip_spec,
	.size = sizeof(struct lb_opts),
	.defaults = vip_defaults,
	.work = vip,
};

#define TEXT_MAX 63 /* netprobe_backend.path, .host */

static int text_option(const char *name, const char *value, const char **ret,
		       struct netprobe_error *err)
{
	if (!value)
		return 0;
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127)
			return error_set(err, -EINVAL,
					 "--%s: '%.100s' has a blank in it; takes printable text",
					 name, value);
	if (strlen(value) > TEXT_MAX)
		return error_set(err, -EINVAL, "--%s: '%.40s...' is too long; takes up to %d bytes",
				 name, value, TEXT_MAX);
	*ret = value;
	return 0;
}

static int fill(const struct lb_opts *o, const char *addr, struct netprobe_backend *ret,
		struct netprobe_error *err)
{
	struct netprobe_backend b = {
		.size = sizeof(b),
		.weight = o->weight ?: 1,
		.forward = (uint32_t)o->forward,
		.check = (uint32_t)o->check,
		.check_port = (uint16_t)o->port,
		.rise = (uint16_t)o->rise,
		.fall = (uint16_t)o->fall,
		.interval_ms = o->interval_ms,
		.timeout_ms = o->timeout_ms,
		.slow_start_ms = o->slow_start_ms,
	};
	int r;

	if (o->check != NETPROBE_CHECK_HTTP && (o->path || o->host))
		return error_set(err, -EINVAL,
				 "--%s: only HTTP has one; takes --check http as well",
				 o->path ? "path" : "http-host");
	if (!o->check && o->port)
		return error_set(
			err, -EINVAL,
			"--check-port: nothing is checked; takes --check tcp or http as well");
	if (o->path && o->path[0] != '/')
		return error_set(err, -EINVAL,
				 "--path: '%.100s' is not a path; takes one like /health", o->path);
	r = text_option("path", o->path, &b.path, err);
	if (!r)
		r = text_option("http-host", o->host, &b.host, err);
	if (r)
		return r;
	b.addr = addr;
	*ret = b;
	return 0;
}

static int backend_do(struct guard_call *call, const char *verb, const char *service,
		      const char *addr)
{
	const struct lb_opts *o = call->opts;
	struct netprobe_error *err = &call->err;
	struct netprobe_backend b;
	int r;

	if (!strcmp(verb, "remove"))
		return netprobe_manager_backend_remove(call->m, service, addr, err);
	if (!strcmp(verb, "drain"))
		return netprobe_manager_backend_drain(call->m, service, addr, !o->undo, err);
	if (!strcmp(verb, "weight") && !o->weight)
		return error_set(err, -EINVAL,
				 "--weight: nothing given; takes a whole number from 1 to %d",
				 WEIGHT_MAX);
	if (!strcmp(verb, "weight"))
		return netprobe_manager_backend_weight(call->m, service, addr, o->weight, err);
	if (o->check && !o->port && strstr(service, ":*/"))
		return error_set(
			err, -EINVAL,
			"--check %s: the VIP takes all ports; takes --check-port PORT as well",
			check_names[o->check]);
	r = fill(o, addr, &b, err);
	if (!r)
		r = netprobe_manager_backend_add(call->m, service, &b, err);
	if (!r && err->msg[0])
		log_notice("%s", err->msg);
	return r;
}

static int backend(struct guard_call *call)
{
	static const char *const verbs[] = { "add", "remove", "drain", "weight", NULL };
	const char *const *items = call->operands.items;
	bool known = false;
	int r;

	for (unsigned int i = 0; verbs[i]; i++)
		known |= !strcmp(items[0], verbs[i]);
	if (!known)
		return args_unknown_word("backend verb", items[0], verbs, sizeof(verbs[0]),
					 &call->err);
	r = check_operands(call, 3,
			   "a VIP and a backend's address, like 192.0.2.1:80/tcp 10.0.0.10");
	return r ? r : prefixed(call, backend_do(call, items[0], items[1], items[2]));
}

static const struct args_spec backend_spec = {
	.prog = "netprobe guard backend",
	.operands = "add|remove|drain|weight VIP BACKEND",
	.summary =
		"Backends of a virtual service. A draining one keeps its flows and takes no new ones; "
		"weight changes that of one that is there.",
	.tables = backend_tables,
	.min_operands = 1,
	.max_operands = 3,
};

static void backend_defaults(void *opts)
{
	*(struct lb_opts *)opts = defaults;
}

const struct guard_row guard_verb_backend = {
	.spec = &backend_spec,
	.size = sizeof(struct lb_opts),
	.defaults = backend_defaults,
	.work = backend,
};
