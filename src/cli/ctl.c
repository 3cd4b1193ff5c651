/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe ctl`: list running instances, read and change what one of them does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netprobe/netprobe.h>

#include "base/args.h"
#include "base/log.h"
#include "cli/ctl_print.h"
#include "cli/sink.h"
#include "out/table.h"

#define REQUEST_MAX 16384 /* bytes an instance takes at once */

int cmd_ctl(int argc, char **argv); /* cli.h, which knows more than this may */

struct ctl_opts {
	bool help;
	uint32_t instance; /* pid; 0 not given */
	int format;	   /* FORMAT_TEXT, FORMAT_JSON */
};

struct ctl {
	struct ctl_opts o;
	struct args_list operands;
	struct buf out;
};

struct pids {
	pid_t *all;
	int n, room;
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

/* 0, *ret_reply to be json_decref'ed. */
static int call(pid_t pid, const char *request, json_t **ret_reply, struct netprobe_error *err)
{
	char *text = NULL;
	int r = netprobe_instance_ask((uint32_t)pid, request, &text, err);

	if (r)
		return r;
	*ret_reply = json_loads(text, 0, NULL);
	free(text);
	return *ret_reply ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* The asked one's answer; it may say no. Negative: go on. Else the exit code. */
static int ask(pid_t pid, const char *request, json_t **ret_reply)
{
	struct netprobe_error err = {};
	const char *why;
	json_t *reply;

	if (call(pid, request, &reply, &err))
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
static int ask_all(pid_t *pids, json_t **replies, int n)
{
	int left = 0;

	for (int i = 0; i < n; i++) {
		struct netprobe_error err = {};
		int r = call(pids[i], "{\"cmd\":\"info\"}", &replies[left], &err);

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

static int add_pid(uint32_t pid, void *arg)
{
	struct pids *l = arg;

	if (l->n == l->room) {
		int room = l->room ? 2 * l->room : 16;
		pid_t *more = reallocarray(l->all, (size_t)room, sizeof(*more));

		if (!more)
			return 1;
		l->all = more;
		l->room = room;
	}
	l->all[l->n++] = (pid_t)pid;
	return 0;
}

static int list(struct ctl *x)
{
	struct netprobe_error err = {};
	struct pids l = {};
	int n = netprobe_instances(add_pid, &l, &err), r;
	json_t **replies = calloc(l.n > 0 ? (size_t)l.n : 1, sizeof(*replies));

	if (n < 0 || !replies) {
		r = n < 0 ? fail(&err) : EXIT_INTERNAL;
		free(replies);
		free(l.all);
		return r;
	}
	n = ask_all(l.all, replies, l.n);
	r = ctl_print_list(&x->out, x->o.format, l.all, replies, n);
	for (int i = 0; i < n; i++)
		json_decref(replies[i]);
	free(replies);
	free(l.all);
	return print_or_fail(x, r);
}

/* Negative: go on. */
static int choose(struct ctl *x, pid_t *ret_pid)
{
	struct netprobe_error err = {};
	struct buf names = {};
	struct pids l = {};
	int n = netprobe_instances(add_pid, &l, &err);

	*ret_pid = x->o.instance ? (pid_t)x->o.instance : l.n > 0 ? l.all[0] : 0;
	for (int i = 0; i < l.n; i++)
		buf_printf(&names, "%s%d", i ? ", " : "", (int)l.all[i]);
	free(l.all);
	if (n < 0)
		log_err("%s", err.msg);
	else if (n == 0 && x->o.instance)
		log_err("--instance: '%u': there is none running; takes a PID that 'ctl list' shows",
			x->o.instance);
	else if (n == 0)
		log_err("%s; start netprobe top, events or another first", err.msg);
	else if (n > 1 && !x->o.instance)
		log_err("--instance: nothing given, and %d run; takes one of %s", n,
			buf_str(&names) ? buf_str(&names) : "them");
	buf_done(&names);
	if (n < 0)
		return err.code == -EPERM ? EXIT_PERM : EXIT_INTERNAL;
	return n == 1 || (n > 0 && x->o.instance) ? -1 : EXIT_USAGE;
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
	buf_puts(&q, "}");
	r = buf_str(&q) ? ask(pid, buf_str(&q), &reply) : EXIT_INTERNAL;
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
	buf_puts(&q, "}}");
	if (r < 0 && q.len >= REQUEST_MAX) {
		log_err("set: too much at once; takes up to %d bytes", REQUEST_MAX);
		r = EXIT_USAGE;
	}
	if (r < 0)
		r = choose(x, &pid);
	if (r < 0)
		r = buf_str(&q) ? ask(pid, buf_str(&q), &reply) : EXIT_INTERNAL;
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
		r = ask(pid, "{\"cmd\":\"stats\"}", &reply);
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
} verbs[] = { { "list", list, 1 },
	      { "get", get, 2 },
	      { "set", set, 0 },
	      { "stats", stats, 1 },
	      { NULL, NULL, 0 } };

static int run(struct ctl *x)
{
	const char *name = x->operands.items[0];
	struct netprobe_error err = {};

	for (unsigned int i = 0; verbs[i].name; i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		if (!verbs[i].max || x->operands.n <= verbs[i].max)
			return verbs[i].run(x);
		log_err("%s: '%.100s' is one too many; takes %s", name,
			x->operands.items[verbs[i].max], verbs[i].max > 1 ? "one KEY" : "nothing");
		return EXIT_USAGE;
	}
	(void)args_unknown_word("ctl verb", name, verbs, sizeof(verbs[0]), &err);
	log_err("%s", err.msg);
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
		log_err("%s", err.msg);
		r = err.code == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
	} else if (x.o.help) {
		args_help(&spec, true, &x.out);
		r = print(&x);
	} else {
		r = run(&x);
	}
	args_list_done(&x.operands);
	buf_done(&x.out);
	return r;
}
