/* SPDX-License-Identifier: BSD-2-Clause */
/* Landlock (see internal.h): since 5.13; the C library has no calls for it. */
#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/internal.h"

/* Later than the headers of the build: refer since 5.19, truncate since 6.2. */
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)

int landlock_install(void)
{
	struct landlock_ruleset_attr rules = {
		/* all but reading, and removing: the control socket goes with the command */
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int fd, r = 0;

	if (abi < 0)
		return errno;
	if (abi >= 2)
		rules.handled_access_fs |= ACCESS_REFER;
	if (abi >= 3)
		rules.handled_access_fs |= ACCESS_TRUNCATE;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules.handled_access_fs), 0);
	if (fd < 0)
		return errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		r = errno;
	(void)close(fd);
	return r;
}
