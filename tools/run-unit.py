#!/usr/bin/python3
"""Runs the tests of a build folder: run-unit.py BUILD [SUITE]. Prints `ok`/`not ok` lines.

Without SUITE all but those of the suite `registry`, which start servers and wait for them.

Skipped tests are printed as `ok ... # SKIP`. A test program that crashes is one failure more.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

LINE = re.compile(r'^(ok|not ok) \d+ -? ?(# SKIP )?(.*)$')


def run(test):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP', **test['env'])
    try:
        p = subprocess.run(test['cmd'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                           stdin=subprocess.DEVNULL, timeout=4 * (test.get('timeout') or 120),
                           cwd=test.get('workdir'))
        status, text = p.returncode, p.stdout.decode('utf-8', 'replace')
    except OSError as e:
        status, text = 'no program', str(e)
    except subprocess.TimeoutExpired as e:
        status, text = 'time', (e.stdout or b'').decode('utf-8', 'replace')
    out, failed = [], 0
    for line in text.split('\n'):
        m = LINE.match(line)
        if not m:
            continue
        skip, name = bool(m.group(2)), f'{test["name"]}: {m.group(3)}'
        bad = m.group(1) == 'not ok' and not skip
        failed += bad
        out.append(('not ok ' if bad else 'ok ') + name + (' # SKIP' if skip else ''))
    # cmocka's status is the number of failed tests; 77 is meson's word for skipped.
    if not out:
        out.append(('ok ' if status in (0, 77) else 'not ok ') + test['name']
                   + (' # SKIP' if status == 77 else ''))
        failed = status not in (0, 77)
    elif status and not failed:
        out.append(f'not ok {test["name"]}: ended with {status}')
        failed = 1
    return out, text if failed else ''


def wanted(test, suite):
    suites = [s.rsplit(':', 1)[-1] for s in test['suite']]
    return suite in suites if suite else 'registry' not in suites


def main():
    build, suite = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    tests = json.loads(subprocess.check_output(['meson', 'introspect', '--tests', build]))
    tests = [t for t in tests if wanted(t, suite)]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for lines, text in pool.map(run, tests):
            print('\n'.join(lines), flush=True)
            if text:
                bad += 1
                print('\n'.join('# ' + t for t in text.split('\n')[-60:]), flush=True)
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
