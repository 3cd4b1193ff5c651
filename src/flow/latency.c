/* SPDX-License-Identifier: BSD-2-Clause */
/* See latency.h. */
#include "flow/latency.h"

#include <stdlib.h>
#include <string.h>

#define PROCESSES_MAX NP_WAIT_PROCESSES

struct latencies {
	struct process_table *procs;
	struct index by_proc;
	uint64_t dropped;
};

static uint64_t hash_of(const struct process *proc)
{
	return index_hash(&proc, sizeof(struct process *));
}

static uint64_t node_hash(const struct index_node *node)
{
	return hash_of(index_entry(node, struct latency, node)->proc);
}

struct latencies *latencies_new(struct process_table *procs)
{
	struct latencies *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->procs = procs;
	if (index_init(&l->by_proc, 64, node_hash) < 0) {
		free(l);
		return NULL;
	}
	return l;
}

struct latencies *latencies_free(struct latencies *l)
{
	if (!l)
		return NULL;
	for (uint32_t i = 0; i <= l->by_proc.mask; i++) {
		struct index_node *n = l->by_proc.slots[i], *next;

		for (; n; n = next) {
			struct latency *e = index_entry(n, struct latency, node);

			next = n->next;
			process_unref(l->procs, e->proc);
			free(e);
		}
	}
	index_done(&l->by_proc);
	free(l);
	return NULL;
}

static struct latency *find(const struct latencies *l, const struct process *proc)
{
	struct index_node *n = index_chain(&l->by_proc, hash_of(proc));

	for (; n; n = n->next)
		if (index_entry(n, struct latency, node)->proc == proc)
			return index_entry(n, struct latency, node);
	return NULL;
}

const struct latency *latencies_find(const struct latencies *l, const struct process *proc)
{
	return l && proc ? find(l, proc) : NULL;
}

static struct latency *get(struct latencies *l, struct process *proc)
{
	struct latency *e = find(l, proc);

	if (e)
		return e;
	if (l->by_proc.count < PROCESSES_MAX)
		e = calloc(1, sizeof(*e));
	if (!e) {
		l->dropped++;
		return NULL;
	}
	e->proc = proc;
	proc->refs++;
	index_add(&l->by_proc, &e->node);
	return e;
}

bool latencies_add(struct latencies *l, struct process *proc, unsigned int what, uint64_t us)
{
	struct latency *e = get(l, proc);

	if (e)
		histogram_add(&e->h[what], us);
	return e;
}

bool latencies_set(struct latencies *l, struct process *proc, unsigned int what,
		   const __u64 n[NP_HIST_SLOTS])
{
	struct latency *e = get(l, proc);

	if (e)
		memcpy(e->h[what].n, n, sizeof(e->h[what].n));
	return e;
}

void latencies_tick(struct latencies *l, uint64_t now_ns, uint64_t grace_ns)
{
	for (uint32_t i = 0; i <= l->by_proc.mask; i++) {
		struct index_node *n = l->by_proc.slots[i], *next;

		for (; n; n = next) {
			struct latency *e = index_entry(n, struct latency, node);

			next = n->next;
			/* its group in the views, and we */
			if (!e->proc->exited || e->proc->refs > 2 ||
			    now_ns - e->proc->exited_ns < grace_ns)
				continue;
			index_remove(&l->by_proc, n);
			process_unref(l->procs, e->proc);
			free(e);
		}
	}
}

void latency_before(struct latency_before *ret, const struct flow *f)
{
	*ret = (struct latency_before){ 0 };
	if (!f || !f->tcp)
		return;
	ret->known = true;
	ret->opened_ns = f->opened_ns;
	ret->connect_us = f->connect_us;
	ret->bytes_acked = f->tcp->bytes_acked;
	ret->stall_ns = flow_rare(f)->stall_ns;
}

void latencies_flow(struct latencies *l, const struct latency_before *before,
		    const struct np_sock_rec *rec, struct process *proc)
{
	bool same = before->known && before->opened_ns == rec->opened_ns;

	if (rec->tuple.flags & NP_F_LISTEN)
		return;
	if (rec->connect_us && !(same && before->connect_us == rec->connect_us))
		(void)latencies_add(l, proc, NETPROBE_LATENCY_CONNECT, rec->connect_us);
	if (rec->stall_ns > (same ? before->stall_ns : 0))
		(void)latencies_add(l, proc, NETPROBE_LATENCY_STALL,
				    (rec->stall_ns - (same ? before->stall_ns : 0)) / 1000);
	/* Of what is older than the probe the first record proves nothing new. */
	if (!same && (rec->tuple.flags & NP_F_SEEDED))
		return;
	if (rec->tcp.srtt_us && rec->tcp.bytes_acked > (same ? before->bytes_acked : 0))
		(void)latencies_add(l, proc, NETPROBE_LATENCY_RTT, rec->tcp.srtt_us);
}

int latencies_each(const struct latencies *l, int (*fn)(const struct latency *e, void *arg),
		   void *arg)
{
	int r = 0;

	for (uint32_t i = 0; i <= l->by_proc.mask && !r; i++)
		for (struct index_node *n = l->by_proc.slots[i]; n && !r; n = n->next)
			r = fn(index_entry(n, struct latency, node), arg);
	return r;
}

uint64_t latencies_dropped(const struct latencies *l)
{
	return l->dropped;
}

const char *latency_name(unsigned int what)
{
	static const char *const names[NETPROBE_LATENCY_MAX] = { "rtt", "connect", "receive_wait",
								 "send_wait", "stall" };

	return what < NETPROBE_LATENCY_MAX ? names[what] : NULL;
}
