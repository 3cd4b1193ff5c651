/* SPDX-License-Identifier: BSD-2-Clause */
/* The library speaks of its fields and calls; whoever types commands knows options and verbs. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/words.h"

static const struct {
	const char *word, *option; /* no word begins with one that stands behind it */
} words[] = {
	{ "netprobe_ban.force", "--force" },
	{ "netprobe_backend.forward NETPROBE_FORWARD_MAC", "--forward mac" },
	{ "netprobe_change.confirm_s", "--confirm TIME" },
	{ "netprobe_config.btf", "--btf FILE" },
	{ "netprobe_config.capture", "--capture-mode" },
	{ "netprobe_config.enable_latency", "--latency" },
	{ "netprobe_config.hook", "--hook" },
	{ "netprobe_config.names", "--names" },
	{ "netprobe_config.pcap", "--pcap" },
	{ "netprobe_config.xdp_mode", "--xdp" },
	{ "netprobe_syncookies.sysctl", "--sysctl" },
	{ "NETPROBE_CAPTURE_AFPACKET", "afpacket" },
	{ "NETPROBE_CAPTURE_EBPF", "ebpf" },
	{ "NETPROBE_HOOK_AUTO", "auto" },
	{ "NETPROBE_HOOK_TRACEPOINT", "tracepoint" },
	{ "NETPROBE_VIP_FORCE", "--force" },
	{ "NETPROBE_XDP_GENERIC", "generic" },
	{ "NETPROBE_XDP_NATIVE", "native" },
	{ "netprobe_examine", "netprobe doctor -v" },
	{ "netprobe_manager_attach first", "netprobe guard attach IF --mode filter" },
	{ "netprobe_manager_backends", "netprobe guard vip list" },
	{ "netprobe_manager_confirm", "netprobe guard confirm" },
	{ "netprobe_manager_detach", "netprobe guard detach" },
	{ "netprobe_manager_vip_add", "netprobe guard vip add ADDR:PORT/PROTO" },
};

static size_t put(char *ret, size_t at, size_t size, const char *text, size_t n)
{
	n = n < size - 1 - at ? n : size - 1 - at;
	memcpy(ret + at, text, n);
	return at + n;
}

const char *cli_words(const char *text, char ret[CLI_WORDS])
{
	size_t at = 0;

	while (*text) {
		bool found = false;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !found; i++) {
			size_t n = strlen(words[i].word);

			found = !strncmp(text, words[i].word, n);
			if (!found)
				continue;
			at = put(ret, at, CLI_WORDS, words[i].option, strlen(words[i].option));
			text += n;
		}
		if (!found)
			at = put(ret, at, CLI_WORDS, text++, 1);
	}
	ret[at] = '\0';
	return ret;
}

const char *cli_error(const struct netprobe_error *err, char ret[CLI_WORDS])
{
	char both[sizeof(err->msg) + sizeof(err->hint) + 2];

	(void)snprintf(both, sizeof(both), "%s%s%s", err->msg, err->hint[0] ? "; " : "", err->hint);
	return cli_words(both, ret);
}
