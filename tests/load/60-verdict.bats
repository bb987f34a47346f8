# One policy decides, at the scan and at every later question, from what the scan kept.
# shellcheck shell=bash disable=SC2154

. "$BATS_TEST_DIRNAME/lib.bash"

IMAGE=docker.io/library/alpine:3.18.9

# A real image in the store, and a database in which two of its packages have open fixes.
real_image() {
    need_shared
    $PY "$IMAGES" wrap layout "$IMAGE" "$SHARED/fixtures/images/alpine-minirootfs-3.18.9-x86_64.tar.gz"
    status 0 import layout
    secdb main.json v3.18 '{"busybox": {"99-r0": ["CVE-2099-0001"]}, "musl": {"99-r0": ["CVE-2099-0002"]}}'
    status 0 db build -o my.db --feed alpine-secdb=main.json
}

# policy FILE DEMANDS [MORE]: one rule, for everything.
policy() {
    printf 'version: 1\ndefault: allow\nrules:\n  - name: strict\n    require:\n      %s\n%s' \
        "$2" "${3:-}" >"$1"
}

state() {
    status 0 ls --format json
    jq -r '.[0].state' <<<"$output"
}

@test "verdict: a real image, scanned twice, decided under several policies without its layers" {
    real_image
    policy strict.yaml 'severity: none'
    policy fixed.yaml 'severity: { fixable: none, grace: 30d }'
    policy fixed-now.yaml 'severity: { fixable: none }'
    status 1 scan -q --db my.db --policy strict.yaml store:alpine:3.18.9
    has "$output" "strict: 5 findings: CVE-2099-0001"
    is "$(state)" denied
    status 0 scan -q --db my.db --policy fixed.yaml store:alpine:3.18.9
    has "$output" '^ALLOW'
    is "$(state)" cleared
    # What was cleared a moment ago is not handed on under another policy, and the other way round.
    find store/blobs -type f -size +100k -delete
    status 1 load --policy strict.yaml alpine:3.18.9 --to oci:out
    has "$stderr" "is denied: strict: 5 findings: CVE-2099-0001 .unknown, busybox [^,]*, fixed in 99-r0"
    status 1 load --policy fixed-now.yaml alpine:3.18.9 --to oci:out
    has "$stderr" "is denied: strict: 5 findings with a fix: CVE-2099-0001"
    status 1 unpack --policy strict.yaml alpine:3.18.9 tree
    # What the policy allows fails for want of the layer, not for want of a decision.
    status 3 load --policy fixed.yaml alpine:3.18.9 --to oci:out
    has "$stderr" "sha256:[0-9a-f]{64} is not in the store"
    [ ! -e out ] && [ ! -e tree ]
}

@test "verdict: an exception that has expired holds back what it cleared" {
    real_image
    local exception
    exception=$'exceptions:\n  - id: [CVE-2099-0001, CVE-2099-0002]\n    owner: ops\n    reason: vendor is late\n    expires: %s\n'
    # shellcheck disable=SC2059
    policy now.yaml 'severity: none' "$(printf "$exception" "$(date -u -d '+2 days' +%F)")"
    # shellcheck disable=SC2059
    policy then.yaml 'severity: none' "$(printf "$exception" 2020-01-01)"
    status 0 scan -q --db my.db --policy now.yaml store:alpine:3.18.9
    has "$output" "exceptions: CVE-2099-0001, CVE-2099-0002, until "
    is "$(state)" cleared
    status 0 load --policy now.yaml alpine:3.18.9 --to oci:out
    status 1 load --policy then.yaml alpine:3.18.9 --to oci:out
    has "$stderr" "is denied: strict: 5 findings.*by ops expired on 2020-01-01"
    COCKET_POLICY=$PWD/then.yaml status 1 load alpine:3.18.9 --to oci:out
    status 0 load --policy then.yaml --force --reason "for the test" alpine:3.18.9 --to oci:out
    logged force-load "although denied .strict: 5 findings"
    # It was no person that cleared it; one who denies it is heard under any policy.
    status 0 deny alpine:3.18.9 --reason "seen enough"
    status 1 load --policy now.yaml alpine:3.18.9 --to oci:out
    has "$stderr" "is denied: denied by .*: seen enough"
}

@test "verdict: --fail-on is remembered with what was found" {
    real_image
    policy lenient.yaml 'known-exploited: none'
    export COCKET_POLICY=$PWD/lenient.yaml
    status 1 scan -q --db my.db --fail-on unknown store:alpine:3.18.9
    has "$output" "fail-on: 5 findings of severity unknown or above"
    status 1 load alpine:3.18.9 --to oci:out
    has "$stderr" "is denied: --fail-on: 5 findings of severity unknown or above"
    status 0 scan -q --db my.db --fail-on low store:alpine:3.18.9
    status 0 load alpine:3.18.9 --to oci:out
}

@test "verdict: the config is judged, and no value of the environment is kept or shown" {
    make_layout
    umoci config --image layout:1.0 --config.env SERVICE_PASSWORD=hunter2hunter2 \
        --config.env LANG=C.UTF-8 --config.label stage=draft --config.volume /data >/dev/null 2>&1
    put layout:1.0 >/dev/null
    policy config.yaml 'environment: no-secrets
      user: non-root
      labels: { forbidden: ["stage=draft"] }
      volumes: { forbidden: ["/data"] }'
    status 1 scan -q --no-cache --policy config.yaml store:demo:1.0 --format json
    is "$(jq -r '.verdict.reasons[]' <<<"$output" | LC_ALL=C sort)" \
        $'strict: it has forbidden labels: stage=draft\nstrict: it has forbidden volumes: /data
strict: it runs as root
strict: its environment seems to hold secrets: SERVICE_PASSWORD (a secret, as its name says)'
    status 0 scan -q store:demo:1.0
    status 1 load --policy config.yaml demo:1.0 --to oci:out
    hasnt "$stderr" hunter2
    # The config itself holds it, and nothing else.
    is "$(grep -rl hunter2hunter2 store | grep -vc /blobs/)" 0
}

@test "verdict: a directory and an archive are decided by the same policy" {
    mkdir -p tree/etc tree/lib/apk/db
    alpine layout latest 3.18.0 demo=1.0-r0
    secdb main.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    status 0 db build -o my.db --feed alpine-secdb=main.json
    policy strict.yaml 'severity: none'
    for image in oci:layout rootfs:tree; do
        status 1 scan -q --db my.db --policy strict.yaml "$image"
        has "$output" "strict: 1 finding: CVE-2099-0002"
        status 0 scan -q --db my.db "$image"
    done
    mkdir -p "$XDG_CONFIG_HOME/cocket"
    cp strict.yaml "$XDG_CONFIG_HOME/cocket/policy.yaml"
    status 1 scan -q --db my.db oci:layout
    status 3 scan -q --db my.db --policy nothing.yaml oci:layout
    echo 'version: 7' >strict.yaml
    status 2 scan -q --db my.db --policy strict.yaml oci:layout
    has "$stderr" "strict.yaml:1:10"
}
