# cocket and a real registry: docker-registry, behind nginx, with a token server; images pushed by skopeo.
load ../cli/lib
load servers

setup_file() {
    need docker-registry nginx skopeo openssl jq
    export RIG=$BATS_FILE_TMPDIR/rig
    mkdir -p "$RIG"
    new_home "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR" || return 1
    start_servers || {
        stop_servers
        skip 'docker-registry or nginx do not start here'
    }
    make_images || return 1
    push_images
}

teardown_file() { [ -z "${RIG:-}" ] || stop_servers; }

make_images() {
    export LAYOUT=$BATS_FILE_TMPDIR/layout
    local i folders=()
    $PY "$IMAGES" dpkg base=1.0-1 demo=1.0-1 >status.txt
    $PY "$IMAGES" debian low 12 status.txt
    mkdir -p top/var/lib/dpkg armed/etc
    $PY "$IMAGES" dpkg base=1.0-1 demo=1.0-2 late=2.0-1 >top/var/lib/dpkg/status
    cp low/etc/os-release armed/etc/
    $PY "$IMAGES" tree "$LAYOUT" one low
    $PY "$IMAGES" tree "$LAYOUT" two low top
    $PY "$IMAGES" multi "$LAYOUT" multi linux/amd64=low linux/arm64/v8=armed
    for i in $(seq 12); do
        mkdir -p "many$i/srv"
        head -c $((i * 60000)) /dev/urandom >"many$i/srv/file$i"
        folders+=("many$i")
    done
    $PY "$IMAGES" tree "$LAYOUT" twelve low "${folders[@]}"
}

push_images() {
    push "$LAYOUT:one" demo:one && push "$LAYOUT:two" demo:two && push "$LAYOUT:two" team/deep/demo:1.4 &&
        push "$LAYOUT:twelve" demo:twelve && push "$LAYOUT:multi" demo:multi --all
}

setup() {
    unset NO_COLOR COLUMNS SOURCE_DATE_EPOCH http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
    unset REGISTRY_AUTH_FILE COCKET_STORE DOCKER_CONFIG
    export LC_ALL=C.UTF-8
    new_home "$BATS_TEST_TMPDIR"
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
    mkdir -p "$XDG_RUNTIME_DIR"
    cd "$BATS_TEST_TMPDIR" || return 1
    conf </dev/null
    P=127.0.0.1:$PORT_PLAIN T=127.0.0.1:$PORT_TLS
    mark
}

teardown() {
    stop_proxy
    unserve
}

clean() { status 0 fsck; }

# fetched NAME...: fetches, and the digests are the registry's, in the order asked for.
fetched() {
    local want='' n
    status 0 fetch "$@" || return 1
    for n in "$@"; do
        [[ $n == 127.* ]] || continue # an option, or its argument
        want+=@$(digest_of "${n#*/}")$'\n'
    done
    printed=$output
    is "$(sed 's/.*@/@/' <<<"$output")" "${want%$'\n'}" || return 1
    clean
}

# --- the rig itself -------------------------------------------------------------------------------

@test "the rig: skopeo gets the image through every front, and not without what it takes" {
    want=$(digest_of demo:two)
    for p in "$PORT_TLS" "$PORT_BASIC" "$PORT_CLIENT" "$PORT_TOKEN"; do
        trust "$p"
        credentials "$p"
        d=$HOME/.config/containers/certs.d/127.0.0.1:$p
        cp "$RIG/tls/client.pem" "$d/client.cert"
        cp "$RIG/tls/client.key" "$d/client.key"
        is "$(skopeo inspect --raw --cert-dir "$d" --authfile auth.json "docker://127.0.0.1:$p/demo:two" |
            sha256sum | cut -c-64)" "${want#sha256:}"
        rm "$d/ca.crt"
        run skopeo inspect --raw --cert-dir "$d" --authfile auth.json "docker://127.0.0.1:$p/demo:two"
        [ "$status" != 0 ]
    done
    trust "$PORT_BASIC"
    trust "$PORT_TOKEN"
    for p in "$PORT_BASIC" "$PORT_TOKEN"; do
        run skopeo inspect --raw --cert-dir "$HOME/.config/containers/certs.d/127.0.0.1:$p" --no-creds \
            "docker://127.0.0.1:$p/demo:two"
        [ "$status" != 0 ]
    done
}

# --- fetch ----------------------------------------------------------------------------------------

@test "fetch by tag: the digest is the one that skopeo sees" {
    fetched "$P/demo:two"
    has "$printed" "^$P/demo:two@sha256:"
}

@test "fetch by digest, and by tag and digest" {
    d=$(digest_of demo:two)
    status 0 fetch "$P/demo@$d"
    has "$output" "@$d$"
    status 0 fetch "docker://$P/demo:two@$d"
    has "$output" "@$d$"
}

@test "fetch by a tag that means another digest is refused" {
    run --separate-stderr "$COCKET" fetch "$P/demo:one@sha256:$(printf %064d 0)"
    [ "$status" = 3 ] || [ "$status" = 4 ]
    [ -z "$output" ]
    clean
}

@test "fetch of several images at once: one line each, in their order" {
    fetched "$P/demo:one" "$P/demo:twelve" "$P/team/deep/demo:1.4"
}

@test "fetch of several images, one of which is not there: the others are" {
    status 3 fetch "$P/demo:one" "$P/demo:nowhere" "$P/demo:two"
    has "$output" "demo:one@$(digest_of demo:one)"
    has "$output" "demo:two@$(digest_of demo:two)"
    hasnt "$output" nowhere
    has "$stderr" nowhere
    clean
}

@test "fetch of one platform of an index, and of all" {
    fetched --platform linux/arm64 "$P/demo:multi"
    few=$(find "$XDG_DATA_HOME/cocket/store/blobs" -type f | wc -l)
    fetched --all-platforms "$P/demo:multi"
    [ "$(find "$XDG_DATA_HOME/cocket/store/blobs" -type f | wc -l)" -gt "$few" ]
    status 3 fetch --platform linux/s390x "$P/demo:multi"
    has "$stderr" 'linux/amd64'
}

@test "fetch of an image of 12 layers, all bytes as pushed" {
    fetched "$P/demo:twelve"
    d=$(digest_of demo:twelve)
    for b in $(jq -r '.layers[].digest, .config.digest' "$XDG_DATA_HOME/cocket/store/blobs/${d/://}"); do
        is "$(sha256sum <"$XDG_DATA_HOME/cocket/store/blobs/${b/://}")" "${b#sha256:}  -"
    done
}

@test "layers that are known are not fetched again, unless asked" {
    trust "$PORT_TLS"
    status 0 fetch "$T/demo:one"
    is "$(requests 'GET /v2/demo/blobs/')" 2
    mark
    status 0 fetch "$T/demo:two"
    is "$(requests 'GET /v2/demo/blobs/')" 2 # its config and the upper layer
    mark
    status 0 fetch "$T/demo:two"
    is "$(requests 'GET /v2/demo/blobs/')" 0
    status 0 fetch --refetch "$T/demo:two"
    [ "$(requests 'GET /v2/demo/blobs/')" -ge 2 ] # both layers
    clean
}

@test "--max-size is held before a layer is asked for" {
    trust "$PORT_TLS"
    run --separate-stderr "$COCKET" fetch --max-size 1M "$T/demo:twelve"
    [ "$status" = 3 ] || [ "$status" = 4 ]
    has "$stderr" 'size|max'
    [ "$(requests 'GET /v2/demo/blobs/')" -le 1 ] # the config at most
    status 0 fetch --max-size 100M "$T/demo:twelve"
}

@test "a name that is not there, a repository that is not there" {
    status 3 fetch "$P/demo:nowhere"
    has "$stderr" 'nowhere'
    has "$stderr" 'unknown|not found|404'
    status 3 fetch "$P/none/such:1"
    has "$stderr" 'unknown|not found|404'
}

# --- TLS and credentials --------------------------------------------------------------------------

@test "TLS with a CA of certs.d, over HTTP/2" {
    trust "$PORT_TLS"
    status 0 fetch "$T/demo:twelve"
    [ "$(requests 'HTTP/2')" -gt 12 ]
    is "$(requests 'HTTP/1')" 0
}

@test "TLS with an unknown CA, and with a wrong one" {
    status 3 fetch "$T/demo:two"
    has "$stderr" 'certificate|tls|ssl'
    trust "$PORT_TLS" "$RIG/tls/stranger.pem"
    status 3 fetch "$T/demo:two"
    has "$stderr" 'certificate|tls|ssl'
    is "$(requests '/v2/')" 0
}

@test "plain HTTP only where registries.conf says insecure" {
    printf '' >registries.conf
    status 3 fetch "$P/demo:two"
    [ -z "$output" ]
}

@test "a client's certificate from certs.d" {
    trust "$PORT_CLIENT"
    run --separate-stderr "$COCKET" fetch "127.0.0.1:$PORT_CLIENT/demo:two"
    [ "$status" = 3 ]
    has "$stderr" 'certificate|400|ssl|tls'
    cp "$RIG/tls/client.pem" "$HOME/.config/containers/certs.d/127.0.0.1:$PORT_CLIENT/client.cert"
    cp "$RIG/tls/client.key" "$HOME/.config/containers/certs.d/127.0.0.1:$PORT_CLIENT/client.key"
    status 0 fetch "127.0.0.1:$PORT_CLIENT/demo:two"
    has "$output" "@$(digest_of demo:two)$"
}

@test "basic auth: with, without, and with the wrong password" {
    trust "$PORT_BASIC"
    status 3 fetch "127.0.0.1:$PORT_BASIC/demo:two"
    has "$stderr" 'auth|401|login|credential'
    credentials "$PORT_BASIC" "$USER_NAME" not-it
    status 3 fetch "127.0.0.1:$PORT_BASIC/demo:two"
    has "$stderr" 'auth|401|password|credential'
    hasnt "$stderr" not-it
    credentials "$PORT_BASIC"
    status 0 fetch "127.0.0.1:$PORT_BASIC/demo:two"
    has "$output" "@$(digest_of demo:two)$"
}

@test "basic auth from ~/.docker/config.json and from the runtime directory" {
    trust "$PORT_BASIC"
    credentials "$PORT_BASIC"
    unset REGISTRY_AUTH_FILE
    mkdir -p "$HOME/.docker" "$XDG_RUNTIME_DIR/containers"
    mv auth.json "$HOME/.docker/config.json"
    status 0 fetch "127.0.0.1:$PORT_BASIC/demo:two"
    mv "$HOME/.docker/config.json" "$XDG_RUNTIME_DIR/containers/auth.json"
    status 0 fetch "127.0.0.1:$PORT_BASIC/demo:one"
    rm "$XDG_RUNTIME_DIR/containers/auth.json"
    status 3 fetch --refetch "127.0.0.1:$PORT_BASIC/demo:one"
}

@test "a credential helper is asked, with the host on its input" {
    trust "$PORT_BASIC"
    mkdir -p bin "$HOME/.docker"
    printf '#!/bin/sh\ncat >%s/asked\necho "$1" >>%s/asked\n' "$PWD" "$PWD" >bin/docker-credential-rig
    printf 'echo '\''{"ServerURL":"x","Username":"%s","Secret":"%s"}'\''\n' "$USER_NAME" "$USER_PASSWORD" \
        >>bin/docker-credential-rig
    chmod +x bin/docker-credential-rig
    printf '{"credHelpers":{"127.0.0.1:%s":"rig"}}' "$PORT_BASIC" >"$HOME/.docker/config.json"
    PATH=$PWD/bin:$PATH status 0 fetch "127.0.0.1:$PORT_BASIC/demo:two"
    has "$(cat asked)" "127.0.0.1:$PORT_BASIC"
    has "$(cat asked)" get
}

@test "a token server: with, without, and with the wrong password" {
    trust "$PORT_TOKEN"
    run --separate-stderr "$COCKET" fetch --allow-private "127.0.0.1:$PORT_TOKEN/demo:two"
    [ "$status" = 3 ]
    has "$stderr" 'auth|401|denied|credential'
    credentials "$PORT_TOKEN" "$USER_NAME" not-it
    run --separate-stderr "$COCKET" fetch --allow-private "127.0.0.1:$PORT_TOKEN/demo:two"
    [ "$status" = 3 ]
    has "$stderr" 'auth|401|password|credential'
    credentials "$PORT_TOKEN"
    status 0 fetch --allow-private "127.0.0.1:$PORT_TOKEN/demo:twelve"
    has "$output" "@$(digest_of demo:twelve)$"
    mark
    status 0 fetch --allow-private --refetch "127.0.0.1:$PORT_TOKEN/demo:twelve"
    [ "$(requests ' /token')" -le 4 ] # a token serves for more than one of some 20 requests
    has "$(cat "$RIG/asked.log")" "customs repository:demo:pull 200"
}

@test "a token server is asked with a refresh token where there is one" {
    trust "$PORT_TOKEN"
    export REGISTRY_AUTH_FILE=$PWD/auth.json
    printf '{"auths":{"127.0.0.1:%s":{"auth":"%s","identitytoken":"refresh-%s"}}}' "$PORT_TOKEN" \
        "$(printf '<token>:' | base64 -w0)" "$USER_PASSWORD" >auth.json
    status 0 fetch --allow-private "127.0.0.1:$PORT_TOKEN/demo:two"
    has "$(tail -n 3 "$RIG/asked.log")" '^POST customs .* 200'
}

@test "no password and no token is printed or kept" {
    trust "$PORT_TOKEN"
    credentials "$PORT_TOKEN"
    status 0 fetch --allow-private "127.0.0.1:$PORT_TOKEN/demo:two"
    hasnt "$output$stderr" "$USER_PASSWORD"
    ! grep -rl -e "$USER_PASSWORD" -e "$(printf %s "$USER_NAME:$USER_PASSWORD" | base64 -w0)" \
        "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$TMPDIR"
}

# --- registries.conf ------------------------------------------------------------------------------

@test "a mirror is asked first, and the registry itself where the mirror fails" {
    trust "$PORT_TLS"
    conf <<EOT
[[registry]]
prefix = "example.org/team"
location = "$T/demo-not-there"
[[registry.mirror]]
location = "$T/team"
EOT
    status 0 fetch example.org/team/deep/demo:1.4
    has "$output" "^example.org/team/deep/demo:1.4@$(digest_of team/deep/demo:1.4)$"
    [ "$(requests 'GET /v2/team/deep/demo/blobs/')" -ge 1 ]
    conf <<EOT
[[registry]]
prefix = "example.org/team"
location = "$T/team"
[[registry.mirror]]
location = "127.0.0.1:1/nobody"
[[registry.mirror]]
location = "$T/demo-not-there"
EOT
    status 0 fetch --refetch example.org/team/deep/demo:1.4
    has "$output" "^example.org/team/deep/demo:1.4@$(digest_of team/deep/demo:1.4)$"
}

@test "a mirror by digest only is not asked for tags" {
    trust "$PORT_TLS"
    conf <<EOT
[[registry]]
prefix = "example.org/team"
location = "$P/team"
insecure = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "$T/team"
EOT
    status 0 fetch example.org/team/deep/demo:1.4
    is "$(requests '/manifests/1.4')" 0
    mark
    status 0 fetch --refetch "example.org/team/deep/demo@$(digest_of team/deep/demo:1.4)"
    [ "$(requests '/manifests/sha256')" -ge 1 ]
}

@test "a prefix is rewritten; the longest match counts" {
    conf <<EOT
[[registry]]
prefix = "example.org"
location = "127.0.0.1:1"
[[registry]]
prefix = "example.org/shop"
location = "$P/team/deep"
insecure = true
EOT
    status 0 fetch example.org/shop/demo:1.4
    has "$output" "^example.org/shop/demo:1.4@"
    status 3 fetch example.org/demo:1.4
}

@test "a blocked registry is named, and nothing is asked" {
    conf <<EOT
[[registry]]
prefix = "$T/demo"
location = "$T/demo"
blocked = true
EOT
    trust "$PORT_TLS"
    run --separate-stderr "$COCKET" fetch "$T/demo:two"
    [ "$status" = 2 ] || [ "$status" = 3 ]
    has "$stderr" blocked
    has "$stderr" 'registries.conf'
    is "$(requests .)" 0
}

@test "a short name by its alias" {
    conf <<EOT
[aliases]
"shortly" = "$P/demo"
EOT
    status 0 fetch shortly:two
    has "$output" "$P/demo:two@$(digest_of demo:two)$"
}

# --- faults ---------------------------------------------------------------------------------------

through() { # through OPTION...: a proxy before the plain registry; its name in $X
    start_proxy "$PORT_PLAIN" "$@"
    X=127.0.0.1:$PROXY
    conf <<EOT
[[registry]]
location = "$X"
insecure = true
EOT
}

large() { # an image of one layer of 6 MB, pushed once
    if ! [ -e "$RIG/large.done" ]; then
        (
            cd "$RIG" || exit 1
            mkdir -p large/srv
            head -c 6000000 /dev/urandom >large/srv/file
            $PY "$IMAGES" tree "$RIG/large-layout" large large
        ) && push "$RIG/large-layout:large" demo:large || return 1
        touch "$RIG/large.done"
    fi
}

@test "a connection that breaks: the layer is resumed where it ended" {
    large
    through --cut 2000000 --times 1
    status 0 fetch "$X/demo:large"
    has "$output" "@$(digest_of demo:large)$"
    clean
    stop_proxy
    wait_for test -s proxy.log
    down=$(jq -s 'map(.down) | add' proxy.log)
    [ "$down" -lt 7500000 ] # not fetched anew as a whole
}

@test "a connection that breaks again and again gets there in the end, or says why" {
    large
    through --cut 2500000 --times 2
    status 0 fetch "$X/demo:large"
    has "$output" "@$(digest_of demo:large)$"
    clean
}

@test "a body that ends early as if that were all is no image" {
    large
    through --truncate 2000000
    run --separate-stderr "$COCKET" fetch "$X/demo:large"
    if [ "$status" = 0 ]; then # by ranges, two megabytes at a time
        has "$output" "@$(digest_of demo:large)$"
    else
        [ "$status" = 3 ] || [ "$status" = 4 ]
        [ -z "$output" ]
    fi
    clean
}

@test "a fetch that was killed goes on where it was" {
    large
    through --rate 3000000
    "$COCKET" fetch "$X/demo:large" >killed.out 2>&1 3>&- &
    pid=$!
    sleep 1.2
    kill -9 $pid
    wait $pid 2>/dev/null || true
    [ ! -s killed.out ] || hasnt "$(cat killed.out)" '@sha256'
    clean
    stop_proxy
    rm -f proxy.log
    through
    status 0 fetch "$X/demo:large"
    has "$output" "@$(digest_of demo:large)$"
    stop_proxy
    wait_for test -s proxy.log
    [ "$(jq -s 'map(.down) | add' proxy.log)" -lt 5500000 ]
}

@test "two processes fetch the same image at once; both are right" {
    large
    through --rate 6000000
    "$COCKET" fetch "$X/demo:large" >a.out 2>a.err 3>&- &
    a=$!
    "$COCKET" fetch "$X/demo:large" >b.out 2>b.err 3>&- &
    b=$!
    wait $a || { cat a.err; false; }
    wait $b || { cat b.err; false; }
    has "$(cat a.out)" "@$(digest_of demo:large)$"
    is "$(cat b.out)" "$(cat a.out)"
    clean
}

# --- scan -----------------------------------------------------------------------------------------

same_scan() { # same_scan OCI-REF DOCKER-REF: packages, findings and layers are the same bytes
    local what='{packages, findings, suppressed, distro, layers: .image.layers, digest: .image.digest}'
    report "$1"
    jq -S "$what" report.json >local.json
    report "$2"
    jq -S "$what" report.json >remote.json
    cmp local.json remote.json || { diff local.json remote.json | head -40; return 1; }
}

@test "scan docker:// says what scan oci: says of the same image" {
    same_scan "oci:$LAYOUT:two" "docker://$P/demo:two"
    same_scan "oci:$LAYOUT:twelve" "$P/demo:twelve"
    clean
}

@test "a bare name is docker://" {
    report "$P/demo:two"
    is "$(packages)" $'base 1.0-1\ndemo 1.0-2\nlate 2.0-1'
}

@test "a scan leaves what it fetched: the next one asks for no layer" {
    trust "$PORT_TLS"
    report "docker://$T/demo:two"
    mark
    report "docker://$T/demo:two"
    is "$(requests 'GET /v2/demo/blobs/')" 0
    mark
    status 0 fetch "$T/demo:two"
    is "$(requests 'GET /v2/demo/blobs/')" 0
}

@test "a scan of a link that is slow ends soon after the last byte" {
    large
    through --rate 4000000
    report "docker://$X/demo:large"
    clean
}

# --- referrers ------------------------------------------------------------------------------------

@test "a signature beside the image, by cosign's tag, comes with it" {
    d=$(digest_of demo:two)
    $PY "$TESTS/real/sign.py" "$P" demo "$d" --tag >signature
    status 0 fetch --no-referrers "$P/demo:two"
    [ ! -e "$XDG_DATA_HOME/cocket/store/blobs/$(tr : / <signature)" ]
    status 0 fetch "$P/demo:two"
    [ -e "$XDG_DATA_HOME/cocket/store/blobs/$(tr : / <signature)" ]
    clean
}

@test "referrers of OCI 1.1, by the fallback tag, are kept with the image and exported" {
    d=$(digest_of demo:one)
    $PY "$TESTS/real/sign.py" "$P" demo "$d" --referrer >referrer
    status 0 fetch "$P/demo:one"
    status 0 export -o out "$P/demo:one"
    has "$(cat out/index.json)" "$d"
    [ -e "out/blobs/sha256/$(sed 's/sha256://' referrer)" ]
}

# --- the store ------------------------------------------------------------------------------------

@test "ls, rm and gc: what was fetched is listed, and gone afterwards" {
    fetched "$P/demo:one" "$P/demo:two"
    status 0 ls
    has "$output" 'demo:one'
    has "$output" 'quarantine'
    status 0 rm "$P/demo:one"
    status 0 gc
    status 0 ls
    hasnt "$output" 'demo:one'
    has "$output" 'demo:two'
    clean
    status 0 rm "$P/demo:two"
    status 0 gc
    is "$(find "$XDG_DATA_HOME/cocket/store/blobs" -type f | wc -l)" 0
    status 0 log
    has "$output" 'fetch'
    has "$output" 'remove'
    status 0 log --verify
}

@test "export, then import on a second store: the same digests" {
    fetched "$P/demo:two" "$P/demo:multi"
    status 0 export -o out "$P/demo:two" "$P/demo:multi"
    is "$(skopeo inspect --raw "oci:out:$P/demo:two" 2>/dev/null | sha256sum | cut -c-64)" \
        "$(digest_of demo:two | cut -c8-)" || jq . out/index.json
    status 0 ls
    first=$(grep -oE 'sha256:[0-9a-f]{12}' <<<"$output" | sort)
    COCKET_STORE=$PWD/second status 0 import out
    COCKET_STORE=$PWD/second status 0 ls
    is "$(grep -oE 'sha256:[0-9a-f]{12}' <<<"$output" | sort)" "$first"
    COCKET_STORE=$PWD/second status 0 fsck
    has "$(COCKET_STORE=$PWD/second "$COCKET" ls)" 'demo:two'
}

@test "an export is an OCI layout that skopeo and umoci read" {
    need umoci
    fetched "$P/demo:two"
    status 0 export -o out "$P/demo:two"
    has "$(cat out/oci-layout)" '1.0.0'
    tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' out/index.json)
    is "$(skopeo inspect --format '{{.Digest}}' "oci:out:$tag")" "$(digest_of demo:two)"
}
