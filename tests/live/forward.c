/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets that no socket here has, as a router's: frames written by hand, between addresses of nobody.
 * What they carried is told once, whatever is forgotten or left out meanwhile.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../bpf/packet.h"
#include "ctl.h"
#include "rung.h"
#include "tap.h"

#define PAYLOAD 1000
#define PORT 4000

/* So many datagrams, as they come in on lo. */
static void send_frames(unsigned int n)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct pkt f;

	to.sll_ifindex = (int)if_nametoindex("lo");
	pkt_eth(&f, ETH_P_IP);
	pkt_ip4(&f, "10.9.9.1", "10.9.9.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&f, PORT, PORT + 1);
	f.len += PAYLOAD;
	pkt_done(&f);
	for (unsigned int i = 0; i < n; i++)
		REQUIRE(sendto(fd, f.b, f.len, 0, (struct sockaddr *)&to, sizeof(to)) ==
				(ssize_t)f.len,
			"cannot send a frame");
	(void)close(fd);
}

static uint64_t told_bytes(const json_t *records)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), "transport.bw"))
			sum += record_u64(r, "tx_bytes");
	return sum;
}

struct told {
	const struct probe *p;
	uint64_t least;
};

static bool is_told(void *arg)
{
	const struct told *t = arg;
	json_t *records = probe_records(t->p);
	bool yes = told_bytes(records) >= t->least;

	json_decref(records);
	return yes;
}

/* Until that much was told; more than it is one time too many. */
static void wait_told(const struct probe *p, uint64_t bytes)
{
	struct told t = { p, bytes };

	REQUIRE(wait_until(is_told, &t, 10000), "%" PRIu64 " bytes were not told", bytes);
}

TEST(packets_of_no_socket_are_not_counted_while_capture_is_off)
{
	static const char *const args[] = { "events",	      "--format", "json",
					    "--interval",     "0.2",	  "-q",
					    "--capture-mode", "afpacket", NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct probe p;

	(void)rung_enter();
	own_run_dir();
	p = probe_spawn(&opts);
	send_frames(10);
	wait_told(&p, 10 * PAYLOAD);
	must_set("enabled=false");
	send_frames(1000);
	pause_ms(500); /* longer than a block of the ring waits for more */
	must_set("enabled=true");
	send_frames(3);
	wait_told(&p, 13 * PAYLOAD);
	must_set("port=9"); /* another filter leaves it out as well */
	send_frames(100);
	pause_ms(500);
	must_set("port=");
	send_frames(2);
	wait_told(&p, 15 * PAYLOAD);
	probe_stop(&p);
	CHECK_EQ(told_bytes(p.records), 15 * PAYLOAD, "bytes told in all");
}

static bool has_all(const json_t *r, const void *frames)
{
	return record_u64(r, "tx_bytes") >= *(const uint64_t *)frames * PAYLOAD;
}

static void wait_all(struct probe *p, uint64_t frames)
{
	json_t *r = probe_wait_record(p, has_all, &frames, 10000);

	REQUIRE(r, "no row ever had %" PRIu64 " frames", frames);
	CHECK_EQ(record_u64(r, "tx_bytes"), frames * PAYLOAD, "bytes of the interface");
	json_decref(r);
}

/* Each tick of the health view looks at all sockets; what has ended is forgotten after 10 s. */
TEST(packets_of_no_socket_count_once_after_a_silence)
{
	static const char *const args[] = { "top",	  "--health", "--by",
					    "interface",  "--format", "json",
					    "--interval", "0.2",      "--duration",
					    "36000",	  "-q",	      "--capture-mode",
					    "afpacket",	  NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct probe p;

	(void)rung_enter();
	p = probe_spawn(&opts);
	send_frames(1000);
	wait_all(&p, 1000);
	pause_ms(11000); /* 10 s is what a flow is kept that has ended */
	send_frames(1);
	wait_all(&p, 1001);
	probe_stop(&p);
}
