# What a report says, in which form, and with which exit status.
load lib

setup_file() {
    export DB=$BATS_FILE_TMPDIR/advisories.db
    cd "$BATS_FILE_TMPDIR" || return 1
    new_home "$BATS_FILE_TMPDIR"
    only_gaps "$BATS_FILE_TMPDIR/policy.yaml"
    # demo: one that is fixed later, one fixed already, one never affected; kept: fixed already.
    secdb main.json v3.18 '{
        "demo": {"2.0-r0": ["CVE-2099-0002"], "1.0-r0": ["CVE-2099-0001"], "0": ["CVE-2099-0003"]},
        "kept": {"1.0-r0": ["CVE-2099-0004"]},
        "other": {"9.0-r0": ["CVE-2099-0005"]}}'
    $PY - >tracker.json <<'PYTHON'
import json
def one(status, **kw):
    return {'description': 'x', 'scope': 'local',
            'releases': {'bookworm': {'status': status, 'repositories': {'bookworm': '1.0-1'}, **kw}}}
print(json.dumps({'demo': {
    'CVE-2099-1001': one('resolved', fixed_version='2.0-1', urgency='high'),
    'CVE-2099-1002': one('resolved', fixed_version='1.0-1', urgency='high'),
    'CVE-2099-1003': one('resolved', fixed_version='0', urgency='high'),
    'CVE-2099-1004': one('open', urgency='low'),
    'CVE-2099-1005': one('open', urgency='medium', nodsa='Minor issue', nodsa_reason=''),
    'CVE-2099-1006': one('open', urgency='medium', nodsa='Minor issue', nodsa_reason='ignored'),
    'CVE-2099-1007': one('open', urgency='medium', nodsa='Minor issue', nodsa_reason='postponed'),
    'CVE-2099-1008': one('open', urgency='unimportant'),
    'CVE-2099-1009': one('undetermined', urgency='not yet assigned'),
    'CVE-2099-1010': one('open', urgency='end-of-life')}}))
PYTHON
    printf '%s' '{"title": "CISA Catalog", "catalogVersion": "2026.01.01",
        "dateReleased": "2026-01-01T00:00:00.000Z", "count": 1, "vulnerabilities": [{
        "cveID": "CVE-2099-0002", "vendorProject": "x", "product": "x", "vulnerabilityName": "x",
        "dateAdded": "2026-01-01", "shortDescription": "x", "requiredAction": "x",
        "dueDate": "2026-01-02", "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": []}]}' >kev.json
    "$COCKET" db build -o "$DB" --feed alpine-secdb=main.json --feed debian-tracker=tracker.json \
        --feed kev=kev.json >&2
}

vulnerable() { alpine image latest 3.18.0 demo=1.0-r0 kept=1.0-r3 free=1.0-r0; }

@test "json: valid by the schema, with findings and with none" {
    vulnerable
    report oci:image --db "$DB"
    is "$(findings)" 'CVE-2099-0002 demo'
    is "$(jq -r '.findings[0].fix | "\(.state) \(.version)"' report.json)" 'fixed 2.0-r0'
    is "$(jq -r '.findings[0].kev' report.json)" true
    is "$(jq -r '.summary.fixable' report.json)" 1
    is "$(jq -r '.distro | "\(.id) \(.versionId)"' report.json)" 'alpine 3.18.0'
    is "$(jq -r '.packages[] | select(.name=="demo") | .purl' report.json |
        grep -c '^pkg:apk/alpine/demo@1.0-r0')" 1
    rm -r image
    alpine image latest 3.18.0 free=1.0-r0
    report oci:image --db "$DB"
    is "$(findings)" ''
}

@test "why is one sentence with both versions and the fix" {
    vulnerable
    report oci:image --db "$DB"
    why=$(jq -r '.findings[0].why' report.json)
    has "$why" '1\.0-r0'
    has "$why" '2\.0-r0'
    is "$(wc -l <<<"$why")" 1
}

@test "what was never affected is suppressed with its rule, not dropped" {
    vulnerable
    report oci:image --db "$DB"
    is "$(jq -r '.suppressed[] | select(.id=="CVE-2099-0003") | .rule' report.json)" 'not-affected'
}

@test "the tracker's states: each has its own word" {
    debian image latest 12 demo=1.0-1
    report oci:image --db "$DB"
    for n in 1001 1004 1005 1006 1007 1009 1010; do
        has "$(findings)" "CVE-2099-$n"
    done
    # Unimportant may be negligible or suppressed, but it is said.
    has "$(jq -r '(.findings + .suppressed)[].id' report.json)" CVE-2099-1008
    hasnt "$(findings)" 'CVE-2099-100[23]'
    state() { jq -r --arg id "CVE-2099-$1" '.findings[] | select(.id==$id) | .fix.state' report.json; }
    is "$(state 1001)" fixed
    is "$(state 1004)" not-fixed
    is "$(state 1005)" not-fixed
    is "$(state 1006)" wont-fix
    is "$(state 1007)" not-fixed
    is "$(state 1009)" unknown
    is "$(state 1010)" wont-fix
    for n in 1006 1007; do
        jq -r --arg id "CVE-2099-$n" '.findings[] | select(.id==$id) | .why' report.json
    done >why
    has "$(sed -n 1p why)" 'ignored|will not|not be fixed'
    has "$(sed -n 2p why)" 'postponed|later'
}

@test "without a database: a gap, quarantine, exit status 0; 1 with --fail-incomplete" {
    vulnerable
    report oci:image
    is "$(jq -r '.assessment.complete' report.json)" false
    is "$(jq -r '.verdict.decision' report.json)" quarantine
    is "$(jq -r '.database.built' report.json)" null
    is "$(packages)" $'demo 1.0-r0\nfree 1.0-r0\nkept 1.0-r3'
    status 1 scan --fail-incomplete oci:image
}

@test "a release that no feed covers is a gap" {
    alpine image latest 3.99.0 demo=1.0-r0
    report oci:image --db "$DB"
    is "$(jq -r '.assessment.complete' report.json)" false
    is "$(jq -r '.verdict.decision' report.json)" quarantine
}

@test "the table: gaps first, then the findings, at 40, 80 and 200 columns" {
    vulnerable
    for columns in 40 80 200; do
        COLUMNS=$columns status 0 scan --db "$DB" oci:image
        has "$output" CVE-2099-0002
        has "$output" 'demo'
        [ -z "$(awk -v n=$columns 'length > n' <<<"$output")" ]
    done
    alpine bare latest 3.99.0 demo=1.0-r0
    status 0 scan --db "$DB" oci:bare
    has "$output" 'could not|not assessed|incomplete|gap'
}

@test "the table goes where --output says, and nothing to stdout" {
    vulnerable
    status 0 scan --quiet --db "$DB" --output report.txt oci:image
    [ -z "$output" ]
    has "$(cat report.txt)" CVE-2099-0002
    status 0 scan --quiet --db "$DB" --format json --output report.json oci:image
    valid report.json
    is "$(ls)" "$(ls | grep -v '\.tmp')"
}

@test "the bills of materials hold every package and finding, and the same bytes each time" {
    vulnerable
    status 0 scan --quiet --db "$DB" --format json --output report.json oci:image
    status 0 scan --quiet --db "$DB" --format cyclonedx --output bill.cdx.json oci:image
    status 0 scan --quiet --db "$DB" --format spdx --output bill.spdx.json oci:image
    is "$(jq -c '[.components[].purl]' bill.cdx.json)" "$(jq -c '[.packages[].purl]' report.json)"
    is "$(jq -c '[.vulnerabilities[] | select(.ratings).id]' bill.cdx.json)" \
        "$(jq -c '[.findings[].id]' report.json)"
    is "$(jq -c '[.packages[1:][].externalRefs[0].referenceLocator]' bill.spdx.json)" \
        "$(jq -c '[.packages[].purl]' report.json)"
    is "$(jq '[.packages[].externalRefs[]? | select(.comment)] | length' bill.spdx.json)" \
        "$(jq '.findings | length' report.json)"
    is "$(jq -r .documentNamespace bill.spdx.json | cut -c1-9)" urn:uuid:
    status 0 scan --quiet --no-cache --db "$DB" --format cyclonedx oci:image
    is "$output" "$(cat bill.cdx.json)"
}

@test "no output file where the scan fails" {
    status 3 scan --output report.txt oci:nowhere
    [ ! -e report.txt ]
}

@test "byte-identical: two runs, cold and warm, another folder, another home, another time zone" {
    vulnerable
    status 0 scan --quiet --format json --db "$DB" oci:image
    first=$output
    status 0 scan --quiet --format json --db "$DB" oci:image
    is "$output" "$first"
    status 0 scan --quiet --format json --no-cache --db "$DB" oci:image
    is "$output" "$first"
    new_home "$BATS_TEST_TMPDIR/elsewhere"
    TZ=Asia/Kathmandu LC_ALL=C status 0 scan --quiet --format json --db "$DB" oci:image
    is "$output" "$first"
    COLUMNS=80 status 0 scan --db "$DB" oci:image
    table=$output
    COLUMNS=80 status 0 scan --no-cache --db "$DB" oci:image
    is "$output" "$table"
}

@test "a warm scan reads no layer" {
    vulnerable
    report oci:image --db "$DB"
    cp report.json cold.json
    # Spoiled: whoever reads it must refuse it.
    jq -r '.image.layers[].digest' report.json | tr : / | while read -r d; do
        printf 'spoiled' | dd of="image/blobs/$d" bs=1 seek=30 conv=notrunc status=none
    done
    report oci:image --db "$DB"
    cmp cold.json report.json
    status 4 scan --no-cache oci:image
}

@test "a damaged cache costs time, not truth" {
    vulnerable
    report oci:image --db "$DB"
    cp report.json cold.json
    find "$XDG_CACHE_HOME" -type f | while read -r f; do
        printf 'damage' | dd of="$f" bs=1 seek=20 conv=notrunc status=none
    done
    report oci:image --db "$DB"
    cmp cold.json report.json
    find "$XDG_CACHE_HOME" -type f | while read -r f; do : >"$f"; done
    report oci:image --db "$DB"
    cmp cold.json report.json
}

@test "--no-cache leaves nothing behind" {
    vulnerable
    report oci:image --no-cache --db "$DB"
    is "$(find "$XDG_CACHE_HOME" "$XDG_DATA_HOME" "$HOME" "$TMPDIR" -type f)" ''
}

@test "a cache that cannot be written does not stop a scan" {
    vulnerable
    rm -r "$XDG_CACHE_HOME"
    : >"$XDG_CACHE_HOME"
    report oci:image --db "$DB"
    is "$(findings)" 'CVE-2099-0002 demo'
}

@test "--fail-on: at, above and below" {
    debian image latest 12 demo=1.0-1
    status 0 scan --db "$DB" oci:image
    status 0 scan --db "$DB" --fail-on critical oci:image
    status 1 scan --db "$DB" --fail-on high oci:image
    status 1 scan --db "$DB" --fail-on low oci:image
    status 1 scan --db "$DB" --fail-on negligible oci:image
    run --separate-stderr "$COCKET" scan --quiet --format json --db "$DB" --fail-on high oci:image
    is "$(jq -r '.verdict.decision' <<<"$output")" deny
    alpine clean latest 3.18.0 free=1.0-r0
    status 0 scan --db "$DB" --fail-on negligible oci:clean
}

@test "--explain: reported, fixed already, never affected, and not known" {
    vulnerable
    status 0 scan --db "$DB" --explain CVE-2099-0002 oci:image
    has "$output" 'demo'
    has "$output" '2\.0-r0'
    has "$output" '1\.0-r0'
    status 0 scan --db "$DB" --explain CVE-2099-0001 oci:image
    has "$output" 'demo'
    has "$output" '1\.0-r0'
    status 0 scan --db "$DB" --explain CVE-2099-0003 oci:image
    has "$output" 'not.affected|never'
    status 0 scan --db "$DB" --explain CVE-2099-0005 oci:image
    has "$output" 'not reported'
    status 0 scan --db "$DB" --explain CVE-1999-9999 oci:image
    has "$output" 'CVE-1999-9999'
    has "$output" 'no '
}

@test "no colour in pipes or with NO_COLOR; colour always" {
    vulnerable
    esc=$(printf '\033')
    status 0 scan --db "$DB" oci:image
    [[ $output != *"$esc"* ]]
    [[ $stderr != *"$esc"* ]]
    status 0 scan --color always --db "$DB" oci:image
    [[ $output == *"$esc"* ]]
    NO_COLOR=1 status 0 scan --db "$DB" oci:image
    [[ $output != *"$esc"* ]]
}

@test "colour on a terminal, but not with NO_COLOR or never" {
    script -qec true /dev/null >/dev/null 2>&1 || skip "no pseudo terminals here"
    vulnerable
    esc=$(printf '\033')
    run script -qec "'$COCKET' scan --db '$DB' oci:image" /dev/null
    [[ $output == *"$esc[3"* || $output == *"$esc[1"* || $output == *"$esc[9"* ]]
    NO_COLOR=1 run script -qec "'$COCKET' scan --db '$DB' oci:image" /dev/null
    [[ $output != *"$esc[3"* ]]
    run script -qec "'$COCKET' scan --color never --db '$DB' oci:image" /dev/null
    [[ $output != *"$esc[3"* ]]
}

@test "--quiet: nothing on stderr; errors still are" {
    vulnerable
    status 0 scan --quiet --db "$DB" oci:image
    [ -z "$stderr" ]
    status 3 scan --quiet oci:nowhere
    [ -n "$stderr" ]
}

@test "an image of 1,000 packages, sorted" {
    alpine image latest 3.18.0 $(seq -f 'p%g=1.0-r0' 1000)
    report oci:image --db "$DB"
    is "$(jq -r '.summary.packages' report.json)" 1000
    jq -r '.packages[].name' report.json >got
    LC_ALL=C sort -c got
}

@test "concurrent scans share the cache and agree" {
    vulnerable
    for i in 1 2 3 4 5 6 7 8; do
        "$COCKET" scan --quiet --format json --db "$DB" oci:image >r$i 2>e$i 3>&- &
    done
    wait
    for i in 2 3 4 5 6 7 8; do cmp r1 r$i; done
    valid r1
}
