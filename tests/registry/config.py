#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what cocket plans with what skopeo does, and our TOML with Python's.

usage: config.py REGISTRY_PLAN

Each case is a registries.conf and names of images. skopeo is asked to inspect them with that file;
every location leads to a server of our own on the loopback, which knows no image and notes what
it was asked. The order of requests must be the planned one, with the planned credentials.
"""
import base64
import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

PLAN = sys.argv[1]
DIGEST = "sha256:" + "ab" * 32


class Registry(http.server.BaseHTTPRequestHandler):
    """Wants a name and password from everybody, and has nothing."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        status, extra = 404, {}
        if self.path == "/v2/":
            status, extra = 401, {"WWW-Authenticate": 'Basic realm="x"'}
        else:
            self.server.heard.append((self.path, self.headers.get("Authorization")))
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = answer

    def log_message(self, *args):
        pass


class World:
    """A home directory, a server, and the two programs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        self.server.heard = []
        self.here = f"localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.env = {"PATH": f"{folder}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder,
                    "XDG_RUNTIME_DIR": f"{folder}/run", "LC_ALL": "C",
                    "CONTAINERS_REGISTRIES_CONF": f"{folder}/a.conf"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@", self.here) if name.endswith(".conf") else text)
        path.chmod(mode)

    def plan(self, *names):
        out = subprocess.run([PLAN, *names], env=self.env, stdout=subprocess.PIPE, timeout=60)
        return [json.loads(line) for line in out.stdout.decode().splitlines()]

    def skopeo(self, name):
        """The (repository, tag or digest, user) that were asked for, and skopeo's words."""
        self.server.heard.clear()
        out = subprocess.run(["skopeo", "--debug", "--registries-conf", f"{self.folder}/a.conf",
                              "inspect", "--raw", "docker://" + name], env=self.env, timeout=60,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        text = out.stdout.decode(errors="replace")
        asked = []
        for path, auth in self.server.heard:
            m = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path)
            user = base64.b64decode(auth.split()[1]).decode().split(":")[0] if auth else None
            user = user or None  # skopeo has an empty name where it has none
            asked.append((m.group(1), m.group(2), user) if m else (path, None, user))
        return asked, text


# All locations end at our server ("@"), or are blocked, or are closed ports of the loopback.
CONF = """
unqualified-search-registries = ["@"]

[[registry]]
prefix = "a.test"
location = "@/a"
insecure = true

[[registry]]
prefix = "a.test/deep"
location = "@/deeper/"
insecure = true
[[registry.mirror]]
location = "@/m-all"
insecure = true
[[registry.mirror]]
location = "@/m-digest"
insecure = true
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "@/m-tag/x"
insecure = true
pull-from-mirror = "tag-only"

[[registry]]
prefix = "a.test/deep/one"
location = "@/only/one"
insecure = true

[[registry]]
prefix = "a.test/tagged:1"
location = "@/never"
insecure = true

[[registry]]
prefix = "*.wild.test"
location = "@/wild"
insecure = true

[[registry]]
prefix = "x.wild.test"
location = "@/same-length"
insecure = true

[[registry]]
prefix = "x.y.wild.test"
location = "@/longer"
insecure = true

[[registry]]
prefix = "digest.test"
location = "@/digest"
insecure = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "@/digest-mirror"
insecure = true

[[registry]]
prefix = "closed.test"
location = "closed.test"
blocked = true
[[registry.mirror]]
location = "@/open-mirror"
insecure = true
[[registry.mirror]]
location = "closed.test/mirror"

[[registry]]
prefix = "shut.test"
location = "shut.test"
blocked = true

[[registry]]
prefix = "docker.io"
location = "@/hub"
insecure = true

[[registry]]
prefix = "docker.io/library/special"
location = "@/special/thing"
insecure = true

[[registry]]
prefix = "to-hub.test"
location = "docker.io"

[[registry]]
prefix = "a.test/twice"
location = "@/first"
insecure = true
[[registry]]
prefix = "a.test/twice"
location = "@/second"
insecure = true
"""
DROP_IN = """
[[registry]]
prefix = "a.test/deep/one"
location = "@/drop-in"
insecure = true

[[registry]]
prefix = "new.test"
location = "@/new"
insecure = true
"""
NAMES = ["a.test/x", "a.test/x:1", f"a.test/x@{DIGEST}", "a.test/x/y/z", "a.test/deep",
         "a.test/deep/q:2", f"a.test/deep/q@{DIGEST}", "a.test/deep/one", "a.test/deep/one/more",
         "a.test/deeply/x", "a.test/deep/oneself", "a.test/tagged:1", "a.test/twice/x",
         "b.wild.test/i", "c.b.wild.test/i", "x.wild.test/i", "x.y.wild.test/i",
         "z.x.y.wild.test/i", "digest.test/i", f"digest.test/i@{DIGEST}", "closed.test/x",
         "docker.io/alpine", "docker.io/library/alpine", "docker.io/u/x:3",
         "docker.io/library/special", "docker.io/special:1", "docker.io/library/special/more",
         "new.test/x", "index.docker.io/alpine"]
# The auth files: the most specific key counts, the first file that knows counts.
AUTHS = {"run/containers/auth.json": {"": "all", "/a": "a", "/a/x": "ax", "/m-all": "mall"},
         ".config/containers/auth.json": {"/a/x": "never", "/wild": "wild"},
         ".docker/config.json": {"/hub/library": "library", "/special/thing": "thing"}}
# (name, conf): refused by both
REFUSED = [
    ("both_unset", "[[registry]]\ninsecure = true\n"),
    ("location_unset", "[[registry]]\nprefix = 'a.test'\n"),
    ("mirror_location_unset", "[[registry]]\nlocation = 'a.test'\n[[registry.mirror]]\n"),
    ("url", "[[registry]]\nlocation = 'https://a.test'\n"),
    ("conflict", "[[registry]]\nlocation='a.test'\n[[registry]]\nprefix='b'\nlocation='a.test'\n"
     "blocked=true\n"),
    ("use_of_mirror", "[[registry]]\nlocation='a.test'\n[[registry.mirror]]\nlocation='b'\n"
     "pull-from-mirror='x'\n"),
    ("both_uses", "[[registry]]\nlocation='a.test'\nmirror-by-digest-only=true\n"
     "[[registry.mirror]]\nlocation='b'\npull-from-mirror='all'\n"),
    ("type", "[[registry]]\nlocation='a.test'\nblocked='yes'\n"),
    ("mode", "short-name-mode = 'x'\n"),
    ("search", "unqualified-search-registries = ['a.test/x']\n"),
    ("alias_name", "[aliases]\n'a.test/x' = 'b.test/x'\n"),
    ("alias_value", "[aliases]\nx = 'y'\n"),
    ("alias_tag", "[aliases]\nx = 'b.test/y:1'\n"),
    ("syntax", "[[registry]\n"),
    ("duplicate_key", "[[registry]]\nlocation='a.test'\nlocation='b.test'\n"),
    ("not_canonical", "[[registry]]\nprefix='a.test'\nlocation='docker.io'\n"),
    ("rewritten_port", "[[registry]]\nprefix='*.test'\nlocation='b.org/x'\n"),
    ("location_with_tag", "[[registry]]\nprefix='a.test/x'\nlocation='b.org/x:1'\n"),
]


NUMBERS = itertools.count(1)


def report(name, ok, *why):
    print(("ok " if ok else "not ok ") + f"{next(NUMBERS)} - {name}", flush=True)
    for line in why if not ok else ():
        print("# " + str(line)[:2000])
    return 0 if ok else 1


def planned(world, name, answer):
    """As World.skopeo says it."""
    reference = answer["name"].rsplit("@", 1)[-1] if "@" in answer["name"] else \
        answer["name"].rsplit(":", 1)[-1]
    return [(e["repository"], reference, e["user"]) for e in answer["ask"]
            if e["host"] == world.here]


def locations(world):
    world.write("a.conf", CONF)
    world.write(".config/containers/registries.conf.d/50-x.conf", DROP_IN)
    for path, users in AUTHS.items():
        world.write(path, json.dumps({"auths": {
            world.here + key: {"auth": base64.b64encode(f"{user}:pw".encode()).decode()}
            for key, user in users.items()}}))
    failed = 0
    for name, answer in zip(NAMES, world.plan(*NAMES)):
        asked, text = world.skopeo(name)
        want = planned(world, name, answer) if "ask" in answer else None
        failed += report("asks_" + name, asked and want == asked, "skopeo: " + repr(asked),
                         "cocket: " + json.dumps(answer), text[-600:])
    for name in ("shut.test/x", "to-hub.test/x"):
        answer = world.plan(name)[0]
        asked, text = world.skopeo(name)
        failed += report("refuses_" + name, not asked and answer.get("status") == 2, answer, text)
    return failed


def refusals(world):
    failed = 0
    (world.folder / ".config/containers/registries.conf.d/50-x.conf").unlink()
    for name, conf in REFUSED:
        world.write("a.conf", conf)
        image = "z.test:50/x" if name == "rewritten_port" else "a.test/x"
        answer = world.plan(image)[0]
        asked, text = world.skopeo(image)
        fatal = re.search(r'level=fatal msg="?(.*)', text)
        failed += report("both_refuse_" + name, answer.get("status") == 2 and fatal and
                         "no such host" not in text and "lookup" not in text, answer, text[-600:])
    return failed


def helpers(world):
    """The same helper is asked for the same server."""
    world.write("bin/docker-credential-mine", "#!/bin/sh\nread -r s || :\necho \"$1 $s\" >>"
                f"{world.folder}/helper.log\n"
                "echo '{\"ServerURL\":\"x\",\"Username\":\"helped\",\"Secret\":\"s\"}'\n", 0o755)
    world.write("bin/docker-credential-empty", "#!/bin/sh\n"
                "echo credentials not found in native keychain; exit 1\n", 0o755)
    conf = "[[registry]]\nlocation = '@'\ninsecure = true\n"
    auths = {"auths": {world.here: {"auth": base64.b64encode(b"file:pw").decode()}}}
    cases = [
        ("cred_helpers", conf, {"credHelpers": {world.here: "mine"}}),
        ("cred_helpers_before_entries", conf, {"credHelpers": {world.here: "mine"}, **auths}),
        ("helper_of_another_host", conf, {"credHelpers": {"other.test": "mine"}, **auths}),
        ("helper_without_credentials", conf, {"credHelpers": {world.here: "empty"}}),
        ("default_helper", "credential-helpers = ['empty', 'mine']\n" + conf, auths),
        ("files_first", "credential-helpers = ['containers-auth.json', 'mine']\n" + conf, auths),
    ]
    failed = 0
    for path in AUTHS:
        (world.folder / path).unlink()
    for name, conf, auth in cases:
        world.write("a.conf", conf)
        world.write("run/containers/auth.json", json.dumps(auth))
        log = world.folder / "helper.log"
        said = []
        for run in (lambda: world.plan(f"{world.here}/x"), lambda: world.skopeo(f"{world.here}/x")):
            log.write_text("")
            out = run()
            said.append((out, sorted(set(log.read_text().splitlines()))))
        (ours, our_log), ((asked, text), their_log) = said
        failed += report("helper_" + name, asked and planned(world, name, ours[0]) == asked and
                         our_log == their_log, ours, asked, our_log, their_log, text[-600:])
    return failed


# --- TOML against Python's reader -----------------------------------------------------------------

PIECES = ["a", "b.c", "'d'", '"e f"', "a.b", " = ", "=", "1", "-7", "0x1F", "0o17", "0b11", "1_0",
          "true", "false", '"x"', "'y'", '"\\u00e4\\n"', '"""m\n n"""', "'''l'''", '"""a\\\n  b"""',
          "[", "]", "[[", "]]", "{", "}", ", ", "\n", "\n", "\n[a]\n", "\n[[r]]\n", "\n[r.m]\n",
          "\n[[r.m]]\n", "# c\n", "[1, 2]", "[[1], ['x']]", "{x = 1, y.z = 2}", "\n[a.b]\n", "\r\n",
          "\\", '"', "'", "\t"]


def only_known(value):
    if isinstance(value, dict):
        return all(only_known(v) for v in value.values())
    if isinstance(value, list):
        return all(only_known(v) for v in value)
    return isinstance(value, (bool, int, str)) and \
        (not isinstance(value, int) or -2**63 <= value < 2**63)


def documents(count):
    rng = random.Random(20260801)
    for _ in range(count):
        if rng.random() < 0.5:  # whole settings, more often valid
            lines = []
            for _ in range(rng.randrange(1, 8)):
                key = rng.choice(["a", "b", "a.b", "a.b.c", "r", "'d'", '"e f"'])
                value = rng.choice(["1", "'x'", "true", "[1,\n 2]", "{x = 1}", "{}", "[]", "[{}]",
                                    "{a.b = 1, a.c = 2}", '"""\nq"""', "-0x1", "1__0", "07"])
                lines.append(rng.choice([f"{key} = {value}", f"[{key}]", f"[[{key}]]",
                                         f"{key}={value} # c"]))
            yield "\n".join(lines)
        else:
            yield "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 14)))


def toml(world):
    try:
        import tomllib
    except ImportError:
        return report("# SKIP toml_as_python_reads_it: needs Python 3.11", True)
    accepted = refused = 0
    wrong = []
    texts = list(documents(6000))
    paths = []
    for i, text in enumerate(texts):
        path = world.folder / f"{i}.toml"
        path.write_bytes(text.encode())
        paths.append(str(path))
    answers = []
    for i in range(0, len(paths), 500):
        out = subprocess.run([PLAN, "--toml", *paths[i:i + 500]], env=world.env, timeout=120,
                             stdout=subprocess.PIPE, check=True)
        answers += out.stdout.decode().splitlines()
    for text, answer in zip(texts, answers):
        ours = json.loads(answer)
        error = isinstance(ours, dict) and ours.get("status") == 2
        try:
            theirs = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError):
            theirs = None
        if theirs is not None and not only_known(theirs):
            continue
        accepted += theirs is not None
        refused += theirs is None
        if error != (theirs is None) or (not error and ours != theirs):
            wrong.append((text, ours, theirs))
    enough = accepted > 800 and refused > 800 and len(answers) == len(texts)
    return report(f"toml_as_python_reads_it ({accepted} accepted, {refused} refused)",
                  enough and not wrong, len(answers), *wrong[:5])


def main():
    with tempfile.TemporaryDirectory(prefix="cocket-registry-") as folder:
        world = World(folder)
        failed = toml(world)
        if shutil.which("skopeo"):
            failed += locations(world) + refusals(world) + helpers(world)
        else:
            report("# SKIP config_as_skopeo_reads_it: no skopeo", True)
        world.server.shutdown()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
