/* SPDX-License-Identifier: BSD-2-Clause */
/* From options to the library's configuration (see settings.h). What a value means is the library's. */
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/filterkeys.h"
#include "base/parse.h"
#include "cli/resolve.h"

int settings_filter(struct settings *s, uint32_t key, const char *value)
{
	struct netprobe_filter *more;
	size_t n = 0;

	while (s->filters && s->filters[n].key)
		n++;
	more = reallocarray(s->filters, n + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->filters = more;
	s->c.filters = more;
	more[n] = (struct netprobe_filter){};
	more[n + 1] = (struct netprobe_filter){};
	more[n].value = strdup(value);
	if (!more[n].value)
		return -ENOMEM;
	more[n].key = key;
	return 0;
}

static int add_host(struct settings *s, uint32_t key, char *piece, struct netprobe_error *err);

/* The values of an option, how: FILTER_*. */
static int add_values(struct settings *s, uint32_t key, const struct args_list *values, int how,
		      struct netprobe_error *err)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < values->n; i++) {
		char *copy, *rest, *piece;

		if (how == FILTER_WHOLE) {
			r = settings_filter(s, key, values->items[i]);
			continue;
		}
		copy = rest = strdup(values->items[i]);
		if (!copy)
			return -ENOMEM;
		while (!r && (piece = strsep(&rest, ",")))
			r = how == FILTER_HOST ? add_host(s, key, piece, err)
					       : settings_filter(s, key, piece);
		free(copy);
	}
	return r;
}

/* "any", as tcpdump has it: whatever else is named. */
static bool has_any(const struct args_list *interfaces)
{
	for (unsigned int i = 0; i < interfaces->n; i++)
		for (const char *p = interfaces->items[i], *end; p; p = *end ? end + 1 : NULL) {
			end = strchrnul(p, ',');
			if (end - p == 3 && !memcmp(p, "any", 3))
				return true;
		}
	return false;
}

/* A zone is a filter by interface: beside others it would be one more alternative. */
static int add_zone_filter(struct settings *s, const char *zone, struct netprobe_error *err)
{
	bool known = false;

	for (const struct netprobe_filter *f = s->filters; f && f->key; f++) {
		if (f->key != NETPROBE_FILTER_INTERFACE)
			continue;
		if (strcmp(f->value, zone) != 0)
			return error_set(err, -EINVAL,
					 "'%%%.20s' beside --interface %.20s; takes one of them",
					 zone, f->value);
		known = true;
	}
	return known ? 0 : settings_filter(s, NETPROBE_FILTER_INTERFACE, zone);
}

/* "fe80::1%eth0" is an address and the interface that it is at. */
static int add_zone(struct settings *s, char *piece, struct netprobe_error *err)
{
	char *zone = strchr(piece, '%');
	size_t n = strlen(piece);
	char name[sizeof(s->zone) + 1], *network; /* room for one that is too long */

	if (!zone)
		return 0;
	if (*piece == '[' && piece[n - 1] == ']') {
		piece[n - 1] = '\0';
		memmove(piece, piece + 1, n - 1);
		zone--;
	}
	*zone++ = '\0';
	/* the length of a network stands behind its zone (RFC 4007): "fe80::%eth0/64" */
	network = strchr(zone, '/');
	if (network) {
		*network++ = '\0';
		(void)snprintf(name, sizeof(name), "%s", zone);
		memmove(zone, network, strlen(network) + 1);
		zone[-1] = '/';
		zone = name;
	}
	if (s->zone[0] && strcmp(s->zone, zone) != 0)
		return error_set(
			err, -EINVAL,
			"'%%%.20s' beside '%%%.20s': hosts of two interfaces cannot be told "
			"apart by one filter; takes one, or --interface",
			zone, s->zone);
	if (s->zone[0])
		return 0;
	if (strlen(zone) >= sizeof(s->zone) || !*zone)
		return error_set(err, -EINVAL, "'%%%.40s' is not an interface", zone);
	memcpy(s->zone, zone, strlen(zone) + 1);
	return add_zone_filter(s, zone, err);
}

static int add_host(struct settings *s, uint32_t key, char *piece, struct netprobe_error *err)
{
	const struct resolved *known;
	struct np_cidr cidr;
	int r;

	*(strchr(piece, '%') ? &s->zoned : &s->bare) = key;
	if (s->zoned == s->bare)
		r = error_set(err, -EINVAL,
			      "'%.60s' beside hosts of another kind: where one has an interface, "
			      "all need the same one; takes them with it, or --interface",
			      piece);
	else
		r = add_zone(s, piece, err);
	if (r)
		return error_prefix(err, "--%s", netprobe_filter_name(key)), r;
	if (!parse_cidr(piece, &cidr, NULL) || !resolve_is_name(piece))
		return settings_filter(s, key, piece);
	r = resolve_name(piece, s->starts, &known, err);
	if (r)
		return error_prefix(err, "--%s", netprobe_filter_name(key)), r;
	for (size_t i = 0; !r && i < known->n; i++)
		r = settings_filter(s, key, known->addr[i]);
	return r;
}

static void free_filters(struct settings *s)
{
	for (struct netprobe_filter *f = s->filters; f && f->key; f++)
		free((char *)f->value);
	free(s->filters);
	s->filters = NULL;
	s->c.filters = NULL;
}

/* Interfaces before hosts: these may name one too. */
static const struct {
	uint32_t key;
	int how;
} options[] = {
#define OPTION_OF(key, name, letter, how, arg, help) { NETPROBE_FILTER_##key, how },
	{ NETPROBE_FILTER_INTERFACE, FILTER_LIST }, FILTER_KEYS(OPTION_OF)
};

static int fill_filters(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	const struct args_list *interfaces = &o->filter[NETPROBE_FILTER_INTERFACE];
	int r = 0;

	free_filters(s);
	s->zone[0] = '\0';
	s->zoned = s->bare = 0;
	if (o->v4 && o->v6)
		return error_set(err, -EINVAL,
				 "-4 and -6 exclude each other; leave both out for both families");
	if (o->v4 || o->v6)
		r = settings_filter(s, NETPROBE_FILTER_FAMILY, o->v4 ? "ipv4" : "ipv6");
	for (size_t i = 0; !r && i < sizeof(options) / sizeof(options[0]); i++) {
		uint32_t key = options[i].key;

		if (key != NETPROBE_FILTER_INTERFACE || (!i && !has_any(interfaces)))
			r = add_values(s, key, &o->filter[key], options[i].how, err);
	}
	return r == -ENOMEM ? error_set(err, r, "out of memory") : r;
}

int settings_match(struct settings *s, const struct common_opts *o, struct netprobe_expr *match)
{
	struct netprobe_filter f;
	int r = 0;

	/* of packets an expression says nothing, filters do */
	if (o->pcap)
		return 0;
	for (unsigned int i = 0; !r && !netprobe_expr_filter(match, i, &f); i++) {
		bool family = f.key == NETPROBE_FILTER_FAMILY;

		if (family ? o->v4 || o->v6 : o->filter[f.key].n)
			continue;
		r = settings_filter(s, f.key, f.value);
	}
	return r;
}

int settings_change(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	/* s may hold a configuration of the manager's, whose filters are its own. */
	s->c.filters = NULL;
	s->c.paused = !o->enabled;
	s->c.sample_rate = o->sample_rate;
	s->c.max_events = o->max_events;
	s->c.stall_threshold_ms = o->stall_ms;
	s->c.enable_latency = o->latency;
	return fill_filters(s, o, err);
}

int settings_fill(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	struct netprobe_config *c = &s->c;
	int r;

	s->filters = NULL;
	s->starts = true;
	netprobe_config_default(c);
	c->capture = (uint32_t)o->capture_mode;
	c->hook = (uint32_t)o->hook;
	c->event_buffer = (uint32_t)o->event_buffer;
	c->packet_ring_bytes = o->packet_ring;
	c->packet_block_bytes = o->packet_block;
	c->packet_timeout_ms = o->packet_timeout;
	c->packet_rings = o->fanout;
	c->event_ring_bytes = o->ring_size;
	c->shared_sockets = o->parts_size;
	c->fail_at = (uint32_t)o->fail_at;
	c->btf = o->btf;
	c->pcap = o->pcap;
	c->enable_health_checks = c->follow_interfaces = false;
	c->own_intervals = true;
	c->direct = true;
	r = settings_change(s, o, err);
	s->starts = false;
	return r;
}

void settings_done(struct settings *s)
{
	free_filters(s);
}

void settings_blame(struct netprobe_error *err)
{
	static const struct {
		const char *field, *option;
	} names[] = {
		{ "filters: ", "--" },
		{ "btf: ", "--btf: " },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i].field);
		char msg[sizeof(err->msg)];

		if (strncmp(err->msg, names[i].field, n) != 0)
			continue;
		(void)snprintf(msg, sizeof(msg), "%s%s", names[i].option, err->msg + n);
		memcpy(err->msg, msg, sizeof(msg));
		return;
	}
}
