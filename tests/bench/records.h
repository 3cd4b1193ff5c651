/* SPDX-License-Identifier: BSD-2-Clause */
/* What netprobe and the traffic makers printed: JSON Lines, read into one array. */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Lines that are no JSON end the program. json_decref() the array. */
json_t *records_of_text(const char *text);
json_t *records_of_file(const char *path);

/* 0 and "" where it is null or absent. */
uint64_t rec_u64(const json_t *r, const char *key);
const char *rec_str(const json_t *r, const char *key);
bool rec_is(const json_t *r, const char *key, const char *value);

#endif
