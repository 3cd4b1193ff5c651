/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client, a balancer and three backends on one switch, each in a namespace of its own, with real TCP
 * between them: 10.99.0.1 and fd99::1 the balancer, .10 to .12 the backends, .100 the client. The test's
 * own process is in the balancer's namespace.
 */
#ifndef LIVE_LB_NET_H
#define LIVE_LB_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"

#define NET_BACKENDS 3
#define NET_VIP4 "192.0.2.1"
#define NET_VIP6 "2001:db8::1"
#define NET_PORT 8080
#define NET_CONNS 64

struct net {
	struct netns sw, client, backends[NET_BACKENDS];
	pid_t servers[NET_BACKENDS];
	void *decap[NET_BACKENDS]; /* objects of decap.bpf.o */
	void *pass;
	int link;      /* of the balancer's program */
	int pass_link; /* of the switch's at the balancer's cable, without which it takes nothing */
};

/* All of it, with servers that answer on NET_PORT at every address. */
struct net net_new(void);
/* Attach a program to the balancer's interface, natively. */
void net_attach(struct net *n, int prog_fd);
void net_stop_server(struct net *n, unsigned int i);
void net_start_server(struct net *n, unsigned int i);
/* Packets that came to a backend through the tunnel, by its own count. */
uint64_t net_unwrapped(const struct net *n, unsigned int i);

/*
 * Connections of the client, by a process of its own in its namespace that does what it is told: ids of
 * the backends that answered, -1 where none did.
 */
struct clients {
	pid_t pid;
	int to, from;
	int backend[NET_CONNS];
};
struct clients clients_new(const struct net *n, const char *vip);
/* Open connections from..to-1 (one after the other); fills backend. */
void clients_open(struct clients *c, unsigned int from, unsigned int to);
/* Send bytes over each of these and read them back: how many of them still work with their backend. */
unsigned int clients_echo(struct clients *c, unsigned int from, unsigned int to, uint32_t bytes);
void clients_end(struct clients *c);

#endif
