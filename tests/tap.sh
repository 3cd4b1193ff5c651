# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the check scripts: results as TAP, and which files are ours.

tap_number=0
tap_failed=0

# check NAME COMMAND...: passes when the command does; what it prints is shown when it does not.
check() {
	local name=$1 output
	shift
	tap_number=$((tap_number + 1))
	if output=$("$@" 2>&1); then
		printf 'ok %d - %s\n' "$tap_number" "$name"
	else
		tap_failed=1
		[[ -z $output ]] || printf '%s\n' "$output" | sed 's/^/# /'
		printf 'not ok %d - %s\n' "$tap_number" "$name"
	fi
}

skip() {
	tap_number=$((tap_number + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_number" "$1" "$2"
}

finish() {
	printf '1..%d\n' "$tap_number"
	exit "$tap_failed"
}

# sources PATTERN...: files of the tree, new ones included, as git names them.
sources() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@"
	else
		local pattern
		for pattern; do
			find . -name .git -prune -o -path './build*' -prune -o -type f -name "${pattern##*/}" -print
		done | sed 's,^\./,,'
	fi | sort -u | while IFS= read -r file; do
		[[ ! -f $file ]] || printf '%s\n' "$file"
	done
}
