/* SPDX-License-Identifier: BSD-2-Clause */
/* The capture of a command: from its options to a manager that runs, and what that lost. */
#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/settings.h"
#include "cli/source.h"
#include "cli/words.h"

int cli_manager(const struct common_opts *o, struct settings *s, struct netprobe_manager **ret)
{
	struct netprobe_error err = {};

	if (o->latency && o->capture_mode > (int)NETPROBE_CAPTURE_EBPF)
		return cli_option_failed(
			EXIT_CAPTURE,
			"--capture-mode: --latency needs ebpf; the other modes do not time waits");
	if (!netprobe_manager_new_with_config(&s->c, ret, &err))
		return EXIT_OK;
	settings_blame(&err);
	return cli_usage_failed(&err);
}

static int load_failed(const struct netprobe_error *err)
{
	struct netprobe_error told = *err;
	char words[CLI_WORDS];

	(void)snprintf(told.msg, sizeof(told.msg), "%.*s", (int)sizeof(told.msg) - 1,
		       cli_words(err->msg, words));
	source_blame(&told);
	log_err("%s", cli_error(&told, words));
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

/* Where closed flows are kept for the end, those that had to go left their counts to sums. */
static void tell_sums(const struct netprobe_loss_stats *l)
{
	if (l->flows_summed)
		log_notice(
			"the table of sockets was full: %llu of them have no row, what they moved is in %llu "
			"rows without ends, by process, interface and protocol",
			(unsigned long long)l->flows_summed, (unsigned long long)l->flow_sums);
	if (l->flows_unowned)
		log_notice(
			"%llu of those are in rows without a process: there were too many processes",
			(unsigned long long)l->flows_unowned);
}

struct words {
	char text[CLI_WORDS];
	size_t len;
};

__attribute__((format(printf, 3, 4))) static void put(struct words *w, uint64_t n, const char *fmt,
						      ...)
{
	va_list ap;
	int r;

	if (!n || w->len >= sizeof(w->text))
		return;
	r = snprintf(w->text + w->len, sizeof(w->text) - w->len, "%s", w->len ? ", " : "");
	w->len += r > 0 ? (size_t)r : 0;
	va_start(ap, fmt);
	r = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, ap);
	va_end(ap);
	w->len += r > 0 ? (size_t)r : 0;
}

/* One line each of those that lost something. What ends after this, an output and a file of packets, has its own. */
static int tell_loss(const struct netprobe_loss *l, void *arg)
{
	struct words w = {};

	if (!strncmp(l->program, "output", 6) || !strcmp(l->program, "pcap"))
		return 0;
	put(&w, l->ring_full, "%llu %s found the ring full", (unsigned long long)l->ring_full,
	    l->unit);
	put(&w, l->map_full, "%llu %s found no room", (unsigned long long)l->map_full, l->unit);
	/* nobody asked for that limit */
	put(&w, !strcmp(l->program, "trace") ? l->rate_limited : 0,
	    "%llu steps were more than is told in a second", (unsigned long long)l->rate_limited);
	put(&w, l->lost_tx_bytes + l->lost_rx_bytes, "%llu bytes are in no count",
	    (unsigned long long)(l->lost_tx_bytes + l->lost_rx_bytes));
	put(&w, l->missed, "%llu were not shown by the kernel", (unsigned long long)l->missed);
	put(&w, l->helper_errors, "%llu could not be read", (unsigned long long)l->helper_errors);
	put(&w, l->implausible,
	    "%llu records have figures that cannot be, and were left out; -v names them",
	    (unsigned long long)l->implausible);
	if (w.len)
		log_notice("losses of %s: %s", l->program, w.text);
	return 0;
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
	(void)netprobe_manager_losses(m, tell_loss, NULL, NULL);
	tell_sums(&l);
}
