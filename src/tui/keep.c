/* SPDX-License-Identifier: BSD-2-Clause */
/* One block for each row: freed as a whole. Its rates are not kept, the copy that is drawn has them. */
#include "tui/keep.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct kept_row {
	struct netprobe_row row;
	struct netprobe_flow flow;
	struct netprobe_latency latency;
	struct netprobe_link link;
	char text[];
};

#define CONTAINER(of)                                                                              \
	offsetof(of, container.id), offsetof(of, container.name), offsetof(of, container.runtime), \
		offsetof(of, container.pod), offsetof(of, container.pod_namespace),                \
		offsetof(of, container.image), offsetof(of, container.pod_name),                   \
		offsetof(of, container.project), offsetof(of, container.service)

/* Where strings are, in a row and in its flow. */
static const size_t row_texts[] = {
	offsetof(struct netprobe_row, group), offsetof(struct netprobe_row, rname),
	offsetof(struct netprobe_row, comm),  offsetof(struct netprobe_row, cgroup),
	CONTAINER(struct netprobe_row),	      offsetof(struct netprobe_row, what),
	offsetof(struct netprobe_row, user),  offsetof(struct netprobe_row, exe),
};
static const size_t flow_texts[] = {
	offsetof(struct netprobe_flow, comm),	   offsetof(struct netprobe_flow, exe),
	offsetof(struct netprobe_flow, last_comm), offsetof(struct netprobe_flow, cgroup),
	CONTAINER(struct netprobe_flow),	   offsetof(struct netprobe_flow, rname),
	offsetof(struct netprobe_flow, iface),	   offsetof(struct netprobe_flow, state),
};
#define N_ROW_TEXTS (sizeof(row_texts) / sizeof(row_texts[0]))
#define N_FLOW_TEXTS (sizeof(flow_texts) / sizeof(flow_texts[0]))

static const char **text_at(void *of, size_t offset)
{
	return (const char **)((char *)of + offset);
}

static size_t sizes(void *of, const size_t *texts, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += *text_at(of, texts[i]) ? strlen(*text_at(of, texts[i])) + 1 : 0;
	return size;
}

static char *move(void *of, const size_t *texts, size_t n, char *to)
{
	for (size_t i = 0; i < n; i++) {
		const char **text = text_at(of, texts[i]);
		size_t size = *text ? strlen(*text) + 1 : 0;

		if (!size)
			continue;
		memcpy(to, *text, size);
		*text = to;
		to += size;
	}
	return to;
}

struct kept_row *kept_new(const struct netprobe_row *from)
{
	struct netprobe_row row = *from;
	struct netprobe_flow flow = {};
	struct kept_row *kept;
	char *to;

	if (from->flow)
		flow = *from->flow;
	kept = malloc(sizeof(*kept) + sizes(&row, row_texts, N_ROW_TEXTS) +
		      sizes(&flow, flow_texts, N_FLOW_TEXTS));
	if (!kept)
		return NULL;
	to = move(&row, row_texts, N_ROW_TEXTS, kept->text);
	(void)move(&flow, flow_texts, N_FLOW_TEXTS, to);
	kept->flow = flow;
	row.flow = from->flow ? &kept->flow : NULL;
	if (from->latency)
		kept->latency = *from->latency;
	row.latency = from->latency ? &kept->latency : NULL;
	if (row.latency) {
		kept->latency.comm = "";
		kept->latency.container =
			(struct netprobe_container){ "", "", "", "", "", "", "", "", "" };
	}
	if (from->link)
		kept->link = *from->link;
	row.link = from->link ? &kept->link : NULL;
	row.rates = NULL;
	row.n_rates = 0;
	kept->row = row;
	return kept;
}

const struct netprobe_row *kept_get(const struct kept_row *kept)
{
	return &kept->row;
}
