# Container engines for the tests: each on a socket of its own below the test's folder, started and
# ended by the test that needs it; a test is skipped, saying why, where one cannot be started.
# shellcheck shell=bash disable=SC2034,SC2154

# wait_for COMMAND...: until it succeeds, for at most 30 s.
wait_for() {
    local i
    for ((i = 0; i < 300; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

# takes_layers ENGINE IMPORT-COMMAND...: an engine that runs and yet cannot apply a layer (in a chroot whose
# root is no mount point) proves nothing of ours.
takes_layers() {
    local engine=$1 why
    shift
    why=$(tar -c --files-from /dev/null | "$@" 2>&1) || skip "$engine applies no layers here: $why"
}

# start_dockerd: sets DOCKER_HOST. Only root may run one.
start_dockerd() {
    command -v dockerd >/dev/null || skip "dockerd is not installed"
    [ "$(id -u)" = 0 ] || skip "dockerd needs root"
    DOCKERD_DIR=$(mktemp -d /tmp/cocket-dockerd-XXXXXX) # a socket's path must be short
    dockerd --storage-driver=vfs --iptables=false --ip6tables=false --bridge=none \
        -H "unix://$DOCKERD_DIR/docker.sock" --data-root "$DOCKERD_DIR/root" \
        --exec-root "$DOCKERD_DIR/exec" -p "$DOCKERD_DIR/docker.pid" \
        >"$DOCKERD_DIR/log" 2>&1 3>&- 4>&- &
    DOCKERD_PID=$!
    export DOCKER_HOST=unix://$DOCKERD_DIR/docker.sock
    if ! wait_for docker version; then
        tail -n 5 "$DOCKERD_DIR/log"
        skip "dockerd does not start here"
    fi
    takes_layers dockerd docker import - cocket-probe
    docker rmi cocket-probe >/dev/null
}

# start_containerd: sets CONTAINERD_ADDRESS and CONTAINERD_NAMESPACE.
start_containerd() {
    command -v containerd >/dev/null || skip "containerd is not installed"
    [ "$(id -u)" = 0 ] || skip "containerd needs root"
    CONTAINERD_DIR=$(mktemp -d /tmp/cocket-containerd-XXXXXX)
    cat >"$CONTAINERD_DIR/config.toml" <<TOML
version = 2
root = "$CONTAINERD_DIR/root"
state = "$CONTAINERD_DIR/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$CONTAINERD_DIR/containerd.sock"
TOML
    containerd -c "$CONTAINERD_DIR/config.toml" >"$CONTAINERD_DIR/log" 2>&1 3>&- 4>&- &
    CONTAINERD_PID=$!
    export CONTAINERD_ADDRESS=$CONTAINERD_DIR/containerd.sock CONTAINERD_NAMESPACE=cocket-test
    if ! wait_for ctr version; then
        tail -n 5 "$CONTAINERD_DIR/log"
        skip "containerd does not start here"
    fi
}

# podman_env: a storage of the test's own.
podman_env() {
    command -v podman >/dev/null || skip "podman is not installed"
    PODMAN_DIR=$(mktemp -d /tmp/cocket-podman-XXXXXX)
    cat >"$PODMAN_DIR/storage.conf" <<TOML
[storage]
driver = "vfs"
runroot = "$PODMAN_DIR/run"
graphroot = "$PODMAN_DIR/root"
TOML
    export CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf
    # images of rootless users need ids of their own; podman says so here
    podman info >/dev/null 2>"$PODMAN_DIR/log" || {
        tail -n 3 "$PODMAN_DIR/log"
        skip "podman does not work here"
    }
    takes_layers podman podman import - cocket-probe
    podman rmi cocket-probe >/dev/null
}

end_process() { # end_process PID: and waits
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    return 0
}

# For teardown: ends what was started and clears away after it.
end_daemons() {
    local dir
    end_process "${DOCKERD_PID:-}"
    end_process "${CONTAINERD_PID:-}"
    for dir in "${DOCKERD_DIR:-}" "${CONTAINERD_DIR:-}" "${PODMAN_DIR:-}"; do
        [ -n "$dir" ] || continue
        awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r |
            xargs -r umount -l 2>/dev/null
        rm -rf "$dir" 2>/dev/null
    done
    return 0
}

# podman_run IMAGE [COMMAND]: without network; says what it printed in $output. Which runtime works
# depends on how the machine mounts cgroups.
podman_run() {
    local limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
    run podman run --rm --network none --cgroups=disabled "${limits[@]}" "$@"
    [ "$status" = 0 ] && return 0
    local why=$output
    run podman --runtime runc --cgroup-manager cgroupfs run --rm --network none "${limits[@]}" "$@"
    [ "$status" = 0 ] || skip "podman run does not work here: $why; $output"
}
