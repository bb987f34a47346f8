# A Debian archive of our own, signed with a throw-away key, served on the loopback.
load lib

DEMO='demo (1.0-1+deb12u2) bookworm-security; urgency=high

  * Fix overflow (CVE-2099-0002). Closes: #1
  * Another one: CVE-2099-0003, CVE-2099-0004

 -- Nobody <nobody@example.org>  Thu, 02 Jan 2025 00:00:00 +0000

demo (1.0-1+deb12u1) bookworm-security; urgency=high

  * CVE-2099-0001

 -- Nobody <nobody@example.org>  Wed, 01 Jan 2025 00:00:00 +0000

demo (1.0-1) unstable; urgency=low

  * Earlier: CVE-2098-0001

 -- Nobody <nobody@example.org>  Mon, 01 Jan 2024 00:00:00 +0000'

QUIET='quiet (2.0-1+deb12u1) bookworm-security; urgency=high

  * Security update without a name.

 -- Nobody <nobody@example.org>  Thu, 02 Jan 2025 00:00:00 +0000'

BACK='back (1.2-1~deb12u1) bookworm-security; urgency=high

  * Rebuild for bookworm-security.

 -- Nobody <nobody@example.org>  Thu, 02 Jan 2025 00:00:00 +0000

back (1.2-1) unstable; urgency=high

  * New upstream: CVE-2099-0021

 -- Nobody <nobody@example.org>  Wed, 01 Jan 2025 00:00:00 +0000

back (1.1-1~deb12u1) bookworm-security; urgency=high

  * Rebuild for bookworm-security.

 -- Nobody <nobody@example.org>  Mon, 02 Dec 2024 00:00:00 +0000

back (1.1-1) unstable; urgency=high

  * New upstream: CVE-2099-0020

 -- Nobody <nobody@example.org>  Sun, 01 Dec 2024 00:00:00 +0000'

# deb SOURCE BINARY VERSION CHANGELOG [DOC-LINK]
deb() {
    local d=pkg/$2
    rm -rf "$d"
    mkdir -p "$d/DEBIAN" "$d/usr/share/doc/" pool
    printf 'Package: %s\nSource: %s\nVersion: %s\nArchitecture: %s\nMaintainer: N <n@example.org>\nDescription: x\n' \
        "$2" "$1" "$3" "$(dpkg --print-architecture)" >"$d/DEBIAN/control"
    if [ -n "${5:-}" ]; then
        ln -s "$5" "$d/usr/share/doc/$2"
    else
        mkdir -p "$d/usr/share/doc/$2"
        printf '%s\n' "$4" | gzip -9n >"$d/usr/share/doc/$2/changelog.Debian.gz"
        # Larger than its sibling with the link, so that the smallest is not always the right one.
        head -c 20000 /dev/urandom >"$d/usr/share/doc/$2/padding"
    fi
    dpkg-deb --root-owner-group ${COMPRESS:+-Z$COMPRESS} -b "$d" pool >/dev/null
}

# As the archive writes dates.
stamp() { LC_ALL=C date -u -d "$1" '+%a, %d %b %Y %H:%M:%S UTC'; }

# release [FIELD: VALUE...]: writes Release over what stands in dists.
release() {
    local s=dists/bookworm-security
    rm -f $s/Release $s/InRelease
    {
        printf 'Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nVersion: 12\n'
        printf 'Codename: bookworm-security\nArchitectures: %s\n' "$(dpkg --print-architecture)"
        printf 'Components: main\nDate: %s\n' "$(stamp now)"
        printf '%s\n' "${@:-Valid-Until: $(stamp '+6 days')}"
        printf 'SHA256:\n'
        (cd $s && find main -type f | sort | while read -r f; do
            printf ' %s %s %s\n' "$(sha256sum <"$f" | cut -d' ' -f1)" "$(stat -c %s "$f")" "$f"
        done)
    } >$s/Release.new
    mv $s/Release.new $s/Release
}

sign() { # sign KEY
    gpg --homedir "$BATS_FILE_TMPDIR/gpg" -q --batch --yes -u "$1" --clearsign \
        -o dists/bookworm-security/InRelease dists/bookworm-security/Release
}

indexes() {
    local d
    d=dists/bookworm-security/main/binary-$(dpkg --print-architecture)
    rm -rf dists
    mkdir -p "$d"
    apt-ftparchive packages pool >"$d/Packages"
    xz -k "$d/Packages"
    gzip -nk "$d/Packages"
}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir -m 700 gpg
    for who in good evil; do
        gpg --homedir gpg -q --batch --passphrase '' --quick-gen-key "$who <$who@example.org>" \
            rsa2048 sign never 2>/dev/null
    done
    gpg --homedir gpg -q --export good@example.org >keyring.gpg
    mkdir archive
    cd archive || return 1
    deb demo libdemo1 1.0-1+deb12u2 '' demo-common
    deb demo demo-common 1.0-1+deb12u2 "$DEMO"
    COMPRESS=zstd deb quiet quiet 2.0-1+deb12u1 "$QUIET"
    deb back back 1.2-1~deb12u1 "$BACK"
    COMPRESS=gzip deb fresh fresh 3.0-1+deb12u1 "${DEMO//demo/fresh}"
    rm -r pkg
    indexes
    release
    sign good@example.org
    export ARCHIVE=$BATS_FILE_TMPDIR/archive KEYRING=$BATS_FILE_TMPDIR/keyring.gpg
}

teardown_file() {
    gpgconf --homedir "$BATS_FILE_TMPDIR/gpg" --kill all || true
}

build() { # build STATUS [OPTION...]
    local want=$1
    shift
    status "$want" db build -o my.db --keyring "$KEYRING" \
        --feed "debian-archive=$URL,bookworm-security" "$@"
}

# A copy of the archive that a test may spoil, served.
mine() {
    cp -a "$ARCHIVE" archive
    cd archive || return 1
}

image() {
    debian image latest 12 'libdemo1/demo=1.0-1' 'quiet=2.0-1' 'fresh=3.0-1+deb12u1' 'absent=1.0-1' "$@"
}

refused() { # refused PATTERN: nothing is built, and the reason is said
    run --separate-stderr "$COCKET" db build -o my.db --keyring "$KEYRING" \
        --feed "debian-archive=$URL,bookworm-security" --complete
    echo "status $status: $stderr"
    [ "$status" = 3 ] || [ "$status" = 4 ]
    has "$stderr" "$1"
    [ ! -e my.db ]
}

@test "the CVEs between the installed and the security version, and no others" {
    serve "$ARCHIVE"
    build 0 --complete
    image
    report oci:image --db my.db
    is "$(findings | grep CVE)" "$(printf 'CVE-2099-000%s libdemo1\n' 1 2 3 4)"
    is "$(jq -r '[.findings[] | select(.package.name=="libdemo1") | .fix.version] | unique | .[]' report.json)" \
        $'1.0-1+deb12u1\n1.0-1+deb12u2'
    is "$(jq -r '[.findings[].advisory.source] | unique | .[]' report.json)" debian-archive
    # Each fix is as old as the update that brought it.
    is "$(jq -r '.findings[] | select(.package.name=="libdemo1") | "\(.id) \(.fix.since)"' report.json |
        sort)" \
        $'CVE-2099-0001 2025-01-01T00:00:00Z\nCVE-2099-0002 2025-01-02T00:00:00Z
CVE-2099-0003 2025-01-02T00:00:00Z\nCVE-2099-0004 2025-01-02T00:00:00Z'
}

@test "from a version in between, only what came later" {
    serve "$ARCHIVE"
    build 0 --complete
    debian image latest 12 'libdemo1/demo=1.0-1+deb12u1'
    report oci:image --db my.db
    is "$(findings)" "$(printf 'CVE-2099-000%s libdemo1\n' 2 3 4)"
}

@test "a backport holds the changes of the version that it was made from" {
    serve "$ARCHIVE"
    build 0 --complete
    # 1.2-1 is newer than 1.2-1~deb12u1 and stands below it in the changelog.
    debian image latest 12 'back=1.1-1~deb12u1'
    report oci:image --db my.db
    is "$(findings)" 'CVE-2099-0021 back'
    is "$(jq -r '.findings[0].fix.version' report.json)" 1.2-1~deb12u1
    debian older latest 12 'back=1.0-1'
    report oci:older --db my.db
    is "$(findings)" $'CVE-2099-0020 back\nCVE-2099-0021 back'
    is "$(jq -r '.findings[].fix.since' report.json)" $'2024-12-02T00:00:00Z\n2025-01-02T00:00:00Z'
    debian newest latest 12 'back=1.2-1~deb12u1'
    report oci:newest --db my.db
    is "$(findings)" ''
}

@test "a security update whose changelog names no CVE is a finding of its own" {
    serve "$ARCHIVE"
    build 0 --complete
    image
    report oci:image --db my.db
    is "$(jq -r '.findings[] | select(.package.name=="quiet") | .fix.version, .fix.since' report.json)" \
        $'2.0-1+deb12u1\n2025-01-02T00:00:00Z'
    is "$(jq -r '.findings[] | select(.package.name=="quiet") | .id' report.json | grep -c '^CVE-')" 0
}

@test "up to date, newer, and unknown sources: nothing" {
    serve "$ARCHIVE"
    build 0 --complete
    debian image latest 12 'fresh=3.0-1+deb12u1' 'quiet=9.0-1' 'absent=1.0-1' 'demo=2.0-1'
    report oci:image --db my.db
    is "$(findings)" ''
    # The archive names what was fixed; what has no fix yet it does not know, and the report says so.
    is "$(jq -r '.assessment.gaps[].what' report.json)" 'unfixed vulnerabilities'
}

@test "binNMU: the source's version counts" {
    serve "$ARCHIVE"
    build 0 --complete
    debian image latest 12 'libdemo1/demo(1.0-1+deb12u2)=1.0-1+b1'
    report oci:image --db my.db
    is "$(findings)" ''
}

@test "without --complete a missing update is said without its ids" {
    serve "$ARCHIVE"
    build 0
    image
    report oci:image --db my.db
    has "$(findings)" ' libdemo1$'
    has "$(findings)" ' quiet$'
    is "$(jq -r '.findings[].why' report.json | grep -c 'has not been read yet')" 2
    is "$(jq -r '.findings[].why' report.json | grep -c 'names no vulnerability')" 0
    hasnt "$(findings)" ' fresh$'
}

@test "another release of Debian is not judged by this suite" {
    serve "$ARCHIVE"
    build 0 --complete
    debian image latest 13 'libdemo1/demo=1.0-1'
    report oci:image --db my.db
    is "$(findings)" ''
    is "$(jq -r .assessment.complete report.json)" false
}

@test "refused: signed by somebody else" {
    mine
    sign evil@example.org
    cd ..
    serve archive
    refused 'sign|key'
}

@test "refused: not signed at all" {
    mine
    cp dists/bookworm-security/Release dists/bookworm-security/InRelease
    cd ..
    serve archive
    refused 'sign'
}

@test "refused: text before and behind the signed part is not believed" {
    mine
    f=dists/bookworm-security/InRelease
    evil=$(printf 'x' | sha256sum | cut -d' ' -f1)
    { printf 'SHA256:\n %s 1 main/binary-%s/Packages.xz\n\n' "$evil" "$(dpkg --print-architecture)"; cat $f; } >new
    mv new $f
    cd ..
    serve archive
    run --separate-stderr "$COCKET" db build -o my.db --keyring "$KEYRING" \
        --feed "debian-archive=$URL,bookworm-security" --complete
    # Refused, or read as if it were not there.
    if [ "$status" = 0 ]; then
        image
        report oci:image --db my.db
        has "$(findings)" CVE-2099-0002
    else
        has "$stderr" 'sign|InRelease'
    fi
}

@test "refused: a signed text that was changed" {
    mine
    sed -i 's/^Label: Debian-Security/Label: Debian-Tampered/' dists/bookworm-security/InRelease
    cd ..
    serve archive
    refused 'sign'
}

@test "refused: Packages that was changed" {
    mine
    d=dists/bookworm-security/main/binary-$(dpkg --print-architecture)
    sed -i 's/^Version: 2.0-1+deb12u1/Version: 2.0-1+deb12u0/' "$d/Packages"
    rm "$d"/Packages.*
    xz -k "$d/Packages"
    gzip -nk "$d/Packages"
    cd ..
    serve archive
    refused 'sha256|digest|size'
}

@test "refused: a binary package that was changed" {
    mine
    f=$(ls pool/demo-common_*)
    printf 'x' | dd of="$f" bs=1 seek=500 conv=notrunc status=none
    rm pool/libdemo1_*
    cd ..
    serve archive
    run --separate-stderr "$COCKET" db build -o my.db --keyring "$KEYRING" \
        --feed "debian-archive=$URL,bookworm-security" --complete
    # Either the feed is refused, or the source is reported as outdated without ids: never with them.
    if [ "$status" = 0 ]; then
        image
        report oci:image --db my.db
        hasnt "$(findings)" 'CVE.* libdemo1'
        has "$(findings)" ' libdemo1$'
    else
        [ "$status" = 3 ] || [ "$status" = 4 ]
    fi
}

@test "refused: expired" {
    mine
    release "Valid-Until: $(stamp '-1 day')"
    sign good@example.org
    cd ..
    serve archive
    refused 'valid|expire'
}

@test "accepted: no Valid-Until, as archived suites have none" {
    mine
    release 'Description: archived'
    sign good@example.org
    cd ..
    serve archive
    build 0 --complete
}

@test "refused: another suite under this one's name" {
    mine
    sed -i 's/bookworm-security/trixie-security/; s/^Suite:.*/Suite: stable-security/' dists/bookworm-security/Release
    sign good@example.org
    cd ..
    serve archive
    refused 'suite|codename|trixie'
}

@test "refused: a suite that is not there, and a server that is not there" {
    serve "$ARCHIVE"
    status 3 db build -o my.db --keyring "$KEYRING" --feed "debian-archive=$URL,nowhere-security" --complete
    unserve
    build 3 --complete
    [ ! -e my.db ]
}

@test "refused: a keyring that is not there" {
    serve "$ARCHIVE"
    run --separate-stderr "$COCKET" db build -o my.db --keyring nowhere.gpg \
        --feed "debian-archive=$URL,bookworm-security"
    [ "$status" = 2 ] || [ "$status" = 3 ] || [ "$status" = 5 ]
    has "$stderr" nowhere.gpg
    [ ! -e my.db ]
}
