/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: attach and detach, counters, lists, safety. On cables between namespaces of the test's own. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

struct same {
	const struct netns *ns;
	const char *iface, *ours_rx, *ours_tx;
	uint64_t rx, rx_device, tx, tx_device, least;
};

static bool is_same(void *arg)
{
	struct same *s = arg;
	json_t *r = guard_stats(s->ns, s->iface);

	s->rx = json_at(r, s->ours_rx);
	s->rx_device = json_at(r, "rx.device_packets");
	s->tx = json_at(r, s->ours_tx);
	s->tx_device = json_at(r, "tx.device_packets");
	json_decref(r);
	return s->rx == s->rx_device && s->tx == s->tx_device && s->rx + s->tx >= s->least;
}

/* Ours beside the device's own, after bulk TCP both ways and datagrams, GRO and GSO on. */
static void compare_counts(const char *how)
{
	struct netns_pair p = netns_pair_new();
	struct same s = { .ns = &p.a,
			  .iface = p.if_a,
			  .ours_rx = "rx.packets",
			  .ours_tx = "tx.packets",
			  .least = 100 };
	json_t *r;

	guard_must(&p.a, "attach %s %s", p.if_a, how);
	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 30000000), "no connection to us");
	CHECK(stream(&p.a, &p.b, "10.77.0.2", 5002, 30000000), "no connection from us");
	CHECK(stream(&p.b, &p.a, "fd77::1", 5001, 3000000), "no connection to us over IPv6");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 5003, 100), 100, "datagrams");
	CHECK(wait_until(is_same, &s, 5000),
	      "%s: rx expected %" PRIu64 " (device), got %" PRIu64 "; tx expected %" PRIu64
	      ", got %" PRIu64,
	      how, s.rx_device, s.rx, s.tx_device, s.tx);
	r = guard_stats(&p.a, p.if_a);
	CHECK(json_at(r, "rx.tcp.packets") > 0, "%s: no TCP came in", how);
	CHECK(json_at(r, "rx.udp.packets") >= 100, "%s: %" PRIu64 " datagrams came in", how,
	      json_at(r, "rx.udp.packets"));
	CHECK_EQ(json_at(r, "rx.other.packets") + json_at(r, "tx.other.packets"), 0,
		 "packets of no protocol that was sent");
	json_decref(r);
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(counters_equal_the_devices_own_packet_for_packet)
{
	compare_counts("--mode monitor");
}

TEST(counters_equal_the_devices_own_where_tc_counts_alone)
{
	compare_counts("--mode monitor --xdp generic");
	compare_counts("--mode monitor --xdp generic --clsact");
	/* There tc is given some packets without their Ethernet header. */
	compare_counts("--mode filter --xdp generic");
}

/* Packets come in all the while it is put on: what ours has and the device's count has not would stay. */
TEST(counters_begin_with_the_devices_own_while_packets_come)
{
	const struct forged udp = { .proto = IPPROTO_UDP, .sport = 4000 };
	struct netns_pair p = netns_pair_new();
	struct same s = { .ns = &p.a,
			  .iface = p.if_a,
			  .ours_rx = "rx.packets",
			  .ours_tx = "tx.packets",
			  .least = 1 };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		forge(&p.b, &udp, 1000, 2000);
		_exit(0);
	}
	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	waitpid(pid, &status, 0);
	CHECK(wait_until(is_same, &s, 5000),
	      "rx expected %" PRIu64 " (device), got %" PRIu64 "; tx expected %" PRIu64
	      ", got %" PRIu64,
	      s.rx_device, s.rx, s.tx_device, s.tx);
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(flows_are_counted_by_address_and_port)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 40), 40, "datagrams");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6002, 30), 30, "datagrams");
	guard_must(&p.a, "stats --flows --format json -n 1000");
	CHECK(strstr(guard_out(), "\"lport\":6001") && strstr(guard_out(), "\"rx_pkts\":40"),
	      "no flow of 40 packets to port 6001: %s", guard_out());
	CHECK(strstr(guard_out(), "\"lport\":6002") && strstr(guard_out(), "\"rx_pkts\":30"),
	      "no flow of 30 packets to port 6002: %s", guard_out());
}

struct flow_sum {
	struct netns_pair *p;
	uint64_t flows, device;
};

/* All packets with addresses are in some flow: what is left are those without (ARP). */
static bool flows_have_all(void *arg)
{
	struct flow_sum *s = arg;
	json_t *r = guard_stats(&s->p->a, s->p->if_a);
	char *save = NULL;

	s->device = json_at(r, "rx.device_packets") + json_at(r, "tx.device_packets") -
		    json_at(r, "rx.non_ip.packets") - json_at(r, "tx.non_ip.packets");
	json_decref(r);
	guard_must(&s->p->a, "stats --flows --format json -n 65536");
	s->flows = 0;
	for (char *line = strtok_r((char *)guard_out(), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		r = json_loads(line, 0, NULL);
		s->flows += json_at(r, "rx_pkts") + json_at(r, "tx_pkts");
		json_decref(r);
	}
	return s->flows == s->device && s->flows > 1000;
}

TEST(flows_together_are_the_devices_packets)
{
	struct netns_pair p = netns_pair_new();
	struct flow_sum s = { .p = &p };

	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 20000000), "no connection to us");
	CHECK(stream(&p.a, &p.b, "10.77.0.2", 5002, 20000000), "no connection from us");
	CHECK(stream(&p.b, &p.a, "fd77::1", 5001, 3000000), "no connection to us over IPv6");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1000), 1000, "datagrams");
	CHECK(wait_until(flows_have_all, &s, 5000),
	      "expected %" PRIu64 " (device), the flows have %" PRIu64, s.device, s.flows);
}

TEST(ban_drops_every_packet_of_the_source_and_counts_it)
{
	struct netns_pair p = netns_pair_new();
	json_t *r;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 50), 50, "before the ban");
	guard_must(&p.a, "ban 10.77.0.2 --reason flood");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 50), 0, "banned");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6001, 50), 50, "its other address");
	r = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(r, "dropped.ban"), 50, "drops");
	json_decref(r);
	guard_must(&p.a, "list --format json");
	CHECK(strstr(guard_out(), "\"hits\":50") && strstr(guard_out(), "\"reason\":\"flood\""),
	      "the list lacks hits or reason: %s", guard_out());
	CHECK(strstr(guard_out(), "\"who\":\"root\"") && strstr(guard_out(), "\"age_s\":"),
	      "the list lacks who and when: %s", guard_out());
	guard_must(&p.a, "unban 10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 50), 50, "after unban");
	guard_must(&p.a, "ban fd77::2");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6001, 50), 0, "IPv6 banned");
}

static bool passes_over_ipv6(void *arg)
{
	struct netns_pair *p = arg;

	return datagrams(&p->b, &p->a, "fd77::1", 6005, 1) == 1;
}

TEST(networks_ports_and_protocols_are_matched_and_allow_wins)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.77.0.0/24 --proto udp --port 6000-6010 --force");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6005, 10), 0, "a banned port");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6011, 10), 10, "the port beside it");
	CHECK(stream(&p.b, &p.a, "10.77.0.1", 6005, 10), "the other protocol was dropped");
	guard_must(&p.a, "ban 10.77.0.2 --proto tcp --port 1");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6005, 10), 0,
		 "banned by the network, though the address has an entry of its own");
	guard_must(&p.a, "ban 10.77.0.2 --proto udp --port 6011");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6011, 10), 0, "a second rule for one address");
	guard_must(&p.a, "allow 10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6005, 10), 10, "allowed");
	guard_must(&p.a, "ban fd00::/8 --force");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6005, 10), 0, "a short IPv6 network");
	guard_must(&p.a, "allow fd77::/64");
	/* What resolves addresses was banned as well, and asks again only after a second. */
	CHECK(wait_until(passes_over_ipv6, &p, 5000), "an allowed network within it is dropped");
}

TEST(one_rule_of_an_address_is_taken_back_and_the_others_stay)
{
	struct netns_pair p = guard_pair(NULL);

	guard_must(&p.a, "ban 10.77.0.2 --proto udp --port 7001 --reason one --for 1h");
	guard_must(&p.a, "ban 10.77.0.2 --proto udp --port 7002-7003 --reason two");
	guard_must(&p.a, "ban 10.77.0.0/24 --proto udp --port 7004 --force");
	CHECK_EQ(guard_run(&p.a, "unban 10.77.0.2 --proto tcp --port 7001"), 3, "no such rule");
	CHECK(strstr(guard_log(), "10.77.0.2: there is no rule for that"), "%s", guard_log());
	CHECK_EQ(guard_run(&p.a, "unban 10.77.0.2 10.77.0.0/24 --proto udp --port 7001"), 3,
		 "a rule that only one of them has");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 5), 0, "nothing was taken");
	guard_must(&p.a, "unban 10.77.0.2 --proto udp --port 7002-7003");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 5), 0, "the other rule");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 5), 5, "after the rule was taken back");
	guard_must(&p.a, "list --format tsv");
	CHECK(strstr(guard_out(), "10.77.0.2\tudp\t7001\t36") ||
		      strstr(guard_out(), "10.77.0.2\tudp\t7001\t35"),
	      "the rule that is left lost its end: %s", guard_out());
	guard_must(&p.a, "unban 10.77.0.2 --proto udp --port 7001");
	guard_must(&p.a, "list --format tsv");
	CHECK(!strstr(guard_out(), "10.77.0.2") && strstr(guard_out(), "10.77.0.0/24"),
	      "the entry without rules, or the network: %s", guard_out());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7004, 5), 0, "the network's rule");
	guard_must(&p.a, "allow 10.77.0.2 --proto udp");
	guard_must(&p.a, "unban --allow 10.77.0.2 --proto udp");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7004, 5), 0, "the allowance is taken back");
}

TEST(dry_run_counts_and_lets_pass)
{
	struct netns_pair p = netns_pair_new();
	char command[PATH_MAX + 128];
	json_t *r;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.77.0.2 --dry-run");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 20), 20, "passed");
	r = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(r, "would_drop.ban"), 20, "would have been dropped");
	CHECK_EQ(json_at(r, "dropped.ban"), 0, "dropped");
	json_decref(r);
	snprintf(command, sizeof(command),
		 "%s guard list --format json | grep -q '\"action\":\"dry_run\"'", probe_binary());
	netns_must(&p.a, command);
}

struct passes {
	struct netns_pair *p;
};

static bool passes_again(void *arg)
{
	struct passes *x = arg;

	return datagrams(&x->p->b, &x->p->a, "10.77.0.1", 6001, 1) == 1;
}

TEST(ban_ends_by_itself_in_the_kernel)
{
	struct netns_pair p = netns_pair_new();
	struct passes x = { &p };

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.77.0.2 --for 2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	CHECK(wait_until(passes_again, &x, 4000), "still banned after its time");
	guard_must(&p.a, "list --format json");
	CHECK(!strstr(guard_out(), "10.77.0.2"), "still in the list: %s", guard_out());
}

TEST(unconfirmed_change_is_undone_by_the_kernel)
{
	struct netns_pair p = netns_pair_new();
	struct passes x = { &p };

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 192.0.2.1");
	guard_must(&p.a, "ban 10.77.0.2 --confirm 2s");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	CHECK(guard_run(&p.a, "ban 192.0.2.2") != 0, "a second change was taken meanwhile");
	/* It would be banned again when the change is undone. */
	CHECK(guard_run(&p.a, "unban 192.0.2.1") != 0, "and so was a third");
	CHECK(wait_until(passes_again, &x, 4000), "still banned, though nobody confirmed");
	guard_must(&p.a, "list --format json");
	CHECK(!strstr(guard_out(), "10.77.0.2") && strstr(guard_out(), "192.0.2.1"),
	      "not the list of before: %s", guard_out());
	guard_must(&p.a, "ban 10.77.0.2 --confirm 1h");
	guard_must(&p.a, "confirm");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "confirmed");
	CHECK(guard_run(&p.a, "confirm") == 3, "confirmed twice");
}

TEST(off_lets_everything_pass_until_on)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.77.0.2");
	guard_must(&p.a, "off");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "off");
	guard_must(&p.a, "on");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "on");
}

TEST(dangerous_bans_need_force)
{
	static const char *const bans[] = { "10.77.0.1", "10.77.0.0/24", "0.0.0.0/0", "::/0",
					    "fd77::1" };
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	netns_must(&p.a, "ip route add default via 10.77.0.2");
	for (unsigned int i = 0; i < sizeof(bans) / sizeof(bans[0]); i++)
		CHECK_EQ(guard_run(&p.a, "ban %s", bans[i]), 3, bans[i]);
	CHECK_EQ(guard_run(&p.a, "ban 10.77.0.2"), 3, "the gateway");
	CHECK(strstr(guard_log(), "gateway"), "it does not say why: %s", guard_log());
	setenv("SSH_CONNECTION", "198.51.100.7 4242 10.77.0.1 22", 1);
	CHECK_EQ(guard_run(&p.a, "ban 198.51.100.0/24"), 3, "the SSH peer");
	CHECK(strstr(guard_log(), "198.51.100.7"), "it does not name the peer: %s", guard_log());
	unsetenv("SSH_CONNECTION");
	guard_must(&p.a, "list");
	CHECK(!strstr(guard_out(), "ban "), "something was banned: %s", guard_out());
	guard_must(&p.a, "ban 198.51.100.0/24");
	guard_must(&p.a, "ban 10.77.0.2 --force");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "forced");
}

static void check_no_trace(const struct netns *ns, const char *iface)
{
	char command[256];

	CHECK(!guard_has_pins(ns), "the folder of pins is still there");
	snprintf(command, sizeof(command), "! ip link show %s | grep -q xdp", iface);
	CHECK_EQ(netns_run(ns, command), 0, "an XDP program is still there; status");
	snprintf(command, sizeof(command), "! tc qdisc show dev %s | grep -q clsact", iface);
	CHECK_EQ(netns_run(ns, command), 0, "a clsact qdisc is still there; status");
}

TEST(detach_leaves_no_trace)
{
	static const char *const ways[] = { "--mode filter", "--mode monitor --xdp generic",
					    "--mode filter --xdp generic --clsact" };
	struct netns_pair p = netns_pair_new();

	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		guard_must(&p.a, "attach %s %s", p.if_a, ways[i]);
		CHECK(guard_has_pins(&p.a), "no folder of pins");
		guard_must(&p.a, "ban 192.0.2.1");
		guard_must(&p.a, "detach %s", p.if_a);
		check_no_trace(&p.a, p.if_a);
	}
	CHECK_EQ(guard_run(&p.a, "detach %s", p.if_a), 3, "detached twice");
}

TEST(failed_change_of_mode_leaves_lists_and_filter_as_they_were)
{
	struct netns_pair p = netns_pair_new();

	if (netns_run(&p.a, "ip link add npbr0 type bridge && ip link set npbr0 up"))
		test_skip("no bridge device, which has no XDP of its own, on this kernel");
	guard_must(&p.a, "attach npbr0 --mode filter");
	CHECK(strstr(guard_log(), "generic"), "generic XDP is not told: %s", guard_log());
	netns_must(&p.a, "ip link set npbr0 mtu 9000");
	CHECK_EQ(guard_run(&p.a, "attach npbr0 --mode filter --xdp native"), 2, "no XDP there");
	CHECK(strstr(guard_log(), "ip link set npbr0 mtu 3400"), "the MTU is not named: %s",
	      guard_log());
	netns_must(&p.a, "ip link set npbr0 mtu 1500");
	guard_must(&p.a, "ban 192.0.2.1");
	CHECK_EQ(guard_run(&p.a, "attach npbr0 --mode filter --xdp native"), 2, "no XDP there");
	CHECK(strstr(guard_log(), "nothing was filtered for "), "how long is not told: %s",
	      guard_log());
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"xdp\":\"generic\"") && strstr(guard_out(), "\"state\":\"on\""),
	      "not as it was: %s", guard_out());
	guard_must(&p.a, "list");
	CHECK(strstr(guard_out(), "192.0.2.1"), "the list is gone: %s", guard_out());
	guard_must(&p.a, "attach npbr0 --mode monitor");
	guard_must(&p.a, "list");
	CHECK(strstr(guard_out(), "192.0.2.1"), "the list went with the mode: %s", guard_out());
	guard_must(&p.a, "detach npbr0");
}

TEST(clsact_of_others_stays)
{
	struct netns_pair p = netns_pair_new();
	char command[256];

	snprintf(command, sizeof(command), "tc qdisc add dev %s clsact", p.if_a);
	netns_must(&p.a, command);
	guard_must(&p.a, "attach %s --mode filter --clsact", p.if_a);
	guard_must(&p.a, "detach %s", p.if_a);
	snprintf(command, sizeof(command), "tc qdisc show dev %s | grep -q clsact", p.if_a);
	CHECK_EQ(netns_run(&p.a, command), 0, "the qdisc is gone; status");
}

TEST(namespaces_have_guards_of_their_own)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	CHECK_EQ(guard_run(&p.b, "ban 10.77.0.1"), 3, "there is none in the other");
	guard_must(&p.b, "attach %s --mode filter", p.if_b);
	guard_must(&p.a, "ban 10.77.0.2");
	guard_must(&p.b, "list");
	CHECK(!strstr(guard_out(), "10.77.0.2"), "a ban is in both: %s", guard_out());
	CHECK_EQ(datagrams(&p.a, &p.b, "10.77.0.2", 6001, 5), 5, "the other way");
	guard_must(&p.b, "detach %s", p.if_b);
	CHECK(guard_has_pins(&p.a) && !guard_has_pins(&p.b), "the wrong pins went");
	guard_must(&p.a, "detach %s", p.if_a);
}

static void write_file(const char *name, const char *text, char *ret, size_t size)
{
	FILE *f;

	snprintf(ret, size, "%s/%s", test_dir(), name);
	f = fopen(ret, "we");
	REQUIRE(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", ret);
}

TEST(import_is_all_or_nothing_and_export_gives_it_back)
{
	struct netns_pair p = netns_pair_new();
	char path[512];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 192.0.2.1");
	write_file("bad", "10.77.0.2\n# comment\n10.77.0.300\n", path, sizeof(path));
	CHECK_EQ(guard_run(&p.a, "import %s", path), 3, "exit code");
	CHECK(strstr(guard_log(), "line 3") && strstr(guard_log(), "10.77.0.300"),
	      "it does not name the line: %s", guard_log());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "nothing was imported");
	write_file("good",
		   "10.77.0.2 # ours\n198.51.100.0/24 proto=tcp port=80-90 reason=web scan\n"
		   "2001:db8::/32 for=1h\n\n",
		   path, sizeof(path));
	guard_must(&p.a, "import %s", path);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "imported");
	guard_must(&p.a, "export");
	CHECK(strstr(guard_out(), "192.0.2.1\n") && strstr(guard_out(), "10.77.0.2\n") &&
		      strstr(guard_out(),
			     "198.51.100.0/24 proto=tcp port=80-90 reason=web scan\n") &&
		      strstr(guard_out(), "2001:db8::/32 for="),
	      "not what was put in: %s", guard_out());
	write_file("other", "203.0.113.9\n", path, sizeof(path));
	guard_must(&p.a, "import --replace %s", path);
	guard_must(&p.a, "export");
	CHECK(!strcmp(guard_out(), "203.0.113.9\n"), "not replaced: %s", guard_out());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "replaced");
}

TEST(interface_that_is_gone_is_told_and_let_go)
{
	struct netns_pair p = netns_pair_new();
	char command[128];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	snprintf(command, sizeof(command), "ip link del %s", p.if_a);
	netns_must(&p.a, command);
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"state\":\"gone\""), "not told: %s", guard_out());
	guard_must(&p.a, "detach %s", p.if_a);
	CHECK(!guard_has_pins(&p.a), "pins are left");
}

/* As many as there is room for, one of them who sends. */
static void write_full_list(char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/full", test_dir());
	f = fopen(path, "we");
	REQUIRE(f, "%s", path);
	fputs("10.77.0.2\n", f);
	for (unsigned int i = 1; i < 1048576; i++)
		fprintf(f, "20.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	REQUIRE(fclose(f) == 0, "%s", path);
}

static unsigned int lines_of(const char *text)
{
	unsigned int n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

TEST(full_list_is_said_and_takes_no_more_but_holds)
{
	struct netns_pair p = netns_pair_new();
	char path[512];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	write_full_list(path, sizeof(path));
	guard_must(&p.a, "import %s", path);
	CHECK(strstr(guard_log(), "nearly full"), "import does not say: %s", guard_log());
	/* The maps have what the counters say: it was put there by several threads. */
	guard_must(&p.a, "export");
	CHECK_EQ(lines_of(guard_out()), 1048576, "entries in the maps");
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(), "nearly full"), "not said: %s", guard_out());
	CHECK_EQ(guard_run(&p.a, "ban 192.0.2.1"), 3, "one more");
	CHECK(strstr(guard_log(), "1048576"), "it does not say how many it takes: %s", guard_log());
	write_file("more", "192.0.2.1\n192.0.2.2\n", path, sizeof(path));
	CHECK_EQ(guard_run(&p.a, "import %s", path), 3, "an import that does not fit");
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"bans\":1048576"), "the list changed: %s", guard_out());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "what is banned");
	guard_must(&p.a, "unban 10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "who is not any more");
	guard_must(&p.a, "ban 192.0.2.1");
}

/* n entries, each with a reason of its own. */
static void write_reasons(const char *word, unsigned int n, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", test_dir(), word);
	f = fopen(path, "we");
	REQUIRE(f, "%s", path);
	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "20.0.%u.%u reason=%s %u\n", i >> 8, i & 255, word, i);
	REQUIRE(fclose(f) == 0, "%s", path);
}

TEST(reasons_of_what_is_gone_make_room_for_others)
{
	struct netns_pair p = netns_pair_new();
	char path[512];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	write_reasons("first", 16000, path, sizeof(path));
	guard_must(&p.a, "import %s", path);
	write_file("empty", "", path, sizeof(path));
	guard_must(&p.a, "import --replace %s", path);
	write_reasons("second", 16383, path, sizeof(path));
	guard_must(&p.a, "import %s", path);
	guard_must(&p.a, "export");
	CHECK_EQ(lines_of(guard_out()), 16383, "entries");
	CHECK(strstr(guard_out(), "20.0.0.0 reason=second 0\n") &&
		      strstr(guard_out(), "20.0.63.254 reason=second 16382\n") &&
		      !strstr(guard_out(), "first"),
	      "reasons are mixed up: %.300s", guard_out());
	/* All in use: no more, and nothing changes. */
	CHECK(guard_run(&p.a, "ban 192.0.2.1 --reason other") != 0, "one reason too many");
	CHECK(strstr(guard_log(), "16383 different reasons"), "log: %s", guard_log());
	guard_must(&p.a, "ban 192.0.2.1 --reason 'second 7'");
	guard_must(&p.a, "unban 20.0.1.1");
	guard_must(&p.a, "ban 10.77.0.2 --proto udp --port 6001 --force --reason other");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned port");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6002, 5), 5, "another port");
	guard_must(&p.a, "export");
	CHECK(strstr(guard_out(), "10.77.0.2 proto=udp port=6001 reason=other\n") &&
		      strstr(guard_out(), "20.0.1.2 reason=second 258\n"),
	      "reasons are mixed up: %.300s", guard_out());
}

struct back {
	const struct netns *ns;
	const char *iface, *state;
};

static bool is_in_state(void *arg)
{
	const struct back *b = arg;
	char want[64];

	guard_must(b->ns, "status --format json");
	snprintf(want, sizeof(want), "\"state\":\"%s\"", b->state);
	return strstr(guard_out(), want) && strstr(guard_out(), b->iface);
}

static const char *const make_cable = "ip link add npx0 type veth peer name npx1 && "
				      "ip link set npx0 up && ip link set npx1 up";

TEST(interface_that_comes_back_is_followed_while_somebody_watches)
{
	struct netns ns = netns_new();
	struct back b = { &ns, "npx0", "on" };
	char command[1024];

	if (netns_run(&ns, make_cable))
		test_skip("no veth device on this kernel");
	guard_must(&ns, "attach npx0 --mode filter --xdp native");
	guard_must(&ns, "ban 192.0.2.1 --reason before");
	/* It went and came while nobody watched: the first look finds that. */
	snprintf(command, sizeof(command), "ip link del npx0 && %s", make_cable);
	netns_must(&ns, command);
	b.state = "gone";
	CHECK(is_in_state(&b), "not gone: %s", guard_out());
	snprintf(command, sizeof(command),
		 "%s guard watch --duration 60 >/dev/null 2>%s/watch & echo $! >%s/pid",
		 probe_binary(), test_dir(), test_dir());
	netns_must(&ns, command);
	b.state = "on";
	CHECK(wait_until(is_in_state, &b, 15000), "not followed at first: %s", guard_out());
	/* Once more before its eyes, under another name. */
	netns_must(&ns,
		   "ip link set npx0 down && ip link set npx0 name npy0 && ip link set npy0 up");
	b.iface = "npy0";
	CHECK(wait_until(is_in_state, &b, 15000), "renamed: %s", guard_out());
	netns_must(&ns, "ip link del npy0");
	b.state = "gone";
	CHECK(wait_until(is_in_state, &b, 15000), "not gone: %s", guard_out());
	netns_must(&ns, "ip link add npy0 type veth peer name npx1 && ip link set npy0 up");
	b.state = "on";
	CHECK(wait_until(is_in_state, &b, 15000), "not followed: %s", guard_out());
	CHECK(strstr(guard_out(), "\"xdp\":\"native\""), "not as it was: %s", guard_out());
	guard_must(&ns, "list");
	CHECK(strstr(guard_out(), "192.0.2.1"), "the list is gone: %s", guard_out());
	snprintf(command, sizeof(command), "kill $(cat %s/pid)", test_dir());
	netns_must(&ns, command);
	guard_must(&ns, "detach npy0");
	CHECK(!guard_has_pins(&ns), "pins are left");
}

TEST(interface_that_comes_back_is_one_row_when_it_is_attached_again)
{
	struct netns ns = netns_new();
	char command[512];
	const char *first;

	if (netns_run(&ns, make_cable))
		test_skip("no veth device on this kernel");
	guard_must(&ns, "attach npx0 --mode filter --xdp native");
	snprintf(command, sizeof(command), "ip link del npx0 && %s", make_cable);
	netns_must(&ns, command);
	guard_must(&ns, "attach npx0 --mode filter --xdp native");
	guard_must(&ns, "status --format json");
	first = strstr(guard_out(), "\"state\":");
	CHECK(first && !strncmp(first, "\"state\":\"on\"", 12) && !strstr(first + 1, "\"state\":"),
	      "expected one row, on: %s", guard_out());
	CHECK(!strstr(guard_log(), "gone"), "log: %s", guard_log());
	guard_must(&ns, "detach npx0");
	CHECK(!guard_has_pins(&ns), "pins are left");
}

TEST(bad_input_is_named_and_changes_nothing)
{
	struct netns_pair p = netns_pair_new();

	CHECK_EQ(guard_run(&p.a, "attach nosuch0"), 3, "no such interface");
	CHECK(strstr(guard_log(), "nosuch0") && strstr(guard_log(), p.if_a), "log: %s",
	      guard_log());
	CHECK(!guard_has_pins(&p.a), "a folder was made");
	CHECK_EQ(guard_run(&p.a, "attach %s --mode sieve", p.if_a), 3, "no such mode");
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	CHECK_EQ(guard_run(&p.a, "ban 10.0.0.1/8"), 3, "host bits");
	CHECK_EQ(guard_run(&p.a, "ban 10.0.0.0/33"), 3, "prefix length");
	CHECK_EQ(guard_run(&p.a, "ban 192.0.2.1 example"), 3, "a name");
	CHECK_EQ(guard_run(&p.a, "ban 192.0.2.1 --port 70000"), 3, "port");
	CHECK_EQ(guard_run(&p.a, "ban 192.0.2.1 --proto icmp --port 7"), 3, "port of icmp");
	CHECK_EQ(guard_run(&p.a, "ban 192.0.2.1 --for soon"), 3, "time");
	CHECK_EQ(guard_run(&p.a, "unban 192.0.2.1"), 3, "no such entry");
	guard_must(&p.a, "ban 198.51.100.0/24 198.51.100.7");
	CHECK_EQ(guard_run(&p.a, "unban 198.51.100.7 198.51.100.0/25"), 3, "one that is not there");
	CHECK(strstr(guard_log(), "198.51.100.0/25: there is no such entry"), "log: %s",
	      guard_log());
	guard_must(&p.a, "list");
	CHECK(strstr(guard_out(), "198.51.100.7 "), "the other one went: %s", guard_out());
	guard_must(&p.a, "unban 198.51.100.7/32 198.51.100.0/24");
	guard_must(&p.a, "list");
	CHECK(!strstr(guard_out(), "198.51"), "not all went: %s", guard_out());
	CHECK_EQ(guard_run(&p.a, "frobnicate"), 3, "no such verb");
	guard_must(&p.a, "list");
	CHECK(!strstr(guard_out(), "192.0.2.1"), "something was banned: %s", guard_out());
}
