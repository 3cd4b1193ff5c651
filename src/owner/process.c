/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that own flows. Who they are comes from the kernel half; /proc adds the path of the
 * program and tells which are gone, and is only believed where the start time is the same. Not a
 * process list of the machine: nobody is here who has no socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner/index.h"
#include "owner/listed.h"
#include "owner/process.h"
#include "owner/stat.h"

#define TRIM_AFTER 8192
/* From so many on, and where those cannot all be looked at, /proc is listed; an entry costs an eighth of a look. */
#define LIST_FROM 1024
#define LIST_SHARE 8

struct process_entry {
	struct process process;
	struct index_node node;
};

struct process_table {
	struct index entries;
	struct cgroup_table *cgroups; /* not ours; may be NULL */
	cgroup_v1_fn v1_fn;	      /* NULL: nobody knows */
	void *v1_arg;
	char *proc_root;
	uint32_t scan_slot; /* where the next scan goes on */
	uint32_t freed;	    /* since memory was given back last */
	uint64_t tick_ns;   /* of the clock that /proc/<tgid>/stat counts in */
	/*
	 * Set at the first process found in /proc as the kernel half described it. Until then an
	 * absent one proves nothing: this may be another pid namespace's /proc, or hidepid.
	 */
	bool proc_usable;
	bool inside; /* see process_table_inside */
	struct process unknown;
	struct listed listed;
};

static uint64_t key_hash(uint32_t tgid, uint64_t start_ns)
{
	const uint64_t key[2] = { tgid, start_ns };

	return index_hash(key, sizeof(key));
}

static uint64_t entry_hash(const struct index_node *node)
{
	const struct process *p = &index_entry(node, struct process_entry, node)->process;

	return key_hash(p->tgid, p->start_ns);
}

static struct process *entry_find(const struct process_table *t, uint32_t tgid, uint64_t start_ns)
{
	struct index_node *n = index_chain(&t->entries, key_hash(tgid, start_ns));

	for (; n; n = n->next) {
		struct process *p = &index_entry(n, struct process_entry, node)->process;

		if (p->tgid == tgid && p->start_ns == start_ns)
			return p;
	}
	return NULL;
}

struct process_table *process_table_new(const char *proc_root, struct cgroup_table *cgroups)
{
	struct process_table *t = calloc(1, sizeof(*t));
	long hz = sysconf(_SC_CLK_TCK);

	if (!t)
		return NULL;
	t->cgroups = cgroups;
	t->tick_ns = 1000000000ull / (uint64_t)(hz > 0 ? hz : 100);
	t->unknown.uid = UINT32_MAX;
	t->proc_root = strdup(proc_root);
	if (!t->proc_root || index_init(&t->entries, 256, entry_hash) < 0)
		return process_table_free(t);
	return t;
}

void process_table_inside(struct process_table *t)
{
	t->inside = true;
}

/* What it is called there, perhaps: its start time tells. */
static uint32_t number_in_proc(const struct process_table *t, const struct process *p)
{
	return t->inside && p->ns_tgid ? p->ns_tgid : p->tgid;
}

void process_table_v1_by(struct process_table *t, cgroup_v1_fn fn, void *arg)
{
	t->v1_fn = fn;
	t->v1_arg = arg;
}

static void entry_free(struct process_entry *e)
{
	cgroup_unref(e->process.cgroup);
	free(e->process.exe);
	free(e);
}

struct process_table *process_table_free(struct process_table *t)
{
	uint32_t i;

	if (!t)
		return NULL;
	for (i = 0; t->entries.slots && i <= t->entries.mask; i++) {
		struct index_node *n = t->entries.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			entry_free(index_entry(n, struct process_entry, node));
		}
	}
	index_done(&t->entries);
	listed_done(&t->listed);
	free(t->proc_root);
	free(t);
	return NULL;
}

/*
 * 1: the process in /proc is p, and lives. 0: it is not there, is another one, or is a zombie with
 * no thread left. Negative: cannot be told.
 */
static int is_alive(const struct process_table *t, struct process *p)
{
	struct proc_stat st;
	int r = proc_stat_read(t->proc_root, number_in_proc(t, p), &st);

	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	if (p->start_ns && p->start_ns / t->tick_ns != st.start_ticks)
		return 0;
	if (st.comm[0]) {
		memcpy(p->comm, st.comm, sizeof(p->comm));
		p->named = true;
	}
	return !(st.state == 'Z' && st.threads <= 1) && st.state != 'X';
}

void process_set_exe(struct process *p, const char *exe)
{
	static const char deleted[] = " (deleted)";
	size_t len, cut = sizeof(deleted) - 1;
	char *copy;

	if (!exe || !*exe)
		return;
	len = strlen(exe);
	if (len > cut && strcmp(exe + len - cut, deleted) == 0)
		len -= cut;
	if (p->exe && strlen(p->exe) == len && memcmp(p->exe, exe, len) == 0)
		return;
	copy = strndup(exe, len);
	if (!copy)
		return; /* a path less, nothing wrong */
	free(p->exe);
	p->exe = copy;
}

/*
 * The start time is compared after the link was read: had the pid changed hands before, the one
 * there now would be younger, and what was read is thrown away.
 */
static void learn_exe(struct process_table *t, struct process *p)
{
	char path[PATH_MAX], exe[PATH_MAX];
	ssize_t n;
	int len;

	len = snprintf(path, sizeof(path), "%s/%u/exe", t->proc_root, number_in_proc(t, p));
	if (len < 0 || (size_t)len >= sizeof(path))
		return;
	n = readlink(path, exe, sizeof(exe) - 1);
	if (is_alive(t, p) != 1)
		return;
	t->proc_usable = true;
	if (n <= 0)
		return; /* a kernel thread, or not ours to read */
	exe[n] = '\0';
	process_set_exe(p, exe);
}

/* Nothing would be learnt of the owner's cgroup. */
static bool has_cgroup(const struct process *p, const struct np_owner *o)
{
	return p->cgroup && p->cgroup_id == o->cgroup_id && p->cgroup_v1 == o->v1 &&
	       p->cgroup->settled;
}

struct v1_asked {
	const struct process_table *t;
	const struct np_owner *owner;
};

/* For owners that were found in /proc. It may be another process by now, in other cgroups. */
static int v1_in_proc(void *arg, uint64_t v1, struct np_v1 *ret)
{
	const struct v1_asked *a = arg;
	char path[PATH_MAX], text[4096];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%u/cgroup", a->t->proc_root, a->owner->tgid);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return cgroup_v1_of(text, ret) == v1 ? 0 : -ENOENT;
}

static const struct cgroup *cgroup_of(struct process_table *t, const struct np_owner *o,
				      uint64_t now_ns)
{
	struct v1_asked a = { t, o };

	if (o->match == NP_MATCH_PROCFS)
		return cgroup_table_of(t->cgroups, o->cgroup_id, o->v1, v1_in_proc, &a, now_ns);
	return cgroup_table_of(t->cgroups, o->cgroup_id, o->v1, t->v1_fn, t->v1_arg, now_ns);
}

/* Of a socket that its process did not use since it was looked at anew by another one. */
static bool is_older(const struct process *p, const struct np_owner *o)
{
	return (int32_t)(o->look - p->look) < 0;
}

static void refresh(struct process_table *t, struct process *p, const struct np_owner *o,
		    uint64_t now_ns)
{
	bool fresh = !p->comm[0] && !p->exe;

	if (is_older(p, o))
		return;
	p->look = o->look;
	p->uid = o->uid;
	if (o->ppid)
		p->ppid = o->ppid;
	if (p->exec_id != o->exec_id)
		p->named = false;
	/* A socket keeps the name its user had then; /proc, where it was read, knows the newest. */
	if (o->comm[0] && !p->named) {
		memcpy(p->comm, o->comm, sizeof(p->comm));
		p->comm[sizeof(p->comm) - 1] = '\0';
	}
	if (fresh || p->exec_id != o->exec_id) {
		p->exec_id = o->exec_id;
		if (!p->exited)
			learn_exe(t, p);
	}
	if ((o->cgroup_id || o->v1) && !has_cgroup(p, o)) {
		const struct cgroup *c = cgroup_of(t, o, now_ns);

		if (c) {
			cgroup_ref(c);
			cgroup_unref(p->cgroup);
			p->cgroup = c;
			p->cgroup_id = o->cgroup_id;
			p->cgroup_v1 = o->v1;
		}
	}
}

struct process *process_table_get(struct process_table *t, const struct np_owner *owner,
				  uint64_t now_ns)
{
	struct process_entry *e;
	struct process *p;

	if (!owner->tgid) {
		t->unknown.refs++;
		return &t->unknown;
	}
	p = entry_find(t, owner->tgid, owner->start_ns);
	if (!p) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		p = &e->process;
		p->tgid = owner->tgid;
		p->start_ns = owner->start_ns;
		p->exec_id = owner->exec_id;
		p->ns_tgid = owner->ns_tgid;
		index_add(&t->entries, &e->node);
	}
	refresh(t, p, owner, now_ns);
	p->refs++;
	return p;
}

struct process *process_table_find(struct process_table *t, const struct np_owner *owner)
{
	struct process *p = owner->tgid ? entry_find(t, owner->tgid, owner->start_ns) : NULL;

	if (p)
		p->refs++;
	return p;
}

bool process_is(const struct process *p, const struct np_owner *owner)
{
	return p->tgid == owner->tgid && (!p->tgid || p->start_ns == owner->start_ns);
}

bool process_is_current(const struct process *p, const struct np_owner *owner)
{
	if (!process_is(p, owner))
		return false;
	if (!p->tgid || is_older(p, owner))
		return true;
	return p->exec_id == owner->exec_id && p->uid == owner->uid &&
	       (!(owner->cgroup_id || owner->v1) || has_cgroup(p, owner)) &&
	       (p->named || !owner->comm[0] || memcmp(p->comm, owner->comm, sizeof(p->comm)) == 0);
}

void process_unref(struct process_table *t, struct process *p)
{
	(void)t;
	if (p && p->refs)
		p->refs--;
}

static void free_unused(struct process_table *t, struct index_node **link)
{
	while (*link) {
		struct process_entry *e = index_entry(*link, struct process_entry, node);

		if (e->process.refs) {
			link = &e->node.next;
			continue;
		}
		*link = e->node.next;
		t->entries.count--;
		t->freed++;
		entry_free(e);
	}
}

/* True: /proc was asked. */
static bool look(struct process_table *t, struct process *p, uint64_t now_ns)
{
	int r;

	if (p->exited)
		return false;
	r = is_alive(t, p);
	if (r == 1)
		t->proc_usable = true;
	if (r != 0 || !t->proc_usable)
		return true;
	p->exited = true;
	p->exited_ns = now_ns;
	return true;
}

/* What a burst took, when it is over: /proc is asked for its processes in turn, so the last go long after their sockets. */
static void give_back(struct process_table *t)
{
	if (t->freed < TRIM_AFTER || t->entries.count >= TRIM_AFTER)
		return;
	t->freed = 0;
	(void)malloc_trim(0);
}

/* Of a burst there are far more that went than /proc has: all of them at once. How many looks that was worth. */
static uint32_t look_at_list(struct process_table *t, uint64_t now_ns, uint32_t max)
{
	if (!t->proc_usable || t->entries.count < LIST_FROM || t->entries.count <= max)
		return 0;
	if (t->listed.n / LIST_SHARE > max) { /* as long as it was then; it may be short again */
		t->listed.n -= t->listed.n / 8;
		return 0;
	}
	if (listed_read(&t->listed, t->proc_root))
		return 0;
	for (uint32_t i = 0; t->listed.n && i <= t->entries.mask; i++)
		for (struct index_node *n = t->entries.slots[i]; n; n = n->next) {
			struct process *p = &index_entry(n, struct process_entry, node)->process;

			if (p->exited || listed_has(&t->listed, number_in_proc(t, p)))
				continue;
			p->exited = true;
			p->exited_ns = now_ns;
		}
	return t->listed.n / LIST_SHARE;
}

uint32_t process_table_scan(struct process_table *t, uint64_t now_ns, uint32_t max)
{
	uint32_t n, slots = t->entries.mask + 1;

	for (uint32_t i = 0; i < slots; i++)
		free_unused(t, &t->entries.slots[i]);
	give_back(t);
	n = look_at_list(t, now_ns, max);
	for (uint32_t i = 0; i < slots && n < max; i++) {
		struct index_node *node = t->entries.slots[t->scan_slot++ & t->entries.mask];

		for (; node; node = node->next)
			n += look(t, &index_entry(node, struct process_entry, node)->process,
				  now_ns);
	}
	return n;
}

uint32_t process_table_count(const struct process_table *t)
{
	return t->entries.count;
}
