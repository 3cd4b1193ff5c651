/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balancer's program and maps, pinned in a folder of bpffs of each network namespace: they go on
 * when the command has ended, and the next one finds them.
 */
#ifndef NETPROBE_BALANCE_PINS_H
#define NETPROBE_BALANCE_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Index into pins.fds. */
#define PIN_PROG 0
#define PIN_VIPS 1
#define PIN_BACKENDS 2
#define PIN_RINGS 3
#define PIN_CONNS 4
#define PIN_VIP_COUNT 5
#define PIN_BE_COUNT 6
#define PIN_TOTALS 7
#define PIN_CONFIG 8
#define PIN_VIP_CONF 9
#define PIN_BE_CONF 10
#define PIN_LINKS 11
#define PINS 12

struct pins {
	char dir[4096];
	int lock; /* the folder itself */
	int fds[PINS];
};

struct pins_opts {
	uint32_t conns; /* flows the connection table has room for; 0: 1,048,576 in 8 MiB */
};

/*
 * Open this namespace's; create: load and pin them where there are none. The folder is locked until
 * pins_close or pins_unlock, so that two commands do not write at once. -ENOENT: none there.
 */
int pins_open(bool create, const struct pins_opts *opts, struct pins *ret,
	      struct netprobe_error *err);
void pins_close(struct pins *p);
/* Remove those of network namespaces that are gone. After guard_sweep_folders(): what guard holds there is held here. */
void pins_sweep(void);
int pins_lock(struct pins *p);
void pins_unlock(struct pins *p);
/* Take them out of bpffs; what is attached keeps them until it is detached. */
int pins_remove(struct pins *p, struct netprobe_error *err);

#endif
