# Real registries for the tests: docker-registry, nginx in front of it, a token server. Everything on the
# loopback, on free ports, below $RIG; stopped by the pids that were started.
# shellcheck shell=bash disable=SC2034,SC2154

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
USER_NAME=customs USER_PASSWORD=hold-9187

need() { # need PROGRAM...: skips where one is missing
    local p
    for p in "$@"; do
        command -v "$p" >/dev/null || skip "$p is not installed"
    done
}

free_port() {
    $PY -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# started PID: to be stopped by `stop_servers`. bats waits for whoever holds its descriptor 3.
started() { echo "$1" >>"$RIG/pids"; }

stop_servers() {
    [ -e "$RIG/pids" ] || return 0
    local p i
    tac "$RIG/pids" | while read -r p; do
        kill "$p" 2>/dev/null || continue
        for i in $(seq 50); do
            kill -0 "$p" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$p" 2>/dev/null
    done
    rm -f "$RIG/pids"
}

wait_for() { # wait_for COMMAND...: up to ten seconds
    local i
    for i in $(seq 100); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

answers() { # answers PORT
    $PY -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1"
}

# make_certificates DIR: a CA and a server's certificate, a client's, and a CA that nobody trusts.
make_certificates() {
    mkdir -p "$1"
    (
        cd "$1" || exit 1
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }
        sign() { openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
            -extfile "$1.ext" -out "$1.pem" 2>/dev/null; }
        new -x509 -keyout ca.key -out ca.pem -days 2 -subj '/CN=tests' \
            -addext keyUsage=critical,keyCertSign,cRLSign
        new -x509 -keyout stranger.key -out stranger.pem -days 2 -subj '/CN=stranger'
        new -keyout server.key -out server.csr -subj /CN=localhost
        echo 'subjectAltName=IP:127.0.0.1,DNS:localhost' >server.ext
        new -keyout client.key -out client.csr -subj /CN=client
        echo 'extendedKeyUsage=clientAuth' >client.ext
        sign server && sign client
        openssl genrsa -out token.key 2048 2>/dev/null
        openssl req -x509 -new -key token.key -out token.pem -days 2 -subj '/CN=token' 2>/dev/null
    )
}

# start_registry NAME PORT: docker-registry; further lines of its configuration on stdin.
start_registry() {
    local name=$1 port=$2
    {
        printf 'version: 0.1\nlog: {level: warn, accesslog: {disabled: true}}\n'
        printf 'storage: {filesystem: {rootdirectory: %s/storage}, delete: {enabled: true}}\n' "$RIG"
        printf 'http: {addr: "127.0.0.1:%s", relativeurls: true}\n' "$port"
        cat
    } >"$RIG/$name.yml"
    docker-registry serve "$RIG/$name.yml" >"$RIG/$name.log" 2>&1 </dev/null 3>&- &
    started $!
    wait_for answers "$port" || { cat "$RIG/$name.log" >&2; return 1; }
}

start_token_server() {
    echo "$USER_NAME:$USER_PASSWORD" >"$RIG/users"
    $PY "$TESTS/real/token_server.py" --key "$RIG/tls/token.key" --issuer tests --users "$RIG/users" \
        --port-file "$RIG/token.port" --log "$RIG/asked.log" >"$RIG/token.err" 2>&1 </dev/null 3>&- &
    started $!
    wait_for test -e "$RIG/token.port"
}

# One nginx with a server for each way of asking: TLS and HTTP/2 alone, with basic auth, with a client's
# certificate, with tokens. Its log has lines "PORT METHOD TARGET STATUS PROTOCOL".
start_nginx() {
    htpasswd >"$RIG/htpasswd"
    {
        printf 'user root;\nworker_processes 1;\npid %s/nginx.pid;\n' "$RIG"
        printf 'error_log %s/nginx.err;\nevents {}\nhttp {\n' "$RIG"
        for d in client_body proxy fastcgi uwsgi scgi; do
            printf '%s_temp_path %s/nginx-%s;\n' $d "$RIG" $d
        done
        # shellcheck disable=SC2016
        printf 'log_format short "$server_port $request_method $request_uri $status $server_protocol";\n'
        printf 'access_log %s/nginx.log short;\nclient_max_body_size 0;\nproxy_buffering off;\n' "$RIG"
        # shellcheck disable=SC2016
        printf 'proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;\n'
        nginx_server "$PORT_TLS" "$PORT_PLAIN" ''
        nginx_server "$PORT_BASIC" "$PORT_PLAIN" "auth_basic registry; auth_basic_user_file $RIG/htpasswd;"
        nginx_server "$PORT_CLIENT" "$PORT_PLAIN" \
            "ssl_client_certificate $RIG/tls/ca.pem; ssl_verify_client on;"
        nginx_server "$PORT_TOKEN" "$PORT_TOKEN_PLAIN" \
            "location /token { proxy_pass http://127.0.0.1:$(cat "$RIG/token.port"); }"
        printf '}\n'
    } >"$RIG/nginx.conf"
    nginx -p "$RIG" -e "$RIG/nginx.err" -c "$RIG/nginx.conf" -g 'daemon off;' >"$RIG/nginx.out" 2>&1 \
        </dev/null 3>&- &
    started $!
    wait_for answers "$PORT_TLS" || { cat "$RIG/nginx.err" "$RIG/nginx.out" >&2; return 1; }
}

htpasswd() { printf '%s:%s\n' "$USER_NAME" "$(openssl passwd -apr1 "$USER_PASSWORD")"; }

nginx_server() { # nginx_server PORT UPSTREAM-PORT MORE
    printf 'server { listen 127.0.0.1:%s ssl http2; ssl_certificate %s/tls/server.pem;\n' "$1" "$RIG"
    printf 'ssl_certificate_key %s/tls/server.key; %s\n' "$RIG" "$3"
    printf 'location / { proxy_pass http://127.0.0.1:%s; proxy_http_version 1.1; } }\n' "$2"
}

# All of it; sets PORT_PLAIN, PORT_TLS, PORT_BASIC, PORT_CLIENT, PORT_TOKEN.
start_servers() {
    mkdir -p "$RIG/storage"
    make_certificates "$RIG/tls" || return 1
    local p
    for p in PORT_PLAIN PORT_TLS PORT_BASIC PORT_CLIENT PORT_TOKEN PORT_TOKEN_PLAIN; do
        export $p="$(free_port)"
    done
    start_registry plain "$PORT_PLAIN" </dev/null || return 1
    start_registry token "$PORT_TOKEN_PLAIN" <<EOT || return 1
auth: {token: {realm: "https://127.0.0.1:$PORT_TOKEN/token", service: tests, issuer: tests,
  rootcertbundle: $RIG/tls/token.pem}}
EOT
    start_token_server || return 1
    start_nginx
}

# --- the client -----------------------------------------------------------------------------------

trust() { # trust PORT [CA]: certs.d for this home
    local d=$HOME/.config/containers/certs.d/127.0.0.1:$1
    mkdir -p "$d"
    cp "${2:-$RIG/tls/ca.pem}" "$d/ca.crt"
}

# conf: registries.conf on stdin, behind the plain registry, which may be spoken to without TLS.
conf() {
    export CONTAINERS_REGISTRIES_CONF=$PWD/registries.conf
    {
        printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$PORT_PLAIN"
        cat
    } >registries.conf
}

credentials() { # credentials PORT [USER PASSWORD]
    export REGISTRY_AUTH_FILE=$PWD/auth.json
    printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$1" \
        "$(printf %s "${2:-$USER_NAME}:${3:-$USER_PASSWORD}" | base64 -w0)" >auth.json
}

# push LAYOUT:TAG NAME [OPTION...]: into the plain registry, by skopeo.
push() {
    local from=$1 to=$2
    shift 2
    skopeo --insecure-policy copy -q --dest-tls-verify=false "$@" "oci:$from" "docker://127.0.0.1:$PORT_PLAIN/$to"
}

digest_of() { # digest_of NAME: by skopeo, of what the tag means (an index stays one)
    skopeo inspect --raw --tls-verify=false "docker://127.0.0.1:$PORT_PLAIN/$1" | sha256sum |
        sed 's/^\([0-9a-f]*\).*/sha256:\1/'
}

# requests PATTERN: how many lines of nginx's log since `mark` match.
mark() { wc -l <"$RIG/nginx.log" >"$BATS_TEST_TMPDIR/mark"; }
requests() {
    sleep 0.2
    tail -n "+$(($(cat "$BATS_TEST_TMPDIR/mark") + 1))" "$RIG/nginx.log" | grep -cE -- "$1" || true
}

start_proxy() { # start_proxy PORT OPTION...: sets PROXY to its port
    local target=$1
    shift
    rm -f proxy.port
    $PY "$TESTS/fault/proxy.py" --target "127.0.0.1:$target" --port-file proxy.port --log proxy.log "$@" \
        >proxy.err 2>&1 </dev/null 3>&- &
    PROXY_PID=$!
    wait_for test -e proxy.port || return 1
    PROXY=$(cat proxy.port)
}

stop_proxy() {
    if [ -n "${PROXY_PID:-}" ]; then
        kill "$PROXY_PID" 2>/dev/null || true
        wait "$PROXY_PID" 2>/dev/null || true
        PROXY_PID=
    fi
}
