# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the OCI distribution API that hides nothing, and the data that is pushed with it."""
import base64
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import ssl
import tarfile
import urllib.parse

OCTETS = "application/octet-stream"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = LAYER + "+gzip"
NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ACCEPT = [MANIFEST, INDEX, DOCKER, DOCKER_LIST]
KIND_ONE = "application/vnd.example.cocket.one.v1"
KIND_TWO = "application/vnd.example.cocket.two.v1"


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


class Answer:
    """What came back; headers by lower-case name, each a list."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {}
        for name, value in response.getheaders():
            self.headers.setdefault(name.lower(), []).append(value)
        self.body = response.read()

    def get(self, name):
        return self.headers.get(name.lower(), [""])[0]

    def json(self):
        return json.loads(self.body)

    def codes(self):
        """The error codes of the body, where it has the shape that the specification gives it."""
        try:
            errors = self.json()["errors"]
            assert errors and all(isinstance(e["code"], str) for e in errors)
            assert all(isinstance(e.get("message", ""), str) for e in errors)
            return [e["code"] for e in errors]
        except (ValueError, KeyError, TypeError, AssertionError):
            return []

    def __str__(self):
        kept = {k: v for k, v in self.headers.items()
                if k in ("location", "range", "content-range", "content-length", "content-type",
                         "docker-content-digest", "www-authenticate", "link")}
        return f"{self.status} {kept} {self.body[:300]!r}"


class Registry:
    def __init__(self, url, user=None, password=None, ca=None):
        at = urllib.parse.urlsplit(url)
        self.scheme, self.host = at.scheme, at.netloc
        self.user, self.password = user, password
        self.context = None
        if at.scheme == "https":
            self.context = ssl.create_default_context(cafile=ca)
        self.tokens = {}
        self.connection = None

    def _connect(self):
        if self.scheme == "https":
            return http.client.HTTPSConnection(self.host, timeout=120, context=self.context)
        return http.client.HTTPConnection(self.host, timeout=120)

    def _once(self, method, target, body, headers):
        """One request; an idle connection that the server has closed meanwhile is opened anew."""
        for fresh in (False, True):
            if self.connection is None or fresh:
                self.connection = self._connect()
            try:
                try:
                    self.connection.request(method, target, body=body, headers=headers,
                                            encode_chunked="Transfer-Encoding" in headers)
                except (BrokenPipeError, ConnectionResetError):
                    if not body: # else the answer may have come before all of the body was sent
                        raise
                answer = Answer(self.connection.getresponse())
                if answer.get("connection").lower() == "close":
                    self.connection.close()
                    self.connection = None
                return answer
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if fresh or not (body is None or isinstance(body, bytes)):
                    raise
        raise AssertionError("not reached")

    def _basic(self):
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def _authorize(self, challenge):
        """What the challenge asks for, with our credentials."""
        if not challenge.lower().startswith("bearer"):
            return self._basic()
        words = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = {k: words[k] for k in ("service", "scope") if k in words}
        realm = urllib.parse.urlsplit(words["realm"])
        target = realm.path + "?" + urllib.parse.urlencode(query)
        headers = {"Authorization": self._basic()} if self.user else {}
        answer = self._once("GET", target, None, headers)
        if answer.status != 200:
            raise RuntimeError(f"no token: {answer}")
        said = answer.json()
        return "Bearer " + (said.get("token") or said["access_token"])

    def ask(self, method, target, body=None, headers=None, anonymous=False):
        """`target`: a path, or a Location as it came. `body`: bytes, or an iterable (chunked)."""
        at = urllib.parse.urlsplit(target)
        target = at.path + ("?" + at.query if at.query else "")
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = list(body)
            headers["Transfer-Encoding"] = "chunked"
        elif body is None and method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        # One scope for each repository and right, as clients keep them.
        right = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(method, "push")
        key = (at.path.split("/blobs/")[0].split("/manifests/")[0], right)
        if not anonymous and key in self.tokens:
            headers["Authorization"] = self.tokens[key]
        answer = self._once(method, target, body, headers)
        if answer.status == 401 and not anonymous and self.user:
            self.tokens[key] = self._authorize(answer.get("www-authenticate"))
            headers["Authorization"] = self.tokens[key]
            answer = self._once(method, target, body, headers)
        return answer

    # --- the API, one call a row --------------------------------------------------------------

    def manifest(self, repository, reference, method="GET"):
        return self.ask(method, f"/v2/{repository}/manifests/{reference}",
                        headers={"Accept": ", ".join(ACCEPT)})

    def put_manifest(self, repository, reference, data, kind, tags=()):
        query = "&".join("tag=" + t for t in tags)
        return self.ask("PUT", f"/v2/{repository}/manifests/{reference}" + (query and "?" + query),
                        data, {"Content-Type": kind})

    def blob(self, repository, digest, method="GET", headers=None):
        return self.ask(method, f"/v2/{repository}/blobs/{digest}", headers=headers)

    def start(self, repository, query="", body=None):
        headers = {"Content-Type": OCTETS} if body is not None else {}
        return self.ask("POST", f"/v2/{repository}/blobs/uploads/" + (query and "?" + query), body,
                        headers)

    def send(self, method, location, data, first=None, digest=None):
        """A PATCH or PUT of an upload; `first`: with Content-Range."""
        headers = {"Content-Type": OCTETS}
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(data) - 1}"
        if digest:
            location += ("&" if "?" in location else "?") + "digest=" + digest
        return self.ask(method, location, data, headers)

    def push(self, repository, data, algorithm="sha256"):
        """The way most clients take: POST, PUT with all of it."""
        location = self.start(repository).get("location")
        return self.send("PUT", location, data, digest=digest_of(data, algorithm))


# --- data ---------------------------------------------------------------------------------------

def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Data:
    """One set: blobs, manifests in the order in which they are pushed, and tags."""

    def __init__(self, name, algorithm="sha256"):
        self.name, self.algorithm = name, algorithm
        self.blobs, self.manifests, self.kinds = {}, {}, {}
        self.tags, self.referrers = {}, {}
        self.refused = set() # digests that the bytes do not have

    def add(self, data, kind):
        digest = digest_of(data, self.algorithm)
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def layer(self, compressed=True):
        """A layer that is one, and its diff_id."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            content = os.urandom(64).hex().encode()
            entry = tarfile.TarInfo(f"srv/{content[:12].decode()}.txt")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        raw = out.getvalue()
        return self.add(gzip.compress(raw) if compressed else raw,
                        LAYER_GZIP if compressed else LAYER), digest_of(raw)

    def config(self, diff_ids, architecture="amd64", **more):
        return self.add(encode({"os": "linux", "architecture": architecture,
                                "rootfs": {"type": "layers", "diff_ids": diff_ids},
                                "config": {"Labels": {"n": os.urandom(8).hex()}}, **more}), CONFIG)

    def put(self, document, tag=None):
        data = encode(document)
        digest = digest_of(data, self.algorithm)
        self.manifests[digest] = data
        self.kinds[digest] = document["mediaType"]
        if tag:
            self.tags[tag] = digest
        entry = {"mediaType": document["mediaType"], "digest": digest, "size": len(data)}
        subject = document.get("subject")
        if subject:
            kind = document.get("artifactType") or document.get("config", {}).get("mediaType")
            said = dict(entry, annotations=document.get("annotations", {}))
            if kind:
                said["artifactType"] = kind
            self.referrers.setdefault(subject["digest"], []).append(said)
        return entry

    def image(self, tag=None, layers=2, architecture="amd64", compressed=True, data_field=False,
              config=None, **more):
        made = [self.layer(compressed) for _ in range(layers)]
        about = self.config([d for _, d in made], architecture, **(config or {}))
        parts = [about] + [d for d, _ in made]
        if data_field:
            for part in parts:
                part["data"] = base64.b64encode(self.blobs[part["digest"]]).decode()
        return self.put({"schemaVersion": 2, "mediaType": MANIFEST, "config": parts[0],
                         "layers": parts[1:], **more}, tag)

    def artifact(self, kind, tag=None, content=None, layer_kind=None, **more):
        layer = self.add(os.urandom(500) if content is None else content, layer_kind or kind)
        return self.put({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
                         "config": self.add(b"{}", EMPTY), "layers": [layer], **more}, tag)

    def index(self, children, tag=None, **more):
        return self.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": children, **more},
                        tag)

    def platforms(self, **more):
        return [dict(self.image(architecture=a, **more),
                     platform={"os": "linux", "architecture": a}) for a in ("amd64", "arm64")]


def annotations():
    return {"annotations": {"org.example.cocket": "said of this one",
                            "org.example." + os.urandom(6).hex(): os.urandom(6).hex()}}


def nondistributable(d):
    """Two layers that nobody pushes, one that is there."""
    layers, diff_ids = [], []
    for kind in (NONDISTRIBUTABLE + "+gzip", NONDISTRIBUTABLE):
        digest = digest_of(os.urandom(32))
        layers.append({"mediaType": kind, "digest": digest, "size": 12345,
                       "urls": ["https://store.example.com/" + digest]})
        diff_ids.append(digest)
    layer, diff_id = d.layer()
    d.put({"schemaVersion": 2, "mediaType": MANIFEST, "config": d.config(diff_ids + [diff_id]),
           "layers": layers + [layer]}, "nondistributable")


def subjects(d):
    image = d.image("with-referrers")
    d.image(subject=image)
    d.artifact(KIND_ONE, "one", subject=image, **annotations())
    d.artifact(KIND_TWO, "two", layer_kind=OCTETS, subject=image, **annotations())


def index_subject(d):
    about = d.index(d.platforms(), "index")
    d.index(d.platforms(), "artifact-index", artifactType=KIND_ONE, subject=about, **annotations())


def missing_subject(d):
    d.artifact(KIND_ONE, "orphan", **annotations(),
               subject={"mediaType": MANIFEST, "size": 123, "digest": digest_of(os.urandom(8))})


def bad_digest(d):
    digest = d.image()["digest"]
    d.manifests[digest] += b"  "
    d.refused.add(digest)


def docker_image(d):
    layer, diff_id = d.layer()
    layer["mediaType"] = DOCKER_LAYER
    config = dict(d.config([diff_id]), mediaType=DOCKER_CONFIG)
    entry = d.put({"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": [layer]},
                  "docker")
    d.put({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [
        dict(entry, platform={"os": "linux", "architecture": "amd64"})]}, "docker-list")


def custom_fields(d):
    extra = {"org.example." + os.urandom(4).hex(): os.urandom(4).hex()}
    d.index(d.platforms(config=extra, **extra), "custom-fields", **extra)


SETS = {
    "image": lambda d: d.image("image"),
    "uncompressed": lambda d: d.image("uncompressed", compressed=False),
    # 390 of 10,000 bytes: 3.9 MB
    "large-manifest": lambda d: d.image("large", annotations={
        f"large-{i}": "A" * 10000 for i in range(390)}),
    "index": lambda d: d.index(d.platforms(), "index"),
    "nested-index": lambda d: d.index([d.index(d.platforms()), d.index(d.platforms())], "nested"),
    "empty-index": lambda d: d.index([], "empty-index"),
    "artifact": lambda d: d.artifact(KIND_ONE, "artifact"),
    "artifact-index": lambda d: d.index([d.artifact(KIND_ONE), d.artifact(KIND_TWO)],
                                        "artifact-index", artifactType=KIND_ONE),
    "artifact-without-layers": lambda d: d.artifact(KIND_ONE, "no-content", b"{}", EMPTY),
    "subjects": subjects,
    "index-with-subject": index_subject,
    "missing-subject": missing_subject,
    "data-field": lambda d: d.image("data-field", data_field=True),
    "nondistributable": nondistributable,
    "custom-fields": custom_fields,
    "no-layers": lambda d: d.image("no-layers", layers=0),
    "docker-types": docker_image,
    "bad-digest": bad_digest,
    "sha512": lambda d: d.index(d.platforms(), None),
}


def make(name):
    data = Data(name, "sha512" if name == "sha512" else "sha256")
    SETS[name](data)
    return data
