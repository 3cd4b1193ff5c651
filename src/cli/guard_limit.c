/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard limit` and `guard detect`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "out/table.h"

struct limit_opts {
	bool help, dry_run;
	int per;
	double confirm, ban_time;
	uint32_t port;
	uint64_t rate[NP_LIMIT_MAX];
	uint64_t attack[NP_ATTACK_MAX];
};

static const char *const per_names[] = { "source", "prefix", "port", NULL };
static const char *const limit_names[NP_LIMIT_MAX] = { "pps", "bytes", "syn-rate", "icmp-rate",
						       "new-flows" };
static const char *const attack_names[NP_ATTACK_MAX] = { "syn-flood",  "udp-flood", "amplification",
							 "icmp-flood", "port-scan", "host-scan",
							 "anomaly" };
static const char *const detect_names[] = { "off", "dry-run", "alert", "on", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct limit_opts, field, arg, help, ##__VA_ARGS__)
#define RATE_MAX 100000000000ULL

static const struct option_row limit_rows[] = {
	OPTIONS_HEADING("So many a second, with a burst of one second; 0: no limit"),
	ROW("pps", 0, OPTION_U64, rate[NP_LIMIT_PPS], "N", "packets", .max = RATE_MAX),
	ROW("bytes", 0, OPTION_U64, rate[NP_LIMIT_BYTES], "N", "bytes of frames", .max = RATE_MAX),
	ROW("syn-rate", 0, OPTION_U64, rate[NP_LIMIT_SYN], "N", "TCP SYNs", .max = RATE_MAX),
	ROW("icmp-rate", 0, OPTION_U64, rate[NP_LIMIT_ICMP], "N", "ICMP packets", .max = RATE_MAX),
	ROW("new-flows", 0, OPTION_U64, rate[NP_LIMIT_FLOWS], "N",
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
	ROW("syn-flood", 0, OPTION_U64, attack[NP_ATTACK_SYN_FLOOD], "N",
	    "SYNs of a source beyond its other segments (default 1000)", .max = ATTACK_MAX),
	ROW("udp-flood", 0, OPTION_U64, attack[NP_ATTACK_UDP_FLOOD], "N",
	    "datagrams of a source (default 200000, told only; a figure of yours also bans)",
	    .max = ATTACK_MAX),
	ROW("amplification", 0, OPTION_U64, attack[NP_ATTACK_AMPLIFY], "N",
	    "answers nobody asked for: DNS, NTP, memcached, ... (default 2000)", .max = ATTACK_MAX),
	ROW("icmp-flood", 0, OPTION_U64, attack[NP_ATTACK_ICMP_FLOOD], "N",
	    "echo requests and replies of a source (default 2000)", .max = ATTACK_MAX),
	ROW("anomaly", 0, OPTION_U64, attack[NP_ATTACK_ANOMALY], "N",
	    "packets to one address, 6 sigmas beyond what is usual there (default 1000, told only)",
	    .max = ATTACK_MAX),
	OPTIONS_HEADING("From how many in 8 seconds (up to 256)"),
	ROW("port-scan", 0, OPTION_U64, attack[NP_ATTACK_PORT_SCAN], "N",
	    "ports tried without using the connections (default 64)", .max = 256),
	ROW("host-scan", 0, OPTION_U64, attack[NP_ATTACK_HOST_SCAN], "N",
	    "addresses tried so (default 64)", .max = 256),
	OPTIONS_HEADING("What then"),
	ROW("ban-time", 0, OPTION_SECONDS, ban_time, "TIME",
	    "of a first ban; twice as long with each repeat (default 60s)", .min = 1000,
	    .max = 86400000),
	ROW("confirm", 0, OPTION_SECONDS, confirm, "TIME",
	    "undo it after this time unless `guard confirm` follows", .min = 1000, .max = 86400000),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static void defaults(struct limit_opts *o)
{
	*o = (struct limit_opts){};
	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++)
		o->rate[i] = GUARD_KEEP;
	for (unsigned int i = 0; i < NP_ATTACK_MAX; i++)
		o->attack[i] = GUARD_KEEP;
}

static uint32_t whole_seconds(double s)
{
	return s > 0 ? (uint32_t)(s + 0.999) : 0;
}

static bool put_limits(struct buf *out, const struct np_guard_limit *l, unsigned int port,
		       unsigned int per, bool dry)
{
	bool any = false;

	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++) {
		uint64_t rate = guard_limit_value(&l[i]);

		if (!rate)
			continue;
		if (port)
			buf_printf(out, "--port %u ", port);
		buf_printf(out, "--per %s --%s %llu%s\n", per_names[per % 3], limit_names[i],
			   (unsigned long long)rate, dry ? " (dry run)" : "");
		any = true;
	}
	return any;
}

static int set_limits(struct guard *g, const struct limit_opts *o, struct netprobe_error *err)
{
	uint32_t confirm = whole_seconds(o->confirm);

	if (o->port)
		return guard_set_port_limits(g, (uint16_t)o->port, (unsigned int)o->per, o->rate,
					     o->dry_run, confirm, err);
	return guard_set_limits(g, (unsigned int)o->per, o->rate, o->dry_run, confirm, err);
}

static int check_limits(const struct limit_opts *o, struct netprobe_error *err)
{
	if (!o->port && o->per == NP_PER_PORT)
		return error_set(err, -EINVAL, "--per port takes the --port, too");
	if (o->port && o->rate[NP_LIMIT_ICMP] != GUARD_KEEP)
		return error_set(err, -EINVAL, "--icmp-rate with --port: ICMP has no ports");
	return 0;
}

static int show_limits(struct guard *g)
{
	struct guard_state s;
	struct buf out = {};
	bool any = false;
	int r;

	guard_state(g, &s);
	for (unsigned int per = 0; per < NP_PER_MAX; per++)
		any |= put_limits(&out, s.policy.limit[per], 0, per, s.policy.limit_dry);
	for (unsigned int i = 0; i < NP_GUARD_PORT_LIMITS; i++) {
		const struct np_guard_port_limit *l = &s.policy.port[i];

		if (l->port)
			any |= put_limits(&out, l->limit, l->port, l->per, s.policy.limit_dry);
	}
	if (!any)
		buf_puts(&out, "no limits\n");
	r = guard_print(&out);
	buf_done(&out);
	return r;
}

int guard_cmd_limit(int argc, char **argv)
{
	static const struct option_row *const tables[] = { limit_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard limit",
		.summary =
			"Drop what a source sends beyond a rate; it is not banned. Without options: "
			"the limits that hold.",
		.tables = tables,
	};
	struct limit_opts o;
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard *g = NULL;
	int r;

	defaults(&o);
	r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);
	if (r < 0) {
		r = check_limits(&o, &err);
		if (!r)
			r = guard_open(0, &g, &err);
		if (!r && argc > 1)
			r = set_limits(g, &o, &err);
		r = r ? guard_failed(&err) : argc > 1 ? EXIT_OK : show_limits(g);
	}
	guard_close(g);
	args_list_done(&operands);
	return r;
}

static int show_detect(struct guard *g)
{
	struct guard_state s;
	struct buf out = {};
	int r;

	guard_state(g, &s);
	buf_printf(&out, "detection %s\n", detect_names[s.policy.detect % 4]);
	for (unsigned int i = 0; i < NP_ATTACK_MAX && s.policy.ban_ticks; i++)
		buf_printf(&out, "--%s %u%s\n", attack_names[i], s.policy.attack_rate[i],
			   s.policy.ban_mask & (1U << i) ? "" : " (told only)");
	r = guard_print(&out);
	buf_done(&out);
	return r;
}

static int mode_of(const char *name, uint8_t *ret, struct netprobe_error *err)
{
	for (unsigned int i = 0; detect_names[i]; i++) {
		if (strcmp(detect_names[i], name) != 0)
			continue;
		*ret = (uint8_t)i;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "'%.40s' is no mode of detection; takes on, alert, dry-run, off", name);
}

int guard_cmd_detect(int argc, char **argv)
{
	static const struct option_row *const tables[] = { detect_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard detect",
		.operands = "[on|alert|dry-run|off]",
		.summary =
			"Find floods, scans and what is unusual. on: ban the source for a time; alert, "
			"dry-run: tell (`guard events`).",
		.tables = tables,
		.max_operands = 1,
	};
	struct limit_opts o;
	struct guard_detect d = {};
	struct args_list operands = {};
	struct netprobe_error err = {};
	struct guard *g = NULL;
	int r;

	defaults(&o);
	r = guard_parse(&spec, argc, argv, &o, &o.help, &operands);
	if (r >= 0)
		goto out;
	memcpy(d.rate, o.attack, sizeof(d.rate));
	d.ban_s = whole_seconds(o.ban_time);
	r = operands.n ? mode_of(operands.items[0], &d.mode, &err) : 0;
	if (!r && !operands.n && argc > 1)
		r = error_set(&err, -EINVAL,
			      "options, but no mode; takes on, alert, dry-run or off");
	if (!r)
		r = guard_open(0, &g, &err);
	if (!r && operands.n)
		r = guard_set_detect(g, &d, whole_seconds(o.confirm), &err);
	r = r ? guard_failed(&err) : operands.n ? EXIT_OK : show_detect(g);
out:
	guard_close(g);
	args_list_done(&operands);
	return r;
}
