#!/usr/bin/python3
"""Makes the OCI layouts that the command line tests scan.

  images.py tree OUT TAG DIR...         one layer a directory, lowest first; adds TAG where OUT is there
  images.py wrap OUT TAG LAYER.tar.gz   the file itself is the layer
  images.py multi OUT TAG PLATFORM=DIR...   an index with one image a platform, and an attestation
  images.py dpkg NAME=VERSION...        prints a dpkg status file; NAME/SOURCE(SVERSION)=VERSION names a source
  images.py debian DIR VERSION_ID STATUS    a directory with os-release and this status file
"""
import gzip
import io
import json
import os
import re
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../hostile'))
from forge import OCI, Image, Layer, config, descriptor, sha256  # noqa: E402

MANIFEST, INDEX = OCI + 'manifest.v1+json', OCI + 'index.v1+json'
REF_NAME = 'org.opencontainers.image.ref.name'


def tar_of(folder):
    """A directory's tar: sorted, owned by root, one time for all."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.GNU_FORMAT) as t:
        for base, dirs, files in os.walk(folder):
            dirs.sort()
            for name in sorted(dirs + files):
                path = os.path.join(base, name)
                info = t.gettarinfo(path, os.path.relpath(path, folder))
                info.uid = info.gid = info.mtime = 0
                info.uname = info.gname = 'root'
                with open(path, 'rb') if info.isreg() else io.BytesIO() as f:
                    t.addfile(info, f if info.isreg() else None)
    return out.getvalue()


def store(out, blobs):
    for path, data in blobs.items():
        path = os.path.join(out, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)


def image(layers, os_='linux', arch='amd64', variant=None):
    """(descriptor with platform, blobs) of an image."""
    im = Image(*layers)
    im.config = config(im.layers, os=os_, architecture=arch, **({'variant': variant} if variant else {}))
    manifest = im.add(im.make_manifest())
    platform = {'os': os_, 'architecture': arch, **({'variant': variant} if variant else {})}
    return descriptor(manifest, MANIFEST, platform=platform), im.blobs


def write(out, tag, d, blobs):
    """Stores the image and names it in index.json."""
    index = {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': []}
    path = os.path.join(out, 'index.json')
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            index = json.load(f)
    index['manifests'].append({**d, 'annotations': {REF_NAME: tag}})
    store(out, {**blobs, 'index.json': json.dumps(index).encode(),
                'oci-layout': b'{"imageLayoutVersion":"1.0.0"}'})


def tree(out, tag, *folders):
    write(out, tag, *image([tar_of(f) for f in folders]))


def wrap(out, tag, path):
    with open(path, 'rb') as f:
        blob = f.read()
    content = gzip.decompress(blob)
    write(out, tag, *image([Layer(content, blob=blob)]))


def multi(out, tag, *platforms):
    blobs, found = {}, []
    for p in platforms:
        name, _, folder = p.partition('=')
        os_, arch, *variant = name.split('/')
        d, more = image([tar_of(folder)], os_, arch, variant[0] if variant else None)
        found.append(d)
        blobs.update(more)
    statement = json.dumps({'_type': 'https://in-toto.io/Statement/v0.1'}).encode()
    attest, more = image([Layer(statement, kind='none', media='application/vnd.in-toto+json')],
                         'unknown', 'unknown')
    attest['annotations'] = {'vnd.docker.reference.type': 'attestation-manifest',
                             'vnd.docker.reference.digest': found[0]['digest']}
    blobs.update(more)
    inner = json.dumps({'schemaVersion': 2, 'mediaType': INDEX,
                        'manifests': found + [attest]}).encode()
    blobs['blobs/' + sha256(inner).replace(':', '/')] = inner
    write(out, tag, descriptor(inner, INDEX), blobs)


def dpkg(*packages):
    for p in packages:
        name, version = p.split('=')
        m = re.match(r'([^/]+)/([^(]+)(?:\((.*)\))?$', name)
        source = ''
        if m:
            name = m.group(1)
            source = f'Source: {m.group(2)}' + (f' ({m.group(3)})' if m.group(3) else '') + '\n'
        print(f'Package: {name}\nStatus: install ok installed\n{source}Architecture: amd64\n'
              f'Version: {version}\nDescription: {name}\n')


def debian(folder, version, status):
    names = {'11': 'bullseye', '12': 'bookworm', '13': 'trixie'}
    os.makedirs(folder + '/etc', exist_ok=True)
    os.makedirs(folder + '/var/lib/dpkg', exist_ok=True)
    with open(folder + '/etc/os-release', 'w', encoding='utf-8') as f:
        f.write(f'PRETTY_NAME="Debian GNU/Linux {version} ({names[version]})"\nNAME="Debian GNU/Linux"\n'
                f'VERSION_ID="{version}"\nVERSION_CODENAME={names[version]}\nID=debian\n')
    with open(status, 'rb') as f, open(folder + '/var/lib/dpkg/status', 'wb') as g:
        g.write(f.read())


if __name__ == '__main__':
    {'tree': tree, 'wrap': wrap, 'multi': multi, 'dpkg': dpkg, 'debian': debian}[sys.argv[1]](*sys.argv[2:])
