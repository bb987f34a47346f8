"""What the list of hostile inputs names and the other files do not hold yet."""
import lzma

from cases_archives import docker
from cases_layers import GOOD, debian, spoiled, with_blob
from cases_manifests import raw_config, raw_manifest
from corpus import archive, fails, passes
from forge import (Image, Layer, directory, docker_archive, dpkg, file, gnu_long, hardlink, header, pax,
                   pax_record, sha256, symlink, tar, zstd, zstd_skippable)

MARK = '#!/bin/sh\necho owned >"$HOME/owned"\nexec /bin/cat\n'


# --- links and names (rows 3, 4, 34) --------------------------------------------------------------

@passes('demo 1.0-1', no_package='outside')
def should_pass_hardlink_absolute_target_stays_inside():
    """The name of a target begins at the image's root, whatever stands before it."""
    return Image(debian(), tar(hardlink('var/lib/dpkg/status-old', '/etc/shadow'),
                               hardlink('srv/passwd', '/etc/passwd')))


@passes('demo 1.0-1')
def should_pass_passwd_is_link_to_host():
    """CVE-2024-9676: who opens it as a path reads the host's."""
    return spoiled(symlink('etc/passwd', '/proc/1/root/etc/passwd'), symlink('etc/group', '../../../etc/group'),
                   symlink('etc/shadow', '/dev/stdin'))


@passes('demo 1.0-1')
def should_pass_passwd_lines_giant():
    """CVE-2026-47262."""
    return spoiled(file('etc/passwd', b'root:x:0:0:' + b'A' * (8 << 20) + b':/root:/bin/sh\n'),
                   file('etc/group', b'wheel:x:0:' + b','.join(b'u%d' % i for i in range(400000)) + b'\n'))


@passes('demo 1.0-1')
def should_pass_proc_self_links():
    """CVE-2015-3627 and its kin: names below proc and dev, which a runtime would mount over."""
    return spoiled(directory('proc'), symlink('proc/self', '/etc'), symlink('dev', '/proc/self/fd'),
                   symlink('var/run', '/run/../../..'))


@fails('link|root|directory')
def should_fail_root_replaced_in_upper_layer():
    """CVE-2021-29136 one layer later."""
    return Image(GOOD, tar(symlink('.', '/etc')))


# --- nothing of the image is ever run (row 7) -----------------------------------------------------

@passes('demo 1.0-1')
def should_pass_image_brings_its_own_decompressors():
    """CVE-2014-9357: `unpigz` and `xz` were looked up in the image."""
    tools = [file(f'{d}/{n}', MARK, mode=0o4755) for d in ('bin', 'usr/bin', 'usr/sbin', 'sbin')
             for n in ('xz', 'unxz', 'gzip', 'unpigz', 'zstd', 'tar', 'gpgv')]
    return spoiled(*tools)


@passes('demo 1.0-1')
def should_pass_image_brings_nss_and_loader_configuration():
    """CVE-2019-14271: a helper inside the tree loaded the image's libraries."""
    return spoiled(file('etc/nsswitch.conf', 'passwd: evil\n'), file('etc/ld.so.preload', '/lib/evil.so\n'),
                   file('lib/x86_64-linux-gnu/libnss_evil.so.2', b'\x7fELF'))


# --- ids (rows 8, 9) ------------------------------------------------------------------------------

@passes('demo 1.0-1')
def should_pass_docker_repositories_dotdot():
    """CVE-2014-9358: the file that the first docker read; nobody reads it here."""
    return docker() + [('repositories', b'{"../../../../etc/demo":{"latest":"../../../../etc/passwd"}}')]


@passes('demo 1.0-1')
def should_pass_docker_v1_id_of_another():
    """CVE-2014-8178: an id that says what it likes; the bytes are named by their diff_id alone."""
    members = docker()
    folder = members[0][0].split('/')[0]
    return members + [(folder + '/VERSION', b'1.0'),
                      (folder + '/json', b'{"id":"' + b'0' * 64 + b'","parent":"../../x"}')]


@fails('diff_?id|digest')
def should_fail_docker_v1_id_is_right_and_layer_is_not():
    wrong = Layer(debian(status=dpkg(('hidden', '6.6'))), kind='none')
    return docker_archive([wrong], conf=raw_config(lambda c: c).config)


@fails('[.][.]|layer|name|path|leave')
def should_fail_docker_config_and_layer_dotdot_inside():
    members = docker()
    return docker(manifest=[{'Config': 'a/../' + members[1][0], 'RepoTags': ['demo:latest'],
                             'Layers': ['a/../' + members[0][0]]}])


@passes('demo 1.0-1')
def should_pass_docker_repo_tag_dotdot():
    """A name is text: nothing is looked up by it."""
    members = docker()
    return docker(manifest=[{'Config': members[1][0], 'RepoTags': ['../../etc/passwd:latest'],
                             'Layers': [members[0][0]]}])


# --- compression (rows 22 to 25) ------------------------------------------------------------------

@fails('xz|behind|trailing|garbage|data|stream', ref='docker-archive:image.tar.xz')
def should_fail_archive_xz_that_goes_on():
    """CVE-2021-20291: a reader that stops while the writer does not."""
    return lzma.compress(archive(docker()), preset=1) + b'\x01' * (32 << 20)


@fails('xz|data|lzma|corrupt|dictionary|truncated|end', ref='docker-archive:image.tar.xz')
def should_fail_archive_xz_integer_without_end():
    """CVE-2021-29482: a number of more bytes than a number has."""
    blob = bytearray(lzma.compress(archive(docker()), preset=1))
    blob[13:24] = b'\xff' * 11
    return bytes(blob)


@passes('demo 1.0-1')
def should_pass_zstd_hundred_thousand_skippable_frames():
    return with_blob(zstd_skippable(b'x') * 100000 + zstd(GOOD), kind='zstd')


@fails('zstd|frame|truncated|end|tar|diff_?id')
def should_fail_zstd_skippable_frames_only():
    return with_blob(zstd_skippable(b'x' * 100) * 1000, kind='zstd')


@fails('zstd|truncated|end|frame')
def should_fail_zstd_skippable_frame_claims_gigabytes():
    blob = zstd(GOOD) + b'\x50\x2a\x4d\x18\xff\xff\xff\xff' + b'x' * 100
    return with_blob(blob, kind='zstd')


# --- tar (rows 27 to 30) --------------------------------------------------------------------------

@fails('pax|header|end|truncated')
def should_fail_pax_headers_without_a_file():
    """CVE-2022-2879: one header's header after the other."""
    return Image(debian(*[pax([('path', 'x')])] * 20000))


@fails('pax|twice|long|header')
def should_fail_pax_path_twice():
    raw = pax_record('path', 'etc/first') + pax_record('path', 'etc/second')
    return spoiled(pax([], raw=raw), file('x', b'x'))


@fails('second header|twice')
def should_fail_gnu_longname_twice():
    """GNU tar takes the last, others the first."""
    return spoiled(gnu_long('srv/first/' + 'a' * 120), gnu_long('srv/second/' + 'b' * 120), file('x', b'x'))


@fails('size|number|negative|type|volume')
def should_fail_volume_header_negative():
    return Image(tar(header('label', typ=b'V', size_field=b'\xff' * 12)) + debian())


@fails('checksum|header|tar')
def should_fail_tar_of_spaces():
    return Image(GOOD[:-1024] + b' ' * 10240)


@fails('base-?256|size|number|LAYER_TAR|truncated')
def should_fail_size_base256_negative():
    return Image(debian(header('x', size_field=b'\xff' * 11 + b'\xfe')))


# --- what a runtime would do with it (rows 33, 36 to 38) ------------------------------------------

@passes('demo 1.0-1')
def should_pass_file_capabilities():
    cap = b'\x01\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff' + b'\x00' * 8
    return spoiled(pax([('SCHILY.xattr.security.capability', cap)]), file('usr/bin/tool', b'x', mode=0o6755))


def user(value):
    return raw_config(lambda c: {**c, 'config': {'User': value}})


@fails('user')
def should_fail_config_user_negative():
    return user('-1')


@fails('user')
def should_fail_config_group_overflows():
    return user('1000:4294967296')


@fails('user')
def should_fail_config_user_of_digits_past_64_bits():
    """CVE-2026-46680: no number to one reader, a name to the next, root to the last."""
    return user('18446744073709551616')


@passes('demo 1.0-1')
def should_pass_label_is_logger_uri():
    """CVE-2026-53488: text to a scanner."""
    return raw_config(lambda c: {**c, 'config': {'Labels': {
        'io.containerd.log.uri': 'binary:///bin/sh?-c=id', 'nerdctl/log-uri': 'file:///etc/cron.d/x'}}})


@fails('title')
def should_fail_title_annotation_dotdot():
    """CVE-2021-21272: a name for a file, taken from an annotation."""
    return Image(Layer(GOOD, annotations={'org.opencontainers.image.title': '../../../../etc/cron.d/x',
                                          'io.deis.oras.content.unpack': 'true'}))


@fails('checkpoint')
def should_fail_criu_checkpoint():
    """CVE-2026-50195: a checkpoint is restored, not run; its annotations are orders to the runtime."""
    return raw_manifest(lambda m: m[:-1] + b',"annotations":{"org.criu.checkpoint.container.name":"db"}}')


# --- content addresses (row 41) -------------------------------------------------------------------

@fails('digest|size')
def should_fail_two_layers_one_digest():
    """The second layer claims the first one's digest: what is kept under it must be one thing."""
    other = debian(status=dpkg(('hidden', '6.6')))
    im = Image(GOOD, Layer(other, digest=sha256(Layer(GOOD).blob)))
    im.blobs['blobs/' + im.layers[0].digest.replace(':', '/')] = im.layers[1].blob
    im.manifest = im.make_manifest()
    return im

