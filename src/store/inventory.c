/* What an image consists of, and which images consist of something. */
#include "store/store_int.h"

#include "base/mem.h"

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

static ck_err *hold(struct ck_store *s, int64_t package, int64_t inventory)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO holds VALUES(?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_int(&q, package);
    ck_bind_int(&q, inventory);
    return ck_query_run(&q);
}

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

/* From what the inventory held to what it holds; what stays is not touched. */
static ck_err *change_holds(struct ck_store *s, int64_t inventory, const int64_t *old, size_t n_old,
                            const int64_t *now, size_t n_now)
{
    for (size_t i = 0, k = 0; i < n_old || k < n_now;) {
        if (k == n_now || (i < n_old && old[i] < now[k])) {
            CK_TRY(ck_unhold(s, old[i++], inventory));
        } else if (i == n_old || now[k] < old[i]) {
            CK_TRY(hold(s, now[k++], inventory));
        } else {
            i++;
            k++;
        }
    }
    return NULL;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static ck_err *insert_number(struct ck_store *s, const struct ck_digest *d, int64_t matched,
                             int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO inventory(image, matched) VALUES(?,?) ON CONFLICT(image)"
                           " DO UPDATE SET matched=excluded.matched RETURNING number", &q));
    ck_bind_digest(&q, d);
    ck_bind_int(&q, matched);
    uint64_t number = 0;
    CK_TRY(ck_query_count(&q, &number));
    *ret = (int64_t)number;
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

static ck_err *put_inventory(struct ck_store *s, const struct ck_digest *d,
                             const struct ck_store_inventory *v)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf items = ck_buf_new(CK_LIMIT_NONE);
    struct ck_item *old = NULL, *now = ck_arena_alloc(&a, v->n + 1, sizeof *now);
    size_t n_old = 0, n_was = 0, n_is = 0;
    int64_t number = 0;
    CK_TRY(ck_image_known(s, d));
    CK_TRY(insert_number(s, d, v->matched, &number));
    CK_TRY(old_items(s, number, &a, &old, &n_old));
    CK_TRY(number_packages(s, v, now));
    ck_items_encode(now, v->n, &items);
    CK_TRY(write_bytes(s, number, v->head, ck_buf_view(&items)));
    ck_autofree int64_t *was = numbers_of(old, n_old, &n_was);
    ck_autofree int64_t *is = numbers_of(now, v->n, &n_is);
    return change_holds(s, number, was, n_was, is, n_is);
}

ck_err *ck_store_put_inventory(struct ck_store *s, const struct ck_digest *d,
                               const struct ck_store_inventory *v)
{
    CK_TRY(check_inventory(v));
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_inventory(s, d, v));
}

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *package_bytes(struct ck_store *s, int64_t number, struct ck_arena *a, ck_view *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool found = false;
    CK_TRY(ck_query_new(s, "SELECT bytes FROM package WHERE id=?", &q));
    ck_bind_int(&q, number);
    CK_TRY(ck_query_step(&q, &found));
    if (!found)
        return ck_err_new(CK_ERR_OURS, "store %s: an inventory names package %lld, which is not "
                          "there", s->dir, (long long)number);
    *ret = ck_arena_dup(a, ck_column_text(&q, 0));
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
        CK_TRY(package_bytes(s, v[i].package, a, &ret->items[i].package));
    }
    return NULL;
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

/* --- from packages to images ------------------------------------------------------------------ */

/* A bit for each number of an inventory: a thousand packages may be held by ten thousand images
 * each. Numbers behind the last are of inventories that are gone. */
struct marks {
    uint8_t *bits;
    uint64_t n;
};

static ck_err *mark_holders(struct ck_store *s, ck_view key, struct marks *m)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT holds.inventory FROM package_key CROSS JOIN holds"
                           " ON holds.package=package_key.package WHERE package_key.key=?", &q));
    ck_bind_blob(&q, key);
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        uint64_t number = (uint64_t)ck_column_int(&q, 0);
        if (number < m->n)
            m->bits[number / 8] |= (uint8_t)(1u << number % 8);
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

static ck_err *marked(struct ck_store *s, const struct marks *m, struct ck_arena *a,
                      struct ck_digest **ret, size_t *ret_n)
{
    size_t most = 0, n = 0;
    for (uint64_t i = 0; i < (m->n + 7) / 8; i++)
        most += (size_t)__builtin_popcount(m->bits[i]);
    struct ck_digest *all = ck_arena_alloc(a, most + 1, sizeof *all);
    for (uint64_t i = 0; i < m->n; i++)
        if (m->bits[i / 8] & 1u << i % 8)
            CK_TRY(add_image(s, i, all, &n));
    *ret = all;
    *ret_n = n;
    return NULL;
}

static ck_err *holding(struct ck_store *s, const ck_view *keys, size_t n, struct ck_arena *a,
                       struct ck_digest **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    struct marks m = { 0 };
    CK_TRY(ck_query_new(s, "SELECT coalesce(max(number),0)+1 FROM inventory", &q));
    CK_TRY(ck_query_count(&q, &m.n));
    ck_autofree uint8_t *bits = ck_calloc(m.n / 8 + 1, 1);
    m.bits = bits;
    for (size_t i = 0; i < n; i++)
        CK_TRY(mark_holders(s, keys[i], &m));
    return marked(s, &m, a, ret, ret_n);
}

ck_err *ck_store_holding(struct ck_store *s, const ck_view *keys, size_t n, struct ck_arena *a,
                         struct ck_digest **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, holding(s, keys, n, a, ret, ret_n));
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
