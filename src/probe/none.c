/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This folder's calls in a build without BPF (-Dbpf=disabled): whatever opens something says that it
 * cannot, so that nothing is ever there to be read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "probe/asked.h"
#include "probe/drops.h"
#include "probe/packets.h"
#include "probe/pids.h"
#include "probe/trace.h"
#include "probe/trial.h"
#include "probe/waits.h"

static const char text[] = "this build has no eBPF (-Dbpf=disabled)";

static int none(struct netprobe_error *err)
{
	return error_set(err, -EOPNOTSUPP, "%s", text);
}

void kernel_facts_init(struct kernel_facts *facts, const char *btf_path)
{
	struct utsname uts;

	*facts = (struct kernel_facts){ .no_bpf = true };
	if (uname(&uts))
		return;
	(void)snprintf(facts->release, sizeof(facts->release), "%s", uts.release);
	(void)snprintf(facts->arch, sizeof(facts->arch), "%s", uts.machine);
}

const char *probe_asked_missing(char *buf, unsigned int size)
{
	(void)snprintf(buf, size, "%s", text);
	return buf;
}

int probe_answers(struct probe *p, const uint16_t *ports, size_t n)
{
	(void)p, (void)ports, (void)n;
	return -EOPNOTSUPP;
}

bool pids_differ(void)
{
	return false;
}

bool probe_misses_ends(const struct probe *p)
{
	return false;
}

bool probe_tells_births(const struct probe *p)
{
	return false;
}

int probe_v1(struct probe *p, uint64_t key, struct np_v1 *ret_v1)
{
	abort();
}

int probe_watch_reads(struct probe *p, bool on)
{
	return -EOPNOTSUPP;
}

int kernel_btf_check(const char *path, struct netprobe_error *err)
{
	return none(err);
}

void kernel_facts_done(struct kernel_facts *facts)
{
	(void)facts;
}

int probe_asked_attach(struct probe_asked *a, const char *path)
{
	abort();
}

struct probe_asked *probe_asked_close(struct probe_asked *a)
{
	return NULL;
}

int probe_asked_losses(const struct probe_asked *a, struct np_asked_loss *ret_loss)
{
	abort();
}

int probe_asked_open(struct probe *p, struct probe_asked **ret_asked, struct netprobe_error *err)
{
	return none(err);
}

int probe_asked_poll(struct probe_asked *a, probe_asked_fn fn, void *arg)
{
	abort();
}

struct probe *probe_close(struct probe *p)
{
	return NULL;
}

int probe_dns_open(struct probe *p, const uint16_t *ports, size_t n, const struct np_filter *filter,
		   uint32_t what, struct probe_packets **ret_packets, struct netprobe_error *err)
{
	return none(err);
}

struct probe_drops *probe_drops_close(struct probe_drops *d)
{
	return NULL;
}

int probe_drops_drain(struct probe_drops *d, probe_drop_sum_fn fn, void *arg)
{
	abort();
}

uint32_t probe_drops_kinds(const struct probe_drops *d)
{
	abort();
}

int probe_drops_losses(const struct probe_drops *d, struct np_drop_loss *ret_loss,
		       uint64_t *ret_missed)
{
	abort();
}

const char *probe_drops_note(const struct probe_drops *d)
{
	abort();
}

int probe_drops_open(struct probe *p, const struct probe_drops_opts *opts,
		     struct probe_drops **ret_drops, struct netprobe_error *err)
{
	return none(err);
}

int probe_drops_poll(struct probe_drops *d, probe_drop_fn fn, void *arg)
{
	abort();
}

const char *probe_drops_reason(const struct probe_drops *d, uint32_t reason, char *buf, size_t size)
{
	abort();
}

void probe_drops_set_filter(struct probe_drops *d, const struct np_filter *filter)
{
	abort();
}

void probe_drops_set_stack(struct probe_drops *d, bool on)
{
	abort();
}

unsigned int probe_drops_stack(const struct probe_drops *d, int32_t id,
			       uint64_t ret_frames[NP_DROP_STACK_DEPTH])
{
	abort();
}

void probe_drops_stop(struct probe_drops *d)
{
	abort();
}

int probe_drops_sums(struct probe_drops *d, probe_drop_sum_fn fn, void *arg)
{
	abort();
}

void probe_drops_turn(struct probe_drops *d)
{
	abort();
}

int probe_event_fd(const struct probe *p)
{
	abort();
}

int probe_events(struct probe *p, probe_event_fn fn, void *arg)
{
	abort();
}

int probe_exec(const struct probe *p, uint32_t tgid, struct np_exec *ret_exec)
{
	abort();
}

uint8_t probe_family(const struct probe *p)
{
	abort();
}

const struct hook_status *probe_hooks(const struct probe *p)
{
	abort();
}

int probe_losses(const struct probe *p, struct probe_loss ret_losses[NP_PROG_MAX])
{
	abort();
}

const char *probe_note(const struct probe *p)
{
	abort();
}

int probe_open(const struct probe_opts *opts, struct probe **ret_probe, struct netprobe_error *err)
{
	return none(err);
}

struct probe_packets *probe_packets_close(struct probe_packets *k)
{
	return NULL;
}

int probe_packets_losses(const struct probe_packets *k, struct np_packet_loss *ret_loss,
			 uint64_t *ret_missed)
{
	abort();
}

int probe_packets_poll(struct probe_packets *k, probe_packet_fn fn, void *arg)
{
	abort();
}

void probe_packets_set_filter(struct probe_packets *k, const struct np_filter *filter)
{
	abort();
}

int probe_parts(struct probe *p, probe_part_fn fn, void *arg)
{
	abort();
}

void probe_parts_turn(struct probe *p)
{
	abort();
}

int probe_seed(struct probe *p)
{
	abort();
}

uint32_t probe_set_filter(struct probe *p, const struct np_filter *filter)
{
	abort();
}

int probe_stalls(struct probe *p, uint64_t threshold_ns)
{
	abort();
}

int probe_sweep(struct probe *p, bool full, probe_sock_fn fn, void *arg)
{
	abort();
}

struct probe_trace *probe_trace_close(struct probe_trace *t)
{
	return NULL;
}

int probe_trace_losses(const struct probe_trace *t, struct np_trace_loss *ret_loss)
{
	abort();
}

const char *probe_trace_note(const struct probe_trace *t)
{
	abort();
}

int probe_trace_open(struct probe *p, const struct np_filter *filter, uint32_t steps,
		     struct probe_trace **ret_trace, struct netprobe_error *err)
{
	return none(err);
}

int probe_trace_poll(struct probe_trace *t, probe_trace_fn fn, void *arg)
{
	abort();
}

const char *probe_trace_reason(const struct probe_trace *t, uint32_t reason, char *buf, size_t size)
{
	abort();
}

void probe_trace_set_filter(struct probe_trace *t, const struct np_filter *filter)
{
	abort();
}

void probe_trial_begin(struct hook_status *hooks, const struct hook_status *real)
{
	memset(hooks, 0, NP_PROG_MAX * sizeof(*hooks));
}

void probe_trial_all(const struct kernel_facts *facts, struct hook_status *hooks)
{
	(void)hooks;
}

const char *probe_trial_target(const char *program)
{
	return NULL;
}

struct probe_waits *probe_waits_close(struct probe_waits *w)
{
	return NULL;
}

int probe_waits_poll(struct probe_waits *w, uint64_t now_ns, bool reads)
{
	abort();
}

int probe_waits_each(struct probe_waits *w,
		     void (*fn)(const struct np_wait_key *key, const struct np_wait_hist *h,
				void *arg),
		     void *arg)
{
	abort();
}

void probe_waits_forget(struct probe_waits *w, const struct np_wait_key *key)
{
	abort();
}

int probe_waits_losses(const struct probe_waits *w, struct np_wait_loss *ret_loss)
{
	abort();
}

const char *probe_waits_note(const struct probe_waits *w)
{
	abort();
}

int probe_waits_open(struct probe *p, struct probe_waits **ret_waits, struct netprobe_error *err)
{
	return none(err);
}

int probe_pcap_open(struct probe *p, const struct np_filter *filter,
		    struct probe_packets **ret_packets, struct netprobe_error *err)
{
	return none(err);
}

void probe_packets_stop(struct probe_packets *k)
{
	abort();
}
