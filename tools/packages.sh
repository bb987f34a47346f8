# The Debian packages that cocket needs, named once; sourced by check and quickstart.
# shellcheck shell=bash disable=SC2034

# To build and to run the program.
packages_build=(
    gcc libc6-dev meson ninja-build pkgconf
    libisal-dev zlib1g-dev libzstd-dev liblzma-dev libssl-dev libcurl4-openssl-dev libjansson-dev libyajl-dev
    libseccomp-dev libsqlite3-dev libyaml-dev libmicrohttpd-dev libargon2-dev
    scdoc                                   # manuals and --help
    gpgv debian-archive-keyring             # signatures of the Debian archive
    ca-certificates
)

# The web UI. Only where there is no npm: another Node than Debian's may be there.
command -v npm >/dev/null || packages_build+=(nodejs npm)

# To make an image of one's own and put it into an OCI layout.
packages_image=(mmdebstrap python3-minimal python3 gzip)

# To run every test.
packages_check=(
    libcmocka-dev bats
    clang llvm libclang-rt-dev clang-tidy cppcheck
    python3 python3-jsonschema man-db
    skopeo umoci                            # other people's images, made and changed by other tools
    docker-registry nginx-light apache2-utils # a registry of others, what stands before it, passwords
    docker.io podman crun runc containerd   # engines that images are loaded into
    buildah nftables                        # a client more, and the filter that lockdown writes
    apt-utils dpkg-dev gnupg xz-utils zstd  # a Debian archive of our own
    openssl curl                            # certificates of the tests' own servers, a client with TLS
    jq zip procps bsdutils
)

# To look at the pages of the gate.
packages_web=(chromium fonts-dejavu-core)

# To measure.
packages_bench=(mmdebstrap isal openssl gzip python3 docker-registry skopeo nginx-light wrk curl)

# Installs what is missing of the packages named; asks nothing. Root, or sudo that asks nothing.
packages_install() {
    local p missing=() as=()
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "missing packages, and neither root nor a sudo that asks nothing; please install:" >&2
            echo "  apt-get install ${missing[*]}" >&2
            return 1
        fi
        as=(sudo -n)
    fi
    echo "installing: ${missing[*]}" >&2
    packages_apt() {
        "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null >&2
    }
    # The lists may be absent or old: fetched once more where the first try fails.
    packages_apt install -y --no-install-recommends "${missing[@]}" && return 0
    packages_apt update && packages_apt install -y --no-install-recommends "${missing[@]}"
}
