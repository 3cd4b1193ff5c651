/* SPDX-License-Identifier: BSD-2-Clause */
/* See row.h. */
#include "cli/row.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event/field.h"
#include "out/words.h"

void row_stamp_take(struct row_stamp *to, struct netprobe_manager *m)
{
	struct netprobe_capture now = { .size = sizeof(now) };
	struct timespec ts = {};
	struct buf b = {};

	*to = (struct row_stamp){ .mode = "ebpf" };
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	buf_time_ns(&b, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec);
	(void)snprintf(to->ts, sizeof(to->ts), "%s", buf_str(&b) ?: "");
	buf_done(&b);
	if (m && !netprobe_manager_get_capture(m, &now, NULL)) {
		(void)snprintf(to->host, sizeof(to->host), "%s", now.host);
		(void)snprintf(to->mode, sizeof(to->mode), "%s", now.mode);
	} else {
		(void)gethostname(to->host, sizeof(to->host) - 1);
	}
}

unsigned int row_cells(struct cell *c, const struct row_stamp *stamp)
{
	c[0] = cell_u64(RECORD_SCHEMA);
	c[1] = cell_str(stamp->ts);
	c[2] = cell_str(stamp->host);
	c[3] = cell_str(stamp->mode);
	return ROW_CELLS;
}

struct cell row_latency_cell(uint64_t us)
{
	return us == UINT64_MAX ? (struct cell){ .type = CELL_NULL } : cell_u64_or_null(us);
}

unsigned int row_container_cells(struct cell *c, const struct netprobe_container *x)
{
	c[0] = cell_str(x->id);
	c[1] = cell_str(x->name);
	c[2] = cell_str(x->runtime);
	c[3] = cell_str(x->pod);
	c[4] = cell_str(x->pod_namespace);
	c[5] = cell_str(x->image);
	c[6] = cell_str(x->pod_name);
	c[7] = cell_str(x->project);
	c[8] = cell_str(x->service);
	return CONTAINER_CELLS;
}

static struct cell share_cell(double unowned)
{
	return unowned < 0 ? (struct cell){ .type = CELL_NULL } : cell_double(1 - unowned);
}

unsigned int row_link_cells(struct cell *c, const struct netprobe_link *l)
{
	unsigned int i = 0;

	if (!l) {
		memset(c, 0, LINK_CELLS * sizeof(*c));
		return LINK_CELLS;
	}
	c[i++] = cell_str(link_state_name(l->state));
	c[i++] = cell_u64_or_null(l->speed_mbit);
	c[i++] = cell_str(link_duplex_name(l->duplex));
	c[i++] = cell_u64(l->tx_bytes);
	c[i++] = cell_u64(l->rx_bytes);
	c[i++] = cell_u64(l->tx_packets);
	c[i++] = cell_u64(l->rx_packets);
	c[i++] = cell_u64(l->tx_errors);
	c[i++] = cell_u64(l->rx_errors);
	c[i++] = cell_u64(l->tx_dropped);
	c[i++] = cell_u64(l->rx_dropped);
	c[i++] = cell_double(l->tx_bytes_per_s);
	c[i++] = cell_double(l->rx_bytes_per_s);
	c[i++] = cell_double(l->tx_packets_per_s);
	c[i++] = cell_double(l->rx_packets_per_s);
	c[i++] = share_cell(l->tx_unowned);
	c[i++] = share_cell(l->rx_unowned);
	return i;
}

void row_begin_json(struct buf *b, const struct row_stamp *stamp)
{
	buf_putc(b, '{');
	json_kv_u64(b, "schema", RECORD_SCHEMA);
	json_kv_str(b, "ts", stamp->ts);
	json_kv_str(b, "host", stamp->host);
	json_kv_str(b, "mode", stamp->mode);
}

static const char *known(const char *s)
{
	return s && *s ? s : NULL;
}

void row_container_json(struct buf *b, const struct netprobe_container *x)
{
	json_key(b, "container");
	if (!known(x->id)) {
		buf_puts(b, "null");
		return;
	}
	buf_putc(b, '{');
	json_kv_str(b, "id", x->id);
	json_kv_str(b, "name", known(x->name));
	json_kv_str(b, "runtime", known(x->runtime));
	json_kv_str(b, "pod", known(x->pod));
	json_kv_str(b, "namespace", known(x->pod_namespace));
	json_kv_str(b, "image", known(x->image));
	json_kv_str(b, "pod_name", known(x->pod_name));
	json_kv_str(b, "project", known(x->project));
	json_kv_str(b, "service", known(x->service));
	buf_putc(b, '}');
}

int row_container_keep(struct strings *s, struct netprobe_container *x)
{
	const char **parts[] = { &x->id,       &x->name,	  &x->runtime,
				 &x->pod,      &x->pod_namespace, &x->image,
				 &x->pod_name, &x->project,	  &x->service };
	int r = 0;

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]) && !r; i++)
		r = strings_keep(s, parts[i]);
	return r;
}

bool row_container_same(const struct netprobe_container *a, const struct netprobe_container *b)
{
	return !strcmp(a->id ?: "", b->id ?: "");
}
