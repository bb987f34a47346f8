# SPDX-License-Identifier: GPL-3.0-or-later
"""Images for the tests of the pages: what AlmaLinux and Alpine shipped on a day, from the feeds of
the fixtures, and one image of which every text is an attack on the page that shows it."""
import functools
import gzip
import io
import json
import os
import sys
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../hostile"), os.path.join(HERE, "../gateway")]
# pylint: disable=wrong-import-position
from forge import Layer, rpm_header, rpm_sqlite
from rig import CONFIG, LAYER, MANIFEST, Index, descriptor, digest_of

SHARED = os.environ.get("COCKET_SHARED") or os.path.join(HERE, "../../../shared")
FEEDS = os.path.join(SHARED, "fixtures/feeds")
ROOTS = os.path.join(SHARED, "fixtures/images")
ALMA = os.path.join(FEEDS, "osv/AlmaLinux.zip")
KEV = os.path.join(FEEDS, "kev/known_exploited_vulnerabilities.json")


class Built:
    """An image as a registry takes it. `steps`: (layer, line of the Dockerfile) from below; a line
    without a layer is None before it."""

    def __init__(self, steps, created="2026-01-01", arch="amd64", config=None, **more):
        layers = [layer for layer, _ in steps if layer]
        stamp = created if "T" in created else created + "T12:00:00Z"
        self.config = json.dumps({
            "created": stamp, "architecture": arch, "os": "linux", "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff for layer in layers]},
            "history": [{"created": stamp, "created_by": line,
                         **({} if layer else {"empty_layer": True})} for layer, line in steps],
            **more}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, self.config),
            "layers": [descriptor(LAYER, layer.blob) for layer in layers]}).encode()
        self.digest, self.type, self.created = digest_of(self.manifest), MANIFEST, stamp
        self.blobs = [*{layer.digest: layer.blob for layer in layers}.values(), self.config]
        self.platform = {"os": "linux", "architecture": arch}


def both(*images):
    return Index(images)


def tree(files):
    """A layer of these files: path -> content; a link where the content begins with '-> '."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, content in sorted(files.items()):
            content = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            if content.startswith(b"-> "):
                info.type, info.linkname = tarfile.SYMTYPE, content[3:].decode()
                t.addfile(info)
                continue
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    return Layer(raw.getvalue())


# --- AlmaLinux ------------------------------------------------------------------------------------

@functools.lru_cache(None)
def errata():
    """Package of AlmaLinux 8 -> [(day, version that fixed something)], oldest first."""
    out = {}
    with zipfile.ZipFile(ALMA) as z:
        for name in z.namelist():
            record = json.loads(z.read(name))
            for affected in record["affected"]:
                if affected["package"]["ecosystem"] != "AlmaLinux:8":
                    continue
                for span in affected["ranges"]:
                    for event in span["events"]:
                        if "fixed" in event:
                            out.setdefault(affected["package"]["name"], set()).add(
                                (record["published"][:10], event["fixed"]))
    return {name: sorted(v) for name, v in out.items()}


def feed_until(day, path):
    """The errata that were known on that day."""
    with zipfile.ZipFile(ALMA) as z, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in z.namelist():
            data = z.read(name)
            if json.loads(data)["published"][:10] <= day:
                out.writestr(name, data)


def version_on(name, day):
    """(epoch, version, release) that was current: before the first erratum, what that one mended."""
    known = errata()[name]
    before = [v for when, v in known if when <= day]
    text = before[-1] if before else known[0][1]
    epoch, _, rest = text.rpartition(":")
    version, _, release = rest.partition("-")
    return int(epoch) if epoch else None, version, release if before else "0.el8"


def rpms(names, day):
    headers = []
    for name in names:
        epoch, version, release = version_on(name, day)
        headers.append(rpm_header(name, version, release, epoch))
    with tempfile.TemporaryDirectory() as scratch:
        return rpm_sqlite(headers, os.path.join(scratch, "db"))


ALMA_RELEASE = ('NAME="AlmaLinux"\nVERSION="8.10 (Cerulean Leopard)"\nID="almalinux"\n'
                'ID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"\n'
                'PRETTY_NAME="AlmaLinux 8.10 (Cerulean Leopard)"\n')
RPMDB = "var/lib/rpm/rpmdb.sqlite"
BASE = ("bash bind-export-libs bzip2-libs curl dbus dbus-libs expat file-libs glib2 glibc "
        "glibc-common gnutls gzip krb5-libs libarchive libcap libcurl libgcrypt libssh libxml2 "
        "libzstd lz4-libs ncurses-libs openldap openssl openssl-libs p11-kit pcre2 platform-python "
        "python3-libs rpm rpm-libs sqlite-libs systemd systemd-libs tar xz-libs zlib")


@functools.lru_cache(None)
def alma_base(day):
    names = [n for n in BASE.split() if n in errata()]
    return tree({"etc/os-release": ALMA_RELEASE, RPMDB: rpms(names, day), "etc/day": day}), names


def alma(day, packages, app, created=None, config=None, arch="amd64"):
    """What `dnf install PACKAGES` gave on that day, and an application on top."""
    base, names = alma_base(day)
    more = [n for n in packages.split() if n in errata()]
    if len(more) < len(packages.split()):
        raise RuntimeError(f"not in the feed: {set(packages.split()) - set(more)}")
    installed = tree({RPMDB: rpms(names + more, day), "opt/installed": f"{packages} {arch}"})
    steps = [(base, "ADD almalinux-8-rootfs.tar.xz / # buildkit"), (None, 'CMD ["/bin/bash"]'),
             (installed, f"RUN /bin/sh -c dnf -y install {packages} && dnf clean all # buildkit"),
             (None, "WORKDIR /srv"),
             (tree({"srv/" + app: app + day, "srv/conf": "-> /etc/" + app}),
              f"COPY {app} /srv/{app} # buildkit")]
    return Built(steps, created or day, arch, config)


# --- Alpine ---------------------------------------------------------------------------------------

def alpine_root(version):
    with open(os.path.join(ROOTS, f"alpine-minirootfs-{version}-x86_64.tar.gz"), "rb") as f:
        blob = f.read()
    return Layer(gzip.decompress(blob), blob=blob)


def alpine(version, created, packages=()):
    """An official root file system; `packages`, pairs of name and version, are installed upon it."""
    root = alpine_root(version)
    steps = [(root, f"ADD alpine-minirootfs-{version}-x86_64.tar.gz / # buildkit"),
             (None, 'CMD ["/bin/sh"]')]
    if packages:
        with tarfile.open(fileobj=io.BytesIO(root.tar)) as t:
            db = t.extractfile("./lib/apk/db/installed").read().decode().rstrip("\n") + "\n\n"
        db += apk(packages)
        names = " ".join(n for n, _ in packages)
        steps.append((tree({"lib/apk/db/installed": db}), f"RUN /bin/sh -c apk add --no-cache {names}"))
    return Built(steps, created)


def apk(packages):
    return "".join(f"P:{n}\nV:{v}\nA:x86_64\no:{n}\nm:{n} <{n}@example.org>\n\n" for n, v in packages)


# --- hostile --------------------------------------------------------------------------------------

# What an attack leaves where it works. Each text says its own number, so that a page that lost one,
# or a test that found nothing, can be told from one that showed it as text.
MARK = "window.__pwned"
ATTACKS = (
    "<script>{m}={n}</script>",
    "\"><img src=x onerror={m}={n}>",
    "'><svg onload={m}={n}>",
    "</title></style></textarea></script><script>{m}={n}</script>",
    "<iframe srcdoc=\"<script>parent.{k}={n}</script>\"></iframe>",
    "<img src=http://evil.test/{n}.png><link rel=stylesheet href=//evil.test/{n}.css>",
    "<base href=//evil.test/><meta http-equiv=refresh content=0;url=//evil.test/{n}>",
    "<details open ontoggle={m}={n}><a href=javascript:{m}={n}>{n}</a>",
    "${{{m}={n}}}{{{{constructor.constructor('{m}={n}')()}}}}",
    "javascript:{m}={n}//",
    "\u202etxt.{n}\u202c\u2066\u200b<b>{n}</b>",
    "\x1b[31m{n}\x1b[0m\x1b]8;;javascript:{m}={n}\x07<i>{n}</i>",
)


def attack(i):
    return ATTACKS[i % len(ATTACKS)].format(m=MARK, k="__pwned", n=i)


def attacks(begin, count):
    return [attack(begin + i) for i in range(count)]


def clean(text):
    """Without what ends a line of a package database."""
    return text.replace("\n", " ")


HOSTILE_PACKAGES = [clean(attack(100 + i)) for i in range(len(ATTACKS))]
HOSTILE_IDS = ["CVE-2026-666%d%s" % (i, attack(200 + i)) for i in range(len(ATTACKS))]


def hostile_secdb():
    """A feed that attacks too: ids and names of packages."""
    packages = [{"pkg": {"name": name, "secfixes": {"9.9.9-r0": [HOSTILE_IDS[i], f"CVE-2026-777{i:02}"]}}}
                for i, name in enumerate(HOSTILE_PACKAGES)]
    packages.append({"pkg": {"name": "busybox", "secfixes": {"9.9.9-r0": ["CVE-2026-77799"]}}})
    return {"distroversion": "v3.20", "urlprefix": "http://x/alpine", "reponame": "main",
            "archs": ["x86_64"], "packages": packages}


def hostile_osv():
    """Records whose texts and references attack; severities, so that all of them are seen."""
    words = ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N"]
    for i in range(len(ATTACKS)):
        yield {"schema_version": "1.6.0", "id": f"EVIL-2026-{i}", "modified": "2026-01-01T00:00:00Z",
               "published": "2026-01-01T00:00:00Z", "summary": attack(300 + i), "details": attack(320 + i),
               "aliases": [f"CVE-2026-888{i:02}"],
               "severity": [{"type": "CVSS_V3", "score": words[i % 2]}],
               "references": [{"type": "ADVISORY", "url": f"javascript:{MARK}=34{i}"},
                              {"type": "WEB", "url": f"https://evil.test/{i}\"onclick={MARK}=35{i}"}],
               "affected": [{"package": {"ecosystem": "Alpine:v3.20", "name": "busybox" if i % 2 else HOSTILE_PACKAGES[i]},
                             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9.9-r0"}]}]}]}


def hostile(n=0, distro="alpine"):
    """Every text of it is an attack. A user with control characters is refused as such: n is below 8."""
    a = lambda i: attack(i + n)  # pylint: disable=unnecessary-lambda-assignment
    release = f"ID={distro}\nVERSION_ID=3.20.3\nNAME='{quoted(a(1))}'\nPRETTY_NAME='{quoted(a(2))}'\n"
    packages = [(name, f"1.{i}.0-r0") for i, name in enumerate(HOSTILE_PACKAGES)]
    packages.append(("busybox", "1.36.1-r29"))
    versions = [(f"versions{i}", clean(attack(120 + i + n))) for i in range(len(ATTACKS))]
    db = apk(packages) + apk(versions)
    files = {"etc/os-release": release, "lib/apk/db/installed": db}
    files.update({"srv/" + a(400 + i).replace("/", "_")[:90]: "x" for i in range(len(ATTACKS))})
    labels = {a(500 + i): a(520 + i) for i in range(len(ATTACKS))}
    labels.update({"__proto__": a(540), "constructor": a(541), "toString": a(542)})
    config = {"User": a(552), "Env": [f"PATH={a(551)}", f"AWS_SECRET_ACCESS_KEY={a(550)}",
                                      f"{a(553).replace('=', ':')}_PASSWORD=hunter2hunter2"],
              "Volumes": {a(560 + i): {} for i in range(4)}, "ExposedPorts": {a(570 + i): {} for i in range(4)},
              "Labels": labels, "Entrypoint": [a(580)], "WorkingDir": a(581), "Cmd": [a(582)]}
    steps = [(tree(files), a(600))] + [(None, a(601 + i)) for i in range(len(ATTACKS))]
    steps += [(tree({"srv/second": a(620)}), a(621)), (tree({"srv/third": a(622)}), a(623))]
    return Built(steps, "2026-01-01", config=config, author=a(630))


def quoted(text):
    return text.replace("'", "'\\''").replace("\n", " ")
