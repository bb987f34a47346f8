#!/usr/bin/python3
"""Builds the hostile corpus: `make.py DIR [NAME...]` writes one folder a case.

`make.py --publish DIR` writes those that are an OCI layout or an archive, for other tools to be run on, with
corpus.json (every case: name, rows, kind, reference, statuses and reason) and a README.md.

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
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases_archives  # noqa: E402,F401
import cases_databases  # noqa: E402,F401
import cases_layers  # noqa: E402,F401
import cases_manifests  # noqa: E402,F401
import cases_rows  # noqa: E402,F401
import cases_registries  # noqa: E402
from corpus import CASES, write_case  # noqa: E402
from lies import lies  # noqa: E402
from rows import rows_of  # noqa: E402

PUBLISHED = ('oci', 'oci-archive', 'docker-archive')
README = """# Hostile container images

{count} cases, each a folder: an OCI layout (`oci/`) or an archive (`image.tar...`) that attacks whoever reads
it, or that is odd but legal. `should-fail-*` must be refused; `should-pass-*` must be read, or what could
not be read must be said. `expect` in each folder holds what cocket must do, `corpus.json` the same of all:

- `name`, `rows` (of the list of hostile inputs), `kind`, `reference` (as containers-transports(5) writes it,
  relative to the folder), `status` (cocket's exit statuses that are right: 0 read, 3 cannot be had, 4
  hostile), `reason` (an extended regular expression, any case, of what must be said),
  `what` (the attack in words, or null).
- Entries of the kind `registry` are no files but server scripts: `tests/hostile/serve.py NAME` of the sources
  starts one and prints its reference.

Run a tool on a copy, as a user of no rights, with limits: some of these write outside, fill the disk or the
memory, or never end where a reader is not careful.

    cd should-fail-dotdot-name
    ulimit -f 2000000 -t 20
    skopeo --insecure-policy copy oci:oci dir:/tmp/out
    syft oci-dir:oci
    podman --root /tmp/root --runroot /tmp/run --storage-driver vfs pull oci:oci
    podman --root /tmp/root --runroot /tmp/run --storage-driver vfs load -i image.tar
    # umoci wants a tag: give the only manifest of index.json one first
    jq '.manifests[0].annotations = {{"org.opencontainers.image.ref.name": "x"}}' oci/index.json >i && mv i oci/index.json
    umoci unpack --rootless --image oci:x /tmp/bundle

For all of them at once: `tests/hostile/results.py` of the sources, which wrote `RESULTS.md`. Everything here was
built by `tests/hostile/make.py --publish`; the same sources give the same bytes.
"""


def about(case):
    """The attack in words, where its name does not say it all."""
    return ' '.join((case['make'].__doc__ or '').split()) or None


def entries():
    """All cases as corpus.json has them; those of CASES must have been built."""
    names = list(CASES)
    for name, c in sorted(CASES.items()):
        yield {'name': name, 'rows': rows_of(name, names, cases_registries.CASES), 'kind': c['kind'],
               'reference': c['reference'], 'status': str(c['status']), 'reason': c['reason'], 'what': about(c)}
    for name, c in sorted(cases_registries.CASES.items()):
        yield {'name': name, 'rows': sorted(c['row']), 'kind': 'registry', 'reference': 'docker://HOST/demo:1',
               'status': c['status'], 'reason': c['reason'] or c['says'],
               'what': about(c)}
    for name, _, status, _ in lies():
        yield {'name': name, 'rows': [42], 'kind': 'registry', 'reference': 'docker://HOST/demo:1',
               'status': status, 'reason': None, 'what': None}


def build(target, name):
    folder = os.path.join(target, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    write_case(folder, CASES[name])
    return folder


def publish(target):
    for name in sorted(CASES):
        folder = build(target, name)
        made = os.path.exists(os.path.join(folder, CASES[name]['reference'].split(':')[1]))
        if CASES[name]['kind'] not in PUBLISHED or not made:
            shutil.rmtree(folder)
    listed = [e for e in entries() if e['kind'] == 'registry' or os.path.exists(os.path.join(target, e['name']))]
    with open(os.path.join(target, 'corpus.json'), 'w', encoding='ascii') as f:
        json.dump({'version': 1, 'cases': listed}, f, indent=1)
        f.write('\n')
    with open(os.path.join(target, 'README.md'), 'w', encoding='ascii') as f:
        f.write(README.format(count=sum(e['kind'] != 'registry' for e in listed)))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == '--publish':
        os.makedirs(sys.argv[2], exist_ok=True)
        publish(sys.argv[2])
        return
    for name in sorted(CASES):
        if not sys.argv[2:] or name in sys.argv[2:]:
            build(sys.argv[1], name)


if __name__ == '__main__':
    main()
