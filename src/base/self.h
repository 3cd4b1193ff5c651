/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process may do and what is laid over it: for the true cause of a refusal. */
#ifndef NETPROBE_BASE_SELF_H
#define NETPROBE_BASE_SELF_H

#include <stdbool.h>

/* 2: a filter decides over system calls, 0: none; -1 unknown. */
int self_seccomp(void);
/* Is that capability (CAP_*) effective, in whatever user namespace? */
bool self_has_cap(unsigned int cap);
/* In another user namespace than the initial one; false where it is not known. */
bool self_in_user_namespace(void);
/* In another pid namespace than the initial one; false where it is not known. */
bool self_in_pid_namespace(void);
/* The network namespace belongs to a user namespace above ours, where our capabilities are none; false where not known. */
bool self_in_foreign_netns(void);
/* The parent of a process above this one, or of this one (pid 0); 0: it has none here, or cannot be seen. */
int self_parent_of(int pid);

#endif
