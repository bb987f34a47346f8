#include "advisory/unit_match.h"

/* --- Debian ----------------------------------------------------------------------------------- */

static void test_source_and_binary_rebuild(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "DSA-5532-1", .fixes = "CVE-2023-5363", .name = "openssl",
                           .fixed = "3.0.11-1~deb12u2", .state = CK_FIX_FIXED,
                           .severity = CK_SEVERITY_HIGH });
    struct ck_package old[] = { deb("openssl", "3.0.11-1~deb12u1", "openssl", "3.0.11-1~deb12u1"),
                                deb("libssl3", "3.0.11-1~deb12u1+b1", "openssl",
                                    "3.0.11-1~deb12u1") };
    match(&w, old, 2);
    assert_int_equal(w.m.n_findings, 2);
    assert_view(w.m.findings[0].id, "CVE-2023-5363");
    assert_int_equal(w.m.findings[0].package, 1); /* libssl3 */
    assert_view(w.m.findings[1].why, "openssl 3.0.11-1~deb12u1 is older than 3.0.11-1~deb12u2, "
                "in which DSA-5532-1 fixed it");
    assert_view(w.m.findings[0].why, "openssl 3.0.11-1~deb12u1, the source of libssl3, is older "
                "than 3.0.11-1~deb12u2, in which DSA-5532-1 fixed it");
    assert_view(w.m.findings[0].advisory_id, "DSA-5532-1");
    assert_view(w.m.findings[0].fix_version, "3.0.11-1~deb12u2");
    assert_int_equal(w.m.findings[0].fix_state, CK_FIX_FIXED);
    /* A rebuild of the fixed source: the binary's version alone would compare otherwise. */
    struct ck_package now = deb("libssl3", "3.0.11-1~deb12u1+b9", "openssl", "3.0.11-1~deb12u2");
    match(&w, &now, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

static void test_epoch(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "vim", .fixed = "2:9.0.1378-2",
                           .state = CK_FIX_FIXED });
    struct ck_package p = deb("vim", "9.1", "vim", "9.1");
    match(&w, &p, 1);
    assert_view(only_finding(&w)->why, "vim 9.1 is older than 2:9.0.1378-2, in which CVE-2024-1 "
                "was fixed (debian-tracker)");
    p = deb("vim", "2:9.0.1378-2", "vim", "2:9.0.1378-2");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

static void test_release_of_the_distribution_only(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "curl", .ecosystem = "Debian:13",
                           .fixed = "9" });
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "curl", .fixed = "1" });
    struct ck_package p = deb("curl", "7.88", "curl", "7.88");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

static void test_every_state_has_its_own_sentence(void **state)
{
    (void)state;
    static const struct {
        enum ck_fix_state state;
        const char *why;
    } rows[] = {
        { CK_FIX_NONE, "x 1 is affected and no fixed version is known yet (debian-tracker)" },
        { CK_FIX_WONT, "x 1 is affected and will not be fixed (debian-tracker: ignored)" },
        { CK_FIX_POSTPONED, "x 1 is affected; the fix is postponed (debian-tracker: postponed)" },
        { CK_FIX_NO_DSA, "x 1 is affected; it is too minor for an update of its own "
          "(debian-tracker: no-dsa)" },
        { CK_FIX_END_OF_LIFE, "x 1 is affected and is no longer supported in this release "
          "(debian-tracker: end-of-life)" },
        { CK_FIX_UNDETERMINED, "it is not known yet whether x 1 is affected "
          "(debian-tracker: undetermined)" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w = begin("Debian:12", CK_VERSION_DPKG);
        feed(&w, "debian-tracker", NULL, NULL);
        say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .state = rows[i].state });
        struct ck_package p = deb("x", "1", "x", "1");
        match(&w, &p, 1);
        assert_view(only_finding(&w)->why, rows[i].why);
        assert_int_equal(only_finding(&w)->fix_state, rows[i].state);
        assert_int_equal(only_finding(&w)->fix_version.n, 0);
        end(&w);
    }
}

static void test_unimportant_is_negligible(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2010-4756", .name = "glibc", .unimportant = true,
                           .state = CK_FIX_NONE, .note = "harmless",
                           .severity = CK_SEVERITY_HIGH });
    struct ck_package p = deb("libc6", "2.36", "glibc", "2.36");
    match(&w, &p, 1);
    assert_int_equal(only_finding(&w)->severity, CK_SEVERITY_NEGLIGIBLE);
    assert_view(only_finding(&w)->why, "glibc 2.36, the source of libc6, is affected and no fixed "
                "version is known yet (debian-tracker: open, unimportant, \"harmless\")");
    end(&w);
}

static void test_not_affected_is_listed(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "9", .state = CK_FIX_FIXED });
    struct world alone = begin("Debian:12", CK_VERSION_DPKG);
    feed(&alone, "debian-tracker", NULL, NULL);
    say(&alone, (struct says){ .id = "CVE-2024-1", .name = "x", .state = CK_FIX_NOT_AFFECTED,
                               .fixed = "0" });
    struct ck_package p = deb("x", "1", "x", "1");
    match(&alone, &p, 1);
    assert_view(only_suppressed(&alone)->rule, "not-affected");
    assert_view(only_suppressed(&alone)->why,
                "debian-tracker says that x was never affected in this release");
    match(&w, &p, 1);
    only_finding(&w);
    end(&alone);
    end(&w);
}

/* The tracker's word goes before what OSV says of upstream or other records. */
static void test_backport(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "DEBIAN-CVE-2024-1", .fixes = "CVE-2024-1", .name = "x",
                           .fixed = "2.0", .state = CK_FIX_FIXED });
    say(&w, (struct says){ .id = "DEBIAN-CVE-2024-2", .fixes = "CVE-2024-2", .name = "x",
                           .fixed = "2.0", .state = CK_FIX_FIXED });
    say(&w, (struct says){ .id = "DEBIAN-CVE-2024-3", .fixes = "CVE-2024-3", .name = "x",
                           .fixed = "2.0", .state = CK_FIX_FIXED });
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "1.0-1+deb12u1",
                           .state = CK_FIX_FIXED });
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "x", .state = CK_FIX_NOT_AFFECTED });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "x", .from = "1.5", .state = CK_FIX_NONE });
    struct ck_package p = deb("x", "1.0-1+deb12u1", "x", "1.0-1+deb12u1");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    assert_int_equal(w.m.n_suppressed, 3);
    assert_view(w.m.suppressed[0].rule, "backported");
    assert_view(w.m.suppressed[0].why, "x 1.0-1+deb12u1 has the fix of 1.0-1+deb12u1 "
                "(debian-tracker), whatever osv says of other versions in DEBIAN-CVE-2024-1");
    assert_view(w.m.suppressed[1].rule, "not-affected");
    assert_view(w.m.suppressed[2].rule, "vendor-first");
    end(&w);
}

static void test_tracker_before_archive(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-archive", "bookworm,bookworm-security", NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "1-2",
                           .state = CK_FIX_FIXED });
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "1-1",
                           .state = CK_FIX_FIXED });
    struct ck_package p = deb("x", "1-1", "x", "1-1");
    match(&w, &p, 1);
    assert_view(only_suppressed(&w)->rule, "backported");
    p = deb("x", "1-0", "x", "1-0");
    match(&w, &p, 1);
    assert_view(only_finding(&w)->fix_version, "1-1");
    assert_view(only_finding(&w)->advisory_source, "debian-tracker");
    end(&w);
}

static void test_archive_sentences(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-archive", "bookworm-updates, bookworm-security", NULL);
    say(&w, (struct says){ .id = "CVE-2025-1", .name = "x", .fixed = "1-2",
                           .state = CK_FIX_FIXED });
    say(&w, (struct says){ .id = "bookworm-security:y=2-1", .name = "y", .fixed = "2-1",
                           .state = CK_FIX_FIXED });
    struct ck_package p[] = { deb("x", "1-1", "x", "1-1"), deb("y", "1-1", "y", "1-1") };
    match(&w, p, 2);
    assert_int_equal(w.m.n_findings, 2);
    assert_view(w.m.findings[0].why, "x 1-1 is older than 1-2, in which CVE-2025-1 was fixed "
                "(bookworm-security)");
    assert_view(w.m.findings[1].id, "bookworm-security:y=2-1");
    assert_view(w.m.findings[1].why, "y 1-1 is older than 2-1, a security update of "
                "bookworm-security whose changelog names no vulnerability");
    assert_gap(&w, "unfixed vulnerabilities");
    end(&w);
}

static void test_nameless_update_that_another_source_names(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-archive", "bookworm-security", NULL);
    say(&w, (struct says){ .id = "bookworm-security:y=2-1", .name = "y", .fixed = "2-1",
                           .state = CK_FIX_FIXED });
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2025-7", .name = "y", .fixed = "2-1",
                           .state = CK_FIX_FIXED });
    struct ck_package p = deb("y", "1-1", "y", "1-1");
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2025-7");
    assert_int_equal(w.m.n_suppressed, 1);
    assert_view(w.m.suppressed[0].rule, "named-update");
    assert_no_gap(&w, "unfixed vulnerabilities");
    end(&w);
}

static void test_removed_package(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "2" });
    struct ck_package p = deb("x", "1", "x", "1");
    p.status = CK_V("deinstall ok config-files");
    match(&w, &p, 1);
    assert_view(only_suppressed(&w)->rule, "not-installed");
    p.status = CK_V("hold ok installed");
    match(&w, &p, 1);
    only_finding(&w);
    end(&w);
}

static void test_kernel_headers(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "linux", .fixed = "6.1.90-1" });
    struct ck_package p = deb("linux-libc-dev", "6.1.76-1", "linux", "6.1.76-1");
    match(&w, &p, 1);
    assert_view(only_suppressed(&w)->rule, "kernel-headers");
    p = deb("linux-image-6.1.0-18-amd64", "6.1.76-1", "linux-signed-amd64", "6.1.76+1");
    match(&w, &p, 1);
    assert_view(only_finding(&w)->why, "linux 6.1.76-1, the source of linux-image-6.1.0-18-amd64, "
                "is older than 6.1.90-1, in which CVE-2024-1 was fixed (debian-tracker)");
    p = deb("linux-image-6.1.0-21-amd64", "6.1.90-1", "linux-signed-amd64", "6.1.90+1");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

/* --- rpm -------------------------------------------------------------------------------------- */

static void test_erratum_gives_a_finding_for_each_cve(void **state)
{
    (void)state;
    struct world w = begin("AlmaLinux:8", CK_VERSION_RPM);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "ALSA-2024:1", .fixes = "CVE-2023-2 CVE-2023-1",
                           .name = "dnsmasq", .kind = CK_NAME_BINARY, .fixed = "2.79-31.el8_9.2",
                           .state = CK_FIX_FIXED, .severity = CK_SEVERITY_HIGH });
    say(&w, (struct says){ .id = "ALBA-2024:2", .name = "dnsmasq", .kind = CK_NAME_BINARY,
                           .fixed = "2.80", .state = CK_FIX_FIXED });
    struct ck_package p = rpm("dnsmasq", "2.79-31.el8", "dnsmasq", "2.79-31.el8", NULL);
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 3);
    assert_view(w.m.findings[0].id, "CVE-2023-1");
    assert_view(w.m.findings[1].id, "CVE-2023-2");
    assert_view(w.m.findings[1].advisory_id, "ALSA-2024:1");
    assert_int_equal(w.m.findings[1].n_aliases, 0);
    assert_view(w.m.findings[1].advisory_url, "https://osv.dev/vulnerability/ALSA-2024:1");
    assert_view(w.m.findings[2].id, "ALBA-2024:2");
    /* The name of the binary counts, not that of the source. */
    p = rpm("other", "1-1", "dnsmasq", "2.79-31.el8", NULL);
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

static void test_rpm_source_without_epoch(void **state)
{
    (void)state;
    struct world w = begin("Rocky Linux:8", CK_VERSION_RPM);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "RLSA-2024:1", .fixes = "CVE-2024-1", .name = "bind",
                           .fixed = "32:9.11.36-11.el8", .state = CK_FIX_FIXED });
    struct ck_package p = rpm("bind-libs", "32:9.11.36-11.el8", "bind", "9.11.36-11.el8", NULL);
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    p = rpm("bind-libs", "32:9.11.36-10.el8", "bind", "9.11.36-10.el8", NULL);
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2024-1");
    /* A subpackage with a version of its own does not tell the epoch of its source. */
    p = rpm("bind-sub", "1.0-11.el8", "bind", "9.11.36-11.el8", NULL);
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

static void test_modules(void **state)
{
    (void)state;
    struct world w = begin("AlmaLinux:8", CK_VERSION_RPM);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "ALSA-2024:18", .fixes = "CVE-2024-18", .name = "nodejs",
                           .kind = CK_NAME_BINARY, .module = "nodejs:18",
                           .fixed = "1:18.20.2-1.module_el8.9.0+3773+6bcdd8bf" });
    say(&w, (struct says){ .id = "ALSA-2024:19", .fixes = "CVE-2024-19", .name = "nodejs",
                           .kind = CK_NAME_BINARY, .fixed = "1:18.1-1.el8" });
    const char *release = "1:16.20.2-4.module_el8.9.0+3731+490e3ef7";
    struct ck_package p = rpm("nodejs", release, "nodejs", "16.20.2-4", "nodejs:16:8090020:aa");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 0);
    assert_int_equal(w.m.n_suppressed, 2);
    assert_view(w.m.suppressed[0].rule, "module");
    p.module = CK_V("nodejs:18:8090020230301:bb");
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2024-18");
    /* A package of no module, and one that only its release shows to be of one. */
    p = rpm("nodejs", "1:16.0-1.el8", "nodejs", "16.0-1.el8", NULL);
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2024-19");
    assert_view(w.m.suppressed[0].id, "CVE-2024-18");
    p = rpm("nodejs", release, "nodejs", "16.20.2-4", NULL);
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2024-18");
    end(&w);
}

/* --- apk -------------------------------------------------------------------------------------- */

static void test_apk_origin(void **state)
{
    (void)state;
    struct world w = begin("Alpine:v3.10", CK_VERSION_APK);
    feed(&w, "alpine-secdb", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2020-1", .alias = "XSA-1", .name = "openssl",
                           .fixed = "1.1.1g-r0", .state = CK_FIX_FIXED });
    say(&w, (struct says){ .id = "CVE-2020-2", .name = "openssl", .state = CK_FIX_NOT_AFFECTED,
                           .fixed = "0" });
    struct ck_package p = { CK_PACKAGE_APK, CK_V("libssl1.1"), CK_V("1.1.1d-r2"), CK_V("x86_64"),
                            CK_V("openssl"), CK_V("1.1.1d-r2"), CK_V(""), CK_V("") };
    match(&w, &p, 1);
    assert_view(only_finding(&w)->id, "CVE-2020-1");
    assert_view(only_finding(&w)->aliases[0], "XSA-1");
    assert_view(only_finding(&w)->advisory_url, "https://security.alpinelinux.org/vuln/CVE-2020-1");
    assert_int_equal(w.m.n_suppressed, 1);
    end(&w);
}

/* --- Ranges, aliases, severity ---------------------------------------------------------------- */

static void test_ranges_and_lists(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .from = "2", .fixed = "3" });
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "x", .last = "2.5" });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "x", .no_range = true, .version = "2.5" });
    say(&w, (struct says){ .id = "CVE-2024-4", .name = "x", .no_range = true });
    say(&w, (struct says){ .id = "CVE-2024-5", .name = "x", .from = "0", .withdrawn = true });
    static const struct {
        const char *version;
        size_t n;
    } rows[] = { { "1", 1 }, { "2", 2 }, { "2.5", 3 }, { "2.6", 1 }, { "3", 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ck_package p = deb("x", rows[i].version, "x", rows[i].version);
        match(&w, &p, 1);
        assert_int_equal(w.m.n_findings, rows[i].n);
        if (i == 2) {
            assert_view(w.m.findings[1].why, "x 2.5 is not newer than 2.5, the last version that "
                        "CVE-2024-2 names as affected");
            assert_view(w.m.findings[2].why,
                        "x 2.5 is one of the versions that CVE-2024-3 lists as affected");
        }
    }
    end(&w);
}

static void test_aliases_are_reported_once(void **state)
{
    (void)state;
    struct world w = begin("Wolfi", CK_VERSION_APK);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "GHSA-2222-3333-4444", .alias = "CVE-2024-1", .name = "x",
                           .fixed = "2" });
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .fixed = "3" });
    say(&w, (struct says){ .id = "CGA-1", .alias = "GHSA-2222-3333-4444", .name = "x",
                           .fixed = "2" });
    struct ck_package p = { CK_PACKAGE_APK, CK_V("x"), CK_V("1"), CK_V(""), CK_V("x"), CK_V("1"),
                            CK_V(""), CK_V("") };
    match(&w, &p, 1);
    const struct ck_finding *f = only_finding(&w);
    assert_view(f->id, "CVE-2024-1");
    assert_int_equal(f->n_aliases, 2);
    assert_view(f->aliases[0], "CGA-1");
    assert_view(f->aliases[1], "GHSA-2222-3333-4444");
    assert_view(f->fix_version, "3"); /* that settles all of them */
    end(&w);
}

static void test_severity_order(void **state)
{
    (void)state;
    const char *critical = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .severity = CK_SEVERITY_LOW,
                           .cvss = critical });
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "x", .cvss = critical });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "x" });
    say(&w, (struct says){ .id = "CVE-2024-4", .name = "x" });
    say(&w, (struct says){ .id = "CVE-2024-5", .name = "x" });
    say(&w, (struct says){ .id = "GHSA-2222-3333-4444", .alias = "CVE-2024-3", .name = "pip",
                           .ecosystem = "PyPI", .cvss = critical });
    say(&w, (struct says){ .id = "GHSA-2222-3333-5555", .alias = "CVE-2024-4", .name = "pip",
                           .ecosystem = "PyPI", .severity = CK_SEVERITY_MEDIUM });
    feed(&w, "kev", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-5", .kev = true });
    struct ck_package p = deb("x", "1", "x", "1");
    match(&w, &p, 1);
    assert_int_equal(w.m.n_findings, 5);
    static const struct {
        const char *id;
        enum ck_severity severity;
        unsigned tenths;
    } rows[] = { { "CVE-2024-2", CK_SEVERITY_CRITICAL, 98 },
                 { "CVE-2024-3", CK_SEVERITY_CRITICAL, 98 },
                 { "CVE-2024-4", CK_SEVERITY_MEDIUM, 0 },
                 { "CVE-2024-1", CK_SEVERITY_LOW, 98 },
                 { "CVE-2024-5", CK_SEVERITY_UNKNOWN, 0 } };
    for (size_t i = 0; i < 5; i++) {
        assert_view(w.m.findings[i].id, rows[i].id);
        assert_int_equal(w.m.findings[i].severity, rows[i].severity);
        assert_int_equal(w.m.findings[i].cvss_tenths, rows[i].tenths);
        assert_int_equal(w.m.findings[i].kev, i == 4);
    }
    end(&w);
}

/* --- Gaps ------------------------------------------------------------------------------------- */

static void test_gaps(void **state)
{
    (void)state;
    struct world w = begin("Debian:10", CK_VERSION_DPKG);
    feed(&w, "debian-tracker", NULL, "connection refused");
    say(&w, (struct says){ .id = "CVE-2024-1", .name = "x", .ecosystem = "Debian:12" });
    struct ck_package p[] = { deb("x", "1", "x", "1"), rpm("y", "1", "y", "1", NULL) };
    w.distro.end_of_life = 1789999999;
    w.distro.by_id_like = true;
    match(&w, p, 2);
    assert_gap(&w, "advisories");
    assert_gap(&w, "end of life");
    assert_gap(&w, "derivative");
    assert_gap(&w, "rpm packages");
    assert_gap(&w, "feed debian-tracker");
    w.distro = (struct ck_distro){ .ecosystem = CK_V("Debian:12"), .name = CK_V("Debian"),
                                   .scheme = CK_VERSION_DPKG, .known = true,
                                   .end_of_life = 1790000000 };
    match(&w, p, 1);
    assert_int_equal(w.m.n_gaps, 1); /* the feed */
    match(&w, p, 0);
    assert_gap(&w, "packages");
    w.distro = (struct ck_distro){ .name = CK_V("Foonix 3") };
    match(&w, p, 2);
    assert_gap(&w, "distribution");
    assert_int_equal(w.m.n_findings, 0);
    end(&w);
}

/* --- Explaining ------------------------------------------------------------------------------- */

static void assert_explains(struct world *w, const struct ck_package *p, size_t n, const char *id,
                            const char *part)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_match_explain(w->db, &w->distro, p, n, ck_view_str(id), &b));
    ck_autofree char *text = ck_buf_steal_str(&b);
    if (!strstr(text, part))
        print_error("not explained: %s\n%s\n", part, text);
    assert_non_null(strstr(text, part));
}

static void test_explain(void **state)
{
    (void)state;
    struct world w = begin("Debian:12", CK_VERSION_DPKG);
    feed(&w, "osv", NULL, NULL);
    say(&w, (struct says){ .id = "DSA-1-1", .fixes = "CVE-2024-1 CVE-2024-2", .name = "x",
                           .fixed = "2" });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "x", .fixed = "1" });
    say(&w, (struct says){ .id = "CVE-2024-3", .name = "x", .ecosystem = "Debian:13" });
    say(&w, (struct says){ .id = "CVE-2024-4", .name = "absent" });
    feed(&w, "debian-tracker", NULL, NULL);
    say(&w, (struct says){ .id = "CVE-2024-2", .name = "x", .state = CK_FIX_NOT_AFFECTED });
    open_db(&w);
    struct ck_package p = deb("x", "1.5", "x", "1.5");
    assert_explains(&w, &p, 1, "CVE-2024-1", "x 1.5 (source x): affected\n");
    assert_explains(&w, &p, 1, "CVE-2024-1",
                    "affected from the first version to before 2; compared 1.5");
    assert_explains(&w, &p, 1, "CVE-2024-1", "reported: CVE-2024-1 in x, unknown: ");
    assert_explains(&w, &p, 1, "DSA-1-1", "reported: CVE-2024-1 in x");
    assert_explains(&w, &p, 1, "CVE-2024-2", "suppressed: CVE-2024-2 in x by rule not-affected");
    assert_explains(&w, &p, 1, "CVE-2024-3", "x 1.5 (source x): has the fix");
    assert_explains(&w, &p, 1, "CVE-2024-3", "not reported: ");
    assert_explains(&w, &p, 1, "CVE-2024-3", "1 statements about other distributions");
    assert_explains(&w, &p, 1, "CVE-2024-4", "absent of Debian:12; the image does not have it");
    assert_explains(&w, &p, 1, "CVE-1999-0000", "no advisory in the database carries this id");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_and_binary_rebuild),
        cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_release_of_the_distribution_only),
        cmocka_unit_test(test_every_state_has_its_own_sentence),
        cmocka_unit_test(test_unimportant_is_negligible),
        cmocka_unit_test(test_not_affected_is_listed),
        cmocka_unit_test(test_backport),
        cmocka_unit_test(test_tracker_before_archive),
        cmocka_unit_test(test_archive_sentences),
        cmocka_unit_test(test_nameless_update_that_another_source_names),
        cmocka_unit_test(test_removed_package),
        cmocka_unit_test(test_kernel_headers),
        cmocka_unit_test(test_erratum_gives_a_finding_for_each_cve),
        cmocka_unit_test(test_rpm_source_without_epoch),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_apk_origin),
        cmocka_unit_test(test_ranges_and_lists),
        cmocka_unit_test(test_aliases_are_reported_once),
        cmocka_unit_test(test_severity_order),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
