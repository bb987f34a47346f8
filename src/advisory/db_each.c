/* Going through all of the advisory database. */
#include "advisory/db_map.h"

/* What is read of one entry lives until the next; many share an arena, since each costs a call of
 * malloc. */
enum { ARENA_FULL = 1 << 20 };

static void make_room(struct ck_arena *a)
{
    if (a->used > ARENA_FULL) {
        ck_arena_free(a);
        *a = (struct ck_arena){ 0 };
    }
}

ck_err *ck_db_each_package(const struct ck_db *db,
                           ck_err *(*each)(void *ctx, struct ck_db_package *p, struct ck_arena *a),
                           void *ctx)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view table = db->section[CK_DB_PKG_INDEX];
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = ck_db_slot_at(table, s);
        struct ck_db_package p;
        if (at == 0)
            continue;
        make_room(&a);
        CK_TRY(ck_db_package_at(db, at - 1, &p));
        CK_TRY(each(ctx, &p, &a));
    }
    return NULL;
}

ck_err *ck_db_each_id(const struct ck_db *db,
                      ck_err *(*each)(void *ctx, ck_view id, const struct ck_db_id *what),
                      void *ctx)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view table = db->section[CK_DB_ID_INDEX];
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = ck_db_slot_at(table, s);
        struct ck_db_id what;
        if (at == 0)
            continue;
        make_room(&a);
        ck_cur c = ck_db_at(db, CK_DB_IDS, at - 1);
        ck_view id = ck_cur_id(&c, &a);
        if (!ck_cur_ok(&c))
            return ck_db_damaged("id", at - 1);
        CK_TRY(ck_db_read_carriers(db, &c, &a, &what));
        CK_TRY(each(ctx, id, &what));
    }
    return NULL;
}

ck_err *ck_db_each_ecosystem(const struct ck_db *db,
                             ck_err *(*each)(void *ctx, ck_view name, const uint64_t *counts),
                             void *ctx)
{
    ck_autoarena struct ck_arena a = { 0 };
    uint64_t *counts = ck_arena_alloc(&a, db->n_feeds, sizeof *counts);
    ck_cur c = ck_cur_of(db->section[CK_DB_ECOSYSTEMS]);
    while (!ck_cur_end(&c)) {
        ck_view name = ck_cur_vstr(&c);
        for (size_t i = 0; i < db->n_feeds; i++)
            counts[i] = ck_cur_varint(&c);
        if (ck_cur_ok(&c))
            CK_TRY(each(ctx, name, counts));
    }
    return ck_cur_ok(&c) ? NULL : ck_db_damaged("ecosystems", c.at);
}

ck_view ck_db_runs(const struct ck_db_package *p, const struct ck_db_entry *e)
{
    if (e->runs.v.n == 0)
        return (ck_view){ 0 };
    return ck_view_of(e->runs.v.p + e->runs.at, p->statements.at - e->runs.at);
}

ck_err *ck_db_table(const struct ck_db_package *p, ck_view *ret)
{
    ck_cur c = p->table_bytes;
    size_t from = c.at;
    for (size_t n = ck_cur_count(&c); n && ck_cur_ok(&c); n--) {
        ck_cur_varint(&c);
        ck_cur_vstr(&c);
    }
    if (!ck_cur_ok(&c))
        return ck_db_damaged("version table", c.at);
    *ret = ck_view_of(c.v.p + from, c.at - from);
    return NULL;
}
