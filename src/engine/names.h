/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for a session: follows the DNS that its kernel half hands up, makes events of it, and keeps
 * what addresses are called. Own look-ups are not made here.
 */
#ifndef NETPROBE_ENGINE_NAMES_H
#define NETPROBE_ENGINE_NAMES_H

#include "engine/asked.h"
#include "name/track.h"
#include "out/event.h"
#include "probe/packets.h"

#define NAMES_PORTS 16

struct names_opts {
	uint32_t from; /* NETPROBE_NAMES_*; 0: no names */
	uint16_t ports[NAMES_PORTS];
	unsigned int n_ports; /* of DNS; 0: 53. mDNS and LLMNR are looked at anyway */
	uint64_t timeout_ns;  /* without an answer for so long; 0: 5 s */
	bool only;	      /* events of DNS and no others */
	bool silent;	      /* no events of DNS: names alone */
	bool tapped;	      /* there is no probe: names_packet brings messages */
	bool required;	      /* fail when it cannot be had, instead of going without */
};

struct names_losses {
	struct np_packet_loss kernel;
	struct np_asked_loss asked;
	uint64_t missed; /* runs of the programs the kernel left out */
	struct dns_track_stats track;
	uint64_t streams_lost; /* messages over TCP with a hole in them */
	uint64_t rate_limited; /* events left out by --max-events */
};

struct session;
struct names;

/*
 * Without fn only answers are looked at, which costs half: nobody is told of transactions.
 * probe NULL: fed by names_packet alone. -ENOMEM, or probe_dns_open's errors where required.
 */
int names_open(struct session *s, struct probe *probe, const struct names_opts *opts,
	       const struct np_filter *filter, void (*fn)(const struct event *ev, void *arg),
	       void *arg, struct names **ret_names, struct netprobe_error *err);
struct names *names_close(struct names *n);
/* All ports to be looked at; how many. */
unsigned int names_ports(const struct names_opts *opts, uint16_t ret_ports[NAMES_PORTS + 3]);
/* One packet to or from a port of DNS, or what a client says first, from the transport's payload on. */
void names_packet(struct names *n, const struct np_ev_packet *ev, const uint8_t *bytes);
/* What a process read from a port of DNS; for sessions without events of DNS. */
void names_answer(struct names *n, const struct np_ev_answer *ev);
/* Drain what waits, end what has waited too long. 0 or -errno. */
int names_poll(struct names *n, uint64_t now_ns);
/* Tell what is still held back. */
void names_finish(struct names *n);
/* Its rows of the account of losses. */
void names_account(const struct names *n, struct losses *to);
void names_set_filter(struct names *n, const struct np_filter *filter);
/* What an address is called, for something that began at_ns (0: now); NULL unknown. n may be NULL. */
const char *names_find(const struct names *n, const uint8_t addr[16], uint64_t at_ns);
/* What a connection's client called its server; NULL unknown. */
const char *names_of_sock(const struct names *n, uint64_t sock_id);
int names_losses(const struct names *n, struct names_losses *ret_losses);
const char *names_note(const struct names *n); /* what cannot be had here, and why; empty */

#endif
