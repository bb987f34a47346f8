#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker_plugin.py PROGRAM: a real dockerd with the gate as its authorization plugin. What names
an allowed image works, what does not says why, and the ways around the gate are closed."""
import contextlib
import gzip
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile

from admitting import Checks, Gate, need_registry, push, run, wait_for
from oci import LAYER_GZIP, Data, digest_of

NAME = f"cocket-test-{os.getpid()}"
SOCKET = f"/run/docker/plugins/{NAME}.sock"
PROGRAM_TEXT = '#include <unistd.h>\nint main(void) { return write(1, "hello\\n", 6) != 6; }\n'


def skip(why):
    print("# " + why)
    sys.exit(77)


def a_program(directory):
    """A program that needs nothing but a kernel."""
    out = os.path.join(directory, "hello")
    with open(out + ".c", "w", encoding="utf-8") as f:
        f.write(PROGRAM_TEXT)
    if not shutil.which("cc") or run("cc", "-static", "-o", out, out + ".c")[0]:
        skip("no compiler that links statically")
    with open(out, "rb") as f:
        return f.read()


def runnable(data, tag, program, labels):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
        extra = tarfile.TarInfo(tag)
        tar.addfile(extra)
    layer = data.add(gzip.compress(raw.getvalue()), LAYER_GZIP)
    config = data.config([digest_of(raw.getvalue())],
                         {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
                         config={"Cmd": ["/hello"], "Labels": labels})
    data.put({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
              "config": config, "layers": [layer]}, tag)
    return config["digest"].removeprefix("sha256:")


@contextlib.contextmanager
def dockerd(*options):
    directory = tempfile.mkdtemp(prefix="cocket-dockerd-")
    host = f"unix://{directory}/docker.sock"
    with open(directory + "/log", "wb") as log:
        # pylint: disable=consider-using-with
        daemon = subprocess.Popen(
            ["dockerd", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false",
             "--bridge=none", "-H", host, "--data-root", directory + "/root", "--exec-root",
             directory + "/exec", "-p", directory + "/docker.pid", *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        if not wait_for(lambda: run("docker", "-H", host, "version")[0] == 0 or daemon.poll(), 60):
            with open(directory + "/log", encoding="utf-8", errors="replace") as f:
                skip("dockerd does not start here: " + f.read()[-300:])
        yield lambda *words: run("docker", "-H", host, *words), directory + "/docker.sock"
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(40)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        shutil.rmtree(directory, ignore_errors=True)


def raw(path, method, target, body=b"", headers=None):
    """A request as docker's client would not send it; its status and body."""
    connection = http.client.HTTPConnection("docker", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.putrequest(method, target)
    for name, value in (headers or {"Content-Length": str(len(body))}).items():
        connection.putheader(name, value)
    with contextlib.suppress(BrokenPipeError): # it has answered before the end
        connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace")


def allowed(t, docker, host, config_id):
    good = f"{host}/team/run:good"
    status, said = docker("pull", good)
    t.that("an allowed image is pulled", status == 0, said)
    status, said = docker("run", "--rm", "--network", "none", good)
    t.that("and runs", status == 0 and said == "hello\n", said)
    status, said = docker("create", "--network", "none", config_id)
    t.that("a container may be made by its id", status == 0, said)
    status, said = docker("create", "--network", "none", config_id[:12])
    t.that("or by how that begins", status == 0, said)
    for words in (("ps", "-a"), ("images",), ("info",), ("image", "inspect", good),
                  ("container", "prune", "-f"), ("volume", "create", "vol"), ("volume", "rm", "vol")):
        status, said = docker(*words)
        t.that(" ".join(words[:2]) + " works", status == 0, said)


def denied(t, docker, host, directory):
    bad = f"{host}/team/run:bad"
    for what, words, why in (
            ("pull", ("pull", bad), "no-bad-label"),
            ("run", ("run", "--rm", "--network", "none", bad), "no-bad-label"),
            ("create by an unknown id", ("create", "12" * 32), "no image of that id"),
            ("create by a name that is nowhere", ("create", f"{host}/nobody/has:1"), "denied"),
            ("all tags", ("pull", "-a", f"{host}/team/run"), "all tags"),
            ("load", ("load", "-i", directory + "/image.tar"), "load"),
            ("import", ("import", directory + "/image.tar", "x:1"), "import"),
            ("build", ("build", directory), "build"),
            ("tag", ("tag", f"{host}/team/run:good", "other:1"), "tag"),
            ("swarm join", ("swarm", "join", "--token", "x", "127.0.0.1:1"), "swarm")):
        status, said = docker(*words)
        t.that(f"{what} is refused, and says why",
               status != 0 and "authorization denied by plugin" in said and why in said, said)
    status, said = docker("create", "--name", "held", "--network", "none", f"{host}/team/run:good")
    status, said = docker("commit", "held", "made:1")
    t.that("commit is refused", status != 0 and "commit" in said, said)
    docker("rm", "held")
    status, said = docker("images", "-q")
    t.that("nothing else came in", len(said.split()) == 1, said)


def around(t, path, host):
    good, bad = f"{host}/team/run:good", f"{host}/team/run:bad"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"fromImage={bad}".encode()
    text = json.dumps({"Image": bad}).encode()
    padded = text + b" " * (5 * 1024 * 1024)
    as_json = {"Content-Type": "application/json"}
    rows = {
        "a form in the body of a pull": (f"/images/create?fromImage={good}", body,
                                         {**form, "Content-Length": str(len(body))}),
        "a second parameter": (f"/images/create?fromImage={good}&from%49mage={bad}", b"",
                               {"Content-Length": "0"}),
        "a semicolon": (f"/images/create?fromImage={good};fromImage={bad}", b"",
                        {"Content-Length": "0"}),
        "no body where one is wanted": ("/containers/create", b"",
                                        {**as_json, "Content-Length": "0"}),
        "a body of another type": ("/containers/create", text,
                                   {"Content-Type": "application/json; charset=utf-8",
                                    "Content-Length": str(len(text))}),
        "a body that is too large to be shown": ("/containers/create", padded,
                                                 {**as_json,
                                                  "Content-Length": str(len(padded))}),
        "a chunked body": ("/containers/create", b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text),
                           {**as_json, "Transfer-Encoding": "chunked"}),
        "a key in another case": ("/containers/create", b'{"image":"%s"}' % bad.encode(),
                                  {**as_json, "Content-Length": str(len(bad) + 12)}),
        "a plugin": ("/plugins/pull?remote=x", b"[]", {**as_json, "Content-Length": "2"}),
        "BuildKit's session": ("/session", b"", {"Content-Length": "0"}),
    }
    for what, (target, data, headers) in rows.items():
        status, said = raw(path, "POST", "/v1.40" + target, data, headers)
        t.that(f"{what}: refused", status == 403 and "denied by plugin" in said, (status, said))


def main():
    t = Checks()
    if os.getuid() or not shutil.which("dockerd"):
        skip("dockerd is not installed, or this is not root")
    with need_registry() as registry:
        host = registry.url.removeprefix("http://")
        program, data = a_program(registry.directory), Data("run")
        good_id = runnable(data, "good", program, {})
        runnable(data, "bad", program, {"bad": "yes"})
        push(registry.url, "team/run", data)
        with open(registry.directory + "/Dockerfile", "w", encoding="utf-8") as f:
            f.write("FROM scratch\nCOPY hello /\n")
        with tarfile.open(registry.directory + "/image.tar", "w") as tar:
            tar.add(registry.directory + "/hello", "hello")
        os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
        try:
            with Gate(os.path.realpath(sys.argv[1]), [host], "--docker-plugin", SOCKET) as gate:
                with dockerd("--authorization-plugin", NAME) as (docker, path):
                    allowed(t, docker, host, good_id)
                    denied(t, docker, host, registry.directory)
                    around(t, path, host)
                    gate.stop()
                    status, said = docker("ps")
                    t.that("without the plugin nothing is allowed", status != 0, said)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(SOCKET)
    return t.status()


if __name__ == "__main__":
    sys.exit(main())
