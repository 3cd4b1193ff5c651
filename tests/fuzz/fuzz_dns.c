/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as DNS messages: whole, cut, as a stream, as a query and its answer. */
#include <stdlib.h>
#include <string.h>

#include "name/stream.h"
#include "name/track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void read_all(const uint8_t *data, size_t size, size_t full)
{
	struct dns_reader r;
	struct dns_question q;
	struct dns_record rec;
	char text[DNS_NAME_TEXT], small[24];

	if (dns_open(&r, data, size, full))
		return;
	while (dns_question(&r, &q) > 0)
		check_text(q.name);
	while (dns_record(&r, &rec) > 0) {
		check_text(rec.name);
		if (rec.data + rec.data_len > size)
			abort();
		if (!dns_data_text(&r, &rec, text, sizeof(text)))
			check_text(text);
		if (!dns_data_text(&r, &rec, small, sizeof(small)))
			check_text(small);
	}
}

static void on_result(const struct dns_result *res, void *arg)
{
	(void)arg;
	check_text(res->qname);
	for (unsigned int i = 0; i < res->n; i++)
		check_text(res->answers[i].text);
}

static void on_message(const uint8_t *msg, size_t len, size_t full, void *arg)
{
	(void)arg;
	read_all(msg, len, full);
}

static void exchange(const uint8_t *data, size_t size, uint16_t port)
{
	struct dns_track *t = dns_track_new(8, 1000, on_result, NULL);
	struct np_tuple tuple = { .lport = 1, .rport = port };
	struct np_owner owner = { .tgid = 1 };
	size_t half = size / 2;

	if (!t)
		return;
	for (uint64_t i = 0; i < 4; i++) {
		struct dns_packet p = { .ts_ns = i * 500000000,
					.tuple = &tuple,
					.owner = &owner,
					.out = !(i & 1),
					.msg = i & 1 ? data + half : data,
					.len = i & 1 ? size - half : half };

		p.full = p.len + (i & 2);
		dns_track_message(t, &p);
	}
	dns_track_tick(t, UINT64_MAX);
	(void)dns_track_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_streams *streams;
	uint8_t addr[16];
	char name[80] = "";
	uint32_t seq = 0;

	if (size > 4096)
		return 0;
	read_all(data, size, size);
	read_all(data, size, size + 100);
	exchange(data, size, 53);
	exchange(data, size, 5353);
	exchange(data, size, 5355);
	memcpy(name, data, size < sizeof(name) - 1 ? size : sizeof(name) - 1);
	(void)dns_reverse_addr(name, addr);
	streams = streams ? streams : dns_streams_new();
	for (size_t at = 0; streams && at < size;) {
		size_t n = data[at] % 64 + 1u;
		struct dns_segment seg = { .key = 1 + (data[at] & 1u),
					   .seq = seq,
					   .data = data + at };

		seg.len = n < size - at ? n : size - at;
		seg.full = seg.len + (data[at] >> 7);
		seq += (uint32_t)seg.full + (data[at] == 255);
		dns_streams_segment(streams, &seg, on_message, NULL);
		at += seg.len;
	}
	return 0;
}
