#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks every #include of src/ against the folders and walls that ARCHITECTURE.md states.

usage: check-includes.py [ROOT]

Exit status 1, with one line a breach, where the two disagree.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
FOLDER = re.compile(r"^- `([a-z/]+)`: (.*)$")
WALL = re.compile(r"^- `([a-z0-9_/.-]+\.h)`: ([a-z/, ]+)$")
# Tests may use the harness; nothing else may.
HARNESS = "base/unit.h"


def names(text):
    words = re.split(r"[,\s]+", text.strip(" .\n"))
    return [w for w in words if w and w != "-"]


class Folder:
    def __init__(self, name, rank, text):
        said = re.search(r"May be used by: (.*?)\.? May not use: (.*)$", text)
        if not said:
            sys.exit(f"ARCHITECTURE.md: `{name}` does not say by whom it may be used and what it "
                     f"may not use")
        self.name, self.rank = name, rank
        self.users, self.forbidden = names(said.group(1)), names(said.group(2))

    def serves(self, user):
        return self.users == ["everything"] or user in self.users


def section(text, title):
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", text, re.M | re.S)
    if not found:
        sys.exit(f"ARCHITECTURE.md: no section '{title}'")
    return found.group(1)


def entries(text):
    """The items of a list, each in one line."""
    items = []
    for line in text.split("\n"):
        if line.startswith("- "):
            items.append(line)
        elif items and line.startswith("  "):
            items[-1] += " " + line.strip()
    return items


def read_architecture(root):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders, walls = {}, {}
    for item in entries(section(text, "The folders")):
        name, said = FOLDER.match(item).groups()
        folders[name] = Folder(name, len(folders), said)
    for item in entries(section(text, "Headers with walls of their own")):
        header, users = WALL.match(item).groups()
        walls[header] = names(users)
    for name in {n for f in folders.values() for n in f.users + f.forbidden} | \
            {n for users in walls.values() for n in users}:
        if name not in folders and name != "everything":
            sys.exit(f"ARCHITECTURE.md: `{name}` is no folder")
    for folder in folders.values():
        for user in folder.users:
            if user != "everything" and folders[user].rank <= folder.rank:
                sys.exit(f"ARCHITECTURE.md: `{folder.name}` may be used by `{user}`, which does "
                         f"not stand below it")
    return folders, walls


def verdict(folders, walls, path, user, header, local):
    """Why this include is none that ARCHITECTURE.md allows, or None."""
    test = path.name.startswith(("test_", "fuzz_", "unit_"))
    if header in walls and user not in walls[header] and (local or not test):
        return f"only {', '.join(walls[header])} may include it"
    if not local:
        return None
    if "/" not in header:
        return "headers are named with their folder"
    if header == HARNESS:
        return None if test or path.name == "unit.h" else "only tests may include it"
    used = header.rsplit("/", 1)[0]
    if used == user:
        return None
    if used not in folders:
        return f"`{used}` is no folder of ARCHITECTURE.md"
    if folders[used].rank > folders[user].rank:
        return f"`{used}` stands below `{user}`"
    if not folders[used].serves(user):
        return f"`{used}` may not be used by `{user}`"
    if used in folders[user].forbidden:
        return f"`{user}` may not use `{used}`"
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if len(sys.argv) > 1 else root.parent.parent
    folders, walls = read_architecture(root)
    breaches, count = [], 0
    for path in sorted((root / "src").rglob("*.[ch]")):
        user = path.parent.relative_to(root / "src").as_posix()
        where = path.relative_to(root)
        if user not in folders:
            breaches.append(f"{where}: `{user}` is no folder of ARCHITECTURE.md")
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            local, header = match.group(1) is not None, match.group(1) or match.group(2)
            count += 1
            why = verdict(folders, walls, path, user, header, local)
            if why:
                line = text.count("\n", 0, match.start(0) + 1) + 1
                breaches.append(f"{where}:{line}: {header}: {why}")
    for breach in breaches:
        print(breach)
    print(f"includes: {count} checked, {len(breaches)} against ARCHITECTURE.md")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
