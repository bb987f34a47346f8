#include "gateway/credentials.h"

#include "base/mem.h"
#include "base/unit.h"
#include "serve/wire.h"

static void headers_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum ck_credentials_kind kind;
        const char *user, *secret;
    } cases[] = {
        { "", CK_NO_CREDENTIALS, "", "" },
        { "Basic YW5uOnNlc2FtZQ==", CK_BASIC, "ann", "sesame" },
        { "basic  YW5uOnNlc2FtZQ", CK_BASIC, "ann", "sesame" },
        { "Basic YW5uOmE6Yg==", CK_BASIC, "ann", "a:b" },
        { "Basic Og==", CK_BASIC, "", "" },
        { "Basic OnA=", CK_BASIC, "", "p" },
        { "Basic w6Q6w6Q=", CK_BASIC, "\xc3\xa4", "\xc3\xa4" },
        { "BEARER abc.def-_~+/=", CK_BEARER, "", "abc.def-_~+/=" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_credentials c;
        assert_ok(ck_credentials_parse(ck_view_str(cases[i].header), &a, &c));
        assert_int_equal(c.kind, cases[i].kind);
        assert_view(c.user, cases[i].user);
        assert_view(c.secret, cases[i].secret);
    }
}

static void attack_headers_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *header, *why;
    } cases[] = {
        { "Digest x", "neither Basic nor Bearer" },
        { "Basic", "no colon" },
        { "BasicYW5uOnNlc2FtZQ==", "neither" },
        { "Basic YW5u", "no colon" },
        { "Basic YW5uOnNlc2FtZ\n==", "without base64" },
        { "Basic YW5uOnNlc2FtZQ===", "without base64" },
        { "Basic YW5uO", "without base64" },
        { "Basic YW=uOnNlc2FtZQ", "without base64" },
        { "Basic YW4AOnA=", "control characters" },
        { "Basic YW4KOnA=", "control characters" },
        { "Bearer ", "without a token" },
        { "Bearer a b", "visible letters" },
        { "Bearer \xc3\xa4", "visible letters" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_credentials c;
        assert_fails(ck_credentials_parse(ck_view_str(cases[i].header), &a, &c), CK_ERR_HOSTILE,
                     cases[i].why);
    }
}

static void a_header_has_a_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *text = ck_calloc(CK_MAX_CREDENTIALS + 1, 1);
    struct ck_credentials c;
    memset(text, 'x', CK_MAX_CREDENTIALS + 1);
    memcpy(text, "Bearer ", 7);
    assert_ok(ck_credentials_parse(ck_view_of(text, CK_MAX_CREDENTIALS), &a, &c));
    assert_int_equal(c.secret.n, CK_MAX_CREDENTIALS - 7);
    assert_fails(ck_credentials_parse(ck_view_of(text, CK_MAX_CREDENTIALS + 1), &a, &c),
                 CK_ERR_LIMIT, "CREDENTIALS");
}

static void scopes_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        const char *name;
        uint32_t roles;
    } cases[] = {
        { "repository:a/b:pull", true, "a/b", CK_ROLE_PULL },
        { "repository:a/b:pull,push", true, "a/b", CK_ROLE_PULL | CK_ROLE_PUSH },
        { "repository:h:5000/b:delete", true, "h:5000/b", CK_ROLE_PUSH },
        { "repository:a:*", true, "a", CK_ROLE_PULL | CK_ROLE_PUSH },
        { "repository:a:", true, "a", 0 },
        { "repository:a:admin,release", true, "a", 0 },
        { "registry:catalog:*", false, "", 0 },
        { "repository:a", false, "", 0 },
        { "repository::pull", false, "", 0 },
        { "repository", false, "", 0 },
        { "", false, "", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_scope s = { 0 };
        assert_int_equal(ck_scope_parse(ck_view_str(cases[i].text), &s), cases[i].ok);
        assert_view(s.name, cases[i].name);
        assert_int_equal(s.roles, cases[i].roles);
    }
}

static void scopes_stay_within_their_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *name, *pattern;
        bool within;
    } cases[] = {
        { "a/b", "", true },
        { "hosted/team/app", "hosted/team/*", true },
        { "hosted/teams", "hosted/team/*", false },
        { "hosted/app", "hosted/app", true },
        { "hosted/app2", "hosted/app", false },
        { "library/debian", "docker.io/library/*", true },
        { "debian", "docker.io/library/debian", true },
        { "docker.io/library/debian", "docker.io/library/*", true },
        { "ghcr.io/x", "docker.io/*", false },
        { "localhost:5000/x", "docker.io/library/*", false },
        { "quay.io/x", "ghcr.io/*", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_scope s = { .name = ck_view_str(cases[i].name) };
        assert_int_equal(ck_scope_within(&s, ck_view_str(cases[i].pattern)), cases[i].within);
    }
}

static void secrets_are_random_and_known_by_their_hash(void **state)
{
    (void)state;
    char one[CK_SECRET_TEXT], two[CK_SECRET_TEXT];
    uint8_t h1[32], h2[32], again[32];
    uint64_t seen = 0;
    for (int i = 0; i < 200; i++) { /* every letter comes */
        assert_ok(ck_secret_new(one, h1));
        assert_true(ck_secret_looks_so(ck_view_str(one)));
        for (const char *p = one; *p; p++)
            seen |= 1ull << (*p % 64);
    }
    assert_true(seen == ~0ull || __builtin_popcountll(seen) > 40);
    assert_ok(ck_secret_new(two, h2));
    assert_string_not_equal(one, two);
    assert_memory_not_equal(h1, h2, 32);
    ck_secret_hash(ck_view_str(one), again);
    assert_memory_equal(h1, again, 32);
    assert_false(ck_secret_looks_so(CK_V("sesame")));
    one[3] = '=';
    assert_false(ck_secret_looks_so(ck_view_str(one)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_taken_apart),
        cmocka_unit_test(attack_headers_that_are_none),
        cmocka_unit_test(a_header_has_a_limit),
        cmocka_unit_test(scopes_are_taken_apart),
        cmocka_unit_test(scopes_stay_within_their_pattern),
        cmocka_unit_test(secrets_are_random_and_known_by_their_hash),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
