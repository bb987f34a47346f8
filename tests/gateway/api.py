#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP API against doc/openapi.json: every operation and parameter that stands there, who may
ask it, and what is refused.

  api.py PROGRAM [NAME...]
"""
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "../sbom")]
try:
    import jsonschema  # pylint: disable=unused-import
except ImportError:
    print("# python3-jsonschema is not installed")
    sys.exit(77)
# pylint: disable=wrong-import-position
import bills
import rig
from api_rig import (DOC, PASSWORDS, POLICY, ROLES, ROOT, SCRIPT, Client, World, add_user,
                     basic)
from rig import holds, same, until

PROGRAM = os.path.realpath(sys.argv[1])
NAMES = sys.argv[2:]
TESTS = []
NOWHERE = "sha256:" + "0" * 64
CVE = "CVE-2030-0001"
STREAMS = 256  # API_STREAMS
SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMDE="


def test(f):
    TESTS.append(f)
    return f


def sample(w, name):
    """What a call of the operation needs: parts of the path, query, body."""
    app, other = w.images["app:1"], w.images["app:2"]
    of_image = {n: ([app], {}, None) for n in DOC.operations
                if "{digest}" in DOC.operations[n][1]}
    return {
        **of_image,
        "get_diff": ([app], {"with": other}, None),
        "release_image": ([w.images["held:2"]], {}, {"reason": "looked at it"}),
        "deny_image": ([w.images["clean:1"]], {}, {"reason": "not needed"}),
        "list_tags": ([], {"repository": "up.test/app"}, None),
        "get_advisory": ([CVE], {}, None),
        "replay_policy": ([], {}, {"yaml": "version: 1\ndefault: deny\n"}),
        "login": ([], {}, {"user": "puller", "password": PASSWORDS["puller"]}),
        "add_subscription": ([], {}, {"name": "ops", "way": "webhook",
                                      "target": "https://127.0.0.1:1/hook", "secret": SECRET,
                                      "kinds": ["withdrawn", "decision"], "severity": "high",
                                      "repository": "up.test/**", "digest_seconds": 60}),
        "begin_survey": ([], {}, {"registry": rig.UP, "sample": 1}),
    }.get(name, ([], {}, None))


def call(w, name, client, **more):
    segments, query, body = sample(w, name)
    return client.op(name, *segments, body=more.pop("body", body), **{**query, **more})


def reading():
    return [n for n, (method, _, _) in DOC.operations.items() if method == "GET"]


# --- the document ---------------------------------------------------------------------------------

@test
def it_is_served(w):
    r = w.gate.get(ROOT + "/openapi.json")
    same((r.status, json.loads(r.body)), (200, DOC.json))


def subscription(w):
    known = w.root.get("list_subscriptions")["items"]
    return known[0]["id"] if known else call(w, "add_subscription", w.root).json["id"]


@test
def each_operation_answers_as_it_says(w):
    done = set()
    headers = {"X-Requested-With": "cocket"}
    for name in DOC.operations:
        if "{id}" in DOC.operations[name][1] and "subscriptions" in DOC.operations[name][1]:
            r = w.root.op(name, subscription(w))
        elif name == "get_survey":
            r = w.root.op(name, 1)
        else:
            r = call(w, name, w.root, headers=headers)
        want = (404,) if name == "get_survey" else ()
        holds(r.status < 300 or r.status in want, f"{name}: {r.status} {r.body[:300]!r}")
        done.add(name)
    same(done, set(DOC.operations))
    for s in w.root.get("list_subscriptions")["items"]:
        same(w.root.op("remove_subscription", s["id"]).status, 204)
    return f"{len(done)} operations"


def values_of(schema, node):
    """Some values that the schema takes, and some that it does not."""
    if "enum" in node:
        return node["enum"], ["", "nonesuch", node["enum"][0] + " "]
    if node.get("type") == "integer":
        low, high = node.get("minimum", 0), node.get("maximum")
        good = [low, low + 1] + ([high] if high else [])
        return good, [low - 1, "x", "", "1.0", "+1", " 1", "0x1", 2**64] + \
            ([high + 1] if high else [])
    if "pattern" in node and node["pattern"].startswith("^sha"):
        return [NOWHERE], ["sha256:0", "x", NOWHERE.upper(), NOWHERE + "0"]
    longest = node.get("maxLength", 0)
    return ["x", "a b", "%", "_", "'", "\"", "\u00e9"], ["x" * (longest + 1)] if longest else []


@test
def each_parameter_is_taken_and_checked(w):
    n = 0
    for name in reading():
        for p in DOC.parameters(name):
            if p["in"] != "query":
                continue
            good, bad = values_of(p, DOC.deref(p["schema"]))
            segments, query, _ = sample(w, name)
            for value in good:
                r = w.root.op(name, *segments, **{**query, p["name"]: value})
                fine = (200, 404) if p["name"] in ("with", "repository") else (200,)
                holds(r.status in fine, f"{name}?{p['name']}={value}: {r.status} {r.body[:200]}")
                n += 1
            for value in bad:
                r = w.root.op(name, *segments, **{**query, p["name"]: value})
                same((name, p["name"], value, r.status), (name, p["name"], value, 400))
                n += 1
            if p.get("required"):
                same((name, w.root.op(name, *segments).status), (name, 400))
    return f"{n} values"


@test
def what_does_not_stand_there_is_refused(w):
    for name in reading():
        segments, query, _ = sample(w, name)
        if name == "get_survey":
            segments = [1]
        r = w.root.op(name, *segments, **query, nonesuch="1")
        same((name, r.status), (name, 400))
        path = ROOT + DOC.operations[name][1].replace("{digest}", w.images["app:1"])
        if "n" in [p["name"] for p in DOC.parameters(name)] and "{" not in path:
            twice = urllib.parse.urlencode(query)
            same(w.gate.get(f"{path}?n=1&n=2&{twice}", headers=w.root.headers).status, 400)
    for path in ("/", "/nonesuch", "/images/", f"/images/{NOWHERE}/nonesuch", "/me/x", "/ME",
                 "/images/x", "/images/sha256:zz", "/subscriptions/x/test", "/surveys/0"):
        r = w.root.raw("GET", path)
        holds(r.status in (400, 404, 405), f"{path}: {r.status}")
        holds(list(json.loads(r.body)) == ["error"], r.body)


@test
def other_methods_are_refused(w):
    for name, (_, path, _) in DOC.operations.items():
        path = path.replace("{digest}", w.images["app:1"]).replace("{id}", "1").replace(
            "{number}", "1")
        for method in ("PUT", "PATCH", "POST", "DELETE", "GET"):
            if method.lower() in DOC.json["paths"][DOC.operations[name][1]]:
                continue
            r = w.root.raw(method, path)
            same((path, method, r.status), (path, method, 405))
            holds(r.headers["Allow"], f"{path} {method}: no Allow")


def announced(w, size):
    """The status of a body of so many blanks; where the head alone is answered, of that."""
    c = http.client.HTTPConnection(urllib.parse.urlsplit(w.gate.url).netloc, timeout=20)
    c.putrequest("POST", ROOT + "/policy/replay")
    for name, value in {**w.root.headers, "Content-Type": "application/json",
                        "Content-Length": str(size)}.items():
        c.putheader(name, value)
    c.endheaders()
    if size <= 2 << 20:
        c.send(b" " * size)
    status = c.getresponse().status
    c.close()
    return status


@test
def bodies_are_checked(w):
    changing = [n for n in DOC.operations if n not in reading()]
    for name in changing:
        segments, _, body = sample(w, name)
        if "subscriptions/{" in DOC.operations[name][1]:
            segments = [99999]
        extra = {"headers": {"X-Requested-With": "cocket"}}
        for bad in ({**(body or {}), "nonesuch": "1"}, {**(body or {}), "reason": {"a": 1}},
                    [], "x"):
            r = w.root.op(name, *segments, body=bad, **extra)
            same((name, bad, r.status), (name, bad, 400))
        same((name, w.root.op(name, *segments, body=b"{\"reason\":\"a\",\"reason\":\"b\"}",
                              **extra).status), (name, 400))
        same((name, w.root.op(name, *segments, body=b"{", **extra).status), (name, 400))
        if body:
            same((name, w.root.op(name, *segments, body={}, **extra).status), (name, 400))
            r = w.root.op(name, *segments, body=body, headers={
                "X-Requested-With": "cocket", "Content-Type": "text/plain"})
            same((name, r.status), (name, 400))
        for key, value in (body or {}).items():
            for wrong in (1 if isinstance(value, str) else "1", None, [1], {}):
                r = w.root.op(name, *segments, body={**body, key: wrong}, **extra)
                same((name, key, wrong, r.status), (name, key, wrong, 400))
    deep = b"{\"reason\":" + b"[" * 5000 + b"]" * 5000 + b"}"
    same(w.root.raw("POST", f"/images/{NOWHERE}/deny", deep).status, 400)
    same(announced(w, 2 << 20), 400)        # API_BODY, of blanks
    same(announced(w, (2 << 20) + 1), 413)


# --- who may --------------------------------------------------------------------------------------

def expected(role, who):
    if role == "none":
        return True
    roles = ROLES.get(who, "").split(",")
    return role in roles or "admin" in roles


@test
def roles_hold_for_each_operation(w):
    """What is allowed comes to its end or to a 404 of its own; what is not, to 401 or 403."""
    n = 0
    for name, (_, _, op) in DOC.operations.items():
        segments, query, body = sample(w, name)
        if op["x-role"] == "none":
            continue
        if name not in reading():
            segments = [NOWHERE if "{digest}" in DOC.operations[name][1] else 99999
                        ] if "{" in DOC.operations[name][1] else []
            body = {"nonesuch": "1"} if body else body
        if name == "get_survey":
            segments = [1]
        for who in (None, "stranger", "puller", "releaser", "root", "pusher"):
            if name in ("watch_now", "begin_survey") and who == "root":
                continue
            if name == "stream" and who:
                continue
            r = Client(w.gate, who).op(name, *segments, body=body, **query)
            if who in (None, "stranger"):
                same((name, who, r.status), (name, who, 401))
            elif expected(op["x-role"], who) or name == "get_me":
                holds(r.status not in (401, 403), f"{name} as {who}: {r.status}")
            else:
                same((name, who, r.status), (name, who, 403))
            n += 1
    return f"{n} calls"


@test
def who_is_bound_sees_only_that(w):
    b = w.bound
    names = {"team/app:1", "team/held:1"}
    same(b.get("get_me")["repository"], "up.test/team/*")
    same({i["digest"] for i in b.get("list_images")["items"]}, {w.images[n] for n in names})
    same(b.get("get_overview")["images"], len(names))
    same({i["name"] for i in b.get("list_repositories")["items"]},
         {"up.test/team/app", "up.test/team/held"})
    same(b.get("list_tags", repository="up.test/app", status=404)["error"] != "", True)
    same(b.get("list_tags", repository="up.test/team/app")["total"], 1)
    same([i["digest"] for i in b.get("list_quarantine")["items"]], [w.images["team/held:1"]])
    for name, (method, path, _) in DOC.operations.items():
        if "{digest}" not in path:
            continue
        segments, query, body = sample(w, name)
        r = b.op(name, w.images["app:1"], body=body, **query)
        same((name, r.status), (name, 404))
        if method == "GET" and name != "get_diff":
            same((name, b.op(name, w.images["team/app:1"], **query).status), (name, 200))
    r = b.op("get_diff", w.images["team/app:1"], **{"with": w.images["app:1"]})
    same(r.status, 404)
    r = b.op("get_diff", w.images["team/app:1"], **{"with": "up.test/app:1"})
    same(r.status, 404)
    same({i["digest"] for i in b.get("get_advisory", "CVE-2030-0002")["images"]},
         {w.images["team/app:1"]})
    for page in ("get_advisory",):
        for p in b.get(page, "CVE-2030-0002")["pulls"]:
            holds(p["name"].startswith("up.test/team/"), p)
    same(b.get("get_advisory", CVE)["images"], [])
    for e in b.get("list_events")["items"]:
        holds(e["kind"] == "feed" or (e["repository"] or "").startswith("up.test/team"), e)
    mine = {w.images[n] for n in names}
    for d in b.get("list_decisions", n=200)["items"]:
        holds(d["digest"] in mine, d)


@test
def without_login_only_the_pull_pages(w):
    with rig.Gate(PROGRAM, w.up.port, POLICY) as gate:
        nobody = Client(gate)
        me = nobody.get("get_me")
        same((me["user"], me["roles"], me["anonymous"]), ("anonymous", ["pull"], True))
        same(nobody.get("list_images")["total"], 0)
        gate.manifest("app", "1")
        until(lambda: nobody.get("list_images")["total"] == 1, 5)
        digest = w.images["app:1"]
        same(nobody.get("get_image", digest)["pulls"], [])
        same(nobody.op("list_log").status, 401)
        same(nobody.op("deny_image", digest, body={"reason": "x"},
                       headers={"X-Requested-With": "cocket"}).status, 401)
        same(nobody.op("get_me", headers=basic("stranger")).status, 401)


# --- browsers -------------------------------------------------------------------------------------

def login(gate, user="puller", password=None, **headers):
    return Client(gate).op("login", body={"user": user,
                                          "password": password or PASSWORDS[user]},
                           headers={"X-Requested-With": "cocket", **headers})


def cookie_of(r):
    return r.headers["Set-Cookie"].split(";")[0]


@test
def a_cookie_stands_for_a_login(w):
    r = login(w.gate)
    same((r.status, r.json["user"]), (200, "puller"))
    parts = [x.strip() for x in r.headers["Set-Cookie"].split(";")]
    for want in ("HttpOnly", "SameSite=Strict", "Path=/"):
        holds(want in parts, parts)
    page = Client(w.gate, headers={"Cookie": cookie_of(r)})
    same(page.get("get_me")["user"], "puller")
    same(page.get("list_images")["total"], len(w.images))
    same(w.gate.get("/v2/", headers=page.headers).status, 401)
    same(w.gate.get("/metrics", headers=page.headers).status, 401)
    token = cookie_of(r).split("=", 1)[1]
    same(w.gate.get("/token?scope=repository:up.test/app:pull",
                    headers={"Authorization": "Bearer " + token}).status, 401)
    same(page.op("logout").status, 403)
    same(page.get("get_me")["user"], "puller")
    r = page.op("logout", headers={"X-Requested-With": "cocket"})
    same(r.status, 204)
    holds("Max-Age=0" in r.headers["Set-Cookie"], r.headers["Set-Cookie"])
    same(page.op("get_me").status, 401)
    same(Client(w.gate).op("logout", headers={"X-Requested-With": "cocket"}).status, 204)


@test
def behind_https_the_cookie_stays_there(w):
    with rig.Gate(PROGRAM, w.up.port, POLICY, "--url", "https://gate.example") as gate:
        add_user(gate, "puller", "pull")
        r = login(gate)
        holds("Secure" in r.headers["Set-Cookie"].split("; "), r.headers["Set-Cookie"])
        same(login(gate, Origin="https://gate.example").status, 200)
        same(login(gate, Origin="https://gate.example.evil").status, 403)
    holds("Secure" not in login(w.gate).headers["Set-Cookie"], "Secure over plain HTTP")


@test
def wrong_logins(w):
    for user, password in (("puller", "wrong"), ("nobody", "x"), ("puller", SCRIPT)):
        r = login(w.gate, user, password)
        same((r.status, r.headers["WWW-Authenticate"], r.headers["Set-Cookie"]),
             (401, None, None))
    same(login(w.gate, "a:b", "x").status, 400)
    secret = w.gate.cocket("user", "token", "root").stdout.split()[-1]
    r = login(w.gate, "root", secret)
    same((r.status, r.json["user"]), (200, "root"))
    cookie = cookie_of(r).split("=", 1)[1]
    same(login(w.gate, "root", cookie).status, 401)  # a login's token gets no further ones
    w.gate.cocket("user", "token", "--revoke", "root")
    page = Client(w.gate, headers={"Cookie": "cocket=" + cookie})
    same(until(lambda: page.op("get_me").status == 401, 3), True)
    for value in ("", "x", "y" * 43, cookie + "; cocket=" + cookie, "\"" + cookie + "\""):
        same(Client(w.gate, headers={"Cookie": "cocket=" + value}).op("get_me").status, 401)


@test
def a_login_ends_with_its_user(w):
    page = Client(w.gate, headers={"Cookie": cookie_of(login(w.gate, "second"))})
    same(page.get("get_me")["user"], "second")
    w.gate.cocket("user", "disable", "second")
    same(until(lambda: page.op("get_me").status == 401, 3), True)
    w.gate.cocket("user", "enable", "second")
    same(page.op("get_me").status, 401)


@test
def scripts_get_no_window_for_a_password(w):
    nobody = Client(w.gate)
    holds("Basic" in nobody.op("get_me").headers["WWW-Authenticate"], "no challenge")
    for header in ({"X-Requested-With": "cocket"}, {"Sec-Fetch-Mode": "cors"}):
        r = nobody.op("get_me", headers=header)
        same((r.status, r.headers["WWW-Authenticate"]), (401, None))


@test
def other_pages_change_nothing(w):
    page = Client(w.gate, headers={"Cookie": cookie_of(login(w.gate, "root"))})
    host = urllib.parse.urlsplit(w.gate.url).netloc
    changing = [n for n in DOC.operations if n not in reading() and n not in (
        "watch_now", "begin_survey", "login", "logout")]
    ours = {"X-Requested-With": "cocket"}
    foreign = [{}, {"X-Requested-With": "XMLHttpRequest"},
               {**ours, "Sec-Fetch-Site": "cross-site"}, {**ours, "Sec-Fetch-Site": "same-site"},
               {**ours, "Sec-Fetch-Site": "none"}, {**ours, "Origin": "http://evil.example"},
               {**ours, "Origin": "null"}]
    for name in changing:
        path = DOC.operations[name][1]
        segments = [NOWHERE if "digest" in path else 99999] if "{" in path else []
        body = {"nonesuch": "1"} if sample(w, name)[2] else None
        for headers in foreign:
            r = page.op(name, *segments, body=body, headers=headers)
            same((name, headers, r.status), (name, headers, 403))
        r = page.op(name, *segments, body=body, headers={
            **ours, "Sec-Fetch-Site": "same-origin", "Origin": f"http://{host}"})
        holds(r.status in (400, 404), f"{name}: {r.status}")
    # A browser that knows a password sends it along with what another page asks for.
    r = w.root.op("deny_image", w.images["app:1"], body={"reason": "x"},
                  headers={"Sec-Fetch-Site": "cross-site"})
    same(r.status, 403)
    same(login(w.gate, **{"Sec-Fetch-Site": "cross-site"}).status, 403)


# --- answers --------------------------------------------------------------------------------------

@test
def etags(w):
    for name in reading():
        if name in ("stream", "get_survey"):
            continue
        segments, query, _ = sample(w, name)
        r = w.root.op(name, *segments, **query)
        tag = r.headers["ETag"]
        holds(tag and tag.startswith('"'), f"{name}: {tag}")
        holds(name == "get_openapi" or "private" in r.headers["Cache-Control"], r.headers)
        if name in ("list_feeds", "get_overview", "list_subscriptions"):  # ages go on
            continue
        for given in (tag, f'"x", W/{tag}'):
            again = w.root.op(name, *segments, headers={"If-None-Match": given}, **query)
            same((name, again.status, again.body), (name, 304, b""))
        same(w.root.op(name, *segments, headers={"If-None-Match": '"x"'}, **query).status, 200)
    before = w.root.op("list_images")
    w.root.op("deny_image", w.images["held:1"], body={"reason": "for the tag"})
    after = w.root.op("list_images", headers={"If-None-Match": before.headers["ETag"]})
    same(after.status, 200)


@test
def pages(w):
    for name, key in (("list_images", "digest"), ("list_repositories", "name"),
                      ("list_advisories", "id"), ("list_log", "number"),
                      ("list_decisions", "number"), ("list_quarantine", "digest")):
        whole = w.root.get(name, n=200)
        keys = [i[key] for i in whole["items"]]
        same((name, len(keys), len(set(keys))), (name, whole["total"], whole["total"]))
        parts = []
        while True:
            part = w.root.get(name, n=2, **{"from": len(parts)})
            same((part["from"], part["total"]), (len(parts), whole["total"]))
            parts += [i[key] for i in part["items"]]
            if len(part["items"]) < 2:
                break
        same((name, parts), (name, keys))
        beyond = w.root.get(name, **{"from": 10000000})
        same((beyond["items"], beyond["total"]), ([], whole["total"]))


@test
def filters(w):
    def digests(**query):
        return {i["digest"] for i in w.root.get("list_images", **query)["items"]}

    d = w.images
    same(digests(repository="up.test/app"), {d["app:1"], d["app:2"]})
    same(digests(repository="up.test/ap"), set())
    same(digests(q="team/"), {d["team/app:1"], d["team/held:1"]})
    same(digests(q=d["two:1"]), {d["two:1"]})
    same(digests(q="%"), set())
    for state in ("quarantined", "cleared", "denied"):
        for i in w.root.get("list_images", state=state)["items"]:
            same(i["state"], state)
    holds(d["denied:1"] in digests(state="denied"), "denied:1")
    names = [i["name"] for i in w.root.get("list_images", order="name")["items"]]
    same(names, sorted(names))
    for i in w.root.get("list_images", incomplete="1")["items"]:
        same(i["complete"], False)


@test
def advisories(w):
    for cve, want in ((CVE, {"app:1", "held:1", "hostile:1"}),
                      ("CVE-2030-0002", {"app:1", "app:2", "team/app:1"})):
        a = w.puller.get("get_advisory", cve)
        same({i["digest"] for i in a["images"]}, {w.images[n] for n in want})
        same(a["images_total"], len(want))
        same({s["package"] for s in a["statements"]}, {a["images"][0]["package"]})
        for i in a["images"]:
            same((i["version"], i["fix"] != i["version"]), ("1.0-r0", True))
        holds(all(p["who"] == "puller" for p in a["pulls"]), a["pulls"])
    rows = {i["id"]: i["images"] for i in w.puller.get("list_advisories")["items"]}
    same((rows[CVE], rows["CVE-2030-0002"]), (3, 3))
    same([i["id"] for i in w.puller.get("list_advisories", q="0001")["items"]], [CVE])
    same(w.puller.op("get_advisory", "CVE-1999-9999").status, 404)


@test
def reports(w):
    digest = w.images["app:1"]
    report = w.puller.get("get_report", digest)
    same({f["id"] for f in report["findings"]},
         {CVE, "CVE-2030-0002", "CVE-2030-0003"})
    findings = w.puller.get("list_findings", digest)
    same(findings["total"], 3)
    same(findings["items"], report["findings"])
    same(w.puller.get("list_findings", digest, q="lib-a")["total"], 1)
    same(w.puller.get("list_findings", digest, q="0003")["total"], 1)
    same(w.puller.get("list_findings", digest, fix="fixed")["total"], 3)
    same(w.puller.get("list_findings", digest, fix="wont-fix")["total"], 0)
    same(w.puller.get("list_findings", digest, severity="critical")["total"],
         sum(f["severity"] == "critical" for f in report["findings"]))
    packages = w.puller.get("list_packages", digest)
    same([(p["name"], p["version"]) for p in packages["items"]],
         [("lib-a", "1.0-r0"), ("lib-b", "1.0-r0")])
    same([sum(p["severities"].values()) for p in packages["items"]], [1, 2])
    layers = w.puller.get("list_layers", digest)
    same((len(layers), layers[0]["packages"], sum(layers[0]["severities"].values())), (1, 2, 3))
    same(w.puller.get("list_findings", digest, layer=layers[0]["diff_id"])["total"], 3)
    same(w.puller.get("list_findings", digest, layer=NOWHERE)["total"], 0)


@test
def diffs(w):
    one, two = w.images["app:1"], w.images["app:2"]
    for other in (two, "up.test/app:2"):
        d = w.puller.get("get_diff", one, **{"with": other})
        same((d["from"], d["to"]), (one, two))
        same(d["packages"], {"added": [], "removed": [], "changed": [
            {"name": "lib-a", "type": "apk", "from": "1.0-r0", "to": "2.0-r0"}]})
        same([f["id"] for f in d["findings"]["removed"]], [CVE])
        same((d["findings"]["added"], d["findings"]["changed"]), ([], []))
    back = w.puller.get("get_diff", two, **{"with": one})
    same([f["id"] for f in back["findings"]["added"]], [CVE])
    same(w.puller.op("get_diff", one, **{"with": NOWHERE}).status, 404)


@test
def bills_of_materials(w):
    r = w.puller.op("get_sbom", w.images["app:1"])
    same(r.json["bomFormat"], "CycloneDX")
    holds("attachment" in r.headers["Content-Disposition"], r.headers)
    holds({"lib-a", "lib-b"} <= {c["name"] for c in r.json["components"]}, r.json)
    for name in ("app:1", "hostile:1"):
        digest = w.images[name]
        cyclonedx, spdx = (w.root.op("get_sbom", digest, format=f).json for f in ("cyclonedx", "spdx"))
        bills.check(w.root.get("get_report", digest), cyclonedx, spdx)


@test
def hostile_strings_are_strings(w):
    digest = w.images["hostile:1"]
    config = w.root.get("get_image", digest)["config"]
    same((config["user"], config["labels"].get(SCRIPT), config["volumes"]),
         (SCRIPT, SCRIPT, ["/" + SCRIPT]))
    same(w.root.get("list_layers", digest)[0]["created_by"], SCRIPT)
    same([p["name"] for p in w.root.get("list_packages", digest, q="<script>")["items"]],
         [SCRIPT])
    r = w.root.raw("GET", f"/images/{digest}/packages")
    same((r.headers["Content-Type"], r.headers["X-Content-Type-Options"]),
         ("application/json", "nosniff"))
    reason = SCRIPT + " \u00fc"
    w.root.op("deny_image", digest, body={"reason": reason})
    same(w.root.get("get_image", digest)["reason"], reason)
    holds(any(reason in i["text"] for i in w.root.get("list_log", digest=digest)["items"]), "log")


# --- what people decide ---------------------------------------------------------------------------

@test
def release_and_deny(w):
    digest = w.add("held:3", seed=20)
    held = w.releaser.get("list_quarantine", q="held:3")["items"]
    same(([i["digest"] for i in held], held[0]["verdict"]["persons"]), ([digest], 1))
    for reason in (None, "", "   "):
        body = {"reason": reason} if reason is not None else {}
        same(w.releaser.op("release_image", digest, body=body).status, 400)
    same(w.releaser.op("release_image", digest, body={"reason": "x", "name": "up.test/app:1"}
                       ).status, 400)
    r = w.releaser.op("release_image", digest, body={"reason": "looked at it"})
    same((r.status, r.json["state"]), (200, "cleared"))
    same(w.gate.manifest("held", "3", headers=basic("puller")).status, 200)
    last = w.root.get("list_decisions", digest=digest)["items"][0]
    same(last["who"], "releaser")
    holds("looked at it" in last["text"], last)
    same(w.releaser.op("deny_image", digest, body={"reason": "no"}).json["state"], "denied")
    same(w.gate.manifest("held", "3", headers=basic("puller")).status, 403)
    same(w.releaser.op("release_image", w.images["denied:1"], body={"reason": "x"}).status, 409)


@test
def a_second_person(w):
    digest = w.images["two:1"]
    r = w.releaser.op("release_image", digest, body={"reason": "one"})
    same((r.json["state"], r.json["persons"], r.json["released_by"]), ("quarantined", 2, 1))
    r = w.releaser.op("release_image", digest, body={"reason": "again"})
    same((r.json["state"], r.json["released_by"]), ("quarantined", 1))
    same(w.root.get("get_image", digest)["verdict"]["released_by"], 1)
    same(w.gate.manifest("two", "1", headers=basic("puller")).status, 403)
    r = w.second.op("release_image", digest, body={"reason": "two"})
    same((r.json["state"], r.json["released_by"]), ("cleared", 2))
    same(w.gate.manifest("two", "1", headers=basic("puller")).status, 200)


@test
def policies(w):
    p = w.puller.get("get_policy")
    same((p["yaml"], [r["name"] for r in p["rules"]]),
         (POLICY, ["not-those", "ask-somebody", "ask-two", "labels"]))
    same((len(p["exceptions"]), p["exceptions"][0]["expires"][:4]), (1, "2099"))
    r = w.root.op("replay_policy", body={"yaml": POLICY})
    same((r.json["changed"], r.json["policy"], r.json["checked"]),
         ([], p["digest"], w.root.get("list_images")["total"]))
    r = w.root.op("replay_policy", body={"yaml": "version: 1\ndefault: deny\n"})
    holds(w.images["app:2"] in [c["digest"] for c in r.json["changed"]], r.json)
    holds(all(c["to"] == "deny" for c in r.json["changed"]), r.json)
    r = w.root.op("replay_policy", body={"yaml": "version: 1\ndefault: maybe\n"})
    same((r.status, "2:" in r.json["error"]), (400, True))


@test
def the_log(w):
    v = w.root.get("verify_log")
    same((v["ok"], v["error"], v["records"]), (True, None, w.root.get("list_log", n=1)["total"]))
    last = w.root.get("list_log", n=1)["items"][0]
    same((last["hash"], last["number"]), (v["head"], v["records"]))
    whole, n = [], 0
    while n < v["records"]:
        whole += w.root.get("list_log", n=50, **{"from": n})["items"]
        n += 50
    same([x["number"] for x in whole], list(range(v["records"], 0, -1)))

    def fits(x, q):
        return all(x[k] == want for k, want in q.items())
    for q in ({"event": "fetch"}, {"event": "decide"}, {"event": "nonesuch"}, {"who": "releaser"},
              {"event": "decide", "who": "releaser"}, {"digest": w.images["held:2"]},
              {"digest": w.images["held:2"], "event": "decide", "who": "releaser"},
              {"digest": NOWHERE}):
        want = [x for x in whole if fits(x, q)]
        r = w.root.get("list_log", n=200, **q)
        same((q, r["total"], r["items"]), (q, len(want), want[:200]))
        same(w.root.get("list_log", n=1, **q, **{"from": 1})["items"], want[1:2])
        if "event" in q:
            continue
        want = [x for x in want if x["event"] in ("decide", "approve")]
        r = w.root.get("list_decisions", n=200, **q)
        same((q, r["total"], r["items"]), (q, len(want), want[:200]))


# --- subscriptions --------------------------------------------------------------------------------

@test
def subscriptions(w):
    r = call(w, "add_subscription", w.root)
    same((r.status, r.json["has_secret"], r.json["kinds"]), (201, True, ["withdrawn", "decision"]))
    holds(SECRET.encode() not in r.body, r.body)
    holds(SECRET.encode() not in w.root.raw("GET", "/subscriptions").body, "the secret is shown")
    same(call(w, "add_subscription", w.root).status, 409)
    body = sample(w, "add_subscription")[2]
    for change in ({"way": "command", "target": "/bin/sh"}, {"name": "A"}, {"name": "a b"},
                   {"target": "file:///etc/passwd"}, {"kinds": ["nonesuch"]},
                   {"digest_seconds": 604801}):
        same((change, w.root.op("add_subscription", body={**body, **change}).status),
             (change, 400))
    same(w.root.op("remove_subscription", r.json["id"]).status, 204)
    same(w.root.op("remove_subscription", r.json["id"]).status, 404)


# --- the stream -----------------------------------------------------------------------------------

@test
def the_stream_tells_at_once(w):
    first = rig.fields(w.root.op("stream").json)
    at = first[-1]["id"]
    DOC.check({"$ref": "#/components/schemas/Progress"}, json.loads(first[0]["data"]))
    got = []

    def listen():
        begin = time.monotonic()
        got.append(rig.fields(w.root.op("stream", headers={"Last-Event-ID": at}).json))
        got.append(time.monotonic() - begin)

    t = threading.Thread(target=listen)
    t.start()
    time.sleep(0.5)
    w.releaser.op("deny_image", w.add("held:4", seed=30), body={"reason": "told"})
    t.join(25)
    holds(len(got) == 2 and got[1] < 14, got)
    events = w.root.get("list_events", after=at.split("-")[0])["items"]
    seen = {e["kind"] for e in events}
    holds("decision" in seen, seen)
    for e in got[0]:
        if e.get("event") == "event":
            DOC.check({"$ref": "#/components/schemas/Event"}, json.loads(e["data"]))
    same(w.root.op("stream", headers={"Last-Event-ID": "x"}).status, 400)


@test
def a_stream_keeps_nobody(w):
    """As many listeners as there may be, and pulls go on as before; one more is told to come back,
    and each listener's answer ends by itself."""
    at = rig.fields(w.root.op("stream").json)[-1]["id"]
    host = urllib.parse.urlsplit(w.gate.url).netloc
    open_ = []
    for _ in range(STREAMS):
        c = http.client.HTTPConnection(host, timeout=30)
        c.request("GET", ROOT + "/stream", headers={**w.root.headers, "Last-Event-ID": at})
        open_.append(c)
    time.sleep(1)  # until all have come in
    same(w.root.op("stream", headers={"Last-Event-ID": at}).status, 503)
    begin = time.monotonic()
    for _ in range(20):
        same(w.gate.manifest("app", "2", headers=basic("puller")).status, 200)
    took = time.monotonic() - begin
    holds(took < 5, took)
    for c in open_:
        r = c.getresponse()
        same((r.status, r.headers["Content-Type"]), (200, "text/event-stream"))
        c.close()
    holds(time.monotonic() - begin < 20, "a stream does not end")
    return f"20 pulls beside {STREAMS} listeners took {took:.2f} s"


@test
def it_ends_with_the_gate(w):
    with rig.Gate(PROGRAM, w.up.port, POLICY) as gate:
        nobody, got = Client(gate), []
        at = rig.fields(nobody.op("stream").json)[-1]["id"]
        t = threading.Thread(target=lambda: got.append(
            nobody.raw("GET", "/stream", headers={"Last-Event-ID": at})))
        t.start()
        time.sleep(0.3)
        same(gate.stop(), 0)
        t.join(20)
        holds(got, "the listener got no answer")


def main():
    tests = rig.Tests()
    w = World(PROGRAM)
    try:
        for t in TESTS:
            if not NAMES or t.__name__ in NAMES:
                tests.run(t.__name__, lambda t=t: t(w))
    finally:
        w.close()
    sys.exit(1 if tests.failed else 0)


if __name__ == "__main__":
    main()
