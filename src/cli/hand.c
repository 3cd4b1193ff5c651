/* SPDX-License-Identifier: BSD-2-Clause */
/* See hand.h. Where settings are kept is keep.c's. */
#include "cli/hand.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "cli/keep.h"

#define ANSWER_MS 2000	 /* of the kernel */
#define REUSE_LOOKS 4096 /* enough for groups of some hundred sockets */
#define READ_SETTINGS UINT32_MAX

struct answer {
	int32_t r;
	char text[TUI_TEXT_MAX];
};

/* Of field 22, in ticks; the name before it may hold anything. 0: it cannot be read. */
static uint64_t start_of(uint32_t pid)
{
	char path[32], text[1024], *p;
	int fd, field = 2;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	p = strrchr(text, ')');
	while (p && field++ < 22) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

/* The descriptor is of one process; what its number's start is now is that one's. */
static int send_signal(const struct tui_act *a)
{
	long hz = sysconf(_SC_CLK_TCK);
	int fd, r;

	if (!a->pid || !a->start_ns || a->sig < 1 || a->sig > 64)
		return -EINVAL;
	fd = (int)syscall(SYS_pidfd_open, a->pid, 0);
	if (fd < 0)
		return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: a thread has the number */
	if (start_of(a->pid) != a->start_ns / (1000000000ULL / (uint64_t)(hz > 0 ? hz : 100)))
		r = -ESRCH;
	else
		r = syscall(SYS_pidfd_send_signal, fd, a->sig, NULL, 0) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

static int open_netns(const char *path, uint32_t *ret_ino)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		(void)close(fd);
		return -errno;
	}
	*ret_ino = (uint32_t)st.st_ino;
	return fd;
}

/* Into the namespace that the socket is in, by its owner. *ret_back: the way back; -1: not moved. */
static int enter_netns(const struct tui_act *a, int *ret_back)
{
	char path[32];
	uint32_t ino = 0;
	int own, fd, r;

	*ret_back = -1;
	own = open_netns("/proc/self/ns/net", &ino);
	if (own < 0)
		return own;
	if (!a->netns || ino == a->netns) {
		(void)close(own);
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/proc/%u/ns/net", a->pid);
	fd = a->pid ? open_netns(path, &ino) : -ESRCH;
	r = fd < 0 ? fd : ino != a->netns ? -ESRCH : setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	if (fd >= 0)
		(void)close(fd);
	if (r)
		(void)close(own);
	else
		*ret_back = own;
	return r;
}

struct request {
	struct nlmsghdr h;
	struct inet_diag_req_v2 req;
};

static struct request request_of(const struct tui_act *a, uint16_t type, uint16_t flags,
				 uint8_t family)
{
	return (struct request){
		.h = { .nlmsg_len = sizeof(struct request),
		       .nlmsg_type = type,
		       .nlmsg_flags = NLM_F_REQUEST | flags,
		       .nlmsg_seq = 1 },
		.req = { .sdiag_family = family,
			 .sdiag_protocol = a->proto,
			 .idiag_states = ~0U,
			 .id = { .idiag_sport = htons(a->lport),
				 .idiag_dport = htons(a->rport),
				 .idiag_cookie = { (uint32_t)a->sock,
						   (uint32_t)(a->sock >> 32) } } }
	};
}

/* By what its address is, and its cookie: another one that has the address by now is left alone. */
static int destroy(int fd, const struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} got;
	ssize_t n;

	if (send(fd, q, sizeof(*q), 0) < 0)
		return -errno;
	n = recv(fd, &got, sizeof(got), 0);
	if (n < (ssize_t)(sizeof(got.h) + sizeof(got.e)) || got.h.nlmsg_type != NLMSG_ERROR)
		return n < 0 ? -errno : -EPROTO;
	return got.e.error;
}

/* One datagram of a listing. 1: it has the socket, whose id is in ret; 0: go on; else the end. */
static int look(const char *buf, size_t n, const struct tui_act *a, struct inet_diag_sockid *ret)
{
	const struct nlmsghdr *h = (const void *)buf;
	int r = 0;

	for (; NLMSG_OK(h, n) && !r; h = NLMSG_NEXT(h, n)) {
		const struct inet_diag_msg *m = NLMSG_DATA(h);
		const struct nlmsgerr *e = NLMSG_DATA(h);

		if (h->nlmsg_type == NLMSG_DONE)
			return -ENOENT;
		if (h->nlmsg_type == NLMSG_ERROR)
			return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) && e->error ? e->error
										    : -EPROTO;
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
		    m->id.idiag_cookie[0] != (uint32_t)a->sock ||
		    m->id.idiag_cookie[1] != (uint32_t)(a->sock >> 32))
			continue;
		*ret = m->id;
		r = 1;
	}
	return r;
}

/*
 * By its ports and its cookie. What is bound to an interface the kernel finds by that alone, and it tells which: the
 * interface of a route need not be that one (VRF).
 */
static int find(const struct tui_act *a, uint8_t family, struct inet_diag_sockid *ret)
{
	struct request q = request_of(a, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family);
	struct timeval wait = { .tv_sec = ANSWER_MS / 1000 };
	static _Alignas(struct nlmsghdr) char buf[32768];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), r = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    send(fd, &q, sizeof(q), 0) < 0)
		r = -errno;
	while (!r) {
		n = recv(fd, buf, sizeof(buf), 0);
		r = n < 0 ? -errno : look(buf, (size_t)n, a, ret);
	}
	(void)close(fd);
	return r < 0 ? r : 0;
}

/*
 * It is there, and the kernel finds another one by its address: several listen there (SO_REUSEPORT), of which it picks
 * one by the address of who asks to be let in. With other ports of that one it picks others, until it is the one.
 */
static int close_one_of(int fd, struct request *q)
{
	int r = -ESTALE;

	if (q->req.id.idiag_dport)
		return -ESRCH;
	for (unsigned int port = 1; port < REUSE_LOOKS && (r == -ENOENT || r == -ESTALE); port++) {
		q->req.id.idiag_dport = htons((uint16_t)port);
		r = destroy(fd, q);
	}
	return r == -ENOENT || r == -ESTALE ? -EBUSY : r;
}

static int close_one(int fd, const struct tui_act *a, uint8_t family)
{
	struct request q = request_of(a, SOCK_DESTROY, NLM_F_ACK, family);
	size_t skip = family == AF_INET ? 12 : 0;
	int r;

	memcpy(q.req.id.idiag_src, a->laddr + skip, 16 - skip);
	memcpy(q.req.id.idiag_dst, a->raddr + skip, 16 - skip);
	r = destroy(fd, &q);
	if (r != -ENOENT && r != -ESTALE)
		return r;
	r = find(a, family, &q.req.id);
	r = r ?: destroy(fd, &q);
	return r == -ENOENT || r == -ESTALE ? (find(a, family, &q.req.id) ?: close_one_of(fd, &q))
					    : r;
}

/* By its cookie: an address that another socket has by now does not do. */
static int close_socket(const struct tui_act *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, any[16];
	bool v4 = !memcmp(a->laddr, mapped, 12), is_any = !memcmp(a->laddr, any, 16);
	struct timeval wait = { .tv_sec = ANSWER_MS / 1000 };
	int back, fd, r;

	if (!a->sock)
		return -EOPNOTSUPP;
	r = enter_netns(a, &back);
	if (r)
		return r;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	r = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? -errno : 0;
	if (!r)
		r = close_one(fd, a, v4 ? AF_INET : AF_INET6);
	/* one of IPv6 that speaks IPv4; one that listens at no address, which is the same in both */
	if (r == -ENOENT && (v4 || is_any))
		r = close_one(fd, a, v4 ? AF_INET6 : AF_INET);
	if (fd >= 0)
		(void)close(fd);
	if (back >= 0) {
		if (setns(back, CLONE_NEWNET) < 0)
			_exit(1);
		(void)close(back);
	}
	return r == -ENOENT || r == -ESTALE ? -ESRCH : r;
}

/* File capabilities are the program's, not the person's. */
static bool be_the_person(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	uid_t uid = getuid();
	gid_t gid = getgid();

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0 && uid != 0 && setgroups(0, NULL) < 0)
		return false;
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return false;
	return uid == 0 || !syscall(SYS_capset, &head, none);
}

static _Noreturn void serve(int fd)
{
	struct answer to;
	struct tui_act a;
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)prctl(PR_SET_NAME, "netprobe-hand");
	if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) || close_range(0, 2, 0) || !be_the_person())
		_exit(1);
	while (recv(3, &a, sizeof(a), 0) == sizeof(a)) {
		memset(&to, 0, sizeof(to));
		a.text[sizeof(a.text) - 1] = '\0';
		to.r = a.what == TUI_ACT_SIGNAL	 ? send_signal(&a)
		       : a.what == TUI_ACT_CLOSE ? close_socket(&a)
		       : a.what == TUI_ACT_KEEP	 ? keep_write(a.text)
		       : a.what == READ_SETTINGS ? keep_read(to.text, sizeof(to.text))
						 : -EINVAL;
		if (send(3, &to, sizeof(to), MSG_NOSIGNAL) != sizeof(to))
			break;
	}
	_exit(0);
}

/* A home on a server that is gone must not stop the view. */
#define WAIT_S 5

static bool lost; /* it owes an answer, which would be taken for that of the next question */

int hand_start(void)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		serve(fds[1]);
	(void)close(fds[1]);
	if (pid > 0) {
		(void)setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		return fds[0];
	}
	(void)close(fds[0]);
	return -EAGAIN;
}

static int ask(int hand, const struct tui_act *act, struct answer *ret)
{
	ssize_t n;

	if (hand < 0)
		return -EOPNOTSUPP;
	if (lost)
		return -ETIMEDOUT;
	if (send(hand, act, sizeof(*act), MSG_NOSIGNAL) != sizeof(*act))
		return -errno;
	do
		n = recv(hand, ret, sizeof(*ret), 0);
	while (n < 0 && errno == EINTR);
	lost = n < 0 && errno == EAGAIN;
	if (lost)
		return -ETIMEDOUT;
	return n == sizeof(*ret) ? ret->r : -ECONNRESET;
}

int hand_ask(int hand, const struct tui_act *act)
{
	struct answer to;

	return ask(hand, act, &to);
}

int hand_settings(int hand, char *text, size_t size)
{
	static const struct tui_act a = { .what = READ_SETTINGS };
	struct answer to = { 0 };
	int r = ask(hand, &a, &to);

	to.text[sizeof(to.text) - 1] = '\0';
	(void)snprintf(text, size, "%s", r ? "" : to.text);
	return r;
}
