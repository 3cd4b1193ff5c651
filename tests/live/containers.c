/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers that are there for 50 ms: bundle, cgroup, process; then all of it is gone. Each says its own bytes. */
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
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

#define CONTAINERS 2000
#define AT_ONCE 20
#define LIFE_MS 50
#define BUNDLE_MS 10   /* longer than its cgroup */
#define NAMED_LEAST 95 /* of a hundred */
#define TASKS "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
#define END_MS 120000

static const char config[] = "{\"ociVersion\":\"1.1.0\",\"annotations\":{"
			     "\"io.kubernetes.cri.container-name\":\"c%d\","
			     "\"io.kubernetes.cri.image-name\":\"registry.example/short:%d\","
			     "\"io.kubernetes.cri.sandbox-name\":\"pod-%d\","
			     "\"io.kubernetes.cri.sandbox-namespace\":\"short\"}}\n";

struct herd {
	const char *cgroup;
	uint16_t port;
	int base; /* so that ids are of this test alone */
};

static void id_of(const struct herd *h, int i, char id[65])
{
	snprintf(id, 65, "%08x%048x%08x", (unsigned int)h->base, 0xc0ffee, (unsigned int)i);
}

/* No two in a row move the same. */
static size_t bytes_of(int i)
{
	return 3 * (size_t)(100 + i % 997);
}

static void sleep_until(const struct timespec *from, int ms)
{
	struct timespec to = *from;

	to.tv_nsec += ms * 1000000L;
	to.tv_sec += to.tv_nsec / 1000000000L;
	to.tv_nsec %= 1000000000L;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &to, NULL) == EINTR)
		;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(3);
	close(fd);
}

/* The process in it: three datagrams. */
static _Noreturn void inside(const struct herd *h, const char *cgroup, int i)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(h->port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static char data[2048];
	char procs[PATH_MAX + 128];
	struct timespec from;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &from);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	write_file(procs, "0");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		_exit(4);
	for (int n = 0; n < 3; n++)
		if (send(fd, data, bytes_of(i) / 3, 0) != (ssize_t)(bytes_of(i) / 3))
			_exit(5);
	sleep_until(&from, LIFE_MS);
	_exit(0);
}

static int one(const struct herd *h, int i)
{
	char id[65], bundle[256], file[300], cgroup[PATH_MAX + 100], text[sizeof(config) + 64];
	struct timespec gone;
	int status = -1;
	pid_t pid;

	id_of(h, i, id);
	snprintf(bundle, sizeof(bundle), TASKS "/%s", id);
	snprintf(file, sizeof(file), "%s/config.json", bundle);
	snprintf(cgroup, sizeof(cgroup), "%s/cri-containerd-%s.scope", h->cgroup, id);
	snprintf(text, sizeof(text), config, i, i, i);
	if (mkdir(bundle, 0700))
		return 1;
	write_file(file, text);
	if (mkdir(cgroup, 0755))
		return 1;
	pid = fork();
	if (!pid)
		inside(h, cgroup, i);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	while (rmdir(cgroup) && errno == EBUSY)
		pause_ms(1);
	clock_gettime(CLOCK_MONOTONIC, &gone);
	sleep_until(&gone, BUNDLE_MS);
	return status || unlink(file) || rmdir(bundle);
}

static void let_live(const struct herd *h)
{
	pid_t pids[AT_ONCE];

	for (int w = 0; w < AT_ONCE; w++) {
		pids[w] = fork();
		REQUIRE(pids[w] >= 0, "fork: %s", strerror(errno));
		if (pids[w])
			continue;
		for (int i = w; i < CONTAINERS; i += AT_ONCE)
			if (one(h, i))
				_exit(1);
		_exit(0);
	}
	for (int w = 0; w < AT_ONCE; w++) {
		int status = -1;

		REQUIRE(waitpid(pids[w], &status, 0) == pids[w], "waitpid: %s", strerror(errno));
		REQUIRE(!status, "expected containers %d, %d, ... to live, got status %d", w,
			w + AT_ONCE, status);
	}
}

/* A socket that nobody reads, in the namespace. */
static int sink(const struct netns *ns, uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int in = open(ns->path, O_RDONLY | O_CLOEXEC), fd;

	REQUIRE(in >= 0 && !setns(in, CLONE_NEWNET), "%s: %s", ns->path, strerror(errno));
	close(in);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0 && !bind(fd, (const struct sockaddr *)&at, len) &&
			!getsockname(fd, (struct sockaddr *)&at, &len),
		"a socket: %s", strerror(errno));
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* The runtime's folder is this test's own, for it and what it starts. */
static void own_run(void)
{
	REQUIRE(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			!mount("none", "/run", "tmpfs", MS_STRICTATIME, "mode=755"),
		"a /run of its own: %s", strerror(errno));
	REQUIRE(!mkdir("/run/containerd", 0711) &&
			!mkdir("/run/containerd/io.containerd.runtime.v2.task", 0711) &&
			!mkdir(TASKS, 0711),
		TASKS ": %s", strerror(errno));
}

struct told {
	uint64_t bytes;
	bool named;
};

static bool is_text(const json_t *of, const char *key, const char *form, int i)
{
	char want[64];

	snprintf(want, sizeof(want), form, i);
	return !strcmp(json_string_value(json_object_get(of, key)) ?: "", want);
}

/* Its number; -1: none of this test's. Fails where a name is not its own. */
static int take(const struct herd *h, const json_t *r, struct told *all)
{
	const json_t *c = json_object_get(r, "container");
	const char *id = json_string_value(json_object_get(c, "id"));
	char own[65];
	int i;

	if (!id || strlen(id) != 64)
		return -1;
	i = (int)strtol(id + 56, NULL, 16);
	if (i < 0 || i >= CONTAINERS)
		return -1;
	id_of(h, i, own);
	if (strcmp(id, own) != 0)
		return -1;
	CHECK(is_text(c, "runtime", "containerd", 0), "container %d: expected containerd, got %s",
	      i, record_str(c, "runtime"));
	all[i].bytes += record_u64(r, "tx_bytes");
	if (json_is_null(json_object_get(c, "name")))
		return i;
	if (is_text(c, "namespace", "other", 0))
		return i;
	CHECK(is_text(c, "name", "c%d", i) && is_text(c, "image", "registry.example/short:%d", i) &&
		      is_text(c, "pod_name", "pod-%d", i) && is_text(c, "namespace", "short", 0),
	      "container %d has the name of another one: %s", i, record_str(c, "name"));
	all[i].named = true;
	return i;
}

static void check_all(const struct herd *h, const json_t *flows)
{
	struct told *all = calloc(CONTAINERS, sizeof(*all));
	unsigned int named = 0, short_of = 0, nobodys = 0;
	const json_t *r;
	size_t at;

	REQUIRE(all, "out of memory");
	json_array_foreach (flows, at, r)
		if (take(h, r, all) < 0 && record_u64(r, "rport") == h->port)
			nobodys++;
	for (int i = 0; i < CONTAINERS; i++) {
		named += all[i].named;
		short_of += all[i].bytes != bytes_of(i);
	}
	CHECK_EQ(nobodys, 0, "sockets of containers without a container");
	CHECK_EQ(short_of, 0, "containers without all of their bytes");
	test_note("%u of %d containers have their names", named, CONTAINERS);
	CHECK(SANITIZED || named * 100 >= CONTAINERS * NAMED_LEAST,
	      "expected names of %d in a hundred, got %u of %d", NAMED_LEAST, named, CONTAINERS);
	free(all);
}

TEST(containers_of_50_ms_have_their_bytes_and_their_names)
{
	struct netns ns = netns_new();
	struct cgroup_dir c = cgroup_dir_new();
	struct herd h = { .cgroup = c.path, .base = getpid() };
	struct probe p;
	int fd;

	own_run();
	fd = sink(&ns, &h.port);
	p = probe_start(FLOWS, NULL);
	let_live(&h);
	probe_stop(&p);
	check_all(&h, p.records);
	close(fd);
}

struct look {
	const char *file;
	struct timespec made;
};

static bool is_read(void *arg)
{
	const struct look *l = arg;
	struct stat st;

	return !stat(l->file, &st) &&
	       (st.st_atim.tv_sec != l->made.tv_sec || st.st_atim.tv_nsec != l->made.tv_nsec);
}

static const json_t *of_container(const struct probe *p, const char *id)
{
	const json_t *r;
	size_t at;

	json_array_foreach (p->records, at, r) {
		const json_t *c = json_object_get(r, "container");
		const char *its = json_string_value(json_object_get(c, "id"));

		if (its && !strcmp(its, id))
			return c;
	}
	return NULL;
}

/* Its files go when they were read, which is before there is anything else to know it by. */
static void named_by(const struct herd *h, const char *mode, int i)
{
	char id[65], bundle[256], file[300], cgroup[PATH_MAX + 100], text[sizeof(config) + 64];
	struct look look = { .file = file };
	const json_t *c;
	struct probe p;
	struct stat st;
	int up[2], go[2];
	char byte;
	pid_t pid;

	id_of(h, i, id);
	snprintf(bundle, sizeof(bundle), TASKS "/%s", id);
	snprintf(file, sizeof(file), "%s/config.json", bundle);
	snprintf(cgroup, sizeof(cgroup), "%s/cri-containerd-%s.scope", h->cgroup, id);
	snprintf(text, sizeof(text), config, i, i, i);
	REQUIRE(!mkdir(bundle, 0700), "%s: %s", bundle, strerror(errno));
	write_file(file, text);
	REQUIRE(!stat(file, &st), "%s: %s", file, strerror(errno));
	look.made = st.st_atim;
	p = probe_start(FLOWS, "--capture-mode", mode, NULL);
	REQUIRE(!mkdir(cgroup, 0755), "%s: %s", cgroup, strerror(errno));
	CHECK(wait_until(is_read, &look, 20000), "%s: expected %s read when its cgroup was made",
	      mode, file);
	REQUIRE(!unlink(file) && !rmdir(bundle), "%s: %s", bundle, strerror(errno));
	REQUIRE(!pipe2(up, O_CLOEXEC) && !pipe2(go, O_CLOEXEC), "pipe: %s", strerror(errno));
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		const struct sockaddr_in to = { .sin_family = AF_INET,
						.sin_port = htons(h->port),
						.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		char procs[PATH_MAX + 128];
		int fd;

		close(go[1]);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
		write_file(procs, "0");
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
		    send(fd, text, 10, 0) != 10 || write(up[1], "", 1) != 1)
			_exit(1);
		(void)!read(go[0], &byte, 1);
		_exit(0);
	}
	close(go[0]);
	REQUIRE(read(up[0], &byte, 1) == 1, "the process in it: %s", strerror(errno));
	probe_stop(&p); /* which looks at all sockets once more */
	close(go[1]);
	close(up[0]);
	close(up[1]);
	(void)waitpid(pid, NULL, 0);
	while (rmdir(cgroup) && errno == EBUSY)
		pause_ms(1);
	c = of_container(&p, id);
	REQUIRE(c, "%s: expected a socket of container %s", mode, id);
	CHECK(is_text(c, "name", "c%d", i) && is_text(c, "pod_name", "pod-%d", i) &&
		      is_text(c, "runtime", "containerd", 0),
	      "%s: expected c%d, got %s", mode, i, record_str(c, "name"));
}

TEST(lower_rungs_know_a_container_from_its_birth)
{
	struct netns ns = netns_new();
	struct cgroup_dir c = cgroup_dir_new();
	struct herd h = { .cgroup = c.path, .base = getpid() };
	int fd;

	own_run();
	fd = sink(&ns, &h.port);
	named_by(&h, "afpacket", 1);
	named_by(&h, "proc", 2);
	close(fd);
}

static void check_bytes(const struct herd *h, struct probe *p, int i, bool wanted, const char *what)
{
	struct told all[CONTAINERS] = { 0 };
	const json_t *r;
	size_t at;

	json_array_foreach (p->records, at, r)
		(void)take(h, r, all);
	CHECK_EQ(all[i].bytes, wanted ? bytes_of(i) : 0, what);
}

TEST(filters_of_pods_and_namespaces_take_what_their_files_tell)
{
	static const char *const filters[][2] = { { "--pod", "pod-3" },
						  { "--pod", "short/pod-3" },
						  { "--namespace", "short" },
						  { "--container", "c3" } };
	struct netns ns = netns_new();
	struct cgroup_dir c = cgroup_dir_new();
	struct herd h = { .cgroup = c.path, .base = getpid() };
	char cgroup[2][PATH_MAX + 100], bundle[256], file[300], id[65];
	struct probe p[4];
	int fd;

	own_run();
	fd = sink(&ns, &h.port);
	for (int i = 0; i < 2; i++) {
		char text[sizeof(config) + 64];

		id_of(&h, 3 + i, id);
		snprintf(bundle, sizeof(bundle), TASKS "/%s", id);
		snprintf(file, sizeof(file), "%s/config.json", bundle);
		snprintf(cgroup[i], sizeof(cgroup[i]), "%s/cri-containerd-%s.scope", h.cgroup, id);
		snprintf(text, sizeof(text), config, 3 + i, 3 + i, 3 + i);
		if (i) /* of another namespace */
			memcpy(strstr(text, "short\"}"), "other", 5);
		REQUIRE(!mkdir(bundle, 0700) && !mkdir(cgroup[i], 0755), "%s: %s", bundle,
			strerror(errno));
		write_file(file, text);
	}
	for (int f = 0; f < 4; f++)
		p[f] = probe_start(FLOWS, filters[f][0], filters[f][1], NULL);
	for (int i = 0; i < 2; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			inside(&h, cgroup[i], 3 + i);
		REQUIRE(waitpid(pid, &status, 0) == pid && !status, "container %d: status %d",
			3 + i, status);
	}
	for (int f = 0; f < 4; f++) {
		probe_stop(&p[f]);
		check_bytes(&h, &p[f], 3, true, filters[f][1]);
		check_bytes(&h, &p[f], 4, false, filters[f][1]);
	}
	for (int i = 0; i < 2; i++)
		while (rmdir(cgroup[i]) && errno == EBUSY)
			pause_ms(1);
	close(fd);
}

#define BORN_MADE 400
#define BORN_HOST_MADE 40
#define BORN_USER (16 << 10) /* bytes of records of one user, until netprobe looks */
#define BORN_HEAD 32

/* Child: makes that many cgroups below the folder, one after the other, as that user. */
static void make_cgroups(const struct cgroup_dir *c, uid_t uid, int n)
{
	char path[PATH_MAX + 128];
	int status = -1;
	pid_t pid = fork();

	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		if (uid && (setgid(uid) || setuid(uid)))
			_exit(1);
		for (int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "%s/%0100d", c->path, i);
			if (mkdir(path, 0755) || rmdir(path))
				_exit(2);
		}
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "cgroups of user %d: status %d",
		(int)uid, status);
}

static uint64_t of_births(const struct probe *p, const char *key)
{
	uint64_t last = 0;
	const json_t *r;
	size_t at;

	json_array_foreach (p->records, at, r)
		if (!strcmp(record_str(r, "event_type"), "probe.loss") &&
		    !strcmp(record_str(r, "program"), "cgroup_made"))
			last = record_u64(r, key);
	return last;
}

/* netprobe stands still meanwhile, so that it is known how often it looked. */
TEST(a_user_who_makes_cgroups_without_end_has_a_part_of_the_ring)
{
	struct cgroup_dir c = cgroup_dir_new();
	unsigned int told = BORN_USER / (BORN_HEAD + (unsigned int)strlen(c.name) + 1 + 100 + 1);
	struct probe p;

	REQUIRE(!chown(c.path, 65534, 65534), "%s: %s", c.path, strerror(errno));
	p = probe_start("events", "--interval", "0.2", NULL);
	REQUIRE(!kill(p.pid, SIGSTOP), "kill: %s", strerror(errno));
	make_cgroups(&c, 65534, BORN_MADE);
	make_cgroups(&c, 0, BORN_HOST_MADE);
	REQUIRE(!kill(p.pid, SIGCONT), "kill: %s", strerror(errno));
	probe_stop(&p);
	CHECK_EQ(of_births(&p, "ring_full"), BORN_MADE - told, "cgroups that were not told");
	CHECK(of_births(&p, "submitted") >= told + BORN_HOST_MADE,
	      "expected %u of the user's and all of root's, got %" PRIu64 " in all", told,
	      of_births(&p, "submitted"));
}
