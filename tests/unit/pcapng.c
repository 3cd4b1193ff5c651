/* SPDX-License-Identifier: BSD-2-Clause */
/* pcapng files: blocks as they are specified, and whole ones only, whatever the disk does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "out/pcapng.h"

static char path[] = "/tmp/netprobe-pcapng.XXXXXX";
static uint8_t file[1 << 17];
static size_t size;

struct blocks {
	unsigned int sections, interfaces, packets;
	const uint8_t *packet, *interface; /* the last of each */
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Walk it as a reader would; a broken block fails the test. */
static struct blocks read_blocks(void)
{
	struct blocks b = {};
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	size = fread(file, 1, sizeof(file), f);
	(void)fclose(f);
	for (size_t at = 0; at < size;) {
		uint32_t len;

		assert_true(size - at >= 12);
		len = get32(file + at + 4);
		assert_true(len % 4 == 0 && len >= 12 && len <= size - at);
		assert_int_equal(get32(file + at + len - 4), len);
		switch (get32(file + at)) {
		case 0x0a0d0d0a:
			assert_int_equal(get32(file + at + 8), 0x1a2b3c4d);
			b.sections++;
			break;
		case 1:
			b.interface = file + at;
			b.interfaces++;
			break;
		case 6:
			assert_true(get32(file + at + 8) < b.interfaces);
			b.packet = file + at;
			b.packets++;
			break;
		default:
			fail_msg("block of type %u", get32(file + at));
		}
		at += len;
	}
	return b;
}

/* An option of a block, its options beginning there; NULL none. */
static const uint8_t *option(const uint8_t *at, uint16_t code, uint16_t *ret_len)
{
	for (;;) {
		uint16_t c, n;

		memcpy(&c, at, 2);
		memcpy(&n, at + 2, 2);
		if (!c)
			return NULL;
		if (c == code) {
			*ret_len = n;
			return at + 4;
		}
		at += 4 + (n + 3u) / 4 * 4;
	}
}

static struct pcapng *open_file(void)
{
	(void)strcpy(path + strlen(path) - 6, "XXXXXX");
	return pcapng_new(mkstemp(path), "node-1", "1.2");
}

static struct pcapng_packet packet(const char *ifname)
{
	return (struct pcapng_packet){ .wall_ns = 1769860800123456789ULL,
				       .netns = 4026531840u,
				       .ifindex = 2,
				       .ifname = ifname,
				       .linktype = PCAPNG_RAW,
				       .dir = PCAPNG_OUT,
				       .bytes = (const uint8_t *)"E1234",
				       .captured = 5,
				       .full = 1500,
				       .comment = "pid=42 comm=x" };
}

static void packet_carries_time_lengths_and_comment(void **state)
{
	struct pcapng *p = open_file();
	struct pcapng_packet pkt = packet("eth0");
	struct blocks b;
	const uint8_t *o;
	uint16_t n = 0;

	(void)state;
	pcapng_put(p, &pkt);
	pcapng_put(p, &pkt);
	(void)pcapng_free(p);
	b = read_blocks();
	assert_int_equal(b.sections, 1);
	assert_int_equal(b.interfaces, 1);
	assert_int_equal(b.packets, 2);
	assert_int_equal((uint64_t)get32(b.packet + 12) << 32 | get32(b.packet + 16), pkt.wall_ns);
	assert_int_equal(get32(b.packet + 20), 5);
	assert_int_equal(get32(b.packet + 24), 1500);
	assert_memory_equal(b.packet + 28, "E1234\0\0\0", 8);
	o = option(b.packet + 36, 1, &n);
	assert_non_null(o);
	assert_int_equal(n, 13);
	assert_memory_equal(o, pkt.comment, 13);
	o = option(b.packet + 36, 2, &n);
	assert_non_null(o);
	assert_int_equal(get32(o), PCAPNG_OUT);
	o = option(b.interface + 16, 9, &n);
	assert_non_null(o);
	assert_int_equal(n, 1);
	assert_int_equal(*o, 9); /* nanoseconds */
	o = option(b.interface + 16, 2, &n);
	assert_non_null(o);
	assert_memory_equal(o, "eth0", 4);
	(void)unlink(path);
}

static void each_interface_of_each_namespace_has_its_block(void **state)
{
	struct pcapng *p = open_file();
	struct pcapng_packet a = packet("eth0"), b = packet("eth0"), c = packet(NULL);
	struct pcapng_packet d = packet("eth0");

	(void)state;
	b.netns++;
	c.ifindex = 0;
	d.linktype = PCAPNG_ETHERNET;
	for (int i = 0; i < 3; i++) {
		pcapng_put(p, &a);
		pcapng_put(p, &b);
		pcapng_put(p, &c);
		pcapng_put(p, &d);
	}
	(void)pcapng_free(p);
	assert_int_equal(read_blocks().interfaces, 4);
	assert_int_equal(read_blocks().packets, 12);
	(void)unlink(path);
}

/* A limit on the size of files stands for a disk that gets full, and room that comes back. */
static void full_disk_loses_packets_and_breaks_no_block(void **state)
{
	struct rlimit old, limit;
	struct pcapng *p = open_file();
	struct pcapng_packet pkt = packet("eth0"), other = packet("eth1");
	struct pcapng_stats st;
	uint64_t lost;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	pcapng_put(p, &pkt);
	assert_int_equal(pcapng_flush(p), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 1001; /* within a block */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	other.ifindex = 3;
	for (int i = 0; i < 30; i++)
		pcapng_put(p, &other);
	assert_true(pcapng_flush(p) < 0);
	pcapng_stats(p, &st);
	assert_int_equal(st.lost, 30);
	assert_int_equal(st.packets, 1);
	assert_true(st.err > 0);
	assert_int_equal(read_blocks().packets, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	pcapng_put(p, &other); /* its interface was lost as well, and comes again */
	pcapng_put(p, &pkt);
	assert_int_equal(pcapng_flush(p), 0);
	pcapng_stats(p, &st);
	lost = st.lost;
	(void)pcapng_free(p);
	assert_int_equal(lost, 30);
	assert_int_equal(read_blocks().packets, 3);
	assert_int_equal(read_blocks().interfaces, 2);
	(void)unlink(path);
}

/* A FIFO whose reader sleeps: nobody waits for it, and what it gets in the end is whole. */
static void reader_that_sleeps_loses_packets_and_gets_whole_blocks(void **state)
{
	static uint8_t bytes[1400];
	const struct pcapng_packet pkt = { .wall_ns = 1,
					   .netns = 1,
					   .ifindex = 2,
					   .ifname = "eth0",
					   .linktype = PCAPNG_ETHERNET,
					   .bytes = bytes,
					   .captured = sizeof(bytes),
					   .full = sizeof(bytes) };
	struct pcapng_stats st;
	struct pcapng *p;
	struct blocks b;
	int fds[2], out;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	p = pcapng_new(fds[1], "host", "1");
	assert_non_null(p);
	for (unsigned int i = 0; i < 20000; i++)
		pcapng_put(p, &pkt);
	pcapng_end(p, 0);
	pcapng_stats(p, &st);
	assert_true(st.lost > 0 && st.packets > 0);
	assert_int_equal(st.lost + st.packets, 20000);
	assert_null(pcapng_free(p));
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	while ((n = read(fds[0], file, sizeof(file))) > 0)
		assert_int_equal(write(out, file, (size_t)n), n);
	(void)close(out);
	(void)close(fds[0]);
	b = read_blocks();
	assert_int_equal(b.sections, 1);
	assert_int_equal(b.packets, st.packets);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_carries_time_lengths_and_comment),
		cmocka_unit_test(each_interface_of_each_namespace_has_its_block),
		cmocka_unit_test(full_disk_loses_packets_and_breaks_no_block),
		cmocka_unit_test(reader_that_sleeps_loses_packets_and_gets_whole_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
