#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate that looks again by itself: what a newer database knows, feeds of its own, tags that moved,
and who hears of what is withdrawn.

  watching.py PROGRAM [NAME...]
"""
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import rig
import servers
from rig import Image, Index, holds, push, same, until

PROGRAM = os.path.realpath(sys.argv[1])
NAMES = sys.argv[2:]
STRICT = "version: 1\ndefault: allow\nrules:\n  - name: bad\n    require: { severity: none }\n"
CLEAN = {"musl": {"1.0-r0": ["CVE-2000-0001"]}}
BAD = {"zlib": {"1.2.12-r0": ["CVE-2018-25032"]}}
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def image(seed):
    return Image(seed, package=("zlib", "1.2.11-r0"))


def newer(gate, fixes):
    time.sleep(1.1)  # databases say to the second when they were made
    gate.make_db(fixes)


def withdrawn(gate, digest):
    return [e for e in gate.events("withdrawn") if e["digest"] == digest]


def look(gate, *args):
    r = gate.cocket("watch", "--no-update", "--no-tags", "--format", "json", *args)
    return r.returncode, json.loads(r.stdout) if r.stdout else r.stderr


@test
def a_newer_database_withdraws(up):
    one, two = image(1), Image(2)
    push(up.url, "one", one, "1")
    push(up.url, "two", two, "1")
    port = servers.free_port()
    with rig.Gate(PROGRAM, up.port, STRICT, "--metrics-listen", f"127.0.0.1:{port}", db=CLEAN) as gate:
        same(gate.manifest("one", "1").status, 200)
        same(gate.manifest("two", "1").status, 200)
        time.sleep(1.2)  # pulls are noted once a second
        newer(gate, BAD)
        holds(until(lambda: withdrawn(gate, one.digest), 15), "nothing is withdrawn")
        event = withdrawn(gate, one.digest)[0]
        same(event["name"], f"{rig.UP}/one:1")
        holds("CVE-2018-25032" in event["text"], event["text"])
        r = gate.manifest("one", "1")
        same(r.status, 403)
        holds("CVE-2018-25032" in r.error[1], r.error)
        same(gate.manifest("two", "1").status, 200)
        metrics = rig.ask(f"http://127.0.0.1:{port}", "/metrics").body.decode()
        holds("\ncocket_watch_withdrawn_total 1\n" in metrics, metrics)
        # who had it, and nothing is left to be done
        status, round_ = look(gate, "--policy", gate.policy_file)
        same(status, 0)
        same(round_["events"], [])
        # what the database takes back may be had again
        newer(gate, CLEAN)
        holds(until(lambda: gate.manifest("one", "1").status == 200, 15), "still denied")
        same(len(withdrawn(gate, one.digest)), 1)
        same(gate.stop(), 0)


@test
def who_pulled_through_an_index(up):
    child = image(3)
    index = Index([child])
    push(up.url, "index", index, "1")
    with rig.Gate(PROGRAM, up.port, STRICT, db=CLEAN) as gate:
        same(gate.manifest("index", "1").status, 200)
        time.sleep(1.2)
        gate.stop()
        newer(gate, BAD)
        status, round_ = look(gate, "--policy", gate.policy_file)
        same(status, 1)
        events = [e for e in round_["events"] if e["kind"] == "withdrawn"]
        same([e["image"] for e in events], [child.digest])
        same([p["who"] for p in events[0]["data"]["pulled_by"]], ["anonymous"])
        same(events[0]["data"]["pulled_by"][0]["name"], f"{rig.UP}/index:1")
        text = gate.cocket("recall", "CVE-2018-25032").stdout
        holds("pulled by anonymous" in text, text)


@test
def feeds_and_tags_by_the_clock(up):
    one, moved = image(4), Image(5)
    push(up.url, "clock", one, "1")
    with rig.Gate(PROGRAM, up.port, STRICT, "--watch", "2s", "--tag-ttl", "1h", db=CLEAN) as gate:
        feed = os.path.join(gate.directory, "secdb.json")
        os.makedirs(f"{gate.directory}/config/cocket", exist_ok=True)
        with open(f"{gate.directory}/config/cocket/feeds.conf", "w", encoding="utf-8") as f:
            f.write(f"alpine-secdb={feed}\n")
        same(gate.manifest("clock", "1").status, 200)
        with open(feed, encoding="utf-8") as f:
            text = json.load(f)
        text["packages"] = [{"pkg": {"name": n, "secfixes": v}} for n, v in BAD.items()]
        with open(feed + ".new", "w", encoding="utf-8") as f:
            json.dump(text, f)
        os.rename(feed + ".new", feed)
        holds(until(lambda: withdrawn(gate, one.digest), 20), "the feed was not read again")
        same(gate.manifest("clock", "1").status, 403)
        push(up.url, "clock", moved, "1")
        holds(until(lambda: [e for e in gate.events("moved") if moved.digest in e.get("text", "")], 20),
              "the tag was not asked about")
        os.unlink(feed)
        holds(until(lambda: gate.events("feed"), 20), "nothing said of a feed that fails")
        time.sleep(4)
        same(len(gate.events("feed")), 1)
        same(gate.stop(), 0)


@test
def a_registry_that_cannot_be_reached(up):
    """Its tags are counted, the reason is said once, and the rest of the round goes on."""
    one, moved = image(20), Image(21)
    push(up.url, "reached", one, "1")
    down = rig.Upstream()
    names = [f"down.test/gone{i}:1" for i in range(5)]
    with rig.Gate(PROGRAM, up.port, STRICT, db=CLEAN) as gate:
        gate.stop()
        conf = f"{gate.directory}/registries.conf"
        with open(conf, "a", encoding="utf-8") as f:
            f.write(f'[[registry]]\nprefix = "down.test"\nlocation = "127.0.0.1:{down.port}"\ninsecure = true\n')
        options = ("--registries-conf", conf, "--allow-private", "--policy", gate.policy_file)
        for i, name in enumerate(names):
            push(down.url, f"gone{i}", Image(30 + i), "1")
            same(gate.cocket("scan", "-q", *options, "docker://" + name).returncode, 0)
        r = gate.cocket("scan", "-q", *options, f"docker://{rig.UP}/reached:1")
        same((r.returncode, r.stderr), (0, ""))
        down.__exit__()
        push(up.url, "reached", moved, "1")
        newer(gate, BAD)

        def round_(*more):
            time.sleep(1.1)  # each tag is due again
            r = gate.cocket("watch", "--no-update", "--tags-every", "1s", *options, *more)
            return r.returncode, r.stdout, r.stderr
        status, out, err = round_("--format", "json")
        told = json.loads(out)
        same(status, 1)  # for what was withdrawn, and nothing else
        same(sorted(e["kind"] for e in told["events"]), ["findings", "moved", "withdrawn"])
        counts = told["counts"]
        same((counts["tags_asked"], counts["tags_moved"], counts["tags_not_had"]), (1, 1, len(names)))
        said = [line for line in err.splitlines() if "down.test" in line]
        same(len(said), 3)  # then it is left alone
        for line in said:
            holds(line.startswith("cocket: ") and "127.0.0.1" in line and "onnect" in line, line)
        # what failed is no news the next time; the others were not asked about before
        status, out, err = round_()
        same(status, 0)
        holds(f"1 tags asked about, 0 moved, {len(names)} not to be had" in out, out)
        holds(len([line for line in err.splitlines() if "down.test" in line]) <= 3, err)


@test
def what_another_version_kept_is_scanned_by_the_gate(up):
    one, two = image(40), image(41)
    push(up.url, "kept", one, "1")
    push(up.url, "kept", two, "2")
    with rig.Gate(PROGRAM, up.port, STRICT, db=CLEAN) as gate:
        for tag in "12":
            same(gate.manifest("kept", tag).status, 200)
        gate.stop()
        with contextlib.closing(sqlite3.connect(f"{gate.store}/state.db")) as db, db:
            db.execute("UPDATE inventory_bytes SET head=X'63' || substr(head, 2) WHERE inventory="
                       "(SELECT number FROM inventory WHERE image=?)", (one.digest,))
            db.execute("DELETE FROM inventory WHERE image=?", (two.digest,))
        newer(gate, BAD)
        before = len(gate.events("watched"))
        gate.start()
        holds(until(lambda: gate.events("watched")[before:], 10), "there was no round")
        first = gate.events("watched")[before]
        same((first["without-inventory"], first["other-version"]), ("1", "1"))
        holds([e for e in gate.events("watch-note") if one.digest in e["text"] and "version" in e["text"]],
              gate.events("watch-note"))
        holds(until(lambda: [gate.manifest("kept", t).status for t in "12"] == [403, 403], 20),
              "what was scanned again is served still")
        newer(gate, CLEAN)
        holds(until(lambda: [gate.manifest("kept", t).status for t in "12"] == [200, 200], 20),
              "it is not matched like any other")
        last = gate.events("watched")[-1]
        same((last["without-inventory"], last["other-version"]), ("0", "0"))
        same(gate.stop(), 0)


@test
def killed_in_the_middle(up):
    many = [image(100 + i) for i in range(12)]
    for i, each in enumerate(many):
        push(up.url, f"many{i}", each, "1")
    with rig.Gate(PROGRAM, up.port, STRICT, db=CLEAN) as gate:
        for i in range(12):
            same(gate.manifest(f"many{i}", "1").status, 200)
        newer(gate, BAD)
        for pause in (0.0, 0.01, 0.05, 0.1, 0.3):
            time.sleep(pause)
            gate.process.send_signal(signal.SIGKILL)
            gate.process.wait()
            gate.start()
        holds(until(lambda: all(gate.manifest(f"many{i}", "1").status == 403 for i in range(12)), 30),
              "some are served still")
        same(gate.stop(), 0)
        r = gate.cocket("recall", "--format", "json", "CVE-2018-25032")
        same(len(json.loads(r.stdout)["images"]), 12)
        same(gate.cocket("fsck").returncode, 0)


def main():
    up = rig.Upstream()
    return rig.Tests().each("watching", TESTS, NAMES, up, up.__exit__)


if __name__ == "__main__":
    sys.exit(main())
