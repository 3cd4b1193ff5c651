# SPDX-License-Identifier: BSD-2-Clause
"""
What programs say of the functions and tracepoints they hook: hooks.py BTF SOURCE... For each that this kernel has,
one of the programs for it has to take its arguments as they are: as many at most, pointers where it has
pointers, to the same structure where both name one; the result of fexit behind the last. Prints each hook that none
fits, then "# N hooks". hooks.py --known BTF... -- SOURCE...: each function and tracepoint that programs hook, kprobes as well,
that none of these kernels has: it has another name, or never was.
"""
import re
import subprocess
import sys

PROGRAM = re.compile(r'SEC\("(fentry|fexit|tp_btf)/(\w+)"\)\s*int\s+BPF_PROG\(([^)]*)\)')

SECTION = re.compile(r'SEC\("(fentry|fexit|tp_btf|kprobe|kretprobe)/(\w+)"\)')


def kernel_hooks(path):
    """Arguments of each function and tracepoint: the name of a structure, "*" another pointer, "" a number."""
    dump = subprocess.run(["bpftool", "btf", "dump", "file", path], check=True, text=True, stdout=subprocess.PIPE).stdout
    types, args, at = {}, {}, 0
    for line in dump.splitlines():
        head = re.match(r"\[(\d+)\] (\w+) '([^']*)'(?:.* type_id=(\d+))?", line)
        if head:
            at = int(head[1])
            types[at] = (head[2], head[3], int(head[4] or 0))
            args[at] = []
        elif types.get(at, ("",))[0] == "FUNC_PROTO":
            args[at].append(int(re.search(r"type_id=(\d+)", line)[1]))

    def kind(number):
        name = types.get(number, ("", "", 0))
        while name[0] in ("CONST", "VOLATILE", "TYPEDEF", "RESTRICT", "TYPE_TAG"):
            name = types.get(name[2], ("", "", 0))
        if name[0] != "PTR":
            return ""
        name = types.get(name[2], ("", "", 0))
        while name[0] in ("CONST", "VOLATILE", "TYPE_TAG"):
            name = types.get(name[2], ("", "", 0))
        return name[1] if name[0] in ("STRUCT", "FWD") else "*"

    hooks = {}
    for name in types.values():
        if name[0] == "FUNC":
            hooks["f", name[1]] = [kind(n) for n in args[name[2]]]
        elif name[0] == "TYPEDEF" and name[1].startswith("btf_trace_"):
            proto = types[types[name[2]][2]] if types[name[2]][0] == "PTR" else None
            if proto:
                hooks["t", name[1][len("btf_trace_"):]] = [kind(n) for n in args[types[name[2]][2]]][1:]
    return hooks


def declared(text):
    """An argument as a program declares it, flavours the kernel's own."""
    text = " ".join(text.split())
    found = re.match(r"(?:const )?struct (\w+?)(?:___\w+)? \*", text)
    return found[1] if found else "*" if "*" in text else ""


def fits(ours, theirs, has_result):
    if len(ours) > len(theirs) + has_result:
        return False
    return all(a == b or "*" in (a, b) and a and b for a, b in zip(ours, theirs))


def known(kernels, sources):
    there, hooked = set(), set()
    for path in kernels:
        there |= set(kernel_hooks(path))
    for path in sources:
        with open(path, encoding="utf-8") as source:
            hooked |= set(SECTION.findall(source.read()))
    for how, name in sorted(hooked):
        if ("t" if how == "tp_btf" else "f", name) not in there:
            print(f"{how}/{name}: no kernel has it")
    print(f"# {len(hooked)} hooks")


def main():
    if sys.argv[1] == "--known":
        end = sys.argv.index("--")
        known(sys.argv[2:end], sys.argv[end + 1:])
        return
    hooks, programs = kernel_hooks(sys.argv[1]), {}
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as source:
            for how, name, text in PROGRAM.findall(source.read()):
                ours = [declared(a) for a in text.split(",")[1:]]
                programs.setdefault((how, name), []).append(ours)
    seen = 0
    for (how, name), all_ours in sorted(programs.items()):
        theirs = hooks.get(("t" if how == "tp_btf" else "f", name))
        if theirs is None:
            continue
        seen += 1
        if not any(fits(ours, theirs, how == "fexit") for ours in all_ours):
            print(f"{how}/{name}: takes {all_ours}, and there it is {theirs}")
    print(f"# {seen} hooks")


main()
