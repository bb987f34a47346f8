#include "advisory/feed/feed.h"
#include "base/unit.h"

#define HASH "5b72d419dc0fdaaf3765268e9b5edba6f545cd63f926d3c4d807fc3e33b86cdd"
#define STANZA(package, source, version, size) \
    "Package: " package "\n" source "Version: " version "\nFilename: pool/" package ".deb\n" \
    "Size: " size "\nSHA256: " HASH "\n\n"

static ck_err *write_down(void *ctx, const struct ck_archive_source *s)
{
    struct ck_buf *b = ctx;
    ck_buf_format(b, "%.*s %.*s:", CK_VF(s->name), CK_VF(s->version));
    for (size_t i = 0; i < s->n_debs; i++) {
        assert_int_equal(s->debs[i].sha256[31], 0xdd);
        ck_buf_format(b, " %.*s/%llu", CK_VF(s->debs[i].name), (unsigned long long)s->debs[i].size);
    }
    ck_buf_format(b, "\n");
    return NULL;
}

static void check(ck_view text, const char *want)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ck_debian_packages(text, write_down, &b);
    if (e)
        ck_buf_format(&b, "error: %s\n", ck_err_text(e));
    ck_err_free(e);
    char *got = ck_buf_steal_str(&b);
    assert_string_equal(got, want);
    free(got);
}

static void test_sources(void **state)
{
    (void)state;
    check(CK_V(""), "");
    check(CK_V("\n\n" STANZA("7zip", "", "22.01-1", "1021788") "\n"),
          "7zip 22.01-1: 7zip/1021788\n");
    /* Source without a version: the binary's; with one: that, as a binNMU has another. */
    check(CK_V(STANZA("libssl3", "Source: openssl\n", "3.0.11-1", "30")
               STANZA("openssl", "", "3.0.11-1", "20")
               STANZA("libssl-doc", "Source: openssl (3.0.11-1)\n", "3.0.11-1+b1", "10")
               STANZA("acl", "", "1", "1")),
          "acl 1: acl/1\nopenssl 3.0.11-1: libssl-doc/10 openssl/20 libssl3/30\n");
    /* The highest version in Debian's order, and at most four packages of it. */
    check(CK_V(STANZA("a", "Source: s\n", "1.9-1", "1") STANZA("b", "Source: s\n", "1.10-1", "50")
               STANZA("c", "Source: s\n", "1.10-1", "40") STANZA("d", "Source: s\n", "1.10-1", "30")
               STANZA("e", "Source: s\n", "1.10-1", "20") STANZA("f", "Source: s\n", "1.10-1", "10")
               STANZA("g", "Source: s\n", "1.10-1~bpo1", "2")),
          "s 1.10-1: f/10 e/20 d/30 c/40\n");
    /* What depends on its own version of a sibling may have a link for its documentation. */
#define PHP(package, depends, size) \
    STANZA(package, "Source: php\n" depends "\n", "8.2-1", size)
    check(CK_V(PHP("php-bz2", "Depends: libc6 (>= 2), php-common (= 8.2-1)", "1")
               PHP("php-xsl", "Depends: php-common (=8.2-1~), x ( = 8.2 )", "3")
               PHP("php-pre", "Pre-Depends: php-common ( = 8.2-1 ) | y", "2")
               PHP("php-common", "Depends: libc6 (>= 2.34", "9")),
          "php 8.2-1: php-xsl/3 php-common/9 php-bz2/1 php-pre/2\n");
    check(CK_V("Package: a\nDescription: x\n more: text\n .\n Version: 9\nVersion: 1\nFilename: "
               "p/a.deb\nSize: 1\nSHA256: "
               HASH "\nX: "), "a 1: a/1\n");
}

static void test_attacks(void **state)
{
    (void)state;
    check(CK_V("Package: a\n"), "error: Packages: stanza at line 1: Version is missing\n");
    check(CK_V(STANZA("a", "", "1", "1") STANZA("b", "Source: s (\n", "1", "1")),
          "error: Packages: stanza at line 7: Source is not \"name (version)\"\n");
    check(CK_V(STANZA("a", "Source: s ()\n", "1", "1")),
          "error: Packages: stanza at line 1: Source is not \"name (version)\"\n");
    check(CK_V(STANZA("a", "", "1", "-1")), "error: Packages: stanza at line 1: Size is no "
                                            "number\n");
    check(CK_V(STANZA("../../etc/passwd", "", "1", "1")),
          "error: Packages: stanza at line 1: Filename leaves the archive or is no path\n");
    check(CK_V("Package: a\nPackage: b\n"), "error: Packages: line 2: Package stands twice\n");
    check(CK_V("\n\nno colon here\n"), "error: Packages: line 3: no \"Field: value\" "
                                       "(deb822(5))\n");
    check(CK_V("Package: a\nVersion: 1\nFilename: a\nSize: 1\nSHA256: " HASH "00\n"),
          "error: Packages: stanza at line 1: SHA256 is no digest\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_attacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
