/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as names, divided by NUL: whatever writes them is valid, one line, and free of what acts or hides. */
#include <jansson.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../nasty.h"
#include "base/error.h"
#include "base/utf8.h"
#include "out/dns.h"
#include "out/event.h"
#include "out/table.h"
#include "owner/container_name.h"

#define NAMES 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct buf *b, const char *allowed)
{
	if (b->err || !nasty_free(b->data, b->len, allowed))
		abort();
}

static void check_json(struct buf *b)
{
	json_t *line;

	check(b, "\n");
	if (memchr(b->data, '\n', b->len) != b->data + b->len - 1)
		abort();
	line = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL);
	if (!line)
		abort();
	json_decref(line);
	buf_reset(b);
}

/* The same line has as many fields with a plain name in each place. */
static size_t fields(struct event *ev, struct buf *b)
{
	size_t n;

	for (unsigned int columns = 40; columns < 140;
	     columns += 25) { /* as it is shortened for a terminal */
		if (event_write_text(b, ev, false, columns))
			abort();
		check(b, "\n");
		if (memchr(b->data, '\n', b->len) != b->data + b->len - 1)
			abort();
		buf_reset(b);
	}
	if (event_write_text(b, ev, false, 0))
		abort();
	check(b, "\n");
	if (memchr(b->data, '\n', b->len) != b->data + b->len - 1)
		abort();
	n = nasty_fields(b->data, b->len);
	buf_reset(b);
	return n;
}

static void write_events(char *const names[NAMES])
{
	struct np_tuple tuple = { .family = AF_INET, .proto = IPPROTO_TCP, .lport = 1, .rport = 2 };
	struct container_info info = { .name = names[4],
				       .image = names[1],
				       .pod_name = names[2],
				       .pod_namespace = names[5],
				       .project = names[3],
				       .service = names[4] };
	struct cgroup cg = { .id = 1,
			     .path = names[1],
			     .container_id = names[2],
			     .runtime = "docker",
			     .pod_uid = names[3],
			     .info = &info };
	struct process proc = { .tgid = 1, .exe = names[1], .cgroup = &cg };
	const char *answers[1] = { names[2] };
	uint32_t ttls[1] = { 0 };
	struct event_dns dns = { .qname = names[3],
				 .qtype = "A",
				 .rcode = "NOERROR",
				 .n_answers = 1,
				 .n = 1,
				 .answers = answers,
				 .ttls = ttls,
				 .asked_by = &proc };
	struct event ev = { .kind = EVENT_CONN_OPEN,
			    .value = "1",
			    .unit = "count",
			    .mode = "ebpf",
			    .has_owner_field = true,
			    .owner = &proc,
			    .owner_match = NP_MATCH_EXACT,
			    .tuple = &tuple,
			    .rname = names[4],
			    .iface = names[5],
			    .duration_ms = -1,
			    .dns = &dns };
	struct buf b = { 0 };
	size_t n;

	(void)snprintf(proc.comm, sizeof(proc.comm), "%s", names[0]);
	(void)snprintf(tuple.ifname, sizeof(tuple.ifname), "%s", names[5]);
	if (event_write_json(&b, &ev, names[3]))
		abort();
	check_json(&b);
	if (event_write_xctl(&b, &ev, names[3]))
		abort();
	check_json(&b);
	n = fields(&ev, &b);
	(void)snprintf(proc.comm, sizeof(proc.comm), "plain");
	ev.rname = ev.iface = "plain";
	if (fields(&ev, &b) != n)
		abort();
	ev.kind = EVENT_DNS;
	ev.long_value = names[3];
	if (event_write_json(&b, &ev, names[0]))
		abort();
	check_json(&b);
	(void)fields(&ev, &b);
	buf_done(&b);
}

static void write_tables(char *const names[NAMES])
{
	static const struct table_column columns[] = { { "one", "ONE", UNIT_NONE, false, 0 },
						       { "two", "TWO", UNIT_NONE, true, 10 } };
	static const char *const allowed[] = { "\n", "\n", "\r\n", "\t\n" };
	const struct cell cells[] = { cell_str(names[0]), cell_str(names[1]) };

	for (int format = FORMAT_TEXT; format <= FORMAT_TSV; format++) {
		struct table *t = table_new(columns, 2);
		struct buf b = { 0 };
		size_t lines = 0;

		if (!t || table_add(t, cells) || table_write(t, &b, format, false))
			abort();
		check(&b, allowed[format]);
		for (size_t i = 0; i < b.len; i++)
			lines += b.data[i] == '\n';
		if (lines != (format == FORMAT_JSON ? 1 : 2))
			abort();
		buf_done(&b);
		(void)table_free(t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netprobe_error err = { 0 };
	char *names[NAMES], *copy;
	size_t at = 0;

	if (size > 4096)
		return 0;
	copy = calloc(1, size + NAMES);
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	for (unsigned int i = 0; i < NAMES; i++) {
		names[i] = copy + at;
		at += strlen(names[i]) + 1;
		at = at < size ? at : size;
	}
	write_events(names);
	write_tables(names);
	error_set(&err, -1, "'%s' is none", names[0]);
	error_hint(&err, "%s", names[1]);
	if (!nasty_free(err.msg, strlen(err.msg), "") ||
	    !nasty_free(err.hint, strlen(err.hint), ""))
		abort();
	free(copy);
	return 0;
}
