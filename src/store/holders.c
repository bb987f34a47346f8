/* From packages to the images that hold them.
 *
 * A row of `holds` lies beside those of the same package: entering one image's four hundred
 * packages writes as many pages. So new inventories wait, and are entered together in the order of
 * packages; who asks decodes those that wait.
 */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { WAITING = 512 /* inventories */, ITEMS = 250000 /* of all of them */ };

/* --- those that wait -------------------------------------------------------------------------- */

static ck_err *each_waiting(struct ck_store *s,
                            void (*each)(void *ctx, int64_t inventory, const struct ck_item *it),
                            void *ctx)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT unindexed.inventory, inventory_bytes.items FROM unindexed"
                           " CROSS JOIN inventory_bytes"
                           " ON inventory_bytes.inventory=unindexed.inventory", &q));
    for (;;) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_item *v = NULL;
        size_t n = 0;
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        CK_TRY_WRAP(ck_items_decode(ck_column_text(&q, 1), &a, &v, &n), "store %s", s->dir);
        for (size_t i = 0; i < n; i++)
            each(ctx, ck_column_int(&q, 0), &v[i]);
    }
}

struct pair {
    int64_t package, inventory;
};

struct pairs {
    CK_VEC(struct pair) v;
};

static void add_pair(void *ctx, int64_t inventory, const struct ck_item *it)
{
    struct pairs *p = ctx;
    *ck_push(&p->v) = (struct pair){ it->package, inventory };
}

static int compare_pairs(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    if (a->package != b->package)
        return a->package < b->package ? -1 : 1;
    return (a->inventory > b->inventory) - (a->inventory < b->inventory);
}

static ck_err *hold(struct ck_store *s, const struct pair *p)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO holds VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_int(&q, p->package);
    ck_bind_int(&q, p->inventory);
    return ck_query_run(&q);
}

static ck_err *none_waits(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM unindexed", &q));
    return ck_query_run(&q);
}

ck_err *ck_index_all(struct ck_store *s)
{
    struct pairs p = { 0 };
    ck_err *e = each_waiting(s, add_pair, &p);
    if (p.v.n)
        qsort(p.v.v, p.v.n, sizeof *p.v.v, compare_pairs);
    for (size_t i = 0; i < p.v.n && !e; i++)
        e = hold(s, &p.v.v[i]);
    free(p.v.v);
    return e ? e : none_waits(s);
}

ck_err *ck_index_some(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT count(*), coalesce(sum(items),0) FROM unindexed", &q));
    CK_TRY(ck_query_step(&q, &row));
    if (ck_column_int(&q, 0) < WAITING && ck_column_int(&q, 1) < ITEMS)
        return NULL;
    CK_TRY(ck_query_run(&q));
    return ck_index_all(s);
}

/* --- taking away ------------------------------------------------------------------------------ */

static ck_err *delete_hold(struct ck_store *s, int64_t package, int64_t inventory)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM holds WHERE package=? AND inventory=?", &q));
    ck_bind_int(&q, package);
    ck_bind_int(&q, inventory);
    return ck_query_run(&q);
}

ck_err *ck_unhold(struct ck_store *s, int64_t package, int64_t inventory)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(delete_hold(s, package, inventory));
    CK_TRY(ck_query_new(s, "DELETE FROM package WHERE id=?1 AND NOT EXISTS (SELECT 1 FROM holds"
                           " WHERE package=?1)", &q));
    ck_bind_int(&q, package);
    return ck_query_run(&q);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* A bit for each number: a thousand packages may be held by ten thousand images each. Numbers
 * behind the last are of inventories that are gone. */
struct marks {
    uint8_t *bits;
    uint64_t n;
};

static void mark(struct marks *m, uint64_t number)
{
    if (number < m->n)
        m->bits[number / 8] |= (uint8_t)(1u << number % 8);
}

static bool is_marked(const struct marks *m, uint64_t number)
{
    return number < m->n && (m->bits[number / 8] & 1u << number % 8);
}

static ck_err *new_marks(struct ck_store *s, const char *sql, struct marks *m)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    CK_TRY(ck_query_count(&q, &m->n));
    m->bits = ck_calloc(m->n / 8 + 1, 1);
    return NULL;
}

struct holders {
    struct marks packages, inventories;
};

static void mark_waiting(void *ctx, int64_t inventory, const struct ck_item *it)
{
    struct holders *h = ctx;
    if (is_marked(&h->packages, (uint64_t)it->package))
        mark(&h->inventories, (uint64_t)inventory);
}

static ck_err *mark_packages(struct ck_store *s, ck_view key, struct holders *h)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT package FROM package_key WHERE key=?", &q));
    ck_bind_blob(&q, key);
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        mark(&h->packages, (uint64_t)ck_column_int(&q, 0));
    }
}

static ck_err *mark_holders(struct ck_store *s, uint64_t package, struct holders *h)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT inventory FROM holds WHERE package=?", &q));
    ck_bind_int(&q, (int64_t)package);
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        mark(&h->inventories, (uint64_t)ck_column_int(&q, 0));
    }
}

static ck_err *add_image(struct ck_store *s, uint64_t number, struct ck_digest *into, size_t *n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool found = false;
    CK_TRY(ck_query_new(s, "SELECT image FROM inventory WHERE number=?", &q));
    ck_bind_int(&q, (int64_t)number);
    CK_TRY(ck_query_step(&q, &found));
    if (!found)
        return NULL;
    CK_TRY(ck_column_digest(&q, 0, &into[*n]));
    ++*n;
    return NULL;
}

static ck_err *images_of(struct ck_store *s, const struct marks *m, struct ck_arena *a,
                         struct ck_digest **ret, size_t *ret_n)
{
    size_t most = 0, n = 0;
    for (uint64_t i = 0; i < m->n / 8 + 1; i++)
        most += (size_t)__builtin_popcount(m->bits[i]);
    struct ck_digest *all = ck_arena_alloc(a, most + 1, sizeof *all);
    for (uint64_t i = 0; i < m->n; i++)
        if (is_marked(m, i))
            CK_TRY(add_image(s, i, all, &n));
    *ret = all;
    *ret_n = n;
    return NULL;
}

static ck_err *find_holders(struct ck_store *s, const ck_view *keys, size_t n, struct holders *h)
{
    CK_TRY(new_marks(s, "SELECT coalesce(max(id),0)+1 FROM package", &h->packages));
    CK_TRY(new_marks(s, "SELECT coalesce(max(number),0)+1 FROM inventory", &h->inventories));
    for (size_t i = 0; i < n; i++)
        CK_TRY(mark_packages(s, keys[i], h));
    for (uint64_t i = 0; i < h->packages.n; i++)
        if (is_marked(&h->packages, i))
            CK_TRY(mark_holders(s, i, h));
    return each_waiting(s, mark_waiting, h);
}

static ck_err *holding(struct ck_store *s, const ck_view *keys, size_t n, struct ck_arena *a,
                       struct ck_digest **ret, size_t *ret_n)
{
    struct holders h = { 0 };
    ck_err *e = find_holders(s, keys, n, &h);
    if (!e)
        e = images_of(s, &h.inventories, a, ret, ret_n);
    free(h.packages.bits);
    free(h.inventories.bits);
    return e;
}

ck_err *ck_store_holding(struct ck_store *s, const ck_view *keys, size_t n, struct ck_arena *a,
                         struct ck_digest **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, holding(s, keys, n, a, ret, ret_n));
}
