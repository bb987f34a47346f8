#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate with a past, for the tests of the pages: images in several repositories with tags and builds
of five years, users, decisions, pulls, subscriptions, a survey, a database that changed; and images
of which every text is an attack.

  world.py PROGRAM COMMAND...

starts it, tells COMMAND in the environment's WORLD (a JSON file) what is there, and ends with it. With
BENCH_STORE it makes nothing but the users, and serves what is in that directory.
"""
import base64
import datetime
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../gateway")]
# pylint: disable=wrong-import-position
import images
import rig
import servers
from rig import UP, ask, until

DAYS = ["2021-10-01", "2022-12-01", "2023-09-01", "2024-05-01", "2025-02-01", "2025-11-01", "2026-07-01"]
KNOWN = "2026-06-30"  # what the first database knows of; the second knows the rest
PASSWORDS = {name: f"{name}'s password, of some length" for name in
             ("admin", "release", "release2", "pull", "bound", "push")}
POLICY = """version: 1
default: allow
rules:
  - name: what we ship
    match: { images: ["gate.internal/hosted/shop/**"] }
    require:
      severity: { at-most: high, otherwise: deny }
      assessment: { is: complete, otherwise: quarantine }
  - name: nothing exploited
    match: { images: ["gate.internal/hosted/desk/**"] }
    require:
      known-exploited: { is: none, otherwise: deny }
  - name: two persons
    match: { images: ["gate.internal/hosted/vault/**"] }
    decision: quarantine
    release: { persons: 2 }
  - name: one person
    match: { images: ["gate.internal/hosted/lab/**", "gate.internal/hosted/evil/**"] }
    require:
      user: non-root
      environment: no-secrets
      severity: { at-most: none, otherwise: quarantine }
      labels: { forbidden: ["*script*"] }
      volumes: { forbidden: ["**"] }
      ports: { forbidden: ["**"] }
    otherwise: quarantine
exceptions:
  - id: CVE-2022-0778
    owner: "the platform team <img src=x onerror=window.__pwned=700>"
    reason: "no certificates of others are read here <script>window.__pwned=701</script>"
    expires: 2027-01-31
  - id: CVE-2021-4034
    images: ["gate.internal/hosted/desk/**"]
    owner: desktop
    reason: "pkexec is not installed setuid"
    expires: 2026-02-01
"""
SHOP = {"web": "httpd libwebp freetype", "db": "mariadb-server sudo", "mail": "bind-libs samba-client-libs nss",
        "worker": "nodejs git vim-minimal libtiff"}


def basic(user):
    word = base64.b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()
    return {"Authorization": "Basic " + word}


class World:
    """What stands in `told` is what the tests may rely on."""

    def __init__(self, program):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="cocket-web-")
        self.store = os.path.join(self.directory, "store")
        self.env = dict(os.environ, HOME=self.directory, COCKET_STORE=self.store,
                        **{f"XDG_{k}_HOME": f"{self.directory}/{k.lower()}"
                           for k in ("CACHE", "DATA", "CONFIG")})
        self.env.pop("COCKET_POLICY", None)
        for d in ("data/cocket", "config/cocket", "feeds"):
            os.makedirs(os.path.join(self.directory, d))
        self.process, self.url, self.up, self.times = None, None, None, {}
        self.told = {"users": PASSWORDS, "images": {}, "attack_ids": images.HOSTILE_IDS}

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def cocket(self, *args, fine=(0,), given=None):
        r = subprocess.run([self.program, *args], env=self.env, capture_output=True, text=True,
                           check=False, input=given)
        if r.returncode not in fine:
            raise RuntimeError(f"cocket {' '.join(args)}: {r.returncode} {r.stdout[-600:]} {r.stderr[-600:]}")
        return r.stdout

    def can(self, verb):
        return subprocess.run([self.program, verb, "--help"], env=self.env, check=False,
                              capture_output=True).returncode == 0

    # --- making -----------------------------------------------------------------------------------

    def make_feeds(self):
        """Feeds as they were on a day; `new_feeds` brings them up to date."""
        images.feed_until(KNOWN, self.path("feeds/AlmaLinux.zip"))
        self.write("feeds/evil.json", json.dumps(images.hostile_secdb()))
        os.makedirs(self.path("feeds/evil"))
        for record in images.hostile_osv():
            self.write(f"feeds/evil/{record['id']}.json", json.dumps(record))
        shutil.copy(images.KEV, self.path("feeds/kev.json"))
        self.write("config/cocket/feeds.conf", "".join(f"{kind}={self.path('feeds', name)}\n" for kind, name in (
            ("osv", "AlmaLinux.zip"), ("alpine-secdb", "evil.json"), ("osv", "evil"), ("kev", "kev.json")))
            + "".join(f"alpine-secdb={images.FEEDS}/alpine-secdb/{v}\n" for v in ("v3.6", "v3.8", "v3.10")))
        self.cocket("db", "update", "-q")

    def new_feeds(self):
        shutil.copy(images.ALMA, self.path("feeds/AlmaLinux.zip"))

    def make_users(self):
        for name, roles, *more in (("admin", "admin"), ("release", "pull,release"), ("release2", "pull,release"),
                                   ("pull", "pull"), ("push", "pull,push"),
                                   ("bound", "pull", "--repository", "hosted/shop/*")):
            # A store that was served before has them.
            self.cocket("user", "add", "--roles", roles, "--password-stdin", *more, name,
                        given=PASSWORDS[name], fine=(0, 2))

    def serve(self):
        self.log = open(self.path("log"), "ab")  # pylint: disable=consider-using-with
        errors = open(self.path("err"), "wb")  # pylint: disable=consider-using-with
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [self.program, "serve", "--listen", "127.0.0.1:0", "--registries-conf", self.path("registries.conf"),
             "--allow-private", "--policy", self.path("policy.yaml"), "--upstream", UP, "--tag-ttl", "1s"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=errors, env=self.env)
        errors.close()

        def serving():
            if self.process.poll() is not None:
                raise RuntimeError("cocket serve ended: " + self.said())
            return re.search(r"serving on (http://\S+)", self.said())
        m = until(serving, 20)
        if not m:
            raise RuntimeError("cocket serve does not serve: " + self.said())
        self.url = m.group(1).rstrip("/")

    def said(self):
        with open(self.path("err"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def push(self, repository, tag, image, when=None):
        """Pushes and waits until it was examined."""
        rig.push(self.url, f"hosted/{repository}", image, tag, headers=basic("push"))
        self.times[(f"gate.internal/hosted/{repository}", tag, image.digest)] = when or image.created
        self.told["images"][f"hosted/{repository}:{tag}"] = image.digest

    def pull(self, name, user="pull", reference=None):
        repository, _, tag = name.rpartition(":")
        return ask(self.url, f"/v2/{repository}/manifests/{reference or tag}",
                   headers={**basic(user), "User-Agent": images.attack(640), "Accept": "*/*"})

    def make_shop(self):
        for n, (name, packages) in enumerate(SHOP.items()):
            for i, day in enumerate(DAYS[n % 2:]):
                image = images.alma(day, packages, name, config={"User": "1000"})
                self.push(f"shop/{name}", f"1.{i}", image)
                self.push(f"shop/{name}", "latest", image)
        nightly = [images.alma(day, "httpd", f"nightly{i}") for i, day in enumerate(DAYS)]
        for image in nightly:
            self.push("shop/nightly", "edge", image)
        pair = [images.alma(DAYS[-1], "httpd", "multi", arch=arch) for arch in ("amd64", "arm64")]
        self.push("shop/multi", "2.0", images.both(*pair), DAYS[-1] + "T12:00:00Z")

    def make_others(self):
        self.push("desk/browser", "115", images.alma("2023-09-01", "firefox thunderbird polkit", "browser"))
        self.push("desk/browser", "128", images.alma("2025-11-01", "firefox thunderbird polkit", "browser"))
        self.push("vault/signer", "1", images.alma(DAYS[4], "openldap", "signer"))
        self.push("vault/signer", "2", images.alma(DAYS[5], "openldap", "signer"))
        self.push("lab/try", "1", images.alma(DAYS[3], "kernel-core squid", "try", config={
            "User": "root", "Env": ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz"],
            "ExposedPorts": {"22/tcp": {}}, "Volumes": {"/var/run/docker.sock": {}}}))
        self.push("lab/try", "2", images.alma(DAYS[4], "kernel-core squid", "try"))
        for version, day in (("3.6.5", "2019-03-01"), ("3.8.5", "2020-01-23"), ("3.10.9", "2021-04-14"),
                             ("3.20.3", "2024-09-06")):
            self.push("base/alpine", version, images.alpine(version, day))
        self.push("base/alpine", "3.8-old", images.alpine("3.8.5", "2019-02-01", (
            ("nginx", "1.10.0-r0"), ("openssl", "1.0.2a-r0"), ("curl", "7.50.0-r0"))))

    def make_hostile(self):
        self.push("evil/constructor", "__proto__", images.hostile())
        self.push("evil/constructor", "toString", images.hostile(1))
        self.push("evil/javascript", "alert", images.hostile(2, "<img src=x onerror=window.__pwned=3>"))
        self.told["hostile"] = self.told["images"]["hosted/evil/constructor:__proto__"]

    def make_upstream(self):
        """A registry of others, whose tag moves."""
        try:
            self.up = rig.Upstream()
        except SystemExit:
            return
        self.write("registries.conf", f'[[registry]]\nprefix = "{UP}"\nlocation = "127.0.0.1:{self.up.port}"\n'
                                      "insecure = true\n")

    def move_upstream(self):
        for day in DAYS[2:5]:
            image = images.alma(day, "openssl", "upstream")
            rig.push(self.up.url, "library/alma", image, "8")
            until(lambda image=image: self.pull(f"{UP}/library/alma:8").headers.get(
                "Docker-Content-Digest") == image.digest, 30)
            self.times[(f"{UP}/library/alma", "8", image.digest)] = image.created
            self.told["images"][f"{UP}/library/alma:8"] = image.digest
        for i, day in enumerate(DAYS):
            for kind in ("library", "people"):
                rig.push(self.up.url, f"{kind}/app{i}", images.alma(day, "curl", f"{kind}{i}"), "1")
        image = images.alma(DAYS[6], "openssl", "upstream")
        rig.push(self.up.url, "library/alma", image, "8")

    def make_decisions(self):
        self.cocket("deny", "--reason", "left by the intruder " + images.attack(650),
                    self.told["images"]["hosted/shop/nightly:edge"])
        self.cocket("release", "--policy", self.path("policy.yaml"), "--reason",
                    "looked at by the lab " + images.attack(651), self.told["images"]["hosted/lab/try:2"])

    def make_pulls(self):
        for user in ("pull", "release", "bound", "admin"):
            for name in ("hosted/shop/web:1.0", "hosted/shop/web:latest", "hosted/shop/db:1.0", "hosted/vault/signer:1",
                         "hosted/desk/browser:115"):
                self.pull(name, user)

    def set_back(self):
        """The books' days become the images' own: what was pushed within a minute was pushed over years.
        The log stays as it is."""
        db = sqlite3.connect(os.path.join(self.store, "state.db"))
        with db:
            for (repository, tag, digest), when in self.times.items():
                at = int(datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp())
                db.execute("UPDATE seen SET first=? WHERE name=? AND digest=?", (at, f"{repository}:{tag}", digest))
                db.execute("UPDATE name SET since=? WHERE name=? AND digest=?", (at, f"{repository}:{tag}", digest))
                db.execute("UPDATE image SET added=? WHERE digest=?", (at, digest))
            found = db.execute("SELECT count(*) FROM seen WHERE first<1700000000").fetchone()[0]
        db.close()
        if not found:
            raise RuntimeError("the books have other names than the tests believe")

    def make_changes(self):
        """What became known since: events, where the program watches."""
        self.new_feeds()
        if self.can("watch"):
            self.cocket("watch", "--once", "--policy", self.path("policy.yaml"), fine=(0, 1))
            self.told["events"] = True
        else:
            self.cocket("db", "update", "-q")

    def make_survey(self):
        if self.up and self.can("survey"):
            self.cocket("survey", UP, "--sample", "12", "--registries-conf", self.path("registries.conf"),
                        "--allow-private", fine=(0, 1))
            self.told["survey"] = True

    def make(self):
        begin = time.monotonic()

        def did(what):
            print(f"# {time.monotonic() - begin:5.1f} s {what}", flush=True)
        self.write("policy.yaml", POLICY)
        self.write("registries.conf", "")
        self.make_feeds()
        self.make_users()
        self.make_upstream()
        did("feeds, users")
        self.serve()
        self.make_shop()
        did("shop")
        self.make_others()
        self.make_hostile()
        did("others")
        if self.up:
            self.move_upstream()
        did("upstream")
        self.settle()
        did("examined")
        self.make_decisions()
        self.make_pulls()
        self.stop()
        self.set_back()
        self.make_changes()
        did("changes")
        self.make_survey()
        self.serve()
        did("serving")

    def adopt(self, directory):
        """Serves a store that somebody else made."""
        self.store = self.env["COCKET_STORE"] = os.path.join(directory, "store")
        database = os.path.join(directory, "data/cocket/advisory.db")
        if os.path.exists(database):
            os.symlink(database, self.path("data/cocket/advisory.db"))
        self.write("policy.yaml", POLICY)
        self.write("registries.conf", "")
        self.make_users()
        self.serve()

    def settle(self):
        """Until everything that was pushed was examined."""
        def waiting():
            return [i["names"] for i in json.loads(self.cocket("ls", "--format", "json"))
                    if i["reason"] == "not examined" and not i["index"]]
        if not until(lambda: not waiting(), 120):
            raise RuntimeError(f"never examined: {waiting()}")

    def tell(self):
        self.told.update(url=self.url, upstream=self.up and UP, directory=self.directory,
                         web=ask(self.url, "/").status == 200 and b"<html" in ask(self.url, "/").body.lower(),
                         api=ask(self.url, "/api/v1/openapi.json").status == 200)
        return self.write("world.json", json.dumps(self.told, indent=1))

    def close(self):
        self.stop()
        if self.up:
            self.up.__exit__()
        if os.environ.get("WORLD_KEEP"):
            print("# kept: " + self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def main():
    if not os.path.exists(images.ALMA):
        print("ok web # skip the fixtures are not there")
        return 0
    world = World(os.path.realpath(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if os.environ.get("BENCH_STORE"):
            world.adopt(os.environ["BENCH_STORE"])
        else:
            world.make()
        told = world.tell()
        if not sys.argv[2:]:
            print(f"{world.url} {told}", flush=True)
            threading.Event().wait()
        return subprocess.run(sys.argv[2:], env=dict(os.environ, WORLD=told), check=False).returncode
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main())
