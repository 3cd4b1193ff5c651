/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exporter: handlers in four workers that add to counters, and a thread that reads all that can be read, as a
 * scraper would. What handlers were given is what the library says it has delivered.
 *	exporter INTERFACE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embed.h"

static unsigned long long given, bytes_of_text;
static int done;

static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		(void)__atomic_add_fetch(&bytes_of_text,
					 strlen(events[i].json) + strlen(events[i].type) +
						 strlen(events[i].comm) +
						 strlen(events[i].container.id),
					 __ATOMIC_RELAXED);
	(void)__atomic_add_fetch(&given, n, __ATOMIC_RELAXED);
}

static int on_flow(const struct netprobe_flow *f, void *arg)
{
	*(size_t *)arg += strlen(f->comm) + strlen(f->state) + f->size;
	return 0;
}

static int on_interface(const struct netprobe_interface *i, void *arg)
{
	*(size_t *)arg += strlen(i->name) + i->rx->packets;
	return 0;
}

static int on_row(const struct netprobe_row *row, void *arg)
{
	*(size_t *)arg += strlen(row->group);
	return 0;
}

static void scrape(struct netprobe_manager *m)
{
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct netprobe_network_stats n = { .size = sizeof(n) };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_loss_stats l = { .size = sizeof(l) };
	struct netprobe_view_query q = { .size = sizeof(q) };
	struct netprobe_error err;
	size_t sum = 0;

	SAME(netprobe_manager_get_global_stats(m, &g, &err), 0);
	SAME(netprobe_manager_get_network_stats(m, &n, &err), 0);
	SAME(netprobe_manager_get_security_stats(m, &s, &err), 0);
	SAME(netprobe_manager_get_loss_stats(m, &l, &err), 0);
	TRUE(netprobe_manager_flows(m, on_flow, &sum, &err) >= 0);
	SAME(netprobe_manager_interfaces(m, on_interface, &sum, &err), 1);
	TRUE(netprobe_manager_view(m, &q, on_row, &sum, NULL, &err) >= 0);
	TRUE(sum > 0);
}

static void *scraper(void *m)
{
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		scrape(m);
		usleep(20000);
	}
	return NULL;
}

/* Something to see: connections to oneself. */
static void traffic(unsigned int n)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	char buf[1024] = { 0 };

	TRUE(!bind(l, (struct sockaddr *)&at, size) && !listen(l, 8));
	TRUE(!getsockname(l, (struct sockaddr *)&at, &size));
	for (unsigned int i = 0; i < n; i++) {
		int a = socket(AF_INET, SOCK_STREAM, 0), b;

		TRUE(!connect(a, (struct sockaddr *)&at, size));
		b = accept(l, NULL, NULL);
		SAME(write(a, buf, sizeof(buf)), sizeof(buf));
		SAME(read(b, buf, sizeof(buf)), sizeof(buf));
		(void)close(a);
		(void)close(b);
	}
	(void)close(l);
}

int main(int argc, char **argv)
{
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct netprobe_manager *m = NULL;
	struct netprobe_error err;
	struct netprobe_config c;
	pthread_t thread;

	TRUE(argc == 2);
	netprobe_config_default(&c);
	c.workers = 4;
	c.stats_report_interval = 50;
	c.batch_timeout = 10;
	SAME(netprobe_manager_new_with_config(&c, &m, &err), 0);
	SAME(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, on_events, NULL), 0);
	SAME(netprobe_manager_attach(m, argv[1], &err), 0);
	SAME(netprobe_manager_load(m, &err), 0);
	SAME(netprobe_manager_fd(m), -EBUSY);
	TRUE(!pthread_create(&thread, NULL, scraper, m));
	traffic(200);
	c.batch_size = 7;
	SAME(netprobe_manager_update_config(m, &c, &err), 0);
	traffic(100);
	TRUE(netprobe_manager_flush(m) >= 0);
	TRUE(netprobe_manager_poll(m, 100) >= 0);
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	TRUE(!pthread_join(thread, NULL));
	TRUE(netprobe_manager_finish(m) >= 0);
	SAME(netprobe_manager_poll(m, -1), -EALREADY);
	SAME(netprobe_manager_get_global_stats(m, &g, &err), 0);
	SAME(g.events_delivered, given);
	TRUE(given > 0 && bytes_of_text > 0);
	SAME(netprobe_manager_detach(m, argv[1], &err), 0);
	TRUE(!netprobe_manager_free(m));
	puts("ok");
	return 0;
}
