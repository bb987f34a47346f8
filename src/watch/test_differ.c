/* What changed between two sets of findings, and how it is said. */
#include "base/mem.h"
#include "base/unit.h"
#include "policy/unit_facts.h"
#include "watch/differ.h"

#include <jansson.h>

static struct ck_facts facts(struct ck_fact_finding *v, size_t n)
{
    struct ck_facts f = unit_facts();
    f.findings = v;
    f.n_findings = n;
    return f;
}

static void counts_are(const struct ck_differences *d, size_t added, size_t gone, size_t severity,
                       size_t fixable, size_t exploited)
{
    const size_t want[] = { added, gone, severity, fixable, exploited };
    for (size_t i = 0; i < CK_DIFFERENCE_KIND_COUNT_; i++)
        assert_int_equal(d->counts[i], want[i]);
    assert_int_equal(d->n, added + gone + severity + fixable + exploited);
}

static void each_kind_is_told(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_fact_finding was[] = { unit_finding("CVE-1", CK_SEVERITY_LOW),
                                     unit_finding("CVE-2", CK_SEVERITY_MEDIUM),
                                     unit_finding("CVE-3", CK_SEVERITY_HIGH),
                                     unit_finding("CVE-4", CK_SEVERITY_LOW) };
    struct ck_fact_finding is[] = { unit_finding("CVE-5", CK_SEVERITY_MEDIUM),
                                    unit_finding("CVE-4", CK_SEVERITY_HIGH),
                                    unit_fixed("CVE-3", CK_SEVERITY_HIGH, UNIT_NOW),
                                    unit_finding("CVE-2", CK_SEVERITY_MEDIUM) };
    is[3].kev = true;
    struct ck_facts x = facts(was, 4), y = facts(is, 4);
    struct ck_differences d;
    ck_differ(&x, &y, &a, &d);
    counts_are(&d, 1, 1, 1, 1, 1);
    assert_int_equal(d.worst, CK_SEVERITY_HIGH); /* CVE-4 became worse */
    assert_string_equal(ck_differences_line(&d, &a),
                        "1 new, 1 gone, 1 of another severity, 1 newly fixable, 1 newly exploited "
                        "(worst: high): CVE-2 in openssl");
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_differences_json(&d, &b);
    json_t *j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    const char *const ids[] = { "CVE-5", "CVE-1", "CVE-4", "CVE-3", "CVE-2" };
    for (int k = 0; k < CK_DIFFERENCE_KIND_COUNT_; k++) {
        json_t *list = json_object_get(j, ck_difference_name((enum ck_difference_kind)k));
        assert_int_equal(json_array_size(list), 1);
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "id")),
                            ids[k]);
    }
    json_t *severity = json_array_get(json_object_get(j, "severity"), 0);
    assert_string_equal(json_string_value(json_object_get(severity, "was")), "low");
    json_t *fixed = json_array_get(json_object_get(j, "fixable"), 0);
    assert_string_equal(json_string_value(json_object_get(fixed, "fix")), "3.0.2");
    json_decref(j);
}

static void nothing_is_no_change(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_fact_finding v[] = { unit_finding("CVE-1", CK_SEVERITY_LOW),
                                   unit_finding("CVE-1", CK_SEVERITY_LOW) };
    struct ck_facts x = facts(v, 2), y = facts(v, 1), none = facts(NULL, 0);
    struct ck_differences d;
    ck_differ(&x, &y, &a, &d); /* a package that is listed twice */
    assert_int_equal(d.n, 0);
    assert_int_equal(d.worst, -1);
    ck_differ(&none, &none, &a, &d);
    assert_int_equal(d.n, 0);
    /* what got better is not the worst that is new */
    struct ck_fact_finding low = unit_finding("CVE-1", CK_SEVERITY_LOW);
    struct ck_fact_finding high = unit_finding("CVE-1", CK_SEVERITY_HIGH);
    x = facts(&high, 1);
    y = facts(&low, 1);
    ck_differ(&x, &y, &a, &d);
    counts_are(&d, 0, 0, 1, 0, 0);
    assert_int_equal(d.worst, -1);
    ck_differ(&x, &none, &a, &d);
    counts_are(&d, 0, 1, 0, 0, 0);
    assert_int_equal(d.worst, -1);
    /* another version of the package is another finding */
    struct ck_fact_finding other = low;
    other.version = CK_V("9");
    x = facts(&other, 1);
    ck_differ(&x, &y, &a, &d);
    counts_are(&d, 1, 1, 0, 0, 0);
}

static size_t listed(const struct ck_differences *d, size_t *ret_bytes)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_differences_json(d, &b);
    json_t *j = json_loadb((const char *)b.p, b.n, 0, NULL);
    assert_non_null(j);
    size_t n = json_array_size(json_object_get(j, "new"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "counts"), "new")),
                     d->counts[CK_DIFFERENCE_NEW]);
    json_decref(j);
    *ret_bytes = b.n;
    return n;
}

static void an_event_stays_small(void **state)
{
    (void)state;
    enum { ONE_MORE = 65 };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_fact_finding v[ONE_MORE];
    struct ck_facts none = facts(NULL, 0), f = facts(v, ONE_MORE - 1);
    struct ck_differences d;
    size_t bytes = 0;
    assert_int_equal(ONE_MORE, CK_MAX_EVENT_FINDINGS + 1);
    for (int i = 0; i < ONE_MORE; i++)
        v[i] = unit_finding(ck_arena_format(&a, "CVE-%04d", i), CK_SEVERITY_LOW);
    ck_differ(&none, &f, &a, &d);
    assert_int_equal(listed(&d, &bytes), CK_MAX_EVENT_FINDINGS);
    f = facts(v, ONE_MORE);
    ck_differ(&none, &f, &a, &d);
    assert_int_equal(listed(&d, &bytes), CK_MAX_EVENT_FINDINGS);
    /* names of the greatest length, of which JSON makes six bytes each */
    uint8_t *long_name = ck_arena_alloc(&a, CK_MAX_STRING, 1);
    memset(long_name, 1, CK_MAX_STRING);
    for (int i = 0; i < ONE_MORE; i += 2)
        v[i].package = ck_view_of(long_name, CK_MAX_STRING);
    ck_differ(&none, &f, &a, &d);
    size_t n = listed(&d, &bytes);
    assert_in_range(n, ONE_MORE / 2, CK_MAX_EVENT_FINDINGS - 1);
    assert_in_range(bytes, 1, CK_MAX_EVENT_DATA / 2);
    assert_true(strlen(ck_differences_line(&d, &a)) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told),
        cmocka_unit_test(nothing_is_no_change),
        cmocka_unit_test(an_event_stays_small),
    };
    return cmocka_run_group_tests_name("differ", tests, NULL, NULL);
}
