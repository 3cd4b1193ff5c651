/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a packet, in and out of a flow table: nothing beyond what was captured is read. */
#include <stdlib.h>
#include <string.h>

#include "capture/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First two bytes: ethertype; third: bytes that the packet had beyond those captured, times 16. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p = { .net_off = 0 };
	struct wire w;
	uint8_t *copy;
	bool fresh;

	if (size < 4 || wire_init(&w, 4))
		return 0;
	copy = malloc(size - 3);
	if (!copy)
		return 0;
	memcpy(copy, data + 3, size - 3);
	p.data = copy;
	p.caplen = (uint32_t)size - 3;
	p.len = p.caplen + data[2] * 16U;
	p.protocol = (uint16_t)(data[0] << 8 | data[1]);
	p.gso_size = data[2];
	p.pkttype = data[2] & 2 ? 4 : 0; /* going out: its checksum is not looked at */
	p.ifindex = 1;
	/* with a link header in front, as Ethernet has it, where the last bit asks for one */
	p.hatype = data[2] & 1;
	p.net_off = p.hatype && p.caplen > 18 ? 14 + (data[2] & 4) : 0;
	for (unsigned int i = 0; i < 3; i++) {
		p.ktime_ns = (i + 1) * 1000000ULL;
		if (packet_parse(&p))
			break;
		if (p.payload_len > p.len + 65535U)
			abort();
		(void)wire_packet(&w, &p, &fresh);
		p.pkttype = 4;
	}
	wire_done(&w);
	free(copy);
	return 0;
}
