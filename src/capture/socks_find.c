/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking sockets up (see socks.h). */
#include <netinet/in.h>
#include <string.h>

#include "capture/socks_internal.h"

uint64_t socks_cookie_hash(const struct index_node *node)
{
	const struct sock *k = index_entry(node, struct sock, by_cookie);

	return index_hash(&k->rec.sock_id, sizeof(k->rec.sock_id));
}

struct tuple_key {
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport;
	uint32_t proto;
};

static uint64_t hash_of_tuple(const struct np_tuple *t)
{
	struct tuple_key k = { .lport = t->lport, .rport = t->rport, .proto = t->proto };

	memcpy(k.laddr, t->laddr, 16);
	memcpy(k.raddr, t->raddr, 16);
	return index_hash(&k, sizeof(k));
}

uint64_t socks_tuple_hash(const struct index_node *node)
{
	return hash_of_tuple(&index_entry(node, struct sock, by_tuple)->rec.tuple);
}

bool socks_same_ends(const struct np_tuple *a, const struct np_tuple *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->proto == b->proto &&
	       !memcmp(a->laddr, b->laddr, 16) && !memcmp(a->raddr, b->raddr, 16);
}

struct sock *socks_by_id(const struct socks *s, uint64_t cookie)
{
	struct index_node *n = index_chain(&s->by_cookie, index_hash(&cookie, sizeof(cookie)));

	for (; n; n = n->next) {
		struct sock *k = index_entry(n, struct sock, by_cookie);

		if (k->rec.sock_id == cookie)
			return k;
	}
	return NULL;
}

static struct sock *find_tuple(struct socks *s, const struct np_tuple *t)
{
	struct index_node *n = index_chain(&s->by_tuple, hash_of_tuple(t));
	struct sock *found = NULL;

	for (; n; n = n->next) {
		struct sock *k = index_entry(n, struct sock, by_tuple);

		if (!socks_same_ends(&k->rec.tuple, t))
			continue;
		/* The newest comes first. Datagram sockets may share a port: only the kernel knows which got it. */
		if (t->proto == IPPROTO_TCP)
			return k;
		if (found && found->rec.owner.tgid != k->rec.owner.tgid)
			return NULL;
		found = found ? found : k;
	}
	return found;
}

struct sock *socks_find(struct socks *s, const struct np_tuple *t)
{
	struct np_tuple bound = *t;
	struct sock *k = find_tuple(s, t);

	if (k || t->proto == IPPROTO_TCP)
		return k;
	bound.rport = 0;
	memset(bound.raddr, 0, sizeof(bound.raddr));
	k = find_tuple(s, &bound);
	if (k)
		return k;
	memset(bound.laddr, 0, sizeof(bound.laddr));
	return find_tuple(s, &bound);
}

struct sock *socks_between(const struct socks *s, const struct np_tuple *t, const struct sock *k)
{
	struct index_node *n = k ? k->by_tuple.next : index_chain(&s->by_tuple, hash_of_tuple(t));

	for (; n; n = n->next) {
		struct sock *o = index_entry(n, struct sock, by_tuple);

		if (socks_same_ends(&o->rec.tuple, t))
			return o;
	}
	return NULL;
}
