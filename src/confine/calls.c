/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every system call of Linux 6.18 and the next (x86-64 and the newer architectures), and what becomes of it in a running
 * command. A call that is not here is one of a later kernel.
 */
#include <seccomp.h>

#include "confine/internal.h"

/* Later than libseccomp 2.5, which has some of them as numbers of nothing: since 424 a call has the same number on all architectures. */
#undef __SNR_cachestat
#define __SNR_cachestat 451
#undef __SNR_fchmodat2
#define __SNR_fchmodat2 452
#undef __SNR_map_shadow_stack
#define __SNR_map_shadow_stack 453
#undef __SNR_futex_wake
#define __SNR_futex_wake 454
#undef __SNR_futex_wait
#define __SNR_futex_wait 455
#undef __SNR_futex_requeue
#define __SNR_futex_requeue 456
#undef __SNR_statmount
#define __SNR_statmount 457
#undef __SNR_listmount
#define __SNR_listmount 458
#undef __SNR_lsm_get_self_attr
#define __SNR_lsm_get_self_attr 459
#undef __SNR_lsm_set_self_attr
#define __SNR_lsm_set_self_attr 460
#undef __SNR_lsm_list_modules
#define __SNR_lsm_list_modules 461
#undef __SNR_mseal
#define __SNR_mseal 462
#undef __SNR_setxattrat
#define __SNR_setxattrat 463
#undef __SNR_getxattrat
#define __SNR_getxattrat 464
#undef __SNR_listxattrat
#define __SNR_listxattrat 465
#undef __SNR_removexattrat
#define __SNR_removexattrat 466
#undef __SNR_open_tree_attr
#define __SNR_open_tree_attr 467
#undef __SNR_file_getattr
#define __SNR_file_getattr 468
#undef __SNR_file_setattr
#define __SNR_file_setattr 469
#undef __SNR_listns
#define __SNR_listns 470
#if defined(__x86_64__) && !defined(__SNR_uretprobe)
#define __SNR_uretprobe 335 /* made by the kernel in a process that is probed */
#define __SNR_uprobe 336
#endif

/* clang-format off */
#define NEVER(name) { #name, __SNR_##name, CALL_NEVER }
#define BPF(name) { #name, __SNR_##name, CALL_BPF }
#define PARTLY(name) { #name, __SNR_##name, CALL_PARTLY }
#define MAY(name) { #name, __SNR_##name, CALL_MAY }

const struct confine_call confine_calls[] = {
	/* other programs, and their memory */
	NEVER(execve), NEVER(execveat), NEVER(uselib), NEVER(process_vm_readv), NEVER(process_vm_writev),
	NEVER(process_madvise), NEVER(process_mrelease), NEVER(move_pages), NEVER(migrate_pages), NEVER(kcmp),
	NEVER(userfaultfd), NEVER(pidfd_getfd),
	/* the machine */
	NEVER(mount), NEVER(umount2), NEVER(pivot_root), NEVER(chroot), NEVER(move_mount), NEVER(open_tree),
	NEVER(open_tree_attr), NEVER(fsopen), NEVER(fsconfig), NEVER(fsmount), NEVER(fspick), NEVER(mount_setattr),
	NEVER(init_module), NEVER(finit_module), NEVER(delete_module), NEVER(create_module), NEVER(query_module),
	NEVER(get_kernel_syms), NEVER(kexec_load), NEVER(kexec_file_load), NEVER(reboot), NEVER(swapon),
	NEVER(swapoff), NEVER(sethostname), NEVER(setdomainname), NEVER(settimeofday), NEVER(clock_settime),
	NEVER(clock_adjtime), NEVER(adjtimex), NEVER(acct), NEVER(quotactl), NEVER(quotactl_fd),
	NEVER(open_by_handle_at), NEVER(add_key), NEVER(request_key), NEVER(keyctl), NEVER(unshare), NEVER(syslog),
	NEVER(vhangup), NEVER(iopl), NEVER(ioperm), NEVER(modify_ldt), NEVER(nfsservctl), NEVER(_sysctl),
	NEVER(sysfs), NEVER(ustat), NEVER(lookup_dcookie), NEVER(fanotify_init), NEVER(fanotify_mark),
	NEVER(personality), NEVER(lsm_set_self_attr),
	/* ways around this filter, and into much code of the kernel */
	NEVER(io_uring_setup), NEVER(io_uring_enter), NEVER(io_uring_register), NEVER(io_setup), NEVER(io_destroy),
	NEVER(io_getevents), NEVER(io_pgetevents), NEVER(io_submit), NEVER(io_cancel), NEVER(memfd_secret),
	/* who it is */
	NEVER(setuid), NEVER(setgid), NEVER(setreuid), NEVER(setregid), NEVER(setresuid), NEVER(setresgid),
	NEVER(setgroups), NEVER(setfsuid), NEVER(setfsgid),
	/* files: what is written was opened before */
	NEVER(creat), NEVER(truncate), NEVER(rename), NEVER(renameat), NEVER(renameat2), NEVER(link), NEVER(linkat),
	NEVER(symlink), NEVER(symlinkat), NEVER(mknod), NEVER(mknodat), NEVER(mkdir), NEVER(mkdirat), NEVER(rmdir),
	NEVER(chmod), NEVER(fchmod), NEVER(fchmodat), NEVER(fchmodat2), NEVER(chown), NEVER(fchown), NEVER(lchown),
	NEVER(fchownat), NEVER(setxattr), NEVER(lsetxattr), NEVER(fsetxattr), NEVER(setxattrat), NEVER(removexattr),
	NEVER(lremovexattr), NEVER(fremovexattr), NEVER(removexattrat), NEVER(utime), NEVER(utimes), NEVER(utimensat),
	NEVER(futimesat), NEVER(file_setattr), NEVER(openat2),
	/* queues and memory that others can find by a name */
	NEVER(mq_open), NEVER(mq_unlink), NEVER(mq_timedsend), NEVER(mq_timedreceive), NEVER(mq_notify),
	NEVER(mq_getsetattr), NEVER(msgget), NEVER(msgsnd), NEVER(msgrcv), NEVER(msgctl), NEVER(semget), NEVER(semop),
	NEVER(semtimedop), NEVER(semctl), NEVER(shmget), NEVER(shmat), NEVER(shmdt), NEVER(shmctl),
	/* numbers without a call behind them */
	NEVER(getpmsg), NEVER(putpmsg), NEVER(afs_syscall), NEVER(tuxcall), NEVER(security), NEVER(vserver),
	NEVER(epoll_ctl_old), NEVER(epoll_wait_old), NEVER(set_thread_area), NEVER(get_thread_area),
#ifdef __SANITIZE_ADDRESS__ /* the leak check at the end traces its own threads */
	MAY(ptrace),
#else
	NEVER(ptrace),
#endif
	/* only the ebpf rung goes on using these */
	BPF(bpf), BPF(perf_event_open), BPF(setns),
	/* by their arguments */
	PARTLY(open), PARTLY(openat), PARTLY(socket),
	/* all others */
	MAY(accept), MAY(accept4), MAY(access), MAY(alarm), MAY(arch_prctl), MAY(bind), MAY(brk), MAY(cachestat),
	MAY(capget), MAY(capset), MAY(chdir), MAY(clock_getres), MAY(clock_gettime), MAY(clock_nanosleep), MAY(clone),
	MAY(clone3), MAY(close), MAY(close_range), MAY(connect), MAY(copy_file_range), MAY(dup), MAY(dup2), MAY(dup3),
	MAY(epoll_create), MAY(epoll_create1), MAY(epoll_ctl), MAY(epoll_pwait), MAY(epoll_pwait2), MAY(epoll_wait),
	MAY(eventfd), MAY(eventfd2), MAY(exit), MAY(exit_group), MAY(faccessat), MAY(faccessat2), MAY(fadvise64),
	MAY(fallocate), MAY(fchdir), MAY(fcntl), MAY(fdatasync), MAY(fgetxattr), MAY(file_getattr), MAY(flistxattr),
	MAY(flock), MAY(fork), MAY(fstat), MAY(fstatfs), MAY(fsync), MAY(ftruncate), MAY(futex), MAY(futex_requeue),
	MAY(futex_wait), MAY(futex_waitv), MAY(futex_wake), MAY(get_mempolicy), MAY(get_robust_list), MAY(getcpu),
	MAY(getcwd), MAY(getdents), MAY(getdents64), MAY(getegid), MAY(geteuid), MAY(getgid), MAY(getgroups),
	MAY(getitimer), MAY(getpeername), MAY(getpgid), MAY(getpgrp), MAY(getpid), MAY(getppid), MAY(getpriority),
	MAY(getrandom), MAY(getresgid), MAY(getresuid), MAY(getrlimit), MAY(getrusage), MAY(getsid), MAY(getsockname),
	MAY(getsockopt), MAY(gettid), MAY(gettimeofday), MAY(getuid), MAY(getxattr), MAY(getxattrat),
	MAY(inotify_add_watch), MAY(inotify_init), MAY(inotify_init1), MAY(inotify_rm_watch), MAY(ioctl),
	MAY(ioprio_get), MAY(ioprio_set), MAY(kill), MAY(landlock_add_rule), MAY(landlock_create_ruleset),
	MAY(landlock_restrict_self), MAY(lgetxattr), MAY(listen), MAY(listmount), MAY(listns), MAY(listxattr),
	MAY(listxattrat), MAY(llistxattr), MAY(lseek), MAY(lsm_get_self_attr), MAY(lsm_list_modules), MAY(lstat),
	MAY(madvise), MAY(map_shadow_stack), MAY(mbind), MAY(membarrier), MAY(memfd_create), MAY(mincore), MAY(mlock),
	MAY(mlock2), MAY(mlockall), MAY(mmap), MAY(mprotect), MAY(mremap), MAY(mseal), MAY(msync), MAY(munlock),
	MAY(munlockall), MAY(munmap), MAY(name_to_handle_at), MAY(nanosleep), MAY(newfstatat), MAY(pause),
	MAY(pidfd_open), MAY(pidfd_send_signal), MAY(pipe), MAY(pipe2), MAY(pkey_alloc), MAY(pkey_free),
	MAY(pkey_mprotect), MAY(poll), MAY(ppoll), MAY(prctl), MAY(pread64), MAY(preadv), MAY(preadv2),
	MAY(prlimit64), MAY(pselect6), MAY(pwrite64), MAY(pwritev), MAY(pwritev2), MAY(read), MAY(readahead),
	MAY(readlink), MAY(readlinkat), MAY(readv), MAY(recvfrom), MAY(recvmmsg), MAY(recvmsg), MAY(remap_file_pages),
	MAY(restart_syscall), MAY(rseq), MAY(rt_sigaction), MAY(rt_sigpending), MAY(rt_sigprocmask),
	MAY(rt_sigqueueinfo), MAY(rt_sigreturn), MAY(rt_sigsuspend), MAY(rt_sigtimedwait), MAY(rt_tgsigqueueinfo),
	MAY(sched_get_priority_max), MAY(sched_get_priority_min), MAY(sched_getaffinity), MAY(sched_getattr),
	MAY(sched_getparam), MAY(sched_getscheduler), MAY(sched_rr_get_interval), MAY(sched_setaffinity),
	MAY(sched_setattr), MAY(sched_setparam), MAY(sched_setscheduler), MAY(sched_yield), MAY(seccomp), MAY(select),
	MAY(sendfile), MAY(sendmmsg), MAY(sendmsg), MAY(sendto), MAY(set_mempolicy), MAY(set_mempolicy_home_node),
	MAY(set_robust_list), MAY(set_tid_address), MAY(setitimer), MAY(setpgid), MAY(setpriority), MAY(setrlimit),
	MAY(setsid), MAY(setsockopt), MAY(shutdown), MAY(sigaltstack), MAY(signalfd), MAY(signalfd4), MAY(socketpair),
	MAY(splice), MAY(stat), MAY(statfs), MAY(statmount), MAY(statx), MAY(sync), MAY(sync_file_range),
	MAY(sync_file_range2), MAY(syncfs), MAY(sysinfo), MAY(tee), MAY(tgkill), MAY(time), MAY(timer_create),
	MAY(timer_delete), MAY(timer_getoverrun), MAY(timer_gettime), MAY(timer_settime), MAY(timerfd_create),
	MAY(timerfd_gettime), MAY(timerfd_settime), MAY(times), MAY(tkill), MAY(umask), MAY(uname), MAY(unlink),
	MAY(unlinkat), MAY(vfork), MAY(vmsplice), MAY(wait4), MAY(waitid), MAY(write), MAY(writev),
#ifdef __SNR_uretprobe
	MAY(uretprobe), MAY(uprobe),
#endif
};
/* clang-format on */

const unsigned int confine_n_calls = sizeof(confine_calls) / sizeof(confine_calls[0]);
