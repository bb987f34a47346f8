#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostile.py OUT: images that try to break a bill of materials, one OCI layout a folder below OUT, and
what is known to be wrong with their packages in OUT/osv.
"""
import io
import json
import os
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '../cli'), os.path.join(HERE, '../hostile')]
import forge  # noqa: E402
import images  # noqa: E402

SCRIPT = '</script><script>alert(1)</script>'
NAMES = [
    '"', "'", '\\', '\\"', '{"a":1}', '<!--', SCRIPT, '&amp;', 'a b', '../../etc/passwd', 'a/b', '/', '%', '%00',
    '%2F', 'a%zz', 'a?arch=x', 'a#b', 'a@1', 'a&distro=evil-1', 'a=b', 'a+b', 'a~b', 'a:b', 'a,b', "!'()*",
    'UPPER', 'Ünïcode', '漢字', '\u202egnp.exe', '\u00ad', '\x1b[2J', '\x7f', '\x01\x02', 'image', 'package-0',
    'SPDXRef-DOCUMENT', 'NOASSERTION', 'NONE', 'x' * 4000, '漢' * 1300, 'x' * 1024, 'x' * 1025,
]
ALPINE = 'ID=alpine\nVERSION_ID=3.18.0\nPRETTY_NAME="Alpine Linux v3.18"\n'
SYSTEMS = {
    'none': None, 'empty': '', 'script': f'ID="{SCRIPT}"\nVERSION_ID="{SCRIPT}"\nPRETTY_NAME="{SCRIPT}"\n',
    'slashes': 'ID=a/b\nVERSION_ID=/\n', 'slash': 'ID=/\n', 'dots': 'ID=..\nVERSION_ID=..\n',
    'upper': 'ID=Debian\nVERSION_ID=12\n', 'injecting': 'ID="debian?arch=x#y@z"\nVERSION_ID="1&epoch=2"\n',
    'blank': 'ID=" "\nVERSION_ID=" "\n', 'release-alone': 'VERSION_ID=12\n', 'code': 'ID=debian\nVERSION_CODENAME=sid\n',
    'long': f'ID={"x" * 4000}\nVERSION_ID={"1" * 4000}\n', 'control': 'ID="a\x01\x1b[31m"\nVERSION_ID="\x7f"\n',
}


def layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def put(folder, name, files, created_by=None, created=None):
    """An OCI layout of one layer, with what its config says of time and history."""
    im = forge.Image(layer(files))
    changes = {}
    if created is not None:
        changes['created'] = created
    if created_by is not None:
        changes['history'] = [{'created_by': created_by, 'comment': created_by}]
    im.config = forge.config(im.layers, os='linux', architecture='amd64', **changes)
    manifest = im.add(im.make_manifest())
    images.write(os.path.join(folder, name), 'latest', forge.descriptor(manifest, images.MANIFEST), im.blobs)


def apk(packages, system=ALPINE, **fields):
    """packages: (name, version)."""
    more = ''.join(f'{k}:{v}\n' for k, v in fields.items())
    files = {'lib/apk/db/installed': ''.join(f'P:{n}\nV:{v}\n{more}\n' for n, v in packages).encode()}
    if system is not None:
        files['etc/os-release'] = system.encode()
    return files


def dpkg(stanzas, system='ID=debian\nVERSION_ID=12\n'):
    text = ''.join(f'Package: {n}\nStatus: install ok installed\nArchitecture: {a}\n{s}Version: {v}\n\n'
                   for n, a, s, v in stanzas)
    files = {'var/lib/dpkg/status': text.encode()}
    if system is not None:
        files['etc/os-release'] = system.encode()
    return files


def rpms():
    headers = [forge.rpm_header(n, epoch=e, source=s) for n, e, s in (
        ('Upper', None, 'Upper-1.0-1.el8.src.rpm'), ('other', 1, 'source-2-3.src.rpm'), (SCRIPT, 4294967295, SCRIPT),
        ('a/b?c#d@e', 0, 'a b-1-2.src.rpm'))]
    with tempfile.TemporaryDirectory() as work:
        return forge.rpm_sqlite(headers, os.path.join(work, 'rpmdb.sqlite'))


def records(folder):
    """OSV records of `demo` whose every string is hostile, with each kind of score."""
    vectors = ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
               'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 'CVSS:3.0/AV:L/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
               'AV:N/AC:L/Au:N/C:P/I:P/A:P', None]
    urls = ['https://example.org/a b', f'https://example.org/"{SCRIPT}', 'http://example.org/\n%zz\u202e漢', 'javascript:alert(1)',
            None]
    os.makedirs(folder)
    for i, (vector, url) in enumerate(zip(vectors, urls)):
        kind = 'CVSS_V4' if vector and ':4' in vector else 'CVSS_V3' if vector and ':3' in vector else 'CVSS_V2'
        record = {
            'id': f'X-{i} {SCRIPT}"\\ \u202e漢', 'modified': '2026-01-01T00:00:00Z', 'aliases': [f'Y-{i} {SCRIPT}', '"'],
            'summary': SCRIPT, 'details': SCRIPT,
            'severity': [{'type': kind, 'score': vector}] if vector else [],
            'affected': [{'package': {'ecosystem': 'Alpine:v3.18', 'name': 'demo'},
                          'ranges': [{'type': 'ECOSYSTEM', 'events': [{'introduced': '0'}, {'fixed': '2.0-r0'}]}]}],
            'database_specific': {'url': url} if url else {}}
        with open(os.path.join(folder, f'X-{i}.json'), 'w', encoding='utf-8') as f:
            json.dump(record, f)


def main(out):
    put(out, 'apk-names', apk([(n, '1.0-r0') for n in NAMES]))
    put(out, 'apk-versions', apk([(f'p{i}', v) for i, v in enumerate(NAMES)], A=SCRIPT, o='a"b@c%'))
    put(out, 'deb-names', dpkg([(n, 'amd64', '', '1:1.0-1') for n in NAMES]))
    put(out, 'deb-sources', dpkg([(f'p{i}', n, f'Source: {n} ({n})\n', '1.0') for i, n in enumerate(NAMES)]))
    put(out, 'deb-two-arches', dpkg([('libc6', a, 'Source: glibc\n', '2.36-9+deb12u10') for a in ('amd64', 'i386')]))
    put(out, 'rpm', {'var/lib/rpm/rpmdb.sqlite': rpms(), 'etc/os-release': b'ID="almalinux"\nVERSION_ID="9.6"\n'})
    put(out, 'not-utf-8', {
        'lib/apk/db/installed': b'P:good\nV:1-r0\n\nP:b\xff\xfed\nV:\xc0\x80\n\n', 'etc/os-release': ALPINE.encode()})
    put(out, 'empty', {})
    for name, system in SYSTEMS.items():
        put(out, f'system-{name}', {**apk([('demo', '1.0-r0')], system), **dpkg([('demo', 'amd64', '', '1:1.0-1')], system)})
    for i, created in enumerate(('0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59',
                                 '1969-12-31T23:59:59Z', '2026-02-30T00:00:00Z', '')):
        put(out, f'created-{i}', apk([('demo', '1.0-r0')]), created=created)
    put(out, 'history', apk([('demo', '1.0-r0')]), created_by=SCRIPT + '"\\\x01\u202e')
    put(out, 'findings', apk([('demo', '1.0-r0'), ('demo-doc', '1.0-r0')], o='demo'))
    put(out, 'name "with\' <b>blanks\t漢 %41', apk([('demo', '1.0-r0')]))
    put(out, 'long-version', apk([('demo', '1.' + '0' * 1019 + '-r0'), ('demo-doc', '1.' + '0' * 1020 + '-r0')], o='demo'))
    put(out, os.fsdecode(b'path\xff'), apk([('demo', '1.0-r0')]))
    put(out, '10000', apk([(f'package-{i}', f'{i}.0-r0') for i in range(10000)]))
    records(os.path.join(out, 'osv'))


if __name__ == '__main__':
    main(sys.argv[1])
