#include "gateway/password.h"

#include "base/mem.h"
#include "base/unit.h"

/* From the reference implementation's own tests (src/test.c, version 0x13, Argon2id). */
static const struct {
    const char *encoded, *password;
} known[] = {
    { "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
      "password" },
    { "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "password" },
};

static void published_strings_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(ck_password_matches(ck_view_str(known[i].encoded),
                                        ck_view_str(known[i].password)));
        assert_false(ck_password_matches(ck_view_str(known[i].encoded), CK_V("passwore")));
        assert_false(ck_password_matches(ck_view_str(known[i].encoded), CK_V("")));
    }
}

static void a_hash_is_salted_and_matches_its_password_only(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view one, two;
    assert_ok(ck_password_hash(CK_V("sesame"), &a, &one));
    assert_ok(ck_password_hash(CK_V("sesame"), &a, &two));
    assert_false(ck_view_eq(one, two));
    assert_true(ck_view_starts(one, CK_V("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_true(ck_password_matches(one, CK_V("sesame")));
    assert_false(ck_password_matches(one, CK_V("Sesame")));
    assert_false(ck_password_matches(one, CK_V("")));
}

static void attack_what_is_no_hash_matches_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "$argon2id$", "sesame", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$",
    };
    char longest[400];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_password_matches(ck_view_str(bad[i]), CK_V("")));
    memset(longest, '$', sizeof longest);
    assert_false(ck_password_matches(ck_view_of(longest, sizeof longest), CK_V("")));
}

static void a_password_has_a_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *text = ck_calloc(CK_MAX_PASSWORD + 1, 1);
    ck_view encoded;
    memset(text, 'x', CK_MAX_PASSWORD + 1);
    assert_fails(ck_password_hash(CK_V(""), &a, &encoded), CK_ERR_USAGE, "is empty");
    assert_ok(ck_password_hash(ck_view_of(text, CK_MAX_PASSWORD), &a, &encoded));
    assert_true(ck_password_matches(encoded, ck_view_of(text, CK_MAX_PASSWORD)));
    assert_false(ck_password_matches(encoded, ck_view_of(text, CK_MAX_PASSWORD + 1)));
    assert_fails(ck_password_hash(ck_view_of(text, CK_MAX_PASSWORD + 1), &a, &encoded),
                 CK_ERR_USAGE, "more than 1024 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_strings_match),
        cmocka_unit_test(a_hash_is_salted_and_matches_its_password_only),
        cmocka_unit_test(attack_what_is_no_hash_matches_nothing),
        cmocka_unit_test(a_password_has_a_limit),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
