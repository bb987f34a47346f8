/* Each trap alone: settings as cocket writes them, one thing changed, and the way must be named. */
#include "base/unit.h"
#include "base/file.h"
#include "base/text.h"
#include "lockdown/parts.h"

#include <sys/stat.h>
#include <unistd.h>

static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
static const char *const upstreams[] = { "docker.io", "quay.io" };

struct machine {
    char root[64];
    struct ck_place place;
    struct ck_lockdown o;
};

static int make_machine(void **state)
{
    struct machine *m = ck_new(struct machine);
    snprintf(m->root, sizeof m->root, "/tmp/cocket-lockdown-XXXXXX");
    if (!mkdtemp(m->root))
        return -1;
    assert_ok(ck_place_open(m->root, &m->place));
    m->o = (struct ck_lockdown){ .gate = { .host = "gate.example:5443", .ca = ck_view_str(pem) },
                                 .registries = upstreams, .n_registries = 2, .place = &m->place,
                                 .program = "/usr/bin/cocket" };
    *state = m;
    return 0;
}

static int drop_machine(void **state)
{
    struct machine *m = *state;
    ck_autofree char *command = ck_format("rm -r '%s'", m->root);
    ck_place_close(&m->place);
    int rc = system(command);
    free(m);
    return rc;
}

static void put(const struct machine *m, const char *path, const char *text)
{
    assert_ok(ck_place_write(&m->place, path, ck_view_str(text), 0644));
}

/* A file with `from` replaced by `to`; it must hold `from`. */
static void change(const struct machine *m, const char *path, const char *from, const char *to)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = CK_V("");
    bool there;
    assert_ok(ck_place_read(&m->place, path, &a, &v, &there));
    assert_true(there);
    const char *text = (const char *)v.p, *at = strstr(text, from);
    assert_non_null(at);
    put(m, path, ck_arena_format(&a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)));
}

static ck_err *set(const struct machine *m, enum ck_runtime r, struct ck_buf *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autosettings struct ck_settings s = { .a = &a, .o = &m->o };
    CK_TRY(ck_lockdown_settings(r, &s));
    return ck_settings_write(&s, out);
}

static void lock(const struct machine *m, enum ck_runtime r)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(set(m, r, &out));
}

static size_t look(const struct machine *m, enum ck_runtime r, struct ck_buf *out)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autoways struct ck_ways w = { .a = &a, .o = &m->o };
    ck_lockdown_check(r, &w);
    ck_ways_print(&w, out);
    ck_put_u8(out, 0);
    return w.n_open;
}

static void expect_closed(const struct machine *m, enum ck_runtime r)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (look(m, r, &out) != 0)
        print_error("%s\n", (const char *)out.p);
    assert_int_equal(look(m, r, &out), 0);
}

static void expect_open(const struct machine *m, enum ck_runtime r, const char *part)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    size_t n = look(m, r, &out);
    const char *line = strstr((const char *)out.p, part);
    if (!line)
        print_error("not said: %s\nin: %s\n", part, (const char *)out.p);
    assert_non_null(line);
    assert_true(n > 0);
    while (line > (const char *)out.p && line[-1] != '\n')
        line--;
    assert_memory_equal(line, "OPEN ", 5);
}

static const enum ck_runtime all[] = { CK_RUNTIME_DOCKER, CK_RUNTIME_PODMAN,
                                       CK_RUNTIME_CONTAINERD, CK_RUNTIME_CRIO,
                                       CK_RUNTIME_KUBERNETES };

static void what_is_written_is_closed_and_stays_as_it_is(void **state)
{
    const struct machine *m = *state;
    for (size_t i = 0; i < 5; i++) {
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
        lock(m, all[i]);
        expect_closed(m, all[i]);
        assert_ok(set(m, all[i], &out));
        ck_put_u8(&out, 0);
        assert_null(strstr((const char *)out.p, "written"));
    }
}

struct trap {
    enum ck_runtime runtime;
    const char *file, *from, *to; /* from NULL: the file becomes `to`; to NULL: it goes */
    const char *said;
};

static const struct trap traps[] = {
#define DROP_IN "/etc/containers/registries.conf.d/zz-cocket.conf"
#define POLICY "/etc/containers/policy.json"
    { CK_RUNTIME_PODMAN, DROP_IN, "location = \"gate.example:5443/docker.io\"",
      "location = \"docker.io\"\n[[registry.mirror]]\nlocation = \"gate.example:5443/docker.io\"",
      DROP_IN ":9: the gate is a mirror only: docker.io is asked after any error" },
    { CK_RUNTIME_PODMAN, DROP_IN, NULL, "short-name-mode = \"enforcing\"\n",
      "docker.io is asked directly" },
    { CK_RUNTIME_PODMAN, DROP_IN, "[\"gate.example:5443\"]", "[\"gate.example:5443\", "
      "\"localhost:1\"]",
      DROP_IN ":3: short names are looked for at localhost:1" },
    { CK_RUNTIME_PODMAN, DROP_IN, "\"enforcing\"", "\"permissive\"",
      DROP_IN ":2: short-name-mode is not" },
    { CK_RUNTIME_PODMAN, DROP_IN, "prefix = \"*.com\"\nblocked = true", "prefix = \"*.com\"",
      "*.com is asked at" },
    { CK_RUNTIME_PODMAN, "/etc/containers/registries.conf.d/zzz.conf", NULL,
      "[[registry]]\nprefix = \"docker.io/library\"\nlocation = \"docker.io/library\"\n",
      "zzz.conf:1: docker.io/library is asked at docker.io/library" },
    { CK_RUNTIME_PODMAN, DROP_IN, "/docker.io\"", "/docker.io\"\ninsecure = true", "insecure:" },
    { CK_RUNTIME_PODMAN, DROP_IN, "[[registry]]", "[[registry", "cannot be judged" },
    { CK_RUNTIME_PODMAN, POLICY, "\"reject\"", "\"insecureAcceptAnything\"", POLICY ": default" },
    { CK_RUNTIME_PODMAN, POLICY, NULL, NULL, POLICY ": default" },
    { CK_RUNTIME_PODMAN, POLICY, "\"docker\": {",
      "\"docker\": { \"evil.org/x\": [{\"type\":\"insecureAcceptAnything\"}],",
      "transports.docker.\"evil.org/x\": evil.org/x is not rejected" },
    { CK_RUNTIME_PODMAN, POLICY, "\"transports\": {",
      "\"transports\": { \"oci-archive\": {\"\": [{\"type\":\"insecureAcceptAnything\"}]},",
      "oci-archive comes in without the gate" },
    { CK_RUNTIME_PODMAN, "/home/eve/.config/containers/registries.conf", NULL, "",
      "/home/eve/.config/containers/registries.conf: counts instead" },
    { CK_RUNTIME_PODMAN, "/root/.config/containers/policy.json", NULL, "{}", "counts instead" },
    { CK_RUNTIME_PODMAN, "/home/eve/.config/containers/registries.conf.d/x.conf", NULL, "",
      "is read after the system's" },
    { CK_RUNTIME_PODMAN, "/etc/environment", NULL, "A=1\nCONTAINERS_REGISTRIES_CONF=/x\n",
      "/etc/environment:2:" },
    { CK_RUNTIME_CRIO, "/etc/crio/policies/apps.json", NULL,
      "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}", "policies/apps.json: default" },
    { CK_RUNTIME_CRIO, "/etc/crio/crio.conf.d/zz-cocket.conf", "[]", "[\"r.example\"]",
      "r.example is asked without verification" },
    { CK_RUNTIME_CRIO, "/etc/crio/crio.conf.d/zzz", NULL,
      "[crio.image]\nsignature_policy = \"/etc/own.json\"\n", "/etc/own.json: default" },
#define HOSTS "/etc/containerd/certs.d/_default/hosts.toml"
#define CONFIG "/etc/containerd/config.toml"
#define BIN "/opt/containerd/image-verifier/bin"
    { CK_RUNTIME_CONTAINERD, HOSTS, NULL, "server = \"https://gate.example:5443\"\n",
      HOSTS ":1: no [host]: containerd 1.6 cannot read" },
    { CK_RUNTIME_CONTAINERD, HOSTS, NULL, "[host.\"https://gate.example:5443\"]\n",
      HOSTS ":1: no \"server\": the registry itself is asked after any error" },
    { CK_RUNTIME_CONTAINERD, HOSTS, "https://gate", "https://evil", "\"server\" is not the gate" },
    { CK_RUNTIME_CONTAINERD, HOSTS, "capabilities", "[host.\"https://x\"]\ncapabilities",
      "[host.\"https://x\"] is asked before the gate" },
    { CK_RUNTIME_CONTAINERD, HOSTS, "capabilities", "skip_verify = true\ncapabilities",
      "skip_verify" },
    { CK_RUNTIME_CONTAINERD, HOSTS, NULL, NULL, HOSTS ": is not there" },
    { CK_RUNTIME_CONTAINERD, "/etc/containerd/certs.d/quay.io/hosts.toml", NULL,
      "server = \"https://quay.io\"\n", "quay.io/hosts.toml:1: \"server\" is not the gate" },
    { CK_RUNTIME_CONTAINERD, "/etc/containerd/certs.d/quay.io/ca.crt", NULL, "x",
      "certs.d/quay.io: a directory without hosts.toml" },
    { CK_RUNTIME_CONTAINERD, CONFIG, "  config_path = \"/etc/containerd/certs.d\"\n", "",
      "config_path is not set" },
    { CK_RUNTIME_CONTAINERD, CONFIG, "version = 2", "version = 2\ndisabled_plugins = "
      "[\"io.containerd.image-verifier.v1.bindir\"]", "image verifiers are disabled" },
    { CK_RUNTIME_CONTAINERD, CONFIG, NULL, NULL, CONFIG ": is not there" },
    { CK_RUNTIME_CONTAINERD, BIN "/00-cocket", NULL, NULL, "is empty: everything is let through" },
    { CK_RUNTIME_CONTAINERD, CONFIG, "bin_dir = \"/opt", "bin_dir = \"/nowhere/opt",
      "is not there: everything is let through" },
    { CK_RUNTIME_CONTAINERD, CONFIG, "bin_dir", "max_verifiers = 0\nbin_dir",
      "is not run: only the first 0 of 1" },
    { CK_RUNTIME_CONTAINERD, "/etc/buildkit/buildkitd.toml", NULL, "", "buildkit asks" },
#define DAEMON "/etc/docker/daemon.json"
    { CK_RUNTIME_DOCKER, DAEMON, "\"cocket\"", "\"other\"", "docker load" },
    { CK_RUNTIME_DOCKER, DAEMON, "\"cocket\"", "\"other\"", "Docker asks Hub after any error" },
    { CK_RUNTIME_DOCKER, DAEMON, "https://gate.example:5443", "https://other",
      "another mirror than the gate" },
    { CK_RUNTIME_DOCKER, DAEMON, NULL, "{}", "docker.io is asked directly" },
    { CK_RUNTIME_DOCKER, DAEMON, "{", "{ \"insecure-registries\": [\"r.example\"],",
      "\"r.example\" is asked without" },
    { CK_RUNTIME_DOCKER, DAEMON, "{", "{{", "cannot be judged" },
    { CK_RUNTIME_DOCKER, "/etc/docker/certs.d/quay.io/hosts.toml", NULL,
      "[host.\"https://gate.example:5443\"]\n", "quay.io/hosts.toml:1: no \"server\"" },
    { CK_RUNTIME_DOCKER, "/etc/docker/certs.d/quay.io/hosts.toml", NULL, NULL,
      "quay.io/hosts.toml: is not there" },
    { CK_RUNTIME_DOCKER, "/home/eve/.config/docker/daemon.json", NULL, "{}", "of his own" },
    { CK_RUNTIME_DOCKER, "/etc/default/docker", NULL, "#\nDOCKER_OPTS=--insecure-registry=x\n",
      "/etc/default/docker:2: --insecure-registry" },
#define API "/etc/kubernetes/manifests/kube-apiserver.yaml"
    { CK_RUNTIME_KUBERNETES, API, NULL, "    - --enable-admission-plugins=NodeRestriction\n",
      API ":1: ImagePolicyWebhook is not enabled" },
    { CK_RUNTIME_KUBERNETES, API, NULL,
      "    - --enable-admission-plugins=ImagePolicyWebhook\n", "AlwaysPullImages is not enabled" },
    { CK_RUNTIME_KUBERNETES, API, NULL, "- --enable-admission-plugins=ImagePolicyWebhook\n",
      "no --admission-control-config-file" },
    { CK_RUNTIME_KUBERNETES, "/etc/rancher/k3s/registries.yaml", NULL, "", "k3s asks" },
};

static void spring(const struct machine *m, const struct trap *t)
{
    if (t->from) {
        change(m, t->file, t->from, t->to);
    } else if (t->to) {
        put(m, t->file, t->to);
    } else {
        ck_autofree char *path = ck_format("%s%s", m->root, t->file);
        assert_int_equal(unlink(path), 0);
    }
}

static void each_trap_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        void *own = NULL;
        assert_int_equal(make_machine(&own), 0);
        lock(own, traps[i].runtime);
        expect_closed(own, traps[i].runtime);
        spring(own, &traps[i]);
        expect_open(own, traps[i].runtime, traps[i].said);
        assert_int_equal(drop_machine(&own), 0);
    }
}

static void the_tenth_verifier_is_run_and_the_eleventh_is_not(void **state)
{
    const struct machine *m = *state;
    ck_autoarena struct ck_arena a = { 0 };
    lock(m, CK_RUNTIME_CONTAINERD);
    for (unsigned i = 0; i < 9; i++)
        put(m, ck_arena_format(&a, BIN "/00-a%u", i), "#!/bin/sh\n");
    expect_closed(m, CK_RUNTIME_CONTAINERD);
    put(m, BIN "/00-a9", "#!/bin/sh\n");
    expect_open(m, CK_RUNTIME_CONTAINERD, BIN "/00-cocket: is not run: only the first 10 of 11");
}

static void the_api_servers_admission_file_is_read(void **state)
{
    const struct machine *m = *state;
    lock(m, CK_RUNTIME_KUBERNETES);
    put(m, API, "- --enable-admission-plugins=ImagePolicyWebhook,AlwaysPullImages\n"
                "- --admission-control-config-file=/etc/kubernetes/cocket/admission.yaml\n");
    expect_closed(m, CK_RUNTIME_KUBERNETES);
    change(m, "/etc/kubernetes/cocket/admission.yaml", "false", "true");
    expect_open(m, CK_RUNTIME_KUBERNETES, "admission.yaml:12: defaultAllow is not false");
}

/* --- writing ---------------------------------------------------------------------------------- */

static void expect_file(const struct machine *m, const char *path, const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = CK_V("");
    bool there = false;
    assert_ok(ck_place_read(&m->place, path, &a, &v, &there));
    assert_true(there);
    assert_view(v, text);
}

static void what_was_there_is_kept(void **state)
{
    const struct machine *m = *state;
    put(m, POLICY, "{\"default\":[]}");
    put(m, POLICY ".cocket-backup-1", "older");
    lock(m, CK_RUNTIME_PODMAN);
    expect_file(m, POLICY ".cocket-backup-1", "older");
    expect_file(m, POLICY ".cocket-backup-2", "{\"default\":[]}");
}

static void other_settings_stay(void **state)
{
    const struct machine *m = *state;
    put(m, DAEMON, "{\"storage-driver\":\"vfs\",\"authorization-plugins\":[\"own\"]}");
    lock(m, CK_RUNTIME_DOCKER);
    expect_file(m, DAEMON, "{\n    \"storage-driver\": \"vfs\",\n"
                           "    \"authorization-plugins\": [\n        \"own\",\n"
                           "        \"cocket\"\n"
                           "    ],\n    \"registry-mirrors\": [\n"
                           "        \"https://gate.example:5443\"\n    ]\n}\n");
}

/* What runs every file of a directory must not find a copy there. */
static void no_copy_lies_where_it_would_be_run(void **state)
{
    const struct machine *m = *state;
    struct stat st;
    put(m, BIN "/00-cocket", "#!/bin/false\n");
    lock(m, CK_RUNTIME_CONTAINERD);
    assert_false(ck_place_stat(&m->place, BIN "/00-cocket.cocket-backup-1", &st));
    expect_file(m, "/etc/cocket/00-cocket.cocket-backup-1", "#!/bin/false\n");
    assert_true(ck_place_stat(&m->place, BIN "/00-cocket", &st));
    assert_int_equal(st.st_mode & 0777, 0755);
}

static void refuse_to_set(struct machine *m, enum ck_runtime r, const char *path,
                          const char *text, const char *why)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    put(m, path, text);
    assert_fails(set(m, r, &out), CK_ERR_USAGE, why);
    expect_file(m, path, text);
    m->o.replace = true;
    assert_ok(set(m, r, &out));
    m->o.replace = false;
    expect_closed(m, r);
}

static void what_is_not_understood_is_refused(void **state)
{
    struct machine *m = *state;
    refuse_to_set(m, CK_RUNTIME_DOCKER, DAEMON, "{ // comment\n}", "--replace");
    refuse_to_set(m, CK_RUNTIME_CONTAINERD, CONFIG, "version = 1\n", "version 1");
}

static void files_of_others_are_refused(void **state)
{
    struct machine *m = *state;
    refuse_to_set(m, CK_RUNTIME_CONTAINERD, CONFIG,
                  "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"d\"]\n",
                  CONFIG ":2: containerd does not start");
    refuse_to_set(m, CK_RUNTIME_PODMAN, POLICY,
                  "{\"default\":[{\"type\":\"signedBy\"}]}", "demands signatures");
}

/* Version 3 has its settings elsewhere. */
static void version_three_is_known(void **state)
{
    const struct machine *m = *state;
    put(m, CONFIG, "version = 3\n");
    lock(m, CK_RUNTIME_CONTAINERD);
    expect_closed(m, CK_RUNTIME_CONTAINERD);
    change(m, CONFIG, "io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri");
    expect_open(m, CK_RUNTIME_CONTAINERD, "config_path is not set");
}

/* Links lead nowhere out of the root, and are not written through. */
static void links_do_not_lead_out(void **state)
{
    const struct machine *m = *state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_view v = CK_V("");
    bool there;
    put(m, "/etc/x", "");
    assert_int_equal(symlinkat("/etc/passwd", m->place.fd, "etc/passwd-link"), 0);
    assert_ok(ck_place_read(&m->place, "/etc/passwd-link", &a, &v, &there));
    assert_false(there);
    assert_int_equal(mkdirat(m->place.fd, "etc/containers", 0755), 0);
    assert_int_equal(symlinkat("/etc/x", m->place.fd, "etc/containers/policy.json"), 0);
    assert_fails(set(m, CK_RUNTIME_PODMAN, &out), CK_ERR_USAGE, "it is a link");
}

/* --- the gate's name -------------------------------------------------------------------------- */

static void gates_are_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* host NULL: refused */
    } cases[] = {
        { "gate.example", "gate.example" },
        { "https://gate.example:5443/", "gate.example:5443" },
        { "http://127.0.0.1:5000", "127.0.0.1:5000" },
        { "http://[::1]:5000", "[::1]:5000" },
        { "http://localhost:5000", "localhost:5000" },
        { "http://gate.example", NULL },
        { "http://127.evil.example", NULL },
        { "http://1270.0.0.1", NULL },
        { "", NULL },
        { "a/b", NULL },
        { "a\"b", NULL },
        { "user@gate", NULL },
        { "gate\nx", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_gate g = { 0 };
        ck_autoerr ck_err *e = ck_gate_parse(cases[i].text, &a, &g);
        assert_int_equal(!e, cases[i].host != NULL);
        if (cases[i].host)
            assert_string_equal(g.host, cases[i].host);
    }
}

static void places_at_the_gate(void **state)
{
    (void)state;
    const struct ck_gate g = { .host = "g.example:1" };
    assert_true(ck_is_at_gate(&g, CK_V("g.example:1")));
    assert_true(ck_is_at_gate(&g, CK_V("g.example:1/x")));
    assert_false(ck_is_at_gate(&g, CK_V("g.example:12/x")));
    assert_false(ck_is_at_gate(&g, CK_V("g.example")));
    assert_true(ck_is_gate_url(&g, CK_V("https://g.example:1")));
    assert_false(ck_is_gate_url(&g, CK_V("http://g.example:1")));
    assert_false(ck_is_gate_url(&g, CK_V("https://g.example:1.evil")));
}

static void diffs_show_what_changes(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_diff("/x", CK_V("1\n2\n3\n4\n5\n6\n7\n8\n"), CK_V("1\n2\n3\n4\nnew\n6\n7\n8\n"), &out);
    assert_view(ck_buf_view(&out), "--- /x\n+++ /x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+new\n 6\n 7\n"
                                   " 8\n");
    ck_buf_clear(&out);
    ck_diff("/x", CK_V(""), CK_V("a\n"), &out);
    assert_view(ck_buf_view(&out), "--- /x\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n");
    ck_buf_clear(&out);
    ck_diff("/x", CK_V("a\na\n"), CK_V("a\n"), &out);
    assert_view(ck_buf_view(&out), "--- /x\n+++ /x\n@@ -1,2 +1,1 @@\n a\n-a\n");
    ck_buf_clear(&out);
    ck_diff("/x", CK_V("a"), CK_V("a"), &out);
    assert_view(ck_buf_view(&out), "");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, make_machine, drop_machine)
    const struct CMUnitTest tests[] = {
        WITH(what_is_written_is_closed_and_stays_as_it_is),
        cmocka_unit_test(each_trap_is_named),
        WITH(the_tenth_verifier_is_run_and_the_eleventh_is_not),
        WITH(the_api_servers_admission_file_is_read),
        WITH(what_was_there_is_kept),
        WITH(other_settings_stay),
        WITH(no_copy_lies_where_it_would_be_run),
        WITH(what_is_not_understood_is_refused),
        WITH(files_of_others_are_refused),
        WITH(version_three_is_known),
        WITH(links_do_not_lead_out),
        cmocka_unit_test(gates_are_hosts),
        cmocka_unit_test(places_at_the_gate),
        cmocka_unit_test(diffs_show_what_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
