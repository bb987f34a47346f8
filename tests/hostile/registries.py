#!/usr/bin/python3
"""Hostile registries against a program: `registries.py PROGRAM [--only NAME...]`; also part of run.py.

Every case of cases_registries.py and every lie of lies.py is fetched and scanned. Beside the exit status
and the reason it is judged that no secret reached another host or stayed in a file or was printed,
that nothing was written outside the XDG folders, that each blob in the store is what its name says, that
`cocket fsck` finds nothing wrong, that what failed was not acknowledged, and that time and memory were kept.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../../tools')]
import run as corpus_run  # noqa: E402
import watch  # noqa: E402
from cases_registries import CASES  # noqa: E402
from forge import Image  # noqa: E402
from lies import honest, lies  # noqa: E402
from registry import SECRETS, World  # noqa: E402

BUDGET = 200 << 20


class Shot:
    """One world and one client: a case's fetch, or its scan."""

    def __init__(self, rig, folder, case, make):
        self.rig, self.folder, self.case = rig, folder, case
        self.home = os.path.join(folder, 'xdg')
        os.makedirs(folder)
        image = case['image']()
        self.world = World(image if isinstance(image, Image) else honest(), os.path.join(rig.root, 'ca'),
                           case['tls'])
        self.world.auth = case['auth']
        make(self.world)
        self.env = rig.environment(self.home)
        self.env.update(self.world.write_config(self.home))
        os.makedirs(self.home + '/run', exist_ok=True)
        self.seconds = case['seconds'] * (6 if rig.asan else 1)
        self.runs = []

    def cocket(self, *args):
        r = watch.run([self.rig.program, *args], timeout=self.seconds, env=self.env, cwd=self.folder)
        self.runs.append(r)
        return r

    def store(self):
        return self.env['COCKET_STORE']

    def close(self):
        self.world.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def said(r):
    return (r.out + r.err).decode('utf-8', 'replace')


def wrong_blobs(store):
    """Files under a valid name that are not what the name says."""
    for base, dirs, files in os.walk(os.path.join(store, 'blobs')):
        for n in files:
            if re.fullmatch('[0-9a-f]{64}', n):
                with open(os.path.join(base, n), 'rb') as f:
                    if hashlib.sha256(f.read()).hexdigest() != n:
                        yield n


def secrets_at_rest(shot):
    """A secret in what was printed or in a file that is not the user's own auth.json."""
    for r in shot.runs:
        for s in SECRETS:
            if s in r.out + r.err:
                return f'{s.decode()} was printed'
    for base, _, files in os.walk(shot.home):
        for n in files:
            path = os.path.join(base, n)
            if path == shot.home + '/auth.json' or not os.path.isfile(path):
                continue
            with open(path, 'rb') as f:
                data = f.read()
            for s in SECRETS:
                if s in data:
                    return f'{s.decode()} is in {os.path.relpath(path, shot.home)}'
    return None


def judge_run(shot, r, want, reason):
    why = shot.rig.crashed(r, shot.seconds, BUDGET)
    if why:
        return why
    if str(r.status) not in want.split(','):
        return f'exit status {r.status}, not {want}: {corpus_run.tail(r.err)}'
    raw = corpus_run.RAW_TABLE.search(r.err) or corpus_run.RAW_JSON.search(r.out)
    if raw:
        return f'raw control character {raw.group()!r} in the output'
    if r.status and reason and not re.search(reason, said(r), re.I):
        return f'the reason does not say {reason}: {corpus_run.tail(r.err)}'
    if r.status and not r.err.strip():
        return 'refused without a word'
    if len(r.err) > shot.world.most_said:
        return f'{len(r.err)} bytes of error text'
    return None


def judge_world(shot, before):
    changed = corpus_run.listing(shot.folder) ^ before
    if changed:
        return f'written outside the store: {sorted(changed)[0][0]}'
    for why in shot.world.leaks():
        return why
    why = secrets_at_rest(shot)
    if why:
        return why
    for n in wrong_blobs(shot.store()):
        return f'blob {n[:12]} of the store is not what its name says'
    fsck = shot.cocket('fsck')
    if fsck.status:
        return f'fsck: exit status {fsck.status}: {said(fsck)[-300:]}'
    return shot.world.judge() if shot.world.judge else None


def judge_fetch(shot, r):
    """What was acknowledged, and only that, is in the store."""
    lines = r.out.decode('utf-8', 'replace').split()
    if r.status:
        return f'acknowledged all the same: {lines[0]}' if lines else None
    if not lines or not lines[-1].endswith('@' + shot.world.top):
        return f'not acknowledged as {shot.world.top}: {lines}'
    held = os.path.join(shot.store(), 'blobs', shot.world.top.replace(':', '/'))
    return None if os.path.exists(held) else 'acknowledged, but not in the store'


def run_fetch(shot):
    case = shot.case
    before = corpus_run.listing(shot.folder)
    r = shot.cocket('fetch', *case['args'], shot.world.reference())
    why = judge_run(shot, r, case['status'], case['reason']) or judge_fetch(shot, r)
    if not why and case['again']:
        case['again'](shot.world)
        r = shot.cocket('fetch', *case['args'], shot.world.reference())
        why = judge_run(shot, r, case['status'], case['reason']) or judge_fetch(shot, r)
    return why or judge_says(case, r) or judge_world(shot, before)


def run_scan(shot):
    case = shot.case
    before = corpus_run.listing(shot.folder)
    r = shot.cocket('scan', '--db', shot.rig.database, '--format', 'json', *case['args'],
                    'docker://' + shot.world.reference())
    return judge_run(shot, r, case['scan'], case['reason']) or judge_says(case, r) or judge_world(shot, before)


def judge_says(case, r):
    if case['says'] and not re.search(case['says'], said(r), re.I):
        return f'does not say {case["says"]}: {corpus_run.tail(r.err)}'
    return None


def run_registry(rig, number, name, case, make):
    """(name, why, peak, wall), as run.py's other jobs."""
    peak = wall = 0
    for how, shoot in (('fetch', run_fetch), ('scan', run_scan)):
        if case['only'] not in (None, how):
            continue
        shot = Shot(rig, os.path.join(rig.root, f'registry-{number}-{how}'), case, make)
        try:
            why = shoot(shot)
        finally:
            shot.close()
        peak = max([peak] + [r.peak for r in shot.runs])
        wall = max([wall] + [r.wall for r in shot.runs])
        if why:
            return name, f'{how}: {why}', peak, wall
    return name, None, peak, wall


def jobs(only=()):
    """(name, case, make) of all cases and lies."""
    for name, case in CASES.items():
        if not only or name in only:
            yield name, case, case['make']
    for name, make, fetch, scan in lies():
        if not only or name in only:
            yield name, {'status': fetch, 'scan': scan, 'reason': None, 'args': [], 'auth': None, 'seconds': 90,
                         'tls': False, 'only': None, 'again': None, 'says': None, 'image': honest}, make


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('program')
    ap.add_argument('--only', nargs='*', default=[])
    ap.add_argument('--jobs', type=int, default=2 * len(os.sched_getaffinity(0)))
    args = ap.parse_args()
    root = tempfile.mkdtemp(prefix='cocket-hostile-')
    failed = 0
    try:
        rig = corpus_run.Rig(args.program, root)
        if rig.make_database().status:
            print('not ok database')
            failed = 1
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            todo = [pool.submit(run_registry, rig, i, *job) for i, job in enumerate(jobs(args.only))]
            for t in todo:
                name, why, _, wall = t.result()
                failed += bool(why)
                print(f'not ok {name} - {why}' if why else f'ok {name}', flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
