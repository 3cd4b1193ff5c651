/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of the afpacket rung: each empties one ring into flows. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/afpacket_internal.h"

#define STACK_BYTES (512U << 10) /* address space may be limited (ulimit -v) */

static void note_fresh(struct reader *r, const struct packet *p)
{
	struct np_tuple *t;

	if (r->n_fresh == FRESH_MAX)
		return;
	t = &r->fresh[r->n_fresh++];
	*t = (struct np_tuple){
		.lport = p->sport, .rport = p->dport, .family = p->family, .proto = p->proto
	};
	memcpy(t->laddr, p->src, 16);
	memcpy(t->raddr, p->dst, 16);
}

static void on_packet(struct packet *p, void *arg)
{
	struct reader *r = arg;
	struct afpacket *a = r->a;
	bool parsed = !packet_parse(p), fresh = false;

	if (p->ktime_ns > r->last_ns)
		r->last_ns = p->ktime_ns;
	if (parsed)
		(void)wire_packet(&r->wire, p, &fresh);
	else
		r->unparsed++;
	if (fresh)
		note_fresh(r, p);
	if (!a->opts.fn)
		return;
	(void)pthread_mutex_lock(&a->fn_lock);
	a->opts.fn(p, parsed, a->opts.arg);
	(void)pthread_mutex_unlock(&a->fn_lock);
}

/* The ring is open: reading it takes no capability. They are each thread's own. */
static void drop_all(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};

	(void)syscall(SYS_capset, &head, none);
}

static void *run(void *arg)
{
	struct reader *r = arg;
	struct pollfd fds[2] = { { .fd = ring_fd(r->ring), .events = POLLIN },
				 { .fd = r->a->stop, .events = POLLIN } };

	(void)prctl(PR_SET_NAME, "netprobe-ring");
	drop_all();
	while (!fds[1].revents) {
		bool fresh;
		int n;

		do {
			(void)pthread_mutex_lock(&r->lock);
			fresh = r->n_fresh;
			n = ring_read(r->ring, on_packet, r);
			fresh = !fresh && r->n_fresh;
			(void)pthread_mutex_unlock(&r->lock);
			if (fresh)
				(void)eventfd_write(r->a->wake, 1);
		} while (n > 0);
		(void)poll(fds, 2, -1);
	}
	return NULL;
}

uint64_t readers_read_ns(struct afpacket *a)
{
	uint64_t handed = afpacket_clock() - afpacket_behind_ns(a), read = handed;

	for (uint32_t i = 0; i < a->n_readers; i++) {
		struct reader *r = &a->readers[i];

		(void)pthread_mutex_lock(&r->lock);
		if (r->running && ring_is_ready(r->ring) && r->last_ns < read)
			read = r->last_ns;
		(void)pthread_mutex_unlock(&r->lock);
	}
	return read;
}

bool readers_are_behind(struct afpacket *a)
{
	bool behind = false;

	for (uint32_t i = 0; i < a->n_readers && !behind; i++) {
		(void)pthread_mutex_lock(&a->readers[i].lock);
		behind = a->readers[i].running && ring_is_ready(a->readers[i].ring);
		(void)pthread_mutex_unlock(&a->readers[i].lock);
	}
	return behind;
}

/* Signals are the loop's. */
int readers_start(struct afpacket *a)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = -pthread_attr_init(&attr);

	if (r)
		return r;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (uint32_t i = 0; i < a->n_readers && !r; i++) {
		if (a->readers[i].running)
			continue; /* of a start that failed later on */
		r = -pthread_create(&a->readers[i].thread, &attr, run, &a->readers[i]);
		a->readers[i].running = !r;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	a->all_run = !r;
	return r;
}

void readers_stop(struct afpacket *a)
{
	(void)eventfd_write(a->stop, 1);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		if (a->readers[i].running)
			(void)pthread_join(a->readers[i].thread, NULL);
		a->readers[i].running = false;
	}
}
