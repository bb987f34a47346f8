/* Who pulled what. */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { TOGETHER = 60 /* seconds */, PAGE = 256 };

/* --- noting ----------------------------------------------------------------------------------- */

static ck_err *add_to_last(struct ck_store *s, const struct ck_pull *p, bool *ret_there)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE pull SET count=count+?1 WHERE number=(SELECT max(number)"
                           " FROM pull WHERE digest=?2 AND time>?3-?4 AND time<=?3 AND who=?5"
                           " AND client=?6 AND name=?7 AND result=?8)", &q));
    ck_bind_int(&q, (int64_t)p->count);
    ck_bind_digest(&q, &p->digest);
    ck_bind_int(&q, p->time);
    ck_bind_int(&q, TOGETHER);
    ck_bind_text(&q, p->who);
    ck_bind_text(&q, p->client);
    ck_bind_text(&q, p->name);
    ck_bind_int(&q, p->result);
    CK_TRY(ck_query_run(&q));
    *ret_there = sqlite3_changes(s->db) > 0;
    return NULL;
}

static ck_err *insert(struct ck_store *s, const struct ck_pull *p)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO pull(time, who, client, agent, name, repository, digest,"
                           " count, result) VALUES(?,?,?,?,?,?,?,?,?)", &q));
    ck_bind_int(&q, p->time);
    ck_bind_text(&q, p->who);
    ck_bind_text(&q, p->client);
    ck_bind_text(&q, p->agent);
    ck_bind_text(&q, p->name);
    ck_bind_text(&q, ck_repository_of(p->name));
    ck_bind_digest(&q, &p->digest);
    ck_bind_int(&q, (int64_t)p->count);
    ck_bind_int(&q, p->result);
    return ck_query_run(&q);
}

static ck_err *delete_oldest(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM pull WHERE number<=(SELECT max(number) FROM pull)-?", &q));
    ck_bind_int(&q, (int64_t)CK_MAX_PULLS);
    return ck_query_run(&q);
}

static ck_err *add_pulls(struct ck_store *s, const struct ck_pull *pulls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        CK_TRY(add_to_last(s, &pulls[i], &there));
        if (!there)
            CK_TRY(insert(s, &pulls[i]));
    }
    return delete_oldest(s);
}

ck_err *ck_store_add_pulls(struct ck_store *s, const struct ck_pull *pulls, size_t n)
{
    if (n == 0)
        return NULL;
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, add_pulls(s, pulls, n));
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Newest first; a page goes on behind the last line of the one before. */
struct place {
    int64_t time, number;
};

#define COLUMNS                                                                                  \
    "SELECT number, time, who, client, agent, name, digest, count, result FROM pull"             \
    " WHERE (time, number)<(?1, ?2) AND time>=?3 AND (?4='' OR who=?4)"                           \
    " AND (?5='' OR name=?5 OR repository=?5)"
#define NEWEST " ORDER BY time DESC, number DESC LIMIT ?7"

/* The narrowest of the indexes that the filter allows. */
static const char *sql_for(const struct ck_pull_filter *f)
{
    if (f->digest)
        return COLUMNS " AND digest=?6" NEWEST;
    if (f->name.n)
        return COLUMNS " AND repository=?6" NEWEST;
    return COLUMNS " AND ?6 IS NULL" NEWEST;
}

static ck_err *read_row(struct ck_query *q, struct ck_arena *a, struct place *at,
                        struct ck_pull *ret)
{
    *at = (struct place){ ck_column_int(q, 1), ck_column_int(q, 0) };
    *ret = (struct ck_pull){
        .time = at->time,
        .who = ck_arena_dup(a, ck_column_text(q, 2)),
        .client = ck_arena_dup(a, ck_column_text(q, 3)),
        .agent = ck_arena_dup(a, ck_column_text(q, 4)),
        .name = ck_arena_dup(a, ck_column_text(q, 5)),
        .count = (uint64_t)ck_column_int(q, 7),
        .result = (enum ck_pull_result)ck_column_int(q, 8),
    };
    return ck_column_digest(q, 6, &ret->digest);
}

static ck_err *read_page(struct ck_store *s, const struct ck_pull_filter *f, size_t max,
                         struct ck_arena *a, struct place *at, struct ck_pull *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, sql_for(f), &q));
    ck_bind_int(&q, at->time);
    ck_bind_int(&q, at->number);
    ck_bind_int(&q, f->since);
    ck_bind_text(&q, f->who);
    ck_bind_text(&q, f->name);
    if (f->digest || f->name.n == 0)
        ck_bind_digest(&q, f->digest);
    else
        ck_bind_text(&q, ck_repository_of(f->name));
    ck_bind_int(&q, (int64_t)max);
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_row(&q, a, at, &ret[*ret_n]));
    }
    return NULL;
}

static ck_err *page_alone(struct ck_store *s, const struct ck_pull_filter *f, size_t max,
                          struct ck_arena *a, struct place *at, struct ck_pull *ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, read_page(s, f, max, a, at, ret, ret_n));
}

ck_err *ck_store_pulls(struct ck_store *s, const struct ck_pull_filter *f,
                       ck_err *(*each)(void *ctx, const struct ck_pull *p), void *ctx)
{
    struct place at = { INT64_MAX, INT64_MAX };
    size_t left = f->max ? f->max : SIZE_MAX, max = 1, n = 1;
    ck_autofree struct ck_pull *page = ck_calloc(PAGE, sizeof *page);
    for (; left && n == max; left -= n) {
        ck_autoarena struct ck_arena a = { 0 };
        max = left < PAGE ? left : PAGE;
        CK_TRY(page_alone(s, f, max, &a, &at, page, &n)); /* `each` may call the store */
        for (size_t i = 0; i < n; i++)
            CK_TRY(each(ctx, &page[i]));
    }
    return NULL;
}
