/* SPDX-License-Identifier: BSD-2-Clause */
/* Guard's counters and findings in JSON and text (see device.h). */
#include "out/device.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "out/event.h"
#include "out/table.h"

static const char *const kind_names[NP_KIND_MAX] = { "tcp", "udp", "icmp", "other", "non_ip" };
static const char *const drop_names[NP_DROP_MAX] = { "ban", "limit", "detect", "syn_cookie" };
static const char *const bad_names[NP_FRAME_BAD_MAX] = {
	[NP_FRAME_SHORT_ETH] = "short_ethernet",  [NP_FRAME_MANY_TAGS] = "many_tags",
	[NP_FRAME_SHORT_IP] = "short_ip",	  [NP_FRAME_IP_VERSION] = "ip_version",
	[NP_FRAME_IP_HEADER] = "ip_header",	  [NP_FRAME_IP_LENGTH] = "ip_length",
	[NP_FRAME_EXT_SHORT] = "short_extension", [NP_FRAME_EXT_MANY] = "many_extensions",
	[NP_FRAME_FRAG_END] = "fragment_end",	  [NP_FRAME_FRAG_SIZE] = "fragment_size",
	[NP_FRAME_FRAG_TINY] = "fragment_tiny",	  [NP_FRAME_SHORT_L4] = "short_transport",
	[NP_FRAME_TCP_HEADER] = "tcp_header",	  [NP_FRAME_TCP_FLAGS] = "tcp_flags",
	[NP_FRAME_UDP_LENGTH] = "udp_length",	  [NP_FRAME_PORT_ZERO] = "port_zero",
};

static void put_way(struct buf *b, const char *name, const struct np_guard_way *w,
		    const struct event_device_own *own)
{
	json_key(b, name);
	buf_putc(b, '{');
	json_kv_u64(b, "packets", w->packets);
	json_kv_u64(b, "bytes", w->bytes);
	json_kv_u64(b, "segments", w->segments);
	json_kv_u64(b, "wire_bytes", w->wire_bytes);
	json_kv_u64(b, "ipv6_packets", w->v6_packets);
	for (unsigned int k = 0; k < NP_KIND_MAX; k++) {
		json_key(b, kind_names[k]);
		buf_putc(b, '{');
		json_kv_u64(b, "packets", w->kind[k].packets);
		json_kv_u64(b, "bytes", w->kind[k].bytes);
		buf_putc(b, '}');
	}
	json_kv_u64(b, "device_packets", own->packets);
	json_kv_u64(b, "device_bytes", own->bytes);
	json_kv_u64(b, "device_dropped", own->dropped);
	json_kv_u64(b, "device_errors", own->errors);
	buf_putc(b, '}');
}

static void put_counts(struct buf *b, const char *name, const __u64 *v, unsigned int n,
		       const char *const *names)
{
	json_key(b, name);
	buf_putc(b, '{');
	for (unsigned int i = 0; i < n; i++)
		if (names[i])
			json_kv_u64(b, names[i], v[i]);
	buf_putc(b, '}');
}

static void put_dev(struct buf *b, const struct np_guard_dev *d)
{
	put_counts(b, "dropped", d->drops, NP_DROP_MAX, drop_names);
	json_kv_u64(b, "dropped_bytes", d->drop_bytes);
	put_counts(b, "would_drop", d->dry_drops, NP_DROP_MAX, drop_names);
	json_kv_u64(b, "allowed", d->allowed);
	json_kv_u64(b, "syn_cookies", d->cookies_sent);
	put_counts(b, "malformed", d->bad, NP_FRAME_BAD_MAX, bad_names);
	json_kv_u64(b, "lost_flows", d->flows_lost);
	json_kv_u64(b, "lost_sources", d->sources_lost);
	json_kv_u64(b, "lost_nested", d->nest_lost);
	json_kv_u64(b, "unfinished", d->unfinished);
}

static void put_all(struct buf *b, const struct event_device *e)
{
	put_way(b, "rx", &e->count->rx, &e->rx);
	put_way(b, "tx", &e->count->tx, &e->tx);
	put_dev(b, e->count);
	if (e->tx_errors_known)
		json_kv_u64(b, "tx_errors", e->count->tx_errors);
	else
		json_kv_null(b, "tx_errors");
}

void device_put_iface(struct buf *b, const struct event_device *e)
{
	if (!e) {
		buf_puts(b,
			 ",\"ifindex\":null,\"gone\":null,\"guard\":null,\"xdp\":null,\"tc\":null,"
			 "\"rx\":null,\"tx\":null,\"dropped\":null,\"dropped_bytes\":null,"
			 "\"would_drop\":null,\"allowed\":null,\"syn_cookies\":null,"
			 "\"malformed\":null,\"lost_flows\":null,\"lost_sources\":null,"
			 "\"lost_nested\":null,\"unfinished\":null,\"tx_errors\":null");
		return;
	}
	json_kv_u64(b, "ifindex", e->ifindex);
	json_kv_bool(b, "gone", e->gone);
	json_kv_str(b, "guard", e->mode);
	json_kv_str(b, "xdp", e->xdp);
	json_kv_str(b, "tc", e->tc);
	put_all(b, e);
}

void device_put_global(struct buf *b, const struct event_device *e)
{
	json_kv_u64(b, "interfaces", e->interfaces);
	put_all(b, e);
}

void news_put_json(struct buf *b, uint8_t kind, const struct event_news *n)
{
	if (kind == EVENT_AGAIN) {
		json_kv_str(b, "iface", n->iface);
	} else {
		json_kv_str(b, "vip", n->vip);
		json_kv_str(b, "backend", n->backend);
	}
	json_kv_str(b, "why", n->why);
}

void news_put_text(struct buf *b, uint8_t kind, const struct event_news *n)
{
	const char *why = n->why ?: "";

	if (kind == EVENT_AGAIN) {
		(void)utf8_put_field(b, n->iface, strlen(n->iface));
		buf_puts(b, n->why ? ": is back, and guard could not be attached to it"
				   : ": is back, and guard is on it again");
	} else {
		buf_printf(b, "%s: backend %s is %s", n->vip, n->backend, n->why ? "down" : "up");
	}
	if (n->why)
		buf_puts(b, ": ");
	(void)utf8_put_printable(b, why, strlen(why), 0);
	buf_putc(b, ' ');
}

static void put_bytes(struct buf *b, const char *name, uint64_t v)
{
	char text[16];

	unit_format(UNIT_BYTES, (double)v, text, sizeof(text));
	buf_printf(b, "%s %s ", name, text);
}

void device_put_text(struct buf *b, const struct event_device *e)
{
	uint64_t drops = 0, bad = 0;

	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		drops += e->count->drops[i];
	for (unsigned int i = 1; i < NP_FRAME_BAD_MAX; i++)
		bad += e->count->bad[i];
	if (!e->mode)
		buf_printf(b, "interfaces %u ", e->interfaces);
	put_bytes(b, "tx", e->count->tx.bytes);
	put_bytes(b, "rx", e->count->rx.bytes);
	if (drops)
		buf_printf(b, "dropped %llu ", (unsigned long long)drops);
	if (bad)
		buf_printf(b, "malformed %llu ", (unsigned long long)bad);
}

const char *attack_rule_name(unsigned int attack)
{
	static const char *const names[NP_ATTACK_MAX] = {
		[NP_ATTACK_SYN_FLOOD] = "syn_flood",   [NP_ATTACK_UDP_FLOOD] = "udp_flood",
		[NP_ATTACK_AMPLIFY] = "amplification", [NP_ATTACK_ICMP_FLOOD] = "icmp_flood",
		[NP_ATTACK_PORT_SCAN] = "port_scan",   [NP_ATTACK_HOST_SCAN] = "host_scan",
		[NP_ATTACK_ANOMALY] = "anomaly",
	};

	return attack < NP_ATTACK_MAX ? names[attack] : NULL;
}

static const char *action_name(uint8_t action)
{
	static const char *const names[] = { "off", "dry_run", "alert", "ban" };

	return names[action & 3];
}

double attack_sigmas(const struct np_ev_guard *ev)
{
	double dev = sqrt((double)ev->dev);

	return dev > 0 ? ((double)ev->seen - (double)ev->mean) / dev : 0;
}

bool attack_is_found(const struct np_ev_guard *ev)
{
	return ev->kind == NP_GUARD_EV_ATTACK;
}

const char *attack_source(const struct np_ev_guard *ev, char ret[ATTACK_SOURCE])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ev->saddr);
	bool host = attack_is_found(ev) || ev->len == 128;
	static const uint8_t none[16];
	char addr[INET6_ADDRSTRLEN] = "";

	ret[0] = '\0';
	if (ev->kind == NP_GUARD_EV_CHANGED || (host && !memcmp(ev->saddr, none, sizeof(none))))
		return ret;
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ev->saddr + 12 : ev->saddr, addr,
			sizeof(addr));
	if (host)
		(void)snprintf(ret, ATTACK_SOURCE, "%s", addr);
	else
		(void)snprintf(ret, ATTACK_SOURCE, "%s/%d", addr, v4 ? ev->len - 96 : ev->len);
	return ret;
}

double attack_ban_seconds(const struct np_ev_guard *ev)
{
	double s = (double)((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT) / 1e9;

	if (attack_is_found(ev))
		return s;
	/* Lists are told whole seconds, which end with a tick. */
	return ev->ban_ticks ? round(s) : INFINITY;
}

static void put_ports(struct buf *b, const struct np_ev_guard *ev)
{
	char text[16];

	if (attack_is_found(ev) || (!ev->dport && ev->port_to == 0xffff) || !ev->port_to) {
		json_kv_null(b, "ports");
		return;
	}
	if (ev->dport == ev->port_to)
		(void)snprintf(text, sizeof(text), "%u", ev->dport);
	else
		(void)snprintf(text, sizeof(text), "%u-%u", ev->dport, ev->port_to);
	json_kv_str(b, "ports", text);
}

/* What was banned or allowed: the same keys whoever did it. */
static void put_entry(struct buf *b, uint8_t kind, const struct np_ev_guard *ev)
{
	double s = attack_ban_seconds(ev);

	if (kind == EVENT_BAN || kind == EVENT_ALLOW) {
		if (isfinite(s))
			json_kv_double(b, "ttl_s", s);
		else
			json_kv_null(b, "ttl_s");
	}
	put_ports(b, ev);
	json_kv_bool(b, "dry_run", !attack_is_found(ev) && ev->dry_run);
	json_kv_str(b, "who", ev->who[0] ? ev->who : NULL);
	json_kv_str(b, "reason", ev->reason[0] ? ev->reason : NULL);
}

static void put_figure(struct buf *b, const char *key, bool known, uint64_t v)
{
	if (known)
		json_kv_u64(b, key, v);
	else
		json_kv_null(b, key);
}

void attack_put_json(struct buf *b, uint8_t kind, const struct np_ev_guard *ev)
{
	static const char *const lists[] = { "bans", "allowed", "both" };
	bool found = attack_is_found(ev);
	char source[ATTACK_SOURCE];

	if (kind == EVENT_LIST) {
		json_kv_str(b, "list", lists[ev->allow % 3]);
		json_kv_u64(b, "entries", ev->seen);
		json_kv_bool(b, "replaced", ev->action != 0);
		return;
	}
	json_kv_str(b, "source", attack_source(ev, source)[0] ? source : NULL);
	json_kv_str(b, "by", found || ev->kind == NP_GUARD_EV_LIFTED ? "detection" : "list");
	json_kv_str(b, "rule", found ? attack_rule_name(ev->attack) : NULL);
	json_kv_str(b, "action", found ? action_name(ev->action) : NULL);
	put_figure(b, "seen", found, ev->seen);
	put_figure(b, "limit", found, ev->limit);
	put_figure(b, "strikes", found, ev->strikes);
	if (kind == EVENT_ANOMALY) {
		json_kv_u64(b, "mean", ev->mean);
		json_kv_double(b, "sigmas", attack_sigmas(ev));
	}
	if (kind >= EVENT_BAN)
		put_entry(b, kind, ev);
}

/* Words that somebody gave: what would act on a terminal shows itself. */
static void put_said(struct buf *b, const char *what, const char *said, size_t size)
{
	char line[64];

	if (!said[0])
		return;
	(void)snprintf(line, sizeof(line), "%.*s", (int)size, said);
	utf8_one_line(line);
	buf_printf(b, "%s%s ", what, line);
}

void attack_put_text(struct buf *b, uint8_t kind, const struct np_ev_guard *ev)
{
	char source[ATTACK_SOURCE];

	if (kind == EVENT_LIST) {
		buf_printf(b, "%llu entries%s ", (unsigned long long)ev->seen,
			   ev->action ? ", others may be gone" : "");
		return;
	}
	if (attack_is_found(ev)) {
		buf_printf(b, "%s: %llu, limit %llu, %s ", attack_rule_name(ev->attack),
			   (unsigned long long)ev->seen, (unsigned long long)ev->limit,
			   action_name(ev->action));
		return;
	}
	buf_printf(b, "%s ", attack_source(ev, source));
	put_said(b, "by ", ev->who, sizeof(ev->who));
	put_said(b, "reason ", ev->reason, sizeof(ev->reason));
}
