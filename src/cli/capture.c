/* SPDX-License-Identifier: BSD-2-Clause */
/* The capture of a command: from its options to a manager that runs, and what that lost. */
#include <errno.h>
#include <netprobe/netprobe.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/settings.h"
#include "cli/words.h"

int cli_manager(const struct common_opts *o, struct settings *s, struct netprobe_manager **ret)
{
	struct netprobe_error err = {};

	if (o->latency && o->capture_mode > (int)NETPROBE_CAPTURE_EBPF) {
		log_err("--capture-mode: --latency needs ebpf; the other modes do not time waits");
		return EXIT_CAPTURE;
	}
	if (!netprobe_manager_new_with_config(&s->c, ret, &err))
		return EXIT_OK;
	settings_blame(&err);
	return cli_usage_failed(&err);
}

static int load_failed(const struct netprobe_error *err)
{
	char words[CLI_WORDS];

	log_err("%s", cli_error(err, words));
	switch (err->code) {
	case -EPERM:
		return EXIT_PERM;
	case -EBADFD: /* a file that an option names */
		return EXIT_USAGE;
	case -ENOMEM:
		return EXIT_INTERNAL;
	default:
		return EXIT_CAPTURE;
	}
}

int cli_load(struct netprobe_manager *m)
{
	struct netprobe_error err = {};

	loop_hold_signals();
	return netprobe_manager_load(m, &err) ? load_failed(&err) : EXIT_OK;
}

void cli_ready(struct common_opts *o)
{
	if (!o->ready_fd)
		return;
	(void)!write((int)o->ready_fd, "R", 1);
	(void)close((int)o->ready_fd);
	o->ready_fd = 0;
}

static void tell_waits(const struct netprobe_loss_stats *l)
{
	if (l->waits_unsummed | l->waits_unowned | l->waits_missed | l->latencies_dropped)
		log_notice("losses: %llu waits and %llu latencies are in no histogram (too many "
			   "processes), %llu waits had no owner, %llu were missed",
			   (unsigned long long)l->waits_unsummed,
			   (unsigned long long)l->latencies_dropped,
			   (unsigned long long)l->waits_unowned,
			   (unsigned long long)l->waits_missed);
}

/* Where closed flows are kept for the end, those that had to go left their counts to sums. */
static void tell_flows(const struct netprobe_loss_stats *l)
{
	if (l->flows_summed)
		log_notice(
			"the table of sockets was full: %llu of them have no row, what they moved is in %llu "
			"rows without ends, by process, interface and protocol",
			(unsigned long long)l->flows_summed, (unsigned long long)l->flow_sums);
	else if (l->flows_dropped)
		log_notice("losses: %llu flows not kept", (unsigned long long)l->flows_dropped);
	if (l->flows_unowned)
		log_notice(
			"%llu of those are in rows without a process: there were too many processes",
			(unsigned long long)l->flows_unowned);
	if (l->flows_lost)
		log_notice("losses: %llu flows had no room, %llu bytes of them are in no row",
			   (unsigned long long)l->flows_lost,
			   (unsigned long long)l->flows_lost_bytes);
}

void cli_tell_losses(struct netprobe_manager *m)
{
	struct netprobe_loss_stats l = { .size = sizeof(l) };
	struct netprobe_capture c = { .size = sizeof(c) };
	char words[CLI_WORDS];

	if (netprobe_manager_get_loss_stats(m, &l, NULL) ||
	    netprobe_manager_get_capture(m, &c, NULL))
		return;
	if (c.latency_note[0])
		log_notice("%s", cli_words(c.latency_note, words));
	tell_waits(&l);
	if (l.ring_full | l.map_full | l.missed | l.helper_errors)
		log_notice(
			"losses: %llu events found the ring full, %llu counts found a map full (%llu bytes lost), "
			"%llu program runs left out by the kernel, %llu helpers failed",
			(unsigned long long)l.ring_full, (unsigned long long)l.map_full,
			(unsigned long long)l.lost_bytes, (unsigned long long)l.missed,
			(unsigned long long)l.helper_errors);
	tell_flows(&l);
	if (l.implausible)
		log_notice(
			"losses: %llu records with figures that cannot be were left out; -v names them",
			(unsigned long long)l.implausible);
	if (l.cgroups_full)
		log_notice("losses: %llu owners have no cgroup, there are too many of those",
			   (unsigned long long)l.cgroups_full);
	if (l.security_lost)
		log_notice("losses: %llu security events came faster than they were read",
			   (unsigned long long)l.security_lost);
}
