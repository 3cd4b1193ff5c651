/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that others chose, given to every output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../nasty.h"
#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "out/dns.h"
#include "out/event.h"
#include "out/pcapng.h"
#include "out/table.h"
#include "owner/container_name.h"

/* An event that has a name wherever it may have one. */
struct made {
	struct np_tuple tuple;
	struct cgroup cgroup;
	struct container_info info;
	struct process process;
	struct event_dns dns;
	const char *answers[2];
	uint32_t ttls[2];
	struct event ev;
	char path[64], exe[64];
};

static void make(struct made *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->tuple = (struct np_tuple){ .family = AF_INET,
				      .proto = IPPROTO_TCP,
				      .lport = 1,
				      .rport = 2,
				      .laddr = { [10] = 255, 255, 10, 0, 0, 1 },
				      .raddr = { [10] = 255, 255, 10, 0, 0, 2 } };
	(void)snprintf(m->tuple.ifname, sizeof(m->tuple.ifname), "%s", name);
	(void)snprintf(m->path, sizeof(m->path), "/%s", name);
	(void)snprintf(m->exe, sizeof(m->exe), "/bin/%s", name);
	m->info = (struct container_info){ .name = (char *)name,
					   .image = (char *)name,
					   .pod_name = (char *)name,
					   .pod_namespace = (char *)name,
					   .project = (char *)name,
					   .service = (char *)name };
	m->cgroup = (struct cgroup){ .id = 1,
				     .path = m->path,
				     .container_id = (char *)name,
				     .runtime = "docker",
				     .pod_uid = (char *)name,
				     .info = &m->info };
	m->process = (struct process){ .tgid = 66, .exe = m->exe, .cgroup = &m->cgroup };
	(void)snprintf(m->process.comm, sizeof(m->process.comm), "%s", name);
	m->answers[0] = m->answers[1] = name;
	m->dns = (struct event_dns){ .qname = name,
				     .qtype = "A",
				     .rcode = "NOERROR",
				     .n_answers = 2,
				     .n = 2,
				     .answers = m->answers,
				     .ttls = m->ttls,
				     .asked_by = &m->process,
				     .waited_ms = 1 };
	m->ev = (struct event){ .kind = EVENT_CONN_OPEN,
				.value = "1",
				.unit = "count",
				.mode = "ebpf",
				.has_owner_field = true,
				.owner = &m->process,
				.owner_match = NP_MATCH_EXACT,
				.cpu_comm = m->process.comm,
				.cpu_tgid = 66,
				.has_cpu = true,
				.tuple = &m->tuple,
				.rname = name,
				.iface = name,
				.duration_ms = -1,
				.dns = &m->dns };
	(void)snprintf(m->ev.entity_id, sizeof(m->ev.entity_id), "%s", name);
}

static void make_dns(struct made *m, const char *name)
{
	make(m, name);
	m->ev.kind = EVENT_DNS;
	m->ev.long_value = name;
}

/* What is read is the name, all of it; bytes that were no UTF-8 are marked. */
static void assert_whole(const json_t *line, const char *key, const char *name)
{
	const char *its = json_string_value(json_object_get(line, key));
	struct buf valid = { 0 };

	utf8_put_valid(&valid, name, strlen(name));
	assert_non_null(its);
	assert_string_equal(its, buf_str(&valid));
	buf_done(&valid);
}

static json_t *line_of(struct buf *b)
{
	json_t *line;

	assert_true(nasty_free(b->data, b->len, "\n"));
	assert_ptr_equal(memchr(b->data, '\n', b->len), b->data + b->len - 1);
	line = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	buf_reset(b);
	return line;
}

static void json_is_valid_and_keeps_them_whole(void **state)
{
	struct buf b = { 0 };
	struct made m;
	json_t *line;

	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		make(&m, nasty_names[i]);
		assert_int_equal(event_write_json(&b, &m.ev, nasty_names[i]), 0);
		line = line_of(&b);
		assert_whole(line, "comm", nasty_names[i]);
		assert_whole(line, "exe", m.exe);
		assert_whole(line, "cgroup", m.path);
		assert_whole(line, "iface", nasty_names[i]);
		assert_whole(line, "rname", nasty_names[i]);
		assert_whole(line, "host", nasty_names[i]);
		json_decref(line);
		make_dns(&m, nasty_names[i]);
		assert_int_equal(event_write_json(&b, &m.ev, "host"), 0);
		line = line_of(&b);
		assert_whole(line, "qname", nasty_names[i]);
		json_decref(line);
		assert_int_equal(event_write_xctl(&b, &m.ev, nasty_names[i]), 0);
		line = line_of(&b);
		assert_whole(line, "job_id", nasty_names[i]);
		assert_whole(line, "node_id", nasty_names[i]);
		json_decref(line);
	}
	buf_done(&b);
}

static size_t fields_of(void (*with)(struct made *, const char *), const char *name, bool color)
{
	static const char colors[] = "\033\n";
	struct buf b = { 0 };
	struct made m;
	size_t n;

	with(&m, name);
	assert_int_equal(event_write_text(&b, &m.ev, color, 0), 0);
	assert_true(nasty_free(b.data, b.len, color ? colors : colors + 1));
	assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
	n = nasty_fields(b.data, b.len);
	buf_done(&b);
	return n;
}

static void a_line_of_text_has_as_many_fields_as_with_any_name(void **state)
{
	size_t n = fields_of(make, "plain", false);

	(void)state;
	assert_true(n >= 7);
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		assert_int_equal(fields_of(make, nasty_names[i], false), n);
		(void)fields_of(make_dns, nasty_names[i], false);
		(void)fields_of(make, nasty_names[i], true);
	}
}

static const struct table_column columns[] = { { "one", "ONE", UNIT_NONE, false, 0 },
					       { "two", "TWO", UNIT_NONE, true, 0 },
					       { "three", "THREE", UNIT_NONE, false, 12 } };

static void write_row(struct buf *b, const char *name, int format)
{
	const struct cell cells[] = { cell_str(name), cell_str(name), cell_str(name) };
	struct table *t = table_new(columns, 3);

	assert_non_null(t);
	assert_int_equal(table_add(t, cells), 0);
	assert_int_equal(table_write(t, b, format, false), 0);
	(void)table_free(t);
}

/* The second line, and where it ends. */
static const char *row_of(struct buf *b, const char *end_of_line, size_t *ret_len)
{
	const char *row = strstr(buf_str(b), end_of_line) + strlen(end_of_line), *end;

	end = b->data + b->len - strlen(end_of_line);
	assert_string_equal(end, end_of_line);
	*ret_len = (size_t)(end - row);
	return row;
}

static void a_row_of_text_has_its_columns_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct buf b = { 0 };
		size_t len, gaps = 0;
		const char *row;

		write_row(&b, nasty_names[i], FORMAT_TEXT);
		assert_true(nasty_free(b.data, b.len, "\n"));
		row = row_of(&b, "\n", &len);
		assert_null(memchr(row, '\n', len));
		for (size_t k = 1; k < len; k++)
			gaps += row[k] != ' ' && row[k - 1] == ' ' && k > 1 && row[k - 2] == ' ';
		assert_int_equal(gaps, 2);
		assert_true(row[0] != ' ' && row[len - 1] != ' ');
		buf_done(&b);
	}
}

/* RFC 4180. */
static void csv_rows_have_their_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct buf b = { 0 }, want = { 0 }, field = { 0 };
		bool quoted = false;
		unsigned int n = 0;
		const char *row;
		size_t len;

		write_row(&b, nasty_names[i], FORMAT_CSV);
		assert_true(nasty_free(b.data, b.len, "\r\n"));
		(void)utf8_put_printable(&want, nasty_names[i], strlen(nasty_names[i]), 0);
		row = row_of(&b, "\r\n", &len);
		for (size_t k = 0; k <= len; k++) {
			if (k == len || (!quoted && row[k] == ',')) {
				assert_string_equal(buf_str(&field), buf_str(&want));
				buf_reset(&field);
				n++;
			} else if (row[k] == '"') {
				if (!quoted && k && row[k - 1] == '"')
					buf_putc(&field, '"');
				quoted = !quoted;
			} else {
				assert_true(row[k] != '\r' && row[k] != '\n');
				buf_putc(&field, row[k]);
			}
		}
		assert_int_equal(n, 3);
		assert_false(quoted);
		buf_done(&b);
		buf_done(&want);
		buf_done(&field);
	}
}

static char unescaped(const char **s)
{
	static const char names[] = "t\tn\nr\r\\\\";
	unsigned int v;

	if (**s != '\\')
		return *(*s)++;
	if ((*s)[1] == 'x') {
		assert_int_equal(sscanf(*s + 2, "%2x", &v), 1);
		*s += 4;
		return (char)v;
	}
	*s += 2;
	return strchr(names, (*s)[-1])[1];
}

static void tsv_rows_have_their_fields_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct buf b = { 0 }, want = { 0 }, field = { 0 };
		const char *row, *end;
		unsigned int n = 0;
		size_t len;

		write_row(&b, nasty_names[i], FORMAT_TSV);
		assert_true(nasty_free(b.data, b.len, "\t\n"));
		utf8_put_valid(&want, nasty_names[i], strlen(nasty_names[i]));
		row = row_of(&b, "\n", &len);
		for (end = row + len; row <= end; row++, n++) {
			buf_reset(&field);
			while (row < end && *row != '\t')
				buf_putc(&field, unescaped(&row));
			assert_string_equal(buf_str(&field), buf_str(&want));
		}
		assert_int_equal(n, 3);
		buf_done(&b);
		buf_done(&want);
		buf_done(&field);
	}
}

static void errors_and_the_log_are_one_clean_line(void **state)
{
	int kept = dup(STDERR_FILENO), fd = memfd_create("log", 0);
	char text[8192];
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct netprobe_error err = { 0 };

		error_set(&err, -ENOENT, "'%s' is not there", nasty_names[i]);
		error_hint(&err, "make '%s'", nasty_names[i]);
		error_prefix(&err, "%s", nasty_names[i]);
		assert_true(nasty_free(err.msg, strlen(err.msg), ""));
		assert_true(nasty_free(err.hint, strlen(err.hint), ""));
	}
	assert_true(fd >= 0 && kept >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_set_level(LOG_NOTICE);
	for (size_t i = 0; i < NASTY_NAMES; i++)
		log_notice("%s is not there", nasty_names[i]);
	log_set_level(0);
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
	n = pread(fd, text, sizeof(text), 0);
	(void)close(fd);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	assert_true(nasty_free(text, (size_t)n, "\n"));
	for (ssize_t i = 0; i < n; i++)
		fd = i ? fd + (text[i] == '\n') : text[i] == '\n';
	assert_int_equal(fd, NASTY_NAMES);
}

/* Each text in a file of packets is an option of a block: its length is in front of it. */
static void pcapng_has_clean_texts(void **state)
{
	static const struct pcapng_packet packet = { .ifindex = 2,
						     .linktype = PCAPNG_RAW,
						     .bytes = (const uint8_t *)"E123",
						     .captured = 4,
						     .full = 4 };

	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		int fd = memfd_create("pcapng", 0), copy = dup(fd);
		struct pcapng *p = pcapng_new(fd, nasty_names[i], "1");
		struct pcapng_packet pkt = packet;
		size_t at = 0, texts = 0;
		uint8_t file[4096];
		ssize_t size;

		assert_non_null(p);
		pkt.ifname = pkt.comment = nasty_names[i];
		pcapng_put(p, &pkt);
		(void)pcapng_free(p);
		size = pread(copy, file, sizeof(file), 0);
		(void)close(copy);
		while (at < (size_t)size) {
			uint32_t type, len, options;
			uint16_t code, n;

			memcpy(&type, file + at, 4);
			memcpy(&len, file + at + 4, 4);
			options = type == 0x0a0d0d0a ? 24 : type == 1 ? 16 : 32; /* of 4 bytes */
			for (const uint8_t *o = file + at + options;; o += 4 + (n + 3u) / 4 * 4) {
				memcpy(&code, o, 2);
				memcpy(&n, o + 2, 2);
				if (!code)
					break;
				assert_true(o + 4 + n <= file + at + len);
				if (code == 1 || (type == 1 && code == 2)) {
					assert_true(nasty_free((const char *)o + 4, n, ""));
					texts++;
				}
			}
			at += len;
		}
		assert_int_equal(at, size);
		assert_int_equal(texts, 3);
	}
}

/* An answer of the control socket, which jansson writes. */
static void what_another_library_wrote_is_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct buf valid = { 0 }, b = { 0 };
		json_t *o, *again;
		char *text;

		utf8_put_valid(&valid, nasty_names[i], strlen(nasty_names[i]));
		o = json_pack("{s:s}", "comm", buf_str(&valid));
		text = json_dumps(o, JSON_COMPACT);
		json_text(&b, text);
		assert_true(nasty_free(b.data, b.len, ""));
		again = json_loadb(b.data, b.len, 0, NULL);
		assert_true(json_equal(o, again));
		json_decref(o);
		json_decref(again);
		free(text);
		buf_done(&b);
		buf_done(&valid);
	}
}

static void a_field_is_one(void **state)
{
	(void)state;
	assert_true(NASTY_NAMES >= 40);
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		struct buf b = { 0 };

		(void)utf8_put_field(&b, nasty_names[i], strlen(nasty_names[i]));
		assert_true(nasty_free(b.data, b.len, ""));
		assert_int_equal(nasty_fields(b.data, b.len), 1);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_valid_and_keeps_them_whole),
		cmocka_unit_test(a_line_of_text_has_as_many_fields_as_with_any_name),
		cmocka_unit_test(a_row_of_text_has_its_columns_and_no_more),
		cmocka_unit_test(csv_rows_have_their_fields),
		cmocka_unit_test(tsv_rows_have_their_fields_whole),
		cmocka_unit_test(errors_and_the_log_are_one_clean_line),
		cmocka_unit_test(pcapng_has_clean_texts),
		cmocka_unit_test(what_another_library_wrote_is_escaped),
		cmocka_unit_test(a_field_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
