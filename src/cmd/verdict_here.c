#include "cmd/verdict_here.h"

#include "base/text.h"
#include "verdict/verdict.h"

#include <time.h>

enum { LINE = 1024 };

struct asked {
    struct ck_store *s;
    struct ck_policy *p;
    struct ck_verdict_question q;
    struct ck_arena *a;
};

static ck_err *judge(const struct asked *k, const struct ck_digest *d,
                     struct ck_verifier_answer *ret)
{
    struct ck_verdict v;
    CK_TRY(ck_verdict_of(k->s, k->p, d, &k->q, k->a, &v));
    ret->allowed = v.decision == CK_ALLOW;
    ret->reason = ret->allowed ? "allow" : ck_verdict_line(&v, LINE, k->a);
    return NULL;
}

/* Attestations are no images. */
static ck_err *judge_child(const struct asked *k, const struct ck_store_part *part, bool *ret_is,
                           struct ck_verifier_answer *ret)
{
    struct ck_store_entry e;
    bool found = false;
    *ret_is = false;
    if (part->role != CK_PART_MANIFEST)
        return NULL;
    CK_TRY(ck_store_get(k->s, &part->digest, k->a, &e, &found));
    if (!found || e.image.artifact_type.n)
        return NULL;
    *ret_is = true;
    return judge(k, &part->digest, ret);
}

static ck_err *judge_children(const struct asked *k, const struct ck_store_image *im,
                              struct ck_verifier_answer *ret)
{
    size_t children = 0, judged = 0;
    for (size_t i = 0; i < im->n_parts && ret->allowed; i++) {
        bool is;
        children += im->parts[i].role == CK_PART_MANIFEST;
        CK_TRY(judge_child(k, &im->parts[i], &is, ret));
        judged += is;
    }
    if (children && !judged)
        *ret = (struct ck_verifier_answer){ false, "none of its images was examined" };
    return NULL;
}

static ck_err *judge_all(const struct asked *k, const struct ck_digest *d,
                         struct ck_verifier_answer *ret)
{
    struct ck_store_entry e;
    struct ck_verifier_answer r = { false, "it is not in the store" };
    bool found = false;
    CK_TRY(ck_store_get(k->s, d, k->a, &e, &found));
    if (found)
        CK_TRY(judge(k, d, &r));
    if (found && r.allowed)
        CK_TRY(judge_children(k, &e.image, &r));
    *ret = r;
    return NULL;
}

ck_err *ck_verdict_here(const char *store, const char *policy,
                        const struct ck_verifier_question *q, struct ck_arena *a,
                        struct ck_verifier_answer *ret)
{
    struct asked k = { .a = a, .q = { .now = time(NULL) } };
    struct ck_name name = q->name;
    name.has_digest = name.tag.n == 0; /* the digest is asked about by itself */
    k.q.name = ck_view_str(ck_name_text(&name, a));
    CK_TRY(ck_policy_load(policy, &k.p));
    ck_err *e = ck_store_open(store, &k.s);
    if (!e)
        e = judge_all(&k, &q->digest, ret);
    ck_store_close(k.s);
    ck_policy_free(k.p);
    return e;
}
