/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netprobe doctor`: what this machine allows. Loads and attaches for real, prints, detaches. The answer comes
 * first, what it rests on with -v. Works without rights too, and says what rights would add.
 */
#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/files.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/row.h"
#include "cli/stream.h"
#include "cli/words.h"
#include "event/field.h"
#include "confine/confine.h"

struct doctor {
	struct common_opts o;
	struct sink sink;
	struct buf out, hooks;	    /* what is told of hooks goes behind the rest */
	struct buf missing, partly; /* names of hooks that nothing sees, and that lack something */
	struct netprobe_machine machine;
	char last[32];	/* name of the thing told last */
	unsigned int n; /* ways of it so far */
	bool json;
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Doctor"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "default text", .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write there instead of stdout"),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static const char *status_word(const struct netprobe_hook *h)
{
	static const char *const words[] = { "not tried", "in use", "works", "fails", "silent" };

	return !h->program && h->status == NETPROBE_TRIAL_NONE ? "no program"
							       : words[h->status % 5];
}

static void text_cookies(struct doctor *d)
{
	const struct netprobe_machine *m = &d->machine;

	buf_puts(&d->out, "SYN cookies       ");
	if (m->tcp_syncookies < 0)
		buf_puts(&d->out, "no: the kernel is built without (CONFIG_SYN_COOKIES)\n");
	else if (m->xdp_syncookies < 0)
		buf_puts(&d->out, "not tried at XDP, without the rights to\n");
	else if (!m->xdp_syncookies)
		buf_puts(&d->out, "no: the kernel has no helpers for them at XDP (since 6.0)\n");
	else if (!m->tcp_syncookies)
		buf_puts(&d->out, "no: net.ipv4.tcp_syncookies is 0; do: netprobe guard syncookie "
				  "add SERVICE --sysctl\n");
	else
		buf_printf(&d->out, "yes, at XDP; net.ipv4.tcp_syncookies is %d%s\n",
			   m->tcp_syncookies,
			   m->tcp_syncookies == 1 ? ": while a listener's queue is full" : "");
}

static void text_tracked(struct doctor *d)
{
	static const char *const words[] = {
		"none is tracked now; where some are, SYN cookies need care: see docs/guard.md",
		"yes: connections by a SYN cookie are new with their acknowledgement; do: notrack their "
		"port, see docs/guard.md",
		"yes, and nf_conntrack_tcp_loose is 0: connections by a SYN cookie are invalid; do: "
		"notrack their port, see docs/guard.md",
	};

	buf_printf(&d->out, "conntrack         %s\n", words[d->machine.tracked % 3]);
}

/* First: with too few of them all else says no, for other reasons. */
static void text_descriptors(struct doctor *d)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= FILES_EBPF)
		return;
	buf_printf(
		&d->out,
		"descriptors: only %llu may be open here, ebpf capture takes up to %u: what "
		"follows may fail for that alone\ndo: ulimit -n 1024, LimitNOFILE= of a service\n",
		(unsigned long long)l.rlim_cur, FILES_EBPF);
}

static void text_facts(struct doctor *d)
{
	const struct netprobe_machine *m = &d->machine;

	buf_printf(&d->out, "kernel            %s %s\n", m->kernel, m->arch);
	if (!m->bpf)
		return;
	buf_printf(&d->out, "BTF               %s\n",
		   !m->btf	? "no"
		   : m->btf_own ? "yes"
				: "of a file; not in the kernel");
	buf_printf(&d->out, "capabilities      CAP_BPF %s, CAP_PERFMON %s, CAP_NET_ADMIN %s\n",
		   m->cap_bpf ? "yes" : "no", m->cap_perfmon ? "yes" : "no",
		   m->cap_net_admin ? "yes" : "no");
	buf_printf(&d->out, "trampolines       %s\n",
		   m->trampolines < 0 ? "not tried"
		   : m->trampolines   ? "yes"
				      : "refused (fentry, fexit)");
	buf_printf(&d->out, "kprobes           %s\n",
		   m->kprobes ? "yes" : "not built into this kernel");
	buf_printf(&d->out, "cgroup v2         %s\n",
		   m->cgroup_mount[0] ? m->cgroup_mount : "not seen, see the note");
	buf_printf(&d->out, "uprobes           %s\n",
		   m->uprobes_missing[0] ? m->uprobes_missing : "yes: who asks a resolver is told");
	buf_printf(&d->out, "seccomp           %s\n",
		   m->seccomp == 2   ? "a filter decides over system calls"
		   : m->seccomp == 0 ? "none"
				     : "unknown");
	buf_printf(&d->out, "lockdown          %s\n", m->lockdown[0] ? m->lockdown : "unknown");
	buf_printf(&d->out, "unprivileged bpf  %s\n",
		   m->unprivileged_bpf_disabled < 0 ? "unknown"
		   : m->unprivileged_bpf_disabled   ? "off"
						    : "on");
	buf_printf(&d->out, "perf paranoid     %d\n", m->perf_paranoid);
	if (m->memory_limit_bytes)
		buf_printf(&d->out, "memory limit      %llu MiB%s\n",
			   (unsigned long long)m->memory_limit_bytes >> 20,
			   m->memory_limit_bytes < (256ULL << 20) ? ": tables are made to fit"
								  : "");
	else
		buf_puts(&d->out, "memory limit      none\n");
	text_cookies(d);
	text_tracked(d);
	buf_putc(&d->out, '\n');
}

static void text_way(struct doctor *d, const struct netprobe_hook *h)
{
	char words[CLI_WORDS];
	bool used = h->status == NETPROBE_TRIAL_IN_USE;
	struct buf *b = &d->hooks;
	const char *on = d->sink.color && used				      ? "\033[32m"
			 : d->sink.color && h->status >= NETPROBE_TRIAL_FAILS ? "\033[2m"
									      : "";

	buf_printf(b, "  %s%c %-10s %-8s %-10s%s", on, used ? '*' : ' ', h->family, h->kind,
		   status_word(h), *on ? "\033[0m" : "");
	if (h->target)
		buf_printf(b, " %s", h->target);
	if (h->since)
		buf_printf(b, " (since %s%s%s)", h->since, h->until ? ", until " : "",
			   h->until ? h->until : "");
	buf_putc(b, '\n');
	if (h->error)
		buf_printf(b, "       %s: %s\n", strerrorname_np((int)h->error),
			   h->reason ? h->reason : "");
	else if (h->reason)
		buf_printf(b, "       %s\n", h->reason);
	if (h->remedy && !h->seen)
		buf_printf(b, "       do: %s\n", cli_words(h->remedy, words));
	if (h->lacks && used)
		buf_printf(b, "       lacks: %s\n", h->lacks);
}

static void json_way(struct doctor *d, const struct netprobe_hook *h)
{
	char words[CLI_WORDS];
	struct buf *b = &d->hooks;

	buf_puts(b, d->n ? ",{" : "{");
	json_kv_str(b, "family", h->family);
	json_kv_str(b, "kind", h->kind);
	json_kv_str(b, "status", status_word(h));
	json_kv_bool(b, "in_use", h->status == NETPROBE_TRIAL_IN_USE);
	json_kv_str(b, "target", h->target);
	json_kv_str(b, "since", h->since);
	json_kv_str(b, "until", h->until);
	json_kv_str(b, "lacks", h->lacks);
	json_kv_u64_or_null(b, "errno", h->error);
	json_kv_str(b, "error", h->error ? strerrorname_np((int)h->error) : NULL);
	json_kv_str(b, "reason", h->reason);
	json_kv_str(b, "remedy", h->remedy ? cli_words(h->remedy, words) : NULL);
	buf_putc(b, '}');
}

/* A thing's name once, before the first of its ways. */
static void begin_thing(struct doctor *d, const struct netprobe_hook *h)
{
	struct buf *b = &d->hooks;

	if (!d->json) {
		buf_printf(b, "%s: %s%s\n", h->name, h->what,
			   !h->seen    ? (h->required ? " - MISSING, and needed" : " - missing")
			   : h->proven ? " - seen to deliver"
				       : "");
	} else {
		buf_puts(b, d->last[0] ? "]},{" : "{");
		json_kv_str(b, "hook", h->name);
		json_kv_str(b, "what", h->what);
		json_kv_bool(b, "required", h->required);
		json_kv_bool(b, "delivers", h->proven);
		json_key(b, "alternatives");
		buf_putc(b, '[');
	}
	(void)snprintf(d->last, sizeof(d->last), "%s", h->name);
	d->n = 0;
}

static void add_name(struct buf *b, const char *name)
{
	buf_printf(b, "%s%s", b->len ? ", " : "", name);
}

static int on_hook(const struct netprobe_hook *h, void *arg)
{
	struct doctor *d = arg;

	if (strcmp(d->last, h->name) != 0) {
		begin_thing(d, h);
		if (!h->seen)
			add_name(&d->missing, h->name);
	}
	if (h->lacks && h->status == NETPROBE_TRIAL_IN_USE)
		add_name(&d->partly, h->name);
	if (d->json)
		json_way(d, h);
	else
		text_way(d, h);
	d->n++;
	return 0;
}

/* What --capture-mode auto would take, from the highest down. */
static void text_mode(struct doctor *d, const char *name, const struct netprobe_error *e,
		      bool *taken)
{
	char words[CLI_WORDS];

	if (e->code)
		buf_printf(&d->out, "%s capture: no. %s\n", name, e->msg);
	else
		buf_printf(&d->out, "%s capture: yes, of this network namespace alone%s\n", name,
			   *taken ? "" : "; what auto takes");
	if (e->hint[0])
		buf_printf(&d->out, "do: %s\n", cli_words(e->hint, words));
	*taken = *taken || !e->code;
}

static void text_kept(struct doctor *d)
{
	struct confine_opts opts = { .bpf = !d->machine.ebpf.code,
				     .nat = d->machine.ebpf.code && !d->machine.afpacket.code };
	char caps[160];

	confine_caps(&opts, caps, sizeof(caps));
	buf_printf(&d->out, "kept while it runs: %s\n", caps);
}

/* In one line: does it work, how, and what is missing. */
static void text_answer(struct doctor *d)
{
	const struct netprobe_machine *m = &d->machine;

	if (m->ebpf.code) {
		buf_printf(&d->out, "netprobe %s\n",
			   !m->afpacket.code ? "works here in part, by reading packets (afpacket)"
			   : !m->proc.code   ? "works here in part, by sampling sockets (proc)"
					     : "does not work here");
		return;
	}
	buf_printf(&d->out, "netprobe works here: ebpf, by %s; not seen: ", m->family);
	buf_put(&d->out, d->missing.data, d->missing.len);
	if (!d->missing.len)
		buf_puts(&d->out, "nothing");
	if (d->partly.len) {
		buf_puts(&d->out, "; not all is seen of: ");
		buf_put(&d->out, d->partly.data, d->partly.len);
	}
	buf_putc(&d->out, '\n');
}

static void text_rungs(struct doctor *d)
{
	const struct netprobe_machine *m = &d->machine;
	bool taken = !m->ebpf.code;
	char words[CLI_WORDS];

	if (m->ebpf.code)
		buf_printf(&d->out, "ebpf capture: no. %s\n", m->ebpf.msg);
	else
		buf_printf(&d->out, "ebpf capture: yes, family %s\n", m->family);
	if (m->ebpf.hint[0])
		buf_printf(&d->out, "do: %s\n", cli_words(m->ebpf.hint, words));
	text_mode(d, "afpacket", &m->afpacket, &taken);
	text_mode(d, "proc", &m->proc, &taken);
	text_kept(d);
	if (m->names_denied[0])
		buf_printf(
			&d->out,
			"containers have ids and no names: %s may not be read; root may, and CAP_DAC_READ_SEARCH\n",
			m->names_denied);
	if (m->note[0])
		buf_printf(&d->out, "note: %s\n", m->note);
}

static void text(struct doctor *d)
{
	text_answer(d);
	text_descriptors(d);
	text_rungs(d);
	if (!d->o.verbose) {
		buf_puts(&d->out,
			 "every hook, its alternatives and what they lack: netprobe doctor -v\n");
		return;
	}
	buf_putc(&d->out, '\n');
	text_facts(d);
	buf_put(&d->out, d->hooks.data, d->hooks.len);
}

static void json_facts(struct doctor *d)
{
	static const char *const tracked[] = { "no", "yes", "strict" };
	const struct netprobe_machine *m = &d->machine;
	struct buf *b = &d->out;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l)) {
		json_kv_null(b, "descriptors");
		json_kv_null(b, "descriptors_enough");
	} else {
		json_kv_u64(b, "descriptors", l.rlim_cur);
		json_kv_bool(b, "descriptors_enough", l.rlim_cur >= FILES_EBPF);
	}
	json_kv_str(b, "kernel", m->kernel);
	json_kv_str(b, "arch", m->arch);
	json_kv_bool(b, "btf", m->btf);
	json_kv_bool(b, "btf_own", m->btf_own);
	json_kv_str(b, "uprobes_missing", m->uprobes_missing[0] ? m->uprobes_missing : NULL);
	if (m->memory_limit_bytes)
		json_kv_u64(b, "memory_limit_bytes", m->memory_limit_bytes);
	else
		json_kv_null(b, "memory_limit_bytes");
	json_kv_bool(b, "cap_bpf", m->cap_bpf);
	json_kv_bool(b, "cap_perfmon", m->cap_perfmon);
	json_kv_bool(b, "cap_net_admin", m->cap_net_admin);
	if (m->trampolines < 0)
		json_kv_null(b, "trampolines");
	else
		json_kv_bool(b, "trampolines", m->trampolines);
	json_kv_bool(b, "kprobes", m->kprobes);
	json_kv_str(b, "cgroup_mount", m->cgroup_mount[0] ? m->cgroup_mount : NULL);
	json_kv_str(b, "lockdown", m->lockdown[0] ? m->lockdown : NULL);
	if (m->unprivileged_bpf_disabled < 0)
		json_kv_null(b, "unprivileged_bpf_disabled");
	else
		json_kv_u64(b, "unprivileged_bpf_disabled", (uint64_t)m->unprivileged_bpf_disabled);
	if (m->xdp_syncookies < 0)
		json_kv_null(b, "xdp_syncookies");
	else
		json_kv_bool(b, "xdp_syncookies", m->xdp_syncookies);
	if (m->tcp_syncookies < 0)
		json_kv_null(b, "tcp_syncookies");
	else
		json_kv_u64(b, "tcp_syncookies", (uint64_t)m->tcp_syncookies);
	json_kv_str(b, "connections_tracked", tracked[m->tracked % 3]);
	json_kv_str(b, "names_denied", m->names_denied[0] ? m->names_denied : NULL);
}

/* What auto takes. */
static const char *best_mode(const struct netprobe_machine *m)
{
	return !m->ebpf.code	   ? "ebpf"
	       : !m->afpacket.code ? "afpacket"
	       : !m->proc.code	   ? "proc"
				   : NULL;
}

static void json(struct doctor *d)
{
	char words[CLI_WORDS];
	struct row_stamp stamp;
	const struct netprobe_machine *m = &d->machine;
	struct buf *b = &d->out;

	row_stamp_take(&stamp, NULL);
	buf_putc(b, '{');
	json_kv_u64(b, "schema", RECORD_SCHEMA);
	json_kv_str(b, "ts", stamp.ts);
	json_kv_str(b, "host", stamp.host);
	json_kv_str(b, "mode", best_mode(m));
	json_facts(d);
	json_kv_bool(b, "ebpf", !m->ebpf.code);
	json_kv_str(b, "family", m->family[0] ? m->family : NULL);
	json_kv_str(b, "error", m->ebpf.code ? m->ebpf.msg : NULL);
	json_kv_str(b, "remedy", m->ebpf.hint[0] ? cli_words(m->ebpf.hint, words) : NULL);
	json_kv_str(b, "note", m->note[0] ? m->note : NULL);
	json_key(b, "modes");
	buf_putc(b, '{');
	json_kv_bool(b, "ebpf", !m->ebpf.code);
	json_kv_bool(b, "afpacket", !m->afpacket.code);
	json_kv_bool(b, "proc", !m->proc.code);
	buf_putc(b, '}');
	json_key(b, "hooks");
	buf_putc(b, '[');
	buf_put(b, d->hooks.data, d->hooks.len);
	buf_puts(b, d->last[0] ? "]}]}\n" : "]}\n");
}

static int examine(struct doctor *d, struct netprobe_error *err)
{
	struct netprobe_config c;

	netprobe_config_default(&c);
	c.hook = (uint32_t)d->o.hook;
	c.event_buffer = (uint32_t)d->o.event_buffer;
	c.btf = d->o.btf;
	c.packet_ring_bytes = d->o.packet_ring;
	c.packet_block_bytes = d->o.packet_block;
	c.packet_timeout_ms = d->o.packet_timeout;
	c.packet_rings = d->o.fanout;
	d->machine.size = sizeof(d->machine);
	d->json = d->o.format == 1;
	return netprobe_examine(&c, &d->machine, on_hook, d, err);
}

static int run(void *command, struct settings *s)
{
	struct doctor *d = command;
	struct netprobe_error err = {};
	int r;

	(void)s;
	if (sink_open(&d->sink, &d->o, &err) || examine(d, &err) < 0)
		return cli_usage_failed(&err);
	if (d->json)
		json(d);
	else
		text(d);
	r = sink_write(&d->sink, &d->out);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	return stream_failed("the report", d->o.output, r);
}

static const struct option_row *const tables[] = { rows, common_rows, NULL };
static const struct args_spec spec = {
	.prog = "netprobe doctor",
	.summary =
		"What netprobe can see here. With -v: every hook, its alternatives, which one is in use, and why the others are not.",
	.tables = tables,
};

static void done(void *command)
{
	struct doctor *x = command;

	sink_close(&x->sink);
	buf_done(&x->out);
	buf_done(&x->hooks);
	buf_done(&x->missing);
	buf_done(&x->partly);
}

const struct command_row doctor_command = {
	.spec = &spec,
	.size = sizeof(struct doctor),
	.run = run,
	.done = done,
};
