"""The forge of the hostile corpus: writers for tar, gzip, zstd, rpm databases and OCI layouts that
write what they are told, also where it is a lie. Python's standard library only; same output each time.
"""
import gzip
import hashlib
import json
import os
import sqlite3
import struct
import zlib

BLOCK = 512


def sha256(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


# --- tar ----------------------------------------------------------------------------------------

def octal(value, width):
    return b'%0*o\0' % (width - 1, value)


def base256(value, width):
    """GNU base-256: the top bit set, big-endian two's complement."""
    raw = value.to_bytes(width, 'big', signed=True) if value < 0 else value.to_bytes(width, 'big')
    return bytes([raw[0] | 0x80]) + raw[1:] if value >= 0 else raw


def header(name, size=0, typ=b'0', link=b'', mode=0o644, magic=b'ustar\x0000', prefix=b'', uid=0,
           size_field=None, mode_field=None, checksum=None, dev=(0, 0), tail=None):
    """One tar header block. The ..._field arguments replace the encoded field as a whole."""
    name, link = enc(name), enc(link)
    sized = size_field if size_field is not None else octal(size, 12)
    h = (name[:100].ljust(100, b'\0') + (mode_field or octal(mode, 8)) + octal(uid, 8) + octal(0, 8)
         + sized.ljust(12, b'\0') + octal(1700000000, 12) + b' ' * 8 + typ
         + link[:100].ljust(100, b'\0') + magic + b'root'.ljust(32, b'\0')
         + b'root'.ljust(32, b'\0') + octal(dev[0], 8) + octal(dev[1], 8))
    rest = tail if tail is not None else enc(prefix)
    h = (h + rest).ljust(BLOCK, b'\0')
    total = sum(h) if checksum is None else checksum
    return h[:148] + b'%06o\0 ' % total + h[156:]


def enc(text):
    return text.encode('utf-8') if isinstance(text, str) else text


def pad(data):
    return data + b'\0' * (-len(data) % BLOCK)


def file(name, data=b'', **kw):
    data = enc(data)
    return header(name, len(data), **kw) + pad(data)


def directory(name, **kw):
    return header(name if enc(name).endswith(b'/') else name + '/', typ=b'5', mode=0o755, **kw)


def symlink(name, target, **kw):
    return header(name, typ=b'2', link=target, mode=0o777, **kw)


def hardlink(name, target, **kw):
    return header(name, typ=b'1', link=target, **kw)


def pax_record(key, value):
    body = b' ' + enc(key) + b'=' + enc(value) + b'\n'
    n = len(body)
    while len(b'%d' % n) + len(body) != n:
        n = len(b'%d' % n) + len(body)
    return b'%d' % n + body


def pax(records, typ=b'x', raw=None):
    data = raw if raw is not None else b''.join(pax_record(k, v) for k, v in records)
    return header('././@PaxHeader', len(data), typ=typ) + pad(data)


def gnu_long(text, typ=b'L'):
    data = enc(text) + b'\0'
    return header('././@LongLink', len(data), typ=typ, magic=b'ustar  \0') + pad(data)


def tar(*members, end=True):
    return b''.join(members) + (b'\0' * 1024 if end else b'')


def gnu_sparse_header(name, entries, real, stored):
    """Old GNU sparse: four extents in the header, 21 in each extension block."""
    def extent(pair):
        return octal(pair[0], 12) + octal(pair[1], 12)
    first, rest = entries[:4], entries[4:]
    tail = b'\0' * 41 + b''.join(extent(e) for e in first).ljust(96, b'\0')
    tail += (b'\1' if rest else b'\0') + octal(real, 12)
    out = [header(name, stored, typ=b'S', magic=b'ustar  \0', tail=tail)]
    for at in range(0, len(rest), 21):
        more = b'\1' if at + 21 < len(rest) else b'\0'
        block = b''.join(extent(e) for e in rest[at:at + 21]).ljust(504, b'\0') + more
        out.append(block.ljust(BLOCK, b'\0'))
    return b''.join(out)


# --- compression --------------------------------------------------------------------------------

def gz(data):
    return gzip.compress(data, 6, mtime=0)


def gz_member(data, flags=0, extra=b''):
    """One gzip member with the header flags and fields given."""
    z = zlib.compressobj(6, zlib.DEFLATED, -15)
    head = b'\x1f\x8b\x08' + bytes([flags]) + b'\0\0\0\0\0\x03' + extra
    return (head + z.compress(data) + z.flush()
            + struct.pack('<II', zlib.crc32(data), len(data) & 0xffffffff))


def gz_zeros(head, total):
    """A gzip member of `head` and then zeros, `total` bytes in all, without compressing them one by
    one: a block of deflated zeros ends on a byte and may be repeated."""
    chunk = 1 << 20
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = z.compress(head) + z.flush(zlib.Z_FULL_FLUSH)
    unit = z.compress(b'\0' * chunk) + z.flush(zlib.Z_FULL_FLUSH)
    n = (total - len(head)) // chunk
    tail = z.flush()
    crc = zlib.crc32(head)
    zeros = b'\0' * chunk
    for _ in range(n):
        crc = zlib.crc32(zeros, crc)
    size = (len(head) + n * chunk) & 0xffffffff
    return (b'\x1f\x8b\x08\0\0\0\0\0\x02\x03' + start + unit * n + tail
            + struct.pack('<II', crc, size))


def zstd(data, window=None, last=True):
    """A zstd frame (RFC 8878) of raw blocks; single segment unless a window byte is given."""
    if window is None:
        out = [b'\x28\xb5\x2f\xfd\xa0', struct.pack('<I', len(data))]
    else:
        out = [b'\x28\xb5\x2f\xfd\x00', bytes([window])]
    step = 65536
    blocks = [data[i:i + step] for i in range(0, len(data), step)] or [b'']
    for i, b in enumerate(blocks):
        final = last and i == len(blocks) - 1
        out.append(struct.pack('<I', len(b) << 3 | final)[:3] + b)
    return b''.join(out)


def zstd_zeros(head, total):
    """A zstd frame of `head` raw and then zeros as RLE blocks of 128 KiB: 4 bytes each."""
    out = [b'\x28\xb5\x2f\xfd\x00', bytes([7 << 3])]  # window 2^17
    out.append(struct.pack('<I', len(head) << 3)[:3] + head)
    rle = 128 * 1024
    n = max(1, (total - len(head)) // rle)
    block = struct.pack('<I', rle << 3 | 1 << 1)[:3] + b'\0'
    out.append(block * (n - 1))
    out.append(struct.pack('<I', rle << 3 | 1 << 1 | 1)[:3] + b'\0')
    return b''.join(out)


def zstd_skippable(data, magic=0x184D2A50):
    return struct.pack('<II', magic, len(data)) + data


def xz_with_dictionary(data, code):
    """An xz file whose block header asks for the dictionary size `code` (40: 4 GiB - 1)."""
    import lzma
    raw = bytearray(lzma.compress(data, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, preset=0))
    size = (raw[12] + 1) * 4
    at = raw.index(b'\x21\x01', 12, 12 + size)
    raw[at + 2] = code
    crc = zlib.crc32(bytes(raw[12:12 + size - 4]))
    raw[12 + size - 4:12 + size] = struct.pack('<I', crc)
    return bytes(raw)


# --- package databases --------------------------------------------------------------------------

OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n' \
             'VERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'
ALPINE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.18.9\nPRETTY_NAME="Alpine Linux v3.18"\n'
FEDORA = 'NAME="AlmaLinux"\nVERSION="8.9"\nID="almalinux"\nID_LIKE="rhel centos fedora"\n' \
         'VERSION_ID="8.9"\nPRETTY_NAME="AlmaLinux 8.9"\n'


def dpkg(*packages, status='install ok installed'):
    """A dpkg status file of (name, version) pairs."""
    return '\n'.join(f'Package: {n}\nStatus: {status}\nPriority: optional\nSection: libs\n'
                     f'Maintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: {v}\n'
                     f'Description: {n}\n' for n, v in packages)


def apk(*packages):
    return ''.join(f'C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:{n}\nV:{v}\nA:x86_64\nS:1\nI:1\nT:{n}\n'
                   f'o:{n}\nF:usr/bin\nR:{n}\n\n' for n, v in packages)


def rpm_header(name, version='1.0', release='1.el8', epoch=None, source=None, il=None, dl=None,
               entries=None):
    """An rpm header blob as rpm databases store it; `il` and `dl` may lie."""
    tags = [(1000, 6, name), (1001, 6, version), (1002, 6, release), (1022, 6, 'x86_64'),
            (1044, 6, source or f'{name}-{version}-{release}.src.rpm')]
    if epoch is not None:
        tags.append((1003, 4, epoch))
    index, data = b'', b''
    for tag, typ, value in sorted(tags):
        if typ == 4:
            data += b'\0' * (-len(data) % 4)
            index += struct.pack('>IIII', tag, typ, len(data), 1)
            data += struct.pack('>I', value)
        else:
            index += struct.pack('>IIII', tag, typ, len(data), 1)
            data += enc(value) + b'\0'
    if entries:
        index += entries
    n = len(index) // 16
    return struct.pack('>II', n if il is None else il, len(data) if dl is None else dl) + index + data


def rpm_sqlite(headers, path):
    """An rpmdb.sqlite; `path` is a scratch file."""
    if os.path.exists(path):
        os.unlink(path)
    db = sqlite3.connect(path)
    db.execute('PRAGMA page_size=4096')
    db.execute("CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,"
               'blob BLOB NOT NULL)')
    db.execute("CREATE TABLE IF NOT EXISTS 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL,"
               'idx INTEGER NOT NULL)')
    for h in headers:
        db.execute('INSERT INTO Packages (blob) VALUES (?)', (h,))
    db.commit()
    db.close()
    with open(path, 'rb') as f:
        data = f.read()
    os.unlink(path)
    return data


def rpm_ndb(headers, slots=None, blob_length=None, offset=None):
    """A Packages.db of rpm's NDB back end: one page of slots, then the blobs in 16 byte blocks."""
    out = struct.pack('<IIIIIIII', 0x506d7052, 0, 1, 1 if slots is None else slots,
                      len(headers) + 1, 0, 0, 0)
    blobs, table, at = b'', b'', 4096 // 16
    for i, h in enumerate(headers, 1):
        n = len(h) if blob_length is None else blob_length
        body = struct.pack('<IIII', 0x53626c42, i, 1, n) + h
        body += b'\0' * (-(len(body) + 12) % 16)
        body += struct.pack('<III', zlib.adler32(body), n, 0x45626c42)
        table += struct.pack('<IIII', 0x746f6c53, i, at if offset is None else offset,
                             len(body) // 16)
        at += len(body) // 16
        blobs += body
    while len(out) + len(table) < 4096:
        table += struct.pack('<IIII', 0x746f6c53, 0, 0, 0)
    return out + table + blobs


def rpm_bdb(headers, items=None, next_loop=False, pages=None):
    """A Packages file of Berkeley DB's hash: page 0 metadata, page 1 the bucket, then overflow pages."""
    size = 4096
    room = size - 26
    bucket_items, overflow, page = [], [], 2
    key_of = [struct.pack('<I', i) for i in range(1, len(headers) + 1)]
    for key, h in zip(key_of, headers):
        chunks = [h[i:i + room] for i in range(0, len(h), room)]
        bucket_items.append(b'\x01' + key)
        bucket_items.append(b'\x03\0\0\0' + struct.pack('<II', page, len(h)))
        for n, c in enumerate(chunks):
            last = n == len(chunks) - 1
            follow = page if next_loop else (0 if last else page + 1)
            overflow.append(struct.pack('<QIIIHHBB', 0, page, 0, follow, 1, len(c), 0, 7)
                            .ljust(26, b'\0') + c.ljust(room, b'\0'))
            page += 1
    offsets, at, body = [], size, b''
    for item in bucket_items:
        at -= len(item)
        offsets.append(at)
        body = item + body
    n = len(bucket_items) if items is None else items
    bucket = struct.pack('<QIIIHHBB', 0, 1, 0, 0, n, at, 0, 13).ljust(26, b'\0')
    bucket += b''.join(struct.pack('<H', o) for o in offsets)
    bucket = bucket.ljust(at, b'\0') + body
    last = page - 1 if pages is None else pages
    meta = struct.pack('<QIIIIBBBBIIIIII', 0, 0, 0x061561, 9, size, 0, 8, 0, 0, 0, last, 0, 0, 1, 0)
    meta = meta.ljust(72, b'\0') + struct.pack('<IIIII', 0, 0, 0, 0, len(headers))
    meta += b'\0' * 4 + struct.pack('<I', 1)
    return meta.ljust(size, b'\0') + bucket + b''.join(overflow)


# --- images -------------------------------------------------------------------------------------

OCI = 'application/vnd.oci.image.'
LAYER_TYPE = {'gzip': OCI + 'layer.v1.tar+gzip', 'zstd': OCI + 'layer.v1.tar+zstd',
              'none': OCI + 'layer.v1.tar'}


class Layer:
    """One layer: its tar, the blob made of it, and what the documents say of them."""

    def __init__(self, content, kind='gzip', blob=None, media=None, diff=None, digest=None,
                 size=None, **extra):
        self.tar = content
        pack = {'gzip': gz, 'zstd': zstd, 'none': lambda d: d}[kind]
        self.blob = pack(content) if blob is None else blob
        self.media = LAYER_TYPE[kind] if media is None else media
        self.diff = sha256(content) if diff is None else diff
        self.digest = sha256(self.blob) if digest is None else digest
        self.size = len(self.blob) if size is None else size
        self.extra = extra

    def descriptor(self):
        return {'mediaType': self.media, 'digest': self.digest, 'size': self.size, **self.extra}


def dump(doc):
    return doc if isinstance(doc, bytes) else json.dumps(doc, separators=(',', ':')).encode()


def config(layers, **changes):
    doc = {'created': '2026-01-01T00:00:00Z', 'architecture': 'amd64', 'os': 'linux', 'config': {},
           'rootfs': {'type': 'layers', 'diff_ids': [layer.diff for layer in layers]},
           'history': [{'created': '2026-01-01T00:00:00Z', 'created_by': f'RUN step {i}'}
                       for i in range(len(layers))]}
    doc.update(changes)
    return doc


def descriptor(data, media, **extra):
    return {'mediaType': media, 'digest': sha256(data), 'size': len(data), **extra}


class Image:
    """An OCI image in parts that a case may replace before `layout` or `files` lays it out."""

    def __init__(self, *layers):
        self.layers = [x if isinstance(x, Layer) else Layer(x) for x in layers]
        self.config = config(self.layers)
        self.blobs = {}
        self.manifest = None
        self.index = None
        self.layout = b'{"imageLayoutVersion":"1.0.0"}'

    def add(self, data, digest=None):
        """Stores a blob and gives its digest."""
        data = dump(data)
        digest = digest or sha256(data)
        self.blobs['blobs/' + digest.replace(':', '/')] = data
        return data

    def make_manifest(self, **changes):
        for layer in self.layers:
            self.add(layer.blob, layer.digest)
        conf = self.add(self.config)
        doc = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
               'config': descriptor(conf, OCI + 'config.v1+json'),
               'layers': [layer.descriptor() for layer in self.layers]}
        doc.update(changes)
        return doc

    def files(self):
        """path -> bytes of the OCI layout."""
        manifest = self.add(self.manifest if self.manifest is not None else self.make_manifest())
        if self.index is None:
            self.index = {'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': [
                descriptor(manifest, OCI + 'manifest.v1+json',
                           platform={'os': 'linux', 'architecture': 'amd64'})]}
        out = {'oci-layout': self.layout, 'index.json': dump(self.index)}
        out.update(self.blobs)
        return out


def docker_archive(layers, manifest=None, conf=None, conf_name=None, extra=()):
    """Members of the legacy `docker save` layout: (name, bytes) pairs in order."""
    conf = dump(conf if conf is not None else config(layers))
    conf_name = conf_name or hashlib.sha256(conf).hexdigest() + '.json'
    names = [hashlib.sha256(b'layer %d' % i).hexdigest() + '/layer.tar'
             for i in range(len(layers))]
    if manifest is None:
        manifest = [{'Config': conf_name, 'RepoTags': ['demo:latest'], 'Layers': names}]
    members = [(n, layer.tar) for n, layer in zip(names, layers)]
    members += [(conf_name, conf), ('manifest.json', dump(manifest))]
    return members + list(extra)
