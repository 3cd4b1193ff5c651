/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done to processes and connections: chosen here, asked about, done by the caller with the user's rights. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tui/menu.h"
#include "tui/model.h"

static const struct {
	int sig;
	const char *name, *help;
} signals[] = {
	{ SIGTERM, "TERM", "asks it to end; it may tidy up, or refuse" },
	{ SIGINT, "INT", "as Ctrl-C does" },
	{ SIGHUP, "HUP", "its terminal is gone; many services read their configuration anew" },
	{ SIGKILL, "KILL", "ends it at once: it cannot tidy up" },
	{ SIGSTOP, "STOP", "stops it until CONT" },
	{ SIGCONT, "CONT", "lets it go on" },
	{ SIGQUIT, "QUIT", "ends it with a core dump" },
	{ SIGUSR1, "USR1", "means what the program says" },
	{ SIGUSR2, "USR2", "means what the program says" },
};

#define N_SIGNALS ((int)(sizeof(signals) / sizeof(signals[0])))

const char *act_signal_name(int at)
{
	return at >= 0 && at < N_SIGNALS ? signals[at].name : NULL;
}

const char *act_signal_help(int at)
{
	return at >= 0 && at < N_SIGNALS ? signals[at].help : NULL;
}

static int refuse(struct tui_model *m, const char *why)
{
	(void)snprintf(m->flash, sizeof(m->flash), "%s", why);
	return MOVED_DRAW;
}

/* NULL, and why not: the figures are of another time or place, or nobody can do it. */
static const struct tui_row *subject(struct tui_model *m)
{
	const struct tui_row *row = model_row(m);

	if (m->elsewhere)
		(void)refuse(m, "not here: these figures are of the past, or of another host");
	else if (!m->can_act)
		(void)refuse(m, "not in this view");
	else if (!row)
		(void)refuse(m, "there is no row");
	else
		return row;
	return NULL;
}

int act_signals(struct tui_model *m)
{
	const struct tui_row *row = subject(m);

	if (!row)
		return MOVED_DRAW;
	if (model_level(m)->kind != NETPROBE_VIEW_PROCESS || !row->pid)
		return refuse(m, "a signal is sent to a process: 1 shows them");
	if (row->exited || !row->start_ns)
		return refuse(m, "that process has exited");
	m->act = (struct tui_act){ .what = TUI_ACT_SIGNAL,
				   .pid = row->pid,
				   .start_ns = row->start_ns };
	/* the row may move on while a signal is chosen: it is of this one */
	(void)snprintf(m->ask, sizeof(m->ask), "%.40s[%u]", row->name, row->pid);
	return menu_open(m, MENU_SIGNAL);
}

int act_signal(struct tui_model *m, int at)
{
	char whom[sizeof(m->ask)];

	m->menu = MENU_NONE;
	memcpy(whom, m->ask, sizeof(whom));
	m->act.sig = signals[at].sig;
	(void)snprintf(m->ask, sizeof(m->ask), "Send %s to %.100s?", signals[at].name, whom);
	return MOVED_DRAW;
}

int act_close(struct tui_model *m)
{
	const struct tui_row *row = subject(m);

	if (!row)
		return MOVED_DRAW;
	if (model_level(m)->kind != NETPROBE_VIEW_CONNECTION &&
	    model_level(m)->kind != NETPROBE_VIEW_LISTEN)
		return refuse(m, "a connection is closed: 2 shows them");
	if (row->exited || row->count || !row->sock)
		return refuse(m, "this is not an open socket that is known by its cookie");
	m->act = (struct tui_act){ .what = TUI_ACT_CLOSE,
				   .pid = row->owner_pid,
				   .netns = row->netns,
				   .sock = row->sock,
				   .lport = row->lport,
				   .rport = row->rport,
				   .proto = row->protocol };
	memcpy(m->act.laddr, row->laddr, sizeof(m->act.laddr));
	memcpy(m->act.raddr, row->addr, sizeof(m->act.raddr));
	(void)snprintf(m->ask, sizeof(m->ask), "Close %.90s of %.40s?", row->name, row->owner);
	return MOVED_DRAW;
}

int act_answer(struct tui_model *m, bool yes)
{
	if (yes)
		return MOVED_ACT;
	m->ask[0] = '\0';
	return refuse(m, "nothing was done");
}

void act_tell(struct tui_model *m, int r)
{
	const char *what = m->act.what == TUI_ACT_CLOSE ? "closed" : "sent";

	m->ask[0] = '\0';
	(void)snprintf(
		m->flash, sizeof(m->flash), "%s",
		!r ? what
		: r == -EPERM || r == -EACCES
			? "you may not: it takes that user's rights, or root's"
		: r == -ESRCH ? "it is gone, or its number is another one's by now"
		: r == -EBUSY
			? "several listen on that port, and the kernel closes others of them only"
		: r == -EOPNOTSUPP ? "this kernel, or this view, cannot do that"
				   : strerror(-r));
}
