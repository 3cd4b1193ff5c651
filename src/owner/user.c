/* SPDX-License-Identifier: BSD-2-Clause */
/* See user.h. The table is made anew when the file is another one; names stay, as rows point to them. */
#include "owner/user.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define USERS_MAX 65536
#define LINE_MAX_BYTES 1024

/* Never freed nor changed: a name that changes is another one. */
struct user {
	struct user *before; /* the one that was made before it */
	uint32_t uid;
	char name[33];
};

struct line {
	uint32_t uid, nr; /* of two with one number the first counts, as in getpwuid(3) */
	const struct user *user;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static struct user *newest;
static size_t made;
static struct line *lines; /* by number */
static size_t n_lines;
static struct stat was;
static time_t looked;
static int is_read;

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
		if ((unsigned char)line[i] <= ' ' || (unsigned char)line[i] >= 0x7f)
			return -1;
	memcpy(ret_name, line, len);
	ret_name[len] = '\0';
	*ret_uid = (uint32_t)uid;
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int by_uid = (x->uid > y->uid) - (x->uid < y->uid);

	return by_uid ? by_uid : (x->nr > y->nr) - (x->nr < y->nr);
}

static const struct user *find(uint32_t uid)
{
	size_t low = 0, high = n_lines;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (lines[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n_lines && lines[low].uid == uid ? lines[low].user : NULL;
}

static const struct user *make(uint32_t uid, const char *name)
{
	const struct user *had = find(uid);
	struct user *u;

	if (had && !strcmp(had->name, name))
		return had;
	u = made < USERS_MAX ? calloc(1, sizeof(*u)) : NULL;
	if (!u)
		return NULL;
	u->uid = uid;
	(void)snprintf(u->name, sizeof(u->name), "%s", name);
	u->before = newest;
	newest = u;
	made++;
	return u;
}

static void read_file(FILE *f)
{
	char text[LINE_MAX_BYTES], name[sizeof(((struct user *)0)->name)];
	struct line *all = NULL;
	size_t n = 0, cap = 0;
	uint32_t uid;

	while (fgets(text, sizeof(text), f)) {
		const struct user *u;

		if (user_parse(text, name, sizeof(name), &uid))
			continue;
		if (n == cap) {
			size_t more = cap ? cap * 2 : 64;
			void *p = more <= USERS_MAX ? reallocarray(all, more, sizeof(*all)) : NULL;

			if (!p)
				break;
			all = p;
			cap = more;
		}
		u = make(uid, name);
		if (u) {
			all[n] = (struct line){ .uid = uid, .nr = (uint32_t)n, .user = u };
			n++;
		}
	}
	if (n)
		qsort(all, n, sizeof(*all), by_line);
	free(lines);
	lines = all;
	n_lines = n;
}

static void look(void)
{
	struct timespec now;
	struct stat st;
	FILE *f;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (is_read && now.tv_sec == looked)
		return;
	looked = now.tv_sec;
	if (stat("/etc/passwd", &st) < 0)
		return;
	if (is_read && st.st_ino == was.st_ino && st.st_mtim.tv_sec == was.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was.st_mtim.tv_nsec)
		return;
	f = fopen("/etc/passwd", "re");
	if (!f)
		return;
	read_file(f);
	(void)fclose(f);
	was = st;
	is_read = 1;
}

const char *user_name(uint32_t uid)
{
	const struct user *u;

	if (uid == UINT32_MAX)
		return "";
	(void)pthread_mutex_lock(&lock);
	look();
	u = find(uid);
	(void)pthread_mutex_unlock(&lock);
	return u ? u->name : "";
}

int user_id(const char *name, uint32_t *ret_uid)
{
	uint32_t first = UINT32_MAX;
	int r = -1;

	(void)pthread_mutex_lock(&lock);
	look();
	for (size_t i = 0; i < n_lines; i++)
		if (lines[i].nr < first && !strcmp(lines[i].user->name, name)) {
			first = lines[i].nr;
			*ret_uid = lines[i].uid;
			r = 0;
		}
	(void)pthread_mutex_unlock(&lock);
	return r;
}
