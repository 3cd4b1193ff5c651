/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: commands and programs that run can be asked and changed by others of the same user, over a
 * socket of their own; this is both ends of it. The conventions are in netprobe.h.
 */
#ifndef NETPROBE_INSTANCE_H
#define NETPROBE_INSTANCE_H

#include <netprobe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netprobe_manager;

/* fn returns 0 to go on, anything else to stop. */
typedef int (*netprobe_instance_fn)(uint32_t pid, void *arg);

/*
 * Commands of this user that run and can be asked (see netprobe-ctl in the documentation): call fn with the pid of
 * each. How many; with 0 err->code is NETPROBE_NOTE, and err->msg says where they were looked for. -EPERM: the folder is somebody else's. Any thread.
 * Since: 0.1.
 */
int netprobe_instances(netprobe_instance_fn fn, void *arg, struct netprobe_error *err);

/*
 * Ask one of them: request is a line of JSON, {"cmd":"get","key":"port"}, {"cmd":"set","values":{"port":"80"}},
 * {"cmd":"stats"}, {"cmd":"info"}; *ret_reply is its answer as JSON, {"ok":true,...} or
 * {"ok":false,"code":N,"error":"..."}, the caller's to free(3). Waits for up to some seconds.
 * -ENOENT: no such instance; -EPERM: not this user's; -ETIMEDOUT, -EPROTO: it does not answer, or nothing that is
 * one; -EINVAL: no request; -ENOMEM. Any thread. Since: 0.1.
 */
int netprobe_instance_ask(uint32_t pid, const char *request, char **ret_reply,
			  struct netprobe_error *err);

/* One key and its new value; an empty value clears it. */
struct netprobe_setting {
	const char *key, *value;
};

/* What a program that can be asked is, and how its settings are read and changed. */
struct netprobe_instance_ops {
	size_t size;
	const char *command; /* what it is called: "events" */
	/*
	 * Write a JSON object of keys and values as text into *ret_json, to be freed by free(3) here; key NULL:
	 * all. -EINVAL: there is no such key, err says so.
	 */
	int (*get)(const char *key, char **ret_json, struct netprobe_error *err, void *arg);
	/* All of them or none. -EINVAL: what is wrong with one is in err. */
	int (*set)(const struct netprobe_setting *settings, size_t n, struct netprobe_error *err,
		   void *arg);
	void *arg;
};

struct netprobe_instance;

/*
 * Be asked, about a loaded manager: answers who it is and what it lost itself, asks ops (copied) for the rest. No thread:
 * netprobe_instance_run is to be called when netprobe_instance_fd is readable, by one thread at a time; get and set
 * run in it, and may call functions of the manager, which must outlive the instance.
 * *ret_instance is the caller's, to be freed by netprobe_instance_free.
 * -EINVAL: something is missing; -EPERM, -EADDRINUSE and others: there can be no socket; -ENOMEM. Since: 0.1.
 */
int netprobe_instance_new(struct netprobe_manager *m, const struct netprobe_instance_ops *ops,
			  struct netprobe_instance **ret_instance, struct netprobe_error *err);

/* The socket goes. NULL is allowed; returns NULL. Since: 0.1. */
struct netprobe_instance *netprobe_instance_free(struct netprobe_instance *in);

/* The instance's, level triggered; -EINVAL: NULL. Since: 0.1. */
int netprobe_instance_fd(const struct netprobe_instance *in);

/* Take what was asked and answer; never waits. 0, -EINVAL: NULL. Since: 0.1. */
int netprobe_instance_run(struct netprobe_instance *in);

#ifdef __cplusplus
}
#endif

#endif
