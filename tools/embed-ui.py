#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the C file of what is built in a directory: path, media type, gzip bytes, size, ETag
(src/serve/ui.h). The same files give the same bytes.

usage: embed-ui.py OUTPUT.c [DIRECTORY]    without a directory: there is no web UI
"""
import hashlib
import pathlib
import sys
import zlib

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The whole UI; a page must not grow unseen.
MOST = 150 * 1024


def packed(data):
    c = zlib.compressobj(9, zlib.DEFLATED, 31)
    return c.compress(data) + c.flush()


def array(name, data):
    yield f"static const uint8_t {name}[] = {{"
    for i in range(0, len(data), 20):
        yield "    " + ",".join(str(b) for b in data[i:i + 20]) + ","
    yield "};"


def entry(path, data, gzip, i):
    etag = hashlib.sha256(data).hexdigest()[:32]
    lasting = "true" if path.startswith("/assets/") else "false"
    return (f'    {{ "{path}", "{TYPES[pathlib.Path(path).suffix]}", "\\"{etag}\\"",\n'
            f"      {lasting}, file{i}, {len(gzip)}, {len(data)} }},")


def main():
    out = ["/* Made by tools/embed-ui.py. */", '#include "serve/ui.h"', ""]
    entries, total = [], 0
    root = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    files = sorted(p for p in root.rglob("*") if p.is_file()) if root else []
    for i, file in enumerate(files):
        path = "/" + file.relative_to(root).as_posix()
        if file.suffix not in TYPES:
            sys.exit(f"embed-ui.py: {path}: no media type is known for it")
        data = file.read_bytes()
        gzip = packed(data)
        total += len(gzip)
        out += array(f"file{i}", gzip)
        entries.append(entry(path, data, gzip, i))
    if total > MOST:
        sys.exit(f"embed-ui.py: the web UI has {total} bytes compressed, more than {MOST}")
    out += ["const struct ck_ui_file ck_ui_files[] = {", *entries, "    { .path = NULL },", "};"]
    pathlib.Path(sys.argv[1]).write_text("\n".join(out) + "\n")


main()
