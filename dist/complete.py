#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion for a shell, from what the program says of itself: complete.py bash|zsh|fish NETPROBE"""
import re
import subprocess
import sys

OPTION = re.compile(r'  (?:-(\S)(?:, )?|    )(--[a-z0-9-]+)?(?: (\S+(?: \S+)*?))?(?:  +(\S.*))?$')


def said(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()


def options(program, *command):
    """(short, long, what it takes, text) of each."""
    out = []
    for line in said(program, 'help', *command, 'all'):
        found = OPTION.match(line)
        if found and re.match(r'  (-\S|    --)', line):
            out.append([found[1], found[2], found[3] or '', found[4] or ''])
        elif out and re.match(r' {14,}\S', line) and not out[-1][3].endswith('.'):
            out[-1][3] = (out[-1][3] + ' ' + line.strip()).strip()
    return out


def words(program, *command):
    """Commands or verbs with their texts."""
    out, on = [], False
    for line in said(program, 'help', *command):
        if re.match(r'(Commands|Verbs)\b.*:$', line):
            on = True
        elif not line:
            on = False
        elif on:
            found = re.match(r'  (\S+) +(.*)', line)
            out.append((found[1], found[2]))
    return out


def verbs_of_guard(program):
    """None in a build without eBPF, which says so instead of a help."""
    try:
        return words(program, 'guard')
    except subprocess.CalledProcessError:
        return []


def value_words(takes, text, program):
    """What an option takes, where it is one of a few: "--mode a|b", a text like "a, b or c", a list that the program has."""
    if re.fullmatch(r'[a-z0-9_]+(\|[a-z0-9_]+)+', takes):
        return takes.split('|')
    few = re.match(r'(?:only this protocol: )?([a-z]+(?:, [a-z]+)*(?: or [a-z]+|, \.\.\.)).*$', text)
    if few:
        return [w for w in re.findall('[a-z]+', few[1]) if w != 'or']
    if takes.startswith('TYPE'):
        types = said(program, 'events', '--type', 'list')
        return sorted(set(types) | {t.split('.')[0] for t in types})
    return []


def table(program):
    """{'top': (options, verbs), 'guard ban': ...}"""
    out = {}
    for command, _ in words(program):
        verbs = verbs_of_guard(program) if command == 'guard' else []
        if command not in ('help', 'version', 'guard'):
            out[command] = options(program, command)
        for verb, _ in verbs:
            out['guard ' + verb] = options(program, 'guard', verb)
    return out


CTL = ['list', 'get', 'set', 'stats']
# bash expands the words that it gets: names that mean something to it are left out.
INTERFACES = "$(command ls /sys/class/net 2>/dev/null | grep -x '[A-Za-z0-9._-]*')"


def bash(program):
    commands = ' '.join(c for c, _ in words(program))
    verbs = ' '.join(v for v, _ in verbs_of_guard(program))
    print('# bash completion for netprobe\n_netprobe() {\n'
          '\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=top options='' i\n'
          '\tfor ((i = 1; i < COMP_CWORD; i++)); do\n'
          '\t\tcase ${COMP_WORDS[i]} in\n\t\t-*) ;;\n\t\t*)\n'
          '\t\t\t[[ $i -eq 1 ]] && command=${COMP_WORDS[i]}\n'
          '\t\t\t[[ $i -eq 2 && $command == guard ]] && command="guard ${COMP_WORDS[i]}"\n'
          '\t\t\t;;\n\t\tesac\n\tdone')
    print('\tcase "$command" in\n\tguard | help)\n\t\t[[ $command == guard || ${COMP_WORDS[2]} == guard ]] &&\n'
          f"\t\t\tCOMPREPLY=($(compgen -W '{verbs} --help' -- \"$cur\")) && return\n"
          f"\t\tCOMPREPLY=($(compgen -W '{commands}' -- \"$cur\"))\n\t\treturn\n\t\t;;")
    for command, rows in table(program).items():
        every = ' '.join(n for r in rows for n in (r[1], '-' + r[0] if r[0] and not r[1] else None) if n)
        print(f'\t"{command}")\n\t\toptions=\'{every}\'\n\t\tcase $prev in')
        for short, name, takes, text in rows:
            names = ' | '.join(n for n in ('-' + short if short else None, name) if n)
            values = value_words(takes, text, program)
            if values:
                print(f"\t\t{names}) COMPREPLY=($(compgen -W '{' '.join(values)}' -- \"$cur\")) && return ;;")
            elif takes == 'IF':
                print(f'\t\t{names}) COMPREPLY=($(compgen -W "{INTERFACES}" -- "$cur")) && return ;;')
            elif takes in ('FILE', 'PATH'):
                print(f'\t\t{names}) COMPREPLY=($(compgen -f -- "$cur")) && return ;;')
            elif takes:
                print(f'\t\t{names}) return ;;')
        print('\t\tesac')
        if command == 'ctl':
            print(f"\t\toptions+=' {' '.join(CTL)}'")
        if command in ('guard attach', 'guard detach'):
            print(f'\t\toptions+=" {INTERFACES}"')
        print('\t\t;;')
    print('\tesac\n'
          f"\t[[ $COMP_CWORD -eq 1 && $cur != -* ]] && options='{commands}'\n"
          '\tCOMPREPLY=($(compgen -W "$options" -- "$cur"))\n}\ncomplete -F _netprobe netprobe')


def quoted(text):
    return text.replace("'", "'\\''")


def zsh(program):
    print('#compdef netprobe\n# zsh completion for netprobe\n\n_netprobe() {\n\tlocal curcontext="$curcontext" command=top\n'
          '\tif ((CURRENT == 2)) && [[ ${words[2]} != -* ]]; then\n\t\tlocal -a commands=(')
    for command, text in words(program):
        print(f"\t\t\t'{command}:{quoted(text)}'")
    print('\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n'
          '\t[[ ${words[2]} != -* ]] && command=${words[2]}\n'
          '\tif [[ $command == help ]] && ((CURRENT == 3)); then')
    print(f"\t\tcompadd {' '.join(c for c, _ in words(program))}\n\t\treturn\n\tfi")
    print('\tif [[ $command == guard ]]; then\n\t\tif ((CURRENT == 3)); then\n\t\t\tlocal -a verbs=(')
    for verb, text in verbs_of_guard(program):
        print(f"\t\t\t\t'{verb}:{quoted(text)}'")
    print('\t\t\t)\n\t\t\t_describe verb verbs\n\t\t\treturn\n\t\tfi\n\t\tcommand="guard ${words[3]}"\n\tfi\n\tcase $command in')
    for command, rows in table(program).items():
        print(f"\t'{command}')\n\t\t_arguments \\")
        for short, name, takes, text in rows:
            values = ' '.join(value_words(takes, text, program))
            text = quoted(re.sub(r'([][:])', r'\\\1', text))
            action = ''
            if takes:
                action = ':' + takes.replace(':', '\\:').replace('[', '').replace(']', '') + ':' + (
                    f'({values})' if values else '_files' if takes in ('FILE', 'PATH') else
                    '_net_interfaces' if takes == 'IF' else '')
                action = quoted(action)
            for n in (('-' + short if short else None), name):
                if n:
                    print(f"\t\t\t'*{n}[{text}]{action}' \\")
        if command == 'ctl':
            print(f"\t\t\t'1:verb:({' '.join(CTL)})' \\")
        elif command in ('guard attach', 'guard detach'):
            print("\t\t\t'*:interface:_net_interfaces' \\")
        print('\t\t\t&& return\n\t\t;;')
    print('\tesac\n}\n\n_netprobe "$@"')


def fish(program):
    print('# fish completion for netprobe\ncomplete -c netprobe -f')
    every = [c for c, _ in words(program)]
    for command, text in words(program):
        print(f"complete -c netprobe -n __fish_use_subcommand -a {command} -d '{fish_quoted(text)}'")
    print(f"complete -c netprobe -n '__fish_seen_subcommand_from help' -a '{' '.join(every)}'")
    verbs = verbs_of_guard(program)
    seen = ' '.join(v for v, _ in verbs)
    for verb, text in verbs:
        print(f"complete -c netprobe -n '__fish_seen_subcommand_from guard; and not __fish_seen_subcommand_from {seen}' "
              f"-a {verb} -d '{fish_quoted(text)}'")
    print(f"complete -c netprobe -n '__fish_seen_subcommand_from ctl' -a '{' '.join(CTL)}'")
    for command, rows in table(program).items():
        where = '; and '.join('__fish_seen_subcommand_from ' + w for w in command.split())
        if command == 'top':
            where = 'not __fish_seen_subcommand_from ' + ' '.join(c for c in every if c != 'top')
        for short, name, takes, text in rows:
            line = f"complete -c netprobe -n '{where}'"
            line += (f' -s {short}' if short else '') + (f' -l {name[2:]}' if name else '')
            values = value_words(takes, text, program)
            if values:
                line += f" -x -a '{' '.join(values)}'"
            elif takes in ('FILE', 'PATH'):
                line += ' -r -F'
            elif takes == 'IF':
                line += " -x -a '(command ls /sys/class/net)'"
            elif takes:
                line += ' -x'
            print(line + f" -d '{fish_quoted(text)}'")


def fish_quoted(text):
    return text.replace('\\', '\\\\').replace("'", "\\'")


{'bash': bash, 'zsh': zsh, 'fish': fish}[sys.argv[1]](sys.argv[2])
