# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenAPI document, clients that hold answers against it, and a gate with images to show."""
import base64
import json
import os
import re
import subprocess
import urllib.parse

import jsonschema

import rig
from rig import Image, holds, push, same, until

ROOT = "/api/v1"
DOC_FILE = os.path.join(rig.HERE, "../../doc/openapi.json")
SCRIPT = "<script>alert('x')</script>\u202e\"&'"
PASSWORDS = {"puller": "pull-7781", "releaser": "rel-1288", "second": "sec-9911",
             "root": "adm-5530", "bound": "bnd-3141", "pusher": "psh-2718"}
ROLES = {"puller": "pull", "releaser": "pull,release", "second": "pull,release", "root": "admin",
         "bound": "pull,release", "pusher": "push"}
POLICY = """version: 1
default: allow
rules:
  - name: not-those
    match: { images: ["up.test/denied**"] }
    decision: deny
  - name: ask-somebody
    match: { images: ["up.test/held**", "up.test/team/held**"] }
    decision: quarantine
    release: { persons: 1, reason: true }
  - name: ask-two
    match: { images: ["up.test/two**"] }
    decision: quarantine
    release: { persons: 2, reason: true }
  - name: labels
    match: { images: ["up.test/hostile**"] }
    require: { labels: { forbidden: [bad] } }
    otherwise: quarantine
exceptions:
  - id: CVE-2030-0009
    images: ["up.test/app**"]
    owner: ops
    reason: not reachable
    expires: 2099-01-01
"""
FIXES = {"lib-a": {"2.0-r0": ["CVE-2030-0001"]},
         "lib-b": {"3.0-r0": ["CVE-2030-0002", "CVE-2030-0003"]}}


class Document:
    def __init__(self):
        with open(DOC_FILE, encoding="utf-8") as f:
            self.json = json.load(f)
        self.operations = {}
        for path, item in self.json["paths"].items():
            for method, op in item.items():
                self.operations[op["operationId"]] = (method.upper(), path, op)

    def deref(self, node):
        while "$ref" in node:
            at = self.json
            for part in node["$ref"].split("/")[1:]:
                at = at[part]
            node = at
        return node

    def parameters(self, name):
        return [self.deref(p) for p in self.operations[name][2].get("parameters", [])]

    def check(self, schema, value):
        whole = {**schema, "components": self.json["components"]}
        validator = jsonschema.Draft202012Validator(
            whole, format_checker=jsonschema.FormatChecker())
        errors = [f"{list(e.absolute_path)}: {e.message[:300]}"
                  for e in validator.iter_errors(value)]
        holds(not errors, errors[:5])

    def check_answer(self, name, r):
        """The status is one of the operation's, and the body what stands there for it."""
        responses = self.operations[name][2]["responses"]
        holds(str(r.status) in responses, f"{name}: {r.status} does not stand there: {r.body!r}")
        content = self.deref(responses[str(r.status)]).get("content")
        kind = (r.headers["Content-Type"] or "").split(";")[0]
        if not content:
            same((name, r.body), (name, b""))
            return None
        holds(kind in content, f"{name}: {kind} does not stand there")
        if not kind.endswith("json"):
            return r.body.decode()
        value = json.loads(r.body)
        self.check(content[kind]["schema"], value)
        return value


DOC = Document()


def basic(who):
    if who not in PASSWORDS:
        return {"Authorization": "Bearer " + "n" * 43}  # counts as no guess of a password
    pair = f"{who}:{PASSWORDS[who]}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


class Client:
    """Asks as somebody, by a name of PASSWORDS, or with headers of its own."""

    def __init__(self, gate, who=None, headers=None):
        self.gate = gate
        self.headers = headers if headers is not None else basic(who) if who else {}

    def raw(self, method, path, body=None, headers=None, **query):
        path = ROOT + path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {**self.headers, **(headers or {})}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.gate.get(path, method, body=body, headers=headers)

    def op(self, name, *segments, body=None, headers=None, **query):
        """An operation by its id; the answer as rig.Answer, checked against the document."""
        method, path, _ = DOC.operations[name]
        values = iter(segments)
        path = re.sub(r"\{\w+\}", lambda _: urllib.parse.quote(str(next(values)), safe=":"), path)
        r = self.raw(method, path, body, headers, **query)
        r.json = DOC.check_answer(name, r)
        return r

    def get(self, name, *segments, status=200, **query):
        r = self.op(name, *segments, **query)
        if r.status != status:
            raise AssertionError(f"{name}: {r.status} {r.body[:300]!r}, want {status}")
        return r.json


def add_user(gate, name, roles, *more):
    r = subprocess.run([gate.program, "user", "add", "--roles", roles, "--password-stdin", *more,
                        name], env=gate.env, input=PASSWORDS[name] + "\n", text=True,
                       capture_output=True, check=False)
    holds(r.returncode == 0, r.stderr)


class World:
    """Images of every state and kind, pulled once through a gate."""

    IMAGES = {
        "app:1": {"seed": 1, "packages": [("lib-a", "1.0-r0"), ("lib-b", "1.0-r0")]},
        "app:2": {"seed": 2, "packages": [("lib-a", "2.0-r0"), ("lib-b", "1.0-r0")]},
        "clean:1": {"seed": 3, "packages": [("lib-a", "2.0-r0")]},
        "team/app:1": {"seed": 4, "packages": [("lib-b", "1.0-r0")]},
        "team/held:1": {"seed": 5},
        "held:1": {"seed": 6, "packages": [("lib-a", "1.0-r0")]},
        "held:2": {"seed": 7},
        "two:1": {"seed": 8},
        "denied:1": {"seed": 9},
        "hostile:1": {"seed": 10, "packages": [("lib-a", "1.0-r0"), (SCRIPT, "1-r0")],
                      "config": {"User": SCRIPT, "Labels": {SCRIPT: SCRIPT, "bad": SCRIPT},
                                 "Volumes": {"/" + SCRIPT: {}}},
                      "history": [{"created_by": SCRIPT}]},
    }

    def __init__(self, program):
        self.up = rig.Upstream()
        self.gate = rig.Gate(program, self.up.port, POLICY, "--tag-ttl", "1s", "--wait", "20s",
                             db=FIXES, anonymous=False)
        self.images = {}
        for name, roles in ROLES.items():
            more = ["--repository", "up.test/team/*"] if name == "bound" else []
            add_user(self.gate, name, roles, *more)
        self.root, self.puller, self.releaser, self.second, self.bound = (
            Client(self.gate, n) for n in ("root", "puller", "releaser", "second", "bound"))
        for name, how in self.IMAGES.items():
            self.add(name, **how)
        until(lambda: self.root.get("list_images")["total"] == len(self.IMAGES), 5)

    def add(self, name, **how):
        repository, tag = name.rsplit(":", 1)
        image = Image(how.pop("seed"), **how)
        push(self.up.url, repository, image, tag)
        r = self.gate.manifest(repository, tag, headers=basic("puller"))
        holds(r.status in (200, 403), f"{name}: {r.status} {r.body!r}")
        self.images[name] = image.digest
        return image.digest

    def close(self):
        self.gate.__exit__()
        self.up.__exit__()
