/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two namespaces a long way apart: packets from one tun device to the other are held back by a process
 * of the test's, so that no kernel needs netem for it.
 */
#ifndef LIVE_FAR_H
#define LIVE_FAR_H

#include "netns.h"

/* As netns_pair_new: 10.77.0.1 and .2; packets take so many ms from b to a, none from a to b. */
struct netns_pair netns_pair_far(unsigned int ms);

#endif
