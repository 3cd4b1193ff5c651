/* SPDX-License-Identifier: BSD-2-Clause */
/* See inherit.h. */
#include "cli/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void open_first(void)
{
	/* What comes to a closed stdout is an error, as it would be without this. */
	static const int how[] = { O_RDONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", how[fd]) < 0)
			(void)open("/", O_RDONLY | O_DIRECTORY);
	}
}

/* BPF objects are held by descriptors, about a hundred; a soft limit is there for select(). */
static void raise_descriptors(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

void inherit(void)
{
	open_first();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	raise_descriptors();
}

bool signal_is_ignored(int sig)
{
	struct sigaction sa;

	return !sigaction(sig, NULL, &sa) && !(sa.sa_flags & SA_SIGINFO) &&
	       sa.sa_handler == SIG_IGN;
}

void signal_heed(int sig, const struct sigaction *sa)
{
	if (!signal_is_ignored(sig))
		(void)sigaction(sig, sa, NULL);
}
