# Into containerd, and out of it.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"
. "$BATS_TEST_DIRNAME/daemons.bash"
teardown() { end_daemons; }

digest_in() { # digest_in NAMESPACE NAME
    ctr -n "$1" images ls "name==$2" | awk 'NR == 2 { print $3 }'
}

@test "load: containerd keeps our manifest's digest, and does not unpack it" {
    start_containerd
    make_layout
    local digest
    digest=$(put layout:1.0)
    status 0 load demo:1.0 --to containerd
    is "$(digest_in cocket-test docker.io/library/demo:1.0)" "$digest"
    is "$(ctr snapshots ls | wc -l)" 1
    local address=$CONTAINERD_ADDRESS
    CONTAINERD_ADDRESS=/nonexistent status 0 load --address "$address" --namespace other \
        --name localhost/x:2 demo:1.0 --to containerd
    is "$(digest_in other localhost/x:2)" "$digest"
    logged load "to containerd"
    ctr images export all.tar docker.io/library/demo:1.0
    is "$(tar -xOf all.tar index.json | jq -r '.manifests[0].digest')" "$digest"
}

@test "load: a containerd that is not there, a store that is damaged" {
    start_containerd
    make_layout
    put layout:1.0 >/dev/null
    status 3 load --address /nonexistent demo:1.0 --to containerd
    local blob
    blob=$(find "$COCKET_STORE/blobs" -type f -size +100k | head -1)
    chmod u+w "$blob"
    printf X | dd of="$blob" bs=1 seek=70000 conv=notrunc 2>/dev/null
    status 5 load demo:1.0 --to containerd
    is "$(digest_in cocket-test docker.io/library/demo:1.0)" ""
}

@test "scan: containerd: is what containerd has" {
    start_containerd
    make_layout
    local digest
    digest=$(put layout:1.0)
    status 0 load demo:1.0 --to containerd
    status 0 scan containerd:docker.io/library/demo:1.0 --format json
    is "$(jq -r .image.digest <<<"$output")" "$digest"
    status 3 scan containerd:docker.io/library/nothing:1.0
    has "$stderr" "ctr images export: status"
    is "$(find "$TMPDIR" -name '*cocket*')" ""
}
