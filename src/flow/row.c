/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of rows, and their order. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow/beside.h"
#include "flow/derive.h"
#include "flow/row.h"

static const uint8_t no_addr[16];

static bool is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

static void addr_text(char *buf, size_t size, const uint8_t addr[16])
{
	const char *s;

	if (is_v4(addr))
		s = inet_ntop(AF_INET, addr + 12, buf, (socklen_t)size);
	else
		s = inet_ntop(AF_INET6, addr, buf, (socklen_t)size);
	if (!s)
		buf[0] = '\0';
}

/* "10.0.0.1:443", "[2001:db8::1]:443", "*:443", "*" */
static void end_text(char *buf, size_t size, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "*";
	bool v6 = false;

	if (memcmp(addr, no_addr, sizeof(no_addr)) != 0) {
		addr_text(text, sizeof(text), addr);
		v6 = !is_v4(addr);
	}
	if (!port)
		(void)snprintf(buf, size, "%s", text);
	else
		(void)snprintf(buf, size, v6 ? "[%s]:%u" : "%s:%u", text, port);
}

void row_name_flow(char *buf, size_t size, const struct flow *f)
{
	char from[INET6_ADDRSTRLEN + 8], to[INET6_ADDRSTRLEN + 8];

	end_text(from, sizeof(from), f->tuple.laddr, f->tuple.lport);
	end_text(to, sizeof(to), f->tuple.raddr, f->tuple.rport);
	(void)snprintf(buf, size, "%s > %s", from, to);
}

static void process_text(char *buf, size_t size, const struct process *p)
{
	const char *base = p->exe ? strrchr(p->exe, '/') : NULL;

	if (!p->tgid)
		(void)snprintf(buf, size, "unknown");
	else if (p->comm[0])
		(void)snprintf(buf, size, "%s", p->comm);
	else if (base && base[1])
		(void)snprintf(buf, size, "%s", base + 1);
	else
		(void)snprintf(buf, size, "pid %u", p->tgid);
}

/* The end of a path tells more than its beginning; not cut in the middle of a UTF-8 character. */
static void tail_text(char *buf, size_t size, const char *path)
{
	size_t len = strlen(path);

	if (len >= size) {
		path += len - size + 1;
		while (((unsigned char)*path & 0xc0) == 0x80)
			path++;
	}
	(void)snprintf(buf, size, "%s", path);
}

static void cgroup_text(char *buf, size_t size, const struct cgroup *c)
{
	if (!c || (!c->path && !c->id))
		(void)snprintf(buf, size, "unknown");
	else if (!c->path)
		(void)snprintf(buf, size, "cgroup %" PRIu64, c->id);
	else if (strcmp(c->path, "/") == 0)
		(void)snprintf(buf, size, "host");
	else
		tail_text(buf, size, c->path);
}

void row_name_group(char *buf, size_t size, const struct group_key *key)
{
	static const char *const what[] = { "", " unowned", " forwarded" };

	switch (key->kind) {
	case GROUP_PROGRAM:
	case GROUP_USER:
	case GROUP_UNIT:
	case GROUP_POD:
	case GROUP_NAMESPACE:
	case GROUP_IMAGE:
		derive_name(buf, size, key);
		break;
	case GROUP_PROCESS:
		process_text(buf, size, key->proc);
		break;
	case GROUP_CONTAINER:
		cgroup_text(buf, size, key->cgroup);
		break;
	case GROUP_REMOTE:
		if (memcmp(key->addr, no_addr, sizeof(no_addr)) == 0)
			(void)snprintf(buf, size, "no peer");
		else
			addr_text(buf, size, key->addr);
		break;
	default:
		(void)snprintf(buf, size, "%.*s%s", (int)sizeof(key->ifname), key->ifname,
			       what[BESIDE_WHAT(key->kind) % 3]);
		break;
	}
}

const char *row_name_rest(uint32_t kind)
{
	return kind == GROUP_PROCESS ? "ended processes" : "others";
}

static int compare_number(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int row_compare_flows(const struct flow *a, const struct flow *b)
{
	int c = memcmp(a->tuple.laddr, b->tuple.laddr, sizeof(a->tuple.laddr));

	if (!c)
		c = compare_number(a->tuple.lport, b->tuple.lport);
	if (!c)
		c = memcmp(a->tuple.raddr, b->tuple.raddr, sizeof(a->tuple.raddr));
	if (!c)
		c = compare_number(a->tuple.rport, b->tuple.rport);
	return c;
}

int row_compare_groups(const struct group_key *a, const struct group_key *b)
{
	char x[128], y[128];
	int c;

	if (a->kind == GROUP_USER)
		return a->ifindex != b->ifindex ? compare_number(b->ifindex, a->ifindex)
						: compare_number(a->netns, b->netns);
	if (a->kind == GROUP_REMOTE)
		return memcmp(a->addr, b->addr, sizeof(a->addr));
	row_name_group(x, sizeof(x), a);
	row_name_group(y, sizeof(y), b);
	c = strcasecmp(x, y);
	if (!c && a->kind == GROUP_PROCESS)
		c = compare_number(a->proc->tgid, b->proc->tgid);
	if (!c && a->kind == GROUP_INTERFACE)
		c = compare_number(a->netns, b->netns);
	return c;
}
