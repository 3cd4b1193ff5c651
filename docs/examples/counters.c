/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes through an interface, counted by the library and by the kernel, until a key is pressed or
 * the input ends.
 *	counters INTERFACE
 */
#include <inttypes.h>
#include <netprobe/netprobe.h>
#include <stdio.h>

static int fail(const struct netprobe_error *err)
{
	fprintf(stderr, "counters: %s%s%s\n", err->msg, err->hint[0] ? "; " : "", err->hint);
	return 1;
}

static int print(struct netprobe_manager *m, const char *ifname, struct netprobe_error *err)
{
	static const char *const names[] = { "rx", "tx" };
	struct netprobe_device_stats s = { .size = sizeof(s) };
	int r = 0;

	for (uint32_t way = NETPROBE_RX; !r && way <= NETPROBE_TX; way++) {
		r = netprobe_manager_get_device_stats(m, ifname, way, &s, err);
		if (!r)
			printf("%s packets %" PRIu64 " bytes %" PRIu64 " device %" PRIu64 "\n",
			       names[way], s.segments, s.wire_bytes, s.device_packets);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct netprobe_manager *m = NULL;
	struct netprobe_error err = { 0 };
	struct netprobe_config config;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: counters INTERFACE\n");
		return 3;
	}
	netprobe_config_default(&config);
	config.capture = NETPROBE_CAPTURE_NONE;
	config.mode = NETPROBE_MODE_MONITOR;
	if (netprobe_manager_new_with_config(&config, &m, &err))
		return fail(&err);
	r = netprobe_manager_attach(m, argv[1], &err);
	if (!r) {
		fprintf(stderr, "ready\n");
		(void)getchar();
		r = print(m, argv[1], &err);
		(void)netprobe_manager_detach(m, argv[1], r ? NULL : &err);
	}
	netprobe_manager_free(m);
	return r ? fail(&err) : 0;
}
