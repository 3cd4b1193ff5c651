/* SPDX-License-Identifier: BSD-2-Clause */
/* See sight.h. */
#include "engine/sight.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "engine/pcap.h"
#include "engine/tap.h"

int sight_prepare(struct sight *t, struct session_opts *opts)
{
	uint16_t *ports = t->ports;
	uint32_t from = opts->names.from;
	struct tap_opts to = { .ports = ports,
			       .first = from & (NETPROBE_NAMES_SNI | NETPROBE_NAMES_HTTP),
			       .all = opts->pcap != NULL };

	if (from & NETPROBE_NAMES_DNS)
		to.n_ports = names_ports(&opts->names, ports);
	if (!to.n_ports && !to.first && !to.all)
		return 0;
	t->tap = tap_new(&to);
	if (!t->tap)
		return -ENOMEM;
	opts->packets.fn = tap_packet;
	opts->packets.arg = t->tap;
	opts->packets.wide_ports = ports;
	opts->packets.n_wide = to.n_ports;
	opts->packets.wide_tls = from & NETPROBE_NAMES_SNI;
	opts->packets.wide_http = from & NETPROBE_NAMES_HTTP;
	return 0;
}

static const char *names_of(const void *arg, const uint8_t addr[16], uint64_t at_ns)
{
	return names_find(((const struct sight *)arg)->names, addr, at_ns);
}

static int open_names(struct sight *t, struct probe *probe, struct netprobe_error *err)
{
	struct names_opts opts = t->opts->names;
	int r;

	if (!opts.from)
		return 0;
	opts.tapped = t->rung->ops->whose != NULL;
	r = names_open(t->session, probe, &opts, &t->opts->filter, opts.silent ? NULL : t->fn,
		       t->arg, &t->names, err);
	if (r)
		return r;
	viewer_set_names(session_viewer(t->session), names_of, t);
	if (names_note(t->names)[0])
		log_info("%s", names_note(t->names));
	return 0;
}

int sight_open(struct sight *t, struct probe *probe, struct netprobe_error *err)
{
	const struct tap *tap = t->rung->ops->whose ? t->tap : NULL;
	int r = open_names(t, probe, err);

	if (!r && t->opts->pcap)
		r = pcap_open(t->session, probe, tap, t->opts->pcap, &t->opts->filter, &t->pcap,
			      err);
	return r;
}

void sight_close(struct sight *t)
{
	t->pcap = pcap_close(t->pcap);
	t->names = names_close(t->names);
}

void sight_done(struct sight *t)
{
	t->tap = tap_free(t->tap);
}

int sight_poll(struct sight *t, uint64_t now_ns)
{
	int r = t->names ? names_poll(t->names, now_ns) : 0;

	return r || !t->pcap ? r : pcap_poll(t->pcap);
}

static void on_tapped(const struct np_ev_packet *seen, uint16_t hatype, const uint8_t *bytes,
		      void *arg)
{
	struct np_ev_packet ev = *seen;
	struct sight *t = arg;
	struct rung_whose w;

	if (t->rung->ops->whose(t->rung->arg, &ev.tuple, &w))
		return;
	ev.owner = w.owner;
	ev.sock_id = w.sock_id;
	ev.wanted = w.wanted;
	ev.tuple.netns = w.netns;
	memcpy(ev.tuple.ifname, w.ifname, sizeof(ev.tuple.ifname));
	if (ev.hdr.type == NP_PACKET_PCAP && t->pcap)
		pcap_packet(t->pcap, &ev, hatype, bytes);
	else if (ev.hdr.type != NP_PACKET_PCAP && w.local && t->names)
		names_packet(t->names, &ev, bytes);
}

void sight_drain(struct sight *t)
{
	if (t->tap && t->rung->ops->whose)
		tap_drain(t->tap, on_tapped, t);
}

void sight_account(const struct sight *t, struct losses *to)
{
	if (t->names)
		names_account(t->names, to);
	if (t->pcap)
		pcap_account(t->pcap, to);
}

void sight_finish(struct sight *t)
{
	if (t->names)
		names_finish(t->names);
	if (t->pcap)
		pcap_finish(t->pcap);
}

void sight_set_filter(struct sight *t, const struct np_filter *filter)
{
	if (t->names)
		names_set_filter(t->names, filter);
	if (t->pcap)
		pcap_set_filter(t->pcap, filter);
}
