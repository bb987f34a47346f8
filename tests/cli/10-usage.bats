# Arguments, help, versions, exit status 2.
load lib

@test "no arguments is a usage error that says what to do" {
    status 2
    has "$stderr" 'cocket (help|--help)|usage'
}

@test "an unknown verb, option, format, severity, platform or colour is a usage error" {
    status 2 frobnicate
    has "$stderr" frobnicate
    status 2 scan --frobnicate rootfs:/
    has "$stderr" '--frobnicate'
    status 2 scan --format xml rootfs:/
    has "$stderr" 'xml'
    status 2 scan --fail-on catastrophic rootfs:/
    has "$stderr" 'catastrophic'
    status 2 scan --platform linux rootfs:/
    has "$stderr" 'platform'
    status 2 scan --color sometimes rootfs:/
    has "$stderr" 'sometimes'
}

@test "a verb of verbs says which there are, and which there is not" {
    status 2 user
    has "$stderr" 'say what to do: add, ls, rm, passwd, token, disable or enable$'
    for verb in db policy user notify; do
        status 2 $verb
        has "$stderr" 'say what to do: [a-z, ]+ or [a-z]+$'
        status 2 $verb frobnicate
        has "$stderr" "there is no .$verb frobnicate."
        status 0 $verb --help
        has "$output" "cocket $verb"
    done
}

@test "--format: each verb says which it knows" {
    local verb
    for verb in ls log verify survey 'user ls' 'notify ls'; do
        status 2 $verb --format tabl
        has "$stderr" '--format tabl: it is table or json'
    done
    for verb in watch recall 'policy check' 'policy replay'; do
        status 2 $verb --format jsonx
        has "$stderr" '--format jsonx: it is text or json'
    done
}

@test "scan without a reference, with two, and with an option that lacks its value" {
    status 2 scan
    has "$stderr" 'REF|reference|image'
    status 2 scan rootfs:/ rootfs:/
    status 2 scan rootfs:/ --format
    has "$stderr" '--format'
}

@test "a path without a transport, and what is no name, say what there is" {
    status 2 scan ./debian
    has "$stderr" 'oci:'
    status 2 scan dir:image
    has "$stderr" 'dir'
    status 2 scan oci:
    status 2 scan Debian
    has "$stderr" 'lower case'
}

@test "nothing is printed to stdout on a usage error" {
    status 2 scan --frobnicate rootfs:/
    [ -z "$output" ]
}

@test "help for everything and for every verb, on stdout" {
    status 0 --help
    has "$output" 'scan'
    has "$output" 'db'
    status 0 help
    status 0 scan --help
    for option in --format --output --db --platform --fail-on --fail-incomplete --explain --no-cache \
        --quiet --color --insecure-no-sandbox; do
        has "$output" "$option"
    done
    status 0 db --help
    for word in build update status export import --feed --complete --keyring; do
        has "$output" "$word"
    done
    [ -z "$stderr" ]
}

@test "help fits 80 columns" {
    for verb in '' scan db; do
        status 0 $verb --help
        [ -z "$(awk 'length > 80' <<<"$output")" ]
    done
}

@test "the version" {
    status 0 version
    has "$output" '^cocket [0-9]+\.[0-9]+'
    first=$output
    status 0 --version
    is "$output" "$first"
}

@test "db: unknown command, missing output, missing feed, unknown kind, bad feed" {
    status 2 db
    status 2 db frobnicate
    has "$stderr" frobnicate
    status 2 db build --feed kev=x.json
    has "$stderr" '-o'
    status 2 db build -o x.db
    has "$stderr" 'feed'
    status 2 db build -o x.db --feed horoscope=x
    has "$stderr" horoscope
    status 2 db build -o x.db --feed kev
    status 2 db build -o x.db --feed debian-archive=http://127.0.0.1:9/debian
    has "$stderr" suite
    [ ! -e x.db ]
}

@test "what is not there is exit status 3" {
    status 3 scan oci:nowhere
    has "$stderr" nowhere
    status 3 scan docker-archive:nowhere.tar
    status 3 scan oci-archive:nowhere.tar
    status 3 scan rootfs:nowhere
    status 3 db build -o x.db --feed kev=nowhere.json
    has "$stderr" nowhere
    [ ! -e x.db ]
}

@test "a database that is named and not there, or none, is exit status 5" {
    debian image latest 12 demo=1.0-1
    status 5 scan --db nowhere.db oci:image
    has "$stderr" nowhere.db
    echo 'this is no database' >text.db
    status 5 scan --db text.db oci:image
    has "$stderr" text.db
}

@test "an output that cannot be written is exit status 5" {
    debian image latest 12 demo=1.0-1
    : >blocked
    status 5 scan --output blocked/report.json oci:image
    has "$stderr" blocked
    status 5 db export blocked/x.db
}

@test "standard output that is full is said" {
    debian image latest 12 demo=1.0-1
    run bash -c '"$0" scan oci:image >/dev/full' "$COCKET"
    [ "$status" = 5 ]
}
