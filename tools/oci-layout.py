#!/usr/bin/python3
"""Makes an OCI layout with one gzip layer of a root file system's tar.

  oci-layout.py TAR DIR [OPTION...]

  --tag NAME       the tag (default: latest)
  --step TEXT      the history line that made the layer
  --level N        gzip's level (default: 6, as docker)
  --architecture A Debian's or Go's word for it (default: this machine's)
Streams: memory does not grow with the image. The same tar gives the same layout. An old layout
at DIR is replaced when the new one is complete.
"""
import argparse
import hashlib
import json
import os
import platform
import shutil
import struct
import zlib

GO_ARCH = {'x86_64': 'amd64', 'aarch64': 'arm64', 'armv7l': 'arm', 'armhf': 'arm', 'armel': 'arm',
           'i386': '386', 'i686': '386', 'ppc64el': 'ppc64le'}
OCI = 'application/vnd.oci.image.'


def compress(tar, path, level):
    """tar -> gzip file at path; gives (diff_id, digest, size)."""
    inner, outer, size, crc, length = hashlib.sha256(), hashlib.sha256(), 0, 0, 0
    z = zlib.compressobj(level, zlib.DEFLATED, -15)
    with open(tar, 'rb') as src, open(path, 'wb') as dst:
        def put(data):
            nonlocal size
            outer.update(data)
            size += len(data)
            dst.write(data)
        put(b'\x1f\x8b\x08\0\0\0\0\0\0\xff')
        while True:
            piece = src.read(1 << 20)
            if not piece:
                break
            inner.update(piece)
            crc, length = zlib.crc32(piece, crc), length + len(piece)
            put(z.compress(piece))
        put(z.flush())
        put(struct.pack('<II', crc, length & 0xffffffff))
    return inner.hexdigest(), outer.hexdigest(), size


def add(blobs, doc, media):
    """Stores a document; gives its descriptor."""
    data = json.dumps(doc, sort_keys=True, separators=(',', ':')).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), 'wb') as f:
        f.write(data)
    return {'mediaType': media, 'digest': 'sha256:' + digest, 'size': len(data)}


def build(args, folder):
    blobs = os.path.join(folder, 'blobs/sha256')
    os.makedirs(blobs)
    partial = os.path.join(folder, 'layer')
    diff, digest, size = compress(args.tar, partial, args.level)
    os.rename(partial, os.path.join(blobs, digest))
    created = '2020-01-01T00:00:00Z'  # of nothing in particular, but the same each time
    machine = {'architecture': GO_ARCH.get(args.architecture, args.architecture), 'os': 'linux'}
    config = add(blobs, {**machine, 'created': created, 'config': {'Cmd': ['bash']},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + diff]},
                         'history': [{'created': created, 'created_by': args.step}]},
                 OCI + 'config.v1+json')
    layer = {'mediaType': OCI + 'layer.v1.tar+gzip', 'digest': 'sha256:' + digest, 'size': size}
    manifest = add(blobs, {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
                           'config': config, 'layers': [layer]}, OCI + 'manifest.v1+json')
    manifest.update(platform=machine, annotations={'org.opencontainers.image.ref.name': args.tag})
    with open(os.path.join(folder, 'index.json'), 'w', encoding='utf-8') as f:
        index = {'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': [manifest]}
        json.dump(index, f)
    with open(os.path.join(folder, 'oci-layout'), 'w', encoding='utf-8') as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument('tar')
    ap.add_argument('dir')
    ap.add_argument('--tag', default='latest')
    ap.add_argument('--step', default='ADD rootfs.tar /')
    ap.add_argument('--level', type=int, default=6)
    ap.add_argument('--architecture', default=platform.machine())
    args = ap.parse_args()
    partial = args.dir.rstrip('/') + '.partial'
    shutil.rmtree(partial, ignore_errors=True)
    build(args, partial)
    shutil.rmtree(args.dir, ignore_errors=True)
    os.rename(partial, args.dir)


if __name__ == '__main__':
    main()
