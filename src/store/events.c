/* What changed, numbered without end. */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PAGE = 256 };

/* --- adding ----------------------------------------------------------------------------------- */

static ck_err *insert(struct ck_store *s, const struct ck_event *e)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO event(time, kind, severity, image, name, repository,"
                           " summary, data) VALUES(?,?,?,?,?,?,?,?)", &q));
    ck_bind_int(&q, e->time);
    ck_bind_text(&q, e->kind);
    ck_bind_int(&q, e->severity);
    ck_bind_text(&q, e->image);
    ck_bind_text(&q, e->name);
    ck_bind_text(&q, e->repository);
    ck_bind_text(&q, e->summary);
    ck_bind_blob(&q, e->data);
    return ck_query_run(&q);
}

static ck_err *delete_oldest(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM event WHERE number<=(SELECT max(number) FROM event)-?",
                        &q));
    ck_bind_int(&q, (int64_t)CK_MAX_EVENTS);
    return ck_query_run(&q);
}

ck_err *ck_events_add(struct ck_store *s, const struct ck_event *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].data.n > CK_MAX_EVENT_DATA || v[i].summary.n > CK_MAX_EVENT_DATA)
            return ck_err_limit(CK_LIMIT_EVENT_DATA, "an event of %zu bytes",
                                v[i].data.n + v[i].summary.n);
        CK_TRY(insert(s, &v[i]));
    }
    return n ? delete_oldest(s) : NULL;
}

ck_err *ck_store_add_events(struct ck_store *s, const struct ck_event *v, size_t n)
{
    if (n == 0)
        return NULL;
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, ck_events_add(s, v, n));
}

/* --- reading ---------------------------------------------------------------------------------- */

#define COLUMNS                                                                                  \
    "SELECT number, time, kind, severity, image, name, repository, summary, data FROM event"      \
    " WHERE number>?1 AND number<?2 AND time>=?3 AND (?4='' OR kind=?4) AND (?5='' OR name=?5)"
#define OLDEST " ORDER BY number LIMIT ?8"
#define NEWEST " ORDER BY number DESC LIMIT ?8"
#define IMAGE COLUMNS " AND image=?6 AND (?7='' OR repository=?7)"
#define REPOSITORY COLUMNS " AND ?6='' AND repository=?7"
#define ALL COLUMNS " AND ?6='' AND ?7=''"

/* The narrowest of the indexes that the filter allows. */
static const char *sql_for(const struct ck_event_filter *f)
{
    if (f->image.n)
        return f->newest_first ? IMAGE NEWEST : IMAGE OLDEST;
    if (f->repository.n)
        return f->newest_first ? REPOSITORY NEWEST : REPOSITORY OLDEST;
    return f->newest_first ? ALL NEWEST : ALL OLDEST;
}

static void read_row(struct ck_query *q, struct ck_arena *a, struct ck_event *ret)
{
    *ret = (struct ck_event){
        .number = (uint64_t)ck_column_int(q, 0),
        .time = ck_column_int(q, 1),
        .kind = ck_arena_dup(a, ck_column_text(q, 2)),
        .severity = (int)ck_column_int(q, 3),
        .image = ck_arena_dup(a, ck_column_text(q, 4)),
        .name = ck_arena_dup(a, ck_column_text(q, 5)),
        .repository = ck_arena_dup(a, ck_column_text(q, 6)),
        .summary = ck_arena_dup(a, ck_column_text(q, 7)),
        .data = ck_arena_dup(a, ck_column_text(q, 8)),
    };
}

/* The numbers that are still to come. */
struct range {
    int64_t after, before;
};

static ck_err *read_page(struct ck_store *s, const struct ck_event_filter *f, struct range r,
                         size_t max, struct ck_arena *a, struct ck_event *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, sql_for(f), &q));
    ck_bind_int(&q, r.after);
    ck_bind_int(&q, r.before);
    ck_bind_int(&q, f->since);
    ck_bind_text(&q, f->kind);
    ck_bind_text(&q, f->name);
    ck_bind_text(&q, f->image);
    ck_bind_text(&q, f->repository);
    ck_bind_int(&q, (int64_t)max);
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        read_row(&q, a, &ret[*ret_n]);
    }
    return NULL;
}

static ck_err *page_alone(struct ck_store *s, const struct ck_event_filter *f, struct range r,
                          size_t max, struct ck_arena *a, struct ck_event *ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, read_page(s, f, r, max, a, ret, ret_n));
}

static int64_t number_or(uint64_t x, int64_t otherwise)
{
    return x && x < INT64_MAX ? (int64_t)x : otherwise;
}

ck_err *ck_store_events(struct ck_store *s, const struct ck_event_filter *f,
                        ck_err *(*each)(void *ctx, const struct ck_event *e), void *ctx)
{
    struct range r = { number_or(f->after, 0), number_or(f->before, INT64_MAX) };
    size_t left = f->max ? f->max : SIZE_MAX, max = 1, n = 1;
    ck_autofree struct ck_event *page = ck_calloc(PAGE, sizeof *page);
    for (; left && n == max; left -= n) {
        ck_autoarena struct ck_arena a = { 0 };
        max = left < PAGE ? left : PAGE;
        CK_TRY(page_alone(s, f, r, max, &a, page, &n)); /* `each` may call the store */
        for (size_t i = 0; i < n; i++)
            CK_TRY(each(ctx, &page[i]));
        if (n)
            *(f->newest_first ? &r.before : &r.after) = (int64_t)page[n - 1].number;
    }
    return NULL;
}

/* Of the sequence, not of the rows: an event that has gone had its number too. */
static ck_err *last_event(struct ck_store *s, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT seq FROM sqlite_sequence WHERE name='event'", &q));
    return ck_query_count(&q, ret);
}

ck_err *ck_store_last_event(struct ck_store *s, uint64_t *ret)
{
    uint64_t n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, last_event(s, &n)));
    *ret = n;
    return NULL;
}
