# What the command line tests share.
# shellcheck shell=bash disable=SC2034,SC2154

bats_require_minimum_version 1.5.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
COCKET=${COCKET:-$ROOT/build/cocket}
SHARED=${COCKET_SHARED:-$ROOT/../shared}
PY=/usr/bin/python3
IMAGES=$ROOT/tests/cli/images.py
SCHEMA=$ROOT/doc/report.schema.json

# Every test has a home of its own, and no network beyond the loopback is asked for.
setup() {
    unset NO_COLOR COLUMNS SOURCE_DATE_EPOCH http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
    export LC_ALL=C.UTF-8
    new_home "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return 1
}

new_home() {
    export HOME=$1/home XDG_CACHE_HOME=$1/cache XDG_DATA_HOME=$1/data XDG_CONFIG_HOME=$1/config
    export TMPDIR=$1/tmp
    mkdir -p "$HOME" "$XDG_CACHE_HOME" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$TMPDIR"
}

cocket() { "$COCKET" "$@"; }

# only_gaps FILE: a policy that no finding matters to, for what is not about decisions.
only_gaps() {
    cat >"$1" <<'POLICY'
version: 1
default: allow
rules:
  - name: complete
    require:
      assessment: { is: complete, otherwise: quarantine }
POLICY
    export COCKET_POLICY=$1
}

# Runs cocket and demands an exit status: `status 2 scan --nonsense`. stdout is $output, stderr $stderr.
status() {
    local want=$1
    shift
    run --separate-stderr "$COCKET" "$@"
    if [ "$status" != "$want" ]; then
        echo "cocket $*: exit status $status, not $want"
        echo "stdout: ${output:0:2000}"
        echo "stderr: $stderr"
        return 1
    fi
}

has() { # has TEXT PATTERN: an extended regular expression, any case
    grep -qiE -- "$2" <<<"$1" || {
        echo "not there: $2"
        echo "in: ${1:0:2000}"
        return 1
    }
}

hasnt() {
    ! grep -qiE -- "$2" <<<"$1" || {
        echo "there: $2"
        echo "in: ${1:0:2000}"
        return 1
    }
}

is() { # is GOT WANT
    [ "$1" = "$2" ] || {
        diff <(echo "$2") <(echo "$1") | head -40
        return 1
    }
}

# report REF [OPTION...]: the JSON report, valid by its schema, in report.json; exit status 0.
report() {
    local ref=$1
    shift
    status 0 scan --quiet --format json "$@" "$ref" || return 1
    printf '%s\n' "$output" >report.json
    valid report.json
}

valid() {
    if ! [ -e "$SCHEMA" ]; then
        echo "no $SCHEMA"
        return 1
    fi
    $PY - "$SCHEMA" "$1" <<'PYTHON'
import json, sys, jsonschema
schema, report = (json.load(open(p)) for p in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(report, schema, cls=jsonschema.Draft202012Validator)
PYTHON
}

# Lines "name version" of the report, sorted.
packages() { jq -r '.packages[] | "\(.name) \(.version)"' report.json | LC_ALL=C sort; }
# Lines "id package".
findings() { jq -r '.findings[] | "\(.id) \(.package.name)"' report.json | LC_ALL=C sort; }

need_shared() {
    [ -d "$SHARED/fixtures" ] || skip "fixtures not present"
}

# debian OUT TAG RELEASE NAME=VERSION...: an OCI layout of one layer.
debian() {
    local out=$1 tag=$2 release=$3
    shift 3
    $PY "$IMAGES" dpkg "$@" >status.txt
    rm -rf tree
    $PY "$IMAGES" debian tree "$release" status.txt
    $PY "$IMAGES" tree "$out" "$tag" tree
}

# secdb FILE RELEASE JSON-OF-SECFIXES-BY-PACKAGE: an Alpine feed.
secdb() {
    $PY - "$@" <<'PYTHON'
import json, sys
path, release, packages = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
json.dump({'distroversion': release, 'reponame': 'main', 'archs': ['x86_64'],
           'urlprefix': 'http://example.org', 'apkurl': '',
           'packages': [{'pkg': {'name': n, 'secfixes': f}} for n, f in packages.items()]},
          open(path, 'w'))
PYTHON
}

# alpine OUT TAG RELEASE NAME=VERSION...: an OCI layout of one layer.
alpine() {
    local out=$1 tag=$2 release=$3 p
    shift 3
    rm -rf tree
    mkdir -p tree/etc tree/lib/apk/db
    printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=%s\nPRETTY_NAME="Alpine Linux v%s"\n' \
        "$release" "${release%.*}" >tree/etc/os-release
    for p in "$@"; do
        printf 'C:Q1\nP:%s\nV:%s\nA:x86_64\no:%s\n\n' "${p%%=*}" "${p#*=}" "${p%%=*}"
    done >tree/lib/apk/db/installed
    $PY "$IMAGES" tree "$out" "$tag" tree
}

# serve DIR: a web server on the loopback; its address in $URL. Ends with `unserve`.
serve() {
    rm -f server.port
    $PY - "$1" server.port >server.log 2>&1 3>&- <<'PYTHON' &
import functools, http.server, os, sys
h = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), h)
with open(sys.argv[2] + '.tmp', 'w') as f:
    f.write(str(s.server_port))
os.rename(sys.argv[2] + '.tmp', sys.argv[2])
s.serve_forever()
PYTHON
    SERVER=$!
    local i
    for i in $(seq 100); do
        [ -e server.port ] && break
        sleep 0.05
    done
    URL=http://127.0.0.1:$(cat server.port)
}

unserve() {
    if [ -n "${SERVER:-}" ]; then
        kill "$SERVER" 2>/dev/null || true
        wait "$SERVER" 2>/dev/null || true
        SERVER=
    fi
}

teardown() { unserve; }
