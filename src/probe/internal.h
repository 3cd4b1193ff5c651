/* SPDX-License-Identifier: BSD-2-Clause */
/* struct probe, shared by the files of this folder and nobody else. */
#ifndef NETPROBE_PROBE_INTERNAL_H
#define NETPROBE_PROBE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "wire/config.h" /* before the skeleton, whose globals have these types */
#include "probe/kernel.h"
#include "probe/probe.h"
#include "probe/event_ring.h"
#include "wire/sweep.h"
#include "netprobe.skel.h"

#define PROBE_MAX_LINKS 96

struct probe {
	struct probe_opts opts;
	struct kernel_facts facts;
	struct netprobe_bpf *skel;
	struct hook_status hooks[NP_PROG_MAX];
	struct bpf_link *links[PROBE_MAX_LINKS];
	unsigned int link_hooks[PROBE_MAX_LINKS]; /* NP_PROG_* of each */
	unsigned int n_links;
	int first[2]; /* links of cgroup programs that run before all others */
	unsigned int n_first;
	struct bpf_link *sweep_link, *seed_link, *stall_link;
	int sweep_run, stall_run; /* programs that do so without being attached; 0 none */
	struct bpf_link
		*reads_link; /* of the hook that is attached on demand; NULL while it is not */
	/* the same, of the interfaces of datagrams; when such a reader was seen last, 0 never */
	struct bpf_link *arrive_link;
	uint64_t arrive_needed_ns;
	bool arrive_failed;
	bool trial;		     /* alternatives are tried: everything is attached at once */
	uint8_t wanted[NP_PROG_MAX]; /* trial of several: bits of alternatives */
	int cgroup_fd;		     /* of facts.cgroup; -1 none */
	bool store_hash;
	uint8_t no_second
		[NP_PROG_MAX]; /* alternatives, by bits, whose second program was refused: they do without */
	bool last_resort; /* nothing else was left: see hook_alt */
	bool has_pt_regs; /* the helper bpf_task_pt_regs */
	char note[512];

	struct event_ring *ring;
	struct perf_buffer *perf;
	probe_event_fn event_fn; /* of the probe_events call under way */
	void *event_arg;
	int n_events;

	const struct np_sock_rec *slots; /* np_sweep, mapped */
	size_t slots_size;
	struct probe_sweep_stats sweep_stats;
	uint64_t ends_unseen;  /* of TCP sockets: no program of ours was called */
	bool lefts_wait;       /* and what they left is to be taken */
	bool left_out;	       /* FAIL_PAUSE: by the last look */
	uint64_t left_refused; /* st_left_refused when that was taken last */
	uint64_t born_ns;      /* st_born began anew then */
	uint64_t closed_made;  /* st_closed_made when np_closed was last emptied */
	uint64_t parts_made;   /* st_parts_made when the part maps were last switched */
	bool parts_turned;     /* and the one that was written then is not drained yet */
	char *load_log;	       /* tail of what libbpf said about a failed load */
};

/* One thing more that is missing. Causes are not told twice. */
__attribute__((format(printf, 2, 3))) void probe_note_add(struct probe *p, const char *fmt, ...);

/* load.c */
/* Opened with no program to be loaded; btf_path as in the options. In one place: the object is in the code that opens it. */
struct netprobe_bpf *probe_skel_open(const char *btf_path);
/* Load and attach one alternative alone; its status tells what came of it. For trials. */
void ladder_try(struct probe *p, unsigned int hook, unsigned int alt);
/* Load all of p->wanted together; those that cannot work are taken out, with their status. False: they were refused. */
bool ladder_load_wanted(struct probe *p);
/* And attach one of them, and detach it; its status tells what came of it. */
void ladder_attach_alone(struct probe *p, unsigned int hook, unsigned int alt);
int probe_load(struct probe *p, struct netprobe_error *err);
/* All but the generations, which are the programs' and probe_set_filter's. */
void filter_copy(struct np_filter *to, const struct np_filter *from);
void probe_unload(struct probe *p);
struct bpf_program *probe_program(struct probe *p, const char *name);

/* ladder.c: pick an alternative for every hook from what is known; -EOPNOTSUPP when a required one has none. */
int ladder_choose(struct probe *p, struct netprobe_error *err);
/* An alternative turned out not to work. */
void ladder_fail(struct probe *p, unsigned int hook, uint8_t status, int err);
/* Positive errno when an alternative cannot work as far as one can tell without loading it; p->skel must be open. */
int ladder_precheck(struct probe *p, const struct hook_alt *alt);
/* Programs of an alternative that this kernel has targets for; returns how many, -ENOENT when a needed one has none. */
int ladder_programs(struct probe *p, const struct hook_alt *alt,
		    const char *ret_names[HOOK_MAX_PROGS]);
/* Is it attached to the root of the cgroup tree? */
bool ladder_is_cgroup(const struct bpf_program *prog);
/* The program is the second one of what is used there, and was refused; false: it is none. */
bool ladder_second_fails(struct probe *p, const char *program);
/* Hook and alternative a program belongs to, the first of those it stands behind; -ENOENT. */
int ladder_owner(const char *program, unsigned int *ret_hook, unsigned int *ret_alt);

/* sweep.c */
uint64_t probe_clock_ns(void); /* CLOCK_MONOTONIC */
/* What sockets left whose ends were not seen, each once; how many. Nothing where the last sweep found no such end. */
int probe_lefts(struct probe *p, void (*fn)(const struct np_left *left, void *arg), void *arg);

/* read.c */
/* Attaches or detaches the hook that tells by which interface datagrams came, as there are readers that need it. */
void probe_watch_arrivals(struct probe *p);
int probe_readers_init(struct probe *p);
void probe_readers_done(struct probe *p);
/* Until every program that began before has ended: nobody writes any more to a map that was switched away from. */
void probe_wait_for_programs(void);

#endif
