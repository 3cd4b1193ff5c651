/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rows and records of every command have in common: the keys they begin with, and a container's. Types of rows are
 * in event/types_rows.c, which a live test holds the commands to.
 */
#ifndef NETPROBE_CLI_ROW_H
#define NETPROBE_CLI_ROW_H

#include <netprobe/netprobe.h>

#include "cli/strings.h"
#include "out/table.h"

/* Of table_column. */
#define ROW_COLUMNS                                                 \
	{ .name = "schema" }, { .name = "ts" }, { .name = "host" }, \
	{                                                           \
		.name = "mode"                                      \
	}
#define CONTAINER_COLUMNS                                                                          \
	{ .name = "container.id" }, { .name = "container.name" }, { .name = "container.runtime" }, \
		{ .name = "container.pod" }, { .name = "container.namespace" },                    \
		{ .name = "container.image" }, { .name = "container.pod_name" },                   \
		{ .name = "container.project" },                                                   \
	{                                                                                          \
		.name = "container.service"                                                        \
	}
/* Of an interface (netprobe_row.link); text has those with a title, and of other rows none. */
#define LINK_COLUMNS                                                                             \
	{ "link.state", "LINK", UNIT_NONE, false, 2 },                                           \
		{ "link.speed_mbit_per_s", "MBIT/s", UNIT_NONE, true, 3 },                       \
		{ "link.duplex", "DUPLEX", UNIT_NONE, false, 8 }, { .name = "link.tx_bytes" },   \
		{ .name = "link.rx_bytes" }, { "link.tx_packets", "TXPKT", UNIT_NONE, true, 7 }, \
		{ "link.rx_packets", "RXPKT", UNIT_NONE, true, 7 },                              \
		{ "link.tx_errors", "TXERR", UNIT_NONE, true, 3 },                               \
		{ "link.rx_errors", "RXERR", UNIT_NONE, true, 3 },                               \
		{ "link.tx_dropped", "TXDRP", UNIT_NONE, true, 3 },                              \
		{ "link.rx_dropped", "RXDRP", UNIT_NONE, true, 3 },                              \
		{ .name = "link.tx_bytes_per_s" }, { .name = "link.rx_bytes_per_s" },            \
		{ .name = "link.tx_packets_per_s" }, { .name = "link.rx_packets_per_s" },        \
		{ .name = "link.tx_owned" },                                                     \
	{                                                                                        \
		.name = "link.rx_owned"                                                          \
	}
#define LINK_CELLS 17
#define ROW_CELLS 4
#define CONTAINER_CELLS 9

/* When, where and how rows were made. */
struct row_stamp {
	char ts[40], host[sizeof(((struct netprobe_capture *)0)->host)], mode[16];
};

/* m NULL, or nothing loaded: guard's rows, which are of ebpf. */
void row_stamp_take(struct row_stamp *to, struct netprobe_manager *m);
/* How many: ROW_CELLS, CONTAINER_CELLS. Strings are borrowed. */
unsigned int row_cells(struct cell *c, const struct row_stamp *stamp);
unsigned int row_container_cells(struct cell *c, const struct netprobe_container *x);
/* link NULL: not known. */
unsigned int row_link_cells(struct cell *c, const struct netprobe_link *link);
/* Of netprobe_latency_quantile: null where nothing was timed, and where the slot has no end. */
struct cell row_latency_cell(uint64_t us);
/* "{" and the keys of ROW_COLUMNS. */
void row_begin_json(struct buf *b, const struct row_stamp *stamp);
void row_container_json(struct buf *b, const struct netprobe_container *x);
/* Its strings are copied. -ENOMEM. */
int row_container_keep(struct strings *s, struct netprobe_container *x);
bool row_container_same(const struct netprobe_container *a, const struct netprobe_container *b);

#endif
