# Bills of materials by the rules of their formats, and against the report of the same scan: of hostile
# images and of real ones. What judges the formats is other people's: CycloneDX's schema with ajv, SPDX's own
# library, packageurl-js. Where they cannot be had, what needs them is skipped.
load lib

SBOM=$ROOT/tests/sbom

setup_file() {
    new_home "$BATS_FILE_TMPDIR"
    export BILLS=$BATS_FILE_TMPDIR/bills MODULES=$ROOT/build/sbom-tests
    cd "$BATS_FILE_TMPDIR" || return 1
    $PY "$SBOM/hostile.py" images || return 1
    "$COCKET" db build -q -o my.db --feed osv=images/osv || return 1
    local LC_ALL=C image name
    for image in images/*/oci-layout; do
        image=${image%/oci-layout} name=${image#images/}
        bill "${name//[^a-z0-9-]/_}" "oci:$image" my.db || return 1
    done
    named || return 1
    [ ! -d "$SHARED/fixtures" ] || real || return 1
    modules >&2 || true
    "$ROOT/tools/newer-packages.sh" "$ROOT/build/newer" python3-{spdx-tools,beartype,license-expression,boolean,uritools}/forky \
        >&2 || true
}

# bill NAME REFERENCE DB [OPTION...]: the report and both bills, in $BILLS/NAME
bill() {
    local to=$BILLS/$1 reference=$2 db=$3 f
    shift 3
    mkdir -p "$to"
    for f in json:report.json cyclonedx:bill.cdx.json spdx:bill.spdx.json; do
        "$COCKET" scan -q --db "$db" --format "${f%%:*}" -o "$to/${f#*:}" "$@" "$reference" || [ $? = 1 ] || return 1
    done
}

# An image that has a name, and so a purl of its own.
named() {
    alpine named registry.example:5000/some/app:1 3.18.0 demo=1.0-r0
    "$COCKET" import -q named >&2 || return 1
    bill named store:registry.example:5000/some/app:1 my.db
}

real() {
    local f=$SHARED/fixtures image db
    "$COCKET" db build -q -o real.db --feed "alpine-secdb=$f/feeds/alpine-secdb" \
        --feed "osv=$f/feeds/osv/AlmaLinux.zip" --feed "kev=$f/feeds/kev/known_exploited_vulnerabilities.json" || return 1
    for image in "$f"/images/alpine-minirootfs-*.tar.gz; do
        $PY "$IMAGES" wrap real "$(basename "$image" .tar.gz)" "$image"
        bill "$(basename "$image" .tar.gz)" "oci:real:$(basename "$image" .tar.gz)" real.db || return 1
    done
    for image in "$f"/images/docker-save/*.tar; do
        bill "$(basename "$image" .tar)" "docker-archive:$image" real.db || return 1
    done
    bill attested "oci-archive:$f/images/oci-archive-attestation-manifest.tar" real.db --platform linux/arm64 || return 1
    for db in sqlite-cbl-mariner-2.0/rpmdb.sqlite ndb-sle15-bci/Packages.db bdb-libuuid/Packages; do
        rm -rf tree layout
        mkdir -p tree/etc tree/var/lib/rpm
        cp "$f/rpmdb/$db" tree/var/lib/rpm/
        chmod -R u+w tree
        printf 'ID=almalinux\nVERSION_ID=9.6\n' >tree/etc/os-release
        $PY "$IMAGES" tree layout latest tree
        bill "${db%%/*}" oci:layout real.db || return 1
    done
}

# What npm brings stays out of the source tree.
modules() {
    command -v npm >/dev/null || return 1
    local f
    mkdir -p "$MODULES"
    for f in package.json package-lock.json .npmrc; do
        cmp -s "$SBOM/$f" "$MODULES/$f" || rm -f "$MODULES/.done"
        cp "$SBOM/$f" "$MODULES/$f"
    done
    [ ! -e "$MODULES/.done" ] || return 0
    (cd "$MODULES" && npm ci --ignore-scripts --no-progress --loglevel=error) && touch "$MODULES/.done"
}

need_modules() { [ -e "$MODULES/.done" ] || skip "npm ci brings nothing, or there is no npm"; }

# Other people's programs are not made for bills of 10,000 packages: that one is left to ours.
folders() { find "$BILLS" -mindepth 1 -maxdepth 1 ! -name 10000 | LC_ALL=C sort; }

@test "the bills say what the report says; every reference resolves, every purl is canonical" {
    [ "$(find "$BILLS" -name bill.spdx.json | wc -l)" -ge 36 ]
    run $PY "$SBOM/bills.py" same "$BILLS"/*
    is "$output" ''
    [ "$status" = 0 ]
}

@test "10,000 packages are 10,000 packages" {
    is "$(jq '.components | length' "$BILLS/10000/bill.cdx.json")" 10000
    is "$(jq '.packages | length' "$BILLS/10000/bill.spdx.json")" 10001
}

@test "what is found in real and in hostile images is in their bills" {
    is "$(jq '.vulnerabilities | length' "$BILLS/findings/bill.cdx.json")" 10
    need_shared
    [ "$(jq '.vulnerabilities | length' "$BILLS/sqlite-cbl-mariner-2.0/bill.cdx.json")" -gt 0 ]
}

@test "an image that has a name has a purl" {
    is "$(jq -r '.metadata.component.purl | split("@")[0]' "$BILLS/named/bill.cdx.json")" pkg:oci/app
    has "$(jq -r .metadata.component.purl "$BILLS/named/bill.cdx.json")" \
        '&repository_url=registry.example:5000%2Fsome%2Fapp&tag=1$'
}

@test "CycloneDX: valid by its own schema" {
    need_modules
    mapfile -t bills < <(folders | sed 's,$,/bill.cdx.json,')
    run node "$SBOM/schema.mjs" "$MODULES" "${bills[@]}"
    is "$output" ''
    [ "$status" = 0 ]
    # ... which does judge.
    jq '.components[0].type = "<script>" | .bomFormat = "x"' "$BILLS/findings/bill.cdx.json" >bad.json
    run node "$SBOM/schema.mjs" "$MODULES" bad.json
    [ "$status" = 1 ]
}

@test "SPDX: valid by its own library" {
    local python
    python=$(printf '%s:' "$ROOT"/build/newer/python3-{spdx-tools,beartype,license-expression,boolean,uritools}/usr/lib/python3/dist-packages)
    mapfile -t bills < <(folders)
    PYTHONPATH=$python run $PY "$SBOM/bills.py" spdx "${bills[@]}"
    [ "$status" != 77 ] || skip "SPDX's library is not there: $output"
    is "$output" ''
    [ "$status" = 0 ]
    mkdir bad
    jq '.packages[0].SPDXID = "<script>"' "$BILLS/findings/bill.spdx.json" >bad/bill.spdx.json
    PYTHONPATH=$python run $PY "$SBOM/bills.py" spdx bad
    [ "$status" = 1 ]
}

@test "packageurl-js reads every purl as the package beside it" {
    need_modules
    run node "$SBOM/purls.mjs" "$MODULES" "$BILLS"/*/report.json
    is "$output" ''
    [ "$status" = 0 ]
}
