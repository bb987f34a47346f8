#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the scripts that guard the sources: each must refuse what it is there to refuse.

Every case writes one file into a copy of the rules and says what the script must answer.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# (name, file, content, what the answer must contain; None: it must be accepted)
INCLUDES = [
    ("what_stands_above", "src/scan/x.c", '#include "base/err.h"\n', None),
    ("own_folder", "src/advisory/feed/x.c", '#include "advisory/feed/feed.h"\n', None),
    ("what_stands_below", "src/base/x.c", '#include "proc/spawn.h"\n', "stands below"),
    ("a_wall_by_user", "src/scan/x.c", '#include "advisory/feed/osv.h"\n', "may not be used by"),
    ("a_wall_by_use", "src/update/x.c", '#include "image/image.h"\n#include "layer/index.h"\n',
     "`layer` may not be used by `update`"),
    ("hub_reads_tar", "src/scan/x.c", '#include "layer/tar.h"\n', "only layer, advisory/feed, room"),
    ("parser_opens_network", "src/detect/x.c", "#include <curl/curl.h>\n", "only room may"),
    ("test_with_library", "src/detect/test_x.c", "#include <seccomp.h>\n", None),
    ("test_with_walled_header", "src/scan/test_x.c", '#include "layer/tar.h"\n', "only layer"),
    ("parser_spawns", "src/detect/x.c", '# include "proc/spawn.h"\n', "may not be used by"),
    ("harness_in_program", "src/detect/x.c", '#include "base/unit.h"\n', "only tests"),
    ("harness_in_test", "src/detect/test_x.c", '#include "base/unit.h"\n', None),
    ("header_without_folder", "src/detect/x.c", '#include "facts.h"\n', "with their folder"),
    ("unknown_folder", "src/extra/x.c", "int x;\n", "is no folder"),
]
STYLE = [
    ("plain", "src/base/x.c", "int x;\n", None),
    ("101_columns", "src/base/x.c", "/*" + "x" * 97 + "*/\n", "101 columns"),
    ("100_columns", "src/base/x.c", "/*" + "x" * 96 + "*/\n", None),
    ("tab", "src/base/x.c", "\tint x;\n", "a tab"),
    ("trailing_blanks", "src/base/x.c", "int x; \n", "blanks at the end"),
    ("no_final_newline", "src/base/x.c", "int x;", "no newline"),
    ("function_of_81_lines", "src/base/x.c", "int f(void)\n{\n" + "    ;\n" * 79 + "}\n",
     "81 lines, at most 80"),
    ("function_of_80_lines", "src/base/x.c", "int f(void)\n{\n" + "    ;\n" * 78 + "}\n", None),
    ("file_too_long", "src/base/x.c", "int x;\n" * 701, "at most 700"),
    ("strcpy", "src/base/x.c", "    strcpy(a, b);\n", "strcpy: copies"),
    ("strcpy_in_a_comment", "src/base/x.c", "/* strcpy(a, b) */\n", None),
    ("strcpy_in_a_string", "src/base/x.c", 'x = "strcpy(";\n', None),
    ("snprintf_is_no_sprintf", "src/base/x.c", "    snprintf(a, 1, b);\n", None),
    ("system_in_program", "src/base/x.c", "    system(a);\n", "runs a shell"),
    ("system_in_test", "src/base/test_x.c", "    system(a);\n", None),
]
HELP = [
    ("plain", "x.1.scd", "x(1)\n\n# OPTIONS\n\n*-a* _B_C_++\nd\n", None),
    ("table", "x.1.scd", "x(1)\n\n# A\n\n[ a\n:  b\n", "tables are not known"),
    ("numbered", "x.1.scd", "x(1)\n\n# A\n\n. a\n", "numbered lists"),
    ("open_literal", "x.1.scd", "x(1)\n\n# A\n\n```\na\n", "does not end"),
    ("wide_literal", "x.1.scd", "x(1)\n\n# A\n\n```\n" + "x" * 80 + "\n```\n", "not for a terminal"),
]


def run(command):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def place(work, name, content):
    path = work / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def case(script, name, path, content, want):
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        shutil.copy(ROOT / "ARCHITECTURE.md", work)
        file = place(work, path, content)
        tool = work / "tools" / script
        tool.parent.mkdir()
        shutil.copy(ROOT / "tools" / script, tool)
        status, answer = run([tool, "--print", file] if script == "genhelp.py" else [tool])
    good = status == 0 if want is None else status != 0 and want in answer
    print(f"{'ok' if good else 'not ok'} {script} {'accepts' if want is None else 'refuses'} {name}")
    if not good:
        print(f"# exit status {status}: {answer}")
    return good


def counts_only_fall():
    """A known breach passes; a second one fails; none left fails until the count is lowered."""
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        tool = place(work, "tools/checksrc.py", (ROOT / "tools/checksrc.py").read_text())
        place(work, "src/base/x.c", "\tint x;\n")
        answers = [run([tool])[0], run([tool, "--accept"])[0], run([tool])[0]]
        place(work, "src/base/x.c", "\tint x;\n\tint y;\n")
        answers += [run([tool])[0], run([tool, "--update"])[0], run([tool])[0]]
        place(work, "src/base/x.c", "int x;\n")
        answers += [run([tool])[0], run([tool, "--update"])[0], run([tool])[0]]
    good = answers == [1, 0, 0, 1, 1, 1, 1, 0, 0]
    print(f"{'ok' if good else 'not ok'} checksrc.py lets known counts only fall")
    if not good:
        print(f"# {answers}")
    return good


def hostile_results():
    """RESULTS.md lists every case of the corpus and no other, with a status that the case allows."""
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(ROOT / "tests/hostile"), str(ROOT / "tools")]
    import make  # pylint: disable=import-outside-toplevel
    import results  # pylint: disable=import-outside-toplevel
    import rows  # pylint: disable=import-outside-toplevel
    wanted = {n: str(c["status"]) for n, c in make.CASES.items()}
    wanted.update({n: c["status"] for n, c in make.cases_registries.CASES.items()})
    wanted.update({n: status for n, _, status, _ in make.lies()})
    listed = results.read_results()
    wrong = [f"{n} is not listed" for n in wanted if n not in listed]
    wrong += [f"{n} is listed and no case" for n in listed if n not in wanted]
    wrong += [f"{n}: status {s}, not {wanted[n]}" for n, s in listed.items()
              if n in wanted and str(s) not in wanted[n].split(",")]
    wrong += rows.problems(list(make.CASES), make.cases_registries.CASES)
    print(f"{'not ok' if wrong else 'ok'} RESULTS.md holds the corpus, and every row has its cases")
    if wrong:
        print(f"# {len(wrong)}: {'; '.join(wrong[:10])}")
    return not wrong


def main():
    good = [case("check-includes.py", *c) for c in INCLUDES]
    good += [case("checksrc.py", *c) for c in STYLE]
    good += [case("genhelp.py", *c) for c in HELP]
    good.append(counts_only_fall())
    good.append(hostile_results())
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
