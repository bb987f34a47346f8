#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OCI distribution API, row by row and by its workflows: pull, push, content discovery and
content management of version 1.1.

  conformance.py --url URL [--user U --password P] [--ca FILE] [--repository R] [--other R]
  conformance.py PROGRAM   against `PROGRAM serve`, and against Debian's docker-registry, which
                           proves that the harness can be passed by somebody else's server

--known NAME: what a server is known not to do is counted as skipped; what it then does after all
is a failure, so that the list stays true.
"""
import argparse
import fnmatch
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oci  # pylint: disable=wrong-import-position
import servers  # pylint: disable=wrong-import-position
from oci import KIND_ONE, MANIFEST, OCTETS, digest_of  # pylint: disable=wrong-import-position

# Patterns of tests' names. Debian 12 has distribution 2.8, which is of before version 1.1.
KNOWN = {
    "distribution": (
        "empty/referrers", "data/*/referrers*", "data/*/OCI-Subject", "data/*/delete tags",
        "blobs/*/range 500-0", "blobs/*/range 5000-*", # Content-Length is not its error's
        "blobs/sha512/POST*", "blobs/sha512/stream", "blobs/sha512/one chunk*",
        "blobs/sha512/chunks*", "blobs/sha512/mount*", "blobs/sha512/empty*",
        "upload/digest-algorithm", "upload/cancel", "data/sha512/push",
        "data/sha512/head", "data/sha512/pull", "data/sha512/delete", "blobs/*/chunks out of*", "data/nondistributable/*",
        "manifest refused/empty body", "manifest refused/sha256:baddigeststring",
        "manifest refused/past 4 MiB", "manifest/missing",
        "tags/all, sorted", "tags/n=*", "tags/last*", "tags/n and last", # it does not page
    ),
}
CHUNK = 1024


class Failed(Exception):
    pass


class Harness:
    def __init__(self, args, prefix=""):
        self.prefix = prefix
        self.r = oci.Registry(args.url, args.user, args.password, args.ca)
        self.repository, self.other = args.repository, args.other
        self.known = KNOWN.get(args.known, ())
        self.failed = self.passed = 0

    def test(self, name, run, *args):
        try:
            run(*args)
            error = None
        except Failed as e:
            error = str(e)
        except Exception as e:  # pylint: disable=broad-except
            error = f"{type(e).__name__}: {e}"
        self.report(self.prefix + name, error, any(fnmatch.fnmatchcase(name, k) for k in self.known))

    def report(self, name, error, known):
        if known and error:
            print(f"ok {name}: does not hold there, as is known")
        elif known:
            self.failed += 1
            print(f"not ok {name}\n# holds, although it is listed as known not to")
        elif error:
            self.failed += 1
            print(f"not ok {name}\n# " + error.replace("\n", "\n# ")[:2000])
        else:
            self.passed += 1
            print(f"ok {name}")
        sys.stdout.flush()

    # --- what must hold -----------------------------------------------------------------------

    @staticmethod
    def status(answer, *wanted, code=None):
        if answer.status not in wanted:
            raise Failed(f"wanted {' or '.join(map(str, wanted))}, got {answer}")
        if code and code not in answer.codes():
            raise Failed(f"no error code {code} in {answer}")
        return answer

    @staticmethod
    def equal(what, got, wanted):
        if got != wanted:
            raise Failed(f"{what}: {str(got)[:300]!r} instead of {str(wanted)[:300]!r}")

    def is_blob(self, answer, data, digest, method="GET"):
        self.status(answer, 200)
        self.equal("Content-Length", answer.get("content-length"), str(len(data)))
        if answer.get("docker-content-digest"):
            self.equal("Docker-Content-Digest", answer.get("docker-content-digest"), digest)
        self.equal("body", answer.body, data if method == "GET" else b"")

    def is_there(self, repository, data, digest):
        for method in ("HEAD", "GET"):
            self.is_blob(self.r.blob(repository, digest, method), data, digest, method)

    def is_manifest(self, answer, d, digest, method="GET"):
        self.is_blob(answer, d.manifests[digest], digest, method)
        self.equal("Content-Type", answer.get("content-type"), d.kinds[digest])
        self.equal("Docker-Content-Digest", answer.get("docker-content-digest"), digest)

    def location(self, answer):
        if not answer.get("location"):
            raise Failed(f"no Location in {answer}")
        return answer.get("location")

    def is_stored(self, answer, data, digest):
        """201, and what Location names is it."""
        self.status(answer, 201)
        self.is_blob(self.r.ask("GET", self.location(answer)), data, digest)

    def gone(self, repository, digest):
        self.status(self.r.blob(repository, digest, "DELETE"), 202)
        self.status(self.r.blob(repository, digest, "HEAD"), 404)

    # --- blobs --------------------------------------------------------------------------------

    def begin(self):
        return self.location(self.status(self.r.start(self.repository), 202))

    def post_only(self, data, digest, bad=False):
        answer = self.r.start(self.repository, f"digest={digest}", data)
        if answer.status == 202: # a server may ask for a PUT
            answer = self.r.send("PUT", self.location(answer), data, digest=digest)
        return self.status(answer, 400, code="DIGEST_INVALID") if bad else answer

    def post_put(self, data, digest, bad=False):
        answer = self.r.send("PUT", self.begin(), data, digest=digest)
        return self.status(answer, 400, code="DIGEST_INVALID") if bad else answer

    def stream(self, data, digest, bad=False):
        pieces = [data[i:i + 100] for i in range(0, len(data), 100)]
        answer = self.status(self.r.send("PATCH", self.begin(), pieces), 202)
        self.equal("Range", answer.get("range"), f"0-{len(data) - 1}")
        answer = self.r.send("PUT", self.location(answer), b"", digest=digest)
        return self.status(answer, 400, code="DIGEST_INVALID") if bad else answer

    def out_of_order(self, location, data, at, size, digest):
        """A chunk that does not go on where the last one ended, and how a client finds back."""
        wrong = at + size if at + size < len(data) else 0
        chunk = data[wrong:wrong + size]
        last = digest and wrong + size >= len(data)
        answer = self.r.send("PUT" if last else "PATCH", location, chunk, wrong,
                             digest if last else None)
        self.status(answer, 416)
        location = answer.get("location") or location
        answer = self.status(self.r.ask("GET", location), 204)
        self.equal("Range", answer.get("range"), f"0-{max(at - 1, 0)}")
        return answer.get("location") or location

    def chunks(self, data, digest, size, put_last=False, disorder=False, bad=False):
        answer = self.status(self.r.start(self.repository), 202)
        size = max(size, int(answer.get("oci-chunk-min-length") or 0))
        location, at = self.location(answer), 0
        while at < len(data):
            if disorder:
                location = self.out_of_order(location, data, at, size, put_last and digest)
            chunk, last = data[at:at + size], at + size >= len(data)
            if last and put_last:
                answer = self.r.send("PUT", location, chunk, at, digest)
                break
            answer = self.status(self.r.send("PATCH", location, chunk, at), 202)
            at += len(chunk)
            self.equal("Range", answer.get("range"), f"0-{at - 1}")
            location = self.location(answer)
            answer = self.status(self.r.ask("GET", location), 204)
            self.equal("Range of GET", answer.get("range"), f"0-{at - 1}")
        if not put_last:
            answer = self.r.send("PUT", location, b"", digest=digest)
        return self.status(answer, 400, code="DIGEST_INVALID") if bad else answer

    def way(self, way, algorithm, length, **how):
        data = os.urandom(length)
        digest = digest_of(data, algorithm)
        self.is_stored(way(data, digest, **how), data, digest)
        self.is_there(self.repository, data, digest)
        self.gone(self.repository, digest)

    def wrong(self, way, algorithm, **how):
        data = os.urandom(3 * CHUNK - 5)
        digest = digest_of(data, algorithm)
        way(data + b"oh no", digest, bad=True, **how)
        self.status(self.r.blob(self.repository, digest), 404)
        self.status(self.r.blob(self.repository, digest_of(data + b"oh no", algorithm)), 404)

    def mount(self, algorithm, source, pushed=True):
        data = os.urandom(512)
        digest = digest_of(data, algorithm)
        if pushed:
            self.status(self.r.push(self.other, data, algorithm), 201)
        query = f"mount={digest}" + (f"&from={self.other}" if source else "")
        answer = self.r.start(self.repository, query)
        if not pushed or (not source and answer.status == 202): # may, but need not find it
            self.status(answer, 202)
            answer = self.r.send("PUT", self.location(answer), data, digest=digest)
        self.is_stored(answer, data, digest)
        self.is_there(self.repository, data, digest)
        self.gone(self.repository, digest)
        if pushed:
            self.is_there(self.other, data, digest)
            self.gone(self.other, digest)

    def cancel(self):
        location = self.begin()
        self.status(self.r.send("PATCH", location, b"some"), 202)
        self.status(self.r.ask("DELETE", location), 204)
        self.status(self.r.ask("GET", location), 404, code="BLOB_UPLOAD_UNKNOWN")
        self.status(self.r.send("PATCH", location, b"more"), 404, code="BLOB_UPLOAD_UNKNOWN")

    def upload_status(self):
        location = self.begin()
        answer = self.status(self.r.ask("GET", location), 204)
        self.equal("Range", answer.get("range")[:2], "0-")
        location = self.location(self.status(self.r.send("PATCH", location, b"x" * 700), 202))
        answer = self.status(self.r.ask("GET", location), 204)
        self.equal("Range", answer.get("range"), "0-699")
        self.status(self.r.ask("DELETE", location), 204)

    def put_without_digest(self):
        location = self.begin()
        self.status(self.r.send("PUT", location, b"some"), 400, code="DIGEST_INVALID")

    def unknown_upload(self):
        made = urllib.parse.urlsplit(self.begin())
        path = made.path.rsplit("/", 1)[0] + "/00000000-0000-0000-0000-000000000000"
        for method in ("GET", "PATCH", "DELETE"):
            answer = self.r.ask(method, path, b"some" if method == "PATCH" else None)
            self.status(answer, 404, 400)
        answer = self.r.send("PUT", path, b"some", digest=digest_of(b"some"))
        self.status(answer, 404, 400)

    def foreign_upload(self):
        """An upload belongs to its repository."""
        made = self.begin()
        theirs = made.replace(self.repository, self.other, 1)
        answer = self.r.send("PUT", theirs, b"some", digest=digest_of(b"some"))
        if answer.status == 201:
            raise Failed(f"the upload of one repository was taken by another: {answer}")

    def algorithm_parameter(self):
        data = os.urandom(600)
        digest = digest_of(data, "sha512")
        answer = self.status(self.r.start(self.repository, "digest-algorithm=sha512"), 202)
        self.is_stored(self.r.send("PUT", self.location(answer), data, digest=digest), data, digest)
        self.gone(self.repository, digest)

    def twice(self):
        """A blob that is there already may be pushed again."""
        data = os.urandom(400)
        for _ in range(2):
            self.is_stored(self.r.push(self.repository, data), data, digest_of(data))
        self.gone(self.repository, digest_of(data))

    def ranges(self, algorithm):
        data = os.urandom(2048)
        digest = digest_of(data, algorithm)
        self.status(self.r.push(self.repository, data, algorithm), 201)

        def ask(name, said, first, last):
            answer = self.r.blob(self.repository, digest, headers={"Range": "bytes=" + said})
            if first is None:
                self.status(answer, 416)
                return
            self.status(answer, 206)
            self.equal(name, answer.body, data[first:last + 1])
            self.equal("Content-Length", answer.get("content-length"), str(last + 1 - first))
            if answer.get("content-range") not in (f"bytes {first}-{last}/2048",
                                                   f"bytes {first}-{last}/*"):
                raise Failed(f"Content-Range of {answer}")

        for said, first, last in (("500-1499", 500, 1499), ("500-", 500, 2047),
                                  ("-500", 1548, 2047), ("2000-5000", 2000, 2047),
                                  ("0-0", 0, 0), ("500-0", None, 0), ("5000-10000", None, 0),
                                  ("5000-", None, 0)):
            self.test(f"blobs/{algorithm}/range {said}", ask, said, said, first, last)
        self.gone(self.repository, digest)

    def small(self, data, algorithm):
        digest = digest_of(data, algorithm)
        self.is_stored(self.r.push(self.repository, data, algorithm), data, digest)
        self.is_there(self.repository, data, digest)
        self.gone(self.repository, digest)

    def missing_blob(self, algorithm):
        digest = digest_of(os.urandom(9), algorithm)
        self.status(self.r.blob(self.repository, digest), 404, code="BLOB_UNKNOWN")
        self.equal("body of HEAD",
                   self.status(self.r.blob(self.repository, digest, "HEAD"), 404).body, b"")
        self.status(self.r.blob(self.repository, digest, "DELETE"), 404, 202)

    def blobs(self, algorithm):
        at = f"blobs/{algorithm}/"
        many = 3 * CHUNK - 5
        t = self.test
        t(at + "missing", self.missing_blob, algorithm)
        t(at + "POST with all", self.way, self.post_only, algorithm, 512)
        t(at + "POST and PUT", self.way, self.post_put, algorithm, 512)
        t(at + "stream", self.way, self.stream, algorithm, 512)
        for put_last in (False, True):
            last = ", the last with PUT" if put_last else ""
            t(at + "one chunk" + last, lambda p=put_last: self.way(
                self.chunks, algorithm, 512, size=512, put_last=p))
            t(at + "chunks" + last, lambda p=put_last: self.way(
                self.chunks, algorithm, many, size=CHUNK, put_last=p))
            t(at + "chunks out of order" + last, lambda p=put_last: self.way(
                self.chunks, algorithm, many, size=CHUNK, put_last=p, disorder=True))
        t(at + "mount", self.mount, algorithm, True)
        t(at + "mount without from", self.mount, algorithm, False)
        t(at + "mount of what is not there", self.mount, algorithm, True, False)
        t(at + "empty", self.small, b"", algorithm)
        t(at + "empty JSON", self.small, b"{}", algorithm)
        t(at + "range", self.ranges, algorithm)
        for name, way in (("POST with all", self.post_only), ("POST and PUT", self.post_put),
                          ("stream", self.stream)):
            t(at + "bad digest/" + name, self.wrong, way, algorithm)
        for put_last in (False, True):
            t(at + "bad digest/chunks" + (", the last with PUT" if put_last else ""),
              lambda p=put_last: self.wrong(self.chunks, algorithm, size=CHUNK, put_last=p))

    # --- manifests ----------------------------------------------------------------------------

    def push_set(self, d):
        for digest, data in d.blobs.items():
            self.is_stored(self.r.push(self.repository, data, d.algorithm), data, digest)
        for digest, data in d.manifests.items():
            answer = self.r.put_manifest(self.repository, digest, data, d.kinds[digest])
            if digest in d.refused:
                self.status(answer, 400, code="DIGEST_INVALID")
                continue
            self.manifest_stored(answer, d, digest)
        for tag, digest in d.tags.items():
            answer = self.r.put_manifest(self.repository, tag, d.manifests[digest],
                                         d.kinds[digest])
            self.manifest_stored(answer, d, digest)

    def manifest_stored(self, answer, d, digest):
        self.status(answer, 201)
        self.equal("Docker-Content-Digest", answer.get("docker-content-digest"), digest)
        where = self.r.ask("GET", self.location(answer), headers={"Accept": ", ".join(oci.ACCEPT)})
        self.is_manifest(where, d, digest)

    def subject_header(self, d):
        """OCI-Subject, on every push of a manifest that has one."""
        for digest, data in d.manifests.items():
            subject = next((s for s, all_ in d.referrers.items()
                            if any(e["digest"] == digest for e in all_)), "")
            answer = self.r.put_manifest(self.repository, digest, data, d.kinds[digest])
            self.status(answer, 201)
            self.equal("OCI-Subject", answer.get("oci-subject"), subject)

    def pull_set(self, d, method):
        names = list(d.tags.items()) + [(x, x) for x in d.manifests if x not in d.refused]
        for name, digest in names:
            answer = self.r.manifest(self.repository, name, method)
            self.is_manifest(answer, d, digest, method)
        for digest in d.refused:
            self.status(self.r.manifest(self.repository, digest, method), 404)
        for digest, data in d.blobs.items():
            self.is_blob(self.r.blob(self.repository, digest, method), data, digest, method)

    def listing(self, query=""):
        answer = self.status(self.r.ask("GET", f"/v2/{self.repository}/tags/list" + query), 200)
        self.equal("name", answer.json()["name"], self.repository)
        return answer.json()["tags"] or [], answer

    def list_set(self, d):
        tags, _ = self.listing()
        self.equal("missing from the listing", sorted(set(d.tags) - set(tags)), [])

    def referrers(self, digest, query=""):
        answer = self.r.ask("GET", f"/v2/{self.repository}/referrers/{digest}" + query)
        self.status(answer, 200)
        self.equal("Content-Type", answer.get("content-type"), oci.INDEX)
        self.equal("mediaType", answer.json()["mediaType"], oci.INDEX)
        self.equal("schemaVersion", answer.json()["schemaVersion"], 2)
        return answer.json()["manifests"], answer

    def is_listed(self, entries, wanted):
        for want in wanted:
            got = next((e for e in entries if e["digest"] == want["digest"]), None)
            if not got:
                raise Failed(f"{want} is not among {entries}")
            for key in ("mediaType", "size", "artifactType"):
                self.equal(key, got.get(key), want.get(key))
            said = got.get("annotations") or {}
            self.equal("annotations", {k: said.get(k) for k in want["annotations"]},
                       want["annotations"])

    def refer_set(self, d):
        for subject, wanted in d.referrers.items():
            entries, _ = self.referrers(subject)
            self.is_listed(entries, wanted)
            self.equal("count", len(entries), len(wanted))
            for kind in {e["artifactType"] for e in wanted if "artifactType" in e}:
                query = "?artifactType=" + urllib.parse.quote(kind, safe="")
                entries, answer = self.referrers(subject, query)
                self.equal("OCI-Filters-Applied", answer.get("oci-filters-applied"), "artifactType")
                some = [e for e in wanted if e.get("artifactType") == kind]
                self.is_listed(entries, some)
                self.equal("count", len(entries), len(some))
            none, _ = self.referrers(subject, "?artifactType=application%2Fvnd.example.none")
            self.equal("of a type that nothing has", none, [])

    def delete_tags(self, d):
        for tag, digest in d.tags.items():
            self.status(self.r.manifest(self.repository, tag, "DELETE"), 202)
            self.status(self.r.manifest(self.repository, tag, "HEAD"), 404)
            self.is_manifest(self.r.manifest(self.repository, digest), d, digest)

    def delete_set(self, d):
        for digest in reversed(list(d.manifests)):
            if digest in d.refused:
                continue
            self.status(self.r.manifest(self.repository, digest, "DELETE"), 202)
            self.status(self.r.manifest(self.repository, digest, "HEAD"), 404)
        for digest in d.blobs:
            self.gone(self.repository, digest)

    def no_referrers_left(self, d):
        for subject in d.referrers:
            self.equal("referrers of what is gone", self.referrers(subject)[0], [])

    def data_set(self, name):
        d = oci.make(name)
        self.test(f"data/{name}/push", self.push_set, d)
        if d.tags:
            self.test(f"data/{name}/list", self.list_set, d)
        self.test(f"data/{name}/head", self.pull_set, d, "HEAD")
        self.test(f"data/{name}/pull", self.pull_set, d, "GET")
        if d.referrers:
            self.test(f"data/{name}/OCI-Subject", self.subject_header, d)
            self.test(f"data/{name}/referrers", self.refer_set, d)
        if d.tags:
            self.test(f"data/{name}/delete tags", self.delete_tags, d)
        self.test(f"data/{name}/delete", self.delete_set, d)
        if d.referrers:
            self.test(f"data/{name}/referrers are gone", self.no_referrers_left, d)

    # --- what goes wrong ----------------------------------------------------------------------

    def pushed(self, d):
        for data in d.blobs.values():
            self.status(self.r.push(self.repository, data, d.algorithm), 201)
        return d

    def drop(self, d):
        for digest in d.blobs:
            self.r.blob(self.repository, digest, "DELETE")

    def refused(self, make_it, codes, *statuses):
        """The document that `make_it` makes of an image that is in order."""
        d = self.pushed(oci.Data("bad"))
        entry = d.image()
        self.pushed(d)
        document = oci.json.loads(d.manifests[entry["digest"]])
        data, kind, reference = make_it(d, document)
        answer = self.r.put_manifest(self.repository, reference or digest_of(data), data, kind)
        self.status(answer, *statuses)
        if not set(codes) & set(answer.codes()):
            raise Failed(f"none of {codes} in {answer}")
        self.status(self.r.manifest(self.repository, digest_of(data)), 404)
        self.drop(d)

    def bad_documents(self):
        encode = oci.encode

        def without_layer(d, document):
            document["layers"].append(
                {"mediaType": oci.LAYER, "size": 9, "digest": digest_of(os.urandom(9))})
            return encode(document), MANIFEST, None

        def index_without_child(d, document):
            child = {"mediaType": MANIFEST, "size": 9, "digest": digest_of(os.urandom(9))}
            return encode({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [child]}), \
                oci.INDEX, None

        def both(d, document):
            return encode(dict(document, manifests=[])), MANIFEST, None

        cases = {
            "not JSON": (lambda d, m: (b"\x00not json", MANIFEST, None), ["MANIFEST_INVALID"], 400),
            "empty body": (lambda d, m: (b"", MANIFEST, None), ["MANIFEST_INVALID"], 400),
            "missing layer": (without_layer, ["MANIFEST_BLOB_UNKNOWN"], 404, 400),
            "missing child": (index_without_child,
                              ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"], 404, 400),
            "layers and manifests (CVE-2021-41190)": (both, ["MANIFEST_INVALID"], 400),
            "another Content-Type": (lambda d, m: (encode(m), oci.INDEX, None),
                                     ["MANIFEST_INVALID"], 400),
            "Docker's Content-Type": (lambda d, m: (encode(m), oci.DOCKER, None),
                                      ["MANIFEST_INVALID"], 400),
            "sha256:baddigeststring": (lambda d, m: (encode(m), MANIFEST, "sha256:baddigeststring"),
                                       ["DIGEST_INVALID", "NAME_INVALID", "TAG_INVALID",
                                        "MANIFEST_INVALID"], 400),
            "another digest": (lambda d, m: (encode(m), MANIFEST, digest_of(b"another")),
                               ["DIGEST_INVALID"], 400),
            "past 4 MiB": (lambda d, m: (encode(dict(m, annotations={
                f"x{i}": "A" * 10000 for i in range(440)})), MANIFEST, None),
                           ["SIZE_INVALID", "MANIFEST_INVALID"], 413),
        }
        for name, (make_it, codes, *statuses) in cases.items():
            self.test("manifest refused/" + name, self.refused, make_it, codes, *statuses)

    def missing_manifest(self):
        for name in (digest_of(os.urandom(9)), "missing-" + os.urandom(6).hex()):
            self.status(self.r.manifest(self.repository, name), 404, code="MANIFEST_UNKNOWN")
            self.equal("body of HEAD", self.status(
                self.r.manifest(self.repository, name, "HEAD"), 404).body, b"")
            self.status(self.r.manifest(self.repository, name, "DELETE"), 404,
                        code="MANIFEST_UNKNOWN")
        self.status(self.r.manifest(self.repository, "sha256:baddigeststring"), 404, 400)

    def empty_listing(self):
        name = self.repository + "/nothing-" + os.urandom(4).hex()
        answer = self.r.ask("GET", f"/v2/{name}/tags/list")
        self.status(answer, 200, 404)
        if answer.status == 404:
            self.status(answer, 404, code="NAME_UNKNOWN")

    def no_referrers(self):
        self.equal("manifests", self.referrers(digest_of(os.urandom(9)))[0], [])
        answer = self.r.ask("GET", f"/v2/{self.repository}/referrers/sha256:baddigeststring")
        self.status(answer, 400)

    def tags(self):
        """Paging: sorted, n, last, Link to the next page, n=0. In a repository of its own."""
        self.repository += "/tags-" + os.urandom(4).hex()
        names = sorted(f"{p}{i}" for p in ("a", "B", "z", "_", "1.") for i in (1, 2, 10))
        d = oci.Data("tags")
        entry = d.artifact(KIND_ONE)
        self.pushed(d)
        data = d.manifests[entry["digest"]]
        for name in names:
            self.status(self.r.put_manifest(self.repository, name, data, MANIFEST), 201)

        def whole():
            self.equal("all", self.listing()[0], names)

        def pages(n):
            got, query, turns = [], f"?n={n}", 0
            while query and turns <= len(names):
                some, answer = self.listing(query)
                if len(some) > n:
                    raise Failed(f"{len(some)} tags for n={n}")
                got += some
                link = answer.get("link")
                if link and 'rel="next"' not in link:
                    raise Failed(f"Link: {link}")
                query = "?" + urllib.parse.urlsplit(
                    link[link.index("<") + 1:link.index(">")]).query if link else ""
                turns += 1
            self.equal("of all pages", got, names)

        self.test("tags/all, sorted", whole)
        for n in (1, 4, len(names), 1000):
            self.test(f"tags/n={n}", pages, n)
        self.test("tags/n=0", lambda: self.equal("n=0", self.listing("?n=0")[0], []))
        self.test("tags/last", lambda: self.equal(
            "last", self.listing("?last=" + names[4])[0], names[5:]))
        self.test("tags/last that is none", lambda: self.equal(
            "last", self.listing("?last=" + names[4] + "x")[0], names[5:]))
        self.test("tags/n and last", lambda: self.equal(
            "n=2&last", self.listing("?n=2&last=" + names[4])[0], names[5:7]))
        self.test("tags/n=x", lambda: self.status(
            self.r.ask("GET", f"/v2/{self.repository}/tags/list?n=x"), 400))
        self.test("tags/moved", self.moved_tag, names[0])
        self.test("tags/gone with the manifest", self.tags_gone, entry["digest"], names[1])
        self.drop(d)
        self.repository = self.repository.rsplit("/", 1)[0]

    def moved_tag(self, name):
        d = oci.Data("moved")
        entry = d.artifact(KIND_ONE)
        self.pushed(d)
        data = d.manifests[entry["digest"]]
        self.status(self.r.put_manifest(self.repository, name, data, MANIFEST), 201)
        self.is_manifest(self.r.manifest(self.repository, name), d, entry["digest"])
        self.status(self.r.manifest(self.repository, entry["digest"], "DELETE"), 202)
        self.status(self.r.manifest(self.repository, name), 404)

    def tags_gone(self, digest, name):
        self.status(self.r.manifest(self.repository, digest, "DELETE"), 202)
        self.status(self.r.manifest(self.repository, name), 404)
        answer = self.r.ask("GET", f"/v2/{self.repository}/tags/list")
        self.status(answer, 200, 404)
        self.equal("tags", answer.json().get("tags") or [], [])

    def grammar(self):
        d = oci.Data("grammar")
        data = d.manifests[d.artifact(KIND_ONE)["digest"]]
        self.pushed(d)
        digest = digest_of(data)

        def good_tag(tag):
            self.status(self.r.put_manifest(self.repository, tag, data, MANIFEST), 201)
            self.status(self.r.manifest(self.repository, tag), 200)

        def bad_tag(tag):
            answer = self.r.put_manifest(self.repository, tag, data, MANIFEST)
            self.status(answer, 400, 404)

        def name(path, good):
            answer = self.r.ask("POST", f"/v2/{path}/blobs/uploads/")
            if good:
                self.status(answer, 202)
                self.r.ask("DELETE", self.location(answer))
            else:
                self.status(answer, 400, 404)
                if answer.status == 400 and path.isascii() and "%" not in path:
                    self.status(answer, 400, code="NAME_INVALID")

        for tag in ("v1", "_x", "A.b-c_d", "0", "a" * 128, "latest", "1..2--3"):
            self.test(f"tag {tag[:20]} ({len(tag)})", good_tag, tag)
        for tag in ("-v1", ".x", "a" * 129, "a%2Bb", "v%C3%A9", "a@b"):
            self.test(f"tag refused/{tag[:20]} ({len(tag)})", bad_tag, tag)
        for path in ("a", "a/b/c", "a.b", "a_b", "a__b", "a-b", "a---b", "0/1"):
            self.test(f"name {path}", name, f"{self.repository}/{path}", True)
        for path in ("A", "a..b", "a___b", "-a", "a-", "a._b", "a%20b", "%C3%A9"):
            self.test(f"name refused/{path}", name, f"{self.repository}/{path}", False)
        self.r.manifest(self.repository, digest, "DELETE")
        self.drop(d)

    def ping(self):
        self.status(self.r.ask("GET", "/v2/"), 200)

    def challenge(self):
        answer = self.status(self.r.ask("GET", "/v2/", anonymous=True), 401, code="UNAUTHORIZED")
        if not answer.get("www-authenticate").lower().startswith(("bearer ", "basic ")):
            raise Failed(f"no challenge in {answer}")

    def anonymous_push(self):
        answer = self.r.ask("POST", f"/v2/{self.repository}/blobs/uploads/", anonymous=True)
        self.status(answer, 401, code="UNAUTHORIZED")

    def not_allowed(self):
        """Methods that a row does not have."""
        for method, path in (("POST", "manifests/x"), ("PATCH", "manifests/x"),
                             ("PUT", "tags/list"), ("DELETE", "tags/list")):
            self.status(self.r.ask(method, f"/v2/{self.repository}/{path}"), 405, 404)

    def all(self):
        t = self.test
        t("base", self.ping)
        if self.r.user:
            t("challenge", self.challenge)
            t("anonymous push", self.anonymous_push)
        t("empty/tags", self.empty_listing)
        t("empty/referrers", self.no_referrers)
        for algorithm in ("sha256", "sha512"):
            self.blobs(algorithm)
        t("upload/cancel", self.cancel)
        t("upload/status", self.upload_status)
        t("upload/PUT without digest", self.put_without_digest)
        t("upload/unknown", self.unknown_upload)
        t("upload/of another repository", self.foreign_upload)
        t("upload/digest-algorithm", self.algorithm_parameter)
        t("upload/twice", self.twice)
        for name in oci.SETS:
            self.data_set(name)
        self.bad_documents()
        t("manifest/missing", self.missing_manifest)
        t("tags", self.tags)
        self.grammar()
        t("methods", self.not_allowed)
        return self.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--url")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--ca")
    parser.add_argument("--repository", default="hosted/conformance/one")
    parser.add_argument("--other", default="hosted/conformance/two")
    parser.add_argument("--known", choices=sorted(KNOWN))
    args = parser.parse_args()
    if args.url:
        return 1 if Harness(args).all() else 0
    if not args.program:
        parser.error("nothing to test")
    failed = 0
    with servers.Gate(args.program, "--unjudged", "hosted/conformance/*") as gate:
        args.url, args.user, args.password = gate.url, "alice", gate.PASSWORD
        failed += Harness(args, "gate: ").all()
    args.user = args.password = None
    with servers.DockerRegistry() as registry:
        if registry.url:
            args.url, args.known = registry.url, "distribution"
            failed += Harness(args, "distribution: ").all()
        else:
            print("ok distribution # skip docker-registry is not there")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
