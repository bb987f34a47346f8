#!/usr/bin/python3
"""Runs every fuzz target for some seconds with its seeds: run-fuzz.py BUILD SECONDS [TARGET...].

Seeds of fuzz_x are the files of fuzz/corpus/fuzz_x/ and of x.seeds/ or seeds_x/ beside fuzz_x.c;
its dictionary is fuzz_x.dict beside it. What breaks a target is kept in BUILD/crashes.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def beside(target, sources):
    """The folder of the target's source."""
    for s in sources:
        if os.path.basename(s) == target + '.c':
            return os.path.dirname(s)
    return None


def command(target, exe, folder, seconds, crashes, scratch):
    short = target[len('fuzz_'):]
    seeds = [os.path.join(ROOT, 'fuzz/corpus', target)]
    if folder:
        seeds += [os.path.join(folder, short + '.seeds'), os.path.join(folder, 'seeds_' + short)]
    argv = [exe, f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048', '-verbosity=0',
            '-print_final_stats=1', f'-artifact_prefix={crashes}/{target}-']
    words = os.path.join(folder or '', target + '.dict')
    if os.path.exists(words):
        argv.append('-dict=' + words)
    return argv + [scratch] + [s for s in seeds if os.path.isdir(s)]


def run(job):
    target, exe, folder, seconds, crashes = job
    with tempfile.TemporaryDirectory(prefix='cocket-fuzz-') as scratch:
        argv = command(target, exe, folder, seconds, crashes, scratch)
        try:
            p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, timeout=seconds * 3 + 60)
        except subprocess.TimeoutExpired:
            return f'not ok {target} - does not end', ''
    text = p.stdout.decode('utf-8', 'replace')
    if p.returncode:
        return f'not ok {target} - exit status {p.returncode}', '\n'.join(text.split('\n')[-40:])
    runs = [x.split()[-1] for x in text.split('\n') if 'number_of_executed_units' in x]
    return f'ok {target} ({runs[0] if runs else "?"} runs)', ''


def main():
    build, seconds, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    crashes = os.path.join(os.path.abspath(build), 'crashes')
    os.makedirs(crashes, exist_ok=True)
    jobs = []
    for t in json.loads(subprocess.check_output(['meson', 'introspect', '--targets', build])):
        if t['type'] != 'executable' or not t['name'].startswith('fuzz_'):
            continue
        sources = [s for ts in t['target_sources'] for s in ts.get('sources', [])]
        if not wanted or t['name'] in wanted:
            jobs.append((t['name'], t['filename'][0], beside(t['name'], sources), seconds, crashes))
    failed = not jobs
    if not jobs:
        print('not ok fuzz - no targets')
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for line, text in pool.map(run, sorted(jobs)):
            print(line, flush=True)
            if text:
                failed = True
                print('\n'.join('# ' + t for t in text.split('\n')), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
