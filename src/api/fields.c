/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of rows and sockets for expressions, by the names that their columns have. What is 0 or empty for unknown in
 * the library's structures is null here.
 */
#include "api/fields.h"

#include <string.h>

#include "api/internal.h"
#include "api/json_find.h"
#include "base/buf.h"
#include "flow/verdict.h"
#include "out/words.h"

#define BIT(about) (1u << (about))
#define FLOW (BIT(NETPROBE_VIEW_CONNECTION) | BIT(NETPROBE_VIEW_LISTEN) | BIT(NETPROBE_ABOUT_FLOW))
#define ROWS (BIT(NETPROBE_VIEW_MAX) - 1)
#define PROCESS BIT(NETPROBE_VIEW_PROCESS)
#define REMOTE BIT(NETPROBE_VIEW_REMOTE)
#define CONTAINER BIT(NETPROBE_VIEW_CONTAINER)
#define INTERFACE BIT(NETPROBE_VIEW_INTERFACE)
#define PLACED (FLOW | PROCESS | CONTAINER)

enum {
	GROUP,
	RNAME,
	PID,
	TID,
	PPID,
	NS_PID,
	COMM,
	EXE,
	UID,
	OWNER_MATCH,
	LAST_PID,
	LAST_COMM,
	CGROUP_ID,
	CGROUP,
	CONTAINER_ID,
	CONTAINER_NAME,
	RUNTIME,
	POD,
	POD_NAMESPACE,
	IMAGE,
	POD_NAME,
	PROJECT,
	SERVICE,
	CONTAINER_ANY,
	NETNS,
	TRANSPORT,
	FAMILY,
	LADDR,
	LPORT,
	RADDR,
	RPORT,
	ADDR,
	PORT,
	IFACE,
	STATE,
	SOCK,
	TX_BYTES,
	RX_BYTES,
	BYTES,
	TX_RATE,
	RX_RATE,
	RATE,
	RX_UNSEEN,
	TX_UNSEEN,
	TX_PKTS,
	RX_PKTS,
	CONNECTIONS,
	SRTT,
	MIN_RTT,
	RETRANSMITS,
	RETR_TIMEOUT,
	RETR_FAST,
	RETR_TLP,
	RETR_SYNACK,
	RETR_SPURIOUS,
	STALL,
	DROPS,
	VERDICT,
	ACKED,
	RECEIVED,
	RESENT,
	CONNECT,
	DURATION,
	ERROR,
	CLOSED,
	EXITED,
	SUBFLOWS,
	WHAT,
	LINK_STATE,
	LINK_SPEED,
	LINK_DUPLEX,
	LINK_TX_BYTES,
	LINK_RX_BYTES,
	LINK_TX_PACKETS,
	LINK_RX_PACKETS,
	LINK_TX_ERRORS,
	LINK_RX_ERRORS,
	LINK_TX_DROPPED,
	LINK_RX_DROPPED,
	LINK_TX_RATE,
	LINK_RX_RATE,
	LINK_TX_PACKET_RATE,
	LINK_RX_PACKET_RATE,
	LINK_TX_OWNED,
	LINK_RX_OWNED,
	LATENCY
};

static const char *const transports[] = { "tcp", "udp", "icmp", "mptcp", NULL };
static const char *const families[] = { "ipv4", "ipv6", NULL };
static const char *const matches[] = { "exact", "listener", "procfs", "none", NULL };
static const char *const whats[] = { "unowned", "forwarded", NULL };
static const char *const link_states[] = { "up", "down", "off", NULL };
static const char *const duplexes[] = { "half", "full", NULL };

#define NAMES(name, id, kinds, names)                            \
	{                                                        \
		name, EXPR_TEXT, EXPR_PLAIN, 0, id, kinds, names \
	}
#define TEXT(name, id, kinds)                                            \
	{                                                                \
		name, EXPR_TEXT, EXPR_PLAIN, EXPR_SHOWN, id, kinds, NULL \
	}
#define NUMBER(name, id, kinds, unit)                       \
	{                                                   \
		name, EXPR_NUMBER, unit, 0, id, kinds, NULL \
	}
#define ALSO(name, type, unit, id, kinds)                     \
	{                                                     \
		name, type, unit, EXPR_ALIAS, id, kinds, NULL \
	}
#define SLOT(which, high) (uint16_t)(LATENCY + 2 * (which) + (high))
#define QUANTILES(name, which)                                           \
	NUMBER(name "_p50_us", SLOT(which, 0), PROCESS | FLOW, EXPR_US), \
		NUMBER(name "_p99_us", SLOT(which, 1), PROCESS | FLOW, EXPR_US)

static const struct expr_field fields[] = {
	TEXT("group", GROUP, ROWS),
	ALSO("name", EXPR_TEXT, EXPR_PLAIN, GROUP, ROWS),
	TEXT("rname", RNAME, FLOW | REMOTE),
	{ "pid", EXPR_NUMBER, EXPR_PLAIN, EXPR_SHOWN, PID, FLOW | PROCESS, NULL },
	NUMBER("tid", TID, FLOW, EXPR_PLAIN),
	NUMBER("ppid", PPID, FLOW, EXPR_PLAIN),
	NUMBER("ns_pid", NS_PID, FLOW, EXPR_PLAIN),
	TEXT("comm", COMM, FLOW | PROCESS),
	TEXT("exe", EXE, FLOW),
	NUMBER("uid", UID, FLOW, EXPR_PLAIN),
	NAMES("owner_match", OWNER_MATCH, FLOW, matches),
	NUMBER("last_pid", LAST_PID, FLOW, EXPR_PLAIN),
	{ "last_comm", EXPR_TEXT, EXPR_PLAIN, 0, LAST_COMM, FLOW, NULL },
	NUMBER("cgroup_id", CGROUP_ID, FLOW, EXPR_PLAIN),
	TEXT("cgroup", CGROUP, PLACED),
	TEXT("container.id", CONTAINER_ID, PLACED),
	TEXT("container.name", CONTAINER_NAME, PLACED),
	TEXT("container.runtime", RUNTIME, PLACED),
	TEXT("container.pod", POD, PLACED),
	TEXT("container.namespace", POD_NAMESPACE, PLACED),
	TEXT("container.image", IMAGE, PLACED),
	TEXT("container.pod_name", POD_NAME, PLACED),
	TEXT("container.project", PROJECT, PLACED),
	TEXT("container.service", SERVICE, PLACED),
	ALSO("container", EXPR_TEXT, EXPR_PLAIN, CONTAINER_ANY, PLACED),
	NUMBER("netns", NETNS, FLOW | INTERFACE, EXPR_PLAIN),
	NAMES("transport", TRANSPORT, FLOW, transports),
	{ "proto", EXPR_TEXT, EXPR_PLAIN, EXPR_ALIAS, TRANSPORT, FLOW, transports },
	NAMES("family", FAMILY, FLOW, families),
	{ "laddr", EXPR_ADDR, EXPR_PLAIN, EXPR_SHOWN, LADDR, FLOW, NULL },
	{ "lport", EXPR_PORT, EXPR_PLAIN, EXPR_SHOWN, LPORT, FLOW, NULL },
	{ "raddr", EXPR_ADDR, EXPR_PLAIN, EXPR_SHOWN, RADDR, FLOW | REMOTE, NULL },
	{ "rport", EXPR_PORT, EXPR_PLAIN, EXPR_SHOWN, RPORT, FLOW, NULL },
	ALSO("addr", EXPR_ADDR, EXPR_PLAIN, ADDR, FLOW | REMOTE),
	ALSO("port", EXPR_PORT, EXPR_PLAIN, PORT, FLOW),
	ALSO("src-host", EXPR_ADDR, EXPR_PLAIN, LADDR, FLOW),
	ALSO("dst-host", EXPR_ADDR, EXPR_PLAIN, RADDR, FLOW | REMOTE),
	ALSO("src-port", EXPR_PORT, EXPR_PLAIN, LPORT, FLOW),
	ALSO("dst-port", EXPR_PORT, EXPR_PLAIN, RPORT, FLOW),
	TEXT("iface", IFACE, FLOW | INTERFACE),
	ALSO("interface", EXPR_TEXT, EXPR_PLAIN, IFACE, FLOW | INTERFACE),
	{ "state", EXPR_TEXT, EXPR_PLAIN, EXPR_SHOWN | EXPR_PART, STATE, FLOW, tcp_states },
	NUMBER("sock", SOCK, FLOW, EXPR_PLAIN),
	NUMBER("tx_bytes", TX_BYTES, 0, EXPR_BYTES),
	NUMBER("rx_bytes", RX_BYTES, 0, EXPR_BYTES),
	ALSO("bytes", EXPR_NUMBER, EXPR_BYTES, BYTES, 0),
	NUMBER("tx_bytes_per_s", TX_RATE, 0, EXPR_BYTES_S),
	NUMBER("rx_bytes_per_s", RX_RATE, 0, EXPR_BYTES_S),
	ALSO("rate", EXPR_NUMBER, EXPR_BYTES_S, RATE, 0),
	NUMBER("rx_unseen_bytes", RX_UNSEEN, FLOW, EXPR_BYTES),
	NUMBER("tx_unseen_bytes", TX_UNSEEN, FLOW, EXPR_BYTES),
	NUMBER("tx_pkts", TX_PKTS, FLOW, EXPR_PLAIN),
	NUMBER("rx_pkts", RX_PKTS, FLOW, EXPR_PLAIN),
	NUMBER("connections", CONNECTIONS, ROWS, EXPR_PLAIN),
	ALSO("conns", EXPR_NUMBER, EXPR_PLAIN, CONNECTIONS, ROWS),
	NUMBER("srtt_us", SRTT, 0, EXPR_US),
	ALSO("rtt_us", EXPR_NUMBER, EXPR_US, SRTT, 0),
	ALSO("rtt", EXPR_NUMBER, EXPR_US, SRTT, 0),
	NUMBER("min_rtt_us", MIN_RTT, FLOW, EXPR_US),
	NUMBER("retransmits", RETRANSMITS, 0, EXPR_PLAIN),
	NUMBER("retransmits_timeout", RETR_TIMEOUT, 0, EXPR_PLAIN),
	NUMBER("retransmits_fast", RETR_FAST, 0, EXPR_PLAIN),
	NUMBER("retransmits_tail_loss_probe", RETR_TLP, 0, EXPR_PLAIN),
	NUMBER("retransmits_synack", RETR_SYNACK, 0, EXPR_PLAIN),
	NUMBER("retransmits_spurious", RETR_SPURIOUS, 0, EXPR_PLAIN),
	NUMBER("stall_ms", STALL, 0, EXPR_MS),
	ALSO("stall", EXPR_NUMBER, EXPR_MS, STALL, 0),
	NUMBER("drops", DROPS, ROWS, EXPR_PLAIN),
	{ "verdict", EXPR_TEXT, EXPR_PLAIN, EXPR_PART, VERDICT, 0, verdict_names },
	NUMBER("bytes_acked", ACKED, FLOW, EXPR_BYTES),
	NUMBER("bytes_received", RECEIVED, FLOW, EXPR_BYTES),
	NUMBER("bytes_retrans", RESENT, FLOW, EXPR_BYTES),
	NUMBER("connect_ms", CONNECT, FLOW, EXPR_MS),
	NUMBER("duration_ms", DURATION, FLOW, EXPR_MS),
	ALSO("duration", EXPR_NUMBER, EXPR_MS, DURATION, FLOW),
	NUMBER("errno", ERROR, FLOW, EXPR_PLAIN),
	{ "closed", EXPR_BOOL, EXPR_PLAIN, 0, CLOSED, FLOW, NULL },
	{ "exited", EXPR_BOOL, EXPR_PLAIN, 0, EXITED, ROWS, NULL },
	NUMBER("subflows", SUBFLOWS, FLOW, EXPR_PLAIN),
	NAMES("what", WHAT, INTERFACE, whats),
	NAMES("link.state", LINK_STATE, INTERFACE, link_states),
	{ "link", EXPR_TEXT, EXPR_PLAIN, EXPR_ALIAS, LINK_STATE, INTERFACE, link_states },
	NUMBER("link.speed_mbit_per_s", LINK_SPEED, INTERFACE, EXPR_MBIT_S),
	ALSO("speed", EXPR_NUMBER, EXPR_MBIT_S, LINK_SPEED, INTERFACE),
	NAMES("link.duplex", LINK_DUPLEX, INTERFACE, duplexes),
	NUMBER("link.tx_bytes", LINK_TX_BYTES, INTERFACE, EXPR_BYTES),
	NUMBER("link.rx_bytes", LINK_RX_BYTES, INTERFACE, EXPR_BYTES),
	NUMBER("link.tx_packets", LINK_TX_PACKETS, INTERFACE, EXPR_PLAIN),
	NUMBER("link.rx_packets", LINK_RX_PACKETS, INTERFACE, EXPR_PLAIN),
	NUMBER("link.tx_errors", LINK_TX_ERRORS, INTERFACE, EXPR_PLAIN),
	NUMBER("link.rx_errors", LINK_RX_ERRORS, INTERFACE, EXPR_PLAIN),
	NUMBER("link.tx_dropped", LINK_TX_DROPPED, INTERFACE, EXPR_PLAIN),
	NUMBER("link.rx_dropped", LINK_RX_DROPPED, INTERFACE, EXPR_PLAIN),
	NUMBER("link.tx_bytes_per_s", LINK_TX_RATE, INTERFACE, EXPR_BYTES_S),
	NUMBER("link.rx_bytes_per_s", LINK_RX_RATE, INTERFACE, EXPR_BYTES_S),
	NUMBER("link.tx_packets_per_s", LINK_TX_PACKET_RATE, INTERFACE, EXPR_PLAIN),
	NUMBER("link.rx_packets_per_s", LINK_RX_PACKET_RATE, INTERFACE, EXPR_PLAIN),
	NUMBER("link.tx_owned", LINK_TX_OWNED, INTERFACE, EXPR_PLAIN),
	NUMBER("link.rx_owned", LINK_RX_OWNED, INTERFACE, EXPR_PLAIN),
	QUANTILES("rtt", NETPROBE_LATENCY_RTT),
	QUANTILES("connect", NETPROBE_LATENCY_CONNECT),
	QUANTILES("receive_wait", NETPROBE_LATENCY_RX_WAIT),
	QUANTILES("send_wait", NETPROBE_LATENCY_TX_WAIT),
	QUANTILES("stall", NETPROBE_LATENCY_STALL),
};

/* Either of two things has it. */
#define OF(r, field) ((r)->row ? (r)->row->field : (r)->flow->field)

static bool put_number(struct expr_value *v, bool known, long double n)
{
	v->known = known;
	v->num = n;
	return true;
}

/* A fraction, as it is printed: with three decimals. */
static bool put_fraction(struct expr_value *v, bool known, double n)
{
	char text[64];

	(void)fmt_milli(text, sizeof(text), n);
	v->known = known && json_value_number(text, &v->num);
	return true;
}

static bool put_count(struct expr_value *v, uint64_t n)
{
	return put_number(v, n != NETPROBE_UNKNOWN, (long double)n);
}

static bool put_nonzero(struct expr_value *v, uint64_t n)
{
	return put_number(v, n != 0, (long double)n);
}

static bool put_text(struct expr_value *v, const char *text)
{
	v->known = text && *text;
	v->text = text;
	return true;
}

static bool put_addr(struct expr_value *v, const uint8_t addr[16])
{
	static const uint8_t none[16];

	v->known = memcmp(addr, none, sizeof(none)) != 0;
	v->addr = addr;
	return true;
}

static bool get_owner(const struct fields_record *r, uint16_t id, unsigned int i,
		      struct expr_value *v)
{
	const struct netprobe_flow *f = r->flow;

	switch (id) {
	case PID:
		return put_nonzero(v, OF(r, pid));
	case COMM:
		return put_text(v, OF(r, comm));
	case CGROUP:
		return put_text(v, OF(r, cgroup));
	case CONTAINER_ID:
		return put_text(v, OF(r, container).id);
	case CONTAINER_NAME:
		return put_text(v, OF(r, container).name);
	case RUNTIME:
		return put_text(v, OF(r, container).runtime);
	case POD:
		return put_text(v, OF(r, container).pod);
	case POD_NAMESPACE:
		return put_text(v, OF(r, container).pod_namespace);
	case IMAGE:
		return put_text(v, OF(r, container).image);
	case POD_NAME:
		return put_text(v, OF(r, container).pod_name);
	case PROJECT:
		return put_text(v, OF(r, container).project);
	case SERVICE:
		return put_text(v, OF(r, container).service);
	case CONTAINER_ANY:
		return put_text(v, !i ? OF(r, container).id : OF(r, container).name);
	case TID:
		return put_nonzero(v, f->tid);
	case PPID:
		return put_nonzero(v, f->ppid);
	case NS_PID:
		return put_nonzero(v, f->ns_pid);
	case EXE:
		return put_text(v, f->exe);
	case UID:
		return put_number(v, f->pid != 0, f->uid);
	case OWNER_MATCH:
		return put_text(v, owner_match_name((uint8_t)f->owner_match));
	case LAST_PID:
		return put_nonzero(v, f->last_pid);
	case LAST_COMM:
		return put_text(v, f->last_comm);
	default:
		return put_nonzero(v, f->cgroup_id);
	}
}

static bool get_end(const struct fields_record *r, uint16_t id, unsigned int i,
		    struct expr_value *v)
{
	const struct netprobe_flow *f = r->flow;

	switch (id) {
	case LADDR:
		return put_addr(v, f->laddr);
	case RADDR:
		return put_addr(v, f ? f->raddr : r->row->addr);
	case ADDR:
		return put_addr(v, !f ? r->row->addr : i ? f->raddr : f->laddr);
	case LPORT:
		return put_nonzero(v, f->lport);
	case RPORT:
		return put_nonzero(v, f->rport);
	default:
		return put_nonzero(v, i ? f->rport : f->lport);
	}
}

static bool get_where(const struct fields_record *r, uint16_t id, unsigned int i,
		      struct expr_value *v)
{
	const struct netprobe_flow *f = r->flow;

	switch (id) {
	case GROUP:
		return put_text(v, r->row->group);
	case RNAME:
		return put_text(v, OF(r, rname));
	case NETNS:
		return put_nonzero(v, f ? f->netns : r->row->netns);
	case TRANSPORT:
		return put_text(v, transport_name(f->proto));
	case FAMILY:
		return put_text(v, f->family == 4 ? "ipv4" : f->family == 6 ? "ipv6" : NULL);
	case IFACE:
		return put_text(v, f ? f->iface : r->row->group);
	case STATE:
		return put_text(v, f->state);
	case SOCK:
		return put_nonzero(v, f->sock);
	case WHAT:
		return put_text(v, r->row->what);
	default:
		return get_end(r, id, i, v);
	}
}

static bool both(struct expr_value *v, const struct fields_record *r, long double a, long double b)
{
	bool known = !r->flow || (r->flow->tx_bytes != NETPROBE_UNKNOWN &&
				  r->flow->rx_bytes != NETPROBE_UNKNOWN);

	return put_number(v, known, a + b);
}

/* A row's sums may have begun anew, those of its socket do not. */
static uint64_t sum_of(const struct fields_record *r, uint64_t flow, uint64_t row)
{
	return !r->flow || (r->row && flow != NETPROBE_UNKNOWN) ? row : flow;
}

static bool get_bytes(const struct fields_record *r, uint16_t id, struct expr_value *v)
{
	const struct netprobe_flow *f = r->flow;
	uint64_t tx = sum_of(r, f ? f->tx_bytes : 0, r->row ? r->row->tx_bytes : 0);
	uint64_t rx = sum_of(r, f ? f->rx_bytes : 0, r->row ? r->row->rx_bytes : 0);

	switch (id) {
	case TX_BYTES:
		return put_count(v, tx);
	case RX_BYTES:
		return put_count(v, rx);
	case BYTES:
		return both(v, r, tx, rx);
	case TX_RATE:
		return f ? put_count(v, f->tx_bytes_per_s)
			 : put_fraction(v, true, r->row->tx_bytes_per_s);
	case RX_RATE:
		return f ? put_count(v, f->rx_bytes_per_s)
			 : put_fraction(v, true, r->row->rx_bytes_per_s);
	case RATE:
		return f ? both(v, r, f->tx_bytes_per_s, f->rx_bytes_per_s)
			 : both(v, r, r->row->tx_bytes_per_s, r->row->rx_bytes_per_s);
	case RX_UNSEEN:
		return put_number(v, f->has_tcp, f->rx_unseen_bytes);
	case TX_UNSEEN:
		return put_number(v, f->has_tcp, f->tx_unseen_bytes);
	case TX_PKTS:
		return put_count(v, f->tx_pkts);
	case RX_PKTS:
		return put_count(v, f->rx_pkts);
	case ACKED:
		return put_number(v, f->has_tcp, f->bytes_acked);
	case RECEIVED:
		return put_number(v, f->has_tcp, f->bytes_received);
	default:
		return put_number(v, f->has_tcp, f->bytes_retrans);
	}
}

static bool get_health(const struct fields_record *r, uint16_t id, struct expr_value *v)
{
	switch (id) {
	case SRTT:
		return put_nonzero(v, r->row ? r->row->srtt_us : r->flow->srtt_us);
	case RETRANSMITS:
		return put_count(v, OF(r, retransmits));
	case RETR_TIMEOUT:
		return put_count(v, OF(r, retransmits_timeout));
	case RETR_FAST:
		return put_count(v, OF(r, retransmits_fast));
	case RETR_TLP:
		return put_count(v, OF(r, retransmits_tail_loss_probe));
	case RETR_SYNACK:
		return put_count(v, OF(r, retransmits_synack));
	case RETR_SPURIOUS:
		return put_count(v, OF(r, retransmits_spurious));
	case STALL:
		return put_fraction(v, true, (double)OF(r, stall_ns) / 1e6);
	case DROPS:
		return put_number(v, r->row->has_drops, r->row->drops);
	default:
		return put_text(v, netprobe_verdict_name(OF(r, verdict)));
	}
}

static bool get_life(const struct fields_record *r, uint16_t id, struct expr_value *v)
{
	const struct netprobe_flow *f = r->flow;
	uint64_t end;

	switch (id) {
	case CONNECTIONS:
		return put_number(v, true, r->row->connections);
	case MIN_RTT:
		return put_nonzero(v, f->min_rtt_us);
	case CONNECT:
		return put_fraction(v, f->connect_us != 0, f->connect_us / 1e3);
	case DURATION:
		end = f->closed_ns ? f->closed_ns : f->told_ns;
		return put_fraction(v, f->opened_ns && end >= f->opened_ns,
				    (double)(end - f->opened_ns) / 1e6);
	case ERROR:
		return put_nonzero(v, f->error);
	case CLOSED:
		return put_number(v, true, f->closed);
	case EXITED:
		return put_number(v, true, r->row->exited);
	default:
		return put_nonzero(v, f->subflows);
	}
}

static bool put_share(struct expr_value *v, double unowned)
{
	return put_fraction(v, unowned >= 0, 1 - unowned);
}

static bool get_link_counts(const struct netprobe_link *l, uint16_t id, struct expr_value *v)
{
	const uint64_t counts[] = { l->tx_bytes,  l->rx_bytes,	l->tx_packets, l->rx_packets,
				    l->tx_errors, l->rx_errors, l->tx_dropped, l->rx_dropped };

	return put_number(v, true, counts[id - LINK_TX_BYTES]);
}

static bool get_link(const struct fields_record *r, uint16_t id, struct expr_value *v)
{
	const struct netprobe_link *l = r->row->link;

	if (!l)
		return put_number(v, false, 0);
	switch (id) {
	case LINK_STATE:
		return put_text(v, link_state_name(l->state));
	case LINK_SPEED:
		return put_nonzero(v, l->speed_mbit);
	case LINK_DUPLEX:
		return put_text(v, link_duplex_name(l->duplex));
	case LINK_TX_RATE:
		return put_fraction(v, true, l->tx_bytes_per_s);
	case LINK_RX_RATE:
		return put_fraction(v, true, l->rx_bytes_per_s);
	case LINK_TX_PACKET_RATE:
		return put_fraction(v, true, l->tx_packets_per_s);
	case LINK_RX_PACKET_RATE:
		return put_fraction(v, true, l->rx_packets_per_s);
	case LINK_TX_OWNED:
		return put_share(v, l->tx_unowned);
	case LINK_RX_OWNED:
		return put_share(v, l->rx_unowned);
	default:
		return get_link_counts(l, id, v);
	}
}

static bool get_latency(const struct fields_record *r, uint16_t id, struct expr_value *v)
{
	const struct netprobe_latency *l = r->row ? r->row->latency : NULL;
	unsigned int which = (id - LATENCY) / 2u;

	uint64_t us =
		l ? netprobe_latency_quantile(l->counts[which], (id - LATENCY) % 2 ? 0.99 : 0.5)
		  : 0;

	return put_nonzero(v, us != UINT64_MAX ? us : 0); /* a slot without an end */
}

/* Those with two values. */
static unsigned int values_of(uint16_t id)
{
	return id == ADDR || id == PORT || id == CONTAINER_ANY ? 2 : 1;
}

static bool get(const void *record, const struct expr_field *field, unsigned int i,
		struct expr_value *ret)
{
	const struct fields_record *r = record;

	if (i >= values_of(field->id))
		return false;
	switch (field->id) {
	case PID ... UID:
	case OWNER_MATCH ... CONTAINER_ANY:
		return get_owner(r, field->id, i, ret);
	case GROUP:
	case RNAME:
	case NETNS ... SOCK:
	case WHAT:
		return get_where(r, field->id, i, ret);
	case TX_BYTES ... RX_PKTS:
	case ACKED ... RESENT:
		return get_bytes(r, field->id, ret);
	case LINK_STATE ... LINK_RX_OWNED:
		return get_link(r, field->id, ret);
	case SRTT:
	case RETRANSMITS ... VERDICT:
		return get_health(r, field->id, ret);
	default:
		return field->id < LATENCY ? get_life(r, field->id, ret)
					   : get_latency(r, field->id, ret);
	}
}

const struct expr_schema *fields_about(uint32_t about)
{
#define SCHEMA(what, about)                                                       \
	{                                                                         \
		what, fields, sizeof(fields) / sizeof(fields[0]), BIT(about), get \
	}
	static const struct expr_schema all[] = {
		[NETPROBE_VIEW_PROCESS] = SCHEMA("a row by process", NETPROBE_VIEW_PROCESS),
		[NETPROBE_VIEW_CONNECTION] = SCHEMA("a connection", NETPROBE_VIEW_CONNECTION),
		[NETPROBE_VIEW_CONTAINER] = SCHEMA("a row by container", NETPROBE_VIEW_CONTAINER),
		[NETPROBE_VIEW_REMOTE] = SCHEMA("a row by remote host", NETPROBE_VIEW_REMOTE),
		[NETPROBE_VIEW_INTERFACE] = SCHEMA("a row by interface", NETPROBE_VIEW_INTERFACE),
		[NETPROBE_VIEW_PROGRAM] = SCHEMA("a row by program", NETPROBE_VIEW_PROGRAM),
		[NETPROBE_VIEW_USER] = SCHEMA("a row by user", NETPROBE_VIEW_USER),
		[NETPROBE_VIEW_UNIT] = SCHEMA("a row by unit", NETPROBE_VIEW_UNIT),
		[NETPROBE_VIEW_POD] = SCHEMA("a row by pod", NETPROBE_VIEW_POD),
		[NETPROBE_VIEW_NAMESPACE] = SCHEMA("a row by namespace", NETPROBE_VIEW_NAMESPACE),
		[NETPROBE_VIEW_LISTEN] = SCHEMA("a listening socket", NETPROBE_VIEW_LISTEN),
		[NETPROBE_VIEW_IMAGE] = SCHEMA("a row by image", NETPROBE_VIEW_IMAGE),
		[NETPROBE_ABOUT_FLOW] = SCHEMA("a socket", NETPROBE_ABOUT_FLOW),
	};

	if (about == NETPROBE_ABOUT_EVENT)
		return fields_about_event();
	return about < sizeof(all) / sizeof(all[0]) && all[about].what ? &all[about] : NULL;
}
