/* SPDX-License-Identifier: BSD-2-Clause */
/* From what happens to what handlers get: queues by family, handed out in batches. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "out/dns.h"
#include "owner/process.h"

#define NS_PER_MS 1000000ull

static unsigned int index_of(uint32_t family)
{
	return (unsigned int)__builtin_ctz(family);
}

bool queue_wanted(const struct netprobe_manager *m, uint32_t family)
{
	return m->queues[index_of(family)].fn != NULL;
}

/* Copies a string to the end of a block; where it came to lie. */
static const char *keep(char **at, const char *text, size_t n)
{
	char *to = *at;

	memcpy(to, text, n);
	to[n] = '\0';
	*at += n + 1;
	return to;
}

static bool make_room(struct queue *q)
{
	size_t room = q->room ? 2 * q->room : 64;
	struct netprobe_event *more;

	if (q->n < q->room)
		return true;
	more = q->n < API_QUEUE_MAX ? reallocarray(q->events, room, sizeof(*more)) : NULL;
	if (!more)
		return false;
	q->events = more;
	q->room = room;
	return true;
}

#define TEXTS 9 /* strings of an event; the first is never NULL and begins its block */

static void texts_of(struct netprobe_event *ev, const char **ret_texts[TEXTS])
{
	const char **texts[TEXTS] = { &ev->type,  &ev->json, &ev->entity_id,
				      &ev->value, &ev->unit, &ev->comm,
				      &ev->text,  &ev->xctl, &ev->container };

	memcpy(ret_texts, texts, sizeof(texts));
}

static size_t room_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* What a copy of *d takes, strings included. */
static size_t dns_room(const struct netprobe_dns_query *d)
{
	size_t sum = sizeof(*d) + d->n_answers * sizeof(char *) + alignof(max_align_t);

	sum += room_of(d->qname) + room_of(d->qtype) + room_of(d->rcode) +
	       room_of(d->asked_by_comm);
	for (size_t i = 0; i < d->n_answers; i++)
		sum += room_of(d->answers[i]);
	return sum;
}

static const char *keep_text(char **at, const char *text)
{
	return text ? keep(at, text, strlen(text)) : NULL;
}

static const struct netprobe_dns_query *dns_keep(char *at, const struct netprobe_dns_query *from)
{
	size_t off = (uintptr_t)at % alignof(max_align_t);
	struct netprobe_dns_query *d = (void *)(at + (off ? alignof(max_align_t) - off : 0));
	const char **answers = (const char **)(d + 1);

	*d = *from;
	d->answers = answers;
	at = (char *)(answers + d->n_answers);
	d->qname = keep_text(&at, from->qname);
	d->qtype = keep_text(&at, from->qtype);
	d->rcode = keep_text(&at, from->rcode);
	d->asked_by_comm = keep_text(&at, from->asked_by_comm);
	for (size_t i = 0; i < d->n_answers; i++)
		answers[i] = keep_text(&at, from->answers[i]);
	return d;
}

/* Now, without a copy: the handler may call nothing of its manager, which is in the middle of a look. */
static void hand_over(struct netprobe_manager *m, const struct queue *q,
		      const struct netprobe_event *ev)
{
	api_listing++;
	m->delivered++;
	q->fn(ev, 1, q->arg);
	api_listing--;
}

/* All that an event points to into one block that begins with its type. */
void queue_push(struct netprobe_manager *m, const struct netprobe_event *like)
{
	struct queue *q = &m->queues[index_of(like->family)];
	struct netprobe_event ev = *like;
	const char **texts[TEXTS];
	size_t n[TEXTS], sum = 0;
	char *block, *at;

	ev.size = sizeof(ev);
	ev.container = ev.container ? ev.container : "";
	if (m->config.direct) {
		hand_over(m, q, &ev);
		return;
	}
	texts_of(&ev, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		n[i] = *texts[i] ? strlen(*texts[i]) : 0;
		sum += n[i] + 1;
	}
	if (ev.dns)
		sum += dns_room(ev.dns);
	block = make_room(q) ? malloc(sum) : NULL;
	if (!block) {
		m->lost++;
		return;
	}
	at = block;
	for (size_t i = 0; i < TEXTS; i++)
		if (*texts[i])
			*texts[i] = keep(&at, *texts[i], n[i]);
	if (ev.dns)
		ev.dns = dns_keep(at, ev.dns);
	if (!q->n)
		q->since_ns = clock_monotonic_ns();
	q->events[q->n++] = ev;
}

static uint32_t family_of(const struct event *ev)
{
	if (event_is_attack(ev))
		return NETPROBE_EVENT_SECURITY;
	switch (ev->kind) {
	case EVENT_PROBE_LOSS:
	case EVENT_IFACE:
	case EVENT_GLOBAL:
		return NETPROBE_EVENT_STATISTICS;
	case EVENT_LB:
		return NETPROBE_EVENT_BALANCING;
	case EVENT_DNS:
		return NETPROBE_EVENT_DNS;
	case EVENT_DROP:
	case EVENT_TRACE:
		return NETPROBE_EVENT_DROP;
	default:
		return NETPROBE_EVENT_FLOW;
	}
}

static bool is_detail(uint8_t kind)
{
	return kind == EVENT_CONN_OPEN || kind == EVENT_CONN_CLOSE || kind == EVENT_CONN_FAIL ||
	       kind == EVENT_STALL;
}

const char *queue_line(struct buf *b)
{
	if (!b->len)
		return NULL;
	if (b->data[b->len - 1] == '\n')
		b->len--;
	return buf_str(b);
}

/* All spellings that are asked for; false: no memory. */
static bool spell(struct netprobe_manager *m, const struct event *ev, struct netprobe_event *ret)
{
	uint32_t formats = m->config.formats;
	char name[65] = "";
	const char *host = name;
	int r = 0;

	if (m->session)
		host = session_host(m->session);
	else
		(void)gethostname(name, sizeof(name) - 1);
	buf_reset(&m->line);
	buf_reset(&m->text);
	buf_reset(&m->xctl);
	if (!(formats & NETPROBE_FORMAT_NO_JSON))
		r = event_write_json(&m->line, ev, host);
	if (!r && (formats & NETPROBE_FORMAT_TEXT) && !event_is_idle(ev))
		r = event_write_text(&m->text, ev, formats & NETPROBE_FORMAT_COLOR);
	if (!r && (formats & NETPROBE_FORMAT_XCTL))
		r = event_write_xctl(&m->xctl, ev, host);
	ret->json = queue_line(&m->line);
	ret->text = queue_line(&m->text);
	ret->xctl = queue_line(&m->xctl);
	return !r && (ret->json || formats & NETPROBE_FORMAT_NO_JSON);
}

static void put_dns(const struct event *ev, struct netprobe_dns_query *ret)
{
	const struct process *asker = ev->dns->asked_by;
	const struct event_dns *d = ev->dns;

	*ret = (struct netprobe_dns_query){
		.size = sizeof(*ret),
		.qname = d->qname ? d->qname : "",
		.qtype = d->qtype ? d->qtype : "",
		.rcode = d->rcode,
		.timed_out = d->timed_out,
		.proto = ev->tuple ? ev->tuple->proto : 0,
		.rport = ev->tuple ? ev->tuple->rport : 0,
		.retries = d->retries,
		.latency_ms = d->latency_ms,
		.asked_by_pid = asker ? asker->tgid : 0,
		.asked_by_comm = asker ? asker->comm : NULL,
		.waited_ms = asker ? d->waited_ms : -1,
		.answers = d->answers,
		.n_answers = d->n,
	};
}

void queue_session_event(const struct event *ev, void *manager)
{
	struct netprobe_manager *m = manager;
	const struct process *p = event_owner(ev);
	char entity[sizeof(ev->entity_id) + 1] = "", value[sizeof(ev->value) + 1] = "";
	char comm[32] = "";
	struct netprobe_event pub;
	struct netprobe_dns_query dns;

	if (!queue_wanted(m, family_of(ev)) ||
	    (is_detail(ev->kind) && !m->config.enable_detailed_events))
		return;
	memcpy(entity, ev->entity_id, sizeof(ev->entity_id));
	memcpy(value, ev->value, sizeof(ev->value));
	if (p)
		memcpy(comm, p->comm,
		       sizeof(p->comm) < sizeof(comm) ? sizeof(p->comm) : sizeof(comm) - 1);
	pub = (struct netprobe_event){
		.family = family_of(ev),
		.pid = p ? p->tgid : 0,
		.wall_ns = ev->wall_ns,
		.ktime_ns = ev->ktime_ns,
		.type = event_type_name(ev->kind),
		.entity_id = entity,
		.value = ev->long_value ? ev->long_value : value,
		.num = ev->num,
		.unit = ev->unit ? ev->unit : "",
		.comm = comm,
		.container = p && p->cgroup ? p->cgroup->container_id : NULL,
	};
	if (ev->kind == EVENT_DNS) {
		put_dns(ev, &dns);
		pub.dns = &dns;
	}
	if (spell(m, ev, &pub))
		queue_push(m, &pub);
	else
		m->lost++;
}

static const char *own_json(struct buf *b, const struct netprobe_event *ev, const char *host,
			    const char *more)
{
	buf_puts(b, "{\"ts\":\"");
	buf_time_ns(b, ev->wall_ns);
	buf_puts(b, "\"");
	json_kv_u64(b, "ktime_ns", ev->ktime_ns);
	json_kv_str(b, "host", host);
	json_kv_str(b, "event_type", ev->type);
	json_kv_str(b, "entity_id", ev->entity_id);
	json_kv_str(b, "value", ev->value);
	json_kv_double(b, "num", ev->num);
	json_kv_str(b, "unit", ev->unit);
	json_kv_str(b, "mode", "ebpf");
	if (more)
		buf_puts(b, more);
	buf_putc(b, '}');
	return buf_str(b);
}

void queue_own_event(struct netprobe_manager *m, uint32_t family, const char *type,
		     const char *entity, const char *value, double num, const char *unit,
		     const char *json, const char *words)
{
	struct netprobe_event pub = { .family = family,
				      .wall_ns = clock_wall_ns(),
				      .ktime_ns = clock_monotonic_ns(),
				      .type = type,
				      .entity_id = entity,
				      .value = value,
				      .num = num,
				      .unit = unit,
				      .comm = "" };
	uint32_t formats = m->config.formats;
	char host[65] = "";

	if (!queue_wanted(m, family))
		return;
	(void)gethostname(host, sizeof(host) - 1);
	buf_reset(&m->line);
	buf_reset(&m->text);
	buf_reset(&m->xctl);
	if (!(formats & NETPROBE_FORMAT_NO_JSON))
		pub.json = own_json(&m->line, &pub, host, json);
	if (formats & NETPROBE_FORMAT_TEXT) {
		buf_time_ns(&m->text, pub.wall_ns);
		buf_printf(&m->text, " %s %s", type, words);
		pub.text = buf_str(&m->text);
	}
	if ((formats & NETPROBE_FORMAT_XCTL) &&
	    !event_write_xctl_plain(&m->xctl, pub.wall_ns, type, entity, value, host))
		pub.xctl = queue_line(&m->xctl);
	if (pub.json || formats & NETPROBE_FORMAT_NO_JSON)
		queue_push(m, &pub);
	else
		m->lost++;
}

static void free_events(struct netprobe_event *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)events[i].type);
	free(events);
}

/* The queue is emptied first: its handler may fill it again, or change it. */
static size_t hand_out(struct netprobe_manager *m, struct queue *q)
{
	struct netprobe_event *events = q->events;
	netprobe_event_fn fn = q->fn;
	void *arg = q->arg;
	size_t n = q->n, step;

	q->events = NULL;
	q->n = q->room = 0;
	m->handling = true;
	for (size_t at = 0; fn && at < n; at += step) {
		step = n - at < m->config.batch_size ? n - at : m->config.batch_size;
		m->delivered += step;
		fn(events + at, step, arg);
	}
	m->handling = false;
	free_events(events, n);
	return fn ? n : 0;
}

size_t queue_flush(struct netprobe_manager *m, bool all)
{
	uint64_t now = clock_monotonic_ns();
	size_t n = 0;

	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		struct queue *q = &m->queues[i];
		bool old = now - q->since_ns >= m->config.batch_timeout * NS_PER_MS;

		if (q->n && (all || old || q->n >= m->config.batch_size))
			n += hand_out(m, q);
	}
	return n;
}

uint64_t queue_due_ns(const struct netprobe_manager *m)
{
	uint64_t due = UINT64_MAX;

	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		const struct queue *q = &m->queues[i];
		uint64_t at = q->since_ns + m->config.batch_timeout * NS_PER_MS;

		if (q->n && at < due)
			due = at;
	}
	return due;
}

void queue_done(struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		free_events(m->queues[i].events, m->queues[i].n);
		m->queues[i] = (struct queue){};
	}
}
