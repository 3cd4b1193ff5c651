/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose flow (see pair.h). */
#include "capture/pair.h"

#include <netinet/in.h>

/* A socket may be listed so long before its SYN has its time. */
#define EARLY_NS 1000000ULL

/*
 * Connections between the same ends follow each other: may this flow be that socket's? It is the one that was under way
 * when the socket was met; of a socket whose end alone was told, one before that.
 */
static bool may_be_of(const struct wire_flow *f, const struct sock *k, uint64_t flow_ns)
{
	if (flow_ns) /* a flow may be forgotten, and go on later */
		return flow_ns == f->first_ns ||
		       (!f->opened_ns && !f->over_ns && !k->ended_ns && flow_ns < f->first_ns);
	if (k->ended_ns && f->first_ns > k->ended_ns)
		return false;
	if (k->by_end)
		return f->first_ns <= k->met_ns;
	if (f->over_ns && f->over_ns <= k->met_ns)
		return false;
	return !f->opened_ns || f->first_ns <= k->met_ns + EARLY_NS;
}

static struct wire_flow *flow_between(const struct wire *w, const struct sock *k,
				      const struct np_tuple *ends, uint64_t flow_ns,
				      unsigned int *ret_end)
{
	struct wire_flow *f = wire_between(w, ends, NULL, ret_end), *best = NULL;

	for (; f; f = wire_between(w, ends, f, ret_end)) {
		const struct wire_end *end = &f->end[*ret_end];

		if (end->own_id)
			continue;
		if (end->sock_id == k->rec.sock_id)
			return f;
		if (!end->sock_id && may_be_of(f, k, flow_ns) && (!best || k->by_end))
			best = f;
	}
	return best;
}

struct wire_flow *pair_flow(const struct wire *w, const struct sock *k, unsigned int *ret_end)
{
	return flow_between(w, k, &k->rec.tuple, k->flow_ns, ret_end);
}

struct wire_flow *pair_nat(const struct wire *w, const struct sock *k, unsigned int *ret_end)
{
	return k->wire ? flow_between(w, k, k->wire, k->nat_ns, ret_end) : NULL;
}

struct sock *pair_sock(struct socks *s, const struct wire *w, const struct wire_flow *f,
		       unsigned int e, const struct np_tuple *t, uint64_t read_ns, bool *ret_wait)
{
	const struct wire_end *end = &f->end[e];
	struct sock *k;
	unsigned int at;

	*ret_wait = false;
	if (end->own_id)
		return NULL;
	if (f->proto != IPPROTO_TCP)
		return socks_find(s, t);
	if (end->sock_id)
		return socks_by_id(s, end->sock_id);
	for (k = socks_between(s, t, NULL); k; k = socks_between(s, t, k)) {
		if (!k->flow_ns && k->met_ns > read_ns)
			*ret_wait = true;
		else if (pair_flow(w, k, &at) == f || pair_nat(w, k, &at) == f)
			return k;
	}
	return NULL;
}
