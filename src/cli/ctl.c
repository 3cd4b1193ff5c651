/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe ctl`: list running instances, read and change what one of them does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/ctl_print.h"
#include "control/client.h"
#include "control/request.h"
#include "out/table.h"

struct ctl_opts {
	bool help;
	uint32_t instance; /* pid; 0 not given */
	int format;	   /* FORMAT_TEXT, FORMAT_JSON */
};

struct ctl {
	struct ctl_opts o;
	struct args_list operands;
	struct control_dir dir;
	bool has_dir;
	struct buf out;
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct ctl_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Which, and how"),
	ROW("instance", 0, OPTION_U32, instance, "PID",
	    "of the instance; may be left out where only one runs", .min = 1, .max = 4194304),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static int fail(const struct netprobe_error *err)
{
	log_err("%s", err->msg);
	switch (err->code) {
	case -EINVAL:
	case -ENOENT:
		return EXIT_USAGE;
	case -EPERM:
		return EXIT_PERM;
	default:
		return EXIT_INTERNAL;
	}
}

static int print(struct ctl *x)
{
	struct sink out = { .fd = STDOUT_FILENO };
	int r = sink_write(&out, &x->out);

	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write: %s", strerror(-r));
	return EXIT_INTERNAL;
}

/* The asked one's answer; it may say no. Negative: go on. Else the exit code. */
static int ask(struct ctl *x, pid_t pid, const char *request, json_t **ret_reply)
{
	struct netprobe_error err = {};
	const char *why;
	json_t *reply;

	if (control_call(&x->dir, pid, request, &reply, &err))
		return fail(&err);
	if (json_is_true(json_object_get(reply, "ok"))) {
		*ret_reply = reply;
		return -1;
	}
	why = json_string_value(json_object_get(reply, "error"));
	error_set(&err, 0, "%s", why ? why : "it refused");
	log_err("%s", err.msg);
	switch (json_integer_value(json_object_get(reply, "code"))) {
	case EXIT_USAGE:
		json_decref(reply);
		return EXIT_USAGE;
	case EXIT_PERM:
		json_decref(reply);
		return EXIT_PERM;
	default:
		json_decref(reply);
		return EXIT_INTERNAL;
	}
}

static int print_or_fail(struct ctl *x, int r)
{
	if (!r)
		return print(x);
	log_err("cannot write: %s", strerror(-r));
	return EXIT_INTERNAL;
}

/* Who ended meanwhile is left out; who does not answer is there by its pid. */
static int ask_all(struct ctl *x, pid_t *pids, json_t **replies, int n)
{
	int left = 0;

	for (int i = 0; i < n; i++) {
		struct netprobe_error err = {};
		int r = control_call(&x->dir, pids[i], "{\"cmd\":\"info\"}\n", &replies[left],
				     &err);

		if (r == -ENOENT)
			continue;
		if (r) {
			log_warn("%s", err.msg);
			replies[left] = NULL;
		}
		pids[left++] = pids[i];
	}
	return left;
}

static int list(struct ctl *x)
{
	pid_t *pids = NULL;
	int n = x->has_dir ? control_dir_scan(&x->dir, &pids) : 0, r;
	json_t **replies = calloc(n > 0 ? (size_t)n : 1, sizeof(*replies));

	if (n < 0 || !replies) {
		log_err("cannot list instances in %s: %s", x->dir.path,
			strerror(n < 0 ? -n : ENOMEM));
		free(replies);
		free(pids);
		return EXIT_INTERNAL;
	}
	n = ask_all(x, pids, replies, n);
	r = ctl_print_list(&x->out, x->o.format, pids, replies, n);
	for (int i = 0; i < n; i++)
		json_decref(replies[i]);
	free(replies);
	free(pids);
	return print_or_fail(x, r);
}

/* Negative: go on. */
static int choose(struct ctl *x, pid_t *ret_pid)
{
	struct buf names = {};
	pid_t *pids = NULL;
	int n;

	*ret_pid = (pid_t)x->o.instance;
	if (x->o.instance && x->has_dir)
		return -1;
	n = x->has_dir ? control_dir_scan(&x->dir, &pids) : 0;
	if (n > 0)
		*ret_pid = pids[0];
	for (int i = 0; i < n; i++)
		buf_printf(&names, "%s%d", i ? ", " : "", (int)pids[i]);
	free(pids);
	if (n == 0 && x->o.instance)
		log_err("--instance: '%u': there is none running; takes a PID that 'ctl list' shows",
			x->o.instance);
	else if (n == 0)
		log_err("no instance of this user runs in %s; start netprobe top, events or another first",
			x->dir.path);
	else if (n > 1)
		log_err("--instance: nothing given, and %d run; takes one of %s", n,
			buf_str(&names) ? buf_str(&names) : "them");
	buf_done(&names);
	return n == 1 && !x->o.instance ? -1 : EXIT_USAGE;
}

static int get(struct ctl *x)
{
	const char *key = x->operands.n > 1 ? x->operands.items[1] : NULL;
	struct buf q = {};
	json_t *reply;
	pid_t pid;
	int r = choose(x, &pid);

	if (r >= 0)
		return r;
	buf_puts(&q, "{\"cmd\":\"get\"");
	if (key)
		json_kv_str(&q, "key", key);
	buf_puts(&q, "}\n");
	r = buf_str(&q) ? ask(x, pid, buf_str(&q), &reply) : EXIT_INTERNAL;
	buf_done(&q);
	if (r >= 0)
		return r;
	r = print_or_fail(x,
			  ctl_print_values(&x->out, x->o.format, json_object_get(reply, "values")));
	json_decref(reply);
	return r;
}

/* "port=80" into "port":"80". Negative: go on. */
static int put_pair(struct ctl *x, unsigned int i, struct buf *q)
{
	const char *pair = x->operands.items[i], *eq = strchr(pair, '=');

	if (!eq || eq == pair) {
		log_err("'%.100s' sets nothing; takes KEY=VALUE, or KEY= to clear it", pair);
		return EXIT_USAGE;
	}
	for (unsigned int j = 1; j < i; j++) {
		if (strncmp(x->operands.items[j], pair, (size_t)(eq - pair) + 1) == 0) {
			log_err("'%.*s' is there twice; takes each key once", (int)(eq - pair),
				pair);
			return EXIT_USAGE;
		}
	}
	if (i > 1)
		buf_putc(q, ',');
	json_strn(q, pair, (size_t)(eq - pair));
	buf_putc(q, ':');
	json_str(q, eq + 1);
	return -1;
}

static int set(struct ctl *x)
{
	struct buf q = {};
	json_t *reply;
	pid_t pid;
	int r = -1;

	if (x->operands.n < 2) {
		log_err("set: nothing given; takes KEY=VALUE ...");
		return EXIT_USAGE;
	}
	buf_puts(&q, "{\"cmd\":\"set\",\"values\":{");
	for (unsigned int i = 1; i < x->operands.n && r < 0; i++)
		r = put_pair(x, i, &q);
	buf_puts(&q, "}}\n");
	if (r < 0 && q.len > CONTROL_MAX_BYTES) {
		log_err("set: too much at once; takes up to %d bytes", CONTROL_MAX_BYTES);
		r = EXIT_USAGE;
	}
	if (r < 0)
		r = choose(x, &pid);
	if (r < 0)
		r = buf_str(&q) ? ask(x, pid, buf_str(&q), &reply) : EXIT_INTERNAL;
	buf_done(&q);
	if (r < 0) {
		json_decref(reply);
		r = EXIT_OK;
	}
	return r;
}

static int stats(struct ctl *x)
{
	json_t *reply;
	pid_t pid;
	int r = choose(x, &pid);

	if (r < 0)
		r = ask(x, pid, "{\"cmd\":\"stats\"}\n", &reply);
	if (r >= 0)
		return r;
	r = print_or_fail(x, ctl_print_stats(&x->out, x->o.format, reply));
	json_decref(reply);
	return r;
}

static const struct verb {
	const char *name;
	int (*run)(struct ctl *x);
	unsigned int max; /* operands, the verb among them; 0: any */
} verbs[] = { { "list", list, 1 }, { "get", get, 2 }, { "set", set, 0 }, { "stats", stats, 1 } };

static int run(struct ctl *x)
{
	const char *name = x->operands.items[0];
	struct netprobe_error err = {};
	int r = control_dir_find(&x->dir, false, &err);

	x->has_dir = !r;
	if (r && r != -ENOENT)
		return fail(&err);
	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		if (!verbs[i].max || x->operands.n <= verbs[i].max)
			return verbs[i].run(x);
		log_err("%s: '%.100s' is one too many; takes %s", name,
			x->operands.items[verbs[i].max], verbs[i].max > 1 ? "one KEY" : "nothing");
		return EXIT_USAGE;
	}
	log_err("'%.100s' is nothing ctl does; takes list, get, set, stats", name);
	return EXIT_USAGE;
}

int cmd_ctl(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe ctl",
		.operands = "list | get [KEY] | set KEY=VALUE ... | stats",
		.min_operands = 1,
		.summary =
			"Read and change what a running instance does. A KEY is the name of a long option (port, "
			"sample-rate, ...), several values of a filter have commas between them, an empty VALUE "
			"clears.",
		.tables = tables,
	};
	struct netprobe_error err = {};
	struct ctl x = {};
	int r;

	log_set_ident(spec.prog);
	if (args_parse(&spec, argc, argv, &x.o, &x.operands, &err)) {
		r = cli_usage_failed(&err);
	} else if (x.o.help) {
		args_help(&spec, &x.out);
		r = print(&x);
	} else {
		r = run(&x);
	}
	args_list_done(&x.operands);
	buf_done(&x.out);
	return r;
}
