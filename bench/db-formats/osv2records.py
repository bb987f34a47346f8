#!/usr/bin/env python3
"""OSV zips -> the records that src/advisory/record.c encodes, each with a 32-bit length in front.

For measuring the database alone: `osv2records.py OUT ZIP...`. The real feed parser is in C.
"""
import datetime
import json
import re
import struct
import sys
import zipfile

ERRATA = ("AlmaLinux", "Rocky", "Red Hat", "SUSE", "openSUSE")
WORDS = {"critical": 5, "high": 4, "important": 4, "medium": 3, "moderate": 3, "low": 2}


def text(v):
    b = v.encode()
    return struct.pack("<I", len(b)) + b


def texts(vs):
    return struct.pack("<I", len(vs)) + b"".join(map(text, vs))


def seconds(v):
    if not v or not re.match(r"[12]\d{3}-", v):
        return 0
    return int(datetime.datetime.fromisoformat(v[:19] + "+00:00").timestamp())


def ranges(a):
    out = []
    for r in a.get("ranges", []):
        if r["type"] == "GIT":
            continue
        start = None
        for e in r["events"]:
            (kind, value), = list(e.items())[:1]
            if kind == "introduced":
                if start is not None:
                    out.append((start, 2, ""))
                start = value
            elif start is not None and kind in ("fixed", "last_affected"):
                out.append((start, 0 if kind == "fixed" else 1, value))
                start = None
        if start is not None:
            out.append((start, 2, ""))
    return out


def affected(a):
    b = text(a["package"]["ecosystem"]) + text(a["package"]["name"])
    b += bytes([1 if a["package"]["ecosystem"].startswith("AlmaLinux") else 0]) + text("")
    rs = ranges(a)
    b += bytes([0 if any(r[1] == 0 for r in rs) else 1, 0, 0]) + text("")
    b += struct.pack("<I", len(rs))
    for intro, end, upper in rs:
        b += text(intro) + bytes([end]) + text(upper)
    return b + texts(a.get("versions") or [])


def record(r):
    afs = r.get("affected", [])
    errata = afs and afs[0]["package"]["ecosystem"].startswith(ERRATA)
    fixes = [i for i in (r.get("related") or []) if i.startswith("CVE-")] if errata else []
    summary = r.get("summary", "")
    word = re.match(r"(\w+): ", summary).group(1) if errata and re.match(r"\w+: ", summary) else ""
    cvss = [s["score"] for s in (r.get("severity") or [])]
    for a in afs:
        cvss += [s["score"] for s in (a.get("severity") or [])]
    b = bytes([1]) + text(r["id"]) + text("") + text(summary)
    b += texts(r.get("aliases") or []) + texts(fixes)
    b += bytes([WORDS.get(word.lower(), 0)]) + text(word) + texts(cvss)
    b += struct.pack("<qq", seconds(r.get("published")), seconds(r.get("modified")))
    b += bytes([1 if "withdrawn" in r else 0]) + struct.pack("<I", len(afs))
    return b + b"".join(map(affected, afs))


def main():
    total = count = 0
    with open(sys.argv[1], "wb") as out:
        for path in sys.argv[2:]:
            with zipfile.ZipFile(path) as z:
                for info in z.infolist():
                    raw = z.read(info)
                    total += len(raw)
                    count += 1
                    b = record(json.loads(raw))
                    out.write(struct.pack("<I", len(b)) + b)
    print(f"{count} records from {total} bytes of JSON")


main()
