#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the web UI beside the program: npm ci, the types, Vite, then tools/embed-ui.py.

usage: build-ui.py [--optional] NODE NPM SOURCE WORK OUTPUT.c DEPFILE

Nothing is written into SOURCE. With --optional a failure of npm (no network) gives a program
without the web UI and a warning; wrong types and a broken build are errors in any case.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

NOT_SOURCE = {"node_modules", "dist"}
TOOLS = pathlib.Path(__file__).resolve().parent


def sources(source):
    for path in sorted(source.rglob("*")):
        if NOT_SOURCE.isdisjoint(path.relative_to(source).parts):
            yield path


def copy(source, work):
    work.mkdir(parents=True, exist_ok=True)
    for path in work.iterdir():
        if path.name == "node_modules":
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in sources(source):
        to = work / path.relative_to(source)
        if path.is_dir():
            to.mkdir()
        else:
            shutil.copyfile(path, to)


def run(what, argv, work):
    """None, or what it said."""
    env = dict(os.environ, CI="1", NO_COLOR="1", NO_UPDATE_NOTIFIER="1")
    p = subprocess.run(argv, cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace")
    return None if p.returncode == 0 else f"{what} failed:\n{p.stdout.strip()}"


def packages(node, npm, work):
    """The packages of the lock file; what is there already is kept."""
    version = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=True).stdout
    wanted = hashlib.sha256((work / "package-lock.json").read_bytes() + version).hexdigest()
    stamp = work / "node_modules/.cocket"
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    shutil.rmtree(work / "node_modules", ignore_errors=True)
    said = run("npm ci", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                          "--fetch-retries=1", "--fetch-timeout=30000"], work)
    if not said:
        stamp.write_text(wanted)
    return said


def main():
    args = sys.argv[1:]
    optional = args[0] == "--optional"
    node, npm, source, work, output, depfile = args[optional:]
    source, work = pathlib.Path(source), pathlib.Path(work)
    copy(source, work)
    names = [str(p).replace(" ", "\\ ") for p in [source, *sources(source)]]
    pathlib.Path(depfile).write_text(f"{output}: {' '.join(names)}\n")

    said = packages(node, npm, work)
    if said and not optional:
        sys.exit(f"the web UI cannot be built: {said}\n"
                 "-Dui=disabled builds a cocket without it.")
    if said:
        print(f"warning: this cocket has no web UI: {said}\n"
              "(-Dui=enabled makes that an error; touch web/package.json to try again.)")
        subprocess.run([sys.executable, TOOLS / "embed-ui.py", output], check=True)
        return
    said = (run("the check of the types", [node, "node_modules/typescript/bin/tsc"], work) or
            run("vite", [node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"],
                work))
    if said:
        sys.exit(f"the web UI cannot be built: {said}")
    subprocess.run([sys.executable, TOOLS / "embed-ui.py", output, work / "dist"], check=True)


main()
