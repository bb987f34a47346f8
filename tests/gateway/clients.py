#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients at the gate, and past it.

usage: clients.py PROGRAM [TEST...]

Each client pulls an allowed image with the upstream's digest, and shows the person why a denied one
is denied. With the settings that `cocket lockdown` writes no client gets past the gate; with each
trap brought back `cocket lockdown --check` names it, and the pull does get past.
"""
import json
import os
import shutil
import subprocess
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client_rig  # pylint: disable=wrong-import-position
from client_rig import Gate, Rig, Skip, newer, one_line, run  # pylint: disable=wrong-import-position

RULE = "no-moonshine"


def must(condition, text):
    if not condition:
        raise AssertionError(text)


def says_why(text, status, explain=True):
    must(status != 0, f"it was pulled: {text}")
    must(RULE in text, f"the rule is not shown: {text}")
    must(not explain or "/explain/" in text, f"no address that says more: {text}")


# --- each client at the gate ----------------------------------------------------------------------

def storage_digest(rig, tool, name):
    text = rig.client(tool, "inspect", *(["--type", "image"] if tool == "buildah" else []), name,
                      check=True)[1]
    found = json.loads(text)
    found = found[0] if isinstance(found, list) else found
    return found.get("Digest") or found.get("FromImageDigest")


def test_podman(rig, gate):
    rig.lockdown(gate, "podman")
    rig.client("podman", "pull", "-q", "upstream.test/lib/allowed:1", check=True)
    must(storage_digest(rig, "podman", "upstream.test/lib/allowed:1") ==
         rig.digests["up/lib/allowed"], "another digest")
    status, text = rig.client("podman", "pull", "upstream.test/lib/denied:1")
    says_why(text, status)


def test_podman_of_docker_hub(rig, gate):
    rig.lockdown(gate, "podman")
    rig.client("podman", "pull", "-q", "docker.io/library/allowed:1", check=True)
    must(storage_digest(rig, "podman", "docker.io/library/allowed:1") ==
         rig.digests["hub/library/allowed"], "another digest")
    status, text = rig.client("podman", "pull", "docker.io/library/denied:1")
    says_why(text, status)


def test_skopeo(rig, gate):
    rig.lockdown(gate, "podman")
    target = rig.path("skopeo-copy")
    rig.client("skopeo", "copy", "-q", "docker://upstream.test/lib/allowed:1", f"dir:{target}",
               check=True)
    _, text = run(["sha256sum", f"{target}/manifest.json"])
    must(rig.digests["up/lib/allowed"] == "sha256:" + text.split()[0], "another digest")
    status, text = rig.client("skopeo", "inspect", "docker://upstream.test/lib/denied:1")
    says_why(text, status)


def test_buildah(rig, gate):
    rig.lockdown(gate, "podman")
    for name in ("allowed", "denied"):
        rig.write(f"build-{name}/Dockerfile", f"FROM upstream.test/lib/{name}:1\nLABEL a=b\n")
    rig.client("buildah", "bud", "-q", "-t", "localhost/built:1", rig.path("build-allowed"),
               check=True)
    status, text = rig.client("buildah", "bud", rig.path("build-denied"))
    says_why(text, status)


def ctr_pull(rig, ctr, name, *more):
    return rig.client(ctr, "images", "pull", "--hosts-dir", "/etc/containerd/certs.d", *more, name)


def ctr_has(rig, ctr, name, digest):
    _, text = rig.client(ctr, "images", "ls", check=True)
    must(any(line.startswith(name + " ") and digest in line for line in text.split("\n")),
         f"{name} has not the digest {digest}: {text}")


def test_containerd(rig, gate):
    rig.lockdown(gate, "containerd")
    rig.containerd()
    name = "upstream.test/lib/allowed:1"
    status, text = ctr_pull(rig, "ctr", name)
    must(status == 0, text)
    ctr_has(rig, "ctr", name, rig.digests["up/lib/allowed"])
    status, text = ctr_pull(rig, "ctr", "upstream.test/lib/denied:1")
    must(status != 0 and "403 Forbidden" in text, text)  # 1.6 shows no body of any answer


def containerd_two(rig, plugins=""):
    program, ctr = newer("containerd", "containerd"), newer("containerd", "ctr")
    if not program:
        raise Skip("containerd 2 cannot be had (tools/newer-packages.sh build/newer)")
    rig.containerd(program, ctr, plugins)
    return ctr


def test_containerd_two(rig, gate):
    rig.lockdown(gate, "containerd")
    ctr = containerd_two(rig)
    name = "upstream.test/lib/allowed:1"
    status, text = ctr_pull(rig, ctr, name, "--local")
    must(status == 0, text)
    ctr_has(rig, ctr, name, rig.digests["up/lib/allowed"])
    status, text = ctr_pull(rig, ctr, "upstream.test/lib/denied:1", "--local")
    must(status != 0 and "403 Forbidden" in text, text)


def test_containerd_two_asks_again_after_405(rig, _):
    """From 5c66703 (July 2026) on it then shows the body; before, that it was a GET is all."""
    gate = Gate(rig, "--anonymous-pull", "--head-deny-405")
    try:
        rig.lockdown(gate, "containerd")
        ctr = containerd_two(rig)
        status, text = ctr_pull(rig, ctr, "upstream.test/lib/denied:1", "--local")
        must(status != 0 and ("403 Forbidden" in text or RULE in text), text)
        must("HEAD" not in text, f"it did not ask again: {text}")
    finally:
        gate.stop()


def test_docker(rig, gate):
    rig.lockdown(gate, "docker")
    without_plugin(rig)
    rig.dockerd()
    name = f"{gate.host}/upstream.test/lib/allowed:1"
    status, text = rig.client("docker", "pull", name)
    must(status == 0 and rig.digests["up/lib/allowed"] in text, text)
    status, text = rig.client("docker", "pull", f"{gate.host}/upstream.test/lib/denied:1")
    says_why(text, status)
    # by its mirror setting
    status, text = rig.client("docker", "pull", "allowed:1")
    must(status == 0 and rig.digests["hub/library/allowed"] in text, text)


def without_plugin(rig):
    """The authorization plugin has tests of its own."""
    daemon = json.loads(rig.etc("docker/daemon.json"))
    daemon["authorization-plugins"] = []
    rig.etc("docker/daemon.json", json.dumps(daemon))


def trusting(rig):
    """Clients in Go that know no certs.d."""
    return {"SSL_CERT_FILE": rig.path("tls/ca.pem")}


def test_crane(rig, gate):
    crane = newer("crane", "crane")
    if not crane:
        raise Skip("crane cannot be had (tools/newer-packages.sh build/newer)")
    name = f"{gate.host}/upstream.test/lib/allowed:1"
    _, text = rig.client(crane, "digest", name, check=True, env=trusting(rig))
    must(text.strip() == rig.digests["up/lib/allowed"], text)
    rig.client(crane, "pull", name, rig.path("crane.tar"), check=True, env=trusting(rig))
    status, text = rig.client(crane, "pull", f"{gate.host}/upstream.test/lib/denied:1",
                              rig.path("no.tar"), env=trusting(rig))
    says_why(text, status)


def test_oras(rig, gate):
    oras = newer("oras", "oras")
    if not oras:
        raise Skip("oras cannot be had (tools/newer-packages.sh build/newer)")
    name = f"{gate.host}/upstream.test/lib/allowed:1"
    _, text = rig.client(oras, "manifest", "fetch", "--descriptor", name, check=True,
                         env=trusting(rig))
    must(json.loads(text)["digest"] == rig.digests["up/lib/allowed"], text)
    rig.client(oras, "copy", name, "--to-oci-layout", rig.path("oras:1"), check=True,
               env=trusting(rig))
    status, text = rig.client(oras, "manifest", "fetch",
                              f"{gate.host}/upstream.test/lib/denied:1", env=trusting(rig))
    must(status != 0, text)
    # a descriptor is asked for by HEAD, whose answer has no body; a manifest by GET
    says_why(text, status)


# --- logging in -----------------------------------------------------------------------------------

def test_logging_in(rig, _):
    status, text = run([rig.program, "user", "add", "--store", rig.path("store"), "--roles", "pull",
                        "--password-stdin", "alice"], check=False, env=rig.env, stdin=None,
                       input=b"correct horse 17\n")
    if "there is no command" in text:
        raise Skip("this cocket has no users")
    must(status == 0, text)
    gate = Gate(rig)
    try:
        rig.fresh_root()
        rig.lockdown(gate, "podman", "docker")
        without_plugin(rig)
        with_login(rig, gate, "podman", "upstream.test/lib/allowed:1")
        rig.dockerd()
        with_login(rig, gate, "docker", f"{gate.host}/upstream.test/lib/allowed:1")
    finally:
        gate.stop()


def with_login(rig, gate, tool, name):
    rig.client(tool, "rmi", "-f", name)
    status, text = rig.client(tool, "pull", name)
    must(status != 0, f"{tool} pulled without a login: {text}")
    status, text = rig.client(tool, "login", "-u", "alice", "--password-stdin", gate.host, stdin=None,
                              input=b"wrong\n")
    must(status != 0, f"{tool} logged in with a wrong password: {text}")
    status, text = rig.client(tool, "login", "-u", "alice", "--password-stdin", gate.host, stdin=None,
                              input=b"correct horse 17\n")
    must(status == 0, text)
    rig.client(tool, "pull", name, check=True)
    status, text = rig.client(tool, "pull", name.replace("allowed", "denied"))
    says_why(text, status)


# --- past the gate --------------------------------------------------------------------------------

def closed(rig, gate, *runtimes):
    status, text = rig.check(gate, *runtimes)
    must(status == 0, f"something is open: {text}")


def open_says(rig, gate, runtime, what):
    status, text = rig.check(gate, runtime)
    must(status == 1 and what in text, f"not said: {what}: {text}")


def podman_gets(rig, name, wanted):
    rig.client("podman", "rmi", "-f", name)
    status, text = rig.client("podman", "pull", "-q", name)
    must((status == 0) == wanted, f"{name} {'did not get' if wanted else 'got'} past: {text}")


def test_past_podman(rig, gate):
    denied, direct = "upstream.test/lib/denied:1", f"{rig.upstream}/up/lib/denied:1"
    rig.lockdown(gate, "podman")
    closed(rig, gate, "podman")
    podman_gets(rig, denied, False)
    podman_gets(rig, direct, False)
    # the gate as a mirror
    conf = "containers/registries.conf.d/zz-cocket.conf"
    good = rig.etc(conf)
    at = f'location = "{gate.host}/upstream.test"'
    must(at in good, good)
    rig.etc(conf, good.replace(at, f'location = "{rig.upstream}/up"\ninsecure = true\n'
                                   f'[[registry.mirror]]\n{at}'))
    open_says(rig, gate, "podman", "the gate is a mirror only")
    podman_gets(rig, denied, True)
    # a longer prefix in another file
    rig.etc(conf, good)
    rig.etc("containers/registries.conf.d/zzz.conf", '[[registry]]\nprefix = "upstream.test/lib"\n'
            f'location = "{rig.upstream}/up/lib"\ninsecure = true\n')
    open_says(rig, gate, "podman", "upstream.test/lib is asked at")
    podman_gets(rig, denied, True)
    os.remove(os.path.join(rig.root, "etc/containers/registries.conf.d/zzz.conf"))
    # no policy.json that rejects the others
    rig.etc("containers/policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')
    open_says(rig, gate, "podman", 'is not "reject"')
    status, text = rig.client("podman", "pull", "-q", "--tls-verify=false", direct)
    must(status == 0, f"it did not get past: {text}")


def test_past_podman_by_a_users_own_settings(rig, gate):
    rig.lockdown(gate, "podman")
    name = "upstream.test/lib/denied:1"
    podman_gets(rig, name, False)
    own = rig.write("home/.config/containers/registries.conf", '[[registry]]\n'
                    f'prefix = "upstream.test"\nlocation = "{rig.upstream}/up"\ninsecure = true\n')
    try:
        shutil.copytree(rig.path("home"), os.path.join(rig.root, "home/eve"))
        open_says(rig, gate, "podman", "/home/eve/.config/containers/registries.conf")
        podman_gets(rig, name, True)
    finally:
        os.remove(own)


def test_past_podman_by_an_archive(rig, gate):
    rig.lockdown(gate, "podman")
    archive = rig.path("denied.tar")
    run(["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false",
         f"docker://{rig.upstream}/up/lib/denied:1", f"oci-archive:{archive}:x/denied:1"])
    status, text = rig.client("podman", "load", "-q", "-i", archive)
    must(status != 0, f"podman load got past: {text}")
    policy = json.loads(rig.etc("containers/policy.json"))
    policy["transports"]["oci-archive"] = {"": [{"type": "insecureAcceptAnything"}]}
    rig.etc("containers/policy.json", json.dumps(policy))
    open_says(rig, gate, "podman", "oci-archive comes in without the gate")
    rig.client("podman", "load", "-q", "-i", archive, check=True)


def ctr_gets(rig, ctr, name, wanted, *more):
    rig.client(ctr, "images", "rm", name)
    status, text = ctr_pull(rig, ctr, name, *more)
    must((status == 0) == wanted, f"{name} {'did not get' if wanted else 'got'} past: {text}")


def past_containerd(rig, gate, ctr, *more):
    direct = f"{rig.upstream}/up/lib/denied:1"
    rig.lockdown(gate, "containerd")
    closed(rig, gate, "containerd")
    ctr_gets(rig, ctr, direct, False, *more)
    # the gate below [host] only
    hosts = "containerd/certs.d/_default/hosts.toml"
    good = rig.etc(hosts)
    rig.etc(hosts, f'[host."https://{gate.host}"]\n  capabilities = ["pull", "resolve"]\n'
                   '  ca = "/etc/containerd/certs.d/_default/cocket-gate.crt"\n')
    open_says(rig, gate, "containerd", 'no "server"')
    ctr_gets(rig, ctr, direct, True, *more)
    # a directory of the registry's own
    rig.etc(hosts, good)
    own = f"containerd/certs.d/{rig.upstream}/hosts.toml"
    rig.etc(own, f'server = "http://{rig.upstream}"\n')
    open_says(rig, gate, "containerd", '"server" is not the gate')
    ctr_gets(rig, ctr, direct, True, *more)
    # which lockdown rewrites
    rig.lockdown(gate, "containerd")
    closed(rig, gate, "containerd")
    ctr_gets(rig, ctr, direct, False, *more)


def test_past_containerd(rig, gate):
    rig.containerd()
    past_containerd(rig, gate, "ctr")


def test_past_containerd_two(rig, gate):
    past_containerd(rig, gate, containerd_two(rig), "--local")


def test_image_verifier_of_containerd_two(rig, gate):
    """Past certs.d, and stopped by the verifier that lockdown installs: the transfer service runs it."""
    rig.lockdown(gate, "containerd")
    conf = rig.write("verifier.conf", f'gate = "https://{gate.host}"\n'
                     f'ca = "{rig.path("tls/ca.pem")}"\n')
    rig.env["COCKET_VERIFIER_CONF"] = conf
    bin_dir = os.path.join(rig.root, "opt/containerd/image-verifier/bin")
    ctr = containerd_two(rig, '[plugins."io.containerd.image-verifier.v1.bindir"]\n'
                              f'  bin_dir = "{bin_dir}"\n')
    past = rig.path("past")
    rig.write("past/upstream.test/hosts.toml", f'server = "http://{rig.upstream}/v2/up"\n'
              f'[host."http://{rig.upstream}/v2/up"]\n  override_path = true\n')
    pull = [ctr, "images", "pull", "--hosts-dir", past]
    # the verifier answers for what the gate has cleared
    first = gate_pull(rig, gate, "upstream.test/lib/allowed:1")
    must(first == 0, "the gate does not give the allowed image")
    status, text = rig.client(*pull, "upstream.test/lib/allowed:1")
    must(status == 0, text)
    status, text = rig.client(*pull, "upstream.test/lib/denied:1")
    must(status != 0 and RULE in text, f"the verifier did not hold: {text}")
    # an empty directory lets everything through
    os.remove(os.path.join(bin_dir, "00-cocket"))
    open_says(rig, gate, "containerd", "is empty: everything is let through")
    status, text = rig.client(*pull, "upstream.test/lib/denied:1")
    must(status == 0, f"it did not get past: {text}")


def gate_pull(rig, gate, name):
    return rig.client("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false",
                      f"docker://{gate.host}/{name}")[0]


def verifier(rig, name, digest, **more):
    descriptor = json.dumps({"mediaType": "application/vnd.oci.image.manifest.v1+json",
                             "digest": digest, "size": 400}).encode()
    link = rig.path("a-verifier")
    if not os.path.exists(link):
        os.symlink(rig.program, link)
    argv = [link, "-name", name, "-digest", digest, "-stdin-media-type",
            "application/vnd.oci.descriptor.v1+json"]
    return run(argv, check=False, stdin=None, input=descriptor, **more)


def test_image_verifier(rig, gate):
    """As containerd runs it, by a link of another name; a gate that is away is a no."""
    conf = f'gate = "https://{gate.host}"\nca = "{rig.path("tls/ca.pem")}"\n'
    env = {**rig.env, "COCKET_VERIFIER_CONF": rig.write("v.conf", conf)}
    must(gate_pull(rig, gate, "upstream.test/lib/allowed:1") == 0, "not allowed")
    gate_pull(rig, gate, "upstream.test/lib/denied:1")
    status, text = verifier(rig, "upstream.test/lib/allowed:1", rig.digests["up/lib/allowed"], env=env)
    must(status == 0, text)
    status, text = verifier(rig, "upstream.test/lib/denied:1", rig.digests["up/lib/denied"], env=env)
    must(status == 1 and RULE in text, text)
    status, text = verifier(rig, "upstream.test/lib/allowed:1", "sha256:" + 64 * "0", env=env)
    must(status == 1, f"a digest that nobody has seen is allowed: {text}")
    env["COCKET_VERIFIER_CONF"] = rig.write("v.conf", f'gate = "https://{gate.host}"\n')
    status, text = verifier(rig, "upstream.test/lib/allowed:1", rig.digests["up/lib/allowed"], env=env)
    must(status == 1, f"a gate that nobody vouches for was believed: {text}")
    env["COCKET_VERIFIER_CONF"] = rig.write("v.conf", 'gate = "https://127.0.0.1:1"\n')
    status, text = verifier(rig, "upstream.test/lib/allowed:1", rig.digests["up/lib/allowed"], env=env)
    must(status == 1, f"no gate, and yet: {text}")


def test_image_verifier_with_the_store(rig, gate):
    gate_pull(rig, gate, "upstream.test/lib/allowed:1")
    gate_pull(rig, gate, "upstream.test/lib/denied:1")
    conf = f'store = "{rig.path("store")}"\npolicy = "{rig.path("policy.yaml")}"\n'
    env = {**rig.env, "COCKET_VERIFIER_CONF": rig.write("v.conf", conf)}
    status, text = verifier(rig, "upstream.test/lib/allowed:1", rig.digests["up/lib/allowed"], env=env)
    must(status == 0, text)
    status, text = verifier(rig, "upstream.test/lib/denied:1", rig.digests["up/lib/denied"], env=env)
    must(status == 1 and RULE in text, text)
    status, text = verifier(rig, "upstream.test/lib/allowed:1", "sha256:" + 64 * "0", env=env)
    must(status == 1 and "not in the store" in text, text)


def test_firewall(rig, gate):
    """nft takes the file, and takes it again."""
    rig.lockdown(gate, "podman")
    conf = os.path.join(rig.root, "etc/cocket/lockdown.nft")
    for _ in range(2):
        status, text = rig.client("nft", "-f", conf)
        if "Operation not" in text or "not supported" in text:
            raise Skip(f"no packet filter here: {text}")
        must(status == 0, text)
    _, text = rig.client("nft", "list", "table", "inet", "cocket_lockdown", check=True)
    must("reject with tcp reset" in text, text)
    rig.client("nft", "delete", "table", "inet", "cocket_lockdown", check=True)


def test_past_docker(rig, gate):
    rig.lockdown(gate, "docker")
    closed(rig, gate, "docker")
    # Docker's plugin is what holds here; without it names decide alone, and Hub is asked after a denial
    without_plugin(rig)
    open_says(rig, gate, "docker", "Docker asks Hub after any error")
    rig.dockerd()
    direct = f"{rig.upstream}/up/lib/denied:1"
    status, text = rig.client("docker", "pull", direct)
    must(status == 0, f"it did not get past: {text}")
    status, text = rig.client("docker", "pull", "denied:1")
    must(status != 0 and "registry-1.docker.io" in text, f"Hub was not asked: {text}")


def test_past_docker_with_the_plugin(rig, _):
    """What lockdown writes, whole: names, archives and builds are put to the gate first."""
    socket = rig.path("plugin.sock")
    gate = Gate(rig, "--anonymous-pull", "--docker-plugin", socket)
    try:
        rig.lockdown(gate, "docker")
        rig.etc("docker/plugins/cocket.spec", f"unix://{socket}\n")
        closed(rig, gate, "docker")
        rig.dockerd()
        name = f"{gate.host}/upstream.test/lib/allowed:1"
        status, text = rig.client("docker", "pull", name)
        must(status == 0, text)
        for past in (f"{gate.host}/upstream.test/lib/denied:1", "denied:1",
                     f"{rig.upstream}/up/lib/denied:1"):
            status, text = rig.client("docker", "pull", past)
            must(status != 0 and "authorization denied by plugin cocket" in text, f"{past}: {text}")
        archive = rig.path("denied.docker.tar")
        run(["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false",
             f"docker://{rig.upstream}/up/lib/denied:1", f"docker-archive:{archive}:x/denied:1"])
        status, text = rig.client("docker", "load", "-i", archive)
        must(status != 0 and "plugin cocket" in text, f"docker load got past: {text}")
    finally:
        gate.stop()


def test_probe(rig, gate):
    """lockdown --check --probe tries, and says what got through."""
    rig.lockdown(gate, "podman")
    probe = [rig.program, "lockdown", "--check", "podman", "--gate", gate.host, "--registries",
             "docker.io,upstream.test", "--probe", "--probe-image", "upstream.test/lib/denied:1"]
    status, text = rig.client(*probe)
    must(status == 0 and "podman pull upstream.test/lib/denied:1: was tried, and held" in text, text)
    conf = "containers/registries.conf.d/zz-cocket.conf"
    rig.etc(conf, rig.etc(conf).replace(f'"{gate.host}/upstream.test"', f'"{rig.upstream}/up"\n'
                                        "insecure = true"))
    status, text = rig.client(*probe)
    for tool in ("podman pull", "skopeo copy", "buildah pull"):
        if shutil.which(tool.split()[0]):
            must(status == 1 and f"{tool} upstream.test/lib/denied:1: was tried, and got through"
                 in text, text)


# --- running them ---------------------------------------------------------------------------------

TESTS = [value for name, value in sorted(globals().items()) if name.startswith("test_")]


def one(test, rig, gate):
    name = test.__name__.removeprefix("test_").replace("_", " ")
    before, env = list(rig.processes), dict(rig.env)
    rig.fresh_root()
    try:
        test(rig, gate)
        print(f"ok clients: {name}", flush=True)
        return True
    except Skip as e:
        print(f"ok clients: {name} # skip {one_line(str(e))}", flush=True)
        return True
    except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
        print(f"not ok clients: {name}", flush=True)
        where = traceback.extract_tb(e.__traceback__)[1]
        print(f"# line {where.lineno}: " + str(e).replace("\n", "\n# "), flush=True)
        return False
    finally:
        for p in [p for p in rig.processes if p not in before]:
            rig.finish(p)
        rig.env = env


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    client_rig.enter(sys.argv)
    program = os.path.abspath(sys.argv[1])
    if "there is no command" in run([program, "serve", "--help"], check=False)[1]:
        print("# this cocket has no gate")
        sys.exit(client_rig.NOT_THERE)
    wanted = [t for t in TESTS if len(sys.argv) == 2 or t.__name__ in sys.argv[2:]]
    try:
        rig = Rig(program)
    except Skip as e:
        print(f"# {e}")
        sys.exit(client_rig.NOT_THERE)
    failed = 0
    gate = None
    try:
        for name in ("up/lib", "hub/library"):
            for what in ("allowed", "denied"):
                rig.push(f"{name}/{what}", f"{name} {what}")
        gate = Gate(rig, "--anonymous-pull")
        for test in wanted:
            failed += not one(test, rig, gate)
        if failed:
            print("# the gate said: " + gate.said().replace("\n", "\n# "))
    finally:
        if gate:
            gate.stop()
        rig.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
