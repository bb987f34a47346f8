#!/usr/bin/python3
"""Runs the hostile corpus against a program: `run.sh PROGRAM [--only NAME...] [--keep DIR]`.

Every case is scanned in both formats and judged by its `expect` (make.py says what that holds); no case
may take more than its time and memory, crash, print a raw control character, leave a process behind
or write outside the XDG folders. Then a good image is cut short and its bits are flipped at seeded places.
The hostile registries (registries.py) are run as well, and what is seen is compared with RESULTS.md.
Prints `ok NAME` or `not ok NAME - why` lines; exit status 1 if any failed.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../../tools')]
import watch  # noqa: E402

SECONDS, BUDGET = 10, 160 << 20
SANITIZER = re.compile(rb'(Address|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:')
# What must not reach a terminal: C0 without newline, DEL, and C1 as UTF-8. JSON may hold DEL and C1.
RAW_TABLE = re.compile(rb'[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]')
RAW_JSON = re.compile(rb'[\x00-\x09\x0b-\x1f]')


class Rig:
    def __init__(self, program, root):
        self.program = os.path.abspath(program)
        self.root, self.database = root, None
        self.statuses = {}  # of the cases that were scanned
        with open(program, 'rb') as f:
            self.asan = b'__asan_init' in f.read()
        self.seconds = SECONDS * (6 if self.asan else 1)

    def environment(self, home):
        """A home with nothing in it; only the XDG folders may be written to."""
        for d in ('home', 'cache', 'data', 'tmp'):
            os.makedirs(os.path.join(home, d), exist_ok=True)
        return {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8', 'HOME': home + '/home',
                'XDG_CACHE_HOME': home + '/cache', 'XDG_DATA_HOME': home + '/data',
                'XDG_CONFIG_HOME': home + '/home/.config', 'TMPDIR': home + '/tmp',
                'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0:exitcode=99',
                'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1:exitcode=99'}

    def make_database(self):
        """One advisory for each distribution of the corpus, built while all of them had support."""
        feed = os.path.join(self.root, 'feed')
        os.makedirs(feed)
        for i, ecosystem in enumerate(('Debian:12', 'Alpine:v3.18', 'AlmaLinux:8')):
            name = f'TEST-2026-{i}'
            with open(os.path.join(feed, name + '.json'), 'w', encoding='utf-8') as f:
                json.dump({'schema_version': '1.7.0', 'id': name, 'modified': '2026-01-01T00:00:00Z',
                           'affected': [{'package': {'ecosystem': ecosystem, 'name': 'nothing'},
                                         'ranges': [{'type': 'ECOSYSTEM', 'events': [
                                             {'introduced': '0'}, {'fixed': '1'}]}]}]}, f)
        self.database = os.path.join(self.root, 'advisories.db')
        return watch.run([self.program, 'db', 'build', '-o', self.database, '--feed', 'osv=' + feed],
                         timeout=self.seconds, env={**self.environment(os.path.join(self.root, 'home')),
                                                    'SOURCE_DATE_EPOCH': '1700000000'})

    def scan(self, folder, ref, home, *args):
        return watch.run([self.program, 'scan', '--db', self.database, *args, ref], timeout=self.seconds, cwd=folder,
                         env=self.environment(home))

    def crashed(self, r, seconds=None, budget=BUDGET):
        """Why a run is a failure whatever it was asked; None where it is not."""
        if r.timed_out:
            return f'took more than {seconds or self.seconds} s'
        if r.status < 0:
            return f'killed by signal {-r.status}'
        if SANITIZER.search(r.err) or r.status == 99:
            return 'sanitizer: ' + tail(r.err)
        if r.status == 5 or r.status > 5:
            return f'exit status {r.status}: {tail(r.err)}'
        if r.peak > budget and not self.asan:
            return f'peak memory {r.peak >> 20} MiB'
        return None


def tail(err):
    return ' / '.join(err.decode('utf-8', 'replace').strip().split('\n')[-2:])[:300]


def listing(folder):
    """Every name below a folder with its kind and size, but the XDG folders."""
    out = set()
    for base, dirs, files in os.walk(folder):
        dirs[:] = [d for d in dirs if not (os.path.basename(base) == 'xdg' and d in ('cache', 'data'))]
        for n in dirs + files:
            st = os.lstat(os.path.join(base, n))
            out.add((os.path.join(base, n), st.st_mode, st.st_size if n in files else 0))
    return out


def read_expect(folder):
    expect = {}
    with open(os.path.join(folder, 'expect')) as f:
        for line in f:
            key, _, value = line.rstrip('\n').partition(' ')
            expect.setdefault(key, []).append(value)
    return expect


def layer_of(report, package):
    """A package's layer as a number, whether the report gives a number, a digest or a diff_id."""
    value = package.get('layer')
    if isinstance(value, int) or value is None:
        return value
    if isinstance(value, dict):
        value = value.get('diffId') or value.get('digest')
    for i, layer in enumerate(report['image']['layers']):
        if value in (layer.get('digest'), layer.get('diffId')):
            return i
    return value


def judge_packages(expect, report):
    have = {}
    for p in report['packages']:
        have.setdefault(p['name'], []).append(p)
    for want in expect.get('package', []):
        name, version, *layer = want.split(' ')
        same = [p for p in have.get(name, []) if p['version'] == version]
        if not same:
            return f'no package {name} {version}: {[(p["name"], p["version"]) for p in report["packages"]][:5]}'
        if layer and layer_of(report, same[0]) not in (int(layer[0]), layer[0]):
            return f'{name} is said to come from layer {layer_of(report, same[0])}, not {layer[0]}'
    for name in expect.get('no-package', []):
        if name in have:
            return f'package {name} is listed'
    if 'packages' in expect and len(report['packages']) != int(expect['packages'][0]):
        return f'{len(report["packages"])} packages, not {expect["packages"][0]}'
    return None


def judge_report(expect, report):
    why = judge_packages(expect, report)
    if why:
        return why
    distro = report['distro'] or {}
    if 'distro' in expect and f'{distro.get("id")} {distro.get("versionId")}' != expect['distro'][0]:
        return f'distro is {distro.get("id")} {distro.get("versionId")}'
    gaps = [f'{g["what"]}: {g["why"]}' for g in report['assessment']['gaps']]
    if bool(gaps) == report['assessment']['complete']:
        return f'complete is {report["assessment"]["complete"]} with {len(gaps)} gaps'
    if expect.get('complete') == ['false'] and not gaps:
        return 'no gap is named'
    if expect.get('complete') == ['true'] and gaps:
        return f'not complete: {gaps}'
    for pattern in expect.get('gap', []):
        if not any(re.search(pattern, g, re.I) for g in gaps):
            return f'no gap says {pattern}: {gaps}'
    return None


def judge(rig, expect, js, table):
    for r in (js, table):
        why = rig.crashed(r)
        if why:
            return why
        if str(r.status) not in expect['status'][0].split(','):
            return f'exit status {r.status}, not {expect["status"][0]}: {tail(r.err)}'
        raw = (RAW_JSON if r is js else RAW_TABLE).search(r.out) or RAW_TABLE.search(r.err)
        if raw:
            return f'raw control character {raw.group()!r} in the output'
        for pattern in expect.get('reason', []):
            if not re.search(pattern, (r.out + r.err).decode('utf-8', 'replace'), re.I):
                return f'the reason does not say {pattern}: {tail(r.err)}'
    if js.status:
        return None
    try:
        report = json.loads(js.out)
    except ValueError as e:
        return f'the report is no JSON: {e}'
    return judge_report(expect, report)


def run_case(rig, name):
    folder = os.path.join(rig.root, name)
    home = os.path.join(folder, 'xdg')
    expect = read_expect(folder)
    extra = [a for v in expect.get('arg', []) for a in v.split(' ')]
    rig.environment(home)
    before = listing(folder)
    js = rig.scan(folder, expect['ref'][0], home, '--format', 'json', *extra)
    table = rig.scan(folder, expect['ref'][0], home, '--no-cache', *extra)
    rig.statuses[name] = js.status
    why = judge(rig, expect, js, table)
    if not why:
        changed = listing(folder) ^ before
        why = f'written outside the store: {sorted(changed)[0][0]}' if changed else None
    shutil.rmtree(folder, ignore_errors=True)
    return name, why, max(js.peak, table.peak), max(js.wall, table.wall)


# --- mutations ----------------------------------------------------------------------------------

def mutations(data, rng, n):
    """(how, bytes) pairs: cut at n places, a bit flipped at n places."""
    for _ in range(n):
        at = rng.randrange(len(data))
        yield f'cut-at-{at}', data[:at]
    for _ in range(n):
        bit = rng.randrange(len(data) * 8)
        b = bytearray(data)
        b[bit // 8] ^= 1 << bit % 8
        yield f'flip-bit-{bit}', bytes(b)


def mutation_jobs(n):
    """(name, files of the layout, allowed statuses) for every blob and document of a good image.

    What a digest binds must be refused. The top documents are bound by nothing: a flipped bit there may
    leave a legal document, but never a crash."""
    from cases_manifests import good_image
    files = good_image().files()
    rng = random.Random(20260101)
    for path in sorted(files):
        bound = path.startswith('blobs/')
        for how, data in mutations(files[path], rng, n):
            allowed = (4,) if bound or how.startswith('cut') else (0, 3, 4)
            short = path.replace('blobs/sha256/', '')[:12]
            yield f'mutation-{short}-{how}', {**files, path: data}, allowed


def archive_jobs(n):
    """The same for archives, which nothing binds as a whole."""
    from cases_archives import docker
    from corpus import archive
    from cases_manifests import good_image
    rng = random.Random(20260102)
    for kind, data in (('docker-archive', archive(docker())),
                       ('oci-archive', archive(sorted(good_image().files().items())))):
        for how, changed in mutations(data, rng, n):
            yield f'mutation-{kind}-{how}', kind, changed


def run_mutation(rig, number, job):
    name, what, rest = job
    folder = os.path.join(rig.root, 'mutation-%d' % number)
    if isinstance(what, dict):
        allowed, ref = rest, 'oci:oci'
        for path, data in what.items():
            path = os.path.join(folder, 'oci', path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(data)
    else:
        allowed, ref = (0, 3, 4), what + ':image.tar'
        os.makedirs(folder)
        with open(os.path.join(folder, 'image.tar'), 'wb') as f:
            f.write(rest)
    r = rig.scan(folder, ref, os.path.join(folder, 'xdg'), '--format', 'json')
    why = rig.crashed(r)
    if not why and r.status not in allowed:
        why = f'exit status {r.status}, not {allowed}: {tail(r.err)}'
    if not why and r.status and not r.err.strip():
        why = 'refused without a word'
    shutil.rmtree(folder, ignore_errors=True)
    return name, why, r.peak, r.wall


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('program')
    ap.add_argument('--only', nargs='*', default=[])
    ap.add_argument('--keep', help='build the corpus here and leave it')
    ap.add_argument('--mutations', type=int, default=12, help='cuts and flips per document')
    ap.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)))
    args = ap.parse_args()
    root = args.keep or tempfile.mkdtemp(prefix='cocket-hostile-')
    failed = 0
    try:
        subprocess.run([sys.executable, os.path.join(HERE, 'make.py'), root, *args.only], check=True)
        names = sorted(n for n in os.listdir(root) if os.path.exists(os.path.join(root, n, 'expect')))
        if args.keep:  # judged on a copy: a run clears up behind itself
            copy = tempfile.mkdtemp(prefix='cocket-hostile-')
            subprocess.run(['cp', '-a', root + '/.', copy], check=True)
            root = copy
        rig = Rig(args.program, root)
        built = rig.make_database()
        if built.status:
            print(f'not ok database - exit status {built.status}: {tail(built.err)}')
        failed = bool(built.status) + run_all(rig, args, names)
    finally:
        if root != args.keep:
            shutil.rmtree(root, ignore_errors=True)
    sys.exit(1 if failed else 0)


def outdated(rig):
    """What RESULTS.md says otherwise than what was seen."""
    import results
    listed = results.read_results()
    for name, status in sorted(rig.statuses.items()):
        if listed.get(name) != status:
            yield f'{name} has status {status}, not {listed.get(name)}'


def run_all(rig, args, names):
    import registries  # which needs this module
    failed, peak, slowest = 0, (0, ''), (0.0, '')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        todo = [pool.submit(run_case, rig, n) for n in names]
        if not args.only:
            jobs = list(mutation_jobs(args.mutations)) + list(archive_jobs(args.mutations * 3))
            todo += [pool.submit(run_mutation, rig, i, j) for i, j in enumerate(jobs)]
        # these wait more than they work
        many = concurrent.futures.ThreadPoolExecutor(args.jobs * 2)
        todo += [many.submit(registries.run_registry, rig, i, *j)
                 for i, j in enumerate(registries.jobs(args.only))]
        for t in todo:
            name, why, mem, wall = t.result()
            failed += bool(why)
            peak, slowest = max(peak, (mem, name)), max(slowest, (wall, name))
            print(f'not ok {name} - {why}' if why else f'ok {name}', flush=True)
    if not args.only:
        old = next(outdated(rig), None)
        failed += bool(old)
        print(f'not ok RESULTS.md - {old}; run tests/hostile/results.py' if old else 'ok RESULTS.md')
    print(f'# peak memory {peak[0] >> 20} MiB ({peak[1]}); slowest {slowest[0]:.1f} s ({slowest[1]})')
    return failed


if __name__ == '__main__':
    main()
