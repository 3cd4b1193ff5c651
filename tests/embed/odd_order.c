/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A consumer that does things in no good order: each is an error or works, none hangs, crashes or leaks.
 *	odd_order INTERFACE
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "embed.h"

static struct netprobe_manager *new_one(uint32_t capture, uint32_t workers)
{
	struct netprobe_manager *m = NULL;
	struct netprobe_config c;

	netprobe_config_default(&c);
	c.capture = capture;
	c.workers = workers;
	c.batch_timeout = 0;
	SAME(netprobe_manager_new_with_config(&c, &m, NULL), 0);
	return m;
}

static void *poll_on(void *m)
{
	int r;

	while ((r = netprobe_manager_poll(m, -1)) >= 0)
		;
	SAME(r, -EBADF);
	return NULL;
}

static void freed_in_another_thread(void)
{
	struct netprobe_manager *m = new_one(NETPROBE_CAPTURE_PROC, 0);
	pthread_t threads[3];

	SAME(netprobe_manager_load(m, NULL), 0);
	for (int i = 0; i < 3; i++)
		TRUE(!pthread_create(&threads[i], NULL, poll_on, m));
	usleep(50000);
	TRUE(!netprobe_manager_free(m));
	for (int i = 0; i < 3; i++)
		TRUE(!pthread_join(threads[i], NULL));
	SAME(netprobe_manager_poll(m, 0), -EBADF);
	TRUE(!netprobe_manager_free(m));
}

struct both {
	struct netprobe_manager *a, *b;
	unsigned int calls;
};

static int within(const struct netprobe_ban *ban, void *arg)
{
	struct both *x = arg;

	TRUE(ban->cidr && ban->ttl_s);
	SAME(netprobe_manager_unban(x->a, ban->cidr, NULL), -EDEADLK);
	SAME(netprobe_manager_lookup(x->b, ban->cidr, NULL, NULL, NULL), -EDEADLK);
	SAME(netprobe_manager_flush(x->b), -EDEADLK);
	SAME(netprobe_manager_finish(x->a), -EDEADLK);
	SAME(netprobe_manager_set_event_handler(x->b, NETPROBE_EVENT_ALL, NULL, NULL), -EDEADLK);
	TRUE(netprobe_manager_free(x->a) == x->a);
	x->calls++;
	return 0;
}

/* Of a's event: b is asked, then freed; a takes its handler off and cannot be freed. */
static void on_event(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct both *x = arg;

	TRUE(n && ev->security);
	x->calls++;
	SAME(netprobe_manager_poll(x->a, 0), -EBUSY);
	SAME(netprobe_manager_flush(x->a), -EBUSY);
	TRUE(netprobe_manager_free(x->a) == x->a);
	TRUE(netprobe_manager_banned(x->b, NULL, NULL, NULL) >= 0);
	TRUE(!netprobe_manager_free(x->b));
	SAME(netprobe_manager_banned(x->b, NULL, NULL, NULL), -EBADF);
	SAME(netprobe_manager_set_event_handler(x->a, NETPROBE_EVENT_ALL, NULL, NULL), 0);
}

static void crossed(const char *ifname)
{
	struct both x = { new_one(NETPROBE_CAPTURE_NONE, 0), new_one(NETPROBE_CAPTURE_NONE, 0), 0 };
	struct netprobe_ban ban = { .size = sizeof(ban), .cidr = "192.0.2.1", .ttl_s = 60 };

	SAME(netprobe_manager_ban(x.a, &ban, NULL), -ENOENT);
	SAME(netprobe_manager_set_event_handler(x.a, NETPROBE_EVENT_SECURITY, on_event, &x), 0);
	SAME(netprobe_manager_attach(x.a, ifname, NULL), 0);
	SAME(netprobe_manager_ban(x.b, &ban, NULL), 0);
	SAME(netprobe_manager_banned(x.b, within, &x, NULL), 1);
	SAME(x.calls, 1);
	for (int i = 0; i < 100 && x.calls < 2; i++)
		TRUE(netprobe_manager_poll(x.a, 50) >= 0);
	SAME(x.calls, 2);
	SAME(netprobe_manager_detach(x.a, ifname, NULL), 0);
	TRUE(!netprobe_manager_free(x.a));
}

static void on_any(const struct netprobe_event *ev, size_t n, void *arg)
{
	(void)ev;
	(void)n;
	(void)arg;
}

static void before_load(uint32_t workers)
{
	struct netprobe_manager *m = new_one(NETPROBE_CAPTURE_PROC, workers);
	struct netprobe_config c = { .size = sizeof(c) };

	TRUE(netprobe_manager_poll(m, 0) >= 0);
	TRUE(netprobe_manager_flush(m) >= 0);
	SAME(netprobe_manager_finish(m), -ENODEV);
	SAME(netprobe_manager_flows(m, NULL, NULL, NULL), -ENODEV);
	SAME(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, on_any, NULL), 0);
	SAME(netprobe_manager_get_config(m, &c), 0);
	SAME(netprobe_manager_load(m, NULL), 0);
	SAME(netprobe_manager_load(m, NULL), -EALREADY);
	c.capture = NETPROBE_CAPTURE_NONE;
	SAME(netprobe_manager_update_config(m, &c, NULL), -EBUSY);
	TRUE(netprobe_manager_finish(m) >= 0);
	SAME(netprobe_manager_finish(m), -EALREADY);
	SAME(netprobe_manager_load(m, NULL), -EALREADY);
	SAME(netprobe_manager_poll(m, -1), -EALREADY);
	TRUE(netprobe_manager_flush(m) >= 0);
	TRUE(!netprobe_manager_free(m));
}

int main(int argc, char **argv)
{
	TRUE(argc == 2);
	TRUE(!netprobe_manager_free(NULL));
	SAME(netprobe_manager_poll(NULL, 0), -EINVAL);
	TRUE(!netprobe_manager_free(new_one(NETPROBE_CAPTURE_AUTO, 16)));
	before_load(0);
	before_load(3);
	freed_in_another_thread();
	crossed(argv[1]);
	/* Alive at the end, its threads too. */
	SAME(netprobe_manager_load(new_one(NETPROBE_CAPTURE_NONE, 2), NULL), 0);
	puts("ok");
	return 0;
}
