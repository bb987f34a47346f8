#include "advisory/feed/feed.h"
#include "base/unit.h"

static ck_err *write_down(void *ctx, const struct ck_changelog_entry *e)
{
    struct ck_buf *b = ctx;
    ck_buf_format(b, "%.*s %.*s %lld:", CK_VF(e->source), CK_VF(e->version), (long long)e->date);
    for (size_t i = 0; i < e->n_ids; i++)
        ck_buf_format(b, " %.*s", CK_VF(e->ids[i]));
    ck_buf_format(b, "\n");
    return NULL;
}

static void check(ck_view text, const char *want)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_debian_changelog(text, write_down, &b));
    char *got = ck_buf_steal_str(&b);
    assert_string_equal(got, want);
    free(got);
}

static void test_entries(void **state)
{
    (void)state;
    check(CK_V("openssl (3.0.11-1~deb12u2) bookworm-security; urgency=medium\n\n"
               "  * CVE-2023-5363 (Incorrect cipher key) (Closes: #1)\n    and CVE-2023-0001, "
               "CVE-2023-5363.\n\n"
               " -- Sebastian <s@x.org>  Mon, 23 Oct 2023 19:40:34 +0200\n\n"
               "openssl-old (1:3.0+dfsg-1) unstable experimental; urgency=low, "
               "binary-only=yes\n\n  "
               "* New.\n\n"
               " -- Kurt <k@x.org>  broken date\n"),
          "openssl 3.0.11-1~deb12u2 1698082834: CVE-2023-0001 CVE-2023-5363\n"
          "openssl-old 1:3.0+dfsg-1 0:\n");
    check(CK_V(""), "");
    /* A trimmed changelog, an editor's footer, entries older than the format. */
    check(CK_V("a (1) unstable; urgency=low\n\n  * x\n\n -- A <a@b>  Thu, 01 Jan 2015 00:00:00 "
               "+0000\n\n"
               "# Older entries have been removed from this changelog.\n# To read the complete "
               "one: "
               "CVE-1\n\n"
               "Local variables:\nmode: debian-changelog\nEnd:\nFri Jan 12 1996 Ian\n\t* old "
               "CVE-1996-00x\n"),
          "a 1 1420070400:\n");
    /* Without a trailer, and without a line end. */
    check(CK_V("a (2) sid; urgency=low\n  * CVE-2020-12345\na (1) sid; urgency=low\n  * "
               "CVE-2019-1234"),
          "a 2 0: CVE-2020-12345\na 1 0: CVE-2019-1234\n");
}

static void test_ids(void **state)
{
    (void)state;
#define IDS(text, want) check(CK_V("a (1) sid; urgency=low\n  * " text "\n"), "a 1 0:" want "\n")
    IDS("CVE-2020-1234", " CVE-2020-1234");
    IDS("(CVE-2020-1234)[CVE-2020-1235]/CVE-2020-1236:",
        " CVE-2020-1234 CVE-2020-1235 CVE-2020-1236");
    IDS("CVE-2020-1234.patch CVE-2020-123456789", " CVE-2020-1234 CVE-2020-123456789");
    IDS("CVE-2020-1234_1 fix-CVE-2020-1235-part1", " CVE-2020-1234 CVE-2020-1235");
    IDS("CVE-2020-123 CVE-20-1234 CVE-2020 CVE- CVE-2020-", "");
    IDS("xCVE-2020-1234 CVE-2020-1234a cve-2020-1234 CVE-CVE-2020-9999", " CVE-2020-9999");
    IDS("CVE-2020-12345678901234567890", "");
    /* sorted as bytes */
    IDS("CVE-2020-2 CVE-2020-9999 CVE-2020-10000", " CVE-2020-10000 CVE-2020-9999");
}

static void test_headers(void **state)
{
    (void)state;
    check(CK_V("not a header (1) sid; urgency=low\n  * CVE-2020-1234\n"), "");
    check(CK_V("a (1 2) sid; urgency=low\n"), "");
    check(CK_V("a () sid; urgency=low\n"), "");
    check(CK_V("a (1) sid urgency=low\n"), "");
    check(CK_V("-a (1) sid; urgency=low\n"), "");
    check(CK_V("a (1) sid; urgency=low\n"), "a 1 0:\n");
}

static void test_attack_too_many_ids(void **state)
{
    (void)state;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), out = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "a (1) sid; urgency=low\n");
    for (int i = 0; i < 100000; i++)
        ck_buf_format(&b, "CVE-2020-1234\n");
    assert_ok(ck_debian_changelog(ck_buf_view(&b), write_down, &out));
    ck_buf_format(&b, "CVE-2020-1234\n");
    assert_fails(ck_debian_changelog(ck_buf_view(&b), write_down, &out), CK_ERR_LIMIT,
                 "CHANGELOG_IDS");
    ck_buf_free(&b);
    ck_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_attack_too_many_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
