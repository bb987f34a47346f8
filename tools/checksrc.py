#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the style of the sources.

usage: checksrc.py             check
       checksrc.py --update    lower the known counts to what is left
       checksrc.py --accept    take what is there as known (a decision: say why in the commit)

What was there before a rule is counted in tools/checksrc.known, for each rule and file. A count
may only fall: one more fails, and one less fails too until it is lowered, so that it cannot rise
again unseen.
"""
import pathlib
import re
import sys
from collections import Counter

ROOT = pathlib.Path(__file__).resolve().parent.parent
KNOWN = ROOT / "tools/checksrc.known"

COLUMNS = 100
FUNCTION_LINES = 80
FILE_LINES = 700
FORBIDDEN = {
    "strcpy": "copies without a ceiling; use buf.h or text.h",
    "strcat": "appends without a ceiling; use buf.h",
    "sprintf": "writes without a ceiling; use ck_format or ck_buf_format",
    "vsprintf": "writes without a ceiling; use ck_buf_format",
    "gets": "reads without a ceiling",
    "system": "runs a shell; spawn a room",
    "popen": "runs a shell; spawn a room",
    "atoi": "takes garbage for a number; use ck_view_u64",
    "atol": "takes garbage for a number; use ck_view_u64",
    "alloca": "puts a foreign size on the stack",
    "strtok": "keeps state; use ck_view_split",
}
# Differential tests ask dpkg, apk and rpm.
FOR_TESTS = {"system", "popen"}
CALL = re.compile(r"(?<![A-Za-z0-9_.>])(%s)\s*\(" % "|".join(FORBIDDEN))
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blanked(text):
    """Without comments and literals, at the same places."""
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def functions(lines):
    """(first line, number of lines) of each body: from a "{" to a "}" at the start of a line."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start + 1
            start = None


def breaches_of(path, text):
    """(rule, line, what) for each breach in a file."""
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield "final-newline", len(lines), "no newline at the end of the file"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield "long-line", number, f"{len(line)} columns, at most {COLUMNS}"
        if "\t" in line:
            yield "tab", number, "a tab; indent with four blanks"
        if line != line.rstrip():
            yield "trailing-blanks", number, "blanks at the end"
    if path.suffix not in (".c", ".h"):
        return
    if len(lines) > FILE_LINES:
        yield "long-file", 1, f"{len(lines)} lines, at most {FILE_LINES}"
    for number, length in functions(lines):
        if length > FUNCTION_LINES:
            yield "long-function", number, f"{length} lines, at most {FUNCTION_LINES}"
    code = blanked(text)
    test = path.name.startswith(("test_", "unit_"))
    for match in CALL.finditer(code):
        name = match.group(1)
        if test and name in FOR_TESTS:
            continue
        yield name, code.count("\n", 0, match.start()) + 1, f"{name}: {FORBIDDEN[name]}"


def sources():
    for pattern in ("src/**/*.[ch]", "bench/**/*.[ch]", "fuzz/**/*.[ch]", "tests/**/*.[ch]",
                    "tools/**/*.py", "**/meson.build"):
        for path in sorted(ROOT.glob(pattern)):
            if not path.relative_to(ROOT).parts[0].startswith("build"):
                yield path


def read_known():
    known = Counter()
    if KNOWN.exists():
        for line in KNOWN.read_text().split("\n"):
            if line and not line.startswith("#"):
                rule, count, path = line.split()
                known[rule, path] = int(count)
    return known


def write_known(counts):
    lines = ["# rule count file; see tools/checksrc.py. These counts may only fall."]
    lines += [f"{rule} {n} {path}" for (rule, path), n in sorted(counts.items()) if n]
    KNOWN.write_text("\n".join(lines) + "\n")


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode not in ("", "--update", "--accept"):
        sys.exit(__doc__)
    known, found, count = read_known(), {}, 0
    for path in sources():
        count += 1
        name = path.relative_to(ROOT).as_posix()
        for rule, line, what in breaches_of(path, path.read_text(encoding="utf-8")):
            found.setdefault((rule, name), []).append(f"{name}:{line}: {what}")
    counts = Counter({key: len(v) for key, v in found.items()})
    if mode == "--accept":
        write_known(counts)
        return 0
    failed = 0
    for key in sorted(set(counts) | set(known), key=lambda k: (k[1], k[0])):
        if counts[key] > known[key]:
            failed += 1
            print("\n".join(found[key]))
            if known[key]:
                print(f"{key[1]}: {key[0]}: {counts[key]} of them, {known[key]} were known")
        elif counts[key] < known[key] and mode != "--update":
            failed += 1
            print(f"{key[1]}: {key[0]}: {counts[key]} left of {known[key]}; well done, now run "
                  f"tools/checksrc.py --update")
    if mode == "--update":
        write_known(Counter({k: min(counts[k], known[k]) for k in known}))
    print(f"checksrc: {count} files, {sum(counts.values())} known breaches, {failed} new or gone"
          if failed else f"checksrc: {count} files, {sum(counts.values())} known breaches")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
