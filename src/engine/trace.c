/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "engine/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/trace.h"

struct trace_watch {
	struct session *session;
	struct probe_trace *trace;
	session_event_fn fn;
	void *arg;
};

int trace_watch_open(struct session *s, const struct np_filter *filter, uint32_t steps,
		     session_event_fn fn, void *arg, struct trace_watch **ret_watch,
		     struct netprobe_error *err)
{
	struct trace_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	*w = (struct trace_watch){ .session = s, .fn = fn, .arg = arg };
	r = probe_trace_open(session_probe(s), filter, steps, &w->trace, err);
	if (r)
		return free(w), r;
	*ret_watch = w;
	return 0;
}

struct trace_watch *trace_watch_close(struct trace_watch *w)
{
	if (!w)
		return NULL;
	(void)probe_trace_close(w->trace);
	free(w);
	return NULL;
}

static void on_step(const struct np_ev_trace *kev, void *arg)
{
	struct trace_watch *w = arg;
	char number[48], function[48];
	struct event_trace t = { .ev = kev };
	struct event ev = { .kind = EVENT_TRACE,
			    .num = (double)kev->since_ns / 1e3,
			    .unit = "us",
			    .mode = "ebpf",
			    .has_owner_field = true,
			    .tuple = &kev->tuple,
			    .sock_id = kev->sock_id,
			    .trace = &t };

	ev.direction = kev->packet.dir == NP_DIR_RX   ? "rx"
		       : kev->packet.dir == NP_DIR_TX ? "tx"
						      : NULL;
	if (kev->step == NP_STEP_DROP) {
		t.reason = probe_trace_reason(w->trace, kev->reason, number, sizeof(number));
		memcpy(function, kev->function, sizeof(function));
		function[sizeof(function) - 1] = '\0';
		function[strcspn(function, " ")] = '\0';
		/* Without CONFIG_KALLSYMS the kernel prints a number, which is an address. */
		t.location = function[0] && strncmp(function, "0x", 2) ? function : NULL;
	}
	ev.owner = session_owner(w->session, &kev->owner);
	ev.owner_match = kev->owner.tgid ? kev->owner.match : NP_MATCH_NONE;
	ev.tid = kev->owner.tid;
	ev.ktime_ns = kev->hdr.ts_ns;
	ev.wall_ns = clock_wall_ns() - (clock_monotonic_ns() - kev->hdr.ts_ns);
	(void)snprintf(ev.value, sizeof(ev.value), "%s", step_name(kev->step));
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "packet-%llu",
		       (unsigned long long)kev->packet_id);
	w->fn(&ev, w->arg);
	session_owner_done(w->session, ev.owner);
}

void trace_watch_set_filter(struct trace_watch *w, const struct np_filter *filter)
{
	probe_trace_set_filter(w->trace, filter);
}

int trace_watch_poll(struct trace_watch *w)
{
	return probe_trace_poll(w->trace, on_step, w);
}

int trace_watch_losses(const struct trace_watch *w, struct np_trace_loss *ret_loss)
{
	return probe_trace_losses(w->trace, ret_loss);
}

void trace_watch_account(const struct trace_watch *w, struct losses *to)
{
	struct np_trace_loss l;

	if (!trace_watch_losses(w, &l))
		losses_add(to, &(struct loss){ .program = "trace",
					       .unit = "steps",
					       .count = { .submitted = l.submitted,
							  .ring_full = l.ring_full,
							  .rate_limited = l.limited } });
}

const char *trace_watch_note(const struct trace_watch *w)
{
	return probe_trace_note(w->trace);
}
