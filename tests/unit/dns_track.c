/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS transactions, streams and the names of addresses, on a made-up clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name/cache.h"
#include "name/stream.h"
#include "name/track.h"

#define MS 1000000ULL
#define TIMEOUT (5000 * MS)

static struct dns_track *t;
static struct np_tuple tuple;
static struct np_owner owner;

/* What came out. */
static unsigned int n_results;
static struct dns_result last;
static char last_name[DNS_NAME_TEXT], last_answer[DNS_NAME_TEXT];

static void on_result(const struct dns_result *res, void *arg)
{
	(void)arg;
	n_results++;
	last = *res;
	(void)strcpy(last_name, res->qname);
	last_answer[0] = '\0';
	if (res->n)
		(void)strcpy(last_answer, res->answers[0].text);
}

static int setup(void **state)
{
	(void)state;
	t = dns_track_new(16, TIMEOUT, on_result, NULL);
	n_results = 0;
	memset(&last, 0, sizeof(last));
	tuple = (struct np_tuple){ .lport = 40000,
				   .rport = 53,
				   .family = AF_INET,
				   .proto = IPPROTO_UDP,
				   .netns = 7,
				   .raddr = { [10] = 255, 255, 192, 0, 2, 53 } };
	owner = (struct np_owner){ .tgid = 100, .start_ns = 5, .match = NP_MATCH_EXACT };
	return t ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	t = dns_track_free(t);
	return 0;
}

/* One question of one label; an answer adds A 192.0.2.1 unless there is an rcode. */
static size_t make(uint8_t *m, uint16_t id, bool response, const char *label, uint16_t type,
		   uint8_t rcode)
{
	size_t n = strlen(label), at = 12;

	memset(m, 0, 128);
	m[0] = (uint8_t)(id >> 8);
	m[1] = (uint8_t)id;
	m[2] = response ? 0x80 : 0;
	m[3] = rcode;
	m[5] = 1;
	m[at++] = (uint8_t)n;
	memcpy(m + at, label, n);
	at += n + 1;
	m[at++] = (uint8_t)(type >> 8);
	m[at++] = (uint8_t)type;
	m[at + 1] = 1;
	at += 2;
	if (!response || rcode)
		return at;
	m[7] = 1;
	memcpy(m + at, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
	return at + 16;
}

static void message(bool out, uint64_t ts_ns, const uint8_t *m, size_t n)
{
	dns_track_message(t, &(struct dns_packet){ .ts_ns = ts_ns,
						   .tuple = &tuple,
						   .owner = &owner,
						   .out = out,
						   .msg = m,
						   .len = n,
						   .full = n });
}

static void ask(uint64_t ts_ns, uint16_t id, const char *label)
{
	uint8_t m[128];

	message(true, ts_ns, m, make(m, id, false, label, DNS_TYPE_A, 0));
}

static void answer(uint64_t ts_ns, uint16_t id, const char *label, uint8_t rcode)
{
	uint8_t m[128];

	message(false, ts_ns, m, make(m, id, true, label, DNS_TYPE_A, rcode));
}

static void answer_ends_its_query(void **state)
{
	(void)state;
	ask(10 * MS, 1, "host");
	answer(35 * MS, 1, "HOST", 0);
	assert_int_equal(n_results, 1);
	assert_string_equal(last_name, "host");
	assert_string_equal(last_answer, "192.0.2.1");
	assert_int_equal(last.end_ns - last.asked_ns, 25 * MS);
	assert_int_equal(last.owner.tgid, 100);
	assert_int_equal(last.rcode, 0);
	assert_int_equal(last.retries, 0);
	assert_false(last.timed_out);
	answer(36 * MS, 1, "host", 0); /* the same again */
	assert_int_equal(n_results, 1);
	assert_int_equal(dns_track_stats(t)->unmatched, 1);
}

static void answer_to_another_question_ends_nothing(void **state)
{
	(void)state;
	ask(1, 1, "host");
	answer(2, 2, "host", 0);  /* another id */
	answer(2, 1, "other", 0); /* another name */
	tuple.lport++;
	answer(2, 1, "host", 0); /* another port */
	tuple.lport--;
	tuple.raddr[15]++;
	answer(2, 1, "host", 0); /* another server */
	tuple.raddr[15]--;
	tuple.netns++;
	answer(2, 1, "host", 0); /* another namespace */
	tuple.netns--;
	assert_int_equal(n_results, 0);
	assert_int_equal(dns_track_stats(t)->unmatched, 5);
	answer(3, 1, "host", DNS_RCODE_NXDOMAIN);
	assert_int_equal(n_results, 1);
	assert_int_equal(last.rcode, DNS_RCODE_NXDOMAIN);
	assert_int_equal(last.n, 0);
}

static void same_question_again_is_a_retry(void **state)
{
	(void)state;
	ask(0, 1, "host");
	ask(1000 * MS, 1, "host");
	ask(2000 * MS, 1, "host");
	answer(2010 * MS, 1, "host", 0);
	assert_int_equal(n_results, 1);
	assert_int_equal(last.retries, 2);
	assert_int_equal(last.end_ns - last.asked_ns, 2010 * MS);
}

static void retry_from_another_port_goes_on_with_the_first(void **state)
{
	(void)state;
	ask(0, 1, "host");
	tuple.lport++;
	ask(1000 * MS, 2, "host");
	answer(1010 * MS, 2, "host", 0);
	assert_int_equal(n_results, 1);
	assert_int_equal(last.retries, 1);
	assert_int_equal(last.asked_ns, 0);
	dns_track_tick(t, 60000 * MS);
	assert_int_equal(n_results, 1); /* the first is not told again as a timeout */
}

static void parallel_questions_are_no_retries(void **state)
{
	(void)state;
	ask(0, 1, "host");
	tuple.lport++;
	ask(1 * MS, 2, "host");
	answer(2 * MS, 2, "host", 0);
	assert_int_equal(last.retries, 0);
	tuple.lport--;
	answer(3 * MS, 1, "host", 0);
	assert_int_equal(last.retries, 0);
	assert_int_equal(n_results, 2);
}

static void nobody_answering_is_a_timeout(void **state)
{
	(void)state;
	ask(0, 1, "host");
	ask(1000 * MS, 1, "host");
	dns_track_tick(t, 5999 * MS);
	assert_int_equal(n_results, 0);
	dns_track_tick(t, 6000 * MS);
	assert_int_equal(n_results, 1);
	assert_true(last.timed_out);
	assert_int_equal(last.retries, 1);
	assert_int_equal(last.end_ns - last.asked_ns, 6000 * MS);
	answer(6001 * MS, 1, "host", 0);
	assert_int_equal(n_results, 1);
	assert_int_equal(dns_track_stats(t)->unmatched, 1);
}

/* A client that asks again faster than the timeout, for ever: with its own number, or from another port each time. */
static void asking_again_for_ever_is_a_timeout_too(void **state)
{
	uint64_t now = 0;

	(void)state;
	for (; !n_results && now < 60000 * MS; now += 100 * MS) {
		ask(now, 1, "host");
		dns_track_tick(t, now);
	}
	assert_int_equal(n_results, 1);
	assert_true(last.timed_out);
	assert_int_equal(last.asked_ns, 0);
	assert_int_equal(last.end_ns, 4 * TIMEOUT);
	assert_int_equal(last.retries, 199);
	/* the one that ended it is asked anew */
	answer(now, 1, "host", 0);
	assert_int_equal(n_results, 2);
	assert_false(last.timed_out);
	assert_int_equal(last.retries, 0);
	assert_int_equal(last.asked_ns, 4 * TIMEOUT);
	for (uint64_t to = now + 60000 * MS; n_results < 3 && now < to; now += 1000 * MS) {
		tuple.lport++;
		ask(now, 2, "other");
		dns_track_tick(t, now);
	}
	assert_int_equal(n_results, 3);
	assert_true(last.timed_out);
	assert_int_equal(last.retries, 19);
	assert_int_equal(last.end_ns - last.asked_ns, 4 * TIMEOUT);
}

static void full_table_lets_the_oldest_go_and_counts_it(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		ask(i, i, "host");
	assert_int_equal(dns_track_stats(t)->table_full, 4);
	answer(30, 0, "host", 0); /* gone */
	assert_int_equal(n_results, 0);
	answer(30, 19, "host", 0);
	assert_int_equal(n_results, 1);
	dns_track_tick(t, 10 * TIMEOUT);
	assert_int_equal(n_results, 16);
}

static void answer_without_a_question_goes_by_its_id(void **state)
{
	uint8_t m[12] = { 0, 9, 0x80, 1 }; /* FORMERR */

	(void)state;
	ask(0, 9, "host");
	message(false, 1, m, sizeof(m));
	assert_int_equal(n_results, 1);
	assert_int_equal(last.rcode, 1);
	assert_string_equal(last_name, "host");
}

static void server_side_is_not_looked_at(void **state)
{
	uint8_t m[128];
	size_t n = make(m, 1, false, "host", DNS_TYPE_A, 0);

	(void)state;
	message(false, 0, m, n);
	n = make(m, 1, true, "host", DNS_TYPE_A, 0);
	message(true, 1, m, n);
	dns_track_tick(t, 10 * TIMEOUT);
	assert_int_equal(n_results, 0);
	assert_int_equal(dns_track_stats(t)->unmatched, 0);
}

static void lies_in_an_answer_are_told(void **state)
{
	uint8_t m[128];
	size_t n;

	(void)state;
	ask(0, 1, "host");
	n = make(m, 1, true, "host", DNS_TYPE_A, 0);
	m[7] = 9; /* answers that are not there */
	message(false, 1, m, n);
	assert_true(last.malformed);
	assert_int_equal(last.n, 1);
	assert_int_equal(last.n_answers, 9);
	message(false, 2, m, 5);
	assert_int_equal(dns_track_stats(t)->malformed, 1);
}

static void mdns_answer_finds_its_question_by_name(void **state)
{
	uint8_t m[128];
	size_t n;

	(void)state;
	tuple.lport = tuple.rport = 5353;
	ask(0, 0, "host");
	/* From its own address, without a question and to a group. */
	n = make(m, 0, true, "host", DNS_TYPE_A, 0);
	memmove(m + 12, m + 12 + 6 + 4, n - 22);
	memcpy(m + 12, "\4host\0\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2\7", 20);
	m[5] = 0;
	tuple.raddr[15] = 99;
	message(false, 5 * MS, m, 32);
	assert_int_equal(n_results, 1);
	assert_string_equal(last_answer, "192.0.2.7");
	assert_int_equal(last.tuple.raddr[15], 99);
}

static void name_holds_for_its_time_and_a_grace(void **state)
{
	static const uint8_t a[16] = { 1 }, b[16] = { 2 };
	struct name_cache *c = name_cache_new(64);
	uint64_t end = 60000 * MS + NAME_GRACE_NS;

	(void)state;
	assert_int_equal(name_cache_add(c, a, "one", NAME_FROM_DNS, 60, 0), 0);
	assert_string_equal(name_cache_find(c, a, 1), "one");
	assert_string_equal(name_cache_find(c, a, end), "one");
	assert_null(name_cache_find(c, a, end + 1));
	assert_null(name_cache_find(c, b, 1));
	/* What somebody asked for is better than a reverse look-up, until its time is over. */
	assert_int_equal(name_cache_add(c, a, "ptr", NAME_FROM_PTR, 600, 5), 0);
	assert_string_equal(name_cache_find(c, a, 6), "one");
	assert_int_equal(name_cache_add(c, a, "ptr", NAME_FROM_PTR, 600, end + 5), 0);
	assert_string_equal(name_cache_find(c, a, end + 6), "ptr");
	assert_int_equal(name_cache_add(c, a, "two", NAME_FROM_DNS, 1, end + 7), 0);
	assert_string_equal(name_cache_find(c, a, end + 8), "two");
	assert_int_equal(name_cache_count(c), 1);
	(void)name_cache_free(c);
}

static void name_holds_a_day_at_most(void **state)
{
	static const uint8_t a[16] = { 1 };
	struct name_cache *c = name_cache_new(64);
	uint64_t end = 86400ULL * 1000 * MS + NAME_GRACE_NS;

	(void)state;
	assert_int_equal(name_cache_add(c, a, "mine", NAME_FROM_DNS, UINT32_MAX, 0), 0);
	assert_string_equal(name_cache_find(c, a, end), "mine");
	assert_null(name_cache_find(c, a, end + 1));
	(void)name_cache_free(c);
}

/* Two sockets that share a port: what one is told is nothing to what the other asked. */
static void answer_to_another_socket_ends_nothing(void **state)
{
	struct dns_packet p = { .tuple = &tuple, .sock_id = 1, .out = true };
	uint8_t m[128];

	(void)state;
	p.msg = m;
	p.len = p.full = make(m, 1, false, "host", DNS_TYPE_A, 0);
	dns_track_message(t, &p);
	p.out = false;
	p.sock_id = 2;
	p.len = p.full = make(m, 1, true, "host", DNS_TYPE_A, 0);
	dns_track_message(t, &p);
	assert_int_equal(n_results, 0);
	p.sock_id = 1;
	dns_track_message(t, &p);
	assert_int_equal(n_results, 1);
}

static void full_cache_gives_up_what_ends_first(void **state)
{
	struct name_cache *c = name_cache_new(8);
	uint8_t a[16] = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 9; i++) {
		a[0] = i;
		assert_int_equal(name_cache_add(c, a, "x", NAME_FROM_DNS, 100u + i, 0), 0);
	}
	assert_int_equal(name_cache_count(c), 8);
	assert_int_equal(name_cache_evicted(c), 1);
	a[0] = 0;
	assert_null(name_cache_find(c, a, 1));
	a[0] = 8;
	assert_non_null(name_cache_find(c, a, 1));
	(void)name_cache_free(c);
}

static char got[256];

static void on_message(const uint8_t *msg, size_t len, size_t full, void *arg)
{
	size_t n = strlen(got);

	(void)arg;
	memcpy(got + n, msg, len);
	got[n + len] = full > len ? '+' : '|';
	got[n + len + 1] = '\0';
}

static struct dns_streams *streams;

static void segment(uint32_t seq, const char *data, size_t len, size_t full)
{
	struct dns_segment seg = { .key = 3,
				   .ts_ns = 1,
				   .seq = seq,
				   .data = (const uint8_t *)data,
				   .len = len,
				   .full = full };

	dns_streams_segment(streams, &seg, on_message, NULL);
}

static void stream_is_cut_into_messages(void **state)
{
	(void)state;
	streams = dns_streams_new();
	got[0] = '\0';
	segment(0xfffffff0, "\0\3abc\0\2de\0", 10, 10); /* two, and half a prefix */
	assert_string_equal(got, "abc|de|");
	segment(0xfffffffa, "\4fg", 3, 3);
	segment(0xfffffffa, "\4fg", 3, 3); /* retransmitted */
	segment(0xfffffffb, "fghi", 4, 4); /* overlaps */
	assert_string_equal(got, "abc|de|fghi|");
	assert_int_equal(dns_streams_lost(streams), 0);
	streams = dns_streams_free(streams);
}

static void hole_in_a_stream_is_counted_and_passed(void **state)
{
	(void)state;
	streams = dns_streams_new();
	got[0] = '\0';
	segment(0, "\0\10ab", 4, 4);
	segment(10, "\0\2xy", 4, 4); /* bytes 4 to 9 are missing */
	assert_string_equal(got, "xy|");
	assert_int_equal(dns_streams_lost(streams), 1);
	/* The capture kept four bytes of ten: the message is known in part. */
	segment(14, "\0\10ab", 4, 10);
	assert_string_equal(got, "xy|ab+");
	segment(24, "\0\1z", 3, 3);
	assert_string_equal(got, "xy|ab+z|");
	/* The prefix of the second message is not there. */
	segment(27, "\0\2vw", 4, 9);
	assert_string_equal(got, "xy|ab+z|vw|");
	assert_int_equal(dns_streams_lost(streams), 2);
	segment(36, "\0\1u", 3, 3);
	assert_string_equal(got, "xy|ab+z|vw|u|");
	streams = dns_streams_free(streams);
}

/* Asked again from another port, among many that are not that one. */
static void asking_again_is_found_among_many_others(void **state)
{
	char name[8];

	(void)state;
	for (uint16_t i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i % 6);
		tuple.lport = (uint16_t)(40000 + i);
		owner.tgid = i < 6 ? 100 : 101; /* the same names, of two processes */
		ask((10 + i) * MS, 7, name);
	}
	owner.tgid = 101;
	tuple.lport = 50000;
	ask(500 * MS, 9, "n3");
	answer(520 * MS, 9, "n3", 0);
	assert_int_equal(n_results, 1);
	assert_int_equal(last.owner.tgid, 101);
	assert_int_equal(last.asked_ns, 19 * MS);
	assert_int_equal(last.retries, 1);
	/* the other process's is still open */
	tuple.lport = 40003;
	answer(530 * MS, 7, "n3", 0);
	assert_int_equal(n_results, 2);
	assert_int_equal(last.owner.tgid, 100);
	assert_int_equal(last.asked_ns, 13 * MS);
}

static bool keep_first(const struct dns_result *res, void *arg)
{
	struct dns_result *kept = arg;

	if (!kept->asked_ns)
		*kept = *res;
	return false;
}

static void who_asked_that_first_is_found_by_the_question(void **state)
{
	struct dns_result kept = { 0 };

	(void)state;
	ask(10 * MS, 1, "a");
	tuple.lport++;
	owner.tgid = 101;
	ask(11 * MS, 1, "b");
	tuple.lport++;
	owner.tgid = 102;
	ask(12 * MS, 1, "b");
	dns_track_asked(t, "b", DNS_TYPE_A, keep_first, &kept);
	assert_int_equal(kept.owner.tgid, 101);
	kept.asked_ns = 0;
	dns_track_asked(t, "b", DNS_TYPE_A + 27, keep_first, &kept);
	assert_int_equal(kept.asked_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answer_ends_its_query, setup, teardown),
		cmocka_unit_test_setup_teardown(answer_to_another_question_ends_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(same_question_again_is_a_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(retry_from_another_port_goes_on_with_the_first,
						setup, teardown),
		cmocka_unit_test_setup_teardown(parallel_questions_are_no_retries, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_answering_is_a_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(asking_again_for_ever_is_a_timeout_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(full_table_lets_the_oldest_go_and_counts_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answer_without_a_question_goes_by_its_id, setup,
						teardown),
		cmocka_unit_test_setup_teardown(server_side_is_not_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_in_an_answer_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(mdns_answer_finds_its_question_by_name, setup,
						teardown),
		cmocka_unit_test(name_holds_for_its_time_and_a_grace),
		cmocka_unit_test(name_holds_a_day_at_most),
		cmocka_unit_test_setup_teardown(answer_to_another_socket_ends_nothing, setup,
						teardown),
		cmocka_unit_test(full_cache_gives_up_what_ends_first),
		cmocka_unit_test_setup_teardown(asking_again_is_found_among_many_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_asked_that_first_is_found_by_the_question,
						setup, teardown),
		cmocka_unit_test(stream_is_cut_into_messages),
		cmocka_unit_test(hole_in_a_stream_is_counted_and_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
