#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry that does what a script says, on the loopback.

usage: server.py --dir DIR [--layout LAYOUT]

The first component of a repository's name is the script: /v2/cut-1000/image/blobs/... is a blob
that breaks off after 1000 bytes, once for each repository. FAULTS below lists them. What is served is the OCI layout
LAYOUT, or an image that this program makes itself (its blob is 3 MiB).

DIR gets log.jsonl (every request with its headers), and ca.pem, client.pem, client.key, made with
openssl. On standard output comes one line, once everything listens:

    http=PORT https=PORT mtls=PORT other_http=PORT other_https=PORT manifest=DIGEST blob=DIGEST ...

`other_*` listen on 127.0.0.2, as another host. The server ends when its standard input does.
"""
import argparse
import base64
import email.utils
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

USER, PASSWORD, IDENTITY = "maria", "s:ecret", "identity-of-maria"
OCI = "application/vnd.oci.image."
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def sha256(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


# --- what is served -------------------------------------------------------------------------------

class Image:
    """An image of one blob, made here."""

    def __init__(self):
        self.blob = random.Random(7).randbytes(3 << 20)
        config = b'{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}'
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
            "config": {"mediaType": OCI + "config.v1+json", "digest": sha256(config),
                       "size": len(config)},
            "layers": [{"mediaType": OCI + "layer.v1.tar", "digest": sha256(self.blob),
                        "size": len(self.blob)}]}).encode()
        self.blobs = {sha256(b): b for b in (self.blob, config, self.manifest)}
        self.types = {sha256(self.manifest): OCI + "manifest.v1+json"}
        self.tags = {"latest": sha256(self.manifest)}

    def find(self, reference):
        """(bytes, media type, digest) of a manifest, or None."""
        digest = self.tags.get(reference, reference)
        if digest not in self.types:
            return None
        return self.read(digest), self.types[digest], digest

    def read(self, digest):
        return self.blobs.get(digest)


class Layout(Image):
    """An OCI layout; its tags are those of its index.json."""

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.tags, self.types = {}, {}
        self.take(json.loads((self.folder / "index.json").read_bytes())["manifests"], True)

    def take(self, descriptors, tagged=False):
        for d in descriptors:
            self.types[d["digest"]] = d["mediaType"]
            name = d.get("annotations", {}).get("org.opencontainers.image.ref.name")
            if tagged:
                self.tags[name or "latest"] = d["digest"]
            if d["mediaType"].endswith(("index.v1+json", "manifest.list.v2+json")):
                self.take(json.loads(self.read(d["digest"]))["manifests"])

    def read(self, digest):
        if not re.fullmatch(r"sha(256|512):[0-9a-f]+", digest):
            return None
        path = self.folder / "blobs" / digest.replace(":", "/")
        return path.read_bytes() if path.exists() else None


# --- one request ----------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rig = None

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        # What a Go server says to a TLS client that took it for one of TLS.
        if not isinstance(self.connection, ssl.SSLSocket):
            if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
                self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nclient sent TLS\n")
                self.close_connection = True
                return
        super().handle_one_request()

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.form = self.rfile.read(length).decode() if length else ""
        self.rig.log(self)
        path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        try:
            if path.startswith("/token/"):
                self.token(path.split("/")[2])
            elif path.startswith("/cdn/"):
                self.cdn(path[5:])
            else:
                self.registry(path)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_HEAD = do_POST = do_GET

    # What the answers are made of.

    @property
    def secure(self):
        return isinstance(self.connection, ssl.SSLSocket)

    @property
    def origin(self):
        host, port = self.server.server_address
        return f"{'https' if self.secure else 'http'}://{host}:{port}"

    def say(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for k, v in dict(headers).items():
            for one in v if isinstance(v, list) else [v]:
                self.send_header(k, one)
        if length is not False:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def cut(self):
        """The connection ends here, in the middle of whatever it was."""
        self.wfile.flush()
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def error(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.say(status, body, {"Content-Type": "application/json",
                                **{k.replace("_", "-"): v for k, v in headers.items()}})

    def bytes(self, body, headers, ranges=True):
        """With Range, as RFC 9110 has it."""
        m = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if not m or not ranges:
            return self.say(200, body, headers)
        start = int(m.group(1))
        if start >= len(body):
            return self.say(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        self.say(206, body[start:],
                 {**headers, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})

    def endless(self, status=200, headers=()):
        self.say(status, b"", headers, length=False)
        try:
            for _ in range(1 << 14):
                self.wfile.write(b" " * (1 << 16))
        finally:
            self.cut()

    # Authentication.

    def authorized(self, need):
        got = self.headers.get("Authorization", "")
        if need == "basic":
            return got == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return got.startswith("Bearer ") and self.rig.token_good(got[7:])

    def challenge(self, script, realm=None):
        realm = realm or f"{self.origin}/token/{script}"
        self.error(401, "UNAUTHORIZED", "who are you?", WWW_Authenticate=(
            f'Bearer realm="{realm}",service="rig",scope="repository:other/thing:pull,push"'))

    def token(self, script):
        if script == "endless-token":
            return self.endless(headers={"Content-Type": "application/json"})
        if script == "token-denied":
            return self.error(403, "DENIED", "not for you")
        if script == "token-redirect":
            return self.say(302, b"", {"Location": self.rig.other("http") + "/token/bearer"})
        if script == "token-busy" and self.rig.count(script, "token") == 1:
            return self.error(429, "TOOMANYREQUESTS", "later", Retry_After="1")
        if script == "identity":
            form = dict(urllib.parse.parse_qsl(self.form))
            if self.command != "POST" or form.get("refresh_token") != IDENTITY:
                return self.error(401, "UNAUTHORIZED", "no such identity")
        elif script not in ("anonymous", "lscr") and not self.authorized("basic"):
            return self.error(401, "UNAUTHORIZED", "wrong password")
        token = self.rig.new_token(script)
        if script == "token-newline":
            token = "a\r\nX-Injected: 1"
        body = json.dumps({"token": token, "expires_in": 300}).encode()
        self.say(200, body, {"Content-Type": "application/json"})

    # The two halves.

    def cdn(self, name):
        if self.headers.get("Authorization"):
            return self.error(400, "DENIED", "an Authorization header that is not for me")
        body = self.rig.image.read(name)
        self.bytes(body, {}) if body else self.error(404, "BLOB_UNKNOWN", "no blob")

    def catalogue(self):
        """Two pages, for those who have a token."""
        if not self.authorized("bearer"):
            return self.challenge("catalog")
        last = self.query.get("last")
        names = ["library/alpine", "team/app"] if not last else ["team/db"]
        link = {} if last else {"Link": '</v2/_catalog?n=2&last=team%2Fapp>; rel="next"'}
        self.say(200, json.dumps({"repositories": names}).encode(), link)

    def registry(self, path):
        if path == "/v2/_catalog":
            return self.catalogue()
        m = re.fullmatch(r"/v2/(([^/]+)(?:/.*)?)/(manifests|blobs|referrers|tags)/([^/]+)", path)
        if not m:
            return self.error(404, "NAME_INVALID", "no such path")
        repository, script, kind, reference = m.groups()
        name, _, number = re.fullmatch(r"(.*?)(-(\d+))?", script).groups()
        fault = FAULTS.get(name)
        if not fault:
            return self.error(404, "NAME_UNKNOWN", f"no script {name}")
        self.turn = self.rig.count(repository, kind)
        fault(self, kind, reference, int(number or 0))

    def serve(self, kind, reference, **how):
        if kind == "referrers":
            body = json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
                               "manifests": []}).encode()
            return self.say(200, body, {"Content-Type": OCI + "index.v1+json"})
        if kind == "blobs":
            body = self.rig.image.read(reference)
            if body is None:
                return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return self.bytes(body, {"Content-Type": "application/octet-stream",
                                     "Docker-Content-Digest": reference}, **how)
        found = self.rig.image.find(reference)
        if not found:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown to registry")
        body, media, digest = found
        self.say(200, body, {"Content-Type": media, "Docker-Content-Digest": digest})


# --- scripts --------------------------------------------------------------------------------------
# Each is (handler, kind, reference, the number in its name).

FAULTS = {}


def fault(name):
    def add(f):
        FAULTS[name] = f
        return f
    return add


@fault("ok")
def _(h, kind, ref, n):
    h.serve(kind, ref)


@fault("basic")
def _(h, kind, ref, n):
    if h.authorized("basic"):
        return h.serve(kind, ref)
    h.error(401, "UNAUTHORIZED", "who are you?", WWW_Authenticate='Basic realm="rig"')


def with_token(script):
    def f(h, kind, ref, n):
        h.serve(kind, ref) if h.authorized("bearer") else h.challenge(script)
    return f


for _script in ("bearer", "anonymous", "identity", "endless-token", "token-denied",
                "token-redirect", "token-newline", "token-busy"):
    FAULTS[_script] = with_token(_script)


@fault("revoked")
def _(h, kind, ref, n):
    """Every second request finds that its token is good no longer."""
    if h.authorized("bearer") and not (h.turn > 2 and h.rig.revoke_once(h)):
        return h.serve(kind, ref)
    h.challenge("bearer")


@fault("never-enough")
def _(h, kind, ref, n):
    h.challenge("bearer")


def realm(where):
    def f(h, kind, ref, n):
        h.serve(kind, ref) if h.authorized("bearer") else h.challenge("", where(h))
    return f


FAULTS["realm-other"] = realm(lambda h: h.rig.other("https") + "/token/bearer")
FAULTS["realm-other-anonymous"] = realm(lambda h: h.rig.other("https") + "/token/lscr")
FAULTS["realm-port"] = realm(lambda h: h.rig.main("mtls" if h.secure else "https")
                             + "/token/bearer")
FAULTS["realm-http"] = realm(lambda h: h.rig.main("http") + "/token/bearer")
FAULTS["realm-metadata"] = realm(lambda h: "https://169.254.169.254/latest/token")
FAULTS["realm-file"] = realm(lambda h: "file:///etc/passwd")


@fault("cut")
def _(h, kind, ref, n):
    """The first answer breaks off after n bytes."""
    if h.turn > 1:
        return h.serve(kind, ref)
    body = h.rig.image.read(ref) if kind == "blobs" else h.rig.image.find(ref)[0]
    h.say(200, body[:n], length=len(body))
    h.cut()


@fault("cut-always")
def _(h, kind, ref, n):
    """Every answer breaks off after n bytes."""
    body = h.rig.image.read(ref)
    m = re.fullmatch(r"bytes=(\d+)-", h.headers.get("Range") or "")
    start = int(m.group(1)) if m else 0
    part = f"bytes {start}-{len(body) - 1}/{len(body)}"
    h.say(206 if start else 200, body[start:start + n], {"Content-Range": part},
          length=len(body) - start)
    h.cut()


@fault("cut-head")
def _(h, kind, ref, n):
    """The first n connections end before any answer."""
    h.cut() if h.turn <= n else h.serve(kind, ref)


@fault("slow")
def _(h, kind, ref, n):
    """n KiB a second."""
    body = h.rig.image.read(ref)
    h.say(200, b"", length=len(body))
    for i in range(0, len(body), n << 7):
        h.wfile.write(body[i:i + (n << 7)])
        time.sleep(1 / 8)


@fault("short-length")
def _(h, kind, ref, n):
    """n bytes and no more, with a Content-Length that says so."""
    m = re.fullmatch(r"bytes=(\d+)-", h.headers.get("Range") or "")
    if m and int(m.group(1)) >= n:
        return h.say(416, b"", {"Content-Range": f"bytes */{n}"})
    h.say(200, h.rig.image.read(ref)[:n])


@fault("long-length")
def _(h, kind, ref, n):
    h.say(200, b"", length=1 << 40)
    h.cut()


@fault("longer")
def _(h, kind, ref, n):
    """n bytes more than there should be, and no Content-Length."""
    body = h.rig.image.read(ref) if kind == "blobs" else h.rig.image.find(ref)[0]
    h.say(200, body + b"x" * n, length=False)
    h.cut()


@fault("s429-seconds")
def _(h, kind, ref, n):
    if h.turn == 1:
        return h.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="2")
    h.serve(kind, ref)


@fault("s429-date")
def _(h, kind, ref, n):
    if h.turn == 1:
        return h.error(429, "TOOMANYREQUESTS", "slow down",
                       Retry_After=email.utils.formatdate(time.time() + 3, usegmt=True))
    h.serve(kind, ref)


@fault("s429-reset")
def _(h, kind, ref, n):
    if h.turn == 1:
        return h.error(429, "TOOMANYREQUESTS", "slow down", RateLimit_Reset="2")
    h.serve(kind, ref)


@fault("s429-tomorrow")
def _(h, kind, ref, n):
    h.error(429, "TOOMANYREQUESTS", "you have reached your pull rate limit", Retry_After="86400")


@fault("status")
def _(h, kind, ref, n):
    """Status n, always."""
    h.say(n) if n < 400 else h.error(n, "DENIED", f"this is a {n}")


@fault("thrice")
def _(h, kind, ref, n):
    """Status n, three times."""
    h.error(n, "UNAVAILABLE", "not yet") if h.turn <= 3 else h.serve(kind, ref)


def redirect(where, status=307):
    def f(h, kind, ref, n):
        digest = ref if kind == "blobs" else h.rig.image.tags.get(ref, ref)
        h.say(status, b"gone there", {"Location": where(h, "/cdn/" + digest)})
    return f


def redirect_with_token(where):
    there = redirect(where)
    return lambda h, *a: there(h, *a) if h.authorized("bearer") else h.challenge("bearer")


FAULTS["redirect-same"] = redirect(lambda h, path: path)
FAULTS["redirect-found"] = redirect(lambda h, path: h.rig.other("https") + path, 302)
FAULTS["redirect-other"] = redirect_with_token(lambda h, path: h.rig.other("https") + path)
FAULTS["redirect-port"] = redirect_with_token(lambda h, path: h.rig.main("http") + path)
FAULTS["redirect-to-http"] = redirect(lambda h, path: h.rig.other("http") + path)
FAULTS["redirect-file"] = redirect(lambda h, path: "file:///etc/passwd")
FAULTS["redirect-user"] = redirect(lambda h, path: "https://x:y@127.0.0.2" + path)
FAULTS["redirect-scheme-relative"] = redirect(
    lambda h, path: h.rig.other("https").removeprefix("https:") + path)
FAULTS["redirect-metadata"] = redirect(lambda h, path: "https://169.254.169.254/latest/")
FAULTS["redirect-v6"] = redirect(lambda h, path: "https://[::ffff:127.0.0.1]:1" + path)
FAULTS["redirect-number"] = redirect(lambda h, path: "https://2130706434:%d%s" % (
    h.rig.ports["other_https"], path))
FAULTS["redirect-localhost"] = redirect(lambda h, path: "https://localhost:%d%s" % (
    h.rig.ports["https"], path))
FAULTS["redirect-loop"] = redirect(lambda h, path: h.path)
FAULTS["redirect-twice"] = lambda h, kind, ref, n: h.say(
    307, b"", {"Location": ["/cdn/" + ref, h.rig.other("https") + "/cdn/" + ref]})


@fault("wrong-digest")
def _(h, kind, ref, n):
    body = bytearray(h.rig.image.read(ref))
    body[len(body) // 2] ^= 1
    h.bytes(bytes(body), {})


@fault("wrong-type")
def _(h, kind, ref, n):
    body, _, digest = h.rig.image.find(ref)
    h.say(200, body, {"Content-Type": "Text/HTML; charset=utf-8", "Docker-Content-Digest": digest})


@fault("wrong-claim")
def _(h, kind, ref, n):
    body, media, _ = h.rig.image.find(ref)
    h.say(200, body, {"Content-Type": media, "Docker-Content-Digest": "sha256:" + "0" * 64})


@fault("schema1")
def _(h, kind, ref, n):
    h.say(200, b'{"schemaVersion":1,"name":"x","fsLayers":[]}', {"Content-Type": SCHEMA1})


@fault("endless")
def _(h, kind, ref, n):
    h.endless()


@fault("endless-error")
def _(h, kind, ref, n):
    h.endless(403)


@fault("endless-headers")
def _(h, kind, ref, n):
    h.send_response(200)
    try:
        for i in range(1 << 20):
            h.wfile.write(b"".join(h._headers_buffer) if i == 0 else b"X-%d: y\r\n" % i)
    finally:
        h.cut()


@fault("endless-continue")
def _(h, kind, ref, n):
    try:
        for _ in range(1 << 16):
            h.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    finally:
        h.cut()


@fault("huge-header")
def _(h, kind, ref, n):
    """One header of n KiB."""
    h.say(200, b"", {"X-Huge": "y" * (n << 10)})


@fault("headers")
def _(h, kind, ref, n):
    """n headers more than it has anyway."""
    body, media, _ = h.rig.image.find(ref)
    h.say(200, body, {"Content-Type": media, **{f"X-{i}": "y" for i in range(n)}})


@fault("gzip")
def _(h, kind, ref, n):
    body = h.rig.image.read(ref) if kind == "blobs" else h.rig.image.find(ref)[0]
    h.say(200, gzip.compress(body, mtime=0), {"Content-Encoding": "gzip"})


@fault("range-ignored")
def _(h, kind, ref, n):
    h.serve(kind, ref, ranges=False)


@fault("range-wrong")
def _(h, kind, ref, n):
    """Says that it begins at byte n."""
    body = h.rig.image.read(ref)
    h.say(206, body[n:], {"Content-Range": f"bytes {n}-{len(body) - 1}/{len(body)}"})


@fault("range-unasked")
def _(h, kind, ref, n):
    body = h.rig.image.read(ref)
    h.say(206, body, {"Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"})


@fault("range-refused")
def _(h, kind, ref, n):
    """416, whatever the range."""
    if h.headers.get("Range"):
        return h.say(416, b"")
    h.serve(kind, ref)


@fault("range-total")
def _(h, kind, ref, n):
    """The blob has grown by n bytes."""
    body = h.rig.image.read(ref) + b"x" * n
    h.bytes(body, {})


@fault("no-head")
def _(h, kind, ref, n):
    h.say(405) if h.command == "HEAD" else h.serve(kind, ref)


@fault("warning")
def _(h, kind, ref, n):
    body, media, _ = h.rig.image.find(ref)
    h.say(200, body, {"Content-Type": media, "Warning": [
        '299 - "this registry closes in May"', '199 - "of no interest"', '299 - "move on"']})


@fault("paged")
def _(h, kind, ref, n):
    """n pages of referrers or tags; 0: without end."""
    page = int(h.query.get("page", 0))
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [],
                       "annotations": {"page": str(page)}}).encode()
    if kind == "tags":
        body = json.dumps({"name": "x", "tags": [f"tag-{page}", "latest"]}).encode()
    headers = {"Content-Type": OCI + "index.v1+json"}
    if not n or page + 1 < n:
        headers["Link"] = f'<{h.path.partition("?")[0]}?page={page + 1}>; rel="next"'
    h.say(200, body, headers)


NAMES = [b'{"tags":["a\\nb"]}', b'{"tags":[""]}', b'{"tags":["a"],"tags":["b"]}', b'{"tags":{}}',
         b'{"tags":["' + b"x" * 513 + b'"]}', b'[' * 100000, b'{"tags":[1]}', b'{"Tags":["a"]}',
         b'{"tags":null}']


@fault("names")
def _(h, kind, ref, n):
    """The nth bad listing; the last one is empty."""
    h.say(200, NAMES[n], {"Content-Type": "application/json"})


def linked(where):
    return lambda h, kind, ref, n: h.say(200, b"{}", {"Link": f'<{where(h)}>; rel="next"'})


FAULTS["page-other"] = linked(lambda h: h.rig.other("https") + "/v2/x/referrers/y")
FAULTS["page-port"] = linked(lambda h: h.rig.main("http") + "/v2/x/referrers/y")
FAULTS["page-slashes"] = linked(lambda h: "//127.0.0.2/v2/x/referrers/y")
FAULTS["page-loop"] = linked(lambda h: h.path)
FAULTS["page-absolute"] = linked(lambda h: h.origin + h.path + "?page=2")
FAULTS["page-relative"] = linked(lambda h: "?page=2")


@fault("no-referrers")
def _(h, kind, ref, n):
    """Without the API; n: with the fallback's tag."""
    if kind == "manifests" and n and re.fullmatch("sha256-[0-9a-f]{64}", ref):
        return h.say(200, b'{"fallback":true}', {"Content-Type": OCI + "index.v1+json"})
    h.error(404, "NOT_FOUND", "page not found")


# --- the rig --------------------------------------------------------------------------------------

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Rig:
    def __init__(self, options):
        self.dir = pathlib.Path(options.dir)
        self.image = Layout(options.layout) if options.layout else Image()
        self.lock = threading.Lock()
        self.counts, self.tokens, self.ports = {}, {}, {}
        self.revoked = set()
        self.log_file = open(self.dir / "log.jsonl", "a", buffering=1, encoding="utf-8")

    def log(self, h):
        host, port = h.server.server_address
        line = json.dumps({"host": host, "port": port, "tls": h.secure, "method": h.command,
                           "path": h.path, "form": h.form,
                           "headers": {k.lower(): v for k, v in h.headers.items()}})
        with self.lock:
            self.log_file.write(line + "\n")

    def count(self, script, kind):
        with self.lock:
            self.counts[script, kind] = self.counts.get((script, kind), 0) + 1
            return self.counts[script, kind]

    def new_token(self, script):
        token = f"token-of-{script}-{random.randrange(1 << 62):x}"
        with self.lock:
            self.tokens[token] = script
        return token

    def token_good(self, token):
        with self.lock:
            return token in self.tokens

    def revoke_once(self, h):
        token = h.headers["Authorization"][7:]
        with self.lock:
            if self.revoked:
                return False
            self.revoked.add(token)
            del self.tokens[token]
            return True

    def main(self, name):
        return f"{'http' if name == 'http' else 'https'}://127.0.0.1:{self.ports[name]}"

    def other(self, scheme):
        return f"{scheme}://127.0.0.2:{self.ports['other_' + scheme]}"

    def certificates(self):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=self.dir, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                "-subj", "/CN=rig CA")
        for name, alt in (("server", "IP:127.0.0.1,IP:127.0.0.2,DNS:localhost"),
                          ("client", "email:maria@localhost")):
            openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                    f"/CN=rig {name}", "-addext", f"subjectAltName={alt}")
            (self.dir / f"{name}.ext").write_text(f"subjectAltName={alt}\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out",
                    f"{name}.pem")

    def context(self, mutual):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self.dir / "server.pem", self.dir / "server.key")
        if mutual:
            c.load_verify_locations(self.dir / "ca.pem")
            c.verify_mode = ssl.CERT_REQUIRED
        return c

    def listen(self, name, host, tls=None):
        handler = type("Bound", (Handler,), {"rig": self})
        server = Server((host, 0), handler, bind_and_activate=False)
        if tls:
            # The handshake belongs to the connection's own thread.
            server.socket = tls.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        server.server_bind()
        server.server_activate()
        self.ports[name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(self):
        self.certificates()
        tls, mutual = self.context(False), self.context(True)
        self.listen("http", "127.0.0.1")
        self.listen("https", "127.0.0.1", tls)
        self.listen("mtls", "127.0.0.1", mutual)
        self.listen("other_http", "127.0.0.2")
        self.listen("other_https", "127.0.0.2", tls)
        facts = dict(self.ports)
        if not isinstance(self.image, Layout):
            facts.update(manifest=self.image.tags["latest"], blob=sha256(self.image.blob))
        print(*(f"{k}={v}" for k, v in facts.items()), flush=True)
        sys.stdin.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, help="for the log and the certificates")
    parser.add_argument("--layout", help="an OCI layout to serve")
    Rig(parser.parse_args()).run()
    os._exit(0)  # threads that wait for a client are of no interest


if __name__ == "__main__":
    main()
