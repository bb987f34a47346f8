#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers that fail in every way: what is said of it, and that it is tried again.

usage: failures.py PROGRAM [TEST...]
"""
import email
import email.policy
import json
import re
import time

import rig

FAST = {'COCKET_NOTIFY_RETRY': '1s,1s', 'COCKET_NOTIFY_TIMEOUT': '2s'}


def attempt(r, way, target, *options, env=None):
    """Adds a subscription for one event and sends once: (exit of send, subscription)."""
    r.add('it', way, target, *options)
    r.happen(1, 1)
    begun = time.time()
    sent = r.cocket('notify', 'send', env=dict(FAST, **(env or {})))
    took = time.time() - begun
    s = r.subscription('it')
    r.cocket('notify', 'rm', 'it')
    return sent, s, took


def failed(r, way, target, pattern, *options, env=None, seconds=10):
    sent, s, took = attempt(r, way, target, *options, env=env)
    assert s['waiting'] == 1 and s['delivered'] == 0, s
    assert re.search(pattern, s['last_error']), s['last_error']
    assert s['last_error'] in sent.stderr, sent.stderr
    assert took < seconds, f'{target}: took {took:.1f} s'
    assert not any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 for c in s['last_error']), s


def http_failures_are_said_and_wait(r):
    r.receiver()
    for mode, pattern in [('500', 'HTTP status 500: no'), ('400', 'HTTP status 400'),
                          ('404', 'HTTP status 404'), ('408', '408'), ('429', '429'),
                          ('close', 'mpty reply|reset'), ('lost', 'mpty reply|reset'),
                          ('cut', 'remaining to read'), ('hang', 'time'),
                          ('drip', 'timed out'), ('drip-header', 'timed out'),
                          ('garbage', 'HTTP/0.9|nsupported'), ('huge-header', 'header|memory|large'),
                          ('escape', r'HTTP status 400: \\x1b\[31mred')]:
        failed(r, 'webhook', r.url('http', mode), pattern)
    failed(r, 'webhook', f'http://127.0.0.1:{r.ports["refuses"]}/x', 'onnect')
    failed(r, 'webhook', 'http://nobody.invalid/x', 'resolve')


def redirects_are_not_followed(r):
    r.receiver()
    for mode in ('redirect', 'redirect-307'):
        failed(r, 'webhook', r.url('http', mode), r'HTTP status 30. \(redirects are not followed\)')
    assert not [x for x in r.received() if 'elsewhere' in x['path']]


def a_yes_is_a_yes_however_much_is_said(r):
    r.receiver()
    for mode in ('ok', '204', '202', 'huge'):
        _, s, took = attempt(r, 'webhook', r.url('http', mode))
        assert s['delivered'] == 1 and s['waiting'] == 0, (mode, s)
        assert took < 10, (mode, took)


def webhooks_are_signed_and_are_cloudevents(r):
    r.receiver()
    attempt(r, 'webhook', r.url('http', 'ok'))
    row = r.received()[0]
    assert row['signed'] is True and row['method'] == 'POST', row
    assert row['headers']['idempotency-key'] == row['headers']['webhook-id'] == row['key']
    assert row['headers']['content-type'].startswith('application/cloudevents+json')
    e = json.loads(row['body'])
    assert e['specversion'] == '1.0' and e['type'] == 'cocket.moved.v1', e
    assert e['source'] == 'urn:uuid:' + e['id'].split('/')[0], e
    assert e['data']['summary'] == 'event 1 <!channel> ä\\x0a', e
    r.add('digest', 'webhook', r.url('http', 'ok'), '--digest', '1s')
    r.happen(2, 3)
    time.sleep(1.1)
    r.cocket('notify', 'send')
    row = r.received()[-1]
    assert row['headers']['content-type'].startswith('application/cloudevents-batch+json'), row
    assert [x['data']['number'] for x in json.loads(row['body'])] == [2, 3, 4]
    assert row['signed'] is True


def retry_after_is_obeyed(r):
    r.receiver()
    r.add('it', 'webhook', r.url('http', 'retry-4,ok'))
    r.happen(1, 1)
    for _ in range(40):
        r.cocket('notify', 'send', env=FAST)
        if r.subscription('it')['delivered']:
            break
        time.sleep(0.2)
    times = [x['time'] for x in r.received()]
    assert len(times) == 2 and times[1] - times[0] >= 3, times


def the_key_stays_the_same(r):
    r.receiver()
    r.add('it', 'webhook', r.url('http', '500,lost,429,cut,ok'))
    r.happen(1, 1)
    assert r.until(lambda: r.cocket('notify', 'send', env=FAST) and
                   r.subscription('it')['delivered'], 30)
    rows = r.received()
    assert len(rows) == 5 and len({x['key'] for x in rows}) == 1, [x['key'] for x in rows]
    assert len({x['body'] for x in rows}) == 1
    assert all(x['signed'] for x in rows)


def tls_must_be_right(r):
    cert, key = r.certificate()
    r.receiver('--tls', cert, key)
    port, trusted = r.ports['https'], {'SSL_CERT_FILE': cert}
    failed(r, 'webhook', f'https://localhost:{port}/ok', 'ertificate|SSL')
    failed(r, 'webhook', f'https://127.0.0.1:{port}/ok', 'ertificate|SSL|subject', env=trusted)
    failed(r, 'webhook', f'https://localhost:{r.ports["http"]}/ok', 'SSL|TLS', env=trusted)
    _, s, _ = attempt(r, 'webhook', f'https://localhost:{port}/ok', env=trusted)
    assert s['delivered'] == 1, s
    failed(r, 'smtp', f'smtps://localhost:{r.ports["smtps"]}/?to=ok@x', 'ertificate|SSL')
    _, s, _ = attempt(r, 'smtp', f'smtps://localhost:{r.ports["smtps"]}/?to=ok@x', env=trusted)
    assert s['delivered'] == 1, s
    # STARTTLS: where it is offered it is taken, and with a password nothing goes without it.
    smtp = f'localhost:{r.ports["smtp"]}/?to=ok@x'
    failed(r, 'smtp', f'smtp://{smtp}', 'ertificate|SSL')
    attempt(r, 'smtp', f'smtp://{smtp}', env=trusted)
    assert r.received()[-1]['tls'] is True
    password = r.file('password', 'right\n')
    _, s, _ = attempt(r, 'smtp', f'smtp://bot@{smtp}', '--secret-file', password, env=trusted)
    assert s['delivered'] == 1 and r.received()[-1]['login'] == ['bot', 'right'], s
    wrong = r.file('wrong', 'wrong\n')
    failed(r, 'smtp', f'smtp://bot@{smtp}', 'SMTP 535: 535 who are you', '--secret-file', wrong,
           env=trusted)


def a_password_never_goes_in_the_clear(r):
    r.receiver()
    password = r.file('password', 'right\n')
    smtp = f'127.0.0.1:{r.ports["smtp"]}/?to=ok@x'
    failed(r, 'smtp', f'smtp://bot@{smtp}', 'SSL|TLS', '--secret-file', password)
    assert not r.received()
    _, s, _ = attempt(r, 'smtp', f'smtp://bot@{smtp}&starttls=never', '--secret-file', password)
    assert s['delivered'] == 1, s


def mail_servers_that_fail_at_each_stage(r):
    r.receiver()
    base = f'smtp://127.0.0.1:{r.ports["smtp"]}/'
    for stage in ('rcpt', 'data', 'end'):
        for digit in '45':
            failed(r, 'smtp', f'{base}?to=fail-{stage}-{digit}@x', f'SMTP {digit}5{digit}: ')
        failed(r, 'smtp', f'{base}?to=close-{stage}@x', '.')
        failed(r, 'smtp', f'{base}?to=hang-{stage}@x', 'time')
    for stage in ('greet', 'ehlo', 'mail'):
        for mode, pattern in ((f'fail-{stage}-4', 'SMTP 454'), (f'fail-{stage}-5', 'SMTP 555'),
                              (f'hang-{stage}', 'time'), (f'close-{stage}', '.')):
            ports = r.receiver('--stage', mode)
            failed(r, 'smtp', f'smtp://127.0.0.1:{ports["smtp"]}/?to=ok@x', pattern)
    failed(r, 'smtp', f'smtp://127.0.0.1:{r.ports["refuses"]}/?to=ok@x', 'onnect')
    # One of two recipients refused: the mail is not through.
    failed(r, 'smtp', f'{base}?to=ok@x,fail-rcpt-5@x', 'SMTP 555')


def mails_are_read_as_they_were_meant(r):
    r.receiver()
    attempt(r, 'smtp', f'smtp://127.0.0.1:{r.ports["smtp"]}/?to=ok@x.example,b@x&from=me@y.example')
    row = r.received()[0]
    assert row['from'] == 'me@y.example' and row['to'] == ['ok@x.example', 'b@x'], row
    m = email.message_from_string(row['body'], policy=email.policy.default)
    assert m['From'] == 'cocket <me@y.example>' and m['To'] == 'ok@x.example, b@x', m
    assert m['Subject'] == 'cocket: moved: docker.io/library/debian:12', m
    assert not m.defects and m['Message-ID'].endswith('@y.example>'), m
    assert 'moved: event 1 <!channel> ä\\x0a\n' in m.get_content().replace('\r\n', '\n')


def chats_get_quoted_text(r):
    r.receiver()
    attempt(r, 'slack', r.url('http', 'services/secret/ok'))
    row = r.received()[0]
    text = json.loads(row['body'])['text']
    assert text == 'cocket: *moved* `docker.io/library/debian:12` ' \
                   '`event 1 &lt;!channel&gt; ä\\x0a`', text
    shown = r.cocket('notify', 'ls').stdout + r.cocket('log').stdout
    assert 'secret' not in shown, shown


def commands_know_nothing_of_ours(r):
    out = r.dir + '/out'
    tool = r.file('tool', f'#!/bin/sh\n(cat; echo; env; echo "$$ $(cut -d" " -f6 /proc/$$/stat)") >{out}\n')
    import os  # pylint: disable=import-outside-toplevel
    os.chmod(tool, 0o700)
    _, s, _ = attempt(r, 'command', tool, env={'SECRET_OF_OURS': 'x'})
    assert s['delivered'] == 1, s
    body, rest = open(out, encoding='utf-8').read().split('\n', 1)
    assert json.loads(body)['data']['number'] == 1
    assert 'SECRET_OF_OURS' not in rest and 'COCKET_STORE' not in rest, rest
    pid, session = rest.split('\n')[-2].split()
    assert pid == session, rest
    bad = r.file('bad', '#!/bin/sh\nsleep 300 & echo went wrong >&2; sleep 300\n')
    os.chmod(bad, 0o700)
    failed(r, 'command', bad, 'did not end within 2 s and was killed')
    failed(r, 'command', '/bin/false', 'exit status 1')


def who_hangs_holds_nobody_else(r):
    r.receiver()
    for i in range(10):
        r.add(f'hangs{i}', 'webhook', r.url('http', 'hang'))
    r.add('works', 'webhook', r.url('http', 'ok'))
    r.happen(1, 5)
    begun = time.time()
    sent = r.cocket('notify', 'send', env=FAST)
    took = time.time() - begun
    mine = [x for x in r.received() if x['mode'] == 'ok']
    assert len(mine) == 5 and max(x['time'] for x in mine) - begun < 2, mine
    assert took < 25, f'{took} s: ten receivers hang for five tries of 2 s'
    assert 'timed out' in sent.stderr


def secrets_do_not_stand_in_arguments(r):
    bad = r.cocket('notify', 'add', '--webhook', 'https://u:p@h/', 'x', check=2)
    assert 'password' in bad.stderr
    r.cocket('notify', 'add', '--smtp', 'smtp://u:p@h/?to=a@b', 'x', check=2)
    r.cocket('notify', 'add', '--webhook', '-', 'x', stdin='https://u:p@h/x\n')
    assert r.subscription('x')['target'] == 'https://h/x', r.subscription('x')
    made = r.cocket('notify', 'add', '--webhook', 'https://h/', 'y').stdout
    assert re.fullmatch(r'whsec_[A-Za-z0-9+/]{43}=\n', made), made
    everything = r.cocket('notify', 'ls').stdout + r.cocket('notify', 'ls', '--format',
                                                            'json').stdout
    assert 'whsec' not in everything + r.cocket('log').stdout and 'u:p' not in everything
    assert r.cocket('log').stdout.count('subscription') == 2


def what_people_decide_is_told(r):
    """With a real image: import, deny, release."""
    r.receiver()
    r.add('it', 'webhook', r.url('http', 'ok'), '--kinds', 'decision')
    r.cocket('notify', 'add', '--webhook', r.url('http', 'ok'), '--kinds', 'nonsense', 'no', check=2)
    layout = r.dir + '/layout'
    import subprocess  # pylint: disable=import-outside-toplevel
    import os  # pylint: disable=import-outside-toplevel
    os.mkdir(r.dir + '/tree')
    r.file('tree/a', 'x')
    subprocess.run(['/usr/bin/python3', rig.HERE + '/../cli/images.py', 'tree', layout,
                    'docker.io/library/one:1', r.dir + '/tree'], check=True, cwd=r.dir)
    r.cocket('import', '-q', layout)
    r.cocket('deny', '--reason', 'no <good>', 'one:1')
    r.cocket('release', '--reason', 'after all', 'one:1')
    r.cocket('notify', 'send')
    data = [json.loads(x['body'])['data'] for x in r.received()]
    assert [d['details']['state'] for d in data] == ['denied', 'cleared'], data
    assert data[0]['name'] == 'docker.io/library/one:1', data
    assert data[0]['summary'].endswith(': no <good>'), data


rig.run([v for k, v in list(globals().items())
         if callable(v) and getattr(v, '__module__', '') == '__main__' and k not in ('attempt', 'failed')])
