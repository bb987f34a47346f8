# The whole way: pushed by skopeo, fetched, scanned, cleared, and loaded into dockerd, podman and containerd with
# the same digests, where it runs.
load ../cli/lib
load servers

setup_file() {
    need docker-registry nginx skopeo openssl jq gcc
    [ -e "$TESTS/load/daemons.bash" ] || skip 'tests/load is not there'
    export RIG=$BATS_FILE_TMPDIR/rig LAYOUT=$BATS_FILE_TMPDIR/layout
    mkdir -p "$RIG"
    new_home "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR" || return 1
    start_servers || {
        stop_servers
        skip 'docker-registry or nginx do not start here'
    }
    printf '#include <stdio.h>\nint main(void) { puts("cargo landed"); return 0; }\n' |
        gcc -x c -static -O1 -o hello - || return 1
    $PY "$IMAGES" dpkg base=1.0-1 demo=1.0-1 >status.txt
    $PY "$IMAGES" debian low 12 status.txt
    mkdir -p top/bin top/tmp
    cp hello top/bin/hello
    $PY "$IMAGES" tree "$LAYOUT" runs low top
    push "$LAYOUT:runs" cargo/demo:1.4.2 || return 1
    database
}

# An advisory database that knows Debian 12 and nothing bad of it, built while it had support.
database() {
    mkdir -p feed
    printf '{"schema_version":"1.7.0","id":"TEST-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":' >feed/TEST-1.json
    printf '{"ecosystem":"Debian:12","name":"nothing"},"ranges":[{"type":"ECOSYSTEM","events":' >>feed/TEST-1.json
    printf '[{"introduced":"0"},{"fixed":"1"}]}]}]}' >>feed/TEST-1.json
    export DATABASE=$BATS_FILE_TMPDIR/advisories.db
    SOURCE_DATE_EPOCH=1700000000 "$COCKET" db build -o "$DATABASE" --feed osv=feed
}

teardown_file() { [ -z "${RIG:-}" ] || stop_servers; }

setup() {
    . "$TESTS/load/daemons.bash"
    unset REGISTRY_AUTH_FILE COCKET_STORE DOCKER_CONFIG DOCKER_HOST
    export LC_ALL=C.UTF-8
    new_home "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return 1
    conf </dev/null
    NAME=127.0.0.1:$PORT_PLAIN/cargo/demo:1.4.2
}

teardown() { end_daemons; }

config_digest() {
    skopeo inspect --raw --tls-verify=false "docker://$NAME" | jq -r .config.digest
}

cleared() {
    status 0 scan --db "$DATABASE" --quiet "docker://$NAME" || return 1
    status 0 ls
    has "$output" 'cleared'
}

@test "what was only fetched is not loaded; what was scanned is; --force needs a reason and is logged" {
    status 0 fetch "$NAME"
    status 1 load "$NAME" --to "oci:$PWD/out"
    has "$stderr" 'quarantine'
    [ ! -e out ]
    status 2 load --force "$NAME" --to "oci:$PWD/out"
    cleared
    status 0 load "$NAME" --to "oci:$PWD/out"
    is "$(skopeo inspect --format '{{.Digest}}' "oci:out:$(jq -r \
        '.manifests[0].annotations["org.opencontainers.image.ref.name"]' out/index.json)")" \
        "$(digest_of "cargo/demo:1.4.2")"
    status 0 log --verify
}

@test "dockerd: the same image, and it runs" {
    start_dockerd
    cleared
    status 0 load "$NAME" --to docker
    is "$(docker image inspect --format '{{.Id}}' "$NAME")" "$(config_digest)"
    is "$(docker run --rm --network none "$NAME" /bin/hello)" 'cargo landed'
}

@test "podman: the same image, and it runs" {
    podman_env
    cleared
    status 0 load "$NAME" --to podman
    is "sha256:$(podman image inspect --format '{{.Id}}' "$NAME")" "$(config_digest)"
    is "$(podman image inspect --format '{{.Digest}}' "$NAME")" "$(digest_of cargo/demo:1.4.2)"
    podman_run "$NAME" /bin/hello
    is "$output" 'cargo landed'
}

@test "containerd: the same digest" {
    start_containerd
    cleared
    status 0 load "$NAME" --to containerd
    has "$(ctr images ls)" "$(digest_of cargo/demo:1.4.2)"
}

@test "docker-archive: read again by skopeo, the same config" {
    cleared
    status 0 load "$NAME" --to "docker-archive:$PWD/image.tar"
    skopeo --insecure-policy copy -q docker-archive:image.tar dir:copy
    is "$(jq -r .config.digest copy/manifest.json)" "$(config_digest)"
}

@test "a denied image is not loaded" {
    cleared
    status 0 deny --reason 'found in the hold' "$NAME"
    status 1 load "$NAME" --to "oci:$PWD/out"
    has "$stderr" 'found in the hold'
    [ ! -e out ]
}
