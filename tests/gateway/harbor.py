#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""harbor.py PROGRAM: the gate as Harbor's scanner, asked as Harbor asks; a registry that wants a
password stands for Harbor's core."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time

from admitting import Checks, Gate, bad, wait_for
from oci import Data, Registry
from servers import Server, free_port

USER, PASSWORD = "robot$scanner", "s:ecret-9187"
API = "/harbor/api/v1"
REPORT = "application/vnd.security.vulnerability.report; version=1.1"
OLD_REPORT = "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"
RAW_REPORT = "application/vnd.scanner.adapter.vuln.report.raw"
ERROR = "application/vnd.scanner.adapter.error+json; version=1.0"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Core(Server):
    """docker-registry with Basic authentication."""

    def __init__(self):
        super().__init__()
        program, htpasswd = shutil.which("docker-registry"), shutil.which("htpasswd")
        if not program or not htpasswd:
            return
        port = free_port()
        with open(self.directory + "/htpasswd", "wb") as f:
            subprocess.run([htpasswd, "-nbB", USER, PASSWORD], check=True, stdout=f)
        with open(self.directory + "/config.yml", "w", encoding="utf-8") as f:
            f.write(f"""version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {self.directory}/data}}}}
auth: {{htpasswd: {{realm: core, path: {self.directory}/htpasswd}}}}
http: {{addr: "127.0.0.1:{port}"}}
""")
        self.start([program, "serve", self.directory + "/config.yml"], f"http://127.0.0.1:{port}")


def fill(core):
    registry, data = Registry(core.url, USER, PASSWORD), Data("harbor")
    data.image("good")
    bad(data, "bad")
    for blob in data.blobs.values():
        assert registry.push("library/app", blob).status == 201
    for tag, digest in data.tags.items():
        answer = registry.put_manifest("library/app", tag, data.manifests[digest], MANIFEST)
        assert answer.status == 201, answer
    return data.tags


def request(core, digest, authorization=None, **artifact):
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    said = f"Basic {pair}" if authorization is None else authorization
    return {"registry": {"url": core.url, "authorization": said},
            "artifact": {"repository": "library/app", "digest": digest, "tag": "x",
                         "mime_type": MANIFEST, **artifact},
            "enabled_capabilities": [{"type": "vulnerability", "produces_mime_types": [REPORT]}]}


def finished(gate, scan, accept=REPORT):
    """Polls as Harbor does. The last answer, and those before it."""
    polls = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = gate.ask(f"{API}/scan/{scan}/report", headers={"Accept": accept})
        if answer[0] != 302:
            return answer, polls
        polls.append(answer)
        time.sleep(0.2)
    return answer, polls


def metadata(t, gate):
    status, headers, said = gate.ask(API + "/metadata")
    capability = said["capabilities"][0]
    t.that("metadata", status == 200 and headers["Content-Type"] ==
           "application/vnd.scanner.adapter.metadata+json; version=1.1" and
           said["scanner"]["name"] == "cocket" and REPORT in capability["produces_mime_types"] and
           MANIFEST in capability["consumes_mime_types"] and
           all(isinstance(v, str) for v in said["properties"].values()), said)


def scanning(t, gate, core, tags):
    body = request(core, tags["good"])
    status, headers, said = gate.ask(API + "/scan", body)
    t.that("a scan is accepted", status == 202 and headers["Content-Type"] ==
           "application/vnd.scanner.adapter.scan.response+json; version=1.0" and
           re.fullmatch("[0-9a-f]{32}", said["id"]), (status, headers, said))
    scan = said["id"]
    (status, headers, said), polls = finished(gate, scan)
    t.that("while it runs, Harbor is told when to ask again",
           all(int(p[1]["Refresh-After"]) > 0 and
               p[1]["Location"] == f"{API}/scan/{scan}/report" for p in polls), polls)
    t.that("the report", status == 200 and headers["Content-Type"] == REPORT and
           said["artifact"] == {"repository": "library/app", "digest": tags["good"]} and
           said["vulnerabilities"] == [] and said["severity"] == "Unknown" and
           re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["generated_at"]), said)
    status, headers, _ = gate.ask(f"{API}/scan/{scan}/report", headers={"Accept": OLD_REPORT})
    t.that("the same of version 1.0", status == 200 and headers["Content-Type"] == OLD_REPORT)
    status, headers, said = gate.ask(f"{API}/scan/{scan}/report", headers={"Accept": RAW_REPORT})
    t.that("the raw report is cocket's own", status == 200 and
           headers["Content-Type"] == RAW_REPORT and said["schemaVersion"] == 1 and
           said["image"]["digest"] == tags["good"], said)
    status, headers, said = gate.ask(f"{API}/scan/{scan}/report", headers={
        "Accept": "application/vnd.security.sbom.report+json; version=1.0"})
    t.that("an SBOM is not made", status == 501 and headers["Content-Type"] == ERROR and
           said["error"]["message"], said)
    status, _, said = gate.ask(f"{API}/scan/{'0' * 32}/report", headers={"Accept": REPORT})
    t.that("no such scan", status == 404, said)


def failing(t, gate, core, tags):
    for what, body, part in (
            ("wrong password", request(core, tags["bad"], "Basic " + base64.b64encode(
                b"robot$scanner:wrong").decode()), "401"),
            ("no credentials", request(core, tags["bad"], ""), "401"),
            ("a bearer token that is not taken", request(core, tags["bad"], "Bearer abc"), "401"),
            ("an image that is not there", request(core, "sha256:" + "0" * 64), "404")):
        status, _, said = gate.ask(API + "/scan", body)
        t.that(f"{what}: accepted", status == 202, said)
        (status, headers, said), _ = finished(gate, said["id"])
        t.that(f"{what}: the report says why there is none", status == 500 and
               headers["Content-Type"] == ERROR and part in said["error"]["message"] and
               PASSWORD not in json.dumps(said), said)


def refusing(t, gate, core, tags):
    elsewhere = request(core, tags["good"])
    elsewhere["registry"]["url"] = "http://127.0.0.1:1"
    metadata_service = request(core, tags["good"])
    metadata_service["registry"]["url"] = "http://169.254.169.254"
    behind = request(core, tags["good"])
    behind["registry"]["url"] = core.url + "/x"
    sbom = request(core, tags["good"])
    sbom["enabled_capabilities"] = [{"type": "sbom"}]
    for what, body, want in (
            ("a registry that options do not name", elsewhere, 422),
            ("an address of the inside", metadata_service, 422),
            ("a path behind the registry", behind, 422),
            ("a repository that leaves its path", request(core, tags["good"],
                                                          repository="../x"), 422),
            ("no digest", request(core, "latest"), 422),
            ("an artifact that is no image", request(core, tags["good"], mime_type="x/y"), 501),
            ("an SBOM", sbom, 501), ("no JSON", b"{", 400), ("nothing", {}, 400)):
        status, headers, said = gate.ask(API + "/scan", body)
        t.that(f"{what}: refused", status == want and headers["Content-Type"] == ERROR and
               said["error"]["message"], (status, headers, said))


def many(t, gate, core, tags):
    """More than wait at a time: some are refused, the rest come out."""
    answers = [gate.ask(API + "/scan", request(core, tags["good"])) for _ in range(100)]
    taken = [said["id"] for status, _, said in answers if status == 202]
    full = [status for status, _, _ in answers if status != 202]
    t.that("the queue is bounded", len(taken) >= 64 and set(full) <= {503},
           (len(taken), full[:3]))
    t.that("what was taken comes out", wait_for(lambda: all(
        gate.ask(f"{API}/scan/{scan}/report")[0] == 200 for scan in taken[-3:]), 120))


def main():
    t = Checks()
    with Core() as core:
        if not core.url:
            print("# docker-registry or htpasswd is not installed")
            return 77
        tags = fill(core)
        host = core.url.removeprefix("http://")
        with Gate(os.path.realpath(sys.argv[1]), ["docker.io"], "--harbor-registry",
                  host) as gate:
            metadata(t, gate)
            scanning(t, gate, core, tags)
            failing(t, gate, core, tags)
            refusing(t, gate, core, tags)
            many(t, gate, core, tags)
    return t.status()


if __name__ == "__main__":
    sys.exit(main())
