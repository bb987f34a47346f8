#!/usr/bin/python3
"""Runs cocket and, as a comparison, skopeo, umoci and podman on the hostile corpus; writes RESULTS.md.

  results.py [PROGRAM] [--only NAME...] [--print] [--jobs N]

  skopeo copy   from the layout, archive or registry to dir:
  umoci unpack  of layouts; the only manifest is given a tag first
  podman        pull of a layout, load of an archive; a storage of its own each time
Each in a scratch folder, the only one that can be written to, with limits of time, memory and file size. Needs
root for that; the others are left out without it, and where they are not installed.
"""
import argparse
import concurrent.futures
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../../tools')]
import make  # noqa: E402
import registries  # noqa: E402
import rows  # noqa: E402
import run as corpus_run  # noqa: E402
import watch  # noqa: E402
from cases_registries import CASES as REGISTRIES  # noqa: E402
from corpus import CASES  # noqa: E402

RESULTS = os.path.join(HERE, 'RESULTS.md')
SECONDS, MEMORY, FILE = 30, 4 << 30, 1 << 30
TOOLS = ('skopeo', 'umoci', 'podman')
INTRODUCTION = """# The hostile corpus: what cocket does with each case, and what others do

Written by `tests/hostile/results.py`; `./check` compares the names and cocket's statuses with what it sees.
Exit statuses of cocket: 0 read (what could not be read is said in the report), 3 cannot be had, 4 hostile or
corrupt. *Expected* is what the case demands; a registry's case may end in either of two. Layouts and archives
are scanned, registries are fetched from.

The others are asked for what they are for, not for cocket's judgement: `skopeo copy` copies without
unpacking, so that it accepts what is wrong inside a layer; `umoci unpack` and `podman` unpack it. Their column says
*accepts*, *refuses*, *limit* (ended by the limits of {seconds} s, {memory} GiB of memory or {file} GiB in one file)
or *dies* (by a signal). A dash: not what the tool reads. That a tool accepts a case is no flaw in itself: many
are harmless to it, and the rows say what each is about.

"""


# --- the others -----------------------------------------------------------------------------------

# Root shows the tool a file system that can only be read, but for its scratch folder, which is /mnt there.
ALONE = """mount --bind "$0" /mnt && cd /mnt && mkdir -p tmp run && mount --bind tmp /tmp && mount --bind tmp /var/tmp &&
mount --bind run /run && mount -o remount,bind,ro / && exec "$@" """


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def other(argv, work):
    """Runs in `work` (as /mnt); one word for what became of it."""
    p = subprocess.Popen(['unshare', '-m', '--propagation', 'private', 'bash', '-c', ALONE, work, *argv],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         start_new_session=True, preexec_fn=limits,
                         env={'PATH': os.environ['PATH'], 'HOME': '/mnt', 'TMPDIR': '/tmp', 'LANG': 'C.UTF-8'})
    try:
        _, err = p.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        watch.kill_session(p.pid)
        p.communicate()
        return 'limit'
    if p.returncode == 0:
        return 'accepts'
    if re.search(rb'file too large|cannot allocate memory|out of memory', err, re.I) or p.returncode in (-9, -24, -25):
        return 'limit'
    return 'dies' if p.returncode < 0 or b'\npanic: ' in err or b'\nfatal error: ' in err else 'refuses'


def scratch(folder, tool):
    """A folder with a copy of the case; links to devices stay links."""
    path = os.path.join(folder, 'by-' + tool)
    os.makedirs(path)
    for name in ('oci', 'image.tar', 'image.tar.gz', 'image.tar.xz', 'image.tar.zst'):
        if os.path.lexists(os.path.join(folder, name)):
            subprocess.run(['cp', '-a', os.path.join(folder, name), path], check=True)
    return path


def tagged(layout):
    """The layout's only manifest under the tag x, or None where index.json is no such thing."""
    path = os.path.join(layout, 'index.json')
    try:
        if os.path.islink(path) or os.path.getsize(path) > 16 << 20:
            return None
        with open(path, encoding='utf-8') as f:
            index = json.load(f)
        index['manifests'][0]['annotations'] = {'org.opencontainers.image.ref.name': 'x'}
        index['manifests'][0].pop('platform', None)
        os.unlink(path)
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(index, f)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return layout


def by_skopeo(folder, case):
    return other(['skopeo', '--insecure-policy', 'copy', '-q', case['reference'], 'dir:out'],
                 scratch(folder, 'skopeo'))


def by_umoci(folder, case):
    work = scratch(folder, 'umoci')
    if case['kind'] != 'oci' or not tagged(work + '/oci'):
        return '-'
    return other(['umoci', 'unpack', '--image', 'oci:x', 'bundle'], work)


def by_podman(folder, case):
    work = scratch(folder, 'podman')
    podman = ['podman', '--root', '/mnt/root', '--runroot', '/mnt/run', '--storage-driver', 'vfs', '--network-config-dir',
              '/mnt/run']
    transport, _, path = case['reference'].partition(':')
    if transport == 'oci':
        return other([*podman, 'pull', '-q', case['reference'].replace('oci:', 'oci:/mnt/', 1)], work)
    return other([*podman, 'load', '-q', '-i', path], work)


OTHERS = {'skopeo': by_skopeo, 'umoci': by_umoci, 'podman': by_podman}


def skopeo_registry(shot):
    work = os.path.join(shot.folder, 'by-skopeo')
    os.makedirs(work)
    for name in ('registries.conf', 'auth.json'):
        shutil.copy(os.path.join(shot.home, name), work)
    argv = ['skopeo', '--insecure-policy', '--registries-conf', 'registries.conf', 'copy', '-q', '--src-authfile',
            'auth.json']
    if shot.case['tls']:
        shutil.copytree(os.path.join(shot.home, 'home/.config/containers/certs.d', shot.world.registry.host),
                        work + '/certs')
        argv += ['--src-cert-dir', 'certs']
    word = other([*argv, 'docker://' + shot.world.reference(), 'dir:out'], work)
    return word + (', leaks' if next(shot.world.leaks(), None) else '')


# --- cocket ---------------------------------------------------------------------------------------

def short(text):
    """The last line of what was said, without what differs from run to run, as a cell of a table."""
    lines = [x for x in text.strip().split('\n') if x and not x.startswith('Try:')]
    line = re.sub(r'^cocket: ', '', lines[-1]) if lines else ''
    line = re.sub(r'(127\.0\.0\.\d|\[::1?[^\]]*\]|localhost):\d+', 'HOST', line)
    line = re.sub(r'(sha256[:/][0-9a-f]{8})[0-9a-f]{56}', r'\1', line)
    line = re.sub(r'/tmp/\S+|/var/tmp/\S+', 'PATH', line)
    line = re.sub(r'[^ -~]', '?', line)
    line = re.sub(r'^(oci|docker-archive|oci-archive|rootfs):[^ :]*: ', '', line)
    return (line[:117] + '...' if len(line) > 120 else line).replace('|', '\\|').replace('<', '&lt;')


def run_case(rig, tools, name):
    folder = os.path.join(rig.root, name)
    case, expect = CASES[name], corpus_run.read_expect(folder)
    args = [a for v in expect.get('arg', []) for a in v.split(' ')]
    r = rig.scan(folder, expect['ref'][0], os.path.join(folder, 'xdg'), '--format', 'json', *args)
    row = {'status': r.status, 'says': short(r.err.decode('utf-8', 'replace')) if r.status else gaps(r.out)}
    there = os.path.exists(os.path.join(folder, case['reference'].split(':')[1]))
    for tool in tools:
        usable = there and case['kind'] in make.PUBLISHED and not args
        row[tool] = OTHERS[tool](folder, case) if usable else '-'
    shutil.rmtree(folder, ignore_errors=True)
    return name, row


def gaps(report):
    try:
        found = json.loads(report)['assessment']['gaps']
    except (ValueError, KeyError):
        return ''
    return short(f'gap: {found[0]["what"]}: {found[0]["why"]}') if found else ''


def run_registry(rig, tools, number, name, case, spoil):
    how = 'scan' if case['only'] == 'scan' else 'fetch'
    shot = registries.Shot(rig, os.path.join(rig.root, f'registry-{number}'), case, spoil)
    try:
        r = shot.cocket(how, *case['args'], shot.world.reference())
        row = {'status': r.status, 'says': short(r.err.decode('utf-8', 'replace'))}
    finally:
        shot.close()
    if 'skopeo' in tools:
        shot = registries.Shot(rig, os.path.join(rig.root, f'registry-{number}-s'), case, spoil)
        try:
            row['skopeo'] = skopeo_registry(shot)
        finally:
            shot.close()
    return name, row


# --- the page -------------------------------------------------------------------------------------

def version(tool):
    out = subprocess.run([tool, '--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
    found = re.search(r'\d+\.\d+[0-9A-Za-z.+~-]*', out.decode('utf-8', 'replace'))
    return f'{tool} {found.group() if found else "?"}'


def table_of_rows(seen):
    names = list(CASES)
    yield '| row | what | cases | refused | read |'
    yield '|---|---|---|---|---|'
    for row in sorted(rows.ROWS):
        cases = [n for n in rows.cases_of(row, names, REGISTRIES) if n in seen]
        refused = sum(1 for n in cases if seen[n]['status'] in (3, 4))
        yield (f'| {row} | {rows.ROWS[row][0]} | {len(cases)} | {refused} |'
               f' {sum(1 for n in cases if seen[n]["status"] == 0)} |')
    for row, why in sorted(rows.ELSEWHERE.items()):
        yield f'| {row} | *{why}* | | | |'


def table_of_cases(entries, seen, tools):
    yield '| case | row | expected | cocket | says | ' + ' | '.join(tools) + ' |'
    yield '|---' * (5 + len(tools)) + '|'
    for e in entries:
        if e['name'] in seen:
            s = seen[e['name']]
            yield (f'| {e["name"]} | {", ".join(map(str, e["rows"]))} | {e["status"]} | {s["status"]} | {s["says"]} | '
                   + ' | '.join(s.get(t, '-') for t in tools) + ' |')


def page(entries, seen, tools):
    registry = [e for e in entries if e['kind'] == 'registry']
    files = [e for e in entries if e['kind'] != 'registry']
    out = [INTRODUCTION.format(seconds=SECONDS, memory=MEMORY >> 30, file=FILE >> 30)
           + 'Compared: ' + ', '.join(version(t) for t in tools) + '.\n', '## By row\n',
           *table_of_rows(seen), '\n## Layouts, archives and trees\n', *table_of_cases(files, seen, tools),
           '\n## Registries\n\nUnder *skopeo*, "leaks" says that a credential reached a host it was not for.\n',
           *table_of_cases([e for e in registry if not e['name'].startswith('lie-')], seen,
                           [t for t in tools if t == 'skopeo']),
           '\n## Every digest, size and type a lie\n',
           *table_of_cases([e for e in registry if e['name'].startswith('lie-')], seen,
                           [t for t in tools if t == 'skopeo'])]
    return '\n'.join(out) + '\n'


def read_results():
    """name -> cocket's status, of RESULTS.md."""
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS, encoding='utf-8') as f:
        found = re.findall(r'(?m)^\| ((?:should|lie)-[a-z0-9.+-]+) \| [0-9, ]*\| [0-9,]+ \| (-?\d+) \|', f.read())
    return {name: int(status) for name, status in found}


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument('program', nargs='?', default=os.path.join(HERE, '../../build/cocket'))
    ap.add_argument('--only', nargs='*', default=[])
    ap.add_argument('--print', action='store_true')
    ap.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)))
    args = ap.parse_args()
    tools = [t for t in TOOLS if shutil.which(t) and os.getuid() == 0]
    # not on a tmpfs: what is unpacked may be large
    root = tempfile.mkdtemp(prefix='cocket-results-', dir='/var/tmp')
    seen = {}
    try:
        for name in sorted(CASES):
            make.build(root, name)
        entries = list(make.entries())
        rig = corpus_run.Rig(args.program, root)
        if rig.make_database().status:
            sys.exit('no database could be built')
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            todo = [pool.submit(run_case, rig, tools, n) for n in sorted(CASES) if not args.only or n in args.only]
            todo += [pool.submit(run_registry, rig, tools, i, *j)
                     for i, j in enumerate(registries.jobs(args.only))]
            for t in todo:
                name, row = t.result()
                seen[name] = row
                print(name, row['status'], *(row.get(t, '-') for t in tools), file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    text = page(entries, seen, tools)
    if args.print or args.only:
        print(text)
        return
    with open(RESULTS, 'w', encoding='utf-8') as f:
        f.write(text)


if __name__ == '__main__':
    main()
