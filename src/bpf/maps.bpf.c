// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Every map and global that more than one source uses, defined once; the headers that declare them
 * say who writes, who reads and when entries die.
 */
#include "lib/emit.h"
#include "lib/part.h"
#include "lib/sum.h"
#include "lib/traffic.h"
#include "lib/calls.h"
#include "lib/second.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u8 cfg_store_hash = 0;
const volatile __u8 cfg_use_perf = 0;
const volatile __u32 cfg_ring_wakeup = 1024 * 1024;
const volatile __u8 cfg_exec_seen = 0;
const volatile __u8 cfg_quiet = 0;
const volatile __u8 cfg_keep_dead = 0;
const volatile __u8 cfg_no_ends = 0;
const volatile __u8 cfg_cgroup_v1 = 0;
const volatile __u32 cfg_hz = 0;
const volatile __u8 cfg_second = 0;
const volatile __u8 cfg_settle_tx = 0;

struct np_filter np_filter = { .gen = 1, .exec_gen = 1, .enabled = 1 };
volatile __u32 st_ignore_tgid = 0;
volatile __u8 st_hit[NP_PROG_MAX] = {};
volatile __u32 st_parts_gen = 0;
volatile __u64 st_parts_made = 0;
volatile __u32 st_v1_full = 0;
volatile __u64 st_closed_made = 0;
volatile __u64 st_left_refused = 0;
volatile __u64 st_event_ns = 0;
volatile __u32 st_event_n = 0;
volatile __u64 st_answer_ports[NP_PORT_WORDS] = {};
struct np_user st_users[NP_USER_SLOTS] = {};
volatile __u32 st_left_gen = 1;
volatile __u32 st_need_arrive = 0;
volatile __u64 st_next_id = 1;
volatile __u64 st_second[NP_PROG_MAX] = {};
volatile __u32 st_zero = 0;

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");
struct np_rares_map np_rares SEC(".maps");
struct np_rares_h_map np_rares_h SEC(".maps");
struct np_zero_map np_zero SEC(".maps");
struct np_loss_map np_losses SEC(".maps");
struct np_lives_map np_lives SEC(".maps");
struct np_parts_map np_parts_a SEC(".maps");
struct np_parts_map np_parts_b SEC(".maps");
struct np_sums_map np_sums_a SEC(".maps");
struct np_sums_map np_sums_b SEC(".maps");
struct np_lefts_map np_lefts SEC(".maps");
struct np_part_scratch_map np_part_scratch SEC(".maps");
struct np_v1s_map np_v1s SEC(".maps");
struct np_v1_scratch_map np_v1_scratch SEC(".maps");
struct np_events_map np_events SEC(".maps");
struct np_events_perf_map np_events_perf SEC(".maps");
struct np_ev_scratch_map np_ev_scratch SEC(".maps");
struct np_closed_map np_closed SEC(".maps");
struct np_notes_map np_notes SEC(".maps");
struct np_peers_map np_peers SEC(".maps");
struct np_calls_map np_calls SEC(".maps");
struct np_mains_map np_mains SEC(".maps");
struct np_newest_map np_newest SEC(".maps");
struct np_answer_map np_answers SEC(".maps");
struct np_marks_map np_marks SEC(".maps");
