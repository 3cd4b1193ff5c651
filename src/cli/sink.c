/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a command's data goes. A reader that goes away ends the command quietly. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int sink_open(struct sink *k, const struct common_opts *o, struct netprobe_error *err)
{
	const char *no_color = getenv("NO_COLOR");

	*k = (struct sink){ .fd = STDOUT_FILENO };
	if (o->output && strcmp(o->output, "-")) {
		k->fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (k->fd < 0)
			return error_set(err, -errno,
					 "-o: '%s': %s; takes a file that can be written",
					 o->output, strerror(errno));
	}
	k->tty = isatty(k->fd);
	k->color = k->tty && !o->no_color && !(no_color && *no_color);
	return 0;
}

void sink_close(struct sink *k)
{
	if (k->fd > STDERR_FILENO)
		(void)close(k->fd);
	k->fd = -1;
}

int sink_write(struct sink *k, struct buf *b)
{
	size_t done = 0;
	int r = b->err;

	while (!r && done < b->len) {
		ssize_t n = write(k->fd, b->data + done, b->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	if (r == -EPIPE)
		k->closed = true;
	buf_reset(b);
	return r;
}
