/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as one line of JSON. The type alone decides which keys a line has, and their order: what is not known or
 * does not apply is null. The hottest path of `events`, hence no printf, no tree and no walk over the table of
 * fields (event/types.c), which tests hold it to.
 */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>

#include "event/field.h"
#include "out/device.h"
#include "out/dns.h"
#include "out/drop.h"
#include "out/event.h"
#include "out/lb.h"
#include "out/trace.h"
#include "owner/container_name.h"

/* Keys whose values are null together: one copy instead of many. */
#define put_literal(b, s) buf_put(b, s, sizeof(s) - 1)
#define DIGITS_(n) #n
#define DIGITS(n) DIGITS_(n)

/* Three digits behind the point would make nothing of a few bytes a second: rates below 1 have six. */
static void put_num(struct buf *b, const struct event *ev)
{
	if (ev->kind != EVENT_BW || fabs(ev->num) >= 1 || ev->num == 0) {
		json_kv_double(b, "num", ev->num);
		return;
	}
	json_key(b, "num");
	buf_printf(b, "%.6g", round(ev->num * 1e6) / 1e6);
}

static void put_common(struct buf *b, const struct event *ev, const char *host)
{
	size_t len;
	const char *value = event_value(ev, &len);

	put_literal(b, "{\"schema\":" DIGITS(RECORD_SCHEMA) ",\"ts\":\"");
	buf_time_ns(b, ev->wall_ns);
	put_literal(b, "\"");
	json_kv_u64(b, "ktime_ns", ev->ktime_ns);
	json_kv_str(b, "host", host);
	json_kv_str(b, "event_type", event_type_name(ev->kind));
	json_key(b, "entity_id");
	json_strn(b, ev->entity_id[0] ? ev->entity_id : NULL, sizeof(ev->entity_id));
	json_key(b, "value");
	/* No text: not known. */
	json_strn(b, len ? value : NULL, len);
	if (len)
		put_num(b, ev);
	else
		json_kv_null(b, "num");
	json_kv_str(b, "unit", ev->unit);
	json_kv_str(b, "mode", ev->mode);
	json_kv_u64(b, "sample_rate", ev->sample_rate > 1 ? ev->sample_rate : 1);
}

void put_container_json(struct buf *b, const struct cgroup *cg)
{
	const struct container_info *info = cgroup_info(cg);

	json_key(b, "container");
	if (!cg || !cg->container_id) {
		put_literal(b, "null");
		return;
	}
	put_literal(b, "{");
	json_kv_str(b, "id", cg->container_id);
	json_kv_str(b, "name", info->name);
	json_kv_str(b, "runtime", cgroup_runtime(cg));
	json_kv_str(b, "pod", cg->pod_uid);
	json_kv_str(b, "namespace", info->pod_namespace);
	json_kv_str(b, "image", info->image);
	json_kv_str(b, "pod_name", info->pod_name);
	json_kv_str(b, "project", info->project);
	json_kv_str(b, "service", info->service);
	put_literal(b, "}");
}

static void put_cgroup(struct buf *b, const struct cgroup *cg)
{
	if (!cg) {
		put_literal(b, ",\"cgroup_id\":null,\"cgroup\":null,\"container\":null");
		return;
	}
	json_kv_u64_or_null(b, "cgroup_id", cg->id);
	json_kv_str(b, "cgroup", cg->path);
	put_container_json(b, cg);
}

static void put_cpu(struct buf *b, const struct event *ev)
{
	/* BW sums up an interval: no single task was on the CPU. */
	if (ev->kind == EVENT_BW)
		return;
	if (!ev->has_cpu) {
		put_literal(b, ",\"cpu_pid\":null,\"cpu_comm\":null");
		return;
	}
	/* 0 is the idle task, a true answer. */
	json_kv_u64(b, "cpu_pid", ev->cpu_tgid);
	json_key(b, "cpu_comm");
	json_strn(b, ev->cpu_comm, 16);
}

static void put_owner(struct buf *b, const struct event *ev)
{
	const struct process *p = event_owner(ev);

	if (p) {
		json_kv_u64(b, "pid", p->tgid);
		json_kv_u64_or_null(b, "ns_pid", p->ns_tgid);
		json_kv_u64_or_null(b, "tid", ev->tid);
		json_kv_u64_or_null(b, "ppid", p->ppid);
		json_key(b, "comm");
		json_strn(b, p->comm[0] ? p->comm : NULL, sizeof(p->comm));
		json_kv_str(b, "exe", p->exe);
		json_kv_u64(b, "uid", p->uid);
		json_kv_str(b, "owner_match", owner_match_name(ev->owner_match));
	} else {
		put_literal(b, ",\"pid\":null,\"ns_pid\":null,\"tid\":null,\"ppid\":null,"
			       "\"comm\":null,\"exe\":null,\"uid\":null");
		json_kv_str(b, "owner_match",
			    ev->has_owner_field ? owner_match_name(NP_MATCH_NONE) : NULL);
	}
	put_cpu(b, ev);
	put_cgroup(b, p ? p->cgroup : NULL);
}

/* Remote end first: an unconnected or listening socket has none, and then the local one tells. */
static const char *tuple_family(const struct np_tuple *t)
{
	static const uint8_t any[16];

	return addr_family_name(memcmp(t->raddr, any, 16) ? t->raddr : t->laddr, t->family);
}

static void put_ends(struct buf *b, const struct np_tuple *t, const char *rname)
{
	char addr[INET6_ADDRSTRLEN];

	if (!t) {
		put_literal(b, ",\"transport\":null,\"family\":null,\"laddr\":null,\"lport\":null,"
			       "\"raddr\":null,\"rport\":null,\"rname\":null");
		return;
	}
	json_kv_str(b, "transport", transport_name(t->proto));
	json_kv_str(b, "family", tuple_family(t));
	json_kv_str(b, "laddr", addr_str(t->laddr, addr));
	json_kv_u64_or_null(b, "lport", t->lport);
	json_kv_str(b, "raddr", addr_str(t->raddr, addr));
	json_kv_u64_or_null(b, "rport", t->rport);
	json_kv_str(b, "rname", rname);
}

static void put_where(struct buf *b, const struct event *ev)
{
	const struct np_tuple *t = ev->tuple;
	bool own_id = t && (t->flags & NP_F_OWNID);
	char ifname[17];

	json_kv_u64_or_null(b, "netns", t ? t->netns : 0);
	/* Sums of an interface have no ends. */
	if (ev->kind == EVENT_BW || ev->kind == EVENT_IFACE || ev->kind == EVENT_GLOBAL) {
		json_kv_str(b, "iface", event_iface(ev, ifname));
		return;
	}
	put_ends(b, t, ev->rname);
	json_kv_str(b, "iface", event_iface(ev, ifname));
	json_kv_str(b, "direction", ev->direction);
	json_kv_str(b, "state", event_state(ev));
	json_kv_u64_or_null(b, "sock", own_id ? 0 : ev->sock_id);
}

static void put_interval(struct buf *b, const struct event *ev)
{
	if (ev->interval_s > 0)
		json_kv_double(b, "interval_s", ev->interval_s);
	else
		json_kv_null(b, "interval_s");
}

static void put_bw(struct buf *b, const struct event *ev)
{
	json_kv_u64(b, "tx_bytes", ev->tx_bytes);
	json_kv_u64(b, "rx_bytes", ev->rx_bytes);
	if (ev->what) {
		put_literal(b, ",\"tx_pkts\":null,\"rx_pkts\":null");
	} else {
		json_kv_u64(b, "tx_pkts", ev->tx_pkts);
		json_kv_u64(b, "rx_pkts", ev->rx_pkts);
	}
	put_interval(b, ev);
	json_kv_double(b, "tx_mbit_per_s", ev->tx_mbit);
	json_kv_double(b, "rx_mbit_per_s", ev->rx_mbit);
	json_kv_str(b, "what", ev->what);
}

/* By the device's own counters; with guard it has no interval. */
static void put_iface(struct buf *b, const struct event *ev)
{
	const struct event_device *d = ev->device;

	json_kv_u64(b, "tx_bytes", d ? d->tx.bytes : ev->tx_bytes);
	json_kv_u64(b, "rx_bytes", d ? d->rx.bytes : ev->rx_bytes);
	json_kv_u64(b, "tx_pkts", d ? d->tx.packets : ev->tx_pkts);
	json_kv_u64(b, "rx_pkts", d ? d->rx.packets : ev->rx_pkts);
	if (d) {
		put_literal(b,
			    ",\"interval_s\":null,\"tx_mbit_per_s\":null,\"rx_mbit_per_s\":null");
	} else {
		put_interval(b, ev);
		json_kv_double(b, "tx_mbit_per_s", ev->tx_mbit);
		json_kv_double(b, "rx_mbit_per_s", ev->rx_mbit);
	}
	device_put_iface(b, d);
}

static void put_retransmit(struct buf *b, const struct event *ev)
{
	json_kv_u64(b, "segments", ev->num > 0 ? (uint64_t)ev->num : 0);
	json_kv_str(b, "cause", ev->cause);
	json_kv_u64(b, "spurious", ev->spurious);
	put_interval(b, ev);
	put_literal(b, ",\"errno\":null,\"error\":null,\"connect_ms\":null");
}

static void put_stall(struct buf *b, const struct event *ev)
{
	json_kv_str(b, "cause", ev->cause);
	json_kv_str(b, "side", ev->side);
	json_key(b, "since");
	buf_putc(b, '"');
	buf_time_ns(b, ev->since_wall_ns);
	buf_putc(b, '"');
	json_kv_bool(b, "ended", ev->ended);
	put_literal(b, ",\"reason\":null,\"location\":null,\"stack\":null,\"packets\":null,"
		       "\"suppressed\":null,\"kind\":null,\"benign\":null,\"len_bytes\":null,"
		       "\"ip_proto\":null,\"eth_proto\":null,\"vlan\":null,\"ttl\":null,"
		       "\"tcp_flags\":null,\"seq\":null,\"ack\":null,\"icmp_type\":null,"
		       "\"icmp_code\":null");
}

static void put_drop(struct buf *b, const struct event *ev)
{
	put_literal(b, ",\"cause\":null,\"side\":null,\"since\":null,\"ended\":null");
	drop_put_json(b, ev->drop, ev->tuple);
}

static void put_connect(struct buf *b, const struct event *ev)
{
	if (ev->connect_us)
		json_kv_double(b, "connect_ms", ev->connect_us / 1000.0);
	else
		json_kv_null(b, "connect_ms");
}

static void put_error(struct buf *b, const struct event *ev)
{
	json_kv_u64_or_null(b, "errno", ev->err > 0 ? (uint64_t)ev->err : 0);
	json_kv_str(b, "error", errno_name(ev->err));
}

/* error.net that is no retransmit. */
static void put_no_retransmit(struct buf *b, const struct event *ev)
{
	put_literal(b, ",\"segments\":null");
	json_kv_str(b, "cause", ev->kind == EVENT_CONN_ERROR ? ev->cause : NULL);
	put_literal(b, ",\"spurious\":null,\"interval_s\":null");
	put_error(b, ev);
	if (ev->kind == EVENT_CONN_ERROR)
		put_connect(b, ev);
	else
		put_literal(b, ",\"connect_ms\":null");
}

static void put_counts(struct buf *b, const struct event *ev)
{
	if (ev->counts) {
		json_kv_u64(b, "tx_bytes", ev->counts->tx_bytes);
		json_kv_u64(b, "rx_bytes", ev->counts->rx_bytes);
	} else {
		put_literal(b, ",\"tx_bytes\":null,\"rx_bytes\":null");
	}
	if (ev->tcp) {
		json_kv_u64(b, "rx_unseen_bytes", ev->rx_unseen);
		json_kv_u64(b, "tx_unseen_bytes", ev->tx_unseen);
	} else {
		put_literal(b, ",\"rx_unseen_bytes\":null,\"tx_unseen_bytes\":null");
	}
}

static void put_retransmits(struct buf *b, const struct event *ev)
{
	if (ev->counts)
		json_kv_u64(b, "retransmits", ev->counts->retrans);
	else
		json_kv_null(b, "retransmits");
}

static void put_tcp(struct buf *b, const struct event *ev)
{
	const struct np_tcp *tcp = ev->tcp;

	if (!tcp) {
		put_literal(b, ",\"tx_pkts\":null,\"rx_pkts\":null,\"bytes_sent\":null,"
			       "\"bytes_acked\":null,\"bytes_received\":null,"
			       "\"bytes_retrans\":null");
		put_retransmits(b, ev);
		put_literal(b, ",\"srtt_us\":null,\"min_rtt_us\":null");
		return;
	}
	json_kv_u64(b, "tx_pkts", tcp->segs_out);
	json_kv_u64(b, "rx_pkts", tcp->segs_in);
	json_kv_u64(b, "bytes_sent", tcp->bytes_sent);
	json_kv_u64(b, "bytes_acked", tcp->bytes_acked);
	json_kv_u64(b, "bytes_received", tcp->bytes_received);
	json_kv_u64(b, "bytes_retrans", tcp->bytes_retrans);
	put_retransmits(b, ev);
	json_kv_u64_or_null(b, "srtt_us", tcp->srtt_us);
	json_kv_u64_or_null(b, "min_rtt_us", tcp->min_rtt_us == UINT32_MAX ? 0 : tcp->min_rtt_us);
}

static void put_close(struct buf *b, const struct event *ev)
{
	if (ev->duration_ms >= 0)
		json_kv_double(b, "duration_ms", ev->duration_ms);
	else
		json_kv_null(b, "duration_ms");
	put_counts(b, ev);
	put_tcp(b, ev);
	put_connect(b, ev);
	json_kv_double(b, "stall_ms", ev->stall_ms);
	json_kv_str(b, "verdict", ev->verdict);
	json_kv_u64_or_null(b, "subflows", ev->subflows);
	put_error(b, ev);
}

static void put_loss(struct buf *b, const struct event *ev)
{
	static const struct loss none;
	const struct loss *all = ev->loss ? ev->loss : &none;
	const struct np_loss *l = &all->count;

	json_key(b, "program");
	json_strn(b, ev->entity_id[0] ? ev->entity_id : NULL, sizeof(ev->entity_id));
	json_kv_u64(b, "seen", loss_seen(l));
	json_kv_u64(b, "submitted", l->submitted);
	json_kv_u64(b, "ring_full", l->ring_full);
	json_kv_u64(b, "filtered", l->filtered);
	json_kv_u64(b, "sampled_out", l->sampled_out);
	json_kv_u64(b, "rate_limited", l->rate_limited);
	json_kv_u64(b, "map_full", l->map_full);
	json_kv_u64(b, "lost_tx_bytes", l->lost_tx_bytes);
	json_kv_u64(b, "lost_rx_bytes", l->lost_rx_bytes);
	json_kv_u64(b, "helper_errors", l->helper_err);
	json_kv_u64(b, "missed", all->missed);
	json_kv_u64(b, "implausible", all->implausible);
	json_kv_bool(b, "final", ev->final);
	put_interval(b, ev);
}

static void put_specific(struct buf *b, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_BW:
		put_bw(b, ev);
		break;
	case EVENT_IFACE:
		put_iface(b, ev);
		break;
	case EVENT_GLOBAL:
		device_put_global(b, ev->device);
		break;
	case EVENT_RETRANSMIT:
		put_retransmit(b, ev);
		break;
	case EVENT_STALL:
		put_stall(b, ev);
		break;
	case EVENT_DROP:
		put_drop(b, ev);
		break;
	case EVENT_DNS:
		dns_put_json(b, ev->dns);
		break;
	case EVENT_TRACE:
		trace_put_json(b, ev->trace);
		break;
	case EVENT_RESET:
	case EVENT_CONN_ERROR:
		put_no_retransmit(b, ev);
		break;
	case EVENT_CONN_FAIL:
		put_error(b, ev);
		json_kv_str(b, "cause", ev->cause);
		put_connect(b, ev);
		break;
	case EVENT_CONN_OPEN:
		put_connect(b, ev);
		break;
	case EVENT_CONN_CLOSE:
		put_close(b, ev);
		break;
	case EVENT_LB:
		lb_put_json(b, ev->lb);
		break;
	case EVENT_PROBE_LOSS:
		put_loss(b, ev);
		break;
	case EVENT_HEALTH:
	case EVENT_AGAIN:
		news_put_json(b, ev->kind, ev->news);
		break;
	default:
		if (ev->attack)
			attack_put_json(b, ev->kind, ev->attack);
	}
}

int event_write_json(struct buf *out, const struct event *ev, const char *host)
{
	size_t start = out->len;

	if (ev->kind >= EVENT_MAX)
		return -EINVAL;
	put_common(out, ev, host);
	if (event_has_place(ev)) {
		if (event_has_owner(ev))
			put_owner(out, ev);
		put_where(out, ev);
	}
	put_specific(out, ev);
	put_literal(out, "}\n");
	/* Never half a line: the caller may write what is there and go on. */
	if (out->err)
		out->len = start;
	return out->err;
}
