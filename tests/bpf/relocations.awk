# SPDX-License-Identifier: BSD-2-Clause
# Reads what `bpftool -d gen min_core_btf` says of relocations; prints each that this kernel cannot
# serve and that the program does not ask about first, then "# N relocations". Its exit code is
# always 0, hence this. In a program they come by place: one in front of the first question was moved there
# by the compiler, and is reached on a kernel that does not have it.

{
	if (match($0, /relo #[0-9]+: <[a-z0-9_]+> \[[0-9]+\] /)) {
		kind = $0
		sub(/.*relo #[0-9]+: </, "", kind)
		sub(/>.*/, "", kind)
		what = substr($0, RSTART + RLENGTH)
		sub(/ \([^(]*\)$/, "", what)
		program = $0
		sub(/: relo #.*/, "", program)
		total++
		if (kind ~ /_exists$|_matches$/) {
			asked[what] = 1
			if ((program, what) in early)
				late[what] = early[program, what]
			asked_in[program, what] = 1
		}
	} else if (/no matching targets found/ && kind !~ /_exists$|_matches$/) {
		missing[what] = kind
		if (!((program, what) in asked_in))
			early[program, what] = kind
	}
}

# Asked about as a whole, or one of what it lies in: "struct a.b.c" by "struct a.b" or "struct a".
function is_asked(what) {
	while (!(what in asked) && sub(/(\.|::)[^.:]*$/, "", what))
		;
	return what in asked
}

END {
	for (what in missing)
		if (!is_asked(what))
			printf "%s: not there (%s), and not asked for before use\n", what, missing[what]
	for (what in late)
		printf "%s: not there (%s), and used in front of the question\n", what, late[what]
	printf "# %d relocations\n", total
}
