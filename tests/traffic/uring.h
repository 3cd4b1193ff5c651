/* SPDX-License-Identifier: BSD-2-Clause */
/* The least of io_uring that sends and receives: one request in flight, raw system calls. */
#ifndef TRAFFIC_URING_H
#define TRAFFIC_URING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Ends the maker as unsupported where the kernel has no io_uring. */
void uring_init(void);
/* IORING_OP_SEND, IORING_OP_RECV; returns what completed, or -errno. */
ssize_t uring_send(int fd, const void *buf, size_t len);
ssize_t uring_recv(int fd, void *buf, size_t len);

#endif
