# Trees: what comes out is what umoci unpacks.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"

@test "unpack: layers, links, whiteouts, modes and times come out as umoci has them" {
    make_layout
    put layout:1.0 >/dev/null
    status 0 unpack demo:1.0 tree
    [[ "$stderr" == *"is in tree, "*" entries, "* ]]
    is "$(tree tree times | sort)" "$(umoci_tree layout:1.0 times)"
    [ ! -e tree/gone ] && [ ! -e tree/opaque/old ]
    is "$(cat tree/etc/name)" two
    is "$(cat tree/etc/again)" one
    logged unpack tree
}

@test "unpack: real root file systems come out as umoci has them" {
    local image n=0
    for image in "$SHARED"/fixtures/images/alpine-minirootfs-*.tar.gz; do
        [ -e "$image" ] || skip "fixtures not present"
        gunzip -c "$image" >root.tar
        "$PY" "$ROOT/tools/oci-layout.py" root.tar real --tag 1.0 >/dev/null
        put real:1.0 cleared "$NAME" >/dev/null
        rm -rf tree
        status 0 unpack demo:1.0 tree
        is "$(tree tree times | sort)" "$(umoci_tree real:1.0 times)"
        n=$((n + 1))
    done
    [ $n -gt 3 ]
}

@test "unpack: set-id bits only when asked for; capabilities and devices never" {
    mkdir -p root/bin
    echo x >root/bin/su
    chmod 4755 root/bin/su
    mkfifo root/fifo
    tar -C root -cf root.tar .
    "$PY" "$ROOT/tools/oci-layout.py" root.tar layout --tag 1.0 >/dev/null
    put layout:1.0 >/dev/null
    status 0 unpack demo:1.0 tree
    has "$stderr" "1 files or directories lost set-user-id"
    has "$stderr" "1 device nodes, fifos"
    is "$(stat -c %a tree/bin/su)" 755
    [ ! -e tree/fifo ]
    status 0 unpack --setuid demo:1.0 tree2
    hasnt "$stderr" "lost set-user-id"
    is "$(stat -c %a tree2/bin/su)" 4755
}

@test "unpack: only what is cleared; force needs a reason and is logged first" {
    make_layout
    put layout:1.0 quarantined >/dev/null
    status 1 unpack demo:1.0 tree
    has "$stderr" "not cleared: sha256:[0-9a-f]{64} is quarantined: quarantined by .*: for the test; examination: not examined"
    put layout:1.0 denied >/dev/null
    status 1 unpack demo:1.0 tree
    has "$stderr" "is denied: .*for the test"
    status 2 unpack --force demo:1.0 tree
    status 2 unpack --force --reason ' ' demo:1.0 tree
    status 2 unpack --reason why demo:1.0 tree
    [ ! -e tree ]
    status 0 unpack --force --reason "I look at it" demo:1.0 tree
    [ -e tree/etc/name ]
    logged force-unpack "although denied .denied by .*: for the test; .*: I look at it"
}

@test "unpack: the directory must be empty or not there, and is touched by nothing else" {
    make_layout
    put layout:1.0 >/dev/null
    mkdir full
    echo mine >full/file
    status 2 unpack demo:1.0 full
    has "$stderr" "full is not empty"
    is "$(ls full)" file
    echo mine >file
    status 2 unpack demo:1.0 file
    is "$(cat file)" mine
    mkdir target
    ln -s target link
    status 2 unpack demo:1.0 link
    is "$(ls target)" ""
    mkdir empty
    status 0 unpack demo:1.0 empty/
    [ -e empty/etc/name ]
    status 5 unpack demo:1.0 missing/parent/tree
    status 3 unpack nothing:1.0 tree
    status 2 unpack demo:1.0
    is "$(ls -d ./*partial* 2>/dev/null)" ""
}

@test "unpack: a full disk leaves nothing" {
    make_layout
    put layout:1.0 >/dev/null
    mkdir small
    mount -t tmpfs -o size=300k none small 2>/dev/null || skip "nothing can be mounted here"
    run --separate-stderr cocket unpack demo:1.0 small/tree
    local left
    left=$(ls -A small)
    umount small
    is "$status" 5
    has "$stderr" "No space left"
    is "$left" ""
}

@test "unpack: a damaged store is no image; nothing is left" {
    make_layout
    put layout:1.0 >/dev/null
    local blob
    blob=$(find "$COCKET_STORE/blobs" -type f -size +100k | head -1)
    chmod u+w "$blob"
    printf X | dd of="$blob" bs=1 seek=70000 conv=notrunc 2>/dev/null
    run --separate-stderr cocket unpack demo:1.0 tree
    [ "$status" = 4 ] || [ "$status" = 5 ]
    [ ! -e tree ]
    is "$(ls -d ./*partial* 2>/dev/null)" ""
}

@test "unpack: as a user who may not do everything" {
    [ "$(id -u)" = 0 ] || skip "must be root to become another"
    make_layout
    put layout:1.0 >/dev/null
    chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null
    chown -R 12345 .
    setpriv --reuid 12345 --regid 12345 --clear-groups "$COCKET" unpack demo:1.0 tree ||
        skip "the program cannot be reached by that user"
    is "$(tree tree | sort)" "$(umoci_tree layout:1.0)"
    is "$(stat -c %u tree/etc/name)" 12345
}
