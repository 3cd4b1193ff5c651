/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in the first bytes of a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "name/first.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* A ClientHello whose server_name is www.Example.org, in front of ALPN. */
static const char hello[] =
	"\x16\3\1\0\x50\1\0\0\x4c\3\3RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR\4sess\0\2\x13\1\1\0\0\x1d"
	"\0\0\0\x14\0\x12\0\0\x0fwww.Example.org\0\x10\0\1\0";

static char name[FIRST_NAME_TEXT];

static void server_name_of_a_hello_is_found(void **state)
{
	(void)state;
	assert_int_equal(first_tls(BYTES(hello), name), 0);
	assert_string_equal(name, "www.example.org");
}

static void cut_hello_gives_no_name(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(hello) - 1 - 5; n++) /* up to the last byte of the name */
		assert_int_equal(first_tls((const uint8_t *)hello, n, name), -ENODATA);
}

static void hello_that_lies_is_refused(void **state)
{
	uint8_t m[sizeof(hello)];

	(void)state;
	memcpy(m, hello, sizeof(hello));
	m[64] = 99; /* the name is longer than its list */
	assert_int_equal(first_tls(m, sizeof(hello) - 1, name), -EBADMSG);
	memcpy(m, hello, sizeof(hello));
	m[66] = '\n'; /* no host name */
	assert_int_equal(first_tls(m, sizeof(hello) - 1, name), -EBADMSG);
	memcpy(m, hello, sizeof(hello));
	m[5] = 2; /* a ServerHello */
	assert_int_equal(first_tls(m, sizeof(hello) - 1, name), -EBADMSG);
}

static void host_of_a_request_is_found(void **state)
{
	(void)state;
	assert_int_equal(
		first_http(BYTES("GET / HTTP/1.1\r\nA: b\r\nHOST:  www.Example.org:8080 \r\n\r\n"),
			   name),
		0);
	assert_string_equal(name, "www.example.org");
}

static void request_without_a_host_name_gives_none(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "GET / HTTP/1.0\r\n\r\nHost: x.y\r\n", -ENOENT },
		{ "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", -ENOENT },
		{ "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", -ENOENT },
		{ "GET / HTTP/1.1\r\nHost: \r\n\r\n", -EBADMSG },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", -EBADMSG },
		{ "GET / HTTP/1.1\r\nHost: a..b\r\n\r\n", -EBADMSG },
		{ "GET / HTTP/1.1\r\nHost: x.y", -ENODATA },
		{ "SSH-2.0-OpenSSH\r\nHost: x.y\r\n", -EBADMSG },
		{ "", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(first_http((const uint8_t *)cases[i].text, strlen(cases[i].text),
					    name),
				 cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_name_of_a_hello_is_found),
		cmocka_unit_test(cut_hello_gives_no_name),
		cmocka_unit_test(hello_that_lies_is_refused),
		cmocka_unit_test(host_of_a_request_is_found),
		cmocka_unit_test(request_without_a_host_name_gives_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
