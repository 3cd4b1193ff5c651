/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's BTF made small enough to keep: cut [-r MEMBER=NAME] IN OUT OBJECT... keeps what the objects name, whole:
 * each structure and enumeration with all that lies in it, each function and tracepoint they hook with its
 * arguments. Pointers to anything else are void pointers. -r gives members of a name another one, as
 * kernels have them that renamed a member and back.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cut {
	const struct btf *from;
	struct btf *to;
	unsigned char *wanted; /* by id of from */
	__u32 *ids;	       /* of from, in to */
	__u32 void_ptr;
	const char *old_name, *new_name;
};

static const struct btf_type *type_of(const struct cut *c, __u32 id)
{
	return btf__type_by_id(c->from, id);
}

static const char *name_of(const struct cut *c, __u32 offset)
{
	const char *name = btf__name_by_offset(c->from, offset);

	return c->old_name && !strcmp(name, c->old_name) ? c->new_name : name;
}

/* Modifiers of what is named cost nothing. */
static __u32 skip_modifiers(const struct cut *c, __u32 id)
{
	const struct btf_type *t = type_of(c, id);

	while (btf_is_mod(t) || btf_is_type_tag(t)) {
		id = t->type;
		t = type_of(c, id);
	}
	return id;
}

static bool is_void_ptr(const struct cut *c, const struct btf_type *t)
{
	return btf_is_ptr(t) && !c->wanted[skip_modifiers(c, t->type)];
}

/* All that lies in it; whom a pointer points to is wanted for its own sake or not at all. */
static void want(struct cut *c, __u32 id)
{
	const struct btf_type *t;

	id = skip_modifiers(c, id);
	if (!id || c->wanted[id])
		return;
	c->wanted[id] = 1;
	t = type_of(c, id);
	if (btf_is_composite(t))
		for (__u32 i = 0; i < btf_vlen(t); i++)
			want(c, btf_members(t)[i].type);
	else if (btf_is_array(t))
		want(c, btf_array(t)->type), want(c, btf_array(t)->index_type);
	else if (btf_is_typedef(t) || btf_is_func(t))
		want(c, t->type);
	else if (btf_is_func_proto(t))
		for (__u32 i = 0; i <= btf_vlen(t); i++)
			want(c, i < btf_vlen(t) ? btf_params(t)[i].type : t->type);
}

static __u32 find(const struct cut *c, const char *name, __u32 kind)
{
	__s32 id = btf__find_by_name_kind(c->from, name, kind);

	return id > 0 ? (__u32)id : 0;
}

/* A tracepoint's arguments are those of the function a typedef's pointer points to. */
static void want_hook(struct cut *c, const char *section)
{
	const char *slash = strchr(section, '/'), *name = slash ? slash + 1 : section;
	char trace[128];
	__u32 id;

	(void)snprintf(trace, sizeof(trace), "btf_trace_%s", name);
	id = find(c, trace, BTF_KIND_TYPEDEF);
	want(c, find(c, name, BTF_KIND_FUNC));
	want(c, id);
	if (id)
		want(c, type_of(c, skip_modifiers(c, type_of(c, id)->type))->type);
}

static int want_all_of(struct cut *c, const char *path)
{
	static const __u32 kinds[] = { BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_ENUM,
				       BTF_KIND_ENUM64 };
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *p;
	const struct btf *btf = object ? bpf_object__btf(object) : NULL;
	char wanted[128];

	if (!btf)
		return -1;
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
		const char *flavour = strstr(name, "___");

		(void)snprintf(wanted, sizeof(wanted), "%.*s",
			       (int)(flavour ? (size_t)(flavour - name) : strlen(name)), name);
		for (size_t i = 0; *wanted && i < sizeof(kinds) / sizeof(kinds[0]); i++)
			want(c, find(c, wanted, kinds[i]));
	}
	bpf_object__for_each_program (p, object)
		want_hook(c, bpf_program__section_name(p));
	bpf_object__close(object);
	return 0;
}

static __u32 new_id(const struct cut *c, __u32 id)
{
	const struct btf_type *t;

	id = skip_modifiers(c, id);
	t = type_of(c, id);
	return id && is_void_ptr(c, t) ? c->void_ptr : c->ids[id];
}

static void add_members(struct cut *c, const struct btf_type *t)
{
	for (__u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];

		(void)btf__add_field(c->to, name_of(c, m->name_off), (int)new_id(c, m->type),
				     btf_member_bit_offset(t, i), btf_member_bitfield_size(t, i));
	}
}

static void add_values(struct cut *c, const struct btf_type *t)
{
	for (__u32 i = 0; i < btf_vlen(t); i++)
		if (btf_is_enum(t))
			(void)btf__add_enum_value(c->to, name_of(c, btf_enum(t)[i].name_off),
						  btf_enum(t)[i].val);
		else
			(void)btf__add_enum64_value(c->to, name_of(c, btf_enum64(t)[i].name_off),
						    btf_enum64_value(&btf_enum64(t)[i]));
}

static int add(struct cut *c, const struct btf_type *t)
{
	const char *name = name_of(c, t->name_off);
	int id = -1;

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return btf__add_int(c->to, name, t->size, btf_int_encoding(t));
	case BTF_KIND_FLOAT:
		return btf__add_float(c->to, name, t->size);
	case BTF_KIND_PTR:
		return btf__add_ptr(c->to, (int)new_id(c, t->type));
	case BTF_KIND_TYPEDEF:
		return btf__add_typedef(c->to, name, (int)new_id(c, t->type));
	case BTF_KIND_FWD:
		return btf__add_fwd(c->to, name, btf_kflag(t) ? BTF_FWD_UNION : BTF_FWD_STRUCT);
	case BTF_KIND_ARRAY:
		return btf__add_array(c->to, (int)new_id(c, btf_array(t)->index_type),
				      (int)new_id(c, btf_array(t)->type), btf_array(t)->nelems);
	case BTF_KIND_FUNC:
		return btf__add_func(c->to, name, BTF_FUNC_STATIC, (int)new_id(c, t->type));
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		id = btf_is_struct(t) ? btf__add_struct(c->to, name, t->size)
				      : btf__add_union(c->to, name, t->size);
		add_members(c, t);
		return id;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		id = btf_is_enum(t) ? btf__add_enum(c->to, name, t->size)
				    : btf__add_enum64(c->to, name, t->size, btf_kflag(t));
		add_values(c, t);
		return id;
	case BTF_KIND_FUNC_PROTO:
		id = btf__add_func_proto(c->to, (int)new_id(c, t->type));
		for (__u32 i = 0; i < btf_vlen(t); i++)
			(void)btf__add_func_param(c->to, name_of(c, btf_params(t)[i].name_off),
						  (int)new_id(c, btf_params(t)[i].type));
		return id;
	default:
		return -1;
	}
}

/* Numbers first, then what has them, which may point forward. */
static int write_out(struct cut *c, const char *path)
{
	__u32 count = btf__type_cnt(c->from), next = 1, size;
	const void *data;
	FILE *f;

	c->void_ptr = next++;
	for (__u32 id = 1; id < count; id++)
		if (c->wanted[id] && !is_void_ptr(c, type_of(c, id)))
			c->ids[id] = next++;
	(void)btf__add_ptr(c->to, 0);
	for (__u32 id = 1; id < count; id++)
		if (c->ids[id] && add(c, type_of(c, id)) != (int)c->ids[id])
			return fprintf(stderr, "cut: type %u of kind %u cannot be kept\n", id,
				       btf_kind(type_of(c, id)));
	data = btf__raw_data(c->to, &size);
	f = data ? fopen(path, "we") : NULL;
	if (!f || fwrite(data, size, 1, f) != 1 || fclose(f))
		return fprintf(stderr, "cut: %s cannot be written\n", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct cut c = {};
	char *equals;
	int at = 1;

	if (argc > 2 && !strcmp(argv[1], "-r") && (equals = strchr(argv[2], '='))) {
		*equals = '\0';
		c.old_name = argv[2];
		c.new_name = equals + 1;
		at = 3;
	}
	if (argc < at + 3)
		return fprintf(stderr, "usage: cut [-r MEMBER=NAME] IN OUT OBJECT...\n"), 2;
	c.from = btf__parse(argv[at], NULL);
	c.to = btf__new_empty();
	if (!c.from || !c.to)
		return fprintf(stderr, "cut: %s has no BTF\n", argv[at]), 2;
	c.wanted = calloc(btf__type_cnt(c.from), sizeof(*c.wanted));
	c.ids = calloc(btf__type_cnt(c.from), sizeof(*c.ids));
	if (!c.wanted || !c.ids)
		return 2;
	for (int i = at + 2; i < argc; i++)
		if (want_all_of(&c, argv[i]))
			return fprintf(stderr, "cut: %s is no BPF object with BTF\n", argv[i]), 2;
	return write_out(&c, argv[at + 1]) ? 1 : 0;
}
