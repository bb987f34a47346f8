#!/bin/bash
# Programs that this Debian does not have, or has too old, from Debian's newer suites: downloaded by
# apt with lists of its own and verified through the archive's signatures, unpacked below DIR, never
# installed. Nothing of the system's apt changes.
#
# usage: tools/newer-packages.sh DIR [PACKAGE[/SUITE]...]
#
# Without packages: crane, oras, and a containerd that has image verifiers. DIR/PACKAGE/ then holds
# what the package holds. Exit status 1, with the reason, where one cannot be had.
set -uo pipefail

[ $# -ge 1 ] || {
    echo "usage: tools/newer-packages.sh DIR [PACKAGE[/SUITE]...]" >&2
    exit 2
}
mkdir -p "$1" || exit 1
dir=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- oras crane containerd/sid
suites=(trixie forky sid) # the first one that has a package counts
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirrors that the machine's own sources name.
mirrors() {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '$1 == "URIs:" { print $2 }'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\//) { print $i; next } }'
}
site=$(grep -m 1 -E '/debian/?$' <<<"$(mirrors)") || {
    echo "newer-packages: the machine's apt sources name no mirror of Debian" >&2
    exit 1
}

apt_for() { # apt_for SUITE PROGRAM ARGUMENT...
    local own=$dir/.apt/$1 program=$2
    shift 2
    "$program" -q -o Dir::Etc::sourcelist="$own/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$own/lists" \
        -o Dir::State::status="$own/status" -o Dir::Cache="$own/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User=root "$@" </dev/null
}

lists() { # lists SUITE: fetches them once
    local own=$dir/.apt/$1
    [ ! -e "$own/fetched" ] || return 0
    mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
    echo "deb [signed-by=$keyring] $site $1 main" >"$own/sources.list"
    : >"$own/status" # what is installed here says nothing about there
    # without this, apt ends with 0 where a list could not be had
    apt_for "$1" apt-get -o APT::Update::Error-Mode=any update >"$own/log" 2>&1 || {
        tail -n 2 "$own/log" >&2
        return 1
    }
    : >"$own/fetched"
}

fetch() { # fetch SUITE PACKAGE
    local own=$dir/.apt/$1
    lists "$1" && apt_for "$1" apt-cache show "$2" >/dev/null 2>&1 || return 1
    rm -rf "$own/$2"_*.deb "${dir:?}/$2.new"
    (cd "$own" && apt_for "$1" apt-get download "$2") >"$own/log" 2>&1 &&
        dpkg-deb -x "$own/$2"_*.deb "$dir/$2.new" && mv "$dir/$2.new" "$dir/$2"
}

status=0
for wanted in "$@"; do
    package=${wanted%/*} from=("${suites[@]}")
    [ "$package" = "$wanted" ] || from=("${wanted#*/}")
    [ ! -d "$dir/$package" ] || continue
    for suite in "${from[@]}"; do
        fetch "$suite" "$package" && continue 2
    done
    echo "newer-packages: $package cannot be had from ${from[*]} of $site" >&2
    status=1
done
exit $status
