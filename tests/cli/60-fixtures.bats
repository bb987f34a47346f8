# Real images, rpm databases and feeds, against truths computed without cocket.
load lib

TRUTH=$ROOT/tests/cli/truth.py

@test "the truth's own order of apk versions agrees with apk's vectors" {
    need_shared
    $PY "$TRUTH" apk-check "$SHARED/fixtures/versions/apk-tools-version.data"
    $PY "$TRUTH" apk-check "$SHARED/fixtures/versions/alpine-versions.txt"
}

# as_secdb FEED INSTALLED: the report's findings are secdb's arithmetic.
as_secdb() {
    $PY "$TRUTH" secdb "$1" "$2" | LC_ALL=C sort >all
    grep -v '^?' all | grep . >want || true
    sed -n 's/^? //p' all | LC_ALL=C sort >either
    findings >got
    is "$(LC_ALL=C comm -23 want got)" ''
    is "$(LC_ALL=C comm -13 want got | LC_ALL=C comm -23 - either)" ''
}

@test "Alpine images: the packages are those of the database, by awk" {
    need_shared
    for image in "$SHARED"/fixtures/images/alpine-minirootfs-*.tar.gz; do
        rm -rf layout
        $PY "$IMAGES" wrap layout latest "$image"
        report oci:layout
        tar xzOf "$image" ./lib/apk/db/installed |
            awk -F: '/^P:/ { n = $2 } /^V:/ { print n, $2 }' | LC_ALL=C sort >want
        [ -s want ]
        packages >got
        diff want got
        is "$(jq -r .distro.id report.json)" alpine
    done
}

@test "Alpine 3.6, 3.8 and 3.10: the findings are secdb's arithmetic" {
    need_shared
    for version in 3.6.5 3.8.5 3.10.9; do
        image=$SHARED/fixtures/images/alpine-minirootfs-$version-x86_64.tar.gz
        feed=$SHARED/fixtures/feeds/alpine-secdb/v${version%.*}
        rm -rf layout
        $PY "$IMAGES" wrap layout latest "$image"
        status 0 db build -o my.db --feed "alpine-secdb=$feed"
        report oci:layout --db my.db
        tar xzOf "$image" ./lib/apk/db/installed >installed
        as_secdb "$feed" installed
    done
}

@test "every origin of secdb at every version that fixed something, Alpine 3.3 to 3.11" {
    need_shared
    status 0 db build -o my.db --feed "alpine-secdb=$SHARED/fixtures/feeds/alpine-secdb"
    for version in 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10 3.11; do
        feed=$SHARED/fixtures/feeds/alpine-secdb/v$version
        rm -rf tree layout
        mkdir -p tree/etc tree/lib/apk/db
        printf 'ID=alpine\nVERSION_ID=%s.0\n' "$version" >tree/etc/os-release
        $PY "$TRUTH" secdb-image "$feed" >tree/lib/apk/db/installed
        $PY "$IMAGES" tree layout latest tree
        report oci:layout --db my.db
        as_secdb "$feed" tree/lib/apk/db/installed
        [ "$(wc -l <want)" -gt 100 ]
    done
}

# rpm_image PLACE FILE ID VERSION_ID
rpm_image() {
    rm -rf tree layout
    mkdir -p "tree/$(dirname "$1")" tree/etc
    cp "$2" "tree/$1"
    chmod u+w "tree/$1"
    printf 'ID=%s\nVERSION_ID=%s\n' "$3" "$4" >tree/etc/os-release
    $PY "$IMAGES" tree layout latest tree
}

# Lines "name epoch version release source" of the report; an epoch that is not given is 0.
rpms() {
    jq -r '.packages[] | "\(.name)\t\(.version)\t\(.source.name)"' report.json |
        awk -F'\t' '{ e = 0; v = $2
            if (match(v, /^[0-9]+:/)) { e = substr(v, 1, RLENGTH - 1); v = substr(v, RLENGTH + 1) }
            r = v; sub(/.*-/, "", r); sub(/-[^-]*$/, "", v); print $1, e, v, r, $3 }' | LC_ALL=C sort
}

# The same of expected.tsv.
expected() {
    awk -F'\t' '{ s = $6; sub(/-[^-]*-[^-]*\.src\.rpm$/, "", s); if (s == "(none)") s = $1
        print $1, $2, $3, $4, s }' "$1" | LC_ALL=C sort
}

@test "rpm, SQLite: as rpm lists it, in both places" {
    need_shared
    d=$SHARED/fixtures/rpmdb/sqlite-cbl-mariner-2.0
    for place in var/lib/rpm usr/lib/sysimage/rpm; do
        rpm_image $place/rpmdb.sqlite "$d/rpmdb.sqlite" mariner 2.0
        report oci:layout
        diff <(expected "$d/expected.tsv") <(rpms)
    done
}

@test "rpm, Berkeley DB: as rpm lists it" {
    need_shared
    d=$SHARED/fixtures/rpmdb/bdb-libuuid
    rpm_image var/lib/rpm/Packages "$d/Packages" almalinux 8.8
    report oci:layout
    diff <(expected "$d/expected.tsv") <(rpms)
}

@test "rpm, NDB: as its headers say" {
    need_shared
    d=$SHARED/fixtures/rpmdb/ndb-sle15-bci
    rpm_image usr/lib/sysimage/rpm/Packages.db "$d/Packages.db" sles 15.3
    report oci:layout
    diff <($PY "$TRUTH" ndb "$d/Packages.db" | LC_ALL=C sort) <(rpms | cut -d' ' -f1-4)
}

@test "AlmaLinux 8: old packages are told every CVE of their errata" {
    need_shared
    status 0 db build -o my.db --feed "osv=$SHARED/fixtures/feeds/osv/AlmaLinux.zip"
    mkdir -p db
    PYTHONPATH=$ROOT/tests/hostile $PY - <<'PYTHON'
from forge import rpm_header, rpm_sqlite
names = ('bash', 'openssl-libs', 'glibc', 'curl')
open('db/rpmdb.sqlite', 'wb').write(rpm_sqlite([rpm_header(n, '0.1', '1.el8') for n in names], 'x'))
PYTHON
    rpm_image var/lib/rpm/rpmdb.sqlite db/rpmdb.sqlite almalinux 8.9
    report oci:layout --db my.db
    $PY "$TRUTH" alma "$SHARED/fixtures/feeds/osv/AlmaLinux.zip" bash openssl-libs glibc curl >want
    findings | LC_ALL=C sort -u >got
    diff <(LC_ALL=C sort want) got
}

@test "the feeds of the fixtures build one database; known-exploited ids are marked" {
    need_shared
    f=$SHARED/fixtures/feeds
    status 0 db build -o my.db --feed "osv=$f/osv/AlmaLinux.zip" --feed "osv=$f/osv/Go.zip" \
        --feed "osv=$f/osv/PyPI.zip" --feed "osv=$f/osv/crates.io.zip" --feed "osv=$f/osv/Bitnami.zip" \
        --feed "alpine-secdb=$f/alpine-secdb" --feed "kev=$f/kev/known_exploited_vulnerabilities.json"
    status 0 db status --db my.db
    # openssl's and bash's exploited ones: CVE-2014-0160 is in the catalogue.
    alpine image latest 3.3.0 openssl=0.9-r0 bash=0.1-r0
    report oci:image --db my.db
    jq -r '.vulnerabilities[].cveID' "$f/kev/known_exploited_vulnerabilities.json" | sort >kev
    jq -r '.findings[] | select(.kev) | .id' report.json | sort -u >marked
    jq -r '.findings[].id' report.json | sort -u | comm -12 - kev >want
    cmp want marked
}
