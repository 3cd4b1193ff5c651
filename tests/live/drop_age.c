/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of drops age: what processes lost that ended is counted, and its room is free again. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define PROCESSES 2500 /* more than a quarter of a table's room, which is when it is emptied */
#define ROOM 8192
#define SMALL (ROOM / 4) /* what is written is emptied beyond it, once a second */

/* One after the other, each loses a datagram to the rule. */
static void lose_one_each(void *arg)
{
	struct dgrams one = { AF_INET, 1, 10, CLOSED, true };

	(void)arg;
	for (int i = 0; i < PROCESSES; i++) {
		int status = 1;
		pid_t pid = fork();

		if (!pid) {
			send_dgrams(&one);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			_exit(1);
	}
}

/* Maps of that name which the process holds, opened. */
static unsigned int maps_of(pid_t pid, const char *name, int fds[4])
{
	char path[64], line[128];
	struct dirent *d;
	unsigned int n = 0, id;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	REQUIRE(dir, "%s: %s", path, strerror(errno));
	while (n < 4 && (d = readdir(dir))) {
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		FILE *f;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", pid, d->d_name);
		f = fopen(path, "re");
		for (id = 0; f && !id && fgets(line, sizeof(line), f);)
			(void)sscanf(line, "map_id: %u", &id);
		if (f)
			fclose(f);
		fd = id ? bpf_map_get_fd_by_id(id) : -1;
		if (fd < 0)
			continue;
		/* names are cut to 15 characters */
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    !strncmp(info.name, name, strlen(name)))
			fds[n++] = fd;
		else
			close(fd);
	}
	closedir(dir);
	return n;
}

static unsigned int entries(int fd)
{
	char key[128], next[128];
	unsigned int n = 0;

	while (!bpf_map_get_next_key(fd, n ? key : NULL, next)) {
		memcpy(key, next, sizeof(key));
		n++;
	}
	return n;
}

/* Entries of both tables together, once they are below what is kept, or at the deadline. */
static unsigned int wait_small(const int fds[4], unsigned int n)
{
	unsigned int sum = 0;

	for (int i = 0; i < 300; i++) {
		sum = 0;
		for (unsigned int k = 0; k < n; k++)
			sum += entries(fds[k]);
		if (sum < SMALL)
			break;
		usleep(100000);
	}
	return sum;
}

static void check_sums(const struct probe *p, const struct netns *ns)
{
	uint64_t packets = 0, owned = 0, twice = 0, rows = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (p->records, i, r) {
		if (record_u64(r, "netns") != ns->inode ||
		    strcmp(record_str(r, "reason"), "NETFILTER_DROP"))
			continue;
		rows++;
		packets += record_u64(r, "packets");
		owned += record_u64(r, "pid") ? record_u64(r, "packets") : 0;
		twice += record_u64(r, "packets") != 1;
	}
	CHECK_EQ(packets, PROCESSES, "packets in the summary");
	CHECK_EQ(owned, PROCESSES, "of them with an owner");
	CHECK_EQ(rows, PROCESSES, "rows, one a process");
	CHECK_EQ(twice, 0, "rows of other than one packet");
}

static void check_events(const struct probe *p, const struct netns *ns)
{
	const struct drops d = count_drops(p->records, ns, "NETFILTER_DROP", 0);
	uint64_t owned = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (p->records, i, r)
		if (is_drop(r, ns, "NETFILTER_DROP") && record_u64(r, "pid"))
			owned += record_u64(r, "packets");
	CHECK_EQ(d.packets, PROCESSES, "packets in events");
	CHECK_EQ(owned, PROCESSES, "of them with an owner");
}

TEST(the_table_of_drops_is_emptied_and_loses_no_packet)
{
	struct netns ns = netns_new();
	struct probe sums, events;
	int fds[4];
	unsigned int n;

	need_tracepoint();
	drop_output(&ns, "udp dport 9999");
	sums = start_drops("--port", "9999", "--summary");
	events = start_drops("--max-events", "5",
			     NULL); /* most of them are told later, without a packet */
	n = maps_of(sums.pid, "np_drop_sums_", fds);
	REQUIRE(n == 2, "tables of sums: expected 2, got %u", n);
	finish(start_in(&ns, lose_one_each, NULL));
	CHECK(wait_small(fds, n) < SMALL, "the table: expected it to be emptied");
	probe_stop(&sums);
	probe_stop(&events);
	check_sums(&sums, &ns);
	check_events(&events, &ns);
}

static void flood_in_turns(void *arg)
{
	struct dgrams some = { AF_INET, 20000, 10, CLOSED, true };

	(void)arg;
	send_dgrams(&some);
}

/* One kind, counted while the tables are exchanged again and again. */
TEST(packets_of_one_kind_are_exact_while_tables_are_exchanged)
{
	struct netns ns = netns_new();
	struct probe p;
	struct drops d;
	pid_t pid, many;

	need_tracepoint();
	drop_output(&ns, "udp dport 9999");
	p = start_drops("--port", "9999", NULL);
	many = start_in(&ns, lose_one_each, NULL);
	pid = start_in(&ns, flood_in_turns, NULL);
	finish(pid);
	finish(many);
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NETFILTER_DROP", pid);
	CHECK_EQ(d.owned, 20000, "packets of the one");
	CHECK_EQ(d.packets, 20000 + PROCESSES, "packets of all");
}
