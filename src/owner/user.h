/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users, by this machine's /etc/passwd: no directory service is asked, which might not answer. */
#ifndef NETPROBE_OWNER_USER_H
#define NETPROBE_OWNER_USER_H

#include <stdint.h>

/* "root"; "" unknown. Good as long as the process lives. Looks at the file once a second at most. Any thread. */
const char *user_name(uint32_t uid);
/* 0, or -1: there is nobody of that name in the file. Any thread. */
int user_id(const char *name, uint32_t *ret_uid);
/* Pure: name and number of a line of that file. -1: it is none, or the name has what no name may have. */
int user_parse(const char *line, char *ret_name, unsigned int size, uint32_t *ret_uid);

#endif
