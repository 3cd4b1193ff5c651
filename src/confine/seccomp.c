/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call filter. It names what may not be called: the libraries in use grow with each
 * release, and an unknown harmless call must not end a capture.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "confine/internal.h"

#define REFUSE SCMP_ACT_ERRNO(EPERM)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const int never[] = {
	/* other programs */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(pidfd_getfd),
#ifndef __SANITIZE_ADDRESS__ /* the leak check at the end traces its own threads */
	SCMP_SYS(ptrace),
#endif
	/* the machine */
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(unshare),
	/* who it is */
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	/* files: what is written was opened before */
	SCMP_SYS(creat),
	SCMP_SYS(truncate),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(symlink),
	SCMP_SYS(symlinkat),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(chown),
	SCMP_SYS(fchown),
	SCMP_SYS(lchown),
	SCMP_SYS(fchownat),
	SCMP_SYS(setxattr),
	SCMP_SYS(lsetxattr),
	SCMP_SYS(fsetxattr),
	SCMP_SYS(openat2),
};

/* Only the ebpf rung goes on using these. */
static const int without_bpf[] = { SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setns) };

static int refuse_all(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(ctx, REFUSE, calls[i], 0);

		/* a call this architecture does not have */
		if (r && r != -EDOM)
			return r;
	}
	return 0;
}

/* Opening for anything but reading; open's flags are argument at. */
static int refuse_writing(scmp_filter_ctx ctx, int call, unsigned int at)
{
	int r = seccomp_rule_add(ctx, REFUSE, call, 1,
				 SCMP_CMP(at, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY));

	if (!r)
		r = seccomp_rule_add(ctx, REFUSE, call, 1,
				     SCMP_CMP(at, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR));
	if (!r)
		r = seccomp_rule_add(ctx, REFUSE, call, 1,
				     SCMP_CMP(at, SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT));
	return r == -EDOM ? 0 : r;
}

int seccomp_install_opener(void)
{
	static const int may[] = { SCMP_SYS(recvfrom),	  SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
				   SCMP_SYS(recv),	  SCMP_SYS(openat),  SCMP_SYS(open),
				   SCMP_SYS(close),	  SCMP_SYS(exit),    SCMP_SYS(exit_group),
				   SCMP_SYS(rt_sigreturn) };
	scmp_filter_ctx ctx = seccomp_init(REFUSE);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; i < COUNT_OF(may) && !r; i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, may[i], 0);
		if (r == -EDOM)
			r = 0; /* a call this architecture does not have */
	}
	if (!r)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return -r;
}

int seccomp_install(const struct confine_opts *opts)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r)
		r = refuse_all(ctx, never, COUNT_OF(never));
	if (!r && !opts->bpf)
		r = refuse_all(ctx, without_bpf, COUNT_OF(without_bpf));
	if (!r)
		r = refuse_writing(ctx, SCMP_SYS(openat), 2);
	if (!r)
		r = refuse_writing(ctx, SCMP_SYS(open), 1);
	if (!r)
		r = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(socket), 1,
				     SCMP_CMP(0, SCMP_CMP_EQ, AF_PACKET));
	if (!r)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return -r;
}
