/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that the kernel leaves programs out of, made on any kernel and in any family: the second programs are attached as
 * where tracepoint programs may be preempted, beside the first ones or in their place; or there are none at sends.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"
#include "wire/stats.h"

static void need_tracepoints(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	REQUIRE(!uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2, "no release");
	if (major < 6 || (major == 6 && minor < 3))
		test_skip("no tracepoint at sends before 6.3");
}

/* Commands that makers run one after the other, up to NULL; owners are checked. */
static struct run run_left_out(const char *fail_at, const char *const commands[])
{
	const char *hook = getenv("NETPROBE_HOOK");
	const char *const args[] = {
		"flows",     "--format", "json",       "--hook", hook ? hook : "tracepoint",
		"--fail-at", fail_at,	 "--duration", "36000",	 NULL
	};
	struct probe_opts opts = { .args = args, .plain = true };
	struct run r;

	need_tracepoints();
	r.ns = netns_new();
	r.probe = probe_spawn(&opts);
	for (unsigned int i = 0; commands[i]; i++) {
		struct maker m = maker_run(&r.ns, commands[i]);

		if (i)
			REQUIRE(!json_array_extend(m.reports, r.maker.reports), "no memory");
		r.maker = m;
	}
	netns_wait_quiet(&r.ns);
	probe_stop(&r.probe);
	return r;
}

TEST(two_programs_at_a_call_count_it_once)
{
	/* the last: threads in calls on one socket at the same time */
	const char *const commands[] = { "herd --procs 100", "herd --udp --procs 200 --bytes 1500",
					 "dgram --reply 300", "share threads --threads 6", NULL };
	struct run r = run_left_out("second", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
}

TEST(what_the_first_program_is_left_out_of_the_second_one_counts)
{
	/* One datagram at a time: what the kernel leaves that program out of as well nothing sees. */
	const char *const commands[] = { "herd --procs 100",
					 "herd --udp --procs 200 --bytes 1500 --at-once 1",
					 "dgram --reply 30", "share threads --threads 6", NULL };
	struct run r = run_left_out("first", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
}

static uint64_t sent_to(const struct run *r, uint16_t rport)
{
	uint64_t sum = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r->probe.records, i, one)
		if (record_u64(one, "netns") == r->ns.inode && record_u64(one, "lport") == 7460 &&
		    record_u64(one, "rport") == rport)
			sum += record_u64(one, "tx_bytes");
	return sum;
}

/* To its peer, to another by sendto(), and by sendmmsg(), whose address only some hooks see. */
#define SPEAKS_WITH_OTHERS                                                                                   \
	"python3 -c \"import socket, struct, ctypes; c = ctypes.CDLL(None)\n"                                \
	"a, b, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"                   \
	"a.bind(('127.0.0.1', 7461)); b.bind(('127.0.0.1', 7462)); s.bind(('127.0.0.1', 7460))\n"            \
	"s.connect(('127.0.0.1', 7461))\n"                                                                   \
	"for i in range(10): s.send(b'x' * 10)\n"                                                            \
	"for i in range(10): s.sendto(b'x' * 100, ('127.0.0.1', 7462)); s.send(b'x' * 10)\n"                 \
	"p = ctypes.addressof; B = ctypes.create_string_buffer; d = B(b'x' * 1000)\n"                        \
	"n = B(struct.pack('=H', 2) + struct.pack('!H', 7462) + socket.inet_aton('127.0.0.1') + bytes(8))\n" \
	"v = B(struct.pack('QQ', p(d), 1000))\n"                                                             \
	"m = struct.pack('QI4xQQQQi4xI4x', p(n), 16, p(v), 1, 0, 0, 0, 0)\n"                                 \
	"for i in range(10): assert c.sendmmsg(s.fileno(), B(m), 1, 0) == 1\n\""

TEST(what_a_connected_socket_sends_to_others_is_not_its_peers_though_the_first_program_is_left_out)
{
	const char *hook = getenv("NETPROBE_HOOK");
	const char *const args[] = {
		"flows",     "--format", "json",       "--hook", hook ? hook : "tracepoint",
		"--fail-at", "first",	 "--duration", "600",	 NULL
	};
	struct probe_opts opts = { .args = args, .plain = true };
	struct run r;

	need_tracepoints();
	r.ns = netns_new();
	r.probe = probe_spawn(&opts);
	netns_must(&r.ns, SPEAKS_WITH_OTHERS);
	probe_stop(&r.probe);
	CHECK_EQ(sent_to(&r, 7461), 200, "bytes to the one it is connected to");
	CHECK_EQ(sent_to(&r, 7462) + sent_to(&r, 0), 11000,
		 "bytes to the other, or to nobody knows whom");
	CHECK(sent_to(&r, 7462) >= 1000, "bytes by sendto(): expected 1000 at least, got %" PRIu64,
	      sent_to(&r, 7462));
}

TEST(sends_that_no_program_saw_are_their_owners_when_the_connection_ends)
{
	const char *const commands[] = { "herd --procs 100",
					 "stream --bytes 2m --send partial --recv nonblock",
					 "fail linger", NULL };
	struct run r = run_left_out("sends", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
	CHECK_EQ(records_sum(r.probe.records, NULL, "tx_unseen_bytes",
			     (pid_t)record_u64(maker_report(&r.maker, "client"), "pid")),
		 0, "what nobody sent");
}

TEST(sends_that_no_program_saw_of_a_connection_of_two_processes_are_nobodys)
{
	const char *const commands[] = { "handover fork --first 700 --bytes 20000 --reply 3000",
					 NULL };
	struct run r = run_left_out("sends", commands);
	pid_t heir = (pid_t)record_u64(maker_report(&r.maker, "heir"), "pid");
	uint64_t tx = 0, unseen = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r.probe.records, i, one) {
		if (record_u64(one, "netns") != r.ns.inode)
			continue;
		tx += record_u64(one, "tx_bytes");
		unseen += record_u64(one, "tx_unseen_bytes");
	}
	CHECK_EQ(records_sum(r.probe.records, NULL, "rx_bytes", heir), 20000,
		 "bytes that the heir received");
	CHECK_EQ(tx, 20700, "bytes sent: those of the client");
	CHECK_EQ(unseen, 3000, "tx_unseen_bytes: the reply");
}

/* Descriptors of netprobe's: fn gets the number that the key of their fdinfo has, until it returns true. */
static bool each_object(const struct probe *p, const char *key, bool (*fn)(uint32_t id, void *arg),
			void *arg)
{
	char path[64], file[400], form[32], *text, *at;
	struct dirent *d;
	bool found = false;
	uint32_t id;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)p->pid);
	snprintf(form, sizeof(form), "\n%s:", key);
	all = opendir(path);
	REQUIRE(all, "%s: cannot be read", path);
	while (!found && (d = readdir(all))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, d->d_name);
		text = file_text(file);
		at = strstr(text, form);
		id = at ? (uint32_t)strtoul(at + strlen(form), NULL, 10) : 0;
		found = id && fn(id, arg);
		free(text);
	}
	closedir(all);
	return found;
}

struct map_wanted {
	const char *name;
	struct bpf_map_info info;
	int fd;
};

static bool is_map(uint32_t id, void *arg)
{
	struct map_wanted *w = arg;
	uint32_t len = sizeof(w->info);
	int fd = bpf_map_get_fd_by_id(id);

	memset(&w->info, 0, sizeof(w->info));
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &w->info, &len) &&
	    !strcmp(w->info.name, w->name)) {
		w->fd = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

/* The first value of netprobe's map of that name; to be freed. */
static uint8_t *map_value(const struct probe *p, const char *name, struct bpf_map_info *ret_info)
{
	struct map_wanted w = { .name = name };
	uint32_t zero = 0;
	uint8_t *value;

	REQUIRE(each_object(p, "map_id", is_map, &w), "netprobe has no map %s", name);
	value = calloc(1, w.info.value_size + 8);
	REQUIRE(value && !bpf_map_lookup_elem(w.fd, &zero, value), "%s cannot be read", name);
	close(w.fd);
	*ret_info = w.info;
	return value;
}

/* Calls that only second programs of the hook say they saw. */
static uint64_t seen_by_second(const struct probe *p, unsigned int prog)
{
	const struct btf_var_secinfo *vars;
	struct bpf_map_info info;
	uint8_t *bss = map_value(p, "netprobe.bss", &info);
	struct btf *btf = btf__load_from_kernel_by_id(info.btf_id);
	const struct btf_type *sec = btf ? btf__type_by_id(btf, info.btf_value_type_id) : NULL;
	uint64_t seen = UINT64_MAX;

	REQUIRE(sec && btf_is_datasec(sec), "netprobe.bss has no types");
	vars = btf_var_secinfos(sec);
	for (unsigned int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *var = btf__type_by_id(btf, vars[i].type);

		if (!strcmp(btf__name_by_offset(btf, var->name_off), "st_second"))
			memcpy(&seen, bss + vars[i].offset + prog * sizeof(seen), sizeof(seen));
	}
	REQUIRE(seen != UINT64_MAX, "netprobe.bss has no st_second");
	btf__free(btf);
	free(bss);
	return seen;
}

#define LISTENS 40
#define LISTENS_ON_ONE_PORT                                                     \
	"python3 -c \"import socket\n"                                          \
	"for i in range(40):\n"                                                 \
	"  a, b = [socket.socket() for i in range(2)]\n"                        \
	"  for s in a, b: s.setsockopt(1, 2, 1); s.bind(('127.0.0.1', 7463))\n" \
	"  a.listen()\n"                                                        \
	"  try: b.listen(); raise SystemExit('two listeners on a port')\n"      \
	"  except OSError: pass\n"                                              \
	"  a.close(); b.close()\n\""

/* The kernel takes it back without the function that the first programs of the function families stand at. */
TEST(listen_that_finds_its_port_taken_is_no_call_that_the_first_program_is_left_out_of)
{
	const char *hook = getenv("NETPROBE_HOOK");
	const char *const args[] = {
		"flows",     "--format", "json",       "--hook", hook ? hook : "tracepoint",
		"--fail-at", "second",	 "--duration", "600",	 NULL
	};
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = netns_new();
	struct probe p;
	uint64_t seen;

	need_tracepoints();
	p = probe_spawn(&opts);
	netns_must(&ns, LISTENS_ON_ONE_PORT);
	seen = seen_by_second(&p, NP_PROG_STATE);
	probe_stop(&p);
	CHECK(seen < LISTENS,
	      "expected none of %d calls to be the second program's alone, got %" PRIu64, LISTENS,
	      seen);
}

/* Threads that have a mark though they are in no call: what they send next would be taken for seen. */
static unsigned int marks_that_stay(const struct probe *p)
{
	struct bpf_map_info info;
	uint8_t *before = map_value(p, "np_marks", &info), *after;
	unsigned int n = 0;

	pause_ms(50); /* between the two programs of a call of others on this machine */
	after = map_value(p, "np_marks", &info);
	for (uint32_t i = 0; i < info.value_size; i++)
		n += before[i] && after[i] == before[i];
	free(before);
	free(after);
	return n;
}

TEST(a_call_that_is_over_leaves_no_mark)
{
	const char *const args[] = { "flows",	  "--format", "json",	    "--hook", "tracepoint",
				     "--fail-at", "second",   "--duration", "600",    NULL };
	static const char *const commands[] = { "herd --procs 20",
						"herd --udp --procs 20",
						"stream --send sendfile --bytes 200000",
						"stream --mptcp --send sendfile --bytes 200000",
						"stream --send partial --recv nonblock --bytes 1m",
						"fail linger" };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = netns_new();
	unsigned int left;
	struct probe p;

	need_tracepoints();
	p = probe_spawn(&opts);
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		(void)maker_run(&ns, commands[i]);
	netns_wait_quiet(&ns);
	left = marks_that_stay(&p);
	probe_stop(&p);
	CHECK_EQ(left, 0, "threads with the mark of a call");
}

static bool is_program(uint32_t id, void *arg)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool found = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		     !strncmp(info.name, arg, sizeof(info.name) - 1);

	if (fd >= 0)
		close(fd);
	return found;
}

static bool has_program(const struct probe *p, const char *name)
{
	return each_object(p, "prog_id", is_program, (void *)(uintptr_t)name);
}

TEST(a_second_program_that_is_refused_is_missing_in_its_own_way_alone)
{
	const char *const args[] = { "flows",  "--format",   "json", "--fail-at",
				     "refuse", "--duration", "600",  NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	bool at_functions;
	struct probe p;

	need_tracepoints();
	p = probe_spawn(&opts);
	at_functions = has_program(&p, "np_send4_fx");
	if (!at_functions && !has_program(&p, "np_send4_kp"))
		test_skip("this kernel has no hook at functions");
	CHECK(!has_program(&p, "np_send2_tp"), "expected np_send2_tp to be refused");
	CHECK(has_program(&p, at_functions ? "np_send2_fx" : "np_send2_kp"),
	      "expected the second program at functions, got none");
	probe_stop(&p);
}
