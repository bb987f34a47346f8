# oci:, oci-archive:, docker-archive:, and who may be loaded at all.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"

manifest_of() { # manifest_of TRANSPORT:PATH...: the digest that skopeo sees
    skopeo inspect --format '{{.Digest}}' "$1"
}

@test "load: what is not cleared stays, with its state and reason" {
    make_layout
    put layout:1.0 quarantined >/dev/null
    status 1 load demo:1.0 --to oci:out
    has "$stderr" "not cleared: sha256:[0-9a-f]{64} is quarantined: quarantined by .*: for the test; examination: not examined"
    put layout:1.0 denied >/dev/null
    status 1 load demo:1.0 --to oci-archive:out.tar
    has "$stderr" "is denied: denied by .*: for the test"
    [ ! -e out ] && [ ! -e out.tar ]
    status 2 load --force demo:1.0 --to oci:out
    status 2 load --reason why demo:1.0 --to oci:out
    status 0 load --force --reason "it is for a lab" demo:1.0 --to oci:out
    is "$(manifest_of oci:out:1.0)" "$(manifest_of oci:layout:1.0)"
    logged force-load "to oci:out, although denied .denied by .*: for the test; .*: it is for a lab"
    logged load "to oci:out"
}

@test "load: a layout is made, added to, and its tags replaced" {
    make_layout
    local first second
    first=$(put layout:1.0)
    umoci config --image layout:1.0 --tag 2.0 --config.cmd /bin/other >/dev/null 2>&1
    second=$(put layout:2.0 cleared docker.io/library/demo:2.0)
    status 0 load demo:1.0 --to oci:out
    has "$stderr" "docker.io/library/demo:1.0@$first is in oci:out, "
    status 0 load demo:2.0 --to oci:out
    is "$(manifest_of oci:out:1.0)" "$first"
    is "$(manifest_of oci:out:2.0)" "$second"
    status 0 load demo:2.0 --to oci:out:1.0
    is "$(manifest_of oci:out:1.0)" "$second"
    is "$(jq '.manifests | length' out/index.json)" 2
    status 0 load "${first:7:12}" --name localhost/x:9 --to oci:out
    is "$(manifest_of oci:out:9)" "$first"
    umoci unpack --rootless --image out:9 bundle >/dev/null
    is "$(find out -name '*partial*')" ""
    status 0 scan oci:out:9 --format json
    is "$(jq -r .image.digest <<<"$output")" "$first"
}

@test "load: what another program wrote is not written again with less in it" {
    make_layout
    put layout:1.0 >/dev/null
    cp -r layout foreign
    jq -c '.manifests[0].annotations["org.example.kept"] = "yes"' layout/index.json >foreign/index.json
    status 2 load demo:1.0 --to oci:foreign:new
    has "$stderr" "another program wrote its index.json"
    is "$(jq -r '.manifests[0].annotations["org.example.kept"]' foreign/index.json)" yes
    mkdir full
    touch full/file
    status 2 load demo:1.0 --to oci:full
    has "$stderr" "neither empty nor an OCI layout"
    mkdir evil
    printf '{"imageLayoutVersion":"1.0.0"}' >evil/oci-layout
    printf '{"schemaVersion":2,"schemaVersion":2,"manifests":[]}' >evil/index.json
    status 4 load demo:1.0 --to oci:evil
    has "$stderr" "duplicate"
    mkdir outside
    status 0 load demo:1.0 --to oci:linked
    rm -r linked/blobs
    ln -s ../outside linked/blobs
    status 5 load demo:1.0 --to oci:linked
    is "$(ls outside)" ""
}

@test "load: archives that skopeo, umoci and the scan read" {
    make_layout
    local digest
    digest=$(put layout:1.0)
    status 0 load demo:1.0 --to oci-archive:o.tar
    is "$(manifest_of oci-archive:o.tar:1.0)" "$digest"
    status 0 load demo:1.0 --to docker-archive:d.tar
    skopeo copy -q docker-archive:d.tar:docker.io/library/demo:1.0 oci:back:1.0
    is "$(skopeo inspect --config oci:back:1.0 | jq -S .rootfs)" \
        "$(skopeo inspect --config oci:layout:1.0 | jq -S .rootfs)"
    status 0 scan docker-archive:d.tar --format json
    is "$(jq -r .image.digest <<<"$output")" "$digest"
    status 0 load demo:1.0 --to docker-archive:n.tar:localhost:5000/other/name:7
    is "$(tar -xOf n.tar manifest.json | jq -r '.[0].RepoTags[0]')" localhost:5000/other/name:7
    status 2 load demo:1.0 --to oci-archive:o.tar
    has "$stderr" "is there already"
    is "$(ls -- *partial* 2>/dev/null)" ""
    # The same image gives the same archive.
    status 0 load demo:1.0 --to oci-archive:p.tar
    cmp o.tar p.tar
    cocket load -q demo:1.0 --to docker-archive:/dev/stdout | cmp - d.tar
}

@test "load: a damaged store is found while copying" {
    make_layout
    put layout:1.0 >/dev/null
    local blob
    blob=$(find "$COCKET_STORE/blobs" -type f -size +100k | head -1)
    chmod u+w "$blob"
    printf X | dd of="$blob" bs=1 seek=70000 conv=notrunc 2>/dev/null
    status 5 load demo:1.0 --to oci-archive:out.tar
    has "$stderr" "the store is damaged: sha256:[0-9a-f]{64} has another content .cocket fsck"
    status 5 load demo:1.0 --to oci:out
    is "$(find . -path ./store -prune -o -name '*partial*' -print)" ""
    [ ! -e out.tar ] && [ ! -e out/index.json ]
    truncate -s 1000 "$blob"
    run ! "$COCKET" load demo:1.0 --to oci-archive:out.tar
    [ ! -e out.tar ]
}

@test "load: a full disk leaves no archive" {
    make_layout
    put layout:1.0 >/dev/null
    mkdir small
    mount -t tmpfs -o size=200k none small 2>/dev/null || skip "nothing can be mounted here"
    run --separate-stderr cocket load demo:1.0 --to oci-archive:small/o.tar
    local left
    left=$(ls -A small)
    umount small
    is "$status" 5
    has "$stderr" "No space left"
    is "$left" ""
}

@test "load: words that mean nothing" {
    make_layout
    put layout:1.0 >/dev/null
    local to
    for to in nowhere oci: docker-archive: oci-archive::x docker:x 'oci:d:two words' \
        docker-archive:f.tar:UPPER; do
        status 2 load demo:1.0 --to "$to"
    done
    status 2 load demo:1.0
    status 2 load --to oci:out
    status 2 load demo:1.0 other --to oci:out
    status 2 load --name 'Not A Name' demo:1.0 --to oci:out
    status 2 load --name "x@sha256:$(printf 0%.0s {1..64})" demo:1.0 --to oci:out
    status 2 load --address /x demo:1.0 --to oci:out
    status 2 load --all-platforms demo:1.0 --to docker-archive:x.tar
    status 3 load nothing:1.0 --to oci:out
    has "$stderr" "the store has no image"
    [ ! -e out ]
}
