/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that commands print, field by field (see field.h): all formats but text have all of them. */
#include "event/macros.h"

#define OPT(key, type, u, null_when, meaning, ...) \
	F(key, type, u, null_when, meaning, ##__VA_ARGS__)
#define SAMPLED              \
	COUNT("sample_rate", \
	      "the row stands for so many, and counts are scaled already; 1: all are recorded")
#define CONTAINER(null_when)                                                          \
	F("container", FIELD_OBJECT, FIELD_NO_UNIT, null_when, "as that of an owner", \
	  .of = record_fields_container)
#define CAUSES(null_when)                                                                          \
	F("retransmits_timeout", FIELD_INT, FIELD_NO_UNIT, null_when,                              \
	  "segments sent again, by [cause](events.md#errornet-retransmits)"),                      \
		F("retransmits_fast", FIELD_INT, FIELD_NO_UNIT, null_when, "the same"),            \
		F("retransmits_tail_loss_probe", FIELD_INT, FIELD_NO_UNIT, null_when, "the same"), \
		F("retransmits_synack", FIELD_INT, FIELD_NO_UNIT, null_when,                       \
		  "the same; SYN-ACKs of a listener"),                                             \
		F("retransmits_spurious", FIELD_INT, FIELD_NO_UNIT, null_when,                     \
		  "of them, found not needed; told with another cause first")
#define VERDICT(null_when, meaning) WORD("verdict", null_when, meaning)

#define NO_ROW_OWNER "not a process's or a socket's, or nobody is known"
#define UNTIMED "nothing was timed, or longer than the last slot; waits without `--latency`"
#define QUANTILES(name)                                                                             \
	F(name "_p50_us", FIELD_INT, FIELD_US, UNTIMED,                                             \
	  "half of its process's [latencies](flows.md#latencies-flows---histograms) were shorter"), \
		F(name "_p99_us", FIELD_INT, FIELD_US, UNTIMED, "99 of 100 were shorter")

#define UNCOUNTED "a connection whose bytes the capture does not tell (UDP in `proc`)"

#define NO_LINK "the driver does not tell"

/* What an interface tells of itself. */
static const struct field link[] = {
	WORD("state", "not known", "`up`; `down`: on, and no signal; `off`: not switched on"),
	OPT("speed_mbit_per_s", FIELD_INT, FIELD_MBIT_S, NO_LINK, "speed of the link"),
	WORD("duplex", NO_LINK, "`full`; `half`: one end sends at a time"),
	BYTES("tx_bytes", "sent since the start, with all headers, whoever's they are"),
	BYTES("rx_bytes", "the same, received"),
	COUNT("tx_packets", "sent since the start"),
	COUNT("rx_packets", "the same, received"),
	COUNT("tx_errors", "packets that could not be sent, by its driver"),
	COUNT("rx_errors", "packets that came damaged, by its driver"),
	COUNT("tx_dropped", "packets it dropped before they were sent"),
	COUNT("rx_dropped",
	      "packets it received and dropped: no room, or nobody wants that protocol"),
	F("tx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, NULL, "in the last interval"),
	F("rx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, NULL, "the same, received"),
	F("tx_packets_per_s", FIELD_NUMBER, FIELD_PER_S, NULL, "in the last interval"),
	F("rx_packets_per_s", FIELD_NUMBER, FIELD_PER_S, NULL, "the same, received"),
	F("tx_owned", FIELD_NUMBER, FIELD_NO_UNIT, "nothing to tell it by",
	  "coverage: share, 0 to 1, of the bytes of the interval before that sockets moved or that were forwarded; "
	  "the rest is [unowned](events.md#what-no-socket-moved)"),
	F("rx_owned", FIELD_NUMBER, FIELD_NO_UNIT, "nothing to tell it by", "the same, received"),
	{},
};

static const struct field top[] = {
	WORD("group", "an interface that is not known",
	     "what the row is of: a process, a connection, a container, ... (`--by`)"),
	WORD("rname", "not a remote host's, or nobody was seen to ask",
	     "what the remote address is called ([names](dns.md))"),
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, NO_ROW_OWNER, "process id", .otel = "process.pid"),
	WORD("comm", NO_ROW_OWNER, "its name", .otel = "process.executable.name"),
	CONTAINER("in none, or not told by such a row"),
	WORD("cgroup", "not known, or not told by such a row", "path of the cgroup",
	     .otel = "process.linux.cgroup"),
	OPT("tx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, UNCOUNTED, "in the last interval"),
	OPT("rx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, UNCOUNTED, "in the last interval"),
	OPT("tx_bytes", FIELD_INT, FIELD_BYTES, UNCOUNTED,
	    "since the start; what the capture does not tell (UDP in `proc`) is in no sum"),
	OPT("rx_bytes", FIELD_INT, FIELD_BYTES, UNCOUNTED, "the same, received"),
	COUNT("connections",
	      "open sockets that do not listen; by remote host also unconnected peers"),
	OPT("srtt_us", FIELD_INT, FIELD_US, "not measured",
	    "smoothed round trip, or the median of its connections"),
	COUNT("retransmits", "segments sent again; 0 where there is no TCP"),
	FLAG("exited", NULL, "it is gone, and still shown for a while"),
	SAMPLED,
	OPT("netns", FIELD_INT, FIELD_NO_UNIT, "not an interface's or a socket's",
	    "inode of the network namespace"),
	WORD("what", "of sockets",
	     "`unowned`, `forwarded`: [what no socket moved](events.md#what-no-socket-moved)"),
	F("link", FIELD_OBJECT, FIELD_NO_UNIT,
	  "not an interface's of the own network namespace, or not known",
	  "what the interface tells of itself, and its counters", .of = link),
	CAUSES("without BPF"),
	OPT("stall_ms", FIELD_NUMBER, FIELD_MS, "without BPF", "all its stalls"),
	OPT("drops", FIELD_INT, FIELD_NO_UNIT, "without `--health`, or not told apart by such rows",
	    "packets dropped"),
	VERDICT("without `--health`, no TCP, or nothing known",
		"what limits it most ([why](why.md))"),
	QUANTILES("rtt"),
	QUANTILES("connect"),
	QUANTILES("receive_wait"),
	QUANTILES("send_wait"),
	QUANTILES("stall"),
	{},
};

#define NO_TCP "not TCP"

static const struct field flows[] = {
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, "nobody known", "owner of the counts",
	    .otel = "process.pid"),
	OPT("ns_pid", FIELD_INT, FIELD_NO_UNIT, "not told: only `ebpf` knows",
	    "its number in its own pid namespace", .otel = "process.vpid"),
	OPT("tid", FIELD_INT, FIELD_NO_UNIT, "the last user is another process",
	    "thread that used it last", .otel = "thread.id"),
	OPT("ppid", FIELD_INT, FIELD_NO_UNIT, "not known", "parent of the owner",
	    .otel = "process.parent_pid"),
	WORD("comm", "nobody known", "name", .otel = "process.executable.name"),
	WORD("exe", "could not be read", "path of the program", .otel = "process.executable.path"),
	OPT("uid", FIELD_INT, FIELD_NO_UNIT, "nobody known", "user, in the initial namespace",
	    .otel = "process.real_user.id"),
	WORD("owner_match", NULL, "`exact`, `listener`, `procfs`, `none` ([events](events.md))"),
	OPT("last_pid", FIELD_INT, FIELD_NO_UNIT, "nobody known",
	    "who used the socket last: owner of retransmits, resets, drops"),
	WORD("last_comm", "nobody known", "its name"),
	OPT("cgroup_id", FIELD_INT, FIELD_NO_UNIT, "not known", "cgroup v2 of the owner"),
	WORD("cgroup", "not known", "its path", .otel = "process.linux.cgroup"),
	CONTAINER("in none"),
	OPT("netns", FIELD_INT, FIELD_NO_UNIT, "not known", "inode of the network namespace"),
	WORD("transport", "other", "`tcp`, `mptcp`, `udp`, `icmp`", .ipfix = 4,
	     .otel = "network.transport"),
	WORD("family", "not known", "`ipv4`, `ipv6`", .ipfix = 60, .otel = "network.type"),
	OPT("laddr", FIELD_ADDR, FIELD_NO_UNIT, "wildcard", "local address", .ipfix = 8,
	    .ipfix6 = 27, .otel = "network.local.address"),
	OPT("lport", FIELD_INT, FIELD_NO_UNIT, "of raw sockets", "local port", .ipfix = 7,
	    .otel = "network.local.port"),
	OPT("raddr", FIELD_ADDR, FIELD_NO_UNIT, "none", "remote address", .ipfix = 12, .ipfix6 = 28,
	    .otel = "network.peer.address"),
	OPT("rport", FIELD_INT, FIELD_NO_UNIT, "none", "remote port", .ipfix = 11,
	    .otel = "network.peer.port"),
	WORD("rname", "nobody was seen to ask",
	     "what the remote address was called when the flow began ([names](dns.md))"),
	WORD("iface", "no route known; datagrams that came before netprobe watched for them",
	     "interface of its route; of a listener, of its last retransmitted SYN-ACK; where datagrams are "
	     "read without asking for the sender, the one they came in by, of several a row each",
	     .ipfix = 82, .otel = "network.interface.name"),
	WORD("state", NO_TCP, "TCP state (MPTCP has the same); `CLOSE` once it is gone",
	     .otel = "network.connection.state"),
	OPT("sock", FIELD_INT, FIELD_NO_UNIT, "with `--hook kprobe`; a sum",
	    "socket cookie, as `ss -e` shows it"),
	OPT("tx_bytes", FIELD_INT, FIELD_BYTES, "the capture does not tell",
	    "payload during the run, or since the socket was opened, whichever is shorter",
	    .ipfix = 85),
	OPT("rx_bytes", FIELD_INT, FIELD_BYTES, "the capture does not tell", "the same, received",
	    .ipfix = IPFIX_REVERSE(85)),
	OPT("tx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, "the capture does not tell",
	    "the bytes over the time of the run: what was watched, not what the connection lived"),
	OPT("rx_bytes_per_s", FIELD_NUMBER, FIELD_BYTES_S, "the capture does not tell",
	    "the same, received"),
	OPT("rx_unseen_bytes", FIELD_INT, FIELD_BYTES, NO_TCP,
	    "part of `rx_bytes` that no hook saw"),
	OPT("tx_unseen_bytes", FIELD_INT, FIELD_BYTES, NO_TCP,
	    "put in by the kernel itself, or by a call that [no program "
	    "saw](kernel-support.md#programs-that-the-kernel-leaves-out); not in `tx_bytes`"),
	OPT("tx_pkts", FIELD_INT, FIELD_NO_UNIT, "MPTCP; the capture does not tell",
	    "TCP segments, pure ACKs included; datagram calls", .ipfix = 86),
	OPT("rx_pkts", FIELD_INT, FIELD_NO_UNIT, "MPTCP; the capture does not tell",
	    "the same, received", .ipfix = IPFIX_REVERSE(86)),
	OPT("srtt_us", FIELD_INT, FIELD_US, "not measured", "smoothed round trip"),
	OPT("min_rtt_us", FIELD_INT, FIELD_US, "not measured",
	    "least round trip in the kernel's window"),
	OPT("retransmits", FIELD_INT, FIELD_NO_UNIT, NO_TCP,
	    "segments sent again during the run; a listener's are SYN-ACKs"),
	CAUSES("not TCP, without BPF"),
	OPT("bytes_acked", FIELD_INT, FIELD_BYTES, NO_TCP,
	    "the kernel's counter, since the connection began, or since it came to this owner"),
	OPT("bytes_received", FIELD_INT, FIELD_BYTES, NO_TCP, "the same"),
	OPT("bytes_retrans", FIELD_INT, FIELD_BYTES, NO_TCP, "the same"),
	OPT("connect_ms", FIELD_NUMBER, FIELD_MS, "accepted, or older than the probe",
	    "time connect() took"),
	OPT("duration_ms", FIELD_NUMBER, FIELD_MS, "older than the probe, not TCP",
	    "since it was opened", .ipfix = 161),
	OPT("errno", FIELD_INT, FIELD_NO_UNIT, "nothing", "what it died of"),
	VERDICT("older than the probe, not TCP",
		"what limited it most over its life ([why](events.md#connclose))"),
	FLAG("closed", NULL, "the socket is gone"),
	SAMPLED,
	OPT("subflows", FIELD_INT, FIELD_NO_UNIT, "not MPTCP",
	    "MPTCP: TCP connections that carry it, or did before it closed"),
	{},
};

static const struct field slot[] = {
	OPT("from_us", FIELD_INT, FIELD_US, NULL, "as long, or longer"),
	OPT("to_us", FIELD_INT, FIELD_US, "it has no end", "shorter"),
	COUNT("count", "how many"),
	{},
};
static const struct field figure[] = {
	COUNT("count", "how many"),
	OPT("p50_us", FIELD_INT, FIELD_US, "the slot has no end", "so many of 100 were shorter"),
	OPT("p90_us", FIELD_INT, FIELD_US, "the slot has no end", "the same"),
	OPT("p99_us", FIELD_INT, FIELD_US, "the slot has no end", "the same"),
	F("slots", FIELD_OBJECTS, FIELD_NO_UNIT, NULL, "those that are not empty", .of = slot),
	{},
};
#define FIGURE(name, meaning) \
	F(name, FIELD_OBJECT, FIELD_NO_UNIT, "nothing was timed", meaning, .of = figure)

static const struct field process[] = {
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, "nobody known", "process id", .otel = "process.pid"),
	WORD("comm", "nobody known", "its name", .otel = "process.executable.name"),
	CONTAINER("in none"),
	{},
};
static const struct field histograms[] = {
	SAMPLED,
	FIGURE("rtt", "round trips of its connections"),
	FIGURE("connect", "connect() to established"),
	FIGURE("receive_wait", "data waits for the process"),
	FIGURE("send_wait", "data waits for the interface"),
	FIGURE("stall", "stalls that are over"),
	{},
};
static const struct field histogram_slot[] = {
	WORD("figure", NULL, "`rtt`, `connect`, `receive_wait`, `send_wait`, `stall`"),
	{},
};

static const struct field shares[] = {
	F("application", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "share of the time, 0 to 1"),
	F("receive_window", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "the same"),
	F("send_buffer", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "the same"),
	F("congestion_window", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "the same"),
	F("loss", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "the same"),
	F("pacing", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "the same"),
	{},
};
#define SHARES F("shares", FIELD_OBJECT, FIELD_NO_UNIT, NULL, "by what limited it", .of = shares)

static const struct field why_flow[] = {
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, "nobody known", "who used the socket last",
	    .otel = "process.pid"),
	WORD("comm", "nobody known", "its name", .otel = "process.executable.name"),
	CONTAINER("in none; it is not the owner"),
	OPT("laddr", FIELD_ADDR, FIELD_NO_UNIT, "wildcard", "local address"),
	OPT("lport", FIELD_INT, FIELD_NO_UNIT, "none", "local port"),
	OPT("raddr", FIELD_ADDR, FIELD_NO_UNIT, "none", "remote address"),
	OPT("rport", FIELD_INT, FIELD_NO_UNIT, "none", "remote port"),
	WORD("iface", "no route known", "interface of its route"),
	OPT("sock", FIELD_INT, FIELD_NO_UNIT, "not known", "socket cookie"),
	WORD("state", "not known", "TCP state"),
	VERDICT("not seen long enough", "what limited it most"),
	WORD("detail", "neither", "`nagle`, `cork`"),
	WORD("now", "not known", "the verdict of the last half second"),
	SHARES,
	WORD("advice", "no verdict", "what to do about it"),
	F("receive_queue_full", FIELD_NUMBER, FIELD_NO_UNIT, NULL,
	  "share of looks at which the process was slower than the peer"),
	BYTES("tx_bytes", "moved meanwhile"),
	BYTES("rx_bytes", "moved meanwhile"),
	OPT("srtt_us", FIELD_INT, FIELD_US, "not measured", "smoothed round trip"),
	OPT("rttvar_us", FIELD_INT, FIELD_US, "not measured", "its deviation"),
	OPT("min_rtt_us", FIELD_INT, FIELD_US, "not measured", "least round trip"),
	COUNT("cwnd", "congestion window, segments"),
	OPT("ssthresh", FIELD_INT, FIELD_NO_UNIT, "none yet", "slow start threshold, segments"),
	COUNT("in_flight", "segments"),
	BYTES("mss_bytes", "segment size"),
	BYTES("rwnd_bytes", "the peer's window"),
	BYTES("rcv_wnd_bytes", "own window"),
	BYTES("unsent_bytes", "in the send queue"),
	BYTES("unread_bytes", "in the receive queue"),
	BYTES("sndbuf_bytes", "send buffer"),
	BYTES("sndbuf_used_bytes", "of it"),
	OPT("pacing_bytes_per_s", FIELD_INT, FIELD_BYTES_S, "not paced", "pacing rate"),
	OPT("delivery_bytes_per_s", FIELD_INT, FIELD_BYTES_S, "not measured", "delivery rate"),
	BYTES("bytes_sent", "the kernel's counter"),
	BYTES("bytes_retrans", "the kernel's counter"),
	F("retransmit_share", FIELD_NUMBER, FIELD_NO_UNIT, NULL, "of bytes, 0 to 1"),
	OPT("busy_us", FIELD_INT, FIELD_US, NULL, "the kernel's clock: something to send"),
	OPT("rwnd_limited_us", FIELD_INT, FIELD_US, NULL, "of it: by the peer's window"),
	OPT("sndbuf_limited_us", FIELD_INT, FIELD_US, NULL, "of it: by the send buffer"),
	OPT("recovery_us", FIELD_INT, FIELD_US, NULL, "of it: in recovery"),
	{},
};
static const struct field why[] = {
	VERDICT("nothing matched, or not long enough", "what limited most"),
	WORD("detail", "neither", "`nagle`, `cork`"),
	SHARES,
	WORD("advice", "no verdict", "what to do about it"),
	COUNT("connections", "of TCP that matched"),
	COUNT("mptcp_connections",
	      "that matched at the last look and are not judged: what limits one is decided on each of its subflows"),
	F("flows", FIELD_OBJECTS, FIELD_NO_UNIT, NULL, "each of them", .of = why_flow),
	{},
};

static const struct field drops[] = {
	COUNT("packets", "dropped"),
	BYTES("bytes", "of them"),
	WORD("reason", "not told apart; the kernel gives none", "the running kernel's name for it"),
	WORD("kind", "the total", "`loss`, `policy`, `benign`, `others`"),
	FLAG("benign", "the total", "`kind` is `benign` or `others`"),
	WORD("seen_as", NULL,
	     "`packet`; `rest`: kinds that are not told apart any more; `counter`: an interface's own, may be among "
	     "the others as well; `sum` of a kind, `total` of all, both without counters"),
	WORD("location", "not told apart; not known", "kernel function"),
	WORD("iface", "not told apart; not known", "interface"),
	OPT("netns", FIELD_INT, FIELD_NO_UNIT, "not told apart; not known",
	    "inode of the network namespace"),
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, "not told apart; nobody known", "owner"),
	WORD("comm", "not told apart; nobody known", "its name"),
	WORD("owner_match", "not told apart", "as in [events](events.md#whose-it-is)"),
	CONTAINER("not told apart; in none"),
	WORD("transport", "not told apart; other", "`tcp`, `udp`, `icmp`"),
	OPT("lport", FIELD_INT, FIELD_NO_UNIT, "not told apart; none", "local port"),
	{},
};

static const struct field dns[] = {
	WORD("list", NULL, "`asked`, `slowest`, `failing`, `process`; `total`: all that was seen"),
	COUNT("queries", "transactions"),
	COUNT("answered", "of them"),
	COUNT("failed", "answered with an error"),
	COUNT("timeouts", "nobody answered"),
	COUNT("retries", "times the same was asked again"),
	OPT("mean_ms", FIELD_NUMBER, FIELD_MS, "nobody answered", "mean latency"),
	OPT("max_ms", FIELD_NUMBER, FIELD_MS, "nobody answered", "longest latency"),
	WORD("qname", "several", "what was asked"),
	WORD("qtype", "several", "`A`, `AAAA`, ..."),
	WORD("rcode", "several, or nobody answered", "`NOERROR`, `NXDOMAIN`, ..."),
	WORD("entity_id", "several", "address of the server"),
	OPT("pid", FIELD_INT, FIELD_NO_UNIT, "several, or nobody known", "who asked"),
	WORD("comm", "several, or nobody known", "its name"),
	CONTAINER("several, or in none"),
	{},
};

static const struct field guard_list[] = {
	WORD("action", NULL, "`ban`, `dry_run`, `allow`; `detect`: banned by detection"),
	WORD("source", NULL, "address or network"),
	WORD("transport", "any", "`tcp`, `udp`, `icmp`, or the number of another protocol"),
	WORD("ports", "any", "`80`, `80-90`"),
	OPT("expires_s", FIELD_INT, FIELD_S, "no end", "how long it holds still"),
	OPT("age_s", FIELD_INT, FIELD_S, "by detection", "since it was made"),
	COUNT("hits", "packets it met"),
	WORD("who", "not told", "who made it"),
	WORD("reason", "not told", "why"),
	{},
};

static const struct field guard_iface[] = {
	WORD("iface", NULL, "the interface", .otel = "network.interface.name"),
	COUNT("ifindex", "its number", .ipfix = 10),
	WORD("guard", NULL, "`monitor`, `filter`, `balance`"),
	WORD("xdp", NULL, "`none`, `native`, `generic`"),
	WORD("tc", NULL, "`none`, `tcx`, `clsact`"),
	OPT("program_id", FIELD_INT, FIELD_NO_UNIT, "none", "of the XDP program"),
	WORD("state", NULL, "`on`, `gone`, `lost`, `not delivering`, `moved`"),
	COUNT("rx_pkts", "as the hook sees them"),
	COUNT("tx_pkts", "as the hook sees them"),
	COUNT("dropped_pkts", "of `rx_pkts`"),
	{},
};
static const struct field guard_state[] = {
	FLAG("off", NULL, "everything passes"),
	COUNT("bans", "that hold now"),
	COUNT("allows", "that hold now"),
	COUNT("bans_max", "room"),
	OPT("confirm_s", FIELD_INT, FIELD_S, "nothing waits",
	    "until a change is undone that nobody confirms"),
	WORD("detect", NULL, "`off`, `dry_run`, `alert`, `ban`"),
	F("kernel_memory_kib", FIELD_INT, FIELD_KIB, NULL, "of its maps"),
	WORD("syn_cookies_can", NULL, "`no_filter`, `no_kernel`, `left_out`, `ready`"),
	OPT("tcp_syncookies", FIELD_INT, FIELD_NO_UNIT, "the kernel has none", "the sysctl"),
	COUNT("syn_cookie_services", "protected"),
	WORD("connections_tracked", NULL, "`no`, `yes`, `strict`"),
	{},
};

static const struct field syncookies[] = {
	WORD("service", NULL, "address and port"),
	WORD("when", NULL, "`always`, or under pressure"),
	OPT("syns_per_s", FIELD_INT, FIELD_PER_S, "always", "rate from which on"),
	WORD("state", NULL, "`waits`, `answers`, `dry_run`"),
	COUNT("sent", "SYN-ACKs with a cookie"),
	COUNT("accepted", "cookies that came back"),
	COUNT("refused", "wrong ones"),
	COUNT("passed", "SYNs left to the kernel"),
	COUNT("would_answer", "SYNs that a dry run would have answered"),
	{},
};

static const struct field guard_flows[] = {
	WORD("transport", NULL, "`tcp`, `udp`, `icmp`, or the number of another protocol",
	     .ipfix = 4),
	F("laddr", FIELD_ADDR, FIELD_NO_UNIT, NULL, "local address", .ipfix = 8, .ipfix6 = 27),
	OPT("lport", FIELD_INT, FIELD_NO_UNIT, "none", "local port", .ipfix = 7),
	F("raddr", FIELD_ADDR, FIELD_NO_UNIT, NULL, "remote address", .ipfix = 12, .ipfix6 = 28),
	OPT("rport", FIELD_INT, FIELD_NO_UNIT, "none", "remote port", .ipfix = 11),
	COUNT("ifindex", "number of the interface", .ipfix = 10),
	COUNT("rx_pkts", "received", .ipfix = IPFIX_REVERSE(2)),
	BYTES("rx_bytes", "received", .ipfix = IPFIX_REVERSE(1)),
	COUNT("tx_pkts", "sent", .ipfix = 2),
	BYTES("tx_bytes", "sent", .ipfix = 1),
	{},
};

static const struct field instance[] = {
	COUNT("schema", "as in [events](events.md#every-record)"),
	F("ts", FIELD_TIME, FIELD_NO_UNIT, NULL, "when it was asked for"),
	WORD("host", NULL, "name of this machine", .otel = "host.name"),
	WORD("mode", "it did not answer", "`ebpf`, `afpacket`, `proc`"),
	COUNT("pid", "of the instance"),
	WORD("command", "it did not answer", "`top`, `events`, ..."),
	F("start", FIELD_TIME, FIELD_NO_UNIT, "it did not answer", "when it began"),
	WORD("version", "it did not answer", "of netprobe"),
	{},
};

static const struct field instance_who[] = {
	COUNT("pid", "of the instance"),
	WORD("command", NULL, "`top`, `events`, ..."),
	WORD("mode", NULL, "`ebpf`, `afpacket`, `proc`"),
	F("start", FIELD_TIME, FIELD_NO_UNIT, NULL, "when it began"),
	WORD("version", NULL, "of netprobe"),
	{},
};
static const struct field account[] = {
	WORD("program", NULL, "row of the [account](events.md#probeloss)"),
	COUNT("seen", "as in [probe.loss](events.md#probeloss)"),
	COUNT("submitted", "the same"),
	COUNT("ring_full", "the same"),
	COUNT("filtered", "the same"),
	COUNT("sampled_out", "the same"),
	COUNT("rate_limited", "the same"),
	COUNT("map_full", "the same"),
	BYTES("lost_tx_bytes", "the same"),
	BYTES("lost_rx_bytes", "the same"),
	COUNT("helper_errors", "the same"),
	COUNT("missed", "the same"),
	COUNT("implausible", "the same"),
	COUNT("lost", "`num` there"),
	WORD("unit", NULL, "of what the row counts"),
	{},
};
static const struct field instance_stats[] = {
	F("instance", FIELD_OBJECT, FIELD_NO_UNIT, NULL, "who answered", .of = instance_who),
	F("uptime_s", FIELD_NUMBER, FIELD_S, NULL, "since it captures"),
	COUNT("sockets", "in its table"),
	COUNT("open_sockets", "of them open"),
	COUNT("flows_dropped", "that had no room in it"),
	COUNT("cgroups_full", "owners without a cgroup, for want of room"),
	F("programs", FIELD_OBJECTS, FIELD_NO_UNIT, NULL, "the account of losses", .of = account),
	{},
};

const struct record_type record_types_rows[] = {
	{ "top", true, "A row of `top`.", { record_fields_row, top } },
	{ "flows", true, "A flow.", { record_fields_row, flows } },
	{ "flows histograms",
	  true,
	  "Latencies of a process, in JSON.",
	  { record_fields_row, process, histograms } },
	{ "flows histograms slot",
	  true,
	  "Latencies of a process by length, in CSV and TSV.",
	  { record_fields_row, process, histogram_slot, slot } },
	{ "why", true, "What limits connections.", { record_fields_row, why } },
	{ "drops summary", true, "A kind of drops.", { record_fields_row, drops } },
	{ "dns summary", true, "A row of a list.", { record_fields_row, dns } },
	{ "guard list", true, "A ban or an allowance.", { record_fields_row, guard_list } },
	{ "guard status", true, "Where guard is.", { record_fields_row, guard_iface } },
	{ "guard status all", true, "Guard as a whole.", { record_fields_row, guard_state } },
	{ "guard syncookie", true, "A protected service.", { record_fields_row, syncookies } },
	{ "guard stats flows",
	  true,
	  "A flow, as guard sees it.",
	  { record_fields_row, guard_flows } },
	{ "ctl list", true, "A running instance.", { instance } },
	{ "doctor", true, "What this machine allows.", { record_fields_doctor } },
	{ "ctl stats", true, "What an instance lost.", { record_fields_row, instance_stats } },
	{},
};
