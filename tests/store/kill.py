#!/usr/bin/python3
"""Kills processes at work on a store, and fills its disk; then everything acknowledged must be whole.

usage: kill.py BUILD [--kills N] [--full-only | --kill-only] [--fetch REFERENCE... [--load TARGET]]
               [--processes N] [--seed N]

Four processes work on one store at once (tests/store/worker.c: fetch, name, remove, decide, gc,
push, keep the gate's books, look again, tell what changed; with
--fetch the real `cocket fetch`, `cocket gc` and, with --load, `cocket load`; of several references
all but the first are removed again and again).
One of them at a time is killed (SIGKILL) at a random moment and replaced, N times. Then `cocket
fsck` must find nothing wrong, and every image whose completion was said on standard output must be
there, complete and of the right digest. The same on a file system that fills up, where nothing is
killed but everything fails sooner or later (a small tmpfs; needs root).

Prints TAP lines.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time


class Process:
    """A program whose standard output is read line by line into `lines`, also after a kill."""

    def __init__(self, argv, env, out):
        self.argv, self.out = argv, out
        self.p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=open(out, 'ab'),
                                  stderr=open(out + '.err', 'ab'), env=env)

    def kill(self):
        self.p.kill()
        self.p.wait()


def packages_of(items):
    """The numbers of the packages in an inventory, as src/store/items.c writes them."""
    rest = iter(items[1:])

    def varint():
        number = shift = 0
        for byte in rest:
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
        raise ValueError('cut off')

    for _ in range(varint()):
        for _ in range(varint()):
            next(rest)
    number = 0
    for _ in range(varint()):
        distance = varint()
        number += distance >> 1 ^ -(distance & 1)
        varint(), varint()
        yield number


class Driver:
    def __init__(self, args, store, scratch):
        self.args, self.store, self.scratch = args, store, scratch
        self.random = random.Random(args.seed)
        self.cocket = os.path.join(args.build, 'cocket')
        self.env = dict(os.environ, COCKET_STORE=store)
        os.makedirs(scratch)
        self.started = self.said = 0

    def run(self, *argv):
        return subprocess.run([self.cocket, *argv], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def start(self, slot, count=10000):
        self.started += 1
        out = os.path.join(self.scratch, f'{slot}')
        if not self.args.fetch:
            seed = self.random.randrange(1, 10 ** 7) * 100 + slot
            argv = [os.path.join(self.args.build, 'tests/store_worker'), self.store, str(seed), str(count)]
            return Process(argv, self.env, out)
        return Process([self.cocket, *self.verb(slot)], self.env, out)

    def subscribe(self):
        """Before the first event, so that each is one to be told of."""
        if self.run('ls').returncode:
            return False
        with sqlite3.connect(os.path.join(self.store, 'state.db')) as db:
            db.execute("INSERT INTO subscription(name, way, target, secret, kinds, repository,"
                       " severity, digest_seconds, disabled, cursor, made)"
                       " VALUES('all', 'command', '', '', '', '', -1, 0, 0, 0, 1)")
        db.close()
        return True

    def verb(self, slot):
        refs = self.args.fetch
        ref = self.random.choice(refs)
        if slot % 4 < 2:
            return ['fetch', '-q', '--allow-private', ref]
        if slot % 4 == 3 and self.args.load:
            return ['load', ref, '--to', self.args.load, '--force', '--reason', 'kill test']
        if len(refs) > 1 and self.random.random() < 0.5:
            return ['rm', self.random.choice(refs[1:])]
        return ['gc']

    # --- what was said

    def acknowledged(self):
        """{name: number} of images that must be there; names in between two states are left out."""
        wanted = {}
        self.said = 0
        for name in sorted(os.listdir(self.scratch)):
            if name.endswith('.err'):
                continue
            with open(os.path.join(self.scratch, name)) as f:
                for line in f:
                    word = line.split()
                    if not line.endswith('\n'):
                        continue
                    if word[0] in ('moving', 'removing'):
                        wanted.pop(word[1], None)
                    elif word[0] == 'image':
                        wanted[word[1]] = word[2]
                        self.said += 1
        return wanted

    def books(self):
        """({(repository, number)} that must be linked, {who: pulls}, {user}), as far as was said."""
        linked, pulls, users = set(), {}, set()
        for name in sorted(os.listdir(self.scratch)):
            if name.endswith('.err'):
                continue
            with open(os.path.join(self.scratch, name)) as f:
                for line in f:
                    word = line.split()
                    if not line.endswith('\n'):
                        continue
                    if word[0] == 'linked':
                        linked.add((word[1], word[2]))
                    elif word[0] == 'unlinking':
                        linked.discard((word[1], word[2]))
                    elif word[0] == 'pull':
                        pulls[word[1]] = pulls.get(word[1], 0) + 1
                    elif word[0] == 'user':
                        users.add(word[1])
        return linked, pulls, users

    def check_books(self, by_digest):
        """What was pushed is there and whole; no acknowledged pull, no user is lost."""
        linked, pulls, users = self.books()
        wrong = []
        for repository, number in linked:
            digest = 'sha256:' + hashlib.sha256(f'manifest of {number}'.encode()).hexdigest()
            e = by_digest.get(digest)
            if not e or not e['complete'] or f'{repository}:{number}' not in e['names']:
                wrong.append(f'{repository}: {number} was pushed, and is {e}')
        counted = {}
        for p in json.loads(self.run('log', '--pulls', '--format', 'json').stdout):
            counted[p['user']] = counted.get(p['user'], 0) + p['count']
        wrong += [f'{who}: {n} pulls were noted, {counted.get(who, 0)} are there'
                  for who, n in pulls.items() if counted.get(who, 0) < n]
        known = {u['name'] for u in json.loads(self.run('user', 'ls', '--format', 'json').stdout)}
        return wrong + [f'user {u} is gone' for u in users - known]

    def words(self, *kinds):
        """{kind: [(who, what)]} in the order in which each process said it."""
        said = {k: [] for k in kinds}
        for name in sorted(os.listdir(self.scratch)):
            if name.endswith('.err'):
                continue
            with open(os.path.join(self.scratch, name)) as f:
                for line in f:
                    word = line.split()
                    if line.endswith('\n') and word[0] in said:
                        said[word[0]].append((word[1], word[2]))
        return said

    def check_looks(self, db, said):
        """Of each image the last look that was acknowledged, or one that came after it."""
        wrong = []
        events = [name for name, in db.execute("SELECT name FROM event WHERE kind='findings'")]
        announced = [what for _, what in said['looking']]
        for who, what in dict(said['looked']).items():
            digest = 'sha256:' + hashlib.sha256(f'manifest of {1000 + int(who)}'.encode()).hexdigest()
            later = announced[announced.index(what):]
            later = [x for x in later if x.startswith(f'look{who}.')]
            held = {bytes(db.execute('SELECT bytes FROM package WHERE id=?', (number,)).fetchone()[0])
                    .decode() for items, in db.execute(
                        'SELECT items FROM inventory JOIN inventory_bytes ON inventory=number'
                        ' WHERE image=?', (digest,)) for number in packages_of(bytes(items))}
            found = {x for x, in db.execute(
                'SELECT v.id FROM vulnerability AS v JOIN finding ON finding.id=v.number JOIN facts'
                ' ON facts.number=finding.facts WHERE image=?', (digest,))}
            if len(held & set(later)) != 1 or len(found & set(later)) != 1:
                wrong.append(f'{digest}: {what} was looked at; held {held}, found {found}')
        wrong += [f'{w}: was entered, and its event is gone' for _, w in said['looked']
                  if w not in events]
        wrong += [f'event {e}: nobody announced it' for e in set(events) - set(announced)]
        if len(events) != len(set(events)):
            wrong.append('an event was entered twice')
        return wrong

    @staticmethod
    def check_deliveries(db, said):
        """What lies behind the cursor is to be sent, or somebody was about to say that it was."""
        wrong = []
        waiting = [k for k, in db.execute('SELECT key FROM delivery')]
        sending, sent = {k for _, k in said['sending']}, [k for _, k in said['sent']]
        for (cursor,) in db.execute('SELECT cursor FROM subscription'):
            for (number,) in db.execute('SELECT number FROM event WHERE number<=?', (cursor,)):
                key = f'event-{number}'
                if key not in sending and key not in waiting:
                    first = db.execute('SELECT min(number) FROM delivery').fetchone()
                    wrong.append(f'{key}: planned and gone ({first})')
        wrong += [f'{k}: sent, and still waiting' for k in set(sent) & set(waiting)]
        wrong += [f'{k}: waits twice' for k in {k for k in waiting if waiting.count(k) > 1}]
        return wrong

    def check_watch(self):
        said = self.words('looking', 'looked', 'sending', 'sent')
        db = sqlite3.connect(os.path.join(self.store, 'state.db'))
        try:
            wrong = self.check_looks(db, said) + self.check_deliveries(db, said)
        finally:
            db.close()
        if not self.args.full_only and (not said['looked'] or not said['sent']):
            wrong.append('nothing was looked at, or nothing sent')
        return wrong

    def check_worker(self, listed):
        by_name = {n: e for e in listed for n in e['names']}
        wanted, wrong = self.acknowledged(), []
        for name, number in wanted.items():
            e = by_name.get(name)
            digest = 'sha256:' + hashlib.sha256(f'manifest of {number}'.encode()).hexdigest()
            if not e:
                wrong.append(f'{name}: acknowledged, and gone')
            elif e['digest'] != digest or not e['complete']:
                wrong.append(f'{name}: is {e}')
        wrong += self.check_books({e['digest']: e for e in listed})
        return len(wanted), wrong + self.check_watch()

    def check_fetch(self, listed):
        """Of the first reference every fetch that said so counts; what has a name must be whole."""
        named = [e for e in listed if e['names']]
        wrong = [f'{e["names"]} is not complete' for e in named if not e['complete']]
        first, here = self.args.fetch[0].split('/')[-1], {e['digest'] for e in named}
        self.said = 0
        for name in os.listdir(self.scratch):
            if not name.endswith('.err'):
                with open(os.path.join(self.scratch, name)) as f:
                    lines = [x.strip() for x in f if '@sha256:' in x]
                self.said += len(lines)
                wrong += [f'{x}: acknowledged, and gone' for x in lines
                          if x.split('@')[0].endswith(first) and x.split('@')[1] not in here]
        return len(named), wrong

    def check(self, what):
        said = []
        fsck = self.run('fsck')
        if fsck.returncode:
            said.append(f'fsck: {fsck.returncode}: {fsck.stdout[-2000:]}{fsck.stderr}')
        listed = self.run('ls', '-a', '--format', 'json')
        if listed.returncode:
            said.append(f'ls: {listed.stderr}')
            n = 0
        else:
            check = self.check_fetch if self.args.fetch else self.check_worker
            n, wrong = check(json.loads(listed.stdout))
            said += wrong[:20]
        said += self.complaints()
        print(f'{"not ok" if said else "ok"} {what}: {self.said} images were acknowledged, the {n} '
              f'that must be there are whole; fsck')
        for line in said:
            print('# ' + line.replace('\n', '\n# '))
        sys.stdout.flush()
        return not said

    def complaints(self):
        """Errors that nothing excuses: a worker never meets anything hostile."""
        found = []
        for name in os.listdir(self.scratch):
            if name.endswith('.err'):
                with open(os.path.join(self.scratch, name)) as f:
                    found += [x.strip() for x in f if self.inexcusable(x)]
        return found[:20]

    def inexcusable(self, line):
        if self.args.fetch:
            return 'digest' in line and 'bytes have' in line
        return not any(x in line for x in ('No space left', 'is full', 'disk I/O error'))


def kill_often(args, base):
    d = Driver(args, os.path.join(base, 'store'), os.path.join(base, 'said'))
    if not d.subscribe():
        print('not ok a store is made')
        return False
    running = {}
    for i in range(args.kills):
        for slot in range(args.processes):
            if slot not in running or running[slot].p.poll() is not None:
                running[slot] = d.start(slot)
        time.sleep(d.random.uniform(0.001, 0.12))
        victim = d.random.randrange(args.processes)
        running[victim].kill()
        if i % 50 == 49:
            print(f'# {i + 1} kills', flush=True)
    for p in running.values():
        p.kill()
    ok = d.check(f'{args.kills} kills, {args.processes} processes ({d.started} started)')
    before = d.run('gc')
    return d.check('and after a gc') and ok and before.returncode == 0


def fill(path, size):
    """Appends that much, or as much as there is room for, to the last byte."""
    with open(path, 'ab', buffering=0) as f:
        for piece in (65536, 1):
            try:
                while size >= piece:
                    size -= f.write(bytes(piece))
            except OSError:
                pass


def fill_disk(args, disk, scratch):
    """The tmpfs holds about a third of what the workers bring; gc makes room again and again."""
    d = Driver(args, os.path.join(disk, 'store'), scratch)
    failures, ok = 0, d.subscribe()  # a store that is there before
    for turn in range(args.turns):
        ballast = os.path.join(disk, 'ballast')
        if turn % 3 == 0:
            fill(ballast, d.random.randrange(4) << 20)
        workers = [d.start(slot, 30) for slot in range(args.processes)]
        for w in workers:
            failures += w.p.wait() == 3
        if turn % 3 == 2:
            fill(ballast, 1 << 30)
            ok = d.check(f'a disk that is full (turn {turn + 1})') and ok
            gc = d.run('gc')
            if gc.returncode:
                print(f'not ok gc on a full disk: {gc.stderr}')
                ok = False
            os.unlink(ballast)
    ok = d.check(f'a disk that fills up ({failures} processes failed)') and ok
    if not failures or not d.said:
        print('not ok the disk was never full, or always')
    return ok and failures > 0 and d.said > 0


def with_tmpfs(args):
    if os.geteuid() != 0:
        print('ok a disk that fills up # skip only root can mount one')
        return True
    base = tempfile.mkdtemp(prefix='cocket-full-')
    mount = os.path.join(base, 'disk')
    os.mkdir(mount)
    made = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={args.disk}', 'cocket', mount],
                          stderr=subprocess.PIPE, text=True)
    if made.returncode:
        os.rmdir(mount)
        os.rmdir(base)
        print(f'ok a disk that fills up # skip {made.stderr.strip()}')
        return True
    try:
        args.fetch = None
        return fill_disk(args, mount, os.path.join(base, 'said'))
    finally:
        subprocess.run(['umount', mount])
        shutil.rmtree(base, ignore_errors=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('build')
    p.add_argument('--kills', type=int, default=60)
    p.add_argument('--processes', type=int, default=4)
    p.add_argument('--turns', type=int, default=9)
    p.add_argument('--disk', default='12m')
    p.add_argument('--seed', type=int, default=int(time.time()))
    p.add_argument('--fetch', nargs='+')
    p.add_argument('--load')
    p.add_argument('--kill-only', action='store_true')
    p.add_argument('--full-only', action='store_true')
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    print(f'# seed {args.seed}')
    ok = True
    if not args.full_only:
        base = tempfile.mkdtemp(prefix='cocket-kill-')
        ok = kill_often(args, base) and ok
        if ok:
            shutil.rmtree(base)
        else:
            print(f'# kept: {base}')
    if not args.kill_only:
        ok = with_tmpfs(args) and ok
    sys.exit(0 if ok else 1)


if __name__ == '__main__':
    main()
