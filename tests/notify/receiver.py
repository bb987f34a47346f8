#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers of notifications that fail in every way.

    receiver.py LOG [--secret whsec_...] [--tls CERT KEY]

Prints "http PORT", "https PORT" (with --tls), "smtp PORT", "smtps PORT", "refuses PORT" and "ready",
one a line, and serves until it is killed. What came is written to LOG, one JSON object a line.

HTTP: the path says how it behaves; `/mode/NAME` as below, several are taken one after the other
with commas (`/mode/500,500,ok`: each delivery's key gets the next one at each try). SMTP: the
recipient's local part, the same way, with dots: `fail-rcpt-4.ok@x`.
"""
import argparse
import base64
import hashlib
import hmac
import json
import random
import socket
import socketserver
import ssl
import threading
import time

lock = threading.Lock()
tries = {}  # how often each key came, by path or recipient
chance = random.Random(20260801)


def write(log, row):
    with lock:
        log.write(json.dumps(row) + '\n')
        log.flush()


def next_mode(where, modes, key):
    with lock:
        n = tries[where, key] = tries.get((where, key), 0) + 1
        if modes[0] == 'half':
            return chance.choice(['ok', 'ok', 'ok', '500', '429', 'close', 'cut', 'lost'])
    return modes[min(n, len(modes)) - 1]


def signed(secret, headers, body):
    """None: not signed."""
    given = headers.get('webhook-signature')
    if given is None:
        return None
    key = base64.b64decode(secret[6:]) if secret.startswith('whsec_') else secret.encode()
    text = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.'.encode() + body
    want = 'v1,' + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers['webhook-timestamp'])) < 300
    return fresh and hmac.compare_digest(want, given)


class Web(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        try:
            while self.one():
                pass
        except (OSError, ValueError, IndexError):
            pass

    def one(self):
        line = self.rfile.readline(65536).decode('latin-1')
        if not line.strip():
            return False
        method, path, _ = line.split()
        headers = {}
        while (h := self.rfile.readline(65536).decode('latin-1').strip()):
            name, value = h.split(':', 1)
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get('content-length', 0)))
        key = headers.get('webhook-id', headers.get('idempotency-key', ''))
        modes = path.rsplit('/', 1)[-1].split(',')
        mode = next_mode(path, modes, key)
        row = {'via': 'http', 'method': method, 'path': path, 'mode': mode, 'key': key,
               'headers': headers, 'body': body.decode('utf-8', 'replace'), 'time': time.time(),
               'signed': signed(self.server.secret, headers, body)}
        return self.answer(mode, row)

    def say(self, status, more='', body=b'', length=None):
        n = len(body) if length is None else length
        self.wfile.write(f'HTTP/1.1 {status} X\r\nContent-Length: {n}\r\n{more}\r\n'.encode() + body)
        self.wfile.flush()

    def answer(self, mode, row):
        if mode == 'lost':  # taken, but nobody hears of it
            write(self.server.log, dict(row, taken=True))
            return False
        if mode == 'cut':
            write(self.server.log, dict(row, taken=True))
            self.say(200, body=b'half', length=1000)
            return False
        write(self.server.log, dict(row, taken=mode in ('ok', 'huge', '204')))
        if mode == 'close':
            return False
        if mode == 'hang':
            time.sleep(600)
            return False
        if mode == 'drip':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
            for _ in range(600):
                self.wfile.write(b'x')
                self.wfile.flush()
                time.sleep(0.2)
            return False
        if mode == 'drip-header':
            for c in b'HTTP/1.1 200 OK\r\nX-Slow: ' + b'x' * 600:
                self.wfile.write(bytes([c]))
                self.wfile.flush()
                time.sleep(0.2)
            return False
        if mode == 'huge':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
            for _ in range(1000):
                self.wfile.write(b'y' * 1000000)
            return False
        if mode == 'huge-header':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nX-Long: ' + b'z' * 10000000 + b'\r\n\r\n')
            return False
        if mode == 'garbage':
            self.wfile.write(b'\x00\xff\xfeSSH-2.0-nobody\r\n\r\n')
            return False
        if mode == 'redirect':
            self.say(302, f'Location: http://127.0.0.1:{self.server.server_port}/elsewhere/ok\r\n')
            return True
        if mode == 'redirect-307':
            self.say(307, f'Location: http://127.0.0.1:{self.server.server_port}/elsewhere/ok\r\n')
            return True
        if mode.startswith('retry-'):  # retry-3: come back after so many seconds
            self.say(429, f'Retry-After: {mode[6:]}\r\n')
            return True
        if mode == 'escape':
            self.say(400, body=b'\x1b[31mred\x1b[0m \xe2\x80\xae<script> \x00\r\nSecond: line')
            return True
        status = int(mode) if mode.isdigit() else 200
        self.say(status, 'Retry-After: 1\r\n' if status == 429 else '', b'' if status == 204 else b'no')
        return True


class Mail(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321. Modes: fail-STAGE-4, fail-STAGE-5 of greet, ehlo, auth, mail, rcpt,
    data, end; hang-STAGE; close-STAGE; ok."""
    timeout = 30

    def handle(self):
        self.mode, self.stages = 'ok', []
        self.mail = {'via': 'smtp', 'from': None, 'to': [], 'tls': bool(self.server.always_tls),
                     'login': None}
        try:
            self.talk()
        except (OSError, ValueError, EOFError):
            pass

    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')
        self.wfile.flush()

    def stage(self, name, yes):
        mode = self.server.stage_mode if name in ('greet', 'ehlo', 'auth', 'mail') else self.mode
        if mode == f'hang-{name}':
            time.sleep(600)
        if mode == f'close-{name}':
            raise EOFError
        for digit in '45':
            if mode == f'fail-{name}-{digit}':
                self.say(f'{digit}5{digit} not {name} today')
                return False
        self.say(yes)
        return True

    def line(self):
        line = self.rfile.readline(65536)
        if not line:
            raise EOFError
        return line.decode('latin-1').rstrip('\r\n')

    def ehlo(self):
        more = '' if self.mail['tls'] or not self.server.context else '250-STARTTLS\r\n'
        self.stage('ehlo', f'250-receiver\r\n{more}250-AUTH PLAIN\r\n250 SIZE 10000000')

    def start_tls(self):
        self.say('220 go on')
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile('rb'), self.request.makefile('wb')
        self.mail['tls'] = True

    def auth(self, words):
        if words[1].upper() != 'PLAIN':
            self.say('504 no')
            return
        if len(words) < 3:
            self.say('334 ')
            words.append(self.line())
        _, user, password = base64.b64decode(words[2]).decode().split('\0')
        self.mail['login'] = [user, password]
        if password != 'right':
            self.say('535 who are you')
        else:
            self.stage('auth', '235 welcome')

    def recipient(self, address):
        self.mail['to'].append(address)
        modes = address.split('@')[0].split('.')
        if modes[0] == 'half' or modes[0] == 'ok' or modes[0].split('-')[0] in ('fail', 'hang', 'close'):
            key = str(len(self.mail['to']))
            self.mode = next_mode('smtp', modes, address + key)
            if self.mode not in ('ok',) and modes[0] == 'half':
                self.mode = {'500': 'fail-rcpt-5', '429': 'fail-end-4', 'close': 'close-data',
                             'cut': 'close-end', 'lost': 'close-end'}[self.mode]
        self.stage('rcpt', '250 ok')

    def data(self):
        if not self.stage('data', '354 go on'):
            return
        lines = []
        while (line := self.rfile.readline(1000000)) != b'.\r\n':
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b'.') else line)
        taken = not self.mode.startswith('fail-end')
        write(self.server.log, dict(self.mail, mode=self.mode, taken=taken, time=time.time(),
                                    body=b''.join(lines).decode('utf-8', 'replace')))
        self.stage('end', '250 taken')

    def talk(self):
        if not self.stage('greet', '220 receiver ESMTP'):
            return
        while True:
            line = self.line()
            verb = line.split(' ')[0].upper()
            address = line[line.find('<') + 1:line.rfind('>')] if '<' in line else ''
            if verb in ('EHLO', 'HELO'):
                self.ehlo()
            elif verb == 'STARTTLS' and self.server.context:
                self.start_tls()
            elif verb == 'AUTH':
                self.auth(line.split(' '))
            elif verb == 'MAIL':
                self.mail.update({'from': address, 'to': []})
                self.stage('mail', '250 ok')
            elif verb == 'RCPT':
                self.recipient(address)
            elif verb == 'DATA':
                self.data()
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 ok')


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, handler, log, secret, context=None, tls=False, stage_mode='ok'):
        super().__init__(('127.0.0.1', 0), handler)
        self.server_port = self.server_address[1]
        self.log, self.secret, self.context, self.always_tls = log, secret, context, tls
        self.stage_mode = stage_mode

    def finish_request(self, request, client_address):
        if self.always_tls:
            try:
                request.settimeout(30)
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


def main():
    p = argparse.ArgumentParser()
    p.add_argument('log')
    p.add_argument('--secret', default='')
    p.add_argument('--tls', nargs=2)
    p.add_argument('--stage', default='ok', help='how SMTP goes before the recipient is known')
    a = p.parse_args()
    log = open(a.log, 'a', encoding='utf-8')
    context = None
    if a.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*a.tls)
    servers = [('http', Server(Web, log, a.secret)),
               ('smtp', Server(Mail, log, a.secret, context, stage_mode=a.stage))]
    if context:
        servers += [('https', Server(Web, log, a.secret, context, True)),
                    ('smtps', Server(Mail, log, a.secret, context, True))]
    refuses = socket.socket()
    refuses.bind(('127.0.0.1', 0))  # bound and not listening: nobody else gets the port
    for name, s in servers:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        print(name, s.server_port, flush=True)
    print('refuses', refuses.getsockname()[1], flush=True)
    print('ready', flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main()
