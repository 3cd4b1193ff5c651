/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function of the library from within everything that it calls back, while another thread polls: it works, or it
 * says -EDEADLK. tests/check-api holds that all of them are in the table.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"

#define LIMIT_S 90 /* whoever waits for ever is ended by SIGALRM */
#define VIP "192.0.2.1:80/tcp"

/* One thing that calls back. */
struct scene {
	struct netprobe_manager *m;
	const char *kind, *ifname;
	bool held;    /* the callback is of a call of the manager: it cannot be freed there */
	bool goes_on; /* it may not be finished there */
	bool began, ended;
	uint64_t key;			   /* of a connection */
	struct netprobe_manager *extra[2]; /* made there */
	unsigned int n_extra;
};

static struct netprobe_config now; /* of the manager */

static struct netprobe_ban entry(void)
{
	return (struct netprobe_ban){ .size = sizeof(struct netprobe_ban),
				      .cidr = "198.51.100.7",
				      .ttl_s = 600 };
}

static int get_nothing(const char *key, char **ret_json, struct netprobe_error *e, void *arg)
{
	(void)key;
	(void)ret_json;
	(void)e;
	(void)arg;
	return -EINVAL;
}

static int set_nothing(const struct netprobe_setting *s, size_t n, struct netprobe_error *e,
		       void *arg)
{
	(void)s;
	(void)n;
	(void)e;
	(void)arg;
	return -EINVAL;
}

static int instance_life(struct scene *s)
{
	struct netprobe_instance_ops ops = {
		.size = sizeof(ops), .command = "npt", .get = get_nothing, .set = set_nothing
	};
	struct netprobe_instance *in = NULL;
	int r = netprobe_instance_new(s->m, &ops, &in, NULL);

	if (r)
		return r;
	r = netprobe_instance_fd(in);
	if (r >= 0)
		r = netprobe_instance_run(in);
	(void)netprobe_instance_free(in);
	return r;
}

static int ask_nobody(struct scene *s)
{
	char *reply = NULL;

	(void)s;
	return netprobe_instance_ask(1, "{\"cmd\":\"info\"}", &reply, NULL);
}

/* Made anywhere; freed there or, where that is refused, at the end. */
static int new_and_free(struct scene *s)
{
	struct netprobe_manager *x = NULL;
	int r = s->n_extra < 2 ? netprobe_manager_new_with_config(&now, &x, NULL) : -ENOMEM;

	x = netprobe_manager_free(x);
	if (x)
		s->extra[s->n_extra++] = x;
	return r;
}

static int new_plain(struct scene *s)
{
	struct netprobe_manager *x = NULL;
	int r = netprobe_manager_new(&x, NULL);

	x = netprobe_manager_free(x);
	if (x && s->n_extra < 2)
		s->extra[s->n_extra++] = x;
	return r;
}

static int free_it(struct scene *s)
{
	return !s->held || netprobe_manager_free(s->m) == s->m ? 0 : -EFAULT;
}

static int examine_wrongly(struct scene *s)
{
	struct netprobe_config c = { .size = 1 };

	(void)s;
	return netprobe_examine(&c, NULL, NULL, NULL, NULL);
}

static int pure(struct scene *s)
{
	static const uint64_t slots[NETPROBE_LATENCY_SLOTS];
	struct netprobe_verdict_sum sum = { .size = sizeof(sum) };
	struct netprobe_flow f = { .size = sizeof(f) };
	struct netprobe_row row = { .size = sizeof(row) };
	struct netprobe_filter one = { NETPROBE_FILTER_PROTO, "tcp" };
	struct netprobe_expr *x = NULL;
	struct netprobe_config c;

	(void)s;
	if (netprobe_expr_new(&x, "closed=false", NETPROBE_ABOUT_FLOW, NULL) ||
	    netprobe_expr_flow(x, &f) != 1 || netprobe_expr_row(x, &row) != -EINVAL ||
	    netprobe_expr_event(x, NULL) != -EINVAL || !netprobe_expr_filter(x, 0, &one) ||
	    netprobe_expr_undecided(x) || netprobe_expr_free(x) ||
	    !netprobe_expr_field(NETPROBE_ABOUT_FLOW, 0) ||
	    !netprobe_expr_operators(NETPROBE_ABOUT_FLOW, "pid") ||
	    !netprobe_expr_word(NETPROBE_ABOUT_FLOW, "closed", 0) ||
	    netprobe_expr_value(NETPROBE_VIEW_PROCESS, "exited", &row, 0, (char[8]){ "" }, 8))
		return -EFAULT;
	netprobe_config_default(&c);
	(void)netprobe_latency_quantile(slots, 0.5);
	(void)netprobe_verdict(&f, &f, NULL);
	(void)netprobe_verdict_add(&sum, &f, &f);
	if (netprobe_check_filter(&one, NULL) || netprobe_filter_name(NETPROBE_FILTER_MAX))
		return -EFAULT;
	return netprobe_version() && netprobe_event_type(0) && netprobe_latency_name(0) &&
			       netprobe_drop_kind_name(0) && !netprobe_verdict_name(99) &&
			       !netprobe_verdict_advice(99) &&
			       netprobe_verdict_advice_receiver(true) &&
			       !netprobe_verdict_detail(&sum)
		       ? netprobe_check_cidr("192.0.2.1", NULL)
		       : -EFAULT;
}

#define CALL(name, expression)           \
	static int name(struct scene *s) \
	{                                \
		return expression;       \
	}
#define OF(type, expression)                           \
	{                                              \
		struct type x = { .size = sizeof(x) }; \
		return expression;                     \
	}
#define FILLS(name, type, expression) static int name(struct scene *s) OF(type, expression)
#define WITH_ENTRY(name, expression)             \
	static int name(struct scene *s)         \
	{                                        \
		struct netprobe_ban b = entry(); \
		return expression;               \
	}

CALL(attach, netprobe_manager_attach(s->m, s->ifname, NULL))
CALL(detach, netprobe_manager_detach(s->m, "npt_none", NULL))
CALL(load, netprobe_manager_load(s->m, NULL))
FILLS(global_stats, netprobe_global_stats, netprobe_manager_get_global_stats(s->m, &x, NULL))
FILLS(network_stats, netprobe_network_stats, netprobe_manager_get_network_stats(s->m, &x, NULL))
FILLS(device_stats, netprobe_device_stats,
      netprobe_manager_get_device_stats(s->m, s->ifname, NETPROBE_TX, &x, NULL))
FILLS(security_stats, netprobe_security_stats, netprobe_manager_get_security_stats(s->m, &x, NULL))
FILLS(balancer_stats, netprobe_balancer_stats, netprobe_manager_get_balancer_stats(s->m, &x, NULL))
FILLS(loss_stats, netprobe_loss_stats, netprobe_manager_get_loss_stats(s->m, &x, NULL))
FILLS(capture, netprobe_capture, netprobe_manager_get_capture(s->m, &x, NULL))
FILLS(get_config, netprobe_config, netprobe_manager_get_config(s->m, &x))
CALL(update_config, netprobe_manager_update_config(s->m, &now, NULL))
CALL(set_handler, netprobe_manager_set_event_handler(s->m, NETPROBE_EVENT_DNS, NULL, NULL))
CALL(poll_it, netprobe_manager_poll(s->m, 0))
CALL(fd_of, netprobe_manager_fd(s->m))
CALL(tick, netprobe_manager_tick(s->m))
CALL(flush, netprobe_manager_flush(s->m))
CALL(finish, s->goes_on ? 0 : netprobe_manager_finish(s->m))
CALL(report, netprobe_manager_report(s->m, NETPROBE_EVENT_STATISTICS, NULL))
CALL(set_room, netprobe_manager_set_room(s->m, NULL, NULL))
CALL(tell_loss, netprobe_manager_tell_loss(s->m, "npt", 2, 1, NULL))
WITH_ENTRY(ban, netprobe_manager_ban(s->m, &b, NULL))
WITH_ENTRY(allow, netprobe_manager_allow(s->m, &b, NULL))
WITH_ENTRY(change_list, netprobe_manager_change_list(s->m, NULL, &b, 1, NULL))
WITH_ENTRY(remove_list, netprobe_manager_remove_list(s->m, NETPROBE_LIST_BANS, &b, 1, NULL))
CALL(import_list, netprobe_manager_import_list(s->m, NULL, NULL, "198.51.100.8\n", 13, NULL))
CALL(unban, netprobe_manager_unban(s->m, "198.51.100.7", NULL))
CALL(unallow, netprobe_manager_unallow(s->m, "198.51.100.7", NULL))
CALL(lift, netprobe_manager_lift(s->m, "198.51.100.7", NULL))
CALL(lookup, netprobe_manager_lookup(s->m, "198.51.100.7", NULL, NULL, NULL))
CALL(banned, netprobe_manager_banned(s->m, NULL, NULL, NULL))
CALL(allowed, netprobe_manager_allowed(s->m, NULL, NULL, NULL))
CALL(detected, netprobe_manager_detected(s->m, NULL, NULL, NULL))
CALL(confirm, netprobe_manager_confirm(s->m, NULL))
CALL(filtering, netprobe_manager_set_filtering(s->m, true, NULL))
FILLS(get_limits, netprobe_limits, netprobe_manager_get_limits(s->m, &x, NULL))
FILLS(get_detection, netprobe_detection, netprobe_manager_get_detection(s->m, &x, NULL))
CALL(limits, netprobe_manager_limits(s->m, NULL, NULL, NULL))
CALL(guard_flows, netprobe_manager_guard_flows(s->m, NULL, NULL, NULL))
CALL(cookies, netprobe_manager_syncookies(s->m, NULL, NULL, NULL))
CALL(cookies_add, netprobe_manager_syncookies_add(s->m, "10.77.0.1:81", NULL, NULL))
CALL(cookies_remove, netprobe_manager_syncookies_remove(s->m, "10.77.0.1:81", NULL))
CALL(vip_add, netprobe_manager_vip_add(s->m, "192.0.2.9:80/tcp", 0, NULL))
CALL(vip_remove, netprobe_manager_vip_remove(s->m, "192.0.2.9:80/tcp", NULL))
CALL(backend_drain, netprobe_manager_backend_drain(s->m, VIP, "10.77.0.2", false, NULL))
CALL(backend_weight, netprobe_manager_backend_weight(s->m, VIP, "10.77.0.2", 2, NULL))
CALL(backend_remove, netprobe_manager_backend_remove(s->m, VIP, "10.77.0.9", NULL))
CALL(flows, netprobe_manager_flows(s->m, NULL, NULL, NULL))
CALL(drops, netprobe_manager_drops(s->m, NULL, NULL, NULL))
CALL(latencies, netprobe_manager_latencies(s->m, NULL, NULL, NULL))
CALL(losses, netprobe_manager_losses(s->m, NULL, NULL, NULL))
CALL(connection, netprobe_manager_connection(s->m, s->key, NULL, NULL, NULL))
CALL(restart_sums, netprobe_manager_restart_sums(s->m, NULL))
CALL(health, netprobe_manager_watch_health(s->m, true, NULL))
CALL(instances, netprobe_instances(NULL, NULL, NULL))
CALL(supported, s ? netprobe_is_supported(NETPROBE_CAPTURE_PROC, NULL) : 0)

static int tell_nothing(const struct netprobe_interface *i, void *arg)
{
	(void)i;
	(void)arg;
	return 0;
}

static int no_backend(const struct netprobe_backend_stats *b, void *arg)
{
	(void)b;
	(void)arg;
	return 0;
}

CALL(interfaces, netprobe_manager_interfaces(s->m, tell_nothing, NULL, NULL))
CALL(backends, netprobe_manager_backends(s->m, no_backend, NULL, NULL))

CALL(note, netprobe_manager_note(s->m, (char[64]){ "" }, 64))

static int view(struct scene *s)
{
	struct netprobe_view_query q = { .size = sizeof(q) };

	return netprobe_manager_view(s->m, &q, NULL, NULL, NULL, NULL);
}

static int set_limits(struct scene *s)
{
	struct netprobe_limits l = { .size = sizeof(l),
				     .packets = 1000000,
				     .bytes = NETPROBE_KEEP,
				     .syns = NETPROBE_KEEP,
				     .icmp = NETPROBE_KEEP,
				     .new_flows = NETPROBE_KEEP };

	return netprobe_manager_set_limits(s->m, &l, NULL);
}

static int set_detection(struct scene *s)
{
	struct netprobe_detection d = { .size = sizeof(d),
					.mode = NETPROBE_DETECT_BAN,
					.syn_flood = NETPROBE_KEEP,
					.udp_flood = NETPROBE_KEEP,
					.amplification = NETPROBE_KEEP,
					.icmp_flood = NETPROBE_KEEP,
					.port_scan = NETPROBE_KEEP,
					.host_scan = NETPROBE_KEEP,
					.anomaly = NETPROBE_KEEP };

	return netprobe_manager_set_detection(s->m, &d, NULL);
}

static int backend_add(struct scene *s)
{
	struct netprobe_backend b = { .size = sizeof(b), .addr = "10.77.0.2" };

	return netprobe_manager_backend_add(s->m, VIP, &b, NULL);
}

/* In the order they are called; errors: what it says outside of a callback as well. */
static const struct call {
	const char *name;
	int (*fn)(struct scene *s);
	int errors[2];
} calls[] = {
	{ "pure functions", pure, {} },
	{ "is_supported", supported, {} },
	{ "examine", examine_wrongly, { EINVAL } },
	{ "new", new_plain, {} },
	{ "new_with_config", new_and_free, {} },
	{ "instances", instances, { EINVAL } },
	{ "instance_ask", ask_nobody, { ENOENT, EPERM } },
	{ "instance_*", instance_life, { EADDRINUSE } },
	{ "load", load, { EALREADY } },
	{ "get_config", get_config, {} },
	{ "update_config", update_config, {} },
	{ "get_capture", capture, {} },
	{ "note", note, {} },
	{ "fd", fd_of, { EBUSY } },
	{ "set_event_handler", set_handler, {} },
	{ "set_room", set_room, {} },
	{ "get_global_stats", global_stats, {} },
	{ "get_network_stats", network_stats, {} },
	{ "get_device_stats", device_stats, {} },
	{ "get_security_stats", security_stats, {} },
	{ "get_balancer_stats", balancer_stats, {} },
	{ "get_loss_stats", loss_stats, {} },
	{ "losses", losses, {} },
	{ "tell_loss", tell_loss, {} },
	{ "flows", flows, {} },
	{ "drops", drops, { ENODEV } },
	{ "latencies", latencies, {} },
	{ "view", view, {} },
	{ "connection", connection, { ENOENT } },
	{ "restart_sums", restart_sums, { EOPNOTSUPP } },
	{ "watch_health", health, {} },
	{ "report", report, { EBUSY } },
	{ "interfaces", interfaces, {} },
	{ "guard_flows", guard_flows, {} },
	{ "ban", ban, {} },
	{ "allow", allow, {} },
	{ "lookup", lookup, {} },
	{ "banned", banned, {} },
	{ "allowed", allowed, {} },
	{ "detected", detected, {} },
	{ "remove_list", remove_list, { ENOENT } },
	{ "change_list", change_list, {} },
	{ "import_list", import_list, {} },
	{ "unban", unban, { ENOENT } },
	{ "unallow", unallow, { ENOENT } },
	{ "lift", lift, { ENOENT } },
	{ "confirm", confirm, { ENOENT } },
	{ "set_filtering", filtering, {} },
	{ "set_limits", set_limits, {} },
	{ "get_limits", get_limits, {} },
	{ "limits", limits, {} },
	{ "set_detection", set_detection, {} },
	{ "get_detection", get_detection, {} },
	{ "syncookies_add", cookies_add, { EOPNOTSUPP, EINVAL } },
	{ "syncookies", cookies, {} },
	{ "syncookies_remove", cookies_remove, { ENOENT } },
	{ "vip_add", vip_add, { EEXIST } },
	{ "vip_remove", vip_remove, { ENOENT } },
	{ "backend_add", backend_add, { EEXIST } },
	{ "backend_drain", backend_drain, {} },
	{ "backend_weight", backend_weight, {} },
	{ "backend_remove", backend_remove, { ENOENT } },
	{ "backends", backends, {} },
	{ "attach", attach, {} },
	{ "detach", detach, { ENOENT } },
	{ "poll", poll_it, { EBUSY, EALREADY } },
	{ "flush", flush, { EBUSY } },
	{ "tick", tick, { EINVAL, EBUSY } },
	{ "finish", finish, { EBUSY } },
	{ "free", free_it, {} },
};

static void call_one(struct scene *s, const struct call *c)
{
	int r = c->fn(s);

	CHECK(r >= 0 || r == -EDEADLK || (c->errors[0] && r == -c->errors[0]) ||
		      (c->errors[1] && r == -c->errors[1]),
	      "%s from within %s: %d (%s)", c->name, s->kind, r, strerror(-r));
}

/* Once, by whichever thread is called back first. */
static int call_all(struct scene *s)
{
	if (__atomic_exchange_n(&s->began, true, __ATOMIC_SEQ_CST))
		return 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		call_one(s, &calls[i]);
	__atomic_store_n(&s->ended, true, __ATOMIC_SEQ_CST);
	return 1;
}

/* Each type of callback that is told of one thing. */
#define TOLD(name, type)                                 \
	static int name(const struct type *x, void *arg) \
	{                                                \
		(void)x;                                 \
		return call_all(arg);                    \
	}
TOLD(on_ban, netprobe_ban)
TOLD(on_interface, netprobe_interface)
TOLD(on_guard_flow, netprobe_guard_flow)
TOLD(on_cookies, netprobe_syncookies_stats)
TOLD(on_limits, netprobe_limits)
TOLD(on_backend, netprobe_backend_stats)
TOLD(on_flow, netprobe_flow)
TOLD(on_drop, netprobe_drop)
TOLD(on_latency, netprobe_latency)
TOLD(on_loss, netprobe_loss)
TOLD(on_row, netprobe_row)

static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)events;
	(void)n;
	(void)call_all(arg);
}

static bool on_room(void *arg)
{
	(void)call_all(arg);
	return true;
}

static int on_instance(uint32_t pid, void *arg)
{
	(void)pid;
	return call_all(arg);
}

static int on_get(const char *key, char **ret_json, struct netprobe_error *e, void *arg)
{
	(void)call_all(arg);
	return get_nothing(key, ret_json, e, NULL);
}

static int on_set(const struct netprobe_setting *s, size_t n, struct netprobe_error *e, void *arg)
{
	(void)call_all(arg);
	return set_nothing(s, n, e, NULL);
}

static int find_key(const struct netprobe_row *row, void *arg)
{
	*(uint64_t *)arg = row->key;
	return 1;
}

static volatile bool over;

static void *poll_beside(void *m)
{
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST) && netprobe_manager_poll(m, 5) != -EBADF)
		;
	return NULL;
}

static void count(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)events;
	(void)n;
	(void)arg;
}

/* Connections of this process, each used, and a datagram that nobody takes. */
static void make_traffic(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), in;
	int none = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char bytes[100] = "";

	REQUIRE(!bind(listener, (void *)&at, sizeof(at)) && !listen(listener, 1) &&
			!getsockname(listener, (void *)&at, &len) &&
			!connect(out, (void *)&at, sizeof(at)),
		"no connection: %s", strerror(errno));
	in = accept(listener, NULL, NULL);
	REQUIRE(write(out, bytes, sizeof(bytes)) == sizeof(bytes) &&
			read(in, bytes, sizeof(bytes)) > 0,
		"no bytes: %s", strerror(errno));
	at.sin_port = htons(9);
	(void)sendto(none, bytes, 1, 0, (void *)&at, sizeof(at));
	/* Both ends stay open until the test ends. */
	close(listener);
	close(none);
}

static struct netprobe_config config_of(uint32_t capture, uint32_t workers, bool direct)
{
	struct netprobe_config c;

	netprobe_config_default(&c);
	c.capture = capture;
	c.workers = workers;
	c.direct = direct;
	c.count_flows = 1;
	c.keep_closed = true;
	c.count_drops = capture == NETPROBE_CAPTURE_EBPF;
	c.enable_latency = capture == NETPROBE_CAPTURE_EBPF;
	c.stats_report_interval = 10;
	c.batch_timeout = 0;
	return c;
}

/* Loaded, with another thread that polls. */
static struct netprobe_manager *loaded(const struct netprobe_config *c, pthread_t *ret_beside)
{
	struct netprobe_manager *m = manager(c);

	now = *c;
	over = false;
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL & ~NETPROBE_EVENT_STATISTICS,
					      count, NULL));
	OK(netprobe_manager_load(m, &err));
	REQUIRE(!pthread_create(ret_beside, NULL, poll_beside, m), "no thread");
	return m;
}

static void over_with(struct netprobe_manager *m, pthread_t beside)
{
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	REQUIRE(!pthread_join(beside, NULL), "the thread that polls does not end");
	CHECK(netprobe_manager_free(m) == NULL, "not freed at the end");
}

static struct scene scene_of(struct netprobe_manager *m, const char *ifname, const char *kind)
{
	return (struct scene){
		.m = m, .ifname = ifname, .kind = kind, .held = true, .goes_on = true
	};
}

static void was_called(struct scene *s)
{
	CHECK(s->ended, "%s called nothing back", s->kind);
	for (unsigned int i = 0; i < s->n_extra; i++)
		CHECK(netprobe_manager_free(s->extra[i]) == NULL, "not freed after %s", s->kind);
}

#define LIST(name, call)                                     \
	do {                                                 \
		struct scene x = scene_of(m, p.if_a, #name); \
		int r_ = (call);                             \
		CHECK(r_ >= 0, #name ": %d", r_);            \
		was_called(&x);                              \
	} while (0)

/* Guard on the interface, with something in each of its lists. */
static void fill(struct netns_pair *p, struct netprobe_manager *m)
{
	struct netprobe_backend back = { .size = sizeof(back), .addr = "10.77.0.2" };
	struct scene s = { .m = m, .ifname = p->if_a };
	struct netprobe_ban kept = entry();

	OK(attach(&s));
	kept.cidr = "203.0.113.1";
	OK(netprobe_manager_ban(m, &kept, &err));
	kept.cidr = "203.0.113.2";
	OK(netprobe_manager_allow(m, &kept, &err));
	OK(set_limits(&s));
	OK(netprobe_manager_vip_add(m, VIP, 0, &err));
	OK(netprobe_manager_backend_add(m, VIP, &back, &err));
	(void)datagrams(&p->b, &p->a, "10.77.0.1", 7001, 1);
	guard_must(&p->a, "detect on --icmp-flood 200 --ban-time 600");
}

TEST(every_call_from_within_every_list_works_or_is_edeadlk)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = config_of(NETPROBE_CAPTURE_EBPF, 0, false);
	struct netprobe_view_query q = { .size = sizeof(q), .kind = NETPROBE_VIEW_CONNECTION };
	struct forged pings = { .proto = IPPROTO_ICMP };
	struct netprobe_manager *m;
	int64_t end = deadline_in(60000);
	struct scene last;
	pthread_t beside;
	uint64_t key = 0;

	(void)alarm(LIMIT_S);
	enter(&p.a);
	netns_must(&p.a, "ip link set lo up");
	m = loaded(&c, &beside);
	fill(&p, m);
	make_traffic();
	forge_second(&p.b, &pings, 600);
	forge(&p.b, &pings, 1, 1);
	while (!key && now_ms() < end)
		OK(netprobe_manager_view(m, &q, find_key, &key, NULL, &err));
	LIST(banned, netprobe_manager_banned(m, on_ban, &x, &err));
	LIST(allowed, netprobe_manager_allowed(m, on_ban, &x, &err));
	LIST(detected, netprobe_manager_detected(m, on_ban, &x, &err));
	LIST(lookup, netprobe_manager_lookup(m, "203.0.113.1", on_ban, &x, &err));
	LIST(interfaces, netprobe_manager_interfaces(m, on_interface, &x, &err));
	LIST(guard_flows, netprobe_manager_guard_flows(m, on_guard_flow, &x, &err));
	LIST(limits, netprobe_manager_limits(m, on_limits, &x, &err));
	LIST(backends, netprobe_manager_backends(m, on_backend, &x, &err));
	if (netprobe_manager_syncookies_add(m, "10.77.0.1:82", NULL, NULL) >= 0)
		LIST(syncookies, netprobe_manager_syncookies(m, on_cookies, &x, &err));
	LIST(flows, netprobe_manager_flows(m, on_flow, &x, &err));
	LIST(drops, netprobe_manager_drops(m, on_drop, &x, &err));
	LIST(latencies, netprobe_manager_latencies(m, on_latency, &x, &err));
	LIST(view, netprobe_manager_view(m, &q, on_row, &x, NULL, &err));
	LIST(connection, netprobe_manager_connection(m, key, on_row, &x, &err));
	/* Asked before each record of what was counted. */
	last = scene_of(m, p.if_a, "the question for room");
	OK(netprobe_manager_set_room(m, on_room, &last));
	while (!__atomic_load_n(&last.ended, __ATOMIC_SEQ_CST) && now_ms() < end)
		make_traffic();
	was_called(&last);
	OK(netprobe_manager_set_room(m, NULL, NULL));
	/* At the end, for it is finished there. */
	last = scene_of(m, p.if_a, "losses");
	last.goes_on = false;
	OK(netprobe_manager_losses(m, on_loss, &last, &err));
	was_called(&last);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	over_with(m, beside);
}

static int ask_for_port(uint32_t pid)
{
	char *reply = NULL;

	return netprobe_instance_ask(pid, "{\"cmd\":\"get\",\"key\":\"port\"}", &reply, NULL);
}

/* What is called back without a call of a manager around it; netprobe_examine, too, which takes long. */
TEST(every_call_from_within_what_no_manager_calls_works)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = config_of(NETPROBE_CAPTURE_PROC, 0, false);
	struct netprobe_instance_ops ops = {
		.size = sizeof(ops), .command = "npt", .get = on_get, .set = on_set
	};
	struct netprobe_instance *in = NULL;
	struct scene of_list, of_get;
	struct netprobe_manager *m;
	int64_t end = deadline_in(20000);
	pthread_t beside;
	pid_t asks, here = getpid();

	(void)alarm(LIMIT_S);
	setenv("NETPROBE_RUNTIME_DIR", test_dir(), 1);
	enter(&p.a);
	m = loaded(&c, &beside);
	fill(&p, m);
	of_list = scene_of(m, p.if_a, "instances");
	of_get = scene_of(m, p.if_a, "an instance's get");
	of_list.held = of_get.held = of_get.goes_on = false;
	ops.arg = &of_get;
	OK(netprobe_instance_new(m, &ops, &in, &err));
	OK(netprobe_instances(on_instance, &of_list, &err));
	was_called(&of_list);
	asks = fork();
	if (!asks)
		_exit(ask_for_port((uint32_t)here) != 0);
	REQUIRE(asks > 0, "fork: %s", strerror(errno));
	while (!of_get.ended && now_ms() < end)
		OK(netprobe_instance_run(in));
	was_called(&of_get);
	in = netprobe_instance_free(in);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	over_with(m, beside);
}

/* The thread that polls, another one, one worker, several: guard is the same for all. */
TEST(every_call_from_within_every_handler_works_or_is_edeadlk)
{
	static const struct {
		const char *kind;
		uint32_t workers;
		bool direct;
	} kinds[] = { { "a handler", 0, false },
		      { "a direct handler", 0, true },
		      { "the worker", 1, false },
		      { "workers", 3, false } };
	struct netns_pair p = netns_pair_new();

	(void)alarm(LIMIT_S);
	enter(&p.a);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct netprobe_config c =
			config_of(NETPROBE_CAPTURE_PROC, kinds[i].workers, kinds[i].direct);
		pthread_t beside;
		struct netprobe_manager *m = loaded(&c, &beside);
		struct scene s = scene_of(m, p.if_a, kinds[i].kind);
		int64_t end = deadline_in(30000);

		s.goes_on = false;
		if (!i)
			fill(&p, m);
		OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_events, &s));
		while (!__atomic_load_n(&s.ended, __ATOMIC_SEQ_CST) && now_ms() < end)
			pause_ms(5);
		was_called(&s);
		over_with(m, beside);
	}
	guard_must(&p.a, "detach %s", p.if_a);
}
