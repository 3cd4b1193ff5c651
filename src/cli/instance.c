/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a running command, and what its options mean to it (see instance.h). */
#include "cli/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/settings.h"
#include "cli/source.h"

struct instance {
	struct loop *loop;
	struct common_opts *o;
	struct netprobe_instance *served; /* NULL: it cannot be asked */
};

/* The manager's configuration with what next says; nothing is changed where that is refused. */
static int apply(const struct common_opts *next, void *arg, struct netprobe_error *err)
{
	struct instance *in = arg;
	struct loop *l = in->loop;
	struct settings s = { .c.size = sizeof(s.c) };
	int r = l->on_check ? l->on_check(next, l->arg, err) : 0;

	if (!r && netprobe_manager_get_config(l->manager, &s.c))
		r = error_set(err, -EBADF, "there is no capture");
	if (!r)
		r = settings_change(&s, next, err);
	if (!r && l->on_settings && l->on_settings(&s, next, l->arg))
		r = error_set(err, -ENOMEM, "out of memory");
	if (!r) {
		r = netprobe_manager_update_config(l->manager, &s.c, err);
		settings_blame(err);
	}
	settings_done(&s);
	return r;
}

/* After o has its new values. */
static void changed(struct instance *in)
{
	if (in->loop->on_change)
		in->loop->on_change(in->loop->arg);
}

static int get(const char *key, char **ret_json, struct netprobe_error *err, void *arg)
{
	struct instance *in = arg;
	struct buf b = {};
	int r = source_write(in->o, key, &b, err);

	*ret_json = NULL;
	if (!r) {
		const char *text = buf_str(&b);

		*ret_json = text ? strdup(text) : NULL;
		r = *ret_json ? 0 : error_set(err, -ENOMEM, "out of memory");
	}
	buf_done(&b);
	return r;
}

static int set(const struct netprobe_setting *settings, size_t n, struct netprobe_error *err,
	       void *arg)
{
	struct instance *in = arg;
	int r = source_set(in->o, settings, n, apply, in, err);

	if (!r)
		changed(in);
	return r;
}

struct instance *instance_open(struct loop *l)
{
	struct instance *in = calloc(1, sizeof(*in));
	struct netprobe_instance_ops ops = {
		.size = sizeof(ops), .get = get, .set = set, .arg = in
	};
	struct netprobe_error err = {};
	const char *space;

	if (!in)
		return NULL;
	in->loop = l;
	in->o = l->opts;
	space = strrchr(source_prog(l->opts), ' ');
	ops.command = space ? space + 1 : source_prog(l->opts);
	if (netprobe_instance_new(l->manager, &ops, &in->served, &err))
		log_warn("no control socket: %s, ignoring", err.msg);
	return in;
}

struct instance *instance_close(struct instance *in)
{
	if (!in)
		return NULL;
	(void)netprobe_instance_free(in->served);
	free(in);
	return NULL;
}

int instance_fd(const struct instance *in)
{
	return in->served ? netprobe_instance_fd(in->served) : -1;
}

void instance_run(struct instance *in)
{
	(void)netprobe_instance_run(in->served);
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
