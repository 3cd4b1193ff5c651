/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic makers (tests/traffic) as children, their reports, and the comparison with what netprobe
 * says of the same processes. Makers are looked for in NETPROBE_TRAFFIC, else in ../traffic beside
 * the test program.
 */
#ifndef LIVE_MAKER_H
#define LIVE_MAKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"

struct maker {
	pid_t pid;
	int in, out;
	char *text; /* printed so far */
	size_t len;
	json_t *reports; /* array, once finished */
};

/*
 * Start "stream --bytes 1000 ..." in a namespace (NULL: where we are), and in a cgroup (its
 * cgroup.procs, open; -1: ours).
 */
struct maker maker_start(const struct netns *ns, int cgroup, const char *command);
/* Wait until it holds (see --hold); returns the pid it names. */
pid_t maker_wait_hold(struct maker *m);
/* Let it go on. */
void maker_go(struct maker *m);
/* Wait for its end. A maker that finds its system call missing skips the test. */
void maker_finish(struct maker *m);
/* For one that takes longer than a minute. */
void maker_finish_within(struct maker *m, int ms);
/* All of the above for one that does not hold. */
struct maker maker_run(const struct netns *ns, const char *command);

/* First report of that role, required to be there. */
const json_t *maker_report(const struct maker *m, const char *role);
uint64_t report_u64(const json_t *report, const char *key);
/*
 * Whether a record is about the socket a report names: by its cookie, or, where the hook family
 * cannot have that (sock is null, and the id netprobe's own), by its ports.
 */
bool is_socket_of(const json_t *record, const json_t *report);
/* First of that type about that socket; NULL none. */
const json_t *record_of_socket(const json_t *records, const char *event_type, const json_t *report);

/* Sum of records' integer key over those of pid (0: null), and, where given, of one event_type. */
uint64_t records_sum(const json_t *records, const char *event_type, const char *key, pid_t pid);
/*
 * Every process of the reports has exactly its own tx and rx bytes in the records, under its own
 * name, and in that namespace there are no bytes nobody owns. event_type NULL: `flows`.
 */
void check_owners(const json_t *records, const char *event_type, const json_t *reports,
		  const struct netns *ns);
/* Accessors that treat a missing or null key as 0, "" . */
uint64_t record_u64(const json_t *record, const char *key);
double record_num(const json_t *record, const char *key);
const char *record_str(const json_t *record, const char *key);
/* First record with these; NULL none. pid 0: any. */
const json_t *record_find(const json_t *records, const char *event_type, const char *entity,
			  const char *value, pid_t pid);

#endif
