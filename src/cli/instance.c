/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a running command, and what its options mean to it (see instance.h). */
#include "cli/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/source.h"
#include "control/server.h"
#include "engine/session.h"

struct instance {
	struct loop *loop;
	struct common_opts *o;
	const char *command; /* "events" */
	uint64_t start_wall_ns;
	struct control_server *server; /* NULL: it cannot be asked */
};

/* All that can fail comes first. */
static int apply(const struct common_opts *next, void *arg, struct netprobe_error *err)
{
	struct instance *in = arg;
	struct np_filter filter;
	struct loop *l = in->loop;
	int r = l->on_check ? l->on_check(next, l->arg, err) : 0;

	if (!r)
		r = filter_build(next, &filter, err);
	if (r)
		return r;
	r = session_set_latency(in->loop->session, next->latency, err);
	if (r)
		return r;
	session_set_filter(in->loop->session, &filter);
	session_set_stall(in->loop->session, (uint64_t)next->stall_ms * 1000000);
	return 0;
}

/* After o has its new values. */
static void changed(struct instance *in)
{
	if (in->loop->on_change)
		in->loop->on_change(in->loop->arg);
}

static void write_instance(const struct instance *in, struct buf *b)
{
	json_key(b, "instance");
	buf_putc(b, '{');
	json_kv_u64(b, "pid", (uint64_t)getpid());
	json_kv_str(b, "command", in->command);
	json_kv_str(b, "mode", session_mode(in->loop->session));
	json_key(b, "start");
	buf_putc(b, '"');
	buf_time_ns(b, in->start_wall_ns);
	buf_putc(b, '"');
	json_kv_str(b, "version", NETPROBE_VERSION);
	buf_putc(b, '}');
}

static void write_program(struct buf *b, unsigned int id, const struct probe_loss *l)
{
	buf_puts(b, b->data[b->len - 1] == '[' ? "{" : ",{");
	json_kv_str(b, "program", prog_name(id));
	json_kv_u64(b, "seen", loss_seen(&l->loss));
	json_kv_u64(b, "submitted", l->loss.submitted);
	json_kv_u64(b, "ring_full", l->loss.ring_full);
	json_kv_u64(b, "filtered", l->loss.filtered);
	json_kv_u64(b, "sampled_out", l->loss.sampled_out);
	json_kv_u64(b, "rate_limited", l->loss.rate_limited);
	json_kv_u64(b, "map_full", l->loss.map_full);
	json_kv_u64(b, "lost_tx_bytes", l->loss.lost_tx_bytes);
	json_kv_u64(b, "lost_rx_bytes", l->loss.lost_rx_bytes);
	json_kv_u64(b, "helper_err", l->loss.helper_err);
	json_kv_u64(b, "missed", l->missed);
	buf_putc(b, '}');
}

static void write_stats(const struct instance *in, struct buf *b)
{
	static const struct probe_loss none;
	struct session *s = in->loop->session;
	struct session_losses l;

	session_losses(s, &l);
	write_instance(in, b);
	json_kv_double(b, "uptime_s", session_uptime(s));
	json_kv_u64(b, "flows", flow_table_count(session_flows(s)));
	json_kv_u64(b, "open_sockets", flow_table_open(session_flows(s)));
	json_kv_u64(b, "flows_dropped", l.flows_dropped);
	json_key(b, "programs");
	buf_putc(b, '[');
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		if (memcmp(&l.prog[id], &none, sizeof(none)) != 0)
			write_program(b, id, &l.prog[id]);
	buf_putc(b, ']');
}

static int answer(const struct control_request *q, struct buf *reply, struct netprobe_error *err,
		  void *arg)
{
	struct instance *in = arg;
	int r;

	switch (q->what) {
	case CONTROL_INFO:
		write_instance(in, reply);
		return 0;
	case CONTROL_STATS:
		write_stats(in, reply);
		return 0;
	case CONTROL_SET:
		r = source_set(in->o, q->pairs, q->n, apply, in, err);
		/* Whatever was wrong with a value is the asker's fault. */
		if (r && r != -ENOMEM)
			r = err->code = -EINVAL;
		if (r)
			return r;
		changed(in);
		return source_write(in->o, NULL, reply, err);
	default:
		return source_write(in->o, q->key, reply, err);
	}
}

struct instance *instance_open(struct loop *l)
{
	struct instance *in = calloc(1, sizeof(*in));
	struct netprobe_error err = {};
	const char *space;

	if (!in)
		return NULL;
	in->loop = l;
	in->o = l->opts;
	space = strrchr(source_prog(l->opts), ' ');
	in->command = space ? space + 1 : source_prog(l->opts);
	in->start_wall_ns = clock_wall_ns();
	if (control_server_open(answer, in, &in->server, &err))
		log_warn("no control socket: %s, ignoring", err.msg);
	return in;
}

struct instance *instance_close(struct instance *in)
{
	if (!in)
		return NULL;
	(void)control_server_close(in->server);
	free(in);
	return NULL;
}

int instance_fd(const struct instance *in)
{
	return in->server ? control_server_fd(in->server) : -1;
}

void instance_run(struct instance *in)
{
	control_server_run(in->server);
}

void instance_reload(struct instance *in)
{
	struct netprobe_error err = {};

	if (source_reread(in->o, apply, in, &err)) {
		log_err("%s; the old config stays", err.msg);
		return;
	}
	changed(in);
	log_notice("%s was read again", in->o->config);
}
