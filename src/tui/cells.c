/* SPDX-License-Identifier: BSD-2-Clause */
/* How each cell of a row reads. Where the columns stand is columns.c's. */
#include "tui/cells.h"

#include <stdio.h>

#include "base/netns.h"
#include "tui/fmt.h"
#include "tui/places.h"

#define OWNED_BAD 90 /* percent: less than that, and somebody moves bytes that no row here has */

static enum style unknown_cell(char *s, size_t size)
{
	(void)snprintf(s, size, "-");
	return STYLE_DIM;
}

static enum style rate_cell(const struct tui_model *m, float rate, enum style style, char *s,
			    size_t size)
{
	fmt_si(m->bits ? 8.0 * (double)rate : (double)rate, s, size);
	return rate > 0 ? style : STYLE_DIM;
}

enum style cell_tx(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	return row->uncounted ? unknown_cell(s, size)
			      : rate_cell(m, row->tx_rate, STYLE_TX, s, size);
}

enum style cell_rx(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	return row->uncounted ? unknown_cell(s, size)
			      : rate_cell(m, row->rx_rate, STYLE_RX, s, size);
}

static enum style bytes_cell(uint64_t bytes, char *s, size_t size)
{
	fmt_bytes(bytes, s, size);
	return bytes ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_tx_total(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return row->uncounted ? unknown_cell(s, size) : bytes_cell(row->tx_bytes, s, size);
}

enum style cell_rx_total(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return row->uncounted ? unknown_cell(s, size) : bytes_cell(row->rx_bytes, s, size);
}

enum style cell_total(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	uint64_t sum = row->tx_bytes + row->rx_bytes;

	(void)m;
	return row->uncounted ? unknown_cell(s, size)
			      : bytes_cell(sum < row->tx_bytes ? UINT64_MAX : sum, s, size);
}

enum style cell_pid(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	if (row->pid)
		(void)snprintf(s, size, "%u", row->pid);
	else
		(void)snprintf(s, size, "-");
	return STYLE_NORMAL;
}

enum style cell_conns(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	fmt_count(row->conns, s, size);
	return row->conns ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_rtt(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	fmt_usec(row->rtt_us, s, size);
	return row->rtt_us ? STYLE_NORMAL : STYLE_DIM;
}

/* In colour while it goes on: what was once is no reason to look. */
static enum style resent_cell(const struct tui_row *row, uint64_t n, char *s, size_t size)
{
	fmt_count(n, s, size);
	if (!n)
		return STYLE_DIM;
	return row->retrans_rate > 0 && row->retrans_share >= RETRANS_BAD ? STYLE_WARN
									  : STYLE_NORMAL;
}

enum style cell_retrans(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return resent_cell(row, row->retrans, s, size);
}

enum style cell_retrans_rate(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	fmt_si((double)row->retrans_rate, s, size);
	return row->retrans_rate > 0 ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_retrans_share(const struct tui_model *m, const struct tui_row *row, char *s,
			      size_t size)
{
	double share = (double)row->retrans_share;

	(void)m;
	if (share < 0)
		(void)snprintf(s, size, "-");
	else
		(void)snprintf(s, size, "%.*f%%", share > 0 && share < 10 ? 1 : 0,
			       share > 100 ? 100 : share);
	return share >= RETRANS_BAD ? STYLE_WARN : share > 0 ? STYLE_NORMAL : STYLE_DIM;
}

static enum style text_cell(const char *text, char *s, size_t size)
{
	(void)snprintf(s, size, "%s", text && *text ? text : "-");
	return text && *text ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_owner(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->owner, s, size);
}

enum style cell_user(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->user, s, size);
}

enum style cell_service(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->service, s, size);
}

enum style cell_peer(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->peer, s, size);
}

enum style cell_command(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	if (!m->elsewhere && !row->exited && place_command(row->pid, row->start_ns, s, size))
		return STYLE_NORMAL;
	return text_cell(row->exe, s, size);
}

static enum style queue_cell(const struct tui_row *row, uint32_t n, char *s, size_t size)
{
	if (!row->has_queue)
		return text_cell(NULL, s, size);
	fmt_count(n, s, size);
	return row->queue > row->backlog ? STYLE_WARN : n ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_queue(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return queue_cell(row, row->queue, s, size);
}

enum style cell_backlog(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return queue_cell(row, row->backlog, s, size);
}

enum style cell_state(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->state, s, size);
}

enum style cell_proto(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->proto, s, size);
}

enum style cell_iface(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->iface, s, size);
}

enum style cell_place(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return text_cell(row->place, s, size);
}

enum style cell_netns(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	const char *name = m->netns && !m->elsewhere ? netns_name(row->netns) : "";

	if (*name)
		(void)snprintf(s, size, "%s", name);
	else
		(void)snprintf(s, size, "%u", row->netns);
	return row->netns ? STYLE_NORMAL : STYLE_DIM;
}

static enum style trouble_cell(uint64_t n, char *s, size_t size)
{
	fmt_count(n, s, size);
	return n ? STYLE_WARN : STYLE_DIM;
}

/* "1G", "2.5G", "100M" where it is up and tells; "100Mh" of half duplex, which a link of today has by mistake. */
enum style cell_link(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	static const char *const states[] = { "-", "off", "down", "up" };
	const struct tui_link *l = &row->link;
	bool up = l->known && l->state == NETPROBE_LINK_UP;
	bool half = up && l->duplex == NETPROBE_DUPLEX_HALF;

	(void)m;
	if (up && l->mbit >= 1000)
		(void)snprintf(s, size, "%.3gG%s", (double)l->mbit / 1000, half ? "h" : "");
	else if (up && l->mbit)
		(void)snprintf(s, size, "%uM%s", l->mbit, half ? "h" : "");
	else
		(void)snprintf(s, size, "%s",
			       l->known && l->state <= NETPROBE_LINK_UP ? states[l->state] : "-");
	return half || l->state == NETPROBE_LINK_DOWN ? STYLE_WARN : up ? STYLE_NORMAL : STYLE_DIM;
}

static enum style packets_cell(const struct tui_row *row, int side, char *s, size_t size)
{
	if (!row->link.known)
		return text_cell(NULL, s, size);
	fmt_si((double)row->link.packets_s[side], s, size);
	return row->link.packets_s[side] > 0 ? STYLE_NORMAL : STYLE_DIM;
}

enum style cell_tx_packets(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	return packets_cell(row, TUI_TX, s, size);
}

enum style cell_rx_packets(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	return packets_cell(row, TUI_RX, s, size);
}

static enum style link_cell(const struct tui_row *row, uint64_t n, char *s, size_t size)
{
	return row->link.known ? trouble_cell(n, s, size) : text_cell(NULL, s, size);
}

enum style cell_tx_errors(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size)
{
	(void)m;
	return link_cell(row, row->link.errors[TUI_TX], s, size);
}

enum style cell_rx_errors(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size)
{
	(void)m;
	return link_cell(row, row->link.errors[TUI_RX], s, size);
}

enum style cell_tx_dropped(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	return link_cell(row, row->link.dropped[TUI_TX], s, size);
}

enum style cell_rx_dropped(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	return link_cell(row, row->link.dropped[TUI_RX], s, size);
}

static enum style owned_cell(float owned, char *s, size_t size)
{
	if (owned < 0)
		return text_cell(NULL, s, size);
	(void)snprintf(s, size, "%.0f%%", (double)owned);
	return owned < OWNED_BAD ? STYLE_WARN : STYLE_NORMAL;
}

enum style cell_tx_owned(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return owned_cell(row->link.owned[TUI_TX], s, size);
}

enum style cell_rx_owned(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return owned_cell(row->link.owned[TUI_RX], s, size);
}

enum style cell_timeout(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return resent_cell(row, row->trouble.timeout, s, size);
}

enum style cell_fast(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return resent_cell(row, row->trouble.fast, s, size);
}

enum style cell_tlp(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return resent_cell(row, row->trouble.probe, s, size);
}

enum style cell_synack(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return trouble_cell(row->trouble.synack, s, size);
}

enum style cell_spurious(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return resent_cell(row, row->trouble.spurious, s, size);
}

enum style cell_drops(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	return row->has_drops ? trouble_cell(row->drops, s, size) : text_cell(NULL, s, size);
}

enum style cell_stall(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	fmt_msec(row->trouble.stall_ns / 1000000, s, size);
	return row->trouble.stall_ns ? STYLE_WARN : STYLE_DIM;
}

const char *verdict_short(int verdict)
{
	static const char *const name[NETPROBE_VERDICT_MAX] = { "app",	"rwnd", "sndbuf",
								"cwnd", "loss", "paced" };

	return verdict >= 0 && verdict < NETPROBE_VERDICT_MAX ? name[verdict] : "-";
}

/* An application that pauses is nothing to worry about, a path that is full may be; the rest is. */
enum style verdict_style(int verdict)
{
	if (verdict <= NETPROBE_VERDICT_APPLICATION)
		return STYLE_DIM;
	return verdict == NETPROBE_VERDICT_CONGESTION_WINDOW ? STYLE_NORMAL : STYLE_WARN;
}

enum style cell_verdict(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	(void)m;
	(void)snprintf(s, size, "%s", verdict_short(row->verdict));
	return verdict_style(row->verdict);
}
