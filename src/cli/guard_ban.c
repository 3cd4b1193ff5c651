/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard ban, allow, unban, list, import, export`. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "out/table.h"

struct ban_opts {
	bool help, dry_run, force, allow, replace;
	double ttl, confirm;
	const char *proto, *port, *reason;
	int format;
};

static const char *const format_names[] = { "text", "json", "csv", "tsv", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct ban_opts, field, arg, help, ##__VA_ARGS__)

#define MATCH_ROWS                                                                         \
	ROW("for", 0, OPTION_SECONDS, ttl, "TIME", "forget it after this time (10m, 1h)",  \
	    .min = 1000),                                                                  \
		ROW("proto", 0, OPTION_STRING, proto, "PROTO", "only tcp, udp or icmp"),   \
		ROW("port", 0, OPTION_STRING, port, "PORT[-PORT]", "only to these ports"), \
		ROW("reason", 0, OPTION_STRING, reason, "TEXT", "why, for who reads the list")

#define SAFETY_ROWS                                                                              \
	ROW("dry-run", 0, OPTION_BOOL, dry_run, NULL, "count what it would drop, drop nothing"), \
		ROW("force", 0, OPTION_BOOL, force, NULL,                                        \
		    "also where it cuts off this machine, its gateway or your SSH"),             \
		ROW("confirm", 0, OPTION_SECONDS, confirm, "TIME",                               \
		    "undo it after this time unless `guard confirm` follows", .min = 1000,       \
		    .max = 86400000)

static const struct option_row ban_rows[] = {
	OPTIONS_HEADING("What, and for how long"),
	MATCH_ROWS,
	OPTIONS_HEADING("Safety"),
	SAFETY_ROWS,
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row allow_rows[] = {
	OPTIONS_HEADING("What, and for how long"),
	MATCH_ROWS,
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row unban_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("allow", 0, OPTION_BOOL, allow, NULL, "an allowance instead of a ban"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row list_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row import_rows[] = {
	OPTIONS_HEADING("The list"),
	ROW("replace", 0, OPTION_BOOL, replace, NULL, "instead of all that is there, at once"),
	ROW("allow", 0, OPTION_BOOL, allow, NULL, "these are allowed, not banned"),
	OPTIONS_HEADING("For lines that do not say it themselves"),
	MATCH_ROWS,
	OPTIONS_HEADING("Safety"),
	SAFETY_ROWS,
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row export_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("allow", 0, OPTION_BOOL, allow, NULL, "what is allowed, not what is banned"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

/* What options say of every entry. */
static int item_from(const struct ban_opts *o, bool allow, struct guard_item *ret,
		     struct netprobe_error *err)
{
	struct np_port_range ports;
	uint8_t proto;
	int r;

	*ret = (struct guard_item){ .allow = allow, .dry_run = o->dry_run, .port_to = 0xffff };
	if (o->proto) {
		r = parse_proto(o->proto, &proto, err);
		if (r) {
			error_prefix(err, "--proto: ");
			return r;
		}
		ret->proto = proto == NP_PROTO_TCP   ? IPPROTO_TCP
			     : proto == NP_PROTO_UDP ? IPPROTO_UDP
						     : IPPROTO_ICMP;
	}
	if (o->port) {
		r = parse_port_range(o->port, &ports, err);
		if (r) {
			error_prefix(err, "--port: ");
			return r;
		}
		if (ret->proto == IPPROTO_ICMP)
			return error_set(err, -EINVAL,
					 "--port: icmp has no ports; takes tcp or udp");
		ret->port_from = ports.from;
		ret->port_to = ports.to;
	}
	if (o->ttl > 0)
		ret->ttl_s = (uint32_t)(o->ttl + 0.999);
	if (o->reason && strlen(o->reason) >= sizeof(ret->reason))
		return error_set(err, -EINVAL, "--reason: it has %zu bytes; takes up to %zu",
				 strlen(o->reason), sizeof(ret->reason) - 1);
	if (o->reason)
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", o->reason);
	guard_who(ret->who);
	return 0;
}

static int check_safety(const struct guard_item *items, size_t n, struct netprobe_error *err)
{
	struct guard_safety *s;
	int r = guard_safety_new(&s, err);

	if (r)
		return r;
	for (size_t i = 0; i < n && !r; i++)
		r = guard_safety_check(s, &items[i], err);
	guard_safety_free(s);
	return r;
}

static int add_items(struct guard_item *items, size_t n, const struct ban_opts *o)
{
	struct netprobe_error err = {};
	struct guard *g = NULL;
	int r = o->force ? 0 : check_safety(items, n, &err);

	if (!r)
		r = guard_open(0, &g, &err);
	if (!r)
		r = guard_add(g, items, n, o->replace ? GUARD_REPLACE : 0,
			      o->confirm > 0 ? (uint32_t)(o->confirm + 0.999) : 0, &err);
	guard_close(g);
	if (r)
		return guard_failed(&err);
	if (o->confirm > 0)
		log_notice("undone in %.0f s unless: netprobe guard confirm", o->confirm);
	return EXIT_OK;
}

static int add_verb(const struct args_spec *spec, int argc, char **argv, bool allow)
{
	struct ban_opts o = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard_item *items = NULL, model;
	int r = guard_parse(spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	items = calloc(operands.n, sizeof(*items));
	r = items ? item_from(&o, allow, &model, &err) : error_set(&err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < operands.n && !r; i++) {
		items[i] = model;
		r = guard_parse_cidr(operands.items[i], &items[i], &err);
	}
	r = r ? guard_failed(&err) : add_items(items, operands.n, &o);
out:
	free(items);
	args_list_done(&operands);
	return r;
}

int guard_cmd_ban(int argc, char **argv)
{
	static const struct option_row *const tables[] = { ban_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard ban",
		.operands = "CIDR...",
		.summary =
			"Drop what comes from an address or network. What is allowed still passes.",
		.tables = tables,
		.min_operands = 1,
	};

	return add_verb(&spec, argc, argv, false);
}

int guard_cmd_allow(int argc, char **argv)
{
	static const struct option_row *const tables[] = { allow_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard allow",
		.operands = "CIDR...",
		.summary = "Let an address or network in, whatever bans, limits and detection say.",
		.tables = tables,
		.min_operands = 1,
	};

	return add_verb(&spec, argc, argv, true);
}

int guard_cmd_unban(int argc, char **argv)
{
	static const struct option_row *const tables[] = { unban_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard unban",
		.operands = "CIDR...",
		.summary = "Forget a ban, or with --allow an allowance.",
		.tables = tables,
		.min_operands = 1,
	};
	struct ban_opts o = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard_item item;
	struct guard *g = NULL;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	r = 0;
	for (unsigned int i = 0; i < operands.n && !r; i++)
		r = guard_parse_cidr(operands.items[i], &item, &err);
	if (!r)
		r = guard_open(0, &g, &err);
	for (unsigned int i = 0; i < operands.n && !r; i++) {
		item = (struct guard_item){ .allow = o.allow };
		r = guard_parse_cidr(operands.items[i], &item, &err);
		if (!r)
			r = guard_remove(g, &item, &err);
		if (r)
			error_prefix(&err, "%s: ", operands.items[i]);
	}
	r = r ? guard_failed(&err) : EXIT_OK;
out:
	guard_close(g);
	args_list_done(&operands);
	return r;
}

static const struct table_column columns[] = {
	{ .name = "action", .title = "ACTION" },
	{ .name = "source", .title = "SOURCE" },
	{ .name = "proto", .title = "PROTO" },
	{ .name = "ports", .title = "PORTS" },
	{ .name = "expires_s", .title = "LEFT s", .right = true },
	{ .name = "age_s", .title = "AGE s", .right = true },
	{ .name = "hits", .title = "HITS", .right = true },
	{ .name = "who", .title = "WHO" },
	{ .name = "reason", .title = "REASON" },
};

static void cidr_text(const struct guard_item *i, char ret[64])
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(i->v6 ? AF_INET6 : AF_INET, i->addr, addr, sizeof(addr));
	if (i->len == (i->v6 ? 128 : 32))
		(void)snprintf(ret, 64, "%s", addr);
	else
		(void)snprintf(ret, 64, "%s/%u", addr, i->len);
}

static const char *proto_text(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : "icmp";
}

static bool has_ports(const struct guard_item *i)
{
	return i->port_from || i->port_to != 0xffff;
}

static void ports_text(const struct guard_item *i, char ret[16])
{
	if (i->port_from == i->port_to)
		(void)snprintf(ret, 16, "%u", i->port_from);
	else
		(void)snprintf(ret, 16, "%u-%u", i->port_from, i->port_to);
}

static int add_row(const struct guard_item *i, void *arg)
{
	char cidr[64], ports[16];

	cidr_text(i, cidr);
	ports_text(i, ports);
	return table_add(arg,
			 (struct cell[]){
				 { CELL_STR, .str = i->allow	 ? "allow"
						    : i->dry_run ? "dry-run"
								 : "ban" },
				 { CELL_STR, .str = cidr },
				 { i->proto ? CELL_STR : CELL_NULL, .str = proto_text(i->proto) },
				 { has_ports(i) ? CELL_STR : CELL_NULL, .str = ports },
				 { i->ttl_s ? CELL_U64 : CELL_NULL, .u64 = i->ttl_s },
				 { CELL_U64, .u64 = i->age_s },
				 { CELL_U64, .u64 = i->hits },
				 { i->who[0] ? CELL_STR : CELL_NULL, .str = i->who },
				 { i->reason[0] ? CELL_STR : CELL_NULL, .str = i->reason },
			 });
}

/* What detection has banned, beside the list. */
static int add_detected(const uint8_t addr[16], uint32_t left_s, uint32_t strikes, uint64_t drops,
			void *arg)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
	char text[INET6_ADDRSTRLEN], reason[48];

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, text, sizeof(text));
	(void)snprintf(reason, sizeof(reason), "detection, %u. time", strikes);
	return table_add(arg, (struct cell[]){
				      { CELL_STR, .str = "detect" },
				      { CELL_STR, .str = text },
				      { CELL_NULL },
				      { CELL_NULL },
				      { CELL_U64, .u64 = left_s },
				      { CELL_NULL },
				      { CELL_U64, .u64 = drops },
				      { CELL_NULL },
				      { CELL_STR, .str = reason },
			      });
}

int guard_cmd_list(int argc, char **argv)
{
	static const struct option_row *const tables[] = { list_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard list",
		.summary = "Bans and allowances that hold now.",
		.tables = tables,
	};
	struct ban_opts o = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct table *t = NULL;
	struct guard *g = NULL;
	struct buf out = {};
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	r = guard_open(0, &g, &err);
	t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (!r && !t)
		r = error_set(&err, -ENOMEM, "out of memory");
	if (!r)
		(void)guard_sweep(g);
	if (!r)
		r = guard_list(g, add_row, t, &err);
	if (!r)
		r = guard_detected(g, add_detected, t);
	if (!r)
		r = table_write(t, &out, o.format, false);
	r = r ? guard_failed(&err) : guard_print(&out);
out:
	buf_done(&out);
	table_free(t);
	guard_close(g);
	args_list_done(&operands);
	return r;
}

static int read_all(const char *path, struct buf *b, struct netprobe_error *err)
{
	bool std = !strcmp(path, "-");
	int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), r = 0;
	ssize_t n = 1;

	if (fd < 0)
		return error_set(err, -EINVAL, "'%s': %s; takes a file to read, or - for stdin",
				 path, strerror(errno));
	while (!r && n > 0) {
		r = buf_reserve(b, 1 << 20);
		if (r)
			break;
		n = read(fd, b->data + b->len, 1 << 20);
		if (n > 0)
			b->len += (size_t)n;
		else if (n < 0)
			r = errno == EINTR ? 0 : -errno;
	}
	if (!std)
		(void)close(fd);
	return r ? error_set(err, r == -ENOMEM ? r : -EINVAL, "'%s': %s", path, strerror(-r)) : 0;
}

int guard_cmd_import(int argc, char **argv)
{
	static const struct option_row *const tables[] = { import_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard import",
		.operands = "FILE",
		.summary =
			"Add a list: a CIDR a line, then proto=, port=, for=, reason= where wanted; "
			"# begins a comment. All of it or nothing.",
		.tables = tables,
		.min_operands = 1,
		.max_operands = 1,
	};
	struct ban_opts o = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard_item *items = NULL, model;
	struct buf text = {};
	size_t n = 0;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	r = item_from(&o, o.allow, &model, &err);
	if (!r)
		r = read_all(operands.items[0], &text, &err);
	if (!r) {
		r = guard_parse_list(text.len ? text.data : "", text.len, &model, &items, &n, &err);
		if (r)
			error_prefix(&err, "'%s': ", operands.items[0]);
	}
	r = r ? guard_failed(&err) : add_items(items, n, &o);
	if (r == EXIT_OK)
		log_notice("%zu entries", n);
out:
	free(items);
	buf_done(&text);
	args_list_done(&operands);
	return r;
}

struct exporter {
	struct buf out;
	bool allow;
};

static int export_one(const struct guard_item *i, void *arg)
{
	struct exporter *x = arg;
	char text[64];

	if (i->allow != x->allow)
		return 0;
	cidr_text(i, text);
	buf_puts(&x->out, text);
	if (i->proto)
		buf_printf(&x->out, " proto=%s", proto_text(i->proto));
	if (has_ports(i)) {
		ports_text(i, text);
		buf_printf(&x->out, " port=%s", text);
	}
	if (i->ttl_s)
		buf_printf(&x->out, " for=%us", i->ttl_s);
	if (i->dry_run)
		buf_puts(&x->out, " dry-run=1");
	if (i->reason[0])
		buf_printf(&x->out, " reason=%s", i->reason);
	buf_putc(&x->out, '\n');
	return x->out.err;
}

int guard_cmd_export(int argc, char **argv)
{
	static const struct option_row *const tables[] = { export_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard export",
		.summary =
			"Write the bans, or with --allow the allowances, as `import` takes them.",
		.tables = tables,
	};
	struct ban_opts o = {};
	struct exporter x = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard *g = NULL;
	int r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);

	if (r >= 0)
		goto out;
	x.allow = o.allow;
	r = guard_open(0, &g, &err);
	if (!r)
		r = guard_list(g, export_one, &x, &err);
	r = r ? guard_failed(&err) : guard_print(&x.out);
out:
	buf_done(&x.out);
	guard_close(g);
	args_list_done(&operands);
	return r;
}
