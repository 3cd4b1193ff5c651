/* SPDX-License-Identifier: BSD-2-Clause */
/* See places.h. */
#include "tui/places.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMANDS 512
#define COMMAND_MAX 160
#define COMMAND_LOOKS 60 /* a program may be another one by then: exec keeps number and start */
#define SERVICE_MAX 16
#define SERVICES_MAX 1024 /* Debian 12 has 350 */

struct command {
	uint32_t pid;
	uint64_t start_ns;
	unsigned int looks;
	bool known;
	char text[COMMAND_MAX];
};

static struct command commands[COMMANDS];

uint64_t place_parse_start(const char *stat)
{
	/* the name may have blanks and brackets: the fields are behind the last one */
	const char *p = strrchr(stat, ')');
	char *end;
	unsigned long long n;

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p || !isdigit((unsigned char)*p))
		return 0;
	n = strtoull(p, &end, 10);
	return *end == ' ' || *end == '\0' || *end == '\n' ? n : 0;
}

static ssize_t slurp_at(int dir, const char *name, char *s, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, s, size - 1);

	if (fd >= 0)
		(void)close(fd);
	s[n > 0 ? n : 0] = '\0';
	return n;
}

static void read_command(struct command *c)
{
	char path[32], stat[1024], text[COMMAND_MAX];
	long hz = sysconf(_SC_CLK_TCK);
	ssize_t n;
	int dir;

	c->known = false;
	c->text[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%u", c->pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	n = slurp_at(dir, "cmdline", text, sizeof(text));
	/* another process may have the number by now */
	if (n > 0 && hz > 0 && slurp_at(dir, "stat", stat, sizeof(stat)) > 0 &&
	    place_parse_start(stat) == c->start_ns / (1000000000ull / (uint64_t)hz)) {
		while (n > 0 && !text[n - 1])
			n--;
		for (ssize_t i = 0; i < n; i++)
			c->text[i] = text[i] ? text[i] : ' ';
		c->text[n] = '\0';
		c->known = n > 0;
	}
	(void)close(dir);
}

bool place_command(uint32_t pid, uint64_t start_ns, char *s, size_t size)
{
	struct command *c = &commands[pid % COMMANDS];

	if (!pid || !start_ns)
		return false;
	if (c->pid != pid || c->start_ns != start_ns || ++c->looks >= COMMAND_LOOKS) {
		c->pid = pid;
		c->start_ns = start_ns;
		c->looks = 0;
		read_command(c);
	}
	(void)snprintf(s, size, "%s", c->text);
	return c->known;
}

/* By port, then protocol. */
static struct service {
	uint32_t key; /* port, and 65536 for UDP */
	char name[SERVICE_MAX];
} services[SERVICES_MAX];
static unsigned int n_services;
static bool services_read;
static const char *services_path = "/etc/services";

bool place_parse_service(const char *line, char *ret_name, size_t size, uint16_t *ret_port,
			 bool *ret_udp)
{
	size_t len = strcspn(line, " \t#\n");
	const char *p = line + len;
	unsigned long port;
	char *end;

	p += strspn(p, " \t");
	if (!len || len >= size || !isdigit((unsigned char)*p))
		return false;
	port = strtoul(p, &end, 10);
	if (*end != '/' || port == 0 || port > UINT16_MAX)
		return false;
	end++;
	if (strncmp(end, "tcp", 3) != 0 && strncmp(end, "udp", 3) != 0)
		return false;
	if (end[3] && !strchr(" \t\n#", end[3]))
		return false;
	memcpy(ret_name, line, len);
	ret_name[len] = '\0';
	*ret_port = (uint16_t)port;
	*ret_udp = *end == 'u';
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct service *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void read_services(void)
{
	struct service *s = services;
	char line[256];
	uint16_t port;
	bool udp;
	FILE *f = fopen(services_path, "re");

	services_read = true;
	while (f && s < services + SERVICES_MAX && fgets(line, sizeof(line), f))
		if (place_parse_service(line, s->name, sizeof(s->name), &port, &udp))
			s++->key = port | (uint32_t)udp << 16;
	n_services = (unsigned int)(s - services);
	qsort(services, n_services, sizeof(*services), by_key);
	if (f)
		(void)fclose(f);
}

void place_services_in(const char *path)
{
	services_path = path;
}

const char *place_service(uint16_t port, bool udp)
{
	const struct service key = { .key = port | (uint32_t)udp << 16 };
	const struct service *s;

	if (!services_read)
		read_services();
	s = bsearch(&key, services, n_services, sizeof(*services), by_key);
	return s ? s->name : "";
}
