#include "advisory/match_int.h"
#include "base/unit.h"

struct row {
    const char *id, *id_like, *version_id, *codename;
    const char *ecosystem; /* "" unknown */
    enum ck_version_scheme scheme;
    bool like;
    const char *end; /* "" unknown */
};

static const struct row rows[] = {
    { "debian", "", "12", "bookworm", "Debian:12", CK_VERSION_DPKG, false, "2028-06-30" },
    { "debian", "", "", "forky", "Debian:14", CK_VERSION_DPKG, false, "" },
    { "debian", "", "", "sid", "", CK_VERSION_UNKNOWN, false, "" },
    { "ubuntu", "debian", "22.04", "jammy", "Ubuntu:22.04:LTS", CK_VERSION_DPKG, false,
      "2027-06-01" },
    { "ubuntu", "debian", "23.10", "mantic", "Ubuntu:23.10", CK_VERSION_DPKG, false,
      "2024-07-11" },
    { "ubuntu", "debian", "21.04", "hirsute", "Ubuntu:21.04", CK_VERSION_DPKG, false,
      "2022-01-20" },
    { "alpine", "", "3.10.9", "", "Alpine:v3.10", CK_VERSION_APK, false, "2021-05-01" },
    { "alpine", "", "3.21.0_alpha20240807", "", "Alpine:edge", CK_VERSION_APK, false, "" },
    { "wolfi", "", "20230201", "", "Wolfi", CK_VERSION_APK, false, "" },
    { "chainguard", "", "20230214", "", "Chainguard", CK_VERSION_APK, false, "" },
    { "almalinux", "rhel centos fedora", "8.10", "", "AlmaLinux:8", CK_VERSION_RPM, false,
      "2029-03-01" },
    { "rocky", "rhel centos fedora", "9.3", "", "Rocky Linux:9", CK_VERSION_RPM, false,
      "2032-05-31" },
    { "rhel", "fedora", "9.4", "", "Red Hat:enterprise_linux:9", CK_VERSION_RPM, false,
      "2032-05-31" },
    { "centos", "rhel fedora", "8", "", "Red Hat:enterprise_linux:8", CK_VERSION_RPM, true,
      "2021-12-31" },
    { "ol", "fedora", "8.9", "", "Oracle Linux:8", CK_VERSION_RPM, false, "2029-07-31" },
    { "amzn", "fedora", "2023", "", "Amazon Linux:2023", CK_VERSION_RPM, false, "2029-06-30" },
    { "sles", "suse", "15.5", "", "SUSE:Linux Enterprise Server 15 SP5", CK_VERSION_RPM, false,
      "2024-12-31" },
    { "sles", "suse", "15", "", "SUSE:Linux Enterprise Server 15", CK_VERSION_RPM, false,
      "2019-12-31" },
    { "sles", "suse", "16.0", "", "SUSE:Linux Enterprise Server 16.0", CK_VERSION_RPM, false, "" },
    { "opensuse-leap", "suse opensuse", "15.5", "", "openSUSE:Leap 15.5", CK_VERSION_RPM, false,
      "2024-12-31" },
    { "opensuse-tumbleweed", "opensuse suse", "20240101", "", "openSUSE:Tumbleweed",
      CK_VERSION_RPM, false, "" },
    { "fedora", "", "40", "", "Fedora:40", CK_VERSION_RPM, false, "2025-05-13" },
    { "azurelinux", "", "3.0", "", "Azure Linux:3", CK_VERSION_RPM, false, "" },
    /* derivatives: by ID_LIKE, and by code name where numbers are their own */
    { "raspbian", "debian", "12", "bookworm", "Debian:12", CK_VERSION_DPKG, true, "2028-06-30" },
    { "pop", "ubuntu debian", "22.04", "jammy", "Ubuntu:22.04:LTS", CK_VERSION_DPKG, true,
      "2027-06-01" },
    { "linuxmint", "ubuntu debian", "21.3", "virginia", "", CK_VERSION_UNKNOWN, false, "" },
    { "kali", "debian", "2024.1", "kali-rolling", "", CK_VERSION_UNKNOWN, false, "" },
    { "anolis", "rhel fedora centos", "8.8", "", "Red Hat:enterprise_linux:8", CK_VERSION_RPM,
      true, "2029-05-31" },
    /* hostile or broken */
    { "", "", "", "", "", CK_VERSION_UNKNOWN, false, "" },
    { "debian", "", "%s%n", "", "", CK_VERSION_UNKNOWN, false, "" },
    { "alpine", "", "3", "", "", CK_VERSION_UNKNOWN, false, "" },
    { "gentoo", "", "2.14", "", "", CK_VERSION_UNKNOWN, false, "" },
    { "x", "  nothing  known ", "1", "", "", CK_VERSION_UNKNOWN, false, "" },
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct ck_os_release os = {
            .id = ck_view_str(r->id), .id_like = ck_view_str(r->id_like),
            .version_id = ck_view_str(r->version_id),
            .version_codename = ck_view_str(r->codename), .name = CK_V("N"),
            .pretty_name = CK_V(""), .variant_id = CK_V(""), .cpe_name = CK_V("") };
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_distro d;
        ck_distro_of(&os, &a, &d);
        assert_view(d.ecosystem, r->ecosystem);
        assert_int_equal(d.known, r->ecosystem[0] != 0);
        assert_int_equal(d.by_id_like, r->like);
        assert_int_equal(d.scheme, r->scheme);
        char day[32];
        ck_format_time(day, d.end_of_life);
        assert_memory_equal(d.end_of_life ? day : "", r->end, strlen(r->end));
        assert_int_equal(d.end_of_life != 0, r->end[0] != 0);
    }
}

static void test_siblings(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_distro d = { .ecosystem = CK_V("SUSE:Linux Enterprise Server 15 SP5") };
    ck_view *v;
    size_t n = ck_distro_ecosystems(&d, &a, &v);
    assert_true(n > 3);
    assert_view(v[0], "SUSE:Linux Enterprise Server 15 SP5");
    assert_view(v[1], "SUSE:Linux Enterprise Module for Basesystem 15 SP5");
    d.ecosystem = CK_V("Red Hat:enterprise_linux:9");
    n = ck_distro_ecosystems(&d, &a, &v);
    assert_view(v[1], "Red Hat:enterprise_linux:9::baseos");
    d.ecosystem = CK_V("Debian:12");
    assert_int_equal(ck_distro_ecosystems(&d, &a, &v), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
                                        cmocka_unit_test(test_siblings) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
