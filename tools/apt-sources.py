#!/usr/bin/python3
"""Says which Debian archive this machine's apt uses: lines "main URI SUITE", "security URI SUITE".

Reads deb822 (.sources) and one-line (.list) files. Where no source names the security suite it is
derived from the main one in the usual way: URI + "-security", suite + "-security".
  apt-sources.py [--suite NAME] [ETC-APT]     NAME in place of the machine's own release
"""
import glob
import os
import re
import sys

WEB = ('http://', 'https://')


def deb822(text):
    """(types, uris, suites, components) of each enabled stanza."""
    for stanza in re.split(r'\n[ \t]*\n', re.sub(r'(?m)^#.*\n?', '', text)):
        fields = {}
        for line in re.sub(r'\n[ \t]+', ' ', stanza).split('\n'):
            key, colon, value = line.partition(':')
            if colon:
                fields[key.strip().lower()] = value.split()
        if fields.get('enabled', ['yes'])[0].lower() not in ('no', 'false', 'off', '0'):
            yield [fields.get(k, []) for k in ('types', 'uris', 'suites', 'components')]


def one_line(text):
    for line in text.split('\n'):
        m = re.match(r'\s*(deb)\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)', line)
        if m:
            yield [['deb'], [m.group(2)], [m.group(3)], m.group(4).split()]


def sources(etc):
    """(uri, suite) of every binary source with the component main."""
    files = [os.path.join(etc, 'sources.list')] + sorted(glob.glob(etc + '/sources.list.d/*.list'))
    files += sorted(glob.glob(etc + '/sources.list.d/*.sources'))
    for path in files:
        try:
            with open(path, encoding='utf-8', errors='replace') as f:
                text = f.read()
        except OSError:
            continue
        for types, uris, suites, parts in (deb822 if path.endswith('.sources') else one_line)(text):
            if 'deb' not in types or not set(parts) & {'main', 'updates/main'}:
                continue
            yield from ((u.rstrip('/'), s.rstrip('/')) for u in uris for s in suites
                        if u.startswith(WEB))


def codename():
    with open('/etc/os-release', encoding='utf-8') as f:
        m = re.search(r'(?m)^VERSION_CODENAME="?([a-z]+)', f.read())
    return m.group(1) if m else 'stable'


def pick(found, suites):
    """The first source of these suites, one that is called "debian..." before others'."""
    have = [(u, s) for u, s in found if s in suites]
    have.sort(key=lambda x: not re.search(r'/debian(-security)?$', x[0]))
    return have[0] if have else None


def main():
    args, suite = sys.argv[1:], None
    if args[:1] == ['--suite']:
        suite, args = args[1], args[2:]
    found = list(sources(args[0] if args else '/etc/apt'))
    own = codename()
    release = suite or own
    first = pick(found, [own]) or pick(found, ['stable', 'oldstable', 'testing'])
    if not first:
        sys.exit('the apt sources of this machine name no Debian archive')
    main_uri, main_suite = first
    second = pick(found, [f'{own}-security', f'{own}/updates', f'{main_suite}-security'])
    security_uri = second[0] if second else re.sub(r'/debian$', '/debian-security', main_uri)
    if not second and security_uri == main_uri:
        security_uri = main_uri + '-security'
    security_suite = second[1] if second and release == own else release + '-security'
    print('main', main_uri, release if suite else main_suite)
    print('security', security_uri, security_suite)


if __name__ == '__main__':
    main()
