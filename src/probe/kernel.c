/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about the kernel (see kernel.h). Reads /proc and /sys, tries one trivial program. */
#include "probe/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cgroup2.h"
#include "base/self.h"
#include "base/trust.h"
#include "probe/preempted.h"

static int read_line(const char *path, char *s, size_t size)
{
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f)
		return -errno;
	if (!fgets(s, (int)size, f))
		r = -EIO;
	else
		s[strcspn(s, "\n")] = '\0';
	(void)fclose(f);
	return r;
}

static int read_int(const char *path)
{
	char s[32];

	return read_line(path, s, sizeof(s)) ? -1 : atoi(s);
}

/* "none [integrity] confidentiality" -> "integrity". */
static void read_lockdown(char *s, size_t size)
{
	char line[128], *from, *to;

	s[0] = '\0';
	if (read_line("/sys/kernel/security/lockdown", line, sizeof(line)))
		return;
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to) {
		*to = '\0';
		(void)snprintf(s, size, "%s", from + 1);
	}
}

/* "4:memory:/a": of the v2 tree the line begins with 0. */
static bool has_v1(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;
	int c, last = '\n';

	for (; f && !found && (c = getc(f)) != EOF; last = c)
		found = last == '\n' && c != '0';
	if (f)
		(void)fclose(f);
	return found;
}

/* Programs by trampoline may be refused whole, whatever the function: try one that does nothing. */
static int try_trampoline(const struct btf *btf)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id, fd, link, r = 0;

	if (!btf)
		return -1;
	id = btf__find_by_name_kind(btf, "inet_release", BTF_KIND_FUNC);
	if (id < 0)
		return ENOENT;
	opts.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "np_try", "GPL", insns, 2, &opts);
	if (fd < 0)
		return errno;
	link = bpf_raw_tracepoint_open(NULL, fd);
	if (link < 0)
		r = errno;
	else
		(void)close(link);
	(void)close(fd);
	return r;
}

uint32_t kernel_own_tgid(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "np_self", "GPL", insns, 3, NULL);
	uint32_t tgid = (uint32_t)getpid();

	if (fd < 0)
		return tgid;
	/* in this very call, so this is the current task; raw tracepoints are run so since 5.10 */
	if (!bpf_prog_test_run_opts(fd, &run) && run.retval)
		tgid = run.retval;
	(void)close(fd);
	return tgid;
}

/* The smallest thing bpf(2) can make: what refuses this refuses everything. */
static int try_map(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_try", 4, 4, 1, NULL);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/*
 * Who owns a socket and who may claim a part of it is settled by compare-and-swap, which BPF has since 5.12 (5ffa25502b5a);
 * tracing programs may not take BPF's spin locks instead. Distributions bring such things to older kernels: so tried.
 */
static int try_cmpxchg(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0,
		  .off = -8 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_1,
		  .off = -8,
		  .imm = BPF_CMPXCHG },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "np_try", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static bool has_any_func(const struct btf *btf)
{
	for (__u32 i = 1; btf && i < btf__type_cnt(btf); i++)
		if (btf_is_func(btf__type_by_id(btf, i)))
			return true;
	return false;
}

static const char *btf_folder(void)
{
	const char *env = secure_getenv("NETPROBE_BTF_DIR");

	return env && *env ? env : NETPROBE_BTF_DIR;
}

/*
 * path itself, or RELEASE.btf in it where it is a folder. Offsets come out of that file, so whoever writes it chooses what
 * kernel memory is read: -EPERM where that is not root and the program has more rights than its user. Errors leave ret empty.
 */
static int find_btf(const char *path, char *ret, size_t size)
{
	struct utsname uts;
	struct stat st;
	int n;

	ret[0] = '\0';
	if (stat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		n = snprintf(ret, size, "%s", path);
	else if (uname(&uts))
		return -errno;
	else
		n = snprintf(ret, size, "%s/%s.btf", path, uts.release);
	n = n < 0 || (size_t)n >= size || access(ret, R_OK) ? -ENOENT : 0;
	/* Whoever opens a FIFO waits for who writes to it. */
	if (!n && (stat(ret, &st) || !S_ISREG(st.st_mode)))
		n = -EINVAL;
	if (!n && trust_is_higher())
		n = trust_only_root(ret, size);
	if (n)
		ret[0] = '\0';
	return n;
}

void kernel_facts_init(struct kernel_facts *facts, const char *btf_path)
{
	libbpf_print_fn_t print;
	struct utsname uts;
	unsigned int major = 0, minor = 0;

	memset(facts, 0, sizeof(*facts));
	if (!uname(&uts)) {
		(void)snprintf(facts->release, sizeof(facts->release), "%s", uts.release);
		(void)snprintf(facts->arch, sizeof(facts->arch), "%s", uts.machine);
		(void)sscanf(uts.release, "%u.%u", &major, &minor);
		facts->version = major << 16 | minor << 8;
	}
	facts->btf_own = !access("/sys/kernel/btf/vmlinux", R_OK);
	print = libbpf_set_print(NULL); /* that there is none is told in our own words */
	facts->btf = btf__load_vmlinux_btf();
	if (!facts->btf)
		facts->btf_err = errno;
	(void)libbpf_set_print(print);
	facts->btf_holders = 1;
	if (btf_path)
		(void)find_btf(btf_path, facts->btf_path, sizeof(facts->btf_path));
	else if (!facts->btf)
		(void)find_btf(btf_folder(), facts->btf_path, sizeof(facts->btf_path));
	if (!facts->btf && facts->btf_path[0])
		facts->btf = btf__parse(facts->btf_path, NULL);
	facts->btf_funcs = has_any_func(facts->btf);
	if (!capng_get_caps_process()) {
		facts->cap_sys_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
		facts->cap_bpf = facts->cap_sys_admin ||
				 capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF);
		facts->cap_perfmon = facts->cap_sys_admin ||
				     capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON);
		facts->cap_net_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
		facts->cap_sys_resource = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_RESOURCE);
	}
	read_lockdown(facts->lockdown, sizeof(facts->lockdown));
	facts->unprivileged_disabled = read_int("/proc/sys/kernel/unprivileged_bpf_disabled");
	facts->perf_paranoid = read_int("/proc/sys/kernel/perf_event_paranoid");
	facts->kprobe_pmu = !access("/sys/bus/event_source/devices/kprobe/type", F_OK);
	facts->seccomp = self_seccomp();
	facts->user_ns = self_in_user_namespace();
	facts->bpf_err = kernel_missing_cap(facts) ? -1 : try_map();
	facts->cmpxchg_err = facts->bpf_err ? -1 : try_cmpxchg();
	facts->trampoline_err = kernel_missing_cap(facts) || facts->bpf_err || !facts->btf_own
					? -1
					: try_trampoline(facts->btf);
	facts->tp_preempted = facts->trampoline_err >= 0 && tracepoints_are_preempted(facts->btf);
	facts->cgroup_v1 = has_v1();
	facts->cgroup = cgroup2_root(facts->cgroup_missing, sizeof(facts->cgroup_missing));
}

int kernel_btf_check(const char *path, struct netprobe_error *err)
{
	libbpf_print_fn_t print;
	struct utsname uts;
	char file[256];
	struct btf *btf;
	int r = find_btf(path, file, sizeof(file));

	if (r == -EPERM)
		return error_set(
			err, r,
			"'%s' can be changed by others than root; with file capabilities netprobe takes a BTF file of root's only",
			path);
	if (r == -EINVAL)
		return error_set(
			err, r,
			"'%s' is not a regular file; takes a BTF file of this kernel, or a folder with one",
			path);
	if (r && !uname(&uts))
		return error_set(
			err, -EINVAL,
			"'%s' has no %s.btf; takes a BTF file of this kernel, or a folder with one",
			path, uts.release);
	print = libbpf_set_print(NULL); /* it would tell of it in its own words */
	btf = btf__parse(file, NULL);
	(void)libbpf_set_print(print);
	if (!btf)
		return error_set(
			err, -EINVAL,
			"'%s' holds no BTF; takes a BTF file, or a vmlinux with debug information",
			file);
	btf__free(btf);
	return 0;
}

void kernel_facts_done(struct kernel_facts *facts)
{
	btf__free(facts->btf);
	facts->btf = NULL;
	facts->btf_holders = 0;
}

void kernel_btf_hold(struct kernel_facts *facts)
{
	facts->btf_holders++;
	if (facts->btf)
		return;
	facts->btf = btf__load_vmlinux_btf();
	if (!facts->btf && facts->btf_path[0])
		facts->btf = btf__parse(facts->btf_path, NULL);
}

void kernel_btf_release(struct kernel_facts *facts)
{
	if (facts->btf_holders && !--facts->btf_holders) {
		btf__free(facts->btf);
		facts->btf = NULL;
	}
}

const char *kernel_missing_cap(const struct kernel_facts *facts)
{
	if (!facts->cap_bpf)
		return "CAP_BPF";
	if (!facts->cap_perfmon)
		return "CAP_PERFMON";
	if (!facts->cap_net_admin)
		return "CAP_NET_ADMIN";
	return NULL;
}

static bool has_func(const struct btf *btf, const char *name, unsigned int nargs)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *t;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return !nargs || btf_vlen(t) == nargs;
}

bool kernel_by_kprobe(const char *section)
{
	return !strncmp(section, "kprobe/", 7) || !strncmp(section, "kretprobe/", 10);
}

bool kernel_has_target(const struct kernel_facts *facts, const char *section, unsigned int nargs)
{
	const char *slash = strchr(section, '/');
	char name[128];

	if (!slash || !strncmp(section, "cgroup", 6) || !strncmp(section, "iter", 4))
		return true;
	if (!facts->btf)
		return false;
	if (!strncmp(section, "raw_tp/", 7) && !facts->btf_funcs)
		return true; /* cut to what netprobe reads: attaching tells */
	if (!strncmp(section, "tp_btf/", 7) || !strncmp(section, "raw_tp/", 7)) {
		(void)snprintf(name, sizeof(name), "btf_trace_%s", slash + 1);
		return btf__find_by_name_kind(facts->btf, name, BTF_KIND_TYPEDEF) >= 0;
	}
	/* Nothing is known of functions then: attaching tells. */
	if (!facts->btf_funcs && kernel_by_kprobe(section))
		return true;
	return has_func(facts->btf, slash + 1, nargs);
}

int kernel_drop_args(const struct kernel_facts *facts)
{
	int id = btf__find_by_name_kind(facts->btf, "btf_trace_kfree_skb", BTF_KIND_TYPEDEF);
	const struct btf_type *t;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(facts->btf,
			    btf__type_by_id(facts->btf, (__u32)id)->type); /* a pointer */
	t = btf__type_by_id(facts->btf, t->type);			   /* to a function */
	return (int)btf_vlen(t) - 1; /* the first is the probe's own data */
}

bool kernel_has_helper(const struct kernel_facts *facts, const char *id)
{
	int type = btf__find_by_name_kind(facts->btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *t = type < 0 ? NULL : btf__type_by_id(facts->btf, (__u32)type);

	for (__u16 i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(facts->btf, btf_enum(t)[i].name_off), id))
			return true;
	return false;
}
