/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages: what is read of good ones, and that no bad one is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "name/dns.h"

#define MSG(s) (const uint8_t *)(s), sizeof(s) - 1
#define HEAD(qd, an) "\x12\x34\x81\x80\0" qd "\0" an "\0\0\0\0"

static struct dns_reader r;
static struct dns_question q;
static struct dns_record rec;
static char text[DNS_NAME_TEXT];

static int open_msg(const uint8_t *msg, size_t len)
{
	return dns_open(&r, msg, len, len);
}

/* The first answer's data as text. */
static int answer_text(const uint8_t *msg, size_t len)
{
	int e = open_msg(msg, len);

	if (!e)
		e = dns_record(&r, &rec);
	return e == 1 ? dns_data_text(&r, &rec, text, sizeof(text)) : e ? e : -ENOENT;
}

static void header_and_question_are_read(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG("\xab\xcd\x01\x00\0\1\0\0\0\0\0\0"
				      "\3WwW\7eXample\3org\0\0\x1c\0\1")),
			 0);
	assert_int_equal(r.header.id, 0xabcd);
	assert_false(r.header.response);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_string_equal(q.name, "www.example.org");
	assert_int_equal(q.type, DNS_TYPE_AAAA);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_int_equal(dns_question(&r, &q), 0);
	assert_int_equal(dns_record(&r, &rec), 0);
}

static void flags_and_rcode_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG("\0\1\x86\x83\0\0\0\0\0\0\0\0")), 0);
	assert_true(r.header.response);
	assert_true(r.header.authoritative);
	assert_true(r.header.truncated);
	assert_int_equal(r.header.rcode, DNS_RCODE_NXDOMAIN);
	assert_int_equal(r.header.opcode, 0);
}

static void each_type_has_its_form(void **state)
{
	static const struct {
		const char *msg;
		size_t len;
		const char *text;
	} cases[] = {
#define ROW(type, n, data, want)                                     \
	{ HEAD("\0", "\1") "\1a\0\0" type "\0\1\0\0\0\x3c\0" n data, \
	  sizeof(HEAD("\0", "\1") "\1a\0\0" type "\0\1\0\0\0\x3c\0" n data) - 1, want }
		ROW("\1", "\4", "\xc0\0\2\1", "192.0.2.1"),
		ROW("\x1c", "\x10", "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", "2001:db8::1"),
		ROW("\5", "\5", "\1B\1c\0", "b.c"),
		ROW("\x0c", "\2", "\xc0\x0c", "a"),
		ROW("\x0f", "\4", "\0\x0a\xc0\x0c", "10 a"),
		ROW("\x21", "\x08", "\0\1\0\2\1\xbb\xc0\x0c", "1 2 443 a"),
		ROW("\x41", "\x06", "\0\1\0\0\1\0", "1 ."),
		ROW("\x10", "\7", "\3v=1\2\"\n", "\"v=1\" \"\\\"\\010\""),
		ROW("\x63", "\3", "\1\2\3", "\\# 3 010203"),
		ROW("\2", "\1", "\0", "."),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(answer_text((const uint8_t *)cases[i].msg, cases[i].len), 0);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(rec.ttl, 60);
		assert_string_equal(rec.name, "a");
		assert_int_equal(rec.section, 1);
	}
}

static void sections_are_walked_in_their_order(void **state)
{
	static const char msg[] = "\0\1\x81\x80\0\1\0\1\0\1\0\1"
				  "\1a\0\0\1\0\1"
				  "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\0\0\1"
				  "\xc0\x0c\0\2\0\1\0\0\0\2\0\2\xc0\x0c"
				  "\0\0\x29\x04\xd0\1\0\0\0\0\0";

	(void)state;
	assert_int_equal(open_msg(MSG(msg)), 0);
	for (int section = 1; section <= 3; section++) {
		assert_int_equal(dns_record(&r, &rec), 1);
		assert_int_equal(rec.section, section);
	}
	assert_int_equal(rec.type, DNS_TYPE_OPT);
	assert_int_equal(rec.class, 1232);
	assert_int_equal(rec.ttl >> 24, 1); /* the rcode's upper bits */
	assert_int_equal(dns_record(&r, &rec), 0);
}

static void odd_bytes_of_names_are_escaped(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG(HEAD("\1", "\0") "\5a.\\\n\xff\0\0\1\0\1")), 0);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_string_equal(q.name, "a\\.\\\\\\010\\255");
}

static void compression_cannot_loop(void **state)
{
	static const char bad[][12] = {
		"\xc0\x0c\0\1\0\1",	    /* to itself */
		"\xc0\x0e\xc0\x0c\0\1\0\1", /* forwards, then back */
		"\1a\xc0\x0c\0\1\0\1",	    /* to its own front */
		"\xc0\x02\0\1\0\1\0\0\0\0", /* into the header */
		"\xff\xff\0\1\0\1",	    /* behind the end */
	};
	uint8_t msg[64] = HEAD("\1", "\0");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(msg + 12, bad[i], 8);
		assert_int_equal(open_msg(msg, 20), 0);
		assert_int_equal(dns_question(&r, &q), -EBADMSG);
	}
}

static void chain_of_pointers_is_followed_to_its_end(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG(HEAD("\3", "\0") "\1c\0\0\1\0\1"
						       "\1b\xc0\x0c\0\1\0\1"
						       "\1a\xc0\x13\0\1\0\1")),
			 0);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_string_equal(q.name, "a.b.c");
}

static void name_longer_than_allowed_is_refused(void **state)
{
	uint8_t msg[400] = HEAD("\1", "\0");

	(void)state;
	for (int i = 0; i < 4; i++) { /* 4 x 64 + 1 = 257 bytes */
		msg[12 + i * 64] = 63;
		memset(msg + 13 + i * 64, 'x', 63);
	}
	assert_int_equal(open_msg(msg, sizeof(msg)), 0);
	assert_int_equal(dns_question(&r, &q), -EBADMSG);
	/* 254 + 1: the longest there is; every byte of it needs four characters. */
	memset(msg + 12, 1, 256);
	for (int i = 0; i < 4; i++)
		msg[12 + i * 64] = i < 3 ? 63 : 61;
	msg[12 + 3 * 64 + 62] = 0;
	assert_int_equal(open_msg(msg, sizeof(msg)), 0);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_int_equal(strlen(q.name), 250 * 4 + 3);
}

static void label_of_an_unknown_kind_is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG(HEAD("\1", "\0") "\x41x\0\0\1\0\1")), 0);
	assert_int_equal(dns_question(&r, &q), -EBADMSG);
}

static void counts_beyond_the_bytes_are_lies(void **state)
{
	(void)state;
	assert_int_equal(open_msg(MSG("\0\1\x81\x80\xff\xff\xff\xff\xff\xff\xff\xff"
				      "\1a\0\0\1\0\1")),
			 0);
	assert_int_equal(dns_question(&r, &q), 1);
	assert_int_equal(dns_question(&r, &q), -EBADMSG);
	assert_int_equal(dns_record(&r, &rec), -EBADMSG);
}

static void data_beyond_the_message_is_refused(void **state)
{
	(void)state;
	assert_int_equal(answer_text(MSG(HEAD("\0", "\1") "\1a\0\0\1\0\1\0\0\0\0\0\5\1\2\3\4")),
			 -EBADMSG);
	/* A name that goes on behind its record, and an address of five bytes. */
	assert_int_equal(answer_text(MSG(HEAD("\0", "\1") "\1a\0\0\5\0\1\0\0\0\0\0\2\3bcd\0")),
			 -EBADMSG);
	assert_int_equal(answer_text(MSG(HEAD("\0", "\1") "\1a\0\0\1\0\1\0\0\0\0\0\5\1\2\3\4\5")),
			 -EBADMSG);
	assert_int_equal(answer_text(MSG(HEAD("\0", "\1") "\1a\0\0\x10\0\1\0\0\0\0\0\2\5a")),
			 -EBADMSG);
	assert_int_equal(
		answer_text(MSG(HEAD("\0", "\1") "\1a\0\0\x21\0\1\0\0\0\0\0\6\0\0\0\0\0\0")),
		-EBADMSG);
}

static void cut_capture_is_no_lie(void **state)
{
	static const char msg[] = HEAD("\1", "\1") "\3abc\0\0\1\0\1"
						   "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\0\0\1";
	size_t full = sizeof(msg) - 1;

	(void)state;
	for (size_t len = 0; len < full; len++) {
		int e = dns_open(&r, (const uint8_t *)msg, len, full);

		while (!e && (e = dns_question(&r, &q)) > 0)
			e = 0;
		while (!e && (e = dns_record(&r, &rec)) > 0)
			e = 0;
		if (len < 12 + 9 || len < full)
			assert_true(e == -ENODATA || (!e && len >= full));
	}
}

static void reverse_names_are_addresses(void **state)
{
	static const uint8_t v4[16] = { [10] = 255, 255, 192, 0, 2, 33 };
	static const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 0x5a };
	uint8_t addr[16];

	(void)state;
	assert_true(dns_reverse_addr("33.2.0.192.in-addr.arpa", addr));
	assert_memory_equal(addr, v4, 16);
	assert_true(dns_reverse_addr("a.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				     "8.b.d.0.1.0.0.2.ip6.arpa",
				     addr));
	assert_memory_equal(addr, v6, 16);
	assert_false(dns_reverse_addr("2.0.192.in-addr.arpa", addr));
	assert_false(dns_reverse_addr("256.2.0.192.in-addr.arpa", addr));
	assert_false(dns_reverse_addr("33.2.0.192.in-addr.arpa.example", addr));
	assert_false(dns_reverse_addr("example.org", addr));
	assert_false(dns_reverse_addr("ip6.arpa", addr));
}

static void types_and_rcodes_without_a_name_are_numbers(void **state)
{
	char buf[12];

	(void)state;
	assert_string_equal(dns_type_name(DNS_TYPE_HTTPS, buf), "HTTPS");
	assert_string_equal(dns_type_name(65535, buf), "TYPE65535");
	assert_string_equal(dns_rcode_name(2, buf), "SERVFAIL");
	assert_string_equal(dns_rcode_name(4095, buf), "RCODE4095");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_question_are_read),
		cmocka_unit_test(flags_and_rcode_are_told_apart),
		cmocka_unit_test(each_type_has_its_form),
		cmocka_unit_test(sections_are_walked_in_their_order),
		cmocka_unit_test(odd_bytes_of_names_are_escaped),
		cmocka_unit_test(compression_cannot_loop),
		cmocka_unit_test(chain_of_pointers_is_followed_to_its_end),
		cmocka_unit_test(name_longer_than_allowed_is_refused),
		cmocka_unit_test(label_of_an_unknown_kind_is_refused),
		cmocka_unit_test(counts_beyond_the_bytes_are_lies),
		cmocka_unit_test(data_beyond_the_message_is_refused),
		cmocka_unit_test(cut_capture_is_no_lie),
		cmocka_unit_test(reverse_names_are_addresses),
		cmocka_unit_test(types_and_rcodes_without_a_name_are_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
