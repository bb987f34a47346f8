"""Index, manifest and config: ambiguity, lies, digests, counts."""
import json
import os

from cases_layers import GOOD, debian
from corpus import fails, passes
from forge import OCI, Image, Layer, config, descriptor, dpkg, dump, gz, sha256, tar

MANIFEST = OCI + 'manifest.v1+json'
INDEX = OCI + 'index.v1+json'
CONFIG = OCI + 'config.v1+json'
AMD64 = {'os': 'linux', 'architecture': 'amd64'}


def image(**manifest):
    """A good image whose manifest has these members in place of its own."""
    im = Image(GOOD)
    im.manifest = im.make_manifest(**manifest)
    return im


def raw_manifest(change):
    im = Image(GOOD)
    im.manifest = change(dump(im.make_manifest()))
    return im


def raw_config(change):
    im = Image(GOOD)
    im.config = change(im.config)
    return im


def indexed(change):
    """A good image whose descriptor in index.json was changed."""
    im = Image(GOOD)
    manifest = im.add(im.make_manifest())
    d = descriptor(manifest, MANIFEST, platform=AMD64)
    im.index = {'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [d]}
    change(d, im)
    return im


# --- ambiguity ----------------------------------------------------------------------------------

@fails('both|layers|ambig')
def should_fail_manifest_both_layers_and_manifests():
    """CVE-2021-41190: an image to one reader, an index to the other."""
    im = Image(GOOD)
    doc = im.make_manifest()
    doc['manifests'] = [descriptor(b'{}', MANIFEST)]
    im.manifest = doc
    return im


@fails('both|layers|ambig')
def should_fail_index_both_layers_and_manifests():
    im = indexed(lambda d, im: None)
    im.index['layers'] = im.make_manifest()['layers']
    im.index['config'] = im.make_manifest()['config']
    return im


@fails('media ?type')
def should_fail_media_type_contradicts_descriptor():
    return image(mediaType=INDEX)


@fails('media ?type|layers|manifests|shape|is no application')
def should_fail_index_declared_as_manifest():
    im = Image(GOOD)
    manifest = im.add(im.make_manifest())
    inner = im.add({'schemaVersion': 2, 'manifests': [descriptor(manifest, MANIFEST)]})
    im.index = {'schemaVersion': 2, 'manifests': [descriptor(inner, MANIFEST, platform=AMD64)]}
    return im


@fails('duplicate|twice')
def should_fail_duplicate_json_key():
    other = dump(descriptor(b'{}', CONFIG))
    return raw_manifest(lambda m: m.replace(b'{"schemaVersion"', b'{"config":' + other
                                            + b',"schemaVersion"', 1))


@fails('duplicate|twice|case')
def should_fail_duplicate_json_key_by_case():
    """Go readers fold the case of keys; the last one wins there."""
    return raw_manifest(lambda m: m[:-1] + b',"Layers":[]}')


@fails('duplicate|twice')
def should_fail_duplicate_json_key_escaped():
    return raw_manifest(lambda m: m[:-1] + b',"l\\u0061yers":[]}')


@fails('duplicate|twice')
def should_fail_config_duplicate_diff_ids():
    return raw_config(lambda c: dump(c).replace(b'"diff_ids":', b'"diff_ids":[],"diff_ids":', 1))


@fails('schema')
def should_fail_schema_version_1():
    return raw_manifest(lambda m: m.replace(b'"schemaVersion":2', b'"schemaVersion":1', 1))


@fails('schema|layers|manifests|shape')
def should_fail_manifest_is_empty_object():
    return raw_manifest(lambda m: b'{}')


@fails('json|object|shape')
def should_fail_manifest_is_array():
    return raw_manifest(lambda m: b'[' + m + b']')


@fails('json|behind|trailing')
def should_fail_json_trailing_document():
    return raw_manifest(lambda m: m + m)


@fails('json|utf-?8')
def should_fail_json_invalid_utf8():
    return raw_manifest(lambda m: m[:-1] + b',"annotations":{"a":"\xff\xfe"}}')


@fails('json|nul|null|utf|character|zero')
def should_fail_json_nul_in_string():
    return raw_manifest(lambda m: m[:-1] + b',"annotations":{"org.opencontainers.image.ref.name":'
                        b'"a\\u0000b"},"mediaType2":"a\\u0000b"}')


@fails('JSON_DEPTH|depth|nest|level')
def should_fail_json_depth():
    return raw_manifest(lambda m: m[:-1] + b',"x":' + b'[' * 100000 + b']' * 100000 + b'}')


@fails('json|truncated|end')
def should_fail_json_truncated():
    return raw_manifest(lambda m: m[:-7])


# --- descriptors --------------------------------------------------------------------------------

def size_is(value):
    return lambda d, im: d.update(size=value)


@fails('size')
def should_fail_descriptor_size_lies():
    return Image(Layer(GOOD, size=len(gz(GOOD)) + 1))


@fails('size')
def should_fail_descriptor_size_too_small():
    return Image(Layer(GOOD, size=len(gz(GOOD)) - 1))


@fails('size|bytes')
def should_fail_manifest_size_lies():
    return indexed(size_is(17))


@fails('size|number|negative')
def should_fail_descriptor_size_negative():
    return Image(Layer(GOOD, size=-1))


@fails('size|number|integer')
def should_fail_descriptor_size_fraction():
    return Image(Layer(GOOD, size=len(gz(GOOD)) + 0.5))


@fails('size|number|LAYER_BLOB')
def should_fail_descriptor_size_past_2_53():
    return Image(Layer(GOOD, size=2**53 + 2))


@fails('size|number|json|integer')
def should_fail_descriptor_size_past_2_64():
    return Image(Layer(GOOD, size=2**64 + len(gz(GOOD))))


@fails('size|number|integer')
def should_fail_descriptor_size_is_string():
    return Image(Layer(GOOD, size='%d' % len(gz(GOOD))))


def digest_is(value):
    """A layer's digest as written; it is never a path."""
    im = Image(GOOD)
    doc = im.make_manifest()
    doc['layers'][0]['digest'] = value
    im.manifest = doc
    return im


@fails('digest')
def should_fail_digest_dotdot():
    return digest_is('sha256:../../../../../../../../etc/passwd')


@fails('digest')
def should_fail_digest_slash():
    return digest_is('sha256/../../index.json:' + '0' * 64)


@fails('digest')
def should_fail_digest_upper_case():
    return digest_is('sha256:' + sha256(gz(GOOD))[7:].upper())


@fails('digest')
def should_fail_digest_short():
    return digest_is('sha256:' + '0' * 63)


@fails('digest')
def should_fail_digest_long():
    return digest_is(sha256(gz(GOOD)) + '0')


@fails('digest|algorithm')
def should_fail_digest_md5():
    return digest_is('md5:d41d8cd98f00b204e9800998ecf8427e')


@fails('digest')
def should_fail_digest_empty():
    return digest_is('')


@fails('digest')
def should_fail_digest_newline():
    return digest_is(sha256(gz(GOOD))[:-1] + '\n')


@fails('digest')
def should_fail_manifest_digest_wrong():
    im = indexed(lambda d, im: None)
    name = 'blobs/' + im.index['manifests'][0]['digest'].replace(':', '/')
    im.blobs[name] = im.blobs[name].replace(b'{"schemaVersion"', b'{ "schemaVersion"')[:-1] + b'}'
    im.index['manifests'][0]['size'] = len(im.blobs[name])
    im.manifest = {}
    return im


@fails('digest')
def should_fail_config_digest_wrong():
    im = Image(GOOD)
    conf = im.make_manifest()['config']
    name = 'blobs/' + conf['digest'].replace(':', '/')
    im.manifest = im.make_manifest()
    im.blobs[name] = im.blobs[name].replace(b'step 0', b'step 1')
    return im


@passes('demo 1.0-1')
def should_pass_sha512_layer():
    import hashlib
    return Image(Layer(GOOD, digest='sha512:' + hashlib.sha512(gz(GOOD)).hexdigest()))


# --- counts and shapes --------------------------------------------------------------------------

@fails('diff_?id')
def should_fail_diffid_count():
    return raw_config(lambda c: {**c, 'rootfs': {'type': 'layers', 'diff_ids': c['rootfs']['diff_ids'] * 2}})


@fails('diff_?id')
def should_fail_diffid_count_zero():
    return raw_config(lambda c: {**c, 'rootfs': {'type': 'layers', 'diff_ids': []}})


@fails('diff_?id|digest')
def should_fail_diffid_bad_form():
    return raw_config(lambda c: {**c, 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:../../x']}})


@fails('diff_?id|rootfs')
def should_fail_config_without_rootfs():
    return raw_config(lambda c: {k: v for k, v in c.items() if k != 'rootfs'})


@passes('demo 1.0-1')
def should_pass_history_names_more_layers():
    """Some builders write such; no layer is given a line that may not be its own."""
    return raw_config(lambda c: {**c, 'history': [{'created_by': 'RUN x'}] * 5})


@fails('HISTORY')
def should_fail_history_count():
    return raw_config(lambda c: {**c, 'history': c['history'] + [{'empty_layer': True}] * 5000})


@fails('LAYERS')
def should_fail_layer_count():
    return Image(*[GOOD] * 513)


@fails('MANIFESTS')
def should_fail_index_of_ten_thousand():
    def many(d, im):
        im.index['manifests'] = [dict(d, platform={'os': 'linux', 'architecture': f'arch{i}'})
                                 for i in range(10000)] + [d]
    return indexed(many)


@fails('DOCUMENT')
def should_fail_manifest_huge():
    return raw_manifest(lambda m: m[:-1] + b' ' * (5 << 20) + b'}')


@fails('DOCUMENT')
def should_fail_config_huge():
    return raw_config(lambda c: dump(c)[:-1] + b' ' * (5 << 20) + b'}')


@fails('DOCUMENT|size')
def should_fail_manifest_claims_gigabytes():
    return indexed(size_is(3 << 30))


@fails('STRING')
def should_fail_history_line_huge():
    return raw_config(lambda c: {**c, 'history': [{'created_by': 'x' * (1 << 20)}]})


@fails('INDEX_NESTING|nest')
def should_fail_nested_index_deep():
    im = Image(GOOD)
    inner = im.add(im.make_manifest())
    d = descriptor(inner, MANIFEST, platform=AMD64)
    for _ in range(50):
        inner = im.add({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [d]})
        d = descriptor(inner, INDEX)
    im.index = {'schemaVersion': 2, 'manifests': [d]}
    return im


@fails('media ?type|layer')
def should_fail_layer_media_type_unknown():
    return Image(Layer(GOOD, media='application/vnd.example.layer+lzma'))


@fails('media ?type|encrypted|layer')
def should_fail_layer_encrypted():
    return Image(Layer(GOOD, media=OCI + 'layer.v1.tar+gzip+encrypted'))


@fails('media ?type|config', status='3,4')
def should_fail_artifact_is_no_image():
    im = Image(GOOD)
    doc = im.make_manifest()
    doc['config'] = descriptor(im.add(b'{}'), 'application/vnd.cncf.helm.config.v1+json')
    im.manifest = doc
    return im


@fails('platform|is for', status=3, arg=['--platform', 'linux/s390x'])
def should_fail_no_such_platform():
    return indexed(lambda d, im: None)


@passes('demo 1.0-1')
def should_pass_attestation_in_index():
    """BuildKit's attestation manifest is no platform, also where it comes first."""
    def attest(d, im):
        layer = im.add(b'{"_type":"https://in-toto.io/Statement/v0.1"}')
        conf = im.add({'architecture': 'unknown', 'os': 'unknown', 'config': {},
                       'rootfs': {'type': 'layers', 'diff_ids': [sha256(layer)]}})
        doc = im.add({'schemaVersion': 2, 'mediaType': MANIFEST,
                      'config': descriptor(conf, CONFIG),
                      'layers': [descriptor(layer, 'application/vnd.in-toto+json')]})
        im.index['manifests'].insert(0, descriptor(
            doc, MANIFEST, platform={'os': 'unknown', 'architecture': 'unknown'},
            annotations={'vnd.docker.reference.type': 'attestation-manifest',
                         'vnd.docker.reference.digest': d['digest']}))
    return indexed(attest)


@passes('demo 1.0-1')
def should_pass_nested_index():
    im = Image(GOOD)
    inner = im.add({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        descriptor(im.add(im.make_manifest()), MANIFEST, platform=AMD64)]})
    im.index = {'schemaVersion': 2, 'manifests': [descriptor(inner, INDEX)]}
    return im


@passes('demo 1.0-1')
def should_pass_foreign_layer_urls_ignored():
    """The address is never asked; the blob is at hand."""
    return Image(Layer(GOOD, urls=['http://169.254.169.254/latest/meta-data', 'file:///etc/passwd']))


@passes('demo 1.0-1')
def should_pass_docker_schema_2():
    im = Image(Layer(GOOD, media='application/vnd.docker.image.rootfs.diff.tar.gzip'))
    doc = im.make_manifest(mediaType='application/vnd.docker.distribution.manifest.v2+json')
    doc['config']['mediaType'] = 'application/vnd.docker.container.image.v1+json'
    im.index = {'schemaVersion': 2, 'manifests': [descriptor(
        im.add(doc), 'application/vnd.docker.distribution.manifest.v2+json', platform=AMD64)]}
    im.manifest = doc
    return im


@passes('demo 1.0-1')
def should_pass_config_odd_members():
    """VOLUME and labels that are attacks on runtimes are text to a scanner."""
    odd = {'User': 'nobody:nogroup', 'Volumes': {'/../../etc': {}},
           'Labels': {'x': '\x1b[31m<script>alert(1)</script>'}}
    return raw_config(lambda c: {**c, 'config': odd})


@fails('user')
def should_fail_config_user_overflows():
    """CVE-2024-40635: root to some runtimes."""
    return raw_config(lambda c: {**c, 'config': {'User': '4294967296'}})


@passes('demo 1.0-1')
def should_pass_history_with_terminal_escapes():
    line = '/bin/sh -c echo \x1b]0;owned\x07\x1b[2J\x9b31m\u202e'
    return raw_config(lambda c: {**c, 'history': [{'created_by': line}]})


@passes('demo 1.0-1')
def should_pass_config_without_history():
    return raw_config(lambda c: {k: v for k, v in c.items() if k != 'history'})


@passes(packages=0, complete='false')
def should_pass_no_layers_at_all():
    return Image()


# --- the layout's files -------------------------------------------------------------------------

def layer_path(folder):
    name = sha256(gz(GOOD))[7:]
    return os.path.join(folder, 'oci/blobs/sha256', name)


def replaced(how):
    def after(folder):
        path = layer_path(folder)
        os.unlink(path)
        how(path)
    return after


@fails('blob|layer|regular|digest', status='3,4', after=replaced(os.mkfifo))
def should_fail_blob_is_fifo():
    return Image(GOOD)


@fails('blob|layer|regular|digest|directory', status='3,4', after=replaced(os.mkdir))
def should_fail_blob_is_directory():
    return Image(GOOD)


@fails('blob|layer|regular|digest|link|size', status='3,4',
       after=replaced(lambda p: os.symlink('/dev/zero', p)))
def should_fail_blob_is_link_to_device():
    return Image(GOOD)


@fails('blob|layer', status='3,4', after=replaced(lambda p: None))
def should_fail_blob_missing():
    return Image(GOOD)


def index_json(how):
    def after(folder):
        path = os.path.join(folder, 'oci/index.json')
        os.unlink(path)
        how(path)
    return after


@fails('index|regular|link|DOCUMENT', status='3,4',
       after=index_json(lambda p: os.symlink('/dev/zero', p)))
def should_fail_index_json_endless():
    return Image(GOOD)


@fails('index', status='3,4', after=index_json(lambda p: None))
def should_fail_index_json_missing():
    return Image(GOOD)


@fails('layout', status='3,4', after=lambda f: os.unlink(os.path.join(f, 'oci/oci-layout')))
def should_fail_oci_layout_missing():
    return Image(GOOD)


@fails('layout')
def should_fail_oci_layout_version():
    im = Image(GOOD)
    im.layout = b'{"imageLayoutVersion":"2.0.0"}'
    return im


@fails('DOCUMENT')
def should_fail_index_json_huge():
    im = indexed(lambda d, im: None)
    im.index = json.dumps(im.index).encode() + b' ' * (12 << 20)
    return im


@fails('not|no such|exist', status=3, ref='oci:nowhere')
def should_fail_layout_not_there():
    return None


@fails('tag|nothing', status=3, ref='oci:oci:no-such-tag')
def should_fail_tag_not_there():
    return Image(GOOD)


# Referenced by the mutation run: two layers, two package databases, every kind of document.
def good_image():
    im = Image(debian(), tar(*[b'']), Layer(debian(status=dpkg(('demo', '1.0-1'), ('two', '2.0-1'))),
                                            kind='zstd'))
    im.config = config(im.layers)
    return im
