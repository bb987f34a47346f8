/* What came of looking again at images that are stored. */
#include "store/store_int.h"

#include "base/text.h"

/* Two may have matched it at once (a round, and a pull that did not want to wait): the first has
 * told what changed. */
static ck_err *is_to_do(struct ck_store *s, const struct ck_digest *d, int64_t built, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT matched FROM image LEFT JOIN inventory ON inventory.image=digest"
                           " WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret));
    if (*ret && built != CK_STORE_NOT_MATCHED && !ck_column_null(&q, 0))
        *ret = ck_column_int(&q, 0) != built;
    return NULL;
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
    const struct ck_facts_row facts = { &v->image, v->facts, v->ids, v->n_ids, v->chain };
    CK_TRY(ck_facts_put(s, &facts, known));
    return v->summary ? ck_summary_put(s, &v->image, v->summary) : NULL;
}

static ck_err *rematched_one(struct ck_store *s, int64_t built, const struct ck_store_rematch *v,
                             struct ck_known_ids *known)
{
    bool to_do = false;
    CK_TRY(is_to_do(s, &v->image, built, &to_do));
    if (!to_do)
        return NULL;
    if (v->changed)
        CK_TRY(write_change(s, v, known));
    if (v->decide)
        CK_TRY(ck_decide_by_scan(s, &v->image, v->state, v->reason));
    CK_TRY(ck_events_add(s, v->events, v->n_events));
    return built == CK_STORE_NOT_MATCHED ? NULL : set_matched(s, &v->image, built);
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

static ck_err *matched_all(struct ck_store *s, int64_t built, const struct ck_digest *but, size_t n)
{
    ck_autobuf struct ck_buf list = ck_buf_new(CK_LIMIT_NONE);
    ck_autoquery struct ck_query q = { 0 };
    char text[CK_DIGEST_TEXT];
    ck_put_bytes(&list, CK_V("["));
    for (size_t i = 0; i < n; i++)
        ck_buf_format(&list, "%s\"%s\"", i ? "," : "", ck_digest_text(&but[i], text));
    ck_put_bytes(&list, CK_V("]"));
    CK_TRY(ck_query_new(s, "UPDATE inventory SET matched=?1 WHERE matched!=?1 AND image NOT IN"
                           " (SELECT value FROM json_each(?2))", &q));
    ck_bind_int(&q, built);
    ck_bind_text(&q, ck_buf_view(&list));
    return ck_query_run(&q);
}

ck_err *ck_store_matched_all(struct ck_store *s, int64_t built, const struct ck_digest *but,
                             size_t n)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, matched_all(s, built, but, n));
}
