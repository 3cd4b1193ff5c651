/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces without a name: each is held by a child process that dies with the test, so
 * that nothing is left behind whatever happens. Entered by setns(), never by `ip netns exec`,
 * which remounts sysfs and hides tracefs, bpffs and the cgroups.
 */
#ifndef LIVE_NETNS_H
#define LIVE_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct netns {
	pid_t holder;
	char path[40];	/* for setns() */
	uint64_t inode; /* as netprobe prints it */
};

/* A namespace with lo up. */
struct netns netns_new(void);
/*
 * Bytes that the interfaces of one of the test's namespaces sent and received so far, headers and retransmits among
 * them. False: it is none of these, or is gone.
 */
bool netns_carried(uint64_t inode, double *ret_tx, double *ret_rx);
/* The number that no other namespace gets; 0 before 5.14. path: as for setns(). */
uint64_t netns_cookie_of(const char *path);
/* Where guard and the balancer have their pins for that namespace. */
struct netns_pins {
	char guard[64], lb[64];
};
struct netns_pins netns_pins_of(const char *path);
/* What they pin there goes with the test, however that ends. */
void netns_unpin_later(const char *path);
/* Run a command inside; its exit status. Its output goes to the test's folder (commands.log). */
int netns_run(const struct netns *ns, const char *command);
/* The same, and the test ends when it fails. */
void netns_must(const struct netns *ns, const char *command);
/* The same of a script of Python, without double quotes; socket, struct, time and os are imported. */
void netns_python(const struct netns *ns, const char *script);

/* Two namespaces and a cable: 10.77.0.1 and .2, fd77::1 and ::2. Names are the test's own. */
struct netns_pair {
	struct netns a, b;
	char if_a[16], if_b[16];
};
struct netns_pair netns_pair_new(void);
/* The cable goes, and another one comes: same names and addresses, that number at a's end. */
void netns_pair_remake(const struct netns_pair *p, unsigned int ifindex);

/*
 * Drop part of what comes in, by an nftables rule. match is nft's, or
 * "" for everything; percent 100 drops all. Skips the test where nftables is not to be had.
 */
void netns_drop(const struct netns *ns, const char *match, int percent);
void netns_drop_end(const struct netns *ns);

/* A counter of /proc/net/snmp or /proc/net/netstat, as Tcp RetransSegs. */
uint64_t netns_counter(const struct netns *ns, const char *group, const char *name);
/* Wait until it has reached at least that. */
void netns_wait_counter(const struct netns *ns, const char *group, const char *name,
			uint64_t least);
/* Wait until somebody listens there. */
void netns_wait_listener(const struct netns *ns, uint16_t port);
/* Wait until each TCP connection in it was accepted, and all that was sent through it was taken. */
void netns_wait_taken(const struct netns *ns);
/* Does a connection in it have bytes that were not acknowledged? */
bool netns_unacked(const struct netns *ns);
/* Wait until every TCP connection in it is over (TIME_WAIT aside): no counter moves any more. */
void netns_wait_quiet(const struct netns *ns);

#endif
