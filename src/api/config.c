/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: defaults, checks, filters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/parse.h"

#define BATCH_MAX 65536
#define BATCH_MS_MAX 60000
#define REPORT_MS_MIN 10
#define REPORT_MS_MAX 3600000

API_PUBLIC void netprobe_config_default(struct netprobe_config *config)
{
	*config = (struct netprobe_config){
		.size = sizeof(*config),
		.capture = NETPROBE_CAPTURE_AUTO,
		.mode = NETPROBE_MODE_FILTER,
		.xdp_mode = NETPROBE_XDP_AUTO,
		.enable_xdp_events = true,
		.enable_tc_events = true,
		.enable_detailed_events = true,
		.enable_security_alerts = true,
		.enable_health_checks = true,
		.batch_size = 64,
		.batch_timeout_ms = 100,
		.stats_report_interval_ms = 1000,
		.sample_rate = 1,
	};
}

static int add_host(struct np_filter *f, unsigned int end, const char *value,
		    struct netprobe_error *err)
{
	struct np_cidr c = {};
	int r = parse_cidr(value, &c, err);

	if (r)
		return r;
	for (int i = 0; i < c.len; i++)
		c.mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	f->host[end][f->n_host[end]++] = c;
	return 0;
}

static int add_port(struct np_filter *f, unsigned int end, const char *value,
		    struct netprobe_error *err)
{
	int r = parse_port_range(value, &f->port[end][f->n_port[end]], err);

	f->n_port[end] = (uint8_t)(f->n_port[end] + !r);
	return r;
}

static int add_pid(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	int r = parse_u32(value, 1, INT32_MAX, &f->tgid[f->n_tgid], err);

	f->n_tgid = (uint8_t)(f->n_tgid + !r);
	return r;
}

static int add_comm(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	size_t n = strlen(value);

	if (!n)
		return error_set(err, -EINVAL,
				 "'' is no process name; takes one as ps -o comm shows it");
	memset(f->comm[f->n_comm], 0, sizeof(f->comm[0]));
	memcpy(f->comm[f->n_comm++], value, n < 15 ? n : 15);
	return 0;
}

static int add_proto(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	uint8_t bit = 0;
	int r = parse_proto(value, &bit, err);

	f->proto_mask |= bit;
	return r;
}

static bool is_full(const struct np_filter *f)
{
	unsigned int most = f->n_tgid > f->n_comm ? f->n_tgid : f->n_comm;

	for (unsigned int i = 0; i < NP_END_MAX; i++) {
		most = f->n_host[i] > most ? f->n_host[i] : most;
		most = f->n_port[i] > most ? f->n_port[i] : most;
	}
	return most >= NP_FILTER_SLOTS;
}

static int add_filter(struct np_filter *f, const char *text, struct netprobe_error *err)
{
	static const struct {
		const char *key;
		int (*by_end)(struct np_filter *, unsigned int, const char *,
			      struct netprobe_error *);
		int (*plain)(struct np_filter *, const char *, struct netprobe_error *);
		unsigned int end;
	} keys[] = {
		{ "host", add_host, NULL, NP_END_ANY },
		{ "port", add_port, NULL, NP_END_ANY },
		{ "src-host", add_host, NULL, NP_END_LOCAL },
		{ "src-port", add_port, NULL, NP_END_LOCAL },
		{ "dst-host", add_host, NULL, NP_END_REMOTE },
		{ "dst-port", add_port, NULL, NP_END_REMOTE },
		{ "pid", NULL, add_pid, 0 },
		{ "comm", NULL, add_comm, 0 },
		{ "proto", NULL, add_proto, 0 },
	};
	const char *value = strchr(text, '=');
	size_t n = value ? (size_t)(value - text) : 0;
	int r;

	for (size_t i = 0; value && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].key) != n || memcmp(keys[i].key, text, n) != 0)
			continue;
		if (is_full(f))
			return error_set(err, -EINVAL, "filters: takes up to %d of a key",
					 NP_FILTER_SLOTS);
		r = keys[i].plain ? keys[i].plain(f, value + 1, err)
				  : keys[i].by_end(f, keys[i].end, value + 1, err);
		if (r)
			error_prefix(err, "filters: %s", keys[i].key);
		return r;
	}
	return error_set(
		err, -EINVAL,
		"filters: '%.100s' is no filter; takes KEY=VALUE with proto, host, src-host, dst-host, "
		"port, src-port, dst-port, pid or comm as KEY",
		text);
}

static int in_range(const char *name, uint32_t value, uint32_t min, uint32_t max,
		    struct netprobe_error *err)
{
	if (value >= min && value <= max)
		return 0;
	return error_set(err, -EINVAL, "%s: %u is out of range; takes %u to %u", name, value, min,
			 max);
}

int api_config_take(const struct netprobe_config *from, struct netprobe_config *ret,
		    struct np_filter *ret_filter, struct netprobe_error *err)
{
	struct np_filter filter = { .enabled = 1 };
	struct netprobe_config c;
	int r;

	netprobe_config_default(&c);
	if (from && (from->size < offsetof(struct netprobe_config, mode) || from->size > 65536))
		return error_set(err, -EINVAL,
				 "size: %zu is no size of a configuration; start from "
				 "netprobe_config_default",
				 from->size);
	if (from)
		memcpy(&c, from, from->size < sizeof(c) ? from->size : sizeof(c));
	c.size = sizeof(c);
	r = in_range("capture", c.capture, 0, NETPROBE_CAPTURE_NONE, err);
	r = r ?: in_range("mode", c.mode, 0, NETPROBE_MODE_BALANCE, err);
	r = r ?: in_range("xdp_mode", c.xdp_mode, 0, NETPROBE_XDP_GENERIC, err);
	r = r ?: in_range("batch_size", c.batch_size, 1, BATCH_MAX, err);
	r = r ?: in_range("batch_timeout_ms", c.batch_timeout_ms, 0, BATCH_MS_MAX, err);
	r = r
		    ?: in_range("stats_report_interval_ms", c.stats_report_interval_ms,
				REPORT_MS_MIN, REPORT_MS_MAX, err);
	r = r ?: in_range("sample_rate", c.sample_rate, 1, UINT32_MAX, err);
	r = r ?: in_range("workers", c.workers, 0, 1, err);
	for (const char *const *f = c.filters; !r && f && *f; f++)
		r = add_filter(&filter, *f, err);
	if (r)
		return r;
	filter.sample_rate = c.sample_rate;
	filter.max_events = c.max_events;
	*ret = c;
	*ret_filter = filter;
	return 0;
}

static void free_filters(char **filters)
{
	for (char **f = filters; f && *f; f++)
		free(*f);
	free(filters);
}

int api_config_copy(struct netprobe_manager *m, const struct netprobe_config *from)
{
	char **copy = NULL;
	size_t n = 0;

	while (from->filters && from->filters[n])
		n++;
	if (n) {
		copy = calloc(n + 1, sizeof(*copy));
		for (size_t i = 0; copy && i < n; i++) {
			copy[i] = strdup(from->filters[i]);
			if (!copy[i]) {
				free_filters(copy);
				copy = NULL;
			}
		}
		if (!copy)
			return -ENOMEM;
	}
	free_filters(m->filters);
	m->filters = copy;
	return 0;
}

void api_config_done(struct netprobe_manager *m)
{
	free_filters(m->filters);
	m->filters = NULL;
}
