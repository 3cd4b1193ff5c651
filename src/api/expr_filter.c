/* SPDX-License-Identifier: BSD-2-Clause */
/* See expr_filter.h. */
#include "api/expr_filter.h"

#include <stdlib.h>
#include <string.h>

#include "wire/config.h"

/*
 * The remote end and what a socket is from its first call on. Not its own end: while it connects it has no port yet, and a
 * filter for one would leave its first segments out.
 */
static const struct {
	const char *field;
	uint32_t key;
} keys[] = {
	{ "rport", NETPROBE_FILTER_DST_PORT },	{ "dst-port", NETPROBE_FILTER_DST_PORT },
	{ "raddr", NETPROBE_FILTER_DST_HOST },	{ "dst-host", NETPROBE_FILTER_DST_HOST },
	{ "transport", NETPROBE_FILTER_PROTO }, { "proto", NETPROBE_FILTER_PROTO },
	{ "family", NETPROBE_FILTER_FAMILY },
};

struct filters {
	struct netprobe_filter *list;
	unsigned int n;
};

/* Not the live view: its rows have figures of all sockets of their process. */
static bool is_of_sockets(uint32_t about)
{
	return about == NETPROBE_ABOUT_FLOW || about == NETPROBE_ABOUT_EVENT;
}

static uint32_t key_of(const char *field)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].field, field))
			return keys[i].key;
	return 0;
}

static bool has_key(const struct filters *f, uint32_t key)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (f->list[i].key == key)
			return true;
	return false;
}

static bool add(struct filters *f, uint32_t key, const char *value)
{
	struct netprobe_filter *more = reallocarray(f->list, f->n + 1, sizeof(*more));
	/* a connection of several paths is TCP to the filters */
	const char *same = key == NETPROBE_FILTER_PROTO && !strcmp(value, "mptcp") ? "tcp" : value;
	struct netprobe_filter one = { .key = key, .value = more ? strdup(same) : NULL };

	if (more)
		f->list = more;
	if (!one.value || netprobe_check_filter(&one, NULL)) {
		free((char *)one.value);
		return false;
	}
	f->list[f->n++] = one;
	return true;
}

static void cut(struct filters *f, unsigned int n)
{
	while (f->n > n)
		free((char *)f->list[--f->n].value);
}

/* One comparison with all its alternatives, or nothing. A second one of the same field would be an alternative more. */
static int on_term(const struct expr_term *t, void *arg)
{
	struct filters *f = arg;
	uint32_t key = key_of(t->field->name);
	unsigned int before = f->n;
	char *copy, *rest, *one;
	bool ok = true;

	if (!key || t->contains || has_key(f, key))
		return 0;
	copy = rest = strdup(t->text);
	ok = copy;
	while (ok && (one = strsep(&rest, ",")))
		ok = f->n - before < NP_FILTER_SLOTS && add(f, key, one);
	free(copy);
	if (!ok)
		cut(f, before);
	return 0;
}

static bool is_tcp_alone(const struct filters *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (f->list[i].key == NETPROBE_FILTER_PROTO && strcmp(f->list[i].value, "tcp") != 0)
			return false;
	return has_key(f, NETPROBE_FILTER_PROTO);
}

/*
 * The ends and the family of a datagram socket are those of its present peer, or of none; a row, a last record or an
 * error of it may name another.
 */
static void keep_protocols(struct filters *f)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n; i++) {
		if (f->list[i].key == NETPROBE_FILTER_PROTO)
			f->list[n++] = f->list[i];
		else
			free((char *)f->list[i].value);
	}
	f->n = n;
}

unsigned int expr_filters(const struct expr *x, uint32_t about, struct netprobe_filter **ret)
{
	struct filters f = {};

	if (is_of_sockets(about))
		(void)expr_each_term(x, on_term, &f);
	if (!is_tcp_alone(&f))
		keep_protocols(&f);
	*ret = f.list;
	return f.n;
}

void expr_filters_free(struct netprobe_filter *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free((char *)list[i].value);
	free(list);
}
