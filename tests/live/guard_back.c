/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that go and come back while somebody watches: what that costs, and what is counted then. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

/* Returns, of which the first ones may find nothing that is loaded. */
#define RETURNS 6
#define FIRST 2

struct back {
	const struct netns_pair *p;
	uint64_t before, program; /* of the last look; of now */
};

static bool is_on_again(void *arg)
{
	struct back *b = arg;
	json_t *row;

	guard_must(&b->p->a, "status --format json");
	row = json_loads(guard_out(), JSON_DISABLE_EOF_CHECK, NULL);
	b->program = json_at(row, "program_id");
	json_decref(row);
	return strstr(guard_out(), "\"state\":\"on\"") &&
	       !strstr(guard_out(), "\"state\":\"gone\"");
}

static void watch_begin(const struct netns_pair *p)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "%s guard watch --duration 120 >/dev/null 2>%s/watch & echo $! >%s/pid",
		 probe_binary(), test_dir(), test_dir());
	netns_must(&p->a, command);
}

static void watch_end(const struct netns_pair *p)
{
	char command[512];

	snprintf(command, sizeof(command), "kill $(cat %s/pid)", test_dir());
	netns_must(&p->a, command);
}

static void flows_have(const struct netns_pair *p, uint16_t port, unsigned int ifindex,
		       unsigned int packets)
{
	uint64_t n = 0;
	char *line, *next;

	guard_must(&p->a, "stats --flows --format json -n 1000");
	for (line = strtok_r((char *)guard_out(), "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		json_t *row = json_loads(line, 0, NULL);

		if (json_integer_value(json_object_get(row, "lport")) == port) {
			CHECK_EQ(json_at(row, "ifindex"), ifindex, "interface of the flow");
			n += json_at(row, "rx_pkts");
		}
		json_decref(row);
	}
	CHECK_EQ(n, packets, "packets to the port");
}

/*
 * The verifier goes through the programs for a quarter of a second. Those of an interface that went are put on
 * again, and count for the number that it has now.
 */
static void come_back(const char *how)
{
	struct netns_pair p = netns_pair_new();
	struct back b = { .p = &p };
	uint64_t programs[RETURNS];
	unsigned int new_ones = 0;

	guard_must(&p.a, "attach %s --flows on %s", p.if_a, how);
	guard_must(&p.a, "ban 192.0.2.1 --reason before");
	watch_begin(&p);
	for (unsigned int i = 0; i < RETURNS; i++) {
		unsigned int ifindex = 700 + i;
		bool known = false;

		netns_pair_remake(&p, ifindex);
		REQUIRE(wait_until(is_on_again, &b, 15000), "return %u: %s", i, guard_out());
		programs[i] = b.program;
		for (unsigned int j = 0; j < i; j++)
			known = known || programs[j] == programs[i];
		new_ones += !known;
		CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", (uint16_t)(6000 + i), 20), 20,
			 "datagrams");
		flows_have(&p, (uint16_t)(6000 + i), ifindex, 20);
	}
	CHECK(new_ones <= FIRST, "expected at most %d loads, got %u of %d returns", FIRST, new_ones,
	      RETURNS);
	watch_end(&p);
	guard_must(&p.a, "list");
	CHECK(strstr(guard_out(), "192.0.2.1"), "the list is gone: %s", guard_out());
	/* Others are none of these. */
	guard_must(&p.a, "attach %s --mode filter --flows off", p.if_a);
	REQUIRE(is_on_again(&b), "attached: %s", guard_out());
	for (unsigned int i = 0; i < RETURNS; i++)
		CHECK(programs[i] != b.program, "programs that count flows were put on");
	guard_must(&p.a, "ban 10.77.0.2 --force");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6100, 5), 0, "banned");
	guard_must(&p.a, "detach %s", p.if_a);
	CHECK(!guard_has_pins(&p.a), "pins are left");
}

TEST(an_interface_that_comes_back_gets_its_native_programs_again)
{
	come_back("--mode filter --xdp native");
}

TEST(an_interface_that_comes_back_gets_its_generic_programs_again)
{
	come_back("--mode filter --xdp generic");
}

TEST(an_interface_that_comes_back_gets_its_programs_in_a_clsact_qdisc_again)
{
	come_back("--mode filter --xdp generic --clsact");
}

TEST(an_interface_that_comes_back_gets_its_programs_that_only_count_again)
{
	come_back("--mode monitor --xdp native");
}
