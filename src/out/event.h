/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One record of the event stream, ready to be written by any sink. A NULL string and a has_* that
 * is false print as JSON null: unknown is never guessed. Strings are borrowed until the sink
 * returns.
 */
#ifndef NETPROBE_OUT_EVENT_H
#define NETPROBE_OUT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/loss.h"
#include "out/words.h"
#include "owner/process.h"
#include "wire/record.h"

/* Order of event_type names in out/event.c. */
#define EVENT_BW 0	   /* transport.bw */
#define EVENT_RETRANSMIT 1 /* error.net RETRANSMIT:n */
#define EVENT_RESET 2	   /* error.net RESET_SENT, RESET_RECEIVED */
#define EVENT_CONN_ERROR 3 /* error.net CONNECT_REFUSED, CONNECT_TIMEOUT, UNREACHABLE */
#define EVENT_CONN_OPEN 4
#define EVENT_CONN_CLOSE 5
#define EVENT_CONN_FAIL 6
#define EVENT_PROBE_LOSS 7
#define EVENT_STALL 8	   /* transport.drop STALL_<n>ms */
#define EVENT_DROP 9	   /* transport.drop DROP:<REASON> */
#define EVENT_TRACE 10	   /* packet.trace */
#define EVENT_DNS 11	   /* dns.query */
#define EVENT_LB 12	   /* stats.lb */
#define EVENT_IFACE 13	   /* stats.iface */
#define EVENT_GLOBAL 14	   /* stats.global */
#define EVENT_SYN_FLOOD 15 /* security.syn_flood; the first of guard's findings */
#define EVENT_UDP_FLOOD 16
#define EVENT_ICMP_FLOOD 17
#define EVENT_PORT_SCAN 18
#define EVENT_ANOMALY 19
#define EVENT_BAN 20
#define EVENT_UNBAN 21
#define EVENT_ALLOW 22
#define EVENT_UNALLOW 23
#define EVENT_LIST 24	/* security.list; the last of them */
#define EVENT_HEALTH 25 /* balance.health */
#define EVENT_AGAIN 26	/* guard.again */
#define EVENT_MAX 27

struct event_dns;    /* out/dns.h */
struct event_drop;   /* out/drop.h */
struct event_trace;  /* out/trace.h */
struct event_lb;     /* out/lb.h */
struct event_device; /* out/device.h */
struct event_news;   /* out/device.h */
struct np_ev_guard;  /* wire/guard.h */

struct event {
	uint8_t kind;		/* EVENT_* */
	uint64_t wall_ns;	/* CLOCK_REALTIME of the happening */
	uint64_t ktime_ns;	/* CLOCK_MONOTONIC of the same moment */
	char entity_id[64];	/* "eth0", "socket-1234", program name; empty: null */
	char value[48];		/* as in the contract's table */
	const char *long_value; /* instead of value where that has no room; NULL */
	double num;
	const char *unit; /* "Mbit/s", "segments", "count", "ms", "events" */
	const char *mode; /* "ebpf", ... */
	/* 1 socket in so many is recorded, counts are scaled; 0, 1: all are */
	uint32_t sample_rate;

	/* owner; NULL or match NP_MATCH_NONE: all of its fields null */
	const struct process *owner;
	uint32_t tid;	     /* 0 null */
	uint8_t owner_match; /* NP_MATCH_* */
	/* false: this record has no owner at all (sums, probe.loss): owner_match null too */
	bool has_owner_field;
	uint32_t cpu_tgid;
	const char *cpu_comm;
	bool has_cpu;

	/* where; NULL: not applicable */
	const struct np_tuple *tuple;
	uint64_t sock_id;      /* 0 null; printed as "sock" unless tuple->flags has NP_F_OWNID */
	const char *rname;     /* what the remote address is called; NULL unknown */
	const char *iface;     /* overrides tuple->ifname; NULL: that one */
	const char *direction; /* "tx", "rx", NULL */
	const char *state;     /* overrides the name of tuple->state */

	/* EVENT_BW: of the interval; EVENT_IFACE: since the start, the rates of the interval */
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts;
	double tx_mbit, rx_mbit;
	const char *
		what; /* EVENT_BW: "unowned", "forwarded": no socket's, packets not known; NULL: sockets' */
	/* EVENT_RETRANSMIT, EVENT_CONN_FAIL ... */
	const char *cause; /* "synack"; NULL null */
	int err; /* errno; 0 null. Printed as "errno" (number) and "error" (ECONNREFUSED) */
	/* EVENT_CONN_* */
	const struct np_counts *counts;
	const struct np_tcp *tcp; /* srtt_us, min_rtt_us, segments, bytes_acked ... */
	uint64_t rx_unseen, tx_unseen;
	uint32_t connect_us; /* 0 null */
	uint32_t subflows;   /* of MPTCP; 0 null */
	double duration_ms;  /* negative: null (opened before the probe) */
	/* EVENT_PROBE_LOSS */
	bool lost; /* something was lost since the last one of this program; else it only counted */
	const struct loss *loss;
	bool final; /* the last of this program */
	/* EVENT_RETRANSMIT: segments that the kernel found not to have been needed */
	uint32_t spurious;
	const char *side;	/* EVENT_STALL: "local", "remote": who must move */
	bool ended;		/* EVENT_STALL: false while it goes on */
	uint64_t since_wall_ns; /* EVENT_STALL: CLOCK_REALTIME at which it was first seen */
	/* EVENT_CONN_CLOSE: what limited it most, over its life; NULL unknown */
	const char *verdict;
	double stall_ms;	       /* EVENT_CONN_CLOSE: all stalls of the connection */
	const struct event_drop *drop; /* EVENT_DROP; never NULL there */
	const struct event_lb *lb;     /* EVENT_LB; never NULL there */
	const struct event_dns *dns;   /* EVENT_DNS; never NULL there */
	/* EVENT_GLOBAL; EVENT_IFACE: guard's counters instead of the four above; NULL none */
	const struct event_device *device;
	const struct np_ev_guard *attack; /* EVENT_SYN_FLOOD to EVENT_LIST; never NULL there */
	const struct event_trace *trace;  /* EVENT_TRACE; never NULL there */
	const struct event_news *news;	  /* EVENT_HEALTH, EVENT_AGAIN; never NULL there */
	double interval_s; /* of EVENT_BW, EVENT_RETRANSMIT, EVENT_PROBE_LOSS; 0 null */
};

/* Writers: append exactly one line (newline included) to out. host: node name, UTF-8. */
int event_write_json(struct buf *out, const struct event *ev, const char *host);
int event_write_xctl(struct buf *out, const struct event *ev, const char *host);
/* columns: of the terminal, which the line is then shortened for; 0: whole. */
int event_write_text(struct buf *out, const struct event *ev, bool color, unsigned int columns);

/* security.*: of an address, whose process is not here. */
bool event_is_attack(const struct event *ev);
/* Whether its type has fields of a place, and of an owner. */
bool event_has_place(const struct event *ev);
bool event_has_owner(const struct event *ev);
/* Shared by events and flows. */
const char *event_type_name(uint8_t kind);
const char *prog_name(unsigned int prog); /* NP_PROG_* -> "send", "recv", ... */
/* What the writers share: who, where, and how many records a program has seen. NULL unknown. */
const struct process *event_owner(const struct event *ev);
const char *event_value(const struct event *ev, size_t *ret_len);
const char *event_iface(const struct event *ev, char buf[17]);
const char *event_state(const struct event *ev);
/* A probe.loss that tells of counters alone: nothing a reader of text must know. */
bool event_is_idle(const struct event *ev);
/* The object "container" of a JSON record, or null; cg may be NULL. */
void put_container_json(struct buf *b, const struct cgroup *cg);

#endif
