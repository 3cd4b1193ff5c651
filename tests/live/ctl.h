/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe ctl` as a child, and the instances it talks to: in a folder of the test's own. */
#ifndef LIVE_CTL_H
#define LIVE_CTL_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "probe.h"

/* Instances of this test and no others: before the first is started. */
void own_run_dir(void);
const char *ctl_run_dir(void);
void socket_path(pid_t pid, char *path, size_t size);

/* What `netprobe ctl WORDS...` came to. */
struct said {
	int status;
	char *out, *log;
	double ms;
};
struct said ctl(const char *word, ...) __attribute__((sentinel));
/* `ctl set PAIR` ends well. */
void must_set(const char *pair);
/* All values of an instance, an object. */
json_t *ctl_values(const struct probe *p);
/* want: as JSON. */
void check_value(const struct probe *p, const char *key, const char *want);

#endif
