/* Cases that a policy is tested with (cocket-policy(5), CASES): who asks for what, what is known of
 * it, and what is to come of it.
 */
#ifndef CK_POLICY_CASES_H
#define CK_POLICY_CASES_H

#include "policy/policy.h"

struct ck_policy_case {
    ck_view name;
    struct ck_policy_subject subject;
    enum ck_decision decision;
    /* Each must be part of some reason ("rule: text"), and each reason must have one. Not judged
     * where none is given. */
    ck_view *reasons;
    size_t n_reasons;
};

struct ck_policy_cases {
    ck_view policy; /* the file, as it is named there; or empty */
    struct ck_policy_case *v;
    size_t n;
};

/* `now` is the time of cases that name none. All in `a`. Errors as of ck_policy_parse. */
CK_MUST ck_err *ck_policy_cases_parse(ck_view yaml, const char *file, int64_t now,
                                      struct ck_arena *a, struct ck_policy_cases *ret);
/* Whether the policy does what the case expects; else what differs is appended, in lines. */
bool ck_policy_case_holds(const struct ck_policy_case *c, const struct ck_policy *p,
                          struct ck_buf *out);

#endif
