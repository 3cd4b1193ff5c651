/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions for the library's users. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/expr_filter.h"
#include "api/fields.h"
#include "api/internal.h"
#include "base/error.h"

struct netprobe_expr {
	struct expr *expr;
	uint32_t about;
	struct fields_event event;	 /* room */
	struct netprobe_filter *filters; /* what the kernel can leave out; looked for once */
	unsigned int n_filters;
	bool looked;
};

API_PUBLIC int netprobe_expr_new(struct netprobe_expr **ret_expr, const char *text, uint32_t about,
				 struct netprobe_error *err)
{
	const struct expr_schema *schema = fields_about(about);
	struct netprobe_expr *x;
	int r;

	if (!ret_expr || !text || !schema)
		return error_set(err, -EINVAL,
				 "takes a text and NETPROBE_VIEW_* or NETPROBE_ABOUT_*");
	x = calloc(1, sizeof(*x));
	r = x ? expr_new(text, schema, &x->expr, err) : error_set(err, -ENOMEM, "out of memory");
	if (r) {
		free(x);
		return r;
	}
	x->about = about;
	*ret_expr = x;
	return 0;
}

API_PUBLIC struct netprobe_expr *netprobe_expr_free(struct netprobe_expr *expr)
{
	if (!expr)
		return NULL;
	(void)expr_free(expr->expr);
	expr_filters_free(expr->filters, expr->n_filters);
	buf_done(&expr->event.text);
	free(expr);
	return NULL;
}

API_PUBLIC int netprobe_expr_row(struct netprobe_expr *expr, const struct netprobe_row *row)
{
	if (!expr || !row || expr->about >= NETPROBE_VIEW_MAX ||
	    ((expr->about == NETPROBE_VIEW_CONNECTION || expr->about == NETPROBE_VIEW_LISTEN) &&
	     !row->flow))
		return -EINVAL;
	return expr_match(expr->expr, &(struct fields_record){ .row = row, .flow = row->flow });
}

API_PUBLIC int netprobe_expr_flow(struct netprobe_expr *expr, const struct netprobe_flow *flow)
{
	if (!expr || !flow || expr->about != NETPROBE_ABOUT_FLOW)
		return -EINVAL;
	return expr_match(expr->expr, &(struct fields_record){ .flow = flow });
}

API_PUBLIC int netprobe_expr_event(struct netprobe_expr *expr, const struct netprobe_event *event)
{
	if (!expr || !event || !event->json || expr->about != NETPROBE_ABOUT_EVENT)
		return -EINVAL;
	expr->event.json = event->json;
	expr->event.index.made = false;
	expr->event.index.n = 0;
	return expr_match(expr->expr, &expr->event);
}

API_PUBLIC int netprobe_expr_filter(struct netprobe_expr *expr, unsigned int index,
				    struct netprobe_filter *ret_filter)
{
	if (!expr || !ret_filter)
		return -ENOENT;
	if (!expr->looked)
		expr->n_filters = expr_filters(expr->expr, expr->about, &expr->filters);
	expr->looked = true;
	if (index >= expr->n_filters)
		return -ENOENT;
	*ret_filter = expr->filters[index];
	return 0;
}

API_PUBLIC uint64_t netprobe_expr_undecided(const struct netprobe_expr *expr)
{
	return expr ? expr_gave_up(expr->expr) : 0;
}

API_PUBLIC const char *netprobe_expr_field(uint32_t about, unsigned int index)
{
	const struct expr_schema *s = fields_about(about);

	for (size_t i = 0; s && i < s->n; i++) {
		const struct expr_field *f = &s->fields[i];

		if (f->kinds && !(f->kinds & s->kind))
			continue;
		if (!index--)
			return f->name;
	}
	return NULL;
}

static const struct expr_field *field_named(const struct expr_schema *s, const char *name)
{
	for (size_t i = 0; s && name && i < s->n; i++) {
		const struct expr_field *f = &s->fields[i];

		if ((!f->kinds || f->kinds & s->kind) && !strcmp(f->name, name))
			return f;
	}
	return NULL;
}

API_PUBLIC const char *netprobe_expr_operators(uint32_t about, const char *field)
{
	const struct expr_field *f = field_named(fields_about(about), field);

	if (!f)
		return NULL;
	return f->type == EXPR_TEXT				? ": = != ~ !~"
	       : f->type == EXPR_NUMBER || f->type == EXPR_PORT ? "= != < <= > >="
								: "= !=";
}

API_PUBLIC const char *netprobe_expr_word(uint32_t about, const char *field, unsigned int index)
{
	static const char *const switches[] = { "true", "false", NULL };
	const struct expr_field *f = field_named(fields_about(about), field);
	const char *const *names = !f ? NULL : f->type == EXPR_BOOL ? switches : f->names;

	for (unsigned int i = 0; names && names[i]; i++)
		if (i == index)
			return names[i];
	return NULL;
}

/* Whether the text stands for itself: letters, digits, and what is in names and paths. */
static bool is_plain(const char *s)
{
	static const char also[] = "_-./@+%*#?[]";

	if (!*s || !strcmp(s, "and") || !strcmp(s, "or") || !strcmp(s, "not") || !strcmp(s, "null"))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(also, *s) && (unsigned char)*s < 0x80)
			return false;
	return true;
}

static int put_literal(const char *text, char *buf, size_t size)
{
	struct buf b = {};
	int r = -ENOSPC;

	if (is_plain(text)) {
		buf_puts(&b, text);
	} else {
		buf_putc(&b, '"');
		for (; *text; text++) {
			if (*text == '"' || *text == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, *text);
		}
		buf_putc(&b, '"');
	}
	if (!b.err && b.len < size) {
		memcpy(buf, b.data, b.len);
		buf[b.len] = '\0';
		r = 0;
	}
	buf_done(&b);
	return r;
}

static void addr_text(char *s, socklen_t size, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = !memcmp(addr, mapped, sizeof(mapped));

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + sizeof(mapped) : addr, s, size))
		*s = '\0';
}

API_PUBLIC int netprobe_expr_value(uint32_t about, const char *field,
				   const struct netprobe_row *row, unsigned int index, char *buf,
				   size_t size)
{
	const struct expr_schema *s = fields_about(about);
	const struct expr_field *f = field_named(s, field);
	struct fields_record record = { .row = row, .flow = row ? row->flow : NULL };
	struct expr_value v = {};
	char text[64];

	if (!f || !row || !buf || about >= NETPROBE_VIEW_MAX || f->unit != EXPR_PLAIN ||
	    ((about == NETPROBE_VIEW_CONNECTION || about == NETPROBE_VIEW_LISTEN) && !row->flow))
		return -ENOENT;
	if (!s->get(&record, f, index, &v) || !v.known)
		return -ENOENT;
	if (f->type == EXPR_TEXT)
		return put_literal(v.text, buf, size);
	if (f->type == EXPR_ADDR)
		addr_text(text, sizeof(text), v.addr);
	else if (f->type == EXPR_BOOL)
		(void)snprintf(text, sizeof(text), "%s", v.num > 0 ? "true" : "false");
	else
		(void)snprintf(text, sizeof(text), "%.0Lf", v.num);
	return (size_t)snprintf(buf, size, "%s", text) < size ? 0 : -ENOSPC;
}
