/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard vip`, `netprobe guard backend`: what the balancer should do. */
#include "cli/guard_lb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/guard.h"

struct lb_opts {
	bool help, undo;
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
	    "room for so many flows of all VIPs; told with the first (default 1048576)", .min = 8,
	    .max = 1u << 27),
	ROW("format", 0, OPTION_ENUM, format, NULL, "of list (default text)",
	    .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row backend_rows[] = {
	OPTIONS_HEADING("Backend"),
	ROW("weight", 'w', OPTION_U32, weight, "N", "its share of new flows (default 1)", .min = 1,
	    .max = LB_WEIGHT_MAX),
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
	.weight = 1, .interval_ms = 2000, .timeout_ms = 1000, .rise = 2, .fall = 3
};

static int failed(const char *operand, struct netprobe_error *err)
{
	error_prefix(err, "%s", operand);
	return guard_failed(err);
}

static int wants(const struct args_list *l, unsigned int n, const char *what)
{
	if (l->n == n)
		return -1;
	if (l->n > n)
		log_err("'%.100s' is one too many; takes %s", l->items[n], what);
	else
		log_err("something is missing; takes %s", what);
	return EXIT_USAGE;
}

/* 0; -ENOENT told as what can be done. */
static int open_balance(bool create, uint32_t conns, struct balance *b, struct netprobe_error *err)
{
	struct pins_opts opts = { .conns = conns };
	int r = balance_open(create, &opts, b, err);

	if (r != -ENOENT || err->msg[0])
		return r;
	error_set(err, r, "there is no VIP in this network namespace");
	error_hint(err, "netprobe guard vip add ADDR:PORT/PROTO makes one");
	return r;
}

static int vip_run(const struct lb_opts *o, const struct args_list *l)
{
	const char *verb = l->items[0];
	struct netprobe_error err = {};
	struct balance b = {};
	struct lb_vip_key key;
	bool add = !strcmp(verb, "add"), in_use;
	int r;

	if (!strcmp(verb, "list"))
		return guard_lb_list(o->format);
	if (!add && strcmp(verb, "remove") != 0) {
		log_err("'%.100s' is nothing vip does; takes add, remove, list", verb);
		return EXIT_USAGE;
	}
	r = wants(l, 2, "one VIP, like 192.0.2.1:80/tcp");
	if (r >= 0)
		return r;
	if (vip_parse(l->items[1], &key, &err))
		return failed(verb, &err);
	/* Asked before the balancer's lock is taken: attach takes guard's first, too. */
	in_use = guard_lb_in_use();
	r = open_balance(add, o->conns, &b, &err);
	if (!r && add)
		r = balance_vip_add(&b, &key, o->hash ? LB_VIP_SOURCE : 0, &err);
	else if (!r)
		r = balance_vip_remove(&b, &key, &err);
	/* The last one takes all pins, where no interface uses them. */
	if (b.model && !model_vips(b.model) && !in_use)
		(void)balance_remove(&b, NULL);
	balance_close(&b);
	return r ? failed(verb, &err) : EXIT_OK;
}

int guard_cmd_vip(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard vip",
		.operands = "add|remove VIP | list",
		.summary =
			"Virtual services of the balancer: ADDR:PORT/PROTO, like 192.0.2.1:80/tcp, "
			"[2001:db8::1]:443/udp, * as PORT for all ports.",
		.tables = vip_tables,
		.min_operands = 1,
		.max_operands = 2,
	};
	struct lb_opts o = defaults;
	struct args_list operands = {};
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r < 0)
		r = vip_run(&o, &operands);
	args_list_done(&operands);
	return r;
}

static int text_option(const char *name, const char *value, char *ret, size_t size,
		       struct netprobe_error *err)
{
	if (!value)
		return 0;
	for (const char *p = value; *p; p++)
		if (*p <= ' ' || *p == 127)
			return error_set(err, -EINVAL,
					 "--%s: '%.100s' has a blank in it; takes printable text",
					 name, value);
	if (strlen(value) >= size)
		return error_set(err, -EINVAL,
				 "--%s: '%.40s...' is too long; takes up to %zu bytes", name, value,
				 size - 1);
	strcpy(ret, value);
	return 0;
}

static int fill(const struct lb_opts *o, const struct lb_vip_key *vip, struct backend_spec *s,
		struct netprobe_error *err)
{
	int r;

	s->forward = (uint8_t)o->forward;
	s->conf = (struct lb_backend_conf){
		.weight = o->weight,
		.interval_ms = o->interval_ms,
		.timeout_ms = o->timeout_ms,
		.slow_start_ms = o->slow_start_ms,
		.port = o->port ? (uint16_t)o->port : ntohs(vip->port_be),
		.check = (uint8_t)o->check,
		.rise = (uint8_t)o->rise,
		.fall = (uint8_t)o->fall,
	};
	if (o->check != LB_CHECK_NONE && !s->conf.port)
		return error_set(
			err, -EINVAL,
			"--check %s: the VIP takes all ports; takes --check-port PORT as well",
			check_names[o->check]);
	if (o->path && o->path[0] != '/')
		return error_set(err, -EINVAL,
				 "--path: '%.100s' is no path; takes one like /health", o->path);
	r = text_option("path", o->path, s->conf.path, sizeof(s->conf.path), err);
	return r ? r : text_option("http-host", o->host, s->conf.host, sizeof(s->conf.host), err);
}

static int backend_do(const struct lb_opts *o, const char *verb, const struct lb_vip_key *vip,
		      struct backend_spec *s, struct netprobe_error *err)
{
	struct balance b = {};
	int r = open_balance(false, 0, &b, err);

	if (r)
		return r;
	if (!strcmp(verb, "add"))
		r = balance_backend_add(&b, vip, s, err);
	else if (!strcmp(verb, "remove"))
		r = balance_backend_remove(&b, vip, s->addr, err);
	else if (!strcmp(verb, "drain"))
		r = balance_backend_drain(&b, vip, s->addr, !o->undo, err);
	else
		r = balance_backend_weight(&b, vip, s->addr, o->weight, err);
	balance_close(&b);
	return r;
}

static int backend_run(const struct lb_opts *o, const struct args_list *l)
{
	static const char *const verbs[] = { "add", "remove", "drain", "weight" };
	const char *verb = l->items[0];
	struct netprobe_error err = {};
	struct backend_spec spec = {};
	struct lb_vip_key vip;
	bool known = false;
	int r;

	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known |= !strcmp(verb, verbs[i]);
	if (!known) {
		log_err("'%.100s' is nothing backend does; takes add, remove, drain, weight", verb);
		return EXIT_USAGE;
	}
	r = wants(l, 3, "a VIP and a backend's address, like 192.0.2.1:80/tcp 10.0.0.10");
	if (r >= 0)
		return r;
	r = vip_parse(l->items[1], &vip, &err);
	if (!r)
		r = backend_parse(l->items[2], spec.addr, &err);
	if (!r)
		r = fill(o, &vip, &spec, &err);
	if (!r)
		r = backend_do(o, verb, &vip, &spec, &err);
	return r ? failed(verb, &err) : EXIT_OK;
}

int guard_cmd_backend(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard backend",
		.operands = "add|remove|drain|weight VIP BACKEND",
		.summary =
			"Backends of a virtual service. A draining one keeps its flows and takes no new ones; "
			"weight changes that of one that is there.",
		.tables = backend_tables,
		.min_operands = 1,
		.max_operands = 3,
	};
	struct lb_opts o = defaults;
	struct args_list operands = {};
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r < 0)
		r = backend_run(&o, &operands);
	args_list_done(&operands);
	return r;
}
