/* SPDX-License-Identifier: BSD-2-Clause */
/* One entry for each sampled socket: what it counted and what that was made to (see sample.h). */
#include "engine/sample.h"

#include <stdlib.h>
#include <string.h>

#include "owner/index.h"

/* Cumulative 64-bit counters of a record, then its 32-bit ones, which wrap. */
#define N_WIDE 10
#define N_NARROW (4 + NP_RTX_MAX)
#define N_ALL (N_WIDE + N_NARROW)

struct entry {
	struct index_node node;
	uint64_t sock_id, opened_ns;
	uint64_t raw[N_ALL], shown[N_ALL];
};

struct sampler {
	struct index socks;
};

static uint64_t hash_id(uint64_t sock_id)
{
	return index_hash(&sock_id, sizeof(sock_id));
}

static uint64_t entry_hash(const struct index_node *node)
{
	return hash_id(index_entry(node, struct entry, node)->sock_id);
}

struct sampler *sampler_new(void)
{
	struct sampler *s = calloc(1, sizeof(*s));

	if (s && index_init(&s->socks, 64, entry_hash)) {
		free(s);
		return NULL;
	}
	return s;
}

struct sampler *sampler_free(struct sampler *s)
{
	if (!s)
		return NULL;
	for (uint32_t i = 0; s->socks.slots && i <= s->socks.mask; i++) {
		struct index_node *node = s->socks.slots[i], *next;

		for (; node; node = next) {
			next = node->next;
			free(index_entry(node, struct entry, node));
		}
	}
	index_done(&s->socks);
	free(s);
	return NULL;
}

bool sampler_is_idle(const struct sampler *s, const struct np_sock_rec *rec)
{
	return rec->sample_rate <= 1 && !s->socks.count;
}

static void wide_fields(struct np_sock_rec *rec, uint64_t *ret_fields[N_WIDE])
{
	uint64_t *all[N_WIDE] = {
		(uint64_t *)&rec->counts.tx_bytes, (uint64_t *)&rec->counts.rx_bytes,
		(uint64_t *)&rec->counts.tx_calls, (uint64_t *)&rec->counts.rx_calls,
		(uint64_t *)&rec->counts.retrans,  (uint64_t *)&rec->tx_parts,
		(uint64_t *)&rec->rx_parts,	   (uint64_t *)&rec->tcp.rx_unseen,
		(uint64_t *)&rec->tcp.tx_unseen,   (uint64_t *)&rec->tcp.synack_retrans,
	};

	memcpy(ret_fields, all, sizeof(all));
}

static void narrow_fields(struct np_sock_rec *rec, uint32_t *ret_fields[N_NARROW])
{
	ret_fields[0] = &rec->tcp.segs_out;
	ret_fields[1] = &rec->tcp.segs_in;
	ret_fields[2] = &rec->tcp.rtx_spurious;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		ret_fields[3 + i] = &rec->tcp.rtx_cause[i];
	ret_fields[3 + NP_RTX_MAX] = &rec->tcp.listen_drops;
}

static void get(struct np_sock_rec *rec, uint64_t v[N_ALL])
{
	uint64_t *wide[N_WIDE];
	uint32_t *narrow[N_NARROW];

	wide_fields(rec, wide);
	narrow_fields(rec, narrow);
	for (unsigned int i = 0; i < N_WIDE; i++)
		v[i] = *wide[i];
	for (unsigned int i = 0; i < N_NARROW; i++)
		v[N_WIDE + i] = *narrow[i];
}

static void put(struct np_sock_rec *rec, const uint64_t v[N_ALL])
{
	uint64_t *wide[N_WIDE];
	uint32_t *narrow[N_NARROW];

	wide_fields(rec, wide);
	narrow_fields(rec, narrow);
	for (unsigned int i = 0; i < N_WIDE; i++)
		*wide[i] = v[i];
	for (unsigned int i = 0; i < N_NARROW; i++)
		*narrow[i] = (uint32_t)v[N_WIDE + i];
}

static struct entry *find(const struct sampler *s, uint64_t sock_id)
{
	struct index_node *node = index_chain(&s->socks, hash_id(sock_id));

	for (; node; node = node->next)
		if (index_entry(node, struct entry, node)->sock_id == sock_id)
			return index_entry(node, struct entry, node);
	return NULL;
}

static struct entry *add(struct sampler *s, const struct np_sock_rec *rec)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->sock_id = rec->sock_id;
	e->opened_ns = rec->opened_ns;
	index_add(&s->socks, &e->node);
	return e;
}

static int64_t step(const struct entry *e, const uint64_t raw[N_ALL], unsigned int i)
{
	return i < N_WIDE ? (int64_t)(raw[i] - e->raw[i])
			  : (int32_t)((uint32_t)raw[i] - (uint32_t)e->raw[i]);
}

/* The end and the sweep's record of a socket may come in either order. */
static bool is_late(const struct entry *e, const uint64_t raw[N_ALL])
{
	return step(e, raw, 0) < 0 || step(e, raw, 1) < 0 || step(e, raw, N_WIDE) < 0;
}

void sampler_scale(struct sampler *s, struct np_sock_rec *rec, bool known)
{
	uint64_t raw[N_ALL], shown[N_ALL], rate = rec->sample_rate ? rec->sample_rate : 1;
	struct entry *e = find(s, rec->sock_id);

	if (rate == 1 && !e)
		return;
	get(rec, raw);
	if (!e) {
		e = add(s, rec);
		if (!e)
			return;
		if (known) {
			memcpy(e->raw, raw, sizeof(raw));
			memcpy(e->shown, raw, sizeof(raw));
		}
	} else if (rec->opened_ns &&
		   e->opened_ns != rec->opened_ns) { /* another connection on it */
		memset(e->raw, 0, sizeof(e->raw));
		memset(e->shown, 0, sizeof(e->shown));
		e->opened_ns = rec->opened_ns;
	}
	for (unsigned int i = 0; i < N_ALL; i++)
		shown[i] = e->shown[i] + (uint64_t)step(e, raw, i) * rate;
	put(rec, shown);
	if (rec->tuple.flags & NP_F_DEAD) {
		index_remove(&s->socks, &e->node);
		free(e);
	} else if (!is_late(e, raw)) {
		memcpy(e->raw, raw, sizeof(raw));
		memcpy(e->shown, shown, sizeof(shown));
	}
}

void sampler_purge(struct sampler *s, bool (*is_open)(uint64_t sock_id, void *arg), void *arg)
{
	for (uint32_t i = 0; i <= s->socks.mask; i++) {
		struct index_node *node = s->socks.slots[i], *next;

		for (; node; node = next) {
			struct entry *e = index_entry(node, struct entry, node);

			next = node->next;
			if (is_open(e->sock_id, arg))
				continue;
			index_remove(&s->socks, node);
			free(e);
		}
	}
}

void sampler_scale_part(struct np_part *part, uint32_t rate)
{
	struct np_counts *c = &part->counts;

	if (rate <= 1)
		return;
	c->tx_bytes *= rate;
	c->rx_bytes *= rate;
	c->tx_calls *= rate;
	c->rx_calls *= rate;
	c->retrans *= rate;
}
