/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that the capturing commands share, as rows, and what becomes of them. */
#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/filterkeys.h"
#include "base/log.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/source.h"

#define RINGS_MAX 16 /* netprobe_config.packet_rings */

static const char *const mode_names[] = { "auto", "ebpf", "afpacket", "proc", NULL };
static const char *const fail_names[] = { "nowhere", "verifier", "attach",  "prove",  "read",
					  "ring",    "death",	 "full",    "table",  "second",
					  "first",   "sends",	 "ends",    "silent", "rare",
					  "refuse",  "pause",	 "figures", NULL };
static const char *const hook_names[] = { "auto", "tracepoint", "fentry", "kprobe", NULL };
static const char *const buffer_names[] = { "auto", "ringbuf", "perf", NULL };

/* No option is a secret yet: tests build the program with two that are (tests/live/secret.c). */
#ifdef NETPROBE_TEST_SECRET
#define TEST_SECRET OPTION_SECRET
#else
#define TEST_SECRET 0
#endif

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

#define FILTER_ROW(key, name, letter, how, arg, help)                               \
	ROW(name, letter, OPTION_STRINGS, filter[NETPROBE_FILTER_##key], arg, help, \
	    .flags = OPTION_REPEAT | OPTION_LIVE),

const struct option_row filter_rows[] = {
	OPTIONS_HEADING(
		"Filters (evaluated in the kernel; repeat an option, or put commas, for alternatives)"),
	FILTER_KEYS(FILTER_ROW) ROW(NULL, '4', OPTION_BOOL, v4, NULL, "only IPv4"),
	ROW(NULL, '6', OPTION_BOOL, v6, NULL, "only IPv6"),
	OPTIONS_END,
};

const struct option_row common_rows[] = {
	OPTIONS_HEADING("Capture"),
	ROW("capture-mode", 0, OPTION_ENUM, capture_mode, NULL, "how to capture (default auto)",
	    .names = mode_names),
	ROW("hook", 0, OPTION_ENUM, hook, NULL,
	    "use only this family of kernel hooks (default auto)", .names = hook_names),
	ROW("event-buffer", 0, OPTION_ENUM, event_buffer, NULL,
	    "how events leave the kernel (default auto)", .names = buffer_names),
	ROW("packet-ring", 0, OPTION_U32, packet_ring, "BYTES",
	    "afpacket: size of each ring, 4K to 256M (default 8M)", .min = 4096, .max = 256U << 20),
	ROW("packet-block", 0, OPTION_U32, packet_block, "BYTES",
	    "afpacket: size of a block of it, a power of two (default 262144)", .min = 4096,
	    .max = 64U << 20),
	ROW("packet-timeout", 0, OPTION_MSEC, packet_timeout, "MS",
	    "afpacket: deliver a partly filled block after this time (default 10)", .min = 1,
	    .max = 10000),
	ROW("fanout", 0, OPTION_U32, fanout, "N",
	    "afpacket: share the packets between N rings and threads (default 1)", .min = 1,
	    .max = RINGS_MAX),
	ROW("btf", 0, OPTION_STRING, btf, "FILE",
	    "BTF file for kernels without built-in BTF, or a folder of `uname -r`.btf files",
	    .flags = TEST_SECRET),
	ROW("ring-size", 0, OPTION_U32, ring_size, "BYTES",
	    "size of the event ring, a power of two", .flags = OPTION_HIDDEN, .min = 4096,
	    .max = 1U << 30),
	ROW("parts-size", 0, OPTION_U32, parts_size, "N", "entries of the map for shared sockets",
	    .flags = OPTION_HIDDEN, .min = 1, .max = 1U << 24),
	ROW("queue-size", 0, OPTION_U32, queue_size, "BYTES",
	    "memory for lines that wait for their reader", .flags = OPTION_HIDDEN,
	    .min = 512U << 10, .max = 1U << 30),
	ROW("fail-at", 0, OPTION_ENUM, fail_at, NULL, "let the start of ebpf fail there",
	    .flags = OPTION_HIDDEN, .names = fail_names),
	ROW("ready-fd", 0, OPTION_U32, ready_fd, "FD",
	    "write R to this descriptor once capture runs", .flags = OPTION_HIDDEN, .min = 3,
	    .max = 65535),
	ROW("pcap", 0, OPTION_STRING, pcap, "FILE",
	    "packets that pass the filters into a pcapng file, each with its owner"),
	ROW("sample-rate", 0, OPTION_U32, sample_rate, "N",
	    "record 1 in N flows, the same ones each time; counts are scaled", .flags = OPTION_LIVE,
	    .min = 1, .max = 1000000),
	ROW("max-events", 0, OPTION_U32, max_events, "N",
	    "at most N events of connections and stalls a second; counts stay exact",
	    .flags = OPTION_LIVE | TEST_SECRET, .min = 1),
	ROW("stall-threshold", 0, OPTION_MSEC, stall_ms, "MS",
	    "report a connection that makes no progress for longer than this (default 100)",
	    .flags = OPTION_LIVE, .min = 1, .max = 3600000),
	ROW("latency", 0, OPTION_BOOL, latency, NULL,
	    "time how long data waits in the queues of sockets", .flags = OPTION_LIVE),
	ROW("enabled", 0, OPTION_BOOL, enabled, NULL, "record (false by ctl or config: pause)",
	    .flags = OPTION_LIVE | OPTION_HIDDEN),
	OPTIONS_HEADING("General"),
	ROW("config", 0, OPTION_STRING, config, "FILE",
	    "YAML with any of these options; SIGHUP reads it again"),
	ROW("no-sandbox", 0, OPTION_BOOL, no_sandbox, NULL,
	    "keep all capabilities and system calls after the start"),
	ROW("verbose", 'v', OPTION_COUNT, verbose, NULL, "log more to stderr (-vv: everything)"),
	ROW("quiet", 'q', OPTION_COUNT, quiet, NULL, "log less to stderr"),
	ROW("version", 'V', OPTION_HELP, version, NULL, "print the version"),
	ROW("help", 'h', OPTION_HELP, help, NULL, "show this help; --help all: every option"),
	OPTIONS_END,
};

void common_defaults(struct common_opts *o)
{
	*o = (struct common_opts){ .interval = 1,
				   .dns_timeout = 5,
				   .format = -1,
				   .enabled = true,
				   .sample_rate = 1,
				   .stall_ms = 100 };
}

void common_done(struct common_opts *o)
{
	source_free(o);
	for (unsigned int i = 0; i < NETPROBE_FILTER_MAX; i++)
		args_list_done(&o->filter[i]);
	args_list_done(&o->dns_port);
}

static void set_log_level(const struct common_opts *o)
{
	int level = LOG_NOTICE + (int)o->verbose - (int)o->quiet;

	log_set_level(level < LOG_ERR ? LOG_ERR : level > LOG_DEBUG ? LOG_DEBUG : level);
}

int cli_usage_failed(const struct netprobe_error *err)
{
	struct netprobe_error told = *err;

	source_blame(&told);
	log_err("%s", told.msg);
	return err->code == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
}

int cli_option_failed(int exit, const char *msg)
{
	struct netprobe_error err = {};

	(void)error_set(&err, -EINVAL, "%s", msg);
	(void)cli_usage_failed(&err);
	return exit;
}

/* What no single option can be wrong about. */
static int check_together(const struct common_opts *o, struct netprobe_error *err)
{
	if (o->ring_size & (o->ring_size - 1))
		return error_set(err, -EINVAL, "--ring-size: %u is not a power of two",
				 o->ring_size);
	if (o->packet_block & (o->packet_block - 1))
		return error_set(err, -EINVAL, "--packet-block: %u is not a power of two",
				 o->packet_block);
	if (o->packet_block > (o->packet_ring ? o->packet_ring : 8U << 20))
		return error_set(
			err, -EINVAL,
			"--packet-block: %u is more than the whole ring; takes at most --packet-ring",
			o->packet_block);
	if (o->capture_mode > NETPROBE_CAPTURE_EBPF && (o->hook || o->event_buffer))
		return error_set(
			err, -EINVAL,
			"--%s: '%s' is of mode ebpf, and --capture-mode is %s; takes ebpf or auto there",
			o->hook ? "hook" : "event-buffer",
			o->hook ? hook_names[o->hook] : buffer_names[o->event_buffer],
			mode_names[o->capture_mode]);
	if (o->btf && access(o->btf, R_OK))
		return error_set(err, -EINVAL, "--btf: '%s': %s; takes a BTF file of this kernel",
				 o->btf, strerror(errno));
	return 0;
}

int common_parse(const struct args_spec *spec, int argc, char **argv, struct common_opts *o)
{
	struct netprobe_error err = {};
	int r;

	log_set_ident(spec->prog);
	r = source_parse(spec, argc, argv, o, &err);
	if (r < 0)
		return cli_usage_failed(&err);
	set_log_level(o);
	if (o->version) {
		printf("netprobe %s\n", netprobe_version());
		return EXIT_OK;
	}
	if (o->help) {
		struct buf b = {};

		args_help(spec, args_asks_all(argc, argv), &b);
		(void)!write(STDOUT_FILENO, b.data, b.len);
		buf_done(&b);
		return EXIT_OK;
	}
	return check_together(o, &err) ? cli_usage_failed(&err) : -1;
}
