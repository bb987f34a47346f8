# Images of several platforms, as they are fetched from a registry.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"
. "$BATS_TEST_DIRNAME/daemons.bash"
teardown() {
    end_process "${REGISTRY_PID:-}"
    end_daemons
}

# A registry of the test's own, without TLS; sets REGISTRY, and CONF for cocket.
start_registry() {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    local port
    port=$("$PY" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    REGISTRY=127.0.0.1:$port
    cat >registry.yml <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $PWD/registry}}
http: {addr: "$REGISTRY"}
YAML
    docker-registry serve registry.yml >registry.log 2>&1 3>&- 4>&- &
    REGISTRY_PID=$!
    CONF=$PWD/registries.conf
    printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$CONF"
    wait_for skopeo list-tags --tls-verify=false "docker://$REGISTRY/none" ||
        wait_for grep -q listening registry.log || skip "docker-registry does not start here"
}

fetch_index() { # sets INDEX, AMD and ARM: the digests
    start_registry
    mkdir -p amd arm
    echo amd64 >amd/arch
    echo arm64 >arm/arch
    "$PY" "$IMAGES" multi layout 1.0 linux/amd64=amd linux/arm64=arm
    skopeo copy -q --all --dest-tls-verify=false oci:layout:1.0 "docker://$REGISTRY/multi:1.0"
    status 0 fetch --registries-conf "$CONF" --all-platforms "$REGISTRY/multi:1.0"
    INDEX=${output##*@}
    local raw
    raw=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/multi:1.0")
    AMD=$(jq -r '.manifests[] | select(.platform.architecture == "amd64") | .digest' <<<"$raw")
    ARM=$(jq -r '.manifests[] | select(.platform.architecture == "arm64") | .digest' <<<"$raw")
}

@test "load: of an index the platform's image, if that one is cleared" {
    fetch_index
    status 0 release "$ARM" --reason "for the test"
    status 0 load --platform linux/arm64 "$REGISTRY/multi:1.0" --to oci:arm64
    is "$(skopeo inspect --raw oci:arm64:1.0 | sha256sum | cut -c 1-64)" "${ARM#sha256:}"
    status 0 unpack --platform linux/arm64 "$REGISTRY/multi:1.0" tree
    is "$(cat tree/arch)" arm64
    status 1 load --platform linux/amd64 "$REGISTRY/multi:1.0" --to oci:amd64
    has "$stderr" "$AMD is quarantined"
    status 1 load --all-platforms "$REGISTRY/multi:1.0" --to oci:all
    has "$stderr" "$AMD is quarantined"
    [ ! -e all ] && [ ! -e amd64 ]
    # The whole index is denied: none of it goes.
    status 0 deny "$INDEX" --reason "for the test"
    status 1 load --platform linux/arm64 "$REGISTRY/multi:1.0" --to oci:denied
    has "$stderr" "is denied: denied by .*: for the test"
}

@test "load: the whole index into a layout, an archive and containerd" {
    fetch_index
    status 0 release "$AMD" --reason "for the test"
    status 0 release "$ARM" --reason "for the test"
    status 0 load --all-platforms "$REGISTRY/multi:1.0" --to oci:all
    is "$(jq -r '.manifests[].digest' all/index.json)" "$INDEX"
    skopeo copy -q --all oci:all:1.0 oci:copy:1.0
    status 0 load --all-platforms "$REGISTRY/multi:1.0" --to oci-archive:all.tar
    is "$(tar -xOf all.tar index.json | jq -r '.manifests[].digest')" "$INDEX"
    skopeo copy -q --all oci-archive:all.tar:1.0 oci:back:1.0
    cmp "copy/blobs/sha256/${AMD#sha256:}" "back/blobs/sha256/${AMD#sha256:}"
    cmp "copy/blobs/sha256/${ARM#sha256:}" "all/blobs/sha256/${ARM#sha256:}"
    start_containerd
    status 0 load --all-platforms "$REGISTRY/multi:1.0" --to containerd
    is "$(ctr images ls "name==$REGISTRY/multi:1.0" | awk 'NR == 2 { print $3 }')" "$INDEX"
}
