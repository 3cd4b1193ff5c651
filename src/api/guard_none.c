/* SPDX-License-Identifier: BSD-2-Clause */
/* What a manager asks of guard and the balancer, in a build without BPF (-Dbpf=disabled): they are nowhere. */
#include <errno.h>

#include "api/internal.h"

int report_tick(struct netprobe_manager *m, uint32_t families, struct netprobe_error *err)
{
	return 0;
}

int report_interval(struct netprobe_manager *m)
{
	return 0;
}

int report_health(struct netprobe_manager *m, struct netprobe_error *err)
{
	return 0;
}

bool report_balance_losses(struct netprobe_manager *m, struct np_loss *ret)
{
	return false;
}

int stats_guard_losses(struct account_guard ret[NP_GUARD_IFS])
{
	return 0;
}

uint64_t security_lost(const struct netprobe_manager *m)
{
	return 0;
}

void report_done(struct netprobe_manager *m)
{
}

void follow_poll(struct netprobe_manager *m)
{
}

void follow_done(struct netprobe_manager *m)
{
}

void security_poll(struct netprobe_manager *m)
{
}

void security_begin(struct netprobe_manager *m)
{
}

void security_tick(struct netprobe_manager *m)
{
}

void security_free(struct netprobe_manager *m)
{
}

bool security_asked(const struct netprobe_manager *m)
{
	return false;
}

bool security_watches(const struct netprobe_manager *m)
{
	return false;
}

void api_here(struct netprobe_manager *m)
{
}

int guard_cookie_helpers(void)
{
	return -EOPNOTSUPP;
}

int32_t guard_cookie_setting(void)
{
	return -1;
}
