"""Which row of the list of hostile inputs is held by which cases.

ROWS: row -> (what it says, shortly; patterns of case names). Registry cases name their rows themselves.
ELSEWHERE: rows that are about no image, archive, registry or layer as a client meets it, and why.
"""
import fnmatch

ROWS = {
    1: ('entry ../../etc/x', ['should-fail-dotdot-*', 'should-fail-archive-dotdot-member']),
    2: ('absolute link, then a file below it', ['should-fail-symlink-out-then-file-through-it',
                                                'should-pass-absolute-symlink-*', 'should-pass-proc-self-links']),
    3: ('hard link to the outside', ['should-fail-dotdot-hardlink-target', 'should-pass-hardlink-absolute-*',
                                     'should-fail-oci-archive-blob-is-hardlink-outside']),
    4: ('link, then directory of the same name', ['should-fail-symlink-then-directory-same-name']),
    5: ('the root becomes a link', ['should-fail-root-symlink', 'should-fail-root-replaced-in-upper-layer']),
    6: ('link in one layer, write through it in the next', ['should-pass-write-through-symlink-parent']),
    7: ('helper programs taken from the image', ['should-pass-image-brings-*']),
    8: ('ids and paths with ../ in docker archives', ['should-fail-docker-*dotdot*', 'should-pass-docker-re*dotdot',
                                                      'should-fail-docker-layer-absolute']),
    9: ('v1 ids that are not the content', ['should-*-docker-v1-id-*', 'should-fail-docker-layer-swapped']),
    10: ('index and image at once', ['should-fail-*both-layers-and-manifests', 'should-fail-*manifest-is-both']),
    11: ('media type against Content-Type', ['should-fail-media-type-contradicts-descriptor',
                                             'should-fail-index-declared-as-manifest']),
    12: ('duplicate JSON keys', ['should-fail-duplicate-json-key*', 'should-fail-config-duplicate-diff-ids',
                                 'should-fail-docker-manifest-duplicate-key']),
    13: ('foreign-layer urls', ['should-pass-foreign-layer-urls-ignored']),
    14: ('digest strings', ['should-fail-digest-*', 'should-fail-diffid-bad-form']),
    17: ('realm on another host', []),
    18: ('redirect with Authorization', []),
    19: ('private addresses, rebinding', []),
    20: ('endless manifest, token, error', []),
    21: ('signatures without number', []),
    22: ('gzip bomb, members', ['should-fail-gzip-bomb', 'should-fail-gzip-million-members',
                                'should-pass-gzip-multi-member', 'should-fail-zstd-bomb']),
    23: ('xz dictionary, integer loop', ['should-fail-archive-xz-dictionary', 'should-fail-archive-xz-integer-*',
                                         'should-fail-archive-xz-index-lies']),
    24: ('xz that hangs the reader', ['should-fail-archive-xz-that-goes-on']),
    25: ('zstd window, skippable frames', ['should-*-zstd-window', 'should-*-zstd-*skippable*',
                                           'should-fail-zstd-no-last-block', 'should-fail-zstd-reserved-block']),
    26: ('sparse map of millions', ['should-fail-sparse-map-*', 'should-pass-gnu-sparse-file']),
    27: ('pax of a gigabyte, pax loop', ['should-fail-pax-header-huge', 'should-fail-pax-headers-without-a-file',
                                         'should-fail-pax-record-*', 'should-fail-pax-hundred-thousand-records']),
    28: ('pax size against ustar size', ['should-fail-pax-size-*', 'should-pass-pax-size-agrees']),
    29: ('sizes and checksums', ['should-fail-negative-size', 'should-fail-size-*', 'should-fail-tar-checksum',
                                 'should-fail-volume-header-negative', 'should-pass-base256-sizes']),
    30: ('odd names', ['should-*-gnu-long*', 'should-fail-pax-path-*', 'should-fail-empty-name',
                       'should-pass-non-utf8-names', 'should-pass-dot-slash-*', 'should-fail-path-depth']),
    31: ('whiteouts', ['should-*-whiteout-*', 'should-pass-opaque-directory']),
    32: ('overlay xattrs, device 0:0', ['should-pass-overlay-xattrs', 'should-pass-char-device-over-database']),
    33: ('devices, fifos, setuid, capabilities', ['should-pass-device-nodes-*', 'should-pass-file-capabilities']),
    34: ('/etc/passwd is a link to the host', ['should-pass-passwd-is-link-to-host', 'should-pass-rootfs-*symlink*']),
    35: ('giant lines in passwd and group', ['should-pass-passwd-lines-giant']),
    36: ('USER out of range', ['should-fail-config-user-*', 'should-fail-config-group-*']),
    37: ('VOLUME outside', ['should-pass-config-odd-members']),
    38: ('LABEL that a runtime obeys', ['should-pass-label-is-logger-uri']),
    39: ('races while unpacking, helpers in the tree', ['should-pass-image-brings-nss-*',
                                                        'should-fail-symlink-out-then-file-through-it']),
    41: ('cache poison', ['should-fail-two-layers-one-digest', 'should-pass-same-layer-twice']),
    42: ('huge and missing blobs, wrong sizes', ['should-fail-blob-*', 'should-fail-*-size-lies',
                                                 'should-fail-descriptor-size-too-small', 'should-fail-*-huge',
                                                 'should-fail-oci-archive-blob-*', 'should-fail-index-json-*']),
    43: ('negative size, past 2^53', ['should-fail-descriptor-size-*']),
    44: ('nested index, cycles', ['should-fail-nested-index-deep', 'should-pass-nested-index']),
    45: ('DiffIDs', ['should-fail-diffid-*', 'should-fail-docker-layer-count', 'should-fail-docker-layer-swapped']),
    46: ('title annotation with ../', ['should-fail-title-annotation-dotdot']),
    47: ('attacks on who scans', ['should-pass-rpm-*', 'should-pass-rootfs-*', 'should-pass-dpkg-*',
                                  'should-pass-apk-*', 'should-pass-symlink-loop']),
    48: ('credentials and the scanner', []),
    54: ('CRIU checkpoint', ['should-fail-criu-checkpoint']),
    57: ('ranges', []),
    58: ('HTTP itself', []),
    59: ('near names', []),
    60: ('a tag pushed again', []),
}

ELSEWHERE = {
    15: 'what a gateway serves', 16: 'what a gateway lets in', 40: 'a builder, a fact',
    49: 'signatures', 50: 'signatures', 51: 'signatures', 52: 'signatures', 53: 'updates of the database',
    55: 'signatures', 56: 'signatures',
}


def cases_of(row, names, registry):
    """Case names of a row: by pattern, and registry cases by what they say of themselves."""
    found = {n for p in ROWS[row][1] for n in fnmatch.filter(names, p)}
    found |= {n for n, c in registry.items() if row in c['row']}
    return sorted(found)


def rows_of(name, names, registry):
    return [row for row in ROWS if name in cases_of(row, names, registry)]


def problems(names, registry):
    """Rows without a case, patterns that match nothing, rows that nobody claims."""
    for row, (_, patterns) in ROWS.items():
        if not cases_of(row, names, registry):
            yield f'row {row} has no case'
        for p in patterns:
            if not fnmatch.filter(names, p):
                yield f'row {row}: no case is called {p}'
    for row in range(1, 61):
        if (row in ROWS) == (row in ELSEWHERE):
            yield f'row {row} is in both tables or in neither'
    for name, c in registry.items():
        for row in c['row']:
            if row not in ROWS:
                yield f'{name} claims row {row}'
