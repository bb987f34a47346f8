#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds doc/policy.schema.json against the program: what one refuses the other must refuse.

usage: policy_schema.py COCKET DIRECTORY

The documents are JSON, which is YAML too: one with everything, every mutation of it, and lists of
valid and invalid parts. Exit status 77 where the Python module jsonschema is absent.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    Validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    print("jsonschema is not present, or too old")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

FULL = {
    "version": 1,
    "default": "quarantine",
    "release": "nobody",
    "rules": [{
        "name": "production 1.0_a-b",
        "match": {
            "images": ["docker.io/library/*", "ghcr.io/acme/**:v*", "**", "localhost/x",
                       "localhost:5000/x:A", "*:5000/a", "**/alpine@sha256:" + 64 * "a"],
            "namespaces": ["prod-*"],
            "clients": ["ci-*", "10.0.0.0/8", "2001:db8::/32", "192.0.2.1"],
            "platforms": ["linux/amd64", "linux/arm/v7", "windows/*"],
        },
        "require": {
            "severity": {"at-most": "medium", "fixable": "low", "grace": "14d", "unknown": "high",
                         "otherwise": "deny"},
            "known-exploited": "none",
            "assessment": {"is": "complete", "otherwise": "quarantine"},
            "distribution": ["debian:12"],
            "base": {"any": ["docker.io/library/debian"], "otherwise": "deny"},
            "max-age": "180d",
            "tags": "immutable",
            "user": "numeric",
            "environment": "no-secrets",
            "labels": {"forbidden": ["a"], "required": ["b=*"], "otherwise": "deny"},
            "volumes": {"forbidden": ["/var/run/**"]},
            "ports": {"forbidden": "22/tcp"},
            "upstreams": "docker.io",
            "near-miss": "refused",
            "signers": ["someone"],
        },
        "otherwise": "quarantine",
        "release": {"persons": 2, "reason": False},
    }, {"name": "never", "decision": "deny"}],
    "exceptions": [
        {"id": ["CVE-2024-1234", "DSA-1"], "images": ["docker.io/library/debian:12"],
         "packages": "openssl", "owner": "platform team", "reason": "r", "expires": "2027-01-31"},
        {"demand": ["user", "tags"], "owner": "o", "reason": "r",
         "expires": "2026-01-31T12:00:00Z"},
    ],
}

# Where a value of its own is put, what is valid there, and what is not.
NAMES = ("rules", 0, "match", "images")
CLIENTS = ("rules", 0, "match", "clients")
REQUIRE = ("rules", 0, "require")
PLACES = [
    (("version",), [1], [0, 2, "1", True, None]),
    (("default",), ["allow", "deny"], ["Allow", "", None, 1]),
    (("release",), ["nobody", {}, {"persons": 1}, {"persons": 10}, {"reason": True}],
     ["anybody", {"persons": 0}, {"persons": 11}, {"persons": "2"}, {"reason": "yes"}, []]),
    (NAMES, ["docker.io/library/debian", "a.example:5000/x", "*/x", "ghcr.io/x:*"],
     ["alpine", "library/alpine", "ghcr.io/Acme/x", "GHCR.io/x", "ghcr.io/a b", "ghcr.io/a:",
      "ghcr.io/a@sha256:00", "ghcr.io/a@md5:" + 32 * "0", "", " ", "*", [], [[]], [1],
      "ghcr.io/" + 600 * "a"]),
    (CLIENTS, ["ci", "10.0.0.1", "::1", "0.0.0.0/0", "*"], ["a/b", "10.0.0.0/x", "", [], 7]),
    (("rules", 0, "match", "platforms"), ["linux/amd64", "*/amd64"], ["linux", "", "linux/", "*"]),
    (("rules", 0, "match", "namespaces"), ["a", ["a", "b"]], ["", [], 7, {}, "a\nb", 513 * "a"]),
    (("rules", 0, "name"), ["a", "a b"], ["", " a", "a ", "a:b", "default", "exceptions", 65 * "a"]),
    (("rules", 0, "otherwise"), ["deny"], ["allow", None]),
    (("rules", 1, "decision"), ["allow", "quarantine"], ["no", {}]),
    (("rules", 1, "otherwise"), [], ["deny"]),
    (("rules", 1, "require"), [], [{"user": "non-root"}]),
    (("rules",), [], [[], {}, "a"]),
    (("exceptions",), [], [[], {}, "a"]),
    (REQUIRE, [{"user": "non-root"}], [{}, [], "a"]),
    (REQUIRE + ("severity",), ["none", "critical", {"at-most": "low"}, {"fixable": "low"}],
     ["hihg", [], ["low"], {}, {"grace": "1d"}, {"at-most": "low", "grace": "1d"},
      {"at-most": "low", "unknown": "none"}, {"otherwise": "deny"}]),
    (REQUIRE + ("known-exploited",), [{"is": "none"}], ["some", {}, ["none"]]),
    (REQUIRE + ("assessment",), ["complete"], ["incomplete", {"otherwise": "deny"}]),
    (REQUIRE + ("distribution",), ["supported", {"is": "supported"}, {"any": "a"}],
     ["debian:12", [], {}, {"otherwise": "deny"}]),
    (REQUIRE + ("base",), ["a", ["a"], {"any": ["a"]}], ["", [], {}, {"is": "a"}, 1]),
    (REQUIRE + ("max-age",), ["12h", "2w", "99999d", {"is": "1d"}],
     ["180", 180, "0d", "01d", "1m", "-1d", "1.5d", "100000d", "", [], {}]),
    (REQUIRE + ("user",), ["non-root", {"is": "numeric"}], ["root", "", {}]),
    (REQUIRE + ("labels",), [{"required": "a"}], [{}, "a", ["a"], {"otherwise": "deny"}]),
    (REQUIRE + ("volumes",), [{"forbidden": "a"}], [{}, "a", {"required": "a"}]),
    (REQUIRE + ("tags",), ["pinned"], ["latest", []]),
    (("exceptions", 0, "id"), ["CVE-1", "bookworm-security:a=1+2~3"],
     ["cve-1", "CVE-*", "", [], "a b", 7]),
    (("exceptions", 0, "demand"), [], ["user"]),
    (("exceptions", 1, "demand"), ["severity"], ["sevrity", [], 1]),
    (("exceptions", 1, "packages"), [], ["a"]),
    (("exceptions", 0, "expires"), ["2028-02-29", "2027-01-31T12:00:00+01:00"],
     ["2027-13-01", "2027-01-32", "tomorrow", 2027, "2027-1-1", ""]),
    (("exceptions", 0, "owner"), [1000 * "a"], ["", "  ", 1, None, "a\tb", 1001 * "a"]),
]


def mutations(value, path=()):
    """A key or item taken away or added, a value of another type."""
    if isinstance(value, dict):
        yield path, lambda v: v.update(unknownKey=1)
        for key in value:
            yield path, lambda v, key=key: v.pop(key)
            yield path, lambda v, key=key: v.update({key: {"wrong": 1}})
            yield path, lambda v, key=key: v.update({key: [["wrong"]]})
            yield path, lambda v, key=key: v.update({key: 7})
            yield path, lambda v, key=key: v.update({key: None})
            yield from mutations(value[key], path + (key,))
    elif isinstance(value, list):
        for i, item in enumerate(value[:2]):
            yield path, lambda v, i=i: v.__setitem__(i, 7)
            yield path, lambda v: v.clear()
            yield from mutations(item, path + (i,))


def changed(path, change):
    doc = copy.deepcopy(FULL)
    at = doc
    for step in path:
        at = at[step]
    change(at)
    return doc


def documents():
    """(what it is, document, whether it is valid or None where only the two must agree)"""
    yield "everything", FULL, True
    for path, valid, invalid in PLACES:
        for good, values in ((True, valid), (False, invalid)):
            for value in values:
                yield (f"{path}: {json.dumps(value)[:60]}",
                       changed(path[:-1], lambda v: v.__setitem__(path[-1], value)), good)
    for path, change in mutations(FULL):
        yield f"a mutation at {path}", changed(path, change), None


def main():
    cocket, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
    schema = json.loads((ROOT / "doc/policy.schema.json").read_text())
    Validator.check_schema(schema)
    validator = Validator(schema)
    docs = list(documents())
    for i, (_, doc, _) in enumerate(docs):
        (scratch / f"{i}.yaml").write_text(json.dumps(doc))
    names = [str(scratch / f"{i}.yaml") for i in range(len(docs))]
    said = subprocess.run([cocket, "policy", "validate"] + names, capture_output=True, text=True,
                          check=False)
    accepted = set(re.findall(r"^(.*): valid, sha256:", said.stdout, re.M))
    refused = set(re.findall(r"^cocket: (.*?\.yaml):\d+:\d+: ", said.stderr, re.M))
    wrong = 0
    for name, (what, doc, good) in zip(names, docs):
        ours, theirs = name in accepted, validator.is_valid(doc)
        if (name in refused) == ours or ours != theirs or (good is not None and good != ours):
            print(f"{what}: cocket says {ours}, the schema {theirs}, it is {good}")
            wrong += 1
    print(f"{len(docs)} documents, {len(accepted)} valid, {wrong} wrong")
    return 1 if wrong or not accepted or not refused else 0


if __name__ == "__main__":
    sys.exit(main())
