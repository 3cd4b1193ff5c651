/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a config file: options, or one line of error that names the file. */
#include <stdlib.h>
#include <string.h>

#include "control/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct opts {
	struct args_list port;
	uint32_t max;
	double interval;
	bool enabled;
	int mode;
	const char *output, *token;
};

static const char *const modes[] = { "auto", "ebpf", NULL };
static const struct option_row rows[] = {
	OPTION("port", 0, OPTION_STRINGS, struct opts, port, "PORT", "ports",
	       .flags = OPTION_REPEAT | OPTION_LIVE),
	OPTION("max", 0, OPTION_U32, struct opts, max, "N", "max", .flags = OPTION_LIVE),
	OPTION("interval", 0, OPTION_SECONDS, struct opts, interval, "SEC", "interval"),
	OPTION("enabled", 0, OPTION_BOOL, struct opts, enabled, NULL, "on", .flags = OPTION_LIVE),
	OPTION("mode", 0, OPTION_ENUM, struct opts, mode, NULL, "mode", .names = modes),
	OPTION("token", 0, OPTION_STRING, struct opts, token, "TOKEN", "secret",
	       .flags = OPTION_SECRET),
	OPTION("output", 0, OPTION_STRING, struct opts, output, "FILE", "file"),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { rows, NULL };
static const struct config_known known[] = { { "export", tables, true },
					     { "export.kafka", tables, true },
					     { "alerts", tables, false },
					     {} };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct opts defaults;
	struct netprobe_error err = { 0 };
	struct config c = { 0 };
	struct opts o = { 0 };
	int r;

	if (size > CONFIG_MAX_BYTES)
		return 0;
	r = config_parse((const char *)data, size, "f.yaml", &c, &err);
	if (!r)
		r = config_check(&c, known, &err);
	/* Each section over the others: what they point to lives as long. */
	for (unsigned int i = 0; !r && i < c.n_sections; i++)
		r = config_apply(&c, i, tables, &defaults, &o, &err);
	if (r && (strncmp(err.msg, "f.yaml:", 7) != 0 || strchr(err.msg, '\n')))
		abort();
	keys_done(tables, &o);
	config_done(&c);
	return 0;
}
