/* SPDX-License-Identifier: BSD-2-Clause */
/* See self.h. */
#include "base/self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/nsfs.h>

/* PROC_USER_INIT_INO, PROC_PID_INIT_INO: the same in every kernel since 3.8. */
#define INITIAL_USER_NS 0xEFFFFFFDU
#define INITIAL_PID_NS 0xEFFFFFFCU

int self_seccomp(void)
{
	return prctl(PR_GET_SECCOMP);
}

bool self_has_cap(unsigned int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &head, data) == 0 &&
	       data[cap / 32].effective & UINT32_C(1) << cap % 32;
}

bool self_in_user_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != INITIAL_USER_NS;
}

bool self_in_pid_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino != INITIAL_PID_NS;
}

bool self_in_foreign_netns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), owner;
	bool foreign;

	if (fd < 0)
		return false;
	owner = ioctl(fd, NS_GET_USERNS); /* 4.9 */
	foreign = owner < 0 && errno == EPERM;
	if (owner >= 0)
		(void)close(owner);
	(void)close(fd);
	return foreign;
}

int self_parent_of(int pid)
{
	char path[32] = "/proc/self/status", line[128];
	int parent = 0;
	FILE *f;

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (f)
		(void)fclose(f);
	return parent;
}
