#include "policy/unit_policy.h"

static struct ck_facts with(struct ck_fact_finding *v, size_t n)
{
    struct ck_facts f = unit_facts();
    f.findings = v;
    f.n_findings = n;
    return f;
}

static void the_built_in_one_is_as_the_manual_says(void **state)
{
    (void)state;
    struct ck_policy *p = unit_policy((const char *)ck_policy_builtin().p);
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW),
                                   unit_finding("CVE-2", CK_SEVERITY_CRITICAL),
                                   unit_fixed("CVE-3", CK_SEVERITY_HIGH, UNIT_NOW) };
    struct ck_facts f = with(x, 3), clean = with(x + 1, 2), none = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: built-in: 1 finding above high with a fix: CVE-1 (critical, openssl "
                       "3.0.1, fixed in 3.0.2)");
    s.facts = &clean;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "");
    assert_int_equal(r.decision, CK_ALLOW);
    x[1].kev = true;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: built-in: 1 finding known to be exploited: CVE-2 (critical, openssl "
                       "3.0.1)");
    s.facts = &none;
    none.complete = false;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "quarantine: built-in: the assessment is incomplete");
    assert_int_equal(r.persons, 1);
    assert_true(r.reason_needed);
    s.facts = NULL;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "quarantine: examination: not examined");
    assert_int_equal(r.persons, 1);
    ck_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_one_is_as_the_manual_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
