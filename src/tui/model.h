/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the screen and where the user is in it: the rows of one snapshot, the cursor, the
 * stack of drills, the filter being typed. No drawing and no terminal, so tests drive it directly.
 */
#ifndef NETPROBE_TUI_MODEL_H
#define NETPROBE_TUI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <wchar.h>

#include <netprobe/netprobe.h>

#include "tui/complete.h"
#include "tui/detail.h"
#include "tui/keep.h"
#include "tui/spark.h"
#include "tui/tui.h"

#define TUI_ROWS_MAX \
	2000	     /* rows kept of a snapshot, the first by the sort: bounds time and memory */
#define TUI_FOLDS 64 /* folded rows of a tree */
#define TUI_DEPTH 6  /* drills within drills */
#define TUI_FILTER_MAX 1024 /* bytes of a filter, NUL included: of an expression */

/* What an interface tells of itself, out and in. */
#define TUI_TX 0
#define TUI_RX 1
struct tui_link {
	bool known;
	uint32_t state, mbit, duplex; /* NETPROBE_LINK_*, _DUPLEX_* */
	float packets_s[2];
	uint64_t errors[2], dropped[2];
	float owned[2]; /* percent; negative: not known */
};

/* A row copied out of a view: strings do not outlive the call. */
struct tui_row {
	uint64_t key;
	char name[256];		   /* process, path, address; connection: both ends in full */
	char brief[96];		   /* connection: local end as its port only; else empty */
	char owner[40];		   /* connection: "comm[pid]" */
	char place[96];		   /* container or cgroup of the owner */
	char iface[16];		   /* connection */
	const char *state, *proto; /* connection; static strings, NULL otherwise */
	bool known;		   /* container view: its cgroup is */
	uint8_t addr[16];	   /* remote view */
	uint32_t pid;		   /* process view; 0 unknown */
	uint32_t netns;		   /* interface view */
	float tx_rate, rx_rate;
	uint64_t tx_bytes, rx_bytes, retrans;
	bool uncounted; /* a socket whose bytes are not known: these are 0 */
	struct tui_trouble trouble;
	uint64_t drops;
	bool has_drops;
	int verdict; /* NETPROBE_VERDICT_*, -1 */
	uint32_t conns, rtt_us;
	bool exited;
	bool rest;	/* stands for many that are no longer kept by name */
	bool ownerless; /* interface view: of bytes that no socket moved */
	/* connection */
	uint16_t lport, rport;
	uint8_t laddr[16], protocol;
	uint64_t sock;
	uint32_t owner_pid;
	uint32_t ppid;
	uint64_t start_ns;	 /* of the process; 0 unknown */
	char user[33];		 /* its user, or the number */
	char exe[128];		 /* path of its program */
	char peer[72];		 /* the other end of its busiest connection */
	char service[16];	 /* what the port is known for */
	uint32_t queue, backlog; /* of a TCP listener: connections that wait, most that may */
	bool has_queue;
	float retrans_rate, segs_rate; /* segments a second */
	float retrans_share;	       /* percent; negative: nothing was sent */
	struct tui_link link;	       /* interface view */
	uint32_t count; /* rows it stands for: ended ones, or those below it; 0: itself */
	uint8_t depth;	/* in the tree */
	bool folded;	/* those below it are added up in it */
	struct samples samples;
};

#define DRILL_NONE 0
#define DRILL_PROCESS 1
#define DRILL_CONTAINER 2
#define DRILL_REMOTE 3
#define DRILL_INTERFACE 4
#define DRILL_GROUP 5 /* any other: by kind and key */

/* One level of the stack: what it was entered through, and where the user stood in it. */
struct tui_level {
	uint8_t by;	  /* DRILL_*; the bottom level has none */
	uint8_t of_kind;  /* of DRILL_GROUP */
	uint64_t row_key; /* of the process or container */
	uint8_t remote[16];
	char iface[16];
	uint32_t netns;	 /* of iface */
	char title[256]; /* what the breadcrumb calls it */
	uint8_t kind;
	char filter[TUI_FILTER_MAX];
	uint64_t key; /* row under the cursor */
	bool sticky;  /* the cursor follows its row; else it stays on the first line */
	size_t cursor, top;
};

struct tui_totals {
	float tx_rate, rx_rate;
	uint64_t tx_bytes, rx_bytes, retrans;
	uint32_t conns, processes;
	float inside_rate, retrans_rate, segs_rate;
	struct samples up, down, inside;
};

#define MENU_NONE 0
#define MENU_BY 1
#define MENU_COLUMNS 2
#define MENU_SIGNAL 3
#define MENU_COPY 4

#define HELP_NONE 0
#define HELP_COLUMNS 1
#define HELP_KEYS 2

/* The filter of the level as it is in force: what is being typed may be no expression yet. */
struct tui_filter {
	struct netprobe_expr *expr; /* NULL: everything is shown */
	char text[TUI_FILTER_MAX];  /* of expr */
	unsigned int depth;	    /* the level and the kind of rows it was made for */
	uint8_t kind;
	char wrong[256];    /* what is wrong with the level's; empty: nothing */
	uint64_t undecided; /* rows that a regular expression gave up on */
};

struct tui_model {
	struct netprobe_manager *manager;
	/* said once */
	char host[64], mode[16];
	double interval_s;
	/* said by tui_status() */
	struct tui_status status;
	char hook[24], note[160];
	/* the snapshot */
	struct tui_row *rows; /* TUI_ROWS_MAX at most */
	size_t n_rows, cap_rows;
	size_t n_made;			/* behind those: rows that stand for several */
	size_t n_total;			/* rows there are, kept or not */
	size_t n_live, n_ended, n_idle; /* as netprobe_view */
	size_t n_kept;
	struct kept_row **kept; /* paused: the rows whole, to be filtered anew */
	uint32_t *shown;	/* indices into rows, in the order drawn */
	size_t n_shown;
	struct tui_totals totals;
	struct trace trace;   /* goes on while paused */
	struct detail detail; /* the page of one connection, over the table while open */
	struct tm taken;      /* wall clock of the snapshot */
	struct tm since;      /* sums are since then */
	bool is_since;	      /* ... and not since netprobe began */
	uint32_t netns; /* its own, whose interfaces need no word of where they are; 0: not known */
	bool elsewhere; /* the rows are of the past, or of another host: this one's files say nothing of them */
	bool gone; /* what was drilled into is no longer there */
	/* the user */
	struct tui_level level[TUI_DEPTH];
	unsigned int depth; /* of the current level; 0 the bottom */
	uint8_t sort;
	size_t limit; /* most rows; 0: all */
	bool reverse, idle, bits;
	bool health;		    /* columns of causes, stalls and verdicts instead of sums */
	bool live;		    /* without rows of what ended */
	bool apart;		    /* ended rows of one name each by itself */
	bool tree;		    /* processes below their parents */
	uint64_t folded[TUI_FOLDS]; /* keys of rows whose children are not shown */
	unsigned int n_folded;
	uint64_t hidden; /* columns the user does not want, by place in column_table */
	uint8_t menu;	 /* MENU_*: over the view */
	int menu_at;
	bool paused, editing;
	uint8_t help; /* HELP_* */
	int help_top;
	uint8_t theme, ground; /* THEME_*, GROUND_* */
	bool no_mouse;
	struct tui_act act; /* what is asked about, then done */
	char ask[160];	    /* the question; empty: none */
	bool can_act;	    /* somebody does such things */
	char copy[1024];    /* to be copied; empty: nothing */
	/* where the last frame had what the mouse is for, and how wide it was; -1: nowhere */
	int table_y, table_rows, tabs_y, titles_y, cols;
	size_t page;	/* rows the last frame had room for */
	char flash[80]; /* answer to the last key, until the next one */
	struct tui_filter filter;
	struct completion complete; /* of what is typed */
};

void model_init(struct tui_model *m, const struct tui_opts *opts, struct netprobe_manager *manager);
void model_done(struct tui_model *m);
void model_status(struct tui_model *m, const struct tui_status *status);
static inline struct tui_level *model_level(struct tui_model *m)
{
	return &m->level[m->depth];
}

/* Query and copy; called on new figures unless paused, and when the user asks for other rows. */
int model_snapshot(struct tui_model *m);
/* Call fn for each row of the level, filtered or not, until it returns other than 0. */
int model_each(struct tui_model *m, netprobe_row_fn fn, void *arg);
/* Once an interval, paused or not: the last minute of the connection under the cursor. */
void model_sample(struct tui_model *m);
/* Filter and sort the rows at hand anew: while paused nothing else may change them. */
int model_arrange(struct tui_model *m);
/* Have the library look at verdicts as long as they are shown. */
void model_watch(struct tui_model *m);
/* The row under the cursor; NULL where there are none. */
const struct tui_row *model_row(struct tui_model *m);

/* row.c: fill to from one row of a view. */
void row_copy(struct tui_row *to, const struct netprobe_row *from, uint8_t kind);
void row_trouble(struct tui_trouble *to, const struct netprobe_row *from);
/* "docker 3f2a9c01d4b7" for a container, else the end of the cgroup's path. */
void row_place(char *to, size_t size, const struct netprobe_row *from);
/* Most first, names from A; 0: they are alike. */
int row_order(const struct tui_row *a, const struct tui_row *b, uint8_t sort);
/* Order of a and b as the user sees it: negative, 0 or positive. */
int row_compare(const struct tui_row *a, const struct tui_row *b, uint8_t sort, bool reverse);
/* What row and add have in common stays; numbers add up. */
void row_join(struct tui_row *to, const struct tui_row *add);

/* arrange.c: rows that stand for several, order, tree. -ENOMEM. */
int arrange(struct tui_model *m);

/* nav.c: each returns what the key loop must do next, MOVED_*. */
#define MOVED_NOT 0
#define MOVED_DRAW 1 /* draw the same rows again */
#define MOVED_ROWS 2 /* other rows are needed: snapshot */
#define MOVED_QUIT 3
#define MOVED_THEME 5  /* other colours, mouse or not: tell the screen */
#define MOVED_COPY 6   /* model.copy has what is to be copied */
#define MOVED_ACT 7    /* do model.act */
#define MOVED_REDRAW 4 /* something else wrote on the terminal: send every cell again */

int nav_view(struct tui_model *m, uint8_t kind);
int nav_drill(struct tui_model *m);
int nav_detail_close(struct tui_model *m);
int nav_back(struct tui_model *m);
int nav_move(struct tui_model *m, long lines);
int nav_home(struct tui_model *m);
int nav_end(struct tui_model *m);
int nav_sort(struct tui_model *m, int step);
int nav_sort_by(struct tui_model *m, uint8_t sort);
/* Rows and list are as they were, but for what the user wants of them. */
int nav_arranged(struct tui_model *m);
int nav_tree(struct tui_model *m);
/* The row under the cursor; all: every one. */
int nav_fold(struct tui_model *m, bool fold, bool all);
int nav_health(struct tui_model *m);
int nav_pause(struct tui_model *m);
/* Sums of all lists begin now. */
int nav_restart(struct tui_model *m);
/* act.c: choose a signal for the process under the cursor; close the connection. Each is asked about first. */
int act_signals(struct tui_model *m);
int act_signal(struct tui_model *m, int at);
const char *act_signal_name(int at); /* NULL after the last */
const char *act_signal_help(int at);
int act_close(struct tui_model *m);
int act_answer(struct tui_model *m, bool yes);
/* What became of it, for the user. */
void act_tell(struct tui_model *m, int r);
/* The row with all its cells, tabs between them; of the page both ends. */
int nav_copy(struct tui_model *m);
/* One cell: from a list of them, or this one. */
struct column;
int nav_copy_menu(struct tui_model *m);
int nav_copy_cell(struct tui_model *m, const struct column *column);
/* Filter as you type: keep (Enter) or clear it (Escape). */
int nav_filter_begin(struct tui_model *m);
int nav_filter_end(struct tui_model *m, bool keep);
int nav_filter_add(struct tui_model *m, wchar_t ch);
int nav_filter_rubout(struct tui_model *m);
int nav_filter_clear(struct tui_model *m);
int nav_filter_changed(struct tui_model *m); /* its text is another one */
/* After the rows changed: put the cursor back on its row. */
void nav_settle(struct tui_model *m);

#endif
