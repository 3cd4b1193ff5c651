/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netprobe doctor`: what this machine allows. Loads and attaches for real, prints, detaches. Works
 * without rights too, and says what rights would add.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "confine/confine.h"
#include "out/table.h"
#include "probe/asked.h"
#include "probe/kernel.h"
#include "probe/trial.h"

struct doctor {
	struct common_opts o;
	struct sink sink;
	struct buf out;
	struct kernel_facts facts;
	struct hook_status hooks[NP_PROG_MAX];
	struct netprobe_error open_err; /* code 0: capture works */
	const char *note;
	char note_text[192];
	uint8_t family;
	struct {
		bool works;
		struct netprobe_error err;
	} modes[MODE_MAX];
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

static const char *status_word(const struct doctor *d, const struct hook_alt *alt,
			       const struct hook_alt_status *st)
{
	static const char *const words[] = { "not tried", "in use", "works", "fails", "silent" };

	(void)d;
	return alt->kind == KIND_NONE && st->status == HOOK_UNTRIED ? "no program"
								    : words[st->status];
}

static void text_facts(struct doctor *d)
{
	char why[160];
	const struct kernel_facts *f = &d->facts;

	buf_printf(&d->out, "kernel            %s %s\n", f->release, f->arch);
	if (f->no_bpf)
		return;
	buf_printf(&d->out, "BTF               %s\n", f->btf ? "yes" : "no");
	buf_printf(&d->out, "capabilities      CAP_BPF %s, CAP_PERFMON %s, CAP_NET_ADMIN %s\n",
		   f->cap_bpf ? "yes" : "no", f->cap_perfmon ? "yes" : "no",
		   f->cap_net_admin ? "yes" : "no");
	buf_printf(&d->out, "trampolines       %s\n",
		   f->trampoline_err < 0 ? "not tried"
		   : f->trampoline_err	 ? "refused (fentry, fexit)"
					 : "yes");
	buf_printf(&d->out, "kprobes           %s\n",
		   f->kprobe_pmu ? "yes" : "not built into this kernel");
	buf_printf(&d->out, "cgroup v2         %s\n",
		   f->cgroup_mount[0] ? f->cgroup_mount : "not mounted");
	buf_printf(&d->out, "uprobes           %s\n",
		   probe_asked_missing(why, sizeof(why)) ?: "yes: who asks a resolver is told");
	buf_printf(&d->out, "seccomp           %s\n",
		   f->seccomp == 2   ? "a filter decides over system calls"
		   : f->seccomp == 0 ? "none"
				     : "unknown");
	buf_printf(&d->out, "lockdown          %s\n", f->lockdown[0] ? f->lockdown : "unknown");
	buf_printf(&d->out, "unprivileged bpf  %s\n",
		   f->unprivileged_disabled < 0 ? "unknown"
		   : f->unprivileged_disabled	? "off"
						: "on");
	buf_printf(&d->out, "perf paranoid     %d\n\n", f->perf_paranoid);
}

static void text_alt(struct doctor *d, const struct hook *hook, const struct hook_status *hs,
		     unsigned int i)
{
	const struct hook_alt *alt = &hook->alts[i];
	const struct hook_alt_status *st = &hs->alts[i];
	bool used = hs->used == (int8_t)i;
	const char *on = d->sink.color && used			      ? "\033[32m"
			 : d->sink.color && st->status >= HOOK_FAILED ? "\033[2m"
								      : "";

	buf_printf(&d->out, "  %s%c %-10s %-8s %-10s%s", on, used ? '*' : ' ',
		   family_label(alt->family), kind_label(alt->kind), status_word(d, alt, st),
		   *on ? "\033[0m" : "");
	if (alt->progs[0])
		buf_printf(&d->out, " %s", probe_trial_target(alt->progs[0]));
	if (alt->since)
		buf_printf(&d->out, " (since %s%s%s)", alt->since, alt->until ? ", until " : "",
			   alt->until ? alt->until : "");
	buf_putc(&d->out, '\n');
	if (st->err)
		buf_printf(&d->out, "       %s: %s\n", strerrorname_np(st->err), st->reason);
	else if (st->reason[0])
		buf_printf(&d->out, "       %s\n", st->reason);
	if (st->remedy[0] && hs->used < 0)
		buf_printf(&d->out, "       do: %s\n", st->remedy);
	if (alt->lacks && used)
		buf_printf(&d->out, "       lacks: %s\n", alt->lacks);
}

/* What --capture-mode auto would take, from the highest down. */
static void text_modes(struct doctor *d)
{
	bool taken = !d->open_err.code;

	for (int m = MODE_AFPACKET; m < MODE_MAX; m++) {
		if (!session_mode_name(m))
			continue;
		buf_printf(&d->out, "%s capture: ", session_mode_name(m));
		if (d->modes[m].works)
			buf_printf(&d->out, "yes%s\n", taken ? "" : ", what auto takes");
		else
			buf_printf(&d->out, "no. %s\n", d->modes[m].err.msg);
		if (d->modes[m].err.hint[0])
			buf_printf(&d->out, "do: %s\n", d->modes[m].err.hint);
		taken = taken || d->modes[m].works;
	}
}

static void text_kept(struct doctor *d)
{
	struct confine_opts opts = { .bpf = !d->open_err.code };
	char caps[160];

	confine_caps(&opts, caps, sizeof(caps));
	buf_printf(&d->out, "kept while it runs: %s\n", caps);
}

static void text(struct doctor *d)
{
	text_facts(d);
	for (unsigned int id = 0; id < NP_PROG_MAX && !d->facts.no_bpf; id++) {
		const struct hook *hook = &hook_table[id];
		const struct hook_status *hs = &d->hooks[id];

		buf_printf(&d->out, "%s: %s%s\n", hook->name, hook->what,
			   hs->used < 0 ? (hook->required ? " - MISSING, and needed" : " - missing")
			   : hs->proven ? " - seen to deliver"
					: "");
		for (unsigned int i = 0; i < hook->n_alts; i++)
			text_alt(d, hook, hs, i);
	}
	if (d->open_err.code)
		buf_printf(&d->out, "\nebpf capture: no. %s\n", d->open_err.msg);
	else
		buf_printf(&d->out, "\nebpf capture: yes, family %s\n", family_label(d->family));
	if (d->open_err.hint[0])
		buf_printf(&d->out, "do: %s\n", d->open_err.hint);
	text_modes(d);
	text_kept(d);
	if (d->note)
		buf_printf(&d->out, "note: %s\n", d->note);
}

static void json_facts(struct doctor *d)
{
	char why[160];
	const struct kernel_facts *f = &d->facts;
	struct buf *b = &d->out;

	json_kv_str(b, "kernel", f->release);
	json_kv_str(b, "arch", f->arch);
	json_kv_bool(b, "btf", f->btf != NULL);
	json_kv_str(b, "uprobes_missing", probe_asked_missing(why, sizeof(why)));
	json_kv_bool(b, "cap_bpf", f->cap_bpf);
	json_kv_bool(b, "cap_perfmon", f->cap_perfmon);
	json_kv_bool(b, "cap_net_admin", f->cap_net_admin);
	if (f->trampoline_err < 0)
		json_kv_null(b, "trampolines");
	else
		json_kv_bool(b, "trampolines", !f->trampoline_err);
	json_kv_bool(b, "kprobes", f->kprobe_pmu);
	json_kv_str(b, "cgroup_mount", f->cgroup_mount[0] ? f->cgroup_mount : NULL);
	json_kv_str(b, "lockdown", f->lockdown[0] ? f->lockdown : NULL);
	if (f->unprivileged_disabled < 0)
		json_kv_null(b, "unprivileged_bpf_disabled");
	else
		json_kv_u64(b, "unprivileged_bpf_disabled", (uint64_t)f->unprivileged_disabled);
}

static void json_alt(struct doctor *d, const struct hook *hook, const struct hook_status *hs,
		     unsigned int i)
{
	const struct hook_alt *alt = &hook->alts[i];
	const struct hook_alt_status *st = &hs->alts[i];
	struct buf *b = &d->out;

	buf_puts(b, i ? ",{" : "{");
	json_kv_str(b, "family", family_label(alt->family));
	json_kv_str(b, "kind", kind_label(alt->kind));
	json_kv_str(b, "status", status_word(d, alt, st));
	json_kv_bool(b, "in_use", hs->used == (int8_t)i);
	json_kv_str(b, "target", alt->progs[0] ? probe_trial_target(alt->progs[0]) : NULL);
	json_kv_str(b, "since", alt->since);
	json_kv_str(b, "until", alt->until);
	json_kv_str(b, "lacks", alt->lacks);
	json_kv_u64_or_null(b, "errno", (uint64_t)st->err);
	json_kv_str(b, "error", st->err ? strerrorname_np(st->err) : NULL);
	json_kv_str(b, "reason", st->reason[0] ? st->reason : NULL);
	json_kv_str(b, "remedy", st->remedy[0] ? st->remedy : NULL);
	buf_putc(b, '}');
}

static void json_modes(struct doctor *d)
{
	struct buf *b = &d->out;

	json_key(b, "modes");
	buf_puts(b, "{\"ebpf\":");
	buf_puts(b, d->open_err.code ? "false" : "true");
	for (int m = MODE_AFPACKET; m < MODE_MAX; m++)
		if (session_mode_name(m))
			json_kv_bool(b, session_mode_name(m), d->modes[m].works);
	buf_putc(b, '}');
}

static void json(struct doctor *d)
{
	struct buf *b = &d->out;

	buf_putc(b, '{');
	json_facts(d);
	json_kv_bool(b, "ebpf", !d->open_err.code);
	json_kv_str(b, "family", d->open_err.code ? NULL : family_label(d->family));
	json_kv_str(b, "error", d->open_err.code ? d->open_err.msg : NULL);
	json_kv_str(b, "remedy", d->open_err.hint[0] ? d->open_err.hint : NULL);
	json_kv_str(b, "note", d->note);
	json_modes(d);
	json_key(b, "hooks");
	buf_putc(b, '[');
	for (unsigned int id = 0; id < NP_PROG_MAX; id++) {
		const struct hook *hook = &hook_table[id];

		buf_puts(b, id ? ",{" : "{");
		json_kv_str(b, "hook", hook->name);
		json_kv_str(b, "what", hook->what);
		json_kv_bool(b, "required", hook->required);
		json_kv_bool(b, "delivers", d->hooks[id].proven);
		json_key(b, "alternatives");
		buf_putc(b, '[');
		for (unsigned int i = 0; i < hook->n_alts; i++)
			json_alt(d, hook, &d->hooks[id], i);
		buf_puts(b, "]}");
	}
	buf_puts(b, "]}\n");
}

static void examine(struct doctor *d)
{
	struct session_opts so = {};
	struct probe_opts po;
	struct probe *p = NULL;

	cli_session_opts(&d->o, &so);
	for (int m = MODE_AFPACKET; m < MODE_MAX; m++)
		d->modes[m].works = !session_try_mode(&so, m, &d->modes[m].err);
	po = so.probe;
	kernel_facts_init(&d->facts, d->o.btf);
	probe_trial_all(&d->facts, d->hooks);
	if (probe_open(&po, &p, &d->open_err))
		return;
	for (unsigned int id = 0; id < NP_PROG_MAX; id++)
		probe_trial_merge(&d->hooks[id], &probe_hooks(p)[id], hook_table[id].n_alts);
	d->family = probe_family(p);
	(void)snprintf(d->note_text, sizeof(d->note_text), "%s", probe_note(p));
	d->note = d->note_text[0] ? d->note_text : NULL;
	(void)probe_close(p);
}

static int run(struct doctor *d)
{
	struct netprobe_error err = {};
	int r;

	if (sink_open(&d->sink, &d->o, &err))
		return cli_usage_failed(&err);
	examine(d);
	if (d->o.format == 1)
		json(d);
	else
		text(d);
	r = sink_write(&d->sink, &d->out);
	kernel_facts_done(&d->facts);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write: %s", strerror(-r));
	return EXIT_INTERNAL;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe doctor",
		.summary =
			"Every hook, its alternatives, which one is in use, and why the others are not.",
		.tables = tables,
	};
	struct doctor d = {};
	int r;

	common_defaults(&d.o);
	r = common_parse(&spec, argc, argv, &d.o);
	if (r < 0)
		r = run(&d);
	sink_close(&d.sink);
	buf_done(&d.out);
	common_done(&d.o);
	return r;
}
