/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions for the library's users. */
#include <errno.h>
#include <stdlib.h>

#include "api/fields.h"
#include "api/internal.h"
#include "base/error.h"

struct netprobe_expr {
	struct expr *expr;
	uint32_t about;
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
	if (expr)
		(void)expr_free(expr->expr);
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
