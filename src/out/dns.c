/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS transactions in JSON and text (see dns.h). */
#include "out/dns.h"

#include <string.h>

#include "base/utf8.h"
#include "out/event.h"

static void put_list(struct buf *b, const struct event_dns *d)
{
	json_key(b, "answers");
	if (!d->rcode) {
		buf_puts(b, "null,\"ttls_s\":null");
		return;
	}
	buf_putc(b, '[');
	for (unsigned int i = 0; i < d->n; i++) {
		if (i)
			buf_putc(b, ',');
		json_str(b, d->answers[i]);
	}
	buf_putc(b, ']');
	json_key(b, "ttls_s");
	buf_putc(b, '[');
	for (unsigned int i = 0; i < d->n; i++) {
		if (i)
			buf_putc(b, ',');
		buf_u64(b, d->ttls[i]);
	}
	buf_putc(b, ']');
}

static void put_ms(struct buf *b, const char *key, double ms)
{
	if (ms >= 0)
		json_kv_double(b, key, ms);
	else
		json_kv_null(b, key);
}

static void put_asked_by(struct buf *b, const struct event_dns *d)
{
	const struct process *p = d->asked_by;

	json_key(b, "asked_by");
	if (!p) {
		buf_puts(b, "null");
		return;
	}
	buf_putc(b, '{');
	json_kv_u64(b, "pid", p->tgid);
	json_kv_u64_or_null(b, "ns_pid", p->ns_tgid);
	json_key(b, "comm");
	json_strn(b, p->comm[0] ? p->comm : NULL, sizeof(p->comm));
	json_kv_str(b, "exe", p->exe);
	put_container_json(b, p->cgroup);
	put_ms(b, "waited_ms", d->waited_ms);
	buf_putc(b, '}');
}

static void put_flag(struct buf *b, const char *key, const struct event_dns *d, bool v)
{
	if (d->rcode)
		json_kv_bool(b, key, v);
	else
		json_kv_null(b, key);
}

void dns_put_json(struct buf *b, const struct event_dns *d)
{
	json_kv_str(b, "qname", d->qname);
	json_kv_str(b, "qtype", d->qtype);
	json_kv_u64(b, "id", d->id);
	json_kv_str(b, "rcode", d->rcode);
	put_list(b, d);
	if (d->rcode)
		json_kv_u64(b, "answer_count", d->n_answers);
	else
		json_kv_null(b, "answer_count");
	put_ms(b, "latency_ms", d->latency_ms);
	json_kv_u64(b, "retries", d->retries);
	json_kv_bool(b, "timeout", d->timed_out);
	put_flag(b, "truncated", d, d->truncated);
	put_flag(b, "authoritative", d, d->authoritative);
	put_flag(b, "answer_malformed", d, d->malformed);
	put_asked_by(b, d);
}

void dns_put_text(struct buf *b, const struct event_dns *d)
{
	buf_printf(b, "%s ", d->qtype);
	if (d->timed_out)
		buf_puts(b, "TIMEOUT ");
	else
		buf_printf(b, "%s ", d->rcode);
	if (d->latency_ms >= 0)
		buf_printf(b, "%.1f ms ", d->latency_ms);
	if (d->retries)
		buf_printf(b, "retries %u ", d->retries);
	for (unsigned int i = 0; i < d->n; i++) {
		(void)utf8_put_printable(b, d->answers[i], strlen(d->answers[i]), 0);
		buf_putc(b, ' ');
	}
	if (d->n_answers > d->n)
		buf_printf(b, "and %u more ", d->n_answers - d->n);
	if (d->asked_by) {
		buf_puts(b, "asked by ");
		(void)utf8_put_field(b, d->asked_by->comm,
				     strnlen(d->asked_by->comm, sizeof(d->asked_by->comm)));
		buf_printf(b, "[%u] ", d->asked_by->tgid);
		if (d->waited_ms >= 0)
			buf_printf(b, "which waited %.1f ms ", d->waited_ms);
	}
}
