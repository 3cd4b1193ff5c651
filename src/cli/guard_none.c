/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard` in a build without BPF. */
#include "base/log.h"
#include "cli/cli.h"

int cmd_guard(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	log_set_ident("netprobe guard");
	log_err("guard filters by XDP, and this build has no eBPF (-Dbpf=disabled)");
	return EXIT_CAPTURE;
}
