/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view over made-up traffic, to be looked at: `tui_demo [INTERVAL]`. Not installed. Shows
 * as well how a caller drives tui/tui.h: one epoll, signals by file descriptor, nothing blocks.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tui/tui.h"
#include "tui_fake.h"

static const char *const names[] = { "nginx",	       "postgres",	  "curl",
				     "rsync",	       "日本語サーバ",	  "python3",
				     "e\x1b[31mvil\n", "containerd-shim", "ssh",
				     "chrony",	       "naïve",		  "kafka" };

#define N_NAMES (sizeof(names) / sizeof(names[0]))

static void push(struct history *h, float rate)
{
	h->rate[h->next] = rate;
	h->next = (h->next + 1) % FLOW_HISTORY;
	h->count += h->count < FLOW_HISTORY;
}

static void populate(struct viewer *v)
{
	char addr[32];
	uint32_t i;

	for (i = 0; i < 40; i++) {
		struct view_row *p = fake_process(v, names[i % N_NAMES], 1000 + i * 37, 1, 1);

		(void)snprintf(addr, sizeof(addr), "198.51.100.%u", i + 1);
		(void)fake_connection(v, p, "192.168.100.100", (uint16_t)(40000 + i), addr, 443, 1,
				      1);
		(void)fake_connection(v, p, "2001:db8::15", (uint16_t)(50000 + i),
				      "2001:db8:85a3:8d3:1319:8a2e:370:7348", 5432, 1, 1);
		(void)fake_remote(v, addr, 1, 1);
	}
	(void)fake_process(v, "", 0, 1, 1);
	(void)fake_container(
		v,
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234.slice/"
		"cri-containerd-0123456789abcdef.scope",
		"0123456789abcdef", 1, 1);
	(void)fake_container(v, "/system.slice/ssh.service", NULL, 1, 1);
	fake_row(v, NETPROBE_VIEW_INTERFACE, "eth0", 1, 1)->netns = 4026531840u;
	fake_row(v, NETPROBE_VIEW_INTERFACE, "lo", 1, 1)->netns = 4026531840u;
}

static void step(struct viewer *v)
{
	uint8_t kind;
	size_t i;

	v->tx_rate = v->rx_rate = 0;
	for (kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		for (i = 0; i < v->n[kind]; i++) {
			struct view_row *row = &v->rows[kind][i];
			bool burst = rand() % 6 == 0, quiet = (i + kind) % 7 == 3;

			row->tx_rate = quiet ? 0 : (float)(rand() % 100000) * (burst ? 90.f : 1.f);
			row->rx_rate = quiet ? 0 : (float)(rand() % 900000) * (burst ? 30.f : 1.f);
			row->tx_bytes += (uint64_t)row->tx_rate;
			row->rx_bytes += (uint64_t)row->rx_rate;
			row->rtt_us = (uint32_t)(rand() % 90000);
			row->retrans += rand() % 30 == 0;
			row->exited = i == 5;
			push((struct history *)row->history, row->tx_rate + row->rx_rate);
			v->tx_rate += kind == NETPROBE_VIEW_PROCESS ? row->tx_rate : 0;
			v->rx_rate += kind == NETPROBE_VIEW_PROCESS ? row->rx_rate : 0;
		}
	}
	push(&v->total, v->tx_rate + v->rx_rate);
}

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int run(struct tui *tui, struct viewer *v, double interval, int signals)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
	    epoll = epoll_create1(EPOLL_CLOEXEC);
	struct timespec t = { (time_t)interval,
			      (long)((interval - (double)(time_t)interval) * 1e9) };
	struct itimerspec spec = { t, t };
	struct tui_status status = { .programs = 22, .hook = "tracepoint" };
	struct epoll_event ev;
	int r = 0;

	(void)timerfd_settime(timer, 0, &spec, NULL);
	watch(epoll, timer);
	watch(epoll, signals);
	watch(epoll, tui_fd(tui));
	tui_status(tui, &status);
	step(v);
	(void)tui_draw(tui);
	while (r == 0) {
		if (epoll_wait(epoll, &ev, 1, -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (ev.data.fd == timer) {
			uint64_t ticks = 0;

			(void)!read(timer, &ticks, sizeof(ticks));
			step(v);
			status.uptime_s += interval;
			status.losses[0].program = "state";
			status.losses[0].n += rand() % 10 == 0 ? 12 : 0;
			status.n_losses = 1;
			status.note = status.uptime_s > 20 ? "no kprobes here: splice() is not seen"
							   : NULL;
			tui_status(tui, &status);
			r = tui_draw(tui);
		} else if (ev.data.fd == signals) {
			struct signalfd_siginfo si = { 0 };

			(void)!read(signals, &si, sizeof(si));
			r = si.ssi_signo == SIGWINCH ? tui_resize(tui) : (int)si.ssi_signo;
		} else {
			r = tui_key(tui);
		}
	}
	return r;
}

int main(int argc, char **argv)
{
	double interval = argc > 1 ? strtod(argv[1], NULL) : 1;
	struct tui_opts opts = { .interval_s = interval,
				 .no_color = getenv("NO_COLOR") && *getenv("NO_COLOR"),
				 .sort = NETPROBE_SORT_RATE,
				 .mode = "ebpf",
				 .host = "demo" };
	struct netprobe_error err = { 0 };
	struct viewer *v = fake_new();
	struct tui *tui;
	sigset_t set;
	int r;

	(void)setlocale(LC_ALL, "");
	if (!v)
		return 4;
	populate(v);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	tui = tui_new(&opts, fake_manager(v), &err);
	if (!tui) {
		(void)fprintf(stderr, "tui_demo: %s: %s\n", err.msg, err.hint);
		fake_free(v);
		return 3;
	}
	r = run(tui, v, interval > 0 ? interval : 1, signalfd(-1, &set, SFD_CLOEXEC));
	(void)tui_free(tui);
	fake_free(v);
	(void)fprintf(stderr, "tui_demo: ended with %d\n", r);
	return 0;
}
