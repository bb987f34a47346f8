"""Runs a program and measures it: wall and CPU time, and the peak memory of its whole process tree.

Memory is the sum of the proportional set sizes (PSS: pages that processes share count once) of all
processes of the tree, sampled every few milliseconds.
"""
import os
import signal
import subprocess
import threading
import time


class Result:
    """What became of a run: status < 0 is a signal; times in seconds, peak in bytes."""

    def __init__(self):
        self.status, self.timed_out = None, False
        self.wall = self.cpu = 0.0
        self.peak = self.processes = 0
        self.out = self.err = b''


def tree(pid):
    """A process and its descendants."""
    found, queue = [], [pid]
    while queue:
        p = queue.pop()
        found.append(p)
        try:
            for task in os.listdir(f'/proc/{p}/task'):
                with open(f'/proc/{p}/task/{task}/children') as f:
                    queue.extend(int(c) for c in f.read().split())
        except OSError:
            pass
    return found


def pss(pid):
    """Bytes; a process that forbids the reading (not dumpable) counts with its resident size."""
    try:
        with open(f'/proc/{pid}/smaps_rollup') as f:
            for line in f:
                if line.startswith('Pss:'):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        with open(f'/proc/{pid}/statm') as f:
            return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    except (OSError, IndexError, ValueError):
        return 0


class Sampler(threading.Thread):
    def __init__(self, pid, every):
        super().__init__(daemon=True)
        self.pid, self.every, self.stop = pid, every, threading.Event()
        self.peak = self.processes = 0

    def run(self):
        while not self.stop.is_set():
            pids = tree(self.pid)
            self.processes = max(self.processes, len(pids))
            self.peak = max(self.peak, sum(pss(p) for p in pids))
            self.stop.wait(self.every)


def run(argv, timeout=None, env=None, cwd=None, every=0.005, stdout=subprocess.PIPE, shell=False,
        sample=True):
    """Runs argv in a session of its own, which is killed as a whole when the time is up."""
    r = Result()
    start = time.monotonic()
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                         env=env, cwd=cwd, start_new_session=True, shell=shell,
                         executable='/bin/bash' if shell else None)
    sampler = Sampler(p.pid, every)
    if sample:
        sampler.start()
    texts = {}

    def drain(name, stream):
        texts[name] = stream.read() if stream else b''
    readers = [threading.Thread(target=drain, args=a, daemon=True)
               for a in (('out', p.stdout), ('err', p.stderr))]
    for t in readers:
        t.start()

    def expire():
        r.timed_out = True
        kill_session(p.pid)
    timer = threading.Timer(timeout, expire) if timeout else None
    if timer:
        timer.start()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    r.wall = time.monotonic() - start
    if timer:
        timer.cancel()
    sampler.stop.set()
    kill_session(p.pid)  # whoever outlived its parent
    for t in readers:
        t.join()
    r.status = p.returncode
    r.cpu = usage.ru_utime + usage.ru_stime
    r.peak = sampler.peak
    r.processes = sampler.processes
    r.out, r.err = texts.get('out', b''), texts.get('err', b'')
    return r


def kill_session(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
