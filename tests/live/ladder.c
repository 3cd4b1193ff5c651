/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rung --capture-mode gives, and what is said of those above. */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "rung.h"
#include "tap.h"

#define BIT(cap) (1ull << (cap))

/* One line on stderr, which names the rung and each word of why. */
static void check_falls(const char *const *args, uint64_t caps, const char *mode,
			const char *const *words)
{
	char *out, *said, *end;
	int status = rung_run(args, RUNG_NOBODY, caps, &out, &said);
	char want[64];

	snprintf(want, sizeof(want), "capture mode %s", mode);
	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(said, want), "expected '%s', got: %s", want, said);
	for (; *words; words++)
		CHECK(strstr(said, *words), "expected '%s' in: %s", *words, said);
	end = strchr(said, '\n');
	CHECK(end && !end[1], "expected one line, got: %s", said);
	free(out);
	free(said);
}

TEST(auto_without_rights_is_proc_and_names_the_capability)
{
	static const char *const args[] = { "flows", "--duration", "0.1", NULL };
	static const char *const words[] = { "not ebpf", "CAP_BPF", NULL };

	check_falls(args, 0, "proc", words);
}

TEST(explicit_ebpf_without_rights_exits_1)
{
	static const char *const args[] = { "flows", "--capture-mode", "ebpf", NULL };
	char *out, *said;
	int status = rung_run(args, RUNG_NOBODY, 0, &out, &said);

	CHECK(status == 1, "expected exit 1, got %d: %s", status, said);
	CHECK(strstr(said, "CAP_BPF"), "expected CAP_BPF in: %s", said);
	free(out);
	free(said);
}
