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
static __thread struct api_call *calls; /* the innermost one */

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

bool api_enter(struct api_call *call, struct netprobe_manager *m)
{
	struct netprobe_manager *found;

	(void)pthread_mutex_lock(&lock);
	for (found = alive; found && found != m; found = found->next)
		;
	if (found)
		found->users++;
	(void)pthread_mutex_unlock(&lock);
	if (!found)
		return false;
	*call = (struct api_call){ .m = found, .outer = calls };
	calls = call;
	return true;
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
	calls = call->outer;
	(void)pthread_mutex_lock(&lock);
	if (!--call->m->users)
		(void)pthread_cond_broadcast(&left);
	(void)pthread_mutex_unlock(&lock);
}

int api_no_manager(const struct netprobe_manager *m, struct netprobe_error *err)
{
	return m ? error_set(err, -EBADF, "that is no manager, or it was freed")
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
