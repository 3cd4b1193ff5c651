# SPDX-License-Identifier: BSD-2-Clause
"""The BTF inside a kernel image that has no ELF sections (arm64): extract.py IMAGE OUT. The largest that is one."""
import struct
import sys


def whole(data, at):
    """End of the BTF that begins there, 0: none does. See struct btf_header of linux/btf.h."""
    header, type_off, type_len, str_off, str_len = struct.unpack_from("<5I", data, at + 4)
    end = at + header + max(type_off + type_len, str_off + str_len)
    strings = at + header + str_off
    if not 24 <= header <= 64 or type_off or not type_len or end > len(data):
        return 0
    return end if data[strings] == 0 and data[strings + str_len - 1] == 0 else 0


def main():
    with open(sys.argv[1], "rb") as image:
        data = image.read()
    best, at = b"", data.find(b"\x9f\xeb\x01\x00")
    while at >= 0:
        end = whole(data, at)
        if end - at > len(best):
            best = data[at:end]
        at = data.find(b"\x9f\xeb\x01\x00", at + 1)
    if not best:
        sys.exit(f"{sys.argv[1]}: has no BTF")
    with open(sys.argv[2], "wb") as out:
        out.write(best)


main()
