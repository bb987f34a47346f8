/* A policy in one line of C, and what it makes of a subject. Only tests include it. */
#ifndef CK_POLICY_UNIT_POLICY_H
#define CK_POLICY_UNIT_POLICY_H

#include "base/mem.h"
#include "base/unit.h"
#include "policy/policy.h"
#include "policy/unit_facts.h"

static inline struct ck_policy *unit_policy(const char *yaml)
{
    struct ck_policy *p = NULL;
    assert_ok(ck_policy_parse(ck_view_str(yaml), "p.yaml", &p));
    return p;
}

/* One rule for everything with these demands, indented by six. */
static inline struct ck_policy *unit_require(const char *demands)
{
    ck_autofree char *yaml = ck_format("version: 1\ndefault: deny\nrules:\n  - name: r\n"
                                       "    require:\n%s\n", demands);
    return unit_policy(yaml);
}

static inline struct ck_policy_subject unit_subject(const struct ck_facts *f)
{
    return (struct ck_policy_subject){ .facts = f, .now = UNIT_NOW,
                                       .repository = CK_V("docker.io/library/debian"),
                                       .upstream = CK_V("docker.io") };
}

/* "deny: r: text\nallow: ...", free(). */
static inline char *unit_reasons(const struct ck_policy_answer *a)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < a->n_reasons; i++)
        ck_buf_format(&b, "%s%s: %.*s: %.*s", i ? "\n" : "",
                      ck_decision_name(a->reasons[i].decision), CK_VF(a->reasons[i].rule),
                      CK_VF(a->reasons[i].text));
    return ck_buf_steal_str(&b);
}

static inline struct ck_policy_answer unit_decide(const struct ck_policy *p,
                                                  const struct ck_policy_subject *s,
                                                  struct ck_arena *a)
{
    struct ck_policy_answer answer = { 0 };
    ck_policy_decide(p, s, a, &answer);
    return answer;
}

#define assert_reasons(answer, want)                       \
    do {                                                   \
        ck_autofree char *reasons_ = unit_reasons(answer); \
        assert_string_equal(reasons_, want);               \
    } while (0)

/* The policy is freed. */
#define assert_decides(policy, subject, want_decision, want)                 \
    do {                                                                     \
        ck_autoarena struct ck_arena arena_ = { 0 };                         \
        struct ck_policy *policy_ = (policy);                                \
        struct ck_policy_answer answer_ = unit_decide(policy_, subject, &arena_); \
        assert_reasons(&answer_, want);                                      \
        assert_int_equal(answer_.decision, want_decision);                   \
        ck_policy_free(policy_);                                             \
    } while (0)

#endif
