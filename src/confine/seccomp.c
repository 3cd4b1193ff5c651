/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call filter. It refuses by name (calls.c has all) and by an error: the libraries in use grow with each
 * release, and a call of theirs must not end a capture.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/internal.h"

#define REFUSE SCMP_ACT_ERRNO(EPERM)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static int refuse_all(scmp_filter_ctx ctx, const struct confine_opts *opts)
{
	for (unsigned int i = 0; i < confine_n_calls; i++) {
		const struct confine_call *c = &confine_calls[i];
		int r = 0;

		if (c->what == CALL_NEVER || (c->what == CALL_BPF && !opts->bpf))
			r = seccomp_rule_add(ctx, REFUSE, c->nr, 0);
		/* a call this architecture does not have */
		if (r && r != -EDOM)
			return r;
	}
	return 0;
}

/* A call that no kernel had when this was written is not there: libraries then do as on an older one. */
static int refuse_later(void)
{
	int last = 0;

	for (unsigned int i = 0; i < confine_n_calls; i++)
		last = confine_calls[i].nr > last ? confine_calls[i].nr : last;

	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned int)last, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { .len = COUNT_OF(code), .filter = code };

	/* positive: a thread that could not be brought along */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog)
		       ? -EPERM
		       : 0;
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
		r = refuse_all(ctx, opts);
	if (!r)
		r = refuse_writing(ctx, SCMP_SYS(openat), 2);
	if (!r)
		r = refuse_writing(ctx, SCMP_SYS(open), 1);
	if (!r)
		r = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(socket), 1,
				     SCMP_CMP(0, SCMP_CMP_EQ, AF_PACKET));
	if (!r)
		r = refuse_later();
	if (!r)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return -r;
}
