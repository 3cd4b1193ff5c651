/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer knows without a kernel: names, health, VIPs and their backends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "balance/check.h"
#include "balance/health.h"
#include "balance/model.h"

#define SEC 1000000000ull

static struct netprobe_error err;
static struct model *m;

static int fresh(void **state)
{
	(void)state;
	free(m);
	m = calloc(1, sizeof(*m));
	memset(&err, 0, sizeof(err));
	return m ? 0 : -1;
}

static int done(void **state)
{
	(void)state;
	free(m);
	m = NULL;
	return 0;
}

static void vips_are_written_as_they_are_read(void **state)
{
	static const char *const vips[] = { "192.0.2.1:80/tcp", "192.0.2.1:*/udp",
					    "[2001:db8::1]:443/tcp", "[2001:db8::1]:*/udp",
					    "10.1.2.3:65535/udp" };
	struct lb_vip_key key;
	char text[VIP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(vips) / sizeof(vips[0]); i++) {
		assert_int_equal(vip_parse(vips[i], &key, &err), 0);
		vip_format(&key, text);
		assert_string_equal(text, vips[i]);
	}
}

static void wrong_vips_say_what_is_taken(void **state)
{
	static const char *const wrong[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:80",
		"192.0.2.1/tcp",
		"192.0.2.1:0/tcp",
		"192.0.2.1:65536/tcp",
		"192.0.2.1:80/icmp",
		"192.0.2.1:80/tcp ",
		"192.0.2.0/24:80/tcp",
		"2001:db8::1:80/tcp",
		"[192.0.2.1:80/tcp",
		"[]:80/tcp",
		"0.0.0.0:80/tcp",
		"127.0.0.1:80/tcp",
		"224.0.0.1:80/tcp",
		"[::1]:80/tcp",
		"[::]:80/tcp",
		"[fe80::1]:80/tcp",
		"[ff02::1]:80/tcp",
		"example.org:80/tcp",
		":80/tcp",
		"192.0.2.1:/tcp",
		"192.0.2.1:-1/tcp",
		"192.0.2.1:80-90/tcp",
	};
	struct lb_vip_key key = { .proto = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(vip_parse(wrong[i], &key, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "; takes ADDR:PORT/PROTO"));
		assert_int_equal(key.proto, 99);
	}
}

static void backends_are_addresses_of_other_hosts(void **state)
{
	uint8_t addr[16];

	(void)state;
	assert_int_equal(backend_parse("192.0.2.10", addr, &err), 0);
	assert_true(addr_is_v4(addr));
	assert_int_equal(backend_parse("2001:db8::10", addr, &err), 0);
	assert_int_equal(backend_parse("[2001:db8::10]", addr, &err), 0);
	assert_int_equal(backend_parse("192.0.2.0/24", addr, &err), -EINVAL);
	assert_int_equal(backend_parse("127.0.0.1", addr, &err), -EINVAL);
	assert_int_equal(backend_parse("", addr, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "; takes the address of another host"));
}

static struct lb_backend_conf checked(void)
{
	return (struct lb_backend_conf){
		.used = 1, .weight = 10, .check = LB_CHECK_TCP, .rise = 2, .fall = 3
	};
}

static void backend_without_a_check_is_up(void **state)
{
	struct lb_backend_conf b = { .used = 1, .weight = 1, .down = 1 };

	(void)state;
	assert_int_equal(health_state(&b), LB_STATE_UP);
	b.drain = 1;
	assert_int_equal(health_state(&b), LB_STATE_DRAIN);
	assert_int_equal(health_weight(&b, SEC), 0);
	b.used = 0;
	assert_int_equal(health_state(&b), LB_STATE_FREE);
}

static void first_check_decides_at_once(void **state)
{
	struct lb_backend_conf b = checked();

	(void)state;
	assert_int_equal(health_state(&b), LB_STATE_UP);
	assert_true(health_result(&b, false, SEC));
	assert_int_equal(health_state(&b), LB_STATE_DOWN);
	b = checked();
	assert_false(health_result(&b, true, SEC));
	assert_int_equal(health_state(&b), LB_STATE_UP);
}

static void fall_and_rise_are_counted_in_a_row(void **state)
{
	struct lb_backend_conf b = checked();

	(void)state;
	assert_false(health_result(&b, true, SEC));
	assert_false(health_result(&b, false, 2 * SEC));
	assert_false(health_result(&b, false, 3 * SEC));
	assert_false(health_result(&b, true, 4 * SEC));
	assert_false(health_result(&b, false, 5 * SEC));
	assert_false(health_result(&b, false, 6 * SEC));
	assert_true(health_result(&b, false, 7 * SEC));
	assert_int_equal(health_state(&b), LB_STATE_DOWN);
	assert_false(health_result(&b, true, 8 * SEC));
	assert_false(health_result(&b, false, 9 * SEC));
	assert_false(health_result(&b, true, 10 * SEC));
	assert_true(health_result(&b, true, 11 * SEC));
	assert_int_equal(health_state(&b), LB_STATE_UP);
	assert_int_equal(b.changed_ns, 11 * SEC);
}

static void down_wins_over_draining(void **state)
{
	struct lb_backend_conf b = checked();

	(void)state;
	b.drain = 1;
	b.down = 1;
	assert_int_equal(health_state(&b), LB_STATE_DOWN);
}

static void slow_start_grows_to_the_weight(void **state)
{
	struct lb_backend_conf b = checked(), full = checked();
	uint32_t last = 0, want;

	(void)state;
	want = health_weight(&full, SEC);
	b.slow_start_ms = 10000;
	b.changed_ns = SEC;
	for (uint64_t t = SEC; t < 11 * SEC; t += SEC) {
		uint32_t w = health_weight(&b, t);

		assert_true(w > last && w < want);
		assert_int_equal(health_next_step_ns(&b, t), SEC);
		last = w;
	}
	assert_int_equal(health_weight(&b, 11 * SEC), want);
	assert_int_equal(health_next_step_ns(&b, 11 * SEC), 0);
	/* one that never changed was there from the beginning */
	b.changed_ns = 0;
	assert_int_equal(health_weight(&b, SEC), want);
}

static int status_of(const char *reply)
{
	return check_http_status(reply, strlen(reply));
}

static void http_status_is_read_from_the_first_line(void **state)
{
	(void)state;
	assert_int_equal(status_of("HTTP/1.1 200 OK"), 200);
	assert_int_equal(status_of("HTTP/1.0 503"), 503);
	assert_int_equal(status_of("HTTP/1.1 20"), -EAGAIN);
	assert_int_equal(status_of(""), -EAGAIN);
	assert_int_equal(status_of("SSH-2.0-OpenSSH"), 0);
	assert_int_equal(status_of("HTTP/1.1 2x0 "), 0);
	assert_int_equal(status_of("HTTP/1.1200 OK"), 0);
	assert_int_equal(check_http_status("\0", 1), 0);
}

static unsigned int add_vip(const char *text)
{
	struct lb_vip_key key;
	int slot;

	assert_int_equal(vip_parse(text, &key, &err), 0);
	slot = model_vip_add(m, &key, 0, &err);
	assert_true(slot >= 0);
	return (unsigned int)slot;
}

static int add_backend(unsigned int vip, const char *addr, uint8_t forward)
{
	struct backend_spec spec = { .forward = forward, .conf = { .weight = 1 } };

	assert_int_equal(backend_parse(addr, spec.addr, &err), 0);
	return model_backend_add(m, vip, &spec, SEC, &err);
}

static void same_vip_twice_is_refused(void **state)
{
	struct lb_vip_key key;

	(void)state;
	(void)add_vip("192.0.2.1:80/tcp");
	(void)add_vip("192.0.2.1:80/udp");
	(void)add_vip("192.0.2.1:*/tcp");
	assert_int_equal(vip_parse("192.0.2.1:80/tcp", &key, &err), 0);
	assert_int_equal(model_vip_add(m, &key, 0, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "192.0.2.1:80/tcp is there already"));
	assert_int_equal(model_vips(m), 3);
}

static void numbers_are_never_used_twice(void **state)
{
	struct lb_vip_key key;
	uint32_t uid;
	unsigned int slot;
	int b;

	(void)state;
	slot = add_vip("192.0.2.1:80/tcp");
	b = add_backend(slot, "192.0.2.10", LB_FORWARD_ENCAP);
	assert_true(b > 0);
	uid = m->backends[b].uid;
	assert_true(uid > m->vips[slot].uid);
	model_vip_remove(m, slot);
	assert_int_equal(model_vips(m), 0);
	assert_int_equal(m->backends[b].state, LB_STATE_FREE);
	assert_int_equal(vip_parse("192.0.2.1:80/tcp", &key, &err), 0);
	slot = add_vip("192.0.2.1:80/tcp");
	assert_true(m->vips[slot].uid > uid);
}

static void full_tables_say_how_many_they_take(void **state)
{
	struct lb_vip_key key = { .proto = 6, .addr = { [0] = 0x20 } };
	struct backend_spec spec = { .conf = { .weight = 1 }, .addr = { [0] = 0x20 } };

	(void)state;
	for (unsigned int i = 0; i < LB_VIPS; i++) {
		key.port_be = (uint16_t)(i + 1);
		assert_true(model_vip_add(m, &key, 0, &err) >= 0);
	}
	key.port_be = LB_VIPS + 1;
	assert_int_equal(model_vip_add(m, &key, 0, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "takes 256"));
	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		spec.addr[14] = (uint8_t)(i >> 8);
		spec.addr[15] = (uint8_t)i;
		assert_true(model_backend_add(m, i % LB_VIPS, &spec, SEC, &err) > 0);
	}
	spec.addr[13] = 1;
	assert_int_equal(model_backend_add(m, 0, &spec, SEC, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "takes 4095"));
}

static void backend_is_of_one_vip(void **state)
{
	unsigned int a, b;
	uint8_t addr[16];

	(void)state;
	a = add_vip("192.0.2.1:80/tcp");
	b = add_vip("192.0.2.1:81/tcp");
	assert_true(add_backend(a, "192.0.2.10", LB_FORWARD_ENCAP) > 0);
	assert_int_equal(add_backend(a, "192.0.2.10", LB_FORWARD_ENCAP), -EEXIST);
	assert_int_equal(backend_parse("192.0.2.10", addr, &err), 0);
	assert_true(model_backend(m, a, addr, &err) > 0);
	assert_int_equal(model_backend(m, b, addr, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "192.0.2.10 is not a backend of 192.0.2.1:81/tcp"));
	assert_true(add_backend(b, "192.0.2.10", LB_FORWARD_ENCAP) > 0);
}

static void mac_forwarding_takes_one_kind_of_address(void **state)
{
	unsigned int a;

	(void)state;
	a = add_vip("192.0.2.1:80/tcp");
	assert_int_equal(add_backend(a, "2001:db8::1", LB_FORWARD_MAC), -EINVAL);
	assert_true(add_backend(a, "2001:db8::1", LB_FORWARD_ENCAP) > 0);
	assert_true(add_backend(a, "192.0.2.10", LB_FORWARD_MAC) > 0);
}

static void ring_leaves_out_who_takes_no_flows(void **state)
{
	static struct lb_ring ring;
	unsigned int vip, i;
	int a, b;

	(void)state;
	vip = add_vip("192.0.2.1:80/tcp");
	a = add_backend(vip, "192.0.2.10", LB_FORWARD_ENCAP);
	b = add_backend(vip, "192.0.2.11", LB_FORWARD_ENCAP);
	m->confs[a].drain = 1;
	assert_true(model_refresh(m, vip));
	assert_false(model_refresh(m, vip));
	assert_int_equal(m->backends[a].state, LB_STATE_DRAIN);
	assert_int_equal(model_ring(m, vip, SEC, &ring), 0);
	for (i = 0; i < LB_RING_SIZE && ring.slot[i] == b; i++)
		;
	assert_int_equal(i, LB_RING_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vips_are_written_as_they_are_read),
		cmocka_unit_test(wrong_vips_say_what_is_taken),
		cmocka_unit_test(backends_are_addresses_of_other_hosts),
		cmocka_unit_test(backend_without_a_check_is_up),
		cmocka_unit_test(first_check_decides_at_once),
		cmocka_unit_test(fall_and_rise_are_counted_in_a_row),
		cmocka_unit_test(down_wins_over_draining),
		cmocka_unit_test(slow_start_grows_to_the_weight),
		cmocka_unit_test(http_status_is_read_from_the_first_line),
		cmocka_unit_test_setup(same_vip_twice_is_refused, fresh),
		cmocka_unit_test_setup(numbers_are_never_used_twice, fresh),
		cmocka_unit_test_setup(full_tables_say_how_many_they_take, fresh),
		cmocka_unit_test_setup(backend_is_of_one_vip, fresh),
		cmocka_unit_test_setup(mac_forwarding_takes_one_kind_of_address, fresh),
		cmocka_unit_test_setup(ring_leaves_out_who_takes_no_flows, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
