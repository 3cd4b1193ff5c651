/* SPDX-License-Identifier: BSD-2-Clause */
/* See job.h. */
#include "tui/job.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tui/rescue.h"

static struct termios modes;
static bool have_modes, held;
static char enter[128];

static int mask(int how)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTSTP);
	return pthread_sigmask(how, &set, NULL);
}

void job_begin(const char *const *strings)
{
	struct sigaction sa;
	size_t n = rescue_join(strings, enter, sizeof(enter) - 1);

	enter[n] = '\0';
	have_modes = !tcgetattr(STDIN_FILENO, &modes);
	if (sigaction(SIGTSTP, NULL, &sa) || sa.sa_handler == SIG_IGN)
		return;
	sa = (struct sigaction){ .sa_handler = SIG_DFL }; /* it is curses' by now */
	(void)sigaction(SIGTSTP, &sa, NULL);
	held = !mask(SIG_BLOCK);
}

void job_end(void)
{
	if (held)
		(void)mask(SIG_UNBLOCK);
	held = false;
}

void job_stop(void)
{
	rescue_terminal();
	(void)raise(SIGTSTP);
	/* here it stops, unless nobody is there to let it go on (an orphaned process group) */
	(void)mask(SIG_UNBLOCK);
	(void)mask(SIG_BLOCK);
}

void job_retake(const char *more)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	char all[sizeof(enter) + 64];

	/* SIGTTOU, in the background; it is tried again once that is over */
	if (have_modes)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	(void)snprintf(all, sizeof(all), "%s%s", enter, more);
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		(void)!write(STDOUT_FILENO, all, strlen(all));
}
