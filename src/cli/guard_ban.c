/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard ban, allow, list, import, export`. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/utf8.h"
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
		ROW("proto", 0, OPTION_STRING, proto, "PROTO",                             \
		    "only this protocol: tcp, udp, icmp, ... or its number"),              \
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

static const struct option_row list_rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row import_rows[] = {
	OPTIONS_HEADING("The list"),
	ROW("replace", 0, OPTION_BOOL, replace, NULL,
	    "instead of the whole list that is there, at once"),
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

/* Who runs this; of a longer name what a list keeps of it. */
static const char *who(void)
{
	static char name[NETPROBE_WHO_MAX + 1];
	const char *sudo = secure_getenv("SUDO_USER");
	const struct passwd *pw = sudo && *sudo ? NULL : getpwuid(getuid());

	if (sudo && *sudo)
		(void)snprintf(name, sizeof(name), "%s", sudo);
	else if (pw)
		(void)snprintf(name, sizeof(name), "%s", pw->pw_name);
	else
		(void)snprintf(name, sizeof(name), "%u", getuid());
	return name;
}

int guard_match(const char *proto, const char *port, struct netprobe_ban *ret,
		struct netprobe_error *err)
{
	struct np_port_range ports;
	int r;

	*ret = (struct netprobe_ban){ .size = sizeof(*ret) };
	if (proto) {
		r = parse_ip_proto(proto, &ret->proto, err);
		if (r) {
			error_prefix(err, "--proto");
			return r;
		}
	}
	if (port) {
		r = parse_port_range(port, &ports, err);
		if (r) {
			error_prefix(err, "--port");
			return r;
		}
		if (ret->proto == IPPROTO_ICMP || ret->proto == IPPROTO_ICMPV6)
			return error_set(err, -EINVAL,
					 "--port: icmp has no ports; takes tcp or udp");
		ret->port_from = ports.from;
		ret->port_to = ports.to;
	}
	return 0;
}

/* What options say of every entry. */
static int entry_from(const struct ban_opts *o, struct netprobe_ban *ret,
		      struct netprobe_error *err)
{
	int r = guard_match(o->proto, o->port, ret, err);

	if (r)
		return r;
	ret->dry_run = o->dry_run;
	ret->ttl_s = o->ttl > 0 ? guard_seconds(o->ttl) : NETPROBE_NO_END;
	if (o->reason && strlen(o->reason) > NETPROBE_REASON_MAX)
		return error_set(err, -EINVAL, "--reason: it has %zu bytes; takes up to %d",
				 strlen(o->reason), NETPROBE_REASON_MAX);
	ret->reason = o->reason;
	ret->who = who();
	return 0;
}

static struct netprobe_change change_from(const struct ban_opts *o, uint32_t list)
{
	return (struct netprobe_change){ .size = sizeof(struct netprobe_change),
					 .list = list,
					 .confirm_s = guard_seconds(o->confirm),
					 .replace = o->replace,
					 .force = o->force };
}

static void tell_confirm(const struct ban_opts *o)
{
	if (o->confirm > 0)
		log_notice("undone in %.0f s unless: netprobe guard confirm", o->confirm);
}

static int add(struct guard_call *call, uint32_t list)
{
	const struct ban_opts *o = call->opts;
	struct netprobe_change how = change_from(o, list);
	struct netprobe_ban *entries = calloc(call->operands.n, sizeof(*entries)), model;
	int r = entries ? entry_from(o, &model, &call->err) : -ENOMEM;

	for (unsigned int i = 0; i < call->operands.n && !r; i++) {
		entries[i] = model;
		entries[i].cidr = call->operands.items[i];
	}
	if (!r)
		r = netprobe_manager_change_list(call->m, &how, entries, call->operands.n,
						 &call->err);
	free(entries);
	if (r < 0)
		return r;
	tell_confirm(o);
	guard_tell_effect(call);
	return EXIT_OK;
}

/* Before it is full, not only when it is. */
static void tell_fill(struct guard_call *call)
{
	const struct netprobe_security_stats *s = guard_stats_once(call);

	if (!s || s->entries <= s->bans_max / 10 * 9)
		return;
	log_notice("the ban list is nearly full, %u of %u: beyond that new bans are refused",
		   s->entries, s->bans_max);
}

static int ban(struct guard_call *call)
{
	int r = add(call, NETPROBE_LIST_BANS);

	if (r == EXIT_OK)
		tell_fill(call);
	return r;
}

static int allow(struct guard_call *call)
{
	return add(call, NETPROBE_LIST_ALLOWED);
}

static const struct option_row *const ban_tables[] = { ban_rows, NULL };
static const struct args_spec ban_spec = {
	.prog = "netprobe guard ban",
	.operands = "CIDR...",
	.summary = "Drop what comes from an address or network. What is allowed still passes.",
	.tables = ban_tables,
	.min_operands = 1,
};

const struct guard_row guard_verb_ban = {
	.spec = &ban_spec,
	.size = sizeof(struct ban_opts),
	.work = ban,
};

static const struct option_row *const allow_tables[] = { allow_rows, NULL };
static const struct args_spec allow_spec = {
	.prog = "netprobe guard allow",
	.operands = "CIDR...",
	.summary = "Let an address or network in, whatever bans, limits and detection say.",
	.tables = allow_tables,
	.min_operands = 1,
};

const struct guard_row guard_verb_allow = {
	.spec = &allow_spec,
	.size = sizeof(struct ban_opts),
	.work = allow,
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ .name = "action", .title = "ACTION" },
	{ .name = "source", .title = "SOURCE", .least = 18, .middle = true },
	{ .name = "transport", .title = "PROTO", .rank = 4 },
	{ .name = "ports", .title = "PORTS", .rank = 3 },
	{ .name = "expires_s", .title = "LEFT s", .right = true, .rank = 2 },
	{ .name = "age_s", .title = "AGE s", .right = true, .rank = 6 },
	{ .name = "hits", .title = "HITS", .right = true, .rank = 1 },
	{ .name = "who", .title = "WHO", .rank = 7 },
	{ .name = "reason", .title = "REASON", .rank = 5 },
};

/* Of IPv6 sources ICMPv6 is what "icmp" asks for. */
static const char *proto_text(const struct netprobe_ban *b, char room[4])
{
	bool icmp6 = b->proto == IPPROTO_ICMPV6 && strchr(b->cidr, ':');

	return icmp6 ? "icmp" : ip_proto_name(b->proto, room);
}

static void ports_text(const struct netprobe_ban *b, char ret[16])
{
	if (b->port_from == b->port_to)
		(void)snprintf(ret, 16, "%u", b->port_from);
	else
		(void)snprintf(ret, 16, "%u-%u", b->port_from, b->port_to);
}

static int add_row(struct guard_rows *x, const char *action, const struct netprobe_ban *b,
		   bool told)
{
	char ports[16], proto[4];
	struct cell c[sizeof(columns) / sizeof(columns[0])];
	unsigned int i = row_cells(c, &x->stamp);

	ports_text(b, ports);
	c[i++] = cell_str(action);
	c[i++] = cell_str(b->cidr);
	c[i++] = cell_str(b->proto ? proto_text(b, proto) : NULL);
	c[i++] = cell_str(b->port_to ? ports : NULL);
	c[i++] = b->ttl_s != NETPROBE_NO_END ? cell_u64(b->ttl_s)
					     : (struct cell){ .type = CELL_NULL };
	c[i++] = told ? cell_u64(b->age_s) : (struct cell){ .type = CELL_NULL };
	c[i++] = cell_u64(b->hits);
	c[i++] = cell_str(b->who);
	c[i++] = cell_str(b->reason);
	return table_add(x->t, c);
}

static int add_ban(const struct netprobe_ban *b, void *arg)
{
	return add_row(arg, b->dry_run ? "dry_run" : "ban", b, true);
}

static int add_allowed(const struct netprobe_ban *b, void *arg)
{
	return add_row(arg, "allow", b, true);
}

/* What detection has banned, beside the list. */
static int add_detected(const struct netprobe_ban *b, void *arg)
{
	return add_row(arg, "detect", b, false);
}

static int list(struct guard_call *call)
{
	struct guard_rows x = { .t = table_new(columns, sizeof(columns) / sizeof(columns[0])) };
	const struct ban_opts *o = call->opts;
	struct buf out = {};
	int r;

	row_stamp_take(&x.stamp, NULL);
	r = x.t ? netprobe_manager_banned(call->m, add_ban, &x, &call->err) : -ENOMEM;

	if (r >= 0)
		r = netprobe_manager_allowed(call->m, add_allowed, &x, &call->err);
	if (r >= 0)
		r = netprobe_manager_detected(call->m, add_detected, &x, &call->err);
	if (r >= 0) {
		table_nothing(x.t, "nothing is banned or allowed");
		r = guard_put_table(x.t, &out, o->format);
	}
	if (!r)
		r = guard_print(&out);
	buf_done(&out);
	table_free(x.t);
	return r;
}

static const struct option_row *const list_tables[] = { list_rows, NULL };
static const struct args_spec list_spec = {
	.prog = "netprobe guard list",
	.summary = "Bans and allowances that hold now.",
	.tables = list_tables,
};

const struct guard_row guard_verb_list = {
	.spec = &list_spec,
	.size = sizeof(struct ban_opts),
	.work = list,
};

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

static int import(struct guard_call *call)
{
	const char *path = call->operands.items[0];
	const struct ban_opts *o = call->opts;
	struct netprobe_change how =
		change_from(o, o->allow ? NETPROBE_LIST_ALLOWED : NETPROBE_LIST_BANS);
	struct netprobe_ban entry;
	struct buf text = {};
	int r = entry_from(o, &entry, &call->err);

	if (!r)
		r = read_all(path, &text, &call->err);
	if (!r) {
		r = netprobe_manager_import_list(call->m, &how, &entry, text.len ? text.data : "",
						 text.len, &call->err);
		if (r == -EINVAL || r == -ECANCELED)
			error_prefix(&call->err, "'%s'", path);
	}
	buf_done(&text);
	if (r < 0)
		return r;
	tell_confirm(o);
	guard_tell_effect(call);
	log_notice("%d entries", r);
	if (!o->allow)
		tell_fill(call);
	return EXIT_OK;
}

static const struct option_row *const import_tables[] = { import_rows, NULL };
static const struct args_spec import_spec = {
	.prog = "netprobe guard import",
	.operands = "FILE",
	.summary = "Add a list: a CIDR or a range a-b a line, then proto=, port=, for=, who=, "
		   "reason= where wanted; # begins a comment. All of it or nothing.",
	.tables = import_tables,
	.min_operands = 1,
	.max_operands = 1,
};

const struct guard_row guard_verb_import = {
	.spec = &import_spec,
	.size = sizeof(struct ban_opts),
	.work = import,
};

/* As it is where import reads it as it is. */
static bool needs_quotes(const char *text, const char *stops)
{
	size_t len = strlen(text), n;

	for (const char *s = text; len > 0; s += n, len -= n) {
		uint32_t cp = 0;
		int r = utf8_decode(s, len, &cp);

		n = (size_t)(r < 0 ? -r : r);
		if (r < 0 || utf8_is_control(cp) || strchr(stops, *s))
			return true;
	}
	return text[0] == ' ' || text[strlen(text) - 1] == ' ';
}

/* In quotes where something in it would end it, the line, or begin a comment. */
static void export_text(struct buf *out, const char *name, const char *text, const char *stops)
{
	if (!needs_quotes(text, stops)) {
		buf_printf(out, " %s=%s", name, text);
		return;
	}
	buf_printf(out, " %s=\"", name);
	for (size_t len = strlen(text), n; len > 0; text += n, len -= n) {
		uint32_t cp = 0;
		int r = utf8_decode(text, len, &cp);

		n = (size_t)(r < 0 ? -r : r);
		if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else if (*text == '\n')
			buf_puts(out, "\\n");
		else if (r > 0 && !utf8_is_control(cp))
			buf_put(out, text, n);
		else
			for (size_t i = 0; i < n; i++)
				buf_printf(out, "\\x%02x", (unsigned char)text[i]);
	}
	buf_putc(out, '"');
}

struct export_to {
	struct buf *out;
	const char *me; /* whoever imports the list is meant where no other is named */
};

static int export_one(const struct netprobe_ban *b, void *arg)
{
	struct export_to *to = arg;
	struct buf *out = to->out;
	char text[16], proto[4];

	buf_puts(out, b->cidr);
	if (b->proto)
		buf_printf(out, " proto=%s", proto_text(b, proto));
	if (b->port_to) {
		ports_text(b, text);
		buf_printf(out, " port=%s", text);
	}
	if (b->ttl_s != NETPROBE_NO_END)
		buf_printf(out, " for=%us", b->ttl_s);
	if (b->dry_run)
		buf_puts(out, " dry-run=1");
	if (b->who && strcmp(b->who, to->me) != 0)
		export_text(out, "who", b->who, " #;\"\\");
	if (b->reason)
		export_text(out, "reason", b->reason, "#\"\\");
	buf_putc(out, '\n');
	return out->err;
}

static int export(struct guard_call *call)
{
	const struct ban_opts *o = call->opts;
	struct buf out = {};
	struct export_to to = { .out = &out, .me = who() };
	int r;

	r = o->allow ? netprobe_manager_allowed(call->m, export_one, &to, &call->err)
		     : netprobe_manager_banned(call->m, export_one, &to, &call->err);
	if (r >= 0)
		r = guard_print(&out);
	buf_done(&out);
	return r;
}

static const struct option_row *const export_tables[] = { export_rows, NULL };
static const struct args_spec export_spec = {
	.prog = "netprobe guard export",
	.summary = "Write the bans, or with --allow the allowances, as `import` takes them.",
	.tables = export_tables,
};

const struct guard_row guard_verb_export = {
	.spec = &export_spec,
	.size = sizeof(struct ban_opts),
	.work = export,
};
