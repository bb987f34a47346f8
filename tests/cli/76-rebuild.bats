# Reports made anew from what is kept of an image, without its layers: what a scan would say.
load lib

REBUILD=${REBUILD:-$(dirname "$COCKET")/tests/rebuild_report}

# Two databases of one day after the other, of real feeds: B knows more.
databases() {
    need_shared
    local feeds=$SHARED/fixtures/feeds
    export SOURCE_DATE_EPOCH=1750000000
    status 0 db build -o a.db --feed osv="$feeds/osv/PyPI.zip" --feed alpine-secdb=early.json
    export SOURCE_DATE_EPOCH=1750086400
    status 0 db build -o b.db --feed osv="$feeds/osv/PyPI.zip" --feed alpine-secdb=late.json \
        --feed kev="$feeds/kev/known_exploited_vulnerabilities.json"
    unset SOURCE_DATE_EPOCH
}

kept() { # an image in the store, scanned with a.db
    secdb early.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}, "old": {"1-r1": ["CVE-2019-0001"]}}'
    secdb late.json v3.18 \
        '{"demo": {"2.0-r0": ["CVE-2099-0002"], "3-r0": ["CVE-2021-44228"]}, "more": {"9-r0": ["CVE-2099-3"]}}'
    databases
    alpine lay example.org/app:1 3.18.0 demo=1.0-r0 old=1-r0 more=1-r0 quiet=1-r0
    status 0 import -q lay
    DIGEST=${output##*@}
    run "$COCKET" scan -q --format json --db a.db "store:$DIGEST"
    printf '%s\n' "$output" >a.json
}

@test "a report made anew is the report of a scan" {
    kept
    "$REBUILD" "$XDG_DATA_HOME/cocket/store" "$DIGEST" b.db >rebuilt.json
    valid rebuilt.json
    run "$COCKET" scan -q --format json --db b.db "store:$DIGEST"
    is "$output" "$(cat rebuilt.json)"
    is "$(jq -r '.findings[].id' rebuilt.json | sort | tr '\n' ' ')" \
        'CVE-2021-44228 CVE-2099-0002 CVE-2099-3 '
    is "$(jq -r '.findings[] | select(.kev) | .id' rebuilt.json)" CVE-2021-44228
    "$REBUILD" "$XDG_DATA_HOME/cocket/store" "$DIGEST" a.db >again.json
    is "$(cat again.json)" "$(cat a.json)"
}

@test "the layers are not needed for it" {
    kept
    run "$COCKET" scan -q --format json --db b.db "store:$DIGEST"
    printf '%s\n' "$output" >b.json
    rm -r "$XDG_DATA_HOME/cocket/store/blobs" "$XDG_CACHE_HOME"
    "$REBUILD" "$XDG_DATA_HOME/cocket/store" "$DIGEST" b.db >rebuilt.json
    cmp b.json rebuilt.json
}

@test "a policy decides anew" {
    kept
    printf '%s\n' 'version: 1' 'default: allow' 'rules:' '  - name: exploited' '    require:' \
        '      known-exploited: { is: none, otherwise: deny }' >policy.yaml
    run "$COCKET" scan -q --format json --policy policy.yaml --db a.db "store:$DIGEST"
    is "$(jq -r .verdict.decision <<<"$output")" allow
    "$REBUILD" "$XDG_DATA_HOME/cocket/store" "$DIGEST" b.db policy.yaml >rebuilt.json
    is "$(jq -r .verdict.decision rebuilt.json)" deny
    run "$COCKET" scan -q --format json --policy policy.yaml --db b.db "store:$DIGEST"
    is "$output" "$(cat rebuilt.json)"
}

@test "an image that was never scanned is none" {
    kept
    alpine other example.org/other:1 3.18.0 demo=1.0-r0
    status 0 import -q other
    run "$REBUILD" "$XDG_DATA_HOME/cocket/store" "${output##*@}" b.db
    [ "$status" = 3 ]
}
