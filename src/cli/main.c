/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands and nothing else: each command is a file of its own. */
#include <errno.h>
#include <locale.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/inherit.h"
#include "cli/rights.h"

static int cmd_version(int argc, char **argv)
{
	if (argc > 1) {
		log_err("'%.100s' is one too many; version takes nothing", argv[1]);
		return EXIT_USAGE;
	}
	printf("netprobe %s\n", netprobe_version());
	return EXIT_OK;
}

static int cmd_help(int argc, char **argv);

const struct command command_table[] = {
	{ "top", "live view by process, connection, container, remote host, interface",
	  &top_command, NULL },
	{ "events", "the event stream: JSON Lines when piped, readable lines on a terminal",
	  &events_command, NULL },
	{ "flows", "every socket that is or was open during the run", &flows_command, NULL },
	{ "drops", "packets the kernel drops: reason, place, and whose they were", &drops_command,
	  NULL },
	{ "dns", "DNS transactions: process, server, name, answers, latency, failures",
	  &dns_command, NULL },
	{ "why", "what limits a connection, process or container now", &why_command, NULL },
	{ "guard", "monitor, filter and balance at an interface, by XDP", NULL, cmd_guard },
	{ "ctl", "list running instances, read and change what they do", NULL, cmd_ctl },
	{ "doctor", "what this machine allows, what is used, what to do about the rest",
	  &doctor_command, NULL },
	{ "help", "explain a command: netprobe help events", NULL, cmd_help },
	{ "version", "print the version", NULL, cmd_version },
	{ NULL, NULL, NULL, NULL },
};

static int start(const struct command *c, int argc, char **argv)
{
	return c->row ? command_run(c->row, argc, argv) : c->run(argc, argv);
}

static void usage(FILE *f)
{
	(void)fputs("Usage: netprobe [COMMAND] [OPTIONS]\n"
		    "What each process and container sends and receives, to whom, and how well.\n\n"
		    "Commands (netprobe alone is netprobe top):\n",
		    f);
	for (const struct command *c = command_table; c->name; c++)
		(void)fprintf(f, "  %-10s %s\n", c->name, c->summary);
	(void)fputs(
		"\nExamples:\n"
		"  netprobe                          live: who sends and receives\n"
		"  netprobe --once                   one plain table\n"
		"  netprobe why --port 443           what limits the connections of a port\n"
		"  netprobe drops --summary          who loses packets, where and why\n"
		"  netprobe events --comm nginx      what happens to the connections of nginx\n"
		"\nnetprobe help COMMAND explains a command, and with all behind it each option.\n",
		f);
}

static const struct command *find(const char *name)
{
	for (const struct command *c = command_table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int unknown_command(const char *word)
{
	struct netprobe_error err = {};

	(void)args_unknown_word("command", word, command_table, sizeof(command_table[0]), &err);
	log_err("%s (see netprobe --help)", err.msg);
	return EXIT_USAGE;
}

/* "help", "help events", "help guard ban": the last word's --help. */
static int cmd_help(int argc, char **argv)
{
	const struct command *c;
	char *words[5];
	bool all;
	int n = 0;

	if (argc < 2) {
		usage(stdout);
		return EXIT_OK;
	}
	c = find(argv[1]);
	if (!c)
		return unknown_command(argv[1]);
	all = argc > 2 && !strcmp(argv[argc - 1], "all");
	if (argc - all > (c->run == cmd_guard ? 3 : 2)) {
		log_err("'%.100s' is one too many; help takes one command", argv[argc - 1 - all]);
		return EXIT_USAGE;
	}
	if (c->run == cmd_help || c->run == cmd_version) {
		(void)printf("Usage: netprobe %s\n\n%s\n",
			     c->run == cmd_help ? "help [COMMAND]" : c->name, c->summary);
		return EXIT_OK;
	}
	for (int i = 1; i < argc - all; i++)
		words[n++] = argv[i];
	words[n++] = (char[]){ "--help" };
	if (all)
		words[n++] = argv[argc - 1];
	words[n] = NULL;
	return start(c, n, words);
}

static int run(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	const struct command *c;

	if (!strcmp(first, "--help") || !strcmp(first, "-h")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(first, "--version") || !strcmp(first, "-V"))
		return cmd_version(argc - 1, argv + 1);
	if (first[0] == '-' || !*first)
		return command_run(&top_command, argc, argv);
	c = find(first);
	/* These two have no options of their own. */
	if (c && (c->run == cmd_help || c->run == cmd_version) && argc == 3 &&
	    (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
		return cmd_help(2, argv);
	return c ? start(c, argc - 1, argv + 1) : unknown_command(first);
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
