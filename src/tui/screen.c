/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Curses behind a handful of calls. Styles become attributes here, and nowhere else; what changed
 * between two frames is curses' to find out. Draws nothing of its own. A thread puts frames on the
 * terminal: one that takes nothing (Ctrl-S, a connection that is gone) loses frames, and nobody waits.
 */
#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <time.h>
#include <unistd.h>

#include "tui/input.h"
#include "tui/job.h"
#include "tui/rescue.h"
#include "tui/theme.h"

/* A lone Escape is told from a function key by silence after it; curses waits that long, in ms. */
#define ESCAPE_MS 25
#define KEY_WAIT_MS 20	/* for the thread, where it has curses */
#define END_WAIT_MS 300 /* for a terminal that takes nothing, at the end */
#define ANSWER_MS 500	/* an answer of the terminal that is not whole by then is none */

#define PAIRS (1 + STYLE_MAX + 2 * SHADES)
#define COPY_MAX 4096 /* bytes of text: what terminals take */

struct screen {
	SCREEN *curses;
	bool utf8, blocks;
	attr_t attr[PAIRS];
	short pair[PAIRS];
	bool no_color;
	short background;
	int theme, ground; /* the thread's own */
	struct input input;
	struct timespec answer_ends; /* of what input has the beginning of */
	bool mouse;		     /* it is asked for */
	bool drawn;		     /* a frame; with curses_lock */
	bool talks;    /* it answers, and has a mouse and a clipboard, as terminals of windows do */
	char *written; /* to be sent with the next frame; NULL */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t curses_lock; /* curses knows no threads */
	pthread_mutex_t lock;	     /* of what follows */
	pthread_cond_t more, done;
	struct grid next, shown; /* the frame that waits; the one that is drawn, the thread's own */
	int next_theme, next_ground;
	bool waits, forget, themed, ending, ended;
};

/* Curses' numbers of pairs: one for each style, and for each shade of the two graphs. */
static short pair_of(enum style style, int shade)
{
	if (style == STYLE_UP || style == STYLE_DOWN)
		return (short)(1 + STYLE_MAX + (style == STYLE_DOWN) * SHADES + shade);
	return (short)(1 + style);
}

static attr_t marks_of(const struct look *l)
{
	return (l->mark & MARK_BOLD ? A_BOLD : 0) | (l->mark & MARK_DIM ? A_DIM : 0) |
	       (l->mark & MARK_REVERSE ? A_REVERSE : 0);
}

static void set_look(struct screen *s, enum style style, int shade, short background)
{
	int i = pair_of(style, shade);
	struct look l = theme_look(s->no_color ? THEME_NONE : s->theme, s->ground,
				   s->no_color ? 0 : COLORS, style, shade);

	s->attr[i] = marks_of(&l);
	s->pair[i] = 0;
	if (l.fg < 0 && l.bg < 0)
		return;
	if (init_pair((short)i, l.fg < 0 ? COLOR_WHITE : l.fg, l.bg < 0 ? background : l.bg) ==
	    OK) {
		s->pair[i] = (short)i;
		return;
	}
	l = theme_look(THEME_NONE, 0, 0, style, shade);
	s->attr[i] = marks_of(&l);
}

static void set_looks(struct screen *s)
{
	for (int style = 0; style < STYLE_MAX; style++)
		for (int shade = 0; shade < (style == STYLE_UP || style == STYLE_DOWN ? SHADES : 1);
		     shade++)
			set_look(s, (enum style)style, shade, s->background);
}

static void begin_colors(struct screen *s, bool no_color)
{
	s->no_color = no_color || !has_colors() || start_color() != OK;
	/* Terminals that cannot return to their own colours get white on black. */
	s->background = !s->no_color && use_default_colors() == ERR ? COLOR_BLACK : -1;
	set_looks(s);
}

static int check_terminal(struct netprobe_error *err)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		int r = error_set(err, -ENOTTY, "the live view needs a terminal, and %s is none",
				  isatty(STDOUT_FILENO) ? "standard input" : "standard output");

		error_hint(err, "use --once or -n N for plain tables");
		return r;
	}
	return 0;
}

/* TERM=dumb is known but has no way to: all would stay blank. Asked after newterm(). */
static bool can_place_text(void)
{
	const char *move_to = tigetstr("cup");

	return move_to && move_to != (const char *)-1;
}

static void draw_cell(const struct screen *s, int y, int x, const struct cell *c)
{
	wchar_t ch[2 + GRID_MARKS] = { 0 };
	cchar_t out;

	memcpy(ch, c->ch, sizeof(c->ch));
	if (setcchar(&out, ch, s->attr[pair_of(c->style, c->shade)],
		     s->pair[pair_of(c->style, c->shade)], NULL) == OK)
		(void)mvadd_wch(y, x, &out);
}

/* Both write at once, and a terminal that is stopped by now keeps whoever does. The thread's, as put_frame(). */
static void begin_terminal(void)
{
	(void)keypad(stdscr, TRUE);
	(void)curs_set(0);
}

/* The thread's, with curses its own. */
static void put_frame(struct screen *s, bool forget)
{
	const struct grid *g = &s->shown;
	int y, x;

	if (g->rows > 0 && g->cols > 0 && (g->rows != LINES || g->cols != COLS))
		(void)resizeterm(g->rows, g->cols);
	if (forget)
		(void)clearok(curscr, TRUE);
	(void)erase();
	for (y = 0; y < g->rows && y < LINES; y++) {
		for (x = 0; x < g->cols && x < COLS; x++) {
			const struct cell *c = grid_at(g, y, x);

			if (c->width)
				draw_cell(s, y, x, c);
		}
	}
	(void)refresh();
}

static void *put_frames(void *arg)
{
	struct screen *s = arg;

	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		struct grid frame;
		char *written;
		bool forget, themed;

		while (!s->waits && !s->ending)
			(void)pthread_cond_wait(&s->more, &s->lock);
		if (!s->waits)
			break;
		frame = s->next;
		s->next = s->shown;
		s->shown = frame;
		forget = s->forget;
		themed = s->themed;
		s->waits = s->forget = s->themed = false;
		s->theme = s->next_theme;
		s->ground = s->next_ground;
		written = s->written;
		s->written = NULL;
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_mutex_lock(&s->curses_lock);
		if (!s->drawn)
			begin_terminal();
		if (themed)
			set_looks(s);
		put_frame(s, forget);
		s->drawn = true;
		if (written)
			(void)!write(STDOUT_FILENO, written, strlen(written));
		free(written);
		(void)pthread_mutex_unlock(&s->curses_lock);
		(void)pthread_mutex_lock(&s->lock);
	}
	s->ended = true;
	(void)pthread_cond_signal(&s->done);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Signals are for the thread that has the loop, but for those of its own mistakes. */
static int start_thread(struct screen *s)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGQUIT };
	pthread_condattr_t attr;
	sigset_t set, was;
	int r;

	(void)pthread_mutex_init(&s->curses_lock, NULL);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->more, &attr);
	(void)pthread_cond_init(&s->done, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)sigfillset(&set);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		(void)sigdelset(&set, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &set, &was);
	r = pthread_create(&s->thread, NULL, put_frames, s);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	s->has_thread = !r;
	return -r;
}

static struct timespec from_now(int ms)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += ms * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* False: the terminal takes nothing, and the thread is left where it waits for it. */
static bool stop_thread(struct screen *s)
{
	struct timespec until = from_now(END_WAIT_MS);
	bool ended;

	if (!s->has_thread)
		return true;
	(void)pthread_mutex_lock(&s->lock);
	s->ending = true;
	(void)pthread_cond_signal(&s->more);
	while (!s->ended && !pthread_cond_timedwait(&s->done, &s->lock, &until))
		;
	ended = s->ended;
	(void)pthread_mutex_unlock(&s->lock);
	if (ended)
		(void)pthread_join(s->thread, NULL);
	return ended;
}

#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"
#define ASK_GROUND "\033]11;?\033\\"

/* Those that are windows, or in them: older ones and consoles would show what they do not know. */
static bool has_windows(const char *term)
{
	static const char *const known[] = { "xterm",	  "screen",  "tmux",   "rxvt",
					     "alacritty", "foot",    "kitty",  "st-",
					     "konsole",	  "gnome",   "vte",    "wezterm",
					     "contour",	  "ghostty", "mlterm", "iterm" };

	for (size_t i = 0; term && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(term, known[i], strlen(known[i])))
			return true;
	return false;
}

/* Behind what waits already. */
static void send_text(struct screen *s, const char *text)
{
	char *all = NULL;

	(void)pthread_mutex_lock(&s->lock);
	if (asprintf(&all, "%s%s", s->written ? s->written : "", text) >= 0) {
		free(s->written);
		s->written = all;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

void screen_mouse(struct screen *s, bool on)
{
	s->mouse = on;
	if (s->talks)
		send_text(s, on ? MOUSE_ON : MOUSE_OFF);
}

/* With the next frame: the thread may have curses for as long as the terminal takes nothing. */
void screen_theme(struct screen *s, int theme, int ground)
{
	(void)pthread_mutex_lock(&s->lock);
	s->next_theme = theme;
	s->next_ground = ground;
	s->themed = s->forget = true;
	(void)pthread_mutex_unlock(&s->lock);
}

bool screen_copy(struct screen *s, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char out[16 + COPY_MAX * 4 / 3 + 8] = "\033]52;c;", *to = out + strlen(out);
	size_t len = strlen(text);

	if (!s->talks || len > COPY_MAX)
		return false;
	for (size_t i = 0; i < len; i += 3) {
		unsigned int v = (unsigned int)(unsigned char)text[i] << 16;

		v |= i + 1 < len ? (unsigned int)(unsigned char)text[i + 1] << 8 : 0;
		v |= i + 2 < len ? (unsigned char)text[i + 2] : 0;
		for (int d = 0; d < 4; d++)
			*to++ = (size_t)d > len - i ? '=' : digits[v >> (18 - 6 * d) & 63];
	}
	(void)strcpy(to, "\033\\");
	send_text(s, out);
	return true;
}

static bool takes_output(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLHUP | POLLERR));
}

/* Those of these strings that the terminal has, and NULL. */
static void strings_of(const char *const *names, const char **ret)
{
	unsigned int n = 0;

	for (; *names; names++) {
		const char *s = tigetstr(*names);

		if (s && s != (const char *)-1)
			ret[n++] = s;
	}
	ret[n] = NULL;
}

static void arm(bool talks)
{
	static const char *const leave[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup", NULL };
	static const char *const enter[] = { "smcup", "smkx", "civis", NULL };
	const char *strings[sizeof(leave) / sizeof(leave[0]) + 1] = { MOUSE_OFF };

	strings_of(leave, strings + talks);
	rescue_arm(strings);
	strings_of(enter, strings);
	job_begin(strings);
}

struct screen *screen_open(bool no_color, struct netprobe_error *err)
{
	const char *term = getenv("TERM");
	struct screen *s;

	if (check_terminal(err) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		(void)error_set(err, -ENOMEM, "no memory for the live view");
		return NULL;
	}
	rescue_modes();
	/* newterm() because initscr() ends the program when TERM is unknown. */
	s->curses = newterm(NULL, stdout, stdin);
	if (!s->curses) {
		free(s);
		(void)error_set(err, -ENOENT, "the terminal type TERM=%s is not known here",
				term ? term : "");
		error_hint(err, "try TERM=xterm, or --once for plain tables");
		return NULL;
	}
	if (!can_place_text()) {
		delscreen(s->curses);
		free(s);
		(void)error_set(err, -ENOTTY, "the terminal type TERM=%s cannot place text",
				term ? term : "");
		error_hint(err, "try TERM=xterm, or --once for plain tables");
		return NULL;
	}
	s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* The fonts of the Linux console have a few of the block characters, not all. */
	s->blocks = s->utf8 && !(term && strncmp(term, "linux", 5) == 0);
	(void)set_escdelay(ESCAPE_MS);
	(void)cbreak();
	/* Else Ctrl-\ discards what its handler writes to give the terminal back. */
	noqiflush();
	(void)noecho();
	(void)nonl();
	(void)nodelay(stdscr, TRUE);
	(void)leaveok(stdscr, TRUE);
	begin_colors(s, no_color);
	s->talks = s->mouse = has_windows(term);
	arm(s->talks);
	if (s->talks) {
		/* who knows the answer gives it with the keys; until then, and without, 16 colours */
		if (!s->no_color)
			send_text(s, ASK_GROUND);
		send_text(s, MOUSE_ON);
	}
	if (start_thread(s)) {
		(void)error_set(err, -ENOMEM, "no thread for the live view");
		return screen_close(s);
	}
	return s;
}

/* False: the thread does not come back from a terminal that takes nothing. */
static bool take_curses(struct screen *s)
{
	struct timespec until = from_now(END_WAIT_MS);

	return !pthread_mutex_clocklock(&s->curses_lock, CLOCK_MONOTONIC, &until);
}

void screen_stop(struct screen *s)
{
	bool mine = take_curses(s);

	job_stop();
	job_retake(s->talks && s->mouse ? MOUSE_ON : "");
	if (mine)
		(void)pthread_mutex_unlock(&s->curses_lock);
	screen_forget(s);
}

void screen_retake(struct screen *s)
{
	bool mine = take_curses(s);

	job_retake(s->talks && s->mouse ? MOUSE_ON : "");
	if (mine)
		(void)pthread_mutex_unlock(&s->curses_lock);
	screen_forget(s);
}

struct screen *screen_close(struct screen *s)
{
	if (!s)
		return NULL;
	job_end();
	if (!stop_thread(s) || !takes_output()) {
		rescue_terminal();
		rescue_disarm();
		return NULL; /* with what the thread may still use */
	}
	/* leaveok() let the cursor lie anywhere; the shell's prompt belongs on the last line. */
	(void)leaveok(stdscr, FALSE);
	(void)move(LINES - 1, 0);
	(void)curs_set(1);
	if (s->talks)
		(void)!write(STDOUT_FILENO, MOUSE_OFF, strlen(MOUSE_OFF));
	(void)endwin();
	delscreen(s->curses);
	rescue_disarm();
	grid_done(&s->next);
	grid_done(&s->shown);
	free(s->written);
	free(s);
	return NULL;
}

int screen_measure(struct screen *s, struct grid *g)
{
	struct winsize ws;

	int rows = LINES, cols = COLS;

	/* curses is told with the next frame */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col) {
		rows = ws.ws_row;
		cols = ws.ws_col;
	}
	g->utf8 = s->utf8;
	g->glyphs = s->blocks ? &glyphs_utf8 : &glyphs_ascii;
	return grid_resize(g, rows, cols);
}

void screen_draw(struct screen *s, const struct grid *g)
{
	(void)pthread_mutex_lock(&s->lock);
	/* One that still waits is out of date. No memory: the old one stays on the screen. */
	if (!grid_resize(&s->next, g->rows, g->cols)) {
		memcpy(s->next.cells, g->cells,
		       (size_t)g->rows * (size_t)g->cols * sizeof(*g->cells));
		s->waits = true;
		(void)pthread_cond_signal(&s->more);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

void screen_forget(struct screen *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->forget = true;
	(void)pthread_mutex_unlock(&s->lock);
}

/* No key to be had: is the terminal still there? */
static int check_input(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int pending = 0;

	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EIO;
	/* Readable with nothing to read: end of file, for ever. */
	if (ioctl(STDIN_FILENO, FIONREAD, &pending) == 0 && pending == 0)
		return -EPIPE;
	return 0;
}

static bool is_over(const struct timespec *until)
{
	struct timespec now = from_now(0);

	return now.tv_sec != until->tv_sec ? now.tv_sec > until->tv_sec
					   : now.tv_nsec > until->tv_nsec;
}

/* The rest of an answer comes at once or never: keys are not taken for it for ever. */
static void heed_deadline(struct screen *s)
{
	if (!input_waits(&s->input))
		s->answer_ends = (struct timespec){ 0 };
	else if (!s->answer_ends.tv_sec)
		s->answer_ends = from_now(ANSWER_MS);
	else if (is_over(&s->answer_ends))
		input_drop(&s->input);
}

int screen_key(struct screen *s, struct key *ret_key)
{
	struct timespec until = from_now(KEY_WAIT_MS);
	wint_t code;
	int r;

	if (input_next(&s->input, ret_key))
		return 1;
	heed_deadline(s);
	/* While the terminal takes nothing keys wait as well; signals do not. */
	if (pthread_mutex_clocklock(&s->curses_lock, CLOCK_MONOTONIC, &until))
		return 0;
	if (!s->drawn) { /* else curses begins its screen here, and waits for the terminal to take that */
		(void)pthread_mutex_unlock(&s->curses_lock);
		(void)poll(NULL, 0, KEY_WAIT_MS);
		return 0;
	}
	do {
		r = get_wch(&code);
		if (!input_waits(&s->input))
			s->answer_ends.tv_sec = 0;
	} while (r != ERR &&
		 !input_feed(&s->input, (struct key){ .code = code, .function = r == KEY_CODE_YES },
			     ret_key));
	(void)pthread_mutex_unlock(&s->curses_lock);
	if (r != ERR || input_pause(&s->input, ret_key))
		return 1;
	heed_deadline(s);
	return check_input();
}
