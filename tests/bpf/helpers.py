# SPDX-License-Identifier: BSD-2-Clause
"""
Which helpers programs call that kernel 5.12, the oldest that ebpf is for, does not have: helpers.py BTF OBJECT... BTF: of a
newer kernel, for their names. Each has to be in ASKED with the one who asks for it first. Prints each that is not, then
"# N helpers".
"""
import os
import re
import struct
import subprocess
import sys

import stack

LAST = "check_mtu"  # the last of 5.12

# Object, or "" any, and helper: who asks, so that a kernel without it loses that alone.
ASKED = {
    ("netprobe", "task_pt_regs"): "the program itself (bpf_core_enum_value_exists), and probe/probe.c",
    ("netprobe", "for_each_map_elem"): "probe/hooks.c: np_sweep_run and np_stall_run are for 5.13",
    ("netprobe_drops", "snprintf"): "an object of its own, for 5.13: drops say that they do not load",
    ("netprobe_trace", "snprintf"): "the same",
    ("netprobe_guard", "xdp_get_buff_len"): "guard/attach_load.c: cfg_frags",
    ("netprobe_guard", "tcp_raw_check_syncookie_ipv4"): "guard/cookie.c",
    ("netprobe_guard", "tcp_raw_check_syncookie_ipv6"): "guard/cookie.c",
    ("netprobe_lb", "xdp_get_buff_len"): "balance/pins.c",
}


def names(path):
    dump = subprocess.run(["bpftool", "btf", "dump", "file", path], check=True, text=True, stdout=subprocess.PIPE).stdout
    return {int(number): name for name, number in re.findall(r"'BPF_FUNC_(\w+)' val=(\d+)", dump)}


def called(path):
    """Numbers of the helpers in all sections with code."""
    one, found = stack.Object(path), set()
    for place in {function[0] for function in one.functions}:
        code, at = one.body(one.sections[place]), 0
        while at < len(code):
            op, registers, _, imm = struct.unpack_from("<BBhi", code, at)
            if op == 0x85 and not registers >> 4:
                found.add(imm)
            at += 16 if op == 0x18 else 8
    return found


def main():
    helpers = names(sys.argv[1])
    last = next(number for number, name in helpers.items() if name == LAST)
    count = 0
    for path in sys.argv[2:]:
        which = os.path.basename(path).split(".")[0]
        for number in sorted(called(path)):
            count += 1
            name = helpers.get(number, str(number))
            if number > last and (which, name) not in ASKED:
                print(f"{which} calls bpf_{name}, which 5.12 does not have, and nobody is known to ask for it")
    print(f"# {count} helpers")


main()
