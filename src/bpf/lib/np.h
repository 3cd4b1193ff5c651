/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What every BPF source of netprobe starts from: headers, constants the UAPI does not carry, knobs
 * set before load (cfg_*) and state shared with user space by memory map (st_*). No programs here.
 */
#ifndef NETPROBE_BPF_LIB_NP_H
#define NETPROBE_BPF_LIB_NP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#include "../kernel/net.h"
#include "../kernel/task.h"
#include "wire/config.h"
#include "wire/events.h"
#include "wire/packets.h"
#include "wire/record.h"
#include "wire/stats.h"

/* Kernel ABI without a UAPI header that BPF code can include. */
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define MSG_PEEK 0x2
#define MSG_WAITALL 0x100
#define MSG_ERRQUEUE 0x2000
#define PF_IO_WORKER 0x00000010
#define PF_KTHREAD 0x00200000

#define ICSK_TIME_LOSS_PROBE 5
#define TCP_CA_RECOVERY 3
#define TCP_CA_LOSS 4
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_CLOSING 11
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12

/*
 * A number put into a narrower one: what is cut off was looked at before, or cannot be, as the line says.
 * tests/check-narrow finds every other place.
 */
#define CUT(type, value) ((type)(value))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define NP_USER_SLOTS 4096

/* Knobs, read-only after load. */
/* sockets by address in a hash: for kprobe programs, which get no typed pointer */
extern const volatile __u8 cfg_store_hash;
extern const volatile __u8 cfg_use_perf;     /* events by perf buffer: no ring buffer before 5.8 */
extern const volatile __u32 cfg_ring_wakeup; /* bytes waiting in the ring that wake the reader */

/* 1: the exec hook is there, and raises np_filter.exec_gen */
extern const volatile __u8 cfg_exec_seen;
/* 1: nobody makes lines of events; only records that end or fail are read */
extern const volatile __u8 cfg_quiet;
/* jiffies a second; 0 unknown */
extern const volatile __u32 cfg_hz;
/* For tests: entries of the hash stay after their socket, as where the hook at its end was missed. */
extern const volatile __u8 cfg_keep_dead;
/* There are cgroup hierarchies of version 1. */
extern const volatile __u8 cfg_cgroup_v1;
/* No hook is at the end of other sockets than TCP's: what is counted in their entries goes with them. */
extern const volatile __u8 cfg_no_ends;

/* Programs at sends may be left out: what TCP sockets were given is settled by the kernel's counter at their end. */
extern const volatile __u8 cfg_settle_tx;

/* State shared with user space. */
extern struct np_filter np_filter; /* written by user space; gen last */
/* process whose new sockets are ignored (the self-test) */
extern volatile __u32 st_ignore_tgid;
/* 1 once a logical program ran: the proof that a hook delivers */
extern volatile __u8 st_hit[NP_PROG_MAX];
extern volatile __u32 st_parts_gen; /* 0 or 1: which of the part maps is written */
/* entries ever inserted into the maps of parts and sums: one that is not seen in it would wait for the next */
extern volatile __u64 st_parts_made;
extern volatile __u32 st_v1_full;      /* not 0: paths of v1 cgroups found no room */
extern volatile __u64 st_closed_made;  /* records that went to np_closed */
extern volatile __u64 st_left_refused; /* sockets that found no free slot of np_lefts; about */
extern volatile __u64 st_event_ns;     /* begin of the second that max_events is counted in */
extern volatile __u32 st_event_n;      /* records in it */
/* by USER_SLOT(tgid) */
extern struct np_user st_users[NP_USER_SLOTS];
extern volatile __u32
	st_left_gen; /* raised by user space before it looks for sockets that are gone */
/* 1: a reader of datagrams has no interface (arrive.bpf.c); user space writes 0 whenever it has looked */
extern volatile __u32 st_need_arrive;
extern volatile __u64 st_next_id; /* own socket numbers where the kernel gave no cookie */

/*
 * Always 0. The verifier does not know, so what it is mixed with is any number from there on: it goes through what comes
 * then once, not for each value that the way there can leave (unknown).
 */
extern volatile __u32 st_zero;

/* Remote ports of datagrams whose content is handed up, a bit each (answer.h); written by user space. */
extern volatile __u64 st_answer_ports[NP_PORT_WORDS];

#define USER_SLOT(tgid) ((tgid) & (NP_USER_SLOTS - 1))

static __always_inline __u32 unknown(__u32 number)
{
	return number ^ st_zero;
}

static __always_inline void prog_hit(__u32 prog)
{
	/* Read before write: the line stays shared between processors. */
	if (unlikely(!st_hit[prog]))
		st_hit[prog] = 1;
}

#endif
