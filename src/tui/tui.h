/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view of `netprobe top` on a terminal. It draws snapshots taken through the library, owns
 * no data and runs no loop: the caller's epoll loop says when there are keys, new figures or
 * another size. Nothing here sleeps. Needs setlocale() done and both stdin and stdout on a
 * terminal.
 */
#ifndef NETPROBE_TUI_TUI_H
#define NETPROBE_TUI_TUI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netprobe/netprobe.h>

#include "base/error.h"

struct tui;

#define TUI_TEXT_MAX 4096
#define TUI_ACT_SIGNAL 1
#define TUI_ACT_CLOSE 2
#define TUI_ACT_KEEP 3 /* settings, as the view ends */

/* What the user wants done, and was asked about; with whose rights is the caller's. */
struct tui_act {
	uint32_t what; /* TUI_ACT_* */
	uint32_t pid;  /* to be signalled; of a socket its owner, 0 unknown */
	uint64_t
		start_ns; /* of the process, CLOCK_BOOTTIME: another one may have the number by now */
	int32_t sig;
	uint32_t netns; /* of the socket */
	uint64_t sock;	/* its cookie */
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport;
	uint8_t proto;
	char text[TUI_TEXT_MAX];
};

struct tui_opts {
	double interval_s; /* between two ticks of the flow table; 0: 1 s */
	bool no_color;	   /* NO_COLOR or --no-color: bold, dim and reverse only */
	uint8_t kind;	   /* first view, NETPROBE_VIEW_* */
	uint8_t sort;	   /* NETPROBE_SORT_*; NETPROBE_SORT_RATE is what a user expects */
	bool health;	   /* health columns from the start */
	bool idle;	   /* idle rows from the start */
	size_t limit;	   /* most rows; 0: all */
	const char *match; /* first filter; NULL none. Copied, as all strings here */
	const char *mode;  /* "ebpf", "afpacket", "proc" */
	const char *host;  /* this machine's name; NULL none */
	bool kind_given, sort_given; /* they were asked for: settings do not change them */
	const char *settings;	     /* as they were kept; NULL none */
	bool elsewhere;		     /* the rows are of the past, or of another host */
	/* 0 or a negative errno; NULL: nothing of that can be done */
	int (*act)(const struct tui_act *act, void *arg);
	void *act_arg;
};

/* Whether these settings can be taken; err: why not. 0, -EINVAL. */
int tui_settings_check(const char *settings, char *err, size_t size);

#define TUI_LOSSES 16 /* the head has room for fewer */

/* What only the caller knows; all counters since the start. */
struct tui_status {
	/* netprobe_manager_losses: those that lost something; names are of programs, not copied */
	struct {
		const char *program;
		uint64_t n;
	} losses[TUI_LOSSES];
	unsigned int n_losses;
	uint64_t lost_bytes;   /* payload bytes counted nowhere because of it */
	uint32_t programs;     /* programs attached; 0: not shown */
	uint32_t programs_off; /* wanted, not attached */
	uint32_t sample_rate;  /* 1 in N; 0 or 1: everything */
	double interval_s;     /* since ctl changed it; 0: as it was */
	double uptime_s;
	const char *hook; /* hook family, "tracepoint"; NULL none */
	const char *note; /* one line for the user: what is missing and why; NULL none */
};

/*
 * Takes the terminal over. NULL with err filled: -ENOTTY (stdin or stdout is no terminal), -ENOENT
 * (TERM unknown), -ENOMEM. manager is loaded, borrowed and must outlive the view.
 */
struct tui *tui_new(const struct tui_opts *opts, struct netprobe_manager *manager,
		    struct netprobe_error *err);
/* Gives the terminal back as it was. NULL is fine, a vanished terminal too; returns NULL. */
struct tui *tui_free(struct tui *tui);

/* To be watched for input, level triggered. */
int tui_fd(const struct tui *tui);
/*
 * Handle all pending keys and redraw what they changed. 1: the user quits; 0; -EIO or -EPIPE: the
 * terminal is gone, the program should end; -ENOMEM.
 */
int tui_key(struct tui *tui);
/* Takes effect with the next tui_draw(). Copied. */
void tui_status(struct tui *tui, const struct tui_status *status);
/* New figures (after netprobe_manager_tick()): take a snapshot unless paused, and draw it. -ENOMEM, -EIO. */
int tui_draw(struct tui *tui);
/* After SIGWINCH: measure the terminal and draw again. */
int tui_resize(struct tui *tui);
/* SIGTSTP, which is blocked while there is a view: give the terminal back, stop until SIGCONT, take it again. -ENOMEM. */
int tui_stop(struct tui *tui);
/* SIGCONT: take the terminal again, also after a SIGSTOP. -ENOMEM. */
int tui_retake(struct tui *tui);

#endif
