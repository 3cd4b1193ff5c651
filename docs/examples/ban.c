/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drop what comes from an address or network at an interface, until the input ends; then tell how much
 * that was.
 *	ban INTERFACE CIDR
 */
#include <inttypes.h>
#include <netprobe/netprobe.h>
#include <stdio.h>

static int fail(const struct netprobe_error *err)
{
	fprintf(stderr, "ban: %s%s%s\n", err->msg, err->hint[0] ? "; " : "", err->hint);
	return 1;
}

static int print(const struct netprobe_ban *ban, void *arg)
{
	(void)arg;
	printf("%s hits %" PRIu64 " reason %s\n", ban->cidr, ban->hits,
	       ban->reason ? ban->reason : "-");
	return 0;
}

static int ban(struct netprobe_manager *m, const char *cidr, struct netprobe_error *err)
{
	struct netprobe_ban b = {
		.size = sizeof(b), .cidr = cidr, .ttl_s = 3600, .reason = "example"
	};
	int r = netprobe_manager_ban(m, &b, err);

	if (r)
		return r;
	fprintf(stderr, "ready\n");
	(void)getchar();
	r = netprobe_manager_banned(m, print, NULL, err);
	return r < 0 ? r : netprobe_manager_unban(m, cidr, err);
}

int main(int argc, char **argv)
{
	struct netprobe_manager *m = NULL;
	struct netprobe_error err = { 0 };
	struct netprobe_config config;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: ban INTERFACE CIDR\n");
		return 3;
	}
	netprobe_config_default(&config);
	config.capture = NETPROBE_CAPTURE_NONE;
	if (netprobe_manager_new_with_config(&config, &m, &err))
		return fail(&err);
	r = netprobe_manager_attach(m, argv[1], &err);
	if (!r) {
		r = ban(m, argv[2], &err);
		(void)netprobe_manager_detach(m, argv[1], r ? NULL : &err);
	}
	netprobe_manager_free(m);
	return r ? fail(&err) : 0;
}
