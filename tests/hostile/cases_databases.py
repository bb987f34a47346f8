"""Package databases and os-release that lie: they cost a gap in the assessment, never the scan."""
from cases_layers import GOOD, OS, STATUS
from corpus import passes
from forge import (ALPINE, FEDORA, OS_RELEASE, Image, apk, dpkg, file, rpm_bdb, rpm_header, rpm_ndb,
                   rpm_sqlite, struct, symlink, tar)

RPM = {'sqlite': 'var/lib/rpm/rpmdb.sqlite', 'bdb': 'var/lib/rpm/Packages',
       'ndb': 'usr/lib/sysimage/rpm/Packages.db'}
HEADERS = [rpm_header('demo', '1.0', '1.el8', epoch=2),
           rpm_header('big', '2.0', '3.el8', source='big-src-2.0-3.el8.src.rpm')]
SCRATCH = '/tmp/.cocket-hostile-rpmdb.%d'


def alma(kind, data):
    return Image(tar(file('etc/os-release', FEDORA), file(RPM[kind], data)))


def sqlite(headers):
    import os
    return rpm_sqlite(headers, SCRATCH % os.getpid())


def debian(status):
    return Image(tar(OS, file(STATUS, status)))


def alpine(installed):
    return Image(tar(file('etc/os-release', ALPINE), file('lib/apk/db/installed', installed)))


# --- rpm ----------------------------------------------------------------------------------------

@passes('demo 2:1.0-1.el8', 'big 2.0-3.el8', packages=2)
def should_pass_rpm_sqlite():
    return alma('sqlite', sqlite(HEADERS))


@passes('demo 2:1.0-1.el8', 'big 2.0-3.el8', packages=2)
def should_pass_rpm_bdb():
    return alma('bdb', rpm_bdb(HEADERS))


@passes('demo 2:1.0-1.el8', 'big 2.0-3.el8', packages=2)
def should_pass_rpm_ndb():
    return alma('ndb', rpm_ndb(HEADERS))


@passes('demo 2:1.0-1.el8')
def should_pass_symlinked_var_lib_rpm():
    return Image(tar(file('etc/os-release', FEDORA),
                     symlink('var/lib/rpm', '../../usr/lib/sysimage/rpm'),
                     file('usr/lib/sysimage/rpm/rpmdb.sqlite', sqlite(HEADERS))))


def lying(kind, data):
    return alma(kind, data)


@passes(gap='rpm')
def should_pass_rpm_header_index_count_lies():
    return lying('bdb', rpm_bdb([rpm_header('demo', il=0xffffffff)]))


@passes(gap='rpm')
def should_pass_rpm_header_data_length_lies():
    return lying('bdb', rpm_bdb([rpm_header('demo', dl=0x7fffffff)]))


@passes(gap='rpm')
def should_pass_rpm_header_lengths_wrap():
    return lying('ndb', rpm_ndb([rpm_header('demo', il=0x10000000, dl=0xfffffff0)]))


@passes(gap='rpm')
def should_pass_rpm_entry_offset_outside():
    name = struct.pack('>IIII', 1000, 6, 0x7ffffff0, 1)
    return lying('bdb', rpm_bdb([rpm_header('demo', entries=name * 3)]))


@passes(gap='rpm', packages=1)
def should_pass_rpm_one_of_two_broken():
    return lying('sqlite', sqlite([HEADERS[0], rpm_header('bad', il=0x00ffffff)]))


@passes(gap='rpm')
def should_pass_rpm_bdb_item_count_lies():
    return lying('bdb', rpm_bdb(HEADERS, items=65535))


@passes(gap='rpm')
def should_pass_rpm_bdb_overflow_loop():
    return lying('bdb', rpm_bdb([rpm_header('demo' + 'x' * 9000)], next_loop=True))


@passes('demo 2:1.0-1.el8', 'big 2.0-3.el8', gap='rpm')
def should_pass_rpm_bdb_page_count_lies():
    """It was cut, or lies: what is there is listed."""
    return lying('bdb', rpm_bdb(HEADERS, pages=0xfffffff0))


@passes(gap='rpm')
def should_pass_rpm_bdb_page_size_zero():
    data = rpm_bdb(HEADERS)
    return lying('bdb', data[:20] + b'\0\0\0\0' + data[24:])


@passes(gap='rpm')
def should_pass_rpm_bdb_truncated():
    return lying('bdb', rpm_bdb(HEADERS)[:-4096])


@passes(gap='rpm')
def should_pass_rpm_ndb_slot_pages_lie():
    return lying('ndb', rpm_ndb(HEADERS, slots=0xffffffff))


@passes(gap='rpm')
def should_pass_rpm_ndb_blob_offset_outside():
    return lying('ndb', rpm_ndb(HEADERS, offset=0x0fffffff))


@passes(gap='rpm')
def should_pass_rpm_ndb_blob_length_lies():
    return lying('ndb', rpm_ndb(HEADERS, blob_length=0xfffffff0))


@passes(gap='rpm')
def should_pass_rpm_sqlite_truncated():
    data = sqlite([rpm_header('pkg%d' % i, '1.%d' % i) for i in range(400)])
    return lying('sqlite', data[:len(data) // 2])


@passes(gap='rpm')
def should_pass_rpm_sqlite_cut_in_header():
    return lying('sqlite', sqlite(HEADERS)[:60])


@passes(gap='rpm')
def should_pass_rpm_sqlite_page_size_lies():
    data = sqlite(HEADERS)
    return lying('sqlite', data[:16] + b'\0\3' + data[18:])


@passes(gap='rpm')
def should_pass_rpm_sqlite_cell_pointer_outside():
    data = bytearray(sqlite(HEADERS))
    size = 4096
    for page in range(1, len(data) // size):
        if data[page * size] == 13 and data[page * size + 4] | data[page * size + 3]:
            data[page * size + 8:page * size + 10] = b'\xff\xff'
    return lying('sqlite', bytes(data))


@passes(gap='rpm')
def should_pass_rpm_sqlite_btree_loop():
    """An interior page whose right child is itself."""
    data = bytearray(sqlite([rpm_header('pkg%d' % i, '1.%d' % i) for i in range(2000)]))
    size, spoiled = 4096, False
    for page in range(1, len(data) // size):
        at = page * size
        if data[at] == 5:
            data[at + 8:at + 12] = struct.pack('>I', page + 1)
            spoiled = True
    assert spoiled
    return lying('sqlite', bytes(data))


@passes(gap='rpm')
def should_pass_rpm_database_is_text():
    return lying('sqlite', 'this is no database\n' * 100)


@passes(gap='rpm')
def should_pass_rpm_database_empty():
    return lying('bdb', b'')


# --- dpkg ---------------------------------------------------------------------------------------

@passes('demo 1.0-1', packages=1)
def should_pass_dpkg_removed_package_is_none():
    """Configuration files of a removed package are no package."""
    gone = dpkg(('gone', '1.0-1'), status='deinstall ok config-files')
    return debian(dpkg(('demo', '1.0-1')) + '\n' + gone)


@passes('demo 1.0-1', 'half 2.0-1', packages=2)
def should_pass_dpkg_unpacked_package_counts():
    half = dpkg(('half', '2.0-1'), status='install ok unpacked')
    return debian(dpkg(('demo', '1.0-1')) + '\n' + half)


@passes('demo 1.0-1', gap='dpkg|status')
def should_pass_dpkg_paragraph_without_version():
    return debian(dpkg(('demo', '1.0-1')) + '\nPackage: nameless\nStatus: install ok installed\n')


@passes('demo 1.0-1', gap='dpkg|status')
def should_pass_dpkg_line_without_colon():
    return debian(dpkg(('demo', '1.0-1')) + '\n\0\1\2 garbage\n\nmore\xff garbage\n')


@passes('demo 1.0-1', gap='dpkg|status|FIELD')
def should_pass_dpkg_version_of_a_megabyte():
    return debian(dpkg(('demo', '1.0-1')) + '\n' + dpkg(('huge', '1' * 1000000)))


@passes('demo 1.0-1')
def should_pass_dpkg_description_of_megabytes():
    return debian(dpkg(('demo', '1.0-1')).rstrip('\n') + '\n' + ' line\n' * 500000)


@passes('demo 1.0-1')
def should_pass_dpkg_crlf_free_end():
    """No newline at the end of the file."""
    return debian(dpkg(('demo', '1.0-1')).rstrip('\n'))


@passes(gap='dpkg|status|FILE_DPKG')
def should_pass_dpkg_status_past_limit():
    return debian(dpkg(('demo', '1.0-1')) + '\n' + '# \n' * (12 << 20))


@passes('lib 2.0-1+b1')
def should_pass_dpkg_source_of_binnmu():
    return debian(dpkg(('lib', '2.0-1+b1')).replace('Version:', 'Source: libsrc (2.0-1)\nVersion:'))


@passes('demo 1.0-1')
def should_pass_dpkg_name_with_terminal_escapes():
    evil = 'evil\x1b[2J\x1b]0;owned\x07\x9b31m'
    return debian(dpkg(('demo', '1.0-1'), (evil, '1.0\x1b[31m-1')))


@passes('demo 1.0-1')
def should_pass_dpkg_name_with_html():
    return debian(dpkg(('demo', '1.0-1'), ('<script>alert(1)</script>', '1.0-1')))


# --- apk ----------------------------------------------------------------------------------------

@passes('musl 1.2.4-r1', gap='apk')
def should_pass_apk_block_without_version():
    return alpine(apk(('musl', '1.2.4-r1')) + 'P:broken\nA:x86_64\n\n')


@passes('musl 1.2.4-r1', gap='apk')
def should_pass_apk_line_without_colon():
    return alpine(apk(('musl', '1.2.4-r1')) + 'garbage without a colon\n\0\xff\n\n')


@passes('odd 1.0_nosuch1-r0', 'musl 1.2.4-r1')
def should_pass_apk_invalid_version_is_kept():
    """Dropping what cannot be compared would hide it."""
    return alpine(apk(('musl', '1.2.4-r1'), ('odd', '1.0_nosuch1-r0')))


@passes('musl 1.2.4-r1')
def should_pass_apk_truncated_in_last_block():
    return alpine(apk(('musl', '1.2.4-r1'), ('last', '1.0-r0'))[:-30])


@passes()
def should_pass_apk_name_with_terminal_escapes():
    return alpine(apk(('musl', '1.2.4-r1'), ('evil\x1b[2J', '1.0\x9b-r0')))


# --- os-release ---------------------------------------------------------------------------------

@passes('demo 1.0-1', complete='false')
def should_pass_os_release_missing():
    return Image(tar(file(STATUS, dpkg(('demo', '1.0-1')))))


@passes('demo 1.0-1', complete='false')
def should_pass_os_release_garbage():
    return Image(GOOD, tar(file('etc/os-release', b'\0\xff\xfe=' * 1000)))


@passes('demo 1.0-1', complete='false')
def should_pass_os_release_past_limit():
    return Image(GOOD, tar(file('etc/os-release', '#' * 200000 + '\n' + OS_RELEASE)))


@passes('demo 1.0-1')
def should_pass_os_release_with_terminal_escapes():
    return Image(GOOD, tar(file('etc/os-release',
                                OS_RELEASE + 'PRETTY_NAME="\x1b[2JDebian\x1b]0;x\x07"\n')))


@passes('demo 1.0-1', distro='debian 12')
def should_pass_os_release_shell_quoting():
    return Image(GOOD, tar(file('etc/os-release',
                                "# comment\n\nID='debian'\nVERSION_ID=\"12\"\nNAME=\"$(touch /tmp/x) \\\"\"\n")))


@passes('demo 1.0-1', complete='false')
def should_pass_os_release_unknown_distribution():
    return Image(GOOD, tar(file('etc/os-release', 'ID=plan9\nVERSION_ID=4\n')))
