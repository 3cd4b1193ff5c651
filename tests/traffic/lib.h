/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the traffic makers: arguments, sockets, namespaces and the one line each process of a
 * scenario prints about itself. A report's byte counts are sums of positive return values of the
 * maker's own calls, so they are the truth netprobe is compared with.
 */
#ifndef TRAFFIC_LIB_H
#define TRAFFIC_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define EXIT_UNSUPPORTED 77 /* this kernel lacks what the scenario needs */

struct addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

struct report {
	const char *role;
	uint64_t tx, rx;	   /* bytes */
	uint64_t tx_pkts, rx_pkts; /* calls that moved something: datagrams of a datagram socket */
	uint64_t unseen;	   /* of rx: taken by splice or TCP_ZEROCOPY_RECEIVE */
	uint64_t before;	   /* of tx and rx: before the socket changed hands, or a hold */
	uint64_t cookie;	   /* SO_COOKIE of the last socket noted; 0 none */
	uint16_t lport, rport;
	pid_t pid, tid; /* 0: the caller's */
	double rate;	/* round trips a second; 0 does not apply */
	uint64_t wait_min_ns,
		wait_max_ns; /* how long bytes waited in its queue, by its own clock; 0 no matter */
	int err;	     /* errno the scenario met; 0 none */
};

/*
 * Arguments are --name value pairs, or bare words; lib keeps argv. Every maker takes --pid-ns (run
 * in a pid namespace of its own), --lite (UDP-Lite instead of UDP) and --mptcp (instead of TCP; --mptcp-client and
 * --mptcp-server of one end only).
 */
void tm_init(int argc, char **argv);
const char *tm_word(int n); /* n-th bare word; NULL */
const char *tm_str(const char *name, const char *fallback);
uint64_t tm_num(const char *name, uint64_t fallback); /* takes k, m, g (powers of 1024) */
bool tm_flag(const char *name);			      /* --name without a value */

/* Print one line with the errno and end with 1; unsupported ends with EXIT_UNSUPPORTED. */
_Noreturn void die(const char *what);
_Noreturn void unsupported(const char *what);

/* fork() whose child dies with its parent; wait for every child, returns the worst exit status. */
pid_t tm_fork(void);
int tm_wait_all(void);
/* Enter the network namespace --<who>-ns names, where given. */
void tm_enter(const char *who);
/* Where --hold POINT was given: print {"hold":...} and wait for one byte on stdin. */
void tm_hold(const char *point);
void tm_comm(const char *name);
uint64_t tm_now_ns(void);
void tm_sleep_ms(unsigned int ms);

/* "10.0.0.1", "::1", "::ffff:127.0.0.1" (an AF_INET6 socket). */
struct addr addr_parse(const char *text, uint16_t port);
struct addr addr_of(int fd);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* Each dies on failure. */
int sock_new(int family, int type);
int tcp_listen(const struct addr *a, int backlog);
int tcp_accept(int listener);
int udp_bind(const struct addr *a);
void sock_connect(int fd, const struct addr *a);
void sock_int(int fd, int level, int option, int value);

/* Shared memory between a scenario's processes, zeroed. */
void *tm_shared(size_t size);
/* Pipes as gates: a waits until b opened. Both ends stay open in all processes. */
struct gate {
	int fd[2];
};
struct gate gate_new(void);
void gate_open(const struct gate *g, uint16_t value);
uint16_t gate_wait(const struct gate *g);

/* Blocking helpers that add what the calls returned. */
void send_bytes(struct report *r, int fd, uint64_t bytes, size_t chunk);
void recv_bytes(struct report *r, int fd, uint64_t bytes); /* exactly that many */
void recv_to_end(struct report *r, int fd);		   /* until the peer's FIN */

void report_socket(struct report *r, int fd);
void report_print(const struct report *r);

#endif
