"""Layers: compression, tar, names, whiteouts, the merged tree."""
from corpus import fails, passes
from forge import (ALPINE, OS_RELEASE, Image, Layer, apk, base256, directory, dpkg, file, gnu_long,
                   gnu_sparse_header, gz, gz_member, gz_zeros, hardlink, header, pad, pax, pax_record,
                   sha256, symlink, tar, zstd, zstd_skippable, zstd_zeros)

STATUS = 'var/lib/dpkg/status'
DEMO = dpkg(('demo', '1.0-1'))
OS = file('etc/os-release', OS_RELEASE)


def debian(*more, status=DEMO):
    """A layer's tar that says Debian 12 with the package demo 1.0-1."""
    return tar(directory('etc'), OS, directory('var/lib/dpkg'), file(STATUS, status), *more)


GOOD = debian()


def spoiled(*more):
    return Image(debian(*more))


# --- compression --------------------------------------------------------------------------------

@fails('diff_?id')
def should_fail_diffid_wrong():
    return Image(Layer(GOOD, diff='sha256:' + '0' * 64))


@fails('digest')
def should_fail_layer_digest_wrong():
    return Image(Layer(GOOD, digest=sha256(b'something else')))


@fails('digest')
def should_fail_layer_bit_flipped():
    blob = bytearray(gz(GOOD))
    blob[len(blob) // 2] ^= 1
    return Image(Layer(GOOD, blob=bytes(blob), digest=sha256(gz(GOOD))))


def with_blob(blob, kind='gzip', content=GOOD):
    return Image(Layer(content, kind=kind, blob=blob))


@fails('gzip|truncated|end')
def should_fail_truncated_gzip():
    return with_blob(gz(GOOD)[:-20])


@fails('gzip|truncated|end')
def should_fail_truncated_gzip_trailer():
    return with_blob(gz(GOOD)[:-4])


@fails('gzip|crc|checksum')
def should_fail_gzip_crc_wrong():
    blob = bytearray(gz(GOOD))
    blob[-8] ^= 1
    return with_blob(bytes(blob))


@fails('gzip|length|size')
def should_fail_gzip_length_wrong():
    blob = bytearray(gz(GOOD))
    blob[-1] ^= 1
    return with_blob(bytes(blob))


@fails('gzip|behind|trailing|member')
def should_fail_gzip_trailing_garbage():
    return with_blob(gz(GOOD) + b'MZ garbage behind the last member')


@fails('gzip|flag|header')
def should_fail_gzip_reserved_flags():
    return with_blob(gz_member(GOOD, flags=0xe0))


@fails('gzip|header|magic|member')
def should_fail_tar_declared_as_gzip():
    return with_blob(GOOD)


@fails('tar|checksum|header')
def should_fail_gzip_declared_as_tar():
    return with_blob(gz(GOOD), kind='none', content=gz(GOOD))


@fails('zstd|frame|magic')
def should_fail_gzip_declared_as_zstd():
    return with_blob(gz(GOOD), kind='zstd')


@fails('LAYER_RATIO|LAYER_TAR')
def should_fail_gzip_bomb():
    """10 GiB of zeros in 10 MiB; neither its CRC nor its diff_id is true: the limit comes first."""
    head = tar(header('zeros', 10 * 2**30, size_field=base256(10 * 2**30, 12)), end=False)
    return Image(Layer(b'', blob=gz_zeros_quick(head, 10 * 2**30), diff=sha256(b'')))


def gz_zeros_quick(head, total):
    """Ten times a tenth, as one deflate stream would need its CRC: members side by side."""
    tenth = gz_zeros(head, total // 10)
    return tenth + gz_zeros(b'', total // 10) * 9


@fails('GZIP_MEMBERS|LAYER_RATIO')
def should_fail_gzip_million_members():
    return with_blob(gz(GOOD) + gz(b'') * 1000001)


@fails('LAYER_RATIO|LAYER_TAR')
def should_fail_zstd_bomb():
    """A terabyte of zeros in 32 MiB: RLE blocks of 4 bytes each."""
    head = tar(header('zeros', 2**40, size_field=base256(2**40, 12)), end=False)
    return Image(Layer(b'', kind='zstd', blob=zstd_zeros(head, 2**40), diff=sha256(b'')))


@fails('ZSTD_WINDOW|window')
def should_fail_zstd_window():
    return with_blob(zstd(GOOD, window=21 << 3), kind='zstd')


@fails('zstd|truncated|end')
def should_fail_truncated_zstd():
    return with_blob(zstd(GOOD)[:-3], kind='zstd')


@fails('zstd|truncated|end')
def should_fail_zstd_no_last_block():
    return with_blob(zstd(GOOD, last=False), kind='zstd')


@fails('zstd|block|reserved')
def should_fail_zstd_reserved_block():
    return with_blob(b'\x28\xb5\x2f\xfd\x00\x38' + b'\x07\0\0' * 100, kind='zstd')


@fails('zstd|frame|behind|magic')
def should_fail_zstd_trailing_garbage():
    return with_blob(zstd(GOOD) + b'garbage!', kind='zstd')


@passes('demo 1.0-1 0')
def should_pass_gzip_multi_member():
    parts = [GOOD[i:i + 700] for i in range(0, len(GOOD), 700)]
    return with_blob(b''.join(gz(p) for p in parts))


@passes('demo 1.0-1')
def should_pass_gzip_all_header_fields():
    """FEXTRA, FNAME and FCOMMENT, and an empty member before."""
    extra = b'\x05\0hello' + b'layer.tar\0' + b'a comment\0'
    return with_blob(gz_member(b'') + gz_member(GOOD, flags=4 | 8 | 16, extra=extra))


@passes('demo 1.0-1')
def should_pass_zstd():
    return Image(Layer(GOOD, kind='zstd'))


@passes('demo 1.0-1')
def should_pass_zstd_skippable_frames():
    blob = zstd_skippable(b'x' * 1000) + zstd(GOOD[:1024]) + zstd_skippable(b'') + zstd(GOOD[1024:])
    return with_blob(blob, kind='zstd')


@passes('demo 1.0-1')
def should_pass_uncompressed_layer():
    return Image(Layer(GOOD, kind='none'))


@passes('demo 1.0-1')
def should_pass_docker_layer_media_type():
    return Image(Layer(GOOD, media='application/vnd.docker.image.rootfs.diff.tar.gzip'))


# --- tar ----------------------------------------------------------------------------------------

@fails('checksum')
def should_fail_tar_checksum():
    return spoiled(header('x', 0, checksum=1))


@fails('size|number|negative')
def should_fail_negative_size():
    return spoiled(header('x', size_field=base256(-512, 12)))


@fails('size|number|octal')
def should_fail_size_not_octal():
    return spoiled(header('x', size_field=b'0000000009a\0'))


@fails('size|LAYER_TAR|truncated|number')
def should_fail_size_base256_huge():
    return spoiled(header('x', size_field=base256(2**62, 12)))


@fails('size|LAYER_TAR|truncated|number')
def should_fail_size_wraps_block_rounding():
    """Rounded up to whole blocks the size is 0."""
    return spoiled(header('x', size_field=base256(2**63 - 1, 12)))


@fails('truncated|end')
def should_fail_tar_truncated_in_file():
    return Image(tar(OS, header('x', 100000), end=False) + b'abc')


@fails('truncated|end')
def should_fail_tar_truncated_in_header():
    return Image(tar(OS, end=False) + header('x')[:300])


@fails('behind|zero|end')
def should_fail_tar_data_behind_end():
    """A second archive behind the end mark: readers that go on see other packages."""
    return Image(GOOD + debian(status=dpkg(('hidden', '6.6'))))


@fails('type')
def should_fail_tar_multivolume_type():
    return spoiled(header('x', typ=b'M'))


@fails('pax|size')
def should_fail_pax_size_desync():
    """CVE-2025-62518: the pax size covers entries that a ustar reader sees."""
    hidden = file(STATUS, dpkg(('hidden', '6.6')))
    return spoiled(pax([('size', str(len(hidden)))]), header('blob', 512), pad(b'x' * 512), hidden)


@fails('pax|size')
def should_fail_pax_size_zero_desync():
    hidden = file(STATUS, dpkg(('hidden', '6.6')))
    return spoiled(pax([('size', '0')]), header('blob', len(hidden)), hidden)


@fails('PAX_HEADER|pax')
def should_fail_pax_header_huge():
    return Image(tar(header('pax', 2**30, typ=b'x'), end=False) + b'\0' * 4096)


@fails('pax')
def should_fail_pax_record_length_lies():
    return spoiled(pax(None, raw=b'9999 path=x\n'), file('y'))


@fails('pax')
def should_fail_pax_record_length_zero():
    return spoiled(pax(None, raw=b'0 path=x\n'), file('y'))


@fails('pax')
def should_fail_pax_record_without_equals():
    return spoiled(pax(None, raw=b'8 nokey\n'), file('y'))


@fails('PAX_RECORDS|pax')
def should_fail_pax_hundred_thousand_records():
    return spoiled(pax(None, raw=pax_record('comment', '') * 60000), file('y'))


@fails('NUL|pax|path|name')
def should_fail_pax_path_with_nul():
    return spoiled(pax([('path', b'etc/x\0/../../y')]), file('y'))


@fails('pax|size|number')
def should_fail_pax_size_negative():
    return spoiled(pax([('size', '-1')]), file('y'))


@fails('SPARSE_ENTRIES|sparse')
def should_fail_sparse_map_million():
    """Old GNU sparse with a million extents, all in extension blocks."""
    start = gnu_sparse_header('sparse', [(0, 0)] * 5, 10**9, 0)[:512]
    extent = (b'%011o\0' % 0) * 2 * 21 + b'\1'
    return Image(tar(OS, start + extent.ljust(512, b'\0') * 47620, end=False))


@fails('SPARSE_ENTRIES|sparse|PAX_HEADER')
def should_fail_sparse_map_million_pax():
    """pax sparse 1.0: the map stands in the data."""
    text = b'1000000\n' + b'0\n0\n' * 1000000
    return spoiled(pax([('GNU.sparse.major', '1'), ('GNU.sparse.minor', '0'),
                        ('GNU.sparse.name', 'sparse'), ('GNU.sparse.realsize', '1000000000')]),
                   file('GNUSparseFile.0/sparse', text))


@fails('PATH|name')
def should_fail_gnu_longname_megabyte():
    return spoiled(gnu_long('a/' * 500000 + 'x'), file('y'))


@fails('PAX_HEADER|long|name')
def should_fail_gnu_longname_gigabyte():
    return Image(tar(header('././@LongLink', 2**30, typ=b'L'), end=False) + b'a' * 4096)


@fails('PATH_DEPTH|name|depth')
def should_fail_path_depth():
    return spoiled(gnu_long('d/' * 300 + 'x'), file('y'))


@fails('LAYER_ENTRIES')
def should_fail_half_a_million_entries():
    return spoiled(*(header('d/%d' % i) for i in range(400001)))


@passes('demo 1.0-1', packages=1)
def should_pass_gnu_long_names():
    long = 'usr/share/' + 'long-name-' * 15 + '/file'
    return spoiled(gnu_long(long), file(long[:100], b'x'),
                   gnu_long('t' * 200, typ=b'K'), symlink('link', 't' * 100))


@passes('demo 1.0-1')
def should_pass_database_under_gnu_long_name():
    return Image(tar(OS, gnu_long(STATUS), file('what/ever', DEMO)))


@passes('demo 1.0-1')
def should_pass_database_under_pax_path():
    return Image(tar(OS, pax([('path', STATUS), ('mtime', '1700000000.123456789')]),
                     file('what/ever', DEMO)))


@passes('demo 1.0-1')
def should_pass_ustar_prefix():
    return Image(tar(OS, file('status', DEMO, prefix='var/lib/dpkg')))


@passes('demo 1.0-1')
def should_pass_dot_slash_and_doubled_slashes():
    return Image(tar(directory('./'), file('./etc//os-release', OS_RELEASE),
                     file('.//var/./lib/dpkg/status', DEMO)))


@passes('demo 1.0-1')
def should_pass_absolute_names():
    return Image(tar(file('/etc/os-release', OS_RELEASE), file('//' + STATUS, DEMO)))


@passes('demo 1.0-1')
def should_pass_base256_sizes():
    return Image(tar(OS, header(STATUS, size_field=base256(len(DEMO), 12)), pad(DEMO.encode())))


@passes('demo 1.0-1')
def should_pass_pax_size_agrees():
    return Image(tar(OS, pax([('size', str(len(DEMO)))]), file(STATUS, DEMO)))


@passes('demo 1.0-1')
def should_pass_v7_header():
    return Image(tar(OS, header(STATUS, len(DEMO), typ=b'\0', magic=b'\0' * 8), pad(DEMO.encode())))


@passes('demo 1.0-1')
def should_pass_no_end_blocks():
    return Image(tar(OS, file(STATUS, DEMO), end=False))


@passes('demo 1.0-1')
def should_pass_megabyte_of_zeros_behind_end():
    return Image(GOOD + b'\0' * 2**20)


@passes('demo 1.0-1')
def should_pass_global_pax_header():
    return Image(tar(pax([('comment', 'made by git')], typ=b'g'), OS, file(STATUS, DEMO)))


@passes('demo 1.0-1')
def should_pass_non_utf8_names():
    return spoiled(file(b'caf\xe9/\xff\xfe', b'x'))


@passes('demo 1.0-1')
def should_pass_gnu_sparse_file():
    map_ = [(i * 8192, 512) for i in range(6)]
    return spoiled(gnu_sparse_header('sparse', map_, 65536, 6 * 512), b'x' * 6 * 512)


@passes('demo 1.0-1')
def should_pass_device_nodes_fifos_setuid():
    return spoiled(header('dev/null', typ=b'3', dev=(1, 3)), header('dev/sda', typ=b'4', dev=(8, 0)),
                   header('run/fifo', typ=b'6'), file('bin/su', b'x', mode=0o4755))


@passes('demo 1.0-1')
def should_pass_empty_layer_between():
    return Image(GOOD, tar(), GOOD)


# --- names --------------------------------------------------------------------------------------

@fails('[.][.]')
def should_fail_dotdot_name():
    return spoiled(file('../../etc/x', b'x'))


@fails('[.][.]')
def should_fail_dotdot_inside_name():
    return spoiled(file('etc/../../../x', b'x'))


@fails('[.][.]')
def should_fail_dotdot_pax_path():
    return spoiled(pax([('path', '../../etc/x')]), file('harmless'))


@fails('[.][.]')
def should_fail_dotdot_gnu_longname():
    return spoiled(gnu_long('../../etc/x'), file('harmless'))


@fails('[.][.]')
def should_fail_dotdot_hardlink_target():
    return spoiled(hardlink('passwd', '../../../etc/passwd'))


@fails('[.][.]')
def should_fail_dotdot_name_with_escapes():
    """The refusal quotes the name: it must not reach the terminal as it is."""
    return spoiled(file('\x1b[2J\x1b]0;owned\x07/../../x', b'x'))


@fails('root')
def should_fail_root_symlink():
    """CVE-2021-29136: the root itself becomes a link to the outside."""
    return spoiled(symlink('./', '/etc'))


@fails('name|empty')
def should_fail_empty_name():
    return spoiled(header('', 0))


# --- whiteouts ----------------------------------------------------------------------------------

@fails('whiteout')
def should_fail_whiteout_root():
    return Image(GOOD, tar(file('.wh.')))


@fails('whiteout')
def should_fail_whiteout_of_dot():
    return Image(GOOD, tar(file('etc/.wh..')))


@fails('whiteout')
def should_fail_whiteout_of_dotdot():
    return Image(GOOD, tar(file('etc/.wh...')))


@fails('whiteout')
def should_fail_whiteout_as_directory_component():
    return Image(GOOD, tar(file('.wh.etc/os-release', b'x')))


@fails('whiteout')
def should_fail_whiteout_unknown_special():
    return Image(GOOD, tar(file('etc/.wh..wh.evil')))


@passes('demo 1.0-1 0', no_package='gone')
def should_pass_whiteout_of_status_d_file():
    low = tar(OS, file('var/lib/dpkg/status.d/demo', dpkg(('demo', '1.0-1'))),
              file('var/lib/dpkg/status.d/gone', dpkg(('gone', '2.0-1'))))
    return Image(low, tar(file('var/lib/dpkg/status.d/.wh.gone')))


@passes(packages=0, complete='false')
def should_pass_whiteout_of_directory():
    return Image(GOOD, tar(file('var/lib/.wh.dpkg')))


@passes('new 3.0-1 1', no_package='demo')
def should_pass_opaque_directory():
    """The mark stands behind an entry of its own layer, which it must not hide."""
    low = tar(OS, file('var/lib/dpkg/status.d/demo', DEMO))
    top = tar(file('var/lib/dpkg/status.d/new', dpkg(('new', '3.0-1'))),
              file('var/lib/dpkg/status.d/.wh..wh..opq'))
    return Image(low, top)


@passes('demo 1.0-1 0')
def should_pass_whiteout_in_its_own_layer():
    """A whiteout hides lower layers only."""
    return Image(tar(OS, file('var/lib/dpkg/.wh.status'), file(STATUS, DEMO)))


@passes('demo 1.0-1')
def should_pass_aufs_bookkeeping():
    return Image(GOOD, tar(directory('.wh..wh.plnk'), directory('.wh..wh.orph'), file('.wh..wh.aufs')))


@passes('demo 1.0-1')
def should_pass_whiteout_of_what_is_not_there():
    return Image(GOOD, tar(file('nowhere/.wh.nothing')))


@passes('demo 1.0-1 0')
def should_pass_overlay_xattrs():
    """trusted.overlay.opaque is the storage driver's business, not an image's."""
    top = tar(pax([('SCHILY.xattr.trusted.overlay.opaque', 'y'),
                   ('SCHILY.xattr.user.overlay.redirect', '/etc')]), directory('var/lib/dpkg'))
    return Image(GOOD, top)


@passes(packages=0, complete='false')
def should_pass_char_device_over_database():
    """0:0 is a whiteout to overlayfs and a device to OCI: the database is gone either way."""
    return Image(GOOD, tar(header(STATUS, typ=b'3', dev=(0, 0))))


# --- the merged tree ----------------------------------------------------------------------------

@passes('demo 1.0-1 0', 'late 2.0-1 1', packages=2)
def should_pass_package_knows_its_layer():
    top = tar(file(STATUS, dpkg(('demo', '1.0-1'), ('late', '2.0-1'))))
    return Image(GOOD, top)


@passes('demo 1.0-2 1', packages=1)
def should_pass_upgrade_belongs_to_upper_layer():
    return Image(GOOD, tar(file(STATUS, dpkg(('demo', '1.0-2')))))


@passes('second 2.0-1', no_package='demo')
def should_pass_duplicate_entry_last_wins():
    return Image(debian(file(STATUS, dpkg(('second', '2.0-1')))))


@passes('demo 1.0-1')
def should_pass_hardlinked_database_same_layer():
    return Image(tar(OS, file('usr/share/db', DEMO), hardlink(STATUS, 'usr/share/db')))


@passes('demo 1.0-1')
def should_pass_hardlinked_database_across_layers():
    return Image(tar(OS, file('usr/share/db', DEMO)), tar(hardlink(STATUS, './usr/share/db')))


@passes('demo 1.0-1', no_package='later')
def should_pass_hardlink_target_replaced_later():
    """The name that the link pointed to is replaced; the file it named lives on."""
    return Image(tar(OS, file('usr/share/db', DEMO)), tar(hardlink(STATUS, '/usr/share/db')),
                 tar(file('usr/share/db', dpkg(('later', '9.9-1')))))


@passes('demo 1.0-1')
def should_pass_hardlink_to_hardlink():
    return Image(tar(OS, file('a', DEMO), hardlink('b', 'a'), hardlink(STATUS, 'b')))


@passes('demo 1.0-1', distro='debian 12')
def should_pass_symlinked_os_release():
    return Image(tar(file('usr/lib/os-release', OS_RELEASE),
                     symlink('etc/os-release', '../usr/lib/os-release'), file(STATUS, DEMO)))


@passes('demo 1.0-1', distro='debian 12')
def should_pass_absolute_symlink_across_layers():
    return Image(tar(symlink('etc/os-release', '/opt/real/os-release'), file(STATUS, DEMO)),
                 tar(file('opt/real/os-release', OS_RELEASE)))


@passes('demo 1.0-1', distro='debian 12')
def should_pass_symlink_dotdot_stops_at_root():
    return Image(tar(file('os-release', OS_RELEASE), file(STATUS, DEMO),
                     symlink('etc/os-release', '../../../../../os-release')))


@passes('demo 1.0-1')
def should_pass_symlinked_database_directory():
    return Image(tar(OS, file('srv/db/status', DEMO), symlink('var/lib/dpkg', '../../srv/db')))


@passes('demo 1.0-1')
def should_pass_write_through_symlink_parent():
    """The upper layer writes below a name that is a link in the lower one: wherever it lands, the
    database is read."""
    return Image(tar(OS, directory('srv/db'), symlink('var/lib/dpkg', '/srv/db')),
                 tar(file(STATUS, DEMO)))


@fails('link')
def should_fail_symlink_out_then_file_through_it():
    """CVE-2014-9356: an entry below a link of its own layer."""
    return spoiled(symlink('a', '/'), file('a/etc/canary', b'x'), symlink('b', '../../../tmp'),
                   file('b/canary', b'x'))


@fails('link|directory')
def should_fail_symlink_then_directory_same_name():
    """CVE-2021-32760: whoever unpacks sets the mode of the link's target."""
    return spoiled(symlink('x', '/etc'), directory('x'), file('x/y', b'y'))


@passes(packages=0, complete='false')
def should_pass_symlink_loop():
    return Image(tar(OS, symlink(STATUS, 'status'), symlink('usr/lib/os-release', 'os-release')))


@passes(packages=0, complete='false')
def should_pass_symlink_chain_past_limit():
    links = [symlink('l/%d' % i, '%d' % (i + 1)) for i in range(60)]
    return Image(tar(OS, *links, file('l/60', DEMO), symlink(STATUS, '/l/0')))


@passes('back 3.0-1 2', no_package='demo')
def should_pass_file_to_directory_and_back():
    return Image(GOOD, tar(directory(STATUS), file(STATUS + '/inner', b'x')),
                 tar(file(STATUS, dpkg(('back', '3.0-1')))))


@passes(no_package='demo', packages=0, complete='false')
def should_pass_directory_becomes_file_hides_below():
    return Image(GOOD, tar(file('var/lib/dpkg', b'now a file')))


@passes('demo 1.0-1 2', no_package='below', packages=1)
def should_pass_directory_file_directory():
    """What lay below the first directory does not come back."""
    return Image(tar(OS, file('var/lib/dpkg/status.d/below', dpkg(('below', '1.0-1')))),
                 tar(file('var/lib/dpkg', b'a file')),
                 tar(directory('var/lib/dpkg'), file(STATUS, DEMO)))


@passes('demo 1.0-1 0')
def should_pass_directory_entry_keeps_children():
    return Image(GOOD, tar(directory('var'), directory('var/lib'), directory('var/lib/dpkg')))


@passes('demo 1.0-1')
def should_pass_same_layer_twice():
    return Image(GOOD, GOOD)


@passes('musl 1.2.4-r1', distro='alpine 3.18.9')
def should_pass_apk_under_usr_lib():
    return Image(tar(file('etc/os-release', ALPINE),
                     file('usr/lib/apk/db/installed', apk(('musl', '1.2.4-r1')))))


@passes('musl 1.2.4-r1')
def should_pass_apk_through_usrmerge_link():
    return Image(tar(file('etc/os-release', ALPINE), symlink('lib', 'usr/lib'),
                     file('usr/lib/apk/db/installed', apk(('musl', '1.2.4-r1')))))


@passes('base 1-1', 'tzdata 2026a-1', packages=2)
def should_pass_status_d_distroless():
    """Paragraphs of their own, without Status; checksums beside them are no packages."""
    def para(n, v):
        return f'Package: {n}\nVersion: {v}\nArchitecture: amd64\n'
    return Image(tar(OS, file('var/lib/dpkg/status.d/base', para('base', '1-1')),
                     file('var/lib/dpkg/status.d/base.md5sums', 'd41d8 x\n'),
                     file('var/lib/dpkg/status.d/tzdata', para('tzdata', '2026a-1'))))
