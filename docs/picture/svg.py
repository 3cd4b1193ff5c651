#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A terminal's screen (text with SGR sequences, on stdin) as an SVG on stdout: svg.py COLUMNS LINES [dark|light]"""
import re
import sys
import unicodedata
from html import escape

WIDTH, HEIGHT, PAD = 8.4, 17, 14
# Ground, ink, and the 16 colours that are the terminal's own.
TERMINALS = {
    'dark': ('#16181d', '#d5d8df',
             ['#1d1f26', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#c8ccd4',
              '#6b7280', '#ff8a93', '#b5e08f', '#ffd68a', '#82c5ff', '#dd9bf0', '#7fd7e0', '#ffffff']),
    'light': ('#fdfcf8', '#22272e',
              ['#22272e', '#b3261e', '#2f6f2f', '#8a5a00', '#1f5fa8', '#8a2a8a', '#0f6a72', '#d8d8d2',
               '#6b7280', '#d0342c', '#3f8f3f', '#a87000', '#2f78cf', '#a83fa8', '#1f8a94', '#ffffff']),
}
GROUND, INK, PALETTE = TERMINALS[sys.argv[3] if len(sys.argv) > 3 else 'dark']


def colour(n):
    if n < 16:
        return PALETTE[n]
    if n >= 232:
        return '#' + f'{(n - 232) * 10 + 8:02x}' * 3
    n -= 16
    return '#' + ''.join(f'{0 if v == 0 else 55 + 40 * v:02x}' for v in (n // 36, n // 6 % 6, n % 6))


class Pen:
    """What SGR sequences have set."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.ink = self.ground = None
        self.bold = self.dim = self.under = self.reverse = False

    def take(self, codes):
        codes = [int(c or 0) for c in re.split('[;:]', codes)]
        while codes:
            c = codes.pop(0)
            if c == 0:
                self.reset()
            elif c in (1, 2, 4, 7):
                setattr(self, {1: 'bold', 2: 'dim', 4: 'under', 7: 'reverse'}[c], True)
            elif c in (22, 24, 27):
                self.bold, self.dim = (False, False) if c == 22 else (self.bold, self.dim)
                self.under = self.under and c != 24
                self.reverse = self.reverse and c != 27
            elif c in (38, 48):
                if codes.pop(0) == 5:
                    value = colour(codes.pop(0))
                else:
                    value = '#' + ''.join(f'{v:02x}' for v in codes[:3])
                    del codes[:3]
                setattr(self, 'ink' if c == 38 else 'ground', value)
            elif c in (39, 49):
                setattr(self, 'ink' if c == 39 else 'ground', None)
            elif 30 <= c <= 37 or 90 <= c <= 97:
                self.ink = PALETTE[c - 30 if c < 90 else c - 82]
            elif 40 <= c <= 47 or 100 <= c <= 107:
                self.ground = PALETTE[c - 40 if c < 100 else c - 92]

    def style(self):
        ink, ground = self.ink or INK, self.ground
        if self.reverse:
            ink, ground = ground or GROUND, self.ink or INK
        return ink, ground, self.bold, self.dim, self.under


def cells(line, pen):
    """Each cell's character and style."""
    for sgr, other, char in re.findall(r'\x1b\[([\d;:]*)m|(\x1b[^m]*?[A-Za-z\\])|(.)', line):
        if char:
            yield char, pen.style()
            if unicodedata.east_asian_width(char) in 'WF':
                yield '', pen.style()
        elif not other:
            pen.take(sgr)


def kind(char):
    """Blocks and braille are drawn, whatever the reader's fonts hold."""
    return 'block' if '\u2581' <= char <= '\u2588' else 'braille' if '\u2800' <= char <= '\u28ff' else 'text'


def runs(line, pen):
    """Cells that look the same, with the column of the first."""
    out = []
    for at, (char, style) in enumerate(cells(line, pen)):
        if out and out[-1][2] == style and (kind(char) == out[-1][3] or char == ' '):
            out[-1][1] += char
        else:
            out.append([at, char, style, kind(char)])
    return out


def drawn(text, x, y, what):
    """The path of blocks (eighths of a line), or of braille's dots."""
    path = ''
    for n, char in enumerate(text):
        left = x + n * WIDTH
        if what == 'block' and char != ' ':
            height = (ord(char) - 0x2580) * (HEIGHT - 2) / 8
            path += f'M{left:.1f} {y + HEIGHT:.1f}v{-height:.1f}h{WIDTH:.1f}v{height:.1f}z'
        elif what == 'braille' and char != ' ':
            for bit, (dx, dy) in enumerate(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))):
                if ord(char) >> bit & 1:
                    path += f'M{left + 1 + dx * WIDTH / 2:.1f} {y + 1 + dy * HEIGHT / 4:.1f}h2.4v2.4h-2.4z'
    return path


def show(at, row, text, style, what):
    ink, ground, bold, dim, under = style
    x, y = PAD + at * WIDTH, PAD + row * HEIGHT
    more = ' opacity="0.6"' * dim
    if ground:
        print(f'<rect x="{x:.1f}" y="{y}" width="{len(text) * WIDTH:.1f}" height="{HEIGHT}" fill="{ground}"/>')
    if what != 'text':
        print(f'<path fill="{ink}"{more} d="{drawn(text, x, y, what)}"/>')
        return
    more += ' font-weight="bold"' * bold + ' text-decoration="underline"' * under
    # Words one by one: leading spaces, and fonts of other widths, move nothing.
    for word in re.finditer(r'\S+(?: \S+)*', text):
        print(f'<text x="{x + word.start() * WIDTH:.1f}" y="{y + 13}" fill="{ink}" textLength="{len(word[0]) * WIDTH:.1f}"{more}>'
              f'{escape(word[0])}</text>')


def main():
    columns, lines = int(sys.argv[1]), int(sys.argv[2])
    pen = Pen()
    w, h = columns * WIDTH + 2 * PAD, lines * HEIGHT + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h}" viewBox="0 0 {w:.0f} {h}">')
    print('<!-- SPDX-License-Identifier: BSD-2-Clause; made by docs/picture/make -->')
    print(f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>')
    print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">')
    for row, line in enumerate(sys.stdin.read().split('\n')[:lines]):
        for run in runs(line, pen):
            show(run[0], row, *run[1:])
    print('</g>\n</svg>')


main()
