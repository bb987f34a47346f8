#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate as its clients see it: what is served, what is denied and how that is said, and what
becomes of both when the upstream, the disk, the clients or the gate itself fail.

  gate.py PROGRAM [NAME...]
"""
import concurrent.futures
import http.client
import http.server
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import rig
import servers
from rig import UP, Attestation, Image, Index, digest_of, holds, push, same, until

ANSWER_MS = 250  # after the last byte from an upstream that gives 20 MB/s
MEASURED_MS = 400 if len(os.sched_getaffinity(0)) < 4 else ANSWER_MS  # shared with whatever else runs
POLICY = """version: 1
default: allow
rules:
  - name: not those
    match: { images: ["up.test/denied**"] }
    decision: deny
  - name: ask somebody
    match: { images: ["up.test/held**"] }
    decision: quarantine
"""
DENY_ALL = "version: 1\ndefault: deny\n"

PROGRAM = os.path.realpath(sys.argv[1])
NAMES = sys.argv[2:]
TESTS = []


def test(f):
    TESTS.append(f)
    return f


class World:
    """The upstream, and a gate that most tests share."""

    def __init__(self):
        self.up = rig.Upstream()
        self.gate = rig.Gate(PROGRAM, self.up.port, POLICY, "--tag-ttl", "1s")

    def close(self):
        self.gate.__exit__()
        self.up.__exit__()

    def new(self, repository, seed, tag="1", **how):
        image = Image(seed, **how)
        push(self.up.url, repository, image, tag)
        return image


def check_served(gate, repository, image, reference="1"):
    r = gate.manifest(repository, reference)
    same(r.status, 200)
    same(r.body, image.manifest)
    same(r.headers["Docker-Content-Digest"], image.digest)
    same(r.headers["Content-Type"], image.type)
    for blob in image.blobs:
        r = gate.blob(repository, digest_of(blob))
        same(r.status, 200)
        holds(r.body == blob, "a blob that is not the upstream's")


def check_denied(r, *words):
    same(r.status, 403)
    code, message = r.error
    same(code, "DENIED")
    for word in words:
        holds(word in message, f"no {word} in: {message}")


# --- what is served and what is not ---------------------------------------------------------------

@test
def allowed(w):
    image = w.new("allowed", 1)
    check_served(w.gate, "allowed", image)
    check_served(w.gate, "allowed", image, image.digest)
    r = w.gate.manifest("allowed", "1", "HEAD")
    same((r.status, r.headers["Content-Length"]), (200, str(len(image.manifest))))
    same(w.gate.manifest("allowed", image.digest).headers["OCI-Namespace"], UP)
    r = w.gate.get("/v2/allowed/manifests/1?ns=" + UP)
    same((r.status, r.body), (200, image.manifest))
    same(w.gate.get(f"/v2/{UP}/allowed/tags/list").status, 200)


@test
def denied(w):
    image = w.new("denied", 2)
    same(w.gate.manifest("denied", "1", "HEAD").status, 403)
    r = w.gate.manifest("denied", "1")
    check_denied(r, "not those", image.digest, w.gate.url + "/explain/")
    at = r.error[1].split("/explain/")[1]
    e = w.gate.explain(at)
    same((e["decision"], e["digest"], e["examined"]), ("deny", image.digest, True))
    holds(any("not those" in x for x in e["reasons"]), e)
    for blob in image.blobs:
        check_denied(w.gate.blob("denied", digest_of(blob)))
    same(w.gate.cocket("release", "--reason", "x", f"{UP}/denied:1").returncode != 0 or
         w.gate.manifest("denied", "1").status == 403, True)


@test
def quarantined_until_released(w):
    image = w.new("held", 3)
    check_denied(w.gate.manifest("held", "1"), "ask somebody", "release")
    same(w.gate.cocket("release", "--reason", "looked at it", image.digest).returncode, 0)
    holds(until(lambda: w.gate.manifest("held", "1").status == 200, 2), "not released in 2 s")
    same(w.gate.cocket("deny", "--reason", "no", image.digest).returncode, 0)
    holds(until(lambda: w.gate.manifest("held", image.digest).status == 403, 2),
          "not denied in 2 s")


@test
def a_denial_holds_at_once(w):
    image = w.new("turns", 4)
    check_served(w.gate, "turns", image, image.digest)
    same(w.gate.cocket("deny", "--reason", "stolen key", image.digest).returncode, 0)
    begin = time.monotonic()
    holds(until(lambda: w.gate.manifest("turns", image.digest).status == 403, 2), "still served")
    took = time.monotonic() - begin
    check_denied(w.gate.manifest("turns", image.digest), "stolen key")
    check_denied(w.gate.blob("turns", digest_of(image.layer)), "stolen key")
    return f"{took * 1000:.0f} ms"


@test
def nothing_there(w):
    r = w.gate.manifest("allowed", "none")
    same((r.status, r.error[0]), (404, "MANIFEST_UNKNOWN"))
    same(w.gate.manifest("no/such", "1").status, 404)
    same(w.gate.manifest("allowed", "sha256:" + "0" * 64).status, 404)
    same(w.gate.blob("allowed", "sha256:" + "0" * 64).status, 404)
    holds(w.gate.manifest("allowed", "sha256:baddigeststring").status in (400, 404), "bad digest")
    check_denied(w.gate.get("/v2/other.example/a/manifests/1"), "other.example")


@test
def a_blob_of_another_repository(w):
    mine, other = w.new("mine", 5), w.new("other", 6)
    check_served(w.gate, "mine", mine)
    check_served(w.gate, "other", other)
    same(w.gate.blob("other", digest_of(mine.layer)).status, 404)
    same(w.gate.manifest("other", mine.digest).status, 404)  # the store has it, that registry has not


@test
def an_index(w):
    host, far, note = Image(10), Image(11, arch="s390x"), Attestation(12)
    index = Index([host, far], [note])
    push(w.up.url, "many", index, "1")
    r = w.gate.manifest("many", "1")
    same((r.status, r.body, r.headers["Content-Type"]), (200, index.manifest, rig.INDEX))
    same(w.up.asked("GET", f"/v2/many/blobs/{digest_of(far.layer)}"), 0)
    check_served(w.gate, "many", host, host.digest)
    check_served(w.gate, "many", far, far.digest)
    check_served(w.gate, "many", note, note.digest)
    same(w.gate.cocket("deny", "--reason", "that one", far.digest).returncode, 0)
    holds(until(lambda: w.gate.manifest("many", far.digest).status == 403, 2), "still served")
    same(w.gate.manifest("many", "1").status, 200)
    same(w.gate.cocket("deny", "--reason", "this too", host.digest).returncode, 0)
    holds(until(lambda: w.gate.manifest("many", "1").status == 403, 2), "its index is still served")


@test
def an_attestation_that_would_run(w):
    """Some runtimes unpack a layer whatever its media type says."""
    trick = Attestation(13)
    real, diff_id = rig.layer({"etc/passwd": b"root::0:0::/:/bin/sh\n"})
    trick.config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
        "type": "layers", "diff_ids": [diff_id]}}).encode()
    trick.manifest = json.dumps({
        "schemaVersion": 2, "mediaType": rig.MANIFEST,
        "config": rig.descriptor(rig.CONFIG, trick.config),
        "layers": [rig.descriptor("application/vnd.in-toto+json", real)]}).encode()
    trick.digest, trick.blobs = digest_of(trick.manifest), [real, trick.config]
    push(w.up.url, "trick", trick, "1")
    check_denied(w.gate.manifest("trick", "1"))
    check_denied(w.gate.blob("trick", digest_of(real)))


@test
def moved_tag(w):
    first = w.new("moves", 20)
    check_served(w.gate, "moves", first)
    second = w.new("moves", 21)
    holds(until(lambda: w.gate.manifest("moves", "1").body == second.manifest, 4), "the old one")
    check_served(w.gate, "moves", first, first.digest)


# --- first pulls ----------------------------------------------------------------------------------

def scans(port):
    text = rig.ask(f"http://127.0.0.1:{port}", "/metrics").body.decode()
    return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("cocket_scans_total"))


@test
def one_fetch_for_64_clients(w):
    image = w.new("crowd", 30, size=3 << 20)
    port = servers.free_port()
    with rig.Gate(PROGRAM, w.up.port, POLICY, "--metrics-listen", f"127.0.0.1:{port}") as gate:
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            jobs = [pool.submit(gate.manifest, "crowd", "1" if i % 2 else image.digest)
                    for i in range(64)]
            got = [j.result() for j in jobs]
        same({r.status for r in got}, {200})
        same({r.body for r in got}, {image.manifest})
        same(w.up.asked("GET", f"/v2/crowd/blobs/{digest_of(image.layer)}"), 1)
        same(w.up.asked("GET", f"/v2/crowd/blobs/{digest_of(image.config)}"), 1)
        same(scans(port), 1)
        same(sum(e["name"].startswith(f"{UP}/crowd") and e["kind"] == "pull"
                 for e in gate.events("flight")), 2)  # the tag, and the digest
    return f"{w.up.asked('GET', '/v2/crowd/manifests/')} manifests asked for"


@test
def answers_soon_after_the_last_byte(w):
    image = w.new("large", 31, size=30 << 20)
    slow = rig.slow(w.up.port, rate=20_000_000)
    with rig.Gate(PROGRAM, slow.port, POLICY) as gate:
        begin = time.monotonic()
        done = {}

        def last_bytes():
            while "end" not in done:
                if slow.carried >= len(image.layer) and "last" not in done:
                    done["last"] = slow.last
                time.sleep(0.001)
        watch = threading.Thread(target=last_bytes)
        watch.start()
        r = gate.manifest("large", "1")
        done["end"] = time.monotonic()
        watch.join()
        same((r.status, r.body), (200, image.manifest))
        took, after = done["end"] - begin, (done["end"] - done["last"]) * 1000
        holds(took > 1.3, f"the upstream was not held: {took}")
        holds(after <= MEASURED_MS, f"{after:.0f} ms after the last byte")
        holds(gate.blob("large", digest_of(image.layer)).body == image.layer, "the layer")
    slow.close()
    return f"{after:.0f} ms after the last byte of {took:.1f} s"


@test
def work_goes_on(w):
    image = w.new("slow", 32, size=4 << 20)
    slow = rig.slow(w.up.port, rate=1_500_000)
    with rig.Gate(PROGRAM, slow.port, POLICY, "--wait", "500ms") as gate:
        r = gate.manifest("slow", "1")
        same((r.status, r.error[0]), (429, "TOOMANYREQUESTS"))
        holds(int(r.headers["Retry-After"]) > 0, "Retry-After")
        same(gate.explain(f"{UP}/slow:1")["under_way"], True)
        holds(until(lambda: gate.manifest("slow", "1").status == 200, 15), "never there")
        check_served(gate, "slow", image)
    slow.close()


# --- the upstream fails ---------------------------------------------------------------------------

@test
def upstream_gone(w):
    image = w.new("kept", 40)
    front = rig.slow(w.up.port)
    with rig.Gate(PROGRAM, front.port, POLICY, "--tag-ttl", "1s") as gate:
        check_served(gate, "kept", image)
        front.socket.shutdown(socket.SHUT_RDWR)
        front.close()
        time.sleep(1.2)
        r = gate.manifest("kept", "1", timeout=90)
        same((r.status, r.body), (200, image.manifest))
        holds("could not be asked" in (r.headers["Warning"] or ""), r.headers)
        check_served(gate, "kept", image, image.digest)
        r = gate.manifest("kept", "2", timeout=90)
        same(r.status, 503)
        holds(int(r.headers["Retry-After"]) > 0, "Retry-After")


class Liar(http.server.ThreadingHTTPServer):
    """A registry that serves `files`: path -> (type, bytes)."""

    def __init__(self, files):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                kind, body = files.get(self.path, (None, b""))
                self.send_response(200 if kind or self.path == "/v2/" else 404)
                self.send_header("Content-Type", kind or "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)
            do_HEAD = do_GET  # pylint: disable=invalid-name

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Locked(http.server.ThreadingHTTPServer):
    """A registry that wants credentials of everybody and has none to give."""

    def __init__(self, status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="here"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            do_HEAD = do_GET  # pylint: disable=invalid-name

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@test
def upstream_refuses(_):
    for status in (401, 403):
        locked = Locked(status)
        with rig.Gate(PROGRAM, locked.server_address[1], POLICY) as gate:
            r = gate.manifest("locked", "1")
            same((r.status, r.error[0]), (403, "DENIED"))
            holds("upstream does not give it" in r.error[1] and str(status) in r.error[1], r.error)
        locked.shutdown()


@test
def upstream_lies(_):
    image, other = Image(50), Image(51)
    bad = bytearray(image.layer)
    bad[-1] ^= 1
    liar = Liar({
        f"/v2/swapped/manifests/{image.digest}": (rig.MANIFEST, other.manifest),
        "/v2/flipped/manifests/1": (rig.MANIFEST, image.manifest),
        f"/v2/flipped/manifests/{image.digest}": (rig.MANIFEST, image.manifest),
        f"/v2/flipped/blobs/{digest_of(image.config)}": ("application/octet-stream", image.config),
        f"/v2/flipped/blobs/{digest_of(image.layer)}": ("application/octet-stream", bytes(bad)),
    })
    with rig.Gate(PROGRAM, liar.server_address[1], POLICY) as gate:
        r = gate.manifest("swapped", image.digest)
        same(r.status, 502)
        holds("hostile" in r.error[1] and "digest" in r.error[1], r.error)
        r = gate.manifest("flipped", "1")
        holds(r.status in (403, 502) and "digest" in r.error[1], (r.status, r.body))
        for blob in image.blobs:
            holds(gate.blob("flipped", digest_of(blob)).status in (403, 404), "a blob of it")
        same(gate.cocket("fsck").returncode, 0)
    liar.shutdown()
    liar.server_close()


# --- the gate fails -------------------------------------------------------------------------------

@test
def reload(w):
    image = w.new("rules", 60)
    with rig.Gate(PROGRAM, w.up.port, POLICY) as gate:
        check_served(gate, "rules", image)
        room = gate.room()
        gate.set_policy(DENY_ALL)
        gate.process.send_signal(signal.SIGHUP)
        holds(until(lambda: gate.manifest("rules", "1").status == 403, 5), "the old policy")
        holds(until(lambda: gate.room() != room, 10), "the old room")
        gate.set_policy("version: 1\ndefault: perhaps\n")
        gate.process.send_signal(signal.SIGHUP)
        holds(until(lambda: gate.events("reload-failed"), 5), "nothing said of a broken policy")
        same(gate.manifest("rules", "1").status, 403)
        gate.set_policy(POLICY)
        gate.process.send_signal(signal.SIGHUP)
        holds(until(lambda: gate.manifest("rules", "1").status == 200, 5), "not the new policy")
        same(gate.stop(), 0)


@test
def new_database(w):
    """What a newer database knows of an image that was cleared holds without anybody's scan."""
    image = w.new("older", 65, package=("zlib", "1.2.11-r0"))
    with rig.Gate(PROGRAM, w.up.port, "version: 1\ndefault: allow\nrules:\n  - name: bad\n"
                  "    require: { severity: none }\n", db={"musl": {"1.0-r0": ["CVE-2000-0001"]}}) as gate:
        check_served(gate, "older", image)
        time.sleep(1.1)  # databases say to the second when they were made
        gate.make_db({"zlib": {"1.2.12-r0": ["CVE-2018-25032"]}})
        holds(until(lambda: gate.manifest("older", "1").status == 403, 15), "still served")
        check_denied(gate.manifest("older", "1"), "CVE-2018-25032")


@test
def room_killed(w):
    image = w.new("room", 61)
    with rig.Gate(PROGRAM, w.up.port, POLICY) as gate:
        check_served(gate, "room", image)
        url = gate.url
        for _ in range(3):
            os.kill(gate.room(), signal.SIGKILL)
            check = lambda: quiet(lambda: gate.manifest("room", "1", timeout=5).status) == 200
            holds(until(check, 10), "not served again")
        same((gate.url, len(gate.events("room-ended"))), (url, 3))
        check_served(gate, "room", image)


def quiet(f):
    try:
        return f()
    except (OSError, http.client.HTTPException):
        return None


@test
def killed_under_load(w):
    """kill -9 of the hub at random moments of first pulls: what was cleared is served afterwards,
    nothing that is denied ever is, and the store is sound."""
    rounds = int(os.environ.get("GATE_KILLS", "4"))
    rand = random.Random(os.environ.get("GATE_SEED", "7"))
    images = [w.new(f"load/{i}", 70 + i, size=1 << 20) for i in range(6)]
    bad = w.new("denied/load", 80)
    front = rig.slow(w.up.port, rate=6_000_000)
    gate = rig.Gate(PROGRAM, front.port, POLICY)
    wrong = []

    def client(i):
        r = quiet(lambda: gate.manifest(f"load/{i}", "1", timeout=20))
        if r and r.status == 200 and r.body != images[i].manifest:
            wrong.append(i)
        r = quiet(lambda: gate.manifest("denied/load", "1", timeout=20))
        if r and r.status == 200:
            wrong.append("denied")
    with gate:
        served = 0
        for _ in range(rounds):
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                jobs = [pool.submit(client, i % 6) for i in range(12)]
                time.sleep(rand.uniform(0.05, 1.2))
                gate.process.kill()
                gate.process.wait()
                for j in jobs:
                    j.result()
            same(wrong, [])
            r = gate.cocket("fsck")
            same((r.returncode, r.stdout + r.stderr if r.returncode else ""), (0, ""))
            gate.start()
        for i, image in enumerate(images):
            check_served(gate, f"load/{i}", image)
            served += 1
        check_denied(gate.manifest("denied/load", "1"), "not those")
        same(gate.blob("denied/load", digest_of(bad.layer)).status, 403)
        same(gate.cocket("fsck").returncode, 0)
    front.close()


@test
def full_disk(w):
    small = w.new("small", 90)
    w.new("big", 91, size=24 << 20)
    mount = os.path.join("/tmp", f"cocket-gate-disk-{os.getpid()}")
    os.makedirs(mount)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount],
                                          check=False, capture_output=True).returncode:
        os.rmdir(mount)
        return "skip no file system of a known size can be mounted"
    try:
        with rig.Gate(PROGRAM, w.up.port, POLICY, "--tag-ttl", "1s", directory=mount) as gate:
            check_served(gate, "small", small)
            r = gate.manifest("big", "1", timeout=120)
            holds(r.status >= 500, r.status)
            fill = os.path.join(mount, "fill")
            with open(fill, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"\0" * 65536)
                except OSError:
                    pass
            check_served(gate, "small", small, small.digest)
            time.sleep(1.2)
            r = gate.manifest("small", "1", timeout=60)
            same((r.status, r.body), (200, small.manifest))
            os.unlink(fill)
            same(gate.manifest("small", "1").status, 200)
            same(gate.cocket("fsck").returncode, 0)
            gate.stop()
    finally:
        subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(mount, ignore_errors=True)
    return None


@test
def drain(w):
    """What is under way comes to its end; then the gate does."""
    image = w.new("drained", 62, size=4 << 20)
    with rig.Gate(PROGRAM, w.up.port, POLICY) as gate:
        check_served(gate, "drained", image)
        host, port = gate.url[7:].split(":")
        c = socket.create_connection((host, int(port)))
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        path = f"/v2/{UP}/drained/blobs/{digest_of(image.layer)}"
        c.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        got = c.recv(1000)
        gate.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        holds(gate.process.poll() is None, "ended before the download did")
        while True:
            piece = c.recv(1 << 20)
            if not piece:
                break
            got += piece
            if len(got) >= len(image.layer) + 4096:
                break
            if got.endswith(image.layer[-64:]):
                break
        c.close()
        holds(got.endswith(image.layer), f"only {len(got)} bytes of {len(image.layer)}")
        same(gate.process.wait(15), 0)


@test
def tls_and_systemd(w):
    """A socket that systemd has opened, TLS on it, and what systemd is told."""
    del w
    with tempfile.TemporaryDirectory() as d, socket.socket() as s, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        s.bind(("127.0.0.1", 0))
        s.listen()
        told.bind(d + "/notify")
        told.settimeout(20)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=gate",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", d + "/key", "-out",
                        d + "/cert"], check=True, capture_output=True)
        env = dict(os.environ, LISTEN_FDS="1", LISTEN_FDNAMES="gate", NOTIFY_SOCKET=d + "/notify",
                   COCKET_STORE=d + "/store", XDG_DATA_HOME=d, XDG_CONFIG_HOME=d, XDG_CACHE_HOME=d)
        os.set_inheritable(s.fileno(), True)
        with subprocess.Popen(["sh", "-c", f'exec 3<&{s.fileno()}; LISTEN_PID=$$ exec "$0" serve '
                               f'--anonymous-pull --tls-cert {d}/cert --tls-key {d}/key', PROGRAM],
                              env=env, pass_fds=[s.fileno()], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as gate:
            try:
                same(told.recv(100), b"READY=1")
                ca = ssl.create_default_context(cafile=d + "/cert")
                c = http.client.HTTPSConnection("127.0.0.1", s.getsockname()[1], context=ca, timeout=20)
                c.request("GET", "/healthz")
                same(c.getresponse().status, 200)
                c.close()
                gate.send_signal(signal.SIGHUP)
                holds(told.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC="), "RELOADING")
                same(told.recv(100), b"READY=1")
                gate.send_signal(signal.SIGTERM)
                same(told.recv(100), b"STOPPING=1")
                same(gate.wait(20), 0)
            finally:
                if gate.poll() is None:
                    gate.kill()


@test
def plain_http_stays_on_the_loopback(w):
    r = w.gate.cocket("serve", "--listen", "0.0.0.0:0")
    same(r.returncode, 2)
    holds("loopback" in r.stderr, r.stderr)


@test
def clients_that_stop(w):
    """1,000 connections that say half a request or nothing, and some that never read."""
    image = w.new("patience", 63, size=4 << 20)
    with rig.Gate(PROGRAM, w.up.port, POLICY, "--connections", "4000", "--connections-per-client",
                  "4000") as gate:
        check_served(gate, "patience", image)
        host, port = gate.url[7:].split(":")
        idle = []
        path = f"/v2/{UP}/patience/blobs/{digest_of(image.layer)}"
        for i in range(1000):
            c = socket.create_connection((host, int(port)))
            if i % 20 == 0:
                c.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            elif i % 2:
                c.sendall(b"GET /v2/ HTT")
            idle.append(c)
        begin = time.monotonic()
        check_served(gate, "patience", image)
        fresh = w.new("patience", 64, tag="2")
        check_served(gate, "patience", fresh, "2")
        took = time.monotonic() - begin
        for c in idle:
            c.close()
        holds(took < 10, f"{took:.1f} s")
        same(gate.stop(), 0)
        return f"{took * 1000:.0f} ms beside 1,000 of them"


# --------------------------------------------------------------------------------------------------

def main():
    w = World()
    return rig.Tests().each("gate", TESTS, NAMES, w, w.close)


if __name__ == "__main__":
    sys.exit(main())
