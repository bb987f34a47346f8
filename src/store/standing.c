/* One image as looking again sees it, and names that moved. */
#include "store/standing.h"

#include "base/mem.h"
#include "store/store_int.h"

#include <stdlib.h>

/* An index may lead to an index: `above` is the image itself and all that leads to it. */
#define ABOVE                                                                             \
    "WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image FROM above JOIN part" \
    " ON part.digest=above.d AND part.role=2) "

/* --- one image -------------------------------------------------------------------------------- */

static ck_err *read_state(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                          struct ck_standing *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT state, person, complete, decided, platform, matched FROM image"
                           " LEFT JOIN inventory ON inventory.image=digest WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    *ret = (struct ck_standing){
        .state = (enum ck_state_of_image)ck_column_int(&q, 0),
        .by_person = ck_column_int(&q, 1),
        .complete = ck_column_int(&q, 2),
        .decided = ck_column_int(&q, 3),
        .platform = ck_arena_dup(a, ck_column_text(&q, 4)),
        .has_inventory = !ck_column_null(&q, 5),
        .matched = ck_column_int(&q, 5),
    };
    return NULL;
}

static ck_err *texts(struct ck_store *s, const char *sql, const struct ck_digest *d,
                     struct ck_arena *a, struct ck_standing *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    ck_bind_digest(&q, d);
    return ck_query_texts(&q, SIZE_MAX, a, &ret->names, &ret->n_names, NULL);
}

static ck_err *read_names(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                          struct ck_standing *ret)
{
    CK_TRY(texts(s, ABOVE "SELECT name FROM above CROSS JOIN name ON name.digest=d GROUP BY name"
                          " ORDER BY max(d=?1) DESC, name", d, a, ret));
    if (ret->n_names)
        return NULL;
    return texts(s, ABOVE "SELECT DISTINCT repository||'@'||?1 FROM above CROSS JOIN link"
                          " ON link.digest=d ORDER BY 1", d, a, ret);
}

static ck_err *read_indexes(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                            struct ck_standing *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, ABOVE "SELECT d FROM above WHERE d!=?1 ORDER BY d", &q));
    ck_bind_digest(&q, d);
    return ck_query_digests(&q, a, &ret->indexes, &ret->n_indexes);
}

static ck_err *standing(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                        struct ck_standing *ret, bool *ret_found)
{
    CK_TRY(read_state(s, d, a, ret, ret_found));
    if (!*ret_found)
        return NULL;
    CK_TRY(read_names(s, d, a, ret));
    return read_indexes(s, d, a, ret);
}

ck_err *ck_store_standing(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                          struct ck_standing *ret, bool *ret_found)
{
    struct ck_standing v = { 0 };
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, standing(s, d, a, &v, &found)));
    if (found)
        *ret = v;
    *ret_found = found;
    return NULL;
}

/* --- names that moved ------------------------------------------------------------------------- */

struct moved {
    CK_VEC(struct ck_moved_name) v;
};

static ck_err *collect_moved(struct ck_query *q, struct ck_arena *a, struct moved *into)
{
    bool row = true;
    for (;;) {
        struct ck_moved_name m = { 0 };
        CK_TRY(ck_query_step(q, &row));
        if (!row)
            return NULL;
        m.name = ck_arena_dup(a, ck_column_text(q, 0));
        CK_TRY(ck_column_digest(q, 1, &m.was));
        CK_TRY(ck_column_digest(q, 2, &m.is));
        m.chain = ck_arena_dup(a, ck_column_text(q, 3));
        *ck_push(&into->v) = m;
    }
}

/* `old` and `new` are the images below what the name meant and means, itself where it is one. */
static ck_err *moved_names(struct ck_store *s, struct ck_arena *a, struct ck_moved_name **ret,
                           size_t *ret_n)
{
    struct moved all = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s,
        "WITH moved(name, was, now) AS (SELECT name.name, seen.digest, name.digest FROM name"
        " JOIN seen ON seen.name=name.name AND seen.digest!=name.digest),"
        " old(name, image, now) AS (SELECT name, was, now FROM moved UNION"
        " SELECT moved.name, part.digest, now FROM moved JOIN part ON part.image=was AND role=2),"
        " new(name, image, old) AS (SELECT name, now, image FROM old UNION"
        " SELECT old.name, part.digest, old.image FROM old JOIN part ON part.image=now"
        " AND role=2)"
        " SELECT new.name, new.old, new.image, f.chain FROM new"
        " JOIN image AS i ON i.digest=new.image JOIN image AS o ON o.digest=new.old"
        " JOIN facts AS f ON f.image=new.old JOIN facts AS g ON g.image=new.image"
        " WHERE new.image!=new.old AND i.platform=o.platform AND f.chain!='' AND g.chain!=''"
        " AND f.chain!=g.chain ORDER BY 1, 2, 3", &q));
    ck_err *e = collect_moved(&q, a, &all);
    if (!e) {
        *ret = ck_arena_alloc(a, all.v.n + 1, sizeof **ret);
        if (all.v.n)
            memcpy(*ret, all.v.v, all.v.n * sizeof **ret);
        *ret_n = all.v.n;
    }
    free(all.v.v);
    return e;
}

ck_err *ck_store_moved_names(struct ck_store *s, struct ck_arena *a, struct ck_moved_name **ret,
                             size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, moved_names(s, a, ret, ret_n));
}

/* --- names of upstreams ----------------------------------------------------------------------- */

struct upstreams {
    CK_VEC(struct ck_upstream_name) v;
};

static ck_err *collect_upstreams(struct ck_query *q, struct ck_arena *a, struct upstreams *into)
{
    bool row = true;
    for (;;) {
        struct ck_upstream_name n;
        CK_TRY(ck_query_step(q, &row));
        if (!row)
            return NULL;
        n.name = ck_arena_dup(a, ck_column_text(q, 0));
        CK_TRY(ck_column_digest(q, 1, &n.digest));
        n.checked = ck_column_int(q, 2);
        *ck_push(&into->v) = n;
    }
}

static ck_err *upstream_names(struct ck_store *s, int64_t before, size_t max, struct ck_arena *a,
                              struct ck_upstream_name **ret, size_t *ret_n)
{
    struct upstreams all = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT name, digest, checked FROM name WHERE checked<?1 AND"
                           " substr(name, 1, length(?2)+1)!=?2||'/' AND instr(name,'@')=0"
                           " ORDER BY checked, name LIMIT ?3", &q));
    ck_bind_int(&q, before);
    ck_bind_text(&q, CK_V(CK_STORE_HOSTED));
    ck_bind_int(&q, (int64_t)max);
    ck_err *e = collect_upstreams(&q, a, &all);
    if (!e) {
        *ret = ck_arena_alloc(a, all.v.n + 1, sizeof **ret);
        if (all.v.n)
            memcpy(*ret, all.v.v, all.v.n * sizeof **ret);
        *ret_n = all.v.n;
    }
    free(all.v.v);
    return e;
}

ck_err *ck_store_upstream_names(struct ck_store *s, int64_t before, size_t max, struct ck_arena *a,
                                struct ck_upstream_name **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, upstream_names(s, before, max, a, ret, ret_n));
}
