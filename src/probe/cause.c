/* SPDX-License-Identifier: BSD-2-Clause */
/* Why something of the kernel's cannot be had, in words (see kernel.h). Pure: facts and an errno in, a clause out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe/kernel.h"

static void set(char *s, size_t size, const char *text)
{
	(void)snprintf(s, size, "%s", text);
}

static void reason_missing(const char *section, const char *release, char *reason, size_t size)
{
	const char *slash = strchr(section, '/');
	const char *what = !strncmp(section, "tp_btf/", 7) ? "tracepoint" : "function";

	(void)snprintf(reason, size, "kernel %.32s has no %s %s that can be attached to", release,
		       what, slash ? slash + 1 : section);
}

static bool by_trampoline(const char *section)
{
	return !strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6);
}

bool kernel_refuses_bpf(const struct kernel_facts *facts, char *reason, size_t reason_size,
			char *remedy, size_t remedy_size)
{
	int e = facts->bpf_err;

	reason[0] = remedy[0] = '\0';
	if (!strcmp(facts->lockdown, "confidentiality")) {
		set(reason, reason_size,
		    "kernel lockdown is in confidentiality mode: BPF may not read kernel memory");
		set(remedy, remedy_size, "boot with lockdown=integrity or none");
	} else if (e <= 0 && facts->cmpxchg_err > 0) {
		(void)snprintf(
			reason, reason_size,
			"the BPF of kernel %.32s has no compare-and-swap (%s for a program of six instructions)",
			facts->release, strerrorname_np(facts->cmpxchg_err));
		set(remedy, remedy_size, "Linux has it since 5.12");
	} else if (e <= 0) {
		return false;
	} else if (facts->user_ns && e == EPERM) {
		set(reason, reason_size,
		    "this process has its capabilities in a user namespace, and bpf(2) takes those of the initial one (EPERM)");
		set(remedy, remedy_size, "run it outside of the container's user namespace");
	} else if (facts->seccomp == 2 && (e == EPERM || e == ENOSYS || e == EACCES)) {
		(void)snprintf(reason, reason_size,
			       "a seccomp filter on this process refuses bpf(2) (%s)",
			       strerrorname_np(e));
		set(remedy, remedy_size,
		    "let the container runtime or service manager allow bpf(2) and perf_event_open(2)");
	} else if (e == ENOSYS) {
		(void)snprintf(reason, reason_size,
			       "kernel %.32s is built without bpf(2) (CONFIG_BPF_SYSCALL)",
			       facts->release);
	} else if (e == EPERM && facts->version < (5U << 16 | 11U << 8) &&
		   !facts->cap_sys_resource) {
		set(reason, reason_size,
		    "BPF maps do not fit into the memory that may be locked (RLIMIT_MEMLOCK)");
		set(remedy, remedy_size, "raise it: ulimit -l unlimited, or LimitMEMLOCK=infinity");
	} else if (e == EPERM || e == EACCES) {
		(void)snprintf(
			reason, reason_size,
			"bpf(2) is refused (%s) although all capabilities are there: a security module",
			strerrorname_np(e));
		set(remedy, remedy_size,
		    "look for a rule of AppArmor, SELinux or a BPF LSM program");
	} else {
		(void)snprintf(reason, reason_size, "bpf(2) fails: %s", strerror(e));
	}
	return true;
}

/* What perf_event_open(2), by which kprobes and perf buffers are made, is refused for; false: for nothing known. */
static bool refuses_perf(const struct kernel_facts *facts, int err, char *reason,
			 size_t reason_size, char *remedy, size_t remedy_size)
{
	if (err == EACCES && facts->perf_paranoid > 2 && !facts->cap_sys_admin) {
		/* Debian's and Ubuntu's level 3; the kernel's own levels end at 2. */
		(void)snprintf(
			reason, reason_size,
			"kernel.perf_event_paranoid is %d, where perf_event_open(2) takes CAP_SYS_ADMIN",
			facts->perf_paranoid);
		set(remedy, remedy_size,
		    "sysctl kernel.perf_event_paranoid=2, or grant CAP_SYS_ADMIN");
		return true;
	}
	/* EACCES is the verifier's answer too: by itself it says nothing of filters. */
	if (err == EPERM && facts->seccomp == 2) {
		set(reason, reason_size,
		    "a seccomp filter on this process refuses perf_event_open(2) (EPERM)");
		set(remedy, remedy_size,
		    "let the container runtime or service manager allow perf_event_open(2)");
		return true;
	}
	return false;
}

void kernel_perf_reason(const struct kernel_facts *facts, int err, char *reason, size_t reason_size,
			char *remedy, size_t remedy_size)
{
	reason[0] = remedy[0] = '\0';
	if (refuses_perf(facts, err, reason, reason_size, remedy, remedy_size))
		return;
	if (facts->seccomp == 2 && (err == EACCES || err == ENOSYS))
		(void)snprintf(reason, reason_size,
			       "a seccomp filter on this process refuses perf_event_open(2) (%s)",
			       strerrorname_np(err));
	else if (err == ENOSYS)
		set(reason, reason_size,
		    "the kernel is built without perf_event_open(2) (CONFIG_PERF_EVENTS)");
	else
		(void)snprintf(reason, reason_size, "perf_event_open(2) or its buffer: %s",
			       strerror(err));
}

void kernel_reason(const struct kernel_facts *facts, const char *section, int err, char *reason,
		   size_t reason_size, char *remedy, size_t remedy_size)
{
	const char *cap = kernel_missing_cap(facts);

	reason[0] = remedy[0] = '\0';
	if (cap) {
		(void)snprintf(reason, reason_size, "this process lacks %s", cap);
		(void)snprintf(remedy, remedy_size,
			       "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	} else if (!facts->btf) {
		set(reason, reason_size, "the kernel carries no BTF (/sys/kernel/btf/vmlinux)");
		set(remedy, remedy_size,
		    "give a BTF file of this kernel by netprobe_config.btf, or use a kernel with CONFIG_DEBUG_INFO_BTF");
	} else if (kernel_refuses_bpf(facts, reason, reason_size, remedy, remedy_size)) {
		return;
	} else if (kernel_by_kprobe(section) && !facts->kprobe_pmu) {
		set(reason, reason_size,
		    "the kernel is built without kprobes (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS)");
		set(remedy, remedy_size, "none needed where another alternative is in use");
	} else if (by_trampoline(section) && facts->trampoline_err > 0) {
		(void)snprintf(
			reason, reason_size,
			"this kernel refuses every BPF trampoline program (%s for one that does nothing)",
			strerrorname_np(facts->trampoline_err));
		set(remedy, remedy_size,
		    "none needed where another alternative is in use; otherwise a kernel with CONFIG_FUNCTION_TRACER and ftrace direct calls");
	} else if (kernel_by_kprobe(section) &&
		   refuses_perf(facts, err, reason, reason_size, remedy, remedy_size)) {
		return;
	} else if (err == ENOENT || err == ESRCH) {
		reason_missing(section, facts->release, reason, reason_size);
	} else if (err == EINVAL || err == EACCES || err == E2BIG) {
		(void)snprintf(reason, reason_size,
			       "the verifier of kernel %.32s rejected the program", facts->release);
		set(remedy, remedy_size, "report it with all that netprobe_examine tells");
	} else if (err == EPERM) {
		set(reason, reason_size,
		    "refused by the kernel although all capabilities are there");
		set(remedy, remedy_size,
		    "look for a security module or seccomp filter that denies bpf(2)");
	} else if (err) {
		(void)snprintf(reason, reason_size, "%s", strerror(err));
	}
}
