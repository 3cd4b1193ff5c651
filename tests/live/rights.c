/* SPDX-License-Identifier: BSD-2-Clause */
/* What netprobe may do, says it lacks, and does with less than root has. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/capability.h>

#include "ownership.h"
#include "tap.h"

#define END_MS 15000
#define NOBODY 65534
#define BIT(cap) (1ull << (cap))
#define ENOUGH (BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_NET_ADMIN))

/* Run to its end as nobody with those capabilities; its exit code, and what it said. */
static int run_as_nobody(const char *const *args, uint64_t caps, char **ret_out, char **ret_said)
{
	struct probe_opts opts = { .args = args, .uid = NOBODY, .caps = caps, .no_ready = true };
	struct probe p = probe_spawn(&opts);
	int status = probe_wait(&p, END_MS);

	if (status < 0)
		kill(p.pid, SIGKILL);
	*ret_out = file_text(p.out);
	*ret_said = file_text(p.log);
	return status;
}

TEST(without_rights_exits_1_and_names_the_capability)
{
	static const char *const commands[] = { "events", "flows", "top" };

	for (unsigned int i = 0; i < 3; i++) {
		const char *const args[] = { commands[i],      "--duration", "5",
					     "--capture-mode", "ebpf",	     NULL };
		char *out, *said;
		int status = run_as_nobody(args, 0, &out, &said);

		CHECK(status == 1, "%s without rights: expected exit 1, got %d", commands[i],
		      status);
		CHECK(strstr(said, "CAP_"), "%s without rights: expected CAP_..., got: %s",
		      commands[i], said);
		CHECK(!*out, "%s without rights: expected nothing on stdout, got: %s", commands[i],
		      out);
		free(said);
		free(out);
	}
}

TEST(each_missing_capability_is_named)
{
	static const struct {
		unsigned int cap;
		const char *name;
	} caps[] = { { CAP_BPF, "CAP_BPF" },
		     { CAP_PERFMON, "CAP_PERFMON" },
		     { CAP_NET_ADMIN, "CAP_NET_ADMIN" } };

	for (unsigned int i = 0; i < 3; i++) {
		static const char *const args[] = { "events",	      "--duration", "1",
						    "--capture-mode", "ebpf",	    NULL };
		char *out, *said;
		int status = run_as_nobody(args, ENOUGH & ~BIT(caps[i].cap), &out, &said);

		CHECK(status == 1, "without %s: expected exit 1, got %d", caps[i].name, status);
		for (unsigned int j = 0; j < 3; j++)
			CHECK(!!strstr(said, caps[j].name) == (i == j),
			      "without %s: expected it named and no other, got: %s", caps[i].name,
			      said);
		free(said);
		free(out);
	}
}

/* Level 3 of Debian's kernels, up to 6.1 at least: no kprobe without CAP_SYS_ADMIN. */
static bool kprobes_are_root_s(void)
{
	const char *hook = getenv("NETPROBE_HOOK");
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (f && fscanf(f, "%d", &level) != 1)
		level = 0;
	if (f)
		(void)fclose(f);
	return level > 2 && hook && !strcmp(hook, "kprobe");
}

static void check_refused(void)
{
	static const char *const args[] = { "flows", "--hook", "kprobe", "--duration", "1", NULL };
	char *out, *said;
	int status = run_as_nobody(args, ENOUGH, &out, &said);

	CHECK(status == 2, "kprobes without CAP_SYS_ADMIN: expected exit 2, got %d", status);
	CHECK(strstr(said, "kernel.perf_event_paranoid is 3"),
	      "kprobes without CAP_SYS_ADMIN: expected the sysctl named, got: %s", said);
	free(said);
	free(out);
}

TEST(three_capabilities_are_enough)
{
	static const char *const args[] = { FLOWS, NULL };

	if (kprobes_are_root_s()) {
		check_refused();
		return;
	}

	struct probe_opts opts = { .args = args, .uid = NOBODY, .caps = ENOUGH };
	struct netns ns = netns_new();
	struct probe p = probe_spawn(&opts);
	struct maker m = maker_run(&ns, "stream --reply 5000");

	probe_stop(&p);
	check_owners(p.records, NULL, m.reports, &ns);
}

TEST(doctor_works_without_rights_and_says_what_root_would_add)
{
	static const char *const args[] = { "doctor", NULL };
	char *out, *said;
	int status = run_as_nobody(args, 0, &out, &said);

	CHECK(status == 0, "doctor without rights: expected exit 0, got %d: %s", status, said);
	CHECK(strstr(out, "CAP_"), "doctor without rights: expected CAP_..., got: %.300s", out);
	free(said);
	free(out);
}

/* A copy of netprobe with file capabilities, as an installation has it; false: not on this file system. */
static bool copy_with_capabilities(const char *folder)
{
	struct vfs_cap_data caps = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };
	char path[PATH_MAX], command[2 * PATH_MAX];
	struct netns ns = netns_new();

	for (unsigned int i = 0; i < 2; i++)
		caps.data[i].permitted = (uint32_t)(ENOUGH >> 32 * i);
	snprintf(path, sizeof(path), "%s/netprobe", folder);
	snprintf(command, sizeof(command),
		 "chmod 755 %s && cp %s %s && cp /sys/kernel/btf/vmlinux %s/theirs && "
		 "chown %d %s/theirs && cp %s/theirs %s/root-s && mkdir -m 777 %s/run",
		 folder, probe_binary(), path, folder, NOBODY, folder, folder, folder, folder);
	netns_must(&ns, command);
	if (setxattr(path, "security.capability", &caps, sizeof(caps), 0))
		return false;
	setenv("NETPROBE", path, 1);
	return true;
}

TEST(with_file_capabilities_only_files_of_root_count)
{
	char folder[] = "/tmp/netprobe-live.XXXXXX", theirs[64], mine[64], run[64];
	const char *const args[] = { "flows", "--btf",		NULL,	"--duration",
				     "0.2",   "--capture-mode", "ebpf", NULL };
	const char *given[8];
	struct netns ns = netns_new();
	char *out, *said, command[128];
	int status;

	REQUIRE(mkdtemp(folder), "mkdtemp: %m");
	snprintf(theirs, sizeof(theirs), "%s/theirs", folder);
	snprintf(mine, sizeof(mine), "%s/root-s", folder);
	snprintf(run, sizeof(run), "%s/run", folder);
	if (!copy_with_capabilities(folder))
		test_skip("no file capabilities on /tmp");
	setenv("NETPROBE_RUNTIME_DIR", run, 1);
	memcpy(given, args, sizeof(given));
	given[2] = theirs;
	status = run_as_nobody(given, 0, &out, &said);
	CHECK(status == 3 && strstr(said, "root's only"),
	      "BTF of a user's: expected 3 and root's only, got %d: %s", status, said);
	free(said);
	free(out);
	given[2] = mine;
	status = run_as_nobody(given, 0, &out, &said);
	CHECK(status == 0, "BTF of root's: expected 0, got %d: %s", status, said);
	/* A folder that the user names is not looked at for the control socket: others may write to it, which would be told. */
	CHECK(!strstr(said, run), "NETPROBE_RUNTIME_DIR: expected not heard, got: %s", said);
	free(said);
	free(out);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	netns_must(&ns, command);
}
