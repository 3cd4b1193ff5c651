/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen of the live view over made-up rows, always the same, as a terminal with 256 colours is told to draw it: `tui_picture
 * SCENE COLUMNS LINES dark|light`. tests/golden/pictures makes pictures of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/places.h"
#include "tui/theme.h"
#include "tui_scene.h"

const char *__wrap_user_name(uint32_t uid);

/* Instead of owner/user.c's: users of this machine are in no picture. */
const char *__wrap_user_name(uint32_t uid)
{
	return uid == 0	     ? "root"
	       : uid == 33   ? "www-data"
	       : uid == 107  ? "postgres"
	       : uid == 112  ? "redis"
	       : uid == 114  ? "prometheus"
	       : uid == 118  ? "_chrony"
	       : uid == 1000 ? "lena"
			     : "";
}

struct maker {
	const char *comm, *exe;
	uint32_t pid, uid;
	float tx, rx;
	uint32_t conns, rtt_us;
	uint64_t retrans;
	float retrans_rate;
	int verdict;
};

static const struct maker makers[] = {
	{ "nginx", "/usr/sbin/nginx", 1234, 33, 12.3e6f, 451e3f, 48, 23400, 1436, 12,
	  NETPROBE_VERDICT_CONGESTION_WINDOW },
	{ "postgres", "/usr/lib/postgresql/15/bin/postgres", 811, 107, 2.61e6f, 98.4e3f, 24, 180, 0,
	  0, NETPROBE_VERDICT_APPLICATION },
	{ "backup", "/usr/bin/rsync", 40123, 0, 1.94e6f, 11.2e3f, 1, 41800, 212, 31,
	  NETPROBE_VERDICT_LOSS },
	{ "redis-server", "/usr/bin/redis-server", 902, 112, 640e3f, 388e3f, 112, 95, 0, 0,
	  NETPROBE_VERDICT_APPLICATION },
	{ "worker", "/usr/bin/python3.11", 5120, 1000, 84.1e3f, 1.35e6f, 6, 1210, 3, 0,
	  NETPROBE_VERDICT_RECEIVE_WINDOW },
	{ "prometheus", "/usr/bin/prometheus", 1760, 114, 12.9e3f, 233e3f, 31, 640, 0, 0,
	  NETPROBE_VERDICT_APPLICATION },
	{ "curl", "/usr/bin/curl", 40988, 1000, 183, 1.2e6f, 0, 15300, 2, 0, -1 },
	{ "sshd", "/usr/sbin/sshd", 31007, 0, 1.1e3f, 420, 2, 18900, 0, 0,
	  NETPROBE_VERDICT_APPLICATION },
	{ "chronyd", "/usr/sbin/chronyd", 640, 118, 12, 12, 4, 0, 0, 0, -1 },
};

static struct view_row *connection(struct viewer *v, const struct view_row *proc, const char *laddr,
				   uint16_t lport, const char *raddr, uint16_t rport, float tx,
				   float rx, int verdict)
{
	struct view_row *row = fake_connection(v, proc, laddr, lport, raddr, rport, tx, rx);
	struct flow *f = (struct flow *)row->flow;

	fake_figures(fake_tcp(v, row));
	f->opened_ns = 1;
	f->connect_us = 21500;
	f->tx_pkts = (uint64_t)tx / 20;
	f->rx_pkts = (uint64_t)rx / 20 + (uint64_t)tx / 40;
	f->tuple.netns = 4026531840u;
	row->verdict = verdict;
	if (verdict >= 0)
		row->times.us[verdict] = 700;
	row->times.us[NETPROBE_VERDICT_APPLICATION] += 200;
	return row;
}

static void connections(struct viewer *v, const struct view_row *p)
{
	struct view_row *row = connection(v, &p[0], "192.0.2.10", 443, "203.0.113.77", 51234,
					  9.4e6f, 310e3f, NETPROBE_VERDICT_CONGESTION_WINDOW);

	row->retrans = 1200;
	row->retrans_rate = 9;
	row->segs_rate = 6500;
	row->trouble = (struct trouble){ .rtx = { 0, 12, 1160, 28 }, .spurious = 7 };
	row = connection(v, &p[0], "2001:db8::15", 443, "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			 40022, 2.9e6f, 141e3f, NETPROBE_VERDICT_APPLICATION);
	row->rtt_us = 48100;
	row = connection(v, &p[2], "192.0.2.10", 40412, "198.51.100.9", 873, 1.94e6f, 11.2e3f,
			 NETPROBE_VERDICT_LOSS);
	row->retrans = 212;
	row->retrans_rate = 31;
	row->segs_rate = 1400;
	row->rtt_us = 41800;
	row->trouble = (struct trouble){ .rtx = { 0, 40, 160, 12 }, .stall_ns = 3400000000u };
	row = connection(v, &p[1], "10.0.0.5", 5432, "10.0.0.21", 50110, 1.8e6f, 61e3f,
			 NETPROBE_VERDICT_APPLICATION);
	row->rtt_us = 180;
	row = connection(v, &p[4], "10.0.0.21", 50110, "10.0.0.5", 5432, 61e3f, 1.3e6f,
			 NETPROBE_VERDICT_RECEIVE_WINDOW);
	row->rtt_us = 1210;
	row->trouble = (struct trouble){ .stall_ns = 912000000 };
	row = connection(v, &p[3], "10.0.0.5", 6379, "10.0.0.21", 38800, 512e3f, 300e3f,
			 NETPROBE_VERDICT_APPLICATION);
	row->rtt_us = 95;
	row = connection(v, &p[6], "192.0.2.10", 40988, "203.0.113.200", 443, 183, 1.2e6f, -1);
	row->exited = true;
	((struct flow *)row->flow)->closed = true;
	((struct flow *)row->flow)->tuple.state = 7;
	row = fake_connection(v, &p[8], "192.0.2.10", 43210, "198.51.100.123", 123, 12, 12);
	((struct flow *)row->flow)->tuple.proto = 17;
	((struct flow *)row->flow)->tuple.state = 0;
	row->rtt_us = 0;
}

static void make_rows(struct viewer *v)
{
	struct view_row *box = fake_container(v, "/system.slice/docker-3f2a9c01d4b7aa01.scope",
					      "3f2a9c01d4b7aa01", 12.3e6f, 451e3f);

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		const struct maker *m = &makers[i];
		struct view_row *row = fake_process(v, m->comm, m->pid, m->tx, m->rx);
		struct process *p = (struct process *)row->proc;

		p->exe = (char *)m->exe;
		p->uid = m->uid;
		row->uid = m->uid;
		row->conns = m->conns;
		row->rtt_us = m->rtt_us;
		row->retrans = m->retrans;
		row->retrans_rate = m->retrans_rate;
		row->segs_rate = (m->tx + m->rx) / 1448;
		row->verdict = m->verdict;
		row->exited = !m->conns;
		if (m->retrans)
			row->trouble = (struct trouble){ .rtx = { 0, m->retrans / 8,
								  m->retrans - m->retrans / 8, 0 },
							 .stall_ns = m->retrans * 1000000 };
	}
	((struct process *)v->rows[NETPROBE_VIEW_PROCESS][0].proc)->cgroup = box->cgroup;
	connections(v, v->rows[NETPROBE_VIEW_PROCESS]);
	for (size_t i = v->n[NETPROBE_VIEW_CONNECTION]; i-- > 0;)
		for (size_t p = 0; p < v->n[NETPROBE_VIEW_PROCESS]; p++)
			if (v->rows[NETPROBE_VIEW_PROCESS][p].proc ==
			    v->rows[NETPROBE_VIEW_CONNECTION][i].proc)
				v->rows[NETPROBE_VIEW_PROCESS][p].busiest =
					v->rows[NETPROBE_VIEW_CONNECTION][i].flow;
	fake_shape(&v->total, 45, 17e6f);
	v->inside_rate = 2.4e6f;
	v->tx_bytes = 738u << 20;
	v->rx_bytes = 250u << 20;
	v->retrans = 1653;
}

static void let_pass(struct scene *s, uint32_t n)
{
	struct view_row *row = &s->viewer->rows[NETPROBE_VIEW_CONNECTION][0];
	struct flow_tcp *t = row->flow->tcp;

	for (uint32_t i = 0; i < n; i++) {
		t->srtt_us = 21000 + 300 * (i % 13);
		t->snd_cwnd = 10 + 5 * (i % 17);
		row->tx_rate = 1e6f * (float)(4 + i % 7);
		model_sample(&s->model);
	}
	t->srtt_us = 23400;
	t->snd_cwnd = 42;
	row->tx_rate = 9.4e6f;
	model_sample(&s->model);
	scene_snapshot(s);
}

static void put_look(struct look l)
{
	(void)fputs("\x1b[0", stdout);
	if (l.mark & MARK_BOLD)
		(void)fputs(";1", stdout);
	if (l.mark & MARK_DIM)
		(void)fputs(";2", stdout);
	if (l.mark & MARK_REVERSE)
		(void)fputs(";7", stdout);
	if (l.fg >= 0)
		(void)printf(";38;5;%d", l.fg);
	if (l.bg >= 0)
		(void)printf(";48;5;%d", l.bg);
	(void)fputc('m', stdout);
}

static void put_frame(const struct grid *g, int theme)
{
	for (int y = 0; y < g->rows; y++) {
		for (int x = 0; x < g->cols; x++) {
			const struct cell *c = grid_at((struct grid *)g, y, x);
			char mb[MB_LEN_MAX + 1];

			if (!c->width)
				continue;
			put_look(theme_look(theme, 0, 256, (enum style)c->style, c->shade));
			for (int m = 0; m <= GRID_MARKS && c->ch[m]; m++) {
				int n = wctomb(mb, c->ch[m]);

				(void)fwrite(mb, 1, n > 0 ? (size_t)n : 0, stdout);
			}
		}
		(void)fputs("\x1b[0m\n", stdout);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *keys;
	} scenes[] = { { "processes", "" },
		       { "connections", "2H" },
		       { "page", "2\r" },
		       { "interfaces", "5" } };
	const char *dir = getenv("NETPROBE_GOLDEN");
	static char services[4096];
	const char *keys = NULL;
	struct scene s;

	for (size_t i = 0; argc == 5 && i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (!strcmp(scenes[i].name, argv[1]))
			keys = scenes[i].keys;
	if (!keys || !setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("tui_picture: takes a scene, COLUMNS, LINES, dark or light\n", stderr);
		return 3;
	}
	(void)snprintf(services, sizeof(services), "%s/tui/services", dir ? dir : "tests/golden");
	place_services_in(services);
	scene_open(&s, make_rows);
	/* files of this machine say nothing of made-up processes */
	s.model.elsewhere = true;
	scene_type(&s, keys);
	if (s.model.detail.open)
		let_pass(&s, 44);
	if (grid_resize(&s.grid, atoi(argv[3]), atoi(argv[2])))
		return 4;
	tui_render(&s.grid, &s.model);
	put_frame(&s.grid, !strcmp(argv[4], "light") ? THEME_LIGHT : THEME_DARK);
	scene_close(&s);
	return fflush(stdout) ? 4 : 0;
}
