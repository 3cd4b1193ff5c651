/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends --rate datagrams a second of --size bytes of payload to --addr --port for --seconds, and prints
 * {"sent":N,"seconds":S}.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define BATCH 64

int main(int argc, char **argv)
{
	struct mmsghdr msgs[BATCH] = { { .msg_len = 0 } };
	static char block[1400];
	struct iovec io = { .iov_base = block };
	uint64_t rate, seconds, begun, sent = 0, now;
	struct addr a;
	int fd;

	tm_init(argc, argv);
	rate = tm_num("rate", 250000);
	seconds = tm_num("seconds", 5) * 1000000000ULL;
	io.iov_len = tm_num("size", 22);
	a = addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 9));
	if (io.iov_len > sizeof(block))
		bench_die("--size: at most %zu", sizeof(block));
	fd = sock_new(a.ss.ss_family, SOCK_DGRAM);
	sock_connect(fd, &a);
	for (unsigned int i = 0; i < BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = &io;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	begun = tm_now_ns();
	while ((now = tm_now_ns() - begun) < seconds) {
		int n;

		if (sent * 1000000000ULL > now * rate)
			continue;
		n = sendmmsg(fd, msgs, BATCH, 0);
		/* refused: nobody listens there, and the datagram was sent all the same */
		sent += n > 0 ? (unsigned int)n : 0;
	}
	printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f}\n", sent, (double)now / 1e9);
	return 0;
}
