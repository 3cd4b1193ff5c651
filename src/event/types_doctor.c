/* SPDX-License-Identifier: BSD-2-Clause */
/* What `doctor` tells of this machine, field by field (see field.h). */
#include "event/macros.h"

static const struct field alternative[] = {
	WORD("family", NULL, "`tracepoint`, `fentry`, `kprobe`"),
	WORD("kind", NULL, "kind of program"),
	WORD("status", NULL, "`in use`, `works`, `failed`, `silent`, ..."),
	FLAG("in_use", NULL, "it is the one that is used"),
	WORD("target", "it has none", "what it is attached to"),
	WORD("since", "all have it", "first kernel that has it"),
	WORD("until", "none yet", "last kernel that has it"),
	WORD("lacks", "nothing", "what it does not see"),
	F("errno", FIELD_INT, FIELD_NO_UNIT, "nothing failed", "why it cannot be had"),
	WORD("error", "nothing failed", "its name"),
	WORD("reason", "nothing failed", "in words"),
	WORD("remedy", "there is none", "what to do about it"),
	{},
};
static const struct field hook[] = {
	WORD("hook", NULL, "`send`, `recv`, ..."),
	WORD("what", NULL, "what it sees"),
	FLAG("required", NULL, "without it there is no mode ebpf"),
	FLAG("delivers", NULL, "it was seen to deliver"),
	F("alternatives", FIELD_OBJECTS, FIELD_NO_UNIT, NULL, "in the order they are tried",
	  .of = alternative),
	{},
};
static const struct field modes[] = {
	FLAG("ebpf", NULL, "it works here"),
	FLAG("afpacket", NULL, "the same"),
	FLAG("proc", NULL, "the same"),
	{},
};

const struct field record_fields_doctor[] = {
	COUNT("schema", "as in [events](events.md#every-record)"),
	F("ts", FIELD_TIME, FIELD_NO_UNIT, NULL, "when it was asked for"),
	WORD("host", NULL, "name of this machine", .otel = "host.name"),
	WORD("mode", "none works", "what `--capture-mode auto` takes"),
	F("descriptors", FIELD_INT, FIELD_NO_UNIT, "no limit", "files that may be open"),
	FLAG("descriptors_enough", "no limit", "for mode ebpf"),
	WORD("kernel", NULL, "its release"),
	WORD("arch", NULL, "of the machine"),
	FLAG("btf", NULL, "there is BTF of this kernel"),
	FLAG("btf_own", NULL, "the kernel has it itself"),
	WORD("uprobes_missing", "nothing", "why calls of the resolver are not seen"),
	F("memory_limit_bytes", FIELD_INT, FIELD_BYTES, "none", "of this process's cgroups"),
	FLAG("cap_bpf", NULL, "the capability is there"),
	FLAG("cap_perfmon", NULL, "the same"),
	FLAG("cap_net_admin", NULL, "the same"),
	FLAG("trampolines", "not known", "fentry works"),
	FLAG("kprobes", NULL, "the kernel has them"),
	WORD("cgroup_mount", "none", "where cgroup v2 is"),
	WORD("lockdown", "none", "of the kernel"),
	F("unprivileged_bpf_disabled", FIELD_INT, FIELD_NO_UNIT, "not known", "the sysctl"),
	FLAG("xdp_syncookies", "not known", "the kernel has helpers for them"),
	F("tcp_syncookies", FIELD_INT, FIELD_NO_UNIT, "the kernel has none", "the sysctl"),
	WORD("connections_tracked", NULL, "`no`, `yes`, `strict`"),
	FLAG("ebpf", NULL, "mode ebpf works here"),
	WORD("family", "it does not", "family of the hooks in use"),
	WORD("error", "it works", "why not"),
	WORD("remedy", "none needed", "what to do about it"),
	WORD("note", "nothing", "what else there is to know"),
	F("modes", FIELD_OBJECT, FIELD_NO_UNIT, NULL, "each of them", .of = modes),
	F("hooks", FIELD_OBJECTS, FIELD_NO_UNIT, NULL, "each of them", .of = hook),
	{},
};
