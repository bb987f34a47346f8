#include "base/arena.h"
#include "base/mem.h"
#include "base/unit.h"
#include "report/groups.h"
#include "report/layout.h"
#include "report/sample.h"
#include "report/sbom.h"

/* Compares with src/report/golden/NAME; COCKET_GOLDEN=write in the environment writes it. */
static void assert_golden(const char *name, ck_view got)
{
    const char *root = getenv("COCKET_SOURCE"), *mode = getenv("COCKET_GOLDEN");
    ck_autofree char *path = ck_format("%s/src/report/golden/%s", root ? root : ".", name);
    bool writes = mode && strcmp(mode, "write") == 0;
    FILE *f = fopen(path, writes ? "wb" : "rb");
    if (!f)
        print_error("cannot open %s\n", path);
    assert_non_null(f);
    if (writes) {
        assert_int_equal(fwrite(got.p, 1, got.n, f), got.n);
        fclose(f);
        return;
    }
    ck_autobuf struct ck_buf want = ck_buf_new(CK_LIMIT_NONE);
    size_t n;
    while ((n = fread(ck_buf_room(&want, 65536), 1, 65536, f)) > 0)
        want.n += n;
    fclose(f);
    if (!ck_view_eq(got, ck_buf_view(&want)))
        print_error("differs from golden/%s; got:\n%.*s\n", name, (int)got.n, (const char *)got.p);
    assert_true(ck_view_eq(got, ck_buf_view(&want)));
}

static void golden_json(const char *name, const struct ck_report *r)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_report_json(r, &b));
    assert_golden(name, ck_buf_view(&b));
}

typedef ck_err *format(const struct ck_report *r, struct ck_buf *out);
static void golden_sbom(const char *name, format *write, const struct ck_report *r)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(write(r, &b));
    assert_golden(name, ck_buf_view(&b));
}

static void golden_table(const char *name, const struct ck_report *r, unsigned columns, bool colour)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_table_options o = { columns, colour };
    assert_ok(ck_report_table(r, &o, &b));
    assert_golden(name, ck_buf_view(&b));
}

static void json_equals_golden(void **state)
{
    (void)state;
    golden_json("debian.json", sample_debian());
    golden_json("alpine-rootfs.json", sample_alpine_rootfs());
    golden_json("rpm-unmatched.json", sample_rpm_unmatched());
}

static void sboms_equal_golden(void **state)
{
    (void)state;
    golden_sbom("debian.cdx.json", ck_report_cyclonedx, sample_debian());
    golden_sbom("alpine-rootfs.cdx.json", ck_report_cyclonedx, sample_alpine_rootfs());
    golden_sbom("rpm-unmatched.cdx.json", ck_report_cyclonedx, sample_rpm_unmatched());
    golden_sbom("debian.spdx.json", ck_report_spdx, sample_debian());
    golden_sbom("alpine-rootfs.spdx.json", ck_report_spdx, sample_alpine_rootfs());
    golden_sbom("rpm-unmatched.spdx.json", ck_report_spdx, sample_rpm_unmatched());
}

static void table_equals_golden(void **state)
{
    (void)state;
    golden_table("debian-80.txt", sample_debian(), 80, false);
    golden_table("debian-80-colour.txt", sample_debian(), 80, true);
    golden_table("debian-200.txt", sample_debian(), 200, false);
    golden_table("alpine-rootfs-80.txt", sample_alpine_rootfs(), 80, false);
    golden_table("rpm-unmatched-80.txt", sample_rpm_unmatched(), 80, false);
}

/* --- The table keeps its promises at any width ------------------------------------------------ */

/* What is left without layout: a wrapped word reads as if it had not been. */
static char *without_blanks(ck_view v)
{
    char *s = ck_strndup(v.p, v.n), *to = s;
    for (const char *from = s; *from; from++)
        if (*from != ' ' && *from != '\n')
            *to++ = *from;
    *to = '\0';
    return s;
}

static void assert_lines_fit(ck_view text, unsigned columns)
{
    ck_cur c = ck_cur_of(text);
    while (!ck_cur_end(&c)) {
        ck_view line = ck_cur_line(&c);
        if (ck_text_width(line) > columns)
            print_error("wider than %u: %.*s\n", columns, CK_VF(line));
        assert_true(ck_text_width(line) <= columns);
        assert_false(ck_view_ends(line, CK_V(" ")));
        for (size_t i = 0; i < line.n; i++)
            assert_true(line.p[i] >= 0x20 && line.p[i] != 0x7F);
    }
}

static void table_of_400_findings_fits_and_cuts_nothing(void **state)
{
    (void)state;
    static const unsigned widths[] = { 1, 40, 61, 80, 100, 132, 200, 1000 };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_report r;
    sample_large(400, &a, &r);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        assert_ok(ck_report_table(&r, &(struct ck_table_options){ .columns = widths[w] }, &b));
        assert_lines_fit(ck_buf_view(&b), widths[w] < 40 ? 40 : widths[w]);
        ck_autofree char *text = without_blanks(ck_buf_view(&b));
        for (size_t i = 0; i < r.match->n_findings && widths[w] >= 80; i++) {
            ck_autofree char *id = ck_format("%.*s", CK_VF(r.match->findings[i].id));
            assert_non_null(strstr(text, id));
        }
    }
}

static void a_long_report_says_its_verdict_twice(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report r;
    sample_large(400, &a, &r);
    assert_ok(ck_report_table(&r, &(struct ck_table_options){ .columns = 80 }, &b));
    assert_true(ck_view_starts(ck_buf_view(&b), CK_V("DENY  oci:/srv/images/app:1.4\n")));
    assert_true(ck_view_ends(ck_buf_view(&b),
                             CK_V("\nDENY  400 findings, 206 fixable, 5 known "
                                                   "exploited, 2 gaps\n")));
}

static void gaps_stand_before_findings(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_report_table(sample_debian(), &(struct ck_table_options){ .columns = 80 }, &b));
    ck_autofree char *text = ck_buf_steal_str(&b);
    assert_non_null(strstr(text, "NOT ASSESSED"));
    assert_true(strstr(text, "in all") < strstr(text, "NOT ASSESSED"));
    assert_true(strstr(text, "NOT ASSESSED") < strstr(text, "CVE-2025-10002"));
}

static void ended_support_is_told_by_the_time_of_the_database(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report_database database = *sample_debian()->database;
    struct ck_report r = *sample_debian();
    r.database = &database;
    database.built = r.distro.end_of_life + 1;
    assert_ok(ck_report_table(&r, &(struct ck_table_options){ .columns = 80 }, &b));
    ck_autofree char *text = ck_buf_steal_str(&b);
    assert_non_null(strstr(text, "(bookworm), security support ended 2028-06-28\n"));
}

/* --- Parts ------------------------------------------------------------------------------------ */

static void equal_reports_give_equal_bytes(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf one = ck_buf_new(CK_LIMIT_NONE), two = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report x, y;
    sample_large(100, &a, &x);
    sample_large(100, &a, &y);
    assert_ok(ck_report_json(&x, &one));
    assert_ok(ck_report_table(&x, &(struct ck_table_options){ .columns = 80 }, &one));
    assert_ok(ck_report_json(&y, &two));
    assert_ok(ck_report_table(&y, &(struct ck_table_options){ .columns = 80 }, &two));
    assert_true(ck_view_eq(ck_buf_view(&one), ck_buf_view(&two)));
}

static void groups_join_what_one_update_mends(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_groups g;
    ck_report_groups(sample_debian(), &a, &g);
    assert_int_equal(g.n, 7);
    assert_int_equal(g.v[0].n, 3); /* libssl3 and openssl, two ids */
    assert_int_equal(ck_group_ids(&g.v[0]), 2);
    assert_true(g.v[0].kev);
    assert_view(ck_group_package(sample_debian(), &g.v[0])->source_name, "openssl");
    for (size_t i = 1; i < g.n; i++)
        assert_true(g.v[i - 1].severity >= g.v[i].severity);
    /* In one severity what can be fixed comes first. */
    assert_view(ck_group_package(sample_debian(), &g.v[2])->source_name, "perl");
}

static void indexes_that_point_nowhere_are_an_error(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_finding f = { .package = 8 };
    struct ck_match m = { .findings = &f, .n_findings = 1 };
    struct ck_report r = *sample_debian();
    r.match = &m;
    assert_fails(ck_report_json(&r, &b), CK_ERR_OURS, "finding 0 is about package 8 of 8");
    assert_fails(ck_report_table(&r, &(struct ck_table_options){ .columns = 80 }, &b), CK_ERR_OURS,
                 "finding 0 is about package 8 of 8");
    assert_fails(ck_report_cyclonedx(&r, &b), CK_ERR_OURS, "finding 0 is about package 8 of 8");
    assert_fails(ck_report_spdx(&r, &b), CK_ERR_OURS, "finding 0 is about package 8 of 8");
    r = *sample_debian();
    r.n_layers = 2;
    assert_fails(ck_report_json(&r, &b), CK_ERR_OURS, "lies in layer 2 of 2");
    assert_int_equal(b.n, 0);
}

static void assert_purl(const struct ck_report *r, const struct ck_package *p, const char *want)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_report_purl(r, p, &b);
    assert_view(ck_buf_view(&b), want);
}

static void purls_follow_the_types_of_the_spec(void **state)
{
    (void)state;
    const struct ck_report *deb = sample_debian(), *rpm = sample_rpm_unmatched();
    assert_purl(deb, &deb->packages[0].p,
                "pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u1?arch=amd64&distro=debian-12&"
                "upstream=util-linux%402.38.1-5%2Bdeb12u1");
    assert_purl(deb, &deb->packages[3].p,
                "pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12&"
                "upstream=openssl");
    assert_purl(sample_alpine_rootfs(), &sample_alpine_rootfs()->packages[0].p,
                "pkg:apk/alpine/musl@1.2.5-r9?arch=x86_64&distro=alpine-3.22.1");
    /* An rpm's name keeps its case, its epoch is a qualifier, its source a file name. */
    assert_purl(rpm, &rpm->packages[0].p,
                "pkg:rpm/almalinux/ImageMagick-libs@7.1.1.26-1.el9%5Egit5?arch=x86_64&"
                "distro=almalinux-9.6&epoch=1&upstream=ImageMagick-7.1.1.26-1.el9%5Egit5.src.rpm");
    assert_purl(rpm, &rpm->packages[1].p,
                "pkg:rpm/almalinux/nodejs@20.11.1-1.module_el9%2B1?arch=x86_64&"
                "distro=almalinux-9.6&epoch=1&rpmmod=nodejs:20");
}

static void purl_of_a_package_that_injects_qualifiers(void **state)
{
    (void)state;
    struct ck_report r = { 0 };
    struct ck_package p = { .type = CK_PACKAGE_DEB, .name = CK_V("A/b?x=1#f"),
                            .version = CK_V("1@2&y%"),
                            .arch = CK_V("amd64&evil=1") };
    assert_purl(&r, &p, "pkg:deb/a%2Fb%3Fx%3D1%23f@1%402%26y%25?arch=amd64%26evil%3D1");
    r.os_release.id = CK_V("A/b"); /* no part of a namespace may be that */
    assert_purl(&r, &p,
                "pkg:deb/a%2Fb%3Fx%3D1%23f@1%402%26y%25?arch=amd64%26evil%3D1&distro=a%2Fb");
    r.os_release.id = CK_V("A?b");
    p = (struct ck_package){ .type = CK_PACKAGE_DEB, .name = CK_V("n"), .version = CK_V("1") };
    assert_purl(&r, &p, "pkg:deb/a%3Fb/n@1?distro=a%3Fb");
}

static void assert_image_purl(const char *reference, const char *want)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report r = *sample_debian();
    r.reference = ck_view_str(reference);
    ck_sbom_image_purl(&r, &b);
    assert_view(ck_buf_view(&b), want);
}

static void an_image_with_a_name_has_a_purl(void **state)
{
    (void)state;
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const char debian[] = "pkg:oci/debian@sha256:" HEX
                                 "?arch=amd64&repository_url=docker.io%2Flibrary%2Fdebian&tag=12";
    assert_image_purl("debian:12", debian);
    assert_image_purl("docker://debian:12", debian);
    assert_image_purl("store:docker.io/library/debian:12", debian);
    assert_image_purl("[::1]:5000/a/b@sha256:" HEX,
                      "pkg:oci/b@sha256:" HEX
                      "?arch=amd64&repository_url=%5B::1%5D:5000%2Fa%2Fb");
    assert_image_purl("oci:layout", "");
    assert_image_purl("rootfs:/", "");
    assert_image_purl("store:sha256:" HEX, "");
    assert_image_purl("store:" HEX, "");
    assert_image_purl("\x1b[2J", "");
}

static void serial_numbers_follow_what_is_said(void **state)
{
    (void)state;
    char one[37], two[37];
    ck_sbom_uuid(CK_V(""), one); /* SHA-256 of nothing: e3b0c442 98fc 1c14 9afb f4c8996fb924 */
    assert_string_equal(one, "e3b0c442-98fc-8c14-9afb-f4c8996fb924");
    ck_sbom_uuid(CK_V("x"), two);
    assert_string_not_equal(one, two);
    struct ck_report r = *sample_debian();
    ck_autobuf struct ck_buf a = ck_buf_new(CK_LIMIT_NONE), b = ck_buf_new(CK_LIMIT_NONE),
                             c = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_report_cyclonedx(&r, &a));
    assert_ok(ck_report_cyclonedx(&r, &b));
    assert_true(ck_view_eq(ck_buf_view(&a), ck_buf_view(&b)));
    r.decision = CK_V("allow");
    assert_ok(ck_report_cyclonedx(&r, &c));
    size_t head = 160; /* up to the serial number */
    assert_false(ck_view_eq(ck_view_head(ck_buf_view(&a), head),
                            ck_view_head(ck_buf_view(&c), head)));
}

static void assert_url(const char *feed, const char *ecosystem, const char *id, const char *want)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report r = *sample_debian();
    struct ck_finding f = { .advisory_source = ck_view_str(feed), .id = ck_view_str(id),
                            .package = 3 };
    r.distro.ecosystem = ck_view_str(ecosystem);
    ck_report_url(&r, &f, &b);
    assert_view(ck_buf_view(&b), want);
}

static void urls_are_made_from_feed_and_id(void **state)
{
    (void)state;
    assert_url("debian-tracker", "Debian:12", "CVE-2025-1",
               "https://security-tracker.debian.org/tracker/CVE-2025-1");
    assert_url("debian-archive", "Debian:12", "DEBIAN-x",
               "https://security-tracker.debian.org/tracker/source-package/openssl");
    assert_url("osv", "AlmaLinux:9", "ALSA-2025:1", "https://osv.dev/vulnerability/ALSA-2025:1");
    assert_url("alpine-secdb", "Alpine:v3.20", "CVE-2025-1",
               "https://security.alpinelinux.org/vuln/CVE-2025-1");
    assert_url("alpine-secdb", "Wolfi", "CVE-2025-1",
               "https://www.cve.org/CVERecord?id=CVE-2025-1");
    assert_url("alpine-secdb", "Wolfi", "GHSA-1", "https://github.com/advisories/GHSA-1");
    assert_url("alpine-secdb", "Wolfi", "XSA-1", "");
    assert_url("osv", "", "../../x?y", "https://osv.dev/vulnerability/..%2F..%2Fx%3Fy");
}

static void a_feeds_url_is_a_uri(void **state)
{
    (void)state;
    static const char *const urls[][2] = {
        { "https://a.example/b?c=d&e#f", "https://a.example/b?c=d&e#f" },
        { "http://a b/\"<>\\^`{|}\n", "http://a%20b/%22%3C%3E%5C%5E%60%7B%7C%7D%0A" },
        { "https://a/%41%e4%zz%4", "https://a/%41%e4%25zz%254" },
        { "https://\xc3\xa4\xff", "https://%C3%A4%FF" },
        { "javascript:alert(1)", "" },
    };
    struct ck_report r = *sample_debian();
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_finding f = { .advisory_url = ck_view_str(urls[i][0]) };
        ck_report_url(&r, &f, &b);
        assert_view(ck_buf_view(&b), urls[i][1]);
    }
}

/* affects[].versions[].version of CycloneDX 1.5: 1 to 1024 characters. */
static void assert_affected_version(size_t length, bool want)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), version = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report r = *sample_debian();
    struct ck_report_package packages[8];
    assert_int_equal(r.n_packages, 8);
    memcpy(packages, r.packages, sizeof packages);
    for (size_t i = 0; i < length; i++)
        ck_put_u8(&version, '1');
    for (size_t i = 0; i < r.n_packages; i++)
        packages[i].p.version = ck_buf_view(&version);
    r.packages = packages;
    assert_ok(ck_report_cyclonedx(&r, &b));
    ck_put_u8(&b, '\0');
    assert_non_null(strstr((const char *)b.p, "\"affects\""));
    assert_int_equal(strstr((const char *)b.p, "\"versions\"") != NULL, want);
}

static void an_affected_version_has_the_length_of_the_schema(void **state)
{
    (void)state;
    assert_affected_version(0, false);
    assert_affected_version(1, true);
    assert_affected_version(1024, true);
    assert_affected_version(1025, false);
}

static void wrapping_never_cuts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "one two three", "a-very-long-version+deb12u1~bpo11+1 x", "  leading",
            "\xc3\xa4\xe6\xbc\xa2\xe5\xad\x97 x",
        "https://a.example/b/c,d", "    ", "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (unsigned width = 1; width < 20; width++) {
            ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
            for (ck_view rest = ck_view_str(texts[i]); rest.n;) {
                size_t before = rest.n;
                ck_view line = ck_layout_wrap(&rest, width);
                assert_true(rest.n < before);
                assert_true(ck_text_width(line) <= (width < 2 ? 2 : width));
                    /* one wide character */
                ck_put_bytes(&b, line);
            }
            ck_autofree char *got = without_blanks(ck_buf_view(&b));
            ck_autofree char *want = without_blanks(ck_view_str(texts[i]));
            assert_string_equal(got, want);
        }
    }
    ck_view version = CK_V("1.2.3+really1.2-4"); /* behind a mark rather than within a number */
    assert_view(ck_layout_wrap(&version, 9), "1.2.3+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_equals_golden),
        cmocka_unit_test(sboms_equal_golden),
        cmocka_unit_test(table_equals_golden),
        cmocka_unit_test(table_of_400_findings_fits_and_cuts_nothing),
        cmocka_unit_test(a_long_report_says_its_verdict_twice),
        cmocka_unit_test(gaps_stand_before_findings),
        cmocka_unit_test(ended_support_is_told_by_the_time_of_the_database),
        cmocka_unit_test(equal_reports_give_equal_bytes),
        cmocka_unit_test(groups_join_what_one_update_mends),
        cmocka_unit_test(indexes_that_point_nowhere_are_an_error),
        cmocka_unit_test(purls_follow_the_types_of_the_spec),
        cmocka_unit_test(purl_of_a_package_that_injects_qualifiers),
        cmocka_unit_test(an_image_with_a_name_has_a_purl),
        cmocka_unit_test(serial_numbers_follow_what_is_said),
        cmocka_unit_test(urls_are_made_from_feed_and_id),
        cmocka_unit_test(a_feeds_url_is_a_uri),
        cmocka_unit_test(an_affected_version_has_the_length_of_the_schema),
        cmocka_unit_test(wrapping_never_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
