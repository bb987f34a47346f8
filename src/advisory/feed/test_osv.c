#include "advisory/feed/ecosystem.h"
#include "advisory/feed/feed.h"
#include "base/unit.h"

#include "advisory/feed/test_sink.h"

#define osv(json, want) assert_feed(ck_feed_osv, CK_V(json), want)

#define AFFECTED(eco, ranges)                                                        \
    "{\"id\":\"X-1\",\"affected\":[{\"package\":{\"ecosystem\":\"" eco "\",\"name\":\"p\"}," \
    ranges "}]}"
#define EVENTS(eco, events) \
    AFFECTED(eco, "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" events "]}]")
#define I(v) "{\"introduced\":\"" v "\"}"
#define F(v) "{\"fixed\":\"" v "\"}"
#define L(v) "{\"last_affected\":\"" v "\"}"
#define M(v) "{\"limit\":\"" v "\"}"

static void test_events(void **state)
{
    (void)state;
    osv(EVENTS("Go", I("0") "," F("1.2")), "X-1\n  Go p binary fixed [0,1.2)\n");
    osv(EVENTS("Go", I("0")), "X-1\n  Go p binary none [0,)\n");
    osv(EVENTS("Go", I("1") "," L("2")), "X-1\n  Go p binary none [1,2]\n");
    osv(EVENTS("Go", I("1") "," F("2") "," I("3") "," F("4") "," I("5")),
        "X-1\n  Go p binary fixed [1,2) [3,4) [5,)\n");
    /* A second fix of the same branch closes nothing more. */
    osv(EVENTS("Go", I("0") "," F("1") "," F("2")), "X-1\n  Go p binary fixed [0,1)\n");
    osv(EVENTS("Go", F("1")), "X-1\n");
}

static void test_events_are_sorted_in_the_ecosystems_order(void **state)
{
    (void)state;
    osv(EVENTS("Debian:12", F("1.10-1") "," I("0") "," I("1.20-1") "," F("1.9-1~deb12u1") ","
               F("1.21-1")),
        "X-1\n  Debian:12 p source fixed [0,1.9-1~deb12u1) [1.20-1,1.21-1)\n");
    osv(EVENTS("Alpine:v3.20", F("1.10-r0") "," I("1.9-r0")),
        "X-1\n  Alpine:v3.20 p source fixed [1.9-r0,1.10-r0)\n");
    osv(EVENTS("AlmaLinux:9", F("2:1.0-1") "," I("9.0-1")),
        "X-1\n  AlmaLinux:9 p binary fixed [9.0-1,2:1.0-1)\n");
    /* "0" stands before everything, also before what sorts below zero. */
    osv(EVENTS("Debian:12", F("0~beta1") "," I("0")),
        "X-1\n  Debian:12 p source fixed [0,0~beta1)\n");
    osv(EVENTS("Debian:12", L("2") "," I("2")), "X-1\n  Debian:12 p source none [2,2]\n");
    osv(EVENTS("Debian:12", I("1") "," F("2") "," I("2") "," F("3")),
        "X-1\n  Debian:12 p source fixed [1,2) [2,3)\n");
}

static void test_events_that_affect_nothing(void **state)
{
    (void)state;
    osv(EVENTS("Wolfi", I("0") "," F("0")), "X-1\n  Wolfi p source not-affected [,0)\n");
    osv(EVENTS("Wolfi", I("1.0-r0") "," F("1.0-r0")), "X-1\n");
}

static void test_limit(void **state)
{
    (void)state;
    osv(EVENTS("Debian:12", I("1") "," M("5")), "X-1\n  Debian:12 p source none [1,5)\n");
    osv(EVENTS("Debian:12", I("1") "," F("9") "," M("5") "," M("3")),
        "X-1\n  Debian:12 p source fixed [1,5)\n");
    osv(EVENTS("Debian:12", I("1") "," F("4") "," M("5")),
        "X-1\n  Debian:12 p source fixed [1,4)\n");
    osv(EVENTS("Debian:12", I("6") "," M("5")), "X-1\n");
    osv(EVENTS("Debian:12", I("1") "," M("*") "," M("2")),
        "X-1\n  Debian:12 p source none [1,)\n");
}

static void test_ranges_and_versions(void **state)
{
    (void)state;
    osv(AFFECTED("PyPI", "\"ranges\":[{\"type\":\"GIT\",\"repo\":\"r\","
                         "\"events\":[{\"introduced\":\"0\"}]}]"), "X-1\n");
    osv(AFFECTED("PyPI", "\"ranges\":[{\"type\":\"GIT\",\"events\":[]}],\"versions\":[\"1.0\","
                         "\"1.1\"]"),
        "X-1\n  PyPI p binary none versions=1.0,1.1\n");
    /* Where the order is known, versions that the range holds are not listed again. */
    osv(AFFECTED("Debian:12", "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" I("1") ","
                 F("3")
                 "]}],"
                 "\"versions\":[\"0.9\",\"1\",\"2.9\",\"3\"]"),
        "X-1\n  Debian:12 p source fixed [1,3) versions=0.9,3\n");
    osv("{\"id\":\"X-1\",\"affected\":[{\"ranges\":[{\"type\":\"GIT\",\"events\":[]}]}]}",
        "X-1\n");
    osv("{\"id\":\"X-1\"}", "X-1\n");
}

static void test_ids(void **state)
{
    (void)state;
    osv("{\"id\":\"GO-1\",\"aliases\":[\"CVE-2020-1234\",\"GHSA-x\",\"GO-1\",\"GHSA-x\"],"
        "\"related\":[\"CVE-2020-9999\"]}",
        "GO-1 aliases=CVE-2020-1234,GHSA-x\n");
    /* Errata: by ecosystem, and by the id where the ecosystem has other records too. */
    osv("{\"id\":\"ALSA-2025:1\",\"related\":[\"CVE-2020-0001\",\"RHSA-1\",\"CVE-2020-0002\"],"
        "\"affected\":["
        "{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"p\"}}]}",
            "ALSA-2025:1 fixes=CVE-2020-0001,CVE-2020-0002\n");
    osv("{\"id\":\"DSA-5532-1\",\"related\":[\"CVE-2023-5363\"]}",
        "DSA-5532-1 fixes=CVE-2023-5363\n");
    osv("{\"id\":\"USN-1-1\",\"upstream\":[\"CVE-2023-0001\",\"UBUNTU-CVE-2023-0001\","
        "\"UBUNTU-CVE-2023-0002\"]}",
        "USN-1-1 fixes=CVE-2023-0001,CVE-2023-0002\n");
    osv("{\"id\":\"UBUNTU-CVE-2023-0001\",\"upstream\":[\"CVE-2023-0001\"],"
        "\"related\":[\"USN-1-1\","
        "\"CVE-2023-7777\"]}",
        "UBUNTU-CVE-2023-0001 fixes=CVE-2023-0001\n");
    osv("{\"id\":\"ALPINE-CVE-2023-0001\"}", "ALPINE-CVE-2023-0001 aliases=CVE-2023-0001\n");
    /* One CVE and its other names are one vulnerability. */
    osv("{\"id\":\"CGA-1\",\"upstream\":[\"GHSA-x\",\"CVE-2023-0001\"]}",
        "CGA-1 aliases=GHSA-x fixes=CVE-2023-0001\n");
    osv("{\"id\":\"CGA-1\",\"upstream\":[\"GHSA-x\",\"CVE-2023-0001\",\"CVE-2023-0002\"]}",
        "CGA-1 fixes=GHSA-x,CVE-2023-0001,CVE-2023-0002\n");
}

static void test_severity(void **state)
{
    (void)state;
    osv("{\"id\":\"X\",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/A\"},"
        "{\"type\":\"CVSS_V3\",\"score\":"
        "\"CVSS:3.1/A\"},{\"type\":\"CVSS_V4\",\"score\":\"CVSS:4.0/B\"}],"
        "\"database_specific\":{\"severity\":\"MODERATE\"}}",
        "X word=MODERATE/3 cvss=CVSS:3.1/A,CVSS:4.0/B\n");
    osv("{\"id\":\"X\",\"severity\":[{\"type\":\"Ubuntu\",\"score\":\"high\"}]}",
        "X word=high/4\n");
    osv("{\"id\":\"ALSA-1\",\"summary\":\"Important: firefox security update\","
        "\"affected\":[{\"package\":"
        "{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"p\"}}]}",
        "ALSA-1 word=Important/4 \"Important: firefox security update\"\n");
    osv("{\"id\":\"ALSA-1\",\"summary\":\"ALSA-1: php:8.0 security update (Critical)\","
        "\"affected\":[{\"package\":"
        "{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"p\"}}]}",
        "ALSA-1 word=Critical/5 \"ALSA-1: php:8.0 security update (Critical)\"\n");
    /* A prefix of other ecosystems is no rating. */
    osv("{\"id\":\"GO-1\",\"summary\":\"Low: entropy\"}", "GO-1 \"Low: entropy\"\n");
    osv(AFFECTED("Debian:12", "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" I("0")
                 "]}],\"ecosystem_specific\":"
                 "{\"urgency\":\"unimportant\"}"),
        "X-1\n  Debian:12 p source none severity=1 unimportant [0,)\n");
    osv(AFFECTED("Debian:12", "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" I("0")
                 "]}],\"ecosystem_specific\":"
                 "{\"urgency\":\"not yet assigned\"}"), "X-1\n  Debian:12 p source none [0,)\n");
    osv(AFFECTED("Debian:12", "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" I("0")
                 "]}],\"ecosystem_specific\":"
                 "{\"urgency\":\"end-of-life\"}"),
                     "X-1\n  Debian:12 p source end-of-life [0,)\n");
    /* Of one package only: its vector rates it, and stands with the advisory's. */
    osv(AFFECTED("Bitnami", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[" I("0")
                 "]}],\"severity\":[{\"type\":\"CVSS_V3\","
                 "\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}]"),
        "X-1 cvss=CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n  Bitnami p binary none "
        "severity=5 "
        "[0,)\n");
}

static void test_modules(void **state)
{
    (void)state;
    osv("{\"id\":\"ALSA-2\",\"summary\":\"Moderate: virt:rhel and virt-devel:rhel security "
        "update\","
        "\"affected\":["
        "{\"package\":{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"qemu\"},"
        "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":["
        I("0") "," F("15:4.2-1.module_el8.3.0+1") "]}]},"
                                                  "{\"package\":{\"ecosystem\":\"AlmaLinux:8\","
                                                  "\"name\":\"kernel\"},"
        "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" I("0") "," F("4.18-1.el8") "]}]}]}",
        "ALSA-2 word=Moderate/3 \"Moderate: virt:rhel and virt-devel:rhel security update\"\n"
        "  AlmaLinux:8 qemu binary fixed module=virt:rhel [0,15:4.2-1.module_el8.3.0+1)\n"
        "  AlmaLinux:8 qemu binary fixed module=virt-devel:rhel [0,15:4.2-1.module_el8.3.0+1)\n"
        "  AlmaLinux:8 kernel binary fixed [0,4.18-1.el8)\n");
}

static void test_times_and_withdrawn(void **state)
{
    (void)state;
    osv("{\"id\":\"X\",\"published\":\"2021-04-14T20:04:52Z\","
        "\"modified\":\"0001-01-01T00:00:00Z\","
        "\"withdrawn\":"
        "\"2022-01-01T00:00:00Z\",\"database_specific\":{\"url\":\"https://x/\"}}",
        "X published=1618430692 withdrawn url=https://x/\n");
    osv("{\"id\":\"X\",\"modified\":\"1-01-01T00:00:00Z\"}", "X\n");
    osv("{\"id\":\"X\",\"withdrawn\":null,\"details\":\"\\nfirst line\\nsecond\"}",
        "X \"first line\"\n");
}

static void test_attacks(void **state)
{
    (void)state;
    osv("[]", "error: OSV record: is no object\n");
    osv("{}", "error: OSV record: \"id\" is missing or empty\n");
    osv("{\"id\":\"A\",\"id\":\"B\"}", "error: OSV record: JSON: the key \"id\" stands twice in "
                                       "one "
                                       "object\n");
    osv("{\"id\":\"A\",\"affected\":{}}", "error: OSV record \"A\": \"affected\" is no array\n");
    osv("{\"id\":\"A\",\"modified\":1}", "error: OSV record \"A\": \"modified\" is no string\n");
    osv("{\"id\":\"A\",\"aliases\":[1]}", "error: OSV record \"A\": \"aliases\" holds what is no "
                                          ""
                                          "id\n");
    osv("{\"id\":\"A\",\"affected\":[{\"package\":{\"name\":\"p\"}}]}",
        "error: OSV record \"A\": affected 0: \"ecosystem\" is missing or empty\n");
    osv(EVENTS("Go", "{\"introduced\":\"0\",\"fixed\":\"1\"}"),
        "error: OSV record \"X-1\": affected 0: range 0: event 0: "
        "OSV schema, events: an event is an object of one member\n");
    osv(EVENTS("Go", "{\"revoked\":\"0\"}"), "error: OSV record \"X-1\": affected 0: range 0: "
                                             "event "
                                             "0: "
        "OSV schema, events: unknown event \"revoked\"\n");
}

static void test_attack_too_many_ranges(void **state)
{
    (void)state;
    for (int n = 20000; n <= 20001; n++) {
        struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_buf_format(&b, "{\"id\":\"X-1\",\"affected\":[{\"package\":{\"ecosystem\":\"Go\","
                          "\"name\":\"p\"},\"ranges\":"
                          "[{\"type\":\"SEMVER\",\"events\":[");
        for (int i = 0; i < n; i++)
            ck_buf_format(&b, "%s{\"%s\":\"%d\"}", i ? "," : "", i % 2 ? "fixed" : "introduced",
                          i);
        ck_buf_format(&b, "]}]}]}");
        struct seen s = { 0 };
        struct ck_advisory_sink sink = { seen_put, &s };
        if (n == 20000) {
            assert_ok(ck_feed_osv(ck_buf_view(&b), &sink));
            assert_int_equal(s.ranges, 10000);
        } else {
            assert_fails(ck_feed_osv(ck_buf_view(&b), &sink), CK_ERR_LIMIT, "ADVISORY_RANGES");
        }
        ck_buf_free(&b);
    }
}

static void test_attack_too_many_aliases(void **state)
{
    (void)state;
    for (int n = 4096; n <= 4097; n++) {
        struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_buf_format(&b, "{\"id\":\"X-1\",\"aliases\":[");
        for (int i = 0; i < n; i++)
            ck_buf_format(&b, "%s\"A-%d\"", i ? "," : "", i);
        ck_buf_format(&b, "]}");
        struct seen s = { 0 };
        struct ck_advisory_sink sink = { seen_put, &s };
        if (n == 4096)
            assert_ok(ck_feed_osv(ck_buf_view(&b), &sink));
        else
            assert_fails(ck_feed_osv(ck_buf_view(&b), &sink), CK_ERR_LIMIT, "ADVISORY_ALIASES");
        ck_buf_free(&b);
    }
}

static void test_ecosystems_and_ids(void **state)
{
    (void)state;
    assert_int_equal(ck_ecosystem_of(CK_V("Debian:12"))->scheme, CK_VERSION_DPKG);
    assert_int_equal(ck_ecosystem_of(CK_V("Rocky Linux:9"))->kind, CK_NAME_SOURCE);
    assert_true(ck_ecosystem_of(CK_V("SUSE:Linux Enterprise Server 15 SP5"))->errata);
    assert_int_equal(ck_ecosystem_of(CK_V("Debianish"))->scheme, CK_VERSION_UNKNOWN);
    assert_true(ck_is_cve(CK_V("CVE-2024-1234")));
    assert_true(ck_is_cve(CK_V("CVE-2024-1234567")));
    assert_false(ck_is_cve(CK_V("CVE-2024-123")));
    assert_false(ck_is_cve(CK_V("CVE-2024-1234x")));
    assert_false(ck_is_cve(CK_V("cve-2024-1234")));
    assert_view(ck_cve_tail(CK_V("UBUNTU-CVE-2024-1234")), "CVE-2024-1234");
    assert_view(ck_cve_tail(CK_V("CVE-2024-1234")), "");
    assert_view(ck_cve_tail(CK_V("XCVE-2024-1234")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_are_sorted_in_the_ecosystems_order),
        cmocka_unit_test(test_events_that_affect_nothing),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_ranges_and_versions),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_times_and_withdrawn),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_attack_too_many_ranges),
        cmocka_unit_test(test_attack_too_many_aliases),
        cmocka_unit_test(test_ecosystems_and_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
