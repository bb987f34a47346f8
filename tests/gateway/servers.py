# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that the tests of the gateway start, each in a directory of its own, and end."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process with a directory; `url` is empty where its program is not there."""
    url = ""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="cocket-gateway-")
        self.process = None

    def start(self, command, url, path="/v2/", env=None):
        self.url = url
        self.log = open(os.path.join(self.directory, "log"), "wb")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=env)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url + path, timeout=5):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{command[0]} does not answer at {url}: {self.said()}")

    def said(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class DockerRegistry(Server):
    def __init__(self):
        super().__init__()
        program = shutil.which("docker-registry")
        if not program:
            return
        port = free_port()
        config = os.path.join(self.directory, "config.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"""version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {self.directory}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
""")
        self.start([program, "serve", config], f"http://127.0.0.1:{port}")


class Gate(Server):
    """`PROGRAM serve` with a store, settings and log of its own, and the user alice, who may pull
    and push."""
    PASSWORD = "correct horse battery staple"

    def __init__(self, program, *options):
        super().__init__()
        self.program = program
        self.env = dict(os.environ, HOME=self.directory, XDG_DATA_HOME=self.directory,
                        XDG_CONFIG_HOME=self.directory, XDG_CACHE_HOME=self.directory,
                        COCKET_STORE=os.path.join(self.directory, "store"))
        self.env.pop("COCKET_POLICY", None)
        self.add_user("alice", "pull,push")
        self.log = open(os.path.join(self.directory, "log"), "wb")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "http://127.0.0.1:0", *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.env)
        self.url = self.wait_for_url()

    def run(self, *args, **more):
        return subprocess.run([self.program, *args], env=self.env, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)

    def add_user(self, name, roles, *options):
        done = self.run("user", "add", "--roles", roles, "--password-stdin", *options, name,
                        input=self.PASSWORD)
        if done.returncode != 0:
            raise RuntimeError(f"cocket user add {name}: {done.stdout}")

    def wait_for_url(self):
        mark = "cocket: serving on "
        for _ in range(300):
            lines = [x for x in self.said().splitlines() if x.startswith(mark)]
            if lines:
                return lines[0][len(mark):].split()[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"cocket serve does not say where it serves: {self.said()}")

    @property
    def host(self):
        return self.url.split("//")[1]
