/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --match is evaluated twice: what the kernel half can tell it leaves out, all else is looked at in user space. Random
 * expressions give the same rows and events as a capture of everything that is looked at afterwards, and what is left
 * out does not reach user space.
 */
#include <inttypes.h>
#include <netprobe/netprobe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "maker.h"
#include "ownership.h"
#include "tap.h"

#define EXPRESSIONS 4
#define TEXT 400
#define KEYS 4000

static const char *const makers[] = {
	"stream --bytes 50000 --reply 3000 --port 5001 --addr 10.77.0.2",
	"stream --bytes 7000 --reply 30 --port 5002 --addr 127.0.0.1 --comm alice",
	"stream --bytes 90000 --reply 1 --port 5003 --addr fd77::2",
	"dgram --count 50 --reply 70 --port 5001 --addr 10.77.0.2",
	"dgram --send send --count 20 --port 5004 --addr 127.0.0.1",
	"stream --bytes 600 --port 5005 --listen :: --addr 127.0.0.1",
};

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand() % n;
}

/* Half of these the kernel knows. */
static void put_term(char *to, size_t size)
{
	static const char *const ends[] = { "port", "lport", "rport", "src-port", "dst-port" };
	static const char *const hosts[] = { "addr", "laddr", "raddr", "src-host", "dst-host" };
	static const char *const nets[] = { "10.77.0.0/16", "10.77.0.2", "127.0.0.1,fd77::/64",
					    "::/0",	    "fd77::2",	 "0.0.0.0/0" };
	static const char *const others[] = { "transport=tcp",	"proto:udp",   "family=ipv6",
					      "family!=ipv4",	"comm:ali",    "tx_bytes>1000",
					      "port>5002",	"raddr!=null", "transport=mptcp",
					      "comm~^(str|dg)", "127.0" };
	unsigned int port = 5000 + pick(7);

	switch (pick(4)) {
	case 0:
		snprintf(to, size, "%s=%u", ends[pick(5)], port);
		break;
	case 1:
		snprintf(to, size, "%s:%u-%u,%u", ends[pick(5)], port, port + pick(3),
			 5000 + pick(7));
		break;
	case 2:
		snprintf(to, size, "%s=%s", hosts[pick(5)], nets[pick(6)]);
		break;
	default:
		snprintf(to, size, "%s", others[pick(11)]);
	}
}

/* The first is a conjunction always: there is something to leave out. */
static void make_expression(char text[TEXT], bool plain)
{
	char one[TEXT / 8];
	size_t n = 0;

	for (unsigned int i = 0, terms = 1 + pick(3); i < terms; i++) {
		const char *join = !i ? "" : plain || pick(3) ? " and " : " or ";

		put_term(one, sizeof(one));
		n += (size_t)snprintf(text + n, TEXT - n,
				      !plain && !pick(4) ? "%snot (%s)" : "%s%s", join, one);
	}
}

static bool holds(struct netprobe_expr *x, const json_t *record)
{
	char *line = json_dumps(record, JSON_COMPACT);
	struct netprobe_event ev = { .size = sizeof(ev), .json = line };
	bool yes = netprobe_expr_event(x, &ev) == 1;

	free(line);
	return yes;
}

/* What two captures at the same time see alike: no times, no intervals. */
static bool put_key(char *key, size_t size, const json_t *r, const struct netns_pair *n)
{
	const char *type = record_str(r, "event_type");
	uint64_t netns = record_u64(r, "netns");

	if ((netns != n->a.inode && netns != n->b.inode) || !strcmp(type, "transport.bw") ||
	    !strcmp(type, "transport.drop") || !strcmp(type, "error.net"))
		return false;
	snprintf(key, size,
		 "%s %s %s:%" PRIu64 " %s:%" PRIu64 " pid %" PRIu64 " %s tx %" PRIu64 " rx %" PRIu64
		 "%s",
		 type, record_str(r, "transport"), record_str(r, "laddr"), record_u64(r, "lport"),
		 record_str(r, "raddr"), record_u64(r, "rport"), record_u64(r, "pid"),
		 record_str(r, "comm"), record_u64(r, "tx_bytes"), record_u64(r, "rx_bytes"),
		 json_is_true(json_object_get(r, "closed")) ? " closed" : "");
	return true;
}

struct keys {
	char *list[KEYS];
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_keys(struct keys *k, const json_t *records, struct netprobe_expr *x,
		      const struct netns_pair *n)
{
	const json_t *r;
	char key[512];
	size_t i;

	json_array_foreach (records, i, r) {
		if (!put_key(key, sizeof(key), r, n) || (x && !holds(x, r)) || k->n == KEYS)
			continue;
		k->list[k->n++] = strdup(key);
	}
	qsort(k->list, k->n, sizeof(*k->list), by_text);
}

static void same_keys(const char *what, const char *text, const struct keys *all,
		      const struct keys *pushed)
{
	size_t i = 0;

	while (i < all->n && i < pushed->n && !strcmp(all->list[i], pushed->list[i]))
		i++;
	CHECK(i == all->n && i == pushed->n,
	      "%s --match '%s': expected %zu, got %zu; the first that differs: '%s', got '%s'",
	      what, text, all->n, pushed->n, i < all->n ? all->list[i] : "none",
	      i < pushed->n ? pushed->list[i] : "none");
}

static struct probe start(const char *command, const char *match)
{
	const char *args[] = { command, "--format", "json", "--duration",
			       "36000", "--names",  "none", match ? "--match" : NULL,
			       match,	NULL };

	return probe_start_args(args);
}

static void make_traffic(const struct netns_pair *n)
{
	char full[300];

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		bool away = strstr(makers[i], "10.77.0.2") || strstr(makers[i], "fd77::2");

		snprintf(full, sizeof(full), "%s --client-ns %s --server-ns %s", makers[i],
			 n->a.path, away ? n->b.path : n->a.path);
		(void)maker_run(NULL, full);
	}
}

static void compare(const char *command, const struct netns_pair *n)
{
	struct probe all = start(command, NULL), some[EXPRESSIONS];
	char text[EXPRESSIONS][TEXT];

	for (unsigned int i = 0; i < EXPRESSIONS; i++) {
		make_expression(text[i], i < 2);
		some[i] = start(command, text[i]);
	}
	make_traffic(n);
	for (unsigned int i = 0; i < EXPRESSIONS; i++)
		probe_stop(&some[i]);
	probe_stop(&all);
	for (unsigned int i = 0; i < EXPRESSIONS; i++) {
		struct keys a = {}, b = {};
		struct netprobe_expr *x = NULL;
		struct netprobe_error err = {};

		REQUIRE(!netprobe_expr_new(&x, text[i], NETPROBE_ABOUT_EVENT, &err), "%s: %s",
			text[i], err.msg);
		take_keys(&a, all.records, x, n);
		take_keys(&b, some[i].records, NULL, n);
		printf("# %s --match '%s': %zu of %zu\n", command, text[i], b.n,
		       json_array_size(all.records));
		same_keys(command, text[i], &a, &b);
		(void)netprobe_expr_free(x);
	}
}

/* NETPROBE_SEED=N: the same expressions again. */
TEST(random_expressions_match_the_same_with_and_without_the_kernel)
{
	struct netns_pair n = netns_pair_new();
	const char *given = getenv("NETPROBE_SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);

	printf("# NETPROBE_SEED=%u\n", seed);
	srand(seed);
	compare("events", &n);
	compare("flows", &n);
}

static unsigned int records_of(const struct probe *p, const struct netns *ns, const char *type)
{
	const json_t *r;
	unsigned int n = 0;
	size_t i;

	json_array_foreach (p->records, i, r)
		n += record_u64(r, "netns") == ns->inode &&
		     !strcmp(record_str(r, "event_type"), type);
	return n;
}

/* The socket has no remote end, each of its rows has one. */
TEST(rows_of_an_unconnected_socket_are_closed_with_it)
{
	struct netns ns = netns_new();
	struct probe p = start("flows", "rport=5006 raddr=127.0.0.1 family=ipv4 closed=true");

	(void)maker_run(&ns, "dgram --count 3 --port 5006 --addr 127.0.0.1");
	probe_stop(&p);
	CHECK_EQ(records_of(&p, &ns, ""), 1, "rows of the sender");
}

/* The first error comes before the kernel half knows of the socket's new peer. */
TEST(errors_are_of_the_family_that_they_name)
{
	struct netns ns = netns_new();
	struct probe p = start("events", "family=ipv4 rport=9");

	netns_must(&ns,
		   "python3 -c \"import socket, time\n"
		   "o = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); o.bind(('::1', 6543))\n"
		   "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
		   "s.sendto(b'hi', ('::1', 6543)); s.connect(('::ffff:127.0.0.1', 9))\n"
		   "for i in range(3):\n"
		   "  s.send(b'x'); time.sleep(0.2)\n"
		   "  try: s.recv(1)\n"
		   "  except ConnectionRefusedError: pass\n\"");
	probe_stop(&p);
	CHECK_EQ(records_of(&p, &ns, "error.net"), 3, "refusals");
}

/* Of the kernel's programs, but the walk over what is open at the start: it is told of what it found. */
static uint64_t sum_losses(const struct probe *p, const char *key)
{
	const json_t *r;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (p->records, i, r)
		if (!strcmp(record_str(r, "event_type"), "probe.loss") &&
		    strcmp(record_str(r, "program"), "seed") != 0 &&
		    strncmp(record_str(r, "program"), "output", 6) != 0)
			sum += record_u64(r, key);
	return sum;
}

TEST(what_an_expression_leaves_out_does_not_reach_user_space)
{
	struct netns_pair n = netns_pair_new();
	/* the second asks for as little, in a form of which the kernel knows nothing */
	struct probe pushed = start("events", "transport=tcp and rport=5999 and tx_bytes>0");
	struct probe looked =
		start("events", "not (transport!=tcp) and not (rport!=5999) and tx_bytes>0");
	uint64_t got, all;

	make_traffic(&n);
	probe_stop(&pushed);
	probe_stop(&looked);
	got = sum_losses(&pushed, "submitted");
	all = sum_losses(&looked, "submitted");
	CHECK(all >= 20, "submitted without a filter: expected 20 at least, got %" PRIu64, all);
	CHECK_EQ(got, 0, "submitted where none is at port 5999");
	CHECK(sum_losses(&pushed, "filtered") >= 20,
	      "filtered in the kernel: expected 20 at least, got %" PRIu64,
	      sum_losses(&pushed, "filtered"));
}

static bool is_fail(const json_t *r, const void *arg)
{
	(void)arg;
	return !strcmp(record_str(r, "event_type"), "conn.fail");
}

TEST(a_connect_without_a_route_is_told_where_its_end_is_asked_for)
{
	struct netns ns = netns_new();
	struct probe by_match = start("events", "transport=tcp and rport=443");
	struct probe by_option = probe_start("events", "--format", "json", "--duration", "36000",
					     "--dst-port", "443", "--dst-host", "192.0.2.1", NULL);
	json_t *r;

	(void)maker_run(&ns, "fail connect --addr 192.0.2.1 --port 443");
	r = probe_wait_record(&by_match, is_fail, NULL, 10000);
	CHECK_EQ(record_u64(r, "rport"), 443, "rport by expression");
	json_decref(r);
	r = probe_wait_record(&by_option, is_fail, NULL, 10000);
	CHECK_EQ(record_u64(r, "rport"), 443, "rport by option");
	json_decref(r);
	probe_stop(&by_match);
	probe_stop(&by_option);
}
