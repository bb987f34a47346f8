#include "advisory/feed/feed.h"
#include "base/unit.h"

#include "advisory/feed/test_sink.h"

#define DOC(head, fixes) \
    "{" head ",\"packages\":[{\"pkg\":{\"name\":\"xen\",\"secfixes\":{" fixes "}}}]}"
#define ALPINE "\"urlprefix\":\"http://x/alpine\",\"distroversion\":\"v3.10\",\"reponame\":\"main\""
#define secdb(json, want) assert_feed(ck_feed_alpine_secdb, CK_V(json), want)

static void test_versions(void **state)
{
    (void)state;
    secdb(DOC(ALPINE, "\"4.7.0-r1\":[\"CVE-2016-7092\"],\"0\":[\"CVE-2016-7093\"]"),
          "CVE-2016-7092\n  Alpine:v3.10 xen source fixed [,4.7.0-r1)\n"
          "CVE-2016-7093\n  Alpine:v3.10 xen source not-affected [,0)\n");
    /* The same id for several packages and versions is one advisory. */
    secdb("{" ALPINE ",\"packages\":[{\"pkg\":{\"name\":\"a\","
                     "\"secfixes\":{\"2-r0\":[\"CVE-2016-7092\"],\"3-r0\":"
          "[\"CVE-2016-7092\"]}}},{\"pkg\":{\"name\":\"b\","
          "\"secfixes\":{\"1-r0\":[\"CVE-2016-7092\"]}}}]}",
          "CVE-2016-7092\n  Alpine:v3.10 a source fixed [,2-r0)\n  Alpine:v3.10 a source fixed [,"
          "3-r0)\n"
          "  Alpine:v3.10 b source fixed [,1-r0)\n");
    /* Slips of hand that are in the fixtures; all mended. */
    secdb(DOC(ALPINE, "\"1.0.4.-r0\":[\"CVE-2016-7092\"],\"0.8.21.r2\":[\"CVE-2016-7093\"],"
                      "\"57-1-r2\":[\"CVE-2016-7094\"]"),
          "CVE-2016-7092\n  Alpine:v3.10 xen source fixed [,1.0.4-r0)\n"
          "CVE-2016-7093\n  Alpine:v3.10 xen source fixed [,0.8.21-r2)\n"
          "CVE-2016-7094\n  Alpine:v3.10 xen source fixed [,57.1-r2)\n");
    secdb("{" ALPINE ",\"packages\":null}", "");
    secdb(DOC(ALPINE, "\"7.4.0-r0\":null"), "");
}

/* All of these strings are in the fixtures. */
static void test_ids(void **state)
{
    (void)state;
#define AFFECTED "\n  Alpine:v3.10 xen source fixed [,1)\n"
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2018-3639   XSA-263\"]"), "CVE-2018-3639 aliases=XSA-263"
          AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"XSA-207\"]"), "XSA-207" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"CVE-\?\?\?\?-\?\?\?\?\?  XSA-284\"]"), "XSA-284" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"CVE_2019-2426\"]"), "CVE-2019-2426" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"CVE 2018-16859\"]"), "CVE-2018-16859" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2017-17434-1\",\"CVE-2017-17434-2\"]"),
          "CVE-2017-17434\n  Alpine:v3.10 xen source fixed [,1)\n  Alpine:v3.10 xen source fixed [,"
          "1)\n");
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2017-8073.patch\"]"), "CVE-2017-8073" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"wnpa-sec-2017-18\"]"), "wnpa-sec-2017-18" AFFECTED);
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2017-2616 (+ regression fix)\"]"),
          "CVE-2017-2616\n  Alpine:v3.10 xen source fixed note=(+ regression fix) [,1)\n");
    secdb(DOC(ALPINE, "\"1\":[\"something odd\"]"), "something odd" AFFECTED);
    /* A name beside two CVEs is the name of neither. */
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2018-3620 XSA-273\",\"CVE-2018-3646 XSA-273\",\"CVE-2018-3646 "
                      "XSA-1\"]"),
          "CVE-2018-3620" AFFECTED
          "CVE-2018-3646 aliases=XSA-1\n  Alpine:v3.10 xen source fixed [,1)\n  Alpine:v3.10 xen "
          "source fixed [,1)\n");
    secdb(DOC(ALPINE, "\"1\":[\"CVE-2018-3620 CVE-2018-3646 XSA-273\"]"),
          "CVE-2018-3620\n  Alpine:v3.10 xen source fixed note=(CVE-2018-3620 CVE-2018-3646 "
          "XSA-273) "
          "[,1)\n"
          "CVE-2018-3646\n  Alpine:v3.10 xen source fixed note=(CVE-2018-3620 CVE-2018-3646 "
          "XSA-273) "
          "[,1)\n");
}

static void test_distributions(void **state)
{
    (void)state;
    secdb(DOC("\"urlprefix\":\"u\",\"distroversion\":\"edge-main\"", "\"1\":[\"CVE-2016-7092\"]"),
          "CVE-2016-7092\n  Alpine:edge xen source fixed [,1)\n");
    secdb(DOC("\"urlprefix\":\"https://packages.wolfi.dev\",\"reponame\":\"os\"",
              "\"1\":[\"CVE-2016-7092\"]"),
          "CVE-2016-7092\n  Wolfi xen source fixed [,1)\n");
    secdb(DOC("\"urlprefix\":\"https://packages.cgr.dev\",\"reponame\":\"chainguard\"",
              "\"1\":[\"CVE-2016-7092\"]"),
          "CVE-2016-7092\n  Chainguard xen source fixed [,1)\n");
    secdb(DOC("\"urlprefix\":\"https://example.org\"", ""),
          "error: secdb: neither an Alpine \"distroversion\" nor the \"urlprefix\" of Wolfi or "
          "Chainguard\n");
}

static void test_attacks(void **state)
{
    (void)state;
    secdb("{}", "error: secdb: no secdb document\n");
    secdb("[]", "error: secdb: no secdb document\n");
    secdb("{" ALPINE ",\"packages\":[1]}", "error: secdb: package 0: \"name\" is missing or "
                                           "empty\n");
    secdb("{" ALPINE ",\"packages\":{}}", "error: secdb: \"packages\" is no array\n");
    secdb(DOC(ALPINE, "\"1\":\"CVE-2016-7092\""),
          "error: secdb: package 0: secfixes of \"xen\": not version: [ids]\n");
    secdb(DOC(ALPINE, "\"1\":[1]"), "error: secdb: package 0: secfixes of \"xen\": an id that is "
                                    "none\n");
    secdb(DOC(ALPINE, "\"1\":[],\"1\":[]"), "error: secdb: JSON: the key \"1\" stands twice in one "
                                            "object\n");
    secdb(DOC(ALPINE, "\"1\":[\"A-1 A-2 A-3 A-4 A-5 A-6 A-7 A-8 A-9\"]"),
          "error: secdb: package 0: secfixes of \"xen\": secdb: 8 ids or more in one string\n");
}

/* Counted by a script of its own: distinct ids, (id, package, version) triples, those with
 * version "0". */
static const struct {
    const char *file;
    size_t advisories, affected, never;
} fixtures[] = {
    { "v3.3/community.json", 0, 0, 0 },      { "v3.3/main.json", 458, 461, 0 },
    { "v3.4/community.json", 14, 14, 0 },    { "v3.4/main.json", 666, 672, 0 },
    { "v3.5/community.json", 98, 102, 0 },   { "v3.5/main.json", 801, 826, 0 },
    { "v3.6/community.json", 195, 219, 0 },  { "v3.6/main.json", 868, 898, 0 },
    { "v3.7/community.json", 378, 411, 0 },  { "v3.7/main.json", 1037, 1081, 0 },
    { "v3.8/community.json", 462, 485, 0 },  { "v3.8/main.json", 1089, 1139, 5 },
    { "v3.9/community.json", 575, 601, 0 },  { "v3.9/main.json", 1059, 1121, 0 },
    { "v3.10/community.json", 692, 720, 0 }, { "v3.10/main.json", 1110, 1182, 0 },
    { "v3.11/community.json", 829, 895, 0 }, { "v3.11/main.json", 1123, 1204, 0 },
};

static void test_fixtures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "fixtures/feeds/alpine-secdb/%s", fixtures[i].file);
        ck_view json = unit_shared(path);
        struct seen s = { 0 };
        assert_ok(ck_feed_alpine_secdb(json, &(struct ck_advisory_sink){ seen_put, &s }));
        assert_int_equal(s.records, fixtures[i].advisories);
        assert_int_equal(s.affected, fixtures[i].affected);
        assert_int_equal(s.by_state[CK_FIX_NOT_AFFECTED], fixtures[i].never);
        assert_int_equal(s.by_state[CK_FIX_FIXED], fixtures[i].affected - fixtures[i].never);
        free((void *)(uintptr_t)json.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
