#include "advisory/feed/debian_text.h"
#include "advisory/feed/feed.h"
#include "base/unit.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static ck_err *parse(const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_release r;
    return ck_debian_release(ck_view_str(text), &a, &r);
}

static void test_release(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_release r;
    assert_ok(ck_debian_release(
        CK_V("Origin: Debian\nSuite: oldstable-security\nVersion: 12\nCodename: bookworm-security\n"
             "Date: Fri, 20 Nov 2026 00:12:41 UTC\nValid-Until: Fri, 27 Nov 2026 00:12:41 UTC\n"
             "MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e        0 main/x\n"
             "SHA256:\n " HASH "        0 contrib/Contents-amd64\n " HASH
                 "  1234567 main/binary-amd64/Packages.xz\n"),
        &a, &r));
    assert_view(r.suite, "oldstable-security");
    assert_view(r.codename, "bookworm-security");
    assert_view(r.version, "12");
    assert_int_equal(r.date, 1795133561);
    assert_int_equal(r.valid_until, 1795738361);
    assert_int_equal(r.n_files, 2);
    assert_view(r.files[1].path, "main/binary-amd64/Packages.xz");
    assert_int_equal(r.files[1].size, 1234567);
    assert_int_equal(r.files[1].sha256[0], 0xe3);
    assert_int_equal(r.files[1].sha256[31], 0x55);
}

static void test_attacks(void **state)
{
    (void)state;
#define OK_FILES "SHA256:\n " HASH " 0 a\n"
    assert_fails(parse(""), CK_ERR_HOSTILE, "no SHA256 section");
    assert_fails(parse("Suite: x\nSHA256:\n"), CK_ERR_HOSTILE, "no SHA256 section");
    assert_fails(parse(OK_FILES), CK_ERR_HOSTILE, "neither Suite nor Codename");
    assert_fails(parse("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSuite: x\n" OK_FILES),
                 CK_ERR_HOSTILE,
                 "signature was not verified");
    assert_fails(parse("Suite: x\nSuite: y\n" OK_FILES), CK_ERR_HOSTILE,
                 "Release line 2: Suite: stands twice");
    assert_fails(parse("Suite: x\n" OK_FILES OK_FILES), CK_ERR_HOSTILE, "SHA256: stands twice");
    assert_fails(parse("Suite: x\n" OK_FILES "\nSuite: y\n"), CK_ERR_HOSTILE,
                 "more than one stanza");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " 0 ../etc/passwd\n"), CK_ERR_HOSTILE,
                 "leaves the archive");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " 0 /etc/passwd\n"), CK_ERR_HOSTILE,
                 "leaves the archive");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " 0 a//b\n"), CK_ERR_HOSTILE,
                 "leaves the archive");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " 0 a b\n"), CK_ERR_HOSTILE,
                 "leaves the archive");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " -1 a\n"), CK_ERR_HOSTILE, "digest size path");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH "0 1 a\n"), CK_ERR_HOSTILE, "digest size path");
    assert_fails(parse("Suite: x\nSHA256:\n " HASH " 1 a\n " HASH " 2 a\n"), CK_ERR_HOSTILE,
                 "a path stands twice");
    assert_fails(parse("Suite: x\nDate: yesterday\n" OK_FILES), CK_ERR_HOSTILE, "no date");
    assert_fails(parse(" Suite: x\n"), CK_ERR_HOSTILE, "line 1: no \"Field: value\"");
    assert_fails(parse("Suite x\n"), CK_ERR_HOSTILE, "line 1: no \"Field: value\"");
}

static int64_t date(const char *s)
{
    int64_t t = -1;
    return ck_parse_rfc2822(ck_view_str(s), &t) ? t : -1;
}

/* date -u -d "..." +%s */
static void test_dates(void **state)
{
    (void)state;
    assert_int_equal(date("Mon, 25 Sep 2023 23:12:53 +0200"), 1695676373);
    assert_int_equal(date("Thu,  4 Jan 2007 00:00:00 -0330"), 1167881400);
    assert_int_equal(date("29 Feb 2024 23:59:59 GMT"), 1709251199);
    assert_int_equal(date("Thu, 01 Jan 1970 00:00:00 UTC"), 0);
    assert_int_equal(date("Sun, 1 Mar 2026 12:00 Z"), 1772366400);
    assert_int_equal(date(""), -1);
    assert_int_equal(date("Mon, 32 Sep 2023 23:12:53 +0200"), -1);
    assert_int_equal(date("Mon, 25 Xyz 2023 23:12:53 +0200"), -1);
    assert_int_equal(date("Mon, 25 Sep 2023 24:12:53 +0200"), -1);
    assert_int_equal(date("Mon, 25 Sep 2023 23:12:53 +02:00"), -1);
    assert_int_equal(date("Mon, 25 Sep 99999 23:12:53 +0200"), -1);
}

static void test_paths(void **state)
{
    (void)state;
    assert_true(ck_archive_path_ok(CK_V("pool/main/o/openssl/libssl3_3.0.11-1~deb12u2_amd64.deb")));
    static const char *const bad[] = { "", "/", "/a", "a/", "a//b", "../a", "a/..", "a/../b", ".",
                                       "./a", "a b", "a\n",
                                       "a\\..\\b", "a\x7f", "\xc3\xa9" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ck_archive_path_ok(ck_view_str(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
