/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a row's cells, each at most as wide as its column, and their styles. */
#ifndef NETPROBE_TUI_CELLS_H
#define NETPROBE_TUI_CELLS_H

#include "tui/grid.h"
#include "tui/model.h"

/* s gets the text. */
enum style cell_tx(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_rx(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_tx_total(const struct tui_model *m, const struct tui_row *row, char *s,
			 size_t size);
enum style cell_rx_total(const struct tui_model *m, const struct tui_row *row, char *s,
			 size_t size);
enum style cell_total(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_pid(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_conns(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_rtt(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_retrans(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_owner(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_state(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_proto(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_iface(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_place(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_netns(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_timeout(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_fast(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_tlp(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_synack(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_spurious(const struct tui_model *m, const struct tui_row *row, char *s,
			 size_t size);
enum style cell_drops(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_stall(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_verdict(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_user(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_service(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_queue(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_backlog(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_retrans_rate(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size);
enum style cell_retrans_share(const struct tui_model *m, const struct tui_row *row, char *s,
			      size_t size);
enum style cell_peer(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_command(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_link(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
enum style cell_tx_packets(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
enum style cell_rx_packets(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
enum style cell_tx_errors(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size);
enum style cell_rx_errors(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size);
enum style cell_tx_dropped(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
enum style cell_rx_dropped(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
enum style cell_tx_owned(const struct tui_model *m, const struct tui_row *row, char *s,
			 size_t size);
enum style cell_rx_owned(const struct tui_model *m, const struct tui_row *row, char *s,
			 size_t size);
#define RETRANS_BAD 1 /* percent of segments sent again that is felt */
/* NETPROBE_VERDICT_* as a column has room for it: "rwnd"; "-" for -1. */
const char *verdict_short(int verdict);
enum style verdict_style(int verdict);

#endif
