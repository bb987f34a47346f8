#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients push to the hosted area and pull back what was cleared.

  push_clients.py PROGRAM [NAME...]
"""
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oci  # pylint: disable=wrong-import-position
import servers  # pylint: disable=wrong-import-position

POLICY = """version: 1
default: allow
rules:
  - name: no-moonshine
    match: { images: ["gate.internal/hosted/denied/**"] }
    decision: deny
"""
TESTS = []


class Skip(Exception):
    pass


def test(f):
    TESTS.append(f)
    return f


def run(argv, good=True, warnings=True, **more):
    """What was printed, with or without what it warned of; `good`: whether it must succeed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT if warnings else subprocess.PIPE, text=True,
                          timeout=180, **more)
    if (done.returncode == 0) != good:
        raise AssertionError(f"{' '.join(argv)}: exit status {done.returncode}\n{done.stdout}"
                             f"{done.stderr or ''}")
    return done.stdout


def holds(what, condition):
    if not condition:
        raise AssertionError(what)


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


class Image(oci.Data):
    """An image of two layers, and an index over it, as a layout on the disk."""

    def __init__(self, directory, name):
        super().__init__(name)
        self.layout = os.path.join(directory, name)
        made = [self.tree({"etc/os-release": "ID=alpine\nVERSION_ID=3.18.0\n",
                           "lib/apk/db/installed": "C:Q1\nP:demo\nV:2.1-r0\nA:x86_64\no:demo\n\n"}),
                self.tree({"srv/name": name})]
        image = self.put({"schemaVersion": 2, "mediaType": oci.MANIFEST,
                          "config": self.config([d for _, d in made]),
                          "layers": [d for d, _ in made]}, "image")
        self.index([dict(image, platform={"os": "linux", "architecture": "amd64"})], "index")
        self.write()

    def tree(self, files):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for path, content in files.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content.encode()))
        raw = out.getvalue()
        return self.add(oci.gzip.compress(raw, mtime=0), oci.LAYER_GZIP), oci.digest_of(raw)

    def write(self):
        os.makedirs(self.layout + "/blobs/sha256")
        for digest, data in {**self.blobs, **self.manifests}.items():
            with open(f"{self.layout}/blobs/sha256/{digest.split(':')[1]}", "wb") as f:
                f.write(data)
        listed = [{"mediaType": self.kinds[d], "digest": d, "size": len(self.manifests[d]),
                   "annotations": {"org.opencontainers.image.ref.name": t}}
                  for t, d in self.tags.items()]
        for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                            ("index.json", {"schemaVersion": 2, "manifests": listed})):
            with open(f"{self.layout}/{name}", "w", encoding="utf-8") as f:
                json.dump(value, f)


class World:
    def __init__(self, program):
        self.program = program
        self.dir = tempfile.mkdtemp(prefix="cocket-push-", suffix="x")
        self.policy = os.path.join(self.dir, "policy.yaml")
        with open(self.policy, "w", encoding="utf-8") as f:
            f.write(POLICY)
        self.gates = []
        self.gate = self.new_gate()
        self.one, self.two = Image(self.dir, "one"), Image(self.dir, "two")
        self.env = dict(os.environ, HOME=self.dir, DOCKER_CONFIG=self.dir + "/docker",
                        REGISTRY_AUTH_FILE=self.dir + "/auth.json", TMPDIR=self.dir,
                        CONTAINERS_STORAGE_CONF=self.dir + "/storage.conf",
                        BUILDAH_ISOLATION="chroot")
        os.makedirs(self.dir + "/docker")
        for name in ("docker/config.json", "auth.json"):
            with open(f"{self.dir}/{name}", "w", encoding="utf-8") as f:
                f.write("{}")
        with open(self.dir + "/storage.conf", "w", encoding="utf-8") as f:
            f.write(f'[storage]\ndriver = "vfs"\nrunroot = "{self.dir}/run"\n'
                    f'graphroot = "{self.dir}/graph"\n')
        self.dockerd = None

    def new_gate(self, *options):
        self.gates.append(servers.Gate(self.program, "--policy", self.policy, *options))
        return self.gates[-1]

    def close(self):
        if self.dockerd:
            self.dockerd.stop()
            shutil.rmtree(self.dockerd.directory, ignore_errors=True)
        for gate in self.gates:
            gate.__exit__()
        shutil.rmtree(self.dir, ignore_errors=True)

    def creds(self):
        return "alice:" + servers.Gate.PASSWORD

    def skopeo(self, *args, good=True):
        need("skopeo")
        return run(["skopeo", "--insecure-policy", "--command-timeout", "120s", *args], good,
                   env=self.env)

    def push(self, image, name, good=True, gate=None, tag="image", more=()):
        return self.skopeo("copy", "--dest-tls-verify=false", "--dest-creds", self.creds(), *more,
                           f"oci:{image.layout}:{tag}", f"docker://{(gate or self.gate).host}/{name}",
                           good=good)

    def digest(self, name, tag, gate=None):
        """What the gate serves under the tag."""
        gate = gate or self.gate
        registry = oci.Registry(gate.url, "alice", gate.PASSWORD)
        answer = registry.manifest(name, tag)
        holds(f"GET {name}:{tag}: {answer}", answer.status == 200)
        holds("its digest", answer.get("docker-content-digest") == oci.digest_of(answer.body))
        return answer.get("docker-content-digest")


# --- skopeo ---------------------------------------------------------------------------------------

@test
def skopeo_pushes_and_pulls(w):
    w.push(w.one, "hosted/skopeo:1")
    holds("the digest that was pushed", w.digest("hosted/skopeo", "1") == w.one.tags["image"])
    w.skopeo("copy", "--src-tls-verify=false", "--src-creds", w.creds(),
             f"docker://{w.gate.host}/hosted/skopeo:1", f"oci:{w.dir}/back:1")
    with open(w.dir + "/back/index.json", encoding="utf-8") as f:
        holds("byte for byte", json.load(f)["manifests"][0]["digest"] == w.one.tags["image"])


@test
def skopeo_pushes_an_index(w):
    w.push(w.one, "hosted/index:1", tag="index", more=("--all",))
    holds("the index's digest", w.digest("hosted/index", "1") == w.one.tags["index"])
    w.skopeo("inspect", "--tls-verify=false", "--creds", w.creds(),
             f"docker://{w.gate.host}/hosted/index:1")


@test
def skopeo_deletes(w):
    w.push(w.two, "hosted/gone:1")
    w.skopeo("delete", "--tls-verify=false", "--creds", w.creds(),
             f"docker://{w.gate.host}/hosted/gone:1")
    said = w.skopeo("inspect", "--tls-verify=false", "--creds", w.creds(),
                    f"docker://{w.gate.host}/hosted/gone:1", good=False)
    holds(said, "manifest unknown" in said or "there is no" in said)


@test
def what_is_denied_is_pushed_and_not_pulled(w):
    w.push(w.one, "hosted/denied/app:1")
    said = w.skopeo("copy", "--src-tls-verify=false", "--src-creds", w.creds(),
                    f"docker://{w.gate.host}/hosted/denied/app:1", f"oci:{w.dir}/no:1", good=False)
    holds(said, "denied" in said and "no-moonshine" in said)


@test
def pushing_needs_the_right(w):
    w.gate.add_user("bob", "pull")
    said = w.skopeo("copy", "--dest-tls-verify=false", "--dest-creds",
                    "bob:" + servers.Gate.PASSWORD, f"oci:{w.one.layout}:image",
                    f"docker://{w.gate.host}/hosted/bob:1", good=False)
    holds(said, "your account may not do it" in said)
    said = w.push(w.one, "library/debian:12", good=False)
    holds(said, "push below hosted/" in said)
    w.gate.add_user("carol", "pull,push", "--repository", "hosted/carol/*")
    said = w.skopeo("copy", "--dest-tls-verify=false", "--dest-creds",
                    "carol:" + servers.Gate.PASSWORD, f"oci:{w.one.layout}:image",
                    f"docker://{w.gate.host}/hosted/dave/app:1", good=False)
    holds(said, "unauthorized" in said) # said to a HEAD, which has no room for more


@test
def pushing_needs_a_login_where_pulling_does_not(w):
    gate = w.new_gate("--anonymous-pull")
    w.push(w.one, "hosted/app:1", gate=gate)
    w.skopeo("copy", "--src-tls-verify=false", f"docker://{gate.host}/hosted/app:1",
             f"oci:{w.dir}/anonymous:1")
    said = w.skopeo("copy", "--dest-tls-verify=false", f"oci:{w.one.layout}:image",
                    f"docker://{gate.host}/hosted/app:2", good=False)
    holds(said, "unauthorized" in said or "authentication required" in said)


@test
def immutable_tags_say_why(w):
    gate = w.new_gate("--immutable-tags")
    w.push(w.one, "hosted/app:1", gate=gate)
    w.push(w.one, "hosted/app:1", gate=gate)
    said = w.push(w.two, "hosted/app:1", gate=gate, good=False)
    holds(said, "tags are immutable here" in said)
    holds("what it meant", w.digest("hosted/app", "1", gate) == w.one.tags["image"])


@test
def a_full_disk_leaves_nothing_half(w):
    """What does not fit is said in the log, gone, and no reason to stop."""
    if os.geteuid():
        raise Skip("mounting a small disk needs root")
    disk = w.dir + "/disk"
    os.makedirs(disk)
    run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk])
    was, tempfile.tempdir = tempfile.tempdir, disk
    try:
        gate = w.new_gate("--unjudged", "hosted/raw/*")
        registry = oci.Registry(gate.url, "alice", gate.PASSWORD)
        large = os.urandom(40 << 20)
        location = registry.start("hosted/raw/x").get("location")
        try:
            answer = registry.send("PUT", location, large, digest=oci.digest_of(large))
            holds(str(answer), answer.status in (503, 404))
        except (OSError, oci.http.client.HTTPException):
            pass # it was cut off
        partial = os.path.join(gate.directory, "store", "partial")
        for _ in range(100):  # its end is said and swept after the client has gone
            if "No space left on device" in gate.said() and not os.listdir(partial):
                break
            time.sleep(0.1)
        holds("nothing half", not os.listdir(partial))
        holds(gate.said(), "No space left on device" in gate.said())
        holds("it goes on", registry.push("hosted/raw/x", b"small").status == 201)
        gate.stop()
    finally:
        tempfile.tempdir = was
        run(["umount", "-l", disk])


# --- podman, buildah ------------------------------------------------------------------------------

@test
def podman_pushes_and_pulls(w):
    need("podman")
    at = f"{w.gate.host}/hosted/podman:1"
    run(["podman", "pull", "-q", f"oci:{w.one.layout}:image"], env=w.env)
    image = run(["podman", "images", "-q"], env=w.env).split()[0]
    run(["podman", "push", "-q", "--tls-verify=false", "--creds", w.creds(), "--digestfile",
         w.dir + "/digest", image, "docker://" + at], env=w.env)
    with open(w.dir + "/digest", encoding="utf-8") as f:
        holds("podman's digest", w.digest("hosted/podman", "1") == f.read().strip())
    run(["podman", "rmi", "-af"], env=w.env)
    run(["podman", "pull", "-q", "--tls-verify=false", "--creds", w.creds(), at], env=w.env)


@test
def buildah_pushes_what_it_builds(w):
    need("buildah")
    context = w.dir + "/context"
    os.makedirs(context + "/etc")
    with open(context + "/etc/os-release", "w", encoding="utf-8") as f:
        f.write("ID=alpine\nVERSION_ID=3.18.0\n")
    with open(context + "/Dockerfile", "w", encoding="utf-8") as f:
        f.write("FROM scratch\nCOPY etc /etc\n")
    run(["buildah", "bud", "-q", "-t", "built", context], env=w.env)
    run(["buildah", "push", "-q", "--tls-verify=false", "--creds", w.creds(), "--digestfile",
         w.dir + "/built", "built", f"docker://{w.gate.host}/hosted/built:1"], env=w.env)
    with open(w.dir + "/built", encoding="utf-8") as f:
        holds("buildah's digest", w.digest("hosted/built", "1") == f.read().strip())


# --- docker, containerd ---------------------------------------------------------------------------

class Dockerd(servers.Server):
    def __init__(self, env):
        super().__init__()
        d = self.directory
        self.socket = f"unix://{d}/docker.sock"
        # pylint: disable=consider-using-with
        self.log = open(d + "/log", "wb")
        self.process = subprocess.Popen(
            ["dockerd", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false",
             "--bridge=none", "-H", self.socket, "--data-root", d + "/root", "--exec-root",
             d + "/exec", "-p", d + "/docker.pid"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env=env)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            done = subprocess.run(["docker", "-H", self.socket, "version"], check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise Skip("dockerd does not start here: " + self.said()[-200:])


@test
def docker_pushes_mounts_and_pulls(w):
    need("dockerd")
    need("docker")
    if os.geteuid():
        raise Skip("dockerd needs root")
    w.dockerd = w.dockerd or Dockerd(w.env)

    def docker(*args, good=True):
        return run(["docker", "-H", w.dockerd.socket, *args], good, env=w.env)

    done = subprocess.run(["docker", "-H", w.dockerd.socket, "login", "-u", "alice",
                           "--password-stdin", w.gate.host], input=w.gate.PASSWORD, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=w.env, check=False)
    holds("docker login: " + done.stdout, done.returncode == 0)
    w.skopeo("copy", f"oci:{w.one.layout}:image", f"docker-archive:{w.dir}/docker.tar:app:1")
    docker("load", "-q", "-i", w.dir + "/docker.tar")
    first, second = f"{w.gate.host}/hosted/docker/a:1", f"{w.gate.host}/hosted/docker/b:1"
    docker("tag", "app:1", first)
    docker("tag", "app:1", second)
    said = docker("push", first)
    digest = w.digest("hosted/docker/a", "1")
    holds(said, digest in said)
    said = docker("push", second)
    holds("mounted, not sent again: " + said, "Mounted from hosted/docker/a" in said)
    docker("rmi", first, second, "app:1")
    docker("pull", "-q", first)
    said = docker("pull", f"{w.gate.host}/hosted/denied/app:1", good=False)
    holds(said, "denied" in said)


@test
def containerd_pushes(w):
    need("ctr")
    need("containerd")
    if os.geteuid():
        raise Skip("containerd needs root")
    server = servers.Server()
    d = server.directory
    with open(d + "/config.toml", "w", encoding="utf-8") as f:
        f.write(f'version = 2\nroot = "{d}/root"\nstate = "{d}/state"\n'
                'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                f'[grpc]\n  address = "{d}/c.sock"\n')
    # pylint: disable=consider-using-with
    server.log = open(d + "/log", "wb")
    server.process = subprocess.Popen(["containerd", "-c", d + "/config.toml"],
                                      stdin=subprocess.DEVNULL, stdout=server.log,
                                      stderr=server.log)
    ctr = ["ctr", "-a", d + "/c.sock"]
    try:
        for _ in range(200):
            if subprocess.run([*ctr, "version"], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise Skip("containerd does not start here: " + server.said()[-200:])
        at = f"{w.gate.host}/hosted/ctr:1"
        w.skopeo("copy", f"oci:{w.two.layout}:image", f"oci-archive:{w.dir}/ctr.tar:{at}")
        run([*ctr, "images", "import", "--no-unpack", w.dir + "/ctr.tar"])
        run([*ctr, "images", "push", "--plain-http", "-u", w.creds(), at])
        holds("containerd's digest", w.digest("hosted/ctr", "1") == w.two.tags["image"])
    finally:
        server.__exit__()


# --- crane, oras ----------------------------------------------------------------------------------

@test
def crane_pushes(w):
    need("crane")
    run(["crane", "auth", "login", "-u", "alice", "-p", w.gate.PASSWORD, w.gate.host], env=w.env)
    alone = w.dir + "/alone"
    w.skopeo("copy", f"oci:{w.one.layout}:image", f"oci:{alone}:image")
    at = f"{w.gate.host}/hosted/crane"
    pushed = run(["crane", "push", "--insecure", alone, at + ":1"], env=w.env)
    holds("the digest that it names", w.one.tags["image"] in pushed)
    # It tries TLS first, and warns of "retrying EOF" where a hello is nothing that could be answered.
    listed = run(["crane", "ls", "--insecure", at], env=w.env, warnings=False)
    holds(f"the tags: {listed}", listed.split() == ["1"])
    holds("the digest", w.digest("hosted/crane", "1") == w.one.tags["image"])


@test
def oras_pushes_and_attaches(w):
    need("oras")
    log = ["--plain-http", "--username", "alice", "--password", w.gate.PASSWORD]
    path = w.dir + "/note.txt"
    with open(path, "w", encoding="utf-8") as f:
        f.write("of a chart")
    at = f"{w.gate.host}/hosted/charts/note:1"
    run(["oras", "push", *log, "--artifact-type", oci.KIND_ONE, at, "note.txt"], cwd=w.dir,
        env=w.env)
    run(["oras", "attach", *log, "--artifact-type", oci.KIND_TWO, at, "note.txt"], cwd=w.dir,
        env=w.env)
    said = run(["oras", "discover", *log, at], env=w.env)
    holds(said, oci.KIND_TWO in said)
    run(["oras", "pull", *log, "-o", w.dir + "/pulled", at], env=w.env)


def main():
    names = sys.argv[2:]
    failed = 0
    w = World(os.path.realpath(sys.argv[1]))
    try:
        for f in TESTS:
            if names and f.__name__ not in names:
                continue
            try:
                f(w)
                print(f"ok push: {f.__name__}")
            except Skip as e:
                print(f"ok push: {f.__name__} # skip {e}")
            except Exception as e:  # pylint: disable=broad-except
                failed += 1
                why = f"{e}\n{w.gate.said()[-1500:]}".replace("\n", "\n# ")
                print(f"not ok push: {f.__name__}\n# {type(e).__name__}: {why}")
            sys.stdout.flush()
    finally:
        w.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
