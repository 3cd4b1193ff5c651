/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of the afpacket rung (see afpacket.h): sockets and rings opened, what the session asks for. */
#include "capture/match.h"
#include "capture/afpacket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/afpacket_internal.h"

#define FLOWS_MAX 262144
#define FINISH_NS \
	2000000000ULL /* readers that wait for a processor are waited for so long at the end */
#define PROVE_MS 1000

uint64_t afpacket_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

uint64_t afpacket_behind_ns(const struct afpacket *a)
{
	uint32_t timeout = a->opts.timeout_ms ? a->opts.timeout_ms : RING_TIMEOUT_MS;

	return (2ULL * timeout + 50) * 1000000ULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void close_rung(void *rung)
{
	struct afpacket *a = rung;

	if (!a)
		return;
	readers_stop(a);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		(void)ring_close(a->readers[i].ring);
		wire_done(&a->readers[i].wire);
		(void)pthread_mutex_destroy(&a->readers[i].lock);
	}
	(void)pthread_mutex_destroy(&a->fn_lock);
	(void)socks_close(a->socks);
	(void)links_close(a->links);
	(void)nat_free(a->nat);
	close_fd(a->herald);
	close_fd(a->timer);
	close_fd(a->wake);
	close_fd(a->stop);
	close_fd(a->epoll);
	free(a->parts);
	free(a);
}

/* Packets of the wanted interfaces only, whichever number those have by now. */
static int set_filters(struct afpacket *a)
{
	uint32_t ifindexes[NP_FILTER_SLOTS];
	int n = 0, r = 0;

	for (unsigned int i = 0; i < a->filter.n_iface; i++) {
		uint32_t ifindex = links_index(a->links, a->filter.iface[i]);

		if (ifindex)
			ifindexes[n++] = ifindex;
	}
	if (a->filter.n_iface && !n)
		n = -1;
	for (uint32_t i = 0; i < a->n_readers && !r; i++)
		r = ring_filter(a->readers[i].ring, ifindexes, n);
	return r;
}

/* That it came or went is said by the session. A name that goes to another interface does so in two steps. */
static void on_link(uint32_t ifindex, const char *name, bool came, void *arg)
{
	struct afpacket *a = arg;

	for (unsigned int i = 0; i < a->filter.n_iface; i++)
		if (!strcmp(a->filter.iface[i], name))
			(void)set_filters(a);
	(void)ifindex, (void)came;
}

static uint32_t set_filter(void *rung, const struct np_filter *filter)
{
	struct afpacket *a = rung;

	/* what was counted by now was counted under the filters of before */
	join_all(a, false);
	a->filter = *filter;
	(void)set_filters(a);
	return socks_set_filter(a->socks, filter);
}

static int events(void *rung, probe_event_fn fn, void *arg)
{
	struct afpacket *a = rung;
	int r = a->all_run ? 0 : readers_start(a);

	if (r)
		return r;
	links_read(a->links, on_link, a);
	meet_herald(a);
	meet_fresh(a);
	meet_pending(a);
	return socks_events(a->socks, fn, arg);
}

static int sweep(void *rung, bool full, probe_sock_fn fn, void *arg)
{
	struct afpacket *a = rung;
	int r = socks_list(a->socks);

	if (r)
		return r;
	a->now_ns = afpacket_clock();
	join_all(a, true);
	return socks_hand(a->socks, full, fn, arg);
}

static void watch_moved(void *rung, probe_sock_fn fn, void *arg)
{
	struct afpacket *a = rung;

	a->moved_fn = fn;
	a->moved_arg = arg;
}

static int parts(void *rung, probe_part_fn fn, void *arg)
{
	struct afpacket *a = rung;
	int n = (int)a->n_parts;

	for (uint32_t i = 0; i < a->n_parts; i++)
		fn(&a->parts[i].key, &a->parts[i].part, arg);
	a->n_parts = 0;
	return n;
}

static int fd(const void *rung)
{
	return ((const struct afpacket *)rung)->epoll;
}

static int stalls(void *rung, uint64_t threshold_ns)
{
	((struct afpacket *)rung)->stall_ns = threshold_ns;
	return 0;
}

static int losses(const void *rung, struct probe_loss ret_losses[LOSS_MAX])
{
	struct afpacket *a = (struct afpacket *)(uintptr_t)rung;
	struct np_loss *l = &ret_losses[LOSS_AFPACKET].loss;

	memset(ret_losses, 0, LOSS_MAX * sizeof(*ret_losses));
	socks_loss(a->socks, &ret_losses[LOSS_DIAG].loss);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		struct reader *r = &a->readers[i];
		uint64_t seen, dropped, full;

		(void)pthread_mutex_lock(&r->lock);
		ring_stats(r->ring, &seen, &dropped);
		full = r->wire.full_packets + r->wire.fragments.lost_packets;
		l->map_full += full;
		l->lost_rx_bytes += r->wire.full_bytes + r->wire.fragments.lost_bytes;
		l->filtered += r->unparsed;
		full += r->unparsed;
		(void)pthread_mutex_unlock(&r->lock);
		l->ring_full += dropped;
		/* what the kernel took in, dropped ones included */
		seen -= dropped < seen ? dropped : seen;
		l->submitted += seen > full ? seen - full : 0;
	}
	l->lost_rx_bytes += a->parts_lost_bytes;
	l->helper_err += a->parts_lost + a->nat_unasked;
	return 0;
}

static void finish(void *rung)
{
	struct afpacket *a = rung;
	uint32_t timeout = a->opts.timeout_ms ? a->opts.timeout_ms : RING_TIMEOUT_MS;

	/* The block under way is read when its time is up. */
	if (a->readers[0].running)
		(void)usleep((timeout < 500 ? 2 * timeout : 1000) * 1000);
	for (uint64_t end = afpacket_clock() + FINISH_NS;
	     readers_are_behind(a) && afpacket_clock() < end;)
		(void)usleep(1000);
	a->final = true;
	socks_finish(a->socks);
}

static const char *note(const void *rung)
{
	return socks_note(((const struct afpacket *)rung)->socks);
}

static int whose(void *rung, const struct np_tuple *t, struct rung_whose *ret)
{
	struct afpacket *a = rung;
	const struct sock *k = socks_find(a->socks, t);
	struct np_tuple own = *t;
	const char *name = links_name(a->links, t->ifindex);
	struct np_sock_rec rec = { .tuple = *t };

	if (!k && join_nat(a, &own))
		k = socks_find(a->socks, &own);
	*ret = (struct rung_whose){ .local = k || links_is_local(a->links, t->laddr) ||
					     join_is_group(t->laddr) };
	if (k) {
		ret->owner = rec.owner = rec.last = k->rec.owner;
		ret->sock_id = rec.sock_id = k->rec.sock_id;
	}
	ret->netns = rec.tuple.netns = socks_netns(a->socks);
	if (name)
		strncpy(ret->ifname, name, sizeof(ret->ifname) - 1);
	memcpy(rec.tuple.ifname, ret->ifname, sizeof(ret->ifname));
	ret->wanted = socks_pass(a->socks, &rec);
	return 0;
}

static const struct rung_ops afpacket_ops = {
	.mode = "afpacket",
	.close = close_rung,
	.set_filter = set_filter,
	.sweep = sweep,
	.watch_moved = watch_moved,
	.parts = parts,
	.events = events,
	.fd = fd,
	.stalls = stalls,
	.losses = losses,
	.finish = finish,
	.whose = whose,
	.note = note,
};

static void count_packet(struct packet *p, void *arg)
{
	(void)p;
	++*(uint32_t *)arg;
}

static uint32_t drain(struct afpacket *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n_readers; i++)
		while (ring_read(a->readers[i].ring, count_packet, &n) > 0)
			;
	return n;
}

/* A ring that is open need not deliver: send a datagram over loopback and see it come. */
static int prove(struct afpacket *a)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	uint64_t end = afpacket_clock() + PROVE_MS * 1000000ULL;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* to itself: what nobody waits for would be answered */
	bool sent = s >= 0 && !bind(s, (struct sockaddr *)&to, len) &&
		    !getsockname(s, (struct sockaddr *)&to, &len) &&
		    sendto(s, "", 1, 0, (struct sockaddr *)&to, len) == 1;
	uint32_t n = 0;

	/* Where loopback is down there is nothing to prove it by. */
	while (sent && !n && afpacket_clock() < end) {
		struct pollfd p[AFPACKET_RINGS_MAX];

		for (uint32_t i = 0; i < a->n_readers; i++)
			p[i] = (struct pollfd){ .fd = ring_fd(a->readers[i].ring),
						.events = POLLIN };
		(void)poll(p, a->n_readers, 100);
		n = drain(a);
	}
	close_fd(s);
	return n || !sent ? 0 : -EIO;
}

static int open_rings(struct afpacket *a, struct netprobe_error *err)
{
	struct ring_opts ro = { .bytes = a->opts.ring_bytes,
				.block = a->opts.block_bytes,
				.timeout_ms = a->opts.timeout_ms,
				.snaplen = a->opts.snaplen > RING_SNAP ? a->opts.snaplen : 0,
				.wide_ports = a->opts.wide_ports,
				.n_wide = a->opts.n_wide,
				.wide_tls = a->opts.wide_tls,
				.wide_http = a->opts.wide_http };
	uint32_t n = a->opts.rings ? a->opts.rings : 1;
	int r = 0;

	if (a->opts.fail_ring)
		return error_set(err, -ENOBUFS, "the kernel gives no packet ring of %u bytes: %s",
				 ro.bytes ? ro.bytes : RING_BYTES, strerror(ENOMEM));
	for (uint32_t i = 0; i < n && !r; i++) {
		struct reader *rd = &a->readers[i];

		rd->a = a;
		r = ring_open(&ro, &rd->ring, err);
		if (r)
			break;
		a->n_readers++;
		(void)pthread_mutex_init(&rd->lock, NULL);
		if (wire_init(&rd->wire, FLOWS_MAX / n))
			r = error_set(err, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < a->n_readers && !r; i++) {
		r = ring_start(a->readers[i].ring, n > 1, (uint16_t)getpid());
		if (r)
			error_set(err, r, "cannot receive from all interfaces: %s", strerror(-r));
	}
	return r;
}

static int watch(struct afpacket *a, int fd_)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd_ };

	if (fd_ < 0)
		return 0;
	return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd_, &ev) < 0 ? -errno : 0;
}

static int open_fds(struct afpacket *a, struct netprobe_error *err)
{
	int r = 0;

	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->epoll < 0 || a->timer < 0 || a->wake < 0 || a->stop < 0)
		return error_set(err, -errno, "cannot make descriptors: %s", strerror(errno));
	a->herald = herald_open();
	if (a->herald < 0)
		return error_set(err, a->herald, "cannot open a second packet socket: %s",
				 strerror(-a->herald));
	a->nat = nat_new(NULL, NULL);
	if (!a->nat)
		return error_set(err, -ENOMEM, "out of memory");
	a->links = links_open(&r);
	if (!a->links)
		return error_set(err, r, "cannot list interfaces (rtnetlink): %s", strerror(-r));
	return 0;
}

static uint64_t read_up_to(void *arg)
{
	return readers_read_ns(arg);
}

static int open_socks(struct afpacket *a, struct netprobe_error *err)
{
	struct socks_opts so = { .filter = &a->filter,
				 .by_packets = true,
				 .read_ns = read_up_to,
				 .last = join_last,
				 .arg = a };

	return socks_open(&so, &a->socks, err);
}

static int start(struct afpacket *a, struct netprobe_error *err)
{
	int r;

	for (uint32_t i = 0; i < a->n_readers; i++) {
		r = ring_filter(a->readers[i].ring, NULL, 0);
		if (r)
			return error_set(err, r, "the kernel refuses a socket filter: %s",
					 strerror(-r));
	}
	r = prove(a);
	if (r)
		return error_set(err, r, "the packet ring is open, but no packet comes");
	r = set_filters(a);
	if (r)
		return error_set(err, r, "the kernel refuses a socket filter: %s", strerror(-r));
	r = watch(a, a->herald);
	r = r ? r : watch(a, a->timer);
	r = r ? r : watch(a, a->wake);
	r = r ? r : watch(a, links_fd(a->links));
	r = r ? r : watch(a, socks_fd(a->socks));
	return r ? error_set(err, r, "cannot wait for packets: %s", strerror(-r)) : 0;
}

int afpacket_open(const struct afpacket_opts *opts, const struct np_filter *filter,
		  struct rung *ret_rung, struct netprobe_error *err)
{
	int r = match_check_ifaces(filter, "afpacket", err);
	struct afpacket *a;

	if (r)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	a->opts = *opts;
	a->filter = *filter;
	a->herald = a->epoll = a->timer = a->wake = a->stop = -1;
	(void)pthread_mutex_init(&a->fn_lock, NULL);
	r = open_rings(a, err);
	if (!r)
		r = open_fds(a, err);
	if (!r)
		r = open_socks(a, err);
	if (!r)
		r = start(a, err);
	if (r) {
		close_rung(a);
		return r;
	}
	*ret_rung = (struct rung){ &afpacket_ops, a };
	return 0;
}
