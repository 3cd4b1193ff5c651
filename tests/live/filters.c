/* SPDX-License-Identifier: BSD-2-Clause */
/* Each filter lets through what it names, all of it, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

#define MAX_OPTIONS 8

/* Which of a maker's processes a filter lets through. */
#define NEITHER 0u
#define CLIENT 1u
#define SERVER 2u
#define BOTH 3u

static struct probe start(const char *options, char *words, size_t size)
{
	const char *args[MAX_OPTIONS + 8] = { FLOWS };
	size_t n = 5;
	char *save;

	snprintf(words, size, "%s", options);
	for (char *w = strtok_r(words, " ", &save); w && n < MAX_OPTIONS + 6;
	     w = strtok_r(NULL, " ", &save))
		args[n++] = w;
	args[n] = NULL;
	return probe_start_args(args);
}

static void check_role(const json_t *records, const struct maker *m, const char *role, bool passes,
		       const char *options)
{
	const json_t *report = maker_report(m, role);
	pid_t pid = (pid_t)record_u64(report, "pid");
	uint64_t tx = passes ? record_u64(report, "tx") : 0;
	uint64_t rx = passes ? record_u64(report, "rx") : 0;
	uint64_t got_tx = records_sum(records, NULL, "tx_bytes", pid);
	uint64_t got_rx = records_sum(records, NULL, "rx_bytes", pid);

	CHECK(got_tx == tx && got_rx == rx,
	      "%s: %s (port %" PRIu64 "): expected tx %" PRIu64 " rx %" PRIu64 ", got tx %" PRIu64
	      " rx %" PRIu64,
	      options, role, record_u64(report, "lport"), tx, rx, got_tx, got_rx);
	CHECK(passes || !record_find(records, NULL, NULL, NULL, pid),
	      "%s: expected no flow of the %s, got one", options, role);
}

struct part {
	const char *maker;
	unsigned int passes;
};

/* Run the makers one after the other, the server in the namespace its address is in. */
static void check_filter(const struct netns_pair *n, const char *options, struct part one,
			 struct part other)
{
	const struct part parts[2] = { one, other };
	char words[256], full[400];
	struct probe p = start(options, words, sizeof(words));
	struct maker m[2];

	for (unsigned int i = 0; i < 2; i++) {
		const char *at = strstr(parts[i].maker, "10.77.0.2")
					 ? strstr(parts[i].maker, "10.77.0.2")
					 : strstr(parts[i].maker, "fd77::2");

		snprintf(full, sizeof(full), "%s --client-ns %s --server-ns %s", parts[i].maker,
			 n->a.path, at ? n->b.path : n->a.path);
		m[i] = maker_run(NULL, full);
	}
	probe_stop(&p);
	for (unsigned int i = 0; i < 2; i++) {
		check_role(p.records, &m[i], "client", parts[i].passes & CLIENT, options);
		check_role(p.records, &m[i], "server", parts[i].passes & SERVER, options);
	}
}

#define STREAM "stream --bytes 50000 --reply 3000"
#define DGRAM "dgram --count 50 --reply 70"

static void check_here(const char *options, struct part one, struct part other)
{
	struct netns_pair n = { .a = netns_new() };

	check_filter(&n, options, one, other);
}

TEST(filter_proto)
{
	check_here("--proto tcp", (struct part){ STREAM, BOTH }, (struct part){ DGRAM, NEITHER });
	check_here("--proto udp", (struct part){ STREAM, NEITHER }, (struct part){ DGRAM, BOTH });
}

/* Lists, upper case, names of hosts, "any". */
TEST(filters_take_values_as_people_type_them)
{
	check_here("--proto TCP -i any,nosuch0", (struct part){ STREAM, BOTH },
		   (struct part){ DGRAM, NEITHER });
	check_here("--proto Tcp,UDP --host 192.0.2.1,localhost --port 1-2,1024-65535",
		   (struct part){ STREAM, BOTH }, (struct part){ DGRAM, BOTH });
	check_here("--port 1,2 --host [::1],127.0.0.1", (struct part){ STREAM, NEITHER },
		   (struct part){ STREAM, NEITHER });
}

TEST(filter_family)
{
	check_here("-4", (struct part){ STREAM, BOTH },
		   (struct part){ STREAM " --addr ::1", NEITHER });
	check_here("-6", (struct part){ STREAM, NEITHER },
		   (struct part){ STREAM " --addr ::1", BOTH });
}

TEST(filter_family_takes_mapped_addresses_for_ipv4)
{
	check_here("-4", (struct part){ STREAM " --addr ::ffff:127.0.0.1", BOTH },
		   (struct part){ DGRAM " --addr ::1", NEITHER });
	check_here("-6", (struct part){ STREAM " --addr ::ffff:127.0.0.1", NEITHER },
		   (struct part){ DGRAM " --addr ::1", BOTH });
}

TEST(filter_family_takes_ipv4_clients_of_a_server_for_both_for_ipv4)
{
	check_here("-4", (struct part){ STREAM " --listen ::", BOTH },
		   (struct part){ DGRAM " --listen ::", BOTH });
	check_here("-6", (struct part){ STREAM " --listen :: --addr ::1", BOTH },
		   (struct part){ DGRAM " --listen :: --addr ::1", BOTH });
}

TEST(filter_port)
{
	check_here("--port 5001", (struct part){ STREAM " --port 5001", BOTH },
		   (struct part){ STREAM " --port 5002", NEITHER });
}

TEST(filter_port_range_includes_both_ends)
{
	check_here("--port 5001-5003", (struct part){ STREAM " --port 5001", BOTH },
		   (struct part){ STREAM " --port 5003", BOTH });
	check_here("--port 5001-5003", (struct part){ STREAM " --port 5000", NEITHER },
		   (struct part){ STREAM " --port 5004", NEITHER });
}

TEST(filter_src_port_is_the_local_end)
{
	check_here("--src-port 5001", (struct part){ STREAM " --port 5001", SERVER },
		   (struct part){ STREAM " --port 5002", NEITHER });
}

TEST(filter_dst_port_is_the_remote_end)
{
	check_here("--dst-port 5001", (struct part){ STREAM " --port 5001", CLIENT },
		   (struct part){ STREAM " --port 5002", NEITHER });
}

TEST(filter_port_matches_connected_datagrams)
{
	check_here("--dst-port 5001",
		   (struct part){ "dgram --send send --count 50 --port 5001", CLIENT },
		   (struct part){ "dgram --send send --count 50 --port 5002", NEITHER });
}

TEST(filter_port_matches_peers_of_unconnected_datagrams)
{
	check_here("--port 5001", (struct part){ DGRAM " --port 5001", BOTH },
		   (struct part){ DGRAM " --port 5002", NEITHER });
	check_here("--dst-port 5001", (struct part){ DGRAM " --port 5001", CLIENT },
		   (struct part){ DGRAM " --port 5002", NEITHER });
}

TEST(filter_host_is_either_end)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "--host 10.77.0.2", (struct part){ STREAM " --addr 10.77.0.2", BOTH },
		     (struct part){ STREAM " --addr 127.0.0.1", NEITHER });
}

TEST(filter_src_host_is_the_local_end)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "--src-host 10.77.0.1",
		     (struct part){ STREAM " --addr 10.77.0.2", CLIENT },
		     (struct part){ STREAM " --addr 127.0.0.1", NEITHER });
}

TEST(filter_dst_host_is_the_remote_end)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "--dst-host 10.77.0.1",
		     (struct part){ STREAM " --addr 10.77.0.2", SERVER },
		     (struct part){ STREAM " --addr 127.0.0.1", NEITHER });
}

TEST(filter_dst_host_matches_peers_of_unconnected_datagrams)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "--dst-host 10.77.0.2", (struct part){ DGRAM " --addr 10.77.0.2", CLIENT },
		     (struct part){ DGRAM " --addr 127.0.0.1", NEITHER });
}

TEST(filter_host_takes_networks_of_both_families)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "--host 10.77.0.0/24", (struct part){ STREAM " --addr 10.77.0.2", BOTH },
		     (struct part){ STREAM " --addr fd77::2", NEITHER });
	check_filter(&n, "--host fd77::/64", (struct part){ STREAM " --addr 10.77.0.2", NEITHER },
		     (struct part){ STREAM " --addr fd77::2", BOTH });
	check_filter(&n, "--host 0.0.0.0/0", (struct part){ STREAM " --addr 10.77.0.2", BOTH },
		     (struct part){ STREAM " --addr fd77::2", NEITHER });
}

TEST(filter_interface)
{
	struct netns_pair n = netns_pair_new();

	check_filter(&n, "-i lo", (struct part){ STREAM " --addr 10.77.0.2", NEITHER },
		     (struct part){ STREAM " --addr 127.0.0.1", BOTH });
}

TEST(filter_comm)
{
	check_here("--comm alice", (struct part){ STREAM " --comm alice", CLIENT },
		   (struct part){ STREAM " --comm bob", NEITHER });
	check_here("--comm b", (struct part){ STREAM " --comm b", CLIENT },
		   (struct part){ STREAM " --comm bo", NEITHER });
}

TEST(filters_of_one_kind_are_alternatives)
{
	check_here("--port 5001 --port 5003", (struct part){ STREAM " --port 5001", BOTH },
		   (struct part){ STREAM " --port 5003", BOTH });
	check_here("--comm alice --comm bob", (struct part){ STREAM " --comm alice", CLIENT },
		   (struct part){ STREAM " --comm bob", CLIENT });
}

TEST(filters_of_different_kinds_must_all_match)
{
	check_here("--proto udp --port 5001", (struct part){ STREAM " --port 5001", NEITHER },
		   (struct part){ DGRAM " --port 5001", BOTH });
	check_here("--comm alice --port 5001",
		   (struct part){ STREAM " --comm alice --port 5001", CLIENT },
		   (struct part){ STREAM " --comm alice --port 5002", NEITHER });
}

TEST(filter_pid)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, STREAM " --hold start"), other;
	char options[64], words[64];
	struct probe p;

	snprintf(options, sizeof(options), "-p %d", maker_wait_hold(&m));
	p = start(options, words, sizeof(words));
	maker_go(&m);
	maker_finish(&m);
	other = maker_run(&ns, STREAM);
	probe_stop(&p);
	check_role(p.records, &m, "client", true, options);
	check_role(p.records, &m, "server", false, options);
	check_role(p.records, &other, "client", false, options);
}

static void check_in_and_out(const struct probe *p, const struct maker *in, const struct maker *out,
			     const char *options)
{
	check_role(p->records, in, "client", true, options);
	check_role(p->records, in, "server", true, options);
	check_role(p->records, out, "client", false, options);
	check_role(p->records, out, "server", false, options);
}

TEST(filter_unit_takes_its_name_with_and_without_its_kind)
{
	struct netns ns = netns_new();
	char options[2][100], words[2][200], name[48];
	struct cgroup_dir c;
	struct maker in, out;
	struct probe p[2];

	snprintf(name, sizeof(name), "np-live-%d", getpid());
	c = cgroup_dir_service(name);
	snprintf(options[0], sizeof(options[0]), "--unit %s", name);
	snprintf(options[1], sizeof(options[1]), "--unit %s.service", name);
	for (unsigned int i = 0; i < 2; i++)
		p[i] = start(options[i], words[i], sizeof(words[i]));
	in = maker_start(&ns, c.procs, STREAM);
	maker_finish(&in);
	out = maker_run(&ns, STREAM);
	for (unsigned int i = 0; i < 2; i++) {
		probe_stop(&p[i]);
		check_in_and_out(&p[i], &in, &out, options[i]);
	}
}

static const json_t *row_named(const json_t *records, const char *name)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "group"), name))
			return r;
	return NULL;
}

/* Programs have no columns: neither the end of a unit's name nor the beginning of a path is left out. */
TEST(names_in_json_are_whole_however_long)
{
	static const char *const views[] = { "unit", "container" };
	struct netns ns = netns_new();
	struct cgroup_dir c;
	struct probe p[2];
	struct maker m;
	char name[200];

	memset(name, 'n', sizeof(name) - 1);
	name[snprintf(name, sizeof(name), "np-live-%d-", getpid())] = 'n';
	name[sizeof(name) - 1] = '\0';
	c = cgroup_dir_service(name);
	for (unsigned int i = 0; i < 2; i++)
		p[i] = probe_start("top", "--by", views[i], "--format", "json", "--idle",
				   "--interval", "0.2", "--duration", "3600", NULL);
	m = maker_start(&ns, c.procs, STREAM " --hold sent");
	maker_wait_hold(&m);
	for (unsigned int i = 0; i < 2; i++) {
		const char *want = i ? c.name : c.name + 1;
		bool found = false;
		int64_t deadline = deadline_in(10000);

		while (!found && now_ms() < deadline) {
			json_t *records = probe_records(&p[i]);

			found = row_named(records, want);
			json_decref(records);
			pause_ms(found ? 0 : 50);
		}
		CHECK(found, "--by %s: expected a row called %s", views[i], want);
		probe_stop(&p[i]);
	}
	maker_go(&m);
	maker_finish(&m);
}

TEST(filter_user_takes_a_name_and_a_number)
{
	struct netns ns = netns_new();
	char options[2][64], words[2][100];
	uid_t uid = 40000 + (uid_t)getpid() % 10000;
	struct maker in, out;
	struct probe p[2];

	snprintf(options[0], sizeof(options[0]), "--user %u", uid);
	snprintf(options[1], sizeof(options[1]), "--user root");
	for (unsigned int i = 0; i < 2; i++)
		p[i] = start(options[i], words[i], sizeof(words[i]));
	/* the user is who it says it is, with root's rights */
	REQUIRE(!setreuid(uid, 0), "setreuid: %s", strerror(errno));
	in = maker_start(&ns, -1, STREAM);
	maker_finish(&in);
	REQUIRE(!setreuid(0, 0), "setreuid: %s", strerror(errno));
	out = maker_run(&ns, STREAM);
	for (unsigned int i = 0; i < 2; i++)
		probe_stop(&p[i]);
	check_in_and_out(&p[0], &in, &out, options[0]);
	check_in_and_out(&p[1], &out, &in, options[1]);
}

TEST(filter_cgroup_takes_what_is_below_it)
{
	struct netns ns = netns_new();
	struct cgroup_dir c = cgroup_dir_new();
	char options[PATH_MAX + 8], words[PATH_MAX + 8];
	struct maker in, out;
	struct probe p;

	snprintf(options, sizeof(options), "-c %s", c.path);
	p = start(options, words, sizeof(words));
	in = maker_start(&ns, c.procs, STREAM);
	maker_finish(&in);
	out = maker_run(&ns, STREAM);
	probe_stop(&p);
	check_role(p.records, &in, "client", true, options);
	check_role(p.records, &in, "server", true, options);
	check_role(p.records, &out, "client", false, options);
	check_role(p.records, &out, "server", false, options);
}

TEST(a_container_is_told_and_found_by_its_name)
{
	struct netns ns = netns_new();
	char options[100], words[200], name[64];
	struct cgroup_dir c;
	const json_t *r, *container;
	struct probe p;
	struct maker m;

	snprintf(name, sizeof(name), "np-%d", getpid());
	c = cgroup_dir_lxc(name);
	p = probe_start("events", "--format", "json", "--container", name, NULL);
	m = maker_start(&ns, c.procs, STREAM);
	maker_finish(&m);
	probe_stop(&p);
	r = record_of_socket(p.records, "conn.close", maker_report(&m, "client"));
	REQUIRE(r, "expected conn.close of the client in container %s", name);
	container = json_object_get(r, "container");
	CHECK(!strcmp(record_str(container, "name"), name), "name: expected %s, got %s", name,
	      record_str(container, "name"));
	CHECK(!strcmp(record_str(container, "runtime"), "lxc"), "runtime: expected lxc, got %s",
	      record_str(container, "runtime"));
	snprintf(options, sizeof(options), "--container %s", name);
	p = start(options, words, sizeof(words));
	m = maker_run(&ns, STREAM);
	probe_stop(&p);
	check_role(p.records, &m, "client", false, options);
}

TEST(filter_container_takes_its_id_and_the_beginning_of_it)
{
	struct netns ns = netns_new();
	char id[65], options[2][100], words[2][200];
	struct cgroup_dir c = cgroup_dir_container(id);
	struct maker in, out;
	struct probe p[2];

	snprintf(options[0], sizeof(options[0]), "--container %s", id);
	snprintf(options[1], sizeof(options[1]), "--container %.12s", id);
	for (unsigned int i = 0; i < 2; i++)
		p[i] = start(options[i], words[i], sizeof(words[i]));
	in = maker_start(&ns, c.procs, STREAM);
	maker_finish(&in);
	out = maker_run(&ns, STREAM);
	for (unsigned int i = 0; i < 2; i++) {
		probe_stop(&p[i]);
		check_role(p[i].records, &in, "client", true, options[i]);
		check_role(p[i].records, &in, "server", true, options[i]);
		check_role(p[i].records, &out, "client", false, options[i]);
		check_role(p[i].records, &out, "server", false, options[i]);
	}
}

TEST(why_of_a_container_judges_its_connections_alone)
{
	struct netns ns = netns_new();
	char id[65];
	struct cgroup_dir c = cgroup_dir_container(id);
	struct probe p =
		probe_start("why", "--format", "json", "--container", id, "--duration", "2", NULL);
	struct maker in = maker_start(&ns, c.procs, "limit --by application --seconds 3");
	struct maker out = maker_start(&ns, -1, "limit --by application --seconds 3");
	const json_t *all, *one;
	json_t *records;
	size_t i;

	REQUIRE(probe_wait(&p, 30000) >= 0, "expected why to end by itself");
	maker_finish(&in);
	maker_finish(&out);
	records = probe_records(&p);
	all = json_object_get(json_array_get(records, 0), "flows");
	CHECK_EQ(json_array_size(all), 2, "connections: both ends of the container's");
	json_array_foreach (all, i, one)
		CHECK(record_u64(one, "pid") == record_u64(maker_report(&in, "client"), "pid") ||
			      record_u64(one, "pid") ==
				      record_u64(maker_report(&in, "server"), "pid"),
		      "pid: expected one of the container, got %" PRIu64, record_u64(one, "pid"));
	json_decref(records);
}

TEST(filters_hold_for_events_of_connections_too)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, "--port", "5001", NULL);
	struct maker in = maker_run(&ns, STREAM " --port 5001");
	struct maker out = maker_run(&ns, STREAM " --port 5002");
	const json_t *r;
	size_t i;

	netns_wait_quiet(&ns);
	probe_stop(&p);
	CHECK(record_of_socket(p.records, "conn.close", maker_report(&in, "client")),
	      "conn.close of the client that matches: expected, got none");
	json_array_foreach (p.records, i, r)
		CHECK(record_u64(r, "lport") != 5002 && record_u64(r, "rport") != 5002,
		      "expected nothing of port 5002, got %s", record_str(r, "event_type"));
	CHECK_EQ(records_sum(p.records, "transport.bw", "tx_bytes",
			     (pid_t)record_u64(maker_report(&out, "client"), "pid")),
		 0, "bytes of the client that does not match");
}

TEST(filters_are_evaluated_in_the_kernel)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, "--port", "5001", NULL);
	uint64_t filtered = 0;
	const json_t *r;
	size_t i;

	maker_run(&ns, STREAM " --port 5002");
	probe_stop(&p);
	json_array_foreach (p.records, i, r)
		if (!strcmp(record_str(r, "event_type"), "probe.loss"))
			filtered += record_u64(r, "filtered");
	CHECK(filtered > 0, "filtered in probe.loss: expected some, got none");
}
