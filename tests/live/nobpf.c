/* SPDX-License-Identifier: BSD-2-Clause */
/* What a build without BPF says of the rung it does not have. */
#include <stdlib.h>
#include <string.h>

#include "rung.h"
#include "tap.h"

TEST(auto_is_afpacket_and_says_that_this_build_has_no_ebpf)
{
	static const char *const args[] = { "flows", "--duration", "0.1", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(said,
		     "capture mode afpacket, which sees this network namespace alone; not ebpf: this build"),
	      "got: %s", said);
	free(out);
	free(said);
}

TEST(ebpf_by_name_is_exit_2)
{
	static const char *const flows[] = { "flows", "--capture-mode", "ebpf", NULL };
	static const char *const drops[] = { "drops", "--duration", "0.1", NULL };
	static const char *const guard[] = { "guard", "status", NULL };
	static const char *const *const commands[] = { flows, drops, guard };

	for (unsigned int i = 0; i < 3; i++) {
		char *out, *said;
		int status = rung_run(commands[i], 0, 0, &out, &said);

		CHECK(status == 2, "%s: expected exit 2, got %d: %s", commands[i][0], status, said);
		CHECK(strstr(said, "this build has no eBPF") && !*out, "got: %s", said);
		free(out);
		free(said);
	}
}

TEST(doctor_tells_what_is_left)
{
	static const char *const args[] = { "doctor", NULL };
	char *out, *said;
	int status = rung_run(args, 0, 0, &out, &said);

	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(out, "ebpf capture: no. this build"), "ebpf: %s", out);
	CHECK(strstr(out,
		     "afpacket capture: yes, of this network namespace alone; what auto takes"),
	      "afpacket: %s", out);
	CHECK(strstr(out, "proc capture: yes"), "proc: %s", out);
	free(out);
	free(said);
}
