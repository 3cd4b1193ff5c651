/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a command line, arguments divided by NUL: accepted, or one line of error. */
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/parse.h"

#define MAX_ARGS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct opts {
	bool help, quiet;
	unsigned int verbose;
	uint32_t pid, ms;
	uint64_t count;
	double interval;
	const char *output;
	int hook;
	struct args_list ifaces, hosts;
	struct np_port_range port;
};

static int port_option(const char *value, void *dest, struct netprobe_error *err)
{
	return parse_port_range(value, dest, err);
}

static const char *const hooks[] = { "auto", "kprobe", NULL };
static const struct option_row rows[] = {
	OPTIONS_HEADING("All"),
	OPTION("help", 'h', OPTION_HELP, struct opts, help, NULL, "help"),
	OPTION("quiet", 'q', OPTION_BOOL, struct opts, quiet, NULL, "less"),
	OPTION("verbose", 'v', OPTION_COUNT, struct opts, verbose, NULL, "more"),
	OPTION("pid", 'p', OPTION_U32, struct opts, pid, "PID", "pid", .min = 1),
	OPTION("count", 'n', OPTION_U64, struct opts, count, "N", "count"),
	OPTION("interval", 0, OPTION_SECONDS, struct opts, interval, "SEC", "interval"),
	OPTION("stall", 0, OPTION_MSEC, struct opts, ms, "MS", "stall", .max = 1000),
	OPTION("output", 'o', OPTION_STRING, struct opts, output, "FILE", "file"),
	OPTION("hook", 0, OPTION_ENUM, struct opts, hook, NULL, "hook", .names = hooks),
	OPTION("interface", 'i', OPTION_STRINGS, struct opts, ifaces, "IF", "interface",
	       .flags = OPTION_REPEAT),
	OPTION("host", 0, OPTION_STRINGS, struct opts, hosts, "HOST", "last host"),
	OPTION("port", 0, OPTION_CUSTOM, struct opts, port, "PORT", "port", .parse = port_option),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { rows, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct args_spec spec = { .prog = "netprobe x", .tables = tables };
	struct netprobe_error err = { 0 };
	struct args_list rest = { 0 };
	char *argv[MAX_ARGS + 1], *copy, *p;
	struct opts o = { 0 };
	int argc = 1, r;

	if (size < 1)
		return 0;
	spec.stop_at_operand = data[0] & 1;
	spec.operands = data[0] & 2 ? "X" : NULL;
	spec.min_operands = spec.operands ? data[0] >> 6 : 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	argv[0] = copy;
	for (p = copy; p < copy + size && argc < MAX_ARGS; p += strlen(p) + 1)
		argv[argc++] = p;
	r = args_parse(&spec, argc, argv, &o, &rest, &err);
	if (r < 0 && (!err.msg[0] || strchr(err.msg, '\n')))
		abort();
	args_list_done(&o.ifaces);
	args_list_done(&o.hosts);
	args_list_done(&rest);
	free(copy);
	return 0;
}
