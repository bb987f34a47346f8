# Policies: reading, showing, testing, checking, replaying.
load lib

POLICY_5=$ROOT/doc/cocket-policy.5.scd

# The Nth literal block of the manual page.
example() {
    awk -v n="$1" '/^```$/ { inside = !inside; if (inside) count++; next }
        inside && count == n' "$POLICY_5" | sed 's/\\\(.\)/\1/g'
}

layout() { # layout DIR TAG: an OCI layout of one layer, without a distribution
    rm -rf tree
    mkdir -p tree/etc
    echo one >tree/etc/a
    $PY "$IMAGES" tree "$1" "$2" tree
}

# rules 'DEMANDS, in flow style': policy.yaml with one rule.
rules() {
    printf 'version: 1\ndefault: allow\nrules:\n  - name: r\n    require: { %s }\n' "$1" >policy.yaml
}

@test "the manual's policy is valid and its cases hold" {
    example 1 >policy.yaml
    example 2 >cases.yaml
    status 0 policy validate policy.yaml
    has "$output" '^policy.yaml: valid, sha256:[0-9a-f]{64}$'
    status 0 policy test cases.yaml
    is "${lines[0]}" "1..4"
    [ "$(grep -c '^ok ' <<<"$output")" = 4 ]
    # from elsewhere too: the policy lies beside the cases
    mkdir below
    cd below
    status 0 policy test ../cases.yaml
}

@test "a case that does not hold is said, with what differs" {
    example 1 >policy.yaml
    example 2 | sed 's/decision: allow }/decision: quarantine }/' >cases.yaml
    status 1 policy test cases.yaml
    is "${lines[1]}" "not ok 1 - a clean image may run"
    is "${lines[2]}" "#   decision: allow, expected quarantine"
    status 1 policy test --policy <(printf 'version: 1\ndefault: deny\n') cases.yaml
    has "$output" '^#   reason: no rule is for ghcr.io/acme/shop$'
}

@test "mistakes are named with file, line and column" {
    rules 'severity: hihg'
    status 2 policy validate policy.yaml
    is "$stderr" 'cocket: policy.yaml:5:26: severity: "hihg" is none of none, negligible, low, medium, high, critical'
    printf 'version: 1\ndefault: deny\nrule: []\n' >policy.yaml
    status 2 policy show --policy policy.yaml
    is "$stderr" 'cocket: policy.yaml:3:1: "rule" is no key of a policy; there are: version, default, release, rules, exceptions'
    printf 'version: 1\ndefault: deny\nrules: &a [*a]\n' >policy.yaml
    status 2 policy check --policy policy.yaml oci:lay
    is "$stderr" 'cocket: policy.yaml:3:8: anchors are not read here'
    printf 'version: 1\ncases:\n  - name: a\n    expect: { decision: maybe }\n' >cases.yaml
    status 2 policy test cases.yaml
    is "$stderr" 'cocket: cases.yaml:4:25: decision: "maybe" is none of allow, quarantine, deny'
    printf 'version: 1\ndefault: [\n' >policy.yaml
    status 2 policy validate policy.yaml
    has "$stderr" '^cocket: policy.yaml:3:1: no valid YAML: '
    printf 'version: 1\ndefault: \033[31m\n' >policy.yaml
    status 2 policy validate policy.yaml
    hasnt "$stderr" $'\033'
    status 3 policy validate nowhere.yaml
    has "$stderr" 'nowhere.yaml'
}

@test "all files are validated, and the last word is a mistake's" {
    rules 'user: non-root'
    cp policy.yaml good.yaml
    rules 'user: toor'
    status 2 policy validate policy.yaml good.yaml
    has "$output" '^good.yaml: valid'
    has "$stderr" 'policy.yaml:5:22: '
}

@test "attacks on the reader end as errors, at once" {
    $PY - <<'PYTHON'
head = 'version: 1\ndefault: deny\nrules: '
open('deep.yaml', 'w').write(head + 1000000 * '[')
open('braces.yaml', 'w').write(head + 1000000 * '{a: ')
open('nodes.yaml', 'w').write(head + '[' + 1000000 * 'a,' + ']')
open('huge.yaml', 'w').write(head + 5000000 * 'a')
open('bomb.yaml', 'w').write('a: &a [x,x,x]\n' + ''.join(f'{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n' for i in range(20)))
PYTHON
    for f in deep braces nodes huge bomb; do
        status 2 policy validate $f.yaml
        [ ${#stderr} -lt 300 ]
    done
}

@test "the policy in force is COCKET_POLICY's, the user's, or the one that is built in" {
    status 0 policy show
    has "${lines[0]}" '^policy built-in, sha256:'
    status 0 policy show --yaml
    printf '%s\n' "$output" >built-in.yaml
    status 0 policy validate built-in.yaml
    mkdir -p "$XDG_CONFIG_HOME/cocket"
    printf 'version: 1\ndefault: deny\n' >"$XDG_CONFIG_HOME/cocket/policy.yaml"
    status 0 policy show
    has "$output" '^default: deny$'
    COCKET_POLICY=built-in.yaml status 0 policy show
    has "${lines[0]}" '^policy built-in.yaml, '
    COCKET_POLICY=nowhere.yaml status 3 policy show
    status 0 policy show --policy built-in.yaml
    has "$output" '^default: allow$'
}

@test "an exception that has expired is shown as such" {
    printf 'version: 1\ndefault: deny\nexceptions:\n  - { id: CVE-1, owner: o, reason: r, expires: 2027-01-31 }\n' >p.yaml
    SOURCE_DATE_EPOCH=1801439999 status 0 policy show --policy p.yaml
    has "$output" 'until 2027-01-31, by o: r'
    SOURCE_DATE_EPOCH=1801440000 status 0 policy show --policy p.yaml
    has "$output" 'EXPIRED on 2027-01-31, by o: r'
}

@test "an image of no store is scanned and judged" {
    layout lay tag
    rules 'user: { is: non-root, otherwise: quarantine }'
    status 0 policy check -q --policy policy.yaml oci:lay
    has "${lines[0]}" '^quarantined: oci:lay \(sha256:'
    has "$output" '^  r: it runs as root'
    status 1 policy check -q --policy policy.yaml --fail-quarantine oci:lay
    rules 'user: non-root, distribution: supported'
    status 1 policy check -q --policy policy.yaml --format json oci:lay
    is "$(jq -r .decision <<<"$output")" deny
    is "$(jq '.reasons | length' <<<"$output")" 2
    is "$(jq -r .policy.file <<<"$output")" policy.yaml
    printf 'version: 1\ndefault: allow\n' >policy.yaml
    status 0 policy check -q --policy policy.yaml oci:lay
    has "${lines[0]}" '^allowed: '
    status 2 policy check -q --no-scan oci:lay
}

@test "who asks and from where is part of the question" {
    layout lay tag
    printf 'version: 1\ndefault: deny\nrules:\n  - name: r\n    match: { clients: [ci, 10.0.0.0/8], namespaces: test }\n    decision: allow\n' >p.yaml
    status 1 policy check -q --policy p.yaml oci:lay
    status 0 policy check -q --policy p.yaml --user ci --namespace test oci:lay
    status 0 policy check -q --policy p.yaml --address 10.1.2.3 --namespace test oci:lay
    status 1 policy check -q --policy p.yaml --address 11.1.2.3 --namespace test oci:lay
    status 1 policy check -q --policy p.yaml --user ci --namespace prod oci:lay
}

@test "an image of the store is judged by what its scan found; asking changes no state" {
    layout lay docker.io/library/one:1
    status 0 import -q lay
    printf 'version: 1\ndefault: allow\n' >allow.yaml
    rules 'user: non-root'
    status 0 policy check --no-scan --policy allow.yaml one:1
    has "$output" 'examination: not examined'
    COCKET_POLICY=allow.yaml status 0 policy check -q --policy allow.yaml one:1
    has "${lines[0]}" '^allowed: one:1 \(sha256:'
    status 0 ls --format json
    is "$(jq -r '.[0].state' <<<"$output")" cleared
    status 1 policy check --no-scan --policy policy.yaml one:1
    has "$output" 'r: it runs as root'
    status 0 ls --format json
    is "$(jq -r '.[0].state' <<<"$output")" cleared
    status 0 deny one:1 --reason 'not this one'
    status 1 policy check --no-scan --policy allow.yaml store:one:1
    has "$output" 'not this one'
    status 3 policy check --no-scan two:1
}

@test "an index is judged by its name, and the image for the platform by what is in it" {
    mkdir -p a b
    echo 1 >a/f
    echo 2 >b/f
    $PY "$IMAGES" multi lay docker.io/library/m:latest linux/amd64=a linux/arm64=b
    status 0 import -q lay
    export COCKET_POLICY=allow.yaml
    printf 'version: 1\ndefault: allow\n' >allow.yaml
    printf 'version: 1\ndefault: allow\nrules:\n  - { name: r, match: { platforms: linux/arm64 }, require: { user: non-root } }\n' >p.yaml
    status 1 policy check -q --policy p.yaml --platform linux/arm64 --format json m:latest
    is "$(jq -r .platform <<<"$output")" linux/arm64
    is "$(jq -c .reasons <<<"$output")" '["r: it runs as root"]'
    status 0 policy check -q --policy p.yaml --platform linux/amd64 m:latest
    rules 'tags: immutable'
    status 1 policy check -q --policy policy.yaml --platform linux/amd64 m:latest
    has "$output" 'the tag latest'
    digest=$("$COCKET" ls --format json | jq -r '.[] | select(.platform == "linux/amd64") | .digest')
    status 0 policy check -q --policy policy.yaml "store:$digest"
}

@test "replay says what another policy had done" {
    layout lay docker.io/library/one:1
    status 0 import -q lay
    printf 'version: 1\ndefault: allow\n' >allow.yaml
    export COCKET_POLICY=allow.yaml
    status 0 scan -q store:one:1
    status 0 ls --format json
    digest=$(jq -r '.[0].digest' <<<"$output")
    $PY - "$XDG_DATA_HOME/cocket/store/state.db" "$digest" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
def add(time, who, client, digest, count):
    db.execute("INSERT INTO pull(time, who, client, agent, name, repository, digest, count, result)"
               " VALUES(?,?,?,'','docker.io/library/one:1','docker.io/library/one',?,?,0)",
               (time, who, client, digest, count))
add(1000, 'alice', '10.0.0.1', sys.argv[2], 3)
add(2000, 'alice', '10.0.0.1', sys.argv[2], 1)
add(3000, 'bob', '10.0.0.2', sys.argv[2], 1)
add(4000, 'bob', '10.0.0.2', 'sha256:' + 64 * '0', 1)
db.commit()
PYTHON
    printf 'version: 1\ndefault: allow\nrules:\n  - { name: r, match: { clients: alice }, require: { user: non-root } }\n' >new.yaml
    status 0 policy replay --policy new.yaml
    has "$output" '^allow -> deny: docker.io/library/one:1 \(sha256:[0-9a-f]{12}\) for alice at 10.0.0.1, 4 pulls$'
    has "$output" '^  r: it runs as root$'
    is "${lines[-1]}" "6 pulls, 4 differ; allow -> deny: 4; 1 of images that are in the store no longer"
    status 0 policy replay --policy new.yaml --format json --since 1970-01-01T00:30:00Z
    is "$(jq -c '[.pulls, .gone, .differ, (.differing | length), .differing[0].pulls]' <<<"$output")" '[3,1,1,1,1]'
    status 0 policy replay --policy new.yaml --last 2
    is "$output" "2 pulls, 0 differ; 1 of images that are in the store no longer"
    status 0 policy replay --policy new.yaml --against new.yaml
    has "${lines[-1]}" '^6 pulls, 0 differ'
    status 2 policy replay
    status 2 policy replay --policy new.yaml --since yesterday
}

@test "the JSON schema and the program refuse the same" {
    mkdir docs
    run $PY "$ROOT/tests/cli/policy_schema.py" "$COCKET" docs
    [ "$status" = 77 ] && skip "$output"
    echo "$output"
    [ "$status" = 0 ]
}

@test "usage" {
    status 2 policy
    status 2 policy nonsense
    has "$stderr" 'there is no "policy nonsense"'
    status 0 policy --help
    status 0 policy check --help
    status 2 policy check
    status 2 policy check a b
    status 2 policy check --format xml a
    has "$stderr" 'text or json'
    status 2 policy check --platform amd64 a
    status 2 policy test
    status 2 policy validate
    status 2 policy show more
}
