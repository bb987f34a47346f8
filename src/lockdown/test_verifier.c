#include "base/unit.h"
#include "base/text.h"
#include "lockdown/verifier.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define D "sha256:" HEX
#define OTHER "sha256:a3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DESCRIPTOR "application/vnd.oci.descriptor.v1+json"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"

static const char good[] = "{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" D "\",\"size\":528}";

static ck_err *question(const char *name, const char *digest, const char *type, const char *json,
                        struct ck_arena *a, const char **ret_url)
{
    struct ck_verifier_question q;
    CK_TRY(ck_verifier_question_read(name, digest, type, ck_view_str(json), a, &q));
    *ret_url = ck_verifier_url("https://g:5443/", &q, a);
    return NULL;
}

static void the_gate_is_asked_about_the_digest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "docker.io/library/alpine:3.20",
          "https://g:5443/verdict?image=docker.io%2Flibrary%2Falpine%3A3.20%40sha256%3A" HEX },
        { "docker.io/library/alpine@" D,
          "https://g:5443/verdict?image=docker.io%2Flibrary%2Falpine%40sha256%3A" HEX },
        { "localhost:5000/a_b/c~d", NULL },
        { "quay.io/x/y", "https://g:5443/verdict?image=quay.io%2Fx%2Fy%3Alatest%40sha256%3A" HEX },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        const char *url = NULL;
        ck_autoerr ck_err *e = question(cases[i][0], D, DESCRIPTOR, good, &a, &url);
        assert_int_equal(!e, cases[i][1] != NULL);
        if (cases[i][1])
            assert_string_equal(url, cases[i][1]);
    }
}

static void what_is_doubtful_is_no_question(void **state)
{
    (void)state;
    static const struct {
        const char *name, *digest, *type, *json, *why;
        enum ck_err_class cls;
    } cases[] = {
        { "a b", D, DESCRIPTOR, good, "-name", CK_ERR_USAGE },
        { "", D, DESCRIPTOR, good, "-name", CK_ERR_USAGE },
        { "x/y@" OTHER, D, DESCRIPTOR, good, "another digest", CK_ERR_HOSTILE },
        { "x/y", "sha256:00", DESCRIPTOR, good, "-digest", CK_ERR_HOSTILE },
        { "x/y", OTHER, DESCRIPTOR, good, "another one than -digest", CK_ERR_HOSTILE },
        { "x/y", D, "application/json", good, "not known here", CK_ERR_USAGE },
        { "x/y", D, DESCRIPTOR, "", "descriptor", CK_ERR_HOSTILE },
        { "x/y", D, DESCRIPTOR, "[]", "descriptor", CK_ERR_HOSTILE },
        { "x/y", D, DESCRIPTOR, "{}", "mediaType", CK_ERR_HOSTILE },
        { "x/y", D, DESCRIPTOR, "{\"mediaType\":\"text/plain\",\"digest\":\"" D "\",\"size\":1}",
          "no image", CK_ERR_HOSTILE },
        { "x/y", D, DESCRIPTOR, "{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" D "\"}", "size",
          CK_ERR_HOSTILE },
        { "x/y", D, DESCRIPTOR,
          "{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" OTHER "\",\"digest\":\"" D
          "\",\"size\":1}", "descriptor", CK_ERR_HOSTILE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        const char *url;
        assert_fails(question(cases[i].name, cases[i].digest, cases[i].type, cases[i].json, &a,
                              &url), cases[i].cls, cases[i].why);
    }
}

static ck_err *answer(const char *json, struct ck_arena *a, struct ck_verifier_answer *ret)
{
    struct ck_verifier_question q;
    CK_TRY(ck_verifier_question_read("x/y:1", D, DESCRIPTOR, ck_view_str(good), a, &q));
    return ck_verifier_answer_read(ck_view_str(json), &q, a, ret);
}

static void only_a_plain_yes_allows(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool allowed;
        const char *reason;
    } cases[] = {
        { "{\"image\":\"x\",\"decision\":\"allow\",\"digest\":\"" D "\",\"reasons\":[]}", true,
          "allow" },
        { "{\"decision\":\"allow\",\"digest\":\"" D "\"}", true, "allow" },
        { "{\"decision\":\"deny\",\"digest\":\"\",\"reasons\":[\"r1: a\\u001b\",\"r2\"]}", false,
          "deny: r1: a\\x1b; r2" },
        { "{\"decision\":\"quarantine\",\"digest\":\"" D "\",\"reasons\":[\"w\"]}", false,
          "quarantine: w" },
        { "{\"decision\":\"Allow\",\"digest\":\"" D "\"}", false, "Allow" },
        { "{\"decision\":\"allow \",\"digest\":\"" D "\"}", false, "allow " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_verifier_answer r;
        assert_ok(answer(cases[i].json, &a, &r));
        assert_int_equal(r.allowed, cases[i].allowed);
        assert_string_equal(r.reason, cases[i].reason);
    }
}

static void an_answer_to_something_else_is_none(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "the gate's answer" },
        { "{}", "decision" },
        { "[{\"decision\":\"allow\",\"digest\":\"" D "\"}]", "the gate's answer" },
        { "{\"decision\":true,\"digest\":\"" D "\"}", "decision" },
        { "{\"decision\":\"allow\"}", "digest" },
        { "{\"decision\":\"allow\",\"digest\":\"" OTHER "\"}", "not the one" },
        { "{\"decision\":\"deny\",\"decision\":\"allow\",\"digest\":\"" D "\"}", "gate's answer" },
        { "{\"Decision\":\"deny\",\"decision\":\"allow\",\"digest\":\"" D "\"}", "gate's answer" },
        { "{\"decision\":\"allow\",\"digest\":\"" D "\"} {}", "gate's answer" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_verifier_answer r;
        assert_fails(answer(cases[i][0], &a, &r), CK_ERR_HOSTILE, cases[i][1]);
    }
}

static ck_err *answer_of(size_t reasons)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_verifier_answer r;
    ck_buf_format(&b, "{\"decision\":\"deny\",\"reasons\":[");
    for (size_t i = 0; i < reasons; i++)
        ck_buf_format(&b, "%s\"r\"", i ? "," : "");
    ck_buf_format(&b, "]}");
    ck_put_u8(&b, 0);
    return answer((const char *)b.p, &a, &r);
}

static void reasons_have_a_limit(void **state)
{
    (void)state;
    assert_ok(answer_of(CK_MAX_VERIFIER_REASONS));
    assert_fails(answer_of(CK_MAX_VERIFIER_REASONS + 1), CK_ERR_LIMIT, "VERIFIER_REASONS");
}

static void settings_say_what_is_wrong(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_verifier_conf c;
    assert_ok(ck_verifier_conf_parse(CK_V("gate = \"https://g\"\n"), "v.conf", &a, &c));
    assert_string_equal(c.gate, "https://g");
    assert_null(c.ca);
    assert_fails(ck_verifier_conf_parse(CK_V("gate = 1\n"), "v.conf", &a, &c), CK_ERR_USAGE,
                 "v.conf:1: gate must be a string");
    assert_fails(ck_verifier_conf_parse(CK_V("\ntoken = 'x'\n"), "v.conf", &a, &c), CK_ERR_USAGE,
                 "v.conf:2: there is no setting \"token\"");
}

static void a_token_is_one_line(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const char *h;
    assert_ok(ck_verifier_authorization(CK_V("abc\n"), &a, &h));
    assert_string_equal(h, "Bearer abc");
    assert_ok(ck_verifier_authorization(CK_V("node:secret\r\n"), &a, &h));
    assert_string_equal(h, "Basic bm9kZTpzZWNyZXQ=");
    assert_fails(ck_verifier_authorization(CK_V("a\nX-Evil: b\n"), &a, &h), CK_ERR_USAGE, "line");
    assert_fails(ck_verifier_authorization(CK_V("\n"), &a, &h), CK_ERR_USAGE, "empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gate_is_asked_about_the_digest),
        cmocka_unit_test(what_is_doubtful_is_no_question),
        cmocka_unit_test(only_a_plain_yes_allows),
        cmocka_unit_test(an_answer_to_something_else_is_none),
        cmocka_unit_test(reasons_have_a_limit),
        cmocka_unit_test(settings_say_what_is_wrong),
        cmocka_unit_test(a_token_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
