# The hostile corpus, unpacked: whatever a layer says, nothing is written outside the directory, and
# what the scan refuses is refused.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"

@test "unpack: no layer of the hostile corpus gets out of its directory" {
    "$PY" "$ROOT/tests/hostile/make.py" corpus
    local case n=0 opened=0 refused=0 before after
    mkdir -p field/tmp field/etc
    echo canary >field/etc/canary
    before=$(find field | sort; sha256sum field/etc/canary)
    for case in corpus/should-*; do
        [ -d "$case/oci" ] || continue
        n=$((n + 1))
        rm -rf "$COCKET_STORE"
        # What cannot even be opened never gets into a store.
        put "$case/oci" >/dev/null 2>&1 || continue
        opened=$((opened + 1))
        # ../../../tmp and the like lead to places below field.
        mkdir -p field/a/b
        run --separate-stderr timeout 60 "$COCKET" unpack -q demo:1.0 field/a/b/tree
        rm -rf field/a
        after=$(find field | sort; sha256sum field/etc/canary)
        is "$after" "$before"
        [ "$status" -le 5 ] || { echo "$case: $status $stderr"; return 1; }
        [[ "$stderr" != *Sanitizer* ]] || { echo "$case: $stderr"; return 1; }
        if grep -qx "status 4" "$case/expect"; then
            # What the scan refuses is refused here too.
            "$COCKET" scan "oci:$case/oci" >/dev/null 2>&1 && continue
            refused=$((refused + 1))
            [ "$status" = 4 ] || { echo "$case: exit status $status, not 4: $stderr"; return 1; }
        fi
    done
    echo "$n layouts, $opened opened, $refused refused"
    [ $opened -gt 50 ] && [ $refused -gt 20 ]
}

@test "unpack: a link to the outside, then a layer that writes through it" {
    mkdir -p one/etc two/way outside
    local target
    for target in "$PWD/outside" ../outside ../../../../../../../..$PWD/outside; do
        rm -rf layout tree "$COCKET_STORE"
        rm -f one/way
        ln -s "$target" one/way
        echo owned >two/way/canary
        umoci init --layout layout >/dev/null
        umoci new --image layout:1.0 >/dev/null
        umoci insert --rootless --image layout:1.0 one / >/dev/null 2>&1
        umoci insert --rootless --image layout:1.0 two/way/canary /way/canary >/dev/null 2>&1
        put layout:1.0 >/dev/null
        status 4 unpack demo:1.0 tree
        has "$stderr" "leads out of the tree"
        is "$(ls outside)" ""
        [ ! -e tree ]
    done
}
