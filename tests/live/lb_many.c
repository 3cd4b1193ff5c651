/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of the balancer that come a hundred at once, or die before any of their calls of bpf(2): the lists are
 * those of before or those asked for, and packets go where the lists say.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb_packet.h"
#include "tap.h"

#define FLOWS 60
#define LISTS 1024

static const char *const vips[] = { "192.0.2.1:80/tcp", "192.0.2.2:80/tcp", "192.0.2.3:80/tcp" };

enum change { BACKEND_ADD, BACKEND_REMOVE, DRAIN, WEIGHT, VIP_ADD, VIP_REMOVE, CHANGES };
static const char *const change_names[] = { "backend add",    "backend remove", "backend drain",
					    "backend weight", "vip add",	"vip remove" };

static void add(struct balance *b, unsigned int vip, const char *addr)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;

	REQUIRE(!vip_parse(vips[vip], &key, &err), "%s", err.msg);
	lb_backend(b, &key, addr, LB_FORWARD_ENCAP);
}

static int do_change(struct balance *b, enum change what, bool back)
{
	static const unsigned int vip_of[CHANGES] = { 0, 0, 0, 0, 2, 1 };
	struct backend_spec spec = { .forward = LB_FORWARD_ENCAP, .conf = { .weight = 1 } };
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	uint8_t addr[16];

	REQUIRE(!vip_parse(vips[vip_of[what]], &key, &err), "%s", err.msg);
	lb_address(what == BACKEND_ADD ? "10.99.0.12" : "10.99.0.11", addr);
	switch (what) {
	case DRAIN:
		return balance_backend_drain(b, &key, addr, !back, &err);
	case WEIGHT:
		return balance_backend_weight(b, &key, addr, back ? 1 : 5, &err);
	case BACKEND_ADD:
	case BACKEND_REMOVE:
		if ((what == BACKEND_REMOVE) != back)
			return balance_backend_remove(b, &key, addr, &err);
		memcpy(spec.addr, addr, sizeof(addr));
		return balance_backend_add(b, &key, &spec, &err);
	default:
		if ((what == VIP_REMOVE) != back)
			return balance_vip_remove(b, &key, &err);
		if (balance_vip_add(b, &key, 0, &err))
			return -EIO;
		if (what == VIP_REMOVE) {
			add(b, 1, "10.99.0.14");
			add(b, 1, "10.99.0.15");
		}
		return 0;
	}
}

/* The lists in one text: of each VIP the last bytes of its backends, weight and whether it drains. */
static void lists_of(const struct balance *b, char ret[LISTS])
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned int v = 0; v < LB_VIPS; v++) {
		if (!b->model->vips[v].key.proto)
			continue;
		n += (size_t)snprintf(ret + n, LISTS - n,
				      "VIP .%u:", b->model->vips[v].key.addr[15]);
		for (unsigned int last = 0; last < 256 && n < LISTS; last++)
			for (unsigned int i = 0; (i = model_next(b->model, v, i));)
				if (b->model->backends[i].addr[15] == last)
					n += (size_t)snprintf(ret + n, LISTS - n, " .%u w%u%s",
							      last, b->model->confs[i].weight,
							      b->model->confs[i].drain ? " drains"
										       : "");
		n += (size_t)snprintf(ret + n, LISTS - n, "\n");
	}
}

/* New flows to each VIP go to each of its backends that takes some, and nowhere else. */
static void goes_where_lists_say(struct balance *b, const char *what, unsigned int call,
				 unsigned int flows)
{
	static uint16_t port = 10000;

	for (unsigned int v = 0; v < 3; v++) {
		const char *const dst[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
		unsigned int hits[256] = { 0 };
		struct netprobe_error err = { 0 };
		struct lb_vip_key key;
		int slot;

		REQUIRE(!vip_parse(vips[v], &key, &err), "%s", err.msg);
		slot = model_vip(b->model, &key, NULL);
		for (unsigned int i = 0; i < flows; i++) {
			struct flow f = {
				"198.51.100.7", dst[v], port++, 80, IPPROTO_TCP, true, 0
			};
			struct frame in = frame_of(&f);
			struct outcome o = lb_run(b, &in);

			if (port > 60000)
				port = 10000;
			if (slot >= 0 && o.action == XDP_TX)
				hits[backend_of(&o) & 255]++;
			else
				CHECK(slot < 0 ? o.action == XDP_PASS
					       : !model_next(b->model, (unsigned int)slot, 0),
				      "%s killed at call %u: VIP .%u: action %u", what, call, v + 1,
				      o.action);
		}
		for (unsigned int i = 0;
		     slot >= 0 && (i = model_next(b->model, (unsigned int)slot, i));) {
			unsigned int *n = &hits[b->model->backends[i].addr[15]];

			CHECK((*n == 0) == (b->model->confs[i].drain != 0),
			      "%s killed at call %u: VIP .%u: %u flows to .%u, which %s", what,
			      call, v + 1, *n, b->model->backends[i].addr[15],
			      b->model->confs[i].drain ? "drains" : "takes some");
			*n = 0;
		}
		for (unsigned int i = 0; i < 256; i++)
			CHECK(!hits[i], "%s killed at call %u: VIP .%u: %u flows to .%u", what,
			      call, v + 1, hits[i], i);
	}
}

/* The change in a process of its own that dies before its n-th call of bpf(2); false: it made fewer. */
static bool die_at(enum change what, unsigned int n)
{
	struct __ptrace_syscall_info call;
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		struct balance *b = lb_begin();

		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
			_exit(1);
		_exit(do_change(b, what, false) != 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "it did not begin: %d",
		status);
	REQUIRE(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD), "ptrace: %s",
		strerror(errno));
	for (;;) {
		REQUIRE(!ptrace(PTRACE_SYSCALL, pid, NULL, NULL), "ptrace: %s", strerror(errno));
		REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
		if (!WIFSTOPPED(status)) {
			CHECK_EQ(status, 0, "a change that nobody killed");
			return false;
		}
		REQUIRE(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(call), &call) > 0,
			"which call: %s", strerror(errno));
		if (call.op != PTRACE_SYSCALL_INFO_ENTRY || call.entry.nr != SYS_bpf || n--)
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return true;
	}
}

TEST(change_of_the_balancer_that_dies_at_any_call_is_made_or_not)
{
	char before[LISTS], after[LISTS], now[LISTS];
	unsigned int kills = 0, made = 0;
	struct balance *b;

	lb_namespace(1500);
	b = lb_begin();
	(void)lb_vip(b, vips[0], 0);
	add(b, 0, "10.99.0.10");
	add(b, 0, "10.99.0.11");
	(void)lb_vip(b, vips[1], 0);
	add(b, 1, "10.99.0.14");
	add(b, 1, "10.99.0.15");
	for (enum change what = 0; what < CHANGES; what++) {
		lists_of(b, before);
		REQUIRE(!do_change(b, what, false), "%s", change_names[what]);
		lists_of(b, after);
		REQUIRE(!do_change(b, what, true), "%s: back", change_names[what]);
		for (unsigned int n = 0;; n++) {
			bool killed;

			balance_close(b);
			killed = die_at(what, n);
			b = lb_begin();
			lists_of(b, now);
			kills += killed;
			made += killed && !strcmp(now, after);
			REQUIRE(!strcmp(now, after) || (killed && !strcmp(now, before)),
				"%s killed at call %u: %s", change_names[what], n, now);
			goes_where_lists_say(b, change_names[what], n, FLOWS);
			if (!strcmp(now, after))
				REQUIRE(!do_change(b, what, true), "%s: back", change_names[what]);
			if (!killed)
				break;
		}
	}
	printf("# %u kills, after %u of them the change was made\n", kills, made);
	CHECK(kills >= 50 && made && made < kills, "%u kills, %u made", kills, made);
	lb_end(b);
}

#define AT_ONCE 100

/* One of a hundred: backends .20 and on are added, .60 removed, .100 given weight, .140 drained; VIPs come. */
static int one_of_many(struct balance *b, unsigned int i)
{
	struct backend_spec spec = { .forward = LB_FORWARD_ENCAP, .conf = { .weight = 1 } };
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	char text[32];

	if (i % 5 == 4) {
		snprintf(text, sizeof(text), "192.0.2.%u:80/tcp", 100 + i);
		REQUIRE(!vip_parse(text, &key, &err), "%s", err.msg);
		return balance_vip_add(b, &key, 0, &err);
	}
	REQUIRE(!vip_parse(vips[0], &key, &err), "%s", err.msg);
	snprintf(text, sizeof(text), "10.99.0.%u", 20 + i % 5 * 40 + i / 5);
	lb_address(text, spec.addr);
	switch (i % 5) {
	case 0:
		return balance_backend_add(b, &key, &spec, &err);
	case 1:
		return balance_backend_remove(b, &key, spec.addr, &err);
	case 2:
		return balance_backend_weight(b, &key, spec.addr, 5, &err);
	default:
		return balance_backend_drain(b, &key, spec.addr, true, &err);
	}
}

/* While others change it, packets of the first VIP go to nobody who is on neither list. */
static void goes_nowhere_else(struct balance *b, uint16_t port)
{
	struct flow f = { "198.51.100.7", "192.0.2.1", port, 80, IPPROTO_TCP, true, 0 };
	struct frame in = frame_of(&f);
	struct outcome o = lb_run(b, &in);
	unsigned int last = o.action == XDP_TX ? backend_of(&o) : 0;

	CHECK(o.action == XDP_TX, "action %u", o.action);
	CHECK(last == 10 || (last >= 20 && last < 180 && (last - 20) % 40 < 20), "a packet to .%u",
	      last);
}

TEST(hundred_changes_of_the_balancer_at_once_do_each_what_they_say)
{
	unsigned int failed = 0, left = AT_ONCE, vips_found = 0;
	struct balance *b;
	uint16_t port = 1000;
	char addr[32];

	lb_namespace(1500);
	REQUIRE(system("for i in $(seq 20 180); do echo neigh replace 10.99.0.$i lladdr "
		       "02:00:00:00:01:$(printf %02x $i) dev lb0; done | ip -batch -") == 0,
		"neighbours");
	b = lb_begin();
	(void)lb_vip(b, vips[0], 0);
	add(b, 0, "10.99.0.10");
	for (unsigned int i = 60; i < 160; i++) {
		snprintf(addr, sizeof(addr), "10.99.0.%u", i);
		if ((i - 20) % 40 < 20)
			add(b, 0, addr);
	}
	balance_share(b);
	fflush(NULL);
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		pid_t pid = fork();

		REQUIRE(pid >= 0, "fork: %s", strerror(errno));
		if (pid == 0)
			_exit(one_of_many(lb_begin(), i) != 0);
	}
	while (left) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		REQUIRE(pid >= 0, "waitpid: %s", strerror(errno));
		left -= pid > 0;
		failed += pid > 0 && status != 0;
		goes_nowhere_else(b, port++);
	}
	CHECK_EQ(failed, 0, "changes that failed");
	balance_close(b);
	b = lb_begin();
	for (unsigned int i = 0; i < 160; i++) {
		bool should = i < 40 ? i < 20 : i >= 80 && i % 40 < 20;
		struct netprobe_error err = { 0 };
		uint8_t raw[16];
		int at;

		snprintf(addr, sizeof(addr), "10.99.0.%u", 20 + i);
		lb_address(addr, raw);
		at = model_backend(b->model, 0, raw, &err);
		CHECK((at >= 0) == should, "%s: %s", addr, err.msg);
		if (at < 0)
			continue;
		CHECK_EQ(b->model->confs[at].weight, i / 40 == 2 ? 5 : 1, "weight");
		CHECK_EQ(b->model->confs[at].drain, i / 40 == 3, "draining");
	}
	for (unsigned int v = 1; v < LB_VIPS; v++)
		vips_found += b->model->vips[v].key.proto != 0;
	CHECK_EQ(vips_found, AT_ONCE / 5, "VIPs");
	goes_where_lists_say(b, "none", 0, 3000);
	lb_end(b);
}
