/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of fields that types share (see field.h). */
#include "event/field.h"

#include <stddef.h>

#define SUM "the record is of no process: a sum, or nobody is known"

const struct field record_fields_common[] = {
	{ .name = "schema",
	  .type = FIELD_INT,
	  .what = "version of the fields; raised when one changes its meaning or goes" },
	{ .name = "ts", .type = FIELD_TIME, .ipfix = 325, .what = "when it happened" },
	{ .name = "ktime_ns",
	  .type = FIELD_INT,
	  .unit = FIELD_NS,
	  .what = "the same moment on CLOCK_MONOTONIC" },
	{ .name = "host",
	  .type = FIELD_STRING,
	  .what = "name of this machine",
	  .otel = "host.name" },
	{ .name = "event_type", .type = FIELD_STRING, .what = "see below", .otel = "event.name" },
	{ .name = "entity_id",
	  .type = FIELD_STRING,
	  .null = "not known",
	  .what = "what it is about: an interface, `socket-<cookie>`, a program of the probe" },
	{ .name = "value",
	  .type = FIELD_STRING,
	  .null = "not known",
	  .what = "the figure as text" },
	{ .name = "num",
	  .type = FIELD_NUMBER,
	  .null = "not known, or without an end",
	  .what = "the figure as a number" },
	{ .name = "unit", .type = FIELD_STRING, .what = "of `num`" },
	{ .name = "mode",
	  .type = FIELD_STRING,
	  .what = "`ebpf`, `afpacket`, `proc`: how it was seen" },
	{ .name = "sample_rate",
	  .type = FIELD_INT,
	  .ipfix = 34,
	  .what = "the flow stands for so many, and counts are scaled already; 1: all are recorded" },
	{},
};

const struct field record_fields_owner[] = {
	{ .name = "pid",
	  .type = FIELD_INT,
	  .null = SUM,
	  .what = "process id, in the initial pid namespace",
	  .otel = "process.pid" },
	{ .name = "ns_pid",
	  .type = FIELD_INT,
	  .null = "not told: only `ebpf` knows",
	  .what = "its number in its own pid namespace, as it knows itself, and its container's `ps`",
	  .otel = "process.vpid" },
	{ .name = "tid",
	  .type = FIELD_INT,
	  .null = "in records of an interval",
	  .what = "thread that used the socket last",
	  .otel = "thread.id" },
	{ .name = "ppid",
	  .type = FIELD_INT,
	  .null = "with `pid`; the initial process",
	  .what = "its parent",
	  .otel = "process.parent_pid" },
	{ .name = "comm",
	  .type = FIELD_STRING,
	  .null = "with `pid`",
	  .what = "its name",
	  .otel = "process.executable.name" },
	{ .name = "exe",
	  .type = FIELD_STRING,
	  .null = "with `pid`; could not be read",
	  .what = "path of its program",
	  .otel = "process.executable.path" },
	{ .name = "uid",
	  .type = FIELD_INT,
	  .null = "with `pid`",
	  .what = "its user, in the initial user namespace",
	  .otel = "process.real_user.id" },
	{ .name = "owner_match",
	  .type = FIELD_STRING,
	  .null = "the record is a sum over owners",
	  .what = "`exact`: seen using the socket, or holding its file. `listener`: accepted, nobody used it yet, "
		  "its listener's owner. `procfs`: joined from /proc. `none`: nobody known" },
	{},
};

const struct field record_fields_cpu[] = {
	{ .name = "cpu_pid",
	  .type = FIELD_INT,
	  .null = "not known; stalls",
	  .what = "the task that happened to be on the processor, 0 the idle one; **not the owner**" },
	{ .name = "cpu_comm", .type = FIELD_STRING, .null = "with `cpu_pid`", .what = "its name" },
	{},
};

const struct field record_fields_container[] = {
	{ .name = "id",
	  .type = FIELD_STRING,
	  .what = "by the cgroup's path; where that tells none, by the process's cgroups in v1 hierarchies (the "
		  "deepest that is a container's)",
	  .otel = "container.id" },
	{ .name = "name",
	  .type = FIELD_STRING,
	  .null = "not found; no runtime is asked",
	  .what = "as whoever started it wrote it: that of LXC and systemd-nspawn, of others by the files of "
		  "their runtimes, see [containers.md](containers.md)",
	  .otel = "container.name" },
	{ .name = "runtime",
	  .type = FIELD_STRING,
	  .null = "neither the cgroup's path nor a file tells",
	  .what = "`docker`, `containerd`, ...",
	  .otel = "container.runtime.name" },
	{ .name = "pod",
	  .type = FIELD_STRING,
	  .null = "in none",
	  .what = "UID of its pod",
	  .otel = "k8s.pod.uid" },
	{ .name = "namespace",
	  .type = FIELD_STRING,
	  .null = "not found",
	  .what = "of Kubernetes",
	  .otel = "k8s.namespace.name" },
	{ .name = "image",
	  .type = FIELD_STRING,
	  .null = "not found",
	  .what = "what it was made of, as the runtime was told it",
	  .otel = "container.image.name" },
	{ .name = "pod_name",
	  .type = FIELD_STRING,
	  .null = "not found",
	  .what = "of Kubernetes",
	  .otel = "k8s.pod.name" },
	{ .name = "project",
	  .type = FIELD_STRING,
	  .null = "not of Compose, or not found",
	  .what = "Compose's" },
	{ .name = "service",
	  .type = FIELD_STRING,
	  .null = "not of Compose, or not found",
	  .what = "Compose's" },
	{},
};

const struct field record_fields_cgroup[] = {
	{ .name = "cgroup_id",
	  .type = FIELD_INT,
	  .null = "with `pid`; not known",
	  .what = "cgroup v2 of the owner, by its number" },
	{ .name = "cgroup",
	  .type = FIELD_STRING,
	  .null = "with `pid`; not known",
	  .what = "its path",
	  .otel = "process.linux.cgroup" },
	{ .name = "container",
	  .type = FIELD_OBJECT,
	  .null = "the owner is in none",
	  .what = "of the owner",
	  .of = record_fields_container },
	{},
};

#define NETNS                                                            \
	{                                                                \
		.name = "netns", .type = FIELD_INT, .null = "not known", \
		.what = "inode of the network namespace"                 \
	}

#define IFACE(null_when, meaning)                                                        \
	{                                                                                \
		.name = "iface", .type = FIELD_STRING, .ipfix = 82, .null = (null_when), \
		.what = (meaning), .otel = "network.interface.name"                      \
	}

const struct field record_fields_place[] = {
	NETNS,
	IFACE("not known", "the interface, by its name in that namespace"),
	{},
};

const struct field record_fields_ends[] = {
	NETNS,
	{ .name = "transport",
	  .type = FIELD_STRING,
	  .ipfix = 4,
	  .null = "other, or a sum",
	  .what = "`tcp`, `mptcp` ([one row for all its subflows](flows.md)), `udp` (UDP-Lite too), `icmp`",
	  .otel = "network.transport" },
	{ .name = "family",
	  .type = FIELD_STRING,
	  .ipfix = 60,
	  .null = "a sum",
	  .what = "`ipv4`, `ipv6`; a v4-mapped address is `ipv4`",
	  .otel = "network.type" },
	{ .name = "laddr",
	  .type = FIELD_ADDR,
	  .ipfix = 8,
	  .ipfix6 = 27,
	  .null = "wildcard, or none",
	  .what = "local address",
	  .otel = "network.local.address" },
	{ .name = "lport",
	  .type = FIELD_INT,
	  .ipfix = 7,
	  .null = "none",
	  .what = "local port",
	  .otel = "network.local.port" },
	{ .name = "raddr",
	  .type = FIELD_ADDR,
	  .ipfix = 12,
	  .ipfix6 = 28,
	  .null = "none",
	  .what = "remote address",
	  .otel = "network.peer.address" },
	{ .name = "rport",
	  .type = FIELD_INT,
	  .ipfix = 11,
	  .null = "none",
	  .what = "remote port",
	  .otel = "network.peer.port" },
	{ .name = "rname",
	  .type = FIELD_STRING,
	  .null = "nobody was seen to ask",
	  .what = "what the remote address is called: the name a process asked for and got this address "
		  "([names](dns.md))" },
	IFACE("no route known",
	      "interface of the route, by its name in that namespace; of SYN-ACKs sent again, to the peer of the "
	      "last one"),
	{ .name = "direction",
	  .type = FIELD_STRING,
	  .ipfix = 61,
	  .null = "does not apply",
	  .what = "`tx`, `rx`",
	  .otel = "network.io.direction" },
	{ .name = "state",
	  .type = FIELD_STRING,
	  .null = "not TCP",
	  .what = "TCP state, as ss spells it out: `ESTABLISHED`, `SYN_SENT`, ...",
	  .otel = "network.connection.state" },
	{ .name = "sock",
	  .type = FIELD_INT,
	  .null = "a sum; with `--hook kprobe`, where `entity_id` has a number of netprobe's own (`socket-x...`)",
	  .what = "socket cookie, the one of `ss -e`" },
	{},
};

#define COUNT(key, meaning)                                         \
	{                                                           \
		.name = (key), .type = FIELD_INT, .what = (meaning) \
	}
#define BYTES(key, meaning)                                                              \
	{                                                                                \
		.name = (key), .type = FIELD_INT, .unit = FIELD_BYTES, .what = (meaning) \
	}

static const struct field packets_bytes[] = {
	COUNT("packets", "frames"),
	BYTES("bytes", "as the hook sees them"),
	{},
};

#define KIND(key, meaning)                                                                  \
	{                                                                                   \
		.name = (key), .type = FIELD_OBJECT, .what = (meaning), .of = packets_bytes \
	}

const struct field record_fields_way[] = {
	COUNT("packets", "as the hook sees them, large segments as one"),
	BYTES("bytes", "as the hook sees them"),
	COUNT("segments", "as they are on the wire"),
	BYTES("wire_bytes", "as they are on the wire"),
	COUNT("ipv6_packets", "of `packets`"),
	KIND("tcp", "TCP"),
	KIND("udp", "UDP"),
	KIND("icmp", "ICMP of both families"),
	KIND("other", "other protocols above IP"),
	KIND("non_ip", "neither IPv4 nor IPv6"),
	COUNT("device_packets", "by the kernel's own counter"),
	BYTES("device_bytes", "by the kernel's own counter"),
	COUNT("device_dropped", "by the kernel's own counter"),
	COUNT("device_errors", "by the kernel's own counter"),
	{},
};

static const struct field drop_causes[] = {
	COUNT("ban", "its source is banned"),
	COUNT("limit", "above a limit"),
	COUNT("detect", "detection banned it"),
	COUNT("syn_cookie", "no SYN cookie, or a wrong one"),
	{},
};

static const struct field malformed[] = {
	COUNT("short_ethernet", ""),
	COUNT("many_tags", ""),
	COUNT("short_ip", ""),
	COUNT("ip_version", ""),
	COUNT("ip_header", ""),
	COUNT("ip_length", ""),
	COUNT("short_extension", ""),
	COUNT("many_extensions", ""),
	COUNT("fragment_end", ""),
	COUNT("fragment_size", ""),
	COUNT("fragment_tiny", ""),
	COUNT("short_transport", ""),
	COUNT("tcp_header", ""),
	COUNT("tcp_flags", ""),
	COUNT("udp_length", ""),
	COUNT("port_zero", ""),
	{},
};

#define NO_GUARD "guard is not on it"
#define GUARD_COUNT(key, meaning)                                                     \
	{                                                                             \
		.name = (key), .type = FIELD_INT, .null = NO_GUARD, .what = (meaning) \
	}
#define GUARD_OBJECT(key, fields, meaning)                                                \
	{                                                                                 \
		.name = (key), .type = FIELD_OBJECT, .null = NO_GUARD, .what = (meaning), \
		.of = (fields)                                                            \
	}

const struct field record_fields_guard[] = {
	GUARD_OBJECT("rx", record_fields_way, "what came in"),
	GUARD_OBJECT("tx", record_fields_way, "what went out"),
	GUARD_OBJECT("dropped", drop_causes, "packets that guard dropped"),
	{ .name = "dropped_bytes",
	  .type = FIELD_INT,
	  .unit = FIELD_BYTES,
	  .null = NO_GUARD,
	  .what = "of them" },
	GUARD_OBJECT("would_drop", drop_causes, "packets that a dry run would have dropped"),
	GUARD_COUNT("allowed", "packets of sources that are allowed"),
	GUARD_COUNT("syn_cookies", "SYN-ACKs with a cookie that were sent"),
	GUARD_OBJECT("malformed", malformed,
		     "packets by what is wrong with them, see [guard](guard.md#what-is-counted)"),
	GUARD_COUNT("lost_flows", "packets that no flow entry could be made for"),
	GUARD_COUNT("lost_sources", "sources forgotten within a second of their last packet"),
	GUARD_COUNT("lost_nested", "look-ups given up: too many networks within networks"),
	GUARD_COUNT("unfinished",
		    "packets dropped by a ban that could hold for what the parser did not get to"),
	{ .name = "tx_errors",
	  .type = FIELD_INT,
	  .null = "the kernel does not tell",
	  .what = "frames that guard handed to a driver, which did not take them" },
	{},
};

const struct field record_fields_row[] = {
	{ .name = "schema", .type = FIELD_INT, .what = "as in [events](events.md#every-record)" },
	{ .name = "ts", .type = FIELD_TIME, .ipfix = 325, .what = "when it was asked for" },
	{ .name = "host",
	  .type = FIELD_STRING,
	  .what = "name of this machine",
	  .otel = "host.name" },
	{ .name = "mode",
	  .type = FIELD_STRING,
	  .what = "`ebpf`, `afpacket`, `proc`: how it was seen" },
	{},
};
