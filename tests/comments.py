#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Comments of C sources that name a file or a function which does not exist: comments.py, the tree's files on stdin.

A file is named by itself or by the end of its path. The kernel's are named by their path from include/ or with the folder that #include has. A function is one with ()
behind it; what is neither an identifier of the tree nor the C library's is in ELSEWHERE.
"""
import ctypes
import re
import sys

# Of the kernel and of libraries, where only a comment speaks of them. The C library is asked itself.
ELSEWHERE = {"synchronize_rcu", "initscr"}
LIBC = ctypes.CDLL(None)
FILE = re.compile(r"(?<![\w./<-])([a-z][\w/]*\.(?:bpf\.c|skel\.h|c|h))\b(?!\w)")
FUNCTION = re.compile(r"\b([a-z_]\w{2,})\(\)")

files = {line.rstrip("\n") for line in sys.stdin}
sources = sorted(f for f in files if f.endswith((".c", ".h")))
identifiers, included, comments = set(), set(), []


def split(name):
    """Comments of a source into `comments`, with their lines; identifiers of the rest."""
    text = open(name, errors="replace").read()

    def keep(match):
        if match.group(0).startswith('"'):
            return match.group(0)
        comments.append((name, text.count("\n", 0, match.start()) + 1, match.group(0)))
        return " "

    code = re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', keep, text, flags=re.S)
    identifiers.update(re.findall(r"[A-Za-z_]\w*", code))
    included.update(re.findall(r"# *include *<([^>]+)>", code))


def exists(named):
    if named.startswith("include/") or named in included:
        return True
    if named.endswith(".skel.h"):
        named = named[: -len("skel.h")] + "bpf.c"
    return named in files or any(f.endswith("/" + named) for f in files)


for source in sources:
    split(source)
bad = 0
for source, line, text in comments:
    for match in FILE.finditer(text):
        if not exists(match.group(1)):
            print(f"{source}:{line + text.count(chr(10), 0, match.start())}: there is no {match.group(1)}")
            bad = 1
    for match in FUNCTION.finditer(text):
        if match.group(1) not in identifiers | ELSEWHERE and not hasattr(LIBC, match.group(1)):
            print(f"{source}:{line + text.count(chr(10), 0, match.start())}: nothing is called {match.group(1)}()")
            bad = 1
sys.exit(bad)
