#include "verdict/release.h"

bool ck_may_release(const struct ck_verdict *v)
{
    return v->policy == CK_ALLOW || (v->policy == CK_QUARANTINE && v->persons > 0);
}

const char *ck_release_refusal(const struct ck_verdict *v)
{
    return v->policy == CK_DENY
               ? "the policy denies it, and nobody can release what it denies"
               : "the policy holds it in quarantine, and lets nobody release it";
}

ck_err *ck_release(struct ck_store *s, const struct ck_deciding *x, const struct ck_verdict *v,
                   struct ck_released *ret)
{
    struct ck_released r = { .state = CK_QUARANTINED };
    bool one = v->policy != CK_QUARANTINE || v->persons < 2;
    if (!one) {
        r.persons = v->persons;
        CK_TRY(ck_store_approve(s, &x->digest, x->who, x->reason, &r.released_by));
    }
    if (one || r.released_by >= r.persons)
        CK_TRY(ck_store_decide_as(s, x->who, &x->digest, CK_CLEARED, x->reason, CK_BY_PERSON,
                                  &r.state));
    *ret = r;
    return NULL;
}

ck_err *ck_deny(struct ck_store *s, const struct ck_deciding *x, struct ck_released *ret)
{
    struct ck_released r = { 0 };
    CK_TRY(ck_store_decide_as(s, x->who, &x->digest, CK_DENIED, x->reason, CK_BY_PERSON,
                              &r.state));
    *ret = r;
    return NULL;
}

ck_err *ck_replay(struct ck_store *s, const struct ck_policy *before, const struct ck_policy *after,
                  const struct ck_digest *d, const struct ck_verdict_question *q,
                  struct ck_arena *a, struct ck_replayed *ret)
{
    struct ck_replayed r = { 0 };
    ck_err *e = ck_verdict_of(s, before, d, q, a, &r.before);
    if (!e)
        e = ck_verdict_of(s, after, d, q, a, &r.after);
    if (e && ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return e;
    r.gone = e != NULL;
    ck_err_free(e);
    *ret = r;
    return NULL;
}
