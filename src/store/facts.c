/* What a policy asks of an image, and what was found in it, kept with the image. */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- keeping ---------------------------------------------------------------------------------- */

static ck_err *write_facts(struct ck_store *s, const struct ck_digest *d, ck_view facts,
                           ck_view chain)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO facts(image, facts, chain) VALUES(?,?,?) ON CONFLICT(image)"
                           " DO UPDATE SET facts=excluded.facts, chain=excluded.chain", &q));
    ck_bind_digest(&q, d);
    ck_bind_blob(&q, facts);
    ck_bind_text(&q, chain);
    return ck_query_run(&q);
}

static ck_err *insert_finding(struct ck_store *s, const struct ck_digest *d, ck_view id)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO finding VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_text(&q, id);
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

static ck_err *delete_finding(struct ck_store *s, const struct ck_digest *d, ck_view id)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM finding WHERE id=? AND image=?", &q));
    ck_bind_text(&q, id);
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

static ck_err *kept_ids(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                        ck_view **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT id FROM finding WHERE image=? ORDER BY id", &q));
    ck_bind_digest(&q, d);
    return ck_query_texts(&q, SIZE_MAX, a, ret, ret_n, NULL);
}

static int by_text(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

static size_t sort_once(ck_view *v, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(v, n, sizeof *v, by_text);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !ck_view_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    return kept;
}

/* An image is looked at again and again, and few of its findings are others. */
static ck_err *change_ids(struct ck_store *s, const struct ck_digest *d, const ck_view *ids,
                          size_t n_ids)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view *was = NULL, *is = ck_arena_alloc(&a, n_ids + 1, sizeof *is);
    size_t n_was = 0;
    if (n_ids)
        memcpy(is, ids, n_ids * sizeof *is);
    size_t n_is = sort_once(is, n_ids);
    CK_TRY(kept_ids(s, d, &a, &was, &n_was));
    for (size_t i = 0, k = 0; i < n_was || k < n_is;) {
        int c = i == n_was ? 1 : k == n_is ? -1 : ck_view_cmp(was[i], is[k]);
        if (c < 0)
            CK_TRY(delete_finding(s, d, was[i++]));
        else if (c > 0)
            CK_TRY(insert_finding(s, d, is[k++]));
        else
            i++, k++;
    }
    return NULL;
}

ck_err *ck_facts_put(struct ck_store *s, const struct ck_digest *d, ck_view facts,
                     const ck_view *ids, size_t n_ids, ck_view chain)
{
    CK_TRY(ck_image_known(s, d));
    if (facts.n == 0) /* a scan that broke off: what the one before saw counts no more */
        CK_TRY(ck_summary_drop(s, d));
    CK_TRY(write_facts(s, d, facts, chain));
    return change_ids(s, d, ids, n_ids);
}

ck_err *ck_store_put_facts(struct ck_store *s, const struct ck_digest *d, ck_view facts,
                           const ck_view *ids, size_t n_ids, ck_view chain)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, ck_facts_put(s, d, facts, ids, n_ids, chain));
}

/* --- asking ----------------------------------------------------------------------------------- */

static ck_err *get_facts(struct ck_store *s, const struct ck_digest *d, struct ck_buf *out,
                         bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT facts FROM facts WHERE image=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret_found));
    return *ret_found ? ck_buf_add(out, ck_column_text(&q, 0)) : NULL;
}

ck_err *ck_store_get_facts(struct ck_store *s, const struct ck_digest *d, struct ck_buf *out,
                           bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_facts(s, d, out, &found)));
    *ret_found = found;
    return NULL;
}

static ck_err *having(struct ck_store *s, ck_view id, struct ck_arena *a, struct ck_digest **ret,
                      size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT image FROM finding WHERE id=? ORDER BY image", &q));
    ck_bind_text(&q, id);
    return ck_query_digests(&q, a, ret, ret_n);
}

ck_err *ck_store_having(struct ck_store *s, ck_view id, struct ck_arena *a, struct ck_digest **ret,
                        size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, having(s, id, a, ret, ret_n));
}

/* --- base images ------------------------------------------------------------------------------ */

struct found {
    CK_VEC(ck_view) all;
};

/* Names count as long as they mean the image; links as long as it is there. */
static ck_err *bases_of(struct ck_store *s, ck_view chain, struct ck_arena *a, struct found *into)
{
    ck_autoquery struct ck_query q = { 0 };
    ck_view *repositories = NULL;
    size_t n = 0;
    if (chain.n == 0)
        return NULL;
    CK_TRY(ck_query_new(s, "WITH base(d) AS (SELECT image FROM facts WHERE chain=?1 AND chain!='')"
                           " SELECT seen.repository FROM base JOIN name ON name.digest=d"
                           " JOIN seen ON seen.name=name.name AND seen.digest=d"
                           " UNION SELECT link.repository FROM base JOIN link ON link.digest=d",
                        &q));
    ck_bind_text(&q, chain);
    CK_TRY(ck_query_texts(&q, SIZE_MAX, a, &repositories, &n, NULL));
    for (size_t i = 0; i < n; i++)
        *ck_push(&into->all) = repositories[i];
    return NULL;
}

static ck_err *bases(struct ck_store *s, const ck_view *chains, size_t n, struct ck_arena *a,
                     ck_view **ret, size_t *ret_n)
{
    struct found f = { 0 };
    ck_err *e = NULL;
    for (size_t i = 0; i < n && !e; i++)
        e = bases_of(s, chains[i], a, &f);
    if (!e) {
        size_t kept = sort_once(f.all.v, f.all.n);
        *ret = ck_arena_alloc(a, kept + 1, sizeof **ret);
        if (kept)
            memcpy(*ret, f.all.v, kept * sizeof **ret);
        *ret_n = kept;
    }
    free(f.all.v);
    return e;
}

ck_err *ck_store_bases(struct ck_store *s, const ck_view *chains, size_t n, struct ck_arena *a,
                       ck_view **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, bases(s, chains, n, a, ret, ret_n));
}
