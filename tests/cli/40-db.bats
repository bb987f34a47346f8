# The advisory database: built, updated, looked at, carried about.
load lib

feed() { secdb "${1:-main.json}" v3.18 "${2:-{\"demo\": {\"2.0-r0\": [\"CVE-2099-0002\"]\}\}}"; }

conf() {
    export SOURCE_DATE_EPOCH=1700000000 # when the release had support
    mkdir -p "$XDG_CONFIG_HOME/cocket"
    printf '%s\n' "$@" >"$XDG_CONFIG_HOME/cocket/feeds.conf"
}

default_db() { find "$XDG_DATA_HOME/cocket" -maxdepth 1 -name '*.db'; }

@test "build, status and scan" {
    feed
    status 0 db build -o my.db --feed alpine-secdb=main.json
    status 0 db status --db my.db
    has "$output" 'alpine-secdb'
    has "$output" 'main\.json'
    has "$output" 'sha256:'
    alpine image latest 3.18.0 demo=1.0-r0
    report oci:image --db my.db
    is "$(findings)" 'CVE-2099-0002 demo'
    is "$(jq -r '.database.feeds[0].name' report.json | grep -c alpine-secdb)" 1
    has "$(jq -r '.database.feeds[0].digest' report.json)" '^sha256:[0-9a-f]{64}$'
}

@test "the same feeds give the same file" {
    feed
    SOURCE_DATE_EPOCH=1700000000 status 0 db build -o a.db --feed alpine-secdb=main.json
    SOURCE_DATE_EPOCH=1700000000 status 0 db build -o b.db --feed alpine-secdb=main.json
    cmp a.db b.db
}

@test "a broken feed builds nothing and leaves what was there" {
    feed
    status 0 db build -o my.db --feed alpine-secdb=main.json
    cp my.db old.db
    head -c 100 main.json >broken.json
    status 4 db build -o my.db --feed alpine-secdb=broken.json
    has "$stderr" 'broken\.json'
    cmp my.db old.db
    status 4 db build -o my.db --feed alpine-secdb=main.json --feed kev=broken.json
    cmp my.db old.db
    is "$(ls *.db*)" $'my.db\nold.db'
}

@test "a feed of the wrong kind is refused" {
    feed
    for kind in kev osv debian-tracker; do
        run "$COCKET" db build -o my.db --feed $kind=main.json
        [ "$status" = 4 ] || [ "$status" = 3 ]
        [ ! -e my.db ]
    done
}

@test "a directory, and a URL" {
    mkdir -p dir/v3.18
    feed dir/v3.18/main.json
    status 0 db build -o dir.db --feed alpine-secdb=dir
    serve dir
    status 0 db build -o url.db --feed "alpine-secdb=$URL/v3.18/main.json"
    alpine image latest 3.18.0 demo=1.0-r0
    for db in dir.db url.db; do
        report oci:image --db $db
        is "$(findings)" 'CVE-2099-0002 demo'
    done
    status 3 db build -o no.db --feed "alpine-secdb=$URL/nothing.json"
    has "$stderr" 404
    unserve
    status 3 db build -o no.db --feed "alpine-secdb=$URL/v3.18/main.json"
}

@test "a name and password in a URL are used and never shown" {
    mkdir dir
    feed dir/main.json
    serve dir
    with=${URL/http:\/\//http://user:secret@}
    status 0 db build -o my.db --feed "alpine-secdb=$with/main.json"
    hasnt "$output$stderr" secret
    status 0 db status --db my.db
    hasnt "$output" secret
    ! grep -q secret my.db
    status 3 db build -o no.db --feed "alpine-secdb=$with/nothing.json"
    hasnt "$stderr" secret
}

@test "osv: a zip, a directory and a record" {
    mkdir osv
    cat >osv/GHSA-1.json <<'JSON'
{"schema_version": "1.7.0", "id": "ALSA-2099:0001", "modified": "2026-01-01T00:00:00Z",
 "published": "2026-01-01T00:00:00Z", "summary": "Important: demo security update",
 "related": ["CVE-2099-0007"], "references": [], "affected": [
  {"package": {"ecosystem": "AlmaLinux:8", "name": "demo"},
   "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5-2.el8"}]}]}]}
JSON
    (cd osv && zip -q ../all.zip GHSA-1.json)
    mkdir -p tree/etc tree/var/lib/rpm
    printf 'NAME="AlmaLinux"\nID="almalinux"\nVERSION_ID="8.9"\nID_LIKE="rhel centos fedora"\n' >tree/etc/os-release
    PYTHONPATH=$ROOT/tests/hostile $PY - <<'PYTHON'
from forge import rpm_header, rpm_sqlite
open('tree/var/lib/rpm/rpmdb.sqlite', 'wb').write(rpm_sqlite([rpm_header('demo', '1.5', '1.el8')], 'x'))
PYTHON
    $PY "$IMAGES" tree image latest tree
    for source in all.zip osv osv/GHSA-1.json; do
        status 0 db build -o my.db --feed osv=$source
        report oci:image --db my.db
        is "$(findings)" 'CVE-2099-0007 demo'
        is "$(jq -r '.findings[0].advisory.id' report.json)" 'ALSA-2099:0001'
    done
}

@test "update: the configured feeds become the database of scan" {
    export SOURCE_DATE_EPOCH=1700000000 # Alpine 3.18 was supported then
    feed
    conf "# a comment" "" "alpine-secdb=$PWD/main.json"
    status 0 db update
    [ -n "$(default_db)" ]
    status 0 db status
    has "$output" 'alpine-secdb'
    alpine image latest 3.18.0 demo=1.0-r0
    report oci:image
    is "$(findings)" 'CVE-2099-0002 demo'
    is "$(jq -r '.assessment.complete' report.json)" true
}

@test "update: a line that makes no sense is a usage error" {
    feed
    conf "alpine-secdb=$PWD/main.json" "horoscope=x"
    status 2 db update
    has "$stderr" horoscope
    has "$stderr" '2'
    is "$(default_db)" ''
}

@test "update: a failed feed keeps its last good state, and every report says so" {
    export SOURCE_DATE_EPOCH=1700000000 # Alpine 3.18 was supported then
    feed main.json
    feed other.json '{"other": {"2.0-r0": ["CVE-2099-0008"]}}'
    conf "alpine-secdb=$PWD/main.json" "alpine-secdb=$PWD/other.json"
    status 0 db update
    # One breaks, the other one has news.
    echo '{' >main.json
    feed other.json '{"other": {"2.0-r0": ["CVE-2099-0008"], "3.0-r0": ["CVE-2099-0009"]}}'
    run --separate-stderr "$COCKET" db update
    [ "$status" = 4 ] || [ "$status" = 3 ]
    has "$stderr" 'main\.json'
    status 0 db status
    has "$output" 'main\.json'
    alpine image latest 3.18.0 demo=1.0-r0 other=2.0-r0
    report oci:image
    is "$(findings)" $'CVE-2099-0002 demo\nCVE-2099-0009 other'
    is "$(jq -r '.assessment.complete' report.json)" false
    has "$(jq -r '.assessment.gaps[] | .what + .why' report.json)" 'main\.json|alpine-secdb'
    # It comes back.
    feed main.json
    status 0 db update
    report oci:image
    is "$(jq -r '.assessment.complete' report.json)" true
}

@test "update: a feed that shrank to nothing does not replace a good one" {
    $PY - <<'PYTHON' >many
import json
print(json.dumps({f'p{i}': {'2.0-r0': [f'CVE-2099-{1000 + i}']} for i in range(2000)}))
PYTHON
    feed main.json "$(cat many)"
    conf "alpine-secdb=$PWD/main.json"
    status 0 db update
    feed main.json '{}'
    run --separate-stderr "$COCKET" db update
    [ "$status" = 4 ] || [ "$status" = 3 ]
    alpine image latest 3.18.0 p7=1.0-r0
    report oci:image
    is "$(findings)" 'CVE-2099-1007 p7'
}

@test "export and import" {
    feed
    conf "alpine-secdb=$PWD/main.json"
    status 0 db update
    status 0 db export carried.db
    new_home "$BATS_TEST_TMPDIR/other"
    status 0 db import carried.db
    alpine image latest 3.18.0 demo=1.0-r0
    report oci:image
    is "$(findings)" 'CVE-2099-0002 demo'
}

@test "import: damage is refused and the old one stays" {
    feed
    SOURCE_DATE_EPOCH=1700000000 status 0 db build -o good.db --feed alpine-secdb=main.json
    status 0 db import good.db
    size=$(stat -c %s good.db)
    for at in 0 8 $((size / 2)) $((size - 1)); do
        cp good.db bad.db
        $PY -c "
import sys
d = bytearray(open('bad.db', 'rb').read()); d[$at] ^= 0x10; open('bad.db', 'wb').write(d)"
        run "$COCKET" db import bad.db
        [ "$status" != 0 ] && [ "$status" -le 5 ]
        run "$COCKET" db status --db bad.db
        [ "$status" != 0 ] && [ "$status" -le 5 ]
    done
    head -c $((size / 2)) good.db >bad.db
    run "$COCKET" db import bad.db
    [ "$status" != 0 ] && [ "$status" -le 5 ]
    cmp good.db "$(default_db)"
}

@test "status without a database says what to do" {
    run --separate-stderr "$COCKET" db status
    [ "$status" != 0 ]
    has "$stderr" 'db (update|build|import)'
}

@test "scans go on while the database is replaced" {
    feed
    conf "alpine-secdb=$PWD/main.json"
    status 0 db update
    alpine image latest 3.18.0 demo=1.0-r0
    (
        for _ in 1 2 3 4 5; do "$COCKET" db update || echo "update: $?"; done
    ) >updates 2>&1 3>&- &
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        report oci:image
        is "$(findings)" 'CVE-2099-0002 demo'
    done
    wait
    hasnt "$(cat updates)" 'update:'
}
