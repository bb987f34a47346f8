# SPDX-License-Identifier: GPL-3.0-or-later
"""A store, a receiver that fails, and cocket between them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='


class Rig:
    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.events_tool = os.path.join(os.path.dirname(self.program), 'tests/notify_events')
        self.dir = tempfile.mkdtemp(prefix='cocket-notify-')
        self.store = os.path.join(self.dir, 'store')
        self.log = os.path.join(self.dir, 'received')
        self.secret = self.file('secret', SECRET + '\n')
        self.env = {k: v for k, v in os.environ.items() if not k.lower().endswith('_proxy')}
        self.env.update(COCKET_STORE=self.store, XDG_DATA_HOME=self.dir, LC_ALL='C.UTF-8',
                        XDG_CACHE_HOME=self.dir, XDG_CONFIG_HOME=self.dir, COLUMNS='400')
        self.receivers, self.ports = [], {}

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def certificate(self, name='localhost'):
        """A certificate for `name`, and our trust in it."""
        cert, key = os.path.join(self.dir, name + '.pem'), os.path.join(self.dir, name + '.key')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                        '-addext', f'subjectAltName=DNS:{name}', '-keyout', key, '-out', cert],
                       check=True, stderr=subprocess.DEVNULL)
        return cert, key

    def receiver(self, *options):
        """Starts one; its ports by name."""
        p = subprocess.Popen([sys.executable, os.path.join(HERE, 'receiver.py'), self.log,
                              '--secret', SECRET, *options], stdout=subprocess.PIPE, text=True)
        self.receivers.append(p)
        ports = {}
        for line in p.stdout:
            if line == 'ready\n':
                break
            name, port = line.split()
            ports[name] = int(port)
        self.ports = self.ports or ports
        return ports

    def url(self, name, path):
        return f'{name}://127.0.0.1:{self.ports[name]}/{path}'

    def cocket(self, *args, check=0, env=None, stdin=None):
        r = subprocess.run([self.program, *args], env=dict(self.env, **(env or {})), input=stdin,
                           capture_output=True, text=True, timeout=120, check=False)
        if check is not None and r.returncode != check:
            raise AssertionError(f'cocket {args}: exit status {r.returncode}, not {check}\n'
                                 f'{r.stdout}{r.stderr}')
        return r

    def add(self, name, way, target, *options):
        secret = ['--secret-file', self.secret] if way == 'webhook' else []
        self.cocket('notify', 'add', f'--{way}', target, *secret, *options, name)

    def happen(self, first, n):
        subprocess.run([self.events_tool, self.store, str(first), str(n)], check=True)

    def subscription(self, name):
        rows = json.loads(self.cocket('notify', 'ls', '--format', 'json').stdout)
        return next(r for r in rows if r['name'] == name)

    def received(self):
        try:
            with open(self.log, encoding='utf-8') as f:
                return [json.loads(line) for line in f.read().split('\n')[:-1]]
        except FileNotFoundError:
            return []

    def until(self, what, seconds=60):
        end = time.time() + seconds
        while not what():
            if time.time() > end:
                return False
            time.sleep(0.1)
        return True

    def close(self):
        for p in self.receivers:
            p.kill()
            p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def run(tests):
    """ok and not ok lines of functions that take the program."""
    if len(sys.argv) < 2:
        sys.exit(f'usage: {sys.argv[0]} PROGRAM [TEST...]')
    bad = 0
    for test in tests:
        if sys.argv[2:] and test.__name__ not in sys.argv[2:]:
            continue
        rig = Rig(sys.argv[1])
        name = test.__name__.replace('_', ' ')
        begun = time.time()
        try:
            test(rig)
            print(f'ok {name} # {time.time() - begun:.1f} s', flush=True)
        except Exception as e:  # pylint: disable=broad-except
            bad += 1
            print(f'not ok {name}\n#   ' + f'{type(e).__name__}: {e}'.replace('\n', '\n#   '),
                  flush=True)
        finally:
            rig.close()
    sys.exit(1 if bad else 0)
