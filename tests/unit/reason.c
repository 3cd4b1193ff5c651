/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dropped packet means, by the kernel's reason and by the function that dropped it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flow/reason.h"

static void what_is_not_known_is_a_loss(void **state)
{
	assert_int_equal(drop_kind("SOMETHING_OF_NEXT_YEAR", NULL), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("OPENVSWITCH_3", "ovs_dp_process_packet"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("NOT_SPECIFIED", NULL), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind(NULL, NULL), NETPROBE_DROP_LOSS);
	(void)state;
}

static void duplicates_are_no_loss(void **state)
{
	static const char *const names[] = { "TCP_OLD_DATA",	     "TCP_OFOMERGE",
					     "TCP_OLD_SEQUENCE",     "TCP_RFC7323_PAWS",
					     "TCP_RFC7323_PAWS_ACK", "TCP_RFC7323_TW_PAWS",
					     "TCP_OLD_ACK",	     "DUP_FRAG" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(drop_kind(names[i], "tcp_data_queue"), NETPROBE_DROP_BENIGN);
		assert_true(drop_is_quiet(names[i], NULL));
	}
	(void)state;
}

static void what_was_refused_by_a_rule_is_policy_and_is_told(void **state)
{
	assert_int_equal(drop_kind("NETFILTER_DROP", "nft_do_chain"), NETPROBE_DROP_POLICY);
	assert_int_equal(drop_kind("IP_RPFILTER", "ip_rcv_finish_core"), NETPROBE_DROP_POLICY);
	assert_false(drop_is_quiet("NETFILTER_DROP", "nft_do_chain"));
	(void)state;
}

static void multicast_that_nobody_joined_is_for_others(void **state)
{
	assert_int_equal(drop_kind("NOT_SPECIFIED", "ip6_mc_input"), NETPROBE_DROP_OTHERS);
	assert_int_equal(drop_kind("UNKNOWN", "ip6_mc_input"), NETPROBE_DROP_OTHERS);
	assert_int_equal(drop_kind("IP_INHDR", "ip6_mc_input"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("NOT_SPECIFIED", "ip6_input_finish"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("OTHERHOST", "ip_rcv_core"), NETPROBE_DROP_OTHERS);
	(void)state;
}

static void losses_stay_losses(void **state)
{
	assert_int_equal(drop_kind("SOCKET_RCVBUFF", "udp_queue_rcv_one_skb"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("NO_SOCKET", "__udp4_lib_rcv"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("TCP_LISTEN_OVERFLOW", "tcp_v4_rcv"), NETPROBE_DROP_LOSS);
	assert_int_equal(drop_kind("QDISC_OVERLIMIT", NULL), NETPROBE_DROP_LOSS);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_a_loss),
		cmocka_unit_test(duplicates_are_no_loss),
		cmocka_unit_test(what_was_refused_by_a_rule_is_policy_and_is_told),
		cmocka_unit_test(multicast_that_nobody_joined_is_for_others),
		cmocka_unit_test(losses_stay_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
