#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks web/: no text becomes markup or code, nothing inline, nothing from elsewhere, no addresses
in the lock file.

usage: check-web.py
"""
import pathlib
import re
import sys

WEB = pathlib.Path(__file__).resolve().parent.parent / "web"

RULES = [
    (r"innerHTML|outerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write",
     "makes markup of text"),
    (r"\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(", "makes code of text"),
    (r"set(Timeout|Interval)\s*\(\s*['\"`]", "makes code of text"),
    (r"createContextualFragment|DOMParser|srcdoc|createPolicy", "makes markup of text"),
    (r"\bstyle\s*=|<style\b|\.cssText\b|setAttribute\(\s*['\"]style", "is an inline style"),
    (r"<script(?![^>]*\bsrc=)|\bon[a-z]+=\"", "is an inline script"),
    (r"\bimport\s*\(|\bimportScripts\b|new\s+Worker\b", "loads code later"),
    (r"@import|@font-face|url\(\s*['\"]?(?!#)", "fetches from a style sheet"),
    (r"(?:src|href|action)=\"(?:https?:)?//", "leads to another host"),
    (r"fetch\(\s*['\"`]|EventSource\(\s*['\"`]", "asks past src/api.ts"),
]


def breaches():
    files = [WEB / "index.html", *sorted((WEB / "src").rglob("*"))]
    for path in files:
        if path.suffix not in {".ts", ".tsx", ".css", ".html", ".svg"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > 120:
                yield path, number, "is longer than 120 columns"
            for rule, what in RULES:
                if re.search(rule, line):
                    yield path, number, what
    for name in ("package.json", "package-lock.json", ".npmrc"):
        for number, line in enumerate((WEB / name).read_text().splitlines(), 1):
            if "://" in line or '"resolved"' in line:
                yield WEB / name, number, "names an address (run `node lock.mjs`)"


def main():
    found = list(breaches())
    for path, number, what in found:
        print(f"{path.relative_to(WEB.parent)}:{number}: {what}")
    print(f"check-web: {len(found)} breaches")
    return 1 if found else 0


sys.exit(main())
