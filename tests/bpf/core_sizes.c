/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Width of kernel fields: core_sizes OBJECT BTF. A field that src/bpf/kernel declares wider or
 * narrower than the kernel has it still loads, and reads its neighbours or half of itself. Compares,
 * for every structure that both know by name, each number and pointer. What the kernel does not have
 * is left to the relocations, which know whether that is allowed for.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct pair {
	const struct btf *ours, *theirs;
	unsigned int compared, wrong;
};

/*
 * UAPI, not ours to declare, and not relocated: since 6.9 the kernel calls half of cs and ss so and
 * keeps the layout.
 */
static const char *const uapi[] = { "pt_regs" };

static bool is_uapi(const char *name)
{
	for (size_t i = 0; i < sizeof(uapi) / sizeof(*uapi); i++)
		if (!strcmp(name, uapi[i]))
			return true;
	return false;
}

/* Flavours, as sock___pacing, are the kernel's sock. */
static void kernel_name(char *buf, size_t size, const char *name)
{
	const char *flavour = strstr(name, "___");

	snprintf(buf, size, "%.*s", flavour ? (int)(flavour - name) : (int)strlen(name), name);
}

static const struct btf_type *skip_names(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* Member of that name, in an anonymous structure or union of it as well. */
static const struct btf_type *find_member(const struct btf *btf, const struct btf_type *t,
					  const char *name, __u32 *ret_bits)
{
	const struct btf_member *m = btf_members(t);
	const struct btf_type *type;

	for (__u32 i = 0; i < btf_vlen(t); i++, m++) {
		const char *its = btf__name_by_offset(btf, m->name_off);

		type = skip_names(btf, m->type);
		if (!type)
			continue;
		if (*its && !strcmp(its, name)) {
			*ret_bits = btf_member_bitfield_size(t, i);
			return type;
		}
		if (!*its && btf_is_composite(type)) {
			type = find_member(btf, type, name, ret_bits);
			if (type)
				return type;
		}
	}
	return NULL;
}

/* Bytes of a number, pointer or element of an array of them; 0: a structure, compared by itself. */
static __u32 width(const struct btf *btf, const struct btf_type *t)
{
	while (t && btf_is_array(t))
		t = skip_names(btf, btf_array(t)->type);
	if (!t || btf_is_composite(t))
		return 0;
	return btf_is_ptr(t) ? 8 : t->size;
}

/* Of a number in a structure of its own as well, as atomic64_t. */
static __u32 width_there(const struct btf *btf, const struct btf_type *t)
{
	while (t && btf_is_struct(t) && btf_vlen(t) == 1)
		t = skip_names(btf, btf_members(t)->type);
	return width(btf, t);
}

static __u32 elements(const struct btf *btf, const struct btf_type *t)
{
	__u32 n = 1;

	for (; t && btf_is_array(t); t = skip_names(btf, btf_array(t)->type))
		n *= btf_array(t)->nelems;
	return n;
}

/* A flexible array ends the kernel's structure with 0 elements, and ours with what we index. */
static bool is_longer(__u32 ours, __u32 theirs)
{
	return theirs && ours > theirs;
}

static void compare_member(struct pair *p, const char *name, const struct btf_type *theirs,
			   const struct btf_member *m)
{
	const char *field = btf__name_by_offset(p->ours, m->name_off);
	const struct btf_type *our_type = skip_names(p->ours, m->type);
	__u32 bits = 0, our_width = width(p->ours, our_type), their_width;
	const struct btf_type *their_type = find_member(p->theirs, theirs, field, &bits);

	if (!their_type || !our_width)
		return;
	p->compared++;
	their_width = width_there(p->theirs, their_type);
	if (bits) {
		printf("%s.%s: a bit field of %u bits there\n", name, field, bits);
		p->wrong++;
	} else if (our_width != their_width) {
		printf("%s.%s: %u bytes here, %u there\n", name, field, our_width, their_width);
		p->wrong++;
	} else if (is_longer(elements(p->ours, our_type), elements(p->theirs, their_type))) {
		printf("%s.%s: %u elements here, %u there\n", name, field,
		       elements(p->ours, our_type), elements(p->theirs, their_type));
		p->wrong++;
	}
}

static void compare_type(struct pair *p, const struct btf_type *ours)
{
	const char *name = btf__name_by_offset(p->ours, ours->name_off);
	const struct btf_member *m = btf_members(ours);
	char wanted[128];
	__s32 id;

	kernel_name(wanted, sizeof(wanted), name);
	id = btf__find_by_name_kind(p->theirs, wanted, btf_kind(ours));
	if (id < 0 || is_uapi(wanted))
		return;
	/* Our bit fields can only be read by macros that ask the kernel for width and place. */
	for (__u32 i = 0; i < btf_vlen(ours); i++, m++)
		if (*btf__name_by_offset(p->ours, m->name_off) &&
		    !btf_member_bitfield_size(ours, i))
			compare_member(p, name, btf__type_by_id(p->theirs, (__u32)id), m);
}

int main(int argc, char **argv)
{
	struct pair p = { 0 };
	struct btf *ours, *theirs;

	if (argc != 3) {
		fprintf(stderr, "usage: core_sizes OBJECT BTF\n");
		return 2;
	}
	ours = btf__parse(argv[1], NULL);
	theirs = btf__parse(argv[2], NULL);
	if (libbpf_get_error(ours) || libbpf_get_error(theirs)) {
		fprintf(stderr, "core_sizes: %s has no BTF\n",
			libbpf_get_error(ours) ? argv[1] : argv[2]);
		return 2;
	}
	p.ours = ours;
	p.theirs = theirs;
	for (__u32 id = 1; id < btf__type_cnt(ours); id++) {
		const struct btf_type *t = btf__type_by_id(ours, id);

		if (btf_is_composite(t) && t->name_off)
			compare_type(&p, t);
	}
	btf__free(ours);
	btf__free(theirs);
	printf("# %u fields compared\n", p.compared);
	return p.wrong || !p.compared;
}
