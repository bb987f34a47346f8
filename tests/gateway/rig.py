# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate between a registry and its clients, for the tests of the gateway: images made here, an
upstream whose requests are counted, `cocket serve`, and a client that reads what it is told to."""
import gzip
import hashlib
import http.client
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../fault")]
import proxy  # pylint: disable=wrong-import-position
import servers  # pylint: disable=wrong-import-position

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
UP = "up.test"  # what the gate calls the upstream


def digest_of(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


def descriptor(media_type, b, **more):
    return dict(mediaType=media_type, digest=digest_of(b), size=len(b), **more)


# --- images ---------------------------------------------------------------------------------------

def layer(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    raw = raw.getvalue()
    return gzip.compress(raw, 1, mtime=0), digest_of(raw)


class Image:
    """An image of one layer that says who it is; `size` random bytes make it large."""

    def __init__(self, seed, size=2000, arch="amd64", package=None, packages=(), config=None,
                 history=None, release="ID=alpine\nVERSION_ID=3.20.3\n"):
        files = {"etc/os-release": release.encode(), "seed": str(seed).encode(),
                 "data": random.Random(seed).randbytes(size)}
        packages = [*([package] if package else []), *packages]
        if packages:
            files["lib/apk/db/installed"] = "".join(
                "P:{0}\nV:{1}\no:{0}\nA:x86_64\n\n".format(*p) for p in packages).encode()
        self.layer, diff_id = layer(files)
        self.config = json.dumps({"architecture": arch, "os": "linux", "seed": seed,
                                  **({"config": config} if config else {}),
                                  **({"history": history} if history else {}),
                                  "rootfs": {"type": "layers", "diff_ids": [diff_id]}}).encode()
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST,
                                    "config": descriptor(CONFIG, self.config),
                                    "layers": [descriptor(LAYER, self.layer)]}).encode()
        self.digest = digest_of(self.manifest)
        self.type, self.blobs = MANIFEST, [self.layer, self.config]
        self.platform = {"os": "linux", "architecture": arch}


class Index:
    def __init__(self, children, attestations=()):
        self.children = [*children, *attestations]
        entries = [descriptor(MANIFEST, c.manifest, platform=c.platform) for c in children]
        entries += [descriptor(MANIFEST, a.manifest, platform={
            "os": "unknown", "architecture": "unknown"}, annotations={
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": children[0].digest}) for a in attestations]
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                                    "manifests": entries}).encode()
        self.digest, self.type, self.blobs = digest_of(self.manifest), INDEX, []


class Attestation:
    def __init__(self, seed):
        statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "seed": seed}).encode()
        self.config = json.dumps({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": [digest_of(statement)]}}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, self.config),
            "layers": [descriptor("application/vnd.in-toto+json", statement)]}).encode()
        self.digest, self.type = digest_of(self.manifest), MANIFEST
        self.blobs = [statement, self.config]


# --- HTTP -----------------------------------------------------------------------------------------

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self):
        try:
            e = json.loads(self.body)["errors"][0]
        except (ValueError, LookupError):
            return "", ""
        return e.get("code", ""), e.get("message", "")


def ask(url, path, method="GET", body=None, headers=None, timeout=60):
    at = urllib.parse.urlsplit(url)
    c = http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)
    try:
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        return Answer(r.status, r.headers, r.read())
    finally:
        c.close()


def push(url, repository, image, tag=None, headers=None):
    headers = headers or {}
    for child in getattr(image, "children", ()):
        push(url, repository, child, headers=headers)
    for blob in image.blobs:
        r = ask(url, f"/v2/{repository}/blobs/uploads/", "POST", headers=headers)
        at = urllib.parse.urlsplit(r.headers["Location"])
        r = ask(url, f"{at.path}?{at.query}&digest={digest_of(blob)}", "PUT", blob,
                {"Content-Type": "application/octet-stream", **headers})
        if r.status != 201:
            raise RuntimeError(f"pushing a blob: {r.status} {r.body!r}")
    r = ask(url, f"/v2/{repository}/manifests/{tag or image.digest}", "PUT", image.manifest,
            {"Content-Type": image.type, **headers})
    if r.status != 201:
        raise RuntimeError(f"pushing a manifest: {r.status} {r.body!r}")


# --- servers --------------------------------------------------------------------------------------

class Upstream(servers.Server):
    """Debian's docker-registry; its log says what was asked for."""

    def __init__(self):
        super().__init__()
        program = shutil.which("docker-registry")
        if not program:
            raise SystemExit(77)
        port = servers.free_port()
        config = os.path.join(self.directory, "config.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"""version: 0.1
log: {{level: error, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: {self.directory}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
""")
        self.port = port
        self.start([program, "serve", config], f"http://127.0.0.1:{port}")

    def asked(self, method, part):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
            return sum(f'"{method} ' in line and part in line for line in f)


class Gate:
    """`cocket serve`; a store of its own, unless it is started again on an older one."""

    def __init__(self, program, upstream_port, policy, *args, directory=None, db=None,
                 anonymous=True):
        self.program = program
        self.args = (*(["--anonymous-pull"] if anonymous else []), *args)
        self.directory = directory or tempfile.mkdtemp(prefix="cocket-gate-")
        self.store = os.path.join(self.directory, "store")
        self.policy_file = os.path.join(self.directory, "policy.yaml")
        self.set_policy(policy)
        with open(os.path.join(self.directory, "registries.conf"), "w", encoding="utf-8") as f:
            f.write(f'[[registry]]\nprefix = "{UP}"\nlocation = "127.0.0.1:{upstream_port}"\n'
                    'insecure = true\n')
        self.env = dict(os.environ, XDG_CACHE_HOME=f"{self.directory}/cache",
                        XDG_DATA_HOME=f"{self.directory}/data", COCKET_STORE=self.store,
                        XDG_CONFIG_HOME=f"{self.directory}/config")
        self.process = None
        if db is not None:
            self.make_db(db)
        self.start()

    def make_db(self, fixes):
        """The advisory database: package -> version -> ids, for Alpine 3.20."""
        feed = os.path.join(self.directory, "secdb.json")
        with open(feed, "w", encoding="utf-8") as f:
            json.dump({"distroversion": "v3.20", "urlprefix": "http://x/alpine", "reponame": "main", "archs": ["x86_64"],
                       "packages": [{"pkg": {"name": n, "secfixes": v}} for n, v in fixes.items()]},
                      f)
        os.makedirs(f"{self.directory}/data/cocket", exist_ok=True)
        r = self.cocket("db", "build", "-o", f"{self.directory}/data/cocket/advisory.db", "--feed",
                        f"alpine-secdb={feed}")
        if r.returncode:
            raise RuntimeError(r.stderr)

    def set_policy(self, text):
        with open(self.policy_file, "w", encoding="utf-8") as f:
            f.write(text)

    def start(self):
        self.err = open(os.path.join(self.directory, "err"), "wb")
        self.log = open(os.path.join(self.directory, "log"), "ab")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [self.program, "serve", "--listen", "127.0.0.1:0",
             "--registries-conf", f"{self.directory}/registries.conf", "--allow-private",
             "--policy", self.policy_file, "--upstream", UP, *self.args,
             *os.environ.get("GATE_ARGS", "").split()],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.err, env=self.env)
        for _ in range(400):
            m = re.search(r"serving on (http://\S+)", self.said())
            if m:
                self.url = m.group(1)
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.025)
        raise RuntimeError(f"the gate does not start: {self.said()}")

    def said(self):
        with open(os.path.join(self.directory, "err"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def events(self, name):
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def room(self):
        """The process id of the room that serves."""
        pid = self.process.pid
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                for child in f.read().split():
                    with open(f"/proc/{child}/cmdline", "rb") as c:
                        if c.read().split(b"\0")[:2] == [b"cocket-room", b"serve"]:
                            return int(child)
        return None

    def get(self, path, method="GET", **more):
        return ask(self.url, path, method, **more)

    def manifest(self, repository, reference, method="GET", **more):
        return self.get(f"/v2/{UP}/{repository}/manifests/{reference}", method, **more)

    def blob(self, repository, digest, method="GET", **more):
        return self.get(f"/v2/{UP}/{repository}/blobs/{digest}", method, **more)

    def explain(self, what):
        return json.loads(self.get(f"/explain/{what}").body)

    def cocket(self, *args):
        return subprocess.run([self.program, *args], env=self.env, capture_output=True, text=True,
                              check=False)

    def stop(self, sig=signal.SIGTERM, patience=20):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def slow(port, **how):
    return proxy.Proxy(("127.0.0.1", port), **how)


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    return what()


# --- counting -------------------------------------------------------------------------------------

def fields(text):
    """The events of a stream: id, kind, data."""
    out = []
    for block in text.split("\n\n"):
        one = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if one:
            out.append(one)
    return out


class Tests:
    def __init__(self):
        self.failed = 0

    def each(self, suite, tests, names, world, close):
        """Those that are named, or all, and the world's end; the exit status."""
        try:
            for t in tests:
                if not names or t.__name__ in names:
                    self.run(f"{suite}/{t.__name__}", lambda t=t: t(world))
        finally:
            close()
        return 1 if self.failed else 0

    def run(self, name, body):
        begin = time.monotonic()
        try:
            note = body()
        except Exception as e:  # pylint: disable=broad-except
            self.failed += 1
            where = e.__traceback__
            while where.tb_next:
                where = where.tb_next
            print(f"not ok {name}\n# line {where.tb_lineno}: {type(e).__name__}: {e}"[:3000])
        else:
            print(f"ok {name}" + (f" # skip {note[5:]}" if str(note).startswith("skip ") else ""))
            if note and not str(note).startswith("skip "):
                print(f"# {note}")
        print(f"# {time.monotonic() - begin:.1f} s")
        sys.stdout.flush()


def same(got, want):
    if got != want:
        raise AssertionError(f"got {str(got)[:1200]}, want {str(want)[:400]}")


def holds(condition, what):
    if not condition:
        raise AssertionError(str(what)[:1500])
