/* SPDX-License-Identifier: BSD-2-Clause */
/* Netlink messages of others than the kernel are nobody's answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/netlink.h"

/* Exit code: 0 right, 77 nobody may send here, else the line. */
static int child(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr forged = { .nlmsg_len = sizeof(forged), .nlmsg_type = NLMSG_DONE };
	struct {
		struct nlmsghdr h;
		struct rtgenmsg gen;
	} q = { .h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char buf[32768] __attribute__((aligned(8)));
	socklen_t len = sizeof(to);
	int ours, theirs;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 77;
	ours = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	theirs = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (bind(ours, (struct sockaddr *)&to, len) ||
	    getsockname(ours, (struct sockaddr *)&to, &len))
		return __LINE__;
	if (sendto(theirs, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 77;
	if (netlink_recv(ours, buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		return __LINE__;
	if (sendto(theirs, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(ours, &q, sizeof(q), 0) < 0)
		return __LINE__;
	if (netlink_recv(ours, buf, sizeof(buf), 0) <= (ssize_t)sizeof(forged) ||
	    ((struct nlmsghdr *)(void *)buf)->nlmsg_type != RTM_NEWLINK)
		return __LINE__;
	return 0;
}

static void as_root_messages_of_others_are_not_received(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(child() & 127);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		as_root_messages_of_others_are_not_received) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
