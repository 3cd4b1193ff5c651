/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of expressions: numbers with units and ranges, networks, words out of a few. Nothing is looked up but services. */
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "expr/internal.h"

#define DIM_NONE 0
#define DIM_SIZE 1
#define DIM_RATE 2
#define DIM_TIME 3
#define KI 1024.0L

static const struct unit {
	const char *name;
	uint8_t dim;
	long double size; /* in bytes, bytes a second, nanoseconds */
} units[] = {
	{ "k", DIM_NONE, 1e3L },
	{ "M", DIM_NONE, 1e6L },
	{ "G", DIM_NONE, 1e9L },
	{ "B", DIM_SIZE, 1 },
	{ "kB", DIM_SIZE, 1e3L },
	{ "MB", DIM_SIZE, 1e6L },
	{ "GB", DIM_SIZE, 1e9L },
	{ "TB", DIM_SIZE, 1e12L },
	{ "KiB", DIM_SIZE, KI },
	{ "MiB", DIM_SIZE, KI *KI },
	{ "GiB", DIM_SIZE, KI *KI *KI },
	{ "TiB", DIM_SIZE, KI *KI *KI *KI },
	{ "bit/s", DIM_RATE, 0.125L },
	{ "kbit/s", DIM_RATE, 125 },
	{ "Mbit/s", DIM_RATE, 125e3L },
	{ "Gbit/s", DIM_RATE, 125e6L },
	{ "B/s", DIM_RATE, 1 },
	{ "kB/s", DIM_RATE, 1e3L },
	{ "MB/s", DIM_RATE, 1e6L },
	{ "GB/s", DIM_RATE, 1e9L },
	{ "KiB/s", DIM_RATE, KI },
	{ "MiB/s", DIM_RATE, KI *KI },
	{ "GiB/s", DIM_RATE, KI *KI *KI },
	{ "ns", DIM_TIME, 1 },
	{ "us", DIM_TIME, 1e3L },
	{ "µs", DIM_TIME, 1e3L },
	{ "ms", DIM_TIME, 1e6L },
	{ "s", DIM_TIME, 1e9L },
	{ "m", DIM_TIME, 60e9L },
	{ "h", DIM_TIME, 3600e9L },
	{ "d", DIM_TIME, 86400e9L },
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

/* What a field's own unit is. */
static const struct {
	uint8_t dim;
	long double size;
} own[EXPR_UNITS] = {
	[EXPR_PLAIN] = { DIM_NONE, 1 },	  [EXPR_BYTES] = { DIM_SIZE, 1 },
	[EXPR_BYTES_S] = { DIM_RATE, 1 }, [EXPR_MBIT_S] = { DIM_RATE, 125e3L },
	[EXPR_NS] = { DIM_TIME, 1 },	  [EXPR_US] = { DIM_TIME, 1e3L },
	[EXPR_MS] = { DIM_TIME, 1e6L },	  [EXPR_S] = { DIM_TIME, 1e9L },
};

static int no_memory(struct netprobe_error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

static int wrong_unit(const char *unit, const struct expr_field *f, struct netprobe_error *err)
{
	char list[512] = "";
	size_t n = 0;

	for (size_t i = 0; i < N_UNITS; i++)
		if (units[i].dim == own[f->unit].dim && n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      units[i].name);
	return error_set(err, -EINVAL, "'%.20s' is not a unit of %s; takes %s", unit, f->name,
			 list);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Digits, a point, digits: v / place. Only the last step rounds, as where a record's text is read, so that a number equals
 * what it is printed as. false: no number there.
 */
static bool take_digits(const char **s, long double *ret, long double *ret_place)
{
	const char *p = *s;
	long double v = 0, place = 1;
	bool any = false;

	for (; is_digit(*p); p++, any = true)
		v = v * 10 + (*p - '0');
	if (*p == '.' && is_digit(p[1]))
		for (p++; is_digit(*p); p++) {
			place *= 10;
			v = v * 10 + (*p - '0');
		}
	if (any) {
		*s = p;
		*ret = v;
		*ret_place = place;
	}
	return any;
}

/* Whether these bytes are a unit of the field; how long one is goes to ret. */
static bool find_unit(const char *s, size_t len, const struct expr_field *f, long double *ret)
{
	for (size_t i = 0; i < N_UNITS && f->type == EXPR_NUMBER; i++)
		if (units[i].dim == own[f->unit].dim && strlen(units[i].name) == len &&
		    !memcmp(units[i].name, s, len)) {
			*ret = units[i].size;
			return true;
		}
	return false;
}

bool value_is_unit(const char *s, size_t len, const struct expr_field *f)
{
	long double size;

	return find_unit(s, len, f, &size);
}

/* A unit ends with the text, or where a range goes on. size: of the field's own where there is none. */
static int take_unit(const char **s, const struct expr_field *f, long double *size,
		     struct netprobe_error *err)
{
	size_t len = strcspn(*s, "-");
	char unit[24];

	if (!len)
		return 0;
	if (find_unit(*s, len, f, size)) {
		*s += len;
		return 0;
	}
	(void)snprintf(unit, sizeof(unit), "%.*s", (int)(len < 20 ? len : 20), *s);
	return wrong_unit(unit, f, err);
}

static int take_number(const char **s, const struct expr_field *f, long double *ret,
		       struct netprobe_error *err)
{
	bool minus = **s == '-' && f->type == EXPR_NUMBER;
	const char *p = *s + minus;
	long double v, place, size = own[f->unit].size;
	int r;

	if (!take_digits(&p, &v, &place))
		return error_set(err, -EINVAL, "'%.60s' is not a number; %s takes a number%s", *s,
				 f->name, f->unit ? " with a unit" : "");
	if (f->type == EXPR_PORT && *p && *p != '-')
		return error_set(err, -EINVAL,
				 "'%.60s' is not a port; takes 443, 8000-8100 or a service", *s);
	r = take_unit(&p, f, &size, err);
	if (r)
		return r;
	v = size == own[f->unit].size ? v / place : v * size / (place * own[f->unit].size);
	*ret = minus ? -v : v;
	*s = p;
	return 0;
}

static bool find_service(const char *name, long double *ret)
{
	struct servent found, *service = NULL;
	char room[1024];

	if ((*name | 32) < 'a' || (*name | 32) > 'z')
		return false;
	(void)getservbyname_r(name, NULL, &found, room, sizeof(room), &service);
	if (service)
		*ret = ntohs((uint16_t)service->s_port);
	return service != NULL;
}

/* "443", "8000-8100", "https", "10ms-50ms". A range only where it may be equal to something. */
static int take_range(const char *s, const struct expr_field *f, uint8_t op, long double *low,
		      long double *high, struct netprobe_error *err)
{
	const char *p = s;
	int r;

	if (f->type == EXPR_PORT && find_service(s, low)) {
		*high = *low;
		return 0;
	}
	r = take_number(&p, f, low, err);
	*high = *low;
	if (!r && *p == '-' && op != OP_EQ && op != OP_NE && op != OP_HAS)
		return error_set(err, -EINVAL, "'%.60s' is a range; < and > take one number", s);
	if (!r && *p == '-') {
		p++;
		r = take_number(&p, f, high, err);
	}
	if (!r && *p)
		r = error_set(err, -EINVAL, "'%.60s' is not a number; takes one, or FROM-TO", s);
	if (!r && *high < *low)
		r = error_set(err, -EINVAL, "'%.60s' ends before it begins; takes FROM-TO", s);
	if (!r && f->type == EXPR_PORT && *high > 65535)
		r = error_set(err, -EINVAL, "'%.60s' is not a port; takes 0 to 65535", s);
	return r;
}

static int take_net(const char *s, struct np_cidr *ret, struct netprobe_error *err)
{
	struct np_cidr c = {};
	int r = parse_cidr(s, &c, err);

	for (int i = 0; !r && i < c.len; i++)
		c.mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	if (!r)
		*ret = c;
	return r;
}

static int take_bool(const char *s, long double *ret, struct netprobe_error *err)
{
	if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
		return error_set(err, -EINVAL, "'%.60s' is not a switch; takes true or false", s);
	*ret = *s == 't';
	return 0;
}

static int take_one(struct literal *lit, const char *s, const struct expr_field *f, uint8_t op,
		    struct netprobe_error *err)
{
	unsigned int i = lit->n;
	int r;

	if (i == EXPR_VALUES_MAX)
		return error_set(err, -EINVAL, "'%.60s' is one too many; takes up to %d values", s,
				 EXPR_VALUES_MAX);
	if (f->type == EXPR_ADDR) {
		r = take_net(s, &lit->nets[i], err);
	} else if (f->type == EXPR_BOOL) {
		r = take_bool(s, &lit->low[i], err);
		lit->high[i] = lit->low[i];
	} else {
		r = take_range(s, f, op, &lit->low[i], &lit->high[i], err);
	}
	lit->n += !r;
	return r;
}

static int take_list(struct literal *lit, const struct expr_field *f, uint8_t op,
		     struct netprobe_error *err)
{
	char *copy = strdup(lit->text), *rest = copy, *one;
	int r = 0;

	if (f->type == EXPR_ADDR) {
		lit->nets = calloc(EXPR_VALUES_MAX, sizeof(*lit->nets));
	} else {
		lit->low = calloc(EXPR_VALUES_MAX, sizeof(*lit->low));
		lit->high = calloc(EXPR_VALUES_MAX, sizeof(*lit->high));
	}
	if (!copy || (!lit->nets && (!lit->low || !lit->high)))
		r = no_memory(err);
	while (!r && (one = strsep(&rest, ",")))
		r = take_one(lit, one, f, op, err);
	if (!r && lit->n > 1 && op >= OP_LT && op <= OP_GE)
		r = error_set(err, -EINVAL, "'%.60s' is a list; < and > take one value", lit->text);
	free(copy);
	return r;
}

/* One of a few words, whatever its case. */
static int take_name(struct literal *lit, const struct expr_field *f, struct netprobe_error *err)
{
	for (size_t i = 0; f->names[i]; i++) {
		char *same;

		if (strcasecmp(f->names[i], lit->text) != 0)
			continue;
		same = strdup(f->names[i]);
		free(lit->text);
		lit->text = same;
		return same ? 0 : no_memory(err);
	}
	return args_unknown_word(f->name, lit->text, f->names, sizeof(*f->names), err);
}

int value_text(struct literal *lit, struct netprobe_error *err)
{
	struct buf b = {};

	if (utf8_is_ascii(lit->text))
		return 0;
	utf8_put_valid(&b, lit->text, strlen(lit->text));
	buf_putc(&b, '\0');
	if (b.err) {
		buf_done(&b);
		return no_memory(err);
	}
	free(lit->text);
	lit->text = b.data;
	return 0;
}

int value_word(struct literal *lit, struct netprobe_error *err)
{
	int r = value_text(lit, err);

	return r || utf8_is_ascii(lit->text) ? r : regex_of_word(lit->text, &lit->regex, err);
}

int value_take(struct literal *lit, const struct expr_field *f, uint8_t op,
	       struct netprobe_error *err)
{
	bool ordered = op >= OP_LT && op <= OP_GE;

	if (op == OP_RE || op == OP_NRE)
		return regex_new(lit->text, &lit->regex, err);
	if (lit->null && ordered)
		return error_set(err, -EINVAL, "null is not a number; takes = and !=");
	if (lit->null)
		return 0;
	if (ordered && f->type != EXPR_NUMBER && f->type != EXPR_PORT)
		return error_set(err, -EINVAL, "%s is not a number; takes =, !=, :, ~ and !~",
				 f->name);
	if (f->type != EXPR_TEXT)
		return take_list(lit, f, op, err);
	if (f->names && !value_is_part(f, op))
		return take_name(lit, f, err);
	return op == OP_HAS ? value_word(lit, err) : value_text(lit, err);
}

void value_done(struct literal *lit)
{
	free(lit->text);
	free(lit->low);
	free(lit->high);
	free(lit->nets);
	(void)regex_free(lit->regex);
	*lit = (struct literal){};
}
