#include "detect/unit_facts.h"

static void facts_round_trip(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_fact package = { .kind = CK_FACT_PACKAGE,
                               .package = { .type = CK_PACKAGE_RPM, .name = CK_V("n"),
                                            .version = CK_V("1:2-3"), .module = CK_V("m:s") } };
    struct ck_fact os = { .kind = CK_FACT_OS_RELEASE,
                          .os = { .id = CK_V("debian"), .cpe_name = CK_V("cpe:/o") } };
    struct ck_fact gap = { .kind = CK_FACT_GAP, .gap = CK_V("why") };
    ck_fact_encode(&package, &b);
    assert_int_equal(b.n, ck_fact_size(&package));
    ck_fact_encode(&os, &b);
    ck_fact_encode(&gap, &b);

    ck_cur c = ck_cur_of(ck_buf_view(&b));
    struct ck_fact f;
    bool end = true;
    assert_ok(ck_fact_decode(&c, &f, &end));
    assert_false(end);
    assert_int_equal(f.package.type, CK_PACKAGE_RPM);
    assert_view(f.package.version, "1:2-3");
    assert_view(f.package.module, "m:s");
    assert_view(f.package.status, "");
    assert_ok(ck_fact_decode(&c, &f, &end));
    assert_view(f.os.cpe_name, "cpe:/o");
    assert_ok(ck_fact_decode(&c, &f, &end));
    assert_int_equal(f.kind, CK_FACT_GAP);
    assert_view(f.gap, "why");
    assert_ok(ck_fact_decode(&c, &f, &end));
    assert_true(end);
}

/* Every proper prefix of a fact is damage; so are kinds, types and lengths that do not exist. */
static void facts_from_a_room_that_was_taken_over(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_fact p = { .kind = CK_FACT_PACKAGE, .package = { .name = CK_V("name") } };
    ck_fact_encode(&p, &b);
    struct ck_fact f;
    bool end;
    for (size_t n = 1; n < b.n; n++) {
        ck_cur c = ck_cur_of(ck_view_of(b.p, n));
        assert_fails(ck_fact_decode(&c, &f, &end), CK_ERR_HOSTILE, "facts: ");
    }
    static const struct {
        const char *bytes;
        size_t n;
        const char *why;
    } bad[] = {
        { "\x09", 1, "no kind 9" },
        { "\x00", 1, "no kind 0" },
        { "\x01\x07", 2, "no package type 7" },
        { "\x03\xff\xff\xff\xff", 5, "longer than 4096" },
        { "\x03\x01\x00\x00\x00\xff", 6, "not UTF-8" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_cur c = ck_cur_of(ck_view_of(bad[i].bytes, bad[i].n));
        assert_fails(ck_fact_decode(&c, &f, &end), CK_ERR_HOSTILE, bad[i].why);
    }
}

static void paths_and_places(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned id; /* 0: no detector */
    } of[] = {
        { "etc/os-release", CK_DETECT_OS_RELEASE },
        { "usr/lib/os-release", CK_DETECT_OS_RELEASE },
        { "var/lib/dpkg/status", CK_DETECT_DPKG },
        { "var/lib/dpkg/status.d/base", CK_DETECT_DPKG_D },
        { "var/lib/dpkg/status.d/base.md5sums", 0 },
        { "var/lib/dpkg/status.d/a/b", 0 },
        { "var/lib/dpkg/status.d/", 0 },
        { "var/lib/dpkg/status.d", 0 },
        { "var/lib/dpkg/status-old", 0 },
        { "usr/lib/apk/db/installed", CK_DETECT_APK },
        { "usr/lib/sysimage/rpm/Packages.db", CK_DETECT_RPM_NDB },
        { "var/lib/rpm/Packages", CK_DETECT_RPM_BDB },
        { "usr/share/rpm/rpmdb.sqlite", CK_DETECT_RPM_SQLITE },
        { "usr/share/rpm/rpmdb.sqlite-wal", 0 },
        { "home/var/lib/dpkg/status", 0 },
        { "", 0 },
    };
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        const struct ck_detector *d = ck_detector_for_path(ck_view_str(of[i].path));
        assert_int_equal(d ? (unsigned)d->id : 0, of[i].id);
    }
    assert_int_equal(ck_detect_places_count, 15);
    for (size_t i = 0; i < ck_detect_places_count; i++)
        assert_non_null(ck_detector_by_id(ck_detect_places[i].id));
    assert_int_equal(ck_detect_pendings_count, 6);
    assert_string_equal(ck_detect_pendings[0].path, "var/lib/rpm/rpmdb.sqlite-wal");
    assert_null(ck_detector_by_id(0));
    assert_null(ck_detector_by_id(CK_DETECT_COUNT_));
    assert_string_equal(ck_detector_by_id(CK_DETECT_RPM_NDB)->name, "rpm-ndb");
}

static void os_release_as_a_shell_reads_it(void **state)
{
    (void)state;
    unit_says(ck_detect_os_release,
              CK_V("PRETTY_NAME=\"Debian \\\"12\\\" \\$x \\n\"\n# c\n\nID=debian\r\nID=over\n"
                   "ID_LIKE='a b'\nVERSION_ID=\"12\"\nVERSION_CODENAME=book\"wo\"'rm'\n"
                   "NAME=a\\ b\nVARIANT_ID=\"\"\nCPE_NAME=\"cpe:/o:x:y\"\nIDX=1\n"),
              "os over|a b|12|bookworm|a b|Debian \"12\" $x \\n||cpe:/o:x:y\n");
    unit_says(ck_detect_os_release, CK_V(""), "os |||||||\n");
    unit_says(ck_detect_os_release, CK_V("ID=x"), "os x|||||||\n");
}

static void os_release_attacks(void **state)
{
    (void)state;
    unit_says(ck_detect_os_release, CK_V("ID=\"open\nNAME=x\njunk\nVERSION_ID=\xff\n"),
              "gap os-release: line 1: a quote is not closed (os-release(5))\n"
              "gap os-release: line 3: no assignment (os-release(5))\n"
              "gap os-release: VERSION_ID: the value is not UTF-8 and is left out\n"
              "os ||||x|||\n");
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("ID="));
    for (size_t i = 0; i < CK_MAX_FIELD; i++)
        ck_put_u8(&b, 'a');
    unit_says_among(ck_detect_os_release, ck_buf_view(&b), "os aaaa"); /* at the limit */
    ck_put_u8(&b, 'a');
    unit_says_among(ck_detect_os_release, ck_buf_view(&b), "ID: the value is longer than 4096");
}

static void dpkg_states_and_sources(void **state)
{
    (void)state;
    unit_says(ck_detect_dpkg,
              CK_V("Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\n"
                   "Source: openssl (3.0.15-1)\nVersion: 3.0.15-1+b1\nConffiles:\n /etc/x abc\n"
                   "Description: a\n Package: no\n .\n\n"
                   "package: held\nSTATUS: hold ok installed\nVersion:1:2\nSource: src\n\n\n"
                   "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
                   "Package: never\nStatus: unknown ok not-installed\n\n"
                   "Package: half\nStatus: install reinstreq half-installed\nVersion: 2\n\n"
                   "Package: unpacked\nStatus: install ok unpacked\nVersion: 3"),
              "deb libssl3 3.0.15-1+b1 amd64 openssl 3.0.15-1 [] {}\n"
              "deb held 1:2  src 1:2 [] {hold ok installed}\n"
              "deb half 2  half 2 [] {install reinstreq half-installed}\n"
              "deb unpacked 3  unpacked 3 [] {install ok unpacked}\n");
    unit_says(ck_detect_dpkg, CK_V("Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n"),
              "deb tzdata 2024a-0 all tzdata 2024a-0 [] {}\n");
    unit_says(ck_detect_dpkg, CK_V(""), "");
}

static void dpkg_attacks(void **state)
{
    (void)state;
    unit_says(ck_detect_dpkg,
              CK_V(" continued\nPackage: a\n b\nVersion: 1\nVersion: 2\nno field\n:x\n\n"
                   "Version: 1\n\nPackage: b\n\nPackage: c\xff\nVersion: 1\n\n"
                   "Package: d\nVersion: 1\nArchitecture: \xc0\x80\nSource: (9)\nStatus: ok\n"),
              "gap dpkg status: line 1: a continuation of nothing (deb822(5))\n"
              "gap dpkg status: line 3: the field package must be one line (deb822(5))\n"
              "gap dpkg status: line 5: the field version stands twice (deb822(5))\n"
              "gap dpkg status: line 6: neither a field nor a continuation (deb822(5))\n"
              "gap dpkg status: line 7: neither a field nor a continuation (deb822(5))\n"
              "deb a 1  a 1 [] {}\n"
              "gap dpkg status: line 9: a package is left out, since its name is missing\n"
              "gap dpkg status: line 11: a package is left out, since its version is missing\n"
              "gap dpkg status: line 13: a package is left out, since its name is not UTF-8\n"
              "gap dpkg status: line 16: a Status that is not of three words (dpkg(1))\n"
              "gap dpkg status: line 16: the architecture is not UTF-8 and is left out\n"
              "deb d 1  d 9 [] {ok}\n");
    unit_says_among(ck_detect_dpkg, CK_V("\x1b[2Jclear\n"), "neither a field");
}

static void dpkg_thousands_of_bad_lines_give_few_gaps(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < 100016; i++)
        ck_put_bytes(&b, CK_V("x\n"));
    ck_autofree char *facts = unit_facts(ck_detect_dpkg, ck_buf_view(&b));
    assert_non_null(strstr(facts, "gap dpkg status: 100001 more places could not be read\n"));
    assert_true(strlen(facts) < 3000);
}

static void dpkg_package_limit(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < CK_MAX_PACKAGES; i++)
        ck_put_bytes(&b, CK_V("Package: a\nVersion: 1\n\n"));
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
    assert_ok(ck_detect_dpkg(ck_buf_view(&b), &out));
    ck_buf_clear(&out);
    ck_put_bytes(&b, CK_V("Package: a\nVersion: 1\n\n"));
    assert_fails(ck_detect_dpkg(ck_buf_view(&b), &out), CK_ERR_LIMIT, "PACKAGES");
}

static void facts_never_pass_their_ceiling(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < 4000; i++)
        ck_put_bytes(&b, CK_V("Package: a\nVersion: 1\n\n"));
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_STRING);
    assert_fails(ck_detect_dpkg(ck_buf_view(&b), &out), CK_ERR_LIMIT, "STRING");
}

/* The package list of this machine, where it has one, as dpkg-query gives it. */
static void dpkg_of_this_machine(void **state)
{
    (void)state;
    if (system("command -v dpkg-query >/dev/null 2>&1 && test -s /var/lib/dpkg/status") != 0) {
        print_message("skipped: no dpkg database on this machine\n");
        skip();
    }
    unit_auto ck_view status = unit_command("cat /var/lib/dpkg/status");
    unit_auto ck_view want = unit_command(
        "dpkg-query -W -f 'deb ${Package} ${Version} ${Architecture} ${source:Package} "
        "${source:Version} [] {${Status}}\n' | sed 's/{install ok installed}/{}/; "
        "/ config-files}$/d; / not-installed}$/d'");
    ck_autofree char *facts = unit_facts(ck_detect_dpkg, status);
    ck_autofree char *text = ck_strndup(want.p, want.n);
    ck_autofree char *got_sorted = unit_sorted(facts), *want_sorted = unit_sorted(text);
    assert_string_equal(got_sorted, want_sorted);
    assert_true(strlen(got_sorted) > 1000);
}

static void apk_entries(void **state)
{
    (void)state;
    unit_says(ck_detect_apk,
              CK_V("C:Q1x=\nP:musl-utils\nV:1.2.5-r0\nA:x86_64\nS:1\no:musl\nF:sbin\nR:ldconfig\n"
                   "a:0:0:755\nZ:Q1y=\n\nP:.deps\nV:20240101.1\n\n\nP:last\nV:1\n"),
              "apk musl-utils 1.2.5-r0 x86_64 musl 1.2.5-r0 [] {}\n"
              "apk .deps 20240101.1  .deps 20240101.1 [] {}\n"
              "apk last 1  last 1 [] {}\n");
}

static void apk_attacks(void **state)
{
    (void)state;
    unit_says(ck_detect_apk, CK_V("P:a\nP:b\nV:1\nxx\nF\n\nV:1\n\nP:c\n\nP:\nV:\n"),
              "gap apk installed database: line 2: \"P:\" stands twice in a package\n"
              "gap apk installed database: line 4: does not begin with a letter and a colon\n"
              "gap apk installed database: line 5: does not begin with a letter and a colon\n"
              "apk a 1  a 1 [] {}\n"
              "gap apk installed database: line 7: a package is left out, since its name is "
              "missing\n"
              "gap apk installed database: line 9: a package is left out, since its version is "
              "missing\n"
              "gap apk installed database: line 11: a package is left out, since its name is "
              "missing\n");
}

/* The databases of the official images against a list that awk makes of them. */
static void apk_of_alpine_images(void **state)
{
    (void)state;
    static const char *const versions[] = { "3.6.5", "3.8.5", "3.10.9", "3.14.10", "3.18.9",
                                            "3.20.3" };
    const char *shared = getenv("COCKET_SHARED");
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        ck_autofree char *name = ck_format("fixtures/images/alpine-minirootfs-%s-x86_64.tar.gz",
                                           versions[i]);
        unit_auto ck_view present = unit_shared(name); /* skips where it is absent */
        assert_true(present.n > 0);
        ck_autofree char *extract =
            ck_format("tar -xzOf '%s/%s' ./lib/apk/db/installed", shared ? shared : "../shared",
                      name);
        ck_autofree char *list = ck_format(
            "%s | awk -F: '/^P:/{p=$2} /^V:/{v=$2} /^A:/{a=$2} /^o:/{o=$2} "
            "/^$/{print \"apk\",p,v,a,o,v,\"[] {}\"; p=\"\"}'", extract);
        unit_auto ck_view db = unit_command(extract), want = unit_command(list);
        ck_autofree char *got = unit_facts(ck_detect_apk, db);
        ck_autofree char *text = ck_strndup(want.p, want.n);
        assert_string_equal(got, text);
        assert_non_null(strstr(got, "apk musl "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_round_trip),
        cmocka_unit_test(facts_from_a_room_that_was_taken_over),
        cmocka_unit_test(facts_never_pass_their_ceiling),
        cmocka_unit_test(paths_and_places),
        cmocka_unit_test(os_release_as_a_shell_reads_it),
        cmocka_unit_test(os_release_attacks),
        cmocka_unit_test(dpkg_states_and_sources),
        cmocka_unit_test(dpkg_attacks),
        cmocka_unit_test(dpkg_thousands_of_bad_lines_give_few_gaps),
        cmocka_unit_test(dpkg_package_limit),
        cmocka_unit_test(dpkg_of_this_machine),
        cmocka_unit_test(apk_entries),
        cmocka_unit_test(apk_attacks),
        cmocka_unit_test(apk_of_alpine_images),
    };
    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
