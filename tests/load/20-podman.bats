# Into podman, and out of it.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"
. "$BATS_TEST_DIRNAME/daemons.bash"
teardown() { end_daemons; }

@test "load: podman keeps our manifest's digest, and runs the image" {
    podman_env
    make_layout
    local digest
    digest=$(put layout:1.0)
    status 0 load demo:1.0 --to podman
    has "$stderr" "docker.io/library/demo:1.0@$digest is in podman"
    is "$(podman image inspect --format '{{.Digest}}' demo:1.0)" "$digest"
    logged load "to podman"
    status 0 load --name localhost/again:2 demo:1.0 --to podman
    is "$(podman image inspect --format '{{.Digest}}' localhost/again:2)" "$digest"
    podman_run localhost/again:2
    is "$output" "hello from the image"
}

@test "load: podman takes a Docker schema 2 manifest as it is" {
    podman_env
    make_layout
    skopeo copy -q --format v2s2 oci:layout:1.0 dir:docker
    "$PY" - <<'PYTHON'
import hashlib, json, os
m = open('docker/manifest.json', 'rb').read()
os.makedirs('v2s2/blobs/sha256')
d = json.loads(m)
for x in [d['config']] + d['layers']:
    os.link('docker/' + x['digest'][7:], 'v2s2/blobs/sha256/' + x['digest'][7:])
h = hashlib.sha256(m).hexdigest()
open('v2s2/blobs/sha256/' + h, 'wb').write(m)
open('v2s2/oci-layout', 'w').write('{"imageLayoutVersion":"1.0.0"}')
json.dump({'schemaVersion': 2, 'manifests': [{'mediaType': d['mediaType'], 'digest': 'sha256:' + h,
           'size': len(m)}]}, open('v2s2/index.json', 'w'))
PYTHON
    local digest
    digest=$(put v2s2)
    status 0 load demo:1.0 --to podman
    is "$(podman image inspect --format '{{.Digest}}' demo:1.0)" "$digest"
}

@test "load: what podman does not take is an error, and a damaged store stays out of it" {
    podman_env
    make_layout
    put layout:1.0 >/dev/null
    local blob
    blob=$(find "$COCKET_STORE/blobs" -type f -size +100k | head -1)
    chmod u+w "$blob"
    printf X | dd of="$blob" bs=1 seek=70000 conv=notrunc 2>/dev/null
    status 5 load demo:1.0 --to podman
    has "$stderr" "the store is damaged"
    is "$(podman images -q)" ""
    rm -rf "$COCKET_STORE"
    put layout:1.0 >/dev/null
    CONTAINERS_STORAGE_CONF=/nonexistent/storage.conf status 3 load demo:1.0 --to podman
    has "$stderr" "podman load: status [0-9]+: .*/nonexistent/storage.conf"
    run --separate-stderr env PATH=/nonexistent "$COCKET" load demo:1.0 --to podman
    is "$status" 3
    has "$stderr" "podman"
}

# A podman that has something else than it was given.
@test "load: a target that says another digest has not got our image" {
    make_layout
    put layout:1.0 >/dev/null
    mkdir bin
    cat >bin/podman <<'SH'
#!/bin/sh
echo "$*" >>"$CALLS"
case $1 in
load) cat >/dev/null ;;
image) [ -e "$CALLS.had" ] || [ "$(grep -c '^image' "$CALLS")" -gt 1 ] || exit 125
       echo sha256:0000000000000000000000000000000000000000000000000000000000000000 ;;
esac
SH
    chmod +x bin/podman
    export CALLS=$PWD/calls PATH=$PWD/bin:$PATH
    status 4 load demo:1.0 --to podman
    has "$stderr" "podman says that it has sha256:0000.*, and not sha256:"
    grep -qx "rmi docker.io/library/demo:1.0" calls # the name was new there
    rm calls
    touch calls.had
    status 4 load demo:1.0 --to podman
    run ! grep -q rmi calls
    printf '#!/bin/sh\ncat >/dev/null\necho nonsense' >bin/podman
    status 4 load demo:1.0 --to podman
    run ! logged load "to podman"
}

@test "scan: containers-storage: is what podman has" {
    podman_env
    make_layout
    put layout:1.0 >/dev/null
    status 0 load demo:1.0 --to podman
    status 0 scan containers-storage:docker.io/library/demo:1.0 --format json
    is "$(jq -c '[.image.layers[].diffId]' <<<"$output")" \
        "$(skopeo inspect --config oci:layout:1.0 | jq -c .rootfs.diff_ids)"
    is "$(find "$TMPDIR" -name '*cocket*')" ""
    status 3 scan containers-storage:docker.io/library/nothing:1.0
    has "$stderr" "podman save: status"
}
