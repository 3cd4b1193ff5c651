#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Manual pages by scdoc from what says the same already, on stdout.

man.py SCDOC page NETPROBE TEMPLATE   TEMPLATE, with each line @HELP COMMAND@ replaced by what that command's --help all says,
                                      and @TABLE FILE@ by the table of that page
man.py SCDOC chinese TITLE FILE       the section TITLE of FILE, whose first line is the summary, as a page in Chinese
man.py SCDOC convert TITLE(SECTION) SUMMARY FILE [HEADING ...]   a page of docs/, or of its sections with these headings
"""
import os
import re
import subprocess
import sys


def plain(text):
    """Text without a meaning of its own to scdoc."""
    return re.sub(r'([\\*_`~#])', r'\\\1', text)


def inline(text):
    """Markdown within a line: `code` is bold, a link is its words."""
    text = re.sub(r'\[((?:[^]\\`]|`[^`]*`|\\.)*)\]\([^)]*\)', r'\1', text)
    pieces = re.split(r'(`[^`]*`|\*\*[^*]+\*\*)', text)
    out = ''
    for piece in pieces:
        if out.endswith('*') and re.match(r'\w', piece):
            out += ' '  # scdoc ends no bold text before a letter
        if len(piece) > 1 and piece[0] == piece[-1] == '`':
            out += '*' + plain(piece[1:-1]) + '*'
        elif piece.startswith('**') and len(piece) > 4:
            out += '*' + plain(piece[2:-2]) + '*'
        else:
            out += plain(piece.replace('\\|', '|'))
    return out


def of_help(program, command):
    """Usage, examples and options of a command."""
    words = [] if command == '.' else [*command.split(), 'all']
    text = subprocess.run([program, 'help', *words], check=True, capture_output=True,
                          text=True).stdout
    indent = None
    out = []
    for line in text.splitlines():
        option = re.match(r'  (?:-(\S)(?:, )?|    )(--\S+)?(?: (\S+(?: \S+)*?))?(?:  +(\S.*))?$', line)
        if line.startswith('Usage: ') and command == '.':
            continue  # the page says it
        if line.startswith('Usage: '):
            out += ['*' + plain(line[7:].split(' [')[0]) + '* '
                    + plain('[' + line[7:].split(' [', 1)[1] if ' [' in line else '')]
        elif re.match(r'[A-Z].*:$', line):
            out += ['', '## ' + plain(line[:-1])]
            indent = None
        elif option and (option[1] or option[2]) and line[2:3] in '- ' and re.match(r'  (-\S|    --)', line):
            names = ', '.join('*' + plain(n) + '*' for n in ('-' + option[1] if option[1] else None, option[2]) if n)
            out += ['', names + (' ' + plain(option[3]) if option[3] else '')]
            if option[4]:
                out += ['\t' + plain(option[4])]
            indent = True
        elif indent and line.startswith('       '):
            out[-1] += (' ' if out[-1].split('\n')[-1].startswith('\t') else '\n\t') + plain(line.strip())
        elif line.startswith('  '):
            words = re.match(r'  (\S.*?)(?:   *(\S.*))?$', line)
            out += ['', '*' + plain(words[1]) + '*'] + (['\t' + plain(words[2])] if words[2] else [])
        else:
            if line and out and out[-1] and not out[-1].startswith(('\t', '#', '*')):
                out[-1] += ' ' + plain(line)
            else:
                out += [plain(line)]
            indent = None
    return out


def row(line):
    return [c.strip() for c in re.split(r'(?<!\\)\|', line.strip().strip('|'))]


def entry(line):
    """A row of a table as a term and its text."""
    cells = row(line)
    return ['', inline(cells[0]), '\t' + ('; '.join(inline(c) for c in cells[1:] if c) or '-')]


def is_head(lines, i):
    """The heading of a table, or the line below it."""
    rule = r'\|[-| :]+\|?$'
    return re.match(rule, lines[i]) or (i + 1 < len(lines) and re.match(rule, lines[i + 1]))


def table_of(path):
    lines = open(path, encoding='utf-8').read().splitlines()
    return sum((entry(line) for i, line in enumerate(lines) if line.startswith('|') and not is_head(lines, i)), [])


def convert(title, summary, path, wanted):
    """Headings, paragraphs, lists, fences and tables; a table's first cell is a term, the others are its text."""
    lines = open(path, encoding='utf-8').read().splitlines()
    out = [title, '', '# NAME', '', title.split('(')[0] + ' - ' + summary]
    fence = keep = not wanted
    fence = False
    for i, line in enumerate(lines):
        if line.startswith('```'):
            if keep:
                out += ['', '```'] if not fence else ['```', '']
            fence = not fence
            continue
        heading = not fence and re.match(r'(#+) (.*)', line)
        if heading:
            if len(heading[1]) == 1:
                if not wanted:
                    out += ['', '# DESCRIPTION', '']
                continue
            keep = not wanted or heading[2] in wanted or (keep and len(heading[1]) > 2)
            if keep:
                name = re.sub(r'[`*]', '', heading[2])
                out += ['', ('# ' + name.upper()) if len(heading[1]) == 2 else '## ' + name, '']
            continue
        if not keep or line.startswith('<!--'):
            continue
        if fence:
            out += [line]
        elif line.startswith('|'):
            if not is_head(lines, i):
                out += entry(line)
        elif line.startswith('    '):
            out += ['\t' + inline(line.strip())]
        elif re.match(r'[*-] ', line):
            out += ['- ' + inline(line[2:])]
        elif re.match(r'  \S', line):
            out += ['  ' + inline(line.strip())]
        else:
            out += [inline(line)]
    return out


def chinese(title, path):
    """The English names of NAME and DESCRIPTION stay: man's index looks for the first."""
    text = open(path, encoding='utf-8').read()
    summary, body = re.search(rf'^## {re.escape(title)}\n\n(.*)\n\n((?:(?!^## ).*\n)*)', text, re.M).groups()
    body = re.sub(r'(?<=[\u4e00-\u9fff，。、；：）])\n(?=[\u4e00-\u9fff（`])', '', body)
    out = [title + '(8)', '', '# NAME', '', title + ' - ' + inline(summary), '', '# 说明', '']
    fence = False
    for line in body.splitlines():
        code = line.startswith('    ')
        if line.strip() and code != fence:
            out += ['```'] if not fence else ['```', '']
            fence = code
        out += [line[4:] if code else inline(line)]
    return out + ['```'] * fence + ['', '# 另见', '', f'完整的英文手册页：*man -L C {title}*']


def tidy(lines):
    """One empty line where there are several; none at the end."""
    out = []
    for line in lines:
        if line.strip() or (out and out[-1]):
            out.append(line.rstrip() if line.strip() else '')
    return '\n'.join(out).rstrip() + '\n'


def main():
    scdoc, what, *args = sys.argv[1:]
    if what == 'convert':
        lines = convert(*args[:3], args[3:])
    elif what == 'chinese':
        lines = chinese(*args)
    else:
        lines = []
        for line in open(args[1], encoding='utf-8').read().splitlines():
            command = re.match(r'@HELP (.*)@$', line)
            table = re.match(r'@TABLE (.*)@$', line)
            lines += of_help(args[0], command[1]) if command else table_of(os.path.join(os.path.dirname(args[1]), '../..', table[1])) if table else [line]
    page = subprocess.run([scdoc], input=tidy(lines), text=True, encoding='utf-8', stdout=subprocess.PIPE)
    text = page.stdout
    if what == 'chinese':
        # groff breaks lines of Chinese only where it is told that it may: between characters, not before a mark.
        text = '\n'.join(line if line.startswith('.') or ' - ' in line else
                         re.sub(r'(?<=[\u4e00-\u9fff，。、；：）])(?=[\u4e00-\u9fff（])', r'\\:', line) for line in text.split('\n'))
    sys.stdout.buffer.write(text.encode())
    sys.exit(page.returncode)


main()
