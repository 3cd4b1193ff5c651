#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# Where sources write names that others chose, or read the environment, in a way that check-names refuses: FILE:LINE: WHAT.
# Names are what members and variables of these words hold.
import re
import sys

NAMES = set('''comm last_comm cpu_comm asked_by_comm exe cmdline cgroup cgroup_path container container_id container_name
pod pod_uid pod_namespace pod_name image project service iface ifname host hostname nodename rname qname sni entity_id entity answers long_value who
server user'''.split())
# A member called name is of a process, a container or an interface where it is one of these variables'.
OF = set('row from cgroup cg process proc flow remote iface interface'.split())
# Members of that name which are ours, and what a table makes harmless.
KNOWN = {('src/base/args_help.c', 'row->name'), ('src/control/keys.c', 'row->name'), ('src/cli/dns.c', 'd->answers[i]')}
# They write what they are given: where the format is, or the bytes.
FORMATS = {'buf_printf': 1, 'fprintf': 1, 'printf': 0, 'dprintf': 1}
BYTES = {'buf_puts': 1, 'buf_put': 1, 'fputs': 0, 'puts': 0, 'fwrite': 0, 'write': 1}
# Nothing that they say is a file, or a right.
ENVIRONMENT = set('TERM NO_COLOR COLUMNS INVOCATION_ID JOURNAL_STREAM SSH_CONNECTION XDG_RUNTIME_DIR'.split())

CALL = re.compile(r'\b(' + '|'.join(sorted({**FORMATS, **BYTES})) + r')\s*\(')
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/|//[^\n]*|.', re.S)


def arguments(text):
    """Those of a call, text beginning behind its bracket."""
    depth, out = 0, ['']
    for m in TOKEN.finditer(text):
        t = m.group()
        if t.startswith('/*') or t.startswith('//'):
            continue
        if t in '([{':
            depth += 1
        elif t in ')]}':
            if not depth:
                break
            depth -= 1
        elif t == ',' and not depth:
            out.append('')
            continue
        out[-1] += t
    return [' '.join(a.split()) for a in out]


def is_name(argument):
    """Whether any of what it may be is a name; what a function makes of one is that function's."""
    argument = re.sub(r'"(?:\\.|[^"\\])*"', '""', argument).replace('?:', '\0')
    for part in re.split(r'[\0:]', argument.partition('?')[2] or argument):
        part = re.sub(r'\[[^]]*\]|\([^()]*\*\)', '', part).strip(' ()*&')
        m = re.fullmatch(r'(?:.*?(\w+)\s*(?:->|\.)\s*)?(\w+)', part)
        if m and (m.group(2) in NAMES or (m.group(2) == 'name' and m.group(1) in OF)):
            return True
    return False


def strings(form, rest):
    """The arguments that a %s prints; '' where the format is no literal."""
    literal = ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', form))
    at, out = 0, []
    for flags, what in re.findall(r'%([-+ #0-9.*hlzjt]*)([a-zA-Z%])', literal):
        if what == '%':
            continue
        at += flags.count('*')
        if what == 's' and at < len(rest):
            out.append(rest[at])
        at += 1
    return out


def look(path):
    text = open(path, encoding='utf-8').read()
    for m in CALL.finditer(text):
        args = arguments(text[m.end():])
        at = FORMATS.get(m.group(1))
        if at is None:
            at = BYTES[m.group(1)]
            asked = args[at:at + 1]
        else:
            asked = strings(args[at], args[at + 1:]) if at < len(args) else []
        for a in asked:
            if (path, a) not in KNOWN and is_name(a):
                yield m.start(), f'{m.group(1)}() writes {a} as it is'
    for m in re.finditer(r'(?<!secure_)\bgetenv\s*\(\s*([^)]*)\)', text):
        if m.group(1).strip('" ') not in ENVIRONMENT:
            yield m.start(), f'getenv({m.group(1)}) is heard with file capabilities too'


for path in sys.argv[1:]:
    text = open(path, encoding='utf-8').read()
    for at, what in look(path):
        print(f'{path}:{text.count(chr(10), 0, at) + 1}: {what}')
