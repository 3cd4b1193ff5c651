/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of the library share. */
#ifndef LIVE_API_RUN_H
#define LIVE_API_RUN_H

#include <netprobe/netprobe.h>

#include "netns.h"
#include "tap.h"

extern struct netprobe_error err; /* of the last call */

#define OK(call)                                                \
	do {                                                    \
		int r_ = (call);                                \
		REQUIRE(r_ >= 0, #call ": %d %s", r_, err.msg); \
	} while (0)

/* The call fails with that errno. */
#define FAILS(code, call)                                                          \
	do {                                                                       \
		int r_ = (call);                                                   \
		CHECK(r_ == -(code), #call ": %d (%s), not -" #code, r_, err.msg); \
	} while (0)

/* The network namespace of this test from here on. */
void enter(const struct netns *ns);
struct netprobe_manager *manager(const struct netprobe_config *c);
struct netprobe_config without_capture(uint32_t mode);
/* In the namespace already: guard on that interface. */
struct netprobe_manager *guarded(const char *ifname);
/* One that captures with ebpf and ends intervals itself. */
struct netprobe_config own_loop(void);
/* Waits a moment for what there is to hand out, and has it handed out. */
void look(struct netprobe_manager *m);

#endif
