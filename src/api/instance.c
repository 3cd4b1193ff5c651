/* SPDX-License-Identifier: BSD-2-Clause */
/* Running commands, asked over their control sockets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"
#include "control/client.h"

/* Those of one folder; *n goes up by them. 1: fn wants no more. */
static int list_dir(const struct control_dir *dir, netprobe_instance_fn fn, void *arg, int *n,
		    struct netprobe_error *err)
{
	pid_t *pids = NULL;
	int found = control_dir_scan(dir, &pids), r = 0;

	if (found < 0)
		return error_set(err, found, "cannot list instances in %s: %s", dir->path,
				 strerror(-found));
	for (int i = 0; i < found && !r; i++) {
		(*n)++;
		r = fn && fn((uint32_t)pids[i], arg);
	}
	free(pids);
	return r;
}

API_PUBLIC int netprobe_instances(netprobe_instance_fn fn, void *arg, struct netprobe_error *err)
{
	struct control_dir dir, service;
	int r = control_dir_find(&dir, false, err), n = 0;

	if (r && r != -ENOENT)
		return r;
	(void)error_set(err, 0, "%s", "");
	r = r ? 0 : list_dir(&dir, fn, arg, &n, err);
	if (!r && !control_dir_service(&service))
		r = list_dir(&service, fn, arg, &n, err);
	if (r < 0)
		return r;
	if (!n)
		(void)error_set(err, NETPROBE_NOTE, "no instance of this user runs in %s",
				dir.path);
	return n;
}

/* Where that instance has its socket, or would have. */
static int dir_of(pid_t pid, struct control_dir *ret_dir, struct netprobe_error *err)
{
	struct control_dir service;

	if (!control_dir_service(&service) && control_dir_has(&service, pid)) {
		*ret_dir = service;
		return 0;
	}
	return control_dir_find(ret_dir, false, err);
}

API_PUBLIC int netprobe_instance_ask(uint32_t pid, const char *request, char **ret_reply,
				     struct netprobe_error *err)
{
	struct control_dir dir;
	struct buf line = {};
	json_t *reply = NULL;
	char *text;
	int r;

	if (!request || !ret_reply || !pid || pid > INT32_MAX)
		return error_set(err, -EINVAL, "no request, no pid or nowhere to put the answer");
	if (strchr(request, '\n'))
		return error_set(err, -EINVAL, "the request has more than one line");
	buf_printf(&line, "%s\n", request);
	r = buf_str(&line) ? dir_of((pid_t)pid, &dir, err) : error_set(err, -ENOMEM, "no memory");
	if (!r)
		r = control_call(&dir, (pid_t)pid, buf_str(&line), &reply, err);
	buf_done(&line);
	if (r)
		return r;
	text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	if (!text)
		return error_set(err, -ENOMEM, "no memory");
	*ret_reply = text;
	return 0;
}
