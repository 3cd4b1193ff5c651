/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that can be asked: requests to it are answered here, or by what it says of its settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/error.h"
#include "base/version.h"
#include "control/server.h"

struct netprobe_instance {
	struct netprobe_manager *m;
	struct netprobe_instance_ops ops;
	char *command;
	uint64_t start_wall_ns;
	struct control_server *server;
};

static void write_instance(const struct netprobe_instance *in, const char *mode, struct buf *b)
{
	json_key(b, "instance");
	buf_putc(b, '{');
	json_kv_u64(b, "pid", (uint64_t)getpid());
	json_kv_str(b, "command", in->command);
	json_kv_str(b, "mode", mode);
	json_key(b, "start");
	buf_putc(b, '"');
	buf_time_ns(b, in->start_wall_ns);
	buf_putc(b, '"');
	json_kv_str(b, "version", version_text);
	buf_putc(b, '}');
}

struct programs {
	struct buf *b;
	unsigned int n;
};

static int write_program(const struct netprobe_loss *l, void *arg)
{
	struct programs *p = arg;
	struct buf *b = p->b;

	buf_puts(b, p->n++ ? ",{" : "{");
	json_kv_str(b, "program", l->program);
	json_kv_u64(b, "seen", l->seen);
	json_kv_u64(b, "submitted", l->submitted);
	json_kv_u64(b, "ring_full", l->ring_full);
	json_kv_u64(b, "filtered", l->filtered);
	json_kv_u64(b, "sampled_out", l->sampled_out);
	json_kv_u64(b, "rate_limited", l->rate_limited);
	json_kv_u64(b, "map_full", l->map_full);
	json_kv_u64(b, "lost_tx_bytes", l->lost_tx_bytes);
	json_kv_u64(b, "lost_rx_bytes", l->lost_rx_bytes);
	json_kv_u64(b, "helper_errors", l->helper_errors);
	json_kv_u64(b, "missed", l->missed);
	json_kv_u64(b, "implausible", l->implausible);
	json_kv_u64(b, "lost", l->lost);
	json_kv_str(b, "unit", l->unit);
	buf_putc(b, '}');
	return 0;
}

static int answer_info(const struct netprobe_instance *in, struct buf *b,
		       struct netprobe_error *err)
{
	struct netprobe_capture c = { .size = sizeof(c) };
	int r = netprobe_manager_get_capture(in->m, &c, err);

	if (!r)
		write_instance(in, c.mode, b);
	return r;
}

static int answer_stats(const struct netprobe_instance *in, struct buf *b,
			struct netprobe_error *err)
{
	struct netprobe_loss_stats l = { .size = sizeof(l) };
	struct netprobe_capture c = { .size = sizeof(c) };
	struct programs p = { .b = b };
	int r = netprobe_manager_get_capture(in->m, &c, err);

	if (!r)
		r = netprobe_manager_get_loss_stats(in->m, &l, err);
	if (r)
		return r;
	write_instance(in, c.mode, b);
	json_kv_double(b, "uptime_s", c.uptime_s);
	json_kv_u64(b, "sockets", c.flows);
	json_kv_u64(b, "open_sockets", c.open_sockets);
	json_kv_u64(b, "flows_dropped", l.flows_dropped);
	json_kv_u64(b, "cgroups_full", l.cgroups_full);
	json_key(b, "programs");
	buf_putc(b, '[');
	r = netprobe_manager_losses(in->m, write_program, &p, err);
	buf_putc(b, ']');
	return r < 0 ? r : 0;
}

static int answer_values(const struct netprobe_instance *in, const char *key, struct buf *b,
			 struct netprobe_error *err)
{
	char *json = NULL;
	int r = in->ops.get(key, &json, err, in->ops.arg);

	if (r)
		return r;
	json_key(b, "values");
	buf_puts(b, json ? json : "{}");
	free(json);
	return 0;
}

static int answer_set(const struct netprobe_instance *in, const struct control_request *q,
		      struct buf *b, struct netprobe_error *err)
{
	struct netprobe_setting settings[CONTROL_MAX_PAIRS];
	int r;

	for (unsigned int i = 0; i < q->n; i++)
		settings[i] = (struct netprobe_setting){ .key = q->pairs[i].key,
							 .value = q->pairs[i].value };
	r = in->ops.set(settings, q->n, err, in->ops.arg);
	/* Whatever was wrong with a value is the asker's fault. */
	if (r && r != -ENOMEM)
		r = error_recode(err, -EINVAL);
	return r ? r : answer_values(in, NULL, b, err);
}

static int answer(const struct control_request *q, struct buf *reply, struct netprobe_error *err,
		  void *arg)
{
	struct netprobe_instance *in = arg;

	switch (q->what) {
	case CONTROL_INFO:
		return answer_info(in, reply, err);
	case CONTROL_STATS:
		return answer_stats(in, reply, err);
	case CONTROL_SET:
		return answer_set(in, q, reply, err);
	default:
		return answer_values(in, q->key, reply, err);
	}
}

API_PUBLIC int netprobe_instance_new(struct netprobe_manager *m,
				     const struct netprobe_instance_ops *ops,
				     struct netprobe_instance **ret_instance,
				     struct netprobe_error *err)
{
	struct netprobe_instance *in;
	struct netprobe_instance_ops own;
	int r;

	if (!m || !ops || !ret_instance ||
	    api_take(ops, ops->size, sizeof(own), &own, sizeof(own), NULL) || !own.command ||
	    !own.get || !own.set)
		return error_set(err, -EINVAL,
				 "no manager, no size, command, get or set, or nowhere to put it");
	in = calloc(1, sizeof(*in));
	if (!in)
		return error_set(err, -ENOMEM, "no memory");
	in->m = m;
	in->ops = own;
	in->start_wall_ns = clock_wall_ns();
	in->command = strdup(own.command);
	r = in->command ? control_server_open(answer, in, &in->server, err)
			: error_set(err, -ENOMEM, "no memory");
	if (r) {
		free(in->command);
		free(in);
		return r;
	}
	*ret_instance = in;
	return 0;
}

API_PUBLIC struct netprobe_instance *netprobe_instance_free(struct netprobe_instance *in)
{
	if (!in)
		return NULL;
	(void)control_server_close(in->server);
	free(in->command);
	free(in);
	return NULL;
}

API_PUBLIC int netprobe_instance_fd(const struct netprobe_instance *in)
{
	return in ? control_server_fd(in->server) : -EINVAL;
}

API_PUBLIC int netprobe_instance_run(struct netprobe_instance *in)
{
	if (!in)
		return -EINVAL;
	control_server_run(in->server);
	return 0;
}
