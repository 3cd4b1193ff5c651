# SPDX-License-Identifier: BSD-2-Clause
"""
What programs say of the functions and tracepoints they hook: hooks.py BTF SOURCE... For each that this kernel has,
one of a file's programs for it has to take its arguments as they are, and each of kprobe, kretprobe and raw_tp, which no
verifier holds to them: as many at most, pointers where it has pointers, to the same structure where both name one, numbers
where it has those of the same name; the result of fexit behind the last, that of kretprobe alone. Prints each hook that none
fits, then "# N hooks". hooks.py --known BTF... -- SOURCE...: each function and tracepoint that programs hook
that none of these kernels has: it has another name, or never was.
"""
import re
import subprocess
import sys

PROGRAM = re.compile(r'SEC\("(fentry|fexit|tp_btf|raw_tp|kprobe|kretprobe)/(\w+)"\)\s*int\s+BPF_(?:PROG|KPROBE|KRETPROBE)\(([^)]*)\)')

SECTION = re.compile(r'SEC\("(fentry|fexit|tp_btf|raw_tp|kprobe|kretprobe)/(\w+)"\)')

UNCHECKED = ("raw_tp", "kprobe", "kretprobe")


def table(how):
    return "t" if how in ("tp_btf", "raw_tp") else "f"


def kernel_hooks(path):
    """Arguments of each function and tracepoint, the result last: the name of a structure, "*" another pointer, "" a number
    (" name" where BTF has one), None no result."""
    dump = subprocess.run(["bpftool", "btf", "dump", "file", path], check=True, text=True, stdout=subprocess.PIPE).stdout
    types, args, at = {}, {}, 0
    for line in dump.splitlines():
        head = re.match(r"\[(\d+)\] (\w+) '([^']*)'(?:.* (?:ret_)?type_id=(\d+))?", line)
        if head:
            at = int(head[1])
            types[at] = (head[2], head[3], int(head[4] or 0))
            args[at] = []
        elif types.get(at, ("",))[0] == "FUNC_PROTO":
            name, number = re.search(r"'([^']*)' type_id=(\d+)", line).groups()
            args[at].append((int(number), "" if name == "(anon)" else name))

    def kind(number, called=""):
        name = types.get(number, ("", "", 0))
        while name[0] in ("CONST", "VOLATILE", "TYPEDEF", "RESTRICT", "TYPE_TAG"):
            name = types.get(name[2], ("", "", 0))
        if name[0] != "PTR":
            return " " + called if called else ""
        name = types.get(name[2], ("", "", 0))
        while name[0] in ("CONST", "VOLATILE", "TYPE_TAG"):
            name = types.get(name[2], ("", "", 0))
        return name[1] if name[0] in ("STRUCT", "FWD") else "*"

    hooks = {}
    for name in types.values():
        if name[0] == "FUNC":
            result = types[name[2]][2]
            hooks["f", name[1]] = [kind(*n) for n in args[name[2]]] + [kind(result) if result else None]
        elif name[0] == "TYPEDEF" and name[1].startswith("btf_trace_"):
            proto = types[types[name[2]][2]] if types[name[2]][0] == "PTR" else None
            if proto:
                hooks["t", name[1][len("btf_trace_"):]] = [kind(*n) for n in args[types[name[2]][2]]][1:] + [None]
    return hooks


def declared(text):
    """An argument as a program declares it, flavours the kernel's own."""
    text = " ".join(text.split())
    found = re.match(r"(?:const )?struct (\w+?)(?:___\w+)? \*", text)
    return found[1] if found else "*" if "*" in text else " " + text.split()[-1]


def is_number(kind):
    return kind is not None and (not kind or kind[0] == " ")


def given(how, hook):
    """What the kernel gives a program of that kind."""
    return hook[-1:] if how == "kretprobe" else hook if how == "fexit" else hook[:-1]


def fits(ours, theirs):
    if len(ours) > len(theirs):
        return False
    for at, (a, b) in enumerate(zip(ours, theirs)):
        if b is None or is_number(a) != is_number(b) or (not is_number(a) and a != b and "*" not in (a, b)):
            return False
        if is_number(a) and a in theirs and theirs[at] != a:
            return False
    return True


def shown(kinds):
    return [(k[1:] or "number") if is_number(k) else "nothing" if k is None else k for k in kinds]


def known(kernels, sources):
    there, hooked = set(), set()
    for path in kernels:
        there |= set(kernel_hooks(path))
    for path in sources:
        with open(path, encoding="utf-8") as source:
            hooked |= set(SECTION.findall(source.read()))
    for how, name in sorted(hooked):
        if (table(how), name) not in there:
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
                programs.setdefault((how, name, path), []).append(ours)
    seen = set()
    for (how, name, path), all_ours in sorted(programs.items()):
        theirs = hooks.get((table(how), name))
        if theirs is None:
            continue
        seen.add((how, name))
        theirs = given(how, theirs)
        fitting = [fits(ours, theirs) for ours in all_ours]
        if not (all if how in UNCHECKED else any)(fitting):
            print(f"{how}/{name}: {path.split('/')[-1]} takes {[shown(o) for o in all_ours]}, and there it is {shown(theirs)}")
    print(f"# {len(seen)} hooks")


main()
