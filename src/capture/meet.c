/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who opened a flow is asked at its first packet: connections and processes that live a few
 * milliseconds are gone at the next listing. Each new end is asked for a few times, ever less often;
 * an accepted connection has no owner before accept().
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "capture/afpacket_internal.h"

#define FIRST_WAIT_NS 1000000ULL
#define TRIES 8

static bool is_pending(const struct afpacket *a, const struct np_tuple *t)
{
	for (uint32_t i = 0; i < a->n_pending; i++) {
		const struct np_tuple *o = &a->pending[i].tuple;

		if (o->lport == t->lport && o->rport == t->rport && o->proto == t->proto &&
		    !memcmp(o->laddr, t->laddr, 16) && !memcmp(o->raddr, t->raddr, 16))
			return true;
	}
	return false;
}

/*
 * begins: with a SYN, so a connection that is there is an earlier one. gets: the packet comes to this end, its connection is
 * tracked when it has passed the input.
 */
static void want(struct afpacket *a, const struct np_tuple *t, bool begins, bool gets)
{
	const struct sock *k;

	if (t->proto != IPPROTO_TCP && t->proto != IPPROTO_UDP && t->proto != IPPROTO_UDPLITE)
		return;
	if (!links_is_local(a->links, t->laddr) || a->n_pending == PENDING_MAX || is_pending(a, t))
		return;
	k = socks_find(a->socks, t);
	if (k && k->rec.owner.tgid && !(begins && (k->established || k->ended_ns)))
		return;
	a->pending[a->n_pending++] = (struct pending){ .tuple = *t, .gets = gets };
}

static void want_both(struct afpacket *a, const struct np_tuple *t, bool begins)
{
	struct np_tuple other = *t;

	want(a, t, begins, false);
	memcpy(other.laddr, t->raddr, 16);
	memcpy(other.raddr, t->laddr, 16);
	other.lport = t->rport;
	other.rport = t->lport;
	want(a, &other, begins, true);
}

void meet_herald(struct afpacket *a)
{
	uint8_t buf[RING_SNAP];
	struct packet p;

	while (herald_read(a->herald, buf, &p)) {
		struct np_tuple t = {
			.lport = p.sport, .rport = p.dport, .family = p.family, .proto = p.proto
		};

		memcpy(t.laddr, p.src, 16);
		memcpy(t.raddr, p.dst, 16);
		want_both(a, &t, p.proto == IPPROTO_TCP);
	}
}

void meet_fresh(struct afpacket *a)
{
	eventfd_t v;

	(void)eventfd_read(a->wake, &v);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		struct reader *r = &a->readers[i];
		uint32_t n;

		(void)pthread_mutex_lock(&r->lock);
		n = r->n_fresh;
		memcpy(a->fresh, r->fresh, n * sizeof(a->fresh[0]));
		r->n_fresh = 0;
		(void)pthread_mutex_unlock(&r->lock);
		for (uint32_t k = 0; k < n; k++)
			want_both(a, &a->fresh[k], false);
	}
}

/* Connection tracking is asked about an end once: most of those without a socket are strangers'. */
static struct sock *meet(struct afpacket *a, struct pending *p)
{
	struct sock *k = socks_meet(a->socks, &p->tuple);
	enum nat_answer r;

	if (k || p->met || p->asked || p->tries < p->gets)
		return k;
	r = nat_to_socket(a->nat, &p->tuple, a->now_ns);
	p->asked = r != NAT_LATER;
	return r == NAT_OTHER ? socks_meet(a->socks, &p->tuple) : NULL;
}

/* Ask for the socket. True: there is nothing more to find out. */
static bool ask(struct afpacket *a, struct pending *p)
{
	struct sock *k = meet(a, p);

	if (!k && p->met)
		return true; /* it has ended */
	p->met = k != NULL;
	p->next_ns = a->now_ns + (FIRST_WAIT_NS << p->tries);
	if (k)
		socks_set_owner(a->socks, k);
	return (k && k->rec.owner.tgid) || ++p->tries > TRIES;
}

static void set_timer(struct afpacket *a)
{
	struct itimerspec its = { .it_value = { 0, 0 } };
	uint64_t next = 0;

	for (uint32_t i = 0; i < a->n_pending; i++)
		if (!next || a->pending[i].next_ns < next)
			next = a->pending[i].next_ns;
	if (next) {
		uint64_t wait = next > a->now_ns ? next - a->now_ns : 0;

		wait = wait < FIRST_WAIT_NS ? FIRST_WAIT_NS : wait;
		its.it_value.tv_sec = (time_t)(wait / 1000000000ULL);
		its.it_value.tv_nsec = (long)(wait % 1000000000ULL);
	}
	(void)timerfd_settime(a->timer, 0, &its, NULL);
}

void meet_pending(struct afpacket *a)
{
	uint32_t kept = 0, due = 0;
	uint64_t expired;

	(void)!read(a->timer, &expired, sizeof(expired));
	if (!a->n_pending)
		return;
	a->now_ns = afpacket_clock();
	for (uint32_t i = 0; i < a->n_pending; i++) {
		struct pending *p = &a->pending[i];
		bool now = p->next_ns <= a->now_ns;

		due += now;
		if (!now || !ask(a, p))
			a->pending[kept++] = *p;
	}
	a->n_pending = kept;
	if (due && socks_look(a->socks)) {
		kept = 0;
		for (uint32_t i = 0; i < a->n_pending; i++) {
			struct sock *k = socks_find(a->socks, &a->pending[i].tuple);

			if (k)
				socks_set_owner(a->socks, k);
			if (!k || !k->rec.owner.tgid)
				a->pending[kept++] = a->pending[i];
		}
		a->n_pending = kept;
	}
	set_timer(a);
}
