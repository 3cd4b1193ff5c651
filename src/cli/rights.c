/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy of this program that has file capabilities (see rights.h). */
#include "cli/rights.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* Root, a service with ambient capabilities, and the copy itself have what they are to have. */
static bool has_any_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &head, data) < 0 || data[0].permitted || data[1].permitted;
}

/* A program that was built and not installed stays the one that was called; the copy does not call itself again. */
static bool is_the_installed_one(void)
{
	struct stat self, installed;

	return !stat("/proc/self/exe", &self) && !stat(NETPROBE_INSTALLED, &installed) &&
	       self.st_dev == installed.st_dev && self.st_ino == installed.st_ino;
}

void rights_take(char **argv)
{
	if (has_any_capability() || !is_the_installed_one())
		return;
	/* EACCES: no member; EPERM: a bounding set without these capabilities; ENOENT: only this one was installed. */
	(void)execv(NETPROBE_PRIVILEGED, argv);
}
