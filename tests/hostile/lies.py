"""Every digest, size and type that a registry states, made a lie one after another.

An index, its manifest, its config and its two layers; of each, what the parent's descriptor says, what the
headers say, and the bytes. Parents are hashed anew, so that there is always just one lie.
"""
import json

from cases_layers import GOOD, debian
from forge import OCI, Image, Layer, descriptor, dpkg, dump, sha256
from registry import CONFIG, INDEX, MANIFEST, Answer

PARTS = ('index', 'manifest', 'config', 'layer0', 'layer1')
GZIP, ZSTD, PLAIN = (OCI + 'layer.v1.tar' + x for x in ('+gzip', '+zstd', ''))
TYPES = {'index': INDEX, 'manifest': MANIFEST, 'config': CONFIG, 'layer0': GZIP, 'layer1': GZIP}


def honest():
    return Image(GOOD, debian(status=dpkg(('demo', '1.0-1'), ('two', '2.0-1'))))


class Documents:
    """The image in parts; `build` puts it into a world with one descriptor changed."""

    def __init__(self):
        im = honest()
        self.manifest = im.make_manifest()
        self.bytes = {'config': im.blobs['blobs/' + self.manifest['config']['digest'].replace(':', '/')],
                      'layer0': im.layers[0].blob, 'layer1': im.layers[1].blob}
        self.digest = {}

    def descriptor(self, part):
        return {'config': lambda: self.manifest['config'], 'layer0': lambda: self.manifest['layers'][0],
                'layer1': lambda: self.manifest['layers'][1]}[part]()

    def build(self, w, part=None, **change):
        if part in ('config', 'layer0', 'layer1'):
            self.descriptor(part).update(change)
        self.bytes['manifest'] = dump(self.manifest)
        d = descriptor(self.bytes['manifest'], MANIFEST, platform={'os': 'linux', 'architecture': 'amd64'})
        if part == 'manifest':
            d.update(change)
        self.bytes['index'] = dump({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [d]})
        w.blobs, w.kinds = {}, {}
        for name, data in self.bytes.items():
            self.digest[name] = sha256(data)
        for name in ('config', 'layer0', 'layer1'):
            self.digest[name] = self.descriptor(name)['digest']
        self.digest['manifest'] = d['digest']
        for name in PARTS:  # what is asked for by a digest that lies is there: these bytes
            w.blobs.setdefault(self.digest[name], self.bytes[name])
            w.kinds.setdefault(self.digest[name], 'manifest' if name in ('index', 'manifest') else
                               name.rstrip('01'))
        w.top = w.tags['1'] = self.digest['index']
        w.layer = self.digest['layer0']


def other_digest(digest):
    return digest[:-1] + ('0' if digest[-1] != '0' else '1')


def descriptor_lies(doc, part):
    """(what, members of the descriptor)"""
    if part == 'manifest':
        probe = {'digest': sha256(dump(doc.manifest)), 'size': len(dump(doc.manifest))}
    else:
        probe = doc.descriptor(part)
    size = probe['size']
    yield 'digest-one-digit', {'digest': other_digest(probe['digest'])}
    sibling = {'manifest': 'config', 'config': 'layer0', 'layer0': 'layer1', 'layer1': 'layer0'}[part]
    yield f'digest-of-{sibling}', {'digest': doc.descriptor(sibling)['digest']}
    for what, value in (('plus-1', size + 1), ('minus-1', size - 1), ('zero', 0), ('double', size * 2),
                        ('one', 1), ('terabyte', 1 << 40)):
        yield 'size-' + what, {'size': value}
    types = {'manifest': (INDEX, CONFIG, GZIP), 'config': (MANIFEST, GZIP, INDEX)}.get(
        part, (PLAIN, ZSTD, CONFIG, MANIFEST))
    for media in types:
        yield 'type-' + media.split('.image.')[1].replace('.v1', '').replace('+json', '').replace('+', '-'), \
            {'mediaType': media}


def byte_lies(data, other):
    half = len(data) // 2
    yield 'first-bit', bytes([data[0] ^ 1]) + data[1:]
    yield 'middle-bit', data[:half] + bytes([data[half] ^ 1]) + data[half + 1:]
    yield 'last-bit', data[:-1] + bytes([data[-1] ^ 1])
    yield 'byte-more', data + b'\n'
    yield 'byte-less', data[:-1]
    yield 'half', data[:half]
    yield 'nothing', b''
    yield 'zeros', b'\0' * len(data)
    yield 'another', other


def serve_for(doc, part, change):
    """A hook on the requests for one part: by its digest, and the index also by its tag."""
    def hook(r, a):
        ref = r.path.rsplit('/', 1)[1]
        mine = ref == doc.digest[part] or (part == 'index' and ref == '1')
        return change(a) if mine and a.status in (200, 206) else a
    return hook


def replaced(data):
    def change(a):
        return Answer(200, data, a.headers)
    return change


def length_lie(by):
    def change(a):
        lines = ['HTTP/1.1 200 OK'] + [f'{n}: {v}' for n, v in a.headers]
        lines += [f'Content-Length: {len(a.body) + by}', 'Connection: close']
        return Answer(raw='\r\n'.join(lines).encode() + b'\r\n\r\n' + a.body)
    return change


def make_lie(part, spoil):
    """world -> the documents with one lie in them."""
    def make(w):
        doc = Documents()
        spoil(w, doc)
    make.part = part
    return make


def of_descriptor(part, what):
    def spoil(w, doc):
        doc.build(w, part, **dict(descriptor_lies(doc, part))[what])
    return spoil


def of_answer(part, change):
    def spoil(w, doc):
        doc.build(w)
        w.hook('any', serve_for(doc, part, change))
    return spoil


def of_bytes(part, what):
    def spoil(w, doc):
        doc.build(w)
        other = doc.bytes['layer1' if part == 'layer0' else 'layer0' if part == 'layer1' else
                          'manifest' if part != 'manifest' else 'index']
        w.hook('any', serve_for(doc, part, replaced(dict(byte_lies(doc.bytes[part], other))[what])))
    return spoil


def lies():
    """(name, make, statuses of fetch, statuses of scan)"""
    doc = Documents()
    doc.bytes['manifest'] = doc.bytes['index'] = b'{"just":"for the names"}'
    for part in PARTS[1:]:
        for what, _ in descriptor_lies(doc, part):
            layer = part.startswith('layer')
            # fetch decompresses nothing: a compression that is not what it is said to be is scan's find
            fetch = '0,4' if layer and what in ('type-layer.tar', 'type-layer.tar-zstd') else '3,4'
            yield f'lie-{part}-{what}', make_lie(part, of_descriptor(part, what)), fetch, \
                '4' if fetch == '0,4' else '3,4'
    for part in PARTS:
        for what, _ in byte_lies(b'0123456789', b'x'):
            # what ends early may be a line that broke, for a time
            status = '3,4' if what in ('byte-less', 'half', 'nothing') else '4'
            yield f'lie-{part}-bytes-{what}', make_lie(part, of_bytes(part, what)), status, status
    for part in PARTS:
        for what, change, documents, blobs in header_lies(part):
            status = documents if part in ('index', 'manifest') else blobs
            yield f'lie-{part}-{what}', make_lie(part, of_answer(part, change)), status, status


def header_lies(part):
    """(what, change, statuses for index and manifest, for blobs). Of blobs nothing but the bytes counts, and
    those are true here: 0 is right."""
    yield 'digest-header', lambda a: a.set('Docker-Content-Digest',
                                           other_digest(a.get('Docker-Content-Digest'))), '4', '0,4'
    yield 'digest-header-is-no-digest', lambda a: a.set('Docker-Content-Digest', 'sha256:../x'), '4', '0,4'
    wrong = MANIFEST if part == 'index' else INDEX
    yield 'type-header', lambda a: a.set('Content-Type', wrong), '4', '0,4'
    yield 'type-header-of-layer', lambda a: a.set('Content-Type', GZIP), '4', '0,4'
    yield 'length-header-plus-1', length_lie(1), '3,4', '3,4'
    yield 'length-header-minus-1', length_lie(-1), '3,4', '3,4'


if __name__ == '__main__':
    print(json.dumps([name for name, *_ in lies()], indent=1))
