#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns manual pages (scdoc sources) into the texts of --help.

usage: genhelp.py OUTPUT.c PAGE.SECTION.scd...
       genhelp.py --print PAGE.SECTION.scd

The manual and the help have one source. Of scdoc(5) this reads what our pages use - headings,
paragraphs, tab indentation, lists, literal blocks, bold, underline, escapes, comments, "++" - and
refuses the rest, so that nothing is shown wrongly.
"""
import pathlib
import re
import sys
import textwrap

WIDTH = 79
STEP = 4
# What the help leaves to the manual.
MANUAL_ONLY = {"NAME", "FILES", "SEE ALSO"}


class Page:
    def __init__(self, path):
        self.path = path
        self.out = []
        self.gap = False  # an empty line is due before the next block
        self.fresh = True  # nothing stands below the last heading yet

    def refuse(self, number, what):
        sys.exit(f"{self.path}:{number}: {what}")


def plain(text):
    """Without markup. An underscore inside a word is one."""
    marks = re.compile(r"\\(.)|(\*)|(?<![A-Za-z0-9])(_)|(_)(?![A-Za-z0-9])", re.S)
    return marks.sub(lambda m: m.group(1) or "", text)


def blocks(page, lines):
    """(kind, indent, text, number of line) for each block, (blank) for empty lines."""
    literal = paragraph = None
    for number, line in enumerate(lines, 2):
        stripped = line.lstrip("\t")
        indent = len(line) - len(stripped)
        if literal is not None:
            if stripped == "```":
                yield "literal", literal[0], literal[1], number
                literal = None
            else:
                literal[1].append(re.sub(r"\\(.)", r"\1", line[literal[0]:]))
            continue
        continues = paragraph and paragraph[1] == indent and stripped and \
            not re.match(r"(- |\. |#|;|```)", stripped)
        if paragraph and not continues:
            yield paragraph
            paragraph = None
        if not stripped:
            yield "blank", 0, "", number
        elif stripped == "```":
            literal = (indent, [])
        elif stripped.startswith(";"):
            continue
        elif stripped.startswith("#"):
            yield "heading", stripped.count("#", 0, 2), stripped.lstrip("# "), number
        elif stripped[0] in "|[]":
            page.refuse(number, "tables are not known here")
        elif stripped.startswith(". "):
            page.refuse(number, "numbered lists are not known here")
        elif continues:
            paragraph = paragraph[:2] + (paragraph[2] + "\n" + stripped, paragraph[3])
        else:
            paragraph = ("text", indent, stripped, number)
    if literal is not None:
        page.refuse(literal[0], "a literal block does not end")
    if paragraph:
        yield paragraph


def fill(text, indent):
    first = rest = " " * (STEP * (indent + 1))
    if text.startswith("- "):
        text, first, rest = text[2:], first + "- ", rest + "  "
    lines = []
    for part in re.split(r"\+\+\n", text):
        lines += textwrap.wrap(plain(part), WIDTH, initial_indent=first,
                               subsequent_indent=rest,
                               break_on_hyphens=False, break_long_words=False)
        first = rest
    return lines


def render(path):
    page = Page(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    if not re.match(r"[a-z-]+\([0-9]\)", lines[0]):
        page.refuse(1, "no title")
    shown = True
    for kind, indent, text, number in blocks(page, lines[1:]):
        if kind == "heading":
            shown = indent > 1 or text not in MANUAL_ONLY
            if shown:
                page.out += ([""] if page.out else []) + [plain(text)]
            page.gap, page.fresh = False, True
        elif kind == "blank":
            page.gap = not page.fresh
        elif shown:
            page.out += [""] if page.gap else []
            if kind == "literal":
                page.out += [" " * (STEP * (indent + 1)) + l if l else "" for l in text]
            else:
                page.out += fill(text, indent)
            page.gap = page.fresh = False
    for line in page.out:
        if len(line) > 80 or not line.isascii():
            sys.exit(f"{path}: not for a terminal: {line}")
    return "\n".join(page.out) + "\n"


def c_string(text):
    escape = str.maketrans({"\\": "\\\\", '"': '\\"', "?": "\\?"})
    return "\n".join(f'    "{line.translate(escape)}\\n"' for line in text.split("\n")[:-1])


def main():
    if sys.argv[1] == "--print":
        sys.stdout.write(render(pathlib.Path(sys.argv[2])))
        return
    out = ["/* Made by tools/genhelp.py from doc/; do not edit. */",
           '#include "cmd/help.h"', "", "#include <string.h>", "",
           "/* C17 promises 4095 bytes; both compilers take far more. */",
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', ""]
    names = []
    for arg in sys.argv[2:]:
        path = pathlib.Path(arg)
        name = path.name.split(".")[0]
        ident = name.replace("-", "_")
        if name in dict(names):  # a verb's page stands first; what it refers to is in the manual
            continue
        out += [f"static const char {ident}[] =", c_string(render(path)) + ";", ""]
        names.append((name, ident))
    out += ["static const struct {", "    const char *page, *text;", "} pages[] = {"]
    out += [f'    {{ "{name}", {ident} }},' for name, ident in names]
    out += ["};", "", "const char *ck_help_text(const char *page)", "{",
            "    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)",
            "        if (strcmp(pages[i].page, page) == 0)",
            "            return pages[i].text;", "    return NULL;", "}", ""]
    pathlib.Path(sys.argv[1]).write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    main()
