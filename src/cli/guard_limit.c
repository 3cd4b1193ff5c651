/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard limit` and `guard detect`. */
#include <errno.h>
#include <string.h>

#include "cli/guard.h"

struct limit_opts {
	bool help, dry_run;
	int per;
	double confirm, ban_time;
	uint32_t port;
	struct netprobe_limits limits;
	struct netprobe_detection detect;
};

static const char *const per_names[] = { "source", "prefix", "port", NULL };
static const char *const detect_names[] = { "off", "dry-run", "alert", "on", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct limit_opts, field, arg, help, ##__VA_ARGS__)
#define RATE_MAX 100000000000ULL

static const struct option_row limit_rows[] = {
	OPTIONS_HEADING("So many a second, with a burst of one second; 0: no limit"),
	ROW("pps", 0, OPTION_U64, limits.packets, "N", "packets", .max = RATE_MAX),
	ROW("bytes", 0, OPTION_U64, limits.bytes, "N", "bytes of frames", .max = RATE_MAX),
	ROW("syn-rate", 0, OPTION_U64, limits.syns, "N", "TCP SYNs", .max = RATE_MAX),
	ROW("icmp-rate", 0, OPTION_U64, limits.icmp, "N", "ICMP packets", .max = RATE_MAX),
	ROW("new-flows", 0, OPTION_U64, limits.new_flows, "N",
	    "SYNs, and first datagrams of flows where flows are counted", .max = RATE_MAX),
	OPTIONS_HEADING("Of what"),
	ROW("port", 0, OPTION_U32, port, "PORT", "only what goes to this port, limited apart",
	    .min = 1, .max = 65535),
	ROW("per", 0, OPTION_ENUM, per, NULL,
	    "each address, each /24 and /64, or --port by all together (default source)",
	    .names = per_names),
	OPTIONS_HEADING("Safety"),
	ROW("dry-run", 0, OPTION_BOOL, dry_run, NULL, "count what limits would drop, drop nothing"),
	ROW("confirm", 0, OPTION_SECONDS, confirm, "TIME",
	    "undo it after this time unless `guard confirm` follows", .min = 1000, .max = 86400000),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

#define ATTACK_MAX 200000000

static const struct option_row detect_rows[] = {
	OPTIONS_HEADING("From how many a second; 0: not looked for"),
	ROW("syn-flood", 0, OPTION_U64, detect.syn_flood, "N",
	    "SYNs of a source beyond its other segments (default 1000)", .max = ATTACK_MAX),
	ROW("udp-flood", 0, OPTION_U64, detect.udp_flood, "N",
	    "datagrams of a source (default 200000, told only; a figure of yours also bans)",
	    .max = ATTACK_MAX),
	ROW("amplification", 0, OPTION_U64, detect.amplification, "N",
	    "answers nobody asked for: DNS, NTP, memcached, ... (default 2000)", .max = ATTACK_MAX),
	ROW("icmp-flood", 0, OPTION_U64, detect.icmp_flood, "N",
	    "echo requests and replies of a source (default 2000)", .max = ATTACK_MAX),
	ROW("anomaly", 0, OPTION_U64, detect.anomaly, "N",
	    "packets to one address, 6 sigmas beyond what is usual there (default 1000, told only)",
	    .max = ATTACK_MAX),
	OPTIONS_HEADING("From how many in 8 seconds (up to 256)"),
	ROW("port-scan", 0, OPTION_U64, detect.port_scan, "N",
	    "ports tried without using the connections (default 64)", .max = 256),
	ROW("host-scan", 0, OPTION_U64, detect.host_scan, "N", "addresses tried so (default 64)",
	    .max = 256),
	OPTIONS_HEADING("What then"),
	ROW("ban-time", 0, OPTION_SECONDS, ban_time, "TIME",
	    "of a first ban; twice as long with each repeat (default 60s)", .min = 1000,
	    .max = 86400000),
	ROW("confirm", 0, OPTION_SECONDS, confirm, "TIME",
	    "undo it after this time unless `guard confirm` follows", .min = 1000, .max = 86400000),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static void defaults(void *opts)
{
	struct limit_opts *o = opts;

	*o = (struct limit_opts){};
	o->limits = (struct netprobe_limits){ .size = sizeof(o->limits),
					      .packets = NETPROBE_KEEP,
					      .bytes = NETPROBE_KEEP,
					      .syns = NETPROBE_KEEP,
					      .icmp = NETPROBE_KEEP,
					      .new_flows = NETPROBE_KEEP };
	o->detect = (struct netprobe_detection){ .size = sizeof(o->detect),
						 .syn_flood = NETPROBE_KEEP,
						 .udp_flood = NETPROBE_KEEP,
						 .amplification = NETPROBE_KEEP,
						 .icmp_flood = NETPROBE_KEEP,
						 .port_scan = NETPROBE_KEEP,
						 .host_scan = NETPROBE_KEEP,
						 .anomaly = NETPROBE_KEEP };
}

static void put_limit(struct buf *out, const struct netprobe_limits *l, const char *name,
		      uint64_t rate)
{
	if (!rate)
		return;
	if (l->port)
		buf_printf(out, "--port %u ", l->port);
	buf_printf(out, "--per %s --%s %llu%s\n", per_names[l->per % 3], name,
		   (unsigned long long)rate, l->dry_run ? " (dry run)" : "");
}

static int put_limits(const struct netprobe_limits *l, void *arg)
{
	put_limit(arg, l, "pps", l->packets);
	put_limit(arg, l, "bytes", l->bytes);
	put_limit(arg, l, "syn-rate", l->syns);
	put_limit(arg, l, "icmp-rate", l->icmp);
	put_limit(arg, l, "new-flows", l->new_flows);
	return 0;
}

static int show_limits(struct guard_call *call)
{
	struct buf out = {};
	int r = netprobe_manager_limits(call->m, put_limits, &out, &call->err);

	if (!r)
		buf_puts(&out, "no limits\n");
	if (r >= 0)
		r = guard_print(&out);
	buf_done(&out);
	return r;
}

static int limit(struct guard_call *call)
{
	struct limit_opts *o = call->opts;
	int r;

	if (call->bare)
		return show_limits(call);
	if (!o->port && o->per == NETPROBE_PER_PORT)
		return error_set(&call->err, -EINVAL, "--per port takes the --port, too");
	if (o->port && o->limits.icmp != NETPROBE_KEEP)
		return error_set(&call->err, -EINVAL, "--icmp-rate with --port: ICMP has no ports");
	o->limits.per = (uint32_t)o->per;
	o->limits.port = (uint16_t)o->port;
	o->limits.dry_run = o->dry_run;
	o->limits.confirm_s = guard_seconds(o->confirm);
	r = netprobe_manager_set_limits(call->m, &o->limits, &call->err);
	if (!r)
		guard_tell_effect(call);
	return r;
}

static const struct option_row *const limit_tables[] = { limit_rows, NULL };
static const struct args_spec limit_spec = {
	.prog = "netprobe guard limit",
	.summary = "Drop what a source sends beyond a rate; it is not banned. Without options: "
		   "the limits that hold.",
	.tables = limit_tables,
};

const struct guard_row guard_verb_limit = {
	.spec = &limit_spec,
	.size = sizeof(struct limit_opts),
	.defaults = defaults,
	.work = limit,
};

static void put_rate(struct buf *out, const struct netprobe_detection *d, const char *name,
		     uint64_t rate, uint32_t bit)
{
	buf_printf(out, "--%s %llu%s\n", name, (unsigned long long)rate,
		   d->bans & bit ? "" : " (told only)");
}

static int show_detect(struct guard_call *call)
{
	struct netprobe_detection d = { .size = sizeof(d) };
	struct buf out = {};
	int r = netprobe_manager_get_detection(call->m, &d, &call->err);

	if (r)
		return r;
	buf_printf(&out, "detection %s\n", detect_names[d.mode % 4]);
	/* Never set: it has no figures yet. */
	if (d.ban_s) {
		put_rate(&out, &d, "syn-flood", d.syn_flood, NETPROBE_ATTACK_SYN_FLOOD);
		put_rate(&out, &d, "udp-flood", d.udp_flood, NETPROBE_ATTACK_UDP_FLOOD);
		put_rate(&out, &d, "amplification", d.amplification, NETPROBE_ATTACK_AMPLIFICATION);
		put_rate(&out, &d, "icmp-flood", d.icmp_flood, NETPROBE_ATTACK_ICMP_FLOOD);
		put_rate(&out, &d, "port-scan", d.port_scan, NETPROBE_ATTACK_PORT_SCAN);
		put_rate(&out, &d, "host-scan", d.host_scan, NETPROBE_ATTACK_HOST_SCAN);
		put_rate(&out, &d, "anomaly", d.anomaly, NETPROBE_ATTACK_ANOMALY);
	}
	r = guard_print(&out);
	buf_done(&out);
	return r;
}

static int mode_of(const char *name, uint32_t *ret, struct netprobe_error *err)
{
	for (uint32_t i = 0; detect_names[i]; i++) {
		if (strcmp(detect_names[i], name) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "'%.40s' is not a mode of detection; takes on, alert, dry-run, off", name);
}

static int detect(struct guard_call *call)
{
	struct limit_opts *o = call->opts;
	int r;

	if (call->bare)
		return show_detect(call);
	if (!call->operands.n)
		return error_set(&call->err, -EINVAL,
				 "options, but no mode; takes on, alert, dry-run or off");
	r = mode_of(call->operands.items[0], &o->detect.mode, &call->err);
	o->detect.ban_s = guard_seconds(o->ban_time);
	o->detect.confirm_s = guard_seconds(o->confirm);
	if (!r)
		r = netprobe_manager_set_detection(call->m, &o->detect, &call->err);
	if (!r && o->detect.mode)
		guard_tell_effect(call);
	return r;
}

static const struct option_row *const detect_tables[] = { detect_rows, NULL };
static const struct args_spec detect_spec = {
	.prog = "netprobe guard detect",
	.operands = "[on|alert|dry-run|off]",
	.summary = "Find floods, scans and what is unusual. on: ban the source for a time; alert, "
		   "dry-run: tell (`guard events`).",
	.tables = detect_tables,
	.max_operands = 1,
};

const struct guard_row guard_verb_detect = {
	.spec = &detect_spec,
	.size = sizeof(struct limit_opts),
	.defaults = defaults,
	.work = detect,
};
