# lock and verify --lock against a registry: docker-registry on the loopback, plain HTTP.
load lib

setup_file() {
    command -v docker-registry skopeo >/dev/null || return 0
    start_registry
}

teardown_file() {
    [ -z "${REGISTRY_PID:-}" ] || kill "$REGISTRY_PID" 2>/dev/null || true
}

# The port is free when asked; where somebody else takes it meanwhile the next one is tried.
start_registry() {
    local dir=$BATS_FILE_TMPDIR try i
    for try in 1 2 3; do
        PORT=$($PY -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        cat >"$dir/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $dir/registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$PORT"}
YAML
        docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 3>&- &
        REGISTRY_PID=$!
        for i in $(seq 100); do
            if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
                export REGISTRY_PID PORT
                cat >"$dir/registries.conf" <<CONF
[[registry]]
location = "localhost:$PORT"
insecure = true

[[registry]]
prefix = "docker.io"
location = "localhost:$PORT"
insecure = true
CONF
                return 0
            fi
            kill -0 "$REGISTRY_PID" 2>/dev/null || break
            sleep 0.05
        done
    done
    cat "$dir/registry.log"
    return 1
}

need_registry() {
    [ -n "${REGISTRY_PID:-}" ] || skip "docker-registry or skopeo is not there"
    export CONTAINERS_REGISTRIES_CONF=$BATS_FILE_TMPDIR/registries.conf
}

# push NAME:TAG VERSION: an image of one package, with a digest of its own.
push() {
    rm -rf layout
    alpine layout latest 3.20.1 "musl=$2"
    skopeo --insecure-policy copy -q --dest-tls-verify=false oci:layout:latest \
        "docker://localhost:$PORT/$1"
}

# What the registry says that a tag means: not asked through cocket.
digest_of() {
    skopeo --insecure-policy inspect --tls-verify=false --format '{{.Digest}}' \
        "docker://localhost:$PORT/$1"
}

@test "lock writes what the registry means, verify finds what moved" {
    need_registry
    push team/app:1.2 1.0-r0
    push library/base:3.20 1.1-r0
    local app base
    app=$(digest_of team/app:1.2) base=$(digest_of library/base:3.20)
    printf 'FROM localhost:%s/team/app:1.2 AS a\nFROM base:3.20\nCOPY --from=a /a /a\n' "$PORT" \
        >Dockerfile
    printf 'services:\n  a: {image: "localhost:%s/team/app:1.2"}\n' "$PORT" >compose.yaml
    cp Dockerfile before

    status 0 lock Dockerfile compose.yaml
    has "$output" 'is a stage of this file'
    cmp Dockerfile before
    is "$(jq -r '.images[] | "\(.reference) \(.digest) \(.files | join(","))"' images.lock)" \
        "docker.io/library/base:3.20 $base Dockerfile
localhost:$PORT/team/app:1.2 $app Dockerfile,compose.yaml"
    [ "$(jq -r '.images[0].platforms | length' images.lock)" = 1 ]

    status 0 verify --lock
    has "$output" '2 references, 0 moved'

    push team/app:1.2 2.0-r0
    status 1 verify --lock --format json
    is "$(jq -r '.images[] | "\(.state) \(.locked) \(.now)"' <<<"$output")" \
        "same $base $base
moved $app $(digest_of team/app:1.2)"
    status 0 lock Dockerfile compose.yaml
    has "$stderr" 'team/app:1.2 has moved'
    status 0 verify --lock
}

@test "lock --write pins and changes no other byte" {
    need_registry
    push team/app:2.1 1.0-r0
    local digest
    digest=$(digest_of team/app:2.1)
    printf '# syntax? no\r\nFROM localhost:%s/team/app:2.1 \\\r\n  AS x \t\r\nRUN <<E\r\nFROM y\r\nE\r\n' \
        "$PORT" >Dockerfile
    sed "s|app:2.1|app:2.1@$digest|" Dockerfile >want
    chmod 640 Dockerfile
    status 1 lock --check --write Dockerfile
    status 0 lock --write Dockerfile
    cmp Dockerfile want
    [ "$(stat -c %a Dockerfile)" = 640 ]
    status 0 lock --check --write Dockerfile
    # what was written names just the bytes that the tag means
    is "$(skopeo --insecure-policy inspect --raw --tls-verify=false \
        "docker://localhost:$PORT/team/app@$digest" | sha256sum | cut -d' ' -f1)" "${digest#sha256:}"
}

@test "an index is locked by its own digest, with the platforms that it offers" {
    need_registry
    push team/multi:arm 1.0-r0
    push team/multi:amd 1.1-r0
    $PY - "$PORT" <<'PYTHON'
import hashlib, json, sys, urllib.request
base = f'http://localhost:{sys.argv[1]}/v2/team/multi/manifests/'
kind = 'application/vnd.oci.image.manifest.v1+json'
manifests = []
for tag, arch in ('amd', 'amd64'), ('arm', 'arm64'):
    body = urllib.request.urlopen(urllib.request.Request(base + tag, headers={'Accept': kind})).read()
    manifests.append({'mediaType': kind, 'size': len(body), 'platform': {'os': 'linux', 'architecture': arch},
                      'digest': 'sha256:' + hashlib.sha256(body).hexdigest()})
index = 'application/vnd.oci.image.index.v1+json'
body = json.dumps({'schemaVersion': 2, 'mediaType': index, 'manifests': manifests}).encode()
urllib.request.urlopen(urllib.request.Request(base + '1.0.0', data=body, method='PUT',
                                              headers={'Content-Type': index}))
open('digest', 'w').write('sha256:' + hashlib.sha256(body).hexdigest())
PYTHON
    printf 'FROM --platform=linux/s390x localhost:%s/team/multi:1.0.0\n' "$PORT" >Dockerfile
    status 0 lock Dockerfile
    is "$(jq -r '.images[0].digest' images.lock)" "$(cat digest)"
    is "$(jq -c '.images[0].platforms' images.lock)" '["linux/amd64","linux/arm64"]'
    has "$stderr" 'is not offered for linux/s390x'
}

@test "what the registry has not, and a registry that is not there: status 3, nothing written" {
    need_registry
    printf 'FROM localhost:%s/team/nothing:1\n' "$PORT" >Dockerfile
    status 3 lock --write Dockerfile
    has "$stderr" 'team/nothing:1'
    has "$stderr" 'nothing was written'
    [ ! -e images.lock ]
    printf 'FROM localhost:%s/team/nothing:1\n' "$PORT" >want
    cmp Dockerfile want
    push team/gone:1 1.0-r0
    printf 'FROM localhost:%s/team/gone:1\n' "$PORT" >Dockerfile
    status 0 lock Dockerfile
    sed -i "s/localhost:$PORT/localhost:1/" images.lock
    status 3 verify --lock
    has "$output" 'not asked  localhost:1/team/gone:1'
}

@test "look-alike names and moving tags are warned of before anything is asked" {
    need_registry
    printf 'FROM alpinne\n' >Dockerfile
    status 3 lock Dockerfile
    has "$stderr" 'Dockerfile:1: alpinne: alpinne is one letter away from the official image alpine'
    has "$stderr" 'no tag means latest'
    printf 'FROM ghrc.io/acme/app:1.2.3\n' >Dockerfile
    printf '[[registry]]\nprefix = "ghrc.io"\nlocation = "localhost:%s"\ninsecure = true\n' "$PORT" \
        >conf
    status 3 lock --registries-conf conf Dockerfile
    has "$stderr" 'ghrc.io is, with two letters swapped, the registry ghcr.io'
}

@test "files that are none of the kinds, and verify without --lock, are usage errors" {
    echo text >notes
    status 2 lock notes
    status 2 lock
    status 2 verify alpine:3.20
    has "$stderr" 'cocket verify --lock'
    status 3 verify --lock
}
