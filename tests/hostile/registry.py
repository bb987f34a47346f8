"""A registry that does what it is told, also where it is a lie: the servers of cases_registries.py.

HTTP/1.1 on sockets of the loopback, so that an answer may be malformed in every way. A World is the
registry at 127.0.0.1, further hosts (127.0.0.2 and so on are hosts of their own to a client),
secrets that may reach nobody else, and the log of all that was asked. Python's standard library only.
"""
import base64
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

from forge import OCI, Image, descriptor, dump, sha256

MANIFEST, INDEX, CONFIG = OCI + 'manifest.v1+json', OCI + 'index.v1+json', OCI + 'config.v1+json'
USER, PASSWORD = 'customs', 'hold-9187-the-seal'
BASIC = base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()
TOKEN, IDENTITY = 'token-4411-of-the-registry', 'identity-7730-of-the-user'
SECRETS = [s.encode() for s in (PASSWORD, BASIC, TOKEN, IDENTITY)]
SECRETS += [urllib.parse.quote(PASSWORD).encode()]
ENDLESS = 1 << 40


class Request:
    def __init__(self, server, head, body):
        self.server, self.raw, self.body = server, head + body, body
        line, *rest = head.decode('latin-1').split('\r\n')
        self.method, self.target, _ = (line.split(' ') + ['', ''])[:3]
        self.path, _, self.query = self.target.partition('?')
        self.headers = {}
        for h in rest:
            name, _, value = h.partition(':')
            self.headers.setdefault(name.strip().lower(), value.strip())

    def params(self):
        return dict(urllib.parse.parse_qsl(self.query) + urllib.parse.parse_qsl(self.body.decode('latin-1')))

    def range(self):
        """(first, last or None) of `Range: bytes=A-[B]`, or None."""
        m = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('range', ''))
        return (int(m.group(1)), int(m.group(2)) if m.group(2) else None) if m else None


class Answer:
    """`body` is bytes or an iterator of bytes; `length` replaces the Content-Length that is sent
    (None: none, the body ends with the connection); `chunked`; `cut`: the connection ends after so
    many bytes of body; `raw`: sent as they are, with nothing else; `wait`: seconds before it."""

    def __init__(self, status=200, body=b'', headers=(), **how):
        self.status, self.body, self.headers = status, body, list(headers)
        self.length = how.get('length', len(body) if isinstance(body, bytes) else None)
        self.chunked, self.cut = how.get('chunked', False), how.get('cut')
        self.raw, self.wait = how.get('raw'), how.get('wait', 0)

    def set(self, name, value):
        """Replaces a header; None removes it."""
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))
        return self

    def get(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


def endless(piece=b' ' * 65536, total=ENDLESS):
    sent = 0
    while sent < total:
        yield piece
        sent += len(piece)


def error(status, code, message='', headers=()):
    body = json.dumps({'errors': [{'code': code, 'message': message}]}).encode()
    return Answer(status, body, [('Content-Type', 'application/json'), *headers])


class Server:
    """One host:port. `answer(request)` gives an Answer, or None to hang up without a word."""

    def __init__(self, name, address, answer, world, tls=None):
        self.name, self.address, self.answer, self.world, self.tls = name, address, answer, world, tls
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        self.host = f'[{address}]:{self.port}' if ':' in address else f'{address}:{self.port}'
        self.url = ('https://' if tls else 'http://') + self.host
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        conn.settimeout(60)
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            data = b''
            while True:
                while b'\r\n\r\n' not in data:
                    more = conn.recv(65536)
                    if not more:
                        return
                    data += more
                    if data[:2] == b'\x16\x03':  # TLS, which is not spoken here: said as others say it
                        conn.sendall(b'HTTP/1.0 400 Bad Request\r\n\r\nplain HTTP only\n')
                        return
                head, _, data = data.partition(b'\r\n\r\n')
                data, keep = self.one(conn, head, data)
                if not keep:
                    return
        except (OSError, ValueError):
            pass
        finally:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            conn.close()

    def one(self, conn, head, data):
        m = re.search(rb'(?im)^content-length: *(\d+)', head)
        chunked = re.search(rb'(?im)^transfer-encoding: *chunked', head)
        want = int(m.group(1)) if m else 0
        while b'0\r\n\r\n' not in data if chunked else len(data) < want:
            more = conn.recv(65536)
            if not more:
                raise OSError
            data += more
        if chunked:
            body, want = unchunk(data)
        else:
            body = data[:want]
        request = Request(self, head, body)
        self.world.log(request)
        answer = self.answer(request)
        return data[want:], answer is not None and send(conn, request, answer)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def unchunk(data):
    """(body, bytes that it took)"""
    body, at = b'', 0
    while True:
        line = data.index(b'\r\n', at)
        n = int(data[at:line].split(b';')[0], 16)
        body += data[line + 2:line + 2 + n]
        at = line + 4 + n
        if not n:
            return body, at


def send(conn, request, a):
    """Whether the connection goes on."""
    if a.wait:
        time.sleep(a.wait)
    if a.raw is not None:
        for piece in getattr(a.raw, 'pieces', [a.raw]):
            conn.sendall(piece)
        return False
    lines = [f'HTTP/1.1 {a.status} X'] + [f'{n}: {v}' for n, v in a.headers]
    if a.chunked:
        lines.append('Transfer-Encoding: chunked')
    elif a.length is not None:
        lines.append(f'Content-Length: {a.length}')
    conn.sendall('\r\n'.join(lines).encode('latin-1', 'replace') + b'\r\n\r\n')
    if request.method == 'HEAD' or a.status in (204, 304):
        return True
    sent = 0
    for piece in [a.body] if isinstance(a.body, bytes) else a.body:
        if a.cut is not None and sent + len(piece) > a.cut:
            conn.sendall(piece[:a.cut - sent])
            return False
        conn.sendall(b'%x\r\n%s\r\n' % (len(piece), piece) if a.chunked and piece else piece)
        sent += len(piece)
    if a.chunked:
        conn.sendall(b'0\r\n\r\n')
    return a.chunked or a.length == sent


class World:
    """What one case has: `image` in the repository `demo` under the tag `1`; hooks that change an answer.

    hook(KIND, f): f(request, answer) gives the answer in its place. KIND: base, manifest (by tag or
    digest), config, layer, blob (any), referrers, token, or any."""

    def __init__(self, image, folder, tls=False):
        self.image, self.folder, self.tls = image, folder, tls
        self.hooks, self.servers, self.requests = {}, [], []
        self.lock = threading.Lock()
        self.auth = None          # None, 'basic', 'token', 'identity' (a refresh token)
        self.realm = None         # where the token server is; None: the registry itself
        self.trusted = set()      # servers that may see the secrets, besides the registry
        self.credentials = True   # whether auth.json holds any
        self.conf = ''            # further lines of registries.conf
        self.ref = None           # None: HOST/demo:1
        self.anywhere = False     # the image is in every repository
        self.plain = True         # registries.conf allows plain HTTP
        self.judge = None         # why the case failed, or None; called at the end
        self.most_said = 65536    # bytes on standard error
        self.registry = self.server('registry', '127.0.0.1', self.answer, tls=tls)
        self.trusted.add('registry')
        self.documents()

    def documents(self):
        """`manifests` and `blobs` by digest, `tags`; from self.image."""
        files = self.image.files()
        self.blobs, self.kinds = dict(getattr(self, 'blobs', {})), {}
        index = json.loads(files['index.json']) if files['index.json'][:1] == b'{' else {'manifests': []}
        self.blobs.update({p[6:].replace('/', ':'): d for p, d in files.items() if p.startswith('blobs/')})
        top = index['manifests'][0]
        self.top = top['digest']
        self.tags = {'1': self.top}
        for digest, data in self.blobs.items():
            self.kinds[digest] = 'layer'
            if data[:1] == b'{' and b'"schemaVersion"' in data[:400]:
                self.kinds[digest] = 'manifest'
            elif data[:1] == b'{' and b'"rootfs"' in data:
                self.kinds[digest] = 'config'
        self.kinds[self.top] = 'manifest'
        self.layer = self.image.layers[0].digest if self.image.layers else None

    def server(self, name, address, answer, tls=False):
        s = Server(name, address, answer, self, self.context() if tls is True else tls or None)
        self.servers.append(s)
        return s

    def evil(self, name='evil', address='127.0.0.2', answer=None, tls=False):
        """A host that must never see a secret; answers as the registry does unless told otherwise."""
        return self.server(name, address, answer or (lambda r: self.route(r)), tls)

    def context(self, ca='ca'):
        make_certificates(self.folder, ca)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(f'{self.folder}/{ca}-server.pem', f'{self.folder}/{ca}-server.key')
        return c

    def hook(self, kind, f):
        self.hooks.setdefault(kind, []).append(f)

    def add_top(self, doc, media=None):
        """The tag means this manifest."""
        data = dump(doc)
        self.top = sha256(data)
        self.blobs[self.top], self.kinds[self.top], self.tags['1'] = data, 'manifest', self.top
        if media:
            self.hook('manifest', lambda r, a: a.set('Content-Type', media) if a.body == data else a)

    def reject_token(self):
        """No token is ever good enough."""
        self.allowed = lambda request: False

    def log(self, request):
        with self.lock:
            self.requests.append(request)

    def count(self, pattern, server=None):
        return sum(1 for r in self.requests if re.search(pattern, f'{r.method} {r.target}')
                   and (server is None or r.server.name == server))

    def close(self):
        for s in self.servers:
            s.close()

    # --- the honest registry ---

    def answer(self, request):
        if request.path == '/token':
            return self.hooked('token', request, self.give_token(request))
        if not self.allowed(request):
            return self.hooked('challenge', request, self.challenge())
        return self.route(request)

    def challenge(self):
        if self.auth == 'basic':
            how = 'Basic realm="registry"'
        else:
            realm = self.realm or self.registry.url + '/token'
            how = f'Bearer realm="{realm}",service="registry",scope="repository:demo:pull"'
        return error(401, 'UNAUTHORIZED', 'authentication required', [('WWW-Authenticate', how)])

    def allowed(self, request):
        given = request.headers.get('authorization', '')
        want = {None: given, 'basic': 'Basic ' + BASIC, 'token': 'Bearer ' + TOKEN,
                'identity': 'Bearer ' + TOKEN}[self.auth]
        return given == want

    def give_token(self, request):
        sent = request.headers.get('authorization') == 'Basic ' + BASIC
        sent |= request.params().get('refresh_token') == IDENTITY
        sent |= request.params().get('password') == PASSWORD
        if not sent:
            return error(401, 'UNAUTHORIZED', 'wrong user or password')
        return Answer(200, dump({'token': TOKEN, 'access_token': TOKEN, 'expires_in': 300}),
                      [('Content-Type', 'application/json')])

    def route(self, request):
        p = request.path
        m = re.fullmatch(r'/v2/(.+)/(manifests|blobs|referrers)/([^/]+)', p)
        if p == '/v2/':
            return self.hooked('base', request, Answer(200, b'{}', [('Content-Type', 'application/json')]))
        if not m:
            return error(404, 'NAME_UNKNOWN', 'no such path')
        what, ref = m.group(2), m.group(3)
        if what == 'referrers':
            return self.hooked('referrers', request, error(404, 'NOT_FOUND', 'no referrers here'))
        if what == 'manifests':
            return self.hooked('manifest', request, self.give_manifest(ref))
        kind = self.kinds.get(ref, 'layer')
        return self.hooked(kind if kind != 'manifest' else 'blob', request, self.give_blob(request, ref))

    def hooked(self, kind, request, answer):
        kinds = [kind, 'blob', 'any'] if kind in ('config', 'layer') else [kind, 'any']
        for k in kinds:
            for f in self.hooks.get(k, ()):
                answer = f(request, answer)
                if answer is None:
                    return None
        return answer

    def give_manifest(self, ref):
        digest = self.tags.get(ref, ref)
        data = self.blobs.get(digest)
        if data is None or (self.kinds[digest] != 'manifest' and ref not in self.tags):
            return error(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
        try:
            media = json.loads(data).get('mediaType', MANIFEST)
        except (ValueError, AttributeError, RecursionError):
            media = MANIFEST
        return Answer(200, data, [('Content-Type', media), ('Docker-Content-Digest', digest)])

    def give_blob(self, request, digest):
        data = self.blobs.get(digest)
        if data is None:
            return error(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
        headers = [('Content-Type', 'application/octet-stream'), ('Docker-Content-Digest', digest),
                   ('Accept-Ranges', 'bytes')]
        span = request.range()
        if not span:
            return Answer(200, data, headers)
        first, last = span[0], min(len(data) - 1, span[1] if span[1] is not None else len(data))
        if first >= len(data):
            return Answer(416, b'', [('Content-Range', f'bytes */{len(data)}')])
        return Answer(206, data[first:last + 1],
                      headers + [('Content-Range', f'bytes {first}-{last}/{len(data)}')])

    # --- the client's files ---

    def write_config(self, home):
        """registries.conf, auth.json and certs.d of a client that trusts this registry."""
        os.makedirs(home, exist_ok=True)
        conf = f'{self.conf}\n'
        if not self.tls and self.plain:
            conf += f'[[registry]]\nlocation = "{self.registry.host}"\ninsecure = true\n'
        put(home, 'registries.conf', conf)
        auths = {}
        if self.auth and self.credentials:
            entry = {'auth': BASIC}
            if self.auth == 'identity':
                entry = {'auth': base64.b64encode(b'<token>:').decode(), 'identitytoken': IDENTITY}
            auths[self.registry.host] = entry
        put(home, 'auth.json', json.dumps({'auths': auths}))
        if self.tls:
            folder = os.path.join(home, 'home/.config/containers/certs.d', self.registry.host)
            os.makedirs(folder, exist_ok=True)
            with open(f'{self.folder}/ca.pem', encoding='ascii') as f:
                put(folder, 'ca.crt', f.read())
        return {'CONTAINERS_REGISTRIES_CONF': home + '/registries.conf',
                'REGISTRY_AUTH_FILE': home + '/auth.json', 'COCKET_STORE': home + '/data/cocket/store',
                'XDG_RUNTIME_DIR': home + '/run'}

    def reference(self):
        return self.ref or f'{self.registry.host}/demo:1'

    def leaks(self):
        """Requests to somebody else that hold a secret, or any Authorization at all."""
        for r in self.requests:
            if r.server.name in self.trusted:
                continue
            if 'authorization' in r.headers:
                yield f'Authorization sent to {r.server.name}: {r.method} {r.target}'
            for s in SECRETS:
                if s in r.raw or s in urllib.parse.unquote_to_bytes(r.raw):
                    yield f'{s.decode()} sent to {r.server.name}: {r.method} {r.target}'


def put(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
        f.write(text)


CERTIFICATES = threading.Lock()


def make_certificates(folder, ca):
    """A CA and a server's certificate for the loopback, made by openssl: CA.pem, CA-server.pem, .key."""
    os.makedirs(folder, exist_ok=True)
    with CERTIFICATES:
        if os.path.exists(f'{folder}/{ca}-server.pem'):
            return

        def openssl(*args):
            subprocess.run(['openssl', *args], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
        openssl('req', '-x509', *ec, '-keyout', f'{ca}.key', '-out', f'{ca}.pem', '-days', '2',
                '-subj', f'/CN=tests {ca}', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        put(folder, f'{ca}.ext', 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:::1,DNS:localhost\n')
        openssl('req', *ec, '-keyout', f'{ca}-server.key', '-out', f'{ca}.csr', '-subj', '/CN=localhost')
        openssl('x509', '-req', '-in', f'{ca}.csr', '-CA', f'{ca}.pem', '-CAkey', f'{ca}.key',
                '-CAcreateserial', '-days', '2', '-extfile', f'{ca}.ext', '-out', f'{ca}-server.pem')


def with_index(image, **platforms):
    """`image` below an index, as a registry has it: the tag means the index."""
    manifest = image.add(image.make_manifest())
    inner = image.add({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        descriptor(manifest, MANIFEST, platform={'os': 'linux', 'architecture': 'amd64', **platforms})]})
    image.index = {'schemaVersion': 2, 'manifests': [descriptor(inner, INDEX)]}
    return image


__all__ = ['Answer', 'Image', 'World', 'endless', 'error', 'sha256', 'with_index']
