#!/usr/bin/python3
"""Builds the hostile corpus: `make.py DIR [NAME...]` writes one folder a case.

A folder holds the image and a file `expect`, lines of "key value":
  ref REF           what to scan, relative to the folder
  status N[,N]      exit statuses that are right
  reason ERE        must be found in what the program says (case-insensitive), where it fails
  package N V [L]   must be listed, with this version and, if given, this layer (0 is the lowest)
  no-package N      must not be listed
  packages N        so many packages are listed
  distro ID VER     what os-release says
  gap ERE           assessment.complete is false and a gap says this
  complete BOOL     assessment.complete (should-pass-* cases: true, unless they say otherwise)
  arg A             a further argument of `scan`
Names state the attack: should-fail-* must be refused, should-pass-* is odd but legal (or a lie that
costs no more than a gap). The cases stand in cases_*.py; python's standard library only.
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases_archives  # noqa: E402,F401
import cases_databases  # noqa: E402,F401
import cases_layers  # noqa: E402,F401
import cases_manifests  # noqa: E402,F401
from corpus import CASES, write_case  # noqa: E402


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    target, wanted = sys.argv[1], sys.argv[2:]
    for name, case in sorted(CASES.items()):
        if wanted and name not in wanted:
            continue
        folder = os.path.join(target, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        write_case(folder, case)


if __name__ == '__main__':
    main()
