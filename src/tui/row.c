/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row: copied out of a view, compared. The text of names is kept as it came; it is made safe when
 * drawn (text.h).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"
#include "tui/model.h"
#include "tui/places.h"

#define UNKNOWN "? (unknown)"

static const uint8_t no_addr[16];

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

void row_place(char *to, size_t size, const struct netprobe_row *from)
{
	const char *runtime = *from->container.runtime ? from->container.runtime : "container";
	size_t len;

	if (!from->cgroup || !*from->cgroup)
		return;
	if (*from->container.id) {
		if (*from->container.name)
			(void)snprintf(to, size, "%s %s", runtime, from->container.name);
		else
			(void)snprintf(to, size, "%s %.12s", runtime, from->container.id);
		return;
	}
	if (!strcmp(from->cgroup, "/")) {
		copy_text(to, size, "host"); /* as the view of containers calls it */
		return;
	}
	len = strlen(from->cgroup);
	copy_text(to, size, len < size ? from->cgroup : from->cgroup + len - size + 1);
}

static void copy_place(struct tui_row *to, const struct netprobe_row *from)
{
	row_place(to->place, sizeof(to->place), from);
}

static void copy_process(struct tui_row *to, const struct netprobe_row *from)
{
	if (!from->pid) {
		copy_text(to->name, sizeof(to->name), UNKNOWN);
		return;
	}
	to->pid = from->pid;
	to->ppid = from->ppid;
	to->start_ns = from->start_ns;
	copy_place(to, from);
}

static void copy_listener(struct tui_row *to, const struct netprobe_flow *f)
{
	fmt_endpoint(f->laddr, f->lport, to->name, sizeof(to->name));
	to->brief[0] = '\0';
	to->netns = f->netns;
	to->state = fmt_tcp_state(f->tcp_state);
}

static void copy_service(struct tui_row *to, const struct netprobe_flow *f)
{
	bool udp = f->proto == IPPROTO_UDP || f->proto == IPPROTO_UDPLITE;
	const char *name = f->rport ? place_service(f->rport, udp) : "";

	copy_text(to->service, sizeof(to->service), *name ? name : place_service(f->lport, udp));
}

static void copy_flow(struct tui_row *to, const struct netprobe_row *from)
{
	const struct netprobe_flow *f = from->flow;
	char local[FMT_ENDPOINT_MAX], remote[FMT_ENDPOINT_MAX + 64];

	if (from->pid) {
		(void)snprintf(to->owner, sizeof(to->owner), "%.16s[%u]", from->comm, from->pid);
		copy_place(to, from);
	} else {
		copy_text(to->owner, sizeof(to->owner), UNKNOWN);
	}
	if (!f)
		return;
	to->lport = f->lport;
	to->protocol = f->proto;
	to->sock = f->part ? 0 : f->sock;
	to->owner_pid = f->pid;
	to->netns = f->netns;
	memcpy(to->laddr, f->laddr, sizeof(to->laddr));
	memcpy(to->addr, f->raddr, sizeof(to->addr));
	to->rport = f->rport;
	fmt_endpoint(f->laddr, f->lport, local, sizeof(local));
	if (*from->rname && f->rport)
		(void)snprintf(remote, sizeof(remote), "%.*s:%u", (int)sizeof(remote) - 7,
			       from->rname, f->rport);
	else
		fmt_endpoint(f->raddr, f->rport, remote, sizeof(remote));
	/* The separator is put in when drawn, in the glyphs of the terminal. */
	(void)snprintf(to->name, sizeof(to->name), "%s > %s", local, remote);
	if (f->lport)
		(void)snprintf(to->brief, sizeof(to->brief), ":%u > %.84s", f->lport, remote);
	else
		(void)snprintf(to->brief, sizeof(to->brief), ":* > %.84s", remote);
	copy_text(to->iface, sizeof(to->iface), f->iface);
	to->state = fmt_tcp_state(f->tcp_state);
	to->proto = fmt_proto(f->proto);
	copy_service(to, f);
}

static void copy_container(struct tui_row *to, const struct netprobe_row *from)
{
	size_t len = from->cgroup ? strlen(from->cgroup) : 0;

	to->known = len > 0;
	if (!to->known)
		copy_text(to->name, sizeof(to->name), UNKNOWN);
	else if (len > 1) /* the view has a better name than "/" for the root */
		copy_text(to->name, sizeof(to->name),
			  len < sizeof(to->name) ? from->cgroup
						 : from->cgroup + len - sizeof(to->name) + 1);
	if (to->known && *from->container.id)
		copy_place(to, from);
}

void row_trouble(struct tui_trouble *to, const struct netprobe_row *from)
{
	*to = (struct tui_trouble){ .timeout = from->retransmits_timeout,
				    .fast = from->retransmits_fast,
				    .probe = from->retransmits_tail_loss_probe,
				    .synack = from->retransmits_synack,
				    .spurious = from->retransmits_spurious,
				    .stall_ns = from->stall_ns };
}

static float owned(double unowned)
{
	return unowned < 0 ? -1 : (float)(100 * (1 - unowned));
}

static void copy_link(struct tui_link *to, const struct netprobe_link *from)
{
	if (!from) {
		to->owned[TUI_TX] = to->owned[TUI_RX] = -1;
		return;
	}
	*to = (struct tui_link){
		.known = true,
		.state = from->state,
		.mbit = from->speed_mbit,
		.duplex = from->duplex,
		.packets_s = { (float)from->tx_packets_per_s, (float)from->rx_packets_per_s },
		.errors = { from->tx_errors, from->rx_errors },
		.dropped = { from->tx_dropped, from->rx_dropped },
		.owned = { owned(from->tx_unowned), owned(from->rx_unowned) },
	};
}

void row_copy(struct tui_row *to, const struct netprobe_row *from, uint8_t kind)
{
	memset(to, 0, offsetof(struct tui_row, samples));
	copy_text(to->name, sizeof(to->name), from->group);
	to->key = from->key;
	to->uncounted = from->tx_bytes_per_s < 0;
	if (!to->uncounted) {
		to->tx_rate = (float)from->tx_bytes_per_s;
		to->rx_rate = (float)from->rx_bytes_per_s;
		to->tx_bytes = from->tx_bytes;
		to->rx_bytes = from->rx_bytes;
	}
	to->retrans = from->retransmits;
	row_trouble(&to->trouble, from);
	to->drops = from->drops;
	to->has_drops = from->has_drops;
	to->verdict = from->verdict < NETPROBE_VERDICT_MAX ? (int)from->verdict : -1;
	to->conns = from->connections;
	to->rtt_us = from->srtt_us;
	to->exited = from->exited;
	to->netns = from->netns;
	memcpy(to->addr, from->addr, sizeof(to->addr));
	samples_copy(&to->samples, from->rates, from->n_rates);
	to->rest = from->rest;
	to->ownerless = from->what && *from->what;
	to->retrans_rate = (float)from->retransmit_rate;
	to->segs_rate = (float)from->segment_rate;
	to->retrans_share = to->segs_rate > 0 ? 100 * to->retrans_rate / to->segs_rate : -1;
	copy_link(&to->link, from->link);
	if (from->rest)
		return; /* its name says what it stands for, and nothing else is known of it */
	copy_text(to->user, sizeof(to->user), from->user);
	if (!to->user[0] && from->uid != UINT32_MAX)
		(void)snprintf(to->user, sizeof(to->user), "%u", from->uid);
	copy_text(to->exe, sizeof(to->exe), from->exe);
	if (from->peer_port || memcmp(from->peer, no_addr, sizeof(no_addr)) != 0)
		fmt_endpoint(from->peer, from->peer_port, to->peer, sizeof(to->peer));
	if (kind == NETPROBE_VIEW_PROCESS)
		copy_process(to, from);
	else if (kind == NETPROBE_VIEW_USER && from->uid != UINT32_MAX)
		copy_text(to->name, sizeof(to->name), to->user);
	else if (kind == NETPROBE_VIEW_CONNECTION)
		copy_flow(to, from);
	else if (kind == NETPROBE_VIEW_LISTEN && from->flow) {
		copy_flow(to, from);
		copy_listener(to, from->flow);
		to->has_queue = from->has_queue;
		to->queue = from->queue;
		to->backlog = from->backlog;
	} else if (kind == NETPROBE_VIEW_CONTAINER)
		copy_container(to, from);
	else if (kind == NETPROBE_VIEW_REMOTE && *from->rname)
		(void)snprintf(to->name, sizeof(to->name), "%.128s  %.64s", from->rname,
			       from->group);
	if (to->name[0] == '\0')
		copy_text(to->name, sizeof(to->name), UNKNOWN);
}

static int compare_number(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Most first, names from A. */
static int compare_by(const struct tui_row *a, const struct tui_row *b, uint8_t sort)
{
	switch (sort) {
	case NETPROBE_SORT_TX:
		return compare_number(b->tx_rate, a->tx_rate);
	case NETPROBE_SORT_RX:
		return compare_number(b->rx_rate, a->rx_rate);
	case NETPROBE_SORT_TOTAL:
		return compare_number((double)b->tx_bytes + (double)b->rx_bytes,
				      (double)a->tx_bytes + (double)a->rx_bytes);
	case NETPROBE_SORT_CONNECTIONS:
		return compare_u64(b->conns, a->conns);
	case NETPROBE_SORT_RTT:
		return compare_u64(b->rtt_us, a->rtt_us);
	case NETPROBE_SORT_RETRANS:
		return compare_u64(b->retrans, a->retrans);
	case NETPROBE_SORT_STALL:
		return compare_u64(b->trouble.stall_ns, a->trouble.stall_ns);
	case NETPROBE_SORT_NAME:
		return strcasecmp(a->name, b->name);
	default:
		return compare_number(b->tx_rate + b->rx_rate, a->tx_rate + a->rx_rate);
	}
}

int row_order(const struct tui_row *a, const struct tui_row *b, uint8_t sort)
{
	return compare_by(a, b, sort);
}

int row_compare(const struct tui_row *a, const struct tui_row *b, uint8_t sort, bool reverse)
{
	int d = compare_by(a, b, sort);

	/* Equal rows keep one order from frame to frame, whatever the sort. */
	if (d == 0)
		return compare_u64(a->key, b->key);
	return reverse ? -d : d;
}
