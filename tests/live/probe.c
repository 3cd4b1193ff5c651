/* SPDX-License-Identifier: BSD-2-Clause */
/* See probe.h. */
#include "fields.h"
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "figures.h"
#include "tap.h"

#define READY_MS 60000 /* programs are verified meanwhile, by a processor that others use */
#define STOP_MS 10000
#define READY_FD 9 /* in the child */

const char *probe_binary(void)
{
	const char *path = getenv("NETPROBE");

	return path ? path : "build/netprobe";
}

static size_t add_words(const char **argv, size_t n, char *words)
{
	char *save;

	for (char *w = strtok_r(words, " ", &save); w && n < PROBE_MAX_ARGS;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	return n;
}

/* The command comes first, then what the environment adds, then the test's own options. */
static void build_argv(const char **argv, const struct probe_opts *opts, char *env_args)
{
	const char *hook = getenv("NETPROBE_HOOK");
	size_t n = 0, i = 0;

	argv[n++] = "netprobe";
	if (opts->args[0] && opts->args[0][0] != '-')
		argv[n++] = opts->args[i++];
	if (!opts->plain && hook && *hook) {
		argv[n++] = "--hook";
		argv[n++] = hook;
	}
	if (!opts->plain)
		n = add_words(argv, n, env_args);
	if (!opts->no_ready) {
		argv[n++] = "--ready-fd";
		argv[n++] = "9";
	}
	while (opts->args[i] && n < 2 * PROBE_MAX_ARGS)
		argv[n++] = opts->args[i++];
	argv[n] = NULL;
}

static int open_out(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* Another user, with those capabilities and no more, across exec too. */
static int become(uid_t uid, uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgroups(0, NULL) < 0 || setgid(uid) < 0 ||
	    setuid(uid) < 0)
		return -1;
	for (unsigned int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = data[i].inheritable =
			(uint32_t)(caps >> 32 * i);
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return -1;
	for (unsigned long c = 0; c < 64; c++)
		if (caps >> c & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
			return -1;
	return prctl(PR_SET_PDEATHSIG, SIGKILL); /* the change of user cleared it */
}

static int refuse(struct sock_filter *insns, unsigned short n)
{
	struct sock_fprog prog = { .len = n, .filter = insns };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* As a container's profile does. */
static int refuse_call(unsigned int nr, int e)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)e),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return refuse(insns, 4);
}

/* As systemd's RestrictAddressFamilies does. */
static int refuse_family(unsigned int family, int e)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)e),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return refuse(insns, 6);
}

static int refuse_all(const struct probe_opts *opts)
{
	int r = opts->no_bpf ? refuse_call(SYS_bpf, EPERM) : 0;

	if (opts->no_perf && !r)
		r = refuse_call(SYS_perf_event_open, opts->no_perf);
	if (opts->no_packet && !r)
		r = refuse_family(AF_PACKET, opts->no_packet);
	if (opts->no_netlink && !r)
		r = refuse_family(AF_NETLINK, opts->no_netlink);
	return r;
}

/* As in a container without root: every capability, and none of them outside. */
static int enter_user_ns(void)
{
	int fd, r = unshare(CLONE_NEWUSER);

	fd = r ? -1 : open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = write(fd, "0 0 1\n", 6) == 6 ? 0 : -1;
	close(fd);
	return r;
}

static _Noreturn void child(const struct probe *p, const struct probe_opts *opts, int ready)
{
	static const char *argv[2 * PROBE_MAX_ARGS + 8];
	static char env_args[1024];
	const char *env = getenv("NETPROBE_ARGS");
	int binary = open(probe_binary(), O_RDONLY | O_CLOEXEC);
	int out = opts->out_fd ? opts->out_fd : open_out(p->out);
	int log = opts->terminal ? opts->out_fd : open_out(p->log);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	snprintf(env_args, sizeof(env_args), "%s", env ? env : "");
	build_argv(argv, opts, env_args);
	if (binary < 0 || out < 0 || log < 0)
		_exit(126);
	if (opts->terminal) {
		setsid();
		ioctl(out, TIOCSCTTY, 0);
		dup2(out, STDIN_FILENO);
		setenv("TERM", opts->term ? opts->term : "xterm", 1);
	}
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (ready >= 0) {
		if (binary == READY_FD)
			binary = fcntl(binary, F_DUPFD_CLOEXEC, READY_FD + 1);
		dup2(ready, READY_FD);
	}
	if ((opts->user_ns && enter_user_ns() < 0) || (opts->enter && !opts->enter()) ||
	    refuse_all(opts) < 0)
		_exit(126);
	if (opts->address_space) {
		struct rlimit all = { opts->address_space, opts->address_space };

		(void)setrlimit(RLIMIT_AS, &all);
	}
	if (opts->file_size) {
		struct rlimit all = { opts->file_size, opts->file_size };

		(void)setrlimit(RLIMIT_FSIZE, &all);
	}
	if (opts->files) {
		struct rlimit all = { opts->files, opts->files_hard ?: opts->files };

		(void)setrlimit(RLIMIT_NOFILE, &all);
	}
	if (opts->ignored)
		signal(opts->ignored, SIG_IGN);
	if (opts->closed)
		close(opts->closed);
	if (opts->uid && become(opts->uid, opts->caps) < 0)
		_exit(126);
	/* by descriptor: another user may not be allowed to walk there */
	execveat(binary, "", (char *const *)(uintptr_t)argv, environ, AT_EMPTY_PATH);
	dprintf(STDERR_FILENO, "exec %s: %s\n", probe_binary(), strerror(errno));
	_exit(126);
}

static void print_log(const struct probe *p)
{
	char *text = file_text(p->log), *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		test_note("netprobe said: %s", line);
	free(text);
}

static void wait_ready(struct probe *p, int fd)
{
	int64_t deadline = deadline_in(READY_MS);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte = 0;
	int r = poll(&pfd, 1, (int)(deadline - now_ms()));

	if (r == 1 && read(fd, &byte, 1) == 1 && byte == 'R') {
		close(fd);
		return;
	}
	print_log(p);
	if (r == 0)
		REQUIRE(false, "netprobe: expected ready within %d ms, got nothing", READY_MS);
	REQUIRE(false, "netprobe: expected ready, got end %d", probe_wait(p, 2000));
}

struct probe probe_spawn(const struct probe_opts *opts)
{
	static unsigned int nth;
	struct probe p = { .status = -1 };
	int ready[2] = { -1, -1 };

	REQUIRE(access(probe_binary(), R_OK) == 0, "%s: %s", probe_binary(), strerror(errno));
	snprintf(p.out, sizeof(p.out), "%s/netprobe.%u.out", test_dir(), nth);
	snprintf(p.log, sizeof(p.log), "%s/netprobe.%u.log", test_dir(), nth++);
	if (!opts->no_ready)
		REQUIRE(pipe2(ready, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	fflush(NULL);
	p.pid = fork();
	REQUIRE(p.pid >= 0, "fork: %s", strerror(errno));
	if (p.pid == 0)
		child(&p, opts, ready[1]);
	p.started_ms = now_ms();
	if (!opts->no_ready) {
		close(ready[1]);
		wait_ready(&p, ready[0]);
	}
	return p;
}

struct probe probe_start_args(const char *const *args)
{
	struct probe_opts opts = { .args = args };

	return probe_spawn(&opts);
}

struct probe probe_start(const char *command, ...)
{
	const char *args[PROBE_MAX_ARGS] = { command };
	va_list ap;

	va_start(ap, command);
	for (size_t n = 1; n < PROBE_MAX_ARGS - 1 && (args[n] = va_arg(ap, const char *)); n++)
		;
	va_end(ap);
	return probe_start_args(args);
}

char *file_text(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size = 0, n;
	char *text = calloc(1, 1);

	while (f && text) {
		text = realloc(text, size + 65537);
		if (!text)
			break;
		n = fread(text + size, 1, 65536, f);
		size += n;
		text[size] = '\0';
		if (n == 0)
			break;
	}
	if (f)
		fclose(f);
	REQUIRE(text, "out of memory");
	return text;
}

uint64_t status_kib(pid_t pid, const char *key)
{
	char path[40], *text, *at;
	uint64_t kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = file_text(path);
	at = strstr(text, key);
	if (at)
		kib = strtoull(at + strlen(key), NULL, 10);
	free(text);
	return kib;
}

json_t *probe_records(const struct probe *p)
{
	char *text = file_text(p->out), *end = strrchr(text, '\n'), *save;
	json_t *all = json_array();
	unsigned int number = 0;
	char why[256] = "";
	bool good =
		true; /* every record is as the table of fields says, whatever the test is about */

	if (end)
		*end = '\0';
	for (char *line = end ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_error_t e;
		json_t *one = json_loads(line, 0, &e);

		number++;
		if (!one)
			CHECK(false, "%s line %u is no JSON: %s", p->out, number, e.text);
		else if (json_is_array(one))
			json_array_extend(all, one), json_decref(one);
		else
			json_array_append_new(all, one);
		if (good && one && json_object_get(one, "ktime_ns"))
			CHECK((good = fields_hold_event(one, why, sizeof(why))), "%s line %u: %s",
			      p->out, number, why);
	}
	free(text);
	return all;
}

json_t *probe_wait_record(const struct probe *p, bool (*fn)(const json_t *, const void *),
			  const void *arg, int ms)
{
	int64_t deadline = deadline_in(ms);

	for (;;) {
		json_t *all = probe_records(p), *one;
		size_t i;

		json_array_foreach (all, i, one) {
			if (fn(one, arg)) {
				json_incref(one);
				json_decref(all);
				return one;
			}
		}
		json_decref(all);
		if (now_ms() > deadline)
			return NULL;
		pause_ms(50);
	}
}

struct tracepoint {
	pid_t pid;
	const char *name;
};

/* By the kernel's own words about the links it holds. Since 5.8. */
static bool is_at_tracepoint(void *arg)
{
	const struct tracepoint *t = arg;
	char path[300], line[200], want[100];
	bool found = false;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", t->pid);
	snprintf(want, sizeof(want), "tp_name:\t%s\n", t->name);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", t->pid, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && !found && fgets(line, sizeof(line), f))
			found = !strcmp(line, want);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

void probe_wait_tracepoint(const struct probe *p, const char *name)
{
	struct tracepoint t = { p->pid, name };

	REQUIRE(wait_until(is_at_tracepoint, &t, READY_MS),
		"netprobe: expected a program at tracepoint %s, got none", name);
}

int probe_wait(struct probe *p, int ms)
{
	int64_t deadline = deadline_in(ms);
	int status;

	if (p->status >= 0)
		return p->status;
	while (waitpid(p->pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			return -1;
		pause_ms(5);
	}
	p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	figures_check(p->out, (double)(now_ms() - p->started_ms) / 1000);
	figures_check_log(p->log);
	return p->status;
}

int probe_signal(struct probe *p, int sig)
{
	if (kill(p->pid, sig) < 0)
		test_note("kill %d: %s", p->pid, strerror(errno));
	if (probe_wait(p, STOP_MS) < 0) {
		kill(p->pid, SIGKILL);
		probe_wait(p, STOP_MS);
		print_log(p);
		REQUIRE(false, "netprobe: expected its end within %d ms of signal %d", STOP_MS,
			sig);
	}
	return p->status;
}

void probe_stop(struct probe *p)
{
	siginfo_t ended = {};
	int status;

	/* what it missed since then is no fault of what is tested: a guest's clock runs away at times */
	if (!waitid(P_PID, (id_t)p->pid, &ended, WEXITED | WNOHANG | WNOWAIT) &&
	    ended.si_pid == p->pid) {
		print_log(p);
		CHECK(false, "netprobe ended by itself after %" PRId64 " ms, before it was told to",
		      now_ms() - p->started_ms);
	}
	status = probe_signal(p, SIGTERM);
	if (status != 0)
		print_log(p);
	CHECK(status == 0, "netprobe after SIGTERM: expected exit 0, got %d", status);
	p->records = probe_records(p);
}

int probe_run(struct probe *p, const char *const *args)
{
	struct probe_opts opts = { .args = args, .no_ready = true, .plain = true };

	*p = probe_spawn(&opts);
	if (probe_wait(p, READY_MS) < 0) {
		kill(p->pid, SIGKILL);
		probe_wait(p, STOP_MS);
		print_log(p);
		REQUIRE(false, "netprobe: expected its end within %d ms", READY_MS);
	}
	return p->status;
}

bool has_kprobes(void)
{
	return !access("/sys/bus/event_source/devices/kprobe/type", F_OK);
}
