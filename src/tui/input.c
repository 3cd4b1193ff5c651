/* SPDX-License-Identifier: BSD-2-Clause */
/* See input.h. */
#include "tui/input.h"

#include <stdlib.h>
#include <string.h>

#define ESC 0x1b
#define BEL 0x07

enum {
	PLAIN,
	ESCAPE, /* ESC: a key, or the beginning of something */
	STRING, /* ESC ], ESC P, ESC _, ESC ^: up to BEL or ESC \ */
	STRING_ESC,
	CONTROL, /* ESC [: parameters, up to a letter */
};

static void begin(struct input *in, uint8_t state)
{
	in->state = state;
	in->n = 0;
	in->text[0] = '\0';
}

/* False: it is too long to be one. */
static bool add(struct input *in, wint_t c)
{
	if (in->n < INPUT_TEXT) {
		in->text[in->n] = c < 0x80 ? (char)c : '?';
		in->text[in->n + 1] = '\0';
	}
	return ++in->n < INPUT_MOST;
}

int input_ground(const char *text)
{
	static const double weight[3] = { 0.299, 0.587, 0.114 };
	double light = 0;

	if (strncmp(text, "11;rgb", 6) != 0)
		return -1;
	text += 6;
	text += *text == 'a';
	if (*text++ != ':')
		return -1;
	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(text, "0123456789abcdefABCDEF");
		char number[5] = "";

		if (digits < 1 || digits > 4)
			return -1;
		memcpy(number, text, digits);
		light += weight[i] * (double)strtoul(number, NULL, 16) /
			 (double)((1u << (4 * digits)) - 1);
		text += digits;
		if (i < 2 && *text++ != '/')
			return -1;
	}
	return *text && *text != '/' ? -1 : light > 0.5;
}

/* "<0;12;5" and M or m: SGR. */
static bool mouse(const char *text, wint_t end, struct key *ret)
{
	unsigned long v[3];
	const char *p = text;

	if (*p++ != '<' || (end != 'M' && end != 'm'))
		return false;
	for (int i = 0; i < 3; i++) {
		char *after;

		if (*p < '0' || *p > '9')
			return false;
		v[i] = strtoul(p, &after, 10);
		if (*after != (i < 2 ? ';' : '\0'))
			return false;
		p = after + 1;
	}
	if (end == 'm' || v[1] < 1 || v[2] < 1 || v[1] > 4096 || v[2] > 4096)
		return false; /* a button that is let go says nothing */
	*ret = (struct key){
		.report = REPORT_MOUSE, .code = (wint_t)v[0], .x = (int)v[1] - 1, .y = (int)v[2] - 1
	};
	return true;
}

static bool string_ends(struct input *in, struct key *ret)
{
	int light = in->n <= INPUT_TEXT ? input_ground(in->text) : -1;

	in->state = PLAIN;
	if (light < 0)
		return false;
	*ret = (struct key){ .report = REPORT_GROUND, .code = (wint_t)light };
	return true;
}

static bool after_escape(struct input *in, struct key key, struct key *ret)
{
	if (!key.function && key.code == '[') {
		begin(in, CONTROL);
		return false;
	}
	if (!key.function && key.code && wcschr(L"]P_^", (wchar_t)key.code)) {
		begin(in, STRING);
		return false;
	}
	*ret = (struct key){ .code = ESC };
	in->state = PLAIN;
	if (!key.function && key.code == ESC) {
		in->state = ESCAPE;
		return true;
	}
	in->has_next = true;
	in->next = key;
	return true;
}

bool input_feed(struct input *in, struct key key, struct key *ret)
{
	switch (in->state) {
	case ESCAPE:
		return after_escape(in, key, ret);
	case STRING:
		if (key.function)
			break;
		if (key.code == BEL)
			return string_ends(in, ret);
		if (key.code == ESC)
			in->state = STRING_ESC;
		else if (!add(in, key.code))
			in->state = PLAIN;
		return false;
	case STRING_ESC:
		if (!key.function && key.code == '\\')
			return string_ends(in, ret);
		in->state = ESCAPE; /* cut off by another one */
		return after_escape(in, key, ret);
	case CONTROL:
		if (key.function)
			break;
		if (key.code >= 0x40 && key.code <= 0x7e) {
			in->state = PLAIN;
			return in->n <= INPUT_TEXT && mouse(in->text, key.code, ret);
		}
		if (key.code < 0x20 || key.code > 0x7e || !add(in, key.code))
			break;
		return false;
	default:
		break;
	}
	in->state = PLAIN;
	if (!key.function && key.code == ESC) {
		in->state = ESCAPE;
		return false;
	}
	*ret = key;
	return true;
}

bool input_next(struct input *in, struct key *ret)
{
	if (!in->has_next)
		return false;
	in->has_next = false;
	*ret = in->next;
	return true;
}

bool input_pause(struct input *in, struct key *ret)
{
	/* Alt and a letter: of an answer more would be there */
	if (in->state == STRING && !in->n)
		in->state = PLAIN;
	if (in->state != ESCAPE)
		return false;
	in->state = PLAIN;
	*ret = (struct key){ .code = ESC };
	return true;
}

bool input_waits(const struct input *in)
{
	return in->state != PLAIN && in->state != ESCAPE;
}

void input_drop(struct input *in)
{
	in->state = PLAIN;
}
