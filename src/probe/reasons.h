/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of drop reasons, from the BTF of the running kernel: they differ from kernel to kernel. */
#ifndef NETPROBE_PROBE_REASONS_H
#define NETPROBE_PROBE_REASONS_H

#include <stddef.h>
#include <stdint.h>

#include "wire/drops.h"

struct btf;

struct reasons {
	const struct btf *btf;
	const char *names[NP_DROP_REASONS]; /* the core's, without their prefix; NULL none */
	const char *subsystems[16];	    /* "OPENVSWITCH"; NULL none */
	unsigned int n;			    /* 0: this kernel has none */
	uint32_t unspecified;		    /* the one that says nothing */
	uint32_t listen_overflow; /* an accept queue was full; 0: has no reason of its own */
};

void reasons_init(struct reasons *r, const struct btf *btf); /* strings are btf's */
/* Name of a reason, or a number in buf. */
const char *reasons_name(const struct reasons *r, uint32_t reason, char *buf, size_t size);

#endif
