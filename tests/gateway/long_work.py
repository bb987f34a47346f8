#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work that the API begins: rounds of looking again and surveys, told of by the stream until
they end, and what is there then.

  long_work.py PROGRAM [NAME...]
"""
import http.client
import http.server
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import jsonschema  # pylint: disable=unused-import
except ImportError:
    print("# python3-jsonschema is not installed")
    sys.exit(77)
# pylint: disable=wrong-import-position
import rig
from api_rig import DOC, FIXES, POLICY, ROLES, Client, add_user, basic
from rig import holds, push, same, until

PROGRAM = os.path.realpath(sys.argv[1])
NAMES = sys.argv[2:]
TESTS = []
CVE = "CVE-2030-0001"
ROLLING = "ID=wolfi\nVERSION_ID=20230201\n"
PAGE = {"X-Requested-With": "cocket"}


def test(f):
    TESTS.append(f)
    return f


class SlowFeed:
    """A secdb that is answered when go() says so, and from then on at once."""

    def __init__(self, fixes):
        text = json.dumps({"distroversion": "v3.20", "urlprefix": "http://x/alpine",
                           "reponame": "main", "archs": ["x86_64"], "packages": [
                               {"pkg": {"name": n, "secfixes": v}} for n, v in fixes.items()]})
        gate = self.gate = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                gate.wait(60)
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/main.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def go(self):
        self.gate.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go()
        self.server.shutdown()
        self.server.server_close()


def configure(gate, url):
    os.makedirs(f"{gate.directory}/config/cocket", exist_ok=True)
    with open(f"{gate.directory}/config/cocket/feeds.conf", "w", encoding="utf-8") as f:
        f.write(f"alpine-secdb={url}\n")


def rolling_db(gate, fixes):
    """The gate's database becomes one for a distribution whose support does not end."""
    feed = os.path.join(gate.directory, "security.json")
    with open(feed, "w", encoding="utf-8") as f:
        json.dump({"reponame": "os", "urlprefix": "https://packages.wolfi.dev",
                   "apkurl": "{{urlprefix}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
                   "archs": ["x86_64"],
                   "packages": [{"pkg": {"name": n, "secfixes": v}} for n, v in fixes.items()]}, f)
    os.makedirs(f"{gate.directory}/data/cocket", exist_ok=True)
    r = gate.cocket("db", "build", "-o", f"{gate.directory}/data/cocket/advisory.db", "--feed",
                    f"alpine-secdb={feed}")
    same((r.returncode, r.stderr), (0, ""))


class Listener(threading.Thread):
    """Asks the stream again and again, as fast as it answers, and keeps what it says."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.progress, self.events, self.answers = client, [], [], 0
        self.began, self.over = time.monotonic(), threading.Event()
        self.at = self.take(client.op("stream"))
        self.start()

    def take(self, r):
        said = rig.fields(r.json)
        for one in said:
            if one.get("event") == "progress":
                value = json.loads(one["data"])
                DOC.check({"$ref": "#/components/schemas/Progress"}, value)
                self.progress.append(value)
            elif one.get("event") == "event":
                self.events.append(json.loads(one["data"]))
        self.answers += 1
        return said[-1]["id"]

    def run(self):
        while not self.over.is_set():
            try:
                r = self.client.op("stream", headers={"Last-Event-ID": self.at})
            except (OSError, http.client.HTTPException):
                return  # the gate has ended
            if r.status == 503:
                return  # it is about to
            self.at = self.take(r)

    def work(self, kind):
        return [w for p in self.progress for w in p["work"] if w["kind"] == kind]


def end(gate, *listeners):
    for each in listeners:
        each.over.set()
    same(gate.stop(), 0)
    for each in listeners:
        each.join(20)


@test
def a_round_is_asked_for_and_told_to_its_end(up):
    """POST watch: its parts as they come, in order, to who sees the whole store; then the counts, which
    are what the log of the gate and the books say. Feeds hang for a while, so that there is a while."""
    image = rig.Image(70, packages=[("lib-c", "1.0-r0")])
    push(up.url, "app", image, "round")
    with SlowFeed({"lib-c": {"2.0-r0": ["CVE-2030-0070"]}}) as feed, \
            rig.Gate(PROGRAM, up.port, POLICY, "--tag-ttl", "1h",
                     db=FIXES, anonymous=False) as gate:
        for name in ("root", "puller", "bound"):
            add_user(gate, name, ROLES[name],
                     *(["--repository", "up.test/team/*"] if name == "bound" else []))
        configure(gate, feed.url)
        root = Client(gate, "root")
        same(gate.manifest("app", "round", headers=basic("puller")).status, 200)
        same(root.get("get_image", image.digest)["severities"]["unknown"], 0)
        old = len(gate.events("watched"))
        all_, bound = Listener(Client(gate, "puller")), Listener(Client(gate, "bound"))
        before = (all_.progress[-1]["watched"] or {"rounds": 0})["rounds"]
        r = root.op("watch_now", headers=PAGE)
        same((r.status, r.json), (202, {"started": True}))
        holds(until(lambda: [x for x in all_.work("watch") if x["what"] == "feeds"], 10),
              f"no word of the feeds: {all_.progress}")
        same(all_.work("watch")[-1], {"kind": "watch", "what": "feeds", "done": 0, "total": 1})
        # a second wish while one is under way is one more round, not a lost one
        same(root.op("watch_now", headers=PAGE).status, 202)
        feed.go()
        holds(until(lambda: (all_.progress[-1]["watched"] or {"rounds": 0})["rounds"] >= before + 2, 30),
              f"the rounds do not end: {all_.progress[-3:]}")
        took = time.monotonic() - all_.began
        answers = all_.answers
        rounds = [p["watched"] for p in all_.progress if p["watched"]]
        changed = [x for x in rounds if x["changed"]]
        same([(x["matched"], x["changed"], x["failed"], x["feeds_failed"], x["tags_not_had"])
              for x in changed[:1]], [(1, 1, False, 0, 0)])
        same(max(x["tags_asked"] for x in rounds), 1)
        same({(x["tags_moved"], x["tags_not_had"], x["bases"]) for x in rounds}, {(0, 0, 0)})
        same(sum(x["changed"] for x in {x["rounds"]: x for x in rounds}.values()), 1)
        holds(not [x for x in all_.progress[-1]["work"] if x["kind"] == "watch"], all_.progress[-1])
        # five a second at most, but for what else happens
        holds(answers < 5 * took + 8, f"{answers} answers in {took:.1f} s")
        said = gate.events("watched")[old:]
        holds(len(said) >= 2 and sum(int(e["changed"]) for e in said) == 1, said)
        # what changed is there: the event, on the stream too, and the finding
        found = root.get("list_events", kind="findings")["items"]
        same([e["image"] for e in found], [image.digest])
        holds(until(lambda: [e["number"] for e in all_.events if e["kind"] == "findings"] ==
                    [found[0]["number"]], 5), all_.events)
        same([f["id"] for f in root.get("list_findings", image.digest)["items"]], ["CVE-2030-0070"])
        same([(e["who"], e["event"]) for e in root.get("list_log", event="watch")["items"]],
             [("root", "watch")] * 2)
        # who is bound to a part sees nothing of the whole
        same((bound.work("watch"), [p["watched"] for p in bound.progress if p["watched"]]), ([], []))
        end(gate, all_, bound)
    return f"{answers} answers in {took:.1f} s"


@test
def a_survey_is_asked_for_and_told_to_its_end(_):
    with rig.Upstream() as up:
        vulnerable = {"one", "three"}
        for i, name in enumerate(("one", "two", "three", "four")):
            version = "1.0-r0" if name in vulnerable else "3.0-r0"
            push(up.url, f"library/{name}", rig.Image(80 + i, packages=[("lib-a", version)],
                                                                release=ROLLING), "1")
        with rig.Gate(PROGRAM, up.port, POLICY, anonymous=False) as gate:
            add_user(gate, "root", "admin")
            root = Client(gate, "root")
            rolling_db(gate, {"lib-a": {"2.0-r0": [CVE]}})
            holds(until(lambda: root.get("get_overview")["database"]["built"], 10), "no database")
            listener = Listener(root)
            body = {"registry": rig.UP, "sample": 4}
            same(root.op("begin_survey", body=body, headers=PAGE).status, 202)
            same(root.op("begin_survey", body=body, headers=PAGE).status, 409)
            holds(until(lambda: (root.get("list_surveys")["items"] or [{"state": ""}])[0]["state"] ==
                        "done", 60), root.get("list_surveys"))
            survey = root.get("get_survey", root.get("list_surveys")["items"][0]["number"])
            same((survey["registry"], survey["done"], survey["total"]), (rig.UP, 4, 4))
            holds(survey["ended"], survey)
            groups = {g["name"]: g for g in survey["result"]["groups"] if g["drawn"]}
            whole = sum(g["assessed"] for g in groups.values())
            same((whole, survey["result"]["unassessed"]), (4, []))
            clean = sum(g["clean"]["images"] for g in groups.values())
            same(clean, 4 - len(vulnerable))
            told = listener.work("survey")
            holds(told and all(x["what"] == rig.UP for x in told), told)
            same([x["done"] for x in told], sorted(x["done"] for x in told))
            holds(until(lambda: not listener.progress[-1]["work"], 5), listener.progress[-1])
            # nothing of the images that were drawn is in the store
            same(root.get("list_images")["total"], 0)
            same([e["name"] for e in root.get("list_log", event="survey")["items"]
                  if (e["who"], e["text"]) == ("root", "asked for over the API")], [rig.UP])
            end(gate, listener)


def main():
    up = rig.Upstream()
    return rig.Tests().each("long_work", TESTS, NAMES, up, up.__exit__)


if __name__ == "__main__":
    sys.exit(main())
