#include "advisory/unit_match.h"

static void test_fix_is_as_old_as_the_erratum_that_brought_it(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    struct ck_package p = deb("libssl3", "3.0.1-1", "openssl", "");
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "openssl", .fixed = "3.0.1-2" });
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "openssl", .fixed = "3.0.1-3" });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "openssl" });
    feed(&w, "osv", NULL, NULL);
    /* a vulnerability's own day is not that of its fix */
    say(&w, (struct says){ .id = "DEBIAN-CVE-2024-1", .fixes = "CVE-2024-1", .name = "openssl",
                           .fixed = "3.0.1-2", .published = 1000 });
    say(&w, (struct says){ .id = "DSA-2-1", .fixes = "CVE-2024-1", .name = "openssl",
                           .fixed = "3.0.1-2", .published = 3000 });
    say(&w, (struct says){ .id = "DSA-1-1", .fixes = "CVE-2024-1", .name = "openssl",
                           .fixed = "3.0.1-2", .published = 2000 });
    /* another fix than the one that is wanted */
    say(&w, (struct says){ .id = "DSA-3-1", .fixes = "CVE-2024-2 CVE-2024-3", .name = "openssl",
                           .fixed = "3.0.1-2", .published = 4000 });
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(w.m.findings[i].fixed_since,
                         ck_view_eq(w.m.findings[i].id, CK_V("CVE-2024-1")) ? 2000 : 0);
    end(&w);
}

static void test_fix_is_as_old_as_the_update_of_the_archive(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    struct ck_package p = deb("libssl3", "3.0.1-1", "openssl", "");
    feed(&w, "debian-archive", "bookworm-security", NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "openssl", .fixed = "3.0.1-2",
                           .published = 5000 });
    match(&w, &p, 1);
    assert_int_equal(only_finding(&w)->fixed_since, 5000);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fix_is_as_old_as_the_erratum_that_brought_it),
        cmocka_unit_test(test_fix_is_as_old_as_the_update_of_the_archive),
    };
    return cmocka_run_group_tests_name("fix_day", tests, NULL, NULL);
}
