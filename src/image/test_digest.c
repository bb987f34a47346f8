#include "base/unit.h"
#include "image/digest.h"

#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEX128                                                         \
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" \
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

static void digests_round_trip(void **state)
{
    (void)state;
    static const char *const texts[] = { "sha256:" EMPTY256, "sha512:" HEX128 };
    for (size_t i = 0; i < 2; i++) {
        struct ck_digest d;
        char out[CK_DIGEST_TEXT];
        assert_ok(ck_digest_parse(ck_view_str(texts[i]), &d));
        assert_string_equal(ck_digest_text(&d, out), texts[i]);
    }
}

static void hashes_are_those_of_fips_180(void **state)
{
    (void)state;
    struct ck_digest d, want;
    ck_hash_of(CK_DIGEST_SHA256, CK_V(""), &d);
    assert_ok(ck_digest_parse(CK_V("sha256:" EMPTY256), &want));
    assert_true(ck_digest_eq(&d, &want));
    ck_hash_of(CK_DIGEST_SHA512, CK_V(""), &d);
    assert_false(ck_digest_eq(&d, &want));
    assert_ok(ck_digest_parse(CK_V("sha512:" HEX128), &want));
    assert_true(ck_digest_eq(&d, &want));

    /* "abc" in pieces */
    struct ck_hash *h = ck_hash_new(CK_DIGEST_SHA256);
    ck_hash_add(h, CK_V("a"));
    ck_hash_add(h, CK_V(""));
    ck_hash_add(h, CK_V("bc"));
    ck_hash_finish(h, &d);
    ck_hash_free(h);
    char out[CK_DIGEST_TEXT];
    assert_string_equal(ck_digest_text(&d, out),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hex_is_exact_and_lower_case(void **state)
{
    (void)state;
    uint8_t out[2] = { 9, 9 };
    assert_true(ck_unhex(CK_V("0aff"), out, 2));
    assert_int_equal(out[0], 0x0a);
    assert_int_equal(out[1], 0xff);
    assert_false(ck_unhex(CK_V("0aFF"), out, 2));
    assert_false(ck_unhex(CK_V("0af"), out, 1));
    assert_false(ck_unhex(CK_V("0aff00"), out, 2));
    assert_false(ck_unhex(CK_V("0a g"), out, 2));
    assert_int_equal(out[1], 0xff);
}

static void attack_digest_of_bad_form_is_refused_before_it_becomes_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "sha256:../../x", "must have 64 hex digits" },
        { "sha256:../../../../../../../../../../../../../../../../../../../../etcx",
          "must be hex digits in lower case" },
        { "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
          "must be hex digits in lower case" },
        { "sha256:" EMPTY256 "00", "must have 64 hex digits" },
        { "sha256:e3b0", "must have 64 hex digits" },
        { "sha512:" EMPTY256, "must have 128 hex digits" },
        { "SHA256:" EMPTY256, "the algorithm must be sha256 or sha512" },
        { "md5:d41d8cd98f00b204e9800998ecf8427e", "the algorithm must be sha256 or sha512" },
        { "../sha256:" EMPTY256, "the algorithm must be sha256 or sha512" },
        { ":" EMPTY256, "the algorithm must be sha256 or sha512" },
        { EMPTY256, "must be ALGORITHM:HEX" },
        { "", "must be ALGORITHM:HEX" },
        { "sha256: " EMPTY256, "must have 64 hex digits" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ck_digest d = { .bytes = { 42 } };
        assert_fails(ck_digest_parse(ck_view_str(bad[i].text), &d), CK_ERR_HOSTILE, bad[i].why);
        assert_int_equal(d.bytes[0], 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_round_trip),
        cmocka_unit_test(hashes_are_those_of_fips_180),
        cmocka_unit_test(hex_is_exact_and_lower_case),
        cmocka_unit_test(attack_digest_of_bad_form_is_refused_before_it_becomes_a_path),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
