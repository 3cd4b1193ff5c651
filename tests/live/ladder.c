/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rung --capture-mode gives, and what is said of those above. */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "rung.h"
#include "tap.h"

#define BIT(cap) (1ull << (cap))
#define LOWER "afpacket" /* what auto takes as root where ebpf cannot be had */

/* One line on stderr, which names the rung and each word of why. */
static void check_falls(const struct probe_opts *opts, const char *mode, const char *const *words)
{
	struct probe p = probe_spawn(opts);
	int status = probe_wait(&p, 4 * RUNG_END_MS);
	char want[64], *said, *end;

	said = file_text(p.log);
	snprintf(want, sizeof(want), "capture mode %s", mode);
	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(said, want), "expected '%s', got: %s", want, said);
	for (; *words; words++)
		CHECK(strstr(said, *words), "expected '%s' in: %s", *words, said);
	end = strchr(said, '\n');
	CHECK(end && !end[1], "expected one line, got: %s", said);
	free(said);
}

/* The same start with ebpf asked for by name: exit 2 and the cause, nothing on stdout. */
static void check_explicit_fails(struct probe_opts opts, const char *const *words)
{
	const char *args[PROBE_MAX_ARGS] = { "flows", "--capture-mode", "ebpf" };
	struct probe p;
	char *said, *out;
	int status;

	for (unsigned int i = 1; opts.args[i]; i++) {
		args[i + 2] = opts.args[i];
		args[i + 3] = NULL;
	}
	opts.args = args;
	p = probe_spawn(&opts);
	status = probe_wait(&p, 4 * RUNG_END_MS);
	said = file_text(p.log);
	out = file_text(p.out);
	CHECK(status == 2, "expected exit 2, got %d: %s", status, said);
	CHECK(!*out, "expected nothing on stdout, got: %.200s", out);
	for (; *words; words++)
		CHECK(strstr(said, *words), "expected '%s' in: %s", *words, said);
	free(out);
	free(said);
}

#define SHORT "--duration", "0.1"

/* A start of ebpf that breaks at that point. */
static void check_start(const char *where, const char *word)
{
	const char *const args[] = { "flows", SHORT, "--fail-at", where, NULL };
	const char *const words[] = { "not ebpf", word, NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true };

	check_falls(&opts, LOWER, words);
	check_explicit_fails(opts, words + 1);
}

TEST(auto_without_rights_is_proc_and_names_the_capability)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "CAP_BPF", NULL };
	struct probe_opts opts = {
		.args = args, .plain = true, .no_ready = true, .uid = RUNG_NOBODY
	};

	check_falls(&opts, "proc", words);
}

TEST(auto_with_cap_net_raw_alone_is_afpacket)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "CAP_BPF", NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .uid = RUNG_NOBODY,
				   .caps = BIT(CAP_NET_RAW) };

	check_falls(&opts, "afpacket", words);
}

TEST(auto_falls_through_both_and_names_both_causes)
{
	static const char *const args[] = { "flows", SHORT, "--fail-at", "ring", NULL };
	static const char *const words[] = { "not ebpf", "seccomp", "not afpacket", "packet ring",
					     NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .no_bpf = true };

	check_falls(&opts, "proc", words);
}

TEST(explicit_afpacket_that_cannot_run_fails_and_says_why)
{
	static const char *const args[] = { "flows",	SHORT,	     "--capture-mode",
					    "afpacket", "--fail-at", "ring",
					    NULL };
	static const char *const plain[] = { "flows", SHORT, "--capture-mode", "afpacket", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 2, "without a ring: expected exit 2, got %d: %s", status, said);
	CHECK(strstr(said, "packet ring") && !*out, "expected the ring named: %s", said);
	free(out);
	free(said);
	status = rung_run(plain, RUNG_NOBODY, 0, &out, &said);
	CHECK(status == 1, "without rights: expected exit 1, got %d: %s", status, said);
	CHECK(strstr(said, "CAP_NET_RAW") && !*out, "expected CAP_NET_RAW named: %s", said);
	free(out);
	free(said);
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

TEST(auto_falls_when_the_verifier_rejects)
{
	check_start("verifier", "rejected");
}

TEST(auto_falls_when_a_program_does_not_attach)
{
	check_start("attach", "busy");
}

TEST(auto_falls_when_a_hook_stays_silent)
{
	check_start("prove", "did not fire");
}

TEST(auto_falls_when_there_is_no_memory_for_the_ring)
{
	check_start("read", "No buffer space");
}

TEST(auto_falls_when_seccomp_refuses_bpf)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "seccomp filter", "bpf(2)", NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .no_bpf = true };

	check_falls(&opts, LOWER, words);
	check_explicit_fails(opts, words + 1);
}

TEST(a_btf_option_that_is_no_btf_exits_3_with_one_line)
{
	static const char *const files[] = { "/proc/self/status", "/nowhere/at/all", "/dev" };

	for (unsigned int i = 0; i < 3; i++) {
		const char *const args[] = { "flows", SHORT, "--btf", files[i], NULL };
		char *out, *said, *end;
		int status = rung_run(args, 0, 0, &out, &said);

		CHECK(status == 3, "%s: expected exit 3, got %d", files[i], status);
		CHECK(strstr(said, "--btf") && strstr(said, files[i]) && strstr(said, "takes"),
		      "expected the option, the file and what it takes: %s", said);
		end = strchr(said, '\n');
		CHECK(end && !end[1], "expected one line, got: %s", said);
		free(out);
		free(said);
	}
}

TEST(a_hook_family_that_is_not_there_is_no_reason_to_fall)
{
	static const char *const args[] = { "flows",	 SHORT,	     "--hook", "kprobe",
					    "--fail-at", "verifier", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 2, "expected exit 2, got %d: %s", status, said);
	CHECK(!*out, "expected nothing on stdout, got: %.200s", out);
	free(out);
	free(said);
}

TEST(doctor_tells_of_every_rung)
{
	static const char *const args[] = { "doctor", NULL };
	char *out, *said;
	int status = rung_run(args, RUNG_NOBODY, 0, &out, &said);

	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(out, "ebpf capture: no"), "ebpf: %.2000s", out);
	CHECK(strstr(out, "proc capture: yes"), "proc: %.2000s", out);
	free(out);
	free(said);
}
