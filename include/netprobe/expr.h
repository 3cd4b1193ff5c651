/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: expressions, the one language in which records and rows are chosen: "port:443 rtt>50ms",
 * "comm~^ng and not (state=LISTEN or container.name=null)". docs/expressions.md has it whole. The conventions are in
 * netprobe.h.
 */
#ifndef NETPROBE_EXPR_H
#define NETPROBE_EXPR_H

#include <netprobe/view.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an expression is about: NETPROBE_VIEW_* for rows of that view, else: */
#define NETPROBE_ABOUT_EVENT 30 /* struct netprobe_event, with its json */
#define NETPROBE_ABOUT_FLOW 31	/* struct netprobe_flow */

struct netprobe_expr;

/*
 * An expression, to be freed by netprobe_expr_free. -EINVAL: about, or the text, err "column 5: unknown field 'rtu'; did
 * you mean rtt?"; -ENOMEM. Any thread. Since: 0.2.
 */
int netprobe_expr_new(struct netprobe_expr **ret_expr, const char *text, uint32_t about,
		      struct netprobe_error *err);
/* NULL is allowed, and returned. Since: 0.2. */
struct netprobe_expr *netprobe_expr_free(struct netprobe_expr *expr);

/* Whether it matches: 1 or 0; -EINVAL: it is about something else, or NULL. By one thread at a time. Since: 0.2. */
int netprobe_expr_row(struct netprobe_expr *expr, const struct netprobe_row *row);
int netprobe_expr_flow(struct netprobe_expr *expr, const struct netprobe_flow *flow);
/* Its fields are those of its json: -EINVAL with NETPROBE_FORMAT_NO_JSON. A field that its type has not is null. */
int netprobe_expr_event(struct netprobe_expr *expr, const struct netprobe_event *event);

/*
 * What the kernel can leave out: filter number index (from 0) that every record passes which matches expr. Added to
 * netprobe_config.filters, where none of the same key is, they change nothing of what matches; what does not match is
 * then not counted, told or asked for. Transports are known so, and of TCP families and remote ends. 0; -ENOENT: there
 * are no more. ret_filter's value is expr's. By one thread at a time. Since: 0.2.
 */
int netprobe_expr_filter(struct netprobe_expr *expr, unsigned int index,
			 struct netprobe_filter *ret_filter);

/*
 * Texts on which a regular expression was given up, because it took too many steps: what they belong to did not match.
 * Since: 0.2.
 */
uint64_t netprobe_expr_undecided(const struct netprobe_expr *expr);

/*
 * The fields that there are: the name of number index from 0 on, NULL behind the last, or where about is none. The
 * string is static. Any thread. Since: 0.2.
 */
const char *netprobe_expr_field(uint32_t about, unsigned int index);

/*
 * For who completes what is typed: the operators that a field takes, apart by blanks, NULL where there is no such field;
 * word number index from 0 on that a field may be, where these are a few only, NULL behind the last. Static strings. Any
 * thread. Since: 0.2.
 */
const char *netprobe_expr_operators(uint32_t about, const char *field);
const char *netprobe_expr_word(uint32_t about, const char *field, unsigned int index);
/*
 * Value number index (of most fields there is one) of a field of a row of that view, as an expression has it: quoted where it
 * must be. 0; -ENOENT: it is not known, there is no such value or field, or it is a figure that is measured; -ENOSPC. Any
 * thread. Since: 0.2.
 */
int netprobe_expr_value(uint32_t about, const char *field, const struct netprobe_row *row,
			unsigned int index, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
