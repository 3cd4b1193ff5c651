#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Examples of README, docs/ and the manual, and what becomes of them.

examples.py list BUILD                  each as FILE<tab>COMMAND<tab>EXIT CODE, None where it stands in a sentence
examples.py run BUILD FILE SCRATCH      those of one file, in the namespaces of the caller
"""
import glob
import os
import re
import subprocess
import sys

# What a reader puts in the place of these words.
PLACES = {'PORT': '8080', '端口': '8080', 'IF': 'eth0', '接口': 'eth0', 'FILE': 'out', 'PID': '1', 'NAME': 'nginx', 'ADDRESS': '203.0.113.9',
          'COMMAND': 'events', '命令': 'events', 'VERB': 'ban'}
# First words of a line that is a command.
STARTS = r'(?:sudo |ip netns exec \S+ |nsenter \S+ )*(?:netprobe|make|meson|docker|setpriv|systemctl|apt|curl|cc|gcc|jq|socat|\./\S+)(?: |$)'
COMMANDS = 'top events flows drops dns why guard ctl doctor'.split()
# How long a command that would go on for ever has, and one that ends by itself.
SHORT, LONG = 3, 40


def command_of(line):
    """Without the text beside it, which stands after a # or several spaces."""
    return re.split(r'\s+#\s|\s{3,}', line.strip())[0]


def in_markdown(path):
    lines = open(path, encoding='utf-8').read().splitlines()
    fence, block, i = None, [], 0
    while i < len(lines):
        line = lines[i]
        if line.startswith('```'):
            if fence is None:
                fence, block = line[3:], []
            else:
                yield from [] if fence else in_block(block)
                fence = None
        elif fence is not None:
            block.append(line)
        elif line.startswith('    ') and (i == 0 or not lines[i - 1].strip() or lines[i - 1].startswith('    ')):
            yield from in_block([line[4:]])
        else:
            for text in re.findall(r'(?<!`)`((?:sudo )?netprobe [^`]*)`', line):
                yield text.replace('\\|', '|'), None
        i += 1


def in_block(lines):
    """Commands of a fence: lines that begin with $, else with a known word; a backslash goes on in the next line."""
    lines = '\n'.join(lines).replace('\\\n', ' ').split('\n')
    prompt = [line[2:] for line in lines if line.startswith('$ ')]
    for n, line in enumerate(lines):
        line = re.sub(r'(?<=\S)  +(?=-)', ' ', line)
        if line.startswith('$ echo $?'):
            continue
        if line.startswith('$ '):
            told = n + 3 < len(lines) + 1 and [k for k in range(n + 1, len(lines)) if lines[k].startswith('$ ')][:1]
            code = int(lines[told[0] + 1]) if told and lines[told[0]] == '$ echo $?' else 0
            yield command_of(line[2:]), code
        elif not prompt and re.match(STARTS, line) and not re.match(r'netprobe \w*:|netprobe  ', line):
            yield command_of(line), 0


def in_manual(path):
    for text in re.findall(r'\*(netprobe [^*]*)\*', open(path, encoding='utf-8').read()):
        yield text.replace('\\', ''), None


def in_help(program):
    for command in [[], *([c] for c in COMMANDS)]:
        text = subprocess.run([program, 'help', *command], check=True, capture_output=True, text=True).stdout
        for block in re.findall(r'^Examples:\n((?:  .*\n)+)', text, re.M):
            for line in block.splitlines():
                if line.startswith('  netprobe'):
                    yield re.split(r'\s{2,}', line.strip())[0], 0


def everything(build):
    for path in ['README.md', 'README.zh-CN.md', *sorted(glob.glob('docs/*.md'))]:
        yield path, in_markdown(path)
    for path in sorted(glob.glob('docs/man/netprobe*.scd')):
        yield path, in_manual(path)
    yield '--help', in_help(build + '/netprobe')


def entries():
    out = {}
    for line in open('tests/examples.list', encoding='utf-8'):
        if line.strip() and not line.startswith('#'):
            how, command, _reason = line.rstrip('\n').split('\t')
            out[command] = how
    return out


def listed(build):
    """Each once: a command of several pages is run for the first. Those of guard and ctl stand on those before them."""
    seen = {}
    for path, found in everything(build):
        for command, code in found:
            again = re.search(r'netprobe (guard|ctl) ', command)
            if command not in seen or (again and (path, command) not in seen):
                seen[command] = seen[(path, command)] = True
                yield path, command, code


def is_name(program, command):
    """In a sentence only the words of ctl, or of a verb of guard: a name, which has a help text."""
    words = command.split()
    return words[1:2] in (['guard'], ['ctl']) and len(words) <= 3 and \
        subprocess.run([program, 'help', *words[1:]], capture_output=True).returncode == 0


def run(command, scratch, limit):
    record = scratch + '/codes'
    open(record, 'w').close()
    os.chmod(record, 0o666)
    env = {**os.environ, 'PATH': scratch + '/bin:' + os.environ['PATH'], 'LIMIT': str(limit), 'CODES': record}
    try:
        done = subprocess.run(['bash', '-c', command], cwd=scratch, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors='replace', timeout=LONG + 20)
    except subprocess.TimeoutExpired:
        return ['it does not end'], ''
    return open(record).read().split() + ['no such command'] * (done.returncode == 127), done.stdout[-300:] + done.stderr[-1500:]


def try_one(program, command, expected, how, scratch):
    """None, or what is wrong."""
    if how == 'elsewhere':
        return None
    if how == 'part':
        command = command.split(' IMAGE ', 1)[1]
    if expected is None and is_name(program, command):
        return None
    command = re.sub(r'(?<![\w=-])[A-Z]{2,}(?![\w=-])|[一-鿿]+', lambda m: PLACES.get(m[0], m[0]), command)
    expected = expected or 0
    command = re.sub(r'^sudo ', '', command)
    if not re.search(r'\bnetprobe\b', command):
        return 'it is no command of netprobe: run it in another test, and name it in tests/examples.list'
    codes, said = run(command, scratch, LONG if re.search(r'--once| (ctl|doctor|help) |--help', command + ' ') else SHORT)
    if '143' in codes:  # ended before it had begun, on a busy machine
        codes, said = run(command, scratch, LONG)
    if codes == [str(expected)]:
        return None
    return f'exit code {" ".join(codes) or "of nothing: netprobe was not run"}, expected {expected}\n{said}'


def main():
    what, build, *args = sys.argv[1:]
    if what == 'list':
        known = entries()
        there = list(listed(build))
        for path, command, code in there:
            print(path, command, code, sep='\t')
        gone = set(known) - {command for _, command, _ in there}
        for command in sorted(gone):
            print(f'tests/examples.list: no page has this any more: {command}', file=sys.stderr)
        return 1 if gone else 0
    path, scratch = args
    known, failed, program = entries(), 0, build + '/netprobe'
    for where, command, code in listed(build):
        if where == path:
            wrong = try_one(program, command, code, known.get(command), scratch)
            if wrong:
                failed = 1
                print(f'{path}: {command}\n{wrong}')
    return failed


sys.exit(main())
