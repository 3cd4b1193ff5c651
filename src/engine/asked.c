/* SPDX-License-Identifier: BSD-2-Clause */
/* See asked.h. */
#include "engine/asked.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "owner/libc.h"

#define CALLS 1024
#define LOOK_AGAIN_NS 5000000000ULL /* between two looks for new containers */

struct asked {
	struct probe_asked *probe;
	struct libc_finder *finder;
	unsigned int libraries;
	uint64_t looked_ns;
	unsigned int next; /* call to be written next */
	struct asked_call calls[CALLS];
};

static void on_library(const char *path, const char *name, void *arg)
{
	struct asked *a = arg;
	int r = probe_asked_attach(a->probe, path);

	if (r > 0)
		a->libraries++;
	else
		log_info("%s: not probed for who asks for names: %s", name,
			 r ? strerror(-r) : "none of the functions is there");
}

int asked_open(struct probe *probe, struct asked **ret_asked, struct netprobe_error *err)
{
	struct asked *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	a->finder = libc_finder_new("/proc");
	if (!a->finder)
		r = error_set(err, -ENOMEM, "out of memory");
	else
		r = probe_asked_open(probe, &a->probe, err);
	if (!r) {
		r = libc_find(a->finder, on_library, a);
		if (r < 0 || !a->libraries)
			r = error_set(
				err, r < 0 ? r : -ENOENT,
				"who asked a resolver is not told: no C library could be probed");
		else
			r = 0;
	}
	if (r) {
		(void)asked_close(a);
		return r;
	}
	*ret_asked = a;
	return 0;
}

struct asked *asked_close(struct asked *a)
{
	if (!a)
		return NULL;
	(void)probe_asked_close(a->probe);
	(void)libc_finder_free(a->finder);
	free(a);
	return NULL;
}

static void copy_name(char to[NP_ASKED_NAME], const char *name)
{
	size_t n = strnlen(name, NP_ASKED_NAME - 1);

	if (n > 1 && name[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)tolower((unsigned char)name[i]);
	to[n] = '\0';
}

static void on_call(const struct np_ev_asked *ev, void *arg)
{
	struct asked *a = arg;
	struct asked_call *c;

	if (ev->end_ns) {
		for (unsigned int i = 0; i < CALLS; i++) {
			c = &a->calls[i];
			if (c->begin_ns == ev->begin_ns && c->owner.tid == ev->owner.tid) {
				c->end_ns = ev->end_ns;
				return;
			}
		}
	}
	c = &a->calls[a->next++ % CALLS];
	c->begin_ns = ev->begin_ns;
	c->end_ns = ev->end_ns;
	c->owner = ev->owner;
	copy_name(c->name, ev->name);
}

int asked_poll(struct asked *a, uint64_t now_ns)
{
	int r = probe_asked_poll(a->probe, on_call, a);

	if (now_ns - a->looked_ns >= LOOK_AGAIN_NS) {
		if (a->looked_ns)
			(void)libc_find(a->finder, on_library, a);
		a->looked_ns = now_ns;
	}
	return r < 0 ? r : 0;
}

/* "www" is asked as "www.example.org" where the search list says so. */
static bool is_about(const struct asked_call *c, const char *qname)
{
	size_t n = strlen(c->name);

	return n && !strncmp(c->name, qname, n) && (!qname[n] || qname[n] == '.');
}

const struct asked_call *asked_find(const struct asked *a, const char *qname, uint64_t at_ns,
				    const struct np_owner *sender)
{
	const struct asked_call *best = NULL;

	for (unsigned int i = 0; i < CALLS; i++) {
		const struct asked_call *c = &a->calls[i];

		if (!c->begin_ns || c->begin_ns > at_ns || (c->end_ns && c->end_ns < at_ns) ||
		    c->owner.tgid == sender->tgid || !is_about(c, qname))
			continue;
		/* Of several that wait, the one that asked last: the others' query came earlier. */
		if (!best || c->begin_ns > best->begin_ns)
			best = c;
	}
	return best;
}

int asked_losses(const struct asked *a, struct np_asked_loss *ret_loss)
{
	return probe_asked_losses(a->probe, ret_loss);
}

unsigned int asked_libraries(const struct asked *a)
{
	return a->libraries;
}
