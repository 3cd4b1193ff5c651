/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions for the library's users. */
#include <errno.h>
#include <stdlib.h>

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
