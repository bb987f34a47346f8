/* What a policy asks of an image, and what was found in it, kept with the image. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* --- ids -------------------------------------------------------------------------------------- */

static ck_err *number_id(struct ck_store *s, ck_view id, int64_t *ret)
{
    return ck_number_of(s, "SELECT number FROM vulnerability WHERE id=?",
                        "INSERT INTO vulnerability(id, images) VALUES(?, 0)", id, ret);
}

static uint32_t hash_of(ck_view v)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < v.n; i++)
        h = (h ^ v.p[i]) * 16777619u;
    return h;
}

static struct ck_known_id *slot_of(struct ck_known_ids *k, ck_view id)
{
    size_t i = hash_of(id) & (k->size - 1);
    while (k->slots[i].number && !ck_view_eq(k->slots[i].id, id))
        i = (i + 1) & (k->size - 1);
    return &k->slots[i];
}

static void grow(struct ck_known_ids *k)
{
    struct ck_known_ids bigger = { .size = k->size ? k->size * 2 : 1024, .n = k->n };
    bigger.slots = ck_calloc(bigger.size, sizeof *bigger.slots);
    for (size_t i = 0; i < k->size; i++)
        if (k->slots[i].number)
            *slot_of(&bigger, k->slots[i].id) = k->slots[i];
    free(k->slots);
    k->slots = bigger.slots;
    k->size = bigger.size;
}

static ck_err *number_known(struct ck_store *s, struct ck_known_ids *k, ck_view id, int64_t *ret)
{
    if (k->n * 2 >= k->size)
        grow(k);
    struct ck_known_id *slot = slot_of(k, id);
    if (!slot->number) {
        int64_t number = 0;
        CK_TRY(number_id(s, id, &number));
        *slot = (struct ck_known_id){ ck_arena_dup(&k->arena, id), number };
        k->n++;
    }
    *ret = slot->number;
    return NULL;
}

void ck_known_ids_free(struct ck_known_ids *k)
{
    free(k->slots);
    ck_arena_free(&k->arena);
}

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static size_t numbers_once(int64_t *v, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(v, n, sizeof *v, by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[kept - 1] != v[i])
            v[kept++] = v[i];
    return kept;
}

ck_err *ck_ids_decode(ck_view text, struct ck_arena *a, int64_t **ret, size_t *ret_n)
{
    int64_t *v = ck_arena_alloc(a, text.n / 2 + 1, sizeof *v); /* a digit and a comma each */
    size_t n = 0;
    while (text.n) {
        uint64_t number;
        if (!ck_view_u64(ck_view_split(text, ',', &text), &number) || number == 0 ||
            number > INT64_MAX)
            return ck_err_new(CK_ERR_OURS, "the numbers of an image's findings are damaged");
        v[n++] = (int64_t)number;
    }
    *ret = v;
    *ret_n = numbers_once(v, n);
    return NULL;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static ck_err *run_on(struct ck_store *s, const char *sql, int64_t id, int64_t facts)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    ck_bind_int(&q, id);
    if (facts)
        ck_bind_int(&q, facts);
    return ck_query_run(&q);
}

static ck_err *add_finding(struct ck_store *s, int64_t id, int64_t facts)
{
    CK_TRY(run_on(s, "INSERT INTO finding VALUES(?,?)", id, facts));
    return run_on(s, "UPDATE vulnerability SET images=images+1 WHERE number=?", id, 0);
}

/* An id that nobody has any more keeps its number until the next gc: it may be among the known ones
 * of this transaction. */
ck_err *ck_unfind(struct ck_store *s, int64_t id, int64_t facts)
{
    CK_TRY(run_on(s, "DELETE FROM finding WHERE id=? AND facts=?", id, facts));
    if (sqlite3_changes(s->db) == 0)
        return NULL;
    return run_on(s, "UPDATE vulnerability SET images=images-1 WHERE number=?", id, 0);
}

/* What is written of an image. */
struct sheet {
    int64_t number;
    const int64_t *old, *now;
    size_t n_old, n_now;
};

static ck_err *change_findings(struct ck_store *s, const struct sheet *h)
{
    for (size_t i = 0, k = 0; i < h->n_old || k < h->n_now;) {
        if (k == h->n_now || (i < h->n_old && h->old[i] < h->now[k])) {
            CK_TRY(ck_unfind(s, h->old[i++], h->number));
        } else if (i == h->n_old || h->now[k] < h->old[i]) {
            CK_TRY(add_finding(s, h->now[k++], h->number));
        } else {
            i++;
            k++;
        }
    }
    return NULL;
}

static ck_err *number_facts(struct ck_store *s, const struct ck_digest *d, ck_view chain,
                            int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t number = 0;
    CK_TRY(ck_query_new(s, "INSERT INTO facts(image, chain) VALUES(?,?) ON CONFLICT(image) DO"
                           " UPDATE SET chain=excluded.chain RETURNING number", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, chain);
    CK_TRY(ck_query_count(&q, &number));
    *ret = (int64_t)number;
    return ck_query_run(&q);
}

static ck_err *old_ids(struct ck_store *s, struct ck_arena *a, struct sheet *h)
{
    ck_autoquery struct ck_query q = { 0 };
    int64_t *old = NULL;
    bool found = false;
    CK_TRY(ck_query_new(s, "SELECT ids FROM facts_bytes WHERE facts=?", &q));
    ck_bind_int(&q, h->number);
    CK_TRY(ck_query_step(&q, &found));
    if (found)
        CK_TRY_WRAP(ck_ids_decode(ck_column_text(&q, 0), a, &old, &h->n_old), "store %s", s->dir);
    h->old = old;
    return NULL;
}

static ck_err *number_ids(struct ck_store *s, struct ck_known_ids *known, const ck_view *ids,
                          size_t n, struct ck_arena *a, struct sheet *h)
{
    int64_t *now = ck_arena_alloc(a, n + 1, sizeof *now);
    for (size_t i = 0; i < n; i++)
        CK_TRY(known ? number_known(s, known, ids[i], &now[i]) : number_id(s, ids[i], &now[i]));
    h->now = now;
    h->n_now = numbers_once(now, n);
    return NULL;
}

static ck_err *write_bytes(struct ck_store *s, const struct sheet *h, ck_view facts)
{
    ck_autoquery struct ck_query q = { 0 };
    ck_autobuf struct ck_buf ids = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < h->n_now; i++) {
        ck_put_bytes(&ids, i ? CK_V(",") : CK_V(""));
        ck_buf_decimal(&ids, (uint64_t)h->now[i]);
    }
    CK_TRY(ck_query_new(s, "INSERT INTO facts_bytes VALUES(?,?,?) ON CONFLICT(facts) DO UPDATE SET"
                           " ids=excluded.ids, bytes=excluded.bytes", &q));
    ck_bind_int(&q, h->number);
    ck_bind_text(&q, ck_buf_view(&ids));
    ck_bind_blob(&q, facts);
    return ck_query_run(&q);
}

ck_err *ck_facts_put(struct ck_store *s, const struct ck_facts_row *v, struct ck_known_ids *known)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct sheet h = { 0 };
    CK_TRY(ck_image_known(s, v->image));
    if (v->facts.n == 0) /* a scan that broke off: what the one before saw counts no more */
        CK_TRY(ck_summary_drop(s, v->image));
    CK_TRY(number_facts(s, v->image, v->chain, &h.number));
    CK_TRY(old_ids(s, &a, &h));
    CK_TRY(number_ids(s, known, v->ids, v->n_ids, &a, &h));
    CK_TRY(change_findings(s, &h));
    return write_bytes(s, &h, v->facts);
}

ck_err *ck_store_put_facts(struct ck_store *s, const struct ck_digest *d, ck_view facts,
                           const ck_view *ids, size_t n_ids, ck_view chain)
{
    const struct ck_facts_row v = { d, facts, ids, n_ids, chain };
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, ck_facts_put(s, &v, NULL));
}

/* --- asking ----------------------------------------------------------------------------------- */

static ck_err *get_facts(struct ck_store *s, const struct ck_digest *d, struct ck_buf *out,
                         bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT bytes FROM facts JOIN facts_bytes ON facts_bytes.facts=number"
                           " WHERE image=?", &q));
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
    CK_TRY(ck_query_new(s, "SELECT facts.image FROM vulnerability CROSS JOIN finding"
                           " ON finding.id=vulnerability.number CROSS JOIN facts"
                           " ON facts.number=finding.facts WHERE vulnerability.id=?"
                           " ORDER BY facts.image", &q));
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

static int by_text(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

static size_t sort_once(ck_view *v, size_t n)
{
    size_t kept = 0;
    qsort(v, n, sizeof *v, by_text);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !ck_view_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    return kept;
}

static ck_err *bases(struct ck_store *s, const ck_view *chains, size_t n, struct ck_arena *a,
                     ck_view **ret, size_t *ret_n)
{
    struct found f = { 0 };
    ck_err *e = NULL;
    for (size_t i = 0; i < n && !e; i++)
        e = bases_of(s, chains[i], a, &f);
    if (!e) {
        size_t kept = f.all.n ? sort_once(f.all.v, f.all.n) : 0;
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
