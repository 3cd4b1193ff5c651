/* SPDX-License-Identifier: BSD-2-Clause */
/* See resolve.h. */
#include "base/thread.h"
#include "engine/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WANTED 256 /* addresses that wait; one more is asked for again when it is met again */
#define TRIED 4096 /* a power of two: places of the table of those tried */
#define AGAIN_NS 600000000000ULL

struct found {
	struct found *next;
	uint8_t addr[16];
	char name[NI_MAXHOST];
};

/* The thread's and the session's; the thread frees it. */
struct resolver {
	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t wake;
	bool stop;
	uint8_t wanted[WANTED][16];
	unsigned int n_wanted;
	struct found *found;
	struct {
		uint8_t addr[16];
		uint64_t at_ns;
	} tried[TRIED];
};

static void free_all(struct resolver *r)
{
	while (r->found) {
		struct found *f = r->found;

		r->found = f->next;
		free(f);
	}
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->wake);
	free(r);
}

static bool look_up(const uint8_t addr[16], char name[NI_MAXHOST])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	bool is_v4 = !memcmp(addr, mapped, sizeof(mapped));

	memcpy(&v4.sin_addr, addr + 12, 4);
	memcpy(&v6.sin6_addr, addr, 16);
	return !getnameinfo(is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
			    is_v4 ? sizeof(v4) : sizeof(v6), name, NI_MAXHOST, NULL, 0,
			    NI_NAMEREQD);
}

static void *run(void *arg)
{
	struct resolver *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		struct found *f;
		uint8_t addr[16];

		if (!r->n_wanted) {
			(void)pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		memcpy(addr, r->wanted[--r->n_wanted], 16);
		(void)pthread_mutex_unlock(&r->lock);
		f = calloc(1, sizeof(*f));
		if (f && !look_up(addr, f->name)) {
			free(f);
			f = NULL;
		}
		(void)pthread_mutex_lock(&r->lock);
		if (f) {
			memcpy(f->addr, addr, 16);
			f->next = r->found;
			r->found = f;
		}
	}
	(void)pthread_mutex_unlock(&r->lock);
	free_all(r);
	return NULL;
}

struct resolver *resolver_new(void)
{
	struct resolver *r = calloc(1, sizeof(*r));
	pthread_t thread;

	if (!r)
		return NULL;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->wake, NULL);
	if (thread_start(&thread, NULL, run, r)) {
		free_all(r);
		return NULL;
	}
	(void)pthread_detach(thread);
	return r;
}

struct resolver *resolver_free(struct resolver *r)
{
	if (!r)
		return NULL;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	return NULL; /* the thread frees it, once its look-up is over */
}

static unsigned int place(const uint8_t addr[16])
{
	uint32_t h = 2166136261u;

	for (unsigned int i = 0; i < 16; i++)
		h = (h ^ addr[i]) * 16777619u;
	return (h ^ h >> 16) & (TRIED - 1);
}

void resolver_want(struct resolver *r, const uint8_t addr[16], uint64_t now_ns)
{
	static const uint8_t none[16];
	unsigned int i = place(addr);

	if (!memcmp(addr, none, 16))
		return;
	(void)pthread_mutex_lock(&r->lock);
	if (r->n_wanted < WANTED && (memcmp(r->tried[i].addr, addr, 16) || !r->tried[i].at_ns ||
				     now_ns - r->tried[i].at_ns > AGAIN_NS)) {
		memcpy(r->tried[i].addr, addr, 16);
		r->tried[i].at_ns = now_ns;
		memcpy(r->wanted[r->n_wanted++], addr, 16);
		(void)pthread_cond_signal(&r->wake);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

void resolver_take(struct resolver *r,
		   void (*fn)(const uint8_t addr[16], const char *name, void *arg), void *arg)
{
	struct found *f;

	(void)pthread_mutex_lock(&r->lock);
	f = r->found;
	r->found = NULL;
	(void)pthread_mutex_unlock(&r->lock);
	while (f) {
		struct found *next = f->next;

		fn(f->addr, f->name, arg);
		free(f);
		f = next;
	}
}
