/* SPDX-License-Identifier: BSD-2-Clause */
/* The library as a program with a loop of its own uses it, the commands for one. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_run.h"
#include "maker.h"

struct seen {
	struct netprobe_manager *m;
	uint32_t pid;
	char netns[32];
	unsigned int opened, closed, bw, losses, queries, failed, batches, many;
	int from_within; /* of a call that a handler may not make */
};

static void on_event(const struct netprobe_event *events, size_t n, void *arg)
{
	struct seen *s = arg;

	s->batches++;
	s->many += n > 1;
	for (size_t i = 0; i < n; i++) {
		bool ours = events[i].pid == s->pid;

		s->opened += ours && !strcmp(events[i].type, "conn.open");
		s->closed += ours && !strcmp(events[i].type, "conn.close");
		s->bw += ours && !strcmp(events[i].type, "transport.bw");
		s->losses += !strcmp(events[i].type, "probe.loss");
	}
}

static int sum_bytes(const struct netprobe_flow *f, void *arg)
{
	struct seen *s = arg;

	if (f->pid == s->pid && f->proto == 6 && f->rport && f->family == 4)
		s->many += (unsigned int)f->tx_bytes;
	return 0;
}

/* Each change used to begin the interval anew. */
TEST(intervals_end_however_often_the_configuration_changes)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct seen s = { 0 };
	struct maker maker;
	int64_t deadline = deadline_in(10000);

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	c.stats_report_interval = 300;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW | NETPROBE_EVENT_STATISTICS,
					      on_event, &s));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(NULL, -1, "stream --first 100000 --hold connected --bytes 1000");
	s.pid = (uint32_t)maker_wait_hold(&maker);
	while (!s.bw && now_ms() < deadline) {
		c.stall_threshold_ms = c.stall_threshold_ms == 250 ? 300 : 250;
		OK(netprobe_manager_update_config(m, &c, &err));
		OK(netprobe_manager_poll(m, 50));
	}
	CHECK(s.bw > 0, "expected an interval that tells the bytes, got none in %d ms", 10000);
	maker_go(&maker);
	maker_finish(&maker);
	netprobe_manager_free(m);
}

/* What waits is read when the descriptor says so, or now and then. */
TEST(intervals_of_ones_own_end_when_told)
{
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m;
	struct seen s = { 0 };
	struct maker maker;
	int64_t deadline = deadline_in(20000);

	c.stats_report_interval = 10;
	m = manager(&c);
	CHECK(netprobe_manager_fd(m) >= 0, "no descriptor before load");
	FAILS(ENODEV, netprobe_manager_tick(m));
	FAILS(ENODEV, netprobe_manager_finish(m));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW | NETPROBE_EVENT_STATISTICS,
					      on_event, &s));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 200000");
	s.pid = (uint32_t)maker_wait_hold(&maker);
	maker_go(&maker);
	maker_finish(&maker);
	while ((!s.opened || !s.closed) && now_ms() < deadline)
		look(m);
	CHECK(s.opened && s.closed, "opened %u, closed %u", s.opened, s.closed);
	CHECK_EQ(s.bw, 0, "records of an interval that did not end");
	CHECK(netprobe_manager_tick(m) > 0 && s.bw > 0, "the interval told nothing");
	s.many = 0;
	OK(netprobe_manager_flows(m, sum_bytes, &s, &err));
	CHECK_EQ(s.many, 200000, "bytes of the maker");
	s.losses = 0;
	OK(netprobe_manager_finish(m));
	CHECK(s.losses > 0, "the end told no accounts");
	FAILS(EALREADY, netprobe_manager_finish(m));
	FAILS(ENODEV, netprobe_manager_tick(m));
	s.many = 0;
	OK(netprobe_manager_flows(m, sum_bytes, &s, &err));
	CHECK_EQ(s.many, 200000, "bytes of the maker, after the end");
	netprobe_manager_free(m);
	netprobe_config_default(&c);
	m = manager(&c);
	FAILS(EINVAL, netprobe_manager_tick(m));
	netprobe_manager_free(m);
}

static void on_direct(const struct netprobe_event *events, size_t n, void *arg)
{
	struct seen *s = arg;

	CHECK(!events->json && events->xctl && !strchr(events->xctl, '\n'),
	      "spellings: json %s, xctl %s", events->json, events->xctl);
	s->from_within = netprobe_manager_poll(s->m, 0);
	on_event(events, n, arg);
}

TEST(events_are_handed_over_as_they_happen)
{
	struct netprobe_config c = own_loop();
	struct seen s = { 0 };
	struct maker maker;
	int64_t deadline = deadline_in(20000);

	c.direct = true;
	c.batch_timeout = 60000; /* nothing waits for others, whatever this says */
	c.formats = NETPROBE_FORMAT_XCTL | NETPROBE_FORMAT_NO_JSON;
	s.m = manager(&c);
	OK(netprobe_manager_set_event_handler(s.m, NETPROBE_EVENT_FLOW, on_direct, &s));
	OK(netprobe_manager_load(s.m, &err));
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 1000");
	s.pid = (uint32_t)maker_wait_hold(&maker);
	maker_go(&maker);
	maker_finish(&maker);
	while (!s.closed && now_ms() < deadline)
		look(s.m);
	CHECK(s.closed > 0, "the connection's end was not told");
	CHECK_EQ(s.many, 0, "batches of several");
	CHECK_EQ(s.from_within, -EDEADLK, "a poll from within the handler");
	netprobe_manager_free(s.m);
}

static void on_dns(const struct netprobe_event *events, size_t n, void *arg)
{
	struct seen *s = arg;

	for (size_t i = 0; i < n; i++) {
		const struct netprobe_dns_query *q = events[i].dns;

		if (!strstr(events[i].json, s->netns))
			continue;
		REQUIRE(q, "a dns.query without its query");
		CHECK(!strcmp(q->qname, events[i].value) && q->qtype[0] && q->rport == 5300,
		      "name %s (%s), type %s, port %u", q->qname, events[i].value, q->qtype,
		      q->rport);
		CHECK(q->timed_out == !q->rcode && (q->latency_ms >= 0) == !q->timed_out,
		      "timed out %d, rcode %s, %f ms", q->timed_out, q->rcode, q->latency_ms);
		for (size_t k = 0; k < q->n_answers; k++)
			CHECK(strstr(events[i].json, q->answers[k]), "answer %s is not in %s",
			      q->answers[k], events[i].json);
		s->queries++;
		s->failed += q->timed_out;
		s->many += q->n_answers > 0;
	}
}

static void ask_names(bool direct)
{
	struct netns ns = netns_new();
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m;
	struct seen s = { 0 };
	struct maker maker;
	int64_t deadline = deadline_in(20000);

	snprintf(s.netns, sizeof(s.netns), "\"netns\":%" PRIu64 ",", (uint64_t)ns.inode);
	c.direct = direct;
	c.enable_dns_events = true;
	c.no_flow_events = true;
	c.dns_timeout_ms = 500;
	c.dns_ports[0] = 5300;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_DNS, on_dns, &s));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(&ns, -1, "dns ask --ok 5 --nx 2 --drop 1");
	maker_finish(&maker);
	while (s.queries < 8 && now_ms() < deadline)
		look(m);
	CHECK_EQ(s.queries, 8, "queries");
	CHECK_EQ(s.failed, 1, "without an answer");
	CHECK(s.many >= 5, "%u with answers", s.many);
	netprobe_manager_free(m);
}

TEST(dns_queries_come_with_their_fields)
{
	ask_names(false);
}

TEST(dns_queries_come_with_their_fields_as_they_happen)
{
	ask_names(true);
}

TEST(sums_of_losses_and_the_capture_are_told)
{
	struct netprobe_loss_stats l = { .size = sizeof(l) };
	struct netprobe_capture cap = { .size = sizeof(cap) };
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);

	FAILS(ENODEV, netprobe_manager_get_loss_stats(m, &l, &err));
	FAILS(ENODEV, netprobe_manager_get_capture(m, &cap, &err));
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_tick(m));
	OK(netprobe_manager_get_loss_stats(m, &l, &err));
	CHECK_EQ(l.lost_bytes, 0, "bytes lost");
	OK(netprobe_manager_get_capture(m, &cap, &err));
	CHECK(cap.capture == NETPROBE_CAPTURE_EBPF && !strcmp(cap.mode, "ebpf") && cap.family[0] &&
		      cap.programs > 5 && cap.host[0] && cap.open_sockets <= cap.flows,
	      "capture %u %s, hooks %s, %u programs", cap.capture, cap.mode, cap.family,
	      cap.programs);
	l.size = 3;
	FAILS(EINVAL, netprobe_manager_get_loss_stats(m, &l, &err));
	cap.size = 3;
	FAILS(EINVAL, netprobe_manager_get_capture(m, &cap, &err));
	CHECK(!strcmp(netprobe_verdict_name(NETPROBE_VERDICT_LOSS), "loss") &&
		      !netprobe_verdict_name(NETPROBE_VERDICT_NONE) &&
		      !strcmp(netprobe_latency_name(NETPROBE_LATENCY_RTT), "rtt") &&
		      !netprobe_latency_name(NETPROBE_LATENCY_MAX),
	      "names");
	netprobe_manager_free(m);
}

struct found {
	uint32_t pid;
	uint64_t key, tx_bytes;
	unsigned int rows, conns;
	bool judged;
};

static int find_row(const struct netprobe_row *row, void *arg)
{
	struct found *f = arg;

	f->rows++;
	if (row->pid != f->pid)
		return 0;
	f->key = row->key;
	f->tx_bytes += row->tx_bytes;
	f->conns += row->flow && row->flow->tx_bytes == row->tx_bytes;
	f->judged = f->judged || row->verdict != NETPROBE_VERDICT_NONE;
	return 0;
}

TEST(rows_are_summed_up_by_process_and_drilled_into)
{
	struct netprobe_view_query q = { .size = sizeof(q), .sort = NETPROBE_SORT_TOTAL };
	struct netprobe_view v = { .size = sizeof(v) };
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m;
	struct found f = { 0 }, all = { 0 };
	struct maker maker;
	int64_t deadline;

	c.keep_closed = false;
	m = manager(&c);
	FAILS(ENODEV, netprobe_manager_view(m, &q, find_row, &f, &v, &err));
	FAILS(ENODEV, netprobe_manager_watch_health(m, true, &err));
	FAILS(ENODEV, netprobe_manager_restart_sums(m, &err));
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_watch_health(m, true, &err));
	maker = maker_start(NULL, -1, "stream --hold sent --bytes 200000");
	f.pid = (uint32_t)maker_wait_hold(&maker);
	OK(netprobe_manager_tick(m));
	OK(netprobe_manager_view(m, &q, find_row, &f, &v, &err));
	CHECK_EQ(f.tx_bytes, 200000, "bytes of the maker's row");
	CHECK(v.n_total == f.rows && v.tx_bytes >= 200000 && v.processes > 0,
	      "%u rows of %zu, %" PRIu64 " bytes", f.rows, v.n_total, v.tx_bytes);
	q.process = f.key;
	q.kind = NETPROBE_VIEW_CONNECTION;
	all.pid = f.pid;
	deadline = deadline_in(20000);
	while (!all.judged && now_ms() < deadline) {
		all = (struct found){ .pid = f.pid };
		look(m);
		OK(netprobe_manager_tick(m));
		OK(netprobe_manager_view(m, &q, find_row, &all, NULL, &err));
	}
	CHECK(all.judged, "no connection has a verdict");
	CHECK(all.conns == all.rows && all.tx_bytes == 200000, "%u of %u rows, %" PRIu64 " bytes",
	      all.conns, all.rows, all.tx_bytes);
	CHECK_EQ(netprobe_manager_connection(m, all.key, find_row, &all, &err), 0, "by its key");
	FAILS(ENOENT, netprobe_manager_connection(m, UINT64_MAX, find_row, &all, &err));
	OK(netprobe_manager_restart_sums(m, &err));
	OK(netprobe_manager_tick(m));
	q.idle = true;
	for (uint32_t kind = NETPROBE_VIEW_PROCESS; kind <= NETPROBE_VIEW_CONNECTION; kind++) {
		all = (struct found){ .pid = f.pid };
		q.kind = kind;
		OK(netprobe_manager_view(m, &q, find_row, &all, NULL, &err));
		CHECK(all.rows > 0 && all.tx_bytes == 0, "%u rows, %" PRIu64 " bytes of before",
		      all.rows, all.tx_bytes);
	}
	q.process = 1;
	FAILS(ESRCH, netprobe_manager_view(m, &q, find_row, &all, NULL, &err));
	q.kind = NETPROBE_VIEW_MAX;
	FAILS(EINVAL, netprobe_manager_view(m, &q, find_row, &all, NULL, &err));
	q.size = 3;
	FAILS(EINVAL, netprobe_manager_view(m, &q, find_row, &all, NULL, &err));
	maker_go(&maker);
	maker_finish(&maker);
	netprobe_manager_free(m);
}

#define SOCKETS 400

/* What several workers tell: each socket by one thread, its opening before its end. */
struct crowd {
	pthread_mutex_t lock;
	char port[16]; /* of the test's own connections */
	struct {
		char entity[40];
		pthread_t thread;
		unsigned int opened, closed;
	} sockets[SOCKETS];
	unsigned int n, closed, threads, moved, early;
	pthread_t seen[64];
};

static void note_thread(struct crowd *c)
{
	for (unsigned int i = 0; i < c->threads; i++)
		if (pthread_equal(c->seen[i], pthread_self()))
			return;
	if (c->threads < 64)
		c->seen[c->threads++] = pthread_self();
}

static void note_event(struct crowd *c, const struct netprobe_event *ev)
{
	bool opens = !strcmp(ev->type, "conn.open");
	unsigned int i;

	if ((!opens && strcmp(ev->type, "conn.close") != 0) || !strstr(ev->json, c->port))
		return;
	for (i = 0; i < c->n && strcmp(c->sockets[i].entity, ev->entity_id) != 0; i++)
		;
	if (i == SOCKETS)
		return;
	if (i == c->n) {
		c->n++;
		snprintf(c->sockets[i].entity, sizeof(c->sockets[i].entity), "%s", ev->entity_id);
		c->sockets[i].thread = pthread_self();
	}
	c->moved += !pthread_equal(c->sockets[i].thread, pthread_self());
	c->sockets[i].opened += opens;
	c->sockets[i].closed += !opens;
	c->closed += !opens;
	c->early += !opens && !c->sockets[i].opened;
}

static void on_crowd(const struct netprobe_event *events, size_t n, void *arg)
{
	struct crowd *c = arg;

	pthread_mutex_lock(&c->lock);
	note_thread(c);
	for (size_t i = 0; i < n; i++)
		note_event(c, &events[i]);
	pthread_mutex_unlock(&c->lock);
}

static unsigned int closed_so_far(struct crowd *c)
{
	unsigned int n;

	pthread_mutex_lock(&c->lock);
	n = c->closed;
	pthread_mutex_unlock(&c->lock);
	return n;
}

static int listen_here(struct sockaddr_in *at)
{
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)at, sizeof(*at)) && !listen(fd, 16) &&
			!getsockname(fd, (struct sockaddr *)at, &size),
		"cannot listen: %s", strerror(errno));
	return fd;
}

static void connect_and_close(int listener, const struct sockaddr_in *at)
{
	int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), b;

	REQUIRE(a >= 0 && !connect(a, (const struct sockaddr *)at, sizeof(*at)), "connect: %s",
		strerror(errno));
	b = accept(listener, NULL, NULL);
	REQUIRE(b >= 0, "accept: %s", strerror(errno));
	close(a);
	close(b);
}

TEST(several_workers_share_sockets_and_keep_their_order)
{
	static struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct netprobe_config config;
	struct netprobe_manager *m = NULL;
	struct sockaddr_in at;
	int listener = listen_here(&at);
	int64_t deadline = deadline_in(20000);

	netprobe_config_default(&config);
	config.capture = NETPROBE_CAPTURE_EBPF;
	config.workers = 4;
	config.batch_timeout = 10;
	config.direct = true;
	FAILS(EINVAL, netprobe_manager_new_with_config(&config, &m, &err));
	config.direct = false;
	m = manager(&config);
	snprintf(c.port, sizeof(c.port), "port\":%u,", ntohs(at.sin_port));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW, on_crowd, &c));
	OK(netprobe_manager_load(m, &err));
	for (unsigned int i = 0; i < SOCKETS / 2; i++)
		connect_and_close(listener, &at);
	while (closed_so_far(&c) < SOCKETS && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 20));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW, NULL, NULL));
	CHECK_EQ(c.n, SOCKETS, "sockets");
	CHECK_EQ(c.closed, SOCKETS, "ends of them");
	CHECK_EQ(c.early, 0, "ends that came before the beginning");
	CHECK_EQ(c.moved, 0, "events of a socket in another thread than the one before");
	CHECK_EQ(c.threads, 4, "threads");
	netprobe_manager_free(m);
	close(listener);
}

static int tell_key(const char *key, char **ret_json, struct netprobe_error *e, void *arg)
{
	if (key && strcmp(key, "colour") != 0) {
		e->code = -EINVAL;
		snprintf(e->msg, sizeof(e->msg), "no such key");
		return -EINVAL;
	}
	return asprintf(ret_json, "{\"colour\":\"%s\"}", (char *)arg) < 0 ? -ENOMEM : 0;
}

static int take_key(const struct netprobe_setting *settings, size_t n, struct netprobe_error *e,
		    void *arg)
{
	if (n != 1 || strcmp(settings->key, "colour") != 0) {
		snprintf(e->msg, sizeof(e->msg), "no such key");
		return -ENOKEY;
	}
	strncpy(arg, settings->value, 15);
	return 0;
}

struct asking {
	const char *request;
	char *reply;
	bool done;
};

static void *ask(void *arg)
{
	struct asking *a = arg;

	(void)netprobe_instance_ask((uint32_t)getpid(), a->request, &a->reply, NULL);
	__atomic_store_n(&a->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Another thread asks, this one answers. */
static void expect(struct netprobe_instance *in, const char *request, const char *reply)
{
	struct asking a = { .request = request };
	pthread_t thread;

	REQUIRE(pthread_create(&thread, NULL, ask, &a) == 0, "no thread");
	while (!__atomic_load_n(&a.done, __ATOMIC_SEQ_CST)) {
		struct pollfd p = { .fd = netprobe_instance_fd(in), .events = POLLIN };

		if (poll(&p, 1, 10) > 0)
			OK(netprobe_instance_run(in));
	}
	pthread_join(thread, NULL);
	CHECK(a.reply && strstr(a.reply, reply), "%s: said %s", request, a.reply);
	free(a.reply);
}

TEST(a_program_can_be_asked_and_changed)
{
	char colour[16] = "red";
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);
	struct netprobe_instance *in = NULL;
	struct netprobe_instance_ops ops = { .size = sizeof(ops),
					     .command = "paint",
					     .get = tell_key,
					     .set = take_key,
					     .arg = colour };
	struct sockaddr_in at;
	int listener;

	OK(netprobe_manager_load(m, &err));
	/* Programs that saw nothing are not told of. */
	listener = listen_here(&at);
	connect_and_close(listener, &at);
	OK(netprobe_instance_new(m, &ops, &in, &err));
	expect(in, "{\"cmd\":\"info\"}", "\"command\":\"paint\",\"mode\":\"ebpf\"");
	expect(in, "{\"cmd\":\"stats\"}", "\"programs\":[{");
	expect(in, "{\"cmd\":\"get\"}", "\"values\":{\"colour\":\"red\"}");
	expect(in, "{\"cmd\":\"get\",\"key\":\"size\"}", "\"ok\":false");
	expect(in, "{\"cmd\":\"set\",\"values\":{\"colour\":\"blue\"}}",
	       "\"values\":{\"colour\":\"blue\"}");
	expect(in, "{\"cmd\":\"set\",\"values\":{\"size\":\"1\"}}", "\"ok\":false,\"code\":3");
	CHECK(!strcmp(colour, "blue"), "the colour is %s", colour);
	ops.size = 3;
	FAILS(EINVAL, netprobe_instance_new(m, &ops, &in, &err));
	CHECK(!netprobe_instance_free(in) && !netprobe_instance_free(NULL), "freeing");
	FAILS(EINVAL, netprobe_instance_fd(NULL));
	FAILS(EINVAL, netprobe_instance_run(NULL));
	netprobe_manager_free(m);
	close(listener);
}
