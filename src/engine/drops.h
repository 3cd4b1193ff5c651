/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops as events and as totals: joins what the kernel half saw of dropped packets with processes,
 * and what interfaces count themselves. Runs beside a session, which knows the owners of sockets.
 */
#ifndef NETPROBE_ENGINE_DROPS_H
#define NETPROBE_ENGINE_DROPS_H

#include "engine/session.h"
#include "probe/drops.h"

struct drop_watch_opts {
	struct np_filter filter;
	bool stack;
	bool quiet;	       /* tell of packets that are lost to nobody, too */
	bool kernel_addresses; /* in stacks, beside the names */
	bool interfaces;       /* counters of interfaces, too */
	session_event_fn event_fn;
	void *event_arg;
};

/* One kind of drop, with all its packets. Strings and owner are valid during the call. */
struct drop_total {
	const char *reason, *location, *iface; /* NULL unknown */
	const struct process *owner;	       /* NULL unknown */
	uint8_t owner_match;
	uint8_t proto;
	uint16_t lport;
	uint32_t netns;
	uint64_t packets, bytes;
	int kind;     /* NETPROBE_DROP_* of flow/reason.h */
	bool rest;    /* of kinds that are not told apart any more: without owner and port */
	bool counter; /* what an interface counts itself: may be among the other kinds as well */
};

struct drop_watch;

/* Errors as probe_drops_open's. */
int drop_watch_open(struct session *s, const struct drop_watch_opts *opts,
		    struct drop_watch **ret_watch, struct netprobe_error *err);
struct drop_watch *drop_watch_close(struct drop_watch *w);
/* Hand over what waits. */
int drop_watch_poll(struct drop_watch *w);
/* Each interval, after session_tick: what the interfaces' counters did. */
void drop_watch_tick(struct drop_watch *w);
/* Stop looking, and tell of the packets that no event has told of yet. */
int drop_watch_finish(struct drop_watch *w);
/* The session's filters, after they changed. */
void drop_watch_set_filter(struct drop_watch *w, const struct np_filter *filter);
void drop_watch_set_stack(struct drop_watch *w, bool on);
int drop_watch_totals(struct drop_watch *w, void (*fn)(const struct drop_total *t, void *arg),
		      void *arg);
/* Its rows of the account of losses. */
void drop_watch_account(const struct drop_watch *w, struct losses *to);
int drop_watch_losses(const struct drop_watch *w, struct np_drop_loss *ret_loss,
		      uint64_t *ret_missed);
/* Network namespaces whose interfaces' counters could not be read at the last look. */
unsigned int drop_watch_left_out(const struct drop_watch *w);
/* What this kernel or this process lacks; empty. */
const char *drop_watch_note(const struct drop_watch *w);

#endif
