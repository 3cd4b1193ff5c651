/* SPDX-License-Identifier: BSD-2-Clause */
/* How wide text may be (see sink.h). */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/sink.h"

#define COLUMNS_MAX 10000

unsigned int sink_columns(int fd)
{
	const char *said = getenv("COLUMNS");
	struct winsize ws = {};
	char *end;
	long n;

	if (!isatty(fd))
		return 0;
	n = said && *said >= '0' && *said <= '9' ? strtol(said, &end, 10) : 0;
	if (n > 0 && n <= COLUMNS_MAX && !*end)
		return (unsigned int)n;
	return ioctl(fd, TIOCGWINSZ, &ws) ? 0 : ws.ws_col;
}
