/* SPDX-License-Identifier: BSD-2-Clause */
/* See latency.h. */
#include "engine/latency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FORGET_MAX 256 /* processes that are gone, an interval */

struct engine_latency {
	struct process_table *procs;
	struct latencies *all;
	struct probe_waits *waits; /* NULL: nobody asks */
	struct np_wait_loss lost;  /* by those that were closed */
	bool watched;
	uint64_t grace_ns, now_ns;
	struct np_wait_key forget[FORGET_MAX];
	unsigned int n_forget;
};

struct engine_latency *engine_latency_new(struct process_table *procs, uint64_t grace_ns)
{
	struct engine_latency *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->procs = procs;
	e->grace_ns = grace_ns;
	e->all = latencies_new(procs);
	return e->all ? e : engine_latency_free(e);
}

struct engine_latency *engine_latency_free(struct engine_latency *e)
{
	if (!e)
		return NULL;
	(void)probe_waits_close(e->waits);
	(void)latencies_free(e->all);
	free(e);
	return NULL;
}

/* Counters begin anew with each watch: what a process had is let go of when it is watched again. */
int engine_latency_watch(struct engine_latency *e, struct probe *p, bool on,
			 struct netprobe_error *err)
{
	int r = 0;

	if (on && !e->waits) {
		r = probe_waits_open(p, &e->waits, err);
		e->watched = e->watched || !r;
	} else if (!on && e->waits) {
		engine_latency_losses(e, &e->lost);
		e->waits = probe_waits_close(e->waits);
	}
	return r;
}

static void on_wait(const struct np_wait_key *key, const struct np_wait_hist *h, void *arg)
{
	struct engine_latency *e = arg;
	struct process *p = process_table_find(e->procs, &h->owner);

	/* The owner is as it was at its first wait: what is known already is newer. */
	if (!p)
		p = process_table_get(e->procs, &h->owner, e->now_ns);
	if (!p)
		return;
	if (p->exited && e->grace_ns != UINT64_MAX && e->now_ns - p->exited_ns >= e->grace_ns) {
		if (e->n_forget < FORGET_MAX)
			e->forget[e->n_forget++] = *key;
	} else {
		(void)latencies_set(e->all, p, NETPROBE_LATENCY_RX_WAIT, h->rx);
		(void)latencies_set(e->all, p, NETPROBE_LATENCY_TX_WAIT, h->tx);
	}
	process_unref(e->procs, p);
}

void engine_latency_poll(struct engine_latency *e, uint64_t now_ns, bool spliced)
{
	int r = e->waits ? probe_waits_poll(e->waits, now_ns, spliced) : 0;

	if (r < 0)
		log_debug("waits are timed in part: %s", strerror(-r));
}

void engine_latency_tick(struct engine_latency *e, uint64_t now_ns)
{
	int r;

	e->now_ns = now_ns;
	if (e->waits) {
		e->n_forget = 0;
		r = probe_waits_each(e->waits, on_wait, e);
		if (r)
			log_debug("waits could not be read: %d", r);
		for (unsigned int i = 0; i < e->n_forget; i++)
			probe_waits_forget(e->waits, &e->forget[i]);
	}
	if (e->grace_ns != UINT64_MAX)
		latencies_tick(e->all, now_ns, e->grace_ns);
}

void engine_latency_stall(struct engine_latency *e, struct process *proc, uint64_t ns)
{
	(void)latencies_add(e->all, proc, NETPROBE_LATENCY_STALL, ns / 1000);
}

struct latencies *engine_latency_all(struct engine_latency *e)
{
	return e->all;
}

void engine_latency_losses(const struct engine_latency *e, struct np_wait_loss *ret_loss)
{
	struct np_wait_loss now = {};

	if (e->waits)
		(void)probe_waits_losses(e->waits, &now);
	ret_loss->map_full = e->lost.map_full + now.map_full;
	ret_loss->unowned = e->lost.unowned + now.unowned;
	ret_loss->passed = e->lost.passed + now.passed;
	ret_loss->untimed = e->lost.untimed + now.untimed;
}

bool engine_latency_watched(const struct engine_latency *e)
{
	return e->watched;
}

const char *engine_latency_note(const struct engine_latency *e)
{
	return e->waits ? probe_waits_note(e->waits) : "";
}
