#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How deep is the stack of each program: stack.py OBJECT...

Up to 6.12 all frames of a call share 512 bytes, each rounded up to 32 (check_max_stack_depth in
kernel/bpf/verifier.c). 6.13 and newer on x86-64 hold tracing programs to 512 bytes for each frame instead,
and so accept what the others refuse. A line for each program that is deeper, "# N programs"
in the end.
"""
import struct
import sys

LIMIT, ROUND, FRAMES = 512, 32, 8
SHT_SYMTAB, SHT_REL = 2, 9
STT_FUNC, STT_SECTION = 2, 3
FRAME_POINTER = 10


class Object:
    """The functions of an ELF file for BPF, by section and offset."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:4] != b"\x7fELF" or struct.unpack_from("<H", self.data, 18)[0] != 247:
            raise ValueError(path + ": not an object for BPF")
        at, size, count, names = struct.unpack_from("<Q10xHHH", self.data, 40)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + i * size) for i in range(count)]
        self.symbols = []
        self.strings = b""
        for one in self.sections:
            if one[1] == SHT_SYMTAB:
                self.strings = self.body(self.sections[one[6]])
                self.symbols = list(struct.iter_unpack("<IBBHQQ", self.body(one)))
        self.section_names = self.body(self.sections[names])
        self.functions = {(s[3], s[4]): s for s in self.symbols if s[1] & 15 == STT_FUNC}
        self.calls = {}
        for one in self.sections:
            if one[1] == SHT_REL:
                for offset, info in struct.iter_unpack("<QQ", self.body(one)):
                    self.calls[one[7], offset] = self.symbols[info >> 32]

    def body(self, section):
        return self.data[section[4]:section[4] + section[5]]

    def name(self, function):
        return self.text(self.strings, self.functions[function][0])

    def section(self, function):
        return self.text(self.section_names, self.sections[function[0]][0])

    @staticmethod
    def text(strings, at):
        return strings[at:strings.index(b"\0", at)].decode()

    def read(self, function):
        """The bytes of its own frame, and the functions it calls."""
        place, start = function
        code = self.body(self.sections[place])
        depth, called, aliases = 0, set(), {FRAME_POINTER: 0}
        at = start
        while at < start + self.functions[function][5]:
            op, registers, off, imm = struct.unpack_from("<BBhi", code, at)
            dst, src, kind = registers & 15, registers >> 4, op & 7
            # what is touched by way of the frame pointer or of what was made of it
            if kind in (2, 3) and dst in aliases:
                depth = max(depth, -(aliases[dst] + off))
            elif kind == 1 and src in aliases:
                depth = max(depth, -(aliases[src] + off))
            if op == 0xBF and src in aliases:
                aliases[dst] = aliases[src]
            elif op == 0x07 and dst in aliases:
                aliases[dst] += imm
                depth = max(depth, -aliases[dst])
            elif kind in (0, 1, 4, 7):
                aliases.pop(dst, None)
            if (op == 0x85 and src == 1) or (op == 0x18 and src == 4):
                called.add(self.target(place, at, op, imm))
            at += 16 if op == 0x18 else 8
        return depth, called

    def target(self, place, at, op, imm):
        """Of a call, or of a pointer to a function that a helper calls."""
        symbol = self.calls.get((place, at))
        if not symbol:
            return place, at + 8 + imm * 8
        if symbol[1] & 15 != STT_SECTION:
            return symbol[3], symbol[4]
        return symbol[3], symbol[4] + (imm if op == 0x18 else (imm + 1) * 8)

    def deepest(self, function, above=()):
        """(bytes, functions) of the chain of calls that takes the most."""
        if function not in self.functions:
            raise ValueError("a call to what is no function")
        if function in above or len(above) == FRAMES:
            raise ValueError(self.name(function) + ": calls that go too deep")
        own, called = self.read(function)
        own = -(-max(own, 1) // ROUND) * ROUND
        below = [self.deepest(one, above + (function,)) for one in called]
        most, chain = max(below, default=(0, ()), key=lambda one: one[0])
        return own + most, ("%s %d" % (self.name(function), own),) + chain


def main():
    programs = 0
    for path in sys.argv[1:]:
        one = Object(path)
        for function in one.functions:
            if one.section(function) == ".text":
                continue
            programs += 1
            depth, chain = one.deepest(function)
            if depth > LIMIT:
                print("%s: %d bytes of stack: %s" % (one.name(function), depth, ", ".join(chain)))
    print("# %d programs" % programs)


if __name__ == "__main__":
    main()
