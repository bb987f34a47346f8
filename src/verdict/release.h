/* What a person decides about an image, at the command line or at the gate. */
#ifndef CK_VERDICT_RELEASE_H
#define CK_VERDICT_RELEASE_H

#include "verdict/verdict.h"

/* Nobody can release what the policy denies, nor what it lets nobody release. */
bool ck_may_release(const struct ck_verdict *v);
/* Why not, in words. */
const char *ck_release_refusal(const struct ck_verdict *v);

struct ck_released {
    enum ck_state_of_image state; /* that holds now */
    unsigned persons, released_by; /* how many must, how many have; 0: one is enough */
};
struct ck_deciding {
    const char *who; /* NULL: the login name */
    struct ck_digest digest;
    ck_view reason;
};
/* `v` is the verdict that ck_may_release was asked about; where it wants more people, this is one
 * of them. */
CK_MUST ck_err *ck_release(struct ck_store *s, const struct ck_deciding *x,
                           const struct ck_verdict *v, struct ck_released *ret);
CK_MUST ck_err *ck_deny(struct ck_store *s, const struct ck_deciding *x, struct ck_released *ret);

/* Two policies on the same question. *ret_gone: it is in the store no longer. */
struct ck_replayed {
    struct ck_verdict before, after;
    bool gone;
};
CK_MUST ck_err *ck_replay(struct ck_store *s, const struct ck_policy *before,
                          const struct ck_policy *after, const struct ck_digest *d,
                          const struct ck_verdict_question *q, struct ck_arena *a,
                          struct ck_replayed *ret);

#endif
