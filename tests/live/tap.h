/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests as sentences, each run in a process of its own and printed as TAP. A test that fails keeps
 * its folder and names it; whatever a test started dies with it.
 */
#ifndef LIVE_TAP_H
#define LIVE_TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
	const char *again; /* the test of that name is what is run, after run */
	bool wanted;	   /* by this process */
};

/* TEST(sentence_that_holds) { ... } */
#define TEST(id)                                                     \
	static void id(void);                                        \
	static struct test test_##id = { #id, id, 0, 0, false };     \
	__attribute__((constructor)) static void register_##id(void) \
	{                                                            \
		test_register(&test_##id);                           \
	}                                                            \
	static void id(void)

/*
 * Another test of this program once more, as as_NAME, after prepare(). A word of the command line takes such
 * ones only where it is in as itself, or is the whole name.
 */
#define AGAIN(as, id, prepare)                                                         \
	static struct test test_##as##_##id = { #as "_" #id, prepare, 0, #id, false }; \
	__attribute__((constructor)) static void register_##as##_##id(void)            \
	{                                                                              \
		test_register(&test_##as##_##id);                                      \
	}

void test_register(struct test *t);
/* NETPROBE_ALL=1: what takes long is done as often and as large as a release wants it, within half an hour a test. */
bool test_whole(void);

/* A failed CHECK is noted and the test goes on; a failed REQUIRE ends it. Say expected and got. */
#define CHECK(cond, ...)                                            \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
#define REQUIRE(cond, ...)                                          \
	do {                                                        \
		if (!(cond)) {                                      \
			test_fail(__FILE__, __LINE__, __VA_ARGS__); \
			test_end();                                 \
		}                                                   \
	} while (0)
/* what: words for the message. */
#define CHECK_EQ(got, want, what)                                                                  \
	do {                                                                                       \
		uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);                         \
		CHECK(got_ == want_, "%s: expected %" PRIu64 ", got %" PRIu64, what, want_, got_); \
	} while (0)

__attribute__((format(printf, 3, 4))) void test_fail(const char *file, int line, const char *fmt,
						     ...);
_Noreturn void test_end(void);
_Noreturn __attribute__((format(printf, 1, 2))) void test_skip(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void test_note(const char *fmt, ...);

/* Address sanitizer keeps what was freed for a while: its memory says nothing of ours. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Folder of the running test: removed when it passes. */
const char *test_dir(void);
/* NETPROBE_TEST_SLOW: how many times slower than a real machine this one is; at least 1. */
double test_slow(void);
/* Milliseconds on CLOCK_MONOTONIC; a deadline is one of these, stretched by test_slow. */
int64_t now_ms(void);
int64_t deadline_in(int ms);
void pause_ms(int ms); /* between two looks at a condition, never instead of one */
/* cond(arg) until true or for ms, stretched; its last answer. */
bool wait_until(bool (*cond)(void *), void *arg, int ms);

#endif
