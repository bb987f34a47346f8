#include "base/unit.h"
#include "base/file.h"
#include "base/mem.h"
#include "registry/config_parts.h"

#include <sys/stat.h>
#include <unistd.h>

/* "user:password", "token:TOKEN", or "none" for a repository, by these files. */
static ck_err *ask(const char *const *files, const char *host, const char *path, struct ck_buf *b)
{
    struct ck_registry_config c = { 0 };
    struct ck_endpoint e = { 0 };
    ck_autoarena struct ck_arena a = { 0 };
    ck_err *err = NULL;
    for (; *files && !err; files++)
        err = ck_auth_file_read(&c, "auth.json", ck_view_str(*files));
    const char *repository = ck_arena_format(&a, "%s/%s", host, path);
    if (!err)
        err = ck_credentials_find(&c, ck_view_str(host), ck_view_str(repository), &a, &e);
    ck_arena_free(&c.a);
    if (err)
        return err;
    if (e.identity_token)
        ck_buf_format(b, "token:%s", e.identity_token);
    else if (e.username)
        ck_buf_format(b, "%s:%s", e.username, e.password);
    else
        ck_buf_format(b, "none");
    return NULL;
}

static void expect(const char *file, const char *host, const char *path, const char *who)
{
    const char *const files[] = { file, NULL };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ask(files, host, path, &b));
    assert_view(ck_buf_view(&b), who);
}

static void refuse(const char *file, const char *why)
{
    const char *const files[] = { file, NULL };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ask(files, "r.org", "x", &b);
    assert_non_null(e);
    assert_null(strstr(ck_err_text(e), "SECRET"));
    assert_fails(e, CK_ERR_USAGE, why);
}

/* dTpw is "u:p", YTpi "a:b", bjpz "n:s", aDpo "h:h" */
#define AUTH(key, auth) "\"" key "\":{\"auth\":\"" auth "\"}"
#define AUTHS(entries) "{\"auths\":{" entries "}}"

static void the_most_specific_entry_counts(void **state)
{
    (void)state;
    static const char file[] = AUTHS(AUTH("r.org", "aDpo") "," AUTH("r.org/n/s", "bjpz") ","
                                     AUTH("r.org/n", "YTpi") "," AUTH("x.org:5000", "dTpw"));
    static const char *const cases[][3] = {
        { "r.org", "x", "h:h" },      { "r.org", "n", "a:b" },       { "r.org", "n/x", "a:b" },
        { "r.org", "n/s", "n:s" },    { "r.org", "n/s/x/y", "n:s" }, { "r.org", "n/st", "a:b" },
        { "r.org", "nn/x", "h:h" },   { "q.org", "n", "none" },      { "x.org:5000", "x", "u:p" },
        { "x.org", "x", "none" },     { "r.org:443", "x", "none" },  { "xr.org", "x", "none" },
        { "r.orgx", "x", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(file, cases[i][0], cases[i][1], cases[i][2]);
}

static void old_spellings_of_hosts_count(void **state)
{
    (void)state;
    expect(AUTHS(AUTH("https://r.org/v1/", "dTpw")), "r.org", "x", "u:p");
    expect(AUTHS(AUTH("http://r.org", "dTpw")), "r.org", "x", "u:p");
    expect(AUTHS(AUTH("https://r.org/v1/", "dTpw")), "r.orgx", "x", "none");
    static const char *const hub[] = {
        AUTHS(AUTH("https://index.docker.io/v1/", "dTpw")), AUTHS(AUTH("docker.io", "dTpw")),
        AUTHS(AUTH("index.docker.io", "dTpw")), AUTHS(AUTH("registry-1.docker.io", "dTpw")),
        AUTHS(AUTH("docker.io/library", "dTpw")),
    };
    for (size_t i = 0; i < sizeof hub / sizeof hub[0]; i++)
        expect(hub[i], "docker.io", "library/alpine", "u:p");
    /* the exact one first, wherever it stands */
    expect(AUTHS(AUTH("https://index.docker.io/v1/", "YTpi") "," AUTH("docker.io", "dTpw")),
           "docker.io", "library/x", "u:p");
}

static void secrets_are_decoded(void **state)
{
    (void)state;
    expect(AUTHS(AUTH("r.org", "dXNlcjpwYTpzcyB3w7ZyZA==")), "r.org", "x",
           "user:pa:ss w\xC3\xB6rd");
    expect(AUTHS(AUTH("r.org", "dTo=")), "r.org", "x", "u:");
    expect(AUTHS(AUTH("r.org", "dTpwAAA=")), "r.org", "x", "u:p"); /* NULs at the end */
    expect(AUTHS(AUTH("r.org", "dXA=")), "r.org", "x", "none");    /* no colon: as docker */
    expect(AUTHS(AUTH("r.org", "")), "r.org", "x", "none");
    expect(AUTHS("\"r.org\":{}"), "r.org", "x", "none");
    expect(AUTHS("\"r.org\":null"), "r.org", "x", "none");
    expect(AUTHS("\"r.org\":{\"username\":\"a\",\"password\":\"b\"}"), "r.org", "x", "a:b");
    expect(AUTHS("\"r.org\":{\"auth\":\"dTpw\",\"username\":\"a\",\"password\":\"b\"}"), "r.org",
           "x", "u:p");
    expect(AUTHS("\"r.org\":{\"username\":\"a\"}"), "r.org", "x", "none");
    expect(AUTHS("\"r.org\":{\"identitytoken\":\"t\"}"), "r.org", "x", "token:t");
    expect(AUTHS("\"r.org\":{\"auth\":\"dTpw\",\"identitytoken\":\"t\"}"), "r.org", "x", "token:t");
    expect("{}", "r.org", "x", "none");
    expect("{\"auths\":null,\"HttpHeaders\":{\"a\":1}}", "r.org", "x", "none");
}

static void the_first_file_that_knows_counts(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const char *const files[] = { AUTHS(AUTH("q.org", "YTpi") ",\"s.org\":{}"),
                                  AUTHS(AUTH("r.org", "dTpw") "," AUTH("s.org", "bjpz")),
                                  AUTHS(AUTH("r.org", "aDpo")), NULL };
    assert_ok(ask(files, "r.org", "x", &b));
    assert_ok(ask(files, "s.org", "x", &b));
    assert_view(ck_buf_view(&b), "u:pn:s");
}

static void broken_files_are_refused_without_their_secrets(void **state)
{
    (void)state;
    refuse("{\"auths\":{\"r.org\":{\"auth\":SECRET}}}", "auth.json: no valid JSON");
    refuse("{\"auths\":{\"r.org\":{\"auth\":\"SECRET\"", "auth.json: no valid JSON");
    refuse(AUTHS(AUTH("r.org", "SECRET!=")), "auth.json: auths.r.org.auth: no base64");
    refuse(AUTHS(AUTH("r.org", "SECRET")), "auth.json: auths.r.org.auth: no base64");
    refuse(AUTHS(AUTH("r.org", "dTpw====")), "no base64");
    refuse(AUTHS(AUTH("r.org", "dT=w")), "no base64");
    refuse(AUTHS(AUTH("r.org", "dTpwAHg=")), "a NUL in it");
    refuse(AUTHS("\"r.org\":{\"auth\":7}"), "auths.r.org.auth: must be a string");
    refuse(AUTHS("\"r.org\":\"SECRET\""), "auths.r.org: must be an object");
    refuse("{\"auths\":[]}", "auths: must be an object");
    refuse("{\"credHelpers\":{\"r.org\":7}}", "credHelpers.r.org: must be a string");
    refuse("{\"credsStore\":7}", "credsStore: must be a string");
    refuse("[]", "must be an object");
    refuse("", "no valid JSON");
}

static void attack_two_entries_for_one_host(void **state)
{
    (void)state;
    refuse(AUTHS(AUTH("r.org", "dTpw") "," AUTH("r.org", "YTpi")), "a key that stands twice");
    refuse(AUTHS("\"r.org\":{\"auth\":\"dTpw\",\"Auth\":\"YTpi\"}"), "only in case");
    refuse("{\"Auths\":{}}", "in another case");
}

/* --- helpers ---------------------------------------------------------------------------------- */

struct bin {
    char dir[64];
    char *path;
};

static int make_bin(void **state)
{
    struct bin *b = ck_new(struct bin);
    snprintf(b->dir, sizeof b->dir, "/tmp/cocket-auth-XXXXXX");
    if (!mkdtemp(b->dir))
        return -1;
    b->path = ck_format("%s", getenv("PATH"));
    ck_autofree char *path = ck_format("%s:%s", b->dir, b->path);
    setenv("PATH", path, 1);
    *state = b;
    return 0;
}

static int drop_bin(void **state)
{
    struct bin *b = *state;
    ck_autofree char *command = ck_format("rm -r '%s'", b->dir);
    setenv("PATH", b->path, 1);
    int rc = system(command);
    free(b->path);
    free(b);
    return rc;
}

static void helper(const struct bin *b, const char *name, const char *script)
{
    ck_autofree char *path = ck_format("%s/docker-credential-%s", b->dir, name);
    ck_autofree char *text = ck_format("#!/bin/sh\n%s\n", script);
    assert_ok(ck_file_write(path, ck_view_str(text), 0));
    assert_int_equal(chmod(path, 0700), 0);
}

/* Answers with its argument and input as user and password. */
#define ECHO \
    "printf '{\"ServerURL\":\"x\",\"Username\":\"%s\",\"Secret\":\"%s\"}' \"$1\" \"$(cat)\""

static void helpers_are_asked(void **state)
{
    helper(*state, "echo", ECHO);
    helper(*state, "tok", "echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}'");
    helper(*state, "none", "echo 'credentials not found in native keychain'; exit 1");
    static const char one[] = "{\"credHelpers\":{\"r.org\":\"echo\",\"t.org\":\"tok\","
                              "\"n.org\":\"none\"},\"auths\":{" AUTH("r.org", "dTpw") ","
                              AUTH("n.org", "dTpw") "}}";
    expect(one, "r.org", "x", "get:r.org");
    expect(one, "t.org", "x", "token:s");
    expect(one, "n.org", "x", "none"); /* as podman: the entry beside it is not for this host */
    expect(one, "q.org", "x", "none");
    expect("{\"credHelpers\":{\"https://index.docker.io/v1/\":\"echo\"}}", "docker.io", "a/x",
           "get:https://index.docker.io/v1/");
    expect("{\"credHelpers\":{\"docker.io\":\"echo\"}}", "docker.io", "a/x", "get:docker.io");
}

static void a_store_is_asked_for_what_has_no_entry(void **state)
{
    helper(*state, "echo", ECHO);
    static const char file[] =
        "{\"credsStore\":\"echo\",\"auths\":{\"e.org\":{}," AUTH("r.org", "dTpw") "}}";
    expect(file, "e.org", "x", "get:e.org");
    expect(file, "r.org", "x", "u:p");
    expect(file, "q.org:5000", "x", "get:q.org:5000");
    expect(file, "docker.io", "library/x", "get:https://index.docker.io/v1/");
}

static void helpers_of_registries_conf_are_asked_in_order(void **state)
{
    helper(*state, "echo", ECHO);
    helper(*state, "none", "echo 'credentials not found'; exit 1");
    static const char *const cases[][2] = {
        { "credential-helpers=['none','echo']", "get:r.org" },
        { "credential-helpers=['none','containers-auth.json','echo']", "u:p" },
        { "credential-helpers=['none']", "none" },
        { "credential-helpers=[]", "u:p" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_registry_config c = { 0 };
        struct ck_endpoint e = { 0 };
        assert_ok(ck_registries_conf_read(&c, "x.conf", ck_view_str(cases[i][0])));
        assert_ok(ck_auth_file_read(&c, "auth.json", CK_V(AUTHS(AUTH("r.org", "dTpw")))));
        assert_ok(ck_credentials_find(&c, CK_V("r.org"), CK_V("r.org/x"), &a, &e));
        ck_autofree char *got = e.username ? ck_format("%s:%s", e.username, e.password)
                                           : ck_format("none");
        assert_string_equal(got, cases[i][1]);
        ck_arena_free(&c.a);
    }
}

static void attack_helper_with_a_path(void **state)
{
    helper(*state, "echo", ECHO);
    static const char *const names[] = { "", "../echo", "/bin/sh", "x y", "x;y", "$(x)", "\\u00e4",
                                         "echo\\n" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_autofree char *file = ck_format("{\"credHelpers\":{\"r.org\":\"%s\"}}", names[i]);
        refuse(file, "is no name of a credential helper");
    }
    refuse("{\"credHelpers\":{\"r.org\":\"cocket-none\"}}",
           "auth.json: there is no program docker-credential-cocket-none in PATH");
}

static void fails(const char *name, enum ck_err_class cls, const char *why)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *file = ck_format("{\"credHelpers\":{\"r.org\":\"%s\"}}", name);
    const char *const files[] = { file, NULL };
    assert_fails(ask(files, "r.org", "x", &b), cls, why);
}

static void helpers_that_fail_say_why(void **state)
{
    helper(*state, "locked", "echo 'the keyring is locked' >&2; exit 2");
    helper(*state, "stdout", "echo 'no such thing'; exit 1");
    helper(*state, "html", "echo '<SECRET>'");
    helper(*state, "empty", "echo '{\"Username\":\"x\"}'");
    helper(*state, "twice", "echo '{\"Username\":\"x\",\"Secret\":\"a\",\"secret\":\"b\"}'");
    helper(*state, "endless", "yes");
    fails("locked", CK_ERR_UNAVAILABLE,
          "docker-credential-locked get: exit status 2: the keyring is locked");
    fails("stdout", CK_ERR_UNAVAILABLE, "exit status 1: no such thing");
    fails("html", CK_ERR_UNAVAILABLE, "docker-credential-html: its answer is no valid JSON");
    fails("empty", CK_ERR_UNAVAILABLE, "no secret in its answer");
    fails("twice", CK_ERR_UNAVAILABLE, "only in case");
    fails("endless", CK_ERR_LIMIT, "limit HELPER_OUTPUT");
}

#define WITH_BIN(f) cmocka_unit_test_setup_teardown(f, make_bin, drop_bin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_entry_counts),
        cmocka_unit_test(old_spellings_of_hosts_count),
        cmocka_unit_test(secrets_are_decoded),
        cmocka_unit_test(the_first_file_that_knows_counts),
        cmocka_unit_test(broken_files_are_refused_without_their_secrets),
        cmocka_unit_test(attack_two_entries_for_one_host),
        WITH_BIN(helpers_are_asked),
        WITH_BIN(a_store_is_asked_for_what_has_no_entry),
        WITH_BIN(helpers_of_registries_conf_are_asked_in_order),
        WITH_BIN(attack_helper_with_a_path),
        WITH_BIN(helpers_that_fail_say_why),
    };
    return cmocka_run_group_tests_name("registry auth", tests, NULL, NULL);
}
