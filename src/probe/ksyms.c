/* SPDX-License-Identifier: BSD-2-Clause */
/* See ksyms.h. Names are kept in one block, the table is sorted once. */
#include "probe/ksyms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct ksym {
	uint64_t addr;
	uint32_t name; /* offset in names */
};

struct ksyms {
	char path[64];
	bool loaded;
	const char *missing;
	struct ksym *syms;
	size_t n, cap;
	struct buf names;
};

struct ksyms *ksyms_new(const char *path)
{
	struct ksyms *k = calloc(1, sizeof(*k));

	if (k)
		(void)snprintf(k->path, sizeof(k->path), "%s", path);
	return k;
}

struct ksyms *ksyms_free(struct ksyms *k)
{
	if (!k)
		return NULL;
	free(k->syms);
	buf_done(&k->names);
	free(k);
	return NULL;
}

static bool add(struct ksyms *k, uint64_t addr, const char *name)
{
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 65536;
		struct ksym *syms = reallocarray(k->syms, cap, sizeof(*syms));

		if (!syms)
			return false;
		k->syms = syms;
		k->cap = cap;
	}
	k->syms[k->n++] = (struct ksym){ .addr = addr, .name = (uint32_t)k->names.len };
	buf_put(&k->names, name, strlen(name) + 1);
	return !k->names.err;
}

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void load(struct ksyms *k)
{
	unsigned long long addr, any = 0;
	char line[512], name[256], type;
	FILE *f = fopen(k->path, "re");

	k->loaded = true;
	if (!f) {
		k->missing = "/proc/kallsyms cannot be read (CONFIG_KALLSYMS)";
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &addr, &type, name) != 3)
			continue;
		any |= addr;
		if (!addr || (type != 't' && type != 'T' && type != 'w' && type != 'W'))
			continue;
		if (!add(k, addr, name))
			break;
	}
	(void)fclose(f);
	if (!any)
		k->missing =
			"/proc/kallsyms shows no addresses (kernel.kptr_restrict, or CAP_SYSLOG is "
			"missing)";
	else if (!k->n || k->names.err)
		k->missing = "/proc/kallsyms could not be kept (out of memory)";
	if (!k->missing)
		qsort(k->syms, k->n, sizeof(*k->syms), by_addr);
}

const char *ksyms_missing(struct ksyms *k)
{
	if (!k->loaded)
		load(k);
	return k->missing;
}

const char *ksyms_find(struct ksyms *k, uint64_t addr, uint64_t *ret_offset)
{
	size_t from = 0, to;

	if (ksyms_missing(k) || addr < k->syms[0].addr)
		return NULL;
	for (to = k->n; to - from > 1;) {
		size_t mid = from + (to - from) / 2;

		if (k->syms[mid].addr <= addr)
			from = mid;
		else
			to = mid;
	}
	while (from && k->syms[from - 1].addr == k->syms[from].addr)
		from--;
	/* Beyond the last function of a region (a freed module, BPF code) no name is better than a wrong one. */
	if (addr - k->syms[from].addr > 1024 * 1024)
		return NULL;
	*ret_offset = addr - k->syms[from].addr;
	return k->names.data + k->syms[from].name;
}
