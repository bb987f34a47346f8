# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests with real clients stand on: a network that has nothing but a loopback, a registry, the
gate before it, and clients whose /etc is the rig's own.
"""
import base64
import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
INSIDE = "COCKET_CLIENTS_INSIDE"
# What the clients see below /etc is what lockdown wrote below the rig's root.
BOUND = ("containers", "docker", "containerd")
NOT_THERE = 77

POLICY = """version: 1
default: allow
rules:
  - name: no-moonshine
    match: { images: ["upstream.test/lib/denied*", "docker.io/library/denied*"] }
    decision: deny
"""


class Skip(Exception):
    pass


def enter(argv):
    """Begins anew in a network of its own, with mounts of its own."""
    if os.environ.get(INSIDE):
        loopback_up()
        return
    if os.geteuid() or subprocess.run(["unshare", "-n", "-m", "true"], check=False,
                                      stderr=subprocess.DEVNULL).returncode:
        print("# needs root, and namespaces of network and mounts")
        sys.exit(NOT_THERE)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *argv])


def loopback_up():
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket() as s:
        fcntl.ioctl(s, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


def run(argv, check=True, **more):
    """(exit status, all that was printed)."""
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                       timeout=180, **{"stdin": subprocess.DEVNULL, **more})
    text = p.stdout.decode("utf-8", "replace")
    if check and p.returncode:
        raise AssertionError(f"{' '.join(argv)}: exit status {p.returncode}\n{text}")
    return p.returncode, text


def newer(package, program):
    """A program of a newer Debian; None where it cannot be had (the reason is printed once)."""
    where = os.path.join(SOURCE, "build", "newer", package, "usr", "bin", program)
    return where if os.path.exists(where) else None


class Gate(servers.Server):
    """cocket serve. Its messages go to `log`."""

    def __init__(self, rig, *options):
        super().__init__()
        port = servers.free_port()
        self.host = f"127.0.0.1:{port}"
        command = [rig.program, "serve", "--listen", f"https://{self.host}",
                   "--tls-cert", rig.path("tls/server.pem"), "--tls-key", rig.path("tls/server.key"),
                   "--url", f"https://{self.host}", "--store", rig.path("store"),
                   "--policy", rig.write("policy.yaml", POLICY), "--db", rig.database(),
                   "--registries-conf", rig.upstreams(), "--upstream", "upstream.test",
                   "--upstream", "docker.io", "--allow-private", *options]
        # pylint: disable=consider-using-with
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=rig.env)
        for _ in range(200):
            if "serving on" in self.said() or self.process.poll() is not None:
                break
            time.sleep(0.05)
        if "serving on" not in self.said():
            raise AssertionError(f"the gate does not start: {self.said()}")


class Rig:
    def __init__(self, program):
        self.program = program
        self.dir = tempfile.mkdtemp(prefix="cocket-clients-")
        self.root = self.path("root")
        self.env = {**os.environ, "HOME": self.path("home"), "XDG_RUNTIME_DIR": self.path("run"),
                    "TMPDIR": self.path("tmp"), "DOCKER_CONFIG": self.path("docker"),
                    "CONTAINERS_STORAGE_CONF": self.path("storage.conf"),
                    "XDG_DATA_HOME": self.path("data"), "BUILDAH_ISOLATION": "chroot"}
        for name in ("home", "run", "tmp", "docker", "data", "tls"):
            os.makedirs(self.path(name))
        self.write("storage.conf", '[storage]\ndriver = "vfs"\n'
                   f'runroot = "{self.path("cs-run")}"\ngraphroot = "{self.path("cs")}"\n')
        self.env["REGISTRY_AUTH_FILE"] = self.write("auth.json", "{}\n")  # podman's, not Docker's
        self.processes = []
        self.certificates()
        self.registry = servers.DockerRegistry()
        if not self.registry.url:
            raise Skip("docker-registry is not installed")
        self.upstream = self.registry.url.removeprefix("http://")
        self.digests = {}
        self.fresh_root()

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def end(self):
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.registry.stop()
        with open("/proc/mounts", encoding="utf-8") as f:
            mounts = [line.split()[1] for line in f if line.split()[1].startswith(self.dir + "/")]
        for m in reversed(mounts):
            subprocess.run(["umount", "-l", m], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.registry.directory, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- what is served ---------------------------------------------------------------------------

    def certificates(self):
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        tls = self.path("tls")
        run([*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
             "/CN=tests", "-addext", "keyUsage=critical,keyCertSign,cRLSign"], cwd=tls)
        run([*new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"],
            cwd=tls)
        self.write("tls/ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "server.pem"], cwd=tls)

    def upstreams(self):
        text = ""
        for name, path in (("upstream.test", "up"), ("docker.io", "hub")):
            text += (f'[[registry]]\nprefix = "{name}"\nlocation = "{self.upstream}/{path}"\n'
                     "insecure = true\n")
        return self.write("upstreams.conf", text)

    def database(self):
        feed = self.write("main.json", '{"distroversion":"v3.18","reponame":"main","archs":["x86_64"],'
                          '"urlprefix":"http://example.org","apkurl":"","packages":[{"pkg":'
                          '{"name":"demo","secfixes":{"2.0-r0":["CVE-2099-0002"]}}}]}')
        path = self.path("advisory.db")
        if not os.path.exists(path):
            run([self.program, "db", "build", "-o", path, "--feed", f"alpine-secdb={feed}"],
                env=self.env)
        return path

    def push(self, name, text):
        """An image whose one layer says `text`, to the registry; its digest is kept."""
        tree = tempfile.mkdtemp(dir=self.dir)
        os.makedirs(os.path.join(tree, "etc"))
        with open(os.path.join(tree, "etc", "os-release"), "w", encoding="utf-8") as f:
            f.write(f'ID=alpine\nVERSION_ID=3.18.0\nPRETTY_NAME="Alpine Linux v3.18"\n#{text}\n')
        os.makedirs(os.path.join(tree, "lib/apk/db"))
        with open(os.path.join(tree, "lib/apk/db/installed"), "w", encoding="utf-8") as f:
            f.write("C:Q1\nP:demo\nV:2.1-r0\nA:x86_64\no:demo\n\n")
        layout = tempfile.mkdtemp(dir=self.dir) + "/layout"
        run([sys.executable, os.path.join(SOURCE, "tests/cli/images.py"), "tree", layout, "1", tree])
        run(["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
             f"oci:{layout}:1", f"docker://{self.upstream}/{name}:1"])
        self.digests[name] = self.digest_at(self.registry.url, name)

    @staticmethod
    def digest_at(url, name):
        request = urllib.request.Request(
            f"{url}/v2/{name}/manifests/1", method="HEAD",
            headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(request) as answer:
            return answer.headers["Docker-Content-Digest"]

    # --- the machine ------------------------------------------------------------------------------

    def fresh_root(self):
        """As Debian installs it."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in BOUND:
            os.makedirs(os.path.join(self.root, "etc", name))
        for name in ("containers/registries.conf", "containers/policy.json",
                     "containers/registries.conf.d/shortnames.conf"):
            if os.path.exists("/etc/" + name):
                target = os.path.join(self.root, "etc", name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy("/etc/" + name, target)

    def etc(self, name, text=None):
        """A file below the rig's /etc: its text, or writes it."""
        path = os.path.join(self.root, "etc", name)
        if text is None:
            with open(path, encoding="utf-8") as f:
                return f.read()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return text

    def lockdown(self, gate, *runtimes):
        run([self.program, "lockdown", *runtimes, "--gate", gate.host, "--ca",
             self.path("tls/ca.pem"), "--registries", "docker.io,upstream.test", "--root", self.root,
             "--write"], env=self.env)

    def check(self, gate, *runtimes, more=()):
        """(exit status, text) of lockdown --check."""
        return run([self.program, "lockdown", "--check", *runtimes, "--gate", gate.host,
                    "--registries", "docker.io,upstream.test", "--root", self.root, *more],
                   check=False, env=self.env)

    def bound(self, argv):
        """The command, with the rig's /etc."""
        script = "".join(f'mkdir -p /etc/{n} && mount --bind "{self.root}/etc/{n}" /etc/{n} && '
                         for n in BOUND) + 'exec "$@"'
        return ["unshare", "-m", "sh", "-c", script, "sh", *argv]

    def client(self, *argv, check=False, env=None, **more):
        if not shutil.which(argv[0]):
            raise Skip(f"{argv[0]} is not installed")
        return run(self.bound(argv), check=check, env={**self.env, **(env or {})}, **more)

    def daemon(self, argv, ready, log):
        """Starts one that ends with the rig; waits until `ready` succeeds."""
        if not shutil.which(argv[0]):
            raise Skip(f"{argv[0]} is not installed")
        # pylint: disable=consider-using-with
        out = open(self.path(log), "ab")
        p = subprocess.Popen(self.bound(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                             env=self.env)
        self.processes.append(p)
        for _ in range(200):
            if run(ready, check=False, env=self.env)[0] == 0:
                return p
            if p.poll() is not None:
                break
            time.sleep(0.1)
        with open(self.path(log), encoding="utf-8", errors="replace") as f:
            raise Skip(f"{argv[0]} does not start here: {f.read()[-600:]}")

    def finish(self, process):
        process.terminate()
        process.wait(30)
        self.processes.remove(process)

    def dockerd(self):
        base = tempfile.mkdtemp(prefix="dk-", dir=self.dir)
        self.env["DOCKER_HOST"] = f"unix://{base}/s"
        return self.daemon(
            ["dockerd", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false",
             "--bridge=none", "-H", self.env["DOCKER_HOST"], "--data-root", f"{base}/root",
             "--exec-root", f"{base}/exec", "-p", f"{base}/pid"], ["docker", "version"], "dockerd.log")

    def containerd(self, program="containerd", ctr="ctr", plugins=""):
        """Sets CONTAINERD_ADDRESS; the ctr that goes with it is returned with the process."""
        base = tempfile.mkdtemp(prefix="cd-", dir=self.dir)
        config = os.path.join(base, "config.toml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f'version = 2\nroot = "{base}/root"\nstate = "{base}/state"\n'
                    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images",'
                    ' "io.containerd.cri.v1.runtime"]\n'
                    f'[grpc]\n  address = "{base}/s"\n[ttrpc]\n  address = "{base}/t"\n{plugins}')
        self.env["CONTAINERD_ADDRESS"] = f"{base}/s"
        self.env["CONTAINERD_NAMESPACE"] = "cocket-test"
        return self.daemon([program, "-c", config], [ctr, "version"], "containerd.log")


def basic(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def one_line(text):
    return re.sub(r"\s+", " ", text)
