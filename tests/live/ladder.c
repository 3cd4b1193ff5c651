/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rung --capture-mode gives, and what is said of those above. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rung.h"
#include "tap.h"

#define BIT(cap) (1ull << (cap))

/* A start of ebpf that breaks at that point. */
static void check_start(const char *where, const char *word)
{
	const char *const args[] = { "flows", SHORT, "--fail-at", where, NULL };
	const char *const words[] = { "not ebpf", word, NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true };

	rung_check_falls(&opts, LOWER, words);
	rung_check_explicit_fails(opts, words + 1);
}

TEST(auto_without_rights_is_proc_and_names_the_capability)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "CAP_BPF", NULL };
	struct probe_opts opts = {
		.args = args, .plain = true, .no_ready = true, .uid = RUNG_NOBODY
	};

	rung_check_falls(&opts, "proc", words);
}

/* A user without privileges who may open packet sockets and nothing else. */
static void check_net_raw_alone(const char *const *words)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .uid = RUNG_NOBODY,
				   .caps = BIT(CAP_NET_RAW) };

	rung_check_falls(&opts, "afpacket", words);
}

TEST(auto_with_cap_net_raw_alone_is_afpacket)
{
	check_net_raw_alone((const char *const[]){ "not ebpf", "CAP_BPF", NULL });
}

TEST(auto_says_whose_sockets_it_cannot_know)
{
	check_net_raw_alone((const char *const[]){ "not ebpf", "CAP_SYS_PTRACE", NULL });
}

TEST(auto_falls_through_both_and_names_both_causes)
{
	static const char *const args[] = { "flows", SHORT, "--fail-at", "ring", NULL };
	static const char *const words[] = { "not ebpf", "seccomp", "not afpacket", "packet ring",
					     NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .no_bpf = true };

	rung_check_falls(&opts, "proc", words);
}

TEST(auto_falls_when_the_packet_ring_has_no_room)
{
	static const char *const args[] = { "flows", SHORT, "--packet-ring", "268435456", NULL };
	static const char *const words[] = { "not ebpf",
					     "seccomp",
					     "not afpacket",
					     "no packet ring of 268435456 bytes",
					     "Cannot allocate memory",
					     NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .no_bpf = true,
				   .address_space = 200 << 20 };

#ifdef __SANITIZE_ADDRESS__
	test_skip("the sanitizers need more address space themselves");
#endif
	rung_check_falls(&opts, "proc", words);
}

/* libbpf has "No such process" for it: the kernel's BTF finds no room. */
TEST(ebpf_that_finds_no_memory_says_so_and_exits_2)
{
	static const char *const args[] = { "events", "--capture-mode", "ebpf", "--duration", "0.3",
					    NULL };
	struct probe_opts opts = {
		.args = args, .plain = true, .no_ready = true, .address_space = 60 << 20
	};
	struct probe p;
	char *said;

#ifdef __SANITIZE_ADDRESS__
	test_skip("the sanitizers need more address space themselves");
#endif
	p = probe_spawn(&opts);
	CHECK(probe_wait(&p, 20000) == 2, "expected exit 2, got %d", p.status);
	said = file_text(p.log);
	CHECK(strstr(said, "Cannot allocate memory"), "expected the reason, got: %s", said);
	free(said);
}

/* Programs that need no cgroup tree are enough; where that is mounted is in /proc alone. */
TEST(auto_without_proc_stays_on_ebpf_and_says_what_is_unseen)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	char *out, *said;
	int status;

#ifdef __SANITIZE_ADDRESS__
	test_skip("the sanitizers need /proc themselves");
#endif
	rung_hide("/proc");
	status = rung_run(args, 0, 0, &out, &said);
	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(said, "ebpf: unseen are ") && strstr(said, "there is no /proc"),
	      "expected what is unseen, and why, got: %s", said);
	CHECK(strchr(said, '\n') && !strchr(said, '\n')[1], "expected one line, got: %s", said);
	free(out);
	free(said);
}

TEST(explicit_afpacket_that_cannot_run_fails_and_says_why)
{
	static const char *const args[] = { "flows",	SHORT,	     "--capture-mode",
					    "afpacket", "--fail-at", "ring",
					    NULL };
	static const char *const plain[] = { "flows", SHORT, "--capture-mode", "afpacket", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 2, "without a ring: expected exit 2, got %d: %s", status, said);
	CHECK(strstr(said, "packet ring") && !*out, "expected the ring named: %s", said);
	free(out);
	free(said);
	status = rung_run(plain, RUNG_NOBODY, 0, &out, &said);
	CHECK(status == 1, "without rights: expected exit 1, got %d: %s", status, said);
	CHECK(strstr(said, "CAP_NET_RAW") && !*out, "expected CAP_NET_RAW named: %s", said);
	free(out);
	free(said);
}

TEST(explicit_ebpf_without_rights_exits_1)
{
	static const char *const args[] = { "flows", "--capture-mode", "ebpf", NULL };
	char *out, *said;
	int status = rung_run(args, RUNG_NOBODY, 0, &out, &said);

	CHECK(status == 1, "expected exit 1, got %d: %s", status, said);
	CHECK(strstr(said, "CAP_BPF"), "expected CAP_BPF in: %s", said);
	free(out);
	free(said);
}

TEST(auto_falls_when_the_verifier_rejects)
{
	check_start("verifier", "rejected");
}

TEST(auto_falls_when_a_program_does_not_attach)
{
	check_start("attach", "busy");
}

TEST(auto_falls_when_a_hook_stays_silent)
{
	check_start("prove", "did not fire");
}

/* Second programs, beside ones that do not fire, are no proof that these do. */
TEST(auto_falls_when_second_programs_alone_fire)
{
	check_start("silent", "did not fire");
}

TEST(auto_falls_when_there_is_no_memory_for_the_ring)
{
	check_start("read", "No buffer space");
}

TEST(a_btf_option_that_is_no_btf_exits_3_with_one_line)
{
	char fifo[4200];
	const char *const files[] = { "/proc/self/status", "/nowhere/at/all", "/proc/self", fifo };

	/* nobody ever writes to it */
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", test_dir());
	REQUIRE(mkfifo(fifo, 0600) == 0, "%s: %s", fifo, strerror(errno));
	for (unsigned int i = 0; i < 4; i++) {
		const char *const args[] = { "flows", SHORT, "--btf", files[i], NULL };
		char *out, *said, *end;
		int status = rung_run(args, 0, 0, &out, &said);

		CHECK(status == 3, "%s: expected exit 3, got %d", files[i], status);
		CHECK(strstr(said, "--btf") && strstr(said, files[i]) && strstr(said, "takes"),
		      "expected the option, the file and what it takes: %s", said);
		end = strchr(said, '\n');
		CHECK(end && !end[1], "expected one line, got: %s", said);
		free(out);
		free(said);
	}
}

TEST(btf_of_a_folder_is_found_by_the_kernels_release)
{
	const char *const args[] = { "flows", "--format", "json",     "--duration",
				     "36000", "--btf",	  test_dir(), NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = netns_new();
	char command[PATH_MAX];
	struct probe p;
	struct maker m;

	snprintf(command, sizeof(command), "cp /sys/kernel/btf/vmlinux %s/$(uname -r).btf",
		 test_dir());
	netns_must(&ns, command);
	p = probe_spawn(&opts);
	m = maker_run(&ns, "stream --bytes 4321 --reply 1234");
	probe_stop(&p);
	check_owners(p.records, NULL, m.reports, &ns);
}

/* A kernel without BTF of its own, as far as anybody can see; ret: a file with what it had. */
static void hide_btf(char *ret, size_t size)
{
	struct netns ns = netns_new();
	char command[PATH_MAX + 64];

	snprintf(ret, size, "%s/kernel.btf", test_dir());
	snprintf(command, sizeof(command), "cp /sys/kernel/btf/vmlinux %s", ret);
	netns_must(&ns, command);
	rung_hide("/sys/kernel/btf");
}

TEST(kernel_without_btf_of_its_own_is_seen_by_kprobes_and_a_file)
{
	char file[PATH_MAX];
	const char *const args[] = { "events", "--format", "json", "--capture-mode",
				     "ebpf",   "--btf",	   file,   NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct maker old, late;
	const json_t *r;
	struct netns ns, other;
	struct probe p;

	if (!has_kprobes())
		test_skip("no kprobes on this kernel");
	ns = netns_new();
	other = netns_new();
	old = maker_start(&other, -1, "stream --hold connected --bytes 30000 --reply 500");
	(void)maker_wait_hold(&old);
	hide_btf(file, sizeof(file));
	p = probe_spawn(&opts);
	late = maker_run(&ns, "stream --bytes 54321 --reply 1234");
	maker_go(&old);
	maker_finish(&old);
	netns_wait_quiet(&ns);
	netns_wait_quiet(&other);
	probe_stop(&p);
	check_owners(p.records, "conn.close", late.reports, &ns);
	/* older than the probe: from its first use on, which came later here */
	r = record_find(p.records, "conn.close", NULL, NULL,
			(pid_t)report_u64(maker_report(&old, "client"), "pid"));
	REQUIRE(r, "no end of the older connection");
	CHECK_EQ(record_u64(r, "tx_bytes"), 30000, "bytes of the older connection's client");
}

TEST(open_sockets_are_swept_without_iterators)
{
	char file[PATH_MAX];
	const char *const args[] = { "flows", "--format", "json",	"--capture-mode", "ebpf",
				     "--btf", file,	  "--duration", "36000",	  NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns;
	struct probe p;
	struct maker m;
	pid_t pid;

	if (!has_kprobes())
		test_skip("no kprobes on this kernel");
	ns = netns_new();
	hide_btf(file, sizeof(file));
	p = probe_spawn(&opts);
	m = maker_start(&ns, -1, "stream --hold sent --bytes 77777");
	pid = maker_wait_hold(&m);
	probe_stop(&p);
	CHECK_EQ(records_sum(p.records, NULL, "tx_bytes", pid), 77777, "bytes of an open socket");
	maker_go(&m);
	maker_finish(&m);
}

/* Where the end of a socket is missed, the next one at its address is another's all the same. */
static void check_reuse(const char *command)
{
	static const char *const args[] = { "flows",  "--format",  "json",  "--hook",
					    "kprobe", "--fail-at", "death", "--duration",
					    "36000",  NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = netns_new();
	struct probe p = probe_spawn(&opts);
	struct maker m = maker_run(&ns, command);

	netns_wait_quiet(&ns);
	probe_stop(&p);
	check_owners(p.records, NULL, m.reports, &ns);
}

TEST(socket_at_the_address_of_a_dead_one_has_an_owner_of_its_own)
{
	if (!has_kprobes())
		test_skip("no kprobes on this kernel");
	check_reuse("herd --procs 60");
	check_reuse("herd --udp --procs 60 --bytes 1500");
}

TEST(auto_falls_where_the_kernel_has_neither_btf_nor_kprobes)
{
	char file[PATH_MAX];
	const char *const args[] = { "flows", SHORT, "--btf", file, NULL };
	static const char *const words[] = { "not ebpf", "kernel's own BTF", "without kprobes",
					     NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true };

	if (has_kprobes())
		test_skip("this kernel has kprobes");
	hide_btf(file, sizeof(file));
	rung_check_falls(&opts, LOWER, words);
	rung_check_explicit_fails(opts, words + 1);
}

TEST(doctor_tells_btf_of_a_file_from_the_kernels_own)
{
	char file[PATH_MAX];
	const char *const with[] = { "doctor", "--format", "json", "--btf", file, NULL };
	static const char *const without[] = { "doctor", "--format", "json", NULL };
	char *own, *of_file, *none, *said;

	(void)rung_run(without, 0, 0, &own, &said);
	free(said);
	hide_btf(file, sizeof(file));
	(void)rung_run(with, 0, 0, &of_file, &said);
	free(said);
	(void)rung_run(without, 0, 0, &none, &said);
	free(said);
	CHECK(strstr(own, "\"btf\":true,\"btf_own\":true"), "with its own: got %.200s", own);
	CHECK(strstr(of_file, "\"btf\":true,\"btf_own\":false"), "with a file: got %.200s",
	      of_file);
	CHECK(strstr(none, "\"btf\":false,\"btf_own\":false"), "with none: got %.200s", none);
	free(own);
	free(of_file);
	free(none);
}

TEST(auto_falls_where_the_kernel_has_no_btf_and_no_file_is_given)
{
	char file[PATH_MAX];
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "/sys/kernel/btf/vmlinux is not there",
					     NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true };

	hide_btf(file, sizeof(file));
	rung_check_falls(&opts, LOWER, words);
}

TEST(a_hook_family_that_is_not_there_is_no_reason_to_fall)
{
	static const char *const args[] = { "flows",	 SHORT,	     "--hook", "kprobe",
					    "--fail-at", "verifier", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 2, "expected exit 2, got %d: %s", status, said);
	CHECK(!*out, "expected nothing on stdout, got: %.200s", out);
	free(out);
	free(said);
}

/* A hexadecimal field of /proc/PID/task/TID/status. */
static uint64_t status_field(const char *path, const char *key)
{
	char *text = file_text(path), *at = strstr(text, key);
	uint64_t v = at ? strtoull(at + strlen(key), NULL, 16) : ~0ULL;

	free(text);
	return v;
}

/* Every thread: no new privileges, a filter, and no capability but those of allowed. */
static void check_threads(pid_t pid, uint64_t allowed, unsigned int least)
{
	char path[64];
	struct dirent *d;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	REQUIRE(dir, "%s cannot be read", path);
	while ((d = readdir(dir))) {
		char status[400];

		if (*d->d_name == '.')
			continue;
		snprintf(status, sizeof(status), "%s/%s/status", path, d->d_name);
		CHECK_EQ(status_field(status, "\nCapEff:\t") & ~allowed, 0,
			 "capabilities left over");
		CHECK_EQ(status_field(status, "\nCapPrm:\t") & ~allowed, 0,
			 "those it may take back");
		CHECK_EQ(status_field(status, "\nNoNewPrivs:\t"), 1, "no_new_privs");
		CHECK_EQ(status_field(status, "\nSeccomp:\t"), 2, "seccomp");
		n++;
	}
	closedir(dir);
	CHECK(n >= least, "expected at least %u threads, got %u", least, n);
}

struct file_has {
	const char *path, *what;
};

static bool file_has(void *arg)
{
	const struct file_has *f = arg;
	char *text = file_text(f->path);
	bool found = strstr(text, f->what);

	free(text);
	return found;
}

TEST(rights_are_given_up_once_capture_runs_and_it_goes_on)
{
	/* whose a translated connection is, the kernel tells to an administrator of the network alone */
	bool tracked = !access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK);
	const struct {
		const char *mode;
		uint64_t allowed;
		unsigned int threads;
	} modes[] = {
		{ "ebpf",
		  BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_ADMIN) |
			  BIT(CAP_SYSLOG) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH),
		  1 },
		{ "afpacket",
		  BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH) |
			  (tracked ? BIT(CAP_NET_ADMIN) : 0),
		  2 },
		{ "proc", BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH), 1 },
	};
	struct netns ns = rung_enter();

	for (unsigned int i = 0; i < 3; i++) {
		char file[PATH_MAX];
		const char *const args[] = { "events",	    "--format", "json",
					     "--interval",  "0.1",	"--capture-mode",
					     modes[i].mode, "-o",	file,
					     NULL };
		struct probe_opts opts = { .args = args, .plain = true };
		struct file_has first = { file, "transport.bw" };
		struct file_has later = { file, "\"tx_bytes\":77777" };
		struct probe p;

		snprintf(file, sizeof(file), "%s/%s.json", test_dir(), modes[i].mode);
		p = probe_spawn(&opts);
		(void)maker_run(&ns, "stream --bytes 1000");
		/* threads start with the first events */
		CHECK(wait_until(file_has, &first, RUNG_END_MS), "%s: no event", modes[i].mode);
		check_threads(p.pid, modes[i].allowed, modes[i].threads);
		(void)maker_run(&ns, "stream --bytes 77777");
		CHECK(wait_until(file_has, &later, RUNG_END_MS), "%s: the file has no 77777 bytes",
		      modes[i].mode);
		CHECK_EQ(probe_signal(&p, SIGTERM), 0, "exit code");
	}
}

TEST(a_service_of_its_own_user_is_under_landlock_and_still_owns_every_byte)
{
	char file[PATH_MAX];
	const char *const args[] = { "events", "--format", "json", "-v", "-o", file, NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .uid = RUNG_NOBODY,
				   .caps = BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_NET_ADMIN) };
	struct file_has said = { NULL, "Landlock on" };
	struct netns ns = netns_new();
	const json_t *client;
	struct probe p;
	struct maker m;
	FILE *f;

	snprintf(file, sizeof(file), "%s/events.json", test_dir());
	f = fopen(file, "w");
	REQUIRE(f && !fchmod(fileno(f), 0666) && !chmod(test_dir(), 0711), "cannot make %s", file);
	fclose(f);
	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
	p = probe_spawn(&opts);
	said.path = p.log;
	CHECK(file_has(&said), "Landlock is not on");
	m = maker_run(&ns, "stream --bytes 65432");
	netns_wait_quiet(&ns);
	CHECK_EQ(probe_signal(&p, SIGTERM), 0, "exit code");
	client = maker_report(&m, "client");
	snprintf(p.out, sizeof(p.out), "%s", file);
	CHECK_EQ(records_sum(probe_records(&p), "conn.close", "tx_bytes",
			     (pid_t)report_u64(client, "pid")),
		 65432, "bytes the client sent");
}

TEST(doctor_tells_of_every_rung)
{
	static const char *const args[] = { "doctor", "-v", NULL };
	char *out, *said;
	int status = rung_run(args, RUNG_NOBODY, 0, &out, &said);

	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(!strncmp(out, "netprobe works here in part, by sampling sockets (proc)\n", 56),
	      "its answer comes first: %.300s", out);
	CHECK(strstr(out, "ebpf capture: no"), "ebpf: %.2000s", out);
	CHECK(strstr(out, "proc capture: yes"), "proc: %.2000s", out);
	CHECK(strstr(out, "SYN cookies       not tried at XDP"), "SYN cookies: %.2000s", out);
	CHECK(strstr(out, "\nconntrack         "), "connection tracking: %.2000s", out);
	free(out);
	free(said);
}

/* Of processors, by all that ran here and ended. */
static int64_t children_ms(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_CHILDREN, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

TEST(doctor_answers_in_one_line_and_tells_the_rest_with_v)
{
	static const char *const args[][3] = { { "doctor" }, { "doctor", "-v" } };
	char *lines[2], *said;

	for (unsigned int i = 0; i < 2; i++) {
		int64_t before = children_ms(), most = (int64_t)(2000 * test_slow());
		int status = rung_run(args[i], 0, 0, &lines[i], &said);

		/* a machine with other work makes it wait, not work */
		CHECK(children_ms() - before < most,
		      "processor time: expected less than %" PRId64 " ms, got %" PRId64, most,
		      children_ms() - before);
		CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
		CHECK(!strncmp(lines[i], "netprobe works here: ebpf, by ", 30),
		      "its answer comes first: %.300s", lines[i]);
		free(said);
	}
	CHECK(!strstr(lines[0], "send: bytes that processes send"), "without -v: %.2000s",
	      lines[0]);
	CHECK(strstr(lines[0], "netprobe doctor -v"), "says where the rest is: %.2000s", lines[0]);
	CHECK(strstr(lines[1], "\nsend: bytes that processes send - seen to deliver\n"),
	      "with -v: %.2000s", lines[1]);
	free(lines[0]);
	free(lines[1]);
}
