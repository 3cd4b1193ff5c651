/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands and nothing else: each command is a file of its own. */
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/inherit.h"
#include "cli/rights.h"

static int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("netprobe " NETPROBE_VERSION);
	return EXIT_OK;
}

const struct command command_table[] = {
	{ "top", cmd_top, "live view by process, connection, container, remote host, interface" },
	{ "events", cmd_events,
	  "the event stream: JSON Lines when piped, readable lines on a terminal" },
	{ "flows", cmd_flows, "every socket that is or was open during the run" },
	{ "drops", cmd_drops, "packets the kernel drops: reason, place, and whose they were" },
	{ "dns", cmd_dns, "DNS transactions: process, server, name, answers, latency, failures" },
	{ "why", cmd_why, "what limits a connection, process or container now" },
	{ "guard", cmd_guard, "monitor, filter and balance at an interface, by XDP" },
	{ "ctl", cmd_ctl, "list running instances, read and change what they do" },
	{ "doctor", cmd_doctor,
	  "what this machine allows, what is used, what to do about the rest" },
	{ "version", cmd_version, "print the version" },
	{ NULL, NULL, NULL },
};

static void usage(FILE *f)
{
	(void)fputs(
		"Usage: netprobe [COMMAND] [OPTIONS]\n"
		"Which process and container sends and receives what, whom, and how it fares.\n\n"
		"Commands (netprobe alone is netprobe top):\n",
		f);
	for (const struct command *c = command_table; c->name; c++)
		(void)fprintf(f, "  %-10s %s\n", c->name, c->summary);
	(void)fputs("\nnetprobe COMMAND --help tells a command's options.\n", f);
}

static const struct command *find(const char *name)
{
	for (const struct command *c = command_table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int no_command(const char *word)
{
	char list[256] = "";
	size_t n = 0;

	for (const struct command *c = command_table; c->name && n < sizeof(list); c++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", c->name);
	log_err("'%s' is no command; takes %s (see netprobe --help)", word, list);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	const struct command *c;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		usage(stdout);
		return EXIT_OK;
	}
	if (argc > 1 && !strcmp(argv[1], "--version"))
		return cmd_version(argc, argv);
	if (argc < 2 || argv[1][0] == '-')
		return cmd_top(argc, argv);
	c = find(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : no_command(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	inherit();
	rights_take(argv);
	/* The screen needs to know the character set; numbers are printed alike in every locale. */
	(void)setlocale(LC_CTYPE, "");
	log_set_level(LOG_NOTICE);
	status = run(argc, argv);
	/* What the C library still holds may fail to be written. A reader that left is no failure. */
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE && status == EXIT_OK) {
		log_err("cannot write: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	return status;
}
