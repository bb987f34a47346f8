#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""admission.py PROGRAM: a gate asked by an API server: validation, pinning, ImageReview, and
/verdict, against images of a registry of its own."""
import base64
import json
import os
import pathlib
import socket
import sys
import time

from admitting import Checks, Gate, bad as bad_image, images, need_registry, wait_for
from oci import Data, Registry

HERE = pathlib.Path(__file__).resolve().parent
SHAPES = HERE.parent.parent / "src/serve/testdata"


def review(shape, replace, namespace="team-a"):
    """A recorded review with other images in it: `replace` maps the images of the record."""
    text = (SHAPES / f"{shape}.json").read_text(encoding="utf-8")
    for old, new in replace.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    return json.loads(text.replace('"namespace": "team-a"', json.dumps("namespace") + ": " +
                                   json.dumps(namespace)))


def all_images(first, *, others):
    return {"nginx:1.27": first, "registry.k8s.io/pause:3.9": others, "busybox": first,
            "registry.k8s.io/pause:3.10": first, "ghcr.io/org/init@sha256:" + "ab" * 32: others,
            "quay.io/org/model:v2": others}


def validate(gate, body, query=""):
    status, _, said = gate.ask("/admission/validate" + query, body)
    return status, said["response"] if isinstance(said, dict) else said


def patched(document, patch):
    """RFC 6902, as far as replace goes."""
    for step in patch:
        assert step["op"] == "replace", step
        parts = [p.replace("~1", "/").replace("~0", "~") for p in step["path"].split("/")[1:]]
        at = document
        for p in parts[:-1]:
            at = at[int(p)] if isinstance(at, list) else at[p]
        last = int(parts[-1]) if isinstance(at, list) else parts[-1]
        assert last in at if isinstance(at, dict) else last < len(at)
        at[last] = step["value"]


def kinds(t, gate, good, bad):
    for shape in sorted(p.stem for p in SHAPES.glob("create-*.json")):
        body = review(shape, all_images(good, others=good))
        uid = body["request"]["uid"]
        status, said = validate(gate, body)
        t.that(f"{shape}: allowed", status == 200 and said["allowed"] and said["uid"] == uid, said)
        if "containers" not in json.dumps(body["request"]["object"].get("spec", {})) and \
           "template" not in body["request"]["object"]:
            continue
        if shape == "create-crd":
            continue
        for part in ("nginx:1.27", "ghcr.io/org/init@sha256:" + "ab" * 32, "quay.io/org/model:v2"):
            body = review(shape, {**all_images(good, others=good), part: bad})
            status, said = validate(gate, body)
            message = said.get("status", {}).get("message", "")
            t.that(f"{shape}: denied for {part.split('@')[0]}",
                   status == 200 and not said["allowed"] and said["status"]["code"] == 403 and
                   message.count(bad) == 1 and "no-bad-label" in message and "\n" not in message,
                   said)


def updates(t, gate, good, bad):
    _, said = validate(gate, review("update-pod-label", all_images(bad, others=bad)))
    t.that("a label of what runs may be changed", said["allowed"], said)
    _, said = validate(gate, review("update-pod-image", {**all_images(good, others=good),
                                                         "registry.k8s.io/pause:3.10": bad}))
    t.that("an image that an update brings in is judged", not said["allowed"], said)
    _, said = validate(gate, review("update-pod-ephemeralcontainers",
                                    {**all_images(good, others=good), "busybox": bad}))
    t.that("an ephemeral container is judged", not said["allowed"], said)
    for shape in ("delete-pod", "connect-pod-exec", "update-deployment-scale"):
        _, said = validate(gate, review(shape, all_images(bad, others=bad)))
        t.that(f"{shape}: allowed", said["allowed"], said)


def pinning(t, gate, good, digest, bad):
    for shape in ("create-pod", "create-cronjob", "create-rollout"):
        body = review(shape, all_images(good, others=f"{good}@{digest}"))
        status, _, said = gate.ask("/admission/mutate", body)
        response = said["response"]
        patch = json.loads(base64.b64decode(response.get("patch", "W10=")))
        t.that(f"{shape}: two tags are pinned, what is pinned stays",
               status == 200 and response["patchType"] == "JSONPatch" and len(patch) == 2 and
               {s["value"] for s in patch} == {f"{good}@{digest}"}, said)
        patched(body["request"]["object"], patch)
        _, said = validate(gate, body)
        t.that(f"{shape}: the result is allowed, without a warning",
               said["allowed"] and not said.get("warnings"), said)
    _, _, said = gate.ask("/admission/mutate", review("create-pod", all_images(good, others=bad)))
    t.that("what is denied is denied there too",
           not said["response"]["allowed"] and "patch" not in said["response"], said)
    _, _, said = gate.ask("/admission/mutate?rewrite=gate.example:5443",
                          review("create-pod", all_images("docker.io/x/y@" + digest, others=good)))
    t.that("rewritten names are of the gate", not said["response"]["allowed"] or
           "gate.example" in base64.b64decode(said["response"]["patch"]).decode(), said)
    status, _, said = gate.ask("/admission/mutate?rewrite=a/b", review("create-pod", {}))
    t.that("a rewrite to no host is refused", status == 400, said)


def hostile(t, gate):
    pod = json.dumps(review("create-pod", {}))
    rows = {
        "no JSON": b"{", "no UTF-8": b'{"x":"\xff"}', "a list": b"[]", "nothing": b"{}",
        "deep": b"[" * 100000, "two of a key": pod.replace('"uid"', '"uid":"x","uid"', 1).encode(),
        "another version": pod.replace("admission.k8s.io/v1", "admission.k8s.io/v2").encode(),
    }
    for name, body in rows.items():
        status, said = validate(gate, body)
        t.that(f"{name}: refused", status == 400, (status, said))
    status, said = validate(gate, pod.replace('"containers"', '"Containers"').encode())
    t.that("a key in another case: denied by its uid",
           status == 200 and not said["allowed"] and "case" in said["status"]["message"], said)
    said = announced(gate, 3 * 1024 * 1024 + 1)
    t.that("a body past the limit: refused", " 413 " in said, said)
    status, said = validate(gate, pod.encode(), "?timeout=soon")
    t.that("a timeout that is none: refused", status == 400, status)


def announced(gate, length):
    """The first line of the answer to a request that only says how long its body will be."""
    with socket.create_connection(("127.0.0.1", gate.port), 30) as s:
        s.sendall(f"POST /admission/validate HTTP/1.1\r\nHost: gate\r\n"
                  f"Content-Length: {length}\r\n\r\n".encode())
        return s.recv(4096).split(b"\r\n")[0].decode()


def waiting(t, gate, hole):
    begun = time.monotonic()
    _, said = validate(gate, review("create-pod", all_images(f"{hole}/a:1", others=f"{hole}/b:1")),
                       "?timeout=2s")
    took = time.monotonic() - begun
    t.that("an answer comes before the API server gives up", took < 2 and not said["allowed"] and
           "being examined" in said["status"]["message"], (took, said))


def others(t, gate, host, good, bad, digests):
    body = json.loads((SHAPES / "image-review.json").read_text(encoding="utf-8"))
    body["spec"]["containers"] = [{"image": good}]
    _, _, said = gate.ask("/imagepolicy", body)
    t.that("ImageReview: allowed", said["status"]["allowed"] and said["kind"] == "ImageReview",
           said)
    body["spec"]["containers"].append({"image": bad})
    _, _, said = gate.ask("/imagepolicy", body)
    t.that("ImageReview: denied with the reason", not said["status"]["allowed"] and
           "no-bad-label" in said["status"]["reason"], said)

    said = gate.verdict(good)
    t.that("/verdict: allow, with the upstream's digest", said["decision"] == "allow" and
           said["digest"] == digests["good"], said)
    said = gate.verdict(f"{host}/team/app@{digests['bad']}")
    t.that("/verdict: deny by digest", said["decision"] == "deny" and
           "no-bad-label" in said["reasons"][0], said)
    t.that("/verdict: an index whose image for this host is good",
           gate.verdict(f"{host}/team/app:index")["decision"] == "allow")
    t.that("/verdict: an index whose image for this host is bad",
           gate.verdict(f"{host}/team/app:index-bad")["decision"] == "deny")
    t.that("/verdict: not there", gate.verdict(f"{host}/team/none:1")["decision"] == "deny")
    t.that("/verdict: a registry that may not be asked",
           gate.verdict("registry.example/x:1")["decision"] == "deny")
    t.that("/verdict: an id that nobody knows", gate.verdict("12" * 32)["decision"] == "deny")
    t.that("/verdict: no image", gate.ask("/verdict")[0] == 400)
    t.that("/verdict: a rule for a namespace",
           gate.verdict(good, namespace="team-b")["decision"] == "deny" and
           gate.verdict(f"{good}@{digests['good']}", namespace="team-b")["decision"] == "allow")


def people(t, gate, host, digests):
    """What people decide holds for admission too, soon."""
    image = f"{host}/team/app:good-2"
    t.that("/verdict: allow, before", gate.verdict(image)["decision"] == "allow")
    status, said = gate.cocket("deny", "--reason", "we do not want it", digests["good-2"])
    t.that("a person denies it", status == 0, said)
    t.that("and nothing runs it any more", wait_for(
        lambda: "we do not want it" in json.dumps(gate.verdict(image)["reasons"]), 5),
           gate.verdict(image))


def hosted(t, gate):
    """What is pushed to the gate is named as its clients name it."""
    status, token = gate.cocket("user", "add", "--robot", "--roles", "pull,push", "robot-ci")
    status, token = gate.cocket("user", "token", "robot-ci")
    token = token.split()[-1]
    data = Data("hosted")
    data.image("good")
    bad_image(data, "bad")
    registry = Registry(gate.url, "robot-ci", token)
    for blob in data.blobs.values():
        registry.push("hosted/app", blob)
    for tag, digest in data.tags.items():
        answer = registry.put_manifest("hosted/app", tag, data.manifests[digest],
                                       data.kinds[digest])
        t.that(f"hosted/app:{tag} is pushed", answer.status == 201, answer)
    for tag, want in (("good", "allow"), ("bad", "deny")):
        said = gate.verdict(f"127.0.0.1:{gate.port}/hosted/app:{tag}")
        t.that(f"hosted, {tag}: {want}", said["decision"] == want and
               said["digest"] == data.tags[tag], said)
        said = gate.verdict(f"127.0.0.1:{gate.port}/hosted/app@{data.tags[tag]}")
        t.that(f"hosted, {tag} by digest: {want}", said["decision"] == want, said)
    said = gate.verdict(f"127.0.0.1:{gate.port}/hosted/app:none")
    t.that("hosted, not there: deny", said["decision"] == "deny", said)


def credentials(t, program, host):
    """Whoever may not pull may not ask."""
    body = review("create-configmap", {})
    with Gate(program, [host], anonymous=False) as gate:
        gate.cocket("user", "add", "--robot", "--roles", "pull", "robot-api")
        _, token = gate.cocket("user", "token", "robot-api")
        token = token.split()[-1]
        pair = base64.b64encode(f"robot-api:{token}".encode()).decode()
        for path in ("/admission/validate", "/admission/mutate"):
            t.that(f"{path}: nobody is let in", gate.ask(path, body)[0] == 401)
            for how in (f"Bearer {token}", f"Basic {pair}"):
                status, _, said = gate.ask(path, body, {"Authorization": how})
                t.that(f"{path}: a robot is, by {how.split()[0]}",
                       status == 200 and said["response"]["allowed"], said)
            status = gate.ask(path, body, {"Authorization": "Bearer " + "0" * 43})[0]
            t.that(f"{path}: a wrong token is not", status == 401, status)
        t.that("/verdict: nobody is let in", gate.ask("/verdict?image=x")[0] == 401)
        t.that("/harbor: nobody is let in", gate.ask("/harbor/api/v1/metadata")[0] == 401)


def main():
    t = Checks()
    with need_registry() as registry, socket.socket() as hole:
        hole.bind(("127.0.0.1", 0)) # takes connections and says nothing
        hole.listen(16)
        silent = f"127.0.0.1:{hole.getsockname()[1]}"
        host = registry.url.removeprefix("http://")
        digests = images(registry.url)
        good, bad = f"{host}/team/app:good", f"{host}/team/app:bad"
        with Gate(os.path.realpath(sys.argv[1]), [host, silent]) as gate:
            kinds(t, gate, good, bad)
            updates(t, gate, good, bad)
            pinning(t, gate, good, digests["good"], bad)
            others(t, gate, host, good, bad, digests)
            hostile(t, gate)
            people(t, gate, host, digests)
            hosted(t, gate)
            waiting(t, gate, silent) # last: both jobs of the gate wait for that registry then
        credentials(t, os.path.realpath(sys.argv[1]), host)
    return t.status()


if __name__ == "__main__":
    sys.exit(main())
