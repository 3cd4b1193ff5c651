/* SPDX-License-Identifier: BSD-2-Clause */
/* Which managers are alive: a pointer that is none, or none any more, is an error and no crash. */
#include <errno.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static struct netprobe_manager *alive;

__thread unsigned int api_listing;
static __thread struct api_call
	*calls; /* the innermost one; others read it, under the list's lock */

void api_enlist(struct netprobe_manager *m)
{
	(void)pthread_mutex_lock(&lock);
	m->next = alive;
	alive = m;
	(void)pthread_mutex_unlock(&lock);
}

void api_delist(struct netprobe_manager *m)
{
	(void)pthread_mutex_lock(&lock);
	for (struct netprobe_manager **p = &alive; *p; p = &(*p)->next) {
		if (*p != m)
			continue;
		*p = m->next;
		break;
	}
	while (m->users)
		(void)pthread_cond_wait(&left, &lock);
	(void)pthread_mutex_unlock(&lock);
}

#define DEEP 8 /* managers whose handlers wait for each other */

static bool works_for(struct api_call *const *thread, const struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_WORKERS_MAX; i++)
		if (m->workers[i] == thread)
			return true;
	return false;
}

/* Would a call of m wait for this thread, or does it already? waits: for workers too, but never for its own crew. */
static bool leads_here(const struct netprobe_manager *m, struct api_call *const *thread, bool waits,
		       int deep)
{
	struct api_call *const *of[API_WORKERS_MAX + 1] = { m->handler };
	bool found = false;

	if (waits && !works_for(thread, m))
		memcpy(of + 1, m->workers, sizeof(m->workers));
	for (unsigned int i = 0; !found && i <= API_WORKERS_MAX; i++) {
		const struct api_call *c = of[i] ? *of[i] : NULL;

		if (of[i] == thread)
			continue;
		found = of[i] == &calls ||
			(c && deep < DEEP && leads_here(c->m, of[i], c->waits, deep + 1));
	}
	return found;
}

int api_enter(struct api_call *call, struct netprobe_manager *m, bool waits)
{
	struct netprobe_manager *found;
	int r;

	(void)pthread_mutex_lock(&lock);
	for (found = alive; found && found != m; found = found->next)
		;
	r = !found ? -EBADF : leads_here(found, &calls, waits, 0) ? -EDEADLK : 0;
	if (!r) {
		found->users++;
		*call = (struct api_call){ .m = found, .waits = waits, .outer = calls };
		calls = call;
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

void api_handle(struct netprobe_manager *m, bool on)
{
	(void)pthread_mutex_lock(&lock);
	m->handler = on ? &calls : NULL;
	(void)pthread_mutex_unlock(&lock);
}

void api_work(struct netprobe_manager *m, bool on)
{
	bool done = false;

	(void)pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < API_WORKERS_MAX && !done; i++) {
		done = m->workers[i] == (on ? NULL : &calls);
		if (done)
			m->workers[i] = on ? &calls : NULL;
	}
	(void)pthread_mutex_unlock(&lock);
}

bool api_is_within(const struct netprobe_manager *m)
{
	for (const struct api_call *c = calls; c; c = c->outer)
		if (c->m == m)
			return true;
	return false;
}

void api_leave(struct api_call *call)
{
	if (!call->m)
		return;
	(void)pthread_mutex_lock(&lock);
	calls = call->outer;
	if (!--call->m->users)
		(void)pthread_cond_broadcast(&left);
	(void)pthread_mutex_unlock(&lock);
}

int api_not_entered(int r, const struct netprobe_manager *m, struct netprobe_error *err)
{
	if (r == -EDEADLK)
		return error_set(err, r,
				 "called from a handler that a handler of this manager waits for");
	return m ? error_set(err, -EBADF, "that is not a manager, or it was freed")
		 : error_set(err, -EINVAL, "no manager");
}

int api_check_listing(struct netprobe_error *err)
{
	if (!api_listing)
		return 0;
	return error_set(err, -EDEADLK,
			 "called from within a list, which holds what this needs; takes it "
			 "after the list's end");
}

int api_give(void *ret, size_t room, const void *from, size_t size)
{
	if (room < sizeof(size_t) || room > API_SIZE_MAX)
		return -EINVAL;
	memcpy((char *)ret + sizeof(size_t), (const char *)from + sizeof(size_t),
	       (room < size ? room : size) - sizeof(size_t));
	return 0;
}

int api_take(const void *from, size_t size, size_t least, void *ret, size_t room,
	     struct netprobe_error *err)
{
	if (size < least || size > API_SIZE_MAX)
		return error_set(err, -EINVAL,
				 "size: %zu is none; takes the sizeof of the structure", size);
	memset(ret, 0, room);
	memcpy(ret, from, size < room ? size : room);
	memcpy(ret, &room, sizeof(room));
	return 0;
}
