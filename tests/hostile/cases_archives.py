"""docker-archive, oci-archive and rootfs."""
import lzma
import os

from cases_layers import DEMO, GOOD, STATUS, debian
from cases_manifests import AMD64, MANIFEST
from corpus import archive, fails, layout_archive, passes, write
from forge import (OCI, OS_RELEASE, Image, Layer, config, descriptor, docker_archive, dpkg, dump,
                   file, gz, hardlink, header, symlink, xz_with_dictionary, zstd)

LAYERS = [Layer(GOOD, kind='none')]


def docker(**kw):
    return docker_archive(LAYERS, **kw)


def manifest_json(**changes):
    """The good archive with these members of its manifest.json replaced."""
    members = docker()
    conf = [n for n, _ in members if n.endswith('.json') and n != 'manifest.json'][0]
    entry = {'Config': conf, 'RepoTags': ['demo:latest'], 'Layers': [members[0][0]]}
    entry.update(changes)
    return docker(manifest=[entry])


# --- docker-archive -----------------------------------------------------------------------------

@passes('demo 1.0-1')
def should_pass_docker_archive_legacy():
    return docker()


@passes('demo 1.0-1', ref='docker-archive:image.tar.gz')
def should_pass_docker_archive_gzip():
    return gz(archive(docker()))


@passes('demo 1.0-1', ref='docker-archive:image.tar.xz')
def should_pass_docker_archive_xz():
    return lzma.compress(archive(docker()), preset=1)


@passes('demo 1.0-1', ref='docker-archive:image.tar.zst')
def should_pass_docker_archive_zstd():
    return zstd(archive(docker()))


@passes('demo 1.0-1')
def should_pass_docker_archive_manifest_first():
    return list(reversed(docker()))


@passes('demo 1.0-1')
def should_pass_docker_archive_layer_link():
    """docker save writes a layer that it has written before as a link to it."""
    layers = LAYERS * 2
    members = docker_archive(layers)
    members[1] = symlink(members[1][0], '../' + members[0][0])
    return members


@passes('demo 1.0-1')
def should_pass_docker_archive_with_index():
    """The newer form: manifest.json beside an OCI layout of the same image."""
    im = Image(GOOD)
    members = layout_archive(im)
    doc = im.make_manifest()
    path = 'blobs/sha256/' + doc['config']['digest'][7:]
    layers = ['blobs/sha256/' + layer['digest'][7:] for layer in doc['layers']]
    return members + [('manifest.json', dump([{'Config': path, 'RepoTags': ['demo:latest'],
                                               'Layers': layers}]))]


@fails('both|differ|manifest|index|ambig')
def should_fail_archive_two_truths():
    """manifest.json names one image, index.json another: loaders differ in which they believe."""
    hidden = Image(debian(status=dpkg(('hidden', '6.6'))))
    members = layout_archive(hidden)
    return members + docker()


@fails('twice|duplicate|manifest.json')
def should_fail_archive_two_manifest_json():
    members = docker()
    other = docker_archive([Layer(debian(status=dpkg(('hidden', '6.6'))), kind='none')])
    return members + other


@fails('[.][.]|config|name|path')
def should_fail_docker_config_dotdot():
    """CVE-2014-9358."""
    return manifest_json(Config='../../../../../../etc/passwd')


@fails('[.][.]|layer|name|path|absolute', status='3,4')
def should_fail_docker_layer_absolute():
    return manifest_json(Layers=['/etc/passwd'])


@fails('[.][.]|layer|name|path')
def should_fail_docker_layer_dotdot():
    return manifest_json(Layers=['../../../../../../etc/passwd'])


@fails('diff_?id|layers')
def should_fail_docker_layer_count():
    members = docker()
    return manifest_json(Layers=[members[0][0]] * 2)


@fails('layer|missing|not', status='3,4')
def should_fail_docker_layer_missing():
    return manifest_json(Layers=['0' * 64 + '/layer.tar'])


@fails('diff_?id|digest')
def should_fail_docker_layer_swapped():
    wrong = Layer(debian(status=dpkg(('hidden', '6.6'))), kind='none')
    return docker_archive([wrong], conf=config(LAYERS))


@fails('manifest', status='3,4')
def should_fail_docker_manifest_missing():
    return [m for m in docker() if m[0] != 'manifest.json']


@fails('manifest|image|empty', status='3,4')
def should_fail_docker_manifest_empty_array():
    return docker(manifest=[])


@fails('duplicate|twice|case')
def should_fail_docker_manifest_duplicate_key():
    m = dump([{'Config': 'a.json', 'RepoTags': None, 'Layers': []}])
    return docker(manifest=m.replace(b'"Layers":[]', b'"Layers":[],"layers":["x"]'))


@fails('DOCUMENT')
def should_fail_docker_manifest_huge():
    return docker(manifest=b'[' + b' ' * (5 << 20) + b']')


@fails('[.][.]|link|outside|root', status='3,4')
def should_fail_archive_link_to_outside():
    members = docker()
    members[0] = symlink(members[0][0], '../../../../../../../../etc/passwd')
    return members


@fails('link|loop|SYMLINKS', status='3,4')
def should_fail_archive_link_loop():
    members = docker()
    name = members[0][0]
    members[0] = symlink(name, '../' + name)
    return members


@fails('[.][.]')
def should_fail_archive_dotdot_member():
    return [file('../../evil', b'x')] + docker()


@fails('ARCHIVE_MEMBERS')
def should_fail_archive_member_count():
    return docker() + [header('junk/%d' % i) for i in range(20000)]


@fails('truncated|end|tar')
def should_fail_archive_truncated():
    return archive(docker())[:-3000]


@fails('tar|checksum|header')
def should_fail_archive_is_text():
    return b'this is no archive\n' * 100


@fails('tar|empty|manifest|truncated|end', status='3,4')
def should_fail_archive_empty():
    return b''


@fails('gzip|truncated|end', ref='docker-archive:image.tar.gz')
def should_fail_archive_gzip_truncated():
    return gz(archive(docker()))[:-100]


@fails('XZ_MEMORY|memory|dictionary|xz', ref='docker-archive:image.tar.xz')
def should_fail_archive_xz_dictionary():
    return xz_with_dictionary(archive(docker()), 40)


@fails('xz|crc|checksum|data|truncated|end', ref='docker-archive:image.tar.xz')
def should_fail_archive_xz_index_lies():
    blob = bytearray(lzma.compress(archive(docker()), preset=1))
    at = len(blob) - 12 - 4 * (int.from_bytes(blob[-8:-4], 'little') + 1)
    blob[at + 1:at + 4] = b'\xff\xff\x7f'
    return bytes(blob)


# --- oci-archive --------------------------------------------------------------------------------

@passes('demo 1.0-1', ref='oci-archive:image.tar')
def should_pass_oci_archive():
    return layout_archive(Image(GOOD))


@passes('demo 1.0-1', ref='oci-archive:image.tar')
def should_pass_oci_archive_blobs_first():
    return layout_archive(Image(GOOD), reverse=True)


@fails('digest', ref='oci-archive:image.tar')
def should_fail_oci_archive_blob_wrong():
    im = Image(GOOD)
    members = dict(im.files())
    name = 'blobs/sha256/' + im.layers[0].digest[7:]
    data = bytearray(members[name])
    data[40] ^= 1
    members[name] = bytes(data)
    return sorted(members.items())


@fails('blob|layer|not|missing', status='3,4', ref='oci-archive:image.tar')
def should_fail_oci_archive_blob_missing():
    im = Image(GOOD)
    return [m for m in layout_archive(im) if m[0] != 'blobs/sha256/' + im.layers[0].digest[7:]]


@fails('twice|duplicate|blob|digest', ref='oci-archive:image.tar')
def should_fail_oci_archive_index_twice():
    """The first reader believes the one, the last reader the other."""
    im = Image(debian(status=dpkg(('hidden', '6.6'))))
    return layout_archive(Image(GOOD)) + layout_archive(im)


@fails('size|digest', ref='oci-archive:image.tar')
def should_fail_oci_archive_blob_longer():
    im = Image(GOOD)
    members = dict(im.files())
    members['blobs/sha256/' + im.layers[0].digest[7:]] += b'\0' * 10
    return sorted(members.items())


@fails('link|regular|blob|size|digest', status='3,4', ref='oci-archive:image.tar')
def should_fail_oci_archive_blob_is_hardlink_outside():
    im = Image(GOOD)
    name = 'blobs/sha256/' + im.layers[0].digest[7:]
    return [m for m in layout_archive(im) if m[0] != name] + [hardlink(name, '/etc/passwd')]


@fails('platform|is for', status=3, ref='oci-archive:image.tar', arg=['--platform', 'windows/amd64'])
def should_fail_oci_archive_platform():
    im = Image(GOOD)
    im.index = {'schemaVersion': 2, 'manifests': [
        descriptor(im.add(im.make_manifest()), MANIFEST, platform=AMD64)]}
    im.manifest = im.make_manifest()
    return layout_archive(im)


@fails('media ?type|both|config', ref='oci-archive:image.tar')
def should_fail_oci_archive_manifest_is_both():
    im = Image(GOOD)
    doc = im.make_manifest()
    doc['manifests'] = [descriptor(b'{}', OCI + 'manifest.v1+json')]
    im.manifest = doc
    return layout_archive(im)


# --- rootfs -------------------------------------------------------------------------------------

def tree(**entries):
    """Builds `root` beside `outside`, which no link may reach."""
    def after(folder):
        write(os.path.join(folder, 'outside/status'), dpkg(('outside', '6.6')).encode())
        write(os.path.join(folder, 'outside/os-release'), b'ID=outside\nVERSION_ID=1\n')
        for path, how in entries.items():
            path = os.path.join(folder, 'root', PLACES[path])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            how(path, folder)
    return after


PLACES = {'status': STATUS, 'os': 'etc/os-release', 'status_d': 'var/lib/dpkg/status.d/x',
          'moved': 'srv/db/status', 'dpkg': 'var/lib/dpkg'}


def content(data):
    return lambda path, folder: write(path, data.encode())


def link(target):
    return lambda path, folder: os.symlink(target.replace('FOLDER', os.path.abspath(folder)), path)


def fifo(path, folder):
    os.mkfifo(path)


DEBIAN = content(OS_RELEASE)


@passes('demo 1.0-1', ref='rootfs:root', distro='debian 12',
        after=tree(os=DEBIAN, status=content(DEMO)))
def should_pass_rootfs():
    return None


@passes('demo 1.0-1', ref='rootfs:root', after=tree(os=DEBIAN, moved=content(DEMO), dpkg=link('/srv/db')))
def should_pass_rootfs_absolute_symlink():
    return None


@passes(ref='rootfs:root', no_package='outside', packages=0, complete='false',
        after=tree(os=DEBIAN, status=link('../../../../outside/status')))
def should_pass_rootfs_symlink_out():
    return None


@passes(ref='rootfs:root', no_package='outside', packages=0, complete='false',
        after=tree(os=DEBIAN, status=link('FOLDER/outside/status')))
def should_pass_rootfs_absolute_symlink_out():
    return None


@passes(ref='rootfs:root', no_package='outside', packages=0, complete='false',
        after=tree(os=DEBIAN, dpkg=link('FOLDER/outside')))
def should_pass_rootfs_directory_symlink_out():
    return None


@passes(ref='rootfs:root', packages=0, complete='false', after=tree(os=DEBIAN, status=fifo))
def should_pass_rootfs_database_is_fifo():
    return None


@passes(ref='rootfs:root', packages=0, complete='false', after=tree(os=DEBIAN, status=link('status')))
def should_pass_rootfs_symlink_loop():
    return None


@passes(ref='rootfs:root', packages=0, complete='false',
        after=tree(os=DEBIAN, status=link('/dev/zero')))
def should_pass_rootfs_database_is_device():
    return None


@passes('demo 1.0-1', ref='rootfs:root', complete='false',
        after=tree(os=link('/dev/zero'), status=content(DEMO)))
def should_pass_rootfs_os_release_is_device():
    return None


@fails('not|no such|exist|directory', status='2,3', ref='rootfs:nowhere')
def should_fail_rootfs_not_there():
    return None


@fails('directory', status='2,3', ref='rootfs:file', after=lambda f: write(f + '/file', b'x'))
def should_fail_rootfs_is_file():
    return None


