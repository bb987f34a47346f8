/* What came of looking again at images that are stored. */
#include "store/store_int.h"

static ck_err *is_there(struct ck_store *s, const struct ck_digest *d, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT 1 FROM image WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_step(&q, ret);
}

static ck_err *set_matched(struct ck_store *s, const struct ck_digest *d, int64_t built)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE inventory SET matched=? WHERE image=?", &q));
    ck_bind_int(&q, built);
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

static ck_err *write_change(struct ck_store *s, const struct ck_store_rematch *v,
                            struct ck_known_ids *known)
{
    const struct ck_facts facts = { &v->image, v->facts, v->ids, v->n_ids, v->chain };
    CK_TRY(ck_facts_put(s, &facts, known));
    if (v->summary)
        CK_TRY(ck_summary_put(s, &v->image, v->summary));
    if (v->decide)
        CK_TRY(ck_decide_by_scan(s, &v->image, v->state, v->reason));
    return ck_events_add(s, v->events, v->n_events);
}

static ck_err *rematched_one(struct ck_store *s, int64_t built, const struct ck_store_rematch *v,
                             struct ck_known_ids *known)
{
    bool there = false;
    CK_TRY(is_there(s, &v->image, &there));
    if (!there)
        return NULL;
    if (v->changed)
        CK_TRY(write_change(s, v, known));
    return set_matched(s, &v->image, built);
}

static ck_err *rematched(struct ck_store *s, int64_t built, const struct ck_store_rematch *v,
                         size_t n)
{
    struct ck_known_ids known = { 0 };
    ck_err *e = NULL;
    for (size_t i = 0; i < n && !e; i++)
        e = rematched_one(s, built, &v[i], &known);
    ck_known_ids_free(&known);
    return e;
}

ck_err *ck_store_rematched(struct ck_store *s, int64_t built, const struct ck_store_rematch *v,
                           size_t n)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, rematched(s, built, v, n));
}

static ck_err *matched_all(struct ck_store *s, int64_t built)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE inventory SET matched=?1 WHERE matched!=?1", &q));
    ck_bind_int(&q, built);
    return ck_query_run(&q);
}

ck_err *ck_store_matched_all(struct ck_store *s, int64_t built)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, matched_all(s, built));
}
