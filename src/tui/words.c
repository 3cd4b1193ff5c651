/* SPDX-License-Identifier: BSD-2-Clause */
/* See words.h. */
#include "tui/words.h"

#include <stdbool.h>
#include <string.h>

#include <netprobe/netprobe.h>

struct word {
	const char *label, *text;
};

static const struct word states[] = {
	{ "ESTAB", "open: both ends may send" },
	{ "SYN-SENT", "asked the other end to open, no answer yet" },
	{ "SYN-RECV", "was asked to open, and the other end did not confirm yet" },
	{ "FIN-WAIT1", "this end has sent all and waits for the other end to say it has it" },
	{ "FIN-WAIT2", "this end has sent all; the other end may still send" },
	{ "TIME-WAIT", "over; kept for a minute so that late packets do no harm" },
	{ "CLOSED", "closed" },
	{ "CLOSE-WAIT", "the other end has sent all; this program did not close its end yet" },
	{ "LAST-ACK", "this end closed too and waits for the last answer" },
	{ "LISTEN", "waits for connections" },
	{ "CLOSING", "both ends close at the same time" },
};

static const struct word verdicts[NETPROBE_VERDICT_MAX] = {
	[NETPROBE_VERDICT_APPLICATION] = { "app", "the application: it has nothing more to send" },
	[NETPROBE_VERDICT_RECEIVE_WINDOW] = { "rwnd",
					      "the receive window: the other end reads too slowly" },
	[NETPROBE_VERDICT_SEND_BUFFER] = { "sndbuf", "the send buffer: too small for this path" },
	[NETPROBE_VERDICT_CONGESTION_WINDOW] = { "cwnd",
						 "the congestion window: the path takes no more" },
	[NETPROBE_VERDICT_LOSS] = { "loss", "lost segments, which have to be sent again" },
	[NETPROBE_VERDICT_PACING] = { "paced", "a rate that the program itself asked for" },
};

#define N_STATES (sizeof(states) / sizeof(states[0]))

const char *words_state(const char *state)
{
	for (unsigned int i = 0; state && i < N_STATES; i++)
		if (!strcmp(states[i].label, state))
			return states[i].text;
	return NULL;
}

const char *words_verdict(int verdict)
{
	return verdict >= 0 && verdict < NETPROBE_VERDICT_MAX ? verdicts[verdict].text : NULL;
}

bool words_line(unsigned int i, const char **ret_label, const char **ret_text)
{
	const struct word *w = i < NETPROBE_VERDICT_MAX ? &verdicts[i]
			       : i < NETPROBE_VERDICT_MAX + N_STATES
				       ? &states[i - NETPROBE_VERDICT_MAX]
				       : NULL;

	if (!w)
		return false;
	*ret_label = w->label;
	*ret_text = w->text;
	return true;
}
