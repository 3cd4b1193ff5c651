/* SPDX-License-Identifier: BSD-2-Clause */
/* Running commands, asked over their control sockets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"
#include "control/client.h"

API_PUBLIC int netprobe_instances(netprobe_instance_fn fn, void *arg, struct netprobe_error *err)
{
	struct control_dir dir;
	pid_t *pids = NULL;
	int r = control_dir_find(&dir, false, err), n = 0;

	if (r && r != -ENOENT)
		return r;
	r = r ? 0 : control_dir_scan(&dir, &pids);
	if (r < 0)
		return error_set(err, r, "cannot list instances in %s: %s", dir.path, strerror(-r));
	if (!r)
		(void)error_set(err, 0, "no instance of this user runs in %s", dir.path);
	for (int i = 0; i < r; i++) {
		n++;
		if (fn && fn((uint32_t)pids[i], arg))
			break;
	}
	free(pids);
	return n;
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
	r = buf_str(&line) ? control_dir_find(&dir, false, err)
			   : error_set(err, -ENOMEM, "no memory");
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
