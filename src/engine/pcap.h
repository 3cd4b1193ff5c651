/* SPDX-License-Identifier: BSD-2-Clause */
/* --pcap: packets of a session, each with its owner in a comment, into a pcapng file. */
#ifndef NETPROBE_ENGINE_PCAP_H
#define NETPROBE_ENGINE_PCAP_H

#include "out/event.h"
#include "out/pcapng.h"
#include "probe/packets.h"

struct session;
struct tap;
struct pcap;

/*
 * Opens the file, and with a probe the programs that see packets; without, pcap_packet brings those
 * of the tap. The file's errors have the code
 * -EBADFD, so that they can be told from the kernel's; else probe_pcap_open's.
 */
int pcap_open(struct session *s, struct probe *probe, const struct tap *tap, const char *path,
	      const struct np_filter *filter, struct pcap **ret_pcap, struct netprobe_error *err);
/* Takes what still waits in the kernel, and writes the end of the file: what is lost is known then. */
void pcap_finish(struct pcap *p);
/* pcap_finish, and closes the file. */
struct pcap *pcap_close(struct pcap *p);
/* One packet of the tap, from its link header on. */
void pcap_packet(struct pcap *p, const struct np_ev_packet *ev, uint16_t hatype,
		 const uint8_t *bytes);
/* 0 or -errno of the kernel's side; a full disk is counted and said, not returned. */
int pcap_poll(struct pcap *p);
void pcap_set_filter(struct pcap *p, const struct np_filter *filter);
/* Its row of the account of losses. */
void pcap_account(const struct pcap *p, struct losses *to);

#endif
