/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that may still be opened (see files.h). */
#include "base/files.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FILES_MAX 4096

bool files_are_free(unsigned int n)
{
	int fds[FILES_MAX];
	unsigned int k = 0;

	if (n > FILES_MAX)
		n = FILES_MAX;
	if (!n)
		return true;
	fds[0] = eventfd(0, EFD_CLOEXEC);
	if (fds[0] >= 0)
		for (k = 1; k < n; k++) {
			fds[k] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
			if (fds[k] < 0)
				break;
		}
	for (unsigned int i = 0; i < k; i++)
		(void)close(fds[i]);
	return k == n;
}
