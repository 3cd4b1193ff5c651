/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done to lists by hand goes into the log that the kernel half writes: every watcher in this network
 * namespace is told of it, whichever process and call it was.
 */
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

#define LOG_BYTES (NP_GUARD_LOG * sizeof(struct np_guard_logged))

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* As the kernel half does it (bpf/lib/guard_log.h), which may write at the same time. */
static void put(struct guard *g, struct np_guard_logged *log, const struct np_ev_guard *ev)
{
	uint64_t number = __sync_fetch_and_add(&g->conf->events, 1) + 1;
	struct np_guard_logged *slot = &log[(number - 1) & (NP_GUARD_LOG - 1)];

	(void)__sync_lock_test_and_set(&slot->number, 0);
	__sync_synchronize();
	slot->ev = *ev;
	slot->ev.ktime_ns = now_ns();
	__sync_synchronize();
	__atomic_store_n(&slot->number, number, __ATOMIC_SEQ_CST);
}

static struct np_ev_guard event_of(uint32_t kind, const struct guard_item *item)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct np_ev_guard ev = {
		.kind = kind,
		.proto = item->proto,
		.len = (uint8_t)(item->v6 ? item->len : item->len + 96),
		.allow = item->allow,
		.dry_run = item->dry_run,
		.dport = item->port_from,
		.port_to = item->port_to,
		/* Of what was removed 0 is all that its network had. */
		.seen = kind != NP_GUARD_EV_REMOVED || item->proto || item->port_from ||
			(item->port_to && item->port_to != 0xffff),
		.ban_ticks = item->ttl_s ? guard_ticks(item->ttl_s) : 0,
	};

	memcpy(ev.saddr, item->v6 ? item->addr : mapped, item->v6 ? 16 : 12);
	if (!item->v6)
		memcpy(ev.saddr + 12, item->addr, 4);
	memcpy(ev.reason, item->reason, sizeof(ev.reason));
	memcpy(ev.who, item->who, sizeof(ev.who));
	return ev;
}

void told_items(struct guard *g, uint32_t kind, const struct guard_item *items, size_t n)
{
	struct np_guard_logged *log;
	bool bans = false, allows = false;

	if (!n)
		return;
	for (size_t i = 0; n > GUARD_TOLD && i < n; i++) {
		bans = bans || !items[i].allow;
		allows = allows || items[i].allow;
	}
	if (n > GUARD_TOLD) {
		told_change(g, bans, allows, false, n);
		return;
	}
	log = map_view(g->map[MAP_LOG], LOG_BYTES, true);
	for (size_t i = 0; log && i < n; i++) {
		struct np_ev_guard ev = event_of(kind, &items[i]);

		put(g, log, &ev);
	}
	map_unview(log, LOG_BYTES);
}

int guard_add(struct guard *g, const struct guard_item *items, size_t n, unsigned int flags,
	      uint32_t confirm_s, struct netprobe_error *err)
{
	int r = list_add(g, items, n, flags, confirm_s, err);

	if (r)
		return r;
	/* What else is in no list any more, or will not be, is not told one by one. */
	if (confirm_s || (flags & (GUARD_REPLACE_BANS | GUARD_REPLACE_ALLOWED)))
		told_change(g, n ? !items[0].allow : flags & GUARD_REPLACE_BANS,
			    n ? items[0].allow : flags & GUARD_REPLACE_ALLOWED,
			    flags & (GUARD_REPLACE_BANS | GUARD_REPLACE_ALLOWED), n);
	else
		told_items(g, NP_GUARD_EV_ADDED, items, n);
	return 0;
}

void told_change(struct guard *g, bool bans, bool allows, bool replaced, size_t n)
{
	struct np_guard_logged *log = map_view(g->map[MAP_LOG], LOG_BYTES, true);
	struct np_ev_guard ev = { .kind = NP_GUARD_EV_CHANGED,
				  .allow = bans && allows ? NP_GUARD_LIST_BOTH
					   : allows	  ? NP_GUARD_LIST_ALLOWED
							  : NP_GUARD_LIST_BANS,
				  .action = replaced,
				  .seen = n };

	if (log)
		put(g, log, &ev);
	map_unview(log, LOG_BYTES);
}
