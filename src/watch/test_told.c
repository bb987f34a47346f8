/* What changed between two sets of findings, and how it is said. */
#include "base/mem.h"
#include "base/unit.h"
#include "policy/unit_facts.h"
#include "watch/told.h"

#include <jansson.h>

static struct ck_finding_changes changes(const struct ck_fact_finding *was, size_t n_was,
                                         const struct ck_fact_finding *is, size_t n_is,
                                         struct ck_arena *a)
{
    struct ck_finding_changes c;
    ck_findings_between((struct ck_findings){ was, n_was }, (struct ck_findings){ is, n_is },
                        CK_OF_ONE_IMAGE, a, &c);
    return c;
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
    struct ck_finding_changes c = changes(was, 4, is, 4, &a);
    struct ck_told told;
    assert_true(ck_tell(&c, &a, &told));
    assert_int_equal(told.worst, CK_SEVERITY_HIGH); /* CVE-4 became worse */
    assert_string_equal(told.line,
                        "1 new, 1 gone, 1 of another severity, 1 newly fixable, 1 newly exploited "
                        "(worst: high): CVE-2 in openssl");
    json_t *j = json_loadb((const char *)told.data.p, told.data.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_int_equal(json_object_size(j), 6);
    const char *const kinds[] = { "new", "gone", "severity", "fixable", "exploited" };
    const char *const ids[] = { "CVE-5", "CVE-1", "CVE-4", "CVE-3", "CVE-2" };
    for (int k = 0; k < 5; k++) {
        json_t *list = json_object_get(j, kinds[k]);
        assert_int_equal(json_array_size(list), 1);
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "id")),
                            ids[k]);
        json_t *counts = json_object_get(j, "counts");
        assert_int_equal(json_integer_value(json_object_get(counts, kinds[k])), 1);
    }
    json_t *severity = json_array_get(json_object_get(j, "severity"), 0);
    assert_string_equal(json_string_value(json_object_get(severity, "was")), "low");
    json_t *fixed = json_array_get(json_object_get(j, "fixable"), 0);
    assert_string_equal(json_string_value(json_object_get(fixed, "fix")), "3.0.2");
    json_decref(j);
}

static void only_what_matters_is_told(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_told told;
    struct ck_finding_changes c = changes(NULL, 0, NULL, 0, &a);
    assert_false(ck_tell(&c, &a, &told));
    /* another fix, and a fix that was none */
    struct ck_fact_finding was[] = { unit_fixed("CVE-1", CK_SEVERITY_LOW, UNIT_NOW),
                                     unit_fixed("CVE-2", CK_SEVERITY_LOW, UNIT_NOW) };
    struct ck_fact_finding is[] = { was[0], unit_finding("CVE-2", CK_SEVERITY_LOW) };
    is[0].fix_version = CK_V("3.0.3");
    c = changes(was, 2, is, 2, &a);
    assert_int_equal(c.n, 2);
    assert_false(ck_tell(&c, &a, &told));
    /* what got better, or is gone, is not the worst that is new */
    struct ck_fact_finding low = unit_finding("CVE-1", CK_SEVERITY_LOW);
    struct ck_fact_finding high = unit_finding("CVE-1", CK_SEVERITY_HIGH);
    c = changes(&high, 1, &low, 1, &a);
    assert_true(ck_tell(&c, &a, &told));
    assert_string_equal(told.line, "1 of another severity");
    assert_int_equal(told.worst, -1);
    c = changes(&high, 1, NULL, 0, &a);
    assert_true(ck_tell(&c, &a, &told));
    assert_string_equal(told.line, "1 gone");
    assert_int_equal(told.worst, -1);
}

static void the_worst_come_first(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_fact_finding is[] = { unit_finding("CVE-1", CK_SEVERITY_LOW),
                                    unit_finding("CVE-4", CK_SEVERITY_HIGH),
                                    unit_finding("CVE-2", CK_SEVERITY_CRITICAL),
                                    unit_finding("CVE-3", CK_SEVERITY_HIGH) };
    struct ck_finding_changes c = changes(NULL, 0, is, 4, &a);
    struct ck_told told;
    assert_true(ck_tell(&c, &a, &told));
    assert_string_equal(told.line, "4 new (worst: critical): CVE-2 in openssl, CVE-3 in openssl, "
                                   "CVE-4 in openssl");
    json_t *j = json_loadb((const char *)told.data.p, told.data.n, 0, NULL);
    json_t *list = json_object_get(j, "new");
    static const char *const ids[] = { "CVE-2", "CVE-3", "CVE-4", "CVE-1" };
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "id")),
                            ids[i]);
    json_decref(j);
}

/* How many are listed of those that are new; all are counted. */
static size_t listed(const struct ck_fact_finding *v, size_t n, struct ck_arena *a,
                     struct ck_told *ret)
{
    struct ck_finding_changes c = changes(NULL, 0, v, n, a);
    assert_true(ck_tell(&c, a, ret));
    json_t *j = json_loadb((const char *)ret->data.p, ret->data.n, 0, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "counts"), "new")), n);
    size_t put = json_array_size(json_object_get(j, "new"));
    json_decref(j);
    return put;
}

static void an_event_stays_small(void **state)
{
    (void)state;
    enum { ONE_MORE = 65 };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_fact_finding v[ONE_MORE];
    struct ck_told told;
    assert_int_equal(ONE_MORE, CK_MAX_EVENT_FINDINGS + 1);
    for (int i = 0; i < ONE_MORE; i++)
        v[i] = unit_finding(ck_arena_format(&a, "CVE-%04d", i), CK_SEVERITY_LOW);
    assert_int_equal(listed(v, ONE_MORE - 1, &a, &told), CK_MAX_EVENT_FINDINGS);
    assert_int_equal(listed(v, ONE_MORE, &a, &told), CK_MAX_EVENT_FINDINGS);
    /* names of the greatest length, of which JSON makes six bytes each */
    uint8_t *long_name = ck_arena_alloc(&a, CK_MAX_STRING, 1);
    memset(long_name, 1, CK_MAX_STRING);
    for (int i = 0; i < ONE_MORE; i += 2)
        v[i].package = ck_view_of(long_name, CK_MAX_STRING);
    assert_in_range(listed(v, ONE_MORE, &a, &told), ONE_MORE / 2, CK_MAX_EVENT_FINDINGS - 1);
    assert_in_range(told.data.n, 1, CK_MAX_EVENT_DATA / 2);
    assert_true(strlen(told.line) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told),
        cmocka_unit_test(only_what_matters_is_told),
        cmocka_unit_test(the_worst_come_first),
        cmocka_unit_test(an_event_stays_small),
    };
    return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
