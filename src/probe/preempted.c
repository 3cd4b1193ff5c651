/* SPDX-License-Identifier: BSD-2-Clause */
/* See preempted.h. */
#include "probe/preempted.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#define CODE(...) ((const struct bpf_insn){ __VA_ARGS__ })
#define CALL(id) CODE(.code = BPF_JMP | BPF_CALL, .imm = (id))
#define MOV(to, from) CODE(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from))
#define ADD(reg, n) CODE(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), .imm = (n))
#define SET(reg, n) CODE(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (n))
#define STORE(at, n) \
	CODE(.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = (at), .imm = (n))

/* What the program writes. */
struct answer {
	uint16_t
		held; /* task_struct.migration_disabled: not 0 only where the task may be preempted */
	uint16_t pad;
	uint32_t ran;
};

/* Byte at which a member begins; negative: there is none. */
static int member_at(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	for (uint16_t i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), member))
			return (int)(btf_member_bit_offset(t, i) / 8);
	return -ENOENT;
}

/* For a tracepoint that nothing else here uses, and that fires in calls of processes only. */
static int load(int map, int at)
{
	const struct bpf_insn insns[] = {
		STORE(-16, 0),
		STORE(-8, 0),
		STORE(-4, 1), /* ran */
		CALL(BPF_FUNC_get_current_task),
		MOV(BPF_REG_3, BPF_REG_0),
		ADD(BPF_REG_3, at),
		SET(BPF_REG_2, sizeof(((struct answer *)0)->held)),
		MOV(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		CALL(BPF_FUNC_probe_read_kernel),
		CODE(.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		     .src_reg = BPF_PSEUDO_MAP_FD, .imm = map),
		CODE(.code = 0),
		MOV(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -16),
		MOV(BPF_REG_3, BPF_REG_10),
		ADD(BPF_REG_3, -8),
		SET(BPF_REG_4, BPF_ANY),
		CALL(BPF_FUNC_map_update_elem),
		SET(BPF_REG_0, 0),
		CODE(.code = BPF_JMP | BPF_EXIT),
	};

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "np_preempted", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

/* bpf_test_finish fires at the end of a run of a filter. */
static int fire(void)
{
	const struct bpf_insn insns[] = { SET(BPF_REG_0, 0), CODE(.code = BPF_JMP | BPF_EXIT) };
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "np_try", "GPL", insns, 2, NULL);
	int r;

	if (fd < 0)
		return -errno;
	r = bpf_prog_test_run_opts(fd, &run) ? -errno : 0;
	(void)close(fd);
	return r;
}

static int ask(int map, int prog, struct answer *ret_answer)
{
	int link = bpf_raw_tracepoint_open("bpf_test_finish", prog), r;
	uint32_t key = 0;

	if (link < 0)
		return -errno;
	r = fire();
	(void)close(link);
	if (!r && bpf_map_lookup_elem(map, &key, ret_answer))
		r = -errno;
	return r ? r : ret_answer->ran ? 0 : -ENODATA;
}

bool tracepoints_are_preempted(const struct btf *btf)
{
	int at = btf ? member_at(btf, "task_struct", "migration_disabled") : -ENOENT;
	struct answer answer = {};
	int map, prog, r = -1;

	if (at < 0)
		return false;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_preempted", 4, sizeof(answer), 1, NULL);
	prog = map < 0 ? -1 : load(map, at);
	if (prog >= 0) {
		r = ask(map, prog, &answer);
		(void)close(prog);
	}
	if (map >= 0)
		(void)close(map);
	return r || answer.held;
}
