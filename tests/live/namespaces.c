/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netprobe in namespaces of its own, while the traffic is outside of them: it sees the same, or says in one line what it
 * does not. Cgroup namespaces begin in a cgroup of the test's, as a container's does: at the root they would hide nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

#define SOCKETS 20
#define BYTES 1000

static const char *const flows_args[] = { FLOWS, "--proto", "udp", NULL };

static struct cgroup_dir inner; /* what netprobe's cgroup namespace begins with */

static bool mounts_private(void)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Whatever is mounted there is not seen any more; a folder that is nowhere is none. */
static void hide(const char *folder)
{
	(void)mount("none", folder, "tmpfs", 0, NULL);
}

static bool into_cgroup_ns(void)
{
	return write(inner.procs, "0", 1) == 1 && !unshare(CLONE_NEWCGROUP);
}

static bool own_part_mounted(void)
{
	struct stat st;

	hide("/sys/fs/cgroup");
	return !mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) &&
	       !stat("/sys/fs/cgroup", &st) && st.st_ino != 1;
}

/* Unconnected sockets, each closed as soon as it has sent: no sweep finds them open. */
static void send_all(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int all = SOCKETS * BYTES * 4, in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static const char data[BYTES];
	socklen_t len = sizeof(to);

	REQUIRE(in >= 0 && !bind(in, (struct sockaddr *)&to, len) &&
			!getsockname(in, (struct sockaddr *)&to, &len),
		"a socket to send to: %s", strerror(errno));
	(void)setsockopt(in, SOL_SOCKET, SO_RCVBUF, &all, sizeof(all));
	for (unsigned int i = 0; i < SOCKETS; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		REQUIRE(sendto(fd, data, BYTES, 0, (struct sockaddr *)&to, len) == BYTES,
			"sendto: %s", strerror(errno));
		close(fd);
	}
	close(in);
}

/* All bytes in rows of this process, by ebpf, and what it does not say it lacks. Gives what it said, to be freed. */
static char *check_sees(struct probe_opts opts)
{
	unsigned int ended = 0, with_peer = 0;
	char *said;
	struct probe p;
	const json_t *r;
	size_t i;

	opts.args = flows_args;
	p = probe_spawn(&opts);
	send_all();
	probe_stop(&p);
	CHECK_EQ(records_sum(p.records, NULL, "tx_bytes", getpid()), SOCKETS * BYTES,
		 "bytes of sockets outside");
	json_array_foreach (p.records, i, r) {
		if (!record_u64(r, "tx_bytes") || record_u64(r, "pid") != (uint64_t)getpid())
			continue;
		ended += json_is_true(json_object_get(r, "closed"));
		with_peer += json_is_string(json_object_get(r, "raddr"));
		CHECK(!strcmp(record_str(r, "mode"), "ebpf"), "expected mode ebpf, got %s",
		      record_str(r, "mode"));
	}
	said = file_text(p.log);
	CHECK_EQ(with_peer, strstr(said, "unconnected peers") ? 0 : SOCKETS, "rows with peers");
	CHECK_EQ(ended, strstr(said, "ends of UDP sockets") ? 0 : SOCKETS, "rows that ended");
	return said;
}

static void check_sees_all(bool (*enter)(void))
{
	struct probe_opts opts = { .enter = enter };
	char *said = check_sees(opts);

	CHECK(!*said, "expected silence, got: %s", said);
	free(said);
}

static bool enter_container(void)
{
	return into_cgroup_ns() && mounts_private() && own_part_mounted();
}

/* As in a container that shows its own part of the tree. */
TEST(a_cgroup_namespace_hides_no_ends_and_no_peers)
{
	inner = cgroup_dir_new();
	check_sees_all(enter_container);
}

/* As `ip netns exec` leaves it: /sys mounted anew, and nothing on it. */
static bool enter_bare_sysfs(void)
{
	return mounts_private() && !umount2("/sys", MNT_DETACH) &&
	       !mount("none", "/sys", "sysfs", 0, NULL);
}

TEST(no_mount_of_cgroups_hides_no_ends_and_no_peers)
{
	check_sees_all(enter_bare_sysfs);
}

static bool enter_chroot(void)
{
	char dir[600], into[700];

	snprintf(dir, sizeof(dir), "%s/root", test_dir());
	if (!mounts_private() || mkdir(dir, 0755) || mount("/", dir, NULL, MS_BIND, NULL))
		return false;
	snprintf(into, sizeof(into), "%s/proc", dir);
	if (mount("none", into, "proc", 0, NULL))
		return false;
	snprintf(into, sizeof(into), "%s/sys", dir);
	return !mount("none", into, "sysfs", 0, NULL) && !chroot(dir) && !chdir("/");
}

TEST(a_chroot_without_cgroups_hides_no_ends_and_no_peers)
{
	check_sees_all(enter_chroot);
}

static bool enter_pid_container(void)
{
	return into_cgroup_ns() && mounts_private() && own_part_mounted() &&
	       !mount("none", "/proc", "proc", 0, NULL);
}

/* Docker's defaults: nobody it may ask is outside of its own part. */
TEST(what_a_container_cannot_see_is_one_line_and_no_byte_is_missing)
{
	struct probe_opts opts = { .enter = enter_pid_container };
	char *said, *end;

	inner = cgroup_dir_new();
	REQUIRE(!unshare(CLONE_NEWPID), "no pid namespace: %s", strerror(errno));
	said = check_sees(opts);
	end = strchr(said, '\n');
	CHECK(strstr(said, "DNS and pcap") && strstr(said, "part of the cgroup v2 tree"),
	      "expected what is unseen, and why, got: %s", said);
	CHECK(end && !end[1], "expected one line, got: %s", said);
	free(said);
}

static bool enter_bare_pid_container(void)
{
	return enter_bare_sysfs() && !mount("none", "/proc", "proc", 0, NULL);
}

/* Options of the tree, as the first mount of it has them; empty: it is mounted nowhere. */
static void tree_options(char ret[256])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], *at;

	*ret = '\0';
	while (f && !*ret && fgets(line, sizeof(line), f))
		if ((at = strstr(line, " - cgroup2 ")))
			snprintf(ret, 256, "%s", at);
	if (f)
		fclose(f);
}

/* A mount by somebody who sees none, nor the machine's first process, would take the options from the host's. */
TEST(who_sees_no_mount_of_cgroups_changes_none)
{
	struct probe_opts opts = { .enter = enter_bare_pid_container };
	char before[256], after[256];
	char *said;

	tree_options(before);
	REQUIRE(!unshare(CLONE_NEWPID), "no pid namespace: %s", strerror(errno));
	said = check_sees(opts);
	tree_options(after);
	CHECK(strstr(said, "DNS and pcap") && strstr(said, "mounted where this process may look"),
	      "expected what is unseen, and why, got: %s", said);
	CHECK(!strcmp(before, after), "expected options of the tree as before, got %s for %s",
	      after, before);
	free(said);
}

/* The v2 tree is mounted, and the runtime made nothing in it: as on hybrid hosts. Its cgroup is gone when it is asked for. */
TEST(a_container_in_v1_hierarchies_is_named_by_them)
{
	char id[65];
	struct cgroup_dir c = cgroup_dir_pids(id);
	struct probe p = probe_start(FLOWS, NULL);
	struct maker m = maker_start(NULL, c.procs, "stream --bytes 10000");
	unsigned int n = 0;
	const json_t *r;
	size_t i;

	maker_finish(&m);
	CHECK(!rmdir(c.path), "%s: %s", c.path, strerror(errno));
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (!is_socket_of(r, maker_report(&m, "client")))
			continue;
		n++;
		CHECK(!strcmp(record_str(json_object_get(r, "container"), "id"), id),
		      "expected container %s, got '%s'", id,
		      record_str(json_object_get(r, "container"), "id"));
		CHECK(!strcmp(record_str(r, "cgroup"), "/"), "expected cgroup /, got '%s'",
		      record_str(r, "cgroup"));
	}
	CHECK(n, "expected a row of the client's socket, got none");
}

static bool is_open_of(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "event_type"), "conn.open") &&
	       record_u64(r, "pid") == (uint64_t) * (const pid_t *)arg;
}

/* What is found in /proc has it from there. */
TEST(a_container_in_v1_hierarchies_is_found_in_proc_as_well)
{
	static const char *const args[] = { EVENTS, "--capture-mode", "proc", NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	char id[65];
	struct cgroup_dir c = cgroup_dir_pids(id);
	struct probe p = probe_spawn(&opts);
	struct maker m = maker_start(NULL, c.procs, "stream --bytes 10000 --hold connected");
	pid_t pid = maker_wait_hold(&m);
	json_t *r = probe_wait_record(&p, is_open_of, &pid, 10000);

	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	REQUIRE(r, "expected conn.open of %d", pid);
	CHECK(!strcmp(record_str(json_object_get(r, "container"), "id"), id),
	      "expected container %s, got '%s'", id,
	      record_str(json_object_get(r, "container"), "id"));
	json_decref(r);
}

static bool mount_proc(void)
{
	return mounts_private() && !mount("none", "/proc", "proc", 0, NULL);
}

static bool is_moved_by(const json_t *r, const void *arg)
{
	return record_u64(r, "pid") == (uint64_t) * (const pid_t *)arg && record_u64(r, "tx_bytes");
}

/* Sends until it is killed. */
static pid_t send_on(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	for (;;) {
		send_all();
		pause_ms(20);
	}
}

/* The init of that pid namespace, which has to live as long as anybody is to be born in it. */
static pid_t new_pid_ns(void)
{
	pid_t pid;

	REQUIRE(!unshare(CLONE_NEWPID), "no pid namespace: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	while (!pid)
		pause();
	return pid;
}

/* netprobe and a maker in a pid namespace, another maker outside. */
TEST(pids_are_typed_as_proc_shows_them_and_shown_as_the_hosts)
{
	static const char *const args[] = { EVENTS, "-p", "2", NULL };
	struct probe_opts opts = { .args = args, .plain = true, .enter = mount_proc };
	pid_t outside = send_on(), inside;
	struct probe p;
	const json_t *one;
	char *said;
	json_t *r;
	size_t i;

	(void)new_pid_ns();
	inside = send_on(); /* 2 in there */
	p = probe_spawn(&opts);
	r = probe_wait_record(&p, is_moved_by, &inside, 10000);
	probe_stop(&p);
	CHECK(r, "expected a record of %d, got none", inside);
	CHECK_EQ(record_u64(r, "ns_pid"), 2, "ns_pid");
	CHECK(strstr(record_str(r, "exe"), "live"), "expected its program from there, got '%s'",
	      record_str(r, "exe"));
	json_array_foreach (p.records, i, one)
		CHECK(record_u64(one, "pid") != (uint64_t)outside, "a record of %d passed",
		      outside);
	said = file_text(p.log);
	CHECK(strstr(said, "no owner until their first use"),
	      "expected what is not known of older sockets, got: %s", said);
	free(said);
	json_decref(r);
}

/* A process of a container, seen from the host. */
TEST(a_process_inside_is_shown_with_both_its_numbers)
{
	struct probe p = probe_start(EVENTS, NULL);
	pid_t inside, outside = send_on();
	json_t *r;

	(void)new_pid_ns();
	inside = send_on();
	r = probe_wait_record(&p, is_moved_by, &inside, 10000);
	CHECK(r, "expected a record of %d, got none", inside);
	CHECK_EQ(record_u64(r, "ns_pid"), 2, "ns_pid");
	json_decref(r);
	r = probe_wait_record(&p, is_moved_by, &outside, 10000);
	CHECK_EQ(record_u64(r, "ns_pid"), record_u64(r, "pid"), "ns_pid of one of the host's");
	json_decref(r);
	probe_stop(&p);
}

/* Each is 1. */
static bool enter_own_pid_ns(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return false;
	pid = fork();
	if (!pid)
		return mount_proc();
	(void)waitpid(pid, &status, 0);
	_exit(0);
}

TEST(instances_of_one_number_do_not_take_each_others_control_socket)
{
	static const char *const args[] = { EVENTS, NULL };
	static const char *const ask[] = { "ctl", "--instance", "1", "stats", NULL };
	struct probe_opts opts = { .args = args, .enter = enter_own_pid_ns };
	struct probe first, second, ctl;
	int status;
	char *said;

	setenv("NETPROBE_RUNTIME_DIR", test_dir(), 1);
	first = probe_spawn(&opts);
	second = probe_spawn(&opts);
	said = file_text(second.log);
	CHECK(strstr(said, "1.sock") && strstr(said, "another pid namespace"),
	      "expected whose the socket is, got: %s", said);
	free(said);
	kill(second.pid, SIGKILL);
	status = probe_run(&ctl, ask);
	CHECK(status == 0, "asking the first: expected exit 0, got %d", status);
	kill(first.pid, SIGKILL);
}

/* Nobody else has one of that name. */
TEST(an_interface_is_one_of_any_network_namespace)
{
	struct netns_pair pair = netns_pair_new();
	const char *const args[] = { FLOWS, "-i", pair.if_a, NULL };
	const char *const lower[] = { "flows", "-i",	     pair.if_a, "--capture-mode",
				      "proc",  "--duration", "0.1",	NULL };
	const char *const none[] = { "flows", "-i", "nosuch0", "--duration", "0.1", NULL };
	struct probe p = probe_start_args(args), other;
	char command[200], *said;
	struct maker m;
	int status;

	snprintf(command, sizeof(command), "stream --addr 10.77.0.2 --server-ns %s --bytes 40000",
		 pair.b.path);
	m = maker_run(&pair.a, command);
	probe_stop(&p);
	CHECK_EQ(records_sum(p.records, NULL, "tx_bytes", 0), 0, "bytes without owner");
	CHECK_EQ(records_sum(p.records, NULL, "tx_bytes",
			     (pid_t)record_u64(maker_report(&m, "client"), "pid")),
		 40000, "bytes at it");
	CHECK_EQ(records_sum(p.records, NULL, "rx_bytes",
			     (pid_t)record_u64(maker_report(&m, "server"), "pid")),
		 0, "bytes at the other end");
	status = probe_run(&other, lower);
	said = file_text(other.log);
	CHECK(status == 2 && strstr(said, "another network namespace"),
	      "expected exit 2 and where it is, got %d: %s", status, said);
	free(said);
	status = probe_run(&other, none);
	said = file_text(other.log);
	CHECK(status == 3 && strstr(said, "'nosuch0' in any network namespace"),
	      "expected exit 3 and the name, got %d: %s", status, said);
	free(said);
}
