/* SPDX-License-Identifier: BSD-2-Clause */
/* See trust.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "base/trust.h"

bool trust_is_higher(void)
{
	return getauxval(AT_SECURE);
}

/* In a folder like /tmp nobody can take away what is root's. */
static int is_root_s(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	if (st.st_uid)
		return -EPERM;
	if (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX))
		return 0;
	return st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

int trust_only_root(char *path, size_t size)
{
	char real[PATH_MAX], *at = real;
	int r = is_root_s("/");

	if (!realpath(path, real))
		return -errno;
	if (strlen(real) >= size)
		return -ENAMETOOLONG;
	while (!r && (at = strchr(at + 1, '/'))) {
		*at = '\0';
		r = is_root_s(real);
		*at = '/';
	}
	if (!r)
		r = is_root_s(real);
	if (!r)
		(void)strcpy(path, real);
	return r;
}
