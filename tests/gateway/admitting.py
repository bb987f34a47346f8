# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry with images that a policy likes or not, and a gate in front of it, for the tests of
those who ask whether an image may run."""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from oci import Data, Registry
from servers import DockerRegistry, Server, free_port

POLICY = """version: 1
default: allow
rules:
  - name: no-bad-label
    require: { labels: { forbidden: [bad] } }
    otherwise: deny
  - name: team-b-pins
    match: { namespaces: [team-b] }
    require: { tags: pinned }
    otherwise: deny
"""


class Checks:
    """Prints one line a check; `status` at the end."""

    def __init__(self):
        self.number = self.failed = 0

    def that(self, what, ok, seen=""):
        self.number += 1
        if not ok:
            self.failed += 1
            print(f"# {seen}"[:1500])
        print(f"{'ok' if ok else 'not ok'} {self.number} {what}", flush=True)

    def status(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0


def push(url, repository, data):
    """Returns the digest of each tag."""
    registry = Registry(url)
    for blob in data.blobs.values():
        answer = registry.push(repository, blob)
        assert answer.status == 201, answer
    for digest, manifest in data.manifests.items():
        assert registry.put_manifest(repository, digest, manifest,
                                     data.kinds[digest]).status == 201
    for tag, digest in data.tags.items():
        assert registry.put_manifest(repository, tag, data.manifests[digest],
                                     data.kinds[digest]).status == 201
    return dict(data.tags)


def bad(data, tag):
    return data.image(tag, config={"config": {"Labels": {"bad": "yes"}}})


def images(url):
    """good, bad: images; index: good for the host, index-bad: bad for it. The digest of each."""
    data = Data("admitting")
    data.image("good")
    data.image("good-2")
    bad(data, "bad")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    other = "arm64" if machine == "amd64" else "amd64"
    for tag, here, there in (("index", data.image, bad), ("index-bad", bad, data.image)):
        make = [here(None) if here == data.image else here(data, None),
                there(None) if there == data.image else there(data, None)]
        data.index([dict(make[0], platform={"os": "linux", "architecture": machine}),
                    dict(make[1], platform={"os": "linux", "architecture": other})], tag)
    return push(url, "team/app", data)


class Gate(Server):
    def __init__(self, program, upstreams, *options, anonymous=True):
        super().__init__()
        port = free_port()
        self.port, self.program = port, program
        write(self.directory, "policy.yaml", POLICY)
        write(self.directory, "registries.conf", "".join(
            f'[[registry]]\nlocation = "{host}"\ninsecure = true\n'
            for host in upstreams))
        self.environment = dict(os.environ, HOME=self.directory, XDG_DATA_HOME=self.directory,
                                COCKET_STORE=self.directory + "/store",
                                COCKET_POLICY=self.directory + "/policy.yaml",
                                CONTAINERS_REGISTRIES_CONF=self.directory + "/registries.conf")
        command = [program, "serve", "--listen", f"http://127.0.0.1:{port}",
                   *(["--anonymous-pull"] if anonymous else []), *options]
        for host in upstreams:
            command += ["--upstream", host]
        self.start(command, f"http://127.0.0.1:{port}", "/healthz", self.environment)

    def cocket(self, *words):
        """A verb of the program, on the gate's store."""
        return run(self.program, *words, env=self.environment)

    def ask(self, path, body=None, headers=None):
        """Status, headers, body (JSON where it is some)."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with OPENER.open(request, timeout=90) as answer:
                return take(answer)
        except urllib.error.HTTPError as answer:
            return take(answer)

    def verdict(self, image, **more):
        return self.ask("/verdict?" + urllib.parse.urlencode({"image": image, **more}))[2]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def take(answer):
    body = answer.read()
    try:
        body = json.loads(body)
    except ValueError:
        pass
    return answer.status, dict(answer.headers), body


def write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
        f.write(text)


def need_registry():
    registry = DockerRegistry()
    if not registry.url:
        print("# docker-registry is not installed")
        sys.exit(77)
    return registry


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


def run(*command, **more):
    # pylint: disable=subprocess-run-check
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=120, **more)
    return p.returncode, p.stdout.decode("utf-8", "replace")
