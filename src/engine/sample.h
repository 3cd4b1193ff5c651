/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of sampled sockets, scaled: a socket that stands for N counts N times what it moved. The
 * kernel half counts what is; the rate may change while a socket lives, so each step is scaled by
 * the rate it was counted under. Internal to engine/.
 */
#ifndef NETPROBE_ENGINE_SAMPLE_H
#define NETPROBE_ENGINE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/record.h"

struct sampler;

struct sampler *sampler_new(void);
struct sampler *sampler_free(struct sampler *s);
/* Nothing was sampled so far and this record is not either: no need to call. */
bool sampler_is_idle(const struct sampler *s, const struct np_sock_rec *rec);
/*
 * Bytes, packets and retransmits of rec become those of all sockets it stands for. known: its
 * records came before, at rate 1. The kernel's own figures of the connection stay what they are.
 */
void sampler_scale(struct sampler *s, struct np_sock_rec *rec, bool known);
/* Forget those that are not open any more: their last record was lost, or another one came behind it. */
void sampler_purge(struct sampler *s, bool (*is_open)(uint64_t sock_id, void *arg), void *arg);
/* Parts are drained, so each is a step. */
void sampler_scale_part(struct np_part *part, uint32_t rate);

#endif
