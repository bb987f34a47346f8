# Looking again: what a newer database changes for what is stored, and what becomes of tags and bases.
load lib

# at DAY FILE: a database of this day from the secdb file.
at() {
    SOURCE_DATE_EPOCH=$((1700000000 + $1 * 86400)) status 0 db build -o "$XDG_DATA_HOME/cocket/advisory.db" \
        --feed "alpine-secdb=$2"
}

strict() {
    printf 'version: 1\ndefault: allow\nrules:\n  - name: r\n    require: { severity: none }\n' >policy.yaml
    export COCKET_POLICY=$PWD/policy.yaml
}

# stored NAME NAME=VERSION...: an Alpine image in the store, scanned; its digest in $DIGEST.
stored() {
    local name=$1
    shift
    rm -rf lay
    alpine lay "$name" 3.18.0 "$@"
    status 0 import -q lay
    DIGEST=${output##*@}
    status 0 scan -q "store:$DIGEST"
}

# look STATUS [OPTION...]: watch once, as JSON in round.json.
look() {
    local want=$1
    shift
    status "$want" watch --no-update --no-tags --format json "$@" || return 1
    printf '%s\n' "$output" >round.json
}

kinds() { jq -r '.events[].kind' round.json | sort | uniq -c | awk '{ print $2 "=" $1 }' | paste -sd' '; }
count() { jq -r ".counts.$1" round.json; }
state() { "$COCKET" ls --format json | jq -r ".[] | select(.digest == \"$1\") | .state"; }

first() { # a store with one image that was cleared under the first database
    strict
    mkdir -p "$XDG_DATA_HOME/cocket"
    secdb a.json v3.18 '{"other": {"1.0-r0": ["CVE-2099-0001"]}}'
    at 0 a.json
    stored docker.io/library/one:1 demo=1.0-r0
    ONE=$DIGEST
    is "$(state "$ONE")" cleared
}

@test "an image that was cleared is withdrawn, told once, and comes back" {
    first
    look 0
    is "$(kinds)" ""
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    look 1
    is "$(kinds)" "findings=1 withdrawn=1"
    is "$(count withdrawn) $(count changed) $(count new)" "1 1 1"
    is "$(jq -r '.events[0].data.new[0] | "\(.id) \(.package) \(.version) \(.fix)"' round.json)" \
        'CVE-2099-0002 demo 1.0-r0 2.0-r0'
    is "$(jq -r '.events[0] | "\(.name) \(.repository)"' round.json)" \
        'docker.io/library/one:1 docker.io/library/one'
    is "$(jq -r '.events[1].data | "\(.from) \(.to)"' round.json)" 'cleared denied'
    has "$(jq -r '.events[1].data.reasons[0]' round.json)" 'CVE-2099-0002'
    is "$(state "$ONE")" denied
    status 1 load --to "dir:out" "store:$ONE" || status 1 policy check "store:$ONE"
    look 0
    is "$(kinds)" ""
    at 2 a.json
    look 0
    is "$(kinds)" "findings=1 verdict=1"
    is "$(count gone)" 1
    is "$(state "$ONE")" cleared
}

@test "what it says is what a scan says" {
    first
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002", "CVE-2099-0003"], "0.9-r0": ["CVE-2098-1"]}}'
    at 1 b.json
    look 1
    status 0 recall --format json CVE-2099-0003
    is "$(jq -r '.images[].digest' <<<"$output")" "$ONE"
    run "$COCKET" scan -q --format json "store:$ONE"
    is "$(jq -r '.findings[].id' <<<"$output" | sort | paste -sd' ')" 'CVE-2099-0002 CVE-2099-0003'
    look 0
    is "$(kinds)" ""
}

@test "only what may have changed is matched" {
    first
    stored docker.io/library/two:1 else=1.0-r0
    secdb b.json v3.18 '{"other": {"1.0-r0": ["CVE-2099-0001"]}, "else": {"0.5-r0": ["CVE-2099-0004"]}}'
    at 1 b.json
    look 0 # there are no fingerprints of the first database yet
    is "$(count matched)" 2
    secdb c.json v3.18 '{"other": {"1.0-r0": ["CVE-2099-0001"]}, "else": {"1.5-r0": ["CVE-2099-0004"]}}'
    at 2 c.json
    look 1
    is "$(count matched) $(count judged)" '1 2'
    at 3 c.json
    look 0
    is "$(count matched)" 0
}

@test "a person's denial stands, and a fix that came out begins its grace" {
    first
    cat >policy.yaml <<'POLICY'
version: 1
default: allow
rules:
  - name: r
    require:
      severity: { fixable: none, grace: 36500d }
POLICY
    stored docker.io/library/two:1 demo=1.0-r1
    status 0 deny --reason no "$DIGEST"
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    look 0
    is "$(kinds)" 'findings=2 verdict=1'
    has "$(jq -r '.events[] | select(.kind == "verdict").data.until' round.json)" '^2[0-9]{3}-'
    is "$(state "$DIGEST")" denied
}

@test "killed at any moment, it goes on, and tells each change once" {
    first
    local i n=1
    for i in $(seq 2 24); do
        stored "docker.io/library/i$i:1" "demo=1.0-r$i"
        n=$((n + 1))
    done
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    for i in 0.000 0.002 0.005 0.01 0.02 0.03 0.05; do
        "$COCKET" watch --no-update --no-tags >/dev/null 2>&1 &
        sleep "$i"
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    run "$COCKET" watch --no-update --no-tags --format json
    [ "$status" = 0 ] || [ "$status" = 1 ]
    status 0 recall --format json CVE-2099-0002
    is "$(jq '.images | length' <<<"$output")" "$n"
    status 0 fsck
    is "$($PY - "$XDG_DATA_HOME/cocket/store/state.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(*db.execute("SELECT kind, count(*), count(DISTINCT image) FROM event GROUP BY kind ORDER BY kind"))
PYTHON
)" "('findings', $n, $n) ('withdrawn', $n, $n)"
}

@test "feeds are brought up to date; one that fails is said once" {
    first
    mkdir -p "$XDG_CONFIG_HOME/cocket"
    secdb feed.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    echo "alpine-secdb=$PWD/feed.json" >"$XDG_CONFIG_HOME/cocket/feeds.conf"
    status 1 watch --no-tags --format json
    printf '%s\n' "$output" >round.json
    is "$(kinds)" "findings=1 withdrawn=1"
    mv feed.json away.json
    status 0 watch --no-tags --format json
    printf '%s\n' "$output" >round.json
    is "$(kinds)" "feed=1"
    is "$(count feeds_failed)" 1
    status 0 watch --no-tags --format json
    printf '%s\n' "$output" >round.json
    is "$(kinds)" ""
    mv away.json feed.json
    status 0 watch --no-tags --format json
    printf '%s\n' "$output" >round.json
    is "$(kinds)" "feed=1"
    has "$(jq -r '.events[0].summary' round.json)" 'works again'
}

@test "a base image with a newer build: what a rebuild takes away, exactly" {
    first
    # base: two packages with findings. The newer one mends one of them. The app brings a third.
    secdb b.json v3.18 '{"liba": {"2.0-r0": ["CVE-2099-1"]}, "libb": {"2.0-r0": ["CVE-2099-2"]},
        "app": {"2.0-r0": ["CVE-2099-3"]}}'
    at 1 b.json
    alpine unused 1 3.18.0 liba=1.0-r0 libb=1.0-r0
    mv tree base
    alpine unused 1 3.18.0 liba=2.0-r0 libb=1.0-r0
    mv tree newer
    alpine unused 1 3.18.0 liba=1.0-r0 libb=1.0-r0 app=1.0-r0
    mv tree app
    local which
    for which in base newer; do $PY "$IMAGES" tree "lay.$which" docker.io/library/base:1 $which; done
    $PY "$IMAGES" tree lay.app docker.io/library/app:1 base app
    for which in base app newer; do
        status 0 import -q "lay.$which"
        printf -v "d_$which" %s "${output##*@}"
        run "$COCKET" scan -q "store:${output##*@}"
    done
    look 0
    is "$(kinds)" "base=1"
    is "$(jq -r '.events[0].image' round.json)" "$d_app"
    is "$(jq -r '.events[0].data | "\(.base) \(.from) \(.to) \(.gone_count) \(.gone[0].id) \(.new_count)"' round.json)" \
        "docker.io/library/base:1 $d_base $d_newer 1 CVE-2099-1 0"
    has "$(jq -r '.events[0].summary' round.json)" \
        "rebuild on docker.io/library/base:1@$d_newer and 1 finding disappears"
    look 0
    is "$(kinds)" ""
}

# books STATEMENT: changes the store's books.
books() { $PY -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db: db.executescript(sys.argv[2])' "$XDG_DATA_HOME/cocket/store/state.db" "$1"; }

@test "what is kept of an image by another version, or not at all: said, counted, scanned again" {
    first
    local two three
    stored docker.io/library/two:1 demo=1.0-r2
    two=$DIGEST
    stored docker.io/library/three:1 demo=1.0-r3
    three=$DIGEST
    books "UPDATE inventory_bytes SET head=X'63' || substr(head, 2) WHERE inventory=
             (SELECT number FROM inventory WHERE image='$two');
           DELETE FROM inventory WHERE image='$three';"
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    look 1
    is "$(count without_inventory) $(count other_version) $(count scanned) $(count not_scanned)" '1 1 2 0'
    has "$stderr" "$two: .*another version"
    is "$(count matched) $(count withdrawn)" '1 3'
    is "$(kinds)" 'findings=1 withdrawn=3'
    is "$(state "$ONE") $(state "$two") $(state "$three")" 'denied denied denied'
    status 0 recall --format json CVE-2099-0002
    is "$(jq '.images | length' <<<"$output")" 3
    look 0 # and from now on they are matched like any other
    is "$(count without_inventory) $(count other_version) $(kinds)" '0 0 '
    at 2 a.json
    look 0
    is "$(count matched) $(count gone) $(kinds)" '3 3 findings=3 verdict=3'
}

@test "an image that can neither be matched nor scanned is said and counted each time" {
    first
    books "DELETE FROM inventory WHERE image='$ONE'; UPDATE image SET complete=0 WHERE digest='$ONE';"
    stored docker.io/library/two:1 demo=1.0-r2
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    local round
    for round in 1 0; do
        look $round
        has "$stderr" "$ONE: nothing that can be matched is kept of it, and not all of its layers are here"
        is "$(count without_inventory) $(count scanned) $(count not_scanned)" '1 0 1'
    done
    is "$(state "$DIGEST") $(state "$ONE")" 'denied cleared'
    status 0 watch --no-update --no-tags
    has "$output" '1 images could not be matched by what was kept of them: 0 scanned again, 1 could not be'
}

@test "an image of another version that cannot be scanned keeps none of the others from their rest" {
    first
    books "UPDATE inventory_bytes SET head=X'63' || substr(head, 2); UPDATE image SET complete=0;"
    stored docker.io/library/two:1 demo=1.0-r2
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    look 1
    is "$(count matched) $(count other_version) $(count not_scanned)" '1 1 1'
    look 0
    is "$(count matched) $(count other_version) $(count not_scanned)" '0 1 1'
    has "$stderr" "$ONE: .*another version"
    is "$(state "$DIGEST") $(state "$ONE")" 'denied cleared'
}

@test "one process at a time, and what is wrong is said" {
    first
    exec 9>"$XDG_DATA_HOME/cocket/store/watch.lock"
    flock -n 9
    status 5 watch --no-update --no-tags
    has "$stderr" 'another process looks again'
    exec 9>&-
    status 2 watch --every never
    status 2 watch nonsense
    status 2 watch --format xml
    status 5 watch --no-update --no-tags --db nowhere.db
    status 2 watch # no feeds are configured
    has "$stderr" 'feeds.conf'
}

@test "names of an image are shown, not obeyed" {
    first
    stored docker.io/library/two:1 $'d\033[31mm=1.0-r0'
    secdb b.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    at 1 b.json
    status 1 watch --no-update --no-tags
    hasnt "$output" $'\033'
    has "$output" '^docker.io/library/one:1: withdrawn, denied: '
}
