/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer's program does with new flows while backends change: how many move, how fast a share grows. */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "balance/check.h"
#include "balance/health.h"
#include "lb_packet.h"
#include "tap.h"

#define VIP4 "192.0.2.1:80/tcp"
#define MANY 100
#define FLOWS 5000

/* Which backend the n-th of many clients gets: its last byte. */
static unsigned int choice(struct balance *b, unsigned int n)
{
	char client[32];
	struct flow f = { client, "192.0.2.1", (uint16_t)(10000 + n % 50000), 80, IPPROTO_TCP, true,
			  0 };
	struct outcome o;
	struct frame in;

	snprintf(client, sizeof(client), "198.51.%u.%u", 100 + n / 50000, n % 250 + 1);
	in = frame_of(&f);
	o = lb_run(b, &in);
	REQUIRE(o.action == XDP_TX, "flow %u: action %u", n, o.action);
	return backend_of(&o);
}

static void neighbours(unsigned int from, unsigned int n)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "for i in $(seq %u %u); do printf 'neigh replace 10.99.0.%%d lladdr "
		 "02:00:00:00:01:%%02x dev lb0\\n' $i $i; done | ip -batch -",
		 from, from + n - 1);
	REQUIRE(system(command) == 0, "`%s` failed", command);
}

static void add(struct balance *b, const struct lb_vip_key *key, unsigned int last,
		uint32_t slow_start_ms)
{
	struct backend_spec spec = { .forward = LB_FORWARD_ENCAP,
				     .conf = { .weight = 1, .slow_start_ms = slow_start_ms } };
	struct netprobe_error err = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "10.99.0.%u", last);
	lb_address(text, spec.addr);
	REQUIRE(balance_backend_add(b, key, &spec, &err) == 0, "%s", err.msg);
}

/* A VIP of its own each time, of which no flow is known: nothing but the ring decides. */
static struct lb_vip_key vip_of(struct balance *b, unsigned int leave_out)
{
	struct lb_vip_key key = lb_vip(b, VIP4, 0);

	for (unsigned int i = 10; i < 10 + MANY; i++)
		if (i != leave_out)
			add(b, &key, i, 0);
	return key;
}

static void drop_vip(struct balance *b, const struct lb_vip_key *key)
{
	struct netprobe_error err = { 0 };

	REQUIRE(balance_vip_remove(b, key, &err) == 0, "%s", err.msg);
}

TEST(change_of_one_of_a_hundred_moves_few_of_the_others)
{
	unsigned int before[FLOWS], moved = 0, of = 0, removed = 43;
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b;
	uint8_t addr[16];

	lb_namespace(1500);
	neighbours(10, MANY);
	b = lb_begin();
	key = vip_of(b, 0);
	for (unsigned int i = 0; i < FLOWS; i++)
		before[i] = choice(b, i);
	drop_vip(b, &key);
	key = vip_of(b, removed);
	for (unsigned int i = 0; i < FLOWS; i++) {
		unsigned int now = choice(b, i);

		CHECK(now != removed, "flow %u went to a backend that is not there", i);
		of += before[i] != removed;
		moved += before[i] != removed && now != before[i];
	}
	CHECK(of > FLOWS / 100 * 98 && of < FLOWS, "%u of %d flows need not move", of, FLOWS);
	CHECK(moved * 50 <= of, "%u of %u flows moved when one backend was removed", moved, of);
	/* As before, but for one that has twice the weight. */
	drop_vip(b, &key);
	key = vip_of(b, 0);
	lb_address("10.99.0.43", addr);
	REQUIRE(balance_backend_weight(b, &key, addr, 2, &err) == 0, "%s", err.msg);
	moved = of = 0;
	for (unsigned int i = 0; i < FLOWS; i++) {
		unsigned int now = choice(b, i);

		of += now != removed;
		moved += now != removed && now != before[i];
	}
	CHECK(moved * 50 <= of, "%u of %u flows moved when one backend got more weight", moved, of);
	CHECK(FLOWS - of > FLOWS / MANY * 3 / 2, "the heavier one got %u of %d", FLOWS - of, FLOWS);
	lb_end(b);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* The share of two backends' flows that the second one has at a tenth of the whole time. */
static double share_at(uint64_t since_ns, uint64_t all_ns)
{
	double weight = since_ns >= all_ns ? 1 : (double)(since_ns * 10 / all_ns + 1) / 10;

	return (weight > 1 ? 1 : weight) / ((weight > 1 ? 1 : weight) + 1);
}

#define SLOW_MS 2000
#define SAMPLE 2000

/* Another VIP changes, as by the checks of its backends or by another command. */
static void change_other(struct balance *b, const struct lb_vip_key *other, uint32_t weight)
{
	struct netprobe_error err = { 0 };
	uint8_t addr[16];

	lb_address("10.99.0.10", addr);
	REQUIRE(balance_take(b, &err) == 0, "%s", err.msg);
	REQUIRE(balance_backend_weight(b, other, addr, weight, &err) == 0, "%s", err.msg);
	balance_share(b);
}

static void check_slow_start(bool others)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key, other;
	unsigned int next = 0, looks = 0;
	uint64_t began, added, before, all = SLOW_MS * 1000000ULL;
	struct checker *c;
	struct balance *b;
	double first = 1, last = 0;

	lb_namespace(1500);
	neighbours(10, 2);
	b = lb_begin();
	key = lb_vip(b, VIP4, 0);
	add(b, &key, 10, 0);
	other = lb_vip(b, "192.0.2.2:80/tcp", 0);
	add(b, &other, 10, 0);
	began = now_ns();
	add(b, &key, 11, SLOW_MS);
	added = now_ns();
	c = checker_new(b, NULL, NULL);
	do {
		unsigned int n = 0;
		double least, most;

		if (others)
			change_other(b, &other, 1 + looks % 2);
		before = now_ns();
		REQUIRE(checker_run(c, 0, &err) == 0, "%s", err.msg);
		/* It began between two looks at our clock, and the ring was made between two others. */
		most = share_at(now_ns() - began, all);
		least = share_at(before - added, all);
		for (unsigned int i = 0; i < SAMPLE; i++)
			n += choice(b, next++) == 11;
		last = (double)n / SAMPLE;
		first = looks++ ? first : last;
		CHECK(last > least - 0.05 && last < most + 0.05,
		      "after %.2f s, add took %.2f, a share of %.3f, expected %.3f to %.3f",
		      (double)(before - began) / 1e9, (double)(added - began) / 1e9, last, least,
		      most);
		pause_ms(150);
	} while (before - added <= all);
	CHECK(looks > 2 && last - first > 0.2, "%.3f became %.3f in %u looks", first, last, looks);
	checker_free(c);
	REQUIRE(balance_take(b, &err) == 0, "%s", err.msg);
	lb_end(b);
}

TEST(slow_start_lets_the_share_grow_with_time)
{
	check_slow_start(false);
}

TEST(slow_start_goes_on_while_other_vips_change)
{
	check_slow_start(true);
}
