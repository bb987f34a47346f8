# Into dockerd, and out of it.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"
. "$BATS_TEST_DIRNAME/daemons.bash"
teardown() { end_daemons; }

@test "load: docker has our config and our layers, and runs the image" {
    start_dockerd
    make_layout
    local config
    put layout:1.0 >/dev/null
    config=sha256:$(skopeo inspect --raw oci:layout:1.0 | jq -r .config.digest | cut -d: -f2)
    status 0 load demo:1.0 --to docker
    has "$stderr" "docker.io/library/demo:1.0@sha256:.* is in docker"
    is "$(docker image inspect --format '{{.Id}}' demo:1.0)" "$config"
    is "$(docker image inspect demo:1.0 | jq -c '.[0].RootFS.Layers')" \
        "$(skopeo inspect --config oci:layout:1.0 | jq -c .rootfs.diff_ids)"
    logged load "to docker"
    is "$(docker run --rm --network none demo:1.0)" "hello from the image"
    status 0 load --name localhost:5000/x/y:2 demo:1.0 --to docker
    is "$(docker image inspect --format '{{.Id}}' localhost:5000/x/y:2)" "$config"
    is "$(docker run --rm --network none localhost:5000/x/y:2)" "hello from the image"
}

@test "load: what was not cleared, or is damaged, does not get into docker" {
    start_dockerd
    make_layout
    put layout:1.0 quarantined >/dev/null
    status 1 load demo:1.0 --to docker
    put layout:1.0 >/dev/null
    local blob
    blob=$(find "$COCKET_STORE/blobs" -type f -size +100k | head -1)
    chmod u+w "$blob"
    printf X | dd of="$blob" bs=1 seek=70000 conv=notrunc 2>/dev/null
    status 5 load demo:1.0 --to docker
    has "$stderr" "the store is damaged"
    is "$(docker images -q)" ""
    DOCKER_HOST=unix:///nonexistent/docker.sock status 3 load demo:1.0 --to docker
    has "$stderr" "/nonexistent/docker.sock"
    DOCKER_HOST=tcp://127.0.0.1:1 status 3 load demo:1.0 --to docker
    has "$stderr" "only unix"
}

@test "load: a dockerd that says another image has not got ours" {
    make_layout
    put layout:1.0 >/dev/null
    "$PY" "$ROOT/tests/load/liar.py" "$TMPDIR/liar.sock" requests 3>&- 4>&- &
    local liar=$!
    wait_for test -e requests
    export DOCKER_HOST=unix://$TMPDIR/liar.sock
    status 4 load demo:1.0 --to docker
    has "$stderr" "dockerd says that it has sha256:0000"
    status 3 load --name localhost/error:1 demo:1.0 --to docker
    has "$stderr" "dockerd says: no space left .x1b"
    status 4 load --name localhost/lost:1 demo:1.0 --to docker
    has "$stderr" "does not have localhost/lost:1 afterwards"
    status 4 load --name localhost/ambiguous:1 demo:1.0 --to docker
    kill "$liar"
    grep -qx "DELETE /images/docker.io/library/demo:1.0" requests
}

@test "scan: docker-daemon: is what docker has" {
    start_dockerd
    make_layout
    put layout:1.0 >/dev/null
    status 0 load demo:1.0 --to docker
    status 0 scan docker-daemon:demo:1.0 --format json
    is "$(jq -c '[.image.layers[].diffId]' <<<"$output")" \
        "$(skopeo inspect --config oci:layout:1.0 | jq -c .rootfs.diff_ids)"
    status 3 scan docker-daemon:nothing:1.0
    has "$stderr" "404"
    is "$(find "$TMPDIR" -name '*cocket*')" ""
}
