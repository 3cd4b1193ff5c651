/* SPDX-License-Identifier: BSD-2-Clause */
/* See user.h. The table is read anew when the file is another one; callers hold the library's lock or are one thread. */
#include "owner/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define USERS_MAX 65536
#define LINE_MAX_BYTES 1024

struct user {
	uint32_t uid;
	char name[33];
};

static __thread struct {
	struct user *all; /* by number */
	size_t n, cap;
	struct stat was;
	time_t looked;
	int read;
} users;

int user_parse(const char *line, char *ret_name, unsigned int size, uint32_t *ret_uid)
{
	size_t len = strcspn(line, ":\n");
	const char *p = line + len;
	unsigned long uid;
	char *end;

	if (*p++ != ':' || !len || len >= size)
		return -1;
	p += strcspn(p, ":\n");
	if (*p++ != ':' || *p < '0' || *p > '9')
		return -1;
	uid = strtoul(p, &end, 10);
	if (*end != ':' || uid >= UINT32_MAX)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (line[i] <= ' ' || line[i] == 0x7f)
			return -1;
	memcpy(ret_name, line, len);
	ret_name[len] = '\0';
	*ret_uid = (uint32_t)uid;
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static void add(const struct user *u)
{
	if (users.n == users.cap) {
		size_t cap = users.cap ? users.cap * 2 : 64;
		void *p = cap <= USERS_MAX ? reallocarray(users.all, cap, sizeof(*u)) : NULL;

		if (!p)
			return;
		users.all = p;
		users.cap = cap;
	}
	users.all[users.n++] = *u;
}

static void read_users(void)
{
	char line[LINE_MAX_BYTES];
	struct timespec now;
	struct stat st;
	struct user u;
	FILE *f;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (users.read && now.tv_sec == users.looked)
		return;
	users.looked = now.tv_sec;
	if (stat("/etc/passwd", &st) < 0)
		return;
	if (users.read && st.st_ino == users.was.st_ino &&
	    st.st_mtim.tv_sec == users.was.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == users.was.st_mtim.tv_nsec)
		return;
	f = fopen("/etc/passwd", "re");
	if (!f)
		return;
	users.n = 0;
	while (fgets(line, sizeof(line), f))
		if (!user_parse(line, u.name, sizeof(u.name), &u.uid))
			add(&u);
	(void)fclose(f);
	qsort(users.all, users.n, sizeof(*users.all), by_uid);
	users.was = st;
	users.read = 1;
}

const char *user_name(uint32_t uid)
{
	const struct user key = { .uid = uid };
	const struct user *u;

	if (uid == UINT32_MAX)
		return "";
	read_users();
	u = users.n ? bsearch(&key, users.all, users.n, sizeof(key), by_uid) : NULL;
	return u ? u->name : "";
}
