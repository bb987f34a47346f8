/* Reading whole statements of the advisory database, and all of it to verify it. */
#include "advisory/db_map.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* --- Whole statements ------------------------------------------------------------------------- */

struct list {
    struct ck_statement *v;
    size_t n, cap;
};

static ck_err *add_statement(struct ck_db_package *p, struct ck_db_entry *e, struct ck_arena *a,
                             struct list *out)
{
    struct ck_statement s = { .feed = ck_db_advisory_feed(p->db, e->advisory) };
    CK_TRY(ck_db_versions(p, e, a));
    CK_TRY(ck_db_advisory(p->db, e->advisory, a, &s.advisory));
    s.affected = e->affected;
    *ck_push(out) = s;
    return NULL;
}

/* The statements of a package; only those of one advisory where `only` is not UINT32_MAX. */
static ck_err *collect(struct ck_db_package *p, uint32_t only, struct ck_arena *a,
                       struct list *out)
{
    for (;;) {
        struct ck_db_entry e;
        bool end;
        CK_TRY(ck_db_next(p, a, &e, &end));
        if (end)
            return NULL;
        if (only == UINT32_MAX || e.advisory == only)
            CK_TRY(add_statement(p, &e, a, out));
    }
}

/* Moves the list into the arena. */
static void hand_over(struct list *l, struct ck_arena *a, struct ck_statements *ret)
{
    ret->v = ck_arena_alloc(a, l->n, sizeof *ret->v);
    ret->n = l->n;
    if (l->n)
        memcpy(ret->v, l->v, l->n * sizeof *ret->v);
}

ck_err *ck_db_find(const struct ck_db *db, ck_view ecosystem, enum ck_name_kind kind, ck_view name,
                   struct ck_arena *a, struct ck_statements *ret)
{
    struct ck_db_package p;
    bool found;
    CK_TRY(ck_db_package(db, ecosystem, kind, name, &p, &found));
    struct list l = { 0 };
    ck_err *e = found ? collect(&p, UINT32_MAX, a, &l) : NULL;
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

static ck_err *collect_advisory(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                                struct list *out)
{
    struct ck_advisory adv;
    ck_cur c;
    CK_TRY(ck_db_read_advisory(db, ordinal, true, a, &adv, &c));
    size_t n = ck_cur_count(&c);
    if (n == 0 && ck_cur_ok(&c))
        *ck_push(out) = (struct ck_statement){ ck_db_advisory_feed(db, ordinal), adv,
                                               { .ecosystem = CK_V(""), .name = CK_V("") } };
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        at += ck_cur_varint(&c);
        struct ck_db_package p;
        if (!ck_cur_ok(&c))
            break;
        CK_TRY(ck_db_package_at(db, at, &p));
        CK_TRY(collect(&p, ordinal, a, out));
    }
    return ck_cur_ok(&c) ? NULL : ck_db_damaged("packages of an advisory", c.at);
}

ck_err *ck_db_find_ordinal(const struct ck_db *db, uint32_t ordinal, struct ck_arena *a,
                           struct ck_statements *ret)
{
    struct list l = { 0 };
    ck_err *e = collect_advisory(db, ordinal, a, &l);
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

ck_err *ck_db_find_id(const struct ck_db *db, ck_view id, struct ck_arena *a,
                      struct ck_statements *ret)
{
    struct ck_db_id carriers;
    CK_TRY(ck_db_id(db, id, a, &carriers));
    struct list l = { 0 };
    ck_err *e = NULL;
    for (size_t i = 0; i < carriers.n && !e; i++)
        e = collect_advisory(db, carriers.advisories[i], a, &l);
    if (!e)
        hand_over(&l, a, ret);
    free(l.v);
    return e;
}

/* --- Verifying -------------------------------------------------------------------------------- */

static ck_err *verify_digest(const struct ck_db *db)
{
    uint8_t digest[32];
    unsigned n = sizeof digest;
    ck_view covered = ck_view_from(db->file, CK_DB_DIGESTED_FROM);
    if (EVP_Digest(covered.p, covered.n, digest, &n, EVP_sha256(), NULL) != 1)
        return ck_err_new(CK_ERR_OURS, "SHA-256 is not available");
    if (memcmp(digest, db->file.p + CK_DB_SHA256_AT, sizeof digest) != 0)
        return ck_err_new(CK_ERR_OURS, "advisory database is damaged: its content does not match "
                          "its checksum");
    return NULL;
}

/* Reads every package of the table with all its statements. */
static ck_err *verify_packages(const struct ck_db *db)
{
    ck_view table = db->section[CK_DB_PKG_INDEX];
    uint64_t packages = 0, statements = 0;
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = ck_db_slot_at(table, s);
        if (at == 0)
            continue;
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_db_package p;
        CK_TRY(ck_db_package_at(db, at - 1, &p));
        packages++;
        statements += p.left;
        for (bool end = false; !end;) {
            struct ck_db_entry e;
            CK_TRY(ck_db_next(&p, &a, &e, &end));
            bool listed;
            if (!end)
                CK_TRY(ck_db_lists(&p, &e, CK_V("?"), &a, &listed));
        }
    }
    if (packages != db->counts.packages || statements != db->counts.statements)
        return ck_db_damaged("the table of packages is not complete", packages);
    return NULL;
}

static ck_err *verify_advisories(const struct ck_db *db)
{
    for (uint32_t i = 0; i < db->counts.advisories; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_advisory adv;
        ck_cur c;
        CK_TRY(ck_db_read_advisory(db, i, true, &a, &adv, &c));
        uint64_t at = 0;
        for (size_t n = ck_cur_count(&c); n && ck_cur_ok(&c); n--) {
            struct ck_db_package p;
            at += ck_cur_varint(&c);
            CK_TRY(ck_db_package_at(db, at, &p));
        }
        if (!ck_cur_ok(&c))
            return ck_db_damaged("packages of an advisory", i);
    }
    return NULL;
}

static ck_err *verify_ids(const struct ck_db *db)
{
    ck_view table = db->section[CK_DB_ID_INDEX];
    for (size_t s = 0; s < table.n / 4; s++) {
        uint32_t at = ck_db_slot_at(table, s);
        if (at == 0)
            continue;
        ck_autoarena struct ck_arena a = { 0 };
        ck_cur c = ck_db_at(db, CK_DB_IDS, at - 1);
        struct ck_db_id id;
        ck_cur_id(&c, &a);
        CK_TRY(ck_db_read_carriers(db, &c, &a, &id));
    }
    return NULL;
}

ck_err *ck_db_verify(const struct ck_db *db)
{
    CK_TRY(verify_digest(db));
    CK_TRY(verify_packages(db));
    CK_TRY(verify_advisories(db));
    return verify_ids(db);
}
