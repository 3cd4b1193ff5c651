# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Debian's packages of other releases and processors, without touching this machine's apt: a state of its own in a
# folder, the mirror that /etc/apt has, signatures checked by Debian's own keys. Nothing is installed.

# The first mirror of /etc/apt that has this Debian; both formats of its lists.
debian_mirror() {
	{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || :; } |
		awk '$1 == "deb" { for (i = 2; i < NF; i++) if ($i ~ /^(https?|file|mirror):/) { print $i; break } }
			$1 == "URIs:" { print $2 }' | grep -E '/debian/?$' | head -n 1
}

# debian_begin FOLDER SUITE...: lists of these suites, for the processors of debian_archs. An hour old is new enough.
debian_archs=(amd64)
debian_begin() {
	local folder=$1 mirror suite arch keys=/usr/share/keyrings/debian-archive-keyring.gpg
	shift
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || { printf '/etc/apt has no mirror of Debian\n' >&2 && return 1; }
	[[ -r $keys ]] || { printf '%s: not there (Debian: debian-archive-keyring)\n' "$keys" >&2 && return 1; }
	mkdir -p "$folder"/{lists/partial,archives/partial}
	for suite; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite"
	done >"$folder/sources.new"
	debian_options=(-o Dir::State="$folder" -o Dir::State::Lists="$folder/lists" -o Dir::State::status=/dev/null
		-o Dir::Cache="$folder" -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o APT::Sandbox::User=root -o Acquire::Languages=none)
	for arch in "${debian_archs[@]}"; do
		debian_options+=(-o APT::Architectures::="$arch")
	done
	if cmp -s "$folder/sources.new" "$folder/sources" && [[ -n $(find "$folder/updated" -mmin -60 2>/dev/null) ]]; then
		rm "$folder/sources.new"
		return
	fi
	mv "$folder/sources.new" "$folder/sources"
	rm -f "$folder/updated"
	apt-get -qq "${debian_options[@]}" -o APT::Update::Error-Mode=any update >&2 || return 1
	touch "$folder/updated"
}

# debian_newest REGEX: the newest package whose whole name matches.
debian_newest() {
	apt-cache "${debian_options[@]}" pkgnames linux-image- | grep -Ex "$1" | sort -V | tail -n 1
}

debian_has() {
	apt-cache "${debian_options[@]}" pkgnames "$1" | grep -Fx "$1" >/dev/null
}

# debian_some N: the newest N kernels for guests, in one line.
debian_some() {
	apt-cache "${debian_options[@]}" pkgnames linux-image- | grep -Ex 'linux-image-[0-9].*-cloud-amd64' | sort -V | tail -n "$1" | paste -sd' '
}

# debian_unpack IMAGE FOLDER [ARCH]: the image's files, with those of the packages it is split into since 7.
debian_unpack() {
	local package=$1 tree=$2 arch=${3:-amd64} scratch part depends release=${1#linux-image-}
	local -a parts=("$package:$arch")
	depends=$(apt-cache "${debian_options[@]}" depends --no-recommends --no-suggests "$package:$arch") || return 1
	for part in base binary modules; do
		if [[ $depends == *"Depends: linux-$part-$release"* ]]; then
			parts+=("linux-$part-$release:$arch")
		fi
	done
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/netprobe-debian.XXXXXX")
	if ! (cd "$scratch" && apt-get -qq "${debian_options[@]}" download "${parts[@]}" >&2); then
		rm -rf "$scratch"
		return 1
	fi
	mkdir -p "$tree"
	for part in "$scratch"/*.deb; do
		dpkg-deb -x "$part" "$tree"
	done
	rm -rf "$scratch"
}

# Below that tree: the kernel's image, and its configuration.
debian_image() {
	{ find "$1/boot" "$1/lib/modules" "$1/usr/lib/modules" -maxdepth 2 -name 'vmlinuz*' -type f 2>/dev/null || :; } | head -n 1
}

debian_config() {
	{ find "$1/boot" "$1/lib/modules" "$1/usr/lib/modules" -maxdepth 2 \( -name 'config-*' -o -name config \) -type f 2>/dev/null || :; } |
		head -n 1
}

# debian_vmlinux IMAGE FILE: the kernel inside an image. On x86-64 the ELF file inside a bzImage, by the offsets of the
# boot protocol (2.08 and later); its payload ends in the uncompressed size, 4 bytes that are no part of the stream. On
# arm64 the image itself, compressed or not.
debian_vmlinux() {
	local image=$1 elf=$2 sects offset length start magic
	local -a unpack
	if [[ $(od -An -c -j 514 -N 4 "$image" | tr -d ' ') != HdrS ]]; then
		case $(od -An -tx1 -N 2 "$image" | tr -d ' ') in
		1f8b) gzip -dc "$image" >"$elf" ;;
		*) cp "$image" "$elf" ;;
		esac
		return
	fi
	sects=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
	read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$image")
	start=$(((sects + 1) * 512 + offset))
	magic=$(od -An -tx1 -j "$start" -N 4 "$image" | tr -d ' ')
	case $magic in
	02214c18) unpack=(lz4 -dc) ;;
	28b52ffd) unpack=(zstd -dcq) ;;
	fd377a58) unpack=(xz -dcq) ;;
	1f8b*) unpack=(gzip -dc) ;;
	*) return 1 ;;
	esac
	dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$start" count=$((length - 4)) \
		status=none | "${unpack[@]}" >"$elf" &&
		[[ $(od -An -tx1 -N 4 "$elf" | tr -d ' ') == 7f454c46 ]]
}
