/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier goes through for each program: verified BUDGETS OBJECT... Two microseconds for each instruction are what
 * a start costs, so a program that costs more than its line in BUDGETS allows is told: "name instructions budget".
 * The last line is "# N programs, M instructions". Loads each object twice, for programs with typed sockets and for those
 * that get addresses; what this kernel refuses is left out and named: "name refused". Exit: 0, 1 nothing could be loaded.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGETS 64
#define PROGRAMS 256
#define NP_MARKS (4U << 20) /* src/wire/stats.h */
#define OTHERS 12000	    /* of what has no line of its own */

struct budget {
	char name[64];
	unsigned int most;
};

struct tally {
	struct budget budgets[BUDGETS];
	unsigned int n_budgets, programs;
	unsigned long instructions;
};

/* Programs of the object that this kernel refused so far. */
struct refused {
	char names[PROGRAMS][64];
	unsigned int n;
	bool new;	  /* one more in this round */
	bool trampolines; /* one of those that need a trampoline: then all are */
};

static struct refused refused;

static bool is_refused(const char *name)
{
	for (unsigned int i = 0; i < refused.n; i++)
		if (!strcmp(refused.names[i], name))
			return true;
	return false;
}

static int on_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[512], name[64];

	(void)vsnprintf(line, sizeof(line), fmt, args);
	if (level != LIBBPF_WARN || sscanf(line, "libbpf: prog '%63[^']'", name) != 1 ||
	    is_refused(name) || refused.n == PROGRAMS)
		return 0;
	(void)snprintf(refused.names[refused.n++], sizeof(refused.names[0]), "%s", name);
	refused.new = true;
	return 0;
}

static int read_budgets(const char *path, struct tally *t)
{
	FILE *f = fopen(path, "re");
	char line[256];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f) && t->n_budgets < BUDGETS) {
		struct budget *b = &t->budgets[t->n_budgets];

		if (*line != '#' && sscanf(line, "%63s %u", b->name, &b->most) == 2)
			t->n_budgets++;
	}
	(void)fclose(f);
	return 0;
}

static unsigned int budget_of(const struct tally *t, const char *name)
{
	for (unsigned int i = 0; i < t->n_budgets; i++)
		if (!fnmatch(t->budgets[i].name, name, 0))
			return t->budgets[i].most;
	return OTHERS;
}

/* A byte of read-only data, where the object has one of that name. */
static void set_knob(struct bpf_object *o, const char *name, unsigned char value)
{
	const struct btf *btf = bpf_object__btf(o);
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	struct bpf_map *map;

	bpf_object__for_each_map (map, o) {
		unsigned char *data;
		size_t size;

		if (!t || !strstr(bpf_map__name(map), ".rodata"))
			continue;
		data = (unsigned char *)bpf_map__initial_value(map, &size);
		for (int i = 0; data && i < btf_vlen(t); i++) {
			const struct btf_var_secinfo *v = &btf_var_secinfos(t)[i];
			const struct btf_type *var = btf__type_by_id(btf, v->type);

			if (!strcmp(btf__name_by_offset(btf, var->name_off), name) &&
			    v->offset < size)
				data[v->offset] = value;
		}
	}
}

/* Loaded in both: it stands behind a program of either. */
static bool by_both(const char *name)
{
	return !strcmp(name, "np_release2_cg");
}

/* Of the programs that get addresses of sockets. */
static bool by_hash(const char *name)
{
	static const char *const ends[] = { "_kp", "_kr", "_hash", "_run" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (len > strlen(ends[i]) && !strcmp(name + len - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

static bool is_trampoline(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);

	return !strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6);
}

/* What was refused may be all of its kind. */
static void look_at_refused(struct bpf_object *o)
{
	for (unsigned int i = 0; i < refused.n; i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(o, refused.names[i]);

		refused.trampolines = refused.trampolines || (prog && is_trampoline(prog));
	}
}

/* NULL: refused, or nothing to load. */
static struct bpf_object *load(const char *path, bool hash, bool *ret_any)
{
	struct bpf_object *o = bpf_object__open(path);
	struct bpf_program *prog;
	struct bpf_map *map;

	if (!o)
		return NULL;
	look_at_refused(o);
	set_knob(o, "cfg_store_hash", hash);
	set_knob(o, "cfg_exec_seen", 1);
	set_knob(o, "cfg_second", 1);
	set_knob(o, "cfg_settle_tx", 1);
	bpf_object__for_each_map (map, o) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
			(void)bpf_map__set_max_entries(map, 4096);
		else if (!strcmp(bpf_map__name(map), "np_socks_h") ||
			 !strcmp(bpf_map__name(map), "np_rares_h"))
			(void)bpf_map__set_max_entries(map, 64);
		else if (!strcmp(bpf_map__name(map), "np_marks"))
			(void)bpf_map__set_value_size(map, NP_MARKS);
	}
	*ret_any = false;
	bpf_object__for_each_program (prog, o) {
		const char *name = bpf_program__name(prog);
		bool on = (by_hash(name) == hash || by_both(name)) && !is_refused(name) &&
			  !(refused.trampolines && is_trampoline(prog));

		(void)bpf_program__set_autoload(prog, on);
		*ret_any = *ret_any || on;
	}
	if (*ret_any && !bpf_object__load(o))
		return o;
	bpf_object__close(o);
	return NULL;
}

static void tell(struct tally *t, struct bpf_object *o)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o) {
		const char *name = bpf_program__name(prog);
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
			continue;
		t->programs++;
		t->instructions += info.verified_insns;
		if (info.verified_insns > budget_of(t, name))
			printf("%s %u %u\n", name, info.verified_insns, budget_of(t, name));
	}
}

/* Functions may be closed to programs, by rights or by configuration; all else the verifier takes, or it is told. */
static void tell_refused(struct bpf_object *o)
{
	for (unsigned int i = 0; o && i < refused.n; i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(o, refused.names[i]);

		printf("%s%s refused\n", prog && is_trampoline(prog) ? "# " : "", refused.names[i]);
	}
}

int main(int argc, char **argv)
{
	struct tally t = {};

	if (argc < 3 || read_budgets(argv[1], &t)) {
		fprintf(stderr, "usage: verified BUDGETS OBJECT...\n");
		return 3;
	}
	libbpf_set_print(on_print);
	for (int i = 2; i < argc; i++) {
		for (int hash = 0; hash < 2; hash++) {
			struct bpf_object *o;
			bool any;

			refused = (struct refused){};
			do {
				refused.new = false;
				o = load(argv[i], hash, &any);
			} while (!o && any && refused.new);
			tell_refused(o);
			if (o)
				tell(&t, o);
			bpf_object__close(o);
		}
	}
	printf("# %u programs, %lu instructions\n", t.programs, t.instructions);
	return !t.programs;
}
