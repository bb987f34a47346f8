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
