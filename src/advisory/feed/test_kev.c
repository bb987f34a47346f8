#include "advisory/feed/feed.h"
#include "base/unit.h"

#include "advisory/feed/test_sink.h"

static void test_literal(void **state)
{
    (void)state;
    assert_feed(ck_feed_kev,
                CK_V("{\"count\":1,\"vulnerabilities\":[{\"cveID\":\"CVE-2025-48384\","
                     "\"vulnerabilityName\":\"Git Link Following Vulnerability\","
                     "\"dateAdded\":\"2025-08-25\",\"cwes\":[\"CWE-59\"]}]}"),
                "CVE-2025-48384 published=1756080000 kev \"Git Link Following Vulnerability\"\n");
}

static void test_attacks(void **state)
{
    (void)state;
    assert_feed(ck_feed_kev, CK_V("{}"), "error: KEV: no \"vulnerabilities\"\n");
    assert_feed(ck_feed_kev, CK_V("{\"count\":2,\"vulnerabilities\":[]}"),
                "error: KEV: \"count\" is not the number of entries\n");
    assert_feed(ck_feed_kev, CK_V("{\"vulnerabilities\":[{}]}"),
                "error: KEV: entry 0: \"cveID\" is missing or empty\n");
    assert_feed(ck_feed_kev,
                CK_V("{\"vulnerabilities\":[{\"cveID\":\"CVE-1\",\"dateAdded\":\"yesterday!\"}]}"),
                "error: KEV: entry 0: \"dateAdded\" is no date\n");
}

/* python: len(json.load(f)["vulnerabilities"]) == 1404, all ids distinct */
static void test_fixture(void **state)
{
    (void)state;
    ck_view json = unit_shared("fixtures/feeds/kev/known_exploited_vulnerabilities.json");
    struct seen s = { 0 };
    assert_ok(ck_feed_kev(json, &(struct ck_advisory_sink){ seen_put, &s }));
    assert_int_equal(s.records, 1404);
    assert_int_equal(s.kev, 1404);
    free((void *)(uintptr_t)json.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literal),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
