/* SPDX-License-Identifier: BSD-2-Clause */
/* --match of all commands. */
#include <netprobe/netprobe.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"

int expr_take(const char *match, uint32_t about, struct netprobe_expr **ret,
	      struct netprobe_error *err)
{
	int r = match ? netprobe_expr_new(ret, match, about, err) : 0;

	if (r)
		error_prefix(err, "--match");
	return r;
}

int expr_check(const char *match, uint32_t about, struct netprobe_error *err)
{
	struct netprobe_expr *x = NULL;
	int r = expr_take(match, about, &x, err);

	(void)netprobe_expr_free(x);
	return r;
}

void expr_tell(uint64_t undecided, const char *what)
{
	if (undecided)
		log_warn(
			"--match: the regular expression took too many steps on %llu %s, which count as not matching",
			(unsigned long long)undecided, what);
}

bool expr_wants(struct netprobe_expr *x, const struct netprobe_event *ev)
{
	/* what was lost is told whatever is asked for */
	return !x || !strcmp(ev->type, "probe.loss") || netprobe_expr_event(x, ev) > 0;
}

uint32_t expr_formats(const struct netprobe_expr *x, uint32_t formats)
{
	return x ? formats & ~(uint32_t)NETPROBE_FORMAT_NO_JSON : formats;
}
