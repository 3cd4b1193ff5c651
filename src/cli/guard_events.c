/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard events`: security.* as detection finds it. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "out/table.h"

#define SWEEP_MS 1000
#define UNBANS 4096 /* bans whose end is told; of more it is not */

struct events_opts {
	bool help;
	int format;
	double duration;
	uint32_t count;
	uint32_t ready_fd;
};

struct unban {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	struct np_ev_guard ev;
};

struct watcher {
	struct events_opts o;
	struct buf out;
	struct sink sink;
	char host[256];
	uint32_t written;
	struct unban unbans[UNBANS];
	unsigned int n_unbans;
	uint64_t untold; /* ends of bans that found no room above */
};

static const char *const format_names[] = { "text", "json", NULL };
static const char *const attacks[NP_ATTACK_MAX] = { "syn_flood",  "udp_flood", "amplification",
						    "icmp_flood", "port_scan", "host_scan",
						    "anomaly" };
static const char *const actions[] = { "off", "dry_run", "alert", "ban" };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct events_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "end after this time", .min = 1),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "end after so many events", .min = 1),
	ROW("ready-fd", 0, OPTION_U32, ready_fd, "FD", "write R to this descriptor once it watches",
	    .flags = OPTION_HIDDEN, .min = 3, .max = 65535),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void addr_text(const uint8_t *a, char ret[INET6_ADDRSTRLEN])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, ret, INET6_ADDRSTRLEN);
}

static bool is_scan(const struct np_ev_guard *ev)
{
	return ev->attack == NP_ATTACK_PORT_SCAN || ev->attack == NP_ATTACK_HOST_SCAN;
}

static const char *unit_of(const struct np_ev_guard *ev, bool ban)
{
	if (ban)
		return "s";
	return ev->attack == NP_ATTACK_PORT_SCAN   ? "ports"
	       : ev->attack == NP_ATTACK_HOST_SCAN ? "hosts"
						   : "pps";
}

static double sigmas(const struct np_ev_guard *ev)
{
	double dev = sqrt((double)ev->dev);

	return dev > 0 ? ((double)ev->seen - (double)ev->mean) / dev : 0;
}

static void json_event(struct watcher *w, const struct np_ev_guard *ev, const char *type,
		       double num, const char *unit, const char *iface, uint64_t ktime)
{
	static const uint8_t none[16];
	char addr[INET6_ADDRSTRLEN], value[32];
	struct buf *b = &w->out;
	bool v4;

	(void)snprintf(value, sizeof(value), "%.0f", num);
	v4 = IN6_IS_ADDR_V4MAPPED(
		(const struct in6_addr *)(memcmp(ev->saddr, none, 16) ? ev->saddr : ev->daddr));
	buf_puts(b, "{\"ts\":\"");
	buf_time_ns(b, clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) + ktime);
	buf_puts(b, "\"");
	json_kv_u64(b, "ktime_ns", ktime);
	json_kv_str(b, "host", w->host);
	json_kv_str(b, "event_type", type);
	json_kv_str(b, "entity_id", iface);
	json_kv_str(b, "value", value);
	json_kv_double(b, "num", num);
	json_kv_str(b, "unit", unit);
	json_kv_str(b, "mode", "ebpf");
	json_kv_str(b, "iface", iface);
	json_kv_str(b, "family", v4 ? "ipv4" : "ipv6");
	json_kv_str(b, "direction", "rx");
	json_kv_str(b, "transport",
		    ev->proto == IPPROTO_TCP				       ? "tcp"
		    : ev->proto == IPPROTO_UDP				       ? "udp"
		    : ev->proto == IPPROTO_ICMP || ev->proto == IPPROTO_ICMPV6 ? "icmp"
									       : NULL);
	addr_text(ev->daddr, addr);
	json_kv_str(b, "laddr", addr);
	json_kv_u64_or_null(b, "lport", ev->dport);
	addr_text(ev->saddr, addr);
	json_kv_str(b, "raddr", memcmp(ev->saddr, none, 16) ? addr : NULL);
	json_kv_str(b, "rule", attacks[ev->attack % NP_ATTACK_MAX]);
	json_kv_str(b, "action", actions[ev->action % 4]);
	json_kv_u64(b, "seen", ev->seen);
	json_kv_u64(b, "limit", ev->limit);
	json_kv_u64(b, "strikes", ev->strikes);
	if (ev->attack == NP_ATTACK_ANOMALY) {
		json_kv_u64(b, "mean", ev->mean);
		json_kv_double(b, "sigmas", sigmas(ev));
	}
	buf_puts(b, "}\n");
}

static void text_event(struct watcher *w, const struct np_ev_guard *ev, const char *type,
		       double num, const char *unit, const char *iface, uint64_t ktime)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	addr_text(ev->saddr, src);
	addr_text(ev->daddr, dst);
	buf_time_ns(&w->out, clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) + ktime);
	buf_printf(&w->out, " %s %s %s -> %s %.0f %s (%s: %llu, limit %llu) %s\n", iface, type,
		   ev->attack == NP_ATTACK_ANOMALY ? "*" : src, dst, num, unit,
		   attacks[ev->attack % NP_ATTACK_MAX], (unsigned long long)ev->seen,
		   (unsigned long long)ev->limit, actions[ev->action % 4]);
}

static void write_event(struct watcher *w, const struct np_ev_guard *ev, const char *type,
			double num, const char *unit, uint64_t ktime)
{
	char name[IF_NAMESIZE];
	const char *iface = if_indextoname(ev->ifindex, name) ? name : "?";

	if (w->o.count && w->written >= w->o.count)
		return;
	(w->o.format == FORMAT_JSON ? json_event : text_event)(w, ev, type, num, unit, iface,
							       ktime);
	w->written++;
}

static double ban_seconds(const struct np_ev_guard *ev)
{
	return (double)((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT) / 1e9;
}

static void on_event(const struct np_ev_guard *ev, void *arg)
{
	struct watcher *w = arg;
	char type[48];

	if (ev->kind != NP_GUARD_EV_ATTACK || ev->attack >= NP_ATTACK_MAX)
		return;
	(void)snprintf(type, sizeof(type), "security.%s",
		       ev->attack == NP_ATTACK_AMPLIFY ? "udp_flood"
		       : is_scan(ev)		       ? "port_scan"
						       : attacks[ev->attack]);
	write_event(w, ev, type, (double)ev->seen, unit_of(ev, false), ev->ktime_ns);
	if (!ev->ban_ticks)
		return;
	write_event(w, ev, "security.ban", ban_seconds(ev), "s", ev->ktime_ns);
	if (w->n_unbans == UNBANS) {
		w->untold++;
		return;
	}
	w->unbans[w->n_unbans++] = (struct unban){
		.at_ns = ev->ktime_ns + ((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT),
		.ev = *ev,
	};
}

static void tell_unbans(struct watcher *w)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	for (unsigned int i = 0; i < w->n_unbans;) {
		if (w->unbans[i].at_ns > now) {
			i++;
			continue;
		}
		write_event(w, &w->unbans[i].ev, "security.unban", ban_seconds(&w->unbans[i].ev),
			    "s", w->unbans[i].at_ns);
		w->unbans[i] = w->unbans[--w->n_unbans];
	}
}

static int signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int loop(struct watcher *w, struct guard_watch *watch, int signal_fd)
{
	uint64_t end = w->o.duration > 0
			       ? clock_ns(CLOCK_MONOTONIC) + (uint64_t)(w->o.duration * 1e9)
			       : UINT64_MAX;
	struct pollfd p[2] = { { .fd = guard_watch_fd(watch), .events = POLLIN },
			       { .fd = signal_fd, .events = POLLIN } };
	bool done = false;
	int r = 0;

	while (!r && !done) {
		uint64_t now = clock_ns(CLOCK_MONOTONIC);
		int wait = end <= now			       ? 0
			   : end - now < SWEEP_MS * 1000000ULL ? (int)((end - now) / 1000000) + 1
							       : SWEEP_MS;

		if (poll(p, 2, wait) < 0 && errno != EINTR)
			r = -errno;
		done = (p[1].revents & POLLIN) || clock_ns(CLOCK_MONOTONIC) >= end;
		if (!r)
			r = guard_watch_poll(watch, on_event, w);
		tell_unbans(w);
		done = done || (w->o.count && w->written >= w->o.count);
		if (r >= 0)
			r = sink_write(&w->sink, &w->out);
	}
	return r;
}

static int watch(struct watcher *w)
{
	struct netprobe_error err = {};
	struct guard_watch *gw = NULL;
	struct guard *g = NULL;
	int r, fd = signals();

	r = guard_open(GUARD_SHARED, &g, &err);
	if (!r)
		r = guard_watch_open(g, &gw, &err);
	guard_close(g);
	if (r)
		return guard_failed(&err);
	if (w->o.ready_fd) {
		(void)!write((int)w->o.ready_fd, "R", 1);
		(void)close((int)w->o.ready_fd);
	}
	r = loop(w, gw, fd);
	guard_watch_close(gw);
	(void)close(fd);
	if (w->untold)
		log_notice("%llu ends of bans were not told", (unsigned long long)w->untold);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write events: %s", strerror(-r));
	return EXIT_INTERNAL;
}

int guard_cmd_events(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard events",
		.summary = "What detection finds, as it finds it: security.* events.",
		.tables = tables,
	};
	struct watcher *w = calloc(1, sizeof(*w));
	struct args_list operands = {};
	int r;

	if (!w)
		return EXIT_INTERNAL;
	w->sink.fd = STDOUT_FILENO;
	w->o.format = -1;
	r = guard_parse(&spec, argc, argv, &w->o, &w->o.help, &operands);
	if (r < 0) {
		if (w->o.format < 0)
			w->o.format = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_JSON;
		(void)gethostname(w->host, sizeof(w->host) - 1);
		r = watch(w);
	}
	buf_done(&w->out);
	free(w);
	args_list_done(&operands);
	return r;
}
