/* Taking the fingerprints of a database. */
#include "advisory/changes_int.h"
#include "advisory/cut.h"
#include "advisory/db_read.h"
#include "base/mem.h"

#include <stdlib.h>

struct entry {
    uint64_t key, content;
};

struct taking {
    const struct ck_db *db;
    struct ck_cut cut;
    uint64_t *advisories; /* by ordinal: all that a finding may say of it */
    uint64_t *ratings;    /* by ordinal: what it says of severity */
    CK_VEC(struct entry) entries;
    CK_VEC(ck_view) exploited; /* in the arena */
    struct ck_arena arena;
};

static void put_views(struct ck_buf *b, const ck_view *v, size_t n)
{
    ck_put_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ck_put_str(b, v[i]);
}

/* --- advisories ------------------------------------------------------------------------------- */

static void put_rating(struct ck_buf *b, const struct ck_advisory *adv)
{
    ck_put_u8(b, adv->withdrawn);
    ck_put_u8(b, (uint8_t)adv->severity);
    ck_put_str(b, adv->severity_text);
    put_views(b, adv->cvss, adv->n_cvss);
}

/* `place` among those of one id in one feed, whose order may hang on what is left out here. */
static void take_advisory(struct taking *t, uint32_t ordinal, const struct ck_advisory *adv,
                          uint32_t place)
{
    struct ck_buf *b = &t->cut.b;
    put_rating(b, adv);
    t->ratings[ordinal] = ck_cut(&t->cut);
    ck_put_u64(b, t->ratings[ordinal]);
    ck_put_u32(b, place);
    ck_put_u32(b, (uint32_t)ck_db_advisory_feed(t->db, ordinal));
    ck_put_str(b, adv->id);
    ck_put_str(b, adv->url);
    put_views(b, adv->aliases, adv->n_aliases);
    put_views(b, adv->fixes, adv->n_fixes);
    ck_put_u64(b, (uint64_t)adv->published);
    t->advisories[ordinal] = ck_cut(&t->cut);
}

static ck_err *take_advisories(struct taking *t)
{
    size_t n = ck_db_counts(t->db).advisories;
    ck_autobuf struct ck_buf last = ck_buf_new(CK_LIMIT_NONE);
    uint32_t place = 0;
    t->advisories = ck_calloc(n, sizeof *t->advisories);
    t->ratings = ck_calloc(n, sizeof *t->ratings);
    for (uint32_t i = 0; i < n;) {
        ck_autoarena struct ck_arena a = { 0 };
        for (; i < n && a.used < CK_MIB; i++) {
            struct ck_advisory adv;
            CK_TRY(ck_db_advisory(t->db, i, &a, &adv));
            place = ck_view_eq(adv.id, ck_buf_view(&last)) ? place + 1 : 0;
            ck_buf_clear(&last);
            ck_put_bytes(&last, adv.id);
            take_advisory(t, i, &adv, place);
        }
    }
    return NULL;
}

/* What all that carry an id say of its severity counts for each of them. */
static ck_err *take_id(void *ctx, ck_view id, const struct ck_db_id *what)
{
    struct taking *t = ctx;
    if (what->kev)
        *ck_push(&t->exploited) = ck_arena_dup(&t->arena, id);
    if (what->n < 2)
        return NULL;
    ck_put_str(&t->cut.b, id);
    for (size_t i = 0; i < what->n; i++)
        ck_put_u64(&t->cut.b, t->ratings[what->advisories[i]]);
    uint64_t shared = ck_cut(&t->cut);
    for (size_t i = 0; i < what->n; i++)
        t->advisories[what->advisories[i]] += shared;
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

static void put_statement(struct taking *t, const struct ck_db_package *p,
                          const struct ck_db_entry *e)
{
    struct ck_buf *b = &t->cut.b;
    const struct ck_affected *af = &e->affected;
    ck_put_u64(b, t->advisories[e->advisory]);
    ck_put_u8(b, (uint8_t)af->state);
    ck_put_u8(b, (uint8_t)(af->severity << 1 | af->unimportant));
    ck_put_str(b, af->module);
    ck_put_str(b, af->note);
    ck_put_u32(b, (uint32_t)af->n_ranges);
    for (size_t i = 0; i < af->n_ranges; i++) {
        ck_put_str(b, af->ranges[i].introduced);
        ck_put_u8(b, (uint8_t)af->ranges[i].end);
        ck_put_str(b, af->ranges[i].upper);
    }
    ck_put_str(b, ck_db_runs(p, e));
}

static ck_err *take_package(void *ctx, struct ck_db_package *p, struct ck_arena *a)
{
    struct taking *t = ctx;
    uint64_t key = ck_key_of_name(&t->cut, p->ecosystem, p->kind, p->name);
    ck_view table;
    CK_TRY(ck_db_table(p, &table));
    ck_put_str(&t->cut.b, table);
    for (;;) {
        struct ck_db_entry e;
        bool end;
        CK_TRY(ck_db_next(p, a, &e, &end));
        if (end)
            break;
        put_statement(t, p, &e);
    }
    *ck_push(&t->entries) = (struct entry){ key, ck_cut(&t->cut) };
    return NULL;
}

/* --- feeds ------------------------------------------------------------------------------------ */

/* Which feeds say anything about it. */
static ck_err *take_ecosystem(void *ctx, ck_view name, const uint64_t *counts)
{
    struct taking *t = ctx;
    uint64_t key = ck_key_of_coverage(&t->cut, name);
    for (size_t i = 0; i < ck_db_feeds(t->db); i++)
        ck_put_u8(&t->cut.b, counts[i] > 0);
    *ck_push(&t->entries) = (struct entry){ key, ck_cut(&t->cut) };
    return NULL;
}

/* Their order, which decides between equals; and those that failed, which every image is told. */
static ck_err *take_feeds(struct taking *t, uint64_t *ret)
{
    for (size_t i = 0; i < ck_db_feeds(t->db); i++) {
        struct ck_db_feed f;
        CK_TRY(ck_db_feed(t->db, i, &f));
        ck_put_str(&t->cut.b, f.kind);
        ck_put_str(&t->cut.b, f.detail);
        ck_put_str(&t->cut.b, f.failure);
        if (f.failure.n) {
            ck_put_str(&t->cut.b, f.source);
            ck_put_u64(&t->cut.b, (uint64_t)f.time);
        }
    }
    *ret = ck_cut(&t->cut);
    return NULL;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int by_key(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->content < b->content ? -1 : a->content > b->content;
}

static int by_bytes(const void *pa, const void *pb)
{
    return ck_view_cmp(*(const ck_view *)pa, *(const ck_view *)pb);
}

/* Names that share a key are one entry. */
static void merge_entries(struct taking *t)
{
    size_t kept = 0;
    if (t->entries.n)
        qsort(t->entries.v, t->entries.n, sizeof *t->entries.v, by_key);
    for (size_t i = 0; i < t->entries.n; i++) {
        if (kept && t->entries.v[kept - 1].key == t->entries.v[i].key)
            t->entries.v[kept - 1].content += t->entries.v[i].content;
        else
            t->entries.v[kept++] = t->entries.v[i];
    }
    t->entries.n = kept;
}

static void put_all(struct taking *t, uint64_t feeds, struct ck_buf *b)
{
    merge_entries(t);
    if (t->exploited.n)
        qsort(t->exploited.v, t->exploited.n, sizeof *t->exploited.v, by_bytes);
    ck_put_u8(b, CK_CHANGES_VERSION);
    ck_put_u64(b, (uint64_t)ck_db_built(t->db));
    ck_put_u64(b, feeds);
    ck_put_u32(b, (uint32_t)t->entries.n);
    for (size_t i = 0; i < t->entries.n; i++) {
        ck_key_put(b, t->entries.v[i].key);
        ck_put_u64(b, t->entries.v[i].content);
    }
    put_views(b, t->exploited.v, t->exploited.n);
}

static ck_err *take(struct taking *t, struct ck_buf *out)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    uint64_t feeds = 0;
    CK_TRY(take_feeds(t, &feeds));
    CK_TRY(take_advisories(t));
    CK_TRY(ck_db_each_id(t->db, take_id, t));
    CK_TRY(ck_db_each_package(t->db, take_package, t));
    CK_TRY(ck_db_each_ecosystem(t->db, take_ecosystem, t));
    put_all(t, feeds, &b);
    return ck_buf_add(out, ck_buf_view(&b));
}

ck_err *ck_changes_take(const struct ck_db *db, struct ck_buf *out)
{
    struct taking t = { .db = db, .cut = ck_cut_new() };
    ck_err *e = take(&t, out);
    ck_cut_free(&t.cut);
    ck_arena_free(&t.arena);
    free(t.advisories);
    free(t.ratings);
    free(t.entries.v);
    free(t.exploited.v);
    return e;
}
