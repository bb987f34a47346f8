#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 events through receivers that fail half of the time, with the server killed 20 times: each
is delivered at least once, none is invented.

usage: kills.py PROGRAM [TEST...]     CHECK_NOTIFY_EVENTS, CHECK_NOTIFY_KILLS: other numbers
"""
import email
import email.policy
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request

import rig

EVENTS = int(os.environ.get('CHECK_NOTIFY_EVENTS', 1000))
KILLS = int(os.environ.get('CHECK_NOTIFY_KILLS', 20))


class Gate:
    """`cocket serve`, which is killed and started anew."""

    def __init__(self, r, **env):
        self.r, self.kills, self.p, self.env = r, 0, None, env
        self.start()

    def start(self):
        env = dict(self.r.env, COCKET_NOTIFY_RETRY='1s,2s', COCKET_NOTIFY_TIMEOUT='5s',
                   **self.env)
        self.p = subprocess.Popen([self.r.program, 'serve', '--listen', '127.0.0.1:0',
                                   '--metrics-listen', '127.0.0.1:0'], env=env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.metrics = None
        for line in self.p.stderr:
            if '(metrics)' in line:
                self.metrics = re.search(r'http://\S+', line)[0]
                return
        raise AssertionError('the gate did not start')

    def kill(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()
        self.p.stderr.close()
        self.kills += 1

    def stop(self):
        self.p.terminate()
        status = self.p.wait(20)
        self.p.stderr.close()
        assert status == 0, f'the gate ended with {status}'


def numbers(row):
    """What a request or mail says has happened: numbers of events and what they are."""
    if row['via'] == 'smtp':
        text = email.message_from_string(row['body'], policy=email.policy.default).get_content()
        text = text.replace('\r\n', '\n')
        return [(int(n), int(e)) for e, n in re.findall(r'^moved: event (\d+) .*?^  event +(\d+)$',
                                                        text, re.M | re.S)]
    body = json.loads(row['body'])
    for e in body if isinstance(body, list) else [body]:
        assert e['id'].endswith(f'/{e["data"]["number"]}'), e
    return [(e['data']['number'], int(e['data']['summary'].split()[1]))
            for e in (body if isinstance(body, list) else [body])]


def key_of(row):
    return row['key'] if row['via'] == 'http' else re.search(r'Message-ID: (\S+)', row['body'])[1]


def yes(row):
    return row['mode'] == 'ok'


def check(name, rows, want):
    said = [n for row in rows for n in numbers(row)]
    heard = {n for row in rows if yes(row) for n in numbers(row)}
    assert all(number == text for number, text in said), 'an event says what it is not'
    invented = set(said) - want
    assert not invented, f'{name}: invented: {sorted(invented)[:5]}'
    lost = want - heard
    assert not lost, f'{name}: {len(lost)} never delivered: {sorted(lost)[:5]}'
    bodies = {}
    for row in rows:
        bodies.setdefault(key_of(row), set()).add(tuple(numbers(row)))
    assert all(len(b) == 1 for b in bodies.values()), f'{name}: a key that says two things'
    once = [n for b in bodies.values() for n in next(iter(b))]
    assert len(once) == len(set(once)), f'{name}: an event under two keys'
    if rows[0]['via'] == 'http':
        assert all(row['signed'] for row in rows), f'{name}: a wrong signature'
    again = sum(len(numbers(row)) for row in rows if yes(row)) - len(want)
    print(f'# {name}: {len(want)} events in {len(bodies)} deliveries, {len(rows)} requests heard, '
          f'{sum(map(yes, rows))} answered yes, {again} events told again', flush=True)


def happen_and_be_killed(r, gate):
    chance, done, pieces = random.Random(7), 0, max(KILLS * 2, 1)
    for i in range(pieces):
        n = EVENTS // pieces if i + 1 < pieces else EVENTS - done
        r.happen(done + 1, n)
        done += n
        time.sleep(chance.uniform(0.05, 0.5))
        if i % 2:
            gate.kill()
            gate.start()


def the_bar(r, ways, **env):
    gate, begun = Gate(r, **env), time.time()
    happen_and_be_killed(r, gate)

    def through():
        return all(r.subscription(w)['waiting'] == 0 and r.subscription(w)['delivered']
                   for w in ways)
    assert r.until(lambda: through() and time.sleep(4) is None and through(), 300), \
        [r.subscription(w) for w in ways]
    took = time.time() - begun
    assert gate.kills == KILLS
    with urllib.request.urlopen(gate.metrics + '/metrics', timeout=10) as f:
        text = f.read().decode()
    assert 'cocket_notifications_waiting 0' in text, text
    gate.stop()
    rows, want = r.received(), {(i, i) for i in range(1, EVENTS + 1)}
    print(f'# {EVENTS} events, {gate.kills} kills, {took:.0f} s')
    for name, mine in ways.items():
        check(name, [x for x in rows if mine(x)], want)


def each_event_by_itself(r):
    r.receiver()
    r.add('hooks', 'webhook', r.url('http', 'half'))
    the_bar(r, {'hooks': lambda x: True}, COCKET_NOTIFY_FLOOD='1000')
    assert not any(x['body'].startswith('[') for x in r.received()), 'a digest'


def as_they_come(r):
    """A flood becomes digests; three receivers at the same time."""
    r.receiver()
    r.add('hooks', 'webhook', r.url('http', 'half'))
    r.add('digests', 'webhook', r.url('http', 'digest/half'), '--digest', '3s')
    r.add('mails', 'smtp', f'smtp://127.0.0.1:{r.ports["smtp"]}/?to=half@x&from=me@y')
    the_bar(r, {'hooks': lambda x: x.get('path') == '/half',
                'digests': lambda x: x.get('path') == '/digest/half',
                'mails': lambda x: x['via'] == 'smtp'})


def the_gate_tells_within_a_second(r):
    r.receiver()
    r.add('it', 'webhook', r.url('http', 'ok'))
    r.add('hangs', 'webhook', r.url('http', 'hang'))
    gate, waited = Gate(r), []
    for i in range(1, 11):
        begun = time.time()
        r.happen(i, 1)
        assert r.until(lambda n=i: sum(map(yes, r.received())) == n, 5), 'not told within 5 s'
        waited.append(time.time() - begun)
        time.sleep(0.2)
    assert sorted(waited)[8] < 1.2, waited
    print(f'# from an event to the answer: {min(waited) * 1000:.0f} to {max(waited) * 1000:.0f} ms '
          f'(one receiver of two hangs)', flush=True)
    with urllib.request.urlopen(gate.metrics + '/metrics', timeout=10) as f:
        text = f.read().decode()
    assert 'cocket_notifications_total{result="delivered"} 10' in text, text
    begun = time.time()
    gate.stop()
    assert time.time() - begun < 10, 'a receiver that hangs holds the end'


rig.run([the_gate_tells_within_a_second, each_event_by_itself, as_they_come])
