/* What an image consists of, and which images consist of something. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* --- packages --------------------------------------------------------------------------------- */

static ck_err *check_item(const struct ck_store_item *it)
{
    if (it->package.n > CK_MAX_INVENTORY_PACKAGE)
        return ck_err_limit(CK_LIMIT_INVENTORY_PACKAGE, "a package of %zu bytes", it->package.n);
    if (it->n_keys > CK_MAX_INVENTORY_KEYS)
        return ck_err_limit(CK_LIMIT_INVENTORY_KEYS, "a package with %zu keys", it->n_keys);
    for (size_t i = 0; i < it->n_keys; i++)
        if (it->keys[i].n > CK_MAX_INVENTORY_PACKAGE)
            return ck_err_limit(CK_LIMIT_INVENTORY_PACKAGE, "a key of %zu bytes", it->keys[i].n);
    if (it->location.n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "a location of %zu bytes", it->location.n);
    return NULL;
}

static ck_err *check_inventory(const struct ck_store_inventory *v)
{
    if (v->n > CK_MAX_PACKAGES + 1) /* beside its packages an image has a distribution */
        return ck_err_limit(CK_LIMIT_PACKAGES, "an inventory of %zu packages", v->n);
    if (v->head.n > CK_MAX_INVENTORY_HEAD)
        return ck_err_limit(CK_LIMIT_INVENTORY_HEAD, "an inventory's head of %zu bytes",
                            v->head.n);
    for (size_t i = 0; i < v->n; i++)
        CK_TRY(check_item(&v->items[i]));
    return NULL;
}

static ck_err *find_package(struct ck_store *s, ck_view bytes, int64_t *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT id FROM package WHERE bytes=?", &q));
    ck_bind_blob(&q, bytes);
    CK_TRY(ck_query_step(&q, ret_found));
    if (*ret_found)
        *ret = ck_column_int(&q, 0);
    return NULL;
}

static ck_err *insert_key(struct ck_store *s, ck_view key, int64_t package)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO package_key VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_blob(&q, key);
    ck_bind_int(&q, package);
    return ck_query_run(&q);
}

static ck_err *insert_package(struct ck_store *s, const struct ck_store_item *it, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO package(bytes) VALUES(?)", &q));
    ck_bind_blob(&q, it->package);
    CK_TRY(ck_query_run(&q));
    *ret = sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < it->n_keys; i++)
        CK_TRY(insert_key(s, it->keys[i], *ret));
    return NULL;
}

static ck_err *number_packages(struct ck_store *s, const struct ck_store_inventory *v,
                               struct ck_item *into)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct ck_store_item *it = &v->items[i];
        bool found = false;
        into[i] = (struct ck_item){ .layer = it->layer, .location = it->location };
        CK_TRY(find_package(s, it->package, &into[i].package, &found));
        if (!found)
            CK_TRY(insert_package(s, it, &into[i].package));
    }
    return NULL;
}

/* --- who holds what --------------------------------------------------------------------------- */

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* The numbers, sorted, each once. free() */
static int64_t *numbers_of(const struct ck_item *v, size_t n, size_t *ret_n)
{
    int64_t *all = ck_calloc(n + 1, sizeof *all);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        all[i] = v[i].package;
    qsort(all, n, sizeof *all, by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || all[kept - 1] != all[i])
            all[kept++] = all[i];
    *ret_n = kept;
    return all;
}

static bool hold_the_same(const struct ck_item *x, size_t n_x, const struct ck_item *y, size_t n_y)
{
    size_t n_was = 0, n_is = 0;
    ck_autofree int64_t *was = numbers_of(x, n_x, &n_was), *is = numbers_of(y, n_y, &n_is);
    return n_was == n_is && memcmp(was, is, n_is * sizeof *is) == 0;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static ck_err *find_number(struct ck_store *s, const struct ck_digest *d, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t number = 0;
    CK_TRY(ck_query_new(s, "SELECT number FROM inventory WHERE image=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_count(&q, &number));
    *ret = (int64_t)number;
    return NULL;
}

static ck_err *insert_number(struct ck_store *s, const struct ck_digest *d, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO inventory(image, matched) VALUES(?,0)", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_run(&q));
    *ret = sqlite3_last_insert_rowid(s->db);
    return NULL;
}

static ck_err *set_matched(struct ck_store *s, int64_t number, int64_t matched)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE inventory SET matched=? WHERE number=?", &q));
    ck_bind_int(&q, matched);
    ck_bind_int(&q, number);
    return ck_query_run(&q);
}

static ck_err *delete_number(struct ck_store *s, int64_t number)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM inventory WHERE number=?", &q));
    ck_bind_int(&q, number);
    return ck_query_run(&q);
}

static ck_err *leave_unindexed(struct ck_store *s, int64_t number, size_t items)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO unindexed VALUES(?,?)", &q));
    ck_bind_int(&q, number);
    ck_bind_int(&q, (int64_t)items);
    return ck_query_run(&q);
}

static ck_err *old_items(struct ck_store *s, int64_t number, struct ck_arena *a,
                         struct ck_item **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool found = false;
    CK_TRY(ck_query_new(s, "SELECT items FROM inventory_bytes WHERE inventory=?", &q));
    ck_bind_int(&q, number);
    CK_TRY(ck_query_step(&q, &found));
    *ret_n = 0;
    return found ? ck_items_decode(ck_column_text(&q, 0), a, ret, ret_n) : NULL;
}

static ck_err *write_bytes(struct ck_store *s, int64_t number, ck_view head, ck_view items)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO inventory_bytes VALUES(?,?,?) ON CONFLICT(inventory)"
                           " DO UPDATE SET head=excluded.head, items=excluded.items", &q));
    ck_bind_int(&q, number);
    ck_bind_blob(&q, head);
    ck_bind_blob(&q, items);
    return ck_query_run(&q);
}

/* The number to write under: the same where the same packages are held, so that nothing of the
 * index changes; else a new one, and what was is left to gc. */
static ck_err *number_inventory(struct ck_store *s, const struct ck_digest *d,
                                const struct ck_item *v, size_t n, int64_t *ret)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_item *old = NULL;
    size_t n_old = 0;
    CK_TRY(find_number(s, d, ret));
    if (*ret) {
        CK_TRY(old_items(s, *ret, &a, &old, &n_old));
        if (hold_the_same(old, n_old, v, n))
            return NULL;
        CK_TRY(delete_number(s, *ret));
    }
    CK_TRY(insert_number(s, d, ret));
    return leave_unindexed(s, *ret, n);
}

static ck_err *put_inventory(struct ck_store *s, const struct ck_digest *d,
                             const struct ck_store_inventory *v)
{
    ck_autobuf struct ck_buf items = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree struct ck_item *now = ck_calloc(v->n + 1, sizeof *now);
    int64_t number = 0;
    CK_TRY(ck_image_known(s, d));
    CK_TRY(number_packages(s, v, now));
    CK_TRY(number_inventory(s, d, now, v->n, &number));
    ck_items_encode(now, v->n, &items);
    CK_TRY(write_bytes(s, number, v->head, ck_buf_view(&items)));
    CK_TRY(set_matched(s, number, v->matched));
    return ck_index_some(s);
}

ck_err *ck_store_put_inventory(struct ck_store *s, const struct ck_digest *d,
                               const struct ck_store_inventory *v)
{
    CK_TRY(check_inventory(v));
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_inventory(s, d, v));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "[7,12,9]" */
static ck_view list_of(const struct ck_item *v, size_t n, struct ck_buf *b)
{
    ck_put_u8(b, '[');
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(b, i ? CK_V(",") : CK_V(""));
        ck_buf_decimal(b, (uint64_t)v[i].package);
    }
    ck_put_u8(b, ']');
    return ck_buf_view(b);
}

static ck_err *take_package(struct ck_store *s, struct ck_query *q, const struct ck_item *v,
                            size_t n, struct ck_arena *a, struct ck_store_item *items)
{
    int64_t i = ck_column_int(q, 0);
    if (i < 0 || (uint64_t)i >= n)
        return ck_err_new(CK_ERR_OURS, "store %s: package %lld of %zu", s->dir, (long long)i, n);
    if (ck_column_null(q, 1))
        return ck_err_new(CK_ERR_OURS, "store %s: an inventory names package %lld, which is not "
                          "there", s->dir, (long long)v[i].package);
    items[i].package = ck_arena_dup(a, ck_column_text(q, 1));
    return NULL;
}

/* All of them by one statement: beginning and ending one costs more than finding a package. */
static ck_err *read_packages(struct ck_store *s, const struct ck_item *v, size_t n,
                             struct ck_arena *a, struct ck_store_item *items)
{
    ck_autobuf struct ck_buf list = ck_buf_new(CK_LIMIT_NONE);
    ck_autoquery struct ck_query q = { 0 };
    size_t rows = 0;
    CK_TRY(ck_query_new(s, "SELECT key, bytes FROM json_each(?) LEFT JOIN package ON"
                           " package.id=value", &q));
    ck_bind_text(&q, list_of(v, n, &list));
    for (bool row = true;; rows++) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(take_package(s, &q, v, n, a, items));
    }
    if (rows != n)
        return ck_err_new(CK_ERR_OURS, "store %s: %zu of %zu packages", s->dir, rows, n);
    return NULL;
}

static ck_err *read_items(struct ck_store *s, ck_view items, struct ck_arena *a,
                          struct ck_store_inventory *ret)
{
    struct ck_item *v = NULL;
    size_t n = 0;
    CK_TRY_WRAP(ck_items_decode(items, a, &v, &n), "store %s", s->dir);
    ret->items = ck_arena_alloc(a, n + 1, sizeof *ret->items);
    ret->n = n;
    for (size_t i = 0; i < n; i++) {
        ret->items[i].layer = v[i].layer;
        ret->items[i].location = v[i].location;
    }
    return read_packages(s, v, n, a, ret->items);
}

static ck_err *get_inventory(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                             struct ck_store_inventory *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT head, items, matched FROM inventory JOIN inventory_bytes"
                           " ON inventory=number WHERE image=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    ret->head = ck_arena_dup(a, ck_column_text(&q, 0));
    ret->matched = ck_column_int(&q, 2);
    return read_items(s, ck_column_text(&q, 1), a, ret);
}

ck_err *ck_store_get_inventory(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                               struct ck_store_inventory *ret, bool *ret_found)
{
    struct ck_store_inventory v = { 0 };
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_inventory(s, d, a, &v, &found)));
    if (found)
        *ret = v;
    *ret_found = found;
    return NULL;
}

/* --- what is to be looked at ------------------------------------------------------------------ */

static ck_err *unmatched(struct ck_store *s, int64_t built, size_t max, struct ck_arena *a,
                         struct ck_digest **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT image FROM inventory WHERE matched!=? ORDER BY number LIMIT ?",
                        &q));
    ck_bind_int(&q, built);
    ck_bind_int(&q, max && max < INT64_MAX ? (int64_t)max : -1);
    return ck_query_digests(&q, a, ret, ret_n);
}

ck_err *ck_store_unmatched(struct ck_store *s, int64_t built, size_t max, struct ck_arena *a,
                           struct ck_digest **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, unmatched(s, built, max, a, ret, ret_n));
}

static ck_err *without_inventory(struct ck_store *s, struct ck_arena *a, struct ck_digest **ret,
                                 size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT image FROM facts WHERE image NOT IN (SELECT image FROM"
                           " inventory) ORDER BY image", &q));
    return ck_query_digests(&q, a, ret, ret_n);
}

ck_err *ck_store_without_inventory(struct ck_store *s, struct ck_arena *a, struct ck_digest **ret,
                                   size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, without_inventory(s, a, ret, ret_n));
}
