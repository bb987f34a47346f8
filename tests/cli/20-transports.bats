# docker-archive, oci, oci-archive and rootfs, made by other people's tools; tags and platforms.
load lib

setup_file() {
    export LAYOUT=$BATS_FILE_TMPDIR/layout
    cd "$BATS_FILE_TMPDIR" || return 1
    $PY "$IMAGES" dpkg base=1.0-1 demo=1.0-1 >low.txt
    $PY "$IMAGES" dpkg base=1.0-1 demo=1.0-2 late=2.0-1 >top.txt
    $PY "$IMAGES" debian low 12 low.txt
    mkdir -p top/var/lib/dpkg
    cp top.txt top/var/lib/dpkg/status
    $PY "$IMAGES" tree "$LAYOUT" two low top
    $PY "$IMAGES" tree "$LAYOUT" one low
}

WANT='base 1.0-1
demo 1.0-2
late 2.0-1'

copy() { skopeo --insecure-policy copy -q "$@"; }

@test "oci: with a tag" {
    report "oci:$LAYOUT:two"
    is "$(packages)" "$WANT"
    report "oci:$LAYOUT:one"
    is "$(packages)" $'base 1.0-1\ndemo 1.0-1'
}

@test "oci: without a tag where there are several names them" {
    run --separate-stderr "$COCKET" scan "oci:$LAYOUT"
    [ "$status" = 2 ] || [ "$status" = 3 ]
    has "$stderr" one
    has "$stderr" two
}

@test "oci: with a tag that is not there names those that are" {
    status 3 scan "oci:$LAYOUT:three"
    has "$stderr" three
    has "$stderr" two
}

@test "a package's layer is the one that brought its present version" {
    report "oci:$LAYOUT:two"
    top=$(jq -r '.image.layers[1].diffId' report.json)
    is "$(jq -r '.packages[] | select(.name=="demo") | .layer' report.json)" "$top"
    is "$(jq -r '.packages[] | select(.name=="late") | .layer' report.json)" "$top"
    is "$(jq -r '.packages[] | select(.name=="base") | .layer' report.json)" \
        "$(jq -r '.image.layers[0].diffId' report.json)"
}

@test "the digest of the report is the manifest's" {
    report "oci:$LAYOUT:two"
    is "$(jq -r .image.digest report.json)" "$(skopeo inspect --format '{{.Digest}}' "oci:$LAYOUT:two")"
}

@test "oci-archive: by skopeo" {
    copy "oci:$LAYOUT:two" oci-archive:image.tar:two
    report oci-archive:image.tar:two
    is "$(packages)" "$WANT"
    report oci-archive:image.tar
    is "$(packages)" "$WANT"
}

@test "docker-archive: by skopeo, with and without its name" {
    copy "oci:$LAYOUT:two" docker-archive:image.tar:example.org/demo:1.4
    report docker-archive:image.tar
    is "$(packages)" "$WANT"
    report docker-archive:image.tar:example.org/demo:1.4
    is "$(packages)" "$WANT"
    status 3 scan docker-archive:image.tar:example.org/other:1.4
    has "$stderr" 'example.org/demo:1.4'
}

@test "docker-archive: compressed as a whole" {
    copy "oci:$LAYOUT:two" docker-archive:image.tar:demo:1.4
    gzip -k image.tar
    xz -k image.tar
    zstd -q -k image.tar
    for end in gz xz zst; do
        report docker-archive:image.tar.$end
        is "$(packages)" "$WANT"
    done
}

@test "layers that skopeo compressed with zstd" {
    copy --dest-compress-format zstd --dest-compress "oci:$LAYOUT:two" oci:zstd:two ||
        skip "this skopeo writes no zstd"
    jq -r '.manifests[0].digest' zstd/index.json | tr : / | sed 's,^,zstd/blobs/,' | xargs cat >manifest
    has "$(cat manifest)" 'zstd'
    report oci:zstd:two
    is "$(packages)" "$WANT"
}

# umoci insert forgets the padding behind the last file; see the test after the next one.
whole_blocks() { $PY -c 'import sys; d = sys.stdin.read(); print(d + "\n" * (-len(d) % 512 - 1))'; }

@test "umoci: a file inserted, a whiteout and an opaque directory" {
    copy "oci:$LAYOUT:two" oci:mine:two
    $PY "$IMAGES" dpkg inserted=3.0-1 | whole_blocks >status.txt
    umoci insert --rootless --image mine:two --tag three status.txt /var/lib/dpkg/status
    report oci:mine:three
    is "$(packages)" 'inserted 3.0-1'
    umoci insert --rootless --image mine:three --tag four --whiteout /var/lib/dpkg/status
    report oci:mine:four
    is "$(packages)" ''
    mkdir -p db
    $PY "$IMAGES" dpkg opaque=4.0-1 | whole_blocks >db/status
    umoci insert --rootless --image mine:three --tag five --opaque db /var/lib/dpkg
    report oci:mine:five
    is "$(packages)" 'opaque 4.0-1'
}

@test "umoci insert: a tar that ends behind the last byte of its last file, without padding" {
    # containerd, docker, podman and skopeo take such a layer.
    copy "oci:$LAYOUT:two" oci:mine:two
    $PY "$IMAGES" dpkg inserted=3.0-1 >status.txt
    umoci insert --rootless --image mine:two --tag three status.txt /var/lib/dpkg/status
    report oci:mine:three
    is "$(packages)" 'inserted 3.0-1'
}

@test "umoci: unpacked, changed and packed again" {
    copy "oci:$LAYOUT:two" oci:mine:two
    umoci unpack --rootless --image mine:two bundle
    $PY "$IMAGES" dpkg repacked=5.0-1 >bundle/rootfs/var/lib/dpkg/status
    umoci repack --image mine:six bundle
    report oci:mine:six
    is "$(packages)" 'repacked 5.0-1'
}

@test "every transport of one image gives the same packages, layers and findings" {
    copy "oci:$LAYOUT:two" docker-archive:image.tar:demo:1.4
    copy "oci:$LAYOUT:two" oci-archive:oci.tar:two
    for ref in "oci:$LAYOUT:two" docker-archive:image.tar oci-archive:oci.tar; do
        report "$ref"
        jq -c '[.packages, .findings, .distro, .summary, [.image.layers[].diffId]]' report.json >>all
    done
    is "$(wc -l <all)" 3
    is "$(sort -u all | wc -l)" 1
}

@test "rootfs: the same packages as the image of it" {
    umoci unpack --rootless --image "$LAYOUT:two" bundle
    report rootfs:bundle/rootfs
    is "$(packages)" "$WANT"
    is "$(jq -r '.image.layers | length' report.json)" 0
}

@test "rootfs: the machine itself, against dpkg-query" {
    command -v dpkg-query >/dev/null || skip "no dpkg here"
    report rootfs:/
    dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' |
        awk '$1 !~ /^.[cn]/ { print $2, $3 }' | LC_ALL=C sort >want
    jq -r '.packages[] | select(.type=="deb") | "\(.name) \(.version)"' report.json |
        LC_ALL=C sort >got
    diff want got
}

multi() {
    for p in amd64 arm64 armv7; do
        $PY "$IMAGES" dpkg demo=1.0-$p >status.txt
        $PY "$IMAGES" debian $p 12 status.txt
    done
    $PY "$IMAGES" multi multi latest linux/amd64=amd64 linux/arm64/v8=arm64 linux/arm/v7=armv7
}

@test "an index of several platforms: the one asked for" {
    multi
    report oci:multi --platform linux/amd64
    is "$(packages)" 'demo 1.0-amd64'
    report oci:multi --platform linux/arm64
    is "$(packages)" 'demo 1.0-arm64'
    report oci:multi --platform linux/arm64/v8
    is "$(packages)" 'demo 1.0-arm64'
    report oci:multi --platform linux/arm/v7
    is "$(packages)" 'demo 1.0-armv7'
    is "$(jq -r .image.architecture report.json)" arm
}

@test "an index of several platforms: the host's by default" {
    multi
    case $(uname -m) in
    x86_64) want=amd64 ;;
    aarch64) want=arm64 ;;
    *) skip "no image for this machine" ;;
    esac
    report oci:multi
    is "$(packages)" "demo 1.0-$want"
}

@test "an index of several platforms: what else there is" {
    multi
    status 0 scan --platform linux/amd64 oci:multi
    has "$output" 'linux/arm64'
    has "$output" 'linux/arm/v7'
    hasnt "$output" 'unknown/unknown'
}

@test "a platform that the index has not: exit status 3 and what it has" {
    multi
    status 3 scan --platform linux/s390x oci:multi
    has "$stderr" 's390x'
    has "$stderr" 'linux/amd64'
    hasnt "$stderr" 'unknown/unknown'
}

@test "the archives of docker save and BuildKit in the fixtures" {
    need_shared
    for f in "$SHARED"/fixtures/images/docker-save/*.tar; do
        report "docker-archive:$f"
    done
    f=$SHARED/fixtures/images/oci-archive-attestation-manifest.tar
    report "docker-archive:$f" --platform linux/arm64
    report "oci-archive:$f" --platform linux/arm64
    status 3 scan --platform linux/amd64 "oci-archive:$f"
    has "$stderr" linux/arm64
    hasnt "$stderr" unknown
}
