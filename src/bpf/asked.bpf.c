// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Who asks libc for a name, and how long it waits: uprobes on getaddrinfo and its older kin. An
 * object of its own, loaded only where asked for, since a probed function costs its callers a trap.
 */
#include "lib/owner.h"
#include "lib/scratch.h"
#include "wire/asked.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define STALE_NS 120000000000ULL /* a call that never returned (longjmp, exec) */

struct np_filter np_filter = { .gen = 1, .enabled = 1 };

struct asked_call {
	struct np_ev_asked ev;
	__u64 depth; /* gethostbyname calls gethostbyname_r, which is probed as well */
};

/* Written and deleted here by thread; the oldest gives way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct asked_call);
} np_asked_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} np_asked_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_asked_loss);
} np_asked_loss SEC(".maps");

struct asked_place {
	struct scratch_head head;
	struct asked_call call;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct asked_place);
} np_asked_new SEC(".maps");

#define asked_count(member)                                                                \
	do {                                                                               \
		__u32 zero_ = 0;                                                           \
		struct np_asked_loss *loss_ = bpf_map_lookup_elem(&np_asked_loss, &zero_); \
		if (loss_)                                                                 \
			__sync_fetch_and_add(&loss_->member, 1);                           \
	} while (0)

static __always_inline void asked_emit(struct np_ev_asked *ev)
{
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	if (bpf_ringbuf_output(&np_asked_ring, ev, sizeof(*ev), BPF_RB_NO_WAKEUP))
		asked_count(ring_full);
	else
		asked_count(submitted);
}

/* A call begins. */
static __always_inline void asked_begin(struct asked_call *call, __u64 id, __u64 now,
					const char *name)
{
	__builtin_memset(call, 0, sizeof(*call));
	call->ev.hdr.len = sizeof(call->ev);
	call->ev.hdr.cpu = bpf_get_smp_processor_id();
	call->ev.begin_ns = now;
	owner_of_current(&call->ev.owner);
	if (bpf_probe_read_user_str(call->ev.name, sizeof(call->ev.name), name) <= 0) {
		asked_count(helper_err);
		return;
	}
	if (bpf_map_update_elem(&np_asked_calls, &id, call, BPF_ANY))
		asked_count(map_full);
	asked_emit(&call->ev);
}

/* Context: the calling task. Its first argument is the name, in all of them. */
SEC("uprobe")
int BPF_KPROBE(np_asked_in, const char *name)
{
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct asked_call *call = bpf_map_lookup_elem(&np_asked_calls, &id);
	struct asked_place *place;

	if (call && now - call->ev.begin_ns < STALE_NS) {
		call->depth++;
		return 0;
	}
	if (!name)
		return 0;
	asked_count(seen);
	place = scratch_take(&np_asked_new);
	if (!place) {
		asked_count(map_full);
		return 0;
	}
	asked_begin(&place->call, id, now, name);
	scratch_give(place);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(np_asked_out)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct asked_call *call = bpf_map_lookup_elem(&np_asked_calls, &id);

	if (!call)
		return 0; /* began before the probe */
	if (call->depth) {
		call->depth--;
		return 0;
	}
	asked_count(seen);
	call->ev.end_ns = bpf_ktime_get_ns();
	asked_emit(&call->ev);
	(void)bpf_map_delete_elem(&np_asked_calls, &id);
	return 0;
}
