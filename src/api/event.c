/* SPDX-License-Identifier: BSD-2-Clause */
/* From what happens to what handlers get: spelled as they asked for, with the fields they use most. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/fill.h"
#include "api/internal.h"
#include "event/field.h"
#include "out/device.h"
#include "out/dns.h"
#include "owner/process.h"

static uint32_t family_of(const struct event *ev)
{
	if (event_is_attack(ev))
		return NETPROBE_EVENT_SECURITY;
	switch (ev->kind) {
	case EVENT_PROBE_LOSS:
	case EVENT_IFACE:
	case EVENT_GLOBAL:
	case EVENT_AGAIN:
		return NETPROBE_EVENT_STATISTICS;
	case EVENT_LB:
	case EVENT_HEALTH:
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

API_PUBLIC const char *netprobe_event_type(unsigned int index)
{
	const struct record_type *t = record_type_at(index);

	return t && !t->row ? t->name : NULL;
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
		r = event_write_text(&m->text, ev, formats & NETPROBE_FORMAT_COLOR,
				     m->config.text_columns);
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

/* The same fields whichever way it came about; what they point to is in room, and in *ev. */
struct security_room {
	char source[ATTACK_SOURCE];
};

static void put_entry(const struct np_ev_guard *a, uint8_t kind, struct netprobe_security *s)
{
	s->dry_run = a->dry_run;
	s->port_from = a->dport;
	s->port_to = !a->dport && a->port_to == 0xffff ? 0 : a->port_to;
	s->reason = a->reason[0] ? a->reason : NULL;
	s->who = a->who[0] ? a->who : NULL;
	if (kind == EVENT_LIST) {
		s->entries = a->seen;
		s->replaced = a->action != 0;
		s->list = a->allow;
	}
}

static void put_finding(const struct np_ev_guard *a, struct netprobe_security *s)
{
	s->rule = attack_rule_name(a->attack);
	s->seen = a->seen;
	s->limit = a->limit;
	s->strikes = a->strikes;
	s->target_port = a->dport;
	memcpy(s->target, a->daddr, sizeof(s->target));
}

static void put_security(const struct event *ev, struct security_room *room,
			 struct netprobe_security *ret)
{
	const struct np_ev_guard *a = ev->attack;
	bool found = attack_is_found(a), lifted = a->kind == NP_GUARD_EV_LIFTED;
	double s = attack_ban_seconds(a);
	struct netprobe_security x = {
		.size = sizeof(x),
		.source = attack_source(a, room->source)[0] ? room->source : NULL,
		.iface = a->ifindex ? ev->iface : NULL,
		.by = found || lifted ? NETPROBE_BY_DETECTION : NETPROBE_BY_LIST,
		.proto = a->proto,
	};

	if (found)
		put_finding(a, &x);
	else if (!lifted)
		put_entry(a, ev->kind, &x);
	/* A ban by detection may be shorter than a second. */
	if (ev->kind == EVENT_BAN || ev->kind == EVENT_ALLOW)
		x.ttl_s = !isfinite(s) ? NETPROBE_NO_END : s < 1 ? 1 : (uint32_t)(s + 0.5);
	*ret = x;
}

void queue_session_event(const struct event *ev, void *manager)
{
	struct netprobe_manager *m = manager;
	const struct process *p = event_owner(ev);
	char entity[sizeof(ev->entity_id) + 1] = "", value[sizeof(ev->value) + 1] = "";
	char comm[32] = "";
	struct netprobe_event pub;
	struct netprobe_dns_query dns;
	struct netprobe_security security;
	struct security_room room;

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
	};
	api_container_fill(&pub.container, p ? p->cgroup : NULL);
	if (ev->kind == EVENT_DNS) {
		put_dns(ev, &dns);
		pub.dns = &dns;
	}
	if (event_is_attack(ev)) {
		put_security(ev, &room, &security);
		pub.security = &security;
	}
	if (spell(m, ev, &pub))
		queue_push(m, &pub, ev->sock_id);
	else
		m->lost++;
}

void queue_news(struct netprobe_manager *m, uint8_t kind, const char *entity, const char *value,
		bool good, const struct event_news *news)
{
	struct event ev = {
		.kind = kind,
		.wall_ns = clock_wall_ns(),
		.ktime_ns = clock_monotonic_ns(),
		.num = good,
		.unit = "count",
		.mode = "ebpf",
		.news = news,
	};

	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", entity);
	(void)snprintf(ev.value, sizeof(ev.value), "%s", value);
	queue_session_event(&ev, m);
}
