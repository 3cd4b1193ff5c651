/* SPDX-License-Identifier: BSD-2-Clause */
/* See rescue.h. */
#include "tui/rescue.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int deadly[] = { SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS };

#define RESCUE_MS 200
#define DEADLY (sizeof(deadly) / sizeof(deadly[0]))

static struct termios modes;
static volatile sig_atomic_t have_modes;
static char text[256];
static size_t text_len;
static struct sigaction was[DEADLY];

void rescue_modes(void)
{
	have_modes = !tcgetattr(STDIN_FILENO, &modes);
}

/* Delays, "$<20>": terminals that need them are gone. */
size_t rescue_join(const char *const *strings, char *to, size_t size)
{
	size_t n = 0;

	for (; *strings; strings++) {
		const char *s = *strings;

		while (*s && n < size) {
			if (s[0] == '$' && s[1] == '<' && strchr(s, '>'))
				s = strchr(s, '>') + 1;
			else
				to[n++] = *s++;
		}
	}
	return n;
}

/* For signal handlers too. */
void rescue_terminal(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	/* What the view just drew may still fill it; one that takes nothing is not waited for. */
	if (poll(&p, 1, RESCUE_MS) == 1 && (p.revents & POLLOUT))
		(void)!write(STDOUT_FILENO, text, text_len);
	/* Not TCSADRAIN: a terminal that is stopped drains never. */
	if (have_modes)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

/* The handler is off by then: the signal that is sent again ends it, with its core and its status. */
static void on_deadly(int sig)
{
	rescue_terminal();
	(void)raise(sig);
}

void rescue_arm(const char *const *strings)
{
	struct sigaction sa = { .sa_handler = on_deadly, .sa_flags = SA_RESETHAND | SA_NODEFER };

	text_len = rescue_join(strings, text, sizeof(text));
	for (unsigned int i = 0; i < DEADLY; i++)
		if (!sigaction(deadly[i], NULL, &was[i]) && was[i].sa_handler == SIG_DFL)
			(void)sigaction(deadly[i], &sa, NULL);
}

void rescue_disarm(void)
{
	struct sigaction now;

	for (unsigned int i = 0; i < DEADLY; i++)
		if (!sigaction(deadly[i], NULL, &now) && now.sa_handler == on_deadly)
			(void)sigaction(deadly[i], &was[i], NULL);
	have_modes = 0;
	text_len = 0;
}
