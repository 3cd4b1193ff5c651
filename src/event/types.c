/* SPDX-License-Identifier: BSD-2-Clause */
/* The event types, field by field (see field.h). What several kinds of one type tell is in all its records. */
#include "event/macros.h"

#define SEEN record_fields_owner, record_fields_cpu, record_fields_cgroup, record_fields_ends

static const struct field bw[] = {
	F("tx_bytes", FIELD_INT, FIELD_BYTES, NULL, "sent in these `interval_s`", .ipfix = 1),
	F("rx_bytes", FIELD_INT, FIELD_BYTES, NULL, "received in these `interval_s`",
	  .ipfix = IPFIX_REVERSE(1)),
	F("tx_pkts", FIELD_INT, FIELD_NO_UNIT, "`what` is told",
	  "TCP: segments, pure ACKs included; datagram sockets: calls", .ipfix = 2),
	F("rx_pkts", FIELD_INT, FIELD_NO_UNIT, "`what` is told", "the same, received",
	  .ipfix = IPFIX_REVERSE(2)),
	INTERVAL(
		NULL,
		"true length of the interval; longer than the others while [output](#output) took nothing"),
	F("tx_mbit_per_s", FIELD_NUMBER, FIELD_MBIT_S, NULL, "rate of `tx_bytes`"),
	F("rx_mbit_per_s", FIELD_NUMBER, FIELD_MBIT_S, NULL, "rate of `rx_bytes`"),
	WORD("what", "of sockets",
	     "`unowned`, `forwarded`: [what no socket moved](#what-no-socket-moved)"),
	{},
};

static const struct field transport_drop[] = {
	WORD("cause", "a dropped packet",
	     "of a stall. `send_buffer`: the sender waits for room in its send buffer. `zero_window`: the peer's "
	     "window is closed. `receive_queue`: data waits and the process does not take it. `receive_wait`: the "
	     "reader waits in the middle of something, see below"),
	WORD("side", "a dropped packet", "who must move: `local` or `remote`"),
	F("since", FIELD_TIME, FIELD_NO_UNIT, "a dropped packet", "when the stall was first seen"),
	FLAG("ended", "a dropped packet", "false while the stall goes on"),
	WORD("reason", "a stall; the kernel gives none", "the running kernel's name for it"),
	WORD("location", "a stall; not known", "kernel function"),
	F("stack", FIELD_STRINGS, FIELD_NO_UNIT, "without `--stack`", "functions, innermost first"),
	F("packets", FIELD_INT, FIELD_NO_UNIT, "a stall",
	  "packets of this kind since its last record", .ipfix = 133),
	F("suppressed", FIELD_INT, FIELD_NO_UNIT, "a stall",
	  "how many of them had no record of their own"),
	WORD("kind", "a stall",
	     "`loss`; `policy`: a rule refused it (firewall, filter, authentication); `benign`: used up, or a copy of "
	     "what was there; `others`: for another host, or a protocol nobody speaks here"),
	FLAG("benign", "a stall", "`kind` is `benign` or `others`; only with `--all`"),
	{},
};

/* Of one packet: a drop, a step of a trace. */
static const struct field packet[] = {
	F("len_bytes", FIELD_INT, FIELD_BYTES, "no packet was read", "bytes from the IP header on",
	  .ipfix = 224),
	F("ip_proto", FIELD_INT, FIELD_NO_UNIT, "not IP", "protocol number", .ipfix = 4),
	F("eth_proto", FIELD_INT, FIELD_NO_UNIT, "not known", "protocol number", .ipfix = 256),
	F("vlan", FIELD_INT, FIELD_NO_UNIT, "none", "VLAN id", .ipfix = 58),
	F("ttl", FIELD_INT, FIELD_NO_UNIT, "not IP", "TTL or hop limit", .ipfix = 192),
	WORD("tcp_flags", "not TCP", "`SYN,ACK`", .ipfix = 6),
	F("seq", FIELD_INT, FIELD_NO_UNIT, "not TCP", "sequence number", .ipfix = 184),
	F("ack", FIELD_INT, FIELD_NO_UNIT, "not TCP", "acknowledgement number", .ipfix = 186),
	F("icmp_type", FIELD_INT, FIELD_NO_UNIT, "not ICMP", "type", .ipfix = 176, .ipfix6 = 178),
	F("icmp_code", FIELD_INT, FIELD_NO_UNIT, "not ICMP", "code", .ipfix = 177, .ipfix6 = 179),
	{},
};

#define NO_RETRANS "no retransmit"

static const struct field error_net[] = {
	F("segments", FIELD_INT, FIELD_NO_UNIT, NO_RETRANS, "sent again"),
	WORD("cause", "not known; sums; resets",
	     "of retransmits `timeout`, `fast`, `tail_loss_probe`, `synack` (owner: the listener's), `spurious` (the "
	     "kernel found them not needed); null where the kernel counted them and no hook saw them. Of failed "
	     "connects as [conn.fail](#connfail)"),
	F("spurious", FIELD_INT, FIELD_NO_UNIT, NO_RETRANS,
	  "segments found not needed in this interval"),
	INTERVAL(NO_RETRANS, "length of the interval"),
	ERRNO("none"),
	F("connect_ms", FIELD_NUMBER, FIELD_MS, "not a failed connect, or not known",
	  "time connect() took"),
	{},
};

static const struct field conn_open[] = {
	F("connect_ms", FIELD_NUMBER, FIELD_MS, "accepted, or older than the probe",
	  "time connect() took"),
	{},
};

static const struct field conn_fail[] = {
	ERRNO("the kernel told none"),
	WORD("cause", "`error` tells",
	     "`no_route`: no SYN was begun, connect() found no route. Its errno is known where connect()'s return can "
	     "be seen (fexit, kprobe); elsewhere this is told when the socket is closed. `no_port`: no SYN was sent, "
	     "no local port was free. `given_up`: SYNs were sent, and the process closed the socket before anybody "
	     "answered: a timeout of its own"),
	F("connect_ms", FIELD_NUMBER, FIELD_MS, "not known", "time connect() took"),
	{},
};

#define KERNELS "MPTCP, or the kernel told none"

static const struct field conn_close[] = {
	F("duration_ms", FIELD_NUMBER, FIELD_MS, "older than the probe", "its life", .ipfix = 161),
	F("tx_bytes", FIELD_INT, FIELD_BYTES, "not known", "payload of all owners", .ipfix = 85),
	F("rx_bytes", FIELD_INT, FIELD_BYTES, "not known", "payload of all owners",
	  .ipfix = IPFIX_REVERSE(85)),
	F("rx_unseen_bytes", FIELD_INT, FIELD_BYTES, KERNELS,
	  "part of `rx_bytes` that no hook saw (splice, zero-copy receive), from the kernel's counters"),
	F("tx_unseen_bytes", FIELD_INT, FIELD_BYTES, KERNELS,
	  "put in by the kernel itself (kTLS framing), or by a call that [no program "
	  "saw](kernel-support.md#programs-that-the-kernel-leaves-out); not in `tx_bytes`"),
	F("tx_pkts", FIELD_INT, FIELD_NO_UNIT, KERNELS, "segments, pure ACKs included",
	  .ipfix = 86),
	F("rx_pkts", FIELD_INT, FIELD_NO_UNIT, KERNELS, "segments, pure ACKs included",
	  .ipfix = IPFIX_REVERSE(86)),
	F("bytes_sent", FIELD_INT, FIELD_BYTES, KERNELS, "the kernel's own counter"),
	F("bytes_acked", FIELD_INT, FIELD_BYTES, KERNELS,
	  "the kernel's own counter; SYN and FIN count one each"),
	F("bytes_received", FIELD_INT, FIELD_BYTES, KERNELS,
	  "the kernel's own counter; SYN and FIN count one each"),
	F("bytes_retrans", FIELD_INT, FIELD_BYTES, KERNELS, "the kernel's own counter"),
	F("retransmits", FIELD_INT, FIELD_NO_UNIT, "not known", "segments sent again"),
	F("srtt_us", FIELD_INT, FIELD_US, "never measured", "smoothed round trip"),
	F("min_rtt_us", FIELD_INT, FIELD_US, "never measured",
	  "least round trip in the kernel's window"),
	F("connect_ms", FIELD_NUMBER, FIELD_MS, "accepted, or older than the probe",
	  "time connect() took"),
	F("stall_ms", FIELD_NUMBER, FIELD_MS, NULL, "all its stalls"),
	WORD("verdict", "older than the probe; MPTCP",
	     "what limited it most over its life: `application`, `receive_window`, `send_buffer`, "
	     "`congestion_window`, `loss`, `pacing`"),
	F("subflows", FIELD_INT, FIELD_NO_UNIT, "not MPTCP", "TCP connections that carried it"),
	ERRNO("it died of nothing"),
	{},
};

#define UNANSWERED "nobody answered"

static const struct field asker[] = {
	F("pid", FIELD_INT, FIELD_NO_UNIT, NULL, "of the process that asked the resolver",
	  .otel = "process.pid"),
	F("ns_pid", FIELD_INT, FIELD_NO_UNIT, "not told", "in its own pid namespace",
	  .otel = "process.vpid"),
	WORD("comm", "not known", "its name", .otel = "process.executable.name"),
	WORD("exe", "could not be read", "path of its program", .otel = "process.executable.path"),
	F("container", FIELD_OBJECT, FIELD_NO_UNIT, "in none", "as that of an owner",
	  .of = record_fields_container),
	F("waited_ms", FIELD_NUMBER, FIELD_MS, "not known", "how long it waited for the resolver"),
	{},
};

static const struct field dns_query[] = {
	WORD("qname", NULL, "what was asked, in lower case; bytes that are no text as `\\\\DDD`",
	     .otel = "dns.question.name"),
	WORD("qtype", NULL, "`A`, `AAAA`, ..."),
	F("id", FIELD_INT, FIELD_NO_UNIT, NULL, "of the query"),
	WORD("rcode", UNANSWERED, "`NOERROR`, `NXDOMAIN`, `SERVFAIL`, ..."),
	F("answers", FIELD_STRINGS, FIELD_NO_UNIT, UNANSWERED,
	  "data of the records of the answer section; at most 24", .otel = "dns.answers"),
	F("ttls_s", FIELD_INTS, FIELD_S, UNANSWERED, "their times"),
	F("answer_count", FIELD_INT, FIELD_NO_UNIT, UNANSWERED,
	  "records the answer claims to have"),
	F("latency_ms", FIELD_NUMBER, FIELD_MS, UNANSWERED, "from the first query to the answer"),
	F("retries", FIELD_INT, FIELD_NO_UNIT, NULL,
	  "times the same was asked again meanwhile: over the same socket, or the same server by the same process "
	  "from 0.4 s on"),
	FLAG("timeout", NULL,
	     "nobody answered within `--dns-timeout` of the last query, or four times that of the first, however often it was asked again"),
	FLAG("truncated", UNANSWERED, "the answer was cut"),
	FLAG("authoritative", UNANSWERED, "the server is the zone's"),
	FLAG("answer_malformed", UNANSWERED, "its records lie; those before the lie are there"),
	F("asked_by", FIELD_OBJECT, FIELD_NO_UNIT, "it asked for itself, or nobody was seen to ask",
	  "for whom a local resolver asked", .of = asker),
	{},
};

static const struct field conntrack[] = {
	F("src", FIELD_ADDR, FIELD_NO_UNIT, "none", "source of packets of the other direction"),
	F("sport", FIELD_INT, FIELD_NO_UNIT, NULL, "its port"),
	F("dst", FIELD_ADDR, FIELD_NO_UNIT, "none", "their destination"),
	F("dport", FIELD_INT, FIELD_NO_UNIT, NULL, "its port"),
	{},
};

static const struct field trace_begin[] = {
	F("packet", FIELD_INT, FIELD_NO_UNIT, NULL, "number of the packet"),
	F("nth", FIELD_INT, FIELD_NO_UNIT, NULL, "of its steps"),
	WORD("step", NULL, "where it was seen ([drops](drops.md))"),
	F("since_us", FIELD_NUMBER, FIELD_US, NULL, "since its step before; 0 of the first"),
	WORD("mac_src", "none was read", "link address", .ipfix = 56),
	WORD("mac_dst", "none was read", "link address", .ipfix = 80),
	{},
};

static const struct field trace_end[] = {
	F("ip_id", FIELD_INT, FIELD_NO_UNIT, "none", "identification", .ipfix = 54),
	F("payload_bytes", FIELD_INT, FIELD_BYTES, NULL, "behind the transport header"),
	WORD("hook", "not netfilter", "`INPUT`, `FORWARD`, ..."),
	WORD("verdict", "not netfilter", "`accept`, `drop`, `stolen`"),
	WORD("reason", "not dropped", "the running kernel's name for it"),
	WORD("location", "not dropped, or not known", "kernel function"),
	F("conntrack_other", FIELD_OBJECT, FIELD_NO_UNIT, "not tracked",
	  "what connection tracking expects of the other direction", .of = conntrack),
	{},
};

static const struct field loss[] = {
	WORD("program", NULL, "as `entity_id`"),
	COUNT("seen",
	      "`submitted` + `ring_full` + `filtered` + `sampled_out` + `rate_limited` + `map_full`"),
	COUNT("submitted", "handed over"),
	COUNT("ring_full",
	      "the event is lost, its counts are not: where the end of a connection finds every place for its record "
	      "full, what it moved joins a sum of its process, cgroup, interface and protocol, which is a row without "
	      "ends in `flows`, and part of `transport.bw`"),
	COUNT("filtered", "left out on request"),
	COUNT("sampled_out", "left out on request"),
	COUNT("rate_limited", "left out on request; of `trace`, more than is told in a second"),
	COUNT("map_full", "found no room. An end counts here or in `ring_full`, never in both"),
	BYTES("lost_tx_bytes", "counted nowhere because of that"),
	BYTES("lost_rx_bytes", "counted nowhere because of that"),
	COUNT("helper_errors", "a kernel helper failed for another reason"),
	COUNT("missed",
	      "runs the kernel left out, and no second program saw: a program interrupted by itself, or preempted in "
	      "it; a kprobe hit in another one, a kretprobe without a free slot (told since 6.7); `destroy`: ends of "
	      "TCP sockets that 6.18 calls no program for while others attach to its tracepoints, whose bytes are told "
	      "without their connection"),
	COUNT("implausible",
	      "of `figures` only: records that were not believed and not added to anything: more bytes of a socket "
	      "than the kernel received or sent and holds for it, than its datagrams can hold, or than 1 TiB a second; "
	      "more retransmits than segments; a round trip of more than an hour"),
	FLAG("final", NULL, "the account of the whole run: the last of this program"),
	INTERVAL(NULL, "length of the interval, at the end of the run"),
	{},
};

const struct record_type record_types_traffic[] = {
	{ "transport.bw",
	  false,
	  "Each interval, for each owner and interface that moved bytes.",
	  { record_fields_common, record_fields_owner, record_fields_cgroup, record_fields_place,
	    bw } },
	{ "transport.drop",
	  false,
	  "Something does not go on for longer than `--stall-threshold`, or the kernel dropped a packet.",
	  { record_fields_common, SEEN, transport_drop, packet } },
	{ "error.net",
	  false,
	  "Retransmits of an interval; resets, failed connects, refused datagrams.",
	  { record_fields_common, SEEN, error_net } },
	{ "conn.open",
	  false,
	  "A TCP connection is established.",
	  { record_fields_common, SEEN, conn_open } },
	{ "conn.close",
	  false,
	  "A TCP connection is over and its socket gone.",
	  { record_fields_common, SEEN, conn_close } },
	{ "conn.fail", false, "connect() failed.", { record_fields_common, SEEN, conn_fail } },
	{ "dns.query",
	  false,
	  "A DNS transaction, when it is answered or has timed out.",
	  { record_fields_common, SEEN, dns_query } },
	{ "packet.trace",
	  false,
	  "A step of a packet on its way through the kernel, from `drops --trace`.",
	  { record_fields_common, SEEN, trace_begin, packet, trace_end } },
	{ "probe.loss",
	  false,
	  "What became of what each program, table and queue of the probe handled, all since the start.",
	  { record_fields_common, loss } },
	{},
};
