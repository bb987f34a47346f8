# lockdown and image-verifier: arguments, what is printed, written and found.
load lib

setup_root() {
    mkdir -p root/etc/containers
    printf '{"default":[{"type":"insecureAcceptAnything"}]}' >root/etc/containers/policy.json
}

@test "lockdown: what makes no sense is a usage error" {
    setup_root
    status 2 lockdown --gate g.example
    has "$stderr" 'runtime is missing'
    status 2 lockdown lxc --gate g.example
    has "$stderr" 'no runtime'
    status 2 lockdown podman
    has "$stderr" '--gate'
    status 2 lockdown podman --gate http://g.example
    has "$stderr" 'loopback only'
    status 2 lockdown podman --gate g.example --write --dry-run
    status 2 lockdown --check --write --gate g.example
    status 2 lockdown --check --gate g.example --root root --probe --probe-image x
    status 2 lockdown --check --gate g.example --probe
    status 2 lockdown podman --gate g.example --root nowhere
    status 2 lockdown podman --gate g.example --registries 'a/b'
    status 2 lockdown docker --gate g.example --docker-store zfs
    status 2 lockdown kubernetes --gate g.example --exclude-namespace 'a b'
    echo 'no certificate' >ca.pem
    status 2 lockdown podman --gate g.example --ca ca.pem
    has "$stderr" 'PEM'
    printf -- '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n' >ca.pem
    status 2 lockdown podman --gate g.example --ca ca.pem
    has "$stderr" 'private key'
}

@test "lockdown: prints, shows what would change, writes once, and then finds nothing open" {
    setup_root
    status 0 lockdown podman --gate g.example:5443 --root root
    has "$output" 'location = "g.example:5443/docker.io"'
    status 0 lockdown podman --gate g.example:5443 --root root --dry-run
    has "$output" '^-\{"default"'
    [ ! -e root/etc/containers/registries.conf.d ]
    status 1 lockdown --check podman --gate g.example:5443 --root root
    has "$output" 'OPEN  podman: .*docker.io is asked directly'
    status 0 lockdown podman --gate g.example:5443 --root root --write
    [ -e root/etc/containers/policy.json.cocket-backup-1 ]
    status 0 lockdown podman --gate g.example:5443 --root root --dry-run
    has "$output" 'nothing would change'
    status 0 lockdown --check podman --gate g.example:5443 --root root
    has "$output" 'no way around'
    status 1 lockdown --check podman --gate other.example --root root
}

@test "lockdown: containerd's check takes the gate that was written down" {
    mkdir -p root/etc
    status 0 lockdown containerd --gate g.example:5443 --root root --write
    status 0 lockdown --check containerd --root root
    has "$output" 'g.example:5443'
    [ "$(stat -c %a root/opt/containerd/image-verifier/bin/00-cocket)" = 755 ]
    sh -n root/opt/containerd/image-verifier/bin/00-cocket
}

@test "image-verifier: whatever is not plainly a yes is a no, with a reason on standard output" {
    local d
    d=sha256:$(printf 0%.0s {1..64})
    for args in "" "-name x/y" "-name x/y -digest $d" "-name x/y -digest $d -stdin-media-type z" \
        "-name x/y -digest $d -stdin-media-type z --gate http://g.example" \
        "-name x/y -digest $d -stdin-media-type z --frobnicate"; do
        # shellcheck disable=SC2086
        status 1 image-verifier $args
        has "$output" '^cocket: .'
    done
    ln -s "$COCKET" some-name
    run ./some-name -name x/y
    [ "$status" = 1 ]
    has "$output" 'are wanted'
}
