/* SPDX-License-Identifier: BSD-2-Clause */
/* A running command as `netprobe ctl` sees it: what the control socket answers, and SIGHUP. */
#ifndef NETPROBE_CLI_INSTANCE_H
#define NETPROBE_CLI_INSTANCE_H

#include "cli/cli.h"

struct instance;

/* Answers from now on. A socket that cannot be had is one line in the log, nothing more. NULL: no memory. */
struct instance *instance_open(struct loop *l);
struct instance *instance_close(struct instance *in); /* NULL-safe */
int instance_fd(const struct instance *in);	      /* -1: none to watch */
void instance_run(struct instance *in);
/* Read --config again; what is wrong with it is one line in the log and changes nothing. */
void instance_reload(struct instance *in);

#endif
