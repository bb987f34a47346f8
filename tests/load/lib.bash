# What the tests of load and unpack share.
# shellcheck shell=bash disable=SC2034,SC2154

. "$BATS_TEST_DIRNAME/../cli/lib.bash"

# As lib.bash's, with a store of the test's own.
eval "$(declare -f setup | sed '1s/setup/cli_setup/')"
setup() {
    cli_setup
    export COCKET_STORE=$BATS_TEST_TMPDIR/store
}

STORE_PUT=${STORE_PUT:-$(dirname "$COCKET")/tests/store_put_layout}
NAME=docker.io/library/demo:1.0

# One layer over another, with everything that a real image has: links, an upgrade, whiteouts,
# modes; a static program that says hello. Layout "layout" in the current directory.
make_layout() {
    local dir=${1:-layout}
    mkdir -p low/bin low/etc/conf.d low/usr/lib low/tmp low/gone/below low/opaque high/etc
    cp "$(hello_program)" low/bin/hello
    ln -s usr/lib low/lib
    ln -s /etc/name low/etc/absolute
    echo one >low/etc/name
    echo old >low/etc/conf.d/a
    ln low/etc/name low/etc/again
    echo x >low/usr/lib/library
    echo x >low/gone/below/file
    echo x >low/opaque/old
    chmod 1777 low/tmp
    chmod 0555 low/usr/lib
    chmod 0600 low/etc/conf.d/a
    touch -d 2001-02-03T04:05:06Z low/etc/name low/etc/conf.d low/usr/lib
    umoci init --layout "$dir" >/dev/null
    umoci new --image "$dir:1.0" >/dev/null
    umoci insert --rootless --image "$dir:1.0" low / >/dev/null 2>&1
    echo two >high/etc/name
    umoci insert --rootless --image "$dir:1.0" high/etc/name /etc/name >/dev/null 2>&1
    umoci insert --rootless --opaque --image "$dir:1.0" high/etc /opaque >/dev/null 2>&1
    umoci insert --whiteout --image "$dir:1.0" /gone >/dev/null 2>&1
    umoci config --image "$dir:1.0" --config.cmd /bin/hello >/dev/null 2>&1
}

# A static program, built once for a run of the tests.
hello_program() {
    local program=$BATS_RUN_TMPDIR/hello
    if [ ! -e "$program" ]; then
        printf '#include <stdio.h>\nint main(void) { puts("hello from the image"); return 0; }\n' |
            "${CC:-gcc}" -x c -static -O1 -o "$program.new" - && mv "$program.new" "$program"
    fi
    echo "$program"
}

# put LAYOUT[:TAG] [STATE] [NAME]: into the store; prints the manifest's digest.
put() {
    "$STORE_PUT" "$COCKET_STORE" "$1" "${3:-$NAME}" "${2:-cleared}" "for the test"
}

logged() { # logged EVENT PATTERN: the log has it
    status 0 log --format json
    jq -r --arg e "$1" '.[] | select(.event == $e) | .text' <<<"$output" | grep -qE -- "$2" || {
        echo "not logged: $1 $2"
        echo "$output"
        return 1
    }
}
