/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon that bans: an event loop over the library's descriptor, one struct of errors for all calls, a table of what
 * it believes to be banned, kept by events. In the end that table, the list and the counters are one.
 *	ban_daemon INTERFACE
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "embed.h"

#define ROOM 512

static struct netprobe_error err = { -1, "stale words", "stale hint" };
static char table[ROOM][64];
static unsigned int n_table, n_lists, n_ends;

static int find(const char *cidr)
{
	for (unsigned int i = 0; i < n_table; i++)
		if (!strcmp(table[i], cidr))
			return (int)i;
	return -1;
}

static void on_ban(const struct netprobe_security *s)
{
	TRUE(s->source && s->ttl_s && n_table < ROOM);
	if (find(s->source) < 0)
		snprintf(table[n_table++], sizeof(table[0]), "%s", s->source);
}

static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		const struct netprobe_security *s = events[i].security;
		int at = s && s->source ? find(s->source) : -1;

		TRUE(s && events[i].json);
		if (!strcmp(events[i].type, "security.ban")) {
			on_ban(s);
		} else if (!strcmp(events[i].type, "security.unban")) {
			TRUE(at >= 0);
			memmove(table[at], table[--n_table], sizeof(table[0]));
			n_ends++;
		}
		n_lists += !strcmp(events[i].type, "security.list");
	}
}

/* Until nothing happens any more. */
static void run(struct netprobe_manager *m, unsigned int until)
{
	struct pollfd p = { netprobe_manager_fd(m), POLLIN, 0 };

	TRUE(p.fd >= 0);
	for (int i = 0; i < 600 && n_ends < until; i++) {
		(void)poll(&p, 1, 100);
		TRUE(netprobe_manager_poll(m, 0) >= 0);
	}
	SAME(n_ends, until);
}

static struct netprobe_ban entry(const char *cidr, uint32_t ttl_s)
{
	struct netprobe_ban b = { 0 };

	b.size = sizeof(b);
	b.cidr = cidr;
	b.ttl_s = ttl_s;
	return b;
}

static int is_ours(const struct netprobe_ban *b, void *arg)
{
	*(unsigned int *)arg += find(b->cidr) >= 0;
	return 0;
}

/* What ends at this moment is told a moment later. */
static void agree(struct netprobe_manager *m)
{
	struct netprobe_security_stats s = { .size = sizeof(s) };
	unsigned int ours = 0;
	int n = 0;

	for (int i = 0; i < 100; i++) {
		ours = 0;
		TRUE(netprobe_manager_flush(m) >= 0);
		n = netprobe_manager_banned(m, is_ours, &ours, &err);
		SAME(netprobe_manager_get_security_stats(m, &s, &err), 0);
		if (n == (int)n_table && ours == n_table && s.bans == n_table)
			return;
		(void)poll(NULL, 0, 50);
	}
	SAME(n, n_table);
	SAME(ours, n_table);
	SAME(s.bans, n_table);
}

static void refused(struct netprobe_manager *m)
{
	char reason[NETPROBE_REASON_MAX + 2];
	struct netprobe_ban b = entry("127.0.0.1", NETPROBE_NO_END);

	SAME(netprobe_manager_ban(m, &b, &err), -ECANCELED);
	TRUE(!strstr(err.hint, "--"));
	b.cidr = "192.0.2.1";
	b.ttl_s = 0;
	SAME(netprobe_manager_ban(m, &b, NULL), -EINVAL);
	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	b.ttl_s = 1;
	b.reason = reason;
	SAME(netprobe_manager_ban(m, &b, &err), -EINVAL);
	SAME(netprobe_manager_banned(m, NULL, NULL, &err), 0);
}

static void work(struct netprobe_manager *m)
{
	static char names[100][32];
	struct netprobe_ban list[100], one = entry("2001:db8::/32", NETPROBE_NO_END);

	refused(m);
	SAME(netprobe_manager_ban(m, &one, &err), 0);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof(names[i]), "198.51.100.%u", i);
		list[i] = entry(names[i], i < 10 ? 1 : 3600);
	}
	SAME(netprobe_manager_change_list(m, NULL, list, 100, &err), 100);
	agree(m);
	/* Before each ban a daemon asks whether there is one. */
	SAME(netprobe_manager_lookup(m, "198.51.100.50", NULL, NULL, &err), 1);
	SAME(netprobe_manager_lookup(m, "2001:db8::1", NULL, NULL, &err), 1);
	SAME(netprobe_manager_lookup(m, "203.0.113.1", NULL, NULL, &err), 0);
	run(m, 10);
	SAME(netprobe_manager_remove_list(m, NETPROBE_LIST_BANS, list + 10, 40, &err), 40);
	SAME(netprobe_manager_unban(m, "2001:db8::/32", &err), 0);
	SAME(netprobe_manager_unban(m, "2001:db8::/32", &err), -ENOENT);
	SAME(netprobe_manager_lift(m, "0.0.0.0/0", &err), -ENOENT);
	run(m, 51);
	agree(m);
	SAME(n_table, 50);
	SAME(n_lists, 0);
}

int main(int argc, char **argv)
{
	struct netprobe_manager *m = NULL;
	struct netprobe_config c;

	TRUE(argc == 2);
	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_NONE;
	c.batch_timeout = 20;
	SAME(netprobe_manager_new_with_config(&c, &m, &err), 0);
	SAME(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, on_events, NULL), 0);
	SAME(netprobe_manager_attach(m, argv[1], &err), 0);
	/* Of a loopback device no driver takes XDP. */
	SAME(err.code, NETPROBE_NOTE);
	TRUE(err.msg[0]);
	work(m);
	SAME(netprobe_manager_detach(m, argv[1], &err), 0);
	TRUE(!netprobe_manager_free(m));
	puts("ok");
	return 0;
}
