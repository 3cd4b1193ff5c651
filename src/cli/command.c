/* SPDX-License-Identifier: BSD-2-Clause */
/* From a command's row to its end. */
#include <stdlib.h>

#include "base/log.h"
#include "cli/settings.h"

int command_run(const struct command_row *row, int argc, char **argv)
{
	struct settings s = {};
	void *command = calloc(1, row->size);
	struct common_opts *o = command;
	int r;

	if (!command) {
		log_err("out of memory");
		return EXIT_INTERNAL;
	}
	common_defaults(o);
	if (row->defaults)
		row->defaults(command);
	r = common_parse(row->spec, argc, argv, o);
	if (r < 0)
		r = row->run(command, &s);
	row->done(command);
	settings_done(&s);
	common_done(o);
	free(command);
	return r;
}
