#include "advisory/record.h"
#include "base/unit.h"

struct example {
    const char *vector;
    unsigned tenths;
};

static void check(const struct example *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned got = 999;
        bool ok = ck_cvss_score(ck_view_str(e[i].vector), &got);
        if (!ok || got != e[i].tenths)
            print_error("%s: %s, got %u, want %u\n", e[i].vector, ok ? "valid" : "invalid", got,
                        e[i].tenths);
        assert_true(ok);
        assert_int_equal(got, e[i].tenths);
    }
}
#define CHECK(table) check(table, sizeof table / sizeof *table)

/* The guide's worked examples (sections 3.3.1 to 3.3.3) and others that NVD published. */
static void test_version_2(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "AV:N/AC:L/Au:N/C:N/I:N/A:C", 78 },  /* CVE-2002-0392 */
        { "AV:N/AC:L/Au:N/C:C/I:C/A:C", 100 }, /* CVE-2003-0818 */
        { "AV:L/AC:H/Au:N/C:C/I:C/A:C", 62 },  /* CVE-2003-0062 */
        { "(AV:N/AC:L/Au:N/C:P/I:N/A:N)", 50 }, /* CVE-2014-0160 */
        { "AV:N/AC:M/Au:N/C:N/I:P/A:N/E:F/RL:OF/RC:C", 43 },
        { "AV:L/AC:H/Au:M/C:N/I:N/A:N", 0 },
        { "AV:L/AC:H/Au:M/C:N/I:N/A:P", 8 },
        { "AV:L/AC:H/Au:S/C:P/I:P/A:C", 50 },
        { "AV:L/AC:M/Au:N/C:C/I:C/A:C", 69 },
        { "AV:A/AC:H/Au:S/C:P/I:C/A:P", 55 },
        { "AV:L/AC:L/Au:S/C:C/I:C/A:C", 68 },
    };
    CHECK(examples);
}

/* Examples document of version 3.1, and the corners of the rounding. */
static void test_version_3(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61 }, /* CVE-2013-1937 */
        { "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64 }, /* CVE-2013-0375 */
        { "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31 }, /* CVE-2014-3566 */
        { "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99 }, /* CVE-2012-1516 */
        { "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 42 },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75 }, /* CVE-2014-0160 */
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98 }, /* CVE-2014-6271 */
        { "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 68 }, /* CVE-2008-1447 */
        { "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 68 }, /* CVE-2014-2005 */
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H/E:P/RL:O/RC:C/CR:L/MAV:P", 100 },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:L/A:L", 99 },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", 0 },
        { "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 96 },
        { "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:H/A:H", 90 },
        { "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H", 91 },
        { "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:L/A:L", 60 },
        { "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:L", 63 },
    };
    CHECK(examples);
}

/* Scores as FIRST's calculator gives them. */
static void test_version_4(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:L/SC:N/SI:H/SA:L", 92 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:H/SI:N/SA:L", 78 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:L/SA:N", 69 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:H/SI:L/SA:H", 79 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:N/VA:L/SC:N/SI:H/SA:N", 83 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 86 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:H/VA:N/SC:N/SI:L/SA:L", 85 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:L/SC:N/SI:L/SA:N", 71 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:L/SA:L", 70 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:A/VC:H/VI:H/VA:H/SC:H/SI:N/SA:H", 93 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:A/VC:L/VI:N/VA:N/SC:L/SI:H/SA:N", 60 },
        { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:N/SA:H", 95 },
        { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:L/SC:H/SI:L/SA:L", 70 },
        { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:N/SA:N", 21 },
        { "CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:N/VC:N/VI:N/VA:N/SC:N/SI:L/SA:N", 23 },
        { "CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:H/SI:H/SA:L", 47 },
        { "CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:L/SI:H/SA:L", 94 },
        { "CVSS:4.0/AV:N/AC:H/AT:N/PR:L/UI:A/VC:L/VI:L/VA:L/SC:H/SI:H/SA:H", 52 },
        { "CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:H/SA:N", 40 },
        { "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:L", 91 },
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0 },
        /* threat and supplemental metrics change nothing of the base score */
        { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/U:Amber", 93 },
    };
    CHECK(examples);
}

static void test_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "/", "HIGH", "CVSS:3.1/", "CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",        /* A is missing */
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/",   /* slash at the end */
        "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", /* twice */
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:C",    /* a value of version 2 */
        "CVSS:3.1/AV:NN/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/U:Ambe",
        "AV:N/AC:L/Au:N/C:C/I:C/A:C/E:(POC)", "AV:N/AC:L/Au:N/C:C/I:C", "(", "()",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned got = 7;
        assert_false(ck_cvss_score(ck_view_str(bad[i]), &got));
        assert_int_equal(got, 7);
    }
    /* a NUL is no end of a name or of a value */
    static const char nul[][48] = { "CVSS:3.1/AV\0:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                    "CVSS:3.1/AV:\0/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                    "CVSS:3.1/\0:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/" };
    for (size_t i = 0; i < sizeof nul / sizeof *nul; i++) {
        unsigned got = 7;
        size_t n = sizeof nul[i];
        while (n && !nul[i][n - 1])
            n--;
        assert_false(ck_cvss_score(ck_view_of(nul[i], n), &got));
        assert_int_equal(got, 7);
    }
}

static void test_any_order(void **state)
{
    (void)state;
    unsigned got = 0;
    assert_true(ck_cvss_score(CK_V("CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N"), &got));
    assert_int_equal(got, 98);
    assert_true(ck_cvss_score(CK_V("CVSS:3.1/AV:N/E:X/AC:L/MA:H/PR:N/UI:N/S:U/C:H/I:H/A:H"),
                              &got));
    assert_int_equal(got, 98);
}

static void test_severity(void **state)
{
    (void)state;
    assert_int_equal(ck_cvss_severity(0), CK_SEVERITY_NEGLIGIBLE);
    assert_int_equal(ck_cvss_severity(1), CK_SEVERITY_LOW);
    assert_int_equal(ck_cvss_severity(39), CK_SEVERITY_LOW);
    assert_int_equal(ck_cvss_severity(40), CK_SEVERITY_MEDIUM);
    assert_int_equal(ck_cvss_severity(69), CK_SEVERITY_MEDIUM);
    assert_int_equal(ck_cvss_severity(70), CK_SEVERITY_HIGH);
    assert_int_equal(ck_cvss_severity(89), CK_SEVERITY_HIGH);
    assert_int_equal(ck_cvss_severity(90), CK_SEVERITY_CRITICAL);
    assert_int_equal(ck_severity_parse(CK_V("Important")), CK_SEVERITY_HIGH);
    assert_int_equal(ck_severity_parse(CK_V("low**")), CK_SEVERITY_LOW);
    assert_int_equal(ck_severity_parse(CK_V("unimportant")), CK_SEVERITY_NEGLIGIBLE);
    assert_int_equal(ck_severity_parse(CK_V("not yet assigned")), CK_SEVERITY_UNKNOWN);
    assert_string_equal(ck_severity_name(CK_SEVERITY_CRITICAL), "critical");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2), cmocka_unit_test(test_version_3),
        cmocka_unit_test(test_version_4), cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_severity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
