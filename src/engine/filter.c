/* SPDX-License-Identifier: BSD-2-Clause */
/* See filter.h: each value is checked, so that bad input changes nothing. */
#include "engine/filter.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cgroup2.h"
#include "base/filterkeys.h"
#include "base/parse.h"
#include "engine/netns.h"
#include "owner/cgroup.h"
#include "owner/container.h"
#include "owner/user.h"

#define TASK_COMM_LEN 16 /* linux/sched.h */

typedef int (*add_fn)(struct np_filter *f, const char *value, struct netprobe_error *err);

static int add_pid(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	char path[64];
	uint32_t pid;

	if (parse_u32(value, 1, 4194304, &pid, NULL))
		return error_set(err, -EINVAL,
				 "'%s' is not a process id; takes a number from 1 to 4194304",
				 value);
	(void)snprintf(path, sizeof(path), "/proc/%u", pid);
	if (access(path, F_OK))
		return error_set(err, -ESRCH,
				 "there is no process %u; takes the id of a running one", pid);
	f->tgid[f->n_tgid++] = pid;
	return 0;
}

static int add_comm(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	size_t len = strlen(value);

	if (!len)
		return error_set(err, -EINVAL,
				 "'' is not a process name; takes a name as ps -o comm shows it");
	if (len >= TASK_COMM_LEN)
		return error_set(
			err, -EINVAL,
			"'%.60s' has %zu bytes, and the kernel keeps %d of a name; takes a name "
			"as ps -o comm shows it, like '%.*s'",
			value, len, TASK_COMM_LEN - 1, TASK_COMM_LEN - 1, value);
	memcpy(f->comm[f->n_comm++], value, len);
	return 0;
}

static int add_iface(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	size_t len = strlen(value);

	if (!netns_has_interface(value))
		return error_set(
			err, -ENODEV,
			"there is no interface '%s' in any network namespace that can be looked into; takes a name that ip link shows",
			value);
	memcpy(f->iface[f->n_iface++], value, len);
	return 0;
}

static int no_tree(const char *value, struct netprobe_error *err)
{
	char why[96];

	(void)cgroup2_root(why, sizeof(why));
	return error_set(err, -ENODEV, "'%s': %s", value, why);
}

static int add_cgroup(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	struct cgroup_table *t = cgroup_table_new(NULL, 0);
	struct np_filter_cgroup *c = &f->cgroup[f->n_cgroup];
	uint64_t id = 0;
	int r;

	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	if (!cgroup_mount(t))
		r = no_tree(value, err);
	else if (cgroup_lookup_path(t, value, &id, &c->level))
		r = error_set(err, -ENOENT, "there is no cgroup '%s'; takes a path below %s", value,
			      cgroup_mount(t));
	else
		r = 0;
	if (!r) {
		c->id = id;
		f->n_cgroup++;
	}
	(void)cgroup_table_free(t);
	return r;
}

/* What is found in the tree by a name. All of it goes into the list of cgroups: they are alternatives. */
struct place {
	int kind;	     /* FIND_*; -1: a container */
	const char *none;    /* "there is no POD 'web' */
	const char *which;   /* that RUNS"; */
	const char *takes;   /* "takes ITS NAME" */
	const char *several; /* why one name is not enough */
};

static int find_place(const struct cgroup_table *t, const struct place *p, const char *value,
		      struct container_cgroup *ret)
{
	const char *mount = cgroup_mount(t);

	if (!mount)
		return -ENODEV;
	return p->kind < 0 ? container_find(mount, "", value, ret, NP_FILTER_SLOTS)
			   : container_find_group(mount, "", (unsigned int)p->kind, value, ret,
						  NP_FILTER_SLOTS);
}

static int add_place(struct np_filter *f, const struct place *p, const char *value,
		     struct netprobe_error *err)
{
	struct cgroup_table *t = cgroup_table_new(NULL, 0);
	struct container_cgroup found[NP_FILTER_SLOTS];
	int n = !t ? -ENOMEM : find_place(t, p, value, found);
	int r = 0;

	if (n == -ENOMEM)
		r = error_set(err, n, "out of memory");
	else if (n == -ENODEV)
		r = no_tree(value, err);
	else if (n == -ENOTUNIQ)
		r = error_set(err, -EINVAL, "'%s' is %s", value, p->several);
	else if (n < 0)
		r = error_set(err, n, "there is no %s '%s' that %s; takes %s", p->none, value,
			      p->which, p->takes);
	else if (n > NP_FILTER_SLOTS - f->n_cgroup)
		r = error_set(err, -EINVAL,
			      "'%s' is too many cgroups; takes up to %d, those of cgroup= included",
			      value, NP_FILTER_SLOTS);
	for (int i = 0; !r && i < n; i++)
		f->cgroup[f->n_cgroup++] =
			(struct np_filter_cgroup){ .id = found[i].id, .level = found[i].level };
	(void)cgroup_table_free(t);
	return r;
}

static int add_container(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	static const struct place p = {
		-1, "container", "runs",
		"its name, its id, or the first 4 characters of that and more",
		"the beginning of several ids; takes more of it"
	};

	_Static_assert(CONTAINER_PREFIX == 4, "words");
	return add_place(f, &p, value, err);
}

static int add_pod(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	static const struct place p = { FIND_POD, "pod", "runs",
					"its name, NAMESPACE/NAME, or its UID",
					"a pod in several namespaces; takes NAMESPACE/NAME" };

	return add_place(f, &p, value, err);
}

static int add_namespace(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	static const struct place p = { FIND_NAMESPACE, "namespace", "has pods here",
					"the name of one that has pods on this host", "" };

	return add_place(f, &p, value, err);
}

static int add_unit(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	static const struct place p = { FIND_UNIT, "unit", "runs",
					"a unit of systemd, like nginx.service or nginx", "" };

	return add_place(f, &p, value, err);
}

static int add_user(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	uint32_t uid;

	if (parse_u32(value, 0, UINT32_MAX - 1, &uid, NULL) && user_id(value, &uid))
		return error_set(err, -EINVAL,
				 "'%.60s' is not a user; takes a name of /etc/passwd or a number",
				 value);
	f->user[f->n_user++] = uid;
	return 0;
}

static int add_host(struct np_filter *f, unsigned int end, const char *value,
		    struct netprobe_error *err)
{
	struct np_cidr c = {};
	int r = parse_cidr(value, &c, err);

	if (r)
		return r;
	for (int i = 0; i < c.len; i++)
		c.mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	f->host[end][f->n_host[end]++] = c;
	return 0;
}

static int add_port(struct np_filter *f, unsigned int end, const char *value,
		    struct netprobe_error *err)
{
	struct np_port_range *to = &f->port[end][f->n_port[end]];
	struct servent found, *service = NULL;
	char room[1024];
	int r;

	if ((*value | 32) >= 'a' && (*value | 32) <= 'z') {
		(void)getservbyname_r(value, NULL, &found, room, sizeof(room), &service);
		if (!service)
			return error_set(
				err, -EINVAL,
				"'%.60s' is not a service that is known here; takes 1-65535, a "
				"range like 8000-8100, or a name of /etc/services",
				value);
	}
	if (service)
		*to = (struct np_port_range){ ntohs((uint16_t)service->s_port),
					      ntohs((uint16_t)service->s_port) };
	r = service ? 0 : parse_port_range(value, to, err);
	if (!r)
		f->n_port[end]++;
	return r;
}

#define END_FN(name, kind, end)                                                             \
	static int name(struct np_filter *f, const char *value, struct netprobe_error *err) \
	{                                                                                   \
		return add_##kind(f, end, value, err);                                      \
	}
END_FN(add_src_host, host, NP_END_LOCAL)
END_FN(add_dst_host, host, NP_END_REMOTE)
END_FN(add_any_host, host, NP_END_ANY)
END_FN(add_src_port, port, NP_END_LOCAL)
END_FN(add_dst_port, port, NP_END_REMOTE)
END_FN(add_any_port, port, NP_END_ANY)

static int add_proto(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	uint8_t bit = 0;
	int r = parse_proto(value, &bit, err);

	if (!r)
		f->proto_mask |= bit;
	return r;
}

static int add_family(struct np_filter *f, const char *value, struct netprobe_error *err)
{
	bool v4 = !strcmp(value, "ipv4");

	if (!v4 && strcmp(value, "ipv6") != 0)
		return error_set(err, -EINVAL, "'%.40s' is not a family; takes ipv4 or ipv6",
				 value);
	if (f->family)
		return error_set(err, -EINVAL, "one family or all; takes it once");
	f->family = v4 ? AF_INET : AF_INET6;
	return 0;
}

/* count: values so far, in the filter; all but two kinds have room for NP_FILTER_SLOTS. */
static const struct {
	add_fn add;
	size_t count;
	bool counted;
} keys[NETPROBE_FILTER_MAX] = {
#define COUNTED(key, add, field) \
	[NETPROBE_FILTER_##key] = { add, offsetof(struct np_filter, field), true }
	COUNTED(PID, add_pid, n_tgid),
	COUNTED(COMM, add_comm, n_comm),
	COUNTED(CGROUP, add_cgroup, n_cgroup),
	COUNTED(CONTAINER, add_container, n_cgroup),
	COUNTED(POD, add_pod, n_cgroup),
	COUNTED(NAMESPACE, add_namespace, n_cgroup),
	COUNTED(UNIT, add_unit, n_cgroup),
	COUNTED(USER, add_user, n_user),
	COUNTED(INTERFACE, add_iface, n_iface),
	COUNTED(SRC_HOST, add_src_host, n_host[NP_END_LOCAL]),
	COUNTED(DST_HOST, add_dst_host, n_host[NP_END_REMOTE]),
	COUNTED(HOST, add_any_host, n_host[NP_END_ANY]),
	COUNTED(SRC_PORT, add_src_port, n_port[NP_END_LOCAL]),
	COUNTED(DST_PORT, add_dst_port, n_port[NP_END_REMOTE]),
	COUNTED(PORT, add_any_port, n_port[NP_END_ANY]),
	[NETPROBE_FILTER_PROTO] = { add_proto, 0, false },
	[NETPROBE_FILTER_FAMILY] = { add_family, 0, false },
};

const char *filter_name(uint32_t key)
{
#define NAME(key, name, letter, how, arg, help) [NETPROBE_FILTER_##key] = (name),
	static const char *const names[NETPROBE_FILTER_MAX] = {
		FILTER_KEYS(NAME)[NETPROBE_FILTER_FAMILY] = "family",
	};

	return key < NETPROBE_FILTER_MAX ? names[key] : NULL;
}

int filter_add(struct np_filter *f, uint32_t key, const char *value, struct netprobe_error *err)
{
	if (key >= NETPROBE_FILTER_MAX || !keys[key].add || !value)
		return error_set(err, -EINVAL,
				 "%u is not a filter; takes NETPROBE_FILTER_* and a value", key);
	if (keys[key].counted && ((uint8_t *)f)[keys[key].count] == NP_FILTER_SLOTS)
		return error_set(err, -EINVAL, "'%s' is one too many; takes up to %d values", value,
				 NP_FILTER_SLOTS);
	return keys[key].add(f, value, err);
}

bool filter_has_owners(const struct np_filter *f)
{
	return f->n_tgid || f->n_comm || f->n_cgroup || f->n_user;
}

bool filter_has_ends(const struct np_filter *f)
{
	for (unsigned int e = 0; e < NP_END_MAX; e++)
		if (f->n_host[e] || f->n_port[e])
			return true;
	return false;
}

bool filter_takes_all(const struct np_filter *f)
{
	return f->enabled && f->sample_rate <= 1 && !f->proto_mask && !f->family && !f->n_iface &&
	       !filter_has_owners(f) && !filter_has_ends(f);
}
