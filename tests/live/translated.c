/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that another one's cgroup programs change between the caller and the wire. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

static void attach(struct bpf_object *obj, const char *name, int cgroup)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	REQUIRE(prog && bpf_program__attach_cgroup(prog, cgroup), "%s: %s", name, strerror(errno));
}

#define BEFORE_ALL (1U << 6) /* BPF_F_PREORDER */

static void need_first(struct bpf_object *obj, int cgroup)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "np_from_service");
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BEFORE_ALL);
	const char *hook = getenv("NETPROBE_HOOK");
	int fd = bpf_link_create(bpf_program__fd(prog), cgroup, BPF_CGROUP_UDP4_RECVMSG, &opts);

	if (fd < 0)
		test_skip("this kernel lets no program see senders before others change them");
	close(fd);
	if (hook && *hook && strcmp(hook, "auto") && strcmp(hook, "tracepoint"))
		test_skip("%s sees addresses as the caller does", hook);
}

static void translate(const char *cgroup)
{
	int fd = open(cgroup, O_RDONLY | O_CLOEXEC);
	struct bpf_object *obj;
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	REQUIRE(n > 0 && fd >= 0, "own path and cgroup: %s", strerror(errno));
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "translate.bpf.o");
	obj = bpf_object__open_file(path, NULL);
	REQUIRE(obj && !bpf_object__load(obj), "%s: %s", path, strerror(errno));
	need_first(obj, fd);
	attach(obj, "np_to_backend", fd);
	attach(obj, "np_from_service", fd);
}

#define ASK                                                                                              \
	"import socket, os\n"                                                                            \
	"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 7500))\n"            \
	"c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"                                         \
	"for i in range(5):\n"                                                                           \
	"  c.sendto(b'x' * 100, ('127.0.0.77', 7500)); a = s.recvfrom(999)[1]; s.sendto(b'y' * 50, a)\n" \
	"  assert c.recvfrom(999)[1][0] == '127.0.0.77'\n"

TEST(a_flow_to_a_translated_service_is_one_row)
{
	struct netns ns = netns_new();
	struct cgroup_dir dir = cgroup_dir_new();
	const json_t *one, *both = NULL;
	char command[1200 + PATH_MAX];
	unsigned int rows = 0;
	struct probe p;
	size_t i;

	translate(dir.path);
	p = probe_start(FLOWS, NULL);
	snprintf(command, sizeof(command), "echo 0 >%s/cgroup.procs; python3 -c \"%s\"", dir.path,
		 ASK);
	netns_must(&ns, command);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode || record_u64(one, "rport") != 7500)
			continue;
		rows++;
		both = one;
	}
	REQUIRE(both, "expected a row of the client, got none");
	CHECK_EQ(rows, 1, "rows of the client");
	CHECK_EQ(record_u64(both, "tx_bytes"), 500, "bytes it sent");
	CHECK_EQ(record_u64(both, "rx_bytes"), 250, "bytes it received");
	CHECK(!strcmp(record_str(both, "raddr"), "127.0.0.1"), "peer: expected the backend, got %s",
	      record_str(both, "raddr"));
}
