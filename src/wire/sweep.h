/* SPDX-License-Identifier: BSD-2-Clause */
/* The sweep: how many socket records one pass hands over. */
#ifndef NETPROBE_WIRE_SWEEP_H
#define NETPROBE_WIRE_SWEEP_H

/* 8192 records of 488 bytes: 3.8 MiB that user space maps; busier hosts take more passes. */
#define NP_SWEEP_SLOTS 8192

#endif
