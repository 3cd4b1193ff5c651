/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine's files say about what is on the screen: command lines, names of ports. Only of this host, now. */
#ifndef NETPROBE_TUI_PLACES_H
#define NETPROBE_TUI_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The command line of a process that began at start_ns (CLOCK_BOOTTIME), arguments apart by blanks, as the process has it:
 * to be made harmless where it is drawn. Kept for the few hundred rows a screen has. False: it is gone, another one, or has none.
 */
bool place_command(uint32_t pid, uint64_t start_ns, char *s, size_t size);
/* What /etc/services calls a port; "" nothing. */
const char *place_service(uint16_t port, bool udp);
/* Another file than that, before the first question; its name is kept. For tests: machines differ in it. */
void place_services_in(const char *path);
/* Pure: a line of that file. False: it is none. */
bool place_parse_service(const char *line, char *ret_name, size_t size, uint16_t *ret_port,
			 bool *ret_udp);
/* Pure: when the process of a /proc/PID/stat began, in ticks; 0: no such text. */
uint64_t place_parse_start(const char *stat);

#endif
