#include "policy/cases.h"
#include "policy/unit_policy.h"

#define HEAD "version: 1\ncases:\n  - name: c\n"
#define EXPECT "    expect: { decision: allow }\n"

static ck_view seed(void)
{
    const char *source = getenv("COCKET_SOURCE");
    ck_autofree char *path = ck_format("%s/src/policy/seeds_policy_cases/all.yaml",
                                       source ? source : ".");
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    b.n = fread(ck_buf_room(&b, 65536), 1, 65536, f);
    fclose(f);
    return ck_buf_view(&b);
}

static void the_cases_of_the_seed_hold(void **state)
{
    (void)state;
    ck_view yaml = seed();
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_policy *p = unit_policy((const char *)ck_policy_builtin().p);
    struct ck_policy_cases c;
    assert_ok(ck_policy_cases_parse(yaml, "c.yaml", UNIT_NOW, &a, &c));
    assert_int_equal(c.n, 3);
    assert_view(c.policy, "policy.yaml");
    for (size_t i = 0; i < c.n; i++)
        assert_true(ck_policy_case_holds(&c.v[i], p, &out));
    const struct ck_policy_subject *s = &c.v[0].subject;
    assert_int_equal(s->now, UNIT_NOW + UNIT_DAY);
    assert_int_equal(c.v[1].subject.now, UNIT_NOW);
    assert_int_equal(s->facts->findings[0].fix_state, CK_FIX_FIXED);
    assert_int_equal(s->facts->findings[0].fixed_since, UNIT_NOW - 14 * UNIT_DAY - 8 * 3600);
    assert_view(s->facts->labels[0].value, "b");
    assert_true(s->facts->distro_known);
    ck_policy_free(p);
    free((void *)(uintptr_t)yaml.p);
}

static void said(const char *expect, const char *want)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *yaml = ck_format(HEAD "    facts: { complete: false, gaps: a=b }\n"
                                            "    expect: { %s }\n", expect);
    struct ck_policy *p = unit_policy((const char *)ck_policy_builtin().p);
    struct ck_policy_cases c;
    assert_ok(ck_policy_cases_parse(ck_view_str(yaml), "c.yaml", UNIT_NOW, &a, &c));
    assert_int_equal(ck_policy_case_holds(&c.v[0], p, &out), !*want);
    ck_autofree char *text = ck_buf_steal_str(&out);
    assert_string_equal(text, want);
    ck_policy_free(p);
}

static void what_differs_is_said(void **state)
{
    (void)state;
    said("decision: quarantine", "");
    said("decision: quarantine, reasons: \"built-in: the assessment is incomplete\"", "");
    said("decision: deny", "decision: quarantine, expected deny\n"
                           "reason: the assessment is incomplete: a: b\n");
    said("decision: quarantine, reasons: [incomplete, root]", "no reason has: root\n");
    said("decision: quarantine, reasons: root",
         "not expected: built-in: the assessment is incomplete: a: b\nno reason has: root\n");
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        { "version: 1", "c.yaml:1:1: a file of cases must have \"cases\"" },
        { HEAD, "c.yaml:3:5: a case must have \"expect\"" },
        { HEAD EXPECT "    image: A\n", "c.yaml:5:12: image: A: " },
        { HEAD EXPECT "    facts: { findings: [{ id: a, package: b, version: c }] }",
          "c.yaml:5:25: a finding must have \"severity\"" },
        { HEAD EXPECT "    facts: { findings: [{ id: a, package: b, version: c, severity: x }] }",
          "c.yaml:5:68: severity: \"x\" is none of unknown" },
        { HEAD EXPECT "    facts: { findings: [{ id: a, package: b, version: c, severity: low, "
                      "fixed-since: 2027-01-01 }] }",
          "c.yaml:5:25: a finding with \"fixed-since\" must have \"fixed-in\"" },
        { HEAD EXPECT "    index: true\n    facts: {}\n", "c.yaml:6:12: there are no facts" },
        { HEAD EXPECT "    now: 2027-01-01", "c.yaml:5:10: now: \"2027-01-01\" is no time" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_policy_cases c;
        assert_fails(ck_policy_cases_parse(ck_view_str(cases[i].yaml), "c.yaml", 0, &a, &c),
                     CK_ERR_USAGE, cases[i].error);
    }
}

static void cases_have_a_limit(void **state)
{
    (void)state;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy_cases c;
    ck_buf_format(&b, "version: 1\ncases:\n");
    for (size_t i = 0; i < CK_MAX_POLICY_CASES; i++)
        ck_buf_format(&b, "- { name: a, expect: { decision: deny } }\n");
    ck_autofree char *at = ck_buf_steal_str(&b);
    ck_autofree char *past = ck_format("%s- { name: a, expect: { decision: deny } }\n", at);
    assert_ok(ck_policy_cases_parse(ck_view_str(at), "c.yaml", 0, &a, &c));
    assert_fails(ck_policy_cases_parse(ck_view_str(past), "c.yaml", 0, &a, &c), CK_ERR_USAGE,
                 "limit POLICY_CASES");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cases_of_the_seed_hold),
        cmocka_unit_test(what_differs_is_said),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(cases_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
